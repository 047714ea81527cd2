// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The schedule: what runs when, on which buffers. How kernels look inside is
// none of its business.

#ifndef INFINI_DIALECT_PROGRAM_OPS
#define INFINI_DIALECT_PROGRAM_OPS

include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Program_Dialect : Dialect {
  let name = "program";
  let cppNamespace = "::infini::program";
  let summary = "The schedule of a compiled function";
  let description = [{
    A function at this stage holds these ops, `scf.for` as the counted loop,
    reshapes (which cost nothing: buffers are contiguous), and integer
    arithmetic on sizes. It stays on tensors to the end: an op's `outs` operand
    and its result are the same buffer, and a `program.buffer` names the place in
    the arena of everything that is neither an argument nor a result.

    Arguments and results carry `program.role` ("argument", "weight", "state",
    or "constant") and `program.name`; a module made from a model folder carries
    `program.model`. Kernels are nested modules with the attribute
    `program.kernel`, each with one function of the module's name.
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

class Program_Op<string mnemonic, list<Trait> traits = []>
    : Op<Program_Dialect, mnemonic, traits>;

/// An op that writes its `outs` operands in place and returns them.
class Program_InPlaceOp<string mnemonic, list<Trait> traits = []>
    : Program_Op<mnemonic, !listconcat(traits, [Pure,
        DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>])> {
  let hasVerifier = 1;
}

def Program_DispatchOp : Program_InPlaceOp<"dispatch", [AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Runs a kernel over a grid of blocks";
  let description = [{
    Calls the kernel's function on `ins`, `outs`, and `scalars`, in this order;
    its results are the new contents of `outs`. The grid is the kernel's: the
    outermost `scf.forall` of its body.

    Constraints:
    - (dispatch_c1) `kernel` names a nested module with `program.kernel` that has a function of its own name.
    - (dispatch_c2) That function takes `ins`, `outs`, and one index a scalar, and returns the types of `outs`.
    - (dispatch_c3) There is one result an `outs`, of its type.

    Example:

    ```mlir
    %y = program.dispatch @scale scalars(%n) ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<Index>:$scalars,
    Variadic<AnyRankedTensor>:$ins, Variadic<AnyRankedTensor>:$outs);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $kernel (`scalars` `(` $scalars^ `)`)? (`ins` `(` $ins^ `:` type($ins) `)`)?
    (`outs` `(` $outs^ `:` type($outs) `)`)? attr-dict (`->` type($results)^)?
  }];
}

def Program_GemmOp : Program_InPlaceOp<"gemm", [AllTypesMatch<["out", "result"]>]> {
  let summary = "A dense matrix product by the device's library";
  let description = [{
    out = op(lhs) op(rhs), or out += with `accumulate`; op transposes where the
    attribute says so: lhs is `[m, k]` (`[k, m]` with `transpose_lhs`), rhs `[k, n]`
    (`[n, k]` with `transpose_rhs`), out `[m, n]`.

    Constraints:
    - (gemm_c1) All operands have rank 2 and one element type, f32 or f64.
    - (gemm_c2) m, n, and k agree, where static.

    Example:

    ```mlir
    %y = program.gemm %x, %w into %e {transpose_rhs}
      : tensor<?x128xf32>, tensor<352x128xf32>, tensor<?x352xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$lhs, AnyRankedTensor:$rhs, AnyRankedTensor:$out,
    UnitAttr:$transpose_lhs, UnitAttr:$transpose_rhs, UnitAttr:$accumulate);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `into` $out attr-dict `:` type($lhs) `,` type($rhs) `,` type($out)
  }];
}

def Program_CopyOp : Program_InPlaceOp<"copy", [AllTypesMatch<["out", "result"]>]> {
  let summary = "Copies a whole buffer";
  let description = [{
    Constraints:
    - (copy_c1) Source and destination have one type.

    Example:

    ```mlir
    %c = program.copy %a into %b : tensor<?x4xf32>, tensor<?x4xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$source, AnyRankedTensor:$out);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$source `into` $out attr-dict `:` type($source) `,` type($out)";
}

def Program_BufferOp : Program_Op<"buffer", [
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "A place in the arena";
  let description = [{
    A tensor of unspecified contents that lies in slot `slot` of the function's
    arena. Buffers with one slot are never alive at the same time.

    Constraints:
    - (buffer_c1) There is one size a dynamic dimension.
    - (buffer_c2) `slot` ≥ 0.

    Example:

    ```mlir
    %b = program.buffer(%n) {slot = 2 : i64} : tensor<?x128xf32>
    ```
  }];
  let arguments = (ins Variadic<Index>:$sizes, I64Attr:$slot);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "(`(` $sizes^ `)`)? attr-dict `:` type($result)";
  let hasVerifier = 1;
}

#endif // INFINI_DIALECT_PROGRAM_OPS
