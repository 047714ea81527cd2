// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/cuda/cuda_context.h"

#include <algorithm>

using namespace infini;

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

/// Faults after which the context fails every call: what a kernel did, or what
/// the hardware did.
static bool isKernelFault(cuda::Result error) {
  switch (error) {
  case cuda::illegalAddress:
  case cuda::assertFailed:
  case cuda::hardwareStackError:
  case cuda::illegalInstruction:
  case cuda::misalignedAddress:
  case cuda::invalidAddressSpace:
  case cuda::invalidPc:
  case cuda::launchFailed:
    return true;
  default:
    return false;
  }
}

static bool isLoss(cuda::Result error) {
  switch (error) {
  case cuda::deinitialized:
  case cuda::deviceUnavailable:
  case cuda::eccUncorrectable:
  case cuda::launchTimeout:
  case cuda::contextIsDestroyed:
  case cuda::unknown:
    return true;
  default:
    return isKernelFault(error);
  }
}

std::string CudaContext::name() const {
  if (model.empty())
    return text("GPU ", index);
  return text("GPU ", index, " (", model, chipName.empty() ? "" : ", ",
              chipName, ")");
}

Status CudaContext::failed(cuda::Result error, const std::string &what) {
  // What came first is the cause.
  if (!lost.empty())
    return Status(lostCode, lost);
  std::string message = text(name(), ": ", what, ": ", driver.describe(error));
  // Before there is a context there is nothing to lose.
  if (!context || !isLoss(error))
    return Status(error == cuda::outOfMemory ? INFINI_OUT_OF_MEMORY
                                             : INFINI_USER_ERROR,
                  message);
  message +=
      "; the GPU's memory is lost, open the device and the session again";
  // What a kernel did wrong is the compiler's fault.
  lostCode = isKernelFault(error) ? INFINI_BUG : INFINI_USER_ERROR;
  lost = message;
  return Status(lostCode, message);
}

Status CudaContext::use() {
  if (!lost.empty())
    return Status(lostCode, lost);
  return check(driver.contextSetCurrent(context),
               [] { return "making its context current"; });
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Status CudaContext::allocate(size_t bytes, cuda::Address &address) {
  // The driver aligns to 256 bytes, and refuses 0.
  cuda::Result error = driver.memAlloc(&address, std::max<size_t>(bytes, 1));
  if (error != cuda::outOfMemory)
    return check(error, [&] { return text("allocating ", bytes, " bytes"); });
  size_t free = 0, total = 0;
  std::string rest = driver.memGetInfo(&free, &total) == cuda::success
                         ? text(", ", free, " of ", total, " are free")
                         : "";
  return failed(error, text("allocating ", bytes, " bytes", rest));
}

void CudaContext::release(cuda::Address address) {
  if (!address)
    return;
  std::lock_guard<std::recursive_mutex> lock(mutex);
  // Also when the GPU is lost: there is nobody to tell.
  (void)driver.contextSetCurrent(context);
  (void)driver.memFree(address);
}

//===----------------------------------------------------------------------===//
// Opening
//===----------------------------------------------------------------------===//

Status CudaContext::findDevice(unsigned wanted) {
  int count = 0;
  index = wanted;
  INFINI_TRY(check(driver.init(0), [] { return "starting NVIDIA's driver"; }));
  INFINI_TRY(check(driver.deviceGetCount(&count),
                   [] { return "counting NVIDIA's GPUs"; }));
  std::string list;
  for (int i = 0; i < count; ++i) {
    char buffer[256] = "";
    INFINI_TRY(check(driver.deviceGet(&ordinal, i),
                     [&] { return text("finding GPU ", i); }));
    INFINI_TRY(check(driver.deviceGetName(buffer, sizeof buffer - 1, ordinal),
                     [&] { return text("asking for the name of GPU ", i); }));
    list += text(i ? ", " : "", i, " (", buffer, ")");
    if (unsigned(i) == wanted) {
      model = buffer;
      return Status();
    }
  }
  if (count <= 0)
    return userError("NVIDIA's driver finds no GPU");
  return userError("there is no GPU ", wanted, "; there ",
                   count == 1 ? "is: " : "are: ", list);
}

Status CudaContext::attribute(cuda::Attribute attribute, const char *what,
                              int &value) {
  return check(driver.deviceGetAttribute(&value, attribute, ordinal),
               [&] { return text("asking for its ", what); });
}

Status CudaContext::open(unsigned index, std::shared_ptr<CudaContext> &result) {
  std::shared_ptr<CudaContext> gpu(new CudaContext());
  INFINI_TRY(CudaDriver::open(gpu->driver));
  INFINI_TRY(gpu->findDevice(index));
  INFINI_TRY(gpu->attribute(cuda::computeCapabilityMajor, "architecture",
                            gpu->chip.major));
  INFINI_TRY(gpu->attribute(cuda::computeCapabilityMinor, "architecture",
                            gpu->chip.minor));
  gpu->chipName = gpu->chip.name();
  INFINI_TRY(gpu->attribute(cuda::maxThreadsPerBlock, "threads a block",
                            gpu->maxThreads));
  INFINI_TRY(gpu->attribute(cuda::maxSharedMemoryPerBlockOptin,
                            "shared memory a block", gpu->maxSharedBytes));
  cuda::Context context = nullptr;
  INFINI_TRY(
      gpu->check(gpu->driver.primaryContextRetain(&context, gpu->ordinal),
                 [] { return "making its context"; }));
  gpu->context = context;
  INFINI_TRY(gpu->use());
  // Not in step with the default stream, which is the process's own.
  INFINI_TRY(gpu->check(
      gpu->driver.streamCreate(&gpu->stream, cuda::streamNonBlocking),
      [] { return "making a stream"; }));
  result = std::move(gpu);
  return Status();
}

CudaContext::~CudaContext() {
  if (!context)
    return;
  (void)driver.contextSetCurrent(context);
  if (stream)
    (void)driver.streamDestroy(stream);
  (void)driver.contextSetCurrent(nullptr);
  (void)driver.primaryContextRelease(ordinal);
}
