// RUN: infini-opt %s --pass-pipeline='builtin.module(builtin.module(infini-lower-to-tile,canonicalize,cse))' | FileCheck %s
// RUN: infini-opt %s --pass-pipeline='builtin.module(builtin.module(infini-lower-to-tile))' | FileCheck %s --check-prefix=GONE

// Nothing of tensors' own stays: buffers go in, tiles of static size lie between.
// GONE-NOT: {{(linalg|bufferization)\.[a-z]}}
// GONE-NOT: tensor<{{[^>]*}}?

#id = affine_map<(d0) -> (d0)>
#ij = affine_map<(d0, d1) -> (d0, d1)>
#ji = affine_map<(d0, d1) -> (d1, d0)>
#i = affine_map<(d0, d1) -> (d0)>
#j = affine_map<(d0, d1) -> (d1)>
#mn = affine_map<(d0, d1, d2) -> (d0, d1)>
#nm = affine_map<(d0, d1, d2) -> (d1, d0)>
#mk = affine_map<(d0, d1, d2) -> (d0, d2)>
#km = affine_map<(d0, d1, d2) -> (d2, d0)>
#kn = affine_map<(d0, d1, d2) -> (d2, d1)>
#nk = affine_map<(d0, d1, d2) -> (d1, d2)>
#block = affine_map<(d0)[s0] -> (-d0 + s0, 64)>
#most = affine_map<()[s0] -> (s0, 64)>
#segment = affine_map<(d0)[s0] -> (d0 * 128 + s0)>

// Blocks of tokens: the last one is masked, in loads and in the store. %w is
// the same for all rows; %t lies transposed.
// CHECK-LABEL: func @elementwise
// CHECK-SAME: (%[[X:.*]]: memref<?x32xf32>, %[[T:.*]]: memref<32x?xf32>, %[[W:.*]]: memref<32xf32>, %[[O:.*]]: memref<?x32xf32>, %[[N:.*]]: index) {
// CHECK-NEXT: scf.forall (%[[I:.*]]) = (0) to (%[[N]]) step (64) {
// CHECK-NEXT:   %[[M:.*]] = affine.min #{{.*}}(%[[I]])[%[[N]]]
// CHECK-NEXT:   %[[XT:.*]] = tile.load %[[X]][%[[I]], 0] dims [0, 1] valid [%[[M]], 32] : memref<?x32xf32> -> tensor<64x32xf32>
// CHECK-NEXT:   %[[TT:.*]] = tile.load %[[T]][0, %[[I]]] dims [0, 1] valid [32, %[[M]]] : memref<32x?xf32> -> tensor<32x64xf32>
// CHECK-NEXT:   %[[TURNED:.*]] = tile.transpose %[[TT]] [1, 0] : tensor<32x64xf32> -> tensor<64x32xf32>
// CHECK-NEXT:   %[[SUM:.*]] = arith.addf %[[XT]], %[[TURNED]] : tensor<64x32xf32>
// CHECK-NEXT:   %[[WT:.*]] = tile.load %[[W]][0] dims [0] : memref<32xf32> -> tensor<32xf32>
// CHECK-NEXT:   %[[ROWS:.*]] = tile.broadcast %[[WT]] along [0] : tensor<32xf32> -> tensor<64x32xf32>
// CHECK-NEXT:   %[[Y:.*]] = arith.mulf %[[SUM]], %[[ROWS]] : tensor<64x32xf32>
// CHECK-NEXT:   tile.store %[[Y]], %[[O]][%[[I]], 0] dims [0, 1] valid [%[[M]], 32] : tensor<64x32xf32>, memref<?x32xf32>
// CHECK-NEXT: }
// CHECK-NEXT: return
module @elementwise attributes {program.kernel} {
  func.func @elementwise(%x: tensor<?x32xf32> {bufferization.writable = false}, %t: tensor<32x?xf32> {bufferization.writable = false},
                         %w: tensor<32xf32> {bufferization.writable = false}, %o: tensor<?x32xf32>, %n: index) -> tensor<?x32xf32> {
    %e = tensor.empty(%n) : tensor<?x32xf32>
    %r = scf.forall (%i) = (0) to (%n) step (64) shared_outs(%c = %e) -> (tensor<?x32xf32>) {
      %m = affine.min #block(%i)[%n]
      %xs = tensor.extract_slice %x[%i, 0] [%m, 32] [1, 1] : tensor<?x32xf32> to tensor<?x32xf32>
      %ts = tensor.extract_slice %t[0, %i] [32, %m] [1, 1] : tensor<32x?xf32> to tensor<32x?xf32>
      %cs = tensor.extract_slice %c[%i, 0] [%m, 32] [1, 1] : tensor<?x32xf32> to tensor<?x32xf32>
      %y = linalg.generic {indexing_maps = [#ij, #ji, #j, #ij], iterator_types = ["parallel", "parallel"]}
          ins(%xs, %ts, %w : tensor<?x32xf32>, tensor<32x?xf32>, tensor<32xf32>) outs(%cs : tensor<?x32xf32>) {
      ^bb0(%a: f32, %b: f32, %s: f32, %u: f32):
        %p = arith.addf %a, %b : f32
        %q = arith.mulf %p, %s : f32
        linalg.yield %q : f32
      } -> tensor<?x32xf32>
      scf.forall.in_parallel {
        tensor.parallel_insert_slice %y into %c[%i, 0] [%m, 32] [1, 1] : tensor<?x32xf32> into tensor<?x32xf32>
      }
    }
    %d = bufferization.materialize_in_destination %r in %o : (tensor<?x32xf32>, tensor<?x32xf32>) -> tensor<?x32xf32>
    return %d : tensor<?x32xf32>
  }
}

// A result with another order of axes, two results, positions, a number of the kernel.
// CHECK-LABEL: func @results
// CHECK-SAME: (%[[X:.*]]: memref<8x4xf32>, %[[O:.*]]: memref<4x8xf32>, %[[P:.*]]: memref<8x4xf32>, %[[N:.*]]: index)
// CHECK: %[[J:.*]] = tile.index axis 1 : tensor<8x4xindex>
// CHECK: %[[NS:.*]] = tile.broadcast %[[N]] along [0, 1] : index -> tensor<8x4xindex>
// CHECK: %[[IN:.*]] = arith.cmpi slt, %[[J]], %[[NS]] : tensor<8x4xindex>
// CHECK: %[[T:.*]] = tile.load %[[X]][0, 0] dims [0, 1]
// CHECK: %[[Y:.*]] = arith.select %[[IN]], %[[T]], %{{.*}} : tensor<8x4xi1>, tensor<8x4xf32>
// CHECK: %[[TURNED:.*]] = tile.transpose %[[Y]] [1, 0] : tensor<8x4xf32> -> tensor<4x8xf32>
// CHECK: %[[E:.*]] = math.exp %[[T]] : tensor<8x4xf32>
// CHECK: tile.store %[[TURNED]], %[[O]][0, 0] dims [0, 1] : tensor<4x8xf32>, memref<4x8xf32>
// CHECK: tile.store %[[E]], %[[P]][0, 0] dims [0, 1] : tensor<8x4xf32>, memref<8x4xf32>
module @results attributes {program.kernel} {
  func.func @results(%x: tensor<8x4xf32> {bufferization.writable = false}, %o: tensor<4x8xf32>, %p: tensor<8x4xf32>, %n: index)
      -> (tensor<4x8xf32>, tensor<8x4xf32>) {
    %zero = arith.constant 0.0 : f32
    %e = tensor.empty() : tensor<4x8xf32>
    %f = tensor.empty() : tensor<8x4xf32>
    %y:2 = linalg.generic {indexing_maps = [#ij, #ji, #ij], iterator_types = ["parallel", "parallel"]}
        ins(%x : tensor<8x4xf32>) outs(%e, %f : tensor<4x8xf32>, tensor<8x4xf32>) {
    ^bb0(%a: f32, %u: f32, %v: f32):
      %j = linalg.index 1 : index
      %in = arith.cmpi slt, %j, %n : index
      %s = arith.select %in, %a, %zero : f32
      %q = math.exp %a : f32
      linalg.yield %s, %q : f32, f32
    } -> (tensor<4x8xf32>, tensor<8x4xf32>)
    %d = bufferization.materialize_in_destination %y#0 in %o : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
    %g = bufferization.materialize_in_destination %y#1 in %p : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
    return %d, %g : tensor<4x8xf32>, tensor<8x4xf32>
  }
}

// What a sum or maximum runs over is masked where it is padded, with the number
// that does not count; what lies beside it is not.
// CHECK-LABEL: func @reductions
// CHECK-SAME: (%[[X:.*]]: memref<?x?xf32>, {{.*}}, %[[N:.*]]: index, %[[K:.*]]: index)
// CHECK-DAG: %[[ONES:.*]] = arith.constant dense<1.000000e+00> : tensor<64x64xf32>
// CHECK-DAG: %[[INFS:.*]] = arith.constant dense<0x7F800000> : tensor<64x64xf32>
// CHECK-DAG: %[[NEGINFS:.*]] = arith.constant dense<0xFF800000> : tensor<64x64xf32>
// CHECK-DAG: %[[ZEROS:.*]] = arith.constant dense<0.000000e+00> : tensor<64x64xf32>
// CHECK-DAG: %[[R:.*]] = affine.min #{{.*}}()[%[[N]]]
// CHECK-DAG: %[[M:.*]] = affine.min #{{.*}}()[%[[K]]]
// CHECK: %[[T:.*]] = tile.load %[[X]][0, 0] dims [0, 1] valid [%[[R]], %[[M]]] : memref<?x?xf32> -> tensor<64x64xf32>
// CHECK: %[[E:.*]] = math.exp %[[T]]
// CHECK: %[[AXIS:.*]] = tile.index axis 1 : tensor<64x64xindex>
// CHECK: %[[LIMIT:.*]] = tile.broadcast %[[M]] along [0, 1] : index -> tensor<64x64xindex>
// CHECK: %[[IN:.*]] = arith.cmpi slt, %[[AXIS]], %[[LIMIT]] : tensor<64x64xindex>
// CHECK: %[[S:.*]] = arith.select %[[IN]], %[[E]], %[[ZEROS]]
// CHECK: %[[SUM:.*]] = tile.reduce sum %[[S]], %{{.*}} axis 1 : tensor<64x64xf32> into tensor<64xf32>
// CHECK: tile.store %[[SUM]], %{{.*}}[0] dims [0] valid [%{{.*}}]
// CHECK: %[[S:.*]] = arith.select %[[IN]], %[[E]], %[[NEGINFS]]
// CHECK: tile.reduce maxnum %[[S]], %{{.*}} axis 1
// CHECK: tile.reduce maximum %[[S]], %{{.*}} axis 1
// CHECK: %[[S:.*]] = arith.select %[[IN]], %[[E]], %[[INFS]]
// CHECK: tile.reduce minimum %[[S]], %{{.*}} axis 1
// CHECK: %[[S:.*]] = arith.select %[[IN]], %[[E]], %[[ONES]]
// CHECK: tile.reduce product %[[S]], %{{.*}} axis 1
module @reductions attributes {program.kernel} {
  func.func @reductions(%x: tensor<?x?xf32> {bufferization.writable = false}, %o0: tensor<?xf32>, %o1: tensor<?xf32>, %o2: tensor<?xf32>,
                        %o3: tensor<?xf32>, %o4: tensor<?xf32>, %n: index, %k: index)
      -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>) {
    %r = affine.min #most()[%n]
    %m = affine.min #most()[%k]
    %start = arith.constant 3.0 : f32
    %xs = tensor.extract_slice %x[0, 0] [%r, %m] [1, 1] : tensor<?x?xf32> to tensor<?x?xf32>
    %e = tensor.empty(%r, %m) : tensor<?x?xf32>
    %y = linalg.exp ins(%xs : tensor<?x?xf32>) outs(%e : tensor<?x?xf32>) -> tensor<?x?xf32>
    %f = tensor.empty(%r) : tensor<?xf32>
    %g = linalg.fill ins(%start : f32) outs(%f : tensor<?xf32>) -> tensor<?xf32>
    %sum = linalg.generic {indexing_maps = [#ij, #i], iterator_types = ["parallel", "reduction"]}
        ins(%y : tensor<?x?xf32>) outs(%g : tensor<?xf32>) {
    ^bb0(%a: f32, %u: f32):
      %q = arith.addf %u, %a : f32
      linalg.yield %q : f32
    } -> tensor<?xf32>
    %d0 = bufferization.materialize_in_destination %sum in %o0 : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
    %maxnum = linalg.generic {indexing_maps = [#ij, #i], iterator_types = ["parallel", "reduction"]}
        ins(%y : tensor<?x?xf32>) outs(%g : tensor<?xf32>) {
    ^bb0(%a: f32, %u: f32):
      %c = arith.cmpf ogt, %a, %u : f32
      %q = arith.select %c, %a, %u : f32
      linalg.yield %q : f32
    } -> tensor<?xf32>
    %d1 = bufferization.materialize_in_destination %maxnum in %o1 : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
    %maximum = linalg.generic {indexing_maps = [#ij, #i], iterator_types = ["parallel", "reduction"]}
        ins(%y : tensor<?x?xf32>) outs(%g : tensor<?xf32>) {
    ^bb0(%a: f32, %u: f32):
      %q = arith.maximumf %a, %u : f32
      linalg.yield %q : f32
    } -> tensor<?xf32>
    %d2 = bufferization.materialize_in_destination %maximum in %o2 : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
    %minimum = linalg.generic {indexing_maps = [#ij, #i], iterator_types = ["parallel", "reduction"]}
        ins(%y : tensor<?x?xf32>) outs(%g : tensor<?xf32>) {
    ^bb0(%a: f32, %u: f32):
      %q = arith.minimumf %u, %a : f32
      linalg.yield %q : f32
    } -> tensor<?xf32>
    %d3 = bufferization.materialize_in_destination %minimum in %o3 : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
    %product = linalg.generic {indexing_maps = [#ij, #i], iterator_types = ["parallel", "reduction"]}
        ins(%y : tensor<?x?xf32>) outs(%g : tensor<?xf32>) {
    ^bb0(%a: f32, %u: f32):
      %q = arith.mulf %u, %a : f32
      linalg.yield %q : f32
    } -> tensor<?xf32>
    %d4 = bufferization.materialize_in_destination %product in %o4 : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
    return %d0, %d1, %d2, %d3, %d4 : tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>
  }
}

// Two axes become two reductions, the inner one from the neutral element; a sum
// over one element is an addition; a sum over a size that is full has no mask.
// CHECK-LABEL: func @axes
// CHECK-DAG: %[[ZEROS:.*]] = arith.constant dense<0.000000e+00> : tensor<8xf32>
// CHECK: %[[T:.*]] = tile.load %{{.*}}[0, 0, 0] dims [0, 2] : memref<8x1x4xf32> -> tensor<8x4xf32>
// CHECK: %[[I:.*]] = tile.load %[[O:.*]][] dims [] : memref<f32> -> tensor<f32>
// CHECK-NEXT: %[[INNER:.*]] = tile.reduce sum %[[T]], %[[ZEROS]] axis 1 : tensor<8x4xf32> into tensor<8xf32>
// CHECK-NEXT: %[[OUTER:.*]] = tile.reduce sum %[[INNER]], %[[I]] axis 0 : tensor<8xf32> into tensor<f32>
// CHECK-NEXT: tile.store %[[OUTER]], %[[O]][] dims [] : tensor<f32>, memref<f32>
// CHECK-NEXT: %[[T:.*]] = tile.load %{{.*}}[0, 0, 0] dims [0, 2] : memref<8x1x4xf32> -> tensor<8x4xf32>
// CHECK-NEXT: %[[J:.*]] = tile.load %[[P:.*]][0, 0] dims [0, 1] : memref<8x4xf32> -> tensor<8x4xf32>
// CHECK-NEXT: %[[SUM:.*]] = arith.addf %[[J]], %[[T]] : tensor<8x4xf32>
// CHECK-NEXT: tile.store %[[SUM]], %[[P]]
module @axes attributes {program.kernel} {
  func.func @axes(%x: tensor<8x1x4xf32> {bufferization.writable = false}, %o: tensor<f32>, %p: tensor<8x4xf32>) -> (tensor<f32>, tensor<8x4xf32>) {
    %sum = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> ()>],
                           iterator_types = ["reduction", "reduction", "reduction"]}
        ins(%x : tensor<8x1x4xf32>) outs(%o : tensor<f32>) {
    ^bb0(%a: f32, %u: f32):
      %q = arith.addf %u, %a : f32
      linalg.yield %q : f32
    } -> tensor<f32>
    %d = bufferization.materialize_in_destination %sum in %o : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %one = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d2)>],
                           iterator_types = ["parallel", "reduction", "parallel"]}
        ins(%x : tensor<8x1x4xf32>) outs(%p : tensor<8x4xf32>) {
    ^bb0(%a: f32, %u: f32):
      %q = arith.addf %a, %u : f32
      linalg.yield %q : f32
    } -> tensor<8x4xf32>
    %g = bufferization.materialize_in_destination %one in %p : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
    return %d, %g : tensor<f32>, tensor<8x4xf32>
  }
}

// A product over padded tokens: what was computed is masked, in both factors,
// since zero times what stands in the padding need not be zero. A load is padded
// with zeros already.
// CHECK-LABEL: func @padded_product
// CHECK-SAME: (%[[K:.*]]: memref<?x32xf32>, %[[V:.*]]: memref<?x16xf32>, %[[A:.*]]: memref<32x16xf32>, %[[B:.*]]: memref<32x16xf32>
// CHECK: %[[KT:.*]] = tile.load %[[K]][0, 0] dims [0, 1] valid [%[[M:.*]], 32]
// CHECK: %[[SK:.*]] = math.exp %[[KT]]
// CHECK: %[[VT:.*]] = tile.load %[[V]][0, 0] dims [0, 1] valid [%[[M]], 16]
// CHECK: %[[SV:.*]] = math.exp %[[VT]]
// CHECK: %[[KIN:.*]] = arith.cmpi slt, %{{.*}}, %{{.*}} : tensor<64x32xindex>
// CHECK: %[[KM:.*]] = arith.select %[[KIN]], %[[SK]], %{{.*}} : tensor<64x32xi1>, tensor<64x32xf32>
// CHECK: %[[VIN:.*]] = arith.cmpi slt, %{{.*}}, %{{.*}} : tensor<64x16xindex>
// CHECK: %[[VM:.*]] = arith.select %[[VIN]], %[[SV]], %{{.*}} : tensor<64x16xi1>, tensor<64x16xf32>
// CHECK: tile.dot %[[KM]], %[[VM]], %{{.*}} {transpose_a} : tensor<64x32xf32>, tensor<64x16xf32> into tensor<32x16xf32>
// CHECK: tile.dot %[[KT]], %[[VT]], %{{.*}} {transpose_a} : tensor<64x32xf32>, tensor<64x16xf32> into tensor<32x16xf32>
module @padded_product attributes {program.kernel} {
  func.func @padded_product(%k: tensor<?x32xf32> {bufferization.writable = false}, %v: tensor<?x16xf32> {bufferization.writable = false},
                            %o: tensor<32x16xf32>, %p: tensor<32x16xf32>, %n: index) -> (tensor<32x16xf32>, tensor<32x16xf32>) {
    %zero = arith.constant 0.0 : f32
    %m = affine.min #most()[%n]
    %ks = tensor.extract_slice %k[0, 0] [%m, 32] [1, 1] : tensor<?x32xf32> to tensor<?x32xf32>
    %vs = tensor.extract_slice %v[0, 0] [%m, 16] [1, 1] : tensor<?x16xf32> to tensor<?x16xf32>
    %ke = tensor.empty(%m) : tensor<?x32xf32>
    %ve = tensor.empty(%m) : tensor<?x16xf32>
    %sk = linalg.exp ins(%ks : tensor<?x32xf32>) outs(%ke : tensor<?x32xf32>) -> tensor<?x32xf32>
    %sv = linalg.exp ins(%vs : tensor<?x16xf32>) outs(%ve : tensor<?x16xf32>) -> tensor<?x16xf32>
    %e = tensor.empty() : tensor<32x16xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<32x16xf32>) -> tensor<32x16xf32>
    %y = linalg.generic {indexing_maps = [#km, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%sk, %sv : tensor<?x32xf32>, tensor<?x16xf32>) outs(%f : tensor<32x16xf32>) {
    ^bb0(%a: f32, %b: f32, %u: f32):
      %q = arith.mulf %a, %b : f32
      %s = arith.addf %u, %q : f32
      linalg.yield %s : f32
    } -> tensor<32x16xf32>
    %z = linalg.generic {indexing_maps = [#km, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%ks, %vs : tensor<?x32xf32>, tensor<?x16xf32>) outs(%f : tensor<32x16xf32>) {
    ^bb0(%a: f32, %b: f32, %u: f32):
      %q = arith.mulf %a, %b : f32
      %s = arith.addf %u, %q : f32
      linalg.yield %s : f32
    } -> tensor<32x16xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<32x16xf32>, tensor<32x16xf32>) -> tensor<32x16xf32>
    %g = bufferization.materialize_in_destination %z in %p : (tensor<32x16xf32>, tensor<32x16xf32>) -> tensor<32x16xf32>
    return %d, %g : tensor<32x16xf32>, tensor<32x16xf32>
  }
}

// Rows of the result that are padding are not stored; the sum is full: no mask.
// CHECK-LABEL: func @padded_rows
// CHECK-NOT: arith.select
// CHECK: %[[E:.*]] = math.exp
// CHECK: %[[Y:.*]] = tile.dot %[[E]], %{{.*}}, %{{.*}} : tensor<64x32xf32>, tensor<32x16xf32> into tensor<64x16xf32>
// CHECK: tile.store %[[Y]], %{{.*}}[0, 0] dims [0, 1] valid [%{{.*}}, 16]
module @padded_rows attributes {program.kernel} {
  func.func @padded_rows(%x: tensor<?x32xf32> {bufferization.writable = false}, %w: tensor<32x16xf32> {bufferization.writable = false},
                         %o: tensor<?x16xf32>, %n: index) -> tensor<?x16xf32> {
    %zero = arith.constant 0.0 : f32
    %m = affine.min #most()[%n]
    %xs = tensor.extract_slice %x[0, 0] [%m, 32] [1, 1] : tensor<?x32xf32> to tensor<?x32xf32>
    %xe = tensor.empty(%m) : tensor<?x32xf32>
    %sx = linalg.exp ins(%xs : tensor<?x32xf32>) outs(%xe : tensor<?x32xf32>) -> tensor<?x32xf32>
    %e = tensor.empty(%m) : tensor<?x16xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x16xf32>) -> tensor<?x16xf32>
    %y = linalg.matmul ins(%sx, %w : tensor<?x32xf32>, tensor<32x16xf32>) outs(%f : tensor<?x16xf32>) -> tensor<?x16xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<?x16xf32>, tensor<?x16xf32>) -> tensor<?x16xf32>
    return %d : tensor<?x16xf32>
  }
}

// Products in all orders. Every size is different.
// CHECK-LABEL: func @products
// CHECK-SAME: (%[[MK:.*]]: memref<2x3xf32>, %[[KM:.*]]: memref<3x2xf32>, %[[KN:.*]]: memref<3x5xf32>, %[[NK:.*]]: memref<5x3xf32>, %[[O:.*]]: memref<2x5xf32>, %[[P:.*]]: memref<5x2xf32>)
// CHECK: %[[A:.*]] = tile.load %[[MK]]
// CHECK: %[[B:.*]] = tile.load %[[KN]]
// CHECK: %[[Y0:.*]] = tile.dot %[[A]], %[[B]], %{{.*}} : tensor<2x3xf32>, tensor<3x5xf32> into tensor<2x5xf32>
// CHECK: %[[AT:.*]] = tile.load %[[KM]]
// CHECK: %[[Y1:.*]] = tile.dot %[[AT]], %[[B]], %[[Y0]] {transpose_a} :
// CHECK: %[[BT:.*]] = tile.load %[[NK]]
// CHECK: %[[Y2:.*]] = tile.dot %[[A]], %[[BT]], %[[Y1]] {transpose_b} :
// CHECK: %[[Y3:.*]] = tile.dot %[[AT]], %[[BT]], %[[Y2]] {transpose_a, transpose_b} :
// The factors in the other order, and in the body.
// CHECK: %[[Y4:.*]] = tile.dot %[[A]], %[[B]], %[[Y3]] : tensor<2x3xf32>, tensor<3x5xf32> into tensor<2x5xf32>
// CHECK: %[[Y5:.*]] = tile.dot %[[AT]], %[[BT]], %[[Y4]] {transpose_a, transpose_b} :
// The result transposed: the factors change places.
// CHECK: %[[Z:.*]] = tile.dot %[[B]], %[[A]], %{{.*}} {transpose_a, transpose_b} : tensor<3x5xf32>, tensor<2x3xf32> into tensor<5x2xf32>
// CHECK: tile.store %[[Y5]], %[[O]]
// CHECK: tile.store %[[Z]], %[[P]]
module @products attributes {program.kernel} {
  func.func @products(%mk: tensor<2x3xf32> {bufferization.writable = false}, %km: tensor<3x2xf32> {bufferization.writable = false},
                      %kn: tensor<3x5xf32> {bufferization.writable = false}, %nk: tensor<5x3xf32> {bufferization.writable = false},
                      %o: tensor<2x5xf32>, %p: tensor<5x2xf32>) -> (tensor<2x5xf32>, tensor<5x2xf32>) {
    %zero = arith.constant 0.0 : f32
    %e = tensor.empty() : tensor<2x5xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x5xf32>) -> tensor<2x5xf32>
    %0 = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%mk, %kn : tensor<2x3xf32>, tensor<3x5xf32>) outs(%f : tensor<2x5xf32>) {
    ^bb0(%a: f32, %b: f32, %u: f32):
      %q = arith.mulf %a, %b : f32
      %s = arith.addf %u, %q : f32
      linalg.yield %s : f32
    } -> tensor<2x5xf32>
    %1 = linalg.generic {indexing_maps = [#km, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%km, %kn : tensor<3x2xf32>, tensor<3x5xf32>) outs(%0 : tensor<2x5xf32>) {
    ^bb0(%a: f32, %b: f32, %u: f32):
      %q = arith.mulf %a, %b : f32
      %s = arith.addf %u, %q : f32
      linalg.yield %s : f32
    } -> tensor<2x5xf32>
    %2 = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%mk, %nk : tensor<2x3xf32>, tensor<5x3xf32>) outs(%1 : tensor<2x5xf32>) {
    ^bb0(%a: f32, %b: f32, %u: f32):
      %q = arith.mulf %a, %b : f32
      %s = arith.addf %u, %q : f32
      linalg.yield %s : f32
    } -> tensor<2x5xf32>
    %3 = linalg.generic {indexing_maps = [#km, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%km, %nk : tensor<3x2xf32>, tensor<5x3xf32>) outs(%2 : tensor<2x5xf32>) {
    ^bb0(%a: f32, %b: f32, %u: f32):
      %q = arith.mulf %a, %b : f32
      %s = arith.addf %u, %q : f32
      linalg.yield %s : f32
    } -> tensor<2x5xf32>
    %4 = linalg.generic {indexing_maps = [#kn, #mk, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%kn, %mk : tensor<3x5xf32>, tensor<2x3xf32>) outs(%3 : tensor<2x5xf32>) {
    ^bb0(%a: f32, %b: f32, %u: f32):
      %q = arith.mulf %a, %b : f32
      %s = arith.addf %u, %q : f32
      linalg.yield %s : f32
    } -> tensor<2x5xf32>
    %5 = linalg.generic {indexing_maps = [#km, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%km, %nk : tensor<3x2xf32>, tensor<5x3xf32>) outs(%4 : tensor<2x5xf32>) {
    ^bb0(%a: f32, %b: f32, %u: f32):
      %q = arith.mulf %b, %a : f32
      %s = arith.addf %q, %u : f32
      linalg.yield %s : f32
    } -> tensor<2x5xf32>
    %g = tensor.empty() : tensor<5x2xf32>
    %h = linalg.fill ins(%zero : f32) outs(%g : tensor<5x2xf32>) -> tensor<5x2xf32>
    %z = linalg.generic {indexing_maps = [#mk, #kn, #nm], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%mk, %kn : tensor<2x3xf32>, tensor<3x5xf32>) outs(%h : tensor<5x2xf32>) {
    ^bb0(%a: f32, %b: f32, %u: f32):
      %q = arith.mulf %a, %b : f32
      %s = arith.addf %u, %q : f32
      linalg.yield %s : f32
    } -> tensor<5x2xf32>
    %d = bufferization.materialize_in_destination %5 in %o : (tensor<2x5xf32>, tensor<2x5xf32>) -> tensor<2x5xf32>
    %i = bufferization.materialize_in_destination %z in %p : (tensor<5x2xf32>, tensor<5x2xf32>) -> tensor<5x2xf32>
    return %d, %i : tensor<2x5xf32>, tensor<5x2xf32>
  }
}

// The matrix has the result's axis, so it comes first.
// CHECK-LABEL: func @vectors
// CHECK: %[[A:.*]] = tile.load %{{.*}}: memref<2x3xf32>
// CHECK: %[[X:.*]] = tile.load %{{.*}}: memref<3xf32>
// CHECK: tile.dot %[[A]], %[[X]], %{{.*}} : tensor<2x3xf32>, tensor<3xf32> into tensor<2xf32>
// CHECK: %[[Y:.*]] = tile.load %{{.*}}: memref<2xf32>
// CHECK: tile.dot %[[A]], %[[Y]], %{{.*}} {transpose_a} : tensor<2x3xf32>, tensor<2xf32> into tensor<3xf32>
// Two vectors make no product of matrices.
// CHECK: %[[P:.*]] = arith.mulf %[[X]], %[[X]] : tensor<3xf32>
// CHECK: tile.reduce sum %[[P]], %{{.*}} axis 0 : tensor<3xf32> into tensor<f32>
module @vectors attributes {program.kernel} {
  func.func @vectors(%m: tensor<2x3xf32> {bufferization.writable = false}, %x: tensor<3xf32> {bufferization.writable = false},
                     %y: tensor<2xf32> {bufferization.writable = false}, %o: tensor<2xf32>, %p: tensor<3xf32>, %r: tensor<f32>)
      -> (tensor<2xf32>, tensor<3xf32>, tensor<f32>) {
    %0 = linalg.matvec ins(%m, %x : tensor<2x3xf32>, tensor<3xf32>) outs(%o : tensor<2xf32>) -> tensor<2xf32>
    %1 = linalg.vecmat ins(%y, %m : tensor<2xf32>, tensor<2x3xf32>) outs(%p : tensor<3xf32>) -> tensor<3xf32>
    %2 = linalg.dot ins(%x, %x : tensor<3xf32>, tensor<3xf32>) outs(%r : tensor<f32>) -> tensor<f32>
    %d = bufferization.materialize_in_destination %0 in %o : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    %e = bufferization.materialize_in_destination %1 in %p : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    %f = bufferization.materialize_in_destination %2 in %r : (tensor<f32>, tensor<f32>) -> tensor<f32>
    return %d, %e, %f : tensor<2xf32>, tensor<3xf32>, tensor<f32>
  }
}

// 16-bit factors go into the product as they are. One head of a batch is a
// product of matrices: dimensions of size 1 are none.
// CHECK-LABEL: func @wide
// CHECK-NOT: arith.extf
// CHECK: %[[A:.*]] = tile.load %{{.*}}[0, %[[H:.*]], 0, 0] dims [2, 3] : memref<1x4x8x16xbf16> -> tensor<8x16xbf16>
// CHECK: %[[B:.*]] = tile.load %{{.*}}[0, %[[H]], 0, 0] dims [2, 3] : memref<1x4x8x16xbf16> -> tensor<8x16xbf16>
// CHECK: %[[Y:.*]] = tile.dot %[[A]], %[[B]], %{{.*}} {transpose_b} : tensor<8x16xbf16>, tensor<8x16xbf16> into tensor<8x8xf32>
// CHECK: tile.store %[[Y]], %{{.*}}[0, %[[H]], 0, 0] dims [2, 3] : tensor<8x8xf32>, memref<1x4x8x8xf32>
module @wide attributes {program.kernel} {
  func.func @wide(%q: tensor<1x4x8x16xbf16> {bufferization.writable = false}, %k: tensor<1x4x8x16xbf16> {bufferization.writable = false},
                  %o: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
    %zero = arith.constant 0.0 : f32
    %e = tensor.empty() : tensor<1x4x8x8xf32>
    %r = scf.forall (%h) in (4) shared_outs(%c = %e) -> (tensor<1x4x8x8xf32>) {
      %qs = tensor.extract_slice %q[0, %h, 0, 0] [1, 1, 8, 16] [1, 1, 1, 1] : tensor<1x4x8x16xbf16> to tensor<1x1x8x16xbf16>
      %ks = tensor.extract_slice %k[0, %h, 0, 0] [1, 1, 8, 16] [1, 1, 1, 1] : tensor<1x4x8x16xbf16> to tensor<1x1x8x16xbf16>
      %f = tensor.empty() : tensor<1x1x8x8xf32>
      %g = linalg.fill ins(%zero : f32) outs(%f : tensor<1x1x8x8xf32>) -> tensor<1x1x8x8xf32>
      %y = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d4)>,
                                            affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>],
                           iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
          ins(%qs, %ks : tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>) outs(%g : tensor<1x1x8x8xf32>) {
      ^bb0(%a: bf16, %b: bf16, %u: f32):
        %aw = arith.extf %a : bf16 to f32
        %bw = arith.extf %b : bf16 to f32
        %p = arith.mulf %aw, %bw : f32
        %s = arith.addf %u, %p : f32
        linalg.yield %s : f32
      } -> tensor<1x1x8x8xf32>
      scf.forall.in_parallel {
        tensor.parallel_insert_slice %y into %c[0, %h, 0, 0] [1, 1, 8, 8] [1, 1, 1, 1] : tensor<1x1x8x8xf32> into tensor<1x4x8x8xf32>
      }
    }
    %d = bufferization.materialize_in_destination %r in %o : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
    return %d : tensor<1x4x8x8xf32>
  }
}

// Of one element in all, a tile has rank 0.
// CHECK-LABEL: func @rank0
// CHECK: %[[B:.*]] = tile.load %{{.*}}[%[[H:.*]]] dims [] : memref<4xf32> -> tensor<f32>
// CHECK-NEXT: %[[E:.*]] = math.exp %[[B]] : tensor<f32>
// CHECK-NEXT: tile.store %[[E]], %{{.*}}[0, %[[H]]] dims [] : tensor<f32>, memref<1x4xf32>
module @rank0 attributes {program.kernel} {
  func.func @rank0(%b: tensor<4xf32> {bufferization.writable = false}, %o: tensor<1x4xf32>) -> tensor<1x4xf32> {
    %e = tensor.empty() : tensor<1x4xf32>
    %r = scf.forall (%h) in (4) shared_outs(%c = %e) -> (tensor<1x4xf32>) {
      %bs = tensor.extract_slice %b[%h] [1] [1] : tensor<4xf32> to tensor<1xf32>
      %f = tensor.empty() : tensor<1xf32>
      %y = linalg.exp ins(%bs : tensor<1xf32>) outs(%f : tensor<1xf32>) -> tensor<1xf32>
      scf.forall.in_parallel {
        tensor.parallel_insert_slice %y into %c[0, %h] [1, 1] [1, 1] : tensor<1xf32> into tensor<1x4xf32>
      }
    }
    %d = bufferization.materialize_in_destination %r in %o : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
    return %d : tensor<1x4xf32>
  }
}

// A loop over blocks of keys carries tiles. Its start is the same everywhere.
// CHECK-LABEL: func @carried
// CHECK-SAME: (%[[X:.*]]: memref<?x32xf32>, %[[O:.*]]: memref<32xf32>, %[[N:.*]]: index)
// CHECK-DAG: %[[START:.*]] = arith.constant dense<0.000000e+00> : tensor<32xf32>
// CHECK: %[[SUM:.*]] = scf.for %[[I:.*]] = %{{.*}} to %[[N]] step %{{.*}} iter_args(%[[ACC:.*]] = %[[START]]) -> (tensor<32xf32>) {
// CHECK:   %[[M:.*]] = affine.min
// CHECK:   %[[T:.*]] = tile.load %[[X]][%[[I]], 0] dims [0, 1] valid [%[[M]], 32]
// CHECK:   %[[S:.*]] = arith.select %{{.*}}, %[[T]],
// CHECK:   %[[NEXT:.*]] = tile.reduce sum %[[S]], %[[ACC]] axis 0 : tensor<64x32xf32> into tensor<32xf32>
// CHECK:   scf.yield %[[NEXT]] : tensor<32xf32>
// CHECK: tile.store %[[SUM]], %[[O]][0] dims [0] : tensor<32xf32>, memref<32xf32>
module @carried attributes {program.kernel} {
  func.func @carried(%x: tensor<?x32xf32> {bufferization.writable = false}, %o: tensor<32xf32>, %n: index) -> tensor<32xf32> {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %zero = arith.constant 0.0 : f32
    %e = tensor.empty() : tensor<32xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<32xf32>) -> tensor<32xf32>
    %r = scf.for %i = %c0 to %n step %c64 iter_args(%acc = %f) -> (tensor<32xf32>) {
      %m = affine.min #block(%i)[%n]
      %xs = tensor.extract_slice %x[%i, 0] [%m, 32] [1, 1] : tensor<?x32xf32> to tensor<?x32xf32>
      %y = linalg.generic {indexing_maps = [#ij, #j], iterator_types = ["reduction", "parallel"]}
          ins(%xs : tensor<?x32xf32>) outs(%acc : tensor<32xf32>) {
      ^bb0(%a: f32, %u: f32):
        %q = arith.addf %u, %a : f32
        linalg.yield %q : f32
      } -> tensor<32xf32>
      scf.yield %y : tensor<32xf32>
    }
    %d = bufferization.materialize_in_destination %r in %o : (tensor<32xf32>, tensor<32xf32>) -> tensor<32xf32>
    return %d : tensor<32xf32>
  }
}

// A loop that inserts into an output carries nothing for it: it stores. The
// state beside it is a tile.
// CHECK-LABEL: func @inserted
// CHECK-SAME: (%[[X:.*]]: memref<?x32xf32>, %[[O:.*]]: memref<?x32xf32>, %[[P:.*]]: memref<32xf32>, %[[N:.*]]: index)
// CHECK: %[[LAST:.*]] = scf.for %[[I:.*]] = %{{.*}} to %[[N]] step %{{.*}} iter_args(%[[ACC:.*]] = %{{.*}}) -> (tensor<32xf32>) {
// CHECK-NEXT: tile.store %[[ACC]], %[[O]][%[[I]], 0] dims [1] : tensor<32xf32>, memref<?x32xf32>
// CHECK-NEXT: %[[T:.*]] = tile.load %[[X]][%[[I]], 0] dims [1] : memref<?x32xf32> -> tensor<32xf32>
// CHECK-NEXT: %[[NEXT:.*]] = arith.addf %[[ACC]], %[[T]] : tensor<32xf32>
// CHECK-NEXT: scf.yield %[[NEXT]] : tensor<32xf32>
// CHECK: tile.store %[[LAST]], %[[P]]
module @inserted attributes {program.kernel} {
  func.func @inserted(%x: tensor<?x32xf32> {bufferization.writable = false}, %o: tensor<?x32xf32>, %p: tensor<32xf32>, %n: index)
      -> (tensor<?x32xf32>, tensor<32xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %zero = arith.constant 0.0 : f32
    %e = tensor.empty(%n) : tensor<?x32xf32>
    %f = tensor.empty() : tensor<32xf32>
    %g = linalg.fill ins(%zero : f32) outs(%f : tensor<32xf32>) -> tensor<32xf32>
    %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%stack = %e, %acc = %g) -> (tensor<?x32xf32>, tensor<32xf32>) {
      %before = tensor.insert_slice %acc into %stack[%i, 0] [1, 32] [1, 1] : tensor<32xf32> into tensor<?x32xf32>
      %xs = tensor.extract_slice %x[%i, 0] [1, 32] [1, 1] : tensor<?x32xf32> to tensor<32xf32>
      %y = linalg.add ins(%acc, %xs : tensor<32xf32>, tensor<32xf32>) outs(%f : tensor<32xf32>) -> tensor<32xf32>
      scf.yield %before, %y : tensor<?x32xf32>, tensor<32xf32>
    }
    %d = bufferization.materialize_in_destination %r#0 in %o : (tensor<?x32xf32>, tensor<?x32xf32>) -> tensor<?x32xf32>
    %h = bufferization.materialize_in_destination %r#1 in %p : (tensor<32xf32>, tensor<32xf32>) -> tensor<32xf32>
    return %d, %h : tensor<?x32xf32>, tensor<32xf32>
  }
}

// Segments, and in each blocks of tokens; the input seen as heads. Both loops
// write where it is to be: segment, head, and token in one offset each.
// CHECK-LABEL: func @nested
// CHECK-SAME: (%[[X:.*]]: memref<?x128xf32>, %[[O:.*]]: memref<?x1x4x128x32xf32>, %[[T:.*]]: index, %[[S:.*]]: index, %[[FIRST:.*]]: index)
// CHECK: %[[HEADS:.*]] = memref.expand_shape %[[X]] {{\[\[}}0], [1, 2]] output_shape [%[[T]], 4, 32] : memref<?x128xf32> into memref<?x4x32xf32>
// CHECK-NEXT: scf.forall (%[[I:.*]]) in (%[[S]]) {
// CHECK-NEXT:   scf.forall (%[[H:.*]], %[[L:.*]]) = (0, 0) to (4, 128) step (1, 64) {
// CHECK-NEXT:     %[[AT:.*]] = affine.apply #{{.*}}(%[[L]], %[[I]])[%[[FIRST]]]
// CHECK-NEXT:     %[[TILE:.*]] = tile.load %[[HEADS]][%[[AT]], %[[H]], 0] dims [0, 2] : memref<?x4x32xf32> -> tensor<64x32xf32>
// CHECK-NEXT:     tile.store %[[TILE]], %[[O]][%[[I]], 0, %[[H]], %[[L]], 0] dims [3, 4] : tensor<64x32xf32>, memref<?x1x4x128x32xf32>
module @nested attributes {program.kernel} {
  func.func @nested(%x: tensor<?x128xf32> {bufferization.writable = false}, %o: tensor<?x1x4x128x32xf32>, %t: index, %s: index, %first: index)
      -> tensor<?x1x4x128x32xf32> {
    %heads = tensor.expand_shape %x [[0], [1, 2]] output_shape [%t, 4, 32] : tensor<?x128xf32> into tensor<?x4x32xf32>
    %e = tensor.empty() : tensor<1x4x128x32xf32>
    %f = tensor.empty(%s) : tensor<?x1x4x128x32xf32>
    %r = scf.forall (%i) in (%s) shared_outs(%c = %f) -> (tensor<?x1x4x128x32xf32>) {
      %at = affine.apply #segment(%i)[%first]
      %xs = tensor.extract_slice %heads[%at, 0, 0] [128, 4, 32] [1, 1, 1] : tensor<?x4x32xf32> to tensor<128x4x32xf32>
      %y = scf.forall (%h, %l) = (0, 0) to (4, 128) step (1, 64) shared_outs(%b = %e) -> (tensor<1x4x128x32xf32>) {
        %xb = tensor.extract_slice %xs[%l, %h, 0] [64, 1, 32] [1, 1, 1] : tensor<128x4x32xf32> to tensor<64x1x32xf32>
        %bs = tensor.extract_slice %b[0, %h, %l, 0] [1, 1, 64, 32] [1, 1, 1, 1] : tensor<1x4x128x32xf32> to tensor<1x1x64x32xf32>
        %z = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d2, d1, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>],
                             iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
            ins(%xb : tensor<64x1x32xf32>) outs(%bs : tensor<1x1x64x32xf32>) {
        ^bb0(%a: f32, %u: f32):
          linalg.yield %a : f32
        } -> tensor<1x1x64x32xf32>
        scf.forall.in_parallel {
          tensor.parallel_insert_slice %z into %b[0, %h, %l, 0] [1, 1, 64, 32] [1, 1, 1, 1] : tensor<1x1x64x32xf32> into tensor<1x4x128x32xf32>
        }
      }
      scf.forall.in_parallel {
        tensor.parallel_insert_slice %y into %c[%i, 0, 0, 0, 0] [1, 1, 4, 128, 32] [1, 1, 1, 1, 1] : tensor<1x4x128x32xf32> into tensor<?x1x4x128x32xf32>
      }
    }
    %d = bufferization.materialize_in_destination %r in %o : (tensor<?x1x4x128x32xf32>, tensor<?x1x4x128x32xf32>) -> tensor<?x1x4x128x32xf32>
    return %d : tensor<?x1x4x128x32xf32>
  }
}

// The other way round: dimensions of a buffer joined.
// CHECK-LABEL: func @joined
// CHECK-SAME: (%[[X:.*]]: memref<8x4x16xf32>, %[[O:.*]]: memref<8x64xf32>)
// CHECK: %[[J:.*]] = memref.collapse_shape %[[X]] {{\[\[}}0], [1, 2]] : memref<8x4x16xf32> into memref<8x64xf32>
// CHECK: %[[T:.*]] = tile.load %[[J]][0, 0] dims [0, 1] : memref<8x64xf32> -> tensor<8x64xf32>
// CHECK: tile.store %[[T]], %[[O]]
module @joined attributes {program.kernel} {
  func.func @joined(%x: tensor<8x4x16xf32> {bufferization.writable = false}, %o: tensor<8x64xf32>) -> tensor<8x64xf32> {
    %c = tensor.collapse_shape %x [[0], [1, 2]] : tensor<8x4x16xf32> into tensor<8x64xf32>
    %d = bufferization.materialize_in_destination %c in %o : (tensor<8x64xf32>, tensor<8x64xf32>) -> tensor<8x64xf32>
    return %d : tensor<8x64xf32>
  }
}

// A rotation: halves are cut from a tile, and put into one.
// CHECK-LABEL: func @halves
// CHECK: %[[X:.*]] = tile.load %{{.*}}[%[[L:.*]], 0] dims [0, 1] valid [%[[M:.*]], 32] : memref<?x32xf32> -> tensor<64x32xf32>
// CHECK: %[[E:.*]] = math.exp %[[X]] : tensor<64x32xf32>
// CHECK: %[[LOW:.*]] = tensor.extract_slice %[[E]][0, 0] [64, 16] [1, 1] : tensor<64x32xf32> to tensor<64x16xf32>
// CHECK: %[[HIGH:.*]] = tensor.extract_slice %[[E]][0, 16] [64, 16] [1, 1] : tensor<64x32xf32> to tensor<64x16xf32>
// CHECK: %[[C:.*]] = tile.load %{{.*}}[%[[L]], 0] dims [0, 1] valid [%[[M]], 16] : memref<128x16xf32> -> tensor<64x16xf32>
// CHECK: %[[A:.*]] = arith.mulf %[[LOW]], %[[C]] : tensor<64x16xf32>
// CHECK: %[[B:.*]] = arith.mulf %[[HIGH]], %[[C]] : tensor<64x16xf32>
// CHECK: %[[ONE:.*]] = tensor.insert_slice %[[B]] into %{{.*}}[0, 16] [64, 16] [1, 1] : tensor<64x16xf32> into tensor<64x32xf32>
// CHECK: %[[BOTH:.*]] = tensor.insert_slice %[[A]] into %[[ONE]][0, 0] [64, 16] [1, 1] : tensor<64x16xf32> into tensor<64x32xf32>
// CHECK: tile.store %[[BOTH]], %{{.*}}[%[[L]], 0] dims [0, 1] valid [%[[M]], 32]
module @halves attributes {program.kernel} {
  func.func @halves(%x: tensor<?x32xf32> {bufferization.writable = false}, %cos: tensor<128x16xf32> {bufferization.writable = false},
                    %o: tensor<?x32xf32>, %n: index) -> tensor<?x32xf32> {
    %e = tensor.empty(%n) : tensor<?x32xf32>
    %r = scf.forall (%i) = (0) to (%n) step (64) shared_outs(%c = %e) -> (tensor<?x32xf32>) {
      %m = affine.min #block(%i)[%n]
      %xs = tensor.extract_slice %x[%i, 0] [%m, 32] [1, 1] : tensor<?x32xf32> to tensor<?x32xf32>
      %f = tensor.empty(%m) : tensor<?x32xf32>
      %y = linalg.exp ins(%xs : tensor<?x32xf32>) outs(%f : tensor<?x32xf32>) -> tensor<?x32xf32>
      %cs = tensor.extract_slice %cos[%i, 0] [%m, 16] [1, 1] : tensor<128x16xf32> to tensor<?x16xf32>
      %low = tensor.extract_slice %y[0, 0] [%m, 16] [1, 1] : tensor<?x32xf32> to tensor<?x16xf32>
      %high = tensor.extract_slice %y[0, 16] [%m, 16] [1, 1] : tensor<?x32xf32> to tensor<?x16xf32>
      %g = tensor.empty(%m) : tensor<?x16xf32>
      %a = linalg.mul ins(%low, %cs : tensor<?x16xf32>, tensor<?x16xf32>) outs(%g : tensor<?x16xf32>) -> tensor<?x16xf32>
      %b = linalg.mul ins(%high, %cs : tensor<?x16xf32>, tensor<?x16xf32>) outs(%g : tensor<?x16xf32>) -> tensor<?x16xf32>
      %h = tensor.empty(%m) : tensor<?x32xf32>
      %p = tensor.insert_slice %b into %h[0, 16] [%m, 16] [1, 1] : tensor<?x16xf32> into tensor<?x32xf32>
      %q = tensor.insert_slice %a into %p[0, 0] [%m, 16] [1, 1] : tensor<?x16xf32> into tensor<?x32xf32>
      scf.forall.in_parallel {
        tensor.parallel_insert_slice %q into %c[%i, 0] [%m, 32] [1, 1] : tensor<?x32xf32> into tensor<?x32xf32>
      }
    }
    %d = bufferization.materialize_in_destination %r in %o : (tensor<?x32xf32>, tensor<?x32xf32>) -> tensor<?x32xf32>
    return %d : tensor<?x32xf32>
  }
}

// Tensors that are the same everywhere are numbers: in bodies, as results, and
// what a slice of varying size is put into stands behind it.
// CHECK-LABEL: func @uniform
// CHECK-SAME: (%[[X:.*]]: memref<?x4xf32>, %[[O:.*]]: memref<?x4xf32>, %[[P:.*]]: memref<64x4xf32>, %[[Z:.*]]: memref<8xf32>, %[[S:.*]]: index)
// CHECK-DAG: %[[TWOS:.*]] = arith.constant dense<2.000000e+00> : tensor<64x4xf32>
// CHECK-DAG: %[[FIVES:.*]] = arith.constant dense<5.000000e+00> : tensor<8xf32>
// CHECK-DAG: %[[ONES:.*]] = arith.constant dense<1.000000e+00> : tensor<64x4xf32>
// CHECK: %[[M:.*]] = affine.min
// CHECK: %[[T:.*]] = tile.load %[[X]][0, 0] dims [0, 1] valid [%[[M]], 4]
// CHECK: %[[Y:.*]] = arith.mulf %[[T]], %[[TWOS]]
// CHECK: tile.store %[[Y]], %[[O]][0, 0] dims [0, 1] valid [%{{.*}}, 4]
// CHECK: %[[IN:.*]] = arith.cmpi slt
// CHECK: %[[BEHIND:.*]] = arith.select %[[IN]], %[[Y]], %[[ONES]]
// CHECK: tile.store %[[BEHIND]], %[[P]][0, 0] dims [0, 1] : tensor<64x4xf32>, memref<64x4xf32>
// CHECK: tile.store %[[FIVES]], %[[Z]][0] dims [0] : tensor<8xf32>, memref<8xf32>
module @uniform attributes {program.kernel} {
  func.func @uniform(%x: tensor<?x4xf32> {bufferization.writable = false}, %o: tensor<?x4xf32>, %p: tensor<64x4xf32>, %z: tensor<8xf32>, %n: index)
      -> (tensor<?x4xf32>, tensor<64x4xf32>, tensor<8xf32>) {
    %one = arith.constant 1.0 : f32
    %five = arith.constant 5.0 : f32
    %twos = arith.constant dense<2.0> : tensor<4xf32>
    %m = affine.min #most()[%n]
    %xs = tensor.extract_slice %x[0, 0] [%m, 4] [1, 1] : tensor<?x4xf32> to tensor<?x4xf32>
    %e = tensor.empty(%m) : tensor<?x4xf32>
    %y = linalg.generic {indexing_maps = [#ij, #j, #ij], iterator_types = ["parallel", "parallel"]}
        ins(%xs, %twos : tensor<?x4xf32>, tensor<4xf32>) outs(%e : tensor<?x4xf32>) {
    ^bb0(%a: f32, %b: f32, %u: f32):
      %q = arith.mulf %a, %b : f32
      linalg.yield %q : f32
    } -> tensor<?x4xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
    %f = tensor.empty() : tensor<64x4xf32>
    %g = linalg.fill ins(%one : f32) outs(%f : tensor<64x4xf32>) -> tensor<64x4xf32>
    %i = tensor.insert_slice %y into %g[0, 0] [%m, 4] [1, 1] : tensor<?x4xf32> into tensor<64x4xf32>
    %j = bufferization.materialize_in_destination %i in %p : (tensor<64x4xf32>, tensor<64x4xf32>) -> tensor<64x4xf32>
    %h = tensor.empty() : tensor<8xf32>
    %k = linalg.fill ins(%five : f32) outs(%h : tensor<8xf32>) -> tensor<8xf32>
    %l = bufferization.materialize_in_destination %k in %z : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
    return %d, %j, %l : tensor<?x4xf32>, tensor<64x4xf32>, tensor<8xf32>
  }
}

// A result that nobody wants is not stored.
// CHECK-LABEL: func @unused
// CHECK: scf.forall (%[[I:.*]]) in (4) {
// CHECK-NEXT: %[[T:.*]] = tile.load %{{.*}}[%[[I]]] dims [] : memref<4xf32> -> tensor<f32>
// CHECK-NEXT: tile.store %[[T]], %{{.*}}[%[[I]]] dims [] : tensor<f32>, memref<4xf32>
// CHECK-NEXT: }
// CHECK-NEXT: return
module @unused attributes {program.kernel} {
  func.func @unused(%x: tensor<4xf32> {bufferization.writable = false}, %o: tensor<4xf32>) -> tensor<4xf32> {
    %e = tensor.empty() : tensor<4xf32>
    %r:2 = scf.forall (%i) in (4) shared_outs(%c = %e, %b = %e) -> (tensor<4xf32>, tensor<4xf32>) {
      %xs = tensor.extract_slice %x[%i] [1] [1] : tensor<4xf32> to tensor<1xf32>
      scf.forall.in_parallel {
        tensor.parallel_insert_slice %xs into %c[%i] [1] [1] : tensor<1xf32> into tensor<4xf32>
        tensor.parallel_insert_slice %xs into %b[%i] [1] [1] : tensor<1xf32> into tensor<4xf32>
      }
    }
    %d = bufferization.materialize_in_destination %r#0 in %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %d : tensor<4xf32>
  }
}

// Positions, times and plus constants and numbers of the kernel.
// CHECK-LABEL: func @positions
// CHECK-SAME: {{.*}}, %[[N:.*]]: index)
// CHECK: %[[THREES:.*]] = arith.constant dense<3> : tensor<8xindex>
// CHECK: %[[I:.*]] = tile.index axis 0 : tensor<8xindex>
// CHECK: %[[SCALED:.*]] = arith.muli %[[I]], %[[THREES]] : tensor<8xindex>
// CHECK: %[[NS:.*]] = tile.broadcast %[[N]] along [0] : index -> tensor<8xindex>
// CHECK: %[[AT:.*]] = arith.addi %[[SCALED]], %[[NS]] : tensor<8xindex>
// CHECK: arith.index_cast %[[AT]] : tensor<8xindex> to tensor<8xi32>
module @positions attributes {program.kernel} {
  func.func @positions(%o: tensor<8xi32>, %n: index) -> tensor<8xi32> {
    %e = tensor.empty() : tensor<8xi32>
    %y = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%e : tensor<8xi32>) {
    ^bb0(%u: i32):
      %i = linalg.index 0 : index
      %j = affine.apply affine_map<(d0)[s0] -> (d0 * 3 + s0)>(%i)[%n]
      %q = arith.index_cast %j : index to i32
      linalg.yield %q : i32
    } -> tensor<8xi32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<8xi32>, tensor<8xi32>) -> tensor<8xi32>
    return %d : tensor<8xi32>
  }
}
