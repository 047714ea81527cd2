// RUN: infini-opt %s --split-input-file --verify-diagnostics -pass-pipeline='builtin.module(func.func(tile-assign-layouts))'
// RUN: not infini-opt %s --split-input-file -pass-pipeline='builtin.module(func.func(tile-assign-layouts{warps=3}))' 2>&1 | FileCheck %s --check-prefix=THREE
// RUN: not infini-opt %s --split-input-file -pass-pipeline='builtin.module(func.func(tile-assign-layouts{warps=-4}))' 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not infini-opt %s --split-input-file -pass-pipeline='builtin.module(func.func(tile-assign-layouts{warps=64}))' 2>&1 | FileCheck %s --check-prefix=MANY

// THREE: error: expected option 'warps' to be a power of two up to 32, got 3
// NEGATIVE: error: expected option 'warps' to be a power of two up to 32, got -4
// MANY: error: expected option 'warps' to be a power of two up to 32, got 64

// Loops carry tiles; other control flow does not. (That without results may store them.)
func.func @branch(%a: memref<4xf32>, %o: memref<4xf32>, %p: i1) {
  %x = tile.load %a[0] dims [0] : memref<4xf32> -> tensor<4xf32>
  %z = arith.constant dense<0.0> : tensor<4xf32>
  // expected-error@+1 {{'scf.if' op has no form on layouts: expected a loop, a branch without results, or an op with one result}}
  %c = scf.if %p -> tensor<4xf32> {
    scf.yield %x : tensor<4xf32>
  } else {
    scf.yield %z : tensor<4xf32>
  }
  tile.store %c, %o[0] dims [0] : tensor<4xf32>, memref<4xf32>
  return
}

// -----

func.func @while(%a: memref<4xf32>, %o: memref<4xf32>, %p: i1) {
  %x = tile.load %a[0] dims [0] : memref<4xf32> -> tensor<4xf32>
  // expected-error@+1 {{'scf.while' op has no form on layouts: expected a loop, a branch without results, or an op with one result}}
  %y = scf.while (%t = %x) : (tensor<4xf32>) -> tensor<4xf32> {
    scf.condition(%p) %t : tensor<4xf32>
  } do {
  ^bb0(%t: tensor<4xf32>):
    scf.yield %t : tensor<4xf32>
  }
  tile.store %y, %o[0] dims [0] : tensor<4xf32>, memref<4xf32>
  return
}

// -----

// An op that asks for a tile, but for none in particular.
func.func @extract(%a: memref<4xf32>, %o: memref<4xf32>, %i: index) {
  // expected-error@+1 {{'tile.load' op has a tile that no op with a layout uses}}
  %x = tile.load %a[0] dims [0] : memref<4xf32> -> tensor<4xf32>
  %e = tensor.extract %x[%i] : tensor<4xf32>
  memref.store %e, %o[%i] : memref<4xf32>
  return
}

// -----

// expected-error@+1 {{'func.func' op expected buffers and scalars as arguments}}
func.func @argument(%t: tensor<4xf32>, %o: memref<4xf32>) {
  tile.store %t, %o[0] dims [0] : tensor<4xf32>, memref<4xf32>
  return
}

// -----

func.func @several_numbers(%o: memref<4xf32>) {
  // expected-error@+1 {{'arith.constant' op expected a tile of one number, got dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]> : tensor<4xf32>}}
  %c = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  tile.store %c, %o[0] dims [0] : tensor<4xf32>, memref<4xf32>
  return
}

// -----

func.func @no_elements(%a: memref<4x0xf32>, %o: memref<4x0xf32>) {
  // expected-error@+1 {{'tile.load' op expected tiles with elements, got 'tensor<4x0xf32>'}}
  %x = tile.load %a[0, 0] dims [0, 1] : memref<4x0xf32> -> tensor<4x0xf32>
  tile.store %x, %o[0, 0] dims [0, 1] : tensor<4x0xf32>, memref<4x0xf32>
  return
}

// -----

#l = #tile.layout<lane = [0:1, 0:2, _, _, _], warp = [_, _], register = [], repeat = [1]>

func.func @has_layout(%a: memref<4xf32>, %o: memref<4xf32>) {
  // expected-error@+1 {{'tile.load' op expected tiles without a layout, got 'tensor<4xf32, #tile.layout<lane = [0:1, 0:2, _, _, _], warp = [_, _], register = [], repeat = [1]>>'}}
  %x = tile.load %a[0] dims [0] : memref<4xf32> -> tensor<4xf32, #l>
  tile.store %x, %o[0] dims [0] : tensor<4xf32, #l>, memref<4xf32>
  return
}

// -----

#s = #tile.shared<pitch = 64>

func.func @has_shared_factors(%a: memref<16x16xf32, #s>, %o: memref<16x16xf32>) {
  %z = arith.constant dense<0.0> : tensor<16x16xf32>
  // expected-error@+1 {{'tile.dot' op expected factors that are tiles}}
  %x = tile.dot %a, %a, %z : memref<16x16xf32, #s>, memref<16x16xf32, #s> into tensor<16x16xf32>
  tile.store %x, %o[0, 0] dims [0, 1] : tensor<16x16xf32>, memref<16x16xf32>
  return
}

// -----

func.func @slice_from_anywhere(%a: memref<8x8xf32>, %o: memref<8x4xf32>, %i: index) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<8x8xf32> -> tensor<8x8xf32>
  // expected-error@+1 {{'tensor.extract_slice' op expected a slice with static offsets and sizes, and strides of 1}}
  %y = tensor.extract_slice %x[0, %i] [8, 4] [1, 1] : tensor<8x8xf32> to tensor<8x4xf32>
  tile.store %y, %o[0, 0] dims [0, 1] : tensor<8x4xf32>, memref<8x4xf32>
  return
}

// -----

func.func @slice_of_every_second(%a: memref<8x8xf32>, %o: memref<4x8xf32>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<8x8xf32> -> tensor<8x8xf32>
  // expected-error@+1 {{'tensor.extract_slice' op expected a slice with static offsets and sizes, and strides of 1}}
  %y = tensor.extract_slice %x[0, 0] [4, 8] [2, 1] : tensor<8x8xf32> to tensor<4x8xf32>
  tile.store %y, %o[0, 0] dims [0, 1] : tensor<4x8xf32>, memref<4x8xf32>
  return
}
