// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The grid of a kernel: its outermost parallel loops, as blocks.

#ifndef INFINI_PASSES_KERNEL_KERNELGRID_H
#define INFINI_PASSES_KERNEL_KERNELGRID_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"

namespace infini {

class KernelGrid {
public:
  /// A kernel on buffers (memrefs) and index scalars, of one block.
  KernelGrid(mlir::ModuleOp kernel, mlir::func::FuncOp function,
             mlir::IRRewriter &rewriter)
      : kernel(kernel), function(function), b(rewriter),
        loc(function.getLoc()) {}

  /// Merges loops that are all that a loop does, finds the grid, and says its
  /// extents in terms of the kernel's scalars: `program.grid`, and
  /// `program.buffers`, the number of buffers.
  void analyze();
  /// `blockId(i)` makes the block's position along dimension i < 3 of the grid;
  /// loops that are not part of it become loops of a block.
  mlir::LogicalResult lower(llvm::function_ref<mlir::Value(unsigned)> blockId);

private:
  std::optional<mlir::AffineExpr> scalarExpr(mlir::Value value);
  /// The forall that is the grid, or null: then one block runs everything.
  mlir::scf::ForallOp findGrid();
  /// A forall that is all that a forall does becomes part of it.
  void mergeForalls();
  mlir::Value extentOf(unsigned dim);
  mlir::Value index(mlir::OpFoldResult value);

  mlir::ModuleOp kernel;
  mlir::func::FuncOp function;
  mlir::IRRewriter &b;
  mlir::Location loc;
  mlir::scf::ForallOp grid;
  /// Extents of the grid's dimensions 1, 2, … that share the first id.
  llvm::SmallVector<mlir::AffineExpr> folded;
};

} // namespace infini

#endif // INFINI_PASSES_KERNEL_KERNELGRID_H
