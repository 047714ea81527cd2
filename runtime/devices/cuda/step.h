// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The commands of one call of an entry, given to the GPU one by one or, when
// calls repeat, as a graph: one call of the driver instead of hundreds.
//
// Commands are recorded first. A graph is replayed only if the recording is the
// same as that which it was made from, in every address, scalar and size, so
// that it cannot do anything but what the commands would do.

#ifndef INFINI_RUNTIME_DEVICES_CUDA_STEP_H
#define INFINI_RUNTIME_DEVICES_CUDA_STEP_H

#include "infini/runtime/devices/cuda/cuda_context.h"

#include <vector>

namespace infini {

struct CudaKernel {
  cuda::Function function;
  std::string name;
  unsigned threads, sharedBytes;
};

/// One call of the driver. Members without a meaning for the kind are 0.
struct CudaCommand {
  enum Kind : uint32_t { launch, copy, fill8, fill16, fill32 };
  Kind kind;
  // launch
  uint32_t kernel = 0;
  uint32_t grid[3] = {0, 0, 0};
  uint32_t argumentCount = 0;
  // copy, fill
  cuda::Address destination = 0, source = 0;
  uint64_t value = 0;
  /// Bytes of a copy, elements of a fill.
  uint64_t count = 0;

  bool operator==(const CudaCommand &other) const {
    return hasKindOf(other) && grid[0] == other.grid[0] &&
           grid[1] == other.grid[1] && grid[2] == other.grid[2] &&
           destination == other.destination && source == other.source &&
           value == other.value && count == other.count;
  }
  /// Whether a graph's node for it can be changed into one for the other.
  bool hasKindOf(const CudaCommand &other) const {
    return kind == other.kind && kernel == other.kernel &&
           argumentCount == other.argumentCount;
  }
};

class CudaStep {
public:
  CudaStep(CudaContext &context, const std::vector<CudaKernel> &kernels)
      : context(context), kernels(kernels) {}
  CudaStep(const CudaStep &) = delete;
  CudaStep &operator=(const CudaStep &) = delete;

  // The context is in use, here and below.
  /// Gives a command to the stream now.
  Status issue(const CudaCommand &command, const uint64_t *arguments);

  void begin();
  /// Records it; or issues it, when there are too many.
  Status add(const CudaCommand &command, const uint64_t *arguments);
  /// Runs what was recorded.
  Status end();
  /// Forgets what was recorded.
  void abandon();

  void discardGraph();

  /// Longer calls are not recorded beyond this: launching is no burden there,
  /// and the GPU should not wait for the end of the recording.
  static constexpr size_t maxCommands = 4096;
  /// Graphs of fewer commands cost more than they save.
  static constexpr size_t minCommands = 3;

private:
  struct Recording {
    std::vector<CudaCommand> commands;
    std::vector<uint64_t> arguments;
    void clear() {
      commands.clear();
      arguments.clear();
    }
    bool operator==(const Recording &other) const {
      return commands == other.commands && arguments == other.arguments;
    }
    bool hasKindsOf(const Recording &other) const;
  };

  Status issueAll(const Recording &recording);
  Status capture(cuda::Graph &graph);
  Status makeGraph(bool &isMade);

  CudaContext &context;
  const std::vector<CudaKernel> &kernels;

  /// The call under way, the one before it, and what `exec` was made from.
  Recording current, last, captured;
  bool isOverfull = false;
  cuda::GraphExec exec = nullptr;
  /// The driver has failed to make one: it is not asked again.
  bool withoutGraphs = false;
};

} // namespace infini

#endif // INFINI_RUNTIME_DEVICES_CUDA_STEP_H
