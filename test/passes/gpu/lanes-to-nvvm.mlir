// RUN: infini-opt %s -pass-pipeline='builtin.module(builtin.module(infini-lanes-to-nvvm))' | FileCheck %s
// RUN: infini-opt %s --infini-nvidia-llvm-stage | FileCheck %s --check-prefix=LLVM

// Parameters are the flat struct of runtime/kernel_abi.h: buffers, then scalars.
// Shared memory is one array, whose size comes with the launch.
// CHECK-LABEL: module @arguments
// CHECK: llvm.mlir.global external @infini_shared() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>
// CHECK: func.func @arguments(%[[A:.*]]: !llvm.ptr<1>, %[[B:.*]]: !llvm.ptr<1>, %[[N:.*]]: i64, %{{.*}}: i64, %{{.*}}: i64) {
// LLVM: llvm.func @arguments(%{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %{{.*}}: i64, %{{.*}}: i64, %{{.*}}: i64)
// LLVM-NOT: {{ (nv|gpu|memref|arith|vector|builtin)\.[a-z]}}
module @arguments attributes {program.kernel, program.threads = 64 : i64} {
  func.func @arguments(%a: memref<?x8xf32>, %n: index, %b: memref<?x8xf32>, %rows_a: index, %rows_b: index) {
    // CHECK: arith.index_cast %[[N]] : i64 to index
    // CHECK: nvvm.read.ptx.sreg.ctaid.x
    %x = gpu.block_id x
    // CHECK: nvvm.read.ptx.sreg.ctaid.y
    %y = gpu.block_id y
    // CHECK: nvvm.read.ptx.sreg.ctaid.z
    %z = gpu.block_id z
    // CHECK: nvvm.read.ptx.sreg.tid.x
    %t = gpu.thread_id x
    %i = arith.addi %x, %n : index
    %j = arith.addi %y, %z : index
    %k = arith.addi %j, %t : index
    // CHECK: %[[P:.*]] = llvm.getelementptr %[[A]][%{{.*}}] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
    // CHECK: llvm.load %[[P]] {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
    %v = nv.load_global %a[%i] : memref<?x8xf32>, vector<4xf32>
    // CHECK: %[[Q:.*]] = llvm.getelementptr %[[B]][%{{.*}}] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
    // CHECK: llvm.store %{{.*}}, %[[Q]] {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
    nv.store_global %v, %b[%k] : vector<4xf32>, memref<?x8xf32>
    return
  }
}

// With a predicate: PTX, as no branch may part a warp. A load that is not done
// gives zeros. Words of 32 bits, up to four at once; two bytes and one by
// themselves.
// CHECK-LABEL: module @predicates
module @predicates attributes {program.kernel, program.threads = 32 : i64} {
  func.func @predicates(%q: memref<?x64xbf16>, %d: memref<2xf64>, %c: memref<8xi8>, %n: index, %m: index) {
    %p = arith.cmpi slt, %n, %m : index
    %a = arith.index_cast %n : index to i32
    // CHECK: %[[FLAG:.*]] = arith.extui %{{.*}} : i1 to i32
    // CHECK: llvm.inline_asm has_side_effects asm_dialect = att "{ .reg .pred p; setp.ne.b32 p, $5, 0; mov.b32 $0, 0; mov.b32 $1, 0; mov.b32 $2, 0; mov.b32 $3, 0; @p ld.global.v4.b32 {$0, $1, $2, $3}, [$4]; }", "=r,=r,=r,=r,l,r,~{memory}" %{{.*}}, %[[FLAG]] : (!llvm.ptr<1>, i32) -> !llvm.struct<(i32, i32, i32, i32)>
    // CHECK: llvm.bitcast %{{.*}} : vector<4xi32> to vector<8xbf16>
    %0 = nv.load_global %q[%n] if %p : memref<?x64xbf16>, vector<8xbf16>
    // CHECK: "{ .reg .pred p; setp.ne.b32 p, $3, 0; mov.b32 $0, 0; mov.b32 $1, 0; @p ld.global.v2.b32 {$0, $1}, [$2]; }", "=r,=r,l,r,~{memory}"
    %1 = nv.load_global %q[%n] if %p : memref<?x64xbf16>, vector<4xbf16>
    // CHECK: "{ .reg .pred p; setp.ne.b32 p, $2, 0; mov.b32 $0, 0; @p ld.global.b32 $0, [$1]; }", "=r,l,r,~{memory}"
    %2 = nv.load_global %q[%n] if %p : memref<?x64xbf16>, vector<2xbf16>
    // CHECK: "{ .reg .pred p; setp.ne.b32 p, $2, 0; mov.b16 $0, 0; @p ld.global.b16 $0, [$1]; }", "=h,l,r,~{memory}"
    // CHECK: llvm.bitcast %{{.*}} : i16 to vector<1xbf16>
    %3 = nv.load_global %q[%n] if %p : memref<?x64xbf16>, vector<1xbf16>
    // CHECK: "{ .reg .pred p; setp.ne.b32 p, $2, 0; mov.b16 $0, 0; @p ld.global.b8 $0, [$1]; }", "=h,l,r,~{memory}"
    // CHECK: arith.trunci %{{.*}} : i16 to i8
    %4 = nv.load_global %c[%n] if %p : memref<8xi8>, vector<1xi8>
    // CHECK: ld.global.v4.b32
    // CHECK: llvm.bitcast %{{.*}} : vector<4xi32> to vector<2xf64>
    %5 = nv.load_global %d[%n] if %p : memref<2xf64>, vector<2xf64>
    // CHECK: "{ .reg .pred p; setp.ne.b32 p, $5, 0; @p st.global.v4.b32 [$0], {$1, $2, $3, $4}; }", "l,r,r,r,r,r,~{memory}"
    nv.store_global %0, %q[%n] if %p : vector<8xbf16>, memref<?x64xbf16>
    // CHECK: "{ .reg .pred p; setp.ne.b32 p, $3, 0; @p st.global.v2.b32 [$0], {$1, $2}; }", "l,r,r,r,~{memory}"
    nv.store_global %1, %q[%n] if %p : vector<4xbf16>, memref<?x64xbf16>
    // CHECK: "{ .reg .pred p; setp.ne.b32 p, $2, 0; @p st.global.b32 [$0], $1; }", "l,r,r,~{memory}"
    nv.store_global %2, %q[%n] if %p : vector<2xbf16>, memref<?x64xbf16>
    // CHECK: "{ .reg .pred p; setp.ne.b32 p, $2, 0; @p st.global.b16 [$0], $1; }", "l,h,r,~{memory}"
    nv.store_global %3, %q[%n] if %p : vector<1xbf16>, memref<?x64xbf16>
    // CHECK: "{ .reg .pred p; setp.ne.b32 p, $2, 0; @p st.global.b8 [$0], $1; }", "l,h,r,~{memory}"
    nv.store_global %4, %c[%n] if %p : vector<1xi8>, memref<8xi8>
    // CHECK: "{ .reg .pred p; setp.ne.b32 p, $5, 0; @p st.shared.v4.b32 [$0], {$1, $2, $3, $4}; }", "r,r,r,r,r,r,~{memory}"
    nv.store_shared %5, %a if %p : vector<2xf64>
    return
  }
}

// CHECK-LABEL: module @shared
module @shared attributes {program.kernel, program.threads = 32 : i64} {
  func.func @shared(%q: memref<?x64xbf16>, %n: index, %m: index) {
    %p = arith.cmpi slt, %n, %m : index
    %a = arith.index_cast %n : index to i32
    // CHECK: %[[BASE:.*]] = llvm.mlir.addressof @infini_shared : !llvm.ptr<3>
    // CHECK: %[[AT:.*]] = llvm.getelementptr %[[BASE]][%{{.*}}] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
    // CHECK: llvm.load %[[AT]] {alignment = 8 : i64} : !llvm.ptr<3> -> vector<4xbf16>
    %v = nv.load_shared %a : vector<4xbf16>
    // CHECK: llvm.store %{{.*}}, %{{.*}} {alignment = 8 : i64} : vector<4xbf16>, !llvm.ptr<3>
    nv.store_shared %v, %a : vector<4xbf16>
    // 16 bytes go past the first cache; what is not valid is copied from nowhere.
    // CHECK: nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16, cache = cg : !llvm.ptr<3>, !llvm.ptr<1>
    nv.copy_async %q[%n], %a {bytes = 16 : i64} : memref<?x64xbf16>
    // CHECK: %[[NONE:.*]] = llvm.mlir.constant(0 : i32)
    // CHECK: %[[ALL:.*]] = llvm.mlir.constant(16 : i32)
    // CHECK: %[[SIZE:.*]] = arith.select %{{.*}}, %[[ALL]], %[[NONE]] : i32
    // CHECK: nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16, cache = cg, %[[SIZE]] : !llvm.ptr<3>, !llvm.ptr<1>, i32
    nv.copy_async %q[%n], %a if %p {bytes = 16 : i64} : memref<?x64xbf16>
    // CHECK: nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 8, cache = ca : !llvm.ptr<3>, !llvm.ptr<1>
    nv.copy_async %q[%n], %a {bytes = 8 : i64} : memref<?x64xbf16>
    // CHECK: nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 4, cache = ca : !llvm.ptr<3>, !llvm.ptr<1>
    nv.copy_async %q[%n], %a {bytes = 4 : i64} : memref<?x64xbf16>
    // CHECK: nvvm.cp.async.commit.group
    nv.commit_copies
    // CHECK: nvvm.cp.async.wait.group 1
    nv.wait_copies 1
    // CHECK: nvvm.barrier
    nv.barrier
    return
  }
}

// All lanes of the warp take part; 64 bits are two words.
// CHECK-LABEL: module @shuffles
module @shuffles attributes {program.kernel, program.threads = 32 : i64} {
  func.func @shuffles(%q: memref<2xf64>, %n: index) {
    %a = arith.index_cast %n : index to i32
    %v = nv.load_shared %a : vector<1xf32>
    %f = vector.extract %v[0] : f32 from vector<1xf32>
    // CHECK: %[[BITS:.*]] = llvm.bitcast %{{.*}} : f32 to i32
    // CHECK-DAG: %[[LAST:.*]] = llvm.mlir.constant(31 : i32)
    // CHECK-DAG: %[[MASK:.*]] = llvm.mlir.constant(16 : i32)
    // CHECK-DAG: %[[EVERY:.*]] = llvm.mlir.constant(-1 : i32)
    // CHECK: %[[R:.*]] = nvvm.shfl.sync bfly %[[EVERY]], %[[BITS]], %[[MASK]], %[[LAST]] : i32 -> i32
    // CHECK: llvm.bitcast %[[R]] : i32 to f32
    %g = nv.shuffle_xor %f, 16 : f32
    %d = arith.extf %g : f32 to f64
    // CHECK: llvm.bitcast %{{.*}} : f64 to vector<2xi32>
    // CHECK-COUNT-2: nvvm.shfl.sync bfly
    // CHECK: llvm.bitcast %{{.*}} : vector<2xi32> to f64
    %e = nv.shuffle_xor %d, 1 : f64
    %w = vector.broadcast %e : f64 to vector<1xf64>
    nv.store_global %w, %q[%n] : vector<1xf64>, memref<2xf64>
    return
  }
}

// CHECK-LABEL: module @matrices
module @matrices attributes {program.kernel, program.threads = 32 : i64} {
  func.func @matrices(%q: memref<4xf32>, %n: index) {
    %s = arith.index_cast %n : index to i32
    // CHECK: nvvm.ldmatrix %{{.*}} {eltType = #nvvm.ld_st_matrix_elt_type<b16>, layout = #nvvm.mma_layout<row>, num = 4 : i32, shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>} : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32, i32, i32)>
    %a = nv.ldmatrix %s : vector<8xbf16>
    // CHECK: nvvm.ldmatrix %{{.*}} {{{.*}}layout = #nvvm.mma_layout<col>, num = 2 : i32, {{.*}}} : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32)>
    %b = nv.ldmatrix %s {transpose} : vector<4xbf16>
    %z = arith.constant dense<0.0> : vector<4xf32>
    // bf16 travels as words.
    // CHECK: nvvm.mma.sync A[%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}] B[%{{.*}}, %{{.*}}] C[%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}] {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>, shape = #nvvm.shape<m = 16, n = 8, k = 16>} : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
    %c = nv.mma_sync %a, %b, %z : vector<8xbf16>, vector<4xbf16>, vector<4xf32>
    %ah = nv.ldmatrix %s : vector<8xf16>
    // CHECK: nvvm.ldmatrix
    // One matrix is a word.
    // CHECK: nvvm.ldmatrix %{{.*}} {{{.*}}num = 1 : i32, {{.*}}} : (!llvm.ptr<3>) -> i32
    // CHECK: llvm.bitcast %{{.*}} : i32 to vector<2xf16>
    %one = nv.ldmatrix %s : vector<2xf16>
    %bh = vector.shuffle %one, %one [0, 1, 2, 3] : vector<2xf16>, vector<2xf16>
    // f16 as pairs.
    // CHECK: nvvm.mma.sync {{.*}} shape = #nvvm.shape<m = 16, n = 8, k = 16>} : (vector<2xf16>, vector<2xf16>, f32) -> !llvm.struct<(f32, f32, f32, f32)>
    %d = nv.mma_sync %ah, %bh, %c : vector<8xf16>, vector<4xf16>, vector<4xf32>
    %bt = nv.load_shared %s : vector<2xf32>
    // CHECK: nvvm.mma.sync {{.*}} multiplicandAPtxType = #nvvm.mma_type<tf32>, multiplicandBPtxType = #nvvm.mma_type<tf32>, shape = #nvvm.shape<m = 16, n = 8, k = 8>} : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
    %e = nv.mma_sync %d, %bt, %d : vector<4xf32>, vector<2xf32>, vector<4xf32>
    nv.store_global %e, %q[%n] : vector<4xf32>, memref<4xf32>
    return
  }
}

// An exponential that may be approximate is one instruction; others keep
// subnormal numbers.
// CHECK-LABEL: module @exponentials
// CHECK: llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f32"(%{{.*}}) : (f32) -> f32
// CHECK: llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f32"(%{{.*}}) : (f32) -> f32
// CHECK: math.exp2 %{{.*}} : vector<2xf32>
module @exponentials attributes {program.kernel, program.threads = 32 : i64} {
  func.func @exponentials(%a: memref<64xf32>) {
    %t = gpu.thread_id x
    %v = nv.load_global %a[%t] : memref<64xf32>, vector<2xf32>
    %x = math.exp2 %v fastmath<afn> : vector<2xf32>
    %y = math.exp2 %x : vector<2xf32>
    nv.store_global %y, %a[%t] : vector<2xf32>, memref<64xf32>
    return
  }
}
