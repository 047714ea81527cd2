// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A factor that a loop reads anew each time, and that nothing writes, is read
// once, before the loop: the memory of a segment, for one.

#include "infini/dialect/tile/TileOps.h"
#include "infini/passes/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace infini {
#define GEN_PASS_DEF_TILEHOISTFACTORS
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;
using namespace infini::tile;

static Value bufferOf(Value view) {
  while (auto op = view.getDefiningOp<ViewLikeOpInterface>())
    view = op.getViewSource();
  return view;
}

/// All else would fill registers for as long as the loop runs.
static bool isFactorOnly(LoadOp load) {
  return !load->use_empty() && load.getType().getRank() == 2 &&
         llvm::all_of(load->getUses(), [](OpOperand &use) {
           return isa<DotOp>(use.getOwner()) && use.getOperandNumber() < 2;
         });
}

/// Whether a number is known before the loop, from a block's place alone: what
/// depends on how many tokens there are may lie behind the buffer's end where
/// the loop does not run. `ops` are to be moved with it.
static bool isPlaceOfBlock(Value number, scf::ForOp loop,
                           SetVector<Operation *> &ops) {
  if (auto argument = dyn_cast<BlockArgument>(number))
    return isa<scf::ForallOp>(argument.getOwner()->getParentOp());
  Operation *op = number.getDefiningOp();
  if (!isPure(op) || !llvm::all_of(op->getOperands(), [&](Value operand) {
        return isPlaceOfBlock(operand, loop, ops);
      }))
    return false;
  if (loop->isProperAncestor(op))
    ops.insert(op);
  return true;
}

namespace {
struct HoistFactors final : infini::impl::TileHoistFactorsBase<HoistFactors> {
  using TileHoistFactorsBase::TileHoistFactorsBase;

  void runOnOperation() override {
    llvm::SmallPtrSet<Value, 4> written;
    SmallVector<LoadOp> loads;
    getOperation().walk([&](Operation *op) {
      if (auto load = dyn_cast<LoadOp>(op))
        loads.push_back(load);
      else if (auto store = dyn_cast<StoreOp>(op))
        written.insert(bufferOf(store.getDest()));
    });
    for (LoadOp load : loads)
      if (isFactorOnly(load) && !written.contains(bufferOf(load.getSource())))
        numHoisted += hoist(load);
  }

  static bool hoist(LoadOp load) {
    bool moved = false;
    while (auto loop = dyn_cast<scf::ForOp>(load->getParentOp())) {
      SetVector<Operation *> ops;
      bool known = llvm::all_of(load->getOperands(), [&](Value operand) {
        return operand == load.getSource()
                   ? loop.isDefinedOutsideOfLoop(operand)
                   : isPlaceOfBlock(operand, loop, ops);
      });
      if (!known)
        break;
      ops.insert(load);
      for (Operation *op : ops)
        op->moveBefore(loop);
      moved = true;
    }
    return moved;
  }
};
} // namespace
