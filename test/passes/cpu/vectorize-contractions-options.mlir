// RUN: not infini-opt %s --infini-vectorize-contractions=rows=0 2>&1 | FileCheck %s --check-prefix=ROWS
// RUN: not infini-opt %s --infini-vectorize-contractions=rows=-1 2>&1 | FileCheck %s --check-prefix=ROWS
// RUN: not infini-opt %s --infini-vectorize-contractions=columns=0 2>&1 | FileCheck %s --check-prefix=COLUMNS

// Sizes below 1 are refused.

// ROWS: error: {{.*}}rows
// COLUMNS: error: {{.*}}columns
func.func @matmul(%a: memref<8x12xf32>, %b: memref<12x32xf32>, %c: memref<8x32xf32>) {
  linalg.matmul ins(%a, %b : memref<8x12xf32>, memref<12x32xf32>) outs(%c : memref<8x32xf32>)
  return
}
