// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line of infini-inspect.

#ifndef INFINI_RUNTIME_CLI_INSPECT_H
#define INFINI_RUNTIME_CLI_INSPECT_H

namespace infini::cli {

/// The whole program; returns the exit status.
int inspect(int argc, char **argv);

} // namespace infini::cli

#endif // INFINI_RUNTIME_CLI_INSPECT_H
