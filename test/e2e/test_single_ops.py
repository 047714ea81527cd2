# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Each op of examples/ops/infini.mlir alone, against the oracle's function of that name."""
import numpy as np
import pytest

import infini_numpy as oracle
from harness import FLOOR, assert_close, relative_error
from test_ops import has, ops  # noqa: F401 (a fixture)

SHAPES = [dict(), dict(B=2, H=6, G=3, T=17, d=48, dv=5), dict(B=1, H=3, G=1, T=64, d=128, dv=80), dict(T=1, d=2, dv=1),
          dict(T=0)]


class Tensors:
    """Random tensors of one shape: q, k, v, beta, a memory in use, and factors and increments of S steps."""

    def __init__(self, dtype, B=1, H=4, G=2, T=23, d=8, dv=6, S=5):
        rng = np.random.default_rng(T + d)
        draw = lambda *shape: rng.standard_normal(shape).astype(dtype)
        self.q, self.k, self.v = draw(B, H, T, d), draw(B, G, T, d), draw(B, G, T, dv)
        self.qk, self.vh = draw(B, H, T, d), draw(B, H, T, dv)
        self.beta, self.channels = draw(H), draw(H, dv)
        self.sq, self.sk = oracle.elu_plus_one(self.q), oracle.elu_plus_one(self.k)
        self.M, self.z = draw(B, G, d, dv), oracle.elu_plus_one(draw(B, G, d)) * 3
        self.A, self.B = draw(S, B, G, d, d) / np.sqrt(d).astype(dtype), draw(S, B, G, d, dv)


def attention(q, k, v, allowed):
    """Eq. 6 with any mask: allowed(i, j) over query and key positions."""
    k, v = (oracle.repeat_heads(x, q.shape[1]) for x in (k, v))
    i, j = np.ogrid[:q.shape[2], :k.shape[2]]
    scores = q @ np.swapaxes(k, -1, -2) * (1 / float(np.sqrt(q.shape[3])))
    mask = np.broadcast_to(allowed(i, j), scores.shape)
    if not scores.size:
        return np.zeros(q.shape[:3] + v.shape[3:], q.dtype)
    return oracle.softmax(np.where(mask, scores, -np.inf).astype(q.dtype)) @ v


def retrieve(sq, M, z):
    return oracle.memory_retrieve(sq, oracle.repeat_heads(M, sq.shape[1]), oracle.repeat_heads(z, sq.shape[1]))


def scan(A, B, M):
    """M before each step, [S, ...], and after the last."""
    before = []
    for factor, increment in zip(A, B):
        before.append(M)
        M = factor @ M + increment
    return np.stack(before), M


OPS = {  # entry: (the inputs, the oracle's function of them)
    "feature_map": ("q", oracle.elu_plus_one),
    "rope": ("q", oracle.rope),
    "segment_attention": ("q k v", lambda q, k, v: attention(q, k, v, lambda i, j: j <= i)),
    "segment_attention_window": ("q k v", lambda q, k, v: attention(q, k, v, lambda i, j: (j <= i) & (j > i - 4))),
    "segment_attention_full": ("q k v", lambda q, k, v: attention(q, k, v, lambda i, j: j > -1)),
    "memory_retrieve": ("sq M z", retrieve),
    "memory_update_linear": ("sk v M z", lambda *x: oracle.memory_update(*x, "linear")),
    "memory_update_delta": ("sk v M z", lambda *x: oracle.memory_update(*x, "delta")),
    "memory_update_delta_corrected": ("sk v M z", lambda *x: oracle.memory_update(*x, "delta_corrected")),
    "gate": ("vh vh2 beta", lambda a, b, beta: oracle.blend(beta, a, b)),
    "gate_channel": ("vh vh2 channels", lambda a, b, beta: oracle.blend(beta, a, b)),
    "affine_scan": ("A B M", scan),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", OPS)
def test_op(tools, ops, tmp_path, name, dtype):  # noqa: F811
    entry = name + ("_f64" if dtype == np.float64 else "")
    has(ops, entry)
    for shape in SHAPES:
        tensors = Tensors(dtype, **shape)
        tensors.vh2 = tensors.vh[:, :, ::-1].copy() * 2
        inputs = [getattr(tensors, x) for x in OPS[name][0].split()]

        def program(kind):
            out = OPS[name][1](*(x.astype(kind) for x in inputs))
            return out if isinstance(out, tuple) else (out,)
        ref, naive = program(np.float64), program(np.float32)
        out = tools.op(ops(2), entry, inputs, len(ref), tmp_path)
        scale, kind = (2.0 ** -29, "float64") if dtype == np.float64 else (1.0, "float32")
        for a, b, c in zip(out, ref, naive):
            assert a.dtype == dtype
            assert_close(a, b, max(FLOOR[kind], 3 * scale * relative_error(c, b)), f"{entry} {shape}")


def test_memory_not_used_yet(tools, ops, tmp_path):  # noqa: F811
    """z = 0: retrieval is 0, and delta writes what linear writes."""
    t = Tensors(np.float32)
    M, z = np.zeros_like(t.M), np.zeros_like(t.z)
    a, = tools.op(ops(2), "memory_retrieve", [t.sq, M, z], 1, tmp_path)
    assert (a == 0).all()
    delta = tools.op(ops(2), "memory_update_delta", [t.sk, t.v, M, z], 2, tmp_path)
    for x, ref in zip(delta, oracle.memory_update(*(x.astype(float) for x in (t.sk, t.v, M, z)), "linear")):
        assert_close(x, ref, FLOOR["float32"])


def test_masked_and_large(tools, ops, tmp_path):  # noqa: F811
    """A row whose other scores are all 1e4 lower, or infinitely lower, is the value it sees."""
    t = Tensors(np.float32, H=2, G=2, T=8)
    t.q[:], t.k[:] = 0, 0
    t.q[..., 0], t.k[:, :, 3, 0] = 1e4, 3
    o, = tools.op(ops(2), "segment_attention", [t.q, t.k, t.v], 1, tmp_path)
    assert_close(o[:, :, 3:], np.repeat(t.v[:, :, 3:4], 5, 2), FLOOR["float32"])
    assert np.isfinite(o).all()
