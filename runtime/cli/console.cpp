// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/cli/console.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <unistd.h>

using namespace infini;

void cli::printError(const std::string &message, const char *program) {
  fprintf(stderr, "%s: error: %s\n", program, message.c_str());
}

std::string cli::bytesText(uint64_t bytes) {
  static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit < 4; ++unit)
    value /= 1024;
  char text[64];
  snprintf(text, sizeof text, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
  return text;
}

uint64_t cli::peakMemoryBytes() {
  uint64_t kibibytes = 0;
  if (FILE *file = fopen("/proc/self/status", "re")) {
    char line[256];
    while (fgets(line, sizeof line, file))
      if (sscanf(line, "VmHWM: %" SCNu64, &kibibytes) == 1)
        break;
    fclose(file);
  }
  return kibibytes * 1024;
}

double cli::secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

cli::Progress::Progress(const char *unit, uint64_t total)
    : isShown(isatty(STDERR_FILENO)), unit(unit), total(total),
      start(Clock::now()), last(start) {}

cli::Progress::~Progress() {
  if (isShown)
    fputs("\r\x1b[K", stderr);
}

void cli::Progress::update(uint64_t done) {
  if (!isShown)
    return;
  Clock::time_point now = Clock::now();
  if (now - last < std::chrono::milliseconds(100))
    return;
  last = now;
  double rate = static_cast<double>(done) / std::max(secondsSince(start), 1e-9);
  if (total) {
    constexpr uint64_t width = 30;
    char bar[width + 1] = {};
    uint64_t filled = static_cast<uint64_t>(
        double(width) * static_cast<double>(std::min(done, total)) /
        static_cast<double>(total));
    std::memset(bar, '-', width);
    std::memset(bar, '#', filled);
    fprintf(stderr, "\r[%s] %" PRIu64 "/%" PRIu64 " %s, %.0f a second \x1b[K",
            bar, done, total, unit, rate);
  } else {
    fprintf(stderr, "\r%" PRIu64 " %s, %.0f a second \x1b[K", done, unit, rate);
  }
  fflush(stderr);
}
