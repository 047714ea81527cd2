// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Index arithmetic to postfix code.

#include "infini/passes/emit/Expressions.h"
#include "infini/dialect/program/ProgramOps.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace infini;
using fb::ExprOp;

SizeExprRef infini::constantExpr(int64_t value) {
  return std::make_shared<SizeExpr>(
      SizeExpr{fb::ExprOp_constant, value, nullptr, nullptr});
}

SizeExprRef infini::variableExpr(unsigned variable) {
  return std::make_shared<SizeExpr>(
      SizeExpr{fb::ExprOp_variable, variable, nullptr, nullptr});
}

bool infini::isConstant(const SizeExprRef &expr, int64_t value) {
  return expr->op == fb::ExprOp_constant && expr->operand == value;
}

SizeExprRef infini::makeExpr(ExprOp op, SizeExprRef left, SizeExprRef right) {
  if (!left || !right)
    return nullptr;
  if (left->op == fb::ExprOp_constant && right->op == fb::ExprOp_constant) {
    int64_t a = left->operand, b = right->operand, result = 0;
    switch (op) {
    case fb::ExprOp_add:
      if (!llvm::AddOverflow(a, b, result))
        return constantExpr(result);
      break;
    case fb::ExprOp_mul:
      if (!llvm::MulOverflow(a, b, result))
        return constantExpr(result);
      break;
    case fb::ExprOp_floordiv:
      if (b > 0)
        return constantExpr(llvm::divideFloorSigned(a, b));
      break;
    case fb::ExprOp_ceildiv:
      if (b > 0)
        return constantExpr(llvm::divideCeilSigned(a, b));
      break;
    case fb::ExprOp_mod:
      if (b > 0)
        return constantExpr(llvm::mod(a, b));
      break;
    case fb::ExprOp_min:
      return constantExpr(std::min(a, b));
    case fb::ExprOp_max:
      return constantExpr(std::max(a, b));
    default:
      break;
    }
  }
  if (op == fb::ExprOp_add && isConstant(left, 0))
    return right;
  if (op == fb::ExprOp_add && isConstant(right, 0))
    return left;
  if (op == fb::ExprOp_mul && isConstant(left, 1))
    return right;
  if ((op == fb::ExprOp_mul || op == fb::ExprOp_floordiv ||
       op == fb::ExprOp_ceildiv) &&
      isConstant(right, 1))
    return left;
  if (op == fb::ExprOp_mul && (isConstant(left, 0) || isConstant(right, 0)))
    return constantExpr(0);
  return std::make_shared<SizeExpr>(
      SizeExpr{op, 0, std::move(left), std::move(right)});
}

SizeExprRef infini::productOf(const std::vector<SizeExprRef> &factors) {
  SizeExprRef result = constantExpr(1);
  for (const SizeExprRef &factor : factors)
    result = makeExpr(fb::ExprOp_mul, result, factor);
  return result;
}

bool infini::usesVariable(const SizeExprRef &expr,
                          llvm::function_ref<bool(unsigned)> which) {
  if (!expr)
    return false;
  if (expr->op == fb::ExprOp_variable)
    return which(expr->operand);
  return (expr->left && usesVariable(expr->left, which)) ||
         (expr->right && usesVariable(expr->right, which));
}

static bool isNegativeConstant(const SizeExprRef &expr) {
  return expr->op == fb::ExprOp_constant && expr->operand < 0;
}

SizeExprRef infini::upperBound(const SizeExprRef &expr,
                               llvm::function_ref<bool(unsigned)> which) {
  if (!expr || !usesVariable(expr, which))
    return expr;
  switch (expr->op) {
  case fb::ExprOp_min: {
    SizeExprRef left = upperBound(expr->left, which),
                right = upperBound(expr->right, which);
    if (left && right)
      return makeExpr(fb::ExprOp_min, left, right);
    return left ? left : right;
  }
  case fb::ExprOp_add:
  case fb::ExprOp_max:
    return makeExpr(expr->op, upperBound(expr->left, which),
                    upperBound(expr->right, which));
  case fb::ExprOp_mul:
  case fb::ExprOp_floordiv:
  case fb::ExprOp_ceildiv:
    // Factors and divisors are sizes; those without the variables stay as they
    // are.
    if (!usesVariable(expr->right, which))
      return isNegativeConstant(expr->right)
                 ? nullptr
                 : makeExpr(expr->op, upperBound(expr->left, which),
                            expr->right);
    if (expr->op == fb::ExprOp_mul && !isNegativeConstant(expr->left))
      return makeExpr(expr->op, upperBound(expr->left, which),
                      upperBound(expr->right, which));
    return nullptr;
  case fb::ExprOp_mod:
    if (expr->right->op == fb::ExprOp_constant && expr->right->operand > 0)
      return constantExpr(expr->right->operand - 1);
    return nullptr;
  default:
    return nullptr;
  }
}

static void flatten(const SizeExpr &expr, std::vector<fb::ExprNode> &nodes) {
  if (expr.left)
    flatten(*expr.left, nodes);
  if (expr.right)
    flatten(*expr.right, nodes);
  nodes.emplace_back(expr.op, expr.operand);
}

uint32_t ExpressionTable::add(const SizeExprRef &expr) {
  std::vector<fb::ExprNode> nodes;
  flatten(*expr, nodes);
  std::string key;
  for (const fb::ExprNode &node : nodes)
    key += std::to_string(static_cast<int>(node.op())) + ":" +
           std::to_string(node.operand()) + ";";
  auto [it, isNew] = known.try_emplace(key, expressions.size());
  if (isNew)
    expressions.push_back(std::move(nodes));
  return it->second;
}

flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::Expr>>>
ExpressionTable::write(flatbuffers::FlatBufferBuilder &builder) const {
  std::vector<flatbuffers::Offset<fb::Expr>> offsets;
  for (const auto &nodes : expressions)
    offsets.push_back(
        fb::CreateExpr(builder, builder.CreateVectorOfStructs(nodes)));
  return builder.CreateVector(offsets);
}

//===----------------------------------------------------------------------===//
// ExpressionBuilder
//===----------------------------------------------------------------------===//

SizeExprRef ExpressionBuilder::affine(AffineExpr expr,
                                      ArrayRef<SizeExprRef> dimValues,
                                      ArrayRef<SizeExprRef> symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constantExpr(constant.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dimValues[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  SizeExprRef left = affine(binary.getLHS(), dimValues, symbols);
  SizeExprRef right = affine(binary.getRHS(), dimValues, symbols);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return makeExpr(fb::ExprOp_add, left, right);
  case AffineExprKind::Mul:
    return makeExpr(fb::ExprOp_mul, left, right);
  case AffineExprKind::FloorDiv:
    return makeExpr(fb::ExprOp_floordiv, left, right);
  case AffineExprKind::CeilDiv:
    return makeExpr(fb::ExprOp_ceildiv, left, right);
  case AffineExprKind::Mod:
    return makeExpr(fb::ExprOp_mod, left, right);
  default:
    return nullptr;
  }
}

SizeExprRef ExpressionBuilder::of(Value value) {
  if (auto it = scalars.find(value); it != scalars.end())
    return it->second; // null where it was found not to be one
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return constantExpr(constant.getSExtValue());
  Operation *op = value.getDefiningOp();
  if (!op)
    return nullptr;
  SizeExprRef result;
  auto operand = [&](unsigned i) { return of(op->getOperand(i)); };
  auto viaMap = [&](AffineMap map, ExprOp combine) {
    SmallVector<SizeExprRef> operands;
    for (Value v : op->getOperands()) {
      operands.push_back(of(v));
      if (!operands.back())
        return SizeExprRef();
    }
    SizeExprRef combined;
    for (AffineExpr expr : map.getResults()) {
      SizeExprRef one = affine(
          expr, ArrayRef<SizeExprRef>(operands).take_front(map.getNumDims()),
          ArrayRef<SizeExprRef>(operands).drop_front(map.getNumDims()));
      combined = combined ? makeExpr(combine, combined, one) : one;
    }
    return combined;
  };
  if (auto dimOp = dyn_cast<tensor::DimOp>(op)) {
    if (auto index = dimOp.getConstantIndex())
      result = dim(dimOp.getSource(), *index);
  } else if (auto apply = dyn_cast<affine::AffineApplyOp>(op)) {
    result = viaMap(apply.getAffineMap(), fb::ExprOp_add);
  } else if (auto min = dyn_cast<affine::AffineMinOp>(op)) {
    result = viaMap(min.getAffineMap(), fb::ExprOp_min);
  } else if (auto max = dyn_cast<affine::AffineMaxOp>(op)) {
    result = viaMap(max.getAffineMap(), fb::ExprOp_max);
  } else if (isa<arith::AddIOp>(op)) {
    result = makeExpr(fb::ExprOp_add, operand(0), operand(1));
  } else if (isa<arith::SubIOp>(op)) {
    result = makeExpr(fb::ExprOp_add, operand(0),
                      makeExpr(fb::ExprOp_mul, operand(1), constantExpr(-1)));
  } else if (isa<arith::MulIOp>(op)) {
    result = makeExpr(fb::ExprOp_mul, operand(0), operand(1));
  } else if (isa<arith::DivUIOp, arith::FloorDivSIOp>(op)) {
    result = makeExpr(fb::ExprOp_floordiv, operand(0), operand(1));
  } else if (isa<arith::CeilDivSIOp, arith::CeilDivUIOp>(op)) {
    result = makeExpr(fb::ExprOp_ceildiv, operand(0), operand(1));
  } else if (isa<arith::RemUIOp>(op)) {
    result = makeExpr(fb::ExprOp_mod, operand(0), operand(1));
  } else if (isa<arith::MinSIOp, arith::MinUIOp>(op)) {
    result = makeExpr(fb::ExprOp_min, operand(0), operand(1));
  } else if (isa<arith::MaxSIOp, arith::MaxUIOp>(op)) {
    result = makeExpr(fb::ExprOp_max, operand(0), operand(1));
  }
  if (result)
    scalars[value] = result;
  return result;
}

SizeExprRef ExpressionBuilder::dim(Value tensor, unsigned number) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(number))
    return constantExpr(type.getDimSize(number));
  if (auto it = dims.find({tensor, number}); it != dims.end())
    return it->second;
  auto result = dyn_cast<OpResult>(tensor);
  if (!result) {
    auto argument = cast<BlockArgument>(tensor);
    if (auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp()))
      if (OpOperand *init = loop.getTiedLoopInit(argument))
        return dim(init->get(), number);
    return nullptr;
  }
  Operation *op = result.getOwner();
  if (auto buffer = dyn_cast<program::BufferOp>(op))
    return of(buffer.getSizes()[type.getDynamicDimIndex(number)]);
  if (auto empty = dyn_cast<tensor::EmptyOp>(op))
    return of(empty.getDynamicSize(number));
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    OpFoldResult size = expand.getMixedOutputShape()[number];
    if (auto value = dyn_cast<Value>(size))
      return of(value);
    return constantExpr(*getConstantIntValue(size));
  }
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    std::vector<SizeExprRef> factors;
    for (int64_t source : collapse.getReassociationIndices()[number]) {
      SizeExprRef factor = dim(collapse.getSrc(), source);
      if (!factor)
        return nullptr;
      factors.push_back(factor);
    }
    return productOf(factors);
  }
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return dim(loop.getInitArgs()[result.getResultNumber()], number);
  if (Value tied = program::tiedOperand(result))
    return dim(tied, number);
  return nullptr;
}
