// RUN: infini-opt %s --infini-to-nvidia -o %t.default
// RUN: FileCheck %s --input-file=%t.default
// RUN: infini-opt %s --infini-to-nvidia=chip=sm_80 | cmp - %t.default
// RUN: infini-opt %t.default | cmp - %t.default
// RUN: not infini-opt %s --infini-to-nvidia=chip=sm_70 2>&1 | FileCheck %s --check-prefix=CHIP
// CHIP: no code is made for the chip 'sm_70' of target 'nvidia:sm_70'; available: nvidia:sm_80, nvidia:sm_86, nvidia:sm_89, nvidia:sm_90

// The stages of a kernel on tiles, one after the other.
// RUN: infini-compile %s --entry attention --target=nvidia:sm_80 --emit=tile -o %t.tile
// RUN: infini-opt %t.tile --infini-lane-stage='shared-bytes=166912' -o %t.lanes
// RUN: infini-compile %s --entry attention --target=nvidia:sm_80 --emit=lanes | cmp - %t.lanes
// RUN: FileCheck %s --input-file=%t.lanes --check-prefix=LANES
// RUN: infini-opt %t.lanes --infini-nvidia-llvm-stage | FileCheck %s
// RUN: infini-opt %t.lanes --infini-sim-llvm-stage | FileCheck %s --check-prefix=SIM

// Other blocks and stages; too little shared memory is an error.
// RUN: infini-opt %t.tile --infini-lane-stage='warps=8 stages=3' | FileCheck %s --check-prefix=EIGHT
// RUN: not infini-opt %t.tile --infini-lane-stage='shared-bytes=16384' 2>&1 | FileCheck %s --check-prefix=ROOM
// EIGHT: program.threads = 256 : i64
// EIGHT: nv.wait_copies 1
// ROOM: error: kernel 'segment_attention_0' needs {{[0-9]+}} bytes of shared memory in a block, the chip has 16384

// CHECK: func.func @attention
// CHECK: program.dispatch @segment_attention_0
// CHECK: module @segment_attention_0 attributes {program.buffers = {{[0-9]+}} : i64, program.grid = #{{.*}}, program.kernel, program.shared_bytes = {{[0-9]+}} : i64, program.threads = 128 : i64}
// CHECK: llvm.mlir.global external @infini_shared() {addr_space = 3 : i32, alignment = 128 : i64}
// CHECK: llvm.func @segment_attention_0(%{{.*}}: !llvm.ptr<1>
// CHECK-NOT: {{ (infini|tile|nv|gpu|linalg|memref|vector|scf|arith|math|builtin)\.[a-z]}}
// CHECK: nvvm.mma.sync
// CHECK-NOT: {{ (infini|tile|nv|gpu|linalg|memref|vector|scf|arith|math|builtin)\.[a-z]}}

// LANES: module @segment_attention_0
// LANES-NOT: {{ (infini|tile|linalg|tensor|bufferization)\.[a-z]}}
// LANES: nv.copy_async
// LANES: scf.for
// LANES-NOT: {{ (infini|tile|linalg|tensor|bufferization)\.[a-z]}}
// LANES: nv.mma_sync
// LANES-NOT: {{ (infini|tile|linalg|tensor|bufferization)\.[a-z]}}
// LANES: nv.store_global

// SIM: llvm.mlir.global private constant @segment_attention_0.where.{{[0-9]+}}("nv.
// SIM: llvm.func @segment_attention_0(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr)
// SIM-NOT: {{ (nv|gpu|memref|vector|scf|arith|math|nvvm|builtin)\.[a-z]}}
func.func @attention(%q: tensor<1x2x256x64xbf16>, %k: tensor<1x2x256x64xbf16>, %v: tensor<1x2x256x64xbf16>) -> tensor<1x2x256x64xbf16> {
  %o = infini.segment_attention %q, %k, %v
    : (tensor<1x2x256x64xbf16>, tensor<1x2x256x64xbf16>, tensor<1x2x256x64xbf16>) -> tensor<1x2x256x64xbf16>
  return %o : tensor<1x2x256x64xbf16>
}
