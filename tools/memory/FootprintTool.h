// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What infini-memory is asked, and its answer as text or JSON.

#ifndef INFINI_TOOLS_MEMORY_FOOTPRINTTOOL_H
#define INFINI_TOOLS_MEMORY_FOOTPRINTTOOL_H

#include "infini/frontend/MemoryFootprint.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

namespace infini {

struct FootprintRequest {
  std::string model;
  ImportOptions import;
  FootprintOptions options;
  bool asJSON = false;
};

/// "32768", "32k", "1.5M", "1Mi": a whole number from 1 to 2^62, k, M, and G
/// being powers of 1000, Ki, Mi, and Gi of 1024. None where it is not one.
std::optional<int64_t> parseCount(llvm::StringRef text);

/// False, after a message, where the command line is not acceptable.
bool parseFootprintCommandLine(int argc, char **argv,
                               FootprintRequest &request);

/// Reads the configuration, and prints to standard output. Returns the exit
/// status.
int printFootprint(const FootprintRequest &request);

/// As the paper writes numbers: one decimal below 10 unless it is 0, none from
/// there on; k, M, G, T for powers of 1000. "50M", "2.5M", "114", "0.0075".
std::string roundedText(double value);
/// The number that the text says.
double roundedValue(double value);

void writeTable(const FootprintRequest &request, const ModelConfig &config,
                const Footprint &footprint, llvm::raw_ostream &os);
llvm::json::Value toJSON(const FootprintRequest &request,
                         const ModelConfig &config, const Footprint &footprint);

} // namespace infini

#endif // INFINI_TOOLS_MEMORY_FOOTPRINTTOOL_H
