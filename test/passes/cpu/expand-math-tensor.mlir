// RUN: infini-opt %s --infini-expand-math | FileCheck %s

// A tensor is taken for a scalar in the bit operations, and the pass fails on the IR it makes.

// CHECK-LABEL: func @tensor
func.func @tensor(%x: tensor<8xf32>) -> tensor<8xf32> {
  // CHECK-NEXT: math.exp %{{.*}} : tensor<8xf32>
  %y = math.exp %x : tensor<8xf32>
  return %y : tensor<8xf32>
}
