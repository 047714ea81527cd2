// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What code for CPUs and code for GPUs have in common: from kernels in the LLVM
// dialect to optimised LLVM IR.

#ifndef INFINI_PASSES_EMIT_CODEGEN_H
#define INFINI_PASSES_EMIT_CODEGEN_H

#include "infini/passes/emit/Profile.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>

namespace infini {

/// A code generator that may contract multiplications and additions. Its
/// target is registered already.
mlir::FailureOr<std::unique_ptr<llvm::TargetMachine>>
makeMachine(mlir::Location loc, llvm::StringRef triple, llvm::StringRef cpu,
            llvm::StringRef features,
            std::optional<llvm::Reloc::Model> relocation = std::nullopt);

/// All kernels of `module` in one.
mlir::FailureOr<std::unique_ptr<llvm::Module>>
translateKernels(mlir::ModuleOp module, llvm::LLVMContext &context,
                 const llvm::TargetMachine &machine, Profile &profile);

/// With callbacks of the caller's besides the profile's.
void optimize(llvm::Module &module, llvm::TargetMachine &machine,
              llvm::OptimizationLevel level,
              const llvm::PipelineTuningOptions &tuning,
              llvm::PassInstrumentationCallbacks &callbacks, Profile &profile);

mlir::LogicalResult verifyCode(mlir::Location loc, const llvm::Module &module);

std::string textOf(const llvm::Module &module);

} // namespace infini

#endif // INFINI_PASSES_EMIT_CODEGEN_H
