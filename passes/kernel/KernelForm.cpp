// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks of a kernel's form.

#include "infini/passes/kernel/KernelForm.h"
#include "infini/dialect/program/ProgramOps.h"
#include "infini/dialect/tile/TileOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace infini;

/// Runs `check` on every op inside, until one fails.
static LogicalResult
checkOps(func::FuncOp function,
         llvm::function_ref<LogicalResult(Operation *)> check) {
  return failure(function
                     .walk([&](Operation *op) {
                       return failed(check(op)) ? WalkResult::interrupt()
                                                : WalkResult::advance();
                     })
                     .wasInterrupted());
}

static LogicalResult checkBlock(func::FuncOp function) {
  if (!function.getBody().hasOneBlock())
    return function.emitOpError("expected a kernel of one block");
  Operation *end = function.getBody().front().getTerminator();
  if (!isa<func::ReturnOp>(end))
    return end->emitOpError("expected a kernel to end in 'func.return'");
  return success();
}

FailureOr<func::FuncOp> infini::findKernel(ModuleOp kernel) {
  func::FuncOp function = program::kernelFunction(kernel);
  if (!function)
    return kernel.emitError(
        "expected a kernel's module to have a name, and a function of it");
  if (failed(checkBlock(function)))
    return failure();
  return function;
}

static LogicalResult checkForall(scf::ForallOp op) {
  if (op.getNumResults())
    return op.emitOpError("expected a parallel loop of a kernel to write "
                          "buffers, and to have no results, got ")
           << op.getNumResults();
  for (OpFoldResult step : op.getMixedStep())
    if (auto constant = getConstantIntValue(step); constant && *constant < 1)
      return op.emitOpError("expected steps above 0, got ") << *constant;
  return success();
}

LogicalResult infini::checkKernel(func::FuncOp function) {
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
    auto buffer = dyn_cast<MemRefType>(type);
    if (type.isIndex() ||
        (buffer && buffer.getLayout().isIdentity() && !buffer.getMemorySpace()))
      continue;
    return function.emitError("expected argument ")
           << i << " to be a contiguous buffer or an index, got " << type;
  }
  return checkOps(function, [](Operation *op) {
    auto forall = dyn_cast<scf::ForallOp>(op);
    return forall ? checkForall(forall) : success();
  });
}

/// What both forms of a GPU's kernel have in common; `isView` says
/// which ops' results may be buffers.
static LogicalResult checkForGpu(func::FuncOp function, StringRef expected,
                                 llvm::function_ref<bool(Operation *)> isView) {
  if (failed(checkKernel(function)))
    return failure();
  if (function.getNumResults())
    return function.emitError("expected a kernel without results (it writes "
                              "buffers), got ")
           << function.getNumResults();
  // Addresses are counted from the arguments.
  auto isGlobal = [](Type type) {
    auto buffer = dyn_cast<BaseMemRefType>(type);
    return buffer &&
           !isa_and_nonnull<tile::SharedAttr>(buffer.getMemorySpace());
  };
  return checkOps(function, [&](Operation *op) -> LogicalResult {
    if (isa<CallOpInterface>(op))
      return op->emitOpError("expected a kernel that calls no functions");
    if (!isView(op) && llvm::any_of(op->getResultTypes(), isGlobal))
      return op->emitOpError("expected the buffers of a GPU's kernel to be ")
             << expected;
    return success();
  });
}

LogicalResult infini::checkGpuKernel(func::FuncOp function) {
  return checkForGpu(
      function,
      "its arguments, or memref.expand_shape or memref.collapse_shape of these",
      llvm::IsaPred<memref::ExpandShapeOp, memref::CollapseShapeOp>);
}

LogicalResult infini::checkLaneKernel(func::FuncOp function) {
  if (failed(checkBlock(function)) ||
      failed(checkForGpu(function, "its arguments",
                         [](Operation *) { return false; })))
    return failure();
  return checkOps(function, [](Operation *op) -> LogicalResult {
    auto thread = dyn_cast<gpu::ThreadIdOp>(op);
    if (thread && thread.getDimension() != gpu::Dimension::x)
      return op->emitOpError("expected threads to be numbered along x, got ")
             << gpu::stringifyDimension(thread.getDimension());
    return success();
  });
}

LogicalResult infini::checkLaneModule(ModuleOp kernel) {
  FailureOr<func::FuncOp> function = findKernel(kernel);
  if (failed(function) || failed(checkLaneKernel(*function)))
    return failure();
  auto grid = kernel->getAttrOfType<AffineMapAttr>("program.grid");
  if (!grid || grid.getValue().getNumDims() ||
      grid.getValue().getNumResults() > 3)
    return kernel.emitError("expected 'program.grid' of the kernel to be a map "
                            "of its scalars to up to three sizes");
  struct {
    StringRef name;
    int64_t least, most, unit;
  } numbers[] = {{"program.buffers", 0, INT32_MAX, 1},
                 {"program.threads", tile::kWarpSize, 1024, tile::kWarpSize},
                 {"program.shared_bytes", 0, INT32_MAX, 1}};
  for (auto [name, least, most, unit] : numbers) {
    auto number = kernel->getAttrOfType<IntegerAttr>(name);
    if (number && number.getInt() >= least && number.getInt() <= most &&
        number.getInt() % unit == 0)
      continue;
    InFlightDiagnostic diagnostic = kernel.emitError("expected '");
    diagnostic << name << "' of the kernel to be a multiple of " << unit
               << " from " << least << " to " << most << ", got ";
    if (number)
      return diagnostic << number;
    return diagnostic << "none";
  }
  return success();
}

LogicalResult infini::dropArguments(func::FuncOp function, unsigned count) {
  Block &entry = function.getBody().front();
  for (BlockArgument argument : entry.getArguments().take_front(count))
    if (!argument.use_empty())
      return function.emitError("expected argument ")
             << argument.getArgNumber()
             << " to be used by ops of the lane dialect only";
  entry.eraseArguments(0, count);
  function.setFunctionType(
      FunctionType::get(function.getContext(), entry.getArgumentTypes(), {}));
  function.removeArgAttrsAttr();
  return success();
}
