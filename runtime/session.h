// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An entry of a package bound to weights and a device, and the state that it
// keeps from call to call.

#ifndef INFINI_RUNTIME_SESSION_H
#define INFINI_RUNTIME_SESSION_H

#include "infini/runtime/executor.h"
#include "infini/runtime/package.h"
#include "infini/runtime/safetensors.h"

#include <map>

namespace infini {

struct StateTensor;

class Session {
public:
  /// `entryName` may be empty, `weights` null; see infini.h.
  static Status open(std::shared_ptr<const Package> package,
                     const std::string &entryName,
                     std::shared_ptr<const safetensors::Model> weights,
                     std::shared_ptr<Device> device,
                     std::unique_ptr<Session> &session);

  Status call(const infini_tensor *inputs, size_t inputCount,
              infini_tensor *outputs, size_t outputCount);
  Status repeat(const infini_tensor *inputs, size_t inputCount,
                infini_tensor *outputs, size_t outputCount, size_t repeats,
                double *seconds);
  Status feed(const int32_t *tokens, size_t count, float *logits,
              infini_logits_callback callback, void *user);
  Status setTokensPerCall(uint64_t tokens);
  Status reset();

  size_t stateCount() const { return states.size(); }
  const std::string &stateName(size_t index) const {
    return states[index].port->name;
  }
  Status readState(std::string_view name, infini_tensor &tensor) const;
  Status save(const std::string &path) const;
  Status load(const std::string &path);

  infini_statistics statistics() const;

private:
  class Allocations;

  Session() = default;
  static std::vector<int64_t> staticShape(const Port &port);
  static Status shapeResult(infini_tensor &tensor, const Port &port,
                            const std::vector<int64_t> &shape, int64_t bytes,
                            Allocations &allocations);

  struct State {
    const Port *port;
    std::unique_ptr<DeviceMemory> memory;
    int64_t scalar = 0;
    size_t bytes = 0;
  };
  /// What stays where it is: a constant; of a state the shape.
  struct Fixed {
    std::vector<int64_t> shape;
    std::unique_ptr<DeviceMemory> memory;
  };

  /// What a call copies to and from a remote device.
  struct Transfers {
    bool arguments, results;
  };

  Status makeStates();
  Status makeConstants(const Entry &init);
  /// Fills in what comes from the weights.
  Status bindWeights(const Entry &entry, std::vector<Executor::Input> &inputs);
  Status bindWeight(const Port &port, Executor::Input &input);
  Status checkTextForm() const;
  Status feedCall(const int32_t *tokens, size_t count, float *logits);
  Status reserveOnDevice();
  static Status brokenSession();
  Status checkSavable() const;
  const State &findState(std::string_view name) const;
  std::vector<StateTensor> stateTensors() const;
  const std::string &weightsFingerprint() const;
  /// Does it, and tells the device's trace.
  template <typename Function>
  Status transfer(infini_trace_kind kind, const Port &port, size_t bytes,
                  Function function);
  Status downloadResults(const infini_tensor *results);
  Status runOnDevice(const infini_tensor *results, Transfers transfers);
  Status runBound(const infini_tensor *results, Transfers transfers);
  Status callOnce(const infini_tensor *inputs, size_t inputCount,
                  infini_tensor *outputs, size_t outputCount,
                  Transfers transfers, Allocations &allocations);

  std::shared_ptr<const Package> package;
  std::shared_ptr<const safetensors::Model> weights;
  std::shared_ptr<Device> device;
  /// The device does not share the host's memory.
  bool isRemote = false;
  std::unique_ptr<DeviceModule> module;
  /// What the module's target has, and the entry in it.
  const Variant *variant = nullptr;
  const Entry *entry = nullptr;
  bool poison = false;
  std::unique_ptr<Executor> executor;

  /// One a port. Arguments are filled in at each call.
  std::vector<Executor::Input> inputs;
  std::vector<void *> outputs;
  std::vector<size_t> argumentInputs, argumentOutputs;
  std::vector<State> states;
  /// Which state an output updates, for scalars; one an output.
  std::vector<State *> outputStates;
  std::vector<std::unique_ptr<Fixed>> fixed;
  /// Weights that cannot be used where they are mapped, by name.
  std::map<std::string_view, std::unique_ptr<DeviceMemory>> weightMemory;
  /// The side of arguments on a remote device; one a port.
  std::vector<std::unique_ptr<DeviceMemory>> inputMemory, outputMemory;

  /// It is a language model: see checkTextForm().
  bool takesText = false;
  uint64_t tokensPerCall = 0;
  /// "" until it is needed: all weights are read for it.
  mutable std::string knownWeights;
  std::vector<float> logitsBuffer;
  std::vector<int64_t> wideTokens;
  /// A call failed half way: the state is neither the old nor the new one.
  bool broken = false;
  infini_statistics counts = {};
};

} // namespace infini

#endif // INFINI_RUNTIME_SESSION_H
