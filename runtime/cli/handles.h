// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C interface's objects, released when they go out of scope.

#ifndef INFINI_RUNTIME_CLI_HANDLES_H
#define INFINI_RUNTIME_CLI_HANDLES_H

#include "infini/runtime/status.h"

#include <memory>

namespace infini::cli {

template <typename T, void (*release)(T *)> struct Releaser {
  void operator()(T *object) const { release(object); }
};
template <typename T, void (*release)(T *)>
using Handle = std::unique_ptr<T, Releaser<T, release>>;

using PackageHandle = Handle<infini_package, infini_package_release>;
using WeightsHandle = Handle<infini_weights, infini_weights_release>;
using DeviceHandle = Handle<infini_device, infini_device_release>;
using SessionHandle = Handle<infini_session, infini_session_release>;

/// Calls a function of the C interface that makes an object.
template <typename HandleType, typename Function, typename... Args>
Status make(HandleType &handle, Function function, Args... args) {
  typename HandleType::pointer object = nullptr;
  Status status = Status::adopt(function(args..., &object));
  handle.reset(object);
  return status;
}

} // namespace infini::cli

#endif // INFINI_RUNTIME_CLI_HANDLES_H
