// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ops one by one, and Infini-attention (arXiv 2404.07143) made of them. All
// sizes are dynamic, so each entry runs on any. Entries with the suffix `_f64`
// are the same in f64.
//
//   entry                        inputs → results
//   segment_attention            q, k, v → causal attention
//   segment_attention_window     q, k, v → the last 4 keys only
//   segment_attention_full       q, k, v → no mask
//   feature_map                  x → ELU(x) + 1
//   memory_retrieve              σ(q), M, z → what the memory says
//   memory_update_<rule>         σ(k), v, M, z → M, z    (linear, delta, delta_corrected)
//   gate, gate_channel           memory, local, β → blend  (β a head; a head and channel)
//   rope                         x → x rotated, positions from 0
//   affine_scan                  A, B, M₀ → M before each segment, M at the end
//   infini_attention_<rule>      q, k, v, β → o, M, z; an empty memory reads as 0
//   …_local_only                 the same; the first segment is attention alone
//
// with q [B, H, T, d_k], k [B, G, T, d_k], v [B, G, T, d_v], M [B, G, d_k, d_v],
// z [B, G, d_k], β [H] or [H, d_v]; G divides H. Two tokens make a segment
// here: change the attribute in `infini.segment_scan` for more.
//
//   infini-run examples/ops/infini.mlir --entry feature_map --input 1x1x2x2xf32=-1,0,1,2
//   infini-run examples/ops/infini.mlir --entry infini_attention_delta \
//     --input @q.npy --input @k.npy --input @v.npy --input @beta.npy \
//     --output @o.npy --output @M.npy --output @z.npy

//===----------------------------------------------------------------------===//
// f32
//===----------------------------------------------------------------------===//

!seq = tensor<?x?x?x?xf32>
!mem = tensor<?x?x?x?xf32>
!norm = tensor<?x?x?xf32>
!beta = tensor<?xf32>
!channels = tensor<?x?xf32>
!steps = tensor<?x?x?x?x?xf32>

func.func @segment_attention(%q: !seq, %k: !seq, %v: !seq) -> !seq {
  %o = infini.segment_attention %q, %k, %v : (!seq, !seq, !seq) -> !seq
  return %o : !seq
}
func.func @segment_attention_window(%q: !seq, %k: !seq, %v: !seq) -> !seq {
  %o = infini.segment_attention %q, %k, %v {mask = #infini.mask<window>, window = 4 : i64}
    : (!seq, !seq, !seq) -> !seq
  return %o : !seq
}
func.func @segment_attention_full(%q: !seq, %k: !seq, %v: !seq) -> !seq {
  %o = infini.segment_attention %q, %k, %v {mask = #infini.mask<full>}
    : (!seq, !seq, !seq) -> !seq
  return %o : !seq
}
func.func @feature_map(%x: !seq) -> !seq {
  %y = infini.feature_map %x : !seq
  return %y : !seq
}
func.func @memory_retrieve(%sq: !seq, %M: !mem, %z: !norm) -> !seq {
  %a = infini.memory_retrieve %sq, %M, %z : (!seq, !mem, !norm) -> !seq
  return %a : !seq
}
func.func @memory_update_linear(%sk: !seq, %v: !seq, %M: !mem, %z: !norm) -> (!mem, !norm) {
  %M1, %z1 = infini.memory_update %sk, %v, %M, %z {update = #infini.update<linear>}
    : !seq, !seq, !mem, !norm
  return %M1, %z1 : !mem, !norm
}
func.func @memory_update_delta(%sk: !seq, %v: !seq, %M: !mem, %z: !norm) -> (!mem, !norm) {
  %M1, %z1 = infini.memory_update %sk, %v, %M, %z : !seq, !seq, !mem, !norm
  return %M1, %z1 : !mem, !norm
}
func.func @memory_update_delta_corrected(%sk: !seq, %v: !seq, %M: !mem, %z: !norm) -> (!mem, !norm) {
  %M1, %z1 = infini.memory_update %sk, %v, %M, %z {update = #infini.update<delta_corrected>}
    : !seq, !seq, !mem, !norm
  return %M1, %z1 : !mem, !norm
}
func.func @gate(%mem: !seq, %dot: !seq, %beta: !beta) -> !seq {
  %a = infini.gate %mem, %dot, %beta : !seq, !beta
  return %a : !seq
}
func.func @gate_channel(%mem: !seq, %dot: !seq, %beta: !channels) -> !seq {
  %a = infini.gate %mem, %dot, %beta : !seq, !channels
  return %a : !seq
}
func.func @rope(%x: !seq) -> !seq {
  %y = infini.rope %x {base = 1.0e4 : f64} : !seq
  return %y : !seq
}
func.func @affine_scan(%A: !steps, %B: !steps, %M0: !mem) -> (!steps, !mem) {
  %before, %last = infini.affine_scan factors(%A : !steps) increments(%B : !steps) initial(%M0 : !mem)
  return %before, %last : !steps, !mem
}

func.func @infini_attention_delta(%q: !seq, %k: !seq, %v: !seq, %beta: !beta) -> (!seq, !mem, !norm) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : f32
  %B = tensor.dim %k, %c0 : !seq
  %G = tensor.dim %k, %c1 : !seq
  %dk = tensor.dim %k, %c3 : !seq
  %dv = tensor.dim %v, %c3 : !seq
  %Me = tensor.empty(%B, %G, %dk, %dv) : !mem
  %M0 = linalg.fill ins(%zero : f32) outs(%Me : !mem) -> !mem
  %ze = tensor.empty(%B, %G, %dk) : !norm
  %z0 = linalg.fill ins(%zero : f32) outs(%ze : !norm) -> !norm
  %o, %M, %z = infini.segment_scan sequences(%q, %k, %v : !seq, !seq, !seq)
      invariants(%beta : !beta) states(%M0, %z0 : !mem, !norm)
      attributes {segment_length = 2 : i64, sequence_axes = array<i64: 2, 2, 2>,
                  output_axes = array<i64: 2>} {
  ^bb0(%qs: !seq, %ks: !seq, %vs: !seq, %b: !beta, %Ms: !mem, %zs: !norm):
    %qr = infini.rope %qs {base = 1.0e4 : f64} : !seq
    %kr = infini.rope %ks {base = 1.0e4 : f64} : !seq
    %dot = infini.segment_attention %qr, %kr, %vs : (!seq, !seq, !seq) -> !seq
    %sq = infini.feature_map %qs : !seq
    %sk = infini.feature_map %ks : !seq
    %mem = infini.memory_retrieve %sq, %Ms, %zs : (!seq, !mem, !norm) -> !seq
    %a = infini.gate %mem, %dot, %b : !seq, !beta
    %M1, %z1 = infini.memory_update %sk, %vs, %Ms, %zs {update = #infini.update<delta>}
      : !seq, !seq, !mem, !norm
    infini.yield %a, %M1, %z1 : !seq, !mem, !norm
  } -> !seq, !mem, !norm
  return %o, %M, %z : !seq, !mem, !norm
}

func.func @infini_attention_linear(%q: !seq, %k: !seq, %v: !seq, %beta: !beta) -> (!seq, !mem, !norm) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : f32
  %B = tensor.dim %k, %c0 : !seq
  %G = tensor.dim %k, %c1 : !seq
  %dk = tensor.dim %k, %c3 : !seq
  %dv = tensor.dim %v, %c3 : !seq
  %Me = tensor.empty(%B, %G, %dk, %dv) : !mem
  %M0 = linalg.fill ins(%zero : f32) outs(%Me : !mem) -> !mem
  %ze = tensor.empty(%B, %G, %dk) : !norm
  %z0 = linalg.fill ins(%zero : f32) outs(%ze : !norm) -> !norm
  %o, %M, %z = infini.segment_scan sequences(%q, %k, %v : !seq, !seq, !seq)
      invariants(%beta : !beta) states(%M0, %z0 : !mem, !norm)
      attributes {segment_length = 2 : i64, sequence_axes = array<i64: 2, 2, 2>,
                  output_axes = array<i64: 2>} {
  ^bb0(%qs: !seq, %ks: !seq, %vs: !seq, %b: !beta, %Ms: !mem, %zs: !norm):
    %qr = infini.rope %qs {base = 1.0e4 : f64} : !seq
    %kr = infini.rope %ks {base = 1.0e4 : f64} : !seq
    %dot = infini.segment_attention %qr, %kr, %vs : (!seq, !seq, !seq) -> !seq
    %sq = infini.feature_map %qs : !seq
    %sk = infini.feature_map %ks : !seq
    %mem = infini.memory_retrieve %sq, %Ms, %zs : (!seq, !mem, !norm) -> !seq
    %a = infini.gate %mem, %dot, %b : !seq, !beta
    %M1, %z1 = infini.memory_update %sk, %vs, %Ms, %zs {update = #infini.update<linear>}
      : !seq, !seq, !mem, !norm
    infini.yield %a, %M1, %z1 : !seq, !mem, !norm
  } -> !seq, !mem, !norm
  return %o, %M, %z : !seq, !mem, !norm
}

func.func @infini_attention_delta_corrected(%q: !seq, %k: !seq, %v: !seq, %beta: !beta) -> (!seq, !mem, !norm) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : f32
  %B = tensor.dim %k, %c0 : !seq
  %G = tensor.dim %k, %c1 : !seq
  %dk = tensor.dim %k, %c3 : !seq
  %dv = tensor.dim %v, %c3 : !seq
  %Me = tensor.empty(%B, %G, %dk, %dv) : !mem
  %M0 = linalg.fill ins(%zero : f32) outs(%Me : !mem) -> !mem
  %ze = tensor.empty(%B, %G, %dk) : !norm
  %z0 = linalg.fill ins(%zero : f32) outs(%ze : !norm) -> !norm
  %o, %M, %z = infini.segment_scan sequences(%q, %k, %v : !seq, !seq, !seq)
      invariants(%beta : !beta) states(%M0, %z0 : !mem, !norm)
      attributes {segment_length = 2 : i64, sequence_axes = array<i64: 2, 2, 2>,
                  output_axes = array<i64: 2>} {
  ^bb0(%qs: !seq, %ks: !seq, %vs: !seq, %b: !beta, %Ms: !mem, %zs: !norm):
    %qr = infini.rope %qs {base = 1.0e4 : f64} : !seq
    %kr = infini.rope %ks {base = 1.0e4 : f64} : !seq
    %dot = infini.segment_attention %qr, %kr, %vs : (!seq, !seq, !seq) -> !seq
    %sq = infini.feature_map %qs : !seq
    %sk = infini.feature_map %ks : !seq
    %mem = infini.memory_retrieve %sq, %Ms, %zs : (!seq, !mem, !norm) -> !seq
    %a = infini.gate %mem, %dot, %b : !seq, !beta
    %M1, %z1 = infini.memory_update %sk, %vs, %Ms, %zs {update = #infini.update<delta_corrected>}
      : !seq, !seq, !mem, !norm
    infini.yield %a, %M1, %z1 : !seq, !mem, !norm
  } -> !seq, !mem, !norm
  return %o, %M, %z : !seq, !mem, !norm
}

func.func @infini_attention_delta_local_only(%q: !seq, %k: !seq, %v: !seq, %beta: !beta) -> (!seq, !mem, !norm) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : f32
  %B = tensor.dim %k, %c0 : !seq
  %G = tensor.dim %k, %c1 : !seq
  %dk = tensor.dim %k, %c3 : !seq
  %dv = tensor.dim %v, %c3 : !seq
  %Me = tensor.empty(%B, %G, %dk, %dv) : !mem
  %M0 = linalg.fill ins(%zero : f32) outs(%Me : !mem) -> !mem
  %ze = tensor.empty(%B, %G, %dk) : !norm
  %z0 = linalg.fill ins(%zero : f32) outs(%ze : !norm) -> !norm
  %o, %M, %z = infini.segment_scan sequences(%q, %k, %v : !seq, !seq, !seq)
      invariants(%beta : !beta) states(%M0, %z0 : !mem, !norm)
      attributes {segment_length = 2 : i64, sequence_axes = array<i64: 2, 2, 2>,
                  output_axes = array<i64: 2>} {
  ^bb0(%qs: !seq, %ks: !seq, %vs: !seq, %b: !beta, %Ms: !mem, %zs: !norm):
    %qr = infini.rope %qs {base = 1.0e4 : f64} : !seq
    %kr = infini.rope %ks {base = 1.0e4 : f64} : !seq
    %dot = infini.segment_attention %qr, %kr, %vs : (!seq, !seq, !seq) -> !seq
    %sq = infini.feature_map %qs : !seq
    %sk = infini.feature_map %ks : !seq
    %mem = infini.memory_retrieve %sq, %Ms, %zs : (!seq, !mem, !norm) -> !seq
    %a = infini.gate %mem, %dot, %b normalizer(%zs : !norm)
      {first_segment = #infini.first_segment<local_only>} : !seq, !beta
    %M1, %z1 = infini.memory_update %sk, %vs, %Ms, %zs {update = #infini.update<delta>}
      : !seq, !seq, !mem, !norm
    infini.yield %a, %M1, %z1 : !seq, !mem, !norm
  } -> !seq, !mem, !norm
  return %o, %M, %z : !seq, !mem, !norm
}

func.func @infini_attention_linear_local_only(%q: !seq, %k: !seq, %v: !seq, %beta: !beta) -> (!seq, !mem, !norm) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : f32
  %B = tensor.dim %k, %c0 : !seq
  %G = tensor.dim %k, %c1 : !seq
  %dk = tensor.dim %k, %c3 : !seq
  %dv = tensor.dim %v, %c3 : !seq
  %Me = tensor.empty(%B, %G, %dk, %dv) : !mem
  %M0 = linalg.fill ins(%zero : f32) outs(%Me : !mem) -> !mem
  %ze = tensor.empty(%B, %G, %dk) : !norm
  %z0 = linalg.fill ins(%zero : f32) outs(%ze : !norm) -> !norm
  %o, %M, %z = infini.segment_scan sequences(%q, %k, %v : !seq, !seq, !seq)
      invariants(%beta : !beta) states(%M0, %z0 : !mem, !norm)
      attributes {segment_length = 2 : i64, sequence_axes = array<i64: 2, 2, 2>,
                  output_axes = array<i64: 2>} {
  ^bb0(%qs: !seq, %ks: !seq, %vs: !seq, %b: !beta, %Ms: !mem, %zs: !norm):
    %qr = infini.rope %qs {base = 1.0e4 : f64} : !seq
    %kr = infini.rope %ks {base = 1.0e4 : f64} : !seq
    %dot = infini.segment_attention %qr, %kr, %vs : (!seq, !seq, !seq) -> !seq
    %sq = infini.feature_map %qs : !seq
    %sk = infini.feature_map %ks : !seq
    %mem = infini.memory_retrieve %sq, %Ms, %zs : (!seq, !mem, !norm) -> !seq
    %a = infini.gate %mem, %dot, %b normalizer(%zs : !norm)
      {first_segment = #infini.first_segment<local_only>} : !seq, !beta
    %M1, %z1 = infini.memory_update %sk, %vs, %Ms, %zs {update = #infini.update<linear>}
      : !seq, !seq, !mem, !norm
    infini.yield %a, %M1, %z1 : !seq, !mem, !norm
  } -> !seq, !mem, !norm
  return %o, %M, %z : !seq, !mem, !norm
}

func.func @infini_attention_delta_corrected_local_only(%q: !seq, %k: !seq, %v: !seq, %beta: !beta) -> (!seq, !mem, !norm) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : f32
  %B = tensor.dim %k, %c0 : !seq
  %G = tensor.dim %k, %c1 : !seq
  %dk = tensor.dim %k, %c3 : !seq
  %dv = tensor.dim %v, %c3 : !seq
  %Me = tensor.empty(%B, %G, %dk, %dv) : !mem
  %M0 = linalg.fill ins(%zero : f32) outs(%Me : !mem) -> !mem
  %ze = tensor.empty(%B, %G, %dk) : !norm
  %z0 = linalg.fill ins(%zero : f32) outs(%ze : !norm) -> !norm
  %o, %M, %z = infini.segment_scan sequences(%q, %k, %v : !seq, !seq, !seq)
      invariants(%beta : !beta) states(%M0, %z0 : !mem, !norm)
      attributes {segment_length = 2 : i64, sequence_axes = array<i64: 2, 2, 2>,
                  output_axes = array<i64: 2>} {
  ^bb0(%qs: !seq, %ks: !seq, %vs: !seq, %b: !beta, %Ms: !mem, %zs: !norm):
    %qr = infini.rope %qs {base = 1.0e4 : f64} : !seq
    %kr = infini.rope %ks {base = 1.0e4 : f64} : !seq
    %dot = infini.segment_attention %qr, %kr, %vs : (!seq, !seq, !seq) -> !seq
    %sq = infini.feature_map %qs : !seq
    %sk = infini.feature_map %ks : !seq
    %mem = infini.memory_retrieve %sq, %Ms, %zs : (!seq, !mem, !norm) -> !seq
    %a = infini.gate %mem, %dot, %b normalizer(%zs : !norm)
      {first_segment = #infini.first_segment<local_only>} : !seq, !beta
    %M1, %z1 = infini.memory_update %sk, %vs, %Ms, %zs {update = #infini.update<delta_corrected>}
      : !seq, !seq, !mem, !norm
    infini.yield %a, %M1, %z1 : !seq, !mem, !norm
  } -> !seq, !mem, !norm
  return %o, %M, %z : !seq, !mem, !norm
}

//===----------------------------------------------------------------------===//
// f64
//===----------------------------------------------------------------------===//

!seq_f64 = tensor<?x?x?x?xf64>
!mem_f64 = tensor<?x?x?x?xf64>
!norm_f64 = tensor<?x?x?xf64>
!beta_f64 = tensor<?xf64>
!channels_f64 = tensor<?x?xf64>
!steps_f64 = tensor<?x?x?x?x?xf64>

func.func @segment_attention_f64(%q: !seq_f64, %k: !seq_f64, %v: !seq_f64) -> !seq_f64 {
  %o = infini.segment_attention %q, %k, %v : (!seq_f64, !seq_f64, !seq_f64) -> !seq_f64
  return %o : !seq_f64
}
func.func @segment_attention_window_f64(%q: !seq_f64, %k: !seq_f64, %v: !seq_f64) -> !seq_f64 {
  %o = infini.segment_attention %q, %k, %v {mask = #infini.mask<window>, window = 4 : i64}
    : (!seq_f64, !seq_f64, !seq_f64) -> !seq_f64
  return %o : !seq_f64
}
func.func @segment_attention_full_f64(%q: !seq_f64, %k: !seq_f64, %v: !seq_f64) -> !seq_f64 {
  %o = infini.segment_attention %q, %k, %v {mask = #infini.mask<full>}
    : (!seq_f64, !seq_f64, !seq_f64) -> !seq_f64
  return %o : !seq_f64
}
func.func @feature_map_f64(%x: !seq_f64) -> !seq_f64 {
  %y = infini.feature_map %x : !seq_f64
  return %y : !seq_f64
}
func.func @memory_retrieve_f64(%sq: !seq_f64, %M: !mem_f64, %z: !norm_f64) -> !seq_f64 {
  %a = infini.memory_retrieve %sq, %M, %z : (!seq_f64, !mem_f64, !norm_f64) -> !seq_f64
  return %a : !seq_f64
}
func.func @memory_update_linear_f64(%sk: !seq_f64, %v: !seq_f64, %M: !mem_f64, %z: !norm_f64) -> (!mem_f64, !norm_f64) {
  %M1, %z1 = infini.memory_update %sk, %v, %M, %z {update = #infini.update<linear>}
    : !seq_f64, !seq_f64, !mem_f64, !norm_f64
  return %M1, %z1 : !mem_f64, !norm_f64
}
func.func @memory_update_delta_f64(%sk: !seq_f64, %v: !seq_f64, %M: !mem_f64, %z: !norm_f64) -> (!mem_f64, !norm_f64) {
  %M1, %z1 = infini.memory_update %sk, %v, %M, %z : !seq_f64, !seq_f64, !mem_f64, !norm_f64
  return %M1, %z1 : !mem_f64, !norm_f64
}
func.func @memory_update_delta_corrected_f64(%sk: !seq_f64, %v: !seq_f64, %M: !mem_f64, %z: !norm_f64) -> (!mem_f64, !norm_f64) {
  %M1, %z1 = infini.memory_update %sk, %v, %M, %z {update = #infini.update<delta_corrected>}
    : !seq_f64, !seq_f64, !mem_f64, !norm_f64
  return %M1, %z1 : !mem_f64, !norm_f64
}
func.func @gate_f64(%mem: !seq_f64, %dot: !seq_f64, %beta: !beta_f64) -> !seq_f64 {
  %a = infini.gate %mem, %dot, %beta : !seq_f64, !beta_f64
  return %a : !seq_f64
}
func.func @gate_channel_f64(%mem: !seq_f64, %dot: !seq_f64, %beta: !channels_f64) -> !seq_f64 {
  %a = infini.gate %mem, %dot, %beta : !seq_f64, !channels_f64
  return %a : !seq_f64
}
func.func @rope_f64(%x: !seq_f64) -> !seq_f64 {
  %y = infini.rope %x {base = 1.0e4 : f64} : !seq_f64
  return %y : !seq_f64
}
func.func @affine_scan_f64(%A: !steps_f64, %B: !steps_f64, %M0: !mem_f64) -> (!steps_f64, !mem_f64) {
  %before, %last = infini.affine_scan factors(%A : !steps_f64) increments(%B : !steps_f64) initial(%M0 : !mem_f64)
  return %before, %last : !steps_f64, !mem_f64
}

func.func @infini_attention_delta_f64(%q: !seq_f64, %k: !seq_f64, %v: !seq_f64, %beta: !beta_f64) -> (!seq_f64, !mem_f64, !norm_f64) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : f64
  %B = tensor.dim %k, %c0 : !seq_f64
  %G = tensor.dim %k, %c1 : !seq_f64
  %dk = tensor.dim %k, %c3 : !seq_f64
  %dv = tensor.dim %v, %c3 : !seq_f64
  %Me = tensor.empty(%B, %G, %dk, %dv) : !mem_f64
  %M0 = linalg.fill ins(%zero : f64) outs(%Me : !mem_f64) -> !mem_f64
  %ze = tensor.empty(%B, %G, %dk) : !norm_f64
  %z0 = linalg.fill ins(%zero : f64) outs(%ze : !norm_f64) -> !norm_f64
  %o, %M, %z = infini.segment_scan sequences(%q, %k, %v : !seq_f64, !seq_f64, !seq_f64)
      invariants(%beta : !beta_f64) states(%M0, %z0 : !mem_f64, !norm_f64)
      attributes {segment_length = 2 : i64, sequence_axes = array<i64: 2, 2, 2>,
                  output_axes = array<i64: 2>} {
  ^bb0(%qs: !seq_f64, %ks: !seq_f64, %vs: !seq_f64, %b: !beta_f64, %Ms: !mem_f64, %zs: !norm_f64):
    %qr = infini.rope %qs {base = 1.0e4 : f64} : !seq_f64
    %kr = infini.rope %ks {base = 1.0e4 : f64} : !seq_f64
    %dot = infini.segment_attention %qr, %kr, %vs : (!seq_f64, !seq_f64, !seq_f64) -> !seq_f64
    %sq = infini.feature_map %qs : !seq_f64
    %sk = infini.feature_map %ks : !seq_f64
    %mem = infini.memory_retrieve %sq, %Ms, %zs : (!seq_f64, !mem_f64, !norm_f64) -> !seq_f64
    %a = infini.gate %mem, %dot, %b : !seq_f64, !beta_f64
    %M1, %z1 = infini.memory_update %sk, %vs, %Ms, %zs {update = #infini.update<delta>}
      : !seq_f64, !seq_f64, !mem_f64, !norm_f64
    infini.yield %a, %M1, %z1 : !seq_f64, !mem_f64, !norm_f64
  } -> !seq_f64, !mem_f64, !norm_f64
  return %o, %M, %z : !seq_f64, !mem_f64, !norm_f64
}

func.func @infini_attention_linear_f64(%q: !seq_f64, %k: !seq_f64, %v: !seq_f64, %beta: !beta_f64) -> (!seq_f64, !mem_f64, !norm_f64) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : f64
  %B = tensor.dim %k, %c0 : !seq_f64
  %G = tensor.dim %k, %c1 : !seq_f64
  %dk = tensor.dim %k, %c3 : !seq_f64
  %dv = tensor.dim %v, %c3 : !seq_f64
  %Me = tensor.empty(%B, %G, %dk, %dv) : !mem_f64
  %M0 = linalg.fill ins(%zero : f64) outs(%Me : !mem_f64) -> !mem_f64
  %ze = tensor.empty(%B, %G, %dk) : !norm_f64
  %z0 = linalg.fill ins(%zero : f64) outs(%ze : !norm_f64) -> !norm_f64
  %o, %M, %z = infini.segment_scan sequences(%q, %k, %v : !seq_f64, !seq_f64, !seq_f64)
      invariants(%beta : !beta_f64) states(%M0, %z0 : !mem_f64, !norm_f64)
      attributes {segment_length = 2 : i64, sequence_axes = array<i64: 2, 2, 2>,
                  output_axes = array<i64: 2>} {
  ^bb0(%qs: !seq_f64, %ks: !seq_f64, %vs: !seq_f64, %b: !beta_f64, %Ms: !mem_f64, %zs: !norm_f64):
    %qr = infini.rope %qs {base = 1.0e4 : f64} : !seq_f64
    %kr = infini.rope %ks {base = 1.0e4 : f64} : !seq_f64
    %dot = infini.segment_attention %qr, %kr, %vs : (!seq_f64, !seq_f64, !seq_f64) -> !seq_f64
    %sq = infini.feature_map %qs : !seq_f64
    %sk = infini.feature_map %ks : !seq_f64
    %mem = infini.memory_retrieve %sq, %Ms, %zs : (!seq_f64, !mem_f64, !norm_f64) -> !seq_f64
    %a = infini.gate %mem, %dot, %b : !seq_f64, !beta_f64
    %M1, %z1 = infini.memory_update %sk, %vs, %Ms, %zs {update = #infini.update<linear>}
      : !seq_f64, !seq_f64, !mem_f64, !norm_f64
    infini.yield %a, %M1, %z1 : !seq_f64, !mem_f64, !norm_f64
  } -> !seq_f64, !mem_f64, !norm_f64
  return %o, %M, %z : !seq_f64, !mem_f64, !norm_f64
}

func.func @infini_attention_delta_corrected_f64(%q: !seq_f64, %k: !seq_f64, %v: !seq_f64, %beta: !beta_f64) -> (!seq_f64, !mem_f64, !norm_f64) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : f64
  %B = tensor.dim %k, %c0 : !seq_f64
  %G = tensor.dim %k, %c1 : !seq_f64
  %dk = tensor.dim %k, %c3 : !seq_f64
  %dv = tensor.dim %v, %c3 : !seq_f64
  %Me = tensor.empty(%B, %G, %dk, %dv) : !mem_f64
  %M0 = linalg.fill ins(%zero : f64) outs(%Me : !mem_f64) -> !mem_f64
  %ze = tensor.empty(%B, %G, %dk) : !norm_f64
  %z0 = linalg.fill ins(%zero : f64) outs(%ze : !norm_f64) -> !norm_f64
  %o, %M, %z = infini.segment_scan sequences(%q, %k, %v : !seq_f64, !seq_f64, !seq_f64)
      invariants(%beta : !beta_f64) states(%M0, %z0 : !mem_f64, !norm_f64)
      attributes {segment_length = 2 : i64, sequence_axes = array<i64: 2, 2, 2>,
                  output_axes = array<i64: 2>} {
  ^bb0(%qs: !seq_f64, %ks: !seq_f64, %vs: !seq_f64, %b: !beta_f64, %Ms: !mem_f64, %zs: !norm_f64):
    %qr = infini.rope %qs {base = 1.0e4 : f64} : !seq_f64
    %kr = infini.rope %ks {base = 1.0e4 : f64} : !seq_f64
    %dot = infini.segment_attention %qr, %kr, %vs : (!seq_f64, !seq_f64, !seq_f64) -> !seq_f64
    %sq = infini.feature_map %qs : !seq_f64
    %sk = infini.feature_map %ks : !seq_f64
    %mem = infini.memory_retrieve %sq, %Ms, %zs : (!seq_f64, !mem_f64, !norm_f64) -> !seq_f64
    %a = infini.gate %mem, %dot, %b : !seq_f64, !beta_f64
    %M1, %z1 = infini.memory_update %sk, %vs, %Ms, %zs {update = #infini.update<delta_corrected>}
      : !seq_f64, !seq_f64, !mem_f64, !norm_f64
    infini.yield %a, %M1, %z1 : !seq_f64, !mem_f64, !norm_f64
  } -> !seq_f64, !mem_f64, !norm_f64
  return %o, %M, %z : !seq_f64, !mem_f64, !norm_f64
}

func.func @infini_attention_delta_local_only_f64(%q: !seq_f64, %k: !seq_f64, %v: !seq_f64, %beta: !beta_f64) -> (!seq_f64, !mem_f64, !norm_f64) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : f64
  %B = tensor.dim %k, %c0 : !seq_f64
  %G = tensor.dim %k, %c1 : !seq_f64
  %dk = tensor.dim %k, %c3 : !seq_f64
  %dv = tensor.dim %v, %c3 : !seq_f64
  %Me = tensor.empty(%B, %G, %dk, %dv) : !mem_f64
  %M0 = linalg.fill ins(%zero : f64) outs(%Me : !mem_f64) -> !mem_f64
  %ze = tensor.empty(%B, %G, %dk) : !norm_f64
  %z0 = linalg.fill ins(%zero : f64) outs(%ze : !norm_f64) -> !norm_f64
  %o, %M, %z = infini.segment_scan sequences(%q, %k, %v : !seq_f64, !seq_f64, !seq_f64)
      invariants(%beta : !beta_f64) states(%M0, %z0 : !mem_f64, !norm_f64)
      attributes {segment_length = 2 : i64, sequence_axes = array<i64: 2, 2, 2>,
                  output_axes = array<i64: 2>} {
  ^bb0(%qs: !seq_f64, %ks: !seq_f64, %vs: !seq_f64, %b: !beta_f64, %Ms: !mem_f64, %zs: !norm_f64):
    %qr = infini.rope %qs {base = 1.0e4 : f64} : !seq_f64
    %kr = infini.rope %ks {base = 1.0e4 : f64} : !seq_f64
    %dot = infini.segment_attention %qr, %kr, %vs : (!seq_f64, !seq_f64, !seq_f64) -> !seq_f64
    %sq = infini.feature_map %qs : !seq_f64
    %sk = infini.feature_map %ks : !seq_f64
    %mem = infini.memory_retrieve %sq, %Ms, %zs : (!seq_f64, !mem_f64, !norm_f64) -> !seq_f64
    %a = infini.gate %mem, %dot, %b normalizer(%zs : !norm_f64)
      {first_segment = #infini.first_segment<local_only>} : !seq_f64, !beta_f64
    %M1, %z1 = infini.memory_update %sk, %vs, %Ms, %zs {update = #infini.update<delta>}
      : !seq_f64, !seq_f64, !mem_f64, !norm_f64
    infini.yield %a, %M1, %z1 : !seq_f64, !mem_f64, !norm_f64
  } -> !seq_f64, !mem_f64, !norm_f64
  return %o, %M, %z : !seq_f64, !mem_f64, !norm_f64
}

func.func @infini_attention_linear_local_only_f64(%q: !seq_f64, %k: !seq_f64, %v: !seq_f64, %beta: !beta_f64) -> (!seq_f64, !mem_f64, !norm_f64) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : f64
  %B = tensor.dim %k, %c0 : !seq_f64
  %G = tensor.dim %k, %c1 : !seq_f64
  %dk = tensor.dim %k, %c3 : !seq_f64
  %dv = tensor.dim %v, %c3 : !seq_f64
  %Me = tensor.empty(%B, %G, %dk, %dv) : !mem_f64
  %M0 = linalg.fill ins(%zero : f64) outs(%Me : !mem_f64) -> !mem_f64
  %ze = tensor.empty(%B, %G, %dk) : !norm_f64
  %z0 = linalg.fill ins(%zero : f64) outs(%ze : !norm_f64) -> !norm_f64
  %o, %M, %z = infini.segment_scan sequences(%q, %k, %v : !seq_f64, !seq_f64, !seq_f64)
      invariants(%beta : !beta_f64) states(%M0, %z0 : !mem_f64, !norm_f64)
      attributes {segment_length = 2 : i64, sequence_axes = array<i64: 2, 2, 2>,
                  output_axes = array<i64: 2>} {
  ^bb0(%qs: !seq_f64, %ks: !seq_f64, %vs: !seq_f64, %b: !beta_f64, %Ms: !mem_f64, %zs: !norm_f64):
    %qr = infini.rope %qs {base = 1.0e4 : f64} : !seq_f64
    %kr = infini.rope %ks {base = 1.0e4 : f64} : !seq_f64
    %dot = infini.segment_attention %qr, %kr, %vs : (!seq_f64, !seq_f64, !seq_f64) -> !seq_f64
    %sq = infini.feature_map %qs : !seq_f64
    %sk = infini.feature_map %ks : !seq_f64
    %mem = infini.memory_retrieve %sq, %Ms, %zs : (!seq_f64, !mem_f64, !norm_f64) -> !seq_f64
    %a = infini.gate %mem, %dot, %b normalizer(%zs : !norm_f64)
      {first_segment = #infini.first_segment<local_only>} : !seq_f64, !beta_f64
    %M1, %z1 = infini.memory_update %sk, %vs, %Ms, %zs {update = #infini.update<linear>}
      : !seq_f64, !seq_f64, !mem_f64, !norm_f64
    infini.yield %a, %M1, %z1 : !seq_f64, !mem_f64, !norm_f64
  } -> !seq_f64, !mem_f64, !norm_f64
  return %o, %M, %z : !seq_f64, !mem_f64, !norm_f64
}

func.func @infini_attention_delta_corrected_local_only_f64(%q: !seq_f64, %k: !seq_f64, %v: !seq_f64, %beta: !beta_f64) -> (!seq_f64, !mem_f64, !norm_f64) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : f64
  %B = tensor.dim %k, %c0 : !seq_f64
  %G = tensor.dim %k, %c1 : !seq_f64
  %dk = tensor.dim %k, %c3 : !seq_f64
  %dv = tensor.dim %v, %c3 : !seq_f64
  %Me = tensor.empty(%B, %G, %dk, %dv) : !mem_f64
  %M0 = linalg.fill ins(%zero : f64) outs(%Me : !mem_f64) -> !mem_f64
  %ze = tensor.empty(%B, %G, %dk) : !norm_f64
  %z0 = linalg.fill ins(%zero : f64) outs(%ze : !norm_f64) -> !norm_f64
  %o, %M, %z = infini.segment_scan sequences(%q, %k, %v : !seq_f64, !seq_f64, !seq_f64)
      invariants(%beta : !beta_f64) states(%M0, %z0 : !mem_f64, !norm_f64)
      attributes {segment_length = 2 : i64, sequence_axes = array<i64: 2, 2, 2>,
                  output_axes = array<i64: 2>} {
  ^bb0(%qs: !seq_f64, %ks: !seq_f64, %vs: !seq_f64, %b: !beta_f64, %Ms: !mem_f64, %zs: !norm_f64):
    %qr = infini.rope %qs {base = 1.0e4 : f64} : !seq_f64
    %kr = infini.rope %ks {base = 1.0e4 : f64} : !seq_f64
    %dot = infini.segment_attention %qr, %kr, %vs : (!seq_f64, !seq_f64, !seq_f64) -> !seq_f64
    %sq = infini.feature_map %qs : !seq_f64
    %sk = infini.feature_map %ks : !seq_f64
    %mem = infini.memory_retrieve %sq, %Ms, %zs : (!seq_f64, !mem_f64, !norm_f64) -> !seq_f64
    %a = infini.gate %mem, %dot, %b normalizer(%zs : !norm_f64)
      {first_segment = #infini.first_segment<local_only>} : !seq_f64, !beta_f64
    %M1, %z1 = infini.memory_update %sk, %vs, %Ms, %zs {update = #infini.update<delta_corrected>}
      : !seq_f64, !seq_f64, !mem_f64, !norm_f64
    infini.yield %a, %M1, %z1 : !seq_f64, !mem_f64, !norm_f64
  } -> !seq_f64, !mem_f64, !norm_f64
  return %o, %M, %z : !seq_f64, !mem_f64, !norm_f64
}
