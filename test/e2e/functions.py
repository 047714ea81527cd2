# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Infini-attention as functions of .mlir texts: static heads and head sizes, any number of tokens, every choice.

A Function writes its text, draws its inputs, and knows its reference and the bounds of its results.
"""
import dataclasses

import numpy as np

import infini_numpy as oracle
from harness import FLOOR, assert_close, bound, numbers, relative_error

SCHEDULES = ("auto", "sequential", "streaming", "scan")
HEAD_SIZES = (1, 3, 8, 16, 48, 64, 80, 128)
GATES = ("head", "head_channel", "data")
KINDS = {"f32": "float32", "f64": "float64", "f16": "float16", "bf16": "bfloat16"}
NAMES = ("o", "M", "z")


def memory_states(schedule):
    """How the naive program gets its memories: by a scan where the compiler uses one."""
    return oracle.memory_scan if schedule == "scan" else None


@dataclasses.dataclass
class Function:
    """q [B, H, T, d], k [B, G, T, d], v [B, G, T, dv], beta (or its weights), and M, z if `initial` to (o, M, z)."""
    type: str = "f32"
    B: int = 1
    H: int = 4
    G: int = 2
    d: int = 16
    dv: int = 16
    N: int = 8
    update: str = "delta"
    first_segment: str = "zero_memory"
    gate: str = "head"       # or head_channel; data: logits are an inner product of the query and a weight
    rope: bool = True
    initial: bool = False    # M and z are arguments
    window: int = 0          # the window of a mask `window`; 0: causal
    offset: int = 0          # query_offset
    sparse: bool | None = None  # keys with few large features; default: for delta_corrected
    seed: int = 0

    @property
    def kind(self):
        return KINDS[self.type]

    def shapes(self):
        """Name to tensor type."""
        state = "f64" if self.type == "f64" else "f32"
        beta = {"head": f"{self.H}", "head_channel": f"{self.H}x{self.dv}", "data": f"{self.H}x{self.d}"}[self.gate]
        batch_heads, batch_groups = f"{self.B}x{self.H}", f"{self.B}x{self.G}"
        types = dict(q=f"{batch_heads}x?x{self.d}x{self.type}", k=f"{batch_groups}x?x{self.d}x{self.type}",
                     v=f"{batch_groups}x?x{self.dv}x{self.type}", o=f"{batch_heads}x?x{self.dv}x{self.type}",
                     M=f"{batch_groups}x{self.d}x{self.dv}x{state}", z=f"{batch_groups}x{self.d}x{state}",
                     beta=f"{beta}x{self.type}", logits=f"{batch_heads}x?x{state}")
        return {name: f"tensor<{text}>" for name, text in types.items()}

    def text(self, name="forward"):
        t = self.shapes()
        q, k, v, o, M, z, beta = (t[x] for x in ("q", "k", "v", "o", "M", "z", "beta"))
        arguments, start, body = f"%q: {q}, %k: {k}, %v: {v}, %beta: {beta}", "", ""
        if self.initial:
            arguments += f", %M0: {M}, %z0: {z}"
        else:
            start = (f"  %M0 = arith.constant dense<0.0> : {M}\n"
                     f"  %z0 = arith.constant dense<0.0> : {z}\n")
        turned = ("%qs", "%ks")
        if self.rope:
            turned = ("%qr", "%kr")
            body += f"    %qr = infini.rope %qs : {q}\n    %kr = infini.rope %ks : {k}\n"
        at, mask = "", ""
        if self.offset:
            at = " query_offset(%at)"
            body += f"    %at = arith.constant {self.offset} : index\n"
        if self.window:
            mask = f" {{mask = #infini.mask<window>, window = {self.window} : i64}}"
        body += (f"    %dot = infini.segment_attention {turned[0]}, {turned[1]}, %vs{at}{mask}\n"
                 f"      : ({q}, {k}, {v}) -> {o}\n"
                 f"    %sq = infini.feature_map %qs : {q}\n    %sk = infini.feature_map %ks : {k}\n"
                 f"    %mem = infini.memory_retrieve %sq, %Ms, %zs : ({q}, {M}, {z}) -> {o}\n")
        logits, logits_type = "%b", beta
        if self.gate == "data":
            logits, logits_type = "%logits", t["logits"]
            body += self.logits_text(t)
        local_only = ("" if self.first_segment == "zero_memory" else
                      f" normalizer(%zs : {z}) {{first_segment = #infini.first_segment<local_only>}}")
        body += (f"    %a = infini.gate %mem, %dot, {logits}{local_only} : {o}, {logits_type}\n"
                 f"    %M1, %z1 = infini.memory_update %sk, %vs, %Ms, %zs {{update = #infini.update<{self.update}>}}\n"
                 f"      : {k}, {v}, {M}, {z}\n"
                 f"    infini.yield %a, %M1, %z1 : {o}, {M}, {z}\n")
        return (f"func.func @{name}({arguments}) -> ({o}, {M}, {z}) {{\n{start}"
                f"  %o, %M, %z = infini.segment_scan sequences(%q, %k, %v : {q}, {k}, {v})\n"
                f"      invariants(%beta : {beta}) states(%M0, %z0 : {M}, {z})\n"
                f"      attributes {{segment_length = {self.N} : i64, sequence_axes = array<i64: 2, 2, 2>,\n"
                f"                  output_axes = array<i64: 2>}} {{\n"
                f"  ^bb0(%qs: {q}, %ks: {k}, %vs: {v}, %b: {beta}, %Ms: {M}, %zs: {z}):\n{body}"
                f"  }} -> {o}, {M}, {z}\n  return %o, %M, %z : {o}, {M}, {z}\n}}\n")

    def logits_text(self, t):
        """Gate logits [B, H, L] in the states' type: the sum over channels of query times weight."""
        x, y, wide, state = "%x", "%y", "", "f64" if self.type == "f64" else "f32"
        if self.type in ("f16", "bf16"):
            x, y = "%x1", "%y1"
            wide = "".join(f"      %{n}1 = arith.extf %{n} : {self.type} to f32\n" for n in "xy")
        return (f"    %c2 = arith.constant 2 : index\n    %zero = arith.constant 0.0 : {state}\n"
                f"    %L = tensor.dim %qs, %c2 : {t['q']}\n    %e = tensor.empty(%L) : {t['logits']}\n"
                f"    %fill = linalg.fill ins(%zero : {state}) outs(%e : {t['logits']}) -> {t['logits']}\n"
                f"    %logits = linalg.generic {{\n"
                f"        indexing_maps = [affine_map<(b, h, l, c) -> (b, h, l, c)>,\n"
                f"                         affine_map<(b, h, l, c) -> (h, c)>,\n"
                f"                         affine_map<(b, h, l, c) -> (b, h, l)>],\n"
                f"        iterator_types = [\"parallel\", \"parallel\", \"parallel\", \"reduction\"]}}\n"
                f"        ins(%qs, %b : {t['q']}, {t['beta']}) outs(%fill : {t['logits']}) {{\n"
                f"    ^bb0(%x: {self.type}, %y: {self.type}, %sum: {state}):\n{wide}"
                f"      %p = arith.mulf {x}, {y} : {state}\n      %s = arith.addf %sum, %p : {state}\n"
                f"      linalg.yield %s : {state}\n    }} -> {t['logits']}\n")

    def rounded(self, array):
        """A float64 array in the function's type, as the numbers that it stands for."""
        if self.type in ("f16", "bf16"):
            return oracle.round_to(array.astype(np.float32), self.kind)
        return array.astype(self.kind)

    def inputs(self, T, seed=0):
        """Random arguments. Initial states are what the linear rule makes of N + 8 tokens more.

        Under the corrected rule z grows by keys that are new to it. Features of normal keys have much in common: z
        would stay as the first segment left it, and no test would see which z is used. Hence the sparse ones.
        """
        rng = np.random.default_rng([self.seed, seed, T])
        sparse = self.update == "delta_corrected" if self.sparse is None else self.sparse
        spread, shift = (4, -8) if sparse else (1, 0)
        keys = lambda tokens: spread * rng.standard_normal((self.B, self.G, tokens, self.d)) + shift
        q = rng.standard_normal((self.B, self.H, T, self.d))
        arrays = [q, keys(T), rng.standard_normal((self.B, self.G, T, self.dv))]
        arrays = [self.rounded(x) for x in arrays]
        shape = {"head": (self.H,), "head_channel": (self.H, self.dv), "data": (self.H, self.d)}[self.gate]
        arrays.append(self.rounded(rng.standard_normal(shape) / np.sqrt(self.d if self.gate == "data" else 1)))
        if self.initial:
            wide = np.float64 if self.type == "f64" else np.float32
            sigma = oracle.elu_plus_one(keys(self.N + 8))
            values = rng.standard_normal((self.B, self.G, self.N + 8, self.dv))
            arrays += [(np.swapaxes(sigma, -1, -2) @ values).astype(wide), sigma.sum(axis=2).astype(wide)]
        return arrays

    def reference(self, arrays, dtype=np.float64, storage=None, memory_states=None):
        """The oracle's (o, M, z)."""
        q, k, v, beta = (x.astype(dtype) for x in arrays[:4])
        if self.gate == "data":
            beta = np.einsum("bhtc,hc->bht", q, beta)[..., None]
        state = tuple(arrays[4:])
        if self.initial and not state[1].any():
            assert not state[0].any() or self.first_segment == "zero_memory"  # the oracle has no other way to say it
            state = state if self.first_segment == "zero_memory" else ()
        i0 = self.offset
        allowed = None
        if self.window:
            allowed = lambda i, j: (j <= i + i0) & (j > i + i0 - self.window)
        elif self.offset:
            allowed = lambda i, j: j <= i + i0
        return oracle.infini_attention(q, k, v, beta, self.N, self.update, self.first_segment, use_rope=self.rope,
                                       state=state or None, dtype=dtype, storage=storage,
                                       memory_states=memory_states, allowed=allowed)

    def naive(self, arrays, memory_states=None):
        """The naive program's: in f32 for f64 too, see limits()."""
        storage = self.kind if self.type in ("f16", "bf16") else None
        return self.reference(arrays, np.float32, storage, memory_states)

    def limits(self, ref, naive):
        """The bounds on o, M and z.

        In f64 the oracle has an error of the same size; the f32 program's, scaled, stands for the conditioning.
        """
        if self.type == "f64":
            return [max(FLOOR["float64"], 3 * 2.0 ** -29 * relative_error(b, a)) for a, b in zip(ref, naive)]
        return [bound(a, b, self.kind) for a, b in zip(ref, naive)]

    def check(self, out, arrays, memory_states=None, what="", more=0.0):
        """Compares (o, M, z) with the reference; `more` is added to the bounds."""
        ref, naive = self.reference(arrays), self.naive(arrays, memory_states)
        for name, a, b, limit in zip(NAMES, out, ref, self.limits(ref, naive)):
            assert_close(a, b, limit + more, f"{self} {what} {name}")

    def run(self, tools, package, arrays, scratch, name="forward", *options):
        """(o, M, z) of a package's function."""
        bits = [oracle.to_bfloat16_bits(x) if self.type == "bf16" else x.astype(self.kind) for x in arrays[:4]]
        out = tools.op(package, name, bits + arrays[4:], 3, scratch, *options)
        state = np.float64 if self.type == "f64" else np.float32
        data = np.uint16 if self.type == "bf16" else np.dtype(self.kind)
        assert [x.dtype for x in out] == [data, state, state], [x.dtype for x in out]
        return [numbers(x) for x in out]


class Program:
    """Functions in one text, compiled together: `schedule` says how."""

    def __init__(self, tools, folder, schedule, functions):
        self.tools, self.folder, self.schedule, self.functions = tools, folder, schedule, functions
        source = folder / "functions.mlir"
        source.write_text("".join(function.text(name) for name, function in functions.items()))
        self.package = tools.build(source, folder / "functions.infini", f"--schedule={schedule}")

    def run(self, name, arrays, *options):
        return self.functions[name].run(self.tools, self.package, arrays, self.folder, name, *options)

    def check(self, name, arrays, *options, more=0.0):
        """Runs a function and compares all results; returns them."""
        out = self.run(name, arrays, *options)
        T = arrays[0].shape[2]
        self.functions[name].check(out, arrays, memory_states(self.schedule), f"{self.schedule} T={T}", more)
        return out


class Apart(Program):
    """Functions that are compiled one by one, each when it is first used; `refused`: name to the message that is
    expected instead of a package, for now."""

    def __init__(self, tools, folder, schedule, functions, refused=None):
        self.tools, self.folder, self.schedule, self.functions = tools, folder, schedule, functions
        self.refused, self.packages = refused or {}, {}

    def run(self, name, arrays, *options):
        folder, function = self.folder / name, self.functions[name]
        if name not in self.packages:
            folder.mkdir(exist_ok=True)
            (folder / "function.mlir").write_text(function.text(name))
            self.packages[name] = self.tools.build_unless(self.refused.get(name), folder / "function.mlir",
                                                          folder / "function.infini", f"--schedule={self.schedule}")
        return function.run(self.tools, self.packages[name], arrays, folder, name, *options)


def draw_function(seed):
    """A random Function."""
    rng = np.random.default_rng(seed)
    G = int(rng.choice([1, 1, 2, 3]))
    d = int(rng.choice(HEAD_SIZES))
    return Function(
        type=str(rng.choice(["f32", "f32", "f64", "bf16", "f16"])), B=int(rng.integers(1, 3)),
        H=G * int(rng.integers(1, 4)), G=G, d=d, dv=d if rng.random() < 0.5 else int(rng.choice(HEAD_SIZES)),
        N=int(rng.integers(1, 71)), update=str(rng.choice(oracle.UPDATES)),
        first_segment=str(rng.choice(oracle.FIRST_SEGMENTS)), gate=str(rng.choice(GATES)),
        rope=d % 2 == 0 and bool(rng.random() < 0.8), initial=bool(rng.random() < 0.4),
        sparse=[None, None, True, False][rng.integers(4)], seed=seed)


def draw_lengths(N, rng):
    """Tokens: no full segment, one, and three to nine; each with a tail or without."""
    return [full * N + int(rng.choice([0, rng.integers(N)])) for full in (0, 1, int(rng.integers(3, 10)))]
