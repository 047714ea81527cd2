// REQUIRES: infini-decay-compile
// RUN: infini-decay-compile %s --emit=dispatch --schedule=sequential -o %t.sequential
// RUN: infini-decay-compile %s --emit=dispatch --schedule=streaming -o %t.streaming
// RUN: infini-decay-compile %s --emit=dispatch --schedule=scan -o %t.scan
// RUN: FileCheck %s --check-prefix=KERNEL --input-file=%t.sequential
// RUN: FileCheck %s --check-prefix=KERNEL --input-file=%t.streaming
// RUN: FileCheck %s --check-prefix=KERNEL --input-file=%t.scan
// RUN: FileCheck %s --check-prefix=SEQUENTIAL --input-file=%t.sequential
// RUN: FileCheck %s --check-prefix=STREAMING --input-file=%t.streaming
// RUN: FileCheck %s --check-prefix=SCAN --input-file=%t.scan --implicit-check-not=decay.update --implicit-check-not="scf.for %"

// A memory rule and a gate of a dialect that no pass knows, on each schedule.

// The gate has taken retrieval and attention into its kernel, one head a tile.
// KERNEL: module @segment_attention_0 attributes {program.kernel}
// KERNEL-NOT: module @
// KERNEL: infini.memory_retrieve {{.*}} -> tensor<1x1x16x24xf32>
// KERNEL-NOT: module @
// KERNEL: infini.segment_attention {{.*}} -> tensor<1x1x16x24xf32>
// KERNEL-NOT: module @
// KERNEL: decay.gate {{.*}} : tensor<1x1x16x24xf32>, tensor<1x24xf32>, tensor<1xf32>
// KERNEL-NOT: decay.gate

// One segment after the other: the loop is the schedule's.
// SEQUENTIAL-LABEL: func.func @forward
// SEQUENTIAL: scf.for %
// SEQUENTIAL-DAG: program.dispatch @update_0
// SEQUENTIAL-DAG: program.dispatch @segment_attention_0
// SEQUENTIAL: scf.yield
// SEQUENTIAL: module @update_0 attributes {program.kernel}
// SEQUENTIAL-NOT: scf.for %
// SEQUENTIAL: infini.feature_map
// SEQUENTIAL-NOT: scf.for %
// SEQUENTIAL: decay.update {{.*}} {gamma = 9.000000e-01 : f64}

// The states first: a block for each head, in it the loop over segments.
// STREAMING-LABEL: func.func @forward
// STREAMING-NOT: scf.for %
// STREAMING: program.dispatch @update_0
// STREAMING-NOT: scf.for %
// STREAMING: program.dispatch @segment_attention_0
// STREAMING-NOT: scf.for %
// STREAMING: module @update_0 attributes {program.kernel}
// STREAMING-NOT: module @
// STREAMING: scf.forall
// STREAMING: scf.for %
// STREAMING-NOT: scf.yield
// STREAMING: infini.feature_map
// STREAMING-NOT: scf.yield
// STREAMING: decay.update {{.*}} : tensor<1x1x16x16xf32>, tensor<1x1x16x24xf32>, tensor<1x1x16x24xf32>, tensor<1x1x16xf32>
// STREAMING: scf.yield

// No loop over segments: affine steps with diagonal factors for z, with full
// ones for M.
// SCAN-DAG: infini.affine_scan factors(%{{[a-z0-9_]+}} : tensor<4x1x1x16xf32>) increments(%{{[a-z0-9_]+}} : tensor<4x1x1x16xf32>)
// SCAN-DAG: infini.affine_scan factors(%{{[a-z0-9_]+}} : tensor<4x1x1x16x16xf32>) increments(%{{[a-z0-9_]+}} : tensor<4x1x1x16x24xf32>)

!q = tensor<1x4x64x16xf32>
!k = tensor<1x2x64x16xf32>
!v = tensor<1x2x64x24xf32>
!o = tensor<1x4x64x24xf32>
!qs = tensor<1x4x16x16xf32>
!ks = tensor<1x2x16x16xf32>
!vs = tensor<1x2x16x24xf32>
!os = tensor<1x4x16x24xf32>
!M = tensor<1x2x16x24xf32>
!z = tensor<1x2x16xf32>
!w = tensor<4x24xf32>
!b = tensor<4xf32>

func.func @forward(%q: !q, %k: !k, %v: !v, %w: !w, %b: !b, %M0: !M, %z0: !z) -> (!o, !M, !z) {
  %o, %M, %z = infini.segment_scan sequences(%q, %k, %v : !q, !k, !v)
      invariants(%w, %b : !w, !b) states(%M0, %z0 : !M, !z)
      attributes {segment_length = 16 : i64, sequence_axes = array<i64: 2, 2, 2>,
                  output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: !qs, %ks: !ks, %vs: !vs, %ws: !w, %bs: !b, %Ms: !M, %zs: !z):
    %dot = infini.segment_attention %qs, %ks, %vs : (!qs, !ks, !vs) -> !os
    %sq = infini.feature_map %qs : !qs
    %sk = infini.feature_map %ks : !ks
    %mem = infini.memory_retrieve %sq, %Ms, %zs : (!qs, !M, !z) -> !os
    %a = decay.gate %mem, %dot, %ws, %bs : !os, !w, !b
    %M1, %z1 = decay.update %sk, %vs, %Ms, %zs {gamma = 0.9 : f64} : !ks, !vs, !M, !z
    infini.yield %a, %M1, %z1 : !os, !M, !z
  } -> !o, !M, !z
  return %o, %M, %z : !o, !M, !z
}
