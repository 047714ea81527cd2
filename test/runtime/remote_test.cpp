// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sessions on a device that does not share the host's memory: the same results,
// everything is copied once, and every call may fail.

#include "infini/runtime/session.h"
#include "remote_device.h"
#include "test_package.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace infini;
using namespace infini::test;

namespace {

class Remote : public testing::Test {
protected:
  void SetUp() override {
    writeFile(folder / "model.safetensors", textWeights());
    std::unique_ptr<const safetensors::Model> model;
    ASSERT_FALSE(safetensors::Model::open(folder.path, model));
    weights = std::move(model);
    for (int i = 0; i < 100; ++i)
      tokens.push_back(i * i % 37);
  }

  Status open(const Program &program, std::unique_ptr<Session> &session) {
    std::string bytes = packageFile(program);
    std::shared_ptr<const Package> package;
    INFINI_TRY(Package::fromMemory(bytes.data(), bytes.size(), package));
    return Session::open(package, "", weights, device, session);
  }

  Status feed(Session &session, std::vector<float> &logits) {
    logits.assign(tokens.size() * 256, -1);
    return session.feed(tokens.data(), tokens.size(), logits.data(), nullptr,
                        nullptr);
  }

  /// What test_text computes.
  std::vector<float> expected() const {
    std::vector<float> counts(256), logits;
    for (size_t t = 0; t < tokens.size(); ++t) {
      counts[size_t(tokens[t])] += 1;
      for (float count : counts)
        logits.push_back(count + float(t));
    }
    return logits;
  }

  TemporaryFolder folder;
  std::shared_ptr<const safetensors::Model> weights;
  std::shared_ptr<RemoteDevice> device = std::make_shared<RemoteDevice>();
  std::vector<int32_t> tokens;
};

infini_tensor vectorOf(std::vector<float> &values) {
  infini_tensor tensor = {};
  tensor.data = values.data();
  tensor.element = INFINI_F32;
  tensor.rank = 1;
  tensor.shape[0] = int64_t(values.size());
  return tensor;
}

TEST_F(Remote, Functions) {
  std::unique_ptr<Session> session;
  Status status = open(addProgram(), session);
  ASSERT_FALSE(status) << status.message();
  for (size_t n : {0u, 1u, 63u, 64u, 65u, 1000u, 7u}) {
    std::vector<float> a(n, 3), b(n, 1000), sum(n, -1);
    infini_tensor inputs[] = {vectorOf(a), vectorOf(b)};
    infini_tensor output = vectorOf(sum);
    if (n == 0)
      output.data = nullptr;
    status = session->call(inputs, 2, &output, 1);
    ASSERT_FALSE(status) << status.message();
    EXPECT_EQ(sum, std::vector<float>(n, 1003));
    if (n == 0)
      infini_tensor_release(&output);
  }
  // Rooms on the device grow, and are kept: five sizes were larger than those
  // before, for two arguments, a result, and the arena; the empty one needs an
  // arena alone.
  EXPECT_EQ(device->calls["allocate"], 5 * 4 - 1 + 1);
  EXPECT_EQ(device->liveBlocks(), 4u);
}

/// Arguments and results are copied once, however often the entry is called.
TEST_F(Remote, Repeat) {
  std::unique_ptr<Session> session;
  ASSERT_FALSE(open(addProgram(), session));
  std::vector<float> a(10, 1), b(10, 2), sum(10);
  infini_tensor inputs[] = {vectorOf(a), vectorOf(b)};
  infini_tensor output = vectorOf(sum);
  std::vector<double> seconds(5, -1);
  Status status = session->repeat(inputs, 2, &output, 1, 5, seconds.data());
  ASSERT_FALSE(status) << status.message();
  EXPECT_EQ(sum, std::vector<float>(10, 3));
  for (double each : seconds)
    EXPECT_GT(each, 0);
  EXPECT_EQ(session->statistics().calls, 6u);
  EXPECT_EQ(device->calls["upload"], 2);
  EXPECT_EQ(device->calls["download"], 1);
  EXPECT_EQ(device->calls["synchronize"], 6);
  // Once and not again is a call.
  output.data = nullptr;
  ASSERT_FALSE(session->repeat(inputs, 2, &output, 1, 0, nullptr));
  EXPECT_EQ(static_cast<float *>(output.data)[9], 3);
  infini_tensor_release(&output);
}

/// What was allocated before a later call fails is given back; the session is
/// broken then.
TEST_F(Remote, RepeatFails) {
  std::vector<float> a(10, 1), b(10, 2);
  infini_tensor inputs[] = {vectorOf(a), vectorOf(b)};
  double seconds[2];
  int k = 0;
  for (;; ++k) {
    ASSERT_LT(k, 100);
    device = std::make_shared<RemoteDevice>();
    std::unique_ptr<Session> session;
    ASSERT_FALSE(open(addProgram(), session));
    device->failIn = k;
    infini_tensor output = {};
    Status status = session->repeat(inputs, 2, &output, 1, 2, seconds);
    if (!status) {
      infini_tensor_release(&output);
      break;
    }
    EXPECT_EQ(output.data, nullptr) << status.message();
    device->failIn = -1;
    if (status.message().find("fails in allocate") == std::string::npos) {
      EXPECT_NE(session->call(inputs, 2, &output, 1)
                    .message()
                    .find("an earlier call of this session failed"),
                std::string::npos)
          << k;
    }
  }
  EXPECT_GT(k, 8);
}

TEST_F(Remote, TextsAndState) {
  std::unique_ptr<Session> session;
  Status status = open(textProgram(), session);
  ASSERT_FALSE(status) << status.message();
  // The weight is for the constant alone, and is gone.
  EXPECT_EQ(device->calls["upload"], 1);
  EXPECT_EQ(device->liveBlocks(), 2u);
  std::vector<float> got;
  for (uint64_t perCall : {1, 3, 16, 0}) {
    ASSERT_FALSE(session->setTokensPerCall(perCall));
    ASSERT_FALSE(session->reset());
    status = feed(*session, got);
    ASSERT_FALSE(status) << status.message();
    EXPECT_EQ(got, expected());
  }
  infini_tensor counts = {};
  ASSERT_FALSE(session->readState("counts", counts));
  EXPECT_EQ(static_cast<float *>(counts.data)[0], 3);
  infini_tensor_release(&counts);
  int before = device->calls["allocate"];
  ASSERT_FALSE(session->reset());
  ASSERT_FALSE(feed(*session, got));
  EXPECT_EQ(device->calls["allocate"], before);
}

/// Weights that an entry itself uses stay, one copy for the entry and its init.
TEST_F(Remote, WeightsAreUploadedOnce) {
  Program program = textProgram();
  Entry &main = program.variants[0].entries[1];
  main.buffers.push_back({false, constant(main, 16), 0});
  main.inputs.push_back(
      tensorPort("w", PortKind::weight, ElementType::f32, {{4, -1}}, 4));
  std::unique_ptr<Session> session;
  Status status = open(program, session);
  ASSERT_FALSE(status) << status.message();
  EXPECT_EQ(device->calls["upload"], 1);
  EXPECT_EQ(device->liveBlocks(), 3u);
  std::vector<float> got;
  ASSERT_FALSE(feed(*session, got));
  EXPECT_EQ(got, expected());
}

TEST_F(Remote, Poison) {
  setenv("INFINI_POISON", "1", 1);
  Program program = addProgram();
  program.variants[0].entries[0].commands.clear();
  std::unique_ptr<Session> session;
  Status status = open(program, session);
  unsetenv("INFINI_POISON");
  ASSERT_FALSE(status) << status.message();
  std::vector<float> values(10), sum(10);
  infini_tensor inputs[] = {vectorOf(values), vectorOf(values)};
  infini_tensor output = vectorOf(sum);
  ASSERT_FALSE(session->call(inputs, 2, &output, 1));
  for (float value : sum)
    EXPECT_TRUE(std::isnan(value));
}

/// The k-th call of the device fails, for every k: the session says so, is
/// broken from then on if it is open, and can be reset.
TEST_F(Remote, EveryCallMayFail) {
  int k = 0;
  for (;; ++k) {
    ASSERT_LT(k, 1000);
    device = std::make_shared<RemoteDevice>();
    device->failIn = k;
    std::unique_ptr<Session> session;
    std::vector<float> got;
    Status status = open(textProgram(), session);
    if (!status)
      status = feed(*session, got);
    if (!status)
      break;
    EXPECT_NE(status.message().find("the device fails in "), std::string::npos)
        << status.message();
    if (!session)
      continue;
    bool isAllocation =
        status.message().find("fails in allocate") != std::string::npos;
    Status next = feed(*session, got);
    if (isAllocation) {
      EXPECT_FALSE(next) << "nothing had happened yet";
      continue;
    }
    EXPECT_NE(next.message().find("an earlier call of this session failed"),
              std::string::npos)
        << next.message();
    infini_tensor tensor = {};
    EXPECT_TRUE(session->readState("counts", tensor));
    ASSERT_FALSE(session->reset());
    ASSERT_FALSE(feed(*session, got));
    EXPECT_EQ(got, expected());
  }
  EXPECT_GT(k, 30);
}

TEST_F(Remote, NoMemoryForAnArgument) {
  std::unique_ptr<Session> session;
  ASSERT_FALSE(open(addProgram(), session));
  std::vector<float> a(10, 1), b(10, 2), sum(10);
  infini_tensor inputs[] = {vectorOf(a), vectorOf(b)};
  infini_tensor output = vectorOf(sum);
  // The arena is first.
  device->failIn = 1;
  Status status = session->call(inputs, 2, &output, 1);
  EXPECT_EQ(status.message(), "argument 'a': the device fails in allocate");
  device->failIn = 2;
  status = session->call(inputs, 2, &output, 1);
  EXPECT_EQ(status.message(), "output 'sum': the device fails in allocate");
  ASSERT_FALSE(session->call(inputs, 2, &output, 1));
  EXPECT_EQ(sum, std::vector<float>(10, 3));
}

} // namespace
