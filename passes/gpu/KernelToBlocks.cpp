// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tile program becomes what one block of a GPU's grid does: parallel loops
// are the block's position, views of buffers are gone, and all sizes are
// arguments.

#include "infini/dialect/program/ProgramOps.h"
#include "infini/dialect/tile/TileOps.h"
#include "infini/passes/Passes.h"
#include "infini/passes/kernel/KernelForm.h"
#include "infini/passes/kernel/KernelGrid.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace infini {
#define GEN_PASS_DEF_INFINIKERNELTOBLOCKS
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

/// Sizes of buffers that are not static become arguments behind the kernel's
/// own, in the order in which they appear (runtime/kernel_abi.h).
static void passSizes(func::FuncOp function, IRRewriter &b) {
  Block &entry = function.getBody().front();
  Location loc = function.getLoc();
  SmallVector<BlockArgument> buffers;
  for (BlockArgument argument : entry.getArguments())
    if (isa<MemRefType>(argument.getType()))
      buffers.push_back(argument);
  for (BlockArgument buffer : buffers) {
    auto type = cast<MemRefType>(buffer.getType());
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      if (!type.isDynamicDim(dim))
        continue;
      Value size = entry.addArgument(b.getIndexType(), loc);
      for (Operation *user : llvm::make_early_inc_range(buffer.getUsers())) {
        auto op = dyn_cast<memref::DimOp>(user);
        if (op && op.getConstantIndex() == dim)
          b.replaceOp(op, size);
      }
    }
  }
  function.setFunctionType(
      b.getFunctionType(entry.getArgumentTypes(), TypeRange()));
}

/// Whether a sum is what a loop carries, or that scaled, so that no registers
/// besides hold it.
static bool goesOnWithCarried(Value sum) {
  if (auto argument = dyn_cast<BlockArgument>(sum))
    return isa<scf::ForOp>(argument.getOwner()->getParentOp());
  Operation *op = sum.getDefiningOp();
  if (auto product = dyn_cast<tile::DotOp>(op))
    return goesOnWithCarried(product.getAcc());
  return op->hasTrait<OpTrait::Elementwise>() &&
         llvm::any_of(op->getOperands(), [](Value operand) {
           return isa<RankedTensorType>(operand.getType()) &&
                  goesOnWithCarried(operand);
         });
}

/// Warps among which what a thread has to keep fits its registers: what the
/// largest loop carries, and the sums of the largest product that does not go
/// on with such. Where no product is of the tensor cores, factors take as much
/// again.
static int64_t warpsFor(func::FuncOp function) {
  constexpr int64_t least = 4, most = 16;
  constexpr int64_t lanes = 32;
  auto elementsOf = [](TypeRange types) {
    int64_t sum = 0;
    for (Type type : types)
      if (auto tile = dyn_cast<RankedTensorType>(type))
        sum += tile.getNumElements();
    return sum;
  };
  int64_t carried = 0, product = 0;
  bool hasTensorCore = false;
  function.walk([&](scf::ForOp op) {
    carried = std::max(carried, elementsOf(op.getResultTypes()));
  });
  function.walk([&](tile::DotOp op) {
    if (!goesOnWithCarried(op.getAcc()))
      product = std::max(product, op.getType().getNumElements());
    hasTensorCore |=
        getElementTypeOrSelf(op.getA().getType()).getIntOrFloatBitWidth() == 16;
  });
  int64_t warps = least, registers = hasTensorCore ? 136 : 56;
  while (warps < most && carried + product > registers * lanes * warps)
    warps *= 2;
  return warps;
}

namespace {
struct KernelToBlocks final
    : infini::impl::InfiniKernelToBlocksBase<KernelToBlocks> {
  using InfiniKernelToBlocksBase::InfiniKernelToBlocksBase;

  void runOnOperation() override {
    FailureOr<func::FuncOp> found = findKernel(getOperation());
    if (failed(found))
      return signalPassFailure();
    func::FuncOp function = *found;
    if (warps != 0 &&
        (!llvm::isPowerOf2_64(warps) || warps < 0 || warps > 32)) {
      function.emitError(
          "expected option 'warps' to be 0, or a power of two up "
          "to 32, got ")
          << int64_t(warps);
      return signalPassFailure();
    }
    if (auto why =
            getOperation()->getAttrOfType<StringAttr>(program::kFallback)) {
      function.emitError("kernel '")
          << function.getName()
          << "' has no form on tiles, and GPUs run tile programs only: "
          << why.getValue();
      return signalPassFailure();
    }
    if (failed(checkGpuKernel(function)))
      return signalPassFailure();
    IRRewriter rewriter(&getContext());
    KernelGrid grid(getOperation(), function, rewriter);
    grid.analyze();
    passSizes(function, rewriter);
    if (failed(grid.lower([&](unsigned i) -> Value {
          return gpu::BlockIdOp::create(rewriter, function.getLoc(),
                                        static_cast<gpu::Dimension>(i));
        })))
      return signalPassFailure();
    int64_t count = warps ? int64_t(warps) : warpsFor(function);
    getOperation()->setAttr("program.threads",
                            rewriter.getI64IntegerAttr(32 * count));
  }
};
} // namespace
