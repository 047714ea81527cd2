// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/thread_pool.h"

#include <gtest/gtest.h>
#include <memory>

using namespace infini;

namespace {

struct Marks {
  std::unique_ptr<std::atomic<int>[]> seen;
  std::atomic<unsigned> largestThread{0};
  std::atomic<int> perThread[16] = {};
};

void mark(void *context, unsigned thread, int64_t begin, int64_t end) {
  auto &marks = *static_cast<Marks *>(context);
  // Nobody else may have our number at the same time.
  EXPECT_EQ(marks.perThread[thread].fetch_add(1), 0);
  for (int64_t i = begin; i < end; ++i)
    marks.seen[size_t(i)].fetch_add(1);
  marks.perThread[thread].fetch_sub(1);
}

void checkOnce(ThreadPool &pool, int64_t count, int64_t grain) {
  Marks marks;
  marks.seen = std::make_unique<std::atomic<int>[]>(size_t(count));
  pool.run(count, grain, mark, &marks);
  for (int64_t i = 0; i < count; ++i)
    ASSERT_EQ(marks.seen[size_t(i)].load(), 1) << i;
}

TEST(ThreadPool, EveryIndexOnce) {
  for (unsigned threads : {1u, 2u, 3u, 8u}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threadCount(), threads);
    for (int64_t count : {0, 1, 2, 7, 64, 1000})
      for (int64_t grain : {1, 3, 64, 5000})
        checkOnce(pool, count, grain);
  }
}

TEST(ThreadPool, ManyShortJobs) {
  ThreadPool pool(4);
  for (int round = 0; round < 20000; ++round)
    checkOnce(pool, round % 9, 1);
}

TEST(ThreadPool, WakesAfterSleep) {
  ThreadPool pool(3);
  for (int round = 0; round < 20; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    checkOnce(pool, 100, 1);
  }
}

/// A worker that is late, or slow, is waited for once it takes part.
TEST(ThreadPool, WaitsForThoseWhoTakePart) {
  ThreadPool pool(4);
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> done{0};
    pool.run(
        8, 1,
        [](void *context, unsigned, int64_t, int64_t) {
          std::this_thread::sleep_for(std::chrono::milliseconds(2));
          static_cast<std::atomic<int> *>(context)->fetch_add(1);
        },
        &done);
    EXPECT_EQ(done.load(), 8);
  }
}

TEST(ThreadPool, SeveralCallers) {
  ThreadPool pool(3);
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i)
    callers.emplace_back([&] {
      for (int round = 0; round < 500; ++round)
        checkOnce(pool, 17, 2);
    });
  for (std::thread &caller : callers)
    caller.join();
}

} // namespace
