// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// e^x and 2^x as straight-line code.

#ifndef INFINI_PASSES_KERNEL_EXPONENTIAL_H
#define INFINI_PASSES_KERNEL_EXPONENTIAL_H

#include "infini/passes/kernel/FloatEmitter.h"

namespace infini {

/// x = n ln 2 + r with n the nearest integer: e^x = 2^n (1 + `rest`).
struct SplitExponential {
  mlir::Value exponent, rest;
};
/// `x` is in a range where neither 2^n nor its inverse is far out of range.
SplitExponential splitExponential(FloatEmitter &e, mlir::Value x);

/// e^x, within 2 units of the last place.
mlir::Value exponential(FloatEmitter &e, mlir::Value x);
/// e^x / 2, likewise, even where e^x is out of range.
mlir::Value halfExponential(FloatEmitter &e, mlir::Value x);
/// 2^x, likewise.
mlir::Value exponential2(FloatEmitter &e, mlir::Value x);

} // namespace infini

#endif // INFINI_PASSES_KERNEL_EXPONENTIAL_H
