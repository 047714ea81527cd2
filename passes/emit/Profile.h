// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a compilation spends its time: what infini-compile's --timing prints
// and --trace writes.

#ifndef INFINI_PASSES_EMIT_PROFILE_H
#define INFINI_PASSES_EMIT_PROFILE_H

#include "mlir/Support/Timing.h"
#include "llvm/ADT/StringRef.h"
#include <memory>
#include <string>

namespace llvm {
class PassInstrumentationCallbacks;
} // namespace llvm
namespace mlir {
class PassManager;
} // namespace mlir

namespace infini {

/// The events of a compilation, each on the thread it was on.
class EventLog;

class Profile {
public:
  Profile(bool timing, bool tracing);
  ~Profile();

  /// Watches MLIR's passes; called before they run.
  void attach(mlir::PassManager &passes);
  /// LLVM's. They come into the trace alone.
  void attach(llvm::PassInstrumentationCallbacks &callbacks);

  bool isTracing() const { return log != nullptr; }
  /// The trace, once no phase is open.
  std::string traceText() const;

private:
  friend class Phase;

  // In the order in which they must not die: a scope stops its timer.
  mlir::DefaultTimingManager timing;
  mlir::TimingScope root;
  mlir::TimingScope *current = &root;
  std::unique_ptr<EventLog> log;
};

/// A part of the compilation, as long as it lives; parts nest. On the thread
/// that made the profile.
class Phase {
public:
  Phase(Profile &profile, llvm::StringRef name);
  ~Phase();
  Phase(const Phase &) = delete;
  Phase &operator=(const Phase &) = delete;

private:
  Profile &profile;
  mlir::TimingScope scope;
  mlir::TimingScope *outer;
};

} // namespace infini

#endif // INFINI_PASSES_EMIT_PROFILE_H
