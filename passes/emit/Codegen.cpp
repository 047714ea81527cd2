// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels to LLVM IR, and its optimisation.

#include "infini/passes/emit/Codegen.h"
#include "infini/dialect/program/ProgramOps.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Linker/Linker.h"
#include "llvm/MC/TargetRegistry.h"

using namespace mlir;
using namespace infini;

FailureOr<std::unique_ptr<llvm::TargetMachine>>
infini::makeMachine(Location loc, StringRef tripleText, StringRef cpu,
                    StringRef features,
                    std::optional<llvm::Reloc::Model> relocation) {
  llvm::Triple triple(tripleText);
  std::string error;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return emitError(loc, "no code generator for '")
           << tripleText << "': " << error;
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, cpu, features, options, relocation, std::nullopt,
      llvm::CodeGenOptLevel::Aggressive));
}

FailureOr<std::unique_ptr<llvm::Module>>
infini::translateKernels(ModuleOp module, llvm::LLVMContext &context,
                         const llvm::TargetMachine &machine, Profile &profile) {
  Phase phase(profile, "translate to LLVM IR");
  auto all = std::make_unique<llvm::Module>("kernels", context);
  all->setDataLayout(machine.createDataLayout());
  all->setTargetTriple(machine.getTargetTriple());
  for (ModuleOp kernel : program::kernelsOf(module)) {
    std::unique_ptr<llvm::Module> one =
        translateModuleToLLVMIR(kernel, context, "kernel");
    if (!one)
      return kernel.emitError("failed to translate the kernel to LLVM IR");
    one->setDataLayout(all->getDataLayout());
    one->setTargetTriple(all->getTargetTriple());
    if (llvm::Linker::linkModules(*all, std::move(one)))
      return kernel.emitError("failed to join the kernel's LLVM IR");
  }
  return all;
}

void infini::optimize(llvm::Module &module, llvm::TargetMachine &machine,
                      llvm::OptimizationLevel level,
                      const llvm::PipelineTuningOptions &tuning,
                      llvm::PassInstrumentationCallbacks &callbacks,
                      Profile &profile) {
  Phase phase(profile, "optimize LLVM IR");
  profile.attach(callbacks);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager sccs;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine, tuning, std::nullopt, &callbacks);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);
  builder.buildPerModuleDefaultPipeline(level).run(module, modules);
}

LogicalResult infini::verifyCode(Location loc, const llvm::Module &module) {
  if (llvm::verifyModule(module, &llvm::errs()))
    return emitError(loc, "the kernels' LLVM IR is invalid");
  return success();
}

std::string infini::textOf(const llvm::Module &module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  module.print(os, nullptr);
  return text;
}
