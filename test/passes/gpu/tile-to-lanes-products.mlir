// REQUIRES: infini-opt
// RUN: infini-opt %s -pass-pipeline='builtin.module(func.func(tile-assign-layouts),tile-allocate-shared,tile-to-lanes,canonicalize,cse)' --mlir-print-op-generic -o %t
// RUN: %python %S/Inputs/lanes.py < %t | FileCheck %s

// Products as a block's lanes compute them, run on symbols: each sum has all of
// its products, once, and is stored once, in its place. The counts are those of
// one lane.

// Controls: factors that are not transposed, one address of a copy, one factor
// for another.
// RUN: sed 's/<{transpose}>//' %t | not %python %S/Inputs/lanes.py 2>&1 | FileCheck %s --check-prefix=CONTROL
// RUN: sed '0,/"arith.xori"/s//"arith.addi"/' %t | not %python %S/Inputs/lanes.py 2>&1 | FileCheck %s --check-prefix=ADDRESS
// RUN: sed '0,/"nv.mma_sync"(\([^,]*\), \([^,]*\), \([^)]*\))/s//"nv.mma_sync"(\1, \1, \3)/' %t | not %python %S/Inputs/lanes.py 2>&1 | FileCheck %s --check-prefix=FACTOR
// CONTROL: lanes.py: product_64x32x32: wrong sum at row
// ADDRESS: lanes.py: {{no element|.* bytes at|product_64x32x32: wrong sum}}
// FACTOR: lanes.py: product_64x32x32: wrong sum at row

module attributes {program.threads = 128 : i64} {

  // Factors in each order: for each of k's two steps one fragment of A, and four of
  // B, two at once.
  // CHECK: product_64x32x32: 2048 sums; 6 nv.ldmatrix, 8 nv.mma_sync{{$}}
  func.func @product_64x32x32(%a: memref<64x32xbf16>, %b: memref<32x32xbf16>, %c: memref<64x32xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<64x32xbf16> -> tensor<64x32xbf16>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<32x32xbf16> -> tensor<32x32xbf16>
    %zero = arith.constant dense<0.0> : tensor<64x32xf32>
    %d = tile.dot %x, %y, %zero : tensor<64x32xbf16>, tensor<32x32xbf16> into tensor<64x32xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<64x32xf32>, memref<64x32xf32>
    return
  }

  // CHECK: product_64x32x32_tb: 2048 sums; 6 nv.ldmatrix, 8 nv.mma_sync{{$}}
  func.func @product_64x32x32_tb(%a: memref<64x32xbf16>, %b: memref<32x32xbf16>, %c: memref<64x32xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<64x32xbf16> -> tensor<64x32xbf16>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<32x32xbf16> -> tensor<32x32xbf16>
    %zero = arith.constant dense<0.0> : tensor<64x32xf32>
    %d = tile.dot %x, %y, %zero {transpose_b} : tensor<64x32xbf16>, tensor<32x32xbf16> into tensor<64x32xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<64x32xf32>, memref<64x32xf32>
    return
  }

  // CHECK: product_64x32x32_ta: 2048 sums; 6 nv.ldmatrix, 8 nv.mma_sync{{$}}
  func.func @product_64x32x32_ta(%a: memref<32x64xbf16>, %b: memref<32x32xbf16>, %c: memref<64x32xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<32x64xbf16> -> tensor<32x64xbf16>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<32x32xbf16> -> tensor<32x32xbf16>
    %zero = arith.constant dense<0.0> : tensor<64x32xf32>
    %d = tile.dot %x, %y, %zero {transpose_a} : tensor<32x64xbf16>, tensor<32x32xbf16> into tensor<64x32xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<64x32xf32>, memref<64x32xf32>
    return
  }

  // CHECK: product_64x32x32_ta_tb: 2048 sums; 6 nv.ldmatrix, 8 nv.mma_sync{{$}}
  func.func @product_64x32x32_ta_tb(%a: memref<32x64xbf16>, %b: memref<32x32xbf16>, %c: memref<64x32xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<32x64xbf16> -> tensor<32x64xbf16>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<32x32xbf16> -> tensor<32x32xbf16>
    %zero = arith.constant dense<0.0> : tensor<64x32xf32>
    %d = tile.dot %x, %y, %zero {transpose_a, transpose_b} : tensor<32x64xbf16>, tensor<32x32xbf16> into tensor<64x32xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<64x32xf32>, memref<64x32xf32>
    return
  }

  // The transposed product.
  // CHECK: product_64x32x32_swapped: 2048 sums; 6 nv.ldmatrix, 8 nv.mma_sync,
  func.func @product_64x32x32_swapped(%a: memref<64x32xbf16>, %b: memref<32x32xbf16>, %c: memref<64x32xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<64x32xbf16> -> tensor<64x32xbf16>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<32x32xbf16> -> tensor<32x32xbf16>
    %zero = arith.constant dense<0.0> : tensor<64x32xf32>
    %d = tile.dot %x, %y, %zero {swapped} : tensor<64x32xbf16>, tensor<32x32xbf16> into tensor<64x32xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<64x32xf32>, memref<64x32xf32>
    return
  }

  // CHECK: product_64x32x32_tb_swapped: 2048 sums; 6 nv.ldmatrix, 8 nv.mma_sync,
  func.func @product_64x32x32_tb_swapped(%a: memref<64x32xbf16>, %b: memref<32x32xbf16>, %c: memref<64x32xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<64x32xbf16> -> tensor<64x32xbf16>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<32x32xbf16> -> tensor<32x32xbf16>
    %zero = arith.constant dense<0.0> : tensor<64x32xf32>
    %d = tile.dot %x, %y, %zero {swapped, transpose_b} : tensor<64x32xbf16>, tensor<32x32xbf16> into tensor<64x32xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<64x32xf32>, memref<64x32xf32>
    return
  }

  // CHECK: product_64x32x32_ta_swapped: 2048 sums; 6 nv.ldmatrix, 8 nv.mma_sync,
  func.func @product_64x32x32_ta_swapped(%a: memref<32x64xbf16>, %b: memref<32x32xbf16>, %c: memref<64x32xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<32x64xbf16> -> tensor<32x64xbf16>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<32x32xbf16> -> tensor<32x32xbf16>
    %zero = arith.constant dense<0.0> : tensor<64x32xf32>
    %d = tile.dot %x, %y, %zero {swapped, transpose_a} : tensor<32x64xbf16>, tensor<32x32xbf16> into tensor<64x32xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<64x32xf32>, memref<64x32xf32>
    return
  }

  // CHECK: product_64x32x32_ta_tb_swapped: 2048 sums; 6 nv.ldmatrix, 8 nv.mma_sync,
  func.func @product_64x32x32_ta_tb_swapped(%a: memref<32x64xbf16>, %b: memref<32x32xbf16>, %c: memref<64x32xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<32x64xbf16> -> tensor<32x64xbf16>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<32x32xbf16> -> tensor<32x32xbf16>
    %zero = arith.constant dense<0.0> : tensor<64x32xf32>
    %d = tile.dot %x, %y, %zero {swapped, transpose_a, transpose_b} : tensor<32x64xbf16>, tensor<32x32xbf16> into tensor<64x32xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<64x32xf32>, memref<64x32xf32>
    return
  }

  // One instruction: all warps compute it, one stores it.
  // CHECK: product_16x8x16: 128 sums; 2 nv.ldmatrix, 1 nv.mma_sync{{$}}
  func.func @product_16x8x16(%a: memref<16x16xbf16>, %b: memref<16x8xbf16>, %c: memref<16x8xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<16x16xbf16> -> tensor<16x16xbf16>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<16x8xbf16> -> tensor<16x8xbf16>
    %zero = arith.constant dense<0.0> : tensor<16x8xf32>
    %d = tile.dot %x, %y, %zero : tensor<16x16xbf16>, tensor<16x8xbf16> into tensor<16x8xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<16x8xf32>, memref<16x8xf32>
    return
  }

  // CHECK: product_8x16x16_tb_swapped: 128 sums; 2 nv.ldmatrix, 1 nv.mma_sync
  func.func @product_8x16x16_tb_swapped(%a: memref<8x16xbf16>, %b: memref<16x16xbf16>, %c: memref<8x16xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<8x16xbf16> -> tensor<8x16xbf16>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<16x16xbf16> -> tensor<16x16xbf16>
    %zero = arith.constant dense<0.0> : tensor<8x16xf32>
    %d = tile.dot %x, %y, %zero {swapped, transpose_b} : tensor<8x16xbf16>, tensor<16x16xbf16> into tensor<8x16xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<8x16xf32>, memref<8x16xf32>
    return
  }

  // Repeats that are no powers of two: three rows of atoms, and three columns, of
  // which the last is read alone. Of f16.
  // CHECK: product_48x24x32: 1152 sums; 10 nv.ldmatrix, 18 nv.mma_sync{{$}}
  func.func @product_48x24x32(%a: memref<48x32xf16>, %b: memref<32x24xf16>, %c: memref<48x24xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<48x32xf16> -> tensor<48x32xf16>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<32x24xf16> -> tensor<32x24xf16>
    %zero = arith.constant dense<0.0> : tensor<48x24xf32>
    %d = tile.dot %x, %y, %zero : tensor<48x32xf16>, tensor<32x24xf16> into tensor<48x24xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<48x24xf32>, memref<48x24xf32>
    return
  }

  // CHECK: product_40x48x16_ta_tb_swapped: 1920 sums; {{.*}} nv.mma_sync
  func.func @product_40x48x16_ta_tb_swapped(%a: memref<16x40xf16>, %b: memref<48x16xf16>, %c: memref<40x48xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<16x40xf16> -> tensor<16x40xf16>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<48x16xf16> -> tensor<48x16xf16>
    %zero = arith.constant dense<0.0> : tensor<40x48xf32>
    %d = tile.dot %x, %y, %zero {swapped, transpose_a, transpose_b} : tensor<16x40xf16>, tensor<48x16xf16> into tensor<40x48xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<40x48xf32>, memref<40x48xf32>
    return
  }

  // Warps along columns.
  // CHECK: product_16x64x48: 1024 sums; 6 nv.ldmatrix, 6 nv.mma_sync{{$}}
  func.func @product_16x64x48(%a: memref<16x48xbf16>, %b: memref<48x64xbf16>, %c: memref<16x64xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<16x48xbf16> -> tensor<16x48xbf16>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<48x64xbf16> -> tensor<48x64xbf16>
    %zero = arith.constant dense<0.0> : tensor<16x64xf32>
    %d = tile.dot %x, %y, %zero : tensor<16x48xbf16>, tensor<48x64xbf16> into tensor<16x64xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<16x64xf32>, memref<16x64xf32>
    return
  }

  // CHECK: product_80x48x16_ta: 3840 sums; {{[0-9]+}} nv.ldmatrix, {{[0-9]+}} nv.mma_sync{{$}}
  func.func @product_80x48x16_ta(%a: memref<16x80xbf16>, %b: memref<16x48xbf16>, %c: memref<80x48xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<16x80xbf16> -> tensor<16x80xbf16>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<16x48xbf16> -> tensor<16x48xbf16>
    %zero = arith.constant dense<0.0> : tensor<80x48xf32>
    %d = tile.dot %x, %y, %zero {transpose_a} : tensor<16x80xbf16>, tensor<16x48xbf16> into tensor<80x48xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<80x48xf32>, memref<80x48xf32>
    return
  }

  // In f32: sums of a thread, factors from shared memory.
  // CHECK: product_64x32x16_f32: 2048 sums; {{[0-9]+}} nv.load_shared
  func.func @product_64x32x16_f32(%a: memref<64x16xf32>, %b: memref<16x32xf32>, %c: memref<64x32xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<64x16xf32> -> tensor<64x16xf32>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<16x32xf32> -> tensor<16x32xf32>
    %zero = arith.constant dense<0.0> : tensor<64x32xf32>
    %d = tile.dot %x, %y, %zero : tensor<64x16xf32>, tensor<16x32xf32> into tensor<64x32xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<64x32xf32>, memref<64x32xf32>
    return
  }

  // CHECK: product_64x32x16_tb_f32: 2048 sums; {{[0-9]+}} nv.load_shared
  func.func @product_64x32x16_tb_f32(%a: memref<64x16xf32>, %b: memref<32x16xf32>, %c: memref<64x32xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<64x16xf32> -> tensor<64x16xf32>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<32x16xf32> -> tensor<32x16xf32>
    %zero = arith.constant dense<0.0> : tensor<64x32xf32>
    %d = tile.dot %x, %y, %zero {transpose_b} : tensor<64x16xf32>, tensor<32x16xf32> into tensor<64x32xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<64x32xf32>, memref<64x32xf32>
    return
  }

  // CHECK: product_64x32x16_ta_f32: 2048 sums; {{[0-9]+}} nv.load_shared
  func.func @product_64x32x16_ta_f32(%a: memref<16x64xf32>, %b: memref<16x32xf32>, %c: memref<64x32xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<16x64xf32> -> tensor<16x64xf32>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<16x32xf32> -> tensor<16x32xf32>
    %zero = arith.constant dense<0.0> : tensor<64x32xf32>
    %d = tile.dot %x, %y, %zero {transpose_a} : tensor<16x64xf32>, tensor<16x32xf32> into tensor<64x32xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<64x32xf32>, memref<64x32xf32>
    return
  }

  // CHECK: product_64x32x16_ta_tb_f32: 2048 sums; {{[0-9]+}} nv.load_shared
  func.func @product_64x32x16_ta_tb_f32(%a: memref<16x64xf32>, %b: memref<32x16xf32>, %c: memref<64x32xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<16x64xf32> -> tensor<16x64xf32>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<32x16xf32> -> tensor<32x16xf32>
    %zero = arith.constant dense<0.0> : tensor<64x32xf32>
    %d = tile.dot %x, %y, %zero {transpose_a, transpose_b} : tensor<16x64xf32>, tensor<32x16xf32> into tensor<64x32xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<64x32xf32>, memref<64x32xf32>
    return
  }

  // CHECK: product_64x32x16_tb_swapped_f32: 2048 sums; {{[0-9]+}} nv.load_shared
  func.func @product_64x32x16_tb_swapped_f32(%a: memref<64x16xf32>, %b: memref<32x16xf32>, %c: memref<64x32xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<64x16xf32> -> tensor<64x16xf32>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<32x16xf32> -> tensor<32x16xf32>
    %zero = arith.constant dense<0.0> : tensor<64x32xf32>
    %d = tile.dot %x, %y, %zero {swapped, transpose_b} : tensor<64x16xf32>, tensor<32x16xf32> into tensor<64x32xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<64x32xf32>, memref<64x32xf32>
    return
  }

  // Sizes that nothing divides.
  // CHECK: product_12x20x7_ta_f32: 240 sums; {{[0-9]+}} nv.load_shared
  func.func @product_12x20x7_ta_f32(%a: memref<7x12xf32>, %b: memref<7x20xf32>, %c: memref<12x20xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<7x12xf32> -> tensor<7x12xf32>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<7x20xf32> -> tensor<7x20xf32>
    %zero = arith.constant dense<0.0> : tensor<12x20xf32>
    %d = tile.dot %x, %y, %zero {transpose_a} : tensor<7x12xf32>, tensor<7x20xf32> into tensor<12x20xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<12x20xf32>, memref<12x20xf32>
    return
  }

  // CHECK: product_3x5x2_tb_f32: 15 sums; {{[0-9]+}} nv.load_shared
  func.func @product_3x5x2_tb_f32(%a: memref<3x2xf32>, %b: memref<5x2xf32>, %c: memref<3x5xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<3x2xf32> -> tensor<3x2xf32>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<5x2xf32> -> tensor<5x2xf32>
    %zero = arith.constant dense<0.0> : tensor<3x5xf32>
    %d = tile.dot %x, %y, %zero {transpose_b} : tensor<3x2xf32>, tensor<5x2xf32> into tensor<3x5xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<3x5xf32>, memref<3x5xf32>
    return
  }

  // CHECK: product_20x12x5: 240 sums; {{[0-9]+}} nv.load_shared
  func.func @product_20x12x5(%a: memref<20x5xbf16>, %b: memref<5x12xbf16>, %c: memref<20x12xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<20x5xbf16> -> tensor<20x5xbf16>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<5x12xbf16> -> tensor<5x12xbf16>
    %zero = arith.constant dense<0.0> : tensor<20x12xf32>
    %d = tile.dot %x, %y, %zero : tensor<20x5xbf16>, tensor<5x12xbf16> into tensor<20x12xf32>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<20x12xf32>, memref<20x12xf32>
    return
  }

  // CHECK: product_16x16x6_ta_tb_f64: 256 sums; {{[0-9]+}} nv.load_shared
  func.func @product_16x16x6_ta_tb_f64(%a: memref<6x16xf64>, %b: memref<16x6xf64>, %c: memref<16x16xf64>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<6x16xf64> -> tensor<6x16xf64>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<16x6xf64> -> tensor<16x6xf64>
    %zero = arith.constant dense<0.0> : tensor<16x16xf64>
    %d = tile.dot %x, %y, %zero {transpose_a, transpose_b} : tensor<6x16xf64>, tensor<16x6xf64> into tensor<16x16xf64>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<16x16xf64>, memref<16x16xf64>
    return
  }

  // The instruction sums in f32; in f64 it is no use.
  // CHECK: product_16x16x16_f64: 256 sums; {{[0-9]+}} nv.load_shared
  func.func @product_16x16x16_f64(%a: memref<16x16xf16>, %b: memref<16x16xf16>, %c: memref<16x16xf64>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<16x16xf16> -> tensor<16x16xf16>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<16x16xf16> -> tensor<16x16xf16>
    %zero = arith.constant dense<0.0> : tensor<16x16xf64>
    %d = tile.dot %x, %y, %zero : tensor<16x16xf16>, tensor<16x16xf16> into tensor<16x16xf64>
    tile.store %d, %c[0, 0] dims [0, 1] : tensor<16x16xf64>, memref<16x16xf64>
    return
  }

  // What the first product makes is a fragment of the second: nothing goes through
  // shared memory but what is loaded.
  // CHECK: product_64x48x32_tb_to_16: 1024 sums; {{[0-9]+}} nv.ldmatrix, {{[0-9]+}} nv.mma_sync{{$}}
  func.func @product_64x48x32_tb_to_16(%a: memref<64x32xbf16>, %b: memref<48x32xbf16>, %c: memref<48x16xbf16>, %d: memref<64x16xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<64x32xbf16> -> tensor<64x32xbf16>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<48x32xbf16> -> tensor<48x32xbf16>
    %v = tile.load %c[0, 0] dims [0, 1] : memref<48x16xbf16> -> tensor<48x16xbf16>
    %zero = arith.constant dense<0.0> : tensor<64x48xf32>
    %none = arith.constant dense<0.0> : tensor<64x16xf32>
    %s = tile.dot %x, %y, %zero {transpose_b} : tensor<64x32xbf16>, tensor<48x32xbf16> into tensor<64x48xf32>
    %r = arith.truncf %s : tensor<64x48xf32> to tensor<64x48xbf16>
    %o = tile.dot %r, %v, %none : tensor<64x48xbf16>, tensor<48x16xbf16> into tensor<64x16xf32>
    tile.store %o, %d[0, 0] dims [0, 1] : tensor<64x16xf32>, memref<64x16xf32>
    return
  }

  // The same by way of transposes, as attention computes it.
  // CHECK: product_64x32x16_tb_to_32_right: 2048 sums; {{[0-9]+}} nv.ldmatrix, {{[0-9]+}} nv.mma_sync{{$}}
  func.func @product_64x32x16_tb_to_32_right(%a: memref<64x16xbf16>, %b: memref<32x16xbf16>, %c: memref<32x32xbf16>, %d: memref<64x32xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<64x16xbf16> -> tensor<64x16xbf16>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<32x16xbf16> -> tensor<32x16xbf16>
    %v = tile.load %c[0, 0] dims [0, 1] : memref<32x32xbf16> -> tensor<32x32xbf16>
    %zero = arith.constant dense<0.0> : tensor<32x64xf32>
    %none = arith.constant dense<0.0> : tensor<32x64xf32>
    %s = tile.dot %y, %x, %zero {transpose_b} : tensor<32x16xbf16>, tensor<64x16xbf16> into tensor<32x64xf32>
    %r = arith.truncf %s : tensor<32x64xf32> to tensor<32x64xbf16>
    %o = tile.dot %v, %r, %none {transpose_a} : tensor<32x32xbf16>, tensor<32x64xbf16> into tensor<32x64xf32>
    tile.store %o, %d[0, 0] dims [1, 0] : tensor<32x64xf32>, memref<64x32xf32>
    return
  }

  // Here warps are spread otherwise: it goes through shared memory.
  // CHECK: product_16x64x32_tb_to_64: 1024 sums; {{.*}} nv.mma_sync, {{[0-9]+}} nv.store_shared
  func.func @product_16x64x32_tb_to_64(%a: memref<16x32xbf16>, %b: memref<64x32xbf16>, %c: memref<64x64xbf16>, %d: memref<16x64xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<16x32xbf16> -> tensor<16x32xbf16>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<64x32xbf16> -> tensor<64x32xbf16>
    %v = tile.load %c[0, 0] dims [0, 1] : memref<64x64xbf16> -> tensor<64x64xbf16>
    %zero = arith.constant dense<0.0> : tensor<16x64xf32>
    %none = arith.constant dense<0.0> : tensor<16x64xf32>
    %s = tile.dot %x, %y, %zero {transpose_b} : tensor<16x32xbf16>, tensor<64x32xbf16> into tensor<16x64xf32>
    %r = arith.truncf %s : tensor<16x64xf32> to tensor<16x64xbf16>
    %o = tile.dot %r, %v, %none : tensor<16x64xbf16>, tensor<64x64xbf16> into tensor<16x64xf32>
    tile.store %o, %d[0, 0] dims [0, 1] : tensor<16x64xf32>, memref<16x64xf32>
    return
  }
  // CHECK: product_48x80x16_ta_to_24_right: 1152 sums; {{.*}} nv.mma_sync
  func.func @product_48x80x16_ta_to_24_right(%a: memref<16x48xbf16>, %b: memref<16x80xbf16>, %c: memref<80x24xbf16>, %d: memref<48x24xf32>) {
    %x = tile.load %a[0, 0] dims [0, 1] : memref<16x48xbf16> -> tensor<16x48xbf16>
    %y = tile.load %b[0, 0] dims [0, 1] : memref<16x80xbf16> -> tensor<16x80xbf16>
    %v = tile.load %c[0, 0] dims [0, 1] : memref<80x24xbf16> -> tensor<80x24xbf16>
    %zero = arith.constant dense<0.0> : tensor<80x48xf32>
    %none = arith.constant dense<0.0> : tensor<24x48xf32>
    %s = tile.dot %y, %x, %zero {transpose_a} : tensor<16x80xbf16>, tensor<16x48xbf16> into tensor<80x48xf32>
    %r = arith.truncf %s : tensor<80x48xf32> to tensor<80x48xbf16>
    %o = tile.dot %v, %r, %none {transpose_a} : tensor<80x24xbf16>, tensor<80x48xbf16> into tensor<24x48xf32>
    tile.store %o, %d[0, 0] dims [1, 0] : tensor<24x48xf32>, memref<48x24xf32>
    return
  }
}
