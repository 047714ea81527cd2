// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the layouts of an op's tiles depend on each other.

#include "infini/passes/gpu/LayoutRelation.h"
#include "infini/passes/gpu/TileToLanes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace infini;
using namespace infini::tile;

namespace {
/// Elements of `part` are elements of `whole`, at `offsets` plus theirs along
/// `dims` (LayoutAttr::registersFrom).
struct Relation {
  Value part, whole;
  SmallVector<int64_t> dims, offsets;
};
} // namespace

static int64_t rankOf(Value tile) {
  return cast<RankedTensorType>(tile.getType()).getRank();
}

/// The places of a tile's dimensions in one that lacks those at `axes`.
static SmallVector<int64_t> withoutAxes(int64_t rank, ArrayRef<int64_t> axes) {
  SmallVector<int64_t> dims;
  int64_t next = 0;
  for (int64_t dim = 0; dim < rank; ++dim)
    dims.push_back(llvm::is_contained(axes, dim) ? -1 : next++);
  return dims;
}

static Relation relationOf(Value part, Value whole, ArrayRef<int64_t> dims) {
  return {part, whole, SmallVector<int64_t>(dims),
          SmallVector<int64_t>(rankOf(whole), 0)};
}

template <typename OpTy>
static std::optional<Relation> relationOfSlice(OpTy op, Value part,
                                               Value whole) {
  if (!op.hasUnitStride() ||
      llvm::any_of(op.getStaticOffsets(), ShapedType::isDynamic))
    return std::nullopt;
  llvm::SmallBitVector dropped = op.getDroppedDims();
  SmallVector<int64_t> dims;
  for (int64_t dim = 0; dim < rankOf(whole); ++dim)
    if (!dropped.test(dim))
      dims.push_back(dim);
  return Relation{part, whole, dims,
                  SmallVector<int64_t>(op.getStaticOffsets())};
}

static std::optional<Relation> relationOf(Operation *op) {
  using Result = std::optional<Relation>;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([](ConvertLayoutOp op) -> Result {
        return relationOf(
            op.getResult(), op.getSource(),
            llvm::to_vector(llvm::seq<int64_t>(0, rankOf(op.getSource()))));
      })
      .Case([](BroadcastOp op) -> Result {
        if (!isa<RankedTensorType>(op.getSource().getType()))
          return std::nullopt;
        return relationOf(op.getResult(), op.getSource(),
                          withoutAxes(rankOf(op.getResult()), op.getAxes()));
      })
      .Case([](TransposeOp op) -> Result {
        return relationOf(op.getResult(), op.getSource(), op.getPermutation());
      })
      .Case([](ReduceOp op) -> Result {
        return relationOf(op.getSource(), op.getResult(),
                          withoutAxes(rankOf(op.getSource()),
                                      static_cast<int64_t>(op.getAxis())));
      })
      .Case([](tensor::ExtractSliceOp op) {
        return relationOfSlice(op, op.getResult(), op.getSource());
      })
      .Case([](tensor::InsertSliceOp op) {
        return relationOfSlice(op, op.getSource(), op.getResult());
      })
      .Default(std::nullopt);
}

static std::optional<SmallVector<int64_t>>
registersOf(const Relation &relation) {
  return layoutOf(relation.part)
      .registersFrom(layoutOf(relation.whole), relation.dims, relation.offsets);
}

std::optional<SmallVector<int64_t>> infini::registersOf(Operation *op) {
  std::optional<Relation> relation = relationOf(op);
  return relation ? ::registersOf(*relation) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

static LogicalResult checkTiles(Operation *op, IntegerAttr threads) {
  for (Type type : op->getResultTypes()) {
    auto tile = dyn_cast<RankedTensorType>(type);
    if (!tile)
      continue;
    auto layout = dyn_cast_or_null<LayoutAttr>(tile.getEncoding());
    if (!layout)
      return op->emitOpError("expected tiles with a layout, got ") << tile;
    if (threads && threads.getInt() != layout.getThreads())
      return op->emitOpError("expected a layout of the kernel's ")
             << threads.getInt() << " threads ('program.threads'), got "
             << layout.getThreads() << ": " << layout;
  }
  return success();
}

/// Ops on one element each take all from the same register.
static LogicalResult checkSameLayout(Operation *op) {
  if (op->getNumResults() != 1 ||
      !isa<RankedTensorType>(op->getResult(0).getType()) ||
      !(op->hasTrait<OpTrait::Elementwise>() || isa<GatherOp>(op)))
    return success();
  LayoutAttr layout = layoutOf(op->getResult(0));
  for (auto [i, operand] : llvm::enumerate(op->getOperands()))
    if (isa<RankedTensorType>(operand.getType()) && layoutOf(operand) != layout)
      return op->emitOpError("expected operand ")
             << i << " to have the result's layout, " << layout << ", got "
             << layoutOf(operand);
  return success();
}

static LogicalResult checkRelation(Operation *op) {
  std::optional<Relation> relation = relationOf(op);
  if (!relation)
    return isa<OffsetSizeAndStrideOpInterface>(op)
               ? op->emitOpError("expected a slice with static offsets and "
                                 "sizes, and strides of 1")
               : success();
  if (::registersOf(*relation))
    return success();
  return op->emitOpError("expected layouts by which no thread needs an element "
                         "of another one's, got ")
         << layoutOf(op->getOperand(0)) << " of the source and "
         << layoutOf(op->getResult(0)) << " of the result";
}

LogicalResult infini::checkLayouts(ModuleOp module) {
  auto threads = module->getAttrOfType<IntegerAttr>("program.threads");
  WalkResult result = module.walk([&](Operation *op) {
    return failed(checkTiles(op, threads)) || failed(checkSameLayout(op)) ||
                   failed(checkRelation(op))
               ? WalkResult::interrupt()
               : WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}
