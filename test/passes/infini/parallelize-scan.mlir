// RUN: infini-opt %s --infini-parallelize-scan=schedule=streaming --canonicalize --cse --split-input-file | FileCheck %s --check-prefixes=STREAM,BOTH
// RUN: infini-opt %s --infini-parallelize-scan=schedule=scan --canonicalize --cse --split-input-file | FileCheck %s --check-prefixes=SCAN,BOTH
// RUN: infini-opt %s --infini-parallelize-scan='schedule=scan chunk=3' --canonicalize --cse --split-input-file | FileCheck %s --check-prefix=CHUNK

// `sequential` leaves everything as it is (but for sizes that it asked for).
// RUN: infini-opt %s --canonicalize --split-input-file -o %t.before
// RUN: infini-opt %s --infini-parallelize-scan=schedule=sequential --canonicalize --split-input-file -o %t.after
// RUN: cmp %t.before %t.after

// What comes out goes on to loops, for each schedule.
// RUN: infini-opt %s --infini-parallelize-scan=schedule=streaming --infini-peel-scan --infini-lower-scan --split-input-file | FileCheck %s --check-prefix=LOOPS
// RUN: infini-opt %s --infini-parallelize-scan=schedule=scan --infini-peel-scan --infini-lower-scan --split-input-file | FileCheck %s --check-prefix=LOOPS
// RUN: infini-opt %s --infini-parallelize-scan='schedule=scan chunk=3' --infini-peel-scan --infini-lower-scan --split-input-file | FileCheck %s --check-prefix=LOOPS
// LOOPS-NOT: infini.segment_scan

// Streaming: a scan that carries the states alone, and what they were before
// each segment; then a scan without states.
//
// Scan, `linear`: increments of all segments at once, then prefix sums, for z
// and for M.
// STREAM-LABEL: func @linear(
// STREAM-SAME: %[[Q:.*]]: tensor<1x4x64x16xf32>, %[[K:.*]]: tensor<1x2x64x16xf32>, %[[M0:.*]]: tensor<1x2x16x16xf32>, %[[Z0:.*]]: tensor<1x2x16xf32>)
// STREAM: %[[F:.*]]:4 = infini.segment_scan sequences(%[[Q]], %[[K]] : {{.*}}) states(%[[Z0]], %[[M0]] : {{.*}}) attributes {num_stacked = 2 : i64, output_axes = array<i64>, {{.*}}, whole}
// STREAM: ^bb0(%{{.*}}: tensor<1x4x8x16xf32>, %[[KS:.*]]: tensor<1x2x8x16xf32>, %[[Z:.*]]: tensor<1x2x16xf32>, %[[M:.*]]: tensor<1x2x16x16xf32>):
// STREAM-NEXT: %[[SK:.*]] = infini.feature_map %[[KS]]
// STREAM-NEXT: %[[M1:.*]], %[[Z1:.*]] = infini.memory_update %[[SK]], %[[KS]], %[[M]], %[[Z]] {update = #infini.update<linear>} :
// STREAM-NEXT: infini.yield %[[Z]], %[[M]], %[[Z1]], %[[M1]]
// STREAM-NEXT: } -> tensor<8x1x2x16xf32>, tensor<8x1x2x16x16xf32>, tensor<1x2x16xf32>, tensor<1x2x16x16xf32>
// STREAM: %[[O:.*]] = infini.segment_scan sequences(%[[Q]] : {{.*}}) per_segment(%[[F]]#1, %[[F]]#0 : {{.*}}) attributes
// STREAM-NOT: states(
// STREAM: ^bb0(%[[QS:.*]]: tensor<1x4x8x16xf32>, %[[MS:.*]]: tensor<1x2x16x16xf32>, %[[ZS:.*]]: tensor<1x2x16xf32>):
// STREAM-NEXT: %[[HELD:.*]] = infini.memory_retrieve %[[QS]], %[[MS]], %[[ZS]]
// STREAM-NEXT: infini.yield %[[HELD]]
// STREAM: return %[[O]], %[[F]]#3, %[[F]]#2
// SCAN-LABEL: func @linear(
// SCAN-SAME: %[[Q:.*]]: tensor<1x4x64x16xf32>, %[[K:.*]]: tensor<1x2x64x16xf32>, %[[M0:.*]]: tensor<1x2x16x16xf32>, %[[Z0:.*]]: tensor<1x2x16xf32>)
// SCAN-NOT: states(
// SCAN: %[[DZ:.*]] = infini.segment_scan sequences(%[[Q]], %[[K]] : {{.*}}) attributes {num_stacked = 1 : i64, output_axes = array<i64>,
// SCAN-NOT: infini.memory_update
// SCAN: } -> tensor<8x1x2x16xf32>
// SCAN: %[[Z:.*]], %[[ZL:.*]] = infini.affine_scan increments(%[[DZ]] : tensor<8x1x2x16xf32>) initial(%[[Z0]] : tensor<1x2x16xf32>)
// SCAN: %[[DM:.*]] = infini.segment_scan sequences(%[[Q]], %[[K]] : {{.*}}) attributes {num_stacked = 1 : i64, output_axes = array<i64>,
// SCAN-NOT: infini.memory_update
// SCAN: } -> tensor<8x1x2x16x16xf32>
// SCAN: %[[M:.*]], %[[ML:.*]] = infini.affine_scan increments(%[[DM]] : tensor<8x1x2x16x16xf32>) initial(%[[M0]] : tensor<1x2x16x16xf32>)
// SCAN: %[[O:.*]] = infini.segment_scan sequences(%[[Q]] : {{.*}}) per_segment(%[[M]], %[[Z]] : {{.*}}) attributes
// SCAN: ^bb0(%[[QS:.*]]: tensor<1x4x8x16xf32>, %[[MS:.*]]: tensor<1x2x16x16xf32>, %[[ZS:.*]]: tensor<1x2x16xf32>):
// SCAN-NEXT: infini.memory_retrieve %[[QS]], %[[MS]], %[[ZS]]
// SCAN: return %[[O]], %[[ML]], %[[ZL]]
//
// More segments than a chunk: (1) what each chunk adds, (2) the state before
// each chunk, (3) in each chunk, the states before its segments.
// CHUNK-LABEL: func @linear(
// CHUNK-SAME: %[[Q:.*]]: tensor<1x4x64x16xf32>, %[[K:.*]]: tensor<1x2x64x16xf32>, %[[M0:.*]]: tensor<1x2x16x16xf32>, %[[Z0:.*]]: tensor<1x2x16xf32>)
// CHUNK: %[[DZ:.*]] = infini.segment_scan {{.*}}, whole}
// CHUNK: } -> tensor<8x1x2x16xf32>
// CHUNK: %[[CZ:.*]] = infini.segment_scan sequences(%[[DZ]] : tensor<8x1x2x16xf32>) attributes {num_stacked = 1 : i64, output_axes = array<i64>, segment_length = 3 : i64, sequence_axes = array<i64: 0>} {
// CHUNK: ^bb0(%[[A:.*]]: tensor<?x1x2x16xf32>):
// CHUNK:   %[[NONE:.*]] = linalg.fill
// CHUNK:   %{{.*}}, %[[L:.*]] = infini.affine_scan increments(%[[A]] : {{.*}}) initial(%[[NONE]] : {{.*}})
// CHUNK:   infini.yield %[[L]]
// CHUNK: } -> tensor<3x1x2x16xf32>
// CHUNK: %[[BZ:.*]], %[[ZL:.*]] = infini.affine_scan increments(%[[CZ]] : tensor<3x1x2x16xf32>) initial(%[[Z0]] : tensor<1x2x16xf32>)
// CHUNK: %[[Z:.*]] = infini.segment_scan sequences(%[[DZ]] : tensor<8x1x2x16xf32>) per_segment(%[[BZ]] : tensor<3x1x2x16xf32>) attributes {output_axes = array<i64: 0>, segment_length = 3 : i64, sequence_axes = array<i64: 0>} {
// CHUNK: ^bb0(%[[A:.*]]: tensor<?x1x2x16xf32>, %[[FROM:.*]]: tensor<1x2x16xf32>):
// CHUNK-NEXT: %[[B:.*]], %{{.*}} = infini.affine_scan increments(%[[A]] : {{.*}}) initial(%[[FROM]] : {{.*}})
// CHUNK-NEXT: infini.yield %[[B]]
// CHUNK: } -> tensor<8x1x2x16xf32>
// CHUNK: infini.segment_scan sequences(%[[Q]] : {{.*}}) per_segment(%{{.*}}, %[[Z]] : {{.*}})
// CHUNK: return %{{.*}}, %{{.*}}, %[[ZL]]
func.func @linear(%q: tensor<1x4x64x16xf32>, %k: tensor<1x2x64x16xf32>, %M0: tensor<1x2x16x16xf32>, %z0: tensor<1x2x16xf32>)
    -> (tensor<1x4x64x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k : tensor<1x4x64x16xf32>, tensor<1x2x64x16xf32>)
      states(%M0, %z0 : tensor<1x2x16x16xf32>, tensor<1x2x16xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x4x8x16xf32>, %ks: tensor<1x2x8x16xf32>, %M: tensor<1x2x16x16xf32>, %z: tensor<1x2x16xf32>):
    %sk = infini.feature_map %ks : tensor<1x2x8x16xf32>
    %held = infini.memory_retrieve %qs, %M, %z
      : (tensor<1x4x8x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>) -> tensor<1x4x8x16xf32>
    %M1, %z1 = infini.memory_update %sk, %ks, %M, %z {update = #infini.update<linear>}
      : tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
    infini.yield %held, %M1, %z1 : tensor<1x4x8x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
  } -> tensor<1x4x64x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
  return %r#0, %r#1, %r#2 : tensor<1x4x64x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
}

// -----

// Scan, `delta`: z by prefix sums; with z before each segment, the factors and
// increments of M for all segments at once, then affine steps.
// STREAM-LABEL: func @delta(
// STREAM-SAME: %[[Q:.*]]: tensor<1x4x64x16xf32>, %[[K:.*]]: tensor<1x2x64x16xf32>, %[[M0:.*]]: tensor<1x2x16x16xf32>, %[[Z0:.*]]: tensor<1x2x16xf32>)
// STREAM: %[[F:.*]]:4 = infini.segment_scan sequences(%[[Q]], %[[K]] : {{.*}}) states(%[[Z0]], %[[M0]] : {{.*}}) attributes {num_stacked = 2 : i64, output_axes = array<i64>, {{.*}}, whole}
// STREAM: ^bb0(%{{.*}}: tensor<1x4x8x16xf32>, %[[KS:.*]]: tensor<1x2x8x16xf32>, %[[Z:.*]]: tensor<1x2x16xf32>, %[[M:.*]]: tensor<1x2x16x16xf32>):
// STREAM-NEXT: %[[SK:.*]] = infini.feature_map %[[KS]]
// STREAM-NEXT: %[[M1:.*]], %[[Z1:.*]] = infini.memory_update %[[SK]], %[[KS]], %[[M]], %[[Z]] :
// STREAM-NEXT: infini.yield %[[Z]], %[[M]], %[[Z1]], %[[M1]]
// STREAM-NEXT: } -> tensor<8x1x2x16xf32>, tensor<8x1x2x16x16xf32>, tensor<1x2x16xf32>, tensor<1x2x16x16xf32>
// STREAM: %[[O:.*]] = infini.segment_scan sequences(%[[Q]] : {{.*}}) per_segment(%[[F]]#1, %[[F]]#0 : {{.*}}) attributes
// STREAM-NOT: states(
// STREAM: ^bb0(%[[QS:.*]]: tensor<1x4x8x16xf32>, %[[MS:.*]]: tensor<1x2x16x16xf32>, %[[ZS:.*]]: tensor<1x2x16xf32>):
// STREAM-NEXT: %[[HELD:.*]] = infini.memory_retrieve %[[QS]], %[[MS]], %[[ZS]]
// STREAM-NEXT: infini.yield %[[HELD]]
// STREAM: return %[[O]], %[[F]]#3, %[[F]]#2
// SCAN-LABEL: func @delta(
// SCAN-SAME: %[[Q:.*]]: tensor<1x4x64x16xf32>, %[[K:.*]]: tensor<1x2x64x16xf32>, %[[M0:.*]]: tensor<1x2x16x16xf32>, %[[Z0:.*]]: tensor<1x2x16xf32>)
// SCAN-NOT: states(
// SCAN: %[[DZ:.*]] = infini.segment_scan
// SCAN: } -> tensor<8x1x2x16xf32>
// SCAN: %[[Z:.*]], %[[ZL:.*]] = infini.affine_scan increments(%[[DZ]] : tensor<8x1x2x16xf32>) initial(%[[Z0]] : tensor<1x2x16xf32>)
// SCAN: %[[AB:.*]]:2 = infini.segment_scan sequences(%[[Q]], %[[K]] : {{.*}}) per_segment(%[[Z]] : tensor<8x1x2x16xf32>) attributes {num_stacked = 2 : i64,
// SCAN-NOT: infini.memory_update
// SCAN: } -> tensor<8x1x2x16x16xf32>, tensor<8x1x2x16x16xf32>
// SCAN: %[[M:.*]], %[[ML:.*]] = infini.affine_scan factors(%[[AB]]#0 : {{.*}}) increments(%[[AB]]#1 : {{.*}}) initial(%[[M0]] : {{.*}})
// SCAN: %[[O:.*]] = infini.segment_scan sequences(%[[Q]] : {{.*}}) per_segment(%[[M]], %[[Z]] : {{.*}}) attributes
// SCAN: return %[[O]], %[[ML]], %[[ZL]]
//
// A chunk's product of factors is what it makes of the identity, without
// increments.
// CHUNK-LABEL: func @delta(
// CHUNK-SAME: %[[Q:.*]]: tensor<1x4x64x16xf32>, %[[K:.*]]: tensor<1x2x64x16xf32>, %[[M0:.*]]: tensor<1x2x16x16xf32>, %[[Z0:.*]]: tensor<1x2x16xf32>)
// CHUNK: %[[AB:.*]]:2 = infini.segment_scan sequences(%[[Q]], %[[K]] : {{.*}}) per_segment(
// CHUNK: } -> tensor<8x1x2x16x16xf32>, tensor<8x1x2x16x16xf32>
// CHUNK: %[[C:.*]]:2 = infini.segment_scan sequences(%[[AB]]#1, %[[AB]]#0 : {{.*}}) attributes {num_stacked = 2 : i64, output_axes = array<i64>, segment_length = 3 : i64, sequence_axes = array<i64: 0, 0>} {
// CHUNK: ^bb0(%[[BS:.*]]: tensor<?x1x2x16x16xf32>, %[[AS:.*]]: tensor<?x1x2x16x16xf32>):
// CHUNK:   %[[NONE:.*]] = linalg.fill {{.*}} -> tensor<?x1x2x16x16xf32>
// CHUNK:   %[[ONE:.*]] = linalg.generic
// CHUNK:     arith.cmpi eq
// CHUNK:   %{{.*}}, %[[P:.*]] = infini.affine_scan factors(%[[AS]] : {{.*}}) increments(%[[NONE]] : {{.*}}) initial(%[[ONE]] : {{.*}})
// CHUNK:   %[[ZERO:.*]] = linalg.fill {{.*}} -> tensor<1x2x16x16xf32>
// CHUNK:   %{{.*}}, %[[L:.*]] = infini.affine_scan factors(%[[AS]] : {{.*}}) increments(%[[BS]] : {{.*}}) initial(%[[ZERO]] : {{.*}})
// CHUNK:   infini.yield %[[P]], %[[L]]
// CHUNK: } -> tensor<3x1x2x16x16xf32>, tensor<3x1x2x16x16xf32>
// CHUNK: %[[BM:.*]], %[[ML:.*]] = infini.affine_scan factors(%[[C]]#0 : tensor<3x1x2x16x16xf32>) increments(%[[C]]#1 : {{.*}}) initial(%[[M0]] : {{.*}})
// CHUNK: %[[M:.*]] = infini.segment_scan sequences(%[[AB]]#1, %[[AB]]#0 : {{.*}}) per_segment(%[[BM]] : tensor<3x1x2x16x16xf32>)
// CHUNK: ^bb0(%[[BS:.*]]: tensor<?x1x2x16x16xf32>, %[[AS:.*]]: tensor<?x1x2x16x16xf32>, %[[FROM:.*]]: tensor<1x2x16x16xf32>):
// CHUNK-NEXT: %[[B:.*]], %{{.*}} = infini.affine_scan factors(%[[AS]] : {{.*}}) increments(%[[BS]] : {{.*}}) initial(%[[FROM]] : {{.*}})
// CHUNK-NEXT: infini.yield %[[B]]
// CHUNK: infini.segment_scan sequences(%[[Q]] : {{.*}}) per_segment(%[[M]], %{{.*}} : {{.*}})
// CHUNK: return %{{.*}}, %[[ML]], %{{.*}}
func.func @delta(%q: tensor<1x4x64x16xf32>, %k: tensor<1x2x64x16xf32>, %M0: tensor<1x2x16x16xf32>, %z0: tensor<1x2x16xf32>)
    -> (tensor<1x4x64x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k : tensor<1x4x64x16xf32>, tensor<1x2x64x16xf32>)
      states(%M0, %z0 : tensor<1x2x16x16xf32>, tensor<1x2x16xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x4x8x16xf32>, %ks: tensor<1x2x8x16xf32>, %M: tensor<1x2x16x16xf32>, %z: tensor<1x2x16xf32>):
    %sk = infini.feature_map %ks : tensor<1x2x8x16xf32>
    %held = infini.memory_retrieve %qs, %M, %z
      : (tensor<1x4x8x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>) -> tensor<1x4x8x16xf32>
    %M1, %z1 = infini.memory_update %sk, %ks, %M, %z {update = #infini.update<delta>}
      : tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
    infini.yield %held, %M1, %z1 : tensor<1x4x8x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
  } -> tensor<1x4x64x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
  return %r#0, %r#1, %r#2 : tensor<1x4x64x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
}

// -----

// Scan, `delta_corrected`: z is neither a sum nor affine, so a scan carries it,
// and nothing else; M by affine steps then.
// STREAM-LABEL: func @delta_corrected(
// STREAM-SAME: %[[Q:.*]]: tensor<1x4x64x16xf32>, %[[K:.*]]: tensor<1x2x64x16xf32>, %[[M0:.*]]: tensor<1x2x16x16xf32>, %[[Z0:.*]]: tensor<1x2x16xf32>)
// STREAM: %[[F:.*]]:4 = infini.segment_scan sequences(%[[Q]], %[[K]] : {{.*}}) states(%[[Z0]], %[[M0]] : {{.*}}) attributes {num_stacked = 2 : i64, output_axes = array<i64>, {{.*}}, whole}
// STREAM: ^bb0(%{{.*}}: tensor<1x4x8x16xf32>, %[[KS:.*]]: tensor<1x2x8x16xf32>, %[[Z:.*]]: tensor<1x2x16xf32>, %[[M:.*]]: tensor<1x2x16x16xf32>):
// STREAM-NEXT: %[[SK:.*]] = infini.feature_map %[[KS]]
// STREAM-NEXT: %[[M1:.*]], %[[Z1:.*]] = infini.memory_update %[[SK]], %[[KS]], %[[M]], %[[Z]] {update = #infini.update<delta_corrected>} :
// STREAM-NEXT: infini.yield %[[Z]], %[[M]], %[[Z1]], %[[M1]]
// STREAM-NEXT: } -> tensor<8x1x2x16xf32>, tensor<8x1x2x16x16xf32>, tensor<1x2x16xf32>, tensor<1x2x16x16xf32>
// STREAM: %[[O:.*]] = infini.segment_scan sequences(%[[Q]] : {{.*}}) per_segment(%[[F]]#1, %[[F]]#0 : {{.*}}) attributes
// STREAM-NOT: states(
// STREAM: ^bb0(%[[QS:.*]]: tensor<1x4x8x16xf32>, %[[MS:.*]]: tensor<1x2x16x16xf32>, %[[ZS:.*]]: tensor<1x2x16xf32>):
// STREAM-NEXT: %[[HELD:.*]] = infini.memory_retrieve %[[QS]], %[[MS]], %[[ZS]]
// STREAM-NEXT: infini.yield %[[HELD]]
// STREAM: return %[[O]], %[[F]]#3, %[[F]]#2
// SCAN-LABEL: func @delta_corrected(
// SCAN-SAME: %[[Q:.*]]: tensor<1x4x64x16xf32>, %[[K:.*]]: tensor<1x2x64x16xf32>, %[[M0:.*]]: tensor<1x2x16x16xf32>, %[[Z0:.*]]: tensor<1x2x16xf32>)
// SCAN: %[[Z:.*]]:2 = infini.segment_scan sequences(%[[Q]], %[[K]] : {{.*}}) invariants(%[[M0]] : {{.*}}) states(%[[Z0]] : tensor<1x2x16xf32>) attributes {num_stacked = 1 : i64, output_axes = array<i64>,
// SCAN: ^bb0(%{{.*}}: tensor<1x4x8x16xf32>, %[[KS:.*]]: tensor<1x2x8x16xf32>, %[[M:.*]]: tensor<1x2x16x16xf32>, %[[ZS:.*]]: tensor<1x2x16xf32>):
// SCAN:   %{{.*}}, %[[Z1:.*]] = infini.memory_update %{{.*}}, %[[KS]], %[[M]], %[[ZS]] {update = #infini.update<delta_corrected>}
// SCAN:   infini.yield %[[ZS]], %[[Z1]] :
// SCAN: } -> tensor<8x1x2x16xf32>, tensor<1x2x16xf32>
// SCAN-NOT: states(
// SCAN: %[[AB:.*]]:2 = infini.segment_scan sequences(%[[Q]], %[[K]] : {{.*}}) per_segment(%[[Z]]#0 : tensor<8x1x2x16xf32>)
// SCAN: %[[M:.*]], %[[ML:.*]] = infini.affine_scan factors(%[[AB]]#0 : {{.*}}) increments(%[[AB]]#1 : {{.*}}) initial(%[[M0]] : {{.*}})
// SCAN: %[[O:.*]] = infini.segment_scan sequences(%[[Q]] : {{.*}}) per_segment(%[[M]], %[[Z]]#0 : {{.*}})
// SCAN: return %[[O]], %[[ML]], %[[Z]]#1
//
// What is not composed is not cut into chunks.
// CHUNK-LABEL: func @delta_corrected(
// CHUNK-SAME: %[[Q:.*]]: tensor<1x4x64x16xf32>, %[[K:.*]]: tensor<1x2x64x16xf32>, %[[M0:.*]]: tensor<1x2x16x16xf32>, %[[Z0:.*]]: tensor<1x2x16xf32>)
// CHUNK: %[[Z:.*]]:2 = infini.segment_scan sequences(%[[Q]], %[[K]] : {{.*}}) invariants(%[[M0]] : {{.*}}) states(%[[Z0]] : {{.*}}) {{.*}}segment_length = 8 : i64
// CHUNK: return %{{.*}}, %{{.*}}, %[[Z]]#1
func.func @delta_corrected(%q: tensor<1x4x64x16xf32>, %k: tensor<1x2x64x16xf32>, %M0: tensor<1x2x16x16xf32>, %z0: tensor<1x2x16xf32>)
    -> (tensor<1x4x64x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k : tensor<1x4x64x16xf32>, tensor<1x2x64x16xf32>)
      states(%M0, %z0 : tensor<1x2x16x16xf32>, tensor<1x2x16xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x4x8x16xf32>, %ks: tensor<1x2x8x16xf32>, %M: tensor<1x2x16x16xf32>, %z: tensor<1x2x16xf32>):
    %sk = infini.feature_map %ks : tensor<1x2x8x16xf32>
    %held = infini.memory_retrieve %qs, %M, %z
      : (tensor<1x4x8x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>) -> tensor<1x4x8x16xf32>
    %M1, %z1 = infini.memory_update %sk, %ks, %M, %z {update = #infini.update<delta_corrected>}
      : tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
    infini.yield %held, %M1, %z1 : tensor<1x4x8x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
  } -> tensor<1x4x64x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
  return %r#0, %r#1, %r#2 : tensor<1x4x64x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
}

// -----

// A number of segments that is not known: chunks always.
// STREAM-LABEL: func @dynamic(
// STREAM-SAME: %[[Q:.*]]: tensor<1x4x?x16xf32>, %[[K:.*]]: tensor<1x2x?x16xf32>, %[[M0:.*]]: tensor<1x2x16x16xf32>, %[[Z0:.*]]: tensor<1x2x16xf32>)
// STREAM: %[[F:.*]]:4 = infini.segment_scan sequences(%[[Q]], %[[K]] : {{.*}}) states(%[[Z0]], %[[M0]] : {{.*}}) attributes {num_stacked = 2 : i64, output_axes = array<i64>, {{.*}}, whole}
// STREAM: ^bb0(%{{.*}}: tensor<1x4x8x16xf32>, %[[KS:.*]]: tensor<1x2x8x16xf32>, %[[Z:.*]]: tensor<1x2x16xf32>, %[[M:.*]]: tensor<1x2x16x16xf32>):
// STREAM-NEXT: %[[SK:.*]] = infini.feature_map %[[KS]]
// STREAM-NEXT: %[[M1:.*]], %[[Z1:.*]] = infini.memory_update %[[SK]], %[[KS]], %[[M]], %[[Z]] {update = #infini.update<linear>} :
// STREAM-NEXT: infini.yield %[[Z]], %[[M]], %[[Z1]], %[[M1]]
// STREAM-NEXT: } -> tensor<?x1x2x16xf32>, tensor<?x1x2x16x16xf32>, tensor<1x2x16xf32>, tensor<1x2x16x16xf32>
// STREAM: %[[O:.*]] = infini.segment_scan sequences(%[[Q]] : {{.*}}) per_segment(%[[F]]#1, %[[F]]#0 : {{.*}}) attributes
// STREAM-NOT: states(
// STREAM: ^bb0(%[[QS:.*]]: tensor<1x4x8x16xf32>, %[[MS:.*]]: tensor<1x2x16x16xf32>, %[[ZS:.*]]: tensor<1x2x16xf32>):
// STREAM-NEXT: %[[HELD:.*]] = infini.memory_retrieve %[[QS]], %[[MS]], %[[ZS]]
// STREAM-NEXT: infini.yield %[[HELD]]
// STREAM: return %[[O]], %[[F]]#3, %[[F]]#2
// SCAN-LABEL: func @dynamic(
// SCAN-SAME: %[[Q:.*]]: tensor<1x4x?x16xf32>, %[[K:.*]]: tensor<1x2x?x16xf32>, %[[M0:.*]]: tensor<1x2x16x16xf32>, %[[Z0:.*]]: tensor<1x2x16xf32>)
// SCAN: } -> tensor<?x1x2x16xf32>
// SCAN: infini.segment_scan sequences(%{{.*}} : tensor<?x1x2x16xf32>) attributes {num_stacked = 1 : i64, output_axes = array<i64>, segment_length = 16 : i64, sequence_axes = array<i64: 0>} {
// SCAN: } -> tensor<?x1x2x16xf32>
// SCAN: infini.segment_scan sequences(%{{.*}} : tensor<?x1x2x16xf32>) per_segment(%{{.*}} : tensor<?x1x2x16xf32>) attributes {output_axes = array<i64: 0>, segment_length = 16 : i64, sequence_axes = array<i64: 0>} {
func.func @dynamic(%q: tensor<1x4x?x16xf32>, %k: tensor<1x2x?x16xf32>, %M0: tensor<1x2x16x16xf32>, %z0: tensor<1x2x16xf32>)
    -> (tensor<1x4x?x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>) {
  %r:3 = infini.segment_scan sequences(%q, %k : tensor<1x4x?x16xf32>, tensor<1x2x?x16xf32>)
      states(%M0, %z0 : tensor<1x2x16x16xf32>, tensor<1x2x16xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x4x8x16xf32>, %ks: tensor<1x2x8x16xf32>, %M: tensor<1x2x16x16xf32>, %z: tensor<1x2x16xf32>):
    %sk = infini.feature_map %ks : tensor<1x2x8x16xf32>
    %held = infini.memory_retrieve %qs, %M, %z
      : (tensor<1x4x8x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>) -> tensor<1x4x8x16xf32>
    %M1, %z1 = infini.memory_update %sk, %ks, %M, %z {update = #infini.update<linear>}
      : tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
    infini.yield %held, %M1, %z1 : tensor<1x4x8x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
  } -> tensor<1x4x?x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
  return %r#0, %r#1, %r#2 : tensor<1x4x?x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
}

// -----

// Two memories, of which the second keeps what the first holds: the first is
// taken out first, though the second comes before it among the states.
// BOTH-LABEL: func @two_memories
// BOTH-SAME: (%[[K:.*]]: tensor<1x2x64x16xf32>, %[[N0:.*]]: tensor<1x2x16x16xf32>, %[[Y0:.*]]: tensor<1x2x16xf32>, %[[M0:.*]]: tensor<1x2x16x16xf32>, %[[Z0:.*]]: tensor<1x2x16xf32>)
// STREAM: %[[F:.*]]:4 = infini.segment_scan sequences(%[[K]] : {{.*}}) states(%[[Z0]], %[[M0]] : {{.*}}) attributes {num_stacked = 2 : i64,
// STREAM-NOT: infini.memory_retrieve
// STREAM: infini.memory_update %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} {update = #infini.update<linear>}
// STREAM: } -> tensor<8x1x2x16xf32>, tensor<8x1x2x16x16xf32>,
// STREAM: %[[G:.*]]:4 = infini.segment_scan sequences(%[[K]] : {{.*}}) per_segment(%[[F]]#1, %[[F]]#0 : {{.*}}) states(%[[Y0]], %[[N0]] : {{.*}}) attributes {num_stacked = 2 : i64,
// STREAM: ^bb0(%[[KS:.*]]: tensor<1x2x8x16xf32>, %[[M:.*]]: tensor<1x2x16x16xf32>, %[[Z:.*]]: tensor<1x2x16xf32>, %[[Y:.*]]: tensor<1x2x16xf32>, %[[N:.*]]: tensor<1x2x16x16xf32>):
// STREAM-NEXT: %[[HELD:.*]] = infini.memory_retrieve %[[KS]], %[[M]], %[[Z]]
// STREAM-NEXT: infini.memory_update %[[KS]], %[[HELD]], %[[N]], %[[Y]] :
// STREAM: return %[[G]]#3, %[[G]]#2, %[[F]]#3, %[[F]]#2
// SCAN: %[[Z:.*]], %[[ZL:.*]] = infini.affine_scan {{.*}} initial(%[[Z0]] :
// SCAN: %[[M:.*]], %[[ML:.*]] = infini.affine_scan {{.*}} initial(%[[M0]] :
// SCAN: %[[Y:.*]], %[[YL:.*]] = infini.affine_scan {{.*}} initial(%[[Y0]] :
// SCAN: %[[AB:.*]]:2 = infini.segment_scan sequences(%[[K]] : {{.*}}) per_segment(%[[Y]], %[[M]], %[[Z]] : {{.*}})
// SCAN: infini.memory_retrieve
// SCAN: %{{.*}}, %[[NL:.*]] = infini.affine_scan factors(%[[AB]]#0 : {{.*}}) increments(%[[AB]]#1 : {{.*}}) initial(%[[N0]] :
// SCAN: return %[[NL]], %[[YL]], %[[ML]], %[[ZL]]
func.func @two_memories(%k: tensor<1x2x64x16xf32>, %N0: tensor<1x2x16x16xf32>, %y0: tensor<1x2x16xf32>,
                        %M0: tensor<1x2x16x16xf32>, %z0: tensor<1x2x16xf32>)
    -> (tensor<1x2x16x16xf32>, tensor<1x2x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>) {
  %r:4 = infini.segment_scan sequences(%k : tensor<1x2x64x16xf32>)
      states(%N0, %y0, %M0, %z0 : tensor<1x2x16x16xf32>, tensor<1x2x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2>, output_axes = array<i64>, whole} {
  ^bb0(%ks: tensor<1x2x8x16xf32>, %N: tensor<1x2x16x16xf32>, %y: tensor<1x2x16xf32>,
       %M: tensor<1x2x16x16xf32>, %z: tensor<1x2x16xf32>):
    %held = infini.memory_retrieve %ks, %M, %z
      : (tensor<1x2x8x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>) -> tensor<1x2x8x16xf32>
    %N1, %y1 = infini.memory_update %ks, %held, %N, %y
      : tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
    %M1, %z1 = infini.memory_update %ks, %ks, %M, %z {update = #infini.update<linear>}
      : tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
    infini.yield %N1, %y1, %M1, %z1
      : tensor<1x2x16x16xf32>, tensor<1x2x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
  } -> tensor<1x2x16x16xf32>, tensor<1x2x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
  return %r#0, %r#1, %r#2, %r#3 : tensor<1x2x16x16xf32>, tensor<1x2x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
}

// -----

// What reads the memory after its update computes the update again, from the
// states before the segment; so does a stack of new states. An invariant goes
// where it is used.
// BOTH-LABEL: func @read_after
// BOTH-SAME: (%[[K:.*]]: tensor<1x2x64x16xf32>, %[[B:.*]]: tensor<2xf32>, %[[M0:.*]]: tensor<1x2x16x16xf32>, %[[Z0:.*]]: tensor<1x2x16xf32>)
// STREAM: %[[F:.*]]:4 = infini.segment_scan sequences(%[[K]] : {{.*}}) states(%[[Z0]], %[[M0]] : {{.*}})
// BOTH: %[[R:.*]]:2 = infini.segment_scan sequences(%[[K]] : {{.*}}) per_segment(%{{.*}}, %{{.*}} : tensor<8x1x2x16x16xf32>, tensor<8x1x2x16xf32>) invariants(%[[B]] : tensor<2xf32>) attributes {num_stacked = 1 : i64, output_axes = array<i64: 2>,
// BOTH: ^bb0(%[[KS:.*]]: tensor<1x2x8x16xf32>, %[[M:.*]]: tensor<1x2x16x16xf32>, %[[Z:.*]]: tensor<1x2x16xf32>, %[[BS:.*]]: tensor<2xf32>):
// BOTH-NEXT: %[[M1:.*]], %[[Z1:.*]] = infini.memory_update %[[KS]], %[[KS]], %[[M]], %[[Z]] :
// BOTH-NEXT: %[[HELD:.*]] = infini.memory_retrieve %[[KS]], %[[M1]], %[[Z1]]
// BOTH-NEXT: %[[O:.*]] = infini.gate %[[HELD]], %[[KS]], %[[BS]]
// BOTH-NEXT: infini.yield %[[O]], %[[Z1]]
// STREAM: return %[[R]]#0, %[[R]]#1, %[[F]]#3, %[[F]]#2
func.func @read_after(%k: tensor<1x2x64x16xf32>, %b: tensor<2xf32>, %M0: tensor<1x2x16x16xf32>, %z0: tensor<1x2x16xf32>)
    -> (tensor<1x2x64x16xf32>, tensor<8x1x2x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>) {
  %r:4 = infini.segment_scan sequences(%k : tensor<1x2x64x16xf32>) invariants(%b : tensor<2xf32>)
      states(%M0, %z0 : tensor<1x2x16x16xf32>, tensor<1x2x16xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2>, output_axes = array<i64: 2>,
                  num_stacked = 1 : i64, whole} {
  ^bb0(%ks: tensor<1x2x8x16xf32>, %bs: tensor<2xf32>, %M: tensor<1x2x16x16xf32>, %z: tensor<1x2x16xf32>):
    %M1, %z1 = infini.memory_update %ks, %ks, %M, %z
      : tensor<1x2x8x16xf32>, tensor<1x2x8x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
    %held = infini.memory_retrieve %ks, %M1, %z1
      : (tensor<1x2x8x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>) -> tensor<1x2x8x16xf32>
    %o = infini.gate %held, %ks, %bs : tensor<1x2x8x16xf32>, tensor<2xf32>
    infini.yield %o, %z1, %M1, %z1 : tensor<1x2x8x16xf32>, tensor<1x2x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
  } -> tensor<1x2x64x16xf32>, tensor<8x1x2x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
  return %r#0, %r#1, %r#2, %r#3 : tensor<1x2x64x16xf32>, tensor<8x1x2x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
}

// -----

// A scan that may have a short segment is left alone, and so is one without
// states.
// BOTH-LABEL: func @not_whole
// BOTH: infini.segment_scan {{.*}} states(
// BOTH: infini.memory_update
// BOTH: infini.segment_scan
// BOTH-NOT: infini.segment_scan
func.func @not_whole(%k: tensor<1x2x64x16xf32>, %M0: tensor<1x2x16x16xf32>, %z0: tensor<1x2x16xf32>)
    -> (tensor<1x2x16x16xf32>, tensor<1x2x16xf32>, tensor<1x2x64x16xf32>) {
  %r:2 = infini.segment_scan sequences(%k : tensor<1x2x64x16xf32>)
      states(%M0, %z0 : tensor<1x2x16x16xf32>, tensor<1x2x16xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2>, output_axes = array<i64>} {
  ^bb0(%ks: tensor<1x2x?x16xf32>, %M: tensor<1x2x16x16xf32>, %z: tensor<1x2x16xf32>):
    %M1, %z1 = infini.memory_update %ks, %ks, %M, %z
      : tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>, tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
    infini.yield %M1, %z1 : tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
  } -> tensor<1x2x16x16xf32>, tensor<1x2x16xf32>
  %o = infini.segment_scan sequences(%k : tensor<1x2x64x16xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%ks: tensor<1x2x8x16xf32>):
    %sk = infini.feature_map %ks : tensor<1x2x8x16xf32>
    infini.yield %sk : tensor<1x2x8x16xf32>
  } -> tensor<1x2x64x16xf32>
  return %r#0, %r#1, %o : tensor<1x2x16x16xf32>, tensor<1x2x16xf32>, tensor<1x2x64x16xf32>
}
