// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a loop copies to shared memory is on its way while the loop computes:
// each buffer becomes a ring of them, and round i starts the copies of round
// i + stages − 1.

#include "infini/dialect/tile/TileOps.h"
#include "infini/passes/Passes.h"
#include "infini/passes/gpu/LayoutPlan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace infini {
#define GEN_PASS_DEF_TILEPIPELINELOADS
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;
using namespace infini::tile;

static int64_t sharedBytes(MemRefType type) {
  int64_t bytes = cast<SharedAttr>(type.getMemorySpace()).getPitch();
  for (int64_t size : type.getShape().drop_back())
    bytes *= size;
  return bytes;
}

namespace {

class LoopPipeline {
public:
  LoopPipeline(scf::ForOp loop, IRRewriter &rewriter, int64_t stages)
      : loop(loop), b(rewriter), stages(stages), loc(loop.getLoc()) {}

  /// Finds the loop's copies; false where there are none that can start early.
  bool find();
  int64_t bytes() const;
  void run();

private:
  /// What a copy's operands are computed by, inside the loop.
  bool collect(Value value, llvm::SetVector<Operation *> &ops);
  void startCopies(Value iteration, Value inductionVar);

  scf::ForOp loop;
  IRRewriter &b;
  int64_t stages;
  Location loc;
  SmallVector<CopyAsyncOp> copies;
  SmallVector<Operation *> others; // commits and waits
  llvm::SetVector<Operation *> arithmetic;
  DenseMap<Value, Value> rings;
};

} // namespace

bool LoopPipeline::collect(Value value, llvm::SetVector<Operation *> &ops) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return value == loop.getInductionVar() ||
           loop.isDefinedOutsideOfLoop(value);
  if (!loop->isAncestor(op))
    return true;
  if (op->getNumRegions() || !isPure(op))
    return false;
  for (Value operand : op->getOperands())
    if (!collect(operand, ops))
      return false;
  ops.insert(op);
  return true;
}

/// Whether the kernel stores to the buffer behind views.
static bool isStoredTo(Value buffer, Operation *loop) {
  auto rootOf = [](Value value) {
    while (auto view = value.getDefiningOp<ViewLikeOpInterface>())
      value = view.getViewSource();
    return value;
  };
  WalkResult result =
      loop->getParentOfType<func::FuncOp>().walk([&](StoreOp store) {
        return rootOf(store.getDest()) == rootOf(buffer)
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      });
  return result.wasInterrupted();
}

bool LoopPipeline::find() {
  for (CopyAsyncOp copy : loop.getBody()->getOps<CopyAsyncOp>()) {
    // A buffer of this round, and a copy that is waited for at once.
    auto alloc = copy.getDest().getDefiningOp<AllocOp>();
    auto commit = dyn_cast<CommitCopiesOp>(copy->getNextNode());
    auto wait =
        commit ? dyn_cast<WaitCopiesOp>(commit->getNextNode()) : WaitCopiesOp();
    if (!alloc || alloc->getBlock() != loop.getBody() || !wait ||
        isStoredTo(copy.getSource(), loop))
      return false;
    for (ValueRange group :
         {ValueRange(copy.getOffsets()), ValueRange(copy.getValid()),
          ValueRange(copy.getSource())})
      for (Value operand : group)
        if (!collect(operand, arithmetic))
          return false;
    copies.push_back(copy);
    others.append({commit, wait});
  }
  return !copies.empty();
}

int64_t LoopPipeline::bytes() const {
  int64_t sum = 0;
  for (CopyAsyncOp copy : copies)
    sum += sharedBytes(copy.getDest().getType());
  return sum;
}

/// Copies of one round, into the rings' slots of that round.
void LoopPipeline::startCopies(Value iteration, Value inductionVar) {
  IRMapping mapping;
  mapping.map(loop.getInductionVar(), inductionVar);
  for (Operation *op : arithmetic)
    b.clone(*op, mapping);
  Value slot = arith::RemUIOp::create(
      b, loc, iteration, arith::ConstantIndexOp::create(b, loc, stages));
  for (CopyAsyncOp copy : copies) {
    Value ring = rings.lookup(copy.getDest());
    Value dest = SlotOp::create(b, loc, copy.getDest().getType(), ring, slot);
    mapping.map(copy.getDest(), dest);
    b.clone(*copy.getOperation(), mapping);
  }
}

void LoopPipeline::run() {
  b.setInsertionPoint(loop);
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  for (CopyAsyncOp copy : copies) {
    MemRefType type = copy.getDest().getType();
    SmallVector<int64_t> shape{stages};
    llvm::append_range(shape, type.getShape());
    rings[copy.getDest()] = AllocOp::create(
        b, loc,
        MemRefType::get(shape, type.getElementType(),
                        MemRefLayoutAttrInterface(), type.getMemorySpace()),
        IntegerAttr());
  }
  Value lower = loop.getLowerBound(), upper = loop.getUpperBound(),
        step = loop.getStep();
  auto guarded = [&](Value position, Value iteration) {
    Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                         position, upper);
    auto branch = scf::IfOp::create(b, loc, inside);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(branch.thenBlock());
      startCopies(iteration, position);
    }
    CommitCopiesOp::create(b, loc);
  };
  for (int64_t early = 0; early < stages - 1; ++early) {
    Value ahead = arith::MulIOp::create(b, loc, step, constant(early));
    guarded(arith::AddIOp::create(b, loc, lower, ahead), constant(early));
  }
  b.setInsertionPointToStart(loop.getBody());
  // One barrier a round: this round's copies are there for all threads, and the
  // slot that is written next is read no more.
  WaitCopiesOp::create(b, loc, stages - 2);
  BarrierOp::create(b, loc);
  Value done = arith::SubIOp::create(b, loc, loop.getInductionVar(), lower);
  Value iteration = arith::DivUIOp::create(b, loc, done, step);
  Value ahead = arith::MulIOp::create(b, loc, step, constant(stages - 1));
  guarded(arith::AddIOp::create(b, loc, loop.getInductionVar(), ahead),
          arith::AddIOp::create(b, loc, iteration, constant(stages - 1)));
  Value slot = arith::RemUIOp::create(b, loc, iteration, constant(stages));
  for (CopyAsyncOp copy : copies) {
    auto alloc = copy.getDest().getDefiningOp<AllocOp>();
    Value current = SlotOp::create(b, loc, alloc.getType(),
                                   rings.lookup(copy.getDest()), slot);
    b.replaceAllUsesExcept(alloc.getResult(), current, copy);
    b.eraseOp(copy);
    b.eraseOp(alloc);
  }
  for (Operation *op : others)
    b.eraseOp(op);
}

namespace {
struct PipelineLoads final
    : infini::impl::TilePipelineLoadsBase<PipelineLoads> {
  using TilePipelineLoadsBase::TilePipelineLoadsBase;

  void runOnOperation() override {
    if (stages < 1 || stages > 8) {
      getOperation().emitError(
          "expected option 'stages' to be from 1 to 8, got ")
          << int64_t(stages);
      return signalPassFailure();
    }
    if (stages == 1)
      return;
    SmallVector<scf::ForOp> loops;
    getOperation().walk([&](scf::ForOp op) { loops.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (scf::ForOp loop : loops) {
      LoopPipeline pipeline(loop, rewriter, stages);
      if (!pipeline.find())
        continue;
      if (pipeline.bytes() * stages > bytes) {
        ++tooLarge;
        continue;
      }
      pipeline.run();
      ++pipelined;
    }
  }
};
} // namespace
