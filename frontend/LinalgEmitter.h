// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The dense algebra of a model as linalg on tensors, with one rule for element
// types: whatever the operands hold, computing is in f32, or wider.

#ifndef INFINI_FRONTEND_LINALGEMITTER_H
#define INFINI_FRONTEND_LINALGEMITTER_H

#include "infini/dialect/infini/StructuredBuilder.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace infini {

class LinalgEmitter {
public:
  /// `element`: the type of what is stored between ops.
  LinalgEmitter(mlir::ImplicitLocOpBuilder &builder, mlir::FloatType element);

  /// The type of sums and of the bodies of element-wise ops: f32, f64 for f64.
  mlir::FloatType getWide() const { return wide; }

  mlir::Value dim(mlir::Value tensor, int64_t index);
  /// `tensor` with another element type; itself where it has that type.
  mlir::Value convert(mlir::Value tensor, mlir::FloatType to);

  /// table[ids]: ids [T], table [V, D] → [T, D].
  mlir::Value gather(mlir::Value ids, mlir::Value table);
  /// x / sqrt(mean(x²) + eps) * weight, the mean along the last dimension:
  /// x [T, D], weight [D] → [T, D].
  mlir::Value rmsNorm(mlir::Value x, mlir::Value weight, double eps);
  /// x · weightᵀ: x [T, I], weight [O, I] → [T, O] in the wide type: it is left
  /// to who reads it to round, once.
  mlir::Value project(mlir::Value x, mlir::Value weight);
  /// x + y.
  mlir::Value add(mlir::Value x, mlir::Value y);
  /// silu(gate) * up.
  mlir::Value gatedUnit(mlir::Value gate, mlir::Value up);

  /// [T, heads * size] → [T, heads, size], and back.
  mlir::Value splitHeads(mlir::Value x, int64_t heads);
  mlir::Value joinHeads(mlir::Value x);
  /// [m, heads, size] → [1, heads, m, size], and back.
  mlir::Value headsFirst(mlir::Value x);
  mlir::Value tokensFirst(mlir::Value x);

private:
  /// Builds where `builder` stands, computing in the wide type.
  StructuredBuilder structured() {
    return StructuredBuilder(builder, builder.getLoc(), wide);
  }

  mlir::ImplicitLocOpBuilder &builder;
  mlir::FloatType element, wide;
};

} // namespace infini

#endif // INFINI_FRONTEND_LINALGEMITTER_H
