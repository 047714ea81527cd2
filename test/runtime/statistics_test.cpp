// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Statistics of memories: the effective rank of matrices whose singular values
// are known, and states on a device whose memory is not the host's.

#include "cuda_test.h"
#include "infini/runtime/cli/effective_rank.h"
#include "infini/runtime/cli/handles.h"
#include "infini/runtime/cli/memory_statistics.h"

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>

using namespace infini;
using namespace infini::cli;
using namespace infini::test;

namespace {

//===----------------------------------------------------------------------===//
// Effective rank
//===----------------------------------------------------------------------===//

double rankOf(std::vector<double> matrix, int64_t rows, int64_t columns) {
  double rank = -1;
  Status status = effectiveRank(std::move(matrix), rows, columns, rank);
  EXPECT_FALSE(status) << status.message();
  return rank;
}

/// From singular values.
double expected(const std::vector<double> &values) {
  double sum = 0, entropy = 0;
  for (double value : values)
    sum += value;
  for (double value : values)
    if (value > 0)
      entropy -= value / sum * std::log(value / sum);
  return std::exp(entropy);
}

/// A random rotation of rows by `rows` (or of columns): products of
/// reflections, written out.
void reflect(std::vector<double> &matrix, int64_t rows, int64_t columns,
             bool ofRows, std::mt19937 &random) {
  std::normal_distribution<double> normal;
  int64_t size = ofRows ? rows : columns, others = ofRows ? columns : rows;
  auto at = [&](int64_t i, int64_t other) -> double & {
    return matrix[size_t(ofRows ? i * columns + other : other * columns + i)];
  };
  for (int round = 0; round < 4; ++round) {
    std::vector<double> axis(static_cast<size_t>(size));
    double squares = 0;
    for (double &value : axis) {
      value = normal(random);
      squares += value * value;
    }
    for (int64_t other = 0; other < others; ++other) {
      double along = 0;
      for (int64_t i = 0; i < size; ++i)
        along += axis[size_t(i)] * at(i, other);
      for (int64_t i = 0; i < size; ++i)
        at(i, other) -= 2 * along / squares * axis[size_t(i)];
    }
  }
}

TEST(EffectiveRank, OfKnownSingularValues) {
  std::mt19937 random(1);
  const std::vector<std::vector<double>> spectra = {
      {1},       {3, 1},         {1, 1, 1, 1}, {5, 1e-3, 0, 0, 0},
      {1, 1e-9}, {7, 5, 3, 2, 1}};
  for (const std::vector<double> &values : spectra)
    for (int64_t more : {0, 3})
      for (bool isTall : {false, true}) {
        auto size = int64_t(values.size());
        int64_t rows = size + (isTall ? more : 0),
                columns = size + (isTall ? 0 : more);
        std::vector<double> matrix(size_t(rows * columns));
        for (int64_t i = 0; i < size; ++i)
          matrix[size_t(i * columns + i)] = values[size_t(i)];
        reflect(matrix, rows, columns, true, random);
        reflect(matrix, rows, columns, false, random);
        double want = expected(values);
        EXPECT_NEAR(rankOf(matrix, rows, columns), want, 1e-9 * want);
        // In any unit, even where squares would not be numbers.
        for (double scale : {1e-200, 1e200}) {
          std::vector<double> scaled = matrix;
          for (double &value : scaled)
            value *= scale;
          EXPECT_NEAR(rankOf(scaled, rows, columns), want, 1e-9 * want);
        }
        // It tells matrices apart.
        matrix[0] += 2;
        EXPECT_GT(std::fabs(rankOf(matrix, rows, columns) - want) +
                      (size == 1 ? 1 : 0),
                  1e-6);
      }
}

TEST(EffectiveRank, Edges) {
  EXPECT_EQ(rankOf({}, 0, 0), 0);
  EXPECT_EQ(rankOf({}, 0, 5), 0);
  EXPECT_EQ(rankOf(std::vector<double>(12), 3, 4), 0);
  EXPECT_EQ(rankOf({-5}, 1, 1), 1);
  EXPECT_NEAR(rankOf({1, 2, 3, 4, 5}, 1, 5), 1, 1e-12);
  for (double bad : {NAN, INFINITY, -INFINITY})
    EXPECT_TRUE(std::isnan(rankOf({1, bad, 0, 1}, 2, 2)));
  EXPECT_NEAR(rankOf({1, 0, 0, 1e-300}, 2, 2), 1, 1e-12);
  // As large as heads are.
  std::mt19937 random(2);
  std::vector<double> matrix(256 * 256);
  for (int i = 0; i < 256; ++i)
    matrix[size_t(i * 257)] = 1;
  reflect(matrix, 256, 256, true, random);
  EXPECT_NEAR(rankOf(matrix, 256, 256), 256, 1e-9 * 256);
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

/// textProgram in segments of 8 with memories of 2 by 3 in layers 0 and 2: each
/// call fills M and z with the call's pattern.
Program memoryProgram() {
  Program program = textProgram();
  program.model.segmentLength = 8;
  Entry &entry = program.variants[0].entries[1];
  auto addState = [&](const std::string &name, std::vector<Dim> dims,
                      int64_t elements, float value) {
    auto buffer = int32_t(entry.buffers.size());
    uint32_t bytes = constant(entry, 4 * elements);
    std::vector<uint32_t> shape;
    for (const Dim &dim : dims)
      shape.push_back(constant(entry, dim.value));
    entry.inputs.push_back(
        tensorPort(name, PortKind::state, ElementType::f32, dims, buffer));
    entry.outputs.push_back(
        outputPort(name, PortKind::state, ElementType::f32, shape, buffer));
    entry.buffers.push_back({false, bytes, 0});
    Command fill = {};
    fill.kind = CommandKind::fill;
    fill.buffers = {uint32_t(buffer)};
    fill.bytes = bytes;
    memcpy(&fill.pattern, &value, sizeof value);
    fill.patternBytes = 4;
    entry.commands.push_back(fill);
  };
  for (int layer : {0, 2}) {
    std::string prefix = "layers." + std::to_string(layer) + ".";
    addState(prefix + "M", {{1, -1}, {2, -1}, {2, -1}, {3, -1}}, 12,
             float(layer + 1));
    addState(prefix + "z", {{1, -1}, {2, -1}, {2, -1}}, 4, float(layer + 3));
  }
  return program;
}

class Statistics : public Cuda {
protected:
  void open(const std::string &name) {
    static const char header[] =
        "{\"model.layers.0.self_attn.beta\":{\"dtype\":\"F32\",\"shape\":[4],"
        "\"data_offsets\":[0,16]},\"model.layers.2.self_attn.beta\":{\"dtype\":"
        "\"F32\",\"shape\":[4,2],\"data_offsets\":[16,48]},\"w\":{\"dtype\":"
        "\"F32\",\"shape\":[4],\"data_offsets\":[48,64]}}";
    const float values[] = {0, 1, -1, -INFINITY, 0, 2, 0, 0,
                            0, 0, 0,  0,         1, 2, 3, 4};
    uint64_t size = sizeof header - 1;
    std::string bytes(reinterpret_cast<const char *>(&size), sizeof size);
    bytes += header;
    bytes.append(reinterpret_cast<const char *>(values), sizeof values);
    writeFile(folder / "model.safetensors", bytes);
    Program program = memoryProgram();
    if (name == "cuda")
      program = forGpu(program);
    std::string package = packageFile(program);
    PackageHandle packageHandle;
    ASSERT_FALSE(make(packageHandle, infini_package_from_memory,
                      (const void *)package.data(), package.size()));
    ASSERT_FALSE(make(weightsHandle, infini_weights_open, folder.path.c_str()));
    ASSERT_FALSE(make(deviceHandle, infini_device_open, name.c_str(), 1u));
    Status status =
        make(session, infini_session_open, packageHandle.get(),
             (const char *)nullptr, weightsHandle.get(), deviceHandle.get());
    ASSERT_FALSE(status) << status.message();
  }
  void feed(size_t count) {
    ASSERT_FALSE(Status::adopt(
        infini_session_feed(session.get(), tokens.data(), count, nullptr)));
  }
  void TearDown() override {
    session.reset();
    deviceHandle.reset();
    Cuda::TearDown();
  }

  WeightsHandle weightsHandle;
  DeviceHandle deviceHandle;
  SessionHandle session;
};

TEST_F(Statistics, OfDevices) {
  for (const char *name : {"cpu", "cuda"}) {
    open(name);
    MemoryStatistics statistics;
    ASSERT_FALSE(statistics.open(session.get(), folder.path, 8, true));
    ASSERT_EQ(statistics.layers().size(), 2u);
    const MemoryLayer &last = statistics.layers()[1];
    EXPECT_EQ(last.number, 2u);
    EXPECT_EQ(last.heads, 2u);
    EXPECT_EQ(last.rows, 2);
    EXPECT_EQ(last.columns, 3);
    ASSERT_EQ(last.gates.size(), 4u);
    const std::vector<HeadGate> &gates = statistics.layers()[0].gates;
    ASSERT_EQ(gates.size(), 4u);
    EXPECT_NEAR(gates[1].mean, 1 / (1 + std::exp(-1.0)), 1e-15);
    EXPECT_EQ(gates[3].mean, 0);
    EXPECT_EQ(last.gates[0].least, 0.5);
    EXPECT_NEAR(last.gates[0].most, 1 / (1 + std::exp(-2.0)), 1e-7);
    feed(5);
    ASSERT_FALSE(statistics.afterCall(session.get()));
    feed(15);
    ASSERT_FALSE(statistics.afterCall(session.get()));
    ASSERT_FALSE(statistics.finish(session.get()));
    // Nothing folded; and two segments.
    ASSERT_EQ(statistics.samples().size(), 2u);
    EXPECT_EQ(statistics.samples()[0].tokens, 0u);
    EXPECT_EQ(statistics.samples()[1].tokens, 16u);
    for (size_t layer : {0, 1})
      for (size_t head : {0, 1}) {
        const MemoryValues &values =
            statistics.samples()[1].values[statistics.indexOf(layer, head)];
        double z = layer ? 5 : 3;
        EXPECT_DOUBLE_EQ(values.norm, z * std::sqrt(2.0));
        EXPECT_DOUBLE_EQ(values.sum, 2 * z);
        EXPECT_NEAR(values.rank, 1, 1e-6);
      }
    // They do not change what is computed.
    infini_tensor counts = {};
    ASSERT_FALSE(Status::adopt(
        infini_session_read_state(session.get(), "counts", &counts)));
    EXPECT_EQ(static_cast<float *>(counts.data)[tokens[0]], 1 + 1);
    infini_tensor_release(&counts);
    session.reset();
    deviceHandle.reset();
  }
}

/// Evenly over any number of calls, and never many.
TEST_F(Statistics, Samples) {
  open("cpu");
  for (size_t calls : {1, 2, 63, 64, 65, 1000}) {
    ASSERT_FALSE(Status::adopt(infini_session_reset(session.get())));
    MemoryStatistics statistics;
    ASSERT_FALSE(statistics.open(session.get(), folder.path, 8, false));
    for (size_t i = 0; i < calls; ++i) {
      feed(8);
      ASSERT_FALSE(statistics.afterCall(session.get()));
    }
    ASSERT_FALSE(statistics.finish(session.get()));
    const auto &samples = statistics.samples();
    EXPECT_LE(samples.size(), MemoryStatistics::maxSamples + 1);
    EXPECT_GE(samples.size(), std::min<size_t>(calls, 32));
    EXPECT_EQ(samples.back().tokens, 8 * calls);
    EXPECT_EQ(statistics.tokens(), 8 * calls);
    for (size_t i = 2; i + 1 < samples.size(); ++i)
      EXPECT_EQ(samples[i].tokens - samples[i - 1].tokens,
                samples[1].tokens - samples[0].tokens);
    for (size_t i = 0; i < samples.size(); ++i)
      EXPECT_EQ(std::isnan(samples[i].values[0].rank), i + 1 < samples.size());
    // z is the same after each call.
    double growth = statistics.growth(0);
    EXPECT_EQ(std::isnan(growth), calls == 1);
    if (calls > 1) {
      EXPECT_NEAR(growth, 0, 1e-12);
    }
  }
}

TEST_F(Statistics, Json) {
  open("cpu");
  MemoryStatistics statistics;
  ASSERT_FALSE(statistics.open(session.get(), folder.path, 8, true));
  feed(20);
  ASSERT_FALSE(statistics.afterCall(session.get()));
  ASSERT_FALSE(statistics.finish(session.get()));
  RunStatistics run = {{}, 20, 1.5, 0.25, 0.125, 4096};
  infini_session_statistics(session.get(), &run.counts);
  auto json = nlohmann::json::parse(statisticsJson(run, statistics));
  EXPECT_EQ(json["tokens"], 20);
  EXPECT_EQ(json["segments"], 2);
  EXPECT_EQ(json["pending_tokens"], 4);
  EXPECT_EQ(json["run"]["seconds"], 1.5);
  EXPECT_EQ(json["run"]["peak_bytes"], 4096);
  EXPECT_EQ(json["series_tokens"], nlohmann::json({16}));
  ASSERT_EQ(json["layers"].size(), 2u);
  auto &layer = json["layers"][1];
  EXPECT_EQ(layer["layer"], 2);
  EXPECT_EQ(layer["full_rank"], 2);
  EXPECT_EQ(layer["heads"][3]["key_value_head"], 1);
  EXPECT_EQ(layer["memories"][1]["z_sum"], 10);
  EXPECT_EQ(layer["memories"][1]["series"]["z_sum"], nlohmann::json({10}));
  EXPECT_TRUE(layer["memories"][1]["z_growth"].is_null());
}

TEST_F(Statistics, WithoutGates) {
  open("cpu");
  // The weights of another model.
  writeFile(folder / "model.safetensors", textWeights());
  MemoryStatistics statistics;
  Status status = statistics.open(session.get(), folder.path, 8, true);
  EXPECT_NE(status.message().find("'model.layers.0.self_attn.beta'"),
            std::string::npos)
      << status.message();
}

} // namespace
