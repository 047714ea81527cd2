// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/cuda/marks.h"

using namespace infini;

CudaMarks::~CudaMarks() {
  if (events.empty())
    return;
  (void)context.driver.contextSetCurrent(context.handle());
  for (cuda::Event event : events)
    (void)context.driver.eventDestroy(event);
}

Status CudaMarks::mark() {
  if (used == events.size()) {
    events.reserve(used + 1);
    cuda::Event event = nullptr;
    INFINI_TRY(
        context.check(context.driver.eventCreate(&event, cuda::eventWithTiming),
                      [] { return "making an event"; }));
    events.push_back(event);
  }
  INFINI_TRY(
      context.check(context.driver.eventRecord(events[used], context.stream),
                    [] { return "marking a time"; }));
  ++used;
  return Status();
}

Status CudaMarks::take(std::vector<double> &seconds) {
  seconds.clear();
  if (!used)
    return Status();
  // A fault of what ran before shows here.
  INFINI_TRY(context.check(context.driver.eventSynchronize(events[used - 1]),
                           [] { return "waiting for the commands before"; }));
  for (size_t i = 0; i < used; ++i) {
    float milliseconds = 0;
    INFINI_TRY(context.check(
        context.driver.eventElapsedTime(&milliseconds, events[0], events[i]),
        [] { return "asking for a time"; }));
    seconds.push_back(double(milliseconds) * 1e-3);
  }
  used = 0;
  return Status();
}
