// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A product of a tile of 16 bits and one of f32 (the memory, above all) runs on
// the matrix units: the tile of f32 is the sum of three tiles of bf16.

#include "infini/dialect/tile/TileOps.h"
#include "infini/passes/Passes.h"
#include "infini/passes/gpu/LayoutPlan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/PatternMatch.h"

namespace infini {
#define GEN_PASS_DEF_TILESPLITFACTORS
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;
using namespace infini::tile;

/// The tile of 16 bits that was widened to this one; null if none was.
static Value narrowSource(Value value) {
  auto widened = value.getDefiningOp<arith::ExtFOp>();
  return widened && getElementTypeOrSelf(widened.getIn()).isIntOrFloat() &&
                 getElementTypeOrSelf(widened.getIn())
                         .getIntOrFloatBitWidth() == 16
             ? widened.getIn()
             : Value();
}

/// Whether the matrix units have an instruction for such a product, once its
/// factors are of 16 bits.
static bool fitsOnceNarrow(DotOp op) {
  if (op.getType().getRank() != 2 || !op.getType().getElementType().isF32())
    return false;
  ProductShape shape(op);
  return shape.element.isF32() && shape.m % 16 == 0 && shape.n % 8 == 0 &&
         shape.k % 16 == 0;
}

namespace {
struct SplitFactors final : infini::impl::TileSplitFactorsBase<SplitFactors> {
  using TileSplitFactorsBase::TileSplitFactorsBase;

  void runOnOperation() override {
    parts.clear();
    SmallVector<DotOp> ops;
    getOperation().walk([&](DotOp op) {
      if (fitsOnceNarrow(op) &&
          (narrowSource(op.getA()) || narrowSource(op.getB())))
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (DotOp op : ops)
      split(rewriter, op);
  }

  /// The tiles of bf16 that a factor is the sum of, the largest first: each has
  /// eight of its 24 digits. They stand right behind the factor, so that what
  /// no loop changes is split once.
  SmallVector<Value> partsOf(RewriterBase &b, Value value) {
    SmallVector<Value> &result = parts[value];
    if (!result.empty())
      return result;
    Value narrow = narrowSource(value);
    if (narrow && getElementTypeOrSelf(narrow).isBF16()) {
      result.push_back(narrow);
      return result;
    }
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointAfterValue(value);
    Location loc = value.getLoc();
    auto wide = cast<RankedTensorType>(value.getType());
    auto type = RankedTensorType::get(wide.getShape(), b.getBF16Type());
    auto constant = [&](float number) {
      return arith::ConstantOp::create(
          b, loc, SplatElementsAttr::get(wide, b.getF32FloatAttr(number)));
    };
    // f16 has eleven digits.
    const unsigned count = narrow ? 2 : 3;
    Value rest = value;
    while (true) {
      result.push_back(arith::TruncFOp::create(b, loc, type, rest));
      if (result.size() == count)
        return result;
      Value part = arith::ExtFOp::create(b, loc, wide, result.back());
      rest = arith::SubFOp::create(b, loc, rest, part);
      if (result.size() > 1)
        continue;
      // Infinity less infinity is no number, but nothing is left of it.
      Value isInfinite = arith::CmpFOp::create(
          b, loc, arith::CmpFPredicate::OEQ, math::AbsFOp::create(b, loc, part),
          constant(std::numeric_limits<float>::infinity()));
      rest = arith::SelectOp::create(b, loc, isInfinite, constant(0), rest);
    }
  }

  void split(RewriterBase &b, DotOp op) {
    SmallVector<Value> as = partsOf(b, op.getA()), bs = partsOf(b, op.getB());
    b.setInsertionPoint(op);
    Value sum = op.getAcc();
    // The smallest first; what is below the last digit is not computed.
    for (int64_t order = 2; order >= 0; --order)
      for (auto [i, left] : llvm::enumerate(as))
        for (auto [j, right] : llvm::enumerate(bs))
          if (int64_t(i + j) == order)
            sum = DotOp::create(b, op.getLoc(), op.getType(), left, right, sum,
                                op.getTransposeA(), op.getTransposeB(),
                                op.getSwapped());
    b.replaceOp(op, sum);
    ++numSplit;
  }

  DenseMap<Value, SmallVector<Value>> parts;
};
} // namespace
