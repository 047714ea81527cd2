// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Who is told what a device is given to do, and when.

#ifndef INFINI_RUNTIME_TRACE_H
#define INFINI_RUNTIME_TRACE_H

#include "infini/runtime/program.h"
#include "infini/runtime/status.h"

#include <chrono>

namespace infini {

class Trace {
public:
  Trace(infini_trace_callback callback, void *user)
      : callback(callback), user(user) {}

  /// Seconds since the trace began.
  double now() const {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }
  void tell(const infini_trace_event &event) const { callback(user, &event); }

  /// Does it, and tells if it was done.
  template <typename Function>
  Status timed(infini_trace_event event, Function function) const {
    event.start = now();
    INFINI_TRY(function());
    event.seconds = now() - event.start;
    tell(event);
    return Status();
  }

private:
  using Clock = std::chrono::steady_clock;

  infini_trace_callback callback;
  void *user;
  Clock::time_point start = Clock::now();
};

/// Without its times.
inline infini_trace_event traceEvent(infini_trace_kind kind, const char *name,
                                     const Entry &entry, uint64_t step) {
  infini_trace_event event = {};
  event.kind = kind;
  event.name = name;
  event.entry = entry.name.c_str();
  event.step = step;
  return event;
}

} // namespace infini

#endif // INFINI_RUNTIME_TRACE_H
