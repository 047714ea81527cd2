// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dense products: OpenBLAS on panels of the result, panels over the pool.

#include "infini/runtime/devices/cpu/cpu_device.h"

#include <algorithm>
#include <cblas.h>
#include <climits>
#include <cstring>

using namespace infini;

// OpenBLAS starts a thread a core when it is loaded; idle, they spin for a while
// and take the cores from ours. It starts them again if somebody asks for more
// than one. A library without threads has no such function.
extern "C" int blas_thread_shutdown_() __attribute__((weak));

void infini::useOneBlasThread() {
  openblas_set_num_threads(1);
  if (blas_thread_shutdown_)
    blas_thread_shutdown_();
}

static int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

GemmPanels infini::chooseGemmPanels(int64_t m, int64_t n, int64_t k,
                                    size_t elementBytes) {
  if (m == 1) {
    // A row times a matrix is bound by reading the matrix once: panels of about
    // 128 KiB of it.
    int64_t columns = (128 << 10) / (std::max<int64_t>(k, 1) *
                                     static_cast<int64_t>(elementBytes));
    columns = std::clamp<int64_t>(columns / 16 * 16, 16, 1 << 16);
    return {1, std::min(columns, n)};
  }
  // Each panel packs its part of A and B anew: large panels waste less, but
  // there should be some for every thread, if that is worth a thread's while.
  constexpr int64_t worthwhile = 4 << 20; // multiply-adds
  int64_t wantedPanels = std::clamp<int64_t>(
      static_cast<int64_t>(double(m) * n * k / worthwhile), 1, 32);
  GemmPanels panels = {std::min<int64_t>(m, 256), std::min<int64_t>(n, 512)};
  auto count = [&] {
    return ceilDivide(m, panels.rows) * ceilDivide(n, panels.columns);
  };
  while (count() < wantedPanels && panels.columns > 128)
    panels.columns = std::max<int64_t>(panels.columns / 2 / 16 * 16, 128);
  while (count() < wantedPanels && panels.rows > 64)
    panels.rows = std::max<int64_t>(panels.rows / 2 / 16 * 16, 64);
  return panels;
}

namespace {

// One spelling for both element types.
void multiply(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k,
              const float *a, int lda, const float *b, int ldb, float beta,
              float *c, int ldc) {
  cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}
void multiply(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k,
              const double *a, int lda, const double *b, int ldb, double beta,
              double *c, int ldc) {
  cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}
void multiplyVector(CBLAS_TRANSPOSE t, int rows, int columns, const float *b,
                    int ldb, const float *x, int incx, float beta, float *y) {
  cblas_sgemv(CblasRowMajor, t, rows, columns, 1, b, ldb, x, incx, beta, y, 1);
}
void multiplyVector(CBLAS_TRANSPOSE t, int rows, int columns, const double *b,
                    int ldb, const double *x, int incx, double beta,
                    double *y) {
  cblas_dgemv(CblasRowMajor, t, rows, columns, 1, b, ldb, x, incx, beta, y, 1);
}

template <typename T> struct GemmJob {
  const Gemm &gemm;
  GemmPanels panels;
  int64_t columnPanels;

  void runPanel(int64_t index) const {
    int64_t row = index / columnPanels * panels.rows;
    int64_t column = index % columnPanels * panels.columns;
    int m = static_cast<int>(std::min(panels.rows, gemm.m - row));
    int n = static_cast<int>(std::min(panels.columns, gemm.n - column));
    int k = static_cast<int>(gemm.k);
    const T *a =
        static_cast<const T *>(gemm.a) + (gemm.transposeA ? row : row * gemm.k);
    const T *b = static_cast<const T *>(gemm.b) +
                 (gemm.transposeB ? column * gemm.k : column);
    T *c = static_cast<T *>(gemm.c) + row * gemm.n + column;
    int lda = static_cast<int>(gemm.transposeA ? gemm.m : gemm.k);
    int ldb = static_cast<int>(gemm.transposeB ? gemm.k : gemm.n);
    T beta = gemm.accumulate;
    // Not by what is left of the rows here: that the whole has one row is what
    // decides, so that a row's bits depend on the sizes only.
    if (gemm.m == 1) {
      // With m = 1 both storage orders of A are the same.
      if (gemm.transposeB)
        multiplyVector(CblasNoTrans, n, k, b, ldb, a, 1, beta, c);
      else
        multiplyVector(CblasTrans, k, n, b, ldb, a, 1, beta, c);
      return;
    }
    multiply(gemm.transposeA ? CblasTrans : CblasNoTrans,
             gemm.transposeB ? CblasTrans : CblasNoTrans, m, n, k, a, lda, b,
             ldb, beta, c, static_cast<int>(gemm.n));
  }
};

template <typename T> void runTyped(const Gemm &gemm, ThreadPool &pool) {
  GemmJob<T> job{gemm, chooseGemmPanels(gemm.m, gemm.n, gemm.k, sizeof(T)), 0};
  job.columnPanels = ceilDivide(gemm.n, job.panels.columns);
  int64_t count = ceilDivide(gemm.m, job.panels.rows) * job.columnPanels;
  // At about 50 operations, or 8 bytes of the matrix, a nanosecond.
  double nanoseconds =
      gemm.m == 1 ? double(gemm.n) * double(gemm.k) * double(sizeof(T)) / 8
                  : 2.0 * double(gemm.m) * double(gemm.n) * double(gemm.k) / 50;
  bool isShort = nanoseconds < double(sharedWorkNanoseconds);
  pool.run(
      count, isShort ? count : 1,
      [](void *context, unsigned, int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
          static_cast<const GemmJob<T> *>(context)->runPanel(i);
      },
      &job);
}

} // namespace

Status infini::runGemm(const Gemm &gemm, ThreadPool &pool) {
  if (gemm.m <= 0 || gemm.n <= 0)
    return Status();
  if (gemm.k == 0) {
    // The empty sum; the library leaves it open what it does here.
    if (!gemm.accumulate)
      std::memset(gemm.c, 0,
                  static_cast<size_t>(gemm.m * gemm.n) * bytesOf(gemm.element));
    return Status();
  }
  // The library counts in int. A leading dimension is at most one of these.
  if (gemm.m > INT_MAX || gemm.n > INT_MAX || gemm.k > INT_MAX)
    return userError("a matrix product of sizes ", gemm.m, ", ", gemm.n, ", ",
                     gemm.k, " is too large, expected at most ", INT_MAX);
  if (gemm.element == ElementType::f64)
    runTyped<double>(gemm, pool);
  else
    runTyped<float>(gemm, pool);
  return Status();
}
