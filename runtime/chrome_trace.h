// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The text of a trace in Chrome's format, which chrome://tracing and
// ui.perfetto.dev show: begin(), then lines of thread() and event(), then end.
// Names and arguments are JSON already: who writes them has a library that
// escapes.

#ifndef INFINI_RUNTIME_CHROME_TRACE_H
#define INFINI_RUNTIME_CHROME_TRACE_H

#include <algorithm>
#include <cstdio>
#include <string>

namespace infini::chrome {

/// What was done from a time on, for how long. Complete events, so that a trace
/// is balanced however it comes about; those of one thread must be disjoint, or
/// one inside the other.
struct Event {
  /// A JSON string, quotes included, and a word.
  std::string name;
  const char *category;
  unsigned thread;
  /// Of any beginning.
  double startSeconds, seconds;
  /// A JSON object.
  std::string arguments;
};

inline std::string metadata(const char *what, unsigned thread,
                            const std::string &name) {
  return std::string("{\"name\":\"") + what +
         "\",\"ph\":\"M\",\"pid\":1,\"tid\":" + std::to_string(thread) +
         ",\"args\":{\"name\":" + name + "}}";
}

inline std::string begin(const std::string &process) {
  return "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n" +
         metadata("process_name", 0, process);
}

inline std::string thread(unsigned number, const std::string &name) {
  return ",\n" + metadata("thread_name", number, name);
}

inline std::string event(const Event &event) {
  char times[96];
  // Microseconds. Ends are rounded like beginnings, so that what is nested
  // stays so.
  auto nanoseconds = [](double seconds) {
    return static_cast<long long>(seconds * 1e9);
  };
  long long start = nanoseconds(event.startSeconds),
            end = nanoseconds(event.startSeconds + event.seconds);
  long long length = std::max(end - start, 0LL);
  snprintf(times, sizeof times, "%lld.%03lld,\"dur\":%lld.%03lld", start / 1000,
           start % 1000, length / 1000, length % 1000);
  return ",\n{\"name\":" + event.name + ",\"cat\":\"" + event.category +
         "\",\"ph\":\"X\",\"pid\":1,\"tid\":" + std::to_string(event.thread) +
         ",\"ts\":" + times + ",\"args\":" + event.arguments + "}";
}

inline constexpr char end[] = "\n]}\n";

} // namespace infini::chrome

#endif // INFINI_RUNTIME_CHROME_TRACE_H
