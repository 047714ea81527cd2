// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fake driver's functions.

#include "fake_state.h"

#include <cstdio>
#include <cstring>

using namespace infini::cuda;
using namespace infini::fake;

// As the list of the runtime has them; a definition that differs does not
// compile.
#define INFINI_DECLARE(name, symbol, arguments)                                \
  extern "C" __attribute__((visibility("default"))) Result symbol arguments;
INFINI_CUDA_SYMBOLS(INFINI_DECLARE)
#undef INFINI_DECLARE

#define ENTER_WITH(symbol, needsContext)                                       \
  State &s = state();                                                          \
  std::lock_guard<std::mutex> lock(s.mutex);                                   \
  if (Result failure = s.enter(#symbol, needsContext))                         \
  return failure
#define ENTER(symbol) ENTER_WITH(symbol, true)

/// For functions that give something back: what they return. On a GPU that is
/// lost they do nothing.
#define ENTER_RELEASE(symbol)                                                  \
  State &s = state();                                                          \
  std::lock_guard<std::mutex> lock(s.mutex);                                   \
  Result result = s.enter(#symbol, true);                                      \
  if (s.sticky)                                                                \
  return s.sticky

extern "C" {

//===----------------------------------------------------------------------===//
// Driver, devices, contexts
//===----------------------------------------------------------------------===//

Result cuDriverGetVersion(int *version) {
  ENTER_WITH(cuDriverGetVersion, false);
  *version = s.version;
  return success;
}

Result cuInit(unsigned) {
  ENTER_WITH(cuInit, false);
  s.isInitialized = true;
  return s.devices ? success : noDevice;
}

Result cuGetErrorName(Result error, const char **name) {
  ENTER_WITH(cuGetErrorName, false);
  switch (error) {
  case invalidValue:
    *name = "CUDA_ERROR_INVALID_VALUE";
    return success;
  case outOfMemory:
    *name = "CUDA_ERROR_OUT_OF_MEMORY";
    return success;
  case noDevice:
    *name = "CUDA_ERROR_NO_DEVICE";
    return success;
  case invalidPtx:
    *name = "CUDA_ERROR_INVALID_PTX";
    return success;
  case notFound:
    *name = "CUDA_ERROR_NOT_FOUND";
    return success;
  case illegalAddress:
    *name = "CUDA_ERROR_ILLEGAL_ADDRESS";
    return success;
  case launchFailed:
    *name = "CUDA_ERROR_LAUNCH_FAILED";
    return success;
  case unsupportedPtxVersion:
    *name = "CUDA_ERROR_UNSUPPORTED_PTX_VERSION";
    return success;
  default:
    *name = nullptr;
    return invalidValue;
  }
}

Result cuGetErrorString(Result error, const char **text) {
  ENTER_WITH(cuGetErrorString, false);
  *text = "the fake says so";
  return error > unknown ? invalidValue : success;
}

Result cuDeviceGetCount(int *count) {
  ENTER_WITH(cuDeviceGetCount, false);
  *count = s.devices;
  return success;
}

Result cuDeviceGet(Ordinal *device, int number) {
  ENTER_WITH(cuDeviceGet, false);
  if (number < 0 || number >= s.devices)
    return s.misuse("no such device"), invalidDevice;
  *device = 100 + number;
  return success;
}

Result cuDeviceGetName(char *name, int bytes, Ordinal device) {
  ENTER_WITH(cuDeviceGetName, false);
  snprintf(name, size_t(bytes), "Fake %d", device - 100);
  return success;
}

Result cuDeviceGetAttribute(int *value, Attribute attribute, Ordinal) {
  ENTER_WITH(cuDeviceGetAttribute, false);
  switch (attribute) {
  case maxThreadsPerBlock:
    *value = 1024;
    return success;
  case computeCapabilityMajor:
    *value = s.chip / 10;
    return success;
  case computeCapabilityMinor:
    *value = s.chip % 10;
    return success;
  case maxSharedMemoryPerBlockOptin:
    *value = 163 << 10;
    return success;
  }
  return s.misuse("unknown attribute");
}

Result cuDevicePrimaryCtxRetain(Context *context, Ordinal device) {
  ENTER_WITH(cuDevicePrimaryCtxRetain, false);
  if (!s.isInitialized)
    return notInitialized;
  ContextObject *found = nullptr;
  for (ContextObject *candidate : s.contexts)
    if (candidate->device == device)
      found = candidate;
  if (!found)
    s.contexts.insert(found = new ContextObject{device, 0});
  ++found->references;
  *context = found;
  return success;
}

Result cuDevicePrimaryCtxRelease_v2(Ordinal device) {
  State &s = state();
  std::lock_guard<std::mutex> lock(s.mutex);
  Result result = s.enter("cuDevicePrimaryCtxRelease_v2", false);
  for (ContextObject *candidate : s.contexts)
    if (candidate->device == device) {
      if (--candidate->references > 0)
        return result;
      s.contexts.erase(candidate);
      delete candidate;
      // One device is in use at a time. What a lost one takes with it could not
      // be given back.
      if (!s.sticky)
        s.leaked += s.live();
      s.dropAll();
      s.used = 0;
      s.sticky = success;
      return result;
    }
  return s.misuse("release of a context that nobody has"), invalidContext;
}

Result cuCtxSetCurrent(Context context) {
  ENTER_WITH(cuCtxSetCurrent, false);
  if (context && !s.contexts.count(context))
    return s.misuse("no such context"), invalidContext;
  current = context;
  return success;
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

static void writeLog(unsigned count, JitOption *options, void **values,
                     const char *text) {
  char *log = nullptr;
  size_t bytes = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (options[i] == jitErrorLog)
      log = static_cast<char *>(values[i]);
    if (options[i] == jitErrorLogBytes)
      bytes = reinterpret_cast<size_t>(values[i]);
  }
  if (log && bytes)
    snprintf(log, bytes, "%s", text);
}

Result cuModuleLoadDataEx(Module *module, const void *image,
                          unsigned optionCount, JitOption *options,
                          void **values) {
  ENTER(cuModuleLoadDataEx);
  auto *text = static_cast<const char *>(image);
  auto loaded = std::make_unique<ModuleObject>();
  loaded->isCubin = std::memcmp(text, "\177ELF", 4) == 0;
  if (!loaded->isCubin) {
    std::string ptx = text;
    if (ptx.find("wrong") != ptx.npos) {
      writeLog(optionCount, options, values,
               "ptxas application ptx input, line 7; fatal: what is 'wrong'\n");
      return invalidPtx;
    }
    static const char target[] = ".target sm_";
    size_t at = ptx.find(target);
    if (at != ptx.npos && atoi(ptx.c_str() + at + sizeof target - 1) > s.chip)
      return noBinaryForGpu;
    static const char entry[] = ".entry ";
    for (at = ptx.find(entry); at != ptx.npos; at = ptx.find(entry, at + 1)) {
      size_t begin = at + sizeof entry - 1;
      loaded->names.insert(ptx.substr(begin, ptx.find('(', begin) - begin));
    }
  }
  s.modules.insert(loaded.get());
  *module = loaded.release();
  return success;
}

Result cuModuleUnload(Module module) {
  ENTER_RELEASE(cuModuleUnload);
  if (!s.modules.erase(module))
    return s.misuse("no such module");
  (void)s.drainAll();
  for (FunctionObject *function : module->functions)
    delete function;
  delete module;
  return result;
}

Result cuModuleGetFunction(Function *function, Module module,
                           const char *name) {
  ENTER(cuModuleGetFunction);
  if (!s.modules.count(module))
    return s.misuse("no such module");
  if (!module->isCubin && !module->names.count(name))
    return notFound;
  module->functions.push_back(new FunctionObject{name});
  *function = module->functions.back();
  return success;
}

Result cuFuncSetAttribute(Function function, FunctionAttribute attribute,
                          int value) {
  ENTER(cuFuncSetAttribute);
  if (attribute != maxDynamicSharedBytes || value > 163 << 10)
    return s.misuse("an attribute that cannot be");
  function->maxSharedBytes = unsigned(value);
  return success;
}

Result cuLaunchKernel(Function function, unsigned gridX, unsigned gridY,
                      unsigned gridZ, unsigned blockX, unsigned blockY,
                      unsigned blockZ, unsigned sharedBytes, Stream stream,
                      void **parameters, void **extra) {
  ENTER(cuLaunchKernel);
  if (!gridX || !gridY || !gridZ || gridX > 0x7fffffff || gridY > 65535 ||
      gridZ > 65535 || !blockX || blockX > 1024 || blockY != 1 || blockZ != 1 ||
      sharedBytes > function->maxSharedBytes || parameters)
    return s.misuse("a launch that cannot be");
  Operation operation;
  operation.kind = Operation::launch;
  operation.function = function;
  operation.grid[0] = gridX;
  operation.grid[1] = gridY;
  operation.grid[2] = gridZ;
  operation.threads = blockX;
  operation.sharedBytes = sharedBytes;
  if (extra) {
    const void *arguments = nullptr;
    size_t bytes = 0;
    for (; *extra != launchParamEnd; extra += 2) {
      if (extra[0] == launchParamBufferPointer)
        arguments = extra[1];
      else if (extra[0] == launchParamBufferSize)
        bytes = *static_cast<size_t *>(extra[1]);
      else
        return s.misuse("an unknown parameter of a launch");
    }
    operation.arguments.resize(bytes / 8);
    std::memcpy(operation.arguments.data(), arguments, bytes);
  }
  return s.submit(stream, std::move(operation));
}

//===----------------------------------------------------------------------===//
// Streams and events
//===----------------------------------------------------------------------===//

Result cuStreamCreate(Stream *stream, unsigned) {
  ENTER(cuStreamCreate);
  s.streams.insert(*stream = new StreamObject());
  return success;
}

Result cuStreamDestroy_v2(Stream stream) {
  ENTER_RELEASE(cuStreamDestroy_v2);
  if (!s.streams.count(stream))
    return s.misuse("no such stream");
  (void)s.drain(stream, stream->issued);
  s.streams.erase(stream);
  delete stream;
  return result;
}

Result cuStreamSynchronize(Stream stream) {
  ENTER(cuStreamSynchronize);
  if (!s.streams.count(stream) || stream->capture)
    return s.misuse("waiting for a stream that is captured, or is none");
  return s.drain(stream, stream->issued);
}

Result cuStreamBeginCapture_v2(Stream stream, CaptureMode) {
  ENTER(cuStreamBeginCapture_v2);
  if (stream->capture)
    return s.misuse("a stream is captured twice");
  s.graphs.insert(stream->capture = new GraphObject());
  return success;
}

Result cuStreamEndCapture(Stream stream, Graph *graph) {
  State &s = state();
  std::lock_guard<std::mutex> lock(s.mutex);
  Result result = s.enter("cuStreamEndCapture", true);
  GraphObject *captured = stream->capture;
  stream->capture = nullptr;
  *graph = captured;
  if (result && captured) {
    s.graphs.erase(captured);
    delete captured;
    *graph = nullptr;
  }
  return result;
}

Result cuEventCreate(Event *event, unsigned flags) {
  ENTER(cuEventCreate);
  s.events.insert(*event = new EventObject());
  (*event)->isTimed = !(flags & eventDisableTiming);
  return success;
}

Result cuEventDestroy_v2(Event event) {
  ENTER_RELEASE(cuEventDestroy_v2);
  if (!s.events.erase(event))
    return s.misuse("no such event");
  delete event;
  return result;
}

Result cuEventRecord(Event event, Stream stream) {
  ENTER(cuEventRecord);
  if (!s.events.count(event) || !s.streams.count(stream) || stream->capture)
    return s.misuse("no such event or stream");
  event->stream = stream;
  event->position = stream->issued;
  return success;
}

Result cuEventSynchronize(Event event) {
  ENTER(cuEventSynchronize);
  if (!s.events.count(event))
    return s.misuse("no such event");
  return event->stream ? s.drain(event->stream, event->position) : success;
}

/// A microsecond for each operation.
Result cuEventElapsedTime(float *milliseconds, Event start, Event end) {
  ENTER(cuEventElapsedTime);
  for (Event event : {start, end}) {
    if (!s.events.count(event) || !event->isTimed || !event->stream)
      return s.misuse("the time of an event that is none, has none, or was "
                      "not recorded");
    if (event->stream->executed < event->position)
      return notReady;
  }
  *milliseconds = float(end->position - start->position) * 1e-3f;
  return success;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static Block makeBlock(size_t bytes) {
  Block block = {std::unique_ptr<uint8_t[]>(new uint8_t[bytes]), bytes};
  std::memset(block.memory.get(), 0xcd, bytes);
  return block;
}

Result cuMemAlloc_v2(Address *address, size_t bytes) {
  ENTER(cuMemAlloc_v2);
  for (StreamObject *stream : s.streams)
    if (stream->capture)
      return s.misuse("allocating while a stream is captured");
  if (!bytes)
    return s.misuse("allocating nothing");
  if (bytes > s.memory - s.used)
    return outOfMemory;
  Block block = makeBlock(bytes);
  s.used += bytes;
  *address =
      reinterpret_cast<uintptr_t>(block.memory.get()) + (Address(1) << 56);
  s.blocks.emplace(*address, std::move(block));
  return success;
}

Result cuMemFree_v2(Address address) {
  ENTER_RELEASE(cuMemFree_v2);
  auto block = s.blocks.find(address);
  if (block == s.blocks.end())
    return s.misuse("no such memory");
  (void)s.drainAll();
  s.used -= block->second.bytes;
  s.blocks.erase(block);
  return result;
}

Result cuMemGetInfo_v2(size_t *free, size_t *total) {
  ENTER(cuMemGetInfo_v2);
  *total = s.memory;
  *free = s.memory - s.used;
  return success;
}

Result cuMemHostAlloc(void **address, size_t bytes, unsigned) {
  ENTER(cuMemHostAlloc);
  Block block = makeBlock(bytes);
  *address = block.memory.get();
  s.pinned.emplace(reinterpret_cast<uintptr_t>(*address), std::move(block));
  return success;
}

Result cuMemFreeHost(void *address) {
  ENTER_RELEASE(cuMemFreeHost);
  (void)s.drainAll();
  if (!s.pinned.erase(reinterpret_cast<uintptr_t>(address)))
    return s.misuse("no such pinned memory");
  return result;
}

Result cuMemcpyHtoDAsync_v2(Address destination, const void *source,
                            size_t bytes, Stream stream) {
  ENTER(cuMemcpyHtoDAsync_v2);
  if (!s.isPinned(source, bytes))
    return s.misuse("copying from memory that is not pinned");
  Operation operation;
  operation.kind = Operation::copyToDevice;
  operation.destination = destination;
  operation.host = const_cast<void *>(source);
  operation.count = bytes;
  return s.submit(stream, std::move(operation));
}

Result cuMemcpyDtoHAsync_v2(void *destination, Address source, size_t bytes,
                            Stream stream) {
  ENTER(cuMemcpyDtoHAsync_v2);
  if (!s.isPinned(destination, bytes))
    return s.misuse("copying to memory that is not pinned");
  Operation operation;
  operation.kind = Operation::copyToHost;
  operation.host = destination;
  operation.source = source;
  operation.count = bytes;
  return s.submit(stream, std::move(operation));
}

Result cuMemcpyDtoDAsync_v2(Address destination, Address source, size_t bytes,
                            Stream stream) {
  ENTER(cuMemcpyDtoDAsync_v2);
  Operation operation;
  operation.kind = Operation::copyOnDevice;
  operation.destination = destination;
  operation.source = source;
  operation.count = bytes;
  return s.submit(stream, std::move(operation));
}

static Result fill(State &s, Address destination, uint64_t value, size_t width,
                   size_t count, Stream stream) {
  if (destination % width)
    return s.misuse("a fill that is not aligned");
  Operation operation;
  operation.kind = Operation::fill;
  operation.destination = destination;
  operation.value = value;
  operation.width = width;
  operation.count = count;
  return s.submit(stream, std::move(operation));
}

Result cuMemsetD8Async(Address destination, unsigned char value, size_t count,
                       Stream stream) {
  ENTER(cuMemsetD8Async);
  return fill(s, destination, value, 1, count, stream);
}

Result cuMemsetD16Async(Address destination, unsigned short value, size_t count,
                        Stream stream) {
  ENTER(cuMemsetD16Async);
  return fill(s, destination, value, 2, count, stream);
}

Result cuMemsetD32Async(Address destination, unsigned value, size_t count,
                        Stream stream) {
  ENTER(cuMemsetD32Async);
  return fill(s, destination, value, 4, count, stream);
}

//===----------------------------------------------------------------------===//
// Graphs
//===----------------------------------------------------------------------===//

Result cuGraphInstantiateWithFlags(GraphExec *exec, Graph graph,
                                   unsigned long long) {
  ENTER(cuGraphInstantiateWithFlags);
  if (!s.graphs.count(graph))
    return s.misuse("no such graph");
  auto *made = new GraphExecObject{graph->operations};
  for (Operation &operation : made->operations)
    operation.isReplayed = true;
  s.execs.insert(*exec = made);
  return success;
}

Result cuGraphExecUpdate(GraphExec exec, Graph graph, GraphNode *errorNode,
                         UpdateResult *result) {
  ENTER(cuGraphExecUpdate);
  if (!s.execs.count(exec) || !s.graphs.count(graph) || !errorNode || !result)
    return s.misuse("no such graph");
  if (exec->operations.size() != graph->operations.size())
    return graphExecUpdateFailure;
  for (size_t i = 0; i < graph->operations.size(); ++i)
    if (exec->operations[i].kind != graph->operations[i].kind ||
        exec->operations[i].function != graph->operations[i].function)
      return graphExecUpdateFailure;
  exec->operations = graph->operations;
  for (Operation &operation : exec->operations)
    operation.isReplayed = true;
  return success;
}

Result cuGraphLaunch(GraphExec exec, Stream stream) {
  ENTER(cuGraphLaunch);
  if (!s.execs.count(exec))
    return s.misuse("no such graph");
  for (const Operation &operation : exec->operations)
    if (Result failure = s.submit(stream, operation))
      return failure;
  return success;
}

Result cuGraphDestroy(Graph graph) {
  ENTER_RELEASE(cuGraphDestroy);
  if (!s.graphs.erase(graph))
    return s.misuse("no such graph");
  delete graph;
  return result;
}

Result cuGraphExecDestroy(GraphExec exec) {
  ENTER_RELEASE(cuGraphExecDestroy);
  if (!s.execs.erase(exec))
    return s.misuse("no such graph");
  delete exec;
  return result;
}

} // extern "C"
