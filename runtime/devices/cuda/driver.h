// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NVIDIA's driver: found when it is needed, so that one program runs with and
// without it.

#ifndef INFINI_RUNTIME_DEVICES_CUDA_DRIVER_H
#define INFINI_RUNTIME_DEVICES_CUDA_DRIVER_H

#include "infini/runtime/devices/cuda/cuda_symbols.h"
#include "infini/runtime/status.h"

namespace infini {

class CudaDriver : public cuda::Functions {
public:
  /// Loads the library that INFINI_LIBCUDA names, else the system's, and checks
  /// that it has what is used. Not yet initialised. Once loaded it stays: the
  /// driver has threads, and handlers that run when the process ends.
  static Status open(CudaDriver &driver);

  /// 12040 for 12.4.
  int version = 0;

  /// "CUDA_ERROR_OUT_OF_MEMORY (2): out of memory".
  std::string describe(cuda::Result error) const;

private:
  Status loadLibrary(void *&library, std::string &path);
  Status loadSymbols(void *library, const std::string &path);
};

/// "12.4".
std::string cudaVersionText(int version);

} // namespace infini

#endif // INFINI_RUNTIME_DEVICES_CUDA_DRIVER_H
