// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every damage is refused: by the checksums whatever it is, and by the checks
// behind them when somebody makes the checksums fit.

#include "infini/runtime/package_file.h"
#include "test_package.h"

#include <functional>
#include <gtest/gtest.h>
#include <random>

using namespace infini;
using namespace infini::test;

namespace {

Status open(const std::string &bytes) {
  std::shared_ptr<const Package> package;
  Status status = Package::fromMemory(bytes.data(), bytes.size(), package);
  EXPECT_EQ(bool(status), !package);
  return status;
}

/// A small package without kernels, so that all of it can be flipped.
Program smallProgram() {
  Program program = addProgram();
  program.kernels.clear();
  program.targets[0].imageBytes = 0;
  program.entries[0].commands.erase(program.entries[0].commands.begin());
  return program;
}

TEST(Package, Opens) {
  for (const Program &program : {smallProgram(), addProgram(), textProgram()}) {
    Status status = open(packageFile(program));
    EXPECT_FALSE(status) << status.message();
  }
}

TEST(Package, DecodesWhatWasWritten) {
  std::string bytes = packageFile(textProgram());
  std::shared_ptr<const Package> package;
  ASSERT_FALSE(Package::fromMemory(bytes.data(), bytes.size(), package));
  const Program &program = package->program();
  EXPECT_EQ(program.model.vocabSize, 256u);
  EXPECT_EQ(program.model.segmentLength, 128u);
  EXPECT_EQ(program.model.maxTokensPerCall, 16u);
  ASSERT_EQ(program.entries.size(), 2u);
  EXPECT_EQ(program.entries[1].inputs[2].name, "fill");
  EXPECT_EQ(program.kernels[3].scalars, 3u);
  const Entry *entry;
  EXPECT_FALSE(package->selectEntry("", entry));
  EXPECT_EQ(entry->name, "main");
  Status status = package->selectEntry("mian", entry);
  EXPECT_EQ(status.message(),
            "the package has no entry 'mian'; it has: 'main'");
}

TEST(Package, WritingIsDeterministic) {
  EXPECT_EQ(packageFile(textProgram()), packageFile(textProgram()));
}

TEST(Package, EveryTruncationIsRefused) {
  std::string bytes = packageFile(smallProgram());
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(open(bytes.substr(0, size)).code(), INFINI_DATA_ERROR) << size;
  EXPECT_EQ(open(bytes + '\0').code(), INFINI_DATA_ERROR);
}

TEST(Package, EveryBitFlipIsRefused) {
  std::string bytes = packageFile(smallProgram());
  for (size_t i = 0; i < bytes.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] ^= char(1 << bit);
      EXPECT_EQ(open(bytes).code(), INFINI_DATA_ERROR) << i << " " << bit;
      bytes[i] ^= char(1 << bit);
    }
}

TEST(Package, OtherVersionsAreNamed) {
  std::string bytes = packageFile(smallProgram());
  bytes[8] = 77;
  EXPECT_NE(open(bytes).message().find(
                "format version 77, this runtime reads version 1"),
            std::string::npos);
}

/// Random damage under checksums that fit: no crash, whatever the verdict.
TEST(Package, DamageWithRightChecksumsDoesNotCrash) {
  std::string payload = encode(smallProgram());
  for (size_t i = 0; i < payload.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = payload;
      damaged[i] ^= char(1 << bit);
      (void)open(makePackageFile(damaged.data(), damaged.size()));
    }
  std::mt19937 random(1);
  for (int round = 0; round < 5000; ++round) {
    std::string damaged = payload;
    for (int i = 0; i < 8; ++i)
      damaged[random() % damaged.size()] = char(random());
    (void)open(makePackageFile(damaged.data(), damaged.size()));
  }
  for (size_t size = 0; size < payload.size(); ++size)
    (void)open(makePackageFile(payload.data(), size));
}

struct Mutation {
  const char *message;
  std::function<void(Program &)> change;
};

void check(Program (*make)(), const Mutation &mutation) {
  Program program = make();
  mutation.change(program);
  Status status = open(packageFile(program));
  EXPECT_EQ(status.code(), INFINI_DATA_ERROR) << mutation.message;
  EXPECT_NE(status.message().find(mutation.message), std::string::npos)
      << "expected: " << mutation.message << "\n     got: " << status.message();
}

Program add() { return addProgram(); }
Program model() { return textProgram(); }

TEST(Package, Names) {
  check(add, {"has no producer", [](Program &p) { p.producer = ""; }});
  check(add,
        {"an entry has no name", [](Program &p) { p.entries[0].name = ""; }});
  check(add, {"two entries have the name 'main'",
              [](Program &p) { p.entries.push_back(p.entries[0]); }});
  check(add, {"has no entries", [](Program &p) { p.entries.clear(); }});
  check(add,
        {"has no name", [](Program &p) { p.entries[0].inputs[0].name = ""; }});
  check(add, {"another input has this name",
              [](Program &p) { p.entries[0].inputs[0].name = "b"; }});
  check(model, {"another output has this name",
                [](Program &p) { p.entries[1].outputs[0].name = "counts"; }});
  check(add,
        {"a kernel has no name", [](Program &p) { p.kernels[0].name = ""; }});
  check(add, {"two kernels have the name 'test_add'",
              [](Program &p) { p.kernels[1].name = "test_add"; }});
  check(model, {"the model takes 0 tokens a call",
                [](Program &p) { p.model.maxTokensPerCall = 0; }});
}

TEST(Package, Enumerations) {
  check(add, {"unknown element type 9", [](Program &p) {
                p.entries[0].inputs[0].element = ElementType(9);
              }});
  check(add, {"unknown port kind 4",
              [](Program &p) { p.entries[0].inputs[0].kind = PortKind(4); }});
  check(add, {"unknown command kind 5", [](Program &p) {
                p.entries[0].commands[0].kind = CommandKind(5);
              }});
  check(add, {"unknown expression operation 9", [](Program &p) {
                p.entries[0].expressions[0].nodes[0].op = ExpressionOp(9);
              }});
  check(model, {"unknown relation 3", [](Program &p) {
                  p.entries[1].checks[0].relation = Relation(3);
                }});
}

TEST(Package, Expressions) {
  check(add, {"expression 0 reads variable 1", [](Program &p) {
                p.entries[0].expressions[0].nodes[0].operand = 1;
              }});
  check(add, {"expression 0 is empty",
              [](Program &p) { p.entries[0].expressions[0].nodes.clear(); }});
  check(add,
        {"pops from an empty stack", [](Program &p) {
           p.entries[0].expressions[0].nodes.push_back({ExpressionOp::add, 0});
         }});
  check(add, {"leaves 2 values", [](Program &p) {
                p.entries[0].expressions[0].nodes.push_back(
                    {ExpressionOp::constant, 0});
              }});
  check(add, {"the arena names expression 999",
              [](Program &p) { p.entries[0].arenaSize = 999; }});
  check(add, {"its size names expression 999",
              [](Program &p) { p.entries[0].buffers[3].size = 999; }});
  check(add, {"its offset names expression 999",
              [](Program &p) { p.entries[0].buffers[3].offset = 999; }});
  check(add, {"its shape names expression 999",
              [](Program &p) { p.entries[0].outputs[0].shape[0] = 999; }});
  check(model, {"a check names expression 999",
                [](Program &p) { p.entries[1].checks[0].left = 999; }});
  check(model, {"its value names expression 999",
                [](Program &p) { p.entries[1].outputs[2].scalarExpr = 999; }});
  check(add, {"a grid extent names expression 999",
              [](Program &p) { p.entries[0].commands[0].grid[0] = 999; }});
  check(add, {"a scalar names expression 999",
              [](Program &p) { p.entries[0].commands[0].scalars[0] = 999; }});
  check(add, {"the number of bytes names expression 999",
              [](Program &p) { p.entries[0].commands[1].bytes = 999; }});
}

TEST(Package, Variables) {
  check(add, {"binds variable 7",
              [](Program &p) { p.entries[0].inputs[0].dims[0].variable = 7; }});
  check(add, {"binds variable -2", [](Program &p) {
                p.entries[0].inputs[0].dims[0].variable = -2;
              }});
  check(add, {"has the dimension -1",
              [](Program &p) { p.entries[0].inputs[0].dims[0] = {-1, -1}; }});
  check(add, {"reads variable 'n' which no input binds", [](Program &p) {
                p.entries[0].inputs[0].dims[0] = {5, -1};
                p.entries[0].inputs[1].dims[0] = {5, -1};
              }});
  check(add, {"expected at most",
              [](Program &p) { p.entries[0].variables = 0xffffffff; }});
  check(model, {"binds variable 9",
                [](Program &p) { p.entries[1].inputs[2].scalarVariable = 9; }});
  // A loop's counter outside of the loop.
  check(add,
        {"which neither an input nor a loop around it binds", [](Program &p) {
           Entry &e = p.entries[0];
           e.variables = 2;
           e.commands[0].scalars[0] = variable(e, 1);
         }});
  check(add, {"its size reads variable", [](Program &p) {
                Entry &e = p.entries[0];
                e.variables = 2;
                e.buffers[3].size = variable(e, 1);
              }});
}

Command loopOver(Entry &entry, uint32_t counter) {
  Command loop = {};
  loop.kind = CommandKind::loop;
  loop.variable = counter;
  loop.tripCount = constant(entry, 2);
  return loop;
}

TEST(Package, Loops) {
  check(add,
        {"counts in variable 'n' which an input binds already", [](Program &p) {
           Entry &e = p.entries[0];
           e.commands.push_back(loopOver(e, 0));
         }});
  check(add, {"counts in variable 1, expected one of 1", [](Program &p) {
                Entry &e = p.entries[0];
                e.commands.push_back(loopOver(e, 1));
              }});
  check(add, {"which a loop around it binds already", [](Program &p) {
                Entry &e = p.entries[0];
                e.variables = 2;
                Command outer = loopOver(e, 1);
                outer.body.push_back(loopOver(e, 1));
                e.commands.push_back(outer);
              }});
  check(add, {"nested more than 8 deep", [](Program &p) {
                Entry &e = p.entries[0];
                e.variables = 11;
                Command nest = loopOver(e, 10);
                for (uint32_t i = 9; i > 0; --i) {
                  Command outer = loopOver(e, i);
                  outer.body.push_back(nest);
                  nest = outer;
                }
                e.commands.push_back(nest);
              }});
  check(add, {"the trip count names expression 999", [](Program &p) {
                Entry &e = p.entries[0];
                e.variables = 2;
                Command loop = loopOver(e, 1);
                loop.tripCount = 999;
                e.commands.push_back(loop);
              }});
}

TEST(Package, Ports) {
  check(add, {"names an expression",
              [](Program &p) { p.entries[0].inputs[0].scalarExpr = 0; }});
  check(add, {"names a variable to bind",
              [](Program &p) { p.entries[0].outputs[0].scalarVariable = 0; }});
  check(add, {"got neither",
              [](Program &p) { p.entries[0].inputs[0].buffer = -1; }});
  check(add, {"got both",
              [](Program &p) { p.entries[0].inputs[0].scalarVariable = 0; }});
  check(model, {"is a scalar, expected i64 of rank 0", [](Program &p) {
                  p.entries[1].inputs[2].element = ElementType::i32;
                }});
  check(add, {"more than 16 dimensions", [](Program &p) {
                p.entries[0].inputs[0].dims.resize(17, {1, -1});
              }});
  check(add, {"does not fit 64 bits", [](Program &p) {
                p.entries[0].inputs[0].dims.resize(9, {1 << 30, -1});
              }});
  check(add, {"has shape expressions",
              [](Program &p) { p.entries[0].inputs[0].shape = {0}; }});
  check(add, {"has dimensions, expected shape",
              [](Program &p) { p.entries[0].outputs[0].dims = {{1, -1}}; }});
  check(add, {"is a weight, expected an argument", [](Program &p) {
                p.entries[0].outputs[0].kind = PortKind::weight;
              }});
  check(model, {"expected static dimensions",
                [](Program &p) { p.entries[1].inputs[1].dims[0] = {0, 0}; }});
  check(model, {"is a state that no input has",
                [](Program &p) { p.entries[1].outputs[1].name = "other"; }});
  check(model, {"differs from the input of this name", [](Program &p) {
                  p.entries[1].outputs[1].element = ElementType::i32;
                }});
  check(model, {"differs from the input of this name",
                [](Program &p) { p.entries[1].outputs[1].buffer = 0; }});
  check(model, {"is a weight, expected a tensor", [](Program &p) {
                  p.entries[1].inputs[2].kind = PortKind::weight;
                }});
}

TEST(Package, Buffers) {
  check(add, {"names buffer 99",
              [](Program &p) { p.entries[0].inputs[0].buffer = 99; }});
  check(add, {"names buffer 99",
              [](Program &p) { p.entries[0].commands[0].buffers[0] = 99; }});
  check(add, {"lies in arena buffer 3",
              [](Program &p) { p.entries[0].inputs[0].buffer = 3; }});
  check(add, {"belongs to 2 inputs and 0 outputs",
              [](Program &p) { p.entries[0].inputs[1].buffer = 0; }});
  check(add, {"belongs to 0 inputs and 0 outputs", [](Program &p) {
                p.entries[0].buffers.push_back({false, 0, 0});
              }});
  check(add, {"belongs to 1 inputs and 1 outputs",
              [](Program &p) { p.entries[0].outputs[0].buffer = 1; }});
}

TEST(Package, Commands) {
  check(add, {"names kernel 9",
              [](Program &p) { p.entries[0].commands[0].kernel = 9; }});
  check(add, {"expected 3 buffers, got 2",
              [](Program &p) { p.entries[0].commands[0].buffers.pop_back(); }});
  check(add, {"expected 1 scalars, got 0",
              [](Program &p) { p.entries[0].commands[0].scalars.clear(); }});
  check(add, {"expected 1 grid extents, got 0",
              [](Program &p) { p.entries[0].commands[0].grid.clear(); }});
  check(add, {"a dispatch of 'add'",
              [](Program &p) { p.entries[0].commands[0].grid.clear(); }});
  check(add, {"expected 2 buffers, got 1",
              [](Program &p) { p.entries[0].commands[1].buffers.pop_back(); }});
  check(add, {"writes the buffer of the input 'a'",
              [](Program &p) { p.entries[0].commands[1].buffers = {3, 0}; }});
  auto toFill = [](Program &p) -> Command & {
    Command &c = p.entries[0].commands[1];
    c.kind = CommandKind::fill;
    c.buffers = {2};
    c.patternBytes = 4;
    return c;
  };
  check(add, {"expected a pattern of 1, 2, 4 or 8 bytes, got 3",
              [&](Program &p) { toFill(p).patternBytes = 3; }});
  check(add, {"expected 1 buffer, got 0",
              [&](Program &p) { toFill(p).buffers.clear(); }});
  check(add, {"writes the buffer of the input 'b'",
              [&](Program &p) { toFill(p).buffers = {1}; }});
  auto toGemm = [](Program &p) -> Command & {
    Command &c = p.entries[0].commands[1];
    c.kind = CommandKind::gemm;
    c.buffers = {0, 1, 2};
    c.m = c.n = c.k = constant(p.entries[0], 0);
    return c;
  };
  check(add, {"expected elements f32 or f64, got bf16",
              [&](Program &p) { toGemm(p).element = ElementType::bf16; }});
  check(add, {"expected 3 buffers, got 2",
              [&](Program &p) { toGemm(p).buffers.pop_back(); }});
  check(add, {"the result in a buffer of its own",
              [&](Program &p) { toGemm(p).buffers = {2, 1, 2}; }});
  check(add, {"writes the buffer of the input 'b'",
              [&](Program &p) { toGemm(p).buffers = {0, 2, 1}; }});
  check(add,
        {"k names expression 999", [&](Program &p) { toGemm(p).k = 999; }});
  Program good = add();
  toGemm(good);
  EXPECT_FALSE(open(packageFile(good)));
}

TEST(Package, Constants) {
  check(model, {"there is no entry 'main.init'",
                [](Program &p) { p.entries[0].name = "other"; }});
  check(model, {"entry 'main.init' does not compute it",
                [](Program &p) { p.entries[0].outputs[0].name = "w3"; }});
  check(model, {"with another type or rank", [](Program &p) {
                  p.entries[0].outputs[0].element = ElementType::f64;
                }});
  check(model, {"expected a constant", [](Program &p) {
                  p.entries[0].outputs[0].kind = PortKind::argument;
                }});
  check(model, {"expected weights only", [](Program &p) {
                  p.entries[0].inputs[0].kind = PortKind::argument;
                }});
}

TEST(Package, KernelsAndTargets) {
  check(add, {"grid of rank 4", [](Program &p) { p.kernels[0].gridRank = 4; }});
  check(add, {"expected at most 1024 of each",
              [](Program &p) { p.kernels[0].buffers = 1025; }});
  check(add, {"has no targets", [](Program &p) { p.targets.clear(); }});
  check(add, {"has no kind", [](Program &p) { p.targets[0].kind = ""; }});
  check(add, {"has no triple", [](Program &p) { p.targets[0].triple = ""; }});
  check(add, {"does not define the kernel 'test_missing'",
              [](Program &p) { p.kernels[0].name = "test_missing"; }});
  check(add, {"is not an ELF file",
              [](Program &p) { p.targets[0].imageBytes = 0; }});
}

} // namespace
