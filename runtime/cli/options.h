// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line of infini-run.

#ifndef INFINI_RUNTIME_CLI_OPTIONS_H
#define INFINI_RUNTIME_CLI_OPTIONS_H

#include "infini/runtime/cli/program.h"

#include <optional>
#include <string>
#include <vector>

namespace infini::cli {

struct Options {
  /// F.mlir, P.infini, or a model folder.
  std::string program;
  std::string entry;
  std::string device = "cpu";
  unsigned threads = 0;
  bool stats = false;
  /// Files; "": none.
  std::string trace, statsJson, statsPlot;

  // A function.
  std::vector<std::string> inputs, outputs, expects;
  std::vector<double> rtol, atol;
  /// Calls that are timed, after the first.
  uint64_t repeat = 0;

  // A text.
  std::string weights, promptFile, tokens, logitsOut, dumpState, stateIn,
      stateOut;
  /// 0: all of them.
  uint64_t logitsLast = 0;
  uint64_t tokensPerCall = 0;

  // For the compiler.
  bool retrofit = false;
  std::optional<uint64_t> segmentLength;
  std::string dtype;

  bool isText() const { return !promptFile.empty() || !tokens.empty(); }
};

/// The whole program; returns the exit status.
int run(int argc, char **argv);

/// Both return Status and set `exit` for what is not an error.
Status runFunction(const Options &options, const std::string &package,
                   int &exit);
Status runText(const Options &options, const std::string &package,
               const std::string &weights);

/// Where the compiled package is: the file itself, or one in the cache that
/// infini-compile makes for this device if need be. `exit` is not 0 when the
/// compiler failed, which has said why.
Status findPackage(const Options &options, const infini_device *device,
                   std::string &package, int &exit);

/// What infini-compile is to compile for, so that a device of this name, and of
/// this chip if it is a GPU, can run it; "": its default. A GPU runs code for
/// any older one: the newest is taken that the compiler has.
Status compilerTarget(const std::string &device, const std::string &chip,
                      std::string &target);

/// "@name.npy" without the '@'.
Status fileArgument(const std::string &option, const std::string &text,
                    std::string &path);

} // namespace infini::cli

#endif // INFINI_RUNTIME_CLI_OPTIONS_H
