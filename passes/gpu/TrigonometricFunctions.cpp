// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Trigonometric functions and their inverses. The coefficients of sine and
// cosine are those of Moshier's Cephes library.

#include "infini/passes/gpu/GpuMath.h"
#include <cmath>

using namespace mlir;
using namespace infini;
using Predicate = FloatEmitter::Predicate;

//===----------------------------------------------------------------------===//
// Sine, cosine, tangent: in f64, f32 by way of it
//===----------------------------------------------------------------------===//

namespace {
/// x = n π/2 + rest, |rest| ≤ π/4 or little more; of n the lowest bits count.
struct Reduced {
  Value quadrant, rest;
};
} // namespace

/// π/2 is subtracted in three parts. Beyond 2^45 too little would be left.
static Reduced reduceByParts(FloatEmitter &e, Value x) {
  x = e.select(e.compare(Predicate::OLT, e.abs(x), 0x1p45), x, e.number(NAN));
  auto [n, quadrant] = e.round(e.mul(x, e.number(6.36619772367581382433e-1)));
  Value r = e.fma(n, e.number(-1.57079632679489655800e0), x);
  r = e.fma(n, e.number(-6.12323399573676603587e-17), r);
  return {quadrant, e.fma(n, e.number(1.49738490485916983e-33), r)};
}

/// Of an f32 number, however large: its products with pieces of 2/π are exact,
/// and multiples of 4 go. Each sum's whole part goes, too, so that what is left
/// is as exact as it is small.
static Reduced reduceOfF32(FloatEmitter &e, Value x) {
  // Pieces of 29 bits, and the rest.
  constexpr double pieces[] = {0.636619770899415,      1.4681663246252086e-09,
                               2.2760100671971816e-18, 5.8812147387730434e-27,
                               1.0346868700836215e-35, 3.7832563882960676e-45};
  Value rest, n;
  for (double piece : pieces) {
    Value product = e.mul(x, e.number(piece));
    Value fours = e.make<math::RoundEvenOp>(e.mul(product, e.number(0.25)));
    product = e.fma(fours, e.number(-4), product);
    rest = rest ? e.add(rest, product) : product;
    Value whole = e.make<math::RoundEvenOp>(rest);
    rest = e.sub(rest, whole);
    n = n ? e.add(n, whole) : whole;
  }
  return {e.round(n).second, e.mul(rest, e.number(M_PI_2))};
}

static std::pair<Value, Value> sineAndCosine(FloatEmitter &e, Value r) {
  Value z = e.mul(r, r);
  Value sine =
      e.polynomial(z, {1.58962301576546568060e-10, -2.50507477628578072866e-8,
                       2.75573136214857245213e-6, -1.98412698295895385996e-4,
                       8.33333333332211858878e-3, -1.66666666666666307295e-1});
  Value cosine =
      e.polynomial(z, {-1.13585365213876817300e-11, 2.08757008419747316778e-9,
                       -2.75573141792967388112e-7, 2.48015872888517045348e-5,
                       -1.38888888888730564116e-3, 4.16666666666665929218e-2});
  return {e.fma(e.mul(r, z), sine, r),
          e.fma(e.mul(z, z), cosine, e.fma(z, e.number(-0.5), e.number(1)))};
}

/// What `emit` makes of a reduced number; 0 keeps its sign if it `isOdd`.
static Value
ofReduced(FloatEmitter &e, Value x, bool isOdd,
          llvm::function_ref<Value(FloatEmitter &, Reduced)> emit) {
  FloatEmitter wide = e.widened();
  Value value;
  if (e.isF64())
    value = emit(wide, reduceByParts(wide, x));
  else
    value = e.truncated(emit(wide, reduceOfF32(wide, wide.extended(x))));
  return isOdd ? e.select(e.compare(Predicate::OEQ, x, 0), x, value) : value;
}

/// The sine, or that of a quadrant later.
static Value sine(FloatEmitter &e, Value x, bool isCosine) {
  return ofReduced(e, x, !isCosine, [&](FloatEmitter &w, Reduced reduced) {
    auto [sine, cosine] = sineAndCosine(w, reduced.rest);
    Value quadrant = reduced.quadrant;
    if (isCosine)
      quadrant = w.make<arith::AddIOp>(quadrant, w.integer(1));
    Value value = w.select(w.hasBit(quadrant, 1), cosine, sine);
    return w.select(w.hasBit(quadrant, 2), w.neg(value), value);
  });
}

static Value tangent(FloatEmitter &e, Value x) {
  return ofReduced(e, x, true, [&](FloatEmitter &w, Reduced reduced) {
    auto [sine, cosine] = sineAndCosine(w, reduced.rest);
    Value isOdd = w.hasBit(reduced.quadrant, 1);
    return w.div(w.select(isOdd, w.neg(cosine), sine),
                 w.select(isOdd, sine, cosine));
  });
}

//===----------------------------------------------------------------------===//
// Their inverses
//===----------------------------------------------------------------------===//

/// An angle in two parts.
static std::pair<Value, Value> angle(FloatEmitter &e, double high64,
                                     double low64, double high32,
                                     double low32) {
  return {e.number(e.isF64() ? high64 : high32),
          e.number(e.isF64() ? low64 : low32)};
}
static std::pair<Value, Value> rightAngle(FloatEmitter &e) {
  return angle(e, 1.5707963267948966, 6.123233995736766e-17, 1.5707963705062866,
               -4.371139e-08);
}

/// Of x ≥ 0: by a polynomial up to tan π/8, and from π/4 or π/2 on what
/// remains.
static Value arctangentOfPositive(FloatEmitter &e, Value x) {
  Value isAbove = e.compare(Predicate::OGT, x, M_SQRT2 - 1),
        isFar = e.compare(Predicate::OGT, x, M_SQRT2 + 1), one = e.number(1),
        zero = e.number(0);
  Value numerator =
      e.select(isFar, e.number(-1), e.select(isAbove, e.sub(x, one), x));
  Value denominator = e.select(isFar, x, e.select(isAbove, e.add(x, one), one));
  auto [right, rightLow] = rightAngle(e);
  auto [half, halfLow] = angle(e, 0.7853981633974483, 3.061616997868383e-17,
                               0.7853981852531433, -2.1855694e-08);
  Value high = e.select(isFar, right, e.select(isAbove, half, zero)),
        low = e.select(isFar, rightLow, e.select(isAbove, halfLow, zero));
  Value t = e.div(numerator, denominator), z = e.mul(t, t);
  Value p =
      e.isF64()
          ? e.polynomial(z, {1.4915071666244315e-02, -3.319460936033838e-02,
                             4.491350860927902e-02, -5.215359755934369e-02,
                             5.8765417511882405e-02, -6.666176998727512e-02,
                             7.692279338382729e-02, -9.090907990990824e-02,
                             1.1111111083858796e-01, -1.428571428531769e-01,
                             1.99999999999971e-01, -3.3333333333333326e-01})
          : e.polynomial(z, {-6.090048e-02, 1.0599168e-01, -1.4244391e-01,
                             1.9998528e-01, -3.3333316e-01});
  Value rest = e.fma(e.mul(z, t), p, low);
  return e.add(high, e.add(t, rest));
}

static Value arctangent(FloatEmitter &e, Value x) {
  return e.withSignOf(arctangentOfPositive(e, e.abs(x)), x);
}

/// The angle of the point (x, y).
static Value arctangent2(FloatEmitter &e, Value y, Value x) {
  Value height = e.abs(y), width = e.abs(x), ratio = e.div(height, width);
  // 0 / 0 and ∞ / ∞.
  ratio = e.select(e.compare(Predicate::OEQ, height, 0), e.number(0), ratio);
  Value areInfinite = e.both(e.compare(Predicate::OEQ, height, HUGE_VAL),
                             e.compare(Predicate::OEQ, width, HUGE_VAL));
  ratio = e.select(areInfinite, e.number(1), ratio);
  Value value = arctangentOfPositive(e, ratio);
  auto [half, halfLow] = angle(e, 3.141592653589793, 1.2246467991473532e-16,
                               3.1415927410125732, -8.742278e-08);
  Value isLeft = e.compare(Predicate::OLT, e.withSignOf(e.number(1), x), 0);
  value = e.select(isLeft, e.sub(half, e.sub(value, halfLow)), value);
  value = e.withSignOf(value, y);
  return e.select(e.compare(Predicate::UNO, x, y), e.add(x, y), value);
}

namespace {
/// arcsin of √z as root + tail; z ≤ 1/4.
struct Arcsine {
  Value root, tail;
};
} // namespace

static Value arcsineTail(FloatEmitter &e, Value root, Value z) {
  Value p =
      e.isF64()
          ? e.polynomial(z, {3.263923701895213e-02, -2.101799987193665e-02,
                             2.1721830279236073e-02, 3.7002609555937985e-03,
                             1.0781893087037872e-02, 1.1398626725386614e-02,
                             1.3980853351059627e-02, 1.7351609559251652e-02,
                             2.23722151021148e-02, 3.038194270477078e-02,
                             4.464285717464524e-02, 7.49999999997081e-02,
                             1.666666666666676e-01})
          : e.polynomial(z, {4.2166412e-02, 2.4180774e-02, 4.5469772e-02,
                             7.4953064e-02, 1.6666752e-01});
  return e.mul(e.mul(z, root), p);
}

/// |x| ≤ 1/2, or of the rest by arcsin x = π/2 − 2 arcsin √((1 − x) / 2).
static std::tuple<Value, Arcsine> arcsineParts(FloatEmitter &e, Value x) {
  Value size = e.abs(x), isNear = e.compare(Predicate::OLE, size, 0.5);
  Value z = e.select(isNear, e.mul(x, x),
                     e.mul(e.sub(e.number(1), size), e.number(0.5)));
  Value root = e.select(isNear, size, e.sqrt(z));
  return {isNear, {root, arcsineTail(e, root, z)}};
}

static Value arcsine(FloatEmitter &e, Value x) {
  auto [isNear, parts] = arcsineParts(e, x);
  auto [right, rightLow] = rightAngle(e);
  Value sum = e.add(parts.root, parts.tail);
  Value far = e.sub(right, e.sub(e.add(sum, sum), rightLow));
  return e.withSignOf(e.select(isNear, sum, far), x);
}

static Value arccosine(FloatEmitter &e, Value x) {
  auto [isNear, parts] = arcsineParts(e, x);
  auto [right, rightLow] = rightAngle(e);
  Value isNegative = e.compare(Predicate::OLT, x, 0);
  // π/2 − arcsin x.
  Value root = e.withSignOf(parts.root, x), tail = e.withSignOf(parts.tail, x);
  Value near = e.sub(right, e.sub(root, e.sub(rightLow, tail)));
  Value sum = e.add(parts.root, parts.tail);
  Value left = e.sub(right, e.add(parts.root, e.sub(parts.tail, rightLow)));
  Value far = e.select(isNegative, left, sum);
  return e.select(isNear, near, e.add(far, far));
}

static constexpr MathFunction kFunctions[] = {
    {"math.sin",
     [](FloatEmitter &e, ValueRange x) { return sine(e, x[0], false); }},
    {"math.cos",
     [](FloatEmitter &e, ValueRange x) { return sine(e, x[0], true); }},
    {"math.tan", ofOne<tangent>},
    {"math.asin", ofOne<arcsine>},
    {"math.acos", ofOne<arccosine>},
    {"math.atan", ofOne<arctangent>},
    {"math.atan2",
     [](FloatEmitter &e, ValueRange x) { return arctangent2(e, x[0], x[1]); }},
};

ArrayRef<MathFunction> infini::trigonometricFunctions() { return kFunctions; }
