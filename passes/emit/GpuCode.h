// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels in the LLVM dialect and NVVM to PTX, and to machine code where ptxas
// is found.

#ifndef INFINI_PASSES_EMIT_GPUCODE_H
#define INFINI_PASSES_EMIT_GPUCODE_H

#include "infini/passes/emit/Profile.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <string>
#include <vector>

namespace infini {

enum class GpuOutput { LLVMIR, PTX };

/// All kernels of `module` as one text for `chip` ("sm_80").
mlir::FailureOr<std::string> emitPtx(mlir::ModuleOp module,
                                     llvm::StringRef chip, GpuOutput output,
                                     Profile &profile);

/// What ptxas says of a kernel.
struct KernelResources {
  std::string kernel;
  int64_t registers = 0, spillStores = 0, spillLoads = 0, stackBytes = 0;
};

/// ptxas: what the environment's INFINI_PTXAS names, which must be there; else
/// that of the path, or of a CUDA toolkit. Empty where there is none.
llvm::FailureOr<std::string> findPtxas(std::string &error);

/// `Rejected`: it ran, and did not take the text.
enum class PtxasResult { Good, NotRun, Rejected };

/// Runs it. All but `Good` is an error that says why, and quotes what it said.
PtxasResult assemblePtx(mlir::Location loc, llvm::StringRef ptxas,
                        llvm::StringRef ptx, llvm::StringRef chip,
                        llvm::SmallVectorImpl<char> &cubin,
                        std::vector<KernelResources> &resources);

} // namespace infini

#endif // INFINI_PASSES_EMIT_GPUCODE_H
