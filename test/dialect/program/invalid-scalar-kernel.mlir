// RUN: infini-opt %s --split-input-file --verify-diagnostics

// A kernel that takes no tensor has its type checked, too.

// dispatch_c2: a kernel with scalars alone is not a lowered one.
module @scale attributes {program.kernel} {
  func.func @scale(%n: index) {
    return
  }
}
func.func @dispatch_of_scalars(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'program.dispatch' op expected kernel @scale to have type '(tensor<4xf32>) -> tensor<4xf32>', got '(index) -> ()'}}
  %y = program.dispatch @scale outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// dispatch_c2: nor is one without arguments.
module @scale attributes {program.kernel} {
  func.func @scale() {
    return
  }
}
func.func @dispatch_without_arguments(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'program.dispatch' op expected kernel @scale to have type '(tensor<4xf32>) -> tensor<4xf32>', got '() -> ()'}}
  %y = program.dispatch @scale outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
