// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "state_bytes.h"

#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>
// Not the runtime's way to the hash: this says independently what a file has.
#define XXH_INLINE_ALL
#include <xxhash.h>

using namespace infini::test;

static std::string hash(const std::string &bytes) {
  XXH128_hash_t value = XXH3_128bits(bytes.data(), bytes.size());
  char text[40];
  snprintf(text, sizeof text, "%016llx%016llx",
           static_cast<unsigned long long>(value.high64),
           static_cast<unsigned long long>(value.low64));
  return text;
}

StateBytes::StateBytes(const std::string &file) {
  uint64_t bytes;
  std::memcpy(&bytes, file.data(), sizeof bytes);
  header = file.substr(8, bytes);
  data = file.substr(8 + bytes);
}

StateBytes &StateBytes::replace(const std::string &from,
                                const std::string &to) {
  size_t at = header.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  EXPECT_EQ(header.find(from, at + 1), std::string::npos) << from;
  header.replace(at, from.size(), to);
  return *this;
}

std::string StateBytes::value(const std::string &key) const {
  std::string wanted = "\"" + key + "\":\"";
  size_t at = header.find(wanted);
  EXPECT_NE(at, std::string::npos) << key;
  at += wanted.size();
  return header.substr(at, header.find('"', at) - at);
}

StateBytes &StateBytes::setValue(const std::string &key,
                                 const std::string &text) {
  std::string start = "\"" + key + "\":\"";
  return replace(start + value(key) + "\"", start + text + "\"");
}

StateBytes &StateBytes::sealTensor(const std::string &name, size_t begin,
                                   size_t bytes) {
  return setValue("infini.checksum." + name, hash(data.substr(begin, bytes)));
}

std::string StateBytes::unsealed() const {
  uint64_t bytes = header.size();
  return std::string(reinterpret_cast<const char *>(&bytes), sizeof bytes) +
         header + data;
}

std::string StateBytes::sealed() {
  setValue("infini.header", std::string(32, '0'));
  std::string file = unsealed();
  setValue("infini.header", hash(file.substr(0, 8 + header.size())));
  return unsealed();
}
