// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/sim/matrix_unit.h"

#include <cstring>

using namespace infini::sim;

static float floatOfBits(uint32_t bits) {
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

static float fromBFloat16(uint32_t bits) { return floatOfBits(bits << 16); }

static float fromFloat16(uint32_t bits) {
  // The exponent is put where f32 has it, and its bias corrected by a product,
  // which is exact, for subnormal numbers too.
  uint32_t magnitude = (bits & 0x7fff) << 13, sign = (bits & 0x8000) << 16;
  if (magnitude >= 0x7c00 << 13) // infinity, NaN
    return floatOfBits(magnitude | 0x7f800000 | sign);
  float value = floatOfBits(magnitude) * 0x1p112f;
  return sign ? -value : value;
}

static float fromTf32(uint32_t bits) { return floatOfBits(bits & ~0x1fffu); }

namespace {

constexpr unsigned rows = 16, columns = 8, maxDepth = 16;

struct Operands {
  float a[rows][maxDepth], b[maxDepth][columns], c[rows][columns];
};

} // namespace

/// m16n8k16: a register holds two neighbours along k.
template <float (*convert)(uint32_t)>
static void gatherHalves(const MmaRegisters lanes[warpLanes], Operands &to) {
  for (unsigned lane = 0; lane < warpLanes; ++lane) {
    unsigned g = lane / 4, t = lane % 4;
    for (unsigned i = 0; i < 4; ++i) {
      float *a = &to.a[g + 8 * (i & 1)][2 * t + 8 * (i >> 1)];
      a[0] = convert(lanes[lane].a[i] & 0xffff);
      a[1] = convert(lanes[lane].a[i] >> 16);
    }
    for (unsigned i = 0; i < 2; ++i) {
      to.b[2 * t + 8 * i][g] = convert(lanes[lane].b[i] & 0xffff);
      to.b[2 * t + 8 * i + 1][g] = convert(lanes[lane].b[i] >> 16);
    }
  }
}

/// m16n8k8
static void gatherWords(const MmaRegisters lanes[warpLanes], Operands &to) {
  for (unsigned lane = 0; lane < warpLanes; ++lane) {
    unsigned g = lane / 4, t = lane % 4;
    for (unsigned i = 0; i < 4; ++i)
      to.a[g + 8 * (i & 1)][t + 4 * (i >> 1)] = fromTf32(lanes[lane].a[i]);
    for (unsigned i = 0; i < 2; ++i)
      to.b[t + 4 * i][g] = fromTf32(lanes[lane].b[i]);
  }
}

template <unsigned depth> static void multiply(Operands &m) {
  for (unsigned i = 0; i < rows; ++i) {
    float sum[columns];
    for (unsigned j = 0; j < columns; ++j)
      sum[j] = m.c[i][j];
    for (unsigned k = 0; k < depth; ++k)
      for (unsigned j = 0; j < columns; ++j)
        sum[j] += m.a[i][k] * m.b[k][j];
    for (unsigned j = 0; j < columns; ++j)
      m.c[i][j] = sum[j];
  }
}

void infini::sim::multiplyMatrices(MmaKind kind,
                                   const MmaRegisters lanes[warpLanes]) {
  Operands m;
  auto element = [&](unsigned lane, unsigned i) -> float & {
    return m.c[lane / 4 + 8 * (i >> 1)][2 * (lane % 4) + (i & 1)];
  };
  for (unsigned lane = 0; lane < warpLanes; ++lane)
    for (unsigned i = 0; i < 4; ++i)
      element(lane, i) = lanes[lane].c[i];
  switch (kind) {
  case MmaKind::bf16:
    gatherHalves<fromBFloat16>(lanes, m);
    multiply<16>(m);
    break;
  case MmaKind::f16:
    gatherHalves<fromFloat16>(lanes, m);
    multiply<16>(m);
    break;
  case MmaKind::tf32:
    gatherWords(lanes, m);
    multiply<8>(m);
    break;
  }
  for (unsigned lane = 0; lane < warpLanes; ++lane)
    for (unsigned i = 0; i < 4; ++i)
      lanes[lane].c[i] = element(lane, i);
}

void infini::sim::distributeMatrices(uint32_t count, bool transpose,
                                     const uint8_t *const rows[warpLanes],
                                     uint32_t *const results[warpLanes]) {
  for (uint32_t i = 0; i < count; ++i) {
    uint16_t matrix[8][8];
    for (unsigned row = 0; row < 8; ++row)
      std::memcpy(matrix[row], rows[8 * i + row], sizeof matrix[row]);
    for (unsigned lane = 0; lane < warpLanes; ++lane) {
      unsigned g = lane / 4, t = 2 * (lane % 4);
      uint32_t low = transpose ? matrix[t][g] : matrix[g][t];
      uint32_t high = transpose ? matrix[t + 1][g] : matrix[g][t + 1];
      results[lane][i] = low | high << 16;
    }
  }
}
