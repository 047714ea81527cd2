// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensors of the command line: read from .npy files or from text, compared,
// printed, written.

#ifndef INFINI_RUNTIME_CLI_TENSORS_H
#define INFINI_RUNTIME_CLI_TENSORS_H

#include "infini/runtime/element_type.h"
#include "infini/runtime/status.h"

#include <string>
#include <vector>

namespace infini::cli {

struct HostTensor {
  ElementType element = ElementType::f32;
  std::vector<int64_t> shape;
  std::vector<uint8_t> data;

  int64_t elements() const {
    return static_cast<int64_t>(data.size() / bytesOf(element));
  }
  /// As a double: exact for all types but i64 beyond 2^53.
  double valueAt(int64_t index) const;
  int64_t integerAt(int64_t index) const;
  /// The number as it is written: the shortest text that reads back the same.
  std::string textAt(int64_t index) const;
};

bool isFloat(ElementType element);

/// "2x3xf32".
std::string typeText(ElementType element, const std::vector<int64_t> &shape);

/// Reads "@x.npy" or "2x3xf32=1,2,...". `wanted` is the type that it is for: a
/// .npy file cannot say bf16, so unsigned 16-bit integers are taken for it.
Status readTensor(const std::string &text, ElementType wanted,
                  HostTensor &tensor);
/// The second form alone.
Status parseTensor(const std::string &text, HostTensor &tensor);

/// bf16 is written as unsigned 16-bit integers.
Status writeTensor(const std::string &path, ElementType element,
                   const std::vector<int64_t> &shape, const void *data,
                   size_t bytes);

/// For reading; long tensors are shortened.
std::string printTensor(const HostTensor &tensor);

struct Tolerance {
  double relative, absolute;
};
/// What two honest ways of computing may differ by in a type, unless told.
Tolerance defaultTolerance(ElementType element);

struct Difference {
  int64_t count = 0;
  /// The first that differs, and the largest difference (infinite where only
  /// one is NaN or they are infinite otherwise).
  int64_t first = -1;
  int64_t worst = -1;
  double largest = 0;
};
/// |got - expected| <= absolute + relative * |expected|; NaN agrees with NaN.
/// The shapes are equal. Integers are compared as integers if the tolerances
/// are 0.
Difference compare(const HostTensor &got, const HostTensor &expected,
                   Tolerance tolerance);

/// "[1, 0, 2]".
std::string placeText(int64_t index, const std::vector<int64_t> &shape);

} // namespace infini::cli

#endif // INFINI_RUNTIME_CLI_TENSORS_H
