// RUN: infini-opt %s -pass-pipeline='builtin.module(builtin.module(infini-kernel-to-blocks))' | FileCheck %s
// RUN: infini-opt %s -pass-pipeline='builtin.module(builtin.module(infini-kernel-to-blocks{warps=8}))' | FileCheck %s --check-prefix=EIGHT

// CHECK-DAG: #[[ROWS:.*]] = affine_map<()[s0, s1, s2] -> (s0 ceildiv 64)>
// The innermost loop's ids come first.
// CHECK-DAG: #[[SIZES:.*]] = affine_map<()[s0, s1, s2] -> ((s1 + s2 * 2) ceildiv 16, 8)>
// CHECK-DAG: #[[FIVE:.*]] = affine_map<()[s0] -> (6, 5, s0 * 6)>
// CHECK-DAG: #[[ONE:.*]] = affine_map<() -> ()>
// CHECK-DAG: #[[NESTED:.*]] = affine_map<()[s0] -> ((s0 ceildiv 2) ceildiv 4, 7, 4)>

// Four warps of 32 threads. The sizes of both buffers come behind the kernel's
// own scalar, and the block's number is its place in the grid.
// CHECK: module @rows attributes {program.buffers = 2 : i64, program.grid = #[[ROWS]], program.kernel, program.threads = 128 : i64}
// EIGHT: module @rows attributes {{.*}}program.threads = 256 : i64
module @rows attributes {program.kernel} {
  // CHECK: func.func @rows(%[[X:.*]]: memref<?x128xf32>, %[[Y:.*]]: memref<?x128xf32>, %[[N:.*]]: index, %{{.*}}: index, %{{.*}}: index) {
  func.func @rows(%x: memref<?x128xf32>, %y: memref<?x128xf32>, %n: index) {
    // CHECK: %[[ID:.*]] = gpu.block_id x
    // CHECK: %[[OFFSET:.*]] = arith.muli %[[ID]], %c64
    // CHECK: %[[I:.*]] = arith.addi %c0, %[[OFFSET]]
    // CHECK-NOT: scf.forall
    // CHECK: tile.load %[[X]][%[[I]], 0] dims [0, 1] valid [%[[N]], 128]
    // CHECK: tile.store %{{.*}}, %[[Y]][%[[I]], 0]
    // CHECK-NEXT: return
    scf.forall (%i) = (0) to (%n) step (64) {
      %t = tile.load %x[%i, 0] dims [0, 1] valid [%n, 128] : memref<?x128xf32> -> tensor<64x128xf32>
      tile.store %t, %y[%i, 0] dims [0, 1] valid [%n, 128] : tensor<64x128xf32>, memref<?x128xf32>
    }
    return
  }
}

// Without a scalar of its own: memref.dim becomes an argument, in the order of
// the buffers and of their dimensions.
// CHECK: module @sizes attributes {program.buffers = 2 : i64, program.grid = #[[SIZES]], program.kernel, program.threads = 128 : i64}
module @sizes attributes {program.kernel} {
  // CHECK: func.func @sizes(%[[X:.*]]: memref<8x?x?xf32>, %[[Y:.*]]: memref<?xf32>, %[[A:.*]]: index, %[[N:.*]]: index, %[[M:.*]]: index) {
  func.func @sizes(%x: memref<8x?x?xf32>, %y: memref<?xf32>) {
    // CHECK-NOT: memref.dim
    // CHECK: affine.apply #{{.*}}()[%[[N]], %[[M]]]
    // CHECK-DAG: %[[IDY:.*]] = gpu.block_id y
    // CHECK-DAG: %[[IDX:.*]] = gpu.block_id x
    // CHECK: arith.muli %[[IDY]], %c1
    // CHECK: %[[I:.*]] = arith.addi
    // CHECK: arith.muli %[[IDX]], %c16
    // CHECK: %[[J:.*]] = arith.addi
    // CHECK: tile.load %[[X]][%[[I]], %[[A]], %[[J]]]
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %a = memref.dim %x, %c1 : memref<8x?x?xf32>
    %n = memref.dim %x, %c2 : memref<8x?x?xf32>
    %m = memref.dim %y, %c0 : memref<?xf32>
    %k = affine.apply affine_map<()[s0, s1] -> (s0 + 2 * s1)>()[%n, %m]
    scf.forall (%i, %j) = (0, 0) to (8, %k) step (1, 16) {
      %t = tile.load %x[%i, %a, %j] dims [] : memref<8x?x?xf32> -> tensor<f32>
      tile.store %t, %y[%j] dims [] : tensor<f32>, memref<?xf32>
    }
    return
  }
}

// Five dimensions: the three outermost share the grid's last.
// CHECK: module @five attributes {program.buffers = 1 : i64, program.grid = #[[FIVE]], program.kernel, program.threads = 128 : i64}
module @five attributes {program.kernel} {
  // CHECK: func.func @five(%{{.*}}: memref<2x3x4x5x6xf32>, %[[N:.*]]: index) {
  func.func @five(%y: memref<2x3x4x5x6xf32>, %n: index) {
    // CHECK: %[[Z:.*]] = gpu.block_id z
    // CHECK: arith.remui %[[Z]], %[[N]]
    // CHECK: %[[REST:.*]] = arith.divui %[[Z]], %[[N]]
    // CHECK: arith.remui %[[REST]], %c3
    // CHECK: arith.divui %[[REST]], %c3
    %t = arith.constant dense<0.0> : tensor<f32>
    scf.forall (%a, %b, %c, %d, %e) in (2, 3, %n, 5, 6) {
      tile.store %t, %y[%a, %b, %c, %d, %e] dims [] : tensor<f32>, memref<2x3x4x5x6xf32>
    }
    return
  }
}

// The second may need all of the first: one block does both.
// CHECK: module @two attributes {program.buffers = 1 : i64, program.grid = #[[ONE]], program.kernel, program.threads = 128 : i64}
module @two attributes {program.kernel} {
  func.func @two(%y: memref<8xf32>) {
    // CHECK-NOT: gpu.block_id
    // CHECK-COUNT-2: scf.for %
    // CHECK-NOT: scf.forall
    // CHECK: return
    %t = arith.constant dense<0.0> : tensor<f32>
    scf.forall (%i) in (8) {
      tile.store %t, %y[%i] dims [] : tensor<f32>, memref<8xf32>
    }
    scf.forall (%i) in (8) {
      tile.store %t, %y[%i] dims [] : tensor<f32>, memref<8xf32>
    }
    return
  }
}

// A loop that is all that a loop does is part of the grid, from its lower bound
// on.
// CHECK: module @nested attributes {program.buffers = 1 : i64, program.grid = #[[NESTED]], program.kernel, program.threads = 128 : i64}
module @nested attributes {program.kernel} {
  func.func @nested(%y: memref<4x8x16xf32>, %n: index) {
    // CHECK-DAG: %[[IDZ:.*]] = gpu.block_id z
    // CHECK-DAG: %[[IDY:.*]] = gpu.block_id y
    // CHECK: arith.muli %[[IDZ]], %c1
    // CHECK: %[[J:.*]] = arith.muli %[[IDY]], %c1
    // CHECK: arith.addi %c1{{.*}}, %[[J]]
    // CHECK-NOT: scf.for
    // CHECK: return
    %t = arith.constant dense<0.0> : tensor<4xf32>
    scf.forall (%i) in (4) {
      %m = affine.apply affine_map<()[s0] -> (s0 ceildiv 2)>()[%n]
      scf.forall (%j, %l) = (1, 0) to (8, %m) step (1, 4) {
        tile.store %t, %y[%i, %j, %l] dims [2] : tensor<4xf32>, memref<4x8x16xf32>
      }
    }
    return
  }
}

// A kernel without a loop is one block.
// CHECK: module @none attributes {program.buffers = 1 : i64, program.grid = #[[ONE]], program.kernel, program.threads = 128 : i64}
module @none attributes {program.kernel} {
  // CHECK: func.func @none(%{{.*}}: memref<f32>) {
  func.func @none(%y: memref<f32>) {
    %t = arith.constant dense<0.0> : tensor<f32>
    tile.store %t, %y[] dims [] : tensor<f32>, memref<f32>
    return
  }
}

// More warps where a thread would have to keep too much: the 128 × 128 numbers
// that a loop carries are more than 56 for each of 256 threads.
// CHECK: module @carried attributes {{.*}}program.threads = 512 : i64
// EIGHT: module @carried attributes {{.*}}program.threads = 256 : i64
module @carried attributes {program.kernel} {
  func.func @carried(%x: memref<?x128x128xf32>, %y: memref<128x128xf32>, %n: index) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %z = arith.constant dense<0.0> : tensor<128x128xf32>
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %z) -> tensor<128x128xf32> {
      %t = tile.load %x[%i, 0, 0] dims [1, 2] : memref<?x128x128xf32> -> tensor<128x128xf32>
      %s = arith.addf %a, %t : tensor<128x128xf32>
      scf.yield %s : tensor<128x128xf32>
    }
    tile.store %r, %y[0, 0] dims [0, 1] : tensor<128x128xf32>, memref<128x128xf32>
    return
  }
}

// A product of the tensor cores leaves room for twice as much. Sums that go on
// with what is carried count once: 64 × 128 are 64 for each of 128 threads.
// CHECK: module @tensor_core attributes {{.*}}program.threads = 128 : i64
module @tensor_core attributes {program.kernel} {
  func.func @tensor_core(%x: memref<?x64x16xbf16>, %w: memref<16x128xbf16>, %y: memref<64x128xf32>, %n: index) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %z = arith.constant dense<0.0> : tensor<64x128xf32>
    %b = tile.load %w[0, 0] dims [0, 1] : memref<16x128xbf16> -> tensor<16x128xbf16>
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %z) -> tensor<64x128xf32> {
      %t = tile.load %x[%i, 0, 0] dims [1, 2] : memref<?x64x16xbf16> -> tensor<64x16xbf16>
      %d = tile.dot %t, %b, %a : tensor<64x16xbf16>, tensor<16x128xbf16> into tensor<64x128xf32>
      scf.yield %d : tensor<64x128xf32>
    }
    tile.store %r, %y[0, 0] dims [0, 1] : tensor<64x128xf32>, memref<64x128xf32>
    return
  }
}

// Sums of their own count besides: 64 × 192, and the 64 × 128 that are carried,
// are 160 for each of 128 threads.
// CHECK: module @own_sums attributes {{.*}}program.threads = 256 : i64
module @own_sums attributes {program.kernel} {
  func.func @own_sums(%x: memref<?x64x16xbf16>, %w: memref<16x192xbf16>, %y: memref<64x128xf32>, %n: index) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %z = arith.constant dense<0.0> : tensor<64x128xf32>
    %none = arith.constant dense<0.0> : tensor<64x192xf32>
    %b = tile.load %w[0, 0] dims [0, 1] : memref<16x192xbf16> -> tensor<16x192xbf16>
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %z) -> tensor<64x128xf32> {
      %t = tile.load %x[%i, 0, 0] dims [1, 2] : memref<?x64x16xbf16> -> tensor<64x16xbf16>
      %d = tile.dot %t, %b, %none : tensor<64x16xbf16>, tensor<16x192xbf16> into tensor<64x192xf32>
      %e = tensor.extract_slice %d[0, 0] [64, 128] [1, 1] : tensor<64x192xf32> to tensor<64x128xf32>
      %f = arith.addf %a, %e : tensor<64x128xf32>
      scf.yield %f : tensor<64x128xf32>
    }
    tile.store %r, %y[0, 0] dims [0, 1] : tensor<64x128xf32>, memref<64x128xf32>
    return
  }
}
