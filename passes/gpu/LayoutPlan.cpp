// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layouts of products and of memory accesses.

#include "infini/passes/gpu/LayoutPlan.h"
#include "infini/passes/tile/Divisor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"
#include <numeric>

using namespace mlir;
using namespace infini;
using namespace infini::tile;

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

ProductShape::ProductShape(DotOp op) {
  bool ta = op.getTransposeA(), tb = op.getTransposeB();
  auto shapeA = cast<ShapedType>(op.getA().getType()),
       shapeB = cast<ShapedType>(op.getB().getType());
  k = shapeA.getDimSize(!ta);
  element = shapeA.getElementType();
  if (!op.getSwapped()) {
    m = shapeA.getDimSize(ta);
    n = shapeB.getDimSize(!tb);
    transposedA = ta;
    transposedB = tb;
    a = op.getA();
    b = op.getB();
  } else {
    m = shapeB.getDimSize(!tb);
    n = shapeA.getDimSize(ta);
    transposedA = !tb;
    transposedB = !ta;
    a = op.getB();
    b = op.getA();
  }
}

bool infini::fitsTensorCore(DotOp op) {
  ProductShape shape(op);
  return shape.element.isIntOrFloat() &&
         shape.element.getIntOrFloatBitWidth() == 16 && shape.m % 16 == 0 &&
         shape.n % 8 == 0 && shape.k % 16 == 0 &&
         op.getType().getElementType().isF32();
}

/// Spreads warps over rows, then columns, of a grid of atoms. Returns for each
/// bit of a warp's number 0 (rows), 1 (columns), or -1.
static SmallVector<int64_t> spreadWarps(int64_t warps, int64_t rows,
                                        int64_t columns) {
  SmallVector<int64_t> result;
  for (int64_t left = warps; left > 1; left /= 2) {
    if (rows % 2 == 0) {
      result.push_back(0);
      rows /= 2;
    } else if (columns % 2 == 0) {
      result.push_back(1);
      columns /= 2;
    } else {
      result.push_back(-1);
    }
  }
  return result;
}

ProductLayouts infini::tensorCoreLayouts(DotOp op, int64_t warps) {
  ProductShape shape(op);
  MLIRContext *context = op.getContext();
  SmallVector<int64_t> spread = spreadWarps(warps, shape.m / 16, shape.n / 8);
  int64_t warpRows = 1, warpColumns = 1;
  for (int64_t dim : spread) {
    warpRows *= dim == 0 ? 2 : 1;
    warpColumns *= dim == 1 ? 2 : 1;
  }
  int64_t rowRepeat = shape.m / (16 * warpRows),
          columnRepeat = shape.n / (8 * warpColumns), kRepeat = shape.k / 16;
  auto warpBases = [&](int64_t rowDim, int64_t columnDim) {
    SmallVector<LayoutBasis> bases;
    int64_t row = 16, column = 8;
    for (int64_t dim : spread) {
      LayoutBasis basis;
      if (dim == 0 && rowDim >= 0)
        basis = {rowDim, row};
      if (dim == 1 && columnDim >= 0)
        basis = {columnDim, column};
      row *= dim == 0 ? 2 : 1;
      column *= dim == 1 ? 2 : 1;
      bases.push_back(basis);
    }
    return bases;
  };
  // The maps of PTX's "Matrix Fragments for mma.m16n8k16".
  using Bases = SmallVector<LayoutBasis>;
  auto acc = LayoutAttr::get(
      context, Bases{{1, 2}, {1, 4}, {0, 1}, {0, 2}, {0, 4}}, warpBases(0, 1),
      Bases{{1, 1}, {0, 8}}, {rowRepeat, columnRepeat});
  auto a = LayoutAttr::get(
      context, Bases{{1, 2}, {1, 4}, {0, 1}, {0, 2}, {0, 4}}, warpBases(0, -1),
      Bases{{1, 1}, {0, 8}, {1, 8}}, {rowRepeat, kRepeat});
  auto b = LayoutAttr::get(
      context, Bases{{0, 2}, {0, 4}, {1, 1}, {1, 2}, {1, 4}}, warpBases(-1, 1),
      Bases{{0, 1}, {0, 8}}, {kRepeat, columnRepeat});
  if (shape.transposedA)
    a = a.permute({1, 0});
  if (shape.transposedB)
    b = b.permute({1, 0});
  if (!op.getSwapped())
    return {a, b, acc};
  return {b, a, acc.permute({1, 0})};
}

/// The largest power of two that divides `size`, at most `most`.
static int64_t powerDividing(int64_t size, int64_t most) {
  int64_t power = 1;
  while (power < most && size % (2 * power) == 0)
    power *= 2;
  return power;
}

LayoutAttr infini::plainProductLayout(DotOp op, int64_t warps) {
  ProductShape shape(op);
  // Four neighbouring columns a thread, up to eight threads along columns and
  // the others along rows: a warp reads few rows of A', and whole rows of B'.
  SmallVector<LayoutBasis> reg, lane, warp;
  int64_t row = 1, column = 1;
  auto add = [&](SmallVector<LayoutBasis> &bases, int64_t dim, int64_t &stride,
                 int64_t size) {
    if (size % (2 * stride) != 0)
      return false;
    bases.push_back({dim, stride});
    stride *= 2;
    return true;
  };
  while (reg.size() < 2 && add(reg, 1, column, shape.n))
    ;
  while (lane.size() < 3 && add(lane, 1, column, shape.n))
    ;
  while (lane.size() < kLaneBits && add(lane, 0, row, shape.m))
    ;
  while (lane.size() < kLaneBits && add(lane, 1, column, shape.n))
    ;
  while (lane.size() < kLaneBits)
    lane.push_back({});
  for (int64_t left = warps; left > 1; left /= 2)
    if (!add(warp, 0, row, shape.m) && !add(warp, 1, column, shape.n))
      warp.push_back({});
  auto acc = LayoutAttr::get(op.getContext(), lane, warp, reg,
                             {shape.m / row, shape.n / column});
  return op.getSwapped() ? acc.permute({1, 0}) : acc;
}

/// Threads read neighbouring elements, along the last dimension first. No two
/// warps share what lies along the dimension `whole`, where one is given.
LayoutAttr infini::coalescedLayout(MLIRContext *context,
                                   ArrayRef<int64_t> shape,
                                   ArrayRef<int64_t> unit, int64_t contiguous,
                                   int64_t warps, int64_t whole) {
  int64_t rank = shape.size();
  SmallVector<LayoutBasis> reg, lane, warp;
  SmallVector<int64_t> stride(rank, 1);
  auto fits = [&](int64_t dim) {
    return unit[dim] % (2 * stride[dim]) == 0 &&
           shape[dim] % (2 * stride[dim]) == 0;
  };
  auto add = [&](SmallVector<LayoutBasis> &bases, int64_t dim) {
    bases.push_back({dim, stride[dim]});
    stride[dim] *= 2;
  };
  if (rank)
    while ((int64_t(1) << reg.size()) < contiguous && fits(rank - 1))
      add(reg, rank - 1);
  unsigned warpBits = llvm::Log2_64(warps);
  // What warps may be spread over is kept for them, but for two lanes' worth.
  auto isForWarps = [&](int64_t dim) {
    if (whole < 0 || dim == whole)
      return false;
    int64_t left = 0;
    for (int64_t other = 0; other < rank; ++other)
      if (other != whole)
        left += llvm::countr_zero(
            uint64_t(std::gcd(shape[other], unit[other]) / stride[other]));
    int64_t lanes = llvm::count_if(
        lane, [&](const LayoutBasis &basis) { return basis.dim == rank - 1; });
    return left <= warpBits && (dim != rank - 1 || lanes >= 2);
  };
  for (int64_t dim = rank - 1; dim >= 0; --dim)
    while (lane.size() < kLaneBits && fits(dim) && !isForWarps(dim))
      add(lane, dim);
  while (lane.size() < kLaneBits)
    lane.push_back({});
  // Warps along other dimensions first: what reduces the last one stays in a
  // warp.
  for (int64_t dim = 0; dim < rank; ++dim)
    while (dim != whole && warp.size() < warpBits && fits(dim))
      add(warp, dim);
  while (warp.size() < warpBits)
    warp.push_back({});
  SmallVector<int64_t> repeat;
  for (auto [size, atom] : llvm::zip(shape, stride))
    repeat.push_back(size / atom);
  return LayoutAttr::get(context, lane, warp, reg, repeat);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

MemRefType infini::sharedBuffer(ArrayRef<int64_t> shape, Type element) {
  constexpr int64_t chunkBytes = 16;
  int64_t chunks =
      llvm::divideCeil(shape.back() * bytesOf(element), chunkBytes);
  // Eight rows are in different banks where their chunks are: by an exclusive
  // or where a row's chunks are a power of two or a multiple of eight, else by
  // an odd number of chunks from row to row.
  int64_t rows = 1, mask = 0;
  if (chunks % 8 == 0) {
    mask = 7;
  } else if (chunks == 4 || chunks == 2) {
    mask = chunks - 1;
    rows = 8 / chunks;
  } else if (chunks > 1) {
    chunks |= 1;
  }
  auto space =
      SharedAttr::get(element.getContext(), chunks * chunkBytes, rows, mask);
  return MemRefType::get(shape, element, MemRefLayoutAttrInterface(), space);
}

int64_t infini::accessWidth(MemRefType buffer, ArrayRef<OpFoldResult> offsets,
                            ArrayRef<int64_t> dims,
                            ArrayRef<OpFoldResult> valid,
                            ArrayRef<int64_t> shape) {
  int64_t last = buffer.getRank() - 1;
  if (dims.empty() || dims.back() != last)
    return 1;
  int64_t divisor = std::gcd(shape.back(), divisorOf(offsets[last]));
  if (!valid.empty())
    divisor = std::gcd(divisor, divisorOf(valid.back()));
  int64_t stride = 1;
  for (int64_t dim = last; dim >= 0; --dim) {
    if (dim < last)
      divisor = std::gcd(divisor, llvm::is_contained(dims, dim)
                                      ? stride
                                      : stride * divisorOf(offsets[dim]));
    stride *= buffer.isDynamicDim(dim) ? 1 : buffer.getDimSize(dim);
  }
  return powerDividing(divisor, 16 / bytesOf(buffer.getElementType()));
}
