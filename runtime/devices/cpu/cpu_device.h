// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The processor as a device: a thread pool, native kernels, OpenBLAS.

#ifndef INFINI_RUNTIME_DEVICES_CPU_CPU_DEVICE_H
#define INFINI_RUNTIME_DEVICES_CPU_CPU_DEVICE_H

#include "infini/runtime/devices/cpu/scratch.h"
#include "infini/runtime/devices/device.h"
#include "infini/runtime/thread_pool.h"

namespace infini {

/// Work below this is not shared: about what it costs that another thread joins
/// and hands its cache lines back, several times over.
constexpr int64_t sharedWorkNanoseconds = 8000;

class CpuDevice final : public Device {
public:
  explicit CpuDevice(unsigned threads);

  bool sharesHostMemory() const override { return true; }
  Status allocate(size_t bytes, std::unique_ptr<DeviceMemory> &memory) override;
  Status load(const Program &program,
              std::unique_ptr<DeviceModule> &module) override;
  Status dispatch(DeviceModule &module, const Dispatch &dispatch) override;
  Status gemm(const Gemm &gemm) override;
  Status copy(void *destination, const void *source, size_t bytes) override;
  Status upload(void *destination, const void *host, size_t bytes) override {
    return copy(destination, host, bytes);
  }
  Status download(void *host, const void *source, size_t bytes) override {
    return copy(host, source, bytes);
  }
  Status fill(void *destination, size_t bytes, uint64_t pattern,
              unsigned patternBytes) override;
  Status synchronize() override { return Status(); }
  void poisonScratch() override;

private:
  /// A cache line apart, so that threads do not disturb each other.
  struct alignas(64) ThreadScratch {
    Scratch scratch;
  };
  struct Job;

  ThreadPool pool;
  std::vector<ThreadScratch> scratch;
};

/// How a product is cut up. A function of the sizes alone, never of the number
/// of threads, so that neither are the bits of the result.
struct GemmPanels {
  int64_t rows, columns;
};
GemmPanels chooseGemmPanels(int64_t m, int64_t n, int64_t k,
                            size_t elementBytes);

/// Runs a product over a pool.
Status runGemm(const Gemm &gemm, ThreadPool &pool);

/// OpenBLAS's own threads would compete with ours.
void useOneBlasThread();

} // namespace infini

#endif // INFINI_RUNTIME_DEVICES_CPU_CPU_DEVICE_H
