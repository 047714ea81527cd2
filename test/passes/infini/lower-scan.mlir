// RUN: infini-opt %s --infini-peel-scan --infini-lower-scan --canonicalize --cse --split-input-file --allow-unregistered-dialect | FileCheck %s
// RUN: infini-opt %s --infini-peel-scan --infini-lower-scan --split-input-file --allow-unregistered-dialect | FileCheck %s --check-prefix=GONE
// RUN: infini-opt %examples/ops/infini.mlir --infini-peel-scan --infini-lower-scan | FileCheck %s --check-prefix=GONE

// GONE-NOT: infini.{{segment_scan|yield}}

// CHECK-DAG: #[[FULL:.*]] = affine_map<()[s0] -> (s0 floordiv 8)>
// CHECK-DAG: #[[START:.*]] = affine_map<(d0) -> (d0 * 8)>
// CHECK-DAG: #[[REST:.*]] = affine_map<()[s0] -> (s0 mod 8)>
// CHECK-DAG: #[[ANY:.*]] = affine_map<()[s0] -> (1, s0 mod 8)>
// CHECK-DAG: #[[LAST:.*]] = affine_map<()[s0] -> ((s0 floordiv 8) * 8)>
// CHECK-LABEL: func @full_and_tail
// CHECK-SAME: (%[[X:.*]]: tensor<?x4xf32>, %[[S0:.*]]: tensor<4xf32>)
func.func @full_and_tail(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) -> (tensor<?x4xf32>, tensor<4xf32>) {
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
  // CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
  // CHECK: %[[T:.*]] = tensor.dim %[[X]], %[[C0]]
  // CHECK: %[[E:.*]] = tensor.empty(%[[T]])
  // Full segments have a static size.
  // CHECK: %[[COUNT:.*]] = affine.apply #[[FULL]]()[%[[T]]]
  // CHECK: %[[F:.*]]:2 = scf.for %[[I:[a-z0-9_]+]] = %[[C0]] to %[[COUNT]] step %[[C1]] iter_args(%[[O:[a-z0-9_]+]] = %[[E]], %[[S:[a-z0-9_]+]] = %[[S0]])
  // CHECK:   %[[AT:.*]] = affine.apply #[[START]](%[[I]])
  // CHECK:   %[[XS:.*]] = tensor.extract_slice %[[X]][%[[AT]], 0] [8, 4] [1, 1]
  // CHECK:   %[[N:.*]] = linalg.reduce { arith.addf } ins(%[[XS]] : tensor<8x4xf32>) outs(%[[S]] : tensor<4xf32>)
  // CHECK:   %[[NO:.*]] = tensor.insert_slice %[[XS]] into %[[O]][%[[AT]], 0] [8, 4] [1, 1]
  // CHECK:   scf.yield %[[NO]], %[[N]]
  // The tail runs once or not at all.
  // CHECK: %[[SIZE:.*]] = affine.apply #[[REST]]()[%[[T]]]
  // CHECK: %[[ONCE:.*]] = affine.min #[[ANY]]()[%[[T]]]
  // CHECK: %[[TAIL:.*]] = affine.apply #[[LAST]]()[%[[T]]]
  // CHECK: %[[R:.*]]:2 = scf.for %{{.*}} = %[[C0]] to %[[ONCE]] step %[[C1]] iter_args(%[[O2:[a-z0-9_]+]] = %[[F]]#0, %[[S2:[a-z0-9_]+]] = %[[F]]#1)
  // CHECK:   %[[XT:.*]] = tensor.extract_slice %[[X]][%[[TAIL]], 0] [%[[SIZE]], 4] [1, 1]
  // Without `fill`, the last short segment is folded in, too.
  // CHECK:   %[[N2:.*]] = linalg.reduce { arith.addf } ins(%[[XT]] : tensor<?x4xf32>) outs(%[[S2]] : tensor<4xf32>)
  // CHECK:   %[[NO2:.*]] = tensor.insert_slice %[[XT]] into %[[O2]][%[[TAIL]], 0] [%[[SIZE]], 4] [1, 1]
  // CHECK:   scf.yield %[[NO2]], %[[N2]]
  // CHECK: return %[[R]]#0, %[[R]]#1
  %o, %s = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %st: tensor<4xf32>):
    %next = linalg.reduce {arith.addf} ins(%xs : tensor<?x4xf32>) outs(%st : tensor<4xf32>) dimensions = [0]
    infini.yield %xs, %next : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>
  return %o, %s : tensor<?x4xf32>, tensor<4xf32>
}

// -----

// CHECK-DAG: #[[HEAD:.*]] = affine_map<()[s0, s1] -> (s0, (-s1) mod 8)>
// CHECK-DAG: #[[ANYHEAD:.*]] = affine_map<()[s0, s1] -> (1, s0, (-s1) mod 8)>
// CHECK-DAG: #[[SUM:.*]] = affine_map<()[s0, s1] -> (s0 + s1)>
// CHECK-DAG: #[[GETSFULL:.*]] = affine_map<()[s0, s1] -> ((s0 + s1) floordiv 8)>
// CHECK-DAG: #[[COUNT:.*]] = affine_map<()[s0, s1] -> ((s0 - s1) floordiv 8)>
// CHECK-DAG: #[[AT:.*]] = affine_map<(d0)[s0] -> (d0 * 8 + s0)>
// CHECK-DAG: #[[REST:.*]] = affine_map<()[s0, s1] -> ((s0 - s1) mod 8)>
// CHECK-DAG: #[[ANYREST:.*]] = affine_map<()[s0, s1] -> (1, (s0 - s1) mod 8)>
// CHECK-LABEL: func @fill
// CHECK-SAME: (%[[X:.*]]: tensor<?x4xf32>, %[[Y:.*]]: tensor<?x4xf32>, %[[S0:.*]]: tensor<4xf32>, %[[FILL:.*]]: index, %[[P0:.*]]: tensor<8x4xf32>)
func.func @fill(%x: tensor<?x4xf32>, %y: tensor<?x4xf32>, %s0: tensor<4xf32>, %fill: index,
                %p0: tensor<8x4xf32>) -> (tensor<?x4xf32>, tensor<4xf32>, tensor<8x4xf32>) {
  // CHECK: %[[T:.*]] = tensor.dim %[[X]]
  // CHECK: %[[M0:.*]] = affine.min #[[HEAD]]()[%[[T]], %[[FILL]]]
  // CHECK: %[[ONCE:.*]] = affine.min #[[ANYHEAD]]()[%[[T]], %[[FILL]]]
  // CHECK: %[[BOTH:.*]] = affine.apply #[[SUM]]()[%[[FILL]], %[[M0]]]
  // CHECK: %[[FULL:.*]] = affine.apply #[[GETSFULL]]()[%[[FILL]], %[[M0]]]
  // The segment under way: new tokens go behind the pending ones.
  // CHECK: %[[H:.*]]:3 = scf.for %{{.*}} to %[[ONCE]] {{.*}} iter_args(%[[O:[a-z0-9_]+]] = %{{.*}}, %[[S:[a-z0-9_]+]] = %[[S0]], %[[P:[a-z0-9_]+]] = %[[P0]])
  // CHECK:   %[[YN:.*]] = tensor.extract_slice %[[Y]][0, 0] [%[[M0]], 4] [1, 1]
  // CHECK:   %[[PN:.*]] = tensor.insert_slice %[[YN]] into %[[P]][%[[FILL]], 0] [%[[M0]], 4] [1, 1]
  // CHECK:   %[[XN:.*]] = tensor.extract_slice %[[X]][0, 0] [%[[M0]], 4] [1, 1]
  // CHECK:   %[[PALL:.*]] = tensor.extract_slice %[[PN]][0, 0] [%[[BOTH]], 4] [1, 1]
  // CHECK:   "test.out"(%[[XN]], %[[S]], %[[FILL]])
  // CHECK:   tensor.insert_slice %{{.*}} into %[[O]][0, 0] [%[[M0]], 4] [1, 1]
  // The state is updated if the segment gets full, by all of its tokens.
  // CHECK:   %[[SN:.*]] = scf.for %{{.*}} to %[[FULL]] {{.*}} iter_args(%[[SI:[a-z0-9_]+]] = %[[S]])
  // CHECK:     linalg.reduce { arith.addf } ins(%[[PALL]] : tensor<?x4xf32>) outs(%[[SI]] : tensor<4xf32>)
  // CHECK:   scf.yield %{{.*}}, %[[SN]], %[[PN]]
  // Full segments: nothing is pending.
  // CHECK: %[[SEGMENTS:.*]] = affine.apply #[[COUNT]]()[%[[T]], %[[M0]]]
  // CHECK: %[[F:.*]]:2 = scf.for %[[I:[a-z0-9_]+]] = %{{.*}} to %[[SEGMENTS]] {{.*}} iter_args(%{{.*}} = %[[H]]#0, %[[SF:[a-z0-9_]+]] = %[[H]]#1)
  // CHECK:   %[[FROM:.*]] = affine.apply #[[AT]](%[[I]])[%[[M0]]]
  // CHECK:   tensor.extract_slice %[[X]][%[[FROM]], 0] [8, 4] [1, 1]
  // CHECK:   %[[YF:.*]] = tensor.extract_slice %[[Y]][%[[FROM]], 0] [8, 4] [1, 1]
  // CHECK:   linalg.reduce { arith.addf } ins(%[[YF]] : tensor<8x4xf32>) outs(%[[SF]] : tensor<4xf32>)
  // The tail is stored as pending, and updates nothing.
  // CHECK: %[[MT:.*]] = affine.apply #[[REST]]()[%[[T]], %[[M0]]]
  // CHECK: %[[ONCET:.*]] = affine.min #[[ANYREST]]()[%[[T]], %[[M0]]]
  // CHECK: %[[L:.*]]:2 = scf.for %{{.*}} to %[[ONCET]] {{.*}} iter_args(%{{.*}} = %[[F]]#0, %[[PT:[a-z0-9_]+]] = %[[H]]#2)
  // CHECK:   "test.out"(%{{.*}}, %[[F]]#1, %{{.*}})
  // CHECK-NOT: linalg.reduce
  // CHECK:   tensor.insert_slice %{{.*}} into %[[PT]][0, 0] [%[[MT]], 4] [1, 1]
  // CHECK: return %[[L]]#0, %[[F]]#1, %[[L]]#1
  %o, %s, %p = infini.segment_scan sequences(%x, %y : tensor<?x4xf32>, tensor<?x4xf32>)
      states(%s0 : tensor<4xf32>) fill(%fill) pending(%p0 : tensor<8x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0, 0>,
                  output_axes = array<i64: 0>, pending_sequences = array<i64: 1>} {
  ^bb0(%xs: tensor<?x4xf32>, %ys: tensor<?x4xf32>, %st: tensor<4xf32>, %position: index):
    %out = "test.out"(%xs, %st, %position) : (tensor<?x4xf32>, tensor<4xf32>, index) -> tensor<?x4xf32>
    %next = linalg.reduce {arith.addf} ins(%ys : tensor<?x4xf32>) outs(%st : tensor<4xf32>) dimensions = [0]
    infini.yield %out, %next : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>, tensor<8x4xf32>
  return %o, %s, %p : tensor<?x4xf32>, tensor<4xf32>, tensor<8x4xf32>
}

// -----

// T is a multiple of N: one loop, and no tail.
// CHECK-LABEL: func @static
func.func @static(%x: tensor<16x4xf32>, %s0: tensor<4xf32>) -> (tensor<16x4xf32>, tensor<4xf32>) {
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
  // CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
  // CHECK-DAG: %[[C2:.*]] = arith.constant 2 : index
  // CHECK: scf.for %{{.*}} = %[[C0]] to %[[C2]] step %[[C1]]
  // CHECK-NOT: scf.for
  // CHECK: return
  %o, %s = infini.segment_scan sequences(%x : tensor<16x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %st: tensor<4xf32>):
    %next = linalg.reduce {arith.addf} ins(%xs : tensor<?x4xf32>) outs(%st : tensor<4xf32>) dimensions = [0]
    infini.yield %xs, %next : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<16x4xf32>, tensor<4xf32>
  return %o, %s : tensor<16x4xf32>, tensor<4xf32>
}

// -----

// Fewer tokens than a segment: a tail alone, of static size.
// CHECK-LABEL: func @static_short
// CHECK-SAME: (%[[X:.*]]: tensor<3x4xf32>, %[[S0:.*]]: tensor<4xf32>)
func.func @static_short(%x: tensor<3x4xf32>, %s0: tensor<4xf32>) -> (tensor<3x4xf32>, tensor<4xf32>) {
  // CHECK-NOT: scf.for
  // CHECK: linalg.reduce { arith.addf } ins(%[[X]] : tensor<3x4xf32>) outs(%[[S0]] : tensor<4xf32>)
  // CHECK-NOT: linalg.reduce
  // CHECK: return
  %o, %s = infini.segment_scan sequences(%x : tensor<3x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %st: tensor<4xf32>):
    %next = linalg.reduce {arith.addf} ins(%xs : tensor<?x4xf32>) outs(%st : tensor<4xf32>) dimensions = [0]
    infini.yield %xs, %next : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<3x4xf32>, tensor<4xf32>
  return %o, %s : tensor<3x4xf32>, tensor<4xf32>
}

// -----

// No states; a value in and a value out for each segment, the short one included.
// CHECK-DAG: #[[SEGMENTS:.*]] = affine_map<()[s0] -> (s0 ceildiv 8)>
// CHECK-DAG: #[[FULL:.*]] = affine_map<()[s0] -> (s0 floordiv 8)>
// CHECK-LABEL: func @per_segment
// CHECK-SAME: (%[[X:.*]]: tensor<4x?xf32>, %[[P:.*]]: tensor<?x4xf32>, %[[W:.*]]: tensor<4xf32>)
func.func @per_segment(%x: tensor<4x?xf32>, %p: tensor<?x4xf32>, %w: tensor<4xf32>)
    -> (tensor<4x?xf32>, tensor<?x4xf32>) {
  // CHECK: %[[T:.*]] = tensor.dim %[[X]]
  // CHECK: %[[N:.*]] = affine.apply #[[SEGMENTS]]()[%[[T]]]
  // CHECK: %[[E:.*]] = tensor.empty(%[[T]]) : tensor<4x?xf32>
  // CHECK: %[[STACK:.*]] = tensor.empty(%[[N]]) : tensor<?x4xf32>
  // CHECK: %[[C:.*]] = affine.apply #[[FULL]]()[%[[T]]]
  // CHECK: %[[F:.*]]:2 = scf.for %[[I:[a-z0-9_]+]] = %{{.*}} to %[[C]] {{.*}} iter_args(%[[O:[a-z0-9_]+]] = %[[E]], %[[Q:[a-z0-9_]+]] = %[[STACK]])
  // CHECK:   %[[PI:.*]] = tensor.extract_slice %[[P]][%[[I]], 0] [1, 4] [1, 1] : tensor<?x4xf32> to tensor<4xf32>
  // CHECK:   %[[SUM:.*]] = arith.addf %[[PI]], %[[W]]
  // CHECK:   tensor.insert_slice %[[SUM]] into %[[Q]][%[[I]], 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<?x4xf32>
  // CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[F]]#0, %[[Q2:[a-z0-9_]+]] = %[[F]]#1)
  // CHECK:   %[[PT:.*]] = tensor.extract_slice %[[P]][%[[C]], 0] [1, 4] [1, 1]
  // CHECK:   %[[SUM2:.*]] = arith.addf %[[PT]], %[[W]]
  // CHECK:   tensor.insert_slice %[[SUM2]] into %[[Q2]][%[[C]], 0] [1, 4] [1, 1]
  %o, %q = infini.segment_scan sequences(%x : tensor<4x?xf32>)
      per_segment(%p : tensor<?x4xf32>) invariants(%w : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 1>,
                  output_axes = array<i64: 1>, num_stacked = 1 : i64} {
  ^bb0(%xs: tensor<4x?xf32>, %ps: tensor<4xf32>, %ws: tensor<4xf32>):
    %sum = arith.addf %ps, %ws : tensor<4xf32>
    infini.yield %xs, %sum : tensor<4x?xf32>, tensor<4xf32>
  } -> tensor<4x?xf32>, tensor<?x4xf32>
  return %o, %q : tensor<4x?xf32>, tensor<?x4xf32>
}

// -----

// Tables that depend on sizes alone leave the loop; they are made once.
// CHECK-LABEL: func @tables
// CHECK-SAME: (%[[X:.*]]: tensor<16x4xf32>)
func.func @tables(%x: tensor<16x4xf32>) -> tensor<16x4xf32> {
  // CHECK: %[[TABLE:.*]] = linalg.generic
  // CHECK: scf.for
  // CHECK-NOT: linalg.index
  // CHECK: linalg.add ins(%{{.*}}, %[[TABLE]] :
  %o = infini.segment_scan sequences(%x : tensor<16x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>):
    %e = tensor.empty() : tensor<8x4xf32>
    %t = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
        outs(%e : tensor<8x4xf32>) {
    ^bb0(%out: f32):
      %i = linalg.index 0 : index
      %n = arith.index_cast %i : index to i32
      %f = arith.sitofp %n : i32 to f32
      linalg.yield %f : f32
    } -> tensor<8x4xf32>
    %c = tensor.cast %xs : tensor<?x4xf32> to tensor<8x4xf32>
    %y = linalg.add ins(%c, %t : tensor<8x4xf32>, tensor<8x4xf32>) outs(%e : tensor<8x4xf32>) -> tensor<8x4xf32>
    %z = tensor.cast %y : tensor<8x4xf32> to tensor<?x4xf32>
    infini.yield %z : tensor<?x4xf32>
  } -> tensor<16x4xf32>
  return %o : tensor<16x4xf32>
}
