// RUN: not infini-opt %s -pass-pipeline='builtin.module(func.func(tile-pipeline-loads{stages=0}))' 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not infini-opt %s -pass-pipeline='builtin.module(func.func(tile-pipeline-loads{stages=-2}))' 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not infini-opt %s -pass-pipeline='builtin.module(func.func(tile-pipeline-loads{stages=9}))' 2>&1 | FileCheck %s --check-prefix=NINE

// ZERO: error: expected option 'stages' to be from 1 to 8, got 0
// NEGATIVE: error: expected option 'stages' to be from 1 to 8, got -2
// NINE: error: expected option 'stages' to be from 1 to 8, got 9
func.func @f() {
  return
}
