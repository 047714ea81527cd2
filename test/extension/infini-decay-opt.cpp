// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// infini-opt with the decay dialect.

#include "infini/passes/Passes.h"
#include "infini/passes/Pipelines.h"
#include "DecayDialect.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  infini::registerDialects(registry);
  registry.insert<decay::DecayDialect>();
  mlir::registerAllPasses();
  infini::registerInfiniPasses();
  infini::registerPipelines();
  return mlir::asMainReturnCode(mlir::MlirOptMain(
      argc, argv, "infini optimizer driver with the decay dialect\n",
      registry));
}
