# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Each op alone, and dense products, as functions @f of .mlir texts: static sizes, but any number of tokens, steps, rows."""
import dataclasses

import numpy as np

import infini_numpy as oracle
from functions import KINDS
from harness import FLOOR, assert_close, bound, numbers, relative_error


def attention(q, k, v, past=None, bias=None, at=None, mask="causal", window=0):
    """docs/spec.md, infini.segment_attention: `past` is (keys, values), `at` the query offset."""
    own, at = k.shape[2], k.shape[2] - q.shape[2] if at is None else at
    if past is not None:
        k, v = (np.concatenate(pair, axis=2) for pair in zip(past, (k, v)))
    scores = q @ np.swapaxes(oracle.repeat_heads(k, q.shape[1]), -1, -2) / q.dtype.type(np.sqrt(q.shape[3]))
    if bias is not None:
        scores = scores + bias
    i, j = np.ogrid[:q.shape[2], :k.shape[2]]
    place = i + at + k.shape[2] - own
    seen = {"causal": j <= place, "window": (j <= place) & (j > place - window), "full": j > -1}[mask]
    if not scores.size:
        return np.zeros(q.shape[:3] + v.shape[3:], q.dtype)
    return oracle.softmax(np.where(seen, scores, -np.inf).astype(q.dtype)) @ oracle.repeat_heads(v, q.shape[1])


def retrieve(sq, M, z):
    return oracle.memory_retrieve(sq, oracle.repeat_heads(M, sq.shape[1]), oracle.repeat_heads(z, sq.shape[1]))


def gate(memory, local, beta, z=None):
    """A memory with z = 0 is not asked; beta [B, H, L] is one number a row."""
    out = oracle.blend(beta[..., None] if beta.ndim == 3 else beta, memory, local)
    if z is None:
        return out
    return np.where(oracle.repeat_heads(z.any(axis=-1), local.shape[1])[:, :, None, None], out, local)


def scan(A, B, M):
    """M before each step, and after the last; A None, [S, B, G, d, d], or the diagonals [S, B, G, d]."""
    before = []
    for s, increment in enumerate(B):
        before.append(M)
        M = increment + (M if A is None else A[s] @ M if A.ndim == 5 else A[s][..., None] * M)
    return np.stack(before) if before else np.zeros((0, *M.shape), M.dtype), M


@dataclasses.dataclass
class SingleOp:
    """`inputs` names arguments and `results` types of `types`; `text` is the op, `{q}` the type of %q."""
    inputs: str
    text: str
    results: str
    program: callable


MASKED = {"causal": "", "window": " {{mask = #infini.mask<window>, window = 4 : i64}}",
          "full": " {{mask = #infini.mask<full>}}"}
ATTENTION = "infini.segment_attention %q, %k, %v"
OPS = {
    "feature_map": SingleOp("q", "infini.feature_map %q : {q}", "q", oracle.elu_plus_one),
    "rope": SingleOp("q", "infini.rope %q : {q}", "q", oracle.rope),
    "rope_scaled": SingleOp("q", "infini.rope %q {{base = 5.0e5 : f64, factor = 4.0 : f64}} : {q}", "q",
                            lambda q: oracle.rope(q, 5e5, 4.0)),
    **{f"attention_{mask}": SingleOp("q k v", f"{ATTENTION}{attributes} : ({{q}}, {{k}}, {{v}}) -> {{o}}", "o",
                                     lambda q, k, v, mask=mask: attention(q, k, v, mask=mask, window=4))
       for mask, attributes in MASKED.items()},
    **{f"past_{mask}": SingleOp(
        "q k v pk pv", f"{ATTENTION} past(%pk, %pv : {{pk}}, {{pv}}){attributes} : ({{q}}, {{k}}, {{v}}) -> {{o}}", "o",
        lambda q, k, v, pk, pv, mask=mask: attention(q, k, v, (pk, pv), mask=mask, window=4))
       for mask, attributes in MASKED.items()},
    "past_bias": SingleOp(
        "q k v pk pv past_bias", f"{ATTENTION} past(%pk, %pv : {{pk}}, {{pv}}) bias(%past_bias : {{past_bias}}) "
        ": ({q}, {k}, {v}) -> {o}", "o",
        lambda q, k, v, pk, pv, bias: attention(q, k, v, (pk, pv), bias)),
    "bias": SingleOp("q k v bias", f"{ATTENTION} bias(%bias : {{bias}}) : ({{q}}, {{k}}, {{v}}) -> {{o}}", "o",
                     lambda q, k, v, bias: attention(q, k, v, bias=bias)),
    "bias_of_columns": SingleOp(
        "q k v column_bias", f"{ATTENTION} bias(%column_bias : {{column_bias}})"
        " {{mask = #infini.mask<full>}} : ({q}, {k}, {v}) -> {o}", "o",
        lambda q, k, v, bias: attention(q, k, v, bias=bias, mask="full")),
    "memory_retrieve": SingleOp("sq M z", "infini.memory_retrieve %sq, %M, %z : ({sq}, {M}, {z}) -> {o}", "o", retrieve),
    **{f"memory_update_{rule}": SingleOp(
        "sk v M z", f"infini.memory_update %sk, %v, %M, %z {{{{update = #infini.update<{rule}>}}}} "
        ": {sk}, {v}, {M}, {z}", "M z", lambda *x, rule=rule: oracle.memory_update(*x, rule))
       for rule in oracle.UPDATES},
    **{f"gate_{beta}": SingleOp(f"vh local {beta}", f"infini.gate %vh, %local, %{beta} : {{vh}}, {{{beta}}}", "o", gate)
       for beta in ("beta", "channels", "rows", "elements")},
    "gate_local_only": SingleOp(
        "vh local beta some_z", "infini.gate %vh, %local, %beta normalizer(%some_z : {some_z}) "
        "{{first_segment = #infini.first_segment<local_only>}} : {vh}, {beta}", "o", gate),
    "affine_scan": SingleOp("A B M", "infini.affine_scan factors(%A : {A}) increments(%B : {B}) initial(%M : {M})",
                            "B M", scan),
    "affine_scan_diagonal": SingleOp("diagonal B M", "infini.affine_scan factors(%diagonal : {diagonal}) "
                                     "increments(%B : {B}) initial(%M : {M})", "B M", scan),
    "affine_scan_sums": SingleOp("B M", "infini.affine_scan increments(%B : {B}) initial(%M : {M})", "B M",
                                 lambda B, M: scan(None, B, M)),
}


@dataclasses.dataclass
class Sizes:
    """Of one text; tokens, past tokens, and steps are dynamic."""
    type: str = "f32"
    B: int = 1
    H: int = 4
    G: int = 2
    d: int = 16
    dv: int = 24

    def types(self):
        state = "f64" if self.type == "f64" else "f32"
        heads, groups = f"{self.B}x{self.H}", f"{self.B}x{self.G}"
        data = dict(q=f"{heads}x?x{self.d}", k=f"{groups}x?x{self.d}", v=f"{groups}x?x{self.dv}",
                    o=f"{heads}x?x{self.dv}", bias=f"1x{self.H}x?x?", past_bias=f"1x{self.H}x?x?", column_bias=f"{self.B}x1x1x?",
                    beta=f"{self.H}", channels=f"{self.H}x{self.dv}", rows=f"{heads}x?", elements=f"{heads}x?x{self.dv}")
        data.update(sq=data["q"], sk=data["k"], vh=data["o"], local=data["o"], pk=data["k"], pv=data["v"])
        states = dict(M=f"{groups}x{self.d}x{self.dv}", z=f"{groups}x{self.d}", A=f"?x{groups}x{self.d}x{self.d}",
                      B=f"?x{groups}x{self.d}x{self.dv}", diagonal=f"?x{groups}x{self.d}")
        states["some_z"] = states["z"]
        return {**{name: f"tensor<{shape}x{self.type}>" for name, shape in data.items()},
                **{name: f"tensor<{shape}x{state}>" for name, shape in states.items()}}

    def text(self, op):
        types = self.types()
        arguments = ", ".join(f"%{name}: {types[name]}" for name in op.inputs.split())
        results = [types[name] for name in op.results.split()]
        values = ", ".join(f"%r{i}" for i in range(len(results)))
        return (f"func.func @f({arguments}) -> ({', '.join(results)}) {{\n  {values} = {op.text.format(**types)}\n"
                f"  return {values} : {', '.join(results)}\n}}\n")

    def arrays(self, op, T, past=5):
        """Random arguments, in the text's types, as numbers; T tokens, or steps."""
        rng = np.random.default_rng([T, self.d, self.dv])
        heads, groups = (self.B, self.H), (self.B, self.G)
        shapes = dict(q=(*heads, T, self.d), k=(*groups, T, self.d), v=(*groups, T, self.dv), bias=(1, self.H, T, T),
                      column_bias=(self.B, 1, 1, T), past_bias=(1, self.H, T, past + T), pk=(*groups, past, self.d), pv=(*groups, past, self.dv),
                      vh=(*heads, T, self.dv), local=(*heads, T, self.dv), beta=(self.H,), channels=(self.H, self.dv),
                      rows=(*heads, T), elements=(*heads, T, self.dv), M=(*groups, self.d, self.dv),
                      B=(T, *groups, self.d, self.dv), diagonal=(T, *groups, self.d), A=(T, *groups, self.d, self.d))
        draw = {name: (lambda shape=shape: rng.standard_normal(shape)) for name, shape in shapes.items()}
        draw["sq"], draw["sk"] = (lambda x=x: oracle.elu_plus_one(draw[x]()) for x in "qk")
        draw["z"] = lambda: 3 * oracle.elu_plus_one(rng.standard_normal((*groups, self.d)))
        draw["some_z"] = lambda: draw["z"]() * (np.arange(self.B * self.G) % 2).reshape(*groups, 1)
        scaled = {"A": 1 / np.sqrt(self.d), "diagonal": 0.7}
        return [self.rounded(draw[name]() * scaled.get(name, 1), name) for name in op.inputs.split()]

    def kind(self, name):
        """Of the argument or result: data in the text's type, states in f32 or wider."""
        state = "f64" if self.type == "f64" else "f32"
        return KINDS[state if name in ("M", "z", "some_z", "A", "B", "diagonal") else self.type]

    def rounded(self, array, name):
        kind = self.kind(name)
        if kind in ("float16", "bfloat16"):
            return oracle.round_to(array.astype(np.float32), kind)
        return array.astype(kind)

    def run(self, tools, package, op, arrays, scratch):
        names = op.results.split()
        given = [oracle.to_bfloat16_bits(x) if self.kind(name) == "bfloat16" else x.astype(self.kind(name))
                 for name, x in zip(op.inputs.split(), arrays)]
        out = tools.op(package, "f", given, len(names), scratch)
        for name, x in zip(names, out):
            assert x.dtype == (np.uint16 if self.kind(name) == "bfloat16" else self.kind(name)), f"{name}: {x.dtype}"
        return [numbers(x) for x in out]

    def check(self, out, op, arrays, what, parts=None, more=0.0):
        """Against f64; the bound is three times the error of the op in f32 (f64), rounded as its results are.

        `parts` are slices of the results, where these alone are to be compared; `more` is added to the bounds.
        """
        def program(kind):
            found = op.program(*(x.astype(kind) for x in arrays))
            return found if isinstance(found, tuple) else (found,)

        names, parts = op.results.split(), parts or [np.s_[:]] * len(out)
        for name, part, *values in zip(names, parts, out, program(np.float64), program(np.float32)):
            a, b, c = (x[part] for x in values)
            if self.type == "f64":  # the oracle has an error of the same size; f32's, scaled, is the conditioning
                limit = max(FLOOR["float64"], 3 * 2.0 ** -29 * relative_error(c, b))
            else:
                limit = bound(b, self.rounded(c, name), self.kind(name))
            assert_close(a, b, limit + more, f"{what} {self}: {name}")


@dataclasses.dataclass
class Product:
    """[rows, k] times [k, n], in `type` to `out`, of any number of rows; sums are in f32."""
    type: str = "f32"
    out: str = "f32"
    k: int = 64
    n: int = 64

    def text(self):
        x, w, y = f"tensor<?x{self.k}x{self.type}>", f"tensor<{self.k}x{self.n}x{self.type}>", f"tensor<?x{self.n}x{self.out}>"
        return (f"func.func @f(%x: {x}, %w: {w}) -> {y} {{\n"
                f"  %c0 = arith.constant 0 : index\n  %zero = arith.constant 0.0 : {self.out}\n"
                f"  %n = tensor.dim %x, %c0 : {x}\n  %e = tensor.empty(%n) : {y}\n"
                f"  %z = linalg.fill ins(%zero : {self.out}) outs(%e : {y}) -> {y}\n"
                f"  %p = linalg.matmul ins(%x, %w : {x}, {w}) outs(%z : {y}) -> {y}\n  return %p : {y}\n}}\n")

    def arrays(self, rows):
        rng = np.random.default_rng([rows, self.k])
        return [oracle.round_to(rng.standard_normal(shape).astype(np.float32), KINDS[self.type])
                for shape in ((rows, self.k), (self.k, self.n))]

    def run(self, tools, package, arrays, scratch):
        given = [oracle.to_bfloat16_bits(x) if self.type == "bf16" else x.astype(KINDS[self.type]) for x in arrays]
        out = tools.op(package, "f", given, 1, scratch)[0]
        assert out.dtype == (np.uint16 if self.out == "bf16" else KINDS[self.out])
        return numbers(out)

    def check(self, out, arrays, what="", part=np.s_[:]):
        ref, naive = arrays[0].astype(np.float64) @ arrays[1], oracle.round_to(arrays[0] @ arrays[1], KINDS[self.out])
        assert_close(out[part], ref[part], bound(ref[part], naive[part], KINDS[self.out]), f"{what} {self}")
