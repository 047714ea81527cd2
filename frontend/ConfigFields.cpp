// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "infini/frontend/ConfigFields.h"
#include "infini/frontend/Failure.h"

#include <cmath>
#include <limits>

using namespace infini;
using namespace llvm;

/// A value as JSON, which escapes what would garble a terminal; long ones cut.
static std::string shortText(const json::Value &value) {
  constexpr size_t longest = 60;
  std::string text = textOf(value);
  if (text.size() <= longest)
    return text;
  size_t end = longest;
  // Not inside a UTF-8 sequence.
  while (end && (text[end] & 0xC0) == 0x80)
    --end;
  return text.substr(0, end) + "...";
}

bool ConfigFields::has(StringRef name) const {
  const json::Value *value = object.get(name);
  return value && value->kind() != json::Value::Null;
}

void ConfigFields::refuse(StringRef name, StringRef expected, StringRef hint) {
  if (!problem.empty())
    return;
  const json::Value *value = object.get(name);
  problem =
      textOf("field '", prefix, name, "': expected ", expected,
             value ? ", got " + shortText(*value) : ", but it is missing");
  if (!hint.empty())
    problem += textOf(" (", hint, ")");
}

int64_t ConfigFields::size(StringRef name, std::optional<int64_t> absent,
                           StringRef hint) {
  if (absent && !has(name))
    return *absent;
  // Dimensions beyond this would not fit tokens of i32, and lets the product of
  // two always fit.
  constexpr int64_t largest = std::numeric_limits<int32_t>::max();
  const json::Value *value = object.get(name);
  std::optional<int64_t> number = value ? value->getAsInteger() : std::nullopt;
  if (number && *number >= 1 && *number <= largest)
    return *number;
  refuse(name, textOf("a whole number from 1 to ", largest), hint);
  return 1;
}

double ConfigFields::positive(StringRef name, std::optional<double> absent) {
  if (absent && !has(name))
    return *absent;
  const json::Value *value = object.get(name);
  std::optional<double> number = value ? value->getAsNumber() : std::nullopt;
  if (number && std::isfinite(*number) && *number > 0)
    return *number;
  refuse(name, "a finite number above 0");
  return 1;
}

bool ConfigFields::flag(StringRef name, bool absent) {
  if (!has(name))
    return absent;
  if (std::optional<bool> value = object.getBoolean(name))
    return *value;
  refuse(name, "true or false");
  return absent;
}

size_t ConfigFields::oneOf(StringRef name, ArrayRef<StringRef> known,
                           std::optional<size_t> absent) {
  if (absent && !has(name))
    return *absent;
  if (std::optional<StringRef> word = object.getString(name)) {
    const StringRef *found = llvm::find(known, *word);
    if (found != known.end())
      return found - known.begin();
  }
  std::string names;
  interleave(
      known, [&](StringRef word) { names += ("\"" + word + "\"").str(); },
      [&] { names += " or "; });
  refuse(name, names);
  return 0;
}

const json::Object *ConfigFields::nested(StringRef name) {
  if (!has(name))
    return nullptr;
  const json::Object *value = object.getObject(name);
  if (!value)
    refuse(name, "an object");
  return value;
}
