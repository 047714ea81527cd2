// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The program dialect: registration, verifiers, helpers.

#include "infini/dialect/program/ProgramOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace infini;
using namespace infini::program;

#include "infini/dialect/program/ProgramDialect.cpp.inc"
#define GET_OP_CLASSES
#include "infini/dialect/program/ProgramOps.cpp.inc"

void ProgramDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "infini/dialect/program/ProgramOps.cpp.inc"
      >();
}

static LogicalResult reifyAs(OpBuilder &builder, Location loc, ValueRange outs,
                             ReifiedRankedShapedTypeDims &shapes) {
  for (Value out : outs) {
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, out);
    shapes.push_back(sizes);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// DispatchOp
//===----------------------------------------------------------------------===//

LogicalResult
DispatchOp::reifyResultShapes(OpBuilder &builder,
                              ReifiedRankedShapedTypeDims &shapes) {
  return reifyAs(builder, getLoc(), getOuts(), shapes);
}

LogicalResult DispatchOp::verify() {
  // dispatch_c3
  if (getOuts().getTypes() != getResults().getTypes())
    return emitOpError("expected one result an 'outs' operand, of its type");
  return success();
}

LogicalResult DispatchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // dispatch_c1
  auto kernel =
      symbols.lookupNearestSymbolFrom<ModuleOp>(*this, getKernelAttr());
  if (!kernel || !kernel->hasAttr(kKernel))
    return emitOpError("expected 'kernel' to name a kernel's module, got ")
           << getKernelAttr();
  if (!kernel.lookupSymbol(getKernel()))
    return emitOpError("expected kernel ")
           << getKernelAttr() << " to have a function of its own name";
  // A lowered kernel keeps its name, but no longer its type.
  func::FuncOp function = kernelFunction(kernel);
  bool lowered =
      function && llvm::any_of(function.getArgumentTypes(), [](Type type) {
        return !isa<RankedTensorType, IndexType>(type);
      });
  if (!function || lowered)
    return success();
  // dispatch_c2
  SmallVector<Type> expected(getIns().getTypes());
  llvm::append_range(expected, getOuts().getTypes());
  expected.append(getScalars().size(), IndexType::get(getContext()));
  auto type = FunctionType::get(getContext(), expected, getOuts().getTypes());
  if (function.getFunctionType() != type)
    return emitOpError("expected kernel ")
           << getKernelAttr() << " to have type " << type << ", got "
           << function.getFunctionType();
  return success();
}

//===----------------------------------------------------------------------===//
// GemmOp
//===----------------------------------------------------------------------===//

LogicalResult GemmOp::reifyResultShapes(OpBuilder &builder,
                                        ReifiedRankedShapedTypeDims &shapes) {
  return reifyAs(builder, getLoc(), getOut(), shapes);
}

LogicalResult GemmOp::verify() {
  auto lhs = cast<RankedTensorType>(getLhs().getType());
  auto rhs = cast<RankedTensorType>(getRhs().getType());
  auto out = cast<RankedTensorType>(getOut().getType());
  // gemm_c1
  for (auto [name, type] :
       {std::pair("lhs", lhs), {"rhs", rhs}, {"out", out}}) {
    if (type.getRank() != 2)
      return emitOpError("expected '")
             << name << "' to have rank 2, got " << type.getRank();
    Type element = type.getElementType();
    if (!element.isF32() && !element.isF64())
      return emitOpError("expected '")
             << name << "' to have element type f32 or f64, got " << element;
    if (element != lhs.getElementType())
      return emitOpError("expected '")
             << name << "' to have element type " << lhs.getElementType()
             << ", as 'lhs', got " << element;
  }
  // gemm_c2
  auto agree = [&](const char *name, int64_t a, int64_t b) -> LogicalResult {
    if (ShapedType::isDynamic(a) || ShapedType::isDynamic(b) || a == b)
      return success();
    return emitOpError("expected one size '")
           << name << "', got " << a << " and " << b;
  };
  bool tl = getTransposeLhs(), tr = getTransposeRhs();
  return success(
      succeeded(agree("m", lhs.getDimSize(tl), out.getDimSize(0))) &&
      succeeded(agree("k", lhs.getDimSize(!tl), rhs.getDimSize(tr))) &&
      succeeded(agree("n", rhs.getDimSize(!tr), out.getDimSize(1))));
}

//===----------------------------------------------------------------------===//
// CopyOp, BufferOp
//===----------------------------------------------------------------------===//

LogicalResult CopyOp::reifyResultShapes(OpBuilder &builder,
                                        ReifiedRankedShapedTypeDims &shapes) {
  return reifyAs(builder, getLoc(), getOut(), shapes);
}

LogicalResult CopyOp::verify() {
  // copy_c1
  if (getSource().getType() != getOut().getType())
    return emitOpError("expected source and destination of one type, got ")
           << getSource().getType() << " and " << getOut().getType();
  return success();
}

LogicalResult BufferOp::reifyResultShapes(OpBuilder &builder,
                                          ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> sizes;
  unsigned next = 0;
  for (int64_t size : cast<RankedTensorType>(getType()).getShape())
    sizes.push_back(ShapedType::isDynamic(size)
                        ? OpFoldResult(getSizes()[next++])
                        : OpFoldResult(builder.getIndexAttr(size)));
  shapes.push_back(sizes);
  return success();
}

LogicalResult BufferOp::verify() {
  // buffer_c1
  int64_t dynamic = cast<RankedTensorType>(getType()).getNumDynamicDims();
  if (static_cast<int64_t>(getSizes().size()) != dynamic)
    return emitOpError("expected ")
           << dynamic << " sizes, got " << getSizes().size();
  // buffer_c2
  if (static_cast<int64_t>(getSlot()) < 0)
    return emitOpError("expected 'slot' to be at least 0, got ")
           << static_cast<int64_t>(getSlot());
  return success();
}

//===----------------------------------------------------------------------===//
// Helpers
//===----------------------------------------------------------------------===//

static Role parseRole(StringAttr role) {
  return llvm::StringSwitch<Role>(role ? role.getValue() : "argument")
      .Case("weight", Role::Weight)
      .Case("state", Role::State)
      .Case("constant", Role::Constant)
      .Default(Role::Argument);
}

Role program::argumentRole(func::FuncOp function, unsigned index) {
  return parseRole(function.getArgAttrOfType<StringAttr>(index, kRole));
}
Role program::resultRole(func::FuncOp function, unsigned index) {
  return parseRole(function.getResultAttrOfType<StringAttr>(index, kRole));
}
StringRef program::argumentName(func::FuncOp function, unsigned index) {
  auto name = function.getArgAttrOfType<StringAttr>(index, kName);
  return name ? name.getValue() : StringRef();
}
StringRef program::resultName(func::FuncOp function, unsigned index) {
  auto name = function.getResultAttrOfType<StringAttr>(index, kName);
  return name ? name.getValue() : StringRef();
}

bool program::isView(Operation *op) {
  return isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(
      op);
}

Value program::tiedOperand(OpResult result) {
  Operation *op = result.getOwner();
  if (auto dispatch = dyn_cast<DispatchOp>(op))
    return dispatch.getOuts()[result.getResultNumber()];
  if (auto gemm = dyn_cast<GemmOp>(op))
    return gemm.getOut();
  if (auto copy = dyn_cast<CopyOp>(op))
    return copy.getOut();
  if (isView(op))
    return op->getOperand(0);
  return {};
}

Value program::bufferRoot(Value value) {
  while (true) {
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
      if (!loop)
        return value;
      value = loop.getTiedLoopInit(argument)->get();
      continue;
    }
    auto result = cast<OpResult>(value);
    if (Value tied = tiedOperand(result))
      value = tied;
    else if (auto loop = dyn_cast<scf::ForOp>(result.getOwner()))
      value = loop.getInitArgs()[result.getResultNumber()];
    else
      return value;
  }
}

SmallVector<ModuleOp> program::kernelsOf(ModuleOp module) {
  SmallVector<ModuleOp> kernels;
  for (ModuleOp nested : module.getOps<ModuleOp>())
    if (nested->hasAttr(kKernel))
      kernels.push_back(nested);
  return kernels;
}

func::FuncOp program::kernelFunction(ModuleOp kernel) {
  std::optional<StringRef> name = kernel.getSymName();
  return name ? kernel.lookupSymbol<func::FuncOp>(*name) : func::FuncOp();
}
