// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/sim/sim_device.h"
#include "infini/runtime/devices/cpu/loader.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace infini;

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// What is allocated, by address. Memory may outlive the device.
class SimDevice::Heap {
public:
  Status allocate(size_t bytes, void *&data) {
    constexpr size_t alignment = 256;
    size_t rounded = std::max<size_t>(
        (bytes + alignment - 1) / alignment * alignment, alignment);
    if (rounded < bytes || !(data = aligned_alloc(alignment, rounded)))
      return Status::outOfMemory();
    std::lock_guard<std::mutex> lock(mutex);
    try {
      blocks.emplace(reinterpret_cast<uint64_t>(data), bytes);
    } catch (const std::bad_alloc &) {
      free(data);
      return Status::outOfMemory();
    }
    return Status();
  }

  void release(void *data) {
    {
      std::lock_guard<std::mutex> lock(mutex);
      blocks.erase(reinterpret_cast<uint64_t>(data));
    }
    free(data);
  }

  bool contains(const void *address, size_t bytes) const {
    auto begin = reinterpret_cast<uint64_t>(address);
    std::lock_guard<std::mutex> lock(mutex);
    auto it = blocks.upper_bound(begin);
    if (it == blocks.begin())
      return false;
    --it;
    return begin - it->first <= it->second &&
           bytes <= it->second - (begin - it->first);
  }

private:
  mutable std::mutex mutex;
  std::map<uint64_t, size_t> blocks;
};

class SimDevice::Memory final : public DeviceMemory {
public:
  explicit Memory(std::shared_ptr<Heap> heap) : heap(std::move(heap)) {}
  ~Memory() override {
    if (data)
      heap->release(data);
  }

private:
  std::shared_ptr<Heap> heap;
};

Status SimDevice::allocate(size_t bytes,
                           std::unique_ptr<DeviceMemory> &memory) {
  auto result = std::make_unique<Memory>(heap);
  INFINI_TRY(heap->allocate(bytes, result->data));
  result->bytes = bytes;
  memory = std::move(result);
  return Status();
}

Status SimDevice::checkRange(const char *what, const void *address,
                             size_t bytes) const {
  if (bytes == 0 || heap->contains(address, bytes))
    return Status();
  return bug(what, ": address ", address, " + ", bytes,
             " is not in an allocation of the device 'sim:", simulated.name,
             "'");
}

Status SimDevice::copy(void *destination, const void *source, size_t bytes) {
  INFINI_TRY(checkRange("destination of a copy", destination, bytes));
  INFINI_TRY(checkRange("source of a copy", source, bytes));
  if (bytes)
    std::memmove(destination, source, bytes);
  return Status();
}

Status SimDevice::upload(void *destination, const void *host, size_t bytes) {
  INFINI_TRY(checkRange("destination of an upload", destination, bytes));
  if (bytes)
    std::memcpy(destination, host, bytes);
  return Status();
}

Status SimDevice::download(void *host, const void *source, size_t bytes) {
  INFINI_TRY(checkRange("source of a download", source, bytes));
  if (bytes)
    std::memcpy(host, source, bytes);
  return Status();
}

Status SimDevice::fill(void *destination, size_t bytes, uint64_t pattern,
                       unsigned patternBytes) {
  INFINI_TRY(checkRange("destination of a fill", destination, bytes));
  auto *to = static_cast<uint8_t *>(destination);
  for (size_t i = 0; i < bytes; i += patternBytes)
    std::memcpy(to + i, &pattern, std::min<size_t>(patternBytes, bytes - i));
  return Status();
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

class SimDevice::Module final : public DeviceModule {
public:
  std::unique_ptr<CpuImage> image;
  std::vector<sim::KernelCode> kernels;
};

Status SimDevice::load(const Program &program,
                       std::unique_ptr<DeviceModule> &module) {
  std::string known;
  Status reason;
  for (size_t i = 0; i < program.targets.size(); ++i) {
    const Target &target = program.targets[i];
    std::string name =
        target.chip.empty() ? target.kind : target.kind + ":" + target.chip;
    known += (i ? ", " : "") + quoted(name);
    if (target.kind != "sim" || target.chip != simulated.name)
      continue;
    // Lanes are compiled for this host.
    if (Status status = checkCpuTarget(target)) {
      reason = std::move(status);
      continue;
    }
    const std::vector<Kernel> &kernels =
        program.variants[target.variant].kernels;
    auto result = std::make_unique<Module>();
    result->target = i;
    INFINI_TRY(CpuImage::load(target, kernels, result->image));
    for (size_t k = 0; k < kernels.size(); ++k)
      result->kernels.push_back(
          {kernels[k].name,
           reinterpret_cast<infini_lane_kernel>(result->image->kernel(k)),
           target.launches[k]});
    module = std::move(result);
    return Status();
  }
  if (reason)
    return reason;
  return userError(
      "the package has no kernels for the device 'sim:", simulated.name,
      "', only for ", known, "; compile it with --target sim:", simulated.name);
}

Status SimDevice::checkBuffers(const sim::KernelCode &kernel,
                               const Dispatch &dispatch) const {
  for (size_t i = 0; i < dispatch.bufferCount; ++i) {
    if (dispatch.bufferBytes[i] < 0)
      return bug("kernel ", quoted(kernel.name), " buffer ", i, " has ",
                 dispatch.bufferBytes[i], " bytes");
    INFINI_TRY_AT(
        checkRange("a buffer of the dispatch",
                   reinterpret_cast<const void *>(dispatch.arguments[i]),
                   static_cast<size_t>(dispatch.bufferBytes[i])),
        text("kernel ", quoted(kernel.name), " buffer ", i));
  }
  return Status();
}

Status SimDevice::run(const sim::KernelCode &kernel, const Dispatch &dispatch) {
  for (int64_t extent : dispatch.grid)
    if (extent <= 0)
      return Status();
  INFINI_TRY(checkBuffers(kernel, dispatch));
  std::lock_guard<std::mutex> lock(mutex);
  return block.run(kernel, dispatch, kernels[kernel.name]);
}

Status SimDevice::dispatch(DeviceModule &module, const Dispatch &dispatch) {
  auto &simModule = static_cast<Module &>(module);
  if (dispatch.kernel >= simModule.kernels.size())
    return bug("the dispatch names kernel ", dispatch.kernel,
               ", expected one of ", simModule.kernels.size());
  return run(simModule.kernels[dispatch.kernel], dispatch);
}

Status SimDevice::gemm(const Gemm & /*gemm*/) {
  return userError("a product by a library on 'sim:", simulated.name,
                   "': packages for GPUs hold their own products");
}

//===----------------------------------------------------------------------===//
// The device
//===----------------------------------------------------------------------===//

SimDevice::SimDevice(const sim::Chip &chip, const sim::Options &options)
    : simulated(chip), options(options), heap(std::make_shared<Heap>()),
      block(chip, options) {}

SimDevice::~SimDevice() {
  // One that ran nothing, such as to see whether there is one, has no table.
  if (options.report && !kernels.empty())
    std::fputs(sim::reportText(kernels).c_str(), stderr);
}

std::map<std::string, sim::Counters> SimDevice::counters() const {
  std::lock_guard<std::mutex> lock(mutex);
  return kernels;
}

static Status readSwitch(const char *name, bool &value) {
  const char *text = std::getenv(name);
  if (!text || !*text)
    return Status();
  if (std::strcmp(text, "0") != 0 && std::strcmp(text, "1") != 0)
    return userError(name, ": expected 0 or 1, got ", quoted(text));
  value = *text == '1';
  return Status();
}

static Status readSeed(const char *name, uint64_t &value) {
  const char *text = std::getenv(name);
  if (!text || !*text)
    return Status();
  char *end = nullptr;
  errno = 0;
  value = std::strtoull(text, &end, 10);
  if (*end || errno || *text < '0' || *text > '9')
    return userError(name, ": expected a number of at most 64 bits, got ",
                     quoted(text));
  return Status();
}

Status infini::openSimDevice(const std::string &chip,
                             std::shared_ptr<Device> &device) {
  sim::Options options;
  INFINI_TRY(readSeed("INFINI_SIM_SEED", options.seed));
  INFINI_TRY(readSwitch("INFINI_SIM_REPORT", options.report));
  INFINI_TRY(readSwitch("INFINI_SIM_GLOBAL_RACES", options.globalRaces));
  std::string known;
  for (const sim::Chip &candidate : sim::chips) {
    if (chip == candidate.name) {
      device = std::make_shared<SimDevice>(candidate, options);
      return Status();
    }
    known += (known.empty() ? "" : ", ") + quoted(candidate.name);
  }
  return userError("there is no simulated chip ", quoted(chip),
                   "; expected one of: ", known);
}
