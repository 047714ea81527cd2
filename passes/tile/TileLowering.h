// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel on tensors to a tile program: what the parts of the lowering share.

#ifndef INFINI_PASSES_TILE_TILELOWERING_H
#define INFINI_PASSES_TILE_TILELOWERING_H

#include "infini/dialect/tile/TileOps.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/SmallBitVector.h"

namespace infini {

/// What a tensor of the old kernel is in the new one: a part of a buffer, a
/// tile, or the same number everywhere.
struct Part {
  enum Kind { Place, Tile, Uniform } kind = Uniform;
  /// The old tensor's sizes.
  llvm::SmallVector<mlir::OpFoldResult> sizes;
  /// Place: the buffer's dimension along which each of the tensor's runs.
  mlir::Value buffer;
  llvm::SmallVector<mlir::OpFoldResult> offsets;
  llvm::SmallVector<int64_t> dims;
  /// Whether what was stored into the buffer so far is part of the value.
  bool current = false;
  /// Tile: its size along each dimension of the tensor. Those of size 1 are no
  /// dimensions of the tile.
  mlir::Value tile;
  llvm::SmallVector<int64_t> shape;
  /// Uniform: the number; null where it is of no account.
  mlir::Value scalar;
};

/// The dimensions of an insertion's destination that its source lacks.
llvm::SmallBitVector droppedDims(mlir::OffsetSizeAndStrideOpInterface op,
                                 int64_t smallRank);

/// Converts a kernel's ops in program order. Every step may refuse; the first
/// reason counts, and the old kernel stays.
class TileLowering {
public:
  TileLowering(mlir::func::FuncOp function, mlir::IRRewriter &rewriter)
      : old(function), b(rewriter), loc(function.getLoc()) {}

  /// Makes the tile program beside the old function, or returns null and
  /// says why not.
  mlir::func::FuncOp run();
  llvm::StringRef getReason() const { return reason; }

private:
  mlir::LogicalResult fail(const llvm::Twine &why) {
    if (reason.empty())
      reason = why.str();
    return mlir::failure();
  }
  mlir::OpFoldResult add(mlir::OpFoldResult x, mlir::OpFoldResult y) {
    mlir::AffineExpr d0, d1;
    mlir::bindDims(b.getContext(), d0, d1);
    return mlir::affine::makeComposedFoldedAffineApply(b, loc, d0 + d1, {x, y});
  }
  mlir::Value index(mlir::OpFoldResult value) {
    return mlir::getValueOrCreateConstantIndexOp(b, loc, value);
  }

  /// A number of the old kernel in the new one.
  mlir::FailureOr<mlir::Value> scalar(mlir::Value value);
  mlir::FailureOr<mlir::OpFoldResult> size(mlir::OpFoldResult value);
  mlir::FailureOr<llvm::SmallVector<mlir::OpFoldResult>>
  all(llvm::ArrayRef<mlir::OpFoldResult> values);
  mlir::FailureOr<Part *> part(mlir::Value value);
  /// The smallest constant that a size does not exceed.
  mlir::FailureOr<int64_t> bound(mlir::OpFoldResult size);

  /// The part of a place that a slice is.
  mlir::FailureOr<Part> subplace(const Part &place,
                                 llvm::ArrayRef<mlir::OpFoldResult> offsets,
                                 llvm::ArrayRef<mlir::OpFoldResult> sizes,
                                 const llvm::SmallBitVector &dropped);
  /// Where the value's contents are to be written.
  mlir::FailureOr<Part> destinationOf(mlir::Value value);
  mlir::FailureOr<Part>
  insertionPlace(mlir::OffsetSizeAndStrideOpInterface insert,
                 const Part &destination, int64_t sourceRank);

  /// A tile of the value, `shape` along its dimensions.
  mlir::FailureOr<mlir::Value> tileOf(const Part &part, mlir::Type element,
                                      llvm::ArrayRef<int64_t> shape);
  mlir::FailureOr<llvm::SmallVector<int64_t>> naturalShape(const Part &part);
  mlir::LogicalResult store(mlir::Value value, const Part &source,
                            const Part &place);
  mlir::LogicalResult initialize(mlir::Value value, const Part &place);
  static bool isSamePlace(const Part &x, const Part &y) {
    return x.kind == Part::Place && x.buffer == y.buffer && x.dims == y.dims &&
           llvm::all_of(llvm::zip(x.offsets, y.offsets), [](auto pair) {
             return isSameNumber(std::get<0>(pair), std::get<1>(pair));
           });
  }
  /// Whether two numbers are the same by how they are computed.
  static bool isSameNumber(mlir::OpFoldResult x, mlir::OpFoldResult y);
  mlir::Value splat(mlir::Value scalar, llvm::ArrayRef<int64_t> shape);
  mlir::RankedTensorType tileType(llvm::ArrayRef<int64_t> shape,
                                  mlir::Type element);
  /// `tile` where all elements along `axis` at or behind `size` are `neutral`.
  mlir::Value mask(mlir::Value tile, int64_t axis, mlir::OpFoldResult size,
                   double neutral);

  mlir::LogicalResult convertBlock(mlir::Block &block);
  mlir::LogicalResult convert(mlir::Operation &op);
  mlir::LogicalResult convertForall(mlir::scf::ForallOp op);
  mlir::LogicalResult convertFor(mlir::scf::ForOp op);
  mlir::LogicalResult convertExtract(mlir::tensor::ExtractSliceOp op);
  mlir::LogicalResult convertInsert(mlir::tensor::InsertSliceOp op);
  mlir::LogicalResult convertReshape(mlir::Operation *op,
                                     llvm::ArrayRef<mlir::ReassociationIndices>,
                                     bool expands);

  // linalg
  struct Loops {
    llvm::SmallVector<mlir::OpFoldResult> sizes;
    llvm::SmallVector<int64_t> shape;
    llvm::SmallVector<mlir::utils::IteratorType> iterators;
    /// The tile's axis of a loop, or -1.
    llvm::SmallVector<int64_t> axis;
    llvm::SmallVector<int64_t> kept;
  };
  mlir::LogicalResult convertLinalg(mlir::linalg::LinalgOp op);
  mlir::FailureOr<Loops> loopsOf(mlir::linalg::LinalgOp op);
  /// An operand as a tile whose axes are those of its map.
  mlir::FailureOr<mlir::Value> operandTile(mlir::OpOperand &operand,
                                           const Loops &loops);
  /// An operand as a tile over all kept loops, or as a number.
  mlir::FailureOr<mlir::Value> aligned(mlir::OpOperand &operand,
                                       const Loops &loops);
  static llvm::SmallVector<int64_t> loopShape(const Loops &loops) {
    llvm::SmallVector<int64_t> shape;
    for (int64_t loop : loops.kept)
      shape.push_back(loops.shape[loop]);
    return shape;
  }
  /// A tile over all kept loops.
  static mlir::RankedTensorType loopType(const Loops &loops,
                                         mlir::Type element) {
    return mlir::RankedTensorType::get(loopShape(loops), element);
  }
  /// A value of the body, over all kept loops (or a number).
  mlir::FailureOr<mlir::Value> bodyValue(mlir::Value value,
                                         mlir::linalg::LinalgOp op,
                                         const Loops &loops,
                                         mlir::IRMapping &values);
  mlir::FailureOr<mlir::Value> gather(mlir::tensor::ExtractOp extract,
                                      mlir::linalg::LinalgOp op,
                                      const Loops &loops,
                                      mlir::IRMapping &values);
  mlir::Value overLoops(mlir::Value value, const Loops &loops);
  mlir::Value indexTile(mlir::AffineExpr expr, mlir::ValueRange dims,
                        mlir::ValueRange symbols, const Loops &loops);
  mlir::LogicalResult setResult(mlir::linalg::LinalgOp op, unsigned number,
                                mlir::Value tile, const Loops &loops);
  static Loops inReadingOrder(mlir::linalg::LinalgOp op, Loops loops);
  mlir::LogicalResult convertReduction(mlir::linalg::LinalgOp op,
                                       const Loops &given);
  mlir::FailureOr<mlir::Value> convertProduct(mlir::linalg::LinalgOp op,
                                              mlir::Value factor,
                                              const Loops &loops);

  mlir::func::FuncOp old;
  mlir::IRRewriter &b;
  mlir::Location loc;
  mlir::IRMapping scalars;
  llvm::DenseMap<mlir::Value, Part> parts;
  /// Values that were computed where they are to be put.
  llvm::DenseSet<mlir::Value> inPlace;
  /// Buffers into which something was stored.
  llvm::DenseSet<mlir::Value> dirty;
  std::string reason;
};

} // namespace infini

#endif // INFINI_PASSES_TILE_TILELOWERING_H
