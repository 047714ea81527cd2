// RUN: infini-opt %s -pass-pipeline='builtin.module(builtin.module(tile-to-lanes,canonicalize,cse))' | FileCheck %s

// Where elements of products lie is checked in tile-to-lanes-products.mlir, and
// of layouts in test/dialect/tile/fragments.mlir.

//===----------------------------------------------------------------------===//
// Global memory
//===----------------------------------------------------------------------===//

#l = #tile.layout<lane = [1:8, 1:16, 1:32, 0:1, 0:2], warp = [0:4, 0:8], register = [1:1, 1:2, 1:4], repeat = [2, 1]>

// A thread's row is bits 3 … 6 of its number, its column eight times bits 0 … 2.
// 16 bytes at once, twice; the mask is that of a row.
// CHECK-LABEL: module @load
// CHECK: func.func @load(%[[A:.*]]: memref<?x64xbf16>, %[[O:.*]]: memref<?x64xbf16>, %[[I:.*]]: index, %[[N:.*]]: index, %{{.*}}: index, %{{.*}}: index)
// CHECK-DAG: %[[START:.*]] = arith.muli %[[I]], %c64
// CHECK-DAG: %[[ID:.*]] = gpu.thread_id x
// CHECK: %[[T:.*]] = arith.index_cast %[[ID]] : index to i32
// CHECK: %[[HIGH:.*]] = arith.shrui %[[T]], %c3_i32
// CHECK: %[[R:.*]] = arith.andi %[[HIGH]], %c15_i32
// CHECK: %[[ROW:.*]] = arith.index_cast %[[R]]
// CHECK: %[[ROWS:.*]] = arith.muli %[[ROW]], %c64
// CHECK: %[[S1:.*]] = arith.addi %[[START]], %[[ROWS]]
// CHECK: %[[ROOM:.*]] = arith.subi %[[N]], %[[ROW]]
// CHECK: %[[C:.*]] = arith.andi %[[T]], %c7_i32
// CHECK: %[[C8:.*]] = arith.muli %[[C]], %c8_i32
// CHECK: %[[COLUMN:.*]] = arith.index_cast %[[C8]]
// CHECK: %[[AT:.*]] = arith.addi %[[S1]], %[[COLUMN]]
// CHECK: %[[V0:.*]] = arith.cmpi sgt, %[[ROOM]], %c0
// CHECK: nv.load_global %[[A]][%[[AT]]] if %[[V0]] : memref<?x64xbf16>, vector<8xbf16>
// CHECK: %[[V1:.*]] = arith.cmpi sgt, %[[ROOM]], %c16
// CHECK: %[[AT1:.*]] = arith.addi %[[AT]], %c1024
// CHECK: nv.load_global %[[A]][%[[AT1]]] if %[[V1]] : memref<?x64xbf16>, vector<8xbf16>
// No mask: no predicate. Each thread has other elements: all store.
// CHECK: nv.store_global %{{.*}}, %[[O]][%[[AT]]] : vector<8xbf16>, memref<?x64xbf16>
// CHECK: nv.store_global %{{.*}}, %[[O]][%[[AT1]]] : vector<8xbf16>, memref<?x64xbf16>
module @load attributes {program.kernel, program.threads = 128 : i64} {
  func.func @load(%a: memref<?x64xbf16>, %o: memref<?x64xbf16>, %i: index, %n: index, %rows_a: index, %rows_o: index) {
    %x = tile.load %a[%i, 0] dims [0, 1] valid [%n, 64] : memref<?x64xbf16> -> tensor<32x64xbf16, #l>
    tile.store %x, %o[%i, 0] dims [0, 1] : tensor<32x64xbf16, #l>, memref<?x64xbf16>
    return
  }
}

// Where columns may end anywhere, each element has a predicate of its own; what
// is not valid becomes the padding.
// CHECK-LABEL: module @pad
// CHECK: %[[PAD:.*]] = arith.constant dense<1.000000e+00> : vector<1xbf16>
// CHECK: %[[P:.*]] = arith.andi %{{.*}}, %{{.*}} : i1
// CHECK: %[[X:.*]] = nv.load_global %{{.*}} if %[[P]] : memref<?x64xbf16>, vector<1xbf16>
// CHECK: arith.select %[[P]], %[[X]], %[[PAD]] : vector<1xbf16>
// CHECK-COUNT-15: nv.load_global %{{.*}} if %{{.*}} : memref<?x64xbf16>, vector<1xbf16>
// CHECK-NOT: nv.load_global
// CHECK: return
module @pad attributes {program.kernel, program.threads = 128 : i64} {
  func.func @pad(%a: memref<?x64xbf16>, %o: memref<?x64xbf16>, %i: index, %n: index, %rows_a: index, %rows_o: index) {
    %x = tile.load %a[%i, 0] dims [0, 1] valid [%n, %n] {pad = 1.0 : bf16} : memref<?x64xbf16> -> tensor<32x64xbf16, #l>
    tile.store %x, %o[%i, 0] dims [0, 1] : tensor<32x64xbf16, #l>, memref<?x64xbf16>
    return
  }
}

// How much a load takes at once: as the offset's divisors say (4 · i: 8 bytes of
// bf16), or the column's size (6: 4 bytes).
// CHECK-LABEL: module @widths
// CHECK: nv.load_global %{{.*}} : memref<64x?xbf16>, vector<1xbf16>
// CHECK: nv.load_global %{{.*}} : memref<32x64xbf16>, vector<4xbf16>
// CHECK: nv.load_global %{{.*}} : memref<32x6xbf16>, vector<2xbf16>
#w = #tile.layout<lane = [1:4, 1:8, 1:16, 1:32, 0:1], warp = [0:2, 0:4], register = [1:1, 1:2], repeat = [4, 1]>
#six = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [_, _], register = [1:1], repeat = [1, 3]>
module @widths attributes {program.kernel, program.threads = 128 : i64} {
  func.func @widths(%a: memref<64x?xbf16>, %b: memref<32x64xbf16>, %c: memref<32x6xbf16>, %i: index, %columns: index) {
    %c4 = arith.constant 4 : index
    %j = arith.muli %i, %c4 : index
    %x = tile.load %a[0, %j] dims [0, 1] : memref<64x?xbf16> -> tensor<32x64xbf16, #w>
    %y = tile.load %b[0, %j] dims [0, 1] : memref<32x64xbf16> -> tensor<32x64xbf16, #w>
    %z = tile.load %c[0, 0] dims [0, 1] : memref<32x6xbf16> -> tensor<32x6xbf16, #six>
    %s = arith.addf %x, %y : tensor<32x64xbf16, #w>
    tile.store %s, %b[0, 0] dims [0, 1] : tensor<32x64xbf16, #w>, memref<32x64xbf16>
    tile.store %z, %c[0, 0] dims [0, 1] : tensor<32x6xbf16, #six>, memref<32x6xbf16>
    return
  }
}

// Bits 0, 1, and 6 of the thread's number are replicas: of eight threads with
// the same element the first stores it. All may load it.
// CHECK-LABEL: module @replicas
// CHECK: nv.load_global %{{.*}}[%{{.*}}] : memref<16xf32>, vector<1xf32>
// CHECK: %[[BITS:.*]] = arith.andi %{{.*}}, %c67_i32
// CHECK: %[[FIRST:.*]] = arith.cmpi eq, %[[BITS]], %c0_i32
// CHECK: %[[VALID:.*]] = arith.cmpi sgt
// CHECK: %[[P:.*]] = arith.andi %[[FIRST]], %[[VALID]]
// CHECK: nv.store_global %{{.*}} if %[[P]] : vector<1xf32>, memref<16xf32>
#row = #tile.layout<lane = [_, _, 0:1, 0:2, 0:4], warp = [0:8, _], register = [], repeat = [1]>
module @replicas attributes {program.kernel, program.threads = 128 : i64} {
  func.func @replicas(%a: memref<16xf32>, %o: memref<16xf32>, %n: index) {
    %x = tile.load %a[0] dims [0] : memref<16xf32> -> tensor<16xf32, #row>
    tile.store %x, %o[0] dims [0] valid [%n] : tensor<16xf32, #row>, memref<16xf32>
    return
  }
}

// Views are a matter of sizes: the base is the kernel's argument, and rows of
// the view are n · 8 apart.
// CHECK-LABEL: module @views
// CHECK: func.func @views(%[[A:.*]]: memref<4x?x8xf32>, %[[N:.*]]: index)
// CHECK: %[[STRIDE:.*]] = arith.muli %[[N]], %c8
// CHECK: arith.muli %{{.*}}, %[[STRIDE]]
// CHECK: nv.load_global %[[A]]
// CHECK-NOT: memref.collapse_shape
// CHECK: return
#v = #tile.layout<lane = [1:4, 0:1, 0:2, _, _], warp = [_, _], register = [1:1, 1:2], repeat = [1, 1]>
module @views attributes {program.kernel, program.threads = 128 : i64} {
  func.func @views(%a: memref<4x?x8xf32>, %n: index) {
    %b = memref.collapse_shape %a [[0], [1, 2]] : memref<4x?x8xf32> into memref<4x?xf32>
    %x = tile.load %b[0, 8] dims [0, 1] : memref<4x?xf32> -> tensor<4x8xf32, #v>
    tile.store %x, %b[0, 0] dims [0, 1] : tensor<4x8xf32, #v>, memref<4x?xf32>
    return
  }
}

// Rows by number, the same for all columns: four columns at once, and positions
// stay inside: rows 0 … 255, the four columns together.
// CHECK-LABEL: module @gather
// CHECK-DAG: %[[ROW:.*]] = arith.minsi %{{.*}}, %c255
// CHECK-DAG: arith.maxsi %[[ROW]], %c0
// CHECK-DAG: %[[COLUMN:.*]] = arith.minsi %{{.*}}, %c124
// CHECK-DAG: arith.maxsi %[[COLUMN]], %c0
// CHECK: nv.load_global %{{.*}} : memref<256x128xf32>, vector<4xf32>
#g = #tile.layout<lane = [1:4, 1:8, 1:16, 1:32, 1:64], warp = [0:1, 0:2], register = [1:1, 1:2], repeat = [4, 1]>
module @gather attributes {program.kernel, program.threads = 128 : i64} {
  func.func @gather(%table: memref<256x128xf32>, %row: index, %o: memref<16x128xf32>) {
    %j = tile.index axis 1 : tensor<16x128xindex, #g>
    %e = tile.gather %table[%row, %j] : memref<256x128xf32>, index, tensor<16x128xindex, #g> -> tensor<16x128xf32, #g>
    tile.store %e, %o[0, 0] dims [0, 1] : tensor<16x128xf32, #g>, memref<16x128xf32>
    return
  }
}

// Rows that differ from column to column, and tiles that are wider than the
// table: each element by itself.
// CHECK-LABEL: module @gather_each
// CHECK-COUNT-32: nv.load_global %arg0[%{{.*}}] : memref<256x128xf32>, vector<1xf32>
// CHECK-NOT: vector<4xf32>, memref<256x128xf32>
// CHECK: nv.load_global %arg3[%{{.*}}] : memref<256x100xf32>, vector<1xf32>
#e = #tile.layout<lane = [1:4, 1:8, 1:16, 1:32, 1:64], warp = [0:1, 0:2], register = [1:1, 1:2], repeat = [8, 1]>
module @gather_each attributes {program.kernel, program.threads = 128 : i64} {
  func.func @gather_each(%table: memref<256x128xf32>, %rows: memref<32x128xi32>, %o: memref<32x128xf32>, %narrow: memref<256x100xf32>, %row: index) {
    %t = tile.load %rows[0, 0] dims [0, 1] : memref<32x128xi32> -> tensor<32x128xi32, #e>
    %i = arith.index_cast %t : tensor<32x128xi32, #e> to tensor<32x128xindex, #e>
    %j = tile.index axis 1 : tensor<32x128xindex, #e>
    %x = tile.gather %table[%i, %j] : memref<256x128xf32>, tensor<32x128xindex, #e>, tensor<32x128xindex, #e> -> tensor<32x128xf32, #e>
    tile.store %x, %o[0, 0] dims [0, 1] : tensor<32x128xf32, #e>, memref<32x128xf32>
    %y = tile.gather %narrow[%row, %j] : memref<256x100xf32>, index, tensor<32x128xindex, #e> -> tensor<32x128xf32, #e>
    tile.store %y, %o[0, 0] dims [0, 1] : tensor<32x128xf32, #e>, memref<32x128xf32>
    return
  }
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

// Row r of the buffer lies at 256 + 128 r; within it, chunk c (16 bytes) at
// c xor r mod 8.
// CHECK-LABEL: module @write_read
// CHECK: %[[R:.*]] = arith.addi %{{.*}}, %c32_i32
// CHECK: %[[BYTES:.*]] = arith.muli %{{.*}}, %c16_i32
// CHECK: %[[TURN:.*]] = arith.andi %[[R]], %c7_i32
// CHECK: %[[TURN16:.*]] = arith.muli %[[TURN]], %c16_i32
// CHECK: %[[CHUNK:.*]] = arith.xori %[[BYTES]], %[[TURN16]]
// CHECK: %[[PITCH:.*]] = arith.muli %[[R]], %c128_i32
// CHECK: %[[IN:.*]] = arith.addi %[[PITCH]], %[[CHUNK]]
// CHECK: %[[ADDRESS:.*]] = arith.addi %[[IN]], %c256_i32
// CHECK: nv.store_shared %{{.*}}, %[[ADDRESS]] : vector<8xbf16>
// CHECK: nv.store_shared %{{.*}} : vector<8xbf16>
// CHECK-NOT: nv.store_shared
// CHECK: nv.barrier
// CHECK-COUNT-2: nv.load_shared %{{.*}} : vector<8xbf16>
#s = #tile.shared<pitch = 128, mask = 7>
module @write_read attributes {program.kernel, program.threads = 128 : i64} {
  func.func @write_read(%a: memref<32x64xbf16>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<32x64xbf16> -> tensor<32x64xbf16, #l>
    %b = tile.alloc {offset = 256 : i64} : memref<64x64xbf16, #s>
    tile.write %x, %b[32, 0] : tensor<32x64xbf16, #l>, memref<64x64xbf16, #s>
    tile.barrier
    %y = tile.read %b[32, 0] : memref<64x64xbf16, #s> -> tensor<32x64xbf16, #l>
    tile.store %y, %a[0, 0] dims [0, 1] : tensor<32x64xbf16, #l>, memref<32x64xbf16>
    return
  }
}

// Without a mask there is no exclusive or, and rows may be any number of chunks
// apart; replicas write once.
// CHECK-LABEL: module @write_once
// CHECK-NOT: arith.xori
// CHECK: %[[FIRST:.*]] = arith.cmpi eq, %{{.*}}, %c0_i32
// CHECK: nv.store_shared %{{.*}} if %[[FIRST]] : vector<1xf32>
module @write_once attributes {program.kernel, program.threads = 128 : i64} {
  func.func @write_once(%a: memref<16xf32>) {
    %x = tile.load %a[0] dims [0] : memref<16xf32> -> tensor<16xf32, #row>
    %b = tile.alloc {offset = 0 : i64} : memref<16xf32, #tile.shared<pitch = 80>>
    tile.write %x, %b[0] : tensor<16xf32, #row>, memref<16xf32, #tile.shared<pitch = 80>>
    return
  }
}

// A slot is 64 rows of 128 bytes. Threads copy as they would load: 16 bytes,
// four times; the mask makes zeros, not nothing.
// CHECK-LABEL: module @copy
// CHECK: %[[K:.*]] = arith.index_cast %{{.*}} : index to i32
// CHECK: %[[SLOT:.*]] = arith.muli %[[K]], %c8192_i32
// CHECK: %[[ADDRESS:.*]] = arith.addi %[[SLOT]], %{{.*}}
// CHECK: nv.copy_async %{{.*}}[%{{.*}}], %[[ADDRESS]] if %{{.*}} {bytes = 16 : i64} : memref<?x64xbf16>
// CHECK-COUNT-3: nv.copy_async %{{.*}} if %{{.*}} {bytes = 16 : i64} : memref<?x64xbf16>
// CHECK-NOT: nv.copy_async
// CHECK: nv.commit_copies
// CHECK-NEXT: nv.wait_copies 1
module @copy attributes {program.kernel, program.threads = 128 : i64} {
  func.func @copy(%a: memref<?x64xbf16>, %i: index, %n: index, %k: index, %rows: index) {
    %ring = tile.alloc {offset = 0 : i64} : memref<2x64x64xbf16, #s>
    %b = tile.slot %ring[%k] : memref<2x64x64xbf16, #s> -> memref<64x64xbf16, #s>
    tile.copy_async %a[%i, 0] dims [0, 1] valid [%n, 64] into %b : memref<?x64xbf16> into memref<64x64xbf16, #s>
    tile.commit_copies
    tile.wait_copies 1
    return
  }
}

// Fewer pieces than threads: only the first eight threads copy.
// CHECK-LABEL: module @copy_once
// CHECK: %[[FIRST:.*]] = arith.cmpi eq, %{{.*}}, %c0_i32
// CHECK: scf.if %[[FIRST]] {
// CHECK: nv.copy_async %{{.*}}[%{{.*}}], %{{[0-9]+}} {bytes = 16 : i64} : memref<4x8xf32>
// CHECK: }
module @copy_once attributes {program.kernel, program.threads = 128 : i64} {
  func.func @copy_once(%a: memref<4x8xf32>) {
    %b = tile.alloc {offset = 0 : i64} : memref<4x8xf32, #tile.shared<pitch = 32, rows = 4, mask = 1>>
    tile.copy_async %a[0, 0] dims [0, 1] into %b : memref<4x8xf32> into memref<4x8xf32, #tile.shared<pitch = 32, rows = 4, mask = 1>>
    return
  }
}

// Rows of 20 bytes: 4 at once.
// CHECK-LABEL: module @copy_narrow
// CHECK: nv.copy_async %{{.*}} {bytes = 4 : i64} : memref<64x10xbf16>
module @copy_narrow attributes {program.kernel, program.threads = 128 : i64} {
  func.func @copy_narrow(%a: memref<64x10xbf16>) {
    %b = tile.alloc {offset = 0 : i64} : memref<64x10xbf16, #tile.shared<pitch = 48>>
    tile.copy_async %a[0, 0] dims [0, 1] into %b : memref<64x10xbf16> into memref<64x10xbf16, #tile.shared<pitch = 48>>
    return
  }
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

#c = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:16, _], register = [1:1, 0:8], repeat = [1, 1]>
#ct = #tile.layout<lane = [0:2, 0:4, 1:1, 1:2, 1:4], warp = [1:16, _], register = [0:1, 1:8], repeat = [1, 1]>
#f = #tile.shared<pitch = 64, rows = 2, mask = 3>
#n = #tile.shared<pitch = 16>
#k = #tile.shared<pitch = 32, rows = 4, mask = 1>

// A that lies as [m × k] needs no transpose, nor B as [n × k]; the other two do.
// CHECK-LABEL: module @ldmatrix
// CHECK: %[[A0:.*]] = nv.ldmatrix %{{.*}} : vector<8xbf16>
// CHECK: %[[B0:.*]] = nv.ldmatrix %{{.*}} {transpose} : vector<4xbf16>
// CHECK: %[[D0:.*]] = nv.mma_sync %[[A0]], %[[B0]], %{{.*}} : vector<8xbf16>, vector<4xbf16>, vector<4xf32>
// CHECK: %[[B1:.*]] = nv.ldmatrix %{{.*}} : vector<4xbf16>
// CHECK: %[[D1:.*]] = nv.mma_sync %[[A0]], %[[B1]], %[[D0]]
// CHECK: %[[A2:.*]] = nv.ldmatrix %{{.*}} {transpose} : vector<8xbf16>
// CHECK: %[[D2:.*]] = nv.mma_sync %[[A2]], %[[B0]], %[[D1]]
// CHECK: nv.mma_sync %[[A2]], %[[B1]], %[[D2]]
// CHECK-NOT: nv.ldmatrix
// CHECK: return
module @ldmatrix attributes {program.kernel, program.threads = 128 : i64} {
  func.func @ldmatrix(%o: memref<32x8xf32>) {
    %mk = tile.alloc {offset = 0 : i64} : memref<32x16xbf16, #k>
    %km = tile.alloc {offset = 1024 : i64} : memref<16x32xbf16, #f>
    %kn = tile.alloc {offset = 2048 : i64} : memref<16x8xbf16, #n>
    %nk = tile.alloc {offset = 2304 : i64} : memref<8x16xbf16, #k>
    %z = arith.constant dense<0.0> : tensor<32x8xf32, #c>
    %0 = tile.dot %mk, %kn, %z : memref<32x16xbf16, #k>, memref<16x8xbf16, #n> into tensor<32x8xf32, #c>
    %1 = tile.dot %mk, %nk, %0 {transpose_b} : memref<32x16xbf16, #k>, memref<8x16xbf16, #k> into tensor<32x8xf32, #c>
    %2 = tile.dot %km, %kn, %1 {transpose_a} : memref<16x32xbf16, #f>, memref<16x8xbf16, #n> into tensor<32x8xf32, #c>
    %3 = tile.dot %km, %nk, %2 {transpose_a, transpose_b} : memref<16x32xbf16, #f>, memref<8x16xbf16, #k> into tensor<32x8xf32, #c>
    tile.store %3, %o[0, 0] dims [0, 1] : tensor<32x8xf32, #c>, memref<32x8xf32>
    return
  }
}

// Swapped, the tile's b is the instruction's A, transposed, and a its B.
// CHECK-LABEL: module @swapped
// CHECK: %[[A:.*]] = nv.ldmatrix %{{.*}} : vector<8xbf16>
// CHECK: %[[B:.*]] = nv.ldmatrix %{{.*}} {transpose} : vector<4xbf16>
// CHECK: %[[D:.*]] = nv.mma_sync %[[A]], %[[B]], %{{.*}} : vector<8xbf16>, vector<4xbf16>, vector<4xf32>
// CHECK: %[[A1:.*]] = nv.ldmatrix %{{.*}} {transpose} : vector<8xbf16>
// CHECK: %[[B1:.*]] = nv.ldmatrix %{{.*}} : vector<4xbf16>
// CHECK: nv.mma_sync %[[A1]], %[[B1]], %[[D]]
module @swapped attributes {program.kernel, program.threads = 128 : i64} {
  func.func @swapped(%o: memref<8x32xf32>) {
    %mk = tile.alloc {offset = 0 : i64} : memref<32x16xbf16, #k>
    %km = tile.alloc {offset = 1024 : i64} : memref<16x32xbf16, #f>
    %kn = tile.alloc {offset = 2048 : i64} : memref<16x8xbf16, #n>
    %nk = tile.alloc {offset = 2304 : i64} : memref<8x16xbf16, #k>
    %z = arith.constant dense<0.0> : tensor<8x32xf32, #ct>
    %0 = tile.dot %kn, %mk, %z {swapped, transpose_a, transpose_b} : memref<16x8xbf16, #n>, memref<32x16xbf16, #k> into tensor<8x32xf32, #ct>
    %1 = tile.dot %nk, %km, %0 {swapped} : memref<8x16xbf16, #k>, memref<16x32xbf16, #f> into tensor<8x32xf32, #ct>
    tile.store %1, %o[0, 0] dims [0, 1] : tensor<8x32xf32, #ct>, memref<8x32xf32>
    return
  }
}

// In f32: four k at once, a loop over them; fused multiply-adds.
// CHECK-LABEL: module @plain
// CHECK: scf.for %{{.*}} = %c0 to %c32 step %c4 iter_args(%{{.*}} = %{{.*}}) -> (vector<2xf32>)
// CHECK: nv.load_shared %{{.*}} : vector<4xf32>
// CHECK-COUNT-4: nv.load_shared %{{.*}} : vector<2xf32>
// CHECK-COUNT-8: math.fma
// CHECK-NOT: math.fma
// CHECK: scf.yield
#p = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:8, 0:16], register = [1:1], repeat = [1, 1]>
module @plain attributes {program.kernel, program.threads = 128 : i64} {
  func.func @plain(%o: memref<32x8xf32>) {
    %a = tile.alloc {offset = 0 : i64} : memref<32x32xf32, #tile.shared<pitch = 128, mask = 7>>
    %b = tile.alloc {offset = 4096 : i64} : memref<32x8xf32, #k>
    %z = arith.constant dense<0.0> : tensor<32x8xf32, #p>
    %d = tile.dot %a, %b, %z : memref<32x32xf32, #tile.shared<pitch = 128, mask = 7>>, memref<32x8xf32, #k> into tensor<32x8xf32, #p>
    tile.store %d, %o[0, 0] dims [0, 1] : tensor<32x8xf32, #p>, memref<32x8xf32>
    return
  }
}

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

// Halves of a thread's four columns first, then the 16 lanes of a row; the
// initial value once, at the end. Two rows a thread.
// CHECK-LABEL: module @reduce
// CHECK: %[[C01:.*]] = arith.addf %{{.*}}, %{{.*}} : vector<2xf32>
// CHECK: %[[C23:.*]] = arith.addf %{{.*}}, %{{.*}} : vector<2xf32>
// CHECK: %[[C:.*]] = arith.addf %[[C01]], %[[C23]] : vector<2xf32>
// CHECK-COUNT-2: nv.shuffle_xor %{{.*}}, 1 : f32
// CHECK-COUNT-2: nv.shuffle_xor %{{.*}}, 2 : f32
// CHECK-COUNT-2: nv.shuffle_xor %{{.*}}, 4 : f32
// CHECK-COUNT-2: nv.shuffle_xor %{{.*}}, 8 : f32
// CHECK-NOT: nv.shuffle_xor
// CHECK: arith.addf %{{.*}}, %cst : vector<2xf32>
#x = #tile.layout<lane = [1:4, 1:8, 1:16, 1:32, 0:1], warp = [0:2, 0:4], register = [1:1, 1:2], repeat = [2, 1]>
#y = #tile.layout<lane = [_, _, _, _, 0:1], warp = [0:2, 0:4], register = [], repeat = [2]>
module @reduce attributes {program.kernel, program.threads = 128 : i64} {
  func.func @reduce(%a: memref<16x64xf32>, %o: memref<16xf32>) {
    %t = tile.load %a[0, 0] dims [0, 1] : memref<16x64xf32> -> tensor<16x64xf32, #x>
    %z = arith.constant dense<1.0> : tensor<16xf32, #y>
    %r = tile.reduce sum %t, %z axis 1 : tensor<16x64xf32, #x> into tensor<16xf32, #y>
    tile.store %r, %o[0] dims [0] : tensor<16xf32, #y>, memref<16xf32>
    return
  }
}

// Shuffles are of 32 bits: narrower numbers travel in words.
// CHECK-LABEL: module @reduce_narrow
// CHECK: %[[BITS:.*]] = arith.bitcast %{{.*}} : f16 to i16
// CHECK: %[[WORD:.*]] = arith.extui %[[BITS]] : i16 to i32
// CHECK: %[[OTHER:.*]] = nv.shuffle_xor %[[WORD]], 4 : i32
// CHECK: %[[BACK:.*]] = arith.trunci %[[OTHER]] : i32 to i16
// CHECK: arith.bitcast %[[BACK]] : i16 to f16
// CHECK: arith.maxnumf
#two = #tile.layout<lane = [_, _, 0:1, _, _], warp = [_, _], register = [], repeat = [1]>
#one = #tile.layout<lane = [_, _, _, _, _], warp = [_, _], register = [], repeat = []>
module @reduce_narrow attributes {program.kernel, program.threads = 128 : i64} {
  func.func @reduce_narrow(%a: memref<2xf16>, %o: memref<f16>) {
    %t = tile.load %a[0] dims [0] : memref<2xf16> -> tensor<2xf16, #two>
    %z = arith.constant dense<1.0> : tensor<f16, #one>
    %r = tile.reduce maxnum %t, %z axis 0 : tensor<2xf16, #two> into tensor<f16, #one>
    tile.store %r, %o[] dims [] : tensor<f16, #one>, memref<f16>
    return
  }
}

// Integers by their own ops.
// CHECK-LABEL: module @reduce_integers
// CHECK: arith.muli %{{.*}} : vector<1xi64>
// CHECK: arith.minsi %{{.*}} : vector<1xi64>
#i = #tile.layout<lane = [_, _, _, _, _], warp = [_, _], register = [0:1], repeat = [1]>
module @reduce_integers attributes {program.kernel, program.threads = 128 : i64} {
  func.func @reduce_integers(%a: memref<2xi64>, %o: memref<i64>) {
    %t = tile.load %a[0] dims [0] : memref<2xi64> -> tensor<2xi64, #i>
    %z = arith.constant dense<5> : tensor<i64, #one>
    %p = tile.reduce product %t, %z axis 0 : tensor<2xi64, #i> into tensor<i64, #one>
    %r = tile.reduce minimum %t, %p axis 0 : tensor<2xi64, #i> into tensor<i64, #one>
    tile.store %r, %o[] dims [] : tensor<i64, #one>, memref<i64>
    return
  }
}

// Renaming, repeating, cutting, and joining are orders of registers.
#a1 = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [], register = [1:1, 0:8], repeat = [1, 2]>
#a2 = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [], register = [0:8, 1:1], repeat = [1, 2]>
#a4 = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [], register = [1:1, 0:8], repeat = [1, 4]>
#r8 = #tile.layout<lane = [_, _, 0:1, 0:2, 0:4], warp = [], register = [0:8], repeat = [1]>
// CHECK-LABEL: module @registers
// CHECK: vector.shuffle %[[X:.*]], %[[X]] [0, 2, 1, 3, 4, 6, 5, 7] : vector<8xf32>, vector<8xf32>
// CHECK: %[[B:.*]] = vector.shuffle %{{.*}}, %{{.*}} [0, 0, 1, 1, 0, 0, 1, 1] : vector<2xf32>, vector<2xf32>
// CHECK: %[[S:.*]] = vector.broadcast %{{.*}} : f32 to vector<8xf32>
// CHECK: %[[E:.*]] = arith.mulf %[[B]], %[[S]] : vector<8xf32>
// CHECK: vector.shuffle %{{.*}}, %[[E]] [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23] : vector<16xf32>, vector<8xf32>
// CHECK: vector.shuffle %[[G:.*]], %[[G]] [4, 5, 6, 7, 8, 9, 10, 11] : vector<16xf32>, vector<16xf32>
module @registers attributes {program.kernel, program.threads = 32 : i64} {
  func.func @registers(%m: memref<16x16xf32>, %v: memref<16xf32>, %o: memref<16x32xf32>, %q: f32) {
    %x = tile.load %m[0, 0] dims [0, 1] : memref<16x16xf32> -> tensor<16x16xf32, #a1>
    %y = tile.convert_layout %x : tensor<16x16xf32, #a1> -> tensor<16x16xf32, #a2>
    tile.store %y, %m[0, 0] dims [0, 1] : tensor<16x16xf32, #a2>, memref<16x16xf32>
    %z = tile.load %v[0] dims [0] : memref<16xf32> -> tensor<16xf32, #r8>
    %b = tile.broadcast %z along [1] : tensor<16xf32, #r8> -> tensor<16x16xf32, #a1>
    %s = tile.broadcast %q along [0, 1] : f32 -> tensor<16x16xf32, #a1>
    %e = arith.mulf %b, %s : tensor<16x16xf32, #a1>
    %f = tile.load %o[0, 0] dims [0, 1] : memref<16x32xf32> -> tensor<16x32xf32, #a4>
    %g = tensor.insert_slice %e into %f[0, 16] [16, 16] [1, 1] : tensor<16x16xf32, #a1> into tensor<16x32xf32, #a4>
    tile.store %g, %o[0, 0] dims [0, 1] : tensor<16x32xf32, #a4>, memref<16x32xf32>
    %h = tensor.extract_slice %g[0, 8] [16, 16] [1, 1] : tensor<16x32xf32, #a4> to tensor<16x16xf32, #a1>
    tile.store %h, %m[0, 0] dims [0, 1] : tensor<16x16xf32, #a1>, memref<16x16xf32>
    return
  }
}

// Slices that lack a dimension of size 1: the third of four, of the second.
#w3 = #tile.layout<lane = [1:1, 1:2, 1:4, 1:8, 1:16], warp = [], register = [], repeat = [4, 2]>
#w2 = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [2]>
// CHECK-LABEL: module @dropped
// CHECK: %[[Y:.*]] = vector.shuffle %[[X:.*]], %[[X]] [4, 5] : vector<8xf32>, vector<8xf32>
// CHECK: vector.shuffle %[[X]], %[[Y]] [0, 1, 8, 9, 4, 5, 6, 7] : vector<8xf32>, vector<2xf32>
module @dropped attributes {program.kernel, program.threads = 32 : i64} {
  func.func @dropped(%a: memref<4x64xf32>, %b: memref<64xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<4x64xf32> -> tensor<4x64xf32, #w3>
    %y = tensor.extract_slice %x[2, 0] [1, 64] [1, 1] : tensor<4x64xf32, #w3> to tensor<64xf32, #w2>
    tile.store %y, %b[0] dims [0] : tensor<64xf32, #w2>, memref<64xf32>
    %z = tensor.insert_slice %y into %x[1, 0] [1, 64] [1, 1] : tensor<64xf32, #w2> into tensor<4x64xf32, #w3>
    tile.store %z, %a[0, 0] dims [0, 1] : tensor<4x64xf32, #w3>, memref<4x64xf32>
    return
  }
}

// Coordinates are numbers of 32 bits: the thread's part, and what is known of
// each register. A condition that all elements share stays one.
// CHECK-LABEL: module @mask
// CHECK: %[[OFFSETS:.*]] = arith.constant dense<[0, 1, 0, 1, 8, 9, 8, 9]> : vector<8xi32>
// CHECK: %[[N:.*]] = arith.index_cast %arg1 : index to i32
// CHECK: %[[NS:.*]] = vector.broadcast %[[N]] : i32 to vector<8xi32>
// CHECK: %[[T:.*]] = vector.broadcast %{{.*}} : i32 to vector<8xi32>
// CHECK: %[[J:.*]] = arith.addi %[[T]], %[[OFFSETS]]
// CHECK: %[[M:.*]] = arith.cmpi slt, %[[J]], %[[NS]] : vector<8xi32>
// CHECK: %[[W:.*]] = arith.select %[[M]], %{{.*}}, %{{.*}} : vector<8xi1>, vector<8xf32>
// CHECK: arith.select %{{.*}}, %[[W]], %{{.*}} : vector<8xf32>
// CHECK-NOT: index_cast {{.*}} vector
module @mask attributes {program.kernel, program.threads = 32 : i64} {
  func.func @mask(%m: memref<16x16xf32>, %n: index, %p: i1) {
    %x = tile.load %m[0, 0] dims [0, 1] : memref<16x16xf32> -> tensor<16x16xf32, #a1>
    %z = arith.constant dense<0.0> : tensor<16x16xf32, #a1>
    %i = tile.broadcast %n along [0, 1] : index -> tensor<16x16xindex, #a1>
    %j = tile.index axis 1 : tensor<16x16xindex, #a1>
    %k = arith.cmpi slt, %j, %i : tensor<16x16xindex, #a1>
    %w = arith.select %k, %x, %z : tensor<16x16xi1, #a1>, tensor<16x16xf32, #a1>
    %v = arith.select %p, %w, %x : tensor<16x16xf32, #a1>
    tile.store %v, %m[0, 0] dims [0, 1] : tensor<16x16xf32, #a1>, memref<16x16xf32>
    return
  }
}
