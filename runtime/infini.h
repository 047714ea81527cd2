// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The public C interface of the runtime.
//
// Every function that can fail returns a status: null is success, anything
// else has a code and a text, and belongs to the caller
// (infini_status_release). No exception leaves a function, nothing is printed,
// and there is no global state, but for what comes with the process: OpenBLAS's
// own number of threads is set to 1 when a cpu device is opened (the runtime
// has a thread pool of its own), and two environment variables are read:
// INFINI_LIBCUDA (see infini_device_open), and INFINI_POISON when a session is
// opened: with the value 1 all scratch and output memory is filled with NaN
// bytes before it is used.
//
// No pointer may be null unless it is said. Where a function fails, what it
// would have made is left as it was.
//
// Objects are counted: a session keeps what it was made from alive, so they
// may be released in any order. Distinct sessions may be used from distinct
// threads; one session only from one thread at a time.

#ifndef INFINI_RUNTIME_INFINI_H
#define INFINI_RUNTIME_INFINI_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define INFINI_API __attribute__((visibility("default")))
#else
#define INFINI_API
#endif

#ifdef __cplusplus
// As C does it: any number may arrive in an enumeration, and is checked.
#define INFINI_ENUM_TYPE : int32_t
extern "C" {
#else
#define INFINI_ENUM_TYPE
#endif

//===----------------------------------------------------------------------===//
// Status
//===----------------------------------------------------------------------===//

typedef enum infini_code INFINI_ENUM_TYPE {
  INFINI_OK = 0,
  /// The caller asked for what cannot be: a wrong name, shape, type or value.
  INFINI_USER_ERROR = 1,
  /// A file is damaged, truncated, or of a version that is not known here.
  INFINI_DATA_ERROR = 2,
  /// A mistake of infini itself (a compiler's schedule that contradicts
  /// itself).
  INFINI_BUG = 3,
  INFINI_OUT_OF_MEMORY = 4
} infini_code;

typedef struct infini_status infini_status;

/// INFINI_OK for null.
INFINI_API infini_code infini_status_code(const infini_status *status);
/// What and where, what was expected and what was found, and a hint where one
/// action helps. UTF-8, one line or more, no newline at the end; "" for null.
/// Valid until the status is released.
INFINI_API const char *infini_status_message(const infini_status *status);
/// Null is allowed.
INFINI_API void infini_status_release(infini_status *status);

/// Of this header; the only place where it stands.
#define INFINI_VERSION "0.1.0"
/// Of the library; static.
INFINI_API const char *infini_version(void);

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// Numbered as in the package format. f16 and bf16 are two bytes, i1 is a byte
/// that is 0 or 1.
typedef enum infini_element INFINI_ENUM_TYPE {
  INFINI_F32 = 0,
  INFINI_F64 = 1,
  INFINI_F16 = 2,
  INFINI_BF16 = 3,
  INFINI_I1 = 4,
  INFINI_I8 = 5,
  INFINI_I16 = 6,
  INFINI_I32 = 7,
  INFINI_I64 = 8
} infini_element;

#define INFINI_MAX_RANK 16

/// A contiguous row-major tensor in host memory. A scalar (an index of the
/// program) is an i64 tensor of rank 0. `data` is aligned to the element, and
/// is ignored when the tensor has no elements.
typedef struct infini_tensor {
  void *data;
  infini_element element;
  int32_t rank;
  int64_t shape[INFINI_MAX_RANK];
} infini_tensor;

/// Bytes of one element, 0 for an unknown type.
INFINI_API size_t infini_element_bytes(infini_element element);
/// "f32", "bf16", ...; static; "?" for an unknown type.
INFINI_API const char *infini_element_name(infini_element element);
/// Gives memory back that the runtime allocated for a tensor, and sets `data`
/// to null. Not for tensors whose memory is the caller's.
INFINI_API void infini_tensor_release(infini_tensor *tensor);

//===----------------------------------------------------------------------===//
// Packages
//===----------------------------------------------------------------------===//

typedef struct infini_package infini_package;

/// Reads and verifies a package. Verification covers checksums, structure,
/// every index and range, and the form of the kernels' images. It does not make
/// a package from an untrusted source safe to run: kernels are native code.
/// Errors: user (no such file), data (damaged, other version), out of memory.
INFINI_API infini_status *infini_package_open(const char *path,
                                              infini_package **package);
/// The same for the bytes of a file; they are copied.
INFINI_API infini_status *infini_package_from_memory(const void *bytes,
                                                     size_t size,
                                                     infini_package **package);
INFINI_API void infini_package_release(infini_package *package);

typedef enum infini_port_kind INFINI_ENUM_TYPE {
  INFINI_ARGUMENT = 0,
  INFINI_WEIGHT = 1,
  INFINI_STATE = 2,
  INFINI_CONSTANT = 3
} infini_port_kind;

typedef struct infini_port_info {
  /// Valid as long as the package.
  const char *name;
  infini_port_kind kind;
  infini_element element;
  /// 1: an i64 scalar (rank 0).
  int32_t is_scalar;
  int32_t rank;
  /// A dimension that is known only when the entry is called is -1.
  int64_t shape[INFINI_MAX_RANK];
} infini_port_info;

INFINI_API size_t infini_package_entry_count(const infini_package *package);
/// Null when there is no such entry. Valid as long as the package.
INFINI_API const char *infini_package_entry_name(const infini_package *package,
                                                 size_t entry);
INFINI_API size_t infini_package_input_count(const infini_package *package,
                                             size_t entry);
INFINI_API size_t infini_package_output_count(const infini_package *package,
                                              size_t entry);
/// Errors: user (no such entry or port).
INFINI_API infini_status *infini_package_input(const infini_package *package,
                                               size_t entry, size_t port,
                                               infini_port_info *info);
INFINI_API infini_status *infini_package_output(const infini_package *package,
                                                size_t entry, size_t port,
                                                infini_port_info *info);

typedef struct infini_model_info {
  /// Valid as long as the package; never null.
  const char *fingerprint;
  /// config.json as it was read, or "".
  const char *config;
  uint32_t vocab_size;
  uint32_t layers;
  uint64_t segment_length;
  uint64_t max_tokens_per_call;
} infini_model_info;

/// 1 when the package came from a model folder, else 0 and `info` is untouched.
INFINI_API int infini_package_model(const infini_package *package,
                                    infini_model_info *info);

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

typedef struct infini_weights infini_weights;

/// Maps the weights of a model: a folder with `model.safetensors`, or with
/// `model.safetensors.index.json` and its shards; or one .safetensors file.
/// Nothing is copied: the files must not be changed while they are in use.
/// Errors: user (no such folder or file), data (damaged).
INFINI_API infini_status *infini_weights_open(const char *path,
                                              infini_weights **weights);
INFINI_API void infini_weights_release(infini_weights *weights);

//===----------------------------------------------------------------------===//
// Devices
//===----------------------------------------------------------------------===//

typedef struct infini_device infini_device;

/// The names that infini_device_open knows, separated by ", "; static.
INFINI_API const char *infini_device_names(void);
/// `name`: "cpu"; "cuda" or "cuda:<number>", an NVIDIA GPU (the driver's
/// library is looked for now, by its name libcuda.so.1 or, if it is set, by
/// that in the environment variable INFINI_LIBCUDA); "sim:<chip>", such a GPU
/// simulated: for tests, slow. `threads`: how many threads share a dispatch on
/// the cpu, the calling one included; 0: as many as the process may use cores.
/// Results do not depend on it.
/// Errors: user (no such device, no driver or one that is too old, more than
/// 1024 threads), out of memory.
INFINI_API infini_status *infini_device_open(const char *name, uint32_t threads,
                                             infini_device **device);
INFINI_API void infini_device_release(infini_device *device);
/// The GPU's architecture as packages name it ("sm_90"); "" for the cpu. Valid
/// as long as the device.
INFINI_API const char *infini_device_chip(const infini_device *device);

typedef enum infini_trace_kind INFINI_ENUM_TYPE {
  /// A call of an entry, without copies to and from the device.
  INFINI_TRACE_STEP = 0,
  // Its commands.
  INFINI_TRACE_DISPATCH = 1,
  INFINI_TRACE_GEMM = 2,
  INFINI_TRACE_COPY = 3,
  INFINI_TRACE_FILL = 4,
  /// All of a loop; what is inside comes besides.
  INFINI_TRACE_LOOP = 5,
  // Arguments and results of a step.
  INFINI_TRACE_UPLOAD = 6,
  INFINI_TRACE_DOWNLOAD = 7
} infini_trace_kind;

/// Texts are valid until the callback returns.
typedef struct infini_trace_event {
  infini_trace_kind kind;
  /// 0: the time that the host spent, which on the cpu and in the simulator is
  /// that of the work. On a GPU a command is given twice: so, and with 1 for
  /// the time that the GPU spent.
  int32_t on_device;
  /// A dispatch's kernel; what is copied; otherwise what it is.
  const char *name;
  const char *entry;
  /// Number of the call of the entry, from 0.
  uint64_t step;
  /// Since infini_device_set_trace.
  double start, seconds;
  /// Blocks of a dispatch; m, n, k of a gemm.
  int64_t grid[3];
  /// Bytes, or rounds of a loop.
  uint64_t count;
} infini_trace_event;

typedef void (*infini_trace_callback)(void *user,
                                      const infini_trace_event *event);

/// Has the callback told of all that the device's sessions do from now on, each
/// event when it is over, on the thread of the call; null: no more. Not while a
/// session is called. A GPU's commands are then given one by one, with times
/// between them, which takes longer. The callback calls no function here.
INFINI_API void infini_device_set_trace(infini_device *device,
                                        infini_trace_callback callback,
                                        void *user);

//===----------------------------------------------------------------------===//
// Sessions
//===----------------------------------------------------------------------===//

/// One entry of a package, bound to weights and a device, with its state.
typedef struct infini_session infini_session;

/// `entry`: null for "main", or for the only one when there is only one (the
/// entries `<name>.init` do not count). `weights`: null when the entry has no
/// weights. Runs `<entry>.init` if the entry has constants; the state is zero.
/// Errors: user (no such entry, a weight is missing or has another type or
/// shape, the device lacks what the kernels need or the package has none for
/// it), out of memory.
INFINI_API infini_status *infini_session_open(infini_package *package,
                                              const char *entry,
                                              infini_weights *weights,
                                              infini_device *device,
                                              infini_session **session);
INFINI_API void infini_session_release(infini_session *session);

/// Calls the entry once. `inputs`: its argument inputs in order. `outputs`: its
/// argument outputs in order; where `data` is null the runtime fills the struct
/// in and allocates (give it back with infini_tensor_release), otherwise type
/// and shape must be those of the result. State is read and updated.
/// Errors: user (count, type or shape; nothing has happened then), out of
/// memory, bug. After an error while it ran, only reset, load and release are
/// left.
INFINI_API infini_status *infini_function_call(infini_session *session,
                                               const infini_tensor *inputs,
                                               size_t input_count,
                                               infini_tensor *outputs,
                                               size_t output_count);

/// For measuring: calls the entry once, and then `repeats` times more with the
/// same arguments. `seconds`: room for so many numbers (null if there are
/// none), how long each but the first call took until the device had done it.
/// Arguments are copied to the device before, results, those of the last call,
/// from it after, so that no copy is in the numbers. State is read and updated
/// by each call. Errors: as infini_function_call.
INFINI_API infini_status *
infini_function_repeat(infini_session *session, const infini_tensor *inputs,
                       size_t input_count, infini_tensor *outputs,
                       size_t output_count, size_t repeats, double *seconds);

/// Sets how many tokens a call of the entry takes when a text is fed; 0 is the
/// package's own maximum. Errors: user (more than the maximum).
INFINI_API infini_status *
infini_session_set_tokens_per_call(infini_session *session, uint64_t tokens);

/// Continues the text by `count` tokens, cut into calls of the entry. `logits`:
/// null, or room for [count, vocab_size] f32. count = 0 does nothing.
/// The entry must have one argument, i32 or i64 [T], and one argument result,
/// f32 [T, V]. Errors: as infini_function_call; user (a token outside 0 ...
/// vocab_size-1; nothing has happened then).
INFINI_API infini_status *infini_session_feed(infini_session *session,
                                              const int32_t *tokens,
                                              size_t count, float *logits);

/// Called after each call of the entry with its [count, vocab_size] logits,
/// which are valid until it returns. Not 0: stop.
typedef int (*infini_logits_callback)(void *user, const float *logits,
                                      size_t count, size_t vocab_size);

/// The same, handing the logits out as they come, so that memory stays
/// constant however long the text is. When the callback stops it, the tokens
/// up to there have been taken, and the result is a user error.
INFINI_API infini_status *
infini_session_feed_each(infini_session *session, const int32_t *tokens,
                         size_t count, infini_logits_callback callback,
                         void *user);

/// The state is zero again, as for a new text.
INFINI_API infini_status *infini_session_reset(infini_session *session);

/// Number of state tensors and scalars, and their names (null: no such).
INFINI_API size_t infini_session_state_count(const infini_session *session);
INFINI_API const char *infini_session_state_name(const infini_session *session,
                                                 size_t index);
/// Copies one out; `tensor` as an output of infini_function_call.
/// Errors: user (no such state).
INFINI_API infini_status *
infini_session_read_state(const infini_session *session, const char *name,
                          infini_tensor *tensor);

/// Saves the state and the number of tokens of the text in a file, from which
/// any session of the same model goes on (docs/state-format.md). The file is
/// replaced at once or not at all, and is on the disk when this returns; if the
/// process ends before, the old one is there as it was.
/// For entries that take a text: see infini_session_feed.
/// Errors: user (the path, and which of the system's calls failed why; the
/// entry takes no text), out of memory. The session is as it was.
INFINI_API infini_status *infini_session_save(const infini_session *session,
                                              const char *path);

/// Goes on from a file that infini_session_save wrote: as the session that
/// wrote it would, on the same device to the bit. Everything is checked before
/// anything is changed. The file must not be changed meanwhile.
/// Errors: user (no such file; of another model, of other weights, or of
/// another package), data (damaged, truncated, other version), out of memory:
/// the session is as it was. If a device fails while it takes the state, only
/// reset, load and release are left.
INFINI_API infini_status *infini_session_load(infini_session *session,
                                              const char *path);

typedef struct infini_statistics {
  /// Of the text: since the session was opened or reset; those before a state
  /// that was loaded included.
  uint64_t tokens;
  /// Calls of the entry since the session was opened.
  uint64_t calls;
  /// Sizes in bytes: what the session keeps between calls, computed constants,
  /// the memory for intermediate results (its high-water mark), the weights
  /// that the entry uses (mapped; a GPU gets a copy).
  uint64_t state_bytes;
  uint64_t constant_bytes;
  uint64_t arena_bytes;
  uint64_t weight_bytes;
} infini_statistics;

INFINI_API void infini_session_statistics(const infini_session *session,
                                          infini_statistics *statistics);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // INFINI_RUNTIME_INFINI_H
