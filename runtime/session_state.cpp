// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Saving a session's state to a file, and going on from one.

#include "infini/runtime/fingerprint.h"
#include "infini/runtime/session.h"
#include "infini/runtime/state_file.h"

#include <algorithm>
#include <cstring>

using namespace infini;

/// The only scalar that models have: how many tokens of the segment under way
/// are in the state. Kernels compute addresses from it, so a file's is believed
/// only where it is what the number of tokens says.
static constexpr char positionState[] = "fill";

/// State files belong to a model and a text.
Status Session::checkSavable() const {
  INFINI_TRY(checkTextForm());
  if (package->program().model.segmentLength == 0)
    return bug("the package gives 0 as the model's segment length");
  for (const State &state : states)
    if (state.port->isScalar() && state.port->name != positionState)
      return userError("entry ", quoted(entry->name), " has the scalar state ",
                       quoted(state.port->name), ", expected no other than ",
                       quoted(positionState), " in a state file");
  return Status();
}

const Session::State &Session::findState(std::string_view name) const {
  return *std::find_if(states.begin(), states.end(), [&](const State &state) {
    return state.port->name == name;
  });
}

/// Of the values of all weights that the entry, or the one that makes its
/// constants, is given. The package knows their names, types and shapes only.
const std::string &Session::weightsFingerprint() const {
  if (!knownWeights.empty())
    return knownWeights;
  std::map<std::string_view, const safetensors::Tensor *> used;
  for (const Entry *user : {entry, variant->findEntry(entry->name + ".init")})
    for (size_t i = 0; user && i < user->inputs.size(); ++i)
      if (user->inputs[i].kind == PortKind::weight)
        used[user->inputs[i].name] = weights->find(user->inputs[i].name);
  Fingerprint print;
  for (const auto &[name, tensor] : used) {
    print.add(std::string(name));
    print.add(tensor->data, tensor->bytes);
  }
  return knownWeights = print.text();
}

std::vector<StateTensor> Session::stateTensors() const {
  std::vector<StateTensor> tensors;
  for (const State &state : states)
    tensors.push_back({state.port->name, state.port->element,
                       staticShape(*state.port), state.bytes});
  sortForFile(tensors);
  return tensors;
}

Status Session::save(const std::string &path) const {
  if (broken)
    return brokenSession();
  INFINI_TRY(checkSavable());
  const Model &model = package->program().model;
  for (const State &state : states)
    if (state.port->isScalar() &&
        uint64_t(state.scalar) != counts.tokens % model.segmentLength)
      return bug("entry ", quoted(entry->name), " leaves the state ",
                 quoted(state.port->name), " at ", state.scalar, " after ",
                 counts.tokens, " tokens, expected ",
                 counts.tokens % model.segmentLength);
  StateWriter writer;
  std::vector<StateTensor> tensors = stateTensors();
  INFINI_TRY(writer.open(path,
                         {model.fingerprint, weightsFingerprint(),
                          model.segmentLength, counts.tokens},
                         tensors));
  std::vector<uint8_t> downloaded;
  for (const StateTensor &tensor : tensors) {
    const State &state = findState(tensor.name);
    const void *data = &state.scalar;
    if (!state.port->isScalar())
      data = state.memory->data;
    if (!state.port->isScalar() && isRemote) {
      downloaded.resize(state.bytes);
      INFINI_TRY_AT(
          device->download(downloaded.data(), state.memory->data, state.bytes),
          "state " + quoted(tensor.name));
      data = downloaded.data();
    }
    INFINI_TRY(writer.append(data));
  }
  return writer.finish();
}

Status Session::load(const std::string &path) {
  INFINI_TRY(checkSavable());
  const Model &model = package->program().model;
  StateReader reader;
  INFINI_TRY(reader.open(path));
  INFINI_TRY(reader.checkModel(model.fingerprint));
  INFINI_TRY(reader.checkTensors(stateTensors()));
  INFINI_TRY(reader.checkPosition(model.segmentLength));
  INFINI_TRY(reader.checkWeights(weightsFingerprint()));
  INFINI_TRY(reader.read());
  uint64_t position = reader.tokens() % model.segmentLength;
  for (const State &state : states)
    if (state.port->isScalar() && std::memcmp(reader.find(state.port->name),
                                              &position, sizeof position) != 0)
      return dataError("state file ", quoted(path), ": state ",
                       quoted(state.port->name), ": expected ", position,
                       ", the position after ", reader.tokens(),
                       " tokens, got another number");
  // From here on only a device can fail, and then half of the state is new.
  broken = true;
  for (State &state : states) {
    const uint8_t *data = reader.find(state.port->name);
    if (state.port->isScalar())
      std::memcpy(&state.scalar, data, sizeof state.scalar);
    else
      INFINI_TRY_AT(device->upload(state.memory->data, data, state.bytes),
                    "state " + quoted(state.port->name));
  }
  INFINI_TRY(device->synchronize());
  counts.tokens = reader.tokens();
  broken = false;
  return Status();
}
