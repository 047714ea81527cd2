// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a package can be compiled for.

#ifndef INFINI_PASSES_EMIT_TARGETS_H
#define INFINI_PASSES_EMIT_TARGETS_H

#include "infini/passes/emit/HostObject.h"

namespace infini {

/// A GPU's chip, as far as code generation asks.
struct GpuChip {
  llvm::StringLiteral name;
  /// Shared memory that a block may have, in bytes.
  int64_t sharedBytes;
};

struct CompileTarget {
  enum Kind { Cpu, Sim, Nvidia } kind = Cpu;
  /// Of a CPU, and of the host that simulates.
  CpuTarget cpu;
  /// Of a GPU, simulated or not.
  const GpuChip *chip = nullptr;

  bool isGpu() const { return kind != Cpu; }
  /// "cpu:znver4", "sim:sm_80".
  std::string getText() const;
};

/// "cpu", "cpu:<LLVM's name>", "nvidia:<chip>", or "sim:<chip>".
llvm::FailureOr<CompileTarget> parseTarget(llvm::StringRef text,
                                           std::string &error);

} // namespace infini

#endif // INFINI_PASSES_EMIT_TARGETS_H
