// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registration of the infini dialect.

#include "infini/dialect/infini/InfiniOps.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace infini;

#include "infini/dialect/infini/InfiniDialect.cpp.inc"
#include "infini/dialect/infini/InfiniEnums.cpp.inc"
#include "infini/dialect/infini/InfiniInterfaces.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "infini/dialect/infini/InfiniAttributes.cpp.inc"

void InfiniDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "infini/dialect/infini/InfiniAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "infini/dialect/infini/InfiniOps.cpp.inc"
      >();
}
