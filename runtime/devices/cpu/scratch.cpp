// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/cpu/scratch.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

using namespace infini;

Scratch::~Scratch() {
  for (Chunk &chunk : chunks)
    free(chunk.begin);
}

/// Moves on to a chunk with room for \p bytes.
bool Scratch::grow(size_t bytes) {
  size_t index = chunks.empty() ? 0 : current + 1;
  if (index < chunks.size() && chunks[index].bytes < bytes) {
    // Too small to be of use, and so are those behind it for what comes now.
    for (size_t i = index; i < chunks.size(); ++i)
      free(chunks[i].begin);
    chunks.resize(index);
  }
  if (index == chunks.size()) {
    size_t size = std::max(bytes, wanted);
    auto *begin = static_cast<uint8_t *>(aligned_alloc(64, size));
    if (!begin)
      return false;
    // No exceptions here: the caller is a kernel.
    try {
      chunks.push_back({begin, size});
    } catch (...) {
      free(begin);
      return false;
    }
  }
  current = index;
  top = chunks[current].begin;
  return true;
}

void *Scratch::allocate(void *scratch, int64_t bytes) {
  auto &self = *static_cast<Scratch *>(scratch);
  // What is over this is a mistake, and would overflow when rounded up.
  if (bytes < 0 || bytes > int64_t(1) << 48)
    std::longjmp(self.failure, 1);
  size_t rounded = (static_cast<size_t>(bytes) + 63) / 64 * 64;
  if (self.chunks.empty() ||
      static_cast<size_t>(self.chunks[self.current].begin +
                          self.chunks[self.current].bytes - self.top) < rounded)
    if (!self.grow(std::max<size_t>(rounded, 64)))
      std::longjmp(self.failure, 1);
  uint8_t *result = self.top;
  self.top += rounded;
  if (self.poison)
    std::memset(result, 0xff, rounded);
  return result;
}

void Scratch::release(void *scratch, void *mark) {
  auto &self = *static_cast<Scratch *>(scratch);
  auto *to = static_cast<uint8_t *>(mark);
  while (self.current > 0) {
    const Chunk &chunk = self.chunks[self.current];
    if (to >= chunk.begin && to <= chunk.begin + chunk.bytes)
      break;
    --self.current;
  }
  self.top = to;
}

void Scratch::reset() {
  if (chunks.empty())
    return;
  if (chunks.size() == 1) {
    top = chunks[0].begin;
    return;
  }
  wanted = 0;
  for (Chunk &chunk : chunks) {
    wanted += chunk.bytes;
    free(chunk.begin);
  }
  chunks.clear();
  current = 0;
  top = nullptr;
}
