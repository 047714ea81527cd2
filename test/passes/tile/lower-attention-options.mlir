// RUN: not infini-opt %s --infini-lower-attention=key-block=-2 2>&1 | FileCheck %s
// RUN: not infini-opt %s --infini-lower-attention=key-block=-1 2>&1 | FileCheck %s

// Sizes below 1 are refused.

// CHECK: error: {{.*}}key-block
func.func @attention(%q: tensor<1x1x?x64xf32>, %k: tensor<1x1x?x64xf32>) -> tensor<1x1x?x64xf32> {
  %o = infini.segment_attention %q, %k, %k
    : (tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>) -> tensor<1x1x?x64xf32>
  return %o : tensor<1x1x?x64xf32>
}
