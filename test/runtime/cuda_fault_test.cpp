// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What can go wrong with a GPU and its driver, on the fake one: always a status
// that says what, never a crash, and nothing is left.

#include "cuda_test.h"
#include "infini/runtime/devices/cuda/cuda_symbols.h"

#include <cmath>
#include <dlfcn.h>

using namespace infini;
using namespace infini::test;

namespace {

void expectMessage(const Status &status, const std::string &part) {
  EXPECT_NE(status.message().find(part), std::string::npos)
      << "expected: " << part << "\n     got: " << status.message();
}

//===----------------------------------------------------------------------===//
// The driver
//===----------------------------------------------------------------------===//

TEST_F(Cuda, NoLibrary) {
  setenv("INFINI_LIBCUDA", "/nowhere/libcuda.so", 1);
  Status status = open("cuda", device);
  EXPECT_EQ(status.code(), INFINI_USER_ERROR);
  expectMessage(status, "the library that INFINI_LIBCUDA names:\n  "
                        "'/nowhere/libcuda.so': /nowhere/libcuda.so: cannot "
                        "open shared object file");
  // A library that is none.
  writeFile(folder / "text.so", "no library");
  setenv("INFINI_LIBCUDA", (folder / "text.so").c_str(), 1);
  expectMessage(open("cuda", device), "text.so");
  // The system's, on a machine without one.
  unsetenv("INFINI_LIBCUDA");
  if (void *found = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL)) {
    dlclose(found);
    GTEST_SKIP() << "this machine has NVIDIA's driver";
  }
  status = open("cuda", device);
  EXPECT_EQ(status.code(), INFINI_USER_ERROR);
  expectMessage(status,
                "cannot find NVIDIA's driver; install it, or name its "
                "library in INFINI_LIBCUDA; tried:\n  'libcuda.so.1': ");
  expectMessage(status, "\n  '/usr/lib64/libcuda.so.1': ");
}

/// Another name in the library's table, so that the linker does not find it.
std::string withoutSymbol(std::string library, const std::string &symbol) {
  std::string name = '\0' + symbol + '\0';
  size_t count = 0;
  for (size_t at = library.find(name); at != library.npos;
       at = library.find(name, at + 1), ++count)
    library[at + 1] = 'x';
  EXPECT_GT(count, 0u) << symbol;
  return library;
}

TEST_F(Cuda, EverySymbolMissing) {
  std::string library = readFile(fake.path());
  int count = 0;
  auto check = [&](const std::string &symbol) {
    std::string path = folder / ("without-" + symbol + ".so");
    writeFile(path, withoutSymbol(library, symbol));
    setenv("INFINI_LIBCUDA", path.c_str(), 1);
    Status status = open("cuda", device);
    EXPECT_EQ(status.code(), INFINI_USER_ERROR);
    expectMessage(status, "lacks the function '" + symbol + "'");
    if (symbol != "cuDriverGetVersion")
      expectMessage(status, "it is of version 12.4");
    expectMessage(status, "expected a driver of version 11.4 or newer");
    ++count;
  };
#define INFINI_CHECK(name, symbol, arguments) check(#symbol);
  INFINI_CUDA_SYMBOLS(INFINI_CHECK)
#undef INFINI_CHECK
  EXPECT_GT(count, 35);
}

TEST_F(Cuda, DriversAndDevicesThatDoNotSuit) {
  auto expect = [&](const char *settings, const char *name,
                    const std::string &message) {
    reset(settings);
    Status status = open(name, device);
    EXPECT_TRUE(status) << settings;
    expectMessage(status, message);
    EXPECT_EQ(device, nullptr);
    expectNothingLeft();
  };
  expect("version=11030", "cuda",
         "is of version 11.3, expected 11.4 or newer; update the driver");
  reset("version=11040");
  EXPECT_FALSE(open("cuda", device));
  device.reset();
  expect("fail=cuDriverGetVersion:1:34", "cuda",
         "does not tell its version: error 34");
  expect(
      "devices=0", "cuda",
      "GPU 0: starting NVIDIA's driver: CUDA_ERROR_NO_DEVICE (100): the fake "
      "says so");
  expect("fail=cuInit:1:12345", "cuda",
         "GPU 0: starting NVIDIA's driver: unknown error (12345)");
  expect("fail=cuDeviceGetAttribute:1:999", "cuda",
         "GPU 0 (Fake 0): asking for its architecture: unknown error (999): "
         "the fake says so");
  expect("devices=2 fail=cuDevicePrimaryCtxRetain:1:2", "cuda:1",
         "GPU 1 (Fake 1, sm_80): making its context: ");
  expect("", "cuda:1", "there is no GPU 1; there is: 0 (Fake 0)");
  expect("devices=3", "cuda:7",
         "there is no GPU 7; there are: 0 (Fake 0), 1 (Fake 1), 2 (Fake 2)");
}

//===----------------------------------------------------------------------===//
// Packages
//===----------------------------------------------------------------------===//

TEST_F(Cuda, PackagesForOthers) {
  reset("chip=75");
  std::unique_ptr<Session> session;
  Status status = openSession(forGpu(addProgram()), session);
  EXPECT_EQ(status.message(),
            "the package has no kernels for GPU 0 (Fake 0, sm_75), only: "
            "'nvidia' for 'sm_80' (ptx); compile it with --target "
            "nvidia:<chip>, a chip that is not newer than sm_75");
  expectMessage(openSession(addProgram(), session), "only: 'cpu';");
}

TEST_F(Cuda, KernelsThatDoNotLoad) {
  std::unique_ptr<Session> session;
  auto withPtx = [](const std::string &ptx) {
    Program program = forGpu(addProgram());
    program.targets[0].image = reinterpret_cast<const uint8_t *>(ptx.data());
    program.targets[0].imageBytes = ptx.size();
    return program;
  };
  std::string wrong = ".version 7.1 wrong";
  Status status = openSession(withPtx(wrong), session);
  EXPECT_EQ(status.message(),
            "GPU 0 (Fake 0, sm_80): loading the kernels for 'sm_80' (ptx): "
            "CUDA_ERROR_INVALID_PTX (218): the fake says so\nptxas application "
            "ptx input, line 7; fatal: what is 'wrong'");
  std::string empty = ".version 7.1";
  status = openSession(withPtx(empty), session);
  EXPECT_EQ(status.message(),
            "GPU 0 (Fake 0, sm_80): finding kernel 'test_add': "
            "CUDA_ERROR_NOT_FOUND (500): the fake says so");
  fake.set("fail=cuModuleLoadDataEx:3:222");
  status = openSession(forGpu(addProgram()), session);
  expectMessage(status, "the driver is of version 12.4, update it, or compile "
                        "the package to a cubin");
  // What no kernel may have here.
  Program large = forGpu(addProgram());
  large.targets[0].launches[1].sharedBytes = 200 << 10;
  EXPECT_EQ(openSession(large, session).message(),
            "kernel 'test_exp_id' needs 128 threads and 204800 bytes of shared "
            "memory a block, GPU 0 (Fake 0, sm_80) has 1024 and 166912");
}

TEST_F(Cuda, Products) {
  Program program = forGpu(addProgram());
  Entry &entry = program.variants[0].entries[0];
  Command &gemm = entry.commands[1];
  gemm.kind = CommandKind::gemm;
  gemm.buffers = {0, 1, 2};
  gemm.m = gemm.n = gemm.k = constant(entry, 1);
  std::unique_ptr<Session> session;
  ASSERT_FALSE(openSession(program, session));
  std::vector<float> values(10), sum(10);
  infini_tensor inputs[] = {vectorOf(values), vectorOf(values)};
  infini_tensor output = vectorOf(sum);
  Status status = session->call(inputs, 2, &output, 1);
  EXPECT_EQ(status.code(), INFINI_USER_ERROR);
  expectMessage(status, "packages for GPUs hold their own products");
}

//===----------------------------------------------------------------------===//
// Memory, launches, faults
//===----------------------------------------------------------------------===//

TEST_F(Cuda, OutOfMemory) {
  reset("memory=1000000");
  ASSERT_FALSE(open("cuda", device));
  std::unique_ptr<DeviceMemory> first, second;
  ASSERT_FALSE(device->allocate(600000, first));
  Status status = device->allocate(600000, second);
  EXPECT_EQ(status.code(), INFINI_OUT_OF_MEMORY);
  EXPECT_EQ(status.message(),
            "GPU 0 (Fake 0, sm_80): allocating 600000 bytes, 400000 of 1000000 "
            "are free: CUDA_ERROR_OUT_OF_MEMORY (2): the fake says so");
  // That is no loss.
  first.reset();
  ASSERT_FALSE(device->allocate(600000, second));
}

TEST_F(Cuda, Launches) {
  std::unique_ptr<Session> session;
  ASSERT_FALSE(openSession(forGpu(addProgram()), session));
  std::vector<float> values(1000), sum(1000);
  infini_tensor inputs[] = {vectorOf(values), vectorOf(values)};
  infini_tensor output = vectorOf(sum);
  fake.set("fail=cuLaunchKernel:1:701");
  Status status = session->call(inputs, 2, &output, 1);
  EXPECT_EQ(
      status.message(),
      "entry 'main': GPU 0 (Fake 0, sm_80): launching kernel 'test_add' "
      "on a grid of 16 by 1 by 1 blocks of 128 threads and 61440 bytes of "
      "shared memory: unknown error (701): the fake says so");
  EXPECT_EQ(session->call(inputs, 2, &output, 1).message(),
            "an earlier call of this session failed half way; reset the "
            "session");
  ASSERT_FALSE(session->reset());
  EXPECT_FALSE(session->call(inputs, 2, &output, 1));
}

TEST_F(Cuda, GridsThatAreTooLarge) {
  Program program = forGpu(addProgram());
  Entry &entry = program.variants[0].entries[0];
  program.variants[0].kernels[0].gridRank = 2;
  uint32_t blocks = entry.commands[0].grid[0];
  entry.commands[0].grid = {blocks, constant(entry, 65536)};
  std::unique_ptr<Session> session;
  ASSERT_FALSE(openSession(program, session));
  std::vector<float> values(10), sum(10);
  infini_tensor inputs[] = {vectorOf(values), vectorOf(values)};
  infini_tensor output = vectorOf(sum);
  Status status = session->call(inputs, 2, &output, 1);
  EXPECT_EQ(status.code(), INFINI_USER_ERROR);
  expectMessage(status,
                "kernel 'test_add' on a grid of 1 by 65536 by 1 blocks, "
                "expected at most 2147483647 by 65535 by 65535");
}

/// A kernel fails while it runs: the call says so, and all that come after it,
/// until everything is opened again.
TEST_F(Cuda, Faults) {
  for (const char *settings : {"fault=2:700", "fault=2:700 lazy=1"}) {
    reset(settings);
    std::unique_ptr<Session> session;
    ASSERT_FALSE(openSession(forGpu(textProgram()), session));
    std::vector<float> got;
    Status status = feed(*session, got);
    EXPECT_EQ(status.code(), INFINI_BUG);
    expectMessage(status, "CUDA_ERROR_ILLEGAL_ADDRESS (700): the fake says so; "
                          "the GPU's memory is lost, open the device and the "
                          "session again");
    std::string first = status.message().substr(status.message().find("GPU 0"));
    auto expectLost = [&](const Status &status) {
      EXPECT_EQ(status.code(), INFINI_BUG);
      expectMessage(status, first);
    };
    expectLost(session->reset());
    std::unique_ptr<DeviceMemory> memory;
    char byte = 0;
    expectLost(device->allocate(1, memory));
    expectLost(device->upload(&byte, &byte, 1));
    expectLost(device->download(&byte, &byte, 1));
    expectLost(device->copy(&byte, &byte + 1, 1));
    expectLost(device->fill(&byte, 1, 0, 1));
    expectLost(device->synchronize());
    std::unique_ptr<Session> other;
    expectLost(openSession(forGpu(textProgram()), other));
    session.reset();
    device.reset();
    ASSERT_FALSE(openSession(forGpu(textProgram()), session));
    ASSERT_FALSE(feed(*session, got));
    EXPECT_EQ(got, expectedLogits());
    session.reset();
    device.reset();
    expectNothingLeft();
  }
}

/// A fault belongs to the call that made it, also where nothing is copied back.
TEST_F(Cuda, FaultsAreOfTheirCall) {
  reset("fault=1:719 lazy=1");
  std::unique_ptr<Session> session;
  Status status = openSession(forGpu(textProgram()), session);
  EXPECT_EQ(status.code(), INFINI_BUG);
  expectMessage(status, "entry 'main.init': ");
  device.reset();
  // With a state for a result.
  reset("fault=2:719 lazy=1");
  Program program = forGpu(textProgram());
  Entry &entry = program.variants[0].entries[1];
  entry.outputs.erase(entry.outputs.begin());
  entry.buffers[2].isArena = true;
  entry.buffers[2].offset = constant(entry, 0);
  entry.arenaSize = entry.buffers[2].size;
  ASSERT_FALSE(openSession(program, session));
  infini_tensor input = {};
  input.data = tokens.data();
  input.element = INFINI_I32;
  input.rank = 1;
  input.shape[0] = 4;
  status = session->call(&input, 1, nullptr, 0);
  EXPECT_EQ(status.code(), INFINI_BUG);
  expectMessage(status, "entry 'main': GPU 0");
}

//===----------------------------------------------------------------------===//
// Every call, with every error
//===----------------------------------------------------------------------===//

class EveryCall : public Cuda {
protected:
  /// Open everything, run texts so that a graph is made, replayed and changed,
  /// read the state, and close everything. Says whether what came out is right.
  Status life(bool &isRight) {
    isRight = true;
    std::unique_ptr<Session> session;
    Status status = openSession(thoroughProgram(), session);
    std::vector<float> got;
    for (uint64_t perCall : {8, 8, 5}) {
      if (!status)
        status = session->reset();
      if (!status)
        status = session->setTokensPerCall(perCall);
      if (!status)
        status = feed(*session, got);
      isRight = isRight && (status || got == expected);
    }
    // And with times between the commands.
    if (!status) {
      device->trace.emplace([](void *, const infini_trace_event *) {}, nullptr);
      status = session->reset();
    }
    if (!status)
      status = feed(*session, got);
    isRight = isRight && (status || got == expected);
    infini_tensor counts = {};
    if (!status)
      status = session->readState("counts", counts);
    if (!status)
      isRight = isRight && static_cast<float *>(counts.data)[0] == 1;
    infini_tensor_release(&counts);
    session.reset();
    device.reset();
    return status;
  }

  std::vector<float> expected;
};

TEST_F(EveryCall, WithEveryError) {
  tokens.resize(24);
  expected = expectedLogits();
  std::vector<std::pair<std::string, int64_t>> calls;
  bool isRight;
  reset("lazy=1");
  Status status = life(isRight);
  ASSERT_FALSE(status) << status.message();
  ASSERT_TRUE(isRight);
#define INFINI_COUNT(name, symbol, arguments)                                  \
  calls.push_back({#symbol, fake.count(#symbol)});
  INFINI_CUDA_SYMBOLS(INFINI_COUNT)
#undef INFINI_COUNT
  int64_t lives = 0, survived = 0;
  for (auto &[symbol, count] : calls) {
    bool explains =
        symbol.find("cuGetError") == 0 || symbol == "cuMemGetInfo_v2";
    // A life without errors needs all functions but those that explain them.
    EXPECT_EQ(count == 0, explains) << symbol;
    for (int64_t call = 1; call <= count; ++call)
      for (int code : {1, 2, 201, 700, 719, 801, 900, 999}) {
        std::string failure =
            text("fail=", symbol, ":", call, ":", code, " lazy=", call % 2);
        reset(failure);
        status = life(isRight);
        ++lives;
        survived += !status;
        ASSERT_TRUE(isRight) << failure;
        ASSERT_EQ(bool(status), !status.message().empty()) << failure;
        // Before the driver can say more than a number.
        std::string named = symbol == "cuDriverGetVersion"
                                ? text("error ", code)
                                : text("(", code, ")");
        if (status) {
          ASSERT_NE(status.message().find(named), std::string::npos)
              << failure << "\n"
              << status.message();
        }
        ASSERT_EQ(fake.count("live"), 0) << failure;
        ASSERT_EQ(fake.count("leaked"), 0) << failure;
        ASSERT_EQ(fake.count("mistakes"), 0) << failure << fake.mistake();
      }
  }
  EXPECT_GT(lives, 1000);
  // What only gives back, or makes graphs, may fail without harm.
  EXPECT_GT(survived, 100);
  EXPECT_LT(survived, lives / 2);
  RecordProperty("lives", int(lives));
  RecordProperty("survived", int(survived));
}

/// The k-th kernel fails, for every k, also in a graph.
TEST_F(EveryCall, EveryKernel) {
  tokens.resize(24);
  expected = expectedLogits();
  bool isRight;
  reset();
  ASSERT_FALSE(life(isRight));
  int64_t kernels = fake.count("kernels");
  EXPECT_GT(fake.count("replayed"), 2);
  for (int64_t k = 1; k <= kernels; ++k)
    for (int code : {700, 719})
      for (int lazy : {0, 1}) {
        reset(text("fault=", k, ":", code, " lazy=", lazy));
        Status status = life(isRight);
        EXPECT_TRUE(isRight);
        EXPECT_EQ(status.code(), INFINI_BUG);
        expectMessage(status, text("(", code, ")"));
        expectMessage(status, "open the device and the session again");
        EXPECT_EQ(fake.count("live"), 0);
      }
}

} // namespace
