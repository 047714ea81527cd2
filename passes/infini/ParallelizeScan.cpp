// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loop fission over segments, through MemoryWriteOpInterface alone.

#include "infini/dialect/infini/StructuredBuilder.h"
#include "infini/dialect/program/ProgramOps.h"
#include "infini/passes/Passes.h"
#include "infini/passes/infini/ScanUtils.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/SmallBitVector.h"

namespace infini {
#define GEN_PASS_DEF_INFINIPARALLELIZESCAN
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

static constexpr llvm::StringLiteral kCategory = "infini-parallelize-scan";

namespace {

/// An op that writes a memory, and which state of the scan each of its
/// components is.
struct Writer {
  MemoryWriteOpInterface op;
  SmallVector<StateComponent> components;
  SmallVector<unsigned> states;
};

class ScanFission {
public:
  ScanFission(SegmentScanOp op, RewriterBase &rewriter, int64_t chunk)
      : op(op), b(rewriter), loc(op.getLoc()), chunk(chunk),
        before(op.getStates().size()), last(op.getStates().size()) {}

  /// Finds the writers of all states, in an order in which each needs only
  /// states that come before. Fails with a reason.
  LogicalResult analyze(std::string &reason);
  ScanShape shape();
  /// Replaces the scan. `schedule` is streaming or scan.
  void run(Schedule schedule);

private:
  /// What the body of a new scan yields.
  struct Yielded {
    SmallVector<Value> outputs, stacked, states;
    SmallVector<int64_t> outputAxes;
  };
  /// Builds in the new body, where `mapping` leads from the old body's values.
  using BodyBuilder = llvm::function_ref<Yielded(IRMapping &mapping)>;

  /// Clones into the new body what `values` need of the old one.
  void cloneFor(ValueRange values, IRMapping &mapping);
  /// A scan over the same segments that carries the states `carried` alone.
  /// States whose values before each segment are known are per-segment
  /// operands; others are what they are before the scan (and must not matter).
  SegmentScanOp makeScan(ArrayRef<unsigned> carried, BodyBuilder build);

  void streamStates(const Writer &writer);
  void scanStates(const Writer &writer);
  void streamComponent(const Writer &writer, unsigned component);
  /// before and last of M_s = A_s M_{s−1} + B_s, `factors` null for A = I.
  std::pair<Value, Value> compose(Value factors, Value increments,
                                  Value initial);
  std::pair<Value, Value> affineScan(Value factors, Value increments,
                                     Value initial);
  SmallVector<Value> componentsBefore(const Writer &writer, IRMapping &mapping);
  void finish();

  SegmentScanOp op;
  RewriterBase &b;
  Location loc;
  int64_t chunk;
  SmallVector<Writer> writers;
  /// Of each state: the stack of its values before each segment, and its last
  /// value.
  SmallVector<Value> before, last;
};

} // namespace

//===----------------------------------------------------------------------===//
// Analysis
//===----------------------------------------------------------------------===//

/// The ops of the body that `values` need, and the arguments that they reach.
static void collectSlice(SegmentScanOp scan, ValueRange values,
                         llvm::SetVector<Operation *> &ops,
                         llvm::SmallPtrSetImpl<Value> &arguments) {
  SmallVector<Value> worklist(values);
  Block *body = &scan.getBody().front();
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    if (auto argument = dyn_cast<BlockArgument>(value);
        argument && argument.getOwner() == body) {
      arguments.insert(value);
      continue;
    }
    Operation *owner = value.getParentBlock()->getParentOp();
    if (Operation *def = value.getDefiningOp())
      owner = def;
    Operation *top = body->findAncestorOpInBlock(*owner);
    if (!top || !ops.insert(top))
      continue;
    top->walk([&](Operation *inner) {
      llvm::append_range(worklist, inner->getOperands());
    });
  }
}

LogicalResult ScanFission::analyze(std::string &reason) {
  ValueRange next =
      op.getYield().getOperands().take_back(op.getStates().size());
  llvm::SmallPtrSet<Operation *, 2> seen;
  for (auto [i, value] : llvm::enumerate(next)) {
    auto write = value.getDefiningOp<MemoryWriteOpInterface>();
    if (!write) {
      Operation *def = value.getDefiningOp();
      reason = "state " + std::to_string(i) + " comes from " +
               (def ? "'" + def->getName().getStringRef().str() +
                          "', which writes no memory by its interface"
                    : "outside the segment");
      return failure();
    }
    if (!seen.insert(write).second)
      continue;
    Writer writer{write, write.getStateComponents(), {}};
    for (const StateComponent &component : writer.components) {
      auto it = llvm::find(next, write->getResult(component.result));
      unsigned state = it - next.begin();
      if (it == next.end() || write->getOperand(component.operand) !=
                                  op.getStateArguments()[state]) {
        reason =
            "component '" + component.name.str() + "' of '" +
            write->getName().getStringRef().str() +
            "' is not a state of the scan, carried from segment to segment";
        return failure();
      }
      writer.states.push_back(state);
    }
    writers.push_back(writer);
  }
  for (unsigned i = 0; i < next.size(); ++i)
    if (llvm::none_of(writers, [&](const Writer &writer) {
          return llvm::is_contained(writer.states, i);
        })) {
      reason = "state " + std::to_string(i) + " is what another state is";
      return failure();
    }
  // Each after the writers of the states that its segment's operands read.
  llvm::SmallBitVector known(op.getStates().size());
  SmallVector<Writer> ordered;
  while (!writers.empty()) {
    auto *ready = llvm::find_if(writers, [&](const Writer &writer) {
      SmallVector<Value> operands;
      for (auto [i, operand] : llvm::enumerate(writer.op->getOperands()))
        if (llvm::none_of(writer.components, [&](const StateComponent &c) {
              return c.operand == i;
            }))
          operands.push_back(operand);
      llvm::SetVector<Operation *> ops;
      llvm::SmallPtrSet<Value, 8> arguments;
      collectSlice(op, operands, ops, arguments);
      for (auto [i, argument] : llvm::enumerate(op.getStateArguments()))
        if (arguments.contains(argument) && !known.test(i))
          return false;
      return true;
    });
    if (ready == writers.end()) {
      reason = "what '" + writers[0].op->getName().getStringRef().str() +
               "' writes depends on what it wrote before";
      return failure();
    }
    for (unsigned state : ready->states)
      known.set(state);
    ordered.push_back(*ready);
    writers.erase(ready);
  }
  writers = ordered;
  return success();
}

ScanShape ScanFission::shape() {
  ScanShape shape;
  shape.segmentLength = op.getSegmentLength();
  if (auto count = getConstantIntValue(fullSegments(b, op)))
    shape.segments = *count;
  else if (auto module = op->getParentOfType<ModuleOp>())
    if (auto model = module->getAttrOfType<DictionaryAttr>("program.model"))
      if (auto most = model.getAs<IntegerAttr>("max_tokens_per_call"))
        shape.segments =
            std::max<int64_t>(1, most.getInt() / shape.segmentLength);
  auto known = [](int64_t size) {
    return ShapedType::isDynamic(size) ? 1 : size;
  };
  for (const Writer &writer : writers)
    for (auto [component, state] :
         llvm::zip(writer.components, writer.states)) {
      auto type = cast<RankedTensorType>(op.getStates()[state].getType());
      shape.affine |= component.kind == StateKind::Affine &&
                      component.factor == FactorKind::Full;
      if (type.getRank() < 2)
        continue;
      shape.states = std::max(shape.states, known(type.getDimSize(0)) *
                                                known(type.getDimSize(1)));
      for (int64_t size : type.getShape().drop_front(2))
        shape.headSize = std::max<int64_t>(shape.headSize, known(size));
    }
  shape.queryHeads = shape.states;
  op.getBody().walk([&](SegmentAttentionOp attention) {
    auto type = attention.getType();
    shape.queryHeads =
        std::max<int64_t>(shape.queryHeads, known(type.getDimSize(0)) *
                                                known(type.getDimSize(1)));
  });
  return shape;
}

//===----------------------------------------------------------------------===//
// New scans
//===----------------------------------------------------------------------===//

void ScanFission::cloneFor(ValueRange values, IRMapping &mapping) {
  llvm::SetVector<Operation *> ops;
  llvm::SmallPtrSet<Value, 8> arguments;
  collectSlice(op, values, ops, arguments);
  SmallVector<Operation *> ordered(ops.begin(), ops.end());
  llvm::sort(ordered,
             [](Operation *x, Operation *y) { return x->isBeforeInBlock(y); });
  for (Operation *inner : ordered)
    if (llvm::none_of(inner->getResults(),
                      [&](Value v) { return mapping.contains(v); }))
      b.clone(*inner, mapping);
}

SegmentScanOp ScanFission::makeScan(ArrayRef<unsigned> carried,
                                    BodyBuilder build) {
  OpBuilder::InsertionGuard guard(b);
  // A body with an argument for everything; what it does not use goes then.
  Region region;
  Block *block = b.createBlock(&region);
  IRMapping mapping;
  SmallVector<std::pair<BlockArgument, Value>> groups[4];
  enum { Sequences, PerSegment, Invariants, States };
  auto add = [&](unsigned group, Value argument, Value operand) {
    BlockArgument made = block->addArgument(argument.getType(), loc);
    mapping.map(argument, made);
    groups[group].push_back({made, operand});
  };
  for (auto [argument, value] :
       llvm::zip(op.getSequenceArguments(), op.getSequences()))
    add(Sequences, argument, value);
  for (auto [argument, value] :
       llvm::zip(op.getPerSegmentArguments(), op.getPerSegment()))
    add(PerSegment, argument, value);
  auto isCarried = [&](unsigned i) { return llvm::is_contained(carried, i); };
  for (auto [i, argument] : llvm::enumerate(op.getStateArguments()))
    if (before[i] && !isCarried(i))
      add(PerSegment, argument, before[i]);
  for (auto [argument, value] :
       llvm::zip(op.getInvariantArguments(), op.getInvariants()))
    add(Invariants, argument, value);
  for (auto [i, argument] : llvm::enumerate(op.getStateArguments()))
    if (!before[i] && !isCarried(i))
      add(Invariants, argument, op.getStates()[i]);
  for (unsigned i : carried)
    add(States, op.getStateArguments()[i], op.getStates()[i]);

  b.setInsertionPointToEnd(block);
  Yielded yielded = build(mapping);
  SmallVector<Value> values;
  for (const auto &group : {yielded.outputs, yielded.stacked, yielded.states})
    llvm::append_range(values, group);
  YieldOp::create(b, loc, values);
  for (Operation &inner : llvm::make_early_inc_range(llvm::reverse(*block)))
    if (isOpTriviallyDead(&inner))
      b.eraseOp(&inner);

  SmallVector<Value> operands[4];
  SmallVector<int64_t> axes;
  llvm::BitVector dead(block->getNumArguments());
  for (unsigned group = 0; group < 4; ++group)
    for (auto [i, entry] : llvm::enumerate(groups[group])) {
      auto [argument, operand] = entry;
      // One sequence says how many segments there are.
      if (argument.use_empty() && group != States &&
          !(group == Sequences && i == 0)) {
        dead.set(argument.getArgNumber());
        continue;
      }
      operands[group].push_back(operand);
      if (group == Sequences)
        axes.push_back(op.getSequenceAxes()[i]);
    }
  block->eraseArguments(dead);

  b.setInsertionPoint(op);
  OpFoldResult count = fullSegments(b, op), tokens = tokensOf(b, op);
  auto sized = [&](Value value, OpFoldResult size, int64_t axis) {
    auto type = cast<RankedTensorType>(value.getType());
    SmallVector<int64_t> shape(type.getShape());
    int64_t known = getConstantIntValue(size).value_or(ShapedType::kDynamic);
    if (axis < 0)
      shape.insert(shape.begin(), known);
    else
      shape[axis] = known;
    return RankedTensorType::get(shape, type.getElementType());
  };
  SmallVector<Type> types;
  for (auto [value, axis] : llvm::zip(yielded.outputs, yielded.outputAxes))
    types.push_back(sized(value, tokens, axis));
  for (Value value : yielded.stacked)
    types.push_back(sized(value, count, -1));
  for (Value value : yielded.states)
    types.push_back(value.getType());
  auto scan = SegmentScanOp::create(
      b, loc, types, operands[Sequences], operands[PerSegment],
      operands[Invariants], operands[States], /*fill=*/Value(),
      /*pending=*/ValueRange(), op.getSegmentLength(), axes, yielded.outputAxes,
      yielded.stacked.size(), /*pending_sequences=*/{}, /*whole=*/true);
  scan.getBody().takeBody(region);
  return scan;
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

/// All states of a writer in one scan that carries them.
void ScanFission::streamStates(const Writer &writer) {
  SegmentScanOp scan = makeScan(writer.states, [&](IRMapping &mapping) {
    cloneFor(writer.op->getResults(), mapping);
    Yielded yielded;
    for (auto [component, state] :
         llvm::zip(writer.components, writer.states)) {
      yielded.stacked.push_back(mapping.lookup(op.getStateArguments()[state]));
      yielded.states.push_back(
          mapping.lookup(writer.op->getResult(component.result)));
    }
    return yielded;
  });
  for (auto [i, state] : llvm::enumerate(writer.states)) {
    before[state] = scan.getStacked()[i];
    last[state] = scan.getFinalStates()[i];
  }
}

/// One component in a scan of its own, by the writer itself: what it makes of
/// other components is not used.
void ScanFission::streamComponent(const Writer &writer, unsigned component) {
  unsigned state = writer.states[component];
  SegmentScanOp scan = makeScan(state, [&](IRMapping &mapping) {
    cloneFor(writer.op->getResults(), mapping);
    Yielded yielded;
    yielded.stacked.push_back(mapping.lookup(op.getStateArguments()[state]));
    yielded.states.push_back(mapping.lookup(
        writer.op->getResult(writer.components[component].result)));
    return yielded;
  });
  before[state] = scan.getStacked()[0];
  last[state] = scan.getFinalStates()[0];
}

SmallVector<Value> ScanFission::componentsBefore(const Writer &writer,
                                                 IRMapping &mapping) {
  SmallVector<Value> values;
  for (unsigned state : writer.states)
    values.push_back(mapping.lookup(op.getStateArguments()[state]));
  return values;
}

std::pair<Value, Value> ScanFission::affineScan(Value factors, Value increments,
                                                Value initial) {
  auto scan =
      AffineScanOp::create(b, loc, increments.getType(), initial.getType(),
                           increments, initial, factors);
  return {scan.getBefore(), scan.getLast()};
}

/// A tensor of `type` that is zero, or the identity in its last two dimensions.
static Value zeroOrIdentity(OpBuilder &b, Location loc, RankedTensorType type,
                            ArrayRef<OpFoldResult> sizes, bool identity) {
  Type element = type.getElementType();
  Value zero = arith::ConstantOp::create(b, loc, b.getFloatAttr(element, 0.0));
  Value empty = tensor::EmptyOp::create(b, loc, sizes, element);
  if (!identity)
    return linalg::FillOp::create(b, loc, zero, empty).getResult(0);
  Value one = arith::ConstantOp::create(b, loc, b.getFloatAttr(element, 1.0));
  unsigned rank = type.getRank();
  return linalg::GenericOp::create(
             b, loc, TypeRange{empty.getType()}, ValueRange{},
             ValueRange{empty}, ArrayRef{b.getMultiDimIdentityMap(rank)},
             SmallVector(rank, utils::IteratorType::parallel),
             [&](OpBuilder &n, Location l, ValueRange) {
               Value row = linalg::IndexOp::create(n, l, rank - 2);
               Value column = linalg::IndexOp::create(n, l, rank - 1);
               Value diagonal = arith::CmpIOp::create(
                   n, l, arith::CmpIPredicate::eq, row, column);
               linalg::YieldOp::create(
                   n, l,
                   arith::SelectOp::create(n, l, diagonal, one, zero)
                       .getResult());
             })
      .getResult(0);
}

/// In chunks: (1) of each chunk, all at once, the product of its factors and
/// what it makes of a zero state; (2) the states before the chunks; (3) in each
/// chunk, all at once, the states before its segments. The composition of
/// affine steps is associative, which is what makes (1) and (2) say the same as
/// one pass.
std::pair<Value, Value> ScanFission::compose(Value factors, Value increments,
                                             Value initial) {
  auto stack = cast<RankedTensorType>(increments.getType());
  if (!stack.isDynamicDim(0) && stack.getDimSize(0) <= chunk)
    return affineScan(factors, increments, initial);

  auto stateType = RankedTensorType::get(stack.getShape().drop_front(),
                                         stack.getElementType());
  SmallVector<Value> sequences{increments};
  if (factors)
    sequences.push_back(factors);
  SmallVector<int64_t> axes(sequences.size(), 0);
  auto count = [&](OpBuilder &builder) {
    AffineExpr d0;
    bindDims(builder.getContext(), d0);
    return affine::makeComposedFoldedAffineApply(
        builder, loc, d0.ceilDiv(chunk),
        {tensor::getMixedSize(builder, loc, increments, 0)});
  };
  int64_t chunks = getConstantIntValue(count(b)).value_or(ShapedType::kDynamic);
  auto stackOf = [&](Type type, int64_t size) {
    auto tensor = cast<RankedTensorType>(type);
    SmallVector<int64_t> shape(tensor.getShape());
    shape.insert(shape.begin(), size);
    return RankedTensorType::get(shape, tensor.getElementType());
  };
  auto body = [&](SegmentScanOp scan, ArrayRef<Type> more) {
    SmallVector<Type> types;
    for (Value sequence : sequences)
      types.push_back(scan.getSliceType(sequence.getType(), 0));
    llvm::append_range(types, more);
    SmallVector<Location> locations(types.size(), loc);
    return b.createBlock(&scan.getBody(), {}, types, locations);
  };
  auto factorIn = [&](Block *block) {
    return factors ? Value(block->getArgument(1)) : Value();
  };

  // (1)
  SmallVector<Type> totals;
  RankedTensorType factorType;
  if (factors) {
    auto type = cast<RankedTensorType>(factors.getType());
    factorType = RankedTensorType::get(type.getShape().drop_front(),
                                       type.getElementType());
    totals.push_back(stackOf(factorType, chunks));
  }
  totals.push_back(stackOf(stateType, chunks));
  auto first = SegmentScanOp::create(
      b, loc, totals, sequences, ValueRange(), ValueRange(), ValueRange(),
      Value(), ValueRange(), chunk, axes, ArrayRef<int64_t>{}, totals.size(),
      ArrayRef<int64_t>{}, false);
  {
    OpBuilder::InsertionGuard guard(b);
    Block *block = body(first, {});
    SmallVector<Value> yielded;
    auto entrySizes = [&](Value stacked) {
      return SmallVector<OpFoldResult>(
          ArrayRef(tensor::getMixedSizes(b, loc, stacked)).drop_front());
    };
    if (factors) {
      // A full factor is a state itself; a diagonal one, a state's column.
      bool full = factorType.getRank() == 4;
      SmallVector<OpFoldResult> sizes = entrySizes(factorIn(block));
      SmallVector<OpFoldResult> stackSizes =
          tensor::getMixedSizes(b, loc, factorIn(block));
      auto asIncrements = cast<RankedTensorType>(factorIn(block).getType());
      Value none = castTensor(
          b, loc, zeroOrIdentity(b, loc, asIncrements, stackSizes, false),
          asIncrements);
      Value start;
      if (full) {
        start = zeroOrIdentity(b, loc, factorType, sizes, true);
      } else {
        Value one = arith::ConstantOp::create(
            b, loc, b.getFloatAttr(stateType.getElementType(), 1.0));
        Value empty =
            tensor::EmptyOp::create(b, loc, sizes, stateType.getElementType());
        start = linalg::FillOp::create(b, loc, one, empty).getResult(0);
      }
      start = castTensor(b, loc, start, factorType);
      yielded.push_back(affineScan(factorIn(block), none, start).second);
    }
    Value zero =
        castTensor(b, loc,
                   zeroOrIdentity(b, loc, stateType,
                                  entrySizes(block->getArgument(0)), false),
                   stateType);
    yielded.push_back(
        affineScan(factorIn(block), block->getArgument(0), zero).second);
    YieldOp::create(b, loc, yielded);
  }

  // (2)
  auto [chunkBefore, chunkLast] =
      affineScan(factors ? first.getResult(0) : Value(),
                 first.getResults().back(), initial);

  // (3)
  auto second = SegmentScanOp::create(
      b, loc, TypeRange{stack}, sequences, ValueRange{chunkBefore},
      ValueRange(), ValueRange(), Value(), ValueRange(), chunk, axes,
      ArrayRef<int64_t>{0}, 0, ArrayRef<int64_t>{}, false);
  {
    OpBuilder::InsertionGuard guard(b);
    Block *block = body(second, {stateType});
    YieldOp::create(b, loc,
                    affineScan(factorIn(block), block->getArgument(0),
                               block->getArguments().back())
                        .first);
  }
  return {second.getResult(0), chunkLast};
}

/// Component by component: increments and coefficients of all segments at once,
/// then their composition.
void ScanFission::scanStates(const Writer &writer) {
  for (auto [i, component] : llvm::enumerate(writer.components)) {
    unsigned state = writer.states[i];
    int64_t rank =
        cast<RankedTensorType>(op.getStates()[state].getType()).getRank();
    if (component.kind == StateKind::Sequential || rank < 3 || rank > 4) {
      streamComponent(writer, i);
      continue;
    }
    bool hasFactor = false;
    SegmentScanOp scan = makeScan({}, [&](IRMapping &mapping) {
      cloneFor(writer.op->getResults(), mapping);
      auto copy = cast<MemoryWriteOpInterface>(
          mapping.lookup(Writer(writer).op.getOperation()));
      SmallVector<Value> known = componentsBefore(writer, mapping);
      Yielded yielded;
      if (component.kind == StateKind::Sum) {
        yielded.stacked.push_back(copy.buildIncrement(b, loc, i, known));
        return yielded;
      }
      AffineCoefficients coefficients =
          copy.buildCoefficients(b, loc, i, known);
      if ((hasFactor = static_cast<bool>(coefficients.factor)))
        yielded.stacked.push_back(coefficients.factor);
      yielded.stacked.push_back(coefficients.increment);
      return yielded;
    });
    std::tie(before[state], last[state]) =
        compose(hasFactor ? scan.getStacked().front() : Value(),
                scan.getStacked().back(), op.getStates()[state]);
  }
}

//===----------------------------------------------------------------------===//
// The rest
//===----------------------------------------------------------------------===//

/// Everything but the states, with the states before each segment as operands.
void ScanFission::finish() {
  unsigned outputs = op.getNumOutputs(), stacked = op.getNumStacked();
  SmallVector<Value> results;
  if (outputs + stacked) {
    SegmentScanOp scan = makeScan({}, [&](IRMapping &mapping) {
      ValueRange values =
          op.getYield().getOperands().take_front(outputs + stacked);
      cloneFor(values, mapping);
      Yielded yielded;
      for (Value value : values.take_front(outputs))
        yielded.outputs.push_back(mapping.lookup(value));
      for (Value value : values.drop_front(outputs))
        yielded.stacked.push_back(mapping.lookup(value));
      yielded.outputAxes = llvm::to_vector(op.getOutputAxes());
      return yielded;
    });
    llvm::append_range(results, scan.getResults());
  }
  llvm::append_range(results, last);
  for (auto [value, old] : llvm::zip(results, op.getResults()))
    value = castTensor(b, loc, value, old.getType());
  b.replaceOp(op, results);
}

void ScanFission::run(Schedule schedule) {
  b.setInsertionPoint(op);
  for (const Writer &writer : writers) {
    if (schedule == Schedule::Scan)
      scanStates(writer);
    else
      streamStates(writer);
  }
  finish();
}

namespace {
struct ParallelizeScan final
    : infini::impl::InfiniParallelizeScanBase<ParallelizeScan> {
  using InfiniParallelizeScanBase::InfiniParallelizeScanBase;

  void runOnOperation() override {
    if (width < 1 || chunk < 1) {
      getOperation().emitError(
          "expected options 'width' and 'chunk' to be at least 1, got ")
          << int64_t(width) << " and " << int64_t(chunk);
      return signalPassFailure();
    }
    SmallVector<SegmentScanOp> scans;
    getOperation().walk([&](SegmentScanOp op) {
      if (op.getWhole() && !op.getStates().empty())
        scans.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (SegmentScanOp op : scans)
      handle(op, rewriter);
  }

  void handle(SegmentScanOp op, RewriterBase &rewriter) {
    rewriter.setInsertionPoint(op);
    ScanFission fission(op, rewriter, chunk);
    remark::RemarkOpts opts = remark::RemarkOpts::name("schedule")
                                  .category(kCategory)
                                  .function(getOperation().getName());
    std::string reason;
    if (failed(fission.analyze(reason))) {
      remark::missed(op.getLoc(), opts) << remark::reason("{0}", reason);
      getOperation()->setAttr(program::kFallback,
                              rewriter.getStringAttr(reason));
      ++kept;
      return;
    }
    ScanShape shape = fission.shape();
    Schedule chosen = schedule == Schedule::Auto ? chooseSchedule(shape, width)
                                                 : Schedule(schedule);
    auto cost = [&](Schedule s) {
      return int64_t(scheduleCost(s, shape, width));
    };
    remark::passed(op.getLoc(), opts)
        << (Twine("'") + stringifySchedule(chosen) + "'" +
            (schedule == Schedule::Auto ? "" : ", as demanded"))
               .str()
        << remark::metric("sequential", cost(Schedule::Sequential))
        << remark::metric("streaming", cost(Schedule::Streaming))
        << remark::metric("scan", cost(Schedule::Scan));
    if (chosen == Schedule::Sequential) {
      ++kept;
      return;
    }
    fission.run(chosen);
    ++parallelized;
  }
};
} // namespace
