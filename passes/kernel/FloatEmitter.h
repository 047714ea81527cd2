// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic on f32 or f64, as code: what functions are made of.

#ifndef INFINI_PASSES_KERNEL_FLOATEMITTER_H
#define INFINI_PASSES_KERNEL_FLOATEMITTER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"

namespace infini {

/// Makes ops on numbers, or vectors of them, of one type.
class FloatEmitter {
public:
  using Value = mlir::Value;
  using Predicate = mlir::arith::CmpFPredicate;

  FloatEmitter(mlir::OpBuilder &builder, mlir::Location loc, mlir::Type type);
  /// The same numbers in f64.
  FloatEmitter widened() const;

  bool isF64() const;
  Value number(double value);
  Value integer(int64_t value);

  Value add(Value x, Value y) { return make<mlir::arith::AddFOp>(x, y); }
  Value sub(Value x, Value y) { return make<mlir::arith::SubFOp>(x, y); }
  Value mul(Value x, Value y) { return make<mlir::arith::MulFOp>(x, y); }
  Value div(Value x, Value y) { return make<mlir::arith::DivFOp>(x, y); }
  Value neg(Value x) { return make<mlir::arith::NegFOp>(x); }
  Value abs(Value x) { return make<mlir::math::AbsFOp>(x); }
  Value sqrt(Value x) { return make<mlir::math::SqrtOp>(x); }
  Value trunc(Value x) { return make<mlir::math::TruncOp>(x); }
  /// x · y + z, rounded once.
  Value fma(Value x, Value y, Value z) {
    return make<mlir::math::FmaOp>(x, y, z);
  }
  Value withSignOf(Value x, Value sign) {
    return make<mlir::math::CopySignOp>(x, sign);
  }
  /// Coefficients from the highest power to the lowest.
  Value polynomial(Value x, llvm::ArrayRef<double> coefficients);

  Value compare(Predicate predicate, Value x, Value y) {
    return make<mlir::arith::CmpFOp>(predicate, x, y);
  }
  Value compare(Predicate predicate, Value x, double y) {
    return compare(predicate, x, number(y));
  }
  Value select(Value condition, Value x, Value y) {
    return make<mlir::arith::SelectOp>(condition, x, y);
  }
  Value both(Value x, Value y) { return make<mlir::arith::AndIOp>(x, y); }
  Value either(Value x, Value y) { return make<mlir::arith::OrIOp>(x, y); }
  /// min(max(x, low), high); NaN stays NaN.
  Value clamp(Value x, double low, double high);

  Value bitsOf(Value x) { return make<mlir::arith::BitcastOp>(bits, x); }
  Value ofBits(Value x) { return make<mlir::arith::BitcastOp>(type, x); }
  /// Of a narrower type; to this one.
  Value extended(Value x) { return make<mlir::arith::ExtFOp>(type, x); }
  /// Of a wider type.
  Value truncated(Value x) { return make<mlir::arith::TruncFOp>(type, x); }
  /// The number that an integer is.
  Value ofInteger(Value x) { return make<mlir::arith::SIToFPOp>(type, x); }
  /// Whether a bit of an integer is set.
  Value hasBit(Value x, int64_t bit);
  /// The nearest integer, as a number and as an integer. |x| is below 2^21, in
  /// f64 2^50; NaN stays NaN, and is some integer.
  std::pair<Value, Value> round(Value x);
  /// 2^exponent, a normal number.
  Value powerOfTwo(Value exponent);
  /// value · 2^exponent, in two steps, so that results may be subnormal or
  /// infinite.
  Value scale(Value value, Value exponent);

  /// Bits of the mantissa that are stored.
  int64_t mantissaBits() const { return isF64() ? 52 : 23; }
  int64_t bias() const { return isF64() ? 1023 : 127; }

  template <typename OpTy, typename... Args> Value make(Args &&...args) {
    return OpTy::create(b, loc, std::forward<Args>(args)...).getResult();
  }

private:
  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Type type, bits;
};

} // namespace infini

#endif // INFINI_PASSES_KERNEL_FLOATEMITTER_H
