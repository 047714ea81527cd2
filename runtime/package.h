// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A package: read, verified, and decoded into plain structs.

#ifndef INFINI_RUNTIME_PACKAGE_H
#define INFINI_RUNTIME_PACKAGE_H

#include "infini/runtime/program.h"
#include "infini/runtime/status.h"

#include <memory>

namespace infini {

struct PackageHeader;

class Package {
public:
  static Status open(const std::string &path,
                     std::shared_ptr<const Package> &package);
  static Status fromMemory(const void *bytes, size_t size,
                           std::shared_ptr<const Package> &package);

  const Program &program() const { return contents; }
  /// As it stands in the file (package_file.h).
  PackageHeader header() const;
  /// The one named, or the one that is meant when `name` is empty. All variants
  /// have entries of the same names and ports.
  Status selectEntry(std::string_view name, size_t variant,
                     const Entry *&entry) const;

private:
  struct AlignedBytes {
    void operator()(uint8_t *bytes) const;
  };
  using Bytes = std::unique_ptr<uint8_t, AlignedBytes>;
  static Bytes allocate(size_t size);
  static Status fromBytes(Bytes bytes, size_t size,
                          std::shared_ptr<const Package> &package);

  /// The whole file; images are used where they lie.
  Bytes bytes;
  Program contents;
};

/// Everything about a decoded program that can be checked without running it.
/// Fills in what verification finds out (Entry::boundByInput,
/// Expression::readsLoopVariable).
Status verifyProgram(Program &program);

/// Its last parts: that each variant offers the same, so that a session may use
/// any; and that targets fit their variants, and images their targets.
Status verifyVariantsAgree(const std::vector<Variant> &variants);
Status verifyTargets(const Program &program);

} // namespace infini

#endif // INFINI_RUNTIME_PACKAGE_H
