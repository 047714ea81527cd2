// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which of a package's images suits an NVIDIA GPU best.

#ifndef INFINI_RUNTIME_DEVICES_CUDA_CHOOSE_IMAGE_H
#define INFINI_RUNTIME_DEVICES_CUDA_CHOOSE_IMAGE_H

#include "infini/runtime/program.h"
#include "infini/runtime/status.h"

namespace infini {

/// A GPU's architecture: "sm_90", or "sm_90a" with what only that one has.
struct CudaChip {
  int major = 0, minor = 0;
  bool isSpecific = false;

  std::string name() const {
    return text("sm_", major, minor, isSpecific ? "a" : "");
  }
};

/// False when the name is of no form that is known here.
bool parseCudaChip(std::string_view name, CudaChip &chip);

/// Number of the best target of kind "nvidia": a cubin for the GPU's
/// architecture (machine code runs on the same major and any later minor
/// version), else the PTX of the newest architecture that is not newer than the
/// GPU's. Code for a specific architecture fits that one only, and is then
/// preferred. `gpu` names the GPU in errors.
Status chooseCudaImage(const Program &program, const CudaChip &chip,
                       const std::string &gpu, size_t &target);

} // namespace infini

#endif // INFINI_RUNTIME_DEVICES_CUDA_CHOOSE_IMAGE_H
