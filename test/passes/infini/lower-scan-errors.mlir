// RUN: infini-opt %s --infini-lower-scan --split-input-file --allow-unregistered-dialect --verify-diagnostics

// Scans that may have a short segment: they are peeled first.

func.func @not_whole(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // expected-error@+1 {{'infini.segment_scan' op expected full segments alone ('whole'); run infini-peel-scan first}}
  %o = infini.segment_scan sequences(%x : tensor<?x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>):
    infini.yield %xs : tensor<?x4xf32>
  } -> tensor<?x4xf32>
  return %o : tensor<?x4xf32>
}

// -----

// Also where the number of tokens says that there is none.
func.func @not_said_to_be_whole(%x: tensor<16x4xf32>) -> tensor<16x4xf32> {
  // expected-error@+1 {{'infini.segment_scan' op expected full segments alone ('whole'); run infini-peel-scan first}}
  %o = infini.segment_scan sequences(%x : tensor<16x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>):
    infini.yield %xs : tensor<?x4xf32>
  } -> tensor<16x4xf32>
  return %o : tensor<16x4xf32>
}

// -----

func.func @fill(%x: tensor<?x4xf32>, %fill: index) -> tensor<?x4xf32> {
  // expected-error@+1 {{'infini.segment_scan' op expected full segments alone ('whole'); run infini-peel-scan first}}
  %o = infini.segment_scan sequences(%x : tensor<?x4xf32>) fill(%fill)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %position: index):
    infini.yield %xs : tensor<?x4xf32>
  } -> tensor<?x4xf32>
  return %o : tensor<?x4xf32>
}

// -----

// Outputs whose sizes cannot be told from the operands.

func.func @output(%x: tensor<?xf32>) -> tensor<?x?xf32> {
  // expected-error@+1 {{'infini.segment_scan' op has outputs whose sizes are not known from its operands; make all but the token dimension static}}
  %o = infini.segment_scan sequences(%x : tensor<?xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>, whole} {
  ^bb0(%xs: tensor<8xf32>):
    %out = "test.out"(%xs) : (tensor<8xf32>) -> tensor<8x?xf32>
    infini.yield %out : tensor<8x?xf32>
  } -> tensor<?x?xf32>
  return %o : tensor<?x?xf32>
}
