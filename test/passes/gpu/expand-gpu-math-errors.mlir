// RUN: infini-opt %s --split-input-file --verify-diagnostics -infini-expand-gpu-math

// Functions that nobody has written down here yet.

func.func @log_f64(%x: f64) -> f64 {
  // expected-error@+1 {{'math.log' of 'f64' has no form on GPUs}}
  %y = math.log %x : f64
  return %y : f64
}

// -----

func.func @tanh_f64(%x: f64) -> f64 {
  // expected-error@+1 {{'math.tanh' of 'f64' has no form on GPUs}}
  %y = math.tanh %x : f64
  return %y : f64
}

// -----

func.func @erf_f64(%x: f64) -> f64 {
  // expected-error@+1 {{'math.erf' of 'f64' has no form on GPUs}}
  %y = math.erf %x : f64
  return %y : f64
}

// -----

func.func @cbrt_f64(%x: f64) -> f64 {
  // expected-error@+1 {{'math.cbrt' of 'f64' has no form on GPUs}}
  %y = math.cbrt %x : f64
  return %y : f64
}

// -----

func.func @log10_f32(%x: f32) -> f32 {
  // expected-error@+1 {{'math.log10' of 'f32' has no form on GPUs}}
  %y = math.log10 %x : f32
  return %y : f32
}

// -----

// What it is made of is named.
func.func @powf_f64(%x: f64) -> f64 {
  // expected-error@+1 {{'math.log' of 'f64' has no form on GPUs}}
  %y = math.powf %x, %x : f64
  return %y : f64
}

// -----

func.func @fpowi(%x: f32, %i: i32) -> f32 {
  // expected-error@+1 {{'math.fpowi' of 'f32' has no form on GPUs}}
  %y = math.fpowi %x, %i : f32, i32
  return %y : f32
}

// -----

// Of 16 bits: a pass before widens them.
func.func @bf16(%x: vector<8xbf16>) -> vector<8xbf16> {
  // expected-error@+1 {{'math.exp' of 'bf16' has no form on GPUs}}
  %y = math.exp %x : vector<8xbf16>
  return %y : vector<8xbf16>
}
