// A scan whose state comes from an op that writes no memory.
func.func @plain(%x: tensor<64x4xf32>, %s0: tensor<4xf32>) -> tensor<4xf32> {
  %s = infini.segment_scan sequences(%x : tensor<64x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64>, whole} {
  ^bb0(%xs: tensor<8x4xf32>, %st: tensor<4xf32>):
    %next = linalg.reduce {arith.addf} ins(%xs : tensor<8x4xf32>) outs(%st : tensor<4xf32>) dimensions = [0]
    infini.yield %next : tensor<4xf32>
  } -> tensor<4xf32>
  return %s : tensor<4xf32>
}
