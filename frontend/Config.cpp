// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "infini/frontend/Config.h"
#include "infini/frontend/ConfigFields.h"
#include "infini/frontend/Failure.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace infini;
using namespace llvm;

//===----------------------------------------------------------------------===//
// From file to JSON
//===----------------------------------------------------------------------===//

static Error readText(StringRef path, std::string &contents) {
  constexpr uint64_t largest = 16 << 20;
  sys::fs::file_status status;
  if (std::error_code error = sys::fs::status(path, status))
    return failure("cannot be read: ", error.message());
  // Reading a pipe or a device might never end.
  if (!sys::fs::is_regular_file(status))
    return failure("expected a file");
  if (status.getSize() > largest)
    return failure("expected at most ", largest, " bytes, got ",
                   status.getSize());
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer =
      MemoryBuffer::getFile(path, /*IsText=*/false);
  if (!buffer)
    return failure("cannot be read: ", buffer.getError().message());
  contents = (*buffer)->getBuffer();
  return Error::success();
}

/// How deep arrays and objects are nested; LLVM's parser recurses that deep.
static unsigned nestingDepth(StringRef text) {
  unsigned depth = 0, deepest = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (inString) {
      if (c == '\\')
        ++i;
      inString = c != '"';
    } else if (c == '"') {
      inString = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == ']' || c == '}') && depth) {
      --depth;
    }
  }
  return deepest;
}

static Expected<json::Value> parseJSON(StringRef contents) {
  constexpr unsigned deepest = 64;
  if (unsigned depth = nestingDepth(contents); depth > deepest)
    return failure("expected at most ", deepest, " nested levels, got ", depth);
  Expected<json::Value> value = json::parse(contents);
  if (value)
    return value;
  // "[line:column, byte=offset]: message".
  std::string message = toString(value.takeError());
  StringRef rest = message;
  if (!rest.consume_front("[") || !rest.contains("]: "))
    return failure("not JSON: ", message);
  auto [line, column] = rest.split(',').first.split(':');
  StringRef reason = rest.split("]: ").second;
  return failure("line ", line, ", column ", column,
                 ": not JSON: ", reason.take_front().lower(),
                 reason.drop_front());
}

//===----------------------------------------------------------------------===//
// From JSON to the configuration
//===----------------------------------------------------------------------===//

int64_t infini::defaultTokensPerCall(int64_t segmentLength) {
  constexpr int64_t least = 1024, most = 8192;
  if (segmentLength > most)
    return most;
  return alignTo(least, segmentLength);
}

/// Other architectures share the tensors' names but not what is computed.
static void checkArchitecture(ConfigFields &fields) {
  if (fields.has("model_type"))
    fields.oneOf("model_type", {"llama"});
  // Where newer versions of transformers keep what RoPE needs: ignoring it
  // would compute something else.
  if (fields.has("rope_parameters"))
    fields.refuse("rope_parameters", "it to be absent",
                  "write 'rope_theta' and 'rope_scaling' instead");
  fields.oneOf("hidden_act", {"silu"}, 0);
  for (StringRef name : {"attention_bias", "mlp_bias"})
    if (fields.flag(name, false))
      fields.refuse(name, "false", "biases are not supported");
}

static double readRopeFactor(ConfigFields &fields, std::string &problem) {
  const json::Object *object = fields.nested("rope_scaling");
  if (!object)
    return 1;
  ConfigFields scaling(*object, "rope_scaling.", problem);
  scaling.oneOf(scaling.has("rope_type") ? "rope_type" : "type", {"linear"});
  return scaling.positive("factor");
}

static ElementType readComputeType(ConfigFields &fields) {
  static const StringRef names[] = {"float32", "bfloat16", "float16",
                                    "float64"};
  static const ElementType types[] = {ElementType::f32, ElementType::bf16,
                                      ElementType::f16, ElementType::f64};
  // transformers renamed `torch_dtype` to `dtype`, and reads the new name
  // first.
  return types[fields.oneOf(fields.has("dtype") ? "dtype" : "torch_dtype",
                            names, 0)];
}

static void readHeads(ConfigFields &fields, ModelConfig &config) {
  config.heads = fields.size("num_attention_heads");
  config.keyValueHeads = fields.size("num_key_value_heads", config.heads);
  if (config.heads % config.keyValueHeads)
    fields.refuse(
        "num_key_value_heads",
        textOf("a divisor of 'num_attention_heads' (", config.heads, ")"));
  if (!fields.has("head_dim") && config.hiddenSize % config.heads)
    fields.refuse(
        "hidden_size",
        textOf("a multiple of 'num_attention_heads' (", config.heads, ")"),
        "or give 'head_dim'");
  config.headDim = fields.size(
      "head_dim", std::max<int64_t>(config.hiddenSize / config.heads, 1));
  // RoPE turns pairs of channels.
  if (config.headDim % 2)
    fields.refuse("head_dim",
                  fields.has("head_dim")
                      ? "an even number"
                      : textOf("an even number instead of 'hidden_size' / "
                               "'num_attention_heads' (",
                               config.headDim, ")"));
}

/// The choices that the paper leaves open, and the segment length.
static void readMemory(ConfigFields &fields, const ImportOptions &options,
                       std::string &problem, ModelConfig &config) {
  static const json::Object none;
  const json::Object *object = fields.nested("infini");
  if (!object && !options.retrofit)
    fields.refuse("infini", "an object with 'segment_length'",
                  "a plain Llama folder is taken with --retrofit");
  ConfigFields infini(object ? *object : none, "infini.", problem);
  config.update =
      infini.choice("update", UpdateRule::Delta, getMaxEnumValForUpdateRule());
  config.firstSegment = infini.choice("first_segment", FirstSegment::ZeroMemory,
                                      getMaxEnumValForFirstSegment());
  config.featureMap = infini.choice("feature_map", FeatureMapKind::EluPlusOne,
                                    getMaxEnumValForFeatureMapKind());
  config.gate = infini.oneOf("gate", {"head", "head_channel"}, 0)
                    ? GateKind::HeadChannel
                    : GateKind::Head;

  if (options.segmentLength)
    config.segmentLength = *options.segmentLength;
  else if (options.retrofit && !infini.has("segment_length"))
    config.segmentLength =
        fields.size("max_position_embeddings", {}, "or give --segment-length");
  else
    config.segmentLength = infini.size(
        "segment_length", {},
        "the number of tokens of a segment, with which the model was trained");
}

/// Every tensor of the program can be addressed: its bytes fit 63 bits, f64 the
/// widest of types.
static Error checkProducts(const ModelConfig &config) {
  struct Product {
    const char *what;
    SmallVector<int64_t, 3> factors;
  };
  int64_t heads = config.heads, dim = config.headDim,
          groups = config.keyValueHeads, tokens = config.maxTokensPerCall;
  const Product products[] = {
      {"'vocab_size' x 'hidden_size'", {config.vocabSize, config.hiddenSize}},
      {"'intermediate_size' x 'hidden_size'",
       {config.intermediateSize, config.hiddenSize}},
      {"'num_attention_heads' x 'head_dim' x 'hidden_size'",
       {heads, dim, config.hiddenSize}},
      {"'num_key_value_heads' x 'head_dim' x 'head_dim'", {groups, dim, dim}},
      {"'segment_length' x 'num_key_value_heads' x 'head_dim'",
       {config.segmentLength, groups, dim}},
      {"tokens of a call x 'vocab_size'", {tokens, config.vocabSize}},
      {"tokens of a call x 'intermediate_size'",
       {tokens, config.intermediateSize}},
      {"tokens of a call x 'hidden_size'", {tokens, config.hiddenSize}},
      {"tokens of a call x 'num_attention_heads' x 'head_dim'",
       {tokens, heads, dim}},
  };
  for (const Product &product : products) {
    int64_t bytes;
    if (!tensorBytes(ElementType::f64, product.factors.data(),
                     product.factors.size(), bytes))
      return failure(product.what,
                     ": expected a tensor of less than 2^63 bytes, got ",
                     shapeText(product.factors));
  }
  return Error::success();
}

static Error readFields(const json::Object &object,
                        const ImportOptions &options, ModelConfig &config) {
  std::string problem;
  ConfigFields fields(object, "", problem);
  checkArchitecture(fields);
  config.vocabSize = fields.size("vocab_size");
  config.hiddenSize = fields.size("hidden_size");
  config.intermediateSize = fields.size("intermediate_size");
  config.layers = fields.size("num_hidden_layers");
  readHeads(fields, config);
  config.rmsNormEps = fields.positive("rms_norm_eps");
  // Llama 1 and 2 do not say it.
  config.ropeTheta = fields.positive("rope_theta", 10000.0);
  config.ropeFactor = readRopeFactor(fields, problem);
  config.tiedEmbeddings = fields.flag("tie_word_embeddings", false);
  config.computeType = readComputeType(fields);
  if (options.dtype)
    config.computeType = *options.dtype;
  readMemory(fields, options, problem, config);
  config.maxTokensPerCall = options.maxTokensPerCall.value_or(
      defaultTokensPerCall(config.segmentLength));
  if (!problem.empty())
    return failure(problem);
  return checkProducts(config);
}

//===----------------------------------------------------------------------===//
// Entry point
//===----------------------------------------------------------------------===//

static Error checkOptions(const ImportOptions &options) {
  constexpr int64_t largest = std::numeric_limits<int32_t>::max();
  static const ElementType types[] = {ElementType::f32, ElementType::bf16,
                                      ElementType::f16, ElementType::f64};
  if (options.dtype && !is_contained(types, *options.dtype))
    return failure("option --dtype: expected f32, bf16, f16 or f64, got ",
                   nameOf(*options.dtype));
  if (options.segmentLength && !options.retrofit)
    return failure("option --segment-length: expected with --retrofit only: "
                   "a model with memories has the segment length that it "
                   "was trained with");
  const std::pair<const char *, std::optional<int64_t>> numbers[] = {
      {"--segment-length", options.segmentLength},
      {"--max-tokens-per-call", options.maxTokensPerCall}};
  for (auto [name, value] : numbers)
    if (value && (*value < 1 || *value > largest))
      return failure("option ", name, ": expected a whole number from 1 to ",
                     largest, ", got ", *value);
  return Error::success();
}

Expected<ModelConfig> infini::readConfig(StringRef folder,
                                         const ImportOptions &options) {
  if (Error error = checkOptions(options))
    return error;
  if (!sys::fs::is_directory(folder))
    return failure(quoted(folder), ": expected a model folder, ",
                   sys::fs::exists(folder) ? "got a file"
                                           : "but there is none");
  SmallString<128> path(folder);
  sys::path::append(path, "config.json");
  std::string place = quoted(path);
  ModelConfig config;
  if (Error error = readText(path, config.text))
    return at(place, std::move(error));
  Expected<json::Value> value = parseJSON(config.text);
  if (!value)
    return at(place, value.takeError());
  const json::Object *object = value->getAsObject();
  if (!object)
    return failure(place, ": expected a JSON object");
  if (Error error = readFields(*object, options, config))
    return at(place, std::move(error));
  return config;
}
