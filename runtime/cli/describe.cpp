// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/cli/describe.h"
#include "infini/runtime/cli/kernel_code.h"
#include "infini/runtime/package_file.h"

#include <algorithm>

using namespace infini;
using namespace infini::cli;

static std::string hexOf(const uint8_t (&checksum)[16]) {
  static const char digits[] = "0123456789abcdef";
  std::string result;
  for (uint8_t byte : checksum) {
    result += digits[byte >> 4];
    result += digits[byte & 15];
  }
  return result;
}

static Json describe(const Model &model) {
  Json result = {{"fingerprint", model.fingerprint},
                 {"vocab_size", model.vocabSize},
                 {"layers", model.layers},
                 {"segment_length", model.segmentLength},
                 {"max_tokens_per_call", model.maxTokensPerCall}};
  // As an object if it is one; nobody has checked that.
  Json config = Json::parse(model.config, nullptr, /*allow_exceptions=*/false);
  result["config"] = config.is_discarded() ? Json(model.config) : config;
  return result;
}

static Json describe(const Target &target, const std::vector<Kernel> &kernels) {
  static const char *const formats[] = {"elf", "ptx", "cubin"};
  Json result = {{"name", targetName(target)},
                 {"kind", target.kind},
                 {"variant", target.variant},
                 {"format", formats[static_cast<unsigned>(target.format)]},
                 {"image_bytes", target.imageBytes}};
  auto add = [&](const char *key, const auto &value) {
    if (!value.empty())
      result[key] = value;
  };
  add("chip", target.chip);
  add("triple", target.triple);
  add("cpu", target.cpu);
  add("features", target.features);
  auto code = readKernelCode(target);
  result["kernels"] = Json::array();
  for (size_t i = 0; i < kernels.size(); ++i) {
    Json kernel = {{"name", kernels[i].name}};
    if (auto found = code.find(kernels[i].name); found != code.end()) {
      kernel["code_bytes"] = found->second.bytes;
      if (found->second.registers)
        kernel["registers"] = *found->second.registers;
    }
    if (i < target.launches.size()) {
      kernel["threads"] = target.launches[i].threads;
      kernel["shared_bytes"] = target.launches[i].sharedBytes;
    }
    result["kernels"].push_back(std::move(kernel));
  }
  return result;
}

/// Counts a kernel's dispatches, those in loops once, and collects its grids.
static void addDispatches(const Json &commands, const std::string &kernel,
                          uint64_t &count, Json &grids) {
  for (const Json &command : commands) {
    if (auto body = command.find("body"); body != command.end()) {
      addDispatches(*body, kernel, count, grids);
    } else if (command["command"] == "dispatch" &&
               command["kernel"] == kernel) {
      ++count;
      const Json &grid = command["grid"];
      if (std::find(grids.begin(), grids.end(), grid) == grids.end())
        grids.push_back(grid);
    }
  }
}

static Json describe(const Variant &variant) {
  Json result = {{"kernels", Json::array()}, {"entries", Json::array()}};
  for (const Entry &entry : variant.entries)
    result["entries"].push_back(describeEntry(entry, variant.kernels));
  for (const Kernel &kernel : variant.kernels) {
    uint64_t dispatches = 0;
    Json grids = Json::array();
    for (const Json &entry : result["entries"])
      addDispatches(entry["commands"], kernel.name, dispatches, grids);
    result["kernels"].push_back({{"name", kernel.name},
                                 {"buffers", kernel.buffers},
                                 {"scalars", kernel.scalars},
                                 {"grid_rank", kernel.gridRank},
                                 {"dispatches", dispatches},
                                 {"grids", std::move(grids)}});
  }
  return result;
}

std::string cli::targetName(const Target &target) {
  const std::string &model = target.chip.empty() ? target.cpu : target.chip;
  return model.empty() ? target.kind : target.kind + ":" + model;
}

Json cli::describePackage(const std::string &path, const Package &package) {
  const Program &program = package.program();
  PackageHeader header = package.header();
  Json result = {{"file", path},
                 {"bytes", packageHeaderBytes + header.payloadBytes},
                 {"format_version", header.version},
                 {"checksums",
                  {{"algorithm", "XXH3-128"},
                   {"header", hexOf(header.headerChecksum)},
                   {"payload", hexOf(header.payloadChecksum)}}},
                 {"producer", program.producer},
                 {"source", program.source},
                 {"model", program.hasModel ? describe(program.model) : Json()},
                 {"targets", Json::array()},
                 {"variants", Json::array()}};
  for (const Target &target : program.targets)
    result["targets"].push_back(
        describe(target, program.variants[target.variant].kernels));
  for (const Variant &variant : program.variants)
    result["variants"].push_back(describe(variant));
  return result;
}
