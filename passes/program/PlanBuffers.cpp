// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Buffers of a schedule: first every update is made possible in place, with
// copies where a value is still needed; then what is no argument and no result
// gets a slot of the arena, by liveness.

#include "infini/dialect/program/ProgramOps.h"
#include "infini/passes/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace infini {
#define GEN_PASS_DEF_INFINIPLANBUFFERS
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;
using program::Role;

namespace {

class PlanBuffers final
    : public infini::impl::InfiniPlanBuffersBase<PlanBuffers> {
public:
  void runOnOperation() override;

private:
  // Phase 1: updates in place.
  void ownEmpties();
  void makeInPlace(Block &block);
  void makeYieldsInPlace(scf::ForOp loop);
  LogicalResult makeResultsInPlace();
  bool mayUpdate(OpOperand &use);
  Value copyOf(OpBuilder &b, Location loc, Value value);

  // Phase 2: slots.
  void assignSlots();

  func::FuncOp function;
};

/// The value whose buffer `value` is: an argument, an empty tensor, or the
/// iteration argument of the innermost loop around its definition.
Value rootOf(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    auto result = cast<OpResult>(value);
    if (Value tied = program::tiedOperand(result))
      value = tied;
    else if (auto loop = dyn_cast<scf::ForOp>(op))
      value = loop.getInitArgs()[result.getResultNumber()];
    else
      break;
  }
  return value;
}

/// Values with the contents of `value`: itself and its views, up and down.
SmallVector<Value> viewsOf(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!program::isView(op))
      break;
    value = op->getOperand(0);
  }
  SmallVector<Value> views{value};
  for (unsigned i = 0; i < views.size(); ++i)
    for (Operation *user : views[i].getUsers())
      if (program::isView(user))
        views.push_back(user->getResult(0));
  return views;
}

} // namespace

/// Whether the op of `use` may write the operand's buffer.
bool PlanBuffers::mayUpdate(OpOperand &use) {
  Operation *op = use.getOwner();
  SmallVector<Value> views = viewsOf(use.get());
  Value origin = views.front();
  if (auto argument = dyn_cast<BlockArgument>(origin);
      argument && argument.getOwner()->getParentOp() == function &&
      program::argumentRole(function, argument.getArgNumber()) != Role::State)
    return false;
  // A value from outside the loop around the op is needed in the next round.
  Block *home = origin.getParentBlock();
  if (home != op->getBlock())
    return false;
  for (Value view : views)
    for (OpOperand &other : view.getUses()) {
      if (&other == &use || program::isView(other.getOwner()))
        continue;
      Operation *user = home->findAncestorOpInBlock(*other.getOwner());
      // An iteration argument's own yield is where its next contents go.
      if (!user || !user->isBeforeInBlock(op))
        return false;
    }
  return true;
}

Value PlanBuffers::copyOf(OpBuilder &b, Location loc, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<Value> sizes;
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i))
      sizes.push_back(tensor::DimOp::create(b, loc, value, i));
  Value empty = tensor::EmptyOp::create(b, loc, type, sizes);
  ++copies;
  return program::CopyOp::create(b, loc, type, value, empty);
}

/// Every use gets an empty tensor of its own, right before it.
void PlanBuffers::ownEmpties() {
  SmallVector<tensor::EmptyOp> empties;
  function.walk([&](tensor::EmptyOp op) { empties.push_back(op); });
  for (tensor::EmptyOp op : empties) {
    for (OpOperand &use : llvm::make_early_inc_range(op->getUses())) {
      OpBuilder b(use.getOwner());
      use.set(b.clone(*op)->getResult(0));
    }
    op.erase();
  }
}

void PlanBuffers::makeInPlace(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block)) {
    SmallVector<OpOperand *> updated;
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      for (OpOperand &operand : loop.getInitArgsMutable())
        updated.push_back(&operand);
    } else if (!program::isView(&op)) {
      for (OpResult result : op.getResults())
        if (Value tied = program::tiedOperand(result))
          // Operands that are updated come last.
          for (OpOperand &operand : llvm::reverse(op.getOpOperands()))
            if (operand.get() == tied &&
                !llvm::is_contained(updated, &operand)) {
              updated.push_back(&operand);
              break;
            }
    }
    for (OpOperand *operand : updated)
      if (!mayUpdate(*operand)) {
        OpBuilder b(&op);
        operand->set(copyOf(b, op.getLoc(), operand->get()));
      }
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      makeInPlace(*loop.getBody());
      makeYieldsInPlace(loop);
    }
  }
}

/// Values that have to end up in given buffers, before `end`. Each is copied
/// there unless it is there; values that lie in another of these buffers, or
/// are used beyond, first go to a place of their own.
static SmallVector<Value> moveInto(OpBuilder &b, Location loc,
                                   ArrayRef<Value> values,
                                   ArrayRef<Value> destinations,
                                   llvm::function_ref<Value(Value)> copy,
                                   uint64_t &copied) {
  SmallVector<Value> moved(values);
  for (auto [i, value] : llvm::enumerate(moved)) {
    if (rootOf(value) == destinations[i])
      continue;
    for (Value destination : destinations)
      if (rootOf(value) == destination) {
        value = copy(value);
        break;
      }
  }
  for (auto [i, value] : llvm::enumerate(moved)) {
    if (rootOf(value) == destinations[i])
      continue;
    Value destination = destinations[i];
    if (destination.getType() != value.getType())
      destination =
          tensor::CastOp::create(b, loc, value.getType(), destination);
    value =
        program::CopyOp::create(b, loc, value.getType(), value, destination);
    ++copied;
  }
  return moved;
}

void PlanBuffers::makeYieldsInPlace(scf::ForOp loop) {
  Operation *yield = loop.getBody()->getTerminator();
  OpBuilder b(yield);
  SmallVector<Value> destinations(loop.getRegionIterArgs().begin(),
                                  loop.getRegionIterArgs().end());
  uint64_t copied = 0;
  SmallVector<Value> values = moveInto(
      b, loop.getLoc(), SmallVector<Value>(yield->getOperands()), destinations,
      [&](Value value) { return copyOf(b, loop.getLoc(), value); }, copied);
  copies += copied;
  yield->setOperands(values);
}

LogicalResult PlanBuffers::makeResultsInPlace() {
  Operation *returnOp = function.getBody().front().getTerminator();
  OpBuilder b(returnOp);
  Location loc = returnOp->getLoc();
  SmallVector<Value> values(returnOp->getOperands());
  // Outputs first: they leave the states' buffers alone. Each result needs a
  // buffer that is no argument's and no other result's.
  llvm::SmallPtrSet<Value, 8> taken;
  for (auto [i, value] : llvm::enumerate(values)) {
    if (!isa<RankedTensorType>(value.getType()) ||
        program::resultRole(function, i) == Role::State)
      continue;
    Value buffer = program::bufferRoot(value);
    if (isa<BlockArgument>(buffer) || !taken.insert(buffer).second) {
      value = copyOf(b, loc, value);
      taken.insert(program::bufferRoot(value));
    }
  }
  SmallVector<unsigned> stateResults;
  SmallVector<Value> stateValues, destinations;
  for (auto [i, value] : llvm::enumerate(values)) {
    if (!isa<RankedTensorType>(value.getType()) ||
        program::resultRole(function, i) != Role::State)
      continue;
    Value destination;
    for (unsigned j = 0; j < function.getNumArguments(); ++j)
      if (program::argumentRole(function, j) == Role::State &&
          program::argumentName(function, j) ==
              program::resultName(function, i))
        destination = function.getArgument(j);
    if (!destination || destination.getType() != value.getType())
      return function.emitError("expected state '")
             << program::resultName(function, i)
             << "' to be an argument of the same type, too";
    stateResults.push_back(i);
    stateValues.push_back(value);
    destinations.push_back(destination);
  }
  uint64_t copied = 0;
  SmallVector<Value> moved = moveInto(
      b, loc, stateValues, destinations,
      [&](Value value) { return copyOf(b, loc, value); }, copied);
  copies += copied;
  for (auto [i, value] : llvm::zip(stateResults, moved))
    values[i] = value;
  returnOp->setOperands(values);
  return success();
}

void PlanBuffers::assignSlots() {
  // Positions in time: each op one, a loop from its first to after its last.
  llvm::DenseMap<Operation *, int64_t> begin, end;
  int64_t clock = 0;
  std::function<void(Block &)> number = [&](Block &block) {
    for (Operation &op : block) {
      begin[&op] = clock++;
      for (Region &region : op.getRegions())
        for (Block &inner : region)
          number(inner);
      end[&op] = clock++;
    }
  };
  number(function.getBody().front());

  Operation *returnOp = function.getBody().front().getTerminator();
  llvm::SmallPtrSet<Value, 8> outputs;
  for (Value value : returnOp->getOperands())
    if (isa<RankedTensorType>(value.getType()))
      outputs.insert(program::bufferRoot(value));

  struct Life {
    tensor::EmptyOp op;
    int64_t first, last;
  };
  SmallVector<Life> lives;
  llvm::DenseMap<Value, unsigned> lifeOf;
  function.walk<WalkOrder::PreOrder>([&](tensor::EmptyOp op) {
    if (outputs.contains(op.getResult()))
      return;
    lifeOf[op.getResult()] = lives.size();
    lives.push_back({op, begin[op], begin[op]});
  });
  function.walk([&](Operation *op) {
    for (Value operand : op->getOperands()) {
      if (!isa<RankedTensorType>(operand.getType()))
        continue;
      auto it = lifeOf.find(program::bufferRoot(operand));
      if (it == lifeOf.end())
        continue;
      Life &life = lives[it->second];
      // Used in a loop that does not hold the buffer: needed in every round.
      Operation *user = life.op->getBlock()->findAncestorOpInBlock(*op);
      life.last = std::max(life.last, user ? end[user] : end[op]);
    }
  });

  struct Slot {
    RankedTensorType type;
    int64_t busyUntil;
  };
  SmallVector<Slot> slotList;
  for (Life &life : lives) {
    auto type = cast<RankedTensorType>(life.op.getType());
    Slot *best = nullptr;
    unsigned bestIndex = 0;
    for (auto [i, slot] : llvm::enumerate(slotList)) {
      if (slot.busyUntil >= life.first)
        continue;
      // Best of one type; else of a like size, static or not.
      bool same = slot.type == type;
      bool alike = slot.type.hasStaticShape() == type.hasStaticShape();
      if (same || (!best && alike)) {
        best = &slotList[i];
        bestIndex = i;
        if (same)
          break;
      }
    }
    if (!best) {
      bestIndex = slotList.size();
      slotList.push_back({type, 0});
      best = &slotList.back();
    }
    best->busyUntil = life.last;
    OpBuilder b(life.op);
    auto buffer = program::BufferOp::create(b, life.op.getLoc(), type,
                                            life.op.getDynamicSizes(),
                                            b.getI64IntegerAttr(bestIndex));
    life.op.replaceAllUsesWith(buffer.getResult());
    life.op.erase();
    ++buffers;
  }
  slots += slotList.size();
}

void PlanBuffers::runOnOperation() {
  function = getOperation();
  if (function.isExternal())
    return;
  if (!function.getBody().hasOneBlock()) {
    function.emitError("expected a function of one block");
    return signalPassFailure();
  }
  ownEmpties();
  makeInPlace(function.getBody().front());
  if (failed(makeResultsInPlace()))
    return signalPassFailure();
  RewritePatternSet patterns(&getContext());
  memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
  scf::populateSCFForLoopCanonicalizationPatterns(patterns);
  tensor::DimOp::getCanonicalizationPatterns(patterns, &getContext());
  GreedyRewriteConfig config;
  config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
  config.enableConstantCSE(false);
  if (failed(applyPatternsGreedily(function, std::move(patterns), config)))
    return signalPassFailure();
  assignSlots();
}
