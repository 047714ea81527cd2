// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The peak of f32 multiply-adds of this machine, in GFLOP/s.
//
//   g++ -std=c++17 -O3 -march=native -ffp-contract=fast -pthread fma_peak.cpp
//   fma_peak WINDOWS THREADS...     for each number of threads a line: the
//                                   number, and the best of so many windows
//
// Threads are pinned to the first cores that the process may use, start
// together, and count the rounds they finish in 0.2 s.

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr int bytes = 64;
#elif defined(__AVX2__) && defined(__FMA__)
constexpr int bytes = 32;
#else
constexpr int bytes = 16;
#endif
using Vector = float __attribute__((vector_size(bytes)));
using Clock = std::chrono::steady_clock;

// Latency times throughput is 8 to 10 on today's cores; AVX2 has 16 registers.
constexpr int chains = 12, rounds = 2000;
constexpr double flopsPerBlock =
    2.0 * rounds * chains * (bytes / sizeof(float));

struct Chains {
  Vector value[chains];

  void run(Vector factor, Vector summand) {
    Vector local[chains];
    for (int i = 0; i < chains; ++i)
      local[i] = value[i];
    for (int round = 0; round < rounds; ++round)
      for (int i = 0; i < chains; ++i)
        local[i] = local[i] * factor + summand;
    for (int i = 0; i < chains; ++i)
      value[i] = local[i];
  }
};

volatile float sink;

// The GFLOP/s of one window of so many threads.
double window(const std::vector<int> &cores, double seconds) {
  std::atomic<size_t> ready{0};
  std::atomic<long> blocks{0};
  Clock::time_point start, end;
  std::atomic<bool> go{false};
  auto work = [&](int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    sched_setaffinity(0, sizeof set, &set);
    Vector factor = {}, summand = {};
    factor += 0.999f;
    summand += 0.001f;
    Chains chain;
    for (int i = 0; i < chains; ++i)
      chain.value[i] = summand * float(i);
    ++ready;
    while (!go.load(std::memory_order_acquire)) {
    }
    long count = 0;
    for (; Clock::now() < end; ++count)
      chain.run(factor, summand);
    blocks += count;
    float sum = 0;
    for (int i = 0; i < chains; ++i)
      sum += chain.value[i][0];
    sink = sum;
  };
  std::vector<std::thread> threads;
  for (int core : cores)
    threads.emplace_back(work, core);
  while (ready < cores.size())
    std::this_thread::yield();
  start = Clock::now();
  end = start + std::chrono::duration_cast<Clock::duration>(
                    std::chrono::duration<double>(seconds));
  go.store(true, std::memory_order_release);
  for (std::thread &thread : threads)
    thread.join();
  return double(blocks) * flopsPerBlock / seconds * 1e-9;
}

} // namespace

int main(int argc, char **argv) {
  int windows = argc > 1 ? std::atoi(argv[1]) : 0;
  if (argc < 3 || windows < 1) {
    std::fprintf(stderr, "usage: %s WINDOWS THREADS...\n", argv[0]);
    return 1;
  }
  std::vector<int> cores;
  cpu_set_t set;
  sched_getaffinity(0, sizeof set, &set);
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &set))
      cores.push_back(core);
  for (int i = 2; i < argc; ++i) {
    size_t threads = std::strtoul(argv[i], nullptr, 10);
    if (threads < 1 || threads > cores.size()) {
      std::fprintf(stderr, "error: threads: expected 1 to %zu, got %s\n",
                   cores.size(), argv[i]);
      return 1;
    }
    double best = 0;
    for (int w = 0; w < windows; ++w)
      best = std::max(
          best, window({cores.begin(), cores.begin() + threads}, 0.2));
    std::printf("%zu %.2f\n", threads, best);
  }
  return 0;
}
