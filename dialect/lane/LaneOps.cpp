// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The lane dialect: registration and verifiers.

#include "infini/dialect/lane/LaneOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace infini::nv;

#include "infini/dialect/lane/LaneDialect.cpp.inc"
#define GET_OP_CLASSES
#include "infini/dialect/lane/LaneOps.cpp.inc"

void NVDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "infini/dialect/lane/LaneOps.cpp.inc"
      >();
}

/// load_global_c2, store_global_c2, load_shared_c1, store_shared_c1
static LogicalResult verifyBytes(Operation *op, Type type) {
  auto vector = cast<VectorType>(type);
  int64_t bits = vector.getNumElements() * vector.getElementTypeBitWidth();
  if (vector.getElementTypeBitWidth() >= 8 && bits <= 128 &&
      llvm::isPowerOf2_64(bits))
    return success();
  return op->emitOpError("expected a value of 1, 2, 4, 8, or 16 bytes, got ")
         << type;
}

/// load_global_c1, store_global_c1
static LogicalResult verifyElement(Operation *op, Type value, Value buffer) {
  Type element = cast<MemRefType>(buffer.getType()).getElementType();
  if (cast<VectorType>(value).getElementType() == element)
    return verifyBytes(op, value);
  return op->emitOpError("expected elements of type ")
         << element << ", as the buffer has, got " << value;
}

LogicalResult LoadGlobalOp::verify() {
  return verifyElement(*this, getType(), getBuffer());
}
LogicalResult StoreGlobalOp::verify() {
  return verifyElement(*this, getValue().getType(), getBuffer());
}
LogicalResult LoadSharedOp::verify() { return verifyBytes(*this, getType()); }
LogicalResult StoreSharedOp::verify() {
  return verifyBytes(*this, getValue().getType());
}

LogicalResult CopyAsyncOp::verify() {
  // nv_copy_async_c1
  int64_t bytes = getBytes();
  int64_t element = llvm::divideCeil(
      cast<MemRefType>(getBuffer().getType()).getElementTypeBitWidth(), 8);
  if ((bytes != 4 && bytes != 8 && bytes != 16) || bytes % element != 0)
    return emitOpError("expected 'bytes' to be 4, 8, or 16, and a multiple of "
                       "the element's size (")
           << element << "), got " << bytes;
  return success();
}

LogicalResult WaitCopiesOp::verify() {
  // nv_wait_copies_c1
  if (static_cast<int64_t>(getPending()) < 0)
    return emitOpError("expected 'pending' to be at least 0, got ")
           << static_cast<int64_t>(getPending());
  return success();
}

LogicalResult ShuffleXorOp::verify() {
  // shuffle_xor_c1
  int64_t mask = getMask();
  if (mask < 1 || mask > 31)
    return emitOpError("expected 'mask' to be from 1 to 31, got ") << mask;
  // shuffle_xor_c2
  unsigned bits = getType().getIntOrFloatBitWidth();
  if (bits != 32 && bits != 64)
    return emitOpError("expected a value of 32 or 64 bits, got ") << getType();
  return success();
}

LogicalResult LdMatrixOp::verify() {
  // ldmatrix_c1
  auto type = cast<VectorType>(getType());
  int64_t count = type.getNumElements();
  if (type.getElementTypeBitWidth() != 16 ||
      (count != 2 && count != 4 && count != 8))
    return emitOpError("expected 2, 4, or 8 elements of 16 bits, got ") << type;
  return success();
}

LogicalResult MmaSyncOp::verify() {
  // mma_sync_c1
  auto a = cast<VectorType>(getA().getType()),
       b = cast<VectorType>(getB().getType()),
       c = cast<VectorType>(getC().getType());
  Type element = a.getElementType();
  int64_t count = element.isF32() ? 4 : 8;
  if (!(element.isBF16() || element.isF16() || element.isF32()) ||
      b.getElementType() != element || a.getNumElements() != count ||
      b.getNumElements() != count / 2)
    return emitOpError("expected 'a' and 'b' to have 8 and 4 elements of bf16 "
                       "or f16, or 4 and 2 of f32, got ")
           << a << " and " << b;
  // mma_sync_c2
  if (!c.getElementType().isF32() || c.getNumElements() != 4)
    return emitOpError("expected 'c' to have 4 elements of f32, got ") << c;
  return success();
}
