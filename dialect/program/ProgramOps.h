// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The program dialect, and the names of the attributes that travel with it.

#ifndef INFINI_DIALECT_PROGRAM_PROGRAMOPS_H
#define INFINI_DIALECT_PROGRAM_PROGRAMOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "infini/dialect/program/ProgramDialect.h.inc"
#define GET_OP_CLASSES
#include "infini/dialect/program/ProgramOps.h.inc"

namespace infini::program {

/// Attributes of a function's arguments and results.
inline constexpr llvm::StringLiteral kRole = "program.role";
inline constexpr llvm::StringLiteral kName = "program.name";
/// On a module: what the package says of the model.
inline constexpr llvm::StringLiteral kModel = "program.model";
/// On a nested module: it is a kernel.
inline constexpr llvm::StringLiteral kKernel = "program.kernel";
/// On a kernel: why it is no tile program; on a function: why segments run one
/// after the other.
inline constexpr llvm::StringLiteral kFallback = "program.fallback";
/// On a function: `<name>.init` computes its constants.
inline constexpr llvm::StringLiteral kInitSuffix = ".init";

enum class Role { Argument, Weight, State, Constant };

/// The role of an argument (default: Argument).
Role argumentRole(mlir::func::FuncOp function, unsigned index);
Role resultRole(mlir::func::FuncOp function, unsigned index);
/// The name of an argument or result, empty where there is none.
llvm::StringRef argumentName(mlir::func::FuncOp function, unsigned index);
llvm::StringRef resultName(mlir::func::FuncOp function, unsigned index);

/// The operand whose buffer a result shares, or null: in-place ops, reshapes,
/// and casts.
mlir::Value tiedOperand(mlir::OpResult result);
/// The argument, empty tensor, or `program.buffer` whose buffer a value is,
/// through in-place ops, reshapes, loops, and their iteration arguments.
mlir::Value bufferRoot(mlir::Value value);
/// Reshapes and casts: other views of one contiguous buffer.
bool isView(mlir::Operation *op);

/// The kernels of a module.
llvm::SmallVector<mlir::ModuleOp> kernelsOf(mlir::ModuleOp module);
/// The function of a kernel.
mlir::func::FuncOp kernelFunction(mlir::ModuleOp kernel);

} // namespace infini::program

#endif // INFINI_DIALECT_PROGRAM_PROGRAMOPS_H
