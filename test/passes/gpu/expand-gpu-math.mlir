// RUN: infini-opt %s -infini-expand-gpu-math | FileCheck %s --implicit-check-not="math.{{exp|log|sin|cos|tan|pow|erf|a[ct]|cbrt|rsqrt}}"

// What is left are instructions: fused multiply-add, 2^x in f32, square roots,
// rounding, signs, and questions. Nothing else of math is in the output but
// where a line asks for it.

// What stays.
// CHECK-LABEL: func @stay
func.func @stay(%x: f32, %y: f32, %d: f64, %v: vector<4xf32>, %h: bf16) {
  // CHECK-NEXT: math.exp2 %{{.*}} : f32
  %0 = math.exp2 %x : f32
  // CHECK-NEXT: math.exp2 %{{.*}} : vector<4xf32>
  %1 = math.exp2 %v : vector<4xf32>
  // CHECK-NEXT: math.sqrt %{{.*}} : f32
  %2 = math.sqrt %x : f32
  // CHECK-NEXT: math.sqrt %{{.*}} : f64
  %3 = math.sqrt %d : f64
  // CHECK-NEXT: math.fma
  %4 = math.fma %x, %y, %x : f32
  // CHECK-NEXT: math.absf
  %5 = math.absf %x : f32
  // CHECK-NEXT: math.floor
  %6 = math.floor %d : f64
  // CHECK-NEXT: math.ceil
  %7 = math.ceil %x : f32
  // CHECK-NEXT: math.round %
  %8 = math.round %x : f32
  // CHECK-NEXT: math.roundeven
  %9 = math.roundeven %d : f64
  // CHECK-NEXT: math.trunc
  %10 = math.trunc %x : f32
  // CHECK-NEXT: math.copysign
  %11 = math.copysign %x, %y : f32
  // CHECK-NEXT: math.isnan
  %12 = math.isnan %x : f32
  // CHECK-NEXT: math.isinf
  %13 = math.isinf %d : f64
  // CHECK-NEXT: math.isfinite
  %14 = math.isfinite %x : f32
  // Of 16 bits, too; what has none is computed in f32 before this pass.
  // CHECK-NEXT: math.sqrt %{{.*}} : bf16
  %15 = math.sqrt %h : bf16
  // CHECK-NEXT: call @sink
  call @sink(%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15)
    : (f32, vector<4xf32>, f32, f64, f32, f32, f64, f32, f32, f64, f32, f32, i1, i1, i1, bf16) -> ()
  return
}
func.func private @sink(f32, vector<4xf32>, f32, f64, f32, f32, f64, f32, f32, f64, f32, f32, i1, i1, i1, bf16)

// e^x in f32, as on the CPU: a polynomial of degree 7, and 2^n in two factors.
// CHECK-LABEL: func @exp
// CHECK-DAG: arith.constant dense<1.44269502> : vector<8xf32>
// CHECK-COUNT-9: math.fma %{{.*}} : vector<8xf32>
// CHECK-NOT: math.
// CHECK: return
func.func @exp(%x: vector<8xf32>) -> vector<8xf32> {
  %y = math.exp %x : vector<8xf32>
  return %y : vector<8xf32>
}

// e^x in f64: x = n ln 2 + r, then a quotient of polynomials of r.
// CHECK-LABEL: func @exp_f64
// CHECK-SAME: (%[[X:.*]]: f64)
// CHECK-DAG: %[[LOW:.*]] = arith.constant -8.000000e+02 : f64
// CHECK-DAG: %[[HIGH:.*]] = arith.constant 7.200000e+02 : f64
// CHECK-DAG: %[[LOG2E:.*]] = arith.constant 1.4426950408889634 : f64
// CHECK-DAG: %[[LN2:.*]] = arith.constant -0.693145751953125 : f64
// CHECK-DAG: %[[REST:.*]] = arith.constant -1.4286068203094173E-6 : f64
// Ordered comparisons: NaN passes.
// CHECK: arith.cmpf olt, %[[X]], %[[LOW]]
// CHECK: arith.cmpf olt, %[[HIGH]], %{{.*}}
// CHECK: %[[Q:.*]] = arith.mulf %[[C:.*]], %[[LOG2E]]
// CHECK: %[[N:.*]] = math.roundeven %[[Q]]
// ln 2 is subtracted in two parts.
// CHECK: %[[R0:.*]] = math.fma %[[N]], %[[LN2]], %[[C]]
// CHECK: %[[R:.*]] = math.fma %[[N]], %[[REST]], %[[R0]]
// CHECK: arith.mulf %[[R]], %[[R]]
// CHECK: arith.divf
// 2^n in two factors, so that results may be subnormal or infinite.
// CHECK: %[[I:.*]] = arith.fptosi %[[N]] : f64 to i64
// CHECK: %[[HALF:.*]] = arith.shrsi %[[I]]
// CHECK: arith.subi %[[I]], %[[HALF]]
// CHECK-COUNT-2: arith.bitcast %{{.*}} : i64 to f64
// CHECK: return
func.func @exp_f64(%x: f64) -> f64 {
  %y = math.exp %x : f64
  return %y : f64
}

// 2^x in f64: the whole part goes to the exponent, e^x does the rest.
// CHECK-LABEL: func @exp2_f64
// CHECK: %[[N:.*]] = math.roundeven %[[X:.*]] : vector<2xf64>
// CHECK: %[[R:.*]] = arith.subf %[[X]], %[[N]]
// CHECK: arith.mulf %[[R]], %{{.*}} : vector<2xf64>
// CHECK: arith.bitcast %{{.*}} : vector<2xi64> to vector<2xf64>
// CHECK: return
func.func @exp2_f64(%x: vector<2xf64>) -> vector<2xf64> {
  %y = math.exp2 %x : vector<2xf64>
  return %y : vector<2xf64>
}

// π/2 is subtracted in three parts, both functions of the rest are computed, and
// the quadrant's bits choose: bit 0 which, bit 1 the sign.
// CHECK-LABEL: func @sin_f64
// CHECK-SAME: (%[[X:.*]]: f64)
// CHECK-DAG: %[[P1:.*]] = arith.constant -1.5707963267948966 : f64
// CHECK-DAG: %[[P2:.*]] = arith.constant -6.123233995736766E-17 : f64
// CHECK-DAG: %[[P3:.*]] = arith.constant 1.4973849048591698E-33 : f64
// CHECK: %[[N:.*]] = math.roundeven
// CHECK: %[[R0:.*]] = math.fma %[[N]], %[[P1]], %[[X]]
// CHECK: %[[R1:.*]] = math.fma %[[N]], %[[P2]], %[[R0]]
// CHECK: math.fma %[[N]], %[[P3]], %[[R1]]
// CHECK: %[[I:.*]] = arith.fptosi %[[N]] : f64 to i64
// CHECK: arith.andi %[[I]], %c1_i64
// CHECK: %[[VALUE:.*]] = arith.select
// CHECK: %[[NEGATIVE:.*]] = arith.negf %[[VALUE]]
// CHECK: arith.andi %[[I]], %c2_i64
// CHECK: arith.select %{{.*}}, %[[NEGATIVE]], %[[VALUE]]
func.func @sin_f64(%x: f64) -> f64 {
  %y = math.sin %x : f64
  return %y : f64
}

// The cosine is the sine a quadrant later.
// CHECK-LABEL: func @cos_f64
// CHECK: %[[I:.*]] = arith.fptosi
// CHECK: %[[NEXT:.*]] = arith.addi %[[I]], %c1_i64
// CHECK: arith.andi %[[NEXT]], %c1_i64
func.func @cos_f64(%x: f64) -> f64 {
  %y = math.cos %x : f64
  return %y : f64
}

// In f32 by way of f64: no argument is too large to reduce.
// CHECK-LABEL: func @sin_f32
// CHECK: arith.extf %{{.*}} : vector<4xf32> to vector<4xf64>
// CHECK: arith.truncf %{{.*}} : vector<4xf64> to vector<4xf32>
// CHECK-NEXT: return
func.func @sin_f32(%x: vector<4xf32>) -> vector<4xf32> {
  %y = math.sin %x : vector<4xf32>
  return %y : vector<4xf32>
}

// The others in f32: arithmetic, without a call of any library.
// CHECK-LABEL: func @f32
// CHECK-NOT: {{call|math\.(fpowi|log10)}}
// CHECK: return
func.func @f32(%x: f32) -> f32 {
  %0 = math.expm1 %x : f32
  %1 = math.log %0 : f32
  %2 = math.log2 %1 : f32
  %3 = math.log1p %2 : f32
  %4 = math.cos %3 : f32
  %5 = math.tan %4 : f32
  %6 = math.sinh %5 : f32
  %7 = math.cosh %6 : f32
  %8 = math.tanh %7 : f32
  %9 = math.asin %8 : f32
  %10 = math.acos %9 : f32
  %11 = math.atan %10 : f32
  %12 = math.asinh %11 : f32
  %13 = math.acosh %12 : f32
  %14 = math.atanh %13 : f32
  %15 = math.erf %14 : f32
  %16 = math.erfc %15 : f32
  %17 = math.rsqrt %16 : f32
  %18 = math.cbrt %17 : f32
  %19 = math.powf %18, %x : f32
  %20 = math.atan2 %19, %x : f32
  return %20 : f32
}

// What follows from e^x, sine, and cosine in f64.
// CHECK-LABEL: func @f64
// CHECK-NOT: call
// CHECK: math.sqrt
// CHECK: return
func.func @f64(%x: f64) -> f64 {
  %0 = math.tan %x : f64
  %1 = math.sinh %0 : f64
  %2 = math.cosh %1 : f64
  %3 = math.rsqrt %2 : f64
  return %3 : f64
}

// Inside loops, too.
// CHECK-LABEL: func @in_loop
// CHECK: scf.for
// CHECK: math.fma
// CHECK: scf.yield
func.func @in_loop(%x: f32, %n: index) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%y = %x) -> f32 {
    %z = math.tanh %y : f32
    scf.yield %z : f32
  }
  return %r : f32
}
