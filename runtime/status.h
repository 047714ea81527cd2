// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How functions of the runtime report failure: a Status is null when all is
// well, and true when something failed, so that `if (Status s = f()) return s;`
// reads naturally. The C interface hands the same object out.

#ifndef INFINI_RUNTIME_STATUS_H
#define INFINI_RUNTIME_STATUS_H

#include "infini/runtime/infini.h"

#include <memory>
#include <sstream>
#include <string>
#include <string_view>

struct infini_status {
  infini_code code;
  std::string message;
};

namespace infini {

namespace detail {
/// What is handed out when there is no memory for a message of its own.
infini_status *outOfMemoryStatus();
struct StatusRelease {
  void operator()(infini_status *status) const {
    infini_status_release(status);
  }
};
} // namespace detail

class [[nodiscard]] Status {
public:
  Status() = default;
  Status(infini_code code, std::string message)
      : failure(new infini_status{code, std::move(message)}) {}
  static Status outOfMemory() {
    Status status;
    status.failure.reset(detail::outOfMemoryStatus());
    return status;
  }

  /// Takes over what a function of the C interface returned.
  static Status adopt(infini_status *status) {
    Status result;
    result.failure.reset(status);
    return result;
  }

  explicit operator bool() const { return failure != nullptr; }
  infini_code code() const { return failure ? failure->code : INFINI_OK; }
  const std::string &message() const {
    static const std::string none;
    return failure ? failure->message : none;
  }
  infini_status *release() { return failure.release(); }

  /// The same failure with its place put in front.
  Status at(std::string_view place) && {
    if (!failure || failure.get() == detail::outOfMemoryStatus())
      return std::move(*this);
    failure->message = std::string(place) + ": " + failure->message;
    return std::move(*this);
  }

private:
  std::unique_ptr<infini_status, detail::StatusRelease> failure;
};

template <typename... Args> std::string text(const Args &...args) {
  std::ostringstream stream;
  (stream << ... << args);
  return stream.str();
}

/// 'name', with what would garble a terminal escaped and long names cut: names
/// come from files that anybody may have written.
std::string quoted(std::string_view name);
/// For strings <iomanip>'s template of this name would be the better match.
inline std::string quoted(const std::string &name) {
  return quoted(std::string_view(name));
}
inline std::string quoted(std::string &name) {
  return quoted(std::string_view(name));
}
inline std::string quoted(const char *name) {
  return quoted(std::string_view(name));
}

/// [2, 3, ?] with -1 as a question mark.
std::string shapeText(const int64_t *shape, size_t rank);

template <typename... Args> Status userError(const Args &...args) {
  return Status(INFINI_USER_ERROR, text(args...));
}
template <typename... Args> Status dataError(const Args &...args) {
  return Status(INFINI_DATA_ERROR, text(args...));
}
template <typename... Args> Status bug(const Args &...args) {
  return Status(INFINI_BUG, text(args...));
}

#define INFINI_TRY(expression)                                                 \
  do {                                                                         \
    if (::infini::Status infiniTryStatus = (expression))                       \
      return infiniTryStatus;                                                  \
  } while (false)

/// With the place of the failure; it is computed only if there is one.
#define INFINI_TRY_AT(expression, place)                                       \
  do {                                                                         \
    if (::infini::Status infiniTryStatus = (expression))                       \
      return std::move(infiniTryStatus).at(place);                             \
  } while (false)

} // namespace infini

#endif // INFINI_RUNTIME_STATUS_H
