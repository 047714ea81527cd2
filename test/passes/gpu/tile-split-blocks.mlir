// RUN: infini-opt %s -pass-pipeline='builtin.module(builtin.module(tile-split-blocks))' --split-input-file | FileCheck %s
// RUN: infini-opt %s -pass-pipeline='builtin.module(builtin.module(tile-split-blocks{elements=8192},canonicalize))' --split-input-file | FileCheck %s --check-prefix=TWO

// Large enough for all: nothing is cut.
// RUN: infini-opt %s --split-input-file -o %t.before
// RUN: infini-opt %s -pass-pipeline='builtin.module(builtin.module(tile-split-blocks{elements=16384}))' --split-input-file | cmp - %t.before
// So is no part narrower than `least`.
// RUN: infini-opt %s -pass-pipeline='builtin.module(builtin.module(tile-split-blocks{least=128}))' --split-input-file | cmp - %t.before

// CHECK: #[[PART:.*]] = affine_map<(d0) -> (d0 * 32)>

// A memory of 128 × 128 and its sums. Its columns are the values', which nothing
// is summed over: four parts of 32. Sums have no columns: all parts compute
// them, the first stores them.
// CHECK-LABEL: module @memory
// CHECK: scf.forall (%[[H:.*]]) in (4) {
// CHECK: scf.forall (%[[P:.*]]) in (4) {
// CHECK: %[[M:.*]]:2 = scf.for %[[I:[a-z0-9]+]] = {{.*}} -> (tensor<128x32xf32>, tensor<128xf32>)
// CHECK: %[[K:.*]] = tile.load %arg0[%[[H]], %[[I]], 0] dims [1, 2] : {{.*}} -> tensor<64x128xf32>
// CHECK: %[[AT:.*]] = affine.apply #[[PART]](%[[P]])
// CHECK: %[[V:.*]] = tile.load %arg1[%[[H]], %[[I]], %[[AT]]] dims [1, 2] : {{.*}} -> tensor<64x32xf32>
// CHECK: tile.dot %[[K]], %[[V]], %{{.*}} {transpose_a} : tensor<64x128xf32>, tensor<64x32xf32> into tensor<128x32xf32>
// CHECK: tile.reduce sum %[[K]]
// CHECK: }
// CHECK: tile.store %[[M]]#0, %arg2[%[[H]], 0, %{{.*}}] dims [1, 2] : tensor<128x32xf32>
// CHECK: %[[FIRST:.*]] = arith.cmpi eq, %[[P]], %c0
// CHECK: scf.if %[[FIRST]] {
// CHECK-NEXT: tile.store %[[M]]#1, %arg3
// CHECK-NEXT: }
// TWO-LABEL: module @memory
// TWO: scf.forall (%{{.*}}) in (2) {
// TWO: tile.dot {{.*}} into tensor<128x64xf32>
module {
  module @memory attributes {program.kernel} {
    func.func @memory(%k: memref<4x?x128xf32>, %v: memref<4x?x128xf32>, %m: memref<4x128x128xf32>, %zo: memref<4x128xf32>, %n: index) {
      scf.forall (%h) in (4) {
        %c0 = arith.constant 0 : index
        %c64 = arith.constant 64 : index
        %zero = arith.constant dense<0.0> : tensor<128x128xf32>
        %none = arith.constant dense<0.0> : tensor<128xf32>
        %r, %z = scf.for %i = %c0 to %n step %c64 iter_args(%acc = %zero, %sum = %none) -> (tensor<128x128xf32>, tensor<128xf32>) {
          %x = tile.load %k[%h, %i, 0] dims [1, 2] : memref<4x?x128xf32> -> tensor<64x128xf32>
          %y = tile.load %v[%h, %i, 0] dims [1, 2] : memref<4x?x128xf32> -> tensor<64x128xf32>
          %d = tile.dot %x, %y, %acc {transpose_a} : tensor<64x128xf32>, tensor<64x128xf32> into tensor<128x128xf32>
          %s = tile.reduce sum %x, %sum axis 0 : tensor<64x128xf32> into tensor<128xf32>
          scf.yield %d, %s : tensor<128x128xf32>, tensor<128xf32>
        }
        tile.store %r, %m[%h, 0, 0] dims [1, 2] : tensor<128x128xf32>, memref<4x128x128xf32>
        tile.store %z, %zo[%h, 0] dims [1] : tensor<128xf32>, memref<4x128xf32>
      }
      return
    }
  }
}

// -----

// A product that has no such dimension would be computed by each part: the
// kernel stays. (Here the scores that the weights are made of.)
// CHECK-LABEL: module @attention
// CHECK: tensor<128x128xf32>
// CHECK-NOT: tensor<{{(128x32|32x128)}}xf32>
// CHECK: return
module {
  module @attention attributes {program.kernel} {
    func.func @attention(%q: memref<128x64xf32>, %k: memref<?x64xf32>, %v: memref<?x128xf32>, %o: memref<128x128xf32>, %n: index) {
      %c0 = arith.constant 0 : index
      %c64 = arith.constant 64 : index
      %zero = arith.constant dense<0.0> : tensor<128x128xf32>
      %none = arith.constant dense<0.0> : tensor<128x64xf32>
      %x = tile.load %q[0, 0] dims [0, 1] : memref<128x64xf32> -> tensor<128x64xf32>
      %r = scf.for %i = %c0 to %n step %c64 iter_args(%acc = %zero) -> tensor<128x128xf32> {
        %y = tile.load %k[%i, 0] dims [0, 1] : memref<?x64xf32> -> tensor<64x64xf32>
        %s = tile.dot %x, %y, %none {transpose_b} : tensor<128x64xf32>, tensor<64x64xf32> into tensor<128x64xf32>
        %w = tile.load %v[%i, 0] dims [0, 1] : memref<?x128xf32> -> tensor<64x128xf32>
        %d = tile.dot %s, %w, %acc : tensor<128x64xf32>, tensor<64x128xf32> into tensor<128x128xf32>
        scf.yield %d : tensor<128x128xf32>
      }
      %max = arith.constant dense<0.0> : tensor<128xf32>
      %m = tile.reduce sum %r, %max axis 0 : tensor<128x128xf32> into tensor<128xf32>
      %b = tile.broadcast %m along [0] : tensor<128xf32> -> tensor<128x128xf32>
      %t = arith.addf %r, %b : tensor<128x128xf32>
      tile.store %t, %o[0, 0] dims [0, 1] : tensor<128x128xf32>, memref<128x128xf32>
      return
    }
  }
}

// -----

// Both dimensions are summed over.
// CHECK-LABEL: module @summed
// CHECK-NOT: scf.forall
// CHECK: return
module {
  module @summed attributes {program.kernel} {
    func.func @summed(%a: memref<?x128x128xf32>, %o: memref<f32>, %n: index) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %zero = arith.constant dense<0.0> : tensor<128x128xf32>
      %none = arith.constant dense<0.0> : tensor<128xf32>
      %one = arith.constant dense<0.0> : tensor<f32>
      %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> tensor<128x128xf32> {
        %y = tile.load %a[%i, 0, 0] dims [1, 2] : memref<?x128x128xf32> -> tensor<128x128xf32>
        %d = arith.addf %acc, %y : tensor<128x128xf32>
        scf.yield %d : tensor<128x128xf32>
      }
      %s = tile.reduce sum %r, %none axis 1 : tensor<128x128xf32> into tensor<128xf32>
      %t = tile.reduce sum %s, %one axis 0 : tensor<128xf32> into tensor<f32>
      tile.store %t, %o[] dims [] : tensor<f32>, memref<f32>
      return
    }
  }
}

// -----

// Masked along a dimension, it stays whole; the other one is cut.
// CHECK-LABEL: module @masked
// CHECK: scf.forall (%{{.*}}) in (4) {
// CHECK: tile.load {{.*}} valid [32, %{{.*}}] : {{.*}} -> tensor<32x128xf32>
module {
  module @masked attributes {program.kernel} {
    func.func @masked(%a: memref<?x128x128xf32>, %o: memref<128x128xf32>, %n: index) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %zero = arith.constant dense<0.0> : tensor<128x128xf32>
      %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> tensor<128x128xf32> {
        %y = tile.load %a[%i, 0, 0] dims [1, 2] valid [128, %n] : memref<?x128x128xf32> -> tensor<128x128xf32>
        %d = arith.addf %acc, %y : tensor<128x128xf32>
        scf.yield %d : tensor<128x128xf32>
      }
      tile.store %r, %o[0, 0] dims [0, 1] : tensor<128x128xf32>, memref<128x128xf32>
      return
    }
  }
}
