// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cp.async: what is on its way, and when it is there.

#include "sim_test.h"

#include <array>

using namespace infini;
using namespace infini::test;

namespace {

using Row = std::array<uint32_t, 4>;

constexpr int right = 0, withoutWait = 1, withoutBarrier = 2, withoutCommit = 3;

/// Each lane copies 16 bytes, and reads those of its neighbour.
template <int how> void copyAndRead(const uint64_t *, const infini_lane *lane) {
  auto l = uint32_t(lane->thread);
  copyAsync(lane, l * 16, Place<Row>{0} + l);
  if (how != withoutCommit)
    commit(lane);
  if (how != withoutWait)
    wait(lane);
  if (how != withoutBarrier)
    barrier(lane);
  else // so that all have waited
    lane->table->shuffle_xor(lane, "shuffle at t:9:1", 0, 1);
  loadShared<Row>(lane, (l + 1) % 32 * 16);
  if (how == withoutWait)
    wait(lane);
}

TEST(SimCopy, WaitAndBarrier) {
  SimRun run = {32, 512};
  expectNoFault(copyAndRead<right>, run, 512);
  expectFault(copyAndRead<withoutWait>, run,
              {"load_shared at t:3:1: shared byte ",
               " is still in flight: the "
               "copy of thread ",
               " at copy_async at t:6:1 was not waited for"},
              512);
  // A wait without a group waits for nothing.
  expectFault(copyAndRead<withoutCommit>, run, {"is still in flight"}, 512);
  // A lane's own wait is not enough for the others.
  expectFault(copyAndRead<withoutBarrier>, run,
              {"load_shared at t:3:1: race: shared byte ",
               " was written by thread ",
               " at copy_async at t:6:1, and there is no barrier before this "
               "read"},
              512);
}

/// A barrier before the wait does not help.
template <bool isRight>
void barrierThenWait(const uint64_t *, const infini_lane *lane) {
  auto l = uint32_t(lane->thread);
  copyAsync(lane, l * 16, Place<Row>{0} + l);
  commit(lane);
  if (!isRight)
    barrier(lane);
  wait(lane);
  if (isRight)
    barrier(lane);
  else // so that all have waited
    lane->table->shuffle_xor(lane, "shuffle at t:9:1", 0, 1);
  loadShared<Row>(lane, (l + 1) % 32 * 16);
}

TEST(SimCopy, BarrierBeforeWait) {
  expectNoFault(barrierThenWait<true>, {32, 512}, 512);
  expectFault(barrierThenWait<false>, {32, 512},
              {"load_shared at t:3:1: race: shared byte ",
               " was written by thread ", " at copy_async at t:6:1"},
              512);
}

template <bool isRight>
void ownRead(const uint64_t *, const infini_lane *lane) {
  copyAsync(lane, 0, Place<Row>{0});
  commit(lane);
  if (isRight)
    wait(lane);
  loadShared(lane, 12);
  wait(lane);
}

TEST(SimCopy, OwnReadBeforeWait) {
  expectNoFault(ownRead<true>, {1, 16});
  expectFault(ownRead<false>, {1, 16},
              {"thread 0: load_shared at t:3:1: shared byte 12 is still in "
               "flight: the copy of thread 0 at copy_async at t:6:1"});
}

template <bool isRight>
void twoCopies(const uint64_t *, const infini_lane *lane) {
  auto rows = Place<Row>{0};
  copyAsync(lane, 0, rows);
  commit(lane);
  if (isRight)
    wait(lane);
  copyAsync(lane, 0, rows + 1, "copy_async at t:6:2");
  commit(lane);
  wait(lane);
}

TEST(SimCopy, Overwrite) {
  expectNoFault(twoCopies<true>, {1, 16});
  expectFault(
      twoCopies<false>, {1, 16},
      {"copy_async at t:6:2: shared byte 0 is still in flight: the copy "
       "of thread 0 at copy_async at t:6:1"});
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        copyAsync(lane, 0, Place<Row>{0});
        storeShared(lane, 8, 1u);
      },
      {1, 16}, {"store_shared at t:4:1: shared byte 8 is still in flight"});
  // A barrier does not wait for copies.
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        copyAsync(lane, 0, Place<Row>{0});
        commit(lane);
        barrier(lane);
        storeShared(lane, 8, 1u);
        wait(lane);
      },
      {1, 16}, {"store_shared at t:4:1: shared byte 8 is still in flight"});
}

/// A copy into what others still read.
template <bool isRight>
void copyOverRead(const uint64_t *, const infini_lane *lane) {
  auto l = uint32_t(lane->thread);
  storeShared(lane, l * 16, Row());
  barrier(lane);
  loadShared<Row>(lane, (l + 1) % 32 * 16);
  if (isRight)
    barrier(lane, "barrier at t:5:2");
  else // so that all have read
    lane->table->shuffle_xor(lane, "shuffle at t:9:1", 0, 1);
  copyAsync(lane, l * 16, Place<Row>{0} + l);
  commit(lane);
  wait(lane);
}

TEST(SimCopy, OverRead) {
  expectNoFault(copyOverRead<true>, {32, 512}, 512);
  expectFault(
      copyOverRead<false>, {32, 512},
      {"copy_async at t:6:1: race: shared byte ", " was read by thread "}, 512);
}

TEST(SimCopy, NeverWaitedFor) {
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        copyAsync(lane, 16, Place<Row>{0});
        commit(lane);
        copyAsync(lane, 32, Place<Row>{0}, "copy_async at t:6:2");
        commit(lane);
        wait(lane, 1);
      },
      {1, 48},
      {"thread 0: copy_async at t:6:2: the copy to shared address 32 + "
       "16 was never waited for"});
}

/// Groups are waited for oldest first.
template <uint32_t pending>
void groups(const uint64_t *, const infini_lane *lane) {
  auto rows = Place<Row>{0};
  for (uint32_t i = 0; i < 3; ++i) {
    copyAsync(lane, i * 32, rows + i);
    copyAsync(lane, i * 32 + 16, rows + i);
    commit(lane);
  }
  wait(lane, pending);
  loadShared<Row>(lane, 0);
  loadShared<Row>(lane, 48, "load_shared at t:3:2");
  wait(lane, 0);
  loadShared<Row>(lane, 80);
}

TEST(SimCopy, Groups) {
  expectNoFault(groups<0>, {1, 96});
  expectNoFault(groups<1>, {1, 96});
  expectFault(groups<2>, {1, 96},
              {"load_shared at t:3:2: shared byte 48 is still in flight"});
  expectFault(groups<3>, {1, 96},
              {"load_shared at t:3:1: shared byte 0 is still in flight"});
}

TEST(SimCopy, Values) {
  for (uint64_t seed = 0; seed < simSeeds; ++seed) {
    Simulator simulator(seed);
    std::vector<uint32_t> values(64 * 4);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = uint32_t(i * i);
    simulator.buffer(values);
    uint32_t *result = simulator.zeros<uint32_t>(values.size());
    expectGood(simulator.run(
        [](const uint64_t *, const infini_lane *lane) {
          auto l = uint32_t(lane->thread);
          // Every other lane gets zeros, from nowhere.
          bool isThere = l % 2 == 0;
          copyAsync(lane, l * 16, Place<Row>{0} + (isThere ? l : -1000),
                    "copy_async at t:6:1", isThere);
          commit(lane);
          wait(lane);
          barrier(lane);
          storeGlobal(lane, Place<Row>{1} + l,
                      loadShared<Row>(lane, (l ^ 33) * 16));
        },
        {64, 1024}));
    for (uint32_t l = 0; l < 64; ++l)
      for (uint32_t i = 0; i < 4; ++i) {
        uint32_t from = (l ^ 33) * 4 + i;
        EXPECT_EQ(result[4 * l + i], (l ^ 33) % 2 ? 0 : from * from);
      }
  }
}

/// The source may be read at once, or only when it is waited for.
TEST(SimCopy, EarlyOrLate) {
  int late = 0, count = 0;
  for (uint64_t seed = 0; seed < 32; ++seed) {
    Simulator simulator(seed);
    uint32_t *source = simulator.buffer(std::vector<uint32_t>(4, 1));
    uint32_t *result = simulator.zeros<uint32_t>(1);
    expectGood(simulator.run(
        [](const uint64_t *, const infini_lane *lane) {
          copyAsync(lane, 0, Place<Row>{0});
          commit(lane);
          storeGlobal(lane, Place<uint32_t>{0}, 2u);
          wait(lane);
          storeGlobal(lane, Place<uint32_t>{1}, loadShared(lane, 0));
        },
        {1, 16}));
    EXPECT_EQ(source[0], 2u);
    EXPECT_TRUE(*result == 1 || *result == 2);
    late += *result == 2;
    ++count;
  }
  EXPECT_GT(late, 4);
  EXPECT_LT(late, count - 4);
}

TEST(SimCopy, Bounds) {
  auto copy = [](const uint64_t *, const infini_lane *lane) {
    copyAsync(lane, uint32_t(lane->thread) * 16, Place<Row>{0} + lane->thread);
    commit(lane);
    wait(lane);
  };
  expectNoFault(copy, {4, 64}, 64);
  expectFault(copy, {4, 48}, {"thread 3: copy_async", "shared address 48 + 16"},
              64);
  expectFault(copy, {4, 64},
              {"thread 3: copy_async", "offset 48 of buffer 0 of "
                                       "60 bytes"},
              60);
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        copyAsync(lane, 8, Place<Row>{0});
      },
      {1, 64}, {"shared address 8 is misaligned: expected a multiple of 16"});
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        lane->table->copy_async(lane, "copy_async at t:6:1", 0, 0, 0, 16, 2, 1);
      },
      {1, 64}, {"a copy of 2 bytes, expected 4, 8, or 16"});
}

} // namespace
