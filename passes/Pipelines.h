// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pipelines, one function a stage. `infini-opt --infini-to-cpu` and
// `infini-compile` run the same ones.

#ifndef INFINI_PASSES_PIPELINES_H
#define INFINI_PASSES_PIPELINES_H

#include "infini/passes/infini/ScheduleCost.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace infini {

struct InfiniStageOptions {
  Schedule schedule = Schedule::Auto;
  /// Blocks that the target computes at once (see ScheduleCost.h).
  int64_t width = 8;
};

struct CpuPipelineOptions
    : public mlir::PassPipelineOptions<CpuPipelineOptions> {
  Option<int64_t> rows{
      *this, "rows",
      llvm::cl::desc("Rows of a register block in matrix products"),
      llvm::cl::init(8)};
  Option<int64_t> columns{*this, "columns",
                          llvm::cl::desc("f32 columns of a register block"),
                          llvm::cl::init(32)};
  Option<Schedule> schedule{
      *this, "schedule", llvm::cl::desc("How segments run"),
      llvm::cl::init(Schedule::Auto),
      llvm::cl::values(
          clEnumValN(Schedule::Auto, "auto", "the cheapest"),
          clEnumValN(Schedule::Sequential, "sequential",
                     "one segment after the other"),
          clEnumValN(Schedule::Streaming, "streaming",
                     "states one after the other, all else parallel"),
          clEnumValN(Schedule::Scan, "scan", "states by an associative scan"))};
  Option<int64_t> width{
      *this, "width", llvm::cl::desc("Blocks that the target computes at once"),
      llvm::cl::init(8)};
};

struct GpuPipelineOptions
    : public mlir::PassPipelineOptions<GpuPipelineOptions> {
  Option<int64_t> warps{*this, "warps",
                        llvm::cl::desc("Warps in a block; 0: by the kernel"),
                        llvm::cl::init(0)};
  Option<int64_t> sharedBytes{
      *this, "shared-bytes",
      llvm::cl::desc("Shared memory that a block may have"),
      llvm::cl::init(163 * 1024)};
  Option<int64_t> stages{
      *this, "stages",
      llvm::cl::desc("Rounds of a loop whose copies are on their way"),
      llvm::cl::init(2)};
};

struct NvidiaPipelineOptions
    : public mlir::PassPipelineOptions<NvidiaPipelineOptions> {
  Option<std::string> chip{*this, "chip", llvm::cl::desc("Such as sm_80"),
                           llvm::cl::init("sm_80")};
  Option<Schedule> schedule{
      *this, "schedule", llvm::cl::desc("How segments run"),
      llvm::cl::init(Schedule::Auto),
      llvm::cl::values(
          clEnumValN(Schedule::Auto, "auto", "the cheapest"),
          clEnumValN(Schedule::Sequential, "sequential",
                     "one segment after the other"),
          clEnumValN(Schedule::Streaming, "streaming",
                     "states one after the other, all else parallel"),
          clEnumValN(Schedule::Scan, "scan", "states by an associative scan"))};
};

/// Which optimising passes inside kernels run: the first `limit` of them. Those
/// that follow do not change what is computed, so that stopping after each in
/// turn finds the one that is wrong.
class OptionalPasses {
public:
  static constexpr int64_t all = INT64_MAX;
  explicit OptionalPasses(int64_t limit = all) : limit(limit) {}
  /// Whether the next one runs.
  bool take() { return count++ < limit; }
  /// How many there were.
  int64_t getCount() const { return count; }

private:
  int64_t limit, count = 0;
};

/// Every dialect and interface that the compiler reads or makes.
void registerDialects(mlir::DialectRegistry &registry);
void registerPipelines();

/// Segment scans become loops, rotations get tables.
void buildInfiniStage(mlir::OpPassManager &pm,
                      const InfiniStageOptions &options = {});
/// Kernels and calls of kernels; constants hoisted. `target` is "cpu" or "gpu".
void buildDispatchStage(mlir::OpPassManager &pm,
                        llvm::StringRef target = "cpu");
/// Kernels as tile programs.
void buildTileStage(mlir::OpPassManager &pm, OptionalPasses &optional,
                    llvm::StringRef target = "cpu");
/// Kernels to loops and vectors on buffers.
void buildCpuVectorStage(mlir::OpPassManager &pm,
                         const CpuPipelineOptions &options,
                         OptionalPasses &optional);
/// The tile interpreter: tile programs in f64, to plain loops on buffers.
void buildInterpreterStage(mlir::OpPassManager &pm);
/// Tile programs to the code of one lane of a GPU's block.
void buildLaneStage(mlir::OpPassManager &pm, const GpuPipelineOptions &options);
/// The code of a lane to the LLVM dialect, for the simulator.
void buildSimLLVMStage(mlir::OpPassManager &pm);
/// The code of a lane to the LLVM dialect and NVVM.
void buildNvidiaLLVMStage(mlir::OpPassManager &pm);
/// Kernels to the LLVM dialect and the flat kernel ABI.
void buildCpuLLVMStage(mlir::OpPassManager &pm);
/// The schedule's buffers.
void buildProgramStage(mlir::OpPassManager &pm);
/// All of them, for a chip whose name is known (passes/emit/Targets.h).
mlir::LogicalResult buildNvidiaPipeline(
    mlir::OpPassManager &pm, const NvidiaPipelineOptions &options,
    llvm::function_ref<mlir::LogicalResult(const llvm::Twine &)> error);
/// All of them.
void buildCpuPipeline(mlir::OpPassManager &pm,
                      const CpuPipelineOptions &options);

} // namespace infini

#endif // INFINI_PASSES_PIPELINES_H
