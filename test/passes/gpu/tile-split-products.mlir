// RUN: infini-opt %s -pass-pipeline='builtin.module(func.func(tile-split-products))' | FileCheck %s

// A right side of 256 × 256 in f32 has 256 KiB: four panels of columns, of the
// sums, too.
// CHECK-LABEL: func @columns
// CHECK-SAME: (%[[A:.*]]: memref<64x256xf32>,
// CHECK: %[[X:.*]] = tile.load %[[A]]
// CHECK: %[[Y:.*]] = tile.load
// CHECK: %[[Z:.*]] = arith.constant
// CHECK: %[[Y0:.*]] = tensor.extract_slice %[[Y]][0, 0] [256, 64] [1, 1]
// CHECK: %[[Z0:.*]] = tensor.extract_slice %[[Z]][0, 0] [64, 64] [1, 1]
// CHECK: %[[D0:.*]] = tile.dot %[[X]], %[[Y0]], %[[Z0]] : tensor<64x256xf32>, tensor<256x64xf32> into tensor<64x64xf32>
// CHECK: %[[R0:.*]] = tensor.insert_slice %[[D0]] into %[[Z]][0, 0] [64, 64] [1, 1]
// CHECK: tensor.extract_slice %[[Y]][0, 64] [256, 64] [1, 1]
// CHECK: tensor.extract_slice %[[Z]][0, 64] [64, 64] [1, 1]
// CHECK: %[[D1:.*]] = tile.dot %[[X]]
// CHECK: tensor.insert_slice %[[D1]] into %[[R0]][0, 64] [64, 64] [1, 1]
// CHECK-COUNT-2: tile.dot %[[X]]
// CHECK-NOT: tile.dot
// CHECK: return
func.func @columns(%a: memref<64x256xf32>, %b: memref<256x256xf32>, %o: memref<64x256xf32>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<64x256xf32> -> tensor<64x256xf32>
  %y = tile.load %b[0, 0] dims [0, 1] : memref<256x256xf32> -> tensor<256x256xf32>
  %z = arith.constant dense<0.0> : tensor<64x256xf32>
  %d = tile.dot %x, %y, %z : tensor<64x256xf32>, tensor<256x256xf32> into tensor<64x256xf32>
  tile.store %d, %o[0, 0] dims [0, 1] : tensor<64x256xf32>, memref<64x256xf32>
  return
}

// A left side, transposed: two panels of rows, which are its columns.
// CHECK-LABEL: func @rows
// CHECK: tensor.extract_slice %[[X:.*]][0, 0] [128, 128] [1, 1] : tensor<128x256xf32> to tensor<128x128xf32>
// CHECK: tile.dot %{{.*}} {transpose_a} : tensor<128x128xf32>, tensor<128x16xf32> into tensor<128x16xf32>
// CHECK: tensor.insert_slice %{{.*}}[0, 0] [128, 16] [1, 1]
// CHECK: tensor.extract_slice %[[X]][0, 128] [128, 128] [1, 1]
// CHECK: tile.dot
// CHECK: tensor.insert_slice %{{.*}}[128, 0] [128, 16] [1, 1]
// CHECK-NOT: tile.dot
// CHECK: return
func.func @rows(%a: memref<128x256xf32>, %b: memref<128x16xf32>, %o: memref<256x16xf32>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<128x256xf32> -> tensor<128x256xf32>
  %y = tile.load %b[0, 0] dims [0, 1] : memref<128x16xf32> -> tensor<128x16xf32>
  %z = arith.constant dense<0.0> : tensor<256x16xf32>
  %d = tile.dot %x, %y, %z {transpose_a} : tensor<128x256xf32>, tensor<128x16xf32> into tensor<256x16xf32>
  tile.store %d, %o[0, 0] dims [0, 1] : tensor<256x16xf32>, memref<256x16xf32>
  return
}

// What fits stays: 64 KiB, in 16 bits twice as many elements. So do products
// with vectors.
// CHECK-LABEL: func @stay
// CHECK-NOT: tensor.extract_slice
// CHECK: return
func.func @stay(%a: memref<128x256xbf16>, %b: memref<256x64xbf16>, %v: memref<1024xf32>, %w: memref<1024x64xf32>, %o: memref<128x64xf32>, %q: memref<64xf32>) {
  %x = tile.load %a[0, 0] dims [0, 1] : memref<128x256xbf16> -> tensor<128x256xbf16>
  %y = tile.load %b[0, 0] dims [0, 1] : memref<256x64xbf16> -> tensor<256x64xbf16>
  %z = arith.constant dense<0.0> : tensor<128x64xf32>
  %d = tile.dot %x, %y, %z : tensor<128x256xbf16>, tensor<256x64xbf16> into tensor<128x64xf32>
  tile.store %d, %o[0, 0] dims [0, 1] : tensor<128x64xf32>, memref<128x64xf32>
  %u = tile.load %v[0] dims [0] : memref<1024xf32> -> tensor<1024xf32>
  %m = tile.load %w[0, 0] dims [0, 1] : memref<1024x64xf32> -> tensor<1024x64xf32>
  %n = arith.constant dense<0.0> : tensor<64xf32>
  %p = tile.dot %u, %m, %n : tensor<1024xf32>, tensor<1024x64xf32> into tensor<64xf32>
  tile.store %p, %q[0] dims [0] : tensor<64xf32>, memref<64xf32>
  return
}
