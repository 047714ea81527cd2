// RUN: infini-opt %s --infini-peel-scan --split-input-file --allow-unregistered-dialect --verify-diagnostics

// Outputs whose sizes cannot be told from the operands.

func.func @output(%x: tensor<?xf32>, %s0: tensor<4xf32>) -> (tensor<?x?xf32>, tensor<4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op has outputs whose sizes are not known from its operands; make all but the token dimension static}}
  %o, %s = infini.segment_scan sequences(%x : tensor<?xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?xf32>, %st: tensor<4xf32>):
    %out = "test.out"(%xs) : (tensor<?xf32>) -> tensor<?x?xf32>
    infini.yield %out, %st : tensor<?x?xf32>, tensor<4xf32>
  } -> tensor<?x?xf32>, tensor<4xf32>
  return %o, %s : tensor<?x?xf32>, tensor<4xf32>
}

// -----

func.func @stacked(%x: tensor<?xf32>) -> (tensor<?xf32>, tensor<?x?xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op has outputs whose sizes are not known from its operands; make all but the token dimension static}}
  %o, %q = infini.segment_scan sequences(%x : tensor<?xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>,
                  num_stacked = 1 : i64} {
  ^bb0(%xs: tensor<?xf32>):
    %out = "test.out"(%xs) : (tensor<?xf32>) -> tensor<?xf32>
    infini.yield %xs, %out : tensor<?xf32>, tensor<?xf32>
  } -> tensor<?xf32>, tensor<?x?xf32>
  return %o, %q : tensor<?xf32>, tensor<?x?xf32>
}

// -----

// The same where the size is one of the operands': nothing to refuse.
func.func @known(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %o = infini.segment_scan sequences(%x : tensor<?x?xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x?xf32>):
    infini.yield %xs : tensor<?x?xf32>
  } -> tensor<?x?xf32>
  return %o : tensor<?x?xf32>
}
