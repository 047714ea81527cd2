// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What one block of a kernel does with tiles. How a tile is spread over the
// block's threads is none of its business.

#ifndef INFINI_DIALECT_TILE_OPS
#define INFINI_DIALECT_TILE_OPS

include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/TensorEncoding.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/ViewLikeInterface.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let cppNamespace = "::infini::tile";
  let summary = "Work of a kernel's block on tiles";
  let description = [{
    A tile is a builtin ranked tensor of static shape, of floats, signless
    integers, or indices. arith and math work on tiles element by element, scf
    carries them, `tensor.extract_slice` and `tensor.insert_slice` with static
    offsets and sizes cut and join them; this dialect adds what is missing.
    Kernels' functions take buffers (contiguous memrefs) and index scalars.

    A tile has no layout until a pipeline for GPUs gives it one, as the encoding
    of its type: then `tile.layout` says which register of which thread holds an
    element. Buffers in shared memory (`tile.shared`) hold what threads exchange.
  }];
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = "void registerAttributes();";
}

def Tile_Reduction : I32EnumAttr<"Reduction", "how two elements become one", [
    I32EnumAttrCase<"Sum", 0, "sum">,
    I32EnumAttrCase<"Product", 1, "product">,
    I32EnumAttrCase<"Maximum", 2, "maximum">,
    I32EnumAttrCase<"MaxNum", 3, "maxnum">,
    I32EnumAttrCase<"Minimum", 4, "minimum">,
    I32EnumAttrCase<"MinNum", 5, "minnum">]> {
  let cppNamespace = "::infini::tile";
  let genSpecializedAttr = 0;
}
def Tile_ReductionAttr : EnumAttr<Tile_Dialect, Tile_Reduction, "reduction">;

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

class Tile_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<Tile_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

def Tile_LayoutAttr : Tile_Attr<"Layout", "layout",
    [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let summary = "How a tile is spread over a block's threads";
  let description = [{
    The encoding of a tile that lies in registers: a power-of-two atom times a
    grid of repeats. Bit i of a lane's number adds `lane[i]` to the coordinate,
    bit i of its warp's number `warp[i]`, bit i of a register's number
    `register[i]`; a basis `dim:stride` is `stride` along `dim`, and `_` is
    nothing, which makes replicas. The atom's size along a dimension is two to
    the number of bases along it. The registers above those of the atom count
    its repeats, the last dimension fastest.

    Constraints:
    - (layout_c1) There are five lane bases, of the 32 lanes of a warp.
    - (layout_c2) The strides along a dimension are 1, 2, 4, …, each once: with replicas left out, every coordinate of the atom has one place.
    - (layout_c3) Registers have no replicas.
    - (layout_c4) Repeats are positive.
    - (layout_c5) The tile has the layout's shape: the atom's times the repeats.

    Example: the accumulator of mma.sync m16n8 by four warps, repeated over a
    tile of 64 × 32.

    ```mlir
    #tile.layout<lane = [1:2, 1:4, 0:1, 0:2, 0:4], warp = [0:16, 0:32],
                 register = [1:1, 0:8], repeat = [1, 4]>
    ```
  }];
  let parameters = (ins ArrayRefParameter<"::infini::tile::LayoutBasis">:$lane,
    ArrayRefParameter<"::infini::tile::LayoutBasis">:$warp,
    ArrayRefParameter<"::infini::tile::LayoutBasis">:$reg,
    ArrayRefParameter<"int64_t">:$repeat);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getRank() const { return getRepeat().size(); }
    /// The atom's size along each dimension.
    Coordinate getAtom() const;
    /// The tile's shape: the atom's times the repeats.
    Coordinate getShape() const;
    int64_t getAtomRegisters() const { return int64_t(1) << getReg().size(); }
    /// Registers of a thread.
    int64_t getRegisters() const;
    int64_t getWarps() const { return int64_t(1) << getWarp().size(); }
    int64_t getThreads() const { return getWarps() * kWarpSize; }
    /// What a register's number adds to the coordinate.
    Coordinate getRegisterOffset(int64_t reg) const;
    /// What a thread's number adds to the coordinate.
    Coordinate getThreadOffset(int64_t thread) const;
    /// The coordinate of the element in a register of a thread.
    Coordinate getCoordinate(int64_t thread, int64_t reg) const;
    /// The basis of bit i of a thread's number.
    LayoutBasis getThreadBasis(unsigned bit) const;
    unsigned getThreadBits() const { return kLaneBits + getWarp().size(); }
    /// How many registers from a multiple of this number on lie side by side
    /// along `dim`.
    int64_t getContiguous(int64_t dim) const;
    /// The layout of what a reduction along `axis` leaves: without it.
    LayoutAttr dropDim(int64_t axis) const;
    /// The layout of a transposed tile: its dimension d is `permutation[d]`.
    LayoutAttr permute(::llvm::ArrayRef<int64_t> permutation) const;
    /// The atom over another grid of repeats.
    LayoutAttr withRepeat(::llvm::ArrayRef<int64_t> repeat) const;
    /// Where every thread holds in `from` what it holds here: the register of
    /// `from` for each of this one's.
    ::std::optional<::llvm::SmallVector<int64_t>> registersFrom(LayoutAttr from) const;
    /// The same where the coordinate there is `offsets` plus i[d] along
    /// `dims[d]`, for all d; a dimension d that is not there has `dims[d]` -1.
    ::std::optional<::llvm::SmallVector<int64_t>> registersFrom(LayoutAttr from,
        ::llvm::ArrayRef<int64_t> dims, ::llvm::ArrayRef<int64_t> offsets) const;
  }];
}

def Tile_SharedAttr : Tile_Attr<"Shared", "shared"> {
  let summary = "How a buffer lies in a block's shared memory";
  let description = [{
    The memory space of a buffer in shared memory: row-major, rows `pitch` bytes
    apart. Within a row, 16-byte chunk c lies at c xor ((row / `rows`) & `mask`):
    so the eight rows of a matrix that ldmatrix reads lie in different banks.

    Constraints:
    - (shared_c1) `rows` is positive and `mask` is 0, 1, 3, or 7.
    - (shared_c2) `pitch` is a positive multiple of 16 · (mask + 1).
  }];
  let parameters = (ins "int64_t":$pitch, DefaultValuedParameter<"int64_t", "1">:$rows,
    DefaultValuedParameter<"int64_t", "0">:$mask);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Tile_Tile : StaticShapeTensorOf<[AnyFloat, AnySignlessIntegerOrIndex]>;
def Tile_FloatTile : StaticShapeTensorOf<[BF16, F16, F32, F64]>;
def Tile_IndexTile : StaticShapeTensorOf<[Index]>;
def Tile_Buffer : MemRefOf<[AnyFloat, AnySignlessIntegerOrIndex]>;
def Tile_SharedBuffer : Type<And<[MemRefOf<[AnyFloat, AnySignlessInteger]>.predicate,
    CPred<"::llvm::isa_and_nonnull<::infini::tile::SharedAttr>(::llvm::cast<::mlir::MemRefType>($_self).getMemorySpace())">]>,
    "buffer in shared memory", "::mlir::MemRefType">;

class Tile_Op<string mnemonic, list<Trait> traits = []>
    : Op<Tile_Dialect, mnemonic, traits> {
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

def Tile_LoadOp : Tile_Op<"load", [AttrSizedOperandSegments]> {
  let summary = "Reads a tile from a buffer";
  let description = [{
    result[i] = source[offsets + Σ_d i[d] · e(dims[d])] where i[d] < valid[d] for
    all d, else `pad`; e(x) is the unit vector of source dimension x. So `dims`
    names for each result dimension the source dimension along which it runs,
    and may permute them; the others stand still at their offset.

    `valid` counts elements from the offset, and may be 0, negative, or larger
    than the tile. Elements that are not valid are not read. Without `valid` the
    whole tile is promised to lie inside the source. `pad` defaults to zero.

    Shapes: source of any rank R, R offsets; result of rank r ≤ R, r entries of
    `dims`, and r of `valid`, if there are any.

    Constraints:
    - (load_c1) There is one offset a source dimension.
    - (load_c2) There is one entry of `dims` a result dimension; entries are source dimensions, each at most once.
    - (load_c3) `valid`, where present, has one entry a result dimension.
    - (load_c4) The result has the source's element type.
    - (load_c5) `pad`, where present, is a number of that type.

    Example:

    ```mlir
    %t = tile.load %q[%b, %h, %l, 0] dims [2, 3] valid [%n, 64] : memref<1x8x?x64xf32> -> tensor<64x64xf32>
    ```
  }];
  let arguments = (ins Arg<Tile_Buffer, "the buffer", [MemRead]>:$source,
    Variadic<Index>:$offsets, DenseI64ArrayAttr:$static_offsets, DenseI64ArrayAttr:$dims,
    Variadic<Index>:$valid, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$static_valid,
    OptionalAttr<TypedAttrInterface>:$pad);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = [{
    $source `` custom<DynamicIndexList>($offsets, $static_offsets) `dims` $dims
    (`valid` custom<DynamicIndexList>($valid, $static_valid)^)?
    attr-dict `:` type($source) `->` type($result)
  }];
  let builders = [OpBuilder<(ins "::mlir::Type":$result, "::mlir::Value":$source,
    "::llvm::ArrayRef<::mlir::OpFoldResult>":$offsets, "::llvm::ArrayRef<int64_t>":$dims,
    CArg<"::llvm::ArrayRef<::mlir::OpFoldResult>", "{}">:$valid,
    CArg<"::mlir::TypedAttr", "{}">:$pad)>];
  let extraClassDeclaration = [{
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedOffsets();
    /// Empty where the whole tile is inside.
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedValid();
  }];
}

def Tile_StoreOp : Tile_Op<"store", [AttrSizedOperandSegments]> {
  let summary = "Writes a tile to a buffer";
  let description = [{
    dest[offsets + Σ_d i[d] · e(dims[d])] = source[i] where i[d] < valid[d] for all
    d; `offsets`, `dims`, and `valid` are as in `tile.load`. Elements that are not
    valid are not written.

    Constraints:
    - (store_c1) There is one offset a dimension of `dest`.
    - (store_c2) There is one entry of `dims` a tile dimension; entries are dimensions of `dest`, each at most once.
    - (store_c3) `valid`, where present, has one entry a tile dimension.
    - (store_c4) The tile has the element type of `dest`.

    Example:

    ```mlir
    tile.store %t, %o[%b, %h, %l, 0] dims [2, 3] valid [%n, 64] : tensor<64x64xf32>, memref<1x8x?x64xf32>
    ```
  }];
  let arguments = (ins Tile_Tile:$source, Arg<Tile_Buffer, "the buffer", [MemWrite]>:$dest,
    Variadic<Index>:$offsets, DenseI64ArrayAttr:$static_offsets, DenseI64ArrayAttr:$dims,
    Variadic<Index>:$valid, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$static_valid);
  let assemblyFormat = [{
    $source `,` $dest `` custom<DynamicIndexList>($offsets, $static_offsets) `dims` $dims
    (`valid` custom<DynamicIndexList>($valid, $static_valid)^)?
    attr-dict `:` type($source) `,` type($dest)
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$source, "::mlir::Value":$dest,
    "::llvm::ArrayRef<::mlir::OpFoldResult>":$offsets, "::llvm::ArrayRef<int64_t>":$dims,
    CArg<"::llvm::ArrayRef<::mlir::OpFoldResult>", "{}">:$valid)>];
  let extraClassDeclaration = [{
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedOffsets();
    /// Empty where the whole tile is inside.
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedValid();
  }];
}

def Tile_GatherOp : Tile_Op<"gather"> {
  let summary = "Reads elements of a buffer by their positions";
  let description = [{
    result[i] = source[p_0[i], p_1[i], …], where each index is a tile of the result's
    shape, or one number for all. Positions outside the source read the nearest
    element inside it; a source without elements is not read.

    Constraints:
    - (gather_c1) The source has a dimension at least, and there is one index for each.
    - (gather_c2) Indices that are tiles have the result's shape.
    - (gather_c3) The result has the source's element type.

    Example:

    ```mlir
    %e = tile.gather %table[%token, %column] : memref<256x128xf32>, tensor<16x128xindex>, tensor<16x128xindex> -> tensor<16x128xf32>
    ```
  }];
  let arguments = (ins Arg<Tile_Buffer, "the buffer", [MemRead]>:$source,
    Variadic<AnyTypeOf<[Tile_IndexTile, Index]>>:$indices);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = [{
    $source `[` $indices `]` attr-dict `:` type($source) `,` type($indices) `->` type($result)
  }];
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

def Tile_DotOp : Tile_Op<"dot", [AlwaysSpeculatable, AllTypesMatch<["acc", "result"]>,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "A matrix product, added to an accumulator";
  let description = [{
    result[m, n] = acc[m, n] + Σ_k op(a)[m, k] · op(b)[k, n]; op transposes where
    the attribute says so. The order of the sum over k is unspecified; products
    and sums are in acc's element type.

    An operand that lies in shared memory is read from there as it is needed. On
    GPUs, `swapped` computes the transposed product, rows and columns of the
    instruction exchanged: the way a layout of acc was made.

    Shapes: a `[m, k]` (`[k, m]` with `transpose_a`), b `[k, n]` (`[n, k]` with
    `transpose_b`), acc `[m, n]`; or b `[k]` and acc `[m]`; or a `[k]` and acc `[n]`.

    Constraints:
    - (dot_c1) a and b have rank 1 or 2, not both rank 1; a transposed one has rank 2.
    - (dot_c2) acc has the rank that is left, and m, n, and k agree.
    - (dot_c3) a and b have one element type: bf16, f16, f32, or f64.
    - (dot_c4) acc has element type f32 or f64, at least as wide as that of a and b.

    Example:

    ```mlir
    %c = tile.dot %a, %b, %acc {transpose_b} : tensor<64x32xbf16>, tensor<64x32xbf16> into tensor<64x64xf32>
    ```
  }];
  let arguments = (ins AnyTypeOf<[Tile_FloatTile, Tile_SharedBuffer]>:$a,
    AnyTypeOf<[Tile_FloatTile, Tile_SharedBuffer]>:$b, Tile_FloatTile:$acc,
    UnitAttr:$transpose_a, UnitAttr:$transpose_b, UnitAttr:$swapped);
  let results = (outs Tile_FloatTile:$result);
  let assemblyFormat = [{
    $a `,` $b `,` $acc attr-dict `:` type($a) `,` type($b) `into` type($acc)
  }];
}

def Tile_ReduceOp : Tile_Op<"reduce", [Pure, AllTypesMatch<["init", "result"]>]> {
  let summary = "Combines the elements along an axis";
  let description = [{
    result[i] = init[i] ∘ source[i with j inserted at `axis`], for all j, in any
    order. ∘ is `sum`, `product`, `maximum` or `minimum` (NaN if either is), or
    `maxnum` or `minnum` (the other if one is NaN). Integers wrap, and are
    compared as signed.

    Shapes: source of rank r ≥ 1, init and result of rank r − 1.

    Constraints:
    - (reduce_c1) `axis` is a dimension of the source.
    - (reduce_c2) init has the source's element type, and its shape without `axis`.
    - (reduce_c3) `maxnum` and `minnum` are for floats.

    Example:

    ```mlir
    %m = tile.reduce maxnum %x, %init axis 0 : tensor<64x32xf32> into tensor<32xf32>
    ```
  }];
  let arguments = (ins Tile_ReductionAttr:$kind, Tile_Tile:$source, Tile_Tile:$init,
    I64Attr:$axis);
  let results = (outs Tile_Tile:$result);
  // An enum prints a space of its own.
  let assemblyFormat = [{
    `` $kind $source `,` $init `axis` $axis attr-dict `:` type($source) `into` type($init)
  }];
}

def Tile_BroadcastOp : Tile_Op<"broadcast", [Pure]> {
  let summary = "Repeats a tile or scalar along new axes";
  let description = [{
    result[i] = source[i without the entries at `axes`]. `axes` are those of the
    result that the source lacks: all of them where the source is a scalar (a
    float, an integer, or an index) or a tile of rank 0.

    Constraints:
    - (broadcast_c1) `axes` are dimensions of the result, strictly increasing.
    - (broadcast_c2) The result's shape without `axes` is the source's.
    - (broadcast_c3) Source and result have one element type.

    Example:

    ```mlir
    %y = tile.broadcast %x along [1] : tensor<64xf32> -> tensor<64x32xf32>
    ```
  }];
  let arguments = (ins AnyTypeOf<[Tile_Tile, AnyFloat, AnySignlessIntegerOrIndex]>:$source,
    DenseI64ArrayAttr:$axes);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$source `along` $axes attr-dict `:` type($source) `->` type($result)";
}

def Tile_TransposeOp : Tile_Op<"transpose", [Pure]> {
  let summary = "Permutes the dimensions of a tile";
  let description = [{
    Dimension d of the result is dimension permutation[d] of the source:
    result[i] = source[j], j[permutation[d]] = i[d].

    Constraints:
    - (transpose_c1) `permutation` is a permutation of the source's dimensions.
    - (transpose_c2) The result has the source's element type, and its shape permuted.

    Example:

    ```mlir
    %y = tile.transpose %x [1, 0] : tensor<64x32xf32> -> tensor<32x64xf32>
    ```
  }];
  let arguments = (ins Tile_Tile:$source, DenseI64ArrayAttr:$permutation);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$source $permutation attr-dict `:` type($source) `->` type($result)";
  let hasFolder = 1;
}

def Tile_IndexOp : Tile_Op<"index", [Pure]> {
  let summary = "The coordinates of elements along an axis";
  let description = [{
    result[i] = i[axis]. Masks are made of it with `arith.cmpi`.

    Constraints:
    - (index_c1) `axis` is a dimension of the result.

    Example:

    ```mlir
    %i = tile.index axis 0 : tensor<64x32xindex>
    ```
  }];
  let arguments = (ins I64Attr:$axis);
  let results = (outs Tile_IndexTile:$result);
  let assemblyFormat = "`axis` $axis attr-dict `:` type($result)";
}

//===----------------------------------------------------------------------===//
// GPUs: layouts and shared memory
//===----------------------------------------------------------------------===//

def Tile_ConvertLayoutOp : Tile_Op<"convert_layout", [Pure]> {
  let summary = "The same tile, spread differently";
  let description = [{
    result[i] = source[i]. Where each thread holds the elements already, registers
    are renamed; else the tile goes through shared memory.

    Constraints:
    - (convert_layout_c1) Source and result have one shape and element type.
    - (convert_layout_c2) Both have a layout.

    Example:

    ```mlir
    %y = tile.convert_layout %x : tensor<16x16xf32, #a> -> tensor<16x16xf32, #b>
    ```
  }];
  let arguments = (ins Tile_Tile:$source);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
}

def Tile_AllocOp : Tile_Op<"alloc", [MemoryEffects<[MemAlloc]>]> {
  let summary = "A buffer in the block's shared memory";
  let description = [{
    It lives as long as it is used; buffers that are never alive at once may share
    their place. `offset`, in bytes, is set by `tile-allocate-shared`.

    Constraints:
    - (alloc_c1) The buffer has a static shape, and rows that fit the pitch.
    - (alloc_c2) `offset`, where present, is a multiple of 128.

    Example:

    ```mlir
    %k = tile.alloc : memref<2x64x64xbf16, #tile.shared<pitch = 128, mask = 7>>
    ```
  }];
  let arguments = (ins OptionalAttr<I64Attr>:$offset);
  let results = (outs Tile_SharedBuffer:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def Tile_SlotOp : Tile_Op<"slot", [Pure, ViewLikeOpInterface]> {
  let summary = "One of the buffers in a ring of buffers";
  let description = [{
    Row `index` of the first dimension.

    Constraints:
    - (slot_c1) The result is the source without its first dimension.

    Example:

    ```mlir
    %b = tile.slot %k[%i] : memref<2x64x64xbf16, #s> -> memref<64x64xbf16, #s>
    ```
  }];
  let arguments = (ins Tile_SharedBuffer:$source, Index:$index);
  let results = (outs Tile_SharedBuffer:$result);
  let assemblyFormat = "$source `[` $index `]` attr-dict `:` type($source) `->` type($result)";
  let extraClassDeclaration = [{
    ::mlir::Value getViewSource() { return getSource(); }
  }];
}

def Tile_CopyAsyncOp : Tile_Op<"copy_async", [AttrSizedOperandSegments]> {
  let summary = "Starts to copy a tile from a buffer to shared memory";
  let description = [{
    As a `tile.load` whose result goes into `dest`, but the elements are there only
    after `tile.wait_copies`, for other threads after a `tile.barrier` behind it.
    Elements that are not valid become zero.

    Constraints:
    - (copy_async_c1) There is one offset a source dimension.
    - (copy_async_c2) There is one entry of `dims` a dimension of `dest`; entries are source dimensions, each at most once.
    - (copy_async_c3) `valid`, where present, has one entry a dimension of `dest`.
    - (copy_async_c4) Source and `dest` have one element type.

    Example:

    ```mlir
    tile.copy_async %k[%b, %h, %l, 0] dims [2, 3] valid [%n, 64] into %s
      : memref<1x8x?x64xbf16> into memref<64x64xbf16, #s>
    ```
  }];
  let arguments = (ins Arg<Tile_Buffer, "the buffer", [MemRead]>:$source,
    Variadic<Index>:$offsets, DenseI64ArrayAttr:$static_offsets, DenseI64ArrayAttr:$dims,
    Variadic<Index>:$valid, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$static_valid,
    Arg<Tile_SharedBuffer, "shared memory", [MemWrite]>:$dest);
  let assemblyFormat = [{
    $source `` custom<DynamicIndexList>($offsets, $static_offsets) `dims` $dims
    (`valid` custom<DynamicIndexList>($valid, $static_valid)^)? `into` $dest
    attr-dict `:` type($source) `into` type($dest)
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$source,
    "::llvm::ArrayRef<::mlir::OpFoldResult>":$offsets, "::llvm::ArrayRef<int64_t>":$dims,
    "::llvm::ArrayRef<::mlir::OpFoldResult>":$valid, "::mlir::Value":$dest)>];
  let extraClassDeclaration = [{
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedOffsets();
    /// Empty where the whole tile is inside.
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedValid();
  }];
}

def Tile_CommitCopiesOp : Tile_Op<"commit_copies", []> {
  let summary = "Closes a group of copies";
  let description = [{
    The copies that were started since the last one are a group.
  }];
  let assemblyFormat = "attr-dict";
  let hasVerifier = 0;
}

def Tile_WaitCopiesOp : Tile_Op<"wait_copies", []> {
  let summary = "Waits until all but the newest groups of copies are there";
  let description = [{
    Constraints:
    - (wait_copies_c1) `pending`, the groups that may be on their way, is at least 0.
  }];
  let arguments = (ins I64Attr:$pending);
  let assemblyFormat = "$pending attr-dict";
}

def Tile_BarrierOp : Tile_Op<"barrier", []> {
  let summary = "All threads of the block wait for each other";
  let description = [{
    What they did to memory before is done for all behind it.
  }];
  let assemblyFormat = "attr-dict";
  let hasVerifier = 0;
}

def Tile_WriteOp : Tile_Op<"write", []> {
  let summary = "Writes a tile to shared memory";
  let description = [{
    dest[offsets + i] = source[i].

    Constraints:
    - (write_c1) There is one offset a dimension, and the tile lies inside `dest`.
    - (write_c2) Tile and buffer have one rank and element type.

    Example:

    ```mlir
    tile.write %t, %s[0, 0] : tensor<64x64xf32, #l>, memref<64x64xf32, #s>
    ```
  }];
  let arguments = (ins Tile_Tile:$source,
    Arg<Tile_SharedBuffer, "shared memory", [MemWrite]>:$dest, DenseI64ArrayAttr:$offsets);
  let assemblyFormat = "$source `,` $dest `` $offsets attr-dict `:` type($source) `,` type($dest)";
}

def Tile_ReadOp : Tile_Op<"read", []> {
  let summary = "Reads a tile from shared memory";
  let description = [{
    result[i] = source[offsets + i].

    Constraints:
    - (read_c1) There is one offset a dimension, and the tile lies inside the buffer.
    - (read_c2) Tile and buffer have one rank and element type.

    Example:

    ```mlir
    %t = tile.read %s[0, 0] : memref<64x64xf32, #s> -> tensor<64x64xf32, #l>
    ```
  }];
  let arguments = (ins Arg<Tile_SharedBuffer, "shared memory", [MemRead]>:$source,
    DenseI64ArrayAttr:$offsets);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$source `` $offsets attr-dict `:` type($source) `->` type($result)";
}

#endif // INFINI_DIALECT_TILE_OPS
