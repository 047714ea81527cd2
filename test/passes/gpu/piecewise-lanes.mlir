// RUN: infini-opt %s -pass-pipeline='builtin.module(func.func(infini-piecewise-lanes))' | FileCheck %s
// RUN: infini-opt %s -pass-pipeline='builtin.module(func.func(infini-piecewise-lanes{piece=8}))' | FileCheck %s --check-prefix=EIGHT
// RUN: not infini-opt %s -pass-pipeline='builtin.module(func.func(infini-piecewise-lanes{piece=0}))' 2>&1 | FileCheck %s --check-prefix=ERROR

// ERROR: error: expected option 'piece' to be at least 1, got 0

// Four elements at a time, from the first op to the last; constants of one
// number need no cutting. What others use is joined again.
// CHECK-LABEL: func @chain
// CHECK-SAME: (%[[X:.*]]: vector<16xf32>, %[[Y:.*]]: vector<16xf32>)
// CHECK: %[[X0:.*]] = vector.shuffle %[[X]], %[[X]] [0, 1, 2, 3]
// CHECK: %[[C0:.*]] = arith.constant dense<2.000000e+00> : vector<4xf32>
// CHECK: %[[M0:.*]] = arith.mulf %[[X0]], %[[C0]] : vector<4xf32>
// CHECK: %[[Y0:.*]] = vector.shuffle %[[Y]], %[[Y]] [0, 1, 2, 3]
// CHECK: %[[S0:.*]] = arith.addf %[[M0]], %[[Y0]] : vector<4xf32>
// CHECK: %[[E0:.*]] = math.exp2 %[[S0]] : vector<4xf32>
// CHECK: vector.shuffle %[[X]], %[[X]] [4, 5, 6, 7]
// CHECK: %[[M1:.*]] = arith.mulf
// CHECK: %[[E1:.*]] = math.exp2
// CHECK-COUNT-2: math.exp2 %{{.*}} : vector<4xf32>
// CHECK-NOT: math.exp2
// CHECK: vector.shuffle %[[M0]], %[[M1]] [0, 1, 2, 3, 4, 5, 6, 7]
// CHECK: vector.shuffle %[[E0]], %[[E1]] [0, 1, 2, 3, 4, 5, 6, 7]
// CHECK: return
// EIGHT-LABEL: func @chain
// EIGHT-COUNT-2: math.exp2 %{{.*}} : vector<8xf32>
// EIGHT-NOT: math.exp2
// EIGHT: return
func.func @chain(%x: vector<16xf32>, %y: vector<16xf32>) -> (vector<16xf32>, vector<16xf32>) {
  %c = arith.constant dense<2.0> : vector<16xf32>
  %0 = arith.mulf %x, %c : vector<16xf32>
  %1 = arith.addf %0, %y : vector<16xf32>
  %2 = math.exp2 %1 : vector<16xf32>
  return %2, %0 : vector<16xf32>, vector<16xf32>
}

// One op is no chain, five elements are no pieces, and a number for all is one
// for each piece.
// CHECK-LABEL: func @stay
// CHECK-NEXT: math.exp2 %{{.*}} : vector<16xf32>
// CHECK-NEXT: math.exp2 %{{.*}} : vector<5xf32>
// CHECK-NEXT: math.exp2 %{{.*}} : vector<5xf32>
// CHECK-NEXT: return
func.func @stay(%x: vector<16xf32>, %y: vector<5xf32>) -> (vector<16xf32>, vector<5xf32>) {
  %0 = math.exp2 %x : vector<16xf32>
  %1 = math.exp2 %y : vector<5xf32>
  %2 = math.exp2 %1 : vector<5xf32>
  return %0, %2 : vector<16xf32>, vector<5xf32>
}

// Types may change in the chain, and a condition may be one for all.
// CHECK-LABEL: func @types
// CHECK-SAME: (%{{.*}}: vector<8xbf16>, %[[P:.*]]: i1)
// CHECK: arith.extf %{{.*}} : vector<4xbf16> to vector<4xf32>
// CHECK: arith.cmpf olt, %{{.*}} : vector<4xf32>
// CHECK: arith.select %{{.*}} : vector<4xi1>, vector<4xf32>
// CHECK: arith.select %[[P]], %{{.*}} : vector<4xf32>
// CHECK: arith.truncf %{{.*}} : vector<4xf32> to vector<4xbf16>
// CHECK: arith.extf %{{.*}} : vector<4xbf16> to vector<4xf32>
func.func @types(%x: vector<8xbf16>, %p: i1) -> vector<8xbf16> {
  %z = arith.constant dense<0.0> : vector<8xf32>
  %0 = arith.extf %x : vector<8xbf16> to vector<8xf32>
  %1 = arith.cmpf olt, %0, %z : vector<8xf32>
  %2 = arith.select %1, %z, %0 : vector<8xi1>, vector<8xf32>
  %3 = arith.select %p, %2, %0 : vector<8xf32>
  %4 = arith.truncf %3 : vector<8xf32> to vector<8xbf16>
  return %4 : vector<8xbf16>
}

// A use in a loop ends the chain in front of it; the loop has its own.
// CHECK-LABEL: func @loop
// CHECK-COUNT-2: math.exp2 %{{.*}} : vector<4xf32>
// CHECK: %[[E:.*]] = vector.shuffle %{{.*}} [0, 1, 2, 3, 4, 5, 6, 7]
// CHECK: scf.for
// CHECK-COUNT-2: arith.mulf %{{.*}} : vector<4xf32>
// CHECK: scf.yield
func.func @loop(%x: vector<8xf32>, %n: index) -> vector<8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %0 = arith.addf %x, %x : vector<8xf32>
  %e = math.exp2 %0 : vector<8xf32>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> vector<8xf32> {
    %s = arith.addf %a, %e : vector<8xf32>
    %t = arith.mulf %s, %e : vector<8xf32>
    scf.yield %t : vector<8xf32>
  }
  return %r : vector<8xf32>
}
