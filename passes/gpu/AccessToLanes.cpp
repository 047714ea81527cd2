// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads, stores, copies, and shared memory, for one lane.

#include "infini/dialect/lane/LaneOps.h"
#include "infini/passes/gpu/LaneBuilder.h"
#include "infini/passes/gpu/LayoutPlan.h"
#include "infini/passes/gpu/TileToLanes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;
using namespace infini;
using namespace infini::tile;

namespace {

template <typename OpTy> struct AccessPattern : OpConversionPattern<OpTy> {
  AccessPattern(const LaneTypeConverter &converter, const AccessWidths &widths,
                MLIRContext *context)
      : OpConversionPattern<OpTy>(converter, context), widths(widths) {}
  const AccessWidths &widths;
};

struct LoadToLanes final : AccessPattern<LoadOp> {
  using AccessPattern::AccessPattern;
  LogicalResult
  matchAndRewrite(LoadOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    LaneBuilder lanes(rewriter, loc);
    LayoutAttr layout = layoutOf(op.getResult());
    GlobalAccess access(lanes, op.getSource(), op.getMixedOffsets(),
                        op.getDims(), op.getMixedValid(), layout,
                        widths.lookup(op));
    int64_t width = access.getWidth();
    Type element = op.getType().getElementType();
    auto piece = VectorType::get({width}, element);
    TypedAttr pad = op.getPadAttr();
    SmallVector<Value> pieces;
    for (int64_t reg = 0; reg < layout.getRegisters(); reg += width) {
      Value valid = access.isValid(reg);
      Value loaded = nv::LoadGlobalOp::create(
          rewriter, loc, piece, access.getBase(), access.indexOf(reg), valid);
      if (valid && pad) {
        Value other = arith::ConstantOp::create(
            rewriter, loc, DenseElementsAttr::get(piece, Attribute(pad)));
        loaded = arith::SelectOp::create(rewriter, loc, valid, loaded, other);
      }
      pieces.push_back(loaded);
    }
    rewriter.replaceOp(op, concatenate(rewriter, loc, pieces));
    return success();
  }
};

struct StoreToLanes final : AccessPattern<StoreOp> {
  using AccessPattern::AccessPattern;
  LogicalResult
  matchAndRewrite(StoreOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    LaneBuilder lanes(rewriter, loc);
    LayoutAttr layout = layoutOf(op.getSource());
    GlobalAccess access(lanes, op.getDest(), op.getMixedOffsets(), op.getDims(),
                        op.getMixedValid(), layout, widths.lookup(op));
    int64_t width = access.getWidth();
    Value first = lanes.isFirstReplica(layout);
    for (int64_t reg = 0; reg < layout.getRegisters(); reg += width)
      nv::StoreGlobalOp::create(
          rewriter, loc, slice(rewriter, loc, adaptor.getSource(), reg, width),
          access.getBase(), access.indexOf(reg),
          lanes.both(first, access.isValid(reg)));
    rewriter.eraseOp(op);
    return success();
  }
};

struct GatherToLanes final : AccessPattern<GatherOp> {
  using AccessPattern::AccessPattern;
  LogicalResult
  matchAndRewrite(GatherOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    LaneBuilder lanes(rewriter, loc);
    LayoutAttr layout = layoutOf(op.getResult());
    BufferView view = lanes.view(op.getSource());
    MemRefType buffer = op.getSource().getType();
    int64_t rank = buffer.getRank(), width = 1;
    // Neighbours in the tile that are neighbours in the buffer.
    if (rank && !buffer.isDynamicDim(rank - 1) &&
        isColumnOf(op.getIndices().back(), op.getType(),
                   buffer.getShape().back()) &&
        llvm::all_of(op.getIndices().drop_back(), isSameInRow))
      width = std::gcd(layout.getContiguous(op.getType().getRank() - 1),
                       std::gcd(buffer.getShape().back(),
                                16 / bytesOf(buffer.getElementType())));
    SmallVector<Value> last;
    for (OpFoldResult size : view.sizes)
      last.push_back(lanes.add(lanes.index(size), lanes.index(-1)));
    if (width > 1)
      last.back() = lanes.index(buffer.getShape().back() - width);
    auto piece = VectorType::get({width}, buffer.getElementType());
    SmallVector<Value> pieces;
    for (int64_t reg = 0; reg < layout.getRegisters(); reg += width) {
      Value place = lanes.index(0);
      for (int64_t dim = 0; dim < rank; ++dim) {
        Value position = adaptor.getIndices()[dim];
        if (!position.getType().isIndex())
          position = lanes.toIndex(
              vector::ExtractOp::create(rewriter, loc, position, reg));
        position = arith::MinSIOp::create(rewriter, loc, position, last[dim]);
        position =
            arith::MaxSIOp::create(rewriter, loc, position, lanes.index(0));
        place = lanes.add(place, lanes.multiply(position, view.strides[dim]));
      }
      pieces.push_back(nv::LoadGlobalOp::create(rewriter, loc, piece, view.base,
                                                place, Value()));
    }
    rewriter.replaceOp(op, concatenate(rewriter, loc, pieces));
    return success();
  }

  /// Whether an index is the same along the tile's last dimension.
  static bool isSameInRow(Value index) {
    auto type = dyn_cast<RankedTensorType>(index.getType());
    Operation *op = index.getDefiningOp();
    if (!type)
      return true;
    if (!op || type.getRank() == 0)
      return false;
    int64_t last = type.getRank() - 1;
    if (auto broadcast = dyn_cast<BroadcastOp>(op))
      return llvm::is_contained(broadcast.getAxes(), last);
    if (auto coordinate = dyn_cast<IndexOp>(op))
      return static_cast<int64_t>(coordinate.getAxis()) != last;
    return isa<arith::ConstantOp>(op) ||
           (op->hasTrait<OpTrait::Elementwise>() &&
            llvm::all_of(op->getOperands(), isSameInRow));
  }

  /// Whether an index is the tile's last coordinate, and the tile is no wider
  /// than the buffer.
  static bool isColumnOf(Value index, RankedTensorType type, int64_t size) {
    auto column = index.getDefiningOp<IndexOp>();
    return column && type.getRank() && type.getShape().back() <= size &&
           static_cast<int64_t>(column.getAxis()) == type.getRank() - 1;
  }
};

struct CopyAsyncToLanes final : AccessPattern<tile::CopyAsyncOp> {
  using AccessPattern::AccessPattern;
  LogicalResult
  matchAndRewrite(tile::CopyAsyncOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    LaneBuilder lanes(rewriter, loc);
    MemRefType buffer = op.getDest().getType();
    auto threads = op->getParentOfType<ModuleOp>()->getAttrOfType<IntegerAttr>(
        "program.threads");
    if (!threads)
      return rewriter.notifyMatchFailure(op, "the kernel has no number of "
                                             "threads");
    int64_t widest = widths.lookup(op);
    LayoutAttr layout =
        coalescedLayout(getContext(), buffer.getShape(), buffer.getShape(),
                        widest, threads.getInt() / kWarpSize);
    GlobalAccess access(lanes, op.getSource(), op.getMixedOffsets(),
                        op.getDims(), op.getMixedValid(), layout, widest);
    int64_t width = access.getWidth(),
            bytes = width * bytesOf(buffer.getElementType());
    if (bytes < 4)
      return rewriter.notifyMatchFailure(op, "pieces of less than 4 bytes");
    SmallVector<Value> thread;
    for (int64_t dim = 0; dim < buffer.getRank(); ++dim)
      thread.push_back(lanes.threadOffset(layout, dim));
    // One of the threads that would copy the same piece does. The instruction's
    // predicate says zeros, not nothing: so a branch.
    OpBuilder::InsertionGuard guard(rewriter);
    if (Value first = lanes.isFirstReplica(layout)) {
      auto branch = scf::IfOp::create(rewriter, loc, first);
      rewriter.setInsertionPointToStart(branch.thenBlock());
    }
    for (int64_t reg = 0; reg < layout.getRegisters(); reg += width)
      nv::CopyAsyncOp::create(
          rewriter, loc, access.getBase(), access.indexOf(reg),
          lanes.sharedAddress(buffer, adaptor.getDest(), thread,
                              layout.getRegisterOffset(reg)),
          access.isValid(reg), bytes);
    rewriter.eraseOp(op);
    return success();
  }
};

/// How many registers of a tile are moved to or from shared memory at once.
int64_t sharedWidth(LayoutAttr layout, MemRefType buffer,
                    ArrayRef<int64_t> offsets) {
  int64_t last = buffer.getRank() - 1;
  int64_t width = std::min(layout.getContiguous(last),
                           16 / bytesOf(buffer.getElementType()));
  while (offsets[last] % width != 0)
    width /= 2;
  return width;
}

SmallVector<Value> sharedThread(LaneBuilder &lanes, LayoutAttr layout,
                                ArrayRef<int64_t> offsets) {
  SmallVector<Value> thread;
  for (auto [dim, offset] : llvm::enumerate(offsets))
    thread.push_back(
        lanes.add(lanes.threadOffset(layout, dim), lanes.i32(offset)));
  return thread;
}

struct WriteToLanes final : AccessPattern<WriteOp> {
  using AccessPattern::AccessPattern;
  LogicalResult
  matchAndRewrite(WriteOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    LaneBuilder lanes(rewriter, loc);
    LayoutAttr layout = layoutOf(op.getSource());
    MemRefType buffer = op.getDest().getType();
    int64_t width = sharedWidth(layout, buffer, op.getOffsets());
    SmallVector<Value> thread = sharedThread(lanes, layout, op.getOffsets());
    Value first = lanes.isFirstReplica(layout);
    for (int64_t reg = 0; reg < layout.getRegisters(); reg += width)
      nv::StoreSharedOp::create(
          rewriter, loc, slice(rewriter, loc, adaptor.getSource(), reg, width),
          lanes.sharedAddress(buffer, adaptor.getDest(), thread,
                              layout.getRegisterOffset(reg)),
          first);
    rewriter.eraseOp(op);
    return success();
  }
};

struct ReadToLanes final : AccessPattern<ReadOp> {
  using AccessPattern::AccessPattern;
  LogicalResult
  matchAndRewrite(ReadOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    LaneBuilder lanes(rewriter, loc);
    LayoutAttr layout = layoutOf(op.getResult());
    MemRefType buffer = op.getSource().getType();
    int64_t width = sharedWidth(layout, buffer, op.getOffsets());
    SmallVector<Value> thread = sharedThread(lanes, layout, op.getOffsets());
    auto piece = VectorType::get({width}, buffer.getElementType());
    SmallVector<Value> pieces;
    for (int64_t reg = 0; reg < layout.getRegisters(); reg += width)
      pieces.push_back(nv::LoadSharedOp::create(
          rewriter, loc, piece,
          lanes.sharedAddress(buffer, adaptor.getSource(), thread,
                              layout.getRegisterOffset(reg))));
    rewriter.replaceOp(op, concatenate(rewriter, loc, pieces));
    return success();
  }
};

struct AllocToLanes final : AccessPattern<AllocOp> {
  using AccessPattern::AccessPattern;
  LogicalResult
  matchAndRewrite(AllocOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!op.getOffset())
      return rewriter.notifyMatchFailure(op, "has no place in shared memory");
    LaneBuilder lanes(rewriter, op.getLoc());
    rewriter.replaceOp(op, lanes.i32(*op.getOffset()));
    return success();
  }
};

struct SlotToLanes final : AccessPattern<SlotOp> {
  using AccessPattern::AccessPattern;
  LogicalResult
  matchAndRewrite(SlotOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LaneBuilder lanes(rewriter, op.getLoc());
    Value number = arith::IndexCastOp::create(
        rewriter, op.getLoc(), rewriter.getI32Type(), adaptor.getIndex());
    MemRefType type = op.getType();
    int64_t bytes = cast<SharedAttr>(type.getMemorySpace()).getPitch();
    for (int64_t size : type.getShape().drop_back())
      bytes *= size;
    rewriter.replaceOp(op, lanes.add(adaptor.getSource(),
                                     lanes.multiply(number, lanes.i32(bytes))));
    return success();
  }
};

template <typename From, typename To>
struct SameOp final : AccessPattern<From> {
  using AccessPattern<From>::AccessPattern;
  LogicalResult
  matchAndRewrite(From op, typename From::Adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<To>(op, TypeRange(), ValueRange(),
                                    op->getAttrs());
    return success();
  }
};
} // namespace

AccessWidths infini::accessWidths(Operation *root) {
  AccessWidths widths;
  auto note = [&](auto op, Value buffer, ArrayRef<int64_t> shape) {
    widths[op] =
        accessWidth(cast<MemRefType>(buffer.getType()), op.getMixedOffsets(),
                    op.getDims(), op.getMixedValid(), shape);
  };
  root->walk(
      [&](LoadOp op) { note(op, op.getSource(), op.getType().getShape()); });
  root->walk([&](StoreOp op) {
    note(op, op.getDest(), op.getSource().getType().getShape());
  });
  root->walk([&](tile::CopyAsyncOp op) {
    note(op, op.getSource(), op.getDest().getType().getShape());
  });
  return widths;
}

void infini::populateAccessToLanesPatterns(const LaneTypeConverter &converter,
                                           const AccessWidths &widths,
                                           RewritePatternSet &patterns) {
  patterns.add<LoadToLanes, StoreToLanes, GatherToLanes, CopyAsyncToLanes,
               WriteToLanes, ReadToLanes, AllocToLanes, SlotToLanes,
               SameOp<CommitCopiesOp, nv::CommitCopiesOp>,
               SameOp<WaitCopiesOp, nv::WaitCopiesOp>,
               SameOp<BarrierOp, nv::BarrierOp>>(converter, widths,
                                                 patterns.getContext());
}
