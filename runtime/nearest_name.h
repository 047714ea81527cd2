// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// "did you mean": the nearest of some names by edit distance.

#ifndef INFINI_RUNTIME_NEAREST_NAME_H
#define INFINI_RUNTIME_NEAREST_NAME_H

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace infini {

/// Levenshtein's distance.
inline size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t changed = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

/// The nearest of `names` (anything that converts to string_view), the first
/// of equals; "" when there are none.
template <typename Range>
std::string nearestName(std::string_view wanted, const Range &names) {
  std::string_view best;
  size_t bestDistance = ~size_t(0);
  for (const auto &candidate : names) {
    std::string_view name(candidate);
    // Names come from files: do not let a huge one cost a huge table.
    if (name.size() > 1024 || wanted.size() > 1024)
      continue;
    size_t distance = editDistance(wanted, name);
    if (distance < bestDistance) {
      bestDistance = distance;
      best = name;
    }
  }
  return std::string(best);
}

} // namespace infini

#endif // INFINI_RUNTIME_NEAREST_NAME_H
