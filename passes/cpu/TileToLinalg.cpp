// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tile program to linalg on plain tensors: what a CPU's caches and vectors
// want to know is said by the passes behind this one. Whole tiles are read
// where they lie; masked ones are copied and padded.

#include "infini/dialect/program/ProgramOps.h"
#include "infini/dialect/tile/TileOps.h"
#include "infini/passes/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/TypeSwitch.h"

namespace infini {
#define GEN_PASS_DEF_INFINITILETOLINALG
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

namespace {

class LinalgLowering {
public:
  LinalgLowering(func::FuncOp function, IRRewriter &rewriter)
      : function(function), b(rewriter), loc(function.getLoc()) {}

  void run();

private:
  using Body = llvm::function_ref<Value(OpBuilder &, Location, ValueRange)>;

  Value empty(RankedTensorType type) {
    return tensor::EmptyOp::create(b, loc, type.getShape(),
                                   type.getElementType());
  }
  AffineMap select(int64_t rank, ArrayRef<int64_t> dims) {
    SmallVector<AffineExpr> exprs;
    for (int64_t dim : dims)
      exprs.push_back(b.getAffineDimExpr(dim));
    return AffineMap::get(rank, 0, exprs, b.getContext());
  }
  Value generic(Value init, ValueRange inputs, ArrayRef<AffineMap> maps,
                ArrayRef<int64_t> reduced, Body body);
  /// The part of a buffer that a load or store means, `sizes` along its dims.
  Value view(Value buffer, ArrayRef<OpFoldResult> offsets,
             ArrayRef<int64_t> dims, ArrayRef<OpFoldResult> sizes);
  SmallVector<OpFoldResult> clamp(ArrayRef<OpFoldResult> valid,
                                  ArrayRef<int64_t> shape);

  Value lower(tile::LoadOp op);
  void lower(tile::StoreOp op);
  Value lower(tile::DotOp op);
  Value lower(tile::ReduceOp op);
  Value lower(tile::BroadcastOp op);
  Value lower(tile::TransposeOp op);
  Value lower(tile::IndexOp op);
  Value lower(tile::GatherOp op);

  func::FuncOp function;
  IRRewriter &b;
  Location loc;
  /// Buffers that the kernel writes.
  llvm::SmallPtrSet<Value, 4> written;
};

} // namespace

/// The kernel's argument that a buffer is a view of.
static Value rootOf(Value buffer) {
  while (Operation *def = buffer.getDefiningOp())
    buffer = def->getOperand(0);
  return buffer;
}

Value LinalgLowering::generic(Value init, ValueRange inputs,
                              ArrayRef<AffineMap> maps,
                              ArrayRef<int64_t> reduced, Body body) {
  SmallVector<utils::IteratorType> iterators(maps[0].getNumDims(),
                                             utils::IteratorType::parallel);
  for (int64_t dim : reduced)
    iterators[dim] = utils::IteratorType::reduction;
  return linalg::GenericOp::create(
             b, loc, TypeRange{init.getType()}, inputs, ValueRange{init}, maps,
             iterators,
             [&](OpBuilder &n, Location l, ValueRange arguments) {
               linalg::YieldOp::create(n, l, body(n, l, arguments));
             })
      .getResult(0);
}

Value LinalgLowering::view(Value buffer, ArrayRef<OpFoldResult> offsets,
                           ArrayRef<int64_t> dims,
                           ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> extents(offsets.size(), b.getIndexAttr(1)),
      strides(offsets.size(), b.getIndexAttr(1));
  for (auto [dim, size] : llvm::zip(dims, sizes))
    extents[dim] = size;
  // Dimensions in the buffer's order, then permuted.
  SmallVector<int64_t> order(dims), shape;
  llvm::sort(order);
  for (int64_t dim : order)
    shape.push_back(
        getConstantIntValue(extents[dim]).value_or(ShapedType::kDynamic));
  auto type = cast<MemRefType>(memref::SubViewOp::inferRankReducedResultType(
      shape, cast<MemRefType>(buffer.getType()), offsets, extents, strides));
  Value result = memref::SubViewOp::create(b, loc, type, buffer, offsets,
                                           extents, strides);
  if (llvm::is_sorted(dims))
    return result;
  SmallVector<unsigned> permutation;
  for (int64_t dim : dims)
    permutation.push_back(llvm::find(order, dim) - order.begin());
  return memref::TransposeOp::create(
      b, loc, result,
      AffineMapAttr::get(
          AffineMap::getPermutationMap(permutation, b.getContext())));
}

/// As many elements as are there, of those of the tile.
SmallVector<OpFoldResult> LinalgLowering::clamp(ArrayRef<OpFoldResult> valid,
                                                ArrayRef<int64_t> shape) {
  SmallVector<OpFoldResult> sizes;
  AffineExpr d0;
  bindDims(b.getContext(), d0);
  for (auto [count, size] : llvm::zip(valid, shape)) {
    if (auto constant = getConstantIntValue(count)) {
      sizes.push_back(b.getIndexAttr(std::clamp<int64_t>(*constant, 0, size)));
      continue;
    }
    OpFoldResult some = affine::makeComposedFoldedAffineMin(
        b, loc,
        AffineMap::get(1, 0, {d0, b.getAffineConstantExpr(size)},
                       b.getContext()),
        {count});
    sizes.push_back(affine::makeComposedFoldedAffineMax(
        b, loc,
        AffineMap::get(1, 0, {d0, b.getAffineConstantExpr(0)}, b.getContext()),
        {some}));
  }
  return sizes;
}

Value LinalgLowering::lower(tile::LoadOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  ArrayRef<int64_t> shape = type.getShape();
  SmallVector<OpFoldResult> whole =
      getAsIndexOpFoldResult(b.getContext(), shape);
  SmallVector<OpFoldResult> valid = op.getMixedValid();
  bool masked = !valid.empty();
  if (!masked && !written.contains(rootOf(op.getSource()))) {
    Value place =
        view(op.getSource(), op.getMixedOffsets(), op.getDims(), whole);
    return bufferization::ToTensorOp::create(b, loc, type, place,
                                             /*restrict=*/true,
                                             /*writable=*/false);
  }
  Value scratch = memref::AllocOp::create(
      b, loc, MemRefType::get(shape, type.getElementType()));
  SmallVector<OpFoldResult> sizes = masked ? clamp(valid, shape) : whole;
  Value target = scratch;
  if (masked) {
    TypedAttr pad = op.getPadAttr();
    if (!pad)
      pad = b.getZeroAttr(type.getElementType());
    Value padding = arith::ConstantOp::create(b, loc, pad);
    SmallVector<OpFoldResult> offsets(shape.size(), b.getIndexAttr(0)),
        strides(shape.size(), b.getIndexAttr(1));
    // Padding goes behind what is there, along each dimension.
    for (auto [i, size] : llvm::enumerate(sizes)) {
      if (isConstantIntValue(size, shape[i]))
        continue;
      AffineExpr d0;
      bindDims(b.getContext(), d0);
      SmallVector<OpFoldResult> from(offsets), extent = whole;
      from[i] = size;
      extent[i] =
          affine::makeComposedFoldedAffineApply(b, loc, shape[i] - d0, {size});
      Value rest =
          memref::SubViewOp::create(b, loc, scratch, from, extent, strides);
      linalg::FillOp::create(b, loc, padding, rest);
    }
    target =
        memref::SubViewOp::create(b, loc, scratch, offsets, sizes, strides);
  }
  memref::CopyOp::create(
      b, loc, view(op.getSource(), op.getMixedOffsets(), op.getDims(), sizes),
      target);
  return bufferization::ToTensorOp::create(b, loc, type, scratch,
                                           /*restrict=*/true,
                                           /*writable=*/true);
}

void LinalgLowering::lower(tile::StoreOp op) {
  auto type = cast<RankedTensorType>(op.getSource().getType());
  ArrayRef<int64_t> shape = type.getShape();
  SmallVector<OpFoldResult> sizes =
      getAsIndexOpFoldResult(b.getContext(), shape);
  Value source = op.getSource();
  if (SmallVector<OpFoldResult> valid = op.getMixedValid(); !valid.empty()) {
    sizes = clamp(valid, shape);
    SmallVector<OpFoldResult> offsets(shape.size(), b.getIndexAttr(0)),
        strides(shape.size(), b.getIndexAttr(1));
    source =
        tensor::ExtractSliceOp::create(b, loc, source, offsets, sizes, strides);
  }
  Value place = view(op.getDest(), op.getMixedOffsets(), op.getDims(), sizes);
  bufferization::MaterializeInDestinationOp::create(
      b, loc, /*result=*/Type(), source, place, /*restrict=*/true,
      /*writable=*/true);
}

Value LinalgLowering::lower(tile::DotOp op) {
  int64_t ranks[2] = {cast<RankedTensorType>(op.getA().getType()).getRank(),
                      cast<RankedTensorType>(op.getB().getType()).getRank()};
  // Loops: m and n, those that are there, then k.
  SmallVector<int64_t> a, c, out;
  int64_t loops = 0;
  if (ranks[0] == 2) {
    a.push_back(loops);
    out.push_back(loops++);
  }
  if (ranks[1] == 2) {
    c.push_back(loops);
    out.push_back(loops++);
  }
  int64_t depth = loops++;
  a.push_back(depth);
  c.insert(c.begin(), depth);
  if (op.getTransposeA())
    std::swap(a[0], a[1]);
  if (op.getTransposeB())
    std::swap(c[0], c[1]);
  // Narrow factors are widened once, not at each of their products.
  Value factors[2] = {op.getA(), op.getB()};
  Type element = getElementTypeOrSelf(op.getAcc().getType());
  for (Value &factor : factors) {
    auto type = cast<RankedTensorType>(factor.getType());
    if (type.getElementType() == element)
      continue;
    AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
    factor = generic(empty(type.clone(element)), factor, {identity, identity},
                     {}, [&](OpBuilder &n, Location l, ValueRange x) -> Value {
                       return arith::ExtFOp::create(n, l, element, x[0]);
                     });
  }
  return generic(op.getAcc(), {factors[0], factors[1]},
                 {select(loops, a), select(loops, c), select(loops, out)},
                 depth, [](OpBuilder &n, Location l, ValueRange x) -> Value {
                   return arith::AddFOp::create(
                       n, l, x[2], arith::MulFOp::create(n, l, x[0], x[1]));
                 });
}

static Value combine(OpBuilder &b, Location loc, tile::Reduction kind, Value x,
                     Value acc) {
  bool isFloat = isa<FloatType>(x.getType());
  auto number = [&](auto predicate) -> Value {
    // The other one where x is NaN: one comparison, no special case.
    Value better = arith::CmpFOp::create(b, loc, predicate, x, acc);
    return arith::SelectOp::create(b, loc, better, x, acc);
  };
  switch (kind) {
  case tile::Reduction::Sum:
    if (!isFloat)
      return arith::AddIOp::create(b, loc, acc, x);
    return arith::AddFOp::create(b, loc, acc, x);
  case tile::Reduction::Product:
    if (!isFloat)
      return arith::MulIOp::create(b, loc, acc, x);
    return arith::MulFOp::create(b, loc, acc, x);
  case tile::Reduction::Maximum:
    if (!isFloat)
      return arith::MaxSIOp::create(b, loc, acc, x);
    return arith::MaximumFOp::create(b, loc, acc, x);
  case tile::Reduction::Minimum:
    if (!isFloat)
      return arith::MinSIOp::create(b, loc, acc, x);
    return arith::MinimumFOp::create(b, loc, acc, x);
  case tile::Reduction::MaxNum:
    return number(arith::CmpFPredicate::OGT);
  case tile::Reduction::MinNum:
    return number(arith::CmpFPredicate::OLT);
  }
  llvm_unreachable("all kinds of reduction are handled");
}

Value LinalgLowering::lower(tile::ReduceOp op) {
  int64_t rank = cast<RankedTensorType>(op.getSource().getType()).getRank();
  int64_t axis = op.getAxis();
  SmallVector<int64_t> rest;
  for (int64_t i = 0; i < rank; ++i)
    if (i != axis)
      rest.push_back(i);
  return generic(op.getInit(), op.getSource(),
                 {b.getMultiDimIdentityMap(rank), select(rank, rest)}, axis,
                 [&](OpBuilder &n, Location l, ValueRange x) {
                   return combine(n, l, op.getKind(), x[0], x[1]);
                 });
}

Value LinalgLowering::lower(tile::BroadcastOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  int64_t rank = type.getRank();
  SmallVector<int64_t> kept;
  for (int64_t i = 0; i < rank; ++i)
    if (!llvm::is_contained(op.getAxes(), i))
      kept.push_back(i);
  Value source = op.getSource();
  if (!isa<RankedTensorType>(source.getType()))
    return linalg::FillOp::create(b, loc, source, empty(type)).getResult(0);
  return generic(empty(type), source,
                 {select(rank, kept), b.getMultiDimIdentityMap(rank)}, {},
                 [](OpBuilder &, Location, ValueRange x) { return x[0]; });
}

Value LinalgLowering::lower(tile::TransposeOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  int64_t rank = type.getRank();
  // Source dimension permutation[i] runs along loop i.
  SmallVector<int64_t> source(rank);
  for (auto [i, dim] : llvm::enumerate(op.getPermutation()))
    source[dim] = i;
  return generic(empty(type), op.getSource(),
                 {select(rank, source), b.getMultiDimIdentityMap(rank)}, {},
                 [](OpBuilder &, Location, ValueRange x) { return x[0]; });
}

Value LinalgLowering::lower(tile::IndexOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  return generic(empty(type), {}, {b.getMultiDimIdentityMap(type.getRank())},
                 {}, [&](OpBuilder &n, Location l, ValueRange) -> Value {
                   return linalg::IndexOp::create(n, l, op.getAxis());
                 });
}

Value LinalgLowering::lower(tile::GatherOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  MemRefType buffer = op.getSource().getType();
  Value source = bufferization::ToTensorOp::create(
      b, loc, RankedTensorType::get(buffer.getShape(), buffer.getElementType()),
      op.getSource(), /*restrict=*/true, /*writable=*/false);
  SmallVector<Value> tiles, last;
  Value zero = arith::ConstantIndexOp::create(b, loc, 0),
        one = arith::ConstantIndexOp::create(b, loc, 1);
  for (int64_t dim = 0; dim < buffer.getRank(); ++dim)
    last.push_back(arith::SubIOp::create(
        b, loc, b.createOrFold<memref::DimOp>(loc, op.getSource(), dim), one));
  for (Value index : op.getIndices())
    if (isa<RankedTensorType>(index.getType()))
      tiles.push_back(index);
  SmallVector<AffineMap> maps(tiles.size() + 1,
                              b.getMultiDimIdentityMap(type.getRank()));
  return generic(
      empty(type), tiles, maps, {},
      [&](OpBuilder &n, Location l, ValueRange x) -> Value {
        SmallVector<Value> positions;
        unsigned next = 0;
        for (auto [index, end] : llvm::zip(op.getIndices(), last)) {
          Value position =
              isa<RankedTensorType>(index.getType()) ? x[next++] : Value(index);
          position = arith::MinSIOp::create(n, l, position, end);
          positions.push_back(arith::MaxSIOp::create(n, l, position, zero));
        }
        return tensor::ExtractOp::create(n, l, source, positions);
      });
}

void LinalgLowering::run() {
  SmallVector<Operation *> ops;
  function.walk([&](Operation *op) {
    if (auto store = dyn_cast<tile::StoreOp>(op))
      written.insert(rootOf(store.getDest()));
    ops.push_back(op);
  });
  for (Operation *op : ops) {
    b.setInsertionPoint(op);
    loc = op->getLoc();
    if (auto store = dyn_cast<tile::StoreOp>(op)) {
      lower(store);
      b.eraseOp(store);
      continue;
    }
    Value value =
        llvm::TypeSwitch<Operation *, Value>(op)
            .Case<tile::LoadOp, tile::DotOp, tile::ReduceOp, tile::BroadcastOp,
                  tile::TransposeOp, tile::IndexOp, tile::GatherOp>(
                [&](auto concrete) { return lower(concrete); })
            .Default(Value());
    // A constant tile is a number everywhere, not memory.
    if (auto constant = dyn_cast<arith::ConstantOp>(op))
      if (auto splat = dyn_cast<SplatElementsAttr>(constant.getValue())) {
        auto type = cast<RankedTensorType>(constant.getType());
        auto number = cast<TypedAttr>(splat.getSplatValue<Attribute>());
        Value scalar = arith::ConstantOp::create(b, loc, number);
        value =
            linalg::FillOp::create(b, loc, scalar, empty(type)).getResult(0);
      }
    if (value)
      b.replaceOp(op, value);
  }
}

namespace {
struct TileToLinalg final : infini::impl::InfiniTileToLinalgBase<TileToLinalg> {
  void runOnOperation() override {
    // A tile program takes buffers already.
    if (llvm::any_of(getOperation().getArgumentTypes(),
                     llvm::IsaPred<RankedTensorType>))
      return;
    IRRewriter rewriter(&getContext());
    LinalgLowering(getOperation(), rewriter).run();
  }
};
} // namespace
