// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A target's kernels on a GPU.

#ifndef INFINI_RUNTIME_DEVICES_CUDA_CUDA_MODULE_H
#define INFINI_RUNTIME_DEVICES_CUDA_CUDA_MODULE_H

#include "infini/runtime/devices/cuda/step.h"
#include "infini/runtime/devices/device.h"

namespace infini {

class CudaModule final : public DeviceModule {
public:
  /// Loads the image of Program::targets[`target`]; PTX is compiled by the
  /// driver, which keeps the result for the next time. The context is in use
  /// here.
  static Status load(std::shared_ptr<CudaContext> context,
                     const Program &program, size_t target,
                     std::unique_ptr<CudaModule> &module);
  ~CudaModule() override;

  const std::vector<CudaKernel> &kernels() const { return list; }
  /// The commands of the call that is under way, and graphs of earlier ones.
  CudaStep step;

private:
  explicit CudaModule(std::shared_ptr<CudaContext> context);
  Status loadImage(const Target &target);
  Status findKernels(const Target &target, const std::vector<Kernel> &kernels);

  std::shared_ptr<CudaContext> context;
  cuda::Module module = nullptr;
  std::vector<CudaKernel> list;
};

} // namespace infini

#endif // INFINI_RUNTIME_DEVICES_CUDA_CUDA_MODULE_H
