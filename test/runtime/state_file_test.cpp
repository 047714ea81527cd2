// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// State files on the cpu, through the C interface. S1, S2, ... are the promises
// of docs/state-format.md.

#include "infini/runtime/infini.h"
#include "infini/runtime/safetensors.h"
#include "infini/runtime/status.h"
#include "state_bytes.h"
#include "test_package.h"

#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace infini;
using namespace infini::test;

namespace {

constexpr int64_t vocabSize = 8;
constexpr size_t countsBytes = vocabSize * 4;

class StateFile : public testing::Test {
protected:
  void SetUp() override {
    writeFile(folder / "model.safetensors", textWeights());
    ASSERT_FALSE(
        Status::adopt(infini_weights_open(folder.path.c_str(), &weights)));
    ASSERT_FALSE(Status::adopt(infini_device_open("cpu", 1, &device)));
    session = open(textProgram(vocabSize));
    for (int i = 0; i < 300; ++i)
      tokens.push_back(i * i % 7);
  }
  void TearDown() override {
    for (infini_session *each : sessions)
      infini_session_release(each);
    infini_device_release(device);
    infini_weights_release(weights);
  }

  infini_session *open(const Program &program) {
    std::string bytes = packageFile(program);
    infini_package *package = nullptr;
    infini_session *opened = nullptr;
    Status status = Status::adopt(
        infini_package_from_memory(bytes.data(), bytes.size(), &package));
    EXPECT_FALSE(status) << status.message();
    status = Status::adopt(
        infini_session_open(package, nullptr, weights, device, &opened));
    EXPECT_FALSE(status) << status.message();
    infini_package_release(package);
    sessions.push_back(opened);
    return opened;
  }

  /// Logits of the tokens from `begin` to before `end`.
  std::vector<float> feed(infini_session *to, size_t begin, size_t end) {
    std::vector<float> logits((end - begin) * vocabSize);
    Status status = Status::adopt(infini_session_feed(
        to, tokens.data() + begin, end - begin, logits.data()));
    EXPECT_FALSE(status) << status.message();
    return logits;
  }
  Status save(infini_session *from, const std::string &name = "s") {
    return Status::adopt(infini_session_save(from, (folder / name).c_str()));
  }
  Status load(infini_session *to, const std::string &name = "s") {
    return Status::adopt(infini_session_load(to, (folder / name).c_str()));
  }
  uint64_t tokensOf(infini_session *of) {
    infini_statistics counts;
    infini_session_statistics(of, &counts);
    return counts.tokens;
  }
  /// A file after 200 tokens.
  std::string goodFile() {
    feed(session, 0, 200);
    Status status = save(session);
    EXPECT_FALSE(status) << status.message();
    return readFile(folder / "s");
  }
  /// These bytes must be refused, with all of the parts in the message, and the
  /// file named.
  void expectRefused(infini_session *by, const std::string &bytes,
                     infini_code code, const std::vector<std::string> &parts) {
    writeFile(folder / "bad", bytes);
    Status status = load(by, "bad");
    EXPECT_EQ(status.code(), code) << status.message();
    std::vector<std::string> all = parts;
    all.push_back("state file '" + folder.path + "/bad'");
    for (const std::string &part : all)
      EXPECT_NE(status.message().find(part), std::string::npos)
          << "expected: " << part << "\n     got: " << status.message();
  }
  size_t filesInFolder() {
    return size_t(
        std::distance(std::filesystem::directory_iterator(folder.path), {}));
  }

  TemporaryFolder folder;
  infini_weights *weights = nullptr;
  infini_device *device = nullptr;
  infini_session *session = nullptr;
  std::vector<infini_session *> sessions;
  std::vector<int32_t> tokens;
};

//===----------------------------------------------------------------------===//
// Going on
//===----------------------------------------------------------------------===//

/// S4: in any place, in the middle of a segment of 128 and at its end too.
TEST_F(StateFile, GoesOnAnywhere) {
  for (size_t at : {0u, 1u, 15u, 16u, 100u, 127u, 128u, 129u, 256u, 299u}) {
    infini_session *whole = open(textProgram(vocabSize));
    std::vector<float> first = feed(whole, 0, at),
                       want = feed(whole, at, tokens.size());
    infini_session *before = open(textProgram(vocabSize));
    EXPECT_EQ(feed(before, 0, at), first);
    ASSERT_FALSE(save(before));
    infini_session *after = open(textProgram(vocabSize));
    feed(after, 0, 77); // what was there before does not matter
    Status status = load(after);
    ASSERT_FALSE(status) << status.message();
    EXPECT_EQ(tokensOf(after), at);
    EXPECT_EQ(feed(after, at, tokens.size()), want) << at;
    EXPECT_EQ(tokensOf(after), tokens.size());
    // Negative control: without the state it is another text.
    if (at > 0) {
      infini_session *fresh = open(textProgram(vocabSize));
      EXPECT_NE(feed(fresh, at, tokens.size()), want) << at;
    }
  }
}

/// S3: the same bytes for the same state, however it came about.
TEST_F(StateFile, SameStateSameBytes) {
  std::string first = goodFile();
  infini_session *other = open(textProgram(vocabSize));
  for (size_t t = 0; t < 200; t += 10)
    feed(other, t, t + 10);
  ASSERT_FALSE(save(other, "other"));
  EXPECT_EQ(readFile(folder / "other"), first);
  infini_session *loaded = open(textProgram(vocabSize));
  ASSERT_FALSE(load(loaded));
  ASSERT_FALSE(save(loaded, "again"));
  EXPECT_EQ(readFile(folder / "again"), first);
  feed(other, 0, 1);
  ASSERT_FALSE(save(other, "other"));
  EXPECT_NE(readFile(folder / "other"), first);
}

/// S7: saving changes nothing in the session.
TEST_F(StateFile, SavingChangesNothing) {
  infini_session *other = open(textProgram(vocabSize));
  for (size_t t = 0; t < 300; t += 50) {
    EXPECT_EQ(feed(session, t, t + 50), feed(other, t, t + 50));
    ASSERT_FALSE(save(session));
  }
  // Nor does it where it fails.
  EXPECT_TRUE(save(session, "none/s"));
  EXPECT_EQ(feed(session, 0, 50), feed(other, 0, 50));
}

/// S1, S2: what is in a file, read by hand.
TEST_F(StateFile, Contents) {
  std::string file = goodFile();
  std::vector<safetensors::Tensor> tensors;
  safetensors::Error error = safetensors::readContents(
      reinterpret_cast<const uint8_t *>(file.data()), file.size(), tensors);
  ASSERT_FALSE(error) << error.message;
  ASSERT_EQ(tensors.size(), 2u);
  EXPECT_EQ(tensors[0].name, "counts");
  EXPECT_EQ(tensors[0].dtype, safetensors::Dtype::F32);
  EXPECT_EQ(tensors[0].shape, std::vector<int64_t>{vocabSize});
  EXPECT_EQ(tensors[1].name, "fill");
  EXPECT_EQ(tensors[1].dtype, safetensors::Dtype::I64);
  EXPECT_EQ(tensors[1].shape, std::vector<int64_t>{});
  int64_t fill;
  std::memcpy(&fill, tensors[1].data, sizeof fill);
  EXPECT_EQ(fill, 200 % 128);
  // Larger elements first, so that all are aligned.
  EXPECT_LT(tensors[1].data, tensors[0].data);

  StateBytes bytes(file);
  EXPECT_EQ(bytes.header.size() % 8, 0u);
  EXPECT_EQ(bytes.value("infini.state"), "1");
  EXPECT_EQ(bytes.value("infini.model"), "fingerprint");
  EXPECT_EQ(bytes.value("infini.tokens"), "200");
  EXPECT_EQ(bytes.value("infini.position"), "72");
  EXPECT_EQ(bytes.value("infini.weights").size(), 32u);
  EXPECT_EQ(bytes.value("infini.layout").size(), 32u);
  EXPECT_EQ(bytes.value("infini.producer"), "infini 0.1.0");
  // The checksums, computed another way.
  EXPECT_EQ(StateBytes(file).sealed(), file);
  StateBytes again(file);
  again.sealTensor("fill", 0, 8).sealTensor("counts", 8, countsBytes);
  EXPECT_EQ(again.unsealed(), file);
}

/// S21: a link is followed; what is no regular file is not read.
TEST_F(StateFile, Paths) {
  goodFile();
  ASSERT_EQ(symlink("s", (folder / "link").c_str()), 0);
  feed(session, 0, 1);
  ASSERT_FALSE(save(session, "link"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  ASSERT_FALSE(load(open(textProgram(vocabSize)), "s"));
  ASSERT_FALSE(load(open(textProgram(vocabSize)), "link"));
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  for (const char *name : {"pipe", "."}) {
    Status status = load(session, name);
    EXPECT_EQ(status.code(), INFINI_USER_ERROR);
    EXPECT_NE(status.message().find("expected a regular file"),
              std::string::npos)
        << status.message();
  }
  EXPECT_EQ(load(session, "none").message(),
            "cannot read state file '" + folder.path +
                "/none': open: No such file or directory");
  EXPECT_EQ(save(session, "none/s").message(),
            "cannot write '" + folder.path +
                "/none/s': open: No such file or directory");
  // A file without a name for others to write to, and no temporary.
  EXPECT_EQ(filesInFolder(), 4u);
  struct stat info;
  ASSERT_EQ(stat((folder / "s").c_str(), &info), 0);
  mode_t mask = umask(0);
  umask(mask);
  EXPECT_EQ(info.st_mode & 0777, 0666 & ~mask);
}

/// Entries without a text have no state files.
TEST_F(StateFile, NeedsAText) {
  infini_session *add = open(addProgram());
  for (int loads = 0; loads < 2; ++loads) {
    Status status = loads ? load(add) : save(add);
    EXPECT_EQ(status.code(), INFINI_USER_ERROR);
    EXPECT_NE(status.message().find("does not take a text"), std::string::npos);
  }
  Program program = textProgram(vocabSize);
  Entry &entry = program.variants[0].entries[1];
  entry.inputs[2].name = entry.outputs[2].name = "place";
  Status status = save(open(program));
  EXPECT_NE(status.message().find("has the scalar state 'place'"),
            std::string::npos)
      << status.message();
  // A schedule that does not count as the model says.
  program = textProgram(vocabSize);
  program.model.segmentLength = 100;
  infini_session *odd = open(program);
  feed(odd, 0, 99);
  EXPECT_FALSE(save(odd));
  feed(odd, 99, 110);
  status = save(odd);
  EXPECT_EQ(status.code(), INFINI_BUG);
  EXPECT_NE(
      status.message().find("'fill' at 110 after 110 tokens, expected 10"),
      std::string::npos)
      << status.message();
}

/// Tokens that infini_function_call takes are part of the text as well.
TEST_F(StateFile, CallsAreCounted) {
  infini_tensor input = {}, output = {};
  input.data = tokens.data();
  input.element = INFINI_I32;
  input.rank = 1;
  input.shape[0] = 13;
  ASSERT_FALSE(
      Status::adopt(infini_function_call(session, &input, 1, &output, 1)));
  infini_tensor_release(&output);
  EXPECT_EQ(tokensOf(session), 13u);
  ASSERT_FALSE(save(session));
  infini_session *after = open(textProgram(vocabSize));
  ASSERT_FALSE(load(after));
  EXPECT_EQ(feed(after, 13, 50), feed(session, 13, 50));
}

//===----------------------------------------------------------------------===//
// Refusals
//===----------------------------------------------------------------------===//

/// S18: a refused file leaves the session as it was.
TEST_F(StateFile, RefusalLeavesTheSession) {
  std::string file = goodFile();
  infini_session *one = open(textProgram(vocabSize)),
                 *other = open(textProgram(vocabSize));
  EXPECT_EQ(feed(one, 0, 30), feed(other, 0, 30));
  file.back() = char(file.back() ^ 1);
  expectRefused(one, file, INFINI_DATA_ERROR, {"'counts'"});
  EXPECT_EQ(tokensOf(one), 30u);
  EXPECT_EQ(feed(one, 30, 300), feed(other, 30, 300));
}

/// S12: a flipped bit, wherever it is, is found.
TEST_F(StateFile, EveryBitFlip) {
  std::string file = goodFile();
  infini_session *reader = open(textProgram(vocabSize));
  size_t flips = 0;
  // In place: making thousands of files takes longer than reading them.
  writeFile(folder / "bad", file);
  int fd = ::open((folder / "bad").c_str(), O_WRONLY);
  for (size_t at = 0; at < file.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit, ++flips) {
      char bad = char(file[at] ^ (1 << bit));
      ASSERT_EQ(pwrite(fd, &bad, 1, off_t(at)), 1);
      Status status = load(reader, "bad");
      ASSERT_TRUE(status) << "byte " << at << ", bit " << bit;
      ASSERT_NE(status.code(), INFINI_BUG) << status.message();
      ASSERT_GT(status.message().size(), folder.path.size() + 20);
    }
    ASSERT_EQ(pwrite(fd, &file[at], 1, off_t(at)), 1);
  }
  close(fd);
  EXPECT_EQ(flips, file.size() * 8);
  RecordProperty("flips", int(flips));
  printf("%zu bit flips of %zu bytes were refused\n", flips, file.size());
  // What all of this happened to is as new, and takes the file as it was.
  EXPECT_EQ(tokensOf(reader), 0u);
  EXPECT_FALSE(load(reader, "bad"));
}

/// S13: a file that ends early, or goes on, is refused.
TEST_F(StateFile, EveryTruncation) {
  std::string file = goodFile();
  for (size_t size = file.size(); size-- > 0;) {
    ASSERT_EQ(truncate((folder / "s").c_str(), off_t(size)), 0);
    Status status = load(session);
    ASSERT_EQ(status.code(), INFINI_DATA_ERROR) << size;
    ASSERT_NE(status.message().find("truncated"), std::string::npos)
        << status.message();
  }
  for (size_t more : {1u, 8u, 4096u})
    expectRefused(session, file + std::string(more, 0), INFINI_DATA_ERROR,
                  {"the last " + std::to_string(more) + " bytes"});
  printf("%zu truncations were refused\n", file.size());
}

/// S14: another version is named, and this one.
TEST_F(StateFile, OtherVersion) {
  std::string file = goodFile();
  for (const char *version :
       {"2", "0", "01", "", "1.0", "99999999999999999999"})
    expectRefused(
        session, StateBytes(file).setValue("infini.state", version).sealed(),
        INFINI_DATA_ERROR,
        {"expected format version 1, got '" + std::string(version) + "'",
         "this is infini 0.1.0"});
  expectRefused(
      session,
      StateBytes(file).replace("infini.state", "infini.statt").sealed(),
      INFINI_DATA_ERROR, {"expected 'infini.state'", "got nothing"});
  expectRefused(session, textWeights(), INFINI_DATA_ERROR,
                {"is it a state file?"});
}

/// S15: a state of another model, or of the same with other weights.
TEST_F(StateFile, OtherModel) {
  std::string file = goodFile();
  Program program = textProgram(vocabSize);
  program.model.fingerprint = "another";
  expectRefused(open(program), file, INFINI_USER_ERROR,
                {"the model 'another', got 'fingerprint'", "take the package"});
  // The weight's values; the constant that is made of it is all that uses it.
  std::string other = textWeights();
  other.back() = char(other.back() ^ 1);
  writeFile(folder / "model.safetensors", other);
  infini_weights_release(weights);
  ASSERT_FALSE(
      Status::adopt(infini_weights_open(folder.path.c_str(), &weights)));
  infini_session *changed = open(textProgram(vocabSize));
  ASSERT_FALSE(save(changed, "changed"));
  std::string mine =
      StateBytes(readFile(folder / "changed")).value("infini.weights");
  EXPECT_NE(mine, StateBytes(file).value("infini.weights"));
  expectRefused(changed, file, INFINI_USER_ERROR,
                {"the weights '" + mine + "', got '" +
                     StateBytes(file).value("infini.weights") + "'",
                 "take those"});
}

/// S16: other tensors, types, shapes, or segments.
TEST_F(StateFile, OtherLayout) {
  std::string file = goodFile();
  auto expect = [&](std::function<void(Program &, Entry &)> change,
                    const std::vector<std::string> &parts) {
    Program program = textProgram(vocabSize);
    change(program, program.variants[0].entries[1]);
    expectRefused(open(program), file, INFINI_USER_ERROR, parts);
  };
  expect([](Program &program, Entry &) { program = textProgram(16); },
         {"state 'counts': expected F32 [16], got F32 [8]"});
  expect(
      [](Program &, Entry &entry) {
        entry.inputs[1].element = entry.outputs[1].element = ElementType::i32;
      },
      {"state 'counts': expected I32 [8], got F32 [8]", "another type"});
  expect(
      [](Program &, Entry &entry) {
        entry.inputs[1].name = entry.outputs[1].name = "M";
      },
      {"state 'M': expected F32 [8], got no such tensor"});
  expect([](Program &program, Entry &) { program.model.segmentLength = 100; },
         {"expected position 0 in the segment after 200 tokens in segments of "
          "100, got 72"});
  expectRefused(session,
                StateBytes(file)
                    .replace("\"fill\":{", "\"a\":{\"dtype\":\"U8\",\"shape\":"
                                           "[0],\"data_offsets\":[0,0]},"
                                           "\"fill\":{")
                    .sealed(),
                INFINI_USER_ERROR,
                {"state 'a': expected no such tensor, got U8 [0]"});
  StateBytes layout(file);
  std::string good = layout.value("infini.layout"), bad(32, 'a');
  expectRefused(session, layout.setValue("infini.layout", bad).sealed(),
                INFINI_USER_ERROR, {"the layout '" + good + "', got '" + bad});
}

/// S17: right checksums prove nothing: what is used as a number is checked.
TEST_F(StateFile, NothingIsTrusted) {
  std::string file = goodFile();
  ASSERT_FALSE(Status::adopt(infini_session_reset(session)));
  for (int64_t fill : {int64_t(73), int64_t(-1), int64_t(1) << 40, INT64_MIN}) {
    StateBytes bytes(file);
    bytes.data.replace(0, 8, reinterpret_cast<const char *>(&fill), 8);
    expectRefused(session, bytes.sealTensor("fill", 0, 8).sealed(),
                  INFINI_DATA_ERROR, {"state 'fill': expected 72"});
  }
  auto expect = [&](const char *key, const std::string &value, infini_code code,
                    const std::string &message) {
    expectRefused(session, StateBytes(file).setValue(key, value).sealed(), code,
                  {message});
  };
  for (const char *number : {"-1", "", "0x10", "1e3", " 200", "0200",
                             "18446744073709551616", "9223372036854775807"})
    expect("infini.tokens", number, INFINI_DATA_ERROR,
           "'infini.tokens': expected a number of at most 18 digits, got '" +
               std::string(number));
  expect("infini.tokens", "201", INFINI_USER_ERROR,
         "expected position 73 in the segment after 201 tokens in segments of "
         "128, got 72");
  expect("infini.position", "200", INFINI_USER_ERROR, "got 200");
  // Agreeing with each other, but not with the tensor.
  expectRefused(session,
                StateBytes(file)
                    .setValue("infini.tokens", "201")
                    .setValue("infini.position", "73")
                    .sealed(),
                INFINI_DATA_ERROR, {"state 'fill': expected 73"});
  expect("infini.checksum.fill", std::string(32, '0'), INFINI_DATA_ERROR,
         "state 'fill': expected data with the checksum '0000");
  expectRefused(session,
                StateBytes(file).setValue("infini.header", "short").unsealed(),
                INFINI_DATA_ERROR, {"expected 32 digits"});
  for (const char *key : {"header", "model", "weights", "layout", "tokens",
                          "position", "checksum.counts"})
    expectRefused(
        session,
        StateBytes(file)
            .replace("infini." + std::string(key) + "\"", "infini.other\"")
            .unsealed(),
        INFINI_DATA_ERROR, {});
  StateBytes twice(file);
  twice.replace("\"infini.tokens\":",
                "\"infini.tokens\":\"200\",\"infini.tokens\":");
  expectRefused(session, twice.sealed(), INFINI_DATA_ERROR,
                {"'infini.tokens' stands there twice"});
  // The control of all of these.
  writeFile(folder / "bad", StateBytes(file).sealed());
  EXPECT_FALSE(load(session, "bad"));
}

/// A header that promises more than there is costs no memory.
TEST_F(StateFile, HugeHeaders) {
  std::string file = goodFile();
  StateBytes bytes(file);
  bytes.replace("\"shape\":[8],\"data_offsets\":[8,40]",
                "\"shape\":[1099511627776],\"data_offsets\":[8,4398046511112]");
  expectRefused(session, bytes.sealed(), INFINI_DATA_ERROR,
                {"its data ends at byte 4398046511112"});
  // A sparse file, whose size is what the header says.
  writeFile(folder / "bad", bytes.sealed());
  ASSERT_EQ(truncate((folder / "bad").c_str(),
                     off_t(8 + bytes.header.size() + 4398046511112)),
            0);
  Status status = load(session, "bad");
  EXPECT_NE(status.message().find("expected F32 [8], got F32 [1099511627776]"),
            std::string::npos)
      << status.message();
}

} // namespace
