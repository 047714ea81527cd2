// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SegmentScanOp: groups of operands, verifier, result shapes.

#include "infini/dialect/infini/InfiniOps.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

using namespace mlir;
using namespace infini;

ArrayRef<BlockArgument> SegmentScanOp::getSequenceArguments() {
  return getBody().getArguments().take_front(getSequences().size());
}
ArrayRef<BlockArgument> SegmentScanOp::getPerSegmentArguments() {
  return getBody().getArguments().slice(getSequences().size(),
                                        getPerSegment().size());
}
ArrayRef<BlockArgument> SegmentScanOp::getInvariantArguments() {
  return getBody().getArguments().slice(
      getSequences().size() + getPerSegment().size(), getInvariants().size());
}
ArrayRef<BlockArgument> SegmentScanOp::getStateArguments() {
  return getBody().getArguments().slice(
      getSequences().size() + getPerSegment().size() + getInvariants().size(),
      getStates().size());
}
Value SegmentScanOp::getPositionArgument() {
  return getFill() ? getBody().getArguments().back() : Value();
}
YieldOp SegmentScanOp::getYield() {
  return cast<YieldOp>(getBody().front().getTerminator());
}

/// `type` with the size of one dimension replaced.
static RankedTensorType withDim(RankedTensorType type, int64_t dim,
                                int64_t size) {
  SmallVector<int64_t> shape(type.getShape());
  shape[dim] = size;
  return RankedTensorType::get(shape, type.getElementType());
}

RankedTensorType SegmentScanOp::getSliceType(Type type, int64_t axis) {
  return withDim(cast<RankedTensorType>(type), axis,
                 getWhole() ? static_cast<int64_t>(getSegmentLength())
                            : ShapedType::kDynamic);
}

LogicalResult SegmentScanOp::verify() {
  // segment_scan_c1
  if (static_cast<int64_t>(getSegmentLength()) < 1)
    return emitOpError("expected 'segment_length' to be at least 1, got ")
           << static_cast<int64_t>(getSegmentLength());
  // segment_scan_c2
  if (getSequenceAxes().size() != getSequences().size())
    return emitOpError("expected one of 'sequence_axes' a sequence (")
           << getSequences().size() << "), got " << getSequenceAxes().size();
  int64_t tokens = ShapedType::kDynamic;
  for (auto [i, axis, value] :
       llvm::enumerate(getSequenceAxes(), getSequences())) {
    auto type = cast<RankedTensorType>(value.getType());
    if (axis < 0 || axis >= type.getRank())
      return emitOpError("expected axis of sequence ")
             << i << " to be within its rank (" << type.getRank() << "), got "
             << axis;
    // segment_scan_c3
    int64_t size = type.getDimSize(axis);
    if (ShapedType::isDynamic(size))
      continue;
    if (!ShapedType::isDynamic(tokens) && tokens != size)
      return emitOpError("expected sequence ")
             << i << " to have " << tokens << " tokens, as those before, got "
             << size;
    tokens = size;
  }
  if (getSequences().empty())
    return emitOpError("expected at least one sequence, got none");
  // segment_scan_c10
  if (getWhole() && getFill())
    return emitOpError("expected no 'fill' with 'whole'");
  if (getWhole() && !ShapedType::isDynamic(tokens) &&
      tokens % static_cast<int64_t>(getSegmentLength()))
    return emitOpError("expected a multiple of ")
           << static_cast<int64_t>(getSegmentLength())
           << " tokens with 'whole', got " << tokens;
  // segment_scan_c8
  if (getFill() && (!getPerSegment().empty() || getNumStacked() != 0))
    return emitOpError(
        "expected no per-segment operands or results with 'fill'");
  // segment_scan_c7
  if (!getFill() && (!getPending().empty() || !getPendingSequences().empty()))
    return emitOpError("expected 'fill' with 'pending', got none");
  if (getPending().size() != getPendingSequences().size())
    return emitOpError(
               "expected one pending value an index in 'pending_sequences' (")
           << getPendingSequences().size() << "), got " << getPending().size();
  for (auto [i, index] : llvm::enumerate(getPendingSequences())) {
    if (index < 0 || index >= static_cast<int64_t>(getSequences().size()))
      return emitOpError("expected 'pending_sequences' to name one of ")
             << getSequences().size() << " sequences, got " << index;
    if (llvm::is_contained(getPendingSequences().take_front(i), index))
      return emitOpError("expected 'pending_sequences' to name sequence ")
             << index << " once";
    auto expected =
        withDim(cast<RankedTensorType>(getSequences()[index].getType()),
                getSequenceAxes()[index], getSegmentLength());
    if (getPending()[i].getType() != expected)
      return emitOpError("expected pending value ")
             << i << " to have type " << expected << ", got "
             << getPending()[i].getType();
  }
  for (auto [i, value] : llvm::enumerate(getPerSegment()))
    if (cast<RankedTensorType>(value.getType()).getRank() < 1)
      return emitOpError("expected per-segment value ")
             << i << " to have rank at least 1, got 0";
  // segment_scan_c9
  int64_t expected = getNumOutputs() + getNumStacked() + getStates().size() +
                     getPending().size();
  if (static_cast<int64_t>(getNumStacked()) < 0 ||
      static_cast<int64_t>(getNumResults()) != expected)
    return emitOpError("expected ")
           << expected
           << " results (outputs, stacked values, states, pending values), got "
           << getNumResults();
  for (auto [i, result, state] : llvm::enumerate(getFinalStates(), getStates()))
    if (result.getType() != state.getType())
      return emitOpError("expected final state ")
             << i << " to have type " << state.getType() << ", got "
             << result.getType();
  for (auto [i, result, pending] :
       llvm::enumerate(getNewPending(), getPending()))
    if (result.getType() != pending.getType())
      return emitOpError("expected new pending value ")
             << i << " to have type " << pending.getType() << ", got "
             << result.getType();
  // segment_scan_c2
  for (auto [i, axis, value] : llvm::enumerate(getOutputAxes(), getOutputs())) {
    auto type = cast<RankedTensorType>(value.getType());
    if (axis < 0 || axis >= type.getRank())
      return emitOpError("expected axis of output ")
             << i << " to be within its rank (" << type.getRank() << "), got "
             << axis;
    if (int64_t size = type.getDimSize(axis); !ShapedType::isDynamic(size) &&
                                              !ShapedType::isDynamic(tokens) &&
                                              size != tokens)
      return emitOpError("expected output ")
             << i << " to have " << tokens << " tokens, got " << size;
  }
  return success();
}

LogicalResult SegmentScanOp::verifyRegions() {
  // segment_scan_c4
  unsigned expected = getSequences().size() + getPerSegment().size() +
                      getInvariants().size() + getStates().size() +
                      (getFill() ? 1 : 0);
  if (getBody().getNumArguments() != expected)
    return emitOpError("expected the body to have ")
           << expected << " arguments, got " << getBody().getNumArguments();
  // segment_scan_c5
  auto checkArgument = [&](BlockArgument argument, Type type,
                           const char *group) -> LogicalResult {
    if (argument.getType() == type)
      return success();
    return emitOpError("expected argument ")
           << argument.getArgNumber() << " of the body (" << group
           << ") to have type " << type << ", got " << argument.getType();
  };
  for (auto [argument, value, axis] :
       llvm::zip(getSequenceArguments(), getSequences(), getSequenceAxes()))
    if (failed(checkArgument(argument, getSliceType(value.getType(), axis),
                             "a sequence's slice")))
      return failure();
  for (auto [argument, value] :
       llvm::zip(getPerSegmentArguments(), getPerSegment())) {
    auto type = cast<RankedTensorType>(value.getType());
    if (failed(checkArgument(argument,
                             RankedTensorType::get(type.getShape().drop_front(),
                                                   type.getElementType()),
                             "a per-segment value")))
      return failure();
  }
  for (auto [argument, value] :
       llvm::zip(getInvariantArguments(), getInvariants()))
    if (failed(checkArgument(argument, value.getType(), "an invariant")))
      return failure();
  for (auto [argument, value] : llvm::zip(getStateArguments(), getStates()))
    if (failed(checkArgument(argument, value.getType(), "a state")))
      return failure();
  if (getFill() &&
      failed(checkArgument(getBody().getArguments().back(),
                           IndexType::get(getContext()), "the position")))
    return failure();
  // segment_scan_c6, yield_c1
  YieldOp yield = getYield();
  unsigned yields = getNumOutputs() + getNumStacked() + getStates().size();
  if (yield.getNumOperands() != yields)
    return yield.emitOpError("expected ")
           << yields << " values (outputs, stacked values, states), got "
           << yield.getNumOperands();
  auto checkYield = [&](unsigned index, Type type,
                        const char *group) -> LogicalResult {
    if (yield.getOperand(index).getType() == type)
      return success();
    return yield.emitOpError("expected value ")
           << index << " (" << group << ") to have type " << type << ", got "
           << yield.getOperand(index).getType();
  };
  unsigned index = 0;
  for (auto [output, axis] : llvm::zip(getOutputs(), getOutputAxes()))
    if (failed(checkYield(index++, getSliceType(output.getType(), axis),
                          "an output's slice")))
      return failure();
  for (Value stacked : getStacked()) {
    auto type = cast<RankedTensorType>(stacked.getType());
    if (type.getRank() < 1)
      return emitOpError(
          "expected stacked results to have rank at least 1, got 0");
    if (failed(checkYield(index++,
                          RankedTensorType::get(type.getShape().drop_front(),
                                                type.getElementType()),
                          "a per-segment value")))
      return failure();
  }
  for (Value state : getStates())
    if (failed(checkYield(index++, state.getType(), "a state")))
      return failure();
  return success();
}

/// The size of one of the body's values, from the op's operands; fails where
/// that cannot be told by following definitions.
static FailureOr<OpFoldResult> sizeOutside(OpBuilder &builder, SegmentScanOp op,
                                           Value value, int64_t dim) {
  Location loc = op.getLoc();
  int64_t size = cast<RankedTensorType>(value.getType()).getDimSize(dim);
  if (!ShapedType::isDynamic(size))
    return OpFoldResult(builder.getIndexAttr(size));
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    if (argument.getOwner() != &op.getBody().front())
      return failure();
    unsigned number = argument.getArgNumber(),
             sequences = op.getSequences().size(),
             perSegment = op.getPerSegment().size();
    if (number < sequences && op.getSequenceAxes()[number] == dim)
      return failure(); // the segment's own number of tokens
    Value operand = op->getOperand(number);
    bool dropped = number >= sequences && number < sequences + perSegment;
    return tensor::getMixedSize(builder, loc, operand, dim + dropped);
  }
  Operation *def = value.getDefiningOp();
  unsigned number = cast<OpResult>(value).getResultNumber();
  if (auto signature = dyn_cast<ShapeSignatureOpInterface>(def)) {
    DimName name = signature.getShapeSignature().results[number].dims[dim];
    for (DimSite site : sitesOf(def, name))
      if (site.value.getDefiningOp() != def)
        if (auto found = sizeOutside(builder, op, site.value, site.dim);
            succeeded(found))
          return found;
    return failure();
  }
  if (auto destination = dyn_cast<DestinationStyleOpInterface>(def))
    return sizeOutside(builder, op,
                       destination.getDpsInitOperand(number)->get(), dim);
  if (auto cast = dyn_cast<tensor::CastOp>(def))
    return sizeOutside(builder, op, cast.getSource(), dim);
  if (auto empty = dyn_cast<tensor::EmptyOp>(def))
    if (auto dimOp = empty.getDynamicSize(dim).getDefiningOp<tensor::DimOp>())
      if (auto index = dimOp.getConstantIndex())
        return sizeOutside(builder, op, dimOp.getSource(), *index);
  return failure();
}

LogicalResult
SegmentScanOp::reifyResultShapes(OpBuilder &builder,
                                 ReifiedRankedShapedTypeDims &shapes) {
  Location loc = getLoc();
  OpFoldResult tokens = tensor::getMixedSize(builder, loc, getSequences()[0],
                                             getSequenceAxes()[0]);
  AffineExpr d0;
  bindDims(builder.getContext(), d0);
  OpFoldResult segments = affine::makeComposedFoldedAffineApply(
      builder, loc, d0.ceilDiv(getSegmentLength()), {tokens});
  unsigned number = 0;
  // `scanned` is the dimension that the scan adds up, `dropped` whether the
  // body's value lacks it.
  auto reify = [&](Value result, int64_t scanned, OpFoldResult size,
                   bool dropped) -> LogicalResult {
    SmallVector<OpFoldResult> sizes;
    for (auto [i, s] :
         llvm::enumerate(cast<RankedTensorType>(result.getType()).getShape())) {
      int64_t dim = i;
      if (!ShapedType::isDynamic(s)) {
        sizes.push_back(builder.getIndexAttr(s));
        continue;
      }
      FailureOr<OpFoldResult> found = size;
      if (dim != scanned)
        found = sizeOutside(builder, *this, getYield().getOperand(number),
                            dim - (dropped ? 1 : 0));
      if (failed(found))
        return failure();
      sizes.push_back(getValueOrCreateConstantIndexOp(builder, loc, *found));
    }
    shapes.push_back(sizes);
    ++number;
    return success();
  };
  for (auto [value, axis] : llvm::zip(getOutputs(), getOutputAxes()))
    if (failed(reify(value, axis, tokens, false)))
      return failure();
  for (Value value : getStacked())
    if (failed(reify(value, 0, segments, true)))
      return failure();
  for (ValueRange group : {ValueRange(getStates()), ValueRange(getPending())})
    for (Value value : group)
      shapes.push_back(tensor::getMixedSizes(builder, loc, value));
  return success();
}
