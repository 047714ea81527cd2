// RUN: infini-opt %s --infini-tile-to-linalg | FileCheck %s
// RUN: infini-opt %s --infini-tile-to-linalg | FileCheck %s --check-prefix=GONE

// GONE-NOT: {{tile\.[a-z]}}

// The maps: of how many loops, and which of them.
// CHECK-DAG: #[[M1_:.*]] = affine_map<(d0) -> ()>
// CHECK-DAG: #[[M1_0:.*]] = affine_map<(d0) -> (d0)>
// CHECK-DAG: #[[M2_0:.*]] = affine_map<(d0, d1) -> (d0)>
// CHECK-DAG: #[[M2_01:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[M2_1:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-DAG: #[[M2_10:.*]] = affine_map<(d0, d1) -> (d1, d0)>
// CHECK-DAG: #[[M3_01:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-DAG: #[[M3_012:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-DAG: #[[M3_02:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[M3_1:.*]] = affine_map<(d0, d1, d2) -> (d1)>
// CHECK-DAG: #[[M3_12:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[M3_120:.*]] = affine_map<(d0, d1, d2) -> (d1, d2, d0)>
// CHECK-DAG: #[[M3_20:.*]] = affine_map<(d0, d1, d2) -> (d2, d0)>
// CHECK-DAG: #[[M3_21:.*]] = affine_map<(d0, d1, d2) -> (d2, d1)>
// CHECK-DAG: #[[MIN:.*]] = affine_map<()[s0] -> (s0, 8)>
// CHECK-DAG: #[[MAX:.*]] = affine_map<()[s0] -> (s0, 0)>

// A whole tile of a buffer that the kernel does not write is read where it lies;
// dimensions that are not named stand still, and the others may be permuted.
// CHECK-LABEL: func @in_place
// CHECK-SAME: (%[[Q:.*]]: memref<2x?x4x8xf32>, %[[O:.*]]: memref<8x4xf32>, %[[B:.*]]: index, %[[L:.*]]: index)
// CHECK-NEXT: %[[PART:.*]] = memref.subview %[[Q]][%[[B]], %[[L]], 0, 0] [1, 1, 4, 8] [1, 1, 1, 1] : memref<2x?x4x8xf32> to memref<4x8xf32, strided<[8, 1], offset: ?>>
// CHECK-NEXT: %[[TURNED:.*]] = memref.transpose %[[PART]] (d0, d1) -> (d1, d0) : memref<4x8xf32, strided<[8, 1], offset: ?>> to memref<8x4xf32, strided<[1, 8], offset: ?>>
// CHECK-NEXT: %[[T:.*]] = bufferization.to_tensor %[[TURNED]] restrict : memref<8x4xf32, strided<[1, 8], offset: ?>> to tensor<8x4xf32>
// CHECK-NEXT: %[[TO:.*]] = memref.subview %[[O]][0, 0] [8, 4] [1, 1]
// CHECK-NEXT: bufferization.materialize_in_destination %[[T]] in restrict writable %[[TO]]
// CHECK-NEXT: return
func.func @in_place(%q: memref<2x?x4x8xf32>, %o: memref<8x4xf32>, %b: index, %l: index) {
  %t = tile.load %q[%b, %l, 0, 0] dims [3, 2] : memref<2x?x4x8xf32> -> tensor<8x4xf32>
  tile.store %t, %o[0, 0] dims [0, 1] : tensor<8x4xf32>, memref<8x4xf32>
  return
}

// One that the kernel writes is copied, wherever the store stands, and whatever
// it is called there.
// CHECK-LABEL: func @written
// CHECK-SAME: (%[[X:.*]]: memref<8x4xf32>, %[[Y:.*]]: memref<8x4xf32>)
// CHECK: %[[SAME:.*]] = memref.expand_shape %[[X]]
// CHECK: %[[COPY:.*]] = memref.alloc() : memref<4xf32>
// CHECK-NEXT: %[[ROW:.*]] = memref.subview %[[X]][0, 0] [1, 4] [1, 1]
// CHECK-NEXT: memref.copy %[[ROW]], %[[COPY]]
// CHECK-NEXT: %[[T:.*]] = bufferization.to_tensor %[[COPY]] restrict writable : memref<4xf32> to tensor<4xf32>
// CHECK: %[[TO:.*]] = memref.subview %[[SAME]][1, 0, 0] [1, 1, 4] [1, 1, 1]
// CHECK: bufferization.materialize_in_destination %[[T]] in restrict writable %[[TO]]
func.func @written(%x: memref<8x4xf32>, %y: memref<8x4xf32>) {
  %e = memref.expand_shape %x [[0, 1], [2]] output_shape [4, 2, 4] : memref<8x4xf32> into memref<4x2x4xf32>
  %t = tile.load %x[0, 0] dims [1] : memref<8x4xf32> -> tensor<4xf32>
  tile.store %t, %e[1, 0, 0] dims [2] : tensor<4xf32>, memref<4x2x4xf32>
  return
}

// A masked load is copied, with padding behind it. As many elements as are there:
// none of a negative number, all of a larger one.
// CHECK-LABEL: func @masked
// CHECK-SAME: (%[[X:.*]]: memref<?x4xf32>, %[[O:.*]]: memref<?x4xf32>, %[[N:.*]]: index)
// CHECK: %[[TILE:.*]] = memref.alloc() : memref<8x4xf32>
// CHECK: %[[FEW:.*]] = affine.min #[[MIN]]()[%[[N]]]
// CHECK: %[[COUNT:.*]] = affine.max #[[MAX]]()[%[[FEW]]]
// CHECK: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK: %[[REST:.*]] = memref.subview %[[TILE]][%[[COUNT]], 0]
// CHECK: linalg.fill ins(%[[ZERO]] : f32) outs(%[[REST]] :
// CHECK: %[[THERE:.*]] = memref.subview %[[TILE]][0, 0] [%[[COUNT]], 4] [1, 1]
// CHECK: %[[FROM:.*]] = memref.subview %[[X]][0, 0] [%[[COUNT]], 4] [1, 1]
// CHECK: memref.copy %[[FROM]], %[[THERE]]
// CHECK: %[[T:.*]] = bufferization.to_tensor %[[TILE]] restrict writable : memref<8x4xf32> to tensor<8x4xf32>
// As many are stored.
// CHECK: %[[COUNT:.*]] = affine.max
// CHECK: %[[SOME:.*]] = tensor.extract_slice %[[T]][0, 0] [%[[COUNT]], 4] [1, 1] : tensor<8x4xf32> to tensor<?x4xf32>
// CHECK: %[[TO:.*]] = memref.subview %[[O]][0, 0] [%[[COUNT]], 4] [1, 1]
// CHECK: bufferization.materialize_in_destination %[[SOME]] in restrict writable %[[TO]]
func.func @masked(%x: memref<?x4xf32>, %o: memref<?x4xf32>, %n: index) {
  %t = tile.load %x[0, 0] dims [0, 1] valid [%n, 4] : memref<?x4xf32> -> tensor<8x4xf32>
  tile.store %t, %o[0, 0] dims [0, 1] valid [%n, 4] : tensor<8x4xf32>, memref<?x4xf32>
  return
}

// Constant numbers are clamped here; a pad of one's own.
// CHECK-LABEL: func @masked_constants
// CHECK: %[[A:.*]] = memref.alloc() : memref<8x4xf32>
// CHECK: %[[PAD:.*]] = arith.constant 0xFF800000 : f32
// CHECK: %[[REST:.*]] = memref.subview %[[A]][0, 0] [8, 4] [1, 1]
// CHECK: linalg.fill ins(%[[PAD]] : f32) outs(%[[REST]] :
// CHECK: memref.subview %[[A]][0, 0] [0, 4] [1, 1]
// CHECK: %[[B:.*]] = memref.alloc() : memref<8xi32>
// Nothing is missing, so nothing is padded.
// CHECK-NOT: linalg.fill
// CHECK: memref.subview %[[B]][0] [8] [1]
// CHECK: tensor.extract_slice %{{.*}}[0, 0] [0, 4] [1, 1] : tensor<8x4xf32> to tensor<0x4xf32>
// CHECK: tensor.extract_slice %{{.*}}[0] [8] [1] : tensor<8xi32> to tensor<8xi32>
func.func @masked_constants(%x: memref<?x4xf32>, %i: memref<?xi32>, %o: memref<8x4xf32>, %p: memref<8xi32>) {
  %t = tile.load %x[0, 0] dims [0, 1] valid [-3, 100] {pad = 0xFF800000 : f32} : memref<?x4xf32> -> tensor<8x4xf32>
  %u = tile.load %i[0] dims [0] valid [9] : memref<?xi32> -> tensor<8xi32>
  tile.store %t, %o[0, 0] dims [0, 1] valid [-3, 100] : tensor<8x4xf32>, memref<8x4xf32>
  tile.store %u, %p[0] dims [0] valid [9] : tensor<8xi32>, memref<8xi32>
  return
}

// Permuted and masked: the tile's first dimension is the one that is masked.
// CHECK-LABEL: func @masked_permuted
// CHECK: %[[TILE:.*]] = memref.alloc() : memref<8x4xf32>
// CHECK: %[[THERE:.*]] = memref.subview %[[TILE]][0, 0] [%[[COUNT:.*]], 4] [1, 1]
// CHECK: %[[PART:.*]] = memref.subview %{{.*}}[0, 0] [4, %[[COUNT]]] [1, 1]
// CHECK: %[[TURNED:.*]] = memref.transpose %[[PART]] (d0, d1) -> (d1, d0)
// CHECK: memref.copy %[[TURNED]], %[[THERE]]
// CHECK: %[[COUNT:.*]] = affine.max
// CHECK: %[[SOME:.*]] = tensor.extract_slice %{{.*}}[0, 0] [%[[COUNT]], 4] [1, 1]
// CHECK: %[[PART:.*]] = memref.subview %{{.*}}[0, 0] [4, %[[COUNT]]] [1, 1]
// CHECK: %[[TURNED:.*]] = memref.transpose %[[PART]] (d0, d1) -> (d1, d0)
// CHECK: bufferization.materialize_in_destination %[[SOME]] in restrict writable %[[TURNED]]
func.func @masked_permuted(%x: memref<4x?xf32>, %o: memref<4x?xf32>, %n: index) {
  %t = tile.load %x[0, 0] dims [1, 0] valid [%n, 4] : memref<4x?xf32> -> tensor<8x4xf32>
  tile.store %t, %o[0, 0] dims [1, 0] valid [%n, 4] : tensor<8x4xf32>, memref<4x?xf32>
  return
}

// Of rank 0.
// CHECK-LABEL: func @rank0
// CHECK: memref.subview %{{.*}}[%{{.*}}, 2] [1, 1] [1, 1] : memref<?x4xf32> to memref<f32, strided<[], offset: ?>>
// CHECK: bufferization.to_tensor %{{.*}} restrict : {{.*}} to tensor<f32>
func.func @rank0(%x: memref<?x4xf32>, %o: memref<f32>, %n: index) {
  %t = tile.load %x[%n, 2] dims [] : memref<?x4xf32> -> tensor<f32>
  tile.store %t, %o[] dims [] : tensor<f32>, memref<f32>
  return
}

// Narrow factors are widened first, each once.
// CHECK-LABEL: func @dot
// CHECK: %[[A:.*]] = linalg.generic {indexing_maps = [#[[M2_01]], #[[M2_01]]], iterator_types = ["parallel", "parallel"]} ins(%{{.*}} : tensor<2x3xbf16>) outs(%{{.*}} : tensor<2x3xf32>)
// CHECK-NEXT: ^bb0(%[[X:.*]]: bf16, %{{.*}}: f32):
// CHECK-NEXT: %[[XW:.*]] = arith.extf %[[X]] : bf16 to f32
// CHECK-NEXT: linalg.yield %[[XW]] : f32
// CHECK: %[[B:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<3x5xbf16>) outs(%{{.*}} : tensor<3x5xf32>)
// CHECK: %[[Y:.*]] = linalg.generic {indexing_maps = [#[[M3_02]], #[[M3_21]], #[[M3_01]]], iterator_types = ["parallel", "parallel", "reduction"]} ins(%[[A]], %[[B]] : tensor<2x3xf32>, tensor<3x5xf32>) outs(%{{.*}} : tensor<2x5xf32>)
// CHECK-NEXT: ^bb0(%[[X:.*]]: f32, %[[Y:.*]]: f32, %[[U:.*]]: f32):
// CHECK-NEXT: %[[P:.*]] = arith.mulf %[[X]], %[[Y]] : f32
// CHECK-NEXT: %[[S:.*]] = arith.addf %[[U]], %[[P]] : f32
// CHECK-NEXT: linalg.yield %[[S]] : f32
// CHECK: linalg.generic {indexing_maps = [#[[M3_20]], #[[M3_12]], #[[M3_01]]], iterator_types = ["parallel", "parallel", "reduction"]} ins(%{{.*}}, %{{.*}} : tensor<3x2xf32>, tensor<5x3xf32>) outs(%{{.*}} : tensor<2x5xf32>)
func.func @dot(%a: memref<2x3xbf16>, %at: memref<3x2xbf16>, %b: memref<3x5xbf16>, %bt: memref<5x3xbf16>, %o: memref<2x5xf32>) {
  %zero = arith.constant dense<0.0> : tensor<2x5xf32>
  %0 = tile.load %a[0, 0] dims [0, 1] : memref<2x3xbf16> -> tensor<2x3xbf16>
  %1 = tile.load %b[0, 0] dims [0, 1] : memref<3x5xbf16> -> tensor<3x5xbf16>
  %2 = tile.dot %0, %1, %zero : tensor<2x3xbf16>, tensor<3x5xbf16> into tensor<2x5xf32>
  %3 = tile.load %at[0, 0] dims [0, 1] : memref<3x2xbf16> -> tensor<3x2xbf16>
  %4 = tile.load %bt[0, 0] dims [0, 1] : memref<5x3xbf16> -> tensor<5x3xbf16>
  %5 = tile.dot %3, %4, %2 {transpose_a, transpose_b} : tensor<3x2xbf16>, tensor<5x3xbf16> into tensor<2x5xf32>
  tile.store %5, %o[0, 0] dims [0, 1] : tensor<2x5xf32>, memref<2x5xf32>
  return
}

// CHECK-LABEL: func @dot_vectors
// CHECK: linalg.generic {indexing_maps = [#[[M2_01]], #[[M2_1]], #[[M2_0]]], iterator_types = ["parallel", "reduction"]} ins(%{{.*}} : tensor<2x3xf32>, tensor<3xf32>) outs(%{{.*}} : tensor<2xf32>)
// CHECK: linalg.generic {indexing_maps = [#[[M2_1]], #[[M2_10]], #[[M2_0]]], iterator_types = ["parallel", "reduction"]} ins(%{{.*}} : tensor<2xf32>, tensor<2x3xf32>) outs(%{{.*}} : tensor<3xf32>)
func.func @dot_vectors(%m: memref<2x3xf32>, %x: memref<3xf32>, %y: memref<3xf32>) {
  %0 = tile.load %m[0, 0] dims [0, 1] : memref<2x3xf32> -> tensor<2x3xf32>
  %1 = tile.load %x[0] dims [0] : memref<3xf32> -> tensor<3xf32>
  %zero = arith.constant dense<0.0> : tensor<2xf32>
  %2 = tile.dot %0, %1, %zero : tensor<2x3xf32>, tensor<3xf32> into tensor<2xf32>
  %3 = tile.dot %2, %0, %1 : tensor<2xf32>, tensor<2x3xf32> into tensor<3xf32>
  tile.store %3, %y[0] dims [0] : tensor<3xf32>, memref<3xf32>
  return
}

// The larger number is one comparison, where NaN does not count; where it does,
// arith's own.
// CHECK-LABEL: func @reduce
// CHECK: linalg.generic {indexing_maps = [#[[M2_01]], #[[M2_1]]], iterator_types = ["reduction", "parallel"]} ins(%{{.*}} : tensor<8x4xf32>) outs(%{{.*}} : tensor<4xf32>)
// CHECK-NEXT: ^bb0(%[[X:.*]]: f32, %[[U:.*]]: f32):
// CHECK-NEXT: %[[MORE:.*]] = arith.cmpf ogt, %[[X]], %[[U]] : f32
// CHECK-NEXT: arith.select %[[MORE]], %[[X]], %[[U]] : f32
// CHECK: arith.cmpf olt
// CHECK: arith.maximumf
// CHECK: arith.minimumf
// CHECK: arith.addf
// CHECK: arith.mulf
// CHECK: linalg.generic {indexing_maps = [#[[M1_0]], #[[M1_]]], iterator_types = ["reduction"]} ins(%{{.*}} : tensor<4xi32>) outs(%{{.*}} : tensor<i32>)
// CHECK: arith.addi
// CHECK: arith.muli
// CHECK: arith.maxsi
// CHECK: arith.minsi
func.func @reduce(%x: memref<8x4xf32>, %o: memref<4xf32>, %i: memref<4xi32>, %p: memref<i32>) {
  %t = tile.load %x[0, 0] dims [0, 1] : memref<8x4xf32> -> tensor<8x4xf32>
  %z = arith.constant dense<0.0> : tensor<4xf32>
  %0 = tile.reduce maxnum %t, %z axis 0 : tensor<8x4xf32> into tensor<4xf32>
  %1 = tile.reduce minnum %t, %0 axis 0 : tensor<8x4xf32> into tensor<4xf32>
  %2 = tile.reduce maximum %t, %1 axis 0 : tensor<8x4xf32> into tensor<4xf32>
  %3 = tile.reduce minimum %t, %2 axis 0 : tensor<8x4xf32> into tensor<4xf32>
  %4 = tile.reduce sum %t, %3 axis 0 : tensor<8x4xf32> into tensor<4xf32>
  %5 = tile.reduce product %t, %4 axis 0 : tensor<8x4xf32> into tensor<4xf32>
  tile.store %5, %o[0] dims [0] : tensor<4xf32>, memref<4xf32>
  %u = tile.load %i[0] dims [0] : memref<4xi32> -> tensor<4xi32>
  %y = arith.constant dense<0> : tensor<i32>
  %6 = tile.reduce sum %u, %y axis 0 : tensor<4xi32> into tensor<i32>
  %7 = tile.reduce product %u, %6 axis 0 : tensor<4xi32> into tensor<i32>
  %8 = tile.reduce maximum %u, %7 axis 0 : tensor<4xi32> into tensor<i32>
  %9 = tile.reduce minimum %u, %8 axis 0 : tensor<4xi32> into tensor<i32>
  tile.store %9, %p[] dims [] : tensor<i32>, memref<i32>
  return
}

// A scalar and a constant tile are fills. No constant is left to lie in memory.
// CHECK-LABEL: func @broadcast
// CHECK-NOT: arith.constant dense
// CHECK: linalg.generic {indexing_maps = [#[[M3_1]], #[[M3_012]]], iterator_types = ["parallel", "parallel", "parallel"]} ins(%{{.*}} : tensor<4xf32>) outs(%{{.*}} : tensor<2x4x3xf32>)
// CHECK: linalg.fill ins(%{{.*}} : f32) outs(%{{.*}} : tensor<2x4x3xf32>) -> tensor<2x4x3xf32>
// CHECK: %[[TWO:.*]] = arith.constant 2.000000e+00 : f32
// CHECK: linalg.fill ins(%[[TWO]] : f32) outs(%{{.*}} : tensor<2x4x3xf32>) -> tensor<2x4x3xf32>
// CHECK-NOT: arith.constant dense
func.func @broadcast(%x: memref<4xf32>, %o: memref<2x4x3xf32>, %s: f32) {
  %t = tile.load %x[0] dims [0] : memref<4xf32> -> tensor<4xf32>
  %0 = tile.broadcast %t along [0, 2] : tensor<4xf32> -> tensor<2x4x3xf32>
  %1 = tile.broadcast %s along [0, 1, 2] : f32 -> tensor<2x4x3xf32>
  %two = arith.constant dense<2.0> : tensor<2x4x3xf32>
  %2 = arith.addf %0, %1 : tensor<2x4x3xf32>
  %3 = arith.mulf %2, %two : tensor<2x4x3xf32>
  tile.store %3, %o[0, 0, 0] dims [0, 1, 2] : tensor<2x4x3xf32>, memref<2x4x3xf32>
  return
}

// Dimension d of the result is dimension permutation[d] of the source.
// CHECK-LABEL: func @transpose
// CHECK: linalg.generic {indexing_maps = [#[[M3_120]], #[[M3_012]]], iterator_types = ["parallel", "parallel", "parallel"]} ins(%{{.*}} : tensor<2x3x5xf32>) outs(%{{.*}} : tensor<5x2x3xf32>)
func.func @transpose(%x: memref<2x3x5xf32>, %o: memref<5x2x3xf32>) {
  %t = tile.load %x[0, 0, 0] dims [0, 1, 2] : memref<2x3x5xf32> -> tensor<2x3x5xf32>
  %0 = tile.transpose %t [2, 0, 1] : tensor<2x3x5xf32> -> tensor<5x2x3xf32>
  tile.store %0, %o[0, 0, 0] dims [0, 1, 2] : tensor<5x2x3xf32>, memref<5x2x3xf32>
  return
}

// CHECK-LABEL: func @index
// CHECK: linalg.generic {indexing_maps = [#[[M2_01]]], iterator_types = ["parallel", "parallel"]} outs(%{{.*}} : tensor<8x4xindex>)
// CHECK: %[[I:.*]] = linalg.index 1 : index
// CHECK: linalg.yield %[[I]] : index
// What is between tiles stays.
// CHECK: arith.index_cast %{{.*}} : tensor<8x4xindex> to tensor<8x4xi32>
func.func @index(%o: memref<8x4xi32>) {
  %0 = tile.index axis 1 : tensor<8x4xindex>
  %1 = arith.index_cast %0 : tensor<8x4xindex> to tensor<8x4xi32>
  tile.store %1, %o[0, 0] dims [0, 1] : tensor<8x4xi32>, memref<8x4xi32>
  return
}

// A kernel that stayed on tensors is left alone, its constants, too.
// CHECK-LABEL: func @tensors
// CHECK: arith.constant dense<1.000000e+00> : tensor<4xf32>
// CHECK: linalg.add
// CHECK: bufferization.materialize_in_destination %{{.*}} in %{{.*}} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
func.func @tensors(%x: tensor<4xf32> {bufferization.writable = false}, %o: tensor<4xf32>) -> tensor<4xf32> {
  %one = arith.constant dense<1.0> : tensor<4xf32>
  %e = tensor.empty() : tensor<4xf32>
  %y = linalg.add ins(%x, %one : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %d = bufferization.materialize_in_destination %y in %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %d : tensor<4xf32>
}
