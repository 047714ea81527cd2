// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/sim/global_memory.h"

#include <new>
#include <numeric>

using namespace infini::sim;

GlobalMemory::GlobalMemory(const Dispatch &dispatch, const Sites &sites,
                           bool findRaces)
    : sites(sites) {
  for (size_t i = 0; i < dispatch.bufferCount; ++i)
    buffers.push_back({dispatch.arguments[i],
                       std::max<int64_t>(dispatch.bufferBytes[i], 0), nullptr});
  if (findRaces)
    makeMarks();
}

void GlobalMemory::makeMarks() {
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return buffers[a].begin < buffers[b].begin;
  });
  for (size_t i = 0; i < order.size();) {
    // Buffers that overlap, one after the other.
    uint64_t begin = buffers[order[i]].begin, end = begin;
    size_t first = i;
    for (; i < order.size() && (i == first || buffers[order[i]].begin < end);
         ++i)
      end = std::max(end, buffers[order[i]].begin +
                              static_cast<uint64_t>(buffers[order[i]].bytes));
    auto *marks = static_cast<Marks *>(
        calloc(std::max<uint64_t>(end - begin, 1), sizeof(Marks)));
    if (!marks)
      throw std::bad_alloc();
    stretches.emplace_back(marks);
    for (size_t k = first; k < i; ++k)
      buffers[order[k]].marks = marks + (buffers[order[k]].begin - begin);
  }
}

//===----------------------------------------------------------------------===//
// Races
//===----------------------------------------------------------------------===//

bool GlobalMemory::races(const GlobalAccess &before, const GlobalAccess &now) {
  // Block 0 is nobody.
  if (before.block != now.block)
    return before.block != 0;
  return before.thread != now.thread && before.epoch == now.epoch;
}

bool GlobalMemory::noteAccess(const GlobalAccess &by, Marks *marks,
                              uint32_t bytes, bool isWrite) {
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

std::string GlobalMemory::describe(const GlobalPlace &place) const {
  std::string buffer =
      text("buffer ", place.buffer, " of ", sizeOf(place), " bytes");
  if (place.offset < 0)
    return text(0 - static_cast<uint64_t>(place.offset), " bytes before ", buffer);
  return text("offset ", place.offset, " of ", buffer);
}

std::string GlobalMemory::whyNot(const GlobalAccess &by,
                                 const GlobalPlace &place, uint32_t bytes,
                                 bool isWrite) const {
  if (place.buffer >= buffers.size())
    return text("global access to buffer ", place.buffer,
                ", expected one of the kernel's ", buffers.size());
  if (!isInBounds(place, bytes))
    return text("global access of ", bytes,
                " bytes is out of bounds: ", describe(place));
  if (uint64_t address = addressOf(place); address % bytes)
    return text("global access of ", bytes,
                " bytes is misaligned: ", describe(place), ", address ",
                address, ", expected a multiple of ", bytes);
  const Marks *marks = buffers[place.buffer].marks;
  for (uint32_t i = 0; marks && i < bytes; ++i) {
    const Marks &byte = marks[place.offset + i];
    const GlobalAccess *others[] = {&byte.written, &byte.firstRead,
                                    &byte.otherRead};
    for (int k = 0; k < (isWrite ? 3 : 1); ++k) {
      if (!races(*others[k], by))
        continue;
      bool isSameBlock = others[k]->block == by.block;
      GlobalPlace at = {place.buffer, place.offset + i, place.size};
      return text("race: global byte at ", describe(at), " was ",
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
