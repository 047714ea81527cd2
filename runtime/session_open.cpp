// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opening a session: weights, state, and constants find their places.

#include "infini/runtime/element_dtype.h"
#include "infini/runtime/nearest_name.h"
#include "infini/runtime/session.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <unordered_set>

using namespace infini;

std::vector<int64_t> Session::staticShape(const Port &port) {
  std::vector<int64_t> shape;
  for (const Dim &dim : port.dims)
    shape.push_back(dim.variable < 0 ? dim.value : -1);
  return shape;
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// The tensor that was perhaps meant by a name: none that the package uses.
static std::string nearestUnused(const safetensors::Model &weights,
                                 const Variant &variant,
                                 const std::string &name) {
  std::unordered_set<std::string_view> used;
  for (const Entry &entry : variant.entries)
    for (const Port &port : entry.inputs)
      if (port.kind == PortKind::weight)
        used.insert(port.name);
  std::vector<std::string_view> unused;
  for (const safetensors::Tensor &tensor : weights.tensors())
    if (!used.count(tensor.name))
      unused.push_back(tensor.name);
  return nearestName(name, unused);
}

Status Session::bindWeight(const Port &port, Executor::Input &input) {
  if (!weights)
    return userError("entry ", quoted(entry->name), " needs the tensor ",
                     quoted(port.name), "; give the folder of the weights");
  const safetensors::Tensor *tensor = weights->find(port.name);
  if (!tensor) {
    std::string nearest = nearestUnused(*weights, *variant, port.name);
    return userError("weights ", quoted(weights->path()), " have no tensor ",
                     quoted(port.name),
                     nearest.empty() ? "" : "; the nearest unused name is ",
                     nearest.empty() ? "" : quoted(nearest));
  }
  // Dynamic dimensions are bound at each call, and checked then.
  bool shapeMatches = tensor->shape.size() == port.dims.size();
  for (size_t i = 0; shapeMatches && i < port.dims.size(); ++i)
    shapeMatches =
        port.dims[i].variable >= 0 || port.dims[i].value == tensor->shape[i];
  ElementType type;
  if (!toElementType(tensor->dtype, type) || type != port.element ||
      !shapeMatches) {
    std::vector<int64_t> expected = staticShape(port);
    return userError("tensor ", quoted(port.name), " of weights ",
                     quoted(weights->path()), ": expected ",
                     nameOf(port.element), " ",
                     shapeText(expected.data(), expected.size()), ", got ",
                     safetensors::nameOf(tensor->dtype), " ",
                     shapeText(tensor->shape.data(), tensor->shape.size()),
                     "; was the package compiled from this model?");
  }
  input.shape = tensor->shape.data();
  input.rank = tensor->shape.size();
  input.data = const_cast<uint8_t *>(tensor->data);
  // The format does not promise alignment. Where it lacks, a copy is needed.
  bool isAligned =
      reinterpret_cast<uintptr_t>(tensor->data) % bytesOf(type) == 0;
  if (isRemote || !isAligned) {
    // Once, also where several entries use it.
    std::unique_ptr<DeviceMemory> &memory = weightMemory[port.name];
    if (!memory) {
      INFINI_TRY(device->allocate(tensor->bytes, memory));
      INFINI_TRY_AT(device->upload(memory->data, tensor->data, tensor->bytes),
                    "tensor " + quoted(port.name));
    }
    input.data = memory->data;
  }
  counts.weight_bytes += tensor->bytes;
  return Status();
}

Status Session::bindWeights(const Entry &entry,
                            std::vector<Executor::Input> &inputs) {
  inputs.resize(entry.inputs.size());
  for (size_t i = 0; i < entry.inputs.size(); ++i)
    if (entry.inputs[i].kind == PortKind::weight)
      INFINI_TRY(bindWeight(entry.inputs[i], inputs[i]));
  return Status();
}

//===----------------------------------------------------------------------===//
// State and constants
//===----------------------------------------------------------------------===//

Status Session::makeStates() {
  for (size_t i = 0; i < entry->inputs.size(); ++i) {
    const Port &port = entry->inputs[i];
    if (port.kind != PortKind::state)
      continue;
    State state;
    state.port = &port;
    state.bytes = sizeof(int64_t);
    if (!port.isScalar()) {
      auto shape = std::make_unique<Fixed>();
      shape->shape = staticShape(port);
      int64_t bytes;
      if (!tensorBytes(port.element, shape->shape.data(), shape->shape.size(),
                       bytes))
        return bug("state ", quoted(port.name), " is too large");
      INFINI_TRY(device->allocate(static_cast<size_t>(bytes), state.memory));
      state.bytes = static_cast<size_t>(bytes);
      inputs[i].data = state.memory->data;
      inputs[i].shape = shape->shape.data();
      inputs[i].rank = shape->shape.size();
      fixed.push_back(std::move(shape));
    }
    counts.state_bytes += state.bytes;
    states.push_back(std::move(state));
  }
  outputStates.assign(entry->outputs.size(), nullptr);
  for (size_t i = 0; i < entry->outputs.size(); ++i)
    for (State &state : states)
      if (entry->outputs[i].kind == PortKind::state &&
          entry->outputs[i].name == state.port->name)
        outputStates[i] = &state;
  return Status();
}

Status Session::makeConstants(const Entry &init) {
  std::vector<Executor::Input> initInputs;
  INFINI_TRY(bindWeights(init, initInputs));
  for (const Port &port : init.inputs)
    if (port.kind != PortKind::weight)
      return bug("entry ", quoted(init.name), " has the ", nameOf(port.kind),
                 " input ", quoted(port.name), ", expected weights only");
  Executor maker(*variant, init, *device, *module, poison);
  INFINI_TRY_AT(maker.bind(initInputs.data()), "entry " + quoted(init.name));
  std::vector<void *> results;
  for (size_t o = 0; o < init.outputs.size(); ++o) {
    auto constant = std::make_unique<Fixed>();
    constant->shape = maker.outputShape(o);
    INFINI_TRY(device->allocate(static_cast<size_t>(maker.outputBytes(o)),
                                constant->memory));
    results.push_back(constant->memory->data);
    counts.constant_bytes += static_cast<uint64_t>(maker.outputBytes(o));
    for (size_t i = 0; i < entry->inputs.size(); ++i) {
      const Port &port = entry->inputs[i];
      if (port.kind != PortKind::constant || port.name != init.outputs[o].name)
        continue;
      if (constant->shape != staticShape(port))
        return bug("constant ", quoted(port.name), " is made with the shape ",
                   shapeText(constant->shape.data(), constant->shape.size()),
                   ", expected ",
                   shapeText(staticShape(port).data(), port.dims.size()));
      inputs[i].data = constant->memory->data;
      inputs[i].shape = constant->shape.data();
      inputs[i].rank = constant->shape.size();
    }
    fixed.push_back(std::move(constant));
  }
  INFINI_TRY(maker.run(results.data()));
  // Before the arena goes, and copies of weights that nothing else needs.
  INFINI_TRY_AT(device->synchronize(), "entry " + quoted(init.name));
  for (const Port &port : init.inputs) {
    auto isUsed = [&](const Port &other) {
      return other.kind == PortKind::weight && other.name == port.name;
    };
    if (std::none_of(entry->inputs.begin(), entry->inputs.end(), isUsed))
      weightMemory.erase(port.name);
  }
  return Status();
}

//===----------------------------------------------------------------------===//
// Opening
//===----------------------------------------------------------------------===//

Status Session::open(std::shared_ptr<const Package> package,
                     const std::string &entryName,
                     std::shared_ptr<const safetensors::Model> weights,
                     std::shared_ptr<Device> device,
                     std::unique_ptr<Session> &result) {
  std::unique_ptr<Session> session(new Session());
  session->package = std::move(package);
  session->weights = std::move(weights);
  session->device = std::move(device);
  session->isRemote = !session->device->sharesHostMemory();
  const Program &program = session->package->program();
  // The names are the same in all variants: a wrong one is found before the
  // work of loading.
  INFINI_TRY(session->package->selectEntry(entryName, 0, session->entry));
  INFINI_TRY(session->device->load(program, session->module));
  uint32_t variant = program.targets[session->module->target].variant;
  session->variant = &program.variants[variant];
  INFINI_TRY(session->package->selectEntry(entryName, variant, session->entry));
  const Entry &entry = *session->entry;
  const char *poison = getenv("INFINI_POISON");
  session->poison = poison && std::strcmp(poison, "1") == 0;
  if (session->poison)
    session->device->poisonScratch();

  for (size_t i = 0; i < entry.inputs.size(); ++i)
    if (entry.inputs[i].kind == PortKind::argument)
      session->argumentInputs.push_back(i);
  for (size_t i = 0; i < entry.outputs.size(); ++i) {
    if (entry.outputs[i].kind == PortKind::argument)
      session->argumentOutputs.push_back(i);
    else if (entry.outputs[i].kind == PortKind::constant)
      return userError("entry ", quoted(entry.name),
                       " computes the constants "
                       "of another entry and cannot be called");
  }
  session->outputs.resize(entry.outputs.size());
  session->inputMemory.resize(entry.inputs.size());
  session->outputMemory.resize(entry.outputs.size());
  INFINI_TRY(session->bindWeights(entry, session->inputs));
  INFINI_TRY(session->makeStates());
  bool hasConstants = std::any_of(
      entry.inputs.begin(), entry.inputs.end(),
      [](const Port &port) { return port.kind == PortKind::constant; });
  if (hasConstants) // verified to be there
    INFINI_TRY(session->makeConstants(
        *session->variant->findEntry(entry.name + ".init")));
  session->executor =
      std::make_unique<Executor>(*session->variant, entry, *session->device,
                                 *session->module, session->poison);
  if (program.hasModel)
    session->tokensPerCall = program.model.maxTokensPerCall;
  session->takesText = !session->checkTextForm();
  INFINI_TRY(session->reset());
  result = std::move(session);
  return Status();
}
