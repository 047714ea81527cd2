// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "infini/frontend/LinalgEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace infini;
using namespace mlir;

static ArrayRef<int64_t> shapeOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getShape();
}

static Type elementOf(Value tensor) {
  return getElementTypeOrSelf(tensor.getType());
}

static Value constant(OpBuilder &builder, Location loc, Type type,
                      double value) {
  return arith::ConstantOp::create(builder, loc,
                                   builder.getFloatAttr(type, value));
}

LinalgEmitter::LinalgEmitter(ImplicitLocOpBuilder &builder, FloatType element)
    : builder(builder), element(element),
      wide(element.getWidth() > 32 ? element : builder.getF32Type()) {}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

Value LinalgEmitter::dim(Value tensor, int64_t index) {
  return tensor::DimOp::create(builder, tensor, index);
}

Value LinalgEmitter::convert(Value tensor, FloatType to) {
  if (elementOf(tensor) == to)
    return tensor;
  std::string letters =
      StringRef("abc").take_front(shapeOf(tensor).size()).str();
  return structured().map(
      to, letters, {{tensor, letters}},
      [](OpBuilder &, Location, ValueRange x) { return x[0]; });
}

Value LinalgEmitter::gather(Value ids, Value table) {
  Value rows = dim(ids, 0);
  Value init = tensor::EmptyOp::create(
      builder, ArrayRef<int64_t>{ShapedType::kDynamic, shapeOf(table)[1]},
      element, rows);
  AffineMap perRow =
      AffineMap::get(2, 0, builder.getAffineDimExpr(0), builder.getContext());
  SmallVector<utils::IteratorType> parallel(2, utils::IteratorType::parallel);
  // Only the rows that are looked up are converted, never the table.
  auto lookUp = [&](OpBuilder &b, Location loc, ValueRange x) {
    Value row = arith::IndexCastOp::create(b, loc, b.getIndexType(), x[0]);
    Value column = linalg::IndexOp::create(b, loc, 1);
    Value value =
        tensor::ExtractOp::create(b, loc, table, ValueRange{row, column});
    linalg::YieldOp::create(b, loc, convertFloat(b, loc, value, element));
  };
  return linalg::GenericOp::create(builder, init.getType(), ids, init,
                                   {perRow, builder.getMultiDimIdentityMap(2)},
                                   parallel, lookUp)
      .getResult(0);
}

Value LinalgEmitter::rmsNorm(Value x, Value weight, double eps) {
  auto addSquare = [](OpBuilder &b, Location loc, ValueRange v) -> Value {
    Value square = arith::MulFOp::create(b, loc, v[0], v[0]);
    return arith::AddFOp::create(b, loc, v[1], square);
  };
  Value squares = structured().reduce("t", {{x, "td"}}, 0.0, addSquare);
  auto scale = [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
    Value columns = constant(b, loc, wide, shapeOf(x)[1]);
    Value mean = arith::DivFOp::create(b, loc, v[1], columns);
    Value shifted =
        arith::AddFOp::create(b, loc, mean, constant(b, loc, wide, eps));
    Value inverse = math::RsqrtOp::create(b, loc, shifted);
    Value normal = arith::MulFOp::create(b, loc, v[0], inverse);
    return arith::MulFOp::create(b, loc, normal, v[2]);
  };
  return structured().map(element, "td",
                          {{x, "td"}, {squares, "t"}, {weight, "d"}}, scale);
}

Value LinalgEmitter::project(Value x, Value weight) {
  Value matrix = convert(weight, element);
  Value tokens = dim(x, 0);
  Value empty = tensor::EmptyOp::create(
      builder, ArrayRef<int64_t>{ShapedType::kDynamic, shapeOf(weight)[0]},
      wide, tokens);
  Value zero = constant(builder, builder.getLoc(), wide, 0.0);
  Value init = linalg::FillOp::create(builder, zero, empty).getResult(0);
  return linalg::MatmulTransposeBOp::create(builder, builder.getLoc(),
                                            {x, matrix}, init)
      ->getResult(0);
}

Value LinalgEmitter::add(Value x, Value y) {
  return structured().map(
      element, "td", {{x, "td"}, {y, "td"}},
      [](OpBuilder &b, Location loc, ValueRange v) -> Value {
        return arith::AddFOp::create(b, loc, v[0], v[1]);
      });
}

Value LinalgEmitter::gatedUnit(Value gate, Value up) {
  auto unit = [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
    // x / (1 + exp(-x)) needs no guard: where exp overflows, x / inf is 0.
    Value negative = arith::NegFOp::create(b, loc, v[0]);
    Value exponential = math::ExpOp::create(b, loc, negative);
    Value denominator =
        arith::AddFOp::create(b, loc, constant(b, loc, wide, 1.0), exponential);
    Value silu = arith::DivFOp::create(b, loc, v[0], denominator);
    return arith::MulFOp::create(b, loc, silu, v[1]);
  };
  return structured().map(element, "td", {{gate, "td"}, {up, "td"}}, unit);
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

Value LinalgEmitter::splitHeads(Value x, int64_t heads) {
  int64_t size = shapeOf(x)[1] / heads;
  auto type =
      RankedTensorType::get({ShapedType::kDynamic, heads, size}, elementOf(x));
  SmallVector<OpFoldResult> shape = {dim(x, 0), builder.getIndexAttr(heads),
                                     builder.getIndexAttr(size)};
  return tensor::ExpandShapeOp::create(
      builder, type, x, ArrayRef<ReassociationIndices>{{0}, {1, 2}}, shape);
}

Value LinalgEmitter::joinHeads(Value x) {
  return tensor::CollapseShapeOp::create(
      builder, x, ArrayRef<ReassociationIndices>{{0}, {1, 2}});
}

static Value same(OpBuilder &, Location, ValueRange v) { return v[0]; }

Value LinalgEmitter::headsFirst(Value x) {
  ArrayRef<int64_t> shape = shapeOf(x);
  SmallVector<OpFoldResult> sizes = {builder.getIndexAttr(1),
                                     builder.getIndexAttr(shape[1]), dim(x, 0),
                                     builder.getIndexAttr(shape[2])};
  return StructuredBuilder(builder, builder.getLoc(), elementOf(x))
      .map(elementOf(x), "bhtd", {{x, "thd"}}, same, sizes);
}

Value LinalgEmitter::tokensFirst(Value x) {
  ArrayRef<int64_t> shape = shapeOf(x);
  SmallVector<OpFoldResult> sizes = {dim(x, 2), builder.getIndexAttr(shape[1]),
                                     builder.getIndexAttr(shape[3])};
  return StructuredBuilder(builder, builder.getLoc(), elementOf(x))
      .map(elementOf(x), "thd", {{x, "1htd"}}, same, sizes);
}
