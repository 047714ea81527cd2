// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Interfaces that passes ask instead of op names.

#ifndef INFINI_DIALECT_INFINI_INTERFACES
#define INFINI_DIALECT_INFINI_INTERFACES

include "mlir/IR/OpBase.td"

def ShapeSignatureOpInterface : OpInterface<"ShapeSignatureOpInterface"> {
  let cppNamespace = "::infini";
  let description = [{
    An op whose shapes are said by one line of named dimensions, such as
    `B H L K, B G K V, B G K -> B H L V`. The verifier, result shapes, checks
    at run time, and tiling all read that line. A dimension `1` broadcasts; the
    name `G` stands for the key/value heads that share a memory: where both `H`
    and `G` occur, `G` divides `H`.
  }];
  let methods = [
    InterfaceMethod<[{
      The dimensions' names, one list an operand and result that is a tensor
      (no names for other operands).
    }], "::infini::ShapeSignature", "getShapeSignature">,
    InterfaceMethod<[{
      The named dimensions along which the op can be cut into independent
      tiles, in the order of the first result.
    }], "::llvm::SmallVector<::infini::DimName>", "getParallelDims">,
    InterfaceMethod<[{
      Called on the op made for a tile, with the tile's offset along each of
      `getParallelDims()` of the whole op: adapts operands that depend on where
      the tile lies (a query's or a rotation's position).
    }], "void", "adaptToTile",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Operation *":$tile,
           "::llvm::ArrayRef<::mlir::OpFoldResult>":$offsets), [{}], [{ return; }]>,
  ];
}

def MemoryWriteOpInterface : OpInterface<"MemoryWriteOpInterface"> {
  let cppNamespace = "::infini";
  let description = [{
    The op that makes the next state of a memory from a segment. The state is a
    list of components in dependency order (z before M). Each is a `sum` (the
    state plus an increment that does not depend on it), `affine` (A·state + B,
    with A and B computable once the earlier components before the segment are
    known), or `sequential` (any function of the earlier components and
    itself). Loop fission over segments relies on nothing else, so a new memory
    rule is an op with this interface, possibly attached from outside as an
    external model.
  }];
  let methods = [
    InterfaceMethod<"The state's components, in dependency order.",
      "::llvm::SmallVector<::infini::StateComponent>", "getStateComponents">,
    InterfaceMethod<[{
      For a `sum`: what the segment adds to component `component`.
      `before` holds every component before the segment; only those that the
      component names in `needs` may be used.
    }], "::mlir::Value", "buildIncrement",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "unsigned":$component, "::mlir::ValueRange":$before)>,
    InterfaceMethod<[{
      For an `affine` component: (A, B), A null where it is the identity.
      `before` as in `buildIncrement`.
    }], "::infini::AffineCoefficients", "buildCoefficients",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "unsigned":$component, "::mlir::ValueRange":$before)>,
    InterfaceMethod<[{
      The component after the segment: the rule's definition.
    }], "::mlir::Value", "buildStep",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "unsigned":$component, "::mlir::ValueRange":$before)>,
    InterfaceMethod<[{
      The component of an empty memory (zeros, unless the rule says otherwise).
    }], "::mlir::Value", "buildIdentity",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "unsigned":$component)>,
    InterfaceMethod<[{
      Whether retrieval from an empty memory is zero by definition (rather than
      0/0).
    }], "bool", "retrievesZeroWhenEmpty", (ins), [{}], [{ return true; }]>,
    InterfaceMethod<"The element type in which the state is accumulated.",
      "::mlir::Type", "getAccumulatorType">,
  ];
}

#endif // INFINI_DIALECT_INFINI_INTERFACES
