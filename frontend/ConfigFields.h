// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Typed access to the fields of a JSON object that anybody may have written.

#ifndef INFINI_FRONTEND_CONFIGFIELDS_H
#define INFINI_FRONTEND_CONFIGFIELDS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/JSON.h"

#include <cstdint>
#include <optional>
#include <string>

namespace infini {

/// Fields of one object. The first wrong field is kept in `problem`, shared by
/// nested objects, and later ones are ignored: reading goes on with harmless
/// values, so that the caller reads field after field and asks once.
///
/// A field that is `null` counts as absent where it has a default.
class ConfigFields {
public:
  ConfigFields(const llvm::json::Object &object, std::string prefix,
               std::string &problem)
      : object(object), prefix(std::move(prefix)), problem(problem) {}

  /// A whole number from 1 to 2^31 - 1.
  int64_t size(llvm::StringRef name, std::optional<int64_t> absent = {},
               llvm::StringRef hint = "");
  /// A finite number above 0.
  double positive(llvm::StringRef name, std::optional<double> absent = {});
  bool flag(llvm::StringRef name, bool absent);
  /// One of `known`; its index.
  size_t oneOf(llvm::StringRef name, llvm::ArrayRef<llvm::StringRef> known,
               std::optional<size_t> absent = {});
  /// One of a TableGen'ed enum's cases (`stringifyEnum` is found by its
  /// argument).
  template <typename Enum>
  Enum choice(llvm::StringRef name, Enum absent, unsigned lastCase) {
    llvm::SmallVector<llvm::StringRef> known;
    for (unsigned i = 0; i <= lastCase; ++i)
      known.push_back(stringifyEnum(static_cast<Enum>(i)));
    return static_cast<Enum>(oneOf(name, known, static_cast<size_t>(absent)));
  }
  /// Null when the field is absent.
  const llvm::json::Object *nested(llvm::StringRef name);

  bool has(llvm::StringRef name) const;
  /// Says that the field `name` is wrong as it is, unless an earlier one was.
  void refuse(llvm::StringRef name, llvm::StringRef expected,
              llvm::StringRef hint = "");

private:
  const llvm::json::Object &object;
  std::string prefix;
  std::string &problem;
};

} // namespace infini

#endif // INFINI_FRONTEND_CONFIGFIELDS_H
