// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions without an instruction, as arithmetic.

#include "infini/passes/Passes.h"
#include "infini/passes/gpu/GpuMath.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace infini {
#define GEN_PASS_DEF_INFINIEXPANDGPUMATH
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

/// What is an instruction, or few.
static bool isInstruction(Operation *op) {
  if (isa<math::FmaOp, math::SqrtOp, math::AbsFOp, math::FloorOp, math::CeilOp,
          math::RoundOp, math::RoundEvenOp, math::TruncOp, math::CopySignOp,
          math::AbsIOp, math::IsNaNOp, math::IsInfOp, math::IsFiniteOp>(op))
    return true;
  return isa<math::Exp2Op>(op) &&
         getElementTypeOrSelf(op->getResult(0).getType()).isF32();
}

namespace {
struct ExpandGpuMath final
    : infini::impl::InfiniExpandGpuMathBase<ExpandGpuMath> {
  void runOnOperation() override {
    getOperation().walk([&](Operation *op) {
      expanded +=
          isa<math::MathDialect>(op->getDialect()) && !isInstruction(op);
    });
    RewritePatternSet patterns(&getContext());
    for (ArrayRef<MathFunction> functions :
         {exponentialFunctions(), logarithmFunctions(),
          trigonometricFunctions(), rootFunctions()})
      populateMathFunctionPatterns(functions, patterns);
    math::populateExpansionPatterns(patterns, {"clampf"});
    populateMathPolynomialApproximationPatterns(patterns, [](StringRef name) {
      return name == math::ErfcOp::getOperationName();
    });
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    getOperation().walk([&](Operation *op) {
      if (!isa<math::MathDialect>(op->getDialect()) || isInstruction(op))
        return;
      op->emitError("'") << op->getName().getStringRef() << "' of "
                         << getElementTypeOrSelf(op->getResult(0).getType())
                         << " has no form on GPUs";
      signalPassFailure();
    });
  }
};
} // namespace
