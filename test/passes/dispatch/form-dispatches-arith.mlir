// RUN: infini-opt %s --infini-form-dispatches | FileCheck %s

// Arithmetic on tensors of dynamic size is refused as if its size were unknown; of static size, fails later.

// CHECK-LABEL: func @addf
func.func @addf(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: program.dispatch
  %y = arith.addf %x, %x : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
