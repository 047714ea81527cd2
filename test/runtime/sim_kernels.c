// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels for one lane, built as the compiler builds images for the simulator.

#include "infini/runtime/kernel_abi.h"
#include "infini/runtime/lane_abi.h"

void *infini_imports[infini_kernel_import_count];

/// out[i] = a[i] + b[i], 64 elements a block, each by way of another lane's
/// shared memory. (a, b, out; n) As test_add of kernels.c.
void test_add(const uint64_t *arguments, const infini_lane *lane) {
  const infini_lane_table *table = lane->table;
  int64_t n = (int64_t)arguments[3], first = lane->block[0] * 64;
  int64_t i = first + lane->thread, other = first + 63 - lane->thread;
  uint32_t isThere = i < n;
  float left, right;
  table->load_global(lane, "nv.load_global at add.mlir:1:1", 0, i * 4, n * 4, 4,
                     isThere, &left);
  table->load_global(lane, "nv.load_global at add.mlir:2:1", 1, i * 4, n * 4, 4,
                     isThere, &right);
  left += right;
  table->store_shared(lane, "nv.store_shared at add.mlir:3:1",
                      (uint32_t)lane->thread * 4, 4, 1, &left);
  table->barrier(lane, "nv.barrier at add.mlir:4:1");
  table->load_shared(lane, "nv.load_shared at add.mlir:5:1",
                     (uint32_t)(63 - lane->thread) * 4, 4, &left);
  table->store_global(lane, "nv.store_global at add.mlir:6:1", 2, other * 4,
                      n * 4, 4, other < n, &left);
}

/// The same without the barrier. (a, b, out; n)
void test_race(const uint64_t *arguments, const infini_lane *lane) {
  const infini_lane_table *table = lane->table;
  float value = (float)lane->thread;
  (void)arguments;
  table->store_shared(lane, "nv.store_shared at race.mlir:3:1", 0, 4, 1,
                      &value);
}
