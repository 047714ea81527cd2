// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/cuda/staging.h"

#include <algorithm>
#include <cstring>

using namespace infini;

CudaStaging::~CudaStaging() {
  if (!memory)
    return;
  // Copies may be under way after an error.
  (void)context.driver.contextSetCurrent(context.handle());
  (void)context.driver.streamSynchronize(context.stream);
  for (Piece &piece : pieces)
    if (piece.done)
      (void)context.driver.eventDestroy(piece.done);
  (void)context.driver.memFreeHost(memory);
}

Status CudaStaging::open() {
  void *address = nullptr;
  INFINI_TRY(context.check(
      context.driver.memHostAlloc(&address, pieceBytes * pieceCount, 0), [] {
        return text("allocating ", pieceBytes * pieceCount,
                    " bytes of pinned memory");
      }));
  memory = static_cast<uint8_t *>(address);
  for (size_t i = 0; i < pieceCount; ++i) {
    pieces[i].memory = memory + i * pieceBytes;
    INFINI_TRY(context.check(
        context.driver.eventCreate(&pieces[i].done, cuda::eventDisableTiming),
        [] { return "making an event"; }));
  }
  return Status();
}

Status CudaStaging::wait(Piece &piece, const char *what) {
  return context.check(context.driver.eventSynchronize(piece.done),
                       [&] { return text("waiting for ", what); });
}

Status CudaStaging::upload(cuda::Address destination, const void *host,
                           size_t bytes) {
  auto what = [&] { return text("copying ", bytes, " bytes to it"); };
  auto *from = static_cast<const uint8_t *>(host);
  for (size_t done = 0; done < bytes;) {
    size_t part = std::min(bytes - done, pieceBytes);
    Piece &piece = pieces[next];
    next = (next + 1) % pieceCount;
    INFINI_TRY(wait(piece, "an earlier copy"));
    std::memcpy(piece.memory, from + done, part);
    INFINI_TRY(context.check(context.driver.copyToDevice(destination + done,
                                                         piece.memory, part,
                                                         context.stream),
                             what));
    INFINI_TRY(context.check(
        context.driver.eventRecord(piece.done, context.stream), what));
    done += part;
  }
  return Status();
}

Status CudaStaging::download(void *host, cuda::Address source, size_t bytes) {
  auto what = [&] { return text("copying ", bytes, " bytes from it"); };
  auto *to = static_cast<uint8_t *>(host);
  // The pieces asked for and not yet taken follow one another in the ring.
  size_t asked = 0, taken = 0, first = next;
  while (taken < bytes) {
    for (; asked < bytes && asked - taken < pieceBytes * pieceCount;
         asked += std::min(bytes - asked, pieceBytes)) {
      size_t part = std::min(bytes - asked, pieceBytes);
      Piece &piece = pieces[next];
      next = (next + 1) % pieceCount;
      // In the stream's order: what was copied from the piece before is done.
      INFINI_TRY(
          context.check(context.driver.copyToHost(piece.memory, source + asked,
                                                  part, context.stream),
                        what));
      INFINI_TRY(context.check(
          context.driver.eventRecord(piece.done, context.stream), what));
    }
    size_t part = std::min(bytes - taken, pieceBytes);
    Piece &piece = pieces[first];
    first = (first + 1) % pieceCount;
    // A fault of what ran before shows here.
    INFINI_TRY(wait(piece, "the commands before"));
    std::memcpy(to + taken, piece.memory, part);
    taken += part;
  }
  return Status();
}
