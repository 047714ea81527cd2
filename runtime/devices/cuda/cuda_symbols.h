// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is used of NVIDIA's driver: one list, which declares the functions,
// loads them, and makes the fake driver of the tests. The types are written
// here, so that building needs no vendor's header;
// test/runtime/cuda_header_test.cpp compares them with that header where there
// is one.

#ifndef INFINI_RUNTIME_DEVICES_CUDA_CUDA_SYMBOLS_H
#define INFINI_RUNTIME_DEVICES_CUDA_CUDA_SYMBOLS_H

#include <cstddef>
#include <cstdint>

namespace infini::cuda {

/// CUresult, with the values that are told apart here.
using Result = int;
enum : Result {
  success = 0,
  invalidValue = 1,
  outOfMemory = 2,
  notInitialized = 3,
  deinitialized = 4,
  deviceUnavailable = 46,
  noDevice = 100,
  invalidDevice = 101,
  invalidImage = 200,
  invalidContext = 201,
  noBinaryForGpu = 209,
  eccUncorrectable = 214,
  invalidPtx = 218,
  jitCompilerNotFound = 221,
  unsupportedPtxVersion = 222,
  notFound = 500,
  notReady = 600,
  illegalAddress = 700,
  launchOutOfResources = 701,
  launchTimeout = 702,
  contextIsDestroyed = 709,
  assertFailed = 710,
  hardwareStackError = 714,
  illegalInstruction = 715,
  misalignedAddress = 716,
  invalidAddressSpace = 717,
  invalidPc = 718,
  launchFailed = 719,
  notSupported = 801,
  captureInvalidated = 901,
  graphExecUpdateFailure = 910,
  unknown = 999
};

/// CUdevice, CUdeviceptr.
using Ordinal = int;
using Address = unsigned long long;

using Context = struct ContextObject *;
using Module = struct ModuleObject *;
using Function = struct FunctionObject *;
using Stream = struct StreamObject *;
using Event = struct EventObject *;
using Graph = struct GraphObject *;
using GraphExec = struct GraphExecObject *;
using GraphNode = struct GraphNodeObject *;

/// CUdevice_attribute.
enum Attribute : int {
  maxThreadsPerBlock = 1,
  computeCapabilityMajor = 75,
  computeCapabilityMinor = 76,
  maxSharedMemoryPerBlockOptin = 97
};

/// CUfunction_attribute.
enum FunctionAttribute : int { maxDynamicSharedBytes = 8 };

/// CUjit_option.
enum JitOption : int {
  jitInfoLog = 3,
  jitInfoLogBytes = 4,
  jitErrorLog = 5,
  jitErrorLogBytes = 6
};

/// CUstreamCaptureMode.
enum CaptureMode : int { captureThreadLocal = 1 };

/// CUgraphExecUpdateResult.
using UpdateResult = int;

// Flags.
constexpr unsigned streamNonBlocking = 1, eventWithTiming = 0,
                   eventDisableTiming = 2;

// Keys of cuLaunchKernel's `extra`.
inline void *const launchParamEnd = nullptr;
inline void *const launchParamBufferPointer = reinterpret_cast<void *>(1);
inline void *const launchParamBufferSize = reinterpret_cast<void *>(2);

/// The oldest driver that has everything below: 11.4.
constexpr int oldestDriverVersion = 11040;

/// X(name, symbol, arguments). Where the driver has several versions of a
/// function, the symbol says which; all return a Result.
#define INFINI_CUDA_SYMBOLS(X)                                                 \
  X(driverGetVersion, cuDriverGetVersion, (int *version))                      \
  X(init, cuInit, (unsigned flags))                                            \
  X(getErrorName, cuGetErrorName, (Result error, const char **name))           \
  X(getErrorString, cuGetErrorString, (Result error, const char **text))       \
  X(deviceGetCount, cuDeviceGetCount, (int *count))                            \
  X(deviceGet, cuDeviceGet, (Ordinal * device, int number))                    \
  X(deviceGetName, cuDeviceGetName, (char *name, int bytes, Ordinal device))   \
  X(deviceGetAttribute, cuDeviceGetAttribute,                                  \
    (int *value, Attribute attribute, Ordinal device))                         \
  X(primaryContextRetain, cuDevicePrimaryCtxRetain,                            \
    (Context * context, Ordinal device))                                       \
  X(primaryContextRelease, cuDevicePrimaryCtxRelease_v2, (Ordinal device))     \
  X(contextSetCurrent, cuCtxSetCurrent, (Context context))                     \
  X(moduleLoadDataEx, cuModuleLoadDataEx,                                      \
    (Module * module, const void *image, unsigned optionCount,                 \
     JitOption *options, void **values))                                       \
  X(moduleUnload, cuModuleUnload, (Module module))                             \
  X(moduleGetFunction, cuModuleGetFunction,                                    \
    (Function * function, Module module, const char *name))                    \
  X(functionSetAttribute, cuFuncSetAttribute,                                  \
    (Function function, FunctionAttribute attribute, int value))               \
  X(launchKernel, cuLaunchKernel,                                              \
    (Function function, unsigned gridX, unsigned gridY, unsigned gridZ,        \
     unsigned blockX, unsigned blockY, unsigned blockZ, unsigned sharedBytes,  \
     Stream stream, void **parameters, void **extra))                          \
  X(streamCreate, cuStreamCreate, (Stream * stream, unsigned flags))           \
  X(streamDestroy, cuStreamDestroy_v2, (Stream stream))                        \
  X(streamSynchronize, cuStreamSynchronize, (Stream stream))                   \
  X(streamBeginCapture, cuStreamBeginCapture_v2,                               \
    (Stream stream, CaptureMode mode))                                         \
  X(streamEndCapture, cuStreamEndCapture, (Stream stream, Graph * graph))      \
  X(eventCreate, cuEventCreate, (Event * event, unsigned flags))               \
  X(eventDestroy, cuEventDestroy_v2, (Event event))                            \
  X(eventRecord, cuEventRecord, (Event event, Stream stream))                  \
  X(eventSynchronize, cuEventSynchronize, (Event event))                       \
  X(eventElapsedTime, cuEventElapsedTime,                                      \
    (float *milliseconds, Event start, Event end))                             \
  X(memAlloc, cuMemAlloc_v2, (Address * address, size_t bytes))                \
  X(memFree, cuMemFree_v2, (Address address))                                  \
  X(memGetInfo, cuMemGetInfo_v2, (size_t * free, size_t * total))              \
  X(memHostAlloc, cuMemHostAlloc,                                              \
    (void **address, size_t bytes, unsigned flags))                            \
  X(memFreeHost, cuMemFreeHost, (void *address))                               \
  X(copyToDevice, cuMemcpyHtoDAsync_v2,                                        \
    (Address destination, const void *source, size_t bytes, Stream stream))    \
  X(copyToHost, cuMemcpyDtoHAsync_v2,                                          \
    (void *destination, Address source, size_t bytes, Stream stream))          \
  X(copyOnDevice, cuMemcpyDtoDAsync_v2,                                        \
    (Address destination, Address source, size_t bytes, Stream stream))        \
  X(fill8, cuMemsetD8Async,                                                    \
    (Address destination, unsigned char value, size_t count, Stream stream))   \
  X(fill16, cuMemsetD16Async,                                                  \
    (Address destination, unsigned short value, size_t count, Stream stream))  \
  X(fill32, cuMemsetD32Async,                                                  \
    (Address destination, unsigned value, size_t count, Stream stream))        \
  X(graphInstantiate, cuGraphInstantiateWithFlags,                             \
    (GraphExec * exec, Graph graph, unsigned long long flags))                 \
  X(graphExecUpdate, cuGraphExecUpdate,                                        \
    (GraphExec exec, Graph graph, GraphNode * errorNode,                       \
     UpdateResult * result))                                                   \
  X(graphLaunch, cuGraphLaunch, (GraphExec exec, Stream stream))               \
  X(graphDestroy, cuGraphDestroy, (Graph graph))                               \
  X(graphExecDestroy, cuGraphExecDestroy, (GraphExec exec))

struct Functions {
#define INFINI_MEMBER(name, symbol, arguments)                                 \
  Result(*name) arguments = nullptr;
  INFINI_CUDA_SYMBOLS(INFINI_MEMBER)
#undef INFINI_MEMBER
};

} // namespace infini::cuda

#endif // INFINI_RUNTIME_DEVICES_CUDA_CUDA_SYMBOLS_H
