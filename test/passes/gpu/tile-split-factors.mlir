// RUN: infini-opt %s -pass-pipeline='builtin.module(func.func(tile-split-factors,canonicalize,cse))' --split-input-file | FileCheck %s

// bf16 and f32: three products of bf16, of eight digits each, the last's first.
// An infinity has no rest.
// CHECK-LABEL: func @memory
// CHECK-SAME: %[[X:.*]]: tensor<16x32xbf16>, %[[Y:.*]]: tensor<32x16xf32>, %[[ACC:.*]]: tensor<16x16xf32>
// CHECK-DAG: %[[INF:.*]] = arith.constant dense<0x7F800000>
// CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<0.000000e+00>
// CHECK: %[[H:.*]] = arith.truncf %[[Y]] : tensor<32x16xf32> to tensor<32x16xbf16>
// CHECK: %[[W:.*]] = arith.extf %[[H]]
// CHECK: %[[R:.*]] = arith.subf %[[Y]], %[[W]]
// CHECK: %[[ABS:.*]] = math.absf %[[W]]
// CHECK: %[[IS:.*]] = arith.cmpf oeq, %[[ABS]], %[[INF]]
// CHECK: %[[S:.*]] = arith.select %[[IS]], %[[ZERO]], %[[R]]
// CHECK: %[[M:.*]] = arith.truncf %[[S]]
// CHECK: %[[N:.*]] = arith.extf %[[M]]
// CHECK: %[[T:.*]] = arith.subf %[[S]], %[[N]]
// CHECK: %[[L:.*]] = arith.truncf %[[T]]
// CHECK: %[[C:.*]] = tile.dot %[[X]], %[[L]], %[[ACC]] : tensor<16x32xbf16>, tensor<32x16xbf16> into tensor<16x16xf32>
// CHECK: %[[D:.*]] = tile.dot %[[X]], %[[M]], %[[C]]
// CHECK: %[[E:.*]] = tile.dot %[[X]], %[[H]], %[[D]]
// CHECK: return %[[E]]
func.func @memory(%x: tensor<16x32xbf16>, %m: tensor<32x16xf32>, %acc: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %w = arith.extf %x : tensor<16x32xbf16> to tensor<16x32xf32>
  %d = tile.dot %w, %m, %acc : tensor<16x32xf32>, tensor<32x16xf32> into tensor<16x16xf32>
  return %d : tensor<16x16xf32>
}

// -----

// f16 has more digits than bf16: it is split as well, and transposed factors
// stay so.
// CHECK-LABEL: func @half
// CHECK-COUNT-5: tile.dot {{.*}} {transpose_a} : tensor<32x16xbf16>, tensor<32x16xbf16> into
// CHECK-NOT: tile.dot
// CHECK: return
func.func @half(%x: tensor<32x16xf16>, %m: tensor<32x16xf32>, %acc: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %w = arith.extf %x : tensor<32x16xf16> to tensor<32x16xf32>
  %d = tile.dot %w, %m, %acc {transpose_a} : tensor<32x16xf32>, tensor<32x16xf32> into tensor<16x16xf32>
  return %d : tensor<16x16xf32>
}

// -----

// Split where it is made, not where it is used: once, before the loop.
// CHECK-LABEL: func @loop
// CHECK-COUNT-3: arith.truncf
// CHECK: scf.for
// CHECK-NEXT: tile.dot
// CHECK-NEXT: tile.dot
// CHECK-NEXT: tile.dot
// CHECK-NEXT: scf.yield
func.func @loop(%x: tensor<16x32xbf16>, %m: tensor<32x16xf32>, %acc: tensor<16x16xf32>, %n: index) -> tensor<16x16xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %w = arith.extf %x : tensor<16x32xbf16> to tensor<16x32xf32>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %acc) -> (tensor<16x16xf32>) {
    %d = tile.dot %w, %m, %a : tensor<16x32xf32>, tensor<32x16xf32> into tensor<16x16xf32>
    scf.yield %d : tensor<16x16xf32>
  }
  return %r : tensor<16x16xf32>
}

// -----

// f32 alone, shapes without an instruction, and vectors stay.
// CHECK-LABEL: func @stay
// CHECK-NOT: arith.truncf
// CHECK: return
func.func @stay(%x: tensor<16x32xbf16>, %y: tensor<16x32xf32>, %m: tensor<32x16xf32>, %n: tensor<32x4xf32>, %v: tensor<32xf32>,
                %acc: tensor<16x16xf32>, %small: tensor<16x4xf32>, %one: tensor<16xf32>)
    -> (tensor<16x16xf32>, tensor<16x4xf32>, tensor<16xf32>) {
  %w = arith.extf %x : tensor<16x32xbf16> to tensor<16x32xf32>
  %a = tile.dot %y, %m, %acc : tensor<16x32xf32>, tensor<32x16xf32> into tensor<16x16xf32>
  %b = tile.dot %w, %n, %small : tensor<16x32xf32>, tensor<32x4xf32> into tensor<16x4xf32>
  %c = tile.dot %w, %v, %one : tensor<16x32xf32>, tensor<32xf32> into tensor<16xf32>
  return %a, %b, %c : tensor<16x16xf32>, tensor<16x4xf32>, tensor<16xf32>
}
