// RUN: not infini-opt %s --infini-tile-reductions=block=-4 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not infini-opt %s --infini-tile-reductions="block=600" 2>&1 | FileCheck %s --check-prefix=LARGE
// RUN: not infini-opt %s --infini-tile-reductions="block=128 longest=127" 2>&1 | FileCheck %s --check-prefix=LONGEST
// RUN: not infini-opt %s --infini-tile-reductions="longest=-1" 2>&1 | FileCheck %s --check-prefix=NONE

// A block has at most as many elements as need no block; 0 asks the table.

// NEGATIVE: error: expected option 'block' to be from 0 to 'longest', got -4 and 512
// LARGE: error: expected option 'block' to be from 0 to 'longest', got 600 and 512
// LONGEST: error: expected option 'block' to be from 0 to 'longest', got 128 and 127
// NONE: error: expected option 'block' to be from 0 to 'longest', got 0 and -1
func.func @f() {
  return
}
