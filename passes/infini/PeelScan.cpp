// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The short segments of infini.segment_scan leave it; what stays is a scan over
// full ones. In the names of the dialect's documentation, with T tokens and
// fill f:
//
//   head    m0 = min(T, (N − f) mod N) tokens, if any
//   full    c = (T − m0) floordiv N segments of N tokens: a scan with `whole`
//   tail    mt = (T − m0) mod N tokens, if any

#include "infini/passes/Passes.h"
#include "infini/passes/infini/ScanUtils.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

namespace infini {
#define GEN_PASS_DEF_INFINIPEELSCAN
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

namespace {

class ScanPeeling {
public:
  ScanPeeling(SegmentScanOp op, RewriterBase &rewriter)
      : op(op), b(rewriter), loc(op.getLoc()), length(op.getSegmentLength()) {}

  LogicalResult run();

private:
  /// What the parts hand on: outputs, stacked values, states, pending values.
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

  /// `body` once or not at all.
  Carried maybe(OpFoldResult count, Carried init,
                llvm::function_ref<Carried(Carried)> body);
  /// The sequences' slices, where the pending ones start with `fill` tokens.
  SmallVector<Value> slices(Span span, ValueRange pending, OpFoldResult fill);
  /// Writes the new tokens behind `fill` pending ones.
  SmallVector<Value> append(Span span, ValueRange pending, OpFoldResult fill);
  void store(Carried &carried, ValueRange yielded, Span span,
             OpFoldResult segment);

  Carried head(Carried carried, OpFoldResult tokens);
  Carried full(Carried carried, OpFoldResult first, OpFoldResult count,
               bool isAll);
  Carried tail(Carried carried, Span span, OpFoldResult count);

  SegmentScanOp op;
  RewriterBase &b;
  Location loc;
  int64_t length;
};

} // namespace

ScanPeeling::Carried
ScanPeeling::maybe(OpFoldResult count, Carried init,
                   llvm::function_ref<Carried(Carried)> body) {
  if (isConstantIntValue(count, 0))
    return init;
  auto loop = scf::ForOp::create(b, loc, index(b.getIndexAttr(0)), index(count),
                                 index(b.getIndexAttr(1)), init.flat());
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Carried next = body(init.like(loop.getRegionIterArgs()));
    // With no iteration arguments the builder has made the terminator already.
    if (loop.getNumResults())
      scf::YieldOp::create(b, loc, next.flat());
  }
  return init.like(loop.getResults());
}

SmallVector<Value> ScanPeeling::append(Span span, ValueRange pending,
                                       OpFoldResult fill) {
  SmallVector<Value> next;
  for (auto [value, sequence] : llvm::zip(pending, op.getPendingSequences())) {
    int64_t axis = op.getSequenceAxes()[sequence];
    next.push_back(insertAlong(
        b, loc, sliceAlong(b, loc, op.getSequences()[sequence], axis, span),
        value, axis, {fill, span.size}));
  }
  return next;
}

SmallVector<Value> ScanPeeling::slices(Span span, ValueRange pending,
                                       OpFoldResult fill) {
  SmallVector<Value> result;
  AffineExpr d0, d1;
  bindDims(b.getContext(), d0, d1);
  for (auto [i, sequence, axis] :
       llvm::enumerate(op.getSequences(), op.getSequenceAxes())) {
    const int64_t *place =
        llvm::find(op.getPendingSequences(), static_cast<int64_t>(i));
    if (!pending.empty() && place != op.getPendingSequences().end())
      result.push_back(sliceAlong(
          b, loc, pending[place - op.getPendingSequences().begin()], axis,
          {b.getIndexAttr(0), apply(d0 + d1, {fill, span.size})}));
    else
      result.push_back(sliceAlong(b, loc, sequence, axis, span));
  }
  return result;
}

void ScanPeeling::store(Carried &carried, ValueRange yielded, Span span,
                        OpFoldResult segment) {
  for (auto [i, axis] : llvm::enumerate(op.getOutputAxes()))
    carried.outputs[i] =
        insertAlong(b, loc, yielded[i], carried.outputs[i], axis, span);
  for (unsigned i = 0; i < carried.stacked.size(); ++i) {
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(b, loc, carried.stacked[i]);
    SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0)),
        strides(sizes.size(), b.getIndexAttr(1));
    offsets[0] = segment;
    sizes[0] = b.getIndexAttr(1);
    carried.stacked[i] = tensor::InsertSliceOp::create(
        b, loc, yielded[op.getNumOutputs() + i], carried.stacked[i], offsets,
        sizes, strides);
  }
}

/// The segment under way: `tokens` behind the pending ones.
ScanPeeling::Carried ScanPeeling::head(Carried carried, OpFoldResult tokens) {
  AffineExpr d0, d1;
  bindDims(b.getContext(), d0, d1);
  OpFoldResult zero = b.getIndexAttr(0), position = op.getFill();
  unsigned firstState = op.getNumOutputs() + op.getNumStacked();
  return maybe(
      minimum({b.getAffineConstantExpr(1), d0}, {tokens}), carried,
      [&](Carried in) {
        Carried out = in;
        Span span{zero, tokens};
        out.pending = append(span, in.pending, position);
        BodyOperands operands{
            slices(span, out.pending, position), {}, in.states, position};
        store(out, cloneBody(b, op, operands), span, zero);
        // The segment is folded into the states only if it gets full.
        OpFoldResult full =
            apply((d0 + d1).floorDiv(length), {position, tokens});
        Carried states;
        states.states = in.states;
        if (!states.states.empty())
          out.states =
              maybe(full, states, [&](Carried before) {
                BodyOperands again = operands;
                again.states = before.states;
                Carried after;
                after.states = SmallVector<Value>(
                    ValueRange(cloneBody(b, op, again)).drop_front(firstState));
                return after;
              }).states;
        return out;
      });
}

/// The full segments: a scan of `count` · N tokens from `first` on.
ScanPeeling::Carried ScanPeeling::full(Carried carried, OpFoldResult first,
                                       OpFoldResult count, bool isAll) {
  if (isConstantIntValue(count, 0))
    return carried;
  AffineExpr d0;
  bindDims(b.getContext(), d0);
  OpFoldResult zero = b.getIndexAttr(0);
  Span span{first, apply(d0 * length, {count})};
  SmallVector<Value> sequences, perSegment;
  for (auto [sequence, axis] :
       llvm::zip(op.getSequences(), op.getSequenceAxes()))
    sequences.push_back(isAll ? sequence
                              : sliceAlong(b, loc, sequence, axis, span));
  for (Value value : op.getPerSegment())
    perSegment.push_back(isAll ? value
                               : sliceAlong(b, loc, value, 0, {zero, count}));
  auto sized = [&](Value value, int64_t axis, OpFoldResult size) -> Type {
    auto type = cast<RankedTensorType>(value.getType());
    SmallVector<int64_t> shape(type.getShape());
    shape[axis] = getConstantIntValue(size).value_or(ShapedType::kDynamic);
    return RankedTensorType::get(shape, type.getElementType());
  };
  SmallVector<Type> types;
  for (auto [value, axis] : llvm::zip(op.getOutputs(), op.getOutputAxes()))
    types.push_back(sized(value, axis, span.size));
  for (Value value : op.getStacked())
    types.push_back(sized(value, 0, count));
  llvm::append_range(types, op.getStates().getTypes());
  auto scan = SegmentScanOp::create(
      b, loc, types, sequences, perSegment, op.getInvariants(), carried.states,
      /*fill=*/Value(), /*pending=*/ValueRange(), length, op.getSequenceAxes(),
      op.getOutputAxes(), op.getNumStacked(), /*pending_sequences=*/{},
      /*whole=*/true);
  {
    OpBuilder::InsertionGuard guard(b);
    SmallVector<Type> arguments;
    for (auto [sequence, axis] : llvm::zip(sequences, op.getSequenceAxes()))
      arguments.push_back(scan.getSliceType(sequence.getType(), axis));
    for (BlockArgument argument :
         op.getBody().getArguments().drop_front(sequences.size()))
      if (argument != op.getPositionArgument())
        arguments.push_back(argument.getType());
    SmallVector<Location> locations(arguments.size(), loc);
    Block *block = b.createBlock(&scan.getBody(), {}, arguments, locations);
    BodyOperands operands;
    llvm::append_range(operands.sequences, scan.getSequenceArguments());
    llvm::append_range(operands.perSegment, scan.getPerSegmentArguments());
    llvm::append_range(operands.states, scan.getStateArguments());
    operands.position = zero;
    IRMapping mapping = mapBody(b, op, operands);
    // The body stays isolated: its own arguments are the invariants.
    for (auto [inner, outer] :
         llvm::zip(op.getInvariantArguments(), scan.getInvariantArguments()))
      mapping.map(inner, outer);
    for (Operation &inner : op.getBody().front().without_terminator())
      b.clone(inner, mapping);
    SmallVector<Value> yielded;
    for (Value value : op.getYield().getOperands())
      yielded.push_back(mapping.lookupOrDefault(value));
    for (auto [i, axis] : llvm::enumerate(op.getOutputAxes())) {
      Type type = scan.getSliceType(scan.getResult(i).getType(), axis);
      if (yielded[i].getType() != type)
        yielded[i] = tensor::CastOp::create(b, loc, type, yielded[i]);
    }
    b.setInsertionPointToEnd(block);
    YieldOp::create(b, loc, yielded);
  }
  Carried out = carried;
  for (auto [i, axis] : llvm::enumerate(op.getOutputAxes()))
    out.outputs[i] = isAll ? Value(scan.getOutputs()[i])
                           : insertAlong(b, loc, scan.getOutputs()[i],
                                         carried.outputs[i], axis, span);
  for (auto [i, value] : llvm::enumerate(scan.getStacked()))
    out.stacked[i] = isAll ? value
                           : insertAlong(b, loc, value, carried.stacked[i], 0,
                                         {zero, count});
  out.states = llvm::to_vector_of<Value>(scan.getFinalStates());
  return out;
}

/// The last segment, with less than N tokens; it has the number `count`.
ScanPeeling::Carried ScanPeeling::tail(Carried carried, Span span,
                                       OpFoldResult count) {
  AffineExpr d0;
  bindDims(b.getContext(), d0);
  OpFoldResult zero = b.getIndexAttr(0);
  return maybe(
      minimum({b.getAffineConstantExpr(1), d0}, {span.size}), carried,
      [&](Carried in) {
        Carried out = in;
        BodyOperands operands{slices(span, {}, zero), {}, in.states, zero};
        for (Value value : op.getPerSegment())
          operands.perSegment.push_back(entryOf(b, loc, value, count));
        SmallVector<Value> yielded = cloneBody(b, op, operands);
        store(out, yielded, span, count);
        if (op.getFill())
          out.pending = append(span, in.pending, zero);
        else
          out.states = SmallVector<Value>(ValueRange(yielded).drop_front(
              op.getNumOutputs() + op.getNumStacked()));
        return out;
      });
}

LogicalResult ScanPeeling::run() {
  b.setInsertionPoint(op);
  AffineExpr d0, d1;
  bindDims(b.getContext(), d0, d1);
  OpFoldResult zero = b.getIndexAttr(0), tokens = tokensOf(b, op);
  OpFoldResult headTokens = zero;
  if (Value fill = op.getFill())
    headTokens = minimum({d0, (b.getAffineConstantExpr(length) - d1) % length},
                         {tokens, fill});
  OpFoldResult count = apply((d0 - d1).floorDiv(length), {tokens, headTokens});
  OpFoldResult rest = apply((d0 - d1) % length, {tokens, headTokens});
  bool isAll = isConstantIntValue(headTokens, 0) && isConstantIntValue(rest, 0);

  Carried carried;
  if (failed(emptyResults(b, op, carried.outputs, carried.stacked)))
    return failure();
  carried.states = llvm::to_vector(op.getStates());
  carried.pending = llvm::to_vector(op.getPending());
  if (op.getFill())
    carried = head(carried, headTokens);
  carried = full(carried, headTokens, count, isAll);
  carried = tail(carried, {apply(d0 - d1, {tokens, rest}), rest}, count);
  SmallVector<Value> results = carried.flat();
  for (auto [value, result] : llvm::zip(results, op.getResults()))
    if (value.getType() != result.getType())
      value = tensor::CastOp::create(b, loc, result.getType(), value);
  b.replaceOp(op, results);
  return success();
}

namespace {
struct PeelScan final : infini::impl::InfiniPeelScanBase<PeelScan> {
  void runOnOperation() override {
    SmallVector<SegmentScanOp> ops;
    // Innermost first.
    getOperation().walk([&](SegmentScanOp op) {
      if (!op.getWhole())
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (SegmentScanOp op : ops) {
      if (failed(ScanPeeling(op, rewriter).run()))
        return signalPassFailure();
      ++scans;
    }
  }
};
} // namespace
