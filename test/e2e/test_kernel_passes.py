# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The kernels after each optimising pass (`infini-compile --optional-passes=K`) against the tile interpreter.

The interpreter (`--interpret-tiles`) computes tile programs in f64, in plain loops; buffers between kernels are rounded
to their types, as anywhere. So where they are f32 it is nearer to the oracle than any f32 program, and the bounds are
those on the distance to the oracle: three times the error of the naive program in the function's types, here against
the interpreter. Kernels in 16 bits may round inside, the interpreter does not: there, too, the naive program says how
much. In f64 both compute in f64, in another order, and the floor of f64 is the bound.
"""
import numpy as np
import pytest

from functions import NAMES, Function, draw_function, draw_lengths
from harness import assert_close, bound, draw_model, draws
from models import Built, check, close_states

# Those that --optional-passes counts; test_counts_all_passes says when there are more.
PASSES = 8
PASSED = range(PASSES + 1)
# What rounding at the ends of kernels costs an f32 program that computes in f64 between.
INTERPRETER = 3e-7

FUNCTIONS = {
    "delta": Function(d=16, dv=16, N=8),
    "linear": Function(H=2, G=1, d=80, dv=48, N=21, update="linear", first_segment="local_only", gate="data"),
    "corrected": Function(H=2, G=2, d=48, dv=80, N=37, update="delta_corrected", gate="head_channel", initial=True),
    "corrected_f64": Function(type="f64", H=2, G=1, d=3, dv=8, N=9, update="delta_corrected", rope=False),
    "linear_bf16": Function(type="bf16", H=2, G=1, d=80, dv=16, N=13, update="linear"),
    "delta_f16": Function(type="f16", H=1, G=1, d=16, dv=80, N=5, initial=True),
}
# The short set has each rule and each schedule; the long set, all of them.
SHORT = {("sequential", "delta"), ("sequential", "corrected_f64"), ("streaming", "corrected"),
         ("streaming", "linear_bf16")}
ALL = [pytest.param(schedule, name, marks=() if (schedule, name) in SHORT else pytest.mark.long)
       for schedule in ("sequential", "streaming") for name in FUNCTIONS]


def packages(tools, source, folder, schedule):
    """The interpreter's package, and a generator of (K, package)."""

    def build(name, option):
        return tools.build(source, folder / f"{name}.infini", f"--schedule={schedule}", option)

    return (build("interpreter", "--interpret-tiles"),
            ((K, build(f"passes{K}", f"--optional-passes={K}")) for K in PASSED))


def compare(tools, folder, schedule, function, lengths):
    """Every K against the interpreter, and the interpreter against the oracle."""
    (folder / "f.mlir").write_text(function.text())
    interpreter, compiled = packages(tools, folder / "f.mlir", folder, schedule)
    cases = []
    for T in lengths:
        arrays = function.inputs(T)
        expected = function.run(tools, interpreter, arrays, folder)
        naive = function.naive(arrays)
        for name, a, b, limit in zip(NAMES, expected, function.reference(arrays), function.limits(expected, naive)):
            assert_close(a, b, INTERPRETER if function.type == "f32" else limit,
                         f"{function} T={T}: interpreter {name}")
        cases.append((arrays, expected, function.limits(expected, naive)))
    for K, package in compiled:
        for arrays, expected, limits in cases:
            out = function.run(tools, package, arrays, folder)
            for name, a, b, limit in zip(NAMES, out, expected, limits):
                assert_close(a, b, limit, f"{function} {schedule} T={arrays[0].shape[2]}: K={K} {name}")


@pytest.mark.parametrize("schedule, name", ALL)
def test_functions(tools, tmp_path, schedule, name):
    N = FUNCTIONS[name].N
    compare(tools, tmp_path, schedule, FUNCTIONS[name], (N - 1, 5 * N + N // 2))


@draws(0, 25)
@pytest.mark.long
@pytest.mark.parametrize("schedule", ["sequential", "streaming"])
def test_random_function(tools, tmp_path, schedule, drawn):
    function = draw_function(drawn)
    lengths = draw_lengths(function.N, np.random.default_rng(drawn))
    if function.type == "f32":
        # 3e-7 is for memories of a few segments of normal keys: extreme ones stand in test_edges.py.
        function.sparse = None
    compare(tools, tmp_path, schedule, function, lengths)


def compare_model(tools, folder, schedule, config, lengths):
    built = Built(tools, folder, f"--schedule={schedule}", "--interpret-tiles", **config)
    _, compiled = packages(tools, built.folder, folder, schedule)
    kind = "float32"
    cases = []
    for T in lengths:
        tokens = built.tokens(T)
        logits, found = check(built, tokens)
        _, _, naive, naive_states = built.reference(tokens, kind, None)
        states = [{name: np.asarray(state[name]) if name in ("M", "z") else state[name] for name in state}
                  for state in naive_states]
        cases.append((tokens, logits, found, naive, states))
    for K, package in compiled:
        for tokens, expected, found, naive, naive_states in cases:
            logits, state = tools.model(package, built.folder, tokens, folder, state=True)
            what = f"{config} {schedule} T={len(tokens)}: K={K}"
            assert_close(logits, expected, bound(expected, naive), what)
            # The interpreter's states, as the oracle names them.
            references = []
            for i, naive_state in enumerate(naive_states):
                fill = naive_state["fill"]
                layer = {name: found[f"layers.{i}.{name}"] for name in ("M", "z", "K", "V")}
                references.append(dict(fill=fill, M=layer["M"].reshape(naive_state["M"].shape),
                                       z=layer["z"].reshape(naive_state["z"].shape),
                                       **{x: layer[x][:fill].swapaxes(0, 1) for x in "KV"}))
            close_states(state, built.model, references,
                         lambda i, name: bound(references[i][name], naive_states[i][name]), what)


MODEL = dict(seed=11, layers=1, hidden=48, ffn=40, vocab=96, heads=4, groups=2, head_dim=16, segment=8)


@pytest.mark.parametrize("schedule", [pytest.param("sequential", marks=pytest.mark.long), "streaming"])
def test_model(tools, tmp_path, schedule):
    compare_model(tools, tmp_path, schedule, MODEL, (MODEL["segment"] - 1, 9 * MODEL["segment"] + 3))


@draws(0, 6)
@pytest.mark.long
@pytest.mark.parametrize("schedule", ["sequential", "streaming"])
def test_random_model(tools, tmp_path, schedule, drawn):
    config = draw_model(drawn)
    compare_model(tools, tmp_path, schedule, config, (1, 4 * config["segment"] + config["segment"] // 2))


def test_counts_all_passes(tools, tmp_path):
    """K = PASSES is the compiler as it is; one pass less is not. (In the package LLVM makes up for the last one.)"""
    (tmp_path / "f.mlir").write_text(FUNCTIONS["delta"].text())
    text = lambda *options: tools.good([tools.compile, tmp_path / "f.mlir", "--emit=vector", *options]).stdout
    whole = text()
    assert text(f"--optional-passes={PASSES}") == whole, "is there one more pass?"
    assert text(f"--optional-passes={PASSES - 1}") != whole


# What the bounds above must tell from the delta rule with a gate a head, under the causal mask.
OTHERS = {"mask": dict(window=5), "rule": dict(update="linear"), "first_segment": dict(first_segment="local_only")}


def test_controls(tools, tmp_path):
    """The interpreter of another function misses the bounds: that the comparison sees the difference."""
    honest = FUNCTIONS["delta"]
    others = {name: Function(**{**honest.__dict__, **change}) for name, change in OTHERS.items()}
    (tmp_path / "f.mlir").write_text("".join(f.text(name) for name, f in {"honest": honest, **others}.items()))
    package = tools.build(tmp_path / "f.mlir", tmp_path / "f.infini", "--interpret-tiles", "--schedule=sequential")
    arrays = honest.inputs(5 * honest.N + 3)
    expected = honest.run(tools, package, arrays, tmp_path, "honest")
    limits = honest.limits(expected, honest.naive(arrays))
    missed = {name: [x for x, a, b, limit in zip(NAMES, other.run(tools, package, arrays, tmp_path, name), expected,
                                                 limits) if misses(a, b, limit)]
              for name, other in others.items()}
    gate = arrays[:3] + [arrays[3] + np.float32(1e-3)] + arrays[4:]
    missed["gate"] = [x for x, a, b, limit in zip(NAMES, honest.run(tools, package, gate, tmp_path, "honest"),
                                                  expected, limits) if misses(a, b, limit)]
    assert missed == {"mask": ["o"], "rule": ["o", "M"], "first_segment": ["o"], "gate": ["o"]}


def misses(a, b, limit):
    try:
        assert_close(a, b, limit)
    except AssertionError:
        return True
    return False
