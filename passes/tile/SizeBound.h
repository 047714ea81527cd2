// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How large a size can be.

#ifndef INFINI_PASSES_TILE_SIZEBOUND_H
#define INFINI_PASSES_TILE_SIZEBOUND_H

#include "mlir/Interfaces/ValueBoundsOpInterface.h"

namespace infini {

/// On an op whose sums are cut as they shall be.
constexpr llvm::StringLiteral kBlocked = "infini.blocked";

/// The smallest constant that a size is known not to exceed.
inline mlir::FailureOr<int64_t> boundOf(mlir::OpFoldResult size) {
  using Bounds = mlir::ValueBoundsConstraintSet;
  return Bounds::computeConstantBound(
      mlir::presburger::BoundType::UB, Bounds::Variable(size),
      /*stopCondition=*/nullptr, /*closedUB=*/true);
}

} // namespace infini

#endif // INFINI_PASSES_TILE_SIZEBOUND_H
