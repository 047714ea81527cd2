// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From letters to linalg.generic.

#include "infini/dialect/infini/StructuredBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace infini;

Value infini::convertFloat(OpBuilder &builder, Location loc, Value value,
                           Type type) {
  unsigned from = value.getType().getIntOrFloatBitWidth();
  unsigned to = type.getIntOrFloatBitWidth();
  if (value.getType() == type)
    return value;
  if (from < to)
    return arith::ExtFOp::create(builder, loc, type, value);
  if (from == to) { // bf16 and f16
    value = arith::ExtFOp::create(builder, loc, builder.getF32Type(), value);
  }
  return arith::TruncFOp::create(builder, loc, type, value);
}

Value infini::castTensor(OpBuilder &builder, Location loc, Value value,
                         Type type) {
  if (value.getType() == type)
    return value;
  return tensor::CastOp::create(builder, loc, type, value);
}

OpFoldResult StructuredBuilder::size(ArrayRef<Lettered> inputs, char letter) {
  const Lettered *site = nullptr;
  for (const Lettered &input : inputs) {
    size_t dim = input.letters.find(letter);
    if (dim == std::string::npos)
      continue;
    auto type = cast<RankedTensorType>(input.tensor.getType());
    if (!type.isDynamicDim(dim))
      return builder.getIndexAttr(type.getDimSize(dim));
    if (!site)
      site = &input;
  }
  if (!site)
    llvm_unreachable("a letter that no operand has");
  return tensor::getMixedSize(builder, loc, site->tensor,
                              site->letters.find(letter));
}

Value StructuredBuilder::constant(double value) {
  return arith::ConstantOp::create(builder, loc,
                                   builder.getFloatAttr(compute, value));
}

Value StructuredBuilder::generic(Value init, StringRef out,
                                 ArrayRef<Lettered> inputs, Body body,
                                 bool accumulates) {
  // The result's dimensions first, then those that are reduced.
  std::string loops = out.str();
  for (const Lettered &input : inputs)
    for (char letter : input.letters)
      if (letter != '1' && loops.find(letter) == std::string::npos)
        loops += letter;
  SmallVector<utils::IteratorType> iterators(loops.size(),
                                             utils::IteratorType::reduction);
  std::fill_n(iterators.begin(), out.size(), utils::IteratorType::parallel);
  auto mapOf = [&](StringRef letters) {
    SmallVector<AffineExpr> exprs;
    for (char letter : letters)
      exprs.push_back(letter == '1'
                          ? builder.getAffineConstantExpr(0)
                          : builder.getAffineDimExpr(loops.find(letter)));
    return AffineMap::get(loops.size(), 0, exprs, builder.getContext());
  };
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  for (const Lettered &input : inputs) {
    operands.push_back(input.tensor);
    maps.push_back(mapOf(input.letters));
  }
  maps.push_back(mapOf(out));
  auto buildBody = [&](OpBuilder &b, Location loc, ValueRange elements) {
    SmallVector<Value> arguments;
    for (Value element : elements.drop_back())
      arguments.push_back(convertFloat(b, loc, element, compute));
    if (accumulates)
      arguments.push_back(elements.back());
    Value result = body(b, loc, arguments);
    result = convertFloat(b, loc, result, elements.back().getType());
    linalg::YieldOp::create(b, loc, result);
  };
  return linalg::GenericOp::create(builder, loc, init.getType(), operands, init,
                                   maps, iterators, buildBody)
      .getResult(0);
}

Value StructuredBuilder::map(Type element, StringRef out,
                             ArrayRef<Lettered> inputs, Body body,
                             ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> outSizes(sizes);
  if (outSizes.empty())
    for (char letter : out)
      outSizes.push_back(size(inputs, letter));
  Value init = tensor::EmptyOp::create(builder, loc, outSizes, element);
  return generic(init, out, inputs, body, /*accumulates=*/false);
}

Value StructuredBuilder::reduce(StringRef out, ArrayRef<Lettered> inputs,
                                double initial, Body body) {
  SmallVector<OpFoldResult> sizes;
  for (char letter : out)
    sizes.push_back(size(inputs, letter));
  Value empty = tensor::EmptyOp::create(builder, loc, sizes, compute);
  Value init = linalg::FillOp::create(builder, loc, constant(initial), empty)
                   .getResult(0);
  return generic(init, out, inputs, body, /*accumulates=*/true);
}

Value StructuredBuilder::contract(StringRef out, ArrayRef<Lettered> inputs) {
  return reduce(out, inputs, 0.0, [](OpBuilder &b, Location loc, ValueRange x) {
    Value product = x.front();
    for (Value factor : x.drop_front().drop_back())
      product = arith::MulFOp::create(b, loc, product, factor);
    return arith::AddFOp::create(b, loc, x.back(), product);
  });
}

Value StructuredBuilder::add(StringRef letters, Value a, Value b) {
  return map(compute, letters, {{a, letters.str()}, {b, letters.str()}},
             [](OpBuilder &b, Location loc, ValueRange x) -> Value {
               return arith::AddFOp::create(b, loc, x[0], x[1]);
             });
}
