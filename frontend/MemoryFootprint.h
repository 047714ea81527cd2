// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How much of a text each kind of memory keeps: the comparison of tables 1 and
// 2 of "Leave No Context Behind" (docs/semantics.md, "Size of the state").

#ifndef INFINI_FRONTEND_MEMORYFOOTPRINT_H
#define INFINI_FRONTEND_MEMORYFOOTPRINT_H

#include "infini/frontend/Config.h"

#include <vector>

namespace infini {

/// What the compared systems are set to. The defaults are the paper's; where it
/// gives none, see docs/cli.md.
struct FootprintOptions {
  /// Tokens of the text.
  int64_t context = 1000000;
  /// Keys and values of how many tokens each layer of Transformer-XL keeps (and
  /// of the Compressive and the Memorizing Transformer); none: a segment's.
  std::optional<int64_t> cacheLength;
  /// Keys and values that the Memorizing Transformer's one layer keeps at most.
  int64_t memorizingEntries = 65000;
  /// Compressed vectors of a layer of the Compressive Transformer; none: as
  /// many as the cache has. Each stands for `compressionRate` tokens.
  std::optional<int64_t> compressedLength;
  int64_t compressionRate = 2;
  /// Of RMT and AutoCompressors.
  int64_t summaryVectors = 100;
  /// How many earlier segments' summaries AutoCompressors keep besides the
  /// last; none: those of all.
  std::optional<int64_t> accumulationSteps;
};

struct MemoryKind {
  const char *key, *name, *formula;
  /// Numbers that it keeps, and the bytes of one.
  int64_t entries, entryBytes;
  /// The tokens that what it keeps can come from; all where it is the context.
  int64_t reach;

  int64_t bytes() const { return entries * entryBytes; }
};

/// A state that a session of this package keeps, of all layers together.
struct StateSize {
  const char *name, *what;
  ElementType element;
  int64_t bytes;
};

struct Footprint {
  /// With everything filled in.
  FootprintOptions options;
  int64_t segments;
  std::vector<MemoryKind> kinds;
  std::vector<StateSize> state;

  const MemoryKind &find(llvm::StringRef key) const;
  int64_t stateBytes() const;
};

/// Fails where a number does not fit 63 bits.
llvm::Expected<Footprint> computeFootprint(const ModelConfig &config,
                                           const FootprintOptions &options);

} // namespace infini

#endif // INFINI_FRONTEND_MEMORYFOOTPRINT_H
