// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiler as one call: what infini-compile does.

#ifndef INFINI_PASSES_EMIT_COMPILE_H
#define INFINI_PASSES_EMIT_COMPILE_H

#include "infini/frontend/Config.h"
#include "infini/passes/infini/ScheduleCost.h"
#include "mlir/IR/DialectRegistry.h"
#include "llvm/ADT/StringRef.h"
#include <functional>
#include <string>
#include <vector>

namespace infini {

/// A stage whose result can be written instead of a package.
enum class Stage {
  Infini,
  Dispatch,
  Program,
  Tile,
  Vector,
  Lanes,
  LLVM,
  Assembly,
  Package
};

struct CompileOptions {
  /// A model folder, or an .mlir file.
  std::string input;
  /// Where the result goes; "-" is standard output.
  std::string output;
  /// "cpu", or "cpu:<LLVM's name of a CPU>". None: the host.
  std::vector<std::string> targets;
  /// Compile this function of an .mlir file alone; empty: all public ones.
  std::string entry;
  Stage stage = Stage::Package;
  /// The stage that the input is at: what --emit wrote, perhaps changed.
  /// Infini, Tile, or Lanes.
  Stage from = Stage::Infini;
  Schedule schedule = Schedule::Auto;
  ImportOptions import;
  bool report = false;
  /// Print to standard error where the time went.
  bool timing = false;
  /// A file for a trace in Chrome's format; empty: none.
  std::string trace;
  /// Whether an op of ours that is in no fused kernel is an error.
  bool requireFused = false;
  /// Run the first so many optimising passes inside kernels alone.
  int64_t optionalPasses = INT64_MAX;
  /// Compute tile programs in f64, in plain loops.
  bool interpretTiles = false;
  /// Print remarks of passes whose name matches; empty: none.
  std::string remarks;
  /// Dialects and interfaces besides ours (docs/extending.md).
  std::function<void(mlir::DialectRegistry &)> extend;
};

/// Compiles; messages go to standard error. Returns the exit status: 0 good,
/// 1 the user's error, 70 a bug. The output is written whole or not at all.
int compile(const CompileOptions &options);

} // namespace infini

#endif // INFINI_PASSES_EMIT_COMPILE_H
