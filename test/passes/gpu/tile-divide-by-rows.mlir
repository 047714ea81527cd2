// RUN: infini-opt %s -pass-pipeline='builtin.module(func.func(tile-divide-by-rows,cse))' | FileCheck %s

// One division a row, of a number that has a reciprocal.
// CHECK-LABEL: func @rows
// CHECK-SAME: %[[X:.*]]: tensor<64x32xf32>, %[[Y:.*]]: tensor<64xf32>
// CHECK-DAG: %[[ONE:.*]] = arith.constant dense<1.000000e+00> : tensor<64xf32>
// CHECK-DAG: %[[UP:.*]] = arith.constant dense<1.84467441E+19> : tensor<64xf32>
// CHECK-DAG: %[[DOWN:.*]] = arith.constant dense<5.42101086E-20> : tensor<64xf32>
// CHECK: %[[SIZE:.*]] = math.absf %[[Y]]
// CHECK: %[[LARGE:.*]] = arith.cmpf ogt, %[[SIZE]]
// CHECK: %[[S:.*]] = arith.select %[[LARGE]], %[[DOWN]], %[[ONE]]
// CHECK: %[[SMALL:.*]] = arith.cmpf olt, %[[SIZE]]
// CHECK: %[[F:.*]] = arith.select %[[SMALL]], %[[UP]], %[[S]]
// CHECK: %[[P:.*]] = arith.mulf %[[Y]], %[[F]]
// CHECK: %[[R:.*]] = arith.divf %[[ONE]], %[[P]] : tensor<64xf32>
// CHECK: %[[FS:.*]] = tile.broadcast %[[F]] along [1]
// CHECK: %[[XS:.*]] = arith.mulf %[[X]], %[[FS]]
// CHECK: %[[RS:.*]] = tile.broadcast %[[R]] along [1]
// CHECK: %[[Q:.*]] = arith.mulf %[[XS]], %[[RS]]
// CHECK-NOT: arith.divf
// CHECK: return %[[Q]]
func.func @rows(%x: tensor<64x32xf32>, %y: tensor<64xf32>) -> tensor<64x32xf32> {
  %b = tile.broadcast %y along [1] : tensor<64xf32> -> tensor<64x32xf32>
  %q = arith.divf %x, %b : tensor<64x32xf32>
  return %q : tensor<64x32xf32>
}

// One number for all.
// CHECK-LABEL: func @scalar
// CHECK: arith.divf %{{.*}}, %{{.*}} : f32
// CHECK: tile.broadcast %{{.*}} along [0, 1] : f32
func.func @scalar(%x: tensor<64x32xf32>, %y: f32) -> tensor<64x32xf32> {
  %b = tile.broadcast %y along [0, 1] : f32 -> tensor<64x32xf32>
  %q = arith.divf %x, %b : tensor<64x32xf32>
  return %q : tensor<64x32xf32>
}

// Element by element, and other types, stay.
// CHECK-LABEL: func @stay
// CHECK: arith.divf %{{.*}}, %{{.*}} : tensor<64x32xf32>
// CHECK: arith.divf %{{.*}}, %{{.*}} : tensor<64x32xf64>
func.func @stay(%x: tensor<64x32xf32>, %y: tensor<64x32xf32>, %u: tensor<64x32xf64>, %v: tensor<64xf64>)
    -> (tensor<64x32xf32>, tensor<64x32xf64>) {
  %q = arith.divf %x, %y : tensor<64x32xf32>
  %b = tile.broadcast %v along [1] : tensor<64xf64> -> tensor<64x32xf64>
  %r = arith.divf %u, %b : tensor<64x32xf64>
  return %q, %r : tensor<64x32xf32>, tensor<64x32xf64>
}
