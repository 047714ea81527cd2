// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Executes mma.sync or ldmatrix on registers from a file, a warp for each
// probe, and writes the registers that come out. gpu_fragments.py knows what
// they mean.
//
//   gpu_fragments IN OUT
//
// IN: int32 kind, int32 probes; then for mma (0 bf16, 1 f16, 2 tf32) A [probes,
// 32, 4], B [probes, 32, 2] in words, C [probes, 32, 4] f32; for ldmatrix (3,
// 5, 7: .x1, .x2, .x4; one more: .trans) shared memory [probes, 256 words] and
// the lanes' addresses in it [probes, 32]. OUT: [probes, 32, 4] words.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#define CHECK(call)                                                            \
  do {                                                                         \
    cudaError_t error = (call);                                                \
    if (error != cudaSuccess) {                                                \
      fprintf(stderr, "%s: %s\n", #call, cudaGetErrorString(error));           \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

enum Kind { bf16, f16, tf32, x1, x1Trans, x2, x2Trans, x4, x4Trans };

#define MMA(shape)                                                             \
  asm volatile("mma.sync.aligned." shape " {%0, %1, %2, %3}, {%4, %5, %6, "    \
               "%7}, {%8, %9}, {%0, %1, %2, %3};"                              \
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]),        \
                 "r"(b[1]))

__global__ void multiply(int kind, const uint32_t *as, const uint32_t *bs,
                         const float *cs, float *ds) {
  int at = blockIdx.x * 32 + threadIdx.x;
  const uint32_t *a = as + 4 * at, *b = bs + 2 * at;
  float d[4];
  for (int i = 0; i < 4; ++i)
    d[i] = cs[4 * at + i];
  if (kind == bf16)
    MMA("m16n8k16.row.col.f32.bf16.bf16.f32");
  else if (kind == f16)
    MMA("m16n8k16.row.col.f32.f16.f16.f32");
  else
    MMA("m16n8k8.row.col.f32.tf32.tf32.f32");
  for (int i = 0; i < 4; ++i)
    ds[4 * at + i] = d[i];
}

#define LOAD(shape, registers, ...)                                            \
  asm volatile("ldmatrix.sync.aligned.m8n8." shape ".shared.b16 {" registers   \
:__VA_ARGS__                                                                   \
               : "r"(address)                                                  \
               : "memory")
#define ONE "=r"(r[0])
#define TWO ONE, "=r"(r[1])
#define FOUR TWO, "=r"(r[2]), "=r"(r[3])

__global__ void load(int kind, const uint32_t *memory, const uint32_t *places,
                     uint32_t *out) {
  __shared__ alignas(16) uint32_t shared[256];
  for (int i = threadIdx.x; i < 256; i += 32)
    shared[i] = memory[256 * blockIdx.x + i];
  __syncthreads();
  int at = blockIdx.x * 32 + threadIdx.x;
  uint32_t r[4] = {0, 0, 0, 0};
  uint32_t address =
      static_cast<uint32_t>(__cvta_generic_to_shared(shared)) + places[at];
  switch (kind) {
  case x1:
    LOAD("x1", "%0}, [%1];", ONE);
    break;
  case x1Trans:
    LOAD("x1.trans", "%0}, [%1];", ONE);
    break;
  case x2:
    LOAD("x2", "%0, %1}, [%2];", TWO);
    break;
  case x2Trans:
    LOAD("x2.trans", "%0, %1}, [%2];", TWO);
    break;
  case x4:
    LOAD("x4", "%0, %1, %2, %3}, [%4];", FOUR);
    break;
  default:
    LOAD("x4.trans", "%0, %1, %2, %3}, [%4];", FOUR);
  }
  for (int i = 0; i < 4; ++i)
    out[4 * at + i] = r[i];
}

/// The next words of the file, on the device.
static uint32_t *next(FILE *file, size_t words) {
  std::vector<uint32_t> host(words);
  if (fread(host.data(), 4, words, file) != words) {
    fprintf(stderr, "the input is too short\n");
    exit(1);
  }
  uint32_t *device;
  CHECK(cudaMalloc(&device, 4 * words));
  CHECK(cudaMemcpy(device, host.data(), 4 * words, cudaMemcpyHostToDevice));
  return device;
}

int main(int argc, char **argv) {
  FILE *in = argc == 3 ? fopen(argv[1], "rb") : nullptr;
  FILE *out = in ? fopen(argv[2], "wb") : nullptr;
  int32_t header[2];
  if (!out || fread(header, 4, 2, in) != 2 || header[1] < 1) {
    fprintf(stderr, "usage: gpu_fragments IN OUT\n");
    return 1;
  }
  int kind = header[0];
  size_t probes = header[1], words = 128 * probes;
  uint32_t *result;
  CHECK(cudaMalloc(&result, 4 * words));
  // What is not written is seen.
  CHECK(cudaMemset(result, 0xff, 4 * words));
  if (kind <= tf32) {
    uint32_t *a = next(in, 128 * probes), *b = next(in, 64 * probes),
             *c = next(in, 128 * probes);
    multiply<<<probes, 32>>>(kind, a, b, reinterpret_cast<float *>(c),
                             reinterpret_cast<float *>(result));
  } else {
    uint32_t *memory = next(in, 256 * probes), *places = next(in, 32 * probes);
    load<<<probes, 32>>>(kind, memory, places, result);
  }
  CHECK(cudaGetLastError());
  std::vector<uint32_t> host(words);
  CHECK(cudaMemcpy(host.data(), result, 4 * words, cudaMemcpyDeviceToHost));
  bool good = fwrite(host.data(), 4, words, out) == words;
  return fclose(out) == 0 && good ? 0 : 1;
}
