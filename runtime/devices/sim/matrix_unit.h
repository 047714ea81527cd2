// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the lanes of a warp do together, by the maps of lane_abi.h.

#ifndef INFINI_RUNTIME_DEVICES_SIM_MATRIX_UNIT_H
#define INFINI_RUNTIME_DEVICES_SIM_MATRIX_UNIT_H

#include "infini/runtime/devices/sim/chip.h"

namespace infini::sim {

enum class MmaKind : uint32_t { bf16, f16, tf32 };
constexpr uint32_t mmaKindCount = 3;

/// The registers of one lane, in its own memory.
struct MmaRegisters {
  const uint32_t *a, *b;
  float *c;
};

/// c += a b. Each element of c is summed up from itself over ascending k, in
/// f32; products are exact, for f32 holds those of two 11-bit fractions. The
/// hardware sums several products at once and cuts off bits below the largest
/// of them, so its last bits are others. Of tf32 the low 13 bits are ignored.
void multiplyMatrices(MmaKind kind, const MmaRegisters lanes[warpLanes]);

/// `rows`: `count` matrices of 8 rows; each lane gets `count` registers.
void distributeMatrices(uint32_t count, bool transpose,
                        const uint8_t *const rows[warpLanes],
                        uint32_t *const results[warpLanes]);

} // namespace infini::sim

#endif // INFINI_RUNTIME_DEVICES_SIM_MATRIX_UNIT_H
