// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The form of a cpu target's image: a position-independent ELF shared object
// that brings no code of its own to the loading, and needs nothing from
// outside.

#ifndef INFINI_RUNTIME_ELF_IMAGE_H
#define INFINI_RUNTIME_ELF_IMAGE_H

#include "infini/runtime/status.h"

#include <string>
#include <vector>

namespace infini {

/// Checks an image for the processor of `triple`: that all offsets lie inside,
/// that there are no dependencies, constructors, undefined or indirect symbols,
/// and that `infini_imports` and each of `symbols` are defined. This keeps a
/// wrong or damaged image from reaching the dynamic linker; it cannot make
/// native code harmless.
Status verifyElfImage(const uint8_t *image, size_t size,
                      const std::string &triple,
                      const std::vector<std::string> &symbols);

/// The part of a triple before the first dash, as this build's processor has
/// it ("x86_64").
std::string hostArchitecture();

} // namespace infini

#endif // INFINI_RUNTIME_ELF_IMAGE_H
