// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The device: its memory, its packages, and what the environment says.

#include "sim_test.h"

#include "infini/runtime/elf_image.h"
#include "infini/runtime/infini.h"
#include "test_package.h"

#include <cstdlib>

using namespace infini;
using namespace infini::test;

namespace {

/// For the time of a test.
class Environment {
public:
  Environment(const char *name, const char *value) : name(name) {
    setenv(name, value, 1);
  }
  ~Environment() { unsetenv(name); }

private:
  const char *name;
};

/// addProgram() of the CPU's, for the simulator, and the kernel that races.
Program simProgram() {
  Program program = addProgram();
  std::vector<Kernel> &kernels = program.variants[0].kernels;
  kernels.resize(1);
  kernels.push_back({"test_race", 3, 1, 1});
  Target target = program.targets[0];
  const std::string &image = kernelImage("sim");
  target.kind = "sim";
  target.chip = "sm_80";
  target.format = ImageFormat::elf;
  target.launches = {{64, 256}, {64, 256}};
  target.image = reinterpret_cast<const uint8_t *>(image.data());
  target.imageBytes = image.size();
  program.targets = {target};
  return program;
}

bool contains(const Status &status, const std::string &part) {
  return status.message().find(part) != std::string::npos;
}

TEST(SimDevice, Memory) {
  SimDevice device(sim::chips[0], {});
  EXPECT_FALSE(device.sharesHostMemory());
  EXPECT_STREQ(device.chip(), "sm_80");
  std::unique_ptr<DeviceMemory> a, b, none;
  expectGood(device.allocate(100, a));
  expectGood(device.allocate(100, b));
  expectGood(device.allocate(0, none));
  EXPECT_EQ(reinterpret_cast<uint64_t>(a->data) % 256, 0u);
  EXPECT_EQ(a->bytes, 100u);
  std::vector<uint8_t> values(100), back(100);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = uint8_t(i);
  expectGood(device.upload(a->data, values.data(), 100));
  expectGood(device.copy(b->data, a->data, 100));
  expectGood(device.download(back.data(), b->data, 100));
  EXPECT_EQ(values, back);
  auto *bytes = static_cast<uint8_t *>(b->data);
  expectGood(device.copy(bytes + 1, bytes, 99));
  EXPECT_EQ(bytes[99], 98);
  expectGood(device.fill(bytes + 2, 97, 0x04030201, 4));
  EXPECT_EQ(bytes[2], 1);
  EXPECT_EQ(bytes[97], 4);
  EXPECT_EQ(bytes[98], 1);
  EXPECT_EQ(bytes[99], 98);
  expectGood(device.synchronize());

  // What is not the device's.
  EXPECT_TRUE(contains(device.upload(bytes + 1, values.data(), 100),
                       "destination of an upload: address 0x"));
  EXPECT_TRUE(device.download(back.data(), values.data(), 100));
  EXPECT_TRUE(device.copy(bytes, values.data(), 1));
  EXPECT_TRUE(device.copy(values.data(), bytes, 1));
  EXPECT_TRUE(device.fill(none->data, 1, 0, 1));
  expectGood(device.copy(bytes + 100, values.data(), 0));
  void *old = a->data;
  a.reset();
  EXPECT_TRUE(device.fill(old, 1, 0, 1));
  EXPECT_EQ(device.allocate(~size_t(0) - 5, a).code(), INFINI_OUT_OF_MEMORY);
  EXPECT_EQ(device.allocate(~size_t(0) / 4, a).code(), INFINI_OUT_OF_MEMORY);
}

TEST(SimDevice, BuffersAreItsOwn) {
  Simulator simulator;
  std::vector<float> host(64);
  uint64_t arguments[] = {reinterpret_cast<uint64_t>(host.data())};
  int64_t bytes[] = {64};
  Dispatch dispatch = {0, {1, 1, 1}, arguments, 1, 0, bytes};
  Status status = simulator.device.run(
      {"k", [](const uint64_t *, const infini_lane *) {}, {32, 0}}, dispatch);
  EXPECT_TRUE(contains(status, "kernel 'k' buffer 0: a buffer of the dispatch: "
                               "address 0x"))
      << status.message();
  // A grid of nothing.
  dispatch.grid[1] = 0;
  expectGood(simulator.device.run({"k", nullptr, {32, 0}}, dispatch));
}

TEST(SimDevice, MemoryMayOutliveIt) {
  std::unique_ptr<DeviceMemory> memory;
  {
    SimDevice device(sim::chips[0], {});
    expectGood(device.allocate(100, memory));
  }
  std::memset(memory->data, 0, 100);
}

TEST(SimDevice, Grid) {
  Simulator simulator;
  auto *counts = simulator.zeros<uint32_t>(2 * 3 * 5);
  uint64_t arguments[] = {reinterpret_cast<uint64_t>(counts)};
  int64_t bytes[] = {2 * 3 * 5 * 4};
  Dispatch dispatch = {0, {2, 3, 5}, arguments, 1, 0, bytes};
  expectGood(simulator.device.run(
      {"k",
       [](const uint64_t *, const infini_lane *lane) {
         if (lane->thread != 7)
           return;
         auto count = Place<uint32_t>{0} + lane->block[0] +
                      2 * (lane->block[1] + 3 * lane->block[2]);
         storeGlobal(lane, count, loadGlobal(lane, count) + 1);
       },
       {32, 0}},
      dispatch));
  for (int i = 0; i < 2 * 3 * 5; ++i)
    EXPECT_EQ(counts[i], 1u);
  dispatch.grid[2] = int64_t(1) << 62;
  EXPECT_TRUE(contains(simulator.device.run({"k", nullptr, {32, 0}}, dispatch),
                       "does not fit 64 bits"));
}

TEST(SimDevice, Gemm) {
  SimDevice device(sim::chips[0], {});
  Status status = device.gemm(Gemm());
  EXPECT_EQ(status.code(), INFINI_USER_ERROR);
  EXPECT_TRUE(contains(status, "packages for GPUs hold their own products"));
}

//===----------------------------------------------------------------------===//
// Packages
//===----------------------------------------------------------------------===//

TEST(SimDevice, Image) {
  Program program = simProgram();
  SimDevice device(sim::chips[0], {});
  std::unique_ptr<DeviceModule> module;
  expectGood(device.load(program, module));
  ASSERT_TRUE(module);
  EXPECT_EQ(module->target, 0u);
  constexpr int64_t n = 100;
  std::unique_ptr<DeviceMemory> memory[3];
  uint64_t arguments[4];
  int64_t bytes[3];
  for (int i = 0; i < 3; ++i) {
    bytes[i] = n * 4;
    expectGood(device.allocate(n * 4, memory[i]));
    arguments[i] = reinterpret_cast<uint64_t>(memory[i]->data);
    auto *values = static_cast<float *>(memory[i]->data);
    for (int k = 0; k < n; ++k)
      values[k] = float(i == 0 ? k : 1000);
  }
  arguments[3] = n;
  Dispatch dispatch = {0, {2, 1, 1}, arguments, 3, 1, bytes};
  expectGood(device.dispatch(*module, dispatch));
  for (int k = 0; k < n; ++k)
    EXPECT_EQ(static_cast<float *>(memory[2]->data)[k], float(k + 1000));
  sim::Counters counters = device.counters()["test_add"];
  EXPECT_EQ(counters.blocks, 2u);
  EXPECT_EQ(counters.bankConflicts, 0u);
  EXPECT_EQ(counters.globalSectors, 3 * 13u);

  dispatch.kernel = 1;
  Status status = device.dispatch(*module, dispatch);
  EXPECT_EQ(status.code(), INFINI_BUG);
  EXPECT_TRUE(contains(status, "kernel 'test_race' block ("));
  EXPECT_TRUE(contains(status, "nv.store_shared at race.mlir:3:1: race"));
  dispatch.kernel = 2;
  EXPECT_TRUE(contains(device.dispatch(*module, dispatch),
                       "names kernel 2, expected one of 2"));
}

TEST(SimDevice, NoTarget) {
  SimDevice device(sim::chips[0], {});
  std::unique_ptr<DeviceModule> module;
  Program program = addProgram();
  Status status = device.load(program, module);
  EXPECT_EQ(status.code(), INFINI_USER_ERROR);
  EXPECT_EQ(status.message(),
            "the package has no kernels for the device 'sim:sm_80', only for "
            "'cpu'; compile it with --target sim:sm_80");
  program.targets.push_back(simProgram().targets[0]);
  program.targets[1].chip = "sm_90";
  EXPECT_TRUE(
      contains(device.load(program, module), "only for 'cpu', 'sim:sm_90';"));
  // Made on another host.
  program.targets[1].chip = "sm_80";
  program.targets[1].triple = "sparc-sun-solaris";
  EXPECT_TRUE(contains(device.load(program, module), "'sparc-sun-solaris'"));
  EXPECT_FALSE(module);
}

/// All the way from the C interface, through uploads and an arena.
TEST(SimDevice, Session) {
  std::string bytes = packageFile(simProgram());
  infini_package *package = nullptr;
  infini_device *device = nullptr;
  infini_session *session = nullptr;
  expectGood(Status::adopt(
      infini_package_from_memory(bytes.data(), bytes.size(), &package)));
  expectGood(Status::adopt(infini_device_open("sim:sm_80", 0, &device)));
  Status status = Status::adopt(
      infini_session_open(package, nullptr, nullptr, device, &session));
  ASSERT_FALSE(status) << status.message();
  infini_package_release(package);
  infini_device_release(device);
  for (size_t n : {1u, 63u, 64u, 65u, 1000u}) {
    std::vector<float> values(n, 2.5f);
    infini_tensor input = {};
    input.data = values.data();
    input.element = INFINI_F32;
    input.rank = 1;
    input.shape[0] = int64_t(n);
    infini_tensor inputs[2] = {input, input}, output = {};
    expectGood(
        Status::adopt(infini_function_call(session, inputs, 2, &output, 1)));
    ASSERT_EQ(output.shape[0], int64_t(n));
    for (size_t i = 0; i < n; ++i)
      EXPECT_EQ(static_cast<float *>(output.data)[i], 5.0f);
    infini_tensor_release(&output);
  }
  infini_session_release(session);
}

//===----------------------------------------------------------------------===//
// Opening
//===----------------------------------------------------------------------===//

TEST(SimDevice, Open) {
  std::shared_ptr<Device> device;
  Status status = openSimDevice("sm_81", device);
  EXPECT_EQ(status.code(), INFINI_USER_ERROR);
  EXPECT_EQ(status.message(),
            "there is no simulated chip 'sm_81'; expected one of: 'sm_80', "
            "'sm_86', 'sm_89', 'sm_90'");
  // What a block may have of shared memory, by the programming guide.
  const std::pair<const char *, uint32_t> chips[] = {
      {"sm_80", 163}, {"sm_86", 99}, {"sm_89", 99}, {"sm_90", 227}};
  for (auto [name, most] : chips) {
    expectGood(openSimDevice(name, device));
    EXPECT_STREQ(device->chip(), name);
    for (uint32_t more : {0, 1}) {
      Dispatch dispatch = {0, {1, 1, 1}, nullptr, 0, 0, nullptr};
      Status status = static_cast<SimDevice &>(*device).run(
          {"k",
           [](const uint64_t *, const infini_lane *) {},
           {32, (most << 10) + more}},
          dispatch);
      EXPECT_EQ(bool(status), more == 1) << name;
      if (more)
        EXPECT_TRUE(contains(status, text("expected at most ", most << 10)))
            << status.message();
    }
  }
}

TEST(SimDevice, Switches) {
  std::shared_ptr<Device> device;
  {
    Environment seed("INFINI_SIM_SEED", "18446744073709551615");
    expectGood(openSimDevice("sm_80", device));
  }
  for (const char *bad : {"x", "1x", "-1", "18446744073709551616", " 1"}) {
    Environment seed("INFINI_SIM_SEED", bad);
    EXPECT_TRUE(contains(openSimDevice("sm_80", device),
                         "INFINI_SIM_SEED: expected a number"))
        << bad;
  }
  Environment races("INFINI_SIM_GLOBAL_RACES", "yes");
  EXPECT_TRUE(contains(openSimDevice("sm_80", device),
                       "INFINI_SIM_GLOBAL_RACES: expected 0 or 1, got 'yes'"));
}

TEST(SimDevice, Report) {
  testing::internal::CaptureStderr();
  {
    Environment report("INFINI_SIM_REPORT", "1");
    std::shared_ptr<Device> device;
    expectGood(openSimDevice("sm_80", device));
    Dispatch dispatch = {0, {3, 1, 1}, nullptr, 0, 0, nullptr};
    expectGood(static_cast<SimDevice &>(*device).run(
        {"reported", [](const uint64_t *, const infini_lane *) {}, {32, 0}},
        dispatch));
  }
  std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("\nreported             1             3"),
            std::string::npos)
      << text;
  // One that ran nothing says nothing.
  testing::internal::CaptureStderr();
  {
    Environment report("INFINI_SIM_REPORT", "1");
    std::shared_ptr<Device> device;
    expectGood(openSimDevice("sm_80", device));
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

} // namespace
