// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a group of ops to an isolated kernel, tiled and fused.

#include "infini/passes/dispatch/KernelBuilder.h"
#include "infini/dialect/infini/InfiniOps.h"
#include "infini/passes/dispatch/BlockSizes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace infini;

/// The kernel ABI's grid has three dimensions.
static constexpr unsigned kGridRank = 3;

SmallVector<Operation *> infini::orderedOps(const Cluster &cluster) {
  llvm::SetVector<Operation *> ordered;
  std::function<void(Operation *)> visit = [&](Operation *op) {
    op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands()) {
        Operation *def = operand.getDefiningOp();
        if (def && cluster.ops.contains(def) && !ordered.contains(def))
          visit(def);
      }
    });
    ordered.insert(op);
  };
  visit(cluster.root);
  return ordered.takeVector();
}

ClusterInputs infini::inputsOf(const Cluster &cluster) {
  ClusterInputs inputs;
  auto visit = [&](Value value) {
    if (Operation *def = value.getDefiningOp())
      for (Operation *parent = def; parent; parent = parent->getParentOp())
        if (cluster.ops.contains(parent))
          return;
    if (auto argument = dyn_cast<BlockArgument>(value))
      for (Operation *parent = argument.getOwner()->getParentOp(); parent;
           parent = parent->getParentOp())
        if (cluster.ops.contains(parent))
          return;
    if (isa<TensorType>(value.getType()))
      inputs.tensors.insert(value);
    else
      inputs.scalars.insert(value);
  };
  for (Operation *op : orderedOps(cluster))
    op->walk(
        [&](Operation *inner) { llvm::for_each(inner->getOperands(), visit); });
  return inputs;
}

//===----------------------------------------------------------------------===//
// What fuses, and how large tiles are
//===----------------------------------------------------------------------===//

/// For each dimension of the operand, the loop of its owner that runs over it.
static SmallVector<std::optional<unsigned>> loopsOfOperand(OpOperand &use) {
  Operation *op = use.getOwner();
  SmallVector<std::optional<unsigned>> loops;
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
    for (AffineExpr expr : linalgOp.getMatchingIndexingMap(&use).getResults()) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      loops.push_back(dim ? std::optional<unsigned>(dim.getPosition())
                          : std::nullopt);
    }
  } else if (auto signed_ = dyn_cast<ShapeSignatureOpInterface>(op)) {
    SmallVector<DimName> parallel = signed_.getParallelDims();
    for (DimName name :
         signed_.getShapeSignature().operands[use.getOperandNumber()].dims) {
      auto *it = llvm::find(parallel, name);
      loops.push_back(it == parallel.end()
                          ? std::nullopt
                          : std::optional<unsigned>(it - parallel.begin()));
    }
  }
  return loops;
}

/// For each dimension of the result, the loop of its op that runs over it.
static SmallVector<std::optional<unsigned>> loopsOfResult(OpResult result) {
  Operation *op = result.getOwner();
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return loopsOfOperand(
        *linalgOp.getDpsInitOperand(result.getResultNumber()));
  SmallVector<std::optional<unsigned>> loops;
  if (auto signed_ = dyn_cast<ShapeSignatureOpInterface>(op)) {
    SmallVector<DimName> parallel = signed_.getParallelDims();
    for (DimName name :
         signed_.getShapeSignature().results[result.getResultNumber()].dims) {
      auto *it = llvm::find(parallel, name);
      loops.push_back(it == parallel.end()
                          ? std::nullopt
                          : std::optional<unsigned>(it - parallel.begin()));
    }
  }
  return loops;
}

bool infini::usesOnce(OpOperand &use) {
  Operation *op = use.getOwner();
  // A linalg consumer is simply not cut along loops that the operand lacks.
  if (isa<linalg::LinalgOp>(op))
    return llvm::all_of(loopsOfOperand(use),
                        [](auto loop) { return loop.has_value(); }) ||
           linalg::isaContractionOpInterface(cast<linalg::LinalgOp>(op)) ==
               false;
  auto signed_ = dyn_cast<ShapeSignatureOpInterface>(op);
  if (!signed_)
    return false;
  SmallVector<std::optional<unsigned>> loops = loopsOfOperand(use);
  SmallVector<DimName> parallel = signed_.getParallelDims();
  for (unsigned i = 0; i < parallel.size(); ++i)
    if (!llvm::is_contained(loops, std::optional<unsigned>(i)))
      return false;
  return true;
}

bool infini::isDenseProduct(linalg::LinalgOp op) {
  if (!linalg::isaContractionOpInterface(op) || op.getNumLoops() != 3)
    return false;
  auto dims = linalg::inferContractionDims(op);
  return succeeded(dims) && dims->batch.empty() && dims->m.size() == 1 &&
         dims->n.size() == 1 && dims->k.size() == 1;
}

/// The table's answer for a cluster: attention decides, where there is any.
static BlockSizes blockSizes(Operation *op, const Cluster &cluster,
                             StringRef target) {
  for (Operation *other : cluster.fusible())
    if (isa<SegmentAttentionOp>(other))
      op = other;
  return blockSizesFor(op, target);
}

SmallVector<int64_t> infini::tileSizes(Operation *op, const Cluster &cluster,
                                       StringRef target) {
  const BlockSizes blocks = blockSizes(op, cluster, target);
  if (auto signed_ = dyn_cast<ShapeSignatureOpInterface>(op)) {
    SmallVector<DimName> parallel = signed_.getParallelDims();
    SmallVector<int64_t> sizes;
    bool anonymous =
        llvm::all_of(parallel, [](DimName d) { return !isalpha(d); });
    for (auto [i, name] : llvm::enumerate(parallel)) {
      if (anonymous && i + 1 == parallel.size())
        sizes.push_back(0);
      else if (name == 'L' || (anonymous && i + 2 == parallel.size()))
        sizes.push_back(blocks.tokens);
      else
        sizes.push_back(name == 'K' || name == 'V' ? 0 : 1);
    }
    for (unsigned i = 0, tiled = 0; i < sizes.size(); ++i)
      if (sizes[i] != 0 && ++tiled > kGridRank)
        sizes[i] = 0;
    return sizes;
  }

  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp)
    return {};
  if (isDenseProduct(linalgOp)) {
    auto dims = *linalg::inferContractionDims(linalgOp);
    SmallVector<int64_t> sizes(3, 0);
    sizes[dims.m[0]] = blocks.rows;
    sizes[dims.n[0]] = blocks.columns;
    return sizes;
  }
  SmallVector<int64_t> sizes(linalgOp.getNumLoops(), -1);
  SmallVector<bool> whole(linalgOp.getNumLoops(), false);
  SmallVector<utils::IteratorType> iterators = linalgOp.getIteratorTypesArray();
  for (auto [i, type] : llvm::enumerate(iterators))
    whole[i] = type != utils::IteratorType::parallel;
  for (OpOperand &use : linalgOp->getOpOperands()) {
    Operation *producer = use.get().getDefiningOp();
    if (!producer || !cluster.fusible().contains(producer) ||
        !isa<linalg::LinalgOp, ShapeSignatureOpInterface>(producer) ||
        isa<linalg::FillOp>(producer))
      continue;
    SmallVector<std::optional<unsigned>> loops = loopsOfOperand(use);
    for (unsigned i = 0; i < sizes.size(); ++i)
      if (!llvm::is_contained(loops, std::optional<unsigned>(i)))
        whole[i] = true;
    // What the producer would like, along its result's dimensions.
    SmallVector<int64_t> wanted = tileSizes(producer, cluster, target);
    for (auto [own, theirs] :
         llvm::zip(loops, loopsOfResult(cast<OpResult>(use.get())))) {
      if (!own)
        continue;
      int64_t size = theirs ? wanted[*theirs] : 0;
      if (sizes[*own] == -1 || (sizes[*own] == 0 && size != 0))
        sizes[*own] = size;
      if (size == 0 && isa<ShapeSignatureOpInterface>(producer))
        whole[*own] = true;
    }
  }
  // Loops without a wish: whole from the inside out, up to a budget of
  // elements. Sizes that vary are always cut, so that they have a bound.
  SmallVector<int64_t> ranges = linalgOp.getStaticLoopRanges();
  int64_t block = 1;
  for (int64_t i = sizes.size() - 1; i >= 0; --i) {
    bool dynamic = ShapedType::isDynamic(ranges[i]);
    if (whole[i]) {
      sizes[i] = 0;
      block *= dynamic ? blocks.tokens : ranges[i];
    } else if (sizes[i] == -1) {
      int64_t left = std::max<int64_t>(1, blocks.elements / block);
      sizes[i] =
          dynamic || ranges[i] > left ? llvm::bit_floor<uint64_t>(left) : 0;
      block *= sizes[i] ? sizes[i] : ranges[i];
    }
  }
  // A product of many matrices is one product a block.
  if (linalg::isaContractionOpInterface(linalgOp))
    if (auto dims = linalg::inferContractionDims(linalgOp); succeeded(dims))
      for (unsigned loop : dims->batch)
        sizes[loop] = ranges[loop] == 1 ? 0 : 1;
  for (unsigned i = 0, tiled = 0; i < sizes.size(); ++i)
    if (sizes[i] != 0 && ++tiled > kGridRank)
      sizes[i] = 0;
  return sizes;
}

//===----------------------------------------------------------------------===//
// KernelBuilder
//===----------------------------------------------------------------------===//

LogicalResult KernelBuilder::tile(func::FuncOp function, Operation *anchor,
                                  ArrayRef<int64_t> sizes) {
  if (llvm::all_of(sizes, [](int64_t size) { return size == 0; }))
    return success();
  IRRewriter rewriter(function.getContext());
  rewriter.setInsertionPoint(anchor);
  SmallVector<OpFoldResult> tileSizes;
  for (int64_t size : sizes)
    tileSizes.push_back(rewriter.getIndexAttr(size));
  scf::SCFTileAndFuseOptions options;
  options.tilingOptions.setTileSizes(tileSizes);
  options.tilingOptions.setLoopType(scf::SCFTilingOptions::LoopType::ForallOp);
  auto result = scf::tileConsumerAndFuseProducersUsingSCF(
      rewriter, cast<TilingInterface>(anchor), options);
  if (failed(result))
    return failure();
  for (OpResult value : anchor->getResults())
    if (Value replacement = result->replacements.lookup(value))
      rewriter.replaceAllUsesWith(value, replacement);
  fused += result->fusedProducers.size();
  return success();
}

StringRef KernelBuilder::unique(ModuleOp kernel, StringRef hint) {
  std::string text;
  llvm::raw_string_ostream os(text);
  kernel.print(os, OpPrintingFlags().assumeVerified());
  auto [it, isNew] = names.try_emplace(text);
  while (isNew && (it->second.empty() || module.lookupSymbol(it->second)))
    it->second = (hint + "_" + Twine(hints[hint]++)).str();
  return it->second;
}

Operation *infini::mainOp(const Cluster &cluster) {
  Operation *best = cluster.anchor ? cluster.anchor : cluster.root;
  // A loop over segments that carries a memory is about what writes it.
  Operation *anchor = best;
  anchor->walk([&](Operation *op) {
    if (op != anchor && isa<ShapeSignatureOpInterface>(op))
      best = op;
  });
  for (Operation *op : cluster.fusible())
    if (isa<ShapeSignatureOpInterface>(op) &&
        (!isa<ShapeSignatureOpInterface>(best) || isa<SegmentAttentionOp>(op)))
      best = op;
  if (isa<tensor::InsertSliceOp>(best) && best->getOperand(0).getDefiningOp() &&
      cluster.fusible().contains(best->getOperand(0).getDefiningOp()))
    best = best->getOperand(0).getDefiningOp();
  return best;
}

/// A short name for people.
static std::string hintFor(const Cluster &cluster) {
  Operation *best = mainOp(cluster);
  std::string name = best->getName().stripDialect().str();
  if (isa<linalg::GenericOp>(best))
    name = "elementwise";
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(best))
    if (linalgOp.getNumReductionLoops())
      name = "reduction";
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

/// The operand that a result updates, or null.
static OpOperand *updatedOperand(OpResult result) {
  Operation *op = result.getOwner();
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
    return &insert.getDestMutable();
  if (auto forall = dyn_cast<scf::ForallOp>(op))
    return forall.getTiedOpOperand(result);
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return loop.getTiedLoopInit(result);
  if (auto destination = dyn_cast<DestinationStyleOpInterface>(op))
    return destination.getTiedOpOperand(result);
  return nullptr;
}

LogicalResult KernelBuilder::dispatch(RewriterBase &rewriter,
                                      const Cluster &cluster) {
  Operation *root = cluster.root;
  Location loc = root->getLoc();
  rewriter.setInsertionPoint(root);
  ClusterInputs inputs = inputsOf(cluster);

  // The buffer of each result: one that is updated, or a new one.
  SmallVector<Value> outs;
  SmallVector<bool> updates;
  ReifiedRankedShapedTypeDims shapes;
  // Of a loop or branch, numbers that nobody uses may come along.
  SmallVector<OpResult> rootResults;
  for (OpResult result : root->getResults())
    if (!result.use_empty() || isa<RankedTensorType>(result.getType()))
      rootResults.push_back(result);
  for (OpResult result : rootResults) {
    auto type = dyn_cast<RankedTensorType>(result.getType());
    if (!type)
      return root->emitError("has a result of type ")
             << result.getType() << "; only ranked tensors are supported here";
    Value updated;
    if (OpOperand *operand = updatedOperand(result))
      updated = operand->get();
    if (updated && !inputs.tensors.contains(updated))
      updated = {}; // made inside the kernel
    updates.push_back(static_cast<bool>(updated));
    if (!updated && type.hasStaticShape()) {
      updated = tensor::EmptyOp::create(rewriter, loc, type.getShape(),
                                        type.getElementType());
    } else if (!updated) {
      if (auto loop = dyn_cast<LoopLikeOpInterface>(root);
          loop && shapes.empty()) {
        for (Value init : loop.getInits())
          shapes.push_back(isa<RankedTensorType>(init.getType())
                               ? tensor::getMixedSizes(rewriter, loc, init)
                               : SmallVector<OpFoldResult>());
      }
      if (shapes.empty() && (!isa<ReifyRankedShapedTypeOpInterface>(root) ||
                             failed(reifyResultShapes(rewriter, root, shapes))))
        return root->emitError(
            "the size of this op's result cannot be told before it runs; "
            "only tensors whose sizes follow from those of the inputs are "
            "supported");
      updated = tensor::EmptyOp::create(rewriter, loc,
                                        shapes[result.getResultNumber()],
                                        type.getElementType());
      if (updated.getType() != result.getType())
        updated =
            tensor::CastOp::create(rewriter, loc, result.getType(), updated);
    }
    outs.push_back(updated);
  }
  // An operand that is only updated need not be passed as an input, too.
  SmallVector<Value> ins;
  for (Value value : inputs.tensors) {
    unsigned uses = 0, asDestination = 0;
    for (Operation *op : cluster.ops)
      op->walk([&](Operation *inner) {
        for (OpOperand &operand : inner->getOpOperands())
          uses += operand.get() == value;
      });
    for (auto [out, isUpdate] : llvm::zip(outs, updates))
      asDestination += isUpdate && out == value;
    if (asDestination == 0 || uses > asDestination)
      ins.push_back(value);
  }

  // The kernel: ins, outs, scalars → outs.
  OpBuilder::InsertionGuard guard(rewriter);
  auto kernel = ModuleOp::create(loc, StringRef("kernel"));
  kernel->setAttr(program::kKernel, rewriter.getUnitAttr());
  SmallVector<Type> types(TypeRange{ValueRange(ins)});
  llvm::append_range(types, ValueRange(outs).getTypes());
  types.append(inputs.scalars.size(), rewriter.getIndexType());
  for (Value scalar : inputs.scalars)
    if (!scalar.getType().isIndex()) {
      kernel.erase();
      return root->emitError("uses a scalar of type ")
             << scalar.getType()
             << " from outside; pass it as a tensor of rank 0";
    }
  rewriter.setInsertionPointToEnd(kernel.getBody());
  auto function = func::FuncOp::create(
      rewriter, loc, "kernel",
      rewriter.getFunctionType(types, ValueRange(outs).getTypes()));
  for (unsigned i = 0; i < ins.size(); ++i)
    function.setArgAttr(i,
                        bufferization::BufferizationDialect::kWritableAttrName,
                        rewriter.getBoolAttr(false));
  Block *body = function.addEntryBlock();
  IRMapping mapping;
  for (auto [value, argument] : llvm::zip(ins, body->getArguments()))
    mapping.map(value, argument);
  for (auto [i, scalar] : llvm::enumerate(inputs.scalars))
    mapping.map(scalar, body->getArgument(ins.size() + outs.size() + i));
  for (auto [i, out, isUpdate] : llvm::enumerate(outs, updates))
    if (isUpdate && !mapping.contains(out))
      mapping.map(out, body->getArgument(ins.size() + i));
  rewriter.setInsertionPointToEnd(body);
  for (Operation *op : orderedOps(cluster))
    rewriter.clone(*op, mapping);
  Operation *clonedRoot = mapping.lookup(root);
  // The root updates the output argument, also where its operand is an input,
  // too.
  for (auto [i, isUpdate] : llvm::enumerate(updates))
    if (isUpdate) {
      updatedOperand(clonedRoot->getResult(rootResults[i].getResultNumber()))
          ->set(body->getArgument(ins.size() + i));
    }
  SmallVector<Value> results;
  for (auto [i, result] : llvm::enumerate(rootResults))
    results.push_back(bufferization::MaterializeInDestinationOp::create(
                          rewriter, loc, result.getType(),
                          clonedRoot->getResult(result.getResultNumber()),
                          body->getArgument(ins.size() + i))
                          .getResult());
  func::ReturnOp::create(rewriter, loc, results);

  // Tile what the kernel is about, and fuse the rest into the tiles.
  Operation *anchor = cluster.anchor ? cluster.anchor : root;
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(root))
    if (Operation *source = insert.getSource().getDefiningOp();
        source && cluster.ops.contains(source))
      anchor = source;
  if (isa<TilingInterface>(anchor) &&
      isa<linalg::LinalgOp, ShapeSignatureOpInterface>(anchor)) {
    if (failed(tile(function, mapping.lookup(anchor),
                    tileSizes(anchor, cluster, target)))) {
      kernel.erase();
      return root->emitError("failed to tile this op");
    }
  }
  DominanceInfo dominance;
  eliminateCommonSubExpressions(rewriter, dominance, kernel);
  (void)runRegionDCE(rewriter, kernel->getRegions());

  StringRef name = unique(kernel, hintFor(cluster));
  if (module.lookupSymbol(name)) {
    kernel.erase();
  } else {
    kernel.setSymName(name);
    function.setSymName(name);
    module.push_back(kernel);
  }
  rewriter.setInsertionPoint(root);
  auto dispatchOp = program::DispatchOp::create(
      rewriter, loc, ValueRange(outs).getTypes(),
      FlatSymbolRefAttr::get(rewriter.getContext(), name),
      inputs.scalars.getArrayRef(), ins, outs);
  for (auto [result, replacement] :
       llvm::zip(rootResults, dispatchOp.getResults()))
    rewriter.replaceAllUsesWith(result, replacement);
  rewriter.eraseOp(root);
  ++dispatches;
  return success();
}
