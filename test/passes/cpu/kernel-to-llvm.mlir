// RUN: infini-opt %s -pass-pipeline='builtin.module(builtin.module(infini-kernel-to-llvm))' | FileCheck %s
// RUN: infini-opt %s --infini-cpu-llvm-stage | FileCheck %s --check-prefix=LLVM

// CHECK-DAG: #[[ROWS:.*]] = affine_map<()[s0, s1, s2] -> (s0 ceildiv 64)>
// CHECK-DAG: #[[SIZES:.*]] = affine_map<()[s0, s1, s2] -> (8, (s1 + s2 * 2) ceildiv 16)>
// CHECK-DAG: #[[ONE:.*]] = affine_map<() -> ()>
// CHECK-DAG: #[[FROM:.*]] = affine_map<()[s0, s1] -> ((s1 - s0) ceildiv 4)>

// The kernel's scalars are its own, then the dynamic sizes of its buffers.
// CHECK: module @rows attributes {program.buffers = 2 : i64, program.grid = #[[ROWS]], program.kernel}
module @rows attributes {program.kernel} {
  // CHECK: func.func @rows(%[[ARGS:.*]]: !llvm.ptr, %[[BLOCK:.*]]: !llvm.ptr) {
  // LLVM: llvm.func @rows(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr) {
  func.func @rows(%x: memref<?x128xf32>, %y: memref<?x128xf32>, %n: index) -> memref<?x128xf32> {
    // CHECK: %[[PX:.*]] = llvm.getelementptr %[[ARGS]][0] : (!llvm.ptr) -> !llvm.ptr, i64
    // CHECK: llvm.load %[[PX]] : !llvm.ptr -> !llvm.ptr
    // CHECK: %[[PROWS:.*]] = llvm.getelementptr %[[ARGS]][3]
    // CHECK: %[[PY:.*]] = llvm.getelementptr %[[ARGS]][1]
    // CHECK: llvm.load %[[PY]] : !llvm.ptr -> !llvm.ptr
    // CHECK: %[[PROWS2:.*]] = llvm.getelementptr %[[ARGS]][4]
    // CHECK: %[[PN:.*]] = llvm.getelementptr %[[ARGS]][2]
    // CHECK: llvm.load %[[PN]] : !llvm.ptr -> i64
    // The block's position is its place in the grid times the step.
    // CHECK: %[[PI:.*]] = llvm.getelementptr %[[BLOCK]][0]
    // CHECK: %[[ID:.*]] = llvm.load %[[PI]] : !llvm.ptr -> i64
    // CHECK: %[[IDX:.*]] = arith.index_cast %[[ID]]
    // CHECK: arith.muli %[[IDX]], %{{.*}} : index
    // CHECK-NOT: scf.forall
    // CHECK: memref.load
    // CHECK: memref.store
    // CHECK: return{{$}}
    %c0 = arith.constant 0 : index
    scf.forall (%i) = (0) to (%n) step (64) {
      %v = memref.load %x[%i, %c0] : memref<?x128xf32>
      memref.store %v, %y[%i, %c0] : memref<?x128xf32>
    }
    return %y : memref<?x128xf32>
  }
}

// Extents from sizes; a small static buffer lies on the stack, another in scratch.
// CHECK: module @sizes attributes {program.buffers = 2 : i64, program.grid = #[[SIZES]], program.kernel}
module @sizes attributes {program.kernel} {
  // CHECK: func.func @sizes(%{{.*}}: !llvm.ptr, %[[BLOCK:.*]]: !llvm.ptr) {
  func.func @sizes(%x: memref<8x?x?xf32>, %y: memref<?xf32>) {
    // CHECK: memref.alloca() {alignment = 64 : i64} : memref<16xf32>
    // CHECK-DAG: %[[PS:.*]] = llvm.getelementptr %[[BLOCK]][3]
    // CHECK-DAG: %[[SCRATCH:.*]] = llvm.load %[[PS]] : !llvm.ptr -> !llvm.ptr
    // CHECK-DAG: %[[PA:.*]] = llvm.getelementptr %[[BLOCK]][4]
    // CHECK-DAG: %[[ALLOCATE:.*]] = llvm.load %[[PA]] : !llvm.ptr -> !llvm.ptr
    // CHECK: llvm.call %[[ALLOCATE]](%[[SCRATCH]], %{{.*}}) : !llvm.ptr, (!llvm.ptr, i64) -> !llvm.ptr
    // CHECK-NOT: memref.alloc(
    %c0 = arith.constant 0 : index
    %c2 = arith.constant 2 : index
    %n = memref.dim %x, %c2 : memref<8x?x?xf32>
    %m = memref.dim %y, %c0 : memref<?xf32>
    %k = affine.apply affine_map<()[s0, s1] -> (s0 + 2 * s1)>()[%n, %m]
    scf.forall (%i, %j) = (0, 0) to (8, %k) step (1, 16) {
      %t = memref.alloc() : memref<16xf32>
      %u = memref.alloc(%j) : memref<4x?xf64>
      %z = arith.constant 0.0 : f32
      %w = arith.constant 0.0 : f64
      memref.store %z, %t[%c0] : memref<16xf32>
      memref.store %w, %u[%c0, %c0] : memref<4x?xf64>
    }
    return
  }
}

// Scratch that a loop takes is given back in each round.
// CHECK: module @scratch_in_loop
module @scratch_in_loop attributes {program.kernel} {
  func.func @scratch_in_loop(%n: index) {
    // CHECK: scf.for
    // CHECK:   %[[MARK:.*]] = llvm.call {{.*}} -> !llvm.ptr
    // CHECK:   llvm.call {{.*}} -> !llvm.ptr
    // CHECK:   llvm.call %{{.*}}(%{{.*}}, %[[MARK]]) : !llvm.ptr, (!llvm.ptr, !llvm.ptr) -> ()
    // CHECK-NEXT: }
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %z = arith.constant 0.0 : f32
    scf.for %i = %c0 to %n step %c1 {
      %t = memref.alloc(%n) : memref<?xf32>
      memref.store %z, %t[%c0] : memref<?xf32>
    }
    return
  }
}

// Something is stored before the forall, which not every block may do: one
// block runs all of it.
// CHECK: module @one_block attributes {program.buffers = 1 : i64, program.grid = #[[ONE]], program.kernel}
module @one_block attributes {program.kernel} {
  func.func @one_block(%y: memref<8xf32>) {
    // CHECK: memref.store
    // CHECK: scf.for
    // CHECK: memref.store
    // CHECK-NOT: scf.forall
    %z = arith.constant 0.0 : f32
    %c0 = arith.constant 0 : index
    memref.store %z, %y[%c0] : memref<8xf32>
    scf.forall (%i) = (0) to (8) step (1) {
      memref.store %z, %y[%i] : memref<8xf32>
    }
    return
  }
}

// Two foralls: the second may need all of the first.
// CHECK: module @two attributes {program.buffers = 1 : i64, program.grid = #[[ONE]], program.kernel}
module @two attributes {program.kernel} {
  func.func @two(%y: memref<8xf32>) {
    // CHECK-COUNT-2: scf.for %
    %z = arith.constant 0.0 : f32
    scf.forall (%i) = (0) to (8) step (1) {
      memref.store %z, %y[%i] : memref<8xf32>
    }
    scf.forall (%i) = (0) to (8) step (1) {
      memref.store %z, %y[%i] : memref<8xf32>
    }
    return
  }
}

// An extent that is read from memory cannot be told by the host.
// CHECK: module @extent_from_memory attributes {program.buffers = 2 : i64, program.grid = #[[ONE]], program.kernel}
module @extent_from_memory attributes {program.kernel} {
  func.func @extent_from_memory(%y: memref<8xf32>, %m: memref<index>) {
    // CHECK: scf.for
    %z = arith.constant 0.0 : f32
    %n = memref.load %m[] : memref<index>
    scf.forall (%i) = (0) to (%n) step (1) {
      memref.store %z, %y[%i] : memref<8xf32>
    }
    return
  }
}

// A lower bound counts, too.
// CHECK: module @from attributes {program.buffers = 1 : i64, program.grid = #[[FROM]], program.kernel}
module @from attributes {program.kernel} {
  func.func @from(%y: memref<8xf32>, %a: index, %b: index) {
    // CHECK: %[[OFFSET:.*]] = arith.muli
    // CHECK: arith.addi %{{.*}}, %[[OFFSET]]
    %z = arith.constant 0.0 : f32
    scf.forall (%i) = (%a) to (%b) step (4) {
      memref.store %z, %y[%i] : memref<8xf32>
    }
    return
  }
}

// LLVM-NOT: memref.
// LLVM-NOT: unrealized_conversion_cast
