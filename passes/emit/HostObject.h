// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels in the LLVM dialect to an ELF shared object for a CPU.

#ifndef INFINI_PASSES_EMIT_HOSTOBJECT_H
#define INFINI_PASSES_EMIT_HOSTOBJECT_H

#include "infini/passes/emit/Profile.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <string>
#include <vector>

namespace infini {

/// A CPU to generate code for.
struct CpuTarget {
  std::string triple;
  /// LLVM's name, such as "znver4" or "x86-64-v3".
  std::string cpu;
  /// Features that the code may use and the runtime has to check, without '+'.
  std::vector<std::string> features;
  bool hasAVX512 = false;
};

/// "host", or one of LLVM's CPU names, such as "x86-64-v3".
llvm::FailureOr<CpuTarget> cpuTarget(llvm::StringRef name, std::string &error);

/// What to make of the kernels.
enum class HostOutput { LLVMIR, Assembly, SharedObject };

/// All kernels of `module` in one image (or as text). It exports each kernel
/// and the table `infini_imports`, and has no undefined symbols.
mlir::FailureOr<llvm::SmallVector<char, 0>>
emitHostObject(mlir::ModuleOp module, const CpuTarget &target,
               HostOutput output, Profile &profile);

} // namespace infini

#endif // INFINI_PASSES_EMIT_HOSTOBJECT_H
