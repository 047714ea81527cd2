// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/sim/counters.h"

#include <algorithm>
#include <cstdio>

using namespace infini::sim;

unsigned infini::sim::bankCycles(const uint32_t *addresses, unsigned count,
                                 unsigned bytes) {
  // Mostly no bank is wanted twice.
  unsigned wordCount = std::max(bytes / bankBytes, 1u);
  uint32_t taken = 0, clashes = 0;
  for (unsigned i = 0; i < count; ++i) {
    uint32_t banks = ((uint32_t(1) << wordCount) - 1)
                     << addresses[i] / bankBytes % sharedBanks;
    clashes |= taken & banks;
    taken |= banks;
  }
  if (!clashes)
    return taken != 0;
  // A word that several lanes want is read once. At most 32 lanes of a word, 16
  // of two, or 8 of four meet: 32 words.
  uint32_t words[sharedBanks][warpLanes];
  uint8_t wanted[sharedBanks] = {};
  unsigned cycles = 0;
  for (unsigned i = 0; i < count; ++i)
    for (unsigned k = 0; k < wordCount; ++k) {
      uint32_t word = addresses[i] / bankBytes + k, bank = word % sharedBanks;
      uint32_t *end = words[bank] + wanted[bank];
      if (std::find(words[bank], end, word) != end)
        continue;
      *end = word;
      cycles = std::max<unsigned>(cycles, ++wanted[bank]);
    }
  return cycles;
}

/// One access of up to a warp's lanes; `lanes[i]` made access i.
static void countShared(const LoggedAccess *const accesses[],
                        const uint8_t lanes[], unsigned count, unsigned bytes,
                        Counters &counters) {
  // Accesses of 8 bytes go by half-warps, of 16 by quarters.
  unsigned together =
      bytes <= bankBytes ? warpLanes : warpLanes * bankBytes / bytes;
  for (unsigned i = 0; i < count;) {
    uint32_t addresses[warpLanes];
    unsigned phase = lanes[i] / together, size = 0;
    for (; i < count && lanes[i] / together == phase; ++i)
      addresses[size++] = static_cast<uint32_t>(accesses[i]->address);
    unsigned cycles = bankCycles(addresses, size, bytes);
    counters.sharedCycles += cycles;
    counters.bankConflicts += cycles - 1;
  }
}

static void countGlobal(const LoggedAccess *const accesses[], unsigned count,
                        unsigned bytes, Counters &counters) {
  // An access is aligned to its size, and so lies in one sector.
  uint64_t sectors[warpLanes];
  bool isSorted = true;
  for (unsigned i = 0; i < count; ++i) {
    sectors[i] = accesses[i]->address / sectorBytes;
    isSorted &= i == 0 || sectors[i - 1] <= sectors[i];
  }
  if (!isSorted)
    std::sort(sectors, sectors + count);
  auto distinct =
      static_cast<uint64_t>(std::unique(sectors, sectors + count) - sectors);
  counters.globalSectors += distinct;
  // Lanes may read the same bytes.
  counters.idealSectors += std::min<uint64_t>(
      distinct, (count * bytes + sectorBytes - 1) / sectorBytes);
}

void infini::sim::countAccesses(AccessLog *const logs[], unsigned lanes,
                                Counters &counters) {
  size_t longest = 0;
  for (unsigned lane = 0; lane < lanes; ++lane)
    longest = std::max(longest, logs[lane]->size());
  for (size_t n = 0; n < longest; ++n) {
    uint32_t left = 0;
    for (unsigned lane = 0; lane < lanes; ++lane)
      if (logs[lane]->size() > n)
        left |= uint32_t(1) << lane;
    while (left) {
      const LoggedAccess *accesses[warpLanes];
      uint8_t numbers[warpLanes];
      unsigned count = 0, bytes = 0;
      const LoggedAccess &first = (*logs[__builtin_ctz(left)])[n];
      for (uint32_t rest = left; rest; rest &= rest - 1) {
        auto lane = static_cast<unsigned>(__builtin_ctz(rest));
        const LoggedAccess &access = (*logs[lane])[n];
        if (access.site != first.site || access.kind != first.kind)
          continue;
        left &= ~(uint32_t(1) << lane);
        if (!access.bytes)
          continue;
        bytes = access.bytes;
        numbers[count] = static_cast<uint8_t>(lane);
        accesses[count++] = &access;
      }
      if (count && first.kind == LoggedAccess::global)
        countGlobal(accesses, count, bytes, counters);
      else if (count)
        countShared(accesses, numbers, count, bytes, counters);
    }
  }
  for (unsigned lane = 0; lane < lanes; ++lane)
    logs[lane]->clear();
}

std::string
infini::sim::reportText(const std::map<std::string, Counters> &kernels) {
  size_t width = 6;
  for (const auto &[name, counters] : kernels)
    width = std::max(width, name.size());
  std::string result;
  auto line = [&](const std::string &name, auto... cells) {
    result += name + std::string(width - name.size(), ' ');
    for (const std::string &cell : {cells...})
      result += "  " +
                std::string(12 - std::min<size_t>(cell.size(), 12), ' ') + cell;
    result += "\n";
  };
  using Text = std::string;
  line("kernel", Text("dispatches"), Text("blocks"), Text("shared"),
       Text("conflicts"), Text("sectors"), Text("ideal"), Text("ldmatrix"),
       Text("mma"), Text("shuffles"), Text("barriers"), Text("copies"));
  for (const auto &[name, c] : kernels)
    line(name, std::to_string(c.dispatches), std::to_string(c.blocks),
         std::to_string(c.sharedCycles), std::to_string(c.bankConflicts),
         std::to_string(c.globalSectors), std::to_string(c.idealSectors),
         std::to_string(c.ldmatrices), std::to_string(c.mmas),
         std::to_string(c.shuffles), std::to_string(c.barriers),
         std::to_string(c.copies));
  return result;
}
