// RUN: infini-opt %s -pass-pipeline='builtin.module(builtin.module(infini-lanes-to-sim))' | FileCheck %s
// RUN: infini-opt %s --infini-sim-llvm-stage | FileCheck %s --check-prefix=LLVM

// Slots of the table, in the order of runtime/lane_abi.h: 0 load_global,
// 1 store_global, 2 load_shared, 3 store_shared, 4 copy_async, 5 commit, 6 wait,
// 7 barrier, 8 shuffle_xor, 9 ldmatrix, 10 mma.

// Buffers come first, then scalars, whatever the order in which the kernel has
// them; the lane knows its place.
// CHECK-LABEL: module @arguments
// CHECK: func.func @arguments(%[[ARGS:.*]]: !llvm.ptr, %[[LANE:.*]]: !llvm.ptr) {
// LLVM: llvm.func @arguments(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr) {
// LLVM-NOT: {{ (nv|gpu|memref|arith|vector|builtin)\.[a-z]}}
module @arguments attributes {program.kernel, program.threads = 64 : i64} {
  func.func @arguments(%a: memref<?x8xf32>, %n: index, %b: memref<?x8xf32>, %rows_a: index, %rows_b: index) {
    // CHECK-NOT: llvm.getelementptr %[[ARGS]][0]
    // CHECK-DAG: %[[P2:.*]] = llvm.getelementptr %[[ARGS]][2]
    // CHECK-DAG: %[[N64:.*]] = llvm.load %[[P2]] : !llvm.ptr -> i64
    // CHECK-DAG: %[[N:.*]] = arith.index_cast %[[N64]] : i64 to index
    // A buffer's size in bytes: of the dimensions that are not static the
    // scalars at the end say how large they are.
    // CHECK-DAG: %[[P3:.*]] = llvm.getelementptr %[[ARGS]][3]
    // CHECK-DAG: %[[ROWS_A:.*]] = llvm.load %[[P3]] : !llvm.ptr -> i64
    // CHECK-DAG: %[[P4:.*]] = llvm.getelementptr %[[ARGS]][4]
    // CHECK-DAG: %[[ROWS_B:.*]] = llvm.load %[[P4]] : !llvm.ptr -> i64
    // CHECK: %[[ROW:.*]] = llvm.mlir.constant(32 : i64) : i64
    // CHECK: %[[SIZE_A:.*]] = arith.muli %[[ROW]], %[[ROWS_A]] : i64
    // CHECK: %[[ROW:.*]] = llvm.mlir.constant(32 : i64) : i64
    // CHECK: %[[SIZE_B:.*]] = arith.muli %[[ROW]], %[[ROWS_B]] : i64
    // The block's position lies at 0, 8, and 16 of the lane, its number at 24.
    // CHECK: %[[PX:.*]] = llvm.getelementptr %[[LANE]][0] : (!llvm.ptr) -> !llvm.ptr, i64
    // CHECK: %[[X:.*]] = llvm.load %[[PX]] : !llvm.ptr -> i64
    // CHECK: arith.index_cast %[[X]] : i64 to index
    %x = gpu.block_id x
    // CHECK: llvm.getelementptr %[[LANE]][1]
    %y = gpu.block_id y
    // CHECK: llvm.getelementptr %[[LANE]][2]
    %z = gpu.block_id z
    // CHECK: llvm.getelementptr %[[LANE]][3]
    %t = gpu.thread_id x
    %i = arith.addi %x, %n : index
    %j = arith.addi %y, %z : index
    %k = arith.addi %j, %t : index
    // CHECK: %[[I:.*]] = arith.index_cast %{{.*}} : index to i64
    // CHECK: %[[FOUR:.*]] = llvm.mlir.constant(4 : i64) : i64
    // CHECK: %[[OFFSET:.*]] = arith.muli %[[I]], %[[FOUR]] : i64
    // CHECK: %[[BYTES:.*]] = llvm.mlir.constant(16 : i32) : i32
    // CHECK: llvm.call %{{.*}}(%[[LANE]], %{{.*}}, %[[NUMBER_A:[^,]*]], %[[OFFSET]], %[[SIZE_A]], %[[BYTES]], %{{.*}}, %{{.*}}) :
    %v = nv.load_global %a[%i] : memref<?x8xf32>, vector<4xf32>
    // CHECK: %[[NUMBER_B:.*]] = llvm.mlir.constant(1 : i32) : i32
    // CHECK: llvm.call %{{.*}}(%[[LANE]], %{{.*}}, %[[NUMBER_B]], %{{[^,]*}}, %[[SIZE_B]], %{{.*}}) :
    nv.store_global %v, %b[%k] : vector<4xf32>, memref<?x8xf32>
    return
  }
}

// Each op is a call: the lane, the op and its place in the source, then what the
// op has. Values cross in the lane's scratch memory.
// CHECK-LABEL: module @calls
// One string an op, though two have one place.
// CHECK-DAG: llvm.mlir.global private constant @calls.where.0("nv.load_global at model.mlir:12:3\00")
// CHECK-DAG: llvm.mlir.global private constant @calls.where.1("nv.load_global at model.mlir:12:3\00")
// CHECK-DAG: llvm.mlir.global private constant @calls.where.2("nv.store_global at layers.0\00")
// CHECK-DAG: llvm.mlir.global private constant @calls.where.3("nv.load_shared at b.mlir:4:5\00")
// CHECK-DAG: llvm.mlir.global private constant @calls.where.4("nv.store_shared\00")
// CHECK: func.func @calls(%{{.*}}: !llvm.ptr, %[[LANE:.*]]: !llvm.ptr) {
// CHECK: %[[SCRATCH:.*]] = llvm.alloca %{{.*}} x i8 {alignment = 16 : i64}
module @calls attributes {program.kernel, program.threads = 32 : i64} {
  func.func @calls(%q: memref<?x64xbf16>, %n: index, %rows: index) {
    %p = arith.cmpi slt, %n, %rows : index
    %a = arith.index_cast %n : index to i32
    // CHECK: %[[FLAG:.*]] = arith.extui %{{.*}} : i1 to i32
    // CHECK: %[[WHERE:.*]] = llvm.mlir.addressof @calls.where.0
    // CHECK: %[[PT:.*]] = llvm.getelementptr %[[LANE]][4]
    // CHECK: %[[TABLE:.*]] = llvm.load %[[PT]] : !llvm.ptr -> !llvm.ptr
    // CHECK: %[[SLOT:.*]] = llvm.getelementptr %[[TABLE]][0] : (!llvm.ptr) -> !llvm.ptr, i64
    // CHECK: %[[F:.*]] = llvm.load %[[SLOT]] : !llvm.ptr -> !llvm.ptr
    // CHECK: llvm.call %[[F]](%[[LANE]], %[[WHERE]], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %[[FLAG]], %{{.*}}) : !llvm.ptr, (!llvm.ptr, !llvm.ptr, i32, i64, i64, i32, i32, !llvm.ptr) -> ()
    // CHECK: llvm.load %{{.*}} {alignment = 1 : i64} : !llvm.ptr -> vector<8xbf16>
    %v = nv.load_global %q[%n] if %p : memref<?x64xbf16>, vector<8xbf16> loc("/tmp/some/model.mlir":12:3)
    // Without a predicate it is 1; bytes: 2.
    // CHECK-DAG: llvm.mlir.constant(2 : i32)
    // CHECK-DAG: llvm.mlir.constant(1 : i32)
    // CHECK-DAG: llvm.mlir.addressof @calls.where.1
    // CHECK: llvm.load %{{.*}} {alignment = 1 : i64} : !llvm.ptr -> vector<1xbf16>
    %u = nv.load_global %q[%n] : memref<?x64xbf16>, vector<1xbf16> loc("/tmp/some/model.mlir":12:3)
    // CHECK: llvm.store %{{.*}}, %{{.*}} {alignment = 1 : i64} : vector<8xbf16>, !llvm.ptr
    // CHECK: llvm.getelementptr %{{.*}}[1] : (!llvm.ptr) -> !llvm.ptr, i64
    // CHECK: llvm.call
    nv.store_global %v, %q[%n] : vector<8xbf16>, memref<?x64xbf16> loc("layers.0")
    // CHECK: llvm.getelementptr %{{.*}}[2] : (!llvm.ptr) -> !llvm.ptr, i64
    // CHECK: llvm.call %{{.*}} : !llvm.ptr, (!llvm.ptr, !llvm.ptr, i32, i32, !llvm.ptr) -> ()
    %w = nv.load_shared %a : vector<4xf32> loc(fused<"made of two">[unknown, "b.mlir":4:5])
    // CHECK: llvm.getelementptr %{{.*}}[3] : (!llvm.ptr) -> !llvm.ptr, i64
    // CHECK: llvm.call %{{.*}} : !llvm.ptr, (!llvm.ptr, !llvm.ptr, i32, i32, i32, !llvm.ptr) -> ()
    nv.store_shared %w, %a if %p : vector<4xf32> loc(unknown)
    return
  }
}

// CHECK-LABEL: module @copies
// CHECK: func.func @copies
module @copies attributes {program.kernel, program.threads = 32 : i64} {
  func.func @copies(%q: memref<?x64xbf16>, %n: index, %rows: index) {
    %p = arith.cmpi slt, %n, %rows : index
    %a = arith.index_cast %n : index to i32
    // The shared address, then the global place.
    // CHECK: llvm.mlir.constant(16 : i32)
    // CHECK: llvm.getelementptr %{{.*}}[4] : (!llvm.ptr) -> !llvm.ptr, i64
    // CHECK: llvm.getelementptr %{{.*}}[4] : (!llvm.ptr) -> !llvm.ptr, i64
    // CHECK: llvm.call %{{.*}} : !llvm.ptr, (!llvm.ptr, !llvm.ptr, i32, i32, i64, i64, i32, i32) -> ()
    nv.copy_async %q[%n], %a if %p {bytes = 16 : i64} : memref<?x64xbf16>
    // CHECK: llvm.getelementptr %{{.*}}[5] : (!llvm.ptr) -> !llvm.ptr, i64
    // CHECK: llvm.call %{{.*}} : !llvm.ptr, (!llvm.ptr, !llvm.ptr) -> ()
    nv.commit_copies
    // CHECK: %[[PENDING:.*]] = llvm.mlir.constant(3 : i32)
    // CHECK: llvm.getelementptr %{{.*}}[6] : (!llvm.ptr) -> !llvm.ptr, i64
    // CHECK: llvm.call %{{.*}}(%{{.*}}, %{{.*}}, %[[PENDING]]) : !llvm.ptr, (!llvm.ptr, !llvm.ptr, i32) -> ()
    nv.wait_copies 3
    // CHECK: llvm.getelementptr %{{.*}}[7] : (!llvm.ptr) -> !llvm.ptr, i64
    // CHECK: llvm.call %{{.*}} : !llvm.ptr, (!llvm.ptr, !llvm.ptr) -> ()
    nv.barrier
    return
  }
}

// A shuffle is of 32 bits; one of 64 is two.
// CHECK-LABEL: module @shuffles
// CHECK: func.func @shuffles
module @shuffles attributes {program.kernel, program.threads = 32 : i64} {
  func.func @shuffles(%q: memref<2xf64>, %n: index) {
    %a = arith.index_cast %n : index to i32
    %v = nv.load_shared %a : vector<1xf32>
    %f = vector.extract %v[0] : f32 from vector<1xf32>
    // CHECK: %[[BITS:.*]] = arith.bitcast %{{.*}} : f32 to i32
    // CHECK: %[[MASK:.*]] = llvm.mlir.constant(16 : i32)
    // CHECK: llvm.getelementptr %{{.*}}[8] : (!llvm.ptr) -> !llvm.ptr, i64
    // CHECK: %[[R:.*]] = llvm.call %{{.*}}(%{{.*}}, %{{.*}}, %[[BITS]], %[[MASK]]) : !llvm.ptr, (!llvm.ptr, !llvm.ptr, i32, i32) -> i32
    // CHECK: arith.bitcast %[[R]] : i32 to f32
    %g = nv.shuffle_xor %f, 16 : f32
    %d = arith.extf %g : f32 to f64
    // CHECK: %[[WIDE:.*]] = arith.bitcast %{{.*}} : f64 to i64
    // CHECK: arith.trunci %{{.*}} : i64 to i32
    // CHECK: %[[LOW:.*]] = llvm.call %{{.*}} -> i32
    // CHECK: arith.extui %[[LOW]] : i32 to i64
    // CHECK: %[[BY:.*]] = llvm.mlir.constant(32 : i64)
    // CHECK: arith.shrui %[[WIDE]], %[[BY]]
    // CHECK: %[[HIGH:.*]] = llvm.call %{{.*}} -> i32
    // CHECK: arith.shli
    // CHECK: %[[BOTH:.*]] = arith.ori
    // CHECK: arith.bitcast %[[BOTH]] : i64 to f64
    %e = nv.shuffle_xor %d, 1 : f64
    %w = vector.broadcast %e : f64 to vector<1xf64>
    nv.store_global %w, %q[%n] : vector<1xf64>, memref<2xf64>
    return
  }
}

// Matrices: how many, and whether transposed; products: which kind, and three
// places of scratch memory, of which the last gets the result.
// CHECK-LABEL: module @matrices
// CHECK: func.func @matrices
// CHECK: %[[SCRATCH:.*]] = llvm.alloca
module @matrices attributes {program.kernel, program.threads = 32 : i64} {
  func.func @matrices(%q: memref<4xf32>, %n: index) {
    %s = arith.index_cast %n : index to i32
    // CHECK: %[[FOUR:.*]] = llvm.mlir.constant(4 : i32)
    // CHECK: %[[PLAIN:.*]] = llvm.mlir.constant(0 : i32)
    // CHECK: llvm.getelementptr %{{.*}}[9] : (!llvm.ptr) -> !llvm.ptr, i64
    // CHECK: llvm.call %{{.*}}(%{{.*}}, %{{.*}}, %{{.*}}, %[[FOUR]], %[[PLAIN]], %{{.*}})
    %a = nv.ldmatrix %s : vector<8xbf16>
    // CHECK: %[[TWO:.*]] = llvm.mlir.constant(2 : i32)
    // CHECK: %[[TRANSPOSED:.*]] = llvm.mlir.constant(1 : i32)
    // CHECK: llvm.call %{{.*}}(%{{.*}}, %{{.*}}, %{{.*}}, %[[TWO]], %[[TRANSPOSED]], %{{.*}})
    %b = nv.ldmatrix %s {transpose} : vector<4xbf16>
    %z = arith.constant dense<0.0> : vector<4xf32>
    // CHECK: llvm.getelementptr %[[SCRATCH]][0]
    // CHECK: llvm.store %{{.*}} : vector<8xbf16>, !llvm.ptr
    // CHECK: llvm.getelementptr %[[SCRATCH]][16]
    // CHECK: llvm.store %{{.*}} : vector<4xbf16>, !llvm.ptr
    // CHECK: llvm.getelementptr %[[SCRATCH]][32]
    // CHECK: llvm.store %{{.*}} : vector<4xf32>, !llvm.ptr
    // CHECK: %[[BF16:.*]] = llvm.mlir.constant(0 : i32)
    // CHECK: llvm.getelementptr %{{.*}}[10] : (!llvm.ptr) -> !llvm.ptr, i64
    // CHECK: llvm.call %{{.*}}(%{{.*}}, %{{.*}}, %[[BF16]], %{{.*}}, %{{.*}}, %{{.*}}) : !llvm.ptr, (!llvm.ptr, !llvm.ptr, i32, !llvm.ptr, !llvm.ptr, !llvm.ptr) -> ()
    // CHECK: %[[C:.*]] = llvm.getelementptr %[[SCRATCH]][32]
    // CHECK: llvm.load %[[C]] {alignment = 1 : i64} : !llvm.ptr -> vector<4xf32>
    %c = nv.mma_sync %a, %b, %z : vector<8xbf16>, vector<4xbf16>, vector<4xf32>
    %ah = nv.ldmatrix %s : vector<8xf16>
    %bh = nv.ldmatrix %s : vector<4xf16>
    // CHECK: %[[F16:.*]] = llvm.mlir.constant(1 : i32)
    // CHECK: llvm.call %{{.*}}(%{{.*}}, %{{.*}}, %[[F16]], %{{.*}}, %{{.*}}, %{{.*}})
    %d = nv.mma_sync %ah, %bh, %c : vector<8xf16>, vector<4xf16>, vector<4xf32>
    %bt = nv.load_shared %s : vector<2xf32>
    // CHECK: llvm.getelementptr %{{.*}}[2] : (!llvm.ptr) -> !llvm.ptr, i64
    // CHECK: %[[TF32:.*]] = llvm.mlir.constant(2 : i32)
    // CHECK: llvm.call %{{.*}}(%{{.*}}, %{{.*}}, %[[TF32]], %{{.*}}, %{{.*}}, %{{.*}})
    %e = nv.mma_sync %d, %bt, %d : vector<4xf32>, vector<2xf32>, vector<4xf32>
    nv.store_global %e, %q[%n] : vector<4xf32>, memref<4xf32>
    return
  }
}
