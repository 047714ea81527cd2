// RUN: infini-opt %s --infini-form-dispatches --canonicalize --cse --split-input-file | FileCheck %s

// Products in the four forms of a library; a fill with zero is folded.
// CHECK-LABEL: func @gemm_forms
// CHECK-SAME: (%[[MK:.*]]: tensor<2x3xf32>, %[[KM:.*]]: tensor<3x2xf32>, %[[KN:.*]]: tensor<3x5xf32>, %[[NK:.*]]: tensor<5x3xf32>)
func.func @gemm_forms(%mk: tensor<2x3xf32>, %km: tensor<3x2xf32>, %kn: tensor<3x5xf32>, %nk: tensor<5x3xf32>)
    -> (tensor<2x5xf32>, tensor<2x5xf32>, tensor<2x5xf32>, tensor<2x5xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x5xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x5xf32>) -> tensor<2x5xf32>
  // CHECK-NOT: program.dispatch
  // CHECK: %[[E:.*]] = tensor.empty() : tensor<2x5xf32>
  // CHECK: program.gemm %[[MK]], %[[KN]] into %[[E]] : tensor<2x3xf32>
  %a = linalg.matmul ins(%mk, %kn : tensor<2x3xf32>, tensor<3x5xf32>) outs(%f : tensor<2x5xf32>) -> tensor<2x5xf32>
  // CHECK: program.gemm %[[KM]], %[[KN]] into %[[E]] {transpose_lhs} :
  %b = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
      ins(%km, %kn : tensor<3x2xf32>, tensor<3x5xf32>) outs(%f : tensor<2x5xf32>) -> tensor<2x5xf32>
  // CHECK: %[[C:.*]] = program.gemm %[[MK]], %[[NK]] into %[[E]] {transpose_rhs} :
  %c = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      ins(%mk, %nk : tensor<2x3xf32>, tensor<5x3xf32>) outs(%f : tensor<2x5xf32>) -> tensor<2x5xf32>
  // What is not a fill with zero is added to.
  // CHECK: program.gemm %[[KM]], %[[NK]] into %[[C]] {accumulate, transpose_lhs, transpose_rhs} :
  %d = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      ins(%km, %nk : tensor<3x2xf32>, tensor<5x3xf32>) outs(%c : tensor<2x5xf32>) -> tensor<2x5xf32>
  return %a, %b, %c, %d : tensor<2x5xf32>, tensor<2x5xf32>, tensor<2x5xf32>, tensor<2x5xf32>
}

// -----

// A fill with another number is accumulated onto.
// CHECK-LABEL: func @gemm_onto_one
func.func @gemm_onto_one(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>) -> tensor<2x5xf32> {
  %one = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<2x5xf32>
  // CHECK: %[[F:.*]] = program.dispatch @fill_0 outs(%{{.*}} : tensor<2x5xf32>)
  // CHECK: program.gemm %{{.*}}, %{{.*}} into %[[F]] {accumulate} :
  %f = linalg.fill ins(%one : f32) outs(%e : tensor<2x5xf32>) -> tensor<2x5xf32>
  %c = linalg.matmul ins(%a, %b : tensor<2x3xf32>, tensor<3x5xf32>) outs(%f : tensor<2x5xf32>) -> tensor<2x5xf32>
  return %c : tensor<2x5xf32>
}

// -----

// A 16-bit operand is widened first.
// CHECK-LABEL: func @gemm_mixed
// CHECK-SAME: (%[[A:.*]]: tensor<2x3xf16>, %[[B:.*]]: tensor<3x5xf32>, %{{.*}}: tensor<2x5xf32>)
func.func @gemm_mixed(%a: tensor<2x3xf16>, %b: tensor<3x5xf32>, %c: tensor<2x5xf32>) -> tensor<2x5xf32> {
  // CHECK: %[[W:.*]] = program.dispatch @elementwise_0 ins(%[[A]] : tensor<2x3xf16>) outs(%{{.*}} : tensor<2x3xf32>)
  // CHECK: program.gemm %[[W]], %[[B]] into %{{.*}} {accumulate} :
  // CHECK: module @elementwise_0 attributes {program.kernel}
  // CHECK: arith.extf %{{.*}} : f16 to f32
  %r = linalg.matmul ins(%a, %b : tensor<2x3xf16>, tensor<3x5xf32>) outs(%c : tensor<2x5xf32>) -> tensor<2x5xf32>
  return %r : tensor<2x5xf32>
}

// -----

// No library's form: the result is transposed. A kernel then.
// CHECK-LABEL: func @not_a_gemm
func.func @not_a_gemm(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>, %c: tensor<5x2xf32>) -> tensor<5x2xf32> {
  // CHECK-NOT: program.gemm
  // CHECK: program.dispatch @reduction_0
  %r = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (n, m)>]
      ins(%a, %b : tensor<2x3xf32>, tensor<3x5xf32>) outs(%c : tensor<5x2xf32>) -> tensor<5x2xf32>
  return %r : tensor<5x2xf32>
}

// -----

// Three ops on elements: one kernel, one loop over blocks of rows.
// CHECK-LABEL: func @elementwise
// CHECK-SAME: (%[[X:.*]]: tensor<?x128xf32>, %[[Y:.*]]: tensor<?x128xf32>)
func.func @elementwise(%x: tensor<?x128xf32>, %y: tensor<?x128xf32>) -> tensor<?x128xf32> {
  // CHECK: %[[N:.*]] = tensor.dim %[[X]]
  // CHECK: %[[E:.*]] = tensor.empty(%[[N]])
  // CHECK: %[[R:.*]] = program.dispatch @add_0 scalars(%[[N]]) ins(%[[X]], %[[Y]] : tensor<?x128xf32>, tensor<?x128xf32>) outs(%[[E]] : tensor<?x128xf32>)
  // CHECK-NOT: program.dispatch
  // CHECK: return %[[R]]
  // CHECK: module @add_0 attributes {program.kernel}
  // CHECK: func.func @add_0(%{{.*}}: tensor<?x128xf32> {bufferization.writable = false}, %{{.*}}: tensor<?x128xf32> {bufferization.writable = false}, %[[OUT:.*]]: tensor<?x128xf32>, %{{.*}}: index)
  // CHECK: %[[F:.*]] = scf.forall (%{{.*}}) = (0) to (%{{.*}}) step (128)
  // CHECK:   linalg.mul
  // CHECK:   linalg.exp
  // CHECK:   linalg.add
  // CHECK-NOT: scf.forall (
  // CHECK: bufferization.materialize_in_destination %[[F]] in %[[OUT]]
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x128xf32>
  %e = tensor.empty(%n) : tensor<?x128xf32>
  %a = linalg.mul ins(%x, %y : tensor<?x128xf32>, tensor<?x128xf32>) outs(%e : tensor<?x128xf32>) -> tensor<?x128xf32>
  %b = linalg.exp ins(%a : tensor<?x128xf32>) outs(%e : tensor<?x128xf32>) -> tensor<?x128xf32>
  %c = linalg.add ins(%b, %x : tensor<?x128xf32>, tensor<?x128xf32>) outs(%e : tensor<?x128xf32>) -> tensor<?x128xf32>
  return %c : tensor<?x128xf32>
}

// -----

// A producer with a second user is not computed twice.
// CHECK-LABEL: func @two_users
func.func @two_users(%x: tensor<64x128xf32>) -> (tensor<64x128xf32>, tensor<64x128xf32>) {
  // CHECK: %[[A:.*]] = program.dispatch @exp_0 ins(%{{.*}})
  // CHECK: %[[B:.*]] = program.dispatch @add_0 ins(%[[A]], %{{.*}} :
  // CHECK: return %[[A]], %[[B]]
  %e = tensor.empty() : tensor<64x128xf32>
  %a = linalg.exp ins(%x : tensor<64x128xf32>) outs(%e : tensor<64x128xf32>) -> tensor<64x128xf32>
  %b = linalg.add ins(%a, %x : tensor<64x128xf32>, tensor<64x128xf32>) outs(%e : tensor<64x128xf32>) -> tensor<64x128xf32>
  return %a, %b : tensor<64x128xf32>, tensor<64x128xf32>
}

// -----

// Read back: attention, retrieval, and gate in one kernel, over heads and blocks of 64 tokens.
// CHECK-LABEL: func @read_back
func.func @read_back(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x64xf32>,
                     %M: tensor<1x2x64x64xf32>, %z: tensor<1x2x64xf32>, %beta: tensor<8xf32>) -> tensor<1x8x?x64xf32> {
  // CHECK-COUNT-1: program.dispatch @segment_attention_0
  // CHECK-NOT: program.dispatch
  // CHECK: module @segment_attention_0 attributes {program.kernel}
  // CHECK: scf.forall (%[[H:.*]], %[[L:.*]]) = (0, 0) to (8, %{{.*}}) step (1, 16)
  // Query head h reads the memory and keys of group h / 4.
  // CHECK:   %[[G:.*]] = affine.apply #{{.*}}(%[[H]])
  // CHECK:   %[[SQ:.*]] = infini.feature_map %{{.*}} : tensor<1x1x?x64xf32>
  // CHECK:   tensor.extract_slice %{{.*}}[0, %[[G]], 0, 0] [1, 1, 64, 64]
  // CHECK:   %[[MEM:.*]] = infini.memory_retrieve %[[SQ]]
  // CHECK:   %[[DOT:.*]] = infini.segment_attention {{.*}} query_offset(%{{.*}})
  // CHECK:   infini.gate %[[MEM]], %[[DOT]], %{{.*}} : tensor<1x1x?x64xf32>, tensor<1xf32>
  // CHECK:   tensor.parallel_insert_slice
  // CHECK-NOT: scf.forall (
  %dot = infini.segment_attention %q, %k, %v : (tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x8x?x64xf32>
  %sq = infini.feature_map %q : tensor<1x8x?x64xf32>
  %mem = infini.memory_retrieve %sq, %M, %z : (tensor<1x8x?x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>) -> tensor<1x8x?x64xf32>
  %a = infini.gate %mem, %dot, %beta : tensor<1x8x?x64xf32>, tensor<8xf32>
  return %a : tensor<1x8x?x64xf32>
}

// -----

// Two equal kernels are one, also across functions.
// CHECK-LABEL: func @twice
func.func @twice(%x: tensor<?x128xf32>, %w: tensor<128x128xf32>) -> tensor<?x128xf32> {
  // CHECK: program.dispatch @[[EXP:exp_[0-9]+]]
  // CHECK: program.gemm
  // CHECK: program.dispatch @[[EXP]]
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x128xf32>
  %e = tensor.empty(%n) : tensor<?x128xf32>
  %a = linalg.exp ins(%x : tensor<?x128xf32>) outs(%e : tensor<?x128xf32>) -> tensor<?x128xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x128xf32>) -> tensor<?x128xf32>
  %p = linalg.matmul ins(%a, %w : tensor<?x128xf32>, tensor<128x128xf32>) outs(%f : tensor<?x128xf32>) -> tensor<?x128xf32>
  %b = linalg.exp ins(%p : tensor<?x128xf32>) outs(%e : tensor<?x128xf32>) -> tensor<?x128xf32>
  return %b : tensor<?x128xf32>
}
// CHECK-LABEL: func @once_more
func.func @once_more(%other: tensor<?x128xf32>) -> tensor<?x128xf32> {
  // CHECK: program.dispatch @[[EXP]]
  %c0 = arith.constant 0 : index
  %n = tensor.dim %other, %c0 : tensor<?x128xf32>
  %e = tensor.empty(%n) : tensor<?x128xf32>
  %a = linalg.exp ins(%other : tensor<?x128xf32>) outs(%e : tensor<?x128xf32>) -> tensor<?x128xf32>
  return %a : tensor<?x128xf32>
}
// CHECK-COUNT-1: module @{{.*}} attributes {program.kernel}
// CHECK-NOT: module @

// -----

// A loop that carries tensors stays in the schedule; its body has the kernel.
// CHECK-LABEL: func @loop
func.func @loop(%x: tensor<64x64xf32>, %n: index) -> tensor<64x64xf32> {
  // CHECK: %[[R:.*]] = scf.for {{.*}} iter_args(%[[A:[a-z0-9_]+]] = %{{.*}}) -> (tensor<64x64xf32>)
  // CHECK:   %[[B:.*]] = program.dispatch @exp_0 ins(%[[A]] :
  // CHECK:   scf.yield %[[B]]
  // CHECK: return %[[R]]
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> tensor<64x64xf32> {
    %e = tensor.empty() : tensor<64x64xf32>
    %b = linalg.exp ins(%a : tensor<64x64xf32>) outs(%e : tensor<64x64xf32>) -> tensor<64x64xf32>
    scf.yield %b : tensor<64x64xf32>
  }
  return %r : tensor<64x64xf32>
}

// -----

// An update writes what it updates: no second buffer, no input.
// CHECK-LABEL: func @update
// CHECK-SAME: (%[[X:.*]]: tensor<2x4xf32>, %[[Y:.*]]: tensor<8x4xf32>, %[[I:.*]]: index)
func.func @update(%x: tensor<2x4xf32>, %y: tensor<8x4xf32>, %i: index) -> tensor<8x4xf32> {
  // CHECK-NEXT: program.dispatch @insert_slice_0 scalars(%[[I]]) ins(%[[X]] : tensor<2x4xf32>) outs(%[[Y]] : tensor<8x4xf32>)
  %r = tensor.insert_slice %x into %y[%i, 0] [2, 4] [1, 1] : tensor<2x4xf32> into tensor<8x4xf32>
  return %r : tensor<8x4xf32>
}

// -----

// A product with anything else in its body is no gemm.

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: func @negated_product
// CHECK-NOT: program.gemm
// CHECK: program.dispatch
func.func @negated_product(%a: tensor<?x3xf32>, %b: tensor<3x2xf32>, %c: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %r = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%a, %b : tensor<?x3xf32>, tensor<3x2xf32>) outs(%c : tensor<?x2xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %n = arith.negf %x : f32
    %m = arith.mulf %n, %y : f32
    %s = arith.addf %z, %m : f32
    linalg.yield %s : f32
  } -> tensor<?x2xf32>
  return %r : tensor<?x2xf32>
}

// -----

// A producer that goes into an update takes its body along, once.

// CHECK-LABEL: func @producer_of_update
// CHECK: scf.for
// CHECK: program.dispatch
// CHECK: linalg.add
func.func @producer_of_update(%x: tensor<?x4xf32>, %n: index) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %d = tensor.dim %x, %c0 : tensor<?x4xf32>
  %e = tensor.empty(%d) : tensor<?x4xf32>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%p = %e) -> (tensor<?x4xf32>) {
    %w = linalg.add ins(%x, %x : tensor<?x4xf32>, tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
    %q = tensor.insert_slice %w into %p[0, 0] [%d, 4] [1, 1] : tensor<?x4xf32> into tensor<?x4xf32>
    scf.yield %q : tensor<?x4xf32>
  }
  return %r : tensor<?x4xf32>
}
