// RUN: infini-opt %s -pass-pipeline='builtin.module(builtin.module(infini-kernel-to-llvm))' | FileCheck %s
// RUN: infini-opt %s --infini-cpu-llvm-stage | FileCheck %s --check-prefix=LLVM

// CHECK-DAG: #[[ROWS:.*]] = affine_map<()[s0, s1, s2] -> (s0 ceildiv 64)>
// The innermost loop's ids come first.
// CHECK-DAG: #[[SIZES:.*]] = affine_map<()[s0, s1, s2] -> ((s1 + s2 * 2) ceildiv 16, 8)>
// CHECK-DAG: #[[ONE:.*]] = affine_map<() -> ()>
// CHECK-DAG: #[[FROM:.*]] = affine_map<()[s0, s1] -> ((s1 - s0) ceildiv 4)>
// CHECK-DAG: #[[NESTED:.*]] = affine_map<()[s0, s1] -> (4, 8, s0)>
// CHECK-DAG: #[[BOUND:.*]] = affine_map<()[s0, s1] -> (s0 + 1, 8)>
// CHECK-DAG: #[[OUTER:.*]] = affine_map<() -> (8)>
// CHECK-DAG: #[[FOUR:.*]] = affine_map<()[s0, s1] -> (s1 ceildiv 16, 3, s0 * 3)>
// CHECK-DAG: #[[FIVE:.*]] = affine_map<()[s0, s1] -> (7, 5, (s0 * s1) * 2)>

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

// A forall that is all that a forall does is part of the grid: blocks are
// iterations of both.
// CHECK: module @nested attributes {program.buffers = 1 : i64, program.grid = #[[NESTED]], program.kernel}
module @nested attributes {program.kernel} {
  // CHECK: func.func @nested(%{{.*}}: !llvm.ptr, %[[BLOCK:.*]]: !llvm.ptr) {
  func.func @nested(%y: memref<?x8x16xf32>, %n: index) {
    // CHECK: %[[PI:.*]] = llvm.getelementptr %[[BLOCK]][2]
    // CHECK: %[[LI:.*]] = llvm.load %[[PI]]
    // CHECK: %[[I:.*]] = arith.index_cast %[[LI]]
    // CHECK: %[[PH:.*]] = llvm.getelementptr %[[BLOCK]][1]
    // CHECK: %[[LH:.*]] = llvm.load %[[PH]]
    // CHECK: %[[H:.*]] = arith.index_cast %[[LH]]
    // CHECK: %[[PL:.*]] = llvm.getelementptr %[[BLOCK]][0]
    // CHECK: %[[LL:.*]] = llvm.load %[[PL]]
    // CHECK: %[[L:.*]] = arith.index_cast %[[LL]]
    // CHECK: %[[SI:.*]] = arith.muli %[[I]], %{{.*}}
    // CHECK: %[[AI:.*]] = arith.addi %{{.*}}, %[[SI]]
    // CHECK: %[[SH:.*]] = arith.muli %[[H]], %{{.*}}
    // CHECK: %[[AH:.*]] = arith.addi %{{.*}}, %[[SH]]
    // CHECK: %[[C4:.*]] = arith.constant 4 : index
    // CHECK: %[[SL:.*]] = arith.muli %[[L]], %[[C4]]
    // CHECK: %[[AL:.*]] = arith.addi %{{.*}}, %[[SL]]
    // CHECK-NOT: scf.for
    // CHECK: memref.store %{{.*}}, %{{.*}}[%[[AI]], %[[AH]], %[[AL]]]
    %z = arith.constant 0.0 : f32
    scf.forall (%i) in (%n) {
      scf.forall (%h, %l) = (0, 0) to (8, 16) step (1, 4) {
        memref.store %z, %y[%i, %h, %l] : memref<?x8x16xf32>
      }
    }
    return
  }
}

// What computes the inner one's bound leaves the outer one; what else is
// computed there is computed in each block, in a buffer of its own.
// CHECK: module @inner_bound attributes {program.buffers = 1 : i64, program.grid = #[[BOUND]], program.kernel}
module @inner_bound attributes {program.kernel} {
  func.func @inner_bound(%y: memref<8x?xf32>, %n: index) {
    // CHECK-NOT: scf.for
    // CHECK: memref.alloca() {{.*}} : memref<4xf32>
    // CHECK: memref.store
    // CHECK-NOT: scf.for
    // CHECK: return
    %z = arith.constant 0.0 : f32
    %c0 = arith.constant 0 : index
    scf.forall (%i) in (8) {
      %m = affine.apply affine_map<()[s0] -> (s0 + 1)>()[%n]
      %t = memref.alloc() : memref<4xf32>
      scf.forall (%j) in (%m) {
        memref.store %z, %t[%c0] : memref<4xf32>
        memref.store %z, %y[%i, %j] : memref<8x?xf32>
      }
    }
    return
  }
}

// Not one whose bound depends on the outer one's position, …
// CHECK: module @triangle attributes {program.buffers = 1 : i64, program.grid = #[[OUTER]], program.kernel}
module @triangle attributes {program.kernel} {
  func.func @triangle(%y: memref<8x8xf32>) {
    // CHECK: scf.for %
    // CHECK: memref.store
    %z = arith.constant 0.0 : f32
    scf.forall (%i) in (8) {
      scf.forall (%j) in (%i) {
        memref.store %z, %y[%i, %j] : memref<8x8xf32>
      }
    }
    return
  }
}

// … nor one after something that is stored, which it may read, …
// CHECK: module @stored_before attributes {program.buffers = 2 : i64, program.grid = #[[OUTER]], program.kernel}
module @stored_before attributes {program.kernel} {
  func.func @stored_before(%x: memref<8xf32>, %y: memref<8x4xf32>) {
    // CHECK: memref.store
    // CHECK: scf.for %
    // CHECK: memref.load
    %z = arith.constant 0.0 : f32
    scf.forall (%i) in (8) {
      memref.store %z, %x[%i] : memref<8xf32>
      scf.forall (%j) in (4) {
        %v = memref.load %x[%i] : memref<8xf32>
        memref.store %v, %y[%i, %j] : memref<8x4xf32>
      }
    }
    return
  }
}

// … nor two of them.
// CHECK: module @two_inside attributes {program.buffers = 1 : i64, program.grid = #[[OUTER]], program.kernel}
module @two_inside attributes {program.kernel} {
  func.func @two_inside(%y: memref<8x4xf32>) {
    // CHECK-COUNT-2: scf.for %
    %z = arith.constant 0.0 : f32
    scf.forall (%i) in (8) {
      scf.forall (%j) in (4) {
        memref.store %z, %y[%i, %j] : memref<8x4xf32>
      }
      scf.forall (%j) in (4) {
        memref.store %z, %y[%i, %j] : memref<8x4xf32>
      }
    }
    return
  }
}

// The ABI's grid has three dimensions: of four loops the outer two share the
// last, and their positions are what is left by, and the quotient by, the
// extent of the second, which is known at the call.
// CHECK: module @four attributes {program.buffers = 1 : i64, program.grid = #[[FOUR]], program.kernel}
module @four attributes {program.kernel} {
  // CHECK: func.func @four(%{{.*}}: !llvm.ptr, %[[BLOCK:.*]]: !llvm.ptr) {
  func.func @four(%y: memref<?x?x8x64xf32>) {
    // CHECK: %[[N:.*]] = memref.dim %{{.*}}, %c0
    // CHECK: %[[PS:.*]] = llvm.getelementptr %[[BLOCK]][2]
    // CHECK: %[[LS:.*]] = llvm.load %[[PS]]
    // CHECK: %[[SHARED:.*]] = arith.index_cast %[[LS]]
    // CHECK: llvm.getelementptr %[[BLOCK]][1]
    // CHECK: llvm.getelementptr %[[BLOCK]][0]
    // CHECK: %[[B:.*]] = arith.remui %[[SHARED]], %[[N]]
    // CHECK: %[[A:.*]] = arith.divui %[[SHARED]], %[[N]]
    // CHECK: arith.muli %[[A]],
    // CHECK: arith.muli %[[B]],
    // CHECK-NOT: scf.for
    // CHECK: memref.store
    %z = arith.constant 0.0 : f32
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %n = memref.dim %y, %c0 : memref<?x?x8x64xf32>
    %m = memref.dim %y, %c1 : memref<?x?x8x64xf32>
    scf.forall (%a, %b, %c, %d) = (0, 0, 2, 0) to (3, %n, 8, %m) step (1, 1, 2, 16) {
      memref.store %z, %y[%b, %d, %c, %a] : memref<?x?x8x64xf32>
    }
    return
  }
}

// Five, of which two are of a loop inside: the outer three share.
// CHECK: module @five attributes {program.buffers = 1 : i64, program.grid = #[[FIVE]], program.kernel}
module @five attributes {program.kernel} {
  // CHECK: func.func @five(%{{.*}}: !llvm.ptr, %[[BLOCK:.*]]: !llvm.ptr) {
  func.func @five(%y: memref<2x?x?x5x7xf32>) {
    // CHECK-DAG: %[[N:.*]] = memref.dim %{{.*}}, %c1
    // CHECK-DAG: %[[M:.*]] = memref.dim %{{.*}}, %c2
    // CHECK: %[[PS:.*]] = llvm.getelementptr %[[BLOCK]][2]
    // CHECK: %[[LS:.*]] = llvm.load %[[PS]]
    // CHECK: %[[SHARED:.*]] = arith.index_cast %[[LS]]
    // CHECK: %[[C:.*]] = arith.remui %[[SHARED]], %[[M]]
    // CHECK: %[[AB:.*]] = arith.divui %[[SHARED]], %[[M]]
    // CHECK: %[[B:.*]] = arith.remui %[[AB]], %[[N]]
    // CHECK: %[[A:.*]] = arith.divui %[[AB]], %[[N]]
    // CHECK: arith.muli %[[A]],
    // CHECK: arith.muli %[[B]],
    // CHECK: arith.muli %[[C]],
    %z = arith.constant 0.0 : f32
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %n = memref.dim %y, %c1 : memref<2x?x?x5x7xf32>
    %m = memref.dim %y, %c2 : memref<2x?x?x5x7xf32>
    scf.forall (%a, %b, %c) in (2, %n, %m) {
      scf.forall (%d, %e) in (5, 7) {
        memref.store %z, %y[%a, %b, %c, %d, %e] : memref<2x?x?x5x7xf32>
      }
    }
    return
  }
}

// LLVM-NOT: memref.
// LLVM-NOT: unrealized_conversion_cast
