// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel whose tiles would not fit a block's registers is cut along a
// dimension that nothing is summed over: the columns of a memory, for one. Each
// part is a block of its own; what does not have the dimension is computed by
// all of them, and stored by the first.

#include "infini/dialect/program/ProgramOps.h"
#include "infini/dialect/tile/TileOps.h"
#include "infini/passes/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include <map>
#include <set>

namespace infini {
#define GEN_PASS_DEF_TILESPLITBLOCKS
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;
using namespace infini::tile;

namespace {

/// A dimension of a tile.
using Axis = std::pair<void *, int64_t>;

/// Dimensions that are cut together, or not at all.
class Dimensions {
public:
  explicit Dimensions(func::FuncOp function);

  /// How many parts the largest tiles are to be cut into, and along what:
  /// afterwards isCut() answers. False where there is no such dimension.
  bool choose(int64_t elements, int64_t least);
  int64_t getParts() const { return parts; }
  /// The tile's dimension that is cut, or -1.
  int64_t cutOf(Value tile) const;

private:
  static Axis axisOf(Value value, int64_t dim) {
    return {value.getAsOpaquePointer(), dim};
  }
  void join(Value x, int64_t dimX, Value y, int64_t dimY) {
    classes.unionSets(axisOf(x, dimX), axisOf(y, dimY));
  }
  void joinAll(Value x, Value y) {
    for (int64_t dim = 0; dim < rankOf(x); ++dim)
      join(x, dim, y, dim);
  }
  void keep(Value value, int64_t dim) { kept.push_back(axisOf(value, dim)); }
  void keepAll(Value value) {
    for (int64_t dim = 0; dim < rankOf(value); ++dim)
      keep(value, dim);
  }
  static int64_t rankOf(Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type ? type.getRank() : 0;
  }
  void visit(Operation *op);
  void visitProduct(DotOp op);
  template <typename OpTy> void visitAccess(OpTy op, Value tile);
  bool canCut(Axis leader) const;

  mutable func::FuncOp function;
  llvm::EquivalenceClasses<Axis> classes;
  /// Dimensions that something runs over as a whole.
  SmallVector<Axis> kept;
  std::map<void *, Value> values;
  std::optional<Axis> chosen;
  int64_t parts = 1;
};

} // namespace

Dimensions::Dimensions(func::FuncOp function) : function(function) {
  auto add = [&](Value value) {
    values[value.getAsOpaquePointer()] = value;
    for (int64_t dim = 0; dim < rankOf(value); ++dim)
      classes.insert(axisOf(value, dim));
  };
  function.walk([&](Operation *op) {
    for (Value result : op->getResults())
      add(result);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (BlockArgument argument : block.getArguments())
          add(argument);
  });
  function.walk([&](Operation *op) { visit(op); });
}

void Dimensions::visitProduct(DotOp op) {
  Value a = op.getA(), b = op.getB();
  int64_t rankA = rankOf(a), rankB = rankOf(b);
  int64_t depthA = rankA == 2 ? !op.getTransposeA() : 0,
          depthB = rankB == 2 ? int64_t(op.getTransposeB()) : 0;
  join(a, depthA, b, depthB);
  keep(a, depthA);
  if (rankA == 2)
    join(a, 1 - depthA, op.getResult(), 0);
  if (rankB == 2)
    join(b, 1 - depthB, op.getResult(), rankA == 2 ? 1 : 0);
  joinAll(op.getAcc(), op.getResult());
}

/// Whether a place depends on which block of the grid it is.
static bool isPlaceOfBlock(OpFoldResult place) {
  auto value = dyn_cast<Value>(place);
  if (!value)
    return false;
  if (auto argument = dyn_cast<BlockArgument>(value))
    return isa<scf::ForallOp>(argument.getOwner()->getParentOp());
  return llvm::any_of(value.getDefiningOp()->getOperands(),
                      [](Value operand) { return isPlaceOfBlock(operand); });
}

/// What the grid has cut already is as large as its blocks are to be, and what
/// lies at a buffer's edge is not cut.
template <typename OpTy> void Dimensions::visitAccess(OpTy op, Value tile) {
  SmallVector<OpFoldResult> valid = op.getMixedValid(),
                            offsets = op.getMixedOffsets();
  auto type = cast<RankedTensorType>(tile.getType());
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (isPlaceOfBlock(offsets[op.getDims()[dim]]) ||
        (!valid.empty() &&
         getConstantIntValue(valid[dim]).value_or(0) < type.getDimSize(dim)))
      keep(tile, dim);
}

void Dimensions::visit(Operation *op) {
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    for (auto [init, argument, yielded, result] :
         llvm::zip(loop.getInitArgs(), loop.getRegionIterArgs(),
                   loop.getYieldedValues(), loop.getResults()))
      for (Value other : {Value(argument), yielded, Value(result)})
        joinAll(init, other);
    return;
  }
  if (auto dot = dyn_cast<DotOp>(op))
    return visitProduct(dot);
  if (auto load = dyn_cast<LoadOp>(op))
    return visitAccess(load, load.getResult());
  if (auto store = dyn_cast<StoreOp>(op))
    return visitAccess(store, store.getSource());
  if (auto reduce = dyn_cast<ReduceOp>(op)) {
    int64_t axis = reduce.getAxis();
    keep(reduce.getSource(), axis);
    for (int64_t dim = 0; dim < rankOf(reduce.getResult()); ++dim) {
      join(reduce.getSource(), dim + (dim >= axis), reduce.getResult(), dim);
      join(reduce.getInit(), dim, reduce.getResult(), dim);
    }
    return;
  }
  if (auto broadcast = dyn_cast<BroadcastOp>(op)) {
    int64_t from = 0;
    for (int64_t dim = 0; dim < rankOf(broadcast.getResult()); ++dim)
      if (!llvm::is_contained(broadcast.getAxes(), dim))
        join(broadcast.getSource(), from++, broadcast.getResult(), dim);
    return;
  }
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    for (auto [to, from] : llvm::enumerate(transpose.getPermutation()))
      join(transpose.getSource(), from, transpose.getResult(), to);
    return;
  }
  auto joinSlice = [&](Value whole, Value part, ArrayRef<int64_t> offsets,
                       ArrayRef<int64_t> sizes) {
    auto type = cast<RankedTensorType>(whole.getType());
    if (rankOf(part) != type.getRank()) {
      keepAll(whole);
      return keepAll(part);
    }
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      if (offsets[dim] == 0 && sizes[dim] == type.getDimSize(dim)) {
        join(whole, dim, part, dim);
        continue;
      }
      keep(whole, dim);
      keep(part, dim);
    }
  };
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    return joinSlice(slice.getSource(), slice.getResult(),
                     slice.getStaticOffsets(), slice.getStaticSizes());
  if (auto slice = dyn_cast<tensor::InsertSliceOp>(op)) {
    joinAll(slice.getDest(), slice.getResult());
    return joinSlice(slice.getDest(), slice.getSource(),
                     slice.getStaticOffsets(), slice.getStaticSizes());
  }
  if (isa<arith::ConstantOp, IndexOp>(op))
    return;
  bool elementwise = op->hasTrait<OpTrait::Elementwise>() || isa<GatherOp>(op);
  for (Value operand : op->getOperands())
    if (rankOf(operand)) {
      if (elementwise && op->getNumResults() == 1)
        joinAll(operand, op->getResult(0));
      else if (!isa<scf::YieldOp>(op))
        keepAll(operand);
    }
  if (!elementwise)
    for (Value result : op->getResults())
      keepAll(result);
}

/// Whether no member is run over as a whole, no tile is cut twice, and no
/// product would be computed by each part again.
bool Dimensions::canCut(Axis leader) const {
  WalkResult products = function.walk([&](DotOp op) {
    if (op.getType().getRank() < 2)
      return WalkResult::advance();
    for (int64_t dim : {0, 1})
      if (classes.isEquivalent(axisOf(op.getResult(), dim), leader))
        return WalkResult::advance();
    return WalkResult::interrupt();
  });
  if (products.wasInterrupted())
    return false;
  for (const Axis &axis : kept)
    if (classes.isEquivalent(axis, leader))
      return false;
  std::set<void *> seen;
  for (auto member = classes.findLeader(leader); member != classes.member_end();
       ++member)
    if (!seen.insert(member->first).second)
      return false;
  return true;
}

/// Into how many parts a dimension is cut: the fewest that are small enough,
/// else the most. Matrix units want whole parts of 16, where there are such.
static int64_t partsOf(int64_t size, int64_t tile, int64_t elements,
                       int64_t least) {
  for (int64_t unit : {16, 1}) {
    int64_t best = 1;
    for (int64_t count = 2; count <= size / least; ++count)
      if (size % (count * unit) == 0 && tile / best > elements)
        best = count;
    if (best > 1)
      return best;
  }
  return 1;
}

bool Dimensions::choose(int64_t elements, int64_t least) {
  // The largest tile that a loop carries.
  Value largest;
  int64_t most = elements;
  function.walk([&](scf::ForOp loop) {
    for (Value result : loop.getResults())
      if (auto type = dyn_cast<RankedTensorType>(result.getType()))
        if (type.getNumElements() > most) {
          most = type.getNumElements();
          largest = result;
        }
  });
  if (!largest)
    return false;
  auto type = cast<RankedTensorType>(largest.getType());
  for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
    int64_t count = partsOf(type.getDimSize(dim), most, elements, least);
    if (count == 1 || !canCut(axisOf(largest, dim)))
      continue;
    chosen = axisOf(largest, dim);
    parts = count;
    return true;
  }
  return false;
}

int64_t Dimensions::cutOf(Value tile) const {
  for (int64_t dim = 0; dim < rankOf(tile); ++dim)
    if (classes.isEquivalent(axisOf(tile, dim), *chosen))
      return dim;
  return -1;
}

namespace {
struct SplitBlocks final : infini::impl::TileSplitBlocksBase<SplitBlocks> {
  using TileSplitBlocksBase::TileSplitBlocksBase;

  void runOnOperation() override {
    if (elements < 1 || least < 1) {
      getOperation().emitError("expected options 'elements' and 'least' to be "
                               "at least 1, got ")
          << int64_t(elements) << " and " << int64_t(least);
      return signalPassFailure();
    }
    func::FuncOp function = program::kernelFunction(getOperation());
    if (!function || !function.getBody().hasOneBlock() ||
        getOperation()->hasAttr(program::kFallback))
      return;
    IRRewriter rewriter(&getContext());
    ownFreeTiles(function, rewriter);
    Dimensions dimensions(function);
    if (!dimensions.choose(elements, least) ||
        !canStoreOnce(function, dimensions))
      return;
    cut(function, dimensions, rewriter);
    ++split;
  }

  /// Whether a tile is made of constants, coordinates, and numbers alone.
  static bool isFree(Value tile) {
    Operation *op = tile.getDefiningOp();
    if (!op)
      return false;
    if (isa<arith::ConstantOp, IndexOp>(op))
      return true;
    if (auto broadcast = dyn_cast<BroadcastOp>(op))
      return !isa<RankedTensorType>(broadcast.getSource().getType());
    return op->hasTrait<OpTrait::Elementwise>() &&
           llvm::all_of(op->getOperands(), [](Value operand) {
             return !isa<RankedTensorType>(operand.getType()) ||
                    isFree(operand);
           });
  }

  /// A constant or a mask says nothing about the dimensions of those that use
  /// it: each use has its own.
  static void ownFreeTiles(func::FuncOp function, RewriterBase &b) {
    SmallVector<Operation *> ops;
    function.walk([&](Operation *op) {
      if (op->getNumResults() == 1 &&
          isa<RankedTensorType>(op->getResult(0).getType()) &&
          isFree(op->getResult(0)))
        ops.push_back(op);
    });
    // Users first: their copies are uses, too.
    for (Operation *op : llvm::reverse(ops)) {
      SmallVector<OpOperand *> uses;
      for (OpOperand &use : op->getUses())
        uses.push_back(&use);
      for (OpOperand *use : llvm::drop_begin(uses)) {
        b.setInsertionPointAfter(op);
        use->set(b.clone(*op)->getResult(0));
      }
    }
  }

  /// What all blocks compute and one stores must not be read by the others.
  static bool canStoreOnce(func::FuncOp function,
                           const Dimensions &dimensions) {
    auto rootOf = [](Value buffer) {
      while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
        buffer = view.getViewSource();
      return buffer;
    };
    llvm::SmallPtrSet<Value, 4> read;
    function.walk([&](LoadOp op) { read.insert(rootOf(op.getSource())); });
    function.walk([&](GatherOp op) { read.insert(rootOf(op.getSource())); });
    WalkResult result = function.walk([&](StoreOp op) {
      return dimensions.cutOf(op.getSource()) < 0 &&
                     read.contains(rootOf(op.getDest()))
                 ? WalkResult::interrupt()
                 : WalkResult::advance();
    });
    return !result.wasInterrupted();
  }

  /// The parallel loop over parts, around all that the kernel's blocks do.
  static Value makeLoop(func::FuncOp function, int64_t parts, RewriterBase &b) {
    Block *home = &function.getBody().front();
    scf::ForallOp grid;
    while (true) {
      scf::ForallOp inner;
      for (auto forall : home->getOps<scf::ForallOp>())
        inner = forall;
      if (!inner)
        break;
      grid = inner;
      home = inner.getBody();
    }
    // Buffers' views, and sizes, stay where they are.
    SmallVector<Operation *> ops;
    for (Operation &op : home->without_terminator()) {
      bool tiles =
          op.getNumRegions() || isa<StoreOp>(op) ||
          llvm::any_of(op.getResultTypes(), llvm::IsaPred<RankedTensorType>);
      if (grid || tiles)
        ops.push_back(&op);
    }
    b.setInsertionPoint(home->getTerminator());
    auto loop = scf::ForallOp::create(
        b, function.getLoc(), ArrayRef<OpFoldResult>{b.getIndexAttr(parts)},
        ValueRange(), std::nullopt);
    for (Operation *op : ops)
      b.moveOpBefore(op, loop.getTerminator());
    return loop.getInductionVars()[0];
  }

  static void cut(func::FuncOp function, const Dimensions &dimensions,
                  RewriterBase &b) {
    int64_t parts = dimensions.getParts();
    // Asked before types change.
    DenseMap<Value, int64_t> dims;
    auto note = [&](Value value) {
      if (isa<RankedTensorType>(value.getType()))
        if (int64_t dim = dimensions.cutOf(value); dim >= 0)
          dims[value] = dim;
    };
    SmallVector<Operation *> ops;
    function.walk([&](Operation *op) {
      ops.push_back(op);
      llvm::for_each(op->getResults(), note);
      for (Region &region : op->getRegions())
        for (Block &block : region)
          llvm::for_each(block.getArguments(), note);
    });
    Value part = makeLoop(function, parts, b);
    for (auto [value, dim] : dims) {
      auto type = cast<RankedTensorType>(value.getType());
      SmallVector<int64_t> shape(type.getShape());
      shape[dim] /= parts;
      value.setType(RankedTensorType::get(shape, type.getElementType()));
    }
    for (Operation *op : ops) {
      b.setInsertionPoint(op);
      if (auto load = dyn_cast<LoadOp>(op))
        cutAccess(load, load.getResult(), dims, part, b);
      else if (auto store = dyn_cast<StoreOp>(op))
        cutStore(store, dims, part, b);
      else if (op->getNumResults() == 1 && dims.count(op->getResult(0)))
        cutOther(op, dims[op->getResult(0)], part, b);
    }
  }

  using Cuts = DenseMap<Value, int64_t>;

  /// The part's place along the dimension that is cut.
  template <typename OpTy>
  static void cutAccess(OpTy op, Value tile, const Cuts &dims, Value part,
                        RewriterBase &b) {
    auto it = dims.find(tile);
    if (it == dims.end())
      return;
    int64_t dim = it->second,
            size = cast<RankedTensorType>(tile.getType()).getDimSize(dim);
    SmallVector<OpFoldResult> offsets = op.getMixedOffsets(),
                              valid = op.getMixedValid();
    OpFoldResult &offset = offsets[op.getDims()[dim]];
    AffineExpr d0, d1;
    bindDims(b.getContext(), d0, d1);
    offset = affine::makeComposedFoldedAffineApply(
        b, op.getLoc(), d0 + d1 * size, {offset, OpFoldResult(part)});
    if (!valid.empty())
      valid[dim] = b.getIndexAttr(size);
    SmallVector<Value> dynamicOffsets, dynamicValid;
    SmallVector<int64_t> staticOffsets, staticValid;
    dispatchIndexOpFoldResults(offsets, dynamicOffsets, staticOffsets);
    dispatchIndexOpFoldResults(valid, dynamicValid, staticValid);
    op.getOffsetsMutable().assign(dynamicOffsets);
    op.setStaticOffsets(staticOffsets);
    op.getValidMutable().assign(dynamicValid);
    op.setStaticValid(staticValid);
  }

  static void cutStore(StoreOp op, const Cuts &dims, Value part,
                       RewriterBase &b) {
    if (dims.count(op.getSource()))
      return cutAccess(op, op.getSource(), dims, part, b);
    Value zero = arith::ConstantIndexOp::create(b, op.getLoc(), 0);
    Value isFirst = arith::CmpIOp::create(b, op.getLoc(),
                                          arith::CmpIPredicate::eq, part, zero);
    auto branch = scf::IfOp::create(b, op.getLoc(), isFirst);
    b.moveOpBefore(op, branch.thenBlock()->getTerminator());
  }

  static void cutOther(Operation *op, int64_t dim, Value part,
                       RewriterBase &b) {
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    int64_t size = type.getDimSize(dim);
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      auto splat = cast<SplatElementsAttr>(constant.getValue());
      constant.setValueAttr(
          SplatElementsAttr::get(type, splat.getSplatValue<Attribute>()));
    } else if (auto index = dyn_cast<IndexOp>(op)) {
      if (static_cast<int64_t>(index.getAxis()) != dim)
        return;
      Location loc = op->getLoc();
      b.setInsertionPointAfter(op);
      Value first = arith::MulIOp::create(
          b, loc, part, arith::ConstantIndexOp::create(b, loc, size));
      Value wide = BroadcastOp::create(
          b, loc, type, first,
          llvm::to_vector(llvm::seq<int64_t>(0, type.getRank())));
      auto sum = arith::AddIOp::create(b, loc, index.getResult(), wide);
      b.replaceAllUsesExcept(index.getResult(), sum.getResult(), sum);
    } else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
      SmallVector<int64_t> sizes(slice.getStaticSizes());
      sizes[dim] = size;
      slice.setStaticSizes(sizes);
    } else if (auto slice = dyn_cast<tensor::InsertSliceOp>(op)) {
      SmallVector<int64_t> sizes(slice.getStaticSizes());
      sizes[dim] = size;
      slice.setStaticSizes(sizes);
    }
  }
};
} // namespace
