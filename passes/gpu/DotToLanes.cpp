// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products for one lane: mma.sync where it computes them, with fragments from
// registers or by ldmatrix; else a block of rows and columns a thread.

#include "infini/dialect/lane/LaneOps.h"
#include "infini/passes/gpu/LaneBuilder.h"
#include "infini/passes/gpu/LayoutPlan.h"
#include "infini/passes/gpu/TileToLanes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <map>
#include <set>

using namespace mlir;
using namespace infini;
using namespace infini::tile;

namespace {

/// A' or B' of a product, wherever it lies.
struct Operand {
  /// Registers of a fragment, or the address of `buffer`.
  Value value;
  /// Of the tile in shared memory; null: in registers.
  MemRefType buffer;
  /// Whether the tile has the instruction's columns as rows.
  bool transposed;
  /// The fragments' layout, in the order of the tile.
  LayoutAttr layout;
};

/// The first register of a fragment's atom.
int64_t firstRegister(LayoutAttr layout, int64_t row, int64_t column,
                      bool transposed) {
  ArrayRef<int64_t> repeat = layout.getRepeat();
  int64_t index =
      transposed ? column * repeat[1] + row : row * repeat[1] + column;
  return index * layout.getAtomRegisters();
}

class TensorCoreDot {
public:
  TensorCoreDot(DotOp op, OpBuilder &b, Operand a, Operand bOperand,
                ProductLayouts layouts)
      : lanes(b, op.getLoc()), b(b), loc(op.getLoc()), shape(op), a(a),
        bOperand(bOperand), swapped(op.getSwapped()), acc(layouts.acc) {}

  Value run(Value accumulator) {
    // In the order of the instruction: rows, columns, k.
    ArrayRef<int64_t> repeat = acc.getRepeat();
    int64_t rows = repeat[swapped], columns = repeat[!swapped],
            depth = shape.k / 16;
    SmallVector<Value> sums(rows * columns);
    auto place = [&](int64_t row, int64_t column) {
      return firstRegister(acc, row, column, swapped);
    };
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t column = 0; column < columns; ++column)
        sums[row * columns + column] =
            slice(b, loc, accumulator, place(row, column), 4);
    for (int64_t k = 0; k < depth; ++k) {
      SmallVector<Value> left(rows), right(columns);
      for (int64_t row = 0; row < rows; ++row)
        left[row] = fragmentA(row, k);
      for (int64_t column = 0; column < columns; ++column)
        if (!right[column])
          fragmentB(column, k, right);
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t column = 0; column < columns; ++column) {
          Value &sum = sums[row * columns + column];
          sum = nv::MmaSyncOp::create(b, loc, sum.getType(), left[row],
                                      right[column], sum);
        }
    }
    // Atoms in the order of the registers.
    std::map<int64_t, Value> ordered;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t column = 0; column < columns; ++column)
        ordered[place(row, column)] = sums[row * columns + column];
    SmallVector<Value> parts;
    for (auto &[first, part] : ordered)
      parts.push_back(part);
    return concatenate(b, loc, parts);
  }

private:
  /// The address of an element whose place is said in the instruction's rows
  /// and columns.
  Value matrixAddress(const Operand &operand, Value row, Value column,
                      int64_t fixedRow, int64_t fixedColumn) {
    Value thread[2] = {row, column};
    int64_t fixed[2] = {fixedRow, fixedColumn};
    if (operand.transposed) {
      std::swap(thread[0], thread[1]);
      std::swap(fixed[0], fixed[1]);
    }
    return lanes.sharedAddress(operand.buffer, operand.value, thread, fixed);
  }
  /// Field of the lane's number.
  Value laneBits(unsigned shift, int64_t mask, int64_t factor) {
    Value bits = lanes.thread();
    if (shift)
      bits = arith::ShRUIOp::create(b, loc, bits, lanes.i32(shift));
    bits = arith::AndIOp::create(b, loc, bits, lanes.i32(mask));
    return lanes.multiply(bits, lanes.i32(factor));
  }
  /// The warp's part of the coordinate.
  Value warpOffset(const Operand &operand, int64_t dim) {
    Value sum = lanes.i32(0);
    for (auto [bit, basis] : llvm::enumerate(operand.layout.getWarp()))
      if (basis.dim == dim)
        sum = lanes.add(sum, laneBits(kLaneBits + bit, 1, basis.stride));
    return sum;
  }

  Value fragmentA(int64_t row, int64_t k) {
    if (!a.buffer)
      return slice(b, loc, a.value,
                   firstRegister(a.layout, row, k, a.transposed), 8);
    // Matrices (r0,k0), (r8,k0), (r0,k8), (r8,k8).
    int64_t atomRows = a.layout.getAtom()[a.transposed];
    Value warp = warpOffset(a, a.transposed ? 1 : 0);
    Value inner = laneBits(0, 7, 1), first = laneBits(3, 1, 8),
          second = laneBits(4, 1, 8);
    // A lane's address is that of a row as it lies in memory: of the
    // instruction's row, or (transposed) of its column.
    Value rowPart = a.transposed ? first : lanes.add(inner, first);
    Value columnPart = a.transposed ? lanes.add(inner, second) : second;
    Value address = matrixAddress(a, lanes.add(warp, rowPart), columnPart,
                                  row * atomRows, k * 16);
    return nv::LdMatrixOp::create(b, loc, VectorType::get({8}, shape.element),
                                  address, a.transposed);
  }

  /// The fragments of one or two columns of atoms.
  void fragmentB(int64_t column, int64_t k, SmallVector<Value> &right) {
    const Operand &o = bOperand;
    if (!o.buffer) {
      right[column] = slice(
          b, loc, o.value, firstRegister(o.layout, k, column, o.transposed), 4);
      return;
    }
    int64_t atomColumns = o.layout.getAtom()[!o.transposed];
    Value warp = warpOffset(o, o.transposed ? 0 : 1);
    bool two = column + 1 < static_cast<int64_t>(right.size());
    Value inner = laneBits(0, 7, 1), kHalf = laneBits(3, 1, 8),
          next = two ? laneBits(4, 1, atomColumns) : lanes.i32(0);
    // B' lies as [n × k] (transposed) for ldmatrix as it is, as [k × n] for
    // .trans.
    Value kPart = o.transposed ? kHalf : lanes.add(inner, kHalf);
    Value columnPart =
        lanes.add(lanes.add(warp, next), o.transposed ? inner : lanes.i32(0));
    Value address =
        matrixAddress(o, kPart, columnPart, k * 16, column * atomColumns);
    Value both = nv::LdMatrixOp::create(
        b, loc, VectorType::get({two ? 8 : 4}, shape.element), address,
        !o.transposed);
    right[column] = two ? slice(b, loc, both, 0, 4) : both;
    if (two)
      right[column + 1] = slice(b, loc, both, 4, 4);
  }

  LaneBuilder lanes;
  OpBuilder &b;
  Location loc;
  ProductShape shape;
  Operand a, bOperand;
  bool swapped;
  LayoutAttr acc;
};

/// Sums of a thread's rows and columns, k in steps.
class PlainDot {
public:
  PlainDot(DotOp op, OpBuilder &b, Operand a, Operand bOperand,
           LayoutAttr layout)
      : lanes(b, op.getLoc()), b(b), loc(op.getLoc()), shape(op), a(a),
        bOperand(bOperand), swapped(op.getSwapped()), acc(layout),
        element(op.getType().getElementType()) {}

  Value run(Value accumulator) {
    int64_t rowDim = swapped, columnDim = !swapped;
    std::set<int64_t> rowSet, columnSet;
    for (int64_t reg = 0; reg < acc.getRegisters(); ++reg) {
      Coordinate offset = acc.getRegisterOffset(reg);
      rowSet.insert(offset[rowDim]);
      columnSet.insert(offset[columnDim]);
    }
    rows.assign(rowSet.begin(), rowSet.end());
    columns.assign(columnSet.begin(), columnSet.end());
    rowThread = lanes.threadOffset(acc, rowDim);
    columnThread = lanes.threadOffset(acc, columnDim);
    // As many k at once as 16 bytes hold.
    step = 16 / bytesOf(shape.element);
    while (shape.k % step != 0)
      step /= 2;
    auto loop = scf::ForOp::create(b, loc, lanes.index(0), lanes.index(shape.k),
                                   lanes.index(step), accumulator);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value k = arith::IndexCastOp::create(b, loc, b.getI32Type(),
                                         loop.getInductionVar());
    SmallVector<SmallVector<Value>> left =
        elements(a, rows, rowThread, rowDim, k, a.transposed);
    SmallVector<SmallVector<Value>> right = elements(
        bOperand, columns, columnThread, columnDim, k, !bOperand.transposed);
    SmallVector<Value> sums;
    Value carried = loop.getRegionIterArgs()[0];
    for (int64_t reg = 0; reg < acc.getRegisters(); ++reg) {
      Coordinate offset = acc.getRegisterOffset(reg);
      int64_t row = llvm::find(rows, offset[rowDim]) - rows.begin(),
              column = llvm::find(columns, offset[columnDim]) - columns.begin();
      Value sum = vector::ExtractOp::create(b, loc, carried, reg);
      for (int64_t i = 0; i < step; ++i)
        sum = math::FmaOp::create(b, loc, left[row][i], right[column][i], sum);
      sums.push_back(sum);
    }
    Value next =
        vector::FromElementsOp::create(b, loc, carried.getType(), sums);
    scf::YieldOp::create(b, loc, next);
    return loop.getResult(0);
  }

private:
  /// Elements [line][k … k + step) of an operand; lines are rows of A' or
  /// columns of B', along dimension `dim` of the accumulator. `linesInRow`:
  /// lines lie side by side in memory, not k.
  SmallVector<SmallVector<Value>> elements(const Operand &operand,
                                           ArrayRef<int64_t> lines,
                                           Value thread, int64_t dim, Value k,
                                           bool linesInRow) {
    SmallVector<SmallVector<Value>> result(lines.size(),
                                           SmallVector<Value>(step));
    Type stored = shape.element;
    int64_t most = 16 / bytesOf(stored);
    auto load = [&](ArrayRef<Value> at, ArrayRef<int64_t> fixed,
                    int64_t width) {
      Value address =
          lanes.sharedAddress(operand.buffer, operand.value, at, fixed);
      Value loaded = nv::LoadSharedOp::create(
          b, loc, VectorType::get({width}, stored), address);
      if (stored != element)
        loaded = arith::ExtFOp::create(
            b, loc, VectorType::get({width}, element), loaded);
      return loaded;
    };
    if (!linesInRow) {
      for (auto [i, line] : llvm::enumerate(lines)) {
        Value loaded = load({thread, k}, {line, 0}, step);
        for (int64_t j = 0; j < step; ++j)
          result[i][j] = vector::ExtractOp::create(b, loc, loaded, j);
      }
      return result;
    }
    // Runs of neighbouring lines, as the accumulator's registers have them.
    int64_t run = 1;
    while (run * 2 <= most && hasRuns(lines, run * 2, dim))
      run *= 2;
    for (int64_t j = 0; j < step; ++j)
      for (size_t i = 0; i < lines.size(); i += run) {
        Value loaded = load({k, thread}, {j, lines[i]}, run);
        for (int64_t r = 0; r < run; ++r)
          result[i + r][j] = vector::ExtractOp::create(b, loc, loaded, r);
      }
    return result;
  }

  /// Whether lines come in runs of `run` that start at multiples of it, for
  /// every thread.
  bool hasRuns(ArrayRef<int64_t> lines, int64_t run, int64_t dim) {
    if (lines.size() % run != 0)
      return false;
    for (size_t i = 0; i < lines.size(); i += run)
      if (lines[i] % run != 0 || lines[i + run - 1] != lines[i] + run - 1)
        return false;
    for (unsigned bit = 0; bit < acc.getThreadBits(); ++bit) {
      LayoutBasis basis = acc.getThreadBasis(bit);
      if (basis.dim == dim && basis.stride < run)
        return false;
    }
    return true;
  }

  LaneBuilder lanes;
  OpBuilder &b;
  Location loc;
  ProductShape shape;
  Operand a, bOperand;
  bool swapped;
  LayoutAttr acc;
  Type element;
  int64_t step = 1;
  SmallVector<int64_t> rows, columns;
  Value rowThread, columnThread;
};

struct DotToLanes final : OpConversionPattern<DotOp> {
  DotToLanes(const LaneTypeConverter &converter, MLIRContext *context)
      : OpConversionPattern(converter, context) {}

  LogicalResult
  matchAndRewrite(DotOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (op.getType().getRank() != 2)
      return rewriter.notifyMatchFailure(op, "is no product of matrices");
    ProductShape shape(op);
    LayoutAttr acc = layoutOf(op.getResult());
    auto operand = [&](Value tile, bool transposed) {
      Value value = tile == op.getA() ? adaptor.getA() : adaptor.getB();
      auto buffer = dyn_cast<MemRefType>(tile.getType());
      return Operand{value, buffer, transposed,
                     buffer ? LayoutAttr() : layoutOf(tile)};
    };
    Operand a = operand(shape.a, shape.transposedA),
            b = operand(shape.b, shape.transposedB);
    if (fitsTensorCore(op)) {
      ProductLayouts layouts = tensorCoreLayouts(op, acc.getWarps());
      if (acc != layouts.acc)
        return rewriter.notifyMatchFailure(op, "has another layout than the "
                                               "instruction");
      a.layout = op.getSwapped() ? layouts.b : layouts.a;
      b.layout = op.getSwapped() ? layouts.a : layouts.b;
      rewriter.replaceOp(
          op, TensorCoreDot(op, rewriter, a, b, layouts).run(adaptor.getAcc()));
      return success();
    }
    if (!a.buffer || !b.buffer)
      return rewriter.notifyMatchFailure(op, "has operands in registers");
    rewriter.replaceOp(op,
                       PlainDot(op, rewriter, a, b, acc).run(adaptor.getAcc()));
    return success();
  }
};
} // namespace

void infini::populateDotToLanesPatterns(const LaneTypeConverter &converter,
                                        RewritePatternSet &patterns) {
  patterns.add<DotToLanes>(converter, patterns.getContext());
}
