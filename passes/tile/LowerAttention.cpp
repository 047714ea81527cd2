// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention as a loop over blocks of keys with a running maximum m and sum l
// (one entry a query), in base 2:
//
//   Sᵀ = K Qᵀ          [keys × queries]
//   m' = max(m, max over keys of Sᵀ),  Pᵀ = 2^(Sᵀ − m'),  α = 2^(m − m')
//   l' = α l + Σ over keys of Pᵀ,      Oᵀ' = α Oᵀ + Vᵀ Pᵀ   [d_v × queries]
//
// Queries lie along the rows' vectors: K and V are read as they lie, reductions
// over keys run down columns, and only Q and O are transposed, once a block.

#include "infini/dialect/infini/InfiniOps.h"
#include "infini/passes/Passes.h"
#include "infini/passes/dispatch/BlockSizes.h"
#include "infini/passes/tile/Divisor.h"
#include "infini/passes/tile/SizeBound.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

namespace infini {
#define GEN_PASS_DEF_INFINILOWERATTENTION
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

namespace {

class AttentionLowering {
public:
  /// `keyBlock` keys in a block of scores; 0: what the table says.
  AttentionLowering(SegmentAttentionOp op, RewriterBase &rewriter,
                    int64_t keyBlock, StringRef target);

  void run();

private:
  using BodyBuilder =
      llvm::function_ref<Value(OpBuilder &, Location, ValueRange)>;

  OpFoldResult apply(AffineExpr expr, ArrayRef<OpFoldResult> operands) {
    return affine::makeComposedFoldedAffineApply(b, loc, expr, operands);
  }
  OpFoldResult minimum(ArrayRef<OpFoldResult> operands) {
    return affine::makeComposedFoldedAffineMin(
        b, loc, b.getMultiDimIdentityMap(operands.size()), operands);
  }
  OpFoldResult maximum(ArrayRef<OpFoldResult> operands) {
    return affine::makeComposedFoldedAffineMax(
        b, loc, b.getMultiDimIdentityMap(operands.size()), operands);
  }
  Value index(OpFoldResult value) {
    return getValueOrCreateConstantIndexOp(b, loc, value);
  }
  Value constant(double value) {
    return arith::ConstantOp::create(b, loc,
                                     b.getFloatAttr(accumulator, value));
  }
  OpFoldResult dim(Value value, int64_t i) {
    return tensor::getMixedSize(b, loc, value, i);
  }
  Value filled(ArrayRef<OpFoldResult> sizes, double value) {
    return filled(sizes, value, accumulator);
  }
  Value filled(ArrayRef<OpFoldResult> sizes, double value, Type element) {
    Value empty = tensor::EmptyOp::create(b, loc, sizes, element);
    Value number =
        arith::ConstantOp::create(b, loc, b.getFloatAttr(element, value));
    return linalg::FillOp::create(b, loc, number, empty).getResult(0);
  }

  /// A linalg.generic with one result. Maps as strings over loops "abc", such
  /// as "ac"; the loops in `reduced` are reductions.
  Value generic(StringRef loops, StringRef reduced, ArrayRef<StringRef> maps,
                ValueRange inputs, Value output, BodyBuilder body);
  /// [rows × columns] of a rank-4 operand's batch and head, from `row`.
  Value rows(Value source, Value batch, Value head, OpFoldResult row,
             OpFoldResult count);
  /// `tile` in the type of the products' factors.
  Value asFactor(Value tile);
  /// acc + a · b in the accumulator's type.
  Value multiplyAdd(OpBuilder &n, Location l, ValueRange a);
  /// The bias of a block of scores, in the accumulator's type, and its map over
  /// keys and queries. Queries past the last have none.
  std::pair<Value, StringRef> biasTile(Value firstKey, OpFoldResult count);
  Value block(Value batch, Value head, Value first, Value output);
  SmallVector<Value> keyLoop(OpFoldResult begin, OpFoldResult end, bool masked,
                             ValueRange state);
  SmallVector<Value> keyLoops(ValueRange state);

  SegmentAttentionOp op;
  RewriterBase &b;
  Location loc;
  /// Queries and keys in a block: columns and rows of the scores.
  int64_t queryBlock, keyBlock;
  /// Of sums and scores, and of the products' factors: 16-bit ones where the
  /// target multiplies those by itself. Then scores are scaled after the
  /// product, and weights rounded to the values' type before the second one.
  Type accumulator, factor;
  Value scale;
  /// Weights below the smallest normal number do not count: GPUs may take the
  /// instruction that does without them.
  arith::FastMathFlags exponentials;
  // Of the block of queries that is being built.
  Value queries, batch, group, head, firstQuery;
  OpFoldResult queryCount;
  // Of the keys that are being walked over, the past ones or the own: which of
  // all keys their first is, and the first query's position counted from there.
  Value key, value;
  OpFoldResult keyOrigin, firstPosition;
};

} // namespace

/// The size of a computed tensor in terms of what it is computed from.
static OpFoldResult resolvedSize(OpBuilder &b, Value value, int64_t dim) {
  while (auto def = value.getDefiningOp<ReifyRankedShapedTypeOpInterface>()) {
    auto signed_ = dyn_cast<ShapeSignatureOpInterface>(def.getOperation());
    if (!signed_)
      break;
    DimName name = signed_.getShapeSignature()
                       .results[cast<OpResult>(value).getResultNumber()]
                       .dims[dim];
    bool found = false;
    for (DimSite site : sitesOf(def, name))
      if (site.value.getDefiningOp() != def) {
        value = site.value;
        dim = site.dim;
        found = true;
        break;
      }
    if (!found)
      break;
  }
  return tensor::getMixedSize(b, value.getLoc(), value, dim);
}

static bool isAtMost(OpFoldResult size, int64_t most) {
  FailureOr<int64_t> bound = boundOf(size);
  return succeeded(bound) && *bound <= most;
}

AttentionLowering::AttentionLowering(SegmentAttentionOp op,
                                     RewriterBase &rewriter, int64_t keyBlock,
                                     StringRef target)
    : op(op), b(rewriter), loc(op.getLoc()) {
  Type element = op.getType().getElementType();
  accumulator = element.isF64() ? element : b.getF32Type();
  factor = target == "cpu" || element.getIntOrFloatBitWidth() > 16 ? accumulator
                                                                   : element;
  exponentials =
      target == "cpu" ? arith::FastMathFlags::none : arith::FastMathFlags::afn;
  BlockSizes blocks = blockSizesFor(op, target);
  this->keyBlock = keyBlock ? keyBlock : blocks.keys;
  // A tile was cut to its size already; it fills whole vectors.
  constexpr int64_t lanes = 8, largestTile = 128;
  b.setInsertionPoint(op);
  FailureOr<int64_t> queries = boundOf(resolvedSize(b, op.getQuery(), 2));
  queryBlock = succeeded(queries) && *queries <= largestTile
                   ? std::max<int64_t>(llvm::alignTo(*queries, lanes), lanes)
                   : blocks.tokens;
}

Value AttentionLowering::generic(StringRef loops, StringRef reduced,
                                 ArrayRef<StringRef> maps, ValueRange inputs,
                                 Value output, BodyBuilder body) {
  SmallVector<AffineMap> affineMaps;
  for (StringRef map : maps) {
    SmallVector<AffineExpr> exprs;
    for (char c : map)
      exprs.push_back(b.getAffineDimExpr(loops.find(c)));
    affineMaps.push_back(
        AffineMap::get(loops.size(), 0, exprs, b.getContext()));
  }
  SmallVector<utils::IteratorType> iterators;
  for (char c : loops)
    iterators.push_back(reduced.contains(c) ? utils::IteratorType::reduction
                                            : utils::IteratorType::parallel);
  auto op = linalg::GenericOp::create(
      b, loc, TypeRange{output.getType()}, inputs, ValueRange{output},
      affineMaps, iterators,
      [&](OpBuilder &nested, Location l, ValueRange arguments) {
        linalg::YieldOp::create(nested, l, body(nested, l, arguments));
      });
  // Sums over a block of keys, or a head: they are cut as they shall be.
  if (!reduced.empty())
    op->setAttr(kBlocked, b.getUnitAttr());
  return op.getResult(0);
}

Value AttentionLowering::rows(Value source, Value batch, Value head,
                              OpFoldResult row, OpFoldResult count) {
  OpFoldResult one = b.getIndexAttr(1), columns = dim(source, 3);
  auto staticSize = [](OpFoldResult size) {
    return getConstantIntValue(size).value_or(ShapedType::kDynamic);
  };
  auto type = RankedTensorType::get(
      {staticSize(count), staticSize(columns)},
      cast<RankedTensorType>(source.getType()).getElementType());
  return tensor::ExtractSliceOp::create(
      b, loc, type, source,
      SmallVector<OpFoldResult>{OpFoldResult(batch), OpFoldResult(head), row,
                                b.getIndexAttr(0)},
      SmallVector<OpFoldResult>{one, one, count, columns},
      SmallVector<OpFoldResult>(4, one));
}

/// `value` as a number of type `to`.
static Value convertFloat(OpBuilder &b, Location loc, Value value, Type to) {
  unsigned from = value.getType().getIntOrFloatBitWidth(),
           bits = to.getIntOrFloatBitWidth();
  if (from < bits)
    return arith::ExtFOp::create(b, loc, to, value);
  if (from > bits)
    return arith::TruncFOp::create(b, loc, to, value);
  return value;
}

Value AttentionLowering::asFactor(Value tile) {
  auto type = cast<RankedTensorType>(tile.getType());
  if (type.getElementType() == factor)
    return tile;
  Value empty = tensor::EmptyOp::create(
      b, loc, tensor::getMixedSizes(b, loc, tile), factor);
  return generic("ab", "", {"ab", "ab"}, tile, empty,
                 [&](OpBuilder &n, Location l, ValueRange a) -> Value {
                   return convertFloat(n, l, a[0], factor);
                 });
}

Value AttentionLowering::multiplyAdd(OpBuilder &n, Location l, ValueRange a) {
  Value x = convertFloat(n, l, a[0], accumulator),
        y = convertFloat(n, l, a[1], accumulator);
  return arith::AddFOp::create(n, l, a[2], arith::MulFOp::create(n, l, x, y));
}

std::pair<Value, StringRef> AttentionLowering::biasTile(Value firstKey,
                                                        OpFoldResult count) {
  Value bias = op.getBias();
  auto type = cast<RankedTensorType>(bias.getType());
  bool perQuery = type.getDimSize(2) != 1;
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  auto staticSize = [](OpFoldResult size) {
    return getConstantIntValue(size).value_or(ShapedType::kDynamic);
  };
  SmallVector<OpFoldResult> offsets{
      type.getDimSize(0) == 1 ? zero : OpFoldResult(batch),
      type.getDimSize(1) == 1 ? zero : OpFoldResult(head),
      perQuery ? OpFoldResult(firstQuery) : zero,
      apply(b.getAffineDimExpr(0) + b.getAffineDimExpr(1),
            {OpFoldResult(firstKey), keyOrigin})};
  SmallVector<OpFoldResult> sizes{one, one, perQuery ? queryCount : one, count};
  SmallVector<int64_t> shape;
  if (perQuery)
    shape.push_back(staticSize(queryCount));
  shape.push_back(staticSize(count));
  Value slice = tensor::ExtractSliceOp::create(
      b, loc, RankedTensorType::get(shape, type.getElementType()), bias,
      offsets, sizes, SmallVector<OpFoldResult>(4, one));
  auto convert = [&](OpBuilder &n, Location l, ValueRange a) -> Value {
    return convertFloat(n, l, a[0], accumulator);
  };
  if (!perQuery)
    return {generic("k", "", {"k", "k"}, slice,
                    tensor::EmptyOp::create(b, loc, {count}, accumulator),
                    convert),
            "k"};
  Value tile =
      generic("qk", "", {"qk", "qk"}, slice,
              tensor::EmptyOp::create(b, loc, {queryCount, count}, accumulator),
              convert);
  OpFoldResult columns = b.getIndexAttr(queryBlock);
  if (!isConstantIntValue(queryCount, queryBlock))
    tile = tensor::InsertSliceOp::create(
        b, loc, tile, filled({columns, count}, 0),
        SmallVector<OpFoldResult>{zero, zero},
        SmallVector<OpFoldResult>{queryCount, count},
        SmallVector<OpFoldResult>(2, one));
  return {tile, "qk"};
}

/// One loop over blocks of keys; the state is (m, l, Oᵀ).
SmallVector<Value> AttentionLowering::keyLoop(OpFoldResult begin,
                                              OpFoldResult end, bool masked,
                                              ValueRange state) {
  if (isEqualConstantIntOrValue(begin, end))
    return state;
  auto loop = scf::ForOp::create(b, loc, index(begin), index(end),
                                 index(b.getIndexAttr(keyBlock)), state);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value first = loop.getInductionVar();
  Value m = loop.getRegionIterArgs()[0], l = loop.getRegionIterArgs()[1],
        output = loop.getRegionIterArgs()[2];
  OpFoldResult block = b.getIndexAttr(keyBlock),
               columns = b.getIndexAttr(queryBlock);
  OpFoldResult count = block;
  // Blocks that begin and end where blocks do are whole, also where not all of
  // their keys are seen.
  if (masked &&
      (divisorOf(begin) % keyBlock != 0 || divisorOf(end) % keyBlock != 0)) {
    AffineExpr d0, d1;
    bindDims(b.getContext(), d0, d1);
    count = affine::makeComposedFoldedAffineMin(
        b, loc,
        AffineMap::get(2, 0, {b.getAffineConstantExpr(keyBlock), d0 - d1},
                       b.getContext()),
        {end, OpFoldResult(first)});
  }
  Value keys = asFactor(rows(key, batch, group, first, count));
  Value values = asFactor(rows(value, batch, group, first, count));
  auto addProduct = [&](OpBuilder &n, Location l, ValueRange a) {
    return multiplyAdd(n, l, a);
  };

  Value scores = generic("kqc", "c", {"kc", "cq", "kq"}, {keys, queries},
                         filled({count, columns}, 0), addProduct);
  // A positive scale may wait for the exponential, where it is one operand of a
  // fused multiply-add; a bias comes in between.
  bool inExponent = factor != accumulator && !op.getBias() &&
                    (!op.getScale() || (!op.getScale()->isNegative() &&
                                        !op.getScale()->isZero()));
  if (factor != accumulator && !inExponent)
    scores =
        generic("kq", "", {"kq", "kq"}, scores,
                tensor::EmptyOp::create(b, loc, {count, columns}, accumulator),
                [&](OpBuilder &n, Location nl, ValueRange a) -> Value {
                  return arith::MulFOp::create(n, nl, a[0], scale);
                });
  if (masked || op.getBias()) {
    Value empty =
        tensor::EmptyOp::create(b, loc, {count, columns}, accumulator);
    Value hidden = constant(-INFINITY), log2e = constant(M_LOG2E);
    Value position = index(firstPosition);
    Value window;
    if (op.getMask() == Mask::Window)
      window = index(b.getIndexAttr(*op.getWindow()));
    SmallVector<Value> inputs{scores};
    SmallVector<StringRef> maps{"kq"};
    if (op.getBias()) {
      auto [tile, map] = biasTile(first, count);
      inputs.push_back(tile);
      maps.push_back(map);
    }
    maps.push_back("kq");
    scores = generic(
        "kq", "", maps, inputs, empty,
        [&](OpBuilder &n, Location nl, ValueRange a) -> Value {
          Value score = a[0];
          if (op.getBias())
            score = arith::AddFOp::create(
                n, nl, score, arith::MulFOp::create(n, nl, a[1], log2e));
          if (op.getMask() == Mask::Full)
            return score;
          Value k = arith::AddIOp::create(
              n, nl, linalg::IndexOp::create(n, nl, 0), first);
          Value i = linalg::IndexOp::create(n, nl, 1);
          Value q = arith::AddIOp::create(n, nl, i, position);
          Value visible =
              arith::CmpIOp::create(n, nl, arith::CmpIPredicate::sle, k, q);
          if (window) {
            Value near = arith::CmpIOp::create(
                n, nl, arith::CmpIPredicate::slt,
                arith::SubIOp::create(n, nl, q, k), window);
            visible = arith::AndIOp::create(n, nl, visible, near);
          }
          return arith::SelectOp::create(n, nl, visible, score, hidden);
        });
  }

  // m' : NaN scores do not enter the maximum; they reach the sum all the same.
  Value newMaximum =
      generic("kq", "k", {"kq", "q"}, scores, m,
              [](OpBuilder &n, Location nl, ValueRange a) -> Value {
                Value more = arith::CmpFOp::create(
                    n, nl, arith::CmpFPredicate::OGT, a[0], a[1]);
                return arith::SelectOp::create(n, nl, more, a[0], a[1]);
              });
  auto exponential = [&](OpBuilder &n, Location nl, ValueRange a) -> Value {
    Value difference = arith::SubFOp::create(n, nl, a[0], a[1]);
    if (inExponent)
      difference = arith::MulFOp::create(n, nl, difference, this->scale);
    return math::Exp2Op::create(n, nl, difference, exponentials);
  };
  Value alpha = generic("q", "", {"q", "q", "q"}, {m, newMaximum},
                        tensor::EmptyOp::create(b, loc, columns, accumulator),
                        exponential);
  Value lowered = newMaximum;
  if (inExponent)
    lowered =
        generic("q", "", {"q", "q"}, newMaximum,
                tensor::EmptyOp::create(b, loc, columns, accumulator),
                [&](OpBuilder &n, Location nl, ValueRange a) -> Value {
                  return arith::NegFOp::create(
                      n, nl, arith::MulFOp::create(n, nl, a[0], this->scale));
                });
  Value weights =
      generic("kq", "", {"kq", "q", "kq"}, {scores, lowered},
              tensor::EmptyOp::create(b, loc, {count, columns}, accumulator),
              [&](OpBuilder &n, Location nl, ValueRange a) -> Value {
                if (!inExponent)
                  return exponential(n, nl, a);
                return math::Exp2Op::create(
                    n, nl, math::FmaOp::create(n, nl, a[0], this->scale, a[1]),
                    exponentials);
              });
  auto scale = [](OpBuilder &n, Location nl, ValueRange a) -> Value {
    return arith::MulFOp::create(n, nl, a[0], a[1]);
  };
  Value newSum =
      generic("q", "", {"q", "q", "q"}, {l, alpha},
              tensor::EmptyOp::create(b, loc, columns, accumulator), scale);
  newSum = generic("kq", "k", {"kq", "q"}, weights, newSum,
                   [](OpBuilder &n, Location nl, ValueRange a) -> Value {
                     return arith::AddFOp::create(n, nl, a[0], a[1]);
                   });
  output = generic("vq", "", {"q", "vq"}, alpha, output,
                   [](OpBuilder &n, Location nl, ValueRange a) -> Value {
                     return arith::MulFOp::create(n, nl, a[1], a[0]);
                   });
  output = generic("vqk", "k", {"kv", "kq", "vq"}, {values, asFactor(weights)},
                   output, addProduct);
  scf::YieldOp::create(b, loc, ValueRange{newMaximum, newSum, output});
  return loop.getResults();
}

/// The blocks of keys that all queries see, then those that some see.
SmallVector<Value> AttentionLowering::keyLoops(ValueRange state) {
  AffineExpr d0, d1;
  bindDims(b.getContext(), d0, d1);
  OpFoldResult zero = b.getIndexAttr(0), keys = dim(key, 2);
  auto wholeBlocks = [&](OpFoldResult count) {
    return apply(d0.floorDiv(keyBlock) * keyBlock, {count});
  };
  OpFoldResult begin = zero, unmasked, end;
  if (op.getMask() == Mask::Full) {
    end = keys;
    unmasked = wholeBlocks(keys);
  } else {
    end = maximum(
        {zero, minimum({keys, apply(d0 + d1, {firstPosition, queryCount})})});
    if (op.getMask() == Mask::Window) {
      int64_t window = *op.getWindow();
      begin =
          wholeBlocks(maximum({zero, apply(d0 - window + 1, {firstPosition})}));
      unmasked = begin;
    } else {
      unmasked = wholeBlocks(
          maximum({zero, minimum({keys, apply(d0 + 1, {firstPosition})})}));
    }
  }
  SmallVector<Value> seen = keyLoop(begin, unmasked, /*masked=*/false, state);
  return keyLoop(unmasked, end, /*masked=*/true, seen);
}

/// Queries first … first + 63 of one head, written to `result`.
Value AttentionLowering::block(Value batchIndex, Value headIndex, Value first,
                               Value result) {
  batch = batchIndex;
  head = headIndex;
  firstQuery = first;
  AffineExpr d0, d1, d2;
  bindDims(b.getContext(), d0, d1, d2);
  OpFoldResult columns = b.getIndexAttr(queryBlock), zero = b.getIndexAttr(0);
  Value heads = index(dim(op.getQuery(), 1)),
        groups = index(dim(op.getKey(), 1));
  group = arith::DivUIOp::create(b, loc, head,
                                 arith::DivUIOp::create(b, loc, heads, groups));
  OpFoldResult length = resolvedSize(b, op.getQuery(), 2),
               depth = dim(op.getQuery(), 3);
  OpFoldResult count = affine::makeComposedFoldedAffineMin(
      b, loc,
      AffineMap::get(2, 0, {b.getAffineConstantExpr(queryBlock), d0 - d1},
                     b.getContext()),
      {length, OpFoldResult(first)});

  queryCount = count;
  // Qᵀ · scale · log2(e), columns past the last query zero.
  Value tile = rows(op.getQuery(), batch, head, first, count);
  if (op.getScale()) {
    scale = constant(op.getScale()->convertToDouble() * M_LOG2E);
  } else {
    Value size =
        arith::IndexCastOp::create(b, loc, b.getI64Type(), index(depth));
    Value root = math::SqrtOp::create(
        b, loc, arith::SIToFPOp::create(b, loc, accumulator, size));
    scale = arith::DivFOp::create(b, loc, constant(M_LOG2E), root);
  }
  Value scaled =
      generic("cq", "", {"qc", "cq"}, tile,
              tensor::EmptyOp::create(b, loc, {depth, count}, factor),
              [&](OpBuilder &n, Location nl, ValueRange a) -> Value {
                Value query = convertFloat(n, nl, a[0], factor);
                if (factor != accumulator)
                  return query;
                return arith::MulFOp::create(n, nl, query, scale);
              });
  queries = scaled;
  if (!isConstantIntValue(count, queryBlock))
    queries = tensor::InsertSliceOp::create(
        b, loc, scaled, filled({depth, columns}, 0, factor),
        SmallVector<OpFoldResult>{zero, zero},
        SmallVector<OpFoldResult>{depth, count},
        SmallVector<OpFoldResult>(2, b.getIndexAttr(1)));

  OpFoldResult offset = op.getQueryOffset()
                            ? OpFoldResult(op.getQueryOffset())
                            : apply(d0 - d1, {dim(op.getKey(), 2), length});
  OpFoldResult width = dim(op.getValue(), 3);
  // Below every finite score, so that a row without keys keeps l = 0.
  double lowest = accumulator.isF64() ? -1e300 : -1e37;
  SmallVector<Value> state{filled(columns, lowest), filled(columns, 0),
                           filled({width, columns}, 0)};
  OpFoldResult past = zero;
  if (op.getPastKey()) {
    key = op.getPastKey();
    value = op.getPastValue();
    past = dim(key, 2);
    keyOrigin = zero;
    firstPosition = apply(d0 + d1 + d2, {past, offset, OpFoldResult(first)});
    state = keyLoops(state);
  }
  key = op.getKey();
  value = op.getValue();
  keyOrigin = past;
  firstPosition = apply(d0 + d1, {offset, OpFoldResult(first)});
  state = keyLoops(state);

  // O = (Oᵀ / l)ᵀ, 0 where a query saw no key.
  OpFoldResult one = b.getIndexAttr(1);
  Value sum = state[1], output = state[2];
  if (!isConstantIntValue(count, queryBlock)) {
    sum = tensor::ExtractSliceOp::create(
        b, loc, sum, ArrayRef<OpFoldResult>{zero},
        ArrayRef<OpFoldResult>{count}, ArrayRef<OpFoldResult>{one});
    output = tensor::ExtractSliceOp::create(
        b, loc, output, ArrayRef<OpFoldResult>{zero, zero},
        ArrayRef<OpFoldResult>{width, count}, ArrayRef<OpFoldResult>{one, one});
  }
  Type element = op.getType().getElementType();
  Value zeroValue = constant(0);
  SmallVector<OpFoldResult> offsets{OpFoldResult(batch), OpFoldResult(head),
                                    OpFoldResult(first), zero};
  SmallVector<OpFoldResult> sizes{one, one, count, width};
  Value place = tensor::EmptyOp::create(b, loc, {count, width}, element);
  Value finished = generic(
      "qv", "", {"vq", "q", "qv"}, {output, sum}, place,
      [&](OpBuilder &n, Location nl, ValueRange a) -> Value {
        Value empty = arith::CmpFOp::create(n, nl, arith::CmpFPredicate::OEQ,
                                            a[1], zeroValue);
        Value quotient = arith::DivFOp::create(n, nl, a[0], a[1]);
        Value kept = arith::SelectOp::create(n, nl, empty, zeroValue, quotient);
        if (element != accumulator)
          kept = arith::TruncFOp::create(n, nl, element, kept);
        return kept;
      });
  return tensor::InsertSliceOp::create(b, loc, finished, result, offsets, sizes,
                                       SmallVector<OpFoldResult>(4, one));
}

void AttentionLowering::run() {
  b.setInsertionPoint(op);
  SmallVector<OpFoldResult> sizes;
  for (int64_t i = 0; i < 4; ++i)
    sizes.push_back(resolvedSize(b, op.getQuery(), i));
  SmallVector<OpFoldResult> resultSizes = sizes;
  resultSizes[3] = dim(op.getValue(), 3);
  Value result = tensor::EmptyOp::create(b, loc, resultSizes,
                                         op.getType().getElementType());
  SmallVector<scf::ForOp> loops;
  SmallVector<Value> first;
  for (unsigned i = 0; i < 3; ++i) {
    // A tile that is no larger than one round needs no loop.
    if (isAtMost(sizes[i], i == 2 ? queryBlock : 1)) {
      first.push_back(index(b.getIndexAttr(0)));
      continue;
    }
    auto loop = scf::ForOp::create(
        b, loc, index(b.getIndexAttr(0)), index(sizes[i]),
        index(b.getIndexAttr(i == 2 ? queryBlock : 1)), result);
    b.setInsertionPointToStart(loop.getBody());
    result = loop.getRegionIterArgs()[0];
    loops.push_back(loop);
    first.push_back(loop.getInductionVar());
  }
  result = block(first[0], first[1], first[2], result);
  for (scf::ForOp loop : llvm::reverse(loops)) {
    b.setInsertionPointToEnd(loop.getBody());
    scf::YieldOp::create(b, loc, result);
    result = loop.getResult(0);
  }
  b.setInsertionPoint(op);
  if (result.getType() != op.getType())
    result = tensor::CastOp::create(b, loc, op.getType(), result);
  b.replaceOp(op, result);
}

namespace {
struct LowerAttention final
    : infini::impl::InfiniLowerAttentionBase<LowerAttention> {
  using InfiniLowerAttentionBase::InfiniLowerAttentionBase;

  void runOnOperation() override {
    if (keyBlock < 0) {
      getOperation().emitError(
          "expected option 'key-block' to be at least 0, got ")
          << int64_t(keyBlock);
      return signalPassFailure();
    }
    SmallVector<SegmentAttentionOp> ops;
    getOperation().walk([&](SegmentAttentionOp op) { ops.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (SegmentAttentionOp op : ops) {
      AttentionLowering(op, rewriter, keyBlock, target).run();
      ++lowered;
    }
  }
};
} // namespace
