// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The chips that are simulated, and the switches of the simulation.

#ifndef INFINI_RUNTIME_DEVICES_SIM_CHIP_H
#define INFINI_RUNTIME_DEVICES_SIM_CHIP_H

#include <cstddef>
#include <cstdint>

namespace infini::sim {

constexpr unsigned warpLanes = 32;
constexpr unsigned sharedBanks = 32;
constexpr unsigned bankBytes = 4;
constexpr unsigned sectorBytes = 32;

struct Chip {
  const char *name;
  /// What a block can have at most.
  uint32_t sharedBytes, threads;
};

/// Those that code is made for, passes/emit/Targets.cpp. They run the same
/// instructions, and differ in what a block may ask for.
constexpr Chip chips[] = {
    {"sm_80", 163 << 10, 1024},
    {"sm_86", 99 << 10, 1024},
    {"sm_89", 99 << 10, 1024},
    {"sm_90", 227 << 10, 1024},
};

struct Options {
  /// Decides in which order blocks and lanes run, and when copies read their
  /// source; the same seed gives the same run. 0 is a seed as any other.
  uint64_t seed = 0;
  /// Print counters when the device dies.
  bool report = false;
  /// Look for races in global memory too; it takes 72 bytes for each byte that
  /// kernels touch.
  bool globalRaces = false;
};

/// Numbers that look random, for all seeds and counts alike (splitmix64).
inline uint64_t scramble(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

} // namespace infini::sim

#endif // INFINI_RUNTIME_DEVICES_SIM_CHIP_H
