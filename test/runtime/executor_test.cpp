// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Entries run through the C interface, on real kernels.

#include "infini/runtime/infini.h"
#include "infini/runtime/status.h"
#include "test_package.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

using namespace infini;
using namespace infini::test;

namespace {

/// A session on a program, with all that it is made from.
class Runner {
public:
  explicit Runner(const Program &program, unsigned threads = 2) {
    std::string bytes = packageFile(program);
    status = Status::adopt(
        infini_package_from_memory(bytes.data(), bytes.size(), &package));
    if (!status)
      status = Status::adopt(infini_device_open("cpu", threads, &device));
    if (!status)
      status = Status::adopt(
          infini_session_open(package, nullptr, nullptr, device, &session));
    // The session keeps what it needs.
    infini_package_release(package);
    infini_device_release(device);
  }
  ~Runner() { infini_session_release(session); }

  Status call(std::vector<infini_tensor> inputs,
              std::vector<infini_tensor> &outputs) {
    return Status::adopt(infini_function_call(
        session, inputs.data(), inputs.size(), outputs.data(), outputs.size()));
  }

  Status status;
  infini_session *session = nullptr;

private:
  infini_package *package = nullptr;
  infini_device *device = nullptr;
};

infini_tensor vectorOf(std::vector<float> &values) {
  infini_tensor tensor = {};
  tensor.data = values.data();
  tensor.element = INFINI_F32;
  tensor.rank = 1;
  tensor.shape[0] = int64_t(values.size());
  return tensor;
}

TEST(Executor, Adds) {
  Runner runner(addProgram());
  ASSERT_FALSE(runner.status) << runner.status.message();
  for (size_t n : {0u, 1u, 63u, 64u, 65u, 1000u, 7u}) {
    std::vector<float> a(n), b(n);
    for (size_t i = 0; i < n; ++i) {
      a[i] = float(i);
      b[i] = 1000;
    }
    std::vector<infini_tensor> outputs(1);
    Status status = runner.call({vectorOf(a), vectorOf(b)}, outputs);
    ASSERT_FALSE(status) << status.message();
    ASSERT_EQ(outputs[0].rank, 1);
    ASSERT_EQ(outputs[0].shape[0], int64_t(n));
    for (size_t i = 0; i < n; ++i)
      ASSERT_EQ(static_cast<float *>(outputs[0].data)[i], float(i) + 1000);
    infini_tensor_release(&outputs[0]);
    // Into memory of the caller's.
    std::vector<float> room(n + 1, -1);
    outputs[0] = vectorOf(room);
    outputs[0].shape[0] = int64_t(n);
    ASSERT_FALSE(runner.call({vectorOf(a), vectorOf(b)}, outputs));
    for (size_t i = 0; i < n; ++i)
      ASSERT_EQ(room[i], float(i) + 1000);
    EXPECT_EQ(room[n], -1);
  }
}

TEST(Executor, WrongArguments) {
  Runner runner(addProgram());
  ASSERT_FALSE(runner.status);
  std::vector<float> three(3), four(4);
  std::vector<infini_tensor> outputs(1);
  auto expect = [&](std::vector<infini_tensor> inputs,
                    const std::string &message) {
    Status status = runner.call(inputs, outputs);
    EXPECT_EQ(status.code(), INFINI_USER_ERROR);
    EXPECT_NE(status.message().find(message), std::string::npos)
        << status.message();
    EXPECT_EQ(outputs.empty() ? nullptr : outputs[0].data, nullptr);
  };
  expect({vectorOf(three)}, "expected 2 inputs, got 1");
  expect({vectorOf(three), vectorOf(four)},
         "argument 'b' dimension 0: expected 3 (n), got 4");
  infini_tensor wrong = vectorOf(three);
  wrong.element = INFINI_F16;
  expect({vectorOf(three), wrong}, "argument 'b': expected f32, got f16");
  wrong.element = infini_element(99);
  expect({vectorOf(three), wrong}, "unknown element type 99");
  wrong = vectorOf(three);
  wrong.rank = 2;
  wrong.shape[1] = 1;
  expect({vectorOf(three), wrong}, "expected rank 1, got [3, 1]");
  wrong.rank = 77;
  expect({vectorOf(three), wrong}, "unexpected rank 77");
  wrong = vectorOf(three);
  wrong.shape[0] = -3;
  expect({vectorOf(three), wrong}, "is not one");
  wrong = vectorOf(three);
  wrong.data = nullptr;
  expect({vectorOf(three), wrong}, "'b' has no data");
  wrong.data = reinterpret_cast<char *>(three.data()) + 1;
  expect({vectorOf(three), wrong}, "not aligned to 4 bytes");
  wrong = vectorOf(three);
  wrong.shape[0] = INT64_MAX / 4;
  expect({wrong, wrong}, "does not fit 64 bits");
  // Room of another shape.
  outputs[0] = vectorOf(four);
  Status status = runner.call({vectorOf(three), vectorOf(three)}, outputs);
  EXPECT_NE(status.message().find("'sum': expected [3], got room for [4]"),
            std::string::npos)
      << status.message();
  outputs.clear();
  expect({vectorOf(three), vectorOf(three)}, "expected 1 outputs, got 0");
}

/// The whole grid once, imports and scratch, and the same for any threads.
TEST(Executor, GridImportsAndScratch) {
  Program program = emptyProgram();
  Entry entry = {};
  entry.name = "grid";
  uint32_t four = constant(entry, 4), three = constant(entry, 3),
           two = constant(entry, 2);
  uint32_t bytes = constant(entry, 4 * 3 * 2 * 8);
  entry.outputs = {outputPort("out", PortKind::argument, ElementType::f64,
                              {two, three, four}, 0)};
  entry.buffers = {{false, bytes, 0}};
  entry.arenaSize = constant(entry, 0);
  Command command = {};
  command.kind = CommandKind::dispatch;
  command.kernel = 1;
  command.grid = {four, three, two};
  command.buffers = {0};
  entry.commands = {command};
  program.variants[0].entries = {entry};
  for (unsigned threads : {1u, 2u, 7u}) {
    Runner runner(program, threads);
    ASSERT_FALSE(runner.status) << runner.status.message();
    std::vector<infini_tensor> outputs(1);
    ASSERT_FALSE(runner.call({}, outputs));
    for (int z = 0; z < 2; ++z)
      for (int y = 0; y < 3; ++y)
        for (int x = 0; x < 4; ++x)
          EXPECT_EQ(static_cast<double *>(outputs[0].data)[x + 4 * (y + 3 * z)],
                    std::exp((x + 10 * y + 100 * z) / 100.0));
    infini_tensor_release(&outputs[0]);
  }
}

TEST(Executor, NoMemoryForScratch) {
  Program program = emptyProgram();
  Entry entry = {};
  entry.name = "hungry";
  entry.variables = 1;
  Port amount = {"bytes", PortKind::argument, ElementType::i64, {}, {}, 0, -1,
                 -1};
  uint32_t one = constant(entry, 1);
  entry.inputs = {amount};
  entry.outputs = {
      outputPort("out", PortKind::argument, ElementType::i8, {one}, 0)};
  entry.buffers = {{false, one, 0}};
  entry.arenaSize = constant(entry, 0);
  Command command = {};
  command.kind = CommandKind::dispatch;
  command.kernel = 2;
  command.grid = {constant(entry, 8)};
  command.buffers = {0};
  command.scalars = {variable(entry, 0)};
  entry.commands = {command};
  program.variants[0].entries = {entry};
  Runner runner(program);
  ASSERT_FALSE(runner.status) << runner.status.message();
  for (int64_t bytes : {int64_t(-1), INT64_MAX, int64_t(1) << 47}) {
    infini_tensor input = {};
    input.data = &bytes;
    input.element = INFINI_I64;
    std::vector<infini_tensor> outputs(1);
    Status status = runner.call({input}, outputs);
    EXPECT_EQ(status.code(), INFINI_OUT_OF_MEMORY) << bytes;
    EXPECT_EQ(outputs[0].data, nullptr);
    // Nothing may be called until it is reset.
    EXPECT_EQ(runner.call({input}, outputs).code(), INFINI_USER_ERROR);
    ASSERT_FALSE(Status::adopt(infini_session_reset(runner.session)));
    int64_t little = 100;
    input.data = &little;
    ASSERT_FALSE(runner.call({input}, outputs));
    infini_tensor_release(&outputs[0]);
  }
}

/// for i in 0 ... n-1: for j in 0 ... i-1: fill the j-th prefix, so that loops,
/// their expressions and fills of all widths are seen.
TEST(Executor, LoopsAndFills) {
  Program program = emptyProgram();
  Entry entry = {};
  entry.name = "loops";
  entry.variables = 3;
  uint32_t n = variable(entry, 0), i = variable(entry, 1),
           j = variable(entry, 2);
  uint32_t bytes = apply(entry, ExpressionOp::mul, n, constant(entry, 8));
  Port count = {"n", PortKind::argument, ElementType::i64, {}, {}, 0, -1, -1};
  Port trips = count;
  trips.name = "twice";
  trips.scalarVariable = -1;
  trips.scalarExpr = int32_t(apply(entry, ExpressionOp::add, n, n));
  entry.inputs = {count};
  entry.outputs = {
      outputPort("out", PortKind::argument, ElementType::i64, {n}, 0), trips};
  entry.buffers = {{false, bytes, 0}};
  entry.arenaSize = constant(entry, 0);
  Command clear = {};
  clear.kind = CommandKind::fill;
  clear.buffers = {0};
  clear.bytes = bytes;
  clear.pattern = 0x0101010101010101;
  clear.patternBytes = 8;
  Command fill = clear;
  // After (i, j) the first j + 1 numbers are this pattern.
  fill.bytes = apply(entry, ExpressionOp::mul,
                     apply(entry, ExpressionOp::add, j, constant(entry, 1)),
                     constant(entry, 8));
  fill.pattern = 0x0000000200000001;
  Command inner = {};
  inner.kind = CommandKind::loop;
  inner.variable = 2;
  inner.tripCount = i;
  inner.body = {fill};
  Command outer = {};
  outer.kind = CommandKind::loop;
  outer.variable = 1;
  outer.tripCount = n;
  outer.body = {inner};
  entry.commands = {clear, outer};
  program.variants[0].entries = {entry};
  Runner runner(program);
  ASSERT_FALSE(runner.status) << runner.status.message();
  for (int64_t size : {0, 1, 5}) {
    infini_tensor input = {};
    input.data = &size;
    input.element = INFINI_I64;
    std::vector<infini_tensor> outputs(2);
    Status status = runner.call({input}, outputs);
    ASSERT_FALSE(status) << status.message();
    for (int64_t at = 0; at < size; ++at)
      EXPECT_EQ(static_cast<int64_t *>(outputs[0].data)[at],
                at < size - 1 ? 0x0000000200000001 : 0x0101010101010101);
    EXPECT_EQ(*static_cast<int64_t *>(outputs[1].data), 2 * size);
    infini_tensor_release(&outputs[0]);
    infini_tensor_release(&outputs[1]);
  }
  // A negative size.
  int64_t negative = -1;
  infini_tensor input = {};
  input.data = &negative;
  input.element = INFINI_I64;
  std::vector<infini_tensor> outputs(2);
  Status status = runner.call({input}, outputs);
  EXPECT_NE(status.message().find("'out': a dimension is negative: v0 = -1"),
            std::string::npos)
      << status.message();
  EXPECT_EQ(status.code(), INFINI_BUG) << status.message();
}

/// A schedule that contradicts itself is found when it runs.
TEST(Executor, Contradictions) {
  auto expect = [](Program program, const std::string &message) {
    Runner runner(program);
    ASSERT_FALSE(runner.status) << runner.status.message();
    std::vector<float> values(100);
    std::vector<infini_tensor> outputs(1);
    Status status = runner.call({vectorOf(values), vectorOf(values)}, outputs);
    EXPECT_EQ(status.code(), INFINI_BUG);
    EXPECT_NE(status.message().find(message), std::string::npos)
        << status.message();
  };
  Program program = addProgram();
  Entry &entry = program.variants[0].entries[0];
  uint32_t hundreds = constant(entry, 10000), odd = constant(entry, 4);
  Program one = program;
  one.variants[0].entries[0].commands[1].bytes = hundreds;
  expect(one, "needs 10000 bytes, buffer 3 has 400");
  one = program;
  one.variants[0].entries[0].buffers[0].size = hundreds;
  expect(one, "'a' has 400 bytes, its buffer 0 has 10000");
  one = program;
  one.variants[0].entries[0].buffers[2].size = hundreds;
  expect(one, "'sum' has 400 bytes, its buffer 2 has 10000");
  one = program;
  one.variants[0].entries[0].buffers[3].offset = odd;
  expect(one, "does not lie in the arena");
  one = program;
  one.variants[0].entries[0].buffers[3].size = hundreds;
  expect(one, "does not lie in the arena");
  one = program;
  one.variants[0].entries[0].arenaSize =
      apply(one.variants[0].entries[0], ExpressionOp::floordiv, odd,
            constant(one.variants[0].entries[0], 0));
  expect(one, "cannot compute floordiv(4, 0): division by zero");
}

TEST(Executor, Checks) {
  auto run = [](Relation relation, int64_t right, size_t n) {
    Program program = addProgram();
    Entry &entry = program.variants[0].entries[0];
    entry.checks = {{0, constant(entry, right), relation, "the length"}};
    Runner runner(program);
    std::vector<float> values(n);
    std::vector<infini_tensor> outputs(1);
    Status status = runner.call({vectorOf(values), vectorOf(values)}, outputs);
    infini_tensor_release(&outputs[0]);
    return status.message();
  };
  EXPECT_EQ(run(Relation::equal, 6, 6), "");
  EXPECT_EQ(run(Relation::equal, 6, 5),
            "entry 'main': the length: expected n = 5 to be equal to 6 = 6");
  EXPECT_EQ(run(Relation::multipleOf, 3, 6), "");
  EXPECT_NE(run(Relation::multipleOf, 3, 7), "");
  EXPECT_NE(run(Relation::multipleOf, 0, 7), "");
  EXPECT_EQ(run(Relation::multipleOf, -1, 7), "");
  EXPECT_EQ(run(Relation::atMost, 7, 7), "");
  EXPECT_NE(run(Relation::atMost, 7, 8), "");
}

/// With INFINI_POISON what a program forgets to write is NaN.
TEST(Executor, Poison) {
  setenv("INFINI_POISON", "1", 1);
  Program program = addProgram();
  program.variants[0].entries[0].commands.clear();
  Runner runner(program);
  unsetenv("INFINI_POISON");
  std::vector<float> values(10);
  std::vector<infini_tensor> outputs(1);
  ASSERT_FALSE(runner.call({vectorOf(values), vectorOf(values)}, outputs));
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(std::isnan(static_cast<float *>(outputs[0].data)[i]));
  infini_tensor_release(&outputs[0]);
}

TEST(Executor, TargetsForOthers) {
  Program program = addProgram();
  program.targets[0].features = {"time-travel"};
  Runner lacking(program);
  EXPECT_NE(lacking.status.message().find("'time-travel'"), std::string::npos);
  program.targets[0].kind = "amd";
  Runner other(program);
  EXPECT_NE(other.status.message().find("only for 'amd'"), std::string::npos);
}

TEST(Devices, Chip) {
  infini_device *device = nullptr;
  ASSERT_FALSE(Status::adopt(infini_device_open("cpu", 1, &device)));
  EXPECT_STREQ(infini_device_chip(device), "");
  infini_device_release(device);
}

TEST(Devices, UnknownNames) {
  for (const char *name : {"", "gpu", "cpu:1", "cuda:", "cuda:x", "cuda:-1",
                           "cuda0", "cuda:99999999999", "sim", "sim:"}) {
    infini_device *device = nullptr;
    Status status = Status::adopt(infini_device_open(name, 0, &device));
    EXPECT_EQ(status.code(), INFINI_USER_ERROR);
    EXPECT_EQ(status.message(),
              "there is no device " + quoted(name) +
                  "; expected one of: cpu, cuda[:<number>], sim:<chip>");
  }
}

} // namespace
