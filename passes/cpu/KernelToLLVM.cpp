// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A bufferised kernel gets the flat ABI of runtime/kernel_abi.h.

#include "infini/passes/Passes.h"
#include "infini/passes/kernel/KernelForm.h"
#include "infini/passes/kernel/KernelGrid.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Transforms.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace infini {
#define GEN_PASS_DEF_INFINIKERNELTOLLVM
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

/// Static buffers up to this size lie on the stack, others in scratch.
static constexpr int64_t kStackBytes = 4096;
static constexpr int64_t kAlignment = 64;

namespace {

class KernelAbi {
public:
  KernelAbi(ModuleOp kernel, func::FuncOp function)
      : kernel(kernel), function(function), b(function.getContext()),
        loc(function.getLoc()), converter(function.getContext()),
        pointer(LLVM::LLVMPointerType::get(b.getContext())) {}

  LogicalResult run();

private:
  void makeArguments();
  LogicalResult lowerAllocations();
  Value toI64(Value value) {
    return arith::IndexCastOp::create(b, loc, b.getI64Type(), value);
  }
  Value slot(Value base, int64_t number, Type type) {
    Value address = LLVM::GEPOp::create(
        b, loc, pointer, b.getI64Type(), base,
        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(number)});
    return LLVM::LoadOp::create(b, loc, type, address);
  }
  /// A contiguous memref at `address`.
  Value memref(MemRefType type, Value address, ValueRange dynamicSizes);

  ModuleOp kernel;
  func::FuncOp function;
  IRRewriter b;
  Location loc;
  LLVMTypeConverter converter;
  LLVM::LLVMPointerType pointer;
  Value block;
};

} // namespace

Value KernelAbi::memref(MemRefType type, Value address,
                        ValueRange dynamicSizes) {
  auto descriptor =
      MemRefDescriptor::poison(b, loc, converter.convertType(type));
  descriptor.setAllocatedPtr(b, loc, address);
  descriptor.setAlignedPtr(b, loc, address);
  descriptor.setConstantOffset(b, loc, 0);
  Value stride =
      LLVM::ConstantOp::create(b, loc, b.getI64Type(), b.getI64IntegerAttr(1));
  SmallVector<Value> sizes;
  unsigned next = 0;
  for (int64_t size : type.getShape())
    sizes.push_back(ShapedType::isDynamic(size)
                        ? dynamicSizes[next++]
                        : LLVM::ConstantOp::create(b, loc, b.getI64Type(),
                                                   b.getI64IntegerAttr(size))
                              .getResult());
  for (int64_t i = type.getRank() - 1; i >= 0; --i) {
    descriptor.setSize(b, loc, i, sizes[i]);
    descriptor.setStride(b, loc, i, stride);
    if (i > 0)
      stride = LLVM::MulOp::create(b, loc, stride, sizes[i]);
  }
  return UnrealizedConversionCastOp::create(b, loc, type, Value(descriptor))
      .getResult(0);
}

void KernelAbi::makeArguments() {
  Block &entry = function.getBody().front();
  SmallVector<BlockArgument> old(entry.getArguments());
  b.setInsertionPointToStart(&entry);
  Value arguments = entry.addArgument(pointer, loc);
  block = entry.addArgument(pointer, loc);
  unsigned buffers =
      llvm::count_if(old, [](Value v) { return isa<MemRefType>(v.getType()); });
  unsigned own = old.size() - buffers;
  unsigned nextBuffer = 0, nextScalar = buffers, nextSize = buffers + own;
  for (BlockArgument argument : old) {
    Value replacement;
    if (auto type = dyn_cast<MemRefType>(argument.getType())) {
      Value address = slot(arguments, nextBuffer++, pointer);
      SmallVector<Value> sizes;
      for (size_t i = 0; i < type.getNumDynamicDims(); ++i)
        sizes.push_back(slot(arguments, nextSize++, b.getI64Type()));
      replacement = memref(type, address, sizes);
    } else {
      replacement = arith::IndexCastOp::create(
          b, loc, b.getIndexType(),
          slot(arguments, nextScalar++, b.getI64Type()));
    }
    b.replaceAllUsesWith(argument, replacement);
  }
  entry.eraseArguments(0, old.size());
  function.setFunctionType(b.getFunctionType({pointer, pointer}, {}));
  function.removeArgAttrsAttr();
}

LogicalResult KernelAbi::lowerAllocations() {
  SmallVector<memref::AllocOp> allocations;
  SmallVector<Operation *> erased;
  function.walk([&](Operation *op) {
    if (auto alloc = dyn_cast<memref::AllocOp>(op))
      allocations.push_back(alloc);
    if (isa<memref::DeallocOp>(op))
      erased.push_back(op);
  });
  for (Operation *op : erased)
    b.eraseOp(op);
  Block &entry = function.getBody().front();
  llvm::DenseMap<Block *, Value> marks;
  auto allocateType =
      LLVM::LLVMFunctionType::get(pointer, {pointer, b.getI64Type()});
  auto releaseType = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(b.getContext()), {pointer, pointer});
  auto allocate = [&](Value bytes) -> Value {
    Value scratch = slot(block, 3, pointer), callee = slot(block, 4, pointer);
    auto call = LLVM::CallOp::create(b, loc, allocateType,
                                     ValueRange{callee, scratch, bytes});
    return call.getResult();
  };
  for (memref::AllocOp alloc : allocations) {
    MemRefType type = alloc.getType();
    if (!type.getLayout().isIdentity())
      return alloc.emitOpError("expected a buffer without a layout");
    Block *home = alloc->getBlock();
    bool escapes = llvm::any_of(home->getTerminator()->getOperandTypes(),
                                llvm::IsaPred<MemRefType>);
    int64_t width = llvm::divideCeil(
        type.getElementType().isIndex() ? 64 : type.getElementTypeBitWidth(),
        8);
    if (type.hasStaticShape() && type.getNumElements() * width <= kStackBytes &&
        !escapes) {
      b.setInsertionPointToStart(&entry);
      b.replaceOpWithNewOp<memref::AllocaOp>(alloc, type,
                                             b.getI64IntegerAttr(kAlignment));
      continue;
    }
    if (home != &entry && !escapes && !marks.count(home)) {
      b.setInsertionPointToStart(home);
      Value zero = LLVM::ConstantOp::create(b, loc, b.getI64Type(),
                                            b.getI64IntegerAttr(0));
      Value mark = allocate(zero);
      marks[home] = mark;
      b.setInsertionPoint(home->getTerminator());
      Value scratch = slot(block, 3, pointer), callee = slot(block, 5, pointer);
      LLVM::CallOp::create(b, loc, releaseType,
                           ValueRange{callee, scratch, mark});
    }
    b.setInsertionPoint(alloc);
    SmallVector<Value> sizes;
    Value bytes = LLVM::ConstantOp::create(b, loc, b.getI64Type(),
                                           b.getI64IntegerAttr(width));
    for (int64_t size : type.getShape())
      if (!ShapedType::isDynamic(size))
        bytes = LLVM::MulOp::create(
            b, loc, bytes,
            LLVM::ConstantOp::create(b, loc, b.getI64Type(),
                                     b.getI64IntegerAttr(size)));
    for (Value size : alloc.getDynamicSizes()) {
      sizes.push_back(toI64(size));
      bytes = LLVM::MulOp::create(b, loc, bytes, sizes.back());
    }
    b.replaceOp(alloc, memref(type, allocate(bytes), sizes));
  }
  return success();
}

LogicalResult KernelAbi::run() {
  auto returnOp =
      cast<func::ReturnOp>(function.getBody().front().getTerminator());
  returnOp.getOperandsMutable().clear();
  KernelGrid grid(kernel, function, b);
  grid.analyze();
  makeArguments();
  if (failed(grid.lower([&](unsigned i) -> Value {
        return arith::IndexCastOp::create(b, loc, b.getIndexType(),
                                          slot(block, i, b.getI64Type()));
      })))
    return failure();
  return lowerAllocations();
}

namespace {
struct KernelToLLVM final : infini::impl::InfiniKernelToLLVMBase<KernelToLLVM> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> function = findKernel(getOperation());
    if (failed(function) || failed(checkKernel(*function)))
      return signalPassFailure();
    if (failed(KernelAbi(getOperation(), *function).run()))
      signalPassFailure();
  }
};
} // namespace
