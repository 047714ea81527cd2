// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Texts, weights, constants and state, through the C interface.

#include "infini/runtime/infini.h"
#include "infini/runtime/status.h"
#include "test_package.h"

#include <cstring>
#include <functional>
#include <gtest/gtest.h>

using namespace infini;
using namespace infini::test;

namespace {

class Text : public testing::Test {
protected:
  void SetUp() override {
    writeFile(folder / "model.safetensors", textWeights());
    ASSERT_FALSE(
        Status::adopt(infini_weights_open(folder.path.c_str(), &weights)));
    ASSERT_FALSE(Status::adopt(infini_device_open("cpu", 2, &device)));
    Status status = openSession(textProgram());
    ASSERT_FALSE(status) << status.message();
    for (int i = 0; i < 100; ++i)
      tokens.push_back(i * i % 37);
  }
  void TearDown() override {
    infini_session_release(session);
    infini_device_release(device);
    infini_weights_release(weights);
  }

  Status openSession(const Program &program, const char *entry = nullptr,
                     bool withWeights = true) {
    infini_session_release(session);
    session = nullptr;
    std::string bytes = packageFile(program);
    infini_package *package = nullptr;
    if (Status status = Status::adopt(
            infini_package_from_memory(bytes.data(), bytes.size(), &package)))
      return status;
    Status status = Status::adopt(infini_session_open(
        package, entry, withWeights ? weights : nullptr, device, &session));
    infini_package_release(package);
    return status;
  }

  Status feed(const std::vector<int32_t> &tokens, float *logits) {
    return Status::adopt(
        infini_session_feed(session, tokens.data(), tokens.size(), logits));
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
  infini_weights *weights = nullptr;
  infini_device *device = nullptr;
  infini_session *session = nullptr;
  std::vector<int32_t> tokens;
};

TEST_F(Text, AnyCutGivesTheSame) {
  std::vector<float> want = expected(), got(want.size());
  for (uint64_t perCall : {0, 1, 3, 16}) {
    ASSERT_FALSE(
        Status::adopt(infini_session_set_tokens_per_call(session, perCall)));
    ASSERT_FALSE(Status::adopt(infini_session_reset(session)));
    ASSERT_FALSE(feed(tokens, got.data()));
    EXPECT_EQ(got, want) << perCall;
  }
  // In two texts' worth of calls by the caller.
  ASSERT_FALSE(Status::adopt(infini_session_reset(session)));
  ASSERT_FALSE(feed({tokens.begin(), tokens.begin() + 41}, got.data()));
  ASSERT_FALSE(
      feed({tokens.begin() + 41, tokens.end()}, got.data() + 41 * 256));
  EXPECT_EQ(got, want);
  ASSERT_FALSE(feed({}, nullptr));
  // And without a reset it is another text.
  ASSERT_FALSE(feed(tokens, got.data()));
  EXPECT_NE(got, want);
}

TEST_F(Text, Callback) {
  std::vector<float> got;
  ASSERT_FALSE(Status::adopt(infini_session_feed_each(
      session, tokens.data(), tokens.size(),
      [](void *user, const float *logits, size_t count, size_t vocabSize) {
        EXPECT_LE(count, 16u);
        auto &all = *static_cast<std::vector<float> *>(user);
        all.insert(all.end(), logits, logits + count * vocabSize);
        return 0;
      },
      &got)));
  EXPECT_EQ(got, expected());
  infini_statistics counts;
  infini_session_statistics(session, &counts);
  EXPECT_EQ(counts.tokens, 100u);
  EXPECT_EQ(counts.calls, 7u);
  EXPECT_EQ(counts.state_bytes, 256u * 4 + 8);
  EXPECT_EQ(counts.constant_bytes, 16u);
  EXPECT_EQ(counts.weight_bytes, 16u);
  Status status = Status::adopt(infini_session_feed_each(
      session, tokens.data(), tokens.size(),
      [](void *, const float *, size_t, size_t) { return 1; }, nullptr));
  EXPECT_EQ(status.message(), "stopped by the caller after 16 tokens");
  infini_session_statistics(session, &counts);
  EXPECT_EQ(counts.tokens, 116u);
}

TEST_F(Text, State) {
  ASSERT_FALSE(feed(tokens, nullptr));
  ASSERT_EQ(infini_session_state_count(session), 2u);
  EXPECT_STREQ(infini_session_state_name(session, 0), "counts");
  EXPECT_STREQ(infini_session_state_name(session, 1), "fill");
  EXPECT_EQ(infini_session_state_name(session, 2), nullptr);
  infini_tensor tensor = {};
  ASSERT_FALSE(
      Status::adopt(infini_session_read_state(session, "fill", &tensor)));
  EXPECT_EQ(*static_cast<int64_t *>(tensor.data), 100);
  EXPECT_EQ(tensor.rank, 0);
  infini_tensor_release(&tensor);
  ASSERT_FALSE(
      Status::adopt(infini_session_read_state(session, "counts", &tensor)));
  float sum = 0;
  for (int i = 0; i < 256; ++i)
    sum += static_cast<float *>(tensor.data)[i];
  EXPECT_EQ(sum, 100);
  infini_tensor_release(&tensor);
  ASSERT_FALSE(Status::adopt(infini_session_reset(session)));
  ASSERT_FALSE(
      Status::adopt(infini_session_read_state(session, "counts", &tensor)));
  for (int i = 0; i < 256; ++i)
    EXPECT_EQ(static_cast<float *>(tensor.data)[i], 0);
  infini_tensor_release(&tensor);
  EXPECT_EQ(
      Status::adopt(infini_session_read_state(session, "M", &tensor)).message(),
      "entry 'main' has no state 'M'");
}

TEST_F(Text, WrongTokens) {
  tokens[70] = 256;
  ASSERT_FALSE(feed({1, 2, 3}, nullptr));
  Status status = feed(tokens, nullptr);
  EXPECT_EQ(status.message(),
            "token at position 73: expected 0 to 255, got 256");
  tokens[70] = -1;
  EXPECT_EQ(feed(tokens, nullptr).code(), INFINI_USER_ERROR);
  // Nothing has happened.
  infini_statistics counts;
  infini_session_statistics(session, &counts);
  EXPECT_EQ(counts.tokens, 3u);
  EXPECT_EQ(
      Status::adopt(infini_session_set_tokens_per_call(session, 17)).message(),
      "expected at most 16 tokens a call, got 17; compile with a larger "
      "--max-tokens-per-call");
}

TEST_F(Text, EntriesThatTakeNoText) {
  ASSERT_FALSE(openSession(addProgram()));
  EXPECT_NE(feed(tokens, nullptr).message().find("does not take a text"),
            std::string::npos);
  EXPECT_NE(openSession(textProgram(), "main.init")
                .message()
                .find("cannot be called"),
            std::string::npos);
}

TEST_F(Text, WeightsMustMatch) {
  EXPECT_NE(openSession(textProgram(), nullptr, false)
                .message()
                .find("needs the tensor 'w'"),
            std::string::npos);
  auto expect = [&](std::function<void(Port &)> change,
                    const std::string &message) {
    Program program = textProgram();
    change(program.variants[0].entries[0].inputs[0]);
    Status status = openSession(program);
    EXPECT_EQ(status.code(), INFINI_USER_ERROR);
    EXPECT_NE(status.message().find(message), std::string::npos)
        << status.message();
  };
  expect([](Port &port) { port.name = "v"; },
         "have no tensor 'v'; the nearest unused name is 'w'");
  expect([](Port &port) { port.element = ElementType::bf16; },
         "expected bf16 [4], got F32 [4]");
  expect(
      [](Port &port) {
        port.dims = {{2, -1}, {2, -1}};
      },
      "expected f32 [2, 2], got F32 [4]");
}

/// Weights that lie at odd addresses are copied.
TEST_F(Text, MisalignedWeights) {
  std::string good = textWeights();
  for (size_t shift = 1; shift < 4; ++shift) {
    std::string shifted = good;
    shifted[0] = char(shifted[0] + int(shift));
    shifted.insert(8 + size_t(uint8_t(good[0])), shift, ' ');
    writeFile(folder / "odd.safetensors", shifted);
    infini_weights_release(weights);
    weights = nullptr;
    Status status = Status::adopt(
        infini_weights_open((folder / "odd.safetensors").c_str(), &weights));
    ASSERT_FALSE(status) << status.message();
    ASSERT_FALSE(openSession(textProgram()));
    std::vector<float> got(100 * 256);
    ASSERT_FALSE(feed(tokens, got.data()));
    EXPECT_EQ(got, expected());
  }
}

} // namespace
