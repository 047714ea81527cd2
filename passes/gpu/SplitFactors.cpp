// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A product of a tile of 16 bits and one of f32 (the memory, above all) runs on
// the matrix units: the tile of f32 is the sum of two tiles of bf16.

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
/// What a factor is the sum of, the larger first; `low` may be null.
struct Parts {
  Value high, low;
};

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

  /// Right behind the factor, so that what no loop changes is split once.
  Parts partsOf(RewriterBase &b, Value value) {
    auto [it, isNew] = parts.try_emplace(value);
    if (!isNew)
      return it->second;
    Value narrow = narrowSource(value);
    if (narrow && getElementTypeOrSelf(narrow).isBF16())
      return it->second = {narrow, Value()};
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointAfterValue(value);
    Location loc = value.getLoc();
    auto wide = cast<RankedTensorType>(value.getType());
    auto type = RankedTensorType::get(wide.getShape(), b.getBF16Type());
    auto constant = [&](double number) {
      return arith::ConstantOp::create(
          b, loc,
          SplatElementsAttr::get(wide, b.getF32FloatAttr(float(number))));
    };
    Value high = arith::TruncFOp::create(b, loc, type, value);
    Value rounded = arith::ExtFOp::create(b, loc, wide, high);
    Value rest = arith::SubFOp::create(b, loc, value, rounded);
    // Infinity less infinity is no number, but nothing is left of it.
    Value isInfinite = arith::CmpFOp::create(
        b, loc, arith::CmpFPredicate::OEQ,
        math::AbsFOp::create(b, loc, rounded),
        constant(std::numeric_limits<double>::infinity()));
    rest = arith::SelectOp::create(b, loc, isInfinite, constant(0), rest);
    Value low = arith::TruncFOp::create(b, loc, type, rest);
    return parts[value] = {high, low};
  }

  void split(RewriterBase &b, DotOp op) {
    Parts a = partsOf(b, op.getA()), other = partsOf(b, op.getB());
    b.setInsertionPoint(op);
    Value sum = op.getAcc();
    auto add = [&](Value left, Value right) {
      if (left && right)
        sum = DotOp::create(b, op.getLoc(), op.getType(), left, right, sum,
                            op.getTransposeA(), op.getTransposeB(),
                            op.getSwapped());
    };
    // The smallest first; the product of both rests is below what is kept.
    add(a.low, other.high);
    add(a.high, other.low);
    add(a.high, other.high);
    b.replaceOp(op, sum);
    ++numSplit;
  }

  DenseMap<Value, Parts> parts;
};
} // namespace
