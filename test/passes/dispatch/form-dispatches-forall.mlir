// RUN: infini-opt %s --infini-form-dispatches --canonicalize --cse --split-input-file | FileCheck %s

// Parallel loops of the schedule, as segments become: a kernel for each root in
// the body, and in each a loop over all iterations. What one kernel computes for
// another is stacked, iteration by iteration.

// Each query head reads the keys of its group, so their rotation is not computed
// in the attention's tiles.
// CHECK-LABEL: func @two_kernels
// CHECK-SAME: (%[[Q:.*]]: tensor<1x4x?x32xf32>, %[[K:.*]]: tensor<1x2x?x32xf32>, %[[V:.*]]: tensor<1x2x?x32xf32>, %[[N:.*]]: index)
// CHECK: %[[E:.*]] = tensor.empty(%[[N]]) : tensor<?x1x2x16x32xf32>
// CHECK: %[[KR:.*]] = program.dispatch @rope_0 scalars(%[[N]]) ins(%[[K]] : tensor<1x2x?x32xf32>) outs(%[[E]] : tensor<?x1x2x16x32xf32>)
// CHECK: %[[O:.*]] = program.dispatch @segment_attention_0 scalars(%{{.*}}, %[[N]]) ins(%[[Q]], %[[V]], %[[KR]] : tensor<1x4x?x32xf32>, tensor<1x2x?x32xf32>, tensor<?x1x2x16x32xf32>) outs(%{{.*}} : tensor<1x4x?x32xf32>)
// CHECK-NOT: program.dispatch
// CHECK: return %[[O]]

// CHECK: module @segment_attention_0
// CHECK: func.func @segment_attention_0(%{{.*}}, %{{.*}}, %[[STACK:.*]]: tensor<?x1x2x16x32xf32> {bufferization.writable = false}, %{{.*}}: tensor<1x4x?x32xf32>, %{{.*}}: index, %[[S:.*]]: index)
// CHECK: scf.forall (%[[I:.*]]) in (%[[S]])
// CHECK:   %[[AT:.*]] = affine.apply #{{.*}}(%[[I]])
// CHECK:   tensor.extract_slice %[[STACK]][%[[I]], 0, 0, 0, 0] [1, 1, 2, 16, 32] [1, 1, 1, 1, 1] : tensor<?x1x2x16x32xf32> to tensor<1x2x16x32xf32>
// The root is tiled inside, as anywhere.
// CHECK:   scf.forall (%{{.*}}) in (4)
// CHECK:     infini.segment_attention {{.*}} -> tensor<1x1x16x32xf32>
// CHECK:   tensor.parallel_insert_slice %{{.*}} into %{{.*}}[0, 0, %[[AT]], 0] [1, 4, 16, 32]

// CHECK: module @rope_0
// CHECK: func.func @rope_0(
// CHECK: scf.forall (%[[I:.*]]) in (
// CHECK:   scf.forall (%{{.*}}) in (2)
// CHECK:     infini.rope
// CHECK:   tensor.parallel_insert_slice %{{.*}} into %{{.*}}[%[[I]], 0, 0, 0, 0] [1, 1, 2, 16, 32] [1, 1, 1, 1, 1] : tensor<1x2x16x32xf32> into tensor<?x1x2x16x32xf32>
func.func @two_kernels(%q: tensor<1x4x?x32xf32>, %k: tensor<1x2x?x32xf32>, %v: tensor<1x2x?x32xf32>, %n: index)
    -> tensor<1x4x?x32xf32> {
  %c2 = arith.constant 2 : index
  %t = tensor.dim %q, %c2 : tensor<1x4x?x32xf32>
  %e = tensor.empty(%t) : tensor<1x4x?x32xf32>
  %r = scf.forall (%i) in (%n) shared_outs(%o = %e) -> (tensor<1x4x?x32xf32>) {
    %at = affine.apply affine_map<(d0) -> (d0 * 16)>(%i)
    %qs = tensor.extract_slice %q[0, 0, %at, 0] [1, 4, 16, 32] [1, 1, 1, 1] : tensor<1x4x?x32xf32> to tensor<1x4x16x32xf32>
    %ks = tensor.extract_slice %k[0, 0, %at, 0] [1, 2, 16, 32] [1, 1, 1, 1] : tensor<1x2x?x32xf32> to tensor<1x2x16x32xf32>
    %vs = tensor.extract_slice %v[0, 0, %at, 0] [1, 2, 16, 32] [1, 1, 1, 1] : tensor<1x2x?x32xf32> to tensor<1x2x16x32xf32>
    %kr = infini.rope %ks {base = 1.0e4 : f64} : tensor<1x2x16x32xf32>
    %d = infini.segment_attention %qs, %kr, %vs
      : (tensor<1x4x16x32xf32>, tensor<1x2x16x32xf32>, tensor<1x2x16x32xf32>) -> tensor<1x4x16x32xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %d into %o[0, 0, %at, 0] [1, 4, 16, 32] [1, 1, 1, 1]
        : tensor<1x4x16x32xf32> into tensor<1x4x?x32xf32>
    }
  }
  return %r : tensor<1x4x?x32xf32>
}

// -----

// A result that leaves the loop and that another kernel reads: both, from one
// kernel. Two outputs of which each comes from its own kernel.
// CHECK-LABEL: func @leaves_and_is_read
// CHECK-SAME: (%[[X:.*]]: tensor<4x8x8xf32>)
// CHECK: %[[A:.*]]:2 = program.dispatch @exp_0 ins(%[[X]] : tensor<4x8x8xf32>) outs(%{{.*}}, %{{.*}} : tensor<4x8x8xf32>, tensor<4x1x8x8xf32>)
// CHECK: %[[B:.*]] = program.dispatch @reduction_0 ins(%[[A]]#1 : tensor<4x1x8x8xf32>) outs(%{{.*}} : tensor<4x8xf32>)
// CHECK: return %[[A]]#0, %[[B]]
func.func @leaves_and_is_read(%x: tensor<4x8x8xf32>) -> (tensor<4x8x8xf32>, tensor<4x8xf32>) {
  %o0 = tensor.empty() : tensor<4x8x8xf32>
  %p0 = tensor.empty() : tensor<4x8xf32>
  %zero = arith.constant 0.0 : f32
  %r:2 = scf.forall (%i) in (4) shared_outs(%o = %o0, %p = %p0) -> (tensor<4x8x8xf32>, tensor<4x8xf32>) {
    %xs = tensor.extract_slice %x[%i, 0, 0] [1, 8, 8] [1, 1, 1] : tensor<4x8x8xf32> to tensor<1x8x8xf32>
    %e = tensor.empty() : tensor<1x8x8xf32>
    %a = linalg.exp ins(%xs : tensor<1x8x8xf32>) outs(%e : tensor<1x8x8xf32>) -> tensor<1x8x8xf32>
    %f = tensor.empty() : tensor<1x8xf32>
    %z = linalg.fill ins(%zero : f32) outs(%f : tensor<1x8xf32>) -> tensor<1x8xf32>
    %b = linalg.reduce {arith.addf} ins(%a : tensor<1x8x8xf32>) outs(%z : tensor<1x8xf32>) dimensions = [2]
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %a into %o[%i, 0, 0] [1, 8, 8] [1, 1, 1] : tensor<1x8x8xf32> into tensor<4x8x8xf32>
      tensor.parallel_insert_slice %b into %p[%i, 0] [1, 8] [1, 1] : tensor<1x8xf32> into tensor<4x8xf32>
    }
  }
  return %r#0, %r#1 : tensor<4x8x8xf32>, tensor<4x8xf32>
}

// -----

// Loops of two layers: equal kernels are one, also where their ops and operands
// stand in another order.
// CHECK-LABEL: func @layers
// CHECK: program.dispatch @add_0
// CHECK: program.dispatch @add_0
// CHECK-NOT: program.dispatch
// CHECK: module @add_0
// CHECK-NOT: module @
func.func @layers(%x: tensor<4x8xf32>, %w: tensor<4x8xf32>, %u: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %o0 = tensor.empty() : tensor<4x8xf32>
  %r = scf.forall (%i) in (4) shared_outs(%o = %o0) -> (tensor<4x8xf32>) {
    %xs = tensor.extract_slice %x[%i, 0] [1, 8] [1, 1] : tensor<4x8xf32> to tensor<1x8xf32>
    %ws = tensor.extract_slice %w[%i, 0] [1, 8] [1, 1] : tensor<4x8xf32> to tensor<1x8xf32>
    %e = tensor.empty() : tensor<1x8xf32>
    %a = linalg.exp ins(%xs : tensor<1x8xf32>) outs(%e : tensor<1x8xf32>) -> tensor<1x8xf32>
    %b = linalg.tanh ins(%ws : tensor<1x8xf32>) outs(%e : tensor<1x8xf32>) -> tensor<1x8xf32>
    %c = linalg.add ins(%a, %b : tensor<1x8xf32>, tensor<1x8xf32>) outs(%e : tensor<1x8xf32>) -> tensor<1x8xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %c into %o[%i, 0] [1, 8] [1, 1] : tensor<1x8xf32> into tensor<4x8xf32>
    }
  }
  %s = scf.forall (%i) in (4) shared_outs(%o = %o0) -> (tensor<4x8xf32>) {
    %e = tensor.empty() : tensor<1x8xf32>
    %us = tensor.extract_slice %u[%i, 0] [1, 8] [1, 1] : tensor<4x8xf32> to tensor<1x8xf32>
    %b = linalg.tanh ins(%us : tensor<1x8xf32>) outs(%e : tensor<1x8xf32>) -> tensor<1x8xf32>
    %rs = tensor.extract_slice %r[%i, 0] [1, 8] [1, 1] : tensor<4x8xf32> to tensor<1x8xf32>
    %a = linalg.exp ins(%rs : tensor<1x8xf32>) outs(%e : tensor<1x8xf32>) -> tensor<1x8xf32>
    %c = linalg.add ins(%a, %b : tensor<1x8xf32>, tensor<1x8xf32>) outs(%e : tensor<1x8xf32>) -> tensor<1x8xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %c into %o[%i, 0] [1, 8] [1, 1] : tensor<1x8xf32> into tensor<4x8xf32>
    }
  }
  return %s : tensor<4x8xf32>
}

// -----

// What one kernel would leave for the next (as in @leaves_and_is_read) has
// another size in each iteration: one kernel runs the whole loop.
// CHECK-LABEL: func @not_one_size
// CHECK: %[[R:.*]]:2 = program.dispatch @forall_0
// CHECK-NOT: program.dispatch
// CHECK: return %[[R]]#0, %[[R]]#1
// CHECK: module @forall_0
// CHECK: scf.forall (%{{.*}}) in (%{{.*}})
// CHECK:   linalg.exp
// CHECK:   linalg.reduce
// CHECK-NOT: module @
func.func @not_one_size(%x: tensor<?x?xf32>, %o0: tensor<?x?xf32>, %n: index) -> (tensor<?x?xf32>, tensor<?xf32>) {
  %p0 = tensor.empty(%n) : tensor<?xf32>
  %zero = arith.constant 0.0 : f32
  %r:2 = scf.forall (%i) in (%n) shared_outs(%o = %o0, %p = %p0) -> (tensor<?x?xf32>, tensor<?xf32>) {
    %xs = tensor.extract_slice %x[%i, 0] [1, %i] [1, 1] : tensor<?x?xf32> to tensor<1x?xf32>
    %e = tensor.empty(%i) : tensor<1x?xf32>
    %a = linalg.exp ins(%xs : tensor<1x?xf32>) outs(%e : tensor<1x?xf32>) -> tensor<1x?xf32>
    %f = tensor.empty() : tensor<1xf32>
    %z = linalg.fill ins(%zero : f32) outs(%f : tensor<1xf32>) -> tensor<1xf32>
    %b = linalg.reduce {arith.addf} ins(%a : tensor<1x?xf32>) outs(%z : tensor<1xf32>) dimensions = [1]
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %a into %o[%i, 0] [1, %i] [1, 1] : tensor<1x?xf32> into tensor<?x?xf32>
      tensor.parallel_insert_slice %b into %p[%i] [1] [1] : tensor<1xf32> into tensor<?xf32>
    }
  }
  return %r#0, %r#1 : tensor<?x?xf32>, tensor<?xf32>
}

// -----

// Something from outside the loop is put into its result: no op of the body
// makes it, so one kernel runs the loop.
// CHECK-LABEL: func @from_outside
// CHECK: program.dispatch
// CHECK-NOT: program.dispatch
// CHECK: return
// CHECK: scf.forall
// CHECK:   tensor.parallel_insert_slice %{{.*}} into %{{.*}}[%{{.*}}, 0] [1, 8] [1, 1] : tensor<1x8xf32> into tensor<4x8xf32>
func.func @from_outside(%x: tensor<1x8xf32>) -> tensor<4x8xf32> {
  %o0 = tensor.empty() : tensor<4x8xf32>
  %r = scf.forall (%i) in (4) shared_outs(%o = %o0) -> (tensor<4x8xf32>) {
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %x into %o[%i, 0] [1, 8] [1, 1] : tensor<1x8xf32> into tensor<4x8xf32>
    }
  }
  return %r : tensor<4x8xf32>
}

// -----

// States: batch and heads at once, and segments one after the other in the
// kernel, which is named after what writes the memory.
// CHECK-LABEL: func @states
// CHECK-SAME: (%[[K:.*]]: tensor<2x3x32x16xf32>, %[[M0:.*]]: tensor<2x3x16x16xf32>, %[[Z0:.*]]: tensor<2x3x16xf32>)
// CHECK: %[[R:.*]]:2 = program.dispatch @memory_update_0 ins(%[[M0]], %[[Z0]], %[[K]] :
// CHECK-NOT: scf.for
// CHECK-NOT: program.dispatch
// CHECK: return %[[R]]#0, %[[R]]#1
// CHECK: module @memory_update_0
// CHECK: scf.forall (%[[B:.*]], %[[G:.*]]) in (2, 3)
// CHECK:   scf.for{{ }}
// CHECK:     infini.feature_map %{{.*}} : tensor<1x1x8x16xf32>
// CHECK:     infini.memory_update {{.*}} : tensor<1x1x8x16xf32>, tensor<1x1x8x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>
// CHECK:     scf.yield
// CHECK-COUNT-2: tensor.parallel_insert_slice
// CHECK-NOT: module @
func.func @states(%k: tensor<2x3x32x16xf32>, %M0: tensor<2x3x16x16xf32>, %z0: tensor<2x3x16xf32>)
    -> (tensor<2x3x16x16xf32>, tensor<2x3x16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %e = tensor.empty() : tensor<2x3x16x16xf32>
  %f = tensor.empty() : tensor<2x3x16xf32>
  %r:2 = scf.forall (%b, %g) in (2, 3) shared_outs(%o = %e, %p = %f) -> (tensor<2x3x16x16xf32>, tensor<2x3x16xf32>) {
    %Mb = tensor.extract_slice %M0[%b, %g, 0, 0] [1, 1, 16, 16] [1, 1, 1, 1] : tensor<2x3x16x16xf32> to tensor<1x1x16x16xf32>
    %zb = tensor.extract_slice %z0[%b, %g, 0] [1, 1, 16] [1, 1, 1] : tensor<2x3x16xf32> to tensor<1x1x16xf32>
    %s:2 = scf.for %i = %c0 to %c4 step %c1 iter_args(%M = %Mb, %z = %zb) -> (tensor<1x1x16x16xf32>, tensor<1x1x16xf32>) {
      %at = affine.apply affine_map<(d0) -> (d0 * 8)>(%i)
      %ks = tensor.extract_slice %k[%b, %g, %at, 0] [1, 1, 8, 16] [1, 1, 1, 1] : tensor<2x3x32x16xf32> to tensor<1x1x8x16xf32>
      %sk = infini.feature_map %ks : tensor<1x1x8x16xf32>
      %M1, %z1 = infini.memory_update %sk, %ks, %M, %z
        : tensor<1x1x8x16xf32>, tensor<1x1x8x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>
      scf.yield %M1, %z1 : tensor<1x1x16x16xf32>, tensor<1x1x16xf32>
    }
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %s#0 into %o[%b, %g, 0, 0] [1, 1, 16, 16] [1, 1, 1, 1] : tensor<1x1x16x16xf32> into tensor<2x3x16x16xf32>
      tensor.parallel_insert_slice %s#1 into %p[%b, %g, 0] [1, 1, 16] [1, 1, 1] : tensor<1x1x16xf32> into tensor<2x3x16xf32>
    }
  }
  return %r#0, %r#1 : tensor<2x3x16x16xf32>, tensor<2x3x16xf32>
}

// -----

// What is cheap is computed where it is used; the same slice leaves the loop as
// a kernel of its own.
// CHECK-LABEL: func @slice_leaves
// CHECK: program.dispatch @extract_slice_0
// CHECK-NOT: program.dispatch
// CHECK: return
func.func @slice_leaves(%x: tensor<8x4xf32>) -> tensor<4x4xf32> {
  %o0 = tensor.empty() : tensor<4x4xf32>
  %r = scf.forall (%i) in (4) shared_outs(%o = %o0) -> (tensor<4x4xf32>) {
    %at = affine.apply affine_map<(d0) -> (d0 * 2)>(%i)
    %xs = tensor.extract_slice %x[%at, 0] [1, 4] [1, 1] : tensor<8x4xf32> to tensor<1x4xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %xs into %o[%i, 0] [1, 4] [1, 1] : tensor<1x4xf32> into tensor<4x4xf32>
    }
  }
  return %r : tensor<4x4xf32>
}
