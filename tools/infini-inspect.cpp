// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Says what a package holds: infini-inspect --help.

#include "infini/runtime/cli/inspect.h"

int main(int argc, char **argv) { return infini::cli::inspect(argc, argv); }
