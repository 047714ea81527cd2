// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Logarithms, and inverses of hyperbolic functions.

#include "infini/passes/gpu/GpuMath.h"
#include <cmath>

using namespace mlir;
using namespace infini;
using Predicate = FloatEmitter::Predicate;

namespace {
/// x = 2^exponent (1 + fraction), √½ ≤ 1 + fraction < √2.
struct SplitNumber {
  Value exponent, fraction;
};
} // namespace

/// Of a positive and finite number.
static SplitNumber split(FloatEmitter &e, Value x) {
  int64_t mantissa = e.mantissaBits();
  // Subnormal numbers are made larger.
  Value isTiny = e.compare(Predicate::OLT, x, e.isF64() ? 0x1p-1022 : 0x1p-126);
  Value larger = e.mul(x, e.number(e.isF64() ? 0x1p54 : 0x1p25));
  x = e.select(isTiny, larger, x);
  // √½, as bits: what is from there on carries into the exponent.
  Value root = e.bitsOf(e.number(M_SQRT1_2)),
        bits = e.make<arith::SubIOp>(e.bitsOf(x), root),
        exponent = e.make<arith::ShRSIOp>(bits, e.integer(mantissa)),
        rest = e.make<arith::AndIOp>(bits,
                                     e.integer((int64_t(1) << mantissa) - 1)),
        number = e.ofBits(e.make<arith::AddIOp>(rest, root));
  Value offset =
      e.select(isTiny, e.integer(e.isF64() ? -54 : -25), e.integer(0));
  exponent = e.make<arith::AddIOp>(exponent, offset);
  return {e.ofInteger(exponent), e.sub(number, e.number(1))};
}

/// log(1 + f) − f, of a fraction as in SplitNumber.
static Value tail(FloatEmitter &e, Value f) {
  Value half = e.mul(e.mul(f, f), e.number(0.5));
  if (!e.isF64()) {
    Value p = e.polynomial(f, {-7.639662e-02, 1.2769139e-01, -1.3161291e-01,
                               1.4200793e-01, -1.6623212e-01, 2.0001261e-01,
                               -2.5000823e-01, 3.333333e-01});
    return e.fma(e.mul(e.mul(f, f), f), p, e.neg(half));
  }
  // 2 artanh(s) with s = f / (2 + f), which is s (f − f²/2) + s² f/… : the
  // first terms are exact in f.
  Value s = e.div(f, e.add(f, e.number(2))), z = e.mul(s, s);
  Value r =
      e.mul(z, e.polynomial(z, {1.4795488581875e-01, 1.531410009688513e-01,
                                1.818356224583653e-01, 2.222219861626808e-01,
                                2.857142874193232e-01, 3.999999999941694e-01,
                                6.666666666666734e-01}));
  return e.sub(e.mul(s, e.add(half, r)), half);
}

/// ln 2 and log10 2 in two parts: the first times an exponent is exact.
static std::pair<Value, Value> naturalOfTwo(FloatEmitter &e) {
  if (e.isF64())
    return {e.number(0.6931471805601177), e.number(-1.7239444525614835e-13)};
  return {e.number(0.693145751953125), e.number(1.4286068e-06)};
}
static std::pair<Value, Value> decimalOfTwo(FloatEmitter &e) {
  if (e.isF64())
    return {e.number(0.3010299956640665), e.number(-8.532344317057107e-14)};
  return {e.number(0.301025390625), e.number(4.605039e-06)};
}

/// `value` where x > least; at `least` −∞, below NaN; ∞ and NaN stay.
static Value withEdges(FloatEmitter &e, Value x, double least, Value value) {
  Value isInside = e.both(e.compare(Predicate::OGT, x, least),
                          e.compare(Predicate::OLT, x, HUGE_VAL));
  Value outside =
      e.select(e.compare(Predicate::OLT, x, least), e.number(NAN), x);
  outside = e.select(e.compare(Predicate::OEQ, x, least), e.number(-HUGE_VAL),
                     outside);
  return e.select(isInside, value, outside);
}

static Value logarithm(FloatEmitter &e, Value x) {
  auto [k, f] = split(e, x);
  auto [high, low] = naturalOfTwo(e);
  Value rest = e.fma(k, low, tail(e, f));
  return withEdges(e, x, 0, e.fma(k, high, e.add(f, rest)));
}

/// log(1 + f) · factor in two parts; `factor` is `high` + `low`.
static std::pair<Value, Value> scaledLogarithm(FloatEmitter &e, Value f,
                                               double high, double low) {
  Value rest = tail(e, f), sum = e.add(f, rest),
        lost = e.sub(rest, e.sub(sum, f)), factor = e.number(high),
        product = e.mul(sum, factor),
        error = e.fma(sum, factor, e.neg(product));
  error = e.fma(sum, e.number(low), error);
  return {product, e.fma(lost, factor, error)};
}

Value infini::logarithm2(FloatEmitter &e, Value x) {
  auto [k, f] = split(e, x);
  auto [product, error] =
      e.isF64()
          ? scaledLogarithm(e, f, 1.4426950408889634, 2.0355273740931033e-17)
          : scaledLogarithm(e, f, 1.4426950216293335, 1.925963e-08);
  return withEdges(e, x, 0, e.add(k, e.add(product, error)));
}

static Value logarithm10(FloatEmitter &e, Value x) {
  auto [k, f] = split(e, x);
  auto [high, low] = decimalOfTwo(e);
  auto [product, error] =
      e.isF64()
          ? scaledLogarithm(e, f, 0.4342944819032518, 1.098319650216765e-17)
          : scaledLogarithm(e, f, 0.4342944920063019, -1.010305e-08);
  error = e.fma(k, low, error);
  return withEdges(e, x, 0, e.fma(k, high, e.add(product, error)));
}

/// log(1 + x): what 1 + x loses is put back, to first order.
static Value logarithmOfOnePlus(FloatEmitter &e, Value x) {
  Value one = e.number(1), sum = e.add(x, one);
  auto [k, f] = split(e, sum);
  Value lost = e.select(e.compare(Predicate::OGT, sum, 2),
                        e.sub(one, e.sub(sum, x)), e.sub(x, e.sub(sum, one)));
  Value correction = e.div(lost, sum);
  // Near 0 nothing is lost.
  Value isNear = e.both(e.compare(Predicate::OGT, x, -0.29),
                        e.compare(Predicate::OLT, x, 0.41));
  f = e.select(isNear, x, f);
  k = e.select(isNear, e.number(0), k);
  correction = e.select(isNear, e.number(0), correction);
  auto [high, low] = naturalOfTwo(e);
  Value rest = e.add(tail(e, f), e.fma(k, low, correction));
  Value value = e.fma(k, high, e.add(f, rest));
  return withEdges(e, x, -1, e.withSignOf(value, x));
}

/// log(x + √(x² + 1)), as log(1 + t) for |x|; log(2 |x|) where x² is out of
/// range, or 1 of no account.
static Value inverseOfSine(FloatEmitter &e, Value x) {
  Value size = e.abs(x), one = e.number(1);
  Value square = e.mul(size, size), root = e.sqrt(e.fma(size, size, one)),
        t = e.add(size, e.div(square, e.add(root, one)));
  Value isLarge = e.compare(Predicate::OGT, size, 0x1p60);
  Value value = logarithmOfOnePlus(e, e.select(isLarge, size, t));
  Value more = e.select(isLarge, e.number(M_LN2), e.number(0));
  return e.withSignOf(e.add(value, more), x);
}

/// log(x + √(x² − 1)), likewise, as log(1 + t) with t from x − 1.
static Value inverseOfCosine(FloatEmitter &e, Value x) {
  Value above = e.sub(x, e.number(1)),
        t = e.add(above, e.sqrt(e.mul(above, e.add(above, e.number(2)))));
  Value isLarge = e.compare(Predicate::OGT, x, 0x1p60);
  Value value = logarithmOfOnePlus(e, e.select(isLarge, x, t));
  Value more = e.select(isLarge, e.number(M_LN2), e.number(0));
  return e.select(e.compare(Predicate::OLT, x, 1), e.number(NAN),
                  e.add(value, more));
}

/// log((1 + |x|) / (1 − |x|)) / 2.
static Value inverseOfTangent(FloatEmitter &e, Value x) {
  Value size = e.abs(x);
  Value ratio = e.div(e.add(size, size), e.sub(e.number(1), size));
  return e.withSignOf(e.mul(logarithmOfOnePlus(e, ratio), e.number(0.5)), x);
}

static constexpr MathFunction kFunctions[] = {
    {"math.log", ofOne<logarithm>},
    {"math.log2", ofOne<logarithm2>},
    {"math.log10", ofOne<logarithm10>},
    {"math.log1p", ofOne<logarithmOfOnePlus>},
    {"math.asinh", ofOne<inverseOfSine>},
    {"math.acosh", ofOne<inverseOfCosine>},
    {"math.atanh", ofOne<inverseOfTangent>},
};

ArrayRef<MathFunction> infini::logarithmFunctions() { return kFunctions; }
