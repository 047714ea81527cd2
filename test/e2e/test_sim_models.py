# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whole models on the simulator of an NVIDIA GPU: logits and states against the oracle, with the CPU's bounds."""
import os

import numpy as np
import pytest

import infini_numpy as oracle
import passkey
from harness import PASSKEY, SIM, Tools, assert_close, assert_same_bits, bound, draw_model, draws
from models import LOGITS, Built, check

# Together: every rule, both choices for the first segment, both gates, one group and several, one query head a group
# and several, every weight type, each compute type, RoPE scaling, tied heads, shards, head sizes 8, 16, 48, 64, 80, 128.
# The short set leaves two of them out.
LONG = ("corrected_bf16", "odd")
MODELS = {
    "delta": dict(seed=1, heads=4, groups=2, head_dim=8, segment=16),
    "linear": dict(seed=2, heads=3, groups=1, head_dim=48, segment=32, update="linear", first_segment="local_only",
                   gate="head_channel", kind="BF16", tied=True),
    "corrected": dict(seed=3, heads=2, groups=2, head_dim=80, segment=24, update="delta_corrected", kind="F16",
                      shards=3, rope_factor=4.0),
    "odd": dict(seed=4, heads=2, groups=1, head_dim=128, segment=7, first_segment="local_only", hidden=100,
                rope_factor=2.0, rope_theta=500000.0, vocab=300, layers=1),
    "bf16": dict(seed=6, heads=4, groups=2, head_dim=64, segment=32, gate="head_channel", kind="BF16",
                 torch_dtype="bfloat16"),
    "f16": dict(seed=7, heads=6, groups=2, head_dim=16, segment=31, update="linear", kind="F16",
                torch_dtype="float16"),
    "corrected_bf16": dict(seed=8, heads=3, groups=1, head_dim=32, segment=8, update="delta_corrected", kind="BF16",
                           torch_dtype="bfloat16", layers=1),
}


@pytest.fixture(scope="session")
def tools():
    return Tools.find().on(SIM)


@pytest.fixture(scope="module", params=[pytest.param(name, marks=pytest.mark.long if name in LONG else ())
                                        for name in MODELS])
def built(request, tools, tmp_path_factory):
    return Built(tools, tmp_path_factory.mktemp(request.param), **MODELS[request.param])


def kind(built):
    return built.model.config["torch_dtype"]


def test_logits_and_states(built):
    """Three to five segments and a tail, in one call, in two that end inside a segment, and a token at a time."""
    N = built.N
    tokens = built.tokens(3 * N + 1 + 2 * N * (N < 16))
    check(built, tokens, kind=kind(built))
    check(built, tokens, "--tokens-per-call", 2 * N + N // 2 + 1, kind=kind(built))
    check(built, built.tokens(N + 2), "--tokens-per-call", 1, kind=kind(built))


@pytest.mark.long
def test_many_calls(built):
    tokens = built.tokens(5 * built.N + built.N // 2)
    for cut in (1, built.N - 1, built.N, built.N + 1, 3 * built.N):
        check(built, tokens, "--tokens-per-call", cut, kind=kind(built))


@pytest.mark.long
def test_many_segments(built):
    check(built, built.tokens(60 * built.N + 3), kind=kind(built))


def test_same_bits_and_causal(tools, tmp_path):
    """From another run, from the folder, and of logits in front of tokens that change."""
    built = Built(tools, tmp_path, **MODELS["delta"], layers=1)
    tokens, at = built.tokens(4 * built.N), 2 * built.N + 3
    first, state = built.run(tokens, state=True)
    again, other = built.run(tokens, state=True)
    assert_same_bits(again, first)
    assert state.keys() == other.keys()
    for name in state:
        assert_same_bits(other[name], state[name], name)
    assert_same_bits(tools.model(None, built.folder, tokens, tmp_path), first)
    tokens[at:] = (tokens[at:] + 1) % built.model.vocab
    changed = built.run(tokens)
    assert_same_bits(changed[:at], first[:at])
    assert (changed[at:] != first[at:]).any()


def test_retrofit(tools, tmp_path):
    """A plain Llama folder attends inside segments of --segment-length tokens."""
    folder = tmp_path / "llama"
    model = oracle.make_model(folder, 8, infini=False, max_positions=32, rope_factor=2.0)
    tokens = np.random.default_rng(3).integers(0, model.vocab, 70)
    for N in (24, 128):
        ref, _ = oracle.forward(model, tokens, segment_length=N)
        naive, _ = oracle.forward(model, tokens, np.float32, segment_length=N)
        logits = tools.model(None, folder, tokens, tmp_path, "--retrofit", "--segment-length", N)
        assert_close(logits, ref, bound(ref, naive), f"N={N}")


@pytest.mark.parametrize("schedule", [pytest.param("sequential", marks=pytest.mark.long), "streaming", "scan"])
def test_schedules(tools, tmp_path, schedule):
    built = Built(tools, tmp_path, f"--schedule={schedule}", seed=5, segment=8, head_dim=16, heads=4, groups=2, layers=1)
    states = oracle.memory_scan if schedule == "scan" else None
    tokens = built.tokens(4 * 8 + 5)
    check(built, tokens, memory_states=states)
    check(built, tokens, "--tokens-per-call", 19, memory_states=states)


@pytest.mark.parametrize("name", ["delta", "bf16"])
def test_one_package_for_two_targets(tools, tmp_path, name):
    """The CPU's kernels and the GPU's, each within its bounds, from one file; as packages for one target have them."""
    both = tools.on(SIM, "cpu", SIM)
    built = Built(both, tmp_path, **MODELS[name])
    tokens = built.tokens(3 * built.N + 2)
    on_gpu, _ = check(built, tokens, kind=kind(built))
    built.tools = tools.on("cpu")
    on_cpu, _ = check(built, tokens, kind=kind(built))
    assert (on_cpu != on_gpu).any()
    (tmp_path / "alone").mkdir()
    for device, logits in ((SIM, on_gpu), ("cpu", on_cpu)):
        alone = Built(tools.on(device), tmp_path / "alone", **MODELS[name])
        assert_same_bits(alone.run(tokens), logits, device)


# Hundreds of random ones
# --------------------------------------------------------------------------------------------------------

@draws(0, 160)
@pytest.mark.long
def test_random(tools, tmp_path, drawn):
    config = draw_model(drawn)
    kind = ("float32", "bfloat16", "float16")[drawn % 3]
    if kind != "float32":  # an honest program's error grows with the depth: two layers, as in test_models.py
        config.update(torch_dtype=kind, kind="F16" if kind == "float16" else "BF16", tied=False,
                      layers=min(2, config["layers"]))
    built = Built(tools, tmp_path, **config)
    rng = np.random.default_rng(drawn)
    T = int(rng.integers(3 * built.N, 5 * built.N + 1)) + int(rng.integers(built.N))
    tokens = built.tokens(T)
    check(built, tokens, kind=kind)
    check(built, tokens, "--tokens-per-call", int(rng.integers(1, T + 1)), kind=kind)


# The passkey model
# --------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module", params=["f32", "bf16", pytest.param("f16", marks=pytest.mark.long)])
def answers(request, tools, tmp_path_factory):
    """(type, the package of the passkey model in it)."""
    package = tmp_path_factory.mktemp("passkey") / "passkey.infini"
    return request.param, tools.build(PASSKEY, package, f"--dtype={request.param}")


def test_passkey(answers, tools, long):
    """The key of texts that are longer than a segment by far, hidden at the start, in the middle, and near the end.

    The README has all digits right in 8,192 tokens. In texts much shorter than those it was trained on the model errs
    now and then, on the CPU too; in these it does not.
    """
    type, package = answers
    for place in (0.0, 0.5, 0.98) if long or type == "bf16" else (0.5,):
        for tokens, seed in ((640, 1), *(((8192, 0), (8192, 1)) if long else ())):
            text = passkey.make(tokens, place, seed)
            found = passkey.answer(text, package, PASSKEY, tools.run, tools.device_options())
            assert found == (passkey.key_of(text).decode(), 5), f"{type}, {tokens} tokens, place {place}"


def test_passkey_sample(answers, tools, long):
    """The logits of the sample's end, which the model's folder holds; 16 bits are held to the bounds of logits."""
    type, package = answers
    if type == "f32" and not long:
        pytest.skip("needs --long")
    with open(os.path.join(PASSKEY, "sample.txt"), "rb") as file:
        text = file.read()
    logits = passkey.run_logits(text, package, PASSKEY, tools.run, options=tools.device_options())
    limit = {"f32": 2e-6, "bf16": LOGITS["bfloat16"], "f16": LOGITS["float16"]}[type]
    assert_close(logits[-64:], np.load(os.path.join(PASSKEY, "sample_logits_last64.npy")), limit)
    assert passkey.score(text, logits) == ("98939", 5)
