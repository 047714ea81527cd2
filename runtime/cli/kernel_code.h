// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the images of a package say of single kernels.

#ifndef INFINI_RUNTIME_CLI_KERNEL_CODE_H
#define INFINI_RUNTIME_CLI_KERNEL_CODE_H

#include "infini/runtime/program.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace infini::cli {

struct KernelCode {
  uint64_t bytes = 0;
  /// Of a GPU's thread; only a cubin says.
  std::optional<uint32_t> registers;
};

/// By the kernels' names, for the images that are ELF files: shared objects and
/// cubins. What an image does not say is left out.
std::map<std::string, KernelCode> readKernelCode(const Target &target);

/// The PTX module with this kernel alone: what the others share, such as the
/// declaration of shared memory, stays. "" when the module lacks the kernel.
std::string ptxOfKernel(std::string_view module, std::string_view kernel);

} // namespace infini::cli

#endif // INFINI_RUNTIME_CLI_KERNEL_CODE_H
