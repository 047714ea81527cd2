// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What one line of named dimensions gives: verification and result shapes.

#include "infini/dialect/infini/InfiniOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace infini;

SmallVector<DimName> infini::dims(StringRef names) {
  return SmallVector<DimName>(names.begin(), names.end());
}

SmallVector<DimName> infini::leadingDims(unsigned rank, StringRef last) {
  SmallVector<DimName> result;
  unsigned leading = rank > last.size() ? rank - last.size() : 0;
  for (unsigned i = 0; i < leading; ++i)
    result.push_back('2' + i); // '1' is the broadcast dimension
  result.append(last.begin(), last.end());
  return result;
}

static ShapeSignature signatureOf(Operation *op) {
  return cast<ShapeSignatureOpInterface>(op).getShapeSignature();
}

SmallVector<DimSite> infini::sitesOf(Operation *op, DimName name) {
  ShapeSignature signature = signatureOf(op);
  SmallVector<DimSite> sites;
  auto collect = [&](ArrayRef<NamedShape> shapes, ValueRange values) {
    for (auto [shape, value] : llvm::zip(shapes, values))
      for (auto [i, dim] : llvm::enumerate(shape.dims))
        if (dim == name)
          sites.push_back({value, static_cast<unsigned>(i)});
  };
  collect(signature.operands, op->getOperands());
  collect(signature.results, op->getResults());
  return sites;
}

SmallVector<DimName> infini::namesOf(Operation *op) {
  ShapeSignature signature = signatureOf(op);
  SmallVector<DimName> names;
  for (ArrayRef<NamedShape> shapes : {ArrayRef<NamedShape>(signature.operands),
                                      ArrayRef<NamedShape>(signature.results)})
    for (const NamedShape &shape : shapes)
      for (DimName dim : shape.dims)
        if (dim != '1' && !llvm::is_contained(names, dim))
          names.push_back(dim);
  return names;
}

LogicalResult infini::verifyShapeSignature(Operation *op) {
  ShapeSignature signature = signatureOf(op);
  struct Known {
    int64_t size;
    StringRef owner;
  };
  llvm::DenseMap<DimName, Known> known;
  auto check = [&](const NamedShape &shape, Type type) -> LogicalResult {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor)
      return success();
    if (static_cast<size_t>(tensor.getRank()) != shape.dims.size())
      return op->emitOpError()
             << "expected '" << shape.name << "' to have rank "
             << shape.dims.size() << ", got " << tensor.getRank() << " ("
             << tensor << ")";
    for (auto [i, dim] : llvm::enumerate(shape.dims)) {
      int64_t size = tensor.getDimSize(i);
      if (ShapedType::isDynamic(size))
        continue;
      auto [it, isNew] = known.try_emplace(dim, Known{size, shape.name});
      if (dim == '1' && size != 1)
        return op->emitOpError() << "expected '" << shape.name << "' dimension "
                                 << i << " to be 1, got " << size;
      if (!isNew && it->second.size != size)
        return op->emitOpError()
               << "expected '" << shape.name << "' dimension " << i << " ("
               << dim << ") to be " << it->second.size << ", as in '"
               << it->second.owner << "', got " << size;
    }
    return success();
  };
  // Ranks first: the sizes' places depend on them.
  for (auto [shape, type] :
       llvm::zip(signature.operands, op->getOperandTypes()))
    if (failed(check(shape, type)))
      return failure();
  for (auto [shape, type] : llvm::zip(signature.results, op->getResultTypes()))
    if (failed(check(shape, type)))
      return failure();
  auto heads = known.find('H'), groups = known.find('G');
  if (heads != known.end() && groups != known.end() &&
      (groups->second.size == 0 ? heads->second.size != 0
                                : heads->second.size % groups->second.size))
    return op->emitOpError()
           << "expected '" << heads->second.owner << "' heads ("
           << heads->second.size << ") to be a multiple of '"
           << groups->second.owner << "' heads (" << groups->second.size << ")";
  return success();
}

OpFoldResult infini::sizeOf(OpBuilder &builder, Operation *op, DimName name) {
  SmallVector<DimSite> sites = sitesOf(op, name);
  for (DimSite site : sites) {
    int64_t size =
        cast<RankedTensorType>(site.value.getType()).getDimSize(site.dim);
    if (!ShapedType::isDynamic(size))
      return builder.getIndexAttr(size);
  }
  for (DimSite site : sites)
    if (site.value.getDefiningOp() != op)
      return tensor::getMixedSize(builder, op->getLoc(), site.value, site.dim);
  llvm_unreachable("a named dimension that no operand has");
}

LogicalResult infini::reifyShapeSignature(OpBuilder &builder, Operation *op,
                                          ReifiedRankedShapedTypeDims &shapes) {
  ShapeSignature signature = signatureOf(op);
  for (auto [shape, type] :
       llvm::zip(signature.results, op->getResultTypes())) {
    SmallVector<OpFoldResult> sizes;
    for (auto [i, dim] : llvm::enumerate(shape.dims)) {
      // A static size in the result's type wins: reified shapes have to match.
      int64_t size = cast<RankedTensorType>(type).getDimSize(i);
      if (!ShapedType::isDynamic(size)) {
        sizes.push_back(builder.getIndexAttr(size));
        continue;
      }
      OpFoldResult found = sizeOf(builder, op, dim);
      sizes.push_back(
          getValueOrCreateConstantIndexOp(builder, op->getLoc(), found));
    }
    shapes.push_back(std::move(sizes));
  }
  return success();
}
