// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The passes; Passes.td documents each.

#ifndef INFINI_PASSES_PASSES_H
#define INFINI_PASSES_PASSES_H

#include "infini/passes/infini/ScheduleCost.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace infini {

#define GEN_PASS_DECL
#include "infini/passes/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "infini/passes/Passes.h.inc"

/// Each infini op but segment_scan to its definition in linalg.
void populateInfiniDecomposePatterns(mlir::RewritePatternSet &patterns);

} // namespace infini

#endif // INFINI_PASSES_PASSES_H
