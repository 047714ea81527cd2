// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What can be seen of a model's memories while a text goes through it: gates,
// how z grows, and how much of M is used. States are copied between calls, so
// that nothing that is computed changes.

#ifndef INFINI_RUNTIME_CLI_MEMORY_STATISTICS_H
#define INFINI_RUNTIME_CLI_MEMORY_STATISTICS_H

#include "infini/runtime/cli/tensors.h"
#include "infini/runtime/status.h"

#include <limits>
#include <vector>

namespace infini::cli {

/// The gate of a query head, sigmoid(β); where each channel has one, over the
/// channels.
struct HeadGate {
  double mean, least, most;
};

/// A layer with memories.
struct MemoryLayer {
  unsigned number;
  /// Names of its states.
  std::string memory, normaliser;
  /// One a query head.
  std::vector<HeadGate> gates;
  /// Of key/value heads, each with a memory.
  size_t heads = 0;
  /// Of M.
  int64_t rows = 0, columns = 0;
};

/// One memory at one time.
struct MemoryValues {
  /// ‖z‖₂ and Σ z.
  double norm = 0, sum = 0;
  /// Of M; NaN where it was not computed or M is not finite.
  double rank = std::numeric_limits<double>::quiet_NaN();
};

struct MemorySample {
  /// Folded into the memories: whole segments.
  uint64_t tokens;
  /// Layer by layer, in them head by head.
  std::vector<MemoryValues> values;
};

class MemoryStatistics {
public:
  /// Finds the memories of a session, and the gates in the weights. With
  /// `isDetailed` the ranks are computed for every sample, else for the last.
  Status open(const infini_session *session, const std::string &weights,
              uint64_t segmentLength, bool isDetailed);

  /// Between two calls. Takes a sample now and then: evenly over the text, and
  /// never more than `maxSamples` are kept, however long it is.
  Status afterCall(const infini_session *session);
  /// After the last: that sample is there in any case, with its ranks.
  Status finish(const infini_session *session);

  const std::vector<MemoryLayer> &layers() const { return known; }
  const std::vector<MemorySample> &samples() const { return taken; }
  uint64_t segmentLength() const { return segment; }
  /// Of the session.
  uint64_t tokens() const { return position; }

  /// Number of a memory in a sample.
  size_t indexOf(size_t layer, size_t head) const;
  /// The p of ‖z‖ ~ tokens^p over the later half of the text: 1 where it grows
  /// with every token alike, 0 where it does not grow. NaN where it is not
  /// known.
  double growth(size_t index) const;

  static constexpr size_t maxSamples = 64;

private:
  Status readGates(const std::string &weights);
  Status sample(const infini_session *session, bool withRanks);

  std::vector<MemoryLayer> known;
  std::vector<MemorySample> taken;
  uint64_t segment = 1, position = 0, calls = 0, stride = 1;
  bool isDetailed = false;
};

/// For people; to standard error.
void printMemoryStatistics(const MemoryStatistics &statistics);

/// What the run itself was.
struct RunStatistics {
  infini_statistics counts;
  uint64_t tokens;
  double seconds, setUp, firstOutput;
  uint64_t peakBytes;
};

/// All of it as JSON: docs/cli.md has the fields.
std::string statisticsJson(const RunStatistics &run,
                           const MemoryStatistics &memory);

// --stats-plot, drawn by infini-stats-plot.
/// Before the run: that there is something to draw with and a place for it.
Status checkPlot(const std::string &path);
Status drawPlot(const std::string &path, const std::string &json);

} // namespace infini::cli

#endif // INFINI_RUNTIME_CLI_MEMORY_STATISTICS_H
