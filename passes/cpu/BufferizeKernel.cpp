// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel on tensors to a kernel on buffers, with upstream's one-shot
// bufferisation.

#include "infini/passes/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace infini {
#define GEN_PASS_DEF_INFINIBUFFERIZEKERNEL
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

/// A tensor that is one number everywhere is filled where it is updated: one
/// that several ops update would be copied for each.
static void ownFills(ModuleOp kernel) {
  SmallVector<linalg::FillOp> fills;
  kernel.walk([&](linalg::FillOp op) {
    if (op.hasPureTensorSemantics() &&
        op.getOutputs()[0].getDefiningOp<tensor::EmptyOp>())
      fills.push_back(op);
  });
  for (linalg::FillOp op : fills)
    for (OpOperand &use : llvm::make_early_inc_range(op->getUses())) {
      OpBuilder b(use.getOwner());
      IRMapping mapping;
      Operation *empty = op.getOutputs()[0].getDefiningOp();
      mapping.map(empty->getResult(0), b.clone(*empty)->getResult(0));
      use.set(b.clone(*op, mapping)->getResult(0));
    }
}

namespace {
struct BufferizeKernel final
    : infini::impl::InfiniBufferizeKernelBase<BufferizeKernel> {
  void runOnOperation() override {
    ModuleOp kernel = getOperation();
    RewritePatternSet patterns(&getContext());
    tensor::populateDecomposeTensorConcatPatterns(patterns);
    linalg::populateDecomposePadPatterns(patterns);
    if (failed(applyPatternsGreedily(kernel, std::move(patterns))))
      return signalPassFailure();

    ownFills(kernel);

    bufferization::OneShotBufferizationOptions options;
    options.bufferizeFunctionBoundaries = true;
    options.setFunctionBoundaryTypeConversion(
        bufferization::LayoutMapOption::IdentityLayoutMap);
    options.allowReturnAllocsFromLoops = true;
    IRRewriter rewriter(&getContext());
    // Tiles write their results in place. Other loops would carry the
    // destination itself, which the analysis takes for a conflict.
    bool hasTiles =
        kernel.walk([](scf::ForallOp) { return WalkResult::interrupt(); })
            .wasInterrupted();
    bufferization::OneShotAnalysisState state(kernel, options);
    if (hasTiles &&
        (failed(bufferization::analyzeModuleOp(kernel, state)) ||
         failed(bufferization::eliminateEmptyTensors(rewriter, kernel, state))))
      return signalPassFailure();
    bufferization::BufferizationState buffers;
    if (failed(
            bufferization::runOneShotModuleBufferize(kernel, options, buffers)))
      return signalPassFailure();

    // Copies of a buffer to itself go; the others become linalg, so that
    // nothing needs a runtime function.
    DominanceInfo dominance;
    eliminateCommonSubExpressions(rewriter, dominance, kernel);
    RewritePatternSet cleanUp(&getContext());
    memref::CopyOp::getCanonicalizationPatterns(cleanUp, &getContext());
    memref::CastOp::getCanonicalizationPatterns(cleanUp, &getContext());
    if (failed(applyPatternsGreedily(kernel, std::move(cleanUp))))
      return signalPassFailure();
    kernel.walk([&](memref::CopyOp op) {
      rewriter.setInsertionPoint(op);
      if (op.getSource() != op.getTarget())
        linalg::CopyOp::create(rewriter, op.getLoc(), op.getSource(),
                               op.getTarget());
      rewriter.eraseOp(op);
    });
  }
};
} // namespace
