# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Each schedule of segments (`infini-compile --schedule`) gives the numbers of the oracle.

The bound is three times the error of the naive program; for the schedule `scan` that is the naive program of the scan
form (oracle.memory_scan). Extreme inputs stand in test_edges.py; models with the schedule `auto`, in test_models.py.
"""
import os

import numpy as np
import pytest

import infini_numpy as oracle
from functions import SCHEDULES, Function, Program, draw_function, draw_lengths, memory_states
from harness import ROOT, assert_close, assert_same_bits, draw_model, draws
from models import Built, check

# Together: each rule, both choices for the first segment, each form of the gate, each type, initial states, with RoPE
# and without, one group and several, d_k and d_v equal, smaller and larger, N from 1 to 70.
FUNCTIONS = {
    "delta": Function(d=64, dv=64, N=32),
    "delta_local": Function(B=2, H=3, G=1, d=8, dv=80, N=13, first_segment="local_only", gate="data"),
    "delta_state": Function(H=6, G=3, d=48, dv=16, N=17, initial=True, gate="head_channel", rope=False,
                            sparse=True),
    "delta_bf16": Function(type="bf16", d=128, dv=64, N=70, gate="data", sparse=True),
    "linear": Function(H=2, G=2, d=80, dv=128, N=5, update="linear", first_segment="local_only"),
    "linear_f16": Function(type="f16", B=2, H=2, G=1, d=16, dv=3, N=21, update="linear", initial=True),
    "corrected": Function(d=16, dv=48, N=1, update="delta_corrected", gate="head_channel", initial=True),
    "corrected_f64": Function(type="f64", d=3, dv=8, N=9, update="delta_corrected", rope=False, gate="data",
                              first_segment="local_only"),
}


@pytest.fixture(scope="module", params=SCHEDULES)
def program(request, tools, tmp_path_factory):
    return Program(tools, tmp_path_factory.mktemp(request.param), request.param, FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(program, name):
    N = FUNCTIONS[name].N
    for T in sorted({N - 1, N, N + 1, 3 * N, 9 * N + N // 2}):
        program.check(name, FUNCTIONS[name].inputs(T))


def test_many_segments(program):
    """400 segments and a tail: the memory's own error is what is looked at."""
    for name in ("linear", "corrected", "corrected_f64"):
        program.check(name, FUNCTIONS[name].inputs(400 * FUNCTIONS[name].N + FUNCTIONS[name].N // 2))


def test_cut_at_a_segment(program):
    """M and z of one call, given to the next: as if nothing had come between."""
    function = FUNCTIONS["delta_state"]
    arrays = function.inputs(8 * function.N + 3)
    ref, naive = function.reference(arrays), function.naive(arrays, memory_states(program.schedule))
    for segments in (1, 5):
        cut = segments * function.N
        first = program.run("delta_state", [x[:, :, :cut] for x in arrays[:3]] + arrays[3:])
        second = program.run("delta_state", [x[:, :, cut:] for x in arrays[:3]] + arrays[3:4] + first[1:])
        out = [np.concatenate([first[0], second[0]], axis=2), *second[1:]]
        for a, b, limit in zip(out, ref, function.limits(ref, naive)):
            assert_close(a, b, limit, f"cut at {cut}")


def test_same_bits_twice(program):
    """Also with another number of threads, up to rounding."""
    for name in ("delta_local", "linear", "corrected"):
        arrays = FUNCTIONS[name].inputs(9 * FUNCTIONS[name].N + 1)
        first = program.run(name, arrays)
        for a, b in zip(program.run(name, arrays), first):
            assert_same_bits(a, b, name)
        for threads in (1, 2):
            program.check(name, arrays, "--threads", threads)


def test_causal(program):
    """A later token changes nothing before it, to the bit."""
    for name in ("delta_local", "linear"):
        function = FUNCTIONS[name]
        arrays = function.inputs(6 * function.N)
        at = 3 * function.N + 2
        first = program.run(name, arrays)[0]
        for x in arrays[:3]:
            x[:, :, at:] *= -2
        second = program.run(name, arrays)[0]
        assert_same_bits(second[:, :, :at], first[:, :, :at], name)
        assert (first[:, :, at:] != second[:, :, at:]).any()


@pytest.mark.parametrize("schedule", SCHEDULES[1:])
def test_dynamic_sizes(tools, tmp_path, long, schedule):
    """The functions of examples/ops, in which every size is dynamic."""
    with open(os.path.join(ROOT, "examples", "ops", "infini.mlir")) as file:
        text = file.read().replace("segment_length = 2 ", "segment_length = 8 ")
    (tmp_path / "ops.mlir").write_text(text)
    function = Function(H=4, G=2, d=16, dv=24)
    arrays = function.inputs(73)
    for update in oracle.UPDATES if long else ["delta"]:
        function.update, entry = update, f"infini_attention_{update}"
        package = tools.build(tmp_path / "ops.mlir", tmp_path / f"{update}.infini", f"--schedule={schedule}",
                              f"--entry={entry}")
        function.check(function.run(tools, package, arrays, tmp_path, entry), arrays, memory_states(schedule))


@pytest.mark.parametrize("update", oracle.UPDATES)
def test_schedules_differ(tools, tmp_path, update):
    """What is tested here is not one schedule under several names."""
    (tmp_path / "f.mlir").write_text(Function(update=update).text())
    texts = set()
    for schedule in SCHEDULES[1:]:
        texts.add(tools.good([tools.compile, tmp_path / "f.mlir", f"--schedule={schedule}", "--emit=program"]).stdout)
    assert len(texts) == len(SCHEDULES) - 1


@draws(0, 80)
@pytest.mark.long
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_random_function(tools, tmp_path, schedule, drawn):
    function = draw_function(drawn)
    program = Program(tools, tmp_path, schedule, {"f": function})
    for T in draw_lengths(function.N, np.random.default_rng(drawn)):
        program.check("f", function.inputs(T))


# --------------------------------------------------------------------------------------------------------
# Models
# --------------------------------------------------------------------------------------------------------

MODEL = dict(seed=5, segment=8, head_dim=16, heads=4, groups=2)


@pytest.mark.parametrize("update", oracle.UPDATES)
@pytest.mark.parametrize("schedule", SCHEDULES[1:])
def test_model(tools, tmp_path, schedule, update):
    """Logits and states, in one call and cut into calls that end inside segments; M and z after 400 segments."""
    built = Built(tools, tmp_path, f"--schedule={schedule}", "--max-tokens-per-call=4096", **MODEL, update=update,
                  layers=2 if update == "delta" else 1)
    rng = np.random.default_rng(len(update))
    for T, cut in ((1, 1), (9 * 8 + 1, int(rng.integers(2, 8))), (400 * 8 + 3, int(rng.integers(9, 3000)))):
        tokens = built.tokens(T, T)
        check(built, tokens, memory_states=memory_states(schedule))
        check(built, tokens, "--tokens-per-call", cut, memory_states=memory_states(schedule))


@pytest.mark.parametrize("schedule", SCHEDULES[2:])
def test_model_in_16_bits(tools, tmp_path, schedule):
    built = Built(tools, tmp_path, f"--schedule={schedule}", **MODEL, layers=1, kind="BF16",
                  torch_dtype="bfloat16")
    for T in (73, 400 * 8 + 3):
        check(built, built.tokens(T), kind="bfloat16", memory_states=memory_states(schedule))


@pytest.mark.parametrize("schedule", SCHEDULES[1:])
def test_one_token_segments(tools, tmp_path, schedule):
    """Tiles of one token and eight numbers: LLVM 22's SROA made invalid IR of the vectors on its stack slots."""
    built = Built(tools, tmp_path, f"--schedule={schedule}", **draw_model(1011))
    assert built.N == 1 and built.model.head_dim == 8
    check(built, built.tokens(40), memory_states=memory_states(schedule))


@draws(0, 25)
@pytest.mark.long
@pytest.mark.parametrize("schedule", SCHEDULES[1:])
def test_random_model(tools, tmp_path, schedule, drawn):
    built = Built(tools, tmp_path, f"--schedule={schedule}", **draw_model(drawn))
    rng = np.random.default_rng(drawn)
    for T in draw_lengths(built.N, rng)[1:]:
        tokens = built.tokens(T, T)
        check(built, tokens, memory_states=memory_states(schedule))
        check(built, tokens, "--tokens-per-call", int(rng.integers(1, T + 1)), memory_states=memory_states(schedule))
