// RUN: infini-opt %s --infini-tile-reductions --canonicalize --cse | FileCheck %s
// RUN: infini-opt %s --infini-tile-reductions="block=256 longest=256" --canonicalize --cse | FileCheck %s --check-prefix=BLOCK

// A long sum goes block by block, in order: each block adds to what the last one left.
// CHECK-LABEL: func.func @cut(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<1024xf32>, %[[S:[a-z0-9]+]]: tensor<f32>
// CHECK-DAG: %[[LOW:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[HIGH:.*]] = arith.constant 1024 : index
// CHECK-DAG: %[[STEP:.*]] = arith.constant 128 : index
// CHECK: %[[R:.*]] = scf.for %[[I:.*]] = %[[LOW]] to %[[HIGH]] step %[[STEP]] iter_args(%[[SUM:.*]] = %[[S]]) -> (tensor<f32>) {
// CHECK-NEXT: %[[B:.*]] = tensor.extract_slice %[[X]][%[[I]]] [128] [1]
// CHECK-NEXT: %[[T:.*]] = linalg.reduce { arith.addf } ins(%[[B]] : tensor<128xf32>) outs(%[[SUM]] : tensor<f32>)
// CHECK-NEXT: scf.yield %[[T]]
// CHECK: return %[[R]]
// BLOCK-LABEL: func.func @cut(
// BLOCK: arith.constant 256 : index
// BLOCK: tensor<256xf32>
func.func @cut(%x: tensor<1024xf32>, %s: tensor<f32>) -> tensor<f32> {
  %r = linalg.reduce {arith.addf} ins(%x : tensor<1024xf32>) outs(%s : tensor<f32>) dimensions = [0]
  return %r : tensor<f32>
}

// What is summed up is computed block by block, the last one shorter.
// CHECK-LABEL: func.func @producer(
// CHECK-NOT: linalg.exp
// CHECK: scf.for %[[I:[a-z0-9]+]] =
// CHECK: %[[L:.*]] = affine.min #{{.*}}(%[[I]])
// CHECK: %[[E:.*]] = linalg.exp ins(%{{.*}} : tensor<4x?xf32>)
// CHECK: linalg.matmul ins(%[[E]], %{{.*}} : tensor<4x?xf32>, tensor<?x8xf32>)
// CHECK-NOT: linalg.exp
// CHECK: return
func.func @producer(%x: tensor<4x1000xf32>, %y: tensor<1000x8xf32>, %s: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<4x1000xf32>
  %f = linalg.exp ins(%x : tensor<4x1000xf32>) outs(%e : tensor<4x1000xf32>) -> tensor<4x1000xf32>
  %r = linalg.matmul ins(%f, %y : tensor<4x1000xf32>, tensor<1000x8xf32>) outs(%s : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %r : tensor<4x8xf32>
}

// A memory and its normaliser: two sums over the same tokens share a loop, and what both need is computed once.
// CHECK-LABEL: func.func @shared(
// CHECK: %[[R:.*]]:2 = scf.for {{.*}} iter_args(%[[M:.*]] = %{{.*}}, %[[Z:.*]] = %{{.*}}) -> (tensor<4x8xf32>, tensor<4xf32>) {
// CHECK: %[[E:.*]] = linalg.exp
// CHECK-NOT: linalg.exp
// CHECK: %[[M1:.*]] = linalg.matmul ins(%[[E]], {{.*}} outs(%[[M]] :
// CHECK: %[[Z1:.*]] = linalg.reduce { arith.addf } ins(%[[E]] : {{.*}} outs(%[[Z]] :
// CHECK: scf.yield %[[M1]], %[[Z1]]
// CHECK-NOT: scf.for
// CHECK: return %[[R]]#0, %[[R]]#1
func.func @shared(%x: tensor<4x1024xf32>, %y: tensor<1024x8xf32>, %s: tensor<4x8xf32>, %t: tensor<4xf32>)
    -> (tensor<4x8xf32>, tensor<4xf32>) {
  %e = tensor.empty() : tensor<4x1024xf32>
  %f = linalg.exp ins(%x : tensor<4x1024xf32>) outs(%e : tensor<4x1024xf32>) -> tensor<4x1024xf32>
  %r = linalg.matmul ins(%f, %y : tensor<4x1024xf32>, tensor<1024x8xf32>) outs(%s : tensor<4x8xf32>) -> tensor<4x8xf32>
  %q = linalg.reduce {arith.addf} ins(%f : tensor<4x1024xf32>) outs(%t : tensor<4xf32>) dimensions = [1]
  return %r, %q : tensor<4x8xf32>, tensor<4xf32>
}

// What stands between the two, and needs the first, comes behind the loop.
// CHECK-LABEL: func.func @used_between(
// CHECK: %[[R:.*]]:2 = scf.for
// CHECK: arith.addf
// CHECK: arith.maximumf
// CHECK: }
// CHECK: %[[A:.*]] = tensor.extract %[[R]]#0[]
// CHECK: math.exp %[[A]]
// CHECK: return %{{.*}}, %[[R]]#1
func.func @used_between(%x: tensor<1024xf32>, %t: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  %q = linalg.reduce {arith.addf} ins(%x : tensor<1024xf32>) outs(%t : tensor<f32>) dimensions = [0]
  %a = tensor.extract %q[] : tensor<f32>
  %m = math.exp %a : f32
  %i = tensor.insert %m into %t[] : tensor<f32>
  %r = linalg.reduce {arith.maximumf} ins(%x : tensor<1024xf32>) outs(%t : tensor<f32>) dimensions = [0]
  return %i, %r : tensor<f32>, tensor<f32>
}

// A sum that goes on from another's result has a loop of its own.
// CHECK-LABEL: func.func @chain(
// CHECK: %[[Q:.*]] = scf.for
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[Q]])
// CHECK: return
func.func @chain(%x: tensor<1024xf32>, %t: tensor<f32>) -> tensor<f32> {
  %q = linalg.reduce {arith.addf} ins(%x : tensor<1024xf32>) outs(%t : tensor<f32>) dimensions = [0]
  %r = linalg.reduce {arith.addf} ins(%x : tensor<1024xf32>) outs(%q : tensor<f32>) dimensions = [0]
  return %r : tensor<f32>
}

// So have sums of other lengths.
// CHECK-LABEL: func.func @other_ranges(
// CHECK-COUNT-2: scf.for
// CHECK: return
func.func @other_ranges(%x: tensor<1024xf32>, %y: tensor<2048xf32>, %t: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  %q = linalg.reduce {arith.addf} ins(%x : tensor<1024xf32>) outs(%t : tensor<f32>) dimensions = [0]
  %r = linalg.reduce {arith.addf} ins(%y : tensor<2048xf32>) outs(%t : tensor<f32>) dimensions = [0]
  return %q, %r : tensor<f32>, tensor<f32>
}

// 512 are not many; with longest=256 they are.
// CHECK-LABEL: func.func @short(
// CHECK-NEXT: linalg.reduce
// CHECK-NEXT: return
// BLOCK-LABEL: func.func @short(
// BLOCK: scf.for
// BLOCK: tensor<256xf32>
func.func @short(%x: tensor<512xf32>, %s: tensor<f32>) -> tensor<f32> {
  %r = linalg.reduce {arith.addf} ins(%x : tensor<512xf32>) outs(%s : tensor<f32>) dimensions = [0]
  return %r : tensor<f32>
}

// Nor are some that are never more than 512.
// CHECK-LABEL: func.func @bounded(
// CHECK-NOT: scf.for
// CHECK: return
// BLOCK-LABEL: func.func @bounded(
// BLOCK: scf.for
func.func @bounded(%x: tensor<1024xf32>, %n: index, %s: tensor<f32>) -> tensor<f32> {
  %l = affine.min affine_map<()[s0] -> (s0, 512)>()[%n]
  %y = tensor.extract_slice %x[0] [%l] [1] : tensor<1024xf32> to tensor<?xf32>
  %r = linalg.reduce {arith.addf} ins(%y : tensor<?xf32>) outs(%s : tensor<f32>) dimensions = [0]
  return %r : tensor<f32>
}

// A number of elements that is not bounded may be large.
// CHECK-LABEL: func.func @dynamic(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?xf32>
// CHECK: %[[D:.*]] = tensor.dim %[[X]]
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %[[D]] step
// CHECK: %[[L:.*]] = affine.min #{{.*}}(%[[I]])[%[[D]]]
// CHECK: tensor.extract_slice %[[X]][%[[I]]] [%[[L]]] [1]
// CHECK: linalg.reduce
func.func @dynamic(%x: tensor<?xf32>, %s: tensor<f32>) -> tensor<f32> {
  %r = linalg.reduce {arith.addf} ins(%x : tensor<?xf32>) outs(%s : tensor<f32>) dimensions = [0]
  return %r : tensor<f32>
}

// Of two long axes, the first is cut.
// CHECK-LABEL: func.func @two_axes(
// CHECK: scf.for
// CHECK-NOT: scf.for
// CHECK: linalg.reduce {{.*}} ins(%{{.*}} : tensor<128x600xf32>)
// CHECK: return
func.func @two_axes(%x: tensor<1024x600xf32>, %s: tensor<f32>) -> tensor<f32> {
  %r = linalg.reduce {arith.addf} ins(%x : tensor<1024x600xf32>) outs(%s : tensor<f32>) dimensions = [0, 1]
  return %r : tensor<f32>
}

// What is no sum is not cut, however long; a sum that nobody needs goes.
// CHECK-LABEL: func.func @no_sum(
// CHECK-NEXT: linalg.exp
// CHECK-NEXT: return
func.func @no_sum(%x: tensor<1024xf32>, %s: tensor<f32>) -> tensor<1024xf32> {
  %f = linalg.exp ins(%x : tensor<1024xf32>) outs(%x : tensor<1024xf32>) -> tensor<1024xf32>
  %r = linalg.reduce {arith.addf} ins(%x : tensor<1024xf32>) outs(%s : tensor<f32>) dimensions = [0]
  return %f : tensor<1024xf32>
}
