// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// infini-memory's options.

#include "llvm/Support/CommandLine.h"
#include "infini/runtime/infini.h"
#include "infini/tools/memory/FootprintTool.h"
#include "llvm/Support/WithColor.h"

#include <cmath>

using namespace infini;
namespace cl = llvm::cl;

static cl::OptionCategory category("infini-memory options");

static const char overview[] =
    "How much memory a text takes, by kind of memory: the tables 1 and 2 of "
    "arXiv 2404.07143 for a model, and the state that infini-run keeps for "
    "it.\n\n"
    "Of the model folder only config.json is read. A number may end in k, M, "
    "or G (powers of 1000), or in Ki, Mi, or Gi (of 1024).\n";

std::optional<int64_t> infini::parseCount(llvm::StringRef text) {
  constexpr double largest = 4.611686018427387904e18;
  double base = text.consume_back_insensitive("i") ? 1024 : 1000, unit = 1;
  bool hasUnit = true;
  switch (text.empty() ? '\0' : llvm::toLower(text.back())) {
  case 'g':
    unit *= base;
    [[fallthrough]];
  case 'm':
    unit *= base;
    [[fallthrough]];
  case 'k':
    unit *= base;
    text = text.drop_back();
    break;
  default:
    hasUnit = false;
  }
  // Without a unit every digit counts, and doubles have 53 bits.
  int64_t whole;
  if (!hasUnit) {
    if (base == 1024 || text.starts_with("+") || text.getAsInteger(10, whole) ||
        whole < 1 || double(whole) > largest)
      return std::nullopt;
    return whole;
  }
  double number;
  if (text.empty() || text.find_first_not_of("0123456789.") != text.npos ||
      text.getAsDouble(number))
    return std::nullopt;
  number *= unit;
  if (!(number >= 1 && number <= largest) || number != std::floor(number))
    return std::nullopt;
  return static_cast<int64_t>(number);
}

static bool fail(const llvm::Twine &message) {
  llvm::WithColor::error(llvm::errs(), "infini-memory") << message << "\n";
  return false;
}

/// Leaves `value` alone where the option was not given.
template <typename Number>
static bool take(const cl::opt<std::string> &option, int64_t most,
                 Number &value) {
  if (!option.getNumOccurrences())
    return true;
  std::optional<int64_t> count = parseCount(option);
  if (!count || *count > most)
    return fail("--" + option.ArgStr + ": expected a number from 1 to " +
                llvm::Twine(most) + ", such as 32768, 32k, 1M, or 1Mi, got '" +
                option + "'");
  value = *count;
  return true;
}

bool infini::parseFootprintCommandLine(int argc, char **argv,
                                       FootprintRequest &request) {
  auto number = [](llvm::StringRef name, const char *unit, const char *text) {
    return std::make_unique<cl::opt<std::string>>(
        name, cl::cat(category), cl::value_desc(unit), cl::desc(text));
  };
  // Static, as LLVM keeps pointers to them.
  static cl::opt<std::string> model(cl::Positional, cl::Required,
                                    cl::cat(category),
                                    cl::desc("<model folder>"));
  static auto context =
      number("context", "tokens", "Length of the text (default: 1M)");
  static auto segment =
      number("segment-length", "tokens",
             "Segment length (default: the model's; of a plain "
             "Llama folder its max_position_embeddings)");
  static auto cache =
      number("cache-length", "tokens",
             "Keys and values that a layer of Transformer-XL keeps, "
             "and of the Compressive and the Memorizing Transformer "
             "(default: those of a segment)");
  static auto memorizing =
      number("memorizing-entries", "tokens",
             "Keys and values that the Memorizing Transformer's "
             "one layer keeps at most (default: 65k)");
  static auto compressed =
      number("compressed-length", "vectors",
             "Compressed vectors that a layer of the Compressive "
             "Transformer keeps (default: the cache length)");
  static auto rate = number("compression-rate", "tokens",
                            "Tokens that each of them stands for (default: 2)");
  static auto summaries = number("summary-vectors", "vectors",
                                 "Summary vectors of RMT and AutoCompressors "
                                 "(default: 100)");
  static auto steps =
      number("accumulation-steps", "segments",
             "Earlier segments whose summary vectors AutoCompressors "
             "keep besides the last's (default: all)");
  static cl::opt<ElementType> dtype(
      "dtype", cl::cat(category),
      cl::desc("Type of keys, values, and vectors (default: the model's); M "
               "and z are f32 at least"),
      cl::values(clEnumValN(ElementType::f32, "f32", ""),
                 clEnumValN(ElementType::bf16, "bf16", ""),
                 clEnumValN(ElementType::f16, "f16", ""),
                 clEnumValN(ElementType::f64, "f64", "")));
  static cl::opt<bool> json("json", cl::cat(category),
                            cl::desc("Print JSON instead of a table"));
  cl::HideUnrelatedOptions(category);
  cl::SetVersionPrinter(
      [](llvm::raw_ostream &os) { os << "infini " INFINI_VERSION "\n"; });
  if (!cl::ParseCommandLineOptions(argc, argv, overview, &llvm::errs()))
    return false;

  request.model = model;
  request.asJSON = json;
  if (dtype.getNumOccurrences())
    request.import.dtype = dtype;
  // A folder without memories is taken too: what would it need with them?
  request.import.retrofit = true;
  constexpr int64_t longest = int64_t(1) << 62, size = INT32_MAX;
  FootprintOptions &options = request.options;
  return take(*context, longest, options.context) &&
         take(*segment, size, request.import.segmentLength) &&
         take(*cache, longest, options.cacheLength) &&
         take(*memorizing, longest, options.memorizingEntries) &&
         take(*compressed, longest, options.compressedLength) &&
         take(*rate, longest, options.compressionRate) &&
         take(*summaries, longest, options.summaryVectors) &&
         take(*steps, longest, options.accumulationSteps);
}
