// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a tile is spread over the registers of a block's threads.

#ifndef INFINI_DIALECT_TILE_LAYOUT_H
#define INFINI_DIALECT_TILE_LAYOUT_H

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace infini::tile {

/// What one bit of a lane's, a warp's, or a register's number adds to the
/// coordinate: `stride` along `dim`; nothing where `dim` is -1 (then threads
/// that differ in the bit hold the same elements).
struct LayoutBasis {
  int64_t dim = -1;
  int64_t stride = 0;

  bool isReplica() const { return dim < 0; }
  bool operator==(const LayoutBasis &other) const {
    return dim == other.dim && stride == other.stride;
  }
};
inline llvm::hash_code hash_value(const LayoutBasis &basis) {
  return llvm::hash_combine(basis.dim, basis.stride);
}

/// Lanes in a warp, as bits of a lane's number.
constexpr unsigned kLaneBits = 5;
constexpr int64_t kWarpSize = 32;

using Coordinate = llvm::SmallVector<int64_t, 4>;

} // namespace infini::tile

#endif // INFINI_DIALECT_TILE_LAYOUT_H
