// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a kernel must look like before it gets its ABI. Kernels can be written
// by hand (--from=tile), so each demand is an error that says so.

#ifndef INFINI_PASSES_KERNEL_KERNELFORM_H
#define INFINI_PASSES_KERNEL_KERNELFORM_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace infini {

/// The function of a kernel's module; it has one block, and returns.
llvm::FailureOr<mlir::func::FuncOp> findKernel(mlir::ModuleOp kernel);

/// Arguments are what the ABI passes, contiguous buffers and indices, and
/// parallel loops have steps above 0 and no results.
llvm::LogicalResult checkKernel(mlir::func::FuncOp function);

/// And there are no results, no calls, and no buffers but the arguments, their
/// expand_shape and collapse_shape, and shared memory: what a tile program of a
/// GPU is.
llvm::LogicalResult checkGpuKernel(mlir::func::FuncOp function);

/// The code of one lane: likewise, of one block that returns, and without
/// views; threads are numbered along x.
llvm::LogicalResult checkLaneKernel(mlir::func::FuncOp function);

/// Its module likewise: it says its grid, buffers, threads, and shared memory.
llvm::LogicalResult checkLaneModule(mlir::ModuleOp kernel);

/// The first `count` arguments go, which the lane dialect's ops used and others
/// stand for now; there are no results.
llvm::LogicalResult dropArguments(mlir::func::FuncOp function, unsigned count);

} // namespace infini

#endif // INFINI_PASSES_KERNEL_KERNELFORM_H
