// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of BlockSizes.h.

#include "infini/passes/dispatch/BlockSizes.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace infini;

namespace {
struct Row {
  llvm::StringLiteral target, op;
  /// Up to this head size, this many tokens, these bits.
  int64_t headSize, tokens;
  unsigned bits;
  BlockSizes sizes;
};
constexpr int64_t kAny = INT64_MAX;
} // namespace

/// The first row that covers a question answers it; a row without an op covers
/// all.
static constexpr Row table[] = {
    // One vector of queries, whose scores for 64 keys stay in registers and the
    // first-level cache; 16 × 32 wins 3 % at d = 64 and loses 1 % at 128, 32 ×
    // 64
    // loses 5 %, 64 × 64 4 to 8 %, 16 × 128 20 % (d 64, N 512 and d 128, N
    // 2048,
    // EPYC with AVX-512).
    {"cpu", "infini.segment_attention", kAny, kAny, 64, {16, 64, 16384}},
    // Four warps: a strip of 16 queries each, and accumulators, scores, and
    // fragments in 255 registers. Two strips, at d = 64, would halve what is
    // read from shared memory, but a few registers spill. In f32 a thread's
    // sums are 64 registers at d = 128, and K and V of two rounds fit the
    // shared memory. (Derived; see docs/rationale.md.)
    {"gpu", "infini.segment_attention", 128, kAny, 16, {64, 64, 4096}},
    {"gpu", "infini.segment_attention", 128, kAny, 32, {64, 32, 4096}},
    {"gpu", "infini.segment_attention", kAny, kAny, 64, {32, 32, 4096}},
    {"gpu", "", kAny, kAny, 16, {64, 64, 4096, 128, 64, 32}},
    {"gpu", "", kAny, kAny, 64, {64, 32, 4096, 64, 64, 32}},
};

BlockSizes infini::chooseBlockSizes(const BlockQuery &query) {
  for (const Row &row : table)
    if (row.target == query.target && (row.op.empty() || row.op == query.op) &&
        query.headSize <= row.headSize && query.tokens <= row.tokens &&
        query.bits <= row.bits)
      return row.sizes;
  return {};
}

BlockSizes infini::blockSizesFor(Operation *op, StringRef target) {
  BlockQuery query;
  query.target = target;
  query.op = op->getName().getStringRef();
  auto type = op->getNumResults()
                  ? dyn_cast<RankedTensorType>(op->getResultTypes().front())
                  : RankedTensorType();
  if (!type)
    return chooseBlockSizes(query);
  auto sizeAt = [&](int64_t fromLast) -> int64_t {
    int64_t dim = type.getRank() - fromLast;
    return dim < 0 || type.isDynamicDim(dim) ? 0 : type.getDimSize(dim);
  };
  query.headSize = sizeAt(1);
  query.tokens = sizeAt(2);
  // The operands' bits: a product's result is wider than they are.
  if (op->getNumOperands())
    if (auto first = dyn_cast<RankedTensorType>(op->getOperand(0).getType()))
      if (first.getElementType().isIntOrFloat())
        type = RankedTensorType::get(type.getShape(), first.getElementType());
  if (type.getElementType().isIntOrFloat())
    query.bits = type.getElementTypeBitWidth();
  return chooseBlockSizes(query);
}
