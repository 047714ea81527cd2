// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/sim/block.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

using namespace infini;
using namespace infini::sim;

//===----------------------------------------------------------------------===//
// Dispatches
//===----------------------------------------------------------------------===//

Status Block::check(const KernelCode &kernel, const Dispatch &dispatch,
                    uint64_t &blocks) const {
  const KernelLaunch &launch = kernel.launch;
  if (launch.threads < 1 || launch.threads > chip.threads)
    return bug("kernel ", quoted(kernel.name), " has ", launch.threads,
               " threads a block, expected 1 to ", chip.threads,
               ", as the chip '", chip.name, "' has them");
  if (launch.sharedBytes > chip.sharedBytes)
    return bug("kernel ", quoted(kernel.name), " has ", launch.sharedBytes,
               " bytes of shared memory, expected at most ", chip.sharedBytes,
               ", as the chip '", chip.name, "' has them");
  blocks = 0;
  for (int64_t extent : dispatch.grid)
    if (extent <= 0)
      return Status();
  blocks = 1;
  for (int64_t extent : dispatch.grid)
    if (__builtin_mul_overflow(blocks, static_cast<uint64_t>(extent), &blocks))
      return bug("a grid of ", dispatch.grid[0], " by ", dispatch.grid[1],
                 " by ", dispatch.grid[2], " blocks does not fit 64 bits");
  return Status();
}

void Block::prepare(const KernelCode &kernel) {
  threads = kernel.launch.threads;
  shared.resize(kernel.launch.sharedBytes);
  sites.clear();
  size_t warpCount = (threads + warpLanes - 1) / warpLanes;
  while (warps.size() < warpCount)
    warps.push_back(std::make_unique<Warp>());
  while (lanes.size() < threads)
    lanes.push_back(std::make_unique<Lane>());
  warpOrder.resize(warpCount);
  std::iota(warpOrder.begin(), warpOrder.end(), 0);
  for (size_t w = 0; w < warpCount; ++w) {
    Warp &warp = *warps[w];
    warp.lanes =
        std::min<unsigned>(warpLanes, threads - unsigned(w) * warpLanes);
    for (unsigned i = 0; i < warp.lanes; ++i) {
      Lane &lane = *lanes[w * warpLanes + i];
      lane.abi.thread = int64_t(w * warpLanes + i);
      lane.abi.table = &laneTable;
      lane.abi.context = &lane;
      lane.block = this;
      lane.warp = &warp;
      lane.number = lane.position = uint8_t(i);
      warp.lane[i] = &lane;
      warp.order[i] = uint8_t(i);
    }
  }
}

Status Block::run(const KernelCode &code, const Dispatch &command,
                  Counters &counts) {
  uint64_t blocks = 0;
  INFINI_TRY(check(code, command, blocks));
  if (!blocks)
    return Status();
  prepare(code);
  GlobalMemory memory(command, sites, options.globalRaces);
  kernel = &code;
  dispatch = &command;
  global = &memory;
  counters = &counts;
  ++counts.dispatches;
  // Blocks run in no order that a kernel could rely on: in steps that have no
  // divisor in common with their number.
  uint64_t seed = scramble(scramble(options.seed) + dispatches++);
  uint64_t start = seed % blocks, step = scramble(seed) % blocks;
  while (std::gcd(step, blocks) != 1)
    ++step;
  Status status;
  for (uint64_t i = 0, at = start; i < blocks && !status; ++i) {
    blockSeed = scramble(seed + at);
    status = runOne(at);
    at = uint64_t((static_cast<unsigned __int128>(at) + step) % blocks);
  }
  global = nullptr;
  return status;
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

/// Swaps things about by the bits of a seed.
template <typename T>
static void shuffle(T *things, size_t count, uint64_t seed) {
  for (size_t i = count; i > 1; --i) {
    seed = seed * 6364136223846793005 + 1442695040888963407;
    std::swap(things[i - 1], things[(seed >> 33) % i]);
  }
}

void Block::begin(uint64_t index) {
  number = index;
  auto width = static_cast<uint64_t>(dispatch->grid[0]),
       height = static_cast<uint64_t>(dispatch->grid[1]);
  position[0] = int64_t(index % width);
  position[1] = int64_t(index / width % height);
  position[2] = int64_t(index / width / height);
  finished = atBarrier = barriers = 0;
  barrierAgrees = true;
  turn = 0;
  fibers.takeBackAll();
  shared.beginBlock();
  shuffle(warpOrder.data(), warpOrder.size(), blockSeed);
  for (uint32_t w : warpOrder) {
    Warp &warp = *warps[w];
    warp.arrived = 0;
    warp.agrees = true;
    warp.hasLogs = false;
    warp.fullLogs = 0;
    warp.ready = uint32_t((uint64_t(1) << warp.lanes) - 1);
    shuffle(warp.order, warp.lanes, scramble(blockSeed + w));
    for (unsigned i = 0; i < warp.lanes; ++i) {
      Lane &lane = *warp.lane[warp.order[i]];
      std::copy(position, position + 3, lane.abi.block);
      lane.position = uint8_t(i);
      lane.isFinished = false;
      lane.fiber = nullptr;
      lane.attendance = Attendance();
      lane.log.clear();
      lane.copies.clear();
      lane.groups.clear();
      lane.copyCount = 0;
    }
  }
}

Status Block::runOne(uint64_t index) {
  begin(index);
  Lane *first = next();
  first->fiber = fibers.take(runLanes, first);
  if (!first->fiber)
    return Status::outOfMemory();
  running = first->fiber;
  Fiber::jump(main, *first->fiber);
  if (failure)
    return std::exchange(failure, Status());
  if (finished != threads)
    return divergence();
  for (uint32_t w : warpOrder)
    countWarp(*warps[w]);
  ++counters->blocks;
  counters->barriers += barriers;
  return Status();
}

std::string Block::place() const {
  return text("kernel ", quoted(kernel->name), " block (", position[0], ", ",
              position[1], ", ", position[2], ")");
}

void Block::setFailure(const Lane &lane, const char *where,
                       const std::string &message) {
  failure = bug(place(), " thread ", lane.abi.thread, ": ",
                where ? where : "an unknown place", ": ", message);
}

void Block::leave() {
  Fiber::jump(*running, main);
  // Nobody goes on with a lane that failed.
  __builtin_trap();
}

//===----------------------------------------------------------------------===//
// Turns
//===----------------------------------------------------------------------===//

/// A fiber that has finished a lane takes the next one that has not begun: so
/// lanes that meet nobody run on one stack, without a switch.
void Block::runLanes(Fiber &self, void *firstLane) {
  auto *lane = static_cast<Lane *>(firstLane);
  Block &block = *lane->block;
  for (;;) {
    block.kernel->function(block.dispatch->arguments, &lane->abi);
    block.finish(*lane);
    Lane *next = block.next();
    if (next && next->fiber) {
      block.running = next->fiber;
      Fiber::jump(self, *next->fiber);
    } else if (next) {
      next->fiber = &self;
      lane = next;
    } else {
      Fiber::jump(self, block.main);
    }
  }
}

void Block::finish(Lane &lane) {
  if (!lane.copies.empty())
    fail(lane, sites.name(lane.copies.front().site), [&] {
      const AsyncCopy &copy = lane.copies.front();
      return text("the copy to shared address ", copy.shared, " + ", copy.bytes,
                  " was never waited for, and the kernel has ended");
    });
  lane.isFinished = true;
  ++finished;
}

/// Whose turn it is, and takes it. A warp goes on as long as it can, which
/// keeps its lanes' stacks in the caches. Null when nobody can go on.
Lane *Block::next() {
  for (size_t i = 0; i < warpOrder.size(); ++i) {
    Warp &warp = *warps[warpOrder[turn]];
    if (!warp.ready && warp.fullLogs)
      countFullLogs(warp);
    if (warp.ready) {
      auto position = static_cast<unsigned>(__builtin_ctz(warp.ready));
      warp.ready &= warp.ready - 1;
      return warp.lane[warp.order[position]];
    }
    turn = turn + 1 == warpOrder.size() ? 0 : turn + 1;
  }
  return nullptr;
}

/// Lets others run until somebody makes this lane ready.
void Block::suspend(Lane &lane) {
  Lane *other = next();
  Fiber *to = &main;
  if (other) {
    if (!other->fiber && !(other->fiber = fibers.take(runLanes, other))) {
      failure = Status::outOfMemory();
      leave();
    }
    to = other->fiber;
  }
  running = to;
  Fiber::jump(*lane.fiber, *to);
}

//===----------------------------------------------------------------------===//
// Counters
//===----------------------------------------------------------------------===//

void Block::countWarp(Warp &warp) {
  if (!warp.hasLogs)
    return;
  AccessLog *logs[warpLanes];
  for (unsigned i = 0; i < warp.lanes; ++i)
    logs[i] = &warp.lane[i]->log;
  countAccesses(logs, warp.lanes, *counters);
  warp.hasLogs = false;
}

void Block::countFullLogs(Warp &warp) {
  countWarp(warp);
  warp.ready |= warp.fullLogs;
  warp.fullLogs = 0;
}

uint32_t Block::site(const char *where) {
  try {
    return sites.number(where);
  } catch (const std::bad_alloc &) {
    failure = Status::outOfMemory();
  }
  leave();
}

/// It may let other lanes run: what an access checks and does comes after this.
void Block::log(Lane &lane, uint64_t address, uint32_t site,
                LoggedAccess::Kind kind, uint32_t bytes) {
  // A lane that meets nobody for long waits here for the rest of its warp.
  constexpr size_t maxLog = 256;
  grow(lane.log, LoggedAccess{address, site, kind, uint8_t(bytes)});
  lane.warp->hasLogs = true;
  if (lane.log.size() >= maxLog) {
    lane.warp->fullLogs |= uint32_t(1) << lane.position;
    suspend(lane);
  }
}

void Block::skipAccess(Lane &lane, const char *where, LoggedAccess::Kind kind) {
  log(lane, 0, site(where), kind, 0);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

GlobalAccess Block::globalAccess(const Lane &lane, uint32_t site) const {
  return {site, uint32_t(lane.abi.thread), number + 1, barriers};
}

static bool isAccessSize(uint32_t bytes) {
  return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8 || bytes == 16;
}

static std::string whyNotSize(uint32_t bytes) {
  return text("an access of ", bytes, " bytes, expected 1, 2, 4, 8, or 16");
}

uint8_t *Block::accessGlobal(Lane &lane, const char *where,
                             const GlobalPlace &place, uint32_t bytes,
                             bool isWrite) {
  if (!isAccessSize(bytes))
    fail(lane, where, [&] { return whyNotSize(bytes); });
  GlobalAccess by = globalAccess(lane, site(where));
  uint64_t address = global->addressOf(place);
  log(lane, address, by.site, LoggedAccess::global, bytes);
  if (!global->access(by, place, bytes, isWrite))
    fail(lane, where,
         [&] { return global->whyNot(by, place, bytes, isWrite); });
  return reinterpret_cast<uint8_t *>(address);
}

void Block::readShared(Lane &lane, const char *where, uint32_t address,
                       uint32_t bytes) {
  if (!isAccessSize(bytes))
    fail(lane, where, [&] { return whyNotSize(bytes); });
  auto thread = static_cast<uint32_t>(lane.abi.thread);
  uint32_t op = site(where);
  log(lane, address, op, LoggedAccess::shared, bytes);
  if (!shared.read(thread, op, address, bytes))
    fail(lane, where,
         [&] { return shared.whyNotRead(thread, address, bytes); });
}

void Block::writeShared(Lane &lane, const char *where, uint32_t address,
                        uint32_t bytes) {
  if (!isAccessSize(bytes))
    fail(lane, where, [&] { return whyNotSize(bytes); });
  auto thread = static_cast<uint32_t>(lane.abi.thread);
  uint32_t op = site(where);
  log(lane, address, op, LoggedAccess::shared, bytes);
  if (!shared.write(thread, op, address, bytes))
    fail(lane, where,
         [&] { return shared.whyNotWrite(thread, address, bytes); });
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

void Block::copyAsync(Lane &lane, const char *where, uint32_t address,
                      const GlobalPlace &from, uint32_t bytes, bool predicate) {
  if (bytes != 4 && bytes != 8 && bytes != 16)
    fail(lane, where, [&] {
      return text("a copy of ", bytes, " bytes, expected 4, 8, or 16");
    });
  auto thread = static_cast<uint32_t>(lane.abi.thread);
  uint32_t op = site(where);
  uint64_t source = global->addressOf(from);
  log(lane, source, op, LoggedAccess::global, predicate ? bytes : 0);
  log(lane, address, op, LoggedAccess::shared, bytes);
  GlobalAccess by = globalAccess(lane, op);
  if (predicate && !global->access(by, from, bytes, false))
    fail(lane, where, [&] { return global->whyNot(by, from, bytes, false); });
  if (!shared.beginCopy(thread, op, address, bytes))
    fail(lane, where,
         [&] { return shared.whyNotWrite(thread, address, bytes); });
  ++counters->copies;
  // Hardware reads the source at any time before the wait.
  bool isLate =
      scramble(blockSeed ^ (uint64_t(thread) << 32) ^ lane.copyCount++) & 1;
  AsyncCopy copy = {address, bytes, op, nullptr, {}};
  if (predicate && isLate)
    copy.source = reinterpret_cast<const void *>(source);
  else if (predicate)
    std::memcpy(copy.value, reinterpret_cast<const void *>(source), bytes);
  grow(lane.copies, copy);
}

void Block::commit(Lane &lane) { grow(lane.groups, lane.copies.size()); }

void Block::wait(Lane &lane, uint32_t pending) {
  if (lane.groups.size() <= pending)
    return;
  auto lastGroup = lane.groups.end() - pending;
  size_t count = lastGroup[-1];
  for (size_t i = 0; i < count; ++i) {
    const AsyncCopy &copy = lane.copies[i];
    shared.finishCopy(static_cast<uint32_t>(lane.abi.thread), copy.shared,
                      copy.source ? copy.source : copy.value, copy.bytes);
  }
  lane.copies.erase(lane.copies.begin(),
                    lane.copies.begin() + std::ptrdiff_t(count));
  lane.groups.erase(lane.groups.begin(), lastGroup);
  for (size_t &end : lane.groups)
    end -= count;
}
