// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/devices/cuda/choose_image.h"

using namespace infini;

bool infini::parseCudaChip(std::string_view name, CudaChip &chip) {
  constexpr std::string_view prefix = "sm_";
  if (name.substr(0, prefix.size()) != prefix)
    return false;
  name.remove_prefix(prefix.size());
  chip.isSpecific = !name.empty() && name.back() == 'a';
  if (chip.isSpecific)
    name.remove_suffix(1);
  // "sm_80", "sm_120": the last digit is the minor version.
  if (name.size() < 2 || name.size() > 4)
    return false;
  int number = 0;
  for (char digit : name) {
    if (digit < '0' || digit > '9')
      return false;
    number = 10 * number + (digit - '0');
  }
  chip.major = number / 10;
  chip.minor = number % 10;
  return true;
}

/// How well an image suits a chip; 0: not at all.
static int suitability(const Target &target, const CudaChip &chip) {
  CudaChip made;
  if (target.kind != "nvidia" || !parseCudaChip(target.chip, made))
    return 0;
  int version = 10 * made.major + made.minor,
      wanted = 10 * chip.major + chip.minor;
  bool isCubin = target.format == ImageFormat::cubin;
  if (made.isSpecific
          ? version != wanted
          : version > wanted || (isCubin && made.major != chip.major))
    return 0;
  return (isCubin ? 100000 : 0) + 2 * version + made.isSpecific + 1;
}

Status infini::chooseCudaImage(const Program &program, const CudaChip &chip,
                               const std::string &gpu, size_t &target) {
  int best = 0;
  std::string list;
  for (size_t i = 0; i < program.targets.size(); ++i) {
    const Target &candidate = program.targets[i];
    if (int suits = suitability(candidate, chip); suits > best) {
      best = suits;
      target = i;
    }
    list += text(list.empty() ? "" : ", ", quoted(candidate.kind));
    if (!candidate.chip.empty())
      list += text(" for ", quoted(candidate.chip),
                   candidate.format == ImageFormat::cubin ? " (cubin)"
                   : candidate.format == ImageFormat::ptx ? " (ptx)"
                                                          : "");
  }
  if (best)
    return Status();
  return userError("the package has no kernels for ", gpu, ", only: ", list,
                   "; compile it with --target nvidia:<chip>, a chip that is "
                   "not newer than ",
                   chip.name());
}
