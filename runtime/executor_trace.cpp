// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The executor while somebody is told of its commands.

#include "infini/runtime/executor.h"

#include <algorithm>

using namespace infini;

infini_trace_event Executor::eventOf(const Command &command) const {
  struct Kind {
    infini_trace_kind kind;
    const char *name;
  };
  static const Kind kinds[] = {{INFINI_TRACE_DISPATCH, "dispatch"},
                               {INFINI_TRACE_GEMM, "gemm"},
                               {INFINI_TRACE_COPY, "copy"},
                               {INFINI_TRACE_FILL, "fill"},
                               {INFINI_TRACE_LOOP, "loop"}};
  static_assert(std::size(kinds) == commandKindCount);
  const Kind &kind = kinds[static_cast<size_t>(command.kind)];
  const char *name = kind.name;
  if (command.kind == CommandKind::dispatch)
    name = variant.kernels[command.kernel].name.c_str();
  else if (!command.label.empty())
    name = command.label.c_str();
  return traceEvent(kind.kind, name, entry, callNumber());
}

/// Adds what the command's expressions say; they have been computed, and a loop
/// has given its own variable a value only.
Status Executor::describe(const Command &command, infini_trace_event &event) {
  int64_t number = 0;
  switch (command.kind) {
  case CommandKind::dispatch:
    std::fill_n(event.grid, 3, 1);
    for (size_t i = 0; i < command.grid.size(); ++i)
      INFINI_TRY(value(command.grid[i], event.grid[i]));
    return Status();
  case CommandKind::gemm:
    INFINI_TRY(value(command.m, event.grid[0]));
    INFINI_TRY(value(command.n, event.grid[1]));
    return value(command.k, event.grid[2]);
  case CommandKind::copy:
  case CommandKind::fill:
    INFINI_TRY(value(command.bytes, number));
    event.count = static_cast<uint64_t>(number);
    return Status();
  case CommandKind::loop:
    INFINI_TRY(value(command.tripCount, number));
    event.count = static_cast<uint64_t>(std::max<int64_t>(number, 0));
    return Status();
  }
  return Status();
}

Status Executor::runTraced(const Command &command) {
  const Trace &trace = *device.trace;
  infini_trace_event event = eventOf(command);
  event.start = trace.now();
  INFINI_TRY(runCommand(command));
  event.seconds = trace.now() - event.start;
  INFINI_TRY(describe(command, event));
  trace.tell(event);
  // What is inside a loop is marked by itself.
  if (command.kind == CommandKind::loop || !device.hasMarks())
    return Status();
  marked.push_back(event);
  return device.mark();
}

Status Executor::beginMarks() {
  marked.clear();
  if (!device.hasMarks())
    return Status();
  markStart = device.trace->now();
  return device.mark();
}

/// The step itself, and what the device has to say of its commands.
Status Executor::tellStep(double start) {
  const Trace &trace = *device.trace;
  infini_trace_event step =
      traceEvent(INFINI_TRACE_STEP, entry.name.c_str(), entry, callNumber());
  step.start = start;
  step.seconds = trace.now() - start;
  trace.tell(step);
  if (!device.hasMarks())
    return Status();
  std::vector<double> seconds;
  INFINI_TRY(device.takeMarks(seconds));
  if (seconds.size() != marked.size() + 1)
    return bug("the device marked ", seconds.size(), " times, expected ",
               marked.size() + 1);
  for (size_t i = 0; i < marked.size(); ++i) {
    marked[i].on_device = 1;
    marked[i].start = markStart + seconds[i];
    marked[i].seconds = std::max(seconds[i + 1] - seconds[i], 0.0);
    trace.tell(marked[i]);
  }
  return Status();
}
