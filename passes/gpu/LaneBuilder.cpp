// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Coordinates and addresses of a thread's elements.

#include "infini/passes/gpu/LaneBuilder.h"
#include "infini/passes/gpu/LayoutPlan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace infini;
using namespace infini::tile;

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

Value LaneBuilder::i32(int64_t value) {
  return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
}
Value LaneBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}
Value LaneBuilder::index(OpFoldResult value) {
  return getValueOrCreateConstantIndexOp(b, loc, value);
}
Value LaneBuilder::toIndex(Value value) {
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), value);
}
Value LaneBuilder::add(Value x, Value y) {
  return b.createOrFold<arith::AddIOp>(loc, x, y);
}
Value LaneBuilder::multiply(Value x, Value y) {
  return b.createOrFold<arith::MulIOp>(loc, x, y);
}

Value LaneBuilder::thread() {
  Value id = gpu::ThreadIdOp::create(b, loc, gpu::Dimension::x);
  return arith::IndexCastOp::create(b, loc, b.getI32Type(), id);
}

Value LaneBuilder::threadOffset(LayoutAttr layout, int64_t dim) {
  Value sum;
  // Neighbouring bits with doubling strides are one field.
  for (unsigned bit = 0; bit < layout.getThreadBits();) {
    LayoutBasis basis = layout.getThreadBasis(bit);
    if (basis.dim != dim) {
      ++bit;
      continue;
    }
    unsigned bits = 1;
    while (bit + bits < layout.getThreadBits() &&
           layout.getThreadBasis(bit + bits) ==
               LayoutBasis{dim, basis.stride << bits})
      ++bits;
    Value field = thread();
    if (bit)
      field = arith::ShRUIOp::create(b, loc, field, i32(bit));
    field = arith::AndIOp::create(b, loc, field, i32((1 << bits) - 1));
    if (basis.stride != 1)
      field = arith::MulIOp::create(b, loc, field, i32(basis.stride));
    sum = sum ? arith::AddIOp::create(b, loc, sum, field).getResult() : field;
    bit += bits;
  }
  return sum ? sum : i32(0);
}

Value LaneBuilder::isFirstReplica(LayoutAttr layout) {
  int64_t mask = 0;
  for (unsigned bit = 0; bit < layout.getThreadBits(); ++bit)
    if (layout.getThreadBasis(bit).isReplica())
      mask |= int64_t(1) << bit;
  if (!mask)
    return {};
  Value bits = arith::AndIOp::create(b, loc, thread(), i32(mask));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, bits, i32(0));
}

Value LaneBuilder::both(Value x, Value y) {
  if (!x || !y)
    return x ? x : y;
  return arith::AndIOp::create(b, loc, x, y);
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

Value LaneBuilder::sharedAddress(MemRefType buffer, Value base,
                                 ArrayRef<Value> thread,
                                 ArrayRef<int64_t> fixed) {
  auto space = cast<SharedAttr>(buffer.getMemorySpace());
  int64_t rank = buffer.getRank(), bytes = bytesOf(buffer.getElementType());
  // The row's number, its thread's and its fixed part apart.
  Value row = i32(0);
  int64_t fixedRow = 0, rowsBelow = 1;
  for (int64_t dim = rank - 2; dim >= 0; --dim) {
    row = add(row, multiply(thread[dim], i32(rowsBelow)));
    fixedRow += fixed[dim] * rowsBelow;
    rowsBelow *= buffer.getDimSize(dim);
  }
  Value column = multiply(thread[rank - 1], i32(bytes));
  int64_t fixedColumn = fixed[rank - 1] * bytes;
  Value wholeRow = add(row, i32(fixedRow));
  Value wholeColumn = add(column, i32(fixedColumn));
  if (space.getMask()) {
    Value turn = wholeRow;
    if (space.getRows() > 1)
      turn = arith::DivUIOp::create(b, loc, turn, i32(space.getRows()));
    turn = arith::AndIOp::create(b, loc, turn, i32(space.getMask()));
    turn = multiply(turn, i32(16));
    wholeColumn = arith::XOrIOp::create(b, loc, wholeColumn, turn);
  }
  return add(base, add(multiply(wholeRow, i32(space.getPitch())), wholeColumn));
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

/// Sizes of a buffer: static, or those that the kernel's last arguments are
/// (see KernelToBlocks).
static SmallVector<OpFoldResult> sizesOf(LaneBuilder &lanes, Value buffer) {
  OpBuilder &b = lanes.b;
  auto type = cast<MemRefType>(buffer.getType());
  if (auto expand = buffer.getDefiningOp<memref::ExpandShapeOp>())
    return getMixedValues(expand.getStaticOutputShape(),
                          expand.getOutputShape(), b);
  if (auto collapse = buffer.getDefiningOp<memref::CollapseShapeOp>()) {
    SmallVector<OpFoldResult> source = sizesOf(lanes, collapse.getSrc()), sizes;
    for (const ReassociationIndices &group :
         collapse.getReassociationIndices()) {
      Value size = lanes.index(1);
      for (int64_t dim : group)
        size = lanes.multiply(size, lanes.index(source[dim]));
      sizes.push_back(getAsOpFoldResult(size));
    }
    return sizes;
  }
  auto argument = cast<BlockArgument>(buffer);
  Block *entry = argument.getOwner();
  unsigned dynamic = 0, before = 0;
  for (BlockArgument other : entry->getArguments())
    if (auto memref = dyn_cast<MemRefType>(other.getType())) {
      if (other.getArgNumber() < argument.getArgNumber())
        before += memref.getNumDynamicDims();
      dynamic += memref.getNumDynamicDims();
    }
  unsigned next = entry->getNumArguments() - dynamic + before;
  SmallVector<OpFoldResult> sizes;
  for (int64_t size : type.getShape())
    sizes.push_back(ShapedType::isDynamic(size)
                        ? OpFoldResult(entry->getArgument(next++))
                        : OpFoldResult(b.getIndexAttr(size)));
  return sizes;
}

BufferView LaneBuilder::view(Value buffer) {
  BufferView result;
  result.sizes = sizesOf(*this, buffer);
  int64_t rank = result.sizes.size();
  result.strides.resize(rank);
  result.fixed.resize(rank);
  Value stride = index(1);
  std::optional<int64_t> fixed = 1;
  for (int64_t dim = rank - 1; dim >= 0; --dim) {
    result.strides[dim] = stride;
    result.fixed[dim] = fixed;
    auto size = getConstantIntValue(result.sizes[dim]);
    fixed = fixed && size ? std::optional(*fixed * *size) : std::nullopt;
    stride = fixed ? index(*fixed) : multiply(stride, index(result.sizes[dim]));
  }
  while (auto part = buffer.getDefiningOp<ViewLikeOpInterface>())
    buffer = part.getViewSource();
  result.base = buffer;
  return result;
}

GlobalAccess::GlobalAccess(LaneBuilder &lanes, Value buffer,
                           ArrayRef<OpFoldResult> offsets,
                           ArrayRef<int64_t> dims, ArrayRef<OpFoldResult> valid,
                           LayoutAttr layout, int64_t widest)
    : lanes(lanes), layout(layout) {
  OpBuilder &b = lanes.b;
  Coordinate shape = layout.getShape();
  width = 1;
  if (!shape.empty())
    width = std::min(widest, layout.getContiguous(shape.size() - 1));
  BufferView view = lanes.view(buffer);
  base = view.base;
  start = lanes.index(0);
  for (auto [offset, along] : llvm::zip(offsets, view.strides))
    if (!isConstantIntValue(offset, 0))
      start = lanes.add(start, lanes.multiply(lanes.index(offset), along));
  for (auto [i, dim] : llvm::enumerate(dims)) {
    strides.push_back(view.strides[dim]);
    fixedStrides.push_back(view.fixed[dim]);
    Value thread = lanes.toIndex(lanes.threadOffset(layout, i));
    start = lanes.add(start, lanes.multiply(thread, strides.back()));
    // What is valid as a whole needs no test.
    bool always = valid.empty();
    if (!always)
      if (auto constant = getConstantIntValue(valid[i]))
        always = *constant >= shape[i];
    room.push_back(always ? Value()
                          : arith::SubIOp::create(b, lanes.loc,
                                                  lanes.index(valid[i]), thread)
                                .getResult());
  }
}

Value GlobalAccess::indexOf(int64_t reg) {
  Value result = start;
  int64_t fixed = 0;
  for (auto [offset, stride, constant] :
       llvm::zip(layout.getRegisterOffset(reg), strides, fixedStrides)) {
    if (constant)
      fixed += offset * *constant;
    else if (offset)
      result = lanes.add(result, lanes.multiply(lanes.index(offset), stride));
  }
  return lanes.add(result, lanes.index(fixed));
}

Value GlobalAccess::isValid(int64_t reg) {
  Value all;
  for (auto [offset, left] : llvm::zip(layout.getRegisterOffset(reg), room))
    if (left)
      all = lanes.both(all, arith::CmpIOp::create(lanes.b, lanes.loc,
                                                  arith::CmpIPredicate::sgt,
                                                  left, lanes.index(offset)));
  return all;
}
