// RUN: infini-opt %s --infini-lower-scan --canonicalize --cse --split-input-file --allow-unregistered-dialect | FileCheck %s
// RUN: infini-opt %s --infini-lower-scan --split-input-file --allow-unregistered-dialect | FileCheck %s --check-prefix=GONE
// RUN: infini-opt %examples/ops/infini.mlir --infini-peel-scan --infini-lower-scan | FileCheck %s --check-prefix=GONE

// GONE-NOT: infini.{{segment_scan|yield}}

// Without states all segments run at once: slices in, slices and entries out.
// CHECK-DAG: #[[COUNT:.*]] = affine_map<()[s0] -> (s0 floordiv 8)>
// CHECK-DAG: #[[START:.*]] = affine_map<(d0) -> (d0 * 8)>
// CHECK-LABEL: func @map
// CHECK-SAME: (%[[X:.*]]: tensor<4x?xf32>, %[[P:.*]]: tensor<?x4xf32>, %[[W:.*]]: tensor<4xf32>)
func.func @map(%x: tensor<4x?xf32>, %p: tensor<?x4xf32>, %w: tensor<4xf32>) -> (tensor<4x?xf32>, tensor<?x4xf32>) {
  // CHECK: %[[T:.*]] = tensor.dim %[[X]]
  // CHECK: %[[C:.*]] = affine.apply #[[COUNT]]()[%[[T]]]
  // CHECK: %[[E:.*]] = tensor.empty(%[[T]]) : tensor<4x?xf32>
  // CHECK: %[[STACK:.*]] = tensor.empty(%{{.*}}) : tensor<?x4xf32>
  // CHECK: %[[R:.*]]:2 = scf.forall (%[[I:.*]]) in (%[[C]]) shared_outs(%[[O:[a-z0-9_]+]] = %[[E]], %[[Q:[a-z0-9_]+]] = %[[STACK]])
  // CHECK:   %[[AT:.*]] = affine.apply #[[START]](%[[I]])
  // CHECK:   %[[XS:.*]] = tensor.extract_slice %[[X]][0, %[[AT]]] [4, 8] [1, 1] : tensor<4x?xf32> to tensor<4x8xf32>
  // CHECK:   %[[PS:.*]] = tensor.extract_slice %[[P]][%[[I]], 0] [1, 4] [1, 1] : tensor<?x4xf32> to tensor<4xf32>
  // CHECK:   %[[SUM:.*]] = arith.addf %[[PS]], %[[W]]
  // CHECK:   scf.forall.in_parallel {
  // CHECK:     tensor.parallel_insert_slice %[[XS]] into %[[O]][0, %[[AT]]] [4, 8] [1, 1]
  // CHECK:     tensor.parallel_insert_slice %[[SUM]] into %[[Q]][%[[I]], 0] [1, 4] [1, 1]
  // CHECK-NOT: scf.for{{ }}
  // CHECK: return %[[R]]#0, %[[R]]#1
  %o, %q = infini.segment_scan sequences(%x : tensor<4x?xf32>)
      per_segment(%p : tensor<?x4xf32>) invariants(%w : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 1>,
                  output_axes = array<i64: 1>, num_stacked = 1 : i64, whole} {
  ^bb0(%xs: tensor<4x8xf32>, %ps: tensor<4xf32>, %ws: tensor<4xf32>):
    %sum = arith.addf %ps, %ws : tensor<4xf32>
    infini.yield %xs, %sum : tensor<4x8xf32>, tensor<4xf32>
  } -> tensor<4x?xf32>, tensor<?x4xf32>
  return %o, %q : tensor<4x?xf32>, tensor<?x4xf32>
}

// -----

// States and outputs: one segment after the other.
// CHECK-DAG: #[[COUNT:.*]] = affine_map<()[s0] -> (s0 floordiv 8)>
// CHECK-DAG: #[[START:.*]] = affine_map<(d0) -> (d0 * 8)>
// CHECK-LABEL: func @loop
// CHECK-SAME: (%[[X:.*]]: tensor<?x4xf32>, %[[S0:.*]]: tensor<4xf32>)
func.func @loop(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<4xf32>) {
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
  // CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
  // CHECK: %[[T:.*]] = tensor.dim %[[X]], %[[C0]]
  // CHECK: %[[C:.*]] = affine.apply #[[COUNT]]()[%[[T]]]
  // CHECK: %[[E:.*]] = tensor.empty(%[[T]]) : tensor<?x4xf32>
  // CHECK: %[[STACK:.*]] = tensor.empty(%{{.*}}) : tensor<?x4xf32>
  // CHECK-NOT: scf.forall
  // CHECK: %[[F:.*]]:3 = scf.for %[[I:[a-z0-9_]+]] = %[[C0]] to %[[C]] step %[[C1]] iter_args(%[[O:[a-z0-9_]+]] = %[[E]], %[[Q:[a-z0-9_]+]] = %[[STACK]], %[[S:[a-z0-9_]+]] = %[[S0]])
  // CHECK:   %[[AT:.*]] = affine.apply #[[START]](%[[I]])
  // CHECK:   %[[XS:.*]] = tensor.extract_slice %[[X]][%[[AT]], 0] [8, 4] [1, 1]
  // CHECK:   %[[N:.*]] = linalg.reduce { arith.addf } ins(%[[XS]] : tensor<8x4xf32>) outs(%[[S]] : tensor<4xf32>)
  // CHECK-DAG: %[[NO:.*]] = tensor.insert_slice %[[XS]] into %[[O]][%[[AT]], 0] [8, 4] [1, 1]
  // CHECK-DAG: %[[NQ:.*]] = tensor.insert_slice %[[N]] into %[[Q]][%[[I]], 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<?x4xf32>
  // CHECK:   scf.yield %[[NO]], %[[NQ]], %[[N]]
  // CHECK-NOT: scf.for
  // CHECK: return %[[F]]#0, %[[F]]#1, %[[F]]#2
  %r:3 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>,
                  num_stacked = 1 : i64, whole} {
  ^bb0(%xs: tensor<8x4xf32>, %st: tensor<4xf32>):
    %next = linalg.reduce {arith.addf} ins(%xs : tensor<8x4xf32>) outs(%st : tensor<4xf32>) dimensions = [0]
    infini.yield %xs, %next, %next : tensor<8x4xf32>, tensor<4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<?x4xf32>, tensor<4xf32>
  return %r#0, %r#1, %r#2 : tensor<?x4xf32>, tensor<?x4xf32>, tensor<4xf32>
}

// -----

// A known number of segments.
// CHECK-LABEL: func @static
func.func @static(%x: tensor<16x4xf32>, %s0: tensor<4xf32>) -> (tensor<16x4xf32>, tensor<4xf32>) {
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
  // CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
  // CHECK-DAG: %[[C2:.*]] = arith.constant 2 : index
  // CHECK: scf.for %{{.*}} = %[[C0]] to %[[C2]] step %[[C1]]
  // CHECK-NOT: scf.for
  // CHECK: return
  %o, %s = infini.segment_scan sequences(%x : tensor<16x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>, whole} {
  ^bb0(%xs: tensor<8x4xf32>, %st: tensor<4xf32>):
    %next = linalg.reduce {arith.addf} ins(%xs : tensor<8x4xf32>) outs(%st : tensor<4xf32>) dimensions = [0]
    infini.yield %xs, %next : tensor<8x4xf32>, tensor<4xf32>
  } -> tensor<16x4xf32>, tensor<4xf32>
  return %o, %s : tensor<16x4xf32>, tensor<4xf32>
}

// -----

// States alone, and what they were before each segment: batch and heads at
// once, and for each the segments one after the other, with its part of the
// states. What the update needs is computed for one head's tile.
// CHECK-DAG: #[[COUNT:.*]] = affine_map<()[s0] -> (s0 floordiv 8)>
// CHECK-DAG: #[[START:.*]] = affine_map<(d0) -> (d0 * 8)>
// CHECK-LABEL: func @states
// CHECK-SAME: (%[[K:.*]]: tensor<2x3x?x32xf32>, %[[V:.*]]: tensor<2x3x?x16xf32>, %[[M0:.*]]: tensor<2x3x32x16xf32>, %[[Z0:.*]]: tensor<2x3x32xf32>)
func.func @states(%k: tensor<2x3x?x32xf32>, %v: tensor<2x3x?x16xf32>, %M0: tensor<2x3x32x16xf32>, %z0: tensor<2x3x32xf32>)
    -> (tensor<?x2x3x32xf32>, tensor<?x2x3x32x16xf32>, tensor<2x3x32x16xf32>, tensor<2x3x32xf32>) {
  // CHECK: %[[C:.*]] = affine.apply #[[COUNT]]()
  // CHECK: %[[R:.*]]:4 = scf.forall (%[[B:.*]], %[[G:.*]]) in (2, 3) shared_outs(%[[QZ:[a-z0-9_]+]] = %{{.*}}, %[[QM:[a-z0-9_]+]] = %{{.*}}, %[[OM:[a-z0-9_]+]] = %{{.*}}, %[[OZ:[a-z0-9_]+]] = %{{.*}})
  // CHECK:   %[[QZT:.*]] = tensor.extract_slice %[[QZ]][0, %[[B]], %[[G]], 0] [%{{.*}}, 1, 1, 32]
  // CHECK:   %[[QMT:.*]] = tensor.extract_slice %[[QM]][0, %[[B]], %[[G]], 0, 0] [%{{.*}}, 1, 1, 32, 16]
  // CHECK:   %[[MT:.*]] = tensor.extract_slice %[[M0]][%[[B]], %[[G]], 0, 0] [1, 1, 32, 16]
  // CHECK:   %[[ZT:.*]] = tensor.extract_slice %[[Z0]][%[[B]], %[[G]], 0] [1, 1, 32]
  // CHECK:   %[[F:.*]]:4 = scf.for %[[I:[a-z0-9_]+]] = %{{.*}} to %[[C]] {{.*}} iter_args(%[[QZI:[a-z0-9_]+]] = %[[QZT]], %[[QMI:[a-z0-9_]+]] = %[[QMT]], %[[M:[a-z0-9_]+]] = %[[MT]], %[[Z:[a-z0-9_]+]] = %[[ZT]])
  // CHECK:     %[[AT:.*]] = affine.apply #[[START]](%[[I]])
  // CHECK-DAG: %[[KS:.*]] = tensor.extract_slice %[[K]][0, 0, %[[AT]], 0] [2, 3, 8, 32]
  // CHECK-DAG: %[[VS:.*]] = tensor.extract_slice %[[V]][0, 0, %[[AT]], 0] [2, 3, 8, 16]
  // CHECK-DAG: %[[KT:.*]] = tensor.extract_slice %[[KS]][%[[B]], %[[G]], 0, 0] [1, 1, 8, 32]
  // CHECK-DAG: %[[VT:.*]] = tensor.extract_slice %[[VS]][%[[B]], %[[G]], 0, 0] [1, 1, 8, 16]
  // CHECK-DAG: %[[RK:.*]] = infini.rope %[[KT]] {{.*}} : tensor<1x1x8x32xf32>
  // CHECK-DAG: %[[SK:.*]] = infini.feature_map %[[RK]] : tensor<1x1x8x32xf32>
  // CHECK:     %[[M1:.*]], %[[Z1:.*]] = infini.memory_update %[[SK]], %[[VT]], %[[M]], %[[Z]] : tensor<1x1x8x32xf32>, tensor<1x1x8x16xf32>, tensor<1x1x32x16xf32>, tensor<1x1x32xf32>
  // The stacks hold the states before the segment.
  // CHECK:     %[[NQZ:.*]] = tensor.insert_slice %[[Z]] into %[[QZI]][%[[I]], 0, 0, 0] [1, 1, 1, 32]
  // CHECK:     %[[NQM:.*]] = tensor.insert_slice %[[M]] into %[[QMI]][%[[I]], 0, 0, 0, 0] [1, 1, 1, 32, 16]
  // CHECK:     scf.yield %[[NQZ]], %[[NQM]], %[[M1]], %[[Z1]]
  // CHECK:   scf.forall.in_parallel {
  // CHECK:     tensor.parallel_insert_slice %[[F]]#0 into %[[QZ]][0, %[[B]], %[[G]], 0]
  // CHECK:     tensor.parallel_insert_slice %[[F]]#1 into %[[QM]][0, %[[B]], %[[G]], 0, 0]
  // CHECK:     tensor.parallel_insert_slice %[[F]]#2 into %[[OM]][%[[B]], %[[G]], 0, 0] [1, 1, 32, 16]
  // CHECK:     tensor.parallel_insert_slice %[[F]]#3 into %[[OZ]][%[[B]], %[[G]], 0] [1, 1, 32]
  // CHECK: return %[[R]]#0, %[[R]]#1, %[[R]]#2, %[[R]]#3
  %r:4 = infini.segment_scan sequences(%k, %v : tensor<2x3x?x32xf32>, tensor<2x3x?x16xf32>)
      states(%M0, %z0 : tensor<2x3x32x16xf32>, tensor<2x3x32xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2, 2>, output_axes = array<i64>,
                  num_stacked = 2 : i64, whole} {
  ^bb0(%ks: tensor<2x3x8x32xf32>, %vs: tensor<2x3x8x16xf32>, %M: tensor<2x3x32x16xf32>, %z: tensor<2x3x32xf32>):
    %rk = infini.rope %ks {base = 1.0e4 : f64} : tensor<2x3x8x32xf32>
    %sk = infini.feature_map %rk : tensor<2x3x8x32xf32>
    %M1, %z1 = infini.memory_update %sk, %vs, %M, %z
      : tensor<2x3x8x32xf32>, tensor<2x3x8x16xf32>, tensor<2x3x32x16xf32>, tensor<2x3x32xf32>
    infini.yield %z, %M, %M1, %z1
      : tensor<2x3x32xf32>, tensor<2x3x32x16xf32>, tensor<2x3x32x16xf32>, tensor<2x3x32xf32>
  } -> tensor<?x2x3x32xf32>, tensor<?x2x3x32x16xf32>, tensor<2x3x32x16xf32>, tensor<2x3x32xf32>
  return %r#0, %r#1, %r#2, %r#3 : tensor<?x2x3x32xf32>, tensor<?x2x3x32x16xf32>, tensor<2x3x32x16xf32>, tensor<2x3x32xf32>
}

// -----

// Batch and heads of sizes that are not known.
// CHECK-LABEL: func @states_dynamic
// CHECK-SAME: %[[M0:[a-z0-9_]+]]: tensor<?x?x32x16xf32>
func.func @states_dynamic(%M0: tensor<?x?x32x16xf32>, %z0: tensor<?x?x32xf32>, %k: tensor<?x?x?x32xf32>,
                          %v: tensor<?x?x?x16xf32>) -> (tensor<?x?x32x16xf32>, tensor<?x?x32xf32>) {
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
  // CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
  // CHECK-DAG: %[[B:.*]] = tensor.dim %[[M0]], %[[C0]]
  // CHECK-DAG: %[[G:.*]] = tensor.dim %[[M0]], %[[C1]]
  // CHECK: scf.forall (%{{.*}}, %{{.*}}) in (%[[B]], %[[G]])
  // CHECK: scf.for
  // CHECK: infini.memory_update {{.*}} : tensor<1x1x8x32xf32>, tensor<1x1x8x16xf32>, tensor<1x1x32x16xf32>, tensor<1x1x32xf32>
  %r:2 = infini.segment_scan sequences(%k, %v : tensor<?x?x?x32xf32>, tensor<?x?x?x16xf32>)
      states(%M0, %z0 : tensor<?x?x32x16xf32>, tensor<?x?x32xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2, 2>, output_axes = array<i64>, whole} {
  ^bb0(%ks: tensor<?x?x8x32xf32>, %vs: tensor<?x?x8x16xf32>, %M: tensor<?x?x32x16xf32>, %z: tensor<?x?x32xf32>):
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z
      : tensor<?x?x8x32xf32>, tensor<?x?x8x16xf32>, tensor<?x?x32x16xf32>, tensor<?x?x32xf32>
    infini.yield %M1, %z1 : tensor<?x?x32x16xf32>, tensor<?x?x32xf32>
  } -> tensor<?x?x32x16xf32>, tensor<?x?x32xf32>
  return %r#0, %r#1 : tensor<?x?x32x16xf32>, tensor<?x?x32xf32>
}

// -----

//===----------------------------------------------------------------------===//
// Scans of states that are not cut by heads: a loop over segments, on whole
// states
//===----------------------------------------------------------------------===//

// An output sequence.
// CHECK-LABEL: func @has_output
// CHECK-NOT: scf.forall
// CHECK: scf.for{{ }}
// CHECK-NOT: scf.forall
// CHECK: return
func.func @has_output(%k: tensor<2x3x?x4xf32>, %M0: tensor<2x3x4x4xf32>, %z0: tensor<2x3x4xf32>)
    -> (tensor<2x3x?x4xf32>, tensor<2x3x4x4xf32>, tensor<2x3x4xf32>) {
  %r:3 = infini.segment_scan sequences(%k : tensor<2x3x?x4xf32>) states(%M0, %z0 : tensor<2x3x4x4xf32>, tensor<2x3x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%ks: tensor<2x3x8x4xf32>, %M: tensor<2x3x4x4xf32>, %z: tensor<2x3x4xf32>):
    %M1, %z1 = infini.memory_update %ks, %ks, %M, %z
      : tensor<2x3x8x4xf32>, tensor<2x3x8x4xf32>, tensor<2x3x4x4xf32>, tensor<2x3x4xf32>
    infini.yield %ks, %M1, %z1 : tensor<2x3x8x4xf32>, tensor<2x3x4x4xf32>, tensor<2x3x4xf32>
  } -> tensor<2x3x?x4xf32>, tensor<2x3x4x4xf32>, tensor<2x3x4xf32>
  return %r#0, %r#1, %r#2 : tensor<2x3x?x4xf32>, tensor<2x3x4x4xf32>, tensor<2x3x4xf32>
}

// -----

// A stack of something else: here, of states after the segments.
// CHECK-LABEL: func @stacks_after
// CHECK-NOT: scf.forall
// CHECK: scf.for{{ }}
// CHECK: %[[M1:.*]], %{{.*}} = infini.memory_update
// CHECK: tensor.insert_slice %[[M1]] into
// CHECK-NOT: scf.forall
// CHECK: return
func.func @stacks_after(%k: tensor<2x3x?x4xf32>, %M0: tensor<2x3x4x4xf32>, %z0: tensor<2x3x4xf32>)
    -> (tensor<?x2x3x4x4xf32>, tensor<2x3x4x4xf32>, tensor<2x3x4xf32>) {
  %r:3 = infini.segment_scan sequences(%k : tensor<2x3x?x4xf32>) states(%M0, %z0 : tensor<2x3x4x4xf32>, tensor<2x3x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2>, output_axes = array<i64>,
                  num_stacked = 1 : i64, whole} {
  ^bb0(%ks: tensor<2x3x8x4xf32>, %M: tensor<2x3x4x4xf32>, %z: tensor<2x3x4xf32>):
    %M1, %z1 = infini.memory_update %ks, %ks, %M, %z
      : tensor<2x3x8x4xf32>, tensor<2x3x8x4xf32>, tensor<2x3x4x4xf32>, tensor<2x3x4xf32>
    infini.yield %M1, %M1, %z1 : tensor<2x3x4x4xf32>, tensor<2x3x4x4xf32>, tensor<2x3x4xf32>
  } -> tensor<?x2x3x4x4xf32>, tensor<2x3x4x4xf32>, tensor<2x3x4xf32>
  return %r#0, %r#1, %r#2 : tensor<?x2x3x4x4xf32>, tensor<2x3x4x4xf32>, tensor<2x3x4xf32>
}

// -----

// States from two ops.
// CHECK-LABEL: func @two_writers
// CHECK-NOT: scf.forall
// CHECK: scf.for{{ }}
// CHECK-COUNT-2: infini.memory_update
// CHECK-NOT: scf.forall
// CHECK: return
func.func @two_writers(%k: tensor<2x3x?x4xf32>, %M0: tensor<2x3x4x4xf32>, %z0: tensor<2x3x4xf32>)
    -> (tensor<2x3x4x4xf32>, tensor<2x3x4xf32>, tensor<2x3x4x4xf32>, tensor<2x3x4xf32>) {
  %r:4 = infini.segment_scan sequences(%k : tensor<2x3x?x4xf32>)
      states(%M0, %z0, %M0, %z0 : tensor<2x3x4x4xf32>, tensor<2x3x4xf32>, tensor<2x3x4x4xf32>, tensor<2x3x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2>, output_axes = array<i64>, whole} {
  ^bb0(%ks: tensor<2x3x8x4xf32>, %M: tensor<2x3x4x4xf32>, %z: tensor<2x3x4xf32>, %N: tensor<2x3x4x4xf32>, %y: tensor<2x3x4xf32>):
    %M1, %z1 = infini.memory_update %ks, %ks, %M, %z
      : tensor<2x3x8x4xf32>, tensor<2x3x8x4xf32>, tensor<2x3x4x4xf32>, tensor<2x3x4xf32>
    %N1, %y1 = infini.memory_update %ks, %ks, %N, %y {update = #infini.update<linear>}
      : tensor<2x3x8x4xf32>, tensor<2x3x8x4xf32>, tensor<2x3x4x4xf32>, tensor<2x3x4xf32>
    infini.yield %M1, %z1, %N1, %y1 : tensor<2x3x4x4xf32>, tensor<2x3x4xf32>, tensor<2x3x4x4xf32>, tensor<2x3x4xf32>
  } -> tensor<2x3x4x4xf32>, tensor<2x3x4xf32>, tensor<2x3x4x4xf32>, tensor<2x3x4xf32>
  return %r#0, %r#1, %r#2, %r#3 : tensor<2x3x4x4xf32>, tensor<2x3x4xf32>, tensor<2x3x4x4xf32>, tensor<2x3x4xf32>
}

// -----

// A state that no op makes.
// CHECK-LABEL: func @state_kept
// CHECK-NOT: scf.forall
// CHECK: scf.for{{ }}
// CHECK-NOT: scf.forall
// CHECK: return
func.func @state_kept(%k: tensor<2x3x?x4xf32>, %M0: tensor<2x3x4x4xf32>, %z0: tensor<2x3x4xf32>)
    -> (tensor<2x3x4x4xf32>, tensor<2x3x4xf32>) {
  %r:2 = infini.segment_scan sequences(%k : tensor<2x3x?x4xf32>) states(%M0, %z0 : tensor<2x3x4x4xf32>, tensor<2x3x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2>, output_axes = array<i64>, whole} {
  ^bb0(%ks: tensor<2x3x8x4xf32>, %M: tensor<2x3x4x4xf32>, %z: tensor<2x3x4xf32>):
    %M1, %z1 = infini.memory_update %ks, %ks, %M, %z
      : tensor<2x3x8x4xf32>, tensor<2x3x8x4xf32>, tensor<2x3x4x4xf32>, tensor<2x3x4xf32>
    infini.yield %M1, %z : tensor<2x3x4x4xf32>, tensor<2x3x4xf32>
  } -> tensor<2x3x4x4xf32>, tensor<2x3x4xf32>
  return %r#0, %r#1 : tensor<2x3x4x4xf32>, tensor<2x3x4xf32>
}

// -----

// What is written depends on what is held, by another op: all heads at once.
// CHECK-LABEL: func @read_by_another
// CHECK-NOT: scf.forall
// CHECK: scf.for{{ }}
// CHECK: infini.memory_retrieve
// CHECK-NOT: scf.forall
// CHECK: return
func.func @read_by_another(%k: tensor<2x3x?x4xf32>, %M0: tensor<2x3x4x4xf32>, %z0: tensor<2x3x4xf32>)
    -> (tensor<2x3x4x4xf32>, tensor<2x3x4xf32>) {
  %r:2 = infini.segment_scan sequences(%k : tensor<2x3x?x4xf32>) states(%M0, %z0 : tensor<2x3x4x4xf32>, tensor<2x3x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2>, output_axes = array<i64>, whole} {
  ^bb0(%ks: tensor<2x3x8x4xf32>, %M: tensor<2x3x4x4xf32>, %z: tensor<2x3x4xf32>):
    %held = infini.memory_retrieve %ks, %M, %z
      : (tensor<2x3x8x4xf32>, tensor<2x3x4x4xf32>, tensor<2x3x4xf32>) -> tensor<2x3x8x4xf32>
    %M1, %z1 = infini.memory_update %ks, %held, %M, %z
      : tensor<2x3x8x4xf32>, tensor<2x3x8x4xf32>, tensor<2x3x4x4xf32>, tensor<2x3x4xf32>
    infini.yield %M1, %z1 : tensor<2x3x4x4xf32>, tensor<2x3x4xf32>
  } -> tensor<2x3x4x4xf32>, tensor<2x3x4xf32>
  return %r#0, %r#1 : tensor<2x3x4x4xf32>, tensor<2x3x4xf32>
}

// -----

// An op that does not say what its dimensions are.
// CHECK-LABEL: func @no_signature
// CHECK-NOT: scf.forall
// CHECK: scf.for{{ }}
// CHECK-NOT: scf.forall
// CHECK: return
func.func @no_signature(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) -> tensor<4xf32> {
  %s = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64>, whole} {
  ^bb0(%xs: tensor<8x4xf32>, %st: tensor<4xf32>):
    %next = linalg.reduce {arith.addf} ins(%xs : tensor<8x4xf32>) outs(%st : tensor<4xf32>) dimensions = [0]
    infini.yield %next : tensor<4xf32>
  } -> tensor<4xf32>
  return %s : tensor<4xf32>
}

// -----

//===----------------------------------------------------------------------===//
// Where results are written
//===----------------------------------------------------------------------===//

// A result that is only inserted somewhere is written there.
// CHECK-DAG: #[[AT:.*]] = affine_map<(d0)[s0] -> (d0 * 8 + s0)>
// CHECK-LABEL: func @inserted
// CHECK-SAME: (%[[X:.*]]: tensor<16x4xf32>, %[[D:.*]]: tensor<64x4xf32>, %[[Q:.*]]: tensor<9x4xf32>, %[[FROM:.*]]: index)
func.func @inserted(%x: tensor<16x4xf32>, %d: tensor<64x4xf32>, %q: tensor<9x4xf32>, %from: index)
    -> (tensor<64x4xf32>, tensor<9x4xf32>) {
  // CHECK-NOT: tensor.empty
  // CHECK: %[[R:.*]]:2 = scf.forall (%[[I:.*]]) in (2) shared_outs(%[[O:[a-z0-9_]+]] = %[[D]], %[[P:[a-z0-9_]+]] = %[[Q]])
  // CHECK-DAG: %[[PLACE:.*]] = affine.apply #[[AT]](%[[I]])[%[[FROM]]]
  // CHECK:   tensor.parallel_insert_slice %{{.*}} into %[[O]][%[[PLACE]], 0] [8, 4] [1, 1]
  // CHECK:   tensor.parallel_insert_slice %{{.*}} into %[[P]][%{{.*}}, 0] [1, 4] [1, 1]
  // CHECK-NOT: tensor.insert_slice
  // CHECK: return %[[R]]#0, %[[R]]#1
  %o, %s = infini.segment_scan sequences(%x : tensor<16x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>,
                  num_stacked = 1 : i64, whole} {
  ^bb0(%xs: tensor<8x4xf32>):
    %e = tensor.extract_slice %xs[0, 0] [1, 4] [1, 1] : tensor<8x4xf32> to tensor<4xf32>
    infini.yield %xs, %e : tensor<8x4xf32>, tensor<4xf32>
  } -> tensor<16x4xf32>, tensor<2x4xf32>
  %r = tensor.insert_slice %o into %d[%from, 0] [16, 4] [1, 1] : tensor<16x4xf32> into tensor<64x4xf32>
  %p = tensor.insert_slice %s into %q[3, 0] [2, 4] [1, 1] : tensor<2x4xf32> into tensor<9x4xf32>
  return %r, %p : tensor<64x4xf32>, tensor<9x4xf32>
}

// -----

// Also by a loop that carries states.
// CHECK-LABEL: func @inserted_by_loop
// CHECK-SAME: (%{{.*}}: tensor<16x4xf32>, %[[D:.*]]: tensor<64x4xf32>, %[[S0:.*]]: tensor<4xf32>)
func.func @inserted_by_loop(%x: tensor<16x4xf32>, %d: tensor<64x4xf32>, %s0: tensor<4xf32>)
    -> (tensor<64x4xf32>, tensor<4xf32>) {
  // CHECK: %[[R:.*]]:2 = scf.for {{.*}} iter_args(%[[O:[a-z0-9_]+]] = %[[D]], %{{.*}} = %[[S0]])
  // CHECK: tensor.insert_slice %{{.*}} into %[[O]][%{{.*}}, 0] [8, 4] [1, 1]
  // CHECK-NOT: tensor.insert_slice
  // CHECK: return %[[R]]#0, %[[R]]#1
  %o, %s = infini.segment_scan sequences(%x : tensor<16x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>, whole} {
  ^bb0(%xs: tensor<8x4xf32>, %st: tensor<4xf32>):
    %next = linalg.reduce {arith.addf} ins(%xs : tensor<8x4xf32>) outs(%st : tensor<4xf32>) dimensions = [0]
    infini.yield %xs, %next : tensor<8x4xf32>, tensor<4xf32>
  } -> tensor<16x4xf32>, tensor<4xf32>
  %r = tensor.insert_slice %o into %d[2, 0] [16, 4] [1, 1] : tensor<16x4xf32> into tensor<64x4xf32>
  return %r, %s : tensor<64x4xf32>, tensor<4xf32>
}

// -----

// Not where something else reads what was there, …
// CHECK-LABEL: func @inserted_and_read
// CHECK-SAME: (%{{.*}}: tensor<16x4xf32>, %[[D:.*]]: tensor<64x4xf32>)
func.func @inserted_and_read(%x: tensor<16x4xf32>, %d: tensor<64x4xf32>) -> (tensor<64x4xf32>, tensor<64x4xf32>) {
  // CHECK: %[[E:.*]] = tensor.empty() : tensor<16x4xf32>
  // CHECK: %[[F:.*]] = scf.forall {{.*}} shared_outs(%{{.*}} = %[[E]])
  // CHECK: %[[R:.*]] = tensor.insert_slice %[[F]] into %[[D]]
  // CHECK: return %[[R]], %[[D]]
  %o = infini.segment_scan sequences(%x : tensor<16x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>, whole} {
  ^bb0(%xs: tensor<8x4xf32>):
    infini.yield %xs : tensor<8x4xf32>
  } -> tensor<16x4xf32>
  %r = tensor.insert_slice %o into %d[0, 0] [16, 4] [1, 1] : tensor<16x4xf32> into tensor<64x4xf32>
  return %r, %d : tensor<64x4xf32>, tensor<64x4xf32>
}

// -----

// … nor where the result is used once more, …
// CHECK-LABEL: func @inserted_and_used
func.func @inserted_and_used(%x: tensor<16x4xf32>, %d: tensor<64x4xf32>) -> (tensor<64x4xf32>, tensor<16x4xf32>) {
  // CHECK: %[[E:.*]] = tensor.empty() : tensor<16x4xf32>
  // CHECK: %[[F:.*]] = scf.forall {{.*}} shared_outs(%{{.*}} = %[[E]])
  // CHECK: %[[R:.*]] = tensor.insert_slice %[[F]]
  // CHECK: return %[[R]], %[[F]]
  %o = infini.segment_scan sequences(%x : tensor<16x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>, whole} {
  ^bb0(%xs: tensor<8x4xf32>):
    infini.yield %xs : tensor<8x4xf32>
  } -> tensor<16x4xf32>
  %r = tensor.insert_slice %o into %d[0, 0] [16, 4] [1, 1] : tensor<16x4xf32> into tensor<64x4xf32>
  return %r, %o : tensor<64x4xf32>, tensor<16x4xf32>
}

// -----

// … nor with gaps, nor beside the axis of the tokens, nor where a place is
// known only after the scan.
// CHECK-LABEL: func @inserted_elsewhere
func.func @inserted_elsewhere(%x: tensor<16x4xf32>, %d: tensor<64x4xf32>, %w: tensor<16x8xf32>, %i: tensor<index>)
    -> (tensor<64x4xf32>, tensor<16x8xf32>, tensor<64x4xf32>) {
  // CHECK: %[[E:.*]] = tensor.empty() : tensor<16x4xf32>
  // CHECK: scf.forall {{.*}} shared_outs(%{{.*}} = %[[E]], %{{.*}} = %[[E]], %{{.*}} = %[[E]], %{{.*}} = %{{.*}})
  // CHECK-COUNT-3: tensor.insert_slice
  %o, %p, %q, %s = infini.segment_scan sequences(%x : tensor<16x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0, 0, 0>,
                  num_stacked = 1 : i64, whole} {
  ^bb0(%xs: tensor<8x4xf32>):
    %at = "test.at"(%xs) : (tensor<8x4xf32>) -> tensor<index>
    infini.yield %xs, %xs, %xs, %at : tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<index>
  } -> tensor<16x4xf32>, tensor<16x4xf32>, tensor<16x4xf32>, tensor<2xindex>
  %c0 = arith.constant 0 : index
  %from = tensor.extract %s[%c0] : tensor<2xindex>
  %gaps = tensor.insert_slice %o into %d[0, 0] [16, 4] [2, 1] : tensor<16x4xf32> into tensor<64x4xf32>
  %beside = tensor.insert_slice %p into %w[0, 4] [16, 4] [1, 1] : tensor<16x4xf32> into tensor<16x8xf32>
  %e = tensor.empty() : tensor<64x4xf32>
  %later = tensor.insert_slice %q into %e[%from, 0] [16, 4] [1, 1] : tensor<16x4xf32> into tensor<64x4xf32>
  return %gaps, %beside, %later : tensor<64x4xf32>, tensor<16x8xf32>, tensor<64x4xf32>
}

// -----

// Tables that depend on sizes alone leave the loop; they are made once.
// CHECK-LABEL: func @tables
// CHECK-SAME: (%[[X:.*]]: tensor<16x4xf32>)
func.func @tables(%x: tensor<16x4xf32>) -> tensor<16x4xf32> {
  // CHECK: %[[TABLE:.*]] = linalg.generic
  // CHECK: scf.forall
  // CHECK-NOT: linalg.index
  // CHECK: linalg.add ins(%{{.*}}, %[[TABLE]] :
  %o = infini.segment_scan sequences(%x : tensor<16x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>, whole} {
  ^bb0(%xs: tensor<8x4xf32>):
    %e = tensor.empty() : tensor<8x4xf32>
    %t = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        outs(%e : tensor<8x4xf32>) {
    ^bb0(%out: f32):
      %i = linalg.index 0 : index
      %n = arith.index_cast %i : index to i32
      %f = arith.sitofp %n : i32 to f32
      linalg.yield %f : f32
    } -> tensor<8x4xf32>
    %y = linalg.add ins(%xs, %t : tensor<8x4xf32>, tensor<8x4xf32>) outs(%e : tensor<8x4xf32>) -> tensor<8x4xf32>
    infini.yield %y : tensor<8x4xf32>
  } -> tensor<16x4xf32>
  return %o : tensor<16x4xf32>
}

// -----

// A table of data does not: the loop may run no time.
// CHECK-LABEL: func @not_a_table
func.func @not_a_table(%x: tensor<?x4xf32>, %w: tensor<8x4xf32>) -> tensor<?x4xf32> {
  // CHECK-NOT: linalg.exp
  // CHECK: scf.forall
  // CHECK: linalg.exp
  %o = infini.segment_scan sequences(%x : tensor<?x4xf32>) invariants(%w : tensor<8x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>, whole} {
  ^bb0(%xs: tensor<8x4xf32>, %ws: tensor<8x4xf32>):
    %e = tensor.empty() : tensor<8x4xf32>
    %t = linalg.exp ins(%ws : tensor<8x4xf32>) outs(%e : tensor<8x4xf32>) -> tensor<8x4xf32>
    %y = linalg.add ins(%xs, %t : tensor<8x4xf32>, tensor<8x4xf32>) outs(%e : tensor<8x4xf32>) -> tensor<8x4xf32>
    infini.yield %y : tensor<8x4xf32>
  } -> tensor<?x4xf32>
  return %o : tensor<?x4xf32>
}
