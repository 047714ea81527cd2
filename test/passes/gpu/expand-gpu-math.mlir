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

// e^x in f64: x = n ln 2 + r, then a polynomial of r.
// CHECK-LABEL: func @exp_f64
// CHECK-SAME: (%[[X:.*]]: f64)
// CHECK-DAG: %[[LOW:.*]] = arith.constant -8.000000e+02 : f64
// CHECK-DAG: %[[HIGH:.*]] = arith.constant 7.200000e+02 : f64
// CHECK-DAG: %[[LOG2E:.*]] = arith.constant 1.4426950408889634 : f64
// CHECK-DAG: %[[MAGIC:.*]] = arith.constant 0x4338000000000000 : f64
// CHECK-DAG: %[[LN2:.*]] = arith.constant -0.693145751953125 : f64
// CHECK-DAG: %[[REST:.*]] = arith.constant -1.4286068203094173E-6 : f64
// Ordered comparisons: NaN passes.
// CHECK: arith.cmpf olt, %[[X]], %[[LOW]]
// CHECK: arith.cmpf ogt, %{{.*}}, %[[HIGH]]
// CHECK: %[[Q:.*]] = arith.mulf %[[C:.*]], %[[LOG2E]]
// CHECK: %[[SHIFTED:.*]] = arith.addf %[[Q]], %[[MAGIC]]
// CHECK: %[[N:.*]] = arith.subf %[[SHIFTED]], %[[MAGIC]]
// CHECK: %[[RAW:.*]] = arith.bitcast %[[SHIFTED]] : f64 to i64
// CHECK: %[[I:.*]] = arith.subi %[[RAW]]
// ln 2 is subtracted in two parts.
// CHECK: %[[R0:.*]] = math.fma %[[N]], %[[LN2]], %[[C]]
// CHECK: %[[R:.*]] = math.fma %[[N]], %[[REST]], %[[R0]]
// CHECK-COUNT-12: math.fma %{{.*}}, %[[R]], %{{.*}} : f64
// 2^n in two factors, so that results may be subnormal or infinite.
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
// CHECK: %[[N:.*]] = arith.subf %{{.*}} : vector<2xf64>
// CHECK: %[[R:.*]] = arith.subf %{{.*}}, %[[N]]
// CHECK: arith.mulf %[[R]], %{{.*}} : vector<2xf64>
// CHECK: arith.bitcast %{{.*}} : vector<2xi64> to vector<2xf64>
// CHECK: return
func.func @exp2_f64(%x: vector<2xf64>) -> vector<2xf64> {
  %y = math.exp2 %x : vector<2xf64>
  return %y : vector<2xf64>
}

// π/2 is subtracted in three parts, both functions of the rest are computed, and
// the quadrant's bits choose: bit 0 which, bit 1 the sign. What is too large is no
// number.
// CHECK-LABEL: func @sin_f64
// CHECK-SAME: (%[[X:.*]]: f64)
// CHECK-DAG: %[[NAN:.*]] = arith.constant 0x7FF8000000000000 : f64
// CHECK-DAG: %[[MOST:.*]] = arith.constant 0x42C0000000000000 : f64
// CHECK-DAG: %[[P1:.*]] = arith.constant -1.5707963267948966 : f64
// CHECK-DAG: %[[P2:.*]] = arith.constant -6.123233995736766E-17 : f64
// CHECK-DAG: %[[P3:.*]] = arith.constant 1.4973849048591698E-33 : f64
// CHECK: %[[SIZE:.*]] = math.absf %[[X]]
// CHECK: %[[FITS:.*]] = arith.cmpf olt, %[[SIZE]], %[[MOST]]
// CHECK: %[[FIT:.*]] = arith.select %[[FITS]], %[[X]], %[[NAN]]
// CHECK: %[[N:.*]] = arith.subf
// CHECK: %[[I:.*]] = arith.subi
// CHECK: %[[R0:.*]] = math.fma %[[N]], %[[P1]], %[[FIT]]
// CHECK: %[[R1:.*]] = math.fma %[[N]], %[[P2]], %[[R0]]
// CHECK: math.fma %[[N]], %[[P3]], %[[R1]]
// CHECK: arith.andi %[[I]], %c1_i64
// CHECK: %[[VALUE:.*]] = arith.select
// CHECK-DAG: arith.andi %[[I]], %c2_i64
// CHECK-DAG: %[[NEGATIVE:.*]] = arith.negf %[[VALUE]]
// CHECK: arith.select %{{.*}}, %[[NEGATIVE]], %[[VALUE]]
// The sign of 0 stays.
// CHECK: arith.cmpf oeq, %[[X]]
// CHECK: arith.select %{{.*}}, %[[X]], %{{.*}}
func.func @sin_f64(%x: f64) -> f64 {
  %y = math.sin %x : f64
  return %y : f64
}

// The cosine is the sine a quadrant later.
// CHECK-LABEL: func @cos_f64
// CHECK: %[[NEXT:.*]] = arith.addi %{{.*}}, %c1_i64
// CHECK: arith.andi %[[NEXT]], %c1_i64
func.func @cos_f64(%x: f64) -> f64 {
  %y = math.cos %x : f64
  return %y : f64
}

// In f32 by way of f64: multiples of 2π leave products with six pieces of 2/π, so
// that no argument is too large.
// CHECK-LABEL: func @sin_f32
// CHECK: arith.extf %{{.*}} : vector<4xf32> to vector<4xf64>
// CHECK-COUNT-12: math.roundeven %{{.*}} : vector<4xf64>
// CHECK-NOT: math.roundeven
// CHECK: arith.truncf %{{.*}} : vector<4xf64> to vector<4xf32>
// CHECK: return
func.func @sin_f32(%x: vector<4xf32>) -> vector<4xf32> {
  %y = math.sin %x : vector<4xf32>
  return %y : vector<4xf32>
}

// Logarithms: the exponent, and a polynomial of the fraction. Zero, negative
// numbers, ∞, and NaN are chosen at the end.
// CHECK-LABEL: func @log
// CHECK-SAME: (%[[X:.*]]: f32)
// CHECK-DAG: %[[NAN:.*]] = arith.constant 0x7FC00000 : f32
// CHECK-DAG: %[[INF:.*]] = arith.constant 0x7F800000 : f32
// CHECK-DAG: %[[LESS:.*]] = arith.constant 0xFF800000 : f32
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// Subnormal numbers are made larger.
// CHECK: arith.cmpf olt, %[[X]]
// CHECK: arith.shrsi
// CHECK-COUNT-7: math.fma
// CHECK-DAG: arith.cmpf ogt, %[[X]], %[[ZERO]]
// CHECK-DAG: arith.cmpf olt, %[[X]], %[[INF]]
// CHECK: arith.select %{{.*}}, %[[NAN]], %[[X]]
// CHECK: arith.select %{{.*}}, %[[LESS]], %{{.*}}
// CHECK: %[[Y:.*]] = arith.select
// CHECK-NEXT: return %[[Y]]
func.func @log(%x: f32) -> f32 {
  %y = math.log %x : f32
  return %y : f32
}

// Powers of f32 in f64, of numbers and whole numbers alike.
// CHECK-LABEL: func @powf
// CHECK-SAME: (%{{.*}}: f32, %[[Y:.*]]: f32)
// CHECK: arith.extf %[[Y]] : f32 to f64
// CHECK: arith.truncf %{{.*}} : f64 to f32
func.func @powf(%x: f32, %y: f32) -> f32 {
  %z = math.powf %x, %y : f32
  return %z : f32
}
// CHECK-LABEL: func @fpowi
// CHECK-SAME: (%{{.*}}: vector<2xf32>, %[[N:.*]]: vector<2xi32>)
// CHECK: arith.sitofp %[[N]] : vector<2xi32> to vector<2xf64>
// CHECK: arith.truncf %{{.*}} : vector<2xf64> to vector<2xf32>
func.func @fpowi(%x: vector<2xf32>, %n: vector<2xi32>) -> vector<2xf32> {
  %z = math.fpowi %x, %n : vector<2xf32>, vector<2xi32>
  return %z : vector<2xf32>
}

// Some exponents take few instructions, in f64, too.
// CHECK-LABEL: func @square
// CHECK-SAME: (%[[X:.*]]: vector<4xf32>)
// CHECK-NEXT: %[[Y:.*]] = arith.mulf %[[X]], %[[X]]
// CHECK-NEXT: return %[[Y]]
func.func @square(%x: vector<4xf32>) -> vector<4xf32> {
  %two = arith.constant dense<2.0> : vector<4xf32>
  %y = math.powf %x, %two : vector<4xf32>
  return %y : vector<4xf32>
}
// CHECK-LABEL: func @cube
// CHECK-SAME: (%[[X:.*]]: f64)
// CHECK-NEXT: %[[SQUARE:.*]] = arith.mulf %[[X]], %[[X]]
// CHECK-NEXT: %[[Y:.*]] = arith.mulf %[[SQUARE]], %[[X]]
// CHECK-NEXT: return %[[Y]]
func.func @cube(%x: f64) -> f64 {
  %three = arith.constant 3 : i32
  %y = math.fpowi %x, %three : f64, i32
  return %y : f64
}
// −∞ to the power of 1/2 is ∞, and −0 is 0.
// CHECK-LABEL: func @root
// CHECK-SAME: (%[[X:.*]]: f64)
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f64
// CHECK-DAG: %[[INF:.*]] = arith.constant 0x7FF0000000000000 : f64
// CHECK-DAG: %[[LESS:.*]] = arith.constant 0xFFF0000000000000 : f64
// CHECK: %[[SUM:.*]] = arith.addf %[[X]], %[[ZERO]]
// CHECK: %[[ROOT:.*]] = math.sqrt %[[SUM]]
// CHECK: %[[IS:.*]] = arith.cmpf oeq, %[[X]], %[[LESS]]
// CHECK: %[[Y:.*]] = arith.select %[[IS]], %[[INF]], %[[ROOT]]
// CHECK-NEXT: return %[[Y]]
func.func @root(%x: f64) -> f64 {
  %half = arith.constant 0.5 : f64
  %y = math.powf %x, %half : f64
  return %y : f64
}

// All in f32: arithmetic, without a call of any library.
// CHECK-LABEL: func @f32
// CHECK-NOT: {{call|math\.(fpowi|log10|erfc)}}
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
  %21 = math.log10 %20 : f32
  return %21 : f32
}

// All that f64 has.
// CHECK-LABEL: func @f64
// CHECK-NOT: {{call|math\.log10}}
// CHECK: return
func.func @f64(%x: f64) -> f64 {
  %0 = math.expm1 %x : f64
  %1 = math.log %0 : f64
  %2 = math.log2 %1 : f64
  %3 = math.log1p %2 : f64
  %4 = math.cos %3 : f64
  %5 = math.tan %4 : f64
  %6 = math.sinh %5 : f64
  %7 = math.cosh %6 : f64
  %8 = math.tanh %7 : f64
  %9 = math.asin %8 : f64
  %10 = math.acos %9 : f64
  %11 = math.atan %10 : f64
  %12 = math.asinh %11 : f64
  %13 = math.acosh %12 : f64
  %14 = math.atanh %13 : f64
  %15 = math.rsqrt %14 : f64
  %16 = math.cbrt %15 : f64
  %17 = math.atan2 %16, %x : f64
  %18 = math.log10 %17 : f64
  return %18 : f64
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
