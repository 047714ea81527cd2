// RUN: infini-opt %s --infini-bufferize-kernel --canonicalize --cse | FileCheck %s

// The kernel computes in its output: nothing is allocated, nothing copied.
// CHECK-LABEL: func @tiles
// CHECK-SAME: (%[[X:.*]]: memref<?x128xf32>, %[[Y:.*]]: memref<?x128xf32>, %[[N:.*]]: index) -> memref<?x128xf32>
// CHECK-NOT: memref.alloc
// CHECK: scf.forall (%[[I:.*]]) = (0) to (%[[N]]) step (64)
// CHECK:   %[[XS:.*]] = memref.subview %[[X]][%[[I]], 0]
// CHECK:   %[[YS:.*]] = memref.subview %[[Y]][%[[I]], 0]
// CHECK:   linalg.exp ins(%[[XS]] : {{.*}}) outs(%[[YS]] :
// CHECK-NOT: {{copy}}
// CHECK: return %[[Y]]
func.func @tiles(%x: tensor<?x128xf32> {bufferization.writable = false}, %y: tensor<?x128xf32>, %n: index) -> tensor<?x128xf32> {
  %e = tensor.empty(%n) : tensor<?x128xf32>
  %r = scf.forall (%i) = (0) to (%n) step (64) shared_outs(%o = %e) -> (tensor<?x128xf32>) {
    %m = affine.min affine_map<(d0)[s0] -> (-d0 + s0, 64)>(%i)[%n]
    %xs = tensor.extract_slice %x[%i, 0] [%m, 128] [1, 1] : tensor<?x128xf32> to tensor<?x128xf32>
    %os = tensor.extract_slice %o[%i, 0] [%m, 128] [1, 1] : tensor<?x128xf32> to tensor<?x128xf32>
    %t = linalg.exp ins(%xs : tensor<?x128xf32>) outs(%os : tensor<?x128xf32>) -> tensor<?x128xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %t into %o[%i, 0] [%m, 128] [1, 1] : tensor<?x128xf32> into tensor<?x128xf32>
    }
  }
  %w = bufferization.materialize_in_destination %r in %y : (tensor<?x128xf32>, tensor<?x128xf32>) -> tensor<?x128xf32>
  return %w : tensor<?x128xf32>
}

// Copies are linalg ops: no runtime function is needed.
// CHECK-LABEL: func @copy
// CHECK-NOT: memref.copy
// CHECK: linalg.copy ins(%{{.*}} : memref<8xf32>) outs(%{{.*}} : memref<8xf32>)
func.func @copy(%x: tensor<8xf32> {bufferization.writable = false}, %y: tensor<8xf32>) -> tensor<8xf32> {
  %w = bufferization.materialize_in_destination %x in %y : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %w : tensor<8xf32>
}

// An update touches what it updates only.
// CHECK-LABEL: func @update
// CHECK-SAME: (%[[X:.*]]: memref<2xf32>, %[[Y:.*]]: memref<8xf32>, %[[I:.*]]: index)
// CHECK-NEXT: %[[V:.*]] = memref.subview %[[Y]][%[[I]]] [2] [1]
// CHECK-NEXT: linalg.copy ins(%[[X]] : memref<2xf32>) outs(%[[V]] :
// CHECK-NEXT: return %[[Y]]
func.func @update(%x: tensor<2xf32> {bufferization.writable = false}, %y: tensor<8xf32>, %i: index) -> tensor<8xf32> {
  %r = tensor.insert_slice %x into %y[%i] [2] [1] : tensor<2xf32> into tensor<8xf32>
  %w = bufferization.materialize_in_destination %r in %y : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %w : tensor<8xf32>
}

// Inputs are never written.
// CHECK-LABEL: func @read_only
// CHECK-SAME: (%[[X:.*]]: memref<8xf32>, %[[Y:.*]]: memref<8xf32>)
// CHECK-NOT: outs(%[[X]]
// CHECK: return
func.func @read_only(%x: tensor<8xf32> {bufferization.writable = false}, %y: tensor<8xf32>) -> tensor<8xf32> {
  %r = linalg.exp ins(%x : tensor<8xf32>) outs(%x : tensor<8xf32>) -> tensor<8xf32>
  %w = bufferization.materialize_in_destination %r in %y : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %w : tensor<8xf32>
}

// The old contents of the output are read after it was written: a copy is made.
// CHECK-LABEL: func @conflict
// CHECK-SAME: (%[[Y:.*]]: memref<8xf32>)
// CHECK: %[[OLD:.*]] = memref.alloc
// CHECK: linalg.add
func.func @conflict(%y: tensor<8xf32>) -> tensor<8xf32> {
  %zero = arith.constant 0.0 : f32
  %a = linalg.exp ins(%y : tensor<8xf32>) outs(%y : tensor<8xf32>) -> tensor<8xf32>
  %b = linalg.add ins(%a, %y : tensor<8xf32>, tensor<8xf32>) outs(%a : tensor<8xf32>) -> tensor<8xf32>
  %w = bufferization.materialize_in_destination %b in %y : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %w : tensor<8xf32>
}

// Concatenations and paddings are made of copies into place.
// CHECK-LABEL: func @concat
// CHECK-SAME: (%[[A:.*]]: memref<2xf32>, %[[B:.*]]: memref<3xf32>, %[[Y:.*]]: memref<5xf32>)
// CHECK-NOT: memref.alloc
// CHECK: %[[YA:.*]] = memref.subview %[[Y]][0] [2] [1]
// CHECK: linalg.copy ins(%[[A]] : memref<2xf32>) outs(%[[YA]] :
// CHECK: %[[YB:.*]] = memref.subview %[[Y]][2] [3] [1]
// CHECK: linalg.copy ins(%[[B]] : memref<3xf32>) outs(%[[YB]] :
func.func @concat(%a: tensor<2xf32> {bufferization.writable = false}, %b: tensor<3xf32> {bufferization.writable = false}, %y: tensor<5xf32>) -> tensor<5xf32> {
  %r = tensor.concat dim(0) %a, %b : (tensor<2xf32>, tensor<3xf32>) -> tensor<5xf32>
  %w = bufferization.materialize_in_destination %r in %y : (tensor<5xf32>, tensor<5xf32>) -> tensor<5xf32>
  return %w : tensor<5xf32>
}

// CHECK-LABEL: func @pad
// CHECK-SAME: (%[[X:.*]]: memref<2xf32>, %[[Y:.*]]: memref<5xf32>)
// CHECK: linalg.fill {{.*}} outs(%[[Y]] :
// CHECK: %[[YX:.*]] = memref.subview %[[Y]][1] [2] [1]
// CHECK: linalg.copy ins(%[[X]] : memref<2xf32>) outs(%[[YX]] :
func.func @pad(%x: tensor<2xf32> {bufferization.writable = false}, %y: tensor<5xf32>) -> tensor<5xf32> {
  %c = arith.constant 1.0 : f32
  %r = tensor.pad %x low[1] high[2] {
  ^bb0(%i: index):
    tensor.yield %c : f32
  } : tensor<2xf32> to tensor<5xf32>
  %w = bufferization.materialize_in_destination %r in %y : (tensor<5xf32>, tensor<5xf32>) -> tensor<5xf32>
  return %w : tensor<5xf32>
}
