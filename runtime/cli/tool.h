// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Other programs of the project, run as processes.

#ifndef INFINI_RUNTIME_CLI_TOOL_H
#define INFINI_RUNTIME_CLI_TOOL_H

#include "infini/runtime/status.h"

#include <string>
#include <vector>

namespace infini::cli {

/// Beside this program, else on PATH. `hint`: what to do where it is not.
Status findTool(const std::string &name, const std::string &hint,
                std::string &path);

/// Runs a program to its end. `exit`: its exit status as ours (good,
/// userMistake, or else ourBug). It reads from `input`, and what it says goes
/// to `output`; -1: from where we read, and to our standard error, so that it
/// does not mix with results.
Status runTool(const std::vector<std::string> &words, int &exit, int input = -1,
               int output = -1);

} // namespace infini::cli

#endif // INFINI_RUNTIME_CLI_TOOL_H
