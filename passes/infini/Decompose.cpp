// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// infini-decompose: the definition of each op in linalg. Letters are those of
// the ops' signatures.

#include "infini/dialect/infini/InfiniOps.h"
#include "infini/dialect/infini/StructuredBuilder.h"
#include "infini/passes/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"
#include "llvm/ADT/SmallBitVector.h"
#include <cmath>
#include <limits>

namespace infini {
#define GEN_PASS_DEF_INFINIDECOMPOSE
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

//===----------------------------------------------------------------------===//
// Helpers
//===----------------------------------------------------------------------===//

static Type elementType(Value tensor) {
  return getElementTypeOrSelf(tensor.getType());
}

/// 16-bit types compute in f32.
static Type computeType(Type element) {
  return element.getIntOrFloatBitWidth() < 32
             ? Float32Type::get(element.getContext())
             : element;
}

static Type wider(Type a, Type b) {
  return a.getIntOrFloatBitWidth() < b.getIntOrFloatBitWidth() ? b : a;
}

/// A constant of `like`'s type.
static Value constantLike(OpBuilder &b, Location loc, Value like,
                          double value) {
  return arith::ConstantOp::create(b, loc,
                                   b.getFloatAttr(like.getType(), value));
}

/// value == constant ? a : b
static Value selectEqual(OpBuilder &b, Location loc, Value value,
                         double constant, Value ifEqual, Value otherwise) {
  Value equal = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, value,
                                      constantLike(b, loc, value, constant));
  return arith::SelectOp::create(b, loc, equal, ifEqual, otherwise);
}

static Value indexValue(OpBuilder &b, Location loc, OpFoldResult value) {
  return getValueOrCreateConstantIndexOp(b, loc, value);
}

/// An index as a number; signed, and exact below 2^24 (f32) or 2^53 (f64).
static Value toFloat(OpBuilder &b, Location loc, Value index, Type type) {
  Value integer = arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
  return arith::SIToFPOp::create(b, loc, type, integer);
}

static std::string lettersOf(unsigned rank, StringRef last) {
  SmallVector<DimName> names = leadingDims(rank, last);
  return std::string(names.begin(), names.end());
}

/// A tensor of key/value heads as one of query heads: head h reads the entry of
/// group h / (H / G). H and G may be dynamic, so the general case is a gather;
/// where H = G, as in tiles of one head, and where G = 1 the tensor is read in
/// place.
static Lettered perQueryHead(OpBuilder &b, Operation *op, Value tensor,
                             StringRef names) {
  Location loc = op->getLoc();
  size_t dim = names.find('G');
  Lettered result{tensor, names.str()};
  result.letters[dim] = 'H';
  OpFoldResult heads = sizeOf(b, op, 'H'), groups = sizeOf(b, op, 'G');
  if (isEqualConstantIntOrValue(heads, groups))
    return result;
  auto type = cast<RankedTensorType>(tensor.getType());
  if (type.getDimSize(dim) == 1) {
    result.letters[dim] = '1';
    return result;
  }
  // Without groups there are no heads, and the ratio is of no account.
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value divisor =
      arith::MaxUIOp::create(b, loc, indexValue(b, loc, groups), one);
  Value ratio =
      arith::DivUIOp::create(b, loc, indexValue(b, loc, heads), divisor);
  ratio = arith::MaxUIOp::create(b, loc, ratio, one);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, tensor);
  sizes[dim] = heads;
  result.tensor =
      StructuredBuilder(b, loc, type.getElementType())
          .map(
              type.getElementType(), result.letters, {},
              [&](OpBuilder &b, Location loc, ValueRange) -> Value {
                SmallVector<Value> indices;
                for (unsigned i = 0; i < names.size(); ++i)
                  indices.push_back(linalg::IndexOp::create(b, loc, i));
                indices[dim] =
                    arith::DivUIOp::create(b, loc, indices[dim], ratio);
                return tensor::ExtractOp::create(b, loc, tensor, indices);
              },
              sizes);
  return result;
}

namespace {

//===----------------------------------------------------------------------===//
// Segments
//===----------------------------------------------------------------------===//

struct DecomposeAttention final : OpRewritePattern<SegmentAttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SegmentAttentionOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type element = elementType(op.getResult()), type = computeType(element);
    StructuredBuilder s(rewriter, loc, type);
    // The keys and values in sight, S of them: past, then own.
    Lettered keys = perQueryHead(
        rewriter, op, joinPast(rewriter, loc, op.getPastKey(), op.getKey()),
        "BGSK");
    Lettered values = perQueryHead(
        rewriter, op, joinPast(rewriter, loc, op.getPastValue(), op.getValue()),
        "BGSV");
    Value scores = s.contract("BHLS", {{op.getQuery(), "BHLK"}, keys});

    SmallVector<Lettered> inputs{{scores, "BHLS"}};
    if (op.getBias())
      inputs.push_back(biasOperand(op));
    Value scale = getScale(op, s, rewriter);
    Value firstPosition = getFirstPosition(op, rewriter);
    Value masked = s.map(
        type, "BHLS", inputs, [&](OpBuilder &b, Location loc, ValueRange x) {
          Value score = arith::MulFOp::create(b, loc, x[0], scale);
          if (op.getBias())
            score = arith::AddFOp::create(b, loc, score, x[1]);
          return mask(op, b, loc, score, firstPosition);
        });

    const double infinity = std::numeric_limits<double>::infinity();
    Value maximum =
        s.reduce("BHL", {{masked, "BHLS"}}, -infinity,
                 [](OpBuilder &b, Location loc, ValueRange x) -> Value {
                   return arith::MaximumFOp::create(b, loc, x[1], x[0]);
                 });
    Value weights =
        s.map(type, "BHLS", {{masked, "BHLS"}, {maximum, "BHL"}},
              [&](OpBuilder &b, Location loc, ValueRange x) -> Value {
                // A row without keys has the maximum −∞, and −∞ − −∞ is NaN.
                Value shift =
                    selectEqual(b, loc, x[1], -infinity,
                                constantLike(b, loc, x[1], 0.0), x[1]);
                return math::ExpOp::create(
                    b, loc, arith::SubFOp::create(b, loc, x[0], shift));
              });
    Value sums = s.contract("BHL", {{weights, "BHLS"}});
    Value weighted = s.contract("BHLV", {{weights, "BHLS"}, values});
    Value result =
        s.map(element, "BHLV", {{weighted, "BHLV"}, {sums, "BHL"}},
              [](OpBuilder &b, Location loc, ValueRange x) {
                Value quotient = arith::DivFOp::create(b, loc, x[0], x[1]);
                return selectEqual(b, loc, x[1], 0.0,
                                   constantLike(b, loc, x[0], 0.0), quotient);
              });
    rewriter.replaceOp(op, castTensor(rewriter, loc, result, op.getType()));
    return success();
  }

private:
  /// Joins past and own tokens (dimension 2).
  static Value joinPast(OpBuilder &b, Location loc, Value past, Value own) {
    if (!past)
      return own;
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, own);
    OpFoldResult pastSize = tensor::getMixedSize(b, loc, past, 2);
    AffineExpr d0, d1;
    bindDims(b.getContext(), d0, d1);
    SmallVector<OpFoldResult> joined(sizes), pastSizes(sizes),
        offsets(4, b.getIndexAttr(0)), strides(4, b.getIndexAttr(1));
    joined[2] = affine::makeComposedFoldedAffineApply(b, loc, d0 + d1,
                                                      {pastSize, sizes[2]});
    pastSizes[2] = pastSize;
    Value both = tensor::EmptyOp::create(b, loc, joined, elementType(own));
    both = tensor::InsertSliceOp::create(b, loc, sized(b, loc, past, pastSizes),
                                         both, offsets, pastSizes, strides);
    offsets[2] = pastSize;
    return tensor::InsertSliceOp::create(b, loc, own, both, offsets, sizes,
                                         strides);
  }

  /// The tensor as a type that says what is static in `sizes`.
  static Value sized(OpBuilder &b, Location loc, Value tensor,
                     ArrayRef<OpFoldResult> sizes) {
    SmallVector<int64_t> shape;
    for (OpFoldResult size : sizes)
      shape.push_back(getConstantIntValue(size).value_or(ShapedType::kDynamic));
    return castTensor(b, loc, tensor,
                      cast<RankedTensorType>(tensor.getType()).clone(shape));
  }

  static Lettered biasOperand(SegmentAttentionOp op) {
    auto type = cast<RankedTensorType>(op.getBias().getType());
    std::string names = "BHLS";
    for (unsigned i = 0; i < 3; ++i)
      if (type.getDimSize(i) == 1)
        names[i] = '1';
    return {op.getBias(), names};
  }

  static Value getScale(SegmentAttentionOp op, StructuredBuilder &s,
                        OpBuilder &b) {
    if (op.getScale())
      return s.constant(op.getScale()->convertToDouble());
    OpFoldResult size = sizeOf(b, op, 'K');
    if (auto known = getConstantIntValue(size))
      return s.constant(1.0 / std::sqrt(std::max<double>(1.0, *known)));
    Location loc = op.getLoc();
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    Value count = arith::MaxUIOp::create(b, loc, indexValue(b, loc, size), one);
    Value root =
        math::SqrtOp::create(b, loc, toFloat(b, loc, count, b.getF64Type()));
    Value scale =
        arith::DivFOp::create(b, loc, constantLike(b, loc, root, 1.0), root);
    return convertFloat(b, loc, scale, s.getComputeType());
  }

  /// The position of query 0, counted from the first past key; null where
  /// positions do not matter.
  static Value getFirstPosition(SegmentAttentionOp op, OpBuilder &b) {
    if (op.getMask() == Mask::Full)
      return {};
    Location loc = op.getLoc();
    AffineExpr d0, d1, d2;
    bindDims(b.getContext(), d0, d1, d2);
    OpFoldResult past = b.getIndexAttr(0);
    if (op.getPastKey())
      past = sizeOf(b, op, 'P');
    OpFoldResult position =
        op.getQueryOffset()
            ? affine::makeComposedFoldedAffineApply(
                  b, loc, d0 + d1, {past, OpFoldResult(op.getQueryOffset())})
            : affine::makeComposedFoldedAffineApply(
                  b, loc, d0 + d1 - d2,
                  {past, sizeOf(b, op, 'J'), sizeOf(b, op, 'L')});
    return indexValue(b, loc, position);
  }

  /// The score, or −∞ where the key is out of sight; the loops are B, H, L, S.
  static Value mask(SegmentAttentionOp op, OpBuilder &b, Location loc,
                    Value score, Value firstPosition) {
    if (op.getMask() == Mask::Full)
      return score;
    Value position = arith::AddIOp::create(b, loc, firstPosition,
                                           linalg::IndexOp::create(b, loc, 2));
    Value key = linalg::IndexOp::create(b, loc, 3);
    Value visible =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle, key, position);
    if (op.getMask() == Mask::Window) {
      Value window = arith::ConstantIndexOp::create(b, loc, *op.getWindow());
      Value behind = arith::SubIOp::create(b, loc, position, window);
      Value inWindow =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt, key, behind);
      visible = arith::AndIOp::create(b, loc, visible, inWindow);
    }
    Value hidden =
        constantLike(b, loc, score, -std::numeric_limits<double>::infinity());
    return arith::SelectOp::create(b, loc, visible, score, hidden);
  }
};

struct DecomposeRope final : OpRewritePattern<RopeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RopeOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    StructuredBuilder s(rewriter, loc, computeType(type.getElementType()));
    int64_t rank = type.getRank();
    // C counts the pairs: K / 2.
    std::string names = lettersOf(rank, "LC");
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(rewriter, loc, op.getInput());
    AffineExpr d0;
    bindDims(rewriter.getContext(), d0);
    OpFoldResult half = affine::makeComposedFoldedAffineApply(
        rewriter, loc, d0.floorDiv(2), {sizes.back()});
    auto [cos, sin] =
        op.getCos() ? sliceTables(op, rewriter, {sizes[rank - 2], half})
                    : computeTables(op, rewriter, s, {sizes[rank - 2], half});

    SmallVector<OpFoldResult> offsets(rank, rewriter.getIndexAttr(0)),
        strides(rank, rewriter.getIndexAttr(1)), halfSizes(sizes);
    halfSizes.back() = half;
    Value low = tensor::ExtractSliceOp::create(rewriter, loc, op.getInput(),
                                               offsets, halfSizes, strides);
    offsets.back() = half;
    Value high = tensor::ExtractSliceOp::create(rewriter, loc, op.getInput(),
                                                offsets, halfSizes, strides);
    auto rotate = [&](Value a, Value b, bool negative) {
      return s.map(
          type.getElementType(), names,
          {{a, names}, {b, names}, {cos, "LC"}, {sin, "LC"}},
          [&](OpBuilder &builder, Location loc, ValueRange x) -> Value {
            Value straight = arith::MulFOp::create(builder, loc, x[0], x[2]);
            Value crossed = arith::MulFOp::create(builder, loc, x[1], x[3]);
            if (negative)
              return arith::SubFOp::create(builder, loc, straight, crossed);
            return arith::AddFOp::create(builder, loc, straight, crossed);
          });
    };
    Value newLow = rotate(low, high, /*negative=*/true);
    Value newHigh = rotate(high, low, /*negative=*/false);
    Value result =
        tensor::EmptyOp::create(rewriter, loc, sizes, type.getElementType());
    result = tensor::InsertSliceOp::create(rewriter, loc, newHigh, result,
                                           offsets, halfSizes, strides);
    offsets.back() = rewriter.getIndexAttr(0);
    result = tensor::InsertSliceOp::create(rewriter, loc, newLow, result,
                                           offsets, halfSizes, strides);
    rewriter.replaceOp(op, castTensor(rewriter, loc, result, type));
    return success();
  }

private:
  /// The tables' rows of the input's positions.
  static std::pair<Value, Value> sliceTables(RopeOp op, OpBuilder &b,
                                             ArrayRef<OpFoldResult> sizes) {
    OpFoldResult first = b.getIndexAttr(0);
    if (op.getOffset())
      first = getAsOpFoldResult(op.getOffset());
    SmallVector<OpFoldResult> offsets{first, b.getIndexAttr(0)},
        strides(2, b.getIndexAttr(1));
    Value cos = tensor::ExtractSliceOp::create(b, op.getLoc(), op.getCos(),
                                               offsets, sizes, strides);
    Value sin = tensor::ExtractSliceOp::create(b, op.getLoc(), op.getSin(),
                                               offsets, sizes, strides);
    return {cos, sin};
  }

  /// cos and sin of (offset + i) · base^(−2c/K) / factor, in f64, rounded once.
  static std::pair<Value, Value> computeTables(RopeOp op, OpBuilder &b,
                                               StructuredBuilder &s,
                                               ArrayRef<OpFoldResult> sizes) {
    Location loc = op.getLoc();
    Type f64 = b.getF64Type();
    StructuredBuilder wide(b, loc, f64);
    Value count = toFloat(b, loc, indexValue(b, loc, sizes[1]), f64);
    Value frequencies = wide.map(
        f64, "C", {},
        [&](OpBuilder &b, Location loc, ValueRange) -> Value {
          // −2c/K = −c/C
          Value pair = toFloat(b, loc, linalg::IndexOp::create(b, loc, 0), f64);
          Value exponent = arith::DivFOp::create(
              b, loc, arith::NegFOp::create(b, loc, pair), count);
          Value base =
              constantLike(b, loc, pair, op.getBase().convertToDouble());
          Value frequency = math::PowFOp::create(b, loc, base, exponent);
          return arith::DivFOp::create(
              b, loc, frequency,
              constantLike(b, loc, pair, op.getFactor().convertToDouble()));
        },
        sizes[1]);
    auto table = [&](bool cosine) {
      return wide.map(
          s.getComputeType(), "LC", {{frequencies, "C"}},
          [&](OpBuilder &b, Location loc, ValueRange x) -> Value {
            Value position = linalg::IndexOp::create(b, loc, 0);
            if (op.getOffset())
              position =
                  arith::AddIOp::create(b, loc, position, op.getOffset());
            Value angle = arith::MulFOp::create(
                b, loc, toFloat(b, loc, position, f64), x[0]);
            if (cosine)
              return math::CosOp::create(b, loc, angle);
            return math::SinOp::create(b, loc, angle);
          },
          sizes);
    };
    Value cos = table(true);
    return {cos, table(false)};
  }
};

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

struct DecomposeFeatureMap final : OpRewritePattern<FeatureMapOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(FeatureMapOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getKind() != FeatureMapKind::EluPlusOne)
      return rewriter.notifyMatchFailure(
          op, "the feature map has no definition here");
    auto type = cast<RankedTensorType>(op.getType());
    StructuredBuilder s(rewriter, op.getLoc(),
                        computeType(type.getElementType()));
    std::string names = lettersOf(type.getRank(), "");
    Value result = s.map(
        type.getElementType(), names, {{op.getInput(), names}},
        [](OpBuilder &b, Location loc, ValueRange x) -> Value {
          Value positive =
              arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, x[0],
                                    constantLike(b, loc, x[0], 0.0));
          Value line = arith::AddFOp::create(b, loc, x[0],
                                             constantLike(b, loc, x[0], 1.0));
          Value curve = math::ExpOp::create(b, loc, x[0]);
          return arith::SelectOp::create(b, loc, positive, line, curve);
        });
    rewriter.replaceOp(op, castTensor(rewriter, op.getLoc(), result, type));
    return success();
  }
};

struct DecomposeRetrieve final : OpRewritePattern<MemoryRetrieveOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MemoryRetrieveOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    StructuredBuilder s(rewriter, loc, elementType(op.getMemory()));
    Lettered query{op.getQuery(), "BHLK"};
    Lettered memory = perQueryHead(rewriter, op, op.getMemory(), "BGKV");
    Lettered normalizer = perQueryHead(rewriter, op, op.getNormalizer(), "BGK");
    Value numerators = s.contract("BHLV", {query, memory});
    Value denominators = s.contract("BHL", {query, normalizer});
    Value result = s.map(elementType(op.getResult()), "BHLV",
                         {{numerators, "BHLV"}, {denominators, "BHL"}},
                         [](OpBuilder &b, Location loc, ValueRange x) {
                           return guardedDivide(b, loc, x[0], x[1]);
                         });
    rewriter.replaceOp(op, castTensor(rewriter, loc, result, op.getType()));
    return success();
  }
};

/// Any op that writes a memory, by its interface: each component is one step.
struct DecomposeMemoryWrite final
    : OpInterfaceRewritePattern<MemoryWriteOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(MemoryWriteOpInterface op,
                                PatternRewriter &rewriter) const override {
    SmallVector<StateComponent> components = op.getStateComponents();
    SmallVector<Value> before, results(op->getNumResults());
    for (const StateComponent &component : components)
      before.push_back(op->getOperand(component.operand));
    llvm::SmallBitVector written(op->getNumResults());
    for (const StateComponent &component : components)
      written.set(component.result);
    if (!written.all())
      return rewriter.notifyMatchFailure(
          op, "a result is no component of the state");
    for (auto [i, component] : llvm::enumerate(components))
      results[component.result] =
          op.buildStep(rewriter, op.getLoc(), i, before);
    rewriter.replaceOp(op, results);
    return success();
  }
};

/// An op of another dialect with a shape signature, by its own definition.
struct DecomposeAggregated final
    : OpInterfaceRewritePattern<linalg::AggregatedOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(linalg::AggregatedOpInterface op,
                                PatternRewriter &rewriter) const override {
    FailureOr<SmallVector<Value>> values = op.decomposeOperation(rewriter);
    if (failed(values))
      return rewriter.notifyMatchFailure(op, "the op has no decomposition");
    for (auto [value, type] : llvm::zip(*values, op->getResultTypes()))
      value = castTensor(rewriter, op.getLoc(), value, type);
    rewriter.replaceOp(op, *values);
    return success();
  }
};

struct DecomposeGate final : OpRewritePattern<GateOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GateOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type element = elementType(op.getResult());
    Type type =
        wider(computeType(element), computeType(elementType(op.getBeta())));
    if (op.getNormalizer()) // a small z must not become 0
      type = wider(type, elementType(op.getNormalizer()));
    StructuredBuilder s(rewriter, loc, type);
    Lettered beta{op.getBeta(), betaNames(op).str()};
    Value gate =
        s.map(type, beta.letters, {beta},
              [](OpBuilder &b, Location loc, ValueRange x) -> Value {
                Value decay = math::ExpOp::create(
                    b, loc, arith::NegFOp::create(b, loc, x[0]));
                Value one = constantLike(b, loc, x[0], 1.0);
                return arith::DivFOp::create(
                    b, loc, one, arith::AddFOp::create(b, loc, one, decay));
              });
    SmallVector<Lettered> inputs{{op.getMemory(), "BHLV"},
                                 {op.getLocal(), "BHLV"},
                                 {gate, beta.letters}};
    if (op.getNormalizer())
      inputs.push_back(
          perQueryHead(rewriter, op, largestMagnitude(op, rewriter), "BG"));
    Value result = s.map(
        element, "BHLV", inputs, [](OpBuilder &b, Location loc, ValueRange x) {
          Value blended = blend(b, loc, x[0], x[1], x[2]);
          return x.size() < 4 ? blended
                              : selectEqual(b, loc, x[3], 0.0, x[1], blended);
        });
    rewriter.replaceOp(op, castTensor(rewriter, loc, result, op.getType()));
    return success();
  }

private:
  static StringRef betaNames(GateOp op) {
    static constexpr StringRef names[] = {"H", "HV", "BHL", "BHLV"};
    return names[cast<RankedTensorType>(op.getBeta().getType()).getRank() - 1];
  }

  /// max |z| of each key/value head: 0 where nothing was stored.
  static Value largestMagnitude(GateOp op, OpBuilder &b) {
    StructuredBuilder s(b, op.getLoc(), elementType(op.getNormalizer()));
    return s.reduce("BG", {{op.getNormalizer(), "BGK"}}, 0.0,
                    [](OpBuilder &b, Location loc, ValueRange x) -> Value {
                      Value magnitude = math::AbsFOp::create(b, loc, x[0]);
                      return arith::MaximumFOp::create(b, loc, x[1], magnitude);
                    });
  }

  /// g memory + (1 − g) local, where a weight of 0 leaves nothing, be it NaN.
  static Value blend(OpBuilder &b, Location loc, Value memory, Value local,
                     Value g) {
    Value zero = constantLike(b, loc, g, 0.0);
    Value rest = arith::SubFOp::create(b, loc, constantLike(b, loc, g, 1.0), g);
    Value ofMemory = selectEqual(b, loc, g, 0.0, zero,
                                 arith::MulFOp::create(b, loc, g, memory));
    Value ofLocal = selectEqual(b, loc, rest, 0.0, zero,
                                arith::MulFOp::create(b, loc, rest, local));
    return arith::AddFOp::create(b, loc, ofMemory, ofLocal);
  }
};

struct DecomposeAffineScan final : OpRewritePattern<AffineScanOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AffineScanOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type element = elementType(op.getInitial());
    bool matrix =
        cast<RankedTensorType>(op.getInitial().getType()).getRank() == 4;
    StringRef names = matrix ? "BGKV" : "BGK";
    StructuredBuilder s(rewriter, loc, element);
    // The loop carries types that hold every static size that an operand knows.
    SmallVector<OpFoldResult> sizes{sizeOf(rewriter, op, 'S')};
    for (DimName name : names)
      sizes.push_back(sizeOf(rewriter, op, name));
    Value empty = tensor::EmptyOp::create(rewriter, loc, sizes, element);
    auto stackType = cast<RankedTensorType>(empty.getType());
    auto stateType =
        RankedTensorType::get(stackType.getShape().drop_front(), element);
    Value initial = castTensor(rewriter, loc, op.getInitial(), stateType);
    Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0);
    Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
    auto loop = scf::ForOp::create(
        rewriter, loc, zero, indexValue(rewriter, loc, sizes[0]), one,
        ValueRange{empty, initial},
        [&](OpBuilder &b, Location loc, Value segment, ValueRange carried) {
          Value state = carried[1];
          auto [offsets, extents, strides] = entry(b, sizes, segment);
          Value before = tensor::InsertSliceOp::create(
              b, loc, state, carried[0], offsets, extents, strides);
          Value moved = state;
          if (op.getFactors()) {
            Value factor = extractEntry(b, loc, op.getFactors(), segment);
            bool full =
                cast<RankedTensorType>(factor.getType()).getRank() == 4 &&
                matrix;
            // J counts as K does: the rows of the state before.
            moved = full
                        ? s.contract(names, {{factor, "BGKJ"}, {state, "BGJV"}})
                        : multiply(s, names, factor, state);
          }
          Value after = s.add(
              names, moved, extractEntry(b, loc, op.getIncrements(), segment));
          after = castTensor(b, loc, after, stateType);
          scf::YieldOp::create(b, loc, ValueRange{before, after});
        });
    rewriter.replaceOp(
        op,
        {castTensor(rewriter, loc, loop.getResult(0), op.getBefore().getType()),
         castTensor(rewriter, loc, loop.getResult(1), op.getLast().getType())});
    return success();
  }

private:
  struct Entry {
    SmallVector<OpFoldResult> offsets, extents, strides;
  };

  /// Where entry `segment` of a stack of these sizes lies.
  static Entry entry(OpBuilder &b, ArrayRef<OpFoldResult> sizes,
                     Value segment) {
    Entry result;
    result.extents.assign(sizes.begin(), sizes.end());
    result.extents[0] = b.getIndexAttr(1);
    result.offsets.assign(result.extents.size(), b.getIndexAttr(0));
    result.offsets[0] = segment;
    result.strides.assign(result.extents.size(), b.getIndexAttr(1));
    return result;
  }

  static Value extractEntry(OpBuilder &b, Location loc, Value stack,
                            Value segment) {
    auto type = cast<RankedTensorType>(stack.getType());
    auto [offsets, extents, strides] =
        entry(b, tensor::getMixedSizes(b, loc, stack), segment);
    auto entryType = RankedTensorType::get(type.getShape().drop_front(),
                                           type.getElementType());
    return tensor::ExtractSliceOp::create(b, loc, entryType, stack, offsets,
                                          extents, strides);
  }

  static Value multiply(StructuredBuilder &s, StringRef names, Value diagonal,
                        Value state) {
    return s.map(s.getComputeType(), names,
                 {{diagonal, "BGK"}, {state, names.str()}},
                 [](OpBuilder &b, Location loc, ValueRange x) -> Value {
                   return arith::MulFOp::create(b, loc, x[0], x[1]);
                 });
  }
};

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// Counts the ops that patterns replace.
struct ReplacementCounter final : RewriterBase::Listener {
  void notifyOperationReplaced(Operation *op, ValueRange) override { ++count; }
  int64_t count = 0;
};

struct Decompose final : infini::impl::InfiniDecomposeBase<Decompose> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateInfiniDecomposePatterns(patterns);
    ReplacementCounter counter;
    // No definition holds another infini op, so one walk is enough.
    walkAndApplyPatterns(getOperation(), std::move(patterns), &counter);
    decomposed += counter.count;
  }
};

} // namespace

void infini::populateInfiniDecomposePatterns(RewritePatternSet &patterns) {
  patterns.add<DecomposeAttention, DecomposeRope, DecomposeFeatureMap,
               DecomposeRetrieve, DecomposeMemoryWrite, DecomposeGate,
               DecomposeAffineScan, DecomposeAggregated>(patterns.getContext());
}
