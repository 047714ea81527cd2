// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exponentials. The coefficients in f32 are those of Moshier's Cephes library
// (expf, exp2f), those in f64 of the polynomial with the least relative error.

#include "infini/passes/kernel/Exponential.h"

using namespace mlir;
using namespace infini;

/// x − n ln 2, ln 2 in two parts, and n: the nearest integer to x / ln 2.
static std::pair<Value, Value> reduce(FloatEmitter &e, Value x) {
  auto [rounded, n] = e.round(e.mul(x, e.number(1.4426950408889634073599)));
  bool wide = e.isF64();
  Value r =
      e.fma(rounded, e.number(wide ? -6.93145751953125e-1 : -0.693359375), x);
  r = e.fma(rounded,
            e.number(wide ? -1.42860682030941723212e-6 : 2.12194440e-4), r);
  return {r, n};
}

/// (e^r − 1 − r) / r².
static Value tail(FloatEmitter &e, Value r) {
  if (e.isF64())
    return e.polynomial(r,
                        {2.087188584129075e-09, 2.5104180741497217e-08,
                         2.7557396294235634e-07, 2.7557257963822403e-06,
                         2.4801587205358596e-05, 1.9841269873264702e-04,
                         1.388888888892862e-03, 8.33333333332587e-03,
                         4.166666666666662e-02, 1.6666666666666674e-01, 0.5});
  return e.polynomial(r, {1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3,
                          4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1});
}

SplitExponential infini::splitExponential(FloatEmitter &e, Value x) {
  auto [r, n] = reduce(e, x);
  return {n, e.fma(e.mul(r, r), tail(e, r), r)};
}

/// e^r of a number that is reduced.
static Value reducedExponential(FloatEmitter &e, Value r) {
  Value one = e.number(1);
  return e.fma(e.fma(tail(e, r), r, one), r, one);
}

/// e^x as a number and the power of two that scales it.
static std::pair<Value, Value> unscaledExponential(FloatEmitter &e, Value x) {
  auto [r, n] =
      reduce(e, e.isF64() ? e.clamp(x, -800, 720) : e.clamp(x, -105, 90));
  return {reducedExponential(e, r), n};
}

Value infini::exponential(FloatEmitter &e, Value x) {
  auto [value, n] = unscaledExponential(e, x);
  return e.scale(value, n);
}

Value infini::halfExponential(FloatEmitter &e, Value x) {
  auto [value, n] = unscaledExponential(e, x);
  return e.scale(value, e.make<arith::SubIOp>(n, e.integer(1)));
}

Value infini::exponential2(FloatEmitter &e, Value x) {
  x = e.isF64() ? e.clamp(x, -1100, 1030) : e.clamp(x, -152, 130);
  auto [rounded, n] = e.round(x);
  Value f = e.sub(x, rounded), power;
  if (e.isF64())
    power =
        reducedExponential(e, e.mul(f, e.number(6.93147180559945309417e-1)));
  else
    power = e.polynomial(f, {1.535336188319500e-4, 1.339887440266574e-3,
                             9.618437357674640e-3, 5.550332471162809e-2,
                             2.402264791363012e-1, 6.931472028550421e-1, 1.0});
  return e.scale(power, n);
}
