// RUN: infini-opt %s --infini-parallelize-scan=width=1 --remarks-filter=".*" -o /dev/null 2>&1 | FileCheck %s --check-prefix=W1
// RUN: infini-opt %s --infini-parallelize-scan --remarks-filter=".*" -o /dev/null 2>&1 | FileCheck %s --check-prefix=W8
// RUN: infini-opt %s --infini-parallelize-scan=width=132 --remarks-filter=".*" -o /dev/null 2>&1 | FileCheck %s --check-prefix=W132

// The schedule that `auto` takes for a shape, and the costs of all three. The
// numbers come from the formula of passes/infini/ScheduleCost.h, computed
// without its code: a change here is a change of every program's schedule.

// B·H = 8, B·G = 2, S = 1, N = 256, d = 64, delta
// W1: Function=one_segment | Remark='sequential', scan=59871232, sequential=46170112, streaming=46174208{{$}}
// W8: Function=one_segment | Remark='sequential', scan=18450432, sequential=7372800, streaming=7374848{{$}}
// W132: Function=one_segment | Remark='sequential', scan=14518272, sequential=3440640, streaming=3442688{{$}}
func.func @one_segment(%q: tensor<1x8x256x64xf32>, %k: tensor<1x2x256x64xf32>, %v: tensor<1x2x256x64xf32>, %M0: tensor<1x2x64x64xf32>, %z0: tensor<1x2x64xf32>)
    -> (tensor<1x8x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x8x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>) states(%M0, %z0 : tensor<1x2x64x64xf32>, tensor<1x2x64xf32>)
      attributes {segment_length = 256 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x8x256x64xf32>, %ks: tensor<1x2x256x64xf32>, %vs: tensor<1x2x256x64xf32>, %M: tensor<1x2x64x64xf32>, %z: tensor<1x2x64xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x8x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>) -> tensor<1x8x256x64xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<delta>} : tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
    infini.yield %o, %M1, %z1 : tensor<1x8x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  } -> tensor<1x8x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  return %r#0, %r#1, %r#2 : tensor<1x8x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
}

// B·H = 8, B·G = 2, S = 2, N = 256, d = 64, delta
// W1: Function=two_segments | Remark='streaming', scan=110206976, sequential=92340224, streaming=92315648{{$}}
// W8: Function=two_segments | Remark='streaming', scan=23693312, sequential=14745600, streaming=14716928{{$}}
// W132: Function=two_segments | Remark='streaming', scan=14518272, sequential=6881280, streaming=5541888{{$}}
func.func @two_segments(%q: tensor<1x8x512x64xf32>, %k: tensor<1x2x512x64xf32>, %v: tensor<1x2x512x64xf32>, %M0: tensor<1x2x64x64xf32>, %z0: tensor<1x2x64xf32>)
    -> (tensor<1x8x512x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x8x512x64xf32>, tensor<1x2x512x64xf32>, tensor<1x2x512x64xf32>) states(%M0, %z0 : tensor<1x2x64x64xf32>, tensor<1x2x64xf32>)
      attributes {segment_length = 256 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x8x256x64xf32>, %ks: tensor<1x2x256x64xf32>, %vs: tensor<1x2x256x64xf32>, %M: tensor<1x2x64x64xf32>, %z: tensor<1x2x64xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x8x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>) -> tensor<1x8x256x64xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<delta>} : tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
    infini.yield %o, %M1, %z1 : tensor<1x8x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  } -> tensor<1x8x512x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  return %r#0, %r#1, %r#2 : tensor<1x8x512x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
}

// B·H = 8, B·G = 2, S = 64, N = 256, d = 64, delta
// W1: Function=many_segments | Remark='streaming', scan=3292889088, sequential=2954887168, streaming=2953084928{{$}}
// W8: Function=many_segments | Remark='scan', scan=413270016, sequential=471859200, streaming=469925888{{$}}
// W132: Function=many_segments | Remark='scan', scan=35751936, sequential=220200960, streaming=155353088{{$}}
func.func @many_segments(%q: tensor<1x8x16384x64xf32>, %k: tensor<1x2x16384x64xf32>, %v: tensor<1x2x16384x64xf32>, %M0: tensor<1x2x64x64xf32>, %z0: tensor<1x2x64xf32>)
    -> (tensor<1x8x16384x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x8x16384x64xf32>, tensor<1x2x16384x64xf32>, tensor<1x2x16384x64xf32>) states(%M0, %z0 : tensor<1x2x64x64xf32>, tensor<1x2x64xf32>)
      attributes {segment_length = 256 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x8x256x64xf32>, %ks: tensor<1x2x256x64xf32>, %vs: tensor<1x2x256x64xf32>, %M: tensor<1x2x64x64xf32>, %z: tensor<1x2x64xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x8x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>) -> tensor<1x8x256x64xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<delta>} : tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
    infini.yield %o, %M1, %z1 : tensor<1x8x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  } -> tensor<1x8x16384x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  return %r#0, %r#1, %r#2 : tensor<1x8x16384x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
}

// B·H = 8, B·G = 2, S = 64, N = 256, d = 64, linear
// W1: Function=many_segments_linear | Remark='streaming', scan=2954199296, sequential=2820669440, streaming=2818867200{{$}}
// W8: Function=many_segments_linear | Remark='scan', scan=369361152, sequential=404750336, streaming=402817024{{$}}
// W132: Function=many_segments_linear | Remark='scan', scan=23177472, sequential=153092096, streaming=88244224{{$}}
func.func @many_segments_linear(%q: tensor<1x8x16384x64xf32>, %k: tensor<1x2x16384x64xf32>, %v: tensor<1x2x16384x64xf32>, %M0: tensor<1x2x64x64xf32>, %z0: tensor<1x2x64xf32>)
    -> (tensor<1x8x16384x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x8x16384x64xf32>, tensor<1x2x16384x64xf32>, tensor<1x2x16384x64xf32>) states(%M0, %z0 : tensor<1x2x64x64xf32>, tensor<1x2x64xf32>)
      attributes {segment_length = 256 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x8x256x64xf32>, %ks: tensor<1x2x256x64xf32>, %vs: tensor<1x2x256x64xf32>, %M: tensor<1x2x64x64xf32>, %z: tensor<1x2x64xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x8x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>) -> tensor<1x8x256x64xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<linear>} : tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
    infini.yield %o, %M1, %z1 : tensor<1x8x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  } -> tensor<1x8x16384x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  return %r#0, %r#1, %r#2 : tensor<1x8x16384x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
}

// B·H = 8, B·G = 2, S = 64, N = 256, d = 64, delta_corrected
// W1: Function=many_segments_corrected | Remark='streaming', scan=3292889088, sequential=2954887168, streaming=2953084928{{$}}
// W8: Function=many_segments_corrected | Remark='scan', scan=413270016, sequential=471859200, streaming=469925888{{$}}
// W132: Function=many_segments_corrected | Remark='scan', scan=35751936, sequential=220200960, streaming=155353088{{$}}
func.func @many_segments_corrected(%q: tensor<1x8x16384x64xf32>, %k: tensor<1x2x16384x64xf32>, %v: tensor<1x2x16384x64xf32>, %M0: tensor<1x2x64x64xf32>, %z0: tensor<1x2x64xf32>)
    -> (tensor<1x8x16384x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x8x16384x64xf32>, tensor<1x2x16384x64xf32>, tensor<1x2x16384x64xf32>) states(%M0, %z0 : tensor<1x2x64x64xf32>, tensor<1x2x64xf32>)
      attributes {segment_length = 256 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x8x256x64xf32>, %ks: tensor<1x2x256x64xf32>, %vs: tensor<1x2x256x64xf32>, %M: tensor<1x2x64x64xf32>, %z: tensor<1x2x64xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x8x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>) -> tensor<1x8x256x64xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<delta_corrected>} : tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
    infini.yield %o, %M1, %z1 : tensor<1x8x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  } -> tensor<1x8x16384x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  return %r#0, %r#1, %r#2 : tensor<1x8x16384x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
}

// B·H = 32, B·G = 8, S = 16, N = 256, d = 64, delta
// W1: Function=batch | Remark='streaming', scan=3292889088, sequential=2953314304, streaming=2953084928{{$}}
// W8: Function=batch | Remark='streaming', scan=411697152, sequential=369623040, streaming=369164288{{$}}
// W132: Function=batch | Remark='scan', scan=34179072, sequential=55050240, streaming=54591488{{$}}
func.func @batch(%q: tensor<4x8x4096x64xf32>, %k: tensor<4x2x4096x64xf32>, %v: tensor<4x2x4096x64xf32>, %M0: tensor<4x2x64x64xf32>, %z0: tensor<4x2x64xf32>)
    -> (tensor<4x8x4096x64xf32>, tensor<4x2x64x64xf32>, tensor<4x2x64xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<4x8x4096x64xf32>, tensor<4x2x4096x64xf32>, tensor<4x2x4096x64xf32>) states(%M0, %z0 : tensor<4x2x64x64xf32>, tensor<4x2x64xf32>)
      attributes {segment_length = 256 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<4x8x256x64xf32>, %ks: tensor<4x2x256x64xf32>, %vs: tensor<4x2x256x64xf32>, %M: tensor<4x2x64x64xf32>, %z: tensor<4x2x64xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<4x8x256x64xf32>, tensor<4x2x256x64xf32>, tensor<4x2x256x64xf32>) -> tensor<4x8x256x64xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<delta>} : tensor<4x2x256x64xf32>, tensor<4x2x256x64xf32>, tensor<4x2x64x64xf32>, tensor<4x2x64xf32>
    infini.yield %o, %M1, %z1 : tensor<4x8x256x64xf32>, tensor<4x2x64x64xf32>, tensor<4x2x64xf32>
  } -> tensor<4x8x4096x64xf32>, tensor<4x2x64x64xf32>, tensor<4x2x64xf32>
  return %r#0, %r#1, %r#2 : tensor<4x8x4096x64xf32>, tensor<4x2x64x64xf32>, tensor<4x2x64xf32>
}

// B·H = 2, B·G = 1, S = 64, N = 64, d = 16, delta
// W1: Function=small_head | Remark='streaming', scan=15343616, sequential=14680064, streaming=12623872{{$}}
// W8: Function=small_head | Remark='scan', scan=2098176, sequential=9437184, streaming=3448832{{$}}
// W132: Function=small_head | Remark='scan', scan=409728, sequential=9437184, streaming=2220032{{$}}
func.func @small_head(%q: tensor<1x2x4096x16xf32>, %k: tensor<1x1x4096x16xf32>, %v: tensor<1x1x4096x16xf32>, %M0: tensor<1x1x16x16xf32>, %z0: tensor<1x1x16xf32>)
    -> (tensor<1x2x4096x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x2x4096x16xf32>, tensor<1x1x4096x16xf32>, tensor<1x1x4096x16xf32>) states(%M0, %z0 : tensor<1x1x16x16xf32>, tensor<1x1x16xf32>)
      attributes {segment_length = 64 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x2x64x16xf32>, %ks: tensor<1x1x64x16xf32>, %vs: tensor<1x1x64x16xf32>, %M: tensor<1x1x16x16xf32>, %z: tensor<1x1x16xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x2x64x16xf32>, tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32>) -> tensor<1x2x64x16xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<delta>} : tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>
    infini.yield %o, %M1, %z1 : tensor<1x2x64x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>
  } -> tensor<1x2x4096x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>
  return %r#0, %r#1, %r#2 : tensor<1x2x4096x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>
}

// B·H = 2, B·G = 1, S = 64, N = 64, d = 16, linear
// W1: Function=small_head_linear | Remark='streaming', scan=12722240, sequential=13631488, streaming=11575296{{$}}
// W8: Function=small_head_linear | Remark='scan', scan=1676352, sequential=8388608, streaming=2400256{{$}}
// W132: Function=small_head_linear | Remark='scan', scan=213696, sequential=8388608, streaming=1171456{{$}}
func.func @small_head_linear(%q: tensor<1x2x4096x16xf32>, %k: tensor<1x1x4096x16xf32>, %v: tensor<1x1x4096x16xf32>, %M0: tensor<1x1x16x16xf32>, %z0: tensor<1x1x16xf32>)
    -> (tensor<1x2x4096x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x2x4096x16xf32>, tensor<1x1x4096x16xf32>, tensor<1x1x4096x16xf32>) states(%M0, %z0 : tensor<1x1x16x16xf32>, tensor<1x1x16xf32>)
      attributes {segment_length = 64 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x2x64x16xf32>, %ks: tensor<1x1x64x16xf32>, %vs: tensor<1x1x64x16xf32>, %M: tensor<1x1x16x16xf32>, %z: tensor<1x1x16xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x2x64x16xf32>, tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32>) -> tensor<1x2x64x16xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<linear>} : tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>
    infini.yield %o, %M1, %z1 : tensor<1x2x64x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>
  } -> tensor<1x2x4096x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>
  return %r#0, %r#1, %r#2 : tensor<1x2x4096x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>
}

// B·H = 8, B·G = 8, S = 8, N = 128, d = 128, delta
// W1: Function=large_head | Remark='sequential', scan=1107918848, sequential=537133056, streaming=537427968{{$}}
// W8: Function=large_head | Remark='streaming', scan=172130304, sequential=67371008, streaming=67207168{{$}}
// W132: Function=large_head | Remark='streaming', scan=81895424, sequential=50593792, streaming=35749888{{$}}
func.func @large_head(%q: tensor<1x8x1024x128xf32>, %k: tensor<1x8x1024x128xf32>, %v: tensor<1x8x1024x128xf32>, %M0: tensor<1x8x128x128xf32>, %z0: tensor<1x8x128xf32>)
    -> (tensor<1x8x1024x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x8x1024x128xf32>, tensor<1x8x1024x128xf32>, tensor<1x8x1024x128xf32>) states(%M0, %z0 : tensor<1x8x128x128xf32>, tensor<1x8x128xf32>)
      attributes {segment_length = 128 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x8x128x128xf32>, %ks: tensor<1x8x128x128xf32>, %vs: tensor<1x8x128x128xf32>, %M: tensor<1x8x128x128xf32>, %z: tensor<1x8x128xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x8x128x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128x128xf32>) -> tensor<1x8x128x128xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<delta>} : tensor<1x8x128x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
    infini.yield %o, %M1, %z1 : tensor<1x8x128x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
  } -> tensor<1x8x1024x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
  return %r#0, %r#1, %r#2 : tensor<1x8x1024x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
}

// B·H = 8, B·G = 8, S = 8, N = 128, d = 128, linear
// W1: Function=large_head_linear | Remark='sequential', scan=539590784, sequential=402915328, streaming=403210240{{$}}
// W8: Function=large_head_linear | Remark='streaming', scan=67534976, sequential=50593792, streaming=50429952{{$}}
// W132: Function=large_head_linear | Remark='scan', scan=6414464, sequential=33816576, streaming=18972672{{$}}
func.func @large_head_linear(%q: tensor<1x8x1024x128xf32>, %k: tensor<1x8x1024x128xf32>, %v: tensor<1x8x1024x128xf32>, %M0: tensor<1x8x128x128xf32>, %z0: tensor<1x8x128xf32>)
    -> (tensor<1x8x1024x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x8x1024x128xf32>, tensor<1x8x1024x128xf32>, tensor<1x8x1024x128xf32>) states(%M0, %z0 : tensor<1x8x128x128xf32>, tensor<1x8x128xf32>)
      attributes {segment_length = 128 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x8x128x128xf32>, %ks: tensor<1x8x128x128xf32>, %vs: tensor<1x8x128x128xf32>, %M: tensor<1x8x128x128xf32>, %z: tensor<1x8x128xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x8x128x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128x128xf32>) -> tensor<1x8x128x128xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<linear>} : tensor<1x8x128x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
    infini.yield %o, %M1, %z1 : tensor<1x8x128x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
  } -> tensor<1x8x1024x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
  return %r#0, %r#1, %r#2 : tensor<1x8x1024x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
}

// B·H = 4, B·G = 2, S = 32, N = 128, d = 128, linear
// W1: Function=key_and_value | Remark='streaming', scan=808026368, sequential=672137216, streaming=671645696{{$}}
// W8: Function=key_and_value | Remark='scan', scan=101089536, sequential=135266304, streaming=134512640{{$}}
// W132: Function=key_and_value | Remark='scan', scan=8511744, sequential=135266304, streaming=71598080{{$}}
func.func @key_and_value(%q: tensor<1x4x4096x32xf32>, %k: tensor<1x2x4096x32xf32>, %v: tensor<1x2x4096x128xf32>, %M0: tensor<1x2x32x128xf32>, %z0: tensor<1x2x32xf32>)
    -> (tensor<1x4x4096x128xf32>, tensor<1x2x32x128xf32>, tensor<1x2x32xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x4x4096x32xf32>, tensor<1x2x4096x32xf32>, tensor<1x2x4096x128xf32>) states(%M0, %z0 : tensor<1x2x32x128xf32>, tensor<1x2x32xf32>)
      attributes {segment_length = 128 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x4x128x32xf32>, %ks: tensor<1x2x128x32xf32>, %vs: tensor<1x2x128x128xf32>, %M: tensor<1x2x32x128xf32>, %z: tensor<1x2x32xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x4x128x32xf32>, tensor<1x2x128x32xf32>, tensor<1x2x128x128xf32>) -> tensor<1x4x128x128xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<linear>} : tensor<1x2x128x32xf32>, tensor<1x2x128x128xf32>, tensor<1x2x32x128xf32>, tensor<1x2x32xf32>
    infini.yield %o, %M1, %z1 : tensor<1x4x128x128xf32>, tensor<1x2x32x128xf32>, tensor<1x2x32xf32>
  } -> tensor<1x4x4096x128xf32>, tensor<1x2x32x128xf32>, tensor<1x2x32xf32>
  return %r#0, %r#1, %r#2 : tensor<1x4x4096x128xf32>, tensor<1x2x32x128xf32>, tensor<1x2x32xf32>
}

// B·H = 8, B·G = 4, S = 8, N = 65, d = 64, delta
// W1: Function=ragged_block | Remark='streaming', scan=120750080, sequential=84934656, streaming=84770816{{$}}
// W8: Function=ragged_block | Remark='streaming', scan=21733376, sequential=12976128, streaming=12763136{{$}}
// W132: Function=ragged_block | Remark='streaming', scan=10606592, sequential=8749056, streaming=4837376{{$}}
func.func @ragged_block(%q: tensor<1x8x520x64xf32>, %k: tensor<1x4x520x64xf32>, %v: tensor<1x4x520x64xf32>, %M0: tensor<1x4x64x64xf32>, %z0: tensor<1x4x64xf32>)
    -> (tensor<1x8x520x64xf32>, tensor<1x4x64x64xf32>, tensor<1x4x64xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x8x520x64xf32>, tensor<1x4x520x64xf32>, tensor<1x4x520x64xf32>) states(%M0, %z0 : tensor<1x4x64x64xf32>, tensor<1x4x64xf32>)
      attributes {segment_length = 65 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x8x65x64xf32>, %ks: tensor<1x4x65x64xf32>, %vs: tensor<1x4x65x64xf32>, %M: tensor<1x4x64x64xf32>, %z: tensor<1x4x64xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x8x65x64xf32>, tensor<1x4x65x64xf32>, tensor<1x4x65x64xf32>) -> tensor<1x8x65x64xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<delta>} : tensor<1x4x65x64xf32>, tensor<1x4x65x64xf32>, tensor<1x4x64x64xf32>, tensor<1x4x64xf32>
    infini.yield %o, %M1, %z1 : tensor<1x8x65x64xf32>, tensor<1x4x64x64xf32>, tensor<1x4x64xf32>
  } -> tensor<1x8x520x64xf32>, tensor<1x4x64x64xf32>, tensor<1x4x64xf32>
  return %r#0, %r#1, %r#2 : tensor<1x8x520x64xf32>, tensor<1x4x64x64xf32>, tensor<1x4x64xf32>
}

// B·H = 32, B·G = 8, S = 4, N = 2048, d = 128, delta
// W1: Function=long_segment | Remark='sequential', scan=77477543936, sequential=75162058752, streaming=75162222592{{$}}
// W8: Function=long_segment | Remark='streaming', scan=9735110656, sequential=9395372032, streaming=9395306496{{$}}
// W132: Function=long_segment | Remark='scan', scan=776052736, sequential=838991872, streaming=838926336{{$}}
func.func @long_segment(%q: tensor<1x32x8192x128xf32>, %k: tensor<1x8x8192x128xf32>, %v: tensor<1x8x8192x128xf32>, %M0: tensor<1x8x128x128xf32>, %z0: tensor<1x8x128xf32>)
    -> (tensor<1x32x8192x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x32x8192x128xf32>, tensor<1x8x8192x128xf32>, tensor<1x8x8192x128xf32>) states(%M0, %z0 : tensor<1x8x128x128xf32>, tensor<1x8x128xf32>)
      attributes {segment_length = 2048 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x32x2048x128xf32>, %ks: tensor<1x8x2048x128xf32>, %vs: tensor<1x8x2048x128xf32>, %M: tensor<1x8x128x128xf32>, %z: tensor<1x8x128xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x32x2048x128xf32>, tensor<1x8x2048x128xf32>, tensor<1x8x2048x128xf32>) -> tensor<1x32x2048x128xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<delta>} : tensor<1x8x2048x128xf32>, tensor<1x8x2048x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
    infini.yield %o, %M1, %z1 : tensor<1x32x2048x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
  } -> tensor<1x32x8192x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
  return %r#0, %r#1, %r#2 : tensor<1x32x8192x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
}

// B·H = 32, B·G = 8, S = 16, N = 2048, d = 128, linear
// W1: Function=long_segment_linear | Remark='sequential', scan=300653052032, sequential=296353267712, streaming=296353824768{{$}}
// W8: Function=long_segment_linear | Remark='streaming', scan=37581717632, sequential=37044617216, streaming=37044256768{{$}}
// W132: Function=long_segment_linear | Remark='scan', scan=2295472256, sequential=2819096576, streaming=2765258752{{$}}
func.func @long_segment_linear(%q: tensor<1x32x32768x128xf32>, %k: tensor<1x8x32768x128xf32>, %v: tensor<1x8x32768x128xf32>, %M0: tensor<1x8x128x128xf32>, %z0: tensor<1x8x128xf32>)
    -> (tensor<1x32x32768x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x32x32768x128xf32>, tensor<1x8x32768x128xf32>, tensor<1x8x32768x128xf32>) states(%M0, %z0 : tensor<1x8x128x128xf32>, tensor<1x8x128xf32>)
      attributes {segment_length = 2048 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x32x2048x128xf32>, %ks: tensor<1x8x2048x128xf32>, %vs: tensor<1x8x2048x128xf32>, %M: tensor<1x8x128x128xf32>, %z: tensor<1x8x128xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x32x2048x128xf32>, tensor<1x8x2048x128xf32>, tensor<1x8x2048x128xf32>) -> tensor<1x32x2048x128xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<linear>} : tensor<1x8x2048x128xf32>, tensor<1x8x2048x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
    infini.yield %o, %M1, %z1 : tensor<1x32x2048x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
  } -> tensor<1x32x32768x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
  return %r#0, %r#1, %r#2 : tensor<1x32x32768x128xf32>, tensor<1x8x128x128xf32>, tensor<1x8x128xf32>
}

// B·H = 1, B·G = 1, S = 17, N = 64, d = 64, linear
// W1: Function=chunks | Remark='streaming', scan=18098304, sequential=13926400, streaming=13436928{{$}}
// W8: Function=chunks | Remark='scan', scan=3268736, sequential=13926400, streaming=6096896{{$}}
// W132: Function=chunks | Remark='scan', scan=1151104, sequential=13926400, streaming=5048320{{$}}
func.func @chunks(%q: tensor<1x1x1088x64xf32>, %k: tensor<1x1x1088x64xf32>, %v: tensor<1x1x1088x64xf32>, %M0: tensor<1x1x64x64xf32>, %z0: tensor<1x1x64xf32>)
    -> (tensor<1x1x1088x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x1x1088x64xf32>, tensor<1x1x1088x64xf32>, tensor<1x1x1088x64xf32>) states(%M0, %z0 : tensor<1x1x64x64xf32>, tensor<1x1x64xf32>)
      attributes {segment_length = 64 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x1x64x64xf32>, %ks: tensor<1x1x64x64xf32>, %vs: tensor<1x1x64x64xf32>, %M: tensor<1x1x64x64xf32>, %z: tensor<1x1x64xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>) -> tensor<1x1x64x64xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<linear>} : tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64xf32>
    infini.yield %o, %M1, %z1 : tensor<1x1x64x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64xf32>
  } -> tensor<1x1x1088x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64xf32>
  return %r#0, %r#1, %r#2 : tensor<1x1x1088x64xf32>, tensor<1x1x64x64xf32>, tensor<1x1x64xf32>
}

// B·H = 8, B·G = 2, S not known, as if 32, N = 256, d = 64, delta
// W1: Function=not_known | Remark='streaming', scan=1646493696, sequential=1477443584, streaming=1476558848{{$}}
// W8: Function=not_known | Remark='scan', scan=210878464, sequential=235929600, streaming=234979328{{$}}
// W132: Function=not_known | Remark='scan', scan=24217600, sequential=110100480, streaming=77692928{{$}}
func.func @not_known(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x64xf32>, %M0: tensor<1x2x64x64xf32>, %z0: tensor<1x2x64xf32>)
    -> (tensor<1x8x?x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k, %v : tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>) states(%M0, %z0 : tensor<1x2x64x64xf32>, tensor<1x2x64xf32>)
      attributes {segment_length = 256 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x8x256x64xf32>, %ks: tensor<1x2x256x64xf32>, %vs: tensor<1x2x256x64xf32>, %M: tensor<1x2x64x64xf32>, %z: tensor<1x2x64xf32>):
    %o = infini.segment_attention %qs, %ks, %vs : (tensor<1x8x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>) -> tensor<1x8x256x64xf32>
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {update = #infini.update<delta>} : tensor<1x2x256x64xf32>, tensor<1x2x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
    infini.yield %o, %M1, %z1 : tensor<1x8x256x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  } -> tensor<1x8x?x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  return %r#0, %r#1, %r#2 : tensor<1x8x?x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
}
