// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A run's trace as a file (--trace), written as it comes.

#ifndef INFINI_RUNTIME_CLI_TRACE_FILE_H
#define INFINI_RUNTIME_CLI_TRACE_FILE_H

#include "infini/runtime/output_file.h"

namespace infini::cli {

class TraceFile {
public:
  /// Does nothing, here and below, where the path is empty.
  Status open(const std::string &path);
  /// All that the device does from now on. It must not outlive this object.
  void attach(infini_device *device);
  /// Puts the file in its place.
  Status finish();

private:
  static void take(void *user, const infini_trace_event *event);
  void write(const infini_trace_event &event);
  Status flush();

  OutputFile file;
  std::string buffer;
  bool isOnDevice = false;
  /// What went wrong while nobody could be told.
  Status problem;
};

} // namespace infini::cli

#endif // INFINI_RUNTIME_CLI_TRACE_FILE_H
