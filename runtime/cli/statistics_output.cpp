// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Statistics of memories for people, as JSON, and as a picture.

#include "infini/runtime/cli/memory_statistics.h"
#include "infini/runtime/cli/program.h"
#include "infini/runtime/cli/tool.h"

#include <cerrno>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <unistd.h>

using namespace infini;
using namespace infini::cli;

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

/// "0.47", "0.10...0.93" over channels; of all query heads of a memory.
static std::string gatesText(const MemoryLayer &layer, size_t head) {
  size_t group = layer.gates.size() / layer.heads;
  std::string result;
  for (size_t i = head * group; i < (head + 1) * group; ++i) {
    const HeadGate &gate = layer.gates[i];
    char text[64];
    if (gate.least == gate.most)
      snprintf(text, sizeof text, "%.3f", gate.mean);
    else
      snprintf(text, sizeof text, "%.3f...%.3f", gate.least, gate.most);
    result += (result.empty() ? "" : " ") + std::string(text);
  }
  return result;
}

void cli::printMemoryStatistics(const MemoryStatistics &statistics) {
  if (statistics.layers().empty() || statistics.samples().empty())
    return;
  const MemorySample &last = statistics.samples().back();
  fprintf(stderr,
          "segments:        %" PRIu64 " of %" PRIu64
          " tokens in the memories, and %" PRIu64 " tokens\n\n",
          last.tokens / statistics.segmentLength(), statistics.segmentLength(),
          statistics.tokens() - last.tokens);
  fprintf(stderr, "%5s  %4s  %12s  %12s  %10s  %18s  %s\n", "layer", "head",
          "|z|", "sum z/token", "|z| grows", "effective rank M", "gates");
  for (size_t l = 0; l < statistics.layers().size(); ++l) {
    const MemoryLayer &layer = statistics.layers()[l];
    for (size_t head = 0; head < layer.heads; ++head) {
      size_t index = statistics.indexOf(l, head);
      const MemoryValues &values = last.values[index];
      double growth = statistics.growth(index);
      char grows[32] = "-", rank[48];
      if (std::isfinite(growth))
        snprintf(grows, sizeof grows, "T^%.2f", growth);
      snprintf(rank, sizeof rank, "%.2f of %lld", values.rank,
               static_cast<long long>(std::min(layer.rows, layer.columns)));
      fprintf(stderr, "%5u  %4zu  %12.6g  %12.6g  %10s  %18s  %s\n",
              layer.number, head, values.norm,
              last.tokens ? values.sum / double(last.tokens) : 0, grows, rank,
              gatesText(layer, head).c_str());
    }
  }
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

using Json = nlohmann::ordered_json;

/// JSON has no NaN; it is null there.
static Json layerJson(const MemoryStatistics &statistics, size_t l) {
  const MemoryLayer &layer = statistics.layers()[l];
  Json gates = Json::array(), memories = Json::array();
  for (size_t head = 0; head < layer.gates.size(); ++head) {
    const HeadGate &gate = layer.gates[head];
    gates.push_back(
        {{"head", head},
         {"key_value_head", head * layer.heads / layer.gates.size()},
         {"gate", gate.mean},
         {"gate_min", gate.least},
         {"gate_max", gate.most}});
  }
  for (size_t head = 0; head < layer.heads; ++head) {
    size_t index = statistics.indexOf(l, head);
    Json norms = Json::array(), sums = Json::array(), ranks = Json::array();
    for (const MemorySample &sample : statistics.samples()) {
      norms.push_back(sample.values[index].norm);
      sums.push_back(sample.values[index].sum);
      ranks.push_back(sample.values[index].rank);
    }
    memories.push_back({{"key_value_head", head},
                        {"z_norm", norms.back()},
                        {"z_sum", sums.back()},
                        {"z_growth", statistics.growth(index)},
                        {"effective_rank", ranks.back()},
                        {"series",
                         {{"z_norm", std::move(norms)},
                          {"z_sum", std::move(sums)},
                          {"effective_rank", std::move(ranks)}}}});
  }
  return {{"layer", layer.number},
          {"full_rank", std::min(layer.rows, layer.columns)},
          {"heads", std::move(gates)},
          {"memories", std::move(memories)}};
}

std::string cli::statisticsJson(const RunStatistics &run,
                                const MemoryStatistics &memory) {
  Json tokens = Json::array(), layers = Json::array();
  for (const MemorySample &sample : memory.samples())
    tokens.push_back(sample.tokens);
  for (size_t l = 0; l < memory.layers().size(); ++l)
    layers.push_back(layerJson(memory, l));
  uint64_t segment = memory.segmentLength(),
           segments = memory.tokens() / segment;
  Json all = {{"tokens", memory.tokens()},
              {"segment_length", segment},
              {"segments", segments},
              {"pending_tokens", memory.tokens() - segments * segment},
              {"run",
               {{"tokens", run.tokens},
                {"calls", run.counts.calls},
                {"seconds", run.seconds},
                {"set_up_seconds", run.setUp},
                {"first_output_seconds", run.firstOutput},
                {"state_bytes", run.counts.state_bytes},
                {"arena_bytes", run.counts.arena_bytes},
                {"constant_bytes", run.counts.constant_bytes},
                {"weight_bytes", run.counts.weight_bytes},
                {"peak_bytes", run.peakBytes}}},
              {"series_tokens", std::move(tokens)},
              {"layers", std::move(layers)}};
  return all.dump(1) + "\n";
}

//===----------------------------------------------------------------------===//
// Picture
//===----------------------------------------------------------------------===//

namespace {
/// A file without a name, to hand a process something.
class MemoryFile {
public:
  explicit MemoryFile(const char *name) : fd(memfd_create(name, MFD_CLOEXEC)) {}
  ~MemoryFile() {
    if (fd >= 0)
      close(fd);
  }
  Status write(const std::string &text) {
    for (size_t done = 0; done < text.size();) {
      ssize_t count = ::write(fd, text.data() + done, text.size() - done);
      if (count < 0 && errno == EINTR)
        continue;
      if (count < 0)
        return userError("cannot keep the statistics: ", strerror(errno));
      done += size_t(count);
    }
    lseek(fd, 0, SEEK_SET);
    return Status();
  }
  std::string read() const {
    std::string text(1 << 12, '\0');
    ssize_t count = pread(fd, text.data(), text.size(), 0);
    text.resize(count > 0 ? size_t(count) : 0);
    return text;
  }
  const int fd;
};
} // namespace

static Status runPlot(std::vector<std::string> words, int input) {
  std::string program;
  INFINI_TRY(findTool("infini-stats-plot",
                      "it comes with infini-run; --stats-json writes the "
                      "numbers without it",
                      program));
  words.insert(words.begin(), program);
  MemoryFile said("said");
  int exit = good;
  INFINI_TRY(runTool(words, exit, input, said.fd));
  if (exit == good)
    return Status();
  std::string why = said.read();
  static const std::string prefix = "infini-stats-plot: error: ";
  if (why.compare(0, prefix.size(), prefix) == 0)
    why.erase(0, prefix.size());
  while (!why.empty() && why.back() == '\n')
    why.pop_back();
  return exit == userMistake ? userError("--stats-plot: ", why)
                             : bug("infini-stats-plot failed: ", why);
}

Status cli::checkPlot(const std::string &path) {
  return runPlot({"--check", path}, -1);
}

Status cli::drawPlot(const std::string &path, const std::string &json) {
  MemoryFile numbers("numbers");
  INFINI_TRY(numbers.write(json));
  return runPlot({"-", path}, numbers.fd);
}
