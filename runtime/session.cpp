// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/session.h"
#include "infini/runtime/nearest_name.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <unordered_set>

using namespace infini;

//===----------------------------------------------------------------------===//
// Opening
//===----------------------------------------------------------------------===//

static std::vector<int64_t> staticShape(const Port &port) {
  std::vector<int64_t> shape;
  for (const Dim &dim : port.dims)
    shape.push_back(dim.variable < 0 ? dim.value : -1);
  return shape;
}

static bool toElementType(safetensors::Dtype dtype, ElementType &type) {
  using safetensors::Dtype;
  switch (dtype) {
  case Dtype::F64:
    return type = ElementType::f64, true;
  case Dtype::F32:
    return type = ElementType::f32, true;
  case Dtype::F16:
    return type = ElementType::f16, true;
  case Dtype::BF16:
    return type = ElementType::bf16, true;
  case Dtype::I64:
    return type = ElementType::i64, true;
  case Dtype::I32:
    return type = ElementType::i32, true;
  case Dtype::I16:
    return type = ElementType::i16, true;
  case Dtype::I8:
    return type = ElementType::i8, true;
  case Dtype::BOOL:
    return type = ElementType::i1, true;
  default:
    return false;
  }
}

/// The tensor that was perhaps meant by a name: none that the package uses.
static std::string nearestUnused(const safetensors::Model &weights,
                                 const Program &program,
                                 const std::string &name) {
  std::unordered_set<std::string_view> used;
  for (const Entry &entry : program.entries)
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
    std::string nearest =
        nearestUnused(*weights, package->program(), port.name);
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
  if (reinterpret_cast<uintptr_t>(tensor->data) % bytesOf(type) != 0) {
    auto copy = std::make_unique<Fixed>();
    INFINI_TRY(device->allocate(tensor->bytes, copy->memory));
    INFINI_TRY(device->copy(copy->memory->data, tensor->data, tensor->bytes));
    input.data = copy->memory->data;
    fixed.push_back(std::move(copy));
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
  Executor maker(package->program(), init, *device, *module, poison);
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
  return maker.run(results.data());
}

Status Session::open(std::shared_ptr<const Package> package,
                     const std::string &entryName,
                     std::shared_ptr<const safetensors::Model> weights,
                     std::shared_ptr<Device> device,
                     std::unique_ptr<Session> &result) {
  std::unique_ptr<Session> session(new Session());
  session->package = std::move(package);
  session->weights = std::move(weights);
  session->device = std::move(device);
  const Program &program = session->package->program();
  INFINI_TRY(session->package->selectEntry(entryName, session->entry));
  const Entry &entry = *session->entry;
  INFINI_TRY(session->device->load(program, session->module));
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
  INFINI_TRY(session->bindWeights(entry, session->inputs));
  INFINI_TRY(session->makeStates());
  bool hasConstants = std::any_of(
      entry.inputs.begin(), entry.inputs.end(),
      [](const Port &port) { return port.kind == PortKind::constant; });
  if (hasConstants) // verified to be there
    INFINI_TRY(session->makeConstants(
        *session->package->findEntry(entry.name + ".init")));
  session->executor = std::make_unique<Executor>(
      program, entry, *session->device, *session->module, session->poison);
  if (program.hasModel)
    session->tokensPerCall = program.model.maxTokensPerCall;
  INFINI_TRY(session->reset());
  result = std::move(session);
  return Status();
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

static Status checkTensor(const infini_tensor &tensor, const Port &port) {
  if (static_cast<unsigned>(tensor.element) >= elementTypeCount)
    return userError("argument ", quoted(port.name), ": unknown element type ",
                     int(tensor.element));
  auto element = static_cast<ElementType>(tensor.element);
  if (tensor.rank < 0 || tensor.rank > INFINI_MAX_RANK)
    return userError("argument ", quoted(port.name), ": unexpected rank ",
                     tensor.rank);
  if (element != port.element)
    return userError("argument ", quoted(port.name), ": expected ",
                     nameOf(port.element), ", got ", nameOf(element));
  if (port.isScalar() && tensor.rank != 0)
    return userError("argument ", quoted(port.name),
                     ": expected a scalar, got ",
                     shapeText(tensor.shape, size_t(tensor.rank)));
  int64_t bytes = 0;
  if (!tensorBytes(element, tensor.shape, size_t(tensor.rank), bytes))
    return userError("argument ", quoted(port.name), ": the shape ",
                     shapeText(tensor.shape, size_t(tensor.rank)),
                     " is not one");
  if (bytes && !tensor.data)
    return userError("argument ", quoted(port.name), " has no data");
  if (bytes && reinterpret_cast<uintptr_t>(tensor.data) % bytesOf(element))
    return userError("argument ", quoted(port.name),
                     ": its data is not aligned to ", bytesOf(element),
                     " bytes");
  return Status();
}

namespace {
/// Memory for results, given back unless the call succeeds.
class Allocations {
public:
  ~Allocations() {
    for (infini_tensor *tensor : tensors)
      infini_tensor_release(tensor);
  }
  Status allocate(infini_tensor &tensor, int64_t bytes) {
    auto rounded = (static_cast<size_t>(bytes) + 63) / 64 * 64;
    tensors.push_back(&tensor);
    tensor.data = aligned_alloc(64, std::max<size_t>(rounded, 64));
    return tensor.data ? Status() : Status::outOfMemory();
  }
  void keep() { tensors.clear(); }

private:
  std::vector<infini_tensor *> tensors;
};

/// Sets type and shape of a result that is to be allocated, or checks those of
/// one that the caller allocated.
Status shapeResult(infini_tensor &tensor, const Port &port,
                   const std::vector<int64_t> &shape, int64_t bytes,
                   Allocations &allocations) {
  if (tensor.data) {
    INFINI_TRY(checkTensor(tensor, port));
    if (size_t(tensor.rank) != shape.size() ||
        !std::equal(shape.begin(), shape.end(), tensor.shape))
      return userError("output ", quoted(port.name), ": expected ",
                       shapeText(shape.data(), shape.size()), ", got room for ",
                       shapeText(tensor.shape, size_t(tensor.rank)));
    return Status();
  }
  tensor.element = static_cast<infini_element>(port.element);
  tensor.rank = static_cast<int32_t>(shape.size());
  std::copy(shape.begin(), shape.end(), tensor.shape);
  return allocations.allocate(tensor, bytes);
}
} // namespace

Status Session::runBound(void *const *outputs) {
  if (Status status = executor->run(outputs)) {
    broken = true;
    return status;
  }
  for (size_t i = 0; i < outputStates.size(); ++i)
    if (outputStates[i] && entry->outputs[i].isScalar())
      outputStates[i]->scalar = executor->outputScalar(i);
  ++counts.calls;
  return Status();
}

static Status brokenSession() {
  return userError("an earlier call of this session failed half way; reset "
                   "the session");
}

Status Session::call(const infini_tensor *arguments, size_t argumentCount,
                     infini_tensor *results, size_t resultCount) {
  if (broken)
    return brokenSession();
  if (argumentCount != argumentInputs.size())
    return userError("entry ", quoted(entry->name), ": expected ",
                     argumentInputs.size(), " inputs, got ", argumentCount);
  if (resultCount != argumentOutputs.size())
    return userError("entry ", quoted(entry->name), ": expected ",
                     argumentOutputs.size(), " outputs, got ", resultCount);
  for (size_t i = 0; i < argumentCount; ++i) {
    const Port &port = entry->inputs[argumentInputs[i]];
    INFINI_TRY(checkTensor(arguments[i], port));
    Executor::Input &input = inputs[argumentInputs[i]];
    input.data = arguments[i].data;
    input.shape = arguments[i].shape;
    input.rank = size_t(arguments[i].rank);
    if (port.isScalar())
      std::memcpy(&input.scalar, arguments[i].data, sizeof input.scalar);
  }
  size_t nextState = 0;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (entry->inputs[i].kind == PortKind::state)
      inputs[i].scalar = states[nextState++].scalar;
  INFINI_TRY_AT(executor->bind(inputs.data()), "entry " + quoted(entry->name));
  Allocations allocations;
  for (size_t i = 0; i < resultCount; ++i) {
    size_t o = argumentOutputs[i];
    const Port &port = entry->outputs[o];
    INFINI_TRY(shapeResult(results[i], port, executor->outputShape(o),
                           port.isScalar() ? int64_t(sizeof(int64_t))
                                           : executor->outputBytes(o),
                           allocations));
    outputs[o] = results[i].data;
  }
  INFINI_TRY(runBound(outputs.data()));
  for (size_t i = 0; i < resultCount; ++i) {
    size_t o = argumentOutputs[i];
    int64_t value = executor->outputScalar(o);
    if (entry->outputs[o].isScalar())
      std::memcpy(results[i].data, &value, sizeof value);
  }
  allocations.keep();
  return Status();
}

//===----------------------------------------------------------------------===//
// Texts
//===----------------------------------------------------------------------===//

Status Session::checkTextForm(const Port *&tokens, const Port *&logits) const {
  const Program &program = package->program();
  auto refuse = [&](const char *what) {
    return userError("entry ", quoted(entry->name),
                     " does not take a text: ", what);
  };
  if (!program.hasModel || program.model.vocabSize == 0)
    return refuse("the package was not made from a model folder");
  if (argumentInputs.size() != 1 || argumentOutputs.size() != 1)
    return refuse("expected one argument and one result");
  tokens = &entry->inputs[argumentInputs[0]];
  logits = &entry->outputs[argumentOutputs[0]];
  if (tokens->isScalar() || tokens->dims.size() != 1 ||
      (tokens->element != ElementType::i32 &&
       tokens->element != ElementType::i64))
    return refuse("expected i32 or i64 tokens of shape [T]");
  if (logits->isScalar() || logits->shape.size() != 2 ||
      logits->element != ElementType::f32)
    return refuse("expected f32 logits of shape [T, V]");
  return Status();
}

Status Session::feedCall(const int32_t *tokens, size_t count, float *logits) {
  const Port &port = entry->inputs[argumentInputs[0]];
  infini_tensor input = {};
  input.data = const_cast<int32_t *>(tokens);
  input.element = static_cast<infini_element>(port.element);
  input.rank = 1;
  input.shape[0] = static_cast<int64_t>(count);
  if (port.element == ElementType::i64) {
    wideTokens.assign(tokens, tokens + count);
    input.data = wideTokens.data();
  }
  infini_tensor output = {};
  output.data = logits;
  output.element = INFINI_F32;
  output.rank = 2;
  output.shape[0] = static_cast<int64_t>(count);
  output.shape[1] = package->program().model.vocabSize;
  return call(&input, 1, &output, 1);
}

Status Session::feed(const int32_t *tokens, size_t count, float *logits,
                     infini_logits_callback callback, void *user) {
  if (broken)
    return brokenSession();
  const Port *tokenPort, *logitsPort;
  INFINI_TRY(checkTextForm(tokenPort, logitsPort));
  size_t vocabSize = package->program().model.vocabSize;
  if (count && !tokens)
    return userError("expected ", count, " tokens, got a null pointer");
  // All of them before any is taken: an error leaves the text as it was.
  for (size_t i = 0; i < count; ++i)
    if (tokens[i] < 0 || static_cast<size_t>(tokens[i]) >= vocabSize)
      return userError("token at position ", counts.tokens + i,
                       ": expected 0 to ", vocabSize - 1, ", got ", tokens[i]);
  for (size_t done = 0; done < count;) {
    size_t part =
        static_cast<size_t>(std::min<uint64_t>(count - done, tokensPerCall));
    float *to = logits ? logits + done * vocabSize : nullptr;
    if (!to) {
      if (logitsBuffer.size() < part * vocabSize)
        logitsBuffer.resize(part * vocabSize);
      to = logitsBuffer.data();
    }
    INFINI_TRY(feedCall(tokens + done, part, to));
    counts.tokens += part;
    done += part;
    if (callback && callback(user, to, part, vocabSize) != 0)
      return userError("stopped by the caller after ", done, " tokens");
  }
  return Status();
}

Status Session::setTokensPerCall(uint64_t tokens) {
  const Program &program = package->program();
  uint64_t most = program.hasModel ? program.model.maxTokensPerCall : 0;
  if (tokens > most)
    return userError("expected at most ", most, " tokens a call, got ", tokens,
                     "; compile with a larger --max-tokens-per-call");
  tokensPerCall = tokens ? tokens : most;
  return Status();
}

//===----------------------------------------------------------------------===//
// State
//===----------------------------------------------------------------------===//

Status Session::reset() {
  for (State &state : states) {
    state.scalar = 0;
    if (state.memory)
      INFINI_TRY(device->fill(state.memory->data, state.bytes, 0, 1));
  }
  counts.tokens = 0;
  broken = false;
  return Status();
}

Status Session::readState(std::string_view name, infini_tensor &tensor) const {
  for (const State &state : states) {
    if (state.port->name != name)
      continue;
    if (broken)
      return brokenSession();
    Allocations allocations;
    INFINI_TRY(shapeResult(tensor, *state.port, staticShape(*state.port),
                           static_cast<int64_t>(state.bytes), allocations));
    if (state.port->isScalar())
      std::memcpy(tensor.data, &state.scalar, sizeof state.scalar);
    else
      INFINI_TRY(device->copy(tensor.data, state.memory->data, state.bytes));
    allocations.keep();
    return Status();
  }
  return userError("entry ", quoted(entry->name), " has no state ",
                   quoted(name));
}

infini_statistics Session::statistics() const {
  infini_statistics result = counts;
  result.arena_bytes = executor->arenaBytes();
  return result;
}
