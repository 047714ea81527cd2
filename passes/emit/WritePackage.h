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

/// One target's code: the fields of `Target` in runtime/package.fbs.
struct TargetImage {
  std::string kind, triple, cpu;
  std::vector<std::string> features;
  llvm::SmallVector<char, 0> image;
};

/// The bytes of a package file: header and payload. The same module and images
/// give the same bytes.
mlir::FailureOr<std::string> writePackage(mlir::ModuleOp module,
                                          llvm::ArrayRef<TargetImage> targets);

} // namespace infini

#endif // INFINI_PASSES_EMIT_WRITEPACKAGE_H
