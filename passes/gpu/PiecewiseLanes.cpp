// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chains of element-wise ops on a thread's registers are computed piece by
// piece: op by op, each intermediate result of a wide vector would be alive at
// once, and code generators keep the order that they are given.

#include "infini/passes/Passes.h"
#include "infini/passes/gpu/TileToLanes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"

namespace infini {
#define GEN_PASS_DEF_INFINIPIECEWISELANES
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

static int64_t lengthOf(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  return vector && vector.getRank() == 1 ? vector.getNumElements() : 0;
}

namespace {

/// Element-wise ops on vectors of one length that wait to be computed.
class Chain {
public:
  Chain(RewriterBase &b, int64_t piece) : b(b), piece(piece) {}

  bool takes(Operation *op) const {
    if (op->getNumResults() != 1 || op->getNumRegions() ||
        !op->hasTrait<OpTrait::Elementwise>())
      return false;
    int64_t own = lengthOf(op->getResult(0).getType());
    if (own < 2 * piece || own % piece != 0 || (length && own != length))
      return false;
    return llvm::all_of(op->getOperands(), [&](Value operand) {
      int64_t other = lengthOf(operand.getType());
      return other == 0 ? !isa<VectorType>(operand.getType()) : other == own;
    });
  }
  void add(Operation *op) {
    length = lengthOf(op->getResult(0).getType());
    ops.insert(op);
  }
  bool isUsedBy(Operation *op) const {
    if (ops.empty())
      return false;
    bool used = false;
    op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        used |=
            operand.getDefiningOp() && ops.contains(operand.getDefiningOp());
    });
    return used;
  }
  /// Computes it before `op`; returns whether it was long enough to be cut.
  bool flush(Operation *op);

private:
  Value pieceOf(Value value, int64_t first, IRMapping &mapping);

  RewriterBase &b;
  int64_t piece, length = 0;
  llvm::SetVector<Operation *> ops;
};

} // namespace

Value Chain::pieceOf(Value value, int64_t first, IRMapping &mapping) {
  if (Value known = mapping.lookupOrNull(value))
    return known;
  if (!lengthOf(value.getType()))
    return value;
  Value part;
  Location loc = value.getLoc();
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  auto splat = constant ? dyn_cast<SplatElementsAttr>(constant.getValue())
                        : SplatElementsAttr();
  if (splat) {
    auto type = cast<VectorType>(value.getType());
    auto partType = VectorType::get({piece}, type.getElementType());
    part = arith::ConstantOp::create(
        b, loc,
        DenseElementsAttr::get(partType, splat.getSplatValue<Attribute>()));
  } else {
    part = slice(b, loc, value, first, piece);
  }
  mapping.map(value, part);
  return part;
}

bool Chain::flush(Operation *op) {
  bool isLong = ops.size() > 1;
  if (isLong) {
    b.setInsertionPoint(op);
    llvm::MapVector<Operation *, SmallVector<Value>> outside;
    for (Operation *member : ops)
      if (llvm::any_of(member->getUsers(),
                       [&](Operation *user) { return !ops.contains(user); }))
        outside[member] = {};
    for (int64_t first = 0; first < length; first += piece) {
      IRMapping mapping;
      for (Operation *member : ops) {
        SmallVector<Value> operands;
        for (Value operand : member->getOperands())
          operands.push_back(pieceOf(operand, first, mapping));
        auto type = cast<VectorType>(member->getResult(0).getType());
        Operation *part = b.create(
            member->getLoc(), member->getName().getIdentifier(), operands,
            {VectorType::get({piece}, type.getElementType())},
            member->getAttrs(), {}, {});
        mapping.map(member->getResult(0), part->getResult(0));
        if (auto it = outside.find(member); it != outside.end())
          it->second.push_back(part->getResult(0));
      }
    }
    for (auto &[member, parts] : outside) {
      Value whole = concatenate(b, member->getLoc(), parts);
      member->getResult(0).replaceUsesWithIf(
          whole, [&](OpOperand &use) { return !ops.contains(use.getOwner()); });
    }
    for (Operation *member : llvm::reverse(ops))
      b.eraseOp(member);
  }
  ops.clear();
  length = 0;
  return isLong;
}

namespace {
struct PiecewiseLanes final
    : infini::impl::InfiniPiecewiseLanesBase<PiecewiseLanes> {
  using InfiniPiecewiseLanesBase::InfiniPiecewiseLanesBase;

  void runOnOperation() override {
    if (piece < 1) {
      getOperation().emitError("expected option 'piece' to be at least 1, got ")
          << int64_t(piece);
      return signalPassFailure();
    }
    IRRewriter rewriter(&getContext());
    SmallVector<Block *> blocks;
    getOperation().walk([&](Block *block) { blocks.push_back(block); });
    for (Block *block : blocks) {
      Chain chain(rewriter, piece);
      for (Operation &op : llvm::make_early_inc_range(*block)) {
        if (chain.takes(&op)) {
          chain.add(&op);
          continue;
        }
        if (chain.isUsedBy(&op) || op.hasTrait<OpTrait::IsTerminator>())
          cut += chain.flush(&op);
        // It may begin the next one.
        if (chain.takes(&op))
          chain.add(&op);
      }
    }
  }
};
} // namespace
