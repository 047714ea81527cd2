// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/sim/global_memory.h"

#include <algorithm>
#include <cstdlib>
#include <new>

using namespace infini::sim;

GlobalMemory::GlobalMemory(const Dispatch &dispatch, const Sites &sites,
                           bool findRaces)
    : sites(sites) {
  for (size_t i = 0; i < dispatch.bufferCount; ++i)
    buffers.push_back({i, dispatch.arguments[i],
                       dispatch.arguments[i] +
                           static_cast<uint64_t>(
                               std::max<int64_t>(dispatch.bufferBytes[i], 0))});
  if (!findRaces)
    return;
  std::vector<Buffer> sorted = buffers;
  std::sort(sorted.begin(), sorted.end(),
            [](const Buffer &a, const Buffer &b) { return a.begin < b.begin; });
  for (const Buffer &buffer : sorted) {
    if (buffer.begin == buffer.end)
      continue;
    if (!ranges.empty() && buffer.begin < ranges.back().end)
      ranges.back().end = std::max(ranges.back().end, buffer.end);
    else
      ranges.push_back({buffer.begin, buffer.end, nullptr});
  }
  for (Range &range : ranges)
    if (!(range.marks = static_cast<Marks *>(
              calloc(range.end - range.begin, sizeof(Marks))))) {
      for (Range &other : ranges)
        free(other.marks);
      throw std::bad_alloc();
    }
}

GlobalMemory::~GlobalMemory() {
  for (Range &range : ranges)
    free(range.marks);
}

bool GlobalMemory::findBuffer(uint64_t begin, uint32_t bytes) {
  for (const Buffer &buffer : buffers)
    if (begin >= buffer.begin && begin < buffer.end &&
        buffer.end - begin >= bytes) {
      last = &buffer;
      return true;
    }
  return false;
}

//===----------------------------------------------------------------------===//
// Races
//===----------------------------------------------------------------------===//

GlobalMemory::Marks *GlobalMemory::marksOf(uint64_t address) const {
  for (const Range &range : ranges)
    if (address >= range.begin && address < range.end)
      return range.marks + (address - range.begin);
  return nullptr;
}

bool GlobalMemory::races(const GlobalAccess &before, const GlobalAccess &now) {
  // Block 0 is nobody.
  if (before.block != now.block)
    return before.block != 0;
  return before.thread != now.thread && before.epoch == now.epoch;
}

bool GlobalMemory::noteAccess(const GlobalAccess &by, uint64_t begin,
                              uint32_t bytes, bool isWrite) {
  Marks *marks = marksOf(begin);
  for (uint32_t i = 0; i < bytes; ++i)
    if (races(marks[i].written, by) ||
        (isWrite &&
         (races(marks[i].firstRead, by) || races(marks[i].otherRead, by))))
      return false;
  for (uint32_t i = 0; i < bytes; ++i) {
    if (isWrite) {
      marks[i].written = by;
      continue;
    }
    GlobalAccess &first = marks[i].firstRead;
    // Blocks run one after another: a reader of another block is not forgotten.
    if (!first.block || (first.block == by.block && first.epoch != by.epoch))
      first = by;
    else if (first.block != by.block || first.thread != by.thread)
      marks[i].otherRead = by;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

/// The address by the nearest buffer.
std::string GlobalMemory::place(uint64_t address, uint32_t bytes) const {
  const Buffer *nearest = nullptr;
  uint64_t distance = 0;
  for (const Buffer &buffer : buffers) {
    uint64_t here = address < buffer.begin ? buffer.begin - address
                    : address + bytes > buffer.end
                        ? address + bytes - buffer.end
                        : 0;
    if (!nearest || here < distance) {
      nearest = &buffer;
      distance = here;
    }
  }
  if (!nearest)
    return text("the kernel has no buffers, got address ", address);
  std::string size = text("buffer ", nearest->number, " of ",
                          nearest->end - nearest->begin, " bytes");
  if (address < nearest->begin)
    return text(nearest->begin - address, " bytes before ", size);
  return text("offset ", address - nearest->begin, " of ", size);
}

std::string GlobalMemory::whyNot(const GlobalAccess &by, const void *pointer,
                                 uint32_t bytes, bool isWrite) const {
  auto address = reinterpret_cast<uint64_t>(pointer);
  bool isInside =
      std::any_of(buffers.begin(), buffers.end(), [&](const Buffer &buffer) {
        return address >= buffer.begin && address < buffer.end &&
               buffer.end - address >= bytes;
      });
  if (!isInside)
    return text("global access of ", bytes,
                " bytes is out of bounds: ", place(address, bytes));
  if (address % bytes)
    return text("global access of ", bytes,
                " bytes is misaligned: ", place(address, bytes), ", address ",
                address, ", expected a multiple of ", bytes);
  const Marks *marks = marksOf(address);
  for (uint32_t i = 0; marks && i < bytes; ++i) {
    const GlobalAccess *others[] = {&marks[i].written, &marks[i].firstRead,
                                    &marks[i].otherRead};
    for (int k = 0; k < (isWrite ? 3 : 1); ++k) {
      if (!races(*others[k], by))
        continue;
      bool isSameBlock = others[k]->block == by.block;
      return text("race: global byte at ", place(address + i, 1), " was ",
                  k ? "read" : "written", " by thread ", others[k]->thread,
                  isSameBlock ? std::string(" of this block")
                              : text(" of block number ", others[k]->block - 1),
                  " at ", sites.name(others[k]->site),
                  isSameBlock ? ", and there is no barrier before this "
                              : ", and blocks are in no order with this ",
                  isWrite ? "write" : "read");
    }
  }
  return "the access was good";
}
