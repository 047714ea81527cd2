// Attention over a fixed number of tokens, and over a varying one; the same with
// a memory and a gate around it; ops with tokens, and one without.
func.func @fixed(%q: tensor<1x2x256x64xf32>, %k: tensor<1x1x256x64xf32>, %v: tensor<1x1x256x64xf32>) -> tensor<1x2x256x64xf32> {
  %o = infini.segment_attention %q, %k, %v
    : (tensor<1x2x256x64xf32>, tensor<1x1x256x64xf32>, tensor<1x1x256x64xf32>) -> tensor<1x2x256x64xf32>
  return %o : tensor<1x2x256x64xf32>
}
func.func @varying(%q: tensor<1x2x?x64xf32>, %k: tensor<1x1x?x64xf32>, %v: tensor<1x1x?x64xf32>) -> tensor<1x2x?x64xf32> {
  %o = infini.segment_attention %q, %k, %v
    : (tensor<1x2x?x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>) -> tensor<1x2x?x64xf32>
  return %o : tensor<1x2x?x64xf32>
}
func.func @varying_bf16(%q: tensor<1x2x?x128xbf16>, %k: tensor<1x1x?x128xbf16>, %v: tensor<1x1x?x128xbf16>) -> tensor<1x2x?x128xbf16> {
  %o = infini.segment_attention %q, %k, %v
    : (tensor<1x2x?x128xbf16>, tensor<1x1x?x128xbf16>, tensor<1x1x?x128xbf16>) -> tensor<1x2x?x128xbf16>
  return %o : tensor<1x2x?x128xbf16>
}
func.func @fused(%q: tensor<1x2x?x64xf32>, %k: tensor<1x1x?x64xf32>, %v: tensor<1x1x?x64xf32>, %mem: tensor<1x2x?x64xf32>,
                 %beta: tensor<2xf32>) -> tensor<1x2x?x64xf32> {
  %o = infini.segment_attention %q, %k, %v
    : (tensor<1x2x?x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>) -> tensor<1x2x?x64xf32>
  %a = infini.gate %mem, %o, %beta : tensor<1x2x?x64xf32>, tensor<2xf32>
  return %a : tensor<1x2x?x64xf32>
}
func.func @gate(%mem: tensor<1x2x?x64xf32>, %o: tensor<1x2x?x64xf32>, %beta: tensor<2xf32>) -> tensor<1x2x?x64xf32> {
  %a = infini.gate %mem, %o, %beta : tensor<1x2x?x64xf32>, tensor<2xf32>
  return %a : tensor<1x2x?x64xf32>
}
func.func @rows(%x: tensor<100x1000xf32>) -> tensor<100x1000xf32> {
  %e = tensor.empty() : tensor<100x1000xf32>
  %y = linalg.exp ins(%x : tensor<100x1000xf32>) outs(%e : tensor<100x1000xf32>) -> tensor<100x1000xf32>
  return %y : tensor<100x1000xf32>
}
func.func @few(%x: tensor<16x1000xf32>) -> tensor<16x1000xf32> {
  %e = tensor.empty() : tensor<16x1000xf32>
  %y = linalg.log ins(%x : tensor<16x1000xf32>) outs(%e : tensor<16x1000xf32>) -> tensor<16x1000xf32>
  return %y : tensor<16x1000xf32>
}
