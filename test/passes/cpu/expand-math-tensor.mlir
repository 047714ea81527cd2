// RUN: infini-opt %s --infini-expand-math | FileCheck %s

// Only numbers and vectors are expanded; a tensor stays as it is.

// CHECK-LABEL: func @tensor
func.func @tensor(%x: tensor<8xf32>) -> tensor<8xf32> {
  // CHECK-NEXT: math.exp %{{.*}} : tensor<8xf32>
  %y = math.exp %x : tensor<8xf32>
  return %y : tensor<8xf32>
}
