// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scans over full segments to loops. Which loop depends on what the scan
// carries:
//
//   no state          scf.forall over segments
//   states alone      scf.forall over what the op that writes them can be cut
//                     into (batch, heads), and in it scf.for over segments
//   states and more   scf.for over segments

#include "infini/passes/Passes.h"
#include "infini/passes/infini/ScanUtils.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/LoopInvariantCodeMotionUtils.h"

namespace infini {
#define GEN_PASS_DEF_INFINILOWERSCAN
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

static constexpr llvm::StringLiteral kCategory = "infini-lower-scan";

namespace {

class ScanLowering {
public:
  ScanLowering(SegmentScanOp op, RewriterBase &rewriter)
      : op(op), b(rewriter), loc(op.getLoc()) {}

  LogicalResult run();

private:
  /// Where a result that has a segment's part in each iteration is written.
  struct Destination {
    Value tensor;
    int64_t axis;
    /// Where the first segment lies, and one segment's size, along the axis.
    OpFoldResult first;
    int64_t size;
    /// The insertion that put the result there, if it is not a new tensor.
    tensor::InsertSliceOp insertion;
  };

  OpFoldResult apply(AffineExpr expr, ArrayRef<OpFoldResult> operands) {
    return affine::makeComposedFoldedAffineApply(b, loc, expr, operands);
  }
  Value index(OpFoldResult value) {
    return getValueOrCreateConstantIndexOp(b, loc, value);
  }

  LogicalResult findDestinations();
  /// The place of segment `segment` in a destination of this type.
  void place(const Destination &destination, Value tensor, Value segment,
             SmallVectorImpl<OpFoldResult> &offsets,
             SmallVectorImpl<OpFoldResult> &sizes,
             SmallVectorImpl<OpFoldResult> &strides, bool isPart = false);
  BodyOperands segmentOperands(Value segment, ValueRange states);
  /// The op that makes all states of a scan that yields nothing but states and
  /// what they were before, or null with a reason.
  Operation *stateWriter(StringRef &reason);

  void lowerMap();
  void lowerLoop();
  void lowerStates(Operation *writer);
  void replace(ValueRange destinationResults, ValueRange states);

  SegmentScanOp op;
  RewriterBase &b;
  Location loc;
  OpFoldResult count;
  SmallVector<Destination> destinations;
};

} // namespace

/// The insertion that is all that is done with `value`, whose destination can
/// be written instead.
static tensor::InsertSliceOp soleInsertion(Value value, int64_t axis,
                                           Operation *scan) {
  if (!value.hasOneUse())
    return {};
  auto insertion = dyn_cast<tensor::InsertSliceOp>(*value.getUsers().begin());
  if (!insertion || insertion.getSource() != value ||
      !insertion.hasUnitStride() ||
      insertion.getSourceType().getRank() != insertion.getType().getRank() ||
      insertion->getBlock() != scan->getBlock())
    return {};
  for (auto [i, offset] : llvm::enumerate(insertion.getMixedOffsets()))
    if (static_cast<int64_t>(i) != axis && !isConstantIntValue(offset, 0))
      return {};
  DominanceInfo dominance;
  for (Value operand : insertion->getOperands())
    if (operand != value && !dominance.properlyDominates(operand, scan))
      return {};
  // Written early, its old contents must not be needed any more.
  for (Operation *user : insertion.getDest().getUsers())
    if (user != insertion && !isa<tensor::DimOp>(user))
      return {};
  return insertion;
}

LogicalResult ScanLowering::findDestinations() {
  SmallVector<Value> empties, stacked;
  if (failed(emptyResults(b, op, empties, stacked)))
    return failure();
  unsigned outputs = empties.size();
  llvm::append_range(empties, stacked);
  for (auto [i, empty] : llvm::enumerate(empties)) {
    bool isOutput = i < outputs;
    Destination destination{empty,
                            isOutput ? op.getOutputAxes()[i] : 0,
                            b.getIndexAttr(0),
                            isOutput ? int64_t(op.getSegmentLength()) : 1,
                            {}};
    if (tensor::InsertSliceOp insertion =
            soleInsertion(op.getResult(i), destination.axis, op)) {
      destination.insertion = insertion;
      destination.tensor = insertion.getDest();
      destination.first = insertion.getMixedOffsets()[destination.axis];
    }
    destinations.push_back(destination);
  }
  return success();
}

void ScanLowering::place(const Destination &destination, Value tensor,
                         Value segment, SmallVectorImpl<OpFoldResult> &offsets,
                         SmallVectorImpl<OpFoldResult> &sizes,
                         SmallVectorImpl<OpFoldResult> &strides, bool isPart) {
  // What is put into a larger tensor keeps its own size; a part of a stack has
  // that of the part.
  tensor::InsertSliceOp insertion = destination.insertion;
  sizes = insertion && !isPart ? insertion.getMixedSizes()
                               : tensor::getMixedSizes(b, loc, tensor);
  offsets.assign(sizes.size(), b.getIndexAttr(0));
  strides.assign(sizes.size(), b.getIndexAttr(1));
  AffineExpr d0, d1;
  bindDims(b.getContext(), d0, d1);
  offsets[destination.axis] = apply(d0 + d1 * destination.size,
                                    {destination.first, OpFoldResult(segment)});
  sizes[destination.axis] = b.getIndexAttr(destination.size);
}

BodyOperands ScanLowering::segmentOperands(Value segment, ValueRange states) {
  BodyOperands operands;
  AffineExpr d0;
  bindDims(b.getContext(), d0);
  int64_t length = op.getSegmentLength();
  Span span{apply(d0 * length, {OpFoldResult(segment)}),
            b.getIndexAttr(length)};
  for (auto [sequence, axis] :
       llvm::zip(op.getSequences(), op.getSequenceAxes()))
    operands.sequences.push_back(sliceAlong(b, loc, sequence, axis, span));
  for (Value value : op.getPerSegment())
    operands.perSegment.push_back(entryOf(b, loc, value, segment));
  operands.states = llvm::to_vector(states);
  return operands;
}

void ScanLowering::replace(ValueRange destinationResults, ValueRange states) {
  for (auto [destination, old, value] :
       llvm::zip(destinations, op.getResults(), destinationResults)) {
    if (destination.insertion) {
      b.replaceOp(destination.insertion, value);
      continue;
    }
    if (value.getType() != old.getType())
      value = tensor::CastOp::create(b, loc, old.getType(), value);
    b.replaceAllUsesWith(old, value);
  }
  for (auto [old, value] : llvm::zip(op.getFinalStates(), states))
    b.replaceAllUsesWith(old, value);
  b.eraseOp(op);
}

/// Without states: all segments at once.
void ScanLowering::lowerMap() {
  SmallVector<Value> outs;
  for (const Destination &destination : destinations)
    outs.push_back(destination.tensor);
  auto forall = scf::ForallOp::create(b, loc, ArrayRef<OpFoldResult>{count},
                                      outs, std::nullopt);
  Value segment = forall.getInductionVar(0);
  {
    OpBuilder::InsertionGuard guard(b);
    scf::InParallelOp inParallel = forall.getTerminator();
    b.setInsertionPoint(inParallel);
    SmallVector<Value> yielded = cloneBody(b, op, segmentOperands(segment, {}));
    for (auto [i, destination] : llvm::enumerate(destinations)) {
      SmallVector<OpFoldResult> offsets, sizes, strides;
      Value out = forall.getRegionIterArgs()[i];
      b.setInsertionPoint(inParallel);
      place(destination, out, segment, offsets, sizes, strides);
      b.setInsertionPointToEnd(inParallel.getBody());
      tensor::ParallelInsertSliceOp::create(b, loc, yielded[i], out, offsets,
                                            sizes, strides);
    }
  }
  replace(forall.getResults(), {});
}

/// One segment after the other.
void ScanLowering::lowerLoop() {
  SmallVector<Value> init;
  for (const Destination &destination : destinations)
    init.push_back(destination.tensor);
  llvm::append_range(init, op.getStates());
  auto loop = scf::ForOp::create(b, loc, index(b.getIndexAttr(0)), index(count),
                                 index(b.getIndexAttr(1)), init);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value segment = loop.getInductionVar();
    ValueRange carried = loop.getRegionIterArgs();
    SmallVector<Value> next = cloneBody(
        b, op,
        segmentOperands(segment, carried.drop_front(destinations.size())));
    for (auto [i, destination] : llvm::enumerate(destinations)) {
      SmallVector<OpFoldResult> offsets, sizes, strides;
      place(destination, carried[i], segment, offsets, sizes, strides);
      next[i] = tensor::InsertSliceOp::create(b, loc, next[i], carried[i],
                                              offsets, sizes, strides);
    }
    scf::YieldOp::create(b, loc, next);
  }
  replace(loop.getResults().take_front(destinations.size()),
          loop.getResults().drop_front(destinations.size()));
}

//===----------------------------------------------------------------------===//
// Scans of states alone
//===----------------------------------------------------------------------===//

Operation *ScanLowering::stateWriter(StringRef &reason) {
  if (op.getNumOutputs()) {
    reason = "it has output sequences";
    return nullptr;
  }
  ValueRange yielded = op.getYield().getOperands();
  for (Value value : yielded.take_front(op.getNumStacked()))
    if (!llvm::is_contained(op.getStateArguments(), value)) {
      reason = "it stacks more than the states before each segment";
      return nullptr;
    }
  Operation *writer = nullptr;
  for (Value value : yielded.drop_front(op.getNumStacked())) {
    Operation *def = value.getDefiningOp();
    if (!def || (writer && def != writer)) {
      reason = def ? "its states come from several ops"
                   : "a state is not computed in the segment";
      return nullptr;
    }
    writer = def;
  }
  for (BlockArgument argument : op.getStateArguments())
    for (Operation *user : argument.getUsers())
      if (user != writer && user != op.getYield()) {
        reason = "more than one op reads its states";
        return nullptr;
      }
  auto signed_ = dyn_cast_or_null<ShapeSignatureOpInterface>(writer);
  if (!signed_ || !isa<TilingInterface>(writer)) {
    reason = "the op that makes its states has no shape signature";
    return nullptr;
  }
  SmallVector<DimName> parallel = signed_.getParallelDims();
  ShapeSignature signature = signed_.getShapeSignature();
  for (const NamedShape &shape : signature.results)
    for (DimName name : parallel)
      if (!llvm::is_contained(shape.dims, name)) {
        reason = "its states are not cut alike";
        return nullptr;
      }
  if (parallel.empty()) {
    reason = "the op that makes its states cannot be cut";
    return nullptr;
  }
  return writer;
}

/// Slices of computed tensors become tiles of what computes them.
static void fuseIntoSlices(RewriterBase &b, SmallVector<Operation *> slices) {
  while (!slices.empty()) {
    auto slice = cast<tensor::ExtractSliceOp>(slices.pop_back_val());
    auto producer = dyn_cast<OpResult>(slice.getSource());
    if (!producer || !isa<TilingInterface>(producer.getOwner()))
      continue;
    b.setInsertionPoint(slice);
    FailureOr<TilingResult> tile =
        tensor::replaceExtractSliceWithTiledProducer(b, slice, producer);
    if (failed(tile))
      continue;
    Value value = tile->tiledValues[0];
    if (value.getType() != slice.getType())
      value = tensor::CastOp::create(b, slice.getLoc(), slice.getType(), value);
    b.replaceOp(slice, value);
    for (Operation *made : tile->generatedSlices)
      if (isa<tensor::ExtractSliceOp>(made))
        slices.push_back(made);
  }
}

void ScanLowering::lowerStates(Operation *writer) {
  auto signed_ = cast<ShapeSignatureOpInterface>(writer);
  SmallVector<DimName> parallel = signed_.getParallelDims();
  ShapeSignature signature = signed_.getShapeSignature();
  unsigned stacks = op.getNumStacked(), states = op.getStates().size();
  ValueRange yielded = op.getYield().getOperands();
  auto dimsOfState = [&](unsigned state) {
    return ArrayRef<DimName>(
        signature
            .results[cast<OpResult>(yielded[stacks + state]).getResultNumber()]
            .dims);
  };
  auto stateOfStack = [&](unsigned stack) {
    return static_cast<unsigned>(
        llvm::find(op.getStateArguments(), yielded[stack]) -
        op.getStateArguments().begin());
  };
  SmallVector<OpFoldResult> extents;
  for (DimName name : parallel)
    extents.push_back(tensor::getMixedSize(b, loc, op.getStates()[0],
                                           llvm::find(dimsOfState(0), name) -
                                               dimsOfState(0).begin()));

  SmallVector<Value> outs;
  for (const Destination &destination : destinations)
    outs.push_back(destination.tensor);
  for (Value state : op.getStates()) {
    auto type = cast<RankedTensorType>(state.getType());
    outs.push_back(tensor::EmptyOp::create(
        b, loc, tensor::getMixedSizes(b, loc, state), type.getElementType()));
    if (outs.back().getType() != type)
      outs.back() = tensor::CastOp::create(b, loc, type, outs.back());
  }
  auto forall = scf::ForallOp::create(b, loc, extents, outs, std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(forall.getTerminator());
  SmallVector<Value> ivs = forall.getInductionVars();
  struct Part {
    SmallVector<OpFoldResult> offsets, sizes, strides;
  };
  // The part of a state, or of a stack of it, that one iteration computes.
  auto partOf = [&](Value tensor, ArrayRef<DimName> dims) {
    Part part;
    part.sizes = tensor::getMixedSizes(b, loc, tensor);
    part.offsets.assign(part.sizes.size(), b.getIndexAttr(0));
    part.strides.assign(part.sizes.size(), b.getIndexAttr(1));
    unsigned leading = part.sizes.size() - dims.size();
    for (auto [iv, name] : llvm::zip(ivs, parallel)) {
      unsigned dim = llvm::find(dims, name) - dims.begin() + leading;
      part.offsets[dim] = iv;
      part.sizes[dim] = b.getIndexAttr(1);
    }
    return part;
  };
  SmallVector<Part> parts;
  SmallVector<Value> init;
  for (unsigned i = 0; i < stacks + states; ++i) {
    bool isStack = i < stacks;
    Value out = forall.getRegionIterArgs()[i];
    parts.push_back(
        partOf(out, dimsOfState(isStack ? stateOfStack(i) : i - stacks)));
    const Part &part = parts.back();
    init.push_back(tensor::ExtractSliceOp::create(
        b, loc, isStack ? out : op.getStates()[i - stacks], part.offsets,
        part.sizes, part.strides));
  }
  auto loop = scf::ForOp::create(b, loc, index(b.getIndexAttr(0)), index(count),
                                 index(b.getIndexAttr(1)), init);
  {
    OpBuilder::InsertionGuard inner(b);
    b.setInsertionPointToStart(loop.getBody());
    Value segment = loop.getInductionVar();
    ValueRange carried = loop.getRegionIterArgs();
    // The body on whole states, then its writer's tile alone.
    BodyOperands operands = segmentOperands(segment, op.getStates());
    IRMapping mapping = mapBody(b, op, operands);
    for (Operation &bodyOp : op.getBody().front().without_terminator())
      b.clone(bodyOp, mapping);
    Operation *whole = mapping.lookup(writer);
    SmallVector<OpFoldResult> offsets, sizes;
    for (Value iv : ivs) {
      offsets.push_back(iv);
      sizes.push_back(b.getIndexAttr(1));
    }
    b.setInsertionPoint(whole);
    FailureOr<TilingResult> tile =
        cast<TilingInterface>(whole).getTiledImplementation(b, offsets, sizes);
    Operation *tiled = tile->tiledOps.front();
    SmallVector<Operation *> slices;
    for (OpOperand &operand : tiled->getOpOperands()) {
      auto slice = operand.get().getDefiningOp<tensor::ExtractSliceOp>();
      if (!slice)
        continue;
      Value wholeOperand = whole->getOperand(operand.getOperandNumber());
      auto stateArgument =
          llvm::find_if(op.getStateArguments(), [&](BlockArgument argument) {
            return wholeOperand == mapping.lookup(argument);
          });
      if (stateArgument != op.getStateArguments().end())
        operand.set(
            carried[stacks + (stateArgument - op.getStateArguments().begin())]);
      else
        slices.push_back(slice);
    }
    b.setInsertionPointToEnd(loop.getBody());
    SmallVector<Value> next;
    for (unsigned i = 0; i < stacks; ++i) {
      SmallVector<OpFoldResult> at, extent, strides;
      place(destinations[i], carried[i], segment, at, extent, strides,
            /*isPart=*/true);
      next.push_back(tensor::InsertSliceOp::create(
          b, loc, carried[stacks + stateOfStack(i)], carried[i], at, extent,
          strides));
    }
    for (unsigned i = 0; i < states; ++i) {
      Value value = tile->tiledValues[cast<OpResult>(yielded[stacks + i])
                                          .getResultNumber()];
      Type type = carried[stacks + i].getType();
      if (value.getType() != type)
        value = tensor::CastOp::create(b, loc, type, value);
      next.push_back(value);
    }
    scf::YieldOp::create(b, loc, next);
    fuseIntoSlices(b, slices);
  }
  b.setInsertionPointToEnd(forall.getTerminator().getBody());
  for (auto [i, part] : llvm::enumerate(parts))
    tensor::ParallelInsertSliceOp::create(
        b, loc, loop.getResult(i), forall.getRegionIterArgs()[i], part.offsets,
        part.sizes, part.strides);
  b.setInsertionPointAfter(forall);
  replace(forall.getResults().take_front(stacks),
          forall.getResults().drop_front(stacks));
}

LogicalResult ScanLowering::run() {
  b.setInsertionPoint(op);
  count = fullSegments(b, op);
  if (failed(findDestinations()))
    return failure();
  if (op.getStates().empty()) {
    lowerMap();
    return success();
  }
  StringRef reason;
  if (Operation *writer = stateWriter(reason)) {
    lowerStates(writer);
    return success();
  }
  remark::missed(
      loc, remark::RemarkOpts::name("states").category(kCategory).function(
               op->getParentOfType<func::FuncOp>().getName()))
      << remark::reason("{0}", reason);
  lowerLoop();
  return success();
}

/// Tables and other tensors that are made of sizes alone leave the loops. Not
/// so what depends on data: a short segment may not be there at all.
static void hoistTables(func::FuncOp function) {
  llvm::SmallPtrSet<Operation *, 8> tables;
  auto isTable = [&](Operation *op) {
    if (!isMemoryEffectFree(op) || !isSpeculatable(op) ||
        isa<LoopLikeOpInterface>(op))
      return false;
    for (Value operand : op->getOperands()) {
      Operation *def = operand.getDefiningOp();
      if (isa<TensorType>(operand.getType()) && !isa<tensor::DimOp>(op) &&
          !(def && (isa<tensor::EmptyOp>(def) || tables.contains(def))))
        return false;
    }
    tables.insert(op);
    return true;
  };
  function.walk([&](LoopLikeOpInterface loop) {
    moveLoopInvariantCode(
        loop.getLoopRegions(),
        [&](Value value, Region *) {
          return loop.isDefinedOutsideOfLoop(value);
        },
        [&](Operation *op, Region *) { return isTable(op); },
        [&](Operation *op, Region *) { loop.moveOutOfLoop(op); });
  });
}

namespace {
struct LowerScan final : infini::impl::InfiniLowerScanBase<LowerScan> {
  void runOnOperation() override {
    SmallVector<SegmentScanOp> ops;
    // Innermost first.
    getOperation().walk([&](SegmentScanOp op) { ops.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (SegmentScanOp op : ops) {
      if (!op.getWhole()) {
        op.emitOpError("expected full segments alone ('whole'); run "
                       "infini-peel-scan first");
        return signalPassFailure();
      }
      if (failed(ScanLowering(op, rewriter).run()))
        return signalPassFailure();
      ++scans;
    }
    hoistTables(getOperation());
  }
};
} // namespace
