// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a device does for the executor: memory, and the program's commands.
// Commands of one session arrive in order, from one thread.

#ifndef INFINI_RUNTIME_DEVICES_DEVICE_H
#define INFINI_RUNTIME_DEVICES_DEVICE_H

#include "infini/runtime/program.h"
#include "infini/runtime/status.h"
#include "infini/runtime/trace.h"

#include <memory>
#include <optional>

namespace infini {

/// A block of a device's memory, aligned to 64 bytes at least; given back when
/// it dies. `data` is an address of the device: the host may follow it only
/// where the device shares the host's memory.
class DeviceMemory {
public:
  virtual ~DeviceMemory() = default;
  void *data = nullptr;
  size_t bytes = 0;
};

/// The kernels of a package, ready to run on a device.
class DeviceModule {
public:
  virtual ~DeviceModule() = default;
  /// Of Program::targets, the one that was chosen.
  size_t target = 0;
};

/// A kernel over a grid of blocks.
struct Dispatch {
  /// Number in the target's variant.
  uint32_t kernel;
  /// Extents beyond the kernel's rank are 1; with one that is not positive,
  /// nothing is done.
  int64_t grid[3];
  /// As in kernel_abi.h: addresses of `bufferCount` buffers, then scalars.
  const uint64_t *arguments;
  size_t bufferCount, scalarCount;
  /// One a buffer.
  const int64_t *bufferBytes;
};

/// C[m,n] = op(A) op(B) or C += , row-major; see package.fbs.
struct Gemm {
  const void *a, *b;
  void *c;
  int64_t m, n, k;
  bool transposeA, transposeB, accumulate;
  ElementType element;
};

class Device {
public:
  virtual ~Device() = default;

  /// The GPU's architecture as packages name it ("sm_90"); "" for a CPU.
  virtual const char *chip() const { return ""; }

  /// Whether addresses of the host are addresses of the device. Then upload and
  /// download are copies, and tensors of the caller are used in place.
  virtual bool sharesHostMemory() const = 0;

  virtual Status allocate(size_t bytes,
                          std::unique_ptr<DeviceMemory> &memory) = 0;
  /// Chooses the target of the program that suits this device best.
  virtual Status load(const Program &program,
                      std::unique_ptr<DeviceModule> &module) = 0;

  // Commands run in the order in which they are given; the host may be ahead of
  // them. What it gave to upload() it may change when that returns; what
  // download() gave is there when that returns.
  virtual Status dispatch(DeviceModule &module, const Dispatch &dispatch) = 0;
  virtual Status gemm(const Gemm &gemm) = 0;
  /// Both are the device's; the ranges may overlap.
  virtual Status copy(void *destination, const void *source, size_t bytes) = 0;
  virtual Status upload(void *destination, const void *host, size_t bytes) = 0;
  virtual Status download(void *host, const void *source, size_t bytes) = 0;
  /// The low `patternBytes` (1, 2, 4 or 8) of `pattern`, over and over.
  virtual Status fill(void *destination, size_t bytes, uint64_t pattern,
                      unsigned patternBytes) = 0;
  /// All commands are done when it returns; a fault of one shows here at the
  /// latest.
  virtual Status synchronize() = 0;

  /// Around the dispatches, copies and fills of one call of an entry, each on
  /// the thread of the call. A device may put the work off until endStep, to
  /// give it out in one piece; nothing else of this session comes between.
  /// endStep follows each beginStep that succeeded: with `failed`, when the
  /// call ended before its last command, and then nothing need be done.
  virtual Status beginStep(DeviceModule & /*module*/) { return Status(); }
  virtual Status endStep(DeviceModule & /*module*/, bool /*failed*/) {
    return Status();
  }

  // For traces: a device that works behind the host's back can mark the points
  // between commands, and say when it got there. Marks are of one step, which
  // begins while there is a trace.
  virtual bool hasMarks() const { return false; }
  virtual Status mark() { return Status(); }
  /// Waits. Seconds of the step's marks since the first of them.
  virtual Status takeMarks(std::vector<double> & /*seconds*/) {
    return Status();
  }

  /// Fill scratch memory with NaN bytes before it is handed out, from now on.
  virtual void poisonScratch() = 0;

  /// Who is told of each command; changed between calls only.
  std::optional<Trace> trace;
};

/// "cpu, cuda[:<number>], sim:<chip>".
const char *deviceNames();

/// `threads` = 0: one for each core that the process may use.
Status openDevice(const std::string &name, unsigned threads,
                  std::shared_ptr<Device> &device);

} // namespace infini

#endif // INFINI_RUNTIME_DEVICES_DEVICE_H
