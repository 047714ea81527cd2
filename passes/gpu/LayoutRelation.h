// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that move nothing between threads: their tiles' layouts are one, or are
// related, and registers of one tile are those of another.

#ifndef INFINI_PASSES_GPU_LAYOUTRELATION_H
#define INFINI_PASSES_GPU_LAYOUTRELATION_H

#include "infini/dialect/tile/TileOps.h"

namespace infini {

/// For each register of the tile that an op makes, the register of its source
/// that is meant: of a convert_layout, a broadcast (of a tile), a transpose, or
/// an extract_slice. The other way around, for each register of the source that
/// of the result: of an insert_slice, or a reduce. Nothing where the layouts do
/// not fit each other.
std::optional<llvm::SmallVector<int64_t>> registersOf(mlir::Operation *op);

/// Every tile has a layout, of the kernel's threads, and those of each op fit
/// each other. An error names both layouts.
llvm::LogicalResult checkLayouts(mlir::ModuleOp module);

} // namespace infini

#endif // INFINI_PASSES_GPU_LAYOUTRELATION_H
