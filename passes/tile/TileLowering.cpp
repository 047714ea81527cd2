// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers, places in buffers, and tiles.

#include "infini/passes/tile/TileLowering.h"
#include "infini/passes/tile/SizeBound.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace infini;

/// Larger tiles are refused: what has so many elements is no tile.
static constexpr int64_t kMaxElements = 1 << 20;

//===----------------------------------------------------------------------===//
// Numbers and places
//===----------------------------------------------------------------------===//

FailureOr<Value> TileLowering::scalar(Value value) {
  if (Value known = scalars.lookupOrNull(value))
    return known;
  Operation *def = value.getDefiningOp();
  if (!def || def->getNumRegions() || !isPure(def))
    return fail("a number comes from no plain arithmetic");
  if (auto dim = dyn_cast<tensor::DimOp>(def)) {
    auto constant = dim.getConstantIndex();
    FailureOr<Part *> source = part(dim.getSource());
    if (failed(source) || !constant)
      return fail("a size is not known");
    Value known = index((*source)->sizes[*constant]);
    scalars.map(value, known);
    return known;
  }
  for (Value operand : def->getOperands()) {
    if (isa<TensorType>(operand.getType()))
      return fail("a number is taken out of a tensor");
    if (failed(scalar(operand)))
      return failure();
  }
  b.clone(*def, scalars);
  return scalars.lookup(value);
}

FailureOr<OpFoldResult> TileLowering::size(OpFoldResult value) {
  auto dynamic = dyn_cast<Value>(value);
  if (!dynamic)
    return value;
  FailureOr<Value> known = scalar(dynamic);
  if (failed(known))
    return failure();
  return getAsOpFoldResult(*known);
}

FailureOr<SmallVector<OpFoldResult>>
TileLowering::all(ArrayRef<OpFoldResult> values) {
  SmallVector<OpFoldResult> result;
  for (OpFoldResult value : values) {
    FailureOr<OpFoldResult> known = size(value);
    if (failed(known))
      return failure();
    result.push_back(*known);
  }
  return result;
}

FailureOr<Part *> TileLowering::part(Value value) {
  auto it = parts.find(value);
  if (it == parts.end())
    return fail("a tensor comes from '" +
                (value.getDefiningOp()
                     ? value.getDefiningOp()->getName().getStringRef().str()
                     : std::string("a loop")) +
                "'");
  return &it->second;
}

FailureOr<int64_t> TileLowering::bound(OpFoldResult size) {
  if (auto constant = getConstantIntValue(size))
    return *constant;
  FailureOr<int64_t> bound = boundOf(size);
  if (failed(bound))
    return fail("a size has no bound");
  return *bound;
}

FailureOr<Part> TileLowering::subplace(const Part &place,
                                       ArrayRef<OpFoldResult> offsets,
                                       ArrayRef<OpFoldResult> sizes,
                                       const llvm::SmallBitVector &dropped) {
  Part result;
  result.kind = Part::Place;
  result.buffer = place.buffer;
  result.offsets = place.offsets;
  result.current = place.current;
  FailureOr<SmallVector<OpFoldResult>> at = all(offsets), extent = all(sizes);
  if (failed(at) || failed(extent))
    return failure();
  for (auto [i, dim] : llvm::enumerate(place.dims)) {
    if (!isConstantIntValue((*at)[i], 0))
      result.offsets[dim] = add(place.offsets[dim], (*at)[i]);
    if (dropped.test(i))
      continue;
    result.dims.push_back(dim);
    result.sizes.push_back((*extent)[i]);
  }
  return result;
}

llvm::SmallBitVector infini::droppedDims(OffsetSizeAndStrideOpInterface op,
                                         int64_t smallRank) {
  SmallVector<OpFoldResult> sizes = op.getMixedSizes();
  llvm::SmallBitVector dropped(sizes.size());
  int64_t excess = sizes.size() - smallRank;
  for (unsigned i = 0; i < sizes.size() && excess > 0; ++i)
    if (isConstantIntValue(sizes[i], 1)) {
      dropped.set(i);
      --excess;
    }
  return dropped;
}

FailureOr<Part>
TileLowering::insertionPlace(OffsetSizeAndStrideOpInterface insert,
                             const Part &destination, int64_t sourceRank) {
  if (!insert.hasUnitStride())
    return fail("a slice has strides");
  return subplace(destination, insert.getMixedOffsets(), insert.getMixedSizes(),
                  droppedDims(insert, sourceRank));
}

FailureOr<Part> TileLowering::destinationOf(Value value) {
  Operation *user = nullptr;
  for (OpOperand &use : value.getUses()) {
    if (isa<tensor::DimOp>(use.getOwner()))
      continue;
    if (user)
      return fail("a result is used twice");
    user = use.getOwner();
  }
  if (!user)
    return fail("a result is not used");
  auto rank = cast<RankedTensorType>(value.getType()).getRank();
  if (auto materialize =
          dyn_cast<bufferization::MaterializeInDestinationOp>(user)) {
    FailureOr<Part *> place = part(materialize.getDest());
    if (failed(place))
      return failure();
    return **place;
  }
  if (auto cast = dyn_cast<tensor::CastOp>(user))
    return destinationOf(cast.getResult());
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(user)) {
    if (insert.getSource() != value)
      return destinationOf(insert.getResult());
    auto it = parts.find(insert.getDest());
    FailureOr<Part> place = it != parts.end() && it->second.kind == Part::Place
                                ? FailureOr<Part>(it->second)
                                : destinationOf(insert.getResult());
    if (failed(place))
      return failure();
    return insertionPlace(
        cast<OffsetSizeAndStrideOpInterface>(insert.getOperation()), *place,
        rank);
  }
  if (auto insert = dyn_cast<tensor::ParallelInsertSliceOp>(user)) {
    FailureOr<Part *> place = part(insert.getDest());
    if (failed(place))
      return failure();
    return insertionPlace(
        cast<OffsetSizeAndStrideOpInterface>(insert.getOperation()), **place,
        rank);
  }
  if (auto loop = dyn_cast<scf::ForOp>(user->getParentOp());
      loop && isa<scf::YieldOp>(user))
    for (auto [i, yielded] : llvm::enumerate(user->getOperands()))
      if (yielded == value)
        return destinationOf(loop.getResult(i));
  return fail("a result goes into '" + user->getName().getStringRef() + "'");
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

RankedTensorType TileLowering::tileType(ArrayRef<int64_t> shape, Type element) {
  SmallVector<int64_t> kept;
  for (int64_t size : shape)
    if (size != 1)
      kept.push_back(size);
  return RankedTensorType::get(kept, element);
}

Value TileLowering::splat(Value scalar, ArrayRef<int64_t> shape) {
  RankedTensorType type = tileType(shape, scalar.getType());
  Attribute constant;
  if (matchPattern(scalar, m_Constant(&constant)))
    return arith::ConstantOp::create(b, loc, type,
                                     DenseElementsAttr::get(type, constant));
  SmallVector<int64_t> axes =
      llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
  return tile::BroadcastOp::create(b, loc, type, scalar, axes);
}

FailureOr<SmallVector<int64_t>> TileLowering::naturalShape(const Part &part) {
  if (part.kind == Part::Tile)
    return part.shape;
  SmallVector<int64_t> shape;
  for (OpFoldResult size : part.sizes) {
    FailureOr<int64_t> limit = bound(size);
    if (failed(limit))
      return failure();
    // A dimension of size 1 is none of the tile's, and has no mask.
    if (*limit <= 1 && !isConstantIntValue(size, 1))
      return fail("a size may be 0");
    shape.push_back(*limit);
  }
  return shape;
}

namespace {
/// A tile's dimensions in a place, and how much of it is there: `valid` is
/// empty where all is.
struct TilePlace {
  SmallVector<int64_t> dims;
  SmallVector<OpFoldResult> valid;

  TilePlace(const Part &place, ArrayRef<int64_t> shape) {
    bool whole = true;
    for (auto [dim, size, extent] : llvm::zip(place.dims, place.sizes, shape)) {
      if (extent == 1)
        continue;
      dims.push_back(dim);
      valid.push_back(size);
      whole &= isConstantIntValue(size, extent);
    }
    if (whole)
      valid.clear();
  }
};
} // namespace

FailureOr<Value> TileLowering::tileOf(const Part &part, Type element,
                                      ArrayRef<int64_t> shape) {
  int64_t elements = 1;
  for (int64_t size : shape)
    if (llvm::MulOverflow(elements, size, elements) || elements > kMaxElements)
      return fail("a tile would have more than " + Twine(kMaxElements) +
                  " elements");
  switch (part.kind) {
  case Part::Tile:
    if (ArrayRef(part.shape) != shape)
      return fail("two tiles of one op differ in size");
    return part.tile;
  case Part::Uniform: {
    Value number = part.scalar;
    if (!number) {
      TypedAttr zero = b.getZeroAttr(element);
      number = arith::ConstantOp::create(b, loc, zero);
    }
    return splat(number, shape);
  }
  case Part::Place:
    break;
  }
  if (!part.current && dirty.contains(part.buffer))
    return fail("a buffer is read after it was written");
  TilePlace at(part, shape);
  return tile::LoadOp::create(b, loc, tileType(shape, element), part.buffer,
                              part.offsets, at.dims, at.valid)
      .getResult();
}

LogicalResult TileLowering::store(Value value, const Part &source,
                                  const Part &place) {
  if (inPlace.contains(value)) {
    if (isSamePlace(source, place))
      return success();
    return fail("a result lies elsewhere than it is to be put");
  }
  Type element = getElementTypeOrSelf(value.getType());
  FailureOr<SmallVector<int64_t>> shape =
      naturalShape(source.kind == Part::Uniform ? place : source);
  if (failed(shape))
    return failure();
  FailureOr<Value> tile = tileOf(source, element, *shape);
  if (failed(tile))
    return failure();
  TilePlace at(place, *shape);
  tile::StoreOp::create(b, loc, *tile, place.buffer, place.offsets, at.dims,
                        at.valid);
  dirty.insert(place.buffer);
  return success();
}

bool TileLowering::isSameNumber(OpFoldResult x, OpFoldResult y) {
  if (isEqualConstantIntOrValue(x, y))
    return true;
  auto definition = [](OpFoldResult number) {
    auto value = dyn_cast<Value>(number);
    return value ? value.getDefiningOp<affine::AffineApplyOp>()
                 : affine::AffineApplyOp();
  };
  affine::AffineApplyOp a = definition(x), c = definition(y);
  return a && c && a.getAffineMap() == c.getAffineMap() &&
         llvm::all_of(llvm::zip(a.getMapOperands(), c.getMapOperands()),
                      [](auto pair) {
                        return isSameNumber(OpFoldResult(std::get<0>(pair)),
                                            OpFoldResult(std::get<1>(pair)));
                      });
}

/// Makes the place hold what a loop or insertion starts from.
LogicalResult TileLowering::initialize(Value value, const Part &place) {
  FailureOr<Part *> start = part(value);
  if (failed(start))
    return failure();
  Part init = **start;
  bool undefined = init.kind == Part::Uniform && !init.scalar;
  if (undefined || (init.kind == Part::Place && isSamePlace(init, place)))
    return success();
  return store(value, init, place);
}

Value TileLowering::mask(Value tile, int64_t axis, OpFoldResult size,
                         double neutral) {
  auto type = cast<RankedTensorType>(tile.getType());
  auto indices = RankedTensorType::get(type.getShape(), b.getIndexType());
  Value position = tile::IndexOp::create(b, loc, indices, axis);
  SmallVector<int64_t> axes =
      llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
  Value limit = tile::BroadcastOp::create(b, loc, indices, index(size), axes);
  Value inside =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, position, limit);
  Value other = arith::ConstantOp::create(
      b, loc, type,
      DenseElementsAttr::get(type,
                             b.getFloatAttr(type.getElementType(), neutral)));
  return arith::SelectOp::create(b, loc, inside, tile, other);
}
