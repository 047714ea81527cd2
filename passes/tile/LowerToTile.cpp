// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel on tensors becomes a tile program: its arguments buffers, slices of
// them loads and stores, and everything between tiles of static size. A size
// that is only bounded (the last block of tokens) is padded to its bound; loads
// and stores are masked, and so is what a sum or maximum runs over.

#include "infini/dialect/program/ProgramOps.h"
#include "infini/dialect/tile/TileOps.h"
#include "infini/passes/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"
#include "llvm/ADT/TypeSwitch.h"

namespace infini {
#define GEN_PASS_DEF_INFINILOWERTOTILE
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

/// Larger tiles are refused: what has so many elements is no tile.
static constexpr int64_t kMaxElements = 1 << 20;
static constexpr int64_t kMaxReduced = 1 << 15;

namespace {

/// What a tensor of the old kernel is in the new one: a part of a buffer, a
/// tile, or the same number everywhere.
struct Part {
  enum Kind { Place, Tile, Uniform } kind = Uniform;
  /// The old tensor's sizes.
  SmallVector<OpFoldResult> sizes;
  /// Place: the buffer's dimension along which each of the tensor's runs.
  Value buffer;
  SmallVector<OpFoldResult> offsets;
  SmallVector<int64_t> dims;
  /// Whether what was stored into the buffer so far is part of the value.
  bool current = false;
  /// Tile: its size along each dimension of the tensor. Those of size 1 are no
  /// dimensions of the tile.
  Value tile;
  SmallVector<int64_t> shape;
  /// Whether elements behind `sizes` are zero.
  bool zeroPadded = false;
  /// Uniform: the number; null where it is of no account.
  Value scalar;
};

class TileLowering {
public:
  TileLowering(func::FuncOp function, IRRewriter &rewriter)
      : old(function), b(rewriter), loc(function.getLoc()) {}

  /// Makes the tile program beside the old function, or returns null and
  /// says why not.
  func::FuncOp run();
  StringRef getReason() const { return reason; }

private:
  LogicalResult fail(const Twine &why) {
    if (reason.empty())
      reason = why.str();
    return failure();
  }
  OpFoldResult add(OpFoldResult x, OpFoldResult y) {
    AffineExpr d0, d1;
    bindDims(b.getContext(), d0, d1);
    return affine::makeComposedFoldedAffineApply(b, loc, d0 + d1, {x, y});
  }
  Value index(OpFoldResult value) {
    return getValueOrCreateConstantIndexOp(b, loc, value);
  }

  /// A number of the old kernel in the new one.
  FailureOr<Value> scalar(Value value);
  FailureOr<OpFoldResult> size(OpFoldResult value);
  FailureOr<SmallVector<OpFoldResult>> all(ArrayRef<OpFoldResult> values);
  FailureOr<Part *> part(Value value);
  /// The smallest constant that a size does not exceed.
  FailureOr<int64_t> bound(OpFoldResult size);

  /// The part of a place that a slice is.
  FailureOr<Part> subplace(const Part &place, ArrayRef<OpFoldResult> offsets,
                           ArrayRef<OpFoldResult> sizes,
                           const llvm::SmallBitVector &dropped);
  /// Where the value's contents are to be written.
  FailureOr<Part> destinationOf(Value value);
  FailureOr<Part> insertionPlace(OffsetSizeAndStrideOpInterface insert,
                                 const Part &destination, int64_t sourceRank);

  /// A tile of the value, `shape` along its dimensions.
  FailureOr<Value> tileOf(const Part &part, Type element,
                          ArrayRef<int64_t> shape);
  FailureOr<SmallVector<int64_t>> naturalShape(const Part &part);
  LogicalResult store(Value value, const Part &source, const Part &place);
  LogicalResult initialize(Value value, const Part &place);
  static bool isSamePlace(const Part &x, const Part &y) {
    return x.kind == Part::Place && x.buffer == y.buffer && x.dims == y.dims &&
           llvm::all_of(llvm::zip(x.offsets, y.offsets), [](auto pair) {
             return isSameNumber(std::get<0>(pair), std::get<1>(pair));
           });
  }
  /// Whether two numbers are the same by how they are computed.
  static bool isSameNumber(OpFoldResult x, OpFoldResult y);
  Value splat(Value scalar, ArrayRef<int64_t> shape);
  RankedTensorType tileType(ArrayRef<int64_t> shape, Type element);
  /// `tile` where all elements along `axis` at or behind `size` are `neutral`.
  Value mask(Value tile, int64_t axis, OpFoldResult size, double neutral);

  LogicalResult convertBlock(Block &block);
  LogicalResult convert(Operation &op);
  LogicalResult convertForall(scf::ForallOp op);
  LogicalResult convertFor(scf::ForOp op);
  LogicalResult convertExtract(tensor::ExtractSliceOp op);
  LogicalResult convertInsert(tensor::InsertSliceOp op);
  LogicalResult convertReshape(Operation *op, ArrayRef<ReassociationIndices>,
                               bool expands);

  // linalg
  struct Loops {
    SmallVector<OpFoldResult> sizes;
    SmallVector<int64_t> shape;
    SmallVector<utils::IteratorType> iterators;
    /// The tile's axis of a loop, or -1.
    SmallVector<int64_t> axis;
    SmallVector<int64_t> kept;
  };
  LogicalResult convertLinalg(linalg::LinalgOp op);
  FailureOr<Loops> loopsOf(linalg::LinalgOp op);
  /// An operand as a tile whose axes are those of its map.
  FailureOr<Value> operandTile(OpOperand &operand, const Loops &loops);
  /// An operand as a tile over all kept loops, or as a number.
  FailureOr<Value> aligned(OpOperand &operand, const Loops &loops);
  static SmallVector<int64_t> loopShape(const Loops &loops) {
    SmallVector<int64_t> shape;
    for (int64_t loop : loops.kept)
      shape.push_back(loops.shape[loop]);
    return shape;
  }
  /// A tile over all kept loops.
  static RankedTensorType loopType(const Loops &loops, Type element) {
    return RankedTensorType::get(loopShape(loops), element);
  }
  /// A value of the body, over all kept loops (or a number).
  FailureOr<Value> bodyValue(Value value, linalg::LinalgOp op,
                             const Loops &loops, IRMapping &values);
  Value overLoops(Value value, const Loops &loops);
  Value indexTile(AffineExpr expr, ValueRange dims, ValueRange symbols,
                  const Loops &loops);
  LogicalResult setResult(linalg::LinalgOp op, unsigned number, Value tile,
                          const Loops &loops);
  static Loops inReadingOrder(linalg::LinalgOp op, Loops loops);
  LogicalResult convertReduction(linalg::LinalgOp op, const Loops &given);
  FailureOr<Value> convertProduct(linalg::LinalgOp op, Value factor,
                                  const Loops &loops);

  func::FuncOp old;
  IRRewriter &b;
  Location loc;
  IRMapping scalars;
  llvm::DenseMap<Value, Part> parts;
  /// Values that were computed where they are to be put.
  llvm::DenseSet<Value> inPlace;
  /// Buffers into which something was stored.
  llvm::DenseSet<Value> dirty;
  std::string reason;
};

} // namespace

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
  FailureOr<int64_t> bound = ValueBoundsConstraintSet::computeConstantBound(
      presburger::BoundType::UB, ValueBoundsConstraintSet::Variable(size),
      /*stopCondition=*/nullptr, /*closedUB=*/true);
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

/// The dimensions of an insertion's destination that its source lacks.
static llvm::SmallBitVector
droppedDims(OffsetSizeAndStrideOpInterface op, int64_t smallRank) {
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
    FailureOr<Part> place =
        it != parts.end() && it->second.kind == Part::Place
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
    return arith::ConstantOp::create(
        b, loc, type, DenseElementsAttr::get(type, constant));
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

FailureOr<Value> TileLowering::tileOf(const Part &part, Type element,
                                      ArrayRef<int64_t> shape) {
  int64_t elements = 1;
  for (int64_t size : shape)
    if (llvm::MulOverflow(elements, size, elements) ||
        elements > kMaxElements)
      return fail("a tile would have more than " +
                  Twine(kMaxElements) + " elements");
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
  SmallVector<int64_t> dims;
  SmallVector<OpFoldResult> valid;
  bool whole = true;
  for (auto [dim, size, extent] : llvm::zip(part.dims, part.sizes, shape)) {
    if (extent == 1)
      continue;
    dims.push_back(dim);
    valid.push_back(size);
    whole &= isConstantIntValue(size, extent);
  }
  if (whole)
    valid.clear();
  return tile::LoadOp::create(b, loc, tileType(shape, element), part.buffer,
                              part.offsets, dims, valid)
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
  SmallVector<int64_t> dims;
  SmallVector<OpFoldResult> valid;
  bool whole = true;
  for (auto [dim, size, extent] : llvm::zip(place.dims, place.sizes, *shape)) {
    if (extent == 1)
      continue;
    dims.push_back(dim);
    valid.push_back(size);
    whole &= isConstantIntValue(size, extent);
  }
  if (whole)
    valid.clear();
  tile::StoreOp::create(b, loc, *tile, place.buffer, place.offsets, dims,
                        valid);
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
  Value limit =
      tile::BroadcastOp::create(b, loc, indices, index(size), axes);
  Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                       position, limit);
  Value other = arith::ConstantOp::create(
      b, loc, type,
      DenseElementsAttr::get(type,
                             b.getFloatAttr(type.getElementType(), neutral)));
  return arith::SelectOp::create(b, loc, inside, tile, other);
}

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
      if (failed(place) ||
          failed(store(insert.getSource(), **source, *place)))
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

/// Whether the loop only hands on a tensor into which its body inserts.
static bool isInsertedInto(Value carried) {
  return llvm::any_of(carried.getUsers(), [&](Operation *user) {
    auto insert = dyn_cast<tensor::InsertSliceOp>(user);
    return insert && insert.getDest() == carried;
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
  for (auto [value, argument, result] : llvm::zip(
           op.getInitArgs(), op.getRegionIterArgs(), op.getResults())) {
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
      SmallVector<OpFoldResult> extents = getAsIndexOpFoldResult(
          b.getContext(), shape);
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
      if (!source.zeroPadded || neutral != 0)
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
LogicalResult
TileLowering::convertReshape(Operation *op,
                             ArrayRef<ReassociationIndices> groups,
                             bool expands) {
  FailureOr<Part *> found = part(op->getOperand(0));
  if (failed(found))
    return failure();
  Part source = **found;
  auto buffer = source.kind == Part::Place
                    ? dyn_cast<BlockArgument>(source.buffer)
                    : BlockArgument();
  if (!buffer || !llvm::all_of(source.offsets, [](OpFoldResult offset) {
        return isConstantIntValue(offset, 0);
      }) || source.dims.size() != source.offsets.size())
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
    result.buffer = memref::CollapseShapeOp::create(b, loc, memref,
                                                    source.buffer, groups);
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
// linalg
//===----------------------------------------------------------------------===//

/// Whether each dimension runs along a loop of its own, or stands at 0.
static bool readsInOrder(AffineMap map) {
  llvm::SmallBitVector seen(map.getNumDims());
  for (AffineExpr expr : map.getResults()) {
    if (auto constant = dyn_cast<AffineConstantExpr>(expr);
        constant && constant.getValue() == 0)
      continue;
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim || seen.test(dim.getPosition()))
      return false;
    seen.set(dim.getPosition());
  }
  return map.getNumSymbols() == 0;
}

FailureOr<TileLowering::Loops> TileLowering::loopsOf(linalg::LinalgOp op) {
  Loops loops;
  loops.iterators = op.getIteratorTypesArray();
  loops.sizes.resize(op.getNumLoops());
  loops.shape.assign(op.getNumLoops(), 0);
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.get().getType());
    if (!type)
      continue;
    FailureOr<Part *> known = part(operand.get());
    if (failed(known))
      return failure();
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (!readsInOrder(map))
      return fail("an operand's elements are not read in order");
    for (auto [i, expr] : llvm::enumerate(map.getResults())) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim)
        continue;
      unsigned loop = dim.getPosition();
      OpFoldResult size = (*known)->sizes[i];
      if (!loops.sizes[loop] || (getConstantIntValue(size) &&
                                 !getConstantIntValue(loops.sizes[loop])))
        loops.sizes[loop] = size;
      if ((*known)->kind == Part::Tile)
        loops.shape[loop] = (*known)->shape[i];
    }
  }
  for (auto [i, size] : llvm::enumerate(loops.sizes)) {
    if (!size)
      return fail("a loop has no operand");
    if (!loops.shape[i]) {
      FailureOr<int64_t> limit = bound(size);
      if (failed(limit))
        return failure();
      if (*limit <= 1 && !isConstantIntValue(size, 1))
        return fail("a size may be 0");
      loops.shape[i] = *limit;
    }
    loops.axis.push_back(loops.shape[i] == 1 ? -1 : loops.kept.size());
    if (loops.shape[i] != 1)
      loops.kept.push_back(i);
  }
  return loops;
}

FailureOr<Value> TileLowering::operandTile(OpOperand &operand,
                                           const Loops &loops) {
  auto op = cast<linalg::LinalgOp>(operand.getOwner());
  SmallVector<int64_t> shape;
  for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    shape.push_back(dim ? loops.shape[dim.getPosition()] : 1);
  }
  FailureOr<Part *> known = part(operand.get());
  if (failed(known))
    return failure();
  return tileOf(**known, getElementTypeOrSelf(operand.get().getType()), shape);
}

FailureOr<Value> TileLowering::aligned(OpOperand &operand, const Loops &loops) {
  auto op = cast<linalg::LinalgOp>(operand.getOwner());
  if (!isa<RankedTensorType>(operand.get().getType()))
    return scalar(operand.get());
  FailureOr<Part *> known = part(operand.get());
  if (failed(known))
    return failure();
  if ((*known)->kind == Part::Uniform && (*known)->scalar)
    return (*known)->scalar;
  FailureOr<Value> tile = operandTile(operand, loops);
  if (failed(tile))
    return failure();
  // The axes in the loops' order, then those that are missing.
  SmallVector<int64_t> axes;
  for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults())
    if (auto dim = dyn_cast<AffineDimExpr>(expr);
        dim && loops.axis[dim.getPosition()] >= 0)
      axes.push_back(loops.axis[dim.getPosition()]);
  Value value = *tile;
  Type element = getElementTypeOrSelf(value.getType());
  if (!llvm::is_sorted(axes)) {
    SmallVector<int64_t> order =
      llvm::to_vector(llvm::seq<int64_t>(0, axes.size()));
    llvm::sort(order, [&](int64_t x, int64_t y) { return axes[x] < axes[y]; });
    SmallVector<int64_t> shape;
    for (int64_t axis : order)
      shape.push_back(loops.shape[loops.kept[axes[axis]]]);
    value = tile::TransposeOp::create(
        b, loc, RankedTensorType::get(shape, element), value, order);
    llvm::sort(axes);
  }
  SmallVector<int64_t> missing;
  for (int64_t i = 0; i < static_cast<int64_t>(loops.kept.size()); ++i)
    if (!llvm::is_contained(axes, i))
      missing.push_back(i);
  if (missing.empty())
    return value;
  return tile::BroadcastOp::create(b, loc, loopType(loops, element),
                                   value, missing)
      .getResult();
}

Value TileLowering::overLoops(Value value, const Loops &loops) {
  return isa<RankedTensorType>(value.getType()) ? value
                                                : splat(value, loopShape(loops));
}

/// A sum of positions times constants, over all kept loops; null for others.
Value TileLowering::indexTile(AffineExpr expr, ValueRange dims,
                              ValueRange symbols, const Loops &loops) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return overLoops(dims[dim.getPosition()], loops);
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return overLoops(symbols[symbol.getPosition()], loops);
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return overLoops(
        arith::ConstantIndexOp::create(b, loc, constant.getValue()), loops);
  auto binary = cast<AffineBinaryOpExpr>(expr);
  bool isSum = expr.getKind() == AffineExprKind::Add;
  if (!isSum && expr.getKind() != AffineExprKind::Mul)
    return {};
  Value left = indexTile(binary.getLHS(), dims, symbols, loops),
        right = indexTile(binary.getRHS(), dims, symbols, loops);
  if (!left || !right)
    return {};
  if (isSum)
    return arith::AddIOp::create(b, loc, left, right);
  return arith::MulIOp::create(b, loc, left, right);
}

FailureOr<Value> TileLowering::bodyValue(Value value, linalg::LinalgOp op,
                                         const Loops &loops,
                                         IRMapping &values) {
  if (Value known = values.lookupOrNull(value))
    return known;
  Value made;
  if (auto argument = dyn_cast<BlockArgument>(value);
      argument && argument.getOwner() == op.getBlock()) {
    FailureOr<Value> tile =
        aligned(op->getOpOperand(argument.getArgNumber()), loops);
    if (failed(tile))
      return failure();
    made = *tile;
  } else if (value.getParentBlock() != op.getBlock()) {
    FailureOr<Value> number = scalar(value);
    if (failed(number))
      return failure();
    made = *number;
  } else if (auto position = value.getDefiningOp<linalg::IndexOp>()) {
    int64_t axis = loops.axis[position.getDim()];
    if (axis < 0)
      made = arith::ConstantIndexOp::create(b, loc, 0);
    else
      made = tile::IndexOp::create(b, loc,
                                   loopType(loops, b.getIndexType()),
                                   axis);
  } else if (auto apply = value.getDefiningOp<affine::AffineApplyOp>()) {
    SmallVector<Value> operands;
    for (Value operand : apply.getMapOperands()) {
      FailureOr<Value> known = bodyValue(operand, op, loops, values);
      if (failed(known))
        return failure();
      operands.push_back(*known);
    }
    AffineMap map = apply.getAffineMap();
    made = indexTile(map.getResult(0), ArrayRef(operands).take_front(map.getNumDims()),
                     ArrayRef(operands).drop_front(map.getNumDims()), loops);
    if (!made)
      return fail("a position is no sum");
  } else {
    Operation *def = value.getDefiningOp();
    bool isConstant = def->hasTrait<OpTrait::ConstantLike>();
    if (!isConstant && !OpTrait::hasElementwiseMappableTraits(def))
      return fail("'" + def->getName().getStringRef() +
                  "' is not element-wise");
    SmallVector<Value> operands;
    bool tiles = false;
    for (Value operand : def->getOperands()) {
      FailureOr<Value> known = bodyValue(operand, op, loops, values);
      if (failed(known))
        return failure();
      operands.push_back(*known);
      tiles |= isa<RankedTensorType>(known->getType());
    }
    SmallVector<Type> types;
    for (Type type : def->getResultTypes())
      types.push_back(tiles ? Type(loopType(loops, type)) : type);
    if (tiles)
      for (Value &operand : operands)
        operand = overLoops(operand, loops);
    Operation *copy =
        b.create(loc, def->getName().getIdentifier(), operands, types,
                 def->getAttrs());
    for (auto [from, to] : llvm::zip(def->getResults(), copy->getResults()))
      values.map(from, to);
    return values.lookup(value);
  }
  values.map(value, made);
  return made;
}

/// `tile` has the axes of the result's map; it becomes the result.
LogicalResult TileLowering::setResult(linalg::LinalgOp op, unsigned number,
                                      Value tile, const Loops &loops) {
  Part result;
  result.kind = Part::Tile;
  result.tile = tile;
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(number));
  for (AffineExpr expr : map.getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim)
      return fail("a result has a dimension without a loop");
    result.sizes.push_back(loops.sizes[dim.getPosition()]);
    result.shape.push_back(loops.shape[dim.getPosition()]);
  }
  parts[op->getResult(number)] = result;
  return success();
}

LogicalResult TileLowering::convertLinalg(linalg::LinalgOp op) {
  if (!op.hasPureTensorSemantics())
    return fail("an op works on buffers");
  if (auto fill = dyn_cast<linalg::FillOp>(op.getOperation())) {
    FailureOr<Value> number = scalar(fill.getInputs()[0]);
    FailureOr<Part *> out = part(fill.getOutputs()[0]);
    if (failed(number) || failed(out))
      return failure();
    Part result;
    result.sizes = (*out)->sizes;
    result.scalar = *number;
    parts[fill.getResult(0)] = result;
    return success();
  }
  FailureOr<Loops> loops = loopsOf(op);
  if (failed(loops))
    return failure();
  if (op.getNumReductionLoops())
    return convertReduction(op, *loops);
  IRMapping values;
  for (auto [i, yielded] :
       llvm::enumerate(op.getBlock()->getTerminator()->getOperands())) {
    FailureOr<Value> value = bodyValue(yielded, op, *loops, values);
    if (failed(value))
      return failure();
    Value tile = overLoops(*value, *loops);
    // The result's axes are those of its map.
    SmallVector<int64_t> axes;
    AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(i));
    for (AffineExpr expr : map.getResults())
      if (auto dim = dyn_cast<AffineDimExpr>(expr);
          dim && loops->axis[dim.getPosition()] >= 0)
        axes.push_back(loops->axis[dim.getPosition()]);
    if (axes.size() != loops->kept.size())
      return fail("a result lacks a loop");
    if (!llvm::is_sorted(axes)) {
      SmallVector<int64_t> shape;
      for (int64_t axis : axes)
        shape.push_back(loops->shape[loops->kept[axis]]);
      tile = tile::TransposeOp::create(
          b, loc,
          RankedTensorType::get(shape, getElementTypeOrSelf(tile.getType())),
          tile, axes);
    }
    if (failed(setResult(op, i, tile, *loops)))
      return failure();
  }
  return success();
}

/// How a reduction's body combines the accumulator with a new value.
static std::optional<std::pair<tile::Reduction, Value>>
matchCombiner(linalg::LinalgOp op) {
  if (op.getNumDpsInits() != 1)
    return std::nullopt;
  Value accumulator = op.getBlock()->getArguments().back();
  Operation *combiner =
      op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
  if (!combiner)
    return std::nullopt;
  // The larger, where NaN does not count.
  if (auto select = dyn_cast<arith::SelectOp>(combiner)) {
    auto compare = select.getCondition().getDefiningOp<arith::CmpFOp>();
    if (!compare || compare.getPredicate() != arith::CmpFPredicate::OGT ||
        compare.getLhs() != select.getTrueValue() ||
        compare.getRhs() != select.getFalseValue() ||
        select.getFalseValue() != accumulator ||
        llvm::any_of(accumulator.getUsers(), [&](Operation *user) {
          return user != compare && user != select;
        }))
      return std::nullopt;
    return std::pair(tile::Reduction::MaxNum, select.getTrueValue());
  }
  if (combiner->getNumOperands() != 2 || !accumulator.hasOneUse())
    return std::nullopt;
  Value value;
  if (combiner->getOperand(0) == accumulator)
    value = combiner->getOperand(1);
  else if (combiner->getOperand(1) == accumulator)
    value = combiner->getOperand(0);
  else
    return std::nullopt;
  using tile::Reduction;
  std::optional<Reduction> kind =
      llvm::TypeSwitch<Operation *, std::optional<Reduction>>(combiner)
          .Case([](arith::AddFOp) { return Reduction::Sum; })
          .Case([](arith::MulFOp) { return Reduction::Product; })
          .Case([](arith::MaximumFOp) { return Reduction::Maximum; })
          .Case([](arith::MaxNumFOp) { return Reduction::MaxNum; })
          .Case([](arith::MinimumFOp) { return Reduction::Minimum; })
          .Case([](arith::MinNumFOp) { return Reduction::MinNum; })
          .Default(std::optional<Reduction>());
  if (!kind)
    return std::nullopt;
  return std::pair(*kind, value);
}

static double neutralOf(tile::Reduction kind) {
  switch (kind) {
  case tile::Reduction::Sum:
    return 0;
  case tile::Reduction::Product:
    return 1;
  case tile::Reduction::Maximum:
  case tile::Reduction::MaxNum:
    return -INFINITY;
  case tile::Reduction::Minimum:
  case tile::Reduction::MinNum:
    return INFINITY;
  }
  llvm_unreachable("all kinds of reduction are handled");
}

/// acc + Σ a · b over one loop as tile.dot; null where it has another form.
FailureOr<Value> TileLowering::convertProduct(linalg::LinalgOp op, Value factor,
                                              const Loops &loops) {
  auto multiply = factor.getDefiningOp<arith::MulFOp>();
  if (!multiply || op.getNumDpsInputs() != 2 ||
      factor.getType().getIntOrFloatBitWidth() < 32)
    return Value();
  auto widened = [](Value value) {
    auto extend = value.getDefiningOp<arith::ExtFOp>();
    return extend ? extend.getIn() : value;
  };
  auto x = dyn_cast<BlockArgument>(widened(multiply.getLhs())),
       y = dyn_cast<BlockArgument>(widened(multiply.getRhs()));
  if (!x || !y || x == y || x.getOwner() != op.getBlock() ||
      y.getOwner() != op.getBlock() ||
      x.getArgNumber() > 1 || y.getArgNumber() > 1)
    return Value();
  OpOperand *operands[2] = {&op->getOpOperand(x.getArgNumber()),
                            &op->getOpOperand(y.getArgNumber())};
  auto keptOf = [&](OpOperand &operand) {
    SmallVector<int64_t> kept;
    for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults())
      if (auto dim = dyn_cast<AffineDimExpr>(expr);
          dim && loops.axis[dim.getPosition()] >= 0)
        kept.push_back(dim.getPosition());
    return kept;
  };
  SmallVector<int64_t> out = keptOf(*op.getDpsInitOperand(0));
  // The first factor has the result's first axis.
  if (!out.empty() && !llvm::is_contained(keptOf(*operands[0]), out[0]))
    std::swap(operands[0], operands[1]);
  SmallVector<int64_t> a = keptOf(*operands[0]), c = keptOf(*operands[1]);
  SmallVector<int64_t> depth;
  for (int64_t loop : loops.kept)
    if (loops.iterators[loop] == utils::IteratorType::reduction)
      depth.push_back(loop);
  auto has = [](ArrayRef<int64_t> list, int64_t loop) {
    return llvm::is_contained(list, loop);
  };
  if (depth.size() != 1 || !has(a, depth[0]) || !has(c, depth[0]) ||
      a.size() > 2 || c.size() > 2 || a.size() + c.size() != out.size() + 2 ||
      out.empty() || !llvm::all_of(out, [&](int64_t loop) {
        return has(a, loop) != has(c, loop);
      }))
    return Value();
  Value tiles[2];
  for (unsigned i = 0; i < 2; ++i) {
    FailureOr<Value> tile = operandTile(*operands[i], loops);
    FailureOr<Part *> known = part(operands[i]->get());
    if (failed(tile) || failed(known))
      return failure();
    tiles[i] = *tile;
    ArrayRef<int64_t> kept = i == 0 ? a : c;
    bool padded = (*known)->kind == Part::Place || (*known)->zeroPadded;
    if (!isConstantIntValue(loops.sizes[depth[0]], loops.shape[depth[0]]) &&
        !padded)
      tiles[i] = mask(tiles[i], llvm::find(kept, depth[0]) - kept.begin(),
                      loops.sizes[depth[0]], 0);
  }
  FailureOr<Value> acc = operandTile(*op.getDpsInitOperand(0), loops);
  if (failed(acc))
    return failure();
  // Factors of two types are widened: a product is of one.
  if (x.getType() != y.getType())
    for (Value &tile : tiles) {
      auto type = cast<RankedTensorType>(tile.getType());
      Type element = getElementTypeOrSelf(acc->getType());
      if (type.getElementType() != element)
        tile = arith::ExtFOp::create(b, loc, type.clone(element), tile);
    }
  bool transposeA = a.size() == 2 && a[0] == depth[0];
  bool transposeB = c.size() == 2 && c[1] == depth[0];
  return tile::DotOp::create(b, loc, acc->getType(), tiles[0], tiles[1], *acc,
                             transposeA, transposeB)
      .getResult();
}

/// The loops in the order in which an input is read, if it has all of them and
/// the result keeps its order: that spares a transposition.
TileLowering::Loops TileLowering::inReadingOrder(linalg::LinalgOp op,
                                                 Loops loops) {
  auto keptOf = [&](OpOperand &operand, bool parallelOnly) {
    SmallVector<int64_t> kept;
    for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults())
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        if (loops.axis[dim.getPosition()] >= 0 &&
            (!parallelOnly || loops.iterators[dim.getPosition()] ==
                                  utils::IteratorType::parallel))
          kept.push_back(dim.getPosition());
    return kept;
  };
  for (OpOperand *input : op.getDpsInputOperands()) {
    SmallVector<int64_t> kept = keptOf(*input, false);
    if (kept.size() != loops.kept.size() ||
        keptOf(*input, true) != keptOf(*op.getDpsInitOperand(0), false))
      continue;
    loops.kept = kept;
    for (auto [axis, loop] : llvm::enumerate(kept))
      loops.axis[loop] = axis;
    break;
  }
  return loops;
}

LogicalResult TileLowering::convertReduction(linalg::LinalgOp op,
                                             const Loops &given) {
  Loops loops = inReadingOrder(op, given);
  auto combiner = matchCombiner(op);
  if (!combiner)
    return fail("a reduction is none that tiles know");
  auto [kind, source] = *combiner;
  if (!isa<FloatType>(source.getType()))
    return fail("a reduction is of integers");
  if (kind == tile::Reduction::Sum) {
    FailureOr<Value> product = convertProduct(op, source, loops);
    if (failed(product))
      return failure();
    if (*product)
      return setResult(op, 0, *product, loops);
  }
  // What is no product of tiles has all its elements at once.
  int64_t elements = 1;
  for (int64_t size : loops.shape)
    elements = llvm::SaturatingMultiply<uint64_t>(elements, size);
  if (loops.kept.size() > 2 && elements > kMaxReduced)
    return fail("a sum is over too many elements for one tile");
  IRMapping values;
  FailureOr<Value> value = bodyValue(source, op, loops, values);
  FailureOr<Value> init = operandTile(*op.getDpsInitOperand(0), loops);
  if (failed(value) || failed(init))
    return failure();
  Value tile = overLoops(*value, loops);
  SmallVector<int64_t> reduced, rest;
  for (auto [axis, loop] : llvm::enumerate(loops.kept)) {
    if (loops.iterators[loop] == utils::IteratorType::parallel) {
      rest.push_back(loop);
      continue;
    }
    reduced.push_back(axis);
    if (!isConstantIntValue(loops.sizes[loop], loops.shape[loop]))
      tile = mask(tile, axis, loops.sizes[loop], neutralOf(kind));
  }
  // The result's axes, in the order of the loops.
  SmallVector<int64_t> out;
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  for (AffineExpr expr : map.getResults())
    if (auto dim = dyn_cast<AffineDimExpr>(expr);
        dim && loops.axis[dim.getPosition()] >= 0)
      out.push_back(dim.getPosition());
  if (out != rest)
    return fail("a reduction's result is transposed");
  if (reduced.empty()) {
    // Over loops of one iteration: combined once.
    Operation *def =
        op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
    if (isa<arith::SelectOp>(def))
      return fail("a maximum over one element");
    Operation *copy = b.create(loc, def->getName().getIdentifier(),
                               {*init, tile}, {init->getType()},
                               def->getAttrs());
    return setResult(op, 0, copy->getResult(0), loops);
  }
  for (int64_t axis : llvm::reverse(reduced)) {
    auto type = cast<RankedTensorType>(tile.getType());
    SmallVector<int64_t> shape(type.getShape());
    shape.erase(shape.begin() + axis);
    Value start = *init;
    if (axis != reduced.front()) {
      auto inner = RankedTensorType::get(shape, type.getElementType());
      start = arith::ConstantOp::create(
          b, loc, inner,
          DenseElementsAttr::get(inner, b.getFloatAttr(type.getElementType(),
                                                       neutralOf(kind))));
    }
    tile = tile::ReduceOp::create(b, loc, start.getType(), kind, tile, start,
                                  axis);
  }
  return setResult(op, 0, tile, loops);
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
  if (op.getNumResults() && !llvm::any_of(op.getResultTypes(),
                                          llvm::IsaPred<TensorType>)) {
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
  auto function = func::FuncOp::create(b, loc, old.getName(),
                                       b.getFunctionType(types, {}));
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
