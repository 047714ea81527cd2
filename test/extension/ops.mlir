// REQUIRES: infini-decay-opt
// RUN: infini-decay-opt %s | FileCheck %s
// RUN: infini-decay-opt %s | infini-decay-opt | FileCheck %s
// RUN: infini-decay-opt %s --mlir-print-op-generic | infini-decay-opt | FileCheck %s
// RUN: infini-decay-opt %s --emit-bytecode | infini-decay-opt | FileCheck %s

// The core does not know the dialect.
// RUN: not infini-opt %s 2>&1 | FileCheck %s --check-prefix=CORE
// CORE: error: Dialect `decay' not found

// Each op becomes its definition.
// RUN: infini-decay-opt %s --infini-decompose | FileCheck %s --check-prefix=DEFINITION --implicit-check-not=decay.

// CHECK-LABEL: func @update
// CHECK-SAME: (%[[K:.*]]: tensor<1x2x?x16xf32>, %[[V:.*]]: tensor<1x2x?x24xf32>, %[[M:.*]]: tensor<1x2x16x24xf32>, %[[Z:.*]]: tensor<1x2x16xf32>)
// DEFINITION-LABEL: func @update
func.func @update(%k: tensor<1x2x?x16xf32>, %v: tensor<1x2x?x24xf32>, %M: tensor<1x2x16x24xf32>, %z: tensor<1x2x16xf32>)
    -> (tensor<1x2x16x24xf32>, tensor<1x2x16xf32>) {
  // CHECK: %[[M1:.*]], %[[Z1:.*]] = decay.update %[[K]], %[[V]], %[[M]], %[[Z]] {gamma = 9.000000e-01 : f64} : tensor<1x2x?x16xf32>, tensor<1x2x?x24xf32>, tensor<1x2x16x24xf32>, tensor<1x2x16xf32>
  // CHECK: return %[[M1]], %[[Z1]]
  // DEFINITION: linalg.generic
  // DEFINITION: arith.constant 0.899999976 : f32
  // DEFINITION: return %{{.*}}, %{{.*}} : tensor<1x2x16x24xf32>, tensor<1x2x16xf32>
  %M1, %z1 = decay.update %k, %v, %M, %z {gamma = 0.9 : f64}
    : tensor<1x2x?x16xf32>, tensor<1x2x?x24xf32>, tensor<1x2x16x24xf32>, tensor<1x2x16xf32>
  return %M1, %z1 : tensor<1x2x16x24xf32>, tensor<1x2x16xf32>
}

// CHECK-LABEL: func @update_bf16
// DEFINITION-LABEL: func @update_bf16
func.func @update_bf16(%k: tensor<?x?x?x?xbf16>, %v: tensor<?x?x?x?xbf16>, %M: tensor<?x?x?x?xf32>, %z: tensor<?x?x?xf32>)
    -> tensor<?x?x?x?xf32> {
  // CHECK: decay.update {{.*}} {gamma = 1.000000e+00 : f64} : tensor<?x?x?x?xbf16>, tensor<?x?x?x?xbf16>, tensor<?x?x?x?xf32>, tensor<?x?x?xf32>
  // DEFINITION: arith.extf %{{.*}} : bf16 to f32
  %M1, %z1 = decay.update %k, %v, %M, %z {gamma = 1.0 : f64}
    : tensor<?x?x?x?xbf16>, tensor<?x?x?x?xbf16>, tensor<?x?x?x?xf32>, tensor<?x?x?xf32>
  return %M1 : tensor<?x?x?x?xf32>
}

// CHECK-LABEL: func @gate
// CHECK-SAME: (%[[MEM:.*]]: tensor<1x4x?x24xf32>, %[[DOT:.*]]: tensor<1x4x?x24xf32>, %[[W:.*]]: tensor<4x24xf32>, %[[B:.*]]: tensor<4xf32>)
// DEFINITION-LABEL: func @gate
func.func @gate(%mem: tensor<1x4x?x24xf32>, %dot: tensor<1x4x?x24xf32>, %w: tensor<4x24xf32>, %b: tensor<4xf32>)
    -> tensor<1x4x?x24xf32> {
  // CHECK: decay.gate %[[MEM]], %[[DOT]], %[[W]], %[[B]] : tensor<1x4x?x24xf32>, tensor<4x24xf32>, tensor<4xf32>
  // DEFINITION: math.exp
  // DEFINITION: return %{{.*}} : tensor<1x4x?x24xf32>
  %a = decay.gate %mem, %dot, %w, %b : tensor<1x4x?x24xf32>, tensor<4x24xf32>, tensor<4xf32>
  return %a : tensor<1x4x?x24xf32>
}
