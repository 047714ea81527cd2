// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// infini-memory's answers.

#include "infini/frontend/Failure.h"
#include "infini/tools/memory/FootprintTool.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/WithColor.h"

#include <cmath>

using namespace infini;
using llvm::formatv;
using llvm::raw_ostream;

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

namespace {
/// `number` · 1000^`power`, with as many decimals as are written.
struct Rounded {
  double number;
  unsigned power = 0;
  int decimals = 0;

  explicit Rounded(double value) : number(value) {
    if (value < 0.95) {
      // Two digits that count.
      decimals = value > 0 ? 1 - int(std::floor(std::log10(value))) : 0;
    } else {
      constexpr unsigned largest = 4;
      for (; number >= 999.5 && power < largest; ++power)
        number /= 1000;
      decimals = number < 9.95;
    }
    double scale = std::pow(10, decimals);
    number = std::round(number * scale) / scale;
    if (number == std::floor(number))
      decimals = 0;
  }
};
} // namespace

std::string infini::roundedText(double value) {
  static const char *const units[] = {"", "k", "M", "G", "T"};
  Rounded rounded(value);
  std::string result;
  llvm::raw_string_ostream(result)
      << llvm::format("%.*f", rounded.decimals, rounded.number)
      << units[rounded.power];
  return result;
}

double infini::roundedValue(double value) {
  Rounded rounded(value);
  return rounded.number * std::pow(1000, rounded.power);
}

/// 50,331,648.
static std::string grouped(int64_t value) {
  return formatv("{0:N0}", value).str();
}

/// 15,504 or 115.73 or 0.0075.
static std::string ratioText(double value) {
  if (value >= 1000)
    return grouped(std::llround(value));
  std::string result;
  llvm::raw_string_ostream(result)
      << llvm::format(value < 1 ? "%.2g" : "%.2f", value);
  return result;
}

/// "192.0 MiB".
static std::string bytesText(int64_t bytes) {
  static const char *const units[] = {"bytes", "KiB", "MiB", "GiB",
                                      "TiB",   "PiB", "EiB"};
  double value = static_cast<double>(bytes);
  unsigned unit = 0;
  for (; value >= 1024; ++unit)
    value /= 1024;
  std::string result;
  llvm::raw_string_ostream(result)
      << llvm::format(unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
  return result;
}

/// How many times less `kind` keeps than the Memorizing Transformer, as the
/// paper's table 2 has it: from numbers that were rounded for printing.
static double paperRatio(const Footprint &footprint, const MemoryKind &kind) {
  return roundedValue(footprint.find("memorizing_transformer").entries) /
         roundedValue(kind.entries);
}

static double ratio(int64_t a, int64_t b) {
  return static_cast<double>(a) / static_cast<double>(b);
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

static const char legend[] =
    "comp.: how many times fewer entries than the Memorizing Transformer; "
    "from rounded numbers, as in the paper, and exact.\n"
    "times Infini: how many times more entries than Infini-attention's M and "
    "z.\n"
    "reach: how many tokens back what is kept can come from.\n";

void infini::writeTable(const FootprintRequest &request,
                        const ModelConfig &config, const Footprint &footprint,
                        raw_ostream &os) {
  const FootprintOptions &options = footprint.options;
  os << formatv("{0}: l = {1} layers, G = {2} key/value heads of d_k = d_v = "
                "{3}, d_model = {4}, segments of N = {5:N0}\n",
                request.model, config.layers, config.keyValueHeads,
                config.headDim, config.hiddenSize, config.segmentLength);
  os << formatv("context: T = {0:N0} tokens in {1:N0} segments; {2}\n\n",
                options.context, footprint.segments,
                nameOf(config.computeType));

  constexpr const char *row =
      "{0,-24}{1,22}{2,7}{3,12}{4,8}{5,9}{6,14}{7,16}  {8}\n";
  os << formatv(row, "memory", "entries", "", "bytes", "comp.", "exact",
                "times Infini", "reach", "formula");
  int64_t least = footprint.find("infini_attention").entries,
          memorizing = footprint.find("memorizing_transformer").entries;
  for (const MemoryKind &kind : footprint.kinds)
    os << formatv(row, kind.name, grouped(kind.entries),
                  roundedText(kind.entries), bytesText(kind.bytes()),
                  roundedText(paperRatio(footprint, kind)) + "x",
                  ratioText(ratio(memorizing, kind.entries)),
                  ratioText(ratio(kind.entries, least)),
                  kind.reach >= options.context ? std::string("all")
                                                : grouped(kind.reach),
                  kind.formula);
  os << "\n" << legend;
  os << formatv("C = {0:N0} cached, E = {1:N0} memorized, c = {2:N0} "
                "compressed of {3:N0} tokens each, p = {4:N0} summary "
                "vectors, m = {5:N0} steps before\n\n",
                *options.cacheLength, options.memorizingEntries,
                *options.compressedLength, options.compressionRate,
                options.summaryVectors, *options.accumulationSteps);

  os << "What infini-run keeps between calls for this model, whatever the "
        "context:\n";
  for (const StateSize &state : footprint.state)
    os << formatv("{0,-6}{1,-33}{2,-5}{3,18}{4,12}\n", state.name, state.what,
                  nameOf(state.element), grouped(state.bytes),
                  bytesText(state.bytes));
  int64_t cache = footprint.find("kv_cache").bytes();
  os << formatv("{0,-44}{1,18}{2,12}, the KV cache has {3} times as much\n",
                "sum", grouped(footprint.stateBytes()),
                bytesText(footprint.stateBytes()),
                ratioText(ratio(cache, footprint.stateBytes())));
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

llvm::json::Value infini::toJSON(const FootprintRequest &request,
                                 const ModelConfig &config,
                                 const Footprint &footprint) {
  using namespace llvm;
  const FootprintOptions &options = footprint.options;
  int64_t least = footprint.find("infini_attention").entries,
          memorizing = footprint.find("memorizing_transformer").entries;
  json::Array kinds;
  for (const MemoryKind &kind : footprint.kinds)
    kinds.push_back(json::Object{
        {"key", kind.key},
        {"name", kind.name},
        {"formula", kind.formula},
        {"entries", kind.entries},
        {"entries_rounded", roundedText(kind.entries)},
        {"entry_bytes", kind.entryBytes},
        {"bytes", kind.bytes()},
        {"compression", ratio(memorizing, kind.entries)},
        {"compression_rounded", roundedText(paperRatio(footprint, kind)) + "x"},
        {"times_infini", ratio(kind.entries, least)},
        {"reach", kind.reach}});
  json::Object state;
  for (const StateSize &size : footprint.state)
    state[size.name] =
        json::Object{{"dtype", nameOf(size.element)}, {"bytes", size.bytes}};
  return json::Object{
      {"model", json::fixUTF8(request.model)},
      {"layers", config.layers},
      {"heads", config.heads},
      {"key_value_heads", config.keyValueHeads},
      {"head_dim", config.headDim},
      {"hidden_size", config.hiddenSize},
      {"segment_length", config.segmentLength},
      {"dtype", nameOf(config.computeType)},
      {"context", options.context},
      {"segments", footprint.segments},
      {"options",
       json::Object{{"cache_length", *options.cacheLength},
                    {"memorizing_entries", options.memorizingEntries},
                    {"compressed_length", *options.compressedLength},
                    {"compression_rate", options.compressionRate},
                    {"summary_vectors", options.summaryVectors},
                    {"accumulation_steps", *options.accumulationSteps}}},
      {"memories", std::move(kinds)},
      {"state", std::move(state)},
      {"state_bytes", footprint.stateBytes()}};
}

int infini::printFootprint(const FootprintRequest &request) {
  auto fail = [](llvm::Error error) {
    llvm::WithColor::error(llvm::errs(), "infini-memory")
        << llvm::toString(std::move(error)) << "\n";
    return 1;
  };
  llvm::Expected<ModelConfig> config =
      readConfig(request.model, request.import);
  if (!config)
    return fail(config.takeError());
  llvm::Expected<Footprint> footprint =
      computeFootprint(*config, request.options);
  if (!footprint)
    return fail(footprint.takeError());
  if (request.asJSON)
    llvm::outs() << formatv("{0:2}\n", toJSON(request, *config, *footprint));
  else
    writeTable(request, *config, *footprint, llvm::outs());
  llvm::outs().flush();
  if (std::error_code error = llvm::outs().error()) {
    llvm::outs().clear_error();
    return fail(failure("cannot write the result: ", error.message()));
  }
  return 0;
}
