// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tile dialect: dialect, attribute, ops.

#ifndef INFINI_DIALECT_TILE_TILEOPS_H
#define INFINI_DIALECT_TILE_TILEOPS_H

#include "infini/dialect/tile/Layout.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

#include "infini/dialect/tile/TileDialect.h.inc"
#include "infini/dialect/tile/TileEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "infini/dialect/tile/TileAttributes.h.inc"
#define GET_OP_CLASSES
#include "infini/dialect/tile/TileOps.h.inc"

#endif // INFINI_DIALECT_TILE_TILEOPS_H
