// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What infini-inspect says of packages made by hand; test/tools/infini-inspect
// has the compiler's.

#include "infini/runtime/cli/describe.h"
#include "infini/runtime/cli/kernel_code.h"
#include "test_package.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

using namespace infini;
using namespace infini::cli;
using namespace infini::test;

namespace {

Json describe(const Program &program) {
  std::string file = packageFile(program);
  std::shared_ptr<const Package> package;
  Status status = Package::fromMemory(file.data(), file.size(), package);
  EXPECT_FALSE(status) << status.message();
  return describePackage("hand.infini", *package);
}

/// With apostrophes for quotation marks.
Json json(std::string text) {
  std::replace(text.begin(), text.end(), '\'', '"');
  return Json::parse(text);
}

/// addProgram with one of each command that it lacks, in a loop.
Program everyCommand() {
  Program program = addProgram();
  Entry &entry = program.variants[0].entries[0];
  entry.variables = 2;
  entry.variableNames = {"n", "i"};
  uint32_t four = constant(entry, 4), one = constant(entry, 1);
  Command gemm = {};
  gemm.kind = CommandKind::gemm;
  gemm.buffers = {0, 1, 3};
  gemm.m = gemm.k = one;
  gemm.n = variable(entry, 0);
  gemm.transposeB = gemm.accumulate = true;
  Command fill = {};
  fill.kind = CommandKind::fill;
  fill.buffers = {3};
  fill.bytes = four;
  fill.pattern = 255;
  fill.patternBytes = 4;
  Command loop = {};
  loop.kind = CommandKind::loop;
  loop.variable = 1;
  loop.tripCount = four;
  loop.body = {fill, entry.commands[0], gemm};
  entry.commands.push_back(loop);
  return program;
}

TEST(Inspect, Json) {
  Json found = describe(textProgram());
  EXPECT_EQ(found["file"], "hand.infini");
  EXPECT_EQ(found["producer"], "test");
  EXPECT_EQ(found["bytes"], packageFile(textProgram()).size());
  EXPECT_EQ(found["model"]["vocab_size"], 256);
  EXPECT_EQ(found["model"]["config"], Json::object());
  EXPECT_EQ(found["targets"][0]["name"], "cpu");
  EXPECT_EQ(found["targets"][0]["image_bytes"], kernelImage().size());
  EXPECT_GT(found["targets"][0]["kernels"][0]["code_bytes"], 0);
  Json kernel = found["variants"][0]["kernels"][3];
  EXPECT_EQ(kernel["name"], "test_text");
  EXPECT_EQ(kernel["dispatches"], 1);
  EXPECT_EQ(kernel["grids"], json("[[]]"));
  EXPECT_EQ(found["variants"][0]["kernels"][1]["dispatches"], 0);
  Json entry = found["variants"][0]["entries"][1];
  EXPECT_EQ(entry["variables"], json("['T', 'fill']"));
  EXPECT_EQ(entry["loop_variables"], Json::array());
  EXPECT_EQ(entry["inputs"][0],
            json("{'name': 'tokens', 'kind': 'argument', 'element': 'i32', "
                 "'shape': ['T'], 'bytes': '(T * 4)', 'buffer': 0 }"));
  EXPECT_EQ(entry["outputs"][2],
            json("{'name': 'fill', 'kind': 'state', 'element': 'i64', "
                 "'scalar': 'mod((fill + T), 128)'}"));
  EXPECT_EQ(entry["state"],
            json("{'bytes': 1032, 'components': [ {'name': 'counts', "
                 "'element': 'f32', 'shape': [256], 'bytes': 1024}, {'name': "
                 "'fill', 'element': 'i64', 'shape': [], 'bytes': 8}]}"));
  EXPECT_EQ(entry["checks"][0],
            json("{'left': 'T', 'relation': 'at_most', 'right': 16, 'message': "
                 "'too many tokens in a call'}"));
  EXPECT_EQ(
      entry["buffers"][1],
      json("{'kind': 'port', 'bytes': '(256 * 4)', 'ports': ['counts'] }"));
  EXPECT_EQ(
      entry["commands"][0],
      json("{'command': 'dispatch', 'label': 'step', 'kernel': 'test_text', "
           "'grid': [], 'scalars': ['T', 'fill', 256], 'buffers': [0, 1, 2]}"));
}

TEST(Inspect, Commands) {
  Json found = describe(everyCommand());
  Json kernel = found["variants"][0]["kernels"][0];
  EXPECT_EQ(kernel["dispatches"], 2) << "one of them in the loop";
  EXPECT_EQ(kernel["grids"], json("[['ceildiv(n, 64)']]"));
  Json loop = found["variants"][0]["entries"][0]["commands"][2];
  EXPECT_EQ(loop["variable"], "i");
  EXPECT_EQ(loop["body"][2]["transpose_b"], true);
  std::string text = textOfDescription(found);
  EXPECT_NE(text.find("    schedule\n"
                      "      dispatch test_add grid [ceildiv(n, 64)] "
                      "(b0, b1, b3, n)\n"
                      "      copy (n * 4) bytes: b2 = b3\n"
                      "      loop i < 4\n"
                      "        fill 4 bytes: b3 = 255 in 4 bytes each\n"
                      "        dispatch test_add grid [ceildiv(n, 64)] "
                      "(b0, b1, b3, n)\n"
                      "        gemm f32 m 1 n n k 1: b3 += b0 b1^T\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("registers"), std::string::npos)
      << "a column in which nothing stands";
  EXPECT_NE(text.find("b3  (n * 4) bytes  arena at 0\n"), std::string::npos);
}

/// Long expressions are listed once, each in terms of the others.
TEST(Inspect, LongSizes) {
  Program program = addProgram();
  Entry &entry = program.variants[0].entries[0];
  entry.variableNames = {"number_of_all_tokens"};
  std::string text = textOfDescription(describe(program));
  EXPECT_NE(text.find("    arena: #1 bytes\n"), std::string::npos) << text;
  EXPECT_NE(text.find("    sizes\n"
                      "      #0  = (number_of_all_tokens * 4)\n"
                      "      #1  = (ceildiv(#0, 64) * 64)\n"
                      "      #2  = ceildiv(number_of_all_tokens, 64)\n"),
            std::string::npos)
      << text;
}

/// Names come from files that anybody may have written.
TEST(Inspect, NamesThatGarble) {
  Program program = addProgram();
  program.producer = "\x1b[2J\xff";
  program.variants[0].entries[0].inputs[0].name = "line\nbreak";
  Json found = describe(program);
  std::string text = textOfDescription(found);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("'\\x1b[2J\xff'"), std::string::npos) << text;
  EXPECT_NE(text.find("'line\\x0abreak'"), std::string::npos) << text;
  std::string printed =
      found.dump(2, ' ', false, Json::error_handler_t::replace);
  EXPECT_EQ(Json::parse(printed)["producer"], "\x1b[2J\xef\xbf\xbd");
}

const char module[] = R"(//
.version 7.4
.target sm_80

	// .globl	first
.extern .shared .align 128 .b8 infini_shared[];
.extern .func (.param .b32 r) other(.param .b32 x);
.visible .entry first(
	.param .u64 first_param_0
)
.maxntid 128
{
	{ .reg .pred p; }
	ret;

}
	// .globl	first_1
.func helper()
{
	ret;
}
.visible .entry first_1()
{
	ret;
}
)";

TEST(Inspect, Ptx) {
  std::string ptx = ptxOfKernel(module, "first");
  EXPECT_NE(ptx.find(".version 7.4\n.target sm_80\n"), std::string::npos);
  EXPECT_NE(ptx.find("infini_shared[];\n"), std::string::npos);
  EXPECT_NE(ptx.find(".entry first(\n"), std::string::npos);
  EXPECT_NE(ptx.find("{ .reg .pred p; }\n\tret;\n\n}\n"), std::string::npos);
  EXPECT_NE(ptx.find(".func helper()\n{\n"), std::string::npos);
  EXPECT_EQ(ptx.find("first_1"), std::string::npos) << ptx;
  ptx = ptxOfKernel(module, "first_1");
  EXPECT_NE(ptx.find(".entry first_1()\n{\n\tret;\n}\n"), std::string::npos);
  EXPECT_EQ(ptx.find("first("), std::string::npos) << ptx;
  for (const char *none : {"helper", "other", "firs", "", "first_param_0"})
    EXPECT_EQ(ptxOfKernel(module, none), "") << none;
  EXPECT_EQ(ptxOfKernel("", "first"), "");
}

/// Sections are not verified: whatever they say, nothing outside the image is
/// read.
TEST(Inspect, DamagedSections) {
  std::string image = kernelImage();
  Target target = {};
  target.format = ImageFormat::elf;
  std::mt19937 random(1);
  for (ImageFormat format : {ImageFormat::elf, ImageFormat::cubin})
    for (int i = 0; i < 2000; ++i) {
      std::string damaged = image;
      // The header, or the sections' headers at the end.
      size_t at = i % 2 ? random() % 64 : image.size() - 1 - random() % 1024;
      damaged[at] = static_cast<char>(random());
      if (i % 4 == 3)
        damaged.resize(random() % damaged.size());
      // A copy of just this size, for AddressSanitizer.
      std::vector<uint8_t> bytes(damaged.begin(), damaged.end());
      target.format = format;
      target.image = bytes.data();
      target.imageBytes = bytes.size();
      readKernelCode(target);
    }
  target.format = ImageFormat::elf;
  target.image = reinterpret_cast<const uint8_t *>(image.data());
  target.imageBytes = image.size();
  EXPECT_GT(readKernelCode(target)["test_add"].bytes, 0u);
}

} // namespace
