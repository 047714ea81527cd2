// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any function of tensors into the form that later passes know.

#include "infini/dialect/infini/InfiniOps.h"
#include "infini/passes/Passes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace infini {
#define GEN_PASS_DEF_INFINIPREPARE
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

namespace {

/// Softmax and the like to the linalg ops that they stand for.
struct DecomposeAggregate final
    : OpInterfaceRewritePattern<linalg::AggregatedOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;
  LogicalResult matchAndRewrite(linalg::AggregatedOpInterface op,
                                PatternRewriter &rewriter) const override {
    // An op that can be cut and fused whole keeps its form until it is in a
    // kernel.
    if (isa<ShapeSignatureOpInterface>(op.getOperation()))
      return rewriter.notifyMatchFailure(op, "the op has a shape signature");
    FailureOr<SmallVector<Value>> values = op.decomposeOperation(rewriter);
    if (failed(values))
      return rewriter.notifyMatchFailure(op, "the op has no decomposition");
    rewriter.replaceOp(op, *values);
    return success();
  }
};

struct Prepare final : infini::impl::InfiniPrepareBase<Prepare> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && function.getBody().hasOneBlock())
        boxScalars(function);
    RewritePatternSet patterns(&getContext());
    linalg::populateElementwiseToLinalgConversionPatterns(patterns);
    patterns.add<DecomposeAggregate>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }

  /// Numbers become tensors of rank 0, which have a buffer. Sizes stay.
  void boxScalars(func::FuncOp function) {
    Block &entry = function.getBody().front();
    OpBuilder b(&entry, entry.begin());
    auto isNumber = [](Type type) { return type.isIntOrFloat(); };
    for (BlockArgument argument : entry.getArguments()) {
      Type type = argument.getType();
      if (!isNumber(type))
        continue;
      argument.setType(RankedTensorType::get({}, type));
      auto number = tensor::ExtractOp::create(b, argument.getLoc(), type,
                                              argument, ValueRange{});
      argument.replaceAllUsesExcept(number.getResult(), number);
    }
    Operation *returnOp = entry.getTerminator();
    b.setInsertionPoint(returnOp);
    for (OpOperand &operand : returnOp->getOpOperands())
      if (Type type = operand.get().getType(); isNumber(type))
        operand.set(tensor::FromElementsOp::create(
            b, returnOp->getLoc(), RankedTensorType::get({}, type),
            operand.get()));
    function.setFunctionType(b.getFunctionType(entry.getArgumentTypes(),
                                               returnOp->getOperandTypes()));
  }
};

} // namespace
