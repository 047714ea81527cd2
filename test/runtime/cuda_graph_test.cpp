// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Steps as graphs: the same results as commands one by one.

#include "cuda_test.h"
#include "infini/runtime/devices/cuda/step.h"

#include <array>
#include <cstring>

using namespace infini;
using namespace infini::test;

namespace {

/// The second of two equal calls makes a graph, later ones replay it; one of
/// other scalars changes it, one of another form is run without.
TEST_F(Cuda, Graphs) {
  std::unique_ptr<Session> session;
  ASSERT_FALSE(openSession(thoroughProgram(), session));
  auto call = [&](size_t count) {
    std::vector<float> logits(count * 256);
    Status status =
        session->feed(tokens.data(), count, logits.data(), nullptr, nullptr);
    EXPECT_FALSE(status) << status.message();
    EXPECT_EQ(logits[0], 1 + 0.0f);
    // A new text: `fill` is 0 again.
    EXPECT_FALSE(session->reset());
  };
  auto made = [&] { return fake.count("cuGraphInstantiateWithFlags"); };
  auto replayed = [&] { return fake.count("cuGraphLaunch"); };
  auto changed = [&] { return fake.count("cuGraphExecUpdate"); };
  call(8);
  EXPECT_EQ(made(), 0);
  call(8);
  EXPECT_EQ(made(), 1);
  EXPECT_EQ(replayed(), 1);
  int64_t launches = fake.count("cuLaunchKernel");
  call(8);
  call(8);
  EXPECT_EQ(made(), 1);
  EXPECT_EQ(replayed(), 3);
  EXPECT_EQ(fake.count("replayed"), 3);
  EXPECT_EQ(fake.count("cuLaunchKernel"), launches);
  // Another number of tokens, and the same number of commands.
  call(7);
  EXPECT_EQ(changed(), 1);
  EXPECT_EQ(made(), 1);
  EXPECT_EQ(replayed(), 4);
  call(8);
  call(8);
  EXPECT_EQ(changed(), 2);
  EXPECT_EQ(replayed(), 6);
  // The state goes on: the scalar `fill` is another one each time. (A fill of
  // so few bytes is fewer commands, so that the graph is a new one.)
  std::vector<float> got;
  ASSERT_FALSE(session->setTokensPerCall(1));
  ASSERT_FALSE(feed(*session, got));
  EXPECT_EQ(got, expectedLogits());
  EXPECT_EQ(made(), 2);
  EXPECT_EQ(changed(), 2 + 98);
  // Short calls have none.
  session.reset();
  ASSERT_FALSE(openSession(forGpu(textProgram()), session));
  ASSERT_FALSE(feed(*session, got));
  ASSERT_FALSE(session->reset());
  ASSERT_FALSE(feed(*session, got));
  EXPECT_EQ(got, expectedLogits());
  EXPECT_EQ(made(), 2);
}

unsigned lastGrid[3];
void noteGrid(const uint64_t *, const unsigned *grid, unsigned, unsigned) {
  std::copy(grid, grid + 3, lastGrid);
}

/// A graph of one step is not taken for another that differs in one place.
TEST_F(Cuda, GraphsOfNearlyEqualSteps) {
  ASSERT_FALSE(open("cuda", device));
  fake.registerKernel("test_exp_id", noteGrid);
  std::string file = packageFile(forGpu(addProgram()));
  std::shared_ptr<const Package> package;
  ASSERT_FALSE(Package::fromMemory(file.data(), file.size(), package));
  std::unique_ptr<DeviceModule> module;
  ASSERT_FALSE(device->load(package->program(), module));
  std::unique_ptr<DeviceMemory> memory;
  ASSERT_FALSE(device->allocate(64, memory));
  auto *begin = static_cast<uint8_t *>(memory->data);
  // What a step is told: where it copies from and to, how much, what it fills
  // with, and its grid.
  using Told = std::array<int64_t, 7>;
  auto run = [&](const Told &told) {
    std::vector<uint8_t> bytes = randomBytes(64), got(64);
    ASSERT_FALSE(device->upload(begin, bytes.data(), 64));
    ASSERT_FALSE(device->beginStep(*module));
    ASSERT_FALSE(
        device->copy(begin + told[0], begin + told[1], size_t(told[2])));
    ASSERT_FALSE(device->fill(begin + 48, 4, uint64_t(told[3]), 4));
    Dispatch dispatch = {1,      {told[4], told[5], told[6]}, nullptr, 0, 0,
                         nullptr};
    ASSERT_FALSE(device->dispatch(*module, dispatch));
    ASSERT_FALSE(device->endStep(*module, false));
    std::memmove(&bytes[size_t(told[0])], &bytes[size_t(told[1])],
                 size_t(told[2]));
    std::memcpy(&bytes[48], &told[3], 4);
    ASSERT_FALSE(device->download(got.data(), begin, 64));
    EXPECT_EQ(got, bytes);
    for (size_t i = 0; i < 3; ++i)
      EXPECT_EQ(lastGrid[i], told[4 + i]);
  };
  const Told first = {0, 16, 8, 0x01020304, 1, 2, 3};
  for (size_t place = 0; place < first.size(); ++place) {
    for (int round = 0; round < 3; ++round)
      run(first);
    Told other = first;
    ++other[place];
    for (int round = 0; round < 3; ++round)
      run(other);
  }
  EXPECT_GT(fake.count("cuGraphLaunch"), 40);
  EXPECT_EQ(fake.count("cuGraphInstantiateWithFlags"), 1);
}

/// A loop of more commands than are recorded.
TEST_F(Cuda, LongSteps) {
  for (int64_t trips :
       {int64_t(CudaStep::maxCommands) - 2, int64_t(CudaStep::maxCommands) - 1,
        int64_t(CudaStep::maxCommands), int64_t(3 * CudaStep::maxCommands)}) {
    device.reset();
    reset();
    Program program = forGpu(addProgram());
    Entry &entry = program.variants[0].entries[0];
    entry.variables = 2;
    Command loop = {};
    loop.kind = CommandKind::loop;
    loop.variable = 1;
    loop.tripCount = constant(entry, trips);
    loop.body = {entry.commands[0]};
    entry.commands[0] = loop;
    std::unique_ptr<Session> session;
    ASSERT_FALSE(openSession(program, session));
    for (int round = 0; round < 3; ++round) {
      std::vector<float> a(5, 1), b(5, float(round)), sum(5);
      infini_tensor inputs[] = {vectorOf(a), vectorOf(b)};
      infini_tensor output = vectorOf(sum);
      ASSERT_FALSE(session->call(inputs, 2, &output, 1));
      EXPECT_EQ(sum, std::vector<float>(5, float(round) + 1));
    }
    EXPECT_EQ(fake.count("kernels"), 3 * trips);
    EXPECT_EQ(fake.count("cuGraphInstantiateWithFlags"),
              trips + 1 <= int64_t(CudaStep::maxCommands));
    session.reset();
  }
}

/// In a step nothing runs before its end: the room of the first copy is still
/// there then. Steps repeat, so that graphs are made and replayed.
TEST_F(Cuda, CopiesInAStep) {
  for (const char *settings : {"", "lazy=1"}) {
    device.reset();
    reset(settings);
    ASSERT_FALSE(open("cuda", device));
    std::string file = packageFile(forGpu(addProgram()));
    std::shared_ptr<const Package> package;
    ASSERT_FALSE(Package::fromMemory(file.data(), file.size(), package));
    std::unique_ptr<DeviceModule> module;
    ASSERT_FALSE(device->load(package->program(), module));
    constexpr size_t size = 5000;
    std::unique_ptr<DeviceMemory> memory;
    ASSERT_FALSE(device->allocate(size, memory));
    auto *begin = static_cast<uint8_t *>(memory->data);
    std::vector<uint8_t> bytes = randomBytes(size), got(size);
    ASSERT_FALSE(device->upload(begin, bytes.data(), size));
    for (size_t length : {100, 200, 200, 200, 1000, 1000, 1000, 100, 2000}) {
      ASSERT_FALSE(device->beginStep(*module));
      for (size_t i = 1; i <= 2; ++i) {
        ASSERT_FALSE(device->copy(begin + 7 * i, begin, i * length));
        std::memmove(&bytes[7 * i], &bytes[0], i * length);
      }
      ASSERT_FALSE(device->endStep(*module, false));
      ASSERT_FALSE(device->download(got.data(), begin, size));
      ASSERT_EQ(got, bytes) << length;
    }
    EXPECT_GT(fake.count("cuGraphLaunch"), 0);
    // What was given before a step failed is forgotten.
    ASSERT_FALSE(device->beginStep(*module));
    ASSERT_FALSE(device->copy(begin + 1, begin, 2500));
    ASSERT_FALSE(device->endStep(*module, true));
    ASSERT_FALSE(device->download(got.data(), begin, size));
    ASSERT_EQ(got, bytes);
  }
}

} // namespace
