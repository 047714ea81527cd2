// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a thread's elements lie: coordinates, addresses, and what of them is
// valid, as code.

#ifndef INFINI_PASSES_GPU_LANEBUILDER_H
#define INFINI_PASSES_GPU_LANEBUILDER_H

#include "infini/dialect/tile/TileOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

namespace infini {

/// A kernel's buffer, or a view of it: sizes, and strides in elements.
struct BufferView {
  mlir::Value base;
  llvm::SmallVector<mlir::OpFoldResult> sizes;
  llvm::SmallVector<mlir::Value> strides;
  /// Strides that are known.
  llvm::SmallVector<std::optional<int64_t>> fixed;
};

class LaneBuilder {
public:
  LaneBuilder(mlir::OpBuilder &builder, mlir::Location loc)
      : b(builder), loc(loc) {}

  mlir::Value i32(int64_t value);
  mlir::Value index(int64_t value);
  mlir::Value index(mlir::OpFoldResult value);
  mlir::Value toIndex(mlir::Value i32);
  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value multiply(mlir::Value x, mlir::Value y);

  /// The thread's number in its block, i32.
  mlir::Value thread();
  /// What the thread's number adds to the coordinate along `dim`, i32.
  mlir::Value threadOffset(tile::LayoutAttr layout, int64_t dim);
  /// Whether the thread is the first of those that hold the same elements; null
  /// where no two do.
  mlir::Value isFirstReplica(tile::LayoutAttr layout);
  /// x and y; null is true.
  mlir::Value both(mlir::Value x, mlir::Value y);

  /// The byte address in shared memory of an element whose coordinate is
  /// `thread` (i32) + `fixed`, `base` the buffer's address.
  mlir::Value sharedAddress(mlir::MemRefType buffer, mlir::Value base,
                            llvm::ArrayRef<mlir::Value> thread,
                            llvm::ArrayRef<int64_t> fixed);

  BufferView view(mlir::Value buffer);

  mlir::OpBuilder &b;
  mlir::Location loc;
};

/// An access of a tile to a kernel's buffer, in pieces of `width` elements.
class GlobalAccess {
public:
  /// `valid` is empty where all is; `widest` is what accessWidth() says.
  GlobalAccess(LaneBuilder &builder, mlir::Value buffer,
               llvm::ArrayRef<mlir::OpFoldResult> offsets,
               llvm::ArrayRef<int64_t> dims,
               llvm::ArrayRef<mlir::OpFoldResult> valid,
               tile::LayoutAttr layout, int64_t widest);

  /// How many elements are accessed at once.
  int64_t getWidth() const { return width; }
  /// The kernel's argument behind views.
  mlir::Value getBase() const { return base; }
  /// The element's place in the buffer, counted in elements.
  mlir::Value indexOf(int64_t reg);
  /// Whether the elements from `reg` on are valid; null: always.
  mlir::Value isValid(int64_t reg);

private:
  LaneBuilder &lanes;
  tile::LayoutAttr layout;
  mlir::Value base, start;
  int64_t width;
  llvm::SmallVector<mlir::Value> strides;
  llvm::SmallVector<std::optional<int64_t>> fixedStrides;
  /// valid[d] − the thread's offset, or null.
  llvm::SmallVector<mlir::Value> room;
};

} // namespace infini

#endif // INFINI_PASSES_GPU_LANEBUILDER_H
