// RUN: infini-opt %s -pass-pipeline='builtin.module(func.func(tile-sink-behind-loops))' | FileCheck %s

// What is used behind the loop only is computed there, and what computes it.
// CHECK-LABEL: func @sink
// CHECK-NOT: tile.load %arg0
// CHECK: scf.for
// CHECK: }
// CHECK-NEXT: %[[M:.*]] = tile.load %arg0
// CHECK-NEXT: %[[E:.*]] = math.exp %[[M]]
// CHECK-NEXT: arith.mulf %{{.*}}, %[[E]]
func.func @sink(%a: memref<64x64xf32>, %b: memref<?x64xf32>, %o: memref<64x64xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %m = tile.load %a[0, 0] dims [0, 1] : memref<64x64xf32> -> tensor<64x64xf32>
  %e = math.exp %m : tensor<64x64xf32>
  %r = scf.for %i = %c0 to %n step %c64 iter_args(%acc = %zero) -> tensor<64x64xf32> {
    %x = tile.load %b[%i, 0] dims [0, 1] : memref<?x64xf32> -> tensor<64x64xf32>
    %s = arith.addf %acc, %x : tensor<64x64xf32>
    scf.yield %s : tensor<64x64xf32>
  }
  %y = arith.mulf %r, %e : tensor<64x64xf32>
  tile.store %y, %o[0, 0] dims [0, 1] : tensor<64x64xf32>, memref<64x64xf32>
  return
}

// A load that both sides use is done twice; what is computed from it is not.
// CHECK-LABEL: func @repeat
// CHECK: %[[M:.*]] = tile.load %arg0
// CHECK: %[[E:.*]] = math.exp %[[M]]
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[M]])
// CHECK: }
// CHECK-NEXT: %[[A:.*]] = tile.load %arg0
// CHECK-NEXT: arith.mulf %{{.*}}, %[[A]]
// CHECK: arith.addf %{{.*}}, %[[E]]
func.func @repeat(%a: memref<64x64xf32>, %b: memref<?x64xf32>, %o: memref<64x64xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %m = tile.load %a[0, 0] dims [0, 1] : memref<64x64xf32> -> tensor<64x64xf32>
  %e = math.exp %m : tensor<64x64xf32>
  %r = scf.for %i = %c0 to %n step %c64 iter_args(%acc = %m) -> tensor<64x64xf32> {
    %x = tile.load %b[%i, 0] dims [0, 1] : memref<?x64xf32> -> tensor<64x64xf32>
    %s = arith.addf %acc, %x : tensor<64x64xf32>
    %t = arith.mulf %s, %e : tensor<64x64xf32>
    scf.yield %t : tensor<64x64xf32>
  }
  %y = arith.mulf %r, %m : tensor<64x64xf32>
  %z = arith.addf %y, %e : tensor<64x64xf32>
  tile.store %z, %o[0, 0] dims [0, 1] : tensor<64x64xf32>, memref<64x64xf32>
  return
}

// Not past what may write the buffer, nor what the loop itself needs.
// CHECK-LABEL: func @stay
// CHECK: tile.load %arg0
// CHECK: %[[W:.*]] = math.exp
// CHECK: scf.for
// CHECK: arith.mulf %{{.*}}, %[[W]]
// CHECK: }
// CHECK-NEXT: tile.store
func.func @stay(%a: memref<64x64xf32>, %b: memref<?x64xf32>, %o: memref<64x64xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %m = tile.load %a[0, 0] dims [0, 1] : memref<64x64xf32> -> tensor<64x64xf32>
  %w = math.exp %m : tensor<64x64xf32>
  scf.for %i = %c0 to %n step %c64 {
    %x = tile.load %b[%i, 0] dims [0, 1] : memref<?x64xf32> -> tensor<64x64xf32>
    %y = arith.mulf %x, %w : tensor<64x64xf32>
    tile.store %y, %a[0, 0] dims [0, 1] : tensor<64x64xf32>, memref<64x64xf32>
  }
  tile.store %m, %o[0, 0] dims [0, 1] : tensor<64x64xf32>, memref<64x64xf32>
  return
}

// To the loop that uses it, behind the one that does not. The written buffer
// counts by way of a view, too.
// CHECK-LABEL: func @between
// CHECK: tile.load %arg2
// CHECK-NOT: tile.load %arg0
// CHECK: scf.for
// CHECK: }
// CHECK: tile.load %arg0
// CHECK-NEXT: scf.for
func.func @between(%a: memref<64x64xf32>, %b: memref<?x64xf32>, %o: memref<4x16x64xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %v = memref.collapse_shape %o [[0, 1], [2]] : memref<4x16x64xf32> into memref<64x64xf32>
  %k = tile.load %o[0, 0, 0] dims [1, 2] : memref<4x16x64xf32> -> tensor<16x64xf32>
  %m = tile.load %a[0, 0] dims [0, 1] : memref<64x64xf32> -> tensor<64x64xf32>
  %zero = arith.constant dense<0.0> : tensor<64x64xf32>
  %r = scf.for %i = %c0 to %n step %c64 iter_args(%acc = %zero) -> tensor<64x64xf32> {
    %x = tile.load %b[%i, 0] dims [0, 1] : memref<?x64xf32> -> tensor<64x64xf32>
    %s = arith.addf %acc, %x : tensor<64x64xf32>
    scf.yield %s : tensor<64x64xf32>
  }
  %q = scf.for %i = %c0 to %n step %c64 iter_args(%acc = %r) -> tensor<64x64xf32> {
    %s = arith.addf %acc, %m : tensor<64x64xf32>
    scf.yield %s : tensor<64x64xf32>
  }
  tile.store %q, %v[0, 0] dims [0, 1] : tensor<64x64xf32>, memref<64x64xf32>
  tile.store %k, %o[1, 0, 0] dims [1, 2] : tensor<16x64xf32>, memref<4x16x64xf32>
  return
}
