// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of BlockSizes.h.

#include "infini/passes/dispatch/BlockSizes.h"
#include <iterator>

using namespace infini;

namespace {
struct Row {
  llvm::StringLiteral target, op;
  /// Up to this head size, this many tokens (0: varying alone), these bits.
  int64_t headSize, tokens;
  unsigned bits;
  BlockSizes sizes;
};
constexpr int64_t any = INT64_MAX;
} // namespace

/// The first row that covers a question answers it.
static constexpr Row table[] = {
    // A short segment is a token or a few more often than not, and each of a
    // block's queries costs the same whether it is there or not.
    {"cpu", "infini.segment_attention", any, 0, 64, {8, 32, 16384}},
    // Keys and values of a block, and the scores, in the first-level cache and
    // half of the second.
    {"cpu", "infini.segment_attention", any, any, 64, {64, 64, 16384}},
};

BlockSizes infini::chooseBlockSizes(const BlockQuery &query) {
  for (const Row &row : table)
    if (row.target == query.target && row.op == query.op &&
        query.headSize <= row.headSize && query.tokens <= row.tokens &&
        query.bits <= row.bits)
      return row.sizes;
  return {};
}
