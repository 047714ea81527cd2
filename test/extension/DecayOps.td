// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A memory rule and a gate that the core does not know (docs/extending.md).

#ifndef INFINI_TEST_EXTENSION_DECAYOPS
#define INFINI_TEST_EXTENSION_DECAYOPS

include "infini/dialect/infini/InfiniOpBase.td"
include "mlir/Dialect/Linalg/IR/LinalgInterfaces.td"

def Decay_Dialect : Dialect {
  let name = "decay";
  let cppNamespace = "::decay";
  let summary = "A memory that forgets, and a gate that looks at the data";
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"
  ];
}

def Decay_UpdateOp : Infini_ShapedOp<Decay_Dialect, "update", [
    DeclareOpInterfaceMethods<MemoryWriteOpInterface>,
    AllElementTypesMatch<["key", "value"]>, AllElementTypesMatch<["memory", "normalizer"]>,
    AllTypesMatch<["memory", "new_memory"]>, AllTypesMatch<["normalizer", "new_normalizer"]>]> {
  let summary = "Writes a segment to a memory that forgets";
  let description = [{
    With `key` = σ(k) already, and z and M before the segment on the right:

        z' = γ z + Σ_t σ(K_t)
        M' = γ M + σ(K)ᵀ (V − σ(K) M / (σ(K) z))

    The division gives 0 where the denominator is not positive. 0 < γ ≤ 1; γ = 1
    is the delta rule.

    Shapes: key `[B, G, L, K]`, value `[B, G, L, V]`, memory `[B, G, K, V]`,
    normalizer `[B, G, K]` → memory, normalizer.

    ```mlir
    %M1, %z1 = decay.update %sk, %v, %M, %z {gamma = 0.9 : f64}
      : tensor<1x2x?x16xf32>, tensor<1x2x?x24xf32>, tensor<1x2x16x24xf32>, tensor<1x2x16xf32>
    ```
  }];
  let arguments = (ins Infini_Tensor:$key, Infini_Tensor:$value, Infini_State:$memory, Infini_State:$normalizer,
    F64Attr:$gamma);
  let results = (outs Infini_State:$new_memory, Infini_State:$new_normalizer);
  let assemblyFormat = [{
    $key `,` $value `,` $memory `,` $normalizer attr-dict
    `:` type($key) `,` type($value) `,` type($memory) `,` type($normalizer)
  }];
}

def Decay_GateOp : Infini_ShapedOp<Decay_Dialect, "gate", [
    AggregatedOpInterface, AllTypesMatch<["memory", "local", "result"]>]> {
  let summary = "Blends memory and local attention by what the latter says";
  let description = [{
    g memory + (1 − g) local, with g = sigmoid(Σ_v local_v w_v + b) one number a
    token and head. Computed in f32 or wider.

    Shapes: memory, local `[B, H, L, V]`, weight `[H, V]`, bias `[H]` → `[B, H, L, V]`.

    ```mlir
    %a = decay.gate %mem, %dot, %w, %b : tensor<1x4x?x24xf32>, tensor<4x24xf32>, tensor<4xf32>
    ```
  }];
  let arguments = (ins Infini_Tensor:$memory, Infini_Tensor:$local, Infini_Tensor:$weight, Infini_Tensor:$bias);
  let results = (outs Infini_Tensor:$result);
  let assemblyFormat = [{
    $memory `,` $local `,` $weight `,` $bias attr-dict
    `:` type($memory) `,` type($weight) `,` type($bias)
  }];
  // Of AggregatedOpInterface; upstream's own declaration names no namespace.
  let extraClassDeclaration = [{
    ::mlir::FailureOr<::llvm::SmallVector<::mlir::Value>> decomposeOperation(::mlir::OpBuilder &builder);
  }];
}

#endif // INFINI_TEST_EXTENSION_DECAYOPS
