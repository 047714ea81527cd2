// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Named dimensions of an op's tensors. One line a op drives its verifier, the
// shapes of its results, the checks at run time, and its tiling.

#ifndef INFINI_DIALECT_INFINI_SHAPESIGNATURE_H
#define INFINI_DIALECT_INFINI_SHAPESIGNATURE_H

#include "mlir/IR/Operation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/TilingInterface.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

namespace infini {

/// A dimension's name. Letters have the meaning of docs/spec.md; `1` is a
/// dimension of size one that broadcasts; digits above 1 and other characters
/// number the anonymous leading dimensions of ops that take any rank.
using DimName = char;

/// The dimensions of one operand or result (none for scalars).
struct NamedShape {
  llvm::StringRef name;
  llvm::SmallVector<DimName> dims;
};

/// One entry an operand that is present, and one a result.
struct ShapeSignature {
  llvm::SmallVector<NamedShape> operands, results;
};

/// One place where a named dimension occurs.
struct DimSite {
  mlir::Value value;
  unsigned dim;
};

/// Turns "BHLK" into its list of names.
llvm::SmallVector<DimName> dims(llvm::StringRef names);
/// Names for a tensor of rank `rank` that ends in `last`: anonymous ones lead.
llvm::SmallVector<DimName> leadingDims(unsigned rank, llvm::StringRef last);

/// Where `name` occurs among operands, then results.
llvm::SmallVector<DimSite> sitesOf(mlir::Operation *op, DimName name);
/// All names but `1`, in the order of first occurrence.
llvm::SmallVector<DimName> namesOf(mlir::Operation *op);

/// Emits an error, starting with the operand's or result's name, where two
/// static sizes of one name differ, a rank is not the signature's, or G does
/// not divide H.
mlir::LogicalResult verifyShapeSignature(mlir::Operation *op);

/// The size of a named dimension, from the operands.
mlir::OpFoldResult sizeOf(mlir::OpBuilder &builder, mlir::Operation *op,
                          DimName name);

/// Shapes of all results, from the operands.
mlir::LogicalResult
reifyShapeSignature(mlir::OpBuilder &builder, mlir::Operation *op,
                    mlir::ReifiedRankedShapedTypeDims &shapes);

//===----------------------------------------------------------------------===//
// Tiling, for TilingInterface
//===----------------------------------------------------------------------===//

llvm::SmallVector<mlir::utils::IteratorType>
signatureIteratorTypes(mlir::Operation *op);
llvm::SmallVector<mlir::Range> signatureDomain(mlir::OpBuilder &builder,
                                               mlir::Operation *op);
mlir::FailureOr<mlir::TilingResult>
signatureTile(mlir::OpBuilder &builder, mlir::Operation *op,
              llvm::ArrayRef<mlir::OpFoldResult> offsets,
              llvm::ArrayRef<mlir::OpFoldResult> sizes);
mlir::LogicalResult
signatureResultTile(mlir::OpBuilder &builder, mlir::Operation *op,
                    unsigned result, llvm::ArrayRef<mlir::OpFoldResult> offsets,
                    llvm::ArrayRef<mlir::OpFoldResult> sizes,
                    llvm::SmallVectorImpl<mlir::OpFoldResult> &resultOffsets,
                    llvm::SmallVectorImpl<mlir::OpFoldResult> &resultSizes);
/// The tile of the op that gives one tile of one of its results.
mlir::FailureOr<mlir::TilingResult>
signatureProduceTile(mlir::OpBuilder &builder, mlir::Operation *op,
                     unsigned result,
                     llvm::ArrayRef<mlir::OpFoldResult> offsets,
                     llvm::ArrayRef<mlir::OpFoldResult> sizes);

} // namespace infini

/// Defines what an op with a shape signature (Infini_ShapedOp) declares, all of
/// it by the signature.
#define INFINI_DEFINE_SHAPED_OP(Op)                                            \
  ::mlir::LogicalResult Op::reifyResultShapes(                                 \
      ::mlir::OpBuilder &builder,                                              \
      ::mlir::ReifiedRankedShapedTypeDims &shapes) {                           \
    return ::infini::reifyShapeSignature(builder, getOperation(), shapes);     \
  }                                                                            \
  ::llvm::SmallVector<::mlir::utils::IteratorType>                             \
  Op::getLoopIteratorTypes() {                                                 \
    return ::infini::signatureIteratorTypes(getOperation());                   \
  }                                                                            \
  ::llvm::SmallVector<::mlir::Range> Op::getIterationDomain(                   \
      ::mlir::OpBuilder &builder) {                                            \
    return ::infini::signatureDomain(builder, getOperation());                 \
  }                                                                            \
  ::mlir::FailureOr<::mlir::TilingResult> Op::getTiledImplementation(          \
      ::mlir::OpBuilder &builder,                                              \
      ::llvm::ArrayRef<::mlir::OpFoldResult> offsets,                          \
      ::llvm::ArrayRef<::mlir::OpFoldResult> sizes) {                          \
    return ::infini::signatureTile(builder, getOperation(), offsets, sizes);   \
  }                                                                            \
  ::mlir::LogicalResult Op::getResultTilePosition(                             \
      ::mlir::OpBuilder &builder, unsigned result,                             \
      ::llvm::ArrayRef<::mlir::OpFoldResult> offsets,                          \
      ::llvm::ArrayRef<::mlir::OpFoldResult> sizes,                            \
      ::llvm::SmallVector<::mlir::OpFoldResult> &resultOffsets,                \
      ::llvm::SmallVector<::mlir::OpFoldResult> &resultSizes) {                \
    return ::infini::signatureResultTile(builder, getOperation(), result,      \
                                         offsets, sizes, resultOffsets,        \
                                         resultSizes);                         \
  }                                                                            \
  ::mlir::FailureOr<::mlir::TilingResult> Op::generateResultTileValue(         \
      ::mlir::OpBuilder &builder, unsigned result,                             \
      ::llvm::ArrayRef<::mlir::OpFoldResult> offsets,                          \
      ::llvm::ArrayRef<::mlir::OpFoldResult> sizes) {                          \
    return ::infini::signatureProduceTile(builder, getOperation(), result,     \
                                          offsets, sizes);                     \
  }

#endif // INFINI_DIALECT_INFINI_SHAPESIGNATURE_H
