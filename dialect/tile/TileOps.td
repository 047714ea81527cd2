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
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let cppNamespace = "::infini::tile";
  let summary = "Work of a kernel's block on tiles";
  let description = [{
    A tile is a builtin ranked tensor of static shape, of floats, signless
    integers, or indices. arith and math work on tiles element by element, scf
    carries them, `tensor.extract_slice` and `tensor.insert_slice` with static
    offsets and sizes cut and join them; this dialect adds what is missing.
    There are no layouts. Kernels' functions take buffers (contiguous memrefs)
    and index scalars.
  }];
  let useDefaultAttributePrinterParser = 1;
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

def Tile_Tile : StaticShapeTensorOf<[AnyFloat, AnySignlessIntegerOrIndex]>;
def Tile_FloatTile : StaticShapeTensorOf<[BF16, F16, F32, F64]>;
def Tile_IndexTile : StaticShapeTensorOf<[Index]>;
def Tile_Buffer : MemRefOf<[AnyFloat, AnySignlessIntegerOrIndex]>;

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

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

def Tile_DotOp : Tile_Op<"dot", [Pure, AllTypesMatch<["acc", "result"]>]> {
  let summary = "A matrix product, added to an accumulator";
  let description = [{
    result[m, n] = acc[m, n] + Σ_k op(a)[m, k] · op(b)[k, n]; op transposes where
    the attribute says so. The order of the sum over k is unspecified; products
    and sums are in acc's element type.

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
  let arguments = (ins Tile_FloatTile:$a, Tile_FloatTile:$b, Tile_FloatTile:$acc,
    UnitAttr:$transpose_a, UnitAttr:$transpose_b);
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
  let assemblyFormat = [{
    $kind $source `,` $init `axis` $axis attr-dict `:` type($source) `into` type($init)
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

#endif // INFINI_DIALECT_TILE_OPS
