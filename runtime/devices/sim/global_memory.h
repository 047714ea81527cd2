// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Global memory as a dispatch sees it: its buffers and nothing else. On demand
// with a shadow that remembers who touched each byte, over all blocks: they are
// in no order, so what one writes no other may touch, and lanes of one block
// are ordered by its barriers only.

#ifndef INFINI_RUNTIME_DEVICES_SIM_GLOBAL_MEMORY_H
#define INFINI_RUNTIME_DEVICES_SIM_GLOBAL_MEMORY_H

#include "infini/runtime/devices/device.h"
#include "infini/runtime/devices/sim/sites.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace infini::sim {

/// Where in global memory a lane wants to be, as lane_abi.h has it.
struct GlobalPlace {
  uint32_t buffer;
  int64_t offset, size;
};

/// Who touches global memory, and when.
struct GlobalAccess {
  uint32_t site;
  uint32_t thread;
  /// Number of the block plus 1.
  uint64_t block;
  /// Barriers of the block so far.
  uint32_t epoch;
};

class GlobalMemory {
public:
  /// Throws std::bad_alloc.
  GlobalMemory(const Dispatch &dispatch, const Sites &sites, bool findRaces);

  /// The address, good or not.
  uint64_t addressOf(const GlobalPlace &place) const {
    return place.buffer < buffers.size()
               ? buffers[place.buffer].begin +
                     static_cast<uint64_t>(place.offset)
               : 0;
  }
  /// Notes the access and says whether it is good. If not, whyNot() says why
  /// not; it must be asked at once.
  bool access(const GlobalAccess &by, const GlobalPlace &place, uint32_t bytes,
              bool isWrite) {
    if (!isInBounds(place, bytes) || addressOf(place) % bytes != 0)
      return false;
    Marks *marks = buffers[place.buffer].marks;
    return !marks || noteAccess(by, marks + place.offset, bytes, isWrite);
  }
  std::string whyNot(const GlobalAccess &by, const GlobalPlace &place,
                     uint32_t bytes, bool isWrite) const;

private:
  /// Of each byte the last write and two readers, as of shared memory.
  struct Marks {
    GlobalAccess written, firstRead, otherRead;
  };
  struct Buffer {
    uint64_t begin;
    int64_t bytes;
    /// Null where races are not looked for.
    Marks *marks;
  };
  void makeMarks();
  /// What the dispatch gives, and the kernel takes it to be.
  int64_t sizeOf(const GlobalPlace &place) const {
    return std::min(place.size, buffers[place.buffer].bytes);
  }
  bool isInBounds(const GlobalPlace &place, uint32_t bytes) const {
    return place.buffer < buffers.size() && place.offset >= 0 &&
           sizeOf(place) >= int64_t(bytes) &&
           place.offset <= sizeOf(place) - int64_t(bytes);
  }
  static bool noteAccess(const GlobalAccess &by, Marks *marks, uint32_t bytes,
                         bool isWrite);
  std::string describe(const GlobalPlace &place) const;
  static bool races(const GlobalAccess &before, const GlobalAccess &now);

  const Sites &sites;
  std::vector<Buffer> buffers;
  /// Of the stretches of memory that buffers cover, for they may overlap. From
  /// calloc, for the system to give out what is touched only.
  struct Free {
    void operator()(Marks *marks) const { std::free(marks); }
  };
  std::vector<std::unique_ptr<Marks, Free>> stretches;
};

} // namespace infini::sim

#endif // INFINI_RUNTIME_DEVICES_SIM_GLOBAL_MEMORY_H
