// RUN: not infini-opt %s -pass-pipeline='builtin.module(builtin.module(tile-split-blocks{elements=0}))' 2>&1 | FileCheck %s --check-prefix=ELEMENTS
// RUN: not infini-opt %s -pass-pipeline='builtin.module(builtin.module(tile-split-blocks{least=-1}))' 2>&1 | FileCheck %s --check-prefix=LEAST

// ELEMENTS: error: expected options 'elements' and 'least' to be at least 1, got 0 and 16
// LEAST: error: expected options 'elements' and 'least' to be at least 1, got 4096 and -1
module {
  module @f attributes {program.kernel} {
    func.func @f() {
      return
    }
  }
}
