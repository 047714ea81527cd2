// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the cuda device computes, on the fake driver.

#include "cuda_test.h"
#include "infini/runtime/devices/cpu/cpu_device.h"
#include "infini/runtime/devices/cuda/staging.h"

#include <cmath>
#include <cstring>
#include <thread>

using namespace infini;
using namespace infini::test;

namespace {

TEST_F(Cuda, Opens) {
  reset("devices=2 chip=90");
  for (const char *name : {"cuda", "cuda:0", "cuda:1"}) {
    Status status = open(name, device);
    ASSERT_FALSE(status) << status.message();
    EXPECT_STREQ(device->chip(), "sm_90");
    EXPECT_FALSE(device->sharesHostMemory());
    device.reset();
    expectNothingLeft();
  }
}

TEST_F(Cuda, Functions) {
  for (const char *settings : {"", "lazy=1"}) {
    reset(settings);
    std::unique_ptr<Session> session;
    Status status = openSession(forGpu(addProgram()), session);
    ASSERT_FALSE(status) << status.message();
    for (size_t n : {0u, 1u, 63u, 64u, 65u, 1000u, 7u, 7u, 7u, 7u, 1000u}) {
      std::vector<float> a(n, 3), b(n, float(n)), sum(n, -1);
      infini_tensor inputs[] = {vectorOf(a), vectorOf(b)};
      infini_tensor output = vectorOf(sum);
      if (n == 0)
        output.data = nullptr;
      status = session->call(inputs, 2, &output, 1);
      ASSERT_FALSE(status) << status.message();
      EXPECT_EQ(sum, std::vector<float>(n, float(n) + 3));
      if (n == 0)
        infini_tensor_release(&output);
    }
    session.reset();
    device.reset();
    expectNothingLeft();
  }
}

TEST_F(Cuda, Texts) {
  for (const char *settings : {"", "lazy=1"})
    for (const Program &program : {forGpu(textProgram()), thoroughProgram()}) {
      reset(settings);
      std::unique_ptr<Session> session;
      Status status = openSession(program, session);
      ASSERT_FALSE(status) << status.message();
      std::vector<float> got;
      for (uint64_t perCall : {1, 3, 16, 0, 2}) {
        ASSERT_FALSE(session->setTokensPerCall(perCall));
        ASSERT_FALSE(session->reset());
        status = feed(*session, got);
        ASSERT_FALSE(status) << status.message();
        EXPECT_EQ(got, expectedLogits());
      }
      infini_tensor counts = {};
      ASSERT_FALSE(session->readState("counts", counts));
      EXPECT_EQ(static_cast<float *>(counts.data)[0], 3);
      infini_tensor_release(&counts);
      session.reset();
      device.reset();
      expectNothingLeft();
    }
}

TEST_F(Cuda, Transfers) {
  reset("lazy=1");
  ASSERT_FALSE(open("cuda", device));
  constexpr size_t piece = CudaStaging::pieceBytes;
  for (size_t size :
       {size_t(0), size_t(1), size_t(1000), piece - 1, piece, piece + 1,
        3 * piece, 4 * piece, 4 * piece + 5, 9 * piece + 12345}) {
    std::unique_ptr<DeviceMemory> memory;
    ASSERT_FALSE(device->allocate(size, memory));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory->data) % 16, 0u);
    std::vector<uint8_t> bytes = randomBytes(size), sent = bytes, got(size);
    ASSERT_FALSE(device->upload(memory->data, sent.data(), size));
    // It is the caller's again.
    std::fill(sent.begin(), sent.end(), 0);
    ASSERT_FALSE(device->download(got.data(), memory->data, size));
    EXPECT_TRUE(got == bytes) << size;
  }
  // Many small ones, none waited for.
  std::unique_ptr<DeviceMemory> memory;
  ASSERT_FALSE(device->allocate(1000 * 4, memory));
  for (uint32_t i = 0; i < 1000; ++i)
    ASSERT_FALSE(
        device->upload(static_cast<char *>(memory->data) + 4 * i, &i, 4));
  std::vector<uint32_t> got(1000);
  ASSERT_FALSE(device->synchronize());
  ASSERT_FALSE(device->download(got.data(), memory->data, 4000));
  for (uint32_t i = 0; i < 1000; ++i)
    EXPECT_EQ(got[i], i);
}

/// Copies within one block, at every distance, against memmove.
TEST_F(Cuda, Copies) {
  reset("lazy=1");
  ASSERT_FALSE(open("cuda", device));
  constexpr size_t size = 300;
  std::unique_ptr<DeviceMemory> memory;
  ASSERT_FALSE(device->allocate(size, memory));
  auto *begin = static_cast<uint8_t *>(memory->data);
  std::vector<uint8_t> bytes = randomBytes(size), got(size);
  ASSERT_FALSE(device->upload(begin, bytes.data(), size));
  for (size_t length : {0, 1, 7, 64, 100})
    for (size_t from : {0, 1, 64, 150, 200})
      for (size_t to : {0, 1, 5, 63, 64, 65, 120, 149, 150, 151, 199, 200}) {
        ASSERT_FALSE(device->copy(begin + to, begin + from, length));
        std::memmove(&bytes[to], &bytes[from], length);
        ASSERT_FALSE(device->download(got.data(), begin, size));
        ASSERT_EQ(got, bytes) << length << " " << from << " " << to;
      }
  // Two that need room in between, the second more of it.
  std::unique_ptr<DeviceMemory> large;
  ASSERT_FALSE(device->allocate(10000, large));
  begin = static_cast<uint8_t *>(large->data);
  bytes = randomBytes(10000);
  got.resize(10000);
  ASSERT_FALSE(device->upload(begin, bytes.data(), 10000));
  ASSERT_FALSE(device->copy(begin + 1, begin, 2000));
  ASSERT_FALSE(device->copy(begin, begin + 3, 9000));
  std::memmove(&bytes[1], &bytes[0], 2000);
  std::memmove(&bytes[0], &bytes[3], 9000);
  ASSERT_FALSE(device->download(got.data(), begin, 10000));
  EXPECT_EQ(got, bytes);
}

/// Patterns of every width, at every place and of every length, against the
/// cpu's.
TEST_F(Cuda, Fills) {
  ASSERT_FALSE(open("cuda", device));
  CpuDevice cpu(1);
  constexpr size_t size = 128;
  std::unique_ptr<DeviceMemory> memory;
  ASSERT_FALSE(device->allocate(size, memory));
  auto *begin = static_cast<uint8_t *>(memory->data);
  for (uint64_t pattern :
       {uint64_t(0), ~uint64_t(0), uint64_t(0x0123456789abcdef),
        uint64_t(0x1122112211221122), uint64_t(0x1122334411223344),
        uint64_t(0xffffffff00000000)})
    for (unsigned width : {1u, 2u, 4u, 8u})
      for (size_t at : {0, 1, 2, 3, 4, 6, 8})
        for (size_t length :
             {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 63, 64, 100}) {
          std::vector<uint8_t> bytes = randomBytes(size), got(size);
          ASSERT_FALSE(device->upload(begin, bytes.data(), size));
          ASSERT_FALSE(device->fill(begin + at, length, pattern, width));
          ASSERT_FALSE(cpu.fill(&bytes[at], length, pattern, width));
          ASSERT_FALSE(device->download(got.data(), begin, size));
          ASSERT_EQ(got, bytes)
              << pattern << " " << width << " " << at << " " << length;
        }
  // The usual ones take one call of the driver.
  int64_t before = fake.count("cuMemsetD8Async");
  ASSERT_FALSE(device->fill(begin, size, ~uint64_t(0), 8));
  EXPECT_EQ(fake.count("cuMemsetD8Async"), before + 1);
}

TEST_F(Cuda, Poison) {
  setenv("INFINI_POISON", "1", 1);
  Program program = forGpu(addProgram());
  program.variants[0].entries[0].commands.clear();
  std::unique_ptr<Session> session;
  Status status = openSession(program, session);
  unsetenv("INFINI_POISON");
  ASSERT_FALSE(status) << status.message();
  std::vector<float> values(10), sum(10);
  infini_tensor inputs[] = {vectorOf(values), vectorOf(values)};
  infini_tensor output = vectorOf(sum);
  ASSERT_FALSE(session->call(inputs, 2, &output, 1));
  for (float value : sum)
    EXPECT_TRUE(std::isnan(value));
}

/// Sessions of one device in threads of their own.
TEST_F(Cuda, Threads) {
  reset("lazy=1");
  constexpr int count = 3;
  std::unique_ptr<Session> sessions[count];
  for (auto &session : sessions)
    ASSERT_FALSE(openSession(thoroughProgram(), session));
  std::vector<std::thread> threads;
  for (auto &session : sessions)
    threads.emplace_back([&] {
      std::vector<float> got;
      for (int round = 0; round < 5; ++round) {
        EXPECT_FALSE(session->reset());
        EXPECT_FALSE(session->setTokensPerCall(uint64_t(3 + round)));
        Status status = feed(*session, got);
        EXPECT_FALSE(status) << status.message();
        EXPECT_EQ(got, expectedLogits());
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}

} // namespace
