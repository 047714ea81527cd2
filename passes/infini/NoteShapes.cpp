// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which dimensions of a function's arguments have to agree. What verifiers
// check of static sizes, the runtime checks of dynamic ones.

#include "infini/dialect/infini/InfiniOps.h"
#include "infini/passes/Passes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <set>

namespace infini {
#define GEN_PASS_DEF_INFININOTESHAPES
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

namespace {

/// A dimension of an argument, or a constant (argument −1).
struct Place {
  int64_t argument, dim;
  bool isConstant() const { return argument < 0; }
  bool operator==(const Place &other) const {
    return argument == other.argument && dim == other.dim;
  }
};

class NoteShapes final : public infini::impl::InfiniNoteShapesBase<NoteShapes> {
public:
  void runOnOperation() override;

private:
  std::optional<Place> resolve(Value value, int64_t dim, unsigned depth = 0);
  void same(std::optional<Place> left, std::optional<Place> right);
  void multiple(std::optional<Place> left, std::optional<Place> right);
  void note(Place left, Place right, bool isMultiple);
  void noteSignature(ShapeSignatureOpInterface op);
  void noteScan(SegmentScanOp op);
  void noteLinalg(linalg::LinalgOp op);

  func::FuncOp function;
  SmallVector<Attribute> notes;
  std::set<std::array<int64_t, 5>> known;
};

} // namespace

/// Follows a size to where it comes from.
std::optional<Place> NoteShapes::resolve(Value value, int64_t dim,
                                         unsigned depth) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || dim < 0 || dim >= type.getRank() || depth > 64)
    return std::nullopt;
  auto follow = [&](Value next, int64_t nextDim) {
    return resolve(next, nextDim, depth + 1);
  };
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    Operation *parent = argument.getOwner()->getParentOp();
    unsigned number = argument.getArgNumber();
    if (parent == function) {
      if (!type.isDynamicDim(dim))
        return Place{-1, type.getDimSize(dim)};
      return Place{number, dim};
    }
    if (auto scan = dyn_cast<SegmentScanOp>(parent)) {
      unsigned sequences = scan.getSequences().size(),
               perSegment = scan.getPerSegment().size();
      if (number < sequences && scan.getSequenceAxes()[number] == dim)
        return std::nullopt; // all slices have the same number of tokens
      return follow(
          scan->getOperand(number),
          dim + (number >= sequences && number < sequences + perSegment));
    }
    return std::nullopt;
  }
  if (!type.isDynamicDim(dim))
    return Place{-1, type.getDimSize(dim)};
  Operation *def = value.getDefiningOp();
  unsigned number = cast<OpResult>(value).getResultNumber();
  if (auto scan = dyn_cast<SegmentScanOp>(def)) {
    if (number < scan.getNumOutputs())
      return scan.getOutputAxes()[number] == dim
                 ? follow(scan.getSequences()[0], scan.getSequenceAxes()[0])
                 : follow(scan.getYield().getOperand(number), dim);
    unsigned first = scan.getNumOutputs() + scan.getNumStacked();
    if (number >= first && number - first < scan.getStates().size())
      return follow(scan.getStates()[number - first], dim);
    return std::nullopt;
  }
  if (auto signature = dyn_cast<ShapeSignatureOpInterface>(def)) {
    for (DimSite site :
         sitesOf(def, signature.getShapeSignature().results[number].dims[dim]))
      if (site.value.getDefiningOp() != def)
        return follow(site.value, site.dim);
    return std::nullopt;
  }
  if (auto cast = dyn_cast<tensor::CastOp>(def))
    return follow(cast.getSource(), dim);
  if (auto empty = dyn_cast<tensor::EmptyOp>(def)) {
    if (auto dimOp = empty.getDynamicSize(dim).getDefiningOp<tensor::DimOp>())
      if (auto index = dimOp.getConstantIndex())
        return follow(dimOp.getSource(), *index);
    return std::nullopt;
  }
  if (auto destination = dyn_cast<DestinationStyleOpInterface>(def))
    return follow(destination.getDpsInitOperand(number)->get(), dim);
  return std::nullopt;
}

void NoteShapes::note(Place left, Place right, bool isMultiple) {
  if (left == right || !known
                            .insert({left.argument, left.dim, right.argument,
                                     right.dim, isMultiple})
                            .second)
    return;
  Builder b(&getContext());
  SmallVector<NamedAttribute> fields;
  fields.push_back(b.getNamedAttr(
      "left", b.getDenseI64ArrayAttr({left.argument, left.dim})));
  if (right.isConstant())
    fields.push_back(
        b.getNamedAttr("constant", b.getI64IntegerAttr(right.dim)));
  else
    fields.push_back(b.getNamedAttr(
        "right", b.getDenseI64ArrayAttr({right.argument, right.dim})));
  if (isMultiple)
    fields.push_back(b.getNamedAttr("multiple", b.getUnitAttr()));
  notes.push_back(b.getDictionaryAttr(fields));
  ++checks;
}

void NoteShapes::same(std::optional<Place> left, std::optional<Place> right) {
  if (!left || !right || (left->isConstant() && right->isConstant()))
    return;
  if (left->isConstant())
    std::swap(left, right);
  note(*left, *right, /*isMultiple=*/false);
}

void NoteShapes::multiple(std::optional<Place> left,
                          std::optional<Place> right) {
  // A constant on the left would have to be a multiple of a size; no op asks
  // that of an argument alone.
  if (left && right && !left->isConstant())
    note(*left, *right, /*isMultiple=*/true);
}

void NoteShapes::noteSignature(ShapeSignatureOpInterface op) {
  std::optional<Place> heads, groups;
  for (DimName name : namesOf(op)) {
    std::optional<Place> first;
    for (DimSite site : sitesOf(op, name)) {
      if (site.value.getDefiningOp() == op)
        continue;
      std::optional<Place> place = resolve(site.value, site.dim);
      if (first)
        same(place, first);
      else
        first = place;
    }
    if (name == 'H')
      heads = first;
    if (name == 'G')
      groups = first;
  }
  if (heads && groups)
    multiple(heads, groups);
  if (auto rope = dyn_cast<RopeOp>(op.getOperation()))
    multiple(resolve(rope.getInput(), rope.getType().getRank() - 1),
             Place{-1, 2});
}

void NoteShapes::noteScan(SegmentScanOp op) {
  std::optional<Place> first =
      resolve(op.getSequences()[0], op.getSequenceAxes()[0]);
  for (auto [sequence, axis] :
       llvm::zip(op.getSequences(), op.getSequenceAxes()))
    same(resolve(sequence, axis), first);
}

void NoteShapes::noteLinalg(linalg::LinalgOp op) {
  SmallVector<std::optional<Place>> loops(op.getNumLoops());
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<RankedTensorType>(operand.get().getType()))
      continue;
    for (auto [i, expr] :
         llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults())) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim)
        continue;
      std::optional<Place> place = resolve(operand.get(), i);
      std::optional<Place> &loop = loops[dim.getPosition()];
      if (loop)
        same(place, loop);
      else
        loop = place;
    }
  }
}

void NoteShapes::runOnOperation() {
  function = getOperation();
  notes.clear();
  known.clear();
  if (function.isExternal())
    return;
  function.walk([&](Operation *op) {
    if (auto signature = dyn_cast<ShapeSignatureOpInterface>(op))
      noteSignature(signature);
    else if (auto scan = dyn_cast<SegmentScanOp>(op))
      noteScan(scan);
    else if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
      noteLinalg(linalgOp);
  });
  if (!notes.empty())
    function->setAttr("program.checks", ArrayAttr::get(&getContext(), notes));
}
