// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tile program with layouts becomes the code of one lane: tiles are vectors
// of registers, and what moves between lanes is said by instructions.

#include "infini/passes/gpu/TileToLanes.h"
#include "infini/dialect/lane/LaneOps.h"
#include "infini/passes/Passes.h"
#include "infini/passes/gpu/LaneBuilder.h"
#include "infini/passes/gpu/LayoutRelation.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace infini {
#define GEN_PASS_DEF_TILETOLANES
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;
using namespace infini::tile;

LaneTypeConverter::LaneTypeConverter() {
  addConversion([](Type type) { return type; });
  addConversion([](RankedTensorType type) -> std::optional<Type> {
    auto layout = dyn_cast_or_null<LayoutAttr>(type.getEncoding());
    if (!layout)
      return Type();
    Type element = type.getElementType();
    if (element.isIndex())
      element = IntegerType::get(type.getContext(), 32);
    return VectorType::get({layout.getRegisters()}, element);
  });
  addConversion([](MemRefType type) -> std::optional<Type> {
    if (!isa_and_nonnull<SharedAttr>(type.getMemorySpace()))
      return std::nullopt;
    return IntegerType::get(type.getContext(), 32);
  });
}

Value infini::reorder(OpBuilder &b, Location loc, Value source,
                      ArrayRef<int64_t> order) {
  auto type = cast<VectorType>(source.getType());
  if (llvm::equal(order, llvm::seq<int64_t>(0, type.getNumElements())))
    return source;
  return vector::ShuffleOp::create(b, loc, source, source, order);
}

Value infini::slice(OpBuilder &b, Location loc, Value source, int64_t first,
                    int64_t count) {
  return reorder(b, loc, source,
                 llvm::to_vector(llvm::seq(first, first + count)));
}

Value infini::concatenate(OpBuilder &b, Location loc, ArrayRef<Value> parts) {
  if (parts.size() == 1)
    return parts.front();
  // Pairs, so that shuffles are of equal types as long as the parts are.
  SmallVector<Value> level(parts);
  while (level.size() > 1) {
    SmallVector<Value> next;
    for (size_t i = 0; i + 1 < level.size(); i += 2) {
      int64_t count = 0;
      for (Value part : {level[i], level[i + 1]})
        count += cast<VectorType>(part.getType()).getNumElements();
      next.push_back(vector::ShuffleOp::create(
          b, loc, level[i], level[i + 1],
          llvm::to_vector(llvm::seq<int64_t>(0, count))));
    }
    if (level.size() % 2)
      next.push_back(level.back());
    level = next;
  }
  return level.front();
}

namespace {

template <typename OpTy> struct LanePattern : OpConversionPattern<OpTy> {
  LanePattern(const LaneTypeConverter &converter, MLIRContext *context)
      : OpConversionPattern<OpTy>(converter, context) {}
  VectorType vectorType(Value tile) const {
    return cast<VectorType>(
        this->getTypeConverter()->convertType(tile.getType()));
  }
};

/// Element-wise ops are those of vectors.
struct ElementwiseToLanes final : ConversionPattern {
  ElementwiseToLanes(const LaneTypeConverter &converter, MLIRContext *context)
      : ConversionPattern(converter, MatchAnyOpTypeTag(), /*benefit=*/1,
                          context) {}

  LogicalResult
  matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const override {
    if (op->getNumResults() != 1 || op->getNumRegions() ||
        !op->hasTrait<OpTrait::Elementwise>() ||
        !isa<RankedTensorType>(op->getResult(0).getType()))
      return rewriter.notifyMatchFailure(op, "is not element-wise on tiles");
    Type result = typeConverter->convertType(op->getResult(0).getType());
    if (!result)
      return rewriter.notifyMatchFailure(op, "has no layout");
    // A condition that all elements share.
    auto select = dyn_cast<arith::SelectOp>(op);
    if (select && !isa<ShapedType>(select.getCondition().getType())) {
      rewriter.replaceOpWithNewOp<arith::SelectOp>(op, operands[0], operands[1],
                                                   operands[2]);
      return success();
    }
    Operation *changed =
        rewriter.create(op->getLoc(), op->getName().getIdentifier(), operands,
                        {result}, op->getAttrs(), {}, {});
    rewriter.replaceOp(op, changed);
    return success();
  }
};

/// Coordinates are i32 in a lane.
struct IndexCastToLanes final : LanePattern<arith::IndexCastOp> {
  using LanePattern::LanePattern;
  LogicalResult
  matchAndRewrite(arith::IndexCastOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!isa<RankedTensorType>(op.getType()))
      return rewriter.notifyMatchFailure(op, "is no tile");
    VectorType type = vectorType(op.getResult());
    unsigned from = getElementTypeOrSelf(adaptor.getIn().getType())
                        .getIntOrFloatBitWidth(),
             to = type.getElementTypeBitWidth();
    if (from == to)
      rewriter.replaceOp(op, adaptor.getIn());
    else if (from < to)
      rewriter.replaceOpWithNewOp<arith::ExtSIOp>(op, type, adaptor.getIn());
    else
      rewriter.replaceOpWithNewOp<arith::TruncIOp>(op, type, adaptor.getIn());
    return success();
  }
};

struct ConstantToLanes final : LanePattern<arith::ConstantOp> {
  using LanePattern::LanePattern;
  LogicalResult
  matchAndRewrite(arith::ConstantOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto splat = dyn_cast<SplatElementsAttr>(op.getValue());
    if (!splat || !isa<RankedTensorType>(op.getType()))
      return rewriter.notifyMatchFailure(op, "is no constant tile");
    VectorType type = vectorType(op.getResult());
    Attribute value = splat.getSplatValue<Attribute>();
    if (auto integer = dyn_cast<IntegerAttr>(value);
        integer && integer.getType().isIndex())
      value = rewriter.getI32IntegerAttr(integer.getInt());
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(
        op, DenseElementsAttr::get(type, value));
    return success();
  }
};

struct IndexToLanes final : LanePattern<IndexOp> {
  using LanePattern::LanePattern;
  LogicalResult
  matchAndRewrite(IndexOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LaneBuilder lanes(rewriter, op.getLoc());
    LayoutAttr layout = layoutOf(op.getResult());
    VectorType type = vectorType(op.getResult());
    SmallVector<int32_t> fixed;
    for (int64_t reg = 0; reg < layout.getRegisters(); ++reg)
      fixed.push_back(layout.getRegisterOffset(reg)[op.getAxis()]);
    Value thread = vector::BroadcastOp::create(
        rewriter, op.getLoc(), type, lanes.threadOffset(layout, op.getAxis()));
    Value offsets = arith::ConstantOp::create(
        rewriter, op.getLoc(),
        DenseElementsAttr::get(type, ArrayRef<int32_t>(fixed)));
    rewriter.replaceOpWithNewOp<arith::AddIOp>(op, thread, offsets);
    return success();
  }
};

struct BroadcastToLanes final : LanePattern<BroadcastOp> {
  using LanePattern::LanePattern;
  LogicalResult
  matchAndRewrite(BroadcastOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    VectorType type = vectorType(op.getResult());
    Value source = adaptor.getSource();
    if (!isa<RankedTensorType>(op.getSource().getType())) {
      if (source.getType().isIndex())
        source = arith::IndexCastOp::create(rewriter, op.getLoc(),
                                            rewriter.getI32Type(), source);
      rewriter.replaceOpWithNewOp<vector::BroadcastOp>(op, type, source);
      return success();
    }
    auto order = registersOf(op);
    if (!order)
      return rewriter.notifyMatchFailure(op, "the layouts do not fit");
    rewriter.replaceOp(op, reorder(rewriter, op.getLoc(), source, *order));
    return success();
  }
};

/// Registers are renamed, and nothing moves: transposition, slices (which cut
/// the grid of repeats), and changes of layout of that kind.
template <typename OpTy> struct RenameToLanes final : LanePattern<OpTy> {
  using LanePattern<OpTy>::LanePattern;
  LogicalResult
  matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto order = registersOf(op);
    if (!order)
      return rewriter.notifyMatchFailure(op, "moves elements between threads");
    rewriter.replaceOp(
        op, reorder(rewriter, op.getLoc(), adaptor.getSource(), *order));
    return success();
  }
};

struct InsertSliceToLanes final : LanePattern<tensor::InsertSliceOp> {
  using LanePattern::LanePattern;
  LogicalResult
  matchAndRewrite(tensor::InsertSliceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto places = registersOf(op);
    if (!places)
      return rewriter.notifyMatchFailure(op, "moves elements between threads");
    int64_t count = layoutOf(op.getResult()).getRegisters();
    SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, count));
    for (auto [reg, place] : llvm::enumerate(*places))
      order[place] = count + static_cast<int64_t>(reg);
    rewriter.replaceOpWithNewOp<vector::ShuffleOp>(op, adaptor.getDest(),
                                                   adaptor.getSource(), order);
    return success();
  }
};

arith::AtomicRMWKind kindOf(Reduction kind, Type element) {
  bool isFloat = isa<FloatType>(element);
  switch (kind) {
  case Reduction::Sum:
    return isFloat ? arith::AtomicRMWKind::addf : arith::AtomicRMWKind::addi;
  case Reduction::Product:
    return isFloat ? arith::AtomicRMWKind::mulf : arith::AtomicRMWKind::muli;
  case Reduction::Maximum:
    return isFloat ? arith::AtomicRMWKind::maximumf
                   : arith::AtomicRMWKind::maxs;
  case Reduction::MaxNum:
    return arith::AtomicRMWKind::maxnumf;
  case Reduction::Minimum:
    return isFloat ? arith::AtomicRMWKind::minimumf
                   : arith::AtomicRMWKind::mins;
  case Reduction::MinNum:
    return arith::AtomicRMWKind::minnumf;
  }
  llvm_unreachable("a kind of reduction");
}

/// In the thread first, then between lanes.
struct ReduceToLanes final : LanePattern<ReduceOp> {
  using LanePattern::LanePattern;

  /// The value of the lane whose number is this one's xor `mask`.
  static Value shuffle(OpBuilder &b, Location loc, Value value, int64_t mask) {
    Type type = value.getType();
    unsigned bits = type.getIntOrFloatBitWidth();
    if (bits >= 32)
      return nv::ShuffleXorOp::create(b, loc, type, value, mask);
    Type narrow = b.getIntegerType(bits);
    Value word =
        type == narrow
            ? value
            : arith::BitcastOp::create(b, loc, narrow, value).getResult();
    word = arith::ExtUIOp::create(b, loc, b.getI32Type(), word);
    word = nv::ShuffleXorOp::create(b, loc, b.getI32Type(), word, mask);
    word = arith::TruncIOp::create(b, loc, narrow, word);
    return type == narrow
               ? word
               : arith::BitcastOp::create(b, loc, type, word).getResult();
  }

  LogicalResult
  matchAndRewrite(ReduceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    LayoutAttr from = layoutOf(op.getSource()), to = layoutOf(op.getResult());
    Type element = vectorType(op.getResult()).getElementType();
    arith::AtomicRMWKind kind = kindOf(op.getKind(), element);
    auto combine = [&](Value x, Value y) {
      return arith::getReductionOp(kind, rewriter, loc, x, y);
    };
    for (LayoutBasis basis : from.getWarp())
      if (basis.dim == static_cast<int64_t>(op.getAxis()))
        return rewriter.notifyMatchFailure(op, "reduces between warps");
    auto places = registersOf(op);
    if (!places)
      return rewriter.notifyMatchFailure(op, "the layouts do not fit");
    // The registers that are reduced to one, side by side.
    SmallVector<SmallVector<int64_t>> members(to.getRegisters());
    for (auto [reg, place] : llvm::enumerate(*places))
      members[place].push_back(static_cast<int64_t>(reg));
    SmallVector<Value> parts;
    for (size_t i = 0; i < members.front().size(); ++i) {
      SmallVector<int64_t> order;
      for (ArrayRef<int64_t> group : members)
        order.push_back(group[i]);
      parts.push_back(reorder(rewriter, loc, adaptor.getSource(), order));
    }
    // By halves: sums of many stay exact longer.
    while (parts.size() > 1) {
      SmallVector<Value> half;
      for (size_t i = 0; i + 1 < parts.size(); i += 2)
        half.push_back(combine(parts[i], parts[i + 1]));
      if (parts.size() % 2)
        half.push_back(parts.back());
      parts = half;
    }
    Value sum = parts.front();
    int64_t count = to.getRegisters();
    for (unsigned bit = 0; bit < kLaneBits; ++bit) {
      if (from.getLane()[bit].dim != static_cast<int64_t>(op.getAxis()))
        continue;
      SmallVector<Value> others;
      for (int64_t i = 0; i < count; ++i)
        others.push_back(shuffle(
            rewriter, loc, vector::ExtractOp::create(rewriter, loc, sum, i),
            int64_t(1) << bit));
      sum = combine(sum, vector::FromElementsOp::create(rewriter, loc,
                                                        sum.getType(), others));
    }
    rewriter.replaceOp(op, combine(adaptor.getInit(), sum));
    return success();
  }
};

struct ToLanes final : infini::impl::TileToLanesBase<ToLanes> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    if (failed(checkLayouts(getOperation())))
      return signalPassFailure();
    LaneTypeConverter converter;
    RewritePatternSet patterns(context);
    patterns.add<ElementwiseToLanes, IndexCastToLanes, ConstantToLanes,
                 IndexToLanes, BroadcastToLanes, RenameToLanes<TransposeOp>,
                 RenameToLanes<ConvertLayoutOp>,
                 RenameToLanes<tensor::ExtractSliceOp>, InsertSliceToLanes,
                 ReduceToLanes>(converter, context);
    AccessWidths widths = accessWidths(getOperation());
    populateAccessToLanesPatterns(converter, widths, patterns);
    populateDotToLanesPatterns(converter, patterns);
    ConversionTarget target(*context);
    target.addIllegalDialect<TileDialect>();
    target.markUnknownOpDynamicallyLegal(
        [&](Operation *op) { return converter.isLegal(op); });
    scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                         target);
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      return signalPassFailure();
    // Buffers' shapes are in the addresses now.
    SmallVector<Operation *> views;
    getOperation().walk([&](ViewLikeOpInterface op) { views.push_back(op); });
    for (Operation *op : llvm::reverse(views))
      if (op->use_empty())
        op->erase();
  }
};
} // namespace
