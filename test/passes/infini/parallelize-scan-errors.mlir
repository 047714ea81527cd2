// RUN: not infini-opt %s --infini-parallelize-scan=width=0 2>&1 | FileCheck %s --check-prefix=WIDTH
// RUN: not infini-opt %s --infini-parallelize-scan=chunk=-2 2>&1 | FileCheck %s --check-prefix=CHUNK
// RUN: not infini-opt %s --infini-parallelize-scan=schedule=fast 2>&1 | FileCheck %s --check-prefix=SCHEDULE

// Options out of range.

// WIDTH: error: expected options 'width' and 'chunk' to be at least 1, got 0 and 16
// CHUNK: error: expected options 'width' and 'chunk' to be at least 1, got 8 and -2
// SCHEDULE: Cannot find option named 'fast'!
func.func @f() {
  return
}
