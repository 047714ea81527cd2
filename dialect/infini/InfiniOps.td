// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ops of segments and memory. Constraints are numbered; each label stands
// in docs/spec.md, in the verifier (as a comment beside the check), and in
// test/dialect/infini/invalid.mlir.

#ifndef INFINI_DIALECT_INFINI_OPS
#define INFINI_DIALECT_INFINI_OPS

include "infini/dialect/infini/InfiniBase.td"
include "infini/dialect/infini/InfiniOpBase.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

class Infini_Op<string mnemonic, list<Trait> traits = []>
    : Op<Infini_Dialect, mnemonic, traits>;
class Infini_TensorOp<string mnemonic, list<Trait> traits = [], list<string> signatureMethods = []>
    : Infini_ShapedOp<Infini_Dialect, mnemonic, traits, signatureMethods>;

//===----------------------------------------------------------------------===//
// Segments
//===----------------------------------------------------------------------===//

def Infini_SegmentScanOp : Infini_Op<"segment_scan", [
    IsolatedFromAbove, AttrSizedOperandSegments,
    RecursiveMemoryEffects, RecursivelySpeculatable,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>,
    SingleBlockImplicitTerminator<"::infini::YieldOp">]> {
  let summary = "Runs a body over the segments of sequences, carrying states";
  let description = [{
    Cuts `sequences` into segments of `segment_length` (N) tokens along each
    one's axis (`sequence_axes`), and runs the body on one segment after the
    other:

        for s in 0 … S-1, S = ceil(T / N):
            (outputs_s, stacked_s, states) = body(sequences_s, per_segment[s], invariants, states)

    The body's arguments are, in this order: a slice of each sequence (its
    token dimension dynamic, at most N), of each per-segment value (sliced by
    one along its leading axis, which is dropped), each invariant, each state,
    and, where the op has `fill`, the position (an `index`) of the segment's
    first new token. `infini.yield` gives the segment's output sequences, its
    per-segment values, and the next states. The op's results are the output
    sequences (joined along `output_axes`), the per-segment values (stacked on a
    new leading axis S), the final states, and the new pending values.

    Without `fill` the last segment may be shorter than N, and is folded into
    the states as every other. With `fill` the op continues a stream: `fill`
    tokens (0 ≤ fill < N) of the segment under way were seen before, and the
    sequences named in `pending_sequences` keep theirs in `pending`, tensors of N
    tokens of which the first `fill` count. In the segment under way these
    sequences' slices hold the pending tokens and the new ones, the others the
    new ones only; `position` is the number of pending tokens. A segment is
    folded into the states when it is full, and not before; the fill after the
    op is `(fill + T) mod N`, and the new pending values hold the tokens of the
    segment then under way (entries past the fill are unspecified). So a stream
    may be cut into calls of any size.

    Without states the op is a parallel map over segments.

    With `whole` every segment has N tokens, and the body's slices say so: the
    form in which `infini-peel-scan` leaves the full segments of a scan.

    Constraints:
    - (segment_scan_c1) `segment_length` ≥ 1.
    - (segment_scan_c2) One axis a sequence in `sequence_axes`, one an output sequence in `output_axes`, each within the rank.
    - (segment_scan_c3) All sequences have the same number of tokens T, where static.
    - (segment_scan_c4) The body has one argument a sequence, per-segment value, invariant, and state, and one more (`index`) with `fill`.
    - (segment_scan_c5) A slice has its sequence's type but for the token dimension, which is dynamic, or N with `whole`; a per-segment argument lacks the leading dimension; invariants and states have their operand's type.
    - (segment_scan_c6) The yielded values match the results: output sequences but for the token dimension, per-segment values but for the leading one, states exactly.
    - (segment_scan_c7) `pending` and a non-empty `pending_sequences` need `fill`; there is one pending value an index, each index names a sequence once, and the pending type is the sequence's with N tokens.
    - (segment_scan_c8) `fill` excludes per-segment operands and results.
    - (segment_scan_c9) The number of results is that of outputs, stacked values (`num_stacked`), states, and pending values together, and the final states and new pending values have their operand's type.
    - (segment_scan_c10) With `whole`, T is a multiple of N, where static, and there is no `fill`.

    Example:

    ```mlir
    %o, %sum = infini.segment_scan sequences(%x : tensor<?x4xf32>)
        states(%s0 : tensor<4xf32>)
        attributes {segment_length = 8 : i64, sequence_axes = array<i64: 0>,
                    output_axes = array<i64: 0>} {
    ^bb0(%xs: tensor<?x4xf32>, %s: tensor<4xf32>):
      %next = linalg.reduce ins(%xs : tensor<?x4xf32>) outs(%s : tensor<4xf32>) dimensions = [0]
        (%a: f32, %b: f32) { %c = arith.addf %a, %b : f32  linalg.yield %c : f32 }
      infini.yield %xs, %next : tensor<?x4xf32>, tensor<4xf32>
    } -> tensor<?x4xf32>, tensor<4xf32>
    ```
  }];
  let arguments = (ins
    Variadic<AnyRankedTensor>:$sequences,
    Variadic<AnyRankedTensor>:$per_segment,
    Variadic<AnyRankedTensor>:$invariants,
    Variadic<AnyRankedTensor>:$states,
    Optional<Index>:$fill,
    Variadic<AnyRankedTensor>:$pending,
    I64Attr:$segment_length,
    DenseI64ArrayAttr:$sequence_axes,
    DenseI64ArrayAttr:$output_axes,
    DefaultValuedAttr<I64Attr, "0">:$num_stacked,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$pending_sequences,
    UnitAttr:$whole);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    (`sequences` `(` $sequences^ `:` type($sequences) `)`)?
    (`per_segment` `(` $per_segment^ `:` type($per_segment) `)`)?
    (`invariants` `(` $invariants^ `:` type($invariants) `)`)?
    (`states` `(` $states^ `:` type($states) `)`)?
    (`fill` `(` $fill^ `)`)?
    (`pending` `(` $pending^ `:` type($pending) `)`)?
    attr-dict-with-keyword $body (`->` type($results)^)?
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// Results, by group.
    unsigned getNumOutputs() { return getOutputAxes().size(); }
    ::mlir::ResultRange getOutputs() { return getResults().take_front(getNumOutputs()); }
    ::mlir::ResultRange getStacked() { return getResults().slice(getNumOutputs(), getNumStacked()); }
    ::mlir::ResultRange getFinalStates() {
      return getResults().slice(getNumOutputs() + getNumStacked(), getStates().size());
    }
    ::mlir::ResultRange getNewPending() { return getResults().take_back(getPending().size()); }
    /// Arguments of the body, by group.
    ::llvm::ArrayRef<::mlir::BlockArgument> getSequenceArguments();
    ::llvm::ArrayRef<::mlir::BlockArgument> getPerSegmentArguments();
    ::llvm::ArrayRef<::mlir::BlockArgument> getInvariantArguments();
    ::llvm::ArrayRef<::mlir::BlockArgument> getStateArguments();
    /// The position argument, or null without `fill`.
    ::mlir::Value getPositionArgument();
    ::infini::YieldOp getYield();
    /// The type of a segment's slice of a sequence or output of this type.
    ::mlir::RankedTensorType getSliceType(::mlir::Type type, int64_t axis);
  }];
}

def Infini_YieldOp : Infini_Op<"yield", [Pure, Terminator, ReturnLike,
    HasParent<"::infini::SegmentScanOp">]> {
  let summary = "Ends the body of a segment scan";
  let description = [{
    The segment's output sequences, then its per-segment values, then the next
    states (see `infini.segment_scan`).

    Constraints:
    - (yield_c1) It stands in an `infini.segment_scan`, and yields one value an output, stacked value, and state.

    Example:

    ```mlir
    infini.yield %o, %next : tensor<?x4xf32>, tensor<4xf32>
    ```
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
  let builders = [OpBuilder<(ins), [{ return; }]>];
}

def Infini_SegmentAttentionOp : Infini_TensorOp<"segment_attention", [AttrSizedOperandSegments],
    ["adaptToTile"]> {
  let summary = "Softmax attention of a segment's queries over its keys";
  let description = [{
    A_dot = softmax(Q Kᵀ · scale + bias, over the keys that the mask shows) V
    (arXiv 2404.07143, eq. 6), with `past_key` and `past_value` before the
    segment's own. Query i has the position P + query_offset + i, P the number
    of past keys; `query_offset` defaults to L_k − L_q, so that the last query
    stands at the last key. `causal` shows the keys up to the query's position,
    `window` the last `window` of these, `full` all. A query that sees no key
    gives 0. `scale` defaults to 1/√d_k. Scores and sums are f32 (f64 where the
    operands are).

    Shapes: query `[B, H, L, K]`, key `[B, G, J, K]`, value `[B, G, J, V]`,
    past_key `[B, G, P, K]`, past_value `[B, G, P, V]`, bias `[B|1, H|1, L|1, P+J]`
    → `[B, H, L, V]`. Never holds more than a block of scores.

    Properties: softmax is invariant to a constant added to a row; permuting
    heads or batch permutes the result.

    Constraints:
    - (segment_attention_c1) Dimensions of the same name agree, where static.
    - (segment_attention_c2) G divides H, where static.
    - (segment_attention_c3) All operands but `bias` and the result have one element type.
    - (segment_attention_c4) `past_key` and `past_value` come together.
    - (segment_attention_c5) `window` ≥ 1 is given with the mask `window`, and only with it.
    - (segment_attention_c6) `scale`, if given, is finite.
    - (segment_attention_c7) Ranks are 4.

    Example:

    ```mlir
    %o = infini.segment_attention %q, %k, %v
      : (tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x8x?x64xf32>
    ```
  }];
  let arguments = (ins
    Infini_Tensor:$query, Infini_Tensor:$key, Infini_Tensor:$value,
    Optional<Infini_Tensor>:$past_key, Optional<Infini_Tensor>:$past_value,
    Optional<Infini_Tensor>:$bias, Optional<Index>:$query_offset,
    DefaultValuedAttr<Infini_MaskAttr, "::infini::Mask::Causal">:$mask,
    OptionalAttr<I64Attr>:$window, OptionalAttr<F64Attr>:$scale);
  let results = (outs Infini_Tensor:$result);
  let assemblyFormat = [{
    $query `,` $key `,` $value
    (`past` `(` $past_key^ `,` $past_value `:` type($past_key) `,` type($past_value) `)`)?
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`query_offset` `(` $query_offset^ `)`)?
    attr-dict `:` `(` type($query) `,` type($key) `,` type($value) `)` `->` type($result)
  }];
  let hasCanonicalizer = 1;
}

def Infini_RopeOp : Infini_TensorOp<"rope", [AttrSizedOperandSegments,
    AllTypesMatch<["input", "result"]>], ["adaptToTile"]> {
  let summary = "Rotary position embedding, half-split";
  let description = [{
    Rotates the pair (x_c, x_{c+d/2}) of the token at position p by the angle
    p · base^(−2c/d) / factor: RoPE in the half-split ("rotate half") form, with
    position interpolation (arXiv 2306.15595) by `factor`. Token i of the input
    has the position offset + i; `offset` defaults to 0. Angles are computed in
    f64 and rounded once.

    Tables, where given (`infini-materialize-rope-tables` does), hold cos and sin
    of the positions from 0, `[P, K/2]` each, and take the place of `base` and
    `factor`.

    Shapes: input `[…, L, K]` (rank ≥ 2) → the same; cos, sin `[P, K/2]`.

    Properties: relative: ⟨rope(q, m), rope(k, n)⟩ depends on m − n; norm preserving;
    the identity at position 0.

    Constraints:
    - (rope_c1) The rank is at least 2.
    - (rope_c2) The last dimension is even, where static.
    - (rope_c3) `base` > 0 and finite.
    - (rope_c4) `factor` > 0 and finite.
    - (rope_c5) `cos` and `sin` come together, have rank 2, one type, and K/2 columns, where static.

    Example:

    ```mlir
    %y = infini.rope %x offset(%position) {base = 1.0e4 : f64} : tensor<1x8x?x64xf32>
    ```
  }];
  let arguments = (ins Infini_Tensor:$input, Optional<Index>:$offset,
    Optional<Infini_State>:$cos, Optional<Infini_State>:$sin,
    DefaultValuedAttr<F64Attr, "10000.0">:$base, DefaultValuedAttr<F64Attr, "1.0">:$factor);
  let results = (outs Infini_Tensor:$result);
  let assemblyFormat = [{
    $input (`offset` `(` $offset^ `)`)?
    (`tables` `(` $cos^ `,` $sin `:` type($cos) `,` type($sin) `)`)?
    attr-dict `:` type($input)
  }];
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

def Infini_FeatureMapOp : Infini_TensorOp<"feature_map", [AllTypesMatch<["input", "result"]>]> {
  let summary = "An element-wise feature map σ";
  let description = [{
    `elu_plus_one`: σ(x) = x + 1 for x > 0, exp(x) otherwise: always > 0 (ELU(x)+1,
    Katharopoulos 2020; arXiv 2404.07143 §2.2). Any other map is an ordinary
    producer of `infini.memory_retrieve` and `infini.memory_update`.

    Shapes: input and result have one type, of rank ≥ 1.

    Properties: element-wise, monotone, positive.

    Constraints:
    - (feature_map_c1) Input and result have the same type.
    - (feature_map_c2) The rank is at least 1.

    Example:

    ```mlir
    %s = infini.feature_map %q : tensor<1x8x?x64xf32>
    ```
  }];
  let arguments = (ins Infini_Tensor:$input,
    DefaultValuedAttr<Infini_FeatureMapKindAttr, "::infini::FeatureMapKind::EluPlusOne">:$kind);
  let results = (outs Infini_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

def Infini_MemoryRetrieveOp : Infini_TensorOp<"memory_retrieve"> {
  let summary = "Reads the memory with a segment's queries";
  let description = [{
    A_mem = σ(Q) M / (σ(Q) z), the denominator one number a row (arXiv
    2404.07143, eq. 7). `query` is σ(q) already. Where the denominator is not
    positive (an empty memory, or a feature map that allows it) the row is 0.
    Products and the denominator are accumulated in the state's type.

    Shapes: query `[B, H, L, K]`, memory `[B, G, K, V]`, normalizer `[B, G, K]` → `[B, H, L, V]`.

    Properties: linear in M; invariant to scaling σ(q) by a positive number.

    Constraints:
    - (memory_retrieve_c1) Dimensions of the same name agree, where static.
    - (memory_retrieve_c2) G divides H, where static.
    - (memory_retrieve_c3) Memory and normalizer have one element type, f32 or f64, no narrower than the query's.
    - (memory_retrieve_c4) Query and result have one element type.
    - (memory_retrieve_c5) Ranks are 4, 4, 3, and 4.

    Example:

    ```mlir
    %a = infini.memory_retrieve %sq, %M, %z
      : (tensor<1x8x?x64xbf16>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>) -> tensor<1x8x?x64xbf16>
    ```
  }];
  let arguments = (ins Infini_Tensor:$query, Infini_State:$memory, Infini_State:$normalizer);
  let results = (outs Infini_Tensor:$result);
  let assemblyFormat = [{
    $query `,` $memory `,` $normalizer attr-dict
    `:` `(` type($query) `,` type($memory) `,` type($normalizer) `)` `->` type($result)
  }];
}

def Infini_MemoryUpdateOp : Infini_TensorOp<"memory_update", [
    DeclareOpInterfaceMethods<MemoryWriteOpInterface>,
    AllTypesMatch<["memory", "new_memory"]>, AllTypesMatch<["normalizer", "new_normalizer"]>]> {
  let summary = "Writes a segment's keys and values to the memory";
  let description = [{
    With `key` = σ(k) already, and everything of the right-hand sides before the segment:

        linear:          M' = M + σ(K)ᵀ V                              z' = z + Σ_t σ(K_t)   (eq. 8)
        delta:           M' = M + σ(K)ᵀ (V − σ(K) M / (σ(K) z))        z' as above           (eq. 9)
        delta_corrected: M' as delta     z' = z + Σ_t γ_t σ(K_t),  γ_t = clip(1 − z·σ(K_t)/‖σ(K_t)‖², 0, 1)

    of arXiv 2404.07143 and, for the last, arXiv 2407.04841. The division gives
    0 where the denominator is not positive. The delta rules are *batch* updates:
    M is frozen within the segment.

    Shapes: key `[B, G, L, K]`, value `[B, G, L, V]`, memory `[B, G, K, V]`,
    normalizer `[B, G, K]` → memory, normalizer.

    Properties: `linear` is a sum in M and z; `delta` a sum in z and affine in M;
    `delta_corrected` sequential in z, affine in M (see `MemoryWriteOpInterface`).
    L = 0 changes nothing.

    Constraints:
    - (memory_update_c1) Dimensions of the same name agree, where static.
    - (memory_update_c2) Memory and normalizer have one element type, f32 or f64, no narrower than the key's.
    - (memory_update_c3) The states' types are those of the results.
    - (memory_update_c4) Key and value have one element type.
    - (memory_update_c5) Ranks are 4, 4, 4, and 3.

    Example:

    ```mlir
    %M1, %z1 = infini.memory_update %sk, %v, %M, %z {update = #infini.update<linear>}
      : tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x64x64xf32>, tensor<1x2x64xf32>
    ```
  }];
  let arguments = (ins Infini_Tensor:$key, Infini_Tensor:$value, Infini_State:$memory, Infini_State:$normalizer,
    DefaultValuedAttr<Infini_UpdateRuleAttr, "::infini::UpdateRule::Delta">:$update);
  let results = (outs Infini_State:$new_memory, Infini_State:$new_normalizer);
  let assemblyFormat = [{
    $key `,` $value `,` $memory `,` $normalizer attr-dict
    `:` type($key) `,` type($value) `,` type($memory) `,` type($normalizer)
  }];
}

def Infini_GateOp : Infini_TensorOp<"gate", [AllTypesMatch<["memory", "local", "result"]>]> {
  let summary = "Blends what memory and local attention say";
  let description = [{
    A = g A_mem + (1 − g) A_dot, g = sigmoid(β) (arXiv 2404.07143, eq. 10). β is one
    number a head `[H]`, one a head and channel `[H, V]`, or depends on the data:
    `[B, H, L]` or `[B, H, L, V]`. With `first_segment = local_only` the result is
    A_dot for a batch and key/value head whose `normalizer` is all zero, that
    is, before anything was stored. β = −∞ closes the gate and +∞ opens it
    exactly: 0 · A_mem is then 0 whatever A_mem holds. Computed in f32 or wider.

    Shapes: memory, local `[B, H, L, V]`, beta as above, normalizer `[B, G, K]` → `[B, H, L, V]`.

    Properties: convex combination; element-wise.

    Constraints:
    - (gate_c1) Dimensions of the same name agree, where static.
    - (gate_c2) `beta` has rank 1, 2, 3, or 4.
    - (gate_c3) `normalizer` is given with `local_only`, and only with it.
    - (gate_c4) Memory, local, and result have one type, of rank 4.
    - (gate_c5) G divides H, where static.

    Example:

    ```mlir
    %a = infini.gate %mem, %dot, %beta : tensor<1x8x?x64xf32>, tensor<8xf32>
    ```
  }];
  let arguments = (ins Infini_Tensor:$memory, Infini_Tensor:$local, Infini_Tensor:$beta,
    Optional<Infini_State>:$normalizer,
    DefaultValuedAttr<Infini_FirstSegmentAttr, "::infini::FirstSegment::ZeroMemory">:$first_segment);
  let results = (outs Infini_Tensor:$result);
  let assemblyFormat = [{
    $memory `,` $local `,` $beta (`normalizer` `(` $normalizer^ `:` type($normalizer) `)`)?
    attr-dict `:` type($memory) `,` type($beta)
  }];
  let hasCanonicalizer = 1;
}

def Infini_AffineScanOp : Infini_TensorOp<"affine_scan", [
    AllTypesMatch<["increments", "before"]>, AllTypesMatch<["initial", "last"]>]> {
  let summary = "Composes affine steps along segments";
  let description = [{
    With M_s = A_s M_{s−1} + B_s for s = 1 … S, gives the state before each
    segment, (M_0, …, M_{S−1}), and the last, M_S. Without `factors` A is the
    identity and the op an exclusive prefix sum with its total. Factors
    `[S, B, G, K, K]` are full matrices, `[S, B, G, K]` diagonals.

    Shapes: factors as said, increments `[S, B, G, K, V]` (or `[S, B, G, K]`, with
    diagonals or without factors), initial `[B, G, K, V]` (`[B, G, K]`) → before as increments, last as initial.

    Properties: the steps compose associatively, (A₂, B₂)∘(A₁, B₁) = (A₂A₁, A₂B₁ + B₂).

    Constraints:
    - (affine_scan_c1) Dimensions of the same name agree, where static.
    - (affine_scan_c2) `increments` and `before` have one type, `initial` and `last` too, and the element types are one.
    - (affine_scan_c3) `increments` has rank 4 or 5; `initial` one less.
    - (affine_scan_c4) `factors` has rank 5 or 4, and 4 where `increments` has.

    Example:

    ```mlir
    %before, %last = infini.affine_scan increments(%B : tensor<?x1x2x64x64xf32>)
      initial(%M0 : tensor<1x2x64x64xf32>)
    ```
  }];
  let arguments = (ins Infini_State:$increments, Infini_State:$initial,
    Optional<Infini_State>:$factors);
  let results = (outs Infini_State:$before, Infini_State:$last);
  let assemblyFormat = [{
    (`factors` `(` $factors^ `:` type($factors) `)`)?
    `increments` `(` $increments `:` type($increments) `)`
    `initial` `(` $initial `:` type($initial) `)` attr-dict
  }];
}

#endif // INFINI_DIALECT_INFINI_OPS
