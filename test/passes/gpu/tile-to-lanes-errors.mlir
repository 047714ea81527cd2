// RUN: infini-opt %s --split-input-file --verify-diagnostics -tile-to-lanes

// What the passes before have not made ready.

#c = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:16, 0:32], register = [1:1, 0:8], repeat = [1, 2]>
#w = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [1:8, _], register = [1:1, 0:8], repeat = [4, 1]>

// No renaming of registers.
func.func @moves(%x: memref<64x16xf32>) {
  %t = tile.load %x[0, 0] dims [0, 1] : memref<64x16xf32> -> tensor<64x16xf32, #c>
  // expected-error@+1 {{'tile.convert_layout' op expected layouts by which no thread needs an element of another one's, got #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:16, 0:32], register = [1:1, 0:8], repeat = [1, 2]> of the source and #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [1:8, _], register = [1:1, 0:8], repeat = [4, 1]> of the result}}
  %y = tile.convert_layout %t : tensor<64x16xf32, #c> -> tensor<64x16xf32, #w>
  tile.store %y, %x[0, 0] dims [0, 1] : tensor<64x16xf32, #w>, memref<64x16xf32>
  return
}

// -----

// No place: tile-allocate-shared has not run.
func.func @no_place() {
  // expected-error@+1 {{failed to legalize operation 'tile.alloc'}}
  %a = tile.alloc : memref<4x4xf32, #tile.shared<pitch = 16>>
  return
}

// -----

#s = #tile.shared<pitch = 64>

// No number of threads: infini-kernel-to-blocks has not run.
func.func @no_threads(%x: memref<64x16xf32>) {
  %a = tile.alloc {offset = 0 : i64} : memref<64x16xf32, #s>
  // expected-error@+1 {{failed to legalize operation 'tile.copy_async'}}
  tile.copy_async %x[0, 0] dims [0, 1] into %a : memref<64x16xf32> into memref<64x16xf32, #s>
  return
}

// -----

#s = #tile.shared<pitch = 64>

// Less than 4 bytes at once.
module attributes {program.threads = 128 : i64} {
  func.func @narrow(%x: memref<64x15xbf16>) {
    %a = tile.alloc {offset = 0 : i64} : memref<64x15xbf16, #s>
    // expected-error@+1 {{failed to legalize operation 'tile.copy_async'}}
    tile.copy_async %x[0, 0] dims [0, 1] into %a : memref<64x15xbf16> into memref<64x15xbf16, #s>
    return
  }
}

// -----

#c = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:16, 0:32], register = [1:1, 0:8], repeat = [1, 2]>
#r = #tile.layout<lane = [0:2, 0:4, _, _, _], warp = [_, _], register = [0:1], repeat = [2]>

// Warps along what is reduced.
func.func @between_warps(%x: memref<64x16xf32>, %o: memref<16xf32>) {
  %t = tile.load %x[0, 0] dims [0, 1] : memref<64x16xf32> -> tensor<64x16xf32, #c>
  %z = arith.constant dense<0.0> : tensor<16xf32, #r>
  // expected-error@+1 {{failed to legalize operation 'tile.reduce'}}
  %s = tile.reduce sum %t, %z axis 0 : tensor<64x16xf32, #c> into tensor<16xf32, #r>
  tile.store %s, %o[0] dims [0] : tensor<16xf32, #r>, memref<16xf32>
  return
}

// -----

#s = #tile.shared<pitch = 64, rows = 2, mask = 3>
#o = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [0:8, 0:16], register = [1:1, 1:2], repeat = [2, 1]>

// The instruction computes this product, but not in this layout.
func.func @other_layout(%x: memref<64x16xf32>) {
  %a = tile.alloc {offset = 0 : i64} : memref<64x32xbf16, #s>
  %b = tile.alloc {offset = 4096 : i64} : memref<32x16xbf16, #s>
  %z = arith.constant dense<0.0> : tensor<64x16xf32, #o>
  // expected-error@+1 {{failed to legalize operation 'tile.dot'}}
  %d = tile.dot %a, %b, %z : memref<64x32xbf16, #s>, memref<32x16xbf16, #s> into tensor<64x16xf32, #o>
  tile.store %d, %x[0, 0] dims [0, 1] : tensor<64x16xf32, #o>, memref<64x16xf32>
  return
}

// -----

#s = #tile.shared<pitch = 64, rows = 2, mask = 3>
#o = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [0:8, 0:16], register = [1:1, 1:2], repeat = [2, 1]>

// A factor of a plain product that lies in registers.
func.func @in_registers(%x: memref<64x16xf32>) {
  %a = tile.load %x[0, 0] dims [0, 1] : memref<64x16xf32> -> tensor<64x16xf32, #o>
  %b = tile.alloc {offset = 0 : i64} : memref<16x16xf32, #s>
  %z = arith.constant dense<0.0> : tensor<64x16xf32, #o>
  // expected-error@+1 {{failed to legalize operation 'tile.dot'}}
  %d = tile.dot %a, %b, %z : tensor<64x16xf32, #o>, memref<16x16xf32, #s> into tensor<64x16xf32, #o>
  tile.store %d, %x[0, 0] dims [0, 1] : tensor<64x16xf32, #o>, memref<64x16xf32>
  return
}

// -----

#v = #tile.layout<lane = [0:1, _, _, _, _], warp = [], register = [], repeat = [1]>

func.func @differs(%o: memref<2xf32>) {
  // expected-error@+1 {{failed to legalize operation 'arith.constant'}}
  %z = arith.constant dense<[1.0, 2.0]> : tensor<2xf32, #v>
  tile.store %z, %o[0] dims [0] : tensor<2xf32, #v>, memref<2xf32>
  return
}

// -----

// No layout: tile-assign-layouts has not run.
func.func @no_layout(%x: memref<64x16xf32>) {
  // expected-error@+1 {{'tile.load' op expected tiles with a layout, got 'tensor<64x16xf32>'}}
  %t = tile.load %x[0, 0] dims [0, 1] : memref<64x16xf32> -> tensor<64x16xf32>
  tile.store %t, %x[0, 0] dims [0, 1] : tensor<64x16xf32>, memref<64x16xf32>
  return
}
