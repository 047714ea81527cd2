// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The config.json of a model folder, checked and with every default filled in.

#ifndef INFINI_FRONTEND_CONFIG_H
#define INFINI_FRONTEND_CONFIG_H

#include "infini/dialect/infini/InfiniOps.h"
#include "infini/runtime/element_type.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <optional>
#include <string>

namespace infini {

/// What the command line says about the model to import.
struct ImportOptions {
  /// The type to compute in, instead of the configuration's: f32, bf16, f16, or
  /// f64.
  std::optional<ElementType> dtype;
  /// Take a folder without memories: layers without `self_attn.beta` attend
  /// inside segments only, and the `infini` object may be absent.
  bool retrofit = false;
  /// The segment length instead of the configuration's; with `retrofit` only.
  std::optional<int64_t> segmentLength;
  /// Bounds the tokens of one call, and with it what a call needs of memory.
  std::optional<int64_t> maxTokensPerCall;
};

/// The longest call where the command line does not say: whole segments, as
/// few as hold 1024 tokens, so that short segments do not mean small products;
/// 8192 tokens where one segment is longer than that.
int64_t defaultTokensPerCall(int64_t segmentLength);

/// The shape of the gate's β.
enum class GateKind { Head, HeadChannel };

struct ModelConfig {
  int64_t vocabSize, hiddenSize, intermediateSize;
  int64_t layers, heads, keyValueHeads, headDim;
  double rmsNormEps, ropeTheta, ropeFactor;
  bool tiedEmbeddings;
  ElementType computeType;

  int64_t segmentLength, maxTokensPerCall;
  UpdateRule update;
  FirstSegment firstSegment;
  FeatureMapKind featureMap;
  GateKind gate;

  /// The file as it was read.
  std::string text;
};

/// Reads `folder`/config.json. Fails with one message that names the file, the
/// field, what was expected and what was found.
llvm::Expected<ModelConfig> readConfig(llvm::StringRef folder,
                                       const ImportOptions &options);

} // namespace infini

#endif // INFINI_FRONTEND_CONFIG_H
