// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "fake_state.h"

#include "infini/runtime/kernel_abi.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <new>
#include <sstream>

using namespace infini;
using namespace infini::fake;

// Tests let allocations of the process fail, not those of a driver.
void *operator new(std::size_t bytes) {
  if (void *memory = malloc(bytes ? bytes : 1))
    return memory;
  throw std::bad_alloc();
}
void operator delete(void *memory) noexcept { free(memory); }
void operator delete(void *memory, std::size_t) noexcept { free(memory); }
void *operator new[](std::size_t bytes) { return operator new(bytes); }
void operator delete[](void *memory) noexcept { free(memory); }
void operator delete[](void *memory, std::size_t) noexcept { free(memory); }

thread_local ContextObject *fake::current = nullptr;

/// Beyond what a process may have.
static constexpr Address addressShift = Address(1) << 56;

State &fake::state() {
  // Never destroyed: other libraries may give things back at the very end.
  static State *const state = new State();
  return *state;
}

//===----------------------------------------------------------------------===//
// Settings and counts
//===----------------------------------------------------------------------===//

State::State() { reset(getenv("INFINI_FAKE_CUDA")); }

void State::reset(const char *settings) {
  dropAll();
  version = 12040;
  devices = 1;
  chip = 80;
  memory = size_t(1) << 30;
  lazy = false;
  kernelLibrary = nullptr;
  failures.clear();
  faultAt = 0;
  faultCode = success;
  calls.clear();
  registered.clear();
  leaked = kernelsRun = replayed = mistakes = 0;
  mistake.clear();
  isInitialized = false;
  sticky = success;
  used = 0;
  if (settings)
    set(settings);
}

void State::set(const char *settings) {
  std::istringstream words(settings);
  for (std::string word; words >> word;) {
    size_t equals = word.find('=');
    std::string name = word.substr(0, equals),
                value = equals == word.npos ? "" : word.substr(equals + 1);
    if (name == "version")
      version = atoi(value.c_str());
    else if (name == "devices")
      devices = atoi(value.c_str());
    else if (name == "chip")
      chip = atoi(value.c_str());
    else if (name == "memory")
      memory = strtoull(value.c_str(), nullptr, 10);
    else if (name == "lazy")
      lazy = value == "1";
    else if (name == "kernels")
      kernelLibrary = dlopen(value.c_str(), RTLD_NOW | RTLD_LOCAL);
    else if (name == "fail") {
      size_t first = value.find(':'), second = value.find(':', first + 1);
      failures.push_back({value.substr(0, first),
                          atoll(value.c_str() + first + 1),
                          atoi(value.c_str() + second + 1)});
    } else if (name == "fault") {
      faultAt = atoll(value.c_str());
      faultCode = atoi(value.c_str() + value.find(':') + 1);
    } else
      misuse("unknown setting " + word);
  }
}

int64_t State::live() const {
  return int64_t(blocks.size() + pinned.size() + contexts.size() +
                 modules.size() + streams.size() + events.size() +
                 graphs.size() + execs.size());
}

template <typename T> static void dropEach(std::set<T *> &objects) {
  for (T *object : objects)
    delete object;
  objects.clear();
}

void State::dropAll() {
  blocks.clear();
  pinned.clear();
  for (ModuleObject *module : modules)
    for (FunctionObject *function : module->functions)
      delete function;
  dropEach(contexts);
  dropEach(modules);
  dropEach(streams);
  dropEach(events);
  dropEach(graphs);
  dropEach(execs);
}

Result State::misuse(const std::string &what) {
  ++mistakes;
  if (mistake.empty())
    mistake = what;
  return invalidValue;
}

static bool isSticky(Result code) {
  switch (code) {
  case eccUncorrectable:
  case illegalAddress:
  case launchTimeout:
  case hardwareStackError:
  case illegalInstruction:
  case misalignedAddress:
  case invalidAddressSpace:
  case invalidPc:
  case launchFailed:
  case assertFailed:
  case contextIsDestroyed:
  case unknown:
    return true;
  default:
    return false;
  }
}

Result State::enter(const char *symbol, bool needsContext) {
  int64_t call = ++calls[symbol];
  for (const Failure &failure : failures)
    if (failure.symbol == symbol && failure.call == call) {
      if (isSticky(failure.code))
        sticky = failure.code;
      return failure.code;
    }
  if (!needsContext)
    return success;
  if (!isInitialized)
    return misuse(std::string(symbol) + " before cuInit"), notInitialized;
  if (!current || !contexts.count(current))
    return misuse(std::string(symbol) + " without a context"), invalidContext;
  return sticky;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

uint8_t *State::translate(Address address, size_t bytes) {
  auto block = blocks.upper_bound(address);
  if (block == blocks.begin())
    return nullptr;
  --block;
  Address offset = address - block->first;
  if (offset > block->second.bytes || bytes > block->second.bytes - offset)
    return nullptr;
  return block->second.memory.get() + offset;
}

bool State::isPinned(const void *address, size_t bytes) const {
  auto block = pinned.upper_bound(reinterpret_cast<uintptr_t>(address));
  if (block == pinned.begin())
    return false;
  --block;
  return reinterpret_cast<uintptr_t>(address) + bytes <=
         block->first + block->second.bytes;
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

/// As the runtime does for a cpu's image.
static void runBlocks(void *library, infini_kernel kernel,
                      const uint64_t *arguments, const unsigned *grid) {
  if (void *table = dlsym(library, "infini_imports")) {
#define INFINI_IMPORT(name, result, arguments)                                 \
  reinterpret_cast<void *>(static_cast<result(*) arguments>(&::name)),
    void *const imports[] = {INFINI_KERNEL_IMPORTS(INFINI_IMPORT)};
#undef INFINI_IMPORT
    std::memcpy(table, imports, sizeof imports);
  }
  static thread_local uint8_t scratch[1 << 20] __attribute__((aligned(64)));
  infini_block block;
  block.scratch = nullptr;
  block.allocate = [](void *, int64_t) -> void * { return scratch; };
  block.release = [](void *, void *) {};
  for (unsigned z = 0; z < grid[2]; ++z)
    for (unsigned y = 0; y < grid[1]; ++y)
      for (unsigned x = 0; x < grid[0]; ++x) {
        block.id[0] = x;
        block.id[1] = y;
        block.id[2] = z;
        kernel(arguments, &block);
      }
}

Result State::runKernel(Operation &operation) {
  ++kernelsRun;
  replayed += operation.isReplayed;
  if (kernelsRun == faultAt)
    return sticky = faultCode;
  std::vector<uint64_t> arguments = operation.arguments;
  for (uint64_t &argument : arguments)
    if (argument >= addressShift / 2 && argument < addressShift * 2)
      if (uint8_t *address = translate(argument, 0))
        argument = reinterpret_cast<uint64_t>(address);
  const std::string &name = operation.function->name;
  auto kernel = registered.find(name);
  if (kernel != registered.end())
    kernel->second(arguments.data(), operation.grid, operation.threads,
                   operation.sharedBytes);
  else if (void *found =
               kernelLibrary ? dlsym(kernelLibrary, name.c_str()) : nullptr)
    runBlocks(kernelLibrary, reinterpret_cast<infini_kernel>(found),
              arguments.data(), operation.grid);
  return success;
}

Result State::run(Operation &operation) {
  if (sticky)
    return sticky;
  if (operation.kind == Operation::launch)
    return runKernel(operation);
  size_t bytes = operation.width * operation.count;
  uint8_t *to = static_cast<uint8_t *>(operation.host),
          *from = static_cast<uint8_t *>(operation.host);
  if (operation.kind != Operation::copyToHost)
    to = translate(operation.destination, bytes);
  if (operation.kind == Operation::copyOnDevice ||
      operation.kind == Operation::copyToHost)
    from = translate(operation.source, bytes);
  if (!to || !from) {
    if (operation.kind != Operation::fill || !to)
      return misuse("a copy or fill outside of its block");
  }
  if (operation.kind == Operation::fill) {
    for (size_t i = 0; i < operation.count; ++i)
      std::memcpy(to + i * operation.width, &operation.value, operation.width);
    return success;
  }
  if (operation.kind == Operation::copyOnDevice && to < from + bytes &&
      from < to + bytes)
    return misuse("a copy between ranges that overlap");
  std::memcpy(to, from, bytes);
  return success;
}

Result State::submit(Stream stream, Operation operation) {
  if (!streams.count(stream))
    return misuse("no such stream");
  if (stream->capture) {
    stream->capture->operations.push_back(std::move(operation));
    return success;
  }
  stream->pending.push_back(std::move(operation));
  ++stream->issued;
  // A kernel's fault shows when somebody waits, here as there.
  if (!lazy)
    (void)drain(stream, stream->issued);
  return success;
}

Result State::drain(Stream stream, uint64_t position) {
  while (stream->executed < position && !stream->pending.empty()) {
    (void)run(stream->pending.front());
    stream->pending.pop_front();
    ++stream->executed;
  }
  return sticky;
}

Result State::drainAll() {
  for (StreamObject *stream : streams)
    (void)drain(stream, stream->issued);
  return sticky;
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

#define INFINI_EXPORT __attribute__((visibility("default")))

extern "C" {

INFINI_EXPORT void infini_fake_cuda_reset(const char *settings) {
  std::lock_guard<std::mutex> lock(state().mutex);
  state().reset(settings);
}

INFINI_EXPORT void infini_fake_cuda_set(const char *settings) {
  std::lock_guard<std::mutex> lock(state().mutex);
  state().set(settings);
}

INFINI_EXPORT int64_t infini_fake_cuda_count(const char *what) {
  State &s = state();
  std::lock_guard<std::mutex> lock(s.mutex);
  std::string name = what;
  if (name == "live")
    return s.live();
  if (name == "leaked")
    return s.leaked;
  if (name == "kernels")
    return s.kernelsRun;
  if (name == "replayed")
    return s.replayed;
  if (name == "mistakes")
    return s.mistakes;
  auto count = s.calls.find(name);
  return count == s.calls.end() ? 0 : count->second;
}

INFINI_EXPORT const char *infini_fake_cuda_mistake(void) {
  return state().mistake.c_str();
}

INFINI_EXPORT void infini_fake_cuda_register(const char *name,
                                             infini_fake_kernel kernel) {
  std::lock_guard<std::mutex> lock(state().mutex);
  state().registered[name] = kernel;
}

} // extern "C"
