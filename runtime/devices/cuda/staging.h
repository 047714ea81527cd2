// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The way between the host's memory and a GPU's: a ring of pinned pieces, which
// the GPU copies from and to by itself. While it copies one, the host fills or
// empties another.

#ifndef INFINI_RUNTIME_DEVICES_CUDA_STAGING_H
#define INFINI_RUNTIME_DEVICES_CUDA_STAGING_H

#include "infini/runtime/devices/cuda/cuda_context.h"

namespace infini {

class CudaStaging {
public:
  explicit CudaStaging(CudaContext &context) : context(context) {}
  ~CudaStaging();
  CudaStaging(const CudaStaging &) = delete;
  CudaStaging &operator=(const CudaStaging &) = delete;

  /// The context is in use here, as below.
  Status open();

  /// Returns when `host` has been read; the copy may still be under way.
  Status upload(cuda::Address destination, const void *host, size_t bytes);
  /// Returns when `host` has been written.
  Status download(void *host, cuda::Address source, size_t bytes);

  static constexpr size_t pieceBytes = 2 << 20, pieceCount = 4;

private:
  struct Piece {
    uint8_t *memory = nullptr;
    /// After the last copy from or to it.
    cuda::Event done = nullptr;
  };
  Status wait(Piece &piece, const char *what);

  CudaContext &context;
  uint8_t *memory = nullptr;
  Piece pieces[pieceCount];
  /// The piece that has been idle for longest.
  size_t next = 0;
};

} // namespace infini

#endif // INFINI_RUNTIME_DEVICES_CUDA_STAGING_H
