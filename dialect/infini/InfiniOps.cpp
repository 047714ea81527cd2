// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Signatures and verifiers of the ops on tensors. Labels beside the checks are
// those of docs/spec.md.

#include "infini/dialect/infini/InfiniOps.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

using namespace mlir;
using namespace infini;

#define GET_OP_CLASSES
#include "infini/dialect/infini/InfiniOps.cpp.inc"

INFINI_DEFINE_SHAPED_OP(SegmentAttentionOp)
INFINI_DEFINE_SHAPED_OP(RopeOp)
INFINI_DEFINE_SHAPED_OP(FeatureMapOp)
INFINI_DEFINE_SHAPED_OP(MemoryRetrieveOp)
INFINI_DEFINE_SHAPED_OP(MemoryUpdateOp)
INFINI_DEFINE_SHAPED_OP(GateOp)
INFINI_DEFINE_SHAPED_OP(AffineScanOp)

static int64_t rankOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getRank();
}

/// Fails unless all named values have one element type.
static LogicalResult
verifyOneElementType(Operation *op,
                     ArrayRef<std::pair<StringRef, Value>> values) {
  Type first;
  StringRef owner;
  for (auto [name, value] : values) {
    if (!value)
      continue;
    Type type = getElementTypeOrSelf(value.getType());
    if (!first) {
      first = type;
      owner = name;
    } else if (type != first) {
      return op->emitOpError()
             << "expected '" << name << "' to have element type " << first
             << ", as '" << owner << "', got " << type;
    }
  }
  return success();
}

/// A memory must not be narrower than what is written to it or read with it.
static LogicalResult verifyStateType(Operation *op, StringRef name, Value state,
                                     StringRef sequenceName, Value sequence) {
  Type stateType = getElementTypeOrSelf(state.getType());
  Type sequenceType = getElementTypeOrSelf(sequence.getType());
  if (stateType.getIntOrFloatBitWidth() < sequenceType.getIntOrFloatBitWidth())
    return op->emitOpError()
           << "expected '" << name << "' to be at least as wide as '"
           << sequenceName << "' (" << sequenceType << "), got " << stateType;
  return success();
}

static LogicalResult verifyPositiveFinite(Operation *op, StringRef name,
                                          const APFloat &value) {
  double number = value.convertToDouble();
  if (!std::isfinite(number) || number <= 0)
    return op->emitOpError() << "expected '" << name
                             << "' to be positive and finite, got " << number;
  return success();
}

//===----------------------------------------------------------------------===//
// SegmentAttentionOp
//===----------------------------------------------------------------------===//

ShapeSignature SegmentAttentionOp::getShapeSignature() {
  ShapeSignature signature;
  signature.operands = {
      {"query", dims("BHLK")}, {"key", dims("BGJK")}, {"value", dims("BGJV")}};
  if (getPastKey())
    signature.operands.push_back({"past_key", dims("BGPK")});
  if (getPastValue())
    signature.operands.push_back({"past_value", dims("BGPV")});
  if (getBias()) {
    // A static 1 broadcasts; the last dimension counts past and own keys.
    auto type = cast<RankedTensorType>(getBias().getType());
    SmallVector<DimName> names = dims(getPastKey() ? "BHLS" : "BHLJ");
    for (int64_t i = 0, e = std::min<int64_t>(3, type.getRank()); i < e; ++i)
      if (type.getDimSize(i) == 1)
        names[i] = '1';
    signature.operands.push_back({"bias", names});
  }
  if (getQueryOffset())
    signature.operands.push_back({"query_offset", {}});
  signature.results = {{"result", dims("BHLV")}};
  return signature;
}

SmallVector<DimName> SegmentAttentionOp::getParallelDims() {
  return dims("BHL");
}

void SegmentAttentionOp::adaptToTile(OpBuilder &builder, Operation *tile,
                                     ArrayRef<OpFoldResult> offsets) {
  if (getMask() == Mask::Full)
    return;
  Location loc = getLoc();
  AffineExpr a, b, c;
  bindDims(builder.getContext(), a, b, c);
  OpFoldResult position;
  if (getQueryOffset())
    position = affine::makeComposedFoldedAffineApply(
        builder, loc, a + b, {OpFoldResult(getQueryOffset()), offsets[2]});
  else
    position = affine::makeComposedFoldedAffineApply(
        builder, loc, a - b + c,
        {sizeOf(builder, *this, 'J'), sizeOf(builder, *this, 'L'), offsets[2]});
  cast<SegmentAttentionOp>(tile).getQueryOffsetMutable().assign(
      getValueOrCreateConstantIndexOp(builder, loc, position));
}

LogicalResult SegmentAttentionOp::verify() {
  // segment_attention_c4
  if (!getPastKey() != !getPastValue())
    return emitOpError(
               "expected 'past_key' and 'past_value' together, got only '")
           << (getPastKey() ? "past_key" : "past_value") << "'";
  // segment_attention_c1, segment_attention_c2, segment_attention_c7
  if (failed(verifyShapeSignature(*this)))
    return failure();
  // segment_attention_c3
  if (failed(verifyOneElementType(*this, {{"query", getQuery()},
                                          {"key", getKey()},
                                          {"value", getValue()},
                                          {"past_key", getPastKey()},
                                          {"past_value", getPastValue()},
                                          {"result", getResult()}})))
    return failure();
  // segment_attention_c5
  if (getMask() == Mask::Window) {
    if (!getWindow())
      return emitOpError("expected 'window' with the mask 'window', got none");
    if (*getWindow() < 1)
      return emitOpError("expected 'window' to be at least 1, got ")
             << *getWindow();
  } else if (getWindow()) {
    return emitOpError("expected no 'window' with the mask '")
           << stringifyMask(getMask()) << "', got " << *getWindow();
  }
  // segment_attention_c6
  if (getScale() && !getScale()->isFinite())
    return emitOpError("expected 'scale' to be finite, got ")
           << getScale()->convertToDouble();
  // A bias beside past keys: its last dimension counts both.
  if (getBias() && getPastKey()) {
    int64_t past = cast<RankedTensorType>(getPastKey().getType()).getDimSize(2);
    int64_t own = cast<RankedTensorType>(getKey().getType()).getDimSize(2);
    int64_t got = cast<RankedTensorType>(getBias().getType()).getDimSize(3);
    if (!ShapedType::isDynamic(past) && !ShapedType::isDynamic(own) &&
        !ShapedType::isDynamic(got) && past + own != got)
      return emitOpError("expected 'bias' dimension 3 to be ")
             << past + own << ", past and own keys together, got " << got;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// RopeOp
//===----------------------------------------------------------------------===//

ShapeSignature RopeOp::getShapeSignature() {
  ShapeSignature signature;
  SmallVector<DimName> names = leadingDims(rankOf(getInput()), "LK");
  signature.operands = {{"input", names}};
  if (getOffset())
    signature.operands.push_back({"offset", {}});
  if (getCos())
    signature.operands.push_back({"cos", dims("PR")});
  if (getSin())
    signature.operands.push_back({"sin", dims("PR")});
  signature.results = {{"result", names}};
  return signature;
}

SmallVector<DimName> RopeOp::getParallelDims() {
  SmallVector<DimName> names = leadingDims(rankOf(getInput()), "LK");
  names.pop_back();
  return names;
}

void RopeOp::adaptToTile(OpBuilder &builder, Operation *tile,
                         ArrayRef<OpFoldResult> offsets) {
  AffineExpr a, b;
  bindDims(builder.getContext(), a, b);
  OpFoldResult position = offsets.back();
  if (getOffset())
    position = affine::makeComposedFoldedAffineApply(
        builder, getLoc(), a + b, {OpFoldResult(getOffset()), position});
  cast<RopeOp>(tile).getOffsetMutable().assign(
      getValueOrCreateConstantIndexOp(builder, getLoc(), position));
}

LogicalResult RopeOp::verify() {
  auto type = cast<RankedTensorType>(getInput().getType());
  // rope_c1
  if (type.getRank() < 2)
    return emitOpError("expected 'input' to have rank at least 2, got ")
           << type.getRank();
  // rope_c2
  int64_t size = type.getShape().back();
  if (!ShapedType::isDynamic(size) && size % 2)
    return emitOpError("expected 'input' to have an even last dimension, got ")
           << size;
  // rope_c3, rope_c4
  if (failed(verifyPositiveFinite(*this, "base", getBase())) ||
      failed(verifyPositiveFinite(*this, "factor", getFactor())))
    return failure();
  // rope_c5
  if (!getCos() != !getSin())
    return emitOpError("expected 'cos' and 'sin' together, got only '")
           << (getCos() ? "cos" : "sin") << "'";
  if (failed(verifyShapeSignature(*this)) ||
      failed(
          verifyOneElementType(*this, {{"cos", getCos()}, {"sin", getSin()}})))
    return failure();
  if (getCos() && !ShapedType::isDynamic(size)) {
    int64_t columns = cast<RankedTensorType>(getCos().getType()).getDimSize(1);
    if (!ShapedType::isDynamic(columns) && columns * 2 != size)
      return emitOpError("expected 'cos' dimension 1 to be ")
             << size / 2 << ", half of the input's last, got " << columns;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// FeatureMapOp
//===----------------------------------------------------------------------===//

ShapeSignature FeatureMapOp::getShapeSignature() {
  SmallVector<DimName> names = leadingDims(rankOf(getInput()), "");
  ShapeSignature signature;
  signature.operands = {{"input", names}};
  signature.results = {{"result", names}};
  return signature;
}

SmallVector<DimName> FeatureMapOp::getParallelDims() {
  return leadingDims(rankOf(getInput()), "");
}

LogicalResult FeatureMapOp::verify() {
  // feature_map_c2 (feature_map_c1 is a trait)
  if (rankOf(getInput()) < 1)
    return emitOpError("expected 'input' to have rank at least 1, got 0");
  return success();
}

//===----------------------------------------------------------------------===//
// MemoryRetrieveOp
//===----------------------------------------------------------------------===//

ShapeSignature MemoryRetrieveOp::getShapeSignature() {
  ShapeSignature signature;
  signature.operands = {{"query", dims("BHLK")},
                        {"memory", dims("BGKV")},
                        {"normalizer", dims("BGK")}};
  signature.results = {{"result", dims("BHLV")}};
  return signature;
}

SmallVector<DimName> MemoryRetrieveOp::getParallelDims() { return dims("BHL"); }

LogicalResult MemoryRetrieveOp::verify() {
  // memory_retrieve_c1, memory_retrieve_c2, memory_retrieve_c5
  if (failed(verifyShapeSignature(*this)))
    return failure();
  // memory_retrieve_c3
  if (failed(verifyOneElementType(
          *this, {{"memory", getMemory()}, {"normalizer", getNormalizer()}})) ||
      failed(
          verifyStateType(*this, "memory", getMemory(), "query", getQuery())))
    return failure();
  // memory_retrieve_c4
  return verifyOneElementType(*this,
                              {{"query", getQuery()}, {"result", getResult()}});
}

//===----------------------------------------------------------------------===//
// MemoryUpdateOp
//===----------------------------------------------------------------------===//

ShapeSignature MemoryUpdateOp::getShapeSignature() {
  ShapeSignature signature;
  signature.operands = {{"key", dims("BGLK")},
                        {"value", dims("BGLV")},
                        {"memory", dims("BGKV")},
                        {"normalizer", dims("BGK")}};
  signature.results = {{"new_memory", dims("BGKV")},
                       {"new_normalizer", dims("BGK")}};
  return signature;
}

SmallVector<DimName> MemoryUpdateOp::getParallelDims() { return dims("BG"); }

LogicalResult MemoryUpdateOp::verify() {
  // memory_update_c1, memory_update_c5 (memory_update_c3 is a trait)
  if (failed(verifyShapeSignature(*this)))
    return failure();
  // memory_update_c2
  if (failed(verifyOneElementType(
          *this, {{"memory", getMemory()}, {"normalizer", getNormalizer()}})) ||
      failed(verifyStateType(*this, "memory", getMemory(), "key", getKey())))
    return failure();
  // memory_update_c4
  return verifyOneElementType(*this,
                              {{"key", getKey()}, {"value", getValue()}});
}

//===----------------------------------------------------------------------===//
// GateOp
//===----------------------------------------------------------------------===//

ShapeSignature GateOp::getShapeSignature() {
  static constexpr StringRef betaNames[] = {"", "H", "HV", "BHL", "BHLV"};
  ShapeSignature signature;
  signature.operands = {
      {"memory", dims("BHLV")},
      {"local", dims("BHLV")},
      {"beta", dims(betaNames[std::min<int64_t>(rankOf(getBeta()), 4)])}};
  if (getNormalizer())
    signature.operands.push_back({"normalizer", dims("BGK")});
  signature.results = {{"result", dims("BHLV")}};
  return signature;
}

SmallVector<DimName> GateOp::getParallelDims() { return dims("BHLV"); }

LogicalResult GateOp::verify() {
  // gate_c2
  if (int64_t rank = rankOf(getBeta()); rank < 1 || rank > 4)
    return emitOpError("expected 'beta' to have rank 1, 2, 3, or 4, got ")
           << rank;
  // gate_c1, gate_c4 (its types are a trait), gate_c5
  if (failed(verifyShapeSignature(*this)))
    return failure();
  // gate_c3
  bool localOnly = getFirstSegment() == FirstSegment::LocalOnly;
  if (localOnly && !getNormalizer())
    return emitOpError(
        "expected 'normalizer' with first_segment 'local_only', got none");
  if (!localOnly && getNormalizer())
    return emitOpError(
        "expected no 'normalizer' with first_segment 'zero_memory'");
  return success();
}

//===----------------------------------------------------------------------===//
// AffineScanOp
//===----------------------------------------------------------------------===//

ShapeSignature AffineScanOp::getShapeSignature() {
  bool matrix = rankOf(getIncrements()) != 4;
  ShapeSignature signature;
  signature.operands = {{"increments", dims(matrix ? "SBGKV" : "SBGK")},
                        {"initial", dims(matrix ? "BGKV" : "BGK")}};
  if (getFactors())
    signature.operands.push_back(
        {"factors", dims(rankOf(getFactors()) == 4 ? "SBGK" : "SBGKK")});
  signature.results = {{"before", dims(matrix ? "SBGKV" : "SBGK")},
                       {"last", dims(matrix ? "BGKV" : "BGK")}};
  return signature;
}

SmallVector<DimName> AffineScanOp::getParallelDims() {
  if (rankOf(getIncrements()) == 4)
    return dims("BGK");
  // Full factors mix the rows of the state.
  bool mixesRows = getFactors() && rankOf(getFactors()) == 5;
  return dims(mixesRows ? "BGV" : "BGKV");
}

LogicalResult AffineScanOp::verify() {
  // affine_scan_c3
  int64_t rank = rankOf(getIncrements());
  if (rank != 5 && rank != 4)
    return emitOpError("expected 'increments' to have rank 5 or 4, got ")
           << rank;
  // affine_scan_c4
  if (getFactors() && rankOf(getFactors()) != 4 && rankOf(getFactors()) != 5)
    return emitOpError("expected 'factors' to have rank 5 or 4, got ")
           << rankOf(getFactors());
  if (getFactors() && rank == 4 && rankOf(getFactors()) != 4)
    return emitOpError(
               "expected 'factors' to have rank 4, as 'increments', got ")
           << rankOf(getFactors());
  // affine_scan_c1, affine_scan_c2
  if (failed(verifyShapeSignature(*this)))
    return failure();
  return verifyOneElementType(*this, {{"increments", getIncrements()},
                                      {"initial", getInitial()},
                                      {"factors", getFactors()}});
}
