// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// infini-memory: how much memory a text takes, by kind of memory.

#include "infini/tools/memory/FootprintTool.h"

int main(int argc, char **argv) {
  infini::FootprintRequest request;
  if (!infini::parseFootprintCommandLine(argc, argv, request))
    return 1;
  return infini::printFootprint(request);
}
