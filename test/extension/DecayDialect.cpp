// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shapes, verifiers, and definitions of the decay dialect. Letters are those of
// infini's ops: B batch, H query heads, G key/value heads, L tokens, K and V
// the sizes of keys and values; J is a second K.

#include "DecayDialect.h"
#include "infini/dialect/infini/StructuredBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace infini;
using namespace decay;

#include "DecayDialect.cpp.inc"
#define GET_OP_CLASSES
#include "DecayOps.cpp.inc"

INFINI_DEFINE_SHAPED_OP(decay::UpdateOp)
INFINI_DEFINE_SHAPED_OP(decay::GateOp)

void DecayDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "DecayOps.cpp.inc"
      >();
}

static Value constant(OpBuilder &b, Location loc, Type type, double value) {
  return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, value));
}

//===----------------------------------------------------------------------===//
// UpdateOp: shapes and verifier
//===----------------------------------------------------------------------===//

ShapeSignature UpdateOp::getShapeSignature() {
  ShapeSignature signature;
  signature.operands = {{"key", dims("BGLK")},
                        {"value", dims("BGLV")},
                        {"memory", dims("BGKV")},
                        {"normalizer", dims("BGK")}};
  signature.results = {{"new_memory", dims("BGKV")},
                       {"new_normalizer", dims("BGK")}};
  return signature;
}

SmallVector<DimName> UpdateOp::getParallelDims() { return dims("BG"); }

LogicalResult UpdateOp::verify() {
  double gamma = getGamma().convertToDouble();
  if (!(gamma > 0 && gamma <= 1)) // NaN is neither
    return emitOpError("expected 'gamma' to be above 0 and at most 1, got ")
           << gamma;
  Type key = getKey().getType().getElementType();
  if (getAccumulatorType().getIntOrFloatBitWidth() <
      key.getIntOrFloatBitWidth())
    return emitOpError("expected 'memory' to be at least as wide as 'key' (")
           << key << "), got " << getAccumulatorType();
  return verifyShapeSignature(*this);
}

//===----------------------------------------------------------------------===//
// UpdateOp: MemoryWriteOpInterface
//===----------------------------------------------------------------------===//

namespace {
enum Component : unsigned { Normalizer = 0, Memory = 1 };
} // namespace

static RankedTensorType typeOf(UpdateOp op, unsigned component) {
  return component == Normalizer ? op.getNormalizer().getType()
                                 : op.getMemory().getType();
}

static StringRef lettersOf(unsigned component) {
  return component == Normalizer ? "BGK" : "BGKV";
}

/// A tensor of the component's shape, filled with `value`.
static Value filled(OpBuilder &b, Location loc, UpdateOp op, unsigned component,
                    double value) {
  SmallVector<OpFoldResult> sizes;
  for (DimName name : dims(lettersOf(component)))
    sizes.push_back(sizeOf(b, op, name));
  Type element = op.getAccumulatorType();
  Value empty = tensor::EmptyOp::create(b, loc, sizes, element);
  Value fill =
      linalg::FillOp::create(b, loc, constant(b, loc, element, value), empty)
          .getResult(0);
  return castTensor(b, loc, fill, typeOf(op, component));
}

/// Σ_t σ(K_t).
static Value keySum(StructuredBuilder &s, UpdateOp op) {
  return s.contract("BGK", {{op.getKey(), "BGLK"}});
}

/// σ(K)ᵀ X.
static Value outerProducts(StructuredBuilder &s, UpdateOp op, Value x) {
  return s.contract("BGKV", {{op.getKey(), "BGLK"}, {x, "BGLV"}});
}

/// σ(K) z, one number a token.
static Value denominators(StructuredBuilder &s, UpdateOp op, Value z) {
  return s.contract("BGL", {{op.getKey(), "BGLK"}, {z, "BGK"}});
}

Type UpdateOp::getAccumulatorType() {
  return getMemory().getType().getElementType();
}

SmallVector<StateComponent> UpdateOp::getStateComponents() {
  return {{"z", /*operand=*/3, /*result=*/1, StateKind::Affine,
           FactorKind::Diagonal, /*needs=*/{}},
          {"M", /*operand=*/2, /*result=*/0, StateKind::Affine,
           FactorKind::Full, /*needs=*/{Normalizer}}};
}

Value UpdateOp::buildIncrement(OpBuilder &, Location, unsigned, ValueRange) {
  return {}; // no component is a sum
}

AffineCoefficients UpdateOp::buildCoefficients(OpBuilder &builder, Location loc,
                                               unsigned component,
                                               ValueRange before) {
  StructuredBuilder s(builder, loc, getAccumulatorType());
  double gamma = getGamma().convertToDouble();
  if (component == Normalizer)
    return {
        filled(builder, loc, *this, Normalizer, gamma),
        castTensor(builder, loc, keySum(s, *this), typeOf(*this, component))};

  // γ I − σ(K)ᵀ diag(σ(K) z)⁻¹ σ(K)
  Value scaled = s.map(
      s.getComputeType(), "BGLK",
      {{getKey(), "BGLK"}, {denominators(s, *this, before[Normalizer]), "BGL"}},
      [](OpBuilder &b, Location loc, ValueRange x) {
        return guardedDivide(b, loc, x[0], x[1]);
      });
  Value product = s.contract("BGKJ", {{getKey(), "BGLK"}, {scaled, "BGLJ"}});
  Value factor = s.map(s.getComputeType(), "BGKJ", {{product, "BGKJ"}},
                       [&](OpBuilder &b, Location loc, ValueRange x) -> Value {
                         Value row = linalg::IndexOp::create(b, loc, 2);
                         Value column = linalg::IndexOp::create(b, loc, 3);
                         Value isDiagonal = arith::CmpIOp::create(
                             b, loc, arith::CmpIPredicate::eq, row, column);
                         Type type = x[0].getType();
                         Value kept = arith::SelectOp::create(
                             b, loc, isDiagonal, constant(b, loc, type, gamma),
                             constant(b, loc, type, 0.0));
                         return arith::SubFOp::create(b, loc, kept, x[0]);
                       });
  SmallVector<int64_t> shape(getNormalizer().getType().getShape());
  shape.push_back(shape.back());
  auto type = RankedTensorType::get(shape, getAccumulatorType());
  return {castTensor(builder, loc, factor, type),
          castTensor(builder, loc, outerProducts(s, *this, getValue()),
                     typeOf(*this, component))};
}

Value UpdateOp::buildStep(OpBuilder &builder, Location loc, unsigned component,
                          ValueRange before) {
  StructuredBuilder s(builder, loc, getAccumulatorType());
  Value increment;
  if (component == Normalizer) {
    increment = keySum(s, *this);
  } else {
    Value held =
        s.contract("BGLV", {{getKey(), "BGLK"}, {before[Memory], "BGKV"}});
    Value rest = s.map(s.getComputeType(), "BGLV",
                       {{getValue(), "BGLV"},
                        {held, "BGLV"},
                        {denominators(s, *this, before[Normalizer]), "BGL"}},
                       [](OpBuilder &b, Location loc, ValueRange x) -> Value {
                         Value retrieved = guardedDivide(b, loc, x[1], x[2]);
                         return arith::SubFOp::create(b, loc, x[0], retrieved);
                       });
    increment = outerProducts(s, *this, rest);
  }
  std::string letters = lettersOf(component).str();
  Value after = s.map(s.getComputeType(), letters,
                      {{before[component], letters}, {increment, letters}},
                      [&](OpBuilder &b, Location loc, ValueRange x) -> Value {
                        Value gamma = constant(b, loc, x[0].getType(),
                                               getGamma().convertToDouble());
                        Value kept = arith::MulFOp::create(b, loc, gamma, x[0]);
                        return arith::AddFOp::create(b, loc, kept, x[1]);
                      });
  return castTensor(builder, loc, after, typeOf(*this, component));
}

Value UpdateOp::buildIdentity(OpBuilder &builder, Location loc,
                              unsigned component) {
  return filled(builder, loc, *this, component, 0.0);
}

//===----------------------------------------------------------------------===//
// GateOp (infini has one, too, hence the qualified name)
//===----------------------------------------------------------------------===//

ShapeSignature decay::GateOp::getShapeSignature() {
  ShapeSignature signature;
  signature.operands = {{"memory", dims("BHLV")},
                        {"local", dims("BHLV")},
                        {"weight", dims("HV")},
                        {"bias", dims("H")}};
  signature.results = {{"result", dims("BHLV")}};
  return signature;
}

/// Not V: a token's gate looks at its whole row.
SmallVector<DimName> decay::GateOp::getParallelDims() { return dims("BHL"); }

LogicalResult decay::GateOp::verify() { return verifyShapeSignature(*this); }

FailureOr<SmallVector<Value>>
decay::GateOp::decomposeOperation(OpBuilder &builder) {
  Location loc = getLoc();
  Type element = getResult().getType().getElementType();
  Type type = element.isF64() ? element : builder.getF32Type();
  StructuredBuilder s(builder, loc, type);
  Value logits = s.contract("BHL", {{getLocal(), "BHLV"}, {getWeight(), "HV"}});
  Value gate = s.map(
      type, "BHL", {{logits, "BHL"}, {getBias(), "H"}},
      [](OpBuilder &b, Location loc, ValueRange x) -> Value {
        Value logit = arith::AddFOp::create(b, loc, x[0], x[1]);
        Value decay =
            math::ExpOp::create(b, loc, arith::NegFOp::create(b, loc, logit));
        Value one = constant(b, loc, logit.getType(), 1.0);
        return arith::DivFOp::create(b, loc, one,
                                     arith::AddFOp::create(b, loc, one, decay));
      });
  Value result =
      s.map(element, "BHLV",
            {{getMemory(), "BHLV"}, {getLocal(), "BHLV"}, {gate, "BHL"}},
            [](OpBuilder &b, Location loc, ValueRange x) -> Value {
              Value one = constant(b, loc, x[2].getType(), 1.0);
              Value rest = arith::SubFOp::create(b, loc, one, x[2]);
              return arith::AddFOp::create(
                  b, loc, arith::MulFOp::create(b, loc, x[2], x[0]),
                  arith::MulFOp::create(b, loc, rest, x[1]));
            });
  return SmallVector<Value>{castTensor(builder, loc, result, getType())};
}
