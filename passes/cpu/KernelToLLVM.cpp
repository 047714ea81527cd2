// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A bufferised kernel gets the flat ABI of runtime/kernel_abi.h.

#include "infini/dialect/program/ProgramOps.h"
#include "infini/passes/Passes.h"
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
  std::optional<AffineExpr> scalarExpr(Value value);
  /// The forall that is the grid, or null: then one block runs everything.
  scf::ForallOp findGrid();
  /// A forall that is all that a forall does becomes part of it.
  void mergeForalls();
  void analyzeGrid();
  LogicalResult lowerGrid();
  Value extentOf(unsigned dim);
  void makeArguments();
  LogicalResult lowerAllocations();
  Value index(OpFoldResult value) {
    return getValueOrCreateConstantIndexOp(b, loc, value);
  }
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
  scf::ForallOp grid;
  /// Extents of the grid's dimensions 1, 2, … that share the first id.
  SmallVector<AffineExpr> folded;
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

/// An index in terms of the kernel's scalars: its own ones, then the dynamic
/// sizes of its buffers.
std::optional<AffineExpr> KernelAbi::scalarExpr(Value value) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return b.getAffineConstantExpr(constant.getSExtValue());
  unsigned scalars = 0;
  for (Type type : function.getArgumentTypes())
    scalars += type.isIndex();
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    if (argument.getOwner() != &function.getBody().front())
      return std::nullopt;
    unsigned number = 0;
    for (unsigned i = 0; i < argument.getArgNumber(); ++i)
      number += function.getArgument(i).getType().isIndex();
    return b.getAffineSymbolExpr(number);
  }
  Operation *op = value.getDefiningOp();
  if (auto dim = dyn_cast<memref::DimOp>(op)) {
    auto argument = dyn_cast<BlockArgument>(dim.getSource());
    auto constantDim = dim.getConstantIndex();
    if (!argument || !constantDim ||
        argument.getOwner() != &function.getBody().front())
      return std::nullopt;
    unsigned number = scalars;
    for (BlockArgument other : function.getArguments()) {
      auto type = dyn_cast<MemRefType>(other.getType());
      if (!type)
        continue;
      for (int64_t i = 0; i < type.getRank(); ++i) {
        if (!type.isDynamicDim(i))
          continue;
        if (other == argument && i == *constantDim)
          return b.getAffineSymbolExpr(number);
        ++number;
      }
    }
    return std::nullopt;
  }
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op)) {
    SmallVector<AffineExpr> operands;
    for (Value operand : apply.getMapOperands()) {
      auto expr = scalarExpr(operand);
      if (!expr)
        return std::nullopt;
      operands.push_back(*expr);
    }
    AffineMap map = apply.getAffineMap();
    return map.getResult(0).replaceDimsAndSymbols(
        ArrayRef<AffineExpr>(operands).take_front(map.getNumDims()),
        ArrayRef<AffineExpr>(operands).drop_front(map.getNumDims()));
  }
  return std::nullopt;
}

scf::ForallOp KernelAbi::findGrid() {
  scf::ForallOp grid;
  for (Operation &op : function.getBody().front().without_terminator()) {
    if (auto forall = dyn_cast<scf::ForallOp>(op)) {
      if (grid)
        return {};
      grid = forall;
      continue;
    }
    // Only what every block may do for itself.
    if (!isMemoryEffectFree(&op) &&
        !isa<memref::AllocOp, memref::AllocaOp, memref::DeallocOp>(op))
      return {};
  }
  return grid;
}

void KernelAbi::mergeForalls() {
  // Outermost first: what takes in one loop can take in the next.
  SmallVector<scf::ForallOp> inner;
  function.walk<WalkOrder::PreOrder>([&](scf::ForallOp op) {
    if (isa<scf::ForallOp>(op->getParentOp()))
      inner.push_back(op);
  });
  for (scf::ForallOp op : inner) {
    auto outer = cast<scf::ForallOp>(op->getParentOp());
    bool alone = true;
    for (Operation &other : outer.getBody()->without_terminator())
      alone &= &other == op || isMemoryEffectFree(&other) ||
               isa<memref::AllocOp, memref::DeallocOp>(other);
    // Bounds leave the outer loop with what computes them.
    auto leaves = [&](OpFoldResult bound) {
      auto value = dyn_cast<Value>(bound);
      if (!value || outer.isDefinedOutsideOfLoop(value))
        return true;
      Operation *def = value.getDefiningOp();
      if (!def || !isPure(def) ||
          !llvm::all_of(def->getOperands(), [&](Value operand) {
            return outer.isDefinedOutsideOfLoop(operand);
          }))
        return false;
      def->moveBefore(outer);
      return true;
    };
    for (const auto &bounds :
         {op.getMixedLowerBound(), op.getMixedUpperBound(), op.getMixedStep()})
      alone &= llvm::all_of(bounds, leaves);
    if (!alone)
      continue;
    auto join = [](SmallVector<OpFoldResult> a, ArrayRef<OpFoldResult> c) {
      llvm::append_range(a, c);
      return a;
    };
    b.setInsertionPoint(outer);
    auto both = scf::ForallOp::create(
        b, loc, join(outer.getMixedLowerBound(), op.getMixedLowerBound()),
        join(outer.getMixedUpperBound(), op.getMixedUpperBound()),
        join(outer.getMixedStep(), op.getMixedStep()), ValueRange(),
        std::nullopt);
    SmallVector<Value> ivs = both.getInductionVars();
    unsigned rank = outer.getRank();
    b.eraseOp(op.getTerminator());
    b.inlineBlockBefore(op.getBody(), op, ArrayRef(ivs).drop_front(rank));
    b.eraseOp(op);
    b.eraseOp(outer.getTerminator());
    b.inlineBlockBefore(outer.getBody(), both.getTerminator(),
                        ArrayRef(ivs).take_front(rank));
    b.eraseOp(outer);
  }
}

/// Finds the grid, and says its extents in terms of the kernel's scalars.
void KernelAbi::analyzeGrid() {
  unsigned scalars = 0;
  for (BlockArgument argument : function.getArguments()) {
    scalars += argument.getType().isIndex();
    if (auto type = dyn_cast<MemRefType>(argument.getType()))
      scalars += type.getNumDynamicDims();
  }
  SmallVector<AffineExpr> extents;
  grid = findGrid();
  auto exprOf = [&](OpFoldResult value) -> std::optional<AffineExpr> {
    if (auto constant = getConstantIntValue(value))
      return b.getAffineConstantExpr(*constant);
    return scalarExpr(cast<Value>(value));
  };
  if (grid)
    for (auto [lower, upper, step] :
         llvm::zip(grid.getMixedLowerBound(), grid.getMixedUpperBound(),
                   grid.getMixedStep())) {
      auto low = exprOf(lower), high = exprOf(upper);
      auto width = getConstantIntValue(step);
      if (!low || !high || !width) {
        grid = {};
        extents.clear();
        break;
      }
      extents.push_back((*high - *low).ceilDiv(*width));
    }
  // The ABI's grid has three dimensions: the leading ones share the last.
  while (extents.size() > 3) {
    folded.insert(folded.begin(), extents[1]);
    extents[1] = extents[0] * extents[1];
    extents.erase(extents.begin());
  }
  // The first id runs fastest, and the innermost loop shares most: the same
  // keys, the same memory.
  std::reverse(extents.begin(), extents.end());
  kernel->setAttr("program.buffers",
                  b.getI64IntegerAttr(llvm::count_if(
                      function.getArgumentTypes(), llvm::IsaPred<MemRefType>)));
  kernel->setAttr("program.grid", AffineMapAttr::get(AffineMap::get(
                                      0, scalars, extents, b.getContext())));
}

/// How many blocks there are along a dimension of the grid.
Value KernelAbi::extentOf(unsigned dim) {
  AffineExpr d0, d1, d2;
  bindDims(b.getContext(), d0, d1, d2);
  int64_t step = *getConstantIntValue(grid.getMixedStep()[dim]);
  return index(affine::makeComposedFoldedAffineApply(
      b, loc, (d1 - d0).ceilDiv(step),
      {grid.getMixedLowerBound()[dim], grid.getMixedUpperBound()[dim]}));
}

/// The grid's position comes from the block; any other forall is a loop.
LogicalResult KernelAbi::lowerGrid() {
  if (grid) {
    b.setInsertionPoint(grid);
    auto blockId = [&](unsigned i) -> Value {
      return arith::IndexCastOp::create(b, loc, b.getIndexType(),
                                        slot(block, i, b.getI64Type()));
    };
    SmallVector<Value> ids(grid.getRank());
    unsigned shared = folded.size();
    for (unsigned i = shared; i < ids.size(); ++i)
      ids[i] = blockId(ids.size() - 1 - i);
    for (unsigned i = shared; i > 0; --i) {
      Value extent = extentOf(i);
      Value id = ids[i];
      ids[i] = arith::RemUIOp::create(b, loc, id, extent);
      ids[i - 1] = arith::DivUIOp::create(b, loc, id, extent);
    }
    SmallVector<Value> positions;
    for (auto [id, lower, step] :
         llvm::zip(ids, grid.getMixedLowerBound(), grid.getMixedStep())) {
      Value offset = arith::MulIOp::create(b, loc, id, index(step));
      positions.push_back(arith::AddIOp::create(b, loc, index(lower), offset));
    }
    b.eraseOp(grid.getTerminator());
    b.inlineBlockBefore(grid.getBody(), grid, positions);
    b.eraseOp(grid);
  }
  SmallVector<scf::ForallOp> rest;
  function.walk([&](scf::ForallOp op) { rest.push_back(op); });
  for (scf::ForallOp op : rest) {
    b.setInsertionPoint(op);
    if (failed(scf::forallToForLoop(b, op)))
      return failure();
  }
  return success();
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
  if (!function.getBody().hasOneBlock())
    return function.emitOpError("expected a kernel of one block");
  auto returnOp =
      cast<func::ReturnOp>(function.getBody().front().getTerminator());
  returnOp.getOperandsMutable().clear();
  mergeForalls();
  analyzeGrid();
  makeArguments();
  if (failed(lowerGrid()))
    return failure();
  return lowerAllocations();
}

namespace {
struct KernelToLLVM final : infini::impl::InfiniKernelToLLVMBase<KernelToLLVM> {
  void runOnOperation() override {
    func::FuncOp function = program::kernelFunction(getOperation());
    if (!function) {
      getOperation().emitError(
          "expected a kernel's module to have a name, and a function of it");
      return signalPassFailure();
    }
    for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
      auto buffer = dyn_cast<MemRefType>(type);
      if (type.isIndex() || (buffer && buffer.getLayout().isIdentity()))
        continue;
      function.emitError("expected argument ")
          << i << " to be a contiguous buffer or an index, got " << type;
      return signalPassFailure();
    }
    if (failed(KernelAbi(getOperation(), function).run()))
      signalPassFailure();
  }
};
} // namespace
