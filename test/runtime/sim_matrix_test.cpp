// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The maps of registers, against products written down straight.

#include "sim_test.h"

#include "infini/runtime/small_float.h"

#include <cmath>
#include <random>

using namespace infini;
using namespace infini::test;

namespace {

//===----------------------------------------------------------------------===//
// mma
//===----------------------------------------------------------------------===//

/// One product of a (16 by k), b (k by 8), c (16 by 8), each lane reading its
/// own elements. Element i of a lane's registers, as docs on the instruction
/// number them; the numbers are written out here once more, on purpose.
template <uint32_t kind>
void mma16(const uint64_t *arguments, const infini_lane *lane) {
  const auto *a = argument<uint16_t>(arguments, 0);
  const auto *b = argument<uint16_t>(arguments, 1);
  auto *c = argument<float>(arguments, 2);
  int64_t l = lane->thread, g = l >> 2, t = l & 3;
  uint16_t aElements[8], bElements[4];
  float sums[4];
  for (int i = 0; i < 8; ++i)
    aElements[i] =
        a[(g + 8 * ((i >> 1) & 1)) * 16 + 2 * t + (i & 1) + 8 * (i >> 2)];
  for (int i = 0; i < 4; ++i)
    bElements[i] = b[(2 * t + (i & 1) + 8 * (i >> 1)) * 8 + g];
  for (int i = 0; i < 4; ++i)
    sums[i] = c[(g + 8 * (i >> 1)) * 8 + 2 * t + (i & 1)];
  uint32_t aRegisters[4], bRegisters[2];
  std::memcpy(aRegisters, aElements, sizeof aRegisters);
  std::memcpy(bRegisters, bElements, sizeof bRegisters);
  lane->table->mma(lane, "mma at t:1:1", kind, aRegisters, bRegisters, sums);
  for (int i = 0; i < 4; ++i)
    c[(g + 8 * (i >> 1)) * 8 + 2 * t + (i & 1)] = sums[i];
}

void mmaTf32(const uint64_t *arguments, const infini_lane *lane) {
  const auto *a = argument<uint32_t>(arguments, 0);
  const auto *b = argument<uint32_t>(arguments, 1);
  auto *c = argument<float>(arguments, 2);
  int64_t l = lane->thread, g = l >> 2, t = l & 3;
  uint32_t aRegisters[4] = {a[g * 8 + t], a[(g + 8) * 8 + t], a[g * 8 + t + 4],
                            a[(g + 8) * 8 + t + 4]};
  uint32_t bRegisters[2] = {b[t * 8 + g], b[(t + 4) * 8 + g]};
  float sums[4];
  for (int i = 0; i < 4; ++i)
    sums[i] = c[(g + 8 * (i >> 1)) * 8 + 2 * t + (i & 1)];
  lane->table->mma(lane, "mma at t:1:1", 2, aRegisters, bRegisters, sums);
  for (int i = 0; i < 4; ++i)
    c[(g + 8 * (i >> 1)) * 8 + 2 * t + (i & 1)] = sums[i];
}

struct Format {
  const char *name;
  infini_lane_kernel kernel;
  int depth;
  bool isWide;
  double (*toDouble)(uint32_t);
  uint32_t (*fromDouble)(double);
};

double tf32ToDouble(uint32_t bits) {
  bits &= 0xffffe000;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
uint32_t tf32FromDouble(double value) {
  auto narrow = static_cast<float>(value);
  uint32_t bits;
  std::memcpy(&bits, &narrow, sizeof bits);
  return bits;
}

const Format formats[] = {
    {"bf16", mma16<0>, 16, false,
     [](uint32_t bits) { return BFloat16::toDouble(uint16_t(bits)); },
     [](double value) { return uint32_t(BFloat16::fromDouble(value)); }},
    {"f16", mma16<1>, 16, false,
     [](uint32_t bits) { return Float16::toDouble(uint16_t(bits)); },
     [](double value) { return uint32_t(Float16::fromDouble(value)); }},
    {"tf32", mmaTf32, 8, true, tf32ToDouble, tf32FromDouble},
};

/// c after the kernel, of bits of a and b.
std::vector<float> runMma(const Format &format, const std::vector<uint32_t> &a,
                          const std::vector<uint32_t> &b,
                          const std::vector<float> &c, uint64_t seed = 0) {
  Simulator simulator(seed);
  if (format.isWide) {
    simulator.buffer(a);
    simulator.buffer(b);
  } else {
    simulator.buffer(std::vector<uint16_t>(a.begin(), a.end()));
    simulator.buffer(std::vector<uint16_t>(b.begin(), b.end()));
  }
  float *result = simulator.buffer(c);
  expectGood(simulator.run(format.kernel));
  EXPECT_EQ(simulator.counters().mmas, 1u);
  return std::vector<float>(result, result + c.size());
}

TEST(SimMma, RandomProducts) {
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  for (const Format &format : formats)
    for (int round = 0; round < 20; ++round) {
      int depth = format.depth;
      std::vector<uint32_t> a, b;
      std::vector<float> c;
      for (int i = 0; i < 16 * depth; ++i)
        a.push_back(format.fromDouble(normal(random)));
      for (int i = 0; i < depth * 8; ++i)
        b.push_back(format.fromDouble(normal(random)));
      for (int i = 0; i < 16 * 8; ++i)
        c.push_back(float(normal(random)));
      std::vector<float> result = runMma(format, a, b, c, uint64_t(round));
      for (int i = 0; i < 16; ++i)
        for (int j = 0; j < 8; ++j) {
          float expected = c[size_t(i * 8 + j)];
          for (int k = 0; k < depth; ++k)
            // The product is exact in f64 and in f32.
            expected += float(format.toDouble(a[size_t(i * depth + k)]) *
                              format.toDouble(b[size_t(k * 8 + j)]));
          EXPECT_EQ(result[size_t(i * 8 + j)], expected)
              << format.name << " row " << i << " column " << j;
        }
    }
}

/// Each element of a and b alone, so that none can stand in for another.
TEST(SimMma, EachElement) {
  for (const Format &format : formats)
    for (int i = 0; i < 16; ++i)
      for (int k = 0; k < format.depth; ++k) {
        std::vector<uint32_t> a(size_t(16 * format.depth)),
            b(size_t(format.depth * 8));
        a[size_t(i * format.depth + k)] = format.fromDouble(1);
        for (size_t n = 0; n < b.size(); ++n)
          b[n] = format.fromDouble(double(n + 1));
        std::vector<float> result =
            runMma(format, a, b, std::vector<float>(16 * 8));
        for (int row = 0; row < 16; ++row)
          for (int j = 0; j < 8; ++j)
            EXPECT_EQ(result[size_t(row * 8 + j)],
                      row == i ? float(k * 8 + j + 1) : 0.0f)
                << format.name;
      }
}

/// Every number of 16 bits, times one.
TEST(SimMma, EveryNumber) {
  for (const Format &format : {formats[0], formats[1]})
    for (uint32_t first = 0; first < 0x10000; first += 16 * 8) {
      std::vector<uint32_t> a(16 * 16), b(16 * 8);
      // a = a diagonal of ones in the first eight columns, b = the numbers; two
      // halves of b go through the two halves of k.
      for (size_t i = 0; i < 16; ++i)
        a[i * 16 + i] = format.fromDouble(1);
      for (size_t n = 0; n < 16 * 8; ++n) {
        uint32_t bits = first + uint32_t(n);
        // An infinity or NaN times zero would spoil its column.
        b[n] = std::isfinite(format.toDouble(bits)) ? bits : 0;
      }
      std::vector<float> result =
          runMma(format, a, b, std::vector<float>(16 * 8));
      for (size_t n = 0; n < 16 * 8; ++n)
        EXPECT_EQ(result[n], float(format.toDouble(b[n])))
            << format.name << " " << b[n];
    }
}

TEST(SimMma, InfinityAndNaN) {
  for (const Format &format : formats) {
    std::vector<uint32_t> a(size_t(16 * format.depth)),
        b(size_t(format.depth * 8), format.fromDouble(2));
    for (auto &bits : a)
      bits = format.fromDouble(1);
    a[0] = format.fromDouble(-HUGE_VAL);
    a[size_t(3 * format.depth)] = format.fromDouble(NAN);
    std::vector<float> result =
        runMma(format, a, b, std::vector<float>(16 * 8));
    EXPECT_EQ(result[0], -HUGE_VALF) << format.name;
    EXPECT_EQ(result[8], float(2 * format.depth)) << format.name;
    EXPECT_TRUE(std::isnan(result[3 * 8])) << format.name;
  }
}

/// Worked by hand: a is the unit matrix, b counts from 0.
TEST(SimMma, WorkedFragments) {
  Simulator simulator;
  float *c = simulator.zeros<float>(32 * 4);
  expectGood(
      simulator.run([](const uint64_t *arguments, const infini_lane *lane) {
        int64_t l = lane->thread, g = l / 4, t = l % 4;
        // Row g of the unit matrix has its one at k = g: in a[0] of the lane
        // whose 2t or 2t + 1 is g; row g + 8 in a[3], for its k is 8 more.
        uint32_t one = g % 2 ? 0x3f800000 : 0x3f80;
        uint32_t a[4] = {t == g / 2 ? one : 0, 0, 0, t == g / 2 ? one : 0};
        // 0 ... 127 are bf16 numbers: b[k][j] = 8k + j.
        auto bits = [](int64_t value) {
          auto number = float(value);
          uint32_t result;
          std::memcpy(&result, &number, sizeof result);
          return result >> 16;
        };
        uint32_t b[2];
        for (int64_t i = 0; i < 2; ++i) {
          int64_t k = 2 * t + 8 * i;
          b[i] = bits(8 * k + g) | bits(8 * (k + 1) + g) << 16;
        }
        float sums[4] = {0.5f, 0, 0, 0};
        lane->table->mma(lane, "mma at t:1:1", 0, a, b, sums);
        std::memcpy(argument<float>(arguments, 0) + 4 * l, sums, sizeof sums);
      }));
  auto lane = [&](int l) {
    return std::vector<float>(c + 4 * l, c + 4 * l + 4);
  };
  EXPECT_EQ(lane(0), (std::vector<float>{0.5f, 1, 64, 65}));
  EXPECT_EQ(lane(1), (std::vector<float>{2.5f, 3, 66, 67}));
  EXPECT_EQ(lane(5), (std::vector<float>{10.5f, 11, 74, 75}));
  EXPECT_EQ(lane(31), (std::vector<float>{62.5f, 63, 126, 127}));
}

TEST(SimMma, WorkedTf32) {
  Simulator simulator;
  float *c = simulator.zeros<float>(32 * 4);
  expectGood(
      simulator.run([](const uint64_t *arguments, const infini_lane *lane) {
        // 1 + 2^-10 is there; the 2^-11 below it is cut off, not rounded.
        uint32_t a[4] = {0x3f803000, 0, 0, 0}, b[2] = {0x3f800fff, 0};
        float sums[4] = {};
        lane->table->mma(lane, "mma at t:1:1", 2, a, b, sums);
        std::memcpy(argument<float>(arguments, 0) + 4 * lane->thread, sums,
                    sizeof sums);
      }));
  // Four lanes of a row hold k = 0 ... 3.
  for (int i = 0; i < 32; ++i) {
    EXPECT_EQ(c[4 * i], 4 * (1 + 0x1p-10f));
    EXPECT_EQ(c[4 * i + 2], 0.0f);
  }
}

//===----------------------------------------------------------------------===//
// ldmatrix
//===----------------------------------------------------------------------===//

/// Element (row, column) of matrix i is 64i + 8 row + column; matrices lie in
/// rows of 16 bytes, one after the other.
template <uint32_t count, uint32_t transpose>
void loadMatrices(const uint64_t *arguments, const infini_lane *lane) {
  for (uint32_t n = 0; n < 8; ++n) {
    auto element = uint32_t(lane->thread * 8) + n;
    storeShared(lane, element * 2, uint16_t(element));
  }
  barrier(lane);
  uint32_t result[4] = {~0u, ~0u, ~0u, ~0u};
  // Lanes that give no address may give anything.
  uint32_t address =
      lane->thread < 8 * count ? uint32_t(lane->thread * 16) : 12345;
  lane->table->ldmatrix(lane, "ldmatrix at t:1:1", address, count, transpose,
                        result);
  std::memcpy(argument<uint32_t>(arguments, 0) + 4 * lane->thread, result,
              sizeof result);
}

TEST(SimLdmatrix, AllForms) {
  const struct {
    infini_lane_kernel kernel;
    uint32_t count;
    bool transpose;
  } forms[] = {{loadMatrices<1, 0>, 1, false}, {loadMatrices<2, 0>, 2, false},
               {loadMatrices<4, 0>, 4, false}, {loadMatrices<1, 1>, 1, true},
               {loadMatrices<2, 1>, 2, true},  {loadMatrices<4, 1>, 4, true}};
  for (const auto &form : forms)
    for (uint64_t seed = 0; seed < simSeeds; ++seed) {
      Simulator simulator(seed);
      uint32_t *result = simulator.zeros<uint32_t>(32 * 4);
      expectGood(simulator.run(form.kernel, {32, 512}));
      for (uint32_t l = 0; l < 32; ++l)
        for (uint32_t i = 0; i < 4; ++i) {
          uint32_t expected = ~0u;
          if (i < form.count) {
            uint32_t row = l / 4, column = 2 * (l % 4);
            uint32_t low = form.transpose ? 8 * column + row : 8 * row + column;
            uint32_t high =
                form.transpose ? 8 * (column + 1) + row : 8 * row + column + 1;
            expected = (64 * i + low) | (64 * i + high) << 16;
          }
          EXPECT_EQ(result[4 * l + i], expected) << "lane " << l;
        }
    }
}

/// Worked by hand.
TEST(SimLdmatrix, WorkedFragments) {
  Simulator simulator;
  uint32_t *result = simulator.zeros<uint32_t>(32 * 4);
  expectGood(simulator.run(loadMatrices<4, 0>, {32, 512}));
  EXPECT_EQ(result[0], 0x00010000u);          // lane 0: elements 0, 1
  EXPECT_EQ(result[4 * 6 + 1], 0x004d004cu);  // lane 6: 64 + 8 + 4, and 5
  EXPECT_EQ(result[4 * 31 + 3], 0x00ff00feu); // lane 31: the last two
  expectGood(simulator.run(loadMatrices<4, 1>, {32, 512}));
  EXPECT_EQ(result[0], 0x00080000u);          // rows 0, 1 of column 0
  EXPECT_EQ(result[4 * 6 + 1], 0x00690061u);  // rows 4, 5 of column 1
  EXPECT_EQ(result[4 * 31 + 3], 0x00ff00f7u); // rows 6, 7 of column 7
}

/// As a kernel does it: a and b row-major in shared memory, a by ldmatrix.x4, b
/// by ldmatrix.x2.trans, are what mma wants.
TEST(SimLdmatrix, FeedsMma) {
  Simulator simulator;
  std::vector<uint16_t> a, b;
  for (int i = 0; i < 16 * 16; ++i)
    a.push_back(Float16::fromDouble(i * 7 % 13 - 6));
  for (int i = 0; i < 16 * 8; ++i)
    b.push_back(Float16::fromDouble(i * 5 % 11 - 5));
  simulator.buffer(a);
  simulator.buffer(b);
  float *c = simulator.zeros<float>(16 * 8);
  expectGood(simulator.run(
      [](const uint64_t *, const infini_lane *lane) {
        auto l = uint32_t(lane->thread);
        auto a = Place<uint16_t>{0};
        auto b = Place<uint16_t>{1};
        copyAsync(lane, l * 16, a + l * 8);
        if (l < 16)
          copyAsync(lane, 512 + l * 16, b + l * 8);
        commit(lane);
        wait(lane);
        barrier(lane);
        // Matrices (rows 0, k 0), (rows 8, k 0), (rows 0, k 8), (rows 8, k 8).
        uint32_t aRegisters[4], bRegisters[2];
        lane->table->ldmatrix(lane, "ldmatrix at t:1:1",
                              (l % 8 + l / 8 % 2 * 8) * 32 + l / 16 * 16, 4, 0,
                              aRegisters);
        lane->table->ldmatrix(lane, "ldmatrix at t:2:1", 512 + l % 16 * 16, 2,
                              1, bRegisters);
        float sums[4] = {};
        lane->table->mma(lane, "mma at t:3:1", 1, aRegisters, bRegisters, sums);
        uint32_t g = l / 4, t = l % 4;
        for (uint32_t i = 0; i < 4; ++i)
          storeGlobal(lane,
                      Place<float>{2} + (g + 8 * (i / 2)) * 8 + 2 * t + i % 2,
                      sums[i]);
      },
      {32, 768}));
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 8; ++j) {
      double expected = 0;
      for (int k = 0; k < 16; ++k)
        expected +=
            (((i * 16 + k) * 7) % 13 - 6) * (((k * 8 + j) * 5) % 11 - 5);
      EXPECT_EQ(c[i * 8 + j], expected) << i << " " << j;
    }
}

//===----------------------------------------------------------------------===//
// shuffle_xor
//===----------------------------------------------------------------------===//

TEST(SimShuffle, Butterfly) {
  for (uint64_t seed = 0; seed < simSeeds; ++seed) {
    Simulator simulator(seed);
    uint32_t *result = simulator.zeros<uint32_t>(2 * 2 * 64);
    expectGood(simulator.run(
        [](const uint64_t *, const infini_lane *lane) {
          auto own = uint32_t(lane->thread + 1000 * lane->block[0]);
          uint32_t other =
              lane->table->shuffle_xor(lane, "shuffle at t:1:1", own, 5);
          uint32_t sum = own;
          for (uint32_t mask = 1; mask < 32; mask *= 2)
            sum +=
                lane->table->shuffle_xor(lane, "shuffle at t:2:1", sum, mask);
          auto to =
              Place<uint32_t>{0} + 2 * (lane->thread + 64 * lane->block[0]);
          storeGlobal(lane, to, other);
          storeGlobal(lane, to + 1, sum);
        },
        {64, 0, 2}));
    for (uint32_t block = 0; block < 2; ++block)
      for (uint32_t thread = 0; thread < 64; ++thread) {
        const uint32_t *at = result + 2 * (thread + 64 * block);
        EXPECT_EQ(at[0], (thread ^ 5) + 1000 * block);
        uint32_t first = thread / 32 * 32 + 1000 * block;
        EXPECT_EQ(at[1], 32 * first + 496);
      }
    EXPECT_EQ(simulator.counters().shuffles, 2u * 2 * 6);
  }
}

TEST(SimShuffle, MaskBeyondTheWarp) {
  expectFault(
      [](const uint64_t *, const infini_lane *lane) {
        lane->table->shuffle_xor(lane, "shuffle at t:1:1", 0, 32);
      },
      {}, {"shuffle at t:1:1", "expected a mask below 32, got 32"});
}

} // namespace
