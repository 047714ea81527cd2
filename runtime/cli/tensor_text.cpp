// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensors written on the command line: 2x3xf32=1,2,3,4,5,6

#include "infini/runtime/cli/tensors.h"
#include "infini/runtime/small_float.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>

using namespace infini;
using namespace infini::cli;

static Status parseType(const std::string &text, HostTensor &tensor) {
  size_t at = 0;
  for (size_t end; (end = text.find('x', at)) != std::string::npos;
       at = end + 1) {
    int64_t dim = 0;
    bool good = end > at;
    for (size_t i = at; i < end; ++i)
      good = good && text[i] >= '0' && text[i] <= '9' &&
             !__builtin_mul_overflow(dim, int64_t(10), &dim) &&
             !__builtin_add_overflow(dim, int64_t(text[i] - '0'), &dim);
    if (!good) // "index" has an x too
      break;
    tensor.shape.push_back(dim);
  }
  std::string type = text.substr(at);
  if (type == "index") {
    tensor.element = ElementType::i64;
    return Status();
  }
  if (!parseElementType(type, tensor.element))
    return userError("unknown element type ", quoted(type),
                     ", expected f32, "
                     "f64, f16, bf16, i1, i8, i16, i32, i64 or index");
  return Status();
}

template <typename T> static void append(std::vector<uint8_t> &data, T value) {
  auto *bytes = reinterpret_cast<const uint8_t *>(&value);
  data.insert(data.end(), bytes, bytes + sizeof value);
}

template <typename T>
static bool appendInteger(std::vector<uint8_t> &data, long long value) {
  if (value < std::numeric_limits<T>::min() ||
      value > std::numeric_limits<T>::max())
    return false;
  append(data, static_cast<T>(value));
  return true;
}

static bool appendFloat(const std::string &text, HostTensor &tensor) {
  char *end;
  double value = strtod(text.c_str(), &end);
  if (text.empty() || *end)
    return false;
  switch (tensor.element) {
  case ElementType::f64:
    append(tensor.data, value);
    break;
  case ElementType::f32:
    // Rounded once, from the decimal digits.
    append(tensor.data, strtof(text.c_str(), nullptr));
    break;
  case ElementType::f16:
    append(tensor.data, Float16::fromDouble(value));
    break;
  default:
    append(tensor.data, BFloat16::fromDouble(value));
    break;
  }
  return true;
}

/// False when the text is no number of the tensor's type.
static bool appendValue(const std::string &text, HostTensor &tensor) {
  if (isFloat(tensor.element))
    return appendFloat(text, tensor);
  if (tensor.element == ElementType::i1 && (text == "true" || text == "false"))
    return appendInteger<uint8_t>(tensor.data, text == "true");
  char *end;
  errno = 0;
  long long value = strtoll(text.c_str(), &end, 10);
  if (text.empty() || *end || errno)
    return false;
  switch (tensor.element) {
  case ElementType::i1:
    return (value == 0 || value == 1) &&
           appendInteger<uint8_t>(tensor.data, value);
  case ElementType::i8:
    return appendInteger<int8_t>(tensor.data, value);
  case ElementType::i16:
    return appendInteger<int16_t>(tensor.data, value);
  case ElementType::i32:
    return appendInteger<int32_t>(tensor.data, value);
  default:
    return appendInteger<int64_t>(tensor.data, value);
  }
}

Status cli::parseTensor(const std::string &text, HostTensor &tensor) {
  tensor = HostTensor();
  std::string place = "tensor " + quoted(text);
  size_t equals = text.find('=');
  if (equals == std::string::npos)
    return userError(place, ": expected '@file.npy' or a type, '=' and values, "
                            "such as 2x3xf32=1,2,3,4,5,6");
  INFINI_TRY_AT(parseType(text.substr(0, equals), tensor), place);
  if (tensor.shape.size() > INFINI_MAX_RANK)
    return userError(place, ": expected at most ", INFINI_MAX_RANK,
                     " dimensions");
  int64_t bytes;
  if (!tensorBytes(tensor.element, tensor.shape.data(), tensor.shape.size(),
                   bytes))
    return userError(place, ": its size does not fit 64 bits");
  int64_t elements = bytes / static_cast<int64_t>(bytesOf(tensor.element));
  int64_t count = 0;
  std::string values = text.substr(equals + 1);
  for (size_t at = 0; at <= values.size() && !values.empty(); ++count) {
    size_t end = std::min(values.find(',', at), values.size());
    if (!appendValue(values.substr(at, end - at), tensor))
      return userError(place, ": value ", count, ": expected ",
                       nameOf(tensor.element), ", got ",
                       quoted(values.substr(at, end - at)));
    at = end + 1;
  }
  if (count == 1 && elements != 1) {
    // One number for all.
    std::vector<uint8_t> unit = std::move(tensor.data);
    tensor.data.resize(static_cast<size_t>(bytes));
    for (size_t at = 0; at < tensor.data.size(); at += unit.size())
      std::memcpy(&tensor.data[at], unit.data(), unit.size());
  } else if (count != elements) {
    return userError(place, ": expected ", elements,
                     " values (or 1 for all), got ", count);
  }
  return Status();
}
