// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// infini-run on a function: tensors in, tensors out, compared or printed.

#include "infini/runtime/cli/console.h"
#include "infini/runtime/cli/handles.h"
#include "infini/runtime/cli/options.h"
#include "infini/runtime/cli/tensors.h"
#include "infini/runtime/cli/trace_file.h"

#include <cstdio>
#include <cstring>

using namespace infini;
using namespace infini::cli;

namespace {

class FunctionRun {
public:
  FunctionRun(const Options &options, int &exit)
      : options(options), exit(exit) {}
  ~FunctionRun() {
    for (infini_tensor &tensor : results)
      infini_tensor_release(&tensor);
  }

  Status run(const std::string &path) {
    INFINI_TRY(make(package, infini_package_open, path.c_str()));
    INFINI_TRY(findEntry());
    INFINI_TRY(readInputs());
    INFINI_TRY(readExpected());
    // Names of files are checked before the work, too.
    for (const std::string &text : options.outputs) {
      std::string file;
      INFINI_TRY(fileArgument("--output", text, file));
    }
    INFINI_TRY(call());
    INFINI_TRY(writeOutputs());
    if (options.outputs.empty() && options.expects.empty())
      print();
    compareAll();
    return Status();
  }

private:
  Status findEntry();
  Status readInputs();
  Status readExpected();
  Status call();
  void printStatistics(const infini_session *session, double total,
                       const std::vector<double> &seconds) const;
  Status writeOutputs();
  void print();
  void compareAll();
  bool compareOne(size_t index);
  HostTensor toHost(size_t result) const;
  std::string argumentList() const;

  const Options &options;
  int &exit;
  PackageHandle package;
  size_t entry = 0;
  std::vector<infini_port_info> arguments, resultPorts;
  std::vector<HostTensor> inputs, expected;
  std::vector<infini_tensor> results;
};

Status FunctionRun::findEntry() {
  // The rule of infini_session_open, which names the choice when it fails.
  std::vector<size_t> callable;
  bool found = false;
  std::string wanted = options.entry.empty() ? "main" : options.entry;
  size_t count = infini_package_entry_count(package.get());
  for (size_t i = 0; i < count; ++i) {
    std::string name = infini_package_entry_name(package.get(), i);
    if (name == wanted) {
      entry = i;
      found = true;
    }
    if (name.size() < 5 || name.compare(name.size() - 5, 5, ".init") != 0)
      callable.push_back(i);
  }
  if (!found && options.entry.empty() && callable.size() == 1) {
    entry = callable[0];
    found = true;
  }
  std::string names;
  for (size_t i : callable)
    names += (names.empty() ? "" : ", ") +
             quoted(infini_package_entry_name(package.get(), i));
  if (!found)
    return userError("there is no entry ", quoted(wanted),
                     "; choose one with --entry: ", names);
  for (size_t i = 0; i < infini_package_input_count(package.get(), entry);
       ++i) {
    infini_port_info info;
    INFINI_TRY(
        Status::adopt(infini_package_input(package.get(), entry, i, &info)));
    if (info.kind == INFINI_ARGUMENT)
      arguments.push_back(info);
  }
  for (size_t i = 0; i < infini_package_output_count(package.get(), entry);
       ++i) {
    infini_port_info info;
    INFINI_TRY(
        Status::adopt(infini_package_output(package.get(), entry, i, &info)));
    if (info.kind == INFINI_ARGUMENT)
      resultPorts.push_back(info);
  }
  return Status();
}

std::string FunctionRun::argumentList() const {
  std::string list;
  for (const infini_port_info &port : arguments)
    list += text(list.empty() ? "" : ", ", port.name, ": ",
                 typeText(ElementType(port.element),
                          {port.shape, port.shape + port.rank}));
  return list.empty() ? "none" : list;
}

Status FunctionRun::readInputs() {
  infini_model_info model;
  if (arguments.size() != options.inputs.size() && options.inputs.empty() &&
      infini_package_model(package.get(), &model))
    return userError("this is a model; give it a text with --prompt-file or "
                     "--tokens");
  if (arguments.size() != options.inputs.size())
    return userError("entry ",
                     quoted(infini_package_entry_name(package.get(), entry)),
                     ": expected ", arguments.size(), " --input (",
                     argumentList(), "), got ", options.inputs.size());
  inputs.resize(arguments.size());
  for (size_t i = 0; i < arguments.size(); ++i)
    INFINI_TRY_AT(readTensor(options.inputs[i],
                             ElementType(arguments[i].element), inputs[i]),
                  text("--input ", i));
  return Status();
}

Status FunctionRun::readExpected() {
  auto most = [&](const char *option, size_t got) {
    return got > resultPorts.size()
               ? userError("expected at most ", resultPorts.size(), " ", option,
                           " for the results, got ", got)
               : Status();
  };
  INFINI_TRY(most("--output", options.outputs.size()));
  INFINI_TRY(most("--expect", options.expects.size()));
  expected.resize(options.expects.size());
  for (size_t i = 0; i < expected.size(); ++i)
    INFINI_TRY_AT(readTensor(options.expects[i],
                             ElementType(resultPorts[i].element), expected[i]),
                  text("--expect ", i));
  return Status();
}

Status FunctionRun::call() {
  TraceFile trace;
  INFINI_TRY(trace.open(options.trace));
  WeightsHandle weights;
  DeviceHandle device;
  SessionHandle session;
  if (!options.weights.empty())
    INFINI_TRY(make(weights, infini_weights_open, options.weights.c_str()));
  INFINI_TRY(make(device, infini_device_open, options.device.c_str(),
                  uint32_t(options.threads)));
  trace.attach(device.get());
  INFINI_TRY(make(session, infini_session_open, package.get(),
                  infini_package_entry_name(package.get(), entry),
                  weights.get(), device.get()));
  std::vector<infini_tensor> tensors(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    tensors[i].data = inputs[i].data.data();
    tensors[i].element = static_cast<infini_element>(inputs[i].element);
    tensors[i].rank = static_cast<int32_t>(inputs[i].shape.size());
    std::copy(inputs[i].shape.begin(), inputs[i].shape.end(), tensors[i].shape);
  }
  results.resize(resultPorts.size());
  for (infini_tensor &result : results)
    result = {};
  std::vector<double> seconds(options.repeat);
  Clock::time_point start = Clock::now();
  INFINI_TRY(Status::adopt(infini_function_repeat(
      session.get(), tensors.data(), tensors.size(), results.data(),
      results.size(), seconds.size(), seconds.data())));
  if (options.stats)
    printStatistics(session.get(), secondsSince(start), seconds);
  return trace.finish();
}

void FunctionRun::printStatistics(const infini_session *session, double total,
                                  const std::vector<double> &seconds) const {
  infini_statistics counts;
  infini_session_statistics(session, &counts);
  fprintf(stderr, "time:        %.6f s\n", total);
  for (double each : seconds)
    fprintf(stderr, "repeated:    %.6f ms\n", each * 1e3);
  fprintf(stderr, "arena:       %s\n", bytesText(counts.arena_bytes).c_str());
  fprintf(stderr, "peak memory: %s\n", bytesText(peakMemoryBytes()).c_str());
}

HostTensor FunctionRun::toHost(size_t index) const {
  const infini_tensor &from = results[index];
  HostTensor to;
  to.element = static_cast<ElementType>(from.element);
  to.shape.assign(from.shape, from.shape + from.rank);
  int64_t bytes = 0;
  tensorBytes(to.element, to.shape.data(), to.shape.size(), bytes);
  auto *data = static_cast<const uint8_t *>(from.data);
  to.data.assign(data, data + bytes);
  return to;
}

Status FunctionRun::writeOutputs() {
  for (size_t i = 0; i < options.outputs.size(); ++i) {
    std::string path;
    INFINI_TRY(fileArgument("--output", options.outputs[i], path));
    HostTensor result = toHost(i);
    INFINI_TRY(writeTensor(path, result.element, result.shape,
                           result.data.data(), result.data.size()));
  }
  return Status();
}

void FunctionRun::print() {
  for (size_t i = 0; i < results.size(); ++i) {
    HostTensor result = toHost(i);
    std::string type = typeText(result.element, result.shape);
    printf("%s: %s =%s%s\n", resultPorts[i].name,
           resultPorts[i].is_scalar ? "index" : type.c_str(),
           result.shape.size() > 1 ? "\n" : " ", printTensor(result).c_str());
  }
}

bool FunctionRun::compareOne(size_t index) {
  HostTensor got = toHost(index);
  const HostTensor &want = expected[index];
  const char *name = resultPorts[index].name;
  if (got.shape != want.shape ||
      isFloat(got.element) != isFloat(want.element)) {
    fprintf(stderr, "result '%s': expected %s, got %s\n", name,
            typeText(want.element, want.shape).c_str(),
            typeText(got.element, got.shape).c_str());
    return false;
  }
  Tolerance tolerance = defaultTolerance(got.element);
  auto choose = [&](const std::vector<double> &given, double &value) {
    if (!given.empty())
      value = given[given.size() == 1 ? 0 : index];
  };
  choose(options.rtol, tolerance.relative);
  choose(options.atol, tolerance.absolute);
  Difference difference = compare(got, want, tolerance);
  if (difference.count == 0)
    return true;
  auto at = [&](const char *which, int64_t place) {
    fprintf(stderr, "  %s at %s: expected %s, got %s\n", which,
            placeText(place, got.shape).c_str(), want.textAt(place).c_str(),
            got.textAt(place).c_str());
  };
  fprintf(stderr,
          "result '%s': %lld of %lld elements differ by more than rtol %g, "
          "atol %g; largest error %g\n",
          name, static_cast<long long>(difference.count),
          static_cast<long long>(got.elements()), tolerance.relative,
          tolerance.absolute, difference.largest);
  at("first", difference.first);
  if (difference.worst != difference.first)
    at("worst", difference.worst);
  return false;
}

void FunctionRun::compareAll() {
  for (size_t i = 0; i < expected.size(); ++i)
    if (!compareOne(i))
      exit = mismatch;
}

} // namespace

Status cli::runFunction(const Options &options, const std::string &package,
                        int &exit) {
  return FunctionRun(options, exit).run(package);
}
