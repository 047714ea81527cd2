// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// infini-run as its users see it: exit statuses, messages, files.

#include "cuda_test.h"
#include "infini/runtime/cli/options.h"
#include "infini/runtime/cli/tensors.h"
#include "infini/runtime/npy.h"
#include "infini/runtime/small_float.h"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <sys/wait.h>

using namespace infini;
using namespace infini::cli;
using namespace infini::test;

namespace {

struct Outcome {
  int status;
  std::string output;
};

class CommandLine : public testing::Test {
protected:
  void SetUp() override {
    writeFile(folder / "add.infini", packageFile(addProgram()));
    writeFile(folder / "text.infini", packageFile(textProgram()));
    std::filesystem::create_directory(folder / "model");
    writeFile(folder / "model/model.safetensors", textWeights());
    writeFile(folder / "model/config.json", "{}");
  }

  /// Runs a command in the folder; standard output and error together.
  Outcome shell(const std::string &command) {
    std::string whole =
        "cd '" + folder.path + "' && " + command + " > output.txt 2>&1";
    int status = system(whole.c_str());
    std::string output = readFile(folder / "output.txt");
    std::filesystem::remove(folder / "output.txt");
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
  }
  Outcome run(const std::string &arguments) {
    return shell(INFINI_TEST_RUN " " + arguments);
  }
  void expect(const std::string &arguments, int status,
              const std::string &output) {
    Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, status) << arguments << "\n" << outcome.output;
    EXPECT_NE(outcome.output.find(output), std::string::npos)
        << arguments << "\n"
        << outcome.output;
  }
  bool exists(const std::string &name) {
    return std::filesystem::exists(folder / name);
  }

  TemporaryFolder folder;
};

const std::string add = "add.infini --input 3xf32=1,2,3 --input 3xf32=10 ";

TEST_F(CommandLine, PrintsResults) {
  expect(add, 0, "sum: 3xf32 = [11, 12, 13]\n");
  expect("add.infini --input 0xf32= --input 0xf32=", 0, "sum: 0xf32 = []\n");
  expect("add.infini --entry main --threads 2 --stats --input 1xf32=-0.5 "
         "--input 1xf32=nan",
         0, "sum: 1xf32 = [nan]");
  expect("--help", 0, "--prompt-file");
  expect("--version", 0, "infini 0.1.0");
}

TEST_F(CommandLine, WritesAndReadsFiles) {
  expect(add + "--output @sum.npy", 0, "");
  expect("add.infini --input @sum.npy --input @sum.npy", 0, "[22, 24, 26]");
  expect(add + "--expect @sum.npy", 0, "");
  expect(add + "--output sum.npy", 1,
         "expected '@' and a file name, got 'sum.npy'");
  expect("add.infini --input @none.npy --input @sum.npy", 1,
         "cannot open 'none.npy'");
}

TEST_F(CommandLine, Expect) {
  expect(add + "--expect 3xf32=11,12,13", 0, "");
  expect(add + "--expect 3xf32=11,12.00001,13", 0, "");
  expect(add + "--expect 3xf32=11,12.001,13.5", 2,
         "2 of 3 elements differ by more than rtol 1e-05, atol 1e-06; largest "
         "error 0.5\n  first at [1]: expected 12.001, got 12\n"
         "  worst at [2]: expected 13.5, got 13");
  expect(add + "--expect 3xf32=11,12.001,13 --atol 0.01", 0, "");
  expect(add + "--expect 3xf32=11,12.001,13 --rtol 0.01", 0, "");
  expect(add + "--expect 3xf32=11,12,13 --rtol -1", 1, "a tolerance");
  expect(add + "--expect 2xf32=11,12", 2, "expected 2xf32, got 3xf32");
  expect(add + "--expect 3xf32=11,12,nan", 2, "1 of 3 elements");
  expect(add + "--rtol 1", 1, "need --expect");
  expect(add + "--expect 3xf32=0 --expect 3xf32=0", 1, "at most 1 --expect");
}

TEST_F(CommandLine, Repeat) {
  auto count = [](const std::string &text, const std::string &part) {
    int found = 0;
    for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at)
      ++found;
    return found;
  };
  Outcome outcome = run(add + "--repeat 4 --stats --expect 3xf32=11,12,13");
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_EQ(count(outcome.output, "repeated:    0."), 4) << outcome.output;
  EXPECT_EQ(count(outcome.output, " ms\n"), 4) << outcome.output;
  EXPECT_EQ(count(run(add + "--stats").output, "repeated:"), 0);
  expect(add + "--repeat 2", 0, "sum: 3xf32 = [11, 12, 13]\n");
  expect("add.infini --input 0xf32= --input 0xf32= --repeat 3 --output @n.npy",
         0, "");
  expect("add.infini --input @n.npy --input @n.npy --repeat 1", 0, "= []\n");
  expect(add + "--repeat 0", 1, "--repeat");
  expect("text.infini --repeat 2 --tokens @x.npy", 1,
         "expected one kind, got both");
}

TEST_F(CommandLine, UsersErrors) {
  expect("", 1, "program is required");
  expect("none.infini", 1, "cannot open 'none.infini'");
  expect("add.infini", 1, "expected 2 --input (a: ?xf32, b: ?xf32), got 0");
  expect("add.infini --input 3xf32=1 --input 4xf32=1", 1,
         "argument 'b' dimension 0: expected 3 (n), got 4");
  expect("add.infini --input 3xf64=1 --input 3xf32=1", 1,
         "expected f32, got f64");
  expect("add.infini --input 3xf31=1 --input 3xf32=1", 1,
         "unknown element type 'f31'");
  expect("add.infini --entry sub", 1, "there is no entry 'sub'");
  expect(add + "--device gpu", 1,
         "there is no device 'gpu'; expected one of: cpu, cuda[:<number>], "
         "sim:<chip>");
  expect(add + "--threads 100000", 1, "at most 1024 threads");
  expect(add + "--state-in x", 1, "--state-in");
  expect(add + "--tokens @x.npy", 1, "expected one kind, got both");
  expect(add + "--dtype=f32", 1, "are for model folders");
  writeFile(folder / "bad.infini", "INFINI but not really");
  expect("bad.infini", 1, "not an infini package");
  writeFile(folder / "cut.infini",
            readFile(folder / "add.infini").substr(0, 1000));
  expect("cut.infini", 1, "truncated package");
}

TEST_F(CommandLine, Text) {
  writeFile(folder / "prompt.txt", std::string(40, 'a') + "b");
  std::string text = "text.infini --weights model --prompt-file prompt.txt ";
  expect(text, 0, "next token: 97 'a'\n");
  expect(text + "--logits-out @l.npy --stats", 0, "41 in 3 calls");
  NpyArray logits;
  ASSERT_FALSE(loadNpy(folder / "l.npy", logits));
  EXPECT_EQ(logits.header.shape, (std::vector<int64_t>{41, 256}));
  float value;
  memcpy(&value, &logits.data[(40 * 256 + 'b') * 4], 4);
  EXPECT_EQ(value, 41);
  std::string first = readFile(folder / "l.npy");
  expect(text + "--logits-out @m.npy --tokens-per-call 1 --threads 1", 0, "");
  EXPECT_EQ(readFile(folder / "m.npy"), first);
  // From a pipe, whose length is not known before.
  Outcome piped = shell("cat prompt.txt | " INFINI_TEST_RUN
                        " text.infini --weights model --prompt-file /dev/stdin "
                        "--logits-out @p.npy");
  EXPECT_EQ(piped.status, 0) << piped.output;
  EXPECT_EQ(readFile(folder / "p.npy"), first);
  expect(text + "--logits-out @/dev/null", 0, "next token");
}

TEST_F(CommandLine, LastLogits) {
  std::string prompt;
  for (int i = 0; i < 41; ++i)
    prompt += char('a' + i % 7);
  writeFile(folder / "prompt.txt", prompt);
  std::string text = "text.infini --weights model --prompt-file prompt.txt ";
  expect(text + "--logits-out @all.npy", 0, "");
  NpyArray all, last;
  ASSERT_FALSE(loadNpy(folder / "all.npy", all));
  // Calls of 16, 16 and 9 tokens: within one, across them, all, and more.
  for (int64_t rows : {1, 8, 9, 10, 16, 24, 25, 30, 40, 41, 42, 1000000000}) {
    expect(text + "--logits-out @last.npy --logits-last " +
               std::to_string(rows),
           0, "next token");
    ASSERT_FALSE(loadNpy(folder / "last.npy", last));
    int64_t kept = std::min<int64_t>(rows, 41);
    EXPECT_EQ(last.header.shape, (std::vector<int64_t>{kept, 256}));
    EXPECT_TRUE(std::equal(last.data.begin(), last.data.end(),
                           all.data.end() - ptrdiff_t(last.data.size())))
        << rows;
  }
  expect(text + "--logits-last 3", 1, "--logits-last needs --logits-out");
  expect(text + "--logits-out @l.npy --logits-last 0", 1, "--logits-last");
}

TEST_F(CommandLine, DumpState) {
  writeFile(folder / "prompt.txt", std::string(40, 'a') + "b");
  std::string text = "text.infini --weights model --prompt-file prompt.txt ";
  // A new folder, and one that is there.
  for (int i = 0; i < 2; ++i) {
    expect(text + "--dump-state state", 0, "next token");
    NpyArray fill, counts;
    ASSERT_FALSE(loadNpy(folder / "state/fill.npy", fill));
    ASSERT_FALSE(loadNpy(folder / "state/counts.npy", counts));
    EXPECT_EQ(fill.header.type, NpyType::i64);
    EXPECT_EQ(fill.header.shape, std::vector<int64_t>());
    int64_t tokens;
    memcpy(&tokens, fill.data.data(), sizeof tokens);
    EXPECT_EQ(tokens, 41);
    EXPECT_EQ(counts.header.type, NpyType::f32);
    EXPECT_EQ(counts.header.shape, std::vector<int64_t>{256});
    float count;
    memcpy(&count, &counts.data['a' * 4], sizeof count);
    EXPECT_EQ(count, 40);
  }
  expect(text + "--dump-state prompt.txt", 1, "'prompt.txt': Not a directory");
  expect(text + "--dump-state none/state", 1, "'none/state': No such file");
  writeFile(folder / "prompt.txt", "");
  expect(text + "--dump-state new", 1, "the text is empty");
  EXPECT_FALSE(exists("new"));
  expect(add + "--dump-state new", 1, "need a text");
}

TEST_F(CommandLine, Trace) {
  expect(add + "--trace t.json --repeat 2", 0, "sum: 3xf32 = [11, 12, 13]\n");
  auto trace = nlohmann::json::parse(readFile(folder / "t.json"));
  std::map<std::string, int> names;
  for (auto &event : trace["traceEvents"]) {
    if (event["ph"] != "X")
      continue;
    ++names[event["name"]];
    EXPECT_EQ(event["args"]["entry"], "main");
    EXPECT_LT(event["args"]["step"], 3);
  }
  EXPECT_EQ(names, (std::map<std::string, int>{
                       {"main", 3}, {"test_add", 3}, {"copy", 3}}));
  writeFile(folder / "prompt.txt", std::string(41, 'a'));
  expect("text.infini --weights model --prompt-file prompt.txt --trace u.json",
         0, "next token");
  trace = nlohmann::json::parse(readFile(folder / "u.json"));
  EXPECT_EQ(trace["traceEvents"].size(), 2u + 2 * (1 + 3));
  // Neither of a run that failed, nor where it cannot be.
  expect("add.infini --input 3xf32=1 --input 4xf32=1 --trace v.json", 1,
         "expected 3 (n), got 4");
  EXPECT_FALSE(exists("v.json"));
  expect(add + "--trace none/v.json", 1, "cannot write 'none/v.json'");
  expect(add + "--trace /dev/null", 0, "sum");
  expect(add + "--trace", 1, "--trace");
}

TEST_F(CommandLine, StatisticsOfTexts) {
  writeFile(folder / "prompt.txt", std::string(41, 'a'));
  std::string text = "text.infini --weights model --prompt-file prompt.txt ";
  // Of a model without memories there is little to say.
  expect(text + "--stats-json s.json", 0, "next token");
  auto json = nlohmann::json::parse(readFile(folder / "s.json"));
  EXPECT_EQ(json["run"]["tokens"], 41);
  EXPECT_EQ(json["layers"].size(), 0u);
  expect(text + "--stats-plot p.png", 1, "has no memories to draw");
  EXPECT_FALSE(exists("p.png"));
  expect(text + "--stats-json none/s.json", 1, "cannot write 'none/s.json'");
  expect(add + "--stats-json t.json", 1, "need --prompt-file or --tokens");
  expect(add + "--stats-plot t.png", 1, "need --prompt-file or --tokens");
  EXPECT_FALSE(exists("t.json"));
}

TEST_F(CommandLine, TextErrors) {
  writeFile(folder / "prompt.txt", "abc");
  writeFile(folder / "empty.txt", "");
  std::string text = "text.infini --weights model ";
  expect(text + "--prompt-file empty.txt --logits-out @l.npy", 1,
         "the text is empty");
  EXPECT_FALSE(exists("l.npy"));
  expect(text + "--prompt-file none.txt", 1, "cannot open 'none.txt'");
  expect("text.infini --prompt-file prompt.txt", 1, "with --weights");
  expect("text.infini --weights none --prompt-file prompt.txt", 1,
         "cannot open 'none'");
  expect(text + "--prompt-file prompt.txt --tokens @x.npy", 1, "got both");
  expect(text, 1, "give it a text with --prompt-file or --tokens");
  expect(text + "--logits-out @l.npy", 1, "need a text");
  expect(text + "--prompt-file prompt.txt --tokens-per-call 17", 1,
         "expected at most 16 tokens a call, got 17");
  expect(text + "--prompt-file prompt.txt --tokens-per-call 0", 1,
         "--tokens-per-call");
  expect("add.infini --weights model --prompt-file prompt.txt", 1,
         "takes no text");
  writeFile(folder / "large.infini", packageFile(textProgram(300)));
  expect("large.infini --weights model --prompt-file prompt.txt", 1,
         "this model's is 300; give token ids with --tokens @ids.npy");
}

TEST_F(CommandLine, Tokens) {
  auto save = [&](NpyType type, auto values) {
    ASSERT_FALSE(saveNpy(folder / "ids.npy", type, {int64_t(values.size())},
                         values.data(), values.size() * sizeof values[0]));
  };
  std::string text = "text.infini --weights model --tokens @ids.npy ";
  save(NpyType::i64, std::vector<int64_t>{7, 7, 9});
  expect(text + "--logits-out @l.npy", 0, "next token: 7\n");
  std::string first = readFile(folder / "l.npy");
  save(NpyType::u8, std::vector<uint8_t>{7, 7, 9});
  expect(text + "--logits-out @l.npy", 0, "");
  EXPECT_EQ(readFile(folder / "l.npy"), first);
  save(NpyType::i32, std::vector<int32_t>(20, 3));
  expect(text, 0, "next token: 3\n");
  std::vector<int32_t> bad(40, 3);
  bad[37] = 256;
  save(NpyType::i32, bad);
  expect(text + "--logits-out @bad.npy", 1,
         "token at position 37: expected 0 to 255, got 256");
  EXPECT_FALSE(exists("bad.npy"));
  save(NpyType::i64, std::vector<int64_t>{7, int64_t(1) << 40});
  expect(text, 1,
         "token at position 1: expected an id of 32 bits, got "
         "1099511627776");
  save(NpyType::u64, std::vector<uint64_t>{~uint64_t(0)});
  expect(text, 1, "expected an id of 32 bits, got 18446744073709551615");
  save(NpyType::f32, std::vector<float>{7});
  expect(text, 1, "expected integers, got '<f4'");
  save(NpyType::i32, std::vector<int32_t>{});
  expect(text, 1, "the text is empty");
}

/// A compiler of our own: a script that copies a package.
TEST_F(CommandLine, CompilesIntoTheCache) {
  std::filesystem::create_directory(folder / "bin");
  // A copy, so that the real compiler does not lie beside it.
  std::filesystem::copy_file(INFINI_TEST_RUN, folder / "infini-run");
  writeFile(folder / "bin/infini-compile",
            "#!/bin/sh\necho \"$@\" >> " + (folder / "calls.txt") +
                "\ncase $1 in *bad*) echo 'bad.mlir:1:1: error: no' >&2; exit "
                "1;; *crash*) exit 139;; esac\n" +
                "cp " + (folder / "add.infini") + " $3\n" +
                "if [ -d $1 ]; then cp " + (folder / "text.infini") +
                " $3; fi\n");
  chmod((folder / "bin/infini-compile").c_str(), 0755);
  auto runCached = [&](const std::string &arguments) {
    return shell("INFINI_CACHE_DIR=cache/deep PATH=$PWD/bin:/usr/bin:/bin "
                 "./infini-run " +
                 arguments);
  };
  auto calls = [&] {
    std::string text =
        exists("calls.txt") ? readFile(folder / "calls.txt") : "";
    return std::count(text.begin(), text.end(), '\n');
  };
  auto filesInCache = [&] {
    auto files = std::filesystem::directory_iterator(folder / "cache/deep");
    return std::distance(begin(files), end(files));
  };
  std::string inputs = " --input 1xf32=1 --input 1xf32=2";
  writeFile(folder / "f.mlir", "one");
  Outcome outcome = runCached("f.mlir" + inputs);
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_EQ(outcome.output, "sum: 1xf32 = [3]\n");
  EXPECT_EQ(calls(), 1);
  EXPECT_EQ(runCached("f.mlir" + inputs).status, 0);
  EXPECT_EQ(calls(), 1);
  writeFile(folder / "f.mlir", "two");
  EXPECT_EQ(runCached("f.mlir" + inputs).status, 0);
  EXPECT_EQ(calls(), 2);
  EXPECT_EQ(filesInCache(), 2);
  // An entry is compiled alone, and is another package.
  EXPECT_EQ(runCached("f.mlir --entry main" + inputs).status, 0);
  EXPECT_EQ(runCached("f.mlir --entry main" + inputs).status, 0);
  EXPECT_EQ(calls(), 3);
  EXPECT_NE(readFile(folder / "calls.txt").find(" --entry=main\n"),
            std::string::npos);
  // What interrupted compilations left is removed at the next one, when it is
  // old.
  writeFile(folder / "cache/deep/a.1.tmp.infini", "old");
  writeFile(folder / "cache/deep/b.2.tmp.infini.temp-stream-abc", "old");
  for (auto &file : std::filesystem::directory_iterator(folder / "cache/deep"))
    std::filesystem::last_write_time(
        file, std::filesystem::file_time_type::clock::now() -
                  std::chrono::minutes(61));
  writeFile(folder / "cache/deep/c.3.tmp.infini", "new");
  writeFile(folder / "f.mlir", "three");
  EXPECT_EQ(runCached("f.mlir" + inputs).status, 0);
  EXPECT_EQ(calls(), 4);
  EXPECT_EQ(filesInCache(), 5);
  EXPECT_TRUE(exists("cache/deep/c.3.tmp.infini"));
  std::filesystem::remove(folder / "cache/deep/c.3.tmp.infini");
  // A damaged one is made anew.
  for (auto &file : std::filesystem::directory_iterator(folder / "cache/deep"))
    writeFile(file.path(), "damaged");
  EXPECT_EQ(runCached("f.mlir" + inputs).status, 0);
  EXPECT_EQ(calls(), 5);
  // A folder, options, and calls that are larger than its package allows.
  writeFile(folder / "prompt.txt", "aab");
  outcome = runCached("model --prompt-file prompt.txt --dtype bf16");
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_EQ(outcome.output, "next token: 97 'a'\n");
  EXPECT_EQ(calls(), 6);
  EXPECT_EQ(runCached("model --prompt-file prompt.txt").status, 0);
  EXPECT_EQ(calls(), 7);
  writeFile(folder / "model/config.json", "{ }");
  EXPECT_EQ(
      runCached("model --prompt-file prompt.txt --tokens-per-call 5").status,
      0);
  EXPECT_EQ(calls(), 8);
  EXPECT_EQ(
      runCached("model --prompt-file prompt.txt --tokens-per-call 99").status,
      1);
  EXPECT_NE(readFile(folder / "calls.txt").find("--max-tokens-per-call=99"),
            std::string::npos);
  // Its failures are ours, and leave nothing.
  auto before = filesInCache();
  writeFile(folder / "bad.mlir", "bad");
  outcome = runCached("bad.mlir");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.output, "bad.mlir:1:1: error: no\n");
  writeFile(folder / "crash.mlir", "crash");
  EXPECT_EQ(runCached("crash.mlir").status, 70);
  EXPECT_EQ(filesInCache(), before);
  std::filesystem::remove(folder / "bin/infini-compile");
  EXPECT_NE(runCached("f.mlir").output.find("cannot find infini-compile"),
            std::string::npos);
}

/// infini-compile is told what the device can run, and each device has a
/// package of its own in the cache.
TEST_F(CommandLine, CompilesForTheDevice) {
  std::filesystem::create_directory(folder / "bin");
  std::filesystem::copy_file(INFINI_TEST_RUN, folder / "infini-run");
  writeFile(folder / "gpu.infini", packageFile(forGpu(addProgram())));
  writeFile(folder / "bin/infini-compile",
            "#!/bin/sh\necho \"$@\" >> " + (folder / "calls.txt") +
                "\ncase \"$*\" in *nvidia*) cp " + (folder / "gpu.infini") +
                " $3;; *) cp " + (folder / "add.infini") + " $3;; esac\n");
  chmod((folder / "bin/infini-compile").c_str(), 0755);
  writeFile(folder / "f.mlir", "one");
  auto runOn = [&](const std::string &arguments, const std::string &settings) {
    return shell("INFINI_CACHE_DIR=cache PATH=$PWD/bin:/usr/bin:/bin "
                 "INFINI_LIBCUDA=" INFINI_TEST_FAKE_CUDA
                 " INFINI_FAKE_CUDA='kernels=" INFINI_TEST_KERNELS_FOLDER
                 "/kernels-good.so " +
                 settings + "' ./infini-run f.mlir " + arguments +
                 " --input 1xf32=1 --input 1xf32=2");
  };
  auto calls = [&] { return readFile(folder / "calls.txt"); };
  auto countCalls = [&] {
    std::string text = calls();
    return std::count(text.begin(), text.end(), '\n');
  };
  Outcome outcome = runOn("--device cuda", "chip=90");
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_EQ(outcome.output, "sum: 1xf32 = [3]\n");
  EXPECT_NE(calls().find(" --target=nvidia:sm_80\n"), std::string::npos)
      << calls();
  EXPECT_EQ(runOn("--device cuda:0", "chip=80").status, 0);
  EXPECT_EQ(countCalls(), 1);
  EXPECT_EQ(runOn("--device cpu", "").output, "sum: 1xf32 = [3]\n");
  EXPECT_EQ(countCalls(), 2);
  EXPECT_EQ(runOn("", "").status, 0);
  EXPECT_EQ(runOn("--device cuda", "chip=80").output, "sum: 1xf32 = [3]\n");
  EXPECT_EQ(countCalls(), 2);
  // What is wrong with a device is found before anything is compiled.
  outcome = runOn("--device cuda:1", "");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.output,
            "infini-run: error: there is no GPU 1; there is: 0 (Fake 0)\n");
  outcome = runOn("--device cuda", "chip=75");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.output, "infini-run: error: device 'cuda' is of "
                            "architecture sm_75, expected sm_80 or newer\n");
  outcome = runOn("--device cuda", "fault=1:700");
  EXPECT_EQ(outcome.status, 70);
  EXPECT_EQ(countCalls(), 2);
}

TEST(CompilerTarget, OfDevices) {
  std::string target;
  auto expect = [&](const char *device, const char *chip, const char *wanted) {
    ASSERT_FALSE(compilerTarget(device, chip, target)) << device;
    EXPECT_EQ(target, wanted);
  };
  expect("cpu", "", "");
  expect("sim:sm_80", "", "sim:sm_80");
  expect("sim:gfx942", "gfx942", "sim:gfx942");
  expect("cuda", "sm_80", "nvidia:sm_80");
  expect("cuda:3", "sm_89", "nvidia:sm_80");
  expect("cuda:3", "sm_120", "nvidia:sm_80");
  EXPECT_EQ(compilerTarget("cuda", "sm_70", target).code(), INFINI_USER_ERROR);
  EXPECT_EQ(compilerTarget("cuda", "gfx", target).code(), INFINI_BUG);
}

TEST(TensorText, Reads) {
  HostTensor tensor;
  ASSERT_FALSE(parseTensor("2x3xf64=1,2,3,4,5,1e-3", tensor));
  EXPECT_EQ(tensor.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(tensor.valueAt(5), 1e-3);
  ASSERT_FALSE(parseTensor("f32=1.5", tensor));
  EXPECT_EQ(tensor.shape.size(), 0u);
  ASSERT_FALSE(parseTensor("index=3", tensor));
  EXPECT_EQ(tensor.element, ElementType::i64);
  EXPECT_EQ(tensor.integerAt(0), 3);
  ASSERT_FALSE(parseTensor("4xi1=true,0,1,false", tensor));
  EXPECT_EQ(tensor.textAt(0) + tensor.textAt(1), "10");
  ASSERT_FALSE(parseTensor("2x2xbf16=0.1", tensor));
  EXPECT_EQ(tensor.textAt(3), "0.1001");
  ASSERT_FALSE(parseTensor("0x5xf32=", tensor));
  EXPECT_EQ(tensor.elements(), 0);
  ASSERT_FALSE(parseTensor("i64=-9223372036854775808", tensor));
  EXPECT_EQ(tensor.integerAt(0), INT64_MIN);
  for (const char *bad :
       {"", "f32", "2xf32=1,2,3", "2xf32=", "2xf32=1,", "xf32=1", "-1xf32=1",
        "2xf32=a", "i8=128", "i1=2", "i32=1.5", "99999999999999999999xf32=1",
        "4294967296x4294967296x4294967296xf32=1",
        "1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1xf32=1", "2x=1", "i64=9e3"})
    EXPECT_EQ(parseTensor(bad, tensor).code(), INFINI_USER_ERROR) << bad;
}

TEST(TensorText, Prints) {
  HostTensor tensor;
  ASSERT_FALSE(parseTensor("2x2xf32=0.1,2,3,4", tensor));
  EXPECT_EQ(printTensor(tensor), "[[0.1, 2],\n [3, 4]]");
  ASSERT_FALSE(parseTensor("1000xi8=5", tensor));
  EXPECT_EQ(printTensor(tensor), "[5, 5, 5, ..., 5, 5, 5]");
  EXPECT_EQ(placeText(5, {2, 3}), "[1, 2]");
  EXPECT_EQ(placeText(0, {}), "[]");
}

TEST(SmallFloat, AllValues) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    double half = Float16::toDouble(uint16_t(bits));
    double brain = BFloat16::toDouble(uint16_t(bits));
    if (!std::isnan(half)) {
      EXPECT_EQ(Float16::fromDouble(half), bits);
    }
    if (!std::isnan(brain)) {
      EXPECT_EQ(BFloat16::fromDouble(brain), bits);
      uint32_t wide = bits << 16;
      float same;
      memcpy(&same, &wide, 4);
      EXPECT_EQ(double(same), brain);
    }
  }
  EXPECT_EQ(Float16::toDouble(0x3555), 0.333251953125);
  EXPECT_EQ(Float16::fromDouble(65519.99), 0x7bff);
  EXPECT_EQ(Float16::fromDouble(65520), 0x7c00);
  EXPECT_EQ(Float16::fromDouble(1 + 1.0 / 2048), 0x3c00);
  EXPECT_EQ(Float16::fromDouble(1 + 3.0 / 2048), 0x3c02);
  EXPECT_EQ(Float16::fromDouble(std::ldexp(1, -25)), 0);
  EXPECT_EQ(Float16::fromDouble(std::ldexp(1.5, -25)), 1);
  EXPECT_EQ(Float16::fromDouble(-INFINITY), 0xfc00);
  EXPECT_TRUE(std::isnan(BFloat16::toDouble(BFloat16::fromDouble(NAN))));
}

} // namespace
