// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/sim/fibers.h"

#include <boost/context/detail/fcontext.hpp>
#include <new>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define INFINI_SIM_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define INFINI_SIM_ASAN
#endif
#endif
#ifdef INFINI_SIM_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

using namespace infini::sim;
using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

/// Both sides of a jump, for AddressSanitizer, which has to know the stack.
struct Fiber::Switch {
  static void leave(Fiber &from, Fiber &to) {
    from.target = &to;
#ifdef INFINI_SIM_ASAN
    __sanitizer_start_switch_fiber(&from.fakeStack, to.stack.begin,
                                   to.stack.bytes);
#endif
  }

  static Fiber &arrive(transfer_t transfer) {
    auto &from = *static_cast<Fiber *>(transfer.data);
    from.context = transfer.fctx;
#ifdef INFINI_SIM_ASAN
    const void *begin = nullptr;
    size_t bytes = 0;
    __sanitizer_finish_switch_fiber(from.target->fakeStack, &begin, &bytes);
    // The thread's own stack is known by nobody else.
    from.stack.begin = static_cast<uint8_t *>(const_cast<void *>(begin));
    from.stack.bytes = bytes;
#endif
    return from;
  }

  static void start(transfer_t transfer) {
    Fiber &self = *arrive(transfer).target;
    self.entry(self, self.argument);
    __builtin_trap();
  }
};

void Fiber::prepare(const FiberStack &newStack, Entry newEntry,
                    void *newArgument) {
  stack = newStack;
  entry = newEntry;
  argument = newArgument;
  context =
      make_fcontext(stack.begin + stack.bytes, stack.bytes, &Switch::start);
#ifdef INFINI_SIM_ASAN
  // Frames that were forgotten have left their red zones.
  __asan_unpoison_memory_region(stack.begin, stack.bytes);
#endif
}

void Fiber::jump(Fiber &from, Fiber &to) {
  Switch::leave(from, to);
  Switch::arrive(jump_fcontext(to.context, &from));
}

//===----------------------------------------------------------------------===//
// Pool
//===----------------------------------------------------------------------===//

/// What the code of a lane needs for what it keeps in memory, many times over.
static constexpr size_t stackBytes = 256 << 10;

FiberPool::~FiberPool() {
  size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  for (const auto &slot : slots)
    munmap(slot->mapping, page + stackBytes);
}

bool FiberPool::grow() {
  size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void *mapping =
      mmap(nullptr, page + stackBytes, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (mapping == MAP_FAILED)
    return false;
  // A lane that overflows its stack must not write into another's.
  std::unique_ptr<Slot> slot(new (std::nothrow) Slot);
  if (!slot || mprotect(mapping, page, PROT_NONE) != 0) {
    munmap(mapping, page + stackBytes);
    return false;
  }
  slot->mapping = mapping;
  // Stacks that all begin at the same place in their pages would fight for the
  // same lines of the first cache.
  size_t color = slots.size() * 7 % 64 * 64;
  slot->stack.begin = static_cast<uint8_t *>(mapping) + page;
  slot->stack.bytes = stackBytes - color;
  try {
    slots.push_back(std::move(slot));
  } catch (const std::bad_alloc &) {
    munmap(mapping, page + stackBytes);
    return false;
  }
  return true;
}

Fiber *FiberPool::take(Fiber::Entry entry, void *argument) {
  if (used == slots.size() && !grow())
    return nullptr;
  Slot &slot = *slots[used++];
  slot.fiber.prepare(slot.stack, entry, argument);
  return &slot.fiber;
}
