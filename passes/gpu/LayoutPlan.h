// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which layouts products, loads, and stores want.

#ifndef INFINI_PASSES_GPU_LAYOUTPLAN_H
#define INFINI_PASSES_GPU_LAYOUTPLAN_H

#include "infini/dialect/tile/TileOps.h"

namespace infini {

/// A product in the terms of the instruction: C' = A' B', A' [m × k], B'
/// [k × n]. A swapped one computes the tile's transpose: A' is op(b)ᵀ.
struct ProductShape {
  int64_t m, n, k;
  /// Whether A' (B') lies in its tile as [k × m] ([n × k]).
  bool transposedA, transposedB;
  /// The tile's operands that are A' and B'.
  mlir::Value a, b;
  mlir::Type element;

  explicit ProductShape(tile::DotOp op);
};

/// Fragments of mma.sync for a product, spread over `warps` warps: along rows
/// as far as those go, then along columns; what is left over makes replicas.
struct ProductLayouts {
  /// In the order of the tiles; null where the instruction takes no such shape.
  tile::LayoutAttr a, b, acc;
};

/// Whether mma.sync computes the product: 16-bit elements, and a shape of whole
/// instructions.
bool fitsTensorCore(tile::DotOp op);
ProductLayouts tensorCoreLayouts(tile::DotOp op, int64_t warps);
/// Where each thread adds up a block of the product's rows and columns.
tile::LayoutAttr plainProductLayout(tile::DotOp op, int64_t warps);

/// Threads side by side along the last dimension, each with up to `contiguous`
/// elements. `unit` is what each dimension is cut at: no atom crosses a
/// multiple of it.
tile::LayoutAttr coalescedLayout(mlir::MLIRContext *context,
                                 llvm::ArrayRef<int64_t> shape,
                                 llvm::ArrayRef<int64_t> unit,
                                 int64_t contiguous, int64_t warps,
                                 int64_t whole = -1);

/// A buffer in shared memory for a tile, without bank conflicts for matrices of
/// 8 rows × 16 bytes.
mlir::MemRefType sharedBuffer(llvm::ArrayRef<int64_t> shape,
                              mlir::Type element);

/// The largest number that is known to divide `value`.
/// How many elements of a buffer an access may take at once: the largest power
/// of two, up to 16 bytes, such that each group of so many elements along the
/// tile's last dimension lies side by side at a multiple of its size, and is
/// valid as a whole or not at all.
int64_t accessWidth(mlir::MemRefType buffer,
                    llvm::ArrayRef<mlir::OpFoldResult> offsets,
                    llvm::ArrayRef<int64_t> dims,
                    llvm::ArrayRef<mlir::OpFoldResult> valid,
                    llvm::ArrayRef<int64_t> shape);

inline int64_t bytesOf(mlir::Type element) {
  return llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
}

} // namespace infini

#endif // INFINI_PASSES_GPU_LAYOUTPLAN_H
