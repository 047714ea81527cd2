// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C interface: thin, and the place where exceptions end.

#include "infini/runtime/infini.h"
#include "infini/runtime/package.h"
#include "infini/runtime/session.h"

#include <cstdlib>
#include <new>
#include <system_error>

using namespace infini;

struct infini_package {
  std::shared_ptr<const Package> object;
};
struct infini_weights {
  std::shared_ptr<const safetensors::Model> object;
};
struct infini_device {
  std::shared_ptr<Device> object;
};
struct infini_session {
  std::unique_ptr<Session> object;
};

/// Runs a function that returns a Status. Exceptions come from the standard
/// library only: no memory, or no more threads.
template <typename Function> static infini_status *guarded(Function function) {
  try {
    return function().release();
  } catch (const std::bad_alloc &) {
  } catch (const std::length_error &) {
  } catch (const std::system_error &error) {
    try {
      return userError("the operating system refuses: ", error.what())
          .release();
    } catch (...) {
    }
  } catch (const std::exception &error) {
    try {
      return bug("unexpected exception: ", error.what()).release();
    } catch (...) {
    }
  }
  return Status::outOfMemory().release();
}

const char *infini_version(void) { return INFINI_VERSION; }

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

size_t infini_element_bytes(infini_element element) {
  return static_cast<unsigned>(element) < elementTypeCount
             ? bytesOf(static_cast<ElementType>(element))
             : 0;
}

const char *infini_element_name(infini_element element) {
  return static_cast<unsigned>(element) < elementTypeCount
             ? nameOf(static_cast<ElementType>(element))
             : "?";
}

void infini_tensor_release(infini_tensor *tensor) {
  if (!tensor)
    return;
  free(tensor->data);
  tensor->data = nullptr;
}

//===----------------------------------------------------------------------===//
// Packages
//===----------------------------------------------------------------------===//

infini_status *infini_package_open(const char *path, infini_package **package) {
  return guarded([&] {
    std::shared_ptr<const Package> object;
    INFINI_TRY(Package::open(path, object));
    *package = new infini_package{std::move(object)};
    return Status();
  });
}

infini_status *infini_package_from_memory(const void *bytes, size_t size,
                                          infini_package **package) {
  return guarded([&] {
    std::shared_ptr<const Package> object;
    INFINI_TRY(Package::fromMemory(bytes, size, object));
    *package = new infini_package{std::move(object)};
    return Status();
  });
}

void infini_package_release(infini_package *package) { delete package; }

/// Those of any variant: names and ports are the same in all.
static const std::vector<Entry> &entriesOf(const infini_package *package) {
  return package->object->program().variants.front().entries;
}

size_t infini_package_entry_count(const infini_package *package) {
  return entriesOf(package).size();
}

static const Entry *entryAt(const infini_package *package, size_t index) {
  const auto &entries = entriesOf(package);
  return index < entries.size() ? &entries[index] : nullptr;
}

const char *infini_package_entry_name(const infini_package *package,
                                      size_t entry) {
  const Entry *found = entryAt(package, entry);
  return found ? found->name.c_str() : nullptr;
}

size_t infini_package_input_count(const infini_package *package, size_t entry) {
  const Entry *found = entryAt(package, entry);
  return found ? found->inputs.size() : 0;
}

size_t infini_package_output_count(const infini_package *package,
                                   size_t entry) {
  const Entry *found = entryAt(package, entry);
  return found ? found->outputs.size() : 0;
}

static Status describe(const std::vector<Port> &ports, size_t index,
                       infini_port_info &info) {
  if (index >= ports.size())
    return userError("there is no port ", index, ", expected less than ",
                     ports.size());
  const Port &port = ports[index];
  info = {};
  info.name = port.name.c_str();
  info.kind = static_cast<infini_port_kind>(port.kind);
  info.element = static_cast<infini_element>(port.element);
  info.is_scalar = port.isScalar();
  // Inputs have dimensions, outputs expressions.
  for (const Dim &dim : port.dims)
    info.shape[info.rank++] = dim.variable < 0 ? dim.value : -1;
  for (size_t i = 0; i < port.shape.size(); ++i)
    info.shape[info.rank++] = -1;
  return Status();
}

infini_status *infini_package_input(const infini_package *package, size_t entry,
                                    size_t port, infini_port_info *info) {
  return guarded([&] {
    const Entry *found = entryAt(package, entry);
    return found ? describe(found->inputs, port, *info)
                 : userError("there is no entry ", entry);
  });
}

infini_status *infini_package_output(const infini_package *package,
                                     size_t entry, size_t port,
                                     infini_port_info *info) {
  return guarded([&] {
    const Entry *found = entryAt(package, entry);
    return found ? describe(found->outputs, port, *info)
                 : userError("there is no entry ", entry);
  });
}

int infini_package_model(const infini_package *package,
                         infini_model_info *info) {
  const Program &program = package->object->program();
  if (!program.hasModel)
    return 0;
  const Model &model = program.model;
  *info = {model.fingerprint.c_str(), model.config.c_str(),
           model.vocabSize,           model.layers,
           model.segmentLength,       model.maxTokensPerCall};
  return 1;
}

//===----------------------------------------------------------------------===//
// Weights, devices
//===----------------------------------------------------------------------===//

infini_status *infini_weights_open(const char *path, infini_weights **weights) {
  return guarded([&] {
    std::unique_ptr<const safetensors::Model> model;
    if (safetensors::Error error = safetensors::Model::open(path, model))
      return Status(error.kind == safetensors::Error::user ? INFINI_USER_ERROR
                                                           : INFINI_DATA_ERROR,
                    error.message);
    *weights = new infini_weights{std::move(model)};
    return Status();
  });
}

void infini_weights_release(infini_weights *weights) { delete weights; }

const char *infini_device_names(void) { return deviceNames(); }

infini_status *infini_device_open(const char *name, uint32_t threads,
                                  infini_device **device) {
  return guarded([&] {
    std::shared_ptr<Device> object;
    INFINI_TRY(openDevice(name, threads, object));
    *device = new infini_device{std::move(object)};
    return Status();
  });
}

void infini_device_release(infini_device *device) { delete device; }

const char *infini_device_chip(const infini_device *device) {
  return device->object->chip();
}

void infini_device_set_trace(infini_device *device,
                             infini_trace_callback callback, void *user) {
  device->object->trace.reset();
  if (callback)
    device->object->trace.emplace(callback, user);
}

//===----------------------------------------------------------------------===//
// Sessions
//===----------------------------------------------------------------------===//

infini_status *infini_session_open(infini_package *package, const char *entry,
                                   infini_weights *weights,
                                   infini_device *device,
                                   infini_session **session) {
  return guarded([&] {
    std::unique_ptr<Session> object;
    INFINI_TRY(Session::open(package->object, entry ? entry : "",
                             weights ? weights->object : nullptr,
                             device->object, object));
    *session = new infini_session{std::move(object)};
    return Status();
  });
}

void infini_session_release(infini_session *session) { delete session; }

infini_status *infini_function_call(infini_session *session,
                                    const infini_tensor *inputs,
                                    size_t input_count, infini_tensor *outputs,
                                    size_t output_count) {
  return guarded([&] {
    return session->object->call(inputs, input_count, outputs, output_count);
  });
}

infini_status *
infini_function_repeat(infini_session *session, const infini_tensor *inputs,
                       size_t input_count, infini_tensor *outputs,
                       size_t output_count, size_t repeats, double *seconds) {
  return guarded([&] {
    return session->object->repeat(inputs, input_count, outputs, output_count,
                                   repeats, seconds);
  });
}

infini_status *infini_session_set_tokens_per_call(infini_session *session,
                                                  uint64_t tokens) {
  return guarded([&] { return session->object->setTokensPerCall(tokens); });
}

infini_status *infini_session_feed(infini_session *session,
                                   const int32_t *tokens, size_t count,
                                   float *logits) {
  return guarded([&] {
    return session->object->feed(tokens, count, logits, nullptr, nullptr);
  });
}

infini_status *infini_session_feed_each(infini_session *session,
                                        const int32_t *tokens, size_t count,
                                        infini_logits_callback callback,
                                        void *user) {
  return guarded([&] {
    return session->object->feed(tokens, count, nullptr, callback, user);
  });
}

infini_status *infini_session_reset(infini_session *session) {
  return guarded([&] { return session->object->reset(); });
}

size_t infini_session_state_count(const infini_session *session) {
  return session->object->stateCount();
}

const char *infini_session_state_name(const infini_session *session,
                                      size_t index) {
  return index < session->object->stateCount()
             ? session->object->stateName(index).c_str()
             : nullptr;
}

infini_status *infini_session_read_state(const infini_session *session,
                                         const char *name,
                                         infini_tensor *tensor) {
  return guarded([&] { return session->object->readState(name, *tensor); });
}

infini_status *infini_session_save(const infini_session *session,
                                   const char *path) {
  return guarded([&] { return session->object->save(path); });
}

infini_status *infini_session_load(infini_session *session, const char *path) {
  return guarded([&] { return session->object->load(path); });
}

void infini_session_statistics(const infini_session *session,
                               infini_statistics *statistics) {
  *statistics = session->object->statistics();
}
