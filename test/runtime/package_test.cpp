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
  program.variants[0].kernels.clear();
  program.targets[0].imageBytes = 0;
  auto &commands = program.variants[0].entries[0].commands;
  commands.erase(commands.begin());
  return program;
}

/// addProgram for a GPU too: its variant writes the length in another way, and
/// has the kernels in another order.
Program twoVariants() {
  static const std::string ptx = ".version 7.1\n.target sm_80\n";
  Program program = addProgram();
  Variant variant = program.variants[0];
  std::swap(variant.kernels[0], variant.kernels[1]);
  Entry &entry = variant.entries[0];
  entry.commands[0].kernel = 1;
  entry.outputs[0].shape[0] =
      apply(entry, ExpressionOp::add, variable(entry, 0), constant(entry, 0));
  program.variants.push_back(variant);
  Target target = {};
  target.kind = "nvidia";
  target.variant = 1;
  target.chip = "sm_80";
  target.format = ImageFormat::ptx;
  target.launches.assign(4, {128, 1 << 10});
  target.image = reinterpret_cast<const uint8_t *>(ptx.data());
  target.imageBytes = ptx.size();
  program.targets.push_back(target);
  return program;
}

/// The same without the host's image.
Program smallGpuProgram() {
  Program program = twoVariants();
  program.targets.erase(program.targets.begin());
  return program;
}

TEST(Package, Opens) {
  for (const Program &program :
       {smallProgram(), addProgram(), textProgram(), twoVariants()}) {
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
  ASSERT_EQ(program.variants.size(), 1u);
  const Variant &variant = program.variants[0];
  ASSERT_EQ(variant.entries.size(), 2u);
  EXPECT_EQ(variant.entries[1].inputs[2].name, "fill");
  EXPECT_EQ(variant.kernels[3].scalars, 3u);
  const Entry *entry;
  EXPECT_FALSE(package->selectEntry("", 0, entry));
  EXPECT_EQ(entry->name, "main");
  Status status = package->selectEntry("mian", 0, entry);
  EXPECT_EQ(status.message(),
            "the package has no entry 'mian'; it has: 'main'");
}

TEST(Package, WritingIsDeterministic) {
  EXPECT_EQ(packageFile(textProgram()), packageFile(textProgram()));
}

TEST(Package, EveryTruncationIsRefused) {
  for (const Program &program : {smallProgram(), smallGpuProgram()}) {
    std::string bytes = packageFile(program);
    for (size_t size = 0; size < bytes.size(); ++size)
      EXPECT_EQ(open(bytes.substr(0, size)).code(), INFINI_DATA_ERROR) << size;
    EXPECT_EQ(open(bytes + '\0').code(), INFINI_DATA_ERROR);
  }
}

TEST(Package, EveryBitFlipIsRefused) {
  for (const Program &program : {smallProgram(), smallGpuProgram()}) {
    std::string bytes = packageFile(program);
    for (size_t i = 0; i < bytes.size(); ++i)
      for (int bit = 0; bit < 8; ++bit) {
        bytes[i] ^= char(1 << bit);
        EXPECT_EQ(open(bytes).code(), INFINI_DATA_ERROR) << i << " " << bit;
        bytes[i] ^= char(1 << bit);
      }
  }
}

TEST(Package, OtherVersionsAreNamed) {
  std::string bytes = packageFile(smallProgram());
  bytes[8] = 77;
  EXPECT_NE(open(bytes).message().find(
                "format version 77, this runtime reads version 3"),
            std::string::npos);
}

/// Random damage under checksums that fit: no crash, whatever the verdict.
TEST(Package, DamageWithRightChecksumsDoesNotCrash) {
  for (const Program &program : {smallProgram(), smallGpuProgram()}) {
    std::string payload = encode(program);
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
}

/// A program, and what its first variant has.
struct Parts {
  explicit Parts(Program &program)
      : program(program), entries(program.variants[0].entries),
        kernels(program.variants[0].kernels), targets(program.targets),
        model(program.model) {}
  Program &program;
  std::vector<Entry> &entries;
  std::vector<Kernel> &kernels;
  std::vector<Target> &targets;
  Model &model;
};

struct Mutation {
  const char *message;
  std::function<void(Parts)> change;
};

void check(Program (*make)(), const Mutation &mutation) {
  Program program = make();
  mutation.change(Parts(program));
  Status status = open(packageFile(program));
  EXPECT_EQ(status.code(), INFINI_DATA_ERROR) << mutation.message;
  EXPECT_NE(status.message().find(mutation.message), std::string::npos)
      << "expected: " << mutation.message << "\n     got: " << status.message();
}

Program add() { return addProgram(); }
Program model() { return textProgram(); }

TEST(Package, Names) {
  check(add, {"has no producer", [](Parts p) { p.program.producer = ""; }});
  check(add, {"an entry has no name", [](Parts p) { p.entries[0].name = ""; }});
  check(add, {"two entries have the name 'main'",
              [](Parts p) { p.entries.push_back(p.entries[0]); }});
  check(add, {"has no entries", [](Parts p) { p.entries.clear(); }});
  check(add,
        {"has no name", [](Parts p) { p.entries[0].inputs[0].name = ""; }});
  check(add, {"another input has this name",
              [](Parts p) { p.entries[0].inputs[0].name = "b"; }});
  check(model, {"another output has this name",
                [](Parts p) { p.entries[1].outputs[0].name = "counts"; }});
  check(add, {"a kernel has no name", [](Parts p) { p.kernels[0].name = ""; }});
  check(add, {"two kernels have the name 'test_add'",
              [](Parts p) { p.kernels[1].name = "test_add"; }});
  check(model, {"the model takes 0 tokens a call",
                [](Parts p) { p.model.maxTokensPerCall = 0; }});
}

TEST(Package, Enumerations) {
  check(add, {"unknown element type 9", [](Parts p) {
                p.entries[0].inputs[0].element = ElementType(9);
              }});
  check(add, {"unknown port kind 4",
              [](Parts p) { p.entries[0].inputs[0].kind = PortKind(4); }});
  check(add, {"unknown command kind 5",
              [](Parts p) { p.entries[0].commands[0].kind = CommandKind(5); }});
  check(add, {"unknown expression operation 9", [](Parts p) {
                p.entries[0].expressions[0].nodes[0].op = ExpressionOp(9);
              }});
  check(model, {"unknown relation 3", [](Parts p) {
                  p.entries[1].checks[0].relation = Relation(3);
                }});
}

TEST(Package, Expressions) {
  check(add, {"expression 0 reads variable 1", [](Parts p) {
                p.entries[0].expressions[0].nodes[0].operand = 1;
              }});
  check(add, {"expression 0 is empty",
              [](Parts p) { p.entries[0].expressions[0].nodes.clear(); }});
  check(add,
        {"pops from an empty stack", [](Parts p) {
           p.entries[0].expressions[0].nodes.push_back({ExpressionOp::add, 0});
         }});
  check(add, {"leaves 2 values", [](Parts p) {
                p.entries[0].expressions[0].nodes.push_back(
                    {ExpressionOp::constant, 0});
              }});
  check(add, {"the arena names expression 999",
              [](Parts p) { p.entries[0].arenaSize = 999; }});
  check(add, {"its size names expression 999",
              [](Parts p) { p.entries[0].buffers[3].size = 999; }});
  check(add, {"its offset names expression 999",
              [](Parts p) { p.entries[0].buffers[3].offset = 999; }});
  check(add, {"its shape names expression 999",
              [](Parts p) { p.entries[0].outputs[0].shape[0] = 999; }});
  check(model, {"a check names expression 999",
                [](Parts p) { p.entries[1].checks[0].left = 999; }});
  check(model, {"its value names expression 999",
                [](Parts p) { p.entries[1].outputs[2].scalarExpr = 999; }});
  check(add, {"a grid extent names expression 999",
              [](Parts p) { p.entries[0].commands[0].grid[0] = 999; }});
  check(add, {"a scalar names expression 999",
              [](Parts p) { p.entries[0].commands[0].scalars[0] = 999; }});
  check(add, {"the number of bytes names expression 999",
              [](Parts p) { p.entries[0].commands[1].bytes = 999; }});
}

TEST(Package, Variables) {
  check(add, {"binds variable 7",
              [](Parts p) { p.entries[0].inputs[0].dims[0].variable = 7; }});
  check(add, {"binds variable -2",
              [](Parts p) { p.entries[0].inputs[0].dims[0].variable = -2; }});
  check(add, {"has the dimension -1", [](Parts p) {
                p.entries[0].inputs[0].dims[0] = {-1, -1};
              }});
  check(add, {"reads variable 'n' which no input binds", [](Parts p) {
                p.entries[0].inputs[0].dims[0] = {5, -1};
                p.entries[0].inputs[1].dims[0] = {5, -1};
              }});
  check(add, {"expected at most",
              [](Parts p) { p.entries[0].variables = 0xffffffff; }});
  check(model, {"binds variable 9",
                [](Parts p) { p.entries[1].inputs[2].scalarVariable = 9; }});
  // A loop's counter outside of the loop.
  check(add, {"which neither an input nor a loop around it binds", [](Parts p) {
                Entry &e = p.entries[0];
                e.variables = 2;
                e.commands[0].scalars[0] = variable(e, 1);
              }});
  check(add, {"its size reads variable", [](Parts p) {
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
        {"counts in variable 'n' which an input binds already", [](Parts p) {
           Entry &e = p.entries[0];
           e.commands.push_back(loopOver(e, 0));
         }});
  check(add, {"counts in variable 1, expected one of 1", [](Parts p) {
                Entry &e = p.entries[0];
                e.commands.push_back(loopOver(e, 1));
              }});
  check(add, {"which a loop around it binds already", [](Parts p) {
                Entry &e = p.entries[0];
                e.variables = 2;
                Command outer = loopOver(e, 1);
                outer.body.push_back(loopOver(e, 1));
                e.commands.push_back(outer);
              }});
  check(add, {"nested more than 8 deep", [](Parts p) {
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
  check(add, {"the trip count names expression 999", [](Parts p) {
                Entry &e = p.entries[0];
                e.variables = 2;
                Command loop = loopOver(e, 1);
                loop.tripCount = 999;
                e.commands.push_back(loop);
              }});
}

TEST(Package, Ports) {
  check(add, {"names an expression",
              [](Parts p) { p.entries[0].inputs[0].scalarExpr = 0; }});
  check(add, {"names a variable to bind",
              [](Parts p) { p.entries[0].outputs[0].scalarVariable = 0; }});
  check(add,
        {"got neither", [](Parts p) { p.entries[0].inputs[0].buffer = -1; }});
  check(add, {"got both",
              [](Parts p) { p.entries[0].inputs[0].scalarVariable = 0; }});
  check(model, {"is a scalar, expected i64 of rank 0", [](Parts p) {
                  p.entries[1].inputs[2].element = ElementType::i32;
                }});
  check(add, {"more than 16 dimensions", [](Parts p) {
                p.entries[0].inputs[0].dims.resize(17, {1, -1});
              }});
  check(add, {"does not fit 64 bits", [](Parts p) {
                p.entries[0].inputs[0].dims.resize(9, {1 << 30, -1});
              }});
  check(add, {"has shape expressions",
              [](Parts p) { p.entries[0].inputs[0].shape = {0}; }});
  check(add, {"has dimensions, expected shape", [](Parts p) {
                p.entries[0].outputs[0].dims = {{1, -1}};
              }});
  check(add, {"is a weight, expected an argument", [](Parts p) {
                p.entries[0].outputs[0].kind = PortKind::weight;
              }});
  check(model, {"expected static dimensions", [](Parts p) {
                  p.entries[1].inputs[1].dims[0] = {0, 0};
                }});
  check(model, {"is a state that no input has",
                [](Parts p) { p.entries[1].outputs[1].name = "other"; }});
  check(model, {"differs from the input of this name", [](Parts p) {
                  p.entries[1].outputs[1].element = ElementType::i32;
                }});
  check(model, {"differs from the input of this name",
                [](Parts p) { p.entries[1].outputs[1].buffer = 0; }});
  check(model, {"is a weight, expected a tensor", [](Parts p) {
                  p.entries[1].inputs[2].kind = PortKind::weight;
                }});
}

TEST(Package, Buffers) {
  check(add, {"names buffer 99",
              [](Parts p) { p.entries[0].inputs[0].buffer = 99; }});
  check(add, {"names buffer 99",
              [](Parts p) { p.entries[0].commands[0].buffers[0] = 99; }});
  check(add, {"lies in arena buffer 3",
              [](Parts p) { p.entries[0].inputs[0].buffer = 3; }});
  check(add, {"belongs to 2 inputs and 0 outputs",
              [](Parts p) { p.entries[0].inputs[1].buffer = 0; }});
  check(add, {"belongs to 0 inputs and 0 outputs", [](Parts p) {
                p.entries[0].buffers.push_back({false, 0, 0});
              }});
  check(add, {"belongs to 1 inputs and 1 outputs",
              [](Parts p) { p.entries[0].outputs[0].buffer = 1; }});
}

TEST(Package, Commands) {
  check(add, {"names kernel 9",
              [](Parts p) { p.entries[0].commands[0].kernel = 9; }});
  check(add, {"expected 3 buffers, got 2",
              [](Parts p) { p.entries[0].commands[0].buffers.pop_back(); }});
  check(add, {"expected 1 scalars, got 0",
              [](Parts p) { p.entries[0].commands[0].scalars.clear(); }});
  check(add, {"expected 1 grid extents, got 0",
              [](Parts p) { p.entries[0].commands[0].grid.clear(); }});
  check(add, {"a dispatch of 'add'",
              [](Parts p) { p.entries[0].commands[0].grid.clear(); }});
  check(add, {"expected 2 buffers, got 1",
              [](Parts p) { p.entries[0].commands[1].buffers.pop_back(); }});
  check(add, {"writes the buffer of the input 'a'", [](Parts p) {
                p.entries[0].commands[1].buffers = {3, 0};
              }});
  auto toFill = [](Parts p) -> Command & {
    Command &c = p.entries[0].commands[1];
    c.kind = CommandKind::fill;
    c.buffers = {2};
    c.patternBytes = 4;
    return c;
  };
  check(add, {"expected a pattern of 1, 2, 4 or 8 bytes, got 3",
              [&](Parts p) { toFill(p).patternBytes = 3; }});
  check(add, {"expected 1 buffer, got 0",
              [&](Parts p) { toFill(p).buffers.clear(); }});
  check(add, {"writes the buffer of the input 'b'",
              [&](Parts p) { toFill(p).buffers = {1}; }});
  auto toGemm = [](Parts p) -> Command & {
    Command &c = p.entries[0].commands[1];
    c.kind = CommandKind::gemm;
    c.buffers = {0, 1, 2};
    c.m = c.n = c.k = constant(p.entries[0], 0);
    return c;
  };
  check(add, {"expected elements f32 or f64, got bf16",
              [&](Parts p) { toGemm(p).element = ElementType::bf16; }});
  check(add, {"expected 3 buffers, got 2",
              [&](Parts p) { toGemm(p).buffers.pop_back(); }});
  check(add, {"the result in a buffer of its own", [&](Parts p) {
                toGemm(p).buffers = {2, 1, 2};
              }});
  check(add, {"writes the buffer of the input 'b'", [&](Parts p) {
                toGemm(p).buffers = {0, 2, 1};
              }});
  check(add, {"k names expression 999", [&](Parts p) { toGemm(p).k = 999; }});
  Program good = add();
  toGemm(Parts(good));
  EXPECT_FALSE(open(packageFile(good)));
}

TEST(Package, Constants) {
  check(model, {"there is no entry 'main.init'",
                [](Parts p) { p.entries[0].name = "other"; }});
  check(model, {"entry 'main.init' does not compute it",
                [](Parts p) { p.entries[0].outputs[0].name = "w3"; }});
  check(model, {"with another type or rank", [](Parts p) {
                  p.entries[0].outputs[0].element = ElementType::f64;
                }});
  check(model, {"expected a constant", [](Parts p) {
                  p.entries[0].outputs[0].kind = PortKind::argument;
                }});
  check(model, {"expected weights only", [](Parts p) {
                  p.entries[0].inputs[0].kind = PortKind::argument;
                }});
}

TEST(Package, KernelsAndTargets) {
  check(add, {"grid of rank 4", [](Parts p) { p.kernels[0].gridRank = 4; }});
  check(add, {"expected at most 1024 of each",
              [](Parts p) { p.kernels[0].buffers = 1025; }});
  check(add, {"has no targets", [](Parts p) { p.targets.clear(); }});
  check(add, {"has no kind", [](Parts p) { p.targets[0].kind = ""; }});
  check(add, {"has no triple", [](Parts p) { p.targets[0].triple = ""; }});
  check(add, {"does not define the kernel 'test_missing'",
              [](Parts p) { p.kernels[0].name = "test_missing"; }});
  check(add,
        {"is not an ELF file", [](Parts p) { p.targets[0].imageBytes = 0; }});
  check(add, {"names variant 1, expected one of 1",
              [](Parts p) { p.targets[0].variant = 1; }});
  check(add, {"unknown image format 3",
              [](Parts p) { p.targets[0].format = ImageFormat(3); }});
  check(add, {"expected an image of the format elf, got ptx",
              [](Parts p) { p.targets[0].format = ImageFormat::ptx; }});
  check(add, {"expected 0 launches for 4 kernels, got 1", [](Parts p) {
                p.targets[0].launches = {{1, 0}};
              }});
}

Program gpu() { return twoVariants(); }

TEST(Package, TargetsOfGpus) {
  check(gpu, {"target 1, 'nvidia': has no chip",
              [](Parts p) { p.targets[1].chip = ""; }});
  check(gpu, {"expected 4 launches for 4 kernels, got 3",
              [](Parts p) { p.targets[1].launches.pop_back(); }});
  check(gpu, {"kernel 'test_add' has 0 threads a block, expected 1 to 1024",
              [](Parts p) { p.targets[1].launches[1].threads = 0; }});
  check(gpu, {"kernel 'test_exp_id' has 1025 threads",
              [](Parts p) { p.targets[1].launches[0].threads = 1025; }});
  check(gpu, {"has 262145 bytes of shared memory, expected at most 262144",
              [](Parts p) { p.targets[1].launches[3].sharedBytes = 262145; }});
  check(gpu,
        {"has an empty image", [](Parts p) { p.targets[1].imageBytes = 0; }});
  check(gpu, {"expected an image of the format ptx or cubin, got elf",
              [](Parts p) { p.targets[1].format = ImageFormat::elf; }});
  static const char text[] = ".target sm_80\n\0 more";
  check(gpu, {"got a NUL at byte 14 of 20", [](Parts p) {
                p.targets[1].image = reinterpret_cast<const uint8_t *>(text);
                p.targets[1].imageBytes = sizeof text - 1;
              }});
  check(gpu, {"expected a cubin, which is an ELF file",
              [](Parts p) { p.targets[1].format = ImageFormat::cubin; }});
  // The host's ELF file is none.
  check(gpu, {"expected a cubin, an ELF file for machine 190", [](Parts p) {
                p.targets[1].format = ImageFormat::cubin;
                p.targets[1].image = p.targets[0].image;
                p.targets[1].imageBytes = p.targets[0].imageBytes;
              }});
  // A simulated GPU's code is the host's.
  auto simulated = [](Parts p) -> Target & {
    p.targets[1].kind = "sim";
    p.targets[1].format = ImageFormat::elf;
    p.targets[1].triple = p.targets[0].triple;
    p.targets[1].image = p.targets[0].image;
    p.targets[1].imageBytes = p.targets[0].imageBytes;
    return p.targets[1];
  };
  Program good = twoVariants();
  simulated(Parts(good));
  EXPECT_FALSE(open(packageFile(good)));
  check(gpu,
        {"'sim': has no triple", [&](Parts p) { simulated(p).triple = ""; }});
  check(gpu, {"'sim': has no chip", [&](Parts p) { simulated(p).chip = ""; }});
  check(gpu, {"is not an ELF file", [&](Parts p) {
                Target &target = simulated(p);
                target.image += 8;
                target.imageBytes -= 8;
              }});
  check(gpu, {"expected 4 launches",
              [&](Parts p) { simulated(p).launches.clear(); }});
  check(gpu, {"elf, got cubin",
              [&](Parts p) { simulated(p).format = ImageFormat::cubin; }});
  // Kinds that are not known here may be what they like.
  Program other = twoVariants();
  other.targets[1].kind = "abacus";
  other.targets[1].chip = "";
  other.targets[1].launches.clear();
  EXPECT_FALSE(open(packageFile(other)));
}

/// A session may use any variant: what it sees must be the same.
TEST(Package, VariantsMustAgree) {
  auto second = [](Parts p) -> Entry & {
    return p.program.variants[1].entries[0];
  };
  check(add, {"has no variants", [](Parts p) { p.program.variants.clear(); }});
  check(gpu, {"variant 1: has no entries",
              [](Parts p) { p.program.variants[1].entries.clear(); }});
  check(gpu, {"variant 1: entry 'main': command 0, a dispatch of 'add': names "
              "kernel 9",
              [&](Parts p) { second(p).commands[0].kernel = 9; }});
  check(gpu, {"variant 1: entry 'other': variant 0 has no entry of this name",
              [&](Parts p) { second(p).name = "other"; }});
  check(gpu, {"variant 1 has 2 entries, variant 0 has 1", [&](Parts p) {
                Entry more = second(p);
                more.name = "more";
                p.program.variants[1].entries.push_back(more);
              }});
  check(gpu, {"input 1 is 'c', that of variant 0 is 'b'",
              [&](Parts p) { second(p).inputs[1].name = "c"; }});
  check(gpu,
        {"input 'a' is argument f16 [n], that of variant 0 is argument "
         "f32 [n]",
         [&](Parts p) { second(p).inputs[0].element = ElementType::f16; }});
  // Weights are each variant's own affair, so this is an argument less.
  check(gpu, {"entry 'main': has 1 inputs, that of variant 0 has 2",
              [&](Parts p) { second(p).inputs[1].kind = PortKind::weight; }});
  check(gpu, {"input 'b' is argument f32 [7]", [&](Parts p) {
                second(p).inputs[1].dims[0] = {7, -1};
              }});
  check(gpu, {"input 'b' is argument f32 [m]", [&](Parts p) {
                second(p).variables = 2;
                second(p).variableNames.push_back("m");
                second(p).inputs[1].dims[0].variable = 1;
              }});
  check(gpu, {"output 'sum' is argument f64 of rank 1", [&](Parts p) {
                second(p).outputs[0].element = ElementType::f64;
              }});
  check(gpu, {"output 'sum' is argument f32 of rank 2",
              [&](Parts p) { second(p).outputs[0].shape.push_back(0); }});
  check(gpu, {"has 3 inputs, that of variant 0 has 2", [&](Parts p) {
                Entry &entry = second(p);
                Port port = {
                    "n", PortKind::argument, ElementType::i64, {}, {}, 0, -1,
                    -1};
                entry.inputs.push_back(port);
              }});
  // Numbers of variables are each variant's own.
  Program good = twoVariants();
  Entry &entry = good.variants[1].entries[0];
  entry.variables = 2;
  entry.variableNames = {"unused", "n"};
  for (Port &port : entry.inputs)
    port.dims[0].variable = 1;
  for (Expression &expression : entry.expressions)
    for (ExpressionNode &node : expression.nodes)
      if (node.op == ExpressionOp::variable)
        node.operand = 1;
  Status status = open(packageFile(good));
  EXPECT_FALSE(status) << status.message();
}

} // namespace
