// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The infini dialect: dialect, attributes, interfaces, ops.

#ifndef INFINI_DIALECT_INFINI_INFINIOPS_H
#define INFINI_DIALECT_INFINI_INFINIOPS_H

#include "infini/dialect/infini/ShapeSignature.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/TilingInterface.h"

namespace infini {

/// How a component of a memory's state depends on itself from one segment to
/// the next (see MemoryWriteOpInterface).
enum class StateKind { Sum, Affine, Sequential };
/// The form of an affine component's A.
enum class FactorKind { Identity, Diagonal, Full };

struct StateComponent {
  llvm::StringRef name;
  /// Operand that holds the component before the segment, result that holds it
  /// after.
  unsigned operand, result;
  StateKind kind;
  FactorKind factor = FactorKind::Identity;
  /// Earlier components whose value before the segment the increment or the
  /// coefficients (or, for sequential ones, the step) use.
  llvm::SmallVector<unsigned, 2> needs;
};

struct AffineCoefficients {
  mlir::Value factor, increment;
};

} // namespace infini

#include "infini/dialect/infini/InfiniDialect.h.inc"
#include "infini/dialect/infini/InfiniEnums.h.inc"
#include "infini/dialect/infini/InfiniInterfaces.h.inc"
#define GET_ATTRDEF_CLASSES
#include "infini/dialect/infini/InfiniAttributes.h.inc"
namespace infini {
class YieldOp;
} // namespace infini
#define GET_OP_CLASSES
#include "infini/dialect/infini/InfiniOps.h.inc"

namespace infini {

/// Definitions as linalg, in the state's element type, that both the op's
/// interface (MemoryUpdate.cpp) and `infini-decompose` use.
/// numerator / denominator, 0 where the denominator is not positive.
mlir::Value guardedDivide(mlir::OpBuilder &builder, mlir::Location loc,
                          mlir::Value numerator, mlir::Value denominator);

} // namespace infini

#endif // INFINI_DIALECT_INFINI_INFINIOPS_H
