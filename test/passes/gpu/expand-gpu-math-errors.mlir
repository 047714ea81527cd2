// RUN: infini-opt %s --split-input-file --verify-diagnostics -infini-expand-gpu-math

// Functions that nobody has written down here yet.

func.func @erf_f64(%x: f64) -> f64 {
  // expected-error@+1 {{'math.erf' of 'f64' has no form on GPUs}}
  %y = math.erf %x : f64
  return %y : f64
}

// -----

func.func @erfc_f64(%x: f64) -> f64 {
  // expected-error@+1 {{'math.erfc' of 'f64' has no form on GPUs}}
  %y = math.erfc %x : f64
  return %y : f64
}

// -----

func.func @powf_f64(%x: f64) -> f64 {
  // expected-error@+1 {{'math.powf' of 'f64' has no form on GPUs}}
  %y = math.powf %x, %x : f64
  return %y : f64
}

// -----

func.func @fpowi_f64(%x: f64, %i: i32) -> f64 {
  // expected-error@+1 {{'math.fpowi' of 'f64' has no form on GPUs}}
  %y = math.fpowi %x, %i : f64, i32
  return %y : f64
}

// -----

// Few exponents have a form in f64.
func.func @fourth_power_f64(%x: f64) -> f64 {
  %four = arith.constant 4.0 : f64
  // expected-error@+1 {{'math.powf' of 'f64' has no form on GPUs}}
  %y = math.powf %x, %four : f64
  return %y : f64
}

// -----

func.func @two_at_once(%x: f32) -> (f32, f32) {
  // expected-error@+1 {{'math.sincos' of 'f32' has no form on GPUs}}
  %y, %z = math.sincos %x : f32
  return %y, %z : f32, f32
}

// -----

// Of 16 bits: a pass before widens them.
func.func @bf16(%x: vector<8xbf16>) -> vector<8xbf16> {
  // expected-error@+1 {{'math.exp' of 'bf16' has no form on GPUs}}
  %y = math.exp %x : vector<8xbf16>
  return %y : vector<8xbf16>
}
