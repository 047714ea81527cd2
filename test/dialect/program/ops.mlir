// RUN: infini-opt %s | FileCheck %s
// RUN: infini-opt %s | infini-opt | FileCheck %s
// RUN: infini-opt %s --mlir-print-op-generic | infini-opt | FileCheck %s
// RUN: infini-opt %s --emit-bytecode | infini-opt | FileCheck %s

// The examples of ProgramOps.td, and every optional part of every op.

// CHECK: module @scale attributes {program.kernel}
module @scale attributes {program.kernel} {
  func.func @scale(%x: tensor<?xf32>, %y: tensor<?xf32>, %n: index) -> tensor<?xf32> {
    %0 = bufferization.materialize_in_destination %x in %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
    return %0 : tensor<?xf32>
  }
}

module @make attributes {program.kernel} {
  func.func @make(%a: tensor<4xf32>, %b: tensor<2x?xf64>) -> (tensor<4xf32>, tensor<2x?xf64>) {
    return %a, %b : tensor<4xf32>, tensor<2x?xf64>
  }
}

module @nothing attributes {program.kernel} {
  func.func @nothing() {
    return
  }
}

// A lowered kernel keeps its name, not its type.
module @lowered attributes {program.kernel} {
  llvm.func @lowered(!llvm.ptr, !llvm.ptr)
}

// CHECK-LABEL: func @dispatch
// CHECK-SAME: (%[[X:.*]]: tensor<?xf32>, %[[E:.*]]: tensor<?xf32>, %[[N:.*]]: index)
func.func @dispatch(%x: tensor<?xf32>, %e: tensor<?xf32>, %n: index) -> tensor<?xf32> {
  // CHECK-NEXT: %[[Y:.*]] = program.dispatch @scale scalars(%[[N]]) ins(%[[X]] : tensor<?xf32>) outs(%[[E]] : tensor<?xf32>) -> tensor<?xf32>
  %y = program.dispatch @scale scalars(%n) ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  // CHECK-NEXT: return %[[Y]]
  return %y : tensor<?xf32>
}

// Two results, neither inputs nor scalars.
// CHECK-LABEL: func @dispatch_outs_only
// CHECK-SAME: (%[[A:.*]]: tensor<4xf32>, %[[B:.*]]: tensor<2x?xf64>)
func.func @dispatch_outs_only(%a: tensor<4xf32>, %b: tensor<2x?xf64>) -> (tensor<4xf32>, tensor<2x?xf64>) {
  // CHECK-NEXT: %[[R:.*]]:2 = program.dispatch @make outs(%[[A]], %[[B]] : tensor<4xf32>, tensor<2x?xf64>) -> tensor<4xf32>, tensor<2x?xf64>
  %r:2 = program.dispatch @make outs(%a, %b : tensor<4xf32>, tensor<2x?xf64>) -> tensor<4xf32>, tensor<2x?xf64>
  // CHECK-NEXT: return %[[R]]#0, %[[R]]#1
  return %r#0, %r#1 : tensor<4xf32>, tensor<2x?xf64>
}

// CHECK-LABEL: func @dispatch_nothing
func.func @dispatch_nothing() {
  // CHECK-NEXT: program.dispatch @nothing{{$}}
  program.dispatch @nothing
  return
}

// CHECK-LABEL: func @dispatch_lowered
func.func @dispatch_lowered(%x: tensor<8xf32>) -> tensor<8xf32> {
  // CHECK-NEXT: program.dispatch @lowered outs(%{{.*}} : tensor<8xf32>) {note = 1 : i64} -> tensor<8xf32>
  %y = program.dispatch @lowered outs(%x : tensor<8xf32>) {note = 1 : i64} -> tensor<8xf32>
  return %y : tensor<8xf32>
}

// CHECK-LABEL: func @gemm
// CHECK-SAME: (%[[X:.*]]: tensor<?x128xf32>, %[[W:.*]]: tensor<352x128xf32>, %[[E:.*]]: tensor<?x352xf32>)
func.func @gemm(%x: tensor<?x128xf32>, %w: tensor<352x128xf32>, %e: tensor<?x352xf32>) -> tensor<?x352xf32> {
  // CHECK-NEXT: program.gemm %[[X]], %[[W]] into %[[E]] {transpose_rhs} : tensor<?x128xf32>, tensor<352x128xf32>, tensor<?x352xf32>
  %y = program.gemm %x, %w into %e {transpose_rhs}
    : tensor<?x128xf32>, tensor<352x128xf32>, tensor<?x352xf32>
  return %y : tensor<?x352xf32>
}

// Every size static, each different, so that a wrong transposition does not verify.
// CHECK-LABEL: func @gemm_forms
func.func @gemm_forms(%mk: tensor<2x3xf64>, %km: tensor<3x2xf64>, %kn: tensor<3x5xf64>, %nk: tensor<5x3xf64>,
                      %o: tensor<2x5xf64>) -> tensor<2x5xf64> {
  // CHECK-NEXT: program.gemm %{{.*}}, %{{.*}} into %{{.*}} : tensor<2x3xf64>, tensor<3x5xf64>, tensor<2x5xf64>
  %a = program.gemm %mk, %kn into %o : tensor<2x3xf64>, tensor<3x5xf64>, tensor<2x5xf64>
  // CHECK-NEXT: program.gemm %{{.*}} into %{{.*}} {transpose_lhs} : tensor<3x2xf64>, tensor<3x5xf64>, tensor<2x5xf64>
  %b = program.gemm %km, %kn into %a {transpose_lhs} : tensor<3x2xf64>, tensor<3x5xf64>, tensor<2x5xf64>
  // CHECK-NEXT: program.gemm %{{.*}} into %{{.*}} {accumulate, transpose_rhs} : tensor<2x3xf64>, tensor<5x3xf64>, tensor<2x5xf64>
  %c = program.gemm %mk, %nk into %b {accumulate, transpose_rhs} : tensor<2x3xf64>, tensor<5x3xf64>, tensor<2x5xf64>
  // CHECK-NEXT: program.gemm %{{.*}} into %{{.*}} {accumulate, transpose_lhs, transpose_rhs} : tensor<3x2xf64>, tensor<5x3xf64>, tensor<2x5xf64>
  %d = program.gemm %km, %nk into %c {accumulate, transpose_lhs, transpose_rhs}
    : tensor<3x2xf64>, tensor<5x3xf64>, tensor<2x5xf64>
  return %d : tensor<2x5xf64>
}

// CHECK-LABEL: func @copy
// CHECK-SAME: (%[[A:.*]]: tensor<?x4xf32>, %[[B:.*]]: tensor<?x4xf32>)
func.func @copy(%a: tensor<?x4xf32>, %b: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK-NEXT: program.copy %[[A]] into %[[B]] : tensor<?x4xf32>, tensor<?x4xf32>
  %c = program.copy %a into %b : tensor<?x4xf32>, tensor<?x4xf32>
  return %c : tensor<?x4xf32>
}

// CHECK-LABEL: func @copy_scalar
func.func @copy_scalar(%a: tensor<i1>, %b: tensor<i1>) -> tensor<i1> {
  // CHECK-NEXT: program.copy %{{.*}} into %{{.*}} : tensor<i1>, tensor<i1>
  %c = program.copy %a into %b : tensor<i1>, tensor<i1>
  return %c : tensor<i1>
}

// CHECK-LABEL: func @buffer
// CHECK-SAME: (%[[N:.*]]: index)
func.func @buffer(%n: index) -> (tensor<?x128xf32>, tensor<4xf16>, tensor<?x2x?xbf16>) {
  // CHECK-NEXT: program.buffer(%[[N]]) {slot = 2 : i64} : tensor<?x128xf32>
  %a = program.buffer(%n) {slot = 2 : i64} : tensor<?x128xf32>
  // CHECK-NEXT: program.buffer {slot = 0 : i64} : tensor<4xf16>
  %b = program.buffer {slot = 0 : i64} : tensor<4xf16>
  // CHECK-NEXT: program.buffer(%[[N]], %[[N]]) {slot = 1 : i64} : tensor<?x2x?xbf16>
  %c = program.buffer(%n, %n) {slot = 1 : i64} : tensor<?x2x?xbf16>
  return %a, %b, %c : tensor<?x128xf32>, tensor<4xf16>, tensor<?x2x?xbf16>
}

// Roles and names are attributes of arguments and results.
// CHECK-LABEL: func @roles
// CHECK-SAME: {program.name = "h", program.role = "state"}
func.func @roles(%h: tensor<4xf32> {program.role = "state", program.name = "h"})
    -> (tensor<4xf32> {program.role = "state", program.name = "h"}) {
  return %h : tensor<4xf32>
}
