// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is counted, on patterns whose numbers are known.

#include "sim_test.h"

#include <array>

using namespace infini;
using namespace infini::test;

namespace {

sim::Counters count(infini_lane_kernel kernel, const SimRun &run,
                    size_t bufferBytes = 64, uint64_t seed = 0) {
  Simulator simulator(seed);
  simulator.zeros<uint8_t>(bufferBytes);
  expectGood(simulator.run(kernel, run));
  return simulator.counters();
}

/// For every seed the same numbers.
void expectShared(infini_lane_kernel kernel, const SimRun &run, uint64_t cycles,
                  uint64_t conflicts) {
  for (uint64_t seed = 0; seed < simSeeds; ++seed) {
    sim::Counters counters = count(kernel, run, 64, seed);
    EXPECT_EQ(counters.sharedCycles, cycles);
    EXPECT_EQ(counters.bankConflicts, conflicts);
  }
}

template <typename T, uint32_t stride>
void storeStrided(const uint64_t *, const infini_lane *lane) {
  storeShared(lane, uint32_t(lane->thread) * stride, T());
}

TEST(SimCounters, BankConflicts) {
  using Eight = std::array<uint32_t, 2>;
  using Sixteen = std::array<uint32_t, 4>;
  SimRun run = {32, 8192};
  expectShared(storeStrided<uint32_t, 4>, run, 1, 0);
  expectShared(storeStrided<uint32_t, 8>, run, 2, 1);
  expectShared(storeStrided<uint32_t, 32>, run, 8, 7);
  expectShared(storeStrided<uint32_t, 128>, run, 32, 31);
  // An odd number of words.
  expectShared(storeStrided<uint32_t, 132>, run, 1, 0);
  // Two lanes in a word: one cycle.
  expectShared(storeStrided<uint16_t, 2>, run, 1, 0);
  // Half-warps and quarters.
  expectShared(storeStrided<Eight, 8>, run, 2, 0);
  expectShared(storeStrided<Eight, 16>, run, 4, 2);
  expectShared(storeStrided<Sixteen, 16>, run, 4, 0);
  expectShared(storeStrided<Sixteen, 128>, run, 32, 28);
  // Two warps do not get into each other's way.
  expectShared(storeStrided<uint32_t, 32>, {64, 8192}, 16, 14);
}

TEST(SimCounters, Broadcast) {
  expectShared(
      [](const uint64_t *, const infini_lane *lane) {
        storeShared(lane, uint32_t(lane->thread) * 4, 1u);
        barrier(lane);
        loadShared(lane, 64);
      },
      {32, 128}, 2, 0);
}

/// Lanes that go other ways are put together by op.
TEST(SimCounters, Branches) {
  expectShared(
      [](const uint64_t *, const infini_lane *lane) {
        bool isEven = lane->thread % 2 == 0;
        storeShared(lane, uint32_t(lane->thread) * 32, 1u,
                    isEven ? "store_shared at t:4:1" : "store_shared at t:4:2");
      },
      {32, 1024}, 16, 14);
}

/// Some lanes did more before: what lanes do together brings them in step
/// again.
template <bool isBarrier>
void moreBefore(const uint64_t *, const infini_lane *lane) {
  if (lane->thread < 16)
    storeShared(lane, uint32_t(lane->thread) * 4, 1u, "store_shared at t:4:1");
  if (isBarrier)
    barrier(lane);
  else
    lane->table->shuffle_xor(lane, "shuffle at t:1:1", 0, 1);
  storeShared(lane, uint32_t(lane->thread) * 4, 1u, "store_shared at t:4:2");
}

TEST(SimCounters, InStep) {
  expectShared(moreBefore<true>, {32, 128}, 2, 0);
  expectShared(moreBefore<false>, {32, 128}, 2, 0);
}

/// Rows of 128 bytes: row r of a matrix in 16-byte chunk `column`, or in chunk
/// column ^ (r & 7).
template <bool isSwizzled>
void loadMatrices(const uint64_t *, const infini_lane *lane) {
  auto l = uint32_t(lane->thread);
  using Row = std::array<uint32_t, 4>;
  for (uint32_t i = 0; i < 2; ++i)
    storeShared(lane, l * 16 + i * 512, Row());
  barrier(lane);
  uint32_t row = l % 8, column = l / 8, result[4];
  uint32_t chunk = isSwizzled ? column ^ row : column;
  lane->table->ldmatrix(lane, "ldmatrix at t:1:1", row * 128 + chunk * 16, 4, 0,
                        result);
}

TEST(SimCounters, Ldmatrix) {
  // The stores take 4 cycles each.
  expectShared(loadMatrices<true>, {32, 1024}, 8 + 4, 0);
  expectShared(loadMatrices<false>, {32, 1024}, 8 + 4 * 8, 4 * 7);
  EXPECT_EQ(count(loadMatrices<true>, {32, 1024, 3}).ldmatrices, 3u);
}

template <typename T, int64_t stride>
void loadStrided(const uint64_t *, const infini_lane *lane) {
  loadGlobal(lane, Place<T>{0} + lane->thread * stride);
}

TEST(SimCounters, Sectors) {
  auto expect = [](infini_lane_kernel kernel, uint64_t sectors,
                   uint64_t ideal) {
    for (uint64_t seed = 0; seed < simSeeds; ++seed) {
      sim::Counters counters = count(kernel, {32, 0}, 4096, seed);
      EXPECT_EQ(counters.globalSectors, sectors);
      EXPECT_EQ(counters.idealSectors, ideal);
    }
  };
  using Sixteen = std::array<uint32_t, 4>;
  expect(loadStrided<uint32_t, 1>, 4, 4);
  expect(loadStrided<uint32_t, 2>, 8, 4);
  expect(loadStrided<uint32_t, 8>, 32, 4);
  expect(loadStrided<uint32_t, 0>, 1, 1);
  expect(loadStrided<uint16_t, 1>, 2, 2);
  expect(loadStrided<Sixteen, 1>, 16, 16);
  expect(loadStrided<Sixteen, 4>, 32, 16);
  // Backwards is as good.
  expect(
      [](const uint64_t *, const infini_lane *lane) {
        loadGlobal(lane, Place<uint32_t>{0} + 31 - lane->thread);
      },
      4, 4);
  // Half of the lanes are switched off.
  expect(
      [](const uint64_t *, const infini_lane *lane) {
        loadGlobal(lane, Place<uint32_t>{0} + lane->thread,
                   "load_global at t:1:1", lane->thread < 16);
      },
      2, 2);
}

/// More accesses than are kept, with none between that would bring the lanes
/// together.
TEST(SimCounters, LongLoops) {
  for (uint64_t seed = 0; seed < simSeeds; ++seed) {
    sim::Counters counters = count(
        [](const uint64_t *, const infini_lane *lane) {
          auto words = Place<uint32_t>{0};
          for (int64_t i = 0; i < 5000; ++i)
            loadGlobal(lane, words + (lane->thread + 32 * i) % 1024);
          // The last lanes have more to do.
          for (int64_t i = 0; i < (lane->thread >= 16 ? 1000 : 0); ++i)
            loadGlobal(lane, words + lane->thread, "load_global at t:1:2");
        },
        {64, 0, 2}, 4096, seed);
    EXPECT_EQ(counters.globalSectors, 2 * 2 * 5000 * 4u + 2 * 6000u);
    EXPECT_EQ(counters.idealSectors, counters.globalSectors);
  }
}

TEST(SimCounters, Copies) {
  sim::Counters counters = count(
      [](const uint64_t *, const infini_lane *lane) {
        auto l = uint32_t(lane->thread);
        copyAsync(lane, l * 16, Place<char>{0} + l * 16);
        commit(lane);
        wait(lane);
        barrier(lane);
      },
      {32, 512, 2}, 512);
  EXPECT_EQ(counters.copies, 64u);
  EXPECT_EQ(counters.globalSectors, 32u);
  EXPECT_EQ(counters.sharedCycles, 8u);
  EXPECT_EQ(counters.bankConflicts, 0u);
  EXPECT_EQ(counters.barriers, 2u);
  EXPECT_EQ(counters.blocks, 2u);
  EXPECT_EQ(counters.dispatches, 1u);
}

TEST(SimCounters, Report) {
  sim::Counters counters;
  counters.dispatches = 3;
  counters.bankConflicts = 12345;
  std::string text =
      sim::reportText({{"attention", counters}, {"k", sim::Counters()}});
  EXPECT_EQ(text.substr(0, text.find('\n')).find("kernel   "), 0u);
  EXPECT_NE(text.find("\nattention             3"), std::string::npos) << text;
  EXPECT_NE(text.find("12345"), std::string::npos);
  EXPECT_NE(text.find("\nk  "), std::string::npos);
}

} // namespace
