// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the code of one lane (one thread of a GPU's block), compiled for this
// host, reaches the simulator. Between passes/gpu (LanesToSim) and
// runtime/devices/sim. C, so that both sides and tests can include it.
//
// A kernel is `void name(const uint64_t *arguments, const infini_lane *lane)`.
// `arguments` is the flat struct of kernel_abi.h. It is called once for every
// lane of every block. What a lane does with memory, and with other lanes, it
// does through the table below; the order of the table is the ABI.
//
// `where` is a string in the image that names the op and the place in the
// source that it came from ("nv.ldmatrix at model.mlir:12:3"); it is constant
// for an op, so that its address identifies the op.
//
// Shared memory is addressed by bytes from its start. Predicates are 0 or 1. A
// function that finds a fault (an address out of bounds, a race, a partner that
// is missing) makes the dispatch fail with a message that names `where`, and
// does not return to the lane.

#ifndef INFINI_RUNTIME_LANE_ABI_H
#define INFINI_RUNTIME_LANE_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct infini_lane_table;

/// What a lane knows of itself; offsets are fixed: 0, 8, 16, 24, 32, 40.
typedef struct infini_lane {
  /// The block's position in the grid.
  int64_t block[3];
  /// The lane's number in its block; its warp is `thread` / 32.
  int64_t thread;
  const struct infini_lane_table *table;
  void *context;
} infini_lane;

/// X(name, result, arguments). Values cross as memory of the host: `result` and
/// `value` point at `bytes` bytes on the lane's stack.
#define INFINI_LANE_FUNCTIONS(X)                                               \
  /* Global memory: `bytes` (1, 2, 4, 8, or 16), `offset` bytes from the */    \
  /* start of the kernel's buffer number `buffer`, which the kernel takes to   \
   */                                                                          \
  /* have `size` bytes: inside both those and the bytes that it does have, */  \
  /* at an address that is a multiple of `bytes`. Nothing where the */         \
  /* predicate is 0 (a load then gives zeros). */                              \
  X(load_global, void,                                                         \
    (const infini_lane *lane, const char *where, uint32_t buffer,              \
     int64_t offset, int64_t size, uint32_t bytes, uint32_t predicate,         \
     void *result))                                                            \
  X(store_global, void,                                                        \
    (const infini_lane *lane, const char *where, uint32_t buffer,              \
     int64_t offset, int64_t size, uint32_t bytes, uint32_t predicate,         \
     const void *value))                                                       \
  /* Shared memory, likewise. */                                               \
  X(load_shared, void,                                                         \
    (const infini_lane *lane, const char *where, uint32_t address,             \
     uint32_t bytes, void *result))                                            \
  X(store_shared, void,                                                        \
    (const infini_lane *lane, const char *where, uint32_t address,             \
     uint32_t bytes, uint32_t predicate, const void *value))                   \
  /* cp.async: `bytes` (4, 8, or 16) from global to shared memory, zeros */    \
  /* where the predicate is 0. They are there after a wait of this lane, */    \
  /* for other lanes after a barrier behind that. */                           \
  X(copy_async, void,                                                          \
    (const infini_lane *lane, const char *where, uint32_t shared,              \
     uint32_t buffer, int64_t offset, int64_t size, uint32_t bytes,            \
     uint32_t predicate))                                                      \
  /* cp.async.commit_group, and wait_group: all but the newest `pending` */    \
  /* groups of this lane are there. */                                         \
  X(commit, void, (const infini_lane *lane, const char *where))                \
  X(wait, void,                                                                \
    (const infini_lane *lane, const char *where, uint32_t pending))            \
  /* bar.sync 0 */                                                             \
  X(barrier, void, (const infini_lane *lane, const char *where))               \
  /* shfl.sync.bfly over the warp: the value of lane (own ^ mask). */          \
  X(shuffle_xor, uint32_t,                                                     \
    (const infini_lane *lane, const char *where, uint32_t value,               \
     uint32_t mask))                                                           \
  /* ldmatrix.xN(.trans).b16, N = `count` (1, 2, or 4): lane 8i + r gives */   \
  /* the address of row r (16 bytes) of matrix i; lane l gets in result[i] */  \
  /* of matrix i row l / 4, columns 2(l % 4) and 2(l % 4) + 1; transposed: */  \
  /* column l / 4, rows 2(l % 4) and 2(l % 4) + 1. Low half first. */          \
  X(ldmatrix, void,                                                            \
    (const infini_lane *lane, const char *where, uint32_t address,             \
     uint32_t count, uint32_t transpose, uint32_t *result))                    \
  /* mma.sync.m16n8k16 (kind 0: bf16, 1: f16) or m16n8k8 (2: tf32), sums */    \
  /* in f32: c += a b. With g = l / 4, t = l % 4, a 16-bit register holds */   \
  /* two neighbours, low half first: a[0] row g, k 2t; a[1] row g + 8, k 2t;*/ \
  /* a[2] row g, k 2t + 8; a[3] row g + 8, k 2t + 8; b[0] k 2t, column g; */   \
  /* b[1] k 2t + 8, column g; c[0], c[1] row g, columns 2t, 2t + 1; c[2], */   \
  /* c[3] row g + 8. tf32: a[0] row g, k t; a[1] row g + 8, k t; a[2] row g,*/ \
  /* k t + 4; a[3] row g + 8, k t + 4; b[0] k t, column g; b[1] k t + 4. */    \
  X(mma, void,                                                                 \
    (const infini_lane *lane, const char *where, uint32_t kind,                \
     const uint32_t *a, const uint32_t *b, float *c))

#define INFINI_LANE_MEMBER(name, result, arguments) result(*name) arguments;
typedef struct infini_lane_table {
  INFINI_LANE_FUNCTIONS(INFINI_LANE_MEMBER)
} infini_lane_table;
#undef INFINI_LANE_MEMBER

typedef void (*infini_lane_kernel)(const uint64_t *arguments,
                                   const infini_lane *lane);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // INFINI_RUNTIME_LANE_ABI_H
