// RUN: infini-opt %s -pass-pipeline='builtin.module(func.func(tile-hoist-factors))' --split-input-file | FileCheck %s

// The memory of a segment, at a place that the block's number gives.
// CHECK-LABEL: func @memory
// CHECK: scf.forall (%[[P:.*]]) in (4)
// CHECK-NEXT: %[[AT:.*]] = affine.apply
// CHECK-NEXT: tile.load %arg1[0, %[[AT]]]
// CHECK-NEXT: scf.for
// CHECK-NEXT: tile.load %arg0
// CHECK-NEXT: tile.dot
func.func @memory(%x: memref<?x32xf32>, %m: memref<32x64xf32>, %o: memref<32x64xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant dense<0.0> : tensor<32x16xf32>
  scf.forall (%p) in (4) {
    %r = scf.for %i = %c0 to %n step %c32 iter_args(%acc = %zero) -> (tensor<32x16xf32>) {
      %a = tile.load %x[%i, 0] dims [0, 1] : memref<?x32xf32> -> tensor<32x32xf32>
      %at = affine.apply affine_map<(d0) -> (d0 * 16)>(%p)
      %b = tile.load %m[0, %at] dims [0, 1] : memref<32x64xf32> -> tensor<32x16xf32>
      %d = tile.dot %a, %b, %acc : tensor<32x32xf32>, tensor<32x16xf32> into tensor<32x16xf32>
      scf.yield %d : tensor<32x16xf32>
    }
    %at = affine.apply affine_map<(d0) -> (d0 * 16)>(%p)
    tile.store %r, %o[0, %at] dims [0, 1] : tensor<32x16xf32>, memref<32x64xf32>
  }
  return
}

// -----

// Of two loops, too.
// CHECK-LABEL: func @nest
// CHECK: tile.load %arg1
// CHECK: scf.for
// CHECK: scf.for
func.func @nest(%x: memref<?x32xf32>, %m: memref<32x16xf32>, %o: memref<32x16xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant dense<0.0> : tensor<32x16xf32>
  %r = scf.for %i = %c0 to %n step %c32 iter_args(%outer = %zero) -> (tensor<32x16xf32>) {
    %s = scf.for %j = %c0 to %n step %c32 iter_args(%acc = %outer) -> (tensor<32x16xf32>) {
      %a = tile.load %x[%j, 0] dims [0, 1] : memref<?x32xf32> -> tensor<32x32xf32>
      %b = tile.load %m[0, 0] dims [0, 1] : memref<32x16xf32> -> tensor<32x16xf32>
      %d = tile.dot %a, %b, %acc : tensor<32x32xf32>, tensor<32x16xf32> into tensor<32x16xf32>
      scf.yield %d : tensor<32x16xf32>
    }
    scf.yield %s : tensor<32x16xf32>
  }
  tile.store %r, %o[0, 0] dims [0, 1] : tensor<32x16xf32>, memref<32x16xf32>
  return
}

// -----

// What the kernel writes, what more than products use, and what depends on how
// many tokens there are, stays.
// CHECK-LABEL: func @stays
// CHECK-NOT: tile.load
// CHECK: scf.for
// CHECK-COUNT-4: tile.load
func.func @stays(%x: memref<?x16xf32>, %m: memref<16x16xf32>, %o: memref<16x16xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  scf.for %i = %c0 to %n step %c16 {
    %a = tile.load %x[%n, 0] dims [0, 1] : memref<?x16xf32> -> tensor<16x16xf32>
    %b = tile.load %m[0, 0] dims [0, 1] : memref<16x16xf32> -> tensor<16x16xf32>
    %e = math.exp %b : tensor<16x16xf32>
    %c = tile.load %o[0, 0] dims [0, 1] : memref<16x16xf32> -> tensor<16x16xf32>
    %f = tile.load %x[%i, 0] dims [0, 1] : memref<?x16xf32> -> tensor<16x16xf32>
    %d = tile.dot %a, %b, %e : tensor<16x16xf32>, tensor<16x16xf32> into tensor<16x16xf32>
    %g = tile.dot %f, %c, %d : tensor<16x16xf32>, tensor<16x16xf32> into tensor<16x16xf32>
    tile.store %g, %o[0, 0] dims [0, 1] : tensor<16x16xf32>, memref<16x16xf32>
  }
  return
}
