# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The functions of examples/ops/infini.mlir through infini-run, against the oracle.

Each takes q [B, H, T, d], k [B, G, T, d], v [B, G, T, dv], beta [H] and gives o [B, H, T, dv], M [B, G, d, dv],
z [B, G, d] after all segments, a short last one included.
"""
import os
import re

import numpy as np
import pytest

import infini_numpy as oracle
from harness import FLOOR, ROOT, Tools, assert_close, assert_refused, assert_same_bits, draws, relative_error
from test_worked_numbers import CASES, K, Q, V

OPS = os.path.join(ROOT, "examples", "ops", "infini.mlir")
# The segment length as the file spells it; tests of other lengths replace the number.
SEGMENT_LENGTH = re.compile(r"(segment_length\s*=\s*)(\d+)")
RULES = [(u, f) for u in oracle.UPDATES for f in oracle.FIRST_SEGMENTS]


def entry_name(update, first_segment="zero_memory", dtype=np.float32):
    return (f"infini_attention_{update}" + ("_local_only" if first_segment == "local_only" else "")
            + ("_f64" if dtype == np.float64 else ""))


@pytest.fixture(scope="session")
def ops(tools, tmp_path_factory):
    """ops(N): the file with segment length N."""
    if not os.path.exists(OPS):
        pytest.skip("examples/ops/infini.mlir is absent")
    with open(OPS) as file:
        text = file.read()
    folder = tmp_path_factory.mktemp("ops")

    def with_length(N):
        path = folder / f"infini{N}.mlir"
        if not path.exists():
            changed, count = SEGMENT_LENGTH.subn(rf"\g<1>{N}", text)
            assert count, f"{OPS}: no segment length found (see SEGMENT_LENGTH)"
            path.write_text(changed)
        return path
    return with_length


def has(ops, entry):
    if not re.search(rf"@{entry}\b", ops(2).read_text()):
        pytest.skip(f"examples/ops/infini.mlir has no function @{entry}")


def inputs(seed, B=1, H=4, G=2, T=23, d=8, dv=8, dtype=np.float32, spread=1.0):
    rng = np.random.default_rng(seed)
    arrays = (spread * rng.standard_normal((B, H, T, d)), rng.standard_normal((B, G, T, d)),
              rng.standard_normal((B, G, T, dv)), rng.standard_normal(H))
    return [a.astype(dtype) for a in arrays]


def check(tools, ops, scratch, arrays, N, update, first_segment="zero_memory", floor=None):
    """Runs one configuration and compares o, M and z; returns them."""
    dtype = arrays[0].dtype.type
    entry = entry_name(update, first_segment, dtype)
    has(ops, entry)
    ref = oracle.infini_attention(*arrays, N, update, first_segment)
    naive = oracle.infini_attention(*arrays, N, update, first_segment, dtype=np.float32)
    out = tools.op(ops(N), entry, arrays, 3, scratch)
    # In f64 the oracle has an error of the same size; the f32 program's, scaled, stands for the conditioning.
    scale, kind = (2.0 ** -29, "float64") if dtype == np.float64 else (1.0, "float32")
    for name, a, b, c in zip(("o", "M", "z"), out, ref, naive):
        assert a.dtype == dtype, f"{name}: {a.dtype}"
        assert_close(a, b, max(floor or FLOOR[kind], 3 * scale * relative_error(c, b)), f"{entry} N={N} {name}")
    return out


@pytest.mark.parametrize("update, first_segment", RULES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_worked_numbers(tools, ops, tmp_path, update, first_segment, dtype):
    arrays = [x.astype(dtype) for x in (Q, K, V, np.zeros(1))]
    out = check(tools, ops, tmp_path, arrays, 2, update, first_segment)
    if (update, first_segment) in CASES:
        for got, expected in zip(out, CASES[update, first_segment]):
            np.testing.assert_allclose(got[0, 0], expected, rtol=0, atol=1e-5 if dtype == np.float32 else 6e-7)


SHAPES = [  # N, and what differs from inputs()
    (16, dict(H=4, G=2, d=48, dv=48)), (8, dict(B=2, H=3, G=1, d=80, dv=16)), (5, dict(H=6, G=3, d=2, dv=7)),
    (32, dict(H=2, G=2, d=128, dv=128)), (7, dict(B=3, H=2, G=1, d=8, dv=24)), (1, dict(H=2, G=1, d=16, dv=3)),
]


@pytest.mark.parametrize("N, shape", SHAPES, ids=str)
def test_shapes(tools, ops, tmp_path, N, shape):
    """Every shape with every rule in turn, ten segments, the last of one token."""
    for i, (update, first_segment) in enumerate(RULES[len(shape) % 2::2]):
        check(tools, ops, tmp_path, inputs(i, T=9 * N + 1, **shape), N, update, first_segment)


@pytest.mark.parametrize("update", oracle.UPDATES)
def test_lengths(tools, ops, tmp_path, update):
    for T in (0, 1, 7, 8, 9, 24, 73):
        out = check(tools, ops, tmp_path, inputs(T, T=T), 8, update)
        assert out[0].shape == (1, 4, T, 8)
    check(tools, ops, tmp_path, inputs(1, T=0), 8, update, "local_only")


@pytest.mark.parametrize("update", oracle.UPDATES)
def test_f64(tools, ops, tmp_path, update):
    for N, shape in SHAPES[:3]:
        check(tools, ops, tmp_path, inputs(2, T=9 * N + 1, dtype=np.float64, **shape), N, update)
    for T in (0, 1, 8):
        check(tools, ops, tmp_path, inputs(T, T=T, dtype=np.float64), 8, update, "local_only")


def test_many_segments(tools, ops, tmp_path):
    """400 segments and a tail: the memory's own error is what is looked at."""
    for update in oracle.UPDATES:
        check(tools, ops, tmp_path, inputs(3, T=3203), 8, update)


def test_infinite_gates(tools, ops, tmp_path):
    """A gate of +-inf is open or closed exactly, and gives no NaN."""
    arrays = inputs(4, T=40)
    arrays[3] = np.array([np.inf, -np.inf, 0, np.inf], np.float32)
    o, _, _ = check(tools, ops, tmp_path, arrays, 8, "delta")
    assert (o[:, 0, :8] == 0).all()


def test_large_scores(tools, ops, tmp_path):
    """Scores up to +-1e4: the rounding of a score alone is an error of |score| 2^-23 in its weight."""
    arrays = inputs(5, T=40, d=16, dv=16, spread=3000.0)
    scores = np.abs(np.einsum("bhtd,bhsd->bhts", arrays[0], np.repeat(arrays[1], 2, 1))).max() / 4
    assert scores > 1e4
    check(tools, ops, tmp_path, arrays, 8, "linear", floor=FLOOR["float32"] + scores * 2.0 ** -23)


def test_small_denominators(tools, ops, tmp_path):
    """sigma(k) near 0: z is tiny, and retrieval is still an average of values."""
    for shift in (-10.0, -30.0):
        arrays = inputs(6, T=40)
        arrays[1] = (arrays[1] + shift).astype(np.float32)
        o, _, z = check(tools, ops, tmp_path, arrays, 8, "linear")
        assert (z < np.exp(shift + 8)).all() and np.isfinite(o).all()


def test_zero_denominator(tools, ops, tmp_path):
    """sigma(k) = 0 (exp underflows): z = 0 throughout, retrieval is 0 and not NaN."""
    for update in ("delta", "linear"):
        arrays = inputs(7, T=40)
        arrays[1] = (arrays[1] * 0 - 200).astype(np.float32)
        has(ops, entry_name(update))
        o, M, z = tools.op(ops(8), entry_name(update), arrays, 3, tmp_path)
        assert (M == 0).all() and (z == 0).all()
        closed, _, _ = oracle.infini_attention(*arrays[:3], np.full(4, -np.inf), 8)
        g = 1 / (1 + np.exp(-arrays[3].astype(np.float64)))
        assert_close(o, (1 - g)[None, :, None, None] * closed, FLOOR["float32"])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite_input(tools, ops, tmp_path, value):
    """Earlier segments, other heads and other batches do not notice; the token's own row does."""
    arrays = inputs(8, B=2, T=40)
    has(ops, entry_name("delta"))
    clean = tools.op(ops(8), entry_name("delta"), arrays, 3, tmp_path)[0]
    arrays[2][1, 1, 20] = value
    o = tools.op(ops(8), entry_name("delta"), arrays, 3, tmp_path)[0]
    assert_same_bits(o[0], clean[0])
    assert_same_bits(o[1, :2], clean[1, :2])
    assert_same_bits(o[1, 2:, :16], clean[1, 2:, :16])
    assert not np.isfinite(o[1, 2:, 20]).any() and not np.isfinite(o[1, 2:, 24:]).any()


def test_causal(tools, ops, tmp_path):
    """A later token changes nothing before it, to the bit."""
    arrays = inputs(9, T=40)
    first = check(tools, ops, tmp_path, arrays, 8, "delta")[0]
    for x in arrays[:3]:
        x[:, :, 21:] *= -2
    second = check(tools, ops, tmp_path, arrays, 8, "delta")[0]
    assert_same_bits(second[:, :, :21], first[:, :, :21])
    assert (first[:, :, 21:] != second[:, :, 21:]).any()


def test_heads_and_batches_permuted(tools, ops, tmp_path):
    """Groups, heads inside a group and batches are independent of their order."""
    q, k, v, beta = inputs(10, B=3, H=4, G=2, T=40)
    o, M, z = check(tools, ops, tmp_path, [q, k, v, beta], 8, "delta")
    batch, heads, groups = [2, 0, 1], [3, 2, 1, 0], [1, 0]
    again = check(tools, ops, tmp_path, [np.ascontiguousarray(x) for x in (
        q[batch][:, heads], k[batch][:, groups], v[batch][:, groups], beta[heads])], 8, "delta")
    for a, b in zip(again, (o[batch][:, heads], M[batch][:, groups], z[batch][:, groups])):
        assert_close(a, b, FLOOR["float32"])


def test_same_bits_twice(tools, ops, tmp_path):
    arrays = inputs(11, T=73)
    has(ops, entry_name("delta"))
    runs = [tools.op(ops(8), entry_name("delta"), arrays, 3, tmp_path) for _ in range(3)]
    for again in runs[1:]:
        for a, b in zip(again, runs[0]):
            assert_same_bits(a, b)


def test_package_and_text_agree(tools, ops, tmp_path):
    """infini-run on the text, and infini-compile then infini-run on the package."""
    arrays = inputs(12, T=73)
    has(ops, entry_name("delta"))
    direct = tools.op(ops(8), entry_name("delta"), arrays, 3, tmp_path)
    package = tools.build(ops(8), tmp_path / "ops.infini")
    for a, b in zip(tools.op(package, entry_name("delta"), arrays, 3, tmp_path), direct):
        assert_same_bits(a, b)


def test_expect(tools, ops, tmp_path):
    """--expect passes on the right numbers, and ends with status 2 on wrong ones."""
    has(ops, entry_name("delta"))
    arrays = inputs(14, T=23)
    out = tools.op(ops(8), entry_name("delta"), arrays, 3, tmp_path)
    arguments = [tools.run, ops(8), "--entry", entry_name("delta")]
    for i in range(4):
        arguments += ["--input", f"@{tmp_path / f'in{i}.npy'}"]
    for wrong in (False, True):
        expect = []
        for i, array in enumerate(out):
            array = array.copy()
            if wrong and i == 1:
                array.flat[5] += 1e-2
            np.save(tmp_path / f"expect{i}.npy", array)
            expect += ["--expect", f"@{tmp_path / f'expect{i}.npy'}", "--rtol", "1e-5", "--atol", "1e-6"]
        done = Tools.call(arguments + expect)
        assert done.returncode == (2 if wrong else 0), done.stderr


@draws(0, 150)
@pytest.mark.long
def test_random(tools, ops, tmp_path, drawn):
    rng = np.random.default_rng(drawn)
    N = int(rng.choice([1, 2, 3, 8, 16, 31, 32, 64, 100]))
    G = int(rng.choice([1, 1, 2, 3]))
    T = int(rng.choice([0, 1, N - 1, N, N + 1, 3 * N, 9 * N + 1, rng.integers(3 * N, 12 * N)]))
    arrays = inputs(drawn, B=int(rng.integers(1, 4)), H=G * int(rng.integers(1, 4)), G=G, T=T,
                    d=int(rng.choice([2, 8, 16, 48, 64, 80, 128])), dv=int(rng.choice([1, 3, 8, 48, 64, 80, 128])),
                    dtype=np.float64 if rng.random() < 0.3 else np.float32)
    check(tools, ops, tmp_path, arrays, N, *RULES[rng.integers(len(RULES))])


class TestRefusals:
    """What a user can get wrong about inputs and outputs."""

    def arguments(self, tools, ops, folder, arrays, entry="infini_attention_delta"):
        has(ops, "infini_attention_delta")
        arguments = [tools.run, ops(2), "--entry", entry]
        for i, array in enumerate(arrays):
            np.save(folder / f"in{i}.npy", array)
            arguments += ["--input", f"@{folder / f'in{i}.npy'}"]
        return arguments

    def test_unknown_entry(self, tools, ops, tmp_path):
        """The nearest name is offered."""
        done = Tools.call(self.arguments(tools, ops, tmp_path, inputs(0), "infini_attention_detla"))
        assert_refused(done, "infini_attention_detla", "infini_attention_delta'")

    def test_number_of_inputs(self, tools, ops, tmp_path):
        for arrays in (inputs(0)[:3], [], inputs(0) + inputs(0)[:1]):
            done = Tools.call(self.arguments(tools, ops, tmp_path, arrays))
            assert_refused(done, "input", "4", str(len(arrays)))

    def test_rank(self, tools, ops, tmp_path):
        arrays = inputs(0)
        arrays[1] = arrays[1][0]
        assert_refused(Tools.call(self.arguments(tools, ops, tmp_path, arrays)), ("rank", "shape", "dimensions"), "4")

    def test_shape(self, tools, ops, tmp_path):
        arrays = inputs(0)
        arrays[1] = arrays[1][:, :, :-1]
        assert_refused(Tools.call(self.arguments(tools, ops, tmp_path, arrays)), "23", "22")

    @pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int32])
    def test_type(self, tools, ops, tmp_path, dtype):
        arrays = inputs(0)
        arrays[2] = arrays[2].astype(dtype)
        names = {np.float64: ("f64", "float64"), np.float16: ("f16", "float16"), np.int32: ("i32", "int32")}
        assert_refused(Tools.call(self.arguments(tools, ops, tmp_path, arrays)), ("f32", "float32"), names[dtype])

    def test_input_file(self, tools, ops, tmp_path):
        arguments = self.arguments(tools, ops, tmp_path, inputs(0))
        path = tmp_path / "in2.npy"
        whole = path.read_bytes()
        for content in (b"", b"not numpy", whole[:5], whole[:60], whole[:-1], whole[:-64]):
            path.write_bytes(content)
            assert_refused(Tools.call(arguments), "in2.npy")
        path.unlink()
        assert_refused(Tools.call(arguments), "in2.npy")

    def test_output_to_a_missing_folder(self, tools, ops, tmp_path):
        output = tmp_path / "missing" / "o.npy"
        done = Tools.call(self.arguments(tools, ops, tmp_path, inputs(0)) + ["--output", f"@{output}"])
        assert_refused(done, "missing")
        assert not output.parent.exists()

    @pytest.mark.parametrize("text", ["", "func.func @", "this is not MLIR\n", "\0\1\2" * 50],
                             ids=["empty", "cut", "prose", "bytes"])
    def test_not_mlir(self, tools, tmp_path, text):
        path = tmp_path / "bad.mlir"
        path.write_text(text)
        assert_refused(Tools.call([tools.run, path, "--entry", "f"]))
        assert_refused(Tools.call([tools.run, tmp_path / "absent.mlir", "--entry", "f"]), "absent.mlir")
