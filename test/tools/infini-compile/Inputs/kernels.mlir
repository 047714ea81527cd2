// A kernel with a long sum, and one with a loop over blocks of keys that needs
// tiles inside.
func.func @sum(%k: tensor<1x1x2048x16xf32>, %v: tensor<1x1x2048x16xf32>, %M: tensor<1x1x16x16xf32>, %z: tensor<1x1x16xf32>)
    -> (tensor<1x1x16x16xf32>, tensor<1x1x16xf32>) {
  %M1, %z1 = infini.memory_update %k, %v, %M, %z {update = #infini.update<linear>}
    : tensor<1x1x2048x16xf32>, tensor<1x1x2048x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16xf32>
  return %M1, %z1 : tensor<1x1x16x16xf32>, tensor<1x1x16xf32>
}
func.func @attention(%q: tensor<1x1x64x16xf32>, %k: tensor<1x1x1024x16xf32>, %v: tensor<1x1x1024x16xf32>) -> tensor<1x1x64x16xf32> {
  %o = infini.segment_attention %q, %k, %v
    : (tensor<1x1x64x16xf32>, tensor<1x1x1024x16xf32>, tensor<1x1x1024x16xf32>) -> tensor<1x1x64x16xf32>
  return %o : tensor<1x1x64x16xf32>
}
