// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer expressions over an entry's variables: postfix code for sizes, grids,
// offsets and scalars.

#ifndef INFINI_RUNTIME_EXPRESSION_H
#define INFINI_RUNTIME_EXPRESSION_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace infini {

enum class ExpressionOp : uint8_t {
  constant,
  variable,
  add,
  mul,
  floordiv,
  ceildiv,
  mod,
  min,
  max
};
constexpr unsigned expressionOpCount = 9;

/// Deeper or longer code than this is refused when a package is opened, so
/// that evaluation needs no memory of its own.
constexpr size_t maxExpressionDepth = 64;
constexpr size_t maxExpressionNodes = 4096;

struct ExpressionNode {
  ExpressionOp op;
  int64_t operand;
};

struct Expression {
  std::vector<ExpressionNode> nodes;
  /// Reads a loop's counter, so its value changes within a call.
  bool readsLoopVariable = false;
};

/// "" when the code is well formed for `variables` variables, else what is
/// wrong with it.
std::string verifyExpression(const Expression &expression, uint32_t variables);

enum class ExpressionFault : uint8_t { none, overflow, divisionByNonPositive };

/// The value of a well-formed expression. `variables` holds as many values as
/// it was verified for.
ExpressionFault evaluate(const Expression &expression, const int64_t *variables,
                         int64_t &value);

const char *textOf(ExpressionFault fault);

/// "ceildiv(T + 3, 64)", for messages.
std::string textOf(const Expression &expression,
                   const std::vector<std::string> &variableNames);

} // namespace infini

#endif // INFINI_RUNTIME_EXPRESSION_H
