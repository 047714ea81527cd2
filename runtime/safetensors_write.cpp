// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/safetensors.h"

#include <algorithm>
#include <nlohmann/json.hpp>

using namespace infini;
using namespace infini::safetensors;

/// Only strings are values of the library's: its objects and arrays allocate
/// when they are destroyed, and end the process if there is no memory.
static std::string quote(const std::string &text) {
  return nlohmann::json(text).dump();
}

static std::string describe(const HeaderEntry &entry) {
  std::string text = quote(entry.name) + ":{\"dtype\":\"" +
                     nameOf(entry.dtype) + "\",\"shape\":[";
  for (size_t i = 0; i < entry.shape.size(); ++i)
    text += (i ? "," : "") + std::to_string(entry.shape[i]);
  return text + "],\"data_offsets\":[" + std::to_string(entry.begin) + "," +
         std::to_string(entry.begin + entry.bytes) + "]}";
}

bool safetensors::makeHeader(const std::vector<HeaderEntry> &entries,
                             const Metadata &metadata, std::string &header) {
  std::vector<std::string_view> names = {"__metadata__"};
  for (const HeaderEntry &entry : entries)
    names.push_back(entry.name);
  std::sort(names.begin(), names.end());
  if (std::adjacent_find(names.begin(), names.end()) != names.end())
    return false;
  std::string text = "{\"__metadata__\":{";
  try {
    for (size_t i = 0; i < metadata.size(); ++i)
      text += (i ? "," : "") + quote(metadata[i].first) + ":" +
              quote(metadata[i].second);
    text += "}";
    for (const HeaderEntry &entry : entries)
      text += "," + describe(entry);
    text += "}";
  } catch (const nlohmann::json::type_error &) {
    return false; // not UTF-8
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  header.clear();
  for (int i = 0; i < 8; ++i)
    header += static_cast<char>(text.size() >> (8 * i));
  header += text;
  return true;
}
