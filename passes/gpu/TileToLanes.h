// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the patterns of tile-to-lanes share.

#ifndef INFINI_PASSES_GPU_TILETOLANES_H
#define INFINI_PASSES_GPU_TILETOLANES_H

#include "infini/dialect/tile/TileOps.h"
#include "mlir/Transforms/DialectConversion.h"

namespace infini {

/// Tile with a layout → vector of a thread's registers (coordinates as i32);
/// buffer in shared memory → its address, i32.
class LaneTypeConverter : public mlir::TypeConverter {
public:
  LaneTypeConverter();
};

inline tile::LayoutAttr layoutOf(mlir::Value tile) {
  return mlir::cast<tile::LayoutAttr>(
      mlir::cast<mlir::RankedTensorType>(tile.getType()).getEncoding());
}

/// Elements of `source` in another order: result[i] = source[order[i]].
mlir::Value reorder(mlir::OpBuilder &b, mlir::Location loc, mlir::Value source,
                    llvm::ArrayRef<int64_t> order);
/// `count` elements from `first` on.
mlir::Value slice(mlir::OpBuilder &b, mlir::Location loc, mlir::Value source,
                  int64_t first, int64_t count);
mlir::Value concatenate(mlir::OpBuilder &b, mlir::Location loc,
                        llvm::ArrayRef<mlir::Value> parts);

/// How many elements loads, stores, and copies of global memory may take at
/// once. Known before the conversion, while loops are whole.
using AccessWidths = llvm::DenseMap<mlir::Operation *, int64_t>;
AccessWidths accessWidths(mlir::Operation *root);

void populateAccessToLanesPatterns(const LaneTypeConverter &converter,
                                   const AccessWidths &widths,
                                   mlir::RewritePatternSet &patterns);
void populateDotToLanesPatterns(const LaneTypeConverter &converter,
                                mlir::RewritePatternSet &patterns);

} // namespace infini

#endif // INFINI_PASSES_GPU_TILETOLANES_H
