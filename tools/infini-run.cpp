// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a function or a model: infini-run --help.

#include "infini/runtime/cli/options.h"

int main(int argc, char **argv) { return infini::cli::run(argc, argv); }
