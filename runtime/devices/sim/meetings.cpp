// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What lanes do together: barriers of the block, and the ops of a warp.

#include "infini/runtime/devices/sim/block.h"

#include <algorithm>

using namespace infini;
using namespace infini::sim;

void Block::barrier(Lane &lane, const char *where) {
  lane.attendance = {Meeting::barrier, where, {0, 0}};
  if (atBarrier++ == 0)
    firstAtBarrier = &lane;
  else
    barrierAgrees &= firstAtBarrier->attendance == lane.attendance;
  if (atBarrier < threads || !barrierAgrees) {
    suspend(lane);
    lane.attendance.meeting = Meeting::none;
    return;
  }
  lane.attendance.meeting = Meeting::none;
  atBarrier = 0;
  ++barriers;
  shared.barrier();
  for (uint32_t w : warpOrder) {
    Warp &warp = *warps[w];
    countWarp(warp);
    warp.ready = uint32_t((uint64_t(1) << warp.lanes) - 1);
  }
  lane.warp->ready &= ~(uint32_t(1) << lane.position);
}

void Block::meet(Lane &lane, const Attendance &attendance) {
  Warp &warp = *lane.warp;
  lane.attendance = attendance;
  if (warp.arrived++ == 0)
    warp.first = &lane;
  else
    warp.agrees &= warp.first->attendance == attendance;
  if (warp.arrived < warpLanes || !warp.agrees) {
    suspend(lane);
    lane.attendance.meeting = Meeting::none;
    return;
  }
  lane.attendance.meeting = Meeting::none;
  warp.arrived = 0;
  countWarp(warp);
  execute(warp, attendance);
  warp.ready = ~(uint32_t(1) << lane.position);
}

void Block::execute(Warp &warp, const Attendance &attendance) {
  switch (attendance.meeting) {
  case Meeting::none:
  case Meeting::barrier:
    break;
  case Meeting::shuffle:
    ++counters->shuffles;
    for (unsigned i = 0; i < warpLanes; ++i)
      warp.shuffled[i] = warp.values[i ^ attendance.agreed[0]];
    break;
  case Meeting::ldmatrix:
    executeLdmatrix(warp, attendance);
    break;
  case Meeting::mma:
    ++counters->mmas;
    multiplyMatrices(MmaKind(attendance.agreed[0]), warp.registers);
    break;
  }
}

void Block::executeLdmatrix(Warp &warp, const Attendance &attendance) {
  constexpr unsigned rowBytes = 16, matrixRows = 8;
  uint32_t count = attendance.agreed[0], op = site(attendance.where);
  const uint8_t *rows[warpLanes];
  for (unsigned i = 0; i < matrixRows * count; ++i) {
    Lane &owner = *warp.lane[i];
    auto thread = static_cast<uint32_t>(owner.abi.thread);
    if (!shared.read(thread, op, warp.addresses[i], rowBytes))
      fail(owner, attendance.where, [&] {
        return shared.whyNotRead(thread, warp.addresses[i], rowBytes);
      });
    rows[i] = shared.at(warp.addresses[i]);
  }
  distributeMatrices(count, attendance.agreed[1], rows, warp.results);
  ++counters->ldmatrices;
  for (unsigned i = 0; i < count; ++i) {
    unsigned cycles =
        bankCycles(warp.addresses + matrixRows * i, matrixRows, rowBytes);
    counters->sharedCycles += cycles;
    counters->bankConflicts += cycles - 1;
  }
}

//===----------------------------------------------------------------------===//
// Divergence
//===----------------------------------------------------------------------===//

static std::string describe(const Lane &lane) {
  if (lane.isFinished)
    return "have finished";
  const Attendance &at = lane.attendance;
  std::string result =
      text("wait at ", at.where ? at.where : "an unknown place");
  switch (at.meeting) {
  case Meeting::none:
    return "are on their way";
  case Meeting::barrier:
    return result;
  case Meeting::shuffle:
    return text(result, " with mask ", at.agreed[0]);
  case Meeting::ldmatrix:
    return text(result, " with ", at.agreed[0],
                at.agreed[1] ? " transposed matrices" : " matrices");
  case Meeting::mma:
    return text(result, " with kind ", at.agreed[0]);
  }
  return result;
}

/// "0-3, 7"
static std::string rangesText(const std::vector<unsigned> &numbers) {
  std::string result;
  for (size_t i = 0; i < numbers.size();) {
    size_t end = i + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1)
      ++end;
    result += (i ? ", " : "") + std::to_string(numbers[i]);
    if (end > i + 1)
      result += "-" + std::to_string(numbers[end - 1]);
    i = end;
  }
  return result;
}

/// Which of the lanes do what, those that do the same together.
static std::string groupsText(const char *what, const Lane *const lanes[],
                              size_t count, size_t expected) {
  std::vector<std::pair<std::string, std::vector<unsigned>>> groups;
  auto add = [&](const std::string &text, unsigned number) {
    auto it =
        std::find_if(groups.begin(), groups.end(),
                     [&](const auto &group) { return group.first == text; });
    if (it == groups.end())
      it = groups.insert(groups.end(), {text, {}});
    it->second.push_back(number);
  };
  for (size_t i = 0; i < expected; ++i)
    add(i < count ? describe(*lanes[i]) : "do not exist", unsigned(i));
  std::string result;
  for (const auto &[text, numbers] : groups)
    result += (result.empty() ? "" : "; ") + std::string(what) + " " +
              rangesText(numbers) + " " + text;
  return result;
}

/// Nobody can go on, and not all have finished. The first warp that waits for
/// some of its own lanes says the most.
Status Block::divergence() const {
  for (size_t w = 0; w < warpOrder.size(); ++w) {
    const Warp &warp = *warps[w];
    if (warp.arrived)
      return bug(place(), " warp ", w, ": the lanes of a warp do not meet: ",
                 groupsText("lanes", warp.lane, warp.lanes, warpLanes));
  }
  std::vector<const Lane *> all;
  for (unsigned i = 0; i < threads; ++i)
    all.push_back(lanes[i].get());
  return bug(place(), ": the threads do not meet at one barrier: ",
             groupsText("threads", all.data(), all.size(), all.size()));
}
