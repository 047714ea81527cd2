// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MemoryWriteOpInterface of infini.memory_update: component 0 is the normaliser
// z, component 1 the memory M. Letters are those of the op: B batch, G
// key/value heads, L tokens, K and V the sizes of keys and values; J is a
// second K.

#include "infini/dialect/infini/InfiniOps.h"
#include "infini/dialect/infini/StructuredBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace infini;

namespace {
enum Component : unsigned { Normalizer = 0, Memory = 1 };
} // namespace

static Value guardedDivideScalar(OpBuilder &builder, Location loc,
                                 Value numerator, Value denominator) {
  Value zero = arith::ConstantOp::create(
      builder, loc, builder.getFloatAttr(numerator.getType(), 0.0));
  // NaN counts as positive: it must not read as an empty memory.
  Value positive = arith::CmpFOp::create(
      builder, loc, arith::CmpFPredicate::UGT, denominator, zero);
  Value quotient = arith::DivFOp::create(builder, loc, numerator, denominator);
  return arith::SelectOp::create(builder, loc, positive, quotient, zero);
}

// Scalars, or tensors: the denominator's dimensions are then the numerator's
// leading ones.
Value infini::guardedDivide(OpBuilder &builder, Location loc, Value numerator,
                            Value denominator) {
  auto type = dyn_cast<RankedTensorType>(numerator.getType());
  if (!type)
    return guardedDivideScalar(builder, loc, numerator, denominator);
  SmallVector<DimName> names = leadingDims(type.getRank(), "");
  std::string letters(names.begin(), names.end());
  auto divisor = cast<RankedTensorType>(denominator.getType());
  return StructuredBuilder(builder, loc, type.getElementType())
      .map(type.getElementType(), letters,
           {{numerator, letters},
            {denominator, letters.substr(0, divisor.getRank())}},
           [](OpBuilder &b, Location loc, ValueRange x) {
             return guardedDivideScalar(b, loc, x[0], x[1]);
           });
}

//===----------------------------------------------------------------------===//
// Parts that the step, the increments, and the coefficients share
//===----------------------------------------------------------------------===//

/// Σ_t σ(K_t).
static Value keySum(StructuredBuilder &s, MemoryUpdateOp op) {
  return s.contract("BGK", {{op.getKey(), "BGLK"}});
}

/// σ(K)ᵀ X, for the values or what is left of them.
static Value outerProducts(StructuredBuilder &s, MemoryUpdateOp op, Value x) {
  return s.contract("BGKV", {{op.getKey(), "BGLK"}, {x, "BGLV"}});
}

/// σ(K) z, one number a token.
static Value denominators(StructuredBuilder &s, MemoryUpdateOp op, Value z) {
  return s.contract("BGL", {{op.getKey(), "BGLK"}, {z, "BGK"}});
}

/// V − σ(K) M / (σ(K) z): what the memory does not hold yet.
static Value residual(StructuredBuilder &s, MemoryUpdateOp op, Value z,
                      Value memory) {
  Value held = s.contract("BGLV", {{op.getKey(), "BGLK"}, {memory, "BGKV"}});
  return s.map(s.getComputeType(), "BGLV",
               {{op.getValue(), "BGLV"},
                {held, "BGLV"},
                {denominators(s, op, z), "BGL"}},
               [](OpBuilder &b, Location loc, ValueRange x) -> Value {
                 Value retrieved = guardedDivideScalar(b, loc, x[1], x[2]);
                 return arith::SubFOp::create(b, loc, x[0], retrieved);
               });
}

/// Σ_t γ_t σ(K_t), γ_t = clip(1 − z·σ(K_t)/‖σ(K_t)‖², 0, 1): of each key, the
/// part that the normaliser does not count yet.
static Value correctedKeySum(StructuredBuilder &s, MemoryUpdateOp op, Value z) {
  Lettered key{op.getKey(), "BGLK"};
  Value norms = s.contract("BGL", {key, key});
  Value weights =
      s.map(s.getComputeType(), "BGL",
            {{denominators(s, op, z), "BGL"}, {norms, "BGL"}},
            [](OpBuilder &b, Location loc, ValueRange x) -> Value {
              Value share = guardedDivideScalar(b, loc, x[0], x[1]);
              Type type = share.getType();
              Value zero =
                  arith::ConstantOp::create(b, loc, b.getFloatAttr(type, 0.0));
              Value one =
                  arith::ConstantOp::create(b, loc, b.getFloatAttr(type, 1.0));
              Value rest = arith::SubFOp::create(b, loc, one, share);
              rest = arith::MaximumFOp::create(b, loc, rest, zero);
              return arith::MinimumFOp::create(b, loc, rest, one);
            });
  return s.contract("BGK", {key, {weights, "BGL"}});
}

/// I − σ(K)ᵀ diag(σ(K) z)⁻¹ σ(K); the identity for z = 0.
static Value factor(StructuredBuilder &s, MemoryUpdateOp op, Value z) {
  Value scaled = s.map(s.getComputeType(), "BGLK",
                       {{op.getKey(), "BGLK"}, {denominators(s, op, z), "BGL"}},
                       [](OpBuilder &b, Location loc, ValueRange x) {
                         return guardedDivideScalar(b, loc, x[0], x[1]);
                       });
  // J counts the same as K; its letter is the scaled keys'.
  Value product = s.contract("BGKJ", {{op.getKey(), "BGLK"}, {scaled, "BGLJ"}});
  return s.map(
      s.getComputeType(), "BGKJ", {{product, "BGKJ"}},
      [](OpBuilder &b, Location loc, ValueRange x) -> Value {
        Type type = x[0].getType();
        Value row = linalg::IndexOp::create(b, loc, 2);
        Value column = linalg::IndexOp::create(b, loc, 3);
        Value diagonal = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                               row, column);
        Value zero =
            arith::ConstantOp::create(b, loc, b.getFloatAttr(type, 0.0));
        Value one =
            arith::ConstantOp::create(b, loc, b.getFloatAttr(type, 1.0));
        Value identity = arith::SelectOp::create(b, loc, diagonal, one, zero);
        return arith::SubFOp::create(b, loc, identity, x[0]);
      });
}

//===----------------------------------------------------------------------===//
// MemoryWriteOpInterface
//===----------------------------------------------------------------------===//

static RankedTensorType typeOf(MemoryUpdateOp op, unsigned component) {
  return component == Normalizer ? op.getNormalizer().getType()
                                 : op.getMemory().getType();
}

Type MemoryUpdateOp::getAccumulatorType() {
  return getMemory().getType().getElementType();
}

SmallVector<StateComponent> MemoryUpdateOp::getStateComponents() {
  UpdateRule rule = getUpdate();
  StateComponent z{
      "z", /*operand=*/3, /*result=*/1, StateKind::Sum, FactorKind::Identity,
      {}};
  StateComponent memory{
      "M", /*operand=*/2, /*result=*/0, StateKind::Sum, FactorKind::Identity,
      {}};
  if (rule == UpdateRule::DeltaCorrected)
    z.kind = StateKind::Sequential;
  if (rule != UpdateRule::Linear) {
    memory.kind = StateKind::Affine;
    memory.factor = FactorKind::Full;
    memory.needs = {Normalizer};
  }
  return {z, memory};
}

Value MemoryUpdateOp::buildIncrement(OpBuilder &builder, Location loc,
                                     unsigned component, ValueRange before) {
  if (getStateComponents()[component].kind != StateKind::Sum)
    return {};
  StructuredBuilder s(builder, loc, getAccumulatorType());
  Value increment = component == Normalizer
                        ? keySum(s, *this)
                        : outerProducts(s, *this, getValue());
  return castTensor(builder, loc, increment, typeOf(*this, component));
}

AffineCoefficients MemoryUpdateOp::buildCoefficients(OpBuilder &builder,
                                                     Location loc,
                                                     unsigned component,
                                                     ValueRange before) {
  switch (getStateComponents()[component].kind) {
  case StateKind::Sum:
    return {Value(), buildIncrement(builder, loc, component, before)};
  case StateKind::Affine: {
    StructuredBuilder s(builder, loc, getAccumulatorType());
    SmallVector<int64_t> shape(getNormalizer().getType().getShape());
    shape.push_back(shape.back());
    Value a = castTensor(builder, loc, factor(s, *this, before[Normalizer]),
                         RankedTensorType::get(shape, getAccumulatorType()));
    Value b = outerProducts(s, *this, getValue());
    return {a, castTensor(builder, loc, b, typeOf(*this, component))};
  }
  case StateKind::Sequential:
    return {};
  }
  llvm_unreachable("all kinds of state are handled");
}

Value MemoryUpdateOp::buildStep(OpBuilder &builder, Location loc,
                                unsigned component, ValueRange before) {
  StructuredBuilder s(builder, loc, getAccumulatorType());
  Value increment;
  if (component == Normalizer)
    increment = getUpdate() == UpdateRule::DeltaCorrected
                    ? correctedKeySum(s, *this, before[Normalizer])
                    : keySum(s, *this);
  else
    increment = outerProducts(
        s, *this,
        getUpdate() == UpdateRule::Linear
            ? getValue()
            : residual(s, *this, before[Normalizer], before[Memory]));
  Value after = s.add(component == Normalizer ? "BGK" : "BGKV",
                      before[component], increment);
  return castTensor(builder, loc, after, typeOf(*this, component));
}

Value MemoryUpdateOp::buildIdentity(OpBuilder &builder, Location loc,
                                    unsigned component) {
  SmallVector<OpFoldResult> sizes;
  for (DimName name : dims(component == Normalizer ? "BGK" : "BGKV"))
    sizes.push_back(sizeOf(builder, *this, name));
  Type element = getAccumulatorType();
  Value zero = arith::ConstantOp::create(builder, loc,
                                         builder.getFloatAttr(element, 0.0));
  Value empty = tensor::EmptyOp::create(builder, loc, sizes, element);
  Value zeros = linalg::FillOp::create(builder, loc, zero, empty).getResult(0);
  return castTensor(builder, loc, zeros, typeOf(*this, component));
}
