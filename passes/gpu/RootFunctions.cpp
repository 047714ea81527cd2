// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Roots other than the square root, which is an instruction.

#include "infini/passes/gpu/GpuMath.h"
#include <cmath>

using namespace mlir;
using namespace infini;
using Predicate = FloatEmitter::Predicate;

/// From a third of the exponent: Halley's iteration, then Newton's with what
/// y³ leaves of x rounded once.
static Value cubeRoot(FloatEmitter &e, Value x) {
  bool wide = e.isF64();
  Value size = e.abs(x);
  Value isTiny = e.compare(Predicate::OLT, size, wide ? 0x1p-1022 : 0x1p-126);
  Value a =
      e.select(isTiny, e.mul(size, e.number(wide ? 0x1p54 : 0x1p24)), size);
  // A third of the bits, and of the bias what is missing then.
  double least = 1.0 - 0.03306235651;
  auto missing = static_cast<int64_t>(
      (static_cast<double>(e.bias()) * 2 / 3 + (least - 1)) *
      static_cast<double>(int64_t(1) << e.mantissaBits()));
  Value y = e.ofBits(e.make<arith::AddIOp>(
      e.make<arith::DivUIOp>(e.bitsOf(a), e.integer(3)), e.integer(missing)));
  // y + y (a − y³) / (2 y³ + a), over 4, as y³ may be above the largest number.
  Value quarter = e.number(0.25), part = e.mul(a, quarter);
  for (int i = 0; i < (wide ? 2 : 1); ++i) {
    Value cube = e.mul(e.mul(y, y), e.mul(y, quarter));
    y = e.fma(y, e.div(e.sub(part, cube), e.add(part, e.add(cube, cube))), y);
  }
  Value square = e.mul(y, y), lost = e.fma(y, y, e.neg(square));
  Value rest = e.fma(e.neg(square), y, a);
  rest = e.fma(e.neg(lost), y, rest);
  y = e.add(y, e.div(rest, e.mul(square, e.number(3))));
  y = e.select(isTiny, e.mul(y, e.number(wide ? 0x1p-18 : 0x1p-8)), y);
  // 0, ∞, and NaN are their own roots.
  Value isInside = e.both(e.compare(Predicate::OGT, size, 0),
                          e.compare(Predicate::OLT, size, HUGE_VAL));
  return e.select(isInside, e.withSignOf(y, x), x);
}

static constexpr MathFunction kFunctions[] = {
    {"math.cbrt", ofOne<cubeRoot>},
    {"math.rsqrt",
     [](FloatEmitter &e, ValueRange x) {
       return e.div(e.number(1), e.sqrt(x[0]));
     }},
};

ArrayRef<MathFunction> infini::rootFunctions() { return kFunctions; }
