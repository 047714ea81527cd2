// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each fault that the simulator finds in memory and among lanes, and beside it
// the kernel that does it right.

#include "sim_test.h"

#include <algorithm>
#include <array>

using namespace infini;
using namespace infini::test;

namespace {

const SimRun twoWarps = {64, 1024};

//===----------------------------------------------------------------------===//
// Races
//===----------------------------------------------------------------------===//

/// Thread 3 writes a word, thread 40 reads it.
template <bool isRight>
void writeThenRead(const uint64_t *, const infini_lane *lane) {
  if (lane->thread == 3)
    storeShared(lane, 64, 1u);
  if (isRight)
    barrier(lane);
  // For all orders of lanes, of which some would read before the write, and
  // find it unwritten.
  if (lane->thread == 40)
    loadShared(lane, 64);
}

TEST(SimRace, WriteRead) {
  expectNoFault(writeThenRead<true>, twoWarps);
  // Whoever comes second is told; a read that comes first finds nothing.
  int found = 0;
  for (uint64_t seed = 0; seed < simSeeds; ++seed) {
    Simulator simulator(seed);
    std::string message =
        simulator.run(writeThenRead<false>, twoWarps).message();
    bool isRace = message ==
                  "kernel 'k' block (0, 0, 0) thread 40: load_shared at t:3:1: "
                  "race: shared byte 64 was written by thread 3 at "
                  "store_shared at t:4:1, and there is no barrier before this "
                  "read";
    found += isRace;
    EXPECT_TRUE(isRace || message.find("uninitialised") != std::string::npos)
        << message;
  }
  EXPECT_GT(found, 0);
  EXPECT_LT(found, int(simSeeds));
}

/// A read, then another thread's write of one of its bytes.
template <bool isRight>
void readThenWrite(const uint64_t *, const infini_lane *lane) {
  if (lane->thread == 0)
    storeShared(lane, 64, 1u);
  barrier(lane, "barrier at t:5:1");
  if (lane->thread == 40)
    loadShared(lane, 64);
  if (isRight)
    barrier(lane, "barrier at t:5:2");
  if (lane->thread == 3)
    storeShared(lane, 66, uint8_t(2), "store_shared at t:4:2");
}

TEST(SimRace, ReadWrite) {
  expectNoFault(readThenWrite<true>, twoWarps);
  // In either order.
  expectFault(readThenWrite<false>, twoWarps,
              {"race: shared byte 66 was ", "thread 40", "thread 3",
               "load_shared at t:3:1", "store_shared at t:4:2"});
}

/// Both read, and one of them writes: it must not be taken for the only reader.
template <int writer>
void readersThenWrite(const uint64_t *, const infini_lane *lane) {
  if (lane->thread == 0)
    storeShared(lane, 64, 1u);
  barrier(lane);
  if (lane->thread == 3 || lane->thread == 4)
    loadShared(lane, 64);
  // All lanes come by before any goes on.
  lane->table->shuffle_xor(lane, "shuffle at t:9:1", 0, 1);
  if (lane->thread == writer)
    storeShared(lane, 64, 2u, "store_shared at t:4:2");
}

TEST(SimRace, SeveralReaders) {
  SimRun oneWarp = {32, 1024};
  expectFault(readersThenWrite<3>, oneWarp,
              {"thread 3: store_shared at t:4:2: race: shared byte 64 was read "
               "by thread 4"});
  expectFault(readersThenWrite<4>, oneWarp,
              {"thread 4: store_shared at t:4:2: race: shared byte 64 was read "
               "by thread 3"});
}

template <bool isRight>
void writeWrite(const uint64_t *, const infini_lane *lane) {
  uint32_t address = isRight ? uint32_t(lane->thread) : 64;
  if (lane->thread == 3 || lane->thread == 4)
    storeShared(lane, address, uint8_t(1));
}

TEST(SimRace, WriteWrite) {
  // Neighbouring bytes are not the same byte.
  expectNoFault(writeWrite<true>, twoWarps);
  expectFault(writeWrite<false>, twoWarps,
              {"race: shared byte 64 was written by thread ",
               "and there is no barrier before this write"});
}

/// A collective of the warp is no barrier.
TEST(SimRace, WarpsAreNotSynchronous) {
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        if (lane->thread == 0)
          storeShared(lane, 0, 1u);
        lane->table->shuffle_xor(lane, "shuffle at t:1:1", 0, 1);
        if (lane->thread == 1)
          loadShared(lane, 0);
      },
      {32, 16}, {"thread 1: load_shared at t:3:1: race", "thread 0"});
}

/// ldmatrix reads for the lane that gave the address.
template <bool isRight>
void matrixThenWrite(const uint64_t *, const infini_lane *lane) {
  storeShared(lane, uint32_t(lane->thread) * 4, 0u);
  barrier(lane);
  uint32_t result;
  lane->table->ldmatrix(lane, "ldmatrix at t:1:1", uint32_t(lane->thread) * 16,
                        1, 0, &result);
  if (lane->thread == (isRight ? 5 : 6))
    storeShared(lane, 5 * 16 + 8, 1u);
}

TEST(SimRace, Ldmatrix) {
  expectNoFault(matrixThenWrite<true>, {32, 128});
  expectFault(matrixThenWrite<false>, {32, 128},
              {"thread 6: store_shared", "byte 88 was read by thread 5 at "
                                         "ldmatrix at t:1:1"});
}

/// More barriers than epochs have numbers, blocks' ends among them.
TEST(SimRace, OldEpochs) {
  Simulator simulator;
  expectGood(simulator.run(
      [](const uint64_t *, const infini_lane *lane) {
        storeShared(lane, 8 + uint32_t(lane->thread) * 4, 1u);
        for (int round = 0; round < 70; ++round) {
          storeShared(lane, uint32_t(lane->thread + round) % 2 * 4, round);
          barrier(lane);
          if (loadShared<int>(lane, uint32_t(lane->thread) * 4) != round)
            loadShared(lane, 99999, "load_shared of a wrong value");
          barrier(lane);
        }
        loadShared(lane, 12 - uint32_t(lane->thread) * 4);
      },
      {2, 16, 20000}));
  EXPECT_EQ(simulator.counters().barriers, 20000u * 140);
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

TEST(SimShared, Uninitialised) {
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        storeShared(lane, uint32_t(lane->thread) * 4, uint16_t(1));
        loadShared(lane, uint32_t(lane->thread) * 4);
      },
      {32, 128}, {"is uninitialised: nothing in this block has written it"});
  // What another block wrote does not count.
  expectFault(
      [](const uint64_t *arguments, const infini_lane *lane) {
        auto *turn = argument<uint32_t>(arguments, 0);
        if ((*turn)++ == 0)
          storeShared(lane, 0, 1u);
        loadShared(lane, 0);
      },
      {1, 4, 2}, {"shared byte 0 is uninitialised"});
}

TEST(SimShared, Bounds) {
  auto store = [](const uint64_t *, const infini_lane *lane) {
    storeShared(lane, uint32_t(lane->thread) * 16, std::array<float, 4>{});
  };
  expectNoFault(store, {32, 512});
  expectFault(
      store, {32, 511},
      {"kernel 'k' block (0, 0, 0) thread 31: store_shared at t:4:1: "
       "shared address 496 + 16 is beyond the 511 bytes of the kernel"});
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        loadShared<uint64_t>(lane, 0xfffffff8);
      },
      {1, 16}, {"shared address 4294967288 + 8 is beyond the 16 bytes"});
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        uint32_t result;
        lane->table->ldmatrix(lane, "ldmatrix at t:1:1", 4096, 1, 0, &result);
      },
      {32, 4096},
      {"ldmatrix at t:1:1: shared address 4096 + 16 is beyond the 4096 bytes"});
}

TEST(SimShared, Misaligned) {
  expectFault([](const uint64_t *,
                 const infini_lane *lane) { storeShared(lane, 6, 1u); },
              {1, 16},
              {"shared address 6 is misaligned: expected a multiple of 4"});
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        lane->table->store_shared(lane, "odd at t:1:1", 0, 3, 1, "abc");
      },
      {1, 16}, {"odd at t:1:1: an access of 3 bytes, expected 1, 2, 4, 8, or"});
}

TEST(SimShared, Predicates) {
  expectNoFault(
      [](const uint64_t *, const infini_lane *lane) {
        storeShared(lane, 12345, 1u, "store_shared at t:4:1", 0);
      },
      {32, 0});
}

TEST(SimShared, TooMuch) {
  expectFault([](const uint64_t *, const infini_lane *) {}, {32, 166913},
              {"166913 bytes of shared memory, expected at most 166912"});
  expectNoFault([](const uint64_t *, const infini_lane *) {}, {1024, 166912});
  expectFault([](const uint64_t *, const infini_lane *) {}, {1025, 0},
              {"1025 threads a block, expected 1 to 1024"});
}

//===----------------------------------------------------------------------===//
// Global memory
//===----------------------------------------------------------------------===//

TEST(SimGlobal, Bounds) {
  auto load = [](const uint64_t *, const infini_lane *lane) {
    loadGlobal(lane, Place<float>{0} + lane->thread);
  };
  expectNoFault(load, {16, 0});
  expectFault(load, {17, 0},
              {"thread 16: load_global at t:1:1: global access of 4 bytes is "
               "out of bounds: offset 64 of buffer 0 of 64 bytes"});
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        storeGlobal(lane, Place<float>{0} - 4, 1.0f);
      },
      {1, 0}, {"store_global at t:2:1", "16 bytes before buffer 0 of 64"});
  // Half of it is inside.
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        loadGlobal(lane, Place<std::array<char, 16>>{0});
      },
      {1, 0}, {"offset 0 of buffer 0 of 8 bytes"}, 8);
}

/// Two buffers side by side, as the arena has them.
struct Neighbours {
  Simulator simulator;
  float *floats = simulator.zeros<float>(32);

  Status run(infini_lane_kernel kernel, int64_t firstBytes = 64) {
    auto begin = reinterpret_cast<uint64_t>(floats);
    uint64_t arguments[] = {begin, begin + 64};
    int64_t bytes[] = {firstBytes, 64};
    Dispatch dispatch = {0, {1, 1, 1}, arguments, 2, 0, bytes};
    return simulator.device.run({"k", kernel, {32, 1024}}, dispatch);
  }
};

/// What is in bounds of another buffer is not in bounds of the access's own.
TEST(SimGlobal, Neighbour) {
  auto expectFault = [](infini_lane_kernel kernel, const std::string &part,
                        int64_t firstBytes = 64) {
    Status status = Neighbours().run(kernel, firstBytes);
    EXPECT_NE(status.message().find(part), std::string::npos)
        << status.message();
  };
  expectGood(Neighbours().run([](const uint64_t *, const infini_lane *lane) {
    storeGlobal(lane,
                Place<float>{uint32_t(lane->thread / 16)} + lane->thread % 16,
                1.0f);
  }));
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        if (lane->thread < 17)
          loadGlobal(lane, Place<float>{0} + lane->thread);
      },
      "thread 16: load_global at t:1:1: global access of 4 bytes is out of "
      "bounds: offset 64 of buffer 0 of 64 bytes");
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        if (lane->thread == 3)
          storeGlobal(lane, Place<float>{1} - 1, 1.0f);
      },
      "thread 3: store_global at t:2:1: global access of 4 bytes is out of "
      "bounds: 4 bytes before buffer 1 of 64 bytes");
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        copyAsync(lane, uint32_t(lane->thread) * 16,
                  Place<std::array<float, 4>>{0} + (lane->thread == 9 ? 4 : 0));
        commit(lane);
        wait(lane);
      },
      "thread 9: copy_async at t:6:1: global access of 16 bytes is out of "
      "bounds: offset 64 of buffer 0 of 64 bytes");
  // Buffers may overlap; half of an access is not enough.
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        loadGlobal(lane, Place<double>{0} + 8);
        loadGlobal(lane, Place<double>{0} + 9);
      },
      "offset 72 of buffer 0 of 76 bytes", 76);
}

/// A buffer in the arena may be larger than what lies in it now; and what a
/// kernel takes for granted may be more than there is.
TEST(SimGlobal, Size) {
  for (int64_t size : {0, 31, 32, 63, 64, 65, 1 << 20}) {
    static int64_t taken;
    taken = size;
    Simulator simulator;
    simulator.zeros<float>(16);
    for (int64_t index : {-1, 7, 8, 15, 16}) {
      static int64_t element;
      element = index;
      Status status = simulator.run(
          [](const uint64_t *, const infini_lane *lane) {
            loadGlobal(lane, Place<float>{0, 0, taken} + element);
          },
          {1, 0});
      bool isGood = index >= 0 && 4 * index + 4 <= std::min<int64_t>(size, 64);
      EXPECT_EQ(!status, isGood) << size << ", " << index;
      std::string where =
          text(index < 0 ? "4 bytes before" : text("offset ", 4 * index, " of"),
               " buffer 0 of ", std::min<int64_t>(size, 64), " bytes");
      EXPECT_EQ(status.message().find(where) != std::string::npos, !isGood)
          << status.message();
    }
  }
}

TEST(SimGlobal, NoSuchBuffer) {
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        loadGlobal(lane, Place<float>{1});
      },
      {1, 0},
      {"load_global at t:1:1: global access to buffer 1, expected one of the "
       "kernel's 1"});
}

TEST(SimGlobal, Misaligned) {
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        lane->table->load_global(lane, "odd at t:1:1", 0, 6, 64, 4, 1, nullptr);
      },
      {1, 0},
      {"odd at t:1:1: global access of 4 bytes is misaligned: offset 6 "
       "of buffer 0"});
}

TEST(SimGlobal, Predicates) {
  expectNoFault(
      [](const uint64_t *, const infini_lane *lane) {
        Place<float> nowhere = {7};
        storeGlobal(lane, nowhere, 1.0f, "store_global at t:2:1", 0);
        if (loadGlobal(lane, nowhere, "load_global at t:1:1", 0) != 0)
          loadGlobal(lane, nowhere);
      },
      {32, 0});
}

template <int distance>
void touchNeighbours(const uint64_t *, const infini_lane *lane) {
  auto words = Place<uint32_t>{0};
  int64_t own = lane->thread + 32 * lane->block[0];
  storeGlobal(lane, words + own, 1u);
  if (distance)
    loadGlobal(lane, words + (own + distance) % 128);
}

TEST(SimGlobal, Races) {
  auto run = [](infini_lane_kernel kernel, int64_t blocks, bool isOn) {
    Simulator simulator(0, isOn);
    simulator.zeros<uint32_t>(128);
    return simulator.run(kernel, {32, 0, blocks});
  };
  expectGood(run(touchNeighbours<0>, 4, true));
  expectGood(run(touchNeighbours<32>, 4, false));
  Status status = run(touchNeighbours<32>, 4, true);
  EXPECT_NE(status.message().find("blocks are in no order"), std::string::npos)
      << status.message();
  status = run(touchNeighbours<1>, 1, true);
  EXPECT_NE(status.message().find("of this block at "), std::string::npos)
      << status.message();
  // With a barrier in between it is right.
  expectGood(run(
      [](const uint64_t *, const infini_lane *lane) {
        auto words = Place<uint32_t>{0} + 32 * lane->block[0];
        storeGlobal(lane, words + lane->thread, 1u);
        barrier(lane);
        loadGlobal(lane, words + (lane->thread + 1) % 32);
        barrier(lane);
        storeGlobal(lane, words + (lane->thread + 2) % 32, 1u);
      },
      4, true));
  // All may read the same.
  expectGood(
      run([](const uint64_t *,
             const infini_lane *lane) { loadGlobal(lane, Place<uint32_t>{0}); },
          4, true));
}

//===----------------------------------------------------------------------===//
// Divergence
//===----------------------------------------------------------------------===//

template <int alone>
void shuffleBut(const uint64_t *, const infini_lane *lane) {
  if (lane->thread != alone)
    lane->table->shuffle_xor(lane, "shuffle at t:1:1", 0, 1);
}

TEST(SimDivergence, MissingLane) {
  expectNoFault(shuffleBut<-1>, twoWarps);
  expectFault(shuffleBut<37>, twoWarps,
              {"kernel 'k' block (0, 0, 0) warp 1: the lanes of a warp do not "
               "meet: lanes 0-4, 6-31 wait at shuffle at t:1:1 with mask 1; "
               "lanes 5 have finished"});
  expectFault(shuffleBut<-1>, {40, 0}, {"warp 1", "lanes 8-31 do not exist"});
}

TEST(SimDivergence, DifferentOps) {
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        float c[4] = {};
        uint32_t a[4] = {};
        if (lane->thread < 16)
          lane->table->shuffle_xor(lane, "shuffle at t:1:1", 0, 1);
        else
          lane->table->mma(lane, "mma at t:2:1", 0, a, a, c);
      },
      {},
      {"lanes 0-15 wait at shuffle at t:1:1 with mask 1; lanes 16-31 wait "
       "at mma at t:2:1 with kind 0"});
  // One op, but not of one mind.
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        lane->table->shuffle_xor(lane, "shuffle at t:1:1", 0,
                                 1 + uint32_t(lane->thread / 16));
      },
      {},
      {"lanes 0-15 wait at shuffle at t:1:1 with mask 1; lanes 16-31 wait "
       "at shuffle at t:1:1 with mask 2"});
  // Of two places.
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        const char *where =
            lane->thread % 2 ? "shuffle at t:1:1" : "shuffle at t:2:1";
        lane->table->shuffle_xor(lane, where, 0, 1);
      },
      {}, {"lanes 0, 2, 4, ", " wait at shuffle at t:2:1"});
}

template <bool isRight>
void barrierInBranch(const uint64_t *, const infini_lane *lane) {
  if (isRight || lane->thread < 32)
    barrier(lane);
}

TEST(SimDivergence, Barrier) {
  expectNoFault(barrierInBranch<true>, twoWarps);
  expectFault(barrierInBranch<false>, twoWarps,
              {"kernel 'k' block (0, 0, 0): the threads do not meet at one "
               "barrier: threads 0-31 wait at barrier at t:5:1; threads 32-63 "
               "have finished"});
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        barrier(lane,
                lane->thread < 32 ? "barrier at t:5:1" : "barrier at t:5:2");
      },
      twoWarps,
      {"threads 0-31 wait at barrier at t:5:1; threads 32-63 wait at barrier "
       "at t:5:2"});
  // A barrier and an op of the warp.
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        if (lane->thread == 7)
          barrier(lane);
        lane->table->shuffle_xor(lane, "shuffle at t:1:1", 0, 1);
      },
      {},
      {"lanes 0-6, 8-31 wait at shuffle at t:1:1 with mask 1; lanes 7 wait "
       "at barrier at t:5:1"});
}

//===----------------------------------------------------------------------===//
// After a fault
//===----------------------------------------------------------------------===//

/// The device goes on, with fibers that were forgotten in the middle.
TEST(SimFault, DeviceStaysUsable) {
  Simulator simulator;
  uint32_t *words = simulator.zeros<uint32_t>(64);
  for (int round = 0; round < 200; ++round) {
    EXPECT_TRUE(simulator.run(shuffleBut<37>, {256, 1024}));
    EXPECT_TRUE(simulator.run(barrierInBranch<false>, {256, 1024}));
    EXPECT_TRUE(simulator.run(matrixThenWrite<false>, {32, 1024}));
    std::memset(words, 0, 64 * sizeof *words);
    expectGood(simulator.run(
        [](const uint64_t *, const infini_lane *lane) {
          auto l = uint32_t(lane->thread);
          storeShared(lane, l * 4, l);
          barrier(lane);
          storeGlobal(lane, Place<uint32_t>{0} + l,
                      loadShared(lane, (63 - l) * 4));
        },
        twoWarps));
    for (uint32_t i = 0; i < 64; ++i)
      EXPECT_EQ(words[i], 63 - i);
  }
}

/// The block that fails is named, and the same one for the same seed.
TEST(SimFault, NamesTheBlock) {
  auto kernel = [](const uint64_t *, const infini_lane *lane) {
    if (lane->block[0] == 7)
      loadShared(lane, 0);
  };
  for (uint64_t seed = 0; seed < simSeeds; ++seed)
    EXPECT_NE(Simulator(seed)
                  .run(kernel, {32, 4, 10})
                  .message()
                  .find("kernel 'k' block (7, 0, 0) thread "),
              std::string::npos);
  EXPECT_EQ(Simulator(3).run(kernel, {32, 4, 10}).message(),
            Simulator(3).run(kernel, {32, 4, 10}).message());
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

/// Blocks, and the lanes of the first that ran, in the order in which they ran.
struct Order {
  std::vector<uint32_t> blocks, lanes;
};

Order orderOf(uint64_t seed) {
  Simulator simulator(seed);
  // How many came, and who they were.
  uint32_t *came = simulator.zeros<uint32_t>(1 + 64 * 8);
  expectGood(simulator.run(
      [](const uint64_t *arguments, const infini_lane *lane) {
        auto *came = argument<uint32_t>(arguments, 0);
        came[++came[0]] = uint32_t(lane->block[0] * 64 + lane->thread);
      },
      {64, 0, 8}));
  Order order;
  for (uint32_t i = 0; i < 64 * 8; ++i) {
    if (i % 64 == 0)
      order.blocks.push_back(came[1 + i] / 64);
    if (i < 64)
      order.lanes.push_back(came[1 + i] % 64);
  }
  return order;
}

TEST(SimOrder, BySeed) {
  int sameBlocks = 0, sameLanes = 0, sameInWarp = 0;
  Order first = orderOf(0);
  auto warpOf = [](const Order &order, uint32_t warp) {
    std::vector<uint32_t> lanes;
    for (uint32_t lane : order.lanes)
      if (lane / 32 == warp)
        lanes.push_back(lane);
    return lanes;
  };
  for (uint64_t seed = 0; seed < 16; ++seed) {
    Order order = orderOf(seed), again = orderOf(seed);
    EXPECT_EQ(order.blocks, again.blocks);
    EXPECT_EQ(order.lanes, again.lanes);
    sameBlocks += order.blocks == first.blocks;
    sameLanes += order.lanes == first.lanes;
    sameInWarp += warpOf(order, 0) == warpOf(first, 0);
    // All came, once.
    std::sort(order.blocks.begin(), order.blocks.end());
    std::sort(order.lanes.begin(), order.lanes.end());
    for (uint32_t i = 0; i < 8; ++i)
      EXPECT_EQ(order.blocks[i], i);
    for (uint32_t i = 0; i < 64; ++i)
      EXPECT_EQ(order.lanes[i], i);
  }
  EXPECT_LT(sameBlocks, 8);
  EXPECT_EQ(sameLanes, 1);
  EXPECT_EQ(sameInWarp, 1);
}

} // namespace
