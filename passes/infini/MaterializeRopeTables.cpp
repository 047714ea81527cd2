// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tables of cosines and sines for infini.rope.

#include "infini/dialect/infini/InfiniOps.h"
#include "infini/passes/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

namespace infini {
#define GEN_PASS_DEF_INFINIMATERIALIZEROPETABLES
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

/// cos and sin of position · base^(−2c/d) / factor for `positions` × d/2, as
/// `element`; angles in f64.
static std::pair<Value, Value> buildTables(OpBuilder &b, Location loc,
                                           RopeOp op, OpFoldResult positions,
                                           Type element) {
  Type f64 = b.getF64Type();
  int64_t rank = op.getType().getRank();
  OpFoldResult size = tensor::getMixedSize(b, loc, op.getInput(), rank - 1);
  AffineExpr d0;
  bindDims(b.getContext(), d0);
  OpFoldResult half =
      affine::makeComposedFoldedAffineApply(b, loc, d0.floorDiv(2), {size});
  Value sizeValue = arith::IndexCastOp::create(
      b, loc, b.getI64Type(), getValueOrCreateConstantIndexOp(b, loc, size));
  Value sizeFloat = arith::SIToFPOp::create(b, loc, f64, sizeValue);
  auto constant = [&](double v) {
    return arith::ConstantOp::create(b, loc, b.getF64FloatAttr(v)).getResult();
  };
  // base^(−2c/d) = exp(c · (−2 ln(base)/d))
  Value exponent = arith::DivFOp::create(
      b, loc, constant(-2.0 * std::log(op.getBase().convertToDouble())),
      sizeFloat);
  Value factor = constant(op.getFactor().convertToDouble());
  Value empty = tensor::EmptyOp::create(b, loc, {positions, half}, element);
  SmallVector<AffineMap> maps(2, b.getMultiDimIdentityMap(2));
  SmallVector<utils::IteratorType> iterators(2, utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      b, loc, TypeRange{empty.getType(), empty.getType()}, ValueRange{},
      ValueRange{empty, empty}, maps, iterators,
      [&](OpBuilder &nb, Location l, ValueRange) {
        auto number = [&](unsigned dim) -> Value {
          Value index = linalg::IndexOp::create(nb, l, dim);
          Value integer =
              arith::IndexCastOp::create(nb, l, nb.getI64Type(), index);
          return arith::SIToFPOp::create(nb, l, f64, integer);
        };
        Value frequency = math::ExpOp::create(
            nb, l, arith::MulFOp::create(nb, l, number(1), exponent));
        Value angle = arith::DivFOp::create(
            nb, l, arith::MulFOp::create(nb, l, number(0), frequency), factor);
        Value cosine = math::CosOp::create(nb, l, angle);
        Value sine = math::SinOp::create(nb, l, angle);
        if (element != f64) {
          cosine = arith::TruncFOp::create(nb, l, element, cosine);
          sine = arith::TruncFOp::create(nb, l, element, sine);
        }
        linalg::YieldOp::create(nb, l, ValueRange{cosine, sine});
      });
  return {generic.getResult(0), generic.getResult(1)};
}

namespace {
struct MaterializeRopeTables final
    : infini::impl::InfiniMaterializeRopeTablesBase<MaterializeRopeTables> {
  void runOnOperation() override {
    getOperation().walk([&](RopeOp op) {
      if (op.getCos())
        return;
      OpBuilder b(op);
      Type element = op.getType().getElementType();
      if (element.getIntOrFloatBitWidth() < 32)
        element = b.getF32Type();
      OpFoldResult positions;
      if (auto scan = op->getParentOfType<SegmentScanOp>()) {
        positions = b.getIndexAttr(scan.getSegmentLength());
      } else {
        positions = tensor::getMixedSize(b, op.getLoc(), op.getInput(),
                                         op.getType().getRank() - 2);
        if (op.getOffset()) {
          AffineExpr d0, d1;
          bindDims(b.getContext(), d0, d1);
          positions = affine::makeComposedFoldedAffineApply(
              b, op.getLoc(), d0 + d1,
              {positions, OpFoldResult(op.getOffset())});
        }
      }
      auto [cosine, sine] = buildTables(b, op.getLoc(), op, positions, element);
      op.getCosMutable().assign(cosine);
      op.getSinMutable().assign(sine);
      ++tables;
    });
  }
};
} // namespace
