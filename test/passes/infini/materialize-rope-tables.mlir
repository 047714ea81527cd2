// RUN: infini-opt %s --infini-materialize-rope-tables --canonicalize --cse --split-input-file | FileCheck %s

// Within a scan: the positions of one segment, whatever its place in the text.
// CHECK-LABEL: func @in_scan
func.func @in_scan(%x: tensor<2x?x64xf32>) -> tensor<2x?x64xf32> {
  // CHECK: infini.segment_scan
  // CHECK: ^bb0(%[[XS:.*]]: tensor<2x?x64xf32>):
  // −2 ln(10⁴) / 64
  // CHECK: %[[STEP:.*]] = arith.constant -0.28782313662425574 : f64
  // CHECK: %[[T:.*]]:2 = linalg.generic {{.*}} outs(%{{.*}}, %{{.*}} : tensor<8x32xf32>, tensor<8x32xf32>)
  // Angles in f64, rounded once.
  // CHECK:   %[[J:.*]] = linalg.index 1 : index
  // CHECK:   %[[E:.*]] = arith.mulf %{{.*}}, %[[STEP]] : f64
  // CHECK:   %[[FREQUENCY:.*]] = math.exp %[[E]] : f64
  // CHECK:   %[[I:.*]] = linalg.index 0 : index
  // CHECK:   %[[ANGLE:.*]] = arith.mulf %{{.*}}, %[[FREQUENCY]] : f64
  // CHECK:   %[[COS:.*]] = math.cos %[[ANGLE]] : f64
  // CHECK:   %[[SIN:.*]] = math.sin %[[ANGLE]] : f64
  // CHECK:   %[[COS32:.*]] = arith.truncf %[[COS]] : f64 to f32
  // CHECK:   %[[SIN32:.*]] = arith.truncf %[[SIN]] : f64 to f32
  // CHECK:   linalg.yield %[[COS32]], %[[SIN32]] : f32, f32
  // CHECK: infini.rope %[[XS]] tables(%[[T]]#0, %[[T]]#1 : tensor<8x32xf32>, tensor<8x32xf32>) : tensor<2x?x64xf32>
  %o = infini.segment_scan sequences(%x : tensor<2x?x64xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 1>, output_axes = array<i64: 1>} {
  ^bb0(%xs: tensor<2x?x64xf32>):
    %r = infini.rope %xs {base = 1.0e4 : f64} : tensor<2x?x64xf32>
    infini.yield %r : tensor<2x?x64xf32>
  } -> tensor<2x?x64xf32>
  return %o : tensor<2x?x64xf32>
}

// -----

// Elsewhere: as many as there are tokens before and here. 16-bit types have tables in f32.
// CHECK-DAG: #[[SUM:.*]] = affine_map<()[s0, s1] -> (s0 + s1)>
// CHECK-LABEL: func @offset_and_factor
// CHECK-SAME: (%[[X:.*]]: tensor<2x?x64xf16>, %[[AT:.*]]: index)
func.func @offset_and_factor(%x: tensor<2x?x64xf16>, %at: index) -> tensor<2x?x64xf16> {
  // CHECK-DAG: %[[FACTOR:.*]] = arith.constant 4.000000e+00 : f64
  // CHECK-DAG: %[[L:.*]] = tensor.dim %[[X]], %{{.*}}
  // CHECK: %[[N:.*]] = affine.apply #[[SUM]]()[%[[L]], %[[AT]]]
  // CHECK: tensor.empty(%[[N]]) : tensor<?x32xf32>
  // CHECK: %[[T:.*]]:2 = linalg.generic
  // CHECK: %[[ANGLE:.*]] = arith.divf %{{.*}}, %[[FACTOR]] : f64
  // CHECK: math.cos %[[ANGLE]] : f64
  // CHECK: math.sin %[[ANGLE]] : f64
  // CHECK: infini.rope %[[X]] offset(%[[AT]]) tables(%[[T]]#0, %[[T]]#1 : tensor<?x32xf32>, tensor<?x32xf32>)
  // CHECK-SAME: {base = 5.000000e+05 : f64, factor = 4.000000e+00 : f64}
  %r = infini.rope %x offset(%at) {base = 5.0e5 : f64, factor = 4.0 : f64} : tensor<2x?x64xf16>
  return %r : tensor<2x?x64xf16>
}

// -----

// A dynamic head size; f64 is not rounded.
// CHECK-DAG: #[[HALF:.*]] = affine_map<()[s0] -> (s0 floordiv 2)>
// CHECK-LABEL: func @dynamic
// CHECK-SAME: (%[[X:.*]]: tensor<?x?xf64>)
func.func @dynamic(%x: tensor<?x?xf64>) -> tensor<?x?xf64> {
  // CHECK-DAG: %[[LOG:.*]] = arith.constant -18.420680743952367 : f64
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
  // CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
  // CHECK-DAG: %[[L:.*]] = tensor.dim %[[X]], %[[C0]]
  // CHECK-DAG: %[[D:.*]] = tensor.dim %[[X]], %[[C1]]
  // CHECK-DAG: %[[H:.*]] = affine.apply #[[HALF]]()[%[[D]]]
  // CHECK: arith.divf %[[LOG]], %{{.*}} : f64
  // CHECK: tensor.empty(%[[L]], %[[H]]) : tensor<?x?xf64>
  // CHECK-NOT: arith.truncf
  // CHECK: return
  %r = infini.rope %x : tensor<?x?xf64>
  return %r : tensor<?x?xf64>
}

// -----

// Tables that are given stay.
// CHECK-LABEL: func @given
// CHECK-SAME: (%[[X:.*]]: tensor<?x64xf32>, %[[COS:.*]]: tensor<?x32xf32>, %[[SIN:.*]]: tensor<?x32xf32>)
func.func @given(%x: tensor<?x64xf32>, %cos: tensor<?x32xf32>, %sin: tensor<?x32xf32>) -> tensor<?x64xf32> {
  // CHECK-NEXT: infini.rope %[[X]] tables(%[[COS]], %[[SIN]] : tensor<?x32xf32>, tensor<?x32xf32>)
  // CHECK-NEXT: return
  %r = infini.rope %x tables(%cos, %sin : tensor<?x32xf32>, tensor<?x32xf32>) : tensor<?x64xf32>
  return %r : tensor<?x64xf32>
}

// -----

// The same table twice is one after CSE.
// CHECK-LABEL: func @shared
func.func @shared(%q: tensor<2x8x64xf32>, %k: tensor<2x8x64xf32>) -> (tensor<2x8x64xf32>, tensor<2x8x64xf32>) {
  // CHECK-COUNT-1: linalg.generic
  // CHECK-NOT: linalg.generic
  // CHECK-COUNT-2: infini.rope
  %a = infini.rope %q : tensor<2x8x64xf32>
  %b = infini.rope %k : tensor<2x8x64xf32>
  return %a, %b : tensor<2x8x64xf32>, tensor<2x8x64xf32>
}
