// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "cuda_test.h"

#include <dlfcn.h>
#include <list>
#include <random>

using namespace infini;
using namespace infini::test;

FakeCuda::FakeCuda() {
  // Never closed: the runtime's handle is the same library.
  static void *const library = dlopen(path(), RTLD_NOW | RTLD_LOCAL);
  EXPECT_NE(library, nullptr) << dlerror();
  auto load = [&](const char *name, auto &function) {
    function = reinterpret_cast<std::decay_t<decltype(function)>>(
        dlsym(library, name));
    EXPECT_NE(function, nullptr) << name;
  };
  load("infini_fake_cuda_reset", reset);
  load("infini_fake_cuda_set", set);
  load("infini_fake_cuda_count", count);
  load("infini_fake_cuda_mistake", mistake);
  load("infini_fake_cuda_register", registerKernel);
}

const char *FakeCuda::path() const { return INFINI_TEST_FAKE_CUDA; }

void Cuda::SetUp() {
  setenv("INFINI_LIBCUDA", fake.path(), 1);
  reset();
  writeFile(folder / "model.safetensors", textWeights());
  std::unique_ptr<const safetensors::Model> model;
  ASSERT_FALSE(safetensors::Model::open(folder.path, model));
  weights = std::move(model);
  for (int i = 0; i < 100; ++i)
    tokens.push_back(i * i % 37);
}

void Cuda::TearDown() {
  device.reset();
  expectNothingLeft();
  unsetenv("INFINI_LIBCUDA");
}

void Cuda::reset(const std::string &settings) {
  fake.reset(
      ("kernels=" INFINI_TEST_KERNELS_FOLDER "/kernels-good.so " + settings)
          .c_str());
}

void Cuda::expectNothingLeft() {
  EXPECT_EQ(fake.count("live"), 0);
  EXPECT_EQ(fake.count("leaked"), 0);
  EXPECT_EQ(fake.count("mistakes"), 0) << fake.mistake();
}

Status Cuda::openSession(const Program &program,
                         std::unique_ptr<Session> &session) {
  std::string bytes = packageFile(program);
  std::shared_ptr<const Package> package;
  INFINI_TRY(Package::fromMemory(bytes.data(), bytes.size(), package));
  if (!device)
    INFINI_TRY(open("cuda", device));
  return Session::open(package, "", weights, device, session);
}

Status Cuda::feed(Session &session, std::vector<float> &logits) {
  logits.assign(tokens.size() * 256, -1);
  return session.feed(tokens.data(), tokens.size(), logits.data(), nullptr,
                      nullptr);
}

std::vector<float> Cuda::expectedLogits() const {
  std::vector<float> counts(256), logits;
  for (size_t t = 0; t < tokens.size(); ++t) {
    counts[size_t(tokens[t])] += 1;
    for (float count : counts)
      logits.push_back(count + float(t));
  }
  return logits;
}

Program test::forGpu(Program program, std::vector<std::string> chips) {
  // A program's images are not its own.
  static std::list<std::string> images;
  program.targets.clear();
  for (const std::string &chip : chips) {
    std::string ptx = ".version 7.1\n.target " + chip + "\n";
    for (const Kernel &kernel : program.variants[0].kernels)
      ptx += ".visible .entry " + kernel.name + "(\n)\n";
    images.push_back(ptx);
    Target target = {};
    target.kind = "nvidia";
    target.chip = chip;
    target.format = ImageFormat::ptx;
    target.launches.assign(program.variants[0].kernels.size(), {128, 60 << 10});
    target.image = reinterpret_cast<const uint8_t *>(images.back().data());
    target.imageBytes = images.back().size();
    program.targets.push_back(target);
  }
  return program;
}

Program test::thoroughProgram() {
  Program program = forGpu(textProgram());
  Entry &entry = program.variants[0].entries[1];
  uint32_t bytes = entry.buffers[2].size, zero = constant(entry, 0);
  entry.arenaSize = apply(entry, ExpressionOp::mul, bytes, constant(entry, 2));
  entry.buffers.push_back({true, bytes, zero});
  entry.buffers.push_back({true, bytes, constant(entry, 64)});
  auto copy = [&](uint32_t from, uint32_t to) {
    Command command = {};
    command.kind = CommandKind::copy;
    command.buffers = {from, to};
    command.bytes = bytes;
    entry.commands.push_back(command);
  };
  auto fill = [&](uint64_t pattern, uint8_t width) {
    Command command = {};
    command.kind = CommandKind::fill;
    command.buffers = {2};
    command.bytes = bytes;
    command.pattern = pattern;
    command.patternBytes = width;
    entry.commands.push_back(command);
  };
  copy(2, 4);
  copy(4, 5);
  fill(0x0123456789abcdef, 8);
  fill(0x01234567, 4);
  fill(0x0123, 2);
  fill(0x01, 1);
  copy(5, 2);
  return program;
}

std::vector<uint8_t> test::randomBytes(size_t size) {
  std::mt19937_64 random(size);
  std::vector<uint8_t> bytes(size);
  for (uint8_t &byte : bytes)
    byte = uint8_t(random());
  return bytes;
}

infini_tensor test::vectorOf(std::vector<float> &values) {
  infini_tensor tensor = {};
  tensor.data = values.data();
  tensor.element = INFINI_F32;
  tensor.rank = 1;
  tensor.shape[0] = int64_t(values.size());
  return tensor;
}
