// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "test_package.h"

#include "infini/runtime/elf_image.h"
#include "infini/runtime/package_file.h"
#include "infini/runtime/package_generated.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>

using namespace infini;
using namespace infini::test;

// Running out of memory is tested: sanitizers should report it as malloc does,
// and not end the program.
#define INFINI_SANITIZER_OPTIONS(function)                                     \
  extern "C" __attribute__((visibility("default"))) const char *function() {   \
    return "allocator_may_return_null=1";                                      \
  }
INFINI_SANITIZER_OPTIONS(__asan_default_options)
INFINI_SANITIZER_OPTIONS(__tsan_default_options)

//===----------------------------------------------------------------------===//
// Encoding
//===----------------------------------------------------------------------===//

namespace {

using Builder = flatbuffers::FlatBufferBuilder;

flatbuffers::Offset<fb::Port> encode(Builder &b, const Port &);
flatbuffers::Offset<fb::Expr> encode(Builder &b, const Expression &);
flatbuffers::Offset<fb::Buffer> encode(Builder &b, const Buffer &);
flatbuffers::Offset<fb::Check> encode(Builder &b, const Check &);
flatbuffers::Offset<fb::Command> encode(Builder &b, const Command &);
flatbuffers::Offset<fb::Entry> encode(Builder &b, const Entry &);
flatbuffers::Offset<fb::Kernel> encode(Builder &b, const Kernel &);
flatbuffers::Offset<fb::Variant> encode(Builder &b, const Variant &);
flatbuffers::Offset<fb::Target> encode(Builder &b, const Target &);

flatbuffers::Offset<fb::Port> encode(Builder &b, const Port &port) {
  std::vector<fb::Dim> dims;
  for (const Dim &dim : port.dims)
    dims.emplace_back(dim.value, dim.variable);
  auto name = b.CreateString(port.name);
  auto dimsOffset = b.CreateVectorOfStructs(dims);
  auto shape = b.CreateVector(port.shape);
  return fb::CreatePort(b, name, fb::PortKind(port.kind),
                        fb::ElementType(port.element), dimsOffset, shape,
                        port.scalarVariable, port.scalarExpr, port.buffer);
}

template <typename T, typename From>
flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<T>>>
encodeAll(Builder &b, const std::vector<From> &from) {
  std::vector<flatbuffers::Offset<T>> offsets;
  for (const From &one : from)
    offsets.push_back(encode(b, one));
  return b.CreateVector(offsets);
}

flatbuffers::Offset<fb::Expr> encode(Builder &b, const Expression &expression) {
  std::vector<fb::ExprNode> nodes;
  for (const ExpressionNode &node : expression.nodes)
    nodes.emplace_back(fb::ExprOp(node.op), node.operand);
  return fb::CreateExpr(b, b.CreateVectorOfStructs(nodes));
}

flatbuffers::Offset<fb::Buffer> encode(Builder &b, const Buffer &buffer) {
  return fb::CreateBuffer(
      b, buffer.isArena ? fb::BufferKind_arena : fb::BufferKind_port,
      buffer.size, buffer.offset);
}

flatbuffers::Offset<fb::Check> encode(Builder &b, const Check &check) {
  return fb::CreateCheck(b, check.left, check.right, uint8_t(check.relation),
                         b.CreateString(check.message));
}

flatbuffers::Offset<fb::Command> encode(Builder &b, const Command &c) {
  auto label = b.CreateString(c.label);
  auto grid = b.CreateVector(c.grid);
  auto scalars = b.CreateVector(c.scalars);
  auto buffers = b.CreateVector(c.buffers);
  auto body = encodeAll<fb::Command>(b, c.body);
  return fb::CreateCommand(b, fb::CommandKind(c.kind), label, c.kernel, grid,
                           scalars, buffers, c.m, c.n, c.k, c.transposeA,
                           c.transposeB, c.accumulate,
                           fb::ElementType(c.element), c.bytes, c.pattern,
                           c.patternBytes, c.variable, c.tripCount, body);
}

flatbuffers::Offset<fb::Entry> encode(Builder &b, const Entry &e) {
  auto name = b.CreateString(e.name);
  auto names = b.CreateVectorOfStrings(e.variableNames);
  auto inputs = encodeAll<fb::Port>(b, e.inputs);
  auto outputs = encodeAll<fb::Port>(b, e.outputs);
  auto expressions = encodeAll<fb::Expr>(b, e.expressions);
  auto checks = encodeAll<fb::Check>(b, e.checks);
  auto buffers = encodeAll<fb::Buffer>(b, e.buffers);
  auto commands = encodeAll<fb::Command>(b, e.commands);
  return fb::CreateEntry(b, name, e.variables, names, inputs, outputs,
                         expressions, checks, buffers, e.arenaSize, commands);
}

flatbuffers::Offset<fb::Kernel> encode(Builder &b, const Kernel &kernel) {
  return fb::CreateKernel(b, b.CreateString(kernel.name), kernel.buffers,
                          kernel.scalars, kernel.gridRank);
}

flatbuffers::Offset<fb::Variant> encode(Builder &b, const Variant &variant) {
  auto entries = encodeAll<fb::Entry>(b, variant.entries);
  auto kernels = encodeAll<fb::Kernel>(b, variant.kernels);
  return fb::CreateVariant(b, entries, kernels);
}

flatbuffers::Offset<fb::Target> encode(Builder &b, const Target &target) {
  auto kind = b.CreateString(target.kind);
  auto chip = b.CreateString(target.chip);
  std::vector<fb::KernelLaunch> launchStructs;
  for (const KernelLaunch &launch : target.launches)
    launchStructs.emplace_back(launch.threads, launch.sharedBytes);
  auto launches = b.CreateVectorOfStructs(launchStructs);
  auto triple = b.CreateString(target.triple);
  auto cpu = b.CreateString(target.cpu);
  auto features = b.CreateVectorOfStrings(target.features);
  auto image = b.CreateVector(target.image, target.imageBytes);
  return fb::CreateTarget(b, kind, target.variant, chip,
                          fb::ImageFormat(target.format), launches, triple, cpu,
                          features, image);
}

} // namespace

std::string test::encode(const Program &program) {
  Builder b;
  auto producer = b.CreateString(program.producer);
  flatbuffers::Offset<fb::Model> model = 0;
  if (program.hasModel) {
    auto fingerprint = b.CreateString(program.model.fingerprint);
    auto config = b.CreateString(program.model.config);
    model =
        fb::CreateModel(b, fingerprint, config, program.model.vocabSize,
                        program.model.segmentLength,
                        program.model.maxTokensPerCall, program.model.layers);
  }
  auto variants = encodeAll<fb::Variant>(b, program.variants);
  auto targets = encodeAll<fb::Target>(b, program.targets);
  fb::FinishPackageBuffer(
      b, fb::CreatePackage(b, producer, 0, model, variants, targets));
  return std::string(reinterpret_cast<const char *>(b.GetBufferPointer()),
                     b.GetSize());
}

std::string test::packageFile(const Program &program) {
  std::string payload = encode(program);
  return makePackageFile(payload.data(), payload.size());
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

std::string test::readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void test::writeFile(const std::string &path, const std::string &bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

TemporaryFolder::TemporaryFolder() {
  path = testing::TempDir() + "infini-XXXXXX";
  EXPECT_NE(mkdtemp(path.data()), nullptr);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

const std::string &test::kernelImage(const std::string &kind) {
  static std::map<std::string, std::string> images;
  auto [position, isNew] = images.try_emplace(kind);
  if (isNew)
    position->second =
        readFile(INFINI_TEST_KERNELS_FOLDER "/kernels-" + kind + ".so");
  return position->second;
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

uint32_t test::constant(Entry &entry, int64_t value) {
  entry.expressions.push_back({{{ExpressionOp::constant, value}}});
  return uint32_t(entry.expressions.size() - 1);
}

uint32_t test::variable(Entry &entry, uint32_t index) {
  entry.expressions.push_back({{{ExpressionOp::variable, index}}});
  return uint32_t(entry.expressions.size() - 1);
}

uint32_t test::apply(Entry &entry, ExpressionOp op, uint32_t left,
                     uint32_t right) {
  Expression result = entry.expressions[left];
  const Expression &other = entry.expressions[right];
  result.nodes.insert(result.nodes.end(), other.nodes.begin(),
                      other.nodes.end());
  result.nodes.push_back({op, 0});
  entry.expressions.push_back(result);
  return uint32_t(entry.expressions.size() - 1);
}

Port test::tensorPort(const std::string &name, PortKind kind,
                      ElementType element, std::vector<Dim> dims,
                      int32_t buffer) {
  return {name, kind, element, std::move(dims), {}, -1, -1, buffer};
}

Port test::outputPort(const std::string &name, PortKind kind,
                      ElementType element, std::vector<uint32_t> shape,
                      int32_t buffer) {
  return {name, kind, element, {}, std::move(shape), -1, -1, buffer};
}

Program test::emptyProgram() {
  Program program;
  program.producer = "test";
  program.variants.resize(1);
  program.variants[0].kernels = {{"test_add", 3, 1, 1},
                                 {"test_exp_id", 1, 0, 3},
                                 {"test_hungry", 1, 1, 1},
                                 {"test_text", 3, 3, 0}};
  const std::string &image = kernelImage();
  Target target = {};
  target.kind = "cpu";
  target.triple = hostArchitecture() + "-unknown-linux-gnu";
  target.image = reinterpret_cast<const uint8_t *>(image.data());
  target.imageBytes = image.size();
  program.targets.push_back(target);
  return program;
}

Program test::addProgram() {
  Program program = emptyProgram();
  Entry entry = {};
  entry.name = "main";
  entry.variables = 1;
  entry.variableNames = {"n"};
  uint32_t n = variable(entry, 0);
  uint32_t bytes = apply(entry, ExpressionOp::mul, n, constant(entry, 4));
  uint32_t line = constant(entry, 64);
  uint32_t blocks = apply(entry, ExpressionOp::ceildiv, n, line);
  uint32_t arena =
      apply(entry, ExpressionOp::mul,
            apply(entry, ExpressionOp::ceildiv, bytes, line), line);
  entry.inputs = {
      tensorPort("a", PortKind::argument, ElementType::f32, {{0, 0}}, 0),
      tensorPort("b", PortKind::argument, ElementType::f32, {{0, 0}}, 1)};
  entry.outputs = {
      outputPort("sum", PortKind::argument, ElementType::f32, {n}, 2)};
  entry.buffers = {{false, bytes, 0},
                   {false, bytes, 0},
                   {false, bytes, 0},
                   {true, bytes, constant(entry, 0)}};
  entry.arenaSize = arena;
  Command add = {};
  add.kind = CommandKind::dispatch;
  add.label = "add";
  add.kernel = 0;
  add.grid = {blocks};
  add.buffers = {0, 1, 3};
  add.scalars = {n};
  Command copy = {};
  copy.kind = CommandKind::copy;
  copy.buffers = {3, 2};
  copy.bytes = bytes;
  entry.commands = {add, copy};
  program.variants[0].entries.push_back(entry);
  return program;
}

Program test::textProgram(int64_t vocabSize, uint64_t maxTokensPerCall) {
  Program program = emptyProgram();
  program.hasModel = true;
  program.model = {"fingerprint",   "{}", uint32_t(vocabSize), 1, 128,
                   maxTokensPerCall};

  Entry init = {};
  init.name = "main.init";
  uint32_t four = constant(init, 4), sixteen = constant(init, 16),
           one = constant(init, 1);
  init.inputs = {
      tensorPort("w", PortKind::weight, ElementType::f32, {{4, -1}}, 0)};
  init.outputs = {
      outputPort("w2", PortKind::constant, ElementType::f32, {four}, 1)};
  init.buffers = {{false, sixteen, 0}, {false, sixteen, 0}};
  init.arenaSize = constant(init, 0);
  Command twice = {};
  twice.kind = CommandKind::dispatch;
  twice.label = "twice";
  twice.kernel = 0;
  twice.grid = {one};
  twice.buffers = {0, 0, 1};
  twice.scalars = {four};
  init.commands = {twice};
  program.variants[0].entries.push_back(init);

  Entry entry = {};
  entry.name = "main";
  entry.variables = 2;
  entry.variableNames = {"T", "fill"};
  uint32_t T = variable(entry, 0), fill = variable(entry, 1);
  uint32_t V = constant(entry, vocabSize), size = constant(entry, 4);
  uint32_t rowBytes = apply(entry, ExpressionOp::mul, V, size);
  uint32_t logitsBytes = apply(entry, ExpressionOp::mul, T, rowBytes);
  Port fillIn = {"fill", PortKind::state, ElementType::i64, {}, {}, 1, -1, -1};
  Port fillOut = fillIn;
  fillOut.scalarVariable = -1;
  uint32_t tokens = apply(entry, ExpressionOp::add, fill, T);
  fillOut.scalarExpr =
      int32_t(apply(entry, ExpressionOp::mod, tokens,
                    constant(entry, int64_t(program.model.segmentLength))));
  entry.inputs = {
      tensorPort("tokens", PortKind::argument, ElementType::i32, {{0, 0}}, 0),
      tensorPort("counts", PortKind::state, ElementType::f32, {{vocabSize, -1}},
                 1),
      fillIn,
      tensorPort("w2", PortKind::constant, ElementType::f32, {{4, -1}}, 3)};
  entry.outputs = {
      outputPort("logits", PortKind::argument, ElementType::f32, {T, V}, 2),
      outputPort("counts", PortKind::state, ElementType::f32, {V}, 1), fillOut};
  entry.buffers = {{false, apply(entry, ExpressionOp::mul, T, size), 0},
                   {false, rowBytes, 0},
                   {false, logitsBytes, 0},
                   {false, constant(entry, 16), 0}};
  entry.arenaSize = constant(entry, 0);
  entry.checks = {{T, constant(entry, int64_t(maxTokensPerCall)),
                   Relation::atMost, "too many tokens in a call"}};
  Command step = {};
  step.kind = CommandKind::dispatch;
  step.label = "step";
  step.kernel = 3;
  step.buffers = {0, 1, 2};
  step.scalars = {T, fill, V};
  entry.commands = {step};
  program.variants[0].entries.push_back(entry);
  return program;
}

std::string test::textWeights() {
  std::string header =
      "{\"w\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  std::string file(8, 0);
  for (int i = 0; i < 8; ++i)
    file[size_t(i)] = char(header.size() >> (8 * i));
  file += header;
  float values[4] = {1, 2, 3, 4};
  return file.append(reinterpret_cast<const char *>(values), sizeof values);
}
