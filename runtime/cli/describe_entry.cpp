// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/cli/describe.h"

#include <algorithm>

using namespace infini;
using namespace infini::cli;

namespace {

class EntryDescriber {
public:
  EntryDescriber(const Entry &entry, const std::vector<Kernel> &kernels)
      : entry(entry), kernels(kernels) {}

  Json run() const {
    Json result = {{"name", entry.name},
                   {"variables", Json::array()},
                   {"loop_variables", Json::array()},
                   {"inputs", Json::array()},
                   {"outputs", Json::array()},
                   {"state", state()},
                   {"checks", Json::array()},
                   {"arena_bytes", size(entry.arenaSize)},
                   {"buffers", buffers()},
                   {"commands", commands(entry.commands)}};
    for (size_t i = 0; i < entry.variables; ++i)
      result[entry.boundByInput[i] ? "variables" : "loop_variables"].push_back(
          entry.variableName(i));
    for (const Port &port : entry.inputs)
      result["inputs"].push_back(input(port));
    for (const Port &port : entry.outputs)
      result["outputs"].push_back(output(port));
    for (const Check &check : entry.checks)
      result["checks"].push_back(describe(check));
    return result;
  }

private:
  /// A number where it is one, else an expression's text.
  Json size(uint32_t index) const {
    const Expression &expression = entry.expressions[index];
    if (expression.nodes.size() == 1 &&
        expression.nodes[0].op == ExpressionOp::constant)
      return expression.nodes[0].operand;
    return textOf(expression, entry.variableNames);
  }
  Json sizes(const std::vector<uint32_t> &indices) const {
    Json result = Json::array();
    for (uint32_t index : indices)
      result.push_back(size(index));
    return result;
  }

  Json common(const Port &port) const {
    return {{"name", port.name},
            {"kind", nameOf(port.kind)},
            {"element", nameOf(port.element)}};
  }
  Json input(const Port &port) const {
    Json result = common(port);
    if (port.isScalar()) {
      result["scalar"] =
          entry.variableName(static_cast<size_t>(port.scalarVariable));
      return result;
    }
    result["shape"] = Json::array();
    for (const Dim &dim : port.dims)
      if (dim.variable < 0)
        result["shape"].push_back(dim.value);
      else
        result["shape"].push_back(
            entry.variableName(static_cast<size_t>(dim.variable)));
    return inBuffer(port, std::move(result));
  }
  Json output(const Port &port) const {
    Json result = common(port);
    if (port.isScalar()) {
      result["scalar"] = size(static_cast<uint32_t>(port.scalarExpr));
      return result;
    }
    result["shape"] = sizes(port.shape);
    return inBuffer(port, std::move(result));
  }
  Json inBuffer(const Port &port, Json result) const {
    auto buffer = static_cast<size_t>(port.buffer);
    result["bytes"] = size(entry.buffers[buffer].size);
    result["buffer"] = buffer;
    return result;
  }

  /// What a session keeps between calls. Its shapes are static.
  Json state() const {
    Json components = Json::array();
    int64_t total = 0;
    for (const Port &port : entry.inputs) {
      if (port.kind != PortKind::state)
        continue;
      Json component = {{"name", port.name}, {"element", nameOf(port.element)}};
      int64_t bytes = sizeof(int64_t);
      std::vector<int64_t> shape;
      if (!port.isScalar()) {
        for (const Dim &dim : port.dims)
          shape.push_back(dim.value);
        // Verification has seen that it fits.
        tensorBytes(port.element, shape.data(), shape.size(), bytes);
      }
      component["shape"] = shape;
      component["bytes"] = bytes;
      total += bytes;
      components.push_back(std::move(component));
    }
    return {{"bytes", total}, {"components", std::move(components)}};
  }

  Json describe(const Check &check) const {
    static const char *const relations[] = {"equal", "multiple_of", "at_most"};
    return {{"left", size(check.left)},
            {"relation", relations[static_cast<unsigned>(check.relation)]},
            {"right", size(check.right)},
            {"message", check.message}};
  }

  Json buffers() const {
    std::vector<Json> ports(entry.buffers.size(), Json::array());
    for (const auto *list : {&entry.inputs, &entry.outputs})
      for (const Port &port : *list)
        if (!port.isScalar()) {
          Json &names = ports[static_cast<size_t>(port.buffer)];
          // A state's input and output are one buffer.
          if (std::find(names.begin(), names.end(), port.name) == names.end())
            names.push_back(port.name);
        }
    Json result = Json::array();
    for (size_t i = 0; i < entry.buffers.size(); ++i) {
      const Buffer &buffer = entry.buffers[i];
      Json one = {{"kind", buffer.isArena ? "arena" : "port"},
                  {"bytes", size(buffer.size)}};
      if (buffer.isArena)
        one["offset"] = size(buffer.offset);
      else
        one["ports"] = std::move(ports[i]);
      result.push_back(std::move(one));
    }
    return result;
  }

  Json commands(const std::vector<Command> &list) const {
    Json result = Json::array();
    for (const Command &command : list)
      result.push_back(describe(command));
    return result;
  }
  Json describe(const Command &command) const {
    static const char *const names[] = {"dispatch", "gemm", "copy", "fill",
                                        "loop"};
    Json result = {{"command", names[static_cast<unsigned>(command.kind)]}};
    if (!command.label.empty())
      result["label"] = command.label;
    switch (command.kind) {
    case CommandKind::dispatch:
      result["kernel"] = kernels[command.kernel].name;
      result["grid"] = sizes(command.grid);
      result["scalars"] = sizes(command.scalars);
      break;
    case CommandKind::gemm:
      result["element"] = nameOf(command.element);
      for (auto [name, index] :
           {std::pair("m", command.m), std::pair("n", command.n),
            std::pair("k", command.k)})
        result[name] = size(index);
      result["transpose_a"] = command.transposeA;
      result["transpose_b"] = command.transposeB;
      result["accumulate"] = command.accumulate;
      break;
    case CommandKind::fill:
      result["pattern"] = command.pattern;
      result["pattern_bytes"] = command.patternBytes;
      [[fallthrough]];
    case CommandKind::copy:
      result["bytes"] = size(command.bytes);
      break;
    case CommandKind::loop:
      result["variable"] = entry.variableName(command.variable);
      result["trip_count"] = size(command.tripCount);
      result["body"] = commands(command.body);
      return result;
    }
    result["buffers"] = command.buffers;
    return result;
  }

  const Entry &entry;
  const std::vector<Kernel> &kernels;
};

} // namespace

Json cli::describeEntry(const Entry &entry,
                        const std::vector<Kernel> &kernels) {
  return EntryDescriber(entry, kernels).run();
}
