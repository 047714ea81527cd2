// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Matrix products on buffers to register blocks: for each block of rows and
// columns the accumulators stay in vector registers over the whole of k. An
// element of the left side is a scalar load and a broadcast (one instruction
// on every SIMD machine), so that side may lie in either order.

#include "infini/passes/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace infini {
#define GEN_PASS_DEF_INFINIVECTORIZECONTRACTIONS
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

namespace {

/// Which loop of a product is which. `rows` may be absent (a vector times a
/// matrix).
struct ProductLoops {
  std::optional<unsigned> rows;
  unsigned columns, depth;
  /// Which input has the columns along its last dimension; the other is
  /// broadcast.
  unsigned vectorInput;
  SmallVector<unsigned> outer;
};

class ProductLowering {
public:
  ProductLowering(linalg::LinalgOp op, RewriterBase &rewriter, int64_t rows,
                  int64_t columns)
      : op(op), b(rewriter), loc(op.getLoc()), rowBlock(rows),
        columnBlock(columns) {}

  LogicalResult run();

private:
  LogicalResult classify();
  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value extent(unsigned loop);
  SmallVector<Value> indices(OpOperand *operand);
  /// Loops over [0, extent) in blocks of the given sizes, the largest first;
  /// static remainders in one block each.
  void blocked(unsigned loop, ArrayRef<int64_t> sizes,
               llvm::function_ref<void(int64_t)> body);
  void block(int64_t rows, int64_t columns);

  linalg::LinalgOp op;
  RewriterBase &b;
  Location loc;
  int64_t rowBlock, columnBlock;
  ProductLoops loops;
  SmallVector<Value> position;
};

} // namespace

static bool hasUnitInnerStride(Value value) {
  SmallVector<int64_t> strides;
  int64_t offset;
  auto type = cast<MemRefType>(value.getType());
  return succeeded(type.getStridesAndOffset(strides, offset)) &&
         !strides.empty() && strides.back() == 1;
}

static bool hasLoop(AffineMap map, unsigned loop) {
  return map.isFunctionOfDim(loop);
}

/// Whether the body is acc + a · b, each an argument, in f32 or f64.
static bool isMultiplyAdd(linalg::LinalgOp op) {
  Type type = getElementTypeOrSelf(op.getDpsInitOperand(0)->get().getType());
  if (!type.isF32() && !type.isF64())
    return false;
  for (OpOperand *input : op.getDpsInputOperands())
    if (getElementTypeOrSelf(input->get().getType()) != type)
      return false;
  auto add = op.getBlock()
                 ->getTerminator()
                 ->getOperand(0)
                 .getDefiningOp<arith::AddFOp>();
  if (!add || op.getBlock()->getOperations().size() != 3)
    return false;
  Value accumulator = op.getBlock()->getArgument(2);
  Value product = add.getLhs() == accumulator ? add.getRhs() : add.getLhs();
  auto multiply = product.getDefiningOp<arith::MulFOp>();
  if (!multiply || (add.getLhs() != accumulator && add.getRhs() != accumulator))
    return false;
  Value a = op.getBlock()->getArgument(0), c = op.getBlock()->getArgument(1);
  return (multiply.getLhs() == a && multiply.getRhs() == c) ||
         (multiply.getLhs() == c && multiply.getRhs() == a);
}

LogicalResult ProductLowering::classify() {
  if (!op.hasPureBufferSemantics() || op.getNumDpsInputs() != 2 ||
      op.getNumDpsInits() != 1 || !isMultiplyAdd(op))
    return failure();
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  if (!llvm::all_of(
          maps, [](AffineMap map) { return map.isProjectedPermutation(true); }))
    return failure();
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  AffineMap out = maps[2];
  if (out.getNumResults() == 0)
    return failure();
  auto last = dyn_cast<AffineDimExpr>(out.getResults().back());
  if (!last)
    return failure();
  loops.columns = last.getPosition();
  // The columns run along the last dimension of exactly one input.
  bool inA = hasLoop(maps[0], loops.columns),
       inB = hasLoop(maps[1], loops.columns);
  if (inA == inB)
    return failure();
  loops.vectorInput = inB ? 1 : 0;
  AffineMap vectorMap = maps[loops.vectorInput],
            scalarMap = maps[1 - loops.vectorInput];
  if (vectorMap.getNumResults() == 0 || vectorMap.getResults().back() != last)
    return failure();
  if (!hasUnitInnerStride(op.getDpsInputOperand(loops.vectorInput)->get()) ||
      !hasUnitInnerStride(op.getDpsInitOperand(0)->get()))
    return failure();
  std::optional<unsigned> depth;
  for (auto [i, type] : llvm::enumerate(iterators)) {
    if (i == loops.columns)
      continue;
    if (type == utils::IteratorType::parallel) {
      bool row =
          hasLoop(scalarMap, i) && !hasLoop(vectorMap, i) && ranges[i] != 1;
      if (row && !loops.rows)
        loops.rows = i;
      else
        loops.outer.push_back(i);
    } else if (ranges[i] == 1 && depth) {
      loops.outer.push_back(i);
    } else if (!depth || ranges[*depth] == 1) {
      if (depth)
        loops.outer.push_back(*depth);
      depth = i;
    } else {
      return failure(); // two sums
    }
  }
  if (!depth)
    return failure();
  loops.depth = *depth;
  return success();
}

Value ProductLowering::extent(unsigned loop) {
  int64_t range = op.getStaticLoopRanges()[loop];
  if (!ShapedType::isDynamic(range))
    return constant(range);
  for (OpOperand &operand : op->getOpOperands())
    for (auto [i, expr] :
         llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults()))
      if (auto dim = dyn_cast<AffineDimExpr>(expr);
          dim && dim.getPosition() == loop)
        return memref::DimOp::create(b, loc, operand.get(), i);
  llvm_unreachable("a loop without an operand");
}

SmallVector<Value> ProductLowering::indices(OpOperand *operand) {
  SmallVector<Value> result;
  for (AffineExpr expr : op.getMatchingIndexingMap(operand).getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    result.push_back(dim ? position[dim.getPosition()] : constant(0));
  }
  return result;
}

void ProductLowering::blocked(unsigned loop, ArrayRef<int64_t> sizes,
                              llvm::function_ref<void(int64_t)> body) {
  int64_t range = op.getStaticLoopRanges()[loop];
  Value end = extent(loop);
  Value begin = constant(0);
  int64_t done = 0;
  for (int64_t size : sizes) {
    if (!ShapedType::isDynamic(range)) {
      int64_t count = (range - done) / size;
      if (count == 0)
        continue;
      if (count == 1) {
        position[loop] = constant(done);
        body(size);
        done += size;
        continue;
      }
      begin = constant(done);
      done += count * size;
      end = constant(done);
    }
    Value stop = end;
    if (ShapedType::isDynamic(range)) {
      // The largest multiple of the block that fits.
      Value rest = arith::SubIOp::create(b, loc, end, begin);
      Value over = arith::RemUIOp::create(b, loc, rest, constant(size));
      stop = arith::SubIOp::create(b, loc, end, over);
    }
    auto forOp = scf::ForOp::create(b, loc, begin, stop, constant(size));
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(forOp.getBody());
      position[loop] = forOp.getInductionVar();
      body(size);
    }
    begin = stop;
  }
}

void ProductLowering::block(int64_t rows, int64_t columns) {
  OpOperand *out = op.getDpsInitOperand(0);
  OpOperand *vectorInput = op.getDpsInputOperand(loops.vectorInput);
  OpOperand *scalarInput = op.getDpsInputOperand(1 - loops.vectorInput);
  auto type =
      VectorType::get({columns}, getElementTypeOrSelf(out->get().getType()));
  SmallVector<Value> rowPositions;
  for (int64_t i = 0; i < rows; ++i)
    rowPositions.push_back(
        loops.rows
            ? arith::AddIOp::create(b, loc, position[*loops.rows], constant(i))
                  .getResult()
            : Value());
  auto atRow = [&](int64_t row) {
    if (loops.rows)
      position[*loops.rows] = rowPositions[row];
  };
  Value savedRow = loops.rows ? position[*loops.rows] : Value();
  SmallVector<Value> accumulators;
  position[loops.depth] = constant(0);
  for (int64_t i = 0; i < rows; ++i) {
    atRow(i);
    accumulators.push_back(
        vector::LoadOp::create(b, loc, type, out->get(), indices(out)));
  }
  auto forOp = scf::ForOp::create(b, loc, constant(0), extent(loops.depth),
                                  constant(1), accumulators);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(forOp.getBody());
    position[loops.depth] = forOp.getInductionVar();
    Value right = vector::LoadOp::create(b, loc, type, vectorInput->get(),
                                         indices(vectorInput));
    SmallVector<Value> next;
    for (int64_t i = 0; i < rows; ++i) {
      atRow(i);
      Value left = memref::LoadOp::create(b, loc, scalarInput->get(),
                                          indices(scalarInput));
      Value splat = vector::BroadcastOp::create(b, loc, type, left);
      next.push_back(vector::FMAOp::create(b, loc, splat, right,
                                           forOp.getRegionIterArgs()[i]));
    }
    scf::YieldOp::create(b, loc, next);
  }
  for (int64_t i = 0; i < rows; ++i) {
    atRow(i);
    vector::StoreOp::create(b, loc, forOp.getResult(i), out->get(),
                            indices(out));
  }
  if (loops.rows)
    position[*loops.rows] = savedRow;
}

LogicalResult ProductLowering::run() {
  if (failed(classify()))
    return failure();
  b.setInsertionPoint(op);
  position.assign(op.getNumLoops(), Value());
  for (unsigned loop : loops.outer) {
    if (op.getStaticLoopRanges()[loop] == 1) {
      position[loop] = constant(0);
      continue;
    }
    auto forOp =
        scf::ForOp::create(b, loc, constant(0), extent(loop), constant(1));
    position[loop] = forOp.getInductionVar();
    b.setInsertionPointToStart(forOp.getBody());
  }
  bool wide =
      getElementTypeOrSelf(op.getDpsInitOperand(0)->get().getType()).isF64();
  int64_t columns = wide ? std::max<int64_t>(1, columnBlock / 2) : columnBlock;
  SmallVector<int64_t> columnSizes, rowSizes;
  bool dynamicColumns =
      ShapedType::isDynamic(op.getStaticLoopRanges()[loops.columns]);
  for (int64_t size = columns; size > 0; size /= 2)
    if (!dynamicColumns || size == columns ||
        size == std::min<int64_t>(8, columns) || size == 1)
      columnSizes.push_back(size);
  if (loops.rows) {
    int64_t range = op.getStaticLoopRanges()[*loops.rows];
    rowSizes.push_back(rowBlock);
    if (ShapedType::isDynamic(range))
      rowSizes.push_back(1);
    else if (range % rowBlock)
      rowSizes.push_back(range % rowBlock);
    if (rowSizes.back() == rowBlock && rowSizes.size() == 2)
      rowSizes.pop_back();
  }
  blocked(loops.columns, columnSizes, [&](int64_t width) {
    if (loops.rows)
      blocked(*loops.rows, rowSizes,
              [&](int64_t height) { block(height, width); });
    else
      block(1, width);
  });
  b.eraseOp(op);
  return success();
}

namespace {
struct VectorizeContractions final
    : infini::impl::InfiniVectorizeContractionsBase<VectorizeContractions> {
  using InfiniVectorizeContractionsBase::InfiniVectorizeContractionsBase;

  void runOnOperation() override {
    if (rows < 1 || columns < 1) {
      getOperation().emitError(
          "expected options 'rows' and 'columns' to be at least 1, got ")
          << int64_t(rows) << " and " << int64_t(columns);
      return signalPassFailure();
    }
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : ops)
      vectorized +=
          succeeded(ProductLowering(op, rewriter, rows, columns).run());
  }
};
} // namespace
