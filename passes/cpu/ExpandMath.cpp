// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// f32 exponentials as straight-line code, which loop vectorisers like.

#include "infini/passes/Passes.h"
#include "infini/passes/kernel/Exponential.h"
#include "infini/passes/kernel/MathFunction.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace infini {
#define GEN_PASS_DEF_INFINIEXPANDMATH
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

static constexpr MathFunction kFunctions[] = {
    {"math.exp", ofOne<exponential>, /*inF32=*/true, /*inF64=*/false},
    {"math.exp2", ofOne<exponential2>, /*inF32=*/true, /*inF64=*/false},
};

namespace {
struct ExpandMath final : infini::impl::InfiniExpandMathBase<ExpandMath> {
  void runOnOperation() override {
    getOperation().walk([&](Operation *op) {
      expanded += llvm::any_of(kFunctions, [&](const MathFunction &function) {
        return function.matches(op);
      });
    });
    RewritePatternSet patterns(&getContext());
    populateMathFunctionPatterns(kFunctions, patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
