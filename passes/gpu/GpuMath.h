// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions without an instruction on GPUs, as code in f32 and f64.

#ifndef INFINI_PASSES_GPU_GPUMATH_H
#define INFINI_PASSES_GPU_GPUMATH_H

#include "infini/passes/kernel/MathFunction.h"

namespace infini {

/// exp, exp2, expm1, sinh, cosh, tanh, erf, powf, fpowi (in f64 with few
/// exponents).
llvm::ArrayRef<MathFunction> exponentialFunctions();
/// log, log2, log10, log1p, asinh, acosh, atanh.
llvm::ArrayRef<MathFunction> logarithmFunctions();
/// sin, cos, tan, asin, acos, atan, atan2.
llvm::ArrayRef<MathFunction> trigonometricFunctions();
/// cbrt, rsqrt.
llvm::ArrayRef<MathFunction> rootFunctions();

/// The logarithm to the base 2.
mlir::Value logarithm2(FloatEmitter &e, mlir::Value x);

} // namespace infini

#endif // INFINI_PASSES_GPU_GPUMATH_H
