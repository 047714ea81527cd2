// RUN: infini-opt %s --split-input-file --verify-diagnostics

// What the verifiers of the ops on tensors refuse. Labels are those of
// docs/spec.md; cases without one are refused by types and attributes.
// invalid-scan.mlir has those of the segment scan.

//===----------------------------------------------------------------------===//
// segment_attention
//===----------------------------------------------------------------------===//

// segment_attention_c1
func.func @attention_head_size(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x32xf32>, %v: tensor<1x2x?x64xf32>) {
  // expected-error@+1 {{'infini.segment_attention' op expected 'key' dimension 3 (K) to be 64, as in 'query', got 32}}
  %o = infini.segment_attention %q, %k, %v
    : (tensor<1x8x?x64xf32>, tensor<1x2x?x32xf32>, tensor<1x2x?x64xf32>) -> tensor<1x8x?x64xf32>
  return
}

// -----

// segment_attention_c1
func.func @attention_batch(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x64xf32>, %v: tensor<2x2x?x64xf32>) {
  // expected-error@+1 {{'infini.segment_attention' op expected 'value' dimension 0 (B) to be 1, as in 'query', got 2}}
  %o = infini.segment_attention %q, %k, %v
    : (tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>, tensor<2x2x?x64xf32>) -> tensor<1x8x?x64xf32>
  return
}

// -----

// segment_attention_c1
func.func @attention_result_tokens(%q: tensor<1x8x16x64xf32>, %k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x64xf32>) {
  // expected-error@+1 {{'infini.segment_attention' op expected 'result' dimension 2 (L) to be 16, as in 'query', got 15}}
  %o = infini.segment_attention %q, %k, %v
    : (tensor<1x8x16x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x8x15x64xf32>
  return
}

// -----

// segment_attention_c1
func.func @attention_keys_and_values(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x16x64xf32>, %v: tensor<1x2x17x64xf32>) {
  // expected-error@+1 {{'infini.segment_attention' op expected 'value' dimension 2 (J) to be 16, as in 'key', got 17}}
  %o = infini.segment_attention %q, %k, %v
    : (tensor<1x8x?x64xf32>, tensor<1x2x16x64xf32>, tensor<1x2x17x64xf32>) -> tensor<1x8x?x64xf32>
  return
}

// -----

// segment_attention_c1
func.func @attention_bias_keys(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x16x64xf32>, %v: tensor<1x2x16x64xf32>,
    %pk: tensor<1x2x8x64xf32>, %bias: tensor<1x8x1x16xf32>) {
  // expected-error@+1 {{'infini.segment_attention' op expected 'bias' dimension 3 to be 24, past and own keys together, got 16}}
  %o = infini.segment_attention %q, %k, %v past(%pk, %pk : tensor<1x2x8x64xf32>, tensor<1x2x8x64xf32>) bias(%bias : tensor<1x8x1x16xf32>)
    : (tensor<1x8x?x64xf32>, tensor<1x2x16x64xf32>, tensor<1x2x16x64xf32>) -> tensor<1x8x?x64xf32>
  return
}

// -----

// segment_attention_c1
func.func @attention_bias_heads(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x64xf32>,
    %bias: tensor<1x2x1x?xf32>) {
  // expected-error@+1 {{'infini.segment_attention' op expected 'bias' dimension 1 (H) to be 8, as in 'query', got 2}}
  %o = infini.segment_attention %q, %k, %v bias(%bias : tensor<1x2x1x?xf32>)
    : (tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x8x?x64xf32>
  return
}

// -----

// segment_attention_c2
func.func @attention_groups(%q: tensor<1x8x?x64xf32>, %k: tensor<1x3x?x64xf32>, %v: tensor<1x3x?x64xf32>) {
  // expected-error@+1 {{'infini.segment_attention' op expected 'query' heads (8) to be a multiple of 'key' heads (3)}}
  %o = infini.segment_attention %q, %k, %v
    : (tensor<1x8x?x64xf32>, tensor<1x3x?x64xf32>, tensor<1x3x?x64xf32>) -> tensor<1x8x?x64xf32>
  return
}

// -----

// segment_attention_c3
func.func @attention_element_types(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x64xf16>) {
  // expected-error@+1 {{'infini.segment_attention' op expected 'value' to have element type 'f32', as 'query', got 'f16'}}
  %o = infini.segment_attention %q, %k, %v
    : (tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf16>) -> tensor<1x8x?x64xf32>
  return
}

// -----

// segment_attention_c3
func.func @attention_result_type(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x64xf32>) {
  // expected-error@+1 {{'infini.segment_attention' op expected 'result' to have element type 'f32', as 'query', got 'f16'}}
  %o = infini.segment_attention %q, %k, %v
    : (tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x8x?x64xf16>
  return
}

// -----

// segment_attention_c4
func.func @attention_past_key_alone(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x64xf32>) {
  // expected-error@+1 {{'infini.segment_attention' op expected 'past_key' and 'past_value' together, got only 'past_key'}}
  %o = "infini.segment_attention"(%q, %k, %k, %k) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0>}
    : (tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x8x?x64xf32>
  return
}

// -----

// segment_attention_c5
func.func @attention_no_window(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x64xf32>) {
  // expected-error@+1 {{'infini.segment_attention' op expected 'window' with the mask 'window', got none}}
  %o = infini.segment_attention %q, %k, %v {mask = #infini.mask<window>}
    : (tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x8x?x64xf32>
  return
}

// -----

// segment_attention_c5
func.func @attention_window_0(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x64xf32>) {
  // expected-error@+1 {{'infini.segment_attention' op expected 'window' to be at least 1, got 0}}
  %o = infini.segment_attention %q, %k, %v {mask = #infini.mask<window>, window = 0 : i64}
    : (tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x8x?x64xf32>
  return
}

// -----

// segment_attention_c5
func.func @attention_window_and_causal(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x64xf32>) {
  // expected-error@+1 {{'infini.segment_attention' op expected no 'window' with the mask 'causal', got 4}}
  %o = infini.segment_attention %q, %k, %v {window = 4 : i64}
    : (tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x8x?x64xf32>
  return
}

// -----

// segment_attention_c6
func.func @attention_scale(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x64xf32>) {
  // expected-error@+1 {{'infini.segment_attention' op expected 'scale' to be finite, got INF}}
  %o = infini.segment_attention %q, %k, %v {scale = 0x7FF0000000000000 : f64}
    : (tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x8x?x64xf32>
  return
}

// -----

// segment_attention_c7
func.func @attention_rank(%q: tensor<8x?x64xf32>, %k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x64xf32>) {
  // expected-error@+1 {{'infini.segment_attention' op expected 'query' to have rank 4, got 3 ('tensor<8x?x64xf32>')}}
  %o = infini.segment_attention %q, %k, %v
    : (tensor<8x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x8x?x64xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// rope
//===----------------------------------------------------------------------===//

// rope_c1
func.func @rope_rank(%x: tensor<64xf32>) {
  // expected-error@+1 {{'infini.rope' op expected 'input' to have rank at least 2, got 1}}
  %y = infini.rope %x : tensor<64xf32>
  return
}

// -----

// rope_c2
func.func @rope_odd(%x: tensor<?x63xf32>) {
  // expected-error@+1 {{'infini.rope' op expected 'input' to have an even last dimension, got 63}}
  %y = infini.rope %x : tensor<?x63xf32>
  return
}

// -----

// rope_c3
func.func @rope_base(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{'infini.rope' op expected 'base' to be positive and finite, got 0.000000e+00}}
  %y = infini.rope %x {base = 0.0 : f64} : tensor<?x64xf32>
  return
}

// -----

// rope_c3
func.func @rope_base_infinite(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{'infini.rope' op expected 'base' to be positive and finite, got INF}}
  %y = infini.rope %x {base = 0x7FF0000000000000 : f64} : tensor<?x64xf32>
  return
}

// -----

// rope_c4
func.func @rope_factor(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{'infini.rope' op expected 'factor' to be positive and finite, got -2.000000e+00}}
  %y = infini.rope %x {factor = -2.0 : f64} : tensor<?x64xf32>
  return
}

// -----

// rope_c4
func.func @rope_factor_nan(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{'infini.rope' op expected 'factor' to be positive and finite, got nan}}
  %y = infini.rope %x {factor = 0x7FF8000000000000 : f64} : tensor<?x64xf32>
  return
}

// -----

// rope_c5
func.func @rope_cos_alone(%x: tensor<?x64xf32>, %cos: tensor<?x32xf32>) {
  // expected-error@+1 {{'infini.rope' op expected 'cos' and 'sin' together, got only 'cos'}}
  %y = "infini.rope"(%x, %cos) {operandSegmentSizes = array<i32: 1, 0, 1, 0>}
    : (tensor<?x64xf32>, tensor<?x32xf32>) -> tensor<?x64xf32>
  return
}

// -----

// rope_c5
func.func @rope_table_rank(%x: tensor<?x64xf32>, %cos: tensor<32xf32>, %sin: tensor<32xf32>) {
  // expected-error@+1 {{'infini.rope' op expected 'cos' to have rank 2, got 1 ('tensor<32xf32>')}}
  %y = infini.rope %x tables(%cos, %sin : tensor<32xf32>, tensor<32xf32>) : tensor<?x64xf32>
  return
}

// -----

// rope_c5
func.func @rope_table_types(%x: tensor<?x64xf32>, %cos: tensor<?x32xf32>, %sin: tensor<?x32xf64>) {
  // expected-error@+1 {{'infini.rope' op expected 'sin' to have element type 'f32', as 'cos', got 'f64'}}
  %y = infini.rope %x tables(%cos, %sin : tensor<?x32xf32>, tensor<?x32xf64>) : tensor<?x64xf32>
  return
}

// -----

// rope_c5
func.func @rope_table_columns(%x: tensor<?x64xf32>, %cos: tensor<?x64xf32>, %sin: tensor<?x64xf32>) {
  // expected-error@+1 {{'infini.rope' op expected 'cos' dimension 1 to be 32, half of the input's last, got 64}}
  %y = infini.rope %x tables(%cos, %sin : tensor<?x64xf32>, tensor<?x64xf32>) : tensor<?x64xf32>
  return
}

// -----

// rope_c5
func.func @rope_table_positions(%x: tensor<?x64xf32>, %cos: tensor<16x32xf32>, %sin: tensor<8x32xf32>) {
  // expected-error@+1 {{'infini.rope' op expected 'sin' dimension 0 (P) to be 16, as in 'cos', got 8}}
  %y = infini.rope %x tables(%cos, %sin : tensor<16x32xf32>, tensor<8x32xf32>) : tensor<?x64xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// feature_map
//===----------------------------------------------------------------------===//

// feature_map_c1
func.func @feature_map_shape(%x: tensor<4xf32>) {
  // expected-error@+1 {{'infini.feature_map' op failed to verify that all of {input, result} have same type}}
  %y = "infini.feature_map"(%x) : (tensor<4xf32>) -> tensor<5xf32>
  return
}

// -----

// feature_map_c1
func.func @feature_map_element_type(%x: tensor<4xf16>) {
  // expected-error@+1 {{'infini.feature_map' op failed to verify that all of {input, result} have same type}}
  %y = "infini.feature_map"(%x) : (tensor<4xf16>) -> tensor<4xf32>
  return
}

// -----

// feature_map_c1
func.func @feature_map_ranks(%x: tensor<4x?xf32>) {
  // expected-error@+1 {{'infini.feature_map' op failed to verify that all of {input, result} have same type}}
  %y = "infini.feature_map"(%x) : (tensor<4x?xf32>) -> tensor<?xf32>
  return
}

// -----

// feature_map_c2
func.func @feature_map_rank_0(%x: tensor<f32>) {
  // expected-error@+1 {{'infini.feature_map' op expected 'input' to have rank at least 1, got 0}}
  %y = infini.feature_map %x : tensor<f32>
  return
}

// -----

func.func @feature_map_integers(%x: tensor<4xi32>) {
  // expected-error@+1 {{'infini.feature_map' op operand #0 must be ranked tensor of bf16, f16, f32, or f64 values, but got 'tensor<4xi32>'}}
  %y = infini.feature_map %x : tensor<4xi32>
  return
}

// -----

func.func @feature_map_unranked(%x: tensor<*xf32>) {
  // expected-error@+1 {{invalid kind of type specified}}
  %y = infini.feature_map %x : tensor<*xf32>
  return
}

// -----

func.func @feature_map_memref(%x: memref<4xf32>) {
  // expected-error@+1 {{'infini.feature_map' op operand #0 must be ranked tensor of bf16, f16, f32, or f64 values, but got 'memref<4xf32>'}}
  %y = "infini.feature_map"(%x) : (memref<4xf32>) -> memref<4xf32>
  return
}

// -----

func.func @feature_map_kind(%x: tensor<4xf32>) {
  // expected-error@+2 {{to be one of: elu_plus_one}}
  // expected-error@+1 {{failed to parse}}
  %y = infini.feature_map %x {kind = #infini.feature<relu>} : tensor<4xf32>
  return
}

// -----

func.func @feature_map_operands(%x: tensor<4xf32>) {
  // expected-error@+1 {{'infini.feature_map' op requires a single operand}}
  %y = "infini.feature_map"(%x, %x) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// memory_retrieve
//===----------------------------------------------------------------------===//

// memory_retrieve_c1
func.func @retrieve_rows(%q: tensor<1x8x?x64xf32>, %M: tensor<1x2x32x32xf32>, %z: tensor<1x2x64xf32>) {
  // expected-error@+1 {{'infini.memory_retrieve' op expected 'memory' dimension 2 (K) to be 64, as in 'query', got 32}}
  %a = infini.memory_retrieve %q, %M, %z
    : (tensor<1x8x?x64xf32>, tensor<1x2x32x32xf32>, tensor<1x2x64xf32>) -> tensor<1x8x?x32xf32>
  return
}

// -----

// memory_retrieve_c1
func.func @retrieve_normalizer(%q: tensor<1x8x?x64xf32>, %M: tensor<1x2x64x32xf32>, %z: tensor<1x2x32xf32>) {
  // expected-error@+1 {{'infini.memory_retrieve' op expected 'normalizer' dimension 2 (K) to be 64, as in 'query', got 32}}
  %a = infini.memory_retrieve %q, %M, %z
    : (tensor<1x8x?x64xf32>, tensor<1x2x64x32xf32>, tensor<1x2x32xf32>) -> tensor<1x8x?x32xf32>
  return
}

// -----

// memory_retrieve_c1
func.func @retrieve_groups_agree(%q: tensor<1x8x?x64xf32>, %M: tensor<1x2x64x32xf32>, %z: tensor<1x4x64xf32>) {
  // expected-error@+1 {{'infini.memory_retrieve' op expected 'normalizer' dimension 1 (G) to be 2, as in 'memory', got 4}}
  %a = infini.memory_retrieve %q, %M, %z
    : (tensor<1x8x?x64xf32>, tensor<1x2x64x32xf32>, tensor<1x4x64xf32>) -> tensor<1x8x?x32xf32>
  return
}

// -----

// memory_retrieve_c1
func.func @retrieve_result(%q: tensor<1x8x?x64xf32>, %M: tensor<1x2x64x32xf32>, %z: tensor<1x2x64xf32>) {
  // expected-error@+1 {{'infini.memory_retrieve' op expected 'result' dimension 3 (V) to be 32, as in 'memory', got 64}}
  %a = infini.memory_retrieve %q, %M, %z
    : (tensor<1x8x?x64xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64xf32>) -> tensor<1x8x?x64xf32>
  return
}

// -----

// memory_retrieve_c2
func.func @retrieve_groups(%q: tensor<1x8x?x64xf32>, %M: tensor<1x3x64x32xf32>, %z: tensor<1x3x64xf32>) {
  // expected-error@+1 {{'infini.memory_retrieve' op expected 'query' heads (8) to be a multiple of 'memory' heads (3)}}
  %a = infini.memory_retrieve %q, %M, %z
    : (tensor<1x8x?x64xf32>, tensor<1x3x64x32xf32>, tensor<1x3x64xf32>) -> tensor<1x8x?x32xf32>
  return
}

// -----

// memory_retrieve_c3
func.func @retrieve_state_types(%q: tensor<1x8x?x64xf32>, %M: tensor<1x2x64x32xf32>, %z: tensor<1x2x64xf64>) {
  // expected-error@+1 {{'infini.memory_retrieve' op expected 'normalizer' to have element type 'f32', as 'memory', got 'f64'}}
  %a = infini.memory_retrieve %q, %M, %z
    : (tensor<1x8x?x64xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64xf64>) -> tensor<1x8x?x32xf32>
  return
}

// -----

// memory_retrieve_c3
func.func @retrieve_narrow_state(%q: tensor<1x8x?x64xf64>, %M: tensor<1x2x64x32xf32>, %z: tensor<1x2x64xf32>) {
  // expected-error@+1 {{'infini.memory_retrieve' op expected 'memory' to be at least as wide as 'query' ('f64'), got 'f32'}}
  %a = infini.memory_retrieve %q, %M, %z
    : (tensor<1x8x?x64xf64>, tensor<1x2x64x32xf32>, tensor<1x2x64xf32>) -> tensor<1x8x?x32xf64>
  return
}

// -----

// memory_retrieve_c3
func.func @retrieve_16_bit_state(%q: tensor<1x8x?x64xf32>, %M: tensor<1x2x64x32xf16>, %z: tensor<1x2x64xf16>) {
  // expected-error@+1 {{'infini.memory_retrieve' op operand #1 must be ranked tensor of f32 or f64 values, but got 'tensor<1x2x64x32xf16>'}}
  %a = infini.memory_retrieve %q, %M, %z
    : (tensor<1x8x?x64xf32>, tensor<1x2x64x32xf16>, tensor<1x2x64xf16>) -> tensor<1x8x?x32xf32>
  return
}

// -----

// memory_retrieve_c4
func.func @retrieve_result_type(%q: tensor<1x8x?x64xf32>, %M: tensor<1x2x64x32xf32>, %z: tensor<1x2x64xf32>) {
  // expected-error@+1 {{'infini.memory_retrieve' op expected 'result' to have element type 'f32', as 'query', got 'f64'}}
  %a = infini.memory_retrieve %q, %M, %z
    : (tensor<1x8x?x64xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64xf32>) -> tensor<1x8x?x32xf64>
  return
}

// -----

// memory_retrieve_c5
func.func @retrieve_query_rank(%q: tensor<8x?x64xf32>, %M: tensor<1x2x64x32xf32>, %z: tensor<1x2x64xf32>) {
  // expected-error@+1 {{'infini.memory_retrieve' op expected 'query' to have rank 4, got 3 ('tensor<8x?x64xf32>')}}
  %a = infini.memory_retrieve %q, %M, %z
    : (tensor<8x?x64xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64xf32>) -> tensor<1x8x?x32xf32>
  return
}

// -----

// memory_retrieve_c5
func.func @retrieve_normalizer_rank(%q: tensor<1x8x?x64xf32>, %M: tensor<1x2x64x32xf32>, %z: tensor<2x64xf32>) {
  // expected-error@+1 {{'infini.memory_retrieve' op expected 'normalizer' to have rank 3, got 2 ('tensor<2x64xf32>')}}
  %a = infini.memory_retrieve %q, %M, %z
    : (tensor<1x8x?x64xf32>, tensor<1x2x64x32xf32>, tensor<2x64xf32>) -> tensor<1x8x?x32xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// memory_update
//===----------------------------------------------------------------------===//

// memory_update_c1
func.func @update_rows(%k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x32xf32>, %M: tensor<1x2x128x32xf32>, %z: tensor<1x2x64xf32>) {
  // expected-error@+1 {{'infini.memory_update' op expected 'memory' dimension 2 (K) to be 64, as in 'key', got 128}}
  %M1, %z1 = infini.memory_update %k, %v, %M, %z
    : tensor<1x2x?x64xf32>, tensor<1x2x?x32xf32>, tensor<1x2x128x32xf32>, tensor<1x2x64xf32>
  return
}

// -----

// memory_update_c1
func.func @update_columns(%k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x32xf32>, %M: tensor<1x2x64x64xf32>, %z: tensor<1x2x64xf32>) {
  // expected-error@+1 {{'infini.memory_update' op expected 'memory' dimension 3 (V) to be 32, as in 'value', got 64}}
  %M1, %z1 = infini.memory_update %k, %v, %M, %z
    : tensor<1x2x?x64xf32>, tensor<1x2x?x32xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
  return
}

// -----

// memory_update_c1
func.func @update_tokens(%k: tensor<1x2x8x64xf32>, %v: tensor<1x2x9x32xf32>, %M: tensor<1x2x64x32xf32>, %z: tensor<1x2x64xf32>) {
  // expected-error@+1 {{'infini.memory_update' op expected 'value' dimension 2 (L) to be 8, as in 'key', got 9}}
  %M1, %z1 = infini.memory_update %k, %v, %M, %z
    : tensor<1x2x8x64xf32>, tensor<1x2x9x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64xf32>
  return
}

// -----

// memory_update_c1
func.func @update_heads(%k: tensor<1x4x?x64xf32>, %v: tensor<1x2x?x32xf32>, %M: tensor<1x2x64x32xf32>, %z: tensor<1x2x64xf32>) {
  // expected-error@+1 {{'infini.memory_update' op expected 'value' dimension 1 (G) to be 4, as in 'key', got 2}}
  %M1, %z1 = infini.memory_update %k, %v, %M, %z
    : tensor<1x4x?x64xf32>, tensor<1x2x?x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64xf32>
  return
}

// -----

// memory_update_c1
func.func @update_normalizer(%k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x32xf32>, %M: tensor<1x2x64x32xf32>, %z: tensor<1x2x32xf32>) {
  // expected-error@+1 {{'infini.memory_update' op expected 'normalizer' dimension 2 (K) to be 64, as in 'key', got 32}}
  %M1, %z1 = infini.memory_update %k, %v, %M, %z
    : tensor<1x2x?x64xf32>, tensor<1x2x?x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x32xf32>
  return
}

// -----

// memory_update_c2
func.func @update_state_types(%k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x32xf32>, %M: tensor<1x2x64x32xf32>, %z: tensor<1x2x64xf64>) {
  // expected-error@+1 {{'infini.memory_update' op expected 'normalizer' to have element type 'f32', as 'memory', got 'f64'}}
  %M1, %z1 = infini.memory_update %k, %v, %M, %z
    : tensor<1x2x?x64xf32>, tensor<1x2x?x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64xf64>
  return
}

// -----

// memory_update_c2
func.func @update_narrow_state(%k: tensor<1x2x?x64xf64>, %v: tensor<1x2x?x32xf64>, %M: tensor<1x2x64x32xf32>, %z: tensor<1x2x64xf32>) {
  // expected-error@+1 {{'infini.memory_update' op expected 'memory' to be at least as wide as 'key' ('f64'), got 'f32'}}
  %M1, %z1 = infini.memory_update %k, %v, %M, %z
    : tensor<1x2x?x64xf64>, tensor<1x2x?x32xf64>, tensor<1x2x64x32xf32>, tensor<1x2x64xf32>
  return
}

// -----

// memory_update_c2
func.func @update_16_bit_state(%k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x32xf32>, %M: tensor<1x2x64x32xbf16>, %z: tensor<1x2x64xbf16>) {
  // expected-error@+1 {{'infini.memory_update' op operand #2 must be ranked tensor of f32 or f64 values, but got 'tensor<1x2x64x32xbf16>'}}
  %M1, %z1 = infini.memory_update %k, %v, %M, %z
    : tensor<1x2x?x64xf32>, tensor<1x2x?x32xf32>, tensor<1x2x64x32xbf16>, tensor<1x2x64xbf16>
  return
}

// -----

// memory_update_c3
func.func @update_result_type(%k: tensor<1x2x?x64xf32>, %M: tensor<1x2x64x64xf32>, %z: tensor<1x2x64xf32>) {
  // expected-error@+1 {{'infini.memory_update' op failed to verify that all of {memory, new_memory} have same type}}
  %M1, %z1 = "infini.memory_update"(%k, %k, %M, %z)
    : (tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>)
    -> (tensor<1x2x64x64xf64>, tensor<1x2x64xf32>)
  return
}

// -----

// memory_update_c4
func.func @update_element_types(%k: tensor<1x2x?x64xf16>, %v: tensor<1x2x?x32xf32>, %M: tensor<1x2x64x32xf32>, %z: tensor<1x2x64xf32>) {
  // expected-error@+1 {{'infini.memory_update' op expected 'value' to have element type 'f16', as 'key', got 'f32'}}
  %M1, %z1 = infini.memory_update %k, %v, %M, %z
    : tensor<1x2x?x64xf16>, tensor<1x2x?x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64xf32>
  return
}

// -----

// memory_update_c5
func.func @update_key_rank(%k: tensor<2x?x64xf32>, %v: tensor<1x2x?x32xf32>, %M: tensor<1x2x64x32xf32>, %z: tensor<1x2x64xf32>) {
  // expected-error@+1 {{'infini.memory_update' op expected 'key' to have rank 4, got 3 ('tensor<2x?x64xf32>')}}
  %M1, %z1 = infini.memory_update %k, %v, %M, %z
    : tensor<2x?x64xf32>, tensor<1x2x?x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64xf32>
  return
}

// -----

// memory_update_c5
func.func @update_normalizer_rank(%k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x32xf32>, %M: tensor<1x2x64x32xf32>, %z: tensor<1x2x64x1xf32>) {
  // expected-error@+1 {{'infini.memory_update' op expected 'normalizer' to have rank 3, got 4 ('tensor<1x2x64x1xf32>')}}
  %M1, %z1 = infini.memory_update %k, %v, %M, %z
    : tensor<1x2x?x64xf32>, tensor<1x2x?x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64x1xf32>
  return
}

// -----

func.func @update_rule(%k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x32xf32>, %M: tensor<1x2x64x32xf32>, %z: tensor<1x2x64xf32>) {
  // expected-error@+2 {{to be one of: delta, linear, delta_corrected}}
  // expected-error@+1 {{failed to parse}}
  %M1, %z1 = infini.memory_update %k, %v, %M, %z {update = #infini.update<gated>}
    : tensor<1x2x?x64xf32>, tensor<1x2x?x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// gate
//===----------------------------------------------------------------------===//

// gate_c1
func.func @gate_heads(%mem: tensor<1x8x?x64xf32>, %dot: tensor<1x8x?x64xf32>, %beta: tensor<4xf32>) {
  // expected-error@+1 {{'infini.gate' op expected 'beta' dimension 0 (H) to be 8, as in 'memory', got 4}}
  %a = infini.gate %mem, %dot, %beta
    : tensor<1x8x?x64xf32>, tensor<4xf32>
  return
}

// -----

// gate_c1
func.func @gate_channels(%mem: tensor<1x8x?x64xf32>, %dot: tensor<1x8x?x64xf32>, %beta: tensor<8x32xf32>) {
  // expected-error@+1 {{'infini.gate' op expected 'beta' dimension 1 (V) to be 64, as in 'memory', got 32}}
  %a = infini.gate %mem, %dot, %beta
    : tensor<1x8x?x64xf32>, tensor<8x32xf32>
  return
}

// -----

// gate_c1
func.func @gate_batch(%mem: tensor<1x8x?x64xf32>, %dot: tensor<1x8x?x64xf32>, %beta: tensor<2x8x?xf32>) {
  // expected-error@+1 {{'infini.gate' op expected 'beta' dimension 0 (B) to be 1, as in 'memory', got 2}}
  %a = infini.gate %mem, %dot, %beta
    : tensor<1x8x?x64xf32>, tensor<2x8x?xf32>
  return
}

// -----

// gate_c1
func.func @gate_normalizer_batch(%mem: tensor<1x8x?x64xf32>, %dot: tensor<1x8x?x64xf32>, %beta: tensor<8xf32>, %z: tensor<2x2x64xf32>) {
  // expected-error@+1 {{'infini.gate' op expected 'normalizer' dimension 0 (B) to be 1, as in 'memory', got 2}}
  %a = infini.gate %mem, %dot, %beta normalizer(%z : tensor<2x2x64xf32>) {first_segment = #infini.first_segment<local_only>}
    : tensor<1x8x?x64xf32>, tensor<8xf32>
  return
}

// -----

// gate_c2
func.func @gate_beta_rank_0(%mem: tensor<1x8x?x64xf32>, %dot: tensor<1x8x?x64xf32>, %beta: tensor<f32>) {
  // expected-error@+1 {{'infini.gate' op expected 'beta' to have rank 1, 2, 3, or 4, got 0}}
  %a = infini.gate %mem, %dot, %beta
    : tensor<1x8x?x64xf32>, tensor<f32>
  return
}

// -----

// gate_c2
func.func @gate_beta_rank_5(%mem: tensor<1x8x?x64xf32>, %dot: tensor<1x8x?x64xf32>, %beta: tensor<1x8x1x1x64xf32>) {
  // expected-error@+1 {{'infini.gate' op expected 'beta' to have rank 1, 2, 3, or 4, got 5}}
  %a = infini.gate %mem, %dot, %beta
    : tensor<1x8x?x64xf32>, tensor<1x8x1x1x64xf32>
  return
}

// -----

// gate_c3
func.func @gate_no_normalizer(%mem: tensor<1x8x?x64xf32>, %dot: tensor<1x8x?x64xf32>, %beta: tensor<8xf32>) {
  // expected-error@+1 {{'infini.gate' op expected 'normalizer' with first_segment 'local_only', got none}}
  %a = infini.gate %mem, %dot, %beta {first_segment = #infini.first_segment<local_only>}
    : tensor<1x8x?x64xf32>, tensor<8xf32>
  return
}

// -----

// gate_c3
func.func @gate_unused_normalizer(%mem: tensor<1x8x?x64xf32>, %dot: tensor<1x8x?x64xf32>, %beta: tensor<8xf32>, %z: tensor<1x2x64xf32>) {
  // expected-error@+1 {{'infini.gate' op expected no 'normalizer' with first_segment 'zero_memory'}}
  %a = infini.gate %mem, %dot, %beta normalizer(%z : tensor<1x2x64xf32>)
    : tensor<1x8x?x64xf32>, tensor<8xf32>
  return
}

// -----

// gate_c4
func.func @gate_types(%mem: tensor<1x8x?x64xf32>, %dot: tensor<1x8x?x64xf16>, %beta: tensor<8xf32>) {
  // expected-error@+1 {{'infini.gate' op failed to verify that all of {memory, local, result} have same type}}
  %a = "infini.gate"(%mem, %dot, %beta)
    : (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf16>, tensor<8xf32>) -> tensor<1x8x?x64xf32>
  return
}

// -----

// gate_c4
func.func @gate_rank(%mem: tensor<8x?x64xf32>, %dot: tensor<8x?x64xf32>, %beta: tensor<8xf32>) {
  // expected-error@+1 {{'infini.gate' op expected 'memory' to have rank 4, got 3 ('tensor<8x?x64xf32>')}}
  %a = infini.gate %mem, %dot, %beta
    : tensor<8x?x64xf32>, tensor<8xf32>
  return
}

// -----

// gate_c5
func.func @gate_groups(%mem: tensor<1x8x?x64xf32>, %dot: tensor<1x8x?x64xf32>, %beta: tensor<8xf32>, %z: tensor<1x3x64xf32>) {
  // expected-error@+1 {{'infini.gate' op expected 'memory' heads (8) to be a multiple of 'normalizer' heads (3)}}
  %a = infini.gate %mem, %dot, %beta normalizer(%z : tensor<1x3x64xf32>) {first_segment = #infini.first_segment<local_only>}
    : tensor<1x8x?x64xf32>, tensor<8xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// affine_scan
//===----------------------------------------------------------------------===//

// affine_scan_c1
func.func @scan_rows(%B: tensor<?x1x2x32x32xf32>, %M: tensor<1x2x64x32xf32>) {
  // expected-error@+1 {{'infini.affine_scan' op expected 'initial' dimension 2 (K) to be 32, as in 'increments', got 64}}
  %before, %last = infini.affine_scan
    increments(%B : tensor<?x1x2x32x32xf32>) initial(%M : tensor<1x2x64x32xf32>)
  return
}

// -----

// affine_scan_c1
func.func @scan_factor_square(%A: tensor<?x1x2x64x32xf32>, %B: tensor<?x1x2x64x32xf32>, %M: tensor<1x2x64x32xf32>) {
  // expected-error@+1 {{expected 'factors' dimension 4 (K) to be 64}}
  %before, %last = infini.affine_scan factors(%A : tensor<?x1x2x64x32xf32>)
    increments(%B : tensor<?x1x2x64x32xf32>) initial(%M : tensor<1x2x64x32xf32>)
  return
}

// -----

// affine_scan_c1
func.func @scan_segments(%A: tensor<5x1x2x64xf32>, %B: tensor<4x1x2x64x32xf32>, %M: tensor<1x2x64x32xf32>) {
  // expected-error@+1 {{dimension 0 (S) to be}}
  %before, %last = infini.affine_scan factors(%A : tensor<5x1x2x64xf32>)
    increments(%B : tensor<4x1x2x64x32xf32>) initial(%M : tensor<1x2x64x32xf32>)
  return
}

// -----

// affine_scan_c1
func.func @scan_prefix_heads(%B: tensor<?x1x2x64xf32>, %M: tensor<1x4x64xf32>) {
  // expected-error@+1 {{'infini.affine_scan' op expected 'initial' dimension 1 (G) to be 2, as in 'increments', got 4}}
  %before, %last = infini.affine_scan
    increments(%B : tensor<?x1x2x64xf32>) initial(%M : tensor<1x4x64xf32>)
  return
}

// -----

// affine_scan_c2
func.func @scan_element_types(%B: tensor<?x1x2x64x32xf32>, %M: tensor<1x2x64x32xf64>) {
  // expected-error@+1 {{'infini.affine_scan' op expected 'initial' to have element type 'f32', as 'increments', got 'f64'}}
  %before, %last = infini.affine_scan
    increments(%B : tensor<?x1x2x64x32xf32>) initial(%M : tensor<1x2x64x32xf64>)
  return
}

// -----

// affine_scan_c2
func.func @scan_factor_type(%A: tensor<?x1x2x64x64xf64>, %B: tensor<?x1x2x64x32xf32>, %M: tensor<1x2x64x32xf32>) {
  // expected-error@+1 {{to have element type}}
  %before, %last = infini.affine_scan factors(%A : tensor<?x1x2x64x64xf64>)
    increments(%B : tensor<?x1x2x64x32xf32>) initial(%M : tensor<1x2x64x32xf32>)
  return
}

// -----

// affine_scan_c2
func.func @scan_before_type(%B: tensor<?x1x2x64xf32>, %M: tensor<1x2x64xf32>) {
  // expected-error@+1 {{'infini.affine_scan' op failed to verify that all of {increments, before} have same type}}
  %before, %last = "infini.affine_scan"(%B, %M)
    : (tensor<?x1x2x64xf32>, tensor<1x2x64xf32>) -> (tensor<4x1x2x64xf32>, tensor<1x2x64xf64>)
  return
}

// -----

// affine_scan_c3
func.func @scan_rank_of_increments(%B: tensor<2x64x32xf32>, %M: tensor<1x2x64x32xf32>) {
  // expected-error@+1 {{'infini.affine_scan' op expected 'increments' to have rank 5 or 4, got 3}}
  %before, %last = infini.affine_scan
    increments(%B : tensor<2x64x32xf32>) initial(%M : tensor<1x2x64x32xf32>)
  return
}

// -----

// affine_scan_c3
func.func @scan_rank_of_increments(%B: tensor<?x2x64xf32>, %M: tensor<2x64xf32>) {
  // expected-error@+1 {{'infini.affine_scan' op expected 'increments' to have rank 5 or 4, got 3}}
  %before, %last = infini.affine_scan
    increments(%B : tensor<?x2x64xf32>) initial(%M : tensor<2x64xf32>)
  return
}

// -----

// affine_scan_c4
func.func @scan_rank_with_factors(%A: tensor<?x1x2x64x64xf32>, %B: tensor<?x1x2x64xf32>, %M: tensor<1x2x64xf32>) {
  // expected-error@+1 {{'infini.affine_scan' op expected 'factors' to have rank 4, as 'increments', got 5}}
  %before, %last = infini.affine_scan factors(%A : tensor<?x1x2x64x64xf32>)
    increments(%B : tensor<?x1x2x64xf32>) initial(%M : tensor<1x2x64xf32>)
  return
}

// -----

// affine_scan_c3
func.func @scan_rank_of_initial(%B: tensor<?x1x2x64x32xf32>, %M: tensor<?x1x2x64x32xf32>) {
  // expected-error@+1 {{'infini.affine_scan' op expected 'initial' to have rank 4, got 5 ('tensor<?x1x2x64x32xf32>')}}
  %before, %last = infini.affine_scan
    increments(%B : tensor<?x1x2x64x32xf32>) initial(%M : tensor<?x1x2x64x32xf32>)
  return
}

// -----

// affine_scan_c4
func.func @scan_rank_of_factors(%A: tensor<?x2x64xf32>, %B: tensor<?x1x2x64x32xf32>, %M: tensor<1x2x64x32xf32>) {
  // expected-error@+1 {{'infini.affine_scan' op expected 'factors' to have rank 5 or 4, got 3}}
  %before, %last = infini.affine_scan factors(%A : tensor<?x2x64xf32>)
    increments(%B : tensor<?x1x2x64x32xf32>) initial(%M : tensor<1x2x64x32xf32>)
  return
}

// -----

func.func @scan_16_bit(%B: tensor<?x1x2x64x32xf16>, %M: tensor<1x2x64x32xf16>) {
  // expected-error@+1 {{must be ranked tensor of f32 or f64 values, but got 'tensor<?x1x2x64x32xf16>'}}
  %before, %last = infini.affine_scan
    increments(%B : tensor<?x1x2x64x32xf16>) initial(%M : tensor<1x2x64x32xf16>)
  return
}
