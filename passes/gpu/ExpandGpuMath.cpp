// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions without an instruction, as arithmetic. The coefficients of the f64
// ones are those of Moshier's Cephes library (exp, sin, cos).

#include "infini/passes/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace infini {
#define GEN_PASS_DEF_INFINIEXPANDGPUMATH
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

namespace {

/// Arithmetic on f64 numbers or vectors.
class Emitter {
public:
  Emitter(OpBuilder &b, Location loc, Type type)
      : b(b), loc(loc), type(type), integer(b.getI64Type()) {
    if (auto vector = dyn_cast<VectorType>(type))
      integer = vector.clone(integer);
  }

  Value number(double value) {
    TypedAttr attr = b.getF64FloatAttr(value);
    if (auto shaped = dyn_cast<ShapedType>(type))
      attr = DenseElementsAttr::get(shaped, attr);
    return arith::ConstantOp::create(b, loc, attr);
  }
  Value integerNumber(int64_t value) {
    TypedAttr attr = b.getI64IntegerAttr(value);
    if (auto shaped = dyn_cast<ShapedType>(integer))
      attr = DenseElementsAttr::get(shaped, attr);
    return arith::ConstantOp::create(b, loc, attr);
  }
  Value fma(Value x, Value y, Value z) {
    return math::FmaOp::create(b, loc, x, y, z);
  }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, loc, x, y); }
  Value polynomial(Value x, ArrayRef<double> coefficients) {
    Value result = number(coefficients.front());
    for (double coefficient : coefficients.drop_front())
      result = fma(result, x, number(coefficient));
    return result;
  }
  Value toInteger(Value x) {
    return arith::FPToSIOp::create(b, loc, integer, x);
  }
  /// Whether a bit of an integer is set.
  Value hasBit(Value x, int64_t bit) {
    return arith::CmpIOp::create(
        b, loc, arith::CmpIPredicate::ne,
        arith::AndIOp::create(b, loc, x, integerNumber(bit)), integerNumber(0));
  }
  Value select(Value condition, Value x, Value y) {
    return arith::SelectOp::create(b, loc, condition, x, y);
  }
  Value clamp(Value x, double low, double high) {
    auto less = [&](Value a, Value c) -> Value {
      return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, a, c);
    };
    x = select(less(x, number(low)), number(low), x);
    return select(less(number(high), x), number(high), x);
  }
  /// value · 2^exponent, in two steps, so that results may be subnormal or
  /// infinite.
  Value scale(Value value, Value exponent) {
    Value first = arith::ShRSIOp::create(b, loc, exponent, integerNumber(1));
    Value second = arith::SubIOp::create(b, loc, exponent, first);
    for (Value part : {first, second}) {
      Value biased = arith::AddIOp::create(b, loc, part, integerNumber(1023));
      Value power = arith::BitcastOp::create(
          b, loc, type,
          arith::ShLIOp::create(b, loc, biased, integerNumber(52)));
      value = mul(value, power);
    }
    return value;
  }

private:
  OpBuilder &b;
  Location loc;
  Type type, integer;
};

/// e^x = 2^n · e^r with n the nearest integer to x / ln 2.
struct ExpandExp64 final : OpRewritePattern<math::ExpOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::ExpOp op,
                                PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF64())
      return rewriter.notifyMatchFailure(op, "is not in f64");
    Location loc = op.getLoc();
    Emitter e(rewriter, loc, op.getType());
    Value x = e.clamp(op.getOperand(), -800, 720);
    Value n = math::RoundEvenOp::create(
        rewriter, loc, e.mul(x, e.number(1.4426950408889634073599)));
    Value r = e.fma(n, e.number(-6.93145751953125e-1), x);
    r = e.fma(n, e.number(-1.42860682030941723212e-6), r);
    Value z = e.mul(r, r);
    Value p = e.mul(r, e.polynomial(z, {1.26177193074810590878e-4,
                                        3.02994407707441961300e-2,
                                        9.99999999999999999910e-1}));
    Value q =
        e.polynomial(z, {3.00198505138664455042e-6, 2.52448340349684104192e-3,
                         2.27265548208155028766e-1, 2.00000000000000000009e0});
    Value quotient = arith::DivFOp::create(rewriter, loc, p, e.sub(q, p));
    rewriter.replaceOp(
        op, e.scale(e.fma(quotient, e.number(2), e.number(1)), e.toInteger(n)));
    return success();
  }
};

/// Both functions of |r| ≤ π/4, r = x − n π/2, and the one that n mod 4 says.
template <typename OpTy, bool isCosine>
struct ExpandSine64 final : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF64())
      return rewriter.notifyMatchFailure(op, "is not in f64");
    Location loc = op.getLoc();
    Emitter e(rewriter, loc, op.getType());
    Value x = op.getOperand();
    Value n = math::RoundEvenOp::create(
        rewriter, loc, e.mul(x, e.number(6.36619772367581382433e-1)));
    // π/2 in three parts.
    Value r = e.fma(n, e.number(-1.57079632679489655800e0), x);
    r = e.fma(n, e.number(-6.12323399573676603587e-17), r);
    r = e.fma(n, e.number(1.49738490485916983e-33), r);
    Value z = e.mul(r, r);
    Value sine = e.polynomial(
        z, {1.58962301576546568060e-10, -2.50507477628578072866e-8,
            2.75573136213857245213e-6, -1.98412698295895385996e-4,
            8.33333333332211858878e-3, -1.66666666666666307295e-1});
    sine = e.fma(e.mul(r, z), sine, r);
    Value cosine = e.polynomial(
        z, {-1.13585365213876817300e-11, 2.08757008419747316778e-9,
            -2.75573141792967388112e-7, 2.48015872888517045348e-5,
            -1.38888888888730564116e-3, 4.16666666666665929218e-2});
    cosine = e.fma(e.mul(z, z), cosine, e.fma(z, e.number(-0.5), e.number(1)));
    Value quadrant = e.toInteger(n);
    if (isCosine)
      quadrant =
          arith::AddIOp::create(rewriter, loc, quadrant, e.integerNumber(1));
    Value value = e.select(e.hasBit(quadrant, 1), cosine, sine);
    Value negative = arith::NegFOp::create(rewriter, loc, value);
    rewriter.replaceOp(op, e.select(e.hasBit(quadrant, 2), negative, value));
    return success();
  }
};

/// 2^x by way of e^(x ln 2), the rounding of the product put back.
struct ExpandExp2In64 final : OpRewritePattern<math::Exp2Op> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::Exp2Op op,
                                PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF64())
      return rewriter.notifyMatchFailure(op, "is not in f64");
    Location loc = op.getLoc();
    Emitter e(rewriter, loc, op.getType());
    // The whole part by the exponent, so that little is left to round.
    Value x = e.clamp(op.getOperand(), -1100, 1030);
    Value n = math::RoundEvenOp::create(rewriter, loc, x);
    Value r = e.mul(e.sub(x, n), e.number(6.93147180559945309417e-1));
    Value power = math::ExpOp::create(rewriter, loc, r);
    rewriter.replaceOp(op, e.scale(power, e.toInteger(n)));
    return success();
  }
};

/// Sine and cosine in f32 by way of f64: no argument is too large to reduce.
template <typename OpTy> struct WidenSine final : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    Type type = op.getType();
    if (!getElementTypeOrSelf(type).isF32())
      return rewriter.notifyMatchFailure(op, "is not in f32");
    Type wide = rewriter.getF64Type();
    if (auto vector = dyn_cast<VectorType>(type))
      wide = vector.clone(wide);
    Value x =
        arith::ExtFOp::create(rewriter, op.getLoc(), wide, op.getOperand());
    rewriter.replaceOpWithNewOp<arith::TruncFOp>(
        op, type, OpTy::create(rewriter, op.getLoc(), x));
    return success();
  }
};

struct ExpandGpuMath final
    : infini::impl::InfiniExpandGpuMathBase<ExpandGpuMath> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandExp64, ExpandSine64<math::SinOp, false>,
                 ExpandSine64<math::CosOp, true>, ExpandExp2In64,
                 WidenSine<math::SinOp>, WidenSine<math::CosOp>>(&getContext());
    populateInfiniExpandExpPatterns(patterns);
    math::populateExpansionPatterns(patterns,
                                    {"powf", "sinh", "cosh", "tan", "asinh",
                                     "acosh", "atanh", "clampf", "rsqrt"});
    populateMathPolynomialApproximationPatterns(patterns, [](StringRef name) {
      return name != math::ExpOp::getOperationName() &&
             name != math::Exp2Op::getOperationName() &&
             name != math::SinOp::getOperationName() &&
             name != math::CosOp::getOperationName();
    });
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    getOperation().walk([&](Operation *op) {
      if (!isa<math::MathDialect>(op->getDialect()) ||
          isa<math::FmaOp, math::SqrtOp, math::AbsFOp, math::FloorOp,
              math::CeilOp, math::RoundOp, math::RoundEvenOp, math::TruncOp,
              math::CopySignOp, math::AbsIOp, math::IsNaNOp, math::IsInfOp,
              math::IsFiniteOp>(op))
        return;
      if (isa<math::Exp2Op>(op) &&
          getElementTypeOrSelf(op->getResult(0).getType()).isF32())
        return;
      op->emitError("'") << op->getName().getStringRef() << "' of "
                         << getElementTypeOrSelf(op->getResult(0).getType())
                         << " has no form on GPUs";
      signalPassFailure();
    });
  }
};
} // namespace
