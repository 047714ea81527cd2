// Attention and a write to the memory of segments of 128 tokens; heads of 128.
func.func @forward(%q: tensor<1x4x128x128xf32>, %k: tensor<1x2x128x128xf32>, %v: tensor<1x2x128x128xf32>, %beta: tensor<4xf32>,
                   %M: tensor<1x2x128x128xf32>, %z: tensor<1x2x128xf32>)
    -> (tensor<1x4x128x128xf32>, tensor<1x2x128x128xf32>, tensor<1x2x128xf32>) {
  %local = infini.segment_attention %q, %k, %v
    : (tensor<1x4x128x128xf32>, tensor<1x2x128x128xf32>, tensor<1x2x128x128xf32>) -> tensor<1x4x128x128xf32>
  %sq = infini.feature_map %q : tensor<1x4x128x128xf32>
  %read = infini.memory_retrieve %sq, %M, %z
    : (tensor<1x4x128x128xf32>, tensor<1x2x128x128xf32>, tensor<1x2x128xf32>) -> tensor<1x4x128x128xf32>
  %o = infini.gate %read, %local, %beta : tensor<1x4x128x128xf32>, tensor<4xf32>
  %sk = infini.feature_map %k : tensor<1x2x128x128xf32>
  %M1, %z1 = infini.memory_update %sk, %v, %M, %z
    : tensor<1x2x128x128xf32>, tensor<1x2x128x128xf32>, tensor<1x2x128x128xf32>, tensor<1x2x128xf32>
  return %o, %M1, %z1 : tensor<1x4x128x128xf32>, tensor<1x2x128x128xf32>, tensor<1x2x128xf32>
}
