// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/cpu/loader.h"
#include "infini/runtime/devices/cpu/cpu_features.h"
#include "infini/runtime/elf_image.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace infini;

Status infini::checkCpuTarget(const Target &target) {
  std::string architecture = target.triple.substr(0, target.triple.find('-'));
  if (architecture != hostArchitecture())
    return userError("the kernels are for ", quoted(target.triple),
                     ", this processor is ", quoted(hostArchitecture()));
  for (const std::string &feature : target.features) {
    // What must be off does not hinder.
    if (feature.empty() || feature[0] == '-')
      continue;
    switch (cpuFeatureSupport(feature)) {
    case FeatureSupport::present:
      break;
    case FeatureSupport::absent:
      return userError("the kernels need the processor feature ",
                       quoted(feature),
                       ", which this machine lacks; compile "
                       "for a lower target, such as 'cpu:x86-64-v3'");
    case FeatureSupport::unknown:
      return userError("the kernels need the processor feature ",
                       quoted(feature), ", which this runtime cannot check");
    }
  }
  return Status();
}

CpuImage::~CpuImage() {
  if (library)
    dlclose(library);
  if (fd >= 0)
    close(fd);
}

static int makeMemoryFile() {
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
  // Where the kernel knows the flag, its administrator may have made memory
  // files non-executable by default.
  int fd = memfd_create("infini-kernels", MFD_CLOEXEC | MFD_EXEC);
  return fd >= 0 ? fd : memfd_create("infini-kernels", MFD_CLOEXEC);
}

static void fillImports(void *table, size_t bytes) {
  // The casts choose among the overloads that C++ adds to math.h.
#define INFINI_IMPORT(name, result, arguments)                                 \
  reinterpret_cast<void *>(static_cast<result(*) arguments>(&::name)),
  void *const imports[] = {INFINI_KERNEL_IMPORTS(INFINI_IMPORT)};
#undef INFINI_IMPORT
  std::memcpy(table, imports, std::min(bytes, sizeof imports));
}

Status CpuImage::load(const Target &target, const std::vector<Kernel> &kernels,
                      std::unique_ptr<CpuImage> &result) {
  std::unique_ptr<CpuImage> image(new CpuImage());
  if (kernels.empty()) {
    result = std::move(image);
    return Status();
  }
  image->fd = makeMemoryFile();
  if (image->fd < 0)
    return userError("cannot make a memory file for the kernels: ",
                     strerror(errno));
  for (size_t done = 0; done < target.imageBytes;) {
    ssize_t count =
        write(image->fd, target.image + done, target.imageBytes - done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return errno == ENOMEM || errno == ENOSPC
                 ? Status::outOfMemory()
                 : userError("cannot write the kernels to a memory file: ",
                             strerror(errno));
    done += static_cast<size_t>(count);
  }
  // The descriptor stays open as long as the library: the dynamic linker knows
  // it by this path, and would take the next image of the same number for it.
  std::string path = "/proc/self/fd/" + std::to_string(image->fd);
  image->library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!image->library)
    return userError("the dynamic linker refuses the kernels: ", dlerror());
  for (const Kernel &kernel : kernels) {
    void *address = dlsym(image->library, kernel.name.c_str());
    if (!address)
      return bug("kernel ", quoted(kernel.name),
                 " was verified and is not found: ", dlerror());
    image->kernels.push_back(reinterpret_cast<infini_kernel>(address));
  }
  void *table = dlsym(image->library, "infini_imports");
  Dl_info info;
  const ElfW(Sym) *symbol = nullptr;
  if (!table ||
      !dladdr1(table, &info,
               reinterpret_cast<void **>(const_cast<ElfW(Sym) **>(&symbol)),
               RTLD_DL_SYMENT) ||
      !symbol)
    return bug("'infini_imports' was verified and is not found");
  fillImports(table, symbol->st_size);
  result = std::move(image);
  return Status();
}
