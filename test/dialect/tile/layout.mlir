// RUN: infini-opt %s | FileCheck %s
// RUN: infini-opt %s | infini-opt | FileCheck %s
// RUN: infini-opt %s --mlir-print-op-generic | infini-opt | FileCheck %s
// RUN: infini-opt %s --emit-bytecode | infini-opt | FileCheck %s
// RUN: infini-opt %s --canonicalize | FileCheck %s --check-prefix=FOLD

// Layouts, shared memory, and the ops that GPUs add: the examples of
// TileOps.td, and every optional part.

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

// The accumulator of mma.sync by four warps, over a tile of 64 × 32.
#acc = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:16, 0:32], register = [1:1, 0:8], repeat = [1, 4]>
// A row that all four lanes of a group, and two of the warps, hold.
#row = #tile.layout<lane = [_, _, 0:1, 0:2, 0:4], warp = [0:8, _], register = [], repeat = [3]>
// One warp, and no dimension at all.
#one = #tile.layout<lane = [_, _, _, _, _], warp = [], register = [], repeat = []>
#vec = #tile.layout<lane = [0:4, 0:8, 0:16, 0:32, 0:64], warp = [], register = [0:1, 0:2], repeat = [1]>

// CHECK-LABEL: func @layouts
// CHECK-SAME: tensor<64x32xf32, #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:16, 0:32], register = [1:1, 0:8], repeat = [1, 4]>>
// CHECK-SAME: tensor<48xf32, #tile.layout<lane = [_, _, 0:1, 0:2, 0:4], warp = [0:8, _], register = [], repeat = [3]>>
// CHECK-SAME: tensor<f32, #tile.layout<lane = [_, _, _, _, _], warp = [], register = [], repeat = []>>
// CHECK-SAME: tensor<128xi1, #tile.layout<lane = [0:4, 0:8, 0:16, 0:32, 0:64], warp = [], register = [0:1, 0:2], repeat = [1]>>
func.func @layouts(%a: tensor<64x32xf32, #acc>, %b: tensor<48xf32, #row>, %c: tensor<f32, #one>, %d: tensor<128xi1, #vec>) {
  return
}

// Row-major, 16-byte chunks moved by none, the row, or every second row; what
// has its default is not printed, and the order is free.
// CHECK-LABEL: func @shared
// CHECK-SAME: memref<8x4xf32, #tile.shared<pitch = 16>>
// CHECK-SAME: memref<64x64xbf16, #tile.shared<pitch = 128, mask = 7>>
// CHECK-SAME: memref<2x64x32xbf16, #tile.shared<pitch = 64, rows = 2, mask = 3>>
// CHECK-SAME: memref<64x16xbf16, #tile.shared<pitch = 32, rows = 4, mask = 1>>
// CHECK-SAME: memref<8x24xbf16, #tile.shared<pitch = 48>>
func.func @shared(%a: memref<8x4xf32, #tile.shared<pitch = 16>>, %b: memref<64x64xbf16, #tile.shared<pitch = 128, mask = 7>>,
                  %c: memref<2x64x32xbf16, #tile.shared<pitch = 64, rows = 2, mask = 3>>,
                  %d: memref<64x16xbf16, #tile.shared<mask = 1, rows = 4, pitch = 32>>,
                  %e: memref<8x24xbf16, #tile.shared<pitch = 48, rows = 1, mask = 0>>) {
  return
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func @gather
func.func @gather(%table: memref<256x128xf32>, %token: tensor<16x128xindex>, %column: tensor<16x128xindex>, %row: index, %vector: memref<?xi32>) {
  // CHECK-NEXT: tile.gather %{{.*}}[%{{.*}}, %{{.*}}] : memref<256x128xf32>, tensor<16x128xindex>, tensor<16x128xindex> -> tensor<16x128xf32>
  %0 = tile.gather %table[%token, %column] : memref<256x128xf32>, tensor<16x128xindex>, tensor<16x128xindex> -> tensor<16x128xf32>
  // One row for all.
  // CHECK-NEXT: tile.gather %{{.*}}[%{{.*}}, %{{.*}}] : memref<256x128xf32>, index, tensor<16x128xindex> -> tensor<16x128xf32>
  %1 = tile.gather %table[%row, %column] : memref<256x128xf32>, index, tensor<16x128xindex> -> tensor<16x128xf32>
  // CHECK-NEXT: tile.gather %{{.*}}[%{{.*}}] : memref<?xi32>, index -> tensor<4xi32>
  %2 = tile.gather %vector[%row] : memref<?xi32>, index -> tensor<4xi32>
  return
}

#a = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [], register = [1:1, 0:8, 1:8], repeat = [1, 1]>
#c = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [], register = [1:1, 0:8], repeat = [1, 2]>

// CHECK-LABEL: func @convert_layout
func.func @convert_layout(%x: tensor<16x16xf32, #c>) -> tensor<16x16xf32, #a> {
  // CHECK-NEXT: tile.convert_layout %{{.*}} : tensor<16x16xf32, #tile.layout<{{.*}}repeat = [1, 2]>> -> tensor<16x16xf32, #tile.layout<{{.*}}repeat = [1, 1]>>
  %y = tile.convert_layout %x : tensor<16x16xf32, #c> -> tensor<16x16xf32, #a>
  return %y : tensor<16x16xf32, #a>
}

#s = #tile.shared<pitch = 128, mask = 7>

// The ring, its slots, and copies into them.
// CHECK-LABEL: func @copies
func.func @copies(%k: memref<1x8x?x64xbf16>, %b: index, %h: index, %l: index, %n: index, %i: index) {
  // CHECK-NEXT: %[[RING:.*]] = tile.alloc : memref<2x64x64xbf16, #tile.shared<pitch = 128, mask = 7>>
  %ring = tile.alloc : memref<2x64x64xbf16, #s>
  // CHECK-NEXT: tile.alloc {offset = 16384 : i64} : memref<64x64xbf16, #tile.shared<pitch = 128, mask = 7>>
  %other = tile.alloc {offset = 16384 : i64} : memref<64x64xbf16, #s>
  // CHECK-NEXT: %[[SLOT:.*]] = tile.slot %[[RING]][%{{.*}}] : memref<2x64x64xbf16, #tile.shared<{{.*}}>> -> memref<64x64xbf16, #tile.shared<{{.*}}>>
  %slot = tile.slot %ring[%i] : memref<2x64x64xbf16, #s> -> memref<64x64xbf16, #s>
  // CHECK-NEXT: tile.copy_async %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}, 0] dims [2, 3] valid [%{{.*}}, 64] into %[[SLOT]] : memref<1x8x?x64xbf16> into memref<64x64xbf16, #tile.shared<{{.*}}>>
  tile.copy_async %k[%b, %h, %l, 0] dims [2, 3] valid [%n, 64] into %slot : memref<1x8x?x64xbf16> into memref<64x64xbf16, #s>
  // Transposed, and the whole tile inside.
  // CHECK-NEXT: tile.copy_async %{{.*}}[0, 1, %{{.*}}, 0] dims [3, 2] into %{{.*}} : memref<1x8x?x64xbf16> into
  tile.copy_async %k[0, 1, %l, 0] dims [3, 2] into %other : memref<1x8x?x64xbf16> into memref<64x64xbf16, #s>
  // CHECK-NEXT: tile.commit_copies
  tile.commit_copies
  // CHECK-NEXT: tile.wait_copies 1
  tile.wait_copies 1
  // CHECK-NEXT: tile.wait_copies 0
  tile.wait_copies 0
  // CHECK-NEXT: tile.barrier
  tile.barrier
  return
}

#l = #tile.layout<lane = [1:4, 1:8, 1:16, 1:32, 0:1], warp = [], register = [1:1, 1:2], repeat = [16, 1]>
#f = #tile.shared<pitch = 256, mask = 7>

// CHECK-LABEL: func @write_read
func.func @write_read(%t: tensor<32x64xf32, #l>, %s: memref<64x64xf32, #f>) -> tensor<32x64xf32, #l> {
  // CHECK-NEXT: tile.write %{{.*}}, %{{.*}}[32, 0] : tensor<32x64xf32, #tile.layout<{{.*}}>>, memref<64x64xf32, #tile.shared<{{.*}}>>
  tile.write %t, %s[32, 0] : tensor<32x64xf32, #l>, memref<64x64xf32, #f>
  // CHECK-NEXT: tile.read %{{.*}}[0, 0] : memref<64x64xf32, #tile.shared<{{.*}}>> -> tensor<32x64xf32, #tile.layout<{{.*}}>>
  %r = tile.read %s[0, 0] : memref<64x64xf32, #f> -> tensor<32x64xf32, #l>
  return %r : tensor<32x64xf32, #l>
}

#d = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [], register = [1:1, 0:8], repeat = [1, 2]>
#st = #tile.shared<pitch = 32, rows = 4, mask = 1>

// Factors from shared memory, one or both, and the transposed product.
// CHECK-LABEL: func @dot
func.func @dot(%a: memref<16x16xbf16, #st>, %b: memref<16x16xbf16, #st>, %t: tensor<16x16xbf16, #a>, %c: tensor<16x16xf32, #d>)
    -> tensor<16x16xf32, #d> {
  // CHECK-NEXT: tile.dot %{{.*}} : memref<16x16xbf16, #tile.shared<{{.*}}>>, memref<16x16xbf16, #tile.shared<{{.*}}>> into tensor<16x16xf32, #tile.layout<{{.*}}>>
  %0 = tile.dot %a, %b, %c : memref<16x16xbf16, #st>, memref<16x16xbf16, #st> into tensor<16x16xf32, #d>
  // CHECK-NEXT: tile.dot %{{.*}} {transpose_b} : tensor<16x16xbf16, #tile.layout<{{.*}}>>, memref<16x16xbf16, #tile.shared<{{.*}}>> into
  %1 = tile.dot %t, %b, %0 {transpose_b} : tensor<16x16xbf16, #a>, memref<16x16xbf16, #st> into tensor<16x16xf32, #d>
  // CHECK-NEXT: tile.dot %{{.*}} {swapped, transpose_a} : memref<16x16xbf16, #tile.shared<{{.*}}>>, tensor<16x16xbf16, #tile.layout<{{.*}}>> into
  %2 = tile.dot %a, %t, %1 {swapped, transpose_a} : memref<16x16xbf16, #st>, tensor<16x16xbf16, #a> into tensor<16x16xf32, #d>
  return %2 : tensor<16x16xf32, #d>
}

// Reductions and transposes of tiles with layouts.
#r = #tile.layout<lane = [_, _, 0:1, 0:2, 0:4], warp = [], register = [0:8], repeat = [1]>
#p = #tile.layout<lane = [0:2, 0:4, 1:1, 1:2, 1:4], warp = [], register = [0:1, 1:8], repeat = [2, 1]>
// CHECK-LABEL: func @others
func.func @others(%x: tensor<16x16xf32, #d>, %i: tensor<16xf32, #r>) {
  // CHECK-NEXT: tile.reduce maxnum %{{.*}}, %{{.*}} axis 1 : tensor<16x16xf32, #tile.layout<{{.*}}>> into tensor<16xf32, #tile.layout<{{.*}}>>
  %0 = tile.reduce maxnum %x, %i axis 1 : tensor<16x16xf32, #d> into tensor<16xf32, #r>
  // CHECK-NEXT: tile.transpose %{{.*}} [1, 0] : tensor<16x16xf32, #tile.layout<{{.*}}>> -> tensor<16x16xf32, #tile.layout<{{.*}}>>
  %1 = tile.transpose %x [1, 0] : tensor<16x16xf32, #d> -> tensor<16x16xf32, #p>
  // CHECK-NEXT: tile.broadcast %{{.*}} along [1] : tensor<16xf32, #tile.layout<{{.*}}>> -> tensor<16x16xf32, #tile.layout<{{.*}}>>
  %2 = tile.broadcast %0 along [1] : tensor<16xf32, #r> -> tensor<16x16xf32, #d>
  return
}

// Products, slots, reads, and conversions that nobody needs go; what other
// threads wait for stays.
// CHECK-LABEL: func @effects
// FOLD-LABEL: func @effects
func.func @effects(%a: memref<16x16xbf16, #st>, %t: tensor<16x16xbf16, #a>, %c: tensor<16x16xf32, #d>,
                   %ring: memref<2x16x16xbf16, #st>, %i: index) {
  // FOLD-NOT: tile.convert_layout
  %0 = tile.convert_layout %c : tensor<16x16xf32, #d> -> tensor<16x16xf32, #a>
  // FOLD-NOT: tile.slot
  %1 = tile.slot %ring[%i] : memref<2x16x16xbf16, #st> -> memref<16x16xbf16, #st>
  // FOLD-NOT: tile.dot
  %2 = tile.dot %a, %a, %c : memref<16x16xbf16, #st>, memref<16x16xbf16, #st> into tensor<16x16xf32, #d>
  // FOLD-NOT: tile.read
  %3 = tile.read %a[0, 0] : memref<16x16xbf16, #st> -> tensor<16x16xbf16, #a>
  // FOLD: tile.write
  tile.write %t, %a[0, 0] : tensor<16x16xbf16, #a>, memref<16x16xbf16, #st>
  // FOLD-NEXT: tile.commit_copies
  tile.commit_copies
  // FOLD-NEXT: tile.wait_copies 0
  tile.wait_copies 0
  // FOLD-NEXT: tile.barrier
  tile.barrier
  // FOLD-NEXT: return
  return
}
