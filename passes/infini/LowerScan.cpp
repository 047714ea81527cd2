// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// infini.segment_scan to loops: the segment under way, the full segments, the
// tail. In the names of the dialect's documentation, with T tokens and fill f:
//
//   head    m0 = min(T, (N − f) mod N) tokens, if any
//   full    c = (T − m0) floordiv N segments of N tokens
//   tail    mt = (T − m0) mod N tokens, if any

#include "infini/dialect/infini/InfiniOps.h"
#include "infini/passes/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Transforms/LoopInvariantCodeMotionUtils.h"

namespace infini {
#define GEN_PASS_DEF_INFINILOWERSCAN
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

namespace {

/// A contiguous run of tokens.
struct Span {
  OpFoldResult offset, size;
};

class ScanLowering {
public:
  ScanLowering(SegmentScanOp op, RewriterBase &rewriter)
      : op(op), b(rewriter), loc(op.getLoc()), length(op.getSegmentLength()) {}

  LogicalResult run();

private:
  /// What the loops carry: outputs, stacked values, states, pending values.
  struct Carried {
    SmallVector<Value> outputs, stacked, states, pending;

    SmallVector<Value> flat() const {
      SmallVector<Value> all;
      for (const auto &group : {outputs, stacked, states, pending})
        llvm::append_range(all, group);
      return all;
    }
    Carried like(ValueRange values) const {
      Carried c;
      auto take = [&](size_t n) {
        SmallVector<Value> group(values.take_front(n));
        values = values.drop_front(n);
        return group;
      };
      c.outputs = take(outputs.size());
      c.stacked = take(stacked.size());
      c.states = take(states.size());
      c.pending = take(pending.size());
      return c;
    }
  };

  OpFoldResult apply(AffineExpr expr, ArrayRef<OpFoldResult> operands) {
    return affine::makeComposedFoldedAffineApply(b, loc, expr, operands);
  }
  OpFoldResult minimum(ArrayRef<AffineExpr> exprs,
                       ArrayRef<OpFoldResult> operands) {
    return affine::makeComposedFoldedAffineMin(
        b, loc, AffineMap::get(operands.size(), 0, exprs, b.getContext()),
        operands);
  }
  Value index(OpFoldResult value) {
    return getValueOrCreateConstantIndexOp(b, loc, value);
  }

  /// `count` iterations of `body` on the carried values.
  Carried loop(OpFoldResult count, Carried init,
               llvm::function_ref<Carried(Value, Carried)> body);
  Value slice(Value source, int64_t axis, Span span);
  Value insert(Value source, Value destination, int64_t axis, Span span);
  /// Clones the body; returns what it yields.
  SmallVector<Value> cloneBody(ValueRange sequences, ValueRange perSegment,
                               ValueRange states, OpFoldResult position);
  /// The sequences' slices, where the pending ones start with `fill` tokens.
  SmallVector<Value> slices(Span span, ValueRange pending, OpFoldResult fill);
  /// Writes the new tokens behind `fill` pending ones.
  SmallVector<Value> append(Span span, ValueRange pending, OpFoldResult fill);
  void store(Carried &carried, ValueRange yielded, Span span,
             OpFoldResult segment);
  FailureOr<Carried> initial(OpFoldResult segments);

  SegmentScanOp op;
  RewriterBase &b;
  Location loc;
  int64_t length;
};

} // namespace

ScanLowering::Carried
ScanLowering::loop(OpFoldResult count, Carried init,
                   llvm::function_ref<Carried(Value, Carried)> body) {
  if (isConstantIntValue(count, 0))
    return init;
  auto loop = scf::ForOp::create(b, loc, index(b.getIndexAttr(0)), index(count),
                                 index(b.getIndexAttr(1)), init.flat());
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Carried next =
        body(loop.getInductionVar(), init.like(loop.getRegionIterArgs()));
    // With no iteration arguments the builder has made the terminator already.
    if (loop.getNumResults())
      scf::YieldOp::create(b, loc, next.flat());
  }
  return init.like(loop.getResults());
}

Value ScanLowering::slice(Value source, int64_t axis, Span span) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, source);
  SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0)),
      strides(sizes.size(), b.getIndexAttr(1));
  offsets[axis] = span.offset;
  sizes[axis] = span.size;
  return tensor::ExtractSliceOp::create(b, loc, source, offsets, sizes,
                                        strides);
}

Value ScanLowering::insert(Value source, Value destination, int64_t axis,
                           Span span) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, destination);
  SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0)),
      strides(sizes.size(), b.getIndexAttr(1));
  offsets[axis] = span.offset;
  sizes[axis] = span.size;
  // The slice's type, as insert_slice wants it.
  Type type = tensor::ExtractSliceOp::inferResultType(
      cast<RankedTensorType>(destination.getType()), sizes);
  if (source.getType() != type)
    source = tensor::CastOp::create(b, loc, type, source);
  return tensor::InsertSliceOp::create(b, loc, source, destination, offsets,
                                       sizes, strides);
}

SmallVector<Value> ScanLowering::cloneBody(ValueRange sequences,
                                           ValueRange perSegment,
                                           ValueRange states,
                                           OpFoldResult position) {
  IRMapping mapping;
  auto map = [&](ArrayRef<BlockArgument> arguments, ValueRange values) {
    for (auto [argument, value] : llvm::zip(arguments, values)) {
      if (argument.getType() != value.getType())
        value = tensor::CastOp::create(b, loc, argument.getType(), value);
      mapping.map(argument, value);
    }
  };
  map(op.getSequenceArguments(), sequences);
  map(op.getPerSegmentArguments(), perSegment);
  map(op.getInvariantArguments(), op.getInvariants());
  map(op.getStateArguments(), states);
  if (Value argument = op.getPositionArgument())
    mapping.map(argument, index(position));
  for (Operation &inner : op.getBody().front().without_terminator())
    b.clone(inner, mapping);
  SmallVector<Value> yielded;
  for (Value value : op.getYield().getOperands())
    yielded.push_back(mapping.lookupOrDefault(value));
  return yielded;
}

SmallVector<Value> ScanLowering::append(Span span, ValueRange pending,
                                        OpFoldResult fill) {
  SmallVector<Value> next;
  for (auto [value, sequence] : llvm::zip(pending, op.getPendingSequences())) {
    int64_t axis = op.getSequenceAxes()[sequence];
    next.push_back(insert(slice(op.getSequences()[sequence], axis, span), value,
                          axis, {fill, span.size}));
  }
  return next;
}

SmallVector<Value> ScanLowering::slices(Span span, ValueRange pending,
                                        OpFoldResult fill) {
  SmallVector<Value> result;
  AffineExpr d0, d1;
  bindDims(b.getContext(), d0, d1);
  for (auto [i, sequence, axis] :
       llvm::enumerate(op.getSequences(), op.getSequenceAxes())) {
    const int64_t *place =
        llvm::find(op.getPendingSequences(), static_cast<int64_t>(i));
    if (!pending.empty() && place != op.getPendingSequences().end())
      result.push_back(
          slice(pending[place - op.getPendingSequences().begin()], axis,
                {b.getIndexAttr(0), apply(d0 + d1, {fill, span.size})}));
    else
      result.push_back(slice(sequence, axis, span));
  }
  return result;
}

void ScanLowering::store(Carried &carried, ValueRange yielded, Span span,
                         OpFoldResult segment) {
  for (auto [i, axis] : llvm::enumerate(op.getOutputAxes()))
    carried.outputs[i] = insert(yielded[i], carried.outputs[i], axis, span);
  for (unsigned i = 0; i < carried.stacked.size(); ++i) {
    Value destination = carried.stacked[i];
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(b, loc, destination);
    SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0)),
        strides(sizes.size(), b.getIndexAttr(1));
    offsets[0] = segment;
    sizes[0] = b.getIndexAttr(1);
    carried.stacked[i] =
        tensor::InsertSliceOp::create(b, loc, yielded[op.getNumOutputs() + i],
                                      destination, offsets, sizes, strides);
  }
}

FailureOr<ScanLowering::Carried> ScanLowering::initial(OpFoldResult segments) {
  Carried carried;
  ReifiedRankedShapedTypeDims shapes;
  if (failed(op.reifyResultShapes(b, shapes))) {
    op.emitOpError("has outputs whose sizes are not known from its operands; "
                   "make all but the "
                   "token dimension static");
    return failure();
  }
  auto empty = [&](Value result, unsigned number) -> Value {
    Value value = tensor::EmptyOp::create(
        b, loc, shapes[number],
        cast<RankedTensorType>(result.getType()).getElementType());
    if (value.getType() != result.getType())
      value = tensor::CastOp::create(b, loc, result.getType(), value);
    return value;
  };
  unsigned number = 0;
  for (Value result : op.getOutputs())
    carried.outputs.push_back(empty(result, number++));
  for (Value result : op.getStacked())
    carried.stacked.push_back(empty(result, number++));
  carried.states = llvm::to_vector(op.getStates());
  carried.pending = llvm::to_vector(op.getPending());
  return carried;
}

LogicalResult ScanLowering::run() {
  b.setInsertionPoint(op);
  AffineExpr d0, d1, d2;
  bindDims(b.getContext(), d0, d1, d2);
  AffineExpr n = b.getAffineConstantExpr(length),
             one = b.getAffineConstantExpr(1);
  OpFoldResult zero = b.getIndexAttr(0);
  OpFoldResult tokens = tensor::getMixedSize(b, loc, op.getSequences()[0],
                                             op.getSequenceAxes()[0]);
  FailureOr<Carried> start = initial(apply(d0.ceilDiv(length), {tokens}));
  if (failed(start))
    return failure();
  Carried carried = *start;
  unsigned firstState = op.getNumOutputs() + op.getNumStacked();

  OpFoldResult head = zero;
  if (Value fill = op.getFill()) {
    head = minimum({d0, (n - d1) % length}, {tokens, fill});
    OpFoldResult position = fill;
    carried = loop(minimum({one, d0}, {head}), carried, [&](Value, Carried in) {
      Carried out = in;
      Span span{zero, head};
      out.pending = append(span, in.pending, position);
      SmallVector<Value> arguments = slices(span, out.pending, position);
      store(out, cloneBody(arguments, {}, in.states, position), span, zero);
      // The segment is folded into the states only if it gets full: 0 or 1
      // times.
      OpFoldResult full = apply((d0 + d1).floorDiv(length), {position, head});
      Carried states;
      states.states = in.states;
      if (!states.states.empty())
        out.states =
            loop(full, states, [&](Value, Carried before) {
              Carried after;
              after.states = SmallVector<Value>(
                  ValueRange(cloneBody(arguments, {}, before.states, position))
                      .drop_front(firstState));
              return after;
            }).states;
      return out;
    });
  }

  auto perSegment = [&](OpFoldResult segment) {
    SmallVector<Value> values;
    for (Value value : op.getPerSegment()) {
      auto type = cast<RankedTensorType>(value.getType());
      SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, value);
      SmallVector<OpFoldResult> offsets(sizes.size(), zero),
          strides(sizes.size(), b.getIndexAttr(1));
      offsets[0] = segment;
      sizes[0] = b.getIndexAttr(1);
      values.push_back(tensor::ExtractSliceOp::create(
          b, loc,
          RankedTensorType::get(type.getShape().drop_front(),
                                type.getElementType()),
          value, offsets, sizes, strides));
    }
    return values;
  };

  OpFoldResult count = apply((d0 - d1).floorDiv(length), {tokens, head});
  carried = loop(count, carried, [&](Value segment, Carried in) {
    Carried out = in;
    Span span{apply(d0 + d1 * length, {head, OpFoldResult(segment)}),
              b.getIndexAttr(length)};
    SmallVector<Value> yielded =
        cloneBody(slices(span, {}, zero), perSegment(segment), in.states, zero);
    store(out, yielded, span, segment);
    out.states = SmallVector<Value>(ValueRange(yielded).drop_front(firstState));
    return out;
  });

  OpFoldResult tail = apply((d0 - d1) % length, {tokens, head});
  carried = loop(minimum({one, d0}, {tail}), carried, [&](Value, Carried in) {
    Carried out = in;
    Span span{apply(d0 - d1, {tokens, tail}), tail};
    SmallVector<Value> yielded =
        cloneBody(slices(span, {}, zero), perSegment(count), in.states, zero);
    store(out, yielded, span, count);
    if (op.getFill())
      out.pending = append(span, in.pending, zero);
    else
      out.states =
          SmallVector<Value>(ValueRange(yielded).drop_front(firstState));
    return out;
  });
  b.replaceOp(op, carried.flat());
  return success();
}

/// Tables and other tensors that are made of sizes alone leave the loops. Not
/// so what depends on data: a short segment may not be there at all.
static void hoistTables(func::FuncOp function) {
  llvm::SmallPtrSet<Operation *, 8> tables;
  auto isTable = [&](Operation *op) {
    if (!isMemoryEffectFree(op) || !isSpeculatable(op) || isa<scf::ForOp>(op))
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
      if (failed(ScanLowering(op, rewriter).run()))
        return signalPassFailure();
      ++scans;
    }
    hoistTables(getOperation());
  }
};
} // namespace
