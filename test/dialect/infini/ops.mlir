// RUN: infini-opt %s | FileCheck %s
// RUN: infini-opt %s | infini-opt | FileCheck %s
// RUN: infini-opt %s --mlir-print-op-generic | infini-opt | FileCheck %s
// RUN: infini-opt %s --emit-bytecode | infini-opt | FileCheck %s
// RUN: infini-opt %examples/ops/infini.mlir | infini-opt -o /dev/null

// The examples of InfiniOps.td, and every optional part of every op.

// CHECK-LABEL: func @segment_attention
// CHECK-SAME: (%[[Q:.*]]: tensor<1x8x?x64xf32>, %[[K:.*]]: tensor<1x2x?x64xf32>, %[[V:.*]]: tensor<1x2x?x64xf32>)
func.func @segment_attention(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x64xf32>,
                             %v: tensor<1x2x?x64xf32>) -> tensor<1x8x?x64xf32> {
  // CHECK: infini.segment_attention %[[Q]], %[[K]], %[[V]] : (tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x8x?x64xf32>
  %o = infini.segment_attention %q, %k, %v
    : (tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}

// CHECK-LABEL: func @segment_attention_all_operands
// CHECK-SAME: (%[[Q:.*]]: tensor<2x8x16x64xbf16>, %[[K:.*]]: tensor<2x2x16x64xbf16>, %[[V:.*]]: tensor<2x2x16x32xbf16>, %[[PK:.*]]: tensor<2x2x8x64xbf16>, %[[PV:.*]]: tensor<2x2x8x32xbf16>, %[[BIAS:.*]]: tensor<1x8x1x24xf32>, %[[AT:.*]]: index)
func.func @segment_attention_all_operands(
    %q: tensor<2x8x16x64xbf16>, %k: tensor<2x2x16x64xbf16>, %v: tensor<2x2x16x32xbf16>,
    %pk: tensor<2x2x8x64xbf16>, %pv: tensor<2x2x8x32xbf16>, %bias: tensor<1x8x1x24xf32>,
    %at: index) -> tensor<2x8x16x32xbf16> {
  // CHECK: infini.segment_attention %[[Q]], %[[K]], %[[V]] past(%[[PK]], %[[PV]] : tensor<2x2x8x64xbf16>, tensor<2x2x8x32xbf16>) bias(%[[BIAS]] : tensor<1x8x1x24xf32>) query_offset(%[[AT]])
  // CHECK-SAME: {mask = #infini.mask<window>, scale = 1.250000e-01 : f64, window = 4 : i64}
  %o = infini.segment_attention %q, %k, %v
    past(%pk, %pv : tensor<2x2x8x64xbf16>, tensor<2x2x8x32xbf16>)
    bias(%bias : tensor<1x8x1x24xf32>) query_offset(%at)
    {mask = #infini.mask<window>, window = 4 : i64, scale = 0.125 : f64}
    : (tensor<2x8x16x64xbf16>, tensor<2x2x16x64xbf16>, tensor<2x2x16x32xbf16>) -> tensor<2x8x16x32xbf16>
  return %o : tensor<2x8x16x32xbf16>
}

// CHECK-LABEL: func @segment_attention_dynamic
func.func @segment_attention_dynamic(%q: tensor<?x?x?x?xf64>, %k: tensor<?x?x?x?xf64>,
                                     %v: tensor<?x?x?x?xf64>) -> tensor<?x?x?x?xf64> {
  // CHECK: infini.segment_attention %{{.*}}, %{{.*}}, %{{.*}} {mask = #infini.mask<full>}
  %o = infini.segment_attention %q, %k, %v {mask = #infini.mask<full>}
    : (tensor<?x?x?x?xf64>, tensor<?x?x?x?xf64>, tensor<?x?x?x?xf64>) -> tensor<?x?x?x?xf64>
  return %o : tensor<?x?x?x?xf64>
}

// CHECK-LABEL: func @rope
// CHECK-SAME: (%[[X:.*]]: tensor<1x8x?x64xf32>, %[[AT:.*]]: index, %[[COS:.*]]: tensor<?x32xf32>, %[[SIN:.*]]: tensor<?x32xf32>)
func.func @rope(%x: tensor<1x8x?x64xf32>, %at: index, %cos: tensor<?x32xf32>,
                %sin: tensor<?x32xf32>) -> tensor<1x8x?x64xf32> {
  // CHECK: infini.rope %[[X]] offset(%[[AT]]) : tensor<1x8x?x64xf32>
  %a = infini.rope %x offset(%at) {base = 1.0e4 : f64} : tensor<1x8x?x64xf32>
  // CHECK: infini.rope %{{.*}} {base = 5.000000e+05 : f64, factor = 4.000000e+00 : f64} : tensor<1x8x?x64xf32>
  %b = infini.rope %a {base = 5.0e5 : f64, factor = 4.0 : f64} : tensor<1x8x?x64xf32>
  // CHECK: infini.rope %{{.*}} offset(%[[AT]]) tables(%[[COS]], %[[SIN]] : tensor<?x32xf32>, tensor<?x32xf32>) : tensor<1x8x?x64xf32>
  %c = infini.rope %b offset(%at) tables(%cos, %sin : tensor<?x32xf32>, tensor<?x32xf32>)
    : tensor<1x8x?x64xf32>
  return %c : tensor<1x8x?x64xf32>
}

// CHECK-LABEL: func @rope_rank_2
func.func @rope_rank_2(%x: tensor<?x?xf16>) -> tensor<?x?xf16> {
  // CHECK: infini.rope %{{.*}} : tensor<?x?xf16>
  %y = infini.rope %x : tensor<?x?xf16>
  return %y : tensor<?x?xf16>
}

// CHECK-LABEL: func @feature_map
func.func @feature_map(%q: tensor<1x8x?x64xf32>, %x: tensor<3xf16>) -> (tensor<1x8x?x64xf32>, tensor<3xf16>) {
  // CHECK: infini.feature_map %{{.*}} : tensor<1x8x?x64xf32>
  %s = infini.feature_map %q : tensor<1x8x?x64xf32>
  // CHECK: infini.feature_map %{{.*}} : tensor<3xf16>
  %t = infini.feature_map %x {kind = #infini.feature<elu_plus_one>} : tensor<3xf16>
  return %s, %t : tensor<1x8x?x64xf32>, tensor<3xf16>
}

// CHECK-LABEL: func @memory_retrieve
func.func @memory_retrieve(%sq: tensor<1x8x?x64xbf16>, %M: tensor<1x2x64x64xf32>,
                           %z: tensor<1x2x64xf32>) -> tensor<1x8x?x64xbf16> {
  // CHECK: infini.memory_retrieve %{{.*}}, %{{.*}}, %{{.*}} : (tensor<1x8x?x64xbf16>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>) -> tensor<1x8x?x64xbf16>
  %a = infini.memory_retrieve %sq, %M, %z
    : (tensor<1x8x?x64xbf16>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>) -> tensor<1x8x?x64xbf16>
  return %a : tensor<1x8x?x64xbf16>
}

// CHECK-LABEL: func @memory_update
func.func @memory_update(%sk: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x64xf32>, %M: tensor<1x2x64x64xf32>,
                         %z: tensor<1x2x64xf32>) -> (tensor<1x2x64x64xf32>, tensor<1x2x64xf32>) {
  // CHECK: %[[M1:.*]], %[[Z1:.*]] = infini.memory_update %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} {update = #infini.update<linear>} : tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  %M1, %z1 = infini.memory_update %sk, %v, %M, %z {update = #infini.update<linear>}
    : tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  // CHECK: %[[M2:.*]], %[[Z2:.*]] = infini.memory_update %{{.*}}, %{{.*}}, %[[M1]], %[[Z1]] : tensor
  %M2, %z2 = infini.memory_update %sk, %v, %M1, %z1
    : tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  // CHECK: infini.memory_update %{{.*}}, %{{.*}}, %[[M2]], %[[Z2]] {update = #infini.update<delta_corrected>}
  %M3, %z3 = infini.memory_update %sk, %v, %M2, %z2 {update = #infini.update<delta_corrected>}
    : tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  return %M3, %z3 : tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
}

// CHECK-LABEL: func @gate
func.func @gate(%mem: tensor<1x8x?x64xf32>, %dot: tensor<1x8x?x64xf32>, %b1: tensor<8xf32>,
                %b2: tensor<8x64xbf16>, %b3: tensor<1x8x?xf32>, %b4: tensor<1x8x?x64xf32>,
                %z: tensor<1x2x64xf32>) -> tensor<1x8x?x64xf32> {
  // CHECK: infini.gate %{{.*}}, %{{.*}}, %{{.*}} : tensor<1x8x?x64xf32>, tensor<8xf32>
  %a = infini.gate %mem, %dot, %b1 : tensor<1x8x?x64xf32>, tensor<8xf32>
  // CHECK: infini.gate %{{.*}}, %{{.*}}, %{{.*}} normalizer(%{{.*}} : tensor<1x2x64xf32>) {first_segment = #infini.first_segment<local_only>} : tensor<1x8x?x64xf32>, tensor<8x64xbf16>
  %b = infini.gate %a, %dot, %b2 normalizer(%z : tensor<1x2x64xf32>)
    {first_segment = #infini.first_segment<local_only>} : tensor<1x8x?x64xf32>, tensor<8x64xbf16>
  // CHECK: infini.gate %{{.*}}, %{{.*}}, %{{.*}} : tensor<1x8x?x64xf32>, tensor<1x8x?xf32>
  %c = infini.gate %b, %dot, %b3 : tensor<1x8x?x64xf32>, tensor<1x8x?xf32>
  // CHECK: infini.gate %{{.*}}, %{{.*}}, %{{.*}} : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>
  %d = infini.gate %c, %dot, %b4 : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>
  return %d : tensor<1x8x?x64xf32>
}

// CHECK-LABEL: func @affine_scan
func.func @affine_scan(%A: tensor<?x1x2x64x64xf32>, %D: tensor<?x1x2x64xf32>, %B: tensor<?x1x2x64x64xf32>,
                       %M0: tensor<1x2x64x64xf32>, %z0: tensor<1x2x64xf32>)
    -> (tensor<1x2x64x64xf32>, tensor<1x2x64xf32>) {
  // CHECK: infini.affine_scan increments(%{{.*}} : tensor<?x1x2x64x64xf32>) initial(%{{.*}} : tensor<1x2x64x64xf32>)
  %before, %last = infini.affine_scan increments(%B : tensor<?x1x2x64x64xf32>)
    initial(%M0 : tensor<1x2x64x64xf32>)
  // CHECK: infini.affine_scan factors(%{{.*}} : tensor<?x1x2x64x64xf32>) increments(
  %before1, %last1 = infini.affine_scan factors(%A : tensor<?x1x2x64x64xf32>)
    increments(%B : tensor<?x1x2x64x64xf32>) initial(%last : tensor<1x2x64x64xf32>)
  // CHECK: infini.affine_scan factors(%{{.*}} : tensor<?x1x2x64xf32>) increments(
  %before2, %last2 = infini.affine_scan factors(%D : tensor<?x1x2x64xf32>)
    increments(%before1 : tensor<?x1x2x64x64xf32>) initial(%last1 : tensor<1x2x64x64xf32>)
  // CHECK: infini.affine_scan increments(%{{.*}} : tensor<?x1x2x64xf32>) initial(%{{.*}} : tensor<1x2x64xf32>)
  %before3, %last3 = infini.affine_scan increments(%D : tensor<?x1x2x64xf32>)
    initial(%z0 : tensor<1x2x64xf32>)
  return %last2, %last3 : tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
}

// CHECK-LABEL: func @segment_scan
// CHECK-SAME: (%[[X:.*]]: tensor<?x4xf32>, %[[S0:.*]]: tensor<4xf32>)
func.func @segment_scan(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) -> (tensor<?x4xf32>, tensor<4xf32>) {
  // CHECK: %[[R:.*]]:2 = infini.segment_scan sequences(%[[X]] : tensor<?x4xf32>) states(%[[S0]] : tensor<4xf32>)
  // CHECK-SAME: attributes {output_axes = array<i64: 0>, segment_length = 8 : i64, sequence_axes = array<i64: 0>}
  // CHECK: ^bb0(%[[XS:.*]]: tensor<?x4xf32>, %[[S:.*]]: tensor<4xf32>):
  // CHECK: infini.yield %[[XS]], %{{.*}} : tensor<?x4xf32>, tensor<4xf32>
  // CHECK: } -> tensor<?x4xf32>, tensor<4xf32>
  %o, %sum = infini.segment_scan sequences(%x : tensor<?x4xf32>)
      states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>):
    %next = linalg.reduce ins(%xs : tensor<?x4xf32>) outs(%s : tensor<4xf32>) dimensions = [0]
      (%a: f32, %b: f32) { %c = arith.addf %a, %b : f32  linalg.yield %c : f32 }
    infini.yield %xs, %next : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>
  return %o, %sum : tensor<?x4xf32>, tensor<4xf32>
}

// Per-segment values in and out, invariants, and no state: a parallel map.
// CHECK-LABEL: func @segment_scan_stacked
func.func @segment_scan_stacked(%x: tensor<4x?xf32>, %p: tensor<?x4xf32>, %w: tensor<4xf32>)
    -> (tensor<4x?xf32>, tensor<?x4xf32>) {
  // CHECK: infini.segment_scan sequences(%{{.*}} : tensor<4x?xf32>) per_segment(%{{.*}} : tensor<?x4xf32>) invariants(%{{.*}} : tensor<4xf32>)
  // CHECK-SAME: num_stacked = 1 : i64
  // CHECK: ^bb0(%{{.*}}: tensor<4x?xf32>, %{{.*}}: tensor<4xf32>, %{{.*}}: tensor<4xf32>):
  %o, %q = infini.segment_scan sequences(%x : tensor<4x?xf32>)
      per_segment(%p : tensor<?x4xf32>) invariants(%w : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 1>,
                  output_axes = array<i64: 1>, num_stacked = 1 : i64} {
  ^bb0(%xs: tensor<4x?xf32>, %ps: tensor<4xf32>, %ws: tensor<4xf32>):
    %sum = arith.addf %ps, %ws : tensor<4xf32>
    infini.yield %xs, %sum : tensor<4x?xf32>, tensor<4xf32>
  } -> tensor<4x?xf32>, tensor<?x4xf32>
  return %o, %q : tensor<4x?xf32>, tensor<?x4xf32>
}

// A stream: the segment under way has `fill` tokens.
// CHECK-LABEL: func @segment_scan_fill
func.func @segment_scan_fill(%x: tensor<?x4xf32>, %y: tensor<?x4xf32>, %s0: tensor<4xf32>, %fill: index,
                             %p0: tensor<8x4xf32>) -> (tensor<?x4xf32>, tensor<4xf32>, tensor<8x4xf32>) {
  // CHECK: infini.segment_scan sequences(%{{.*}}, %{{.*}} : tensor<?x4xf32>, tensor<?x4xf32>) states(%{{.*}} : tensor<4xf32>) fill(%{{.*}}) pending(%{{.*}} : tensor<8x4xf32>)
  // CHECK-SAME: pending_sequences = array<i64: 1>
  // CHECK: ^bb0(%{{.*}}: tensor<?x4xf32>, %{{.*}}: tensor<?x4xf32>, %{{.*}}: tensor<4xf32>, %{{.*}}: index):
  %o, %s, %p = infini.segment_scan sequences(%x, %y : tensor<?x4xf32>, tensor<?x4xf32>)
      states(%s0 : tensor<4xf32>) fill(%fill) pending(%p0 : tensor<8x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0, 0>,
                  output_axes = array<i64: 0>, pending_sequences = array<i64: 1>} {
  ^bb0(%xs: tensor<?x4xf32>, %ys: tensor<?x4xf32>, %s1: tensor<4xf32>, %position: index):
    infini.yield %xs, %s1 : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>, tensor<8x4xf32>
  return %o, %s, %p : tensor<?x4xf32>, tensor<4xf32>, tensor<8x4xf32>
}

// Full segments alone: slices have N tokens in their type, whether T is static or not.
// CHECK-LABEL: func @segment_scan_whole
func.func @segment_scan_whole(%x: tensor<16x4xf32>, %y: tensor<4x?xf32>, %s0: tensor<4xf32>)
    -> (tensor<16x4xf32>, tensor<4x?xf32>, tensor<2x4xf32>, tensor<4xf32>) {
  // CHECK: infini.segment_scan
  // CHECK-SAME: attributes {num_stacked = 1 : i64, output_axes = array<i64: 0, 1>, segment_length = 8 : i64, sequence_axes = array<i64: 0, 1>, whole}
  // CHECK: ^bb0(%[[XS:.*]]: tensor<8x4xf32>, %[[YS:.*]]: tensor<4x8xf32>, %[[S:.*]]: tensor<4xf32>):
  // CHECK: infini.yield %[[XS]], %[[YS]], %[[S]], %[[S]] : tensor<8x4xf32>, tensor<4x8xf32>, tensor<4xf32>, tensor<4xf32>
  // CHECK: } -> tensor<16x4xf32>, tensor<4x?xf32>, tensor<2x4xf32>, tensor<4xf32>
  %r:4 = infini.segment_scan sequences(%x, %y : tensor<16x4xf32>, tensor<4x?xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0, 1>,
                  output_axes = array<i64: 0, 1>, num_stacked = 1 : i64, whole} {
  ^bb0(%xs: tensor<8x4xf32>, %ys: tensor<4x8xf32>, %s: tensor<4xf32>):
    infini.yield %xs, %ys, %s, %s : tensor<8x4xf32>, tensor<4x8xf32>, tensor<4xf32>, tensor<4xf32>
  } -> tensor<16x4xf32>, tensor<4x?xf32>, tensor<2x4xf32>, tensor<4xf32>
  return %r#0, %r#1, %r#2, %r#3 : tensor<16x4xf32>, tensor<4x?xf32>, tensor<2x4xf32>, tensor<4xf32>
}
