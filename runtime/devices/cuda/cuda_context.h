// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A GPU that is in use: the driver, the GPU's primary context, one stream, and
// what is known of errors. Shared by all that lives on the GPU, and gone with
// the last of it.

#ifndef INFINI_RUNTIME_DEVICES_CUDA_CUDA_CONTEXT_H
#define INFINI_RUNTIME_DEVICES_CUDA_CUDA_CONTEXT_H

#include "infini/runtime/devices/cuda/choose_image.h"
#include "infini/runtime/devices/cuda/driver.h"

#include <memory>
#include <mutex>

namespace infini {

class CudaContext {
public:
  static Status open(unsigned index, std::shared_ptr<CudaContext> &context);
  ~CudaContext();
  CudaContext(const CudaContext &) = delete;
  CudaContext &operator=(const CudaContext &) = delete;

  /// Makes the context current on this thread. Fails when the GPU is lost. The
  /// mutex is held.
  Status use();

  /// Null for success. `what` is only evaluated for errors: "copying 5 bytes".
  template <typename What> Status check(cuda::Result result, What what) {
    return result == cuda::success ? Status() : failed(result, what());
  }
  /// A fault that all later calls will report is remembered.
  Status failed(cuda::Result error, const std::string &what);

  /// Device memory; null for none. Errors name the bytes wanted and had.
  Status allocate(size_t bytes, cuda::Address &address);
  void release(cuda::Address address);

  cuda::Context handle() const { return context; }

  /// "GPU 0 (NVIDIA A100, sm_80)".
  std::string name() const;

  /// Held by whoever uses what follows, and from a step's begin to its end: one
  /// stream serves all sessions of a device.
  std::recursive_mutex mutex;
  CudaDriver driver;
  CudaChip chip;
  std::string chipName;
  cuda::Stream stream = nullptr;
  /// Of a block, at most.
  int maxThreads = 0, maxSharedBytes = 0;

private:
  CudaContext() = default;
  Status findDevice(unsigned index);
  Status attribute(cuda::Attribute attribute, const char *what, int &value);

  unsigned index = 0;
  cuda::Ordinal ordinal = 0;
  std::string model;
  cuda::Context context = nullptr;
  /// "" while the GPU is well.
  std::string lost;
  infini_code lostCode = INFINI_OK;
};

} // namespace infini

#endif // INFINI_RUNTIME_DEVICES_CUDA_CUDA_CONTEXT_H
