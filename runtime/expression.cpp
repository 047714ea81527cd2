// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/expression.h"

#include <algorithm>

using namespace infini;

std::string infini::verifyExpression(const Expression &expression,
                                     uint32_t variables) {
  if (expression.nodes.empty())
    return "is empty";
  if (expression.nodes.size() > maxExpressionNodes)
    return "has " + std::to_string(expression.nodes.size()) +
           " nodes, expected at most " + std::to_string(maxExpressionNodes);
  size_t depth = 0;
  for (const ExpressionNode &node : expression.nodes) {
    switch (node.op) {
    case ExpressionOp::variable:
      if (node.operand < 0 || node.operand >= int64_t(variables))
        return "reads variable " + std::to_string(node.operand) +
               ", expected one of " + std::to_string(variables);
      [[fallthrough]];
    case ExpressionOp::constant:
      if (++depth > maxExpressionDepth)
        return "needs a stack deeper than " +
               std::to_string(maxExpressionDepth);
      break;
    default:
      if (static_cast<unsigned>(node.op) >= expressionOpCount)
        return "has the unknown operation " +
               std::to_string(static_cast<unsigned>(node.op));
      if (depth < 2)
        return "pops from an empty stack";
      --depth;
    }
  }
  if (depth != 1)
    return "leaves " + std::to_string(depth) + " values, expected 1";
  return "";
}

/// One operation on two values; b is positive for the divisions.
static ExpressionFault apply(ExpressionOp op, int64_t a, int64_t b,
                             int64_t &result) {
  switch (op) {
  case ExpressionOp::add:
    return __builtin_add_overflow(a, b, &result) ? ExpressionFault::overflow
                                                 : ExpressionFault::none;
  case ExpressionOp::mul:
    return __builtin_mul_overflow(a, b, &result) ? ExpressionFault::overflow
                                                 : ExpressionFault::none;
  case ExpressionOp::min:
    result = std::min(a, b);
    return ExpressionFault::none;
  case ExpressionOp::max:
    result = std::max(a, b);
    return ExpressionFault::none;
  default:
    break;
  }
  if (b <= 0)
    return ExpressionFault::divisionByNonPositive;
  // None of these overflows: the quotient of a division with a remainder is
  // away from both ends.
  int64_t quotient = a / b, remainder = a % b;
  if (op == ExpressionOp::floordiv)
    result = quotient - (remainder < 0);
  else if (op == ExpressionOp::ceildiv)
    result = quotient + (remainder > 0);
  else
    result = remainder < 0 ? remainder + b : remainder;
  return ExpressionFault::none;
}

ExpressionFault infini::evaluate(const Expression &expression,
                                 const int64_t *variables, int64_t &value) {
  int64_t stack[maxExpressionDepth];
  size_t depth = 0;
  for (const ExpressionNode &node : expression.nodes) {
    if (node.op == ExpressionOp::constant) {
      stack[depth++] = node.operand;
    } else if (node.op == ExpressionOp::variable) {
      stack[depth++] = variables[node.operand];
    } else {
      --depth;
      ExpressionFault fault =
          apply(node.op, stack[depth - 1], stack[depth], stack[depth - 1]);
      if (fault != ExpressionFault::none)
        return fault;
    }
  }
  value = stack[0];
  return ExpressionFault::none;
}

const char *infini::textOf(ExpressionFault fault) {
  switch (fault) {
  case ExpressionFault::none:
    return "no fault";
  case ExpressionFault::overflow:
    return "the result does not fit 64 bits";
  case ExpressionFault::divisionByNonPositive:
    return "division by zero or by a negative number";
  }
  return "?";
}

std::string infini::textOf(const Expression &expression,
                           const std::vector<std::string> &variableNames) {
  static const char *const names[] = {"",        "",    "+",   "*",  "floordiv",
                                      "ceildiv", "mod", "min", "max"};
  // A shared operand is printed where it stands, so the text is as long as the
  // code.
  std::vector<std::string> stack;
  for (const ExpressionNode &node : expression.nodes) {
    if (node.op == ExpressionOp::constant) {
      stack.push_back(std::to_string(node.operand));
    } else if (node.op == ExpressionOp::variable) {
      auto index = static_cast<size_t>(node.operand);
      stack.push_back(index < variableNames.size()
                          ? variableNames[index]
                          : "v" + std::to_string(index));
    } else {
      std::string right = std::move(stack.back());
      stack.pop_back();
      std::string &left = stack.back();
      const char *name = names[static_cast<unsigned>(node.op)];
      if (node.op == ExpressionOp::add || node.op == ExpressionOp::mul)
        left = "(" + left + " " + name + " " + right + ")";
      else
        left = std::string(name) + "(" + left + ", " + right + ")";
    }
  }
  return stack.empty() ? "" : stack.back();
}
