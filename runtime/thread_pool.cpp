// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/thread_pool.h"

#include <algorithm>
#include <sched.h>

using namespace infini;

/// How often to look before sleeping: some hundreds of microseconds. Waking a
/// sleeping thread costs tens, and kernels that one thread runs alone take that.
static constexpr int spins = 20000;

static inline void pauseProcessor() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

unsigned ThreadPool::availableCores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
  return std::max(1u, std::thread::hardware_concurrency());
}

ThreadPool::ThreadPool(unsigned threads) {
  try {
    for (unsigned i = 1; i < threads; ++i)
      workers.emplace_back([this, i] { workerMain(i); });
  } catch (...) {
    stop();
    throw;
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    stopping = true;
  }
  wake.notify_all();
  for (std::thread &worker : workers)
    worker.join();
  workers.clear();
}

bool ThreadPool::join(uint64_t &lastGeneration) {
  uint64_t seen = state.load();
  while ((seen & openBit) && seen >> generationShift != lastGeneration) {
    if (state.compare_exchange_weak(seen, seen + 1)) {
      lastGeneration = seen >> generationShift;
      return true;
    }
  }
  return false;
}

void ThreadPool::leave() {
  uint64_t left = state.fetch_sub(1) - 1;
  if ((left & (activeMask | openBit)) == 0 && callerSleeps.load()) {
    // Taking the lock orders this after the caller's look at the state.
    {
      std::lock_guard<std::mutex> lock(mutex);
    }
    done.notify_one();
  }
}

void ThreadPool::work(unsigned thread) {
  for (;;) {
    int64_t begin = next.fetch_add(grain, std::memory_order_relaxed);
    if (begin >= count)
      return;
    function(context, thread, begin, begin + std::min(grain, count - begin));
  }
}

void ThreadPool::workerMain(unsigned thread) {
  uint64_t lastGeneration = 0;
  while (!stopping.load(std::memory_order_relaxed)) {
    bool joined = false;
    for (int i = 0; i < spins && !joined; ++i) {
      joined = join(lastGeneration);
      if (!joined)
        pauseProcessor();
    }
    if (!joined) {
      std::unique_lock<std::mutex> lock(mutex);
      // Counted before the last look, so that whoever opens a job after that
      // look sees somebody to wake.
      sleepers.fetch_add(1);
      wake.wait(lock, [&] {
        return stopping.load() || (joined = join(lastGeneration));
      });
      sleepers.fetch_sub(1);
      if (!joined)
        return;
    }
    work(thread);
    leave();
  }
}

void ThreadPool::run(int64_t count, int64_t grain, Function function,
                     void *context) {
  if (count <= 0)
    return;
  std::lock_guard<std::mutex> lock(callers);
  if (workers.empty() || count <= grain) {
    function(context, 0, 0, count);
    return;
  }
  this->function = function;
  this->context = context;
  this->count = count;
  // The counter runs past the end by a grain a thread: keep it from
  // overflowing.
  this->grain = std::min<int64_t>(std::max<int64_t>(grain, 1), 1 << 20);
  next.store(0, std::memory_order_relaxed);
  uint64_t generation = (state.load() >> generationShift) + 1;
  state.store(generation << generationShift | openBit);
  if (sleepers.load() > 0) {
    {
      std::lock_guard<std::mutex> wakeLock(mutex);
    }
    wake.notify_all();
  }
  work(0);
  state.fetch_and(~openBit);
  for (int i = 0; i < spins; ++i) {
    if ((state.load() & activeMask) == 0)
      return;
    pauseProcessor();
  }
  std::unique_lock<std::mutex> doneLock(mutex);
  callerSleeps = true;
  done.wait(doneLock, [&] { return (state.load() & activeMask) == 0; });
  callerSleeps = false;
}
