// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the user sees: errors, progress, numbers.

#ifndef INFINI_RUNTIME_CLI_CONSOLE_H
#define INFINI_RUNTIME_CLI_CONSOLE_H

#include <chrono>
#include <cstdint>
#include <string>

namespace infini::cli {

/// "infini-run: error: ..." on standard error.
void printError(const std::string &message, const char *program = "infini-run");

/// "12.3 MiB".
std::string bytesText(uint64_t bytes);

/// The most memory that the process has had at once, 0 where it is not known.
uint64_t peakMemoryBytes();

using Clock = std::chrono::steady_clock;
double secondsSince(Clock::time_point start);

/// A bar on standard error, when that is a terminal.
class Progress {
public:
  /// `total` = 0: not known.
  Progress(const char *unit, uint64_t total);
  ~Progress();
  void update(uint64_t done);

private:
  bool isShown;
  const char *unit;
  uint64_t total;
  Clock::time_point start, last;
};

} // namespace infini::cli

#endif // INFINI_RUNTIME_CLI_CONSOLE_H
