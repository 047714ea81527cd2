// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tile interpreter's arithmetic: a tile program in f64, whatever its
// buffers hold. Loads widen, stores narrow, and nothing is rounded between.

#include "infini/dialect/program/ProgramOps.h"
#include "infini/dialect/tile/TileOps.h"
#include "infini/passes/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/PatternMatch.h"

namespace infini {
#define GEN_PASS_DEF_INFINIWIDENTILES
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

/// The type with f64 for narrower floats; buffers keep theirs.
static Type widened(Type type) {
  auto f64 = Float64Type::get(type.getContext());
  if (auto number = dyn_cast<FloatType>(type))
    return number.getWidth() < 64 ? f64 : type;
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return tensor.clone(widened(tensor.getElementType()));
  return type;
}

static bool isNarrow(Type type) { return widened(type) != type; }

static TypedAttr widenedConstant(TypedAttr value) {
  bool losesInfo;
  auto widen = [&](APFloat number) {
    number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                   &losesInfo);
    return number;
  };
  Type type = widened(value.getType());
  if (auto number = dyn_cast<FloatAttr>(value))
    return FloatAttr::get(type, widen(number.getValue()));
  return DenseElementsAttr::get(
      cast<ShapedType>(type),
      widen(cast<SplatElementsAttr>(value).getSplatValue<APFloat>()));
}

namespace {
struct WidenTiles final : infini::impl::InfiniWidenTilesBase<WidenTiles> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    bool isTileProgram =
        llvm::none_of(function.getArgumentTypes(),
                      llvm::IsaPred<RankedTensorType>) &&
        !function.getBody()
             .walk([](arith::BitcastOp) { return WalkResult::interrupt(); })
             .wasInterrupted();
    if (!isTileProgram)
      return;
    IRRewriter b(&getContext());
    SmallVector<Operation *> ops;
    function.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (op != function)
        ops.push_back(op);
    });
    for (Operation *op : ops)
      widen(b, op);
  }

  static void widen(RewriterBase &b, Operation *op) {
    Location loc = op->getLoc();
    if (isa<tile::LoadOp, tile::GatherOp>(op)) {
      Value value = op->getResult(0);
      Type type = value.getType();
      if (!isNarrow(type))
        return;
      b.setInsertionPointAfter(op);
      Operation *first = nullptr;
      if (getElementTypeOrSelf(type).getIntOrFloatBitWidth() < 32) {
        value = arith::ExtFOp::create(
            b, loc, cast<RankedTensorType>(type).clone(b.getF32Type()), value);
        first = value.getDefiningOp();
      }
      value = arith::ExtFOp::create(b, loc, widened(type), value);
      op->getResult(0).replaceAllUsesExcept(
          value, first ? first : value.getDefiningOp());
      return;
    }
    if (auto store = dyn_cast<tile::StoreOp>(op)) {
      auto type = cast<RankedTensorType>(store.getSource().getType());
      Type element =
          cast<MemRefType>(store.getDest().getType()).getElementType();
      if (type.getElementType() == element)
        return;
      b.setInsertionPoint(store);
      // 16-bit types by way of f32: no function of the C library does both.
      Value value = store.getSource();
      if (element.getIntOrFloatBitWidth() < 32)
        value =
            arith::TruncFOp::create(b, loc, type.clone(b.getF32Type()), value);
      store.getSourceMutable().assign(
          arith::TruncFOp::create(b, loc, type.clone(element), value));
      return;
    }
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      if (!isNarrow(constant.getType()))
        return;
      constant.setValueAttr(widenedConstant(constant.getValue()));
      constant.getResult().setType(
          cast<TypedAttr>(constant.getValue()).getType());
      return;
    }
    if (isa<arith::ExtFOp, arith::TruncFOp>(op)) {
      b.replaceOp(op, op->getOperand(0));
      return;
    }
    for (Value result : op->getResults())
      result.setType(widened(result.getType()));
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (BlockArgument argument : block.getArguments())
          argument.setType(widened(argument.getType()));
  }
};
} // namespace
