// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tile divided by one number a row (softmax's sum, a memory's denominator) is
// multiplied by that number's reciprocal: a GPU's division takes a dozen
// instructions, and rows have far fewer numbers than tiles.

#include "infini/dialect/tile/TileOps.h"
#include "infini/passes/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include <cmath>

namespace infini {
#define GEN_PASS_DEF_TILEDIVIDEBYROWS
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;
using namespace infini::tile;

namespace {
struct ToReciprocal final : OpRewritePattern<arith::DivFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::DivFOp op,
                                PatternRewriter &b) const override {
    auto wide = op.getRhs().getDefiningOp<BroadcastOp>();
    if (!wide || !getElementTypeOrSelf(op.getType()).isF32())
      return b.notifyMatchFailure(op, "is not by one number of f32 a row");
    Location loc = op.getLoc();
    Value divisor = wide.getSource();
    Type type = divisor.getType();
    auto constant = [&](float number) -> Value {
      TypedAttr attr = b.getF32FloatAttr(number);
      if (auto tile = dyn_cast<RankedTensorType>(type))
        attr = SplatElementsAttr::get(tile, cast<Attribute>(attr));
      return arith::ConstantOp::create(b, loc, attr);
    };
    // Both are scaled where the reciprocal would not be a normal number.
    constexpr float limit = 0x1p100f, scale = 0x1p64f;
    Value size = math::AbsFOp::create(b, loc, divisor);
    auto choose = [&](arith::CmpFPredicate predicate, float bound, Value yes,
                      Value no) -> Value {
      return arith::SelectOp::create(
          b, loc,
          arith::CmpFOp::create(b, loc, predicate, size, constant(bound)), yes,
          no);
    };
    Value factor = choose(arith::CmpFPredicate::OLT, 1 / limit, constant(scale),
                          choose(arith::CmpFPredicate::OGT, limit,
                                 constant(1 / scale), constant(1)));
    Value reciprocal = arith::DivFOp::create(
        b, loc, constant(1), arith::MulFOp::create(b, loc, divisor, factor));
    auto spread = [&](Value row) {
      return BroadcastOp::create(b, loc, op.getType(), row, wide.getAxes());
    };
    Value scaled = arith::MulFOp::create(b, loc, op.getLhs(), spread(factor));
    b.replaceOpWithNewOp<arith::MulFOp>(op, scaled, spread(reciprocal));
    return success();
  }
};

struct DivideByRows final : infini::impl::TileDivideByRowsBase<DivideByRows> {
  using TileDivideByRowsBase::TileDivideByRowsBase;

  void runOnOperation() override {
    auto count = [&] {
      int64_t divisions = 0;
      getOperation().walk([&](arith::DivFOp op) {
        divisions += bool(op.getRhs().getDefiningOp<BroadcastOp>());
      });
      return divisions;
    };
    int64_t before = count();
    RewritePatternSet patterns(&getContext());
    patterns.add<ToReciprocal>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    numReplaced += before - count();
  }
};
} // namespace
