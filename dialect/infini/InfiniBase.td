// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The infini dialect and its attributes.

#ifndef INFINI_DIALECT_INFINI_BASE
#define INFINI_DIALECT_INFINI_BASE

include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Infini_Dialect : Dialect {
  let name = "infini";
  let cppNamespace = "::infini";
  let summary = "Segments of local attention, compressive memories, and gates";
  let description = [{
    Says *what* models with a memory of constant size compute, on plain ranked
    tensors: nothing here knows of tiles or devices. Projections, norms, and
    other dense algebra stay in linalg, arith, math, and tensor.

    Sequences are `[B, H, L, d]`: batch, heads, tokens, head size. `H` counts
    query heads, `G` key/value heads, and query head `h` belongs to the
    key/value head `h floordiv (H / G)`. Memories are `M [B, G, d_k, d_v]` with
    the normaliser `z [B, G, d_k]`, in f32 (f64 where the sequences are f64),
    never in 16 bits.

    Source: Munkhdalai, Faruqui, Gopal, "Leave No Context Behind", arXiv
    2404.07143; the corrected delta rule is ARMT's, arXiv 2407.04841.
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"
  ];
  let useDefaultAttributePrinterParser = 1;
  let hasCanonicalizer = 1;
}

class Infini_EnumAttr<EnumInfo info, string name> : EnumAttr<Infini_Dialect, info, name> {
  let assemblyFormat = "`<` $value `>`";
}

def Infini_UpdateRule : I32EnumAttr<"UpdateRule", "how a segment is written to the memory", [
    I32EnumAttrCase<"Delta", 0, "delta">,
    I32EnumAttrCase<"Linear", 1, "linear">,
    I32EnumAttrCase<"DeltaCorrected", 2, "delta_corrected">]> {
  let cppNamespace = "::infini";
  let genSpecializedAttr = 0;
}
def Infini_UpdateRuleAttr : Infini_EnumAttr<Infini_UpdateRule, "update">;

def Infini_FirstSegment : I32EnumAttr<"FirstSegment", "what an empty memory contributes", [
    I32EnumAttrCase<"ZeroMemory", 0, "zero_memory">,
    I32EnumAttrCase<"LocalOnly", 1, "local_only">]> {
  let cppNamespace = "::infini";
  let genSpecializedAttr = 0;
}
def Infini_FirstSegmentAttr : Infini_EnumAttr<Infini_FirstSegment, "first_segment">;

def Infini_Mask : I32EnumAttr<"Mask", "which keys a query sees", [
    I32EnumAttrCase<"Causal", 0, "causal">,
    I32EnumAttrCase<"Full", 1, "full">,
    I32EnumAttrCase<"Window", 2, "window">]> {
  let cppNamespace = "::infini";
  let genSpecializedAttr = 0;
}
def Infini_MaskAttr : Infini_EnumAttr<Infini_Mask, "mask">;

def Infini_FeatureMapKind : I32EnumAttr<"FeatureMapKind", "an element-wise feature map", [
    I32EnumAttrCase<"EluPlusOne", 0, "elu_plus_one">]> {
  let cppNamespace = "::infini";
  let genSpecializedAttr = 0;
}
def Infini_FeatureMapKindAttr : Infini_EnumAttr<Infini_FeatureMapKind, "feature">;

#endif // INFINI_DIALECT_INFINI_BASE
