// RUN: infini-opt %s --split-input-file --verify-diagnostics

// What the verifiers of the schedule's ops refuse. Labels are those of
// ProgramOps.td; cases without one are refused by traits and types.

//===----------------------------------------------------------------------===//
// dispatch
//===----------------------------------------------------------------------===//

// dispatch_c1
func.func @dispatch_unknown_kernel(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'program.dispatch' op expected 'kernel' to name a kernel's module, got @scale}}
  %y = program.dispatch @scale outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// dispatch_c1: a module, but no kernel.
module @scale {
  func.func @scale(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}
func.func @dispatch_unmarked_kernel(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'program.dispatch' op expected 'kernel' to name a kernel's module, got @scale}}
  %y = program.dispatch @scale outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// dispatch_c1: a function is not a kernel's module.
func.func @scale(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
func.func @dispatch_function(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'program.dispatch' op expected 'kernel' to name a kernel's module, got @scale}}
  %y = program.dispatch @scale outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// dispatch_c1
module @scale attributes {program.kernel} {
  func.func @other(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}
func.func @dispatch_function_of_another_name(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'program.dispatch' op expected kernel @scale to have a function of its own name}}
  %y = program.dispatch @scale outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// dispatch_c2
module @scale attributes {program.kernel} {
  func.func @scale(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
    return %y : tensor<4xf32>
  }
}
func.func @dispatch_missing_input(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'program.dispatch' op expected kernel @scale to have type '(tensor<4xf32>) -> tensor<4xf32>', got '(tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>'}}
  %y = program.dispatch @scale outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// dispatch_c2
module @scale attributes {program.kernel} {
  func.func @scale(%x: tensor<8xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
    return %y : tensor<4xf32>
  }
}
func.func @dispatch_input_type(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'program.dispatch' op expected kernel @scale to have type '(tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>', got '(tensor<8xf32>, tensor<4xf32>) -> tensor<4xf32>'}}
  %y = program.dispatch @scale ins(%x : tensor<4xf32>) outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// dispatch_c2: one index a scalar.
module @scale attributes {program.kernel} {
  func.func @scale(%x: tensor<4xf32>, %n: index) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}
func.func @dispatch_scalars(%x: tensor<4xf32>, %n: index) -> tensor<4xf32> {
  // expected-error@+1 {{'program.dispatch' op expected kernel @scale to have type '(tensor<4xf32>, index, index) -> tensor<4xf32>', got '(tensor<4xf32>, index) -> tensor<4xf32>'}}
  %y = program.dispatch @scale scalars(%n, %n) outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// dispatch_c2: scalars come last.
module @scale attributes {program.kernel} {
  func.func @scale(%n: index, %x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}
func.func @dispatch_order(%x: tensor<4xf32>, %n: index) -> tensor<4xf32> {
  // expected-error@+1 {{'program.dispatch' op expected kernel @scale to have type '(tensor<4xf32>, index) -> tensor<4xf32>', got '(index, tensor<4xf32>) -> tensor<4xf32>'}}
  %y = program.dispatch @scale scalars(%n) outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// dispatch_c2: the types of `outs` come back.
module @scale attributes {program.kernel} {
  func.func @scale(%x: tensor<4xf32>) {
    return
  }
}
func.func @dispatch_results_of_kernel(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'program.dispatch' op expected kernel @scale to have type '(tensor<4xf32>) -> tensor<4xf32>', got '(tensor<4xf32>) -> ()'}}
  %y = program.dispatch @scale outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// dispatch_c3
module @scale attributes {program.kernel} {
  func.func @scale(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}
func.func @dispatch_number_of_results(%x: tensor<4xf32>) {
  // expected-error@+1 {{'program.dispatch' op expected one result an 'outs' operand, of its type}}
  program.dispatch @scale outs(%x : tensor<4xf32>)
  return
}

// -----

// dispatch_c3
module @scale attributes {program.kernel} {
  func.func @scale(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}
func.func @dispatch_type_of_result(%x: tensor<4xf32>) -> tensor<?xf32> {
  // expected-error@+1 {{'program.dispatch' op expected one result an 'outs' operand, of its type}}
  %y = program.dispatch @scale outs(%x : tensor<4xf32>) -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

func.func @dispatch_unranked(%x: tensor<*xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{'program.dispatch' op operand #0 must be variadic of ranked tensor of any type values, but got 'tensor<*xf32>'}}
  %y = program.dispatch @scale outs(%x : tensor<*xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @dispatch_float_scalar(%x: tensor<4xf32>, %s: f32) -> tensor<4xf32> {
  // expected-note@-1 {{prior use here}}
  // expected-error@+1 {{use of value '%s' expects different type than prior uses: 'index' vs 'f32'}}
  %y = program.dispatch @scale scalars(%s) outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

//===----------------------------------------------------------------------===//
// gemm
//===----------------------------------------------------------------------===//

// gemm_c1
func.func @gemm_rank_of_lhs(%a: tensor<1x2x3xf32>, %b: tensor<3x5xf32>, %o: tensor<2x5xf32>) {
  // expected-error@+1 {{'program.gemm' op expected 'lhs' to have rank 2, got 3}}
  %r = program.gemm %a, %b into %o : tensor<1x2x3xf32>, tensor<3x5xf32>, tensor<2x5xf32>
  return
}

// -----

// gemm_c1
func.func @gemm_rank_of_rhs(%a: tensor<2x3xf32>, %b: tensor<3xf32>, %o: tensor<2x5xf32>) {
  // expected-error@+1 {{'program.gemm' op expected 'rhs' to have rank 2, got 1}}
  %r = program.gemm %a, %b into %o : tensor<2x3xf32>, tensor<3xf32>, tensor<2x5xf32>
  return
}

// -----

// gemm_c1
func.func @gemm_rank_of_out(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>, %o: tensor<f32>) {
  // expected-error@+1 {{'program.gemm' op expected 'out' to have rank 2, got 0}}
  %r = program.gemm %a, %b into %o : tensor<2x3xf32>, tensor<3x5xf32>, tensor<f32>
  return
}

// -----

// gemm_c1
func.func @gemm_half(%a: tensor<2x3xf16>, %b: tensor<3x5xf16>, %o: tensor<2x5xf16>) {
  // expected-error@+1 {{'program.gemm' op expected 'lhs' to have element type f32 or f64, got 'f16'}}
  %r = program.gemm %a, %b into %o : tensor<2x3xf16>, tensor<3x5xf16>, tensor<2x5xf16>
  return
}

// -----

// gemm_c1
func.func @gemm_integers(%a: tensor<2x3xf32>, %b: tensor<3x5xi32>, %o: tensor<2x5xf32>) {
  // expected-error@+1 {{'program.gemm' op expected 'rhs' to have element type f32 or f64, got 'i32'}}
  %r = program.gemm %a, %b into %o : tensor<2x3xf32>, tensor<3x5xi32>, tensor<2x5xf32>
  return
}

// -----

// gemm_c1
func.func @gemm_mixed_inputs(%a: tensor<2x3xf32>, %b: tensor<3x5xf64>, %o: tensor<2x5xf32>) {
  // expected-error@+1 {{'program.gemm' op expected 'rhs' to have element type 'f32', as 'lhs', got 'f64'}}
  %r = program.gemm %a, %b into %o : tensor<2x3xf32>, tensor<3x5xf64>, tensor<2x5xf32>
  return
}

// -----

// gemm_c1
func.func @gemm_mixed_out(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>, %o: tensor<2x5xf64>) {
  // expected-error@+1 {{'program.gemm' op expected 'out' to have element type 'f32', as 'lhs', got 'f64'}}
  %r = program.gemm %a, %b into %o : tensor<2x3xf32>, tensor<3x5xf32>, tensor<2x5xf64>
  return
}

// -----

// gemm_c2
func.func @gemm_m(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>, %o: tensor<4x5xf32>) {
  // expected-error@+1 {{'program.gemm' op expected one size 'm', got 2 and 4}}
  %r = program.gemm %a, %b into %o : tensor<2x3xf32>, tensor<3x5xf32>, tensor<4x5xf32>
  return
}

// -----

// gemm_c2
func.func @gemm_k(%a: tensor<2x3xf32>, %b: tensor<4x5xf32>, %o: tensor<2x5xf32>) {
  // expected-error@+1 {{'program.gemm' op expected one size 'k', got 3 and 4}}
  %r = program.gemm %a, %b into %o : tensor<2x3xf32>, tensor<4x5xf32>, tensor<2x5xf32>
  return
}

// -----

// gemm_c2
func.func @gemm_n(%a: tensor<?x?xf32>, %b: tensor<?x5xf32>, %o: tensor<?x6xf32>) {
  // expected-error@+1 {{'program.gemm' op expected one size 'n', got 5 and 6}}
  %r = program.gemm %a, %b into %o : tensor<?x?xf32>, tensor<?x5xf32>, tensor<?x6xf32>
  return
}

// -----

// gemm_c2
func.func @gemm_m_transposed(%a: tensor<2x3xf32>, %b: tensor<2x5xf32>, %o: tensor<2x5xf32>) {
  // expected-error@+1 {{'program.gemm' op expected one size 'm', got 3 and 2}}
  %r = program.gemm %a, %b into %o {transpose_lhs} : tensor<2x3xf32>, tensor<2x5xf32>, tensor<2x5xf32>
  return
}

// -----

// gemm_c2
func.func @gemm_k_transposed(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>, %o: tensor<2x3xf32>) {
  // expected-error@+1 {{'program.gemm' op expected one size 'k', got 3 and 5}}
  %r = program.gemm %a, %b into %o {transpose_rhs} : tensor<2x3xf32>, tensor<3x5xf32>, tensor<2x3xf32>
  return
}

// -----

// gemm_c2
func.func @gemm_n_transposed(%a: tensor<3x2xf32>, %b: tensor<5x3xf32>, %o: tensor<2x3xf32>) {
  // expected-error@+1 {{'program.gemm' op expected one size 'n', got 5 and 3}}
  %r = program.gemm %a, %b into %o {transpose_lhs, transpose_rhs}
    : tensor<3x2xf32>, tensor<5x3xf32>, tensor<2x3xf32>
  return
}

// -----

func.func @gemm_type_of_result(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>, %o: tensor<2x5xf32>) {
  // expected-error@+1 {{'program.gemm' op failed to verify that all of {out, result} have same type}}
  %r = "program.gemm"(%a, %b, %o) : (tensor<2x3xf32>, tensor<3x5xf32>, tensor<2x5xf32>) -> tensor<?x5xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// copy
//===----------------------------------------------------------------------===//

// copy_c1
func.func @copy_sizes(%a: tensor<4xf32>, %b: tensor<5xf32>) {
  // expected-error@+1 {{'program.copy' op expected source and destination of one type, got 'tensor<4xf32>' and 'tensor<5xf32>'}}
  %c = program.copy %a into %b : tensor<4xf32>, tensor<5xf32>
  return
}

// -----

// copy_c1
func.func @copy_elements(%a: tensor<4xf32>, %b: tensor<4xf64>) {
  // expected-error@+1 {{'program.copy' op expected source and destination of one type, got 'tensor<4xf32>' and 'tensor<4xf64>'}}
  %c = program.copy %a into %b : tensor<4xf32>, tensor<4xf64>
  return
}

// -----

// copy_c1
func.func @copy_rank(%a: tensor<4xf32>, %b: tensor<4x1xf32>) {
  // expected-error@+1 {{'program.copy' op expected source and destination of one type, got 'tensor<4xf32>' and 'tensor<4x1xf32>'}}
  %c = program.copy %a into %b : tensor<4xf32>, tensor<4x1xf32>
  return
}

// -----

// copy_c1: a dynamic size is another type, too.
func.func @copy_dynamic(%a: tensor<?xf32>, %b: tensor<4xf32>) {
  // expected-error@+1 {{'program.copy' op expected source and destination of one type, got 'tensor<?xf32>' and 'tensor<4xf32>'}}
  %c = program.copy %a into %b : tensor<?xf32>, tensor<4xf32>
  return
}

// -----

func.func @copy_type_of_result(%a: tensor<4xf32>, %b: tensor<4xf32>) {
  // expected-error@+1 {{'program.copy' op failed to verify that all of {out, result} have same type}}
  %c = "program.copy"(%a, %b) : (tensor<4xf32>, tensor<4xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @copy_memref(%a: memref<4xf32>, %b: memref<4xf32>) {
  // expected-error@+1 {{invalid kind of type specified: expected builtin.tensor, but found 'memref<4xf32>'}}
  %c = program.copy %a into %b : memref<4xf32>, memref<4xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// buffer
//===----------------------------------------------------------------------===//

// buffer_c1
func.func @buffer_without_size() {
  // expected-error@+1 {{'program.buffer' op expected 1 sizes, got 0}}
  %b = program.buffer {slot = 0 : i64} : tensor<?x4xf32>
  return
}

// -----

// buffer_c1
func.func @buffer_too_few_sizes(%n: index) {
  // expected-error@+1 {{'program.buffer' op expected 2 sizes, got 1}}
  %b = program.buffer(%n) {slot = 0 : i64} : tensor<?x4x?xf32>
  return
}

// -----

// buffer_c1
func.func @buffer_too_many_sizes(%n: index) {
  // expected-error@+1 {{'program.buffer' op expected 0 sizes, got 1}}
  %b = program.buffer(%n) {slot = 0 : i64} : tensor<4xf32>
  return
}

// -----

// buffer_c2
func.func @buffer_negative_slot() {
  // expected-error@+1 {{'program.buffer' op expected 'slot' to be at least 0, got -1}}
  %b = program.buffer {slot = -1 : i64} : tensor<4xf32>
  return
}

// -----

func.func @buffer_without_slot() {
  // expected-error@+1 {{'program.buffer' op requires attribute 'slot'}}
  %b = program.buffer : tensor<4xf32>
  return
}

// -----

func.func @buffer_slot_type() {
  // expected-error@+1 {{'program.buffer' op attribute 'slot' failed to satisfy constraint: 64-bit signless integer attribute}}
  %b = program.buffer {slot = 1 : i32} : tensor<4xf32>
  return
}

// -----

func.func @buffer_unranked() {
  // expected-error@+1 {{'program.buffer' op result #0 must be ranked tensor of any type values, but got 'tensor<*xf32>'}}
  %b = "program.buffer"() {slot = 0 : i64} : () -> tensor<*xf32>
  return
}
