// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/cuda/cuda_module.h"

#include <algorithm>

using namespace infini;

CudaModule::CudaModule(std::shared_ptr<CudaContext> context)
    : step(*context, list), context(std::move(context)) {}

CudaModule::~CudaModule() {
  std::lock_guard<std::recursive_mutex> lock(context->mutex);
  (void)context->driver.contextSetCurrent(context->handle());
  step.discardGraph();
  if (module)
    (void)context->driver.moduleUnload(module);
}

/// What the driver's compiler said, without the NULs and newlines behind it.
static std::string logText(const std::vector<char> &log) {
  std::string result(log.begin(), std::find(log.begin(), log.end(), '\0'));
  while (!result.empty() && (result.back() == '\n' || result.back() == ' '))
    result.pop_back();
  return result;
}

Status CudaModule::loadImage(const Target &target) {
  std::string ptx;
  const void *image = target.image;
  if (target.format == ImageFormat::ptx) {
    ptx.assign(reinterpret_cast<const char *>(target.image), target.imageBytes);
    image = ptx.c_str();
  }
  constexpr size_t logBytes = 8192;
  std::vector<char> errors(logBytes), notes(logBytes);
  cuda::JitOption options[] = {cuda::jitErrorLog, cuda::jitErrorLogBytes,
                               cuda::jitInfoLog, cuda::jitInfoLogBytes};
  // Numbers travel in the pointers.
  void *values[] = {errors.data(), reinterpret_cast<void *>(logBytes),
                    notes.data(), reinterpret_cast<void *>(logBytes)};
  cuda::Result error =
      context->driver.moduleLoadDataEx(&module, image, 4, options, values);
  if (error == cuda::success)
    return Status();
  module = nullptr;
  std::string what =
      text("loading the kernels for ", quoted(target.chip),
           target.format == ImageFormat::ptx ? " (ptx)" : " (cubin)");
  Status status = context->failed(error, what);
  std::string more;
  if (error == cuda::unsupportedPtxVersion ||
      error == cuda::jitCompilerNotFound)
    more = text("; the driver is of version ",
                cudaVersionText(context->driver.version),
                ", update it, or compile the package to a cubin");
  for (const std::string &log : {logText(errors), logText(notes)})
    if (!log.empty())
      more += "\n" + log;
  return more.empty() ? std::move(status)
                      : Status(status.code(), status.message() + more);
}

Status CudaModule::findKernels(const Target &target,
                               const std::vector<Kernel> &kernels) {
  // More shared memory than this must be asked for.
  constexpr uint32_t sharedBytesWithoutAsking = 48 << 10;
  for (size_t i = 0; i < kernels.size(); ++i) {
    const KernelLaunch &launch = target.launches[i];
    std::string place = "kernel " + quoted(kernels[i].name);
    if (launch.threads > uint32_t(context->maxThreads) ||
        launch.sharedBytes > uint32_t(context->maxSharedBytes))
      return userError(place, " needs ", launch.threads, " threads and ",
                       launch.sharedBytes, " bytes of shared memory a block, ",
                       context->name(), " has ", context->maxThreads, " and ",
                       context->maxSharedBytes);
    CudaKernel kernel = {nullptr, kernels[i].name, launch.threads,
                         launch.sharedBytes};
    INFINI_TRY(
        context->check(context->driver.moduleGetFunction(
                           &kernel.function, module, kernel.name.c_str()),
                       [&] { return text("finding ", place); }));
    if (launch.sharedBytes > sharedBytesWithoutAsking)
      INFINI_TRY(context->check(
          context->driver.functionSetAttribute(kernel.function,
                                               cuda::maxDynamicSharedBytes,
                                               int(launch.sharedBytes)),
          [&] {
            return text("giving ", place, " ", launch.sharedBytes,
                        " bytes of shared memory");
          }));
    list.push_back(std::move(kernel));
  }
  return Status();
}

Status CudaModule::load(std::shared_ptr<CudaContext> context,
                        const Program &program, size_t number,
                        std::unique_ptr<CudaModule> &result) {
  const Target &target = program.targets[number];
  std::unique_ptr<CudaModule> module(new CudaModule(std::move(context)));
  module->target = number;
  const std::vector<Kernel> &kernels = program.variants[target.variant].kernels;
  if (!kernels.empty()) {
    INFINI_TRY(module->loadImage(target));
    INFINI_TRY(module->findKernels(target, kernels));
  }
  result = std::move(module);
  return Status();
}
