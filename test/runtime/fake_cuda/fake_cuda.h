// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tiny NVIDIA driver on the host's memory, as a library that the runtime
// loads in place of the real one. It has the functions of INFINI_CUDA_SYMBOLS.
// Its addresses are not the host's. It counts, notices misuse, and fails on
// demand.
//
// These are the functions that tests control it with, besides. Settings are
// words, separated by spaces; the environment variable INFINI_FAKE_CUDA has
// those that a process starts with:
//   version=12040      of the driver
//   devices=1          how many
//   chip=80            of all of them
//   memory=1073741824  bytes a device
//   lazy=1             commands run when somebody waits for them, not before
//   kernels=PATH       an image as the cpu's, whose kernels are run block by
//                      block; others do nothing
//   fail=SYMBOL:K:CODE the K-th call of a function (1 is the first) fails;
//   those
//                      that give something back do it all the same
//   fault=K:CODE       the K-th kernel that runs fails

#ifndef INFINI_TEST_RUNTIME_FAKE_CUDA_FAKE_CUDA_H
#define INFINI_TEST_RUNTIME_FAKE_CUDA_FAKE_CUDA_H

#include <stdint.h>

extern "C" {

/// Forgets everything, and takes these settings.
void infini_fake_cuda_reset(const char *settings);
/// These in addition.
void infini_fake_cuda_set(const char *settings);

/// A function's name: how often it was called. "live": objects and blocks that
/// were not given back. "leaked": those that a context took with it. "kernels":
/// how many ran; "replayed": of these, by graphs. "mistakes": misuse.
int64_t infini_fake_cuda_count(const char *what);
/// What the first misuse was; "".
const char *infini_fake_cuda_mistake(void);

/// `kernel` is run for launches of this name, once a launch. Its arguments are
/// translated to addresses of the host.
typedef void (*infini_fake_kernel)(const uint64_t *arguments,
                                   const unsigned *grid, unsigned threads,
                                   unsigned sharedBytes);
void infini_fake_cuda_register(const char *name, infini_fake_kernel kernel);

} // extern "C"

#endif // INFINI_TEST_RUNTIME_FAKE_CUDA_FAKE_CUDA_H
