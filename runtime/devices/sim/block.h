// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs the blocks of a dispatch, one after another, each lane on a fiber of its
// own. A lane runs until it has to wait for others; whoever comes last to a
// meeting does the work for all and goes on.

#ifndef INFINI_RUNTIME_DEVICES_SIM_BLOCK_H
#define INFINI_RUNTIME_DEVICES_SIM_BLOCK_H

#include "infini/runtime/devices/sim/global_memory.h"
#include "infini/runtime/devices/sim/lane.h"
#include "infini/runtime/devices/sim/shared_memory.h"

namespace infini::sim {

struct KernelCode {
  std::string name;
  infini_lane_kernel function;
  KernelLaunch launch;
};

class Block {
public:
  Block(const Chip &chip, const Options &options)
      : chip(chip), options(options) {}

  /// Runs a kernel over the grid of a dispatch. A fault of the kernel is a bug.
  /// Throws std::bad_alloc.
  Status run(const KernelCode &kernel, const Dispatch &dispatch,
             Counters &counters);

  // What follows is for the functions that lanes call, each on its lane's
  // fiber. Those that find a fault do not return.

  /// Where the bytes are.
  uint8_t *accessGlobal(Lane &lane, const char *where, const GlobalPlace &place,
                        uint32_t bytes, bool isWrite);
  void readShared(Lane &lane, const char *where, uint32_t address,
                  uint32_t bytes);
  void writeShared(Lane &lane, const char *where, uint32_t address,
                   uint32_t bytes);
  uint8_t *sharedAt(uint32_t address) { return shared.at(address); }
  /// Where a predicate keeps an access from happening.
  void skipAccess(Lane &lane, const char *where, LoggedAccess::Kind kind);

  void copyAsync(Lane &lane, const char *where, uint32_t address,
                 const GlobalPlace &from, uint32_t bytes, bool predicate);
  void commit(Lane &lane);
  void wait(Lane &lane, uint32_t pending);

  void barrier(Lane &lane, const char *where);
  /// Returns when the warp has met; what each lane brings along is in place.
  void meet(Lane &lane, const Attendance &attendance);

  /// Makes the dispatch fail: `describe()` says why.
  template <typename Describe>
  [[noreturn]] void fail(const Lane &lane, const char *where,
                         Describe describe) {
    try {
      setFailure(lane, where, describe());
    } catch (const std::bad_alloc &) {
      failure = Status::outOfMemory();
    }
    leave();
  }

private:
  Status check(const KernelCode &kernel, const Dispatch &dispatch,
               uint64_t &blocks) const;
  void prepare(const KernelCode &kernel);
  void begin(uint64_t number);
  Status runOne(uint64_t number);
  std::string place() const;
  Status divergence() const;

  static void runLanes(Fiber &self, void *firstLane);
  void finish(Lane &lane);
  Lane *next();
  void suspend(Lane &lane);
  void countWarp(Warp &warp);
  void countFullLogs(Warp &warp);
  uint32_t site(const char *where);
  void log(Lane &lane, uint64_t address, uint32_t site, LoggedAccess::Kind kind,
           uint32_t bytes);
  GlobalAccess globalAccess(const Lane &lane, uint32_t site) const;
  void execute(Warp &warp, const Attendance &attendance);
  void executeLdmatrix(Warp &warp, const Attendance &attendance);
  template <typename T, typename Value>
  void grow(std::vector<T> &vector, const Value &value) {
    try {
      vector.push_back(value);
      return;
    } catch (const std::bad_alloc &) {
      failure = Status::outOfMemory();
    }
    leave();
  }
  void setFailure(const Lane &lane, const char *where,
                  const std::string &message);
  [[noreturn]] void leave();

  const Chip chip;
  const Options options;
  FiberPool fibers;
  Fiber main;
  /// The one that runs now.
  Fiber *running = nullptr;
  Sites sites;
  SharedMemory shared{sites};
  std::vector<std::unique_ptr<Lane>> lanes;
  std::vector<std::unique_ptr<Warp>> warps;
  /// In which order warps have their turn, and whose it is.
  std::vector<uint32_t> warpOrder;
  size_t turn = 0;

  // Of the dispatch.
  const KernelCode *kernel = nullptr;
  const Dispatch *dispatch = nullptr;
  GlobalMemory *global = nullptr;
  Counters *counters = nullptr;
  uint64_t dispatches = 0;

  // Of the block.
  uint64_t number = 0;
  int64_t position[3] = {0, 0, 0};
  uint64_t blockSeed = 0;
  unsigned threads = 0, finished = 0, atBarrier = 0;
  const Lane *firstAtBarrier = nullptr;
  bool barrierAgrees = true;
  uint32_t barriers = 0;
  Status failure;
};

/// The functions of lane_abi.h.
extern const infini_lane_table laneTable;

} // namespace infini::sim

#endif // INFINI_RUNTIME_DEVICES_SIM_BLOCK_H
