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
  // expected-error@+1 {{has no form on layouts}}
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
  // expected-error@+1 {{has no form on layouts}}
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
