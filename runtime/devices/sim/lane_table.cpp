// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The functions of lane_abi.h: each finds its lane, and moves the values.

#include "infini/runtime/devices/sim/block.h"

#include <cstring>

using namespace infini;
using namespace infini::sim;

namespace {

Lane &laneOf(const infini_lane *lane) {
  return *static_cast<Lane *>(lane->context);
}

/// Accesses are of a few sizes, which are better copied by an instruction each.
void move(void *to, const void *from, uint32_t bytes) {
  switch (bytes) {
  case 2:
    std::memcpy(to, from, 2);
    return;
  case 4:
    std::memcpy(to, from, 4);
    return;
  case 8:
    std::memcpy(to, from, 8);
    return;
  case 16:
    std::memcpy(to, from, 16);
    return;
  default:
    std::memcpy(to, from, bytes);
  }
}

void infini_lane_load_global(const infini_lane *self, const char *where,
                             uint32_t buffer, int64_t offset, int64_t size,
                             uint32_t bytes, uint32_t predicate, void *result) {
  Lane &lane = laneOf(self);
  if (!predicate) {
    lane.block->skipAccess(lane, where, LoggedAccess::global);
    std::memset(result, 0, bytes);
    return;
  }
  move(result,
       lane.block->accessGlobal(lane, where, {buffer, offset, size}, bytes,
                                false),
       bytes);
}

void infini_lane_store_global(const infini_lane *self, const char *where,
                              uint32_t buffer, int64_t offset, int64_t size,
                              uint32_t bytes, uint32_t predicate,
                              const void *value) {
  Lane &lane = laneOf(self);
  if (!predicate) {
    lane.block->skipAccess(lane, where, LoggedAccess::global);
    return;
  }
  move(lane.block->accessGlobal(lane, where, {buffer, offset, size}, bytes,
                                true),
       value, bytes);
}

void infini_lane_load_shared(const infini_lane *self, const char *where,
                             uint32_t address, uint32_t bytes, void *result) {
  Lane &lane = laneOf(self);
  lane.block->readShared(lane, where, address, bytes);
  move(result, lane.block->sharedAt(address), bytes);
}

void infini_lane_store_shared(const infini_lane *self, const char *where,
                              uint32_t address, uint32_t bytes,
                              uint32_t predicate, const void *value) {
  Lane &lane = laneOf(self);
  if (!predicate) {
    lane.block->skipAccess(lane, where, LoggedAccess::shared);
    return;
  }
  lane.block->writeShared(lane, where, address, bytes);
  move(lane.block->sharedAt(address), value, bytes);
}

void infini_lane_copy_async(const infini_lane *self, const char *where,
                            uint32_t address, uint32_t buffer, int64_t offset,
                            int64_t size, uint32_t bytes, uint32_t predicate) {
  Lane &lane = laneOf(self);
  lane.block->copyAsync(lane, where, address, {buffer, offset, size}, bytes,
                        predicate != 0);
}

void infini_lane_commit(const infini_lane *self, const char * /*where*/) {
  Lane &lane = laneOf(self);
  lane.block->commit(lane);
}

void infini_lane_wait(const infini_lane *self, const char * /*where*/,
                      uint32_t pending) {
  Lane &lane = laneOf(self);
  lane.block->wait(lane, pending);
}

void infini_lane_barrier(const infini_lane *self, const char *where) {
  Lane &lane = laneOf(self);
  lane.block->barrier(lane, where);
}

uint32_t infini_lane_shuffle_xor(const infini_lane *self, const char *where,
                                 uint32_t value, uint32_t mask) {
  Lane &lane = laneOf(self);
  if (mask >= warpLanes)
    lane.block->fail(lane, where, [&] {
      return text("expected a mask below ", warpLanes, ", got ", mask);
    });
  lane.warp->values[lane.number] = value;
  lane.block->meet(lane, {Meeting::shuffle, where, {mask, 0}});
  return lane.warp->shuffled[lane.number];
}

void infini_lane_ldmatrix(const infini_lane *self, const char *where,
                          uint32_t address, uint32_t count, uint32_t transpose,
                          uint32_t *result) {
  Lane &lane = laneOf(self);
  if (count != 1 && count != 2 && count != 4)
    lane.block->fail(lane, where, [&] {
      return text("expected 1, 2, or 4 matrices, got ", count);
    });
  lane.warp->addresses[lane.number] = address;
  lane.warp->results[lane.number] = result;
  lane.block->meet(lane, {Meeting::ldmatrix, where, {count, transpose != 0}});
}

void infini_lane_mma(const infini_lane *self, const char *where, uint32_t kind,
                     const uint32_t *a, const uint32_t *b, float *c) {
  Lane &lane = laneOf(self);
  if (kind >= mmaKindCount)
    lane.block->fail(lane, where, [&] {
      return text("expected a kind below ", mmaKindCount, ", got ", kind);
    });
  lane.warp->registers[lane.number] = {a, b, c};
  lane.block->meet(lane, {Meeting::mma, where, {kind, 0}});
}

} // namespace

#define INFINI_LANE_ENTRY(name, result, arguments) infini_lane_##name,
const infini_lane_table infini::sim::laneTable = {
    INFINI_LANE_FUNCTIONS(INFINI_LANE_ENTRY)};
#undef INFINI_LANE_ENTRY
