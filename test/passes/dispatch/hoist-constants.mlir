// RUN: infini-opt %s --infini-hoist-constants --canonicalize --split-input-file | FileCheck %s

// The conversion of a weight runs once a session; the weight itself is no
// argument of the step any more, as nothing else uses it.
// CHECK-LABEL: func.func @step.init
// CHECK-SAME: (%[[W:.*]]: tensor<8x8xf16> {program.name = "w", program.role = "weight"}) -> (tensor<8x8xf32> {program.name = "constant.0", program.role = "constant"})
// CHECK: %[[R:.*]] = program.dispatch @widen ins(%[[W]] : tensor<8x8xf16>)
// CHECK: return %[[R]]
// CHECK-LABEL: func.func @step(
// CHECK-SAME: %[[X:.*]]: tensor<?x8xf32>, %[[V:.*]]: tensor<8xf32> {program.name = "v", program.role = "weight"}, %[[C:.*]]: tensor<8x8xf32> {program.name = "constant.0", program.role = "constant"})
// CHECK-NOT: @widen
// CHECK: %[[Y:.*]] = program.gemm %[[X]], %[[C]] into
// CHECK: program.dispatch @bias {{.*}} ins(%[[Y]], %[[V]] :
func.func @step(%x: tensor<?x8xf32>, %w: tensor<8x8xf16> {program.role = "weight", program.name = "w"},
                %v: tensor<8xf32> {program.role = "weight", program.name = "v"}) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %e = tensor.empty() : tensor<8x8xf32>
  %w32 = program.dispatch @widen ins(%w : tensor<8x8xf16>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %o = tensor.empty(%n) : tensor<?x8xf32>
  %y = program.gemm %x, %w32 into %o : tensor<?x8xf32>, tensor<8x8xf32>, tensor<?x8xf32>
  %o2 = tensor.empty(%n) : tensor<?x8xf32>
  %z = program.dispatch @bias scalars(%n) ins(%y, %v : tensor<?x8xf32>, tensor<8xf32>) outs(%o2 : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %z : tensor<?x8xf32>
}

// A function without weights and states has no session.
// CHECK-NOT: @stateless.init
// CHECK-LABEL: func.func @stateless(
// CHECK: program.dispatch @make
func.func @stateless(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %e = tensor.empty() : tensor<8x8xf32>
  %t = program.dispatch @make outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %y = program.gemm %x, %t into %e : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>
  return %y : tensor<8x8xf32>
}

// A state is enough of one; a table needs no weight.
// CHECK-LABEL: func.func @table.init()
// CHECK: program.dispatch @make
// CHECK-LABEL: func.func @table(
// CHECK-SAME: %[[X:.*]]: tensor<8x8xf32>, %[[S:.*]]: tensor<8x8xf32> {{.*}}, %[[C:.*]]: tensor<8x8xf32> {{.*}}"constant"
// A constant that is updated is still an operand here: copies come later.
// CHECK: program.gemm %[[X]], %[[S]] into %[[C]] {accumulate}
// CHECK: %[[FLAT:.*]] = tensor.collapse_shape %[[C]]
// CHECK: return %{{.*}}, %[[FLAT]]
func.func @table(%x: tensor<8x8xf32>, %s: tensor<8x8xf32> {program.role = "state", program.name = "s"})
    -> (tensor<8x8xf32>, tensor<64xf32>) {
  %e = tensor.empty() : tensor<8x8xf32>
  %t = program.dispatch @make outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %y = program.gemm %x, %s into %t {accumulate} : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>
  %flat = tensor.collapse_shape %t [[0, 1]] : tensor<8x8xf32> into tensor<64xf32>
  return %y, %flat : tensor<8x8xf32>, tensor<64xf32>
}

// Of a chain only the last value is kept.
// CHECK-LABEL: func.func @chain.init
// CHECK: %[[T:.*]] = program.dispatch @make
// CHECK: %[[P:.*]] = program.gemm %{{.*}}, %[[T]] into
// CHECK: return %[[P]] : tensor<8x8xf32>
// CHECK-LABEL: func.func @chain(
// CHECK-SAME: %[[X:.*]]: tensor<8x8xf32>, %[[C:.*]]: tensor<8x8xf32> {program.name = "constant.0", program.role = "constant"})
// CHECK: program.gemm %[[X]], %[[C]] into
func.func @chain(%w: tensor<8x8xf32> {program.role = "weight", program.name = "w"}, %x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %e = tensor.empty() : tensor<8x8xf32>
  %t = program.dispatch @make outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %p = program.gemm %w, %t into %e : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>
  %y = program.gemm %x, %p into %e : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>
  return %y : tensor<8x8xf32>
}

// What depends on a state, an input, or a size does not move.
// CHECK-NOT: @stays.init
// CHECK-LABEL: func.func @stays(
// CHECK: program.dispatch @update
func.func @stays(%s: tensor<8x8xf32> {program.role = "state", program.name = "s"}) -> tensor<8x8xf32> {
  %e = tensor.empty() : tensor<8x8xf32>
  %t = program.dispatch @update ins(%s : tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %t : tensor<8x8xf32>
}

module @widen attributes {program.kernel} {
  func.func private @widen(tensor<8x8xf16>, tensor<8x8xf32>) -> tensor<8x8xf32>
}
module @bias attributes {program.kernel} {
  func.func private @bias(tensor<?x8xf32>, tensor<8xf32>, tensor<?x8xf32>, index) -> tensor<?x8xf32>
}
module @make attributes {program.kernel} {
  func.func private @make(tensor<8x8xf32>) -> tensor<8x8xf32>
}
module @update attributes {program.kernel} {
  func.func private @update(tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
}
