// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How many directions a matrix really uses.

#ifndef INFINI_RUNTIME_CLI_EFFECTIVE_RANK_H
#define INFINI_RUNTIME_CLI_EFFECTIVE_RANK_H

#include "infini/runtime/status.h"

#include <vector>

namespace infini::cli {

/// The effective rank (Roy and Vetterli, 2007): exp(−Σ pᵢ ln pᵢ) with pᵢ the
/// singular values over their sum. From 1 to the smaller dimension; 0 for a
/// matrix of zeros or without elements, NaN where an element is not finite. By
/// rows.
Status effectiveRank(std::vector<double> matrix, int64_t rows, int64_t columns,
                     double &rank);

} // namespace infini::cli

#endif // INFINI_RUNTIME_CLI_EFFECTIVE_RANK_H
