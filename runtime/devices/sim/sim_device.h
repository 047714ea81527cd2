// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A GPU that is not there: runs kernels that were compiled for one lane of a
// block, for this host, and checks what hardware does not.
//
// What it finds is a bug, and fails the dispatch: races in shared memory,
// copies that are not waited for, accesses out of bounds or to unwritten
// memory, lanes that miss their partners. What it does not see: a lane that
// runs forever, the text of PTX, and time.

#ifndef INFINI_RUNTIME_DEVICES_SIM_SIM_DEVICE_H
#define INFINI_RUNTIME_DEVICES_SIM_SIM_DEVICE_H

#include "infini/runtime/devices/device.h"
#include "infini/runtime/devices/sim/block.h"

#include <mutex>

namespace infini {

class SimDevice final : public Device {
public:
  SimDevice(const sim::Chip &chip, const sim::Options &options);
  ~SimDevice() override;

  const char *chip() const override { return simulated.name; }
  /// It is the host's memory, but it is used as a GPU's is.
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
  Status synchronize() override { return Status(); }
  /// Shared memory is poisoned always.
  void poisonScratch() override {}

  /// Runs a kernel that is there already, without a package.
  Status run(const sim::KernelCode &kernel, const Dispatch &dispatch);
  /// So far, by the kernels' names.
  std::map<std::string, sim::Counters> counters() const;

private:
  class Heap;
  class Memory;
  class Module;
  Status checkRange(const char *what, const void *address, size_t bytes) const;
  Status checkBuffers(const sim::KernelCode &kernel,
                      const Dispatch &dispatch) const;

  const sim::Chip simulated;
  const sim::Options options;
  std::shared_ptr<Heap> heap;
  /// Sessions on several threads may share the device.
  mutable std::mutex mutex;
  sim::Block block;
  std::map<std::string, sim::Counters> kernels;
};

/// The environment says more: INFINI_SIM_SEED=<number>, INFINI_SIM_REPORT=1
/// (counters to standard error when the device dies), INFINI_SIM_GLOBAL_RACES=1
/// (races in global memory are looked for too).
Status openSimDevice(const std::string &chip, std::shared_ptr<Device> &device);

} // namespace infini

#endif // INFINI_RUNTIME_DEVICES_SIM_SIM_DEVICE_H
