// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/cuda/step.h"

#include <algorithm>

using namespace infini;

//===----------------------------------------------------------------------===//
// One by one
//===----------------------------------------------------------------------===//

Status CudaStep::issue(const CudaCommand &command, const uint64_t *arguments) {
  const CudaDriver &driver = context.driver;
  auto filling = [&] { return text("filling ", command.count, " elements"); };
  switch (command.kind) {
  case CudaCommand::launch: {
    const CudaKernel &kernel = kernels[command.kernel];
    // Every parameter has 8 bytes, so the flat array is the parameter buffer.
    size_t bytes = command.argumentCount * sizeof(uint64_t);
    void *extra[] = {cuda::launchParamBufferPointer,
                     const_cast<uint64_t *>(arguments),
                     cuda::launchParamBufferSize, &bytes, cuda::launchParamEnd};
    return context.check(
        driver.launchKernel(kernel.function, command.grid[0], command.grid[1],
                            command.grid[2], kernel.threads, 1, 1,
                            kernel.sharedBytes, context.stream, nullptr,
                            bytes ? extra : nullptr),
        [&] {
          return text("launching kernel ", quoted(kernel.name),
                      " on a grid of ", command.grid[0], " by ",
                      command.grid[1], " by ", command.grid[2], " blocks of ",
                      kernel.threads, " threads and ", kernel.sharedBytes,
                      " bytes of shared memory");
        });
  }
  case CudaCommand::copy:
    return context.check(
        driver.copyOnDevice(command.destination, command.source, command.count,
                            context.stream),
        [&] { return text("copying ", command.count, " bytes on it"); });
  case CudaCommand::fill8:
    return context.check(driver.fill8(command.destination,
                                      uint8_t(command.value), command.count,
                                      context.stream),
                         filling);
  case CudaCommand::fill16:
    return context.check(driver.fill16(command.destination,
                                       uint16_t(command.value), command.count,
                                       context.stream),
                         filling);
  case CudaCommand::fill32:
    return context.check(driver.fill32(command.destination,
                                       uint32_t(command.value), command.count,
                                       context.stream),
                         filling);
  }
  return bug("unknown command");
}

Status CudaStep::issueAll(const Recording &recording) {
  const uint64_t *arguments = recording.arguments.data();
  for (const CudaCommand &command : recording.commands) {
    INFINI_TRY(issue(command, arguments));
    arguments += command.argumentCount;
  }
  return Status();
}

//===----------------------------------------------------------------------===//
// Recording
//===----------------------------------------------------------------------===//

void CudaStep::begin() {
  current.clear();
  isOverfull = false;
}

void CudaStep::abandon() {
  begin();
  last.clear();
}

Status CudaStep::add(const CudaCommand &command, const uint64_t *arguments) {
  if (isOverfull)
    return issue(command, arguments);
  if (current.commands.size() == maxCommands) {
    isOverfull = true;
    INFINI_TRY(issueAll(current));
    return issue(command, arguments);
  }
  current.commands.push_back(command);
  current.arguments.insert(current.arguments.end(), arguments,
                           arguments + command.argumentCount);
  return Status();
}

Status CudaStep::end() {
  if (isOverfull) {
    abandon();
    return Status();
  }
  bool isMade = exec && current == captured;
  // The second time, not the first: most first calls (another length, the
  // constants) do not come again.
  if (!isMade && !withoutGraphs && current.commands.size() >= minCommands &&
      current.hasKindsOf(last))
    INFINI_TRY(makeGraph(isMade));
  Status status =
      isMade
          ? context.check(context.driver.graphLaunch(exec, context.stream),
                          [&] {
                            return text("launching a graph of ",
                                        current.commands.size(), " commands");
                          })
          : issueAll(current);
  std::swap(last, current);
  return status;
}

bool CudaStep::Recording::hasKindsOf(const Recording &other) const {
  return commands.size() == other.commands.size() &&
         std::equal(commands.begin(), commands.end(), other.commands.begin(),
                    [](const CudaCommand &a, const CudaCommand &b) {
                      return a.hasKindOf(b);
                    });
}

//===----------------------------------------------------------------------===//
// Graphs
//===----------------------------------------------------------------------===//

void CudaStep::discardGraph() {
  if (exec)
    (void)context.driver.graphExecDestroy(exec);
  exec = nullptr;
  captured.clear();
}

/// `graph` is null where the driver does not make one.
Status CudaStep::capture(cuda::Graph &graph) {
  graph = nullptr;
  const CudaDriver &driver = context.driver;
  INFINI_TRY(context.check(
      driver.streamBeginCapture(context.stream, cuda::captureThreadLocal),
      [] { return "beginning a graph"; }));
  Status status;
  try {
    status = issueAll(current);
  } catch (...) {
    // Not even memory for a message. The stream must not stay as it is.
    (void)driver.streamEndCapture(context.stream, &graph);
    if (graph)
      (void)driver.graphDestroy(graph);
    throw;
  }
  cuda::Result ended = driver.streamEndCapture(context.stream, &graph);
  if (!status)
    status = context.check(ended, [] { return "ending a graph"; });
  if (status && graph) {
    (void)driver.graphDestroy(graph);
    graph = nullptr;
  }
  return status;
}

/// Makes `exec` do what was recorded. Where the driver cannot, the commands are
/// given one by one, now and from then on; unless the GPU is lost.
Status CudaStep::makeGraph(bool &isMade) {
  const CudaDriver &driver = context.driver;
  auto giveUp = [&]() -> Status {
    withoutGraphs = true;
    discardGraph();
    return context.use();
  };
  isMade = false;
  // Before the graph is there: `captured` must never be another's.
  Recording copy = current;
  cuda::Graph graph;
  if (capture(graph))
    return giveUp();
  // Changing a graph is cheaper than making one. What it can change is the
  // driver's to say.
  if (exec && captured.hasKindsOf(current)) {
    cuda::GraphNode node = nullptr;
    cuda::UpdateResult reason = 0;
    isMade =
        driver.graphExecUpdate(exec, graph, &node, &reason) == cuda::success;
  }
  if (!isMade) {
    discardGraph();
    cuda::Result error = driver.graphInstantiate(&exec, graph, 0);
    if (error != cuda::success)
      exec = nullptr;
    Status status = context.check(error, [] { return "making a graph"; });
    isMade = !status;
  }
  (void)driver.graphDestroy(graph);
  if (!isMade)
    return giveUp();
  captured = std::move(copy);
  return Status();
}
