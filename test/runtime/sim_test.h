// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels written by hand, on the simulator.

#ifndef INFINI_TEST_RUNTIME_SIM_TEST_H
#define INFINI_TEST_RUNTIME_SIM_TEST_H

#include "infini/runtime/devices/sim/sim_device.h"

#include <cstring>
#include <gtest/gtest.h>

namespace infini::test {

/// A buffer of a kernel, in the device's memory.
struct SimBuffer {
  std::unique_ptr<DeviceMemory> memory;
  template <typename T> T *as() { return static_cast<T *>(memory->data); }
};

/// What a run needs besides the kernel.
struct SimRun {
  uint32_t threads = 32, sharedBytes = 0;
  int64_t blocks = 1;
};

class Simulator {
public:
  explicit Simulator(uint64_t seed = 0, bool globalRaces = false)
      : device(sim::chips[0], makeOptions(seed, globalRaces)) {}

  /// The values are copied.
  template <typename T> T *buffer(const std::vector<T> &values) {
    SimBuffer buffer;
    size_t bytes = values.size() * sizeof(T);
    EXPECT_FALSE(device.allocate(bytes, buffer.memory));
    EXPECT_FALSE(device.upload(buffer.memory->data, values.data(), bytes));
    buffers.push_back(std::move(buffer));
    return buffers.back().as<T>();
  }
  template <typename T> T *zeros(size_t count) {
    return buffer(std::vector<T>(count));
  }

  /// The kernel gets all buffers in their order.
  Status run(infini_lane_kernel kernel, const SimRun &run = {}) {
    std::vector<uint64_t> arguments;
    std::vector<int64_t> bytes;
    for (SimBuffer &buffer : buffers) {
      arguments.push_back(reinterpret_cast<uint64_t>(buffer.memory->data));
      bytes.push_back(int64_t(buffer.memory->bytes));
    }
    Dispatch dispatch = {
        0, {run.blocks, 1, 1}, arguments.data(), arguments.size(),
        0, bytes.data()};
    return device.run({"k", kernel, {run.threads, run.sharedBytes}}, dispatch);
  }
  sim::Counters counters() { return device.counters()["k"]; }

  SimDevice device;

private:
  static sim::Options makeOptions(uint64_t seed, bool globalRaces) {
    sim::Options options;
    options.seed = seed;
    options.globalRaces = globalRaces;
    return options;
  }
  std::vector<SimBuffer> buffers;
};

constexpr uint64_t simSeeds = 8;

inline void expectGood(const Status &status) {
  EXPECT_FALSE(status) << status.message();
}

/// For every seed the kernel must fail, with all of the parts in its message.
inline void expectFault(infini_lane_kernel kernel, const SimRun &run,
                        const std::vector<std::string> &parts,
                        size_t bufferBytes = 64) {
  for (uint64_t seed = 0; seed < simSeeds; ++seed) {
    Simulator simulator(seed);
    simulator.zeros<uint8_t>(bufferBytes);
    Status status = simulator.run(kernel, run);
    EXPECT_EQ(status.code(), INFINI_BUG);
    for (const std::string &part : parts)
      EXPECT_NE(status.message().find(part), std::string::npos)
          << "seed " << seed << ", expected " << part << "\ngot "
          << status.message();
  }
}

/// The twin of a kernel that must fail.
inline void expectNoFault(infini_lane_kernel kernel, const SimRun &run,
                          size_t bufferBytes = 64) {
  for (uint64_t seed = 0; seed < simSeeds; ++seed) {
    Simulator simulator(seed);
    simulator.zeros<uint8_t>(bufferBytes);
    expectGood(simulator.run(kernel, run));
  }
}

//===----------------------------------------------------------------------===//
// What lanes write shorter
//===----------------------------------------------------------------------===//

/// An element of a buffer of the kernel, which takes no size for granted.
template <typename T> struct Place {
  uint32_t buffer;
  int64_t offset = 0, size = INT64_MAX;
  Place operator+(int64_t elements) const {
    return {buffer, offset + elements * int64_t(sizeof(T)), size};
  }
  Place operator-(int64_t elements) const { return *this + -elements; }
};

template <typename T>
T loadGlobal(const infini_lane *lane, Place<T> place,
             const char *where = "load_global at t:1:1",
             uint32_t predicate = 1) {
  T value;
  lane->table->load_global(lane, where, place.buffer, place.offset, place.size,
                           sizeof value, predicate, &value);
  return value;
}

template <typename T>
void storeGlobal(const infini_lane *lane, Place<T> place, T value,
                 const char *where = "store_global at t:2:1",
                 uint32_t predicate = 1) {
  lane->table->store_global(lane, where, place.buffer, place.offset, place.size,
                            sizeof value, predicate, &value);
}

template <typename T = uint32_t>
T loadShared(const infini_lane *lane, uint32_t address,
             const char *where = "load_shared at t:3:1") {
  T value;
  lane->table->load_shared(lane, where, address, sizeof value, &value);
  return value;
}

template <typename T>
void storeShared(const infini_lane *lane, uint32_t address, T value,
                 const char *where = "store_shared at t:4:1",
                 uint32_t predicate = 1) {
  lane->table->store_shared(lane, where, address, sizeof value, predicate,
                            &value);
}

inline void barrier(const infini_lane *lane,
                    const char *where = "barrier at t:5:1") {
  lane->table->barrier(lane, where);
}

template <typename T>
void copyAsync(const infini_lane *lane, uint32_t shared, Place<T> from,
               const char *where = "copy_async at t:6:1",
               uint32_t predicate = 1) {
  lane->table->copy_async(lane, where, shared, from.buffer, from.offset,
                          from.size, 16, predicate);
}
inline void commit(const infini_lane *lane) {
  lane->table->commit(lane, "commit at t:7:1");
}
inline void wait(const infini_lane *lane, uint32_t pending = 0) {
  lane->table->wait(lane, "wait at t:8:1", pending);
}

/// The memory of a buffer, past the checks.
template <typename T> T *argument(const uint64_t *arguments, unsigned index) {
  return reinterpret_cast<T *>(arguments[index]);
}

} // namespace infini::test

#endif // INFINI_TEST_RUNTIME_SIM_TEST_H
