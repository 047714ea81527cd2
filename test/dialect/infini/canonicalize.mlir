// RUN: infini-opt %s --canonicalize --split-input-file | FileCheck %s

// β = −∞ closes the gate, whatever its rank.
// CHECK-LABEL: func @closed_gate
// CHECK-SAME: (%{{.*}}: tensor<1x8x?x64xf32>, %[[DOT:.*]]: tensor<1x8x?x64xf32>)
// CHECK-NEXT: return %[[DOT]]
func.func @closed_gate(%mem: tensor<1x8x?x64xf32>, %dot: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %beta = arith.constant dense<0xFF800000> : tensor<8xf32>
  %a = infini.gate %mem, %dot, %beta : tensor<1x8x?x64xf32>, tensor<8xf32>
  return %a : tensor<1x8x?x64xf32>
}

// -----

// CHECK-LABEL: func @closed_gate_local_only
// CHECK-SAME: (%{{.*}}: tensor<1x8x?x64xf32>, %[[DOT:[^:]*]]: tensor<1x8x?x64xf32>
// CHECK-NEXT: return %[[DOT]]
func.func @closed_gate_local_only(%mem: tensor<1x8x?x64xf32>, %dot: tensor<1x8x?x64xf32>,
                                  %z: tensor<1x2x64xf32>) -> tensor<1x8x?x64xf32> {
  %beta = arith.constant dense<0xFF80> : tensor<8x64xbf16>
  %a = infini.gate %mem, %dot, %beta normalizer(%z : tensor<1x2x64xf32>)
    {first_segment = #infini.first_segment<local_only>} : tensor<1x8x?x64xf32>, tensor<8x64xbf16>
  return %a : tensor<1x8x?x64xf32>
}

// -----

// β = +∞ opens it.
// CHECK-LABEL: func @open_gate
// CHECK-SAME: (%[[MEM:[^:]*]]: tensor<1x8x?x64xf32>
// CHECK-NEXT: return %[[MEM]]
func.func @open_gate(%mem: tensor<1x8x?x64xf32>, %dot: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %beta = arith.constant dense<0x7F800000> : tensor<8x64xf32>
  %a = infini.gate %mem, %dot, %beta : tensor<1x8x?x64xf32>, tensor<8x64xf32>
  return %a : tensor<1x8x?x64xf32>
}

// -----

// An open gate passes the first segment all the same.
// CHECK-LABEL: func @open_gate_local_only
// CHECK: infini.gate
func.func @open_gate_local_only(%mem: tensor<1x8x?x64xf32>, %dot: tensor<1x8x?x64xf32>,
                                %z: tensor<1x2x64xf32>) -> tensor<1x8x?x64xf32> {
  %beta = arith.constant dense<0x7F800000> : tensor<8xf32>
  %a = infini.gate %mem, %dot, %beta normalizer(%z : tensor<1x2x64xf32>)
    {first_segment = #infini.first_segment<local_only>} : tensor<1x8x?x64xf32>, tensor<8xf32>
  return %a : tensor<1x8x?x64xf32>
}

// -----

// Finite, NaN, mixed, and unknown values stay.
// CHECK-LABEL: func @other_gates
// CHECK-COUNT-4: infini.gate
func.func @other_gates(%mem: tensor<1x2x?x64xf32>, %dot: tensor<1x2x?x64xf32>, %beta: tensor<2xf32>)
    -> tensor<1x2x?x64xf32> {
  %finite = arith.constant dense<-1.0e30> : tensor<2xf32>
  %nan = arith.constant dense<0x7FC00000> : tensor<2xf32>
  %mixed = arith.constant dense<[0xFF800000, 0x7F800000]> : tensor<2xf32>
  %a = infini.gate %mem, %dot, %finite : tensor<1x2x?x64xf32>, tensor<2xf32>
  %b = infini.gate %a, %dot, %nan : tensor<1x2x?x64xf32>, tensor<2xf32>
  %c = infini.gate %b, %dot, %mixed : tensor<1x2x?x64xf32>, tensor<2xf32>
  %d = infini.gate %c, %dot, %beta : tensor<1x2x?x64xf32>, tensor<2xf32>
  return %d : tensor<1x2x?x64xf32>
}

// -----

// A window that holds every key is the causal mask.
// CHECK-LABEL: func @wide_window
// CHECK: infini.segment_attention
// CHECK-NOT: window
// CHECK: return
func.func @wide_window(%q: tensor<1x2x16x8xf32>, %k: tensor<1x2x16x8xf32>, %v: tensor<1x2x16x8xf32>)
    -> tensor<1x2x16x8xf32> {
  %o = infini.segment_attention %q, %k, %v {mask = #infini.mask<window>, window = 16 : i64}
    : (tensor<1x2x16x8xf32>, tensor<1x2x16x8xf32>, tensor<1x2x16x8xf32>) -> tensor<1x2x16x8xf32>
  return %o : tensor<1x2x16x8xf32>
}

// -----

// Past keys count.
// CHECK-LABEL: func @window_and_past
// CHECK: infini.segment_attention {{.*}}window = 16 : i64
// CHECK: infini.segment_attention {{.*}} past(
// CHECK-NOT: window
// CHECK: return
func.func @window_and_past(%q: tensor<1x2x16x8xf32>, %k: tensor<1x2x16x8xf32>, %p: tensor<1x2x4x8xf32>)
    -> (tensor<1x2x16x8xf32>, tensor<1x2x16x8xf32>) {
  %a = infini.segment_attention %q, %k, %k past(%p, %p : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>)
    {mask = #infini.mask<window>, window = 16 : i64}
    : (tensor<1x2x16x8xf32>, tensor<1x2x16x8xf32>, tensor<1x2x16x8xf32>) -> tensor<1x2x16x8xf32>
  %b = infini.segment_attention %q, %k, %k past(%p, %p : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>)
    {mask = #infini.mask<window>, window = 20 : i64}
    : (tensor<1x2x16x8xf32>, tensor<1x2x16x8xf32>, tensor<1x2x16x8xf32>) -> tensor<1x2x16x8xf32>
  return %a, %b : tensor<1x2x16x8xf32>, tensor<1x2x16x8xf32>
}

// -----

// With dynamic keys, or queries that may stand anywhere, the window stays.
// CHECK-LABEL: func @unknown_window
// CHECK-COUNT-2: window = 16 : i64
func.func @unknown_window(%q: tensor<1x2x16x8xf32>, %k: tensor<1x2x?x8xf32>, %s: tensor<1x2x16x8xf32>,
                          %at: index) -> (tensor<1x2x16x8xf32>, tensor<1x2x16x8xf32>) {
  %a = infini.segment_attention %q, %k, %k {mask = #infini.mask<window>, window = 16 : i64}
    : (tensor<1x2x16x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>) -> tensor<1x2x16x8xf32>
  %b = infini.segment_attention %q, %s, %s query_offset(%at) {mask = #infini.mask<window>, window = 16 : i64}
    : (tensor<1x2x16x8xf32>, tensor<1x2x16x8xf32>, tensor<1x2x16x8xf32>) -> tensor<1x2x16x8xf32>
  return %a, %b : tensor<1x2x16x8xf32>, tensor<1x2x16x8xf32>
}

// -----

// Static sizes behind casts reach the op.
// CHECK-LABEL: func @static_sizes
// CHECK-SAME: (%[[X:.*]]: tensor<1x2x16x8xf32>)
// CHECK-NEXT: %[[Y:.*]] = infini.feature_map %[[X]] : tensor<1x2x16x8xf32>
// CHECK-NEXT: return %[[Y]]
func.func @static_sizes(%x: tensor<1x2x16x8xf32>) -> tensor<1x2x16x8xf32> {
  %a = tensor.cast %x : tensor<1x2x16x8xf32> to tensor<1x2x?x8xf32>
  %b = infini.feature_map %a : tensor<1x2x?x8xf32>
  %c = tensor.cast %b : tensor<1x2x?x8xf32> to tensor<1x2x16x8xf32>
  return %c : tensor<1x2x16x8xf32>
}
