// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The decay dialect: a memory rule and a gate from outside the core.

#ifndef INFINI_TEST_EXTENSION_DECAYDIALECT_H
#define INFINI_TEST_EXTENSION_DECAYDIALECT_H

#include "infini/dialect/infini/InfiniOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include "DecayDialect.h.inc"
#define GET_OP_CLASSES
#include "DecayOps.h.inc"

#endif // INFINI_TEST_EXTENSION_DECAYDIALECT_H
