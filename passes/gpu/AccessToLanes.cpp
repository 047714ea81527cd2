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

/// A pattern knows its op's place, and makes code there.
template <typename OpTy> struct AccessPattern : OpConversionPattern<OpTy> {
  using OpAdaptor = typename OpTy::Adaptor;

  AccessPattern(const LaneTypeConverter &converter, const AccessWidths &widths,
                MLIRContext *context)
      : OpConversionPattern<OpTy>(converter, context), widths(widths) {}

  LogicalResult
  matchAndRewrite(OpTy op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    LaneBuilder lanes(rewriter, op.getLoc());
    return rewrite(op, adaptor, lanes, rewriter);
  }
  virtual LogicalResult rewrite(OpTy op, OpAdaptor adaptor, LaneBuilder &lanes,
                                ConversionPatternRewriter &rewriter) const = 0;

  const AccessWidths &widths;
};

/// The pieces of `width` registers that a tile is made of.
Value pieces(LaneBuilder &lanes, LayoutAttr layout, int64_t width,
             llvm::function_ref<Value(int64_t reg)> piece) {
  SmallVector<Value> parts;
  for (int64_t reg = 0; reg < layout.getRegisters(); reg += width)
    parts.push_back(piece(reg));
  return concatenate(lanes.b, lanes.loc, parts);
}

struct LoadToLanes final : AccessPattern<LoadOp> {
  using AccessPattern::AccessPattern;
  LogicalResult rewrite(LoadOp op, OpAdaptor, LaneBuilder &lanes,
                        ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    LayoutAttr layout = layoutOf(op.getResult());
    GlobalAccess access(lanes, op.getSource(), op.getMixedOffsets(),
                        op.getDims(), op.getMixedValid(), layout,
                        widths.lookup(op));
    int64_t width = access.getWidth();
    Type element = op.getType().getElementType();
    auto piece = VectorType::get({width}, element);
    TypedAttr pad = op.getPadAttr();
    auto load = [&](int64_t reg) -> Value {
      Value valid = access.isValid(reg);
      Value loaded = nv::LoadGlobalOp::create(
          rewriter, loc, piece, access.getBase(), access.indexOf(reg), valid);
      if (!valid || !pad)
        return loaded;
      Value other = arith::ConstantOp::create(
          rewriter, loc, DenseElementsAttr::get(piece, Attribute(pad)));
      return arith::SelectOp::create(rewriter, loc, valid, loaded, other);
    };
    rewriter.replaceOp(op, pieces(lanes, layout, width, load));
    return success();
  }
};

struct StoreToLanes final : AccessPattern<StoreOp> {
  using AccessPattern::AccessPattern;
  LogicalResult rewrite(StoreOp op, OpAdaptor adaptor, LaneBuilder &lanes,
                        ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
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
  LogicalResult rewrite(GatherOp op, OpAdaptor adaptor, LaneBuilder &lanes,
                        ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
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
    auto load = [&](int64_t reg) -> Value {
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
      return nv::LoadGlobalOp::create(rewriter, loc, piece, view.base, place,
                                      Value());
    };
    rewriter.replaceOp(op, pieces(lanes, layout, width, load));
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
  LogicalResult rewrite(tile::CopyAsyncOp op, OpAdaptor adaptor,
                        LaneBuilder &lanes,
                        ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
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

/// An access of a tile to a buffer in shared memory.
class SharedAccess {
public:
  SharedAccess(LaneBuilder &lanes, LayoutAttr layout, MemRefType buffer,
               Value base, ArrayRef<int64_t> offsets)
      : lanes(lanes), layout(layout), buffer(buffer), base(base) {
    int64_t last = buffer.getRank() - 1;
    width = std::min(layout.getContiguous(last),
                     16 / bytesOf(buffer.getElementType()));
    while (offsets[last] % width != 0)
      width /= 2;
    for (auto [dim, offset] : llvm::enumerate(offsets))
      thread.push_back(
          lanes.add(lanes.threadOffset(layout, dim), lanes.i32(offset)));
  }

  /// How many registers are moved at once.
  int64_t getWidth() const { return width; }
  Value addressOf(int64_t reg) {
    return lanes.sharedAddress(buffer, base, thread,
                               layout.getRegisterOffset(reg));
  }

private:
  LaneBuilder &lanes;
  LayoutAttr layout;
  MemRefType buffer;
  Value base;
  int64_t width;
  SmallVector<Value> thread;
};

struct WriteToLanes final : AccessPattern<WriteOp> {
  using AccessPattern::AccessPattern;
  LogicalResult rewrite(WriteOp op, OpAdaptor adaptor, LaneBuilder &lanes,
                        ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    LayoutAttr layout = layoutOf(op.getSource());
    SharedAccess access(lanes, layout, op.getDest().getType(),
                        adaptor.getDest(), op.getOffsets());
    int64_t width = access.getWidth();
    Value first = lanes.isFirstReplica(layout);
    for (int64_t reg = 0; reg < layout.getRegisters(); reg += width)
      nv::StoreSharedOp::create(
          rewriter, loc, slice(rewriter, loc, adaptor.getSource(), reg, width),
          access.addressOf(reg), first);
    rewriter.eraseOp(op);
    return success();
  }
};

struct ReadToLanes final : AccessPattern<ReadOp> {
  using AccessPattern::AccessPattern;
  LogicalResult rewrite(ReadOp op, OpAdaptor adaptor, LaneBuilder &lanes,
                        ConversionPatternRewriter &rewriter) const override {
    LayoutAttr layout = layoutOf(op.getResult());
    SharedAccess access(lanes, layout, op.getSource().getType(),
                        adaptor.getSource(), op.getOffsets());
    auto piece =
        VectorType::get({access.getWidth()}, op.getType().getElementType());
    auto load = [&](int64_t reg) -> Value {
      return nv::LoadSharedOp::create(rewriter, op.getLoc(), piece,
                                      access.addressOf(reg));
    };
    rewriter.replaceOp(op, pieces(lanes, layout, access.getWidth(), load));
    return success();
  }
};

struct AllocToLanes final : AccessPattern<AllocOp> {
  using AccessPattern::AccessPattern;
  LogicalResult rewrite(AllocOp op, OpAdaptor, LaneBuilder &lanes,
                        ConversionPatternRewriter &rewriter) const override {
    if (!op.getOffset())
      return rewriter.notifyMatchFailure(op, "has no place in shared memory");
    rewriter.replaceOp(op, lanes.i32(*op.getOffset()));
    return success();
  }
};

struct SlotToLanes final : AccessPattern<SlotOp> {
  using AccessPattern::AccessPattern;
  LogicalResult rewrite(SlotOp op, OpAdaptor adaptor, LaneBuilder &lanes,
                        ConversionPatternRewriter &rewriter) const override {
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
  LogicalResult rewrite(From op, typename From::Adaptor, LaneBuilder &,
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
