// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the programs on the runtime have in common: --help, --version, the list
// of options that shells complete from, and how failures end them.

#ifndef INFINI_RUNTIME_CLI_PROGRAM_H
#define INFINI_RUNTIME_CLI_PROGRAM_H

#include "infini/runtime/status.h"

#include <functional>
#include <string>

namespace CLI {
class App;
} // namespace CLI

namespace infini::cli {

/// Exit statuses of all of the project's programs.
enum ExitStatus : int { good = 0, userMistake = 1, mismatch = 2, ourBug = 70 };

/// A whole program: `declare` says what its options are, and `body`, which runs
/// when they were read, what it does. `body` sets `exit` for what is not an
/// error. Returns the exit status.
int runProgram(const char *name, const std::string &description, int argc,
               char **argv, const std::function<void(CLI::App &)> &declare,
               const std::function<Status(int &exit)> &body);

} // namespace infini::cli

#endif // INFINI_RUNTIME_CLI_PROGRAM_H
