// RUN: infini-opt %s --split-input-file --verify-diagnostics

// What the verifiers of a lane's ops refuse. Labels are those of LaneOps.td;
// cases without one are refused by traits and types.

//===----------------------------------------------------------------------===//
// load_global
//===----------------------------------------------------------------------===//

// load_global_c1
func.func @load_global_other_float(%b: memref<?x64xbf16>, %i: index) {
  // expected-error@+1 {{'nv.load_global' op expected elements of type 'bf16', as the buffer has, got 'vector<8xf16>'}}
  %x = nv.load_global %b[%i] : memref<?x64xbf16>, vector<8xf16>
  return
}

// -----

// load_global_c1
func.func @load_global_integer(%b: memref<?x64xf32>, %i: index) {
  // expected-error@+1 {{'nv.load_global' op expected elements of type 'f32', as the buffer has, got 'vector<4xi32>'}}
  %x = nv.load_global %b[%i] : memref<?x64xf32>, vector<4xi32>
  return
}

// -----

// load_global_c1: no coordinates.
func.func @load_global_index(%b: memref<?x64xindex>, %i: index) {
  // expected-error@+1 {{'nv.load_global' op operand #0 must be memref of floating-point or signless integer values, but got 'memref<?x64xindex>'}}
  %x = nv.load_global %b[%i] : memref<?x64xindex>, vector<2xi64>
  return
}

// -----

// load_global_c1: an element has an address of its own.
func.func @load_global_bits(%b: memref<?x64xi1>, %i: index) {
  // expected-error@+1 {{'nv.load_global' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<8xi1>'}}
  %x = nv.load_global %b[%i] : memref<?x64xi1>, vector<8xi1>
  return
}

// -----

// load_global_c1
func.func @load_global_half_bytes(%b: memref<?x64xi4>, %i: index) {
  // expected-error@+1 {{'nv.load_global' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<4xi4>'}}
  %x = nv.load_global %b[%i] : memref<?x64xi4>, vector<4xi4>
  return
}

// -----

// load_global_c2
func.func @load_global_large(%b: memref<?x64xf32>, %i: index) {
  // expected-error@+1 {{'nv.load_global' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<8xf32>'}}
  %x = nv.load_global %b[%i] : memref<?x64xf32>, vector<8xf32>
  return
}

// -----

// load_global_c2
func.func @load_global_large_f64(%b: memref<?x64xf64>, %i: index) {
  // expected-error@+1 {{'nv.load_global' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<4xf64>'}}
  %x = nv.load_global %b[%i] : memref<?x64xf64>, vector<4xf64>
  return
}

// -----

// load_global_c2
func.func @load_global_three(%b: memref<?x64xf32>, %i: index) {
  // expected-error@+1 {{'nv.load_global' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<3xf32>'}}
  %x = nv.load_global %b[%i] : memref<?x64xf32>, vector<3xf32>
  return
}

// -----

// load_global_c2
func.func @load_global_three_bytes(%b: memref<?x64xi8>, %i: index) {
  // expected-error@+1 {{'nv.load_global' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<3xi8>'}}
  %x = nv.load_global %b[%i] : memref<?x64xi8>, vector<3xi8>
  return
}

// -----

// load_global_c2
func.func @load_global_odd_type(%b: memref<?x64xi24>, %i: index) {
  // expected-error@+1 {{'nv.load_global' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<1xi24>'}}
  %x = nv.load_global %b[%i] : memref<?x64xi24>, vector<1xi24>
  return
}

// -----

func.func @load_global_rank_2(%b: memref<?x64xf32>, %i: index) {
  // expected-error@+1 {{'nv.load_global' op result #0 must be fixed-length vector of floating-point or signless integer values of ranks 1, but got 'vector<2x2xf32>'}}
  %x = nv.load_global %b[%i] : memref<?x64xf32>, vector<2x2xf32>
  return
}

// -----

func.func @load_global_number(%b: memref<?xf32>, %i: index) {
  // expected-error@+1 {{custom op 'nv.load_global' invalid kind of type specified: expected builtin.vector, but found 'f32'}}
  %x = nv.load_global %b[%i] : memref<?xf32>, f32
  return
}

// -----

func.func @load_global_complex(%b: memref<?xcomplex<f32>>, %i: index) {
  // expected-error@+1 {{'nv.load_global' op operand #0 must be memref of floating-point or signless integer values, but got 'memref<?xcomplex<f32>>'}}
  %x = nv.load_global %b[%i] : memref<?xcomplex<f32>>, vector<2xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// store_global
//===----------------------------------------------------------------------===//

// store_global_c1
func.func @store_global_other_float(%x: vector<8xf16>, %b: memref<?x64xbf16>, %i: index) {
  // expected-error@+1 {{'nv.store_global' op expected elements of type 'bf16', as the buffer has, got 'vector<8xf16>'}}
  nv.store_global %x, %b[%i] : vector<8xf16>, memref<?x64xbf16>
  return
}

// -----

// store_global_c1
func.func @store_global_wider(%x: vector<4xf32>, %b: memref<?x64xbf16>, %i: index) {
  // expected-error@+1 {{'nv.store_global' op expected elements of type 'bf16', as the buffer has, got 'vector<4xf32>'}}
  nv.store_global %x, %b[%i] : vector<4xf32>, memref<?x64xbf16>
  return
}

// -----

// store_global_c1
func.func @store_global_index(%x: vector<2xi64>, %b: memref<?x64xindex>, %i: index) {
  // expected-error@+1 {{'nv.store_global' op operand #1 must be memref of floating-point or signless integer values, but got 'memref<?x64xindex>'}}
  nv.store_global %x, %b[%i] : vector<2xi64>, memref<?x64xindex>
  return
}

// -----

// store_global_c1
func.func @store_global_bits(%x: vector<8xi1>, %b: memref<?x64xi1>, %i: index) {
  // expected-error@+1 {{'nv.store_global' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<8xi1>'}}
  nv.store_global %x, %b[%i] : vector<8xi1>, memref<?x64xi1>
  return
}

// -----

// store_global_c2
func.func @store_global_large(%x: vector<16xbf16>, %b: memref<?x64xbf16>, %i: index) {
  // expected-error@+1 {{'nv.store_global' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<16xbf16>'}}
  nv.store_global %x, %b[%i] : vector<16xbf16>, memref<?x64xbf16>
  return
}

// -----

// store_global_c2
func.func @store_global_three(%x: vector<3xf32>, %b: memref<?x64xf32>, %i: index) {
  // expected-error@+1 {{'nv.store_global' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<3xf32>'}}
  nv.store_global %x, %b[%i] : vector<3xf32>, memref<?x64xf32>
  return
}

// -----

// store_global_c2
func.func @store_global_six(%x: vector<6xbf16>, %b: memref<?x64xbf16>, %i: index) {
  // expected-error@+1 {{'nv.store_global' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<6xbf16>'}}
  nv.store_global %x, %b[%i] : vector<6xbf16>, memref<?x64xbf16>
  return
}

// -----

func.func @store_global_rank_0(%x: vector<f32>, %b: memref<?x64xf32>, %i: index) {
  // expected-error@+1 {{'nv.store_global' op operand #0 must be fixed-length vector of floating-point or signless integer values of ranks 1, but got 'vector<f32>'}}
  nv.store_global %x, %b[%i] : vector<f32>, memref<?x64xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// load_shared
//===----------------------------------------------------------------------===//

// load_shared_c1
func.func @load_shared_large(%a: i32) {
  // expected-error@+1 {{'nv.load_shared' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<8xf32>'}}
  %x = nv.load_shared %a : vector<8xf32>
  return
}

// -----

// load_shared_c1
func.func @load_shared_large_f64(%a: i32) {
  // expected-error@+1 {{'nv.load_shared' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<4xf64>'}}
  %x = nv.load_shared %a : vector<4xf64>
  return
}

// -----

// load_shared_c1
func.func @load_shared_three(%a: i32) {
  // expected-error@+1 {{'nv.load_shared' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<3xf32>'}}
  %x = nv.load_shared %a : vector<3xf32>
  return
}

// -----

// load_shared_c1
func.func @load_shared_three_halves(%a: i32) {
  // expected-error@+1 {{'nv.load_shared' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<3xbf16>'}}
  %x = nv.load_shared %a : vector<3xbf16>
  return
}

// -----

// load_shared_c1
func.func @load_shared_bits(%a: i32) {
  // expected-error@+1 {{'nv.load_shared' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<8xi1>'}}
  %x = nv.load_shared %a : vector<8xi1>
  return
}

// -----

// load_shared_c1
func.func @load_shared_half_bytes(%a: i32) {
  // expected-error@+1 {{'nv.load_shared' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<2xi4>'}}
  %x = nv.load_shared %a : vector<2xi4>
  return
}

// -----

// load_shared_c1
func.func @load_shared_odd_type(%a: i32) {
  // expected-error@+1 {{'nv.load_shared' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<1xi24>'}}
  %x = nv.load_shared %a : vector<1xi24>
  return
}

// -----

func.func @load_shared_rank_2(%a: i32) {
  // expected-error@+1 {{'nv.load_shared' op result #0 must be fixed-length vector of floating-point or signless integer values of ranks 1, but got 'vector<1x4xf32>'}}
  %x = nv.load_shared %a : vector<1x4xf32>
  return
}

// -----

func.func @load_shared_address(%a: i64) {
  // expected-error@+1 {{'nv.load_shared' op operand #0 must be 32-bit signless integer, but got 'i64'}}
  %x = "nv.load_shared"(%a) : (i64) -> vector<4xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// store_shared
//===----------------------------------------------------------------------===//

// store_shared_c1
func.func @store_shared_large(%x: vector<8xf32>, %a: i32) {
  // expected-error@+1 {{'nv.store_shared' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<8xf32>'}}
  nv.store_shared %x, %a : vector<8xf32>
  return
}

// -----

// store_shared_c1
func.func @store_shared_large_bf16(%x: vector<16xbf16>, %a: i32) {
  // expected-error@+1 {{'nv.store_shared' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<16xbf16>'}}
  nv.store_shared %x, %a : vector<16xbf16>
  return
}

// -----

// store_shared_c1
func.func @store_shared_large_f64(%x: vector<3xf64>, %a: i32) {
  // expected-error@+1 {{'nv.store_shared' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<3xf64>'}}
  nv.store_shared %x, %a : vector<3xf64>
  return
}

// -----

// store_shared_c1
func.func @store_shared_three(%x: vector<3xf32>, %a: i32) {
  // expected-error@+1 {{'nv.store_shared' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<3xf32>'}}
  nv.store_shared %x, %a : vector<3xf32>
  return
}

// -----

// store_shared_c1
func.func @store_shared_three_bytes(%x: vector<3xi8>, %a: i32) {
  // expected-error@+1 {{'nv.store_shared' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<3xi8>'}}
  nv.store_shared %x, %a : vector<3xi8>
  return
}

// -----

// store_shared_c1
func.func @store_shared_bits(%x: vector<8xi1>, %a: i32) {
  // expected-error@+1 {{'nv.store_shared' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<8xi1>'}}
  nv.store_shared %x, %a : vector<8xi1>
  return
}

// -----

// store_shared_c1
func.func @store_shared_odd_type(%x: vector<1xi24>, %a: i32) {
  // expected-error@+1 {{'nv.store_shared' op expected a value of 1, 2, 4, 8, or 16 bytes, got 'vector<1xi24>'}}
  nv.store_shared %x, %a : vector<1xi24>
  return
}

// -----

func.func @store_shared_rank_2(%x: vector<1x4xf32>, %a: i32) {
  // expected-error@+1 {{'nv.store_shared' op operand #0 must be fixed-length vector of floating-point or signless integer values of ranks 1, but got 'vector<1x4xf32>'}}
  nv.store_shared %x, %a : vector<1x4xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// copy_async
//===----------------------------------------------------------------------===//

// nv_copy_async_c1
func.func @copy_async_none(%b: memref<?x64xbf16>, %i: index, %a: i32) {
  // expected-error@+1 {{'nv.copy_async' op expected 'bytes' to be 4, 8, or 16, and a multiple of the element's size (2), got 0}}
  nv.copy_async %b[%i], %a {bytes = 0 : i64} : memref<?x64xbf16>
  return
}

// -----

// nv_copy_async_c1
func.func @copy_async_two(%b: memref<?x64xbf16>, %i: index, %a: i32) {
  // expected-error@+1 {{'nv.copy_async' op expected 'bytes' to be 4, 8, or 16, and a multiple of the element's size (2), got 2}}
  nv.copy_async %b[%i], %a {bytes = 2 : i64} : memref<?x64xbf16>
  return
}

// -----

// nv_copy_async_c1
func.func @copy_async_twelve(%b: memref<?x64xf32>, %i: index, %a: i32) {
  // expected-error@+1 {{'nv.copy_async' op expected 'bytes' to be 4, 8, or 16, and a multiple of the element's size (4), got 12}}
  nv.copy_async %b[%i], %a {bytes = 12 : i64} : memref<?x64xf32>
  return
}

// -----

// nv_copy_async_c1
func.func @copy_async_large(%b: memref<?x64xf32>, %i: index, %a: i32) {
  // expected-error@+1 {{'nv.copy_async' op expected 'bytes' to be 4, 8, or 16, and a multiple of the element's size (4), got 32}}
  nv.copy_async %b[%i], %a {bytes = 32 : i64} : memref<?x64xf32>
  return
}

// -----

// nv_copy_async_c1
func.func @copy_async_negative(%b: memref<?x64xbf16>, %i: index, %a: i32) {
  // expected-error@+1 {{'nv.copy_async' op expected 'bytes' to be 4, 8, or 16, and a multiple of the element's size (2), got -16}}
  nv.copy_async %b[%i], %a {bytes = -16 : i64} : memref<?x64xbf16>
  return
}

// -----

// nv_copy_async_c1
func.func @copy_async_part_of_f64(%b: memref<?x64xf64>, %i: index, %a: i32) {
  // expected-error@+1 {{'nv.copy_async' op expected 'bytes' to be 4, 8, or 16, and a multiple of the element's size (8), got 4}}
  nv.copy_async %b[%i], %a {bytes = 4 : i64} : memref<?x64xf64>
  return
}

// -----

// nv_copy_async_c1
func.func @copy_async_part_of_i128(%b: memref<?x64xi128>, %i: index, %a: i32) {
  // expected-error@+1 {{'nv.copy_async' op expected 'bytes' to be 4, 8, or 16, and a multiple of the element's size (16), got 8}}
  nv.copy_async %b[%i], %a {bytes = 8 : i64} : memref<?x64xi128>
  return
}

// -----

// nv_copy_async_c1
func.func @copy_async_part_of_i24(%b: memref<?x64xi24>, %i: index, %a: i32) {
  // expected-error@+1 {{'nv.copy_async' op expected 'bytes' to be 4, 8, or 16, and a multiple of the element's size (3), got 4}}
  nv.copy_async %b[%i], %a {bytes = 4 : i64} : memref<?x64xi24>
  return
}

// -----

func.func @copy_async_no_bytes(%b: memref<?xf32>, %i: index, %a: i32) {
  // expected-error@+1 {{'nv.copy_async' op requires attribute 'bytes'}}
  nv.copy_async %b[%i], %a : memref<?xf32>
  return
}

// -----

func.func @copy_async_address(%b: memref<?xf32>, %i: index, %a: index) {
  // expected-error@+1 {{'nv.copy_async' op operand #2 must be 32-bit signless integer, but got 'index'}}
  "nv.copy_async"(%b, %i, %a) <{bytes = 16 : i64}> : (memref<?xf32>, index, index) -> ()
  return
}

// -----

//===----------------------------------------------------------------------===//
// wait_copies
//===----------------------------------------------------------------------===//

// nv_wait_copies_c1
func.func @wait_copies_negative() {
  // expected-error@+1 {{'nv.wait_copies' op expected 'pending' to be at least 0, got -1}}
  nv.wait_copies -1
  return
}

// -----

// nv_wait_copies_c1
func.func @wait_copies_very_negative() {
  // expected-error@+1 {{'nv.wait_copies' op expected 'pending' to be at least 0, got -9223372036854775808}}
  nv.wait_copies -9223372036854775808
  return
}

// -----

//===----------------------------------------------------------------------===//
// shuffle_xor
//===----------------------------------------------------------------------===//

// shuffle_xor_c1: of itself.
func.func @shuffle_xor_itself(%x: f32) {
  // expected-error@+1 {{'nv.shuffle_xor' op expected 'mask' to be from 1 to 31, got 0}}
  %y = nv.shuffle_xor %x, 0 : f32
  return
}

// -----

// shuffle_xor_c1: of another warp.
func.func @shuffle_xor_other_warp(%x: f32) {
  // expected-error@+1 {{'nv.shuffle_xor' op expected 'mask' to be from 1 to 31, got 32}}
  %y = nv.shuffle_xor %x, 32 : f32
  return
}

// -----

// shuffle_xor_c1
func.func @shuffle_xor_negative(%x: f32) {
  // expected-error@+1 {{'nv.shuffle_xor' op expected 'mask' to be from 1 to 31, got -1}}
  %y = nv.shuffle_xor %x, -1 : f32
  return
}

// -----

// shuffle_xor_c1
func.func @shuffle_xor_large(%x: f32) {
  // expected-error@+1 {{'nv.shuffle_xor' op expected 'mask' to be from 1 to 31, got 4294967297}}
  %y = nv.shuffle_xor %x, 4294967297 : f32
  return
}

// -----

// shuffle_xor_c2
func.func @shuffle_xor_bf16(%x: bf16) {
  // expected-error@+1 {{'nv.shuffle_xor' op expected a value of 32 or 64 bits, got 'bf16'}}
  %y = nv.shuffle_xor %x, 1 : bf16
  return
}

// -----

// shuffle_xor_c2
func.func @shuffle_xor_f16(%x: f16) {
  // expected-error@+1 {{'nv.shuffle_xor' op expected a value of 32 or 64 bits, got 'f16'}}
  %y = nv.shuffle_xor %x, 1 : f16
  return
}

// -----

// shuffle_xor_c2
func.func @shuffle_xor_i8(%x: i8) {
  // expected-error@+1 {{'nv.shuffle_xor' op expected a value of 32 or 64 bits, got 'i8'}}
  %y = nv.shuffle_xor %x, 1 : i8
  return
}

// -----

// shuffle_xor_c2
func.func @shuffle_xor_i1(%x: i1) {
  // expected-error@+1 {{'nv.shuffle_xor' op expected a value of 32 or 64 bits, got 'i1'}}
  %y = nv.shuffle_xor %x, 1 : i1
  return
}

// -----

// shuffle_xor_c2
func.func @shuffle_xor_i48(%x: i48) {
  // expected-error@+1 {{'nv.shuffle_xor' op expected a value of 32 or 64 bits, got 'i48'}}
  %y = nv.shuffle_xor %x, 1 : i48
  return
}

// -----

// shuffle_xor_c2
func.func @shuffle_xor_i128(%x: i128) {
  // expected-error@+1 {{'nv.shuffle_xor' op expected a value of 32 or 64 bits, got 'i128'}}
  %y = nv.shuffle_xor %x, 1 : i128
  return
}

// -----

func.func @shuffle_xor_vector(%x: vector<1xf32>) {
  // expected-error@+1 {{'nv.shuffle_xor' op operand #0 must be floating-point or signless integer, but got 'vector<1xf32>'}}
  %y = nv.shuffle_xor %x, 1 : vector<1xf32>
  return
}

// -----

func.func @shuffle_xor_index(%x: index) {
  // expected-error@+1 {{'nv.shuffle_xor' op operand #0 must be floating-point or signless integer, but got 'index'}}
  %y = nv.shuffle_xor %x, 1 : index
  return
}

// -----

//===----------------------------------------------------------------------===//
// ldmatrix
//===----------------------------------------------------------------------===//

// ldmatrix_c1
func.func @ldmatrix_one(%p: i32) {
  // expected-error@+1 {{'nv.ldmatrix' op expected 2, 4, or 8 elements of 16 bits, got 'vector<1xbf16>'}}
  %a = nv.ldmatrix %p : vector<1xbf16>
  return
}

// -----

// ldmatrix_c1
func.func @ldmatrix_three(%p: i32) {
  // expected-error@+1 {{'nv.ldmatrix' op expected 2, 4, or 8 elements of 16 bits, got 'vector<3xbf16>'}}
  %a = nv.ldmatrix %p : vector<3xbf16>
  return
}

// -----

// ldmatrix_c1
func.func @ldmatrix_six(%p: i32) {
  // expected-error@+1 {{'nv.ldmatrix' op expected 2, 4, or 8 elements of 16 bits, got 'vector<6xf16>'}}
  %a = nv.ldmatrix %p {transpose} : vector<6xf16>
  return
}

// -----

// ldmatrix_c1
func.func @ldmatrix_sixteen(%p: i32) {
  // expected-error@+1 {{'nv.ldmatrix' op expected 2, 4, or 8 elements of 16 bits, got 'vector<16xbf16>'}}
  %a = nv.ldmatrix %p : vector<16xbf16>
  return
}

// -----

// ldmatrix_c1
func.func @ldmatrix_f32(%p: i32) {
  // expected-error@+1 {{'nv.ldmatrix' op expected 2, 4, or 8 elements of 16 bits, got 'vector<4xf32>'}}
  %a = nv.ldmatrix %p : vector<4xf32>
  return
}

// -----

// ldmatrix_c1
func.func @ldmatrix_i32(%p: i32) {
  // expected-error@+1 {{'nv.ldmatrix' op expected 2, 4, or 8 elements of 16 bits, got 'vector<4xi32>'}}
  %a = nv.ldmatrix %p {transpose} : vector<4xi32>
  return
}

// -----

// ldmatrix_c1
func.func @ldmatrix_i8(%p: i32) {
  // expected-error@+1 {{'nv.ldmatrix' op expected 2, 4, or 8 elements of 16 bits, got 'vector<8xi8>'}}
  %a = nv.ldmatrix %p : vector<8xi8>
  return
}

// -----

// ldmatrix_c1
func.func @ldmatrix_f64(%p: i32) {
  // expected-error@+1 {{'nv.ldmatrix' op expected 2, 4, or 8 elements of 16 bits, got 'vector<2xf64>'}}
  %a = nv.ldmatrix %p : vector<2xf64>
  return
}

// -----

func.func @ldmatrix_rank_2(%p: i32) {
  // expected-error@+1 {{'nv.ldmatrix' op result #0 must be fixed-length vector of floating-point or signless integer values of ranks 1, but got 'vector<4x2xbf16>'}}
  %a = nv.ldmatrix %p : vector<4x2xbf16>
  return
}

// -----

//===----------------------------------------------------------------------===//
// mma_sync
//===----------------------------------------------------------------------===//

// mma_sync_c1
func.func @mma_sync_short_a(%a: vector<4xbf16>, %b: vector<4xbf16>, %c: vector<4xf32>) {
  // expected-error@+1 {{'nv.mma_sync' op expected 'a' and 'b' to have 8 and 4 elements of bf16 or f16, or 4 and 2 of f32, got 'vector<4xbf16>' and 'vector<4xbf16>'}}
  %d = nv.mma_sync %a, %b, %c : vector<4xbf16>, vector<4xbf16>, vector<4xf32>
  return
}

// -----

// mma_sync_c1
func.func @mma_sync_long_b(%a: vector<8xbf16>, %b: vector<8xbf16>, %c: vector<4xf32>) {
  // expected-error@+1 {{'nv.mma_sync' op expected 'a' and 'b' to have 8 and 4 elements of bf16 or f16, or 4 and 2 of f32, got 'vector<8xbf16>' and 'vector<8xbf16>'}}
  %d = nv.mma_sync %a, %b, %c : vector<8xbf16>, vector<8xbf16>, vector<4xf32>
  return
}

// -----

// mma_sync_c1
func.func @mma_sync_short_b(%a: vector<8xbf16>, %b: vector<2xbf16>, %c: vector<4xf32>) {
  // expected-error@+1 {{'nv.mma_sync' op expected 'a' and 'b' to have 8 and 4 elements of bf16 or f16, or 4 and 2 of f32, got 'vector<8xbf16>' and 'vector<2xbf16>'}}
  %d = nv.mma_sync %a, %b, %c : vector<8xbf16>, vector<2xbf16>, vector<4xf32>
  return
}

// -----

// mma_sync_c1
func.func @mma_sync_mixed(%a: vector<8xbf16>, %b: vector<4xf16>, %c: vector<4xf32>) {
  // expected-error@+1 {{'nv.mma_sync' op expected 'a' and 'b' to have 8 and 4 elements of bf16 or f16, or 4 and 2 of f32, got 'vector<8xbf16>' and 'vector<4xf16>'}}
  %d = nv.mma_sync %a, %b, %c : vector<8xbf16>, vector<4xf16>, vector<4xf32>
  return
}

// -----

// mma_sync_c1
func.func @mma_sync_exchanged(%a: vector<4xbf16>, %b: vector<8xbf16>, %c: vector<4xf32>) {
  // expected-error@+1 {{'nv.mma_sync' op expected 'a' and 'b' to have 8 and 4 elements of bf16 or f16, or 4 and 2 of f32, got 'vector<4xbf16>' and 'vector<8xbf16>'}}
  %d = nv.mma_sync %a, %b, %c : vector<4xbf16>, vector<8xbf16>, vector<4xf32>
  return
}

// -----

// mma_sync_c1
func.func @mma_sync_integers(%a: vector<8xi16>, %b: vector<4xi16>, %c: vector<4xf32>) {
  // expected-error@+1 {{'nv.mma_sync' op expected 'a' and 'b' to have 8 and 4 elements of bf16 or f16, or 4 and 2 of f32, got 'vector<8xi16>' and 'vector<4xi16>'}}
  %d = nv.mma_sync %a, %b, %c : vector<8xi16>, vector<4xi16>, vector<4xf32>
  return
}

// -----

// mma_sync_c1
func.func @mma_sync_f64(%a: vector<8xf64>, %b: vector<4xf64>, %c: vector<4xf32>) {
  // expected-error@+1 {{'nv.mma_sync' op expected 'a' and 'b' to have 8 and 4 elements of bf16 or f16, or 4 and 2 of f32, got 'vector<8xf64>' and 'vector<4xf64>'}}
  %d = nv.mma_sync %a, %b, %c : vector<8xf64>, vector<4xf64>, vector<4xf32>
  return
}

// -----

// mma_sync_c1: of f32, k is 8.
func.func @mma_sync_k16_of_f32(%a: vector<8xf32>, %b: vector<4xf32>, %c: vector<4xf32>) {
  // expected-error@+1 {{'nv.mma_sync' op expected 'a' and 'b' to have 8 and 4 elements of bf16 or f16, or 4 and 2 of f32, got 'vector<8xf32>' and 'vector<4xf32>'}}
  %d = nv.mma_sync %a, %b, %c : vector<8xf32>, vector<4xf32>, vector<4xf32>
  return
}

// -----

// mma_sync_c1
func.func @mma_sync_mixed_f32(%a: vector<4xf32>, %b: vector<2xbf16>, %c: vector<4xf32>) {
  // expected-error@+1 {{'nv.mma_sync' op expected 'a' and 'b' to have 8 and 4 elements of bf16 or f16, or 4 and 2 of f32, got 'vector<4xf32>' and 'vector<2xbf16>'}}
  %d = nv.mma_sync %a, %b, %c : vector<4xf32>, vector<2xbf16>, vector<4xf32>
  return
}

// -----

// mma_sync_c2
func.func @mma_sync_short_c(%a: vector<8xbf16>, %b: vector<4xbf16>, %c: vector<2xf32>) {
  // expected-error@+1 {{'nv.mma_sync' op expected 'c' to have 4 elements of f32, got 'vector<2xf32>'}}
  %d = nv.mma_sync %a, %b, %c : vector<8xbf16>, vector<4xbf16>, vector<2xf32>
  return
}

// -----

// mma_sync_c2
func.func @mma_sync_long_c(%a: vector<8xbf16>, %b: vector<4xbf16>, %c: vector<8xf32>) {
  // expected-error@+1 {{'nv.mma_sync' op expected 'c' to have 4 elements of f32, got 'vector<8xf32>'}}
  %d = nv.mma_sync %a, %b, %c : vector<8xbf16>, vector<4xbf16>, vector<8xf32>
  return
}

// -----

// mma_sync_c2
func.func @mma_sync_f16_c(%a: vector<8xbf16>, %b: vector<4xbf16>, %c: vector<4xf16>) {
  // expected-error@+1 {{'nv.mma_sync' op expected 'c' to have 4 elements of f32, got 'vector<4xf16>'}}
  %d = nv.mma_sync %a, %b, %c : vector<8xbf16>, vector<4xbf16>, vector<4xf16>
  return
}

// -----

// mma_sync_c2
func.func @mma_sync_f64_c(%a: vector<8xbf16>, %b: vector<4xbf16>, %c: vector<4xf64>) {
  // expected-error@+1 {{'nv.mma_sync' op expected 'c' to have 4 elements of f32, got 'vector<4xf64>'}}
  %d = nv.mma_sync %a, %b, %c : vector<8xbf16>, vector<4xbf16>, vector<4xf64>
  return
}

// -----

// mma_sync_c2
func.func @mma_sync_packed_c(%a: vector<8xbf16>, %b: vector<4xbf16>, %c: vector<2xi32>) {
  // expected-error@+1 {{'nv.mma_sync' op expected 'c' to have 4 elements of f32, got 'vector<2xi32>'}}
  %d = nv.mma_sync %a, %b, %c : vector<8xbf16>, vector<4xbf16>, vector<2xi32>
  return
}
