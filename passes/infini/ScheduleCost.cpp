// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The formula of ScheduleCost.h.

#include "infini/passes/infini/ScheduleCost.h"
#include <cmath>

using namespace infini;

const char *infini::stringifySchedule(Schedule schedule) {
  switch (schedule) {
  case Schedule::Auto:
    return "auto";
  case Schedule::Sequential:
    return "sequential";
  case Schedule::Streaming:
    return "streaming";
  case Schedule::Scan:
    return "scan";
  }
  return "";
}

double infini::scheduleCost(Schedule schedule, const ScanShape &shape,
                            int64_t width) {
  constexpr double queryBlock = 16, kernelStart = 32768, chunk = 16;
  double segments = shape.segments ? shape.segments : 32;
  double n = shape.segmentLength, d = shape.headSize, w = width;
  double blocks = shape.queryHeads * std::ceil(n / queryBlock);
  double states = shape.states;
  double attention = queryBlock * d * (n + d);
  double write = (shape.affine ? 2 : 1) * n * d * d;
  double traffic = d * d / 2 + 4 * n * d;
  auto rounds = [&](double work) { return std::ceil(work / w); };
  switch (schedule) {
  case Schedule::Auto:
  case Schedule::Sequential:
    return segments *
           (rounds(blocks) * attention + rounds(states) * write + kernelStart);
  case Schedule::Streaming:
    return rounds(segments * blocks) * attention +
           segments * rounds(states) * (write + traffic) + kernelStart;
  case Schedule::Scan: {
    double chunks = std::ceil(segments / chunk);
    double compose =
        shape.affine
            ? rounds(segments * states / chunk) * 2 * chunk * d * d * d +
                  chunks * rounds(states) * 2 * d * d * d
            : (rounds(segments * states * d / chunk) * 2 * chunk + chunks) * d;
    return rounds(segments * blocks) * attention +
           rounds(segments * states) * (2 * write + traffic) + compose +
           3 * kernelStart;
  }
  }
  return 0;
}

Schedule infini::chooseSchedule(const ScanShape &shape, int64_t width) {
  constexpr int64_t narrow = 32;
  Schedule best = Schedule::Sequential;
  for (Schedule other : {Schedule::Streaming, Schedule::Scan})
    if ((other != Schedule::Scan || width >= narrow) &&
        scheduleCost(other, shape, width) < scheduleCost(best, shape, width))
      best = other;
  return best;
}
