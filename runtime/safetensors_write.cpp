// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/safetensors.h"

#include <nlohmann/json.hpp>

using namespace infini;
using namespace infini::safetensors;

/// In the order in which it is filled, so that the same contents give the same
/// bytes.
using Json = nlohmann::ordered_json;

bool safetensors::makeHeader(const std::vector<HeaderEntry> &entries,
                             const Metadata &metadata, std::string &header) {
  Json top = Json::object();
  Json &texts = top["__metadata__"] = Json::object();
  for (const auto &[key, value] : metadata)
    texts[key] = value;
  for (const HeaderEntry &entry : entries) {
    if (top.contains(entry.name))
      return false;
    top[entry.name] = {
        {"dtype", nameOf(entry.dtype)},
        {"shape", entry.shape},
        {"data_offsets", {entry.begin, entry.begin + uint64_t(entry.bytes)}}};
  }
  std::string text;
  try {
    text = top.dump();
  } catch (const Json::type_error &) {
    return false;
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  header.clear();
  for (int i = 0; i < 8; ++i)
    header += static_cast<char>(text.size() >> (8 * i));
  header += text;
  return true;
}
