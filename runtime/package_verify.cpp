// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What FlatBuffers' verifier does not check: that indices point at something,
// expressions are well formed, variables are bound before they are read,
// commands and ports fit the buffers and kernels that they name. What depends
// on the values of variables (sizes, ranges) is checked when an entry runs.
// target_verify.cpp has the rest: variants against each other, and targets.

#include "infini/runtime/package.h"

#include <unordered_map>
#include <unordered_set>

using namespace infini;

const char *infini::nameOf(PortKind kind) {
  switch (kind) {
  case PortKind::argument:
    return "argument";
  case PortKind::weight:
    return "weight";
  case PortKind::state:
    return "state";
  case PortKind::constant:
    return "constant";
  }
  return "?";
}

namespace {

/// Variables are numbered densely; far more than any program has means damage,
/// and would make us allocate for nothing.
constexpr uint32_t maxVariables = 1 << 20;

class EntryVerifier {
public:
  EntryVerifier(const std::vector<Kernel> &kernels, Entry &entry)
      : kernels(kernels), entry(entry) {}

  Status run() {
    if (entry.variables > maxVariables)
      return dataError("has ", entry.variables, " variables, expected at most ",
                       maxVariables);
    entry.boundByInput.assign(entry.variables, false);
    INFINI_TRY(verifyInputs());
    INFINI_TRY(verifyExpressions());
    INFINI_TRY(verifyOutputs());
    INFINI_TRY(verifyBuffers());
    for (const Check &check : entry.checks) {
      INFINI_TRY(callExpression(check.left, "a check"));
      INFINI_TRY(callExpression(check.right, "a check"));
    }
    live.assign(entry.variables, false);
    return verifyCommands(entry.commands, 0);
  }

private:
  Status verifyInputs();
  Status verifyExpressions();
  Status verifyOutputs();
  Status verifyBuffers();
  Status verifyCommands(const std::vector<Command> &commands, size_t depth);
  Status verifyCommand(const Command &command, size_t depth);
  Status verifyDispatch(const Command &command);
  Status verifyGemm(const Command &command);

  Status expressionIndex(uint32_t index, const std::string &what) {
    if (index >= entry.expressions.size())
      return dataError(what, " names expression ", index, ", expected one of ",
                       entry.expressions.size());
    return Status();
  }
  /// An expression whose value is fixed for a whole call.
  Status callExpression(uint32_t index, const std::string &what) {
    INFINI_TRY(expressionIndex(index, what));
    for (const ExpressionNode &node : entry.expressions[index].nodes)
      if (node.op == ExpressionOp::variable &&
          !entry.boundByInput[size_t(node.operand)])
        return dataError(what, " reads variable ",
                         quoted(entry.variableName(size_t(node.operand))),
                         " which no input binds");
    return Status();
  }
  /// An expression that may read the counters of the loops around.
  Status commandExpression(uint32_t index, const char *what) {
    INFINI_TRY(expressionIndex(index, what));
    for (const ExpressionNode &node : entry.expressions[index].nodes)
      if (node.op == ExpressionOp::variable &&
          !entry.boundByInput[size_t(node.operand)] &&
          !live[size_t(node.operand)])
        return dataError(what, " reads variable ",
                         quoted(entry.variableName(size_t(node.operand))),
                         " which neither an input nor a loop around it binds");
    return Status();
  }
  Status bufferIndex(uint32_t index) {
    if (index >= entry.buffers.size())
      return dataError("names buffer ", index, ", expected one of ",
                       entry.buffers.size());
    return Status();
  }
  /// What a command writes must not be what the session only lends.
  Status writable(uint32_t index) {
    for (const Port &port : entry.inputs)
      if (port.buffer == int64_t(index) && port.kind != PortKind::state)
        return dataError("writes the buffer of the input ", quoted(port.name));
    return Status();
  }

  const std::vector<Kernel> &kernels;
  Entry &entry;
  /// Counters of the loops around the command at hand.
  std::vector<bool> live;
};

Status verifyPortForm(const Port &port, bool isOutput) {
  if (port.name.empty())
    return dataError("has no name");
  int32_t scalar = isOutput ? port.scalarExpr : port.scalarVariable;
  int32_t other = isOutput ? port.scalarVariable : port.scalarExpr;
  if (other >= 0)
    return dataError(isOutput ? "is an output and names a variable to bind"
                              : "is an input and names an expression");
  if ((scalar >= 0) == (port.buffer >= 0))
    return dataError("expected either a buffer or a scalar, got ",
                     scalar >= 0 ? "both" : "neither");
  if (scalar >= 0 && (port.element != ElementType::i64 || !port.dims.empty() ||
                      !port.shape.empty()))
    return dataError("is a scalar, expected i64 of rank 0");
  if (port.dims.size() > maxRank || port.shape.size() > maxRank)
    return dataError("has more than ", maxRank, " dimensions");
  return Status();
}

Status EntryVerifier::verifyInputs() {
  std::unordered_set<std::string> names;
  for (const Port &port : entry.inputs) {
    std::string place = text("input ", quoted(port.name));
    INFINI_TRY_AT(verifyPortForm(port, false), place);
    if (!names.insert(port.name).second)
      return dataError(place, ": another input has this name");
    if (!port.shape.empty())
      return dataError(place, ": is an input and has shape expressions");
    if (port.kind == PortKind::state || port.kind == PortKind::constant)
      for (const Dim &dim : port.dims)
        if (dim.variable != -1)
          return dataError(place, ": is a ", nameOf(port.kind),
                           ", expected static dimensions");
    std::vector<int64_t> statics;
    for (const Dim &dim : port.dims) {
      if (dim.variable == -1) {
        if (dim.value < 0)
          return dataError(place, ": has the dimension ", dim.value);
        statics.push_back(dim.value);
        continue;
      }
      if (dim.variable < 0 || uint32_t(dim.variable) >= entry.variables)
        return dataError(place, ": binds variable ", dim.variable,
                         ", expected one of ", entry.variables);
      entry.boundByInput[size_t(dim.variable)] = true;
    }
    int64_t bytes;
    if (!tensorBytes(port.element, statics.data(), statics.size(), bytes))
      return dataError(place, ": its size does not fit 64 bits");
    if (port.scalarVariable >= 0) {
      if (uint32_t(port.scalarVariable) >= entry.variables)
        return dataError(place, ": binds variable ", port.scalarVariable,
                         ", expected one of ", entry.variables);
      if (port.kind == PortKind::weight || port.kind == PortKind::constant)
        return dataError(place, ": is a ", nameOf(port.kind),
                         ", expected a tensor");
      entry.boundByInput[size_t(port.scalarVariable)] = true;
    }
  }
  return Status();
}

Status EntryVerifier::verifyExpressions() {
  for (size_t i = 0; i < entry.expressions.size(); ++i) {
    Expression &expression = entry.expressions[i];
    std::string problem = verifyExpression(expression, entry.variables);
    if (!problem.empty())
      return dataError("expression ", i, " ", problem);
    for (const ExpressionNode &node : expression.nodes)
      if (node.op == ExpressionOp::variable &&
          !entry.boundByInput[size_t(node.operand)])
        expression.readsLoopVariable = true;
  }
  return Status();
}

Status EntryVerifier::verifyOutputs() {
  std::unordered_set<std::string> names;
  for (const Port &port : entry.outputs) {
    std::string place = text("output ", quoted(port.name));
    INFINI_TRY_AT(verifyPortForm(port, true), place);
    if (!names.insert(port.name).second)
      return dataError(place, ": another output has this name");
    if (!port.dims.empty())
      return dataError(place, ": is an output and has dimensions, expected "
                              "shape expressions");
    if (port.kind == PortKind::weight)
      return dataError(place, ": is a weight, expected an argument, a state or "
                              "a constant");
    for (uint32_t index : port.shape)
      INFINI_TRY(callExpression(index, place + ": its shape"));
    if (port.scalarExpr >= 0)
      INFINI_TRY(
          callExpression(uint32_t(port.scalarExpr), place + ": its value"));
    if (port.kind != PortKind::state)
      continue;
    const Port *input = nullptr;
    for (const Port &candidate : entry.inputs)
      if (candidate.kind == PortKind::state && candidate.name == port.name)
        input = &candidate;
    if (!input)
      return dataError(place, ": is a state that no input has");
    if (input->isScalar() != port.isScalar() ||
        input->element != port.element || input->buffer != port.buffer ||
        input->dims.size() != port.shape.size())
      return dataError(place, ": differs from the input of this name in type, "
                              "rank or buffer");
  }
  return Status();
}

Status EntryVerifier::verifyBuffers() {
  INFINI_TRY(callExpression(entry.arenaSize, "the arena"));
  std::vector<int> inputs(entry.buffers.size()), outputs(entry.buffers.size()),
      states(entry.buffers.size());
  for (int isOutput = 0; isOutput < 2; ++isOutput)
    for (const Port &port : isOutput ? entry.outputs : entry.inputs) {
      if (port.isScalar())
        continue;
      std::string place =
          text(isOutput ? "output " : "input ", quoted(port.name));
      auto index = static_cast<uint32_t>(port.buffer);
      INFINI_TRY_AT(bufferIndex(index), place);
      if (entry.buffers[index].isArena)
        return dataError(place, ": lies in arena buffer ", index,
                         ", expected a port's buffer");
      ++(isOutput ? outputs : inputs)[index];
      states[index] += port.kind == PortKind::state;
    }
  for (size_t i = 0; i < entry.buffers.size(); ++i) {
    const Buffer &buffer = entry.buffers[i];
    std::string place = text("buffer ", i);
    INFINI_TRY(callExpression(buffer.size, place + ": its size"));
    if (buffer.isArena) {
      INFINI_TRY(callExpression(buffer.offset, place + ": its offset"));
      continue;
    }
    // One port has it, or a state's input and output have.
    bool isStatePair = inputs[i] == 1 && outputs[i] == 1 && states[i] == 2;
    if (inputs[i] + outputs[i] != 1 && !isStatePair)
      return dataError(place, ": belongs to ", inputs[i], " inputs and ",
                       outputs[i],
                       " outputs, expected one port or a state's two");
  }
  return Status();
}

Status EntryVerifier::verifyDispatch(const Command &command) {
  if (command.kernel >= kernels.size())
    return dataError("names kernel ", command.kernel, ", expected one of ",
                     kernels.size());
  const Kernel &kernel = kernels[command.kernel];
  auto expect = [&](const char *what, size_t expected, size_t got) {
    return expected == got
               ? Status()
               : dataError("kernel ", quoted(kernel.name), " expected ",
                           expected, " ", what, ", got ", got);
  };
  INFINI_TRY(expect("buffers", kernel.buffers, command.buffers.size()));
  INFINI_TRY(expect("scalars", kernel.scalars, command.scalars.size()));
  INFINI_TRY(expect("grid extents", kernel.gridRank, command.grid.size()));
  for (uint32_t index : command.grid)
    INFINI_TRY(commandExpression(index, "a grid extent"));
  for (uint32_t index : command.scalars)
    INFINI_TRY(commandExpression(index, "a scalar"));
  return Status();
}

Status EntryVerifier::verifyGemm(const Command &command) {
  if (command.buffers.size() != 3)
    return dataError("expected 3 buffers, got ", command.buffers.size());
  if (command.element != ElementType::f32 &&
      command.element != ElementType::f64)
    return dataError("expected elements f32 or f64, got ",
                     nameOf(command.element));
  if (command.buffers[2] == command.buffers[0] ||
      command.buffers[2] == command.buffers[1])
    return dataError("expected the result in a buffer of its own");
  INFINI_TRY(commandExpression(command.m, "m"));
  INFINI_TRY(commandExpression(command.n, "n"));
  INFINI_TRY(commandExpression(command.k, "k"));
  return writable(command.buffers[2]);
}

Status EntryVerifier::verifyCommand(const Command &command, size_t depth) {
  for (uint32_t index : command.buffers)
    INFINI_TRY(bufferIndex(index));
  switch (command.kind) {
  case CommandKind::dispatch:
    return verifyDispatch(command);
  case CommandKind::gemm:
    return verifyGemm(command);
  case CommandKind::copy:
    if (command.buffers.size() != 2)
      return dataError("expected 2 buffers, got ", command.buffers.size());
    INFINI_TRY(writable(command.buffers[1]));
    return commandExpression(command.bytes, "the number of bytes");
  case CommandKind::fill:
    if (command.buffers.size() != 1)
      return dataError("expected 1 buffer, got ", command.buffers.size());
    if (command.patternBytes != 1 && command.patternBytes != 2 &&
        command.patternBytes != 4 && command.patternBytes != 8)
      return dataError("expected a pattern of 1, 2, 4 or 8 bytes, got ",
                       unsigned(command.patternBytes));
    INFINI_TRY(writable(command.buffers[0]));
    return commandExpression(command.bytes, "the number of bytes");
  case CommandKind::loop:
    break;
  }
  if (depth >= maxLoopDepth)
    return dataError("loops are nested more than ", maxLoopDepth, " deep");
  if (command.variable >= entry.variables)
    return dataError("counts in variable ", command.variable,
                     ", expected one of ", entry.variables);
  if (entry.boundByInput[command.variable] || live[command.variable])
    return dataError("counts in variable ",
                     quoted(entry.variableName(command.variable)), " which ",
                     live[command.variable] ? "a loop around it" : "an input",
                     " binds already");
  INFINI_TRY(commandExpression(command.tripCount, "the trip count"));
  live[command.variable] = true;
  INFINI_TRY(verifyCommands(command.body, depth + 1));
  live[command.variable] = false;
  return Status();
}

Status EntryVerifier::verifyCommands(const std::vector<Command> &commands,
                                     size_t depth) {
  static const char *const names[] = {"dispatch", "gemm", "copy", "fill",
                                      "loop"};
  for (size_t i = 0; i < commands.size(); ++i) {
    const Command &command = commands[i];
    if (Status status = verifyCommand(command, depth))
      return std::move(status).at(
          text("command ", i, ", a ", names[unsigned(command.kind)],
               command.label.empty() ? "" : " of " + quoted(command.label)));
  }
  return Status();
}

/// What an entry's constants are computed by.
Status verifyInit(const Variant &variant, const Entry &entry) {
  const Entry *init = variant.findEntry(entry.name + ".init");
  for (const Port &port : entry.outputs)
    // An init entry is recognised by what it makes, whatever its name.
    if (port.kind == PortKind::constant)
      for (const Port &input : entry.inputs)
        if (input.kind != PortKind::weight)
          return dataError("entry ", quoted(entry.name),
                           " makes constants, and has the ", nameOf(input.kind),
                           " input ", quoted(input.name),
                           ", expected weights only");
  for (const Port &port : entry.inputs) {
    if (port.kind != PortKind::constant)
      continue;
    std::string place =
        text("entry ", quoted(entry.name), ": constant ", quoted(port.name));
    if (!init)
      return dataError(place, ": there is no entry ",
                       quoted(entry.name + ".init"), " to compute it");
    const Port *made = nullptr;
    for (const Port &output : init->outputs) {
      if (output.kind != PortKind::constant)
        return dataError("entry ", quoted(init->name), ": output ",
                         quoted(output.name), " is a ", nameOf(output.kind),
                         ", expected a constant");
      if (output.name == port.name)
        made = &output;
    }
    if (!made)
      return dataError(place, ": entry ", quoted(init->name),
                       " does not compute it");
    if (made->element != port.element ||
        made->shape.size() != port.dims.size() || made->isScalar())
      return dataError(place, ": entry ", quoted(init->name),
                       " computes it with another type or rank");
  }
  return Status();
}

Status verifyKernels(const std::vector<Kernel> &kernels) {
  std::unordered_set<std::string> names;
  for (const Kernel &kernel : kernels) {
    if (kernel.name.empty())
      return dataError("a kernel has no name");
    if (!names.insert(kernel.name).second)
      return dataError("two kernels have the name ", quoted(kernel.name));
    if (kernel.gridRank > 3)
      return dataError("kernel ", quoted(kernel.name), " has a grid of rank ",
                       kernel.gridRank, ", expected at most 3");
    if (kernel.buffers > maxKernelSlots || kernel.scalars > maxKernelSlots)
      return dataError("kernel ", quoted(kernel.name), " has ", kernel.buffers,
                       " buffers and ", kernel.scalars,
                       " scalars, expected at most ", maxKernelSlots,
                       " of each");
  }
  return Status();
}

Status verifyVariant(Variant &variant) {
  INFINI_TRY(verifyKernels(variant.kernels));
  if (variant.entries.empty())
    return dataError("has no entries");
  std::unordered_set<std::string> names;
  for (Entry &entry : variant.entries) {
    if (entry.name.empty())
      return dataError("an entry has no name");
    if (!names.insert(entry.name).second)
      return dataError("two entries have the name ", quoted(entry.name));
    INFINI_TRY_AT(EntryVerifier(variant.kernels, entry).run(),
                  "entry " + quoted(entry.name));
  }
  for (const Entry &entry : variant.entries)
    INFINI_TRY(verifyInit(variant, entry));
  return Status();
}

} // namespace

Status infini::verifyProgram(Program &program) {
  if (program.producer.empty())
    return dataError("has no producer");
  if (program.hasModel && program.model.maxTokensPerCall == 0)
    return dataError("the model takes 0 tokens a call");
  if (program.variants.empty())
    return dataError("has no variants");
  for (size_t i = 0; i < program.variants.size(); ++i)
    INFINI_TRY_AT(verifyVariant(program.variants[i]), text("variant ", i));
  INFINI_TRY(verifyVariantsAgree(program.variants));
  return verifyTargets(program);
}
