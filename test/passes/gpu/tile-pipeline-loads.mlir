// RUN: infini-opt %s -pass-pipeline='builtin.module(func.func(tile-pipeline-loads,canonicalize))' --split-input-file | FileCheck %s
// RUN: infini-opt %s -pass-pipeline='builtin.module(func.func(tile-pipeline-loads{stages=3},canonicalize))' --split-input-file | FileCheck %s --check-prefix=THREE

// With one stage, and where the rings would be too large (2 × 16 KiB here),
// loops stay as they are.
// RUN: infini-opt %s -pass-pipeline='builtin.module(func.func(canonicalize))' --split-input-file -o %t.before
// RUN: infini-opt %s -pass-pipeline='builtin.module(func.func(tile-pipeline-loads{stages=1},canonicalize))' --split-input-file | cmp - %t.before
// RUN: infini-opt %s -pass-pipeline='builtin.module(func.func(tile-pipeline-loads{bytes=16383},canonicalize))' --split-input-file | cmp - %t.before
// RUN: infini-opt %s -pass-pipeline='builtin.module(func.func(tile-pipeline-loads{bytes=32768},canonicalize))' --split-input-file | FileCheck %s

#s = #tile.shared<pitch = 128, mask = 7>
#d = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:16, 0:32], register = [1:1, 0:8], repeat = [1, 8]>

// Two buffers become two rings. The first round's copies start before the loop,
// if there is a round; each round waits for its own, lets all threads see them,
// starts the next round's, and reads its slot.
// CHECK-LABEL: func @product
// CHECK-SAME: (%[[A:.*]]: memref<64x?xbf16>, %[[B:.*]]: memref<?x64xbf16>, %{{.*}}: tensor<{{.*}}>, %[[FROM:.*]]: index, %[[TO:.*]]: index)
// CHECK: %[[RA:.*]] = tile.alloc : memref<2x64x64xbf16, #tile.shared<pitch = 128, mask = 7>>
// CHECK: %[[RB:.*]] = tile.alloc : memref<2x64x64xbf16, #tile.shared<pitch = 128, mask = 7>>
// CHECK: %[[ANY:.*]] = arith.cmpi slt, %[[FROM]], %[[TO]]
// CHECK: scf.if %[[ANY]] {
// CHECK:   %[[LEFT:.*]] = arith.subi %[[TO]], %[[FROM]]
// CHECK:   %[[A0:.*]] = tile.slot %[[RA]][%c0]
// CHECK:   tile.copy_async %[[A]][0, %[[FROM]]] dims [0, 1] valid [64, %[[LEFT]]] into %[[A0]]
// CHECK:   %[[B0:.*]] = tile.slot %[[RB]][%c0]
// CHECK:   tile.copy_async %[[B]][%[[FROM]], 0] dims [0, 1] valid [%[[LEFT]], 64] into %[[B0]]
// CHECK: }
// One group a round, also where it is empty.
// CHECK: tile.commit_copies
// CHECK-NOT: tile.commit_copies
// CHECK: scf.for %[[I:.*]] = %[[FROM]] to %[[TO]] step %c64
// CHECK-NEXT: tile.wait_copies 0
// CHECK-NEXT: tile.barrier
// CHECK: %[[DONE:.*]] = arith.subi %[[I]], %[[FROM]]
// CHECK: %[[ROUND:.*]] = arith.divui %[[DONE]], %c64
// CHECK: %[[NEXT:.*]] = arith.addi %[[ROUND]], %c1
// CHECK: %[[J:.*]] = arith.addi %[[I]], %c64
// CHECK: %[[MORE:.*]] = arith.cmpi slt, %[[J]], %[[TO]]
// CHECK: scf.if %[[MORE]] {
// CHECK:   %[[LATER:.*]] = arith.subi %[[TO]], %[[J]]
// CHECK:   %[[N:.*]] = arith.remui %[[NEXT]], %c2
// CHECK:   %[[A1:.*]] = tile.slot %[[RA]][%[[N]]]
// CHECK:   tile.copy_async %[[A]][0, %[[J]]] dims [0, 1] valid [64, %[[LATER]]] into %[[A1]]
// CHECK:   tile.slot %[[RB]][%[[N]]]
// CHECK:   tile.copy_async %[[B]][%[[J]], 0]
// CHECK: }
// CHECK: tile.commit_copies
// CHECK: %[[K:.*]] = arith.remui %[[ROUND]], %c2
// CHECK: %[[X:.*]] = tile.slot %[[RA]][%[[K]]]
// CHECK: %[[Y:.*]] = tile.slot %[[RB]][%[[K]]]
// CHECK: tile.dot %[[X]], %[[Y]], %{{.*}}
// CHECK-NOT: tile.wait_copies
// CHECK: return

// Three: two rounds start before the loop, and one group is on its way while a
// round waits for its own.
// THREE-LABEL: func @product
// THREE-COUNT-2: tile.alloc : memref<3x64x64xbf16
// THREE-NOT: tile.alloc
// THREE-COUNT-2: scf.if
// THREE: tile.commit_copies
// THREE: scf.for
// THREE-NEXT: tile.wait_copies 1
// THREE-NEXT: tile.barrier
// THREE: arith.addi %{{.*}}, %c128
// THREE: scf.if
// THREE: arith.remui %{{.*}}, %c3
// THREE: tile.commit_copies
// THREE: arith.remui %{{.*}}, %c3
// THREE: tile.dot
// THREE-NOT: tile.wait_copies
// THREE: return
func.func @product(%a: memref<64x?xbf16>, %b: memref<?x64xbf16>, %z: tensor<64x64xf32, #d>, %from: index, %to: index) -> tensor<64x64xf32, #d> {
  %c64 = arith.constant 64 : index
  %r = scf.for %i = %from to %to step %c64 iter_args(%acc = %z) -> tensor<64x64xf32, #d> {
    %rest = arith.subi %to, %i : index
    %x = tile.alloc : memref<64x64xbf16, #s>
    tile.copy_async %a[0, %i] dims [0, 1] valid [64, %rest] into %x : memref<64x?xbf16> into memref<64x64xbf16, #s>
    tile.commit_copies
    tile.wait_copies 0
    %y = tile.alloc : memref<64x64xbf16, #s>
    tile.copy_async %b[%i, 0] dims [0, 1] valid [%rest, 64] into %y : memref<?x64xbf16> into memref<64x64xbf16, #s>
    tile.commit_copies
    tile.wait_copies 0
    %d = tile.dot %x, %y, %acc : memref<64x64xbf16, #s>, memref<64x64xbf16, #s> into tensor<64x64xf32, #d>
    scf.yield %d : tensor<64x64xf32, #d>
  }
  return %r : tensor<64x64xf32, #d>
}

// -----

#s = #tile.shared<pitch = 128, mask = 7>
#d = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:16, 0:32], register = [1:1, 0:8], repeat = [1, 8]>

// Where a copy's place depends on what the loop carries or loads, nothing can
// start early.
// CHECK-LABEL: func @carried_place
// CHECK-NOT: memref<2x64x64xbf16
// CHECK: return
// THREE-LABEL: func @carried_place
// THREE-NOT: memref<3x64x64xbf16
// THREE: return
func.func @carried_place(%a: memref<?x64xbf16>, %z: tensor<64x64xf32, #d>, %n: index) -> tensor<64x64xf32, #d> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r, %p = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %z, %place = %c0) -> (tensor<64x64xf32, #d>, index) {
    %x = tile.alloc : memref<64x64xbf16, #s>
    tile.copy_async %a[%place, 0] dims [0, 1] into %x : memref<?x64xbf16> into memref<64x64xbf16, #s>
    tile.commit_copies
    tile.wait_copies 0
    %d = tile.dot %x, %x, %acc : memref<64x64xbf16, #s>, memref<64x64xbf16, #s> into tensor<64x64xf32, #d>
    %next = arith.addi %place, %i : index
    scf.yield %d, %next : tensor<64x64xf32, #d>, index
  }
  return %r : tensor<64x64xf32, #d>
}

// -----

#s = #tile.shared<pitch = 128, mask = 7>
#d = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:16, 0:32], register = [1:1, 0:8], repeat = [1, 8]>

// A copy that is not waited for at once is somebody else's; so is a buffer of
// an outer loop.
// CHECK-LABEL: func @other
// CHECK-NOT: memref<2x64x64xbf16
// CHECK: return
// THREE-LABEL: func @other
// THREE-NOT: memref<3x64x64xbf16
// THREE: return
func.func @other(%a: memref<?x64xbf16>, %z: tensor<64x64xf32, #d>, %n: index) {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %x = tile.alloc : memref<64x64xbf16, #s>
  %r = scf.for %i = %c0 to %n step %c64 iter_args(%acc = %z) -> tensor<64x64xf32, #d> {
    tile.copy_async %a[%i, 0] dims [0, 1] into %x : memref<?x64xbf16> into memref<64x64xbf16, #s>
    tile.commit_copies
    tile.wait_copies 0
    %d = tile.dot %x, %x, %acc : memref<64x64xbf16, #s>, memref<64x64xbf16, #s> into tensor<64x64xf32, #d>
    scf.yield %d : tensor<64x64xf32, #d>
  }
  scf.for %i = %c0 to %n step %c64 {
    %y = tile.alloc : memref<64x64xbf16, #s>
    tile.copy_async %a[%i, 0] dims [0, 1] into %y : memref<?x64xbf16> into memref<64x64xbf16, #s>
    tile.commit_copies
    %d = tile.dot %x, %x, %z : memref<64x64xbf16, #s>, memref<64x64xbf16, #s> into tensor<64x64xf32, #d>
    tile.wait_copies 0
  }
  return
}

// -----

#s = #tile.shared<pitch = 128, mask = 7>
#d = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:16, 0:32], register = [1:1, 0:8], repeat = [1, 8]>

// Loops in loops: each has rings of its own; the inner one's are made in each
// round of the outer one.
// CHECK-LABEL: func @nested
// CHECK: %[[OUTER:.*]] = tile.alloc : memref<2x64x64xbf16
// CHECK: scf.for
// CHECK: tile.wait_copies 0
// CHECK-NEXT: tile.barrier
// CHECK: %[[INNER:.*]] = tile.alloc : memref<2x64x64xbf16
// CHECK: scf.for
// CHECK-NEXT: tile.wait_copies 0
// CHECK-NEXT: tile.barrier
// CHECK: tile.dot
func.func @nested(%a: memref<?x64xbf16>, %b: memref<?x64xbf16>, %z: tensor<64x64xf32, #d>, %n: index) {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  scf.for %i = %c0 to %n step %c64 {
    %x = tile.alloc : memref<64x64xbf16, #s>
    tile.copy_async %a[%i, 0] dims [0, 1] into %x : memref<?x64xbf16> into memref<64x64xbf16, #s>
    tile.commit_copies
    tile.wait_copies 0
    %r = scf.for %j = %c0 to %i step %c64 iter_args(%acc = %z) -> tensor<64x64xf32, #d> {
      %y = tile.alloc : memref<64x64xbf16, #s>
      tile.copy_async %b[%j, 0] dims [0, 1] into %y : memref<?x64xbf16> into memref<64x64xbf16, #s>
      tile.commit_copies
      tile.wait_copies 0
      %d = tile.dot %x, %y, %acc : memref<64x64xbf16, #s>, memref<64x64xbf16, #s> into tensor<64x64xf32, #d>
      scf.yield %d : tensor<64x64xf32, #d>
    }
  }
  return
}

// -----

#s = #tile.shared<pitch = 128, mask = 7>
#d = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:16, 0:32], register = [1:1, 0:8], repeat = [1, 8]>

// What the kernel stores to, also by way of a view, is not read early.
// CHECK-LABEL: func @stored
// CHECK-NOT: memref<2x64x64xbf16
// CHECK: return
// THREE-LABEL: func @stored
// THREE-NOT: memref<3x64x64xbf16
// THREE: return
func.func @stored(%a: memref<4x64x64xbf16>, %z: tensor<64x64xf32, #d>) {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %c192 = arith.constant 192 : index
  %v = memref.collapse_shape %a [[0, 1], [2]] : memref<4x64x64xbf16> into memref<256x64xbf16>
  scf.for %i = %c0 to %c192 step %c64 {
    %x = tile.alloc : memref<64x64xbf16, #s>
    tile.copy_async %v[%i, 0] dims [0, 1] into %x : memref<256x64xbf16> into memref<64x64xbf16, #s>
    tile.commit_copies
    tile.wait_copies 0
    %d = tile.dot %x, %x, %z : memref<64x64xbf16, #s>, memref<64x64xbf16, #s> into tensor<64x64xf32, #d>
    %e = arith.truncf %d : tensor<64x64xf32, #d> to tensor<64x64xbf16, #d>
    tile.store %e, %a[3, 0, 0] dims [1, 2] : tensor<64x64xbf16, #d>, memref<4x64x64xbf16>
  }
  return
}
