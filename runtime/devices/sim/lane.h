// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The lanes and warps of the block that runs.

#ifndef INFINI_RUNTIME_DEVICES_SIM_LANE_H
#define INFINI_RUNTIME_DEVICES_SIM_LANE_H

#include "infini/runtime/devices/sim/counters.h"
#include "infini/runtime/devices/sim/fibers.h"
#include "infini/runtime/devices/sim/matrix_unit.h"
#include "infini/runtime/lane_abi.h"

namespace infini::sim {

class Block;

/// What lanes do together.
enum class Meeting : uint8_t { none, barrier, shuffle, ldmatrix, mma };

/// A lane at a meeting. Those that meet must be at the same op, and agree on
/// what is not each lane's own: count and transposition, mask, kind.
struct Attendance {
  Meeting meeting = Meeting::none;
  const char *where = nullptr;
  uint32_t agreed[2] = {0, 0};

  bool operator==(const Attendance &other) const {
    return meeting == other.meeting && where == other.where &&
           agreed[0] == other.agreed[0] && agreed[1] == other.agreed[1];
  }
};

/// A cp.async that its lane has not waited for.
struct AsyncCopy {
  uint32_t shared, bytes, site;
  /// Null when `value` is there already.
  const void *source;
  uint8_t value[16];
};

struct Warp;

struct Lane {
  infini_lane abi;
  Block *block;
  Warp *warp;
  /// In its warp.
  uint8_t number;
  /// When its turn is.
  uint8_t position;
  bool isFinished;
  /// Null before it has begun.
  Fiber *fiber;
  Attendance attendance;
  AccessLog log;
  /// In flight, oldest first, and where each group that was committed ends.
  std::vector<AsyncCopy> copies;
  std::vector<size_t> groups;
  uint64_t copyCount;
};

struct Warp {
  unsigned lanes = 0;
  Lane *lane[warpLanes] = {};
  /// Lane numbers by position.
  uint8_t order[warpLanes] = {};
  /// By position: who can go on, and who waits for its log to be counted.
  uint32_t ready = 0, fullLogs = 0;
  bool hasLogs = false;

  // The meeting of the warp that is being gathered for.
  unsigned arrived = 0;
  const Lane *first = nullptr;
  bool agrees = true;

  // What the lanes bring along, by lane number.
  uint32_t values[warpLanes], shuffled[warpLanes];
  uint32_t addresses[warpLanes];
  uint32_t *results[warpLanes];
  MmaRegisters registers[warpLanes];
};

} // namespace infini::sim

#endif // INFINI_RUNTIME_DEVICES_SIM_LANE_H
