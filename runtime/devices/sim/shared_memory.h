// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The shared memory of the block that runs, with a shadow that remembers who
// touched each byte: two lanes that touch the same byte, one of them writing,
// with no barrier of the block in between, race. Nothing else orders lanes, not
// even that they are of one warp.
//
// The shadow keeps stamps: the thread, whether a copy is still on its way, and
// the epoch, which is the number of barriers so far, over all blocks; so what
// another block did is old without anything being cleared. The last write and
// two readers, the first of the epoch and the latest that is another one, are
// all that is needed to find every race.

#ifndef INFINI_RUNTIME_DEVICES_SIM_SHARED_MEMORY_H
#define INFINI_RUNTIME_DEVICES_SIM_SHARED_MEMORY_H

#include "infini/runtime/devices/sim/sites.h"

#include <memory>
#include <string>

namespace infini::sim {

class SharedMemory {
public:
  explicit SharedMemory(const Sites &sites) : sites(sites) {}

  /// For the blocks of a kernel. Throws std::bad_alloc.
  void resize(uint32_t bytes);
  /// All bytes are unwritten, and NaN.
  void beginBlock();
  /// What was done before is ordered before what is done from now on.
  void barrier();

  uint32_t size() const { return bytes; }
  /// Where the bytes at an address are, once it was found to be good.
  uint8_t *at(uint32_t address) { return data.get() + address; }

  // Each notes an access of a thread at a site and says whether it is good. If
  // not, why*() says why not; it must be asked at once.

  bool read(uint32_t thread, uint32_t site, uint32_t address, uint32_t count);
  bool write(uint32_t thread, uint32_t site, uint32_t address, uint32_t count);
  std::string whyNotRead(uint32_t thread, uint32_t address,
                         uint32_t count) const;
  std::string whyNotWrite(uint32_t thread, uint32_t address,
                          uint32_t count) const;

  /// A copy begins to be on its way: the bytes are poison, and nobody's to
  /// touch. Checked as a write.
  bool beginCopy(uint32_t thread, uint32_t site, uint32_t address,
                 uint32_t count);
  /// It has arrived, as a write of `from` by the thread now.
  void finishCopy(uint32_t thread, uint32_t address, const void *from,
                  uint32_t count);

private:
  // A stamp: the epoch, whether a copy is on its way, the thread. Positive, for
  // comparisons are signed where they are to be vectors.
  static constexpr int32_t threadMask = 1023, onItsWay = 1024;
  static constexpr int epochShift = 11;
  static constexpr int32_t maxEpoch = (1 << 20) - 1;

  int32_t stamp(uint32_t thread) const {
    return epoch << epochShift | int32_t(thread);
  }
  bool isInBounds(uint32_t address, uint32_t count) const;
  template <unsigned count>
  bool readBytes(int32_t mine, int32_t site, uint32_t address);
  template <unsigned count>
  bool writeBytes(int32_t mine, int32_t mark, int32_t site, uint32_t address);
  bool mark(uint32_t thread, int32_t flag, uint32_t site, uint32_t address,
            uint32_t count);
  void restartEpochs();
  std::string whyNotThere(uint32_t address, uint32_t count) const;
  std::string byThread(int32_t stamp, int32_t site) const;

  const Sites &sites;
  uint32_t bytes = 0, capacity = 0;
  int32_t epoch = 0, blockEpoch = 0;
  std::unique_ptr<uint8_t[]> data;
  /// A stamp and a site each, one a byte.
  struct Column {
    std::unique_ptr<int32_t[]> stamps, sites;
  };
  Column written, firstRead, otherRead;
};

} // namespace infini::sim

#endif // INFINI_RUNTIME_DEVICES_SIM_SHARED_MEMORY_H
