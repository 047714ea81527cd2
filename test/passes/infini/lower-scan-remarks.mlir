// RUN: infini-opt %s --infini-lower-scan --remarks-filter=".*" --split-input-file -o /dev/null 2>&1 | FileCheck %s --implicit-check-not=remark:

// Without the option, nobody is told.
// RUN: infini-opt %s --infini-lower-scan --split-input-file -o /dev/null 2>&1 | FileCheck %s --check-prefix=SILENT --allow-empty
// SILENT-NOT: remark

// Why a scan's states are not cut into heads: all of it is one loop then.

// CHECK: remark: [Missed] states | Category:infini-lower-scan | Function=outputs | Reason="it has output sequences"
func.func @outputs(%x: tensor<16x4xf32>, %s0: tensor<4xf32>, %t0: tensor<4xf32>) -> (tensor<16x4xf32>, tensor<4xf32>) {
  %r:2 = infini.segment_scan sequences(%x : tensor<16x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>, num_stacked = 0 : i64, whole} {
  ^bb0(%xs: tensor<8x4xf32>, %s: tensor<4xf32>):
    %n = linalg.reduce {arith.addf} ins(%xs : tensor<8x4xf32>) outs(%s : tensor<4xf32>) dimensions = [0]
    infini.yield %xs, %n : tensor<8x4xf32>, tensor<4xf32>
  } -> tensor<16x4xf32>, tensor<4xf32>
  return %r#0, %r#1 : tensor<16x4xf32>, tensor<4xf32>
}

// -----

// CHECK: remark: [Missed] states | Category:infini-lower-scan | Function=stacked | Reason="it stacks more than the states before each segment"
func.func @stacked(%x: tensor<16x4xf32>, %s0: tensor<4xf32>, %t0: tensor<4xf32>) -> (tensor<2x4xf32>, tensor<4xf32>) {
  %r:2 = infini.segment_scan sequences(%x : tensor<16x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64>, num_stacked = 1 : i64, whole} {
  ^bb0(%xs: tensor<8x4xf32>, %s: tensor<4xf32>):
    %n = linalg.reduce {arith.addf} ins(%xs : tensor<8x4xf32>) outs(%s : tensor<4xf32>) dimensions = [0]
    infini.yield %n, %n : tensor<4xf32>, tensor<4xf32>
  } -> tensor<2x4xf32>, tensor<4xf32>
  return %r#0, %r#1 : tensor<2x4xf32>, tensor<4xf32>
}

// -----

// CHECK: remark: [Missed] states | Category:infini-lower-scan | Function=several | Reason="its states come from several ops"
func.func @several(%x: tensor<16x4xf32>, %s0: tensor<4xf32>, %t0: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %r:2 = infini.segment_scan sequences(%x : tensor<16x4xf32>) states(%s0, %t0 : tensor<4xf32>, tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64>, num_stacked = 0 : i64, whole} {
  ^bb0(%xs: tensor<8x4xf32>, %s: tensor<4xf32>, %t: tensor<4xf32>):
    %n = linalg.reduce {arith.addf} ins(%xs : tensor<8x4xf32>) outs(%s : tensor<4xf32>) dimensions = [0]
    %m = linalg.reduce {arith.addf} ins(%xs : tensor<8x4xf32>) outs(%t : tensor<4xf32>) dimensions = [0]
    infini.yield %n, %m : tensor<4xf32>, tensor<4xf32>
  } -> tensor<4xf32>, tensor<4xf32>
  return %r#0, %r#1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK: remark: [Missed] states | Category:infini-lower-scan | Function=kept | Reason="a state is not computed in the segment"
func.func @kept(%x: tensor<16x4xf32>, %s0: tensor<4xf32>, %t0: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %r:2 = infini.segment_scan sequences(%x : tensor<16x4xf32>) states(%s0, %t0 : tensor<4xf32>, tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64>, num_stacked = 0 : i64, whole} {
  ^bb0(%xs: tensor<8x4xf32>, %s: tensor<4xf32>, %t: tensor<4xf32>):
    %m = linalg.reduce {arith.addf} ins(%xs : tensor<8x4xf32>) outs(%t : tensor<4xf32>) dimensions = [0]
    infini.yield %s, %m : tensor<4xf32>, tensor<4xf32>
  } -> tensor<4xf32>, tensor<4xf32>
  return %r#0, %r#1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK: remark: [Missed] states | Category:infini-lower-scan | Function=read | Reason="more than one op reads its states"
func.func @read(%x: tensor<16x4xf32>, %s0: tensor<4xf32>, %t0: tensor<4xf32>) -> (tensor<4xf32>) {
  %r:1 = infini.segment_scan sequences(%x : tensor<16x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64>, num_stacked = 0 : i64, whole} {
  ^bb0(%xs: tensor<8x4xf32>, %s: tensor<4xf32>):
    %d = arith.addf %s, %s : tensor<4xf32>
    %n = linalg.reduce {arith.addf} ins(%xs : tensor<8x4xf32>) outs(%d : tensor<4xf32>) dimensions = [0]
    infini.yield %n : tensor<4xf32>
  } -> tensor<4xf32>
  return %r#0 : tensor<4xf32>
}

// -----

// CHECK: remark: [Missed] states | Category:infini-lower-scan | Function=other_op | Reason="the op that makes its states has no shape signature"
func.func @other_op(%x: tensor<16x4xf32>, %s0: tensor<4xf32>, %t0: tensor<4xf32>) -> (tensor<4xf32>) {
  %r:1 = infini.segment_scan sequences(%x : tensor<16x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64>, num_stacked = 0 : i64, whole} {
  ^bb0(%xs: tensor<8x4xf32>, %s: tensor<4xf32>):
    %n = linalg.reduce {arith.addf} ins(%xs : tensor<8x4xf32>) outs(%s : tensor<4xf32>) dimensions = [0]
    infini.yield %n : tensor<4xf32>
  } -> tensor<4xf32>
  return %r#0 : tensor<4xf32>
}

// -----

// What can be cut is: nothing is missed.
func.func @cut(%k: tensor<1x2x64x4xf32>, %M0: tensor<1x2x4x4xf32>, %z0: tensor<1x2x4xf32>)
    -> (tensor<1x2x4x4xf32>, tensor<1x2x4xf32>) {
  %r:2 = infini.segment_scan sequences(%k : tensor<1x2x64x4xf32>) states(%M0, %z0 : tensor<1x2x4x4xf32>, tensor<1x2x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2>, output_axes = array<i64>, whole} {
  ^bb0(%ks: tensor<1x2x8x4xf32>, %M: tensor<1x2x4x4xf32>, %z: tensor<1x2x4xf32>):
    %M1, %z1 = infini.memory_update %ks, %ks, %M, %z
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
    infini.yield %M1, %z1 : tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
  } -> tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
  return %r#0, %r#1 : tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
}
