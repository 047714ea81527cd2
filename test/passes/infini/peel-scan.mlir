// RUN: infini-opt %s --infini-peel-scan --canonicalize --cse --split-input-file --allow-unregistered-dialect | FileCheck %s
// RUN: infini-opt %s --infini-peel-scan --split-input-file --allow-unregistered-dialect | FileCheck %s --check-prefix=WHOLE --implicit-check-not='sequence_axes = array<i64{{.*}}>} {'
// RUN: infini-opt %examples/ops/infini.mlir --infini-peel-scan | FileCheck %s --check-prefix=WHOLE --implicit-check-not='sequence_axes = array<i64{{.*}}>} {'

// Peeled again, a peeled scan stays as it is.
// RUN: infini-opt %s --infini-peel-scan --split-input-file --allow-unregistered-dialect -o %t.once
// RUN: infini-opt %s --infini-peel-scan --infini-peel-scan --split-input-file --allow-unregistered-dialect -o %t.twice
// RUN: cmp %t.once %t.twice

// Every scan that is left has full segments alone.
// WHOLE: infini.segment_scan {{.*}}, whole}

// CHECK-DAG: #[[REST:.*]] = affine_map<()[s0] -> (s0 mod 8)>
// CHECK-DAG: #[[LAST:.*]] = affine_map<()[s0] -> ((s0 floordiv 8) * 8)>
// CHECK-DAG: #[[ANY:.*]] = affine_map<()[s0] -> (1, s0 mod 8)>
// CHECK-LABEL: func @full_and_tail
// CHECK-SAME: (%[[X:.*]]: tensor<?x4xf32>, %[[S0:.*]]: tensor<4xf32>)
func.func @full_and_tail(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) -> (tensor<?x4xf32>, tensor<4xf32>) {
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
  // CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
  // CHECK: %[[T:.*]] = tensor.dim %[[X]], %[[C0]]
  // CHECK: %[[SIZE:.*]] = affine.apply #[[REST]]()[%[[T]]]
  // CHECK: %[[E:.*]] = tensor.empty(%[[T]])
  // CHECK: %[[TAIL:.*]] = affine.apply #[[LAST]]()[%[[T]]]
  // Without `fill` there is no segment under way.
  // CHECK-NOT: scf.for
  // Full segments have a static size in the body.
  // CHECK: %[[XF:.*]] = tensor.extract_slice %[[X]][0, 0] [%[[TAIL]], 4] [1, 1]
  // CHECK: %[[F:.*]]:2 = infini.segment_scan sequences(%[[XF]] : tensor<?x4xf32>) states(%[[S0]] : tensor<4xf32>)
  // CHECK-SAME: segment_length = 8 : i64, sequence_axes = array<i64: 0>, whole}
  // CHECK: ^bb0(%[[XS:.*]]: tensor<8x4xf32>, %[[S:.*]]: tensor<4xf32>):
  // CHECK:   %[[N:.*]] = linalg.reduce { arith.addf } ins(%[[XS]] : tensor<8x4xf32>) outs(%[[S]] : tensor<4xf32>)
  // CHECK:   infini.yield %[[XS]], %[[N]]
  // CHECK: %[[O:.*]] = tensor.insert_slice %[[F]]#0 into %[[E]][0, 0] [%[[TAIL]], 4] [1, 1]
  // The tail runs once or not at all.
  // CHECK: %[[ONCE:.*]] = affine.min #[[ANY]]()[%[[T]]]
  // CHECK: %[[R:.*]]:2 = scf.for %{{.*}} = %[[C0]] to %[[ONCE]] step %[[C1]] iter_args(%[[O2:[a-z0-9_]+]] = %[[O]], %[[S2:[a-z0-9_]+]] = %[[F]]#1)
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
// CHECK-DAG: #[[COUNT:.*]] = affine_map<()[s0, s1] -> (((s0 - s1) floordiv 8) * 8)>
// CHECK-DAG: #[[END:.*]] = affine_map<()[s0, s1] -> (s1 + ((s0 - s1) floordiv 8) * 8)>
// CHECK-DAG: #[[REST:.*]] = affine_map<()[s0, s1] -> ((s0 - s1) mod 8)>
// CHECK-DAG: #[[ANYREST:.*]] = affine_map<()[s0, s1] -> (1, (s0 - s1) mod 8)>
// CHECK-LABEL: func @fill
// CHECK-SAME: (%[[X:.*]]: tensor<?x4xf32>, %[[Y:.*]]: tensor<?x4xf32>, %[[S0:.*]]: tensor<4xf32>, %[[FILL:.*]]: index, %[[P0:.*]]: tensor<8x4xf32>)
func.func @fill(%x: tensor<?x4xf32>, %y: tensor<?x4xf32>, %s0: tensor<4xf32>, %fill: index,
                %p0: tensor<8x4xf32>) -> (tensor<?x4xf32>, tensor<4xf32>, tensor<8x4xf32>) {
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
  // CHECK: %[[T:.*]] = tensor.dim %[[X]]
  // CHECK: %[[M0:.*]] = affine.min #[[HEAD]]()[%[[T]], %[[FILL]]]
  // CHECK: %[[MT:.*]] = affine.apply #[[REST]]()[%[[T]], %[[M0]]]
  // CHECK: %[[ONCE:.*]] = affine.min #[[ANYHEAD]]()[%[[T]], %[[FILL]]]
  // The segment under way: new tokens go behind the pending ones.
  // CHECK: %[[H:.*]]:3 = scf.for %{{.*}} to %[[ONCE]] {{.*}} iter_args(%[[O:[a-z0-9_]+]] = %{{.*}}, %[[S:[a-z0-9_]+]] = %[[S0]], %[[P:[a-z0-9_]+]] = %[[P0]])
  // CHECK:   %[[YN:.*]] = tensor.extract_slice %[[Y]][0, 0] [%[[M0]], 4] [1, 1]
  // CHECK:   %[[PN:.*]] = tensor.insert_slice %[[YN]] into %[[P]][%[[FILL]], 0] [%[[M0]], 4] [1, 1]
  // CHECK:   %[[XN:.*]] = tensor.extract_slice %[[X]][0, 0] [%[[M0]], 4] [1, 1]
  // CHECK:   %[[BOTH:.*]] = affine.apply #[[SUM]]()[%[[FILL]], %[[M0]]]
  // CHECK:   %[[PALL:.*]] = tensor.extract_slice %[[PN]][0, 0] [%[[BOTH]], 4] [1, 1]
  // CHECK:   "test.out"(%[[XN]], %[[S]], %[[FILL]])
  // CHECK:   tensor.insert_slice %{{.*}} into %[[O]][0, 0] [%[[M0]], 4] [1, 1]
  // The state is updated if the segment gets full, by all of its tokens.
  // CHECK:   %[[FULL:.*]] = affine.apply #[[GETSFULL]]()[%[[FILL]], %[[M0]]]
  // CHECK:   %[[SN:.*]] = scf.for %{{.*}} to %[[FULL]] {{.*}} iter_args(%[[SI:[a-z0-9_]+]] = %[[S]])
  // CHECK:     linalg.reduce { arith.addf } ins(%[[PALL]] : tensor<?x4xf32>) outs(%[[SI]] : tensor<4xf32>)
  // CHECK:   scf.yield %{{.*}}, %[[SN]], %[[PN]]
  // Full segments: nothing is pending, and a segment's first token has position 0.
  // CHECK: %[[TOKENS:.*]] = affine.apply #[[COUNT]]()[%[[T]], %[[M0]]]
  // CHECK: %[[XF:.*]] = tensor.extract_slice %[[X]][%[[M0]], 0] [%[[TOKENS]], 4] [1, 1]
  // CHECK: %[[YF:.*]] = tensor.extract_slice %[[Y]][%[[M0]], 0] [%[[TOKENS]], 4] [1, 1]
  // CHECK: %[[F:.*]]:2 = infini.segment_scan sequences(%[[XF]], %[[YF]] : {{.*}}) states(%[[H]]#1 : tensor<4xf32>) attributes
  // CHECK-SAME: sequence_axes = array<i64: 0, 0>, whole}
  // CHECK: ^bb0(%{{.*}}: tensor<8x4xf32>, %[[YS:.*]]: tensor<8x4xf32>, %[[SF:.*]]: tensor<4xf32>):
  // CHECK:   %[[FIRST:.*]] = arith.constant 0 : index
  // CHECK:   "test.out"(%{{.*}}, %[[SF]], %[[FIRST]])
  // CHECK:   linalg.reduce { arith.addf } ins(%[[YS]] : tensor<8x4xf32>) outs(%[[SF]] : tensor<4xf32>)
  // CHECK:   infini.yield
  // CHECK: %[[OF:.*]] = tensor.insert_slice %[[F]]#0 into %[[H]]#0[%[[M0]], 0] [%[[TOKENS]], 4] [1, 1]
  // The tail is stored as pending, and updates nothing.
  // CHECK: %[[TAIL:.*]] = affine.apply #[[END]]()[%[[T]], %[[M0]]]
  // CHECK: %[[ONCET:.*]] = affine.min #[[ANYREST]]()[%[[T]], %[[M0]]]
  // CHECK: %[[L:.*]]:2 = scf.for %{{.*}} to %[[ONCET]] {{.*}} iter_args(%[[OT:[a-z0-9_]+]] = %[[OF]], %[[PT:[a-z0-9_]+]] = %[[H]]#2)
  // CHECK:   tensor.extract_slice %[[X]][%[[TAIL]], 0] [%[[MT]], 4] [1, 1]
  // CHECK:   "test.out"(%{{.*}}, %[[F]]#1, %[[C0]])
  // CHECK-NOT: linalg.reduce
  // CHECK:   tensor.insert_slice %{{.*}} into %[[OT]][%[[TAIL]], 0] [%[[MT]], 4] [1, 1]
  // CHECK:   %[[YT:.*]] = tensor.extract_slice %[[Y]][%[[TAIL]], 0] [%[[MT]], 4] [1, 1]
  // CHECK:   tensor.insert_slice %[[YT]] into %[[PT]][0, 0] [%[[MT]], 4] [1, 1]
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

// T is a multiple of N: the scan on what it had, no tail, nothing copied.
// CHECK-LABEL: func @static(
// CHECK-SAME: %[[X:.*]]: tensor<16x4xf32>, %[[S0:.*]]: tensor<4xf32>
func.func @static(%x: tensor<16x4xf32>, %s0: tensor<4xf32>) -> (tensor<16x4xf32>, tensor<4xf32>) {
  // CHECK-NEXT: %[[R:.*]]:2 = infini.segment_scan sequences(%[[X]] : tensor<16x4xf32>) states(%[[S0]] : tensor<4xf32>) {{.*}}, whole}
  // CHECK-NEXT: ^bb0(%{{.*}}: tensor<8x4xf32>,
  // CHECK-NOT: scf.for
  // CHECK-NOT: tensor.{{extract|insert}}_slice
  // CHECK: return %[[R]]#0, %[[R]]#1
  %o, %s = infini.segment_scan sequences(%x : tensor<16x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %st: tensor<4xf32>):
    %next = linalg.reduce {arith.addf} ins(%xs : tensor<?x4xf32>) outs(%st : tensor<4xf32>) dimensions = [0]
    infini.yield %xs, %next : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<16x4xf32>, tensor<4xf32>
  return %o, %s : tensor<16x4xf32>, tensor<4xf32>
}

// -----

// A static tail has its own size, and is not asked whether it is there.
// CHECK-LABEL: func @static_tail
// CHECK-SAME: (%[[X:.*]]: tensor<19x4xf32>, %[[S0:.*]]: tensor<4xf32>)
func.func @static_tail(%x: tensor<19x4xf32>, %s0: tensor<4xf32>) -> (tensor<19x4xf32>, tensor<4xf32>) {
  // CHECK: %[[XF:.*]] = tensor.extract_slice %[[X]][0, 0] [16, 4] [1, 1]
  // CHECK: %[[F:.*]]:2 = infini.segment_scan sequences(%[[XF]] : tensor<16x4xf32>) {{.*}}, whole}
  // CHECK-NOT: scf.for
  // CHECK: %[[XT:.*]] = tensor.extract_slice %[[X]][16, 0] [3, 4] [1, 1]
  // CHECK: linalg.reduce { arith.addf } ins(%[[XT]] : tensor<3x4xf32>) outs(%[[F]]#1 : tensor<4xf32>)
  // CHECK-NOT: scf.for
  // CHECK: return
  %o, %s = infini.segment_scan sequences(%x : tensor<19x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %st: tensor<4xf32>):
    %next = linalg.reduce {arith.addf} ins(%xs : tensor<?x4xf32>) outs(%st : tensor<4xf32>) dimensions = [0]
    infini.yield %xs, %next : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<19x4xf32>, tensor<4xf32>
  return %o, %s : tensor<19x4xf32>, tensor<4xf32>
}

// -----

// Fewer tokens than a segment: a tail alone, of static size.
// CHECK-LABEL: func @static_short
// CHECK-SAME: (%[[X:.*]]: tensor<3x4xf32>, %[[S0:.*]]: tensor<4xf32>)
func.func @static_short(%x: tensor<3x4xf32>, %s0: tensor<4xf32>) -> (tensor<3x4xf32>, tensor<4xf32>) {
  // CHECK-NOT: scf.for
  // CHECK-NOT: infini.segment_scan
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

// No tokens: the states are what they were.
// CHECK-LABEL: func @none
// CHECK-SAME: (%[[X:.*]]: tensor<0x4xf32>, %[[S0:.*]]: tensor<4xf32>)
func.func @none(%x: tensor<0x4xf32>, %s0: tensor<4xf32>) -> (tensor<0x4xf32>, tensor<4xf32>) {
  // CHECK-NEXT: %[[E:.*]] = tensor.empty() : tensor<0x4xf32>
  // CHECK-NEXT: return %[[E]], %[[S0]]
  %o, %s = infini.segment_scan sequences(%x : tensor<0x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %st: tensor<4xf32>):
    %next = linalg.reduce {arith.addf} ins(%xs : tensor<?x4xf32>) outs(%st : tensor<4xf32>) dimensions = [0]
    infini.yield %xs, %next : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<0x4xf32>, tensor<4xf32>
  return %o, %s : tensor<0x4xf32>, tensor<4xf32>
}

// -----

// A value in and a value out for each segment, the short one included: it has
// the last number.
// CHECK-DAG: #[[FULL:.*]] = affine_map<()[s0] -> (s0 floordiv 8)>
// CHECK-DAG: #[[SEGMENTS:.*]] = affine_map<()[s0] -> (s0 ceildiv 8)>
// CHECK-DAG: #[[LAST:.*]] = affine_map<()[s0] -> ((s0 floordiv 8) * 8)>
// CHECK-LABEL: func @per_segment
// CHECK-SAME: (%[[X:.*]]: tensor<4x?xf32>, %[[P:.*]]: tensor<?x4xf32>, %[[W:.*]]: tensor<4xf32>)
func.func @per_segment(%x: tensor<4x?xf32>, %p: tensor<?x4xf32>, %w: tensor<4xf32>)
    -> (tensor<4x?xf32>, tensor<?x4xf32>) {
  // CHECK: %[[T:.*]] = tensor.dim %[[X]]
  // CHECK: %[[C:.*]] = affine.apply #[[FULL]]()[%[[T]]]
  // CHECK: %[[N:.*]] = affine.apply #[[SEGMENTS]]()[%[[T]]]
  // CHECK: %[[E:.*]] = tensor.empty(%[[T]]) : tensor<4x?xf32>
  // CHECK: %[[STACK:.*]] = tensor.empty(%[[N]]) : tensor<?x4xf32>
  // CHECK: %[[TAIL:.*]] = affine.apply #[[LAST]]()[%[[T]]]
  // CHECK: %[[XF:.*]] = tensor.extract_slice %[[X]][0, 0] [4, %[[TAIL]]] [1, 1]
  // CHECK: %[[PF:.*]] = tensor.extract_slice %[[P]][0, 0] [%[[C]], 4] [1, 1]
  // CHECK: %[[F:.*]]:2 = infini.segment_scan sequences(%[[XF]] : {{.*}}) per_segment(%[[PF]] : {{.*}}) invariants(%[[W]] : tensor<4xf32>)
  // CHECK-SAME: num_stacked = 1 : i64, output_axes = array<i64: 1>, segment_length = 8 : i64, sequence_axes = array<i64: 1>, whole}
  // CHECK: ^bb0(%{{.*}}: tensor<4x8xf32>, %[[PS:.*]]: tensor<4xf32>, %[[WS:.*]]: tensor<4xf32>):
  // CHECK:   arith.addf %[[PS]], %[[WS]]
  // CHECK: %[[O:.*]] = tensor.insert_slice %[[F]]#0 into %[[E]][0, 0] [4, %[[TAIL]]] [1, 1]
  // CHECK: %[[Q:.*]] = tensor.insert_slice %[[F]]#1 into %[[STACK]][0, 0] [%[[C]], 4] [1, 1]
  // CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[O]], %[[Q2:[a-z0-9_]+]] = %[[Q]])
  // CHECK:   %[[PT:.*]] = tensor.extract_slice %[[P]][%[[C]], 0] [1, 4] [1, 1] : tensor<?x4xf32> to tensor<4xf32>
  // CHECK:   %[[SUM:.*]] = arith.addf %[[PT]], %[[W]]
  // CHECK:   tensor.insert_slice %[[SUM]] into %[[Q2]][%[[C]], 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<?x4xf32>
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
