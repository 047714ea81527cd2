// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of the math dialect as straight-line code.

#ifndef INFINI_PASSES_KERNEL_MATHFUNCTION_H
#define INFINI_PASSES_KERNEL_MATHFUNCTION_H

#include "infini/passes/kernel/FloatEmitter.h"
#include "mlir/IR/PatternMatch.h"

namespace infini {

struct MathFunction {
  /// The op's name: "math.exp".
  llvm::StringRef op;
  /// Nothing, and no code, where such operands have no form.
  mlir::Value (*emit)(FloatEmitter &e, mlir::ValueRange operands);
  /// The types that have this form.
  bool inF32 = true, inF64 = true;

  /// Whether an op is one of these, on numbers or vectors.
  bool matches(mlir::Operation *op) const;
};

/// What a function of one operand is in a table of MathFunction.
template <mlir::Value (*function)(FloatEmitter &, mlir::Value)>
mlir::Value ofOne(FloatEmitter &e, mlir::ValueRange operands) {
  return function(e, operands[0]);
}

void populateMathFunctionPatterns(llvm::ArrayRef<MathFunction> functions,
                                  mlir::RewritePatternSet &patterns);

} // namespace infini

#endif // INFINI_PASSES_KERNEL_MATHFUNCTION_H
