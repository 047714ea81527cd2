// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel on tensors becomes a tile program: its arguments buffers, slices of
// them loads and stores, and everything between tiles of static size. A size
// that is only bounded (the last block of tokens) is padded to its bound; loads
// and stores are masked, and so is what a sum or maximum runs over.

#include "infini/dialect/program/ProgramOps.h"
#include "infini/passes/Passes.h"
#include "infini/passes/tile/TileLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

namespace infini {
#define GEN_PASS_DEF_INFINILOWERTOTILE
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

//===----------------------------------------------------------------------===//
// Control and slices
//===----------------------------------------------------------------------===//

LogicalResult TileLowering::convertForall(scf::ForallOp op) {
  FailureOr<SmallVector<OpFoldResult>> lower = all(op.getMixedLowerBound()),
                                       upper = all(op.getMixedUpperBound()),
                                       step = all(op.getMixedStep());
  if (failed(lower) || failed(upper) || failed(step))
    return failure();
  SmallVector<Part, 2> places;
  for (Value result : op.getResults()) {
    if (result.use_empty()) {
      // Nobody wants it: nothing is stored.
      places.push_back(Part());
      continue;
    }
    FailureOr<Part> place = destinationOf(result);
    if (failed(place) ||
        failed(initialize(op.getOutputs()[places.size()], *place)))
      return failure();
    place->current = true;
    places.push_back(*place);
  }
  auto forall = scf::ForallOp::create(b, loc, *lower, *upper, *step,
                                      ValueRange(), std::nullopt);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(forall.getTerminator());
    scalars.map(op.getInductionVars(), forall.getInductionVars());
    for (auto [argument, place] : llvm::zip(op.getRegionIterArgs(), places))
      parts[argument] = place;
    if (failed(convertBlock(*op.getBody())))
      return failure();
    for (Operation &inner : op.getTerminator().getYieldingOps()) {
      auto insert = dyn_cast<tensor::ParallelInsertSliceOp>(inner);
      if (!insert)
        return fail("a parallel loop ends with '" +
                    inner.getName().getStringRef() + "'");
      FailureOr<Part *> source = part(insert.getSource()),
                        dest = part(insert.getDest());
      if (failed(source) || failed(dest))
        return failure();
      if ((*dest)->kind != Part::Place)
        continue;
      FailureOr<Part> place = insertionPlace(
          cast<OffsetSizeAndStrideOpInterface>(insert.getOperation()), **dest,
          insert.getSourceType().getRank());
      if (failed(place) || failed(store(insert.getSource(), **source, *place)))
        return failure();
    }
  }
  for (auto [result, place] : llvm::zip(op.getResults(), places)) {
    parts[result] = place;
    inPlace.insert(result);
  }
  return success();
}

/// Whether nobody wants a value: it is not used, or only carried to the end of
/// a loop whose result is not.
static bool isDiscarded(Value value) {
  return llvm::all_of(value.getUses(), [](OpOperand &use) {
    if (isa<tensor::DimOp>(use.getOwner()))
      return true;
    auto loop = dyn_cast<scf::ForOp>(use.getOwner()->getParentOp());
    return loop && isa<scf::YieldOp>(use.getOwner()) &&
           isDiscarded(loop.getResult(use.getOperandNumber()));
  });
}

/// Whether an insertion leaves nothing of what was there.
static bool replacesAll(tensor::InsertSliceOp op) {
  if (!op.hasUnitStride() ||
      op.getSourceType().getRank() != op.getDestType().getRank())
    return false;
  SmallVector<OpFoldResult> sizes = op.getMixedSizes();
  for (auto [i, offset] : llvm::enumerate(op.getMixedOffsets())) {
    if (!isConstantIntValue(offset, 0))
      return false;
    FailureOr<bool> same = ValueBoundsConstraintSet::areEqual(
        ValueBoundsConstraintSet::Variable(sizes[i]),
        ValueBoundsConstraintSet::Variable(op.getDest(), i));
    if (failed(same) || !*same)
      return false;
  }
  return true;
}

/// Whether the loop only hands on a tensor into parts of which its body
/// inserts.
static bool isInsertedInto(Value carried) {
  return llvm::any_of(carried.getUsers(), [&](Operation *user) {
    auto insert = dyn_cast<tensor::InsertSliceOp>(user);
    return insert && insert.getDest() == carried && !replacesAll(insert);
  });
}

LogicalResult TileLowering::convertFor(scf::ForOp op) {
  FailureOr<Value> lower = scalar(op.getLowerBound()),
                   upper = scalar(op.getUpperBound()),
                   step = scalar(op.getStep());
  if (failed(lower) || failed(upper) || failed(step))
    return failure();
  SmallVector<Value> init;
  SmallVector<Part, 2> carried;
  SmallVector<bool> isPlace;
  for (auto [value, argument, result] :
       llvm::zip(op.getInitArgs(), op.getRegionIterArgs(), op.getResults())) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type)
      return fail("a loop carries a number");
    FailureOr<Part *> start = part(value);
    if (failed(start))
      return failure();
    Part known = **start;
    isPlace.push_back(isInsertedInto(argument));
    if (isPlace.back() && isDiscarded(result)) {
      Part undefined;
      undefined.sizes = known.sizes;
      carried.push_back(undefined);
      continue;
    }
    if (isPlace.back()) {
      FailureOr<Part> place = destinationOf(result);
      if (failed(place) || failed(initialize(value, *place)))
        return failure();
      known = *place;
      known.current = true;
      carried.push_back(known);
      continue;
    }
    FailureOr<SmallVector<int64_t>> shape = naturalShape(known);
    if (failed(shape))
      return failure();
    FailureOr<Value> tile = tileOf(known, type.getElementType(), *shape);
    if (failed(tile))
      return failure();
    Part next;
    next.kind = Part::Tile;
    next.sizes = known.sizes;
    next.shape = *shape;
    carried.push_back(next);
    init.push_back(*tile);
  }
  auto loop = scf::ForOp::create(b, loc, *lower, *upper, *step, init);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    scalars.map(op.getInductionVar(), loop.getInductionVar());
    unsigned number = 0;
    for (auto [i, argument] : llvm::enumerate(op.getRegionIterArgs())) {
      if (!isPlace[i])
        carried[i].tile = loop.getRegionIterArgs()[number++];
      parts[argument] = carried[i];
    }
    if (!loop.getNumResults())
      b.setInsertionPoint(loop.getBody()->getTerminator());
    if (failed(convertBlock(*op.getBody())))
      return failure();
    SmallVector<Value> next;
    for (auto [i, value] :
         llvm::enumerate(op.getBody()->getTerminator()->getOperands())) {
      FailureOr<Part *> end = part(value);
      if (failed(end))
        return failure();
      if (isPlace[i])
        continue;
      FailureOr<Value> tile = tileOf(
          **end, cast<RankedTensorType>(value.getType()).getElementType(),
          carried[i].shape);
      if (failed(tile))
        return failure();
      next.push_back(*tile);
    }
    if (loop.getNumResults())
      scf::YieldOp::create(b, loc, next);
  }
  unsigned number = 0;
  for (auto [i, result] : llvm::enumerate(op.getResults())) {
    if (!isPlace[i])
      carried[i].tile = loop.getResult(number++);
    else
      inPlace.insert(result);
    parts[result] = carried[i];
  }
  return success();
}

LogicalResult TileLowering::convertExtract(tensor::ExtractSliceOp op) {
  if (!op.hasUnitStride())
    return fail("a slice has strides");
  FailureOr<Part *> found = part(op.getSource());
  if (failed(found))
    return failure();
  Part source = **found;
  llvm::SmallBitVector dropped = op.getDroppedDims();
  if (source.kind == Part::Place) {
    FailureOr<Part> place =
        subplace(source, op.getMixedOffsets(), op.getMixedSizes(), dropped);
    if (failed(place))
      return failure();
    parts[op.getResult()] = *place;
    return success();
  }
  FailureOr<SmallVector<OpFoldResult>> sizes = all(op.getMixedSizes());
  if (failed(sizes))
    return failure();
  Part result;
  result.kind = source.kind;
  result.scalar = source.scalar;
  SmallVector<OpFoldResult> offsets;
  SmallVector<int64_t> shape;
  for (auto [i, offset] : llvm::enumerate(op.getMixedOffsets())) {
    OpFoldResult extent = (*sizes)[i];
    if (!dropped.test(i))
      result.sizes.push_back(extent);
    if (source.kind == Part::Uniform)
      continue;
    auto first = getConstantIntValue(offset);
    auto length = getConstantIntValue(extent);
    if (!first || (!length && *first != 0))
      return fail("a tile is cut at a place that is not constant");
    // A varying number from the start on: the same tile, of which less counts.
    int64_t keep = length ? *length : source.shape[i];
    if (source.shape[i] != 1) {
      offsets.push_back(b.getIndexAttr(*first));
      shape.push_back(keep);
    }
    if (!dropped.test(i))
      result.shape.push_back(keep);
    else if (keep != 1)
      return fail("a tile loses a dimension");
  }
  if (source.kind == Part::Tile) {
    auto type = cast<RankedTensorType>(source.tile.getType());
    result.tile = source.tile;
    if (ArrayRef(shape) != type.getShape()) {
      SmallVector<OpFoldResult> extents =
          getAsIndexOpFoldResult(b.getContext(), shape);
      SmallVector<OpFoldResult> strides(extents.size(), b.getIndexAttr(1));
      result.tile = tensor::ExtractSliceOp::create(
          b, loc, tileType(shape, type.getElementType()), source.tile, offsets,
          extents, strides);
    }
  }
  parts[op.getResult()] = result;
  return success();
}

LogicalResult TileLowering::convertInsert(tensor::InsertSliceOp op) {
  if (!op.hasUnitStride())
    return fail("a slice has strides");
  FailureOr<Part *> found = part(op.getSource()), into = part(op.getDest());
  if (failed(found) || failed(into))
    return failure();
  Part source = **found, dest = **into;
  if (dest.kind != Part::Place && replacesAll(op)) {
    parts[op.getResult()] = source;
    if (inPlace.contains(op.getSource()))
      inPlace.insert(op.getResult());
    return success();
  }
  if (isDiscarded(op.getResult())) {
    parts[op.getResult()] = dest;
    return success();
  }
  Type element = op.getType().getElementType();
  auto slice = cast<OffsetSizeAndStrideOpInterface>(op.getOperation());
  int64_t rank = op.getSourceType().getRank();
  if (dest.kind == Part::Place) {
    FailureOr<Part> final = destinationOf(op.getResult());
    if (failed(final) || failed(initialize(op.getDest(), *final)))
      return failure();
    final->current = true;
    FailureOr<Part> place = insertionPlace(slice, *final, rank);
    if (failed(place) || failed(store(op.getSource(), source, *place)))
      return failure();
    parts[op.getResult()] = *final;
    inPlace.insert(op.getResult());
    return success();
  }
  // An update of an uninitialised tensor that is all that becomes of it.
  bool undefined = dest.kind == Part::Uniform && !dest.scalar;
  llvm::SmallBitVector dropped = droppedDims(slice, rank);
  FailureOr<SmallVector<OpFoldResult>> sizes = all(op.getMixedSizes());
  if (failed(sizes))
    return failure();
  // Into a tile: at a constant place.
  FailureOr<SmallVector<int64_t>> natural = naturalShape(source);
  if (failed(natural))
    return failure();
  SmallVector<int64_t> shape = dest.shape, expanded;
  if (dest.kind == Part::Uniform) {
    FailureOr<SmallVector<int64_t>> whole = naturalShape(dest);
    if (failed(whole))
      return failure();
    shape = *whole;
  }
  SmallVector<OpFoldResult> offsets;
  for (unsigned i = 0, j = 0; i < shape.size(); ++i) {
    int64_t extent = dropped.test(i) ? 1 : (*natural)[j++];
    auto first = getConstantIntValue(op.getMixedOffsets()[i]);
    bool whole = isEqualConstantIntOrValue((*sizes)[i], dest.sizes[i]);
    if (!first || *first + extent > shape[i] ||
        (!whole && !getConstantIntValue((*sizes)[i]) && *first != 0))
      return fail("a slice is put at a place that is not constant");
    expanded.push_back(extent);
    if (shape[i] != 1)
      offsets.push_back(b.getIndexAttr(*first));
    else if (extent != 1)
      return fail("a slice is larger than what it is put into");
  }
  FailureOr<Value> tile = tileOf(source, element, *natural);
  if (failed(tile))
    return failure();
  // Padding behind the slice is what the destination holds there.
  Value inner = *tile;
  int64_t axis = 0;
  for (unsigned i = 0; i < shape.size(); ++i) {
    if (expanded[i] == 1)
      continue;
    OpFoldResult extent = (*sizes)[i];
    bool whole = isEqualConstantIntOrValue(extent, dest.sizes[i]) &&
                 expanded[i] == shape[i];
    if (!isConstantIntValue(extent, expanded[i]) && !whole && !undefined) {
      double neutral = 0;
      FloatAttr constant;
      if (dest.kind != Part::Uniform ||
          !matchPattern(dest.scalar, m_Constant(&constant)))
        return fail("a slice of varying size is put into a tile");
      neutral = constant.getValueAsDouble();
      inner = mask(inner, axis, extent, neutral);
    }
    ++axis;
  }
  Part result;
  result.kind = Part::Tile;
  result.sizes = dest.sizes;
  result.shape = shape;
  if (expanded == shape) {
    result.tile = inner;
  } else {
    FailureOr<Value> outer = tileOf(dest, element, shape);
    if (failed(outer))
      return failure();
    SmallVector<int64_t> innerShape;
    for (unsigned i = 0; i < shape.size(); ++i)
      if (shape[i] != 1)
        innerShape.push_back(expanded[i]);
    SmallVector<OpFoldResult> extents =
        getAsIndexOpFoldResult(b.getContext(), innerShape);
    SmallVector<OpFoldResult> strides(extents.size(), b.getIndexAttr(1));
    result.tile = tensor::InsertSliceOp::create(b, loc, inner, *outer, offsets,
                                                extents, strides);
  }
  parts[op.getResult()] = result;
  return success();
}

/// Reshapes of whole buffers are reshapes of buffers.
LogicalResult TileLowering::convertReshape(
    Operation *op, ArrayRef<ReassociationIndices> groups, bool expands) {
  FailureOr<Part *> found = part(op->getOperand(0));
  if (failed(found))
    return failure();
  Part source = **found;
  auto buffer = source.kind == Part::Place
                    ? dyn_cast<BlockArgument>(source.buffer)
                    : BlockArgument();
  if (!buffer ||
      !llvm::all_of(
          source.offsets,
          [](OpFoldResult offset) { return isConstantIntValue(offset, 0); }) ||
      source.dims.size() != source.offsets.size())
    return fail("a slice is reshaped");
  const Part &whole = parts[old.getArgument(buffer.getArgNumber())];
  for (auto [size, all] : llvm::zip(source.sizes, whole.sizes))
    if (!isEqualConstantIntOrValue(size, all))
      return fail("a slice is reshaped");
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  auto memref = MemRefType::get(type.getShape(), type.getElementType());
  Part result = source;
  if (expands) {
    FailureOr<SmallVector<OpFoldResult>> sizes =
        all(cast<tensor::ExpandShapeOp>(op).getMixedOutputShape());
    if (failed(sizes))
      return failure();
    result.buffer = memref::ExpandShapeOp::create(b, loc, memref, source.buffer,
                                                  groups, *sizes);
    result.sizes = *sizes;
  } else {
    result.buffer =
        memref::CollapseShapeOp::create(b, loc, memref, source.buffer, groups);
    result.sizes.clear();
    for (const ReassociationIndices &group : groups) {
      OpFoldResult size = b.getIndexAttr(1);
      for (int64_t dim : group) {
        AffineExpr d0, s0;
        bindDims(b.getContext(), d0);
        bindSymbols(b.getContext(), s0);
        size = affine::makeComposedFoldedAffineApply(b, loc, d0 * s0,
                                                     {size, source.sizes[dim]});
      }
      result.sizes.push_back(size);
    }
  }
  result.offsets.assign(result.sizes.size(), b.getIndexAttr(0));
  result.dims = llvm::to_vector(llvm::seq<int64_t>(0, result.sizes.size()));
  parts[op->getResult(0)] = result;
  return success();
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

LogicalResult TileLowering::convert(Operation &op) {
  loc = op.getLoc();
  if (auto forall = dyn_cast<scf::ForallOp>(op))
    return convertForall(forall);
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return convertFor(loop);
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return convertLinalg(linalgOp);
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    return convertExtract(slice);
  if (auto slice = dyn_cast<tensor::InsertSliceOp>(op))
    return convertInsert(slice);
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return convertReshape(&op, expand.getReassociationIndices(), true);
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
    return convertReshape(&op, collapse.getReassociationIndices(), false);
  if (auto cast = dyn_cast<tensor::CastOp>(op)) {
    FailureOr<Part *> source = part(cast.getSource());
    if (failed(source))
      return failure();
    Part same = **source;
    parts[cast.getResult()] = same;
    if (inPlace.contains(cast.getSource()))
      inPlace.insert(cast.getResult());
    return success();
  }
  if (auto empty = dyn_cast<tensor::EmptyOp>(op)) {
    FailureOr<SmallVector<OpFoldResult>> sizes = all(empty.getMixedSizes());
    if (failed(sizes))
      return failure();
    Part undefined;
    undefined.sizes = *sizes;
    parts[empty.getResult()] = undefined;
    return success();
  }
  if (auto materialize =
          dyn_cast<bufferization::MaterializeInDestinationOp>(op)) {
    FailureOr<Part *> source = part(materialize.getSource()),
                      dest = part(materialize.getDest());
    if (failed(source) || failed(dest))
      return failure();
    Part place = **dest;
    if (failed(store(materialize.getSource(), **source, place)))
      return failure();
    place.current = true;
    parts[materialize.getResult()] = place;
    return success();
  }
  if (auto constant = dyn_cast<arith::ConstantOp>(op);
      constant && isa<RankedTensorType>(constant.getType())) {
    auto splatAttr = dyn_cast<SplatElementsAttr>(constant.getValue());
    if (!splatAttr)
      return fail("a constant differs from element to element");
    Part uniform;
    auto type = cast<RankedTensorType>(constant.getType());
    uniform.sizes = getAsIndexOpFoldResult(b.getContext(), type.getShape());
    uniform.scalar = arith::ConstantOp::create(
        b, loc, cast<TypedAttr>(splatAttr.getSplatValue<Attribute>()));
    parts[constant.getResult()] = uniform;
    return success();
  }
  if (op.getNumResults() &&
      !llvm::any_of(op.getResultTypes(), llvm::IsaPred<TensorType>)) {
    for (Value result : op.getResults())
      if (!result.use_empty() && failed(scalar(result)))
        return failure();
    return success();
  }
  return fail("'" + op.getName().getStringRef() + "' has no form on tiles");
}

LogicalResult TileLowering::convertBlock(Block &block) {
  for (Operation &op : block.without_terminator()) {
    if (isOpTriviallyDead(&op))
      continue;
    if (failed(convert(op)))
      return failure();
  }
  return success();
}

func::FuncOp TileLowering::run() {
  if (!old.getBody().hasOneBlock()) {
    (void)fail("it has several blocks");
    return {};
  }
  SmallVector<Type> types;
  for (Type type : old.getArgumentTypes()) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    types.push_back(
        tensor ? MemRefType::get(tensor.getShape(), tensor.getElementType())
               : type);
  }
  b.setInsertionPoint(old);
  auto function =
      func::FuncOp::create(b, loc, old.getName(), b.getFunctionType(types, {}));
  Block *body = function.addEntryBlock();
  b.setInsertionPointToEnd(body);
  for (auto [from, to] : llvm::zip(old.getArguments(), body->getArguments())) {
    auto type = dyn_cast<MemRefType>(to.getType());
    if (!type) {
      scalars.map(from, to);
      continue;
    }
    Part whole;
    whole.kind = Part::Place;
    whole.buffer = to;
    for (int64_t i = 0; i < type.getRank(); ++i) {
      whole.offsets.push_back(b.getIndexAttr(0));
      whole.dims.push_back(i);
      whole.sizes.push_back(
          type.isDynamicDim(i)
              ? OpFoldResult(memref::DimOp::create(b, loc, to, i).getResult())
              : OpFoldResult(b.getIndexAttr(type.getDimSize(i))));
    }
    parts[from] = whole;
  }
  if (failed(convertBlock(old.getBody().front()))) {
    b.eraseOp(function);
    return {};
  }
  func::ReturnOp::create(b, old.getLoc());
  return function;
}

namespace {
struct LowerToTile final : infini::impl::InfiniLowerToTileBase<LowerToTile> {
  void runOnOperation() override {
    func::FuncOp function = program::kernelFunction(getOperation());
    if (!function)
      return;
    IRRewriter rewriter(&getContext());
    TileLowering lowering(function, rewriter);
    remark::RemarkOpts opts = remark::RemarkOpts::name("tile")
                                  .category("infini-lower-to-tile")
                                  .function(function.getName());
    func::FuncOp tiles = lowering.run();
    if (!tiles) {
      remark::missed(function.getLoc(), opts)
          << ("the kernel stays on tensors: " + lowering.getReason()).str();
      getOperation()->setAttr(program::kFallback,
                              rewriter.getStringAttr(lowering.getReason()));
      ++kept;
      return;
    }
    remark::passed(function.getLoc(), opts) << "the kernel is a tile program";
    rewriter.eraseOp(function);
    ++lowered;
  }
};
} // namespace
