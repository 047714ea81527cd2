// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A cpu target's image, loaded into the process.

#ifndef INFINI_RUNTIME_DEVICES_CPU_LOADER_H
#define INFINI_RUNTIME_DEVICES_CPU_LOADER_H

#include "infini/runtime/kernel_abi.h"
#include "infini/runtime/program.h"
#include "infini/runtime/status.h"

#include <memory>

namespace infini {

/// Null when this processor can run the target, else what it lacks.
Status checkCpuTarget(const Target &target);

class CpuImage {
public:
  ~CpuImage();
  /// The target has been verified.
  static Status load(const Target &target, const std::vector<Kernel> &kernels,
                     std::unique_ptr<CpuImage> &image);

  infini_kernel kernel(size_t index) const { return kernels[index]; }

private:
  CpuImage() = default;
  int fd = -1;
  void *library = nullptr;
  std::vector<infini_kernel> kernels;
};

} // namespace infini

#endif // INFINI_RUNTIME_DEVICES_CPU_LOADER_H
