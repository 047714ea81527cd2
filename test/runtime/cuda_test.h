// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests of the cuda device on the fake driver.

#ifndef INFINI_TEST_RUNTIME_CUDA_TEST_H
#define INFINI_TEST_RUNTIME_CUDA_TEST_H

#include "fake_cuda/fake_cuda.h"
#include "infini/runtime/devices/device.h"
#include "infini/runtime/session.h"
#include "test_package.h"

#include <gtest/gtest.h>

namespace infini::test {

/// The fake driver's library, and its control functions.
class FakeCuda {
public:
  FakeCuda();
  const char *path() const;
  decltype(&infini_fake_cuda_reset) reset;
  decltype(&infini_fake_cuda_set) set;
  decltype(&infini_fake_cuda_count) count;
  decltype(&infini_fake_cuda_mistake) mistake;
  decltype(&infini_fake_cuda_register) registerKernel;
};

/// Each test begins with a driver that has done nothing, and ends with one that
/// has everything back.
class Cuda : public testing::Test {
protected:
  void SetUp() override;
  void TearDown() override;

  /// Settings as in fake_cuda.h; with the kernels of kernels.c.
  void reset(const std::string &settings = "");
  void expectNothingLeft();

  Status open(const std::string &name, std::shared_ptr<Device> &device) {
    return openDevice(name, 0, device);
  }
  /// On `device`, which is opened if need be.
  Status openSession(const Program &program, std::unique_ptr<Session> &session);
  /// The text and the state after it as test_text computes them.
  Status feed(Session &session, std::vector<float> &logits);
  std::vector<float> expectedLogits() const;

  FakeCuda fake;
  TemporaryFolder folder;
  std::shared_ptr<Device> device;
  std::shared_ptr<const safetensors::Model> weights;
  std::vector<int32_t> tokens;
};

/// The same for a GPU: PTX that names its kernels, for each of `chips`.
Program forGpu(Program program, std::vector<std::string> chips = {"sm_80"});

/// textProgram with more commands, so that graphs are made and every function
/// of the driver is needed: the logits go to two places of the arena that
/// overlap, and back, after fills of every width.
Program thoroughProgram();

std::vector<uint8_t> randomBytes(size_t size);
infini_tensor vectorOf(std::vector<float> &values);

} // namespace infini::test

#endif // INFINI_TEST_RUNTIME_CUDA_TEST_H
