// RUN: infini-opt %s --split-input-file --verify-diagnostics

// What the verifiers of the segment scan and its terminator refuse. Labels are
// those of docs/spec.md; cases without one are refused by traits and types.

//===----------------------------------------------------------------------===//
// segment_scan
//===----------------------------------------------------------------------===//

// segment_scan_c1
func.func @length_0(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected 'segment_length' to be at least 1, got 0}}
  %o:2 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 0 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>):
    infini.yield %xs, %s : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>
  return
}

// -----

// segment_scan_c1
func.func @length_negative(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected 'segment_length' to be at least 1, got -4}}
  %o:2 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = -4 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>):
    infini.yield %xs, %s : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>
  return
}

// -----

// segment_scan_c2
func.func @number_of_axes(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected one of 'sequence_axes' a sequence (1), got 2}}
  %o:2 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0, 1>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>):
    infini.yield %xs, %s : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>
  return
}

// -----

// segment_scan_c2
func.func @axis_of_sequence(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected axis of sequence 0 to be within its rank (2), got 2}}
  %o:2 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>):
    infini.yield %xs, %s : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>
  return
}

// -----

// segment_scan_c2
func.func @axis_of_output(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected axis of output 0 to be within its rank (2), got -1}}
  %o:2 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: -1>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>):
    infini.yield %xs, %s : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>
  return
}

// -----

// segment_scan_c3
func.func @tokens(%x: tensor<16x4xf32>, %y: tensor<4x12xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected sequence 1 to have 16 tokens, as those before, got 12}}
  %o:1 = infini.segment_scan sequences(%x, %y : tensor<16x4xf32>, tensor<4x12xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0, 1>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %ys: tensor<4x?xf32>):
    infini.yield %xs : tensor<?x4xf32>
  } -> tensor<16x4xf32>
  return
}

// -----

// segment_scan_c3
func.func @tokens_of_output(%x: tensor<16x4xf32>, %s0: tensor<4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected output 0 to have 16 tokens, got 12}}
  %o:2 = infini.segment_scan sequences(%x : tensor<16x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>):
    infini.yield %xs, %s : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<12x4xf32>, tensor<4xf32>
  return
}

// -----

// segment_scan_c4
func.func @arguments_missing(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected the body to have 2 arguments, got 1}}
  %o:2 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>):
    infini.yield %xs, %xs : tensor<?x4xf32>, tensor<?x4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>
  return
}

// -----

// segment_scan_c4
func.func @no_position(%x: tensor<?x4xf32>, %s0: tensor<4xf32>, %fill: index) {
  // expected-error@+1 {{'infini.segment_scan' op expected the body to have 3 arguments, got 2}}
  %o:2 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>) fill(%fill)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>):
    infini.yield %xs, %s : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>
  return
}

// -----

// segment_scan_c5
func.func @slice_of_static_size(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected argument 0 of the body (a sequence's slice) to have type 'tensor<?x4xf32>', got 'tensor<8x4xf32>'}}
  %o:2 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<8x4xf32>, %s: tensor<4xf32>):
    infini.yield %xs, %s : tensor<8x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>
  return
}

// -----

// segment_scan_c5
func.func @per_segment_argument(%x: tensor<?x4xf32>, %p: tensor<?x4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected argument 1 of the body (a per-segment value) to have type 'tensor<4xf32>', got 'tensor<1x4xf32>'}}
  %o:1 = infini.segment_scan sequences(%x : tensor<?x4xf32>) per_segment(%p : tensor<?x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %ps: tensor<1x4xf32>):
    infini.yield %xs : tensor<?x4xf32>
  } -> tensor<?x4xf32>
  return
}

// -----

// segment_scan_c5
func.func @invariant_argument(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected argument 1 of the body (an invariant) to have type 'tensor<4xf32>', got 'tensor<?xf32>'}}
  %o:1 = infini.segment_scan sequences(%x : tensor<?x4xf32>) invariants(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %w: tensor<?xf32>):
    infini.yield %xs : tensor<?x4xf32>
  } -> tensor<?x4xf32>
  return
}

// -----

// segment_scan_c5
func.func @state_argument(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected argument 1 of the body (a state) to have type 'tensor<4xf32>', got 'tensor<4xf64>'}}
  %o:2 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf64>):
    infini.yield %xs, %s : tensor<?x4xf32>, tensor<4xf64>
  } -> tensor<?x4xf32>, tensor<4xf32>
  return
}

// -----

// segment_scan_c5
func.func @position_argument(%x: tensor<?x4xf32>, %s0: tensor<4xf32>, %fill: index) {
  // expected-error@+1 {{'infini.segment_scan' op expected argument 2 of the body (the position) to have type 'index', got 'i64'}}
  %o:2 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>) fill(%fill)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>, %position: i64):
    infini.yield %xs, %s : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>
  return
}

// -----

// segment_scan_c7
func.func @pending_without_fill(%x: tensor<?x4xf32>, %s0: tensor<4xf32>, %p: tensor<8x4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected 'fill' with 'pending', got none}}
  %o:3 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>) pending(%p : tensor<8x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>, pending_sequences = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>):
    infini.yield %xs, %s : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>, tensor<8x4xf32>
  return
}

// -----

// segment_scan_c7
func.func @pending_count(%x: tensor<?x4xf32>, %s0: tensor<4xf32>, %fill: index,
    %p: tensor<8x4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected one pending value an index in 'pending_sequences' (2), got 1}}
  %o:3 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      fill(%fill) pending(%p : tensor<8x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>, pending_sequences = array<i64: 0, 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>, %position: index):
    infini.yield %xs, %s : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>, tensor<8x4xf32>
  return
}

// -----

// segment_scan_c7
func.func @pending_index(%x: tensor<?x4xf32>, %s0: tensor<4xf32>, %fill: index,
    %p: tensor<8x4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected 'pending_sequences' to name one of 1 sequences, got 1}}
  %o:3 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      fill(%fill) pending(%p : tensor<8x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>, pending_sequences = array<i64: 1>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>, %position: index):
    infini.yield %xs, %s : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>, tensor<8x4xf32>
  return
}

// -----

// segment_scan_c7
func.func @pending_type(%x: tensor<?x4xf32>, %s0: tensor<4xf32>, %fill: index,
    %p: tensor<4x4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected pending value 0 to have type 'tensor<8x4xf32>', got 'tensor<4x4xf32>'}}
  %o:3 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      fill(%fill) pending(%p : tensor<4x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>, pending_sequences = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>, %position: index):
    infini.yield %xs, %s : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>, tensor<4x4xf32>
  return
}

// -----

// segment_scan_c7
func.func @pending_twice(%x: tensor<?x4xf32>, %s0: tensor<4xf32>, %fill: index,
    %p: tensor<8x4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected 'pending_sequences' to name sequence 0 once}}
  %o:4 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      fill(%fill) pending(%p, %p : tensor<8x4xf32>, tensor<8x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>, pending_sequences = array<i64: 0, 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>, %position: index):
    infini.yield %xs, %s : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>, tensor<8x4xf32>, tensor<8x4xf32>
  return
}

// -----

// segment_scan_c8
func.func @fill_and_per_segment(%x: tensor<?x4xf32>, %p: tensor<?x4xf32>, %fill: index) {
  // expected-error@+1 {{'infini.segment_scan' op expected no per-segment operands or results with 'fill'}}
  %o:1 = infini.segment_scan sequences(%x : tensor<?x4xf32>) per_segment(%p : tensor<?x4xf32>) fill(%fill)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %ps: tensor<4xf32>, %position: index):
    infini.yield %xs : tensor<?x4xf32>
  } -> tensor<?x4xf32>
  return
}

// -----

// segment_scan_c8
func.func @fill_and_stacked(%x: tensor<?x4xf32>, %s0: tensor<4xf32>, %fill: index) {
  // expected-error@+1 {{'infini.segment_scan' op expected no per-segment operands or results with 'fill'}}
  %o:3 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>) fill(%fill)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>, num_stacked = 1 : i64} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>, %position: index):
    infini.yield %xs, %s, %s : tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<?x4xf32>, tensor<4xf32>
  return
}

// -----

// segment_scan_c9
func.func @number_of_results(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected 2 results (outputs, stacked values, states, pending values), got 1}}
  %o:1 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>):
    infini.yield %xs, %s : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>
  return
}

// -----

// segment_scan_c9
func.func @negative_number_of_stacked(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected 1 results (outputs, stacked values, states, pending values), got 2}}
  %o:2 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>, num_stacked = -1 : i64} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>):
    infini.yield %xs, %s : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>
  return
}

// -----

// segment_scan_c9
func.func @type_of_final_state(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected final state 0 to have type 'tensor<4xf32>', got 'tensor<?xf32>'}}
  %o:2 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>):
    infini.yield %xs, %s : tensor<?x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<?xf32>
  return
}

// -----

func.func @no_sequence(%s0: tensor<4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected at least one sequence, got none}}
  %o:1 = infini.segment_scan states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64>,
                  output_axes = array<i64>} {
  ^bb0(%s: tensor<4xf32>):
    infini.yield %s : tensor<4xf32>
  } -> tensor<4xf32>
  return
}

// -----

func.func @isolated(%x: tensor<?x4xf32>, %w: tensor<?x4xf32>) {
  // expected-note@+1 {{required by region isolation constraints}}
  %o = infini.segment_scan sequences(%x : tensor<?x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>):
    // expected-error@+1 {{'infini.yield' op using value defined outside the region}}
    infini.yield %w : tensor<?x4xf32>
  } -> tensor<?x4xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// yield
//===----------------------------------------------------------------------===//

// yield_c1
func.func @yields_too_few(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) {
  %o:2 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>):
    // expected-error@+1 {{'infini.yield' op expected 2 values (outputs, stacked values, states), got 1}}
    infini.yield %xs : tensor<?x4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>
  return
}

// -----

// yield_c1
func.func @yields_too_many(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) {
  %o:2 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>):
    // expected-error@+1 {{'infini.yield' op expected 2 values (outputs, stacked values, states), got 3}}
    infini.yield %xs, %s, %s : tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>
  return
}

// -----

// yield_c1
func.func @yields_nothing(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) {
  %o:2 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>):
    // expected-error@+1 {{'infini.yield' op expected 2 values (outputs, stacked values, states), got 0}}
    infini.yield
  } -> tensor<?x4xf32>, tensor<4xf32>
  return
}

// -----

// yield_c1
func.func @yield_elsewhere(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'infini.yield' op expects parent op 'infini.segment_scan'}}
  infini.yield %x : tensor<?x4xf32>
}

// -----

// segment_scan_c6
func.func @yields_in_another_order(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) {
  %o:2 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>):
    // expected-error@+1 {{'infini.yield' op expected value 0 (an output's slice) to have type 'tensor<?x4xf32>', got 'tensor<4xf32>'}}
    infini.yield %s, %xs : tensor<4xf32>, tensor<?x4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>
  return
}

// -----

// segment_scan_c6
func.func @yields_static_tokens(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) {
  %o:2 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>):
    %c = tensor.cast %xs : tensor<?x4xf32> to tensor<8x4xf32>
    // expected-error@+1 {{'infini.yield' op expected value 0 (an output's slice) to have type 'tensor<?x4xf32>', got 'tensor<8x4xf32>'}}
    infini.yield %c, %s : tensor<8x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>
  return
}

// -----

// segment_scan_c6
func.func @yields_another_state(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) {
  %o:2 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>):
    %c = tensor.cast %s : tensor<4xf32> to tensor<?xf32>
    // expected-error@+1 {{'infini.yield' op expected value 1 (a state) to have type 'tensor<4xf32>', got 'tensor<?xf32>'}}
    infini.yield %xs, %c : tensor<?x4xf32>, tensor<?xf32>
  } -> tensor<?x4xf32>, tensor<4xf32>
  return
}

// -----

// segment_scan_c6
func.func @yields_another_stacked_value(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) {
  %o:3 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>, num_stacked = 1 : i64} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>):
    %c = tensor.expand_shape %s [[0, 1]] output_shape [1, 4] : tensor<4xf32> into tensor<1x4xf32>
    // expected-error@+1 {{'infini.yield' op expected value 1 (a per-segment value) to have type 'tensor<4xf32>', got 'tensor<1x4xf32>'}}
    infini.yield %xs, %c, %s : tensor<?x4xf32>, tensor<1x4xf32>, tensor<4xf32>
  } -> tensor<?x4xf32>, tensor<?x4xf32>, tensor<4xf32>
  return
}

// -----

// segment_scan_c5
// With `whole`, a slice has N tokens.
func.func @whole_slice_dynamic(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected argument 0 of the body (a sequence's slice) to have type 'tensor<8x4xf32>', got 'tensor<?x4xf32>'}}
  %o = infini.segment_scan sequences(%x : tensor<?x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>, whole} {
  ^bb0(%xs: tensor<?x4xf32>):
    infini.yield %xs : tensor<?x4xf32>
  } -> tensor<?x4xf32>
  return
}

// -----

// segment_scan_c5
// Without it, a slice does not have N tokens, even where all segments do.
func.func @slice_static(%x: tensor<16x4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected argument 0 of the body (a sequence's slice) to have type 'tensor<?x4xf32>', got 'tensor<8x4xf32>'}}
  %o = infini.segment_scan sequences(%x : tensor<16x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<8x4xf32>):
    infini.yield %xs : tensor<8x4xf32>
  } -> tensor<16x4xf32>
  return
}

// -----

// segment_scan_c6
func.func @whole_output_dynamic(%x: tensor<?x4xf32>) {
  %o = infini.segment_scan sequences(%x : tensor<?x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>, whole} {
  ^bb0(%xs: tensor<8x4xf32>):
    %c = tensor.cast %xs : tensor<8x4xf32> to tensor<?x4xf32>
    // expected-error@+1 {{'infini.yield' op expected value 0 (an output's slice) to have type 'tensor<8x4xf32>', got 'tensor<?x4xf32>'}}
    infini.yield %c : tensor<?x4xf32>
  } -> tensor<?x4xf32>
  return
}

// -----

// segment_scan_c10
func.func @whole_and_not_a_multiple(%x: tensor<12x4xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected a multiple of 8 tokens with 'whole', got 12}}
  %o = infini.segment_scan sequences(%x : tensor<12x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>, whole} {
  ^bb0(%xs: tensor<8x4xf32>):
    infini.yield %xs : tensor<8x4xf32>
  } -> tensor<12x4xf32>
  return
}

// -----

// segment_scan_c10
// The second sequence says how many tokens there are.
func.func @whole_and_not_a_multiple_second(%x: tensor<?x4xf32>, %y: tensor<4x9xf32>) {
  // expected-error@+1 {{'infini.segment_scan' op expected a multiple of 8 tokens with 'whole', got 9}}
  %o = infini.segment_scan sequences(%x, %y : tensor<?x4xf32>, tensor<4x9xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0, 1>,
                  output_axes = array<i64: 0>, whole} {
  ^bb0(%xs: tensor<8x4xf32>, %ys: tensor<4x8xf32>):
    infini.yield %xs : tensor<8x4xf32>
  } -> tensor<?x4xf32>
  return
}

// -----

// segment_scan_c10
func.func @whole_and_fill(%x: tensor<?x4xf32>, %fill: index) {
  // expected-error@+1 {{'infini.segment_scan' op expected no 'fill' with 'whole'}}
  %o = infini.segment_scan sequences(%x : tensor<?x4xf32>) fill(%fill)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>, whole} {
  ^bb0(%xs: tensor<8x4xf32>, %position: index):
    infini.yield %xs : tensor<8x4xf32>
  } -> tensor<?x4xf32>
  return
}

// -----

func.func @yields_a_scalar(%x: tensor<?x4xf32>, %s0: tensor<4xf32>) {
  %o:2 = infini.segment_scan sequences(%x : tensor<?x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                  output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>):
    %c = arith.constant 0 : index
    // expected-error@+1 {{'infini.yield' op operand #1 must be variadic of ranked tensor of any type values, but got 'index'}}
    "infini.yield"(%xs, %c) : (tensor<?x4xf32>, index) -> ()
  } -> tensor<?x4xf32>, tensor<4xf32>
  return
}
