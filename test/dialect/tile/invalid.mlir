// RUN: infini-opt %s --split-input-file --verify-diagnostics

// What the verifiers of the ops on tiles refuse. Labels are those of
// TileOps.td; cases without one are refused by traits and types.

//===----------------------------------------------------------------------===//
// load
//===----------------------------------------------------------------------===//

// load_c1
func.func @load_too_few_offsets(%b: memref<1x8x?x64xf32>, %n: index) {
  // expected-error@+1 {{'tile.load' op expected one offset a source dimension (4), got 3}}
  %t = tile.load %b[0, 0, %n] dims [2, 3] : memref<1x8x?x64xf32> -> tensor<64x64xf32>
  return
}

// -----

// load_c1
func.func @load_too_many_offsets(%b: memref<8xf32>, %n: index) {
  // expected-error@+1 {{'tile.load' op expected one offset a source dimension (1), got 2}}
  %t = tile.load %b[0, 0] dims [0] : memref<8xf32> -> tensor<8xf32>
  return
}

// -----

// load_c1: a dynamic offset without an operand.
func.func @load_missing_offset(%b: memref<8xf32>, %n: index) {
  // expected-error@+1 {{'tile.load' op expected one operand a dynamic entry of 'offsets' (1), got 0}}
  %t = "tile.load"(%b) <{operandSegmentSizes = array<i32: 1, 0, 0>, static_offsets = array<i64: -9223372036854775808>, dims = array<i64: 0>}> : (memref<8xf32>) -> tensor<8xf32>
  return
}

// -----

// load_c2
func.func @load_too_few_dims(%b: memref<4x8xf32>, %n: index) {
  // expected-error@+1 {{'tile.load' op expected one entry of 'dims' a tile dimension (2), got 1}}
  %t = tile.load %b[0, 0] dims [0] : memref<4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

// load_c2
func.func @load_too_many_dims(%b: memref<4x8xf32>, %n: index) {
  // expected-error@+1 {{'tile.load' op expected one entry of 'dims' a tile dimension (1), got 2}}
  %t = tile.load %b[0, 0] dims [0, 1] : memref<4x8xf32> -> tensor<8xf32>
  return
}

// -----

// load_c2
func.func @load_large_dim(%b: memref<4x8xf32>, %n: index) {
  // expected-error@+1 {{'tile.load' op expected entries of 'dims' to be at least 0 and below the rank of the source (2), got 2}}
  %t = tile.load %b[0, 0] dims [0, 2] : memref<4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

// load_c2
func.func @load_negative_dim(%b: memref<4x8xf32>, %n: index) {
  // expected-error@+1 {{'tile.load' op expected entries of 'dims' to be at least 0 and below the rank of the source (2), got -1}}
  %t = tile.load %b[0, 0] dims [-1] : memref<4x8xf32> -> tensor<8xf32>
  return
}

// -----

// load_c2
func.func @load_dim_twice(%b: memref<4x8xf32>, %n: index) {
  // expected-error@+1 {{'tile.load' op expected distinct entries of 'dims', got 0 twice}}
  %t = tile.load %b[0, 0] dims [0, 0] : memref<4x8xf32> -> tensor<4x4xf32>
  return
}

// -----

// load_c3
func.func @load_too_few_valid(%b: memref<4x8xf32>, %n: index) {
  // expected-error@+1 {{'tile.load' op expected one entry of 'valid' a tile dimension (2), got 1}}
  %t = tile.load %b[0, 0] dims [0, 1] valid [%n] : memref<4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

// load_c3
func.func @load_too_many_valid(%b: memref<4x8xf32>, %n: index) {
  // expected-error@+1 {{'tile.load' op expected one entry of 'valid' a tile dimension (0), got 1}}
  %t = tile.load %b[0, 0] dims [] valid [4] : memref<4x8xf32> -> tensor<f32>
  return
}

// -----

// load_c3: an operand, but no entry.
func.func @load_missing_valid(%b: memref<8xf32>, %n: index) {
  // expected-error@+1 {{'tile.load' op expected one operand a dynamic entry of 'valid' (0), got 1}}
  %t = "tile.load"(%b, %n) <{operandSegmentSizes = array<i32: 1, 0, 1>, static_offsets = array<i64: 0>, dims = array<i64: 0>}> : (memref<8xf32>, index) -> tensor<8xf32>
  return
}

// -----

// load_c4
func.func @load_element_type(%b: memref<8xf32>, %n: index) {
  // expected-error@+1 {{'tile.load' op expected the tile to have element type 'f32', as the source, got 'f16'}}
  %t = tile.load %b[0] dims [0] : memref<8xf32> -> tensor<8xf16>
  return
}

// -----

// load_c5
func.func @load_pad_type(%b: memref<8xf32>, %n: index) {
  // expected-error@+1 {{'tile.load' op expected 'pad' to be a number of type 'f32', got 0 : i32}}
  %t = tile.load %b[0] dims [0] valid [%n] {pad = 0 : i32} : memref<8xf32> -> tensor<8xf32>
  return
}

// -----

// load_c5
func.func @load_pad_width(%b: memref<8xf32>, %n: index) {
  // expected-error@+1 {{'tile.load' op expected 'pad' to be a number of type 'f32', got 1.000000e+00 : f16}}
  %t = tile.load %b[0] dims [0] valid [%n] {pad = 1.0 : f16} : memref<8xf32> -> tensor<8xf32>
  return
}

// -----

// load_c5: a tile is no number.
func.func @load_pad_tile(%b: memref<8xf32>, %n: index) {
  // expected-error@+1 {{'tile.load' op expected 'pad' to be a number of type 'f32', got dense<0.000000e+00> : tensor<8xf32>}}
  %t = tile.load %b[0] dims [0] valid [%n] {pad = dense<0.0> : tensor<8xf32>} : memref<8xf32> -> tensor<8xf32>
  return
}

// -----

func.func @load_dynamic_tile(%b: memref<8xf32>, %n: index) {
  // expected-error@+1 {{'tile.load' op result #0 must be statically shaped tensor of floating-point or signless integer or index values, but got 'tensor<?xf32>'}}
  %t = tile.load %b[0] dims [0] : memref<8xf32> -> tensor<?xf32>
  return
}

// -----

func.func @load_complex(%b: memref<8xcomplex<f32>>, %n: index) {
  // expected-error@+1 {{'tile.load' op operand #0 must be memref of floating-point or signless integer or index values, but got 'memref<8xcomplex<f32>>'}}
  %t = tile.load %b[0] dims [0] : memref<8xcomplex<f32>> -> tensor<8xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// store
//===----------------------------------------------------------------------===//

// store_c1
func.func @store_too_few_offsets(%t: tensor<64x64xf32>, %b: memref<1x8x?x64xf32>, %n: index) {
  // expected-error@+1 {{'tile.store' op expected one offset a dest dimension (4), got 3}}
  tile.store %t, %b[0, 0, %n] dims [2, 3] : tensor<64x64xf32>, memref<1x8x?x64xf32>
  return
}

// -----

// store_c1
func.func @store_too_many_offsets(%t: tensor<8xf32>, %b: memref<8xf32>, %n: index) {
  // expected-error@+1 {{'tile.store' op expected one offset a dest dimension (1), got 2}}
  tile.store %t, %b[0, 0] dims [0] : tensor<8xf32>, memref<8xf32>
  return
}

// -----

// store_c1: a dynamic offset without an operand.
func.func @store_missing_offset(%t: tensor<8xf32>, %b: memref<8xf32>, %n: index) {
  // expected-error@+1 {{'tile.store' op expected one operand a dynamic entry of 'offsets' (1), got 0}}
  "tile.store"(%t, %b) <{operandSegmentSizes = array<i32: 1, 1, 0, 0>, static_offsets = array<i64: -9223372036854775808>, dims = array<i64: 0>}> : (tensor<8xf32>, memref<8xf32>) -> ()
  return
}

// -----

// store_c2
func.func @store_too_few_dims(%t: tensor<4x8xf32>, %b: memref<4x8xf32>, %n: index) {
  // expected-error@+1 {{'tile.store' op expected one entry of 'dims' a tile dimension (2), got 1}}
  tile.store %t, %b[0, 0] dims [0] : tensor<4x8xf32>, memref<4x8xf32>
  return
}

// -----

// store_c2
func.func @store_too_many_dims(%t: tensor<8xf32>, %b: memref<4x8xf32>, %n: index) {
  // expected-error@+1 {{'tile.store' op expected one entry of 'dims' a tile dimension (1), got 2}}
  tile.store %t, %b[0, 0] dims [0, 1] : tensor<8xf32>, memref<4x8xf32>
  return
}

// -----

// store_c2
func.func @store_large_dim(%t: tensor<4x8xf32>, %b: memref<4x8xf32>, %n: index) {
  // expected-error@+1 {{'tile.store' op expected entries of 'dims' to be at least 0 and below the rank of the dest (2), got 2}}
  tile.store %t, %b[0, 0] dims [0, 2] : tensor<4x8xf32>, memref<4x8xf32>
  return
}

// -----

// store_c2
func.func @store_negative_dim(%t: tensor<8xf32>, %b: memref<4x8xf32>, %n: index) {
  // expected-error@+1 {{'tile.store' op expected entries of 'dims' to be at least 0 and below the rank of the dest (2), got -1}}
  tile.store %t, %b[0, 0] dims [-1] : tensor<8xf32>, memref<4x8xf32>
  return
}

// -----

// store_c2
func.func @store_dim_twice(%t: tensor<4x4xf32>, %b: memref<4x8xf32>, %n: index) {
  // expected-error@+1 {{'tile.store' op expected distinct entries of 'dims', got 0 twice}}
  tile.store %t, %b[0, 0] dims [0, 0] : tensor<4x4xf32>, memref<4x8xf32>
  return
}

// -----

// store_c3
func.func @store_too_few_valid(%t: tensor<4x8xf32>, %b: memref<4x8xf32>, %n: index) {
  // expected-error@+1 {{'tile.store' op expected one entry of 'valid' a tile dimension (2), got 1}}
  tile.store %t, %b[0, 0] dims [0, 1] valid [%n] : tensor<4x8xf32>, memref<4x8xf32>
  return
}

// -----

// store_c3
func.func @store_too_many_valid(%t: tensor<f32>, %b: memref<4x8xf32>, %n: index) {
  // expected-error@+1 {{'tile.store' op expected one entry of 'valid' a tile dimension (0), got 1}}
  tile.store %t, %b[0, 0] dims [] valid [4] : tensor<f32>, memref<4x8xf32>
  return
}

// -----

// store_c3: an operand, but no entry.
func.func @store_missing_valid(%t: tensor<8xf32>, %b: memref<8xf32>, %n: index) {
  // expected-error@+1 {{'tile.store' op expected one operand a dynamic entry of 'valid' (0), got 1}}
  "tile.store"(%t, %b, %n) <{operandSegmentSizes = array<i32: 1, 1, 0, 1>, static_offsets = array<i64: 0>, dims = array<i64: 0>}> : (tensor<8xf32>, memref<8xf32>, index) -> ()
  return
}

// -----

// store_c4
func.func @store_element_type(%t: tensor<8xf16>, %b: memref<8xf32>, %n: index) {
  // expected-error@+1 {{'tile.store' op expected the tile to have element type 'f32', as the dest, got 'f16'}}
  tile.store %t, %b[0] dims [0] : tensor<8xf16>, memref<8xf32>
  return
}

// -----

func.func @store_dynamic_tile(%t: tensor<?xf32>, %b: memref<8xf32>, %n: index) {
  // expected-error@+1 {{'tile.store' op operand #0 must be statically shaped tensor of floating-point or signless integer or index values, but got 'tensor<?xf32>'}}
  tile.store %t, %b[0] dims [0] : tensor<?xf32>, memref<8xf32>
  return
}

// -----

func.func @store_complex(%t: tensor<8xf32>, %b: memref<8xcomplex<f32>>, %n: index) {
  // expected-error@+1 {{'tile.store' op operand #1 must be memref of floating-point or signless integer or index values, but got 'memref<8xcomplex<f32>>'}}
  tile.store %t, %b[0] dims [0] : tensor<8xf32>, memref<8xcomplex<f32>>
  return
}

// -----

//===----------------------------------------------------------------------===//
// dot
//===----------------------------------------------------------------------===//

// dot_c1
func.func @dot_rank_of_a(%a: tensor<1x2x3xf32>, %b: tensor<3x5xf32>, %c: tensor<2x5xf32>) {
  // expected-error@+1 {{'tile.dot' op expected 'a' to have rank 1 or 2, got 3}}
  %r = tile.dot %a, %b, %c : tensor<1x2x3xf32>, tensor<3x5xf32> into tensor<2x5xf32>
  return
}

// -----

// dot_c1
func.func @dot_rank_of_b(%a: tensor<2x3xf32>, %b: tensor<f32>, %c: tensor<2xf32>) {
  // expected-error@+1 {{'tile.dot' op expected 'b' to have rank 1 or 2, got 0}}
  %r = tile.dot %a, %b, %c : tensor<2x3xf32>, tensor<f32> into tensor<2xf32>
  return
}

// -----

// dot_c1
func.func @dot_two_vectors(%a: tensor<3xf32>, %b: tensor<3xf32>, %c: tensor<f32>) {
  // expected-error@+1 {{'tile.dot' op expected 'a' or 'b' to have rank 2, got 1 and 1}}
  %r = tile.dot %a, %b, %c : tensor<3xf32>, tensor<3xf32> into tensor<f32>
  return
}

// -----

// dot_c1
func.func @dot_transposed_vector_a(%a: tensor<3xf32>, %b: tensor<3x5xf32>, %c: tensor<5xf32>) {
  // expected-error@+1 {{'tile.dot' op expected 'a' to have rank 2 with 'transpose_a', got 1}}
  %r = tile.dot %a, %b, %c {transpose_a} : tensor<3xf32>, tensor<3x5xf32> into tensor<5xf32>
  return
}

// -----

// dot_c1
func.func @dot_transposed_vector_b(%a: tensor<2x3xf32>, %b: tensor<3xf32>, %c: tensor<2xf32>) {
  // expected-error@+1 {{'tile.dot' op expected 'b' to have rank 2 with 'transpose_b', got 1}}
  %r = tile.dot %a, %b, %c {transpose_b} : tensor<2x3xf32>, tensor<3xf32> into tensor<2xf32>
  return
}

// -----

// dot_c2
func.func @dot_rank_of_acc(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>, %c: tensor<10xf32>) {
  // expected-error@+1 {{'tile.dot' op expected 'acc' to have rank 2, got 1}}
  %r = tile.dot %a, %b, %c : tensor<2x3xf32>, tensor<3x5xf32> into tensor<10xf32>
  return
}

// -----

// dot_c2
func.func @dot_rank_of_acc_vector(%a: tensor<2x3xf32>, %b: tensor<3xf32>, %c: tensor<2x1xf32>) {
  // expected-error@+1 {{'tile.dot' op expected 'acc' to have rank 1, got 2}}
  %r = tile.dot %a, %b, %c : tensor<2x3xf32>, tensor<3xf32> into tensor<2x1xf32>
  return
}

// -----

// dot_c2
func.func @dot_m(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>, %c: tensor<4x5xf32>) {
  // expected-error@+1 {{'tile.dot' op expected one size 'm', got 2 and 4}}
  %r = tile.dot %a, %b, %c : tensor<2x3xf32>, tensor<3x5xf32> into tensor<4x5xf32>
  return
}

// -----

// dot_c2
func.func @dot_k(%a: tensor<2x3xf32>, %b: tensor<4x5xf32>, %c: tensor<2x5xf32>) {
  // expected-error@+1 {{'tile.dot' op expected one size 'k', got 3 and 4}}
  %r = tile.dot %a, %b, %c : tensor<2x3xf32>, tensor<4x5xf32> into tensor<2x5xf32>
  return
}

// -----

// dot_c2
func.func @dot_n(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>, %c: tensor<2x6xf32>) {
  // expected-error@+1 {{'tile.dot' op expected one size 'n', got 5 and 6}}
  %r = tile.dot %a, %b, %c : tensor<2x3xf32>, tensor<3x5xf32> into tensor<2x6xf32>
  return
}

// -----

// dot_c2
func.func @dot_m_transposed(%a: tensor<2x3xf32>, %b: tensor<2x5xf32>, %c: tensor<2x5xf32>) {
  // expected-error@+1 {{'tile.dot' op expected one size 'm', got 3 and 2}}
  %r = tile.dot %a, %b, %c {transpose_a} : tensor<2x3xf32>, tensor<2x5xf32> into tensor<2x5xf32>
  return
}

// -----

// dot_c2
func.func @dot_k_transposed(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>, %c: tensor<2x3xf32>) {
  // expected-error@+1 {{'tile.dot' op expected one size 'k', got 3 and 5}}
  %r = tile.dot %a, %b, %c {transpose_b} : tensor<2x3xf32>, tensor<3x5xf32> into tensor<2x3xf32>
  return
}

// -----

// dot_c2
func.func @dot_n_transposed(%a: tensor<3x2xf32>, %b: tensor<5x3xf32>, %c: tensor<2x3xf32>) {
  // expected-error@+1 {{'tile.dot' op expected one size 'n', got 5 and 3}}
  %r = tile.dot %a, %b, %c {transpose_a, transpose_b} : tensor<3x2xf32>, tensor<5x3xf32> into tensor<2x3xf32>
  return
}

// -----

// dot_c2
func.func @dot_m_vector(%a: tensor<2x3xf32>, %b: tensor<3xf32>, %c: tensor<3xf32>) {
  // expected-error@+1 {{'tile.dot' op expected one size 'm', got 2 and 3}}
  %r = tile.dot %a, %b, %c : tensor<2x3xf32>, tensor<3xf32> into tensor<3xf32>
  return
}

// -----

// dot_c2
func.func @dot_k_vector_a(%a: tensor<2xf32>, %b: tensor<3x5xf32>, %c: tensor<5xf32>) {
  // expected-error@+1 {{'tile.dot' op expected one size 'k', got 2 and 3}}
  %r = tile.dot %a, %b, %c : tensor<2xf32>, tensor<3x5xf32> into tensor<5xf32>
  return
}

// -----

// dot_c2
func.func @dot_k_vector_b(%a: tensor<2x3xf32>, %b: tensor<2xf32>, %c: tensor<2xf32>) {
  // expected-error@+1 {{'tile.dot' op expected one size 'k', got 3 and 2}}
  %r = tile.dot %a, %b, %c : tensor<2x3xf32>, tensor<2xf32> into tensor<2xf32>
  return
}

// -----

// dot_c2
func.func @dot_n_vector(%a: tensor<3xf32>, %b: tensor<3x5xf32>, %c: tensor<3xf32>) {
  // expected-error@+1 {{'tile.dot' op expected one size 'n', got 5 and 3}}
  %r = tile.dot %a, %b, %c : tensor<3xf32>, tensor<3x5xf32> into tensor<3xf32>
  return
}

// -----

// dot_c3
func.func @dot_mixed(%a: tensor<2x3xf16>, %b: tensor<3x5xbf16>, %c: tensor<2x5xf32>) {
  // expected-error@+1 {{'tile.dot' op expected 'b' to have element type 'f16', as 'a', got 'bf16'}}
  %r = tile.dot %a, %b, %c : tensor<2x3xf16>, tensor<3x5xbf16> into tensor<2x5xf32>
  return
}

// -----

// dot_c3: no integers.
func.func @dot_integers(%a: tensor<2x3xi8>, %b: tensor<3x5xi8>, %c: tensor<2x5xf32>) {
  // expected-error@+1 {{'tile.dot' op operand #0 must be statically shaped tensor of bfloat16 type or 16-bit float or 32-bit float or 64-bit float values or buffer in shared memory, but got 'tensor<2x3xi8>'}}
  %r = tile.dot %a, %b, %c : tensor<2x3xi8>, tensor<3x5xi8> into tensor<2x5xf32>
  return
}

// -----

// dot_c4
func.func @dot_half_acc(%a: tensor<2x3xf16>, %b: tensor<3x5xf16>, %c: tensor<2x5xf16>) {
  // expected-error@+1 {{'tile.dot' op expected 'acc' to have element type f32 or f64, got 'f16'}}
  %r = tile.dot %a, %b, %c : tensor<2x3xf16>, tensor<3x5xf16> into tensor<2x5xf16>
  return
}

// -----

// dot_c4
func.func @dot_narrow_acc(%a: tensor<2x3xf64>, %b: tensor<3x5xf64>, %c: tensor<2x5xf32>) {
  // expected-error@+1 {{'tile.dot' op expected 'acc' to have element type f64, got 'f32'}}
  %r = tile.dot %a, %b, %c : tensor<2x3xf64>, tensor<3x5xf64> into tensor<2x5xf32>
  return
}

// -----

func.func @dot_type_of_result(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>, %c: tensor<2x5xf32>) {
  // expected-error@+1 {{'tile.dot' op failed to verify that all of {acc, result} have same type}}
  %r = "tile.dot"(%a, %b, %c) : (tensor<2x3xf32>, tensor<3x5xf32>, tensor<2x5xf32>) -> tensor<2x5xf64>
  return
}

// -----

//===----------------------------------------------------------------------===//
// reduce
//===----------------------------------------------------------------------===//

// reduce_c1
func.func @reduce_large_axis(%x: tensor<4x8xf32>, %i: tensor<4xf32>) {
  // expected-error@+1 {{'tile.reduce' op expected 'axis' to be at least 0 and below the rank (2), got 2}}
  %r = tile.reduce sum %x, %i axis 2 : tensor<4x8xf32> into tensor<4xf32>
  return
}

// -----

// reduce_c1
func.func @reduce_negative_axis(%x: tensor<4x8xf32>, %i: tensor<4xf32>) {
  // expected-error@+1 {{'tile.reduce' op expected 'axis' to be at least 0 and below the rank (2), got -1}}
  %r = tile.reduce sum %x, %i axis -1 : tensor<4x8xf32> into tensor<4xf32>
  return
}

// -----

// reduce_c1: there is no axis.
func.func @reduce_rank_0(%x: tensor<f32>, %i: tensor<f32>) {
  // expected-error@+1 {{'tile.reduce' op expected 'axis' to be at least 0 and below the rank (0), got 0}}
  %r = tile.reduce sum %x, %i axis 0 : tensor<f32> into tensor<f32>
  return
}

// -----

// reduce_c2
func.func @reduce_shape(%x: tensor<4x8xf32>, %i: tensor<4xf32>) {
  // expected-error@+1 {{'tile.reduce' op expected 'init' to have type 'tensor<8xf32>', got 'tensor<4xf32>'}}
  %r = tile.reduce sum %x, %i axis 0 : tensor<4x8xf32> into tensor<4xf32>
  return
}

// -----

// reduce_c2
func.func @reduce_rank(%x: tensor<4x8xf32>, %i: tensor<1x8xf32>) {
  // expected-error@+1 {{'tile.reduce' op expected 'init' to have type 'tensor<8xf32>', got 'tensor<1x8xf32>'}}
  %r = tile.reduce sum %x, %i axis 0 : tensor<4x8xf32> into tensor<1x8xf32>
  return
}

// -----

// reduce_c2
func.func @reduce_element_type(%x: tensor<4x8xf16>, %i: tensor<8xf32>) {
  // expected-error@+1 {{'tile.reduce' op expected 'init' to have type 'tensor<8xf16>', got 'tensor<8xf32>'}}
  %r = tile.reduce sum %x, %i axis 0 : tensor<4x8xf16> into tensor<8xf32>
  return
}

// -----

// reduce_c3
func.func @reduce_maxnum_of_integers(%x: tensor<4xi32>, %i: tensor<i32>) {
  // expected-error@+1 {{'tile.reduce' op expected 'maxnum' to have float elements, got 'i32'}}
  %r = tile.reduce maxnum %x, %i axis 0 : tensor<4xi32> into tensor<i32>
  return
}

// -----

// reduce_c3
func.func @reduce_minnum_of_indices(%x: tensor<4xindex>, %i: tensor<index>) {
  // expected-error@+1 {{'tile.reduce' op expected 'minnum' to have float elements, got 'index'}}
  %r = tile.reduce minnum %x, %i axis 0 : tensor<4xindex> into tensor<index>
  return
}

// -----

func.func @reduce_type_of_result(%x: tensor<4x8xf32>, %i: tensor<8xf32>) {
  // expected-error@+1 {{'tile.reduce' op failed to verify that all of {init, result} have same type}}
  %r = "tile.reduce"(%x, %i) <{kind = #tile<reduction sum>, axis = 0 : i64}> : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<8xf64>
  return
}

// -----

//===----------------------------------------------------------------------===//
// broadcast
//===----------------------------------------------------------------------===//

// broadcast_c1
func.func @broadcast_large_axis(%x: tensor<4xf32>) {
  // expected-error@+1 {{'tile.broadcast' op expected 'axes' to be at least 0 and below the rank of the result (2), got 2}}
  %r = tile.broadcast %x along [2] : tensor<4xf32> -> tensor<4x8xf32>
  return
}

// -----

// broadcast_c1
func.func @broadcast_negative_axis(%x: tensor<4xf32>) {
  // expected-error@+1 {{'tile.broadcast' op expected 'axes' to be at least 0 and below the rank of the result (2), got -1}}
  %r = tile.broadcast %x along [-1] : tensor<4xf32> -> tensor<4x8xf32>
  return
}

// -----

// broadcast_c1
func.func @broadcast_order(%x: tensor<4xf32>) {
  // expected-error@+1 {{'tile.broadcast' op expected 'axes' to be strictly increasing, got 0 after 2}}
  %r = tile.broadcast %x along [2, 0] : tensor<4xf32> -> tensor<2x4x8xf32>
  return
}

// -----

// broadcast_c1
func.func @broadcast_axis_twice(%x: tensor<4xf32>) {
  // expected-error@+1 {{'tile.broadcast' op expected 'axes' to be strictly increasing, got 1 after 1}}
  %r = tile.broadcast %x along [1, 1] : tensor<4xf32> -> tensor<4x8xf32>
  return
}

// -----

// broadcast_c2
func.func @broadcast_shape(%x: tensor<4xf32>) {
  // expected-error@+1 {{'tile.broadcast' op expected the result's shape without 'axes' to be the source's, got 'tensor<4x8xf32>' of 'tensor<4xf32>'}}
  %r = tile.broadcast %x along [0] : tensor<4xf32> -> tensor<4x8xf32>
  return
}

// -----

// broadcast_c2: ones are not repeated.
func.func @broadcast_one(%x: tensor<4x1xf32>) {
  // expected-error@+1 {{'tile.broadcast' op expected the result's shape without 'axes' to be the source's, got 'tensor<4x8xf32>' of 'tensor<4x1xf32>'}}
  %r = tile.broadcast %x along [] : tensor<4x1xf32> -> tensor<4x8xf32>
  return
}

// -----

// broadcast_c2: a scalar has no dimension.
func.func @broadcast_scalar(%x: f32) {
  // expected-error@+1 {{'tile.broadcast' op expected the result's shape without 'axes' to be the source's, got 'tensor<4x8xf32>' of 'f32'}}
  %r = tile.broadcast %x along [0] : f32 -> tensor<4x8xf32>
  return
}

// -----

// broadcast_c3
func.func @broadcast_element_type(%x: tensor<4xf32>) {
  // expected-error@+1 {{'tile.broadcast' op expected the result to have element type 'f32', as the source, got 'f64'}}
  %r = tile.broadcast %x along [1] : tensor<4xf32> -> tensor<4x8xf64>
  return
}

// -----

// broadcast_c3
func.func @broadcast_element_type_of_scalar(%x: index) {
  // expected-error@+1 {{'tile.broadcast' op expected the result to have element type 'index', as the source, got 'i64'}}
  %r = tile.broadcast %x along [0] : index -> tensor<4xi64>
  return
}

// -----

//===----------------------------------------------------------------------===//
// transpose
//===----------------------------------------------------------------------===//

// transpose_c1
func.func @transpose_too_short(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{'tile.transpose' op expected a permutation of the source's dimensions (2), got [0]}}
  %r = tile.transpose %x [0] : tensor<4x8xf32> -> tensor<8x4xf32>
  return
}

// -----

// transpose_c1
func.func @transpose_twice(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{'tile.transpose' op expected a permutation of the source's dimensions (2), got [1, 1]}}
  %r = tile.transpose %x [1, 1] : tensor<4x8xf32> -> tensor<8x8xf32>
  return
}

// -----

// transpose_c1
func.func @transpose_outside(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{'tile.transpose' op expected a permutation of the source's dimensions (2), got [2, 0]}}
  %r = tile.transpose %x [2, 0] : tensor<4x8xf32> -> tensor<8x4xf32>
  return
}

// -----

// transpose_c1
func.func @transpose_negative(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{'tile.transpose' op expected a permutation of the source's dimensions (2), got [-1, 0]}}
  %r = tile.transpose %x [-1, 0] : tensor<4x8xf32> -> tensor<8x4xf32>
  return
}

// -----

// transpose_c2
func.func @transpose_shape(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{'tile.transpose' op expected the result to have type 'tensor<8x4xf32>', got 'tensor<4x8xf32>'}}
  %r = tile.transpose %x [1, 0] : tensor<4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

// transpose_c2: not the other way round.
func.func @transpose_inverse(%x: tensor<2x3x5xf32>) {
  // expected-error@+1 {{'tile.transpose' op expected the result to have type 'tensor<5x2x3xf32>', got 'tensor<3x5x2xf32>'}}
  %r = tile.transpose %x [2, 0, 1] : tensor<2x3x5xf32> -> tensor<3x5x2xf32>
  return
}

// -----

// transpose_c2
func.func @transpose_element_type(%x: tensor<4x8xf32>) {
  // expected-error@+1 {{'tile.transpose' op expected the result to have type 'tensor<8x4xf32>', got 'tensor<8x4xf16>'}}
  %r = tile.transpose %x [1, 0] : tensor<4x8xf32> -> tensor<8x4xf16>
  return
}

// -----

//===----------------------------------------------------------------------===//
// index
//===----------------------------------------------------------------------===//

// index_c1
func.func @index_large_axis() {
  // expected-error@+1 {{'tile.index' op expected 'axis' to be at least 0 and below the rank (2), got 2}}
  %r = tile.index axis 2 : tensor<4x8xindex>
  return
}

// -----

// index_c1
func.func @index_negative_axis() {
  // expected-error@+1 {{'tile.index' op expected 'axis' to be at least 0 and below the rank (2), got -1}}
  %r = tile.index axis -1 : tensor<4x8xindex>
  return
}

// -----

func.func @index_element_type() {
  // expected-error@+1 {{'tile.index' op result #0 must be statically shaped tensor of index values, but got 'tensor<4xi64>'}}
  %r = tile.index axis 0 : tensor<4xi64>
  return
}
