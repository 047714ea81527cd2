// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A package as the runtime uses it: plain structs, copied out of the payload
// once and checked. See package.fbs for what the fields mean.

#ifndef INFINI_RUNTIME_PROGRAM_H
#define INFINI_RUNTIME_PROGRAM_H

#include "infini/runtime/element_type.h"
#include "infini/runtime/expression.h"

#include <string>
#include <string_view>
#include <vector>

namespace infini {

constexpr size_t maxRank = 16;
constexpr size_t maxLoopDepth = 8;
constexpr size_t maxKernelSlots = 1024;

enum class PortKind : uint8_t { argument, weight, state, constant };
constexpr unsigned portKindCount = 4;
const char *nameOf(PortKind kind);

struct Dim {
  int64_t value;
  /// -1: static.
  int32_t variable;
};

struct Port {
  std::string name;
  PortKind kind;
  ElementType element;
  std::vector<Dim> dims;
  std::vector<uint32_t> shape;
  int32_t scalarVariable;
  int32_t scalarExpr;
  int32_t buffer;

  bool isScalar() const { return buffer < 0; }
};

struct Buffer {
  bool isArena;
  uint32_t size;
  uint32_t offset;
};

enum class CommandKind : uint8_t { dispatch, gemm, copy, fill, loop };
constexpr unsigned commandKindCount = 5;

struct Command {
  CommandKind kind;
  std::string label;
  std::vector<uint32_t> buffers;
  // dispatch
  uint32_t kernel;
  std::vector<uint32_t> grid;
  std::vector<uint32_t> scalars;
  // gemm
  uint32_t m, n, k;
  bool transposeA, transposeB, accumulate;
  ElementType element;
  // copy, fill
  uint32_t bytes;
  uint64_t pattern;
  uint8_t patternBytes;
  // loop
  uint32_t variable;
  uint32_t tripCount;
  std::vector<Command> body;
};

enum class Relation : uint8_t { equal, multipleOf, atMost };
constexpr unsigned relationCount = 3;

struct Check {
  uint32_t left, right;
  Relation relation;
  std::string message;
};

struct Entry {
  std::string name;
  uint32_t variables;
  std::vector<std::string> variableNames;
  std::vector<Port> inputs, outputs;
  std::vector<Expression> expressions;
  std::vector<Check> checks;
  std::vector<Buffer> buffers;
  uint32_t arenaSize;
  std::vector<Command> commands;

  /// Which variables inputs bind (the others are loop counters); set by
  /// verification.
  std::vector<bool> boundByInput;

  std::string variableName(size_t index) const {
    return index < variableNames.size() ? variableNames[index]
                                        : "v" + std::to_string(index);
  }
};

struct Kernel {
  std::string name;
  uint32_t buffers, scalars, gridRank;
};

/// What targets of one kind share.
struct Variant {
  std::vector<Entry> entries;
  std::vector<Kernel> kernels;

  /// Null when there is none of this name.
  const Entry *findEntry(std::string_view name) const {
    for (const Entry &entry : entries)
      if (entry.name == name)
        return &entry;
    return nullptr;
  }
};

enum class ImageFormat : uint8_t { elf, ptx, cubin };
constexpr unsigned imageFormatCount = 3;

/// What a block of a kernel takes on a GPU.
struct KernelLaunch {
  uint32_t threads, sharedBytes;
};
constexpr uint32_t maxLaunchThreads = 1024;
constexpr uint32_t maxLaunchSharedBytes = 256 << 10;

struct Target {
  std::string kind;
  /// Number in Program::variants.
  uint32_t variant;
  std::string chip;
  ImageFormat format;
  /// One a kernel of the variant, or none.
  std::vector<KernelLaunch> launches;
  std::string triple, cpu;
  std::vector<std::string> features;
  /// Points into the package's bytes.
  const uint8_t *image;
  size_t imageBytes;
};

struct Model {
  std::string fingerprint, config;
  uint32_t vocabSize, layers;
  uint64_t segmentLength, maxTokensPerCall;
};

struct Program {
  std::string producer, source;
  bool hasModel = false;
  Model model;
  std::vector<Variant> variants;
  std::vector<Target> targets;
};

} // namespace infini

#endif // INFINI_RUNTIME_PROGRAM_H
