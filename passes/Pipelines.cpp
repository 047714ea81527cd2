// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pipelines.

#include "infini/passes/Pipelines.h"
#include "infini/dialect/infini/InfiniOps.h"
#include "infini/dialect/lane/LaneOps.h"
#include "infini/dialect/program/ProgramOps.h"
#include "infini/dialect/tile/TileOps.h"
#include "infini/passes/Passes.h"
#include "infini/passes/emit/Targets.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace infini;

void infini::registerDialects(DialectRegistry &registry) {
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAllToLLVMIRTranslations(registry);
  registry.insert<InfiniDialect, program::ProgramDialect, tile::TileDialect,
                  nv::NVDialect>();
}

void infini::buildInfiniStage(OpPassManager &pm,
                              const InfiniStageOptions &options) {
  pm.addPass(createInlinerPass());
  pm.addPass(createSymbolDCEPass());
  pm.addPass(createInfiniPrepare());
  pm.addNestedPass<func::FuncOp>(createInfiniNoteShapes());
  pm.addPass(createCanonicalizerPass());
  pm.addNestedPass<func::FuncOp>(createInfiniMaterializeRopeTables());
  pm.addNestedPass<func::FuncOp>(createInfiniPeelScan());
  pm.addPass(createCanonicalizerPass());
  InfiniParallelizeScanOptions parallelize;
  parallelize.schedule = options.schedule;
  parallelize.width = options.width;
  pm.addNestedPass<func::FuncOp>(createInfiniParallelizeScan(parallelize));
  // What composes states in chunks is itself a scan, over segments.
  pm.addNestedPass<func::FuncOp>(createInfiniPeelScan());
  pm.addNestedPass<func::FuncOp>(createInfiniLowerScan());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void infini::buildDispatchStage(OpPassManager &pm, StringRef target) {
  InfiniFormDispatchesOptions dispatches;
  dispatches.target = target.str();
  pm.addPass(createInfiniFormDispatches(dispatches));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createInfiniHoistConstants());
  pm.addPass(createCanonicalizerPass());
}

void infini::buildTileStage(OpPassManager &pm, OptionalPasses &optional,
                            StringRef target) {
  InfiniLowerAttentionOptions attention;
  attention.target = target.str();
  InfiniTileReductionsOptions reductions;
  reductions.target = target.str();
  OpPassManager &kernel = pm.nest<ModuleOp>();
  if (optional.take())
    kernel.addNestedPass<func::FuncOp>(createInfiniLowerAttention(attention));
  kernel.addNestedPass<func::FuncOp>(createInfiniDecompose());
  kernel.addPass(createCanonicalizerPass());
  kernel.addPass(createCSEPass());
  if (optional.take())
    kernel.addNestedPass<func::FuncOp>(createInfiniTileReductions(reductions));
  kernel.addPass(createCanonicalizerPass());
  kernel.addPass(createCSEPass());
  if (optional.take())
    kernel.addPass(createInfiniLowerToTile());
  kernel.addPass(createCanonicalizerPass());
  kernel.addPass(createCSEPass());
}

void infini::buildCpuVectorStage(OpPassManager &pm,
                                 const CpuPipelineOptions &options,
                                 OptionalPasses &optional) {
  OpPassManager &kernel = pm.nest<ModuleOp>();
  kernel.addNestedPass<func::FuncOp>(createInfiniTileToLinalg());
  kernel.addNestedPass<func::FuncOp>(createConvertElementwiseToLinalgPass());
  if (optional.take())
    kernel.addNestedPass<func::FuncOp>(createInfiniFuseElementwise());
  kernel.addPass(createCanonicalizerPass());
  kernel.addPass(createCSEPass());
  kernel.addPass(createInfiniBufferizeKernel());
  kernel.addPass(createCanonicalizerPass());
  kernel.addPass(createCSEPass());
  if (optional.take()) {
    InfiniVectorizeContractionsOptions contractions;
    contractions.rows = options.rows;
    contractions.columns = options.columns;
    kernel.addNestedPass<func::FuncOp>(
        createInfiniVectorizeContractions(contractions));
  }
  kernel.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  if (optional.take())
    kernel.addNestedPass<func::FuncOp>(
        bufferization::createBufferLoopHoistingPass());
  // Functions of 16-bit numbers are computed in f32.
  kernel.addNestedPass<func::FuncOp>(math::createMathExtendToSupportedTypes());
  if (optional.take())
    kernel.addNestedPass<func::FuncOp>(createInfiniExpandMath());
  kernel.addPass(createCanonicalizerPass());
  kernel.addPass(createCSEPass());
  if (optional.take())
    kernel.addNestedPass<func::FuncOp>(createLoopInvariantCodeMotionPass());
}

void infini::buildInterpreterStage(OpPassManager &pm) {
  pm.nest<ModuleOp>().addNestedPass<func::FuncOp>(createInfiniWidenTiles());
  OptionalPasses none(0);
  buildCpuVectorStage(pm, CpuPipelineOptions(), none);
}

/// What is left in a kernel with its last signature, to the LLVM dialect.
static void addHostLowering(OpPassManager &kernel) {
  kernel.addPass(memref::createFoldMemRefAliasOpsPass());
  kernel.addPass(memref::createExpandStridedMetadataPass());
  kernel.addPass(createLowerAffinePass());
  kernel.addPass(createCanonicalizerPass());
  kernel.addPass(createCSEPass());
  kernel.addNestedPass<func::FuncOp>(createLoopInvariantCodeMotionPass());
  arith::ArithEmulateUnsupportedFloatsOptions emulate;
  emulate.sourceTypeStrs = {"bf16"};
  emulate.targetTypeStr = "f32";
  kernel.addPass(arith::createArithEmulateUnsupportedFloats(emulate));
  arith::ArithExpandOpsPassOptions expand;
  expand.includeBf16 = true;
  kernel.addPass(arith::createArithExpandOpsPass(expand));
  kernel.addPass(createSCFToControlFlowPass());
  kernel.addPass(createConvertVectorToLLVMPass());
  kernel.addPass(createConvertMathToLLVMPass());
  kernel.addPass(createConvertMathToLibmPass());
  kernel.addPass(createArithToLLVMConversionPass());
  kernel.addPass(createConvertIndexToLLVMPass());
  kernel.addPass(createFinalizeMemRefToLLVMConversionPass());
  kernel.addPass(createConvertFuncToLLVMPass());
  kernel.addPass(createConvertControlFlowToLLVMPass());
  kernel.addPass(createReconcileUnrealizedCastsPass());
  kernel.addPass(createCanonicalizerPass());
  kernel.addPass(createCSEPass());
}

void infini::buildLaneStage(OpPassManager &pm,
                            const GpuPipelineOptions &options) {
  OpPassManager &kernel = pm.nest<ModuleOp>();
  kernel.addPass(createTileSplitBlocks());
  kernel.addNestedPass<func::FuncOp>(createTileDivideByRows());
  kernel.addNestedPass<func::FuncOp>(createTileHoistFactors());
  kernel.addNestedPass<func::FuncOp>(createTileSplitFactors());
  InfiniKernelToBlocksOptions blocks;
  blocks.warps = options.warps;
  kernel.addPass(createInfiniKernelToBlocks(blocks));
  kernel.addPass(createCanonicalizerPass());
  kernel.addPass(createCSEPass());
  kernel.addNestedPass<func::FuncOp>(createTileSinkBehindLoops());
  kernel.addNestedPass<func::FuncOp>(createTileSplitProducts());
  kernel.addNestedPass<func::FuncOp>(createTileAssignLayouts());
  kernel.addPass(createCSEPass());
  TilePipelineLoadsOptions loads;
  loads.stages = options.stages;
  kernel.addNestedPass<func::FuncOp>(createTilePipelineLoads(loads));
  TileAllocateSharedOptions shared;
  shared.limit = options.sharedBytes;
  kernel.addPass(createTileAllocateShared(shared));
  kernel.addPass(createTileToLanes());
  // Functions of 16-bit numbers are computed in f32.
  kernel.addNestedPass<func::FuncOp>(math::createMathExtendToSupportedTypes());
  kernel.addNestedPass<func::FuncOp>(createInfiniExpandGpuMath());
  kernel.addPass(createCanonicalizerPass());
  kernel.addPass(createCSEPass());
  kernel.addNestedPass<func::FuncOp>(createLoopInvariantCodeMotionPass());
  kernel.addNestedPass<func::FuncOp>(createInfiniPiecewiseLanes());
  kernel.addPass(createCSEPass());
}

void infini::buildNvidiaLLVMStage(OpPassManager &pm) {
  OpPassManager &kernel = pm.nest<ModuleOp>();
  kernel.addPass(createInfiniLanesToNVVM());
  kernel.addPass(createLowerAffinePass());
  kernel.addPass(createCanonicalizerPass());
  kernel.addPass(createCSEPass());
  kernel.addPass(arith::createArithExpandOpsPass());
  kernel.addPass(createSCFToControlFlowPass());
  kernel.addPass(createConvertVectorToLLVMPass());
  kernel.addPass(createConvertMathToLLVMPass());
  kernel.addPass(createArithToLLVMConversionPass());
  kernel.addPass(createConvertIndexToLLVMPass());
  kernel.addPass(createConvertFuncToLLVMPass());
  kernel.addPass(createConvertControlFlowToLLVMPass());
  kernel.addPass(createReconcileUnrealizedCastsPass());
  kernel.addPass(createCanonicalizerPass());
  kernel.addPass(createCSEPass());
}

void infini::buildSimLLVMStage(OpPassManager &pm) {
  OpPassManager &kernel = pm.nest<ModuleOp>();
  kernel.addNestedPass<func::FuncOp>(createInfiniExpandMath());
  kernel.addPass(createInfiniLanesToSim());
  addHostLowering(kernel);
}

void infini::buildCpuLLVMStage(OpPassManager &pm) {
  OpPassManager &kernel = pm.nest<ModuleOp>();
  kernel.addPass(createInfiniKernelToLLVM());
  addHostLowering(kernel);
}
void infini::buildProgramStage(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createInfiniPlanBuffers());
}

void infini::buildCpuPipeline(OpPassManager &pm,
                              const CpuPipelineOptions &options) {
  InfiniStageOptions stage;
  stage.schedule = Schedule(options.schedule);
  stage.width = int64_t(options.width);
  buildInfiniStage(pm, stage);
  buildDispatchStage(pm);
  buildProgramStage(pm);
  OptionalPasses optional;
  buildTileStage(pm, optional);
  buildCpuVectorStage(pm, options, optional);
  buildCpuLLVMStage(pm);
}

LogicalResult infini::buildNvidiaPipeline(
    OpPassManager &pm, const NvidiaPipelineOptions &options,
    llvm::function_ref<LogicalResult(const Twine &)> error) {
  std::string why;
  FailureOr<CompileTarget> target =
      parseTarget("nvidia:" + options.chip.getValue(), why);
  if (failed(target))
    return error(why);
  InfiniStageOptions stage;
  stage.schedule = Schedule(options.schedule);
  buildInfiniStage(pm, stage);
  buildDispatchStage(pm, "gpu");
  buildProgramStage(pm);
  OptionalPasses optional;
  buildTileStage(pm, optional, "gpu");
  GpuPipelineOptions lanes;
  lanes.sharedBytes = target->chip->sharedBytes;
  buildLaneStage(pm, lanes);
  buildNvidiaLLVMStage(pm);
  return success();
}

void infini::registerPipelines() {
  registerPassPipeline(
      "infini-to-nvidia",
      "Everything from infini ops to kernels in the LLVM dialect and NVVM and "
      "a "
      "schedule",
      [](OpPassManager &pm, StringRef text,
         llvm::function_ref<LogicalResult(const Twine &)> error) {
        NvidiaPipelineOptions options;
        if (failed(options.parseFromString(text)))
          return failure();
        return buildNvidiaPipeline(pm, options, error);
      },
      [](llvm::function_ref<void(const mlir::detail::PassOptions &)> visit) {
        visit(NvidiaPipelineOptions());
      });
  PassPipelineRegistration<>(
      "infini-nvidia-llvm-stage", "The code of one lane, for NVIDIA's GPUs",
      [](OpPassManager &pm) { buildNvidiaLLVMStage(pm); });
  PassPipelineRegistration<GpuPipelineOptions>(
      "infini-lane-stage", "Tile programs to the code of one lane of a GPU",
      [](OpPassManager &pm, const GpuPipelineOptions &options) {
        buildLaneStage(pm, options);
      });
  PassPipelineRegistration<>("infini-sim-llvm-stage",
                             "The code of one lane, for the simulator",
                             [](OpPassManager &pm) { buildSimLLVMStage(pm); });
  PassPipelineRegistration<CpuPipelineOptions>(
      "infini-to-cpu",
      "Everything from infini ops to kernels in the LLVM dialect and a "
      "schedule",
      buildCpuPipeline);
  PassPipelineRegistration<CpuPipelineOptions>(
      "infini-stage", "The infini stage: scans to loops, tables of rotations",
      [](OpPassManager &pm, const CpuPipelineOptions &options) {
        InfiniStageOptions stage;
        stage.schedule = Schedule(options.schedule);
        stage.width = int64_t(options.width);
        buildInfiniStage(pm, stage);
      });
  PassPipelineRegistration<>("infini-dispatch-stage",
                             "The dispatch stage: kernels and their calls",
                             [](OpPassManager &pm) { buildDispatchStage(pm); });
  PassPipelineRegistration<>("infini-tile-stage",
                             "The tile stage: kernels as tile programs",
                             [](OpPassManager &pm) {
                               OptionalPasses all;
                               buildTileStage(pm, all);
                             });
  PassPipelineRegistration<>("infini-interpreter-stage",
                             "Tile programs in f64, to plain loops on buffers",
                             buildInterpreterStage);
  PassPipelineRegistration<CpuPipelineOptions>(
      "infini-cpu-vector-stage",
      "Kernels to loops and vectors on buffers, for CPUs",
      [](OpPassManager &pm, const CpuPipelineOptions &options) {
        OptionalPasses all;
        buildCpuVectorStage(pm, options, all);
      });
  PassPipelineRegistration<>("infini-cpu-llvm-stage",
                             "Kernels to the LLVM dialect",
                             [](OpPassManager &pm) { buildCpuLLVMStage(pm); });
  PassPipelineRegistration<>("infini-program-stage",
                             "The program stage: buffers of the schedule",
                             [](OpPassManager &pm) { buildProgramStage(pm); });
}
