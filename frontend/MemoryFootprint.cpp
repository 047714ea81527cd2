// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "infini/frontend/MemoryFootprint.h"
#include "infini/frontend/Failure.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cassert>

using namespace infini;
using namespace llvm;

namespace {

/// A whole number that remembers whether it ever was too large.
class Count {
public:
  Count(int64_t value) : value(value) {}
  friend Count operator*(Count a, Count b) {
    Count result(0);
    result.fits = !__builtin_mul_overflow(a.value, b.value, &result.value) &&
                  a.fits && b.fits;
    return result;
  }
  friend Count operator+(Count a, Count b) {
    Count result(0);
    result.fits = !__builtin_add_overflow(a.value, b.value, &result.value) &&
                  a.fits && b.fits;
    return result;
  }
  int64_t value;
  bool fits = true;
};

/// Collects the results; the first that does not fit is the problem.
class Table {
public:
  explicit Table(int64_t context) : context(context) {}

  void add(const char *key, const char *name, const char *formula,
           Count entries, ElementType element, Count reach) {
    auto size = static_cast<int64_t>(bytesOf(element));
    check(name, entries * size);
    // What does not fit lies behind any text's beginning.
    int64_t tokens = reach.fits ? std::min(reach.value, context) : context;
    result.kinds.push_back({key, name, formula, entries.value, size, tokens});
  }
  void addState(const char *name, const char *what, Count entries,
                ElementType element) {
    Count bytes = entries * static_cast<int64_t>(bytesOf(element));
    check(name, bytes);
    result.state.push_back({name, what, element, bytes.value});
  }

  Footprint result;
  std::string problem;

private:
  void check(const char *name, Count bytes) {
    if (!bytes.fits && problem.empty())
      problem = textOf(name,
                       ": expected less than 2^63 bytes, got more for a "
                       "context of ",
                       context, " tokens");
  }

  int64_t context;
};

} // namespace

const MemoryKind &Footprint::find(StringRef key) const {
  auto it = llvm::find_if(
      kinds, [&](const MemoryKind &kind) { return key == kind.key; });
  assert(it != kinds.end() && "unknown kind of memory");
  return *it;
}

int64_t Footprint::stateBytes() const {
  int64_t sum = 0;
  for (const StateSize &size : state)
    sum += size.bytes;
  return sum;
}

Expected<Footprint> infini::computeFootprint(const ModelConfig &config,
                                             const FootprintOptions &given) {
  FootprintOptions options = given;
  int64_t segments = divideCeil(options.context, config.segmentLength);
  options.cacheLength = options.cacheLength.value_or(config.segmentLength);
  options.compressedLength =
      options.compressedLength.value_or(*options.cacheLength);
  options.accumulationSteps = options.accumulationSteps.value_or(segments - 1);

  // The paper's formulas have H heads; its models have as many of keys and
  // values, and where there are fewer, that many are kept.
  Count layers = config.layers, heads = config.keyValueHeads,
        size = config.headDim, hidden = config.hiddenSize,
        context = options.context, cache = *options.cacheLength,
        compressed = *options.compressedLength,
        summaries = options.summaryVectors;
  Count pair = (size + size) * heads;
  Count retrieved = std::min(options.memorizingEntries, options.context);
  Count memory = size * (size + 1) * heads * layers;

  // M and z are never narrower than f32 here.
  ElementType narrow = config.computeType, wide = narrow == ElementType::f64
                                                      ? ElementType::f64
                                                      : ElementType::f32;
  Table table(options.context);
  table.add("kv_cache", "KV cache", "(d_k + d_v) G T l",
            pair * context * layers, narrow, context);
  table.add("transformer_xl", "Transformer-XL", "(d_k + d_v) G C l",
            pair * cache * layers, narrow, cache * layers);
  table.add("compressive_transformer", "Compressive Transformer",
            "d_model (c + C) l", hidden * (compressed + cache) * layers, narrow,
            (compressed * options.compressionRate + cache) * layers);
  Count cached = cache * layers;
  table.add("memorizing_transformer", "Memorizing Transformer",
            "(d_k + d_v) G min(E, T) + (d_k + d_v) G C l",
            pair * retrieved + pair * cached, narrow,
            cached.fits ? std::max(cached.value, retrieved.value) : cached);
  table.add("rmt", "RMT", "d_model p l 2", hidden * summaries * layers * 2,
            narrow, context);
  table.add("autocompressors", "AutoCompressors", "d_model p (m + 1) l",
            hidden * summaries * (Count(*options.accumulationSteps) + 1) *
                layers,
            narrow, context);
  table.add("infini_attention", "Infini-attention", "d_k (d_v + 1) G l", memory,
            wide, context);

  Count pending = Count(config.segmentLength) * heads * size * layers;
  table.addState("M", "memory", size * size * heads * layers, wide);
  table.addState("z", "normaliser", size * heads * layers, wide);
  table.addState("K", "keys of the segment under way", pending, narrow);
  table.addState("V", "values of the segment under way", pending, narrow);
  table.addState("fill", "tokens of the segment under way", 1,
                 ElementType::i64);
  Count sum = 0;
  for (const StateSize &state : table.result.state)
    sum = sum + state.bytes;
  if (!sum.fits && table.problem.empty())
    table.problem = "the state: expected less than 2^63 bytes, got more";
  if (!table.problem.empty())
    return failure(table.problem);
  table.result.options = options;
  table.result.segments = segments;
  return std::move(table.result);
}
