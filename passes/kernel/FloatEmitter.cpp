// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Floating-point arithmetic as code.

#include "infini/passes/kernel/FloatEmitter.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace infini;

/// `type`, a number or a vector, with another element type.
static Type withElement(Type type, Type element) {
  auto vector = dyn_cast<VectorType>(type);
  return vector ? vector.clone(element) : element;
}

FloatEmitter::FloatEmitter(OpBuilder &builder, Location loc, Type type)
    : b(builder), loc(loc), type(type) {
  bits = withElement(type, b.getIntegerType(isF64() ? 64 : 32));
}

FloatEmitter FloatEmitter::widened() const {
  return FloatEmitter(b, loc, withElement(type, b.getF64Type()));
}

bool FloatEmitter::isF64() const { return getElementTypeOrSelf(type).isF64(); }

static Value constant(OpBuilder &b, Location loc, Type type, TypedAttr value) {
  if (auto shaped = dyn_cast<ShapedType>(type))
    value = DenseElementsAttr::get(shaped, Attribute(value));
  return arith::ConstantOp::create(b, loc, value);
}

Value FloatEmitter::number(double value) {
  return constant(b, loc, type,
                  b.getFloatAttr(getElementTypeOrSelf(type), value));
}

Value FloatEmitter::integer(int64_t value) {
  return constant(b, loc, bits,
                  b.getIntegerAttr(getElementTypeOrSelf(bits), value));
}

Value FloatEmitter::polynomial(Value x, ArrayRef<double> coefficients) {
  Value result = number(coefficients.front());
  for (double coefficient : coefficients.drop_front())
    result = fma(result, x, number(coefficient));
  return result;
}

Value FloatEmitter::clamp(Value x, double low, double high) {
  Value l = number(low), h = number(high);
  x = select(compare(Predicate::OLT, x, l), l, x);
  return select(compare(Predicate::OGT, x, h), h, x);
}

Value FloatEmitter::hasBit(Value x, int64_t bit) {
  return make<arith::CmpIOp>(arith::CmpIPredicate::ne,
                             make<arith::AndIOp>(x, integer(bit)), integer(0));
}

std::pair<Value, Value> FloatEmitter::round(Value x) {
  // Adding 1.5 · 2^mantissa leaves the integer in the low bits.
  double magic = 1.5 * static_cast<double>(int64_t(1) << mantissaBits());
  Value number = this->number(magic), shifted = add(x, number),
        rounded = sub(shifted, number);
  int64_t bitsOfMagic = ((bias() + mantissaBits()) << mantissaBits()) |
                        (int64_t(1) << (mantissaBits() - 1));
  return {rounded, make<arith::SubIOp>(bitsOf(shifted), integer(bitsOfMagic))};
}

Value FloatEmitter::powerOfTwo(Value exponent) {
  Value biased = make<arith::AddIOp>(exponent, integer(bias()));
  return ofBits(make<arith::ShLIOp>(biased, integer(mantissaBits())));
}

Value FloatEmitter::scale(Value value, Value exponent) {
  Value first = make<arith::ShRSIOp>(exponent, integer(1)),
        second = make<arith::SubIOp>(exponent, first);
  value = mul(value, powerOfTwo(first));
  return mul(value, powerOfTwo(second));
}
