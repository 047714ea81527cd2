// RUN: infini-opt %s --split-input-file --verify-diagnostics -tile-to-lanes

// Tiles of one op whose layouts do not fit each other: registers would be taken
// for others. Both layouts are named. Most element-wise ops, loops, and
// branches demand equal types already.

#a = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [2]>
#b = #tile.layout<lane = [0:2, 0:4, 0:8, 0:16, 0:32], warp = [], register = [0:1], repeat = [1]>

func.func @add(%x: memref<64xf32>) {
  %s = tile.load %x[0] dims [0] : memref<64xf32> -> tensor<64xf32, #a>
  %t = tile.load %x[0] dims [0] : memref<64xf32> -> tensor<64xf32, #b>
  // expected-error@+1 {{'arith.addf' op requires the same encoding for all operands and results}}
  %y = "arith.addf"(%s, %t) : (tensor<64xf32, #a>, tensor<64xf32, #b>) -> tensor<64xf32, #b>
  tile.store %y, %x[0] dims [0] : tensor<64xf32, #b>, memref<64xf32>
  return
}

// -----

#a = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [2]>
#b = #tile.layout<lane = [0:2, 0:4, 0:8, 0:16, 0:32], warp = [], register = [0:1], repeat = [1]>

func.func @power(%x: memref<64xf32>, %e: memref<64xi32>) {
  %s = tile.load %x[0] dims [0] : memref<64xf32> -> tensor<64xf32, #a>
  %t = tile.load %e[0] dims [0] : memref<64xi32> -> tensor<64xi32, #b>
  // expected-error@+1 {{'math.fpowi' op expected operand 1 to have the result's layout, #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [2]>, got #tile.layout<lane = [0:2, 0:4, 0:8, 0:16, 0:32], warp = [], register = [0:1], repeat = [1]>}}
  %y = math.fpowi %s, %t : tensor<64xf32, #a>, tensor<64xi32, #b>
  tile.store %y, %x[0] dims [0] : tensor<64xf32, #a>, memref<64xf32>
  return
}

// -----

#a = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [2]>
#b = #tile.layout<lane = [0:2, 0:4, 0:8, 0:16, 0:32], warp = [], register = [0:1], repeat = [1]>

func.func @gathered(%x: memref<64xf32>, %y: memref<64xf32>) {
  %i = tile.index axis 0 : tensor<64xindex, #a>
  // expected-error@+1 {{'tile.gather' op expected operand 1 to have the result's layout, #tile.layout<lane = [0:2, 0:4, 0:8, 0:16, 0:32], warp = [], register = [0:1], repeat = [1]>, got #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [2]>}}
  %t = tile.gather %x[%i] : memref<64xf32>, tensor<64xindex, #a> -> tensor<64xf32, #b>
  tile.store %t, %y[0] dims [0] : tensor<64xf32, #b>, memref<64xf32>
  return
}

// -----

#a = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [2]>
#b = #tile.layout<lane = [0:2, 0:4, 0:8, 0:16, 0:32], warp = [], register = [0:1], repeat = [1]>

func.func @carried(%x: memref<64xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %s = tile.load %x[0] dims [0] : memref<64xf32> -> tensor<64xf32, #a>
  %t = tile.load %x[0] dims [0] : memref<64xf32> -> tensor<64xf32, #b>
  // expected-error@+1 {{'scf.for' op 0-th region iter_arg and 0-th yielded value have different type: 'tensor<64xf32, #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [2]>>' != 'tensor<64xf32, #tile.layout<lane = [0:2, 0:4, 0:8, 0:16, 0:32], warp = [], register = [0:1], repeat = [1]>>'}}
  %r = scf.for %i = %c0 to %n step %n iter_args(%q = %s) -> tensor<64xf32, #a> {
    scf.yield %t : tensor<64xf32, #b>
  }
  tile.store %r, %x[0] dims [0] : tensor<64xf32, #a>, memref<64xf32>
  return
}

// -----

#a = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [2]>
#b = #tile.layout<lane = [0:2, 0:4, 0:8, 0:16, 0:32], warp = [], register = [0:1], repeat = [1]>

func.func @started(%x: memref<64xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %s = tile.load %x[0] dims [0] : memref<64xf32> -> tensor<64xf32, #a>
  // expected-error@+1 {{'scf.for' op 0-th init and 0-th region iter_arg have different type: 'tensor<64xf32, #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [2]>>' != 'tensor<64xf32, #tile.layout<lane = [0:2, 0:4, 0:8, 0:16, 0:32], warp = [], register = [0:1], repeat = [1]>>'}}
  %r = "scf.for"(%c0, %n, %n, %s) ({
  ^bb0(%i: index, %q: tensor<64xf32, #b>):
    scf.yield %q : tensor<64xf32, #b>
  }) : (index, index, index, tensor<64xf32, #a>) -> tensor<64xf32, #b>
  tile.store %r, %x[0] dims [0] : tensor<64xf32, #b>, memref<64xf32>
  return
}

// -----

#a = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [2]>
#b = #tile.layout<lane = [0:2, 0:4, 0:8, 0:16, 0:32], warp = [], register = [0:1], repeat = [1]>

func.func @branch(%x: memref<64xf32>, %c: i1) {
  %s = tile.load %x[0] dims [0] : memref<64xf32> -> tensor<64xf32, #a>
  %t = tile.load %x[0] dims [0] : memref<64xf32> -> tensor<64xf32, #b>
  // expected-error@+1 {{'scf.if' op along control flow edge from Operation scf.yield to parent: successor operand type #0 'tensor<64xf32, #tile.layout<lane = [0:2, 0:4, 0:8, 0:16, 0:32], warp = [], register = [0:1], repeat = [1]>>' should match successor input type #0 'tensor<64xf32, #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [2]>>'}}
  %r = scf.if %c -> tensor<64xf32, #a> {
    // expected-note@+1 {{region branch point}}
    scf.yield %t : tensor<64xf32, #b>
  } else {
    scf.yield %s : tensor<64xf32, #a>
  }
  tile.store %r, %x[0] dims [0] : tensor<64xf32, #a>, memref<64xf32>
  return
}

// -----

#a = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [2]>
#n = #tile.layout<lane = [1:1, 1:2, 0:1, 0:2, 0:4], warp = [], register = [0:8, 0:16, 0:32], repeat = [1, 1]>

func.func @repeated(%x: memref<64xf32>, %y: memref<64x4xf32>) {
  %t = tile.load %x[0] dims [0] : memref<64xf32> -> tensor<64xf32, #a>
  // expected-error@+1 {{'tile.broadcast' op expected layouts by which no thread needs an element of another one's, got #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [2]> of the source and #tile.layout<lane = [1:1, 1:2, 0:1, 0:2, 0:4], warp = [], register = [0:8, 0:16, 0:32], repeat = [1, 1]> of the result}}
  %b = tile.broadcast %t along [1] : tensor<64xf32, #a> -> tensor<64x4xf32, #n>
  tile.store %b, %y[0, 0] dims [0, 1] : tensor<64x4xf32, #n>, memref<64x4xf32>
  return
}

// -----

#m = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [1:1, 1:2], repeat = [2, 1]>
#t = #tile.layout<lane = [1:1, 1:2, 1:4, 1:8, 0:1], warp = [], register = [0:2, 1:16, 1:32], repeat = [1, 1]>

func.func @turned(%x: memref<64x4xf32>, %y: memref<4x64xf32>) {
  %t = tile.load %x[0, 0] dims [0, 1] : memref<64x4xf32> -> tensor<64x4xf32, #m>
  // expected-error@+1 {{'tile.transpose' op expected layouts by which no thread needs an element of another one's, got #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [1:1, 1:2], repeat = [2, 1]> of the source and #tile.layout<lane = [1:1, 1:2, 1:4, 1:8, 0:1], warp = [], register = [0:2, 1:16, 1:32], repeat = [1, 1]> of the result}}
  %b = "tile.transpose"(%t) {permutation = array<i64: 1, 0>} : (tensor<64x4xf32, #m>) -> tensor<4x64xf32, #t>
  tile.store %b, %y[0, 0] dims [0, 1] : tensor<4x64xf32, #t>, memref<4x64xf32>
  return
}

// -----

#b = #tile.layout<lane = [0:2, 0:4, 0:8, 0:16, 0:32], warp = [], register = [0:1], repeat = [1]>
#m = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [1:1, 1:2], repeat = [2, 1]>

func.func @summed(%x: memref<64x4xf32>, %y: memref<64xf32>) {
  %t = tile.load %x[0, 0] dims [0, 1] : memref<64x4xf32> -> tensor<64x4xf32, #m>
  %z = arith.constant dense<0.0> : tensor<64xf32, #b>
  // expected-error@+1 {{'tile.reduce' op expected layouts by which no thread needs an element of another one's, got #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [1:1, 1:2], repeat = [2, 1]> of the source and #tile.layout<lane = [0:2, 0:4, 0:8, 0:16, 0:32], warp = [], register = [0:1], repeat = [1]> of the result}}
  %b = tile.reduce sum %t, %z axis 1 : tensor<64x4xf32, #m> into tensor<64xf32, #b>
  tile.store %b, %y[0] dims [0] : tensor<64xf32, #b>, memref<64xf32>
  return
}

// -----

// A slice that cuts what threads hold side by side.
#b = #tile.layout<lane = [0:2, 0:4, 0:8, 0:16, 0:32], warp = [], register = [0:1], repeat = [1]>
#c = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>

func.func @cut(%x: memref<64xf32>, %y: memref<32xf32>) {
  %t = tile.load %x[0] dims [0] : memref<64xf32> -> tensor<64xf32, #b>
  // expected-error@+1 {{'tensor.extract_slice' op expected layouts by which no thread needs an element of another one's, got #tile.layout<lane = [0:2, 0:4, 0:8, 0:16, 0:32], warp = [], register = [0:1], repeat = [1]> of the source and #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]> of the result}}
  %b = tensor.extract_slice %t[0] [32] [1] : tensor<64xf32, #b> to tensor<32xf32, #c>
  tile.store %b, %y[0] dims [0] : tensor<32xf32, #c>, memref<32xf32>
  return
}

// -----

// An offset between repeats.
#a = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [2]>
#c = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>

func.func @between(%x: memref<64xf32>, %y: memref<32xf32>) {
  %t = tile.load %x[0] dims [0] : memref<64xf32> -> tensor<64xf32, #a>
  // expected-error@+1 {{'tensor.extract_slice' op expected layouts by which no thread needs an element of another one's, got #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [2]> of the source and #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]> of the result}}
  %b = tensor.extract_slice %t[16] [32] [1] : tensor<64xf32, #a> to tensor<32xf32, #c>
  tile.store %b, %y[0] dims [0] : tensor<32xf32, #c>, memref<32xf32>
  return
}

// -----

#b = #tile.layout<lane = [0:2, 0:4, 0:8, 0:16, 0:32], warp = [], register = [0:1], repeat = [1]>
#c = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>

func.func @put(%x: memref<64xf32>, %y: memref<32xf32>) {
  %t = tile.load %x[0] dims [0] : memref<64xf32> -> tensor<64xf32, #b>
  %s = tile.load %y[0] dims [0] : memref<32xf32> -> tensor<32xf32, #c>
  // expected-error@+1 {{'tensor.insert_slice' op expected layouts by which no thread needs an element of another one's, got #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]> of the source and #tile.layout<lane = [0:2, 0:4, 0:8, 0:16, 0:32], warp = [], register = [0:1], repeat = [1]> of the result}}
  %b = tensor.insert_slice %s into %t[0] [32] [1] : tensor<32xf32, #c> into tensor<64xf32, #b>
  tile.store %b, %x[0] dims [0] : tensor<64xf32, #b>, memref<64xf32>
  return
}

// -----

#a = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [2]>
#c = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>

func.func @anywhere(%x: memref<64xf32>, %y: memref<32xf32>, %i: index) {
  %t = tile.load %x[0] dims [0] : memref<64xf32> -> tensor<64xf32, #a>
  // expected-error@+1 {{'tensor.extract_slice' op expected a slice with static offsets and sizes, and strides of 1}}
  %b = tensor.extract_slice %t[%i] [32] [1] : tensor<64xf32, #a> to tensor<32xf32, #c>
  tile.store %b, %y[0] dims [0] : tensor<32xf32, #c>, memref<32xf32>
  return
}

// -----

#a = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [2]>

module attributes {program.threads = 128 : i64} {
  func.func @threads(%x: memref<64xf32>) {
    // expected-error@+1 {{'tile.load' op expected a layout of the kernel's 128 threads ('program.threads'), got 32: #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [2]>}}
    %t = tile.load %x[0] dims [0] : memref<64xf32> -> tensor<64xf32, #a>
    tile.store %t, %x[0] dims [0] : tensor<64xf32, #a>, memref<64xf32>
    return
  }
}
