// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/cli/tensors.h"
#include "infini/runtime/npy.h"
#include "infini/runtime/small_float.h"

#include <charconv>
#include <cmath>
#include <cstring>

using namespace infini;
using namespace infini::cli;

bool cli::isFloat(ElementType element) {
  return element == ElementType::f32 || element == ElementType::f64 ||
         element == ElementType::f16 || element == ElementType::bf16;
}

std::string cli::typeText(ElementType element,
                          const std::vector<int64_t> &shape) {
  std::string result;
  for (int64_t dim : shape)
    result += (dim < 0 ? "?" : std::to_string(dim)) + "x";
  return result + nameOf(element);
}

template <typename T>
static T loadAs(const std::vector<uint8_t> &data, int64_t index) {
  T value;
  std::memcpy(&value, data.data() + size_t(index) * sizeof value, sizeof value);
  return value;
}

int64_t HostTensor::integerAt(int64_t index) const {
  switch (element) {
  case ElementType::i1:
    return loadAs<uint8_t>(data, index);
  case ElementType::i8:
    return loadAs<int8_t>(data, index);
  case ElementType::i16:
    return loadAs<int16_t>(data, index);
  case ElementType::i32:
    return loadAs<int32_t>(data, index);
  case ElementType::i64:
    return loadAs<int64_t>(data, index);
  default:
    return 0;
  }
}

double HostTensor::valueAt(int64_t index) const {
  switch (element) {
  case ElementType::f32:
    return loadAs<float>(data, index);
  case ElementType::f64:
    return loadAs<double>(data, index);
  case ElementType::f16:
    return Float16::toDouble(loadAs<uint16_t>(data, index));
  case ElementType::bf16:
    return BFloat16::toDouble(loadAs<uint16_t>(data, index));
  default:
    return static_cast<double>(integerAt(index));
  }
}

std::string HostTensor::textAt(int64_t index) const {
  char text[64];
  char *end = text;
  if (element == ElementType::f64)
    end = std::to_chars(text, text + sizeof text, valueAt(index)).ptr;
  else if (element == ElementType::f32)
    end = std::to_chars(text, text + sizeof text,
                        static_cast<float>(valueAt(index)))
              .ptr;
  else if (isFloat(element)) // five digits are enough for 16 bits
    end = text + snprintf(text, sizeof text, "%.5g", valueAt(index));
  else
    end = std::to_chars(text, text + sizeof text, integerAt(index)).ptr;
  return std::string(text, end);
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

static bool toElementType(NpyType type, ElementType wanted,
                          ElementType &element) {
  switch (type) {
  case NpyType::f16:
    return element = ElementType::f16, true;
  case NpyType::f32:
    return element = ElementType::f32, true;
  case NpyType::f64:
    return element = ElementType::f64, true;
  case NpyType::b1:
    return element = ElementType::i1, true;
  case NpyType::i8:
    return element = ElementType::i8, true;
  case NpyType::i16:
    return element = ElementType::i16, true;
  case NpyType::i32:
    return element = ElementType::i32, true;
  case NpyType::i64:
    return element = ElementType::i64, true;
  case NpyType::u16:
    return element = ElementType::bf16, wanted == ElementType::bf16;
  default:
    return false;
  }
}

static NpyType toNpyType(ElementType element) {
  switch (element) {
  case ElementType::f32:
    return NpyType::f32;
  case ElementType::f64:
    return NpyType::f64;
  case ElementType::f16:
    return NpyType::f16;
  case ElementType::bf16:
    return NpyType::u16;
  case ElementType::i1:
    return NpyType::b1;
  case ElementType::i8:
    return NpyType::i8;
  case ElementType::i16:
    return NpyType::i16;
  case ElementType::i32:
    return NpyType::i32;
  case ElementType::i64:
    return NpyType::i64;
  }
  return NpyType::f32;
}

Status cli::readTensor(const std::string &text, ElementType wanted,
                       HostTensor &tensor) {
  if (text.empty() || text[0] != '@')
    return parseTensor(text, tensor);
  NpyArray array;
  std::string path = text.substr(1);
  INFINI_TRY(loadNpy(path, array));
  if (!toElementType(array.header.type, wanted, tensor.element))
    return userError(quoted(path), ": expected ", nameOf(wanted),
                     ", got elements of type '",
                     descriptionOf(array.header.type), "'");
  if (array.header.shape.size() > INFINI_MAX_RANK)
    return userError(quoted(path), ": expected at most ", INFINI_MAX_RANK,
                     " dimensions, got ", array.header.shape.size());
  tensor.shape = std::move(array.header.shape);
  tensor.data = std::move(array.data);
  return Status();
}

Status cli::writeTensor(const std::string &path, ElementType element,
                        const std::vector<int64_t> &shape, const void *data,
                        size_t bytes) {
  return saveNpy(path, toNpyType(element), shape, data, bytes);
}

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

namespace {

class Printer {
public:
  explicit Printer(const HostTensor &tensor)
      : tensor(tensor), isLong(tensor.elements() > 256) {}

  std::string run() {
    print(0, 0);
    return std::move(text);
  }

private:
  void print(size_t dim, int64_t index) {
    if (dim == tensor.shape.size()) {
      text += tensor.textAt(index);
      return;
    }
    // Of a long dimension the two ends.
    constexpr int64_t shown = 3;
    int64_t size = tensor.shape[dim];
    bool isInner = dim + 1 == tensor.shape.size();
    text += '[';
    for (int64_t i = 0; i < size; ++i) {
      if (i)
        text += isInner ? ", " : ",\n" + std::string(dim + 1, ' ');
      if (isLong && size > 2 * shown + 2 && i == shown) {
        text += "...";
        i = size - shown - 1;
        continue;
      }
      print(dim + 1, index * size + i);
    }
    text += ']';
  }

  const HostTensor &tensor;
  bool isLong;
  std::string text;
};

} // namespace

std::string cli::printTensor(const HostTensor &tensor) {
  // Without elements the brackets would say nothing, and could be many.
  if (tensor.elements() == 0)
    return "[]";
  return Printer(tensor).run();
}

std::string cli::placeText(int64_t index, const std::vector<int64_t> &shape) {
  std::vector<int64_t> place(shape.size());
  for (size_t i = shape.size(); i-- > 0;) {
    place[i] = index % shape[i];
    index /= shape[i];
  }
  return shapeText(place.data(), place.size());
}

//===----------------------------------------------------------------------===//
// Comparing
//===----------------------------------------------------------------------===//

Tolerance cli::defaultTolerance(ElementType element) {
  switch (element) {
  case ElementType::f64:
    return {1e-9, 1e-12};
  case ElementType::f32:
    return {1e-5, 1e-6};
  case ElementType::f16:
    return {2e-3, 1e-4};
  case ElementType::bf16:
    return {1.6e-2, 1e-3};
  default:
    return {0, 0};
  }
}

Difference cli::compare(const HostTensor &got, const HostTensor &expected,
                        Tolerance tolerance) {
  Difference result;
  bool isExact = !isFloat(got.element) && !isFloat(expected.element) &&
                 tolerance.relative == 0 && tolerance.absolute == 0;
  for (int64_t i = 0; i < got.elements(); ++i) {
    double a = got.valueAt(i), b = expected.valueAt(i);
    double error = std::fabs(a - b);
    bool same;
    if (isExact)
      same = got.integerAt(i) == expected.integerAt(i);
    else if (std::isnan(a) || std::isnan(b))
      same = std::isnan(a) && std::isnan(b);
    else if (std::isinf(a) || std::isinf(b))
      same = a == b;
    else
      same = error <= tolerance.absolute + tolerance.relative * std::fabs(b);
    if (same)
      continue;
    if (std::isnan(error))
      error = HUGE_VAL;
    if (result.count++ == 0)
      result.first = i;
    if (result.worst < 0 || error > result.largest) {
      result.worst = i;
      result.largest = error;
    }
  }
  return result;
}
