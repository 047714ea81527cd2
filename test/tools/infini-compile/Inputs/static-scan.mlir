// Segments of 16 tokens, read from and written to a memory; every size is static.
func.func @forward(%q: tensor<1x2x64x8xf32>, %k: tensor<1x1x64x8xf32>, %v: tensor<1x1x64x8xf32>, %M0: tensor<1x1x8x8xf32>, %z0: tensor<1x1x8xf32>)
    -> (tensor<1x2x64x8xf32>, tensor<1x1x8x8xf32>, tensor<1x1x8xf32>) {
  %o, %M, %z = infini.segment_scan sequences(%q, %k, %v : tensor<1x2x64x8xf32>, tensor<1x1x64x8xf32>, tensor<1x1x64x8xf32>)
      states(%M0, %z0 : tensor<1x1x8x8xf32>, tensor<1x1x8xf32>)
      attributes {segment_length = 16 : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole} {
  ^bb0(%qs: tensor<1x2x16x8xf32>, %ks: tensor<1x1x16x8xf32>, %vs: tensor<1x1x16x8xf32>, %Ms: tensor<1x1x8x8xf32>, %zs: tensor<1x1x8xf32>):
    %sq = infini.feature_map %qs : tensor<1x2x16x8xf32>
    %sk = infini.feature_map %ks : tensor<1x1x16x8xf32>
    %a = infini.memory_retrieve %sq, %Ms, %zs : (tensor<1x2x16x8xf32>, tensor<1x1x8x8xf32>, tensor<1x1x8xf32>) -> tensor<1x2x16x8xf32>
    %M1, %z1 = infini.memory_update %sk, %vs, %Ms, %zs : tensor<1x1x16x8xf32>, tensor<1x1x16x8xf32>, tensor<1x1x8x8xf32>, tensor<1x1x8xf32>
    infini.yield %a, %M1, %z1 : tensor<1x2x16x8xf32>, tensor<1x1x8x8xf32>, tensor<1x1x8xf32>
  } -> tensor<1x2x64x8xf32>, tensor<1x1x8x8xf32>, tensor<1x1x8xf32>
  return %o, %M, %z : tensor<1x2x64x8xf32>, tensor<1x1x8x8xf32>, tensor<1x1x8xf32>
}
