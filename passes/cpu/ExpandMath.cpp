// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// f32 exponentials as straight-line code, which loop vectorisers like. The
// coefficients are those of Moshier's Cephes library (exp2f, expf).

#include "infini/passes/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace infini {
#define GEN_PASS_DEF_INFINIEXPANDMATH
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

namespace {

/// Arithmetic on f32 scalars or vectors.
class Emitter {
public:
  Emitter(OpBuilder &b, Location loc, Type type) : b(b), loc(loc), type(type) {
    integer = b.getI32Type();
    if (auto vector = dyn_cast<VectorType>(type))
      integer = vector.clone(integer);
  }

  Value number(float value) {
    TypedAttr attr = b.getF32FloatAttr(value);
    if (auto shaped = dyn_cast<ShapedType>(type))
      attr = DenseElementsAttr::get(shaped, attr);
    return arith::ConstantOp::create(b, loc, attr);
  }
  Value integerNumber(int32_t value) {
    TypedAttr attr = b.getI32IntegerAttr(value);
    if (auto shaped = dyn_cast<ShapedType>(integer))
      attr = DenseElementsAttr::get(shaped, attr);
    return arith::ConstantOp::create(b, loc, attr);
  }
  Value fma(Value x, Value y, Value z) {
    return math::FmaOp::create(b, loc, x, y, z);
  }
  /// min(max(x, low), high); NaN stays NaN.
  Value clamp(Value x, float low, float high) {
    Value l = number(low), h = number(high);
    x = arith::SelectOp::create(
        b, loc, arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, l),
        l, x);
    return arith::SelectOp::create(
        b, loc, arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, x, h),
        h, x);
  }
  Value polynomial(Value x, ArrayRef<float> coefficients) {
    Value result = number(coefficients.front());
    for (float coefficient : coefficients.drop_front())
      result = fma(result, x, number(coefficient));
    return result;
  }
  /// The nearest integer, as a number and as an integer. Adding 1.5·2^23 leaves
  /// it in the low bits of the mantissa; |x| stays below 2^21.
  std::pair<Value, Value> round(Value x) {
    Value magic = number(12582912.0f);
    Value shifted = arith::AddFOp::create(b, loc, x, magic);
    Value rounded = arith::SubFOp::create(b, loc, shifted, magic);
    Value bits = arith::SubIOp::create(
        b, loc, arith::BitcastOp::create(b, loc, integer, shifted),
        integerNumber(0x4B400000));
    return {rounded, bits};
  }
  /// value · 2^exponent, in two steps, so that results may be subnormal or
  /// infinite.
  Value scale(Value value, Value exponent) {
    Value first = arith::ShRSIOp::create(b, loc, exponent, integerNumber(1));
    Value second = arith::SubIOp::create(b, loc, exponent, first);
    for (Value part : {first, second}) {
      Value biased = arith::AddIOp::create(b, loc, part, integerNumber(127));
      Value power = arith::BitcastOp::create(
          b, loc, type,
          arith::ShLIOp::create(b, loc, biased, integerNumber(23)));
      value = arith::MulFOp::create(b, loc, value, power);
    }
    return value;
  }

private:
  OpBuilder &b;
  Location loc;
  Type type, integer;
};

/// 2^x = 2^n · 2^f with n the nearest integer and |f| ≤ 1/2.
struct ExpandExp2 final : OpRewritePattern<math::Exp2Op> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::Exp2Op op,
                                PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF32() ||
        isa<TensorType>(op.getType()))
      return rewriter.notifyMatchFailure(
          op, "only f32 numbers and vectors are expanded");
    Emitter e(rewriter, op.getLoc(), op.getType());
    Value x = e.clamp(op.getOperand(), -152.0f, 130.0f);
    auto [rounded, n] = e.round(x);
    Value f = arith::SubFOp::create(rewriter, op.getLoc(), x, rounded);
    Value p =
        e.polynomial(f, {1.535336188319500e-4f, 1.339887440266574e-3f,
                         9.618437357674640e-3f, 5.550332471162809e-2f,
                         2.402264791363012e-1f, 6.931472028550421e-1f, 1.0f});
    rewriter.replaceOp(op, e.scale(p, n));
    return success();
  }
};

/// e^x = 2^n · e^r with n the nearest integer to x / ln 2; ln 2 in two parts.
struct ExpandExp final : OpRewritePattern<math::ExpOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::ExpOp op,
                                PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF32() ||
        isa<TensorType>(op.getType()))
      return rewriter.notifyMatchFailure(
          op, "only f32 numbers and vectors are expanded");
    Emitter e(rewriter, op.getLoc(), op.getType());
    Value x = e.clamp(op.getOperand(), -105.0f, 90.0f);
    auto [rounded, n] = e.round(arith::MulFOp::create(
        rewriter, op.getLoc(), x, e.number(1.44269504088896341f)));
    Value r = e.fma(rounded, e.number(-0.693359375f), x);
    r = e.fma(rounded, e.number(2.12194440e-4f), r);
    Value p = e.polynomial(r, {1.9875691500e-4f, 1.3981999507e-3f,
                               8.3334519073e-3f, 4.1665795894e-2f,
                               1.6666665459e-1f, 5.0000001201e-1f, 1.0f, 1.0f});
    rewriter.replaceOp(op, e.scale(p, n));
    return success();
  }
};

} // namespace

void infini::populateInfiniExpandExpPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandExp>(patterns.getContext());
}

namespace {
struct ExpandMath final : infini::impl::InfiniExpandMathBase<ExpandMath> {
  void runOnOperation() override {
    getOperation().walk([&](Operation *op) {
      expanded += isa<math::Exp2Op, math::ExpOp>(op) &&
                  !isa<TensorType>(op->getResult(0).getType()) &&
                  getElementTypeOrSelf(op->getResult(0).getType()).isF32();
    });
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandExp2, ExpandExp>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
