// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TilingInterface for every op with a shape signature: a tile of the op is the
// op on slices, cut along its parallel dimensions.

#include "infini/dialect/infini/InfiniOps.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"

using namespace mlir;
using namespace infini;

static SmallVector<DimName> parallelDims(Operation *op) {
  return cast<ShapeSignatureOpInterface>(op).getParallelDims();
}

SmallVector<utils::IteratorType> infini::signatureIteratorTypes(Operation *op) {
  return SmallVector<utils::IteratorType>(parallelDims(op).size(),
                                          utils::IteratorType::parallel);
}

SmallVector<Range> infini::signatureDomain(OpBuilder &builder, Operation *op) {
  SmallVector<Range> domain;
  for (DimName dim : parallelDims(op))
    domain.push_back({builder.getIndexAttr(0), sizeOf(builder, op, dim),
                      builder.getIndexAttr(1)});
  return domain;
}

namespace {
/// A tile in terms of named dimensions.
struct NamedTile {
  llvm::DenseMap<DimName, std::pair<OpFoldResult, OpFoldResult>> ranges;

  bool has(DimName dim) const { return ranges.count(dim); }
};
} // namespace

/// Adds the range of G that the tile's query heads use. Fails where the tile
/// would straddle groups.
static LogicalResult addGroupRange(OpBuilder &builder, Operation *op,
                                   NamedTile &tile) {
  if (!tile.has('H') || tile.has('G') || sitesOf(op, 'G').empty())
    return success();
  auto [offset, size] = tile.ranges['H'];
  OpFoldResult heads = sizeOf(builder, op, 'H'),
               groups = sizeOf(builder, op, 'G');
  if (isEqualConstantIntOrValue(heads, groups)) {
    tile.ranges['G'] = {offset, size};
    return success();
  }
  if (isEqualConstantIntOrValue(size, heads) && isConstantIntValue(offset, 0)) {
    tile.ranges['G'] = {offset, groups};
    return success();
  }
  if (!isConstantIntValue(size, 1))
    return failure();
  Location loc = op->getLoc();
  auto headCount = getConstantIntValue(heads),
       groupCount = getConstantIntValue(groups);
  AffineExpr d0, s0;
  bindDims(builder.getContext(), d0);
  bindSymbols(builder.getContext(), s0);
  OpFoldResult group;
  if (headCount && groupCount) {
    group = affine::makeComposedFoldedAffineApply(
        builder, loc, d0.floorDiv(*headCount / *groupCount), {offset});
  } else {
    Value ratio = arith::DivUIOp::create(
        builder, loc, getValueOrCreateConstantIndexOp(builder, loc, heads),
        getValueOrCreateConstantIndexOp(builder, loc, groups));
    group = arith::DivUIOp::create(
                builder, loc,
                getValueOrCreateConstantIndexOp(builder, loc, offset), ratio)
                .getResult();
  }
  tile.ranges['G'] = {group, builder.getIndexAttr(1)};
  return success();
}

/// The slice of `value` that a tile needs; the value itself where that is all.
static Value sliceFor(OpBuilder &builder, Location loc, Value value,
                      ArrayRef<DimName> names, const NamedTile &tile,
                      SmallVectorImpl<Operation *> &slices) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || llvm::none_of(names, [&](DimName d) { return tile.has(d); }))
    return value;
  SmallVector<OpFoldResult> offsets, sizes,
      strides(names.size(), builder.getIndexAttr(1));
  for (auto [i, name] : llvm::enumerate(names)) {
    auto it = tile.ranges.find(name);
    bool cut = it != tile.ranges.end();
    offsets.push_back(cut ? it->second.first : builder.getIndexAttr(0));
    sizes.push_back(cut ? it->second.second
                        : tensor::getMixedSize(builder, loc, value, i));
  }
  auto slice = tensor::ExtractSliceOp::create(builder, loc, value, offsets,
                                              sizes, strides);
  slices.push_back(slice);
  return slice;
}

FailureOr<TilingResult> infini::signatureTile(OpBuilder &builder, Operation *op,
                                              ArrayRef<OpFoldResult> offsets,
                                              ArrayRef<OpFoldResult> sizes) {
  auto signed_ = cast<ShapeSignatureOpInterface>(op);
  ShapeSignature signature = signed_.getShapeSignature();
  NamedTile tile;
  for (auto [dim, offset, size] :
       llvm::zip(signed_.getParallelDims(), offsets, sizes))
    tile.ranges[dim] = {offset, size};
  if (failed(addGroupRange(builder, op, tile)))
    return op->emitOpError(
        "expected a tile to hold one query head, all, or heads "
        "that share no key/value head");

  SmallVector<Operation *> slices;
  SmallVector<Value> operands;
  for (auto [shape, operand] : llvm::zip(signature.operands, op->getOperands()))
    operands.push_back(
        sliceFor(builder, op->getLoc(), operand, shape.dims, tile, slices));
  SmallVector<Type> types;
  for (auto [shape, type] :
       llvm::zip(signature.results, op->getResultTypes())) {
    auto tensor = cast<RankedTensorType>(type);
    SmallVector<int64_t> tileShape(tensor.getShape());
    for (auto [i, name] : llvm::enumerate(shape.dims))
      if (auto it = tile.ranges.find(name); it != tile.ranges.end())
        tileShape[i] = getConstantIntValue(it->second.second)
                           .value_or(ShapedType::kDynamic);
    types.push_back(RankedTensorType::get(tileShape, tensor.getElementType()));
  }
  Operation *tiled = clone(builder, op, types, operands);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(tiled);
    signed_.adaptToTile(builder, tiled, offsets);
  }
  return TilingResult{{tiled}, SmallVector<Value>(tiled->getResults()), slices};
}

LogicalResult
infini::signatureResultTile(OpBuilder &builder, Operation *op, unsigned result,
                            ArrayRef<OpFoldResult> offsets,
                            ArrayRef<OpFoldResult> sizes,
                            SmallVectorImpl<OpFoldResult> &resultOffsets,
                            SmallVectorImpl<OpFoldResult> &resultSizes) {
  SmallVector<DimName> parallel = parallelDims(op);
  ShapeSignature signature =
      cast<ShapeSignatureOpInterface>(op).getShapeSignature();
  for (DimName name : signature.results[result].dims) {
    auto *it = llvm::find(parallel, name);
    bool cut = it != parallel.end();
    resultOffsets.push_back(cut ? offsets[it - parallel.begin()]
                                : builder.getIndexAttr(0));
    resultSizes.push_back(cut ? sizes[it - parallel.begin()]
                              : sizeOf(builder, op, name));
  }
  return success();
}

FailureOr<TilingResult>
infini::signatureProduceTile(OpBuilder &builder, Operation *op, unsigned result,
                             ArrayRef<OpFoldResult> offsets,
                             ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> tileOffsets, tileSizes;
  ArrayRef<DimName> names = cast<ShapeSignatureOpInterface>(op)
                                .getShapeSignature()
                                .results[result]
                                .dims;
  SmallVector<DimName> held(names);
  for (DimName dim : parallelDims(op)) {
    auto *it = llvm::find(held, dim);
    bool cut = it != held.end();
    tileOffsets.push_back(cut ? offsets[it - held.begin()]
                              : builder.getIndexAttr(0));
    tileSizes.push_back(cut ? sizes[it - held.begin()]
                            : sizeOf(builder, op, dim));
  }
  FailureOr<TilingResult> tile =
      signatureTile(builder, op, tileOffsets, tileSizes);
  if (failed(tile))
    return failure();
  // A consumer may want less than the op can be cut to (a slice along d_v).
  SmallVector<OpFoldResult> ownOffsets, ownSizes;
  bool exact = true;
  SmallVector<DimName> parallel = parallelDims(op);
  for (auto [i, name] : llvm::enumerate(held)) {
    bool cut = llvm::is_contained(parallel, name);
    ownOffsets.push_back(cut ? OpFoldResult(builder.getIndexAttr(0))
                             : offsets[i]);
    ownSizes.push_back(sizes[i]);
    exact &=
        cut || (isConstantIntValue(offsets[i], 0) &&
                isEqualConstantIntOrValue(sizes[i], sizeOf(builder, op, name)));
  }
  Value value = tile->tiledValues[result];
  if (!exact) {
    SmallVector<OpFoldResult> strides(held.size(), builder.getIndexAttr(1));
    value = tensor::ExtractSliceOp::create(builder, op->getLoc(), value,
                                           ownOffsets, ownSizes, strides);
  }
  return TilingResult{tile->tiledOps, {value}, tile->generatedSlices};
}
