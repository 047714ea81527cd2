// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/status.h"

using namespace infini;

infini_status *detail::outOfMemoryStatus() {
  // Made before it is needed, when there is memory; never released.
  static infini_status status{INFINI_OUT_OF_MEMORY, "out of memory"};
  return &status;
}

namespace {
const infini_status *const preparedOutOfMemory = detail::outOfMemoryStatus();
} // namespace

std::string infini::quoted(std::string_view name) {
  constexpr size_t longest = 200;
  std::string result = "'";
  for (unsigned char c : name.substr(0, longest)) {
    if (c >= 0x20 && c != 0x7f && c != '\'' && c != '\\') {
      result += static_cast<char>(c);
      continue;
    }
    static const char digits[] = "0123456789abcdef";
    result += "\\x";
    result += digits[c >> 4];
    result += digits[c & 15];
  }
  if (name.size() > longest)
    result += "...";
  return result + "'";
}

std::string infini::shapeText(const int64_t *shape, size_t rank) {
  std::string result = "[";
  for (size_t i = 0; i < rank; ++i) {
    if (i)
      result += ", ";
    result += shape[i] < 0 ? "?" : std::to_string(shape[i]);
  }
  return result + "]";
}

infini_code infini_status_code(const infini_status *status) {
  return status ? status->code : INFINI_OK;
}

const char *infini_status_message(const infini_status *status) {
  return status ? status->message.c_str() : "";
}

void infini_status_release(infini_status *status) {
  if (status && status != preparedOutOfMemory)
    delete status;
}
