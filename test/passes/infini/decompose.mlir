// RUN: infini-opt %s --infini-decompose --canonicalize --cse --split-input-file | FileCheck %s
// RUN: infini-opt %s --infini-decompose --split-input-file | FileCheck %s --check-prefix=GONE
// RUN: infini-opt %examples/ops/infini.mlir --infini-decompose | FileCheck %s --check-prefix=EXAMPLES

// Nothing but the scan and its terminator stays.
// GONE-NOT: infini.{{(segment_attention|rope|feature_map|memory|gate|affine)}}
// EXAMPLES-NOT: infini.{{(segment_attention|rope|feature_map|memory|gate|affine)}}

// CHECK-DAG: #[[ID:.*]] = affine_map<(d0) -> (d0)>
// CHECK-LABEL: func @feature_map
// CHECK-SAME: (%[[X:.*]]: tensor<?xf16>)
func.func @feature_map(%x: tensor<?xf16>) -> tensor<?xf16> {
  // 16-bit types compute in f32.
  // CHECK: %[[Y:.*]] = linalg.generic {indexing_maps = [#[[ID]], #[[ID]]], iterator_types = ["parallel"]} ins(%[[X]] : tensor<?xf16>)
  // CHECK-NEXT: ^bb0(%[[IN:.*]]: f16, %{{.*}}: f16):
  // CHECK-NEXT: %[[WIDE:.*]] = arith.extf %[[IN]] : f16 to f32
  // CHECK-NEXT: %[[POSITIVE:.*]] = arith.cmpf ogt, %[[WIDE]], %{{.*}} : f32
  // CHECK-NEXT: %[[LINE:.*]] = arith.addf %[[WIDE]], %{{.*}} : f32
  // CHECK-NEXT: %[[CURVE:.*]] = math.exp %[[WIDE]] : f32
  // CHECK-NEXT: %[[SIGMA:.*]] = arith.select %[[POSITIVE]], %[[LINE]], %[[CURVE]] : f32
  // CHECK-NEXT: %[[NARROW:.*]] = arith.truncf %[[SIGMA]] : f32 to f16
  // CHECK-NEXT: linalg.yield %[[NARROW]] : f16
  // CHECK: return %[[Y]]
  %y = infini.feature_map %x : tensor<?xf16>
  return %y : tensor<?xf16>
}

// -----

// CHECK-DAG: #[[Q:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
// CHECK-DAG: #[[M:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d4, d3)>
// CHECK-DAG: #[[OUT:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
// CHECK-LABEL: func @memory_retrieve
// CHECK-SAME: (%[[SQ:.*]]: tensor<1x8x?x64xf32>, %[[MEM:.*]]: tensor<1x8x64x32xf32>, %[[Z:.*]]: tensor<1x8x64xf32>)
func.func @memory_retrieve(%sq: tensor<1x8x?x64xf32>, %M: tensor<1x8x64x32xf32>,
                           %z: tensor<1x8x64xf32>) -> tensor<1x8x?x32xf32> {
  // As many key/value heads as query heads: the memory is read in place.
  // CHECK-NOT: tensor.extract
  // CHECK: %[[NUMERATORS:.*]] = linalg.generic {indexing_maps = [#[[Q]], #[[M]], #[[OUT]]], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
  // CHECK-SAME: ins(%[[SQ]], %[[MEM]] :
  // CHECK: %[[DENOMINATORS:.*]] = linalg.generic
  // CHECK-SAME: iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%[[SQ]], %[[Z]] :
  // CHECK: %[[A:.*]] = linalg.generic
  // CHECK-SAME: ins(%[[NUMERATORS]], %[[DENOMINATORS]] :
  // CHECK-NEXT: ^bb0(%[[N:.*]]: f32, %[[D:.*]]: f32, %{{.*}}: f32):
  // CHECK-NEXT: %[[POSITIVE:.*]] = arith.cmpf ugt, %[[D]], %[[ZERO:.*]] : f32
  // CHECK-NEXT: %[[QUOTIENT:.*]] = arith.divf %[[N]], %[[D]] : f32
  // CHECK-NEXT: arith.select %[[POSITIVE]], %[[QUOTIENT]], %[[ZERO]] : f32
  // CHECK: return %[[A]] : tensor<1x8x?x32xf32>
  %a = infini.memory_retrieve %sq, %M, %z
    : (tensor<1x8x?x64xf32>, tensor<1x8x64x32xf32>, tensor<1x8x64xf32>) -> tensor<1x8x?x32xf32>
  return %a : tensor<1x8x?x32xf32>
}

// -----

// One memory for all heads is broadcast, not copied.
// CHECK-DAG: #[[M:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, 0, d4, d3)>
// CHECK-LABEL: func @memory_retrieve_one_group
func.func @memory_retrieve_one_group(%sq: tensor<1x8x?x64xbf16>, %M: tensor<1x1x64x32xf32>,
                                     %z: tensor<1x1x64xf32>) -> tensor<1x8x?x32xbf16> {
  // CHECK-NOT: tensor.extract
  // CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[M]], #{{.*}}]
  // CHECK: return
  %a = infini.memory_retrieve %sq, %M, %z
    : (tensor<1x8x?x64xbf16>, tensor<1x1x64x32xf32>, tensor<1x1x64xf32>) -> tensor<1x8x?x32xbf16>
  return %a : tensor<1x8x?x32xbf16>
}

// -----

// Dynamic heads: query head h reads the memory of group h / (H / G).
// CHECK-LABEL: func @memory_retrieve_dynamic
// CHECK-SAME: (%[[SQ:.*]]: tensor<?x?x?x?xf64>, %[[MEM:.*]]: tensor<?x?x?x?xf64>
func.func @memory_retrieve_dynamic(%sq: tensor<?x?x?x?xf64>, %M: tensor<?x?x?x?xf64>,
                                   %z: tensor<?x?x?xf64>) -> tensor<?x?x?x?xf64> {
  // CHECK-DAG: %[[ONE:.*]] = arith.constant 1 : index
  // CHECK-DAG: %[[H:.*]] = tensor.dim %[[SQ]], %[[ONE]]
  // CHECK-DAG: %[[G:.*]] = tensor.dim %[[MEM]], %[[ONE]]
  // CHECK: %[[ANY:.*]] = arith.maxui %[[G]], %[[ONE]] : index
  // CHECK: %[[DIVIDED:.*]] = arith.divui %[[H]], %[[ANY]] : index
  // CHECK: %[[RATIO:.*]] = arith.maxui %[[DIVIDED]], %[[ONE]] : index
  // CHECK: linalg.generic
  // CHECK: %[[B:.*]] = linalg.index 0
  // CHECK: %[[HEAD:.*]] = linalg.index 1
  // CHECK: %[[GROUP:.*]] = arith.divui %[[HEAD]], %[[RATIO]] : index
  // CHECK: tensor.extract %[[MEM]][%[[B]], %[[GROUP]], %{{.*}}, %{{.*}}]
  %a = infini.memory_retrieve %sq, %M, %z
    : (tensor<?x?x?x?xf64>, tensor<?x?x?x?xf64>, tensor<?x?x?xf64>) -> tensor<?x?x?x?xf64>
  return %a : tensor<?x?x?x?xf64>
}

// -----

// CHECK-LABEL: func @memory_update_linear
// CHECK-SAME: (%[[SK:.*]]: tensor<1x2x?x64xf16>, %[[V:.*]]: tensor<1x2x?x32xf16>, %[[M:.*]]: tensor<1x2x64x32xf32>, %[[Z:.*]]: tensor<1x2x64xf32>)
func.func @memory_update_linear(%sk: tensor<1x2x?x64xf16>, %v: tensor<1x2x?x32xf16>, %M: tensor<1x2x64x32xf32>,
                                %z: tensor<1x2x64xf32>) -> (tensor<1x2x64x32xf32>, tensor<1x2x64xf32>) {
  // Keys and values are widened inside the products.
  // CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[SK]] : tensor<1x2x?x64xf16>) outs(%{{.*}} : tensor<1x2x64xf32>)
  // CHECK: arith.extf
  // CHECK: arith.addf
  // CHECK: %[[Z1:.*]] = linalg.generic {{.*}} ins(%[[Z]], %[[SUM]] : tensor<1x2x64xf32>, tensor<1x2x64xf32>)
  // CHECK: %[[PRODUCT:.*]] = linalg.generic {{.*}} ins(%[[SK]], %[[V]] : tensor<1x2x?x64xf16>, tensor<1x2x?x32xf16>) outs(%{{.*}} : tensor<1x2x64x32xf32>)
  // CHECK: %[[M1:.*]] = linalg.generic {{.*}} ins(%[[M]], %[[PRODUCT]] : tensor<1x2x64x32xf32>, tensor<1x2x64x32xf32>)
  // CHECK: return %[[M1]], %[[Z1]]
  %M1, %z1 = infini.memory_update %sk, %v, %M, %z {update = #infini.update<linear>}
    : tensor<1x2x?x64xf16>, tensor<1x2x?x32xf16>, tensor<1x2x64x32xf32>, tensor<1x2x64xf32>
  return %M1, %z1 : tensor<1x2x64x32xf32>, tensor<1x2x64xf32>
}

// -----

// CHECK-LABEL: func @memory_update_delta
// CHECK-SAME: (%[[SK:.*]]: tensor<1x2x?x64xf32>, %[[V:.*]]: tensor<1x2x?x32xf32>, %[[M:.*]]: tensor<1x2x64x32xf32>, %[[Z:.*]]: tensor<1x2x64xf32>)
func.func @memory_update_delta(%sk: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x32xf32>, %M: tensor<1x2x64x32xf32>,
                               %z: tensor<1x2x64xf32>) -> tensor<1x2x64x32xf32> {
  // CHECK: %[[HELD:.*]] = linalg.generic {{.*}} ins(%[[SK]], %[[M]] :
  // CHECK: %[[COUNT:.*]] = linalg.generic {{.*}} ins(%[[SK]], %[[Z]] :
  // CHECK: %[[REST:.*]] = linalg.generic {{.*}} ins(%[[V]], %[[HELD]], %[[COUNT]] :
  // CHECK: arith.cmpf ugt
  // CHECK: arith.divf
  // CHECK: arith.select
  // CHECK: arith.subf
  // CHECK: %[[WRITTEN:.*]] = linalg.generic {{.*}} ins(%[[SK]], %[[REST]] :
  // CHECK: %[[M1:.*]] = linalg.generic {{.*}} ins(%[[M]], %[[WRITTEN]] :
  // CHECK: return %[[M1]]
  %M1, %z1 = infini.memory_update %sk, %v, %M, %z
    : tensor<1x2x?x64xf32>, tensor<1x2x?x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64xf32>
  return %M1 : tensor<1x2x64x32xf32>
}

// -----

// The corrected normaliser counts of each key what it does not hold yet.
// CHECK-LABEL: func @memory_update_delta_corrected
// CHECK-SAME: (%[[SK:.*]]: tensor<1x2x?x64xf32>, %{{.*}}: tensor<1x2x?x32xf32>, %{{.*}}: tensor<1x2x64x32xf32>, %[[Z:.*]]: tensor<1x2x64xf32>)
func.func @memory_update_delta_corrected(%sk: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x32xf32>,
                                         %M: tensor<1x2x64x32xf32>, %z: tensor<1x2x64xf32>) -> tensor<1x2x64xf32> {
  // CHECK: %[[NORMS:.*]] = linalg.generic {{.*}} ins(%[[SK]], %[[SK]] :
  // CHECK: %[[COUNT:.*]] = linalg.generic {{.*}} ins(%[[SK]], %[[Z]] :
  // CHECK: %[[GAMMA:.*]] = linalg.generic {{.*}} ins(%[[COUNT]], %[[NORMS]] :
  // CHECK: arith.maximumf
  // CHECK: arith.minimumf
  // CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[SK]], %[[GAMMA]] :
  // CHECK: %[[Z1:.*]] = linalg.generic {{.*}} ins(%[[Z]], %[[SUM]] :
  // CHECK: return %[[Z1]]
  %M1, %z1 = infini.memory_update %sk, %v, %M, %z {update = #infini.update<delta_corrected>}
    : tensor<1x2x?x64xf32>, tensor<1x2x?x32xf32>, tensor<1x2x64x32xf32>, tensor<1x2x64xf32>
  return %z1 : tensor<1x2x64xf32>
}

// -----

// A weight of zero leaves nothing, be it NaN.
// CHECK-LABEL: func @gate
// CHECK-SAME: (%[[MEM:.*]]: tensor<1x8x?x64xf32>, %[[DOT:.*]]: tensor<1x8x?x64xf32>, %[[BETA:.*]]: tensor<8xf32>)
func.func @gate(%mem: tensor<1x8x?x64xf32>, %dot: tensor<1x8x?x64xf32>, %beta: tensor<8xf32>) -> tensor<1x8x?x64xf32> {
  // CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
  // CHECK-DAG: %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
  // One sigmoid a head.
  // CHECK: %[[G:.*]] = linalg.generic {{.*}} ins(%[[BETA]] : tensor<8xf32>) outs(%{{.*}} : tensor<8xf32>)
  // CHECK: math.exp
  // CHECK: %[[A:.*]] = linalg.generic {{.*}} ins(%[[MEM]], %[[DOT]], %[[G]] :
  // CHECK-NEXT: ^bb0(%[[M:.*]]: f32, %[[D:.*]]: f32, %[[W:.*]]: f32, %{{.*}}: f32):
  // CHECK-NEXT: %[[REST:.*]] = arith.subf %[[ONE]], %[[W]]
  // CHECK-NEXT: %[[WM:.*]] = arith.mulf %[[W]], %[[M]]
  // CHECK-NEXT: %[[CLOSED:.*]] = arith.cmpf oeq, %[[W]], %[[ZERO]]
  // CHECK-NEXT: %[[OFM:.*]] = arith.select %[[CLOSED]], %[[ZERO]], %[[WM]]
  // CHECK-NEXT: %[[WD:.*]] = arith.mulf %[[REST]], %[[D]]
  // CHECK-NEXT: %[[OPEN:.*]] = arith.cmpf oeq, %[[REST]], %[[ZERO]]
  // CHECK-NEXT: %[[OFD:.*]] = arith.select %[[OPEN]], %[[ZERO]], %[[WD]]
  // CHECK-NEXT: arith.addf %[[OFM]], %[[OFD]]
  // CHECK: return %[[A]]
  %a = infini.gate %mem, %dot, %beta : tensor<1x8x?x64xf32>, tensor<8xf32>
  return %a : tensor<1x8x?x64xf32>
}

// -----

// CHECK-LABEL: func @gate_local_only
// CHECK-SAME: (%[[MEM:.*]]: tensor<1x2x?x64xf32>, %[[DOT:.*]]: tensor<1x2x?x64xf32>, %[[BETA:.*]]: tensor<1x2x?xf32>, %[[Z:.*]]: tensor<1x2x64xf32>)
func.func @gate_local_only(%mem: tensor<1x2x?x64xf32>, %dot: tensor<1x2x?x64xf32>, %beta: tensor<1x2x?xf32>,
                           %z: tensor<1x2x64xf32>) -> tensor<1x2x?x64xf32> {
  // CHECK: %[[G:.*]] = linalg.generic {{.*}} ins(%[[BETA]] : tensor<1x2x?xf32>)
  // CHECK: %[[STORED:.*]] = linalg.generic {{.*}} ins(%[[Z]] : tensor<1x2x64xf32>) outs(%{{.*}} : tensor<1x2xf32>)
  // CHECK: math.absf
  // CHECK: arith.maximumf
  // CHECK: linalg.generic {{.*}} ins(%[[MEM]], %[[DOT]], %[[G]], %[[STORED]] :
  // CHECK-NEXT: ^bb0(%{{.*}}: f32, %[[D:.*]]: f32, %{{.*}}: f32, %[[S:.*]]: f32, %{{.*}}: f32):
  // CHECK: %[[BLEND:.*]] = arith.addf
  // CHECK-NEXT: %[[EMPTY:.*]] = arith.cmpf oeq, %[[S]], %{{.*}} : f32
  // CHECK-NEXT: arith.select %[[EMPTY]], %[[D]], %[[BLEND]] : f32
  %a = infini.gate %mem, %dot, %beta normalizer(%z : tensor<1x2x64xf32>)
    {first_segment = #infini.first_segment<local_only>} : tensor<1x2x?x64xf32>, tensor<1x2x?xf32>
  return %a : tensor<1x2x?x64xf32>
}

// -----

// CHECK-LABEL: func @segment_attention
// CHECK-SAME: (%[[Q:.*]]: tensor<1x2x?x64xf32>, %[[K:.*]]: tensor<1x2x?x64xf32>, %[[V:.*]]: tensor<1x2x?x32xf32>)
func.func @segment_attention(%q: tensor<1x2x?x64xf32>, %k: tensor<1x2x?x64xf32>,
                             %v: tensor<1x2x?x32xf32>) -> tensor<1x2x?x32xf32> {
  // CHECK-DAG: %[[SCALE:.*]] = arith.constant 1.250000e-01 : f32
  // CHECK-DAG: %[[HIDDEN:.*]] = arith.constant 0xFF800000 : f32
  // CHECK: %[[SCORES:.*]] = linalg.generic {{.*}} ins(%[[Q]], %[[K]] :
  // CHECK: %[[FIRST:.*]] = affine.apply
  // CHECK: %[[MASKED:.*]] = linalg.generic {{.*}} ins(%[[SCORES]] :
  // CHECK: %[[SCORE:.*]] = arith.mulf %{{.*}}, %[[SCALE]] : f32
  // CHECK: %[[I:.*]] = linalg.index 2
  // CHECK: %[[AT:.*]] = arith.addi %[[FIRST]], %[[I]] : index
  // CHECK: %[[J:.*]] = linalg.index 3
  // CHECK: %[[VISIBLE:.*]] = arith.cmpi sle, %[[J]], %[[AT]] : index
  // CHECK: arith.select %[[VISIBLE]], %[[SCORE]], %[[HIDDEN]] : f32
  // CHECK: %[[MAX:.*]] = linalg.generic {{.*}} ins(%[[MASKED]] :
  // CHECK: arith.maximumf
  // A row without keys has the maximum −∞; its weights are 0, and so is it.
  // CHECK: %[[WEIGHTS:.*]] = linalg.generic {{.*}} ins(%[[MASKED]], %[[MAX]] :
  // CHECK: arith.cmpf oeq, %{{.*}}, %[[HIDDEN]] : f32
  // CHECK: math.exp
  // CHECK: %[[SUMS:.*]] = linalg.generic {{.*}} ins(%[[WEIGHTS]] :
  // CHECK: %[[WEIGHTED:.*]] = linalg.generic {{.*}} ins(%[[WEIGHTS]], %[[V]] :
  // CHECK: %[[O:.*]] = linalg.generic {{.*}} ins(%[[WEIGHTED]], %[[SUMS]] :
  // CHECK: arith.divf
  // CHECK: arith.cmpf oeq
  // CHECK: arith.select
  // CHECK: return %[[O]]
  %o = infini.segment_attention %q, %k, %v
    : (tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x32xf32>) -> tensor<1x2x?x32xf32>
  return %o : tensor<1x2x?x32xf32>
}

// -----

// Past keys stand before the segment's own; a window looks back from each query.
// CHECK-DAG: #[[BIAS:.*]] = affine_map<(d0, d1, d2, d3) -> (0, d1, 0, d3)>
// CHECK-LABEL: func @segment_attention_past
// CHECK-SAME: (%[[Q:.*]]: tensor<1x2x4x8xf64>, %[[K:.*]]: tensor<1x2x4x8xf64>, %[[P:.*]]: tensor<1x2x3x8xf64>, %[[B:.*]]: tensor<1x2x1x7xf64>, %[[AT:.*]]: index)
func.func @segment_attention_past(%q: tensor<1x2x4x8xf64>, %k: tensor<1x2x4x8xf64>, %p: tensor<1x2x3x8xf64>,
                                  %bias: tensor<1x2x1x7xf64>, %at: index) -> tensor<1x2x4x8xf64> {
  // CHECK-DAG: %[[TWO:.*]] = arith.constant 2 : index
  // CHECK: %[[PAST:.*]] = tensor.insert_slice %[[P]] into %{{.*}}[0, 0, 0, 0] [1, 2, 3, 8] [1, 1, 1, 1]
  // CHECK: %[[KEYS:.*]] = tensor.insert_slice %[[K]] into %[[PAST]][0, 0, 3, 0] [1, 2, 4, 8] [1, 1, 1, 1]
  // CHECK: linalg.generic {{.*}} ins(%[[Q]], %[[KEYS]] :
  // CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[BIAS]], #{{.*}}]
  // CHECK: %[[POSITION:.*]] = arith.addi
  // CHECK: %[[KEY:.*]] = linalg.index 3
  // CHECK: arith.cmpi sle, %[[KEY]], %[[POSITION]]
  // CHECK: %[[BEHIND:.*]] = arith.subi %[[POSITION]], %[[TWO]]
  // CHECK: arith.cmpi sgt, %[[KEY]], %[[BEHIND]]
  // CHECK: arith.andi
  %o = infini.segment_attention %q, %k, %k past(%p, %p : tensor<1x2x3x8xf64>, tensor<1x2x3x8xf64>)
    bias(%bias : tensor<1x2x1x7xf64>) query_offset(%at) {mask = #infini.mask<window>, window = 2 : i64}
    : (tensor<1x2x4x8xf64>, tensor<1x2x4x8xf64>, tensor<1x2x4x8xf64>) -> tensor<1x2x4x8xf64>
  return %o : tensor<1x2x4x8xf64>
}

// -----

// Angles in f64, rounded once.
// CHECK-LABEL: func @rope
// CHECK-SAME: (%[[X:.*]]: tensor<1x8x?x64xf32>, %[[AT:.*]]: index)
func.func @rope(%x: tensor<1x8x?x64xf32>, %at: index) -> tensor<1x8x?x64xf32> {
  // CHECK: %[[FREQUENCIES:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<32xf64>)
  // CHECK: math.powf
  // CHECK: %[[COS:.*]] = linalg.generic {{.*}} ins(%[[FREQUENCIES]] : tensor<32xf64>) outs(%{{.*}} : tensor<?x32xf32>)
  // CHECK: arith.addi %{{.*}}, %[[AT]] : index
  // CHECK: math.cos %{{.*}} : f64
  // CHECK: arith.truncf %{{.*}} : f64 to f32
  // CHECK: %[[SIN:.*]] = linalg.generic {{.*}} ins(%[[FREQUENCIES]] : tensor<32xf64>) outs(%{{.*}} : tensor<?x32xf32>)
  // CHECK: math.sin %{{.*}} : f64
  // CHECK: %[[LOW:.*]] = tensor.extract_slice %[[X]][0, 0, 0, 0] [1, 8, %{{.*}}, 32]
  // CHECK: %[[HIGH:.*]] = tensor.extract_slice %[[X]][0, 0, 0, 32] [1, 8, %{{.*}}, 32]
  // CHECK: %[[NEWLOW:.*]] = linalg.generic {{.*}} ins(%[[LOW]], %[[HIGH]], %[[COS]], %[[SIN]] :
  // CHECK: arith.subf
  // CHECK: %[[NEWHIGH:.*]] = linalg.generic {{.*}} ins(%[[HIGH]], %[[LOW]], %[[COS]], %[[SIN]] :
  // CHECK: arith.addf
  // CHECK: tensor.insert_slice %[[NEWHIGH]] into %{{.*}}[0, 0, 0, 32]
  // CHECK: tensor.insert_slice %[[NEWLOW]] into %{{.*}}[0, 0, 0, 0]
  %y = infini.rope %x offset(%at) : tensor<1x8x?x64xf32>
  return %y : tensor<1x8x?x64xf32>
}

// -----

// CHECK-LABEL: func @rope_tables
// CHECK-SAME: %[[AT:[^:]*]]: index, %[[COS:.*]]: tensor<?x4xf32>, %[[SIN:.*]]: tensor<?x4xf32>)
func.func @rope_tables(%x: tensor<?x8xbf16>, %at: index, %cos: tensor<?x4xf32>, %sin: tensor<?x4xf32>) -> tensor<?x8xbf16> {
  // CHECK-NOT: math.
  // CHECK: tensor.extract_slice %[[COS]][%[[AT]], 0] [%{{.*}}, 4] [1, 1]
  // CHECK: tensor.extract_slice %[[SIN]][%[[AT]], 0] [%{{.*}}, 4] [1, 1]
  %y = infini.rope %x offset(%at) tables(%cos, %sin : tensor<?x4xf32>, tensor<?x4xf32>) : tensor<?x8xbf16>
  return %y : tensor<?x8xbf16>
}

// -----

// CHECK-LABEL: func @affine_scan
// CHECK-SAME: (%[[A:.*]]: tensor<?x1x2x4x4xf32>, %[[B:.*]]: tensor<?x1x2x4x3xf32>, %[[M0:.*]]: tensor<1x2x4x3xf32>)
func.func @affine_scan(%A: tensor<?x1x2x4x4xf32>, %B: tensor<?x1x2x4x3xf32>, %M0: tensor<1x2x4x3xf32>)
    -> (tensor<?x1x2x4x3xf32>, tensor<1x2x4x3xf32>) {
  // CHECK: %[[LOOP:.*]]:2 = scf.for %[[S:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[STACK:.*]] = %{{.*}}, %[[M:.*]] = %[[M0]])
  // CHECK: %[[BEFORE:.*]] = tensor.insert_slice %[[M]] into %[[STACK]][%[[S]], 0, 0, 0, 0] [1, 1, 2, 4, 3]
  // CHECK: %[[AS:.*]] = tensor.extract_slice %[[A]][%[[S]], 0, 0, 0, 0] [1, 1, 2, 4, 4]
  // CHECK: %[[AM:.*]] = linalg.generic {{.*}} ins(%[[AS]], %[[M]] :
  // CHECK: %[[BS:.*]] = tensor.extract_slice %[[B]][%[[S]], 0, 0, 0, 0] [1, 1, 2, 4, 3]
  // CHECK: %[[NEXT:.*]] = linalg.generic {{.*}} ins(%[[AM]], %[[BS]] :
  // CHECK: scf.yield %[[BEFORE]], %[[NEXT]]
  // CHECK: return %[[LOOP]]#0, %[[LOOP]]#1
  %before, %last = infini.affine_scan factors(%A : tensor<?x1x2x4x4xf32>)
    increments(%B : tensor<?x1x2x4x3xf32>) initial(%M0 : tensor<1x2x4x3xf32>)
  return %before, %last : tensor<?x1x2x4x3xf32>, tensor<1x2x4x3xf32>
}

// -----

// One factor for each row of the state: no product of matrices.
// CHECK-DAG: #[[ROWS:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK-DAG: #[[ALL:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK-LABEL: func @affine_scan_diagonal
// CHECK-SAME: (%[[A:.*]]: tensor<?x1x2x4xf32>, %[[B:.*]]: tensor<?x1x2x4x3xf32>, %[[M0:.*]]: tensor<1x2x4x3xf32>)
// CHECK: %[[LOOP:.*]]:2 = scf.for %[[S:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[STACK:.*]] = %{{.*}}, %[[M:.*]] = %[[M0]])
// CHECK: %[[BEFORE:.*]] = tensor.insert_slice %[[M]] into %[[STACK]][%[[S]], 0, 0, 0, 0] [1, 1, 2, 4, 3]
// CHECK: %[[AS:.*]] = tensor.extract_slice %[[A]][%[[S]], 0, 0, 0] [1, 1, 2, 4] {{.*}} to tensor<1x2x4xf32>
// CHECK: %[[AM:.*]] = linalg.generic {indexing_maps = [#[[ROWS]], #[[ALL]], #[[ALL]]], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%[[AS]], %[[M]] :
// CHECK: arith.mulf
// CHECK-NOT: arith.addf
// CHECK: %[[BS:.*]] = tensor.extract_slice %[[B]][%[[S]], 0, 0, 0, 0] [1, 1, 2, 4, 3]
// CHECK: %[[NEXT:.*]] = linalg.generic {{.*}} ins(%[[AM]], %[[BS]] :
// CHECK: arith.addf
// CHECK: scf.yield %[[BEFORE]], %[[NEXT]]
// CHECK: return %[[LOOP]]#0, %[[LOOP]]#1
func.func @affine_scan_diagonal(%A: tensor<?x1x2x4xf32>, %B: tensor<?x1x2x4x3xf32>, %M0: tensor<1x2x4x3xf32>)
    -> (tensor<?x1x2x4x3xf32>, tensor<1x2x4x3xf32>) {
  %before, %last = infini.affine_scan factors(%A : tensor<?x1x2x4xf32>)
    increments(%B : tensor<?x1x2x4x3xf32>) initial(%M0 : tensor<1x2x4x3xf32>)
  return %before, %last : tensor<?x1x2x4x3xf32>, tensor<1x2x4x3xf32>
}

// -----

// Without factors a prefix sum, of the normaliser for one.
// CHECK-LABEL: func @prefix_sum
// CHECK: scf.for
// CHECK-COUNT-1: linalg.generic
// CHECK-NOT: linalg.generic
func.func @prefix_sum(%B: tensor<?x1x2x4xf64>, %z0: tensor<1x2x4xf64>) -> (tensor<?x1x2x4xf64>, tensor<1x2x4xf64>) {
  %before, %last = infini.affine_scan increments(%B : tensor<?x1x2x4xf64>) initial(%z0 : tensor<1x2x4xf64>)
  return %before, %last : tensor<?x1x2x4xf64>, tensor<1x2x4xf64>
}

// -----

// The body of a scan is decomposed; the scan is not.
// CHECK-LABEL: func @segment_scan
// CHECK: infini.segment_scan
// CHECK: linalg.generic
// CHECK: infini.yield
func.func @segment_scan(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %o = infini.segment_scan sequences(%x : tensor<?x4xf32>)
      attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>, output_axes = array<i64: 0>} {
  ^bb0(%xs: tensor<?x4xf32>):
    %y = infini.feature_map %xs : tensor<?x4xf32>
    infini.yield %y : tensor<?x4xf32>
  } -> tensor<?x4xf32>
  return %o : tensor<?x4xf32>
}
