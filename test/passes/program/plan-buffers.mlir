// RUN: infini-opt %s --infini-plan-buffers --split-input-file | FileCheck %s

// Kernel @k makes its output from its input; @u updates its output.
module @k attributes {program.kernel} {
  func.func private @k(tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
}
module @u attributes {program.kernel} {
  func.func private @u(tensor<8xf32>) -> tensor<8xf32>
}

// CHECK-LABEL: func @in_place
// CHECK-SAME: (%[[S:.*]]: tensor<8xf32> {
// CHECK-NEXT: %[[N:.*]] = program.dispatch @u outs(%[[S]] : tensor<8xf32>)
// CHECK-NEXT: return %[[N]]
func.func @in_place(%s: tensor<8xf32> {program.role = "state", program.name = "s"})
    -> (tensor<8xf32> {program.role = "state", program.name = "s"}) {
  %n = program.dispatch @u outs(%s : tensor<8xf32>) -> tensor<8xf32>
  return %n : tensor<8xf32>
}

// The old contents are used after the update: it happens elsewhere, and is copied back.
// CHECK-LABEL: func @old_still_used
// CHECK-SAME: (%[[S:.*]]: tensor<8xf32> {
// CHECK-NEXT: %[[B:.*]] = program.buffer {slot = 0 : i64}
// CHECK-NEXT: %[[C:.*]] = program.copy %[[S]] into %[[B]]
// CHECK-NEXT: %[[N:.*]] = program.dispatch @u outs(%[[C]] :
// CHECK-NEXT: %[[E:.*]] = tensor.empty()
// CHECK-NEXT: %[[Y:.*]] = program.dispatch @k ins(%[[S]] : tensor<8xf32>) outs(%[[E]] :
// CHECK-NEXT: %[[NEW:.*]] = program.copy %[[N]] into %[[S]]
// CHECK-NEXT: return %[[Y]], %[[NEW]]
func.func @old_still_used(%s: tensor<8xf32> {program.role = "state", program.name = "s"})
    -> (tensor<8xf32>, tensor<8xf32> {program.role = "state", program.name = "s"}) {
  %n = program.dispatch @u outs(%s : tensor<8xf32>) -> tensor<8xf32>
  %e = tensor.empty() : tensor<8xf32>
  %y = program.dispatch @k ins(%s : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  return %y, %n : tensor<8xf32>, tensor<8xf32>
}

// Also where the old contents are themselves a result, seen through a reshape.
// CHECK-LABEL: func @old_is_a_result
// CHECK-SAME: (%[[S:.*]]: tensor<8xf32> {
// CHECK-NEXT: %[[V:.*]] = tensor.expand_shape %[[S]]
// CHECK-NEXT: %[[B:.*]] = program.buffer
// CHECK-NEXT: %[[C:.*]] = program.copy %[[S]] into %[[B]]
// CHECK-NEXT: %[[N:.*]] = program.dispatch @u outs(%[[C]] :
// CHECK-NEXT: %[[E:.*]] = tensor.empty() : tensor<2x4xf32>
// CHECK-NEXT: %[[R:.*]] = program.copy %[[V]] into %[[E]]
// CHECK-NEXT: %[[NEW:.*]] = program.copy %[[N]] into %[[S]]
// CHECK-NEXT: return %[[R]], %[[NEW]]
func.func @old_is_a_result(%s: tensor<8xf32> {program.role = "state", program.name = "s"})
    -> (tensor<2x4xf32>, tensor<8xf32> {program.role = "state", program.name = "s"}) {
  %v = tensor.expand_shape %s [[0, 1]] output_shape [2, 4] : tensor<8xf32> into tensor<2x4xf32>
  %n = program.dispatch @u outs(%s : tensor<8xf32>) -> tensor<8xf32>
  return %v, %n : tensor<2x4xf32>, tensor<8xf32>
}

// One tensor as input and output of a kernel: it may read what it has written.
// CHECK-LABEL: func @input_and_output
// CHECK-SAME: (%[[S:.*]]: tensor<8xf32> {
// CHECK: %[[C:.*]] = program.copy %[[S]] into
// CHECK: program.dispatch @k ins(%[[S]] : tensor<8xf32>) outs(%[[C]] :
// CHECK: program.copy %{{.*}} into %[[S]]
func.func @input_and_output(%s: tensor<8xf32> {program.role = "state", program.name = "s"})
    -> (tensor<8xf32> {program.role = "state", program.name = "s"}) {
  %n = program.dispatch @k ins(%s : tensor<8xf32>) outs(%s : tensor<8xf32>) -> tensor<8xf32>
  return %n : tensor<8xf32>
}

// Arguments that are no states are never written.
// CHECK-LABEL: func @argument
// CHECK-SAME: (%[[X:.*]]: tensor<8xf32>)
// CHECK-NEXT: %[[E:.*]] = tensor.empty()
// CHECK-NEXT: %[[C:.*]] = program.copy %[[X]] into %[[E]]
// CHECK-NEXT: program.dispatch @u outs(%[[C]] :
func.func @argument(%x: tensor<8xf32>) -> tensor<8xf32> {
  %n = program.dispatch @u outs(%x : tensor<8xf32>) -> tensor<8xf32>
  return %n : tensor<8xf32>
}

// A result that is an argument is copied, for each result once.
// CHECK-LABEL: func @result_is_argument
// CHECK-SAME: (%[[X:.*]]: tensor<8xf32>)
// CHECK: %[[A:.*]] = program.copy %[[X]] into
// CHECK: %[[B:.*]] = program.copy %[[X]] into
// CHECK: return %[[A]], %[[B]]
func.func @result_is_argument(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  return %x, %x : tensor<8xf32>, tensor<8xf32>
}

// Outputs are no slots: the caller owns them. The same value twice needs two.
// CHECK-LABEL: func @one_value_two_results
// CHECK-NOT: program.buffer
// CHECK: %[[Y:.*]] = program.dispatch @k
// CHECK: %[[E:.*]] = tensor.empty()
// CHECK: %[[C:.*]] = program.copy %[[Y]] into %[[E]]
// CHECK: return %[[Y]], %[[C]]
func.func @one_value_two_results(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %e = tensor.empty() : tensor<8xf32>
  %y = program.dispatch @k ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  return %y, %y : tensor<8xf32>, tensor<8xf32>
}

// Two loop-carried values change places: each is saved before either is written.
// CHECK-LABEL: func @swap
// CHECK-SAME: (%[[A:.*]]: tensor<8xf32> {{.*}}, %[[B:.*]]: tensor<8xf32> {{.*}}, %{{.*}}: index)
// CHECK: scf.for {{.*}} iter_args(%[[X:[a-z0-9_]+]] = %[[A]], %[[Y:[a-z0-9_]+]] = %[[B]])
// CHECK-NEXT: %[[S0:.*]] = program.buffer {slot = 0 : i64}
// CHECK-NEXT: %[[Y0:.*]] = program.copy %[[Y]] into %[[S0]]
// CHECK-NEXT: %[[S1:.*]] = program.buffer {slot = 1 : i64}
// CHECK-NEXT: %[[X0:.*]] = program.copy %[[X]] into %[[S1]]
// CHECK-NEXT: %[[NX:.*]] = program.copy %[[Y0]] into %[[X]]
// CHECK-NEXT: %[[NY:.*]] = program.copy %[[X0]] into %[[Y]]
// CHECK-NEXT: scf.yield %[[NX]], %[[NY]]
func.func @swap(%a: tensor<8xf32> {program.role = "state", program.name = "a"},
                %b: tensor<8xf32> {program.role = "state", program.name = "b"}, %n: index)
    -> (tensor<8xf32> {program.role = "state", program.name = "a"},
        tensor<8xf32> {program.role = "state", program.name = "b"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%x = %a, %y = %b) -> (tensor<8xf32>, tensor<8xf32>) {
    scf.yield %y, %x : tensor<8xf32>, tensor<8xf32>
  }
  return %r#0, %r#1 : tensor<8xf32>, tensor<8xf32>
}

// The same for two states.
// CHECK-LABEL: func @swap_states
// CHECK-SAME: (%[[A:.*]]: tensor<8xf32> {{.*}}, %[[B:.*]]: tensor<8xf32> {{.*}})
// CHECK: %[[B0:.*]] = program.copy %[[B]] into
// CHECK: %[[A0:.*]] = program.copy %[[A]] into
// CHECK: %[[NA:.*]] = program.copy %[[B0]] into %[[A]]
// CHECK: %[[NB:.*]] = program.copy %[[A0]] into %[[B]]
// CHECK: return %[[NA]], %[[NB]]
func.func @swap_states(%a: tensor<8xf32> {program.role = "state", program.name = "a"},
                       %b: tensor<8xf32> {program.role = "state", program.name = "b"})
    -> (tensor<8xf32> {program.role = "state", program.name = "a"},
        tensor<8xf32> {program.role = "state", program.name = "b"}) {
  return %b, %a : tensor<8xf32>, tensor<8xf32>
}

// One value begins two loop-carried ones, which then differ.
// CHECK-LABEL: func @forked
// CHECK: %[[T:.*]] = program.dispatch @k
// CHECK: %[[C:.*]] = program.copy %[[T]] into
// CHECK: scf.for {{.*}} iter_args(%[[X:[a-z0-9_]+]] = %[[C]], %[[Y:[a-z0-9_]+]] = %[[T]])
// CHECK-NEXT: program.dispatch @u outs(%[[X]] :
// CHECK-NEXT: program.dispatch @k ins(%{{.*}}) outs(%[[Y]] :
// CHECK-NEXT: scf.yield
func.func @forked(%n: index, %a: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %e = tensor.empty() : tensor<8xf32>
  %t = program.dispatch @k ins(%a : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%x = %t, %y = %t) -> (tensor<8xf32>, tensor<8xf32>) {
    %p = program.dispatch @u outs(%x : tensor<8xf32>) -> tensor<8xf32>
    %q = program.dispatch @k ins(%p : tensor<8xf32>) outs(%y : tensor<8xf32>) -> tensor<8xf32>
    scf.yield %p, %q : tensor<8xf32>, tensor<8xf32>
  }
  return %r#0, %r#1 : tensor<8xf32>, tensor<8xf32>
}

// A value from outside the loop is needed in the next round, too.
// CHECK-LABEL: func @outer_value
// CHECK: %[[T:.*]] = program.dispatch @k
// CHECK: scf.for {{.*}} iter_args(%[[ACC:[a-z0-9_]+]] =
// CHECK: %[[C:.*]] = program.copy %[[T]] into
// CHECK: %[[Y:.*]] = program.dispatch @u outs(%[[C]] :
// CHECK: %[[N:.*]] = program.copy %[[Y]] into %[[ACC]]
// CHECK: scf.yield %[[N]]
func.func @outer_value(%x: tensor<8xf32>, %n: index) -> tensor<8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %e = tensor.empty() : tensor<8xf32>
  %t = program.dispatch @k ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %x) -> tensor<8xf32> {
    %y = program.dispatch @u outs(%t : tensor<8xf32>) -> tensor<8xf32>
    scf.yield %y : tensor<8xf32>
  }
  return %r : tensor<8xf32>
}

// A slot is free again after the last use of its buffer.
// CHECK-LABEL: func @liveness
// CHECK-SAME: (%[[X:.*]]: tensor<8xf32>)
// CHECK-NEXT: %[[B0:.*]] = program.buffer {slot = 0 : i64} : tensor<8xf32>
// CHECK-NEXT: %[[A:.*]] = program.dispatch @k ins(%[[X]] : tensor<8xf32>) outs(%[[B0]] :
// CHECK-NEXT: %[[B1:.*]] = program.buffer {slot = 1 : i64} : tensor<8xf32>
// CHECK-NEXT: %[[B:.*]] = program.dispatch @k ins(%[[A]] : tensor<8xf32>) outs(%[[B1]] :
// CHECK-NEXT: %[[B2:.*]] = program.buffer {slot = 0 : i64} : tensor<8xf32>
// CHECK-NEXT: %[[C:.*]] = program.dispatch @k ins(%[[B]] : tensor<8xf32>) outs(%[[B2]] :
// CHECK-NEXT: %[[E:.*]] = tensor.empty()
// CHECK-NEXT: %[[D:.*]] = program.dispatch @k ins(%[[C]] : tensor<8xf32>) outs(%[[E]] :
// CHECK-NEXT: return %[[D]]
func.func @liveness(%x: tensor<8xf32>) -> tensor<8xf32> {
  %e = tensor.empty() : tensor<8xf32>
  %a = program.dispatch @k ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %b = program.dispatch @k ins(%a : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %c = program.dispatch @k ins(%b : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %d = program.dispatch @k ins(%c : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  return %d : tensor<8xf32>
}

// What a loop reads keeps its slot for all rounds.
// CHECK-LABEL: func @live_through_loop
// CHECK: %[[B0:.*]] = program.buffer {slot = 0 : i64}
// CHECK: %[[T:.*]] = program.dispatch @k {{.*}} outs(%[[B0]] :
// CHECK: scf.for {{.*}} iter_args(%[[ACC:[a-z0-9_]+]] =
// CHECK: %[[B1:.*]] = program.buffer {slot = 1 : i64}
// CHECK: %[[Y:.*]] = program.dispatch @k ins(%[[T]] : tensor<8xf32>) outs(%[[B1]] :
// CHECK: %[[Z:.*]] = program.dispatch @k ins(%[[Y]] : tensor<8xf32>) outs(%[[ACC]] :
// CHECK: scf.yield %[[Z]]
func.func @live_through_loop(%x: tensor<8xf32>, %n: index) -> tensor<8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %e = tensor.empty() : tensor<8xf32>
  %t = program.dispatch @k ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %o = tensor.empty() : tensor<8xf32>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %o) -> tensor<8xf32> {
    %f = tensor.empty() : tensor<8xf32>
    %y = program.dispatch @k ins(%t : tensor<8xf32>) outs(%f : tensor<8xf32>) -> tensor<8xf32>
    %z = program.dispatch @k ins(%y : tensor<8xf32>) outs(%acc : tensor<8xf32>) -> tensor<8xf32>
    scf.yield %z : tensor<8xf32>
  }
  return %r : tensor<8xf32>
}

// Static and dynamic sizes do not share a slot; the sizes of a copy come from its source.
// CHECK-LABEL: func @dynamic
// CHECK-SAME: (%[[X:.*]]: tensor<?x4xf32>)
// CHECK: %[[N:.*]] = tensor.dim %[[X]]
// CHECK: %[[E:.*]] = tensor.empty(%[[N]])
// CHECK: program.copy %[[X]] into %[[E]]
func.func @dynamic(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  return %x : tensor<?x4xf32>
}
