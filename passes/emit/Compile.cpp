// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Model folder or .mlir → package.

#include "infini/passes/emit/Compile.h"
#include "infini/dialect/infini/InfiniOps.h"
#include "infini/dialect/program/ProgramOps.h"
#include "infini/frontend/ImportModel.h"
#include "infini/passes/Passes.h"
#include "infini/passes/Pipelines.h"
#include "infini/passes/emit/GpuCode.h"
#include "infini/passes/emit/Profile.h"
#include "infini/passes/emit/Targets.h"
#include "infini/passes/emit/TemporaryFolder.h"
#include "infini/passes/emit/WritePackage.h"
#include "infini/passes/kernel/KernelForm.h"
#include "infini/runtime/nearest_name.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Remarks.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Remark/RemarkStreamer.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace infini;

static constexpr int kGood = 0, kUserError = 1, kBug = 70;

namespace {

class Compiler {
public:
  explicit Compiler(const CompileOptions &options)
      : options(options), profile(options.timing, !options.trace.empty()),
        handler(sources, &context) {}

  int run();

private:
  int fail(const Twine &message) {
    llvm::WithColor::error(llvm::errs(), "infini-compile") << message << "\n";
    return kUserError;
  }
  /// A bug, with the file that shows it.
  int failOurs(StringRef reproducer);
  int compile();
  int readInput();
  int readTargets();
  int checkStages();
  int readPtxas();
  /// Passes that may find fault with the input.
  LogicalResult lower(StringRef name, ModuleOp module,
                      llvm::function_ref<void(OpPassManager &)> build);
  /// Passes that may not: a failure is a bug, and leaves a file to reproduce
  /// it.
  int lowerOurs(StringRef name, ModuleOp module,
                llvm::function_ref<void(OpPassManager &)> build);
  /// Targets that share a schedule: one variant of the package. Sets `done`
  /// where a stage was asked for, and written.
  int compileGroup(ModuleOp module, ArrayRef<CompileTarget> group, bool &done);
  int lowerForCpu(ModuleOp module, const CompileTarget &target,
                  OptionalPasses &optional);
  int makeImages(ModuleOp module, const CompileTarget &target,
                 CompiledVariant &variant);
  int makeGpuImages(ModuleOp module, const CompileTarget &target,
                    CompiledVariant &variant);
  int writeText(ModuleOp module, const CompileTarget &target);
  int writePackageFile();
  int cannotWrite(StringRef path, llvm::Error error) {
    return fail("cannot write '" + path +
                "': " + llvm::toString(std::move(error)));
  }
  int checkWritable(StringRef path);
  int writeOutput(StringRef path, StringRef bytes);
  int checkFused(ModuleOp module);
  void noteFusedOps(ModuleOp module);
  int writeIR(ModuleOp module);

  const CompileOptions &options;
  Profile profile;
  MLIRContext context;
  llvm::SourceMgr sources;
  SourceMgrDiagnosticHandler handler;
  OwningOpRef<ModuleOp> source;
  SmallVector<CompileTarget> targets;
  /// Empty: PTX alone.
  std::string ptxas;
  SmallVector<OwningOpRef<ModuleOp>> modules;
  SmallVector<CompiledVariant> variants;
  /// Of each chip's kernels, where ptxas was found.
  llvm::StringMap<std::vector<KernelResources>> resources;
  llvm::StringMap<std::string> fusedOps;
};

} // namespace

int Compiler::readTargets() {
  std::vector<std::string> names = options.targets;
  if (names.empty())
    names.push_back("cpu");
  for (const std::string &name : names) {
    std::string error;
    FailureOr<CompileTarget> target = parseTarget(name, error);
    if (failed(target))
      return fail(error);
    if (llvm::any_of(targets, [&](const CompileTarget &other) {
          return other.getText() == target->getText();
        }))
      return fail("target '" + Twine(target->getText()) + "' is given twice");
    targets.push_back(*target);
  }
  return kGood;
}

/// Stages that the targets do not have, or that lie behind what is wanted.
int Compiler::checkStages() {
  // What is written first depends on no target.
  if (options.stage != Stage::Package && options.stage != Stage::Infini &&
      targets.size() > 1)
    return fail("--emit of a text is for one target, got " +
                Twine(targets.size()) +
                "; give one --target, or no --emit for a package of all");
  for (const CompileTarget &target : targets) {
    if (options.stage == Stage::Vector && target.isGpu())
      return fail("--emit=vector is for CPUs; the stage of '" +
                  Twine(target.getText()) + "' is --emit=lanes");
    if ((options.stage == Stage::Lanes || options.from == Stage::Lanes) &&
        !target.isGpu())
      return fail("--emit=lanes and --from=lanes are for GPUs; the stage of '" +
                  Twine(target.getText()) + "' is --emit=vector");
  }
  if (options.stage < options.from ||
      (options.stage == options.from && options.from != Stage::Infini))
    return fail("--emit: expected a stage behind that of --from");
  if (options.from != Stage::Infini &&
      llvm::sys::fs::is_directory(options.input))
    return fail("--from is for .mlir files, got the folder '" +
                Twine(options.input) + "'");
  return kGood;
}

/// Before anything is compiled, so that nobody waits to read that it is not
/// there.
int Compiler::readPtxas() {
  if (options.stage != Stage::Package ||
      llvm::none_of(targets, [](const CompileTarget &target) {
        return target.kind == CompileTarget::Nvidia;
      }))
    return kGood;
  std::string error;
  FailureOr<std::string> found = findPtxas(error);
  if (failed(found))
    return fail(error);
  ptxas = *found;
  return kGood;
}

int Compiler::readInput() {
  Phase phase(profile, "read the input");
  if (llvm::sys::fs::is_directory(options.input)) {
    if (!options.entry.empty())
      return fail("--entry is for .mlir files, got the folder '" +
                  Twine(options.input) + "'");
    source = importModel(options.input, options.import, context,
                         [&] { return emitError(UnknownLoc::get(&context)); });
    return source ? kGood : kUserError;
  }
  if (options.import.retrofit || options.import.dtype ||
      options.import.segmentLength || options.import.maxTokensPerCall)
    return fail("--retrofit, --dtype, --segment-length, and "
                "--max-tokens-per-call are for model "
                "folders, got the file '" +
                Twine(options.input) + "'");
  std::string error;
  auto file = openInputFile(options.input, &error);
  if (!file)
    return fail(error + "; expected a model folder or an .mlir file");
  if (file->getBufferSize() == 0)
    return fail("'" + Twine(options.input) +
                "' is empty; expected a model folder or an .mlir file");
  std::string hash = llvm::utohexstr(llvm::xxh3_64bits(file->getBuffer()));
  sources.AddNewSourceBuffer(std::move(file), llvm::SMLoc());
  source = parseSourceFile<ModuleOp>(sources, &context);
  if (!source)
    return kUserError;
  source.get()->setAttr("program.source", StringAttr::get(&context, hash));
  if (llvm::none_of(source->getOps<func::FuncOp>(), [](func::FuncOp f) {
        return f.isPublic() && !f.isExternal();
      }))
    return fail("expected a public function in '" + Twine(options.input) +
                "', got none");
  if (!options.entry.empty()) {
    auto entry = source->lookupSymbol<func::FuncOp>(options.entry);
    if (!entry || entry.isExternal()) {
      std::vector<std::string> known;
      for (auto function : source->getOps<func::FuncOp>())
        if (function.isPublic() && !function.isExternal())
          known.push_back(function.getName().str());
      return fail("no function '" + Twine(options.entry) + "' in '" +
                  options.input + "'; the nearest is '" +
                  nearestName(options.entry, known) + "'");
    }
    for (auto function : source->getOps<func::FuncOp>())
      function.setVisibility(function == entry
                                 ? SymbolTable::Visibility::Public
                                 : SymbolTable::Visibility::Private);
  }
  return kGood;
}

LogicalResult Compiler::lower(StringRef name, ModuleOp module,
                              llvm::function_ref<void(OpPassManager &)> build) {
  Phase phase(profile, name);
  PassManager pm(&context);
  build(pm);
  profile.attach(pm);
  return pm.run(module);
}

static std::string reproducerPath(const Twine &ending) {
  SmallString<128> path;
  llvm::sys::path::system_temp_directory(/*ErasedOnReboot=*/true, path);
  llvm::sys::path::append(path, "infini-reproducer-" +
                                    Twine(llvm::sys::Process::getProcessId()) +
                                    "." + ending);
  return path.str().str();
}

int Compiler::failOurs(StringRef reproducer) {
  fail("this is a bug in the compiler; please report it with the file '" +
       reproducer + "'");
  return kBug;
}

int Compiler::lowerOurs(StringRef name, ModuleOp module,
                        llvm::function_ref<void(OpPassManager &)> build) {
  Phase phase(profile, name);
  PassManager pm(&context);
  std::string reproducer = reproducerPath("mlir");
  pm.enableCrashReproducerGeneration(reproducer);
  build(pm);
  profile.attach(pm);
  if (succeeded(pm.run(module)))
    return kGood;
  return failOurs(reproducer);
}

/// Neither a pipe nor a device, which would be replaced by a file.
static bool isOrWillBeFile(StringRef path) {
  llvm::sys::fs::file_status status;
  return llvm::sys::fs::status(path, status) ||
         llvm::sys::fs::is_regular_file(status);
}

int Compiler::checkWritable(StringRef path) {
  if (!isOrWillBeFile(path))
    return kGood;
  auto file = llvm::sys::fs::TempFile::create(path + ".tmp-%%%%%%%%");
  llvm::Error error = file ? file->discard() : file.takeError();
  return error ? cannotWrite(path, std::move(error)) : kGood;
}

int Compiler::writeOutput(StringRef path, StringRef bytes) {
  if (path == "-") {
    llvm::outs() << bytes;
    return kGood;
  }
  if (!isOrWillBeFile(path)) {
    std::error_code code;
    llvm::raw_fd_ostream os(path, code);
    if (!code) {
      os << bytes;
      os.flush();
      code = os.error();
      os.clear_error();
    }
    return code ? cannotWrite(path, llvm::errorCodeToError(code)) : kGood;
  }
  // Written beside its place, then renamed.
  llvm::Error error =
      llvm::writeToOutput(path, [&](llvm::raw_ostream &os) -> llvm::Error {
        os << bytes;
        return llvm::Error::success();
      });
  return error ? cannotWrite(path, std::move(error)) : kGood;
}

int Compiler::writeIR(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  module.print(os);
  os << "\n";
  return writeOutput(options.output, text);
}

/// The code of a target, from the kernels of `module` in their last form.
int Compiler::makeImages(ModuleOp module, const CompileTarget &target,
                         CompiledVariant &variant) {
  if (target.kind == CompileTarget::Nvidia)
    return makeGpuImages(module, target, variant);
  FailureOr<SmallVector<char, 0>> bytes =
      emitHostObject(module, target.cpu, HostOutput::SharedObject, profile);
  if (failed(bytes))
    return kBug;
  TargetImage &image = variant.images.emplace_back();
  image.kind = target.kind == CompileTarget::Cpu ? "cpu" : "sim";
  image.triple = target.cpu.triple;
  image.cpu = target.cpu.cpu;
  image.features = target.cpu.features;
  if (target.chip)
    image.chip = target.chip->name.str();
  image.image = std::move(*bytes);
  return kGood;
}

/// PTX always, and machine code where ptxas is found.
int Compiler::makeGpuImages(ModuleOp module, const CompileTarget &target,
                            CompiledVariant &variant) {
  FailureOr<std::string> ptx =
      emitPtx(module, target.chip->name, GpuOutput::PTX, profile);
  if (failed(ptx))
    return kBug;
  auto add = [&](TargetImage::Format format, StringRef bytes) {
    TargetImage &image = variant.images.emplace_back();
    image.kind = "nvidia";
    image.chip = target.chip->name.str();
    image.format = format;
    image.image.assign(bytes.begin(), bytes.end());
  };
  add(TargetImage::Ptx, *ptx);
  if (ptxas.empty())
    return kGood;
  SmallVector<char, 0> cubin;
  Phase phase(profile, "ptxas");
  switch (assemblePtx(module.getLoc(), ptxas, *ptx, target.chip->name, cubin,
                      resources[target.chip->name])) {
  case PtxasResult::NotRun:
    return kUserError;
  case PtxasResult::Rejected: {
    std::string reproducer = reproducerPath("ptx");
    if (failed(writeFile(module.getLoc(), reproducer, *ptx)))
      return kBug;
    return failOurs(reproducer);
  }
  case PtxasResult::Good:
    break;
  }
  add(TargetImage::Cubin, StringRef(cubin.data(), cubin.size()));
  return kGood;
}

int Compiler::writeText(ModuleOp module, const CompileTarget &target) {
  bool asLLVM = options.stage == Stage::LLVM;
  if (target.kind == CompileTarget::Nvidia) {
    FailureOr<std::string> text =
        emitPtx(module, target.chip->name,
                asLLVM ? GpuOutput::LLVMIR : GpuOutput::PTX, profile);
    return failed(text) ? kBug : writeOutput(options.output, *text);
  }
  auto text = emitHostObject(module, target.cpu,
                             asLLVM ? HostOutput::LLVMIR : HostOutput::Assembly,
                             profile);
  if (failed(text))
    return kBug;
  return writeOutput(options.output, StringRef(text->data(), text->size()));
}

int Compiler::writePackageFile() {
  Phase phase(profile, "write the package");
  auto package = writePackage(variants);
  if (failed(package))
    return kUserError;
  if (options.report) {
    for (const CompiledVariant &variant : variants) {
      for (const TargetImage &image : variant.images)
        llvm::errs() << "target " << image.kind << ": "
                     << (image.chip.empty() ? image.cpu : image.chip) << ", "
                     << image.image.size() << " bytes of code\n";
      for (ModuleOp kernel : program::kernelsOf(variant.module)) {
        unsigned uses = 0;
        ModuleOp(variant.module)->walk([&](program::DispatchOp op) {
          uses += op.getKernel() == *kernel.getSymName();
        });
        llvm::errs() << "kernel " << *kernel.getSymName() << ": " << uses
                     << " dispatches";
        if (auto threads =
                kernel->getAttrOfType<IntegerAttr>("program.threads"))
          llvm::errs() << ", " << threads.getInt() << " threads, "
                       << kernel
                              ->getAttrOfType<IntegerAttr>(
                                  "program.shared_bytes")
                              .getInt()
                       << " bytes of shared memory";
        llvm::errs() << "\n";
      }
    }
    for (auto &[chip, kernels] : resources)
      for (const KernelResources &kernel : kernels)
        llvm::errs() << "ptxas " << chip << " " << kernel.kernel << ": "
                     << kernel.registers << " registers, " << kernel.spillStores
                     << " bytes spilled, " << kernel.spillLoads
                     << " bytes read back, " << kernel.stackBytes
                     << " bytes of stack\n";
    llvm::errs() << "package: " << package->size() << " bytes\n";
  }
  return writeOutput(options.output, *package);
}

/// An error for each scan that could not be cut, and each kernel with an op of
/// ours that became no tile program.
int Compiler::checkFused(ModuleOp module) {
  bool good = true;
  auto reason = [](Operation *op) {
    auto attribute = op->getAttrOfType<StringAttr>(program::kFallback);
    return attribute ? attribute.getValue() : StringRef();
  };
  for (auto function : module.getOps<func::FuncOp>())
    if (StringRef why = reason(function); !why.empty()) {
      function.emitError("expected its segments' states to be cut out "
                         "(--require=fused), but ")
          << why;
      good = false;
    }
  for (ModuleOp kernel : program::kernelsOf(module)) {
    auto ops = fusedOps.find(*kernel.getSymName());
    StringRef why = reason(kernel);
    if (ops == fusedOps.end() || why.empty())
      continue;
    kernel.emitError("expected kernel '")
        << *kernel.getSymName() << "' (" << ops->second
        << ") to be a tile program (--require=fused), but " << why;
    good = false;
  }
  return good ? kGood : kUserError;
}

/// The ops of ours in each kernel, by its name.
void Compiler::noteFusedOps(ModuleOp module) {
  fusedOps.clear();
  for (ModuleOp kernel : program::kernelsOf(module)) {
    llvm::SetVector<StringRef> names;
    kernel.walk([&](ShapeSignatureOpInterface op) {
      names.insert(op->getName().getStringRef());
    });
    if (!names.empty())
      fusedOps[*kernel.getSymName()] = llvm::join(names, ", ");
  }
}

int Compiler::run() {
  if (!profile.isTracing())
    return compile();
  // That it can be written should not be found out after a long compilation.
  if (int status = checkWritable(options.trace))
    return status;
  if (int status = compile())
    return status;
  return writeOutput(options.trace, profile.traceText());
}

int Compiler::compile() {
  DialectRegistry registry;
  {
    Phase phase(profile, "load the dialects");
    registerDialects(registry);
    if (options.extend)
      options.extend(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }
  if (!options.remarks.empty()) {
    remark::RemarkCategories categories;
    categories.passed = categories.missed = categories.failed =
        categories.analysis = ".*(" + options.remarks + ").*";
    if (failed(remark::enableOptimizationRemarks(
            context, /*streamer=*/nullptr,
            std::make_unique<remark::RemarkEmittingPolicyAll>(), categories,
            /*printAsEmitRemarks=*/true)))
      return fail("cannot print remarks");
  }
  // Messages say what is wrong in words.
  context.printOpOnDiagnostic(false);
  if (int status = readTargets())
    return status;
  if (int status = checkStages())
    return status;
  if (int status = readPtxas())
    return status;
  if (int status = readInput())
    return status;
  if (options.stage == Stage::Infini) {
    if (int status =
            lowerOurs("infini stage", source.get(), [](OpPassManager &pm) {
              pm.addPass(createCanonicalizerPass());
            }))
      return status;
    return writeIR(source.get());
  }
  // A chip, real or simulated, has one schedule; each CPU its own.
  while (!targets.empty()) {
    SmallVector<CompileTarget> group{targets.front()};
    targets.erase(targets.begin());
    for (auto it = targets.begin(); group[0].isGpu() && it != targets.end();) {
      if (it->chip == group[0].chip) {
        group.push_back(*it);
        it = targets.erase(it);
      } else {
        ++it;
      }
    }
    modules.push_back(source->clone());
    bool done = false;
    if (int status = compileGroup(modules.back().get(), group, done))
      return status;
    if (done)
      return kGood;
  }
  return writePackageFile();
}

int Compiler::compileGroup(ModuleOp module, ArrayRef<CompileTarget> group,
                           bool &done) {
  const CompileTarget &target = group.front();
  Phase phase(profile, target.getText());
  StringRef family = target.isGpu() ? "gpu" : "cpu";
  auto stops = [&](Stage stage) { return done = options.stage == stage; };
  // What the input may get wrong shows up to here; behind it, a failure is
  // ours.
  OptionalPasses optional(options.optionalPasses);
  if (options.from == Stage::Infini) {
    InfiniStageOptions stage;
    stage.schedule = options.schedule;
    if (failed(
            lower("infini and dispatch stage", module, [&](OpPassManager &pm) {
              buildInfiniStage(pm, stage);
              buildDispatchStage(pm, family);
            })))
      return kUserError;
    if (stops(Stage::Dispatch))
      return writeIR(module);
    if (int status = lowerOurs("program stage", module, buildProgramStage))
      return status;
    if (stops(Stage::Program))
      return writeIR(module);
    noteFusedOps(module);
    if (int status = lowerOurs("tile stage", module, [&](OpPassManager &pm) {
          buildTileStage(pm, optional, family);
        }))
      return status;
    if (options.requireFused)
      if (int status = checkFused(module))
        return status;
    if (stops(Stage::Tile))
      return writeIR(module);
  }
  CompiledVariant variant{module, {}};
  if (!target.isGpu()) {
    if (int status = lowerForCpu(module, target, optional))
      return status;
    if (stops(Stage::Vector))
      return writeIR(module);
    if (int status = lowerOurs("llvm stage", module, buildCpuLLVMStage))
      return status;
    if (stops(Stage::LLVM) || stops(Stage::Assembly))
      return writeText(module, target);
    if (int status = makeImages(module, target, variant))
      return status;
    variants.push_back(std::move(variant));
    return kGood;
  }
  if (options.from != Stage::Lanes) {
    GpuPipelineOptions pipeline;
    pipeline.sharedBytes = target.chip->sharedBytes;
    // A kernel that has no form on tiles is the input's affair.
    if (failed(lower("lanes stage", module,
                     [&](OpPassManager &pm) { buildLaneStage(pm, pipeline); })))
      return kUserError;
    if (stops(Stage::Lanes))
      return writeIR(module);
  }
  if (options.from == Stage::Lanes)
    for (ModuleOp kernel : program::kernelsOf(module))
      if (failed(checkLaneModule(kernel)))
        return kUserError;
  for (const CompileTarget &member : group) {
    OwningOpRef<ModuleOp> code(module.clone());
    if (int status =
            lowerOurs("llvm stage", code.get(),
                      member.kind == CompileTarget::Sim ? buildSimLLVMStage
                                                        : buildNvidiaLLVMStage))
      return status;
    if (stops(Stage::LLVM) || stops(Stage::Assembly))
      return writeText(code.get(), member);
    if (int status = makeImages(code.get(), member, variant))
      return status;
  }
  variants.push_back(std::move(variant));
  return kGood;
}

int Compiler::lowerForCpu(ModuleOp module, const CompileTarget &target,
                          OptionalPasses &optional) {
  CpuPipelineOptions pipeline;
  if (!target.cpu.hasAVX512) {
    // Sixteen registers of eight: 4 × 16 leaves room for operands.
    pipeline.rows = 4;
    pipeline.columns = 16;
  }
  return lowerOurs("vector stage", module, [&](OpPassManager &pm) {
    if (options.interpretTiles)
      buildInterpreterStage(pm);
    else
      buildCpuVectorStage(pm, pipeline, optional);
  });
}

int infini::compile(const CompileOptions &options) {
  return Compiler(options).run();
}
