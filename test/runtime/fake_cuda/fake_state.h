// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the fake driver knows.

#ifndef INFINI_TEST_RUNTIME_FAKE_CUDA_FAKE_STATE_H
#define INFINI_TEST_RUNTIME_FAKE_CUDA_FAKE_STATE_H

#include "fake_cuda.h"
#include "infini/runtime/devices/cuda/cuda_symbols.h"

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace infini::cuda {

// The driver's handles point at these.
struct ContextObject {
  Ordinal device;
  int references;
};
struct ModuleObject {
  /// All names of a cubin; of PTX those behind ".entry".
  bool isCubin;
  std::set<std::string> names;
  std::vector<FunctionObject *> functions;
};
struct FunctionObject {
  std::string name;
  unsigned maxSharedBytes = 48 << 10;
};

struct Operation {
  enum Kind { launch, copyOnDevice, copyToDevice, copyToHost, fill } kind;
  FunctionObject *function = nullptr;
  unsigned grid[3] = {}, threads = 0, sharedBytes = 0;
  std::vector<uint64_t> arguments;
  Address destination = 0, source = 0;
  void *host = nullptr;
  uint64_t value = 0;
  size_t width = 1, count = 0;
  bool isReplayed = false;
};

struct GraphObject {
  std::vector<Operation> operations;
};
struct GraphExecObject {
  std::vector<Operation> operations;
};
struct StreamObject {
  std::deque<Operation> pending;
  uint64_t issued = 0, executed = 0;
  GraphObject *capture = nullptr;
};
struct EventObject {
  bool isTimed = false;
  StreamObject *stream = nullptr;
  uint64_t position = 0;
};

} // namespace infini::cuda

namespace infini::fake {

using namespace infini::cuda;

struct Block {
  std::unique_ptr<uint8_t[]> memory;
  size_t bytes;
};

struct State {
  std::mutex mutex;

  // Settings.
  int version, devices, chip;
  size_t memory;
  bool lazy;
  void *kernelLibrary;
  struct Failure {
    std::string symbol;
    int64_t call;
    Result code;
  };
  std::vector<Failure> failures;
  int64_t faultAt;
  Result faultCode;

  // What happened.
  std::map<std::string, int64_t> calls;
  std::map<std::string, infini_fake_kernel> registered;
  int64_t leaked, kernelsRun, replayed, mistakes;
  std::string mistake;
  bool isInitialized;
  /// What every call fails with, once a kernel has failed.
  Result sticky;

  // What there is. Blocks by their addresses: device's, and pinned ones.
  std::map<Address, Block> blocks;
  std::map<uintptr_t, Block> pinned;
  std::set<ContextObject *> contexts;
  std::set<ModuleObject *> modules;
  std::set<StreamObject *> streams;
  std::set<EventObject *> events;
  std::set<GraphObject *> graphs;
  std::set<GraphExecObject *> execs;
  size_t used;

  State();
  void reset(const char *settings);
  void set(const char *settings);
  int64_t live() const;
  /// Gives back what is left; what was not lost is counted as leaked.
  void dropAll();

  /// Counts a call, and says whether it fails.
  Result enter(const char *symbol, bool needsContext);
  Result misuse(const std::string &what);

  /// The host's address of a range of device memory; null: not in one block.
  uint8_t *translate(Address address, size_t bytes);
  bool isPinned(const void *address, size_t bytes) const;

  Result submit(Stream stream, Operation operation);
  /// Runs what was issued up to a position.
  Result drain(Stream stream, uint64_t position);
  Result drainAll();

private:
  Result run(Operation &operation);
  Result runKernel(Operation &operation);
};

State &state();
/// Of the thread.
extern thread_local ContextObject *current;

} // namespace infini::fake

#endif // INFINI_TEST_RUNTIME_FAKE_CUDA_FAKE_STATE_H
