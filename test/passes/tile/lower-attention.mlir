// RUN: infini-opt %s --infini-lower-attention --canonicalize --cse --split-input-file | FileCheck %s
// RUN: infini-opt %s --infini-lower-attention=key-block=32 --canonicalize --cse --split-input-file | FileCheck %s --check-prefix=BLOCK
// RUN: infini-opt %s --infini-lower-attention --split-input-file | FileCheck %s --check-prefix=GONE

// GONE-NOT: infini.segment_attention

// CHECK-DAG: #[[TRANSPOSE:.*]] = affine_map<(d0, d1) -> (d1, d0)>
// CHECK-DAG: #[[K:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[QT:.*]] = affine_map<(d0, d1, d2) -> (d2, d1)>
// CHECK-DAG: #[[ST:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-DAG: #[[VT:.*]] = affine_map<(d0, d1, d2) -> (d2, d0)>
// CHECK-LABEL: func @causal
// CHECK-SAME: (%[[Q:.*]]: tensor<1x1x?x64xf32>, %[[KEY:.*]]: tensor<1x1x?x64xf32>, %[[V:.*]]: tensor<1x1x?x32xf32>)
func.func @causal(%q: tensor<1x1x?x64xf32>, %k: tensor<1x1x?x64xf32>, %v: tensor<1x1x?x32xf32>) -> tensor<1x1x?x32xf32> {
  // log2(e) / 8
  // CHECK-DAG: %[[SCALE:.*]] = arith.constant 0.180336878 : f32
  // CHECK-DAG: %[[HIDDEN:.*]] = arith.constant 0xFF800000 : f32
  // CHECK-DAG: %[[LOWEST:.*]] = arith.constant -9.99999993E+36 : f32
  // CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
  // CHECK-DAG: %[[C16:.*]] = arith.constant 16 : index
  // CHECK-DAG: %[[C64:.*]] = arith.constant 64 : index
  // Blocks of 16 queries, transposed and scaled, the rest zero.
  // CHECK: scf.for %[[L:[a-z0-9_]+]] = %{{.*}} to %{{.*}} step %[[C16]] iter_args(%[[OUT:[a-z0-9_]+]] =
  // CHECK:   %[[COUNT:.*]] = affine.min
  // CHECK:   %[[QS:.*]] = tensor.extract_slice %[[Q]][0, 0, %[[L]], 0] [1, 1, %[[COUNT]], 64]
  // CHECK:   linalg.generic {indexing_maps = [#[[TRANSPOSE]],
  // CHECK:     arith.mulf %{{.*}}, %[[SCALE]]
  // CHECK:   %[[QUERIES:.*]] = tensor.insert_slice %{{.*}} into %{{.*}}[0, 0] [64, %[[COUNT]]] [1, 1]
  // CHECK-DAG: %[[M0:.*]] = linalg.fill ins(%[[LOWEST]] : f32) outs(%{{.*}} : tensor<16xf32>)
  // CHECK-DAG: %[[L0:.*]] = linalg.fill ins(%[[ZERO]] : f32) outs(%{{.*}} : tensor<16xf32>)
  // CHECK-DAG: %[[O0:.*]] = linalg.fill ins(%[[ZERO]] : f32) outs(%{{.*}} : tensor<32x16xf32>)
  // Keys that every query of the block sees: no mask.
  // CHECK:   %[[SEEN:.*]]:3 = scf.for %[[J:[a-z0-9_]+]] = %{{.*}} to %[[END:.*]] step %[[C64]] iter_args(%[[M:[a-z0-9_]+]] = %[[M0]], %[[SUM:[a-z0-9_]+]] = %[[L0]], %[[OT:[a-z0-9_]+]] = %[[O0]])
  // CHECK:     %[[KS:.*]] = tensor.extract_slice %[[KEY]][0, 0, %[[J]], 0] [1, 1, 64, 64]
  // CHECK:     %[[VS:.*]] = tensor.extract_slice %[[V]][0, 0, %[[J]], 0] [1, 1, 64, 32]
  // CHECK:     %[[S:.*]] = linalg.generic {indexing_maps = [#[[K]], #[[QT]], #[[ST]]], {{.*}}} ins(%[[KS]], %[[QUERIES]] :
  // CHECK-NOT: linalg.index
  // CHECK:     %[[NM:.*]] = linalg.generic {{.*}} ins(%[[S]] : tensor<64x16xf32>) outs(%[[M]] : tensor<16xf32>)
  // CHECK:       arith.cmpf ogt
  // CHECK:     %[[ALPHA:.*]] = linalg.generic {{.*}} ins(%[[M]], %[[NM]] :
  // CHECK:       math.exp2
  // CHECK:     %[[P:.*]] = linalg.generic {{.*}} ins(%[[S]], %[[NM]] :
  // CHECK:       math.exp2
  // CHECK:     %[[SCALED:.*]] = linalg.generic {{.*}} ins(%[[SUM]], %[[ALPHA]] :
  // CHECK:     %[[NSUM:.*]] = linalg.generic {{.*}} ins(%[[P]] : tensor<64x16xf32>) outs(%[[SCALED]] :
  // CHECK:     %[[OS:.*]] = linalg.generic {{.*}} ins(%[[ALPHA]] : tensor<16xf32>) outs(%[[OT]] :
  // CHECK:     %[[NO:.*]] = linalg.generic {indexing_maps = [#[[VT]], #[[QT]], #[[ST]]], {{.*}}} ins(%[[VS]], %[[P]] : {{.*}}) outs(%[[OS]] :
  // CHECK:     scf.yield %[[NM]], %[[NSUM]], %[[NO]]
  // The blocks on the diagonal, with the mask; they may be short.
  // CHECK:   %[[ALL:.*]]:3 = scf.for %{{.*}} = %[[END]] to %{{.*}} step %[[C64]] iter_args(%{{.*}} = %[[SEEN]]#0, %{{.*}} = %[[SEEN]]#1, %{{.*}} = %[[SEEN]]#2)
  // CHECK:     linalg.index 0
  // CHECK:     linalg.index 1
  // CHECK:     %[[VISIBLE:.*]] = arith.cmpi sle
  // CHECK:     arith.select %[[VISIBLE]], %{{.*}}, %[[HIDDEN]]
  // A row without keys is zero, not NaN.
  // CHECK:   %[[EMPTY:.*]] = arith.cmpf oeq, %{{.*}}, %[[ZERO]]
  // CHECK:   arith.divf
  // CHECK:   arith.select %[[EMPTY]], %[[ZERO]], %{{.*}}
  // CHECK:   tensor.insert_slice %{{.*}} into %[[OUT]][0, 0, %[[L]], 0] [1, 1, %[[COUNT]], 32]
  // BLOCK-LABEL: func @causal
  // BLOCK: tensor.extract_slice %{{.*}} [1, 1, 32, 64]
  %o = infini.segment_attention %q, %k, %v
    : (tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x32xf32>) -> tensor<1x1x?x32xf32>
  return %o : tensor<1x1x?x32xf32>
}

// -----

// No mask and whole blocks: one loop. 16-bit types are widened.
// CHECK-LABEL: func @full_static
func.func @full_static(%q: tensor<1x1x64x16xf16>, %k: tensor<1x1x128x16xf16>, %v: tensor<1x1x128x16xf16>) -> tensor<1x1x64x16xf16> {
  // 0.5 · log2(e)
  // CHECK-DAG: arith.constant 0.72134751 : f32
  // CHECK: scf.for
  // CHECK: arith.extf %{{.*}} : f16 to f32
  // CHECK-NOT: arith.cmpi
  // CHECK-NOT: scf.for
  // CHECK: arith.truncf %{{.*}} : f32 to f16
  // CHECK: return
  %o = infini.segment_attention %q, %k, %v {mask = #infini.mask<full>, scale = 0.5 : f64}
    : (tensor<1x1x64x16xf16>, tensor<1x1x128x16xf16>, tensor<1x1x128x16xf16>) -> tensor<1x1x64x16xf16>
  return %o : tensor<1x1x64x16xf16>
}

// -----

// A window begins at the block that holds the first key of the first query; f64 stays f64.
// CHECK-DAG: #[[FIRST:.*]] = affine_map<(d0)[s0] -> (0, d0 + s0 - 99)>
// CHECK-DAG: #[[ALIGN:.*]] = affine_map<(d0) -> ((d0 floordiv 64) * 64)>
// CHECK-LABEL: func @window
// CHECK-SAME: %[[AT:[a-z0-9]+]]: index)
func.func @window(%q: tensor<1x1x?x16xf64>, %k: tensor<1x1x?x16xf64>, %v: tensor<1x1x?x16xf64>, %at: index) -> tensor<1x1x?x16xf64> {
  // CHECK-DAG: %[[C100:.*]] = arith.constant 100 : index
  // CHECK: scf.for %[[L:[a-z0-9_]+]] =
  // CHECK: %[[FROM:.*]] = affine.max #[[FIRST]](%[[L]])[%[[AT]]]
  // CHECK: %[[BEGIN:.*]] = affine.apply #[[ALIGN]](%[[FROM]])
  // CHECK: scf.for %{{.*}} = %[[BEGIN]] to
  // CHECK:   %[[CAUSAL:.*]] = arith.cmpi sle
  // CHECK:   %[[NEAR:.*]] = arith.cmpi slt, %{{.*}}, %[[C100]]
  // CHECK:   arith.andi %[[CAUSAL]], %[[NEAR]]
  // CHECK-NOT: f32
  // CHECK: return
  %o = infini.segment_attention %q, %k, %v query_offset(%at) {mask = #infini.mask<window>, window = 100 : i64}
    : (tensor<1x1x?x16xf64>, tensor<1x1x?x16xf64>, tensor<1x1x?x16xf64>) -> tensor<1x1x?x16xf64>
  return %o : tensor<1x1x?x16xf64>
}

// -----

// More heads, and a bias in base 2. First the keys of the past, which are the
// bias's first columns, then the own ones: nothing is concatenated.
// CHECK-LABEL: func @all_operands
// CHECK-SAME: %[[BIAS:[a-z0-9]+]]: tensor<1x8x1x24xf32>)
func.func @all_operands(%q: tensor<2x8x16x64xbf16>, %k: tensor<2x2x16x64xbf16>, %v: tensor<2x2x16x32xbf16>,
                        %pk: tensor<2x2x8x64xbf16>, %pv: tensor<2x2x8x32xbf16>,
                        %bias: tensor<1x8x1x24xf32>) -> tensor<2x8x16x32xbf16> {
  // CHECK-DAG: %[[LOG2E:.*]] = arith.constant 1.44269502 : f32
  // CHECK-DAG: %[[C4:.*]] = arith.constant 4 : index
  // CHECK: scf.for %[[B:[a-z0-9_]+]] =
  // CHECK: scf.for %[[H:[a-z0-9_]+]] =
  // CHECK: %[[G:.*]] = arith.divui %[[H]], %[[C4]]
  // CHECK-NOT: tensor.concat
  // CHECK: tensor.extract_slice %{{.*}}[%[[B]], %[[G]], 0, 0] [1, 1, 8, 64]
  // CHECK: %[[TERM:.*]] = tensor.extract_slice %[[BIAS]][0, %[[H]], 0, 0] [1, 1, 1, 8]
  // CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[TERM]] : tensor<8x16xf32>, tensor<8xf32>)
  // CHECK: ^bb0(%{{.*}}: f32, %[[B2:.*]]: f32, %{{.*}}: f32):
  // CHECK: arith.mulf %[[B2]], %[[LOG2E]]
  // CHECK: tensor.extract_slice %{{.*}}[%[[B]], %[[G]], 0, 0] [1, 1, 16, 64]
  // CHECK: tensor.extract_slice %[[BIAS]][0, %[[H]], 0, 8] [1, 1, 1, 16]
  %o = infini.segment_attention %q, %k, %v past(%pk, %pv : tensor<2x2x8x64xbf16>, tensor<2x2x8x32xbf16>)
    bias(%bias : tensor<1x8x1x24xf32>)
    : (tensor<2x8x16x64xbf16>, tensor<2x2x16x64xbf16>, tensor<2x2x16x32xbf16>) -> tensor<2x8x16x32xbf16>
  return %o : tensor<2x8x16x32xbf16>
}

// -----

// Other ops are left to infini-decompose.
// CHECK-LABEL: func @others
func.func @others(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: infini.feature_map
  %y = infini.feature_map %x : tensor<4xf32>
  return %y : tensor<4xf32>
}
