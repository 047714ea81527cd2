// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is computed before a loop and used behind it only holds registers while
// the loop runs: it is computed behind it. Loads that both sides use are done
// twice.

#include "infini/dialect/tile/TileOps.h"
#include "infini/passes/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace infini {
#define GEN_PASS_DEF_TILESINKBEHINDLOOPS
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;
using namespace infini::tile;

namespace {
struct SinkBehindLoops final
    : infini::impl::TileSinkBehindLoopsBase<SinkBehindLoops> {
  void runOnOperation() override {
    written.clear();
    getOperation().walk(
        [&](StoreOp op) { written.insert(rootOf(op.getDest())); });
    IRRewriter rewriter(&getContext());
    SmallVector<Block *> blocks;
    getOperation().walk([&](Block *block) { blocks.push_back(block); });
    for (Block *block : blocks)
      sinkIn(*block, rewriter);
  }

  static Value rootOf(Value buffer) {
    while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
      buffer = view.getViewSource();
    return buffer;
  }

  /// Whether an op may run later: it computes tiles, and reads at most what the
  /// kernel does not write.
  bool canMove(Operation *op) {
    if (op->hasTrait<OpTrait::IsTerminator>() ||
        !llvm::any_of(op->getResultTypes(), llvm::IsaPred<RankedTensorType>))
      return false;
    WalkResult result = op->walk([&](Operation *inner) {
      if (auto load = dyn_cast<LoadOp>(inner))
        return written.contains(rootOf(load.getSource()))
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      if (auto gather = dyn_cast<GatherOp>(inner))
        return written.contains(rootOf(gather.getSource()))
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      bool good = inner->getNumRegions() ? isa<scf::ForOp, scf::IfOp>(inner)
                                         : isMemoryEffectFree(inner);
      return good ? WalkResult::advance() : WalkResult::interrupt();
    });
    return !result.wasInterrupted();
  }

  void sinkIn(Block &block, RewriterBase &rewriter) {
    SmallVector<Operation *> ops;
    bool hasLoop = false;
    for (Operation &op : block) {
      ops.push_back(&op);
      hasLoop |= isa<scf::ForOp>(op);
    }
    if (!hasLoop)
      return;
    // The last first: what an op's users are computed by has moved already.
    for (Operation *op : llvm::reverse(ops)) {
      if (op->use_empty() || !canMove(op))
        continue;
      // Its uses in the order of the block.
      SmallVector<std::pair<Operation *, OpOperand *>> uses;
      for (OpOperand &use : op->getUses())
        uses.push_back({block.findAncestorOpInBlock(*use.getOwner()), &use});
      llvm::stable_sort(uses, [](const auto &x, const auto &y) {
        return x.first->isBeforeInBlock(y.first);
      });
      if (isBehindLoop(op, uses.front().first)) {
        rewriter.moveOpBefore(op, uses.front().first);
        ++sunk;
        continue;
      }
      if (!isa<LoadOp>(op))
        continue;
      // Uses behind a loop get a load of their own.
      Operation *copy = nullptr;
      for (auto [user, use] : uses) {
        if (!isBehindLoop(op, user))
          continue;
        if (!copy) {
          rewriter.setInsertionPoint(user);
          copy = rewriter.clone(*op);
          ++repeated;
        }
        rewriter.modifyOpInPlace(
            use->getOwner(), [&, use = use] { use->set(copy->getResult(0)); });
      }
    }
  }

  /// Whether a loop stands between the two.
  static bool isBehindLoop(Operation *op, Operation *user) {
    for (Operation *next = op->getNextNode(); next && next != user;
         next = next->getNextNode())
      if (isa<scf::ForOp>(next))
        return true;
    return false;
  }

  llvm::SmallPtrSet<Value, 4> written;
};
} // namespace
