// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A fixed pool of threads that share the indices of one job at a time. Made for
// many short jobs: the caller works too, workers look for the next job for a
// moment before they sleep, and nobody waits for a worker that did not wake in
// time to take part.

#ifndef INFINI_RUNTIME_THREAD_POOL_H
#define INFINI_RUNTIME_THREAD_POOL_H

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace infini {

class ThreadPool {
public:
  /// Works on indices [begin, end). `thread` < threadCount() is the same for
  /// all calls on one thread during a job, and of no two threads. Must not
  /// throw.
  using Function = void (*)(void *context, unsigned thread, int64_t begin,
                            int64_t end);

  /// `threads` includes the calling one; at least 1. Throws std::system_error
  /// when a thread cannot be started.
  explicit ThreadPool(unsigned threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  unsigned threadCount() const { return unsigned(workers.size()) + 1; }

  /// Runs `function` over [0, count), `grain` indices at a time, and returns
  /// when all are done. Jobs of several callers run one after another.
  void run(int64_t count, int64_t grain, Function function, void *context);

  /// How many threads the process may run at once.
  static unsigned availableCores();

private:
  void workerMain(unsigned thread);
  void work(unsigned thread);
  bool join(uint64_t &lastGeneration);
  void leave();
  void stop();

  // Whether a job is open, how many workers take part, and a count that tells
  // jobs apart, in one word: joining is one compare-and-swap that fails once
  // the job is closed.
  static constexpr uint64_t activeMask = 0xffff;
  static constexpr uint64_t openBit = 1 << 16;
  static constexpr unsigned generationShift = 17;

  std::mutex callers;

  // The job. Written while none is open and nobody takes part.
  Function function = nullptr;
  void *context = nullptr;
  int64_t count = 0;
  int64_t grain = 1;

  alignas(64) std::atomic<uint64_t> state{0};
  alignas(64) std::atomic<int64_t> next{0};
  alignas(64) std::atomic<unsigned> sleepers{0};
  std::atomic<bool> callerSleeps{false};
  std::atomic<bool> stopping{false};

  std::mutex mutex;
  std::condition_variable wake, done;
  std::vector<std::thread> workers;
};

} // namespace infini

#endif // INFINI_RUNTIME_THREAD_POOL_H
