// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Devices by name.

#include "infini/runtime/devices/cpu/cpu_device.h"
#include "infini/runtime/devices/cuda/cuda_device.h"
#include "infini/runtime/devices/sim/sim_device.h"

#include <algorithm>

using namespace infini;

const char *infini::deviceNames() { return "cpu, cuda[:<number>], sim:<chip>"; }

/// The number behind "cuda:", and whether it is one.
static bool parseIndex(std::string_view digits, unsigned &index) {
  index = 0;
  for (char digit : digits) {
    if (digit < '0' || digit > '9' || index > 1000000)
      return false;
    index = 10 * index + unsigned(digit - '0');
  }
  return !digits.empty();
}

static bool takePrefix(std::string_view &text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix)
    return false;
  text.remove_prefix(prefix.size());
  return true;
}

Status infini::openDevice(const std::string &name, unsigned threads,
                          std::shared_ptr<Device> &device) {
  constexpr unsigned maxThreads = 1024;
  if (threads > maxThreads)
    return userError("expected at most ", maxThreads, " threads, got ",
                     threads);
  if (name == "cpu") {
    device = std::make_shared<CpuDevice>(
        threads ? threads : std::min(ThreadPool::availableCores(), maxThreads));
    return Status();
  }
  std::string_view rest = name;
  unsigned index = 0;
  if (name == "cuda" || (takePrefix(rest, "cuda:") && parseIndex(rest, index)))
    return openCudaDevice(index, device);
  rest = name;
  if (takePrefix(rest, "sim:") && !rest.empty())
    return openSimDevice(std::string(rest), device);
  return userError("there is no device ", quoted(name),
                   "; expected one of: ", deviceNames());
}
