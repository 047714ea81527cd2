// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How much of an op one block of a kernel computes: a static table by op, head
// size, segment length, element type, and target, with a rule for what no row
// covers. Nothing is tuned at run time, so packages are reproducible.
//
// The rule: 64 tokens a block, 64 keys, blocks of 16384 elements where an op
// has no tokens.

#ifndef INFINI_PASSES_DISPATCH_BLOCKSIZES_H
#define INFINI_PASSES_DISPATCH_BLOCKSIZES_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>

namespace infini {

struct BlockSizes {
  /// Tokens (of queries, in attention), and keys.
  int64_t tokens = 64, keys = 64;
  /// Elements of an op without tokens, and of a sum.
  int64_t elements = 16384;
  /// Rows and columns of a dense product that is a kernel, and what of its sum
  /// is added up at once.
  int64_t rows = 64, columns = 64, depth = 128;
};

struct BlockQuery {
  /// "cpu", or "gpu": what a chip of any vendor likes.
  llvm::StringRef target = "cpu";
  /// The op's name, such as "infini.segment_attention".
  llvm::StringRef op;
  /// d_v; 0 where not known.
  int64_t headSize = 0;
  /// Tokens of the segment; 0 where they vary (a short segment, a single
  /// token).
  int64_t tokens = 0;
  /// Bits of an element.
  unsigned bits = 32;
};

BlockSizes chooseBlockSizes(const BlockQuery &query);
/// The question as an op asks it whose result is […, tokens, head].
BlockSizes blockSizesFor(mlir::Operation *op, llvm::StringRef target);

} // namespace infini

#endif // INFINI_PASSES_DISPATCH_BLOCKSIZES_H
