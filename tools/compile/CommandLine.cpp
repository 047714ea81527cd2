// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// infini-compile's options.

#include "infini/tools/compile/CommandLine.h"
#include "infini/runtime/infini.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/raw_ostream.h"

using namespace infini;
namespace cl = llvm::cl;

bool infini::parseCommandLine(int argc, char **argv, CompileOptions &options) {
  // Not a global: this is part of a library, which others link for other ends.
  static cl::OptionCategory category("infini-compile options");
  // Static, as LLVM keeps pointers to them: lld resets all options later.
  static cl::opt<std::string> input(cl::Positional, cl::Required,
                                    cl::cat(category),
                                    cl::desc("<model folder or .mlir file>"));
  static cl::opt<std::string> output(
      "o", cl::cat(category), cl::value_desc("file"),
      cl::desc("Output file (default: standard output, for --emit of text)"));
  static cl::list<std::string> targets(
      "target", cl::cat(category), cl::value_desc("target"),
      cl::desc(
          "cpu (this machine, default), or cpu:<name>, such as cpu:x86-64-v3"));
  static cl::opt<Stage> stage(
      "emit", cl::cat(category), cl::init(Stage::Package),
      cl::desc("The stage to write"),
      cl::values(clEnumValN(Stage::Infini, "infini",
                            "what is computed, in the infini dialect"),
                 clEnumValN(Stage::Dispatch, "dispatch",
                            "kernels on tensors, and their calls"),
                 clEnumValN(Stage::Program, "program",
                            "the schedule with its buffers"),
                 clEnumValN(Stage::Tile, "tile", "kernels as tile programs"),
                 clEnumValN(Stage::Vector, "vector",
                            "kernels as loops and vectors on buffers (CPUs)"),
                 clEnumValN(Stage::Lanes, "lanes",
                            "kernels as the code of one lane (GPUs)"),
                 clEnumValN(Stage::LLVM, "llvm", "the kernels' LLVM IR"),
                 clEnumValN(Stage::Assembly, "asm", "the kernels' assembly"),
                 clEnumValN(Stage::Package, "package", "a package (default)")));
  static cl::opt<Stage> from(
      "from", cl::cat(category), cl::init(Stage::Infini),
      cl::desc("The stage that the input, an .mlir file, is at: what --emit "
               "wrote, perhaps changed by hand"),
      cl::values(clEnumValN(Stage::Infini, "infini", "the first (default)"),
                 clEnumValN(Stage::Tile, "tile", ""),
                 clEnumValN(Stage::Lanes, "lanes", "")));
  static cl::opt<std::string> schedule(
      "schedule", cl::cat(category), cl::init("auto"),
      cl::value_desc("auto|sequential|streaming|scan"),
      cl::desc("How segments run: the cheapest way (auto, default), one after "
               "the other (sequential), states one after the other and all "
               "else parallel (streaming), or states by an associative scan "
               "(scan)"));
  static cl::opt<ElementType> dtype(
      "dtype", cl::cat(category),
      cl::desc("The type of computing (default: the model's)"),
      cl::values(clEnumValN(ElementType::f32, "f32", ""),
                 clEnumValN(ElementType::bf16, "bf16", ""),
                 clEnumValN(ElementType::f16, "f16", ""),
                 clEnumValN(ElementType::f64, "f64", "")));
  static cl::opt<int64_t> maxTokens(
      "max-tokens-per-call", cl::cat(category), cl::value_desc("tokens"),
      cl::desc("Tokens that one call takes at most"));
  static cl::opt<bool> retrofit(
      "retrofit", cl::cat(category),
      cl::desc("Take a plain Llama folder: local attention, gates closed"));
  static cl::opt<int64_t> segmentLength(
      "segment-length", cl::cat(category), cl::value_desc("tokens"),
      cl::desc("Segment length of a retrofitted model"));
  static cl::opt<std::string> entry(
      "entry", cl::cat(category), cl::value_desc("function"),
      cl::desc("Compile this function of an .mlir file alone"));
  static cl::opt<std::string> require(
      "require", cl::cat(category), cl::value_desc("fused"),
      cl::desc("fused: an error where an op of ours is in no fused kernel, or "
               "segments cannot be cut"));
  static cl::opt<bool> interpret(
      "interpret-tiles", cl::cat(category),
      cl::desc("Compute tile programs in f64 and plain loops: slow, to check "
               "others against"));
  static cl::opt<int64_t> optionalPasses(
      "optional-passes", cl::cat(category), cl::value_desc("K"),
      cl::init(INT64_MAX),
      cl::desc("Run only the first K optimising passes inside kernels, to find "
               "one that is wrong"));
  static cl::opt<std::string> remarks(
      "remarks", cl::cat(category), cl::ValueOptional, cl::value_desc("regex"),
      cl::desc("Say on standard error what passes did, and what not, and why: "
               "all, or those of passes whose name matches"));
  static cl::opt<bool> report("report", cl::cat(category),
                              cl::desc("Say what was made"));
  static cl::opt<bool> timing(
      "timing", cl::cat(category),
      cl::desc("Say on standard error how long each phase and pass took"));
  static cl::opt<std::string> trace(
      "trace", cl::cat(category), cl::value_desc("file.json"),
      cl::desc("Write phases and passes as a trace in Chrome's format (for "
               "ui.perfetto.dev)"));
  cl::HideUnrelatedOptions(category);
  cl::SetVersionPrinter(
      [](llvm::raw_ostream &os) { os << "infini " INFINI_VERSION "\n"; });
  if (!cl::ParseCommandLineOptions(argc, argv, "infini compiler\n",
                                   &llvm::errs()))
    return false;
  auto fail = [](const llvm::Twine &message) {
    llvm::errs() << "infini-compile: error: " << message << "\n";
    return false;
  };
  options.input = input;
  options.output = output;
  options.targets.assign(targets.begin(), targets.end());
  options.entry = entry;
  options.stage = stage;
  options.from = from;
  if (require.getNumOccurrences() && require != "fused")
    return fail("--require: expected fused, got '" + require + "'");
  options.interpretTiles = interpret;
  if (optionalPasses < 0)
    return fail("--optional-passes: expected at least 0, got " +
                llvm::Twine(optionalPasses));
  options.optionalPasses = optionalPasses;
  options.requireFused = require.getNumOccurrences();
  if (remarks.getNumOccurrences()) {
    options.remarks = remarks.empty() ? ".*" : remarks.getValue();
    std::string error;
    if (!llvm::Regex(options.remarks).isValid(error))
      return fail("--remarks: expected a regular expression, got '" +
                  options.remarks + "': " + error);
  }
  bool known = false;
  for (Schedule choice : {Schedule::Auto, Schedule::Sequential,
                          Schedule::Streaming, Schedule::Scan})
    if (schedule == stringifySchedule(choice)) {
      options.schedule = choice;
      known = true;
    }
  if (!known)
    return fail(
        "--schedule: expected auto, sequential, streaming, or scan, got '" +
        schedule + "'");
  options.report = report;
  options.timing = timing;
  options.trace = trace;
  if (trace.getNumOccurrences() && trace.empty())
    return fail("--trace: expected the name of a file");
  options.import.retrofit = retrofit;
  if (dtype.getNumOccurrences())
    options.import.dtype = dtype;
  if (maxTokens.getNumOccurrences())
    options.import.maxTokensPerCall = maxTokens;
  if (segmentLength.getNumOccurrences())
    options.import.segmentLength = segmentLength;
  if (options.output.empty()) {
    if (stage == Stage::Package)
      return fail("expected an output file for the package; add -o OUT.infini");
    options.output = "-";
  }
  return true;
}
