// REQUIRES: infini-decay-opt
// RUN: infini-decay-opt %s --split-input-file --verify-diagnostics

func.func @gamma_zero(%k: tensor<1x2x?x16xf32>, %v: tensor<1x2x?x24xf32>, %M: tensor<1x2x16x24xf32>, %z: tensor<1x2x16xf32>) {
  // expected-error@+1 {{'decay.update' op expected 'gamma' to be above 0 and at most 1, got 0.000000e+00}}
  %r:2 = decay.update %k, %v, %M, %z {gamma = 0.0 : f64}
    : tensor<1x2x?x16xf32>, tensor<1x2x?x24xf32>, tensor<1x2x16x24xf32>, tensor<1x2x16xf32>
  return
}

// -----

func.func @gamma_large(%k: tensor<1x2x?x16xf32>, %v: tensor<1x2x?x24xf32>, %M: tensor<1x2x16x24xf32>, %z: tensor<1x2x16xf32>) {
  // expected-error@+1 {{'decay.update' op expected 'gamma' to be above 0 and at most 1, got 1.500000e+00}}
  %r:2 = decay.update %k, %v, %M, %z {gamma = 1.5 : f64}
    : tensor<1x2x?x16xf32>, tensor<1x2x?x24xf32>, tensor<1x2x16x24xf32>, tensor<1x2x16xf32>
  return
}

// -----

func.func @gamma_nan(%k: tensor<1x2x?x16xf32>, %v: tensor<1x2x?x24xf32>, %M: tensor<1x2x16x24xf32>, %z: tensor<1x2x16xf32>) {
  // expected-error@+1 {{'decay.update' op expected 'gamma' to be above 0 and at most 1, got nan}}
  %r:2 = decay.update %k, %v, %M, %z {gamma = 0x7FF8000000000000 : f64}
    : tensor<1x2x?x16xf32>, tensor<1x2x?x24xf32>, tensor<1x2x16x24xf32>, tensor<1x2x16xf32>
  return
}

// -----

func.func @head_size(%k: tensor<1x2x?x16xf32>, %v: tensor<1x2x?x24xf32>, %M: tensor<1x2x8x24xf32>, %z: tensor<1x2x16xf32>) {
  // expected-error@+1 {{'decay.update' op expected 'memory' dimension 2 (K) to be 16, as in 'key', got 8}}
  %r:2 = decay.update %k, %v, %M, %z {gamma = 0.9 : f64}
    : tensor<1x2x?x16xf32>, tensor<1x2x?x24xf32>, tensor<1x2x8x24xf32>, tensor<1x2x16xf32>
  return
}

// -----

func.func @narrow_memory(%k: tensor<1x2x?x16xf64>, %v: tensor<1x2x?x24xf64>, %M: tensor<1x2x16x24xf32>, %z: tensor<1x2x16xf32>) {
  // expected-error@+1 {{'decay.update' op expected 'memory' to be at least as wide as 'key' ('f64'), got 'f32'}}
  %r:2 = decay.update %k, %v, %M, %z {gamma = 0.9 : f64}
    : tensor<1x2x?x16xf64>, tensor<1x2x?x24xf64>, tensor<1x2x16x24xf32>, tensor<1x2x16xf32>
  return
}

// -----

func.func @element_types(%k: tensor<1x2x?x16xf32>, %v: tensor<1x2x?x24xf16>, %M: tensor<1x2x16x24xf32>, %z: tensor<1x2x16xf32>) {
  // expected-error@+1 {{'decay.update' op failed to verify that all of {key, value} have same element type}}
  %r:2 = decay.update %k, %v, %M, %z {gamma = 0.9 : f64}
    : tensor<1x2x?x16xf32>, tensor<1x2x?x24xf16>, tensor<1x2x16x24xf32>, tensor<1x2x16xf32>
  return
}

// -----

func.func @weight(%mem: tensor<1x4x?x24xf32>, %dot: tensor<1x4x?x24xf32>, %w: tensor<4x16xf32>, %b: tensor<4xf32>) {
  // expected-error@+1 {{'decay.gate' op expected 'weight' dimension 1 (V) to be 24, as in 'memory', got 16}}
  %a = decay.gate %mem, %dot, %w, %b : tensor<1x4x?x24xf32>, tensor<4x16xf32>, tensor<4xf32>
  return
}

// -----

func.func @bias(%mem: tensor<1x4x?x24xf32>, %dot: tensor<1x4x?x24xf32>, %w: tensor<4x24xf32>, %b: tensor<4x24xf32>) {
  // expected-error@+1 {{'decay.gate' op expected 'bias' to have rank 1, got 2 ('tensor<4x24xf32>')}}
  %a = decay.gate %mem, %dot, %w, %b : tensor<1x4x?x24xf32>, tensor<4x24xf32>, tensor<4x24xf32>
  return
}
