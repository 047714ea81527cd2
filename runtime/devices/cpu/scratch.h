// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The scratch memory of one thread: allocated like a stack, given back to
// marks.

#ifndef INFINI_RUNTIME_DEVICES_CPU_SCRATCH_H
#define INFINI_RUNTIME_DEVICES_CPU_SCRATCH_H

#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace infini {

class Scratch {
public:
  Scratch() = default;
  ~Scratch();
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;

  /// For the block ABI; `scratch` is a Scratch. When memory runs out,
  /// allocate() jumps to `failure`, which the thread has set: no C++ frames lie
  /// between, only the kernel's.
  static void *allocate(void *scratch, int64_t bytes);
  static void release(void *scratch, void *mark);

  /// Gives everything back. Memory that was got in several pieces is got in
  /// one piece from then on.
  void reset();

  std::jmp_buf failure;
  bool poison = false;

private:
  struct Chunk {
    uint8_t *begin;
    size_t bytes;
  };
  bool grow(size_t bytes);

  std::vector<Chunk> chunks;
  /// The chunk in use, and the next free byte in it. Later chunks are free.
  size_t current = 0;
  uint8_t *top = nullptr;
  /// What a new chunk has at least.
  size_t wanted = 64 << 10;
};

} // namespace infini

#endif // INFINI_RUNTIME_DEVICES_CPU_SCRATCH_H
