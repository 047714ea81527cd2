# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints parallelize-scan-table.mlir: the formula of passes/infini/ScheduleCost.h, written down a second time.

    python3 test/passes/infini/Inputs/schedule_table.py > test/passes/infini/parallelize-scan-table.mlir
"""
WIDTHS = (1, 8, 132)
# name, B, H, G, N, d_k, d_v, S (None: not static), rule
SHAPES = [
    ("one_segment", 1, 8, 2, 256, 64, 64, 1, "delta"),
    ("two_segments", 1, 8, 2, 256, 64, 64, 2, "delta"),
    ("many_segments", 1, 8, 2, 256, 64, 64, 64, "delta"),
    ("many_segments_linear", 1, 8, 2, 256, 64, 64, 64, "linear"),
    ("many_segments_corrected", 1, 8, 2, 256, 64, 64, 64, "delta_corrected"),
    ("batch", 4, 8, 2, 256, 64, 64, 16, "delta"),
    ("small_head", 1, 2, 1, 64, 16, 16, 64, "delta"),
    ("small_head_linear", 1, 2, 1, 64, 16, 16, 64, "linear"),
    ("large_head", 1, 8, 8, 128, 128, 128, 8, "delta"),
    ("large_head_linear", 1, 8, 8, 128, 128, 128, 8, "linear"),
    ("key_and_value", 1, 4, 2, 128, 32, 128, 32, "linear"),
    ("ragged_block", 1, 8, 4, 65, 64, 64, 8, "delta"),
    ("long_segment", 1, 32, 8, 2048, 128, 128, 4, "delta"),
    ("long_segment_linear", 1, 32, 8, 2048, 128, 128, 16, "linear"),
    ("chunks", 1, 1, 1, 64, 64, 64, 17, "linear"),
    ("not_known", 1, 8, 2, 256, 64, 64, None, "delta"),
]
MODEL = ("of_a_model", 1, 8, 2, 256, 64, 64, None, "delta")
MAX_TOKENS = 4096

HEAD = """\
// RUN: infini-opt %s --infini-parallelize-scan=width=1 --remarks-filter=".*" --split-input-file -o /dev/null 2>&1 | FileCheck %s --check-prefix=W1
// RUN: infini-opt %s --infini-parallelize-scan --remarks-filter=".*" --split-input-file -o /dev/null 2>&1 | FileCheck %s --check-prefix=W8
// RUN: infini-opt %s --infini-parallelize-scan=width=132 --remarks-filter=".*" --split-input-file -o /dev/null 2>&1 | FileCheck %s --check-prefix=W132

// The schedule that `auto` takes for a shape, and the costs of all three, as
// Inputs/schedule_table.py computes them (which writes this file): a change here
// is a change of every program's schedule.
"""


def ceil(a, b):
    return -(-a // b)


def costs(BH, BG, N, d, S, affine, W):
    P, C, K = BH * ceil(N, 16), BG, 16
    a = 16 * d * (N + d)
    u = (2 if affine else 1) * N * d * d
    t = d * d // 2 + 4 * N * d
    o = 2**15
    if affine:
        e = ceil(S * C, K * W) * 2 * K * d**3 + ceil(S, K) * ceil(C, W) * 2 * d**3
    else:
        e = (ceil(S * C * d, K * W) * 2 * K + ceil(S, K)) * d
    return {
        "sequential": S * (ceil(P, W) * a + ceil(C, W) * u + o),
        "streaming": ceil(S * P, W) * a + S * ceil(C, W) * (u + t) + o,
        "scan": ceil(S * P, W) * a + ceil(S * C, W) * (2 * u + t) + e + 3 * o,
    }


def checks(shape, S):
    name, B, H, G, N, dk, dv, _, rule = shape
    for W in WIDTHS:
        cost = costs(B * H, B * G, N, max(dk, dv), S, rule != "linear", W)
        best = min((name for name in cost if name != "scan" or W >= 32), key=cost.get)
        print(f"// W{W}: Function={name} | Remark='{best}', scan={cost['scan']}, sequential={cost['sequential']}, "
              f"streaming={cost['streaming']}{{{{$}}}}")


def function(shape):
    name, B, H, G, N, dk, dv, S, rule = shape

    def tensors(T):
        return [f"tensor<{B}x{heads}x{T}x{d}xf32>" for heads, d in ((H, dk), (G, dk), (G, dv), (H, dv))]

    q, k, v, o = tensors(S * N if S else "?")
    qs, ks, vs, os = tensors(N)
    M, z = f"tensor<{B}x{G}x{dk}x{dv}xf32>", f"tensor<{B}x{G}x{dk}xf32>"
    print(f"""\
func.func @{name}(%q: {q}, %k: {k}, %v: {v}, %M0: {M}, %z0: {z})
    -> ({o}, {M}, {z}) {{
  %r:3 = infini.segment_scan sequences(%q, %k, %v : {q}, {k}, {v})
      states(%M0, %z0 : {M}, {z})
      attributes {{segment_length = {N} : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>, whole}} {{
  ^bb0(%qs: {qs}, %ks: {ks}, %vs: {vs}, %M: {M}, %z: {z}):
    %o = infini.segment_attention %qs, %ks, %vs : ({qs}, {ks}, {vs}) -> {os}
    %M1, %z1 = infini.memory_update %ks, %vs, %M, %z {{update = #infini.update<{rule}>}} : {ks}, {vs}, {M}, {z}
    infini.yield %o, %M1, %z1 : {os}, {M}, {z}
  }} -> {o}, {M}, {z}
  return %r#0, %r#1, %r#2 : {o}, {M}, {z}
}}""")


print(HEAD, end="")
for shape in SHAPES:
    _, B, H, G, N, dk, dv, S, rule = shape
    print(f"\n// B·H = {B * H}, B·G = {B * G}, {f'S = {S}' if S else 'S not known: as if 32'}, N = {N}, "
          f"d = {max(dk, dv)}, {rule}")
    checks(shape, S or 32)
    function(shape)
print(f"\n// -----\n\n// A model says how many tokens a call has at most: S as if {MAX_TOKENS} / N.")
checks(MODEL, MAX_TOKENS // MODEL[4])
print(f"module attributes {{program.model = {{max_tokens_per_call = {MAX_TOKENS} : i64}}}} {{")
function(MODEL)
print("}")
