// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line of infini-compile.

#ifndef INFINI_TOOLS_COMPILE_COMMANDLINE_H
#define INFINI_TOOLS_COMPILE_COMMANDLINE_H

#include "infini/passes/emit/Compile.h"

namespace infini {

/// False, after a message, where the command line is not acceptable.
bool parseCommandLine(int argc, char **argv, CompileOptions &options);

} // namespace infini

#endif // INFINI_TOOLS_COMPILE_COMMANDLINE_H
