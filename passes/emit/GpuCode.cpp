// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM dialect → LLVM IR → PTX → cubin.

#include "infini/passes/emit/GpuCode.h"
#include "infini/dialect/program/ProgramOps.h"
#include "infini/passes/emit/Codegen.h"
#include "infini/passes/emit/TemporaryFolder.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Regex.h"

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

static FailureOr<std::unique_ptr<llvm::TargetMachine>>
makeGpuMachine(Location loc, StringRef chip) {
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
  // Chips newer than the ISA need one that knows them.
  StringRef version =
      chip == "sm_89" || chip == "sm_90" ? "+ptx78" : StringRef(kPtxVersion);
  return makeMachine(loc, kTriple, chip, version);
}

/// What the code generator must know of a kernel.
static LogicalResult markKernel(ModuleOp kernel, llvm::Module &code) {
  llvm::Function *function = code.getFunction(*kernel.getSymName());
  auto threads = kernel->getAttrOfType<IntegerAttr>("program.threads");
  if (!function || !threads)
    return kernel.emitError("expected a kernel that says its number of "
                            "threads, as 'program.threads'");
  function->setCallingConv(llvm::CallingConv::PTX_Kernel);
  function->addFnAttr("nvvm.maxntid", std::to_string(threads.getInt()));
  // Else ptxas spills to let more blocks run at once.
  function->addFnAttr("nvvm.minctasm", "1");
  return success();
}

FailureOr<std::string> infini::emitPtx(ModuleOp module, StringRef chip,
                                       GpuOutput output, Profile &profile) {
  Location loc = module.getLoc();
  auto machine = makeGpuMachine(loc, chip);
  if (failed(machine))
    return failure();
  llvm::LLVMContext context;
  auto code = translateKernels(module, context, **machine, profile);
  if (failed(code))
    return failure();
  for (ModuleOp kernel : program::kernelsOf(module))
    if (failed(markKernel(kernel, **code)))
      return failure();
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  // What is worth unrolling is unrolled; more only fills registers.
  tuning.LoopUnrolling = false;
  llvm::PassInstrumentationCallbacks callbacks;
  optimize(**code, **machine, llvm::OptimizationLevel::O1, tuning, callbacks,
           profile);
  if (failed(verifyCode(loc, **code)))
    return failure();
  if (output == GpuOutput::LLVMIR)
    return textOf(**code);
  Phase phase(profile, "generate code");
  SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream os(bytes);
  llvm::legacy::PassManager codegen;
  if ((*machine)->addPassesToEmitFile(codegen, os, nullptr,
                                      llvm::CodeGenFileType::AssemblyFile))
    return emitError(loc, "the code generator cannot write PTX");
  codegen.run(**code);
  return std::string(bytes.data(), bytes.size());
}

//===----------------------------------------------------------------------===//
// ptxas
//===----------------------------------------------------------------------===//

FailureOr<std::string> infini::findPtxas(std::string &error) {
  if (const char *named = std::getenv("INFINI_PTXAS")) {
    StringRef name(named);
    if (name.empty())
      return std::string();
    // A path, or a name on the path.
    bool isPath = name.contains('/');
    if (isPath && llvm::sys::fs::can_execute(name))
      return name.str();
    if (!isPath)
      if (auto found = llvm::sys::findProgramByName(name))
        return *found;
    error = ("INFINI_PTXAS names '" + name + "', but there is no such program" +
             (isPath ? "" : " on PATH") +
             "; expected ptxas of a CUDA toolkit, or nothing for PTX alone")
                .str();
    return failure();
  }
  if (llvm::ErrorOr<std::string> found = llvm::sys::findProgramByName("ptxas"))
    return *found;
  if (llvm::sys::fs::can_execute("/usr/local/cuda/bin/ptxas"))
    return std::string("/usr/local/cuda/bin/ptxas");
  return std::string();
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

PtxasResult infini::assemblePtx(Location loc, StringRef ptxas, StringRef ptx,
                                StringRef chip, SmallVectorImpl<char> &cubin,
                                std::vector<KernelResources> &resources) {
  TemporaryFolder folder(loc);
  if (failed(folder.make()) || failed(folder.write("kernels.ptx", ptx)))
    return PtxasResult::NotRun;
  std::string in = folder.path("kernels.ptx"),
              out = folder.path("kernels.cubin"), log = folder.path("log"),
              arch = ("-arch=" + chip).str();
  StringRef arguments[] = {ptxas, "-v", arch, "-O3", "-o", out, in};
  std::string message;
  bool notRun = false;
  int status = llvm::sys::ExecuteAndWait(
      ptxas, arguments, std::nullopt,
      {std::nullopt, StringRef(log), StringRef(log)}, 0, 0, &message, &notRun);
  if (notRun || status == -1) {
    emitError(loc, "cannot run '") << ptxas << "': " << message;
    return PtxasResult::NotRun;
  }
  auto said = llvm::MemoryBuffer::getFile(log);
  StringRef text = said ? (*said)->getBuffer().trim() : StringRef();
  if (status != 0) {
    auto diagnostic = emitError(loc, "'")
                      << ptxas << "' failed with status " << status;
    for (StringRef why : {StringRef(message), text})
      if (!why.empty())
        diagnostic << ": " << why;
    return PtxasResult::Rejected;
  }
  readResources(text, resources);
  auto bytes = folder.read("kernels.cubin");
  if (failed(bytes))
    return PtxasResult::Rejected;
  cubin.assign(bytes->begin(), bytes->end());
  return PtxasResult::Good;
}
