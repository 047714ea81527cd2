// A dense product, and attention over 512 tokens with heads of 64, in 16 bits.
func.func @product(%a: tensor<128x256xbf16>, %b: tensor<256x64xbf16>) -> tensor<128x64xbf16> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<128x64xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<128x64xf32>) -> tensor<128x64xf32>
  %c = linalg.matmul ins(%a, %b : tensor<128x256xbf16>, tensor<256x64xbf16>) outs(%z : tensor<128x64xf32>) -> tensor<128x64xf32>
  %h = arith.truncf %c : tensor<128x64xf32> to tensor<128x64xbf16>
  return %h : tensor<128x64xbf16>
}

func.func @attention(%q: tensor<1x2x512x64xbf16>, %k: tensor<1x2x512x64xbf16>, %v: tensor<1x2x512x64xbf16>) -> tensor<1x2x512x64xbf16> {
  %o = infini.segment_attention %q, %k, %v
    : (tensor<1x2x512x64xbf16>, tensor<1x2x512x64xbf16>, tensor<1x2x512x64xbf16>) -> tensor<1x2x512x64xbf16>
  return %o : tensor<1x2x512x64xbf16>
}
