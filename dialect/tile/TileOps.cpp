// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tile dialect: registration, builders, verifiers.

#include "infini/dialect/tile/TileOps.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace infini;
using namespace infini::tile;

#include "infini/dialect/tile/TileDialect.cpp.inc"
#include "infini/dialect/tile/TileEnums.cpp.inc"
#define GET_OP_CLASSES
#include "infini/dialect/tile/TileOps.cpp.inc"

void TileDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "infini/dialect/tile/TileOps.cpp.inc"
      >();
}

static LogicalResult verifyAxis(Operation *op, int64_t axis, int64_t rank) {
  if (axis >= 0 && axis < rank)
    return success();
  return op->emitOpError(
             "expected 'axis' to be at least 0 and below the rank (")
         << rank << "), got " << axis;
}

//===----------------------------------------------------------------------===//
// LoadOp, StoreOp
//===----------------------------------------------------------------------===//

/// What load and store have in common; `bufferName` is that of the operand.
template <typename OpTy>
static LogicalResult verifyAccess(OpTy op, StringRef bufferName,
                                  MemRefType buffer, RankedTensorType tile) {
  auto checkOperands = [&](StringRef name, ArrayRef<int64_t> entries,
                           ValueRange operands) -> LogicalResult {
    int64_t dynamic = llvm::count_if(entries, ShapedType::isDynamic);
    if (static_cast<int64_t>(operands.size()) == dynamic)
      return success();
    return op.emitOpError("expected one operand a dynamic entry of '")
           << name << "' (" << dynamic << "), got " << operands.size();
  };
  // load_c1, store_c1
  int64_t bufferRank = buffer.getRank(), rank = tile.getRank();
  ArrayRef<int64_t> offsets = op.getStaticOffsets();
  if (static_cast<int64_t>(offsets.size()) != bufferRank)
    return op.emitOpError("expected one offset a ")
           << bufferName << " dimension (" << bufferRank << "), got "
           << offsets.size();
  if (failed(checkOperands("offsets", offsets, op.getOffsets())))
    return failure();
  // load_c2, store_c2
  ArrayRef<int64_t> dims = op.getDims();
  if (static_cast<int64_t>(dims.size()) != rank)
    return op.emitOpError("expected one entry of 'dims' a tile dimension (")
           << rank << "), got " << dims.size();
  for (auto [i, dim] : llvm::enumerate(dims)) {
    if (dim < 0 || dim >= bufferRank)
      return op.emitOpError("expected entries of 'dims' to be at least 0 and "
                            "below the rank of the ")
             << bufferName << " (" << bufferRank << "), got " << dim;
    if (llvm::is_contained(dims.take_front(i), dim))
      return op.emitOpError("expected distinct entries of 'dims', got ")
             << dim << " twice";
  }
  // load_c3, store_c3
  ArrayRef<int64_t> valid = op.getStaticValid();
  if (!valid.empty() && static_cast<int64_t>(valid.size()) != rank)
    return op.emitOpError("expected one entry of 'valid' a tile dimension (")
           << rank << "), got " << valid.size();
  if (failed(checkOperands("valid", valid, op.getValid())))
    return failure();
  // load_c4, store_c4
  if (tile.getElementType() != buffer.getElementType())
    return op.emitOpError("expected the tile to have element type ")
           << buffer.getElementType() << ", as the " << bufferName << ", got "
           << tile.getElementType();
  return success();
}

void LoadOp::build(OpBuilder &builder, OperationState &state, Type result,
                   Value source, ArrayRef<OpFoldResult> offsets,
                   ArrayRef<int64_t> dims, ArrayRef<OpFoldResult> valid,
                   TypedAttr pad) {
  SmallVector<Value> dynamicOffsets, dynamicValid;
  SmallVector<int64_t> staticOffsets, staticValid;
  dispatchIndexOpFoldResults(offsets, dynamicOffsets, staticOffsets);
  dispatchIndexOpFoldResults(valid, dynamicValid, staticValid);
  build(builder, state, result, source, dynamicOffsets, staticOffsets, dims,
        dynamicValid, staticValid, pad);
}

SmallVector<OpFoldResult> LoadOp::getMixedOffsets() {
  return getMixedValues(getStaticOffsets(), getOffsets(), getContext());
}
SmallVector<OpFoldResult> LoadOp::getMixedValid() {
  return getMixedValues(getStaticValid(), getValid(), getContext());
}

LogicalResult LoadOp::verify() {
  // load_c1, load_c2, load_c3, load_c4
  if (failed(verifyAccess(*this, "source", getSource().getType(), getType())))
    return failure();
  // load_c5
  Type element = getType().getElementType();
  TypedAttr pad = getPadAttr();
  if (pad && (!isa<FloatAttr, IntegerAttr>(pad) || pad.getType() != element))
    return emitOpError("expected 'pad' to be a number of type ")
           << element << ", got " << pad;
  return success();
}

void StoreOp::build(OpBuilder &builder, OperationState &state, Value source,
                    Value dest, ArrayRef<OpFoldResult> offsets,
                    ArrayRef<int64_t> dims, ArrayRef<OpFoldResult> valid) {
  SmallVector<Value> dynamicOffsets, dynamicValid;
  SmallVector<int64_t> staticOffsets, staticValid;
  dispatchIndexOpFoldResults(offsets, dynamicOffsets, staticOffsets);
  dispatchIndexOpFoldResults(valid, dynamicValid, staticValid);
  build(builder, state, source, dest, dynamicOffsets, staticOffsets, dims,
        dynamicValid, staticValid);
}

SmallVector<OpFoldResult> StoreOp::getMixedOffsets() {
  return getMixedValues(getStaticOffsets(), getOffsets(), getContext());
}
SmallVector<OpFoldResult> StoreOp::getMixedValid() {
  return getMixedValues(getStaticValid(), getValid(), getContext());
}

LogicalResult StoreOp::verify() {
  // store_c1, store_c2, store_c3, store_c4
  return verifyAccess(*this, "dest", getDest().getType(),
                      getSource().getType());
}

LogicalResult GatherOp::verify() {
  MemRefType source = getSource().getType();
  // gather_c1
  if (source.getRank() == 0)
    return emitOpError("expected a source of rank 1 or more, got ") << source;
  if (static_cast<int64_t>(getIndices().size()) != source.getRank())
    return emitOpError("expected one index a source dimension (")
           << source.getRank() << "), got " << getIndices().size();
  // gather_c2
  for (Value index : getIndices())
    if (auto tile = dyn_cast<RankedTensorType>(index.getType());
        tile && tile.getShape() != getType().getShape())
      return emitOpError("expected indices of the result's shape, got ")
             << tile << " for " << getType();
  // gather_c3
  if (getType().getElementType() != source.getElementType())
    return emitOpError("expected the result to have element type ")
           << source.getElementType() << ", as the source, got "
           << getType().getElementType();
  return success();
}

//===----------------------------------------------------------------------===//
// DotOp
//===----------------------------------------------------------------------===//

void DotOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  for (OpOperand *operand : {&getAMutable(), &getBMutable()})
    if (isa<MemRefType>(operand->get().getType()))
      effects.emplace_back(MemoryEffects::Read::get(), operand);
}

LogicalResult DotOp::verify() {
  auto a = cast<ShapedType>(getA().getType()),
       b = cast<ShapedType>(getB().getType());
  RankedTensorType acc = getAcc().getType();
  bool ta = getTransposeA(), tb = getTransposeB();
  // dot_c1
  for (auto [name, type, transposed] :
       {std::tuple("a", a, ta), std::tuple("b", b, tb)}) {
    int64_t rank = type.getRank();
    if (rank != 1 && rank != 2)
      return emitOpError("expected '")
             << name << "' to have rank 1 or 2, got " << rank;
    if (transposed && rank != 2)
      return emitOpError("expected '")
             << name << "' to have rank 2 with "
             << "'transpose_" << name << "', got " << rank;
  }
  int64_t rank = a.getRank() + b.getRank() - 2;
  if (rank == 0)
    return emitOpError("expected 'a' or 'b' to have rank 2, got 1 and 1");
  // dot_c2
  if (acc.getRank() != rank)
    return emitOpError("expected 'acc' to have rank ")
           << rank << ", got " << acc.getRank();
  auto agree = [&](const char *name, int64_t x, int64_t y) -> LogicalResult {
    if (x == y)
      return success();
    return emitOpError("expected one size '")
           << name << "', got " << x << " and " << y;
  };
  bool matrixA = a.getRank() == 2, matrixB = b.getRank() == 2;
  if (matrixA && failed(agree("m", a.getDimSize(ta), acc.getDimSize(0))))
    return failure();
  // A vector's one dimension is k.
  if (failed(agree("k", a.getDimSize(matrixA && !ta), b.getDimSize(tb))))
    return failure();
  if (matrixB &&
      failed(agree("n", b.getDimSize(!tb), acc.getDimSize(rank - 1))))
    return failure();
  // dot_c3
  Type element = a.getElementType();
  if (!element.isBF16() && !element.isF16() && !element.isF32() &&
      !element.isF64())
    return emitOpError("expected 'a' to have element type bf16, f16, f32, or "
                       "f64, got ")
           << element;
  if (b.getElementType() != element)
    return emitOpError("expected 'b' to have element type ")
           << element << ", as 'a', got " << b.getElementType();
  // dot_c4
  Type sum = acc.getElementType();
  if (!sum.isF64() && (!sum.isF32() || element.isF64()))
    return emitOpError("expected 'acc' to have element type ")
           << (element.isF64() ? "f64" : "f32 or f64") << ", got " << sum;
  return success();
}

//===----------------------------------------------------------------------===//
// ReduceOp, BroadcastOp, TransposeOp, IndexOp
//===----------------------------------------------------------------------===//

LogicalResult ReduceOp::verify() {
  RankedTensorType source = getSource().getType();
  // reduce_c1
  int64_t axis = getAxis();
  if (failed(verifyAxis(*this, axis, source.getRank())))
    return failure();
  // reduce_c2
  SmallVector<int64_t> shape(source.getShape());
  shape.erase(shape.begin() + axis);
  auto expected = RankedTensorType::get(shape, source.getElementType(),
                                        getInit().getType().getEncoding());
  if (getInit().getType() != expected)
    return emitOpError("expected 'init' to have type ")
           << expected << ", got " << getInit().getType();
  // reduce_c3
  if ((getKind() == Reduction::MaxNum || getKind() == Reduction::MinNum) &&
      !isa<FloatType>(source.getElementType()))
    return emitOpError("expected '")
           << stringifyReduction(getKind()) << "' to have float elements, got "
           << source.getElementType();
  return success();
}

LogicalResult BroadcastOp::verify() {
  // broadcast_c1
  RankedTensorType result = getType();
  int64_t previous = -1;
  for (int64_t axis : getAxes()) {
    if (axis < 0 || axis >= result.getRank())
      return emitOpError("expected 'axes' to be at least 0 and below the rank "
                         "of the result (")
             << result.getRank() << "), got " << axis;
    if (axis <= previous)
      return emitOpError("expected 'axes' to be strictly increasing, got ")
             << axis << " after " << previous;
    previous = axis;
  }
  // broadcast_c2
  auto source = dyn_cast<RankedTensorType>(getSource().getType());
  SmallVector<int64_t> left;
  for (auto [i, size] : llvm::enumerate(result.getShape()))
    if (!llvm::is_contained(getAxes(), static_cast<int64_t>(i)))
      left.push_back(size);
  if (ArrayRef(left) != (source ? source.getShape() : ArrayRef<int64_t>()))
    return emitOpError("expected the result's shape without 'axes' to be the "
                       "source's, got ")
           << result << " of " << getSource().getType();
  // broadcast_c3
  Type element = source ? source.getElementType() : getSource().getType();
  if (result.getElementType() != element)
    return emitOpError("expected the result to have element type ")
           << element << ", as the source, got " << result.getElementType();
  return success();
}

LogicalResult TransposeOp::verify() {
  RankedTensorType source = getSource().getType();
  // transpose_c1
  ArrayRef<int64_t> permutation = getPermutation();
  SmallVector<int64_t> sorted(permutation);
  llvm::sort(sorted);
  if (!llvm::equal(sorted, llvm::seq<int64_t>(0, source.getRank())))
    return emitOpError("expected a permutation of the source's dimensions (")
           << source.getRank() << "), got [" << permutation << "]";
  // transpose_c2
  auto expected =
      RankedTensorType::get(applyPermutation(source.getShape(), permutation),
                            source.getElementType(), getType().getEncoding());
  if (getType() != expected)
    return emitOpError("expected the result to have type ")
           << expected << ", got " << getType();
  return success();
}

OpFoldResult TransposeOp::fold(FoldAdaptor) {
  return isIdentityPermutation(getPermutation()) &&
                 getSource().getType() == getType()
             ? getSource()
             : Value();
}

LogicalResult IndexOp::verify() {
  // index_c1
  return verifyAxis(*this, getAxis(), getType().getRank());
}

//===----------------------------------------------------------------------===//
// GPUs: layouts and shared memory
//===----------------------------------------------------------------------===//

LogicalResult ConvertLayoutOp::verify() {
  RankedTensorType source = getSource().getType(), result = getType();
  // convert_layout_c1
  if (source.getShape() != result.getShape() ||
      source.getElementType() != result.getElementType())
    return emitOpError("expected the result to have the source's shape and "
                       "element type, got ")
           << result << " of " << source;
  // convert_layout_c2
  for (RankedTensorType type : {source, result})
    if (!isa_and_nonnull<LayoutAttr>(type.getEncoding()))
      return emitOpError("expected tiles with a layout, got ") << type;
  return success();
}

LogicalResult AllocOp::verify() {
  // alloc_c1
  MemRefType type = getType();
  if (!type.hasStaticShape() || type.getRank() == 0)
    return emitOpError("expected a static shape of rank 1 or more, got ")
           << type;
  int64_t rowBytes = type.getShape().back() *
                     llvm::divideCeil(type.getElementTypeBitWidth(), 8),
          pitch = cast<SharedAttr>(type.getMemorySpace()).getPitch();
  if (rowBytes > pitch)
    return emitOpError("expected rows of at most 'pitch' (")
           << pitch << ") bytes, got " << rowBytes;
  // alloc_c2
  if (auto attr = getOffsetAttr())
    if (int64_t offset = attr.getInt(); offset < 0 || offset % 128 != 0)
      return emitOpError("expected 'offset' to be a multiple of 128, got ")
             << offset;
  return success();
}

LogicalResult SlotOp::verify() {
  // slot_c1
  MemRefType source = getSource().getType(), result = getType();
  if (source.getRank() < 2 ||
      source.getShape().drop_front() != result.getShape() ||
      source.getElementType() != result.getElementType() ||
      source.getMemorySpace() != result.getMemorySpace())
    return emitOpError("expected the result to be the source without its first "
                       "dimension, got ")
           << result << " of " << source;
  return success();
}

void CopyAsyncOp::build(OpBuilder &builder, OperationState &state, Value source,
                        ArrayRef<OpFoldResult> offsets, ArrayRef<int64_t> dims,
                        ArrayRef<OpFoldResult> valid, Value dest) {
  SmallVector<Value> dynamicOffsets, dynamicValid;
  SmallVector<int64_t> staticOffsets, staticValid;
  dispatchIndexOpFoldResults(offsets, dynamicOffsets, staticOffsets);
  dispatchIndexOpFoldResults(valid, dynamicValid, staticValid);
  build(builder, state, source, dynamicOffsets, staticOffsets, dims,
        dynamicValid, staticValid, dest);
}

SmallVector<OpFoldResult> CopyAsyncOp::getMixedOffsets() {
  return getMixedValues(getStaticOffsets(), getOffsets(), getContext());
}
SmallVector<OpFoldResult> CopyAsyncOp::getMixedValid() {
  return getMixedValues(getStaticValid(), getValid(), getContext());
}

LogicalResult CopyAsyncOp::verify() {
  // copy_async_c1, copy_async_c2, copy_async_c3, copy_async_c4
  MemRefType dest = getDest().getType();
  return verifyAccess(
      *this, "source", getSource().getType(),
      RankedTensorType::get(dest.getShape(), dest.getElementType()));
}

LogicalResult WaitCopiesOp::verify() {
  // wait_copies_c1
  if (static_cast<int64_t>(getPending()) < 0)
    return emitOpError("expected 'pending' to be at least 0, got ")
           << static_cast<int64_t>(getPending());
  return success();
}

/// What write and read have in common.
static LogicalResult verifyShared(Operation *op, ArrayRef<int64_t> offsets,
                                  RankedTensorType tile, MemRefType buffer) {
  // write_c2, read_c2
  if (tile.getRank() != buffer.getRank() ||
      tile.getElementType() != buffer.getElementType())
    return op->emitOpError("expected tile and buffer to have one rank and "
                           "element type, got ")
           << tile << " and " << buffer;
  // write_c1, read_c1
  if (static_cast<int64_t>(offsets.size()) != tile.getRank())
    return op->emitOpError("expected one offset a dimension (")
           << tile.getRank() << "), got " << offsets.size();
  for (auto [offset, size, whole] :
       llvm::zip(offsets, tile.getShape(), buffer.getShape()))
    if (offset < 0 || offset + size > whole)
      return op->emitOpError("expected the tile to lie inside the buffer, got ")
             << size << " from " << offset << " on in " << whole;
  return success();
}

LogicalResult WriteOp::verify() {
  return verifyShared(*this, getOffsets(), getSource().getType(),
                      getDest().getType());
}

LogicalResult ReadOp::verify() {
  return verifyShared(*this, getOffsets(), getType(), getSource().getType());
}
