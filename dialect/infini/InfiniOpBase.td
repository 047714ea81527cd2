// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What ops with a shape signature are made of: ours, and those of dialects that
// extend us (docs/extending.md). Defines no op.

#ifndef INFINI_DIALECT_INFINI_OPBASE
#define INFINI_DIALECT_INFINI_OPBASE

include "infini/dialect/infini/InfiniInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/TilingInterface.td"

def Infini_Tensor : AnyTypeOf<[RankedTensorOf<[BF16, F16, F32, F64]>],
    "ranked tensor of bf16, f16, f32, or f64 values", "::mlir::RankedTensorType">;
def Infini_State : AnyTypeOf<[RankedTensorOf<[F32, F64]>],
    "ranked tensor of f32 or f64 values", "::mlir::RankedTensorType">;

/// An op on tensors with one line of named dimensions; it is pure, verified,
/// shaped, and tiled by that line.
class Infini_ShapedOp<Dialect dialect, string mnemonic, list<Trait> traits = [],
    list<string> signatureMethods = []> : Op<dialect, mnemonic, !listconcat(traits, [
        Pure,
        DeclareOpInterfaceMethods<ShapeSignatureOpInterface, signatureMethods>,
        DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>,
        DeclareOpInterfaceMethods<TilingInterface,
          ["getIterationDomain", "getLoopIteratorTypes", "getTiledImplementation",
           "getResultTilePosition", "generateResultTileValue"]>])> {
  let hasVerifier = 1;
}

#endif // INFINI_DIALECT_INFINI_OPBASE
