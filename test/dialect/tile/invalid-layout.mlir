// RUN: infini-opt %s --split-input-file --verify-diagnostics

// What is refused of layouts, buffers in shared memory, and the ops that GPUs
// add. Labels are those of TileOps.td; cases without one are refused by traits
// and types.

//===----------------------------------------------------------------------===//
// #tile.layout
//===----------------------------------------------------------------------===//

// layout_c1
// expected-error@+1 {{expected 5 lane bases, got 4}}
#l = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8], warp = [], register = [], repeat = [1]>

// -----

// layout_c1
// expected-error@+1 {{expected 5 lane bases, got 6}}
#l = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16, 0:32], warp = [], register = [], repeat = [1]>

// -----

// layout_c1: replicas are bases, too.
// expected-error@+1 {{expected 5 lane bases, got 0}}
#l = #tile.layout<lane = [], warp = [_, _, _, _, _], register = [], repeat = [1]>

// -----

// layout_c2: the rank is that of the repeats.
// expected-error@+1 {{expected dimensions below the rank (1), got 1}}
#l = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [1:1], register = [], repeat = [1]>

// -----

// layout_c2
// expected-error@+1 {{expected dimensions below the rank (0), got 0}}
#l = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = []>

// -----

// layout_c2
// expected-error@+1 {{expected strides along dimension 0 to be different powers of two, got 3}}
#l = #tile.layout<lane = [0:1, 0:2, 0:3, 0:8, 0:16], warp = [], register = [], repeat = [1]>

// -----

// layout_c2
// expected-error@+1 {{expected strides along dimension 0 to be different powers of two, got 0}}
#l = #tile.layout<lane = [0:0, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>

// -----

// layout_c2
// expected-error@+1 {{expected strides along dimension 0 to be different powers of two, got -2}}
#l = #tile.layout<lane = [0:1, 0:-2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>

// -----

// layout_c2: in one list.
// expected-error@+1 {{expected strides along dimension 0 to be different powers of two, got 2}}
#l = #tile.layout<lane = [0:1, 0:2, 0:2, 0:4, 0:8], warp = [], register = [], repeat = [1]>

// -----

// layout_c2: in two lists.
// expected-error@+1 {{expected strides along dimension 1 to be different powers of two, got 2}}
#l = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [1:2], register = [1:1, 1:2], repeat = [1, 1]>

// -----

// layout_c2: 2 is missing.
// expected-error@+1 {{expected strides along dimension 0 to be 1, 2, 4, … without a gap}}
#l = #tile.layout<lane = [0:1, 0:4, 0:8, 0:16, 0:32], warp = [], register = [], repeat = [1]>

// -----

// layout_c2: 1 is missing.
// expected-error@+1 {{expected strides along dimension 1 to be 1, 2, 4, … without a gap}}
#l = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [1:2], register = [], repeat = [1, 1]>

// -----

// layout_c3
// expected-error@+1 {{expected no replicas among registers}}
#l = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [_], repeat = [1]>

// -----

// layout_c4
// expected-error@+1 {{expected positive repeats, got 0}}
#l = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [0]>

// -----

// layout_c4
// expected-error@+1 {{expected positive repeats, got -1}}
#l = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1, -1]>

// -----

// layout_c2: replicas have a sign of their own.
// expected-error@+1 {{expected a dimension of at least 0 (or _, for replicas), got -1}}
#l = #tile.layout<lane = [-1:4, 0:1, 0:2, 0:4, 0:8], warp = [], register = [], repeat = [1]>

// -----

// expected-error@+1 {{expected ':'}}
#l = #tile.layout<lane = [0, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>

// -----

// expected-error@+1 {{expected 'warp'}}
#l = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], register = [], repeat = [1]>

// -----

// layout_c5
#l = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>
// expected-error@+1 {{expected a tile of the layout's shape [32], got [31]}}
func.func private @tile_smaller(tensor<31xf32, #l>)

// -----

// layout_c5
#l = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>
// expected-error@+1 {{expected a tile of the layout's shape [32], got [64]}}
func.func private @tile_larger(tensor<64xf32, #l>)

// -----

// layout_c5: as many elements.
#l = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>
// expected-error@+1 {{expected a tile of the layout's shape [32], got [32, 1]}}
func.func private @tile_of_rank_2(tensor<32x1xf32, #l>)

// -----

// layout_c5
#l = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>
// expected-error@+1 {{expected a tile of the layout's shape [32], got []}}
func.func private @tile_of_rank_0(tensor<f32, #l>)

// -----

//===----------------------------------------------------------------------===//
// #tile.shared
//===----------------------------------------------------------------------===//

// shared_c1
// expected-error@+1 {{expected 'rows' to be positive, got 0}}
#s = #tile.shared<pitch = 128, rows = 0>

// -----

// shared_c1
// expected-error@+1 {{expected 'rows' to be positive, got -2}}
#s = #tile.shared<pitch = 128, rows = -2, mask = 3>

// -----

// shared_c1
// expected-error@+1 {{expected 'mask' to be 0, 1, 3, or 7, got 2}}
#s = #tile.shared<pitch = 128, mask = 2>

// -----

// shared_c1: chunks of 16 rows would need more banks than there are.
// expected-error@+1 {{expected 'mask' to be 0, 1, 3, or 7, got 15}}
#s = #tile.shared<pitch = 256, mask = 15>

// -----

// shared_c1
// expected-error@+1 {{expected 'mask' to be 0, 1, 3, or 7, got -1}}
#s = #tile.shared<pitch = 128, mask = -1>

// -----

// shared_c2
// expected-error@+1 {{expected 'pitch' to be a positive multiple of 16, got 0}}
#s = #tile.shared<pitch = 0>

// -----

// shared_c2
// expected-error@+1 {{expected 'pitch' to be a positive multiple of 16, got -16}}
#s = #tile.shared<pitch = -16>

// -----

// shared_c2: a chunk has 16 bytes.
// expected-error@+1 {{expected 'pitch' to be a positive multiple of 16, got 24}}
#s = #tile.shared<pitch = 24>

// -----

// shared_c2: the exclusive or stays inside the row.
// expected-error@+1 {{expected 'pitch' to be a positive multiple of 128, got 64}}
#s = #tile.shared<pitch = 64, mask = 7>

// -----

// shared_c2
// expected-error@+1 {{expected 'pitch' to be a positive multiple of 64, got 96}}
#s = #tile.shared<pitch = 96, mask = 3>

// -----

//===----------------------------------------------------------------------===//
// gather
//===----------------------------------------------------------------------===//

// gather_c1
func.func @gather_too_few_indices(%b: memref<16x8xf32>, %i: tensor<4x8xindex>) {
  // expected-error@+1 {{'tile.gather' op expected one index a source dimension (2), got 1}}
  %r = tile.gather %b[%i] : memref<16x8xf32>, tensor<4x8xindex> -> tensor<4x8xf32>
  return
}

// -----

// gather_c1
func.func @gather_too_many_indices(%b: memref<16xf32>, %i: tensor<4x8xindex>) {
  // expected-error@+1 {{'tile.gather' op expected one index a source dimension (1), got 2}}
  %r = tile.gather %b[%i, %i] : memref<16xf32>, tensor<4x8xindex>, tensor<4x8xindex> -> tensor<4x8xf32>
  return
}

// -----

// gather_c1: numbers count.
func.func @gather_number_counts(%b: memref<2x16x8xf32>, %i: tensor<4x8xindex>, %n: index) {
  // expected-error@+1 {{'tile.gather' op expected one index a source dimension (3), got 2}}
  %r = tile.gather %b[%n, %i] : memref<2x16x8xf32>, index, tensor<4x8xindex> -> tensor<4x8xf32>
  return
}

// -----

// gather_c1
func.func @gather_source_rank_0(%b: memref<bf16>) {
  // expected-error@+1 {{'tile.gather' op expected a source of rank 1 or more, got 'memref<bf16>'}}
  %r = "tile.gather"(%b) : (memref<bf16>) -> tensor<4xbf16>
  return
}

// -----

// gather_c2
func.func @gather_shape(%b: memref<16xf32>, %i: tensor<8x4xindex>) {
  // expected-error@+1 {{'tile.gather' op expected indices of the result's shape, got 'tensor<8x4xindex>' for 'tensor<4x8xf32>'}}
  %r = tile.gather %b[%i] : memref<16xf32>, tensor<8x4xindex> -> tensor<4x8xf32>
  return
}

// -----

// gather_c2
func.func @gather_rank(%b: memref<16x8xf32>, %i: tensor<4x8xindex>, %j: tensor<8xindex>) {
  // expected-error@+1 {{'tile.gather' op expected indices of the result's shape, got 'tensor<8xindex>' for 'tensor<4x8xf32>'}}
  %r = tile.gather %b[%i, %j] : memref<16x8xf32>, tensor<4x8xindex>, tensor<8xindex> -> tensor<4x8xf32>
  return
}

// -----

// gather_c2: a tile of rank 0 is no number.
func.func @gather_rank_0(%b: memref<16xf32>, %i: tensor<index>) {
  // expected-error@+1 {{'tile.gather' op expected indices of the result's shape, got 'tensor<index>' for 'tensor<4xf32>'}}
  %r = tile.gather %b[%i] : memref<16xf32>, tensor<index> -> tensor<4xf32>
  return
}

// -----

// gather_c3
func.func @gather_float_type(%b: memref<16xf32>, %i: tensor<4xindex>) {
  // expected-error@+1 {{'tile.gather' op expected the result to have element type 'f32', as the source, got 'f16'}}
  %r = tile.gather %b[%i] : memref<16xf32>, tensor<4xindex> -> tensor<4xf16>
  return
}

// -----

// gather_c3
func.func @gather_integer_type(%b: memref<16xi32>, %n: index) {
  // expected-error@+1 {{'tile.gather' op expected the result to have element type 'i32', as the source, got 'i64'}}
  %r = tile.gather %b[%n] : memref<16xi32>, index -> tensor<4xi64>
  return
}

// -----

func.func @gather_integer_index(%b: memref<16xf32>, %i: tensor<4xi32>) {
  // expected-error@+1 {{'tile.gather' op operand #1 must be variadic of statically shaped tensor of index values or index, but got 'tensor<4xi32>'}}
  %r = tile.gather %b[%i] : memref<16xf32>, tensor<4xi32> -> tensor<4xf32>
  return
}

// -----

func.func @gather_dynamic_tile(%b: memref<16xf32>, %n: index) {
  // expected-error@+1 {{'tile.gather' op result #0 must be statically shaped tensor of floating-point or signless integer or index values, but got 'tensor<?xf32>'}}
  %r = tile.gather %b[%n] : memref<16xf32>, index -> tensor<?xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// convert_layout
//===----------------------------------------------------------------------===//

// convert_layout_c1
#a = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>
#b = #tile.layout<lane = [0:2, 0:4, 0:8, 0:16, 0:32], warp = [], register = [0:1], repeat = [1]>
func.func @convert_layout_size(%x: tensor<32xf32, #a>) {
  // expected-error@+1 {{'tile.convert_layout' op expected the result to have the source's shape and element type, got 'tensor<64xf32, #tile.layout<lane = [0:2, 0:4, 0:8, 0:16, 0:32], warp = [], register = [0:1], repeat = [1]>>' of 'tensor<32xf32, #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>>'}}
  %r = tile.convert_layout %x : tensor<32xf32, #a> -> tensor<64xf32, #b>
  return
}

// -----

// convert_layout_c1: as many elements.
#a = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>
#b = #tile.layout<lane = [1:1, 1:2, 1:4, 0:1, 0:2], warp = [], register = [], repeat = [1, 1]>
func.func @convert_layout_shape(%x: tensor<32xf32, #a>) {
  // expected-error@+1 {{expected the result to have the source's shape and element type, got 'tensor<4x8xf32}}
  %r = tile.convert_layout %x : tensor<32xf32, #a> -> tensor<4x8xf32, #b>
  return
}

// -----

// convert_layout_c1
#a = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>
func.func @convert_layout_element_type(%x: tensor<32xf32, #a>) {
  // expected-error@+1 {{expected the result to have the source's shape and element type, got 'tensor<32xf16}}
  %r = tile.convert_layout %x : tensor<32xf32, #a> -> tensor<32xf16, #a>
  return
}

// -----

// convert_layout_c1
#a = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>
func.func @convert_layout_index(%x: tensor<32xindex, #a>) {
  // expected-error@+1 {{expected the result to have the source's shape and element type, got 'tensor<32xi32}}
  %r = tile.convert_layout %x : tensor<32xindex, #a> -> tensor<32xi32, #a>
  return
}

// -----

// convert_layout_c2
#a = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>
func.func @convert_layout_plain_source(%x: tensor<32xf32>) {
  // expected-error@+1 {{'tile.convert_layout' op expected tiles with a layout, got 'tensor<32xf32>'}}
  %r = tile.convert_layout %x : tensor<32xf32> -> tensor<32xf32, #a>
  return
}

// -----

// convert_layout_c2
#a = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>
func.func @convert_layout_plain_result(%x: tensor<32xf32, #a>) {
  // expected-error@+1 {{'tile.convert_layout' op expected tiles with a layout, got 'tensor<32xf32>'}}
  %r = tile.convert_layout %x : tensor<32xf32, #a> -> tensor<32xf32>
  return
}

// -----

// convert_layout_c2: another encoding.
#a = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>
func.func @convert_layout_other_encoding(%x: tensor<32xf32, #a>) {
  // expected-error@+1 {{'tile.convert_layout' op expected tiles with a layout, got 'tensor<32xf32, "mine">'}}
  %r = tile.convert_layout %x : tensor<32xf32, #a> -> tensor<32xf32, "mine">
  return
}

// -----

#a = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>
func.func @convert_layout_dynamic_tile(%x: tensor<?xf32>) {
  // expected-error@+1 {{'tile.convert_layout' op operand #0 must be statically shaped tensor of floating-point or signless integer or index values, but got 'tensor<?xf32>'}}
  %r = tile.convert_layout %x : tensor<?xf32> -> tensor<32xf32, #a>
  return
}

// -----

//===----------------------------------------------------------------------===//
// alloc
//===----------------------------------------------------------------------===//

// alloc_c1
#s = #tile.shared<pitch = 64>
func.func @alloc_dynamic_rows() {
  // expected-error@+1 {{'tile.alloc' op expected a static shape of rank 1 or more, got 'memref<?x16xf32, #tile.shared<pitch = 64>>'}}
  %r = tile.alloc : memref<?x16xf32, #s>
  return
}

// -----

// alloc_c1
#s = #tile.shared<pitch = 64>
func.func @alloc_dynamic_columns() {
  // expected-error@+1 {{'tile.alloc' op expected a static shape of rank 1 or more, got 'memref<4x?xf32, #tile.shared<pitch = 64>>'}}
  %r = tile.alloc : memref<4x?xf32, #s>
  return
}

// -----

// alloc_c1
#s = #tile.shared<pitch = 64>
func.func @alloc_rank_0() {
  // expected-error@+1 {{'tile.alloc' op expected a static shape of rank 1 or more, got 'memref<f32, #tile.shared<pitch = 64>>'}}
  %r = tile.alloc : memref<f32, #s>
  return
}

// -----

// alloc_c1
#s = #tile.shared<pitch = 64>
func.func @alloc_long_row() {
  // expected-error@+1 {{'tile.alloc' op expected rows of at most 'pitch' (64) bytes, got 68}}
  %r = tile.alloc : memref<4x17xf32, #s>
  return
}

// -----

// alloc_c1: bytes count, not elements.
#s = #tile.shared<pitch = 64>
func.func @alloc_wide_row() {
  // expected-error@+1 {{'tile.alloc' op expected rows of at most 'pitch' (64) bytes, got 128}}
  %r = tile.alloc : memref<2x4x16xf64, #s>
  return
}

// -----

// alloc_c1: one bit takes a byte.
#s = #tile.shared<pitch = 64>
func.func @alloc_bits() {
  // expected-error@+1 {{'tile.alloc' op expected rows of at most 'pitch' (64) bytes, got 65}}
  %r = tile.alloc : memref<65xi1, #s>
  return
}

// -----

// alloc_c2
#s = #tile.shared<pitch = 64>
func.func @alloc_offset_64() {
  // expected-error@+1 {{'tile.alloc' op expected 'offset' to be a multiple of 128, got 64}}
  %r = tile.alloc {offset = 64 : i64} : memref<4x16xf32, #s>
  return
}

// -----

// alloc_c2
#s = #tile.shared<pitch = 64>
func.func @alloc_offset_1() {
  // expected-error@+1 {{'tile.alloc' op expected 'offset' to be a multiple of 128, got 1}}
  %r = tile.alloc {offset = 1 : i64} : memref<4x16xf32, #s>
  return
}

// -----

// alloc_c2
#s = #tile.shared<pitch = 64>
func.func @alloc_negative_offset() {
  // expected-error@+1 {{'tile.alloc' op expected 'offset' to be a multiple of 128, got -128}}
  %r = tile.alloc {offset = -128 : i64} : memref<4x16xf32, #s>
  return
}

// -----

func.func @alloc_no_space() {
  // expected-error@+1 {{'tile.alloc' op result #0 must be buffer in shared memory, but got 'memref<4x16xf32>'}}
  %r = tile.alloc : memref<4x16xf32>
  return
}

// -----

func.func @alloc_other_space() {
  // expected-error@+1 {{'tile.alloc' op result #0 must be buffer in shared memory, but got 'memref<4x16xf32, 3>'}}
  %r = tile.alloc : memref<4x16xf32, 3>
  return
}

// -----

#s = #tile.shared<pitch = 64>
func.func @alloc_index() {
  // expected-error@+1 {{'tile.alloc' op result #0 must be buffer in shared memory, but got 'memref<4x8xindex, #tile.shared<pitch = 64>>'}}
  %r = tile.alloc : memref<4x8xindex, #s>
  return
}

// -----

//===----------------------------------------------------------------------===//
// slot
//===----------------------------------------------------------------------===//

// slot_c1
#s = #tile.shared<pitch = 64>
func.func @slot_columns(%b: memref<2x4x16xf32, #s>, %i: index) {
  // expected-error@+1 {{'tile.slot' op expected the result to be the source without its first dimension, got 'memref<4x8xf32, #tile.shared<pitch = 64>>' of 'memref<2x4x16xf32, #tile.shared<pitch = 64>>'}}
  %r = tile.slot %b[%i] : memref<2x4x16xf32, #s> -> memref<4x8xf32, #s>
  return
}

// -----

// slot_c1: the last dimension stays.
#s = #tile.shared<pitch = 64>
func.func @slot_last_dimension(%b: memref<2x4x16xf32, #s>, %i: index) {
  // expected-error@+1 {{'tile.slot' op expected the result to be the source without its first dimension, got 'memref<2x4xf32, #tile.shared<pitch = 64>>' of 'memref<2x4x16xf32, #tile.shared<pitch = 64>>'}}
  %r = tile.slot %b[%i] : memref<2x4x16xf32, #s> -> memref<2x4xf32, #s>
  return
}

// -----

// slot_c1
#s = #tile.shared<pitch = 64>
func.func @slot_whole(%b: memref<2x4x16xf32, #s>, %i: index) {
  // expected-error@+1 {{'tile.slot' op expected the result to be the source without its first dimension, got 'memref<2x4x16xf32, #tile.shared<pitch = 64>>' of 'memref<2x4x16xf32, #tile.shared<pitch = 64>>'}}
  %r = tile.slot %b[%i] : memref<2x4x16xf32, #s> -> memref<2x4x16xf32, #s>
  return
}

// -----

// slot_c1
#s = #tile.shared<pitch = 64>
func.func @slot_one_row(%b: memref<2x4x16xf32, #s>, %i: index) {
  // expected-error@+1 {{'tile.slot' op expected the result to be the source without its first dimension, got 'memref<16xf32, #tile.shared<pitch = 64>>' of 'memref<2x4x16xf32, #tile.shared<pitch = 64>>'}}
  %r = tile.slot %b[%i] : memref<2x4x16xf32, #s> -> memref<16xf32, #s>
  return
}

// -----

// slot_c1
#s = #tile.shared<pitch = 64>
func.func @slot_element_type(%b: memref<2x4x16xf32, #s>, %i: index) {
  // expected-error@+1 {{'tile.slot' op expected the result to be the source without its first dimension, got 'memref<4x16xi32, #tile.shared<pitch = 64>>' of 'memref<2x4x16xf32, #tile.shared<pitch = 64>>'}}
  %r = tile.slot %b[%i] : memref<2x4x16xf32, #s> -> memref<4x16xi32, #s>
  return
}

// -----

// slot_c1: rows lie as they do in the ring.
#s = #tile.shared<pitch = 64>
#t = #tile.shared<pitch = 128>
func.func @slot_pitch(%b: memref<2x4x16xf32, #s>, %i: index) {
  // expected-error@+1 {{'tile.slot' op expected the result to be the source without its first dimension, got 'memref<4x16xf32, #tile.shared<pitch = 128>>' of 'memref<2x4x16xf32, #tile.shared<pitch = 64>>'}}
  %r = tile.slot %b[%i] : memref<2x4x16xf32, #s> -> memref<4x16xf32, #t>
  return
}

// -----

// slot_c1
#s = #tile.shared<pitch = 64>
#t = #tile.shared<pitch = 64, rows = 2, mask = 3>
func.func @slot_swizzle(%b: memref<2x4x16xf32, #s>, %i: index) {
  // expected-error@+1 {{'tile.slot' op expected the result to be the source without its first dimension, got 'memref<4x16xf32, #tile.shared<pitch = 64, rows = 2, mask = 3>>' of 'memref<2x4x16xf32, #tile.shared<pitch = 64>>'}}
  %r = tile.slot %b[%i] : memref<2x4x16xf32, #s> -> memref<4x16xf32, #t>
  return
}

// -----

// slot_c1: a row has no slots.
#s = #tile.shared<pitch = 64>
func.func @slot_no_rows(%b: memref<16xf32, #s>, %i: index) {
  // expected-error@+1 {{'tile.slot' op expected the result to be the source without its first dimension, got 'memref<f32, #tile.shared<pitch = 64>>' of 'memref<16xf32, #tile.shared<pitch = 64>>'}}
  %r = tile.slot %b[%i] : memref<16xf32, #s> -> memref<f32, #s>
  return
}

// -----

//===----------------------------------------------------------------------===//
// copy_async
//===----------------------------------------------------------------------===//

// copy_async_c1
#s = #tile.shared<pitch = 64>
func.func @copy_async_too_few_offsets(%k: memref<4x?x16xf32>, %d: memref<8x16xf32, #s>, %n: index) {
  // expected-error@+1 {{'tile.copy_async' op expected one offset a source dimension (3), got 2}}
  tile.copy_async %k[0, %n] dims [1, 2] into %d : memref<4x?x16xf32> into memref<8x16xf32, #s>
  return
}

// -----

// copy_async_c1
#s = #tile.shared<pitch = 64>
func.func @copy_async_too_many_offsets(%k: memref<4x?x16xf32>, %d: memref<8x16xf32, #s>, %n: index) {
  // expected-error@+1 {{'tile.copy_async' op expected one offset a source dimension (3), got 4}}
  tile.copy_async %k[0, %n, 0, 0] dims [1, 2] into %d : memref<4x?x16xf32> into memref<8x16xf32, #s>
  return
}

// -----

// copy_async_c1: a dynamic offset without an operand.
#s = #tile.shared<pitch = 64>
func.func @copy_async_missing_offset(%k: memref<16xf32>, %d: memref<16xf32, #s>) {
  // expected-error@+1 {{'tile.copy_async' op expected one operand a dynamic entry of 'offsets' (1), got 0}}
  "tile.copy_async"(%k, %d) <{operandSegmentSizes = array<i32: 1, 0, 0, 1>, static_offsets = array<i64: -9223372036854775808>, dims = array<i64: 0>}> : (memref<16xf32>, memref<16xf32, #s>) -> ()
  return
}

// -----

// copy_async_c2
#s = #tile.shared<pitch = 64>
func.func @copy_async_too_few_dims(%k: memref<4x?x16xf32>, %d: memref<8x16xf32, #s>, %n: index) {
  // expected-error@+1 {{'tile.copy_async' op expected one entry of 'dims' a tile dimension (2), got 1}}
  tile.copy_async %k[0, %n, 0] dims [2] into %d : memref<4x?x16xf32> into memref<8x16xf32, #s>
  return
}

// -----

// copy_async_c2
#s = #tile.shared<pitch = 64>
func.func @copy_async_too_many_dims(%k: memref<4x?x16xf32>, %d: memref<8x16xf32, #s>, %n: index) {
  // expected-error@+1 {{'tile.copy_async' op expected one entry of 'dims' a tile dimension (2), got 3}}
  tile.copy_async %k[0, %n, 0] dims [0, 1, 2] into %d : memref<4x?x16xf32> into memref<8x16xf32, #s>
  return
}

// -----

// copy_async_c2
#s = #tile.shared<pitch = 64>
func.func @copy_async_large_dim(%k: memref<4x?x16xf32>, %d: memref<8x16xf32, #s>, %n: index) {
  // expected-error@+1 {{'tile.copy_async' op expected entries of 'dims' to be at least 0 and below the rank of the source (3), got 3}}
  tile.copy_async %k[0, %n, 0] dims [1, 3] into %d : memref<4x?x16xf32> into memref<8x16xf32, #s>
  return
}

// -----

// copy_async_c2
#s = #tile.shared<pitch = 64>
func.func @copy_async_negative_dim(%k: memref<4x?x16xf32>, %d: memref<8x16xf32, #s>, %n: index) {
  // expected-error@+1 {{'tile.copy_async' op expected entries of 'dims' to be at least 0 and below the rank of the source (3), got -1}}
  tile.copy_async %k[0, %n, 0] dims [-1, 2] into %d : memref<4x?x16xf32> into memref<8x16xf32, #s>
  return
}

// -----

// copy_async_c2
#s = #tile.shared<pitch = 64>
func.func @copy_async_dim_twice(%k: memref<4x?x16xf32>, %d: memref<8x16xf32, #s>, %n: index) {
  // expected-error@+1 {{'tile.copy_async' op expected distinct entries of 'dims', got 2 twice}}
  tile.copy_async %k[0, %n, 0] dims [2, 2] into %d : memref<4x?x16xf32> into memref<8x16xf32, #s>
  return
}

// -----

// copy_async_c3
#s = #tile.shared<pitch = 64>
func.func @copy_async_too_few_valid(%k: memref<4x?x16xf32>, %d: memref<8x16xf32, #s>, %n: index) {
  // expected-error@+1 {{'tile.copy_async' op expected one entry of 'valid' a tile dimension (2), got 1}}
  tile.copy_async %k[0, %n, 0] dims [1, 2] valid [%n] into %d : memref<4x?x16xf32> into memref<8x16xf32, #s>
  return
}

// -----

// copy_async_c3
#s = #tile.shared<pitch = 64>
func.func @copy_async_too_many_valid(%k: memref<4x?x16xf32>, %d: memref<8x16xf32, #s>, %n: index) {
  // expected-error@+1 {{'tile.copy_async' op expected one entry of 'valid' a tile dimension (2), got 3}}
  tile.copy_async %k[0, %n, 0] dims [1, 2] valid [1, %n, 16] into %d : memref<4x?x16xf32> into memref<8x16xf32, #s>
  return
}

// -----

// copy_async_c4
#s = #tile.shared<pitch = 64>
func.func @copy_async_element_type(%k: memref<4x?x16xf16>, %d: memref<8x16xf32, #s>, %n: index) {
  // expected-error@+1 {{'tile.copy_async' op expected the tile to have element type 'f16', as the source, got 'f32'}}
  tile.copy_async %k[0, %n, 0] dims [1, 2] into %d : memref<4x?x16xf16> into memref<8x16xf32, #s>
  return
}

// -----

#s = #tile.shared<pitch = 64>
func.func @copy_async_no_shared_dest(%k: memref<4x?x16xf32>, %d: memref<8x16xf32>, %n: index) {
  // expected-error@+1 {{'tile.copy_async' op operand #2 must be buffer in shared memory, but got 'memref<8x16xf32>'}}
  tile.copy_async %k[0, %n, 0] dims [1, 2] into %d : memref<4x?x16xf32> into memref<8x16xf32>
  return
}

// -----

#s = #tile.shared<pitch = 64>
func.func @copy_async_complex(%k: memref<4x?x16xcomplex<f32>>, %d: memref<8x16xf32, #s>, %n: index) {
  // expected-error@+1 {{'tile.copy_async' op operand #0 must be memref of floating-point or signless integer or index values, but got 'memref<4x?x16xcomplex<f32>>'}}
  tile.copy_async %k[0, %n, 0] dims [1, 2] into %d : memref<4x?x16xcomplex<f32>> into memref<8x16xf32, #s>
  return
}

// -----

//===----------------------------------------------------------------------===//
// wait_copies
//===----------------------------------------------------------------------===//

// wait_copies_c1
func.func @wait_copies_negative() {
  // expected-error@+1 {{'tile.wait_copies' op expected 'pending' to be at least 0, got -1}}
  tile.wait_copies -1
  return
}

// -----

// wait_copies_c1
func.func @wait_copies_very_negative() {
  // expected-error@+1 {{'tile.wait_copies' op expected 'pending' to be at least 0, got -9223372036854775808}}
  tile.wait_copies -9223372036854775808
  return
}

// -----

func.func @wait_copies_missing() {
  // expected-error@+1 {{expected attribute value}}
  tile.wait_copies
  return
}

// -----

//===----------------------------------------------------------------------===//
// write
//===----------------------------------------------------------------------===//

// write_c1
#l = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>
#s = #tile.shared<pitch = 64>
func.func @write_too_few_offsets(%t: tensor<8x16xf32, #l>, %s: memref<16x16xf32, #s>) {
  // expected-error@+1 {{'tile.write' op expected one offset a dimension (2), got 1}}
  tile.write %t, %s[0] : tensor<8x16xf32, #l>, memref<16x16xf32, #s>
  return
}

// -----

// write_c1
#l = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>
#s = #tile.shared<pitch = 64>
func.func @write_too_many_offsets(%t: tensor<8x16xf32, #l>, %s: memref<16x16xf32, #s>) {
  // expected-error@+1 {{'tile.write' op expected one offset a dimension (2), got 3}}
  tile.write %t, %s[0, 0, 0] : tensor<8x16xf32, #l>, memref<16x16xf32, #s>
  return
}

// -----

// write_c1
#l = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>
#s = #tile.shared<pitch = 64>
func.func @write_rows(%t: tensor<8x16xf32, #l>, %s: memref<16x16xf32, #s>) {
  // expected-error@+1 {{'tile.write' op expected the tile to lie inside the buffer, got 8 from 9 on in 16}}
  tile.write %t, %s[9, 0] : tensor<8x16xf32, #l>, memref<16x16xf32, #s>
  return
}

// -----

// write_c1
#l = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>
#s = #tile.shared<pitch = 64>
func.func @write_columns(%t: tensor<8x16xf32, #l>, %s: memref<16x16xf32, #s>) {
  // expected-error@+1 {{'tile.write' op expected the tile to lie inside the buffer, got 16 from 1 on in 16}}
  tile.write %t, %s[0, 1] : tensor<8x16xf32, #l>, memref<16x16xf32, #s>
  return
}

// -----

// write_c1
#l = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>
#s = #tile.shared<pitch = 64>
func.func @write_negative(%t: tensor<8x16xf32, #l>, %s: memref<16x16xf32, #s>) {
  // expected-error@+1 {{'tile.write' op expected the tile to lie inside the buffer, got 8 from -1 on in 16}}
  tile.write %t, %s[-1, 0] : tensor<8x16xf32, #l>, memref<16x16xf32, #s>
  return
}

// -----

// write_c1: the buffer is smaller.
#l = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>
#s = #tile.shared<pitch = 64>
func.func @write_smaller_buffer(%t: tensor<8x16xf32, #l>, %s: memref<4x16xf32, #s>) {
  // expected-error@+1 {{'tile.write' op expected the tile to lie inside the buffer, got 8 from 0 on in 4}}
  tile.write %t, %s[0, 0] : tensor<8x16xf32, #l>, memref<4x16xf32, #s>
  return
}

// -----

// write_c2
#l = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>
#s = #tile.shared<pitch = 64>
func.func @write_rank_of_buffer(%t: tensor<8x16xf32, #l>, %s: memref<2x8x16xf32, #s>) {
  // expected-error@+1 {{'tile.write' op expected tile and buffer to have one rank and element type, got 'tensor<8x16xf32, #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>>' and 'memref<2x8x16xf32, #tile.shared<pitch = 64>>'}}
  tile.write %t, %s[0, 0, 0] : tensor<8x16xf32, #l>, memref<2x8x16xf32, #s>
  return
}

// -----

// write_c2
#l = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>
#s = #tile.shared<pitch = 64>
func.func @write_rank_of_tile(%t: tensor<8x16xf32, #l>, %s: memref<16xf32, #s>) {
  // expected-error@+1 {{'tile.write' op expected tile and buffer to have one rank and element type, got 'tensor<8x16xf32, #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>>' and 'memref<16xf32, #tile.shared<pitch = 64>>'}}
  tile.write %t, %s[0] : tensor<8x16xf32, #l>, memref<16xf32, #s>
  return
}

// -----

// write_c2
#l = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>
#s = #tile.shared<pitch = 64>
func.func @write_element_type(%t: tensor<8x16xf32, #l>, %s: memref<8x16xi32, #s>) {
  // expected-error@+1 {{'tile.write' op expected tile and buffer to have one rank and element type, got 'tensor<8x16xf32, #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>>' and 'memref<8x16xi32, #tile.shared<pitch = 64>>'}}
  tile.write %t, %s[0, 0] : tensor<8x16xf32, #l>, memref<8x16xi32, #s>
  return
}

// -----

#l = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>
#s = #tile.shared<pitch = 64>
func.func @write_global(%t: tensor<8x16xf32, #l>, %s: memref<8x16xf32>) {
  // expected-error@+1 {{'tile.write' op operand #1 must be buffer in shared memory, but got 'memref<8x16xf32>'}}
  tile.write %t, %s[0, 0] : tensor<8x16xf32, #l>, memref<8x16xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// read
//===----------------------------------------------------------------------===//

// read_c1
#l = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>
#s = #tile.shared<pitch = 64>
func.func @read_too_few_offsets(%s: memref<16x16xf32, #s>) {
  // expected-error@+1 {{'tile.read' op expected one offset a dimension (2), got 1}}
  %t = tile.read %s[0] : memref<16x16xf32, #s> -> tensor<8x16xf32, #l>
  return
}

// -----

// read_c1
#l = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>
#s = #tile.shared<pitch = 64>
func.func @read_too_many_offsets(%s: memref<16x16xf32, #s>) {
  // expected-error@+1 {{'tile.read' op expected one offset a dimension (2), got 3}}
  %t = tile.read %s[0, 0, 0] : memref<16x16xf32, #s> -> tensor<8x16xf32, #l>
  return
}

// -----

// read_c1
#l = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>
#s = #tile.shared<pitch = 64>
func.func @read_rows(%s: memref<16x16xf32, #s>) {
  // expected-error@+1 {{'tile.read' op expected the tile to lie inside the buffer, got 8 from 9 on in 16}}
  %t = tile.read %s[9, 0] : memref<16x16xf32, #s> -> tensor<8x16xf32, #l>
  return
}

// -----

// read_c1
#l = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>
#s = #tile.shared<pitch = 64>
func.func @read_columns(%s: memref<16x16xf32, #s>) {
  // expected-error@+1 {{'tile.read' op expected the tile to lie inside the buffer, got 16 from 1 on in 16}}
  %t = tile.read %s[0, 1] : memref<16x16xf32, #s> -> tensor<8x16xf32, #l>
  return
}

// -----

// read_c1
#l = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>
#s = #tile.shared<pitch = 64>
func.func @read_negative(%s: memref<16x16xf32, #s>) {
  // expected-error@+1 {{'tile.read' op expected the tile to lie inside the buffer, got 8 from -1 on in 16}}
  %t = tile.read %s[-1, 0] : memref<16x16xf32, #s> -> tensor<8x16xf32, #l>
  return
}

// -----

// read_c1: the buffer is smaller.
#l = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>
#s = #tile.shared<pitch = 64>
func.func @read_smaller_buffer(%s: memref<4x16xf32, #s>) {
  // expected-error@+1 {{'tile.read' op expected the tile to lie inside the buffer, got 8 from 0 on in 4}}
  %t = tile.read %s[0, 0] : memref<4x16xf32, #s> -> tensor<8x16xf32, #l>
  return
}

// -----

// read_c2
#l = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>
#s = #tile.shared<pitch = 64>
func.func @read_rank_of_buffer(%s: memref<2x8x16xf32, #s>) {
  // expected-error@+1 {{'tile.read' op expected tile and buffer to have one rank and element type, got 'tensor<8x16xf32, #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>>' and 'memref<2x8x16xf32, #tile.shared<pitch = 64>>'}}
  %t = tile.read %s[0, 0, 0] : memref<2x8x16xf32, #s> -> tensor<8x16xf32, #l>
  return
}

// -----

// read_c2
#l = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>
#s = #tile.shared<pitch = 64>
func.func @read_rank_of_tile(%s: memref<16xf32, #s>) {
  // expected-error@+1 {{'tile.read' op expected tile and buffer to have one rank and element type, got 'tensor<8x16xf32, #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>>' and 'memref<16xf32, #tile.shared<pitch = 64>>'}}
  %t = tile.read %s[0] : memref<16xf32, #s> -> tensor<8x16xf32, #l>
  return
}

// -----

// read_c2
#l = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>
#s = #tile.shared<pitch = 64>
func.func @read_element_type(%s: memref<8x16xi32, #s>) {
  // expected-error@+1 {{'tile.read' op expected tile and buffer to have one rank and element type, got 'tensor<8x16xf32, #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>>' and 'memref<8x16xi32, #tile.shared<pitch = 64>>'}}
  %t = tile.read %s[0, 0] : memref<8x16xi32, #s> -> tensor<8x16xf32, #l>
  return
}

// -----

#l = #tile.layout<lane = [1:4, 1:8, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:2], repeat = [1, 1]>
#s = #tile.shared<pitch = 64>
func.func @read_global(%s: memref<8x16xf32>) {
  // expected-error@+1 {{'tile.read' op operand #0 must be buffer in shared memory, but got 'memref<8x16xf32>'}}
  %t = tile.read %s[0, 0] : memref<8x16xf32> -> tensor<8x16xf32, #l>
  return
}

// -----

//===----------------------------------------------------------------------===//
// dot: factors in shared memory
//===----------------------------------------------------------------------===//

// dot_c1
#s = #tile.shared<pitch = 64>
func.func @dot_shared_rank(%a: memref<2x4x8xf32, #s>, %b: memref<8x16xf32, #s>, %c: tensor<4x16xf32>) {
  // expected-error@+1 {{'tile.dot' op expected 'a' to have rank 1 or 2, got 3}}
  %r = tile.dot %a, %b, %c : memref<2x4x8xf32, #s>, memref<8x16xf32, #s> into tensor<4x16xf32>
  return
}

// -----

// dot_c2
#s = #tile.shared<pitch = 64>
func.func @dot_shared_k(%a: memref<4x8xf32, #s>, %b: memref<4x16xf32, #s>, %c: tensor<4x16xf32>) {
  // expected-error@+1 {{'tile.dot' op expected one size 'k', got 8 and 4}}
  %r = tile.dot %a, %b, %c : memref<4x8xf32, #s>, memref<4x16xf32, #s> into tensor<4x16xf32>
  return
}

// -----

// dot_c2: swapped or not, the shapes are those of the tiles.
#s = #tile.shared<pitch = 64>
func.func @dot_swapped_m(%a: memref<4x8xf32, #s>, %b: memref<8x16xf32, #s>, %c: tensor<16x4xf32>) {
  // expected-error@+1 {{'tile.dot' op expected one size 'm', got 4 and 16}}
  %r = tile.dot %a, %b, %c {swapped} : memref<4x8xf32, #s>, memref<8x16xf32, #s> into tensor<16x4xf32>
  return
}

// -----

// dot_c3
#s = #tile.shared<pitch = 64>
func.func @dot_shared_element_type(%a: memref<4x8xbf16, #s>, %b: tensor<8x16xf32>, %c: tensor<4x16xf32>) {
  // expected-error@+1 {{'tile.dot' op expected 'b' to have element type 'bf16', as 'a', got 'f32'}}
  %r = tile.dot %a, %b, %c : memref<4x8xbf16, #s>, tensor<8x16xf32> into tensor<4x16xf32>
  return
}

// -----

// dot_c3: a buffer may have other elements, a product not.
#s = #tile.shared<pitch = 64>
func.func @dot_shared_integers(%a: memref<4x8xi32, #s>, %b: memref<8x16xi32, #s>, %c: tensor<4x16xf32>) {
  // expected-error@+1 {{'tile.dot' op expected 'a' to have element type bf16, f16, f32, or f64, got 'i32'}}
  %r = tile.dot %a, %b, %c : memref<4x8xi32, #s>, memref<8x16xi32, #s> into tensor<4x16xf32>
  return
}

// -----

// dot_c3
#s = #tile.shared<pitch = 64>
func.func @dot_shared_f8(%a: memref<4x8xf8E4M3FN, #s>, %b: memref<8x16xf8E4M3FN, #s>, %c: tensor<4x16xf32>) {
  // expected-error@+1 {{'tile.dot' op expected 'a' to have element type bf16, f16, f32, or f64, got 'f8E4M3FN'}}
  %r = tile.dot %a, %b, %c : memref<4x8xf8E4M3FN, #s>, memref<8x16xf8E4M3FN, #s> into tensor<4x16xf32>
  return
}

// -----

// dot_c4
#s = #tile.shared<pitch = 64>
func.func @dot_shared_acc(%a: memref<4x8xf64, #s>, %b: memref<8x8xf64, #s>, %c: tensor<4x8xf32>) {
  // expected-error@+1 {{'tile.dot' op expected 'acc' to have element type f64, got 'f32'}}
  %r = tile.dot %a, %b, %c : memref<4x8xf64, #s>, memref<8x8xf64, #s> into tensor<4x8xf32>
  return
}

// -----

#s = #tile.shared<pitch = 64>
func.func @dot_no_shared_space(%a: memref<4x8xf32>, %b: memref<8x16xf32, #s>, %c: tensor<4x16xf32>) {
  // expected-error@+1 {{'tile.dot' op operand #0 must be statically shaped tensor of bfloat16 type or 16-bit float or 32-bit float or 64-bit float values or buffer in shared memory, but got 'memref<4x8xf32>'}}
  %r = tile.dot %a, %b, %c : memref<4x8xf32>, memref<8x16xf32, #s> into tensor<4x16xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// reduce of tiles with layouts
//===----------------------------------------------------------------------===//

// reduce_c2
#a = #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>
func.func @reduce_init_rank(%x: tensor<32xf32, #a>, %i: tensor<32xf32, #a>) {
  // expected-error@+1 {{'tile.reduce' op expected 'init' to have type 'tensor<f32, #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>>', got 'tensor<32xf32, #tile.layout<lane = [0:1, 0:2, 0:4, 0:8, 0:16], warp = [], register = [], repeat = [1]>>'}}
  %r = tile.reduce sum %x, %i axis 0 : tensor<32xf32, #a> into tensor<32xf32, #a>
  return
}
