// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A device that runs a package's cpu target and hides its memory: its addresses
// are not the host's, whoever follows one crashes. It checks what it is told,
// counts, and fails on demand.

#ifndef INFINI_TEST_RUNTIME_REMOTE_DEVICE_H
#define INFINI_TEST_RUNTIME_REMOTE_DEVICE_H

#include "infini/runtime/devices/cpu/cpu_device.h"

#include <map>
#include <string>

namespace infini::test {

class RemoteDevice final : public Device {
public:
  RemoteDevice() : cpu(1) {}
  ~RemoteDevice() override;

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
  void poisonScratch() override { cpu.poisonScratch(); }

  /// "upload", "dispatch", ...: how often it was called.
  std::map<std::string, int> calls;
  /// Fails the call that makes the count 0.
  int failIn = -1;
  size_t liveBlocks() const { return blocks.size(); }

private:
  friend class RemoteMemory;
  Status count(const char *call);
  /// The host's address of a range that lies in one block.
  void *host(const void *address, size_t bytes);

  CpuDevice cpu;
  /// By the device's address.
  std::map<uint64_t, size_t> blocks;
  bool inStep = false;
};

} // namespace infini::test

#endif // INFINI_TEST_RUNTIME_REMOTE_DEVICE_H
