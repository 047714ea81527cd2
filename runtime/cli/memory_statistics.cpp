// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/cli/memory_statistics.h"
#include "infini/runtime/cli/effective_rank.h"
#include "infini/runtime/element_dtype.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <numeric>

using namespace infini;
using namespace infini::cli;

/// A copy of a state, wherever it lies.
static Status readState(const infini_session *session, const std::string &name,
                        HostTensor &tensor) {
  infini_tensor state = {};
  INFINI_TRY(
      Status::adopt(infini_session_read_state(session, name.c_str(), &state)));
  tensor.element = static_cast<ElementType>(state.element);
  tensor.shape.assign(state.shape, state.shape + state.rank);
  int64_t bytes = 0;
  tensorBytes(tensor.element, tensor.shape.data(), tensor.shape.size(), bytes);
  auto *data = static_cast<const uint8_t *>(state.data);
  tensor.data.assign(data, data + bytes);
  infini_tensor_release(&state);
  return Status();
}

//===----------------------------------------------------------------------===//
// What there is
//===----------------------------------------------------------------------===//

Status MemoryStatistics::open(const infini_session *session,
                              const std::string &weights, uint64_t length,
                              bool withAllRanks) {
  segment = std::max<uint64_t>(length, 1);
  isDetailed = withAllRanks;
  size_t count = infini_session_state_count(session);
  for (size_t i = 0; i < count; ++i) {
    std::string name = infini_session_state_name(session, i);
    unsigned number;
    int end = 0;
    // Models are imported with these names.
    if (sscanf(name.c_str(), "layers.%u.M%n", &number, &end) != 1 ||
        size_t(end) != name.size())
      continue;
    MemoryLayer layer;
    layer.number = number;
    layer.memory = name;
    layer.normaliser = name.substr(0, name.size() - 1) + "z";
    HostTensor memory;
    INFINI_TRY(readState(session, layer.memory, memory));
    // One text: [1, heads, rows, columns].
    if (memory.shape.size() != 4 || memory.shape[0] != 1)
      return bug("state ", quoted(name), " has the unexpected shape ",
                 shapeText(memory.shape.data(), memory.shape.size()));
    layer.heads = size_t(memory.shape[1]);
    layer.rows = memory.shape[2];
    layer.columns = memory.shape[3];
    known.push_back(std::move(layer));
  }
  return readGates(weights);
}

Status MemoryStatistics::readGates(const std::string &weights) {
  if (known.empty())
    return Status();
  std::unique_ptr<const safetensors::Model> model;
  if (safetensors::Error error = safetensors::Model::open(weights, model))
    return Status(INFINI_USER_ERROR, error.message);
  for (MemoryLayer &layer : known) {
    std::string name = text("model.layers.", layer.number, ".self_attn.beta");
    const safetensors::Tensor *found = model->find(name);
    HostTensor beta;
    if (!found || !toElementType(found->dtype, beta.element) ||
        found->shape.empty() || found->shape[0] <= 0)
      return bug("the memory of layer ", layer.number, " has no ",
                 quoted(name));
    beta.shape = found->shape;
    beta.data.assign(found->data, found->data + found->bytes);
    int64_t heads = beta.shape[0], channels = beta.elements() / heads;
    for (int64_t head = 0; head < heads; ++head) {
      HeadGate gate = {0, 1, 0};
      for (int64_t i = 0; i < channels; ++i) {
        double value = 1 / (1 + std::exp(-beta.valueAt(head * channels + i)));
        gate.mean += value / double(channels);
        gate.least = std::min(gate.least, value);
        gate.most = std::max(gate.most, value);
      }
      layer.gates.push_back(gate);
    }
  }
  return Status();
}

size_t MemoryStatistics::indexOf(size_t layer, size_t head) const {
  return std::accumulate(
      known.begin(), known.begin() + ptrdiff_t(layer), head,
      [](size_t sum, const MemoryLayer &layer) { return sum + layer.heads; });
}

//===----------------------------------------------------------------------===//
// Samples
//===----------------------------------------------------------------------===//

static void measure(const HostTensor &normaliser, size_t head, size_t heads,
                    MemoryValues &values) {
  int64_t size = normaliser.elements() / int64_t(heads);
  double squares = 0;
  for (int64_t i = int64_t(head) * size; i < int64_t(head + 1) * size; ++i) {
    double value = normaliser.valueAt(i);
    values.sum += value;
    squares += value * value;
  }
  values.norm = std::sqrt(squares);
}

static Status measureRank(const HostTensor &memory, size_t head, int64_t rows,
                          int64_t columns, MemoryValues &values) {
  std::vector<double> matrix(size_t(rows * columns));
  for (size_t i = 0; i < matrix.size(); ++i)
    matrix[i] = memory.valueAt(int64_t(head * matrix.size() + i));
  return effectiveRank(std::move(matrix), rows, columns, values.rank);
}

Status MemoryStatistics::sample(const infini_session *session, bool withRanks) {
  MemorySample sample = {position / segment * segment, {}};
  for (const MemoryLayer &layer : known) {
    HostTensor normaliser, memory;
    INFINI_TRY(readState(session, layer.normaliser, normaliser));
    if (withRanks)
      INFINI_TRY(readState(session, layer.memory, memory));
    for (size_t head = 0; head < layer.heads; ++head) {
      MemoryValues values;
      measure(normaliser, head, layer.heads, values);
      if (withRanks)
        INFINI_TRY(
            measureRank(memory, head, layer.rows, layer.columns, values));
      sample.values.push_back(values);
    }
  }
  // Nothing is folded between two short calls.
  if (!taken.empty() && taken.back().tokens == sample.tokens)
    taken.pop_back();
  taken.push_back(std::move(sample));
  return Status();
}

Status MemoryStatistics::afterCall(const infini_session *session) {
  infini_statistics counts;
  infini_session_statistics(session, &counts);
  position = counts.tokens;
  if (known.empty() || ++calls % stride != 0)
    return Status();
  INFINI_TRY(sample(session, isDetailed));
  if (taken.size() < maxSamples)
    return Status();
  // Every other one, so that those that stay are as far from each other as
  // those that will come.
  for (size_t i = 0; i < maxSamples / 2; ++i)
    taken[i] = std::move(taken[2 * i + 1]);
  taken.resize(maxSamples / 2);
  stride *= 2;
  return Status();
}

Status MemoryStatistics::finish(const infini_session *session) {
  return known.empty() ? Status() : sample(session, true);
}

double MemoryStatistics::growth(size_t index) const {
  double none = std::numeric_limits<double>::quiet_NaN();
  if (taken.empty())
    return none;
  const MemorySample &last = taken.back();
  auto half =
      std::find_if(taken.begin(), taken.end(), [&](const MemorySample &sample) {
        return sample.tokens >= (last.tokens + 1) / 2;
      });
  double early = half->values[index].norm, late = last.values[index].norm;
  if (half->tokens == 0 || half->tokens == last.tokens || !(early > 0) ||
      !(late > 0))
    return none;
  return std::log(late / early) /
         std::log(double(last.tokens) / double(half->tokens));
}
