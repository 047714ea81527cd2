// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/cpu/cpu_device.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace infini;

namespace {

template <typename T> std::vector<T> randomValues(int64_t count, int seed) {
  std::mt19937 random{unsigned(seed)};
  std::normal_distribution<double> normal;
  std::vector<T> values(static_cast<size_t>(count));
  for (T &value : values)
    value = T(normal(random));
  return values;
}

template <typename T>
std::vector<T> multiply(unsigned threads, int64_t m, int64_t n, int64_t k,
                        bool ta, bool tb, bool accumulate) {
  CpuDevice device(threads);
  auto a = randomValues<T>(m * k, 1), b = randomValues<T>(k * n, 2),
       c = randomValues<T>(m * n, 3);
  Status status =
      device.gemm({a.data(), b.data(), c.data(), m, n, k, ta, tb, accumulate,
                   sizeof(T) == 4 ? ElementType::f32 : ElementType::f64});
  EXPECT_FALSE(status) << status.message();
  return c;
}

template <typename T>
void checkProduct(int64_t m, int64_t n, int64_t k, bool ta, bool tb,
                  bool accumulate) {
  auto a = randomValues<T>(m * k, 1), b = randomValues<T>(k * n, 2),
       c = randomValues<T>(m * n, 3);
  auto got = multiply<T>(2, m, n, k, ta, tb, accumulate);
  double error = 0, norm = 0;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = accumulate ? double(c[size_t(i * n + j)]) : 0;
      for (int64_t l = 0; l < k; ++l)
        sum += double(a[size_t(ta ? l * m + i : i * k + l)]) *
               double(b[size_t(tb ? j * k + l : l * n + j)]);
      double difference = double(got[size_t(i * n + j)]) - sum;
      error += difference * difference;
      norm += sum * sum;
    }
  EXPECT_LE(std::sqrt(error), (sizeof(T) == 4 ? 2e-6 : 1e-14) * std::sqrt(norm))
      << m << " " << n << " " << k << " " << ta << tb << accumulate;
  // The same bits, however many threads share the work.
  auto alone = multiply<T>(1, m, n, k, ta, tb, accumulate);
  auto many = multiply<T>(5, m, n, k, ta, tb, accumulate);
  EXPECT_EQ(std::memcmp(got.data(), alone.data(), got.size() * sizeof(T)), 0);
  EXPECT_EQ(std::memcmp(got.data(), many.data(), got.size() * sizeof(T)), 0);
}

TEST(Gemm, AgainstTheDefinition) {
  const int64_t sizes[][3] = {
      {1, 1, 1},    {1, 300, 64},  {1, 2000, 500}, {2, 3, 4},    {5, 700, 33},
      {64, 64, 64}, {70, 129, 17}, {257, 513, 40}, {300, 1, 20}, {33, 40, 1}};
  for (auto &size : sizes)
    for (int bits = 0; bits < 8; ++bits) {
      checkProduct<float>(size[0], size[1], size[2], bits & 1, bits & 2,
                          bits & 4);
      checkProduct<double>(size[0], size[1], size[2], bits & 1, bits & 2,
                           bits & 4);
    }
}

TEST(Gemm, EmptySums) {
  CpuDevice device(2);
  float c[4] = {1, 2, 3, NAN};
  Gemm gemm{c, c, c, 2, 2, 0, false, false, true, ElementType::f32};
  EXPECT_FALSE(device.gemm(gemm));
  EXPECT_EQ(c[2], 3);
  gemm.accumulate = false;
  EXPECT_FALSE(device.gemm(gemm));
  for (float value : c)
    EXPECT_EQ(value, 0);
  for (int empty = 0; empty < 2; ++empty) {
    gemm.m = empty ? 2 : 0;
    gemm.n = empty ? 0 : 2;
    gemm.k = 3;
    EXPECT_FALSE(device.gemm(gemm));
  }
}

TEST(Gemm, PanelsCoverAndAreMany) {
  for (int64_t m : {1, 2, 16, 128, 1000, 5000})
    for (int64_t n : {1, 128, 352, 1024, 32000}) {
      GemmPanels panels = chooseGemmPanels(m, n, 1024, 4);
      EXPECT_GE(panels.rows, 1);
      EXPECT_LE(panels.rows, m);
      EXPECT_GE(panels.columns, 1);
      EXPECT_LE(panels.columns, n);
      // A large product keeps eight threads busy.
      int64_t count = ((m + panels.rows - 1) / panels.rows) *
                      ((n + panels.columns - 1) / panels.columns);
      if (m * n >= 128 * 1024) {
        EXPECT_GE(count, 16) << m << " " << n;
      }
    }
}

} // namespace
