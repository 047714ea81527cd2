// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "remote_device.h"

#include <cstring>
#include <gtest/gtest.h>

using namespace infini;
using namespace infini::test;

/// Beyond what a process may have.
static constexpr uint64_t shift = uint64_t(1) << 56;

namespace infini::test {
class RemoteMemory final : public DeviceMemory {
public:
  ~RemoteMemory() override {
    device->blocks.erase(reinterpret_cast<uint64_t>(data));
  }
  RemoteDevice *device;
  std::unique_ptr<DeviceMemory> memory;
};
} // namespace infini::test

RemoteDevice::~RemoteDevice() { EXPECT_TRUE(blocks.empty()); }

Status RemoteDevice::count(const char *call) {
  ++calls[call];
  if (failIn >= 0 && failIn-- == 0)
    return userError("the device fails in ", call);
  return Status();
}

void *RemoteDevice::host(const void *address, size_t bytes) {
  auto begin = reinterpret_cast<uint64_t>(address);
  auto block = blocks.upper_bound(begin);
  if (block == blocks.begin()) {
    ADD_FAILURE() << "not an address of the device";
    return nullptr;
  }
  --block;
  EXPECT_LE(begin - block->first + bytes, block->second);
  return reinterpret_cast<void *>(begin - shift);
}

Status RemoteDevice::allocate(size_t bytes,
                              std::unique_ptr<DeviceMemory> &memory) {
  INFINI_TRY(count("allocate"));
  auto result = std::make_unique<RemoteMemory>();
  INFINI_TRY(cpu.allocate(bytes, result->memory));
  // What was not written is not to be relied on.
  std::memset(result->memory->data, 0xcd, bytes);
  result->device = this;
  result->data = reinterpret_cast<void *>(
      reinterpret_cast<uint64_t>(result->memory->data) + shift);
  result->bytes = bytes;
  blocks[reinterpret_cast<uint64_t>(result->data)] = bytes;
  memory = std::move(result);
  return Status();
}

Status RemoteDevice::load(const Program &program,
                          std::unique_ptr<DeviceModule> &module) {
  INFINI_TRY(count("load"));
  return cpu.load(program, module);
}

Status RemoteDevice::dispatch(DeviceModule &module, const Dispatch &dispatch) {
  EXPECT_TRUE(inStep);
  INFINI_TRY(count("dispatch"));
  std::vector<uint64_t> arguments(dispatch.arguments, dispatch.arguments +
                                                          dispatch.bufferCount +
                                                          dispatch.scalarCount);
  for (size_t i = 0; i < dispatch.bufferCount; ++i)
    if (dispatch.bufferBytes[i])
      arguments[i] = reinterpret_cast<uint64_t>(
          host(reinterpret_cast<void *>(arguments[i]),
               static_cast<size_t>(dispatch.bufferBytes[i])));
  Dispatch translated = dispatch;
  translated.arguments = arguments.data();
  return cpu.dispatch(module, translated);
}

Status RemoteDevice::gemm(const Gemm &) {
  ADD_FAILURE();
  return Status();
}

Status RemoteDevice::copy(void *destination, const void *source, size_t bytes) {
  EXPECT_TRUE(inStep);
  INFINI_TRY(count("copy"));
  return bytes ? cpu.copy(host(destination, bytes), host(source, bytes), bytes)
               : Status();
}

Status RemoteDevice::upload(void *destination, const void *from, size_t bytes) {
  EXPECT_FALSE(inStep);
  INFINI_TRY(count("upload"));
  return bytes ? cpu.copy(host(destination, bytes), from, bytes) : Status();
}

Status RemoteDevice::download(void *to, const void *source, size_t bytes) {
  EXPECT_FALSE(inStep);
  INFINI_TRY(count("download"));
  return bytes ? cpu.copy(to, host(source, bytes), bytes) : Status();
}

Status RemoteDevice::fill(void *destination, size_t bytes, uint64_t pattern,
                          unsigned patternBytes) {
  INFINI_TRY(count("fill"));
  return bytes
             ? cpu.fill(host(destination, bytes), bytes, pattern, patternBytes)
             : Status();
}

Status RemoteDevice::synchronize() {
  EXPECT_FALSE(inStep);
  return count("synchronize");
}

Status RemoteDevice::beginStep(DeviceModule &) {
  EXPECT_FALSE(inStep);
  INFINI_TRY(count("beginStep"));
  inStep = true;
  return Status();
}

Status RemoteDevice::endStep(DeviceModule &, bool) {
  EXPECT_TRUE(inStep);
  inStep = false;
  return count("endStep");
}
