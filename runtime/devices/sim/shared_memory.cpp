// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/sim/shared_memory.h"
#include "infini/runtime/status.h"

#include <cstring>

using namespace infini;
using namespace infini::sim;

void SharedMemory::resize(uint32_t newBytes) {
  bytes = newBytes;
  if (bytes <= capacity)
    return;
  capacity = 0;
  data.reset(new uint8_t[bytes]);
  for (Column *column : {&written, &firstRead, &otherRead}) {
    column->stamps.reset(new int32_t[bytes]());
    column->sites.reset(new int32_t[bytes]());
  }
  capacity = bytes;
  epoch = blockEpoch = 0;
}

void SharedMemory::beginBlock() {
  if (epoch + 1 > maxEpoch) {
    for (Column *column : {&written, &firstRead, &otherRead})
      std::memset(column->stamps.get(), 0, capacity * sizeof(int32_t));
    epoch = 0;
  }
  blockEpoch = ++epoch;
  if (bytes)
    std::memset(data.get(), 0xff, bytes);
}

void SharedMemory::barrier() {
  if (epoch + 1 > maxEpoch)
    restartEpochs();
  ++epoch;
}

/// What happened before the barrier that is going on matters no more, except
/// that it happened.
void SharedMemory::restartEpochs() {
  for (uint32_t i = 0; i < capacity; ++i) {
    int32_t &stamp = written.stamps[i];
    stamp = stamp >> epochShift >= blockEpoch
                ? 1 << epochShift | (stamp & (onItsWay | threadMask))
                : 0;
    firstRead.stamps[i] = otherRead.stamps[i] = 0;
  }
  blockEpoch = epoch = 1;
}

bool SharedMemory::isInBounds(uint32_t address, uint32_t count) const {
  return uint64_t(address) + count <= bytes && address % count == 0;
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

// Without branches over a constant number of bytes, so that they become vector
// code.

template <unsigned count>
bool SharedMemory::readBytes(int32_t mine, int32_t site, uint32_t address) {
  const int32_t *written = this->written.stamps.get() + address;
  const int32_t oldest = blockEpoch << epochShift;
  int32_t bad = 0;
  for (unsigned i = 0; i < count; ++i) {
    int32_t stamp = written[i];
    int32_t isUnwritten = stamp < oldest, isAway = stamp & onItsWay,
            isRace = ((stamp ^ mine) >> epochShift == 0) & (stamp != mine);
    bad |= isUnwritten | isAway | isRace;
  }
  if (bad)
    return false;
  int32_t *first = firstRead.stamps.get() + address,
          *firstSite = firstRead.sites.get() + address,
          *other = otherRead.stamps.get() + address,
          *otherSite = otherRead.sites.get() + address;
  for (unsigned i = 0; i < count; ++i) {
    bool hasFirst = (first[i] ^ mine) >> epochShift == 0;
    bool isOther = hasFirst & (first[i] != mine);
    first[i] = hasFirst ? first[i] : mine;
    firstSite[i] = hasFirst ? firstSite[i] : site;
    other[i] = isOther ? mine : other[i];
    otherSite[i] = isOther ? site : otherSite[i];
  }
  return true;
}

template <unsigned count>
bool SharedMemory::writeBytes(int32_t mine, int32_t mark, int32_t site,
                              uint32_t address) {
  int32_t *written = this->written.stamps.get() + address,
          *writtenSite = this->written.sites.get() + address;
  const int32_t *first = firstRead.stamps.get() + address,
                *other = otherRead.stamps.get() + address;
  const int32_t oldest = blockEpoch << epochShift;
  int32_t bad = 0;
  for (unsigned i = 0; i < count; ++i) {
    int32_t stamp = written[i];
    auto races = [&](int32_t stamp) -> int32_t {
      return ((stamp ^ mine) >> epochShift == 0) & (stamp != mine);
    };
    int32_t isAway = (stamp >= oldest) & ((stamp & onItsWay) != 0);
    bad |= isAway | races(stamp) | races(first[i]) | races(other[i]);
  }
  if (bad)
    return false;
  for (unsigned i = 0; i < count; ++i) {
    written[i] = mine | mark;
    writtenSite[i] = site;
  }
  return true;
}

bool SharedMemory::read(uint32_t thread, uint32_t site, uint32_t address,
                        uint32_t count) {
  if (!isInBounds(address, count))
    return false;
  int32_t mine = stamp(thread), at = int32_t(site);
  switch (count) {
  case 1:
    return readBytes<1>(mine, at, address);
  case 2:
    return readBytes<2>(mine, at, address);
  case 4:
    return readBytes<4>(mine, at, address);
  case 8:
    return readBytes<8>(mine, at, address);
  default:
    return readBytes<16>(mine, at, address);
  }
}

bool SharedMemory::mark(uint32_t thread, int32_t flag, uint32_t site,
                        uint32_t address, uint32_t count) {
  if (!isInBounds(address, count))
    return false;
  int32_t mine = stamp(thread), at = int32_t(site);
  switch (count) {
  case 1:
    return writeBytes<1>(mine, flag, at, address);
  case 2:
    return writeBytes<2>(mine, flag, at, address);
  case 4:
    return writeBytes<4>(mine, flag, at, address);
  case 8:
    return writeBytes<8>(mine, flag, at, address);
  default:
    return writeBytes<16>(mine, flag, at, address);
  }
}

bool SharedMemory::write(uint32_t thread, uint32_t site, uint32_t address,
                         uint32_t count) {
  return mark(thread, 0, site, address, count);
}

bool SharedMemory::beginCopy(uint32_t thread, uint32_t site, uint32_t address,
                             uint32_t count) {
  if (!mark(thread, onItsWay, site, address, count))
    return false;
  std::memset(data.get() + address, 0xff, count);
  return true;
}

void SharedMemory::finishCopy(uint32_t thread, uint32_t address,
                              const void *from, uint32_t count) {
  int32_t mine = stamp(thread);
  for (uint32_t i = 0; i < count; ++i)
    written.stamps[address + i] = mine;
  std::memcpy(data.get() + address, from, count);
}

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

std::string SharedMemory::byThread(int32_t stamp, int32_t site) const {
  return text("thread ", stamp & threadMask, " at ",
              sites.name(uint32_t(site)));
}

std::string SharedMemory::whyNotThere(uint32_t address, uint32_t count) const {
  if (uint64_t(address) + count > bytes)
    return text("shared address ", address, " + ", count, " is beyond the ",
                bytes, " bytes of the kernel");
  if (address % count)
    return text("shared address ", address,
                " is misaligned: expected a multiple of ", count);
  return "";
}

std::string SharedMemory::whyNotRead(uint32_t thread, uint32_t address,
                                     uint32_t count) const {
  std::string reason = whyNotThere(address, count);
  int32_t mine = stamp(thread);
  for (uint32_t i = address; reason.empty() && i < address + count; ++i) {
    int32_t by = written.stamps[i], site = written.sites[i];
    if (by >> epochShift < blockEpoch)
      return text(
          "shared byte ", i,
          " is uninitialised: nothing in this block has written it so far");
    if (by & onItsWay)
      return text("shared byte ", i, " is still in flight: ", "the copy of ",
                  byThread(by, site), " was not waited for");
    if ((by ^ mine) >> epochShift == 0 && by != mine)
      return text("race: shared byte ", i, " was written by ",
                  byThread(by, site),
                  ", and there is no barrier before this read");
  }
  return reason;
}

std::string SharedMemory::whyNotWrite(uint32_t thread, uint32_t address,
                                      uint32_t count) const {
  std::string reason = whyNotThere(address, count);
  int32_t mine = stamp(thread);
  auto races = [&](int32_t stamp) {
    return (stamp ^ mine) >> epochShift == 0 && stamp != mine;
  };
  for (uint32_t i = address; reason.empty() && i < address + count; ++i) {
    int32_t by = written.stamps[i], site = written.sites[i];
    if (by >> epochShift >= blockEpoch && by & onItsWay)
      return text("shared byte ", i, " is still in flight: ", "the copy of ",
                  byThread(by, site), " was not waited for");
    if (races(by))
      return text("race: shared byte ", i, " was written by ",
                  byThread(by, site),
                  ", and there is no barrier before this write");
    for (const Column *column : {&firstRead, &otherRead})
      if (races(column->stamps[i]))
        return text("race: shared byte ", i, " was read by ",
                    byThread(column->stamps[i], column->sites[i]),
                    ", and there is no barrier before this write");
  }
  return reason;
}
