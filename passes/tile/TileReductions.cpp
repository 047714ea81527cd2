// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Long sums, over the tokens of a segment above all, become loops over blocks;
// what they sum up is computed block by block, and sums over the same tokens
// share one loop.

#include "infini/passes/Passes.h"
#include "infini/passes/dispatch/BlockSizes.h"
#include "infini/passes/tile/SizeBound.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/SCF/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"

namespace infini {
#define GEN_PASS_DEF_INFINITILEREDUCTIONS
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

static bool isLonger(OpFoldResult size, int64_t most) {
  FailureOr<int64_t> bound = boundOf(size);
  return failed(bound) || *bound > most;
}

/// Whether any piece of a tensor along `dim` can be had by itself: of a buffer,
/// or of what is computed for each place along it. What a loop carries is one
/// tile.
static bool comesInPieces(Value value, int64_t dim) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return !isa<scf::ForOp>(
        cast<BlockArgument>(value).getOwner()->getParentOp());
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    int64_t source = 0;
    for (int64_t kept = -1; source < slice.getSourceType().getRank(); ++source)
      if (!dropped.test(source) && ++kept == dim)
        break;
    return comesInPieces(slice.getSource(), source);
  }
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return comesInPieces(expand.getSrc(),
                         expand.getCorrespondingSourceDim(dim));
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
    return comesInPieces(collapse.getSrc(),
                         collapse.getReassociationIndices()[dim].front());
  if (isa<tensor::CastOp>(op))
    return comesInPieces(op->getOperand(0), dim);
  if (isa<tensor::EmptyOp, linalg::FillOp>(op) ||
      op->hasTrait<OpTrait::ConstantLike>())
    return true;
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp)
    return false;
  AffineMap map = linalgOp.getIndexingMapMatchingResult(cast<OpResult>(value));
  auto loop = dyn_cast<AffineDimExpr>(map.getResult(dim));
  if (!loop)
    return false;
  return llvm::all_of(linalgOp.getDpsInputOperands(), [&](OpOperand *input) {
    ArrayRef<AffineExpr> places =
        linalgOp.getMatchingIndexingMap(input).getResults();
    for (auto [i, place] : llvm::enumerate(places))
      if (place == loop && !comesInPieces(input->get(), i))
        return false;
    return true;
  });
}

/// Whether a product's factors come in pieces along what it sums over.
static bool canBeCut(linalg::LinalgOp op) {
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  return llvm::all_of(op.getDpsInputOperands(), [&](OpOperand *input) {
    ArrayRef<AffineExpr> places = op.getMatchingIndexingMap(input).getResults();
    for (auto [i, place] : llvm::enumerate(places))
      if (auto loop = dyn_cast<AffineDimExpr>(place);
          loop &&
          iterators[loop.getPosition()] == utils::IteratorType::reduction &&
          !comesInPieces(input->get(), i))
        return false;
    return true;
  });
}

namespace {
/// Remembers what is gone.
struct Erased final : RewriterBase::Listener {
  void notifyOperationErased(Operation *op) override { ops.insert(op); }
  llvm::SmallPtrSet<Operation *, 16> ops;
};

struct TileReductions final
    : infini::impl::InfiniTileReductionsBase<TileReductions> {
  using InfiniTileReductionsBase::InfiniTileReductionsBase;

  void runOnOperation() override {
    if (block < 0 || longest < block) {
      getOperation().emitError("expected option 'block' to be from 0 to "
                               "'longest', got ")
          << int64_t(block) << " and " << int64_t(longest);
      return signalPassFailure();
    }
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) { ops.push_back(op); });
    Erased erased;
    IRRewriter rewriter(&getContext(), &erased);
    SmallVector<scf::ForOp> loops;
    // The last first: what is fused into its tiles is gone if nothing else
    // needs it.
    for (Operation *op : llvm::reverse(ops)) {
      if (erased.ops.contains(op) || eraseIfDead(op, rewriter))
        continue;
      auto sum = dyn_cast<linalg::LinalgOp>(op);
      if (!sum || !sum.getNumReductionLoops() || !sum.hasPureTensorSemantics())
        continue;
      if (scf::ForOp loop = tile(rewriter, sum))
        loops.push_back(loop);
    }
    // Ranges that were asked for twice are one.
    DominanceInfo dominance;
    eliminateCommonSubExpressions(rewriter, dominance, getOperation());
    share(rewriter, loops);
  }

  /// Erases what nothing needs, and the slices of it that fusion has replaced.
  static bool eraseIfDead(Operation *op, RewriterBase &rewriter) {
    SetVector<Operation *> users(llvm::from_range, op->getUsers());
    for (Operation *user : users)
      if (isOpTriviallyDead(user))
        rewriter.eraseOp(user);
    if (!isOpTriviallyDead(op))
      return false;
    rewriter.eraseOp(op);
    return true;
  }

  /// How many elements of a sum are added up without a loop. On GPUs a
  /// product's operands lie in shared memory, all else in registers.
  int64_t mostAtOnce(linalg::LinalgOp op, const BlockSizes &blocks) {
    if (target == "cpu")
      return longest;
    if (op->hasAttr(kBlocked))
      return INT64_MAX;
    if (linalg::isaContractionOpInterface(op))
      return canBeCut(op) ? blocks.depth : INT64_MAX;
    int64_t elements = 1;
    for (int64_t size : op.getStaticLoopRanges())
      elements = ShapedType::isDynamic(size)
                     ? elements
                     : llvm::SaturatingMultiply<uint64_t>(elements, size);
    return elements > 2 * blocks.elements ? blocks.depth : longest;
  }

  scf::ForOp tile(RewriterBase &rewriter, linalg::LinalgOp op) {
    rewriter.setInsertionPoint(op);
    BlockSizes blocks = blockSizesFor(op, target);
    int64_t size = block ? int64_t(block) : blocks.depth,
            most = mostAtOnce(op, blocks);
    SmallVector<OpFoldResult> sizes;
    bool any = false;
    for (auto [range, type] :
         llvm::zip(op.createLoopRanges(rewriter, op.getLoc()),
                   op.getIteratorTypesArray())) {
      bool isLong = type == utils::IteratorType::reduction && !any &&
                    isLonger(range.size, most);
      any |= isLong;
      sizes.push_back(rewriter.getIndexAttr(isLong ? size : 0));
    }
    if (!any)
      return {};
    scf::SCFTileAndFuseOptions options;
    options.tilingOptions.setTileSizes(sizes);
    options.setFusionControlFn(
        [](tensor::ExtractSliceOp slice, OpResult producer, bool isDestination)
            -> std::optional<scf::SCFTileAndFuseOptions::ControlFnResult> {
          // What each block needs whole is computed once, before the loop.
          bool whole = slice.getType() == slice.getSourceType() &&
                       slice.getType().hasStaticShape();
          if (isDestination || whole ||
              !isa<linalg::LinalgOp>(producer.getOwner()))
            return std::nullopt;
          return scf::SCFTileAndFuseOptions::ControlFnResult{};
        });
    auto result = scf::tileConsumerAndFuseProducersUsingSCF(
        rewriter, cast<TilingInterface>(op.getOperation()), options);
    if (failed(result) || result->loops.empty())
      return {};
    for (OpResult value : op->getResults())
      if (Value replacement = result->replacements.lookup(value))
        rewriter.replaceAllUsesWith(value, replacement);
    rewriter.eraseOp(op);
    ++tiled;
    return cast<scf::ForOp>(result->loops.front().getOperation());
  }

  /// Loops over the same range that do not need each other become one.
  void share(RewriterBase &rewriter, SmallVector<scf::ForOp> loops) {
    for (unsigned i = 0; i < loops.size(); ++i)
      for (unsigned j = i + 1; j < loops.size(); ++j) {
        // `loops` has later loops first.
        scf::ForOp later = loops[i], earlier = loops[j];
        if (later->getBlock() != earlier->getBlock() ||
            !isEqualConstantIntOrValue(later.getLowerBound(),
                                       earlier.getLowerBound()) ||
            !isEqualConstantIntOrValue(later.getUpperBound(),
                                       earlier.getUpperBound()) ||
            !isEqualConstantIntOrValue(later.getStep(), earlier.getStep()))
          continue;
        llvm::SetVector<Operation *> slice;
        BackwardSliceOptions options;
        options.omitUsesFromAbove = false;
        options.inclusive = true;
        (void)getBackwardSlice(later.getOperation(), &slice, options);
        if (slice.contains(earlier))
          continue;
        loops[i] = fuseIndependentSiblingForLoops(earlier, later, rewriter);
        loops.erase(loops.begin() + j--);
        sortTopologically(loops[i]->getBlock());
      }
  }
};
} // namespace
