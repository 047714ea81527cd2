// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packages made by hand, for tests.

#ifndef INFINI_TEST_RUNTIME_TEST_PACKAGE_H
#define INFINI_TEST_RUNTIME_TEST_PACKAGE_H

#include "infini/runtime/package.h"

#include <string>
#include <vector>

namespace infini::test {

/// The payload of a program: what package.cpp decodes, encoded.
std::string encode(const Program &program);
/// The whole file.
std::string packageFile(const Program &program);

std::string readFile(const std::string &path);
void writeFile(const std::string &path, const std::string &bytes);

/// A folder of its own for a test, removed with what is in it.
class TemporaryFolder {
public:
  TemporaryFolder();
  ~TemporaryFolder();
  std::string path;
  std::string operator/(const std::string &name) const {
    return path + "/" + name;
  }
};

/// The image of kernels.c; `kind` as the library targets in CMakeLists.txt.
const std::string &kernelImage(const std::string &kind = "good");

/// Adds expressions to an entry and gives their index.
uint32_t constant(Entry &entry, int64_t value);
uint32_t variable(Entry &entry, uint32_t index);
uint32_t apply(Entry &entry, ExpressionOp op, uint32_t left, uint32_t right);

Port tensorPort(const std::string &name, PortKind kind, ElementType element,
                std::vector<Dim> dims, int32_t buffer);
Port outputPort(const std::string &name, PortKind kind, ElementType element,
                std::vector<uint32_t> shape, int32_t buffer);

/// A program with the kernels of kernels.c, the host's target, no entries.
Program emptyProgram();

/// main(a: ?xf32, b: ?xf32) -> ?xf32, by test_add, through an arena buffer and
/// a copy.
Program addProgram();

/// main(tokens: ?xi32) -> ?x256xf32 with the state counts: 256xf32 and fill,
/// the position in a segment of 128, by test_text; the embedding weight "w"
/// (4xf32) is doubled into the constant "w2" by main.init, and added to the
/// first counts of nothing: only its presence matters.
Program textProgram(int64_t vocabSize = 256, uint64_t maxTokensPerCall = 16);

/// The bytes of a safetensors file with the tensor "w": 4xf32 = 1, 2, 3, 4.
std::string textWeights();

} // namespace infini::test

#endif // INFINI_TEST_RUNTIME_TEST_PACKAGE_H
