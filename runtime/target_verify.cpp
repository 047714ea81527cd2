// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Variants against each other, and targets with their images.

#include "infini/runtime/elf_image.h"
#include "infini/runtime/package.h"

#include <algorithm>
#include <cstring>
#include <iterator>

using namespace infini;

//===----------------------------------------------------------------------===//
// Variants
//===----------------------------------------------------------------------===//

/// "n" or "16", for messages and for comparison: variables are numbered by each
/// variant for itself.
static std::string dimText(const Entry &entry, const Dim &dim) {
  return dim.variable < 0
             ? std::to_string(dim.value)
             : entry.variableName(static_cast<size_t>(dim.variable));
}

/// What a caller sees of a port: "state f32 [2, n]". The dimensions of outputs
/// are expressions, which variants may write in different ways.
static std::string portText(const Entry &entry, const Port &port,
                            bool isOutput) {
  std::string result = text(nameOf(port.kind), " ", nameOf(port.element));
  if (port.isScalar())
    return result + (isOutput
                         ? " scalar"
                         : " scalar " + entry.variableName(static_cast<size_t>(
                                            port.scalarVariable)));
  if (isOutput)
    return text(result, " of rank ", port.shape.size());
  result += " [";
  for (size_t i = 0; i < port.dims.size(); ++i)
    result += (i ? ", " : "") + dimText(entry, port.dims[i]);
  return result + "]";
}

/// The ports that a caller sees. Which weights an entry reads, and what is
/// computed from weights once, is each variant's own affair: a CPU may want
/// them in another type than a GPU.
static std::vector<Port> seenPorts(const std::vector<Port> &ports) {
  std::vector<Port> seen;
  std::copy_if(ports.begin(), ports.end(), std::back_inserter(seen),
               [](const Port &port) {
                 return port.kind == PortKind::argument ||
                        port.kind == PortKind::state;
               });
  return seen;
}

/// Whether an entry computes constants of another one: nobody calls it.
static bool makesConstants(const Entry &entry) {
  return std::any_of(
      entry.outputs.begin(), entry.outputs.end(),
      [](const Port &port) { return port.kind == PortKind::constant; });
}

static Status comparePorts(const Entry &entry, const Entry &first,
                           bool isOutput) {
  const auto ports = seenPorts(isOutput ? entry.outputs : entry.inputs);
  const auto firsts = seenPorts(isOutput ? first.outputs : first.inputs);
  const char *what = isOutput ? "output " : "input ";
  if (ports.size() != firsts.size())
    return dataError("has ", ports.size(), isOutput ? " outputs" : " inputs",
                     ", that of variant 0 has ", firsts.size());
  for (size_t i = 0; i < ports.size(); ++i) {
    if (ports[i].name != firsts[i].name)
      return dataError(what, i, " is ", quoted(ports[i].name),
                       ", that of variant 0 is ", quoted(firsts[i].name));
    std::string port = portText(entry, ports[i], isOutput),
                expected = portText(first, firsts[i], isOutput);
    if (port != expected)
      return dataError(what, quoted(ports[i].name), " is ", port,
                       ", that of variant 0 is ", expected);
  }
  return Status();
}

Status infini::verifyVariantsAgree(const std::vector<Variant> &variants) {
  const Variant &first = variants.front();
  for (size_t i = 1; i < variants.size(); ++i) {
    // Names are distinct, so that equal numbers and one inclusion are enough.
    const Variant &variant = variants[i];
    auto called = [](const Variant &v) {
      return v.entries.size() -
             static_cast<size_t>(std::count_if(
                 v.entries.begin(), v.entries.end(), makesConstants));
    };
    if (called(variant) != called(first))
      return dataError("variant ", i, " has ", called(variant),
                       " entries, variant 0 has ", called(first));
    for (const Entry &entry : variant.entries) {
      if (makesConstants(entry))
        continue;
      std::string place = text("variant ", i, ": entry ", quoted(entry.name));
      const Entry *same = first.findEntry(entry.name);
      if (!same)
        return dataError(place, ": variant 0 has no entry of this name");
      INFINI_TRY_AT(comparePorts(entry, *same, false), place);
      INFINI_TRY_AT(comparePorts(entry, *same, true), place);
    }
  }
  return Status();
}

//===----------------------------------------------------------------------===//
// Targets
//===----------------------------------------------------------------------===//

static const char *nameOf(ImageFormat format) {
  switch (format) {
  case ImageFormat::elf:
    return "elf";
  case ImageFormat::ptx:
    return "ptx";
  case ImageFormat::cubin:
    return "cubin";
  }
  return "?";
}

static Status verifyLaunches(const Target &target, const Variant &variant,
                             size_t expected) {
  if (target.launches.size() != expected)
    return dataError("expected ", expected, " launches for ",
                     variant.kernels.size(), " kernels, got ",
                     target.launches.size());
  for (size_t i = 0; i < target.launches.size(); ++i) {
    const KernelLaunch &launch = target.launches[i];
    const std::string &name = variant.kernels[i].name;
    if (launch.threads < 1 || launch.threads > maxLaunchThreads)
      return dataError("kernel ", quoted(name), " has ", launch.threads,
                       " threads a block, expected 1 to ", maxLaunchThreads);
    if (launch.sharedBytes > maxLaunchSharedBytes)
      return dataError("kernel ", quoted(name), " has ", launch.sharedBytes,
                       " bytes of shared memory, expected at most ",
                       maxLaunchSharedBytes);
  }
  return Status();
}

/// Images for the host: of a CPU's kernels, and of a simulated GPU's lanes.
static Status verifyHostImage(const Target &target, const Variant &variant) {
  if (target.format != ImageFormat::elf)
    return dataError("expected an image of the format elf, got ",
                     nameOf(target.format));
  if (target.triple.empty())
    return dataError("has no triple");
  if (variant.kernels.empty() && target.imageBytes == 0)
    return Status();
  std::vector<std::string> symbols;
  for (const Kernel &kernel : variant.kernels)
    symbols.push_back(kernel.name);
  return verifyElfImage(target.image, target.imageBytes, target.triple,
                        symbols);
}

static Status verifyNvidiaImage(const Target &target, const Variant &variant) {
  if (target.format != ImageFormat::ptx && target.format != ImageFormat::cubin)
    return dataError("expected an image of the format ptx or cubin, got ",
                     nameOf(target.format));
  if (target.imageBytes == 0)
    return variant.kernels.empty() ? Status() : dataError("has an empty image");
  if (target.format == ImageFormat::ptx) {
    // The driver reads up to a NUL, which the device puts at the end.
    const uint8_t *end = target.image + target.imageBytes;
    const uint8_t *nul = std::find(target.image, end, 0);
    if (nul != end)
      return dataError("expected PTX, a text, got a NUL at byte ",
                       nul - target.image, " of ", target.imageBytes);
    return Status();
  }
  // 64-bit ELF, little endian, for NVIDIA's machine; the rest is the driver's
  // to judge.
  static const uint8_t start[6] = {0x7f, 'E', 'L', 'F', 2, 1};
  constexpr size_t machineAt = 18, headerBytes = 64;
  constexpr unsigned machineCuda = 190;
  if (target.imageBytes < headerBytes ||
      std::memcmp(target.image, start, sizeof start) != 0)
    return dataError("expected a cubin, which is an ELF file, got ",
                     target.imageBytes, " bytes that are none");
  unsigned machine =
      target.image[machineAt] | unsigned(target.image[machineAt + 1]) << 8;
  if (machine != machineCuda)
    return dataError("expected a cubin, an ELF file for machine ", machineCuda,
                     ", got one for machine ", machine);
  return Status();
}

static Status verifyTarget(const Program &program, const Target &target) {
  if (target.kind.empty())
    return dataError("has no kind");
  if (target.variant >= program.variants.size())
    return dataError("names variant ", target.variant, ", expected one of ",
                     program.variants.size());
  const Variant &variant = program.variants[target.variant];
  if (target.kind == "cpu") {
    INFINI_TRY(verifyLaunches(target, variant, 0));
    return verifyHostImage(target, variant);
  }
  bool isNvidia = target.kind == "nvidia";
  // Other kinds are for other runtimes: not ours to judge, and not usable here.
  if (!isNvidia && target.kind != "sim")
    return Status();
  if (target.chip.empty())
    return dataError("has no chip");
  INFINI_TRY(verifyLaunches(target, variant, variant.kernels.size()));
  return isNvidia ? verifyNvidiaImage(target, variant)
                  : verifyHostImage(target, variant);
}

Status infini::verifyTargets(const Program &program) {
  if (program.targets.empty())
    return dataError("has no targets");
  for (size_t i = 0; i < program.targets.size(); ++i)
    INFINI_TRY_AT(verifyTarget(program, program.targets[i]),
                  text("target ", i, ", ", quoted(program.targets[i].kind)));
  return Status();
}
