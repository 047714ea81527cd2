// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "infini/frontend/ModelTensors.h"
#include "infini/frontend/Failure.h"
#include "infini/runtime/nearest_name.h"
#include "infini/runtime/safetensors.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Support/SHA256.h"

using namespace infini;
using namespace llvm;

/// None for types that are no floating point, or too narrow to compute in.
static std::optional<ElementType> elementOf(safetensors::Dtype dtype) {
  switch (dtype) {
  case safetensors::Dtype::F64:
    return ElementType::f64;
  case safetensors::Dtype::F32:
    return ElementType::f32;
  case safetensors::Dtype::F16:
    return ElementType::f16;
  case safetensors::Dtype::BF16:
    return ElementType::bf16;
  default:
    return std::nullopt;
  }
}

namespace {

/// Collects the tensors that the model needs, and then looks all of them up: a
/// missing name can then be compared with names that nobody asked for.
class TensorFinder {
public:
  TensorFinder(const safetensors::Model &files) : files(files) {}

  /// The tensor's index in the list that `findAll` makes.
  size_t need(std::string name, ArrayRef<int64_t> shape, StringRef hint = "") {
    needed.push_back({std::move(name), shape.vec(), hint});
    return needed.size() - 1;
  }
  bool has(const std::string &name) const { return files.find(name); }
  Expected<std::vector<WeightTensor>> findAll() const;

private:
  struct Need {
    std::string name;
    std::vector<int64_t> shape;
    /// What helps when it is missing.
    StringRef hint;
  };
  Error missing(const Need &need) const;

  const safetensors::Model &files;
  std::vector<Need> needed;
};

} // namespace

Error TensorFinder::missing(const Need &need) const {
  StringSet<> wanted;
  for (const Need &other : needed)
    wanted.insert(other.name);
  std::vector<std::string_view> unused;
  for (const safetensors::Tensor &tensor : files.tensors())
    if (!wanted.contains(tensor.name))
      unused.push_back(tensor.name);
  std::string nearest = nearestName(need.name, unused);
  return failure(
      "tensor ", quoted(need.name), " of shape ", shapeText(need.shape),
      " is missing",
      nearest.empty() ? "" : "; the nearest unused name is " + quoted(nearest),
      need.hint.empty() ? "" : textOf(" (", need.hint, ")"));
}

Expected<std::vector<WeightTensor>> TensorFinder::findAll() const {
  std::vector<WeightTensor> found;
  for (const Need &need : needed) {
    const safetensors::Tensor *tensor = files.find(need.name);
    if (!tensor)
      return missing(need);
    std::optional<ElementType> element = elementOf(tensor->dtype);
    if (!element)
      return failure("tensor ", quoted(need.name),
                     ": expected the type F32, F16, BF16 or F64, got ",
                     safetensors::nameOf(tensor->dtype));
    if (tensor->shape != need.shape)
      return failure("tensor ", quoted(need.name), ": expected the shape ",
                     shapeText(need.shape), " that 'config.json' says, got ",
                     shapeText(tensor->shape));
    found.push_back({need.name, *element, need.shape});
  }
  return found;
}

static LayerTensors needLayer(TensorFinder &finder, const ModelConfig &config,
                              int64_t index, bool gateMayBeAbsent) {
  int64_t hidden = config.hiddenSize, inner = config.intermediateSize,
          queries = config.heads * config.headDim,
          keys = config.keyValueHeads * config.headDim;
  SmallVector<int64_t> gateShape = {config.heads};
  if (config.gate == GateKind::HeadChannel)
    gateShape.push_back(config.headDim);

  std::string prefix = textOf("model.layers.", index, ".");
  auto need = [&](const char *name, ArrayRef<int64_t> shape,
                  StringRef hint = "") {
    return finder.need(prefix + name, shape, hint);
  };
  LayerTensors layer;
  layer.inputNorm = need("input_layernorm.weight", {hidden});
  layer.query = need("self_attn.q_proj.weight", {queries, hidden});
  layer.key = need("self_attn.k_proj.weight", {keys, hidden});
  layer.value = need("self_attn.v_proj.weight", {keys, hidden});
  if (!gateMayBeAbsent || finder.has(prefix + "self_attn.beta"))
    layer.beta = need("self_attn.beta", gateShape,
                      "--retrofit leaves layers without it to local attention");
  layer.output = need("self_attn.o_proj.weight", {hidden, queries});
  layer.attentionNorm = need("post_attention_layernorm.weight", {hidden});
  layer.gate = need("mlp.gate_proj.weight", {inner, hidden});
  layer.up = need("mlp.up_proj.weight", {inner, hidden});
  layer.down = need("mlp.down_proj.weight", {hidden, inner});
  return layer;
}

Expected<ModelTensors> infini::readModelTensors(StringRef folder,
                                                const ModelConfig &config,
                                                bool gatesMayBeAbsent) {
  std::unique_ptr<const safetensors::Model> files;
  if (safetensors::Error error = safetensors::Model::open(folder.str(), files))
    return failure(error.message);

  ModelTensors tensors;
  TensorFinder finder(*files);
  tensors.embedding = finder.need("model.embed_tokens.weight",
                                  {config.vocabSize, config.hiddenSize});
  // A number of layers that the files cannot have, however large, ends at the
  // first one that is missing.
  int64_t layers =
      std::min<int64_t>(config.layers, files->tensors().size() + 1);
  for (int64_t i = 0; i < layers; ++i)
    tensors.layers.push_back(needLayer(finder, config, i, gatesMayBeAbsent));
  tensors.norm = finder.need("model.norm.weight", {config.hiddenSize});
  tensors.head =
      config.tiedEmbeddings
          ? tensors.embedding
          : finder.need("lm_head.weight", {config.vocabSize, config.hiddenSize},
                        "unless 'tie_word_embeddings' is true");
  Expected<std::vector<WeightTensor>> found = finder.findAll();
  if (!found)
    return at(quoted(folder), found.takeError());
  tensors.all = std::move(*found);
  return tensors;
}

std::string infini::fingerprint(const ModelConfig &config,
                                const ModelTensors &tensors) {
  SHA256 hash;
  // Lengths in front, so that different inputs never run together.
  hash.update(textOf(config.text.size(), ":", config.text));
  for (const WeightTensor &tensor : tensors.all)
    hash.update(textOf(tensor.name.size(), ":", tensor.name, " ",
                       nameOf(tensor.element), shapeText(tensor.shape)));
  return toHex(hash.final(), /*LowerCase=*/true);
}
