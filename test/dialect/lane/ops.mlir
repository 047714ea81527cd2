// RUN: infini-opt %s | FileCheck %s
// RUN: infini-opt %s | infini-opt | FileCheck %s
// RUN: infini-opt %s --mlir-print-op-generic | infini-opt | FileCheck %s
// RUN: infini-opt %s --emit-bytecode | infini-opt | FileCheck %s
// RUN: infini-opt %s --canonicalize --cse | FileCheck %s --check-prefix=FOLD

// The examples of LaneOps.td, and every optional part of every op.

// CHECK-LABEL: func @load_global
// CHECK-SAME: (%[[Q:.*]]: memref<?x64xbf16>, %{{.*}}: memref<8xi8>, %{{.*}}: memref<?x64xf64>, %[[I:.*]]: index, %[[P:.*]]: i1)
func.func @load_global(%q: memref<?x64xbf16>, %b: memref<8xi8>, %d: memref<?x64xf64>, %i: index, %p: i1)
    -> (vector<8xbf16>, vector<1xbf16>, vector<1xi8>, vector<2xf64>) {
  // CHECK-NEXT: nv.load_global %[[Q]][%[[I]]] if %[[P]] : memref<?x64xbf16>, vector<8xbf16>
  %0 = nv.load_global %q[%i] if %p : memref<?x64xbf16>, vector<8xbf16>
  // CHECK-NEXT: nv.load_global %[[Q]][%[[I]]] : memref<?x64xbf16>, vector<1xbf16>
  %1 = nv.load_global %q[%i] : memref<?x64xbf16>, vector<1xbf16>
  // CHECK-NEXT: nv.load_global %{{.*}}[%[[I]]] : memref<8xi8>, vector<1xi8>
  %2 = nv.load_global %b[%i] : memref<8xi8>, vector<1xi8>
  // CHECK-NEXT: nv.load_global %{{.*}}[%[[I]]] {note} : memref<?x64xf64>, vector<2xf64>
  %3 = nv.load_global %d[%i] {note} : memref<?x64xf64>, vector<2xf64>
  return %0, %1, %2, %3 : vector<8xbf16>, vector<1xbf16>, vector<1xi8>, vector<2xf64>
}

// CHECK-LABEL: func @store_global
// CHECK-SAME: (%[[X:.*]]: vector<8xbf16>, %[[O:.*]]: memref<?x64xbf16>, %[[I:.*]]: index, %[[P:.*]]: i1)
func.func @store_global(%x: vector<8xbf16>, %o: memref<?x64xbf16>, %i: index, %p: i1) {
  // CHECK-NEXT: nv.store_global %[[X]], %[[O]][%[[I]]] if %[[P]] : vector<8xbf16>, memref<?x64xbf16>
  nv.store_global %x, %o[%i] if %p : vector<8xbf16>, memref<?x64xbf16>
  // CHECK-NEXT: nv.store_global %[[X]], %[[O]][%[[I]]] : vector<8xbf16>, memref<?x64xbf16>
  nv.store_global %x, %o[%i] : vector<8xbf16>, memref<?x64xbf16>
  return
}

// CHECK-LABEL: func @shared
// CHECK-SAME: (%[[A:.*]]: i32, %[[P:.*]]: i1)
func.func @shared(%a: i32, %p: i1) {
  // CHECK-NEXT: %[[X:.*]] = nv.load_shared %[[A]] : vector<4xf32>
  %x = nv.load_shared %a : vector<4xf32>
  // CHECK-NEXT: %[[Y:.*]] = nv.load_shared %[[A]] : vector<1xi8>
  %y = nv.load_shared %a : vector<1xi8>
  // CHECK-NEXT: nv.store_shared %[[X]], %[[A]] if %[[P]] : vector<4xf32>
  nv.store_shared %x, %a if %p : vector<4xf32>
  // CHECK-NEXT: nv.store_shared %[[Y]], %[[A]] : vector<1xi8>
  nv.store_shared %y, %a : vector<1xi8>
  return
}

// CHECK-LABEL: func @copies
// CHECK-SAME: (%[[K:.*]]: memref<?x64xbf16>, %[[F:.*]]: memref<4xf32>, %[[I:.*]]: index, %[[A:.*]]: i32, %[[P:.*]]: i1)
func.func @copies(%k: memref<?x64xbf16>, %f: memref<4xf32>, %i: index, %a: i32, %p: i1) {
  // CHECK-NEXT: nv.copy_async %[[K]][%[[I]]], %[[A]] if %[[P]] {bytes = 16 : i64} : memref<?x64xbf16>
  nv.copy_async %k[%i], %a if %p {bytes = 16 : i64} : memref<?x64xbf16>
  // CHECK-NEXT: nv.copy_async %[[K]][%[[I]]], %[[A]] {bytes = 8 : i64} : memref<?x64xbf16>
  nv.copy_async %k[%i], %a {bytes = 8 : i64} : memref<?x64xbf16>
  // CHECK-NEXT: nv.copy_async %[[F]][%[[I]]], %[[A]] {bytes = 4 : i64} : memref<4xf32>
  nv.copy_async %f[%i], %a {bytes = 4 : i64} : memref<4xf32>
  // CHECK-NEXT: nv.commit_copies
  nv.commit_copies
  // CHECK-NEXT: nv.wait_copies 1
  nv.wait_copies 1
  // CHECK-NEXT: nv.barrier
  nv.barrier
  return
}

// CHECK-LABEL: func @shuffle_xor
func.func @shuffle_xor(%x: f32, %i: i32, %d: f64, %l: i64) -> (f32, i32, f64, i64) {
  // CHECK-NEXT: nv.shuffle_xor %{{.*}}, 16 : f32
  %0 = nv.shuffle_xor %x, 16 : f32
  // CHECK-NEXT: nv.shuffle_xor %{{.*}}, 1 : i32
  %1 = nv.shuffle_xor %i, 1 : i32
  // CHECK-NEXT: nv.shuffle_xor %{{.*}}, 31 : f64
  %2 = nv.shuffle_xor %d, 31 : f64
  // CHECK-NEXT: nv.shuffle_xor %{{.*}}, 3 : i64
  %3 = nv.shuffle_xor %l, 3 : i64
  return %0, %1, %2, %3 : f32, i32, f64, i64
}

// CHECK-LABEL: func @ldmatrix
func.func @ldmatrix(%p: i32) -> (vector<8xbf16>, vector<4xf16>, vector<2xi16>) {
  // CHECK-NEXT: nv.ldmatrix %{{.*}} : vector<8xbf16>
  %0 = nv.ldmatrix %p : vector<8xbf16>
  // CHECK-NEXT: nv.ldmatrix %{{.*}} {transpose} : vector<4xf16>
  %1 = nv.ldmatrix %p {transpose} : vector<4xf16>
  // CHECK-NEXT: nv.ldmatrix %{{.*}} : vector<2xi16>
  %2 = nv.ldmatrix %p : vector<2xi16>
  return %0, %1, %2 : vector<8xbf16>, vector<4xf16>, vector<2xi16>
}

// CHECK-LABEL: func @mma_sync
func.func @mma_sync(%a: vector<8xbf16>, %b: vector<4xbf16>, %ah: vector<8xf16>, %bh: vector<4xf16>, %at: vector<4xf32>, %bt: vector<2xf32>,
                    %c: vector<4xf32>) -> vector<4xf32> {
  // CHECK-NEXT: nv.mma_sync %{{.*}}, %{{.*}}, %{{.*}} : vector<8xbf16>, vector<4xbf16>, vector<4xf32>
  %0 = nv.mma_sync %a, %b, %c : vector<8xbf16>, vector<4xbf16>, vector<4xf32>
  // CHECK-NEXT: nv.mma_sync %{{.*}}, %{{.*}}, %{{.*}} : vector<8xf16>, vector<4xf16>, vector<4xf32>
  %1 = nv.mma_sync %ah, %bh, %0 : vector<8xf16>, vector<4xf16>, vector<4xf32>
  // CHECK-NEXT: nv.mma_sync %{{.*}}, %{{.*}}, %{{.*}} : vector<4xf32>, vector<2xf32>, vector<4xf32>
  %2 = nv.mma_sync %at, %bt, %1 : vector<4xf32>, vector<2xf32>, vector<4xf32>
  return %2 : vector<4xf32>
}

// What is read twice with nothing in between is read once; behind a barrier, a
// wait, or a write, it is read again. What nobody needs goes.
// FOLD-LABEL: func @effects
// FOLD-SAME: (%[[A:.*]]: i32,
func.func @effects(%a: i32, %x: f32, %m: vector<8xbf16>, %n: vector<4xbf16>, %c: vector<4xf32>) -> (vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>) {
  // FOLD-NEXT: %[[R0:.*]] = nv.load_shared %[[A]]
  %0 = nv.load_shared %a : vector<4xf32>
  %1 = nv.load_shared %a : vector<4xf32>
  %2 = nv.shuffle_xor %x, 16 : f32
  %3 = nv.mma_sync %m, %n, %c : vector<8xbf16>, vector<4xbf16>, vector<4xf32>
  %4 = nv.ldmatrix %a : vector<8xbf16>
  // FOLD-NEXT: nv.barrier
  nv.barrier
  // FOLD-NEXT: %[[R1:.*]] = nv.load_shared %[[A]]
  %5 = nv.load_shared %a : vector<4xf32>
  // FOLD-NEXT: nv.wait_copies 0
  nv.wait_copies 0
  // FOLD-NEXT: %[[R2:.*]] = nv.load_shared %[[A]]
  %6 = nv.load_shared %a : vector<4xf32>
  // FOLD-NEXT: nv.store_shared
  nv.store_shared %c, %a : vector<4xf32>
  // FOLD-NEXT: %[[R3:.*]] = nv.load_shared %[[A]]
  %7 = nv.load_shared %a : vector<4xf32>
  %sum = arith.addf %0, %1 : vector<4xf32>
  // FOLD-NEXT: %[[SUM:.*]] = arith.addf %[[R0]], %[[R0]]
  // FOLD-NEXT: return %[[SUM]], %[[R1]], %[[R2]], %[[R3]]
  return %sum, %5, %6, %7 : vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>
}
