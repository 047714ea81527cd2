// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one kernel ABI, between the compiler's code generation (passes/emit) and
// the runtime's devices. C, so that both sides and tests can include it.
//
// A kernel is `void name(const uint64_t *arguments, const infini_block
// *block)`. `arguments` is the flat struct: one 8-byte slot a buffer (its
// address), then one a scalar (an int64). Buffers are row-major and contiguous;
// all shapes are known to the kernel or arrive as scalars. It is called once
// for every block of the dispatch's grid, in any order and on any thread.

#ifndef INFINI_RUNTIME_KERNEL_ABI_H
#define INFINI_RUNTIME_KERNEL_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What one block of a dispatch knows of itself. Offsets are fixed: the
/// compiler reads the fields by byte offset 0, 8, 16, 24, 32, 40.
typedef struct infini_block {
  /// Position in the grid.
  int64_t id[3];
  /// Scratch memory of the executing thread. `allocate` returns `bytes` bytes,
  /// aligned to 64, valid until `release` is called with a mark taken before,
  /// or the block ends. It never returns null: when memory runs out, it makes
  /// the dispatch fail and does not return to the kernel.
  void *scratch;
  void *(*allocate)(void *scratch, int64_t bytes);
  /// `mark` = allocate(scratch, 0); everything allocated since is given back.
  void (*release)(void *scratch, void *mark);
} infini_block;

typedef void (*infini_kernel)(const uint64_t *arguments,
                              const infini_block *block);

/// What an image may import, in the order of the table that it exports as
/// `infini_imports` (an array of pointers, filled in by the runtime before the
/// first call; the image has no undefined symbols). X(name, return type,
/// arguments).
#define INFINI_KERNEL_IMPORTS(X)                                               \
  X(memcpy, void *, (void *, const void *, size_t))                            \
  X(memmove, void *, (void *, const void *, size_t))                           \
  X(memset, void *, (void *, int, size_t))                                     \
  X(expf, float, (float))                                                      \
  X(exp, double, (double))                                                     \
  X(exp2f, float, (float))                                                     \
  X(exp2, double, (double))                                                    \
  X(expm1f, float, (float))                                                    \
  X(expm1, double, (double))                                                   \
  X(ldexpf, float, (float, int))                                               \
  X(ldexp, double, (double, int))                                              \
  X(logf, float, (float))                                                      \
  X(log, double, (double))                                                     \
  X(log2f, float, (float))                                                     \
  X(log2, double, (double))                                                    \
  X(log10f, float, (float))                                                    \
  X(log10, double, (double))                                                   \
  X(log1pf, float, (float))                                                    \
  X(log1p, double, (double))                                                   \
  X(sinf, float, (float))                                                      \
  X(sin, double, (double))                                                     \
  X(cosf, float, (float))                                                      \
  X(cos, double, (double))                                                     \
  X(sincosf, void, (float, float *, float *))                                  \
  X(sincos, void, (double, double *, double *))                                \
  X(tanf, float, (float))                                                      \
  X(tan, double, (double))                                                     \
  X(asinf, float, (float))                                                     \
  X(asin, double, (double))                                                    \
  X(acosf, float, (float))                                                     \
  X(acos, double, (double))                                                    \
  X(atanf, float, (float))                                                     \
  X(atan, double, (double))                                                    \
  X(atan2f, float, (float, float))                                             \
  X(atan2, double, (double, double))                                           \
  X(sinhf, float, (float))                                                     \
  X(sinh, double, (double))                                                    \
  X(coshf, float, (float))                                                     \
  X(cosh, double, (double))                                                    \
  X(tanhf, float, (float))                                                     \
  X(tanh, double, (double))                                                    \
  X(erff, float, (float))                                                      \
  X(erf, double, (double))                                                     \
  X(erfcf, float, (float))                                                     \
  X(erfc, double, (double))                                                    \
  X(powf, float, (float, float))                                               \
  X(pow, double, (double, double))                                             \
  X(fmodf, float, (float, float))                                              \
  X(fmod, double, (double, double))                                            \
  X(cbrtf, float, (float))                                                     \
  X(cbrt, double, (double))                                                    \
  X(fmaf, float, (float, float, float))                                        \
  X(fma, double, (double, double, double))                                     \
  X(floorf, float, (float))                                                    \
  X(floor, double, (double))                                                   \
  X(ceilf, float, (float))                                                     \
  X(ceil, double, (double))                                                    \
  X(truncf, float, (float))                                                    \
  X(trunc, double, (double))                                                   \
  X(roundf, float, (float))                                                    \
  X(round, double, (double))                                                   \
  X(roundevenf, float, (float))                                                \
  X(roundeven, double, (double))                                               \
  X(sqrtf, float, (float))                                                     \
  X(sqrt, double, (double))

#define INFINI_COUNT(name, result, arguments) +1
enum { infini_kernel_import_count = INFINI_KERNEL_IMPORTS(INFINI_COUNT) };
#undef INFINI_COUNT

#ifdef __cplusplus
} // extern "C"
#endif

#endif // INFINI_RUNTIME_KERNEL_ABI_H
