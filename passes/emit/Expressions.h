// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes of a schedule as the postfix expressions of a package.

#ifndef INFINI_PASSES_EMIT_EXPRESSIONS_H
#define INFINI_PASSES_EMIT_EXPRESSIONS_H

#include "infini/runtime/package_generated.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace infini {

/// An integer expression over an entry's variables. Immutable, shared.
struct SizeExpr;
using SizeExprRef = std::shared_ptr<const SizeExpr>;
struct SizeExpr {
  fb::ExprOp op;
  int64_t operand = 0;
  SizeExprRef left, right;
};

SizeExprRef constantExpr(int64_t value);
SizeExprRef variableExpr(unsigned variable);
/// Folds constants and the neutral elements.
SizeExprRef makeExpr(fb::ExprOp op, SizeExprRef left, SizeExprRef right);
SizeExprRef productOf(const std::vector<SizeExprRef> &factors);
bool isConstant(const SizeExprRef &expr, int64_t value);
bool usesVariable(const SizeExprRef &expr,
                  llvm::function_ref<bool(unsigned)> which);
/// An expression that is never smaller and does not use the given variables,
/// assuming that sizes are not negative; null where none is found.
SizeExprRef upperBound(const SizeExprRef &expr,
                       llvm::function_ref<bool(unsigned)> which);

/// The expressions of one entry, each stored once.
class ExpressionTable {
public:
  /// The index of an expression.
  uint32_t add(const SizeExprRef &expr);
  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::Expr>>>
  write(flatbuffers::FlatBufferBuilder &builder) const;

private:
  std::vector<std::vector<fb::ExprNode>> expressions;
  std::map<std::string, uint32_t> known;
};

/// Turns a schedule's index values into expressions. `variables` says which
/// values are variables, `dims` which variable or expression a dimension of an
/// argument is.
class ExpressionBuilder {
public:
  llvm::DenseMap<mlir::Value, SizeExprRef> scalars;
  llvm::DenseMap<std::pair<mlir::Value, unsigned>, SizeExprRef> dims;

  /// Null where the value is not integer arithmetic on variables.
  SizeExprRef of(mlir::Value value);
  /// The size of a tensor's dimension.
  SizeExprRef dim(mlir::Value tensor, unsigned dim);
  SizeExprRef affine(mlir::AffineExpr expr, llvm::ArrayRef<SizeExprRef> dims,
                     llvm::ArrayRef<SizeExprRef> symbols);
};

} // namespace infini

#endif // INFINI_PASSES_EMIT_EXPRESSIONS_H
