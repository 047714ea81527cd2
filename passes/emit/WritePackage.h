// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A planned schedule and its images to a package.

#ifndef INFINI_PASSES_EMIT_WRITEPACKAGE_H
#define INFINI_PASSES_EMIT_WRITEPACKAGE_H

#include "mlir/IR/BuiltinOps.h"
#include <string>
#include <vector>

namespace infini {

/// How a GPU runs a block of a kernel.
struct LaunchShape {
  uint32_t threads, sharedBytes;
};

/// One target's code: the fields of `Target` in runtime/package.fbs.
struct TargetImage {
  enum Format { Elf, Ptx, Cubin };

  std::string kind, triple, cpu;
  std::vector<std::string> features;
  llvm::SmallVector<char, 0> image;
  /// Of a GPU, simulated or not: "sm_80".
  std::string chip;
  Format format = Elf;
  /// Of a GPU, one a kernel; none: what the attributes `program.threads` and
  /// `program.shared_bytes` of the kernels' modules say.
  std::vector<LaunchShape> launches;
};

/// A schedule and the images of the targets that it is for. Kernels are the
/// module's.
struct CompiledVariant {
  mlir::ModuleOp module;
  llvm::SmallVector<TargetImage, 1> images;
};

/// The bytes of a package file: header and payload. The same modules and images
/// give the same bytes. What the package says of the model and of its source is
/// from the first variant.
mlir::FailureOr<std::string>
writePackage(llvm::ArrayRef<CompiledVariant> variants);

} // namespace infini

#endif // INFINI_PASSES_EMIT_WRITEPACKAGE_H
