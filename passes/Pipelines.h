// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pipelines, one function a stage. `infini-opt --infini-to-cpu` and
// `infini-compile` run the same ones.

#ifndef INFINI_PASSES_PIPELINES_H
#define INFINI_PASSES_PIPELINES_H

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace infini {

struct CpuPipelineOptions
    : public mlir::PassPipelineOptions<CpuPipelineOptions> {
  Option<int64_t> rows{
      *this, "rows",
      llvm::cl::desc("Rows of a register block in matrix products"),
      llvm::cl::init(8)};
  Option<int64_t> columns{*this, "columns",
                          llvm::cl::desc("f32 columns of a register block"),
                          llvm::cl::init(32)};
};

/// Every dialect and interface that the compiler reads or makes.
void registerDialects(mlir::DialectRegistry &registry);
void registerPipelines();

/// Segment scans become loops, rotations get tables.
void buildInfiniStage(mlir::OpPassManager &pm);
/// Kernels and calls of kernels; constants hoisted.
void buildDispatchStage(mlir::OpPassManager &pm);
/// Inside the kernels: ops on tiles to loops and vectors on buffers.
void buildCpuTileStage(mlir::OpPassManager &pm,
                       const CpuPipelineOptions &options);
/// Kernels to the LLVM dialect and the flat kernel ABI.
void buildCpuLLVMStage(mlir::OpPassManager &pm);
/// The schedule's buffers.
void buildProgramStage(mlir::OpPassManager &pm);
/// All of them.
void buildCpuPipeline(mlir::OpPassManager &pm,
                      const CpuPipelineOptions &options);

} // namespace infini

#endif // INFINI_PASSES_PIPELINES_H
