// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs an entry of a package: binds its variables to the shapes at hand, lays
// its buffers out, and gives its commands to the device.

#ifndef INFINI_RUNTIME_EXECUTOR_H
#define INFINI_RUNTIME_EXECUTOR_H

#include "infini/runtime/devices/device.h"
#include "infini/runtime/program.h"
#include "infini/runtime/status.h"

namespace infini {

class Executor {
public:
  /// What an input port is given.
  struct Input {
    /// An address of the device. Null where place() comes before run().
    void *data = nullptr;
    const int64_t *shape = nullptr;
    size_t rank = 0;
    /// For a scalar port.
    int64_t scalar = 0;
  };

  /// An entry of the variant. All must outlive it. `poison`: fill the arena and
  /// the outputs with NaN bytes before they are used.
  Executor(const Variant &variant, const Entry &entry, Device &device,
           DeviceModule &module, bool poison);

  /// Takes one input a port; checks shapes and everything else that depends on
  /// them. Changes nothing but what run() and the functions below use, so that
  /// an error here leaves no trace.
  Status bind(const Input *inputs);

  /// After bind(): the bytes of input tensor `port`, and where it is to lie if
  /// bind() was not told. Not for empty ones.
  int64_t inputBytes(size_t port) const {
    return buffers[static_cast<size_t>(entry.inputs[port].buffer)].bytes;
  }
  void place(size_t port, void *data) {
    buffers[static_cast<size_t>(entry.inputs[port].buffer)].data =
        static_cast<uint8_t *>(data);
  }
  /// After bind(): the shape and bytes of output tensor `port`, the value of
  /// output scalar `port`.
  const std::vector<int64_t> &outputShape(size_t port) const {
    return outputShapes[port];
  }
  int64_t outputBytes(size_t port) const { return outputSizes[port]; }
  int64_t outputScalar(size_t port) const { return outputScalars[port]; }

  /// Gives the device the commands on what was bound. One address (of the
  /// device) an output port; those of scalars and states are ignored.
  Status run(void *const *outputs);

  /// Of the call that bind() was for, from 0.
  uint64_t callNumber() const { return call - 1; }

  size_t arenaBytes() const { return arena ? arena->bytes : 0; }

private:
  struct Location {
    uint8_t *data = nullptr;
    int64_t bytes = 0;
  };

  Status value(uint32_t expression, int64_t &result);
  Status size(uint32_t expression, const char *what, int64_t &result);
  Status bindVariable(uint32_t variable, int64_t value, const Port &port,
                      int dimension);
  Status bindVariables(const Input *inputs);
  Status runChecks();
  Status bindOutputs();
  Status bindBuffers(const Input *inputs);
  Status runStep(void *const *outputs);
  Status runCommands(const std::vector<Command> &commands);
  Status runCommand(const Command &command);
  Status runDispatch(const Command &command);
  Status runGemm(const Command &command);
  Status requireBytes(const Command &command, size_t operand, int64_t bytes);
  // While there is a trace: executor_trace.cpp.
  infini_trace_event eventOf(const Command &command) const;
  Status runTraced(const Command &command);
  Status describe(const Command &command, infini_trace_event &event);
  Status beginMarks();
  Status tellStep(double start);

  const Variant &variant;
  const Entry &entry;
  Device &device;
  DeviceModule &module;
  bool poison;

  std::vector<int64_t> variables;
  std::vector<bool> bound;
  /// Values of expressions that are fixed for a call, each computed when it is
  /// first needed: valid where `computedIn` is not less than the number of the
  /// call. For constants that is so from the start.
  std::vector<int64_t> values;
  std::vector<uint64_t> computedIn;
  uint64_t call = 0;

  std::vector<Location> buffers;
  std::vector<std::vector<int64_t>> outputShapes;
  std::vector<int64_t> outputSizes, outputScalars;
  /// Of the dispatch at hand.
  std::vector<uint64_t> arguments;
  std::vector<int64_t> bufferBytes;
  std::unique_ptr<DeviceMemory> arena;
  /// For a device with marks: one event a mark behind the first, which was made
  /// at `markStart`.
  std::vector<infini_trace_event> marked;
  double markStart = 0;
};

} // namespace infini

#endif // INFINI_RUNTIME_EXECUTOR_H
