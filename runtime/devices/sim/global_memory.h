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

#include <string>
#include <vector>

namespace infini::sim {

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
  ~GlobalMemory();
  GlobalMemory(const GlobalMemory &) = delete;
  GlobalMemory &operator=(const GlobalMemory &) = delete;

  /// Notes the access and says whether it is good. If not, whyNot() says why
  /// not; it must be asked at once.
  bool access(const GlobalAccess &by, const void *address, uint32_t bytes,
              bool isWrite) {
    auto begin = reinterpret_cast<uint64_t>(address);
    if (begin % bytes != 0 || !isInBuffer(begin, bytes))
      return false;
    return ranges.empty() || noteAccess(by, begin, bytes, isWrite);
  }
  std::string whyNot(const GlobalAccess &by, const void *address,
                     uint32_t bytes, bool isWrite) const;

private:
  struct Buffer {
    size_t number;
    uint64_t begin, end;
  };
  bool isInBuffer(uint64_t begin, uint32_t bytes) {
    const Buffer *buffer = last;
    if (buffer && begin >= buffer->begin && begin + bytes <= buffer->end)
      return true;
    return findBuffer(begin, bytes);
  }
  bool findBuffer(uint64_t begin, uint32_t bytes);
  bool noteAccess(const GlobalAccess &by, uint64_t begin, uint32_t bytes,
                  bool isWrite);
  std::string place(uint64_t address, uint32_t bytes) const;

  /// Of each byte the last write and two readers, as of shared memory.
  struct Marks {
    GlobalAccess written, firstRead, otherRead;
  };
  /// A stretch of memory that buffers cover, for they may overlap.
  struct Range {
    uint64_t begin, end;
    /// From calloc, for the system to give out what is touched only.
    Marks *marks;
  };
  Marks *marksOf(uint64_t address) const;
  static bool races(const GlobalAccess &before, const GlobalAccess &now);

  const Sites &sites;
  std::vector<Buffer> buffers;
  /// The one that was accessed last, most likely to be accessed next.
  const Buffer *last = nullptr;
  std::vector<Range> ranges;
};

} // namespace infini::sim

#endif // INFINI_RUNTIME_DEVICES_SIM_GLOBAL_MEMORY_H
