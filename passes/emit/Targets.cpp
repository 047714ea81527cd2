// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names of targets.

#include "infini/passes/emit/Targets.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace mlir;
using namespace infini;

/// Chips whose code uses the instructions of sm_80. Source of the sizes: CUDA
/// C++ Programming Guide, "Technical Specifications per Compute Capability".
static constexpr GpuChip chips[] = {{"sm_80", 163 * 1024},
                                    {"sm_86", 99 * 1024},
                                    {"sm_89", 99 * 1024},
                                    {"sm_90", 227 * 1024}};

static std::string chipNames(StringRef prefix) {
  std::string names;
  for (const GpuChip &chip : chips)
    names += (names.empty() ? "" : ", ") + prefix.str() + chip.name.str();
  return names;
}

std::string CompileTarget::getText() const {
  switch (kind) {
  case Cpu:
    return "cpu:" + cpu.cpu;
  case Sim:
    return "sim:" + chip->name.str();
  case Nvidia:
    return "nvidia:" + chip->name.str();
  }
  llvm_unreachable("a kind of target");
}

FailureOr<CompileTarget> infini::parseTarget(StringRef text,
                                             std::string &error) {
  CompileTarget target;
  auto [kind, rest] = text.split(':');
  auto fail = [&](const Twine &why) {
    error = why.str();
    return failure();
  };
  if (kind == "cpu") {
    if (rest.empty() && text.contains(':'))
      return fail("expected a CPU's name behind 'cpu:', such as cpu:x86-64-v3");
  } else if (kind == "nvidia" || kind == "sim") {
    target.kind = kind == "sim" ? CompileTarget::Sim : CompileTarget::Nvidia;
    const GpuChip *chip = llvm::find_if(
        chips, [&](const GpuChip &chip) { return chip.name == rest; });
    if (chip == std::end(chips))
      return fail("no code is made for the chip '" + rest + "' of target '" +
                  text + "'; available: " + chipNames((kind + ":").str()));
    target.chip = chip;
    rest = {};
  } else {
    return fail("unknown target '" + text +
                "'; available: cpu, cpu:<name> (such as cpu:x86-64-v3), " +
                chipNames("nvidia:") + ", " + chipNames("sim:"));
  }
  if (target.kind == CompileTarget::Nvidia)
    return target;
  FailureOr<CpuTarget> cpu =
      cpuTarget(rest.empty() ? "host" : rest.str(), error);
  if (failed(cpu))
    return failure();
  target.cpu = *cpu;
  return target;
}
