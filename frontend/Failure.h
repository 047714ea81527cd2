// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Messages about model folders, as llvm::Error.

#ifndef INFINI_FRONTEND_FAILURE_H
#define INFINI_FRONTEND_FAILURE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

#include <string>

namespace infini {

/// The arguments one after the other, as raw_ostream writes them.
template <typename... Args> std::string textOf(const Args &...args) {
  std::string result;
  llvm::raw_string_ostream stream(result);
  (stream << ... << args);
  return result;
}

template <typename... Args> llvm::Error failure(const Args &...args) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                 llvm::Twine(textOf(args...)));
}

/// The same error with its place put in front.
inline llvm::Error at(llvm::StringRef place, llvm::Error error) {
  if (!error)
    return error;
  return failure(place, ": ", llvm::toString(std::move(error)));
}

/// 'name', with what would garble a terminal escaped and long names cut: names
/// come from files that anybody may have written.
inline std::string quoted(llvm::StringRef name) {
  constexpr size_t longest = 200;
  std::string result = "'";
  llvm::raw_string_ostream stream(result);
  llvm::printEscapedString(name.take_front(longest), stream);
  stream << (name.size() > longest ? "...'" : "'");
  return result;
}

/// [2, 3].
inline std::string shapeText(llvm::ArrayRef<int64_t> shape) {
  std::string result = "[";
  llvm::raw_string_ostream stream(result);
  llvm::interleaveComma(shape, stream);
  stream << "]";
  return result;
}

} // namespace infini

#endif // INFINI_FRONTEND_FAILURE_H
