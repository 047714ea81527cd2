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
#include "infini/passes/emit/HostObject.h"
#include "infini/passes/emit/WritePackage.h"
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
      : options(options), handler(sources, &context) {}

  int run();

private:
  int fail(const Twine &message) {
    llvm::WithColor::error(llvm::errs(), "infini-compile") << message << "\n";
    return kUserError;
  }
  int readInput();
  int readTarget();
  /// Passes that may find fault with the input.
  LogicalResult lower(llvm::function_ref<void(OpPassManager &)> build);
  /// Passes that may not: a failure is a bug, and leaves a file to reproduce
  /// it.
  int lowerOurs(llvm::function_ref<void(OpPassManager &)> build);
  int emit();
  int writeOutput(StringRef bytes);
  int checkFused();
  void noteFusedOps();
  int writeIR();

  const CompileOptions &options;
  MLIRContext context;
  llvm::SourceMgr sources;
  SourceMgrDiagnosticHandler handler;
  OwningOpRef<ModuleOp> module;
  CpuTarget target;
  llvm::StringMap<std::string> fusedOps;
};

} // namespace

int Compiler::readTarget() {
  std::string name = "host";
  if (options.targets.size() > 1)
    return fail("expected one --target, got " + Twine(options.targets.size()) +
                "; this version writes packages for one CPU");
  if (!options.targets.empty()) {
    StringRef text = options.targets.front();
    auto [kind, rest] = text.split(':');
    if (kind != "cpu")
      return fail("unknown target '" + text +
                  "'; available: cpu, cpu:<name>, such as cpu:x86-64-v3");
    if (!rest.empty())
      name = rest.str();
    else if (text.contains(':'))
      return fail("expected a CPU's name behind 'cpu:', such as cpu:x86-64-v3");
  }
  std::string error;
  FailureOr<CpuTarget> found = cpuTarget(name, error);
  if (failed(found))
    return fail(error);
  target = *found;
  return kGood;
}

int Compiler::readInput() {
  if (llvm::sys::fs::is_directory(options.input)) {
    if (!options.entry.empty())
      return fail("--entry is for .mlir files, got the folder '" +
                  Twine(options.input) + "'");
    module = importModel(options.input, options.import, context,
                         [&] { return emitError(UnknownLoc::get(&context)); });
    return module ? kGood : kUserError;
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
  module = parseSourceFile<ModuleOp>(sources, &context);
  if (!module)
    return kUserError;
  module.get()->setAttr("program.source", StringAttr::get(&context, hash));
  if (llvm::none_of(module->getOps<func::FuncOp>(), [](func::FuncOp f) {
        return f.isPublic() && !f.isExternal();
      }))
    return fail("expected a public function in '" + Twine(options.input) +
                "', got none");
  if (!options.entry.empty()) {
    auto entry = module->lookupSymbol<func::FuncOp>(options.entry);
    if (!entry || entry.isExternal()) {
      std::vector<std::string> known;
      for (auto function : module->getOps<func::FuncOp>())
        if (function.isPublic() && !function.isExternal())
          known.push_back(function.getName().str());
      return fail("no function '" + Twine(options.entry) + "' in '" +
                  options.input + "'; the nearest is '" +
                  nearestName(options.entry, known) + "'");
    }
    for (auto function : module->getOps<func::FuncOp>())
      function.setVisibility(function == entry
                                 ? SymbolTable::Visibility::Public
                                 : SymbolTable::Visibility::Private);
  }
  return kGood;
}

LogicalResult Compiler::lower(llvm::function_ref<void(OpPassManager &)> build) {
  PassManager pm(&context);
  build(pm);
  return pm.run(module.get());
}

int Compiler::lowerOurs(llvm::function_ref<void(OpPassManager &)> build) {
  PassManager pm(&context);
  SmallString<128> reproducer;
  llvm::sys::path::system_temp_directory(/*ErasedOnReboot=*/true, reproducer);
  llvm::sys::path::append(
      reproducer, "infini-reproducer-" +
                      Twine(llvm::sys::Process::getProcessId()) + ".mlir");
  pm.enableCrashReproducerGeneration(reproducer);
  build(pm);
  if (succeeded(pm.run(module.get())))
    return kGood;
  fail("this is a bug in the compiler; please report it with the file '" +
       Twine(reproducer) + "'");
  return kBug;
}

int Compiler::writeOutput(StringRef bytes) {
  if (options.output == "-") {
    llvm::outs() << bytes;
    return kGood;
  }
  // Written beside its place, then renamed.
  llvm::Error error = llvm::writeToOutput(
      options.output, [&](llvm::raw_ostream &os) -> llvm::Error {
        os << bytes;
        return llvm::Error::success();
      });
  if (error)
    return fail("cannot write '" + Twine(options.output) +
                "': " + llvm::toString(std::move(error)));
  return kGood;
}

int Compiler::writeIR() {
  std::string text;
  llvm::raw_string_ostream os(text);
  module->print(os);
  os << "\n";
  return writeOutput(text);
}

int Compiler::emit() {
  if (options.stage == Stage::LLVM || options.stage == Stage::Assembly) {
    auto text =
        emitHostObject(module.get(), target,
                       options.stage == Stage::LLVM ? HostOutput::LLVMIR
                                                    : HostOutput::Assembly);
    if (failed(text))
      return kBug;
    return writeOutput(StringRef(text->data(), text->size()));
  }
  auto image = emitHostObject(module.get(), target, HostOutput::SharedObject);
  if (failed(image))
    return kBug;
  size_t imageSize = image->size();
  SmallVector<TargetImage> images;
  images.push_back(
      {"cpu", target.triple, target.cpu, target.features, std::move(*image)});
  auto package = writePackage(module.get(), images);
  if (failed(package))
    return kUserError;
  if (options.report) {
    llvm::errs() << "target cpu: " << target.cpu << ", " << imageSize
                 << " bytes of code\n";
    for (ModuleOp kernel : program::kernelsOf(module.get())) {
      unsigned uses = 0;
      module->walk([&](program::DispatchOp op) {
        uses += op.getKernel() == *kernel.getSymName();
      });
      llvm::errs() << "kernel " << *kernel.getSymName() << ": " << uses
                   << " dispatches\n";
    }
    llvm::errs() << "package: " << package->size() << " bytes\n";
  }
  return writeOutput(*package);
}

/// An error for each scan that could not be cut, and each kernel with an op of
/// ours that became no tile program.
int Compiler::checkFused() {
  bool good = true;
  auto reason = [](Operation *op) {
    auto attribute = op->getAttrOfType<StringAttr>(program::kFallback);
    return attribute ? attribute.getValue() : StringRef();
  };
  for (auto function : module->getOps<func::FuncOp>())
    if (StringRef why = reason(function); !why.empty()) {
      function.emitError("expected its segments' states to be cut out "
                         "(--require=fused), but ")
          << why;
      good = false;
    }
  for (ModuleOp kernel : program::kernelsOf(module.get())) {
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
void Compiler::noteFusedOps() {
  for (ModuleOp kernel : program::kernelsOf(module.get())) {
    llvm::SetVector<StringRef> names;
    kernel.walk([&](ShapeSignatureOpInterface op) {
      names.insert(op->getName().getStringRef());
    });
    if (!names.empty())
      fusedOps[*kernel.getSymName()] = llvm::join(names, ", ");
  }
}

int Compiler::run() {
  DialectRegistry registry;
  registerDialects(registry);
  if (options.extend)
    options.extend(registry);
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
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
  if (int status = readTarget())
    return status;
  if (int status = readInput())
    return status;
  if (options.stage == Stage::Infini) {
    if (int status = lowerOurs(
            [](OpPassManager &pm) { pm.addPass(createCanonicalizerPass()); }))
      return status;
    return writeIR();
  }
  // What the input may get wrong shows up to here; behind it, a failure is
  // ours.
  InfiniStageOptions stage;
  stage.schedule = options.schedule;
  if (failed(lower([&](OpPassManager &pm) {
        buildInfiniStage(pm, stage);
        buildDispatchStage(pm);
      })))
    return kUserError;
  if (options.stage == Stage::Dispatch)
    return writeIR();
  if (int status = lowerOurs(buildProgramStage))
    return status;
  if (options.stage == Stage::Program)
    return writeIR();
  noteFusedOps();
  OptionalPasses optional(options.optionalPasses);
  if (int status =
          lowerOurs([&](OpPassManager &pm) { buildTileStage(pm, optional); }))
    return status;
  if (options.requireFused)
    if (int status = checkFused())
      return status;
  if (options.stage == Stage::Tile)
    return writeIR();
  CpuPipelineOptions pipeline;
  if (!target.hasAVX512) {
    // Sixteen registers of eight: 4 × 16 leaves room for operands.
    pipeline.rows = 4;
    pipeline.columns = 16;
  }
  if (int status = lowerOurs([&](OpPassManager &pm) {
        if (options.interpretTiles)
          buildInterpreterStage(pm);
        else
          buildCpuVectorStage(pm, pipeline, optional);
      }))
    return status;
  if (options.stage == Stage::Vector)
    return writeIR();
  if (int status = lowerOurs(buildCpuLLVMStage))
    return status;
  return emit();
}

int infini::compile(const CompileOptions &options) {
  return Compiler(options).run();
}
