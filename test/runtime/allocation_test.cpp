// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The k-th allocation fails, for every k: out of memory is reported, nothing
// leaks, and the next try succeeds.

#include "cuda_test.h"
#include "infini/runtime/infini.h"
#include "infini/runtime/status.h"

#include <atomic>
#include <cstdlib>
#include <functional>
#include <gtest/gtest.h>
#include <new>

namespace {
/// How many more succeed on this thread; negative: all do.
thread_local long remaining = -1;
/// What this thread has allocated and not yet given back.
thread_local long alive = 0;
} // namespace

// Not inlined, or the compiler sees malloc and free not match new and delete.
__attribute__((noinline)) void *operator new(std::size_t size) {
  if (remaining == 0)
    throw std::bad_alloc();
  if (remaining > 0)
    --remaining;
  void *memory = malloc(size ? size : 1);
  if (!memory)
    throw std::bad_alloc();
  ++alive;
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
  if (memory)
    --alive;
  free(memory);
}
void operator delete(void *memory, std::size_t) noexcept {
  operator delete(memory);
}

using namespace infini;
using namespace infini::test;

namespace {

/// A whole life: open everything, run a text, close everything.
infini_status *life(const std::string &bytes, const std::string &folder,
                    const char *deviceName) {
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
              const char *deviceName, const std::function<void()> &check) {
  // Once for what is allocated once a process.
  EXPECT_EQ(life(bytes, folder, deviceName), nullptr);
  for (long k = 0; k < 100000; ++k) {
    long before = alive;
    remaining = k;
    infini_status *status = life(bytes, folder, deviceName);
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
