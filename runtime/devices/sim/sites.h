// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers for the `where` of lane_abi.h, which stands in for an op: tables that
// remember who touched each byte keep four bytes instead of eight.

#ifndef INFINI_RUNTIME_DEVICES_SIM_SITES_H
#define INFINI_RUNTIME_DEVICES_SIM_SITES_H

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace infini::sim {

class Sites {
public:
  /// Throws std::bad_alloc.
  uint32_t number(const char *where) {
    Entry &entry =
        cache[(reinterpret_cast<uintptr_t>(where) * 0x9e3779b1 >> 16) %
              cacheEntries];
    if (entry.where != where || !where) {
      entry.number = find(where);
      entry.where = where;
    }
    return entry.number;
  }

  const char *name(uint32_t number) const {
    return number < names.size() && names[number] ? names[number]
                                                  : "an unknown place";
  }

  /// The strings may be gone from now on.
  void clear() {
    for (Entry &entry : cache)
      entry = Entry();
    names.clear();
    numbers.clear();
  }

private:
  static constexpr unsigned cacheEntries = 256;
  struct Entry {
    const char *where = nullptr;
    uint32_t number = 0;
  };

  uint32_t find(const char *where) {
    auto [it, isNew] = numbers.try_emplace(where, uint32_t(names.size()));
    if (isNew)
      names.push_back(where);
    return it->second;
  }

  Entry cache[cacheEntries];
  std::vector<const char *> names;
  std::unordered_map<const char *, uint32_t> numbers;
};

} // namespace infini::sim

#endif // INFINI_RUNTIME_DEVICES_SIM_SITES_H
