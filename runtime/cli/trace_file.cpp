// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/cli/trace_file.h"
#include "infini/runtime/chrome_trace.h"

#include <nlohmann/json.hpp>

using namespace infini;
using namespace infini::cli;

using Json = nlohmann::ordered_json;

/// Names come from packages.
static std::string toText(const Json &json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Status TraceFile::open(const std::string &path) {
  if (path.empty())
    return Status();
  INFINI_TRY(file.open(path));
  buffer = chrome::begin("\"infini-run\"") + chrome::thread(1, "\"host\"");
  return Status();
}

void TraceFile::attach(infini_device *device) {
  if (file.isOpen())
    infini_device_set_trace(device, take, this);
}

void TraceFile::take(void *user, const infini_trace_event *event) {
  // No exception may cross the C interface.
  auto *self = static_cast<TraceFile *>(user);
  try {
    self->write(*event);
  } catch (...) {
    self->problem = Status::outOfMemory();
  }
}

void TraceFile::write(const infini_trace_event &event) {
  static const char *const categories[] = {
      "step", "dispatch", "gemm", "copy", "fill", "loop", "upload", "download"};
  if (problem)
    return;
  Json arguments = {{"entry", event.entry}, {"step", event.step}};
  switch (event.kind) {
  case INFINI_TRACE_STEP:
    break;
  case INFINI_TRACE_DISPATCH:
    arguments["blocks"] = event.grid;
    break;
  case INFINI_TRACE_GEMM:
    arguments["m"] = event.grid[0];
    arguments["n"] = event.grid[1];
    arguments["k"] = event.grid[2];
    break;
  case INFINI_TRACE_LOOP:
    arguments["rounds"] = event.count;
    break;
  case INFINI_TRACE_COPY:
  case INFINI_TRACE_FILL:
  case INFINI_TRACE_UPLOAD:
  case INFINI_TRACE_DOWNLOAD:
    arguments["bytes"] = event.count;
    break;
  }
  if (event.on_device && !isOnDevice) {
    buffer += chrome::thread(2, "\"GPU\"");
    isOnDevice = true;
  }
  buffer += chrome::event({toText(event.name), categories[event.kind],
                           event.on_device ? 2u : 1u, event.start,
                           event.seconds, toText(arguments)});
  if (buffer.size() >= 1 << 16)
    problem = flush();
}

Status TraceFile::flush() {
  Status status = file.write(buffer.data(), buffer.size());
  buffer.clear();
  return status;
}

Status TraceFile::finish() {
  if (problem)
    return std::move(problem);
  if (!file.isOpen())
    return Status();
  buffer += chrome::end;
  INFINI_TRY(flush());
  return file.commit();
}
