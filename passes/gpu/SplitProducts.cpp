// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A product whose side would fill the shared memory is computed in panels of
// columns or rows.

#include "infini/dialect/tile/TileOps.h"
#include "infini/passes/Passes.h"
#include "infini/passes/gpu/LayoutPlan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/PatternMatch.h"

namespace infini {
#define GEN_PASS_DEF_TILESPLITPRODUCTS
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;
using namespace infini::tile;

namespace {
struct SplitProducts final
    : infini::impl::TileSplitProductsBase<SplitProducts> {
  using TileSplitProductsBase::TileSplitProductsBase;

  void runOnOperation() override {
    if (bytes < 1024) {
      getOperation().emitError(
          "expected option 'bytes' to be at least 1024, got ")
          << int64_t(bytes);
      return signalPassFailure();
    }
    SmallVector<DotOp> ops;
    getOperation().walk([&](DotOp op) {
      if (op.getType().getRank() == 2)
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (DotOp op : ops) {
      // First the columns (b), then the rows (a) of what is left.
      SmallVector<DotOp> parts = split(rewriter, op, /*columns=*/true);
      for (DotOp part : parts)
        split(rewriter, part, /*columns=*/false);
    }
  }

  /// How wide a panel of one side may be; the whole width where it fits.
  int64_t panelWidth(DotOp op, bool columns) {
    Value side = columns ? op.getB() : op.getA();
    auto type = cast<RankedTensorType>(side.getType());
    int64_t axis = columns ? !op.getTransposeB() : op.getTransposeA();
    int64_t width = type.getDimSize(axis),
            row = type.getDimSize(1 - axis) * bytesOf(type.getElementType());
    int64_t panel = width;
    while (panel % 2 == 0 && panel * row > bytes)
      panel /= 2;
    return panel;
  }

  static Value slice(RewriterBase &b, Location loc, Value tile, int64_t axis,
                     int64_t first, int64_t count) {
    auto type = cast<RankedTensorType>(tile.getType());
    SmallVector<int64_t> offsets(type.getRank(), 0), sizes(type.getShape());
    offsets[axis] = first;
    sizes[axis] = count;
    SmallVector<OpFoldResult> ones(type.getRank(), b.getIndexAttr(1));
    return tensor::ExtractSliceOp::create(
        b, loc, RankedTensorType::get(sizes, type.getElementType()), tile,
        getAsIndexOpFoldResult(b.getContext(), offsets),
        getAsIndexOpFoldResult(b.getContext(), sizes), ones);
  }

  SmallVector<DotOp> split(RewriterBase &b, DotOp op, bool columns) {
    int64_t panel = panelWidth(op, columns), axis = columns;
    int64_t width = op.getType().getDimSize(axis);
    if (panel == width)
      return {op};
    b.setInsertionPoint(op);
    Location loc = op.getLoc();
    Value result = op.getAcc();
    SmallVector<DotOp> parts;
    for (int64_t first = 0; first < width; first += panel) {
      Value left = op.getA(), right = op.getB();
      if (columns)
        right = slice(b, loc, right, !op.getTransposeB(), first, panel);
      else
        left = slice(b, loc, left, op.getTransposeA(), first, panel);
      Value acc = slice(b, loc, op.getAcc(), axis, first, panel);
      auto part = DotOp::create(b, loc, acc.getType(), left, right, acc,
                                op.getTransposeA(), op.getTransposeB(),
                                /*swapped=*/false);
      parts.push_back(part);
      SmallVector<int64_t> offsets{0, 0},
          sizes(cast<RankedTensorType>(acc.getType()).getShape());
      offsets[axis] = first;
      SmallVector<OpFoldResult> ones(2, b.getIndexAttr(1));
      result = tensor::InsertSliceOp::create(
          b, loc, part.getResult(), result,
          getAsIndexOpFoldResult(b.getContext(), offsets),
          getAsIndexOpFoldResult(b.getContext(), sizes), ones);
    }
    b.replaceOp(op, result);
    ++numSplit;
    return parts;
  }
};
} // namespace
