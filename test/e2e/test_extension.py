# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A memory rule and a gate from outside the core (test/extension), on every schedule, by their own definition in numpy.

Attention, retrieval, and the feature map are the oracle's. The controls need no binaries.
"""
import copy
import glob
import os
import re

import numpy as np
import pytest

import infini_numpy as oracle
from functions import NAMES, SCHEDULES
from harness import ROOT, assert_close, bound

H, G, D, DV, N, GAMMA = 4, 2, 16, 24, 16, 0.9
# No full segment; one; four and a tail; more than two chunks of an associative scan, and a tail.
LENGTHS = (7, 16, 4 * N + 7, 37 * N + 3)

TEXT = f"""
!q = tensor<1x{H}x?x{D}xf32>
!k = tensor<1x{G}x?x{D}xf32>
!v = tensor<1x{G}x?x{DV}xf32>
!o = tensor<1x{H}x?x{DV}xf32>
!M = tensor<1x{G}x{D}x{DV}xf32>
!z = tensor<1x{G}x{D}xf32>
!w = tensor<{H}x{DV}xf32>
!b = tensor<{H}xf32>
func.func @forward(%q: !q, %k: !k, %v: !v, %w: !w, %b: !b, %M0: !M, %z0: !z) -> (!o, !M, !z) {{
  %o, %M, %z = infini.segment_scan sequences(%q, %k, %v : !q, !k, !v)
      invariants(%w, %b : !w, !b) states(%M0, %z0 : !M, !z)
      attributes {{segment_length = {N} : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>}} {{
  ^bb0(%qs: !q, %ks: !k, %vs: !v, %ws: !w, %bs: !b, %Ms: !M, %zs: !z):
    %dot = infini.segment_attention %qs, %ks, %vs : (!q, !k, !v) -> !o
    %sq = infini.feature_map %qs : !q
    %sk = infini.feature_map %ks : !k
    %mem = infini.memory_retrieve %sq, %Ms, %zs : (!q, !M, !z) -> !o
    %a = decay.gate %mem, %dot, %ws, %bs : !o, !w, !b
    %M1, %z1 = decay.update %sk, %vs, %Ms, %zs {{gamma = {GAMMA} : f64}} : !k, !v, !M, !z
    infini.yield %a, %M1, %z1 : !o, !M, !z
  }} -> !o, !M, !z
  return %o, %M, %z : !o, !M, !z
}}
"""


# --------------------------------------------------------------------------------------------------------
# The definition
# --------------------------------------------------------------------------------------------------------

def shares(numerator, sigma, z):
    """numerator / (sigma z), a row a token; 0 where the denominator is not positive."""
    denominator = sigma @ z[..., None]
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def update(sigma, v, M, z, gamma):
    """sigma [B, G, L, d], v [B, G, L, dv], M [B, G, d, dv], z [B, G, d] to the next M, z."""
    rest = v - shares(sigma @ M, sigma, z)
    return gamma * M + np.swapaxes(sigma, -1, -2) @ rest, gamma * z + sigma.sum(axis=2)


def gate(memory, local, w, b, seen=None):
    """All [B, H, L, dv], but w [H, dv] and b [H]; `seen`: what the gate looks at, if not local attention."""
    seen = local if seen is None else seen
    g = oracle.sigmoid(np.einsum("bhlv,hv->bhl", seen, w) + b[:, None])[..., None]
    return g * memory + (1 - g) * local


def in_order(sigma, v, M, z, gamma, rule=update):
    """(M, z) before each segment, and after the last; sigma and v are lists of segments."""
    states = [(M, z)]
    for s, x in zip(sigma, v):
        states.append(rule(s, x, *states[-1], gamma))
    return states


def compose(second, first):
    return second[0] @ first[0], second[0] @ first[1] + second[1]


def by_scan(sigma, v, M, z, gamma):
    """What in_order gives, from affine steps that are composed by doubling: z's, then M's."""
    gamma = z.dtype.type(gamma)

    def before(steps, state):
        distance = 1
        while distance < len(steps):
            steps = [compose(step, steps[i - distance]) if i >= distance else step for i, step in enumerate(steps)]
            distance *= 2
        return [state] + [A @ state + B for A, B in steps]

    identity = np.eye(D, dtype=z.dtype)
    zs = [x[..., 0] for x in before([(gamma * identity, s.sum(axis=2)[..., None]) for s in sigma], z[..., None])]
    steps = []
    for s, x, z in zip(sigma, v, zs):
        transposed = np.swapaxes(s, -1, -2)
        steps.append((gamma * identity - transposed @ shares(s, s, z), transposed @ x))
    return list(zip(before(steps, M), zs))


def program(arrays, dtype=np.float64, gamma=GAMMA, states=in_order, blend=gate):
    """(o, M, z)."""
    q, k, v, w, b, M, z = (x.astype(dtype) for x in arrays)
    parts = [slice(begin, begin + N) for begin in range(0, q.shape[2], N)]
    heads = lambda x: oracle.repeat_heads(x, H)
    sigma = oracle.elu_plus_one(k)
    history = states([sigma[:, :, p] for p in parts], [v[:, :, p] for p in parts], M, z, gamma)
    outputs = []
    for p, (M, z) in zip(parts, history):
        local = oracle.causal_attention(q[:, :, p], heads(k[:, :, p]), heads(v[:, :, p]), dtype(D ** -0.5))
        memory = shares(oracle.elu_plus_one(q[:, :, p]) @ heads(M), oracle.elu_plus_one(q[:, :, p]), heads(z))
        outputs.append(blend(memory, local, w, b))
    out = np.concatenate(outputs, axis=2), *history[-1]
    assert [x.dtype for x in out] == [dtype] * 3
    return out


def draw(T, empty=True):
    """Random arguments; an empty memory, or one in use."""
    rng = np.random.default_rng([T, empty])
    arrays = [rng.standard_normal(shape) for shape in
              ((1, H, T, D), (1, G, T, D), (1, G, T, DV), (H, DV), (H,), (1, G, D, DV), (1, G, D))]
    if empty:
        arrays[5:] = 0 * arrays[5], 0 * arrays[6]
    else:
        arrays[5:] = N * arrays[5], N * oracle.elu_plus_one(arrays[6])
    return [x.astype(np.float32) for x in arrays]


def limits(arrays, states=in_order):
    """The reference, and the bounds that the naive program in f32 sets."""
    ref, naive = program(arrays), program(arrays, np.float32, states=states)
    return ref, [bound(a, b) for a, b in zip(ref, naive)]


# --------------------------------------------------------------------------------------------------------
# The compiler with the dialect
# --------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module", params=SCHEDULES)
def compiled(request, tools, tmp_path_factory):
    """(schedule, the tools with the dialect's compiler, package)."""
    folder = tmp_path_factory.mktemp(request.param)
    extended = copy.copy(tools)
    extended.compile = os.path.join(os.path.dirname(tools.compile), "infini-decay-compile")
    if not os.access(extended.compile, os.X_OK):
        pytest.skip(f"infini-decay-compile is not in {os.path.dirname(tools.compile)} (set INFINI_BIN)")
    (folder / "decay.mlir").write_text(TEXT)
    return request.param, extended, extended.build(folder / "decay.mlir", folder / "decay.infini",
                                                   f"--schedule={request.param}")


@pytest.mark.parametrize("empty", [True, False], ids=["empty", "in_use"])
@pytest.mark.parametrize("T", LENGTHS)
def test_schedules(compiled, tmp_path, T, empty):
    schedule, tools, package = compiled
    arrays = draw(T, empty)
    ref, bounds = limits(arrays, by_scan if schedule == "scan" else in_order)
    out = tools.op(package, "forward", arrays, 3, tmp_path)
    for name, a, b, limit in zip(NAMES, out, ref, bounds):
        assert a.dtype == np.float32
        assert_close(a, b, limit, f"{schedule} T={T} {name}")


# --------------------------------------------------------------------------------------------------------
# Negative controls
# --------------------------------------------------------------------------------------------------------

def decayed_last(sigma, v, M, z, gamma):
    """The new keys fade, too: z' = gamma (z + their sum)."""
    return update(sigma, v, M, z, gamma)[0], gamma * (z + sigma.sum(axis=2))


def decayed_before_use(sigma, v, M, z, gamma):
    """The rule divides by a z that has faded already; z itself is right."""
    return update(sigma, v, M, gamma * z, gamma)[0], update(sigma, v, M, z, gamma)[1]


def memory_kept(sigma, v, M, z, gamma):
    """z fades, M does not."""
    return update(sigma, v, M, z, gamma)[0] + (1 - gamma) * M, gamma * z + sigma.sum(axis=2)


def misses(arrays, names, form=in_order, **change):
    """The honest f32 program passes; the changed one, in f64, misses the bounds of the results named, and no other."""
    ref, bounds = limits(arrays, form)
    honest, broken = program(arrays, np.float32, states=form), program(arrays, **{"states": form, **change})
    for name, a, b, c, limit in zip(NAMES, honest, ref, broken, bounds):
        assert_close(a, b, limit, name)
        if name in names:
            with pytest.raises(AssertionError):
                assert_close(c, b, limit, name)
        else:
            assert_close(c, b, limit, name)


@pytest.mark.parametrize("empty", [True, False], ids=["empty", "in_use"])
@pytest.mark.parametrize("T", LENGTHS[2:])
class TestControls:
    def test_the_forms_agree(self, T, empty):
        arrays = draw(T, empty)
        for a, b in zip(program(arrays, states=by_scan), program(arrays)):
            assert_close(a, b, 1e-12)

    @pytest.mark.parametrize("form", [in_order, by_scan])
    def test_no_decay(self, T, empty, form):
        misses(draw(T, empty), "oMz", form, gamma=1.0)

    @pytest.mark.parametrize("gamma", [0.9001, float(np.float16(0.9))])
    def test_decay_in_few_digits(self, T, empty, gamma):
        misses(draw(T, empty), "oMz", gamma=gamma)

    @pytest.mark.parametrize("rule, names", [(decayed_last, "oMz"), (decayed_before_use, "oM"), (memory_kept, "oM")])
    def test_decay_at_the_wrong_time(self, T, empty, rule, names):
        misses(draw(T, empty), names, states=lambda *x: in_order(*x, rule))

    def test_gate_without_bias(self, T, empty):
        misses(draw(T, empty), "o", blend=lambda memory, local, w, b: gate(memory, local, w, 0 * b))

    def test_gate_without_weight(self, T, empty):
        misses(draw(T, empty), "o", blend=lambda memory, local, w, b: gate(memory, local, 0 * w, b))

    def test_gate_by_the_memory(self, T, empty):
        misses(draw(T, empty), "o", blend=lambda memory, local, w, b: gate(memory, local, w, b, memory))


def test_the_document_quotes_the_files():
    """Each line of code in docs/extending.md stands in a file of test/extension."""
    known = set()
    for path in glob.glob(os.path.join(ROOT, "test", "extension", "*")):
        with open(path, encoding="utf-8") as file:
            known |= {line.strip() for line in file}
    with open(os.path.join(ROOT, "docs", "extending.md"), encoding="utf-8") as file:
        blocks = re.findall(r"^```[a-z]+\n(.*?)^```", file.read(), re.M | re.S)
    assert len(blocks) > 4
    for line in "".join(blocks).splitlines():
        assert line.strip() in known, line
