// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/cuda/cuda_device.h"
#include "infini/runtime/devices/cuda/cuda_module.h"
#include "infini/runtime/devices/cuda/marks.h"
#include "infini/runtime/devices/cuda/staging.h"

#include <algorithm>
#include <cstring>
#include <utility>

using namespace infini;

using Lock = std::lock_guard<std::recursive_mutex>;

namespace {

cuda::Address addressOf(const void *pointer) {
  return reinterpret_cast<uintptr_t>(pointer);
}

class CudaMemory final : public DeviceMemory {
public:
  explicit CudaMemory(std::shared_ptr<CudaContext> context)
      : context(std::move(context)) {}
  ~CudaMemory() override { context->release(addressOf(data)); }

private:
  std::shared_ptr<CudaContext> context;
};

class CudaDevice final : public Device {
public:
  explicit CudaDevice(std::shared_ptr<CudaContext> context)
      : context(std::move(context)), staging(*this->context),
        marks(*this->context) {}
  ~CudaDevice() override;
  Status open();

  const char *chip() const override { return context->chipName.c_str(); }
  bool sharesHostMemory() const override { return false; }
  Status allocate(size_t bytes, std::unique_ptr<DeviceMemory> &memory) override;
  Status load(const Program &program,
              std::unique_ptr<DeviceModule> &module) override;
  Status dispatch(DeviceModule &module, const Dispatch &dispatch) override;
  Status gemm(const Gemm &gemm) override;
  Status copy(void *destination, const void *source, size_t bytes) override;
  Status upload(void *destination, const void *host, size_t bytes) override;
  Status download(void *host, const void *source, size_t bytes) override;
  Status fill(void *destination, size_t bytes, uint64_t pattern,
              unsigned patternBytes) override;
  Status synchronize() override;
  Status beginStep(DeviceModule &module) override;
  Status endStep(DeviceModule &module, bool failed) override;
  bool hasMarks() const override { return true; }
  Status mark() override;
  Status takeMarks(std::vector<double> &seconds) override;
  /// Kernels have no scratch in global memory.
  void poisonScratch() override {}

private:
  /// The mutex is held. Within a step the context is current already: hundreds
  /// of commands need not ask the driver again.
  Status use() { return step ? Status() : context->use(); }
  Status submit(const CudaCommand &command);
  Status submitCopy(cuda::Address destination, cuda::Address source,
                    size_t bytes);
  Status submitFill(CudaCommand::Kind kind, cuda::Address destination,
                    uint64_t value, size_t count);
  Status fillByBytes(cuda::Address destination, size_t bytes,
                     const uint8_t *pattern, size_t patternBytes);
  Status reserveTemporary(size_t bytes);
  void releaseRetired();

  std::shared_ptr<CudaContext> context;
  CudaStaging staging;
  CudaMarks marks;
  /// Copies and fills need no kernels.
  std::vector<CudaKernel> noKernels;
  CudaStep immediate{*context, noKernels};
  /// The step under way, on the thread that holds the mutex; null also while
  /// there is a trace: then commands are not put off.
  CudaStep *step = nullptr;
  /// For copies that overlap.
  cuda::Address temporary = 0;
  size_t temporaryBytes = 0;
  /// Earlier ones that were too small, and that a step still names.
  std::vector<cuda::Address> retired;
};

} // namespace

//===----------------------------------------------------------------------===//
// Memory and modules
//===----------------------------------------------------------------------===//

Status CudaDevice::open() {
  Lock lock(context->mutex);
  INFINI_TRY(context->use());
  return staging.open();
}

CudaDevice::~CudaDevice() {
  releaseRetired();
  context->release(temporary);
}

Status CudaDevice::allocate(size_t bytes,
                            std::unique_ptr<DeviceMemory> &memory) {
  auto result = std::make_unique<CudaMemory>(context);
  Lock lock(context->mutex);
  INFINI_TRY(context->use());
  cuda::Address address = 0;
  INFINI_TRY(context->allocate(bytes, address));
  result->data = reinterpret_cast<void *>(address);
  result->bytes = bytes;
  memory = std::move(result);
  return Status();
}

Status CudaDevice::load(const Program &program,
                        std::unique_ptr<DeviceModule> &module) {
  size_t target = 0;
  INFINI_TRY(chooseCudaImage(program, context->chip, context->name(), target));
  Lock lock(context->mutex);
  INFINI_TRY(context->use());
  std::unique_ptr<CudaModule> result;
  INFINI_TRY(CudaModule::load(context, program, target, result));
  module = std::move(result);
  return Status();
}

//===----------------------------------------------------------------------===//
// Transfers
//===----------------------------------------------------------------------===//

Status CudaDevice::upload(void *destination, const void *host, size_t bytes) {
  Lock lock(context->mutex);
  INFINI_TRY(context->use());
  return staging.upload(addressOf(destination), host, bytes);
}

Status CudaDevice::download(void *host, const void *source, size_t bytes) {
  Lock lock(context->mutex);
  INFINI_TRY(context->use());
  return staging.download(host, addressOf(source), bytes);
}

Status CudaDevice::synchronize() {
  Lock lock(context->mutex);
  INFINI_TRY(context->use());
  return context->check(context->driver.streamSynchronize(context->stream),
                        [] { return "waiting for the commands given"; });
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

Status CudaDevice::beginStep(DeviceModule &module) {
  // Kept until the step's end, so that others' commands do not get into it.
  std::unique_lock<std::recursive_mutex> lock(context->mutex);
  INFINI_TRY(context->use());
  if (trace) {
    marks.restart();
  } else {
    step = &static_cast<CudaModule &>(module).step;
    step->begin();
  }
  lock.release();
  return Status();
}

Status CudaDevice::endStep(DeviceModule &, bool failed) {
  std::unique_lock<std::recursive_mutex> lock(context->mutex, std::adopt_lock);
  CudaStep *ended = std::exchange(step, nullptr);
  Status status;
  if (ended && failed)
    ended->abandon();
  else if (ended)
    status = ended->end();
  releaseRetired();
  return status;
}

Status CudaDevice::mark() {
  Lock lock(context->mutex);
  INFINI_TRY(use());
  return marks.mark();
}

Status CudaDevice::takeMarks(std::vector<double> &seconds) {
  Lock lock(context->mutex);
  INFINI_TRY(use());
  return marks.take(seconds);
}

Status CudaDevice::submit(const CudaCommand &command) {
  return step ? step->add(command, nullptr) : immediate.issue(command, nullptr);
}

Status CudaDevice::dispatch(DeviceModule &module, const Dispatch &dispatch) {
  auto &cudaModule = static_cast<CudaModule &>(module);
  constexpr int64_t most[3] = {INT32_MAX, 65535, 65535};
  CudaCommand command = {CudaCommand::launch};
  for (int i = 0; i < 3; ++i) {
    if (dispatch.grid[i] <= 0)
      return Status();
    if (dispatch.grid[i] > most[i])
      return userError(
          "kernel ", quoted(cudaModule.kernels()[dispatch.kernel].name),
          " on a grid of ", dispatch.grid[0], " by ", dispatch.grid[1], " by ",
          dispatch.grid[2], " blocks, expected at most ", most[0], " by ",
          most[1], " by ", most[2], "; give fewer tokens a call");
    command.grid[i] = uint32_t(dispatch.grid[i]);
  }
  command.kernel = dispatch.kernel;
  command.argumentCount = uint32_t(dispatch.bufferCount + dispatch.scalarCount);
  Lock lock(context->mutex);
  INFINI_TRY(use());
  return step ? step->add(command, dispatch.arguments)
              : cudaModule.step.issue(command, dispatch.arguments);
}

Status CudaDevice::gemm(const Gemm &) {
  return userError("a product by a library on ", context->name(),
                   "; packages for GPUs hold their own products");
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

void CudaDevice::releaseRetired() {
  // Waits for what still uses them.
  for (cuda::Address address : retired)
    context->release(address);
  retired.clear();
}

Status CudaDevice::reserveTemporary(size_t bytes) {
  if (bytes <= temporaryBytes)
    return Status();
  retired.reserve(retired.size() + 1);
  cuda::Address address = 0;
  INFINI_TRY(context->allocate(bytes, address));
  if (temporary)
    retired.push_back(temporary);
  temporary = address;
  temporaryBytes = bytes;
  if (!step)
    releaseRetired();
  return Status();
}

Status CudaDevice::submitCopy(cuda::Address destination, cuda::Address source,
                              size_t bytes) {
  CudaCommand command = {CudaCommand::copy};
  command.destination = destination;
  command.source = source;
  command.count = bytes;
  return submit(command);
}

Status CudaDevice::copy(void *destination, const void *source, size_t bytes) {
  Lock lock(context->mutex);
  INFINI_TRY(use());
  cuda::Address to = addressOf(destination), from = addressOf(source);
  if (bytes == 0 || to == from)
    return Status();
  if ((to < from ? from - to : to - from) >= bytes)
    return submitCopy(to, from, bytes);
  // The driver does not say in which order it copies.
  INFINI_TRY(reserveTemporary(bytes));
  INFINI_TRY(submitCopy(temporary, from, bytes));
  return submitCopy(to, temporary, bytes);
}

//===----------------------------------------------------------------------===//
// Fills
//===----------------------------------------------------------------------===//

Status CudaDevice::submitFill(CudaCommand::Kind kind, cuda::Address destination,
                              uint64_t value, size_t count) {
  if (count == 0)
    return Status();
  CudaCommand command = {kind};
  command.destination = destination;
  command.value = value;
  command.count = count;
  return submit(command);
}

/// The pattern once, then as often again as it is there already.
Status CudaDevice::fillByBytes(cuda::Address destination, size_t bytes,
                               const uint8_t *pattern, size_t patternBytes) {
  size_t done = std::min(bytes, patternBytes);
  for (size_t i = 0; i < done; ++i)
    INFINI_TRY(submitFill(CudaCommand::fill8, destination + i, pattern[i], 1));
  while (done < bytes) {
    size_t part = std::min(done, bytes - done);
    INFINI_TRY(submitCopy(destination + done, destination, part));
    done += part;
  }
  return Status();
}

Status CudaDevice::fill(void *destination, size_t bytes, uint64_t pattern,
                        unsigned patternBytes) {
  Lock lock(context->mutex);
  INFINI_TRY(use());
  cuda::Address to = addressOf(destination);
  uint8_t unit[8];
  std::memcpy(unit, &pattern, sizeof unit);
  // The shortest pattern that does the same.
  size_t width = patternBytes;
  while (width > 1 && std::memcmp(unit, unit + width / 2, width / 2) == 0)
    width /= 2;
  if (width == 8 || to % width != 0)
    return fillByBytes(to, bytes, unit, width);
  size_t count = bytes / width;
  uint64_t value = width < 8 ? pattern & ((uint64_t(1) << 8 * width) - 1) : 0;
  CudaCommand::Kind kind = width == 1   ? CudaCommand::fill8
                           : width == 2 ? CudaCommand::fill16
                                        : CudaCommand::fill32;
  INFINI_TRY(submitFill(kind, to, value, count));
  for (size_t i = count * width; i < bytes; ++i)
    INFINI_TRY(submitFill(CudaCommand::fill8, to + i, unit[i % width], 1));
  return Status();
}

//===----------------------------------------------------------------------===//
// Opening
//===----------------------------------------------------------------------===//

Status infini::openCudaDevice(unsigned index, std::shared_ptr<Device> &device) {
  std::shared_ptr<CudaContext> context;
  INFINI_TRY(CudaContext::open(index, context));
  auto result = std::make_shared<CudaDevice>(std::move(context));
  INFINI_TRY(result->open());
  device = std::move(result);
  return Status();
}
