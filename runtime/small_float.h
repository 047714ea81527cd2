// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// f16 and bf16 to and from double, rounded once, to nearest even.

#ifndef INFINI_RUNTIME_SMALL_FLOAT_H
#define INFINI_RUNTIME_SMALL_FLOAT_H

#include <cmath>
#include <cstdint>
#include <limits>

namespace infini {

/// A format of 16 bits: a sign, an exponent, and this many bits of fraction.
template <int fractionBits> struct SmallFloat {
  static constexpr int exponentBits = 15 - fractionBits;
  static constexpr int bias = (1 << (exponentBits - 1)) - 1;
  static constexpr uint16_t infinity = ((1 << exponentBits) - 1)
                                       << fractionBits;

  static uint16_t fromDouble(double value) {
    uint16_t sign = std::signbit(value) ? 0x8000 : 0;
    if (std::isnan(value))
      return sign | infinity | 1 << (fractionBits - 1);
    double magnitude = std::fabs(value);
    if (magnitude == 0)
      return sign;
    if (std::isinf(magnitude))
      return sign | infinity;
    int exponent = std::ilogb(magnitude);
    if (exponent < 1 - bias) // a subnormal number
      exponent = 1 - bias;
    if (exponent > bias)
      return sign | infinity;
    // The fraction with its leading one as an integer. When rounding carries
    // into the next power of two, the carry goes to the exponent by itself.
    auto integer = static_cast<uint32_t>(
        std::nearbyint(std::ldexp(magnitude, fractionBits - exponent)));
    uint32_t bits =
        (static_cast<uint32_t>(exponent + bias - 1) << fractionBits) + integer;
    return static_cast<uint16_t>(sign | (bits < infinity ? bits : infinity));
  }

  static double toDouble(uint16_t bits) {
    int exponent = (bits & infinity) >> fractionBits;
    int fraction = bits & ((1 << fractionBits) - 1);
    double value;
    if ((bits & infinity) == infinity)
      value = fraction ? std::numeric_limits<double>::quiet_NaN()
                       : std::numeric_limits<double>::infinity();
    else if (exponent == 0)
      value = std::ldexp(fraction, 1 - bias - fractionBits);
    else
      value = std::ldexp(fraction + (1 << fractionBits),
                         exponent - bias - fractionBits);
    return bits & 0x8000 ? -value : value;
  }
};

using Float16 = SmallFloat<10>;
using BFloat16 = SmallFloat<7>;

} // namespace infini

#endif // INFINI_RUNTIME_SMALL_FLOAT_H
