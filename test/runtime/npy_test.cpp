// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/npy.h"
#include "infini/runtime/output_file.h"
#include "test_package.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace infini;
using namespace infini::test;

namespace {

std::string npy(int version, const std::string &dictionary,
                const std::string &data) {
  std::string bytes("\x93NUMPY", 6);
  bytes += char(version);
  bytes += '\0';
  size_t size = dictionary.size();
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i)
    bytes += char(size >> (8 * i));
  return bytes + dictionary + data;
}

TEST(Npy, ReadsAllVersions) {
  TemporaryFolder folder;
  for (int version = 1; version <= 3; ++version) {
    writeFile(folder / "x.npy",
              npy(version,
                  "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), "
                  "}   \n",
                  std::string("\1\0\2\0\3\0\4\0\5\0\6\0", 12)));
    NpyArray array;
    Status status = loadNpy(folder / "x.npy", array);
    ASSERT_FALSE(status) << status.message();
    EXPECT_EQ(array.header.type, NpyType::i16);
    EXPECT_EQ(array.header.shape, (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(array.data[10], 6);
  }
}

TEST(Npy, Headers) {
  auto messageOf = [](const std::string &dictionary) {
    NpyHeader header;
    return parseNpyHeader(dictionary, header).message();
  };
  auto with = [](const std::string &descr, const std::string &order,
                 const std::string &shape) {
    return "{\"shape\":" + shape + ",'fortran_order':" + order +
           ",'descr':" + descr + "}";
  };
  EXPECT_EQ(messageOf(with("'<f4'", "False", "(3L,)")), "");
  EXPECT_EQ(messageOf(with("'|b1'", "False", "()")), "");
  EXPECT_EQ(messageOf(with("'<f4'", "True", "(3,)")), "");
  EXPECT_NE(messageOf(with("'<f4'", "True", "(3,2)")).find("ascontiguousarray"),
            std::string::npos);
  EXPECT_NE(messageOf(with("'>f4'", "False", "(3,)")).find("little-endian"),
            std::string::npos);
  EXPECT_NE(
      messageOf(with("[('a','<f4')]", "False", "(3,)")).find("structured"),
      std::string::npos);
  EXPECT_NE(messageOf(with("'<f4'", "False", "(9999999999,9999999999)"))
                .find("64 bits"),
            std::string::npos);
  EXPECT_NE(messageOf(with("'<f4'", "False", "(99999999999999999999,)"))
                .find("64 bits"),
            std::string::npos);
  EXPECT_NE(messageOf(with("'<f4'", "False", "(-1,)")), "");
  EXPECT_NE(messageOf(with("'<f4'", "None", "(1,)")), "");
  EXPECT_NE(messageOf("{}"), "");
  EXPECT_NE(messageOf(""), "");
  EXPECT_NE(messageOf("{'descr': '<f4'"), "");
  EXPECT_NE(messageOf("{'descr"), "");
  EXPECT_NE(messageOf(with("'<f4'", "False", "(1,)") + "x"), "");
  std::string good = with("'<f4'", "False", "(1, 2)");
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_NE(messageOf(good.substr(0, size)), "") << size;
}

TEST(Npy, SizesMustFit) {
  TemporaryFolder folder;
  std::string good =
      npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n",
          std::string(8, 0));
  NpyArray array;
  for (size_t size = 0; size < good.size(); ++size) {
    writeFile(folder / "x.npy", good.substr(0, size));
    EXPECT_EQ(loadNpy(folder / "x.npy", array).code(), INFINI_DATA_ERROR)
        << size;
  }
  writeFile(folder / "x.npy", good + "x");
  EXPECT_NE(loadNpy(folder / "x.npy", array)
                .message()
                .find("expected 8 bytes of data for [2] <f4, got 9"),
            std::string::npos);
  EXPECT_EQ(loadNpy(folder / "y.npy", array).code(), INFINI_USER_ERROR);
}

TEST(Npy, RoundTrips) {
  TemporaryFolder folder;
  std::vector<int64_t> shapes[] = {{}, {3}, {2, 0, 4}, {2, 3, 4}};
  for (const auto &shape : shapes) {
    size_t count = 1;
    for (int64_t dim : shape)
      count *= size_t(dim);
    std::vector<double> values(count);
    for (size_t i = 0; i < count; ++i)
      values[i] = double(i) / 3;
    ASSERT_FALSE(saveNpy(folder / "x.npy", NpyType::f64, shape, values.data(),
                         count * 8));
    NpyArray array;
    Status status = loadNpy(folder / "x.npy", array);
    ASSERT_FALSE(status) << status.message();
    EXPECT_EQ(array.header.shape, shape);
    EXPECT_EQ(array.data.size(), count * 8);
    EXPECT_TRUE(std::equal(array.data.begin(), array.data.end(),
                           reinterpret_cast<uint8_t *>(values.data())));
    // NumPy wants the data aligned.
    EXPECT_EQ((readFile(folder / "x.npy").size() - count * 8) % 64, 0u);
  }
}

TEST(Npy, RowByRow) {
  TemporaryFolder folder;
  {
    NpyWriter writer;
    ASSERT_FALSE(writer.open(folder / "x.npy", NpyType::f32, {2}));
    for (float i = 0; i < 100; ++i) {
      float row[2] = {i, -i};
      ASSERT_FALSE(writer.append(row, 1));
    }
    EXPECT_FALSE(std::filesystem::exists(folder / "x.npy"));
    ASSERT_FALSE(writer.finish());
  }
  NpyArray array;
  Status status = loadNpy(folder / "x.npy", array);
  ASSERT_FALSE(status) << status.message();
  EXPECT_EQ(array.header.shape, (std::vector<int64_t>{100, 2}));
  float last;
  memcpy(&last, &array.data[199 * 4], 4);
  EXPECT_EQ(last, -99);
}

size_t filesIn(const TemporaryFolder &folder) {
  size_t count = 0;
  for (auto &entry : std::filesystem::directory_iterator(folder.path)) {
    (void)entry;
    ++count;
  }
  return count;
}

TEST(OutputFile, IsThereWhollyOrNotAtAll) {
  TemporaryFolder folder;
  writeFile(folder / "old", "old");
  {
    OutputFile file;
    ASSERT_FALSE(file.open(folder / "old"));
    ASSERT_FALSE(file.write("new", 3));
  }
  EXPECT_EQ(readFile(folder / "old"), "old");
  EXPECT_EQ(filesIn(folder), 1u);
  // Through a link the file is replaced, the link stays.
  ASSERT_EQ(symlink("old", (folder / "link").c_str()), 0);
  OutputFile file;
  ASSERT_FALSE(file.open(folder / "link"));
  ASSERT_FALSE(file.write("new", 3));
  ASSERT_FALSE(file.commit());
  EXPECT_EQ(readFile(folder / "old"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(filesIn(folder), 2u);
  // A device is not renamed over.
  ASSERT_FALSE(file.open("/dev/null"));
  ASSERT_FALSE(file.write("x", 1));
  ASSERT_FALSE(file.commit());
  EXPECT_FALSE(std::filesystem::is_regular_file("/dev/null"));
  EXPECT_TRUE(file.open(folder / "no/such/folder"));
}

} // namespace
