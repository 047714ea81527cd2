// RUN: infini-opt %s --infini-parallelize-scan=width=1 --remarks-filter=".*" --split-input-file -o /dev/null 2>&1 | FileCheck %s --check-prefix=W1
// RUN: infini-opt %s --infini-parallelize-scan --remarks-filter=".*" --split-input-file -o /dev/null 2>&1 | FileCheck %s --check-prefix=W8
// RUN: infini-opt %s --infini-parallelize-scan=width=132 --remarks-filter=".*" --split-input-file -o /dev/null 2>&1 | FileCheck %s --check-prefix=W132

// The schedule that `auto` takes for a shape, and the costs of all three, as
// Inputs/schedule_table.py computes them (which writes this file): a change here
// is a change of every program's schedule.

// B·H = 8, B·G = 2, S = 1, N = 256, d = 64, delta
// W1: Function=one_segment | Remark='sequential', scan=60002304, sequential=46170112, streaming=46305280{{$}}
// W8: Function=one_segment | Remark='sequential', scan=18515968, sequential=7372800, streaming=7440384{{$}}
// W132: Function=one_segment | Remark='sequential', scan=13600768, sequential=2457600, streaming=2525184{{$}}
func.func @one_segment(%q: tensor<1x8x256x64xf32>, %k: tensor<1x2x256x64xf32>, %v: tensor<1x2x256x64xf32>, %M0: tensor<1x2x64x64xf32>, %z0: tensor<1x2x64xf32>)
    -> (tensor<1x8x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x8x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>)
      states(%M0, %z0 : tensor<1x2x64x64xf32>, tensor<1x2x64xf32>)
      attributes {segment_length = 256 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x8x256x64xf32>, %ks: tensor<1x2x256x64xf32>, %vs: tensor<1x2x256x64xf32>, %M: tensor<1x2x64x64xf32>, %z: tensor<1x2x64xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x8x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>) -> tensor<1x8x256x64xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<delta>} : tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
    infini.yield %o, %M1, %z1 : tensor<1x8x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  } -> tensor<1x8x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  return %r#0, %r#1, %r#2 : tensor<1x8x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
}

// B·H = 8, B·G = 2, S = 2, N = 256, d = 64, delta
// W1: Function=two_segments | Remark='sequential', scan=110469120, sequential=92340224, streaming=92577792{{$}}
// W8: Function=two_segments | Remark='sequential', scan=23758848, sequential=14745600, streaming=14848000{{$}}
// W132: Function=two_segments | Remark='sequential', scan=13928448, sequential=4915200, streaming=5017600{{$}}
func.func @two_segments(%q: tensor<1x8x512x64xf32>, %k: tensor<1x2x512x64xf32>, %v: tensor<1x2x512x64xf32>, %M0: tensor<1x2x64x64xf32>, %z0: tensor<1x2x64xf32>)
    -> (tensor<1x8x512x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x8x512x64xf32>, tensor<1x2x512x64xf32>, tensor<1x2x512x64xf32>)
      states(%M0, %z0 : tensor<1x2x64x64xf32>, tensor<1x2x64xf32>)
      attributes {segment_length = 256 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x8x256x64xf32>, %ks: tensor<1x2x256x64xf32>, %vs: tensor<1x2x256x64xf32>, %M: tensor<1x2x64x64xf32>, %z: tensor<1x2x64xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x8x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>) -> tensor<1x8x256x64xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<delta>} : tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
    infini.yield %o, %M1, %z1 : tensor<1x8x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  } -> tensor<1x8x512x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  return %r#0, %r#1, %r#2 : tensor<1x8x512x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
}

// B·H = 8, B·G = 2, S = 64, N = 256, d = 64, delta
// W1: Function=many_segments | Remark='sequential', scan=3301277696, sequential=2954887168, streaming=2961473536{{$}}
// W8: Function=many_segments | Remark='sequential', scan=414318592, sequential=471859200, streaming=474120192{{$}}
// W132: Function=many_segments | Remark='scan', scan=35489792, sequential=157286400, streaming=159219712{{$}}
func.func @many_segments(%q: tensor<1x8x16384x64xf32>, %k: tensor<1x2x16384x64xf32>, %v: tensor<1x2x16384x64xf32>, %M0: tensor<1x2x64x64xf32>, %z0: tensor<1x2x64xf32>)
    -> (tensor<1x8x16384x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x8x16384x64xf32>, tensor<1x2x16384x64xf32>, tensor<1x2x16384x64xf32>)
      states(%M0, %z0 : tensor<1x2x64x64xf32>, tensor<1x2x64xf32>)
      attributes {segment_length = 256 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x8x256x64xf32>, %ks: tensor<1x2x256x64xf32>, %vs: tensor<1x2x256x64xf32>, %M: tensor<1x2x64x64xf32>, %z: tensor<1x2x64xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x8x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>) -> tensor<1x8x256x64xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<delta>} : tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
    infini.yield %o, %M1, %z1 : tensor<1x8x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  } -> tensor<1x8x16384x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  return %r#0, %r#1, %r#2 : tensor<1x8x16384x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
}

// B·H = 8, B·G = 2, S = 64, N = 256, d = 64, linear
// W1: Function=many_segments_linear | Remark='sequential', scan=2962587904, sequential=2820669440, streaming=2827255808{{$}}
// W8: Function=many_segments_linear | Remark='sequential', scan=370409728, sequential=404750336, streaming=407011328{{$}}
// W132: Function=many_segments_linear | Remark='scan', scan=22915328, sequential=90177536, streaming=92110848{{$}}
func.func @many_segments_linear(%q: tensor<1x8x16384x64xf32>, %k: tensor<1x2x16384x64xf32>, %v: tensor<1x2x16384x64xf32>, %M0: tensor<1x2x64x64xf32>, %z0: tensor<1x2x64xf32>)
    -> (tensor<1x8x16384x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x8x16384x64xf32>, tensor<1x2x16384x64xf32>, tensor<1x2x16384x64xf32>)
      states(%M0, %z0 : tensor<1x2x64x64xf32>, tensor<1x2x64xf32>)
      attributes {segment_length = 256 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x8x256x64xf32>, %ks: tensor<1x2x256x64xf32>, %vs: tensor<1x2x256x64xf32>, %M: tensor<1x2x64x64xf32>, %z: tensor<1x2x64xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x8x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>) -> tensor<1x8x256x64xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<linear>} : tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
    infini.yield %o, %M1, %z1 : tensor<1x8x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  } -> tensor<1x8x16384x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  return %r#0, %r#1, %r#2 : tensor<1x8x16384x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
}

// B·H = 8, B·G = 2, S = 64, N = 256, d = 64, delta_corrected
// W1: Function=many_segments_corrected | Remark='sequential', scan=3301277696, sequential=2954887168, streaming=2961473536{{$}}
// W8: Function=many_segments_corrected | Remark='sequential', scan=414318592, sequential=471859200, streaming=474120192{{$}}
// W132: Function=many_segments_corrected | Remark='scan', scan=35489792, sequential=157286400, streaming=159219712{{$}}
func.func @many_segments_corrected(%q: tensor<1x8x16384x64xf32>, %k: tensor<1x2x16384x64xf32>, %v: tensor<1x2x16384x64xf32>, %M0: tensor<1x2x64x64xf32>, %z0: tensor<1x2x64xf32>)
    -> (tensor<1x8x16384x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x8x16384x64xf32>, tensor<1x2x16384x64xf32>, tensor<1x2x16384x64xf32>)
      states(%M0, %z0 : tensor<1x2x64x64xf32>, tensor<1x2x64xf32>)
      attributes {segment_length = 256 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x8x256x64xf32>, %ks: tensor<1x2x256x64xf32>, %vs: tensor<1x2x256x64xf32>, %M: tensor<1x2x64x64xf32>, %z: tensor<1x2x64xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x8x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>) -> tensor<1x8x256x64xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<delta_corrected>} : tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
    infini.yield %o, %M1, %z1 : tensor<1x8x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  } -> tensor<1x8x16384x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  return %r#0, %r#1, %r#2 : tensor<1x8x16384x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
}

// B·H = 32, B·G = 8, S = 16, N = 256, d = 64, delta
// W1: Function=batch | Remark='sequential', scan=3301277696, sequential=2953314304, streaming=2961473536{{$}}
// W8: Function=batch | Remark='sequential', scan=412745728, sequential=369623040, streaming=370212864{{$}}
// W132: Function=batch | Remark='scan', scan=33916928, sequential=55050240, streaming=55312384{{$}}
func.func @batch(%q: tensor<4x8x4096x64xf32>, %k: tensor<4x2x4096x64xf32>, %v: tensor<4x2x4096x64xf32>, %M0: tensor<4x2x64x64xf32>, %z0: tensor<4x2x64xf32>)
    -> (tensor<4x8x4096x64xf32>, tensor<4x2x64x64xf32>, tensor<4x2x64xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<4x8x4096x64xf32>, tensor<4x2x4096x64xf32>, tensor<4x2x4096x64xf32>)
      states(%M0, %z0 : tensor<4x2x64x64xf32>, tensor<4x2x64xf32>)
      attributes {segment_length = 256 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<4x8x256x64xf32>, %ks: tensor<4x2x256x64xf32>, %vs: tensor<4x2x256x64xf32>, %M: tensor<4x2x64x64xf32>, %z: tensor<4x2x64xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<4x8x256x64xf32>, tensor<4x2x256x64xf32>, tensor<4x2x256x64xf32>) -> tensor<4x8x256x64xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<delta>} : tensor<4x2x256x64xf32>, tensor<4x2x256x64xf32>, tensor<4x2x64x64xf32>, tensor<4x2x64xf32>
    infini.yield %o, %M1, %z1 : tensor<4x8x256x64xf32>, tensor<4x2x64x64xf32>, tensor<4x2x64xf32>
  } -> tensor<4x8x4096x64xf32>, tensor<4x2x64x64xf32>, tensor<4x2x64xf32>
  return %r#0, %r#1, %r#2 : tensor<4x8x4096x64xf32>, tensor<4x2x64x64xf32>, tensor<4x2x64xf32>
}

// B·H = 2, B·G = 1, S = 64, N = 64, d = 16, delta
// W1: Function=small_head | Remark='streaming', scan=15605760, sequential=14680064, streaming=12886016{{$}}
// W8: Function=small_head | Remark='streaming', scan=2130944, sequential=5505024, streaming=3710976{{$}}
// W132: Function=small_head | Remark='scan', scan=413824, sequential=5505024, streaming=2482176{{$}}
func.func @small_head(%q: tensor<1x2x4096x16xf32>, %k: tensor<1x1x4096x16xf32>, %v: tensor<1x1x4096x16xf32>, %M0: tensor<1x1x16x16xf32>, %z0: tensor<1x1x16xf32>)
    -> (tensor<1x2x4096x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x2x4096x16xf32>, tensor<1x1x4096x16xf32>, tensor<1x1x4096x16xf32>)
      states(%M0, %z0 : tensor<1x1x16x16xf32>, tensor<1x1x16xf32>)
      attributes {segment_length = 64 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x2x64x16xf32>, %ks: tensor<1x1x64x16xf32>, %vs: tensor<1x1x64x16xf32>, %M: tensor<1x1x16x16xf32>, %z: tensor<1x1x16xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x2x64x16xf32>, tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32>) -> tensor<1x2x64x16xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<delta>} : tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>
    infini.yield %o, %M1, %z1 : tensor<1x2x64x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>
  } -> tensor<1x2x4096x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>
  return %r#0, %r#1, %r#2 : tensor<1x2x4096x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>
}

// B·H = 2, B·G = 1, S = 64, N = 64, d = 16, linear
// W1: Function=small_head_linear | Remark='streaming', scan=12984384, sequential=13631488, streaming=11837440{{$}}
// W8: Function=small_head_linear | Remark='streaming', scan=1709120, sequential=4456448, streaming=2662400{{$}}
// W132: Function=small_head_linear | Remark='scan', scan=217792, sequential=4456448, streaming=1433600{{$}}
func.func @small_head_linear(%q: tensor<1x2x4096x16xf32>, %k: tensor<1x1x4096x16xf32>, %v: tensor<1x1x4096x16xf32>, %M0: tensor<1x1x16x16xf32>, %z0: tensor<1x1x16xf32>)
    -> (tensor<1x2x4096x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x2x4096x16xf32>, tensor<1x1x4096x16xf32>, tensor<1x1x4096x16xf32>)
      states(%M0, %z0 : tensor<1x1x16x16xf32>, tensor<1x1x16xf32>)
      attributes {segment_length = 64 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x2x64x16xf32>, %ks: tensor<1x1x64x16xf32>, %vs: tensor<1x1x64x16xf32>, %M: tensor<1x1x16x16xf32>, %z: tensor<1x1x16xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x2x64x16xf32>, tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32>) -> tensor<1x2x64x16xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<linear>} : tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>
    infini.yield %o, %M1, %z1 : tensor<1x2x64x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>
  } -> tensor<1x2x4096x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>
  return %r#0, %r#1, %r#2 : tensor<1x2x4096x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>
}

// B·H = 8, B·G = 8, S = 8, N = 128, d = 128, delta
// W1: Function=large_head | Remark='sequential', scan=1112113152, sequential=537133056, streaming=541622272{{$}}
// W8: Function=large_head | Remark='sequential', scan=172654592, sequential=67371008, streaming=67731456{{$}}
// W132: Function=large_head | Remark='streaming', scan=81960960, sequential=38010880, streaming=36274176{{$}}
func.func @large_head(%q: tensor<1x8x1024x128xf32>, %k: tensor<1x8x1024x128xf32>, %v: tensor<1x8x1024x128xf32>, %M0: tensor<1x8x128x128xf32>, %z0: tensor<1x8x128xf32>)
    -> (tensor<1x8x1024x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x8x1024x128xf32>, tensor<1x8x1024x128xf32>, tensor<1x8x1024x128xf32>)
      states(%M0, %z0 : tensor<1x8x128x128xf32>, tensor<1x8x128xf32>)
      attributes {segment_length = 128 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x8x128x128xf32>, %ks: tensor<1x8x128x128xf32>, %vs: tensor<1x8x128x128xf32>, %M: tensor<1x8x128x128xf32>, %z: tensor<1x8x128xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x8x128x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128x128xf32>) -> tensor<1x8x128x128xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<delta>} : tensor<1x8x128x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
    infini.yield %o, %M1, %z1 : tensor<1x8x128x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
  } -> tensor<1x8x1024x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
  return %r#0, %r#1, %r#2 : tensor<1x8x1024x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
}

// B·H = 8, B·G = 8, S = 8, N = 128, d = 128, linear
// W1: Function=large_head_linear | Remark='sequential', scan=543785088, sequential=402915328, streaming=407404544{{$}}
// W8: Function=large_head_linear | Remark='sequential', scan=68059264, sequential=50593792, streaming=50954240{{$}}
// W132: Function=large_head_linear | Remark='scan', scan=6480000, sequential=21233664, streaming=19496960{{$}}
func.func @large_head_linear(%q: tensor<1x8x1024x128xf32>, %k: tensor<1x8x1024x128xf32>, %v: tensor<1x8x1024x128xf32>, %M0: tensor<1x8x128x128xf32>, %z0: tensor<1x8x128xf32>)
    -> (tensor<1x8x1024x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x8x1024x128xf32>, tensor<1x8x1024x128xf32>, tensor<1x8x1024x128xf32>)
      states(%M0, %z0 : tensor<1x8x128x128xf32>, tensor<1x8x128xf32>)
      attributes {segment_length = 128 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x8x128x128xf32>, %ks: tensor<1x8x128x128xf32>, %vs: tensor<1x8x128x128xf32>, %M: tensor<1x8x128x128xf32>, %z: tensor<1x8x128xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x8x128x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128x128xf32>) -> tensor<1x8x128x128xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<linear>} : tensor<1x8x128x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
    infini.yield %o, %M1, %z1 : tensor<1x8x128x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
  } -> tensor<1x8x1024x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
  return %r#0, %r#1, %r#2 : tensor<1x8x1024x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
}

// B·H = 4, B·G = 2, S = 32, N = 128, d = 128, linear
// W1: Function=key_and_value | Remark='sequential', scan=812220672, sequential=672137216, streaming=675840000{{$}}
// W8: Function=key_and_value | Remark='sequential', scan=101613824, sequential=135266304, streaming=136609792{{$}}
// W132: Function=key_and_value | Remark='scan', scan=8577280, sequential=84934656, streaming=73695232{{$}}
func.func @key_and_value(%q: tensor<1x4x4096x32xf32>, %k: tensor<1x2x4096x32xf32>, %v: tensor<1x2x4096x128xf32>, %M0: tensor<1x2x32x128xf32>, %z0: tensor<1x2x32xf32>)
    -> (tensor<1x4x4096x128xf32>, tensor<1x2x32x128xf32>, tensor<1x2x32xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x4x4096x32xf32>, tensor<1x2x4096x32xf32>, tensor<1x2x4096x128xf32>)
      states(%M0, %z0 : tensor<1x2x32x128xf32>, tensor<1x2x32xf32>)
      attributes {segment_length = 128 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x4x128x32xf32>, %ks: tensor<1x2x128x32xf32>, %vs: tensor<1x2x128x128xf32>, %M: tensor<1x2x32x128xf32>, %z: tensor<1x2x32xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x4x128x32xf32>, tensor<1x2x128x32xf32>, tensor<1x2x128x128xf32>) -> tensor<1x4x128x128xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<linear>} : tensor<1x2x128x32xf32>, tensor<1x2x128x128xf32>, tensor<1x2x32x128xf32>, tensor<1x2x32xf32>
    infini.yield %o, %M1, %z1 : tensor<1x4x128x128xf32>, tensor<1x2x32x128xf32>, tensor<1x2x32xf32>
  } -> tensor<1x4x4096x128xf32>, tensor<1x2x32x128xf32>, tensor<1x2x32xf32>
  return %r#0, %r#1, %r#2 : tensor<1x4x4096x128xf32>, tensor<1x2x32x128xf32>, tensor<1x2x32xf32>
}

// B·H = 8, B·G = 4, S = 8, N = 65, d = 64, delta
// W1: Function=ragged_block | Remark='sequential', scan=95920128, sequential=59572224, streaming=59940864{{$}}
// W8: Function=ragged_block | Remark='streaming', scan=18629632, sequential=9805824, streaming=9725952{{$}}
// W132: Function=ragged_block | Remark='streaming', scan=10491136, sequential=5578752, streaming=4838400{{$}}
func.func @ragged_block(%q: tensor<1x8x520x64xf32>, %k: tensor<1x4x520x64xf32>, %v: tensor<1x4x520x64xf32>, %M0: tensor<1x4x64x64xf32>, %z0: tensor<1x4x64xf32>)
    -> (tensor<1x8x520x64xf32>, tensor<1x4x64x64xf32>, tensor<1x4x64xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x8x520x64xf32>, tensor<1x4x520x64xf32>, tensor<1x4x520x64xf32>)
      states(%M0, %z0 : tensor<1x4x64x64xf32>, tensor<1x4x64xf32>)
      attributes {segment_length = 65 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x8x65x64xf32>, %ks: tensor<1x4x65x64xf32>, %vs: tensor<1x4x65x64xf32>, %M: tensor<1x4x64x64xf32>, %z: tensor<1x4x64xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x8x65x64xf32>, tensor<1x4x65x64xf32>, tensor<1x4x65x64xf32>) -> tensor<1x8x65x64xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<delta>} : tensor<1x4x65x64xf32>, tensor<1x4x65x64xf32>, tensor<1x4x64x64xf32>, tensor<1x4x64xf32>
    infini.yield %o, %M1, %z1 : tensor<1x8x65x64xf32>, tensor<1x4x64x64xf32>, tensor<1x4x64xf32>
  } -> tensor<1x8x520x64xf32>, tensor<1x4x64x64xf32>, tensor<1x4x64xf32>
  return %r#0, %r#1, %r#2 : tensor<1x8x520x64xf32>, tensor<1x4x64x64xf32>, tensor<1x4x64xf32>
}

// B·H = 32, B·G = 8, S = 4, N = 2048, d = 128, delta
// W1: Function=long_segment | Remark='sequential', scan=77511098368, sequential=75162058752, streaming=75195777024{{$}}
// W8: Function=long_segment | Remark='sequential', scan=9739304960, sequential=9395372032, streaming=9399500800{{$}}
// W132: Function=long_segment | Remark='scan', scan=763731968, sequential=838991872, streaming=829751296{{$}}
func.func @long_segment(%q: tensor<1x32x8192x128xf32>, %k: tensor<1x8x8192x128xf32>, %v: tensor<1x8x8192x128xf32>, %M0: tensor<1x8x128x128xf32>, %z0: tensor<1x8x128xf32>)
    -> (tensor<1x32x8192x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x32x8192x128xf32>, tensor<1x8x8192x128xf32>, tensor<1x8x8192x128xf32>)
      states(%M0, %z0 : tensor<1x8x128x128xf32>, tensor<1x8x128xf32>)
      attributes {segment_length = 2048 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x32x2048x128xf32>, %ks: tensor<1x8x2048x128xf32>, %vs: tensor<1x8x2048x128xf32>, %M: tensor<1x8x128x128xf32>, %z: tensor<1x8x128xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x32x2048x128xf32>, tensor<1x8x2048x128xf32>, tensor<1x8x2048x128xf32>) -> tensor<1x32x2048x128xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<delta>} : tensor<1x8x2048x128xf32>, tensor<1x8x2048x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
    infini.yield %o, %M1, %z1 : tensor<1x32x2048x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
  } -> tensor<1x32x8192x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
  return %r#0, %r#1, %r#2 : tensor<1x32x8192x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
}

// B·H = 32, B·G = 8, S = 16, N = 2048, d = 128, linear
// W1: Function=long_segment_linear | Remark='sequential', scan=300787269760, sequential=296353267712, streaming=296488042496{{$}}
// W8: Function=long_segment_linear | Remark='sequential', scan=37598494848, sequential=37044617216, streaming=37061033984{{$}}
// W132: Function=long_segment_linear | Remark='scan', scan=2283151488, sequential=2819096576, streaming=2768666624{{$}}
func.func @long_segment_linear(%q: tensor<1x32x32768x128xf32>, %k: tensor<1x8x32768x128xf32>, %v: tensor<1x8x32768x128xf32>, %M0: tensor<1x8x128x128xf32>, %z0: tensor<1x8x128xf32>)
    -> (tensor<1x32x32768x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x32x32768x128xf32>, tensor<1x8x32768x128xf32>, tensor<1x8x32768x128xf32>)
      states(%M0, %z0 : tensor<1x8x128x128xf32>, tensor<1x8x128xf32>)
      attributes {segment_length = 2048 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x32x2048x128xf32>, %ks: tensor<1x8x2048x128xf32>, %vs: tensor<1x8x2048x128xf32>, %M: tensor<1x8x128x128xf32>, %z: tensor<1x8x128xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x32x2048x128xf32>, tensor<1x8x2048x128xf32>, tensor<1x8x2048x128xf32>) -> tensor<1x32x2048x128xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<linear>} : tensor<1x8x2048x128xf32>, tensor<1x8x2048x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
    infini.yield %o, %M1, %z1 : tensor<1x32x2048x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
  } -> tensor<1x32x32768x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
  return %r#0, %r#1, %r#2 : tensor<1x32x32768x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
}

// B·H = 1, B·G = 1, S = 17, N = 64, d = 64, linear
// W1: Function=chunks | Remark='streaming', scan=18376832, sequential=13926400, streaming=13715456{{$}}
// W8: Function=chunks | Remark='streaming', scan=2924672, sequential=7241728, streaming=5982208{{$}}
// W132: Function=chunks | Remark='scan', scan=774272, sequential=7241728, streaming=4933632{{$}}
func.func @chunks(%q: tensor<1x1x1088x64xf32>, %k: tensor<1x1x1088x64xf32>, %v: tensor<1x1x1088x64xf32>, %M0: tensor<1x1x64x64xf32>, %z0: tensor<1x1x64xf32>)
    -> (tensor<1x1x1088x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x1x1088x64xf32>, tensor<1x1x1088x64xf32>, tensor<1x1x1088x64xf32>)
      states(%M0, %z0 : tensor<1x1x64x64xf32>, tensor<1x1x64xf32>)
      attributes {segment_length = 64 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x1x64x64xf32>, %ks: tensor<1x1x64x64xf32>, %vs: tensor<1x1x64x64xf32>, %M: tensor<1x1x64x64xf32>, %z: tensor<1x1x64xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>) -> tensor<1x1x64x64xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<linear>} : tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64xf32>
    infini.yield %o, %M1, %z1 : tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64xf32>
  } -> tensor<1x1x1088x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64xf32>
  return %r#0, %r#1, %r#2 : tensor<1x1x1088x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64xf32>
}

// B·H = 8, B·G = 2, S not known: as if 32, N = 256, d = 64, delta
// W1: Function=not_known | Remark='sequential', scan=1650688000, sequential=1477443584, streaming=1480753152{{$}}
// W8: Function=not_known | Remark='sequential', scan=211402752, sequential=235929600, streaming=237076480{{$}}
// W132: Function=not_known | Remark='scan', scan=24283136, sequential=78643200, streaming=79790080{{$}}
func.func @not_known(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x64xf32>, %M0: tensor<1x2x64x64xf32>, %z0: tensor<1x2x64xf32>)
    -> (tensor<1x8x?x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>)
      states(%M0, %z0 : tensor<1x2x64x64xf32>, tensor<1x2x64xf32>)
      attributes {segment_length = 256 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x8x256x64xf32>, %ks: tensor<1x2x256x64xf32>, %vs: tensor<1x2x256x64xf32>, %M: tensor<1x2x64x64xf32>, %z: tensor<1x2x64xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x8x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>) -> tensor<1x8x256x64xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<delta>} : tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
    infini.yield %o, %M1, %z1 : tensor<1x8x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  } -> tensor<1x8x?x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  return %r#0, %r#1, %r#2 : tensor<1x8x?x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
}

// -----

// A model says how many tokens a call has at most: S as if 4096 / N.
// W1: Function=of_a_model | Remark='sequential', scan=825393152, sequential=738721792, streaming=740392960{{$}}
// W8: Function=of_a_model | Remark='sequential', scan=109944832, sequential=117964800, streaming=118554624{{$}}
// W132: Function=of_a_model | Remark='scan', scan=18515968, sequential=39321600, streaming=39911424{{$}}
module attributes {program.model = {max_tokens_per_call = 4096 : i64}} {
func.func @of_a_model(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x64xf32>, %M0: tensor<1x2x64x64xf32>, %z0: tensor<1x2x64xf32>)
    -> (tensor<1x8x?x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>)
      states(%M0, %z0 : tensor<1x2x64x64xf32>, tensor<1x2x64xf32>)
      attributes {segment_length = 256 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x8x256x64xf32>, %ks: tensor<1x2x256x64xf32>, %vs: tensor<1x2x256x64xf32>, %M: tensor<1x2x64x64xf32>, %z: tensor<1x2x64xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x8x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>) -> tensor<1x8x256x64xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<delta>} : tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
    infini.yield %o, %M1, %z1 : tensor<1x8x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  } -> tensor<1x8x?x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  return %r#0, %r#1, %r#2 : tensor<1x8x?x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
}
}
