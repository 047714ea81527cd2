// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What kernels cost in ways that are counted, not timed.

#ifndef INFINI_RUNTIME_DEVICES_SIM_COUNTERS_H
#define INFINI_RUNTIME_DEVICES_SIM_COUNTERS_H

#include "infini/runtime/devices/sim/chip.h"

#include <map>
#include <string>
#include <vector>

namespace infini::sim {

/// Of all dispatches of a kernel.
struct Counters {
  uint64_t dispatches = 0, blocks = 0;
  /// Cycles that shared memory is busy, and how many of them are due to lanes
  /// that want different words of one bank.
  uint64_t sharedCycles = 0, bankConflicts = 0;
  /// Pieces of 32 bytes of global memory that warps touch, and how many would
  /// do for the same bytes.
  uint64_t globalSectors = 0, idealSectors = 0;
  /// Of warps, and barriers of blocks.
  uint64_t ldmatrices = 0, mmas = 0, shuffles = 0, barriers = 0;
  /// Of lanes.
  uint64_t copies = 0;
};

/// A table for people, one line a kernel.
std::string reportText(const std::map<std::string, Counters> &kernels);

/// An access of one lane, kept until it can be put together with those of the
/// lanes beside it.
struct LoggedAccess {
  enum Kind : uint8_t { global, shared };
  uint64_t address;
  uint32_t site;
  Kind kind;
  /// 0: the predicate was off.
  uint8_t bytes;
};
using AccessLog = std::vector<LoggedAccess>;

/// Counts the accesses of a warp and empties the logs. Lanes run by themselves,
/// so that the n-th access of one belongs to the n-th of another if it is of
/// the same op.
void countAccesses(AccessLog *const logs[], unsigned lanes, Counters &counters);

/// Cycles of shared memory for accesses of `bytes` bytes at the same time, at
/// `addresses[0..count)`: as many as there are different words wanted of the
/// bank that is wanted most.
unsigned bankCycles(const uint32_t *addresses, unsigned count, unsigned bytes);

} // namespace infini::sim

#endif // INFINI_RUNTIME_DEVICES_SIM_COUNTERS_H
