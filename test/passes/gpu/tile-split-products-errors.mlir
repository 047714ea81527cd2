// RUN: not infini-opt %s -pass-pipeline='builtin.module(func.func(tile-split-products{bytes=512}))' 2>&1 | FileCheck %s

// CHECK: error: expected option 'bytes' to be at least 1024, got 512
func.func @f() {
  return
}
