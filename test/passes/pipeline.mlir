// RUN: infini-opt %s --infini-to-cpu | FileCheck %s
// RUN: infini-opt %s --infini-to-cpu='rows=4 columns=16' | FileCheck %s

// Each stage's output is IR that parses again, and goes on to the next.
// RUN: infini-opt %s --infini-stage | infini-opt | FileCheck %s --check-prefix=INFINI
// RUN: infini-opt %s --infini-stage | infini-opt --infini-dispatch-stage | infini-opt | FileCheck %s --check-prefix=DISPATCH
// RUN: infini-opt %s --infini-stage --infini-dispatch-stage | infini-opt --infini-program-stage | infini-opt | FileCheck %s --check-prefix=PROGRAM
// RUN: infini-opt %s --infini-stage --infini-dispatch-stage --infini-program-stage | infini-opt --infini-tile-stage | infini-opt | FileCheck %s --check-prefix=TILE
// RUN: infini-opt %s --infini-stage --infini-dispatch-stage --infini-program-stage --infini-tile-stage | infini-opt --infini-cpu-vector-stage | infini-opt | FileCheck %s --check-prefix=VECTOR
// RUN: infini-opt %s --infini-stage --infini-dispatch-stage --infini-program-stage --infini-tile-stage --infini-cpu-vector-stage | infini-opt --infini-cpu-llvm-stage | infini-opt | FileCheck %s

// Piece by piece and at once are the same.
// RUN: infini-opt %s --infini-to-cpu -o %t.once
// RUN: infini-opt %s --infini-stage --infini-dispatch-stage --infini-program-stage --infini-tile-stage --infini-cpu-vector-stage --infini-cpu-llvm-stage -o %t.pieces
// RUN: cmp %t.once %t.pieces

// Infini-attention of one call: H = 4 query heads, G = 2 of keys, segments of 16.

// INFINI-LABEL: func @infini_attention
// INFINI-NOT: infini.segment_scan
// INFINI: scf.for
// INFINI: infini.segment_attention
// INFINI: scf.for
// INFINI: infini.memory_update

// The table of rotations depends on nothing: it is made once a session.
// DISPATCH-LABEL: func.func @infini_attention.init()
// DISPATCH: program.dispatch
// DISPATCH-LABEL: func.func @infini_attention(
// DISPATCH-SAME: {program.name = "constant.0", program.role = "constant"}
// DISPATCH-NOT: infini.
// DISPATCH: scf.for
// DISPATCH-DAG: program.dispatch @segment_attention_{{[01]}}
// DISPATCH-DAG: program.dispatch @memory_update_{{[01]}}
// DISPATCH: module @{{.*}} attributes {program.kernel}

// PROGRAM-LABEL: func.func @infini_attention(
// PROGRAM: program.buffer{{.*}} {slot = {{[0-9]+}} : i64}

// TILE: module @{{.*}} attributes {program.kernel}
// TILE-NOT: {{(infini|linalg|bufferization)\.[a-z]}}
// TILE: tile.dot
// TILE-NOT: {{(infini|linalg|bufferization)\.[a-z]}}

// VECTOR: module @{{.*}} attributes {program.kernel}
// VECTOR-NOT: {{(infini|linalg|tile)\.[a-z]}}
// VECTOR: vector.fma
// VECTOR-NOT: {{(infini|linalg|tile)\.[a-z]}}

// CHECK-LABEL: func.func @infini_attention(
// CHECK: scf.for
// CHECK: program.dispatch @segment_attention_
// CHECK: module @{{.*}} attributes {program.buffers = {{[0-9]+}} : i64, program.grid = {{.*}}, program.kernel}
// CHECK: llvm.func @{{.*}}(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr)
// CHECK-NOT: {{(infini|linalg|memref|vector|scf)\.[a-z]}}
// CHECK-NOT: unrealized_conversion_cast
func.func @infini_attention(%q: tensor<1x4x?x32xf32>, %k: tensor<1x2x?x32xf32>, %v: tensor<1x2x?x32xf32>,
                            %beta: tensor<4xf32> {program.role = "weight", program.name = "beta"},
                            %M0: tensor<1x2x32x32xf32> {program.role = "state", program.name = "M"},
                            %z0: tensor<1x2x32xf32> {program.role = "state", program.name = "z"})
    -> (tensor<1x4x?x32xf32>, tensor<1x2x32x32xf32> {program.role = "state", program.name = "M"},
        tensor<1x2x32xf32> {program.role = "state", program.name = "z"}) {
  %o, %M, %z = infini.segment_scan
      sequences(%q, %k, %v : tensor<1x4x?x32xf32>, tensor<1x2x?x32xf32>, tensor<1x2x?x32xf32>)
      invariants(%beta : tensor<4xf32>) states(%M0, %z0 : tensor<1x2x32x32xf32>, tensor<1x2x32xf32>)
      attributes {segment_length = 16 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>} {
  ^bb0(%qs: tensor<1x4x?x32xf32>, %ks: tensor<1x2x?x32xf32>, %vs: tensor<1x2x?x32xf32>, %b: tensor<4xf32>,
       %Ms: tensor<1x2x32x32xf32>, %zs: tensor<1x2x32xf32>):
    %qr = infini.rope %qs {base = 1.0e4 : f64} : tensor<1x4x?x32xf32>
    %kr = infini.rope %ks {base = 1.0e4 : f64} : tensor<1x2x?x32xf32>
    %dot = infini.segment_attention %qr, %kr, %vs
      : (tensor<1x4x?x32xf32>, tensor<1x2x?x32xf32>, tensor<1x2x?x32xf32>) -> tensor<1x4x?x32xf32>
    %sq = infini.feature_map %qs : tensor<1x4x?x32xf32>
    %sk = infini.feature_map %ks : tensor<1x2x?x32xf32>
    %mem = infini.memory_retrieve %sq, %Ms, %zs
      : (tensor<1x4x?x32xf32>, tensor<1x2x32x32xf32>, tensor<1x2x32xf32>) -> tensor<1x4x?x32xf32>
    %a = infini.gate %mem, %dot, %b : tensor<1x4x?x32xf32>, tensor<4xf32>
    %M1, %z1 = infini.memory_update %sk, %vs, %Ms, %zs
      : tensor<1x2x?x32xf32>, tensor<1x2x?x32xf32>, tensor<1x2x32x32xf32>, tensor<1x2x32xf32>
    infini.yield %a, %M1, %z1 : tensor<1x4x?x32xf32>, tensor<1x2x32x32xf32>, tensor<1x2x32xf32>
  } -> tensor<1x4x?x32xf32>, tensor<1x2x32x32xf32>, tensor<1x2x32xf32>
  return %o, %M, %z : tensor<1x4x?x32xf32>, tensor<1x2x32x32xf32>, tensor<1x2x32xf32>
}
