// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/cpu/cpu_device.h"
#include "infini/runtime/devices/cpu/loader.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>

using namespace infini;

namespace {

class CpuMemory final : public DeviceMemory {
public:
  ~CpuMemory() override { free(data); }
};

class CpuModule final : public DeviceModule {
public:
  explicit CpuModule(size_t kernels) : nanoseconds(kernels) {}
  std::unique_ptr<CpuImage> image;
  /// About how long a block of each kernel took lately; 0: never ran.
  std::vector<std::atomic<int64_t>> nanoseconds;
};

int64_t now() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

} // namespace

CpuDevice::CpuDevice(unsigned threads)
    : pool(threads), scratch(pool.threadCount()) {
  useOneBlasThread();
}

void CpuDevice::poisonScratch() {
  for (ThreadScratch &thread : scratch)
    thread.scratch.poison = true;
}

Status CpuDevice::allocate(size_t bytes,
                           std::unique_ptr<DeviceMemory> &memory) {
  auto result = std::make_unique<CpuMemory>();
  size_t rounded = std::max<size_t>((bytes + 63) / 64 * 64, 64);
  if (rounded < bytes || !(result->data = aligned_alloc(64, rounded)))
    return Status::outOfMemory();
  result->bytes = bytes;
  memory = std::move(result);
  return Status();
}

Status CpuDevice::load(const Program &program,
                       std::unique_ptr<DeviceModule> &module) {
  Status reason;
  std::string kinds;
  for (size_t i = 0; i < program.targets.size(); ++i) {
    const Target &target = program.targets[i];
    kinds += (kinds.empty() ? "" : ", ") + quoted(target.kind);
    if (target.kind != "cpu")
      continue;
    if (Status status = checkCpuTarget(target)) {
      reason = std::move(status);
      continue;
    }
    const std::vector<Kernel> &kernels =
        program.variants[target.variant].kernels;
    auto result = std::make_unique<CpuModule>(kernels.size());
    result->target = i;
    INFINI_TRY(CpuImage::load(target, kernels, result->image));
    module = std::move(result);
    return Status();
  }
  if (reason)
    return reason;
  return userError("the package has no kernels for the device 'cpu', only for ",
                   kinds, "; compile it with --target cpu");
}

//===----------------------------------------------------------------------===//
// Dispatch
//===----------------------------------------------------------------------===//

struct CpuDevice::Job {
  CpuDevice &device;
  infini_kernel kernel;
  const int64_t *grid;
  const uint64_t *arguments;
  std::atomic<bool> outOfMemory{false};
  std::atomic<int64_t> nanoseconds{0};

  void run(unsigned thread, int64_t begin, int64_t end) {
    Scratch &scratch = device.scratch[thread].scratch;
    infini_block block;
    block.scratch = &scratch;
    block.allocate = Scratch::allocate;
    block.release = Scratch::release;
    // Jumped to from Scratch::allocate, over frames of the kernel only; nothing
    // that changed since is read afterwards.
    if (_setjmp(scratch.failure)) {
      outOfMemory = true;
      scratch.reset();
      return;
    }
    int64_t start = now();
    for (int64_t i = begin; i < end; ++i) {
      if (outOfMemory.load(std::memory_order_relaxed))
        return;
      block.id[0] = i % grid[0];
      block.id[1] = i / grid[0] % grid[1];
      block.id[2] = i / grid[0] / grid[1];
      kernel(arguments, &block);
      scratch.reset();
    }
    nanoseconds.fetch_add(now() - start, std::memory_order_relaxed);
  }
};

Status CpuDevice::dispatch(DeviceModule &module, const Dispatch &dispatch) {
  const int64_t *grid = dispatch.grid;
  int64_t count = 1;
  for (int i = 0; i < 3; ++i)
    if (grid[i] <= 0)
      return Status();
  if (__builtin_mul_overflow(grid[0], grid[1], &count) ||
      __builtin_mul_overflow(count, grid[2], &count))
    return bug("a grid of ", grid[0], " by ", grid[1], " by ", grid[2],
               " blocks does not fit 64 bits");
  auto &cpuModule = static_cast<CpuModule &>(module);
  Job job{*this, cpuModule.image->kernel(dispatch.kernel), grid,
          dispatch.arguments};
  // Some pieces a thread, so that unequal blocks even out; but a grid of very
  // many blocks is not handed out one by one, and what is done sooner than
  // another thread could join in is not handed out at all. None of this changes
  // the result.
  std::atomic<int64_t> &lately = cpuModule.nanoseconds[dispatch.kernel];
  int64_t before = lately.load(std::memory_order_relaxed), work;
  bool isShort = before > 0 && !__builtin_mul_overflow(before, count, &work) &&
                 work < sharedWorkNanoseconds;
  int64_t grain =
      isShort ? count
              : std::clamp<int64_t>(count / (int64_t(pool.threadCount()) * 16),
                                    1, 256);
  pool.run(
      count, grain,
      [](void *context, unsigned thread, int64_t begin, int64_t end) {
        static_cast<Job *>(context)->run(thread, begin, end);
      },
      &job);
  int64_t took = std::max<int64_t>(job.nanoseconds / count, 1);
  lately.store(before ? (3 * before + took) / 4 : took,
               std::memory_order_relaxed);
  return job.outOfMemory ? Status::outOfMemory() : Status();
}

Status CpuDevice::gemm(const Gemm &gemm) { return runGemm(gemm, pool); }

//===----------------------------------------------------------------------===//
// Copy, fill
//===----------------------------------------------------------------------===//

Status CpuDevice::copy(void *destination, const void *source, size_t bytes) {
  if (bytes)
    std::memmove(destination, source, bytes);
  return Status();
}

Status CpuDevice::fill(void *destination, size_t bytes, uint64_t pattern,
                       unsigned patternBytes) {
  if (!bytes)
    return Status();
  uint8_t unit[8];
  std::memcpy(unit, &pattern, sizeof unit);
  auto *to = static_cast<uint8_t *>(destination);
  if (std::all_of(unit, unit + patternBytes,
                  [&](uint8_t byte) { return byte == unit[0]; })) {
    std::memset(to, unit[0], bytes);
    return Status();
  }
  for (size_t i = 0; i < bytes; i += patternBytes)
    std::memcpy(to + i, unit, std::min<size_t>(patternBytes, bytes - i));
  return Status();
}
