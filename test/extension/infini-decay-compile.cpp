// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// infini-compile with the decay dialect.

#include "DecayDialect.h"
#include "infini/tools/compile/CommandLine.h"

int main(int argc, char **argv) {
  infini::CompileOptions options;
  if (!infini::parseCommandLine(argc, argv, options))
    return 1;
  options.extend = [](mlir::DialectRegistry &registry) {
    registry.insert<decay::DecayDialect>();
  };
  return infini::compile(options);
}
