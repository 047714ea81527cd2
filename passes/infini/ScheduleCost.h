// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which schedule a segment scan gets: a formula over its shape and the target's
// width. It counts multiply-adds on the longest path, with W blocks at once:
//
//   P = B·H·⌈N / 16⌉     blocks of queries in a segment
//   C = B·G              states
//   a = 16·d·(N + d)     one block's attention and retrieval
//   u = c·N·d²           one state's write: c = 1 for sums, 2 for affine ones
//   t = d²/2 + 4·N·d     writing a segment's state and keys, and reading them
//                        again when they have left the caches
//   o = 2^15             starting kernels for one segment
//
//   sequential   S · (⌈P/W⌉·a + ⌈C/W⌉·u + o)
//   streaming    ⌈S·P/W⌉·a + S·⌈C/W⌉·(u + t) + o
//   scan         ⌈S·P/W⌉·a + ⌈S·C/W⌉·(2u + t) + e + 3·o
//
// where e is what composing costs: with K = 16 segments a chunk, sums
// (⌈S·C·d/(K·W)⌉·2K + ⌈S/K⌉)·d, affine states
// ⌈S·C/(K·W)⌉·2K·d³ + ⌈S/K⌉·⌈C/W⌉·2d³. The least counts, and of equal ones the
// first; `scan` does twice the work, and counts where W ≥ 32. Sequences of
// unknown length count as the segments of the longest call of a model, or
// as 32.

#ifndef INFINI_PASSES_INFINI_SCHEDULECOST_H
#define INFINI_PASSES_INFINI_SCHEDULECOST_H

#include <cstdint>

namespace infini {

/// How the segments of a scan run.
enum class Schedule { Auto, Sequential, Streaming, Scan };
const char *stringifySchedule(Schedule schedule);

struct ScanShape {
  /// B·H and B·G.
  int64_t queryHeads = 1, states = 1;
  /// N, and the larger of d_k and d_v.
  int64_t segmentLength = 1, headSize = 1;
  /// S; 0 where unknown.
  int64_t segments = 0;
  /// Whether a state is affine, not only a sum.
  bool affine = false;
};

/// The formula's value, in multiply-adds.
double scheduleCost(Schedule schedule, const ScanShape &shape, int64_t width);
/// The cheapest schedule.
Schedule chooseSchedule(const ScanShape &shape, int64_t width);

} // namespace infini

#endif // INFINI_PASSES_INFINI_SCHEDULECOST_H
