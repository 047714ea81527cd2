// RUN: infini-opt %s | FileCheck %s
// RUN: infini-opt %s | infini-opt | FileCheck %s
// RUN: infini-opt %s --mlir-print-op-generic | infini-opt | FileCheck %s
// RUN: infini-opt %s --emit-bytecode | infini-opt | FileCheck %s
// RUN: infini-opt %s --canonicalize | FileCheck %s --check-prefix=FOLD

// The examples of TileOps.td, and every optional part of every op.

// CHECK-LABEL: func @load
// CHECK-SAME: (%[[Q:.*]]: memref<1x8x?x64xf32>, %[[B:.*]]: index, %[[H:.*]]: index, %[[L:.*]]: index, %[[N:.*]]: index)
func.func @load(%q: memref<1x8x?x64xf32>, %b: index, %h: index, %l: index, %n: index) -> tensor<64x64xf32> {
  // CHECK-NEXT: %[[T:.*]] = tile.load %[[Q]][%[[B]], %[[H]], %[[L]], 0] dims [2, 3] valid [%[[N]], 64] : memref<1x8x?x64xf32> -> tensor<64x64xf32>
  %t = tile.load %q[%b, %h, %l, 0] dims [2, 3] valid [%n, 64] : memref<1x8x?x64xf32> -> tensor<64x64xf32>
  // CHECK-NEXT: return %[[T]]
  return %t : tensor<64x64xf32>
}

// CHECK-LABEL: func @load_forms
func.func @load_forms(%q: memref<4x?x16xf32>, %i: memref<8xi32>, %x: memref<8xindex>, %m: memref<8xi1>, %s: memref<bf16>,
                      %d: memref<8xf64>, %n: index) {
  // The whole tile is inside.
  // CHECK-NEXT: tile.load %{{.*}}[0, %{{.*}}, 0] dims [1, 2] : memref<4x?x16xf32> -> tensor<8x16xf32>
  %0 = tile.load %q[0, %n, 0] dims [1, 2] : memref<4x?x16xf32> -> tensor<8x16xf32>
  // Transposed.
  // CHECK-NEXT: tile.load %{{.*}}[3, 0, 0] dims [2, 1] valid [16, %{{.*}}] : memref<4x?x16xf32> -> tensor<16x8xf32>
  %1 = tile.load %q[3, 0, 0] dims [2, 1] valid [16, %n] : memref<4x?x16xf32> -> tensor<16x8xf32>
  // One element, and that of a buffer without dimensions.
  // CHECK-NEXT: tile.load %{{.*}}[1, %{{.*}}, 2] dims [] : memref<4x?x16xf32> -> tensor<f32>
  %2 = tile.load %q[1, %n, 2] dims [] : memref<4x?x16xf32> -> tensor<f32>
  // CHECK-NEXT: tile.load %{{.*}}[] dims [] : memref<bf16> -> tensor<bf16>
  %3 = tile.load %s[] dims [] : memref<bf16> -> tensor<bf16>
  // Pads of all kinds of elements.
  // CHECK-NEXT: tile.load %{{.*}}[0, 0, 0] dims [1] valid [%{{.*}}] {pad = 0xFF800000 : f32} : memref<4x?x16xf32> -> tensor<8xf32>
  %4 = tile.load %q[0, 0, 0] dims [1] valid [%n] {pad = 0xFF800000 : f32} : memref<4x?x16xf32> -> tensor<8xf32>
  // CHECK-NEXT: tile.load %{{.*}}[0] dims [0] valid [3] {pad = -1 : i32} : memref<8xi32> -> tensor<8xi32>
  %5 = tile.load %i[0] dims [0] valid [3] {pad = -1 : i32} : memref<8xi32> -> tensor<8xi32>
  // CHECK-NEXT: tile.load %{{.*}}[0] dims [0] valid [3] {pad = 7 : index} : memref<8xindex> -> tensor<8xindex>
  %6 = tile.load %x[0] dims [0] valid [3] {pad = 7 : index} : memref<8xindex> -> tensor<8xindex>
  // CHECK-NEXT: tile.load %{{.*}}[0] dims [0] valid [3] {pad = true} : memref<8xi1> -> tensor<8xi1>
  %7 = tile.load %m[0] dims [0] valid [3] {pad = true} : memref<8xi1> -> tensor<8xi1>
  // CHECK-NEXT: tile.load %{{.*}}[0] dims [0] valid [3] {pad = 1.000000e+00 : f64} : memref<8xf64> -> tensor<8xf64>
  %8 = tile.load %d[0] dims [0] valid [3] {pad = 1.0 : f64} : memref<8xf64> -> tensor<8xf64>
  // Nothing is valid.
  // CHECK-NEXT: tile.load %{{.*}}[0] dims [0] valid [-2] : memref<8xf64> -> tensor<8xf64>
  %9 = tile.load %d[0] dims [0] valid [-2] : memref<8xf64> -> tensor<8xf64>
  return
}

// CHECK-LABEL: func @store
// CHECK-SAME: (%[[T:.*]]: tensor<64x64xf32>, %[[O:.*]]: memref<1x8x?x64xf32>, %[[B:.*]]: index, %[[H:.*]]: index, %[[L:.*]]: index, %[[N:.*]]: index)
func.func @store(%t: tensor<64x64xf32>, %o: memref<1x8x?x64xf32>, %b: index, %h: index, %l: index, %n: index) {
  // CHECK-NEXT: tile.store %[[T]], %[[O]][%[[B]], %[[H]], %[[L]], 0] dims [2, 3] valid [%[[N]], 64] : tensor<64x64xf32>, memref<1x8x?x64xf32>
  tile.store %t, %o[%b, %h, %l, 0] dims [2, 3] valid [%n, 64] : tensor<64x64xf32>, memref<1x8x?x64xf32>
  return
}

// CHECK-LABEL: func @store_forms
func.func @store_forms(%t: tensor<16x8xf16>, %x: tensor<i64>, %o: memref<4x8x16xf16>, %s: memref<i64>) {
  // CHECK-NEXT: tile.store %{{.*}}, %{{.*}}[1, 0, 0] dims [2, 1] {note} : tensor<16x8xf16>, memref<4x8x16xf16>
  tile.store %t, %o[1, 0, 0] dims [2, 1] {note} : tensor<16x8xf16>, memref<4x8x16xf16>
  // CHECK-NEXT: tile.store %{{.*}}, %{{.*}}[] dims [] : tensor<i64>, memref<i64>
  tile.store %x, %s[] dims [] : tensor<i64>, memref<i64>
  return
}

// Every size is different, so that a wrong transposition does not verify.
// CHECK-LABEL: func @dot
func.func @dot(%mk: tensor<2x3xbf16>, %km: tensor<3x2xbf16>, %kn: tensor<3x5xbf16>, %nk: tensor<5x3xbf16>,
               %acc: tensor<2x5xf32>) -> tensor<2x5xf32> {
  // CHECK-NEXT: tile.dot %{{.*}}, %{{.*}}, %{{.*}} : tensor<2x3xbf16>, tensor<3x5xbf16> into tensor<2x5xf32>
  %0 = tile.dot %mk, %kn, %acc : tensor<2x3xbf16>, tensor<3x5xbf16> into tensor<2x5xf32>
  // CHECK-NEXT: tile.dot %{{.*}} {transpose_a} : tensor<3x2xbf16>, tensor<3x5xbf16> into tensor<2x5xf32>
  %1 = tile.dot %km, %kn, %0 {transpose_a} : tensor<3x2xbf16>, tensor<3x5xbf16> into tensor<2x5xf32>
  // CHECK-NEXT: tile.dot %{{.*}} {transpose_b} : tensor<2x3xbf16>, tensor<5x3xbf16> into tensor<2x5xf32>
  %2 = tile.dot %mk, %nk, %1 {transpose_b} : tensor<2x3xbf16>, tensor<5x3xbf16> into tensor<2x5xf32>
  // CHECK-NEXT: tile.dot %{{.*}} {transpose_a, transpose_b} : tensor<3x2xbf16>, tensor<5x3xbf16> into tensor<2x5xf32>
  %3 = tile.dot %km, %nk, %2 {transpose_a, transpose_b} : tensor<3x2xbf16>, tensor<5x3xbf16> into tensor<2x5xf32>
  return %3 : tensor<2x5xf32>
}

// CHECK-LABEL: func @dot_vectors
func.func @dot_vectors(%mk: tensor<2x3xf32>, %km: tensor<3x2xf32>, %k: tensor<3xf32>, %m: tensor<2xf32>) -> tensor<2xf32> {
  // CHECK-NEXT: tile.dot %{{.*}} : tensor<2x3xf32>, tensor<3xf32> into tensor<2xf32>
  %0 = tile.dot %mk, %k, %m : tensor<2x3xf32>, tensor<3xf32> into tensor<2xf32>
  // CHECK-NEXT: tile.dot %{{.*}} {transpose_a} : tensor<3x2xf32>, tensor<3xf32> into tensor<2xf32>
  %1 = tile.dot %km, %k, %0 {transpose_a} : tensor<3x2xf32>, tensor<3xf32> into tensor<2xf32>
  // CHECK-NEXT: tile.dot %{{.*}} : tensor<3xf32>, tensor<3x2xf32> into tensor<2xf32>
  %2 = tile.dot %k, %km, %1 : tensor<3xf32>, tensor<3x2xf32> into tensor<2xf32>
  // CHECK-NEXT: tile.dot %{{.*}} {transpose_b} : tensor<3xf32>, tensor<2x3xf32> into tensor<2xf32>
  %3 = tile.dot %k, %mk, %2 {transpose_b} : tensor<3xf32>, tensor<2x3xf32> into tensor<2xf32>
  return %3 : tensor<2xf32>
}

// CHECK-LABEL: func @dot_types
func.func @dot_types(%h: tensor<2x2xf16>, %s: tensor<2x2xf32>, %d: tensor<2x2xf64>) {
  // CHECK-NEXT: tile.dot %{{.*}} : tensor<2x2xf16>, tensor<2x2xf16> into tensor<2x2xf32>
  %0 = tile.dot %h, %h, %s : tensor<2x2xf16>, tensor<2x2xf16> into tensor<2x2xf32>
  // CHECK-NEXT: tile.dot %{{.*}} : tensor<2x2xf16>, tensor<2x2xf16> into tensor<2x2xf64>
  %1 = tile.dot %h, %h, %d : tensor<2x2xf16>, tensor<2x2xf16> into tensor<2x2xf64>
  // CHECK-NEXT: tile.dot %{{.*}} : tensor<2x2xf32>, tensor<2x2xf32> into tensor<2x2xf64>
  %2 = tile.dot %s, %s, %d : tensor<2x2xf32>, tensor<2x2xf32> into tensor<2x2xf64>
  // CHECK-NEXT: tile.dot %{{.*}} : tensor<2x2xf64>, tensor<2x2xf64> into tensor<2x2xf64>
  %3 = tile.dot %d, %d, %d : tensor<2x2xf64>, tensor<2x2xf64> into tensor<2x2xf64>
  return
}

// CHECK-LABEL: func @reduce
// CHECK-SAME: (%[[X:.*]]: tensor<64x32xf32>, %[[I:.*]]: tensor<32xf32>, %[[J:.*]]: tensor<64xf32>)
func.func @reduce(%x: tensor<64x32xf32>, %i: tensor<32xf32>, %j: tensor<64xf32>) -> (tensor<32xf32>, tensor<64xf32>) {
  // CHECK-NEXT: %[[A:.*]] = tile.reduce maxnum %[[X]], %[[I]] axis 0 : tensor<64x32xf32> into tensor<32xf32>
  %0 = tile.reduce maxnum %x, %i axis 0 : tensor<64x32xf32> into tensor<32xf32>
  // CHECK-NEXT: %[[B:.*]] = tile.reduce maximum %[[X]], %[[A]] axis 0
  %1 = tile.reduce maximum %x, %0 axis 0 : tensor<64x32xf32> into tensor<32xf32>
  // CHECK-NEXT: %[[C:.*]] = tile.reduce minnum %[[X]], %[[B]] axis 0
  %2 = tile.reduce minnum %x, %1 axis 0 : tensor<64x32xf32> into tensor<32xf32>
  // CHECK-NEXT: %[[D:.*]] = tile.reduce minimum %[[X]], %[[C]] axis 0
  %3 = tile.reduce minimum %x, %2 axis 0 : tensor<64x32xf32> into tensor<32xf32>
  // CHECK-NEXT: %[[E:.*]] = tile.reduce product %[[X]], %[[D]] axis 0
  %4 = tile.reduce product %x, %3 axis 0 : tensor<64x32xf32> into tensor<32xf32>
  // CHECK-NEXT: %[[F:.*]] = tile.reduce sum %[[X]], %[[J]] axis 1 : tensor<64x32xf32> into tensor<64xf32>
  %5 = tile.reduce sum %x, %j axis 1 : tensor<64x32xf32> into tensor<64xf32>
  // CHECK-NEXT: return %[[E]], %[[F]]
  return %4, %5 : tensor<32xf32>, tensor<64xf32>
}

// CHECK-LABEL: func @reduce_to_one
func.func @reduce_to_one(%x: tensor<4xi32>, %i: tensor<i32>) -> tensor<i32> {
  // CHECK-NEXT: tile.reduce maximum %{{.*}}, %{{.*}} axis 0 : tensor<4xi32> into tensor<i32>
  %0 = tile.reduce maximum %x, %i axis 0 : tensor<4xi32> into tensor<i32>
  return %0 : tensor<i32>
}

// CHECK-LABEL: func @broadcast
func.func @broadcast(%x: tensor<64xf32>, %z: tensor<f32>, %s: f32, %b: i1, %n: index) {
  // CHECK-NEXT: tile.broadcast %{{.*}} along [1] : tensor<64xf32> -> tensor<64x32xf32>
  %0 = tile.broadcast %x along [1] : tensor<64xf32> -> tensor<64x32xf32>
  // CHECK-NEXT: tile.broadcast %{{.*}} along [0, 2] : tensor<64xf32> -> tensor<2x64x3xf32>
  %1 = tile.broadcast %x along [0, 2] : tensor<64xf32> -> tensor<2x64x3xf32>
  // CHECK-NEXT: tile.broadcast %{{.*}} along [] : tensor<64xf32> -> tensor<64xf32>
  %2 = tile.broadcast %x along [] : tensor<64xf32> -> tensor<64xf32>
  // CHECK-NEXT: tile.broadcast %{{.*}} along [0, 1] : tensor<f32> -> tensor<2x3xf32>
  %3 = tile.broadcast %z along [0, 1] : tensor<f32> -> tensor<2x3xf32>
  // CHECK-NEXT: tile.broadcast %{{.*}} along [0, 1] : f32 -> tensor<2x3xf32>
  %4 = tile.broadcast %s along [0, 1] : f32 -> tensor<2x3xf32>
  // CHECK-NEXT: tile.broadcast %{{.*}} along [] : i1 -> tensor<i1>
  %5 = tile.broadcast %b along [] : i1 -> tensor<i1>
  // CHECK-NEXT: tile.broadcast %{{.*}} along [0] : index -> tensor<4xindex>
  %6 = tile.broadcast %n along [0] : index -> tensor<4xindex>
  return
}

// CHECK-LABEL: func @transpose
func.func @transpose(%x: tensor<64x32xf32>, %y: tensor<2x3x5xi8>) -> (tensor<32x64xf32>, tensor<5x2x3xi8>) {
  // CHECK-NEXT: tile.transpose %{{.*}} [1, 0] : tensor<64x32xf32> -> tensor<32x64xf32>
  %0 = tile.transpose %x [1, 0] : tensor<64x32xf32> -> tensor<32x64xf32>
  // CHECK-NEXT: tile.transpose %{{.*}} [2, 0, 1] : tensor<2x3x5xi8> -> tensor<5x2x3xi8>
  %1 = tile.transpose %y [2, 0, 1] : tensor<2x3x5xi8> -> tensor<5x2x3xi8>
  return %0, %1 : tensor<32x64xf32>, tensor<5x2x3xi8>
}

// The identity goes, others stay.
// CHECK-LABEL: func @transpose_identity
// CHECK-NEXT: tile.transpose %{{.*}} [0, 1] : tensor<4x4xf32> -> tensor<4x4xf32>
// CHECK-NEXT: tile.transpose %{{.*}} [1, 0] : tensor<4x4xf32> -> tensor<4x4xf32>
// FOLD-LABEL: func @transpose_identity
// FOLD-SAME: (%[[X:.*]]: tensor<4x4xf32>)
// FOLD-NEXT: %[[Y:.*]] = tile.transpose %[[X]] [1, 0] : tensor<4x4xf32> -> tensor<4x4xf32>
// FOLD-NEXT: return %[[X]], %[[Y]]
func.func @transpose_identity(%x: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  %0 = tile.transpose %x [0, 1] : tensor<4x4xf32> -> tensor<4x4xf32>
  %1 = tile.transpose %x [1, 0] : tensor<4x4xf32> -> tensor<4x4xf32>
  return %0, %1 : tensor<4x4xf32>, tensor<4x4xf32>
}

// A mask: the diagonal, and what stands below it.
// CHECK-LABEL: func @index
func.func @index() -> tensor<64x32xi1> {
  // CHECK-NEXT: %[[I:.*]] = tile.index axis 0 : tensor<64x32xindex>
  %i = tile.index axis 0 : tensor<64x32xindex>
  // CHECK-NEXT: %[[J:.*]] = tile.index axis 1 : tensor<64x32xindex>
  %j = tile.index axis 1 : tensor<64x32xindex>
  // CHECK-NEXT: arith.cmpi sge, %[[I]], %[[J]] : tensor<64x32xindex>
  %m = arith.cmpi sge, %i, %j : tensor<64x32xindex>
  return %m : tensor<64x32xi1>
}

// A load that nobody needs goes, a store stays.
// CHECK-LABEL: func @effects
// FOLD-LABEL: func @effects
// FOLD-NOT: tile.load
// FOLD: tile.store
func.func @effects(%b: memref<4xf32>, %t: tensor<4xf32>) {
  %0 = tile.load %b[0] dims [0] : memref<4xf32> -> tensor<4xf32>
  tile.store %t, %b[0] dims [0] : tensor<4xf32>, memref<4xf32>
  return
}
