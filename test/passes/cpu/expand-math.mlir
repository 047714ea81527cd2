// RUN: infini-opt %s --infini-expand-math --split-input-file | FileCheck %s

// CHECK-LABEL: func @exp2
// CHECK-SAME: (%[[ARG:.*]]: f32)
func.func @exp2(%x: f32) -> f32 {
  // CHECK-DAG: %[[LOW:.*]] = arith.constant -1.520000e+02 : f32
  // CHECK-DAG: %[[HIGH:.*]] = arith.constant 1.300000e+02 : f32
  // CHECK-DAG: %[[MAGIC:.*]] = arith.constant 0x4B400000 : f32
  // CHECK-DAG: %[[BITS:.*]] = arith.constant 1262485504 : i32
  // CHECK-DAG: %[[BIAS:.*]] = arith.constant 127 : i32
  // CHECK-DAG: %[[C1:.*]] = arith.constant 1 : i32
  // CHECK-DAG: %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
  // Ordered comparisons: NaN passes.
  // CHECK: %[[ISLOW:.*]] = arith.cmpf olt, %[[ARG]], %[[LOW]]
  // CHECK: %[[A:.*]] = arith.select %[[ISLOW]], %[[LOW]], %[[ARG]]
  // CHECK: %[[ISHIGH:.*]] = arith.cmpf ogt, %[[A]], %[[HIGH]]
  // CHECK: %[[X:.*]] = arith.select %[[ISHIGH]], %[[HIGH]], %[[A]]
  // The nearest integer, as a number and from the bits.
  // CHECK: %[[SHIFTED:.*]] = arith.addf %[[X]], %[[MAGIC]]
  // CHECK: %[[R:.*]] = arith.subf %[[SHIFTED]], %[[MAGIC]]
  // CHECK: %[[RAW:.*]] = arith.bitcast %[[SHIFTED]] : f32 to i32
  // CHECK: %[[N:.*]] = arith.subi %[[RAW]], %[[BITS]]
  // CHECK: %[[F:.*]] = arith.subf %[[X]], %[[R]]
  // CHECK-COUNT-6: math.fma %{{.*}}, %[[F]], %{{.*}} : f32
  // 2^n in two factors, each of which is normal.
  // CHECK: %[[HALF:.*]] = arith.shrsi %[[N]], %[[C1]]
  // CHECK: %[[OTHER:.*]] = arith.subi %[[N]], %[[HALF]]
  // CHECK: arith.addi %[[HALF]], %[[BIAS]]
  // CHECK: arith.mulf
  // CHECK: arith.addi %[[OTHER]], %[[BIAS]]
  // CHECK: %[[Y:.*]] = arith.mulf
  // CHECK: return %[[Y]]
  %y = math.exp2 %x : f32
  return %y : f32
}

// -----

// CHECK-LABEL: func @exp_vector
func.func @exp_vector(%x: vector<8xf32>) -> vector<8xf32> {
  // CHECK-DAG: %[[LOG2E:.*]] = arith.constant dense<1.44269502> : vector<8xf32>
  // CHECK-DAG: %[[LN2:.*]] = arith.constant dense<-0.693359375> : vector<8xf32>
  // CHECK-DAG: %[[LN2LOW:.*]] = arith.constant dense<2.12194442E-4> : vector<8xf32>
  // CHECK: arith.mulf %[[X:.*]], %[[LOG2E]]
  // ln 2 is subtracted in two parts.
  // CHECK: %[[R:.*]] = math.fma %[[N:.*]], %[[LN2]], %[[X]]
  // CHECK: %[[F:.*]] = math.fma %[[N]], %[[LN2LOW]], %[[R]]
  // CHECK-COUNT-7: math.fma %{{.*}}, %[[F]], %{{.*}} : vector<8xf32>
  // CHECK: arith.bitcast %{{.*}} : vector<8xi32> to vector<8xf32>
  // CHECK-NOT: math.exp
  %y = math.exp %x : vector<8xf32>
  return %y : vector<8xf32>
}

// -----

// Inside loops, too.
// CHECK-LABEL: func @in_loop
func.func @in_loop(%m: memref<8xf32>) {
  // CHECK: scf.for
  // CHECK-NOT: math.exp
  // CHECK: memref.store
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %c8 step %c1 {
    %x = memref.load %m[%i] : memref<8xf32>
    %y = math.exp %x : f32
    memref.store %y, %m[%i] : memref<8xf32>
  }
  return
}

// -----

// Other types and functions stay calls.
// CHECK-LABEL: func @stay
func.func @stay(%x: f64, %h: f16, %b: bf16, %v: vector<4xf64>, %z: f32) -> (f64, f64, f16, bf16, vector<4xf64>, f32, f32, f32) {
  // CHECK-NEXT: math.exp %{{.*}} : f64
  %0 = math.exp %x : f64
  // CHECK-NEXT: math.exp2 %{{.*}} : f64
  %1 = math.exp2 %x : f64
  // CHECK-NEXT: math.exp %{{.*}} : f16
  %2 = math.exp %h : f16
  // CHECK-NEXT: math.exp2 %{{.*}} : bf16
  %3 = math.exp2 %b : bf16
  // CHECK-NEXT: math.exp %{{.*}} : vector<4xf64>
  %4 = math.exp %v : vector<4xf64>
  // CHECK-NEXT: math.expm1 %{{.*}} : f32
  %5 = math.expm1 %z : f32
  // CHECK-NEXT: math.tanh %{{.*}} : f32
  %6 = math.tanh %z : f32
  // CHECK-NEXT: math.cos %{{.*}} : f32
  %7 = math.cos %z : f32
  return %0, %1, %2, %3, %4, %5, %6, %7 : f64, f64, f16, bf16, vector<4xf64>, f32, f32, f32
}
