// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A state file in memory, to be changed: what a checksum alone cannot find.

#ifndef INFINI_TEST_RUNTIME_STATE_BYTES_H
#define INFINI_TEST_RUNTIME_STATE_BYTES_H

#include <string>

namespace infini::test {

class StateBytes {
public:
  explicit StateBytes(const std::string &file);

  /// In the header, which must have `from` once.
  StateBytes &replace(const std::string &from, const std::string &to);
  /// The value of a key of `__metadata__`.
  std::string value(const std::string &key) const;
  StateBytes &setValue(const std::string &key, const std::string &value);
  /// Makes the checksum of a tensor right, whose data is at these bytes.
  StateBytes &sealTensor(const std::string &name, size_t begin, size_t bytes);

  /// The file, with the header's length and checksum made right.
  std::string sealed();
  /// The same with its checksum as it is.
  std::string unsealed() const;

  std::string header, data;
};

} // namespace infini::test

#endif // INFINI_TEST_RUNTIME_STATE_BYTES_H
