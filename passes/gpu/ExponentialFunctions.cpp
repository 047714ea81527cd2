// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exponentials, hyperbolic functions, and powers.

#include "infini/passes/gpu/GpuMath.h"
#include "infini/passes/kernel/Exponential.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include <cmath>
#include <optional>

using namespace mlir;
using namespace infini;
using Predicate = FloatEmitter::Predicate;

/// e^x − 1 = 2^n (1 + rest) − 1, half of it at first: 2^n may be out of range
/// where the result is not.
static Value exponentialMinusOne(FloatEmitter &e, Value x) {
  Value clamped = e.isF64() ? e.clamp(x, -40, 710) : e.clamp(x, -20, 89);
  auto [n, rest] = splitExponential(e, clamped);
  Value half = e.powerOfTwo(e.make<arith::SubIOp>(n, e.integer(1)));
  Value value = e.fma(half, rest, e.sub(half, e.number(0.5)));
  value = e.add(value, value);
  // With n = 0 nothing is to be rounded.
  Value isZero =
      e.make<arith::CmpIOp>(arith::CmpIPredicate::eq, n, e.integer(0));
  return e.withSignOf(e.select(isZero, rest, value), x);
}

/// By a polynomial near 0, else e^|x| / 2 − 1 / (2 e^|x|).
static Value hyperbolicSine(FloatEmitter &e, Value x) {
  Value size = e.abs(x), z = e.mul(x, x);
  Value p =
      e.isF64()
          ? e.polynomial(z, {6.473274838171262e-15, 7.503274638107563e-13,
                             1.6061339310783348e-10, 2.5052089412212085e-08,
                             2.7557319310091344e-06, 1.984126984106116e-04,
                             8.333333333333573e-03, 1.6666666666666666e-01})
          : e.polynomial(z, {2.7822132e-06, 1.9842896e-04, 8.3333105e-03,
                             1.6666667e-01});
  Value near = e.fma(e.mul(z, size), p, size);
  Value power = halfExponential(e, size);
  Value far = e.sub(power, e.div(e.number(0.25), power));
  Value isNear = e.compare(Predicate::OLT, size, 1);
  return e.withSignOf(e.select(isNear, near, far), x);
}

static Value hyperbolicCosine(FloatEmitter &e, Value x) {
  Value power = halfExponential(e, e.abs(x));
  return e.add(power, e.div(e.number(0.25), power));
}

/// t / (t + 2) with t = e^2|x| − 1.
static Value hyperbolicTangent(FloatEmitter &e, Value x) {
  Value size = e.clamp(e.abs(x), 0, 30);
  Value t = exponentialMinusOne(e, e.add(size, size));
  return e.withSignOf(e.div(t, e.add(t, e.number(2))), x);
}

/// x + x P(x²) near 0, else 1 − e^Q(|x|).
static Value errorFunction(FloatEmitter &e, Value x) {
  Value size = e.clamp(e.abs(x), 0, 4), z = e.mul(size, size);
  Value near =
      e.fma(e.polynomial(z, {7.998013e-05, -8.0499944e-04, 5.1924167e-03,
                             -2.6855733e-02, 1.1283626e-01, -3.761263e-01,
                             1.2837917e-01}),
            size, size);
  Value far =
      e.sub(e.number(1),
            exponential(e, e.polynomial(size, {1.9590861e-04, -3.0429612e-03,
                                               2.2225983e-02, -1.039298e-01,
                                               -6.3718414e-01, -1.1276746e+00,
                                               -1.9591115e-04})));
  Value isNear = e.compare(Predicate::OLT, size, 0.925);
  return e.withSignOf(e.select(isNear, near, far), x);
}

/// |x|^y in f64, where the logarithm's error is of no account, then the cases
/// of IEEE 754. `y` is in f64.
static Value power(FloatEmitter &e, Value x, Value y) {
  FloatEmitter wide = e.widened();
  Value size = wide.extended(e.abs(x)), one = wide.number(1);
  Value value = exponential2(wide, wide.mul(y, logarithm2(wide, size)));
  // 1^y, (±1)^±∞, and x^0 are 1, even of NaN.
  Value isOne = e.compare(Predicate::OEQ, x, 1),
        isUnit = wide.both(wide.compare(Predicate::OEQ, size, 1),
                           wide.compare(Predicate::OEQ, wide.abs(y), HUGE_VAL)),
        isZeroth = wide.compare(Predicate::OEQ, y, 0);
  value = wide.select(e.either(isOne, e.either(isUnit, isZeroth)), one, value);
  Value result = e.truncated(value);
  // Odd powers have x's sign. Of what is negative and finite, others than
  // whole ones are no numbers.
  auto isWhole = [&](Value number) {
    return wide.compare(Predicate::OEQ, wide.trunc(number), number);
  };
  Value whole = isWhole(y), isEven = isWhole(wide.mul(y, wide.number(0.5)));
  Value isFraction = e.both(e.compare(Predicate::OLT, x, 0),
                            e.compare(Predicate::OGT, x, -HUGE_VAL));
  Value fraction = e.select(isFraction, e.number(NAN), result);
  Value odd = e.withSignOf(result, x);
  return e.select(isEven, result, e.select(whole, odd, fraction));
}

/// Of some exponents a few instructions; else nothing.
static Value shortPower(FloatEmitter &e, Value x, double exponent) {
  if (exponent == 1)
    return x;
  if (exponent == 2)
    return e.mul(x, x);
  if (exponent == 3)
    return e.mul(e.mul(x, x), x);
  if (exponent == -1)
    return e.div(e.number(1), x);
  if (std::abs(exponent) != 0.5)
    return {};
  // Other than the root, the power of −0 is 0, and that of −∞ is ∞.
  Value root = e.sqrt(e.add(x, e.number(0)));
  root = e.select(e.compare(Predicate::OEQ, x, -HUGE_VAL), e.number(HUGE_VAL),
                  root);
  return exponent > 0 ? root : e.div(e.number(1), root);
}

static std::optional<double> constantExponent(Value y) {
  APFloat number(0.0);
  APInt whole;
  if (matchPattern(y, m_ConstantFloat(&number)))
    return number.convertToDouble();
  if (matchPattern(y, m_ConstantInt(&whole)))
    return whole.roundToDouble(/*isSigned=*/true);
  return std::nullopt;
}

/// In f64, where nothing is left to compute it in, of few exponents.
static Value powerOf(FloatEmitter &e, ValueRange operands) {
  Value x = operands[0], y = operands[1];
  if (std::optional<double> exponent = constantExponent(y))
    if (Value value = shortPower(e, x, *exponent))
      return value;
  if (e.isF64())
    return {};
  FloatEmitter wide = e.widened();
  bool isWhole = getElementTypeOrSelf(y.getType()).isInteger();
  return power(e, x, isWhole ? wide.ofInteger(y) : wide.extended(y));
}

static constexpr MathFunction kFunctions[] = {
    {"math.exp", ofOne<exponential>},
    // In f32 it is an instruction.
    {"math.exp2", ofOne<exponential2>, /*inF32=*/false},
    {"math.expm1", ofOne<exponentialMinusOne>},
    {"math.sinh", ofOne<hyperbolicSine>},
    {"math.cosh", ofOne<hyperbolicCosine>},
    {"math.tanh", ofOne<hyperbolicTangent>},
    {"math.erf", ofOne<errorFunction>, /*inF32=*/true, /*inF64=*/false},
    {"math.powf", powerOf},
    {"math.fpowi", powerOf},
};

ArrayRef<MathFunction> infini::exponentialFunctions() { return kFunctions; }
