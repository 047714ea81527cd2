// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Math ops to the code of their functions.

#include "infini/passes/kernel/MathFunction.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace infini;

bool MathFunction::matches(Operation *other) const {
  if (other->getName().getStringRef() != op || other->getNumResults() != 1)
    return false;
  Type type = other->getResult(0).getType(),
       element = getElementTypeOrSelf(type);
  return !isa<TensorType>(type) &&
         ((inF32 && element.isF32()) || (inF64 && element.isF64()));
}

namespace {
struct ExpandFunction final : RewritePattern {
  ExpandFunction(const MathFunction &function, MLIRContext *context)
      : RewritePattern(function.op, /*benefit=*/1, context),
        function(function) {}
  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    if (!function.matches(op))
      return rewriter.notifyMatchFailure(op, "has no form in this type");
    FloatEmitter e(rewriter, op->getLoc(), op->getResult(0).getType());
    Value value = function.emit(e, op->getOperands());
    if (!value)
      return rewriter.notifyMatchFailure(op, "has no form for this operand");
    rewriter.replaceOp(op, value);
    return success();
  }
  MathFunction function;
};
} // namespace

void infini::populateMathFunctionPatterns(ArrayRef<MathFunction> functions,
                                          RewritePatternSet &patterns) {
  for (const MathFunction &function : functions)
    patterns.add<ExpandFunction>(function, patterns.getContext());
}
