// RUN: infini-opt %s -pass-pipeline='builtin.module(func.func(tile-assign-layouts,cse))' --split-input-file | FileCheck %s
// RUN: infini-opt %s -pass-pipeline='builtin.module(func.func(tile-assign-layouts{warps=8},cse))' --split-input-file | FileCheck %s --check-prefix=EIGHT
// RUN: infini-opt %s -pass-pipeline='builtin.module(func.func(tile-assign-layouts{warps=1},cse))' --split-input-file | FileCheck %s --check-prefix=ONE

// What is written is what is read: layouts are part of the types.
// RUN: infini-opt %s -pass-pipeline='builtin.module(func.func(tile-assign-layouts))' --split-input-file -o %t
// RUN: infini-opt %t --split-input-file | cmp - %t

//===----------------------------------------------------------------------===//
// Products of 16-bit elements
//===----------------------------------------------------------------------===//

// Factors go straight to shared memory, rows of 64 and 128 bytes. The sum has
// the layout of mma.sync's C, warps along rows, and is stored as it lies: 8
// bytes a thread.
// CHECK-LABEL: func @product
// CHECK: %[[A:.*]] = tile.alloc : memref<64x32xbf16, #tile.shared<pitch = 64, rows = 2, mask = 3>>
// CHECK-NEXT: tile.copy_async %{{.*}}[0, 0] dims [0, 1] into %[[A]]
// CHECK-NEXT: tile.commit_copies
// CHECK-NEXT: tile.wait_copies 0
// CHECK-NEXT: %[[B:.*]] = tile.alloc : memref<32x64xbf16, #tile.shared<pitch = 128, mask = 7>>
// CHECK-NEXT: tile.copy_async %{{.*}}[0, 0] dims [0, 1] into %[[B]]
// CHECK-NEXT: tile.commit_copies
// CHECK-NEXT: tile.wait_copies 0
// CHECK-NOT: tile.load
// CHECK: %[[D:.*]] = tile.dot %[[A]], %[[B]], %{{.*}} : {{.*}} into tensor<64x64xf32, #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:16, 0:32], register = [1:1, 0:8], repeat = [1, 8]>>
// CHECK-NEXT: tile.store %[[D]]
// Eight warps: four along rows, two along columns. One: none.
// EIGHT-LABEL: func @product
// EIGHT: tile.dot {{.*}} into tensor<64x64xf32, #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:16, 0:32, 1:8], register = [1:1, 0:8], repeat = [1, 4]>>
// ONE-LABEL: func @product
// ONE: tile.dot {{.*}} into tensor<64x64xf32, #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [], register = [1:1, 0:8], repeat = [4, 8]>>
func.func @product(%a: memref<64x32xbf16>, %b: memref<32x64xbf16>, %c: memref<64x64xf32>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<64x32xbf16> -> tensor<64x32xbf16>
  %y = tile.load %b[0, 0] dims [0, 1] : memref<32x64xbf16> -> tensor<32x64xbf16>
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %d = tile.dot %x, %y, %zero : tensor<64x32xbf16>, tensor<32x64xbf16> into tensor<64x64xf32>
  tile.store %d, %c[0, 0] dims [0, 1] : tensor<64x64xf32>, memref<64x64xf32>
  return
}

// -----

// 48 × 24: three atoms of 16 rows do not halve, nor three of 8 columns; warps
// hold the same. f16 counts as bf16 does.
// CHECK-LABEL: func @replicas
// CHECK: tile.dot {{.*}} into tensor<48x24xf32, #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [_, _], register = [1:1, 0:8], repeat = [3, 3]>>
func.func @replicas(%a: memref<48x16xf16>, %b: memref<16x24xf16>, %c: memref<48x24xf32>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<48x16xf16> -> tensor<48x16xf16>
  %y = tile.load %b[0, 0] dims [0, 1] : memref<16x24xf16> -> tensor<16x24xf16>
  %zero = arith.constant dense<0.0> : tensor<48x24xf32>
  %d = tile.dot %x, %y, %zero : tensor<48x16xf16>, tensor<16x24xf16> into tensor<48x24xf32>
  tile.store %d, %c[0, 0] dims [0, 1] : tensor<48x24xf32>, memref<48x24xf32>
  return
}

// -----

// Rows run out: the other two warps go along columns.
// CHECK-LABEL: func @few_rows
// CHECK: tile.dot {{.*}} into tensor<16x64xf32, #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [1:8, 1:16], register = [1:1, 0:8], repeat = [1, 2]>>
func.func @few_rows(%a: memref<16x32xbf16>, %b: memref<32x64xbf16>, %c: memref<16x64xf32>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<16x32xbf16> -> tensor<16x32xbf16>
  %y = tile.load %b[0, 0] dims [0, 1] : memref<32x64xbf16> -> tensor<32x64xbf16>
  %zero = arith.constant dense<0.0> : tensor<16x64xf32>
  %d = tile.dot %x, %y, %zero : tensor<16x32xbf16>, tensor<32x64xbf16> into tensor<16x64xf32>
  tile.store %d, %c[0, 0] dims [0, 1] : tensor<16x64xf32>, memref<16x64xf32>
  return
}

// -----

// In bf16 a thread would write 4 bytes at once: through shared memory to rows
// of 16. Nothing else goes through it.
// CHECK-LABEL: func @narrow_result
// CHECK-NOT: tile.write
// CHECK: %[[E:.*]] = arith.truncf
// CHECK-NEXT: %[[S:.*]] = tile.alloc : memref<64x64xbf16, #tile.shared<pitch = 128, mask = 7>>
// CHECK-NEXT: tile.write %[[E]], %[[S]][0, 0]
// CHECK-NEXT: %[[R:.*]] = tile.read %[[S]][0, 0] : {{.*}} -> tensor<64x64xbf16, #tile.layout<lane = [1:8, 1:16, 1:32, 0:1, 0:2], warp = [0:4, 0:8], register = [1:1, 1:2, 1:4], repeat = [4, 1]>>
// CHECK-NEXT: tile.store %[[R]]
// CHECK-NEXT: return
func.func @narrow_result(%a: memref<64x32xbf16>, %b: memref<32x64xbf16>, %c: memref<64x64xbf16>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<64x32xbf16> -> tensor<64x32xbf16>
  %y = tile.load %b[0, 0] dims [0, 1] : memref<32x64xbf16> -> tensor<32x64xbf16>
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %d = tile.dot %x, %y, %zero : tensor<64x32xbf16>, tensor<32x64xbf16> into tensor<64x64xf32>
  %e = arith.truncf %d : tensor<64x64xf32> to tensor<64x64xbf16>
  tile.store %e, %c[0, 0] dims [0, 1] : tensor<64x64xbf16>, memref<64x64xbf16>
  return
}

// -----

// A mask is made where it is used, in that layout.
// CHECK-LABEL: func @mask
// CHECK: %[[I:.*]] = tile.index axis 0 : tensor<64x64xindex, #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:16, 0:32], register = [1:1, 0:8], repeat = [1, 8]>>
// CHECK: %[[J:.*]] = tile.index axis 1 : tensor<64x64xindex, #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:16, 0:32], register = [1:1, 0:8], repeat = [1, 8]>>
// CHECK: %[[M:.*]] = arith.cmpi sge, %[[I]], %[[J]]
// CHECK-NOT: tile.write
// CHECK: arith.select %[[M]]
func.func @mask(%a: memref<64x32xbf16>, %b: memref<32x64xbf16>, %c: memref<64x64xf32>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<64x32xbf16> -> tensor<64x32xbf16>
  %y = tile.load %b[0, 0] dims [0, 1] : memref<32x64xbf16> -> tensor<32x64xbf16>
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %i = tile.index axis 0 : tensor<64x64xindex>
  %j = tile.index axis 1 : tensor<64x64xindex>
  %m = arith.cmpi sge, %i, %j : tensor<64x64xindex>
  %d = tile.dot %x, %y, %zero : tensor<64x32xbf16>, tensor<32x64xbf16> into tensor<64x64xf32>
  %e = arith.select %m, %d, %zero : tensor<64x64xi1>, tensor<64x64xf32>
  tile.store %e, %c[0, 0] dims [0, 1] : tensor<64x64xf32>, memref<64x64xf32>
  return
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

// -----

// Sᵀ = K Qᵀ, then Oᵀ = Vᵀ Pᵀ. P is the right side of the second: both compute
// their transposes, S = Q Kᵀ and O = P V, and what a thread has of S is its
// fragment of A but for the registers' names. Sums over keys are in the layout
// of a row, in which four lanes hold the same. Nothing goes through shared
// memory; keys, values, and queries are copied there.
// CHECK-LABEL: func @attention
// CHECK-NOT: tile.write
// CHECK: tile.copy_async %arg0
// CHECK: scf.for {{.*}} -> (tensor<64x64xf32, #tile.layout<lane = [0:2, 0:4, 1:1, 1:2, 1:4], warp = [1:16, 1:32], register = [0:1, 1:8], repeat = [8, 1]>>, tensor<64xf32, #tile.layout<lane = [_, _, 0:1, 0:2, 0:4], warp = [0:16, 0:32], register = [0:8], repeat = [1]>>,
// CHECK: tile.copy_async %arg1
// CHECK: tile.copy_async %arg2
// CHECK: %[[S:.*]] = tile.dot {{.*}} {swapped, transpose_b}
// CHECK: tile.reduce maxnum %[[S]], %{{.*}} axis 0 : {{.*}} into tensor<64xf32, #tile.layout<lane = [_, _, 0:1, 0:2, 0:4], warp = [0:16, 0:32], register = [0:8], repeat = [1]>>
// CHECK-NOT: tile.write
// CHECK: %[[P:.*]] = arith.truncf %{{.*}} to tensor<64x64xbf16, #tile.layout<lane = [0:2, 0:4, 1:1, 1:2, 1:4], warp = [1:16, 1:32], register = [0:1, 1:8], repeat = [8, 1]>>
// CHECK-NEXT: %[[F:.*]] = tile.convert_layout %[[P]] : {{.*}} -> tensor<64x64xbf16, #tile.layout<lane = [0:2, 0:4, 1:1, 1:2, 1:4], warp = [1:16, 1:32], register = [0:1, 1:8, 0:8], repeat = [4, 1]>>
// CHECK-NEXT: tile.dot %{{.*}}, %[[F]], %{{.*}} {swapped, transpose_a} : memref<{{.*}}>, tensor<{{.*}}> into tensor<64x64xf32, #tile.layout<lane = [0:2, 0:4, 1:1, 1:2, 1:4], warp = [1:16, 1:32], register = [0:1, 1:8], repeat = [8, 1]>>
// CHECK-NOT: tile.write
// CHECK: return
func.func @attention(%q: memref<64x64xbf16>, %k: memref<?x64xbf16>, %v: memref<?x64xbf16>, %o: memref<64x64xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %qt = tile.load %q[0, 0] dims [0, 1] : memref<64x64xbf16> -> tensor<64x64xbf16>
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %low = arith.constant dense<0xFF800000> : tensor<64xf32>
  %none = arith.constant dense<0.0> : tensor<64xf32>
  %ot, %m, %l = scf.for %i = %c0 to %n step %c64 iter_args(%acc = %zero, %max = %low, %sum = %none)
      -> (tensor<64x64xf32>, tensor<64xf32>, tensor<64xf32>) {
    %kt = tile.load %k[%i, 0] dims [0, 1] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %vt = tile.load %v[%i, 0] dims [0, 1] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %s = tile.dot %kt, %qt, %zero {transpose_b} : tensor<64x64xbf16>, tensor<64x64xbf16> into tensor<64x64xf32>
    %m1 = tile.reduce maxnum %s, %max axis 0 : tensor<64x64xf32> into tensor<64xf32>
    %mb = tile.broadcast %m1 along [0] : tensor<64xf32> -> tensor<64x64xf32>
    %d = arith.subf %s, %mb : tensor<64x64xf32>
    %p = math.exp2 %d : tensor<64x64xf32>
    %l1 = tile.reduce sum %p, %sum axis 0 : tensor<64x64xf32> into tensor<64xf32>
    %ph = arith.truncf %p : tensor<64x64xf32> to tensor<64x64xbf16>
    %a1 = tile.dot %vt, %ph, %acc {transpose_a} : tensor<64x64xbf16>, tensor<64x64xbf16> into tensor<64x64xf32>
    scf.yield %a1, %m1, %l1 : tensor<64x64xf32>, tensor<64xf32>, tensor<64xf32>
  }
  %lb = tile.broadcast %l along [0] : tensor<64xf32> -> tensor<64x64xf32>
  %r = arith.divf %ot, %lb : tensor<64x64xf32>
  tile.store %r, %o[0, 0] dims [1, 0] : tensor<64x64xf32>, memref<64x64xf32>
  return
}

// -----

// S = Q Kᵀ, O = P V: P is the left side already, and nothing is swapped.
// CHECK-LABEL: func @attention_by_rows
// CHECK-NOT: swapped
// CHECK-NOT: tile.write
// CHECK: %[[F:.*]] = tile.convert_layout {{.*}} -> tensor<64x64xbf16, #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:16, 0:32], register = [1:1, 0:8, 1:8], repeat = [1, 4]>>
// CHECK: tile.dot %[[F]], %{{.*}}, %{{.*}} : tensor<{{.*}}>, memref<{{.*}}> into
func.func @attention_by_rows(%q: memref<64x64xbf16>, %k: memref<64x64xbf16>, %v: memref<64x64xbf16>, %o: memref<64x64xf32>) {
  %qt = tile.load %q[0, 0] dims [0, 1] : memref<64x64xbf16> -> tensor<64x64xbf16>
  %kt = tile.load %k[0, 0] dims [0, 1] : memref<64x64xbf16> -> tensor<64x64xbf16>
  %vt = tile.load %v[0, 0] dims [0, 1] : memref<64x64xbf16> -> tensor<64x64xbf16>
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %s = tile.dot %qt, %kt, %zero {transpose_b} : tensor<64x64xbf16>, tensor<64x64xbf16> into tensor<64x64xf32>
  %p = arith.truncf %s : tensor<64x64xf32> to tensor<64x64xbf16>
  %r = tile.dot %p, %vt, %zero : tensor<64x64xbf16>, tensor<64x64xbf16> into tensor<64x64xf32>
  tile.store %r, %o[0, 0] dims [0, 1] : tensor<64x64xf32>, memref<64x64xf32>
  return
}

// -----

// Where the second product spreads its warps otherwise, P goes through shared
// memory, once.
// CHECK-LABEL: func @other_warps
// CHECK: %[[P:.*]] = arith.truncf
// CHECK-NEXT: %[[S:.*]] = tile.alloc : memref<16x64xbf16, #tile.shared<pitch = 128, mask = 7>>
// CHECK-NEXT: tile.write %[[P]], %[[S]][0, 0]
// CHECK-NEXT: tile.dot %[[S]], %{{.*}}
// CHECK-NOT: tile.write
// CHECK: return
func.func @other_warps(%q: memref<16x64xbf16>, %k: memref<64x64xbf16>, %v: memref<64x64xbf16>, %o: memref<16x64xf32>) {
  %qt = tile.load %q[0, 0] dims [0, 1] : memref<16x64xbf16> -> tensor<16x64xbf16>
  %kt = tile.load %k[0, 0] dims [0, 1] : memref<64x64xbf16> -> tensor<64x64xbf16>
  %vt = tile.load %v[0, 0] dims [0, 1] : memref<64x64xbf16> -> tensor<64x64xbf16>
  %zero = arith.constant dense<0.0> : tensor<16x64xf32>
  %s = tile.dot %qt, %kt, %zero {transpose_b} : tensor<16x64xbf16>, tensor<64x64xbf16> into tensor<16x64xf32>
  %p = arith.truncf %s : tensor<16x64xf32> to tensor<16x64xbf16>
  %r = tile.dot %p, %vt, %zero : tensor<16x64xbf16>, tensor<64x64xbf16> into tensor<16x64xf32>
  tile.store %r, %o[0, 0] dims [0, 1] : tensor<16x64xf32>, memref<16x64xf32>
  return
}

//===----------------------------------------------------------------------===//
// Other products
//===----------------------------------------------------------------------===//

// -----

// In f32 each thread adds up four neighbouring columns of a row, 4 × 2 times.
// CHECK-LABEL: func @plain
// CHECK-COUNT-2: tile.copy_async
// CHECK: tile.dot {{.*}} into tensor<64x64xf32, #tile.layout<lane = [1:4, 1:8, 1:16, 0:1, 0:2], warp = [0:4, 0:8], register = [1:1, 1:2], repeat = [4, 2]>>
// CHECK-NEXT: tile.store
func.func @plain(%a: memref<64x32xf32>, %b: memref<32x64xf32>, %c: memref<64x64xf32>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<64x32xf32> -> tensor<64x32xf32>
  %y = tile.load %b[0, 0] dims [0, 1] : memref<32x64xf32> -> tensor<32x64xf32>
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %d = tile.dot %x, %y, %zero : tensor<64x32xf32>, tensor<32x64xf32> into tensor<64x64xf32>
  tile.store %d, %c[0, 0] dims [0, 1] : tensor<64x64xf32>, memref<64x64xf32>
  return
}

// -----

// No whole instructions (20 × 12 × 5): plain, bf16 or not. Rows of 10 bytes
// cannot be copied 4 at once; they are loaded and written.
// CHECK-LABEL: func @odd
// CHECK: tile.load {{.*}} -> tensor<20x5xbf16, #tile.layout<
// CHECK: tile.write {{.*}} memref<20x5xbf16, #tile.shared<pitch = 16>>
// CHECK: tile.copy_async {{.*}} into memref<5x12xbf16, #tile.shared<pitch = 32, rows = 4, mask = 1>>
// CHECK: tile.dot {{.*}} into tensor<20x12xf32, #tile.layout<lane = [0:1, 0:2, _, _, _], warp = [_, _], register = [1:1, 1:2], repeat = [5, 3]>>
func.func @odd(%a: memref<20x5xbf16>, %b: memref<5x12xbf16>, %c: memref<20x12xf32>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<20x5xbf16> -> tensor<20x5xbf16>
  %y = tile.load %b[0, 0] dims [0, 1] : memref<5x12xbf16> -> tensor<5x12xbf16>
  %zero = arith.constant dense<0.0> : tensor<20x12xf32>
  %d = tile.dot %x, %y, %zero : tensor<20x5xbf16>, tensor<5x12xbf16> into tensor<20x12xf32>
  tile.store %d, %c[0, 0] dims [0, 1] : tensor<20x12xf32>, memref<20x12xf32>
  return
}

// -----

// With a vector: a multiplication, and a sum along k. The matrix is read as it
// lies, 16 bytes a thread; the vector in the layout that its rows have.
// CHECK-LABEL: func @vector
// CHECK-NOT: tile.dot
// CHECK: tile.load {{.*}} -> tensor<64x64xbf16, #tile.layout<lane = [1:8, 1:16, 1:32, 0:1, 0:2], warp = [0:4, 0:8], register = [1:1, 1:2, 1:4], repeat = [4, 1]>>
// CHECK: tile.load {{.*}} -> tensor<64xbf16, #tile.layout<lane = [0:8, 0:16, 0:32, _, _], warp = [_, _], register = [0:1, 0:2, 0:4], repeat = [1]>>
// CHECK: arith.mulf
// CHECK: tile.reduce sum {{.*}} axis 1 : {{.*}} into tensor<64xf32, #tile.layout<lane = [_, _, _, 0:1, 0:2], warp = [0:4, 0:8], register = [], repeat = [4]>>
func.func @vector(%a: memref<64x64xbf16>, %v: memref<64xbf16>, %c: memref<64xf32>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<64x64xbf16> -> tensor<64x64xbf16>
  %y = tile.load %v[0] dims [0] : memref<64xbf16> -> tensor<64xbf16>
  %zero = arith.constant dense<0.0> : tensor<64xf32>
  %d = tile.dot %x, %y, %zero : tensor<64x64xbf16>, tensor<64xbf16> into tensor<64xf32>
  tile.store %d, %c[0] dims [0] : tensor<64xf32>, memref<64xf32>
  return
}

// -----

// The vector first, and the matrix transposed: the sum is along axis 1 of the
// matrix as it lies.
// CHECK-LABEL: func @vector_first
// CHECK-NOT: tile.dot
// CHECK: tile.broadcast %{{.*}} along [0]
// CHECK: tile.reduce sum {{.*}} axis 1
func.func @vector_first(%v: memref<64xf32>, %a: memref<32x64xf32>, %c: memref<32xf32>) {
  %x = tile.load %v[0] dims [0] : memref<64xf32> -> tensor<64xf32>
  %y = tile.load %a[0, 0] dims [0, 1] : memref<32x64xf32> -> tensor<32x64xf32>
  %zero = arith.constant dense<0.0> : tensor<32xf32>
  %d = tile.dot %x, %y, %zero {transpose_b} : tensor<64xf32>, tensor<32x64xf32> into tensor<32xf32>
  tile.store %d, %c[0] dims [0] : tensor<32xf32>, memref<32xf32>
  return
}

//===----------------------------------------------------------------------===//
// What is copied to shared memory
//===----------------------------------------------------------------------===//

// -----

// A tile that others read too is loaded and written; so is one whose padding
// is not zero. A masked one is copied with its mask.
// CHECK-LABEL: func @staged
// CHECK-NOT: tile.copy_async
// CHECK: tile.load %arg0
// CHECK: tile.write
// CHECK-NOT: tile.load
// CHECK: tile.copy_async %arg1[0, 0] dims [0, 1] valid [%arg3, 64] into
// CHECK: tile.store
// CHECK-NOT: tile.copy_async
// CHECK: tile.load %arg0[0, 0] dims [0, 1] valid [%arg3, 32] {pad = 1.000000e+00 : bf16}
// CHECK-NOT: tile.copy_async
// CHECK: return
func.func @staged(%a: memref<64x32xbf16>, %b: memref<32x64xbf16>, %c: memref<64x64xf32>, %n: index, %d: memref<64x32xbf16>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<64x32xbf16> -> tensor<64x32xbf16>
  %y = tile.load %b[0, 0] dims [0, 1] valid [%n, 64] : memref<32x64xbf16> -> tensor<32x64xbf16>
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %s = tile.dot %x, %y, %zero : tensor<64x32xbf16>, tensor<32x64xbf16> into tensor<64x64xf32>
  tile.store %x, %d[0, 0] dims [0, 1] : tensor<64x32xbf16>, memref<64x32xbf16>
  %p = tile.load %a[0, 0] dims [0, 1] valid [%n, 32] {pad = 1.0 : bf16} : memref<64x32xbf16> -> tensor<64x32xbf16>
  %t = tile.dot %p, %y, %s : tensor<64x32xbf16>, tensor<32x64xbf16> into tensor<64x64xf32>
  tile.store %t, %c[0, 0] dims [0, 1] : tensor<64x64xf32>, memref<64x64xf32>
  return
}

// -----

// One tile, two products: one copy.
// CHECK-LABEL: func @shared_factor
// CHECK-COUNT-2: tile.alloc
// CHECK-NOT: tile.alloc
// CHECK: return
func.func @shared_factor(%a: memref<64x64xbf16>, %b: memref<64x64xbf16>, %c: memref<64x64xf32>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<64x64xbf16> -> tensor<64x64xbf16>
  %y = tile.load %b[0, 0] dims [0, 1] : memref<64x64xbf16> -> tensor<64x64xbf16>
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %s = tile.dot %x, %y, %zero : tensor<64x64xbf16>, tensor<64x64xbf16> into tensor<64x64xf32>
  %t = tile.dot %x, %y, %s {transpose_a, transpose_b} : tensor<64x64xbf16>, tensor<64x64xbf16> into tensor<64x64xf32>
  tile.store %t, %c[0, 0] dims [0, 1] : tensor<64x64xf32>, memref<64x64xf32>
  return
}

// -----

// How rows lie: an exclusive or where a row's 16-byte chunks are two, four, or
// a multiple of eight, an odd number of them where not.
// CHECK-LABEL: func @pitches
// CHECK-DAG: memref<16x8xf32, #tile.shared<pitch = 32, rows = 4, mask = 1>>
// CHECK-DAG: memref<8x4xf32, #tile.shared<pitch = 16>>
// CHECK-DAG: memref<16x48xf32, #tile.shared<pitch = 208>>
// CHECK-DAG: memref<48x4xf32, #tile.shared<pitch = 16>>
// CHECK-DAG: memref<16x96xf32, #tile.shared<pitch = 384, mask = 7>>
func.func @pitches(%a: memref<16x8xf32>, %b: memref<8x4xf32>, %d: memref<16x48xf32>, %e: memref<48x4xf32>, %f: memref<16x96xf32>,
                   %g: memref<96x4xf32>, %c: memref<16x4xf32>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<16x8xf32> -> tensor<16x8xf32>
  %y = tile.load %b[0, 0] dims [0, 1] : memref<8x4xf32> -> tensor<8x4xf32>
  %z = tile.load %d[0, 0] dims [0, 1] : memref<16x48xf32> -> tensor<16x48xf32>
  %u = tile.load %e[0, 0] dims [0, 1] : memref<48x4xf32> -> tensor<48x4xf32>
  %v = tile.load %f[0, 0] dims [0, 1] : memref<16x96xf32> -> tensor<16x96xf32>
  %w = tile.load %g[0, 0] dims [0, 1] : memref<96x4xf32> -> tensor<96x4xf32>
  %zero = arith.constant dense<0.0> : tensor<16x4xf32>
  %0 = tile.dot %x, %y, %zero : tensor<16x8xf32>, tensor<8x4xf32> into tensor<16x4xf32>
  %1 = tile.dot %z, %u, %0 : tensor<16x48xf32>, tensor<48x4xf32> into tensor<16x4xf32>
  %2 = tile.dot %v, %w, %1 : tensor<16x96xf32>, tensor<96x4xf32> into tensor<16x4xf32>
  tile.store %2, %c[0, 0] dims [0, 1] : tensor<16x4xf32>, memref<16x4xf32>
  return
}

//===----------------------------------------------------------------------===//
// Without products
//===----------------------------------------------------------------------===//

// -----

// 16 bytes a thread, threads side by side along rows.
// CHECK-LABEL: func @coalesced
// CHECK-NEXT: %[[X:.*]] = tile.load %{{.*}} -> tensor<64x64xbf16, #tile.layout<lane = [1:8, 1:16, 1:32, 0:1, 0:2], warp = [0:4, 0:8], register = [1:1, 1:2, 1:4], repeat = [4, 1]>>
// CHECK-NEXT: tile.store %[[X]]
func.func @coalesced(%a: memref<64x64xbf16>, %b: memref<64x64xbf16>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<64x64xbf16> -> tensor<64x64xbf16>
  tile.store %x, %b[0, 0] dims [0, 1] : tensor<64x64xbf16>, memref<64x64xbf16>
  return
}

// -----

// Each row within a warp: warps are along rows.
// CHECK-LABEL: func @reduce_last
// CHECK: tile.reduce sum %{{.*}} : tensor<16x64xf32, #tile.layout<lane = [1:4, 1:8, 1:16, 1:32, 0:1], warp = [0:2, 0:4], register = [1:1, 1:2], repeat = [2, 1]>> into tensor<16xf32, #tile.layout<lane = [_, _, _, _, 0:1], warp = [0:2, 0:4], register = [], repeat = [2]>>
func.func @reduce_last(%a: memref<16x64xf32>, %b: memref<16xf32>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<16x64xf32> -> tensor<16x64xf32>
  %z = arith.constant dense<0.0> : tensor<16xf32>
  %s = tile.reduce sum %x, %z axis 1 : tensor<16x64xf32> into tensor<16xf32>
  tile.store %s, %b[0] dims [0] : tensor<16xf32>, memref<16xf32>
  return
}

// -----

// No warps along what is summed over: each has columns of its own.
// CHECK-LABEL: func @reduce_first
// CHECK: tile.load {{.*}} -> tensor<64x64xf32, #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [1:16, 1:32], register = [1:1, 1:2], repeat = [8, 1]>>
// CHECK: tile.reduce sum {{.*}} into tensor<64xf32, #tile.layout<lane = [0:4, 0:8, _, _, _], warp = [0:16, 0:32], register = [0:1, 0:2], repeat = [1]>>
func.func @reduce_first(%a: memref<64x64xf32>, %b: memref<64xf32>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<64x64xf32> -> tensor<64x64xf32>
  %z = arith.constant dense<0.0> : tensor<64xf32>
  %s = tile.reduce sum %x, %z axis 0 : tensor<64x64xf32> into tensor<64xf32>
  tile.store %s, %b[0] dims [0] : tensor<64xf32>, memref<64xf32>
  return
}

// -----

// A product's rows are spread over warps; to sum over them it goes through
// shared memory, to columns of each warp.
// CHECK-LABEL: func @reduce_product
// CHECK: %[[D:.*]] = tile.dot
// CHECK: tile.write %[[D]], %[[S:.*]][0, 0]
// CHECK-NEXT: %[[R:.*]] = tile.read %[[S]][0, 0] : {{.*}} -> tensor<64x64xf32, #tile.layout<lane = [1:8, 1:16, 0:1, 0:2, 0:4], warp = [1:32, _], register = [1:1, 1:2, 1:4], repeat = [8, 1]>>
// CHECK-NEXT: tile.reduce sum %[[R]]
func.func @reduce_product(%a: memref<64x32xbf16>, %b: memref<32x64xbf16>, %c: memref<64xf32>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<64x32xbf16> -> tensor<64x32xbf16>
  %y = tile.load %b[0, 0] dims [0, 1] : memref<32x64xbf16> -> tensor<32x64xbf16>
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %z = arith.constant dense<0.0> : tensor<64xf32>
  %d = tile.dot %x, %y, %zero : tensor<64x32xbf16>, tensor<32x64xbf16> into tensor<64x64xf32>
  %s = tile.reduce sum %d, %z axis 0 : tensor<64x64xf32> into tensor<64xf32>
  tile.store %s, %c[0] dims [0] : tensor<64xf32>, memref<64xf32>
  return
}

// -----

// Atoms end where slices do: 16 columns, not 64; three times 16 rows.
// CHECK-LABEL: func @slices
// CHECK: %[[X:.*]] = tile.load {{.*}} -> tensor<48x64xf32, #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [0:8, _], register = [1:1, 1:2], repeat = [3, 4]>>
// CHECK: %[[Y:.*]] = tensor.extract_slice %[[X]][0, 16] [48, 32] [1, 1] : {{.*}} to tensor<48x32xf32, #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [0:8, _], register = [1:1, 1:2], repeat = [3, 2]>>
// CHECK: tensor.insert_slice %[[Y]] into %[[X]][0, 0] [48, 32] [1, 1]
// CHECK-NOT: tile.write
// CHECK: return
func.func @slices(%a: memref<48x64xf32>, %b: memref<48x64xf32>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<48x64xf32> -> tensor<48x64xf32>
  %y = tensor.extract_slice %x[0, 16] [48, 32] [1, 1] : tensor<48x64xf32> to tensor<48x32xf32>
  %w = tensor.insert_slice %y into %x[0, 0] [48, 32] [1, 1] : tensor<48x32xf32> into tensor<48x64xf32>
  tile.store %w, %b[0, 0] dims [0, 1] : tensor<48x64xf32>, memref<48x64xf32>
  return
}

// -----

// A slice may lack dimensions of size 1: its layout lacks them, too. No atom
// crosses from one slice to the next.
// CHECK-LABEL: func @dropped
// CHECK: %[[X:.*]] = tile.load {{.*}} -> tensor<4x64x32xf32, #tile.layout<lane = [2:4, 2:8, 2:16, 1:1, 1:2], warp = [1:4, 1:8], register = [2:1, 2:2], repeat = [4, 4, 1]>>
// CHECK: %[[Y:.*]] = tensor.extract_slice %[[X]][2, 0, 0] [1, 64, 32] [1, 1, 1] : {{.*}} to tensor<64x32xf32, #tile.layout<lane = [1:4, 1:8, 1:16, 0:1, 0:2], warp = [0:4, 0:8], register = [1:1, 1:2], repeat = [4, 1]>>
// CHECK: tensor.insert_slice %[[Y]] into %[[X]][1, 0, 0] [1, 64, 32] [1, 1, 1]
// CHECK-NOT: tile.write
// CHECK: return
func.func @dropped(%a: memref<4x64x32xf32>, %o: memref<4x64x32xf32>) {
  %x = tile.load %a[0, 0, 0] dims [0, 1, 2] : memref<4x64x32xf32> -> tensor<4x64x32xf32>
  %y = tensor.extract_slice %x[2, 0, 0] [1, 64, 32] [1, 1, 1] : tensor<4x64x32xf32> to tensor<64x32xf32>
  %z = tensor.insert_slice %y into %x[1, 0, 0] [1, 64, 32] [1, 1, 1] : tensor<64x32xf32> into tensor<4x64x32xf32>
  tile.store %z, %o[0, 0, 0] dims [0, 1, 2] : tensor<4x64x32xf32>, memref<4x64x32xf32>
  return
}

// -----

// A transpose renames the layout's dimensions: no element moves.
// CHECK-LABEL: func @transpose
// CHECK: %[[X:.*]] = tile.load {{.*}} -> tensor<64x32xf32, #tile.layout<lane = [0:4, 0:8, 0:16, 0:32, 1:1], warp = [1:2, 1:4], register = [0:1, 0:2], repeat = [1, 4]>>
// CHECK-NEXT: %[[Y:.*]] = tile.transpose %[[X]] [1, 0] : {{.*}} -> tensor<32x64xf32, #tile.layout<lane = [1:4, 1:8, 1:16, 1:32, 0:1], warp = [0:2, 0:4], register = [1:1, 1:2], repeat = [4, 1]>>
// CHECK-NEXT: tile.store %[[Y]]
func.func @transpose(%a: memref<64x32xf32>, %b: memref<32x64xf32>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<64x32xf32> -> tensor<64x32xf32>
  %y = tile.transpose %x [1, 0] : tensor<64x32xf32> -> tensor<32x64xf32>
  tile.store %y, %b[0, 0] dims [0, 1] : tensor<32x64xf32>, memref<32x64xf32>
  return
}

// -----

// Numbers that memory has no elements of travel as others: a mask as bytes,
// coordinates as 32 bits.
// CHECK-LABEL: func @travel
// CHECK: %[[B:.*]] = arith.extui %{{.*}} : tensor<64xi1, #{{.*}}> to tensor<64xi8, #{{.*}}>
// CHECK: tile.write %[[B]], %{{.*}} : tensor<64xi8
// CHECK: %[[R:.*]] = tile.read {{.*}} -> tensor<64xi8
// CHECK: arith.trunci %[[R]] : tensor<64xi8, #{{.*}}> to tensor<64xi1, #tile.layout<lane = [_, _, 0:1, 0:2, 0:4], warp = [0:16, 0:32], register = [0:8], repeat = [1]>>
// CHECK: %[[I:.*]] = arith.index_cast %{{.*}} : tensor<64xindex, #{{.*}}> to tensor<64xi32, #{{.*}}>
// CHECK: tile.write %[[I]], %{{.*}} : tensor<64xi32
// CHECK: %[[S:.*]] = tile.read {{.*}} -> tensor<64xi32
// CHECK: arith.index_cast %[[S]] : tensor<64xi32, #{{.*}}> to tensor<64xindex, #tile.layout<lane = [_, _, 0:1, 0:2, 0:4], warp = [0:16, 0:32], register = [0:8], repeat = [1]>>
func.func @travel(%a: memref<64x32xbf16>, %b: memref<32x64xbf16>, %w: memref<64x64xi32>, %c: memref<64x64xf32>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<64x32xbf16> -> tensor<64x32xbf16>
  %y = tile.load %b[0, 0] dims [0, 1] : memref<32x64xbf16> -> tensor<32x64xbf16>
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %d = tile.dot %x, %y, %zero : tensor<64x32xbf16>, tensor<32x64xbf16> into tensor<64x64xf32>
  %n = tile.load %w[0, 0] dims [0, 1] : memref<64x64xi32> -> tensor<64x64xi32>
  %none = arith.constant dense<0> : tensor<64xi32>
  %s = tile.reduce sum %n, %none axis 1 : tensor<64x64xi32> into tensor<64xi32>
  %m = arith.cmpi sgt, %s, %none : tensor<64xi32>
  %mb = tile.broadcast %m along [1] : tensor<64xi1> -> tensor<64x64xi1>
  %i = arith.index_cast %s : tensor<64xi32> to tensor<64xindex>
  %ib = tile.broadcast %i along [1] : tensor<64xindex> -> tensor<64x64xindex>
  %j = tile.index axis 1 : tensor<64x64xindex>
  %k = arith.cmpi sge, %j, %ib : tensor<64x64xindex>
  %l = arith.andi %k, %mb : tensor<64x64xi1>
  %e = arith.select %l, %d, %zero : tensor<64x64xi1>, tensor<64x64xf32>
  tile.store %e, %c[0, 0] dims [0, 1] : tensor<64x64xf32>, memref<64x64xf32>
  return
}

// -----

// Rows of a table: the indices are made in the layout of what is stored, one
// number stays one.
// CHECK-LABEL: func @gather
// CHECK: %[[J:.*]] = tile.index axis 1 : tensor<16x128xindex, #tile.layout<lane = [1:4, 1:8, 1:16, 1:32, 1:64], warp = [0:1, 0:2], register = [1:1, 1:2], repeat = [4, 1]>>
// CHECK: tile.gather %{{.*}}[%arg1, %[[J]]] : memref<256x128xf32>, index, tensor<16x128xindex, #{{.*}}> -> tensor<16x128xf32, #tile.layout<lane = [1:4, 1:8, 1:16, 1:32, 1:64], warp = [0:1, 0:2], register = [1:1, 1:2], repeat = [4, 1]>>
func.func @gather(%table: memref<256x128xf32>, %row: index, %o: memref<16x128xf32>) {
  %j = tile.index axis 1 : tensor<16x128xindex>
  %e = tile.gather %table[%row, %j] : memref<256x128xf32>, index, tensor<16x128xindex> -> tensor<16x128xf32>
  tile.store %e, %o[0, 0] dims [0, 1] : tensor<16x128xf32>, memref<16x128xf32>
  return
}

// -----

// What a loop carries lies somewhere, whatever it starts with.
// CHECK-LABEL: func @carried
// CHECK: scf.for {{.*}} -> (tensor<64x64xf32, #tile.layout<lane = [1:4, 1:8, 1:16, 1:32, 0:1], warp = [0:2, 0:4], register = [1:1, 1:2], repeat = [8, 1]>>)
// CHECK: tile.load {{.*}} -> tensor<64x64xf32, #tile.layout<lane = [1:4, 1:8, 1:16, 1:32, 0:1], warp = [0:2, 0:4], register = [1:1, 1:2], repeat = [8, 1]>>
// CHECK-NOT: tile.write
// CHECK: return
func.func @carried(%a: memref<?x64xf32>, %b: memref<64x64xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %s = scf.for %i = %c0 to %n step %c64 iter_args(%acc = %zero) -> tensor<64x64xf32> {
    %x = tile.load %a[%i, 0] dims [0, 1] : memref<?x64xf32> -> tensor<64x64xf32>
    %y = arith.addf %acc, %x : tensor<64x64xf32>
    scf.yield %y : tensor<64x64xf32>
  }
  tile.store %s, %b[0, 0] dims [0, 1] : tensor<64x64xf32>, memref<64x64xf32>
  return
}

// -----

// As many warps as the kernel has. A branch without results may store.
// CHECK-LABEL: module @threads_of_kernel
// CHECK: %[[X:.*]] = tile.load {{.*}} -> tensor<64x64xf32, #tile.layout<lane = [1:4, 1:8, 1:16, 1:32, 0:1], warp = [0:2], register = [1:1, 1:2], repeat = [16, 1]>>
// CHECK: scf.if
// CHECK-NEXT: tile.store %[[X]]
module @threads_of_kernel attributes {program.threads = 64 : i64} {
  func.func @threads_of_kernel(%a: memref<64x64xf32>, %b: memref<64x64xf32>, %p: i1) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<64x64xf32> -> tensor<64x64xf32>
    scf.if %p {
      tile.store %x, %b[0, 0] dims [0, 1] : tensor<64x64xf32>, memref<64x64xf32>
    }
    return
  }
}

// -----

// What takes a function to compute, and lies in shared memory as a factor, is
// read from there by others: one exponential an element.
// CHECK-LABEL: func @read_back
// CHECK: math.exp
// CHECK-NOT: math.exp
// CHECK: %[[T:.*]] = arith.truncf
// CHECK: tile.write %[[T]], %[[S:.*]][0, 0]
// CHECK: %[[R:.*]] = tile.read %[[S]][0, 0] : {{.*}} -> tensor<64x64xbf16, #tile.layout<lane = [1:8, 1:16, 0:1, 0:2, 0:4], warp = [1:32, _], register = [1:1, 1:2, 1:4], repeat = [8, 1]>>
// CHECK: %[[W:.*]] = arith.extf %[[R]]
// CHECK: tile.reduce sum %[[W]]
// CHECK: tile.dot %[[S]]
func.func @read_back(%a: memref<64x64xf32>, %b: memref<64x64xbf16>, %c: memref<64x64xf32>, %d: memref<64xf32>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<64x64xf32> -> tensor<64x64xf32>
  %e = math.exp %x : tensor<64x64xf32>
  %t = arith.truncf %e : tensor<64x64xf32> to tensor<64x64xbf16>
  %w = arith.extf %t : tensor<64x64xbf16> to tensor<64x64xf32>
  %none = arith.constant dense<0.0> : tensor<64xf32>
  %s = tile.reduce sum %w, %none axis 0 : tensor<64x64xf32> into tensor<64xf32>
  %y = tile.load %b[0, 0] dims [0, 1] : memref<64x64xbf16> -> tensor<64x64xbf16>
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %p = tile.dot %t, %y, %zero : tensor<64x64xbf16>, tensor<64x64xbf16> into tensor<64x64xf32>
  tile.store %p, %c[0, 0] dims [0, 1] : tensor<64x64xf32>, memref<64x64xf32>
  tile.store %s, %d[0] dims [0] : tensor<64xf32>, memref<64xf32>
  return
}
