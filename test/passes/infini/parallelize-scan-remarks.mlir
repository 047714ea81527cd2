// RUN: infini-opt %s --infini-parallelize-scan=schedule=scan --remarks-filter=".*" --split-input-file -o %t.out 2> %t.remarks
// RUN: FileCheck %s --input-file=%t.remarks --implicit-check-not=remark:
// RUN: FileCheck %s --input-file=%t.out --check-prefix=KEPT

// Without the option, nobody is told.
// RUN: infini-opt %s --infini-parallelize-scan=schedule=scan --split-input-file -o /dev/null 2>&1 | FileCheck %s --check-prefix=SILENT --allow-empty
// SILENT-NOT: remark

// Why a scan keeps its states; it stays as it is then, whatever schedule is
// asked for.

// KEPT-COUNT-7: states(
// KEPT-NOT: states(

// A schedule that was asked for.
// CHECK: remark: [Passed] schedule | Category:infini-parallelize-scan | Function=demanded | Remark="'scan', as demanded", scan={{[0-9]+}}, sequential={{[0-9]+}}, streaming={{[0-9]+}}
func.func @demanded(%k: tensor<1x2x64x4xf32>, %M0: tensor<1x2x4x4xf32>, %z0: tensor<1x2x4xf32>)
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

// -----

// CHECK: remark: [Missed] schedule | Category:infini-parallelize-scan | Function=other_op | Reason="state 0 comes from 'linalg.reduce', which writes no memory by its interface"
func.func @other_op(%x: tensor<64x4xf32>, %s0: tensor<4xf32>) -> tensor<4xf32> {
  %s = infini.segment_scan sequences(%x : tensor<64x4xf32>) states(%s0 : tensor<4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64>, whole} {
  ^bb0(%xs: tensor<8x4xf32>, %st: tensor<4xf32>):
    %next = linalg.reduce {arith.addf} ins(%xs : tensor<8x4xf32>) outs(%st : tensor<4xf32>) dimensions = [0]
    infini.yield %next : tensor<4xf32>
  } -> tensor<4xf32>
  return %s : tensor<4xf32>
}

// -----

// The memory's normaliser is kept as it is: two things are wrong, and the first is said.
// CHECK: remark: [Missed] schedule | Category:infini-parallelize-scan | Function=from_outside | Reason="state 0 comes from outside the segment"
func.func @from_outside(%k: tensor<1x2x64x4xf32>, %z0: tensor<1x2x4xf32>, %M0: tensor<1x2x4x4xf32>)
    -> (tensor<1x2x4xf32>, tensor<1x2x4x4xf32>) {
  %r:2 = infini.segment_scan sequences(%k : tensor<1x2x64x4xf32>) states(%z0, %M0 : tensor<1x2x4xf32>, tensor<1x2x4x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2>, output_axes = array<i64>, whole} {
  ^bb0(%ks: tensor<1x2x8x4xf32>, %z: tensor<1x2x4xf32>, %M: tensor<1x2x4x4xf32>):
    %M1, %z1 = infini.memory_update %ks, %ks, %M, %z
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
    infini.yield %z, %M1 : tensor<1x2x4xf32>, tensor<1x2x4x4xf32>
  } -> tensor<1x2x4xf32>, tensor<1x2x4x4xf32>
  return %r#0, %r#1 : tensor<1x2x4xf32>, tensor<1x2x4x4xf32>
}

// -----

// What the op makes of z is not carried on.
// CHECK: remark: [Missed] schedule | Category:infini-parallelize-scan | Function=not_carried | Reason="component 'z' of 'infini.memory_update' is not a state of the scan, carried from segment to segment"
func.func @not_carried(%k: tensor<1x2x64x4xf32>, %M0: tensor<1x2x4x4xf32>, %z0: tensor<1x2x4xf32>) -> tensor<1x2x4x4xf32> {
  %r = infini.segment_scan sequences(%k : tensor<1x2x64x4xf32>) invariants(%z0 : tensor<1x2x4xf32>) states(%M0 : tensor<1x2x4x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2>, output_axes = array<i64>, whole} {
  ^bb0(%ks: tensor<1x2x8x4xf32>, %z: tensor<1x2x4xf32>, %M: tensor<1x2x4x4xf32>):
    %M1, %z1 = infini.memory_update %ks, %ks, %M, %z
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
    infini.yield %M1 : tensor<1x2x4x4xf32>
  } -> tensor<1x2x4x4xf32>
  return %r : tensor<1x2x4x4xf32>
}

// -----

// Two updates in one segment: what the second updates is not the state itself.
// CHECK: remark: [Missed] schedule | Category:infini-parallelize-scan | Function=updated_twice | Reason="component 'z' of 'infini.memory_update' is not a state of the scan, carried from segment to segment"
func.func @updated_twice(%k: tensor<1x2x64x4xf32>, %M0: tensor<1x2x4x4xf32>, %z0: tensor<1x2x4xf32>)
    -> (tensor<1x2x4x4xf32>, tensor<1x2x4xf32>) {
  %r:2 = infini.segment_scan sequences(%k : tensor<1x2x64x4xf32>) states(%M0, %z0 : tensor<1x2x4x4xf32>, tensor<1x2x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2>, output_axes = array<i64>, whole} {
  ^bb0(%ks: tensor<1x2x8x4xf32>, %M: tensor<1x2x4x4xf32>, %z: tensor<1x2x4xf32>):
    %M1, %z1 = infini.memory_update %ks, %ks, %M, %z
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
    %M2, %z2 = infini.memory_update %ks, %ks, %M1, %z1
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
    infini.yield %M2, %z2 : tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
  } -> tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
  return %r#0, %r#1 : tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
}

// -----

// Two memories that change places in each segment.
// CHECK: remark: [Missed] schedule | Category:infini-parallelize-scan | Function=exchanged | Reason="component 'z' of 'infini.memory_update' is not a state of the scan, carried from segment to segment"
func.func @exchanged(%k: tensor<1x2x64x4xf32>, %M0: tensor<1x2x4x4xf32>, %z0: tensor<1x2x4xf32>)
    -> (tensor<1x2x4x4xf32>, tensor<1x2x4xf32>) {
  %r:4 = infini.segment_scan sequences(%k : tensor<1x2x64x4xf32>)
      states(%M0, %z0, %M0, %z0 : tensor<1x2x4x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2>, output_axes = array<i64>, whole} {
  ^bb0(%ks: tensor<1x2x8x4xf32>, %M: tensor<1x2x4x4xf32>, %z: tensor<1x2x4xf32>, %N: tensor<1x2x4x4xf32>, %y: tensor<1x2x4xf32>):
    %M1, %z1 = infini.memory_update %ks, %ks, %M, %z
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
    %N1, %y1 = infini.memory_update %ks, %ks, %N, %y
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
    infini.yield %N1, %y1, %M1, %z1 : tensor<1x2x4x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
  } -> tensor<1x2x4x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
  return %r#0, %r#1 : tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
}

// -----

// CHECK: remark: [Missed] schedule | Category:infini-parallelize-scan | Function=writes_what_it_held | Reason="what 'infini.memory_update' writes depends on what it wrote before"
func.func @writes_what_it_held(%k: tensor<1x2x64x4xf32>, %M0: tensor<1x2x4x4xf32>, %z0: tensor<1x2x4xf32>)
    -> (tensor<1x2x4x4xf32>, tensor<1x2x4xf32>) {
  %r:2 = infini.segment_scan sequences(%k : tensor<1x2x64x4xf32>) states(%M0, %z0 : tensor<1x2x4x4xf32>, tensor<1x2x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2>, output_axes = array<i64>, whole} {
  ^bb0(%ks: tensor<1x2x8x4xf32>, %M: tensor<1x2x4x4xf32>, %z: tensor<1x2x4xf32>):
    %held = infini.memory_retrieve %ks, %M, %z
      : (tensor<1x2x8x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4xf32>) -> tensor<1x2x8x4xf32>
    %M1, %z1 = infini.memory_update %ks, %held, %M, %z
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
    infini.yield %M1, %z1 : tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
  } -> tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
  return %r#0, %r#1 : tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
}

// -----

// Two memories, each of which reads the other.
// CHECK: remark: [Missed] schedule | Category:infini-parallelize-scan | Function=circle | Reason="what 'infini.memory_update' writes depends on what it wrote before"
func.func @circle(%k: tensor<1x2x64x4xf32>, %M0: tensor<1x2x4x4xf32>, %z0: tensor<1x2x4xf32>)
    -> (tensor<1x2x4x4xf32>, tensor<1x2x4xf32>) {
  %r:4 = infini.segment_scan sequences(%k : tensor<1x2x64x4xf32>)
      states(%M0, %z0, %M0, %z0 : tensor<1x2x4x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 2>, output_axes = array<i64>, whole} {
  ^bb0(%ks: tensor<1x2x8x4xf32>, %M: tensor<1x2x4x4xf32>, %z: tensor<1x2x4xf32>, %N: tensor<1x2x4x4xf32>, %y: tensor<1x2x4xf32>):
    %a = infini.memory_retrieve %ks, %M, %z
      : (tensor<1x2x8x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4xf32>) -> tensor<1x2x8x4xf32>
    %b = infini.memory_retrieve %ks, %N, %y
      : (tensor<1x2x8x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4xf32>) -> tensor<1x2x8x4xf32>
    %M1, %z1 = infini.memory_update %ks, %b, %M, %z
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
    %N1, %y1 = infini.memory_update %ks, %a, %N, %y
      : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
    infini.yield %M1, %z1, %N1, %y1 : tensor<1x2x4x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
  } -> tensor<1x2x4x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
  return %r#0, %r#1 : tensor<1x2x4x4xf32>, tensor<1x2x4xf32>
}
