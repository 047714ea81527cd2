// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/nearest_name.h"
#include "infini/runtime/safetensors.h"
#include "test_package.h"

#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace infini;
using namespace infini::test;
namespace st = infini::safetensors;

namespace {

std::string file(const std::string &header, size_t dataBytes) {
  std::string bytes(8, 0);
  for (int i = 0; i < 8; ++i)
    bytes[size_t(i)] = char(header.size() >> (8 * i));
  return bytes + header + std::string(dataBytes, 'x');
}

st::Error read(const std::string &bytes, std::vector<st::Tensor> &tensors) {
  // A copy of exactly this size, so that a sanitizer sees each byte too many.
  std::vector<uint8_t> exact(bytes.begin(), bytes.end());
  st::Error error = st::readContents(exact.data(), exact.size(), tensors);
  return error;
}

void expectRefused(const std::string &header, size_t dataBytes,
                   const std::string &message) {
  std::vector<st::Tensor> tensors;
  st::Error error = read(file(header, dataBytes), tensors);
  EXPECT_EQ(error.kind, st::Error::data) << header;
  EXPECT_NE(error.message.find(message), std::string::npos)
      << header << "\n  " << error.message;
}

std::string tensor(const std::string &name, const std::string &dtype,
                   const std::string &shape, const std::string &offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":[" + shape +
         "],\"data_offsets\":[" + offsets + "]}";
}

TEST(Safetensors, Reads) {
  std::vector<st::Tensor> tensors;
  st::Error error =
      read(file("{\"__metadata__\":{\"format\":\"pt\"}," +
                    tensor("b", "BF16", "2,3", "8,20") + "," +
                    tensor("a", "F32", "2", "0,8") + "," +
                    tensor("scalar", "I64", "", "20,28") + "," +
                    tensor("empty", "F64", "0,7", "28,28") + "}   ",
                28),
           tensors);
  ASSERT_FALSE(error) << error.message;
  ASSERT_EQ(tensors.size(), 4u);
  EXPECT_EQ(tensors[0].name, "a");
  EXPECT_EQ(tensors[1].name, "b");
  EXPECT_EQ(tensors[1].dtype, st::Dtype::BF16);
  EXPECT_EQ(tensors[1].shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(tensors[1].bytes, 12u);
  EXPECT_EQ(tensors[2].name, "empty");
  EXPECT_EQ(tensors[3].shape.size(), 0u);
  // Written by others, without tensors.
  EXPECT_FALSE(read(file("{}", 0), tensors));
}

TEST(Safetensors, Headers) {
  expectRefused("", 0, "to begin with '{'");
  expectRefused("[]", 0, "to begin with '{'");
  expectRefused("{", 0, "not JSON");
  expectRefused("{}x", 0, "not JSON");
  expectRefused("{\"a\"}", 0, "not JSON");
  expectRefused("{\"a\":1}", 0, "did not expect the number 1");
  expectRefused("{\"a\":[]}", 0, "did not expect an array");
  expectRefused("{\"a\":null}", 0, "did not expect null");
  expectRefused("{\"a\":{}}", 0, "expected 'dtype', 'shape'");
  expectRefused("{\"a\":{\"dtype\":\"F32\"}}", 0, "expected 'dtype', 'shape'");
  expectRefused("{\"a\":{\"dtype\":3}}", 0, "did not expect the number 3");
  expectRefused("{\"a\":{\"dtype\":{}}}", 0, "did not expect an object");
  expectRefused("{\"a\":{\"shape\":\"2\"}}", 0,
                "did not expect the string '2'");
  expectRefused("{\"a\":{\"shape\":[-2]}}", 0, "the negative number -2");
  expectRefused("{\"a\":{\"shape\":[2.5]}}", 0, "the number 2.5");
  expectRefused("{\"a\":{\"shape\":[[2]]}}", 0, "did not expect an array");
  expectRefused("{\"a\":{\"shape\":[true]}}", 0, "a truth value");
  expectRefused("{\"a\":{\"colour\":[2]}}", 0,
                "did not expect the key 'colour'");
  expectRefused("{\"a\":{\"shape\":[],\"shape\":[]}}", 0,
                "'shape' stands there twice");
  expectRefused("{\"__metadata__\":{\"a\":1}}", 0,
                "did not expect the number 1");
  expectRefused("{\"__metadata__\":{},\"__metadata__\":{}}", 0,
                "stands there twice");
  expectRefused("{\"__metadata__\":3}", 0, "did not expect the number 3");
  expectRefused("{" + tensor("a", "F32", "0", "0,0") + "," +
                    tensor("a", "F32", "0", "0,0") + "}",
                0, "tensor 'a' stands there twice");
  std::string deep(100000, '[');
  expectRefused("{\"a\":" + deep, 0, "did not expect an array");
}

TEST(Safetensors, Contents) {
  auto one = [](const char *dtype, const char *shape, const char *offsets) {
    return "{" + tensor("a", dtype, shape, offsets) + "}";
  };
  expectRefused(one("F31", "2", "0,8"), 8, "unknown dtype 'F31'");
  expectRefused(one("F32", "3", "0,8"), 8,
                "expected 12 bytes of data for its shape and dtype, got 8");
  expectRefused(one("F32", "2", "8,0"), 8, "ends before");
  expectRefused(one("F32", "2", "0,8"), 7, "is it truncated?");
  expectRefused(one("F32", "2", "0"), 8, "expected 2 data offsets, got 1");
  expectRefused(one("F32", "2", "0,8"), 9, "the last 1 bytes");
  expectRefused(one("F32", "2", "4,12"), 12, "4 bytes before its data");
  expectRefused(one("F32", "4611686018427387904,4", "0,8"), 8, "64 bits");
  expectRefused(one("F32", "18446744073709551615", "0,8"), 8, "64 bits");
  expectRefused(one("F32", "99999999999999999999", "0,8"), 8, "the number");
  expectRefused("{" + tensor("a", "F32", "2", "0,8") + "," +
                    tensor("b", "F32", "2", "4,12") + "}",
                12, "overlaps");
  expectRefused("{" + tensor("a", "F32", "2", "0,8") + "," +
                    tensor("b", "F32", "2", "12,20") + "}",
                20, "tensor 'b': 4 bytes before its data");
}

TEST(Safetensors, EveryTruncation) {
  std::string good = file("{" + tensor("a", "F32", "2", "0,8") + "," +
                              tensor("b", "F16", "2", "8,12") + "}",
                          12);
  std::vector<st::Tensor> tensors;
  ASSERT_FALSE(read(good, tensors));
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_TRUE(read(good.substr(0, size), tensors)) << size;
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = good;
    damaged[random() % damaged.size()] = char(random());
    (void)read(damaged, tensors);
  }
  // A header's length that is no length.
  for (int i = 0; i < 8; ++i) {
    std::string damaged = good;
    damaged[size_t(i)] = char(0xff);
    EXPECT_TRUE(read(damaged, tensors));
  }
}

TEST(Safetensors, Shards) {
  TemporaryFolder folder;
  std::unique_ptr<const st::Model> model;
  auto messageOf = [&]() {
    st::Error error = st::Model::open(folder.path, model);
    return error.message;
  };
  EXPECT_NE(messageOf().find("has neither 'model.safetensors' nor"),
            std::string::npos);
  writeFile(folder / "one.safetensors",
            file("{" + tensor("a", "F32", "2", "0,8") + "}", 8));
  writeFile(folder / "two.safetensors",
            file("{" + tensor("b", "F32", "1", "0,4") + "," +
                     tensor("unlisted", "F32", "1", "4,8") + "}",
                 8));
  auto index = [&](const std::string &map) {
    writeFile(folder / "model.safetensors.index.json",
              "{\"metadata\":{\"total_size\":12,\"x\":[{}]},\"weight_map\":{" +
                  map + "}}");
  };
  index("\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"");
  ASSERT_EQ(messageOf(), "");
  ASSERT_EQ(model->tensors().size(), 2u);
  ASSERT_NE(model->find("b"), nullptr);
  EXPECT_EQ(model->find("b")->data[0], 'x');
  EXPECT_EQ(model->find("unlisted"), nullptr);

  index("\"a\":\"three.safetensors\"");
  EXPECT_NE(messageOf().find("'three.safetensors' of tensor 'a' is missing"),
            std::string::npos);
  index("\"a\":\"two.safetensors\"");
  EXPECT_NE(messageOf().find("tensor 'a' is not in its shard"),
            std::string::npos);
  index("\"a\":\"../one.safetensors\"");
  EXPECT_NE(messageOf().find("the name of a file in the same folder"),
            std::string::npos);
  index("\"a\":\"one.safetensors\",\"a\":\"one.safetensors\"");
  EXPECT_NE(messageOf().find("stands there twice"), std::string::npos);
  index("\"a\":1");
  EXPECT_NE(
      messageOf().find("tensor 'a' in 'weight_map': did not expect a number"),
      std::string::npos);
  writeFile(folder / "model.safetensors.index.json", "{}");
  EXPECT_NE(messageOf().find("expected the key 'weight_map'"),
            std::string::npos);
  writeFile(folder / "model.safetensors.index.json", "");
  EXPECT_NE(messageOf().find("not JSON"), std::string::npos);
}

TEST(NearestName, Distance) {
  EXPECT_EQ(editDistance("", "abc"), 3u);
  EXPECT_EQ(editDistance("kitten", "sitting"), 3u);
  EXPECT_EQ(editDistance("same", "same"), 0u);
  std::vector<std::string> names = {"q_proj.weight", "k_proj.weight", "norm"};
  EXPECT_EQ(nearestName("norn", names), "norm");
  EXPECT_EQ(nearestName("x", std::vector<std::string>()), "");
}

} // namespace
