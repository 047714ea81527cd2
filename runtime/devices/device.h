// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a device does for the executor: memory, and the program's commands.
// Commands of one session arrive in order, from one thread.

#ifndef INFINI_RUNTIME_DEVICES_DEVICE_H
#define INFINI_RUNTIME_DEVICES_DEVICE_H

#include "infini/runtime/program.h"
#include "infini/runtime/status.h"

#include <memory>

namespace infini {

/// A block of a device's memory, aligned to 64 bytes; given back when it dies.
class DeviceMemory {
public:
  virtual ~DeviceMemory() = default;
  void *data = nullptr;
  size_t bytes = 0;
};

/// The kernels of a package, ready to run on a device.
class DeviceModule {
public:
  virtual ~DeviceModule() = default;
};

/// C[m,n] = op(A) op(B) or C += , row-major; see package.fbs.
struct Gemm {
  const void *a, *b;
  void *c;
  int64_t m, n, k;
  bool transposeA, transposeB, accumulate;
  ElementType element;
};

class Device {
public:
  virtual ~Device() = default;

  virtual Status allocate(size_t bytes,
                          std::unique_ptr<DeviceMemory> &memory) = 0;
  /// Chooses a target of the program that this device can run.
  virtual Status load(const Program &program,
                      std::unique_ptr<DeviceModule> &module) = 0;

  /// Runs a kernel over a grid (extents beyond its rank are 1; one that is not
  /// positive: does nothing). `arguments` as in kernel_abi.h.
  virtual Status dispatch(DeviceModule &module, uint32_t kernel,
                          const int64_t grid[3], const uint64_t *arguments) = 0;
  virtual Status gemm(const Gemm &gemm) = 0;
  /// The ranges may overlap.
  virtual Status copy(void *destination, const void *source, size_t bytes) = 0;
  /// The low `patternBytes` (1, 2, 4 or 8) of `pattern`, over and over.
  virtual Status fill(void *destination, size_t bytes, uint64_t pattern,
                      unsigned patternBytes) = 0;

  /// Fill scratch memory with NaN bytes before it is handed out, from now on.
  virtual void poisonScratch() = 0;
};

/// "cpu".
const char *deviceNames();

/// `threads` = 0: one for each core that the process may use.
Status openDevice(const std::string &name, unsigned threads,
                  std::shared_ptr<Device> &device);

} // namespace infini

#endif // INFINI_RUNTIME_DEVICES_DEVICE_H
