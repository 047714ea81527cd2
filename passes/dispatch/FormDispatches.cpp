// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which ops become one kernel, which stay in the schedule.

#include "infini/dialect/infini/InfiniOps.h"
#include "infini/dialect/program/ProgramOps.h"
#include "infini/passes/Passes.h"
#include "infini/passes/dispatch/KernelBuilder.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/StringSet.h"

namespace infini {
#define GEN_PASS_DEF_INFINIFORMDISPATCHES
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

//===----------------------------------------------------------------------===//
// What stays in the schedule
//===----------------------------------------------------------------------===//

/// A size or position that the schedule computes: integer arithmetic on
/// dimensions, index arguments, and loop counters.
static bool isScheduleScalar(Value value) {
  if (!value.getType().isIndex())
    return false;
  Operation *op = value.getDefiningOp();
  if (!op)
    return true;
  if (isa<tensor::DimOp>(op))
    return true;
  if (op->getNumRegions() != 0 ||
      !isa<arith::ArithDialect, affine::AffineDialect>(op->getDialect()))
    return false;
  return llvm::all_of(op->getOperands(), isScheduleScalar);
}

/// A loop whose iterations the schedule runs: it carries tensors, and is worth
/// it.
static bool isScheduleLoop(Operation *op) {
  auto loop = dyn_cast<scf::ForOp>(op);
  if (!loop ||
      !llvm::all_of(loop.getResultTypes(), llvm::IsaPred<RankedTensorType>) ||
      loop.getNumResults() == 0)
    return false;
  if (!llvm::all_of(ValueRange{loop.getLowerBound(), loop.getUpperBound(),
                               loop.getStep()},
                    isScheduleScalar))
    return false;
  bool worth = false;
  loop.getBody()->walk([&](Operation *inner) {
    worth |=
        isa<ShapeSignatureOpInterface, program::DispatchOp, program::GemmOp,
            linalg::LinalgOp, tensor::InsertSliceOp, scf::ForallOp>(inner);
  });
  return worth;
}

/// Ops of the schedule itself.
static bool isScheduleOp(Operation *op) {
  return isa<program::DispatchOp, program::GemmOp, func::ReturnOp,
             scf::YieldOp>(op) ||
         isScheduleLoop(op);
}

/// A parallel loop of the schedule: its iterations become blocks of kernels.
static bool isScheduleForall(Operation *op) {
  auto forall = dyn_cast<scf::ForallOp>(op);
  return forall && forall.getNumResults() != 0 &&
         llvm::all_of(forall.getMixedUpperBound(),
                      [](OpFoldResult bound) {
                        auto value = dyn_cast<Value>(bound);
                        return !value || isScheduleScalar(value);
                      }) &&
         forall.isNormalized();
}

/// Cheap enough to be computed again in every kernel that uses it.
static bool isDuplicable(Operation *op) {
  if (isa<tensor::EmptyOp, tensor::ExtractSliceOp, linalg::FillOp,
          tensor::ExtractOp, tensor::SplatOp>(op) ||
      program::isView(op) || op->hasTrait<OpTrait::ConstantLike>())
    return true;
  // Arithmetic on scalars.
  return op->getNumRegions() == 0 && isPure(op) &&
         llvm::none_of(op->getResultTypes(), llvm::IsaPred<ShapedType>);
}

/// A copy, transposition, or broadcast: moves, computes nothing.
static bool isMovement(Operation *op) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp || linalgOp.getNumReductionLoops() ||
      linalgOp.hasIndexSemantics())
    return false;
  Operation *yield = linalgOp.getBlock()->getTerminator();
  return linalgOp.getBlock()->getOperations().size() == 1 &&
         yield->getNumOperands() == 1 &&
         yield->getOperand(0) == linalgOp.getBlock()->getArgument(0);
}

//===----------------------------------------------------------------------===//
// Dense products
//===----------------------------------------------------------------------===//

/// `value` with elements of type `element`.
static Value convertElements(RewriterBase &rewriter, Location loc, Value value,
                             Type element) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getElementType() == element)
    return value;
  Value empty = tensor::EmptyOp::create(
      rewriter, loc, tensor::getMixedSizes(rewriter, loc, value), element);
  SmallVector<AffineMap> maps(2,
                              rewriter.getMultiDimIdentityMap(type.getRank()));
  SmallVector<utils::IteratorType> iterators(type.getRank(),
                                             utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             rewriter, loc, TypeRange{empty.getType()}, ValueRange{value},
             ValueRange{empty}, maps, iterators,
             [&](OpBuilder &b, Location l, ValueRange arguments) {
               Value wide = arith::ExtFOp::create(b, l, element, arguments[0]);
               linalg::YieldOp::create(b, l, wide);
             })
      .getResult(0);
}

/// Whether the body is acc + a · b and nothing else, but that a and b may be
/// widened. (Upstream's test for contractions overlooks other unary ops.)
static bool isPlainProduct(linalg::LinalgOp op) {
  Block &body = *op.getBlock();
  auto widened = [](Value value) {
    auto extend = value.getDefiningOp<arith::ExtFOp>();
    return extend ? extend.getIn() : value;
  };
  auto add = body.getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!add)
    return false;
  Value accumulator = body.getArgument(2);
  bool accumulates = add.getLhs() == accumulator || add.getRhs() == accumulator;
  auto multiply = (add.getLhs() == accumulator ? add.getRhs() : add.getLhs())
                      .getDefiningOp<arith::MulFOp>();
  if (!accumulates || !multiply)
    return false;
  Value a = widened(multiply.getLhs()), b = widened(multiply.getRhs());
  if (a != body.getArgument(0))
    std::swap(a, b);
  return a == body.getArgument(0) && b == body.getArgument(1);
}

/// A product of two matrices, in one of the four forms that libraries know.
static LogicalResult formGemm(RewriterBase &rewriter, linalg::LinalgOp op) {
  if (!linalg::isaContractionOpInterface(op) || op.getNumLoops() != 3 ||
      !isPlainProduct(op))
    return failure();
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || type.getRank() != 2 ||
      !(type.getElementType().isF32() || type.getElementType().isF64()))
    return failure();
  auto dims = linalg::inferContractionDims(op);
  if (failed(dims) || !dims->batch.empty() || dims->m.size() != 1 ||
      dims->n.size() != 1 || dims->k.size() != 1)
    return failure();
  Value lhs = op.getDpsInputOperand(0)->get(),
        rhs = op.getDpsInputOperand(1)->get();
  for (Value operand : {lhs, rhs})
    if (cast<RankedTensorType>(operand.getType()).getRank() != 2 ||
        !isa<FloatType>(getElementTypeOrSelf(operand.getType())))
      return failure();
  MLIRContext *context = op.getContext();
  AffineExpr m = getAffineDimExpr(dims->m[0], context),
             n = getAffineDimExpr(dims->n[0], context),
             k = getAffineDimExpr(dims->k[0], context);
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  auto is = [&](AffineMap map, AffineExpr a, AffineExpr b) {
    return map == AffineMap::get(3, 0, {a, b}, context);
  };
  if (!is(maps[2], m, n))
    return failure();
  bool transposeLhs = is(maps[0], k, m), transposeRhs = is(maps[1], n, k);
  if ((!transposeLhs && !is(maps[0], m, k)) ||
      (!transposeRhs && !is(maps[1], k, n)))
    return failure();

  rewriter.setInsertionPoint(op);
  Location loc = op.getLoc();
  lhs = convertElements(rewriter, loc, lhs, type.getElementType());
  rhs = convertElements(rewriter, loc, rhs, type.getElementType());
  Value out = op.getDpsInitOperand(0)->get();
  bool accumulate = true;
  if (auto fill = out.getDefiningOp<linalg::FillOp>();
      fill && (matchPattern(fill.getInputs()[0], m_AnyZeroFloat()))) {
    accumulate = false;
    out = tensor::EmptyOp::create(rewriter, loc,
                                  tensor::getMixedSizes(rewriter, loc, out),
                                  type.getElementType());
    if (out.getType() != type)
      out = tensor::CastOp::create(rewriter, loc, type, out);
  }
  rewriter.replaceOpWithNewOp<program::GemmOp>(op, lhs, rhs, out, transposeLhs,
                                               transposeRhs, accumulate);
  return success();
}

//===----------------------------------------------------------------------===//
// Clusters
//===----------------------------------------------------------------------===//

/// Whether the schedule itself uses one of the op's tensors, so that they need
/// a buffer.
static bool neededBySchedule(Operation *op) {
  for (OpOperand &use : op->getUses()) {
    Operation *user = use.getOwner();
    if (isScheduleOp(user) || (program::isView(user) && neededBySchedule(user)))
      return true;
    // The destination of an update.
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(user);
        insert && &use == &insert.getDestMutable())
      return true;
    if (auto destination = dyn_cast<DestinationStyleOpInterface>(user);
        destination && destination.isDpsInit(&use) &&
        !isa<linalg::FillOp, tensor::EmptyOp>(op))
      return !isDuplicable(op);
  }
  return false;
}

/// The op in `block` that holds `op`, or null.
static Operation *ancestorIn(Block *block, Operation *op) {
  return block->findAncestorOpInBlock(*op);
}

/// Slices, reshapes, constants, scalars: to the last.
static void addDuplicables(Cluster &cluster) {
  SmallVector<Operation *> worklist(cluster.ops.begin(), cluster.ops.end());
  while (!worklist.empty()) {
    Operation *op = worklist.pop_back_val();
    op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands()) {
        Operation *def = operand.getDefiningOp();
        if (!def || !isDuplicable(def) || cluster.ops.contains(def))
          continue;
        // What lies inside an op of the cluster comes with it.
        if (!def->getParentRegion()->isAncestor(
                cluster.root->getParentRegion()))
          continue;
        // Sizes come as scalars, unless they are constants.
        if (operand.getType().isIndex() &&
            !def->hasTrait<OpTrait::ConstantLike>() &&
            isScheduleScalar(operand))
          continue;
        cluster.ops.insert(def);
        worklist.push_back(def);
      }
    });
  }
}

/// Why an op is not computed in the kernel of what uses it.
using Reasons = llvm::DenseMap<Operation *, std::string>;

static Cluster formCluster(Operation *root, Reasons &reasons) {
  Cluster cluster;
  cluster.root = root;
  cluster.ops.insert(root);
  Block *block = root->getBlock();
  bool tileable = isa<linalg::LinalgOp, ShapeSignatureOpInterface>(root);

  // Producers come before their users, so one sweep upwards meets every op
  // after all that might take it along.
  for (Operation *op = root->getPrevNode(); op; op = op->getPrevNode()) {
    if (isDuplicable(op) || op->getNumResults() == 0 || isScheduleOp(op) ||
        !isa<linalg::LinalgOp, ShapeSignatureOpInterface>(op))
      continue;
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
        linalgOp && linalg::isaContractionOpInterface(linalgOp)) {
      reasons[op] = "a product is computed once, by itself";
      continue;
    }
    bool used = false, once = true, onlyHere = true;
    StringRef wholeUser;
    for (OpOperand &use : op->getUses()) {
      Operation *user = ancestorIn(block, use.getOwner());
      if (!user || !cluster.ops.contains(user)) {
        onlyHere = false;
        continue;
      }
      used = true;
      bool intoRoot = isa<tensor::InsertSliceOp>(root) &&
                      use.getOwner() == root && use.getOperandNumber() == 0;
      bool tileByTile =
          use.getOwner() == user &&
          (intoRoot || (usesOnce(use) && (tileable || user != root)));
      if (!tileByTile)
        wholeUser = user->getName().getStringRef();
      once &= tileByTile;
    }
    if (used && once && (onlyHere || isMovement(op)))
      cluster.ops.insert(op);
    else if (used)
      reasons[op] = once ? "more than one kernel uses it"
                         : "each tile of '" + wholeUser.str() +
                               "' needs more than one tile of it";
  }
  addDuplicables(cluster);
  return cluster;
}

//===----------------------------------------------------------------------===//
// Parallel loops of the schedule
//===----------------------------------------------------------------------===//

namespace {

/// Cuts a parallel loop into one loop a kernel. What one computes for another
/// is stacked along the iterations.
class ForallFission {
public:
  ForallFission(scf::ForallOp forall, RewriterBase &rewriter, Reasons &reasons)
      : forall(forall), b(rewriter), loc(forall.getLoc()), reasons(reasons) {}

  /// Replaces the loop; returns the clusters of the new ones, in order.
  SmallVector<Cluster> run();

private:
  void ownSources();
  void findRoots();
  /// Whether a kernel other than those that compute `op` themselves, or the
  /// loop's end, needs it.
  bool isNeeded(Operation *op);
  bool isNeededByOthers(Value value);
  bool canStack(Operation *root);
  Cluster split(const Cluster &cluster);
  Value materialize(Value value, IRMapping &mapping);

  scf::ForallOp forall;
  RewriterBase &b;
  Location loc;
  Reasons &reasons;
  SmallVector<Cluster> clusters;
  /// The stack of a value, and what each output is after the loops so far.
  llvm::DenseMap<Value, Value> stacks;
  SmallVector<Value> outputs;
};

} // namespace

bool ForallFission::isNeeded(Operation *op) {
  return llvm::any_of(op->getUsers(),
                      [&](Operation *user) {
                        return ancestorIn(forall.getBody(), user) ==
                               forall.getTerminator();
                      }) ||
         llvm::any_of(op->getResults(),
                      [&](Value value) { return isNeededByOthers(value); });
}

bool ForallFission::isNeededByOthers(Value value) {
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    Operation *top = ancestorIn(forall.getBody(), user);
    return llvm::any_of(clusters, [&](const Cluster &cluster) {
      return cluster.ops.contains(top) &&
             !cluster.ops.contains(value.getDefiningOp());
    });
  });
}

void ForallFission::findRoots() {
  for (Operation &op : llvm::reverse(forall.getBody()->without_terminator())) {
    bool tensors = llvm::any_of(op.getResultTypes(), llvm::IsaPred<TensorType>);
    // What is cheap is computed where it is used; but what leaves the loop has
    // to come from a kernel.
    bool leaves = llvm::any_of(op.getUsers(), [&](Operation *user) {
      return user->getParentOp() == forall.getTerminator();
    });
    if (!tensors || (isDuplicable(&op) && !leaves) || !isNeeded(&op))
      continue;
    clusters.push_back(formCluster(&op, reasons));
  }
  std::reverse(clusters.begin(), clusters.end());
}

/// Stacks have the same size in each iteration.
bool ForallFission::canStack(Operation *root) {
  return llvm::all_of(root->getResults(), [&](Value result) {
    auto tensor = dyn_cast<RankedTensorType>(result.getType());
    return !isNeededByOthers(result) || (tensor && tensor.hasStaticShape());
  });
}

/// `value` of the old loop in the new one's body.
Value ForallFission::materialize(Value value, IRMapping &mapping) {
  if (Value known = mapping.lookupOrNull(value))
    return known;
  if (!forall.getRegion().isAncestor(value.getParentRegion()))
    return value;
  if (Value stack = stacks.lookup(value)) {
    auto type = cast<RankedTensorType>(value.getType());
    SmallVector<OpFoldResult> offsets, sizes, strides;
    for (Value iv : forall.getInductionVars()) {
      offsets.push_back(mapping.lookup(iv));
      sizes.push_back(b.getIndexAttr(1));
    }
    for (int64_t size : type.getShape()) {
      offsets.push_back(b.getIndexAttr(0));
      sizes.push_back(b.getIndexAttr(size));
    }
    strides.assign(sizes.size(), b.getIndexAttr(1));
    Value slice = tensor::ExtractSliceOp::create(b, loc, type, stack, offsets,
                                                 sizes, strides);
    mapping.map(value, slice);
    return slice;
  }
  // A position or size: computed again.
  Operation *def = value.getDefiningOp();
  def->walk([&](Operation *inner) {
    for (Value operand : inner->getOperands())
      if (!def->isAncestor(operand.getParentBlock()->getParentOp()))
        materialize(operand, mapping);
  });
  b.clone(*def, mapping);
  return mapping.lookup(value);
}

Cluster ForallFission::split(const Cluster &cluster) {
  Operation *root = cluster.root;
  b.setInsertionPoint(forall);
  SmallVector<Value> outs;
  struct Insertion {
    tensor::ParallelInsertSliceOp op;
    unsigned output;
  };
  SmallVector<Insertion> insertions;
  for (Operation &op : forall.getTerminator().getYieldingOps()) {
    auto insert = cast<tensor::ParallelInsertSliceOp>(op);
    if (insert.getSource().getDefiningOp() != root)
      continue;
    unsigned output =
        cast<BlockArgument>(insert.getDest()).getArgNumber() - forall.getRank();
    insertions.push_back({insert, output});
    outs.push_back(outputs[output]);
  }
  // Results that other kernels need.
  SmallVector<Value> stacked;
  for (Value result : root->getResults()) {
    if (!isNeededByOthers(result))
      continue;
    SmallVector<OpFoldResult> sizes = forall.getMixedUpperBound();
    auto type = cast<RankedTensorType>(result.getType());
    for (int64_t size : type.getShape())
      sizes.push_back(b.getIndexAttr(size));
    outs.push_back(
        tensor::EmptyOp::create(b, loc, sizes, type.getElementType()));
    stacked.push_back(result);
  }
  auto loop = scf::ForallOp::create(b, loc, forall.getMixedUpperBound(), outs,
                                    std::nullopt);
  IRMapping mapping;
  mapping.map(forall.getInductionVars(), loop.getInductionVars());
  // Read, an output is what it was before the loop.
  mapping.map(forall.getRegionIterArgs(), forall.getOutputs());
  for (auto [i, insertion] : llvm::enumerate(insertions))
    mapping.map(insertion.op.getDest(), loop.getRegionIterArgs()[i]);
  Cluster result;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(loop.getTerminator());
    for (Operation *op : orderedOps(cluster)) {
      if (op->getBlock() != forall.getBody())
        continue;
      op->walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          if (!op->isAncestor(operand.getParentBlock()->getParentOp()))
            materialize(operand, mapping);
      });
      result.inner.insert(b.clone(*op, mapping));
    }
    unsigned number = 0;
    SmallVector<SmallVector<OpFoldResult>> places;
    auto mapped = [&](ArrayRef<OpFoldResult> values) {
      return llvm::map_to_vector(values, [&](OpFoldResult value) {
        auto dynamic = dyn_cast<Value>(value);
        return dynamic ? OpFoldResult(materialize(dynamic, mapping)) : value;
      });
    };
    for (Insertion &insertion : insertions) {
      auto insert = insertion.op;
      auto offsets = mapped(insert.getMixedOffsets()),
           sizes = mapped(insert.getMixedSizes()),
           strides = mapped(insert.getMixedStrides());
      OpBuilder::InsertionGuard inner(b);
      b.setInsertionPointToEnd(loop.getTerminator().getBody());
      tensor::ParallelInsertSliceOp::create(
          b, loc, mapping.lookup(insert.getSource()),
          loop.getRegionIterArgs()[number], offsets, sizes, strides);
      outputs[insertion.output] = loop.getResult(number++);
    }
    for (Value value : stacked) {
      SmallVector<OpFoldResult> offsets =
          getAsOpFoldResult(ValueRange(loop.getInductionVars()));
      SmallVector<OpFoldResult> sizes;
      sizes.assign(offsets.size(), b.getIndexAttr(1));
      for (int64_t size : cast<RankedTensorType>(value.getType()).getShape()) {
        offsets.push_back(b.getIndexAttr(0));
        sizes.push_back(b.getIndexAttr(size));
      }
      SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
      OpBuilder::InsertionGuard inner(b);
      b.setInsertionPointToEnd(loop.getTerminator().getBody());
      tensor::ParallelInsertSliceOp::create(b, loc, mapping.lookup(value),
                                            loop.getRegionIterArgs()[number],
                                            offsets, sizes, strides);
      stacks[value] = loop.getResult(number++);
    }
  }
  result.root = loop;
  result.ops.insert(loop);
  result.anchor = mapping.lookup(root);
  return result;
}

/// What comes from outside the loop and leaves it is copied in it.
void ForallFission::ownSources() {
  for (Operation &op : forall.getTerminator().getYieldingOps()) {
    auto insert = dyn_cast<tensor::ParallelInsertSliceOp>(op);
    if (!insert || insert.getSource().getParentBlock() == forall.getBody())
      continue;
    b.setInsertionPoint(forall.getTerminator());
    Value source = insert.getSource();
    Value empty =
        tensor::EmptyOp::create(b, loc, tensor::getMixedSizes(b, loc, source),
                                insert.getSourceType().getElementType());
    Value copy = linalg::CopyOp::create(b, loc, source, empty)->getResult(0);
    if (copy.getType() != source.getType())
      copy = tensor::CastOp::create(b, loc, source.getType(), copy);
    insert.getSourceMutable().assign(copy);
  }
}

SmallVector<Cluster> ForallFission::run() {
  ownSources();
  findRoots();
  // What goes from one kernel to another must be of one size.
  bool splits = !clusters.empty();
  for (Operation &op : forall.getTerminator().getYieldingOps()) {
    auto insert = dyn_cast<tensor::ParallelInsertSliceOp>(op);
    splits &= insert && insert.getSource().getDefiningOp();
  }
  for (const Cluster &cluster : clusters)
    splits &= canStack(cluster.root);
  if (!splits) {
    Cluster whole;
    whole.root = forall;
    whole.ops.insert(forall);
    return {whole};
  }
  outputs = llvm::to_vector_of<Value>(forall.getOutputs());
  SmallVector<Cluster> results;
  for (const Cluster &cluster : clusters) {
    results.push_back(split(cluster));
    if (auto it = reasons.find(cluster.root); it != reasons.end()) {
      std::string reason = it->second;
      reasons[results.back().anchor] = reason;
    }
  }
  b.replaceOp(forall, outputs);
  return results;
}

namespace {

class FormDispatches final
    : public infini::impl::InfiniFormDispatchesBase<FormDispatches> {
public:
  using InfiniFormDispatchesBase::InfiniFormDispatchesBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    KernelBuilder builder(module, target);
    IRRewriter rewriter(&getContext());
    for (func::FuncOp function :
         llvm::make_early_inc_range(module.getOps<func::FuncOp>())) {
      if (function.isExternal())
        continue;
      if (!function.getBody().hasOneBlock()) {
        function.emitError("expected a function of one block, got ")
            << function.getBody().getBlocks().size()
            << "; say branches with scf.if and loops with scf.for";
        return signalPassFailure();
      }
      SmallVector<linalg::LinalgOp> products;
      function.walk([&](linalg::LinalgOp op) {
        Operation *parent = op->getParentOp();
        while (isa<scf::ForOp>(parent) && isScheduleLoop(parent))
          parent = parent->getParentOp();
        if (parent == function)
          products.push_back(op);
      });
      // GPUs have no library: their products are kernels like all else.
      if (target == "cpu")
        for (linalg::LinalgOp op : products)
          gemms += succeeded(formGemm(rewriter, op));
      dropWholeInsertions(rewriter, function);
      blockMoves(rewriter, function);
      if (failed(resolveSizes(function)) ||
          failed(formIn(rewriter, builder, function.getBody().front())))
        return signalPassFailure();
      if (failed(resolveSizes(function)))
        return signalPassFailure();
      (void)runRegionDCE(rewriter, function->getRegions());
    }
    // Kernels of ops that turned out to be computed inside others.
    llvm::StringSet<> called;
    module.walk([&](program::DispatchOp op) { called.insert(op.getKernel()); });
    for (ModuleOp kernel : program::kernelsOf(module)) {
      if (!called.contains(*kernel.getSymName())) {
        kernel.erase();
        continue;
      }
      ++kernels;
      if (failed(resolveSizes(program::kernelFunction(kernel))))
        return signalPassFailure();
    }
    dispatches += builder.dispatches;
    fused += builder.fused;
  }

private:
  /// Sizes in terms of arguments, so that they keep no op alive.
  LogicalResult resolveSizes(func::FuncOp function) {
    RewritePatternSet patterns(&getContext());
    memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
    scf::populateSCFForLoopCanonicalizationPatterns(patterns);
    tensor::DimOp::getCanonicalizationPatterns(patterns, &getContext());
    affine::AffineApplyOp::getCanonicalizationPatterns(patterns, &getContext());
    affine::AffineMinOp::getCanonicalizationPatterns(patterns, &getContext());
    return applyPatternsGreedily(function, std::move(patterns));
  }

  /// Insertions that leave nothing of their destination are what is inserted,
  /// and slices of what has no contents have none. Loops of one iteration leave
  /// such.
  static void dropWholeInsertions(RewriterBase &rewriter,
                                  func::FuncOp function) {
    function.walk([&](tensor::ExtractSliceOp op) {
      auto empty = op.getSource().getDefiningOp<tensor::EmptyOp>();
      if (!empty || op.getSourceType().getRank() != op.getType().getRank())
        return;
      rewriter.setInsertionPoint(op);
      Value made =
          tensor::EmptyOp::create(rewriter, op.getLoc(), op.getMixedSizes(),
                                  op.getType().getElementType());
      if (made.getType() != op.getType())
        made =
            tensor::CastOp::create(rewriter, op.getLoc(), op.getType(), made);
      rewriter.replaceOp(op, made);
    });
    using Bounds = ValueBoundsConstraintSet;
    function.walk([&](tensor::InsertSliceOp op) {
      if (!op.hasUnitStride() || op.getSourceType() != op.getType() ||
          !llvm::all_of(op.getMixedOffsets(), [](OpFoldResult offset) {
            return isConstantIntValue(offset, 0);
          }))
        return;
      for (auto [i, size] : llvm::enumerate(op.getMixedSizes())) {
        FailureOr<bool> same = Bounds::areEqual(
            Bounds::Variable(size), Bounds::Variable(op.getDest(), i));
        if (failed(same) || !*same)
          return;
      }
      rewriter.replaceOp(op, op.getSource());
    });
  }

  /// A slice that is put elsewhere as it is becomes a copy, which is cut into
  /// blocks like any other op.
  void blockMoves(RewriterBase &rewriter, func::FuncOp function) {
    SmallVector<tensor::InsertSliceOp> moves;
    function.walk([&](tensor::InsertSliceOp op) {
      Operation *parent = op->getParentOp();
      while (isa<scf::ForOp>(parent) && isScheduleLoop(parent))
        parent = parent->getParentOp();
      Operation *source = op.getSource().getDefiningOp();
      if (parent == function && op.hasUnitStride() &&
          !op.getSourceType().hasStaticShape() &&
          (!source || isDuplicable(source)))
        moves.push_back(op);
    });
    for (tensor::InsertSliceOp op : moves) {
      rewriter.setInsertionPoint(op);
      Location loc = op.getLoc();
      Value source = op.getSource();
      Value empty = tensor::EmptyOp::create(
          rewriter, loc, tensor::getMixedSizes(rewriter, loc, source),
          op.getSourceType().getElementType());
      if (empty.getType() != source.getType())
        empty = tensor::CastOp::create(rewriter, loc, source.getType(), empty);
      op.getSourceMutable().assign(
          linalg::CopyOp::create(rewriter, loc, source, empty)->getResult(0));
    }
  }

  LogicalResult formIn(RewriterBase &rewriter, KernelBuilder &builder,
                       Block &block) {
    Operation *op = &block.back();
    while (op) {
      Operation *previous = op->getPrevNode();
      if (isScheduleLoop(op)) {
        if (failed(formIn(rewriter, builder, *cast<scf::ForOp>(op).getBody())))
          return failure();
      } else if (isOpTriviallyDead(op)) {
        rewriter.eraseOp(op);
      } else if (isScheduleForall(op)) {
        SmallVector<Cluster> loops =
            ForallFission(cast<scf::ForallOp>(op), rewriter, reasons).run();
        for (Cluster &cluster : llvm::reverse(loops)) {
          addDuplicables(cluster);
          explain(cluster);
          if (failed(builder.dispatch(rewriter, cluster)))
            return failure();
        }
      } else if (wantsKernel(op)) {
        if (op->getNumResults() == 0 || !isMemoryEffectFree(op))
          return op->emitError(
              "has effects; only functions of tensors are supported");
        Cluster cluster = formCluster(op, reasons);
        explain(cluster);
        if (failed(builder.dispatch(rewriter, cluster)))
          return failure();
      }
      op = previous;
    }
    return success();
  }

  /// Remarks: what each op of a kernel was fused with, or why it is alone.
  void explain(const Cluster &cluster) {
    Operation *root = cluster.anchor ? cluster.anchor : cluster.root;
    Operation *main = mainOp(cluster);
    auto counts = [](Operation *op) {
      return isa<ShapeSignatureOpInterface>(op) ||
             (isa<linalg::LinalgOp>(op) && !isa<linalg::FillOp>(op));
    };
    auto opts =
        remark::RemarkOpts::name("fusion").category("infini-form-dispatches");
    for (Operation *op : cluster.fusible())
      if (op != main && counts(op))
        remark::passed(op->getLoc(), opts)
            << ("'" + op->getName().getStringRef() +
                "' is fused into the kernel of '" +
                main->getName().getStringRef() + "'")
                   .str();
    if (auto it = reasons.find(root); it != reasons.end() && counts(root))
      remark::missed(root->getLoc(), opts)
          << ("'" + root->getName().getStringRef() +
              "' has a kernel of its own: " + it->second)
                 .str();
  }

  Reasons reasons;

  static bool wantsKernel(Operation *op) {
    if (isScheduleOp(op) || isa<tensor::EmptyOp>(op))
      return false;
    bool tensors =
        llvm::any_of(op->getResultTypes(), llvm::IsaPred<TensorType>);
    if (isDuplicable(op)) {
      // Views stay in the schedule; others only get a buffer where it needs
      // one.
      return tensors && !program::isView(op) && neededBySchedule(op);
    }
    return tensors || op->getNumRegions() != 0 || !isPure(op);
  }
};

} // namespace
