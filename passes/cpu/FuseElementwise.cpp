// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Element-wise ops of one tile into one loop.

#include "infini/passes/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace infini {
#define GEN_PASS_DEF_INFINIFUSEELEMENTWISE
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

/// Repeats, moves, counts, or compares positions: nothing is lost by doing it
/// again.
static bool isForFree(Operation *op) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  return linalgOp && linalgOp.getNumReductionLoops() == 0 &&
         linalgOp.getNumDpsInputs() <= 1 &&
         llvm::all_of(
             linalgOp.getBlock()->without_terminator(), [](Operation &inner) {
               return llvm::all_of(inner.getResultTypes(), [](Type type) {
                 return type.isIntOrIndex();
               });
             });
}

/// Whether the consumer would compute an element of the producer more than
/// once, and that is worth a buffer.
static bool isRepeated(Operation *op, linalg::LinalgOp consumer) {
  auto producer = dyn_cast<linalg::LinalgOp>(op);
  return producer && producer.getNumLoops() < consumer.getNumLoops() &&
         llvm::any_of(producer.getBlock()->without_terminator(),
                      [](Operation &inner) {
                        return isa<arith::DivFOp>(inner) ||
                               isa<math::MathDialect>(inner.getDialect());
                      });
}

namespace {
struct FuseElementwise final
    : infini::impl::InfiniFuseElementwiseBase<FuseElementwise> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    linalg::populateElementwiseOpsFusionPatterns(
        patterns, [](OpOperand *operand) {
          // Reductions stay plain: a product with something else in its body
          // would compute that again for every element of its result.
          auto consumer = dyn_cast<linalg::LinalgOp>(operand->getOwner());
          Operation *producer = operand->get().getDefiningOp();
          return consumer && consumer.getNumReductionLoops() == 0 && producer &&
                 ((producer->hasOneUse() && !isRepeated(producer, consumer)) ||
                  isForFree(producer));
        });
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
