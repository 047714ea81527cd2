// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What one lane of a GPU's warp does: an op for each instruction that upstream
// lacks, or has in a form that cannot be simulated.

#ifndef INFINI_DIALECT_LANE_OPS
#define INFINI_DIALECT_LANE_OPS

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def NV_Dialect : Dialect {
  let name = "nv";
  let cppNamespace = "::infini::nv";
  let summary = "Instructions of one lane of an NVIDIA GPU";
  let description = [{
    The code of one lane: arith, math, scf, and vector on what it holds in
    registers, gpu for its place in the grid and for shuffles, and these ops. They
    lower to NVVM and PTX, and to calls of the simulator (runtime/lane_abi.h), which
    gives them the meaning that is written here.

    A lane's function takes its buffers (memrefs, of which the first element's
    address alone counts) and index scalars. Global memory is addressed by elements
    from there on, shared memory by bytes from its start. Predicates guard an
    access without a branch, so that all lanes of a warp come by all ops.
  }];
}

class NV_Op<string mnemonic, list<Trait> traits = []>
    : Op<NV_Dialect, mnemonic, traits> {
  let hasVerifier = 1;
}

def NV_Memory : Resource<"::infini::nv::SharedMemory">;
def NV_Value : FixedVectorOfRankAndType<[1], [AnyFloat, AnySignlessInteger]>;
def NV_Buffer : MemRefOf<[AnyFloat, AnySignlessInteger]>;

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

def NV_LoadGlobalOp : NV_Op<"load_global"> {
  let summary = "ld.global";
  let description = [{
    result[i] = buffer[index + i], or zeros where the predicate is false. PTX:
    ld.global, .v2 and .v4 above four bytes.

    Constraints:
    - (load_global_c1) The result has the buffer's element type, of 8 bits or more.
    - (load_global_c2) It has 1, 2, 4, 8, or 16 bytes; the address is a multiple of that.

    Example:

    ```mlir
    %x = nv.load_global %q[%i] if %p : memref<?x64xbf16>, vector<8xbf16>
    ```
  }];
  let arguments = (ins Arg<NV_Buffer, "the buffer", [MemRead]>:$buffer, Index:$index,
    Optional<I1>:$predicate);
  let results = (outs NV_Value:$result);
  let assemblyFormat = [{
    $buffer `[` $index `]` (`if` $predicate^)? attr-dict `:` type($buffer) `,` type($result)
  }];
}

def NV_StoreGlobalOp : NV_Op<"store_global"> {
  let summary = "st.global";
  let description = [{
    buffer[index + i] = value[i], unless the predicate is false.

    Constraints:
    - (store_global_c1) The value has the buffer's element type, of 8 bits or more.
    - (store_global_c2) It has 1, 2, 4, 8, or 16 bytes; the address is a multiple of that.

    Example:

    ```mlir
    nv.store_global %x, %o[%i] if %p : vector<8xbf16>, memref<?x64xbf16>
    ```
  }];
  let arguments = (ins NV_Value:$value, Arg<NV_Buffer, "the buffer", [MemWrite]>:$buffer,
    Index:$index, Optional<I1>:$predicate);
  let assemblyFormat = [{
    $value `,` $buffer `[` $index `]` (`if` $predicate^)? attr-dict `:` type($value) `,` type($buffer)
  }];
}

def NV_LoadSharedOp : NV_Op<"load_shared", [MemoryEffects<[MemRead<NV_Memory>]>]> {
  let summary = "ld.shared";
  let description = [{
    The value at `address` in shared memory.

    Constraints:
    - (load_shared_c1) The result has 1, 2, 4, 8, or 16 bytes; the address is a multiple of that.

    Example:

    ```mlir
    %x = nv.load_shared %a : vector<4xf32>
    ```
  }];
  let arguments = (ins I32:$address);
  let results = (outs NV_Value:$result);
  let assemblyFormat = "$address attr-dict `:` type($result)";
}

def NV_StoreSharedOp : NV_Op<"store_shared", [MemoryEffects<[MemWrite<NV_Memory>]>]> {
  let summary = "st.shared";
  let description = [{
    Writes a value at `address` in shared memory, unless the predicate is false.

    Constraints:
    - (store_shared_c1) The value has 1, 2, 4, 8, or 16 bytes; the address is a multiple of that.

    Example:

    ```mlir
    nv.store_shared %x, %a if %p : vector<4xf32>
    ```
  }];
  let arguments = (ins NV_Value:$value, I32:$address, Optional<I1>:$predicate);
  let assemblyFormat = "$value `,` $address (`if` $predicate^)? attr-dict `:` type($value)";
}

def NV_CopyAsyncOp : NV_Op<"copy_async", [MemoryEffects<[MemWrite<NV_Memory>]>]> {
  let summary = "cp.async.ca/cg.shared.global";
  let description = [{
    Starts to copy `bytes` bytes from buffer[index] to `address` in shared memory;
    zeros where the predicate is false. The bytes are there for this lane after an
    nv.wait_copies that covers their group, for others after a barrier behind it;
    nobody may touch them before.

    Constraints:
    - (nv_copy_async_c1) `bytes` is 4, 8, or 16, and a multiple of the element's size; both addresses are multiples of it.

    Example:

    ```mlir
    nv.copy_async %k[%i], %a if %p {bytes = 16 : i64} : memref<?x64xbf16>
    ```
  }];
  let arguments = (ins Arg<NV_Buffer, "the buffer", [MemRead]>:$buffer, Index:$index,
    I32:$address, Optional<I1>:$predicate, I64Attr:$bytes);
  let assemblyFormat = [{
    $buffer `[` $index `]` `,` $address (`if` $predicate^)? attr-dict `:` type($buffer)
  }];
}

def NV_CommitCopiesOp : NV_Op<"commit_copies", [MemoryEffects<[MemWrite<NV_Memory>]>]> {
  let summary = "cp.async.commit_group";
  let description = [{
    The copies that this lane started since the last one become a group.

    Example:

    ```mlir
    nv.commit_copies
    ```
  }];
  let assemblyFormat = "attr-dict";
  let hasVerifier = 0;
}

def NV_WaitCopiesOp : NV_Op<"wait_copies", [MemoryEffects<[MemRead<NV_Memory>, MemWrite<NV_Memory>]>]> {
  let summary = "cp.async.wait_group";
  let description = [{
    Waits until all but the newest `pending` groups of this lane's copies are there.

    Constraints:
    - (nv_wait_copies_c1) `pending` is at least 0.

    Example:

    ```mlir
    nv.wait_copies 1
    ```
  }];
  let arguments = (ins I64Attr:$pending);
  let assemblyFormat = "$pending attr-dict";
}

def NV_BarrierOp : NV_Op<"barrier", [MemoryEffects<[MemRead<NV_Memory>, MemWrite<NV_Memory>]>]> {
  let summary = "bar.sync 0";
  let description = [{
    Waits for all lanes of the block. What they did to memory before is done for all
    behind it.

    Example:

    ```mlir
    nv.barrier
    ```
  }];
  let assemblyFormat = "attr-dict";
  let hasVerifier = 0;
}

//===----------------------------------------------------------------------===//
// Warps
//===----------------------------------------------------------------------===//

def NV_ShuffleXorOp : NV_Op<"shuffle_xor", [Pure, AllTypesMatch<["value", "result"]>]> {
  let summary = "shfl.sync.bfly";
  let description = [{
    result = value of the lane whose number is this one's xor `mask`. 64-bit values
    take two instructions.

    Constraints:
    - (shuffle_xor_c1) `mask` is from 1 to 31.
    - (shuffle_xor_c2) The value has 32 or 64 bits.

    Example:

    ```mlir
    %y = nv.shuffle_xor %x, 16 : f32
    ```
  }];
  let arguments = (ins AnyTypeOf<[AnyFloat, AnySignlessInteger]>:$value, I64Attr:$mask);
  let results = (outs AnyTypeOf<[AnyFloat, AnySignlessInteger]>:$result);
  let assemblyFormat = "$value `,` $mask attr-dict `:` type($result)";
}

def NV_LdMatrixOp : NV_Op<"ldmatrix", [MemoryEffects<[MemRead<NV_Memory>]>]> {
  let summary = "ldmatrix.sync.aligned.m8n8.x1/x2/x4(.trans).shared.b16";
  let description = [{
    Reads 8 × 8 matrices of 16-bit elements from shared memory, one for each two
    elements of the result. Lane 8 i + r gives the address of row r (16 bytes) of matrix i.
    Lane l gets as elements 2 i and 2 i + 1, of matrix i, row l / 4, columns 2 (l mod 4)
    and the next; with `transpose` column l / 4, rows 2 (l mod 4) and the next.

    Constraints:
    - (ldmatrix_c1) The result has 2, 4, or 8 elements of 16 bits.

    Example:

    ```mlir
    %a = nv.ldmatrix %p : vector<8xbf16>
    ```
  }];
  let arguments = (ins I32:$address, UnitAttr:$transpose);
  let results = (outs NV_Value:$result);
  let assemblyFormat = "$address attr-dict `:` type($result)";
}

def NV_MmaSyncOp : NV_Op<"mma_sync", [Pure, AllTypesMatch<["c", "result"]>]> {
  let summary = "mma.sync.aligned.m16n8k16.row.col (bf16, f16), m16n8k8 (tf32)";
  let description = [{
    result = a b + c over the warp; a is 16 × k, b k × 8, c 16 × 8, in f32. With g =
    lane / 4 and t = lane mod 4, and 16-bit elements, element i of

    - a (i < 8) is in row g + 8 · (i / 2 mod 2), column 2 t + i mod 2 + 8 · (i / 4),
    - b (i < 4) in row 2 t + i mod 2 + 8 · (i / 2), column g,
    - c (i < 4) in row g + 8 · (i / 2), column 2 t + i mod 2.

    With f32 elements (rounded to tf32: the hardware reads 10 bits of the fraction, and
    ignores the rest), k is 8; element i of a (i < 4) is in row g + 8 · (i mod 2), column
    t + 4 · (i / 2), of b (i < 2) in row t + 4 i, column g.

    Source: PTX ISA, "Matrix Fragments for mma.m16n8k16" and "mma.m16n8k8".

    Constraints:
    - (mma_sync_c1) a has 8 elements of bf16 or f16 and b 4, or 4 and 2 of f32.
    - (mma_sync_c2) c has 4 elements of f32.

    Example:

    ```mlir
    %d = nv.mma_sync %a, %b, %c : vector<8xbf16>, vector<4xbf16>, vector<4xf32>
    ```
  }];
  let arguments = (ins NV_Value:$a, NV_Value:$b, NV_Value:$c);
  let results = (outs NV_Value:$result);
  let assemblyFormat = "$a `,` $b `,` $c attr-dict `:` type($a) `,` type($b) `,` type($c)";
}

#endif // INFINI_DIALECT_LANE_OPS
