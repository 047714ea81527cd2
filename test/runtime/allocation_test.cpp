// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The k-th allocation fails, for every k: out of memory is reported, nothing
// leaks, and the next try succeeds. Allocations are those of new and of the C
// library, from the runtime's own code (the linker's --wrap).

#include "cuda_test.h"
#include "infini/runtime/infini.h"
#include "infini/runtime/status.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <new>

namespace {
/// How many more succeed on this thread; negative: all do.
thread_local long remaining = -1;
/// What this thread has allocated and not yet given back.
thread_local long alive = 0;
} // namespace

static void *counted(void *memory) {
  alive += memory != nullptr;
  return memory;
}
static bool mayAllocate() {
  if (remaining > 0)
    --remaining;
  else if (remaining == 0)
    return false;
  return true;
}

extern "C" {
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *memory);

void *__wrap_malloc(size_t size) {
  return mayAllocate() ? counted(__real_malloc(size)) : nullptr;
}
void *__wrap_calloc(size_t count, size_t size) {
  return mayAllocate() ? counted(__real_calloc(count, size)) : nullptr;
}
void *__wrap_aligned_alloc(size_t alignment, size_t size) {
  return mayAllocate() ? counted(__real_aligned_alloc(alignment, size))
                       : nullptr;
}
void __wrap_free(void *memory) {
  alive -= memory != nullptr;
  __real_free(memory);
}
}

// Not inlined, or the compiler sees malloc and free not match new and delete.
__attribute__((noinline)) void *operator new(std::size_t size) {
  void *memory = malloc(size ? size : 1);
  if (!memory)
    throw std::bad_alloc();
  return memory;
}
__attribute__((noinline)) void *operator new(std::size_t size,
                                             const std::nothrow_t &) noexcept {
  try {
    return operator new(size);
  } catch (...) {
    return nullptr;
  }
}
__attribute__((noinline)) void operator delete(void *memory) noexcept {
  free(memory);
}
void operator delete(void *memory, std::size_t) noexcept {
  operator delete(memory);
}

using namespace infini;
using namespace infini::test;

namespace {

/// A whole life: open everything, run a text, save its state and go on from it
/// if there is a path for it, close everything.
infini_status *life(const std::string &bytes, const std::string &folder,
                    const char *deviceName, const char *statePath = nullptr) {
  infini_package *package = nullptr;
  infini_weights *weights = nullptr;
  infini_device *device = nullptr;
  infini_session *session = nullptr;
  int32_t tokens[48] = {1, 2, 3};
  infini_status *status =
      infini_package_from_memory(bytes.data(), bytes.size(), &package);
  if (!status)
    status = infini_weights_open(folder.c_str(), &weights);
  if (!status)
    status = infini_device_open(deviceName, 1, &device);
  if (!status)
    status = infini_session_open(package, nullptr, weights, device, &session);
  if (!status)
    status = infini_session_feed(session, tokens, 48, nullptr);
  if (!status && statePath)
    status = infini_session_save(session, statePath);
  if (!status && statePath)
    status = infini_session_load(session, statePath);
  if (!status && statePath)
    status = infini_session_feed(session, tokens, 1, nullptr);
  if (session)
    infini_session_release(session);
  if (device)
    infini_device_release(device);
  if (weights)
    infini_weights_release(weights);
  if (package)
    infini_package_release(package);
  return status;
}

/// Gives how many were needed.
long failEach(const std::string &bytes, const std::string &folder,
              const char *deviceName, const std::function<void()> &check,
              const char *statePath = nullptr) {
  // Once for what is allocated once a process.
  EXPECT_EQ(life(bytes, folder, deviceName, statePath), nullptr);
  for (long k = 0; k < 100000; ++k) {
    long before = alive;
    remaining = k;
    infini_status *status = life(bytes, folder, deviceName, statePath);
    remaining = -1;
    infini_code code = infini_status_code(status);
    infini_status_release(status);
    EXPECT_EQ(alive, before) << k;
    check();
    if (code == INFINI_OK)
      return k;
    EXPECT_EQ(code, INFINI_OUT_OF_MEMORY) << k;
    if (testing::Test::HasFailure())
      break;
  }
  return 0;
}

TEST(Allocation, EveryOneMayFail) {
  TemporaryFolder folder;
  writeFile(folder / "model.safetensors", textWeights());
  EXPECT_GT(failEach(packageFile(textProgram()), folder.path, "cpu", [] {}),
            100);
}

TEST_F(Cuda, EveryAllocationMayFail) {
  EXPECT_GT(failEach(packageFile(thoroughProgram()), folder.path, "cuda",
                     [&] { expectNothingLeft(); }),
            100);
}

size_t count(const std::string &folder) {
  return size_t(std::distance(std::filesystem::directory_iterator(folder), {}));
}

/// S19: saving and loading too. The file is the old one or the new one, there
/// is no other, and none is left open.
void failEachOfStates(const std::string &bytes, const char *deviceName,
                      const std::function<void()> &check) {
  TemporaryFolder folder;
  writeFile(folder / "model.safetensors", textWeights());
  std::string path = folder / "state", whole;
  EXPECT_EQ(life(bytes, folder.path, deviceName, path.c_str()), nullptr);
  whole = readFile(path);
  size_t descriptors = count("/proc/self/fd");
  long olds = 0, news = 0;
  long tries = failEach(
      bytes, folder.path, deviceName,
      [&] {
        std::string found = readFile(path);
        EXPECT_TRUE(found == "old" || found == whole) << found.size();
        ++(found == "old" ? olds : news);
        writeFile(path, "old");
        EXPECT_EQ(count(folder.path), 2u);
        EXPECT_EQ(count("/proc/self/fd"), descriptors);
        check();
      },
      path.c_str());
  EXPECT_GT(tries, 100);
  // It failed before the save was done, and after it.
  EXPECT_GT(olds, 100);
  EXPECT_GT(news, 10);
  printf("%s: each of %ld allocations failed; the old file %ld times\n",
         deviceName, tries, olds);
}

TEST(Allocation, SavingAndLoading) {
  failEachOfStates(packageFile(textProgram()), "cpu", [] {});
}

TEST_F(Cuda, EveryAllocationOfStatesMayFail) {
  failEachOfStates(packageFile(thoroughProgram()), "cuda",
                   [&] { expectNothingLeft(); });
}

TEST(Allocation, SteadyStateNeedsNone) {
  TemporaryFolder folder;
  writeFile(folder / "model.safetensors", textWeights());
  std::string bytes = packageFile(textProgram());
  infini_package *package = nullptr;
  infini_weights *weights = nullptr;
  infini_device *device = nullptr;
  infini_session *session = nullptr;
  ASSERT_FALSE(Status::adopt(
      infini_package_from_memory(bytes.data(), bytes.size(), &package)));
  ASSERT_FALSE(
      Status::adopt(infini_weights_open(folder.path.c_str(), &weights)));
  ASSERT_FALSE(Status::adopt(infini_device_open("cpu", 2, &device)));
  ASSERT_FALSE(Status::adopt(
      infini_session_open(package, nullptr, weights, device, &session)));
  std::vector<int32_t> tokens(64, 5);
  std::vector<float> logits(64 * 256);
  for (int round = 0; round < 2; ++round) {
    // The first time may allocate, the second not even once.
    remaining = round ? 0 : -1;
    infini_status *status = infini_session_feed(session, tokens.data(),
                                                tokens.size(), logits.data());
    remaining = -1;
    EXPECT_EQ(status, nullptr) << round;
    infini_status_release(status);
  }
  infini_session_release(session);
  infini_device_release(device);
  infini_weights_release(weights);
  infini_package_release(package);
}

} // namespace
