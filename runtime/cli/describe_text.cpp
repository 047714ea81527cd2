// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// infini-inspect's text, from the description that --json prints.

#include "infini/runtime/cli/console.h"
#include "infini/runtime/cli/describe.h"

#include <algorithm>
#include <map>
#include <numeric>

using namespace infini;
using namespace infini::cli;

namespace {

/// A name or an expression as it is, or quoted where it could garble a
/// terminal.
std::string plain(const std::string &text) {
  bool isPlain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c >= 0x20 && c < 0x7f;
  });
  return isPlain ? text : quoted(text);
}

/// What a value of the description is on a line: 16, T, [1, T].
std::string word(const Json &value) {
  if (value.is_string())
    return plain(value.get_ref<const std::string &>());
  if (!value.is_array())
    return value.dump();
  std::string list;
  for (const Json &item : value)
    list += (list.empty() ? "" : ", ") + word(item);
  return "[" + list + "]";
}

/// Bytes, if they are known before a call.
std::string sizeWord(const Json &bytes) {
  return bytes.is_number() ? bytesText(bytes.get<uint64_t>())
                           : word(bytes) + " bytes";
}

/// Rows of words under one another. A titled column in which nothing stands is
/// left out.
class Table {
public:
  explicit Table(std::vector<std::string> titles = {}) {
    if (!titles.empty())
      rows.push_back(std::move(titles));
    hasTitles = !rows.empty();
  }
  void add(std::vector<std::string> row) { rows.push_back(std::move(row)); }

  std::string text(const std::string &indent) const {
    std::vector<size_t> widths;
    for (size_t r = hasTitles; r < rows.size(); ++r)
      for (size_t i = 0; i < rows[r].size(); ++i) {
        widths.resize(std::max(widths.size(), i + 1));
        widths[i] = std::max(widths[i], rows[r][i].size());
      }
    for (size_t i = 0; hasTitles && i < widths.size(); ++i)
      if (widths[i])
        widths[i] = std::max(widths[i], rows[0][i].size());
    std::string result;
    for (const auto &row : rows) {
      std::string line = indent;
      for (size_t i = 0; i < std::min(row.size(), widths.size()); ++i)
        if (widths[i])
          line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
      line.erase(line.find_last_not_of(' ') + 1);
      result += line + "\n";
    }
    return result;
  }

private:
  std::vector<std::vector<std::string>> rows;
  bool hasTitles;
};

/// "" where the description lacks the key.
std::string optional(const Json &from, const char *key) {
  auto found = from.find(key);
  return found == from.end() ? "" : word(*found);
}

std::string targetText(size_t number, const Json &target) {
  std::string result =
      text("target ", number, ": ", word(target["name"]), ", variant ",
           target["variant"].get<unsigned>(), ", ", word(target["format"]),
           " of ", sizeWord(target["image_bytes"]));
  if (target.contains("triple"))
    result += " for " + word(target["triple"]);
  result += "\n";
  if (target.contains("features"))
    result += "  needs " + word(target["features"]) + "\n";
  Table table({"kernel", "code", "registers", "threads", "shared memory"});
  for (const Json &kernel : target["kernels"]) {
    auto size = [&](const char *key) {
      return kernel.contains(key) ? sizeWord(kernel[key]) : "";
    };
    table.add({word(kernel["name"]), size("code_bytes"),
               optional(kernel, "registers"), optional(kernel, "threads"),
               size("shared_bytes")});
  }
  return result + table.text("  ") + "\n";
}

std::string kernelsText(const Json &kernels) {
  Table table({"kernel", "dispatches", "buffers", "scalars", "grid"});
  for (const Json &kernel : kernels) {
    std::string grids;
    for (const Json &grid : kernel["grids"])
      grids += (grids.empty() ? "" : " or ") + word(grid);
    table.add({word(kernel["name"]), word(kernel["dispatches"]),
               word(kernel["buffers"]), word(kernel["scalars"]), grids});
  }
  return table.text("  ");
}

class EntryText {
public:
  explicit EntryText(const Json &entry) : entry(entry) {}

  std::string run() {
    std::string result = text("\n  entry ", word(entry["name"]), "\n");
    auto add = [&](const char *title, const std::string &part) {
      if (!part.empty())
        result += text("    ", title, "\n", part);
    };
    if (!entry["variables"].empty())
      result += text("    variables: ", word(entry["variables"]), "\n");
    add("inputs", ports(entry["inputs"]));
    add("outputs", ports(entry["outputs"]));
    if (!entry["state"]["components"].empty())
      result += state();
    add("checks", checks());
    add("buffers", buffers());
    result += text("    arena: ", bytes(entry["arena_bytes"]), "\n");
    add("schedule", schedule(entry["commands"], "      "));
    add("sizes", sizes());
    return result;
  }

private:
  /// A size, or sizes. Long expressions stand in a list of their own, once.
  std::string size(const Json &value) {
    constexpr size_t longest = 24;
    if (value.is_array()) {
      std::string list;
      for (const Json &item : value)
        list += (list.empty() ? "" : ", ") + size(item);
      return "[" + list + "]";
    }
    std::string expression = word(value);
    if (expression.size() <= longest)
      return expression;
    auto [place, isNew] = numbers.emplace(expression, named.size());
    if (isNew)
      named.push_back(expression);
    return text("#", place->second);
  }
  /// What the numbers stand for, each in terms of the others.
  std::string sizes() const {
    std::vector<size_t> byLength(named.size());
    std::iota(byLength.begin(), byLength.end(), size_t(0));
    std::stable_sort(byLength.begin(), byLength.end(), [&](size_t a, size_t b) {
      return named[a].size() > named[b].size();
    });
    // The work is quadratic, and what a package holds is up to its writer.
    constexpr size_t most = 200;
    if (byLength.size() > most)
      byLength.clear();
    Table table;
    for (size_t i = 0; i < named.size(); ++i) {
      std::string expression = named[i];
      for (size_t part : byLength)
        if (named[part].size() < named[i].size())
          replaceAll(expression, named[part], text("#", part));
      table.add({text("#", i), "= " + expression});
    }
    return table.text("      ");
  }
  static void replaceAll(std::string &where, const std::string &part,
                         const std::string &by) {
    for (size_t at = 0; (at = where.find(part, at)) != where.npos;
         at += by.size())
      where.replace(at, part.size(), by);
  }

  std::string bytes(const Json &value) {
    return value.is_number() ? sizeWord(value) : size(value) + " bytes";
  }

  std::string ports(const Json &list) {
    Table table;
    for (const Json &port : list) {
      std::string type = word(port["element"]);
      if (port.contains("scalar"))
        table.add({word(port["name"]), word(port["kind"]), type + " scalar",
                   size(port["scalar"])});
      else
        table.add({word(port["name"]), word(port["kind"]),
                   type + " " + size(port["shape"]), bytes(port["bytes"]),
                   bufferName(port["buffer"])});
    }
    return table.text("      ");
  }

  std::string state() {
    Table table;
    for (const Json &component : entry["state"]["components"])
      table.add({word(component["name"]),
                 word(component["element"]) + " " + word(component["shape"]),
                 sizeWord(component["bytes"])});
    return text("    state: ", sizeWord(entry["state"]["bytes"]), "\n") +
           table.text("      ");
  }

  std::string checks() {
    std::string result;
    for (const Json &check : entry["checks"]) {
      std::string relation = check["relation"] == "equal"     ? " = "
                             : check["relation"] == "at_most" ? " <= "
                                                              : " multiple of ";
      result += text("      ", size(check["left"]), relation,
                     size(check["right"]), ": ", word(check["message"]), "\n");
    }
    return result;
  }

  std::string buffers() {
    Table table;
    for (size_t i = 0; i < entry["buffers"].size(); ++i) {
      const Json &buffer = entry["buffers"][i];
      table.add({bufferName(i), bytes(buffer["bytes"]),
                 buffer.contains("offset")
                     ? "arena at " + size(buffer["offset"])
                     : word(buffer["ports"])});
    }
    return table.text("      ");
  }

  static std::string bufferName(const Json &number) {
    return "b" + word(number);
  }

  std::string command(const Json &command) {
    const std::string &kind = command["command"].get_ref<const std::string &>();
    const Json &buffers = command["buffers"];
    if (kind == "dispatch") {
      std::string list;
      for (const Json &buffer : buffers)
        list += (list.empty() ? "" : ", ") + bufferName(buffer);
      for (const Json &scalar : command["scalars"])
        list += (list.empty() ? "" : ", ") + size(scalar);
      return text("dispatch ", word(command["kernel"]), " grid ",
                  size(command["grid"]), " (", list, ")");
    }
    if (kind == "gemm") {
      auto factor = [&](size_t index, const char *transposed) {
        return bufferName(buffers[index]) +
               (command[transposed].get<bool>() ? "^T" : "");
      };
      return text("gemm ", word(command["element"]), " m ", size(command["m"]),
                  " n ", size(command["n"]), " k ", size(command["k"]), ": ",
                  bufferName(buffers[2]),
                  command["accumulate"].get<bool>() ? " += " : " = ",
                  factor(0, "transpose_a"), " ", factor(1, "transpose_b"));
    }
    if (kind == "copy")
      return text("copy ", bytes(command["bytes"]), ": ",
                  bufferName(buffers[1]), " = ", bufferName(buffers[0]));
    return text("fill ", bytes(command["bytes"]), ": ", bufferName(buffers[0]),
                " = ", word(command["pattern"]), " in ",
                word(command["pattern_bytes"]), " bytes each");
  }

  std::string schedule(const Json &commands, const std::string &indent) {
    std::string result;
    for (const Json &one : commands) {
      if (one["command"] == "loop")
        result += text(indent, "loop ", word(one["variable"]), " < ",
                       size(one["trip_count"]), "\n") +
                  schedule(one["body"], indent + "  ");
      else
        result += indent + command(one) + "\n";
    }
    return result;
  }

  const Json &entry;
  std::vector<std::string> named;
  std::map<std::string, size_t> numbers;
};

std::string modelText(const Json &model) {
  return text("  model     ", word(model["layers"]),
              " layers, a vocabulary of ", word(model["vocab_size"]),
              ", segments of ", word(model["segment_length"]), ", at most ",
              word(model["max_tokens_per_call"]), " tokens a call\n",
              "            fingerprint ", word(model["fingerprint"]), "\n");
}

} // namespace

std::string cli::textOfDescription(const Json &description) {
  const Json &checksums = description["checksums"];
  std::string result =
      text(word(description["file"]), ": ", sizeWord(description["bytes"]),
           ", format ", word(description["format_version"]), "\n",
           "  made by   ", word(description["producer"]), "\n");
  if (description["source"] != "")
    result += text("  made from ", word(description["source"]), "\n");
  result += text("  checksums ", word(checksums["payload"]), " (payload), ",
                 word(checksums["header"]), " (header), ",
                 word(checksums["algorithm"]), "\n");
  if (!description["model"].is_null())
    result += modelText(description["model"]);
  result += "\n";
  const Json &targets = description["targets"];
  for (size_t i = 0; i < targets.size(); ++i)
    result += targetText(i, targets[i]);
  const Json &variants = description["variants"];
  for (size_t i = 0; i < variants.size(); ++i) {
    result += text(i ? "\n" : "", "variant ", i, "\n",
                   kernelsText(variants[i]["kernels"]));
    for (const Json &entry : variants[i]["entries"])
      result += EntryText(entry).run();
  }
  return result;
}
