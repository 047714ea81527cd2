// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM dialect → LLVM IR → optimised object → shared object.

#include "infini/passes/emit/HostObject.h"
#include "infini/dialect/program/ProgramOps.h"
#include "infini/passes/emit/Codegen.h"
#include "infini/passes/emit/TemporaryFolder.h"
#include "infini/runtime/kernel_abi.h"
#include "infini/runtime/nearest_name.h"
#include "lld/Common/Driver.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/CodeGen/CommandFlags.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/X86TargetParser.h"

LLD_HAS_DRIVER(elf)

using namespace mlir;
using namespace infini;

static void initializeTargets() {
  static bool done = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
    return true;
  }();
  (void)done;
}

FailureOr<CpuTarget> infini::cpuTarget(StringRef name, std::string &error) {
  CpuTarget target;
  target.triple = llvm::sys::getDefaultTargetTriple();
  bool host = name == "host";
  target.cpu = host ? llvm::sys::getHostCPUName().str() : name.str();
  // Checked first: LLVM's look-up of an unknown name is undefined.
  llvm::SmallVector<StringRef> known;
  llvm::X86::fillValidCPUArchList(known, /*Only64Bit=*/true);
  if (!host && !llvm::is_contained(known, name)) {
    error = "unknown 64-bit x86 CPU '" + name.str() + "'; the nearest is '" +
            nearestName(name, known) + "'";
    return failure();
  }
  llvm::StringMap<bool> present;
  std::unique_ptr<llvm::MCSubtargetInfo> named;
  if (host) {
    present = llvm::sys::getHostCPUFeatures();
  } else {
    // A name's features with all that they imply.
    initializeTargets();
    std::string message;
    const llvm::Target *machine = llvm::TargetRegistry::lookupTarget(
        llvm::Triple(target.triple), message);
    if (machine)
      named.reset(machine->createMCSubtargetInfo(llvm::Triple(target.triple),
                                                 target.cpu, ""));
    if (!named) {
      error = "no code generator for '" + target.triple + "': " + message;
      return failure();
    }
  }
  // What vector code generation makes use of; the runtime checks these.
  for (StringRef feature :
       {"sse4.2", "avx", "avx2", "fma", "f16c", "bmi", "bmi2", "lzcnt", "movbe",
        "popcnt", "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"})
    if (host ? present.lookup(feature)
             : named->checkFeatures(("+" + feature).str()))
      target.features.push_back(feature.str());
  target.hasAVX512 = llvm::is_contained(target.features, "avx512f");
  // The generated code uses the checked features and no others.
  if (host)
    target.cpu = target.hasAVX512                                ? "x86-64-v4"
                 : llvm::is_contained(target.features, "avx2")   ? "x86-64-v3"
                 : llvm::is_contained(target.features, "sse4.2") ? "x86-64-v2"
                                                                 : "x86-64";
  return target;
}

/// Each import becomes a hidden function that jumps through the exported table,
/// so that also calls that the code generator makes (memcpy, fma) find it.
static void addImports(llvm::Module &module) {
  llvm::LLVMContext &context = module.getContext();
  std::vector<const char *> names = {
#define INFINI_IMPORT_NAME(name, type, arguments) #name,
      INFINI_KERNEL_IMPORTS(INFINI_IMPORT_NAME)
#undef INFINI_IMPORT_NAME
  };
  std::vector<const char *> signatures = {
#define INFINI_IMPORT_SIGNATURE(name, type, arguments) #type #arguments,
      INFINI_KERNEL_IMPORTS(INFINI_IMPORT_SIGNATURE)
#undef INFINI_IMPORT_SIGNATURE
  };
  auto *pointer = llvm::PointerType::get(context, 0);
  auto *tableType = llvm::ArrayType::get(pointer, names.size());
  auto *table = new llvm::GlobalVariable(
      module, tableType, /*isConstant=*/false,
      llvm::GlobalValue::ExternalLinkage,
      llvm::ConstantAggregateZero::get(tableType), "infini_imports");
  table->setAlignment(llvm::Align(16));
  auto typeOf = [&](StringRef text) -> llvm::Type * {
    text = text.trim();
    if (text.contains('*'))
      return pointer;
    return llvm::StringSwitch<llvm::Type *>(text)
        .Case("void", llvm::Type::getVoidTy(context))
        .Case("float", llvm::Type::getFloatTy(context))
        .Case("double", llvm::Type::getDoubleTy(context))
        .Case("int", llvm::Type::getInt32Ty(context))
        .Case("size_t", llvm::Type::getInt64Ty(context))
        .Default(nullptr);
  };
  for (auto [i, name, signature] : llvm::enumerate(names, signatures)) {
    auto [result, rest] = StringRef(signature).split('(');
    SmallVector<StringRef> parts;
    rest.drop_back().split(parts, ',');
    SmallVector<llvm::Type *> types;
    for (StringRef part : parts)
      types.push_back(typeOf(part));
    auto *type = llvm::FunctionType::get(typeOf(result), types, false);
    llvm::Function *function = module.getFunction(name);
    if (!function)
      function = llvm::Function::Create(
          type, llvm::GlobalValue::ExternalLinkage, name, module);
    if (function->getFunctionType() != type)
      continue; // a kernel's own function of that name; its verifier speaks
    function->setVisibility(llvm::GlobalValue::HiddenVisibility);
    function->setLinkage(llvm::GlobalValue::ExternalLinkage);
    function->addFnAttr(llvm::Attribute::NoInline);
    function->addFnAttr(llvm::Attribute::NoBuiltin);
    function->addFnAttr("no-builtins");
    llvm::IRBuilder<> b(llvm::BasicBlock::Create(context, "", function));
    llvm::Value *slot = b.CreateConstInBoundsGEP2_64(tableType, table, 0, i);
    llvm::Value *callee = b.CreateLoad(pointer, slot);
    SmallVector<llvm::Value *> arguments;
    for (llvm::Argument &argument : function->args())
      arguments.push_back(&argument);
    auto *call = b.CreateCall(type, callee, arguments);
    call->setTailCall();
    if (type->getReturnType()->isVoidTy())
      b.CreateRetVoid();
    else
      b.CreateRet(call);
  }
}

/// What the code generator calls to narrow an f32 to bf16 on CPUs without the
/// instruction: to nearest even, NaN quiet.
static void addNarrowing(llvm::Module &module) {
  llvm::LLVMContext &context = module.getContext();
  auto *type =
      llvm::FunctionType::get(llvm::Type::getBFloatTy(context),
                              {llvm::Type::getFloatTy(context)}, false);
  auto *function = llvm::Function::Create(
      type, llvm::GlobalValue::ExternalLinkage, "__truncsfbf2", module);
  function->setVisibility(llvm::GlobalValue::HiddenVisibility);
  function->addFnAttr(llvm::Attribute::NoInline);
  llvm::IRBuilder<> b(llvm::BasicBlock::Create(context, "", function));
  llvm::Value *number = function->getArg(0);
  llvm::Value *bits = b.CreateBitCast(number, b.getInt32Ty());
  llvm::Value *odd = b.CreateAnd(b.CreateLShr(bits, 16), b.getInt32(1));
  llvm::Value *rounded =
      b.CreateAdd(bits, b.CreateAdd(odd, b.getInt32(0x7FFF)));
  llvm::Value *chosen = b.CreateSelect(b.CreateFCmpUNO(number, number),
                                       b.getInt32(0x7FC00000), rounded);
  llvm::Value *upper = b.CreateTrunc(b.CreateLShr(chosen, 16), b.getInt16Ty());
  b.CreateRet(b.CreateBitCast(upper, type->getReturnType()));
}

static FailureOr<std::unique_ptr<llvm::TargetMachine>>
makeCpuMachine(Location loc, const CpuTarget &target) {
  initializeTargets();
  std::string features;
  for (const std::string &feature : target.features)
    features += (features.empty() ? "+" : ",+") + feature;
  return makeMachine(loc, target.triple, target.cpu, features,
                     llvm::Reloc::PIC_);
}

static void optimizeForCpu(llvm::Module &module, llvm::TargetMachine &machine,
                           Profile &profile) {
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = true;
  // Register blocks are unrolled already; more only makes code.
  tuning.SLPVectorization = false;
  tuning.LoopUnrolling = false;
  // LLVM 22's SROA can merge vector stores into a shuffle that stands before
  // what it shuffles. Vectors of different widths on one slot of the stack come
  // from the loop vectoriser, so it does not run behind that.
  llvm::PassInstrumentationCallbacks callbacks;
  bool vectorized = false;
  callbacks.registerShouldRunOptionalPassCallback(
      [&](StringRef name, llvm::Any) {
        vectorized |= name == "LoopVectorizePass";
        return name != "SROAPass" || !vectorized;
      });
  optimize(module, machine, llvm::OptimizationLevel::O3, tuning, callbacks,
           profile);
}

/// Runs lld on a temporary object. Paths do not reach the image.
static FailureOr<SmallVector<char, 0>>
linkObject(Location loc, StringRef object, ArrayRef<std::string> exports) {
  TemporaryFolder folder(loc);
  if (failed(folder.make()))
    return failure();
  std::string version = "{ global: infini_imports;";
  for (const std::string &name : exports)
    version += " \"" + name + "\";";
  version += " local: *; };\n";
  if (failed(folder.write("kernels.o", object)) ||
      failed(folder.write("exports", version)))
    return failure();
  std::string in = folder.path("kernels.o"), out = folder.path("kernels.so"),
              versionFlag = "--version-script=" + folder.path("exports");
  std::vector<const char *> arguments = {"ld.lld",
                                         "-shared",
                                         "-z",
                                         "defs",
                                         "-z",
                                         "now",
                                         "--gc-sections",
                                         "--hash-style=gnu",
                                         "--build-id=none",
                                         "-soname=infini-kernels",
                                         "--strip-debug",
                                         versionFlag.c_str(),
                                         "-o",
                                         out.c_str(),
                                         in.c_str()};
  std::string messages;
  llvm::raw_string_ostream os(messages);
  lld::Result result =
      lld::lldMain(arguments, os, os, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return emitError(loc, "lld failed to link the kernels: ") << messages;
  return folder.read("kernels.so");
}

FailureOr<SmallVector<char, 0>> infini::emitHostObject(ModuleOp module,
                                                       const CpuTarget &target,
                                                       HostOutput output,
                                                       Profile &profile) {
  Location loc = module.getLoc();
  auto made = makeCpuMachine(loc, target);
  if (failed(made))
    return failure();
  llvm::TargetMachine &machine = **made;
  llvm::LLVMContext context;
  auto translated = translateKernels(module, context, machine, profile);
  if (failed(translated))
    return failure();
  llvm::Module &all = **translated;
  std::vector<std::string> exports;
  for (ModuleOp kernel : program::kernelsOf(module))
    exports.push_back(kernel.getSymName()->str());
  for (llvm::Function &function : all) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", target.cpu);
    function.addFnAttr("target-features", machine.getTargetFeatureString());
    if (target.hasAVX512)
      function.addFnAttr("prefer-vector-width", "512");
    function.addFnAttr(llvm::Attribute::NoUnwind);
    if (!llvm::is_contained(exports, function.getName()))
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
  }
  // Optimise first: the bodies of the imports must not be seen by it.
  optimizeForCpu(all, machine, profile);
  addImports(all);
  addNarrowing(all);
  if (failed(verifyCode(loc, all)))
    return failure();

  if (output == HostOutput::LLVMIR) {
    std::string text = textOf(all);
    return SmallVector<char, 0>(text.begin(), text.end());
  }
  SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream os(bytes);
  llvm::legacy::PassManager codegen;
  auto kind = output == HostOutput::Assembly
                  ? llvm::CodeGenFileType::AssemblyFile
                  : llvm::CodeGenFileType::ObjectFile;
  llvm::TargetLibraryInfoImpl library(machine.getTargetTriple());
  codegen.add(new llvm::TargetLibraryInfoWrapperPass(library));
  machine.Options.FunctionSections = true;
  if (machine.addPassesToEmitFile(codegen, os, nullptr, kind))
    return emitError(loc, "the code generator cannot write this kind of file");
  {
    Phase phase(profile, "generate code");
    codegen.run(all);
  }
  if (output == HostOutput::Assembly)
    return bytes;
  Phase phase(profile, "link");
  return linkObject(loc, StringRef(bytes.data(), bytes.size()), exports);
}
