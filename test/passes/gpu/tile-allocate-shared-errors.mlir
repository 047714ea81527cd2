// RUN: infini-opt %s -tile-allocate-shared='limit=8192' --split-input-file --verify-diagnostics

// Room for two of 4 KiB, not for three that are alive at once.

#s = #tile.shared<pitch = 256, mask = 7>
#l = #tile.layout<lane = [1:4, 1:8, 1:16, 1:32, 0:1], warp = [0:2, 0:4], register = [1:1, 1:2], repeat = [2, 1]>

func.func @two(%x: tensor<16x64xf32, #l>) {
  %a = tile.alloc : memref<16x64xf32, #s>
  %b = tile.alloc : memref<16x64xf32, #s>
  tile.write %x, %a[0, 0] : tensor<16x64xf32, #l>, memref<16x64xf32, #s>
  tile.write %x, %b[0, 0] : tensor<16x64xf32, #l>, memref<16x64xf32, #s>
  return
}

// -----

#s = #tile.shared<pitch = 256, mask = 7>
#l = #tile.layout<lane = [1:4, 1:8, 1:16, 1:32, 0:1], warp = [0:2, 0:4], register = [1:1, 1:2], repeat = [2, 1]>

// expected-error@+1 {{kernel 'three' needs 12288 bytes of shared memory in a block, the chip has 8192}}
func.func @three(%x: tensor<16x64xf32, #l>) {
  %a = tile.alloc : memref<16x64xf32, #s>
  %b = tile.alloc : memref<16x64xf32, #s>
  %c = tile.alloc : memref<16x64xf32, #s>
  tile.write %x, %a[0, 0] : tensor<16x64xf32, #l>, memref<16x64xf32, #s>
  tile.write %x, %b[0, 0] : tensor<16x64xf32, #l>, memref<16x64xf32, #s>
  tile.write %x, %c[0, 0] : tensor<16x64xf32, #l>, memref<16x64xf32, #s>
  return
}

// -----

#s = #tile.shared<pitch = 256, mask = 7>

// A ring counts with all of its slots.
// expected-error@+1 {{kernel 'ring' needs 12288 bytes of shared memory in a block, the chip has 8192}}
func.func @ring(%i: index) {
  %a = tile.alloc : memref<3x16x64xf32, #s>
  %b = tile.slot %a[%i] : memref<3x16x64xf32, #s> -> memref<16x64xf32, #s>
  return
}
