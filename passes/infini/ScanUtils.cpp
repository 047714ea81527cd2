// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the passes over segment scans share.

#include "infini/passes/infini/ScanUtils.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace infini;

namespace {
/// Offsets, sizes, and unit strides of a slice.
struct Slice {
  SmallVector<OpFoldResult> offsets, sizes, strides;

  Slice(OpBuilder &b, Location loc, Value tensor)
      : sizes(tensor::getMixedSizes(b, loc, tensor)) {
    offsets.assign(sizes.size(), b.getIndexAttr(0));
    strides.assign(sizes.size(), b.getIndexAttr(1));
  }
};
} // namespace

/// A slice whose source may be read in its place: unit strides, all dimensions
/// kept.
static tensor::ExtractSliceOp readThrough(Value value) {
  auto slice = value.getDefiningOp<tensor::ExtractSliceOp>();
  if (slice && slice.hasUnitStride() &&
      slice.getSourceType().getRank() == slice.getType().getRank())
    return slice;
  return {};
}

Value infini::sliceAlong(OpBuilder &b, Location loc, Value source, int64_t axis,
                         Span span) {
  Slice slice(b, loc, source);
  if (tensor::ExtractSliceOp inner = readThrough(source)) {
    slice.offsets = inner.getMixedOffsets();
    slice.sizes = inner.getMixedSizes();
    source = inner.getSource();
    AffineExpr d0, d1;
    bindDims(b.getContext(), d0, d1);
    slice.offsets[axis] = affine::makeComposedFoldedAffineApply(
        b, loc, d0 + d1, {slice.offsets[axis], span.offset});
  } else {
    slice.offsets[axis] = span.offset;
  }
  slice.sizes[axis] = span.size;
  return tensor::ExtractSliceOp::create(b, loc, source, slice.offsets,
                                        slice.sizes, slice.strides);
}

Value infini::insertAlong(OpBuilder &b, Location loc, Value source,
                          Value destination, int64_t axis, Span span) {
  Slice slice(b, loc, destination);
  slice.offsets[axis] = span.offset;
  slice.sizes[axis] = span.size;
  // The slice's type, as insert_slice wants it.
  Type type = tensor::ExtractSliceOp::inferResultType(
      cast<RankedTensorType>(destination.getType()), slice.sizes);
  if (source.getType() != type)
    source = tensor::CastOp::create(b, loc, type, source);
  return tensor::InsertSliceOp::create(
      b, loc, source, destination, slice.offsets, slice.sizes, slice.strides);
}

Value infini::entryOf(OpBuilder &b, Location loc, Value stack,
                      OpFoldResult index) {
  Slice slice(b, loc, stack);
  slice.offsets[0] = index;
  slice.sizes[0] = b.getIndexAttr(1);
  auto type = cast<RankedTensorType>(stack.getType());
  return tensor::ExtractSliceOp::create(
      b, loc,
      RankedTensorType::get(type.getShape().drop_front(),
                            type.getElementType()),
      stack, slice.offsets, slice.sizes, slice.strides);
}

IRMapping infini::mapBody(OpBuilder &b, SegmentScanOp scan,
                          const BodyOperands &operands) {
  IRMapping mapping;
  auto map = [&](ArrayRef<BlockArgument> arguments, ValueRange values) {
    for (auto [argument, value] : llvm::zip(arguments, values)) {
      if (argument.getType() != value.getType())
        value =
            tensor::CastOp::create(b, scan.getLoc(), argument.getType(), value);
      mapping.map(argument, value);
    }
  };
  map(scan.getSequenceArguments(), operands.sequences);
  map(scan.getPerSegmentArguments(), operands.perSegment);
  map(scan.getInvariantArguments(), scan.getInvariants());
  map(scan.getStateArguments(), operands.states);
  if (Value argument = scan.getPositionArgument())
    mapping.map(argument, getValueOrCreateConstantIndexOp(b, scan.getLoc(),
                                                          operands.position));
  return mapping;
}

SmallVector<Value> infini::cloneBody(OpBuilder &b, SegmentScanOp scan,
                                     const BodyOperands &operands) {
  IRMapping mapping = mapBody(b, scan, operands);
  for (Operation &inner : scan.getBody().front().without_terminator())
    b.clone(inner, mapping);
  return llvm::map_to_vector(scan.getYield().getOperands(), [&](Value value) {
    return mapping.lookupOrDefault(value);
  });
}

LogicalResult infini::emptyResults(OpBuilder &b, SegmentScanOp scan,
                                   SmallVectorImpl<Value> &outputs,
                                   SmallVectorImpl<Value> &stacked) {
  ReifiedRankedShapedTypeDims shapes;
  if (failed(scan.reifyResultShapes(b, shapes)))
    return scan.emitOpError(
        "has outputs whose sizes are not known from its operands; make all but "
        "the token dimension static");
  auto empty = [&](Value result, unsigned number) -> Value {
    Value value = tensor::EmptyOp::create(
        b, scan.getLoc(), shapes[number],
        cast<RankedTensorType>(result.getType()).getElementType());
    if (value.getType() != result.getType())
      value = tensor::CastOp::create(b, scan.getLoc(), result.getType(), value);
    return value;
  };
  unsigned number = 0;
  for (Value result : scan.getOutputs())
    outputs.push_back(empty(result, number++));
  for (Value result : scan.getStacked())
    stacked.push_back(empty(result, number++));
  return success();
}

OpFoldResult infini::tokensOf(OpBuilder &b, SegmentScanOp scan) {
  Value sequence = scan.getSequences()[0];
  int64_t axis = scan.getSequenceAxes()[0];
  if (tensor::ExtractSliceOp slice = readThrough(sequence))
    return slice.getMixedSizes()[axis];
  return tensor::getMixedSize(b, scan.getLoc(), sequence, axis);
}

OpFoldResult infini::fullSegments(OpBuilder &b, SegmentScanOp scan) {
  AffineExpr d0;
  bindDims(b.getContext(), d0);
  return affine::makeComposedFoldedAffineApply(
      b, scan.getLoc(), d0.floorDiv(scan.getSegmentLength()),
      {tokensOf(b, scan)});
}
