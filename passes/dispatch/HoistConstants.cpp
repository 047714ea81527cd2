// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What depends on weights alone runs once a session.

#include "infini/dialect/program/ProgramOps.h"
#include "infini/passes/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"

namespace infini {
#define GEN_PASS_DEF_INFINIHOISTCONSTANTS
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;
using program::Role;

namespace {
struct HoistConstants final
    : infini::impl::InfiniHoistConstantsBase<HoistConstants> {
  void runOnOperation() override {
    SmallVector<func::FuncOp> functions;
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      bool session = false;
      for (unsigned i = 0; i < function.getNumArguments(); ++i)
        session |= program::argumentRole(function, i) != Role::Argument;
      if (session && !function.isExternal())
        functions.push_back(function);
    }
    for (func::FuncOp function : functions)
      hoist(function);
  }

  void hoist(func::FuncOp function) {
    Block &body = function.getBody().front();
    llvm::SetVector<Operation *> constant;
    auto isConstant = [&](Value value) {
      if (auto argument = dyn_cast<BlockArgument>(value))
        return argument.getOwner() == &body &&
               program::argumentRole(function, argument.getArgNumber()) ==
                   Role::Weight;
      return constant.contains(value.getDefiningOp());
    };
    for (Operation &op : body)
      if (op.getNumRegions() == 0 && op.getNumResults() != 0 &&
          isMemoryEffectFree(&op) && llvm::all_of(op.getOperands(), isConstant))
        constant.insert(&op);
    // Worth a buffer of its own: what was computed and is used by the rest.
    SmallVector<Value> values;
    for (Operation *op : constant)
      if (isa<program::DispatchOp, program::GemmOp>(op))
        for (Value result : op->getResults()) {
          SmallVector<Value> aliases{result};
          bool used = false;
          for (unsigned i = 0; i < aliases.size(); ++i)
            for (Operation *user : aliases[i].getUsers()) {
              if (!constant.contains(user))
                used = true;
              else if (program::isView(user))
                aliases.push_back(user->getResult(0));
            }
          if (used && cast<RankedTensorType>(result.getType()).hasStaticShape())
            values.push_back(result);
        }
    if (values.empty())
      return;

    OpBuilder b(function);
    MLIRContext *context = b.getContext();
    SmallVector<unsigned> weights;
    SmallVector<Type> argumentTypes;
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      if (program::argumentRole(function, i) == Role::Weight) {
        weights.push_back(i);
        argumentTypes.push_back(function.getArgument(i).getType());
      }
    auto init = func::FuncOp::create(
        b, function.getLoc(), (function.getName() + program::kInitSuffix).str(),
        b.getFunctionType(argumentTypes, ValueRange(values).getTypes()));
    Block *entry = init.addEntryBlock();
    IRMapping mapping;
    for (auto [i, weight] : llvm::enumerate(weights)) {
      mapping.map(function.getArgument(weight), entry->getArgument(i));
      init.setArgAttrs(i, function.getArgAttrDict(weight));
    }
    b.setInsertionPointToEnd(entry);
    for (Operation *op : constant)
      b.clone(*op, mapping);
    SmallVector<Value> results;
    for (auto [i, value] : llvm::enumerate(values)) {
      results.push_back(mapping.lookup(value));
      SmallVector<NamedAttribute> attributes{
          b.getNamedAttr(program::kRole, b.getStringAttr("constant")),
          b.getNamedAttr(program::kName,
                         b.getStringAttr("constant." + Twine(i)))};
      init.setResultAttrs(i, attributes);
      unsigned number = function.getNumArguments();
      (void)function.insertArgument(number, value.getType(),
                                    DictionaryAttr::get(context, attributes),
                                    value.getLoc());
      value.replaceUsesWithIf(function.getArgument(number),
                              [&](OpOperand &use) {
                                return !constant.contains(use.getOwner()) ||
                                       program::isView(use.getOwner());
                              });
      ++hoisted;
    }
    func::ReturnOp::create(b, function.getLoc(), results);
    IRRewriter rewriter(context);
    (void)runRegionDCE(rewriter, function->getRegions());
    (void)runRegionDCE(rewriter, init->getRegions());
    // Weights that nothing else uses need not be arguments of the step.
    llvm::BitVector unused(function.getNumArguments());
    for (unsigned weight : weights)
      if (function.getArgument(weight).use_empty())
        unused.set(weight);
    (void)function.eraseArguments(unused);
    llvm::BitVector initUnused(init.getNumArguments());
    for (BlockArgument argument : init.getArguments())
      if (argument.use_empty())
        initUnused.set(argument.getArgNumber());
    (void)init.eraseArguments(initUnused);
  }
};
} // namespace
