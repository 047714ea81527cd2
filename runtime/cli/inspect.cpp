// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/cli/inspect.h"
#include "infini/runtime/cli/describe.h"
#include "infini/runtime/cli/kernel_code.h"
#include "infini/runtime/cli/program.h"
#include "infini/runtime/nearest_name.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>

using namespace infini;
using namespace infini::cli;

static const char description[] =
    "Says what a package holds: targets and their kernels, entries with their "
    "state,\n"
    "buffers, and schedule, checksums, and what it was made from.\n"
    "The package is verified first, as before it is run.";

namespace {
struct Options {
  std::string package, kernel, target;
  bool json = false, ptx = false;
};
} // namespace

static void declare(CLI::App &app, Options &options) {
  app.add_option("package", options.package, "P.infini")->required();
  auto *json = app.add_flag("--json", options.json, "for machines");
  auto *ptx =
      app.add_flag("--ptx", options.ptx,
                   "print the PTX of a kernel, a module that ptxas takes");
  auto *kernel =
      app.add_option("--kernel", options.kernel, "which one, for --ptx");
  auto *target = app.add_option("--target", options.target,
                                "whose PTX, where several targets have some: "
                                "nvidia:<chip>");
  ptx->needs(kernel)->excludes(json);
  kernel->needs(ptx);
  target->needs(ptx);
}

static Status print(const std::string &text) {
  if (fwrite(text.data(), 1, text.size(), stdout) != text.size() ||
      fflush(stdout) != 0)
    return userError("cannot write to standard output: ", strerror(errno));
  return Status();
}

/// The one target whose PTX is meant.
static Status findPtx(const Program &program, const Options &options,
                      const Target *&found) {
  std::string all, withPtx;
  size_t count = 0;
  for (const Target &target : program.targets) {
    std::string name = targetName(target);
    all += (all.empty() ? "" : ", ") + quoted(name);
    if (target.kind != "nvidia" || target.format != ImageFormat::ptx)
      continue;
    withPtx += (withPtx.empty() ? "" : ", ") + quoted(name);
    if (options.target.empty() || options.target == name) {
      found = &target;
      ++count;
    }
  }
  if (withPtx.empty())
    return userError("the package has no PTX; its targets are ", all);
  if (count == 0)
    return userError("there is no PTX for the target ", quoted(options.target),
                     "; expected one of: ", withPtx);
  if (count > 1)
    return userError("several targets have PTX; give one of them with "
                     "--target: ",
                     withPtx);
  return Status();
}

static Status printPtx(const Program &program, const Options &options) {
  const Target *target = nullptr;
  INFINI_TRY(findPtx(program, options, target));
  std::string_view module(reinterpret_cast<const char *>(target->image),
                          target->imageBytes);
  std::string ptx = ptxOfKernel(module, options.kernel);
  if (!ptx.empty())
    return print(ptx);
  std::vector<std::string> names;
  for (const Kernel &kernel : program.variants[target->variant].kernels)
    names.push_back(kernel.name);
  std::string nearest = nearestName(options.kernel, names);
  return userError("target ", quoted(targetName(*target)), " has no kernel ",
                   quoted(options.kernel),
                   nearest.empty() ? "" : "; the nearest is ",
                   nearest.empty() ? "" : quoted(nearest));
}

static Status inspectPackage(const Options &options) {
  std::shared_ptr<const Package> package;
  INFINI_TRY(Package::open(options.package, package));
  if (options.ptx)
    return printPtx(package->program(), options);
  Json found = describePackage(options.package, *package);
  if (!options.json)
    return print(textOfDescription(found));
  // Names are any bytes; JSON is UTF-8.
  return print(found.dump(2, ' ', false, Json::error_handler_t::replace) +
               "\n");
}

int cli::inspect(int argc, char **argv) {
  Options options;
  return runProgram(
      "infini-inspect", description, argc, argv,
      [&](CLI::App &app) { declare(app, options); },
      [&](int &) { return inspectPackage(options); });
}
