// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM dialect → LLVM IR → PTX → cubin.

#include "infini/passes/emit/GpuCode.h"
#include "infini/dialect/program/ProgramOps.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Linker/Linker.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace infini;

extern "C" void LLVMInitializeNVPTXTargetInfo();
extern "C" void LLVMInitializeNVPTXTarget();
extern "C" void LLVMInitializeNVPTXTargetMC();
extern "C" void LLVMInitializeNVPTXAsmPrinter();

/// The PTX ISA that the text says it needs: bf16's mma.sync and cp.async with
/// zeros are in 7.0, drivers from 11.4 on take 7.4.
static constexpr llvm::StringLiteral kPtxVersion = "+ptx74",
                                     kTriple = "nvptx64-nvidia-cuda";

static std::unique_ptr<llvm::TargetMachine> makeMachine(StringRef chip,
                                                        std::string &error) {
  static bool done = [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    return true;
  }();
  (void)done;
  // Addresses of shared memory have 32 bits.
  auto &known = llvm::cl::getRegisteredOptions();
  if (auto it = known.find("nvptx-short-ptr"); it != known.end())
    *static_cast<llvm::cl::opt<bool> *>(it->second) = true;
  llvm::Triple triple(kTriple);
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return nullptr;
  // Chips newer than the ISA need one that knows them.
  StringRef version = chip == "sm_89" || chip == "sm_90" ? "+ptx78"
                                                         : StringRef(kPtxVersion);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, chip, version, options, std::nullopt, std::nullopt,
      llvm::CodeGenOptLevel::Aggressive));
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager sccs;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  // What is worth unrolling is unrolled; more only fills registers.
  tuning.LoopUnrolling = false;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O1)
      .run(module, modules);
}

FailureOr<std::string> infini::emitPtx(ModuleOp module, StringRef chip,
                                       GpuOutput output) {
  Location loc = module.getLoc();
  std::string error;
  std::unique_ptr<llvm::TargetMachine> machine = makeMachine(chip, error);
  if (!machine)
    return emitError(loc, "no code generator for '") << kTriple << "': " << error;
  llvm::LLVMContext context;
  llvm::Module all("kernels", context);
  all.setDataLayout(machine->createDataLayout());
  all.setTargetTriple(machine->getTargetTriple());
  for (ModuleOp kernel : program::kernelsOf(module)) {
    std::unique_ptr<llvm::Module> one =
        translateModuleToLLVMIR(kernel, context, "kernel");
    if (!one)
      return kernel.emitError("failed to translate the kernel to LLVM IR");
    one->setDataLayout(all.getDataLayout());
    one->setTargetTriple(all.getTargetTriple());
    if (llvm::Linker::linkModules(all, std::move(one)))
      return kernel.emitError("failed to join the kernel's LLVM IR");
    llvm::Function *function = all.getFunction(*kernel.getSymName());
    auto threads = kernel->getAttrOfType<IntegerAttr>("program.threads");
    if (!function || !threads)
      return kernel.emitError("expected a kernel that says its number of "
                              "threads, as 'program.threads'");
    function->setCallingConv(llvm::CallingConv::PTX_Kernel);
    function->addFnAttr("nvvm.maxntid", std::to_string(threads.getInt()));
    // Else ptxas spills to let more blocks run at once.
    function->addFnAttr("nvvm.minctasm", "1");
  }
  optimize(all, *machine);
  if (llvm::verifyModule(all, &llvm::errs()))
    return emitError(loc, "the kernels' LLVM IR is invalid");
  if (output == GpuOutput::LLVMIR) {
    std::string text;
    llvm::raw_string_ostream os(text);
    all.print(os, nullptr);
    return text;
  }
  SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream os(bytes);
  llvm::legacy::PassManager codegen;
  if (machine->addPassesToEmitFile(codegen, os, nullptr,
                                   llvm::CodeGenFileType::AssemblyFile))
    return emitError(loc, "the code generator cannot write PTX");
  codegen.run(all);
  return std::string(bytes.data(), bytes.size());
}

//===----------------------------------------------------------------------===//
// ptxas
//===----------------------------------------------------------------------===//

std::string infini::findPtxas() {
  if (const char *named = std::getenv("INFINI_PTXAS"))
    return named;
  if (llvm::ErrorOr<std::string> found =
          llvm::sys::findProgramByName("ptxas"))
    return *found;
  if (llvm::sys::fs::can_execute("/usr/local/cuda/bin/ptxas"))
    return "/usr/local/cuda/bin/ptxas";
  return "";
}

/// From what `ptxas -v` writes.
static void readResources(StringRef log,
                          std::vector<KernelResources> &resources) {
  llvm::Regex name("Compiling entry function '([^']*)'"),
      spills("([0-9]+) bytes stack frame, ([0-9]+) bytes spill stores, "
             "([0-9]+) bytes spill loads"),
      registers("Used ([0-9]+) registers");
  SmallVector<StringRef> lines, match;
  log.split(lines, '\n');
  for (StringRef line : lines) {
    if (name.match(line, &match)) {
      resources.emplace_back();
      resources.back().kernel = match[1].str();
    }
    if (resources.empty())
      continue;
    KernelResources &last = resources.back();
    if (spills.match(line, &match)) {
      match[1].getAsInteger(10, last.stackBytes);
      match[2].getAsInteger(10, last.spillStores);
      match[3].getAsInteger(10, last.spillLoads);
    }
    if (registers.match(line, &match))
      match[1].getAsInteger(10, last.registers);
  }
}

LogicalResult infini::assemblePtx(Location loc, StringRef ptxas, StringRef ptx,
                                  StringRef chip,
                                  SmallVectorImpl<char> &cubin,
                                  std::vector<KernelResources> &resources) {
  SmallString<128> folder;
  if (std::error_code code =
          llvm::sys::fs::createUniqueDirectory("infini", folder))
    return emitError(loc, "cannot make a temporary folder: ") << code.message();
  llvm::scope_exit cleanUp(
      [&] { (void)llvm::sys::fs::remove_directories(folder); });
  std::string in = (folder + "/kernels.ptx").str(),
              out = (folder + "/kernels.cubin").str(),
              log = (folder + "/log").str();
  std::error_code code;
  llvm::raw_fd_ostream os(in, code);
  if (!code)
    os << ptx;
  os.close();
  if (code || os.has_error()) {
    std::string why = code ? code.message() : os.error().message();
    os.clear_error();
    return emitError(loc, "cannot write '") << in << "': " << why;
  }
  std::string arch = ("-arch=" + chip).str();
  StringRef arguments[] = {ptxas, "-v", arch, "-O3", "-o", out, in};
  std::string message;
  int status = llvm::sys::ExecuteAndWait(
      ptxas, arguments, std::nullopt,
      {std::nullopt, StringRef(log), StringRef(log)}, 0, 0, &message);
  auto said = llvm::MemoryBuffer::getFile(log);
  StringRef text = said ? (*said)->getBuffer() : StringRef();
  if (status != 0)
    return emitError(loc, "'")
           << ptxas << "' failed with status " << status << ": "
           << (message.empty() ? text : StringRef(message));
  readResources(text, resources);
  auto buffer = llvm::MemoryBuffer::getFile(out, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return emitError(loc, "cannot read '")
           << out << "': " << buffer.getError().message();
  cubin.assign((*buffer)->getBufferStart(), (*buffer)->getBufferEnd());
  return success();
}
