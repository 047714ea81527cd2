// REQUIRES: infini-opt
// RUN: %python %S/Inputs/fragments.py | FileCheck %s --check-prefix=TABLES
// RUN: infini-opt %s -tile-to-lanes --mlir-print-op-generic | %python %S/../../passes/gpu/Inputs/lanes.py | FileCheck %s

// The enumeration of #tile.layout against the fragments of mma.sync, which a
// program of its own writes down from the PTX ISA: for every thread and register,
// the coordinate that tile.index gives, and the place where the element is stored.

// TABLES: a16: 16 x 16, each element once
// TABLES: b16: 16 x 8, each element once
// TABLES: c: 16 x 8, each element once
// TABLES: ldmatrix gives fragments of A and B
// TABLES: two fragments of C are one of A

// One lane basis or register basis exchanged is seen.
// RUN: sed 's/lane = \[1:2, 1:4/lane = [1:4, 1:2/' %s | infini-opt -tile-to-lanes --mlir-print-op-generic | not %python %S/../../passes/gpu/Inputs/lanes.py 2>&1 | FileCheck %s --check-prefix=LANE
// RUN: sed 's/register = \[1:1, 0:8/register = [0:8, 1:1/' %s | infini-opt -tile-to-lanes --mlir-print-op-generic | not %python %S/../../passes/gpu/Inputs/lanes.py 2>&1 | FileCheck %s --check-prefix=REGISTER
// LANE: fragment_a16_16x16_warps_1: thread 1 has [(0, 4)
// REGISTER: fragment_a16_16x16_warps_1: thread 0 has [(0, 0), (8, 0), (0, 1)

#a = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [], register = [1:1, 0:8, 1:8], repeat = [1, 1]>
#a_transposed = #tile.layout<lane = [0:2, 0:4, 1:1, 1:2, 1:4], warp = [], register = [0:1, 1:8, 0:8], repeat = [1, 1]>
#b = #tile.layout<lane = [0:2, 0:4, 1:1, 1:2, 1:4], warp = [], register = [0:1, 0:8], repeat = [1, 1]>
#b_transposed = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [], register = [1:1, 1:8], repeat = [1, 1]>
#c = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [], register = [1:1, 0:8], repeat = [1, 1]>
#c_tiles = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:16, 0:32], register = [1:1, 0:8], repeat = [2, 3]>
#a_tiles = #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:16], register = [1:1, 0:8, 1:8], repeat = [1, 3]>
#c_tiles_transposed = #tile.layout<lane = [0:2, 0:4, 1:1, 1:2, 1:4], warp = [1:16], register = [0:1, 1:8], repeat = [5, 2]>

// CHECK: fragment_a16_16x16_warps_1: 8 registers
func.func @fragment_a16_16x16_warps_1(%o: memref<16x16xi32>) {
  %0 = tile.index axis 0 : tensor<16x16xindex, #a>
  %1 = tile.index axis 1 : tensor<16x16xindex, #a>
  %c64 = arith.constant dense<64> : tensor<16x16xindex, #a>
  %2 = arith.muli %0, %c64 : tensor<16x16xindex, #a>
  %3 = arith.addi %2, %1 : tensor<16x16xindex, #a>
  %4 = arith.index_cast %3 : tensor<16x16xindex, #a> to tensor<16x16xi32, #a>
  tile.store %4, %o[0, 0] dims [0, 1] : tensor<16x16xi32, #a>, memref<16x16xi32>
  return
}

// CHECK: fragment_a16_transposed_16x16_warps_1: 8 registers
func.func @fragment_a16_transposed_16x16_warps_1(%o: memref<16x16xi32>) {
  %0 = tile.index axis 0 : tensor<16x16xindex, #a_transposed>
  %1 = tile.index axis 1 : tensor<16x16xindex, #a_transposed>
  %c64 = arith.constant dense<64> : tensor<16x16xindex, #a_transposed>
  %2 = arith.muli %0, %c64 : tensor<16x16xindex, #a_transposed>
  %3 = arith.addi %2, %1 : tensor<16x16xindex, #a_transposed>
  %4 = arith.index_cast %3 : tensor<16x16xindex, #a_transposed> to tensor<16x16xi32, #a_transposed>
  tile.store %4, %o[0, 0] dims [0, 1] : tensor<16x16xi32, #a_transposed>, memref<16x16xi32>
  return
}

// CHECK: fragment_b16_16x8_warps_1: 4 registers
func.func @fragment_b16_16x8_warps_1(%o: memref<16x8xi32>) {
  %0 = tile.index axis 0 : tensor<16x8xindex, #b>
  %1 = tile.index axis 1 : tensor<16x8xindex, #b>
  %c64 = arith.constant dense<64> : tensor<16x8xindex, #b>
  %2 = arith.muli %0, %c64 : tensor<16x8xindex, #b>
  %3 = arith.addi %2, %1 : tensor<16x8xindex, #b>
  %4 = arith.index_cast %3 : tensor<16x8xindex, #b> to tensor<16x8xi32, #b>
  tile.store %4, %o[0, 0] dims [0, 1] : tensor<16x8xi32, #b>, memref<16x8xi32>
  return
}

// CHECK: fragment_b16_transposed_8x16_warps_1: 4 registers
func.func @fragment_b16_transposed_8x16_warps_1(%o: memref<8x16xi32>) {
  %0 = tile.index axis 0 : tensor<8x16xindex, #b_transposed>
  %1 = tile.index axis 1 : tensor<8x16xindex, #b_transposed>
  %c64 = arith.constant dense<64> : tensor<8x16xindex, #b_transposed>
  %2 = arith.muli %0, %c64 : tensor<8x16xindex, #b_transposed>
  %3 = arith.addi %2, %1 : tensor<8x16xindex, #b_transposed>
  %4 = arith.index_cast %3 : tensor<8x16xindex, #b_transposed> to tensor<8x16xi32, #b_transposed>
  tile.store %4, %o[0, 0] dims [0, 1] : tensor<8x16xi32, #b_transposed>, memref<8x16xi32>
  return
}

// CHECK: fragment_c_16x8_warps_1: 4 registers
func.func @fragment_c_16x8_warps_1(%o: memref<16x8xi32>) {
  %0 = tile.index axis 0 : tensor<16x8xindex, #c>
  %1 = tile.index axis 1 : tensor<16x8xindex, #c>
  %c64 = arith.constant dense<64> : tensor<16x8xindex, #c>
  %2 = arith.muli %0, %c64 : tensor<16x8xindex, #c>
  %3 = arith.addi %2, %1 : tensor<16x8xindex, #c>
  %4 = arith.index_cast %3 : tensor<16x8xindex, #c> to tensor<16x8xi32, #c>
  tile.store %4, %o[0, 0] dims [0, 1] : tensor<16x8xi32, #c>, memref<16x8xi32>
  return
}

// Warps along rows, and repeats: the last dimension counts fastest.
// CHECK: fragment_c_128x24_warps_4: 24 registers
func.func @fragment_c_128x24_warps_4(%o: memref<128x24xi32>) {
  %0 = tile.index axis 0 : tensor<128x24xindex, #c_tiles>
  %1 = tile.index axis 1 : tensor<128x24xindex, #c_tiles>
  %c64 = arith.constant dense<64> : tensor<128x24xindex, #c_tiles>
  %2 = arith.muli %0, %c64 : tensor<128x24xindex, #c_tiles>
  %3 = arith.addi %2, %1 : tensor<128x24xindex, #c_tiles>
  %4 = arith.index_cast %3 : tensor<128x24xindex, #c_tiles> to tensor<128x24xi32, #c_tiles>
  tile.store %4, %o[0, 0] dims [0, 1] : tensor<128x24xi32, #c_tiles>, memref<128x24xi32>
  return
}

// CHECK: fragment_a16_32x48_warps_2: 24 registers
func.func @fragment_a16_32x48_warps_2(%o: memref<32x48xi32>) {
  %0 = tile.index axis 0 : tensor<32x48xindex, #a_tiles>
  %1 = tile.index axis 1 : tensor<32x48xindex, #a_tiles>
  %c64 = arith.constant dense<64> : tensor<32x48xindex, #a_tiles>
  %2 = arith.muli %0, %c64 : tensor<32x48xindex, #a_tiles>
  %3 = arith.addi %2, %1 : tensor<32x48xindex, #a_tiles>
  %4 = arith.index_cast %3 : tensor<32x48xindex, #a_tiles> to tensor<32x48xi32, #a_tiles>
  tile.store %4, %o[0, 0] dims [0, 1] : tensor<32x48xi32, #a_tiles>, memref<32x48xi32>
  return
}

// CHECK: fragment_c_transposed_40x64_warps_2: 40 registers
func.func @fragment_c_transposed_40x64_warps_2(%o: memref<40x64xi32>) {
  %0 = tile.index axis 0 : tensor<40x64xindex, #c_tiles_transposed>
  %1 = tile.index axis 1 : tensor<40x64xindex, #c_tiles_transposed>
  %c64 = arith.constant dense<64> : tensor<40x64xindex, #c_tiles_transposed>
  %2 = arith.muli %0, %c64 : tensor<40x64xindex, #c_tiles_transposed>
  %3 = arith.addi %2, %1 : tensor<40x64xindex, #c_tiles_transposed>
  %4 = arith.index_cast %3 : tensor<40x64xindex, #c_tiles_transposed> to tensor<40x64xi32, #c_tiles_transposed>
  tile.store %4, %o[0, 0] dims [0, 1] : tensor<40x64xi32, #c_tiles_transposed>, memref<40x64xi32>
  return
}
