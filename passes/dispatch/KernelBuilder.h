// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Makes one kernel from a group of ops.

#ifndef INFINI_PASSES_DISPATCH_KERNELBUILDER_H
#define INFINI_PASSES_DISPATCH_KERNELBUILDER_H

#include "infini/dialect/program/ProgramOps.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/SetVector.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/StringMap.h"

namespace infini {

/// Ops that become one kernel. The root comes last in program order; its
/// results are the kernel's. Everything else is used within the kernel only,
/// or cheap enough to be computed again.
struct Cluster {
  mlir::Operation *root;
  llvm::SetVector<mlir::Operation *> ops;
  /// Where the root is a loop over segments: the op in it that the kernel is
  /// about, and those that are computed with it. Else null: the root itself.
  mlir::Operation *anchor = nullptr;
  llvm::SetVector<mlir::Operation *> inner;

  /// The ops among which tiles are fused.
  const llvm::SetVector<mlir::Operation *> &fusible() const {
    return anchor ? inner : ops;
  }
};

/// The cluster's ops, each behind what it uses, in an order that depends on
/// nothing else: equal clusters make equal kernels wherever they stand.
llvm::SmallVector<mlir::Operation *> orderedOps(const Cluster &cluster);

/// The op that the cluster's kernel is about, for people.
mlir::Operation *mainOp(const Cluster &cluster);

/// Values that a cluster takes from outside.
struct ClusterInputs {
  llvm::SetVector<mlir::Value> tensors, scalars;
};
ClusterInputs inputsOf(const Cluster &cluster);

/// A producer that `consumer` uses element by element, block by block: the op
/// can be computed inside the consumer's tiles without being computed twice.
/// Adds to `whole` the loops of a linalg consumer that must not be cut for
/// that.
bool usesOnce(mlir::OpOperand &use);

/// A product of two matrices.
bool isDenseProduct(mlir::linalg::LinalgOp op);

/// Tile sizes along the loops of `op` (0: not cut), where the producers in
/// `cluster` are to be fused into the tiles.
llvm::SmallVector<int64_t> tileSizes(mlir::Operation *op,
                                     const Cluster &cluster,
                                     llvm::StringRef target);

/// Builds kernels, each distinct one once.
class KernelBuilder {
public:
  /// `target` as in BlockSizes.h.
  KernelBuilder(mlir::ModuleOp module, llvm::StringRef target)
      : module(module), target(target) {}

  /// Builds the cluster's kernel, and replaces the root by its dispatch.
  mlir::LogicalResult dispatch(mlir::RewriterBase &rewriter,
                               const Cluster &cluster);

  unsigned dispatches = 0, fused = 0;

private:
  mlir::LogicalResult tile(mlir::func::FuncOp function, mlir::Operation *anchor,
                           llvm::ArrayRef<int64_t> sizes);
  llvm::StringRef unique(mlir::ModuleOp kernel, llvm::StringRef hint);

  mlir::ModuleOp module;
  llvm::StringRef target;
  /// Printed kernels, by text, and how often a hint was used.
  llvm::StringMap<std::string> names;
  llvm::StringMap<unsigned> hints;
};

} // namespace infini

#endif // INFINI_PASSES_DISPATCH_KERNELBUILDER_H
