// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Canonicalisations of the infini ops.

#include "infini/dialect/infini/InfiniOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace infini;

namespace {

/// A gate whose β is −∞ everywhere is closed, one whose β is +∞ is open.
struct FoldConstantGate final : OpRewritePattern<GateOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GateOp op,
                                PatternRewriter &rewriter) const override {
    DenseFPElementsAttr beta;
    if (!matchPattern(op.getBeta(), m_Constant(&beta)) || !beta.isSplat())
      return rewriter.notifyMatchFailure(op, "'beta' is not a splat constant");
    APFloat value = beta.getSplatValue<APFloat>();
    if (!value.isInfinity())
      return rewriter.notifyMatchFailure(op, "'beta' is finite");
    if (value.isNegative()) {
      rewriter.replaceOp(op, op.getLocal());
      return success();
    }
    if (op.getFirstSegment() == FirstSegment::LocalOnly)
      return rewriter.notifyMatchFailure(
          op, "an open gate still passes the first segment");
    rewriter.replaceOp(op, op.getMemory());
    return success();
  }
};

/// A window that holds every key is no window.
struct DropWideWindow final : OpRewritePattern<SegmentAttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SegmentAttentionOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getMask() != Mask::Window)
      return rewriter.notifyMatchFailure(op, "the mask is not a window");
    int64_t keys = cast<RankedTensorType>(op.getKey().getType()).getDimSize(2);
    int64_t past = 0;
    if (op.getPastKey())
      past = cast<RankedTensorType>(op.getPastKey().getType()).getDimSize(2);
    // A query may stand behind the last key only with an offset of its own.
    if (op.getQueryOffset() || ShapedType::isDynamic(keys) ||
        ShapedType::isDynamic(past) ||
        static_cast<int64_t>(*op.getWindow()) < keys + past)
      return rewriter.notifyMatchFailure(op, "the window may hide a key");
    rewriter.modifyOpInPlace(op, [&] {
      op.setMask(Mask::Causal);
      op.removeWindowAttr();
    });
    return success();
  }
};

} // namespace

void GateOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                         MLIRContext *context) {
  patterns.add<FoldConstantGate>(context);
}

void SegmentAttentionOp::getCanonicalizationPatterns(
    RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropWideWindow>(context);
}

namespace {

/// Static sizes behind casts, or known from another operand, reach the op's
/// own type: an op in a segment of N tokens gets the size N.
struct RefineStaticShape final
    : OpInterfaceRewritePattern<ShapeSignatureOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(ShapeSignatureOpInterface op,
                                PatternRewriter &rewriter) const override {
    SmallVector<Value> operands;
    bool changed = false;
    for (Value operand : op->getOperands()) {
      auto cast = operand.getDefiningOp<tensor::CastOp>();
      if (cast &&
          tensor::preservesStaticInformation(cast.getType(),
                                             cast.getSource().getType()) &&
          isa<RankedTensorType>(cast.getSource().getType())) {
        operands.push_back(cast.getSource());
        changed = true;
      } else {
        operands.push_back(operand);
      }
    }
    ShapeSignature signature = op.getShapeSignature();
    llvm::DenseMap<DimName, int64_t> known;
    for (auto [shape, operand] : llvm::zip(signature.operands, operands))
      for (auto [i, name] : llvm::enumerate(shape.dims))
        if (int64_t size =
                mlir::cast<RankedTensorType>(operand.getType()).getDimSize(i);
            !ShapedType::isDynamic(size) && name != '1')
          known.try_emplace(name, size);
    SmallVector<Type> types;
    for (auto [shape, type] :
         llvm::zip(signature.results, op->getResultTypes())) {
      auto tensor = mlir::cast<RankedTensorType>(type);
      SmallVector<int64_t> sizes(tensor.getShape());
      for (auto [size, name] : llvm::zip(sizes, shape.dims))
        if (auto it = known.find(name);
            ShapedType::isDynamic(size) && it != known.end())
          size = it->second;
      types.push_back(RankedTensorType::get(sizes, tensor.getElementType()));
      changed |= types.back() != type;
    }
    if (!changed)
      return rewriter.notifyMatchFailure(op, "no static size is new");
    Operation *refined = clone(rewriter, op, types, operands);
    SmallVector<Value> results;
    for (auto [value, type] :
         llvm::zip(refined->getResults(), op->getResultTypes()))
      results.push_back(value.getType() == type
                            ? Value(value)
                            : Value(tensor::CastOp::create(
                                  rewriter, op.getLoc(), type, value)));
    rewriter.replaceOp(op, results);
    return success();
  }
};

} // namespace

void InfiniDialect::getCanonicalizationPatterns(
    RewritePatternSet &patterns) const {
  patterns.add<RefineStaticShape>(patterns.getContext());
}
