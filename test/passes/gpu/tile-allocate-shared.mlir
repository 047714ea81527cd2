// RUN: infini-opt %s -tile-allocate-shared --split-input-file | FileCheck %s --implicit-check-not=tile.barrier

// Each barrier that is expected is in a CHECK line; no other one is there.

#s = #tile.shared<pitch = 128, mask = 7>
#d = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:16, 0:32], register = [1:1, 0:8], repeat = [1, 8]>

// Factors lie behind each other: both are there when the product reads them.
// One barrier for both, before it.
// CHECK: module attributes {program.shared_bytes = 16384 : i64}
// CHECK-LABEL: func @product
// CHECK: %[[X:.*]] = tile.alloc {offset = 0 : i64}
// CHECK: tile.wait_copies 0
// CHECK: %[[Y:.*]] = tile.alloc {offset = 8192 : i64}
// CHECK: tile.wait_copies 0
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.dot %[[X]], %[[Y]]
// A second product of the same needs none.
// CHECK-NEXT: tile.dot %[[Y]], %[[X]]
// CHECK-NEXT: return
func.func @product(%a: memref<64x64xbf16>, %b: memref<64x64xbf16>, %z: tensor<64x64xf32, #d>) -> tensor<64x64xf32, #d> {
  %x = tile.alloc : memref<64x64xbf16, #s>
  tile.copy_async %a[0, 0] dims [0, 1] into %x : memref<64x64xbf16> into memref<64x64xbf16, #s>
  tile.commit_copies
  tile.wait_copies 0
  %y = tile.alloc : memref<64x64xbf16, #s>
  tile.copy_async %b[0, 0] dims [0, 1] into %y : memref<64x64xbf16> into memref<64x64xbf16, #s>
  tile.commit_copies
  tile.wait_copies 0
  %d = tile.dot %x, %y, %z : memref<64x64xbf16, #s>, memref<64x64xbf16, #s> into tensor<64x64xf32, #d>
  %e = tile.dot %y, %x, %d : memref<64x64xbf16, #s>, memref<64x64xbf16, #s> into tensor<64x64xf32, #d>
  return %e : tensor<64x64xf32, #d>
}

// -----

#s = #tile.shared<pitch = 256, mask = 7>
#l = #tile.layout<lane = [1:4, 1:8, 1:16, 1:32, 0:1], warp = [0:2, 0:4], register = [1:1, 1:2], repeat = [2, 1]>
#m = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [1:8, 1:16], register = [1:1, 0:8], repeat = [1, 2]>

// The second tile goes where the first was: it is written when all have read
// that. Written, read; read, written; written, read.
// CHECK: module attributes {program.shared_bytes = 4096 : i64}
// CHECK-LABEL: func @in_turn
// CHECK: tile.alloc {offset = 0 : i64}
// CHECK-NEXT: tile.write
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.read
// CHECK-NEXT: tile.alloc {offset = 0 : i64}
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.write
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.read
func.func @in_turn(%x: tensor<16x64xf32, #l>, %y: tensor<16x64xf32, #l>) -> (tensor<16x64xf32, #m>, tensor<16x64xf32, #m>) {
  %a = tile.alloc : memref<16x64xf32, #s>
  tile.write %x, %a[0, 0] : tensor<16x64xf32, #l>, memref<16x64xf32, #s>
  %0 = tile.read %a[0, 0] : memref<16x64xf32, #s> -> tensor<16x64xf32, #m>
  %b = tile.alloc : memref<16x64xf32, #s>
  tile.write %y, %b[0, 0] : tensor<16x64xf32, #l>, memref<16x64xf32, #s>
  %1 = tile.read %b[0, 0] : memref<16x64xf32, #s> -> tensor<16x64xf32, #m>
  return %0, %1 : tensor<16x64xf32, #m>, tensor<16x64xf32, #m>
}

// -----

#s = #tile.shared<pitch = 256, mask = 7>
#l = #tile.layout<lane = [1:4, 1:8, 1:16, 1:32, 0:1], warp = [0:2, 0:4], register = [1:1, 1:2], repeat = [2, 1]>
#m = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [1:8, 1:16], register = [1:1, 0:8], repeat = [1, 2]>

// Both are alive when the first is read: places of their own, and one barrier.
// CHECK: module attributes {program.shared_bytes = 8192 : i64}
// CHECK-LABEL: func @at_once
// CHECK: tile.alloc {offset = 0 : i64}
// CHECK: tile.alloc {offset = 4096 : i64}
// CHECK: tile.write
// CHECK-NEXT: tile.write
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.read
// CHECK-NEXT: tile.read
func.func @at_once(%x: tensor<16x64xf32, #l>, %y: tensor<16x64xf32, #l>) -> (tensor<16x64xf32, #m>, tensor<16x64xf32, #m>) {
  %a = tile.alloc : memref<16x64xf32, #s>
  %b = tile.alloc : memref<16x64xf32, #s>
  tile.write %x, %a[0, 0] : tensor<16x64xf32, #l>, memref<16x64xf32, #s>
  tile.write %y, %b[0, 0] : tensor<16x64xf32, #l>, memref<16x64xf32, #s>
  %0 = tile.read %a[0, 0] : memref<16x64xf32, #s> -> tensor<16x64xf32, #m>
  %1 = tile.read %b[0, 0] : memref<16x64xf32, #s> -> tensor<16x64xf32, #m>
  return %0, %1 : tensor<16x64xf32, #m>, tensor<16x64xf32, #m>
}

// -----

#s = #tile.shared<pitch = 256, mask = 7>
#l = #tile.layout<lane = [1:4, 1:8, 1:16, 1:32, 0:1], warp = [0:2, 0:4], register = [1:1, 1:2], repeat = [2, 1]>
#m = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [1:8, 1:16], register = [1:1, 0:8], repeat = [1, 2]>

// A round writes what the round before has read; so the first barrier is in
// the loop too, and one behind the write. Behind the loop, none: another place.
// The buffer that is read behind the loop is alive all through it.
// CHECK: module attributes {program.shared_bytes = 8192 : i64}
// CHECK-LABEL: func @loop
// CHECK: tile.alloc {offset = 0 : i64}
// CHECK-NEXT: tile.write
// CHECK-NEXT: scf.for
// CHECK-NEXT: tile.alloc {offset = 4096 : i64}
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.write
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.read
// CHECK: }
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.read
func.func @loop(%x: tensor<16x64xf32, #l>, %y: tensor<16x64xf32, #l>, %z: tensor<16x64xf32, #m>, %n: index)
    -> (tensor<16x64xf32, #m>, tensor<16x64xf32, #m>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = tile.alloc : memref<16x64xf32, #s>
  tile.write %x, %a[0, 0] : tensor<16x64xf32, #l>, memref<16x64xf32, #s>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %z) -> tensor<16x64xf32, #m> {
    %b = tile.alloc : memref<16x64xf32, #s>
    tile.write %y, %b[0, 0] : tensor<16x64xf32, #l>, memref<16x64xf32, #s>
    %t = tile.read %b[0, 0] : memref<16x64xf32, #s> -> tensor<16x64xf32, #m>
    %s = arith.addf %acc, %t : tensor<16x64xf32, #m>
    scf.yield %s : tensor<16x64xf32, #m>
  }
  %0 = tile.read %a[0, 0] : memref<16x64xf32, #s> -> tensor<16x64xf32, #m>
  return %0, %r : tensor<16x64xf32, #m>, tensor<16x64xf32, #m>
}

// -----

#s = #tile.shared<pitch = 128, mask = 7>
#d = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:16, 0:32], register = [1:1, 0:8], repeat = [1, 8]>

// A ring, as tile-pipeline-loads leaves it: its own barrier is enough, in the
// loop and before it.
// CHECK: module attributes {program.shared_bytes = 16384 : i64}
// CHECK-LABEL: func @ring
// CHECK: tile.alloc {offset = 0 : i64} : memref<2x64x64xbf16
// CHECK: scf.for
// CHECK-NEXT: tile.wait_copies 0
// CHECK-NEXT: tile.barrier
// CHECK: tile.dot
func.func @ring(%a: memref<?x64xbf16>, %z: tensor<64x64xf32, #d>, %n: index) -> tensor<64x64xf32, #d> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %ring = tile.alloc : memref<2x64x64xbf16, #s>
  %first = tile.slot %ring[%c0] : memref<2x64x64xbf16, #s> -> memref<64x64xbf16, #s>
  tile.copy_async %a[0, 0] dims [0, 1] into %first : memref<?x64xbf16> into memref<64x64xbf16, #s>
  tile.commit_copies
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %z) -> tensor<64x64xf32, #d> {
    tile.wait_copies 0
    tile.barrier
    %next = arith.addi %i, %c1 : index
    %k = arith.remui %next, %c2 : index
    %later = tile.slot %ring[%k] : memref<2x64x64xbf16, #s> -> memref<64x64xbf16, #s>
    tile.copy_async %a[%next, 0] dims [0, 1] into %later : memref<?x64xbf16> into memref<64x64xbf16, #s>
    tile.commit_copies
    %m = arith.remui %i, %c2 : index
    %now = tile.slot %ring[%m] : memref<2x64x64xbf16, #s> -> memref<64x64xbf16, #s>
    %d = tile.dot %now, %now, %acc : memref<64x64xbf16, #s>, memref<64x64xbf16, #s> into tensor<64x64xf32, #d>
    scf.yield %d : tensor<64x64xf32, #d>
  }
  return %r : tensor<64x64xf32, #d>
}

// -----

#s = #tile.shared<pitch = 16>
#big = #tile.shared<pitch = 256, mask = 7>
#l = #tile.layout<lane = [0:1, 0:2, _, _, _], warp = [_, _], register = [], repeat = [1]>
#m = #tile.layout<lane = [1:4, 1:8, 1:16, 1:32, 0:1], warp = [0:2, 0:4], register = [1:1, 1:2], repeat = [2, 1]>

// Places are multiples of 128 bytes, the largest buffer's first. One that is
// dead by then lies at the same place, one that is not behind it: it is written
// without waiting, the large one when all have read what was there.
// CHECK: module attributes {program.shared_bytes = 4224 : i64}
// CHECK-LABEL: func @sizes
// CHECK: %[[A:.*]] = tile.alloc {offset = 0 : i64} : memref<4xf32
// CHECK-NEXT: tile.write %{{.*}}, %[[A]]
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.read %[[A]]
// CHECK-NEXT: %[[B:.*]] = tile.alloc {offset = 0 : i64} : memref<16x64xf32
// CHECK-NEXT: %[[C:.*]] = tile.alloc {offset = 4096 : i64} : memref<4xf32
// CHECK-NEXT: tile.write %{{.*}}, %[[C]]
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.write %{{.*}}, %[[B]]
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.read %[[B]]
// CHECK-NEXT: tile.read %[[C]]
func.func @sizes(%x: tensor<4xf32, #l>, %y: tensor<16x64xf32, #m>) {
  %a = tile.alloc : memref<4xf32, #s>
  tile.write %x, %a[0] : tensor<4xf32, #l>, memref<4xf32, #s>
  %0 = tile.read %a[0] : memref<4xf32, #s> -> tensor<4xf32, #l>
  %b = tile.alloc : memref<16x64xf32, #big>
  %c = tile.alloc : memref<4xf32, #s>
  tile.write %x, %c[0] : tensor<4xf32, #l>, memref<4xf32, #s>
  tile.write %y, %b[0, 0] : tensor<16x64xf32, #m>, memref<16x64xf32, #big>
  %1 = tile.read %b[0, 0] : memref<16x64xf32, #big> -> tensor<16x64xf32, #m>
  %2 = tile.read %c[0] : memref<4xf32, #s> -> tensor<4xf32, #l>
  return
}

// -----

#s = #tile.shared<pitch = 16>
#l = #tile.layout<lane = [0:1, 0:2, _, _, _], warp = [_, _], register = [], repeat = [1]>

// What one side of a branch wrote, is written as far as the other side knows.
// CHECK-LABEL: func @branch
// CHECK: scf.if
// CHECK-NEXT: tile.write
// CHECK: }
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.read
func.func @branch(%x: tensor<4xf32, #l>, %p: i1) {
  %a = tile.alloc : memref<4xf32, #s>
  scf.if %p {
    tile.write %x, %a[0] : tensor<4xf32, #l>, memref<4xf32, #s>
  }
  %0 = tile.read %a[0] : memref<4xf32, #s> -> tensor<4xf32, #l>
  return
}

// -----

// A kernel without shared memory needs none; of several functions the largest
// counts.
// CHECK: module attributes {program.shared_bytes = 256 : i64}
#s = #tile.shared<pitch = 256>
func.func private @declared()
func.func @none() {
  return
}
func.func @some() {
  %a = tile.alloc : memref<64xf32, #s>
  return
}

// -----

#l = #tile.layout<lane = [1:4, 1:8, 1:16, 1:32, 0:1], warp = [0:2, 0:4], register = [1:1, 1:2], repeat = [2, 1]>
#m = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [1:8, 1:16], register = [1:1, 0:8], repeat = [1, 2]>

// Global memory that a kernel stores and loads is another's, too: between store
// and load, and between a load and what is stored over it. A buffer that is only
// loaded, or only stored, needs nothing.
// CHECK: module attributes {program.shared_bytes = 0 : i64}
// CHECK-LABEL: func @global
// CHECK: tile.load %arg0
// CHECK-NEXT: tile.store %{{.*}}, %arg1
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.load %arg1
// CHECK-NEXT: tile.store %{{.*}}, %arg2
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.store %{{.*}}, %arg1
// CHECK-NEXT: return
func.func @global(%a: memref<16x64xf32>, %b: memref<16x64xf32>, %c: memref<16x64xf32>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<16x64xf32> -> tensor<16x64xf32, #l>
  tile.store %x, %b[0, 0] dims [0, 1] : tensor<16x64xf32, #l>, memref<16x64xf32>
  %y = tile.load %b[0, 0] dims [0, 1] : memref<16x64xf32> -> tensor<16x64xf32, #m>
  tile.store %y, %c[0, 0] dims [0, 1] : tensor<16x64xf32, #m>, memref<16x64xf32>
  tile.store %x, %b[0, 0] dims [0, 1] : tensor<16x64xf32, #l>, memref<16x64xf32>
  return
}
