// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Threads of control that hand the processor to one another, one for each lane
// that has begun and not finished.
//
// Boost.Context's lower layer is used as it is: a fiber of its public interface
// unwinds its stack when it dies, by an exception, and the code of lanes has no
// tables to carry one. Here a fiber that is not wanted any more is forgotten,
// and its stack is used again.

#ifndef INFINI_RUNTIME_DEVICES_SIM_FIBERS_H
#define INFINI_RUNTIME_DEVICES_SIM_FIBERS_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace infini::sim {

struct FiberStack {
  uint8_t *begin = nullptr;
  size_t bytes = 0;
};

class Fiber {
public:
  using Entry = void (*)(Fiber &self, void *argument);

  /// The next jump to this fiber calls `entry`, which must not return. What ran
  /// on the stack before is forgotten.
  void prepare(const FiberStack &stack, Entry entry, void *argument);

  /// Goes on where `to` left off; returns when somebody jumps to `from`, which
  /// is the fiber that runs now.
  static void jump(Fiber &from, Fiber &to);

  /// Where what runs now is not a fiber yet, such as a thread's own stack, a
  /// fresh object stands for it.
  Fiber() = default;
  Fiber(const Fiber &) = delete;
  Fiber &operator=(const Fiber &) = delete;

private:
  struct Switch;
  void *context = nullptr;
  /// Of the jump that is going on.
  Fiber *target = nullptr;
  Entry entry = nullptr;
  void *argument = nullptr;
  /// For AddressSanitizer: which stack is whose.
  FiberStack stack;
  [[maybe_unused]] void *fakeStack = nullptr;
};

/// Fibers with their stacks, made when they are first asked for and kept.
class FiberPool {
public:
  FiberPool() = default;
  ~FiberPool();
  FiberPool(const FiberPool &) = delete;
  FiberPool &operator=(const FiberPool &) = delete;

  /// A fiber that nobody uses, about to call `entry`. Null when there is no
  /// memory for a stack.
  Fiber *take(Fiber::Entry entry, void *argument);
  /// All fibers are free again, whatever they were doing.
  void takeBackAll() { used = 0; }

private:
  struct Slot {
    Fiber fiber;
    void *mapping;
    FiberStack stack;
  };
  bool grow();
  std::vector<std::unique_ptr<Slot>> slots;
  size_t used = 0;
};

} // namespace infini::sim

#endif // INFINI_RUNTIME_DEVICES_SIM_FIBERS_H
