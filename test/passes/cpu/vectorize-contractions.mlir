// RUN: infini-opt %s --infini-vectorize-contractions="rows=4 columns=16" --canonicalize --cse --split-input-file | FileCheck %s
// RUN: infini-opt %s --infini-vectorize-contractions --canonicalize --cse --split-input-file | FileCheck %s --check-prefix=DEFAULT

// CHECK-LABEL: func @static
// CHECK-SAME: (%[[A:.*]]: memref<8x12xf32>, %[[B:.*]]: memref<12x32xf32>, %[[C:.*]]: memref<8x32xf32>)
func.func @static(%a: memref<8x12xf32>, %b: memref<12x32xf32>, %c: memref<8x32xf32>) {
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
  // CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
  // CHECK-DAG: %[[C4:.*]] = arith.constant 4 : index
  // CHECK-DAG: %[[C8:.*]] = arith.constant 8 : index
  // CHECK-DAG: %[[C12:.*]] = arith.constant 12 : index
  // CHECK-DAG: %[[C16:.*]] = arith.constant 16 : index
  // CHECK-DAG: %[[C32:.*]] = arith.constant 32 : index
  // CHECK: scf.for %[[N:[a-z0-9_]+]] = %[[C0]] to %[[C32]] step %[[C16]]
  // CHECK:   scf.for %[[M:[a-z0-9_]+]] = %[[C0]] to %[[C8]] step %[[C4]]
  // CHECK:     %[[M1:.*]] = arith.addi %[[M]], %[[C1]]
  // CHECK:     vector.load %[[C]][%[[M]], %[[N]]] : memref<8x32xf32>, vector<16xf32>
  // CHECK:     vector.load %[[C]][%[[M1]], %[[N]]]
  // k innermost, four accumulators carried; one vector of the right side serves them.
  // CHECK:     %[[R:.*]]:4 = scf.for %[[K:[a-z0-9_]+]] = %[[C0]] to %[[C12]] step %[[C1]] iter_args(%[[ACC0:[a-z0-9_]+]] = %{{.*}}, %[[ACC1:[a-z0-9_]+]] = %{{.*}}, %{{.*}} = %{{.*}}, %{{.*}} = %{{.*}})
  // CHECK:       %[[RIGHT:.*]] = vector.load %[[B]][%[[K]], %[[N]]] : memref<12x32xf32>, vector<16xf32>
  // CHECK:       %[[LEFT:.*]] = memref.load %[[A]][%[[M]], %[[K]]]
  // CHECK:       %[[SPLAT:.*]] = vector.broadcast %[[LEFT]] : f32 to vector<16xf32>
  // CHECK:       vector.fma %[[SPLAT]], %[[RIGHT]], %[[ACC0]]
  // CHECK:       memref.load %[[A]][%[[M1]], %[[K]]]
  // CHECK:       vector.fma %{{.*}}, %[[RIGHT]], %[[ACC1]]
  // CHECK-NOT:   vector.load
  // CHECK:     vector.store %[[R]]#0, %[[C]][%[[M]], %[[N]]]
  // CHECK:     vector.store %[[R]]#1, %[[C]][%[[M1]], %[[N]]]
  // DEFAULT-LABEL: func @static
  // DEFAULT: :8 = scf.for
  // DEFAULT: vector<32xf32>
  linalg.matmul ins(%a, %b : memref<8x12xf32>, memref<12x32xf32>) outs(%c : memref<8x32xf32>)
  return
}

// -----

// The left side may lie in either order.
// CHECK-LABEL: func @transposed_left
// CHECK-SAME: (%[[A:.*]]: memref<12x4xf32>,
func.func @transposed_left(%a: memref<12x4xf32>, %b: memref<12x16xf32>, %c: memref<4x16xf32>) {
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
  // CHECK: scf.for %[[K:[a-z0-9_]+]] =
  // CHECK: memref.load %[[A]][%[[K]], %[[C0]]]
  // CHECK: vector.fma
  linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
    ins(%a, %b : memref<12x4xf32>, memref<12x16xf32>) outs(%c : memref<4x16xf32>)
  return
}

// -----

// Rests of static sizes: rows 4 + 4 + 3; columns, half as many in f64, 8 + 8 + 4 + 1.
// CHECK-LABEL: func @ragged
func.func @ragged(%a: memref<11x4xf64>, %b: memref<4x21xf64>, %c: memref<11x21xf64>) {
  // CHECK: :4 = scf.for {{.*}} -> (vector<8xf64>, vector<8xf64>, vector<8xf64>, vector<8xf64>)
  // CHECK: :3 = scf.for {{.*}} -> (vector<8xf64>, vector<8xf64>, vector<8xf64>)
  // CHECK: :4 = scf.for {{.*}} -> (vector<4xf64>, vector<4xf64>, vector<4xf64>, vector<4xf64>)
  // CHECK: :3 = scf.for {{.*}} -> (vector<4xf64>, vector<4xf64>, vector<4xf64>)
  // CHECK: :4 = scf.for {{.*}} -> (vector<1xf64>, vector<1xf64>, vector<1xf64>, vector<1xf64>)
  // CHECK: :3 = scf.for {{.*}} -> (vector<1xf64>, vector<1xf64>, vector<1xf64>)
  // CHECK-NOT: scf.for
  // CHECK: return
  linalg.matmul ins(%a, %b : memref<11x4xf64>, memref<4x21xf64>) outs(%c : memref<11x21xf64>)
  return
}

// -----

// Dynamic sizes: blocks of 16, 8, and 1 column, of 4 and 1 row.
// CHECK-LABEL: func @dynamic
// CHECK-SAME: (%[[A:.*]]: memref<?x?xf32>, %[[B:.*]]: memref<?x?xf32>, %[[C:.*]]: memref<?x?xf32>)
func.func @dynamic(%a: memref<?x?xf32>, %b: memref<?x?xf32>, %c: memref<?x?xf32>) {
  // CHECK-DAG: %[[C16:.*]] = arith.constant 16 : index
  // CHECK: %[[N:.*]] = memref.dim %[[B]], %{{.*}}
  // CHECK: %[[OVER:.*]] = arith.remui %[[N]], %[[C16]]
  // CHECK: %[[STOP:.*]] = arith.subi %[[N]], %[[OVER]]
  // CHECK: scf.for %{{.*}} = %{{.*}} to %[[STOP]] step %[[C16]]
  // CHECK:   :4 = scf.for {{.*}}vector<16xf32>
  // CHECK:   = scf.for {{.*}} -> (vector<16xf32>)
  // CHECK: scf.for %{{.*}} = %[[STOP]] to
  // CHECK:   :4 = scf.for {{.*}}vector<8xf32>
  // CHECK:   = scf.for {{.*}} -> (vector<8xf32>)
  // CHECK: scf.for
  // CHECK:   :4 = scf.for {{.*}}vector<1xf32>
  // CHECK:   = scf.for {{.*}} -> (vector<1xf32>)
  linalg.matmul ins(%a, %b : memref<?x?xf32>, memref<?x?xf32>) outs(%c : memref<?x?xf32>)
  return
}

// -----

// CHECK-LABEL: func @vector_times_matrix
func.func @vector_times_matrix(%a: memref<4xf32>, %b: memref<4x16xf32>, %c: memref<16xf32>) {
  // CHECK: = scf.for {{.*}} -> (vector<16xf32>)
  // CHECK: vector.fma
  linalg.vecmat ins(%a, %b : memref<4xf32>, memref<4x16xf32>) outs(%c : memref<16xf32>)
  return
}

// -----

// Batches are loops outside.
// CHECK-LABEL: func @batch
// CHECK-SAME: (%[[A:.*]]: memref<3x4x5xf32>,
func.func @batch(%a: memref<3x4x5xf32>, %b: memref<3x5x16xf32>, %c: memref<3x4x16xf32>) {
  // CHECK-DAG: %[[C3:.*]] = arith.constant 3 : index
  // CHECK: scf.for %[[I:[a-z0-9_]+]] = %{{.*}} to %[[C3]]
  // CHECK: memref.load %[[A]][%[[I]],
  // CHECK: vector.fma
  linalg.batch_matmul ins(%a, %b : memref<3x4x5xf32>, memref<3x5x16xf32>) outs(%c : memref<3x4x16xf32>)
  return
}

// -----

//===----------------------------------------------------------------------===//
// What stays
//===----------------------------------------------------------------------===//

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// A maximum of products is no sum.
// CHECK-LABEL: func @maximum
func.func @maximum(%a: memref<4x4xf32>, %b: memref<4x16xf32>, %c: memref<4x16xf32>) {
  // CHECK-NEXT: linalg.generic
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<4x4xf32>, memref<4x16xf32>) outs(%c : memref<4x16xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %p = arith.mulf %x, %y : f32
    %m = arith.maximumf %z, %p : f32
    linalg.yield %m : f32
  }
  return
}

// acc · a + b
// CHECK-LABEL: func @other_order
func.func @other_order(%a: memref<4x4xf32>, %b: memref<4x16xf32>, %c: memref<4x16xf32>) {
  // CHECK-NEXT: linalg.generic
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<4x4xf32>, memref<4x16xf32>) outs(%c : memref<4x16xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %p = arith.mulf %z, %x : f32
    %m = arith.addf %p, %y : f32
    linalg.yield %m : f32
  }
  return
}

// A square, not a product of the two.
// CHECK-LABEL: func @square
func.func @square(%a: memref<4x4xf32>, %b: memref<4x16xf32>, %c: memref<4x16xf32>) {
  // CHECK-NEXT: linalg.generic
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<4x4xf32>, memref<4x16xf32>) outs(%c : memref<4x16xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %p = arith.mulf %x, %x : f32
    %m = arith.addf %z, %p : f32
    linalg.yield %m : f32
  }
  return
}

// CHECK-LABEL: func @types
func.func @types(%i: memref<4x4xi32>, %j: memref<4x16xi32>, %k: memref<4x16xi32>,
                 %h: memref<4x4xf16>, %g: memref<4x16xf16>, %o: memref<4x16xf32>) {
  // CHECK-NEXT: linalg.matmul
  linalg.matmul ins(%i, %j : memref<4x4xi32>, memref<4x16xi32>) outs(%k : memref<4x16xi32>)
  // CHECK-NEXT: linalg.matmul
  linalg.matmul ins(%h, %g : memref<4x4xf16>, memref<4x16xf16>) outs(%o : memref<4x16xf32>)
  return
}

// Columns that lie apart: no vector can be read.
// CHECK-LABEL: func @columns_apart
func.func @columns_apart(%a: memref<4x4xf32>, %b: memref<4x16xf32, strided<[1, 4]>>, %c: memref<4x16xf32>, %d: memref<16x4xf32>) {
  // CHECK-NEXT: linalg.matmul
  linalg.matmul ins(%a, %b : memref<4x4xf32>, memref<4x16xf32, strided<[1, 4]>>) outs(%c : memref<4x16xf32>)
  // CHECK-NEXT: linalg.matmul
  linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
    ins(%a, %d : memref<4x4xf32>, memref<16x4xf32>) outs(%c : memref<4x16xf32>)
  return
}

// No column, or tensors.
// CHECK-LABEL: func @dot
func.func @dot(%a: memref<4xf32>, %b: memref<4xf32>, %c: memref<f32>, %d: memref<4x4xf32>, %e: memref<4xf32>) {
  // CHECK-NEXT: linalg.dot
  linalg.dot ins(%a, %b : memref<4xf32>, memref<4xf32>) outs(%c : memref<f32>)
  // CHECK-NEXT: linalg.matvec
  linalg.matvec ins(%d, %a : memref<4x4xf32>, memref<4xf32>) outs(%e : memref<4xf32>)
  return
}

// CHECK-LABEL: func @tensors
func.func @tensors(%a: tensor<4x4xf32>, %b: tensor<4x16xf32>, %c: tensor<4x16xf32>) -> tensor<4x16xf32> {
  // CHECK-NEXT: linalg.matmul
  %r = linalg.matmul ins(%a, %b : tensor<4x4xf32>, tensor<4x16xf32>) outs(%c : tensor<4x16xf32>) -> tensor<4x16xf32>
  return %r : tensor<4x16xf32>
}
