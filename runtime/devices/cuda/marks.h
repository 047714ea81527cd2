// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// When the GPU reaches points between the commands that it is given: for
// traces.

#ifndef INFINI_RUNTIME_DEVICES_CUDA_MARKS_H
#define INFINI_RUNTIME_DEVICES_CUDA_MARKS_H

#include "infini/runtime/devices/cuda/cuda_context.h"

#include <vector>

namespace infini {

class CudaMarks {
public:
  explicit CudaMarks(CudaContext &context) : context(context) {}
  ~CudaMarks();
  CudaMarks(const CudaMarks &) = delete;
  CudaMarks &operator=(const CudaMarks &) = delete;

  // The context is in use, here and below.
  /// Forgets all marks.
  void restart() { used = 0; }
  /// Behind what the stream has been given.
  Status mark();
  /// Waits for the last mark. Seconds of each since the first.
  Status take(std::vector<double> &seconds);

private:
  CudaContext &context;
  /// Kept for later steps; of the step at hand there are `used`.
  std::vector<cuda::Event> events;
  size_t used = 0;
};

} // namespace infini

#endif // INFINI_RUNTIME_DEVICES_CUDA_MARKS_H
