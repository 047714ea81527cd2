// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/executor.h"

#include <algorithm>

using namespace infini;

/// What tensors without elements point at: kernels may compute with the
/// address, and null plus something is not defined.
alignas(64) static uint8_t nothing[64];

Executor::Executor(const Variant &variant, const Entry &entry, Device &device,
                   DeviceModule &module, bool poison)
    : variant(variant), entry(entry), device(device), module(module),
      poison(poison), variables(entry.variables), bound(entry.variables),
      values(entry.expressions.size()), computedIn(entry.expressions.size()),
      buffers(entry.buffers.size()), outputShapes(entry.outputs.size()),
      outputSizes(entry.outputs.size()), outputScalars(entry.outputs.size()),
      arguments(2 * maxKernelSlots), bufferBytes(maxKernelSlots) {
  for (size_t i = 0; i < entry.outputs.size(); ++i)
    outputShapes[i].resize(entry.outputs[i].shape.size());
  for (size_t i = 0; i < entry.expressions.size(); ++i) {
    const auto &nodes = entry.expressions[i].nodes;
    bool isConstant =
        std::none_of(nodes.begin(), nodes.end(), [](const ExpressionNode &n) {
          return n.op == ExpressionOp::variable;
        });
    // A fault is reported when the value is needed.
    if (isConstant && evaluate(entry.expressions[i], nullptr, values[i]) ==
                          ExpressionFault::none)
      computedIn[i] = UINT64_MAX;
  }
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

Status Executor::value(uint32_t index, int64_t &result) {
  if (computedIn[index] >= call) {
    result = values[index];
    return Status();
  }
  const Expression &expression = entry.expressions[index];
  ExpressionFault fault = evaluate(expression, variables.data(), result);
  if (fault != ExpressionFault::none)
    return Status(
        fault == ExpressionFault::overflow ? INFINI_USER_ERROR : INFINI_BUG,
        text("cannot compute ", textOf(expression, entry.variableNames), ": ",
             textOf(fault)));
  if (!expression.readsLoopVariable) {
    values[index] = result;
    computedIn[index] = call;
  }
  return Status();
}

Status Executor::size(uint32_t index, const char *what, int64_t &result) {
  INFINI_TRY(value(index, result));
  if (result < 0)
    return bug(what, " is negative: ",
               textOf(entry.expressions[index], entry.variableNames), " = ",
               result);
  return Status();
}

//===----------------------------------------------------------------------===//
// Binding
//===----------------------------------------------------------------------===//

Status Executor::bindVariable(uint32_t variable, int64_t value,
                              const Port &port, int dimension) {
  if (!bound[variable]) {
    bound[variable] = true;
    variables[variable] = value;
    return Status();
  }
  if (variables[variable] != value)
    return userError(nameOf(port.kind), " ", quoted(port.name),
                     dimension < 0 ? "" : text(" dimension ", dimension),
                     ": expected ", variables[variable], " (",
                     entry.variableName(variable), "), got ", value);
  return Status();
}

Status Executor::bindVariables(const Input *inputs) {
  std::fill(bound.begin(), bound.end(), false);
  for (size_t i = 0; i < entry.inputs.size(); ++i) {
    const Port &port = entry.inputs[i];
    const Input &input = inputs[i];
    if (port.isScalar()) {
      INFINI_TRY(bindVariable(static_cast<uint32_t>(port.scalarVariable),
                              input.scalar, port, -1));
      continue;
    }
    if (input.rank != port.dims.size())
      return userError(nameOf(port.kind), " ", quoted(port.name),
                       ": expected rank ", port.dims.size(), ", got ",
                       shapeText(input.shape, input.rank));
    for (size_t d = 0; d < input.rank; ++d) {
      int64_t got = input.shape[d];
      const Dim &dim = port.dims[d];
      if (got < 0)
        return userError(nameOf(port.kind), " ", quoted(port.name),
                         ": dimension ", d, " is negative: ", got);
      if (dim.variable >= 0)
        INFINI_TRY(bindVariable(static_cast<uint32_t>(dim.variable), got, port,
                                static_cast<int>(d)));
      else if (got != dim.value)
        return userError(nameOf(port.kind), " ", quoted(port.name),
                         ": dimension ", d, ": expected ", dim.value, ", got ",
                         got, " in ", shapeText(input.shape, input.rank));
    }
  }
  return Status();
}

Status Executor::runChecks() {
  for (const Check &check : entry.checks) {
    int64_t left, right;
    INFINI_TRY(value(check.left, left));
    INFINI_TRY(value(check.right, right));
    bool holds = false;
    const char *relation = "";
    switch (check.relation) {
    case Relation::equal:
      holds = left == right;
      relation = "to be equal to";
      break;
    case Relation::multipleOf:
      // -1 divides everything, and INT64_MIN % -1 traps.
      holds = right != 0 && (right == -1 || left % right == 0);
      relation = "to be a multiple of";
      break;
    case Relation::atMost:
      holds = left <= right;
      relation = "to be at most";
      break;
    }
    if (!holds)
      return userError(
          check.message, ": expected ",
          textOf(entry.expressions[check.left], entry.variableNames), " = ",
          left, " ", relation, " ",
          textOf(entry.expressions[check.right], entry.variableNames), " = ",
          right);
  }
  return Status();
}

Status Executor::bindOutputs() {
  for (size_t i = 0; i < entry.outputs.size(); ++i) {
    const Port &port = entry.outputs[i];
    if (port.isScalar()) {
      INFINI_TRY_AT(
          value(static_cast<uint32_t>(port.scalarExpr), outputScalars[i]),
          "output " + quoted(port.name));
      continue;
    }
    for (size_t d = 0; d < port.shape.size(); ++d)
      INFINI_TRY_AT(size(port.shape[d], "a dimension", outputShapes[i][d]),
                    "output " + quoted(port.name));
    if (!tensorBytes(port.element, outputShapes[i].data(),
                     outputShapes[i].size(), outputSizes[i]))
      return userError(
          "output ", quoted(port.name), ": the size of ",
          shapeText(outputShapes[i].data(), outputShapes[i].size()),
          " does not fit 64 bits");
  }
  return Status();
}

Status Executor::bindBuffers(const Input *inputs) {
  int64_t arenaSize;
  INFINI_TRY(size(entry.arenaSize, "the arena's size", arenaSize));
  for (size_t i = 0; i < buffers.size(); ++i)
    INFINI_TRY_AT(
        size(entry.buffers[i].size, "a buffer's size", buffers[i].bytes),
        text("buffer ", i));
  for (size_t i = 0; i < entry.inputs.size(); ++i) {
    const Port &port = entry.inputs[i];
    if (port.isScalar())
      continue;
    Location &buffer = buffers[static_cast<size_t>(port.buffer)];
    int64_t bytes;
    if (!tensorBytes(port.element, inputs[i].shape, inputs[i].rank, bytes))
      return userError(
          nameOf(port.kind), " ", quoted(port.name), ": the size of ",
          shapeText(inputs[i].shape, inputs[i].rank), " does not fit 64 bits");
    if (buffer.bytes != bytes)
      return bug(nameOf(port.kind), " ", quoted(port.name), " has ", bytes,
                 " bytes, its buffer ", port.buffer, " has ", buffer.bytes);
    buffer.data = bytes ? static_cast<uint8_t *>(inputs[i].data) : nothing;
  }
  for (size_t i = 0; i < entry.outputs.size(); ++i) {
    const Port &port = entry.outputs[i];
    if (port.isScalar())
      continue;
    int64_t bytes = buffers[static_cast<size_t>(port.buffer)].bytes;
    if (bytes != outputSizes[i])
      return bug("output ", quoted(port.name), " has ", outputSizes[i],
                 " bytes, its buffer ", port.buffer, " has ", bytes);
  }
  // Grown only: a short call after a long one costs nothing.
  if (!arena || arena->bytes < static_cast<size_t>(arenaSize)) {
    arena.reset();
    INFINI_TRY(device.allocate(static_cast<size_t>(arenaSize), arena));
  }
  for (size_t i = 0; i < buffers.size(); ++i) {
    if (!entry.buffers[i].isArena)
      continue;
    int64_t offset;
    INFINI_TRY_AT(size(entry.buffers[i].offset, "a buffer's offset", offset),
                  text("buffer ", i));
    if (offset % 64 != 0 || offset > arenaSize ||
        buffers[i].bytes > arenaSize - offset)
      return bug("buffer ", i, " of ", buffers[i].bytes, " bytes at offset ",
                 offset, " does not lie in the arena of ", arenaSize,
                 " bytes at a multiple of 64");
    buffers[i].data = static_cast<uint8_t *>(arena->data) + offset;
  }
  return Status();
}

Status Executor::bind(const Input *inputs) {
  ++call;
  INFINI_TRY(bindVariables(inputs));
  INFINI_TRY(runChecks());
  INFINI_TRY(bindOutputs());
  return bindBuffers(inputs);
}

//===----------------------------------------------------------------------===//
// Commands
//===----------------------------------------------------------------------===//

Status Executor::requireBytes(const Command &command, size_t operand,
                              int64_t bytes) {
  int64_t has = buffers[command.buffers[operand]].bytes;
  if (bytes > has)
    return bug("operand ", operand, " needs ", bytes, " bytes, buffer ",
               command.buffers[operand], " has ", has);
  return Status();
}

Status Executor::runDispatch(const Command &command) {
  Dispatch dispatch = {command.kernel,         {1, 1, 1},
                       arguments.data(),       command.buffers.size(),
                       command.scalars.size(), bufferBytes.data()};
  for (size_t i = 0; i < command.grid.size(); ++i) {
    INFINI_TRY(value(command.grid[i], dispatch.grid[i]));
    if (dispatch.grid[i] <= 0)
      return Status();
  }
  uint64_t *slot = arguments.data();
  int64_t *bytes = bufferBytes.data();
  for (uint32_t index : command.buffers) {
    *slot++ = reinterpret_cast<uintptr_t>(buffers[index].data);
    *bytes++ = buffers[index].bytes;
  }
  for (uint32_t index : command.scalars) {
    int64_t scalar;
    INFINI_TRY(value(index, scalar));
    *slot++ = static_cast<uint64_t>(scalar);
  }
  return device.dispatch(module, dispatch);
}

Status Executor::runGemm(const Command &command) {
  int64_t m, n, k;
  INFINI_TRY(size(command.m, "m", m));
  INFINI_TRY(size(command.n, "n", n));
  INFINI_TRY(size(command.k, "k", k));
  const int64_t shapes[3][2] = {{m, k}, {k, n}, {m, n}};
  for (size_t i = 0; i < 3; ++i) {
    int64_t bytes;
    if (!tensorBytes(command.element, shapes[i], 2, bytes))
      return bug("operand ", i, " is too large: ", shapeText(shapes[i], 2));
    INFINI_TRY(requireBytes(command, i, bytes));
  }
  return device.gemm(
      {buffers[command.buffers[0]].data, buffers[command.buffers[1]].data,
       buffers[command.buffers[2]].data, m, n, k, command.transposeA,
       command.transposeB, command.accumulate, command.element});
}

Status Executor::runCommand(const Command &command) {
  switch (command.kind) {
  case CommandKind::dispatch:
    return runDispatch(command);
  case CommandKind::gemm:
    return runGemm(command);
  case CommandKind::copy: {
    int64_t bytes;
    INFINI_TRY(size(command.bytes, "the number of bytes", bytes));
    INFINI_TRY(requireBytes(command, 0, bytes));
    INFINI_TRY(requireBytes(command, 1, bytes));
    return device.copy(buffers[command.buffers[1]].data,
                       buffers[command.buffers[0]].data,
                       static_cast<size_t>(bytes));
  }
  case CommandKind::fill: {
    int64_t bytes;
    INFINI_TRY(size(command.bytes, "the number of bytes", bytes));
    INFINI_TRY(requireBytes(command, 0, bytes));
    return device.fill(buffers[command.buffers[0]].data,
                       static_cast<size_t>(bytes), command.pattern,
                       command.patternBytes);
  }
  case CommandKind::loop: {
    int64_t trips;
    INFINI_TRY(value(command.tripCount, trips));
    for (int64_t i = 0; i < trips; ++i) {
      variables[command.variable] = i;
      INFINI_TRY(runCommands(command.body));
    }
    return Status();
  }
  }
  return bug("unknown command");
}

Status Executor::runCommands(const std::vector<Command> &commands) {
  for (const Command &command : commands)
    if (Status status = device.trace ? runTraced(command) : runCommand(command))
      return command.label.empty() ? std::move(status)
                                   : std::move(status).at(command.label);
  return Status();
}

Status Executor::runStep(void *const *outputs) {
  if (poison)
    INFINI_TRY(device.fill(arena->data, arena->bytes, ~uint64_t(0), 8));
  for (size_t i = 0; i < entry.outputs.size(); ++i) {
    const Port &port = entry.outputs[i];
    if (port.isScalar() || port.kind == PortKind::state)
      continue;
    Location &buffer = buffers[static_cast<size_t>(port.buffer)];
    buffer.data = buffer.bytes ? static_cast<uint8_t *>(outputs[i]) : nothing;
    if (poison)
      INFINI_TRY(device.fill(buffer.data, static_cast<size_t>(buffer.bytes),
                             ~uint64_t(0), 8));
  }
  if (device.trace)
    INFINI_TRY(beginMarks());
  return runCommands(entry.commands);
}

namespace {
/// Between beginStep and endStep; an exception ends it too.
class Step {
public:
  Step(Device &device, DeviceModule &module) : device(device), module(module) {}
  ~Step() {
    if (isOpen)
      (void)device.endStep(module, true);
  }
  Status begin() {
    INFINI_TRY(device.beginStep(module));
    isOpen = true;
    return Status();
  }
  Status end() {
    isOpen = false;
    return device.endStep(module, false);
  }

private:
  Device &device;
  DeviceModule &module;
  bool isOpen = false;
};
} // namespace

Status Executor::run(void *const *outputs) {
  auto place = [&] { return "entry " + quoted(entry.name); };
  double start = device.trace ? device.trace->now() : 0;
  Step step(device, module);
  INFINI_TRY_AT(step.begin(), place());
  INFINI_TRY_AT(runStep(outputs), place());
  // Before another session's step may begin.
  if (device.trace)
    INFINI_TRY_AT(tellStep(start), place());
  INFINI_TRY_AT(step.end(), place());
  return Status();
}
