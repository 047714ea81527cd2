// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/cli/effective_rank.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <limits>

using namespace infini;

/// LAPACK's, which OpenBLAS has: singular values by divide and conquer.
extern "C" void dgesdd_(const char *job, const int *rows, const int *columns,
                        double *matrix, const int *leading, double *values,
                        double *left, const int *leadingLeft, double *right,
                        const int *leadingRight, double *work,
                        const int *workSize, int *integers, int *info);

static Status singularValues(std::vector<double> &matrix, int rows, int columns,
                             std::vector<double> &values) {
  int least = std::min(rows, columns), one = 1, info = 0, ask = -1;
  values.resize(size_t(least));
  std::vector<int> integers(8 * size_t(least));
  auto call = [&](double *work, int size) {
    dgesdd_("N", &rows, &columns, matrix.data(), &rows, values.data(), nullptr,
            &one, nullptr, &one, work, &size, integers.data(), &info);
  };
  double wanted = 0;
  call(&wanted, ask);
  std::vector<double> work(info == 0 ? size_t(wanted) : 1);
  if (info == 0)
    call(work.data(), int(work.size()));
  // Positive: it did not converge, which is not known to happen with numbers
  // that are finite.
  return info == 0 ? Status()
                   : bug("the singular values of a ", rows, " by ", columns,
                         " matrix were not found (", info, ")");
}

Status cli::effectiveRank(std::vector<double> matrix, int64_t rows,
                          int64_t columns, double &rank) {
  rank = 0;
  if (rows <= 0 || columns <= 0)
    return Status();
  if (rows > INT_MAX || columns > INT_MAX)
    return userError("a matrix of ", rows, " by ", columns,
                     " is too large for its singular values");
  // Scaled, so that no sum overflows.
  double largest = 0;
  for (double value : matrix) {
    if (!std::isfinite(value)) {
      rank = std::numeric_limits<double>::quiet_NaN();
      return Status();
    }
    largest = std::max(largest, std::fabs(value));
  }
  if (largest == 0)
    return Status();
  for (double &value : matrix)
    value /= largest;
  std::vector<double> values;
  // By rows here is by columns there, of the transposed matrix.
  INFINI_TRY(singularValues(matrix, int(columns), int(rows), values));
  double sum = 0, entropy = 0;
  for (double value : values)
    sum += value;
  for (double value : values)
    if (double share = value / sum; share > 0)
      entropy -= share * std::log(share);
  rank = std::exp(entropy);
  return Status();
}
