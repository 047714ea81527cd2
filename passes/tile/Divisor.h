// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an index is known to be a multiple of.

#ifndef INFINI_PASSES_TILE_DIVISOR_H
#define INFINI_PASSES_TILE_DIVISOR_H

#include "mlir/IR/OpDefinition.h"

namespace infini {

/// A number that divides `number`, the largest that its computation shows; 0
/// for 0, which everything divides.
int64_t divisorOf(mlir::OpFoldResult number);

} // namespace infini

#endif // INFINI_PASSES_TILE_DIVISOR_H
