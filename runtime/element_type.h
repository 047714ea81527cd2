// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The element types of packages, files and the C interface: one list.

#ifndef INFINI_RUNTIME_ELEMENT_TYPE_H
#define INFINI_RUNTIME_ELEMENT_TYPE_H

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace infini {

/// X(name, bytes), in the order of package.fbs.
#define INFINI_ELEMENT_TYPES(X)                                                \
  X(f32, 4)                                                                    \
  X(f64, 8) X(f16, 2) X(bf16, 2) X(i1, 1) X(i8, 1) X(i16, 2) X(i32, 4) X(i64, 8)

enum class ElementType : uint8_t {
#define INFINI_DECLARE(name, bytes) name,
  INFINI_ELEMENT_TYPES(INFINI_DECLARE)
#undef INFINI_DECLARE
};

#define INFINI_COUNT(name, bytes) +1
constexpr unsigned elementTypeCount = INFINI_ELEMENT_TYPES(INFINI_COUNT);
#undef INFINI_COUNT

constexpr size_t bytesOf(ElementType type) {
#define INFINI_BYTES(name, bytes) bytes,
  constexpr uint8_t table[] = {INFINI_ELEMENT_TYPES(INFINI_BYTES)};
#undef INFINI_BYTES
  return table[static_cast<unsigned>(type)];
}

constexpr const char *nameOf(ElementType type) {
#define INFINI_NAME(name, bytes) #name,
  constexpr const char *table[] = {INFINI_ELEMENT_TYPES(INFINI_NAME)};
#undef INFINI_NAME
  return table[static_cast<unsigned>(type)];
}

/// False when there is no type of this name.
inline bool parseElementType(std::string_view name, ElementType &type) {
  for (unsigned i = 0; i < elementTypeCount; ++i) {
    type = static_cast<ElementType>(i);
    if (name == nameOf(type))
      return true;
  }
  return false;
}

/// False when the number of bytes does not fit, or a dimension is negative.
inline bool tensorBytes(ElementType type, const int64_t *shape, size_t rank,
                        int64_t &bytes) {
  // A dimension of 0 makes the others irrelevant, even if they overflow
  // together.
  bytes = static_cast<int64_t>(bytesOf(type));
  for (size_t i = 0; i < rank; ++i)
    if (shape[i] < 0)
      return false;
  for (size_t i = 0; i < rank; ++i)
    if (shape[i] == 0) {
      bytes = 0;
      return true;
    }
  for (size_t i = 0; i < rank; ++i)
    if (__builtin_mul_overflow(bytes, shape[i], &bytes))
      return false;
  return true;
}

} // namespace infini

#endif // INFINI_RUNTIME_ELEMENT_TYPE_H
