// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every tile gets a layout. Products, reductions, and slices say which they
// want; what is computed from them follows. All else (loads, masks, constants,
// and what is computed from those) is made where it is needed, in the layout
// that is needed there. Where the two disagree, registers are renamed or the
// tile goes through shared memory.

#include "infini/passes/Passes.h"
#include "infini/passes/gpu/LayoutPlan.h"
#include "infini/passes/tile/TileLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Iterators.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include <map>
#include <numeric>

namespace infini {
#define GEN_PASS_DEF_TILEASSIGNLAYOUTS
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;
using namespace infini::tile;

static RankedTensorType tileTypeOf(Value value) {
  return dyn_cast<RankedTensorType>(value.getType());
}

/// Element by element on tiles of one shape.
static bool isElementwise(Operation *op) {
  return op->getNumResults() == 1 && op->getNumRegions() == 0 &&
         tileTypeOf(op->getResult(0)) && op->hasTrait<OpTrait::Elementwise>();
}

namespace {

/// A layout, and how much it matters that a value has it.
struct Choice {
  LayoutAttr layout;
  /// 0: none; 1: convenient; 2: made by a product.
  int strength = 0;
};

class LayoutAssignment {
public:
  LayoutAssignment(func::FuncOp function, IRRewriter &rewriter, int64_t warps)
      : function(function), b(rewriter), warps(warps) {}

  LogicalResult run();

  int64_t renamed = 0, throughShared = 0, staged = 0;

private:
  // Before: products of a matrix and a vector, and which products to swap.
  void expandVectorProducts();
  void foldTransposes();
  void chooseSwaps();
  void collectUnits();
  // What values want.
  void analyze();
  bool update(Value value, Choice choice);
  Choice choiceOf(Operation *op);
  Choice sliced(tensor::ExtractSliceOp slice);
  // Giving it to them.
  LogicalResult rewrite(Operation *op);
  LogicalResult rewriteBlock(Block &block);
  Value require(Value value, LayoutAttr layout);
  Value rematerialize(Value value, LayoutAttr layout);
  Value computed(Value value, LayoutAttr layout);
  bool isReadBack(Value value);
  Value through(Value value, LayoutAttr layout);
  Value sharedOf(Value value);
  bool isStaged(LoadOp load);
  Value fragment(Value value, LayoutAttr layout);
  LayoutAttr storeLayout(StoreOp op);

  /// With no two warps along `whole`, where a dimension is given.
  LayoutAttr coalesced(ArrayRef<int64_t> shape, int64_t whole = -1) {
    auto it = units.find(SmallVector<int64_t>(shape));
    return coalescedLayout(function.getContext(), shape,
                           it == units.end() ? shape : ArrayRef(it->second),
                           contiguous, warps, whole);
  }
  LayoutAttr reducedFrom(ReduceOp op);
  void setLayout(Value value, LayoutAttr layout) {
    auto type = cast<RankedTensorType>(value.getType());
    value.setType(
        RankedTensorType::get(type.getShape(), type.getElementType(), layout));
  }
  void insertAfter(Value value) {
    if (Operation *op = value.getDefiningOp())
      b.setInsertionPointAfter(op);
    else
      b.setInsertionPointToStart(cast<BlockArgument>(value).getOwner());
  }

  func::FuncOp function;
  IRRewriter &b;
  int64_t warps, contiguous = 4;
  std::map<SmallVector<int64_t>, SmallVector<int64_t>> units;
  DenseMap<Value, Choice> wanted;
  DenseMap<std::pair<Value, LayoutAttr>, Value> made;
  DenseMap<Value, Value> inShared;
};

} // namespace

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// A product of a matrix and a vector is bound by reading the matrix: a
/// multiplication element by element, and a sum.
void LayoutAssignment::expandVectorProducts() {
  SmallVector<DotOp> ops;
  function.walk([&](DotOp op) {
    if (op.getType().getRank() == 1)
      ops.push_back(op);
  });
  for (DotOp op : ops) {
    b.setInsertionPoint(op);
    Location loc = op.getLoc();
    bool matrixFirst = tileTypeOf(op.getA()).getRank() == 2;
    Value matrix = matrixFirst ? op.getA() : op.getB();
    Value vector = matrixFirst ? op.getB() : op.getA();
    // The matrix's dimension that is summed over.
    int64_t axis = matrixFirst ? !op.getTransposeA() : op.getTransposeB();
    Type element = op.getType().getElementType();
    auto widen = [&](Value value) -> Value {
      RankedTensorType type = tileTypeOf(value);
      if (type.getElementType() == element)
        return value;
      return arith::ExtFOp::create(
          b, loc, RankedTensorType::get(type.getShape(), element), value);
    };
    matrix = widen(matrix);
    Value wide = BroadcastOp::create(b, loc, matrix.getType(), widen(vector),
                                     ArrayRef<int64_t>{1 - axis});
    Value product = arith::MulFOp::create(b, loc, matrix, wide);
    b.replaceOpWithNewOp<ReduceOp>(op, op.getType(), Reduction::Sum, product,
                                   op.getAcc(), axis);
  }
}

/// A product reads a transposed factor as it was before.
void LayoutAssignment::foldTransposes() {
  function.walk([&](DotOp op) {
    auto fold = [&](OpOperand &operand, bool transposed) {
      auto transpose = operand.get().getDefiningOp<TransposeOp>();
      if (!transpose || op.getType().getRank() != 2)
        return transposed;
      operand.set(transpose.getSource());
      return !transposed;
    };
    op.setTransposeA(fold(op.getAMutable(), op.getTransposeA()));
    op.setTransposeB(fold(op.getBMutable(), op.getTransposeB()));
  });
}

/// The product from which a value is computed element by element.
static DotOp productBehind(Value value) {
  Operation *op = value.getDefiningOp();
  if (auto dot = dyn_cast_or_null<DotOp>(op))
    return dot;
  if (!op || !isElementwise(op))
    return {};
  for (Value operand : op->getOperands())
    if (tileTypeOf(operand))
      if (DotOp dot = productBehind(operand))
        return dot;
  return {};
}

/// What a product makes is a fragment of the next one's left side: where it is
/// the right side, both compute their transposes.
void LayoutAssignment::chooseSwaps() {
  function.walk([&](DotOp op) {
    if (productBehind(op.getA()))
      return;
    DotOp before = productBehind(op.getB());
    if (!before)
      return;
    op.setSwapped(true);
    // With those whose sums it goes on with.
    for (; before; before = before.getAcc().getDefiningOp<DotOp>())
      before.setSwapped(true);
  });
}

/// What tiles of a shape are cut at by slices: no atom may cross it.
void LayoutAssignment::collectUnits() {
  auto note = [&](ArrayRef<int64_t> whole, ArrayRef<int64_t> offsets,
                  ArrayRef<int64_t> sizes) {
    SmallVector<int64_t> key(whole);
    auto [it, isNew] = units.try_emplace(key, key);
    for (auto [unit, offset, size] : llvm::zip(it->second, offsets, sizes))
      unit = std::gcd(unit, std::gcd(offset, size));
  };
  function.walk([&](Operation *op) {
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
      note(slice.getSourceType().getShape(), slice.getStaticOffsets(),
           slice.getStaticSizes());
    if (auto slice = dyn_cast<tensor::InsertSliceOp>(op))
      note(slice.getDestType().getShape(), slice.getStaticOffsets(),
           slice.getStaticSizes());
  });
  for (BlockArgument argument : function.getArguments())
    if (auto buffer = dyn_cast<MemRefType>(argument.getType()))
      if (isa<FloatType>(buffer.getElementType()))
        contiguous =
            std::max(contiguous, 16 / bytesOf(buffer.getElementType()));
}

//===----------------------------------------------------------------------===//
// What values want
//===----------------------------------------------------------------------===//

bool LayoutAssignment::update(Value value, Choice choice) {
  Choice &known = wanted[value];
  if (!choice.layout || known.strength >= choice.strength)
    return false;
  known = choice;
  return true;
}

static bool divides(LayoutAttr layout, ArrayRef<int64_t> offsets,
                    ArrayRef<int64_t> sizes) {
  for (auto [atom, offset, size] : llvm::zip(layout.getAtom(), offsets, sizes))
    if (offset % atom != 0 || size % atom != 0)
      return false;
  return true;
}

/// `whole` cut to a slice, which lacks some dimensions of size 1.
static LayoutAttr sliceLayout(LayoutAttr whole, ArrayRef<int64_t> sizes,
                              const llvm::SmallBitVector &dropped) {
  SmallVector<int64_t> repeat;
  for (auto [atom, size] : llvm::zip(whole.getAtom(), sizes))
    repeat.push_back(size / atom);
  LayoutAttr part = whole.withRepeat(repeat);
  for (int64_t dim = sizes.size() - 1; dim >= 0; --dim)
    if (dropped.test(dim))
      part = part.dropDim(dim);
  return part;
}

/// The layout in which a tile is cut.
Choice LayoutAssignment::sliced(tensor::ExtractSliceOp slice) {
  Choice source = wanted.lookup(slice.getSource());
  if (!source.layout ||
      !divides(source.layout, slice.getStaticOffsets(), slice.getStaticSizes()))
    source = {coalesced(slice.getSourceType().getShape()), 1};
  return source;
}

Choice LayoutAssignment::choiceOf(Operation *op) {
  if (auto dot = dyn_cast<DotOp>(op))
    return {fitsTensorCore(dot) ? tensorCoreLayouts(dot, warps).acc
                                : plainProductLayout(dot, warps),
            2};
  if (auto reduce = dyn_cast<ReduceOp>(op)) {
    return {reducedFrom(reduce).dropDim(reduce.getAxis()),
            std::max(1, wanted.lookup(reduce.getSource()).strength)};
  }
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    Choice source = wanted.lookup(transpose.getSource());
    if (source.layout)
      source.layout = source.layout.permute(transpose.getPermutation());
    return source;
  }
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    Choice source = sliced(slice);
    source.layout = sliceLayout(source.layout, slice.getStaticSizes(),
                                slice.getDroppedDims());
    return source;
  }
  if (auto slice = dyn_cast<tensor::InsertSliceOp>(op)) {
    Choice dest = wanted.lookup(slice.getDest());
    if (!dest.layout ||
        !divides(dest.layout, slice.getStaticOffsets(), slice.getStaticSizes()))
      dest = {coalesced(slice.getDestType().getShape()), 1};
    return dest;
  }
  if (isElementwise(op)) {
    Choice best;
    for (Value operand : op->getOperands())
      if (tileTypeOf(operand))
        if (Choice choice = wanted.lookup(operand);
            choice.strength > best.strength)
          best = choice;
    return best;
  }
  return {};
}

void LayoutAssignment::analyze() {
  bool changed = true;
  while (changed) {
    changed = false;
    function.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (auto loop = dyn_cast<scf::ForOp>(op)) {
        for (auto [init, argument, yielded, result] :
             llvm::zip(loop.getInitArgs(), loop.getRegionIterArgs(),
                       loop.getYieldedValues(), loop.getResults())) {
          RankedTensorType type = tileTypeOf(init);
          if (!type)
            continue;
          for (Value from : {init, yielded})
            for (Value to : {Value(argument), Value(result)})
              changed |= update(to, wanted.lookup(from));
          // What is carried lies somewhere.
          for (Value to : {Value(argument), Value(result)})
            changed |= update(to, {coalesced(type.getShape()), 1});
        }
        return;
      }
      if (op->getNumResults() == 1 && tileTypeOf(op->getResult(0)))
        changed |= update(op->getResult(0), choiceOf(op));
    });
  }
}

//===----------------------------------------------------------------------===//
// Values in layouts
//===----------------------------------------------------------------------===//

Value LayoutAssignment::through(Value value, LayoutAttr layout) {
  auto type = cast<RankedTensorType>(value.getType());
  auto result =
      RankedTensorType::get(type.getShape(), type.getElementType(), layout);
  Location loc = value.getLoc();
  if (layout.registersFrom(cast<LayoutAttr>(type.getEncoding()))) {
    ++renamed;
    return ConvertLayoutOp::create(b, loc, result, value);
  }
  ++throughShared;
  // Numbers that are no memory's elements travel as such.
  Type element = type.getElementType(), stored = element;
  if (element.isIndex())
    stored = b.getI32Type();
  else if (element.isInteger(1))
    stored = b.getI8Type();
  SmallVector<int64_t> shape(type.getShape());
  SmallVector<int64_t> zeros(shape.size(), 0);
  if (shape.empty())
    return ConvertLayoutOp::create(b, loc, result, value);
  Value source = value;
  auto storedTile = RankedTensorType::get(shape, stored, type.getEncoding());
  if (element.isIndex())
    source = arith::IndexCastOp::create(b, loc, storedTile, value);
  else if (element.isInteger(1))
    source = arith::ExtUIOp::create(b, loc, storedTile, value);
  Value buffer =
      AllocOp::create(b, loc, sharedBuffer(shape, stored), IntegerAttr());
  WriteOp::create(b, loc, source, buffer, zeros);
  Value read = ReadOp::create(
      b, loc, RankedTensorType::get(shape, stored, layout), buffer, zeros);
  if (element.isIndex())
    return arith::IndexCastOp::create(b, loc, result, read);
  if (element.isInteger(1))
    return arith::TruncIOp::create(b, loc, result, read);
  return read;
}

/// A value that has no layout of its own, made in this one.
Value LayoutAssignment::rematerialize(Value value, LayoutAttr layout) {
  Operation *op = value.getDefiningOp();
  IRMapping mapping;
  SmallVector<std::pair<Value, LayoutAttr>> operands;
  if (auto broadcast = dyn_cast<BroadcastOp>(op)) {
    LayoutAttr source = layout;
    for (int64_t axis : llvm::reverse(broadcast.getAxes()))
      source = source.dropDim(axis);
    if (tileTypeOf(broadcast.getSource()))
      operands.push_back({broadcast.getSource(), source});
  } else if (auto transpose = dyn_cast<TransposeOp>(op)) {
    ArrayRef<int64_t> permutation = transpose.getPermutation();
    SmallVector<int64_t> inverse(permutation.size());
    for (auto [to, from] : llvm::enumerate(permutation))
      inverse[from] = to;
    operands.push_back({transpose.getSource(), layout.permute(inverse)});
  } else if (isElementwise(op) || isa<GatherOp>(op)) {
    for (Value operand : op->getOperands())
      if (tileTypeOf(operand))
        operands.push_back({operand, layout});
  }
  for (auto [operand, wish] : operands)
    mapping.map(operand, require(operand, wish));
  insertAfter(value);
  Operation *clone = b.clone(*op, mapping);
  setLayout(clone->getResult(0), layout);
  if (auto constant = dyn_cast<arith::ConstantOp>(clone)) {
    auto splat = cast<SplatElementsAttr>(constant.getValue());
    constant.setValueAttr(
        SplatElementsAttr::get(cast<ShapedType>(constant.getType()),
                               splat.getSplatValue<Attribute>()));
  }
  return clone->getResult(0);
}

/// Whether a tile is computed with more than arithmetic.
static bool takesFunctions(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || !isElementwise(op))
    return false;
  return isa<math::MathDialect>(op->getDialect()) ||
         llvm::any_of(op->getOperands(), takesFunctions);
}

/// What fills a buffer.
static Operation *lastWriteOf(Value buffer) {
  for (Operation *user : buffer.getUsers())
    if (isa<WriteOp>(user))
      return user;
  return buffer.getDefiningOp();
}

Value LayoutAssignment::require(Value value, LayoutAttr layout) {
  Choice choice = wanted.lookup(value);
  if (choice.layout == layout)
    return value;
  auto key = std::make_pair(value, layout);
  if (Value known = made.lookup(key))
    return known;
  OpBuilder::InsertionGuard guard(b);
  if (!choice.layout && !isReadBack(value))
    return computed(value, layout);
  Value result;
  if (!choice.layout) {
    Value buffer = sharedOf(value);
    // It may have been computed in this layout to be written there.
    if (Value known = made.lookup(key))
      return known;
    b.setInsertionPointAfter(lastWriteOf(buffer));
    RankedTensorType type = tileTypeOf(value);
    result = ReadOp::create(
        b, value.getLoc(),
        RankedTensorType::get(type.getShape(), type.getElementType(), layout),
        buffer, SmallVector<int64_t>(type.getRank(), 0));
  } else {
    insertAfter(value);
    result = through(value, layout);
  }
  made[key] = result;
  return result;
}

Value LayoutAssignment::computed(Value value, LayoutAttr layout) {
  Value &known = made[{value, layout}];
  if (!known) {
    OpBuilder::InsertionGuard guard(b);
    Value result = rematerialize(value, layout);
    return made[{value, layout}] = result;
  }
  return known;
}

/// Whether a tile that takes functions to compute lies in shared memory anyway,
/// as a product's factor: others read it from there.
bool LayoutAssignment::isReadBack(Value value) {
  bool isFactor = llvm::any_of(value.getUses(), [](OpOperand &use) {
    return isa<DotOp>(use.getOwner()) && use.getOperandNumber() < 2;
  });
  return isFactor && takesFunctions(value);
}

/// Whether a load goes straight to shared memory: only products read it.
bool LayoutAssignment::isStaged(LoadOp load) {
  if (load.getType().getRank() != 2 || load->use_empty() || load.getPadAttr())
    return false;
  for (OpOperand &use : load->getUses())
    if (!isa<DotOp>(use.getOwner()) || use.getOperandNumber() > 1)
      return false;
  return accessWidth(load.getSource().getType(), load.getMixedOffsets(),
                     load.getDims(), load.getMixedValid(),
                     load.getType().getShape()) *
             bytesOf(load.getType().getElementType()) >=
         4;
}

Value LayoutAssignment::sharedOf(Value value) {
  if (Value known = inShared.lookup(value))
    return known;
  OpBuilder::InsertionGuard guard(b);
  RankedTensorType type = tileTypeOf(value);
  Location loc = value.getLoc();
  auto buffer = sharedBuffer(type.getShape(), type.getElementType());
  auto load = value.getDefiningOp<LoadOp>();
  Value result;
  if (load && isStaged(load)) {
    insertAfter(value);
    result = AllocOp::create(b, loc, buffer, IntegerAttr());
    CopyAsyncOp::create(b, loc, load.getSource(), load.getMixedOffsets(),
                        load.getDims(), load.getMixedValid(), result);
    CommitCopiesOp::create(b, loc);
    WaitCopiesOp::create(b, loc, 0);
    ++staged;
  } else {
    LayoutAttr layout = wanted.lookup(value).layout;
    Value tile = layout ? require(value, layout)
                        : computed(value, coalesced(type.getShape()));
    insertAfter(tile);
    result = AllocOp::create(b, loc, buffer, IntegerAttr());
    WriteOp::create(b, loc, tile, result,
                    SmallVector<int64_t>(type.getRank(), 0));
    ++throughShared;
  }
  inShared[value] = result;
  return result;
}

/// A product's operand: what is a fragment but for the names of registers stays
/// in registers, all else is read from shared memory.
Value LayoutAssignment::fragment(Value value, LayoutAttr layout) {
  LayoutAttr has = wanted.lookup(value).layout;
  if (layout && has && layout.registersFrom(has))
    return require(value, layout);
  return sharedOf(value);
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

/// The layout in which a tile is stored: as it lies, unless threads would write
/// less than 8 bytes at once, and could more.
LayoutAttr LayoutAssignment::storeLayout(StoreOp op) {
  RankedTensorType type = op.getSource().getType();
  LayoutAttr has = wanted.lookup(op.getSource()).layout,
             best = coalesced(type.getShape());
  if (!has || type.getRank() == 0)
    return has ? has : best;
  int64_t width =
      accessWidth(op.getDest().getType(), op.getMixedOffsets(), op.getDims(),
                  op.getMixedValid(), type.getShape());
  int64_t last = type.getRank() - 1, bytes = bytesOf(type.getElementType());
  auto accessBytes = [&](LayoutAttr layout) {
    return std::min(width, layout.getContiguous(last)) * bytes;
  };
  return accessBytes(has) < 8 && accessBytes(best) > accessBytes(has) ? best
                                                                      : has;
}

/// The layout of which a sum is made: each warp has whole sums.
LayoutAttr LayoutAssignment::reducedFrom(ReduceOp op) {
  int64_t axis = op.getAxis();
  LayoutAttr source = wanted.lookup(op.getSource()).layout;
  bool acrossWarps =
      !source || llvm::any_of(source.getWarp(), [&](const LayoutBasis &basis) {
        return basis.dim == axis;
      });
  return acrossWarps ? coalesced(op.getSource().getType().getShape(), axis)
                     : source;
}

LogicalResult LayoutAssignment::rewrite(Operation *op) {
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    for (auto [init, argument, result] :
         llvm::zip(loop.getInitArgsMutable(), loop.getRegionIterArgs(),
                   loop.getResults())) {
      if (!tileTypeOf(init.get()))
        continue;
      LayoutAttr layout = wanted.lookup(argument).layout;
      init.set(require(init.get(), layout));
      setLayout(argument, layout);
      setLayout(result, layout);
    }
    if (failed(rewriteBlock(*loop.getBody())))
      return failure();
    auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
    for (auto [operand, argument] :
         llvm::zip(yield->getOpOperands(), loop.getRegionIterArgs()))
      if (tileTypeOf(operand.get()))
        operand.set(require(operand.get(), wanted.lookup(argument).layout));
    return success();
  }
  if (auto store = dyn_cast<StoreOp>(op)) {
    store.getSourceMutable().set(
        require(store.getSource(), storeLayout(store)));
    return success();
  }
  if (auto branch = dyn_cast<scf::IfOp>(op);
      branch && branch.getNumResults() == 0) {
    for (Region *region : {&branch.getThenRegion(), &branch.getElseRegion()})
      if (!region->empty() && failed(rewriteBlock(region->front())))
        return failure();
    return success();
  }
  if (op->getNumRegions() || op->getNumResults() > 1)
    return op->emitOpError("has no form on layouts: expected a loop, a branch "
                           "without results, or an op with one result");
  if (op->getNumResults() == 0 || !tileTypeOf(op->getResult(0)))
    return success();
  Value result = op->getResult(0);
  LayoutAttr layout = wanted.lookup(result).layout;
  if (!layout)
    return success();
  if (auto dot = dyn_cast<DotOp>(op)) {
    ProductLayouts layouts;
    if (fitsTensorCore(dot))
      layouts = tensorCoreLayouts(dot, warps);
    dot.getAMutable().set(fragment(dot.getA(), layouts.a));
    dot.getBMutable().set(fragment(dot.getB(), layouts.b));
    dot.getAccMutable().set(require(dot.getAcc(), layout));
  } else if (auto reduce = dyn_cast<ReduceOp>(op)) {
    LayoutAttr source = reducedFrom(reduce);
    // The source's layout may have been found after the result's.
    layout = source.dropDim(reduce.getAxis());
    wanted[result].layout = layout;
    reduce.getInitMutable().set(require(reduce.getInit(), layout));
    reduce.getSourceMutable().set(require(reduce.getSource(), source));
  } else if (auto transpose = dyn_cast<TransposeOp>(op)) {
    (void)transpose; // its source has the layout that it was made from
  } else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    slice.getSourceMutable().set(
        require(slice.getSource(), sliced(slice).layout));
  } else if (auto slice = dyn_cast<tensor::InsertSliceOp>(op)) {
    slice.getDestMutable().set(require(slice.getDest(), layout));
    slice.getSourceMutable().set(require(
        slice.getSource(),
        sliceLayout(layout, slice.getStaticSizes(),
                    droppedDims(slice, slice.getSourceType().getRank()))));
  } else {
    for (OpOperand &operand : op->getOpOperands())
      if (tileTypeOf(operand.get()))
        operand.set(require(operand.get(), layout));
  }
  setLayout(result, layout);
  return success();
}

LogicalResult LayoutAssignment::rewriteBlock(Block &block) {
  SmallVector<Operation *> ops;
  for (Operation &op : block.without_terminator())
    ops.push_back(&op);
  for (Operation *op : ops)
    if (failed(rewrite(op)))
      return failure();
  return success();
}

/// What has no form on layouts.
static LogicalResult checkOp(Operation *op) {
  for (Value result : op->getResults())
    if (RankedTensorType type = tileTypeOf(result)) {
      if (type.getEncoding())
        return op->emitOpError("expected tiles without a layout, got ") << type;
      if (type.getNumElements() == 0)
        return op->emitOpError("expected tiles with elements, got ") << type;
    }
  if (auto constant = dyn_cast<arith::ConstantOp>(op);
      constant && tileTypeOf(constant) &&
      !isa<SplatElementsAttr>(constant.getValue()))
    return op->emitOpError("expected a tile of one number, got ")
           << constant.getValue();
  auto checkSlice = [&](auto slice) -> LogicalResult {
    if (slice.hasUnitStride() &&
        llvm::none_of(slice.getStaticOffsets(), ShapedType::isDynamic) &&
        llvm::none_of(slice.getStaticSizes(), ShapedType::isDynamic))
      return success();
    return op->emitOpError("expected a slice with static offsets and sizes, "
                           "and strides of 1");
  };
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    return checkSlice(slice);
  if (auto slice = dyn_cast<tensor::InsertSliceOp>(op))
    return checkSlice(slice);
  if (auto dot = dyn_cast<DotOp>(op))
    if (!tileTypeOf(dot.getA()) || !tileTypeOf(dot.getB()))
      return op->emitOpError("expected factors that are tiles");
  return success();
}

LogicalResult LayoutAssignment::run() {
  if (llvm::any_of(function.getArgumentTypes(), llvm::IsaPred<TensorType>))
    return function.emitOpError("expected buffers and scalars as arguments");
  WalkResult checked = function.walk([](Operation *op) {
    return failed(checkOp(op)) ? WalkResult::interrupt()
                               : WalkResult::advance();
  });
  if (checked.wasInterrupted())
    return failure();
  expandVectorProducts();
  foldTransposes();
  chooseSwaps();
  collectUnits();
  analyze();
  if (failed(rewriteBlock(function.getBody().front())))
    return failure();
  // What was made elsewhere in the layouts that are needed.
  function->walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
    if (isOpTriviallyDead(op))
      b.eraseOp(op);
  });
  WalkResult result = function.walk([&](Operation *op) {
    for (Value value : op->getResults())
      if (RankedTensorType type = tileTypeOf(value))
        if (!type.getEncoding()) {
          op->emitOpError("has a tile that no op with a layout uses");
          return WalkResult::interrupt();
        }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

namespace {
struct AssignLayouts final
    : infini::impl::TileAssignLayoutsBase<AssignLayouts> {
  using TileAssignLayoutsBase::TileAssignLayoutsBase;

  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    int64_t warps = this->warps;
    if (warps == 0) {
      auto module = getOperation()->getParentOfType<ModuleOp>();
      auto threads = module->getAttrOfType<IntegerAttr>("program.threads");
      warps = threads ? threads.getInt() / kWarpSize : 4;
    }
    if (!llvm::isPowerOf2_64(warps) || warps > 32) {
      getOperation().emitError(
          "expected option 'warps' to be a power of two up to 32, got ")
          << warps;
      return signalPassFailure();
    }
    IRRewriter rewriter(&getContext());
    LayoutAssignment assignment(getOperation(), rewriter, warps);
    if (failed(assignment.run()))
      return signalPassFailure();
    renamed += assignment.renamed;
    throughShared += assignment.throughShared;
    staged += assignment.staged;
  }
};
} // namespace
