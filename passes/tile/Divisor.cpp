// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an index is known to be a multiple of.

#include "infini/passes/tile/Divisor.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include <numeric>

using namespace mlir;
using namespace infini;

static int64_t divisorOf(AffineExpr expr, ValueRange operands, unsigned dims) {
  // 0 is divisible by everything.
  auto of = [&](AffineExpr e) { return ::divisorOf(e, operands, dims); };
  switch (expr.getKind()) {
  case AffineExprKind::Constant:
    return std::abs(cast<AffineConstantExpr>(expr).getValue());
  case AffineExprKind::DimId:
    return infini::divisorOf(operands[cast<AffineDimExpr>(expr).getPosition()]);
  case AffineExprKind::SymbolId:
    return infini::divisorOf(
        operands[dims + cast<AffineSymbolExpr>(expr).getPosition()]);
  case AffineExprKind::Add: {
    auto sum = cast<AffineBinaryOpExpr>(expr);
    return std::gcd(of(sum.getLHS()), of(sum.getRHS()));
  }
  case AffineExprKind::Mul: {
    auto product = cast<AffineBinaryOpExpr>(expr);
    return of(product.getLHS()) * of(product.getRHS());
  }
  default:
    return 1;
  }
}

int64_t infini::divisorOf(OpFoldResult number) {
  if (auto constant = getConstantIntValue(number))
    return std::abs(*constant);
  Value value = cast<Value>(number);
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto loop =
        dyn_cast<LoopLikeOpInterface>(argument.getOwner()->getParentOp());
    std::optional<SmallVector<Value>> places =
        loop ? loop.getLoopInductionVars() : std::nullopt;
    auto place = places ? llvm::find(*places, value) : nullptr;
    if (!places || place == places->end())
      return 1;
    int64_t i = place - places->begin();
    return std::gcd(divisorOf((*loop.getLoopLowerBounds())[i]),
                    divisorOf((*loop.getLoopSteps())[i]));
  }
  Operation *op = value.getDefiningOp();
  if (auto product = dyn_cast<arith::MulIOp>(op))
    return divisorOf(product.getLhs()) * divisorOf(product.getRhs());
  if (isa<arith::AddIOp, arith::SubIOp, arith::MinSIOp, arith::MaxSIOp>(op))
    return std::gcd(divisorOf(op->getOperand(0)), divisorOf(op->getOperand(1)));
  if (isa<arith::SelectOp>(op))
    return std::gcd(divisorOf(op->getOperand(1)), divisorOf(op->getOperand(2)));
  AffineMap map;
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op))
    map = apply.getAffineMap();
  else if (auto min = dyn_cast<affine::AffineMinOp>(op))
    map = min.getAffineMap();
  else if (auto max = dyn_cast<affine::AffineMaxOp>(op))
    map = max.getAffineMap();
  else
    return 1;
  int64_t divisor = 0;
  for (AffineExpr result : map.getResults())
    divisor = std::gcd(
        divisor, ::divisorOf(result, op->getOperands(), map.getNumDims()));
  return divisor;
}
