// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a package says, as JSON: infini-inspect --json prints it, and its text
// is made from it, so that the two cannot differ.

#ifndef INFINI_RUNTIME_CLI_DESCRIBE_H
#define INFINI_RUNTIME_CLI_DESCRIBE_H

#include "infini/runtime/package.h"

#include <nlohmann/json.hpp>
#include <string>

namespace infini::cli {

using Json = nlohmann::ordered_json;

/// Everything: targets, variants with their entries and kernels, checksums,
/// provenance. `path` is where the package was read.
Json describePackage(const std::string &path, const Package &package);

/// A part of it: ports, state, buffers, and the schedule. Sizes are numbers
/// where they are known, else expressions over the entry's variables.
Json describeEntry(const Entry &entry, const std::vector<Kernel> &kernels);

/// As --target of infini-compile has it: "cpu:x86-64-v3", "nvidia:sm_80".
std::string targetName(const Target &target);

/// For people.
std::string textOfDescription(const Json &description);

} // namespace infini::cli

#endif // INFINI_RUNTIME_CLI_DESCRIBE_H
