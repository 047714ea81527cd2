// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/session.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

using namespace infini;

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

/// Memory for results, given back unless the call succeeds.
class Session::Allocations {
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
Status Session::shapeResult(infini_tensor &tensor, const Port &port,
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

/// Room on the device for what the caller gives and gets, grown only: graphs of
/// calls find the same addresses again.
Status Session::reserveOnDevice() {
  auto reserve = [&](std::unique_ptr<DeviceMemory> &memory, int64_t bytes) {
    if (memory && memory->bytes >= static_cast<size_t>(bytes))
      return Status();
    memory.reset();
    return device->allocate(static_cast<size_t>(bytes), memory);
  };
  for (size_t i : argumentInputs) {
    if (entry->inputs[i].isScalar() || executor->inputBytes(i) == 0)
      continue;
    INFINI_TRY_AT(reserve(inputMemory[i], executor->inputBytes(i)),
                  "argument " + quoted(entry->inputs[i].name));
    executor->place(i, inputMemory[i]->data);
  }
  for (size_t o : argumentOutputs) {
    if (entry->outputs[o].isScalar() || executor->outputBytes(o) == 0)
      continue;
    INFINI_TRY_AT(reserve(outputMemory[o], executor->outputBytes(o)),
                  "output " + quoted(entry->outputs[o].name));
    outputs[o] = outputMemory[o]->data;
  }
  return Status();
}

template <typename Function>
Status Session::transfer(infini_trace_kind kind, const Port &port, size_t bytes,
                         Function function) {
  if (!device->trace)
    return function();
  infini_trace_event event =
      traceEvent(kind, port.name.c_str(), *entry, executor->callNumber());
  event.count = bytes;
  return device->trace->timed(event, function);
}

Status Session::downloadResults(const infini_tensor *results) {
  for (size_t i = 0; i < argumentOutputs.size(); ++i) {
    size_t o = argumentOutputs[i];
    if (entry->outputs[o].isScalar())
      continue;
    auto bytes = static_cast<size_t>(executor->outputBytes(o));
    INFINI_TRY_AT(transfer(INFINI_TRACE_DOWNLOAD, entry->outputs[o], bytes,
                           [&] {
                             return device->download(results[i].data,
                                                     outputs[o], bytes);
                           }),
                  "output " + quoted(entry->outputs[o].name));
  }
  return Status();
}

Status Session::runOnDevice(const infini_tensor *results, Transfers transfers) {
  for (size_t i : argumentInputs) {
    if (!transfers.arguments || entry->inputs[i].isScalar())
      continue;
    auto bytes = static_cast<size_t>(executor->inputBytes(i));
    INFINI_TRY_AT(transfer(INFINI_TRACE_UPLOAD, entry->inputs[i], bytes,
                           [&] {
                             void *to = inputMemory[i] ? inputMemory[i]->data
                                                       : nullptr;
                             return device->upload(to, inputs[i].data, bytes);
                           }),
                  "argument " + quoted(entry->inputs[i].name));
  }
  INFINI_TRY(executor->run(outputs.data()));
  if (transfers.results)
    INFINI_TRY(downloadResults(results));
  // A fault belongs to the call that made it.
  INFINI_TRY_AT(device->synchronize(), "entry " + quoted(entry->name));
  return Status();
}

Status Session::runBound(const infini_tensor *results, Transfers transfers) {
  if (Status status = isRemote ? runOnDevice(results, transfers)
                               : executor->run(outputs.data())) {
    broken = true;
    return status;
  }
  for (size_t i = 0; i < outputStates.size(); ++i)
    if (outputStates[i] && entry->outputs[i].isScalar())
      outputStates[i]->scalar = executor->outputScalar(i);
  if (takesText)
    counts.tokens += static_cast<uint64_t>(inputs[argumentInputs[0]].shape[0]);
  ++counts.calls;
  return Status();
}

Status Session::brokenSession() {
  return userError("an earlier call of this session failed half way; reset "
                   "the session");
}

Status Session::callOnce(const infini_tensor *arguments, size_t argumentCount,
                         infini_tensor *results, size_t resultCount,
                         Transfers transfers, Allocations &allocations) {
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
  for (size_t i = 0; i < resultCount; ++i) {
    size_t o = argumentOutputs[i];
    const Port &port = entry->outputs[o];
    INFINI_TRY(shapeResult(results[i], port, executor->outputShape(o),
                           port.isScalar() ? int64_t(sizeof(int64_t))
                                           : executor->outputBytes(o),
                           allocations));
    outputs[o] = results[i].data;
  }
  if (isRemote)
    INFINI_TRY(reserveOnDevice());
  INFINI_TRY(runBound(results, transfers));
  for (size_t i = 0; i < resultCount; ++i) {
    size_t o = argumentOutputs[i];
    int64_t value = executor->outputScalar(o);
    if (entry->outputs[o].isScalar())
      std::memcpy(results[i].data, &value, sizeof value);
  }
  return Status();
}

Status Session::call(const infini_tensor *arguments, size_t argumentCount,
                     infini_tensor *results, size_t resultCount) {
  Allocations allocations;
  INFINI_TRY(callOnce(arguments, argumentCount, results, resultCount,
                      {true, true}, allocations));
  allocations.keep();
  return Status();
}

Status Session::repeat(const infini_tensor *arguments, size_t argumentCount,
                       infini_tensor *results, size_t resultCount,
                       size_t repeats, double *seconds) {
  using Clock = std::chrono::steady_clock;
  Allocations allocations;
  for (size_t i = 0; i <= repeats; ++i) {
    Clock::time_point start = Clock::now();
    INFINI_TRY(callOnce(arguments, argumentCount, results, resultCount,
                        {i == 0, false}, allocations));
    if (i > 0)
      seconds[i - 1] =
          std::chrono::duration<double>(Clock::now() - start).count();
  }
  if (isRemote) {
    if (Status status = downloadResults(results)) {
      broken = true;
      return status;
    }
  }
  allocations.keep();
  return Status();
}

//===----------------------------------------------------------------------===//
// Texts
//===----------------------------------------------------------------------===//

Status Session::checkTextForm() const {
  const Program &program = package->program();
  auto refuse = [&](const char *what) {
    return userError("entry ", quoted(entry->name),
                     " does not take a text: ", what);
  };
  if (!program.hasModel || program.model.vocabSize == 0)
    return refuse("the package was not made from a model folder");
  if (argumentInputs.size() != 1 || argumentOutputs.size() != 1)
    return refuse("expected one argument and one result");
  const Port &tokens = entry->inputs[argumentInputs[0]];
  const Port &logits = entry->outputs[argumentOutputs[0]];
  if (tokens.isScalar() || tokens.dims.size() != 1 ||
      (tokens.element != ElementType::i32 &&
       tokens.element != ElementType::i64))
    return refuse("expected i32 or i64 tokens of shape [T]");
  if (logits.isScalar() || logits.shape.size() != 2 ||
      logits.element != ElementType::f32)
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
  INFINI_TRY(checkTextForm());
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
      INFINI_TRY(
          device->download(tensor.data, state.memory->data, state.bytes));
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
