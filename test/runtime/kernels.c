// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels for the runtime's tests, built as the compiler builds images: a
// shared object without dependencies. INFINI_TEST_BAD_* make images that must
// be refused.

#include "infini/runtime/kernel_abi.h"

enum {
#define INFINI_NUMBER(name, result, arguments) import_##name,
  INFINI_KERNEL_IMPORTS(INFINI_NUMBER)
#undef INFINI_NUMBER
      importCount
};

void *infini_imports[importCount];

/// out[i] = a[i] + b[i], 64 elements a block. (a, b, out; n)
void test_add(const uint64_t *arguments, const infini_block *block) {
  const float *a = (const float *)arguments[0];
  const float *b = (const float *)arguments[1];
  float *out = (float *)arguments[2];
  int64_t n = (int64_t)arguments[3];
  int64_t begin = block->id[0] * 64;
  for (int64_t i = begin; i < begin + 64 && i < n; ++i)
    out[i] = a[i] + b[i];
}

/// out[id] = exp(id0 + 10 id1 + 100 id2), through the imports and through
/// scratch that is released and had again. (out)
void test_exp_id(const uint64_t *arguments, const infini_block *block) {
  double (*exponential)(double) =
      (double (*)(double))infini_imports[import_exp];
  void *mark = block->allocate(block->scratch, 0);
  double *first = 0;
  for (int round = 0; round < 3; ++round) {
    double *piece = (double *)block->allocate(block->scratch, 100000);
    if (!first)
      first = piece;
    if (((uint64_t)piece & 63) != 0)
      return;
    piece[0] = (double)(block->id[0] + 10 * block->id[1] + 100 * block->id[2]);
    piece[12499] = exponential(piece[0] / 100.0);
    ((double *)
         arguments[0])[block->id[0] + 4 * (block->id[1] + 3 * block->id[2])] =
        piece[12499];
    block->release(block->scratch, mark);
  }
}

/// Wants more memory than there is.
void test_hungry(const uint64_t *arguments, const infini_block *block) {
  char *piece = (char *)block->allocate(block->scratch, (int64_t)arguments[1]);
  ((volatile char *)arguments[0])[0] = piece[0];
}

/// A language model of sorts: the logits of a token are how often each token
/// was seen, plus the number of tokens before it. (tokens, counts, logits; T,
/// fill, V)
void test_text(const uint64_t *arguments, const infini_block *block) {
  (void)block;
  const int32_t *tokens = (const int32_t *)arguments[0];
  float *counts = (float *)arguments[1];
  float *logits = (float *)arguments[2];
  int64_t T = (int64_t)arguments[3], fill = (int64_t)arguments[4],
          V = (int64_t)arguments[5];
  for (int64_t t = 0; t < T; ++t) {
    counts[tokens[t]] += 1;
    for (int64_t v = 0; v < V; ++v)
      logits[t * V + v] = counts[v] + (float)(fill + t);
  }
}

#ifdef INFINI_TEST_BAD_UNDEFINED
extern int somewhere_else;
int *test_elsewhere = &somewhere_else;
#endif

#ifdef INFINI_TEST_BAD_CONSTRUCTOR
__attribute__((constructor)) static void construct(void) {
  infini_imports[0] = 0;
}
#endif

#ifdef INFINI_TEST_BAD_INDIRECT
static int one(void) { return 1; }
static void *resolve(void) { return (void *)one; }
int test_indirect(void) __attribute__((ifunc("resolve")));
#endif

#ifdef INFINI_TEST_BAD_THREAD_LOCAL
_Thread_local int test_thread_local = 1;
#endif
