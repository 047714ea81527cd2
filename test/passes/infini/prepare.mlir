// RUN: infini-opt %s --infini-prepare | FileCheck %s
// RUN: infini-opt %s --infini-prepare --infini-form-dispatches | FileCheck %s --check-prefix=KERNEL

// Arithmetic on tensors becomes linalg, and so gets a kernel.

// CHECK-LABEL: func @addf
// CHECK: linalg.generic
// CHECK: arith.addf %{{.*}} : f32
// KERNEL-LABEL: func @addf
// KERNEL: program.dispatch
func.func @addf(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = arith.addf %x, %x : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// Numbers among arguments and results become tensors of rank 0; sizes stay.

// CHECK-LABEL: func @numbers
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>, %[[S:.*]]: tensor<f32>, %{{.*}}: index) -> (tensor<4xf32>, tensor<f32>)
// CHECK: tensor.extract %[[S]][]
// CHECK: tensor.from_elements
func.func @numbers(%x: tensor<4xf32>, %s: f32, %n: index) -> (tensor<4xf32>, f32) {
  %t = arith.mulf %s, %s : f32
  return %x, %t : tensor<4xf32>, f32
}

// Softmax becomes its parts.

// CHECK-LABEL: func @softmax
// CHECK-NOT: linalg.softmax
// CHECK: math.exp
func.func @softmax(%x: tensor<?x8xf32>, %out: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = linalg.softmax dimension(1) ins(%x : tensor<?x8xf32>) outs(%out : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
