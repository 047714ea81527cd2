// RUN: infini-opt %s --infini-form-dispatches | FileCheck %s

// A kernel gets a name that no function of the input has.

// CHECK-LABEL: func @exp_0
func.func @exp_0(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: program.dispatch @[[KERNEL:.*]] ins(
  %e = tensor.empty() : tensor<4xf32>
  %y = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
// CHECK: module @[[KERNEL]] attributes {program.kernel}
