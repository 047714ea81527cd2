// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// linalg on tensors to ops on tiles: element-wise bodies, products, reductions.

#include "infini/passes/tile/TileLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

using namespace mlir;
using namespace infini;

/// Elements of a sum that is no product, all at once.
static constexpr int64_t kMaxReduced = 1 << 15;

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
  return tile::BroadcastOp::create(b, loc, loopType(loops, element), value,
                                   missing)
      .getResult();
}

Value TileLowering::overLoops(Value value, const Loops &loops) {
  return isa<RankedTensorType>(value.getType())
             ? value
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

/// Elements of a whole buffer by their positions.
FailureOr<Value> TileLowering::gather(tensor::ExtractOp extract,
                                      linalg::LinalgOp op, const Loops &loops,
                                      IRMapping &values) {
  FailureOr<Part *> found = part(extract.getTensor());
  if (failed(found))
    return failure();
  Part source = **found;
  if (source.kind != Part::Place || !isa<BlockArgument>(source.buffer) ||
      !llvm::equal(source.dims, llvm::seq<int64_t>(0, source.offsets.size())) ||
      !llvm::all_of(source.offsets, [](OpFoldResult offset) {
        return isConstantIntValue(offset, 0);
      }))
    return fail("elements are taken out of a part of a buffer");
  if (dirty.contains(source.buffer))
    return fail("a buffer is read after it was written");
  SmallVector<Value> indices;
  for (Value index : extract.getIndices()) {
    FailureOr<Value> known = bodyValue(index, op, loops, values);
    if (failed(known))
      return failure();
    indices.push_back(*known);
  }
  return tile::GatherOp::create(b, loc, loopType(loops, extract.getType()),
                                source.buffer, indices)
      .getResult();
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
      made = tile::IndexOp::create(b, loc, loopType(loops, b.getIndexType()),
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
    made = indexTile(map.getResult(0),
                     ArrayRef(operands).take_front(map.getNumDims()),
                     ArrayRef(operands).drop_front(map.getNumDims()), loops);
    if (!made)
      return fail("a position is no sum");
  } else if (auto extract = value.getDefiningOp<tensor::ExtractOp>()) {
    FailureOr<Value> gathered = gather(extract, op, loops, values);
    if (failed(gathered))
      return failure();
    made = *gathered;
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
    Operation *copy = b.create(loc, def->getName().getIdentifier(), operands,
                               types, def->getAttrs());
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
  if (!multiply || op.getNumDpsInputs() != 2)
    return Value();
  auto widened = [](Value value) {
    auto extend = value.getDefiningOp<arith::ExtFOp>();
    return extend ? extend.getIn() : value;
  };
  auto x = dyn_cast<BlockArgument>(widened(multiply.getLhs())),
       y = dyn_cast<BlockArgument>(widened(multiply.getRhs()));
  if (!x || !y || x == y || x.getOwner() != op.getBlock() ||
      y.getOwner() != op.getBlock() || x.getArgNumber() > 1 ||
      y.getArgNumber() > 1)
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
    bool padded = (*known)->kind == Part::Place; // loads pad with zeros
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
  // Sums of 16-bit numbers are added up in f32, and rounded once.
  auto type = cast<RankedTensorType>(acc->getType());
  bool narrow = type.getElementTypeBitWidth() < 32;
  Value sum = *acc;
  if (narrow)
    sum = arith::ExtFOp::create(b, loc, type.clone(b.getF32Type()), sum);
  sum = tile::DotOp::create(b, loc, sum.getType(), tiles[0], tiles[1], sum,
                            transposeA, transposeB)
            .getResult();
  if (narrow)
    sum = arith::TruncFOp::create(b, loc, type, sum);
  return sum;
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
      return setResult(
          op, 0, arith::MaxNumFOp::create(b, loc, tile, *init).getResult(),
          loops);
    Operation *copy =
        b.create(loc, def->getName().getIdentifier(), {*init, tile},
                 {init->getType()}, def->getAttrs());
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
          DenseElementsAttr::get(
              inner, b.getFloatAttr(type.getElementType(), neutralOf(kind))));
    }
    tile = tile::ReduceOp::create(b, loc, start.getType(), kind, tile, start,
                                  axis);
  }
  return setResult(op, 0, tile, loops);
}
