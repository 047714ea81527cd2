// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tensors of a model folder that the model uses, found by name and checked.
// Their data is not read: weights stay outside of packages.

#ifndef INFINI_FRONTEND_MODELTENSORS_H
#define INFINI_FRONTEND_MODELTENSORS_H

#include "infini/frontend/Config.h"

#include <optional>
#include <string>
#include <vector>

namespace infini {

struct WeightTensor {
  /// As in the file: "model.layers.0.self_attn.q_proj.weight".
  std::string name;
  ElementType element;
  std::vector<int64_t> shape;
};

/// Indices into ModelTensors::all.
struct LayerTensors {
  size_t inputNorm, query, key, value, output;
  /// None: the gate is closed, and the layer has no memory.
  std::optional<size_t> beta;
  size_t attentionNorm, gate, up, down;
};

struct ModelTensors {
  /// In the order in which the model uses them.
  std::vector<WeightTensor> all;
  size_t embedding;
  std::vector<LayerTensors> layers;
  size_t norm;
  /// The embedding once more where the two are tied.
  size_t head;
};

/// Finds and checks the tensors of `folder`. Those that the model does not use
/// are ignored. `gatesMayBeAbsent`: see ImportOptions::retrofit.
llvm::Expected<ModelTensors> readModelTensors(llvm::StringRef folder,
                                              const ModelConfig &config,
                                              bool gatesMayBeAbsent);

/// SHA-256, in hexadecimal digits, of the configuration and the tensors' names,
/// types, and shapes: what a package or a state file belongs to.
std::string fingerprint(const ModelConfig &config, const ModelTensors &tensors);

} // namespace infini

#endif // INFINI_FRONTEND_MODELTENSORS_H
