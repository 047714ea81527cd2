// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/cuda/driver.h"

#include <cstdlib>
#include <dlfcn.h>

using namespace infini;

std::string infini::cudaVersionText(int version) {
  return text(version / 1000, ".", version % 1000 / 10);
}

std::string CudaDriver::describe(cuda::Result error) const {
  const char *name = nullptr, *explanation = nullptr;
  // They know no text for errors that are newer than they are.
  if (getErrorName(error, &name) != cuda::success || !name)
    name = "unknown error";
  if (getErrorString(error, &explanation) != cuda::success || !explanation)
    return text(name, " (", error, ")");
  return text(name, " (", error, "): ", explanation);
}

Status CudaDriver::loadLibrary(void *&library, std::string &path) {
  // By its name first, as the system's linker finds it, then where it lies on
  // systems whose linker does not.
  static const char *const places[] = {
      "libcuda.so.1",
      "/usr/lib/x86_64-linux-gnu/libcuda.so.1",
      "/usr/lib/aarch64-linux-gnu/libcuda.so.1",
      "/usr/lib64/libcuda.so.1",
      "/usr/lib/wsl/lib/libcuda.so.1",
      "/run/opengl-driver/lib/libcuda.so.1",
  };
  std::string tried;
  auto load = [&](const char *place) {
    library = dlopen(place, RTLD_NOW | RTLD_LOCAL);
    if (library) {
      path = place;
      return true;
    }
    const char *reason = dlerror();
    tried += text("\n  ", quoted(place), ": ", reason ? reason : "no reason");
    return false;
  };
  if (const char *named = getenv("INFINI_LIBCUDA"); named && *named) {
    if (load(named))
      return Status();
    return userError("cannot load NVIDIA's driver from the library that "
                     "INFINI_LIBCUDA names:",
                     tried);
  }
  for (const char *place : places)
    if (load(place))
      return Status();
  return userError("cannot find NVIDIA's driver; install it, or name its "
                   "library in INFINI_LIBCUDA; tried:",
                   tried);
}

Status CudaDriver::loadSymbols(void *library, const std::string &path) {
  auto load = [&](const char *symbol, auto &function) {
    void *address = dlsym(library, symbol);
    function = reinterpret_cast<std::decay_t<decltype(function)>>(address);
    if (address)
      return Status();
    return userError(
        "NVIDIA's driver ", quoted(path), " lacks the function ",
        quoted(symbol),
        version ? text(", it is of version ", cudaVersionText(version)) : "",
        "; expected a driver of version ",
        cudaVersionText(cuda::oldestDriverVersion), " or newer");
  };
  // The version first, because it explains what is missing.
  INFINI_TRY(load("cuDriverGetVersion", driverGetVersion));
  if (cuda::Result error = driverGetVersion(&version))
    return userError("NVIDIA's driver ", quoted(path),
                     " does not tell its version: error ", error);
  if (version < cuda::oldestDriverVersion)
    return userError("NVIDIA's driver ", quoted(path), " is of version ",
                     cudaVersionText(version), ", expected ",
                     cudaVersionText(cuda::oldestDriverVersion),
                     " or newer; update the driver");
#define INFINI_LOAD(name, symbol, arguments) INFINI_TRY(load(#symbol, name));
  INFINI_CUDA_SYMBOLS(INFINI_LOAD)
#undef INFINI_LOAD
  return Status();
}

Status CudaDriver::open(CudaDriver &driver) {
  void *library = nullptr;
  std::string path;
  INFINI_TRY(driver.loadLibrary(library, path));
  return driver.loadSymbols(library, path);
}
