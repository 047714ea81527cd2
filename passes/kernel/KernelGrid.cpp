// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The grid of a kernel: finding it, and reading the block's place in it.

#include "infini/passes/kernel/KernelGrid.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/Transforms/Transforms.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace infini;

Value KernelGrid::index(OpFoldResult value) {
  return getValueOrCreateConstantIndexOp(b, loc, value);
}

/// An index in terms of the kernel's scalars: its own ones, then the dynamic
/// sizes of its buffers.
std::optional<AffineExpr> KernelGrid::scalarExpr(Value value) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return b.getAffineConstantExpr(constant.getSExtValue());
  unsigned scalars = 0;
  for (Type type : function.getArgumentTypes())
    scalars += type.isIndex();
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    if (argument.getOwner() != &function.getBody().front())
      return std::nullopt;
    unsigned number = 0;
    for (unsigned i = 0; i < argument.getArgNumber(); ++i)
      number += function.getArgument(i).getType().isIndex();
    return b.getAffineSymbolExpr(number);
  }
  Operation *op = value.getDefiningOp();
  if (auto dim = dyn_cast<memref::DimOp>(op)) {
    auto argument = dyn_cast<BlockArgument>(dim.getSource());
    auto constantDim = dim.getConstantIndex();
    if (!argument || !constantDim ||
        argument.getOwner() != &function.getBody().front())
      return std::nullopt;
    unsigned number = scalars;
    for (BlockArgument other : function.getArguments()) {
      auto type = dyn_cast<MemRefType>(other.getType());
      if (!type)
        continue;
      for (int64_t i = 0; i < type.getRank(); ++i) {
        if (!type.isDynamicDim(i))
          continue;
        if (other == argument && i == *constantDim)
          return b.getAffineSymbolExpr(number);
        ++number;
      }
    }
    return std::nullopt;
  }
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op)) {
    SmallVector<AffineExpr> operands;
    for (Value operand : apply.getMapOperands()) {
      auto expr = scalarExpr(operand);
      if (!expr)
        return std::nullopt;
      operands.push_back(*expr);
    }
    AffineMap map = apply.getAffineMap();
    return map.getResult(0).replaceDimsAndSymbols(
        ArrayRef<AffineExpr>(operands).take_front(map.getNumDims()),
        ArrayRef<AffineExpr>(operands).drop_front(map.getNumDims()));
  }
  return std::nullopt;
}

scf::ForallOp KernelGrid::findGrid() {
  scf::ForallOp grid;
  for (Operation &op : function.getBody().front().without_terminator()) {
    if (auto forall = dyn_cast<scf::ForallOp>(op)) {
      if (grid)
        return {};
      grid = forall;
      continue;
    }
    // Only what every block may do for itself.
    if (!isMemoryEffectFree(&op) &&
        !isa<memref::AllocOp, memref::AllocaOp, memref::DeallocOp>(op))
      return {};
  }
  return grid;
}

void KernelGrid::mergeForalls() {
  // Outermost first: what takes in one loop can take in the next.
  SmallVector<scf::ForallOp> inner;
  function.walk<WalkOrder::PreOrder>([&](scf::ForallOp op) {
    if (isa<scf::ForallOp>(op->getParentOp()))
      inner.push_back(op);
  });
  for (scf::ForallOp op : inner) {
    auto outer = cast<scf::ForallOp>(op->getParentOp());
    bool alone = true;
    for (Operation &other : outer.getBody()->without_terminator())
      alone &= &other == op || isMemoryEffectFree(&other) ||
               isa<memref::AllocOp, memref::DeallocOp>(other);
    // Bounds leave the outer loop with what computes them.
    auto leaves = [&](OpFoldResult bound) {
      auto value = dyn_cast<Value>(bound);
      if (!value || outer.isDefinedOutsideOfLoop(value))
        return true;
      Operation *def = value.getDefiningOp();
      if (!def || !isPure(def) ||
          !llvm::all_of(def->getOperands(), [&](Value operand) {
            return outer.isDefinedOutsideOfLoop(operand);
          }))
        return false;
      def->moveBefore(outer);
      return true;
    };
    for (const auto &bounds :
         {op.getMixedLowerBound(), op.getMixedUpperBound(), op.getMixedStep()})
      alone &= llvm::all_of(bounds, leaves);
    if (!alone)
      continue;
    auto join = [](SmallVector<OpFoldResult> a, ArrayRef<OpFoldResult> c) {
      llvm::append_range(a, c);
      return a;
    };
    b.setInsertionPoint(outer);
    auto both = scf::ForallOp::create(
        b, loc, join(outer.getMixedLowerBound(), op.getMixedLowerBound()),
        join(outer.getMixedUpperBound(), op.getMixedUpperBound()),
        join(outer.getMixedStep(), op.getMixedStep()), ValueRange(),
        std::nullopt);
    SmallVector<Value> ivs = both.getInductionVars();
    unsigned rank = outer.getRank();
    b.eraseOp(op.getTerminator());
    b.inlineBlockBefore(op.getBody(), op, ArrayRef(ivs).drop_front(rank));
    b.eraseOp(op);
    b.eraseOp(outer.getTerminator());
    b.inlineBlockBefore(outer.getBody(), both.getTerminator(),
                        ArrayRef(ivs).take_front(rank));
    b.eraseOp(outer);
  }
}

/// Finds the grid, and says its extents in terms of the kernel's scalars.
void KernelGrid::analyze() {
  mergeForalls();
  unsigned scalars = 0;
  for (BlockArgument argument : function.getArguments()) {
    scalars += argument.getType().isIndex();
    if (auto type = dyn_cast<MemRefType>(argument.getType()))
      scalars += type.getNumDynamicDims();
  }
  SmallVector<AffineExpr> extents;
  grid = findGrid();
  auto exprOf = [&](OpFoldResult value) -> std::optional<AffineExpr> {
    if (auto constant = getConstantIntValue(value))
      return b.getAffineConstantExpr(*constant);
    return scalarExpr(cast<Value>(value));
  };
  if (grid)
    for (auto [lower, upper, step] :
         llvm::zip(grid.getMixedLowerBound(), grid.getMixedUpperBound(),
                   grid.getMixedStep())) {
      auto low = exprOf(lower), high = exprOf(upper);
      auto width = getConstantIntValue(step);
      if (!low || !high || !width) {
        grid = {};
        extents.clear();
        break;
      }
      extents.push_back((*high - *low).ceilDiv(*width));
    }
  // The ABI's grid has three dimensions: the leading ones share the last.
  while (extents.size() > 3) {
    folded.insert(folded.begin(), extents[1]);
    extents[1] = extents[0] * extents[1];
    extents.erase(extents.begin());
  }
  // The first id runs fastest, and the innermost loop shares most: the same
  // keys, the same memory.
  std::reverse(extents.begin(), extents.end());
  kernel->setAttr("program.buffers",
                  b.getI64IntegerAttr(llvm::count_if(
                      function.getArgumentTypes(), llvm::IsaPred<MemRefType>)));
  kernel->setAttr("program.grid", AffineMapAttr::get(AffineMap::get(
                                      0, scalars, extents, b.getContext())));
}

/// How many blocks there are along a dimension of the grid.
Value KernelGrid::extentOf(unsigned dim) {
  AffineExpr d0, d1, d2;
  bindDims(b.getContext(), d0, d1, d2);
  int64_t step = *getConstantIntValue(grid.getMixedStep()[dim]);
  return index(affine::makeComposedFoldedAffineApply(
      b, loc, (d1 - d0).ceilDiv(step),
      {grid.getMixedLowerBound()[dim], grid.getMixedUpperBound()[dim]}));
}

/// The grid's position comes from the block; any other forall is a loop.
LogicalResult KernelGrid::lower(llvm::function_ref<Value(unsigned)> blockId) {
  if (grid) {
    b.setInsertionPoint(grid);
    SmallVector<Value> ids(grid.getRank());
    unsigned shared = folded.size();
    for (unsigned i = shared; i < ids.size(); ++i)
      ids[i] = blockId(ids.size() - 1 - i);
    for (unsigned i = shared; i > 0; --i) {
      Value extent = extentOf(i);
      Value id = ids[i];
      ids[i] = arith::RemUIOp::create(b, loc, id, extent);
      ids[i - 1] = arith::DivUIOp::create(b, loc, id, extent);
    }
    SmallVector<Value> positions;
    for (auto [id, lower, step] :
         llvm::zip(ids, grid.getMixedLowerBound(), grid.getMixedStep())) {
      Value offset = arith::MulIOp::create(b, loc, id, index(step));
      positions.push_back(arith::AddIOp::create(b, loc, index(lower), offset));
    }
    b.eraseOp(grid.getTerminator());
    b.inlineBlockBefore(grid.getBody(), grid, positions);
    b.eraseOp(grid);
  }
  SmallVector<scf::ForallOp> rest;
  function.walk([&](scf::ForallOp op) { rest.push_back(op); });
  for (scf::ForallOp op : rest) {
    b.setInsertionPoint(op);
    if (failed(scf::forallToForLoop(b, op)))
      return failure();
  }
  return success();
}
