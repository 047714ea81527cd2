// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The lane dialect: what one lane of a GPU's warp does.

#ifndef INFINI_DIALECT_LANE_LANEOPS_H
#define INFINI_DIALECT_LANE_LANEOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace infini::nv {
/// The block's shared memory.
struct SharedMemory : mlir::SideEffects::Resource::Base<SharedMemory> {
  llvm::StringRef getName() final { return "shared memory"; }
};
} // namespace infini::nv

#include "infini/dialect/lane/LaneDialect.h.inc"
#define GET_OP_CLASSES
#include "infini/dialect/lane/LaneOps.h.inc"

#endif // INFINI_DIALECT_LANE_LANEOPS_H
