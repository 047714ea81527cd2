# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The edges of Infini-attention on each schedule: sizes, empty memories and rows, gates and numbers without limits."""
import numpy as np
import pytest

import infini_numpy as oracle
from functions import HEAD_SIZES, NAMES, SCHEDULES, Function, Program
from harness import FLOOR, assert_close, assert_same_bits, bound

N = 8
FUNCTIONS = {
    # Three rules with M and z as arguments; the tests below vary these.
    "delta": Function(B=2, N=N, initial=True),
    "linear": Function(B=2, N=N, update="linear", initial=True, first_segment="local_only"),
    "delta_corrected": Function(B=2, N=N, update="delta_corrected", initial=True),
    # Query i of a segment stands at i - 4, and looks back three keys: the rows 0 to 3 see none.
    "before": Function(N=N, window=3, offset=-4),
    # At i + 6, and two keys: the rows 3 to 7 see none, and all rows of a tail of at most five tokens.
    "after": Function(N=N, window=2, offset=6, update="linear"),
}
SIZES = {f"d{d}": Function(B=1, H=2, G=1, d=d, dv=d, N=16, rope=d % 2 == 0, initial=False) for d in (1, 256)}


@pytest.fixture(scope="module", params=SCHEDULES[1:])
def program(request, tools, tmp_path_factory):
    return Program(tools, tmp_path_factory.mktemp(request.param), request.param, {**FUNCTIONS, **SIZES})


def empty(arrays):
    """The arguments with M = 0 and z = 0."""
    return arrays[:4] + [np.zeros_like(x) for x in arrays[4:]]


@pytest.mark.parametrize("name", oracle.UPDATES)
def test_lengths(program, name):
    """No token: nothing changes, to the bit. One token, tails, no full segment; into an empty memory too."""
    arrays = FUNCTIONS[name].inputs(0)
    o, M, z = program.check(name, arrays)
    assert o.shape == (2, 4, 0, 16)
    assert_same_bits(M, arrays[4])
    assert_same_bits(z, arrays[5])
    for T in (1, N - 1, N, N + 1, 2 * N + 1, 5 * N - 1):
        program.check(name, FUNCTIONS[name].inputs(T))
        program.check(name, empty(FUNCTIONS[name].inputs(T)))


@pytest.mark.parametrize("name", SIZES)
def test_head_sizes(program, name):
    for T in (0, 1, 16, 3 * 16 + 5):
        program.check(name, SIZES[name].inputs(T))


@pytest.mark.long
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("d", [*HEAD_SIZES, 256])
def test_head_sizes_with_each_rule(tools, tmp_path, schedule, d):
    functions = {f"{update}{dv}": Function(d=d, dv=dv, H=2, G=1, N=24, update=update, rope=d % 2 == 0)
                 for update in oracle.UPDATES for dv in {d, 40}}
    program = Program(tools, tmp_path, schedule, functions)
    for name, function in functions.items():
        for T in (0, 1, 23, 24, 7 * 24 + 11):
            program.check(name, function.inputs(T))


def test_nothing_stored(program):
    """z = 0 reads as 0 whatever M holds, and the delta rules write into it what the linear rule writes."""
    for name in ("delta", "delta_corrected"):
        arrays = FUNCTIONS[name].inputs(3 * N + 2)
        arrays[5][:] = 0
        o, _, _ = program.check(name, arrays)
        closed = FUNCTIONS[name].reference(arrays[:3] + [np.full(4, -np.inf)] + empty(arrays)[4:])[0]
        share = 1 - oracle.sigmoid(arrays[3].astype(np.float64))[None, :, None, None]
        assert_close(o[:, :, :N], (share * closed)[:, :, :N], FLOOR["float32"])
    arrays = empty(FUNCTIONS["linear"].inputs(3 * N + 2))  # local_only: the first segment does not know its gate
    first = program.check("linear", arrays)[0]
    arrays[3] = -arrays[3]
    assert_same_bits(program.check("linear", arrays)[0][:, :, :N], first[:, :, :N])


@pytest.mark.parametrize("name", oracle.UPDATES)
def test_denominators_not_positive(program, name):
    """z < 0 throughout: every quotient is 0; and keys whose features are 0 in f32: nothing is ever stored."""
    arrays = FUNCTIONS[name].inputs(3 * N + 2)
    arrays[5] -= 1000
    program.check(name, arrays)
    arrays = empty(arrays)
    arrays[1] = arrays[1] * 0 - 200
    o, M, z = program.run(name, arrays)
    assert (M == 0).all() and (z == 0).all() and np.isfinite(o).all()
    function = FUNCTIONS[name]
    closed, _, _ = function.reference([*arrays[:3], np.full(4, -np.inf), *arrays[4:]])
    share = 1 if name == "linear" else 1 - oracle.sigmoid(arrays[3].astype(np.float64))[None, :, None, None]
    assert_close(o, share * closed, FLOOR["float32"])


@pytest.mark.parametrize("name", ["before", "after"])
def test_rows_without_keys(program, name):
    """Give 0, not NaN; with the gates closed nothing else is left of them."""
    hidden = {"before": lambda i, keys: i < 4, "after": lambda i, keys: i + 5 >= keys}[name]
    for T in (1, 4, N, 3 * N, 4 * N + 3, 4 * N + 7):
        arrays = FUNCTIONS[name].inputs(T)
        program.check(name, arrays)
        arrays[3][:] = -np.inf
        o = program.check(name, arrays)[0]
        rows = np.array([hidden(t % N, min(N, T - t + t % N)) for t in range(T)])
        assert rows.any()
        assert (o[:, :, rows] == 0).all() and (o[:, :, ~rows] != 0).all()


def test_rows_without_keys_anywhere(tools, tmp_path):
    """Queries far before the keys, far behind them, and a text without keys: positions known when the program runs."""
    (tmp_path / "f.mlir").write_text("""
!q = tensor<1x2x?x16xf32>
!k = tensor<1x1x?x16xf32>
func.func @causal(%at: index, %q: !q, %k: !k, %v: !k) -> !q {
  %o = infini.segment_attention %q, %k, %v query_offset(%at) : (!q, !k, !k) -> !q
  return %o : !q
}
func.func @window(%at: index, %q: !q, %k: !k, %v: !k) -> !q {
  %o = infini.segment_attention %q, %k, %v query_offset(%at) {mask = #infini.mask<window>, window = 5 : i64}
    : (!q, !k, !k) -> !q
  return %o : !q
}
""")
    package = tools.build(tmp_path / "f.mlir", tmp_path / "f.infini")
    rng = np.random.default_rng(1)
    for rows, keys in ((40, 70), (7, 3), (1, 1), (5, 0), (0, 5)):
        q, k, v = (rng.standard_normal((1, h, n, 16)).astype(np.float32) for h, n in ((2, rows), (1, keys), (1, keys)))
        for at in (-1000, -rows, -rows + 1, -3, 0, 2, keys - 1, keys + 3, keys + 1000):
            for name, window in (("causal", 10 ** 6), ("window", 5)):
                allowed = lambda i, j: (j <= i + at) & (j > i + at - window)
                o, = tools.op(package, name, [q, k, v], 1, tmp_path, "--input", f"index={at}")
                if not q.size or not k.size:
                    assert o.shape == q.shape and (o == 0).all()
                    continue
                ref, naive = (oracle.masked_attention(*(oracle.repeat_heads(x.astype(kind), 2) for x in (q, k, v)),
                                                      0.25, allowed) for kind in (np.float64, np.float32))
                assert_close(o, ref, bound(ref, naive), f"{name} {rows}x{keys} at {at}")
                unseen = ~allowed(*np.ogrid[:rows, :keys]).any(axis=1)
                assert (o[:, :, unseen] == 0).all()


def test_large_scores(program):
    """Scores up to +-1e4: the rounding of a score alone is an error of |score| 2^-23 in its weight."""
    for name in ("delta", "linear"):
        arrays = FUNCTIONS[name].inputs(3 * N + 2)
        arrays[0] *= np.float32(3000)
        scores = np.abs(np.einsum("bhtd,bhsd->bhts", arrays[0], np.repeat(arrays[1], 2, 1))).max() / 4
        assert scores > 1e4
        program.check(name, arrays, more=scores * 2.0 ** -23)


class TestGates:
    """Gates of +-inf are exact whatever stands on the other side."""

    T, beta = 4 * N + 3, np.array([np.inf, -np.inf, np.inf, -np.inf], np.float32)
    open, closed = slice(0, None, 2), slice(1, None, 2)

    def arrays(self, name):
        arrays = FUNCTIONS[name].inputs(self.T)
        arrays[3] = self.beta
        return arrays

    def test_what_passes(self, program):
        """Closed heads do not see another memory, and open ones not the values of their own segment."""
        for name in oracle.UPDATES:
            arrays = self.arrays(name)
            o = program.check(name, arrays)[0]
            for which, where, same, other in ((4, np.s_[:], self.closed, self.open),
                                              (2, np.s_[:, :, 4 * N:], self.open, self.closed)):
                changed = [x.copy() for x in arrays]
                changed[which][where] *= 2
                again = program.run(name, changed)[0]
                assert_same_bits(again[:, same], o[:, same], name)
                assert (again[:, other] != o[:, other]).any()

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_closed(self, program, value):
        """A memory that is not finite."""
        for name in oracle.UPDATES:
            arrays = self.arrays(name)
            clean = program.run(name, arrays)[0]
            arrays[4][:] = value
            o = program.run(name, arrays)[0]
            assert_same_bits(o[:, self.closed], clean[:, self.closed], name)
            assert not np.isfinite(o[:, self.open]).any()

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_open(self, program, value):
        """Local attention that is not finite: values of the last full segment; later ones read them from the memory."""
        for name in oracle.UPDATES:
            arrays = self.arrays(name)
            clean = program.run(name, arrays)[0]
            arrays[2][:, :, 3 * N:4 * N] = value
            o = program.run(name, arrays)[0]
            assert_same_bits(o[:, self.open, :4 * N], clean[:, self.open, :4 * N], name)
            assert_same_bits(o[:, self.closed, 4 * N:], clean[:, self.closed, 4 * N:], name)
            assert not np.isfinite(o[:, self.closed, 3 * N:4 * N]).any()
            assert not np.isfinite(o[:, self.open, 4 * N:]).any()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", oracle.UPDATES)
class TestNotFinite:
    """One element that is not finite, at the token 20 of the segment 16 to 23. What it cannot reach keeps its bits:
    other batch entries, other heads and groups, the segments before; and under a query or key, the rows before."""

    T, AT, BEGIN, END = 5 * N, 20, 16, 24

    def runs(self, program, name, which, head, value):
        """The results without and with it, and where o changed or is not finite, [H, T] of the batch entry 1."""
        arrays = FUNCTIONS[name].inputs(self.T)
        clean = program.run(name, arrays)
        arrays[which][1, head, self.AT, 5] = value
        out = program.run(name, arrays)
        for a, b in zip(out, clean):
            assert_same_bits(a[0], b[0], "the other batch entry")
        changed = (out[0][1].view(np.uint32) != clean[0][1].view(np.uint32)).any(axis=-1)
        return clean, out, changed, ~np.isfinite(out[0][1])

    def test_query(self, program, name, value):
        """Its own row, and no state."""
        clean, out, changed, bad = self.runs(program, name, 0, 3, value)
        assert np.argwhere(changed).tolist() == [[3, self.AT]] and bad[3, self.AT].all()
        for a, b in zip(out[1:], clean[1:]):
            assert_same_bits(a, b)

    def test_key(self, program, name, value):
        """Rows from its own on, of its group's heads; the group's states. A key of -inf is no feature, hence 0."""
        clean, out, changed, bad = self.runs(program, name, 1, 1, value)
        assert not changed[:2].any() and not changed[2:, :self.AT].any()
        if np.isnan(value):
            assert bad[2:, self.AT:self.END].all()
        for a, b in zip(out[1:], clean[1:]):
            assert_same_bits(a[1, 0], b[1, 0], "the other group")
            assert np.isfinite(a[1, 1]).all() == (value == -np.inf)

    def test_value(self, program, name, value):
        """One channel, of its segment and of those behind it."""
        clean, out, changed, bad = self.runs(program, name, 2, 1, value)
        assert not changed[:2].any() and not changed[2:, :self.BEGIN].any()
        assert bad[2:, self.AT:, 5].all()
        others = np.arange(16) != 5
        for a, b in zip(out[:2], clean[:2]):
            assert_same_bits(a[..., others], b[..., others], "other channels")
        assert_same_bits(out[1][1, 0], clean[1][1, 0], "the other group")
        assert not np.isfinite(out[1][1, 1, :, 5]).any()
        assert_same_bits(out[2], clean[2])


# --------------------------------------------------------------------------------------------------------
# Many segments
# --------------------------------------------------------------------------------------------------------

def each_segment_one_token(arrays, dtype):
    """N = 1 and the linear rule: local attention is v, and M and z are cumulative sums. (o, M, z) as arrays."""
    q, k, v, beta = (x.astype(dtype) for x in arrays)
    sq, sk = oracle.elu_plus_one(q[0, 0]), oracle.elu_plus_one(k[0, 0])
    z = np.cumsum(sk, axis=0, dtype=dtype)
    M = np.cumsum(sk[:, :, None] * v[0, 0][:, None, :], axis=0, dtype=dtype)
    memory = np.zeros_like(v[0, 0])
    memory[1:] = np.einsum("td,tde->te", sq[1:], M[:-1]) / np.sum(sq[1:] * z[:-1], axis=1, keepdims=True)
    return oracle.blend(beta, memory[None, None], v), M[None, None, -1], z[None, None, -1]


def test_cumulative_sums_are_the_definition():
    function = Function(H=1, G=1, d=2, dv=3, N=1, update="linear")
    arrays = function.inputs(50)
    for a, b in zip(each_segment_one_token(arrays, np.float64), function.reference(arrays)):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


@pytest.mark.long
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_million_segments(tools, tmp_path, schedule):
    """The linear rule against cumulative sums, and ten thousand segments with the delta rules."""
    functions = {update: Function(H=1, G=1, d=2, dv=2, N=1, update=update) for update in oracle.UPDATES}
    program = Program(tools, tmp_path, schedule, functions)
    arrays = functions["linear"].inputs(10 ** 6)
    ref, naive = (each_segment_one_token(arrays, dtype) for dtype in (np.float64, np.float32))
    for name, a, b, limit in zip(NAMES, program.run("linear", arrays), ref, functions["linear"].limits(ref, naive)):
        assert_close(a, b, limit, name)
    for update in ("delta", "delta_corrected"):
        program.check(update, functions[update].inputs(10 ** 4))
