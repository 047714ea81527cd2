// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/cli/options.h"
#include "infini/runtime/cli/handles.h"

#include <CLI/CLI.hpp>
#include <sys/stat.h>

using namespace infini;
using namespace infini::cli;

static const char description[] =
    "Runs a compiled function, or a model on a text of any length in constant "
    "memory.\n"
    "An .mlir file or a model folder is compiled first, once: the package is "
    "kept in\n"
    "$INFINI_CACHE_DIR, else $XDG_CACHE_HOME/infini, else ~/.cache/infini.";

static const char footer[] =
    "A TENSOR is @file.npy, or shape, type and values in row-major order: "
    "2x3xf32=1,2,3,4,5,6;\n"
    "one value fills the whole tensor: 2x3xf32=0; without dimensions it is a "
    "single number: f32=1.5;\n"
    "index=3 is a scalar of the program. bf16 values come as 16-bit unsigned "
    "integers in .npy files.\n"
    "\n"
    "Exit status: 0 good, 1 the user's error, 2 a result differs from "
    "--expect, "
    "70 a bug.\n"
    "\n"
    "  infini-run add.mlir --input 2xf32=1,2 --input 2xf32=3,4\n"
    "  infini-run model/ --prompt-file book.txt --logits-out @logits.npy "
    "--stats\n"
    "  infini-run model/ --prompt-file part2.txt --state-in s --state-out s";

static void declare(CLI::App &app, Options &options) {
  app.footer(footer);
  app.add_option("program", options.program,
                 "F.mlir, P.infini, or a model folder")
      ->required();
  app.add_option("--device", options.device,
                 std::string("one of: ") + infini_device_names())
      ->capture_default_str();
  app.add_option("--threads", options.threads,
                 "how many threads compute; 0: one for each core")
      ->capture_default_str();
  app.add_flag("--stats", options.stats,
               "print times and sizes to standard error, of a text also what "
               "its memories hold");
  app.add_option("--trace", options.trace,
                 "write when each kernel, product and copy ran, in Chrome's "
                 "trace format (for ui.perfetto.dev)")
      ->type_name("FILE");

  auto many = [](CLI::Option *option) {
    // One value for each mention: the next word may be the program.
    return option->allow_extra_args(false)->group("A function");
  };
  many(app.add_option("--entry", options.entry,
                      "the function; default: main, or the only one"));
  many(app.add_option("--input", options.inputs,
                      "an argument, in order; repeat for more"))
      ->type_name("TENSOR");
  many(app.add_option("--output", options.outputs,
                      "a file for a result, in order; without it results are "
                      "printed"))
      ->type_name("@FILE");
  many(app.add_option("--expect", options.expects,
                      "what a result should be, in order"))
      ->type_name("TENSOR");
  many(app.add_option("--rtol", options.rtol,
                      "relative tolerance of an --expect, in order, or of all; "
                      "default by type: f64 1e-9, f32 1e-5, f16 2e-3, bf16 "
                      "1.6e-2, integers 0"));
  many(app.add_option("--atol", options.atol,
                      "absolute tolerance; default: f64 1e-12, f32 1e-6, f16 "
                      "1e-4, bf16 1e-3, integers 0"));
  many(app.add_option("--repeat", options.repeat,
                      "call the function so many times more; --stats prints "
                      "how long each of them took, without copies to and from "
                      "a GPU"))
      ->check(CLI::Range(uint64_t(1), uint64_t(1000000)));

  auto text = [](CLI::Option *option) { return option->group("A text"); };
  text(app.add_option("--weights", options.weights,
                      "the model folder; default: the program, if it is one"));
  text(app.add_option("--prompt-file", options.promptFile,
                      "a file whose bytes are the tokens (vocab_size 256)"));
  text(app.add_option("--tokens", options.tokens, "token ids, integers [T]"))
      ->type_name("@FILE");
  text(app.add_option("--logits-out", options.logitsOut,
                      "a file for the logits, f32 [T, V]"))
      ->type_name("@FILE");
  text(app.add_option("--logits-last", options.logitsLast,
                      "write the last rows of the logits only, this many"))
      ->check(CLI::PositiveNumber);
  text(app.add_option("--state-in", options.stateIn,
                      "a state file: go on with the text where --state-out "
                      "left it"))
      ->type_name("FILE");
  text(app.add_option("--state-out", options.stateOut,
                      "save the state after the text in this file, replaced "
                      "whole or not at all; may be that of --state-in"))
      ->type_name("FILE");
  text(app.add_option("--dump-state", options.dumpState,
                      "write the state after the text to NAME.npy files in "
                      "this folder, made if need be"))
      ->type_name("FOLDER");
  text(app.add_option("--tokens-per-call", options.tokensPerCall,
                      "cut the text into calls of so many tokens; default: the "
                      "package's maximum"))
      ->check(CLI::PositiveNumber);

  text(app.add_option("--stats-json", options.statsJson,
                      "write the statistics, over the text's length, as JSON"))
      ->type_name("FILE");
  text(app.add_option("--stats-plot", options.statsPlot,
                      "draw them: a .png, .pdf or .svg file"))
      ->type_name("FILE");

  auto compile = [](CLI::Option *option) { return option->group("Compiling"); };
  compile(app.add_option("--dtype", options.dtype,
                         "compute type of a model: f32, bf16, f16"));
  compile(app.add_flag("--retrofit", options.retrofit,
                       "give a model without memory one, its gates closed"));
  compile(app.add_option("--segment-length", options.segmentLength,
                         "of the memory that --retrofit gives"));
}

Status cli::fileArgument(const std::string &option, const std::string &text,
                         std::string &path) {
  if (text.size() < 2 || text[0] != '@')
    return userError(option, ": expected '@' and a file name, got ",
                     quoted(text));
  path = text.substr(1);
  return Status();
}

/// What one option demands of others.
static Status checkTogether(const Options &options) {
  bool isFunction = !options.inputs.empty() || !options.outputs.empty() ||
                    !options.expects.empty() || options.repeat;
  if (!options.promptFile.empty() && !options.tokens.empty())
    return userError("expected one of --prompt-file and --tokens, got both");
  if (options.isText() && isFunction)
    return userError("--input, --output, --expect and --repeat are for "
                     "functions, --prompt-file and --tokens for models; "
                     "expected one kind, got both");
  if (!options.isText() &&
      (!options.logitsOut.empty() || !options.dumpState.empty() ||
       !options.stateIn.empty() || !options.stateOut.empty() ||
       options.tokensPerCall))
    return userError("--logits-out, --state-in, --state-out, --dump-state and "
                     "--tokens-per-call need a text: --prompt-file or "
                     "--tokens");
  if (!options.isText() &&
      (!options.statsJson.empty() || !options.statsPlot.empty()))
    return userError("--stats-json and --stats-plot are of a text's memories: "
                     "they need --prompt-file or --tokens");
  if (options.logitsLast && options.logitsOut.empty())
    return userError("--logits-last needs --logits-out");
  if (options.expects.empty() &&
      (!options.rtol.empty() || !options.atol.empty()))
    return userError("--rtol and --atol need --expect");
  for (const auto *tolerances : {&options.rtol, &options.atol}) {
    if (tolerances->size() > 1 && tolerances->size() != options.expects.size())
      return userError("expected one tolerance, or one for each of ",
                       options.expects.size(), " --expect, got ",
                       tolerances->size());
    for (double tolerance : *tolerances)
      if (!(tolerance >= 0))
        return userError("expected a tolerance of at least 0, got ", tolerance);
  }
  if (options.segmentLength && !options.retrofit)
    return userError("--segment-length needs --retrofit");
  return Status();
}

static Status runWith(const Options &options, int &exit) {
  INFINI_TRY(checkTogether(options));
  // Before a long compilation, not after it; and kept, so that opening it again
  // is cheap.
  DeviceHandle device;
  INFINI_TRY(make(device, infini_device_open, options.device.c_str(), 1u));
  std::string package;
  INFINI_TRY(findPackage(options, device.get(), package, exit));
  if (exit != good)
    return Status();
  if (!options.isText())
    return runFunction(options, package, exit);
  std::string weights = options.weights;
  struct stat info;
  if (weights.empty() && stat(options.program.c_str(), &info) == 0 &&
      S_ISDIR(info.st_mode))
    weights = options.program;
  return runText(options, package, weights);
}

int cli::run(int argc, char **argv) {
  Options options;
  return runProgram(
      "infini-run", description, argc, argv,
      [&](CLI::App &app) { declare(app, options); },
      [&](int &exit) { return runWith(options, exit); });
}
