// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The runtime's list of the driver's functions against NVIDIA's own header,
// where there is one: a signature or a number that differs does not compile.

// With the functions of earlier versions under their names in the library.
#define __CUDA_API_VERSION_INTERNAL
#include <cuda.h>

#include "infini/runtime/devices/cuda/cuda_symbols.h"

#include <gtest/gtest.h>
#include <type_traits>

namespace {

/// Whether two types are passed alike: numbers and enumerations of one size,
/// handles (pointers to what is not told) for handles, pointers to such types.
template <typename A, typename B> struct Alike {
  static constexpr bool value() {
    using PlainA = std::remove_cv_t<A>;
    using PlainB = std::remove_cv_t<B>;
    constexpr bool areNumbers =
        (std::is_integral_v<PlainA> || std::is_enum_v<PlainA>)&&(
            std::is_integral_v<PlainB> || std::is_enum_v<PlainB>);
    if constexpr (std::is_pointer_v<PlainA> && std::is_pointer_v<PlainB>)
      return Alike<std::remove_pointer_t<PlainA>,
                   std::remove_pointer_t<PlainB>>::value();
    else if constexpr (areNumbers)
      return sizeof(PlainA) == sizeof(PlainB);
    else if constexpr (std::is_class_v<PlainA> && std::is_class_v<PlainB>)
      return true;
    else
      return std::is_same_v<PlainA, PlainB>;
  }
};

template <typename A, typename B> struct AlikeFunctions : std::false_type {};
template <typename ResultA, typename... A, typename ResultB, typename... B>
struct AlikeFunctions<ResultA (*)(A...), ResultB (*)(B...)> {
  static constexpr bool value() {
    if constexpr (sizeof...(A) == sizeof...(B))
      return Alike<ResultA, ResultB>::value() && (Alike<A, B>::value() && ...);
    else
      return false;
  }
};

#define INFINI_CHECK(name, symbol, arguments)                                  \
  static_assert(                                                               \
      AlikeFunctions<decltype(&::symbol),                                      \
                     decltype(infini::cuda::Functions::name)>::value(),        \
      "the signature of " #symbol " differs from the one in cuda.h");
INFINI_CUDA_SYMBOLS(INFINI_CHECK)
#undef INFINI_CHECK

// It tells differences.
static_assert(
    !AlikeFunctions<decltype(&::cuMemFree_v2),
                    decltype(infini::cuda::Functions::init)>::value());
static_assert(
    !AlikeFunctions<decltype(&::cuMemAlloc_v2),
                    decltype(infini::cuda::Functions::memHostAlloc)>::value());

#define INFINI_SAME(ours, theirs)                                              \
  static_assert(int(infini::cuda::ours) == int(theirs), #theirs)
INFINI_SAME(success, CUDA_SUCCESS);
INFINI_SAME(invalidValue, CUDA_ERROR_INVALID_VALUE);
INFINI_SAME(outOfMemory, CUDA_ERROR_OUT_OF_MEMORY);
INFINI_SAME(notInitialized, CUDA_ERROR_NOT_INITIALIZED);
INFINI_SAME(deinitialized, CUDA_ERROR_DEINITIALIZED);
INFINI_SAME(deviceUnavailable, CUDA_ERROR_DEVICE_UNAVAILABLE);
INFINI_SAME(noDevice, CUDA_ERROR_NO_DEVICE);
INFINI_SAME(invalidDevice, CUDA_ERROR_INVALID_DEVICE);
INFINI_SAME(invalidContext, CUDA_ERROR_INVALID_CONTEXT);
INFINI_SAME(noBinaryForGpu, CUDA_ERROR_NO_BINARY_FOR_GPU);
INFINI_SAME(eccUncorrectable, CUDA_ERROR_ECC_UNCORRECTABLE);
INFINI_SAME(invalidPtx, CUDA_ERROR_INVALID_PTX);
INFINI_SAME(jitCompilerNotFound, CUDA_ERROR_JIT_COMPILER_NOT_FOUND);
INFINI_SAME(unsupportedPtxVersion, CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
INFINI_SAME(notFound, CUDA_ERROR_NOT_FOUND);
INFINI_SAME(illegalAddress, CUDA_ERROR_ILLEGAL_ADDRESS);
INFINI_SAME(launchTimeout, CUDA_ERROR_LAUNCH_TIMEOUT);
INFINI_SAME(contextIsDestroyed, CUDA_ERROR_CONTEXT_IS_DESTROYED);
INFINI_SAME(assertFailed, CUDA_ERROR_ASSERT);
INFINI_SAME(hardwareStackError, CUDA_ERROR_HARDWARE_STACK_ERROR);
INFINI_SAME(illegalInstruction, CUDA_ERROR_ILLEGAL_INSTRUCTION);
INFINI_SAME(misalignedAddress, CUDA_ERROR_MISALIGNED_ADDRESS);
INFINI_SAME(invalidAddressSpace, CUDA_ERROR_INVALID_ADDRESS_SPACE);
INFINI_SAME(invalidPc, CUDA_ERROR_INVALID_PC);
INFINI_SAME(launchFailed, CUDA_ERROR_LAUNCH_FAILED);
INFINI_SAME(graphExecUpdateFailure, CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE);
INFINI_SAME(unknown, CUDA_ERROR_UNKNOWN);
INFINI_SAME(maxThreadsPerBlock, CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
INFINI_SAME(computeCapabilityMajor,
            CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
INFINI_SAME(computeCapabilityMinor,
            CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
INFINI_SAME(maxSharedMemoryPerBlockOptin,
            CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
INFINI_SAME(maxDynamicSharedBytes,
            CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
INFINI_SAME(jitInfoLog, CU_JIT_INFO_LOG_BUFFER);
INFINI_SAME(jitInfoLogBytes, CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES);
INFINI_SAME(jitErrorLog, CU_JIT_ERROR_LOG_BUFFER);
INFINI_SAME(jitErrorLogBytes, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);
INFINI_SAME(captureThreadLocal, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
INFINI_SAME(streamNonBlocking, CU_STREAM_NON_BLOCKING);
INFINI_SAME(eventWithTiming, CU_EVENT_DEFAULT);
INFINI_SAME(eventDisableTiming, CU_EVENT_DISABLE_TIMING);
#undef INFINI_SAME

TEST(CudaHeader, Agrees) {
  EXPECT_EQ(infini::cuda::launchParamEnd, CU_LAUNCH_PARAM_END);
  EXPECT_EQ(infini::cuda::launchParamBufferPointer,
            CU_LAUNCH_PARAM_BUFFER_POINTER);
  EXPECT_EQ(infini::cuda::launchParamBufferSize, CU_LAUNCH_PARAM_BUFFER_SIZE);
  EXPECT_GE(CUDA_VERSION, infini::cuda::oldestDriverVersion);
}

} // namespace
