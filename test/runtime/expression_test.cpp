// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/expression.h"

#include <gtest/gtest.h>

using namespace infini;

namespace {

constexpr auto C = ExpressionOp::constant;
constexpr auto V = ExpressionOp::variable;

Expression binary(ExpressionOp op, int64_t a, int64_t b) {
  return {{{C, a}, {C, b}, {op, 0}}};
}

int64_t valueOf(const Expression &expression,
                std::vector<int64_t> variables = {}) {
  EXPECT_EQ(verifyExpression(expression, uint32_t(variables.size())), "");
  int64_t value = -12345;
  EXPECT_EQ(evaluate(expression, variables.data(), value),
            ExpressionFault::none);
  return value;
}

ExpressionFault faultOf(const Expression &expression) {
  int64_t value;
  return evaluate(expression, nullptr, value);
}

TEST(Expression, DivisionRoundsAsItSays) {
  for (int64_t a = -20; a <= 20; ++a)
    for (int64_t b = 1; b <= 7; ++b) {
      int64_t floor = valueOf(binary(ExpressionOp::floordiv, a, b));
      int64_t ceil = valueOf(binary(ExpressionOp::ceildiv, a, b));
      int64_t mod = valueOf(binary(ExpressionOp::mod, a, b));
      EXPECT_TRUE(floor * b <= a && a < (floor + 1) * b) << a << " " << b;
      EXPECT_TRUE((ceil - 1) * b < a && a <= ceil * b) << a << " " << b;
      EXPECT_EQ(floor * b + mod, a);
      EXPECT_TRUE(mod >= 0 && mod < b);
    }
  EXPECT_EQ(valueOf(binary(ExpressionOp::ceildiv, INT64_MAX, 1)), INT64_MAX);
  EXPECT_EQ(valueOf(binary(ExpressionOp::floordiv, INT64_MIN, 1)), INT64_MIN);
  EXPECT_EQ(valueOf(binary(ExpressionOp::mod, INT64_MIN, INT64_MAX)),
            INT64_MAX - 1);
}

TEST(Expression, Operations) {
  EXPECT_EQ(valueOf(binary(ExpressionOp::add, 3, -5)), -2);
  EXPECT_EQ(valueOf(binary(ExpressionOp::mul, 3, -5)), -15);
  EXPECT_EQ(valueOf(binary(ExpressionOp::min, 3, -5)), -5);
  EXPECT_EQ(valueOf(binary(ExpressionOp::max, 3, -5)), 3);
  Expression nested{{{V, 0},
                     {V, 1},
                     {ExpressionOp::add, 0},
                     {C, 8},
                     {ExpressionOp::ceildiv, 0}}};
  EXPECT_EQ(valueOf(nested, {10, 7}), 3);
  EXPECT_EQ(textOf(nested, {"T", "fill"}), "ceildiv((T + fill), 8)");
}

TEST(Expression, Faults) {
  EXPECT_EQ(faultOf(binary(ExpressionOp::add, INT64_MAX, 1)),
            ExpressionFault::overflow);
  EXPECT_EQ(faultOf(binary(ExpressionOp::mul, INT64_MAX, 2)),
            ExpressionFault::overflow);
  EXPECT_EQ(faultOf(binary(ExpressionOp::mul, INT64_MIN, -1)),
            ExpressionFault::overflow);
  for (auto op :
       {ExpressionOp::floordiv, ExpressionOp::ceildiv, ExpressionOp::mod})
    for (int64_t divisor : {int64_t(0), int64_t(-1), INT64_MIN})
      EXPECT_EQ(faultOf(binary(op, INT64_MIN, divisor)),
                ExpressionFault::divisionByNonPositive);
}

TEST(Expression, IllFormed) {
  EXPECT_NE(verifyExpression({}, 0), "");
  EXPECT_NE(verifyExpression({{{V, 0}}}, 0), "");
  EXPECT_NE(verifyExpression({{{V, -1}}}, 1), "");
  EXPECT_NE(verifyExpression({{{V, 1}}}, 1), "");
  EXPECT_NE(verifyExpression({{{ExpressionOp::add, 0}}}, 0), "");
  EXPECT_NE(verifyExpression({{{C, 1}, {ExpressionOp::add, 0}}}, 0), "");
  EXPECT_NE(verifyExpression({{{C, 1}, {C, 1}}}, 0), "");
  Expression deep;
  for (size_t i = 0; i < maxExpressionDepth; ++i)
    deep.nodes.push_back({C, 1});
  for (size_t i = 1; i < maxExpressionDepth; ++i)
    deep.nodes.push_back({ExpressionOp::add, 0});
  EXPECT_EQ(valueOf(deep), int64_t(maxExpressionDepth));
  deep.nodes.insert(deep.nodes.begin(), {C, 1});
  deep.nodes.push_back({ExpressionOp::add, 0});
  EXPECT_NE(verifyExpression(deep, 0), "");
}

} // namespace
