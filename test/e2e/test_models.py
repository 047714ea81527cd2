# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random Llama-architecture models from folder to logits and states, against the oracle."""
import shutil

import numpy as np
import pytest

import infini_numpy as oracle
from harness import FLOOR, assert_close, assert_same_bits, bound, draw_model, draws, edge_lengths
from models import LOGITS, Built, check

# Together: every rule, both choices for the first segment, both gates, every weight type, grouped heads,
# RoPE scaling, tied heads, shards, head sizes 8, 48, 80, 128, odd segments, head_dim not hidden / heads.
MODELS = {
    "delta": dict(seed=1, heads=4, groups=2, head_dim=8, segment=16),
    "linear": dict(seed=2, heads=3, groups=1, head_dim=48, segment=32, update="linear", first_segment="local_only",
                   gate="head_channel", kind="BF16", tied=True),
    "corrected": dict(seed=3, heads=2, groups=2, head_dim=80, segment=24, update="delta_corrected", kind="F16",
                      shards=3, rope_factor=4.0, layers=3),
    "odd": dict(seed=4, heads=4, groups=2, head_dim=128, segment=7, first_segment="local_only", hidden=100,
                rope_factor=2.0, rope_theta=500000.0, vocab=300),
}


@pytest.fixture(scope="module", params=MODELS)
def built(request, tools, tmp_path_factory):
    return Built(tools, tmp_path_factory.mktemp(request.param), **MODELS[request.param])


def test_logits_and_states(built):
    for T in edge_lengths(built.N):
        check(built, built.tokens(T, T))


def test_cut_into_calls(built):
    """Any number of tokens a call: the same numbers up to rounding, the states included."""
    tokens = built.tokens(9 * built.N + 1)
    ref, states = oracle.forward(built.model, tokens)
    for cut in (1, built.N - 1, built.N, 2 * built.N + 1, int(np.random.default_rng(built.N).integers(2, 9 * built.N))):
        check(built, tokens, "--tokens-per-call", max(1, cut))


def test_same_bits_twice(built):
    tokens = built.tokens(3 * built.N + 2)
    first, state = built.run(tokens, state=True)
    for options in ((), ("--threads", 1), ("--threads", 2)):
        again, other = built.run(tokens, *options, state=True)
        if options:  # more threads may not change the result; they need not keep its bits
            assert_close(again, first, FLOOR["float32"])
            continue
        assert_same_bits(again, first)
        assert state.keys() == other.keys()
        for name in state:
            assert_same_bits(other[name], state[name], name)


def test_causal(built):
    """A later token changes no earlier logits, to the bit."""
    tokens = built.tokens(3 * built.N)
    first = built.run(tokens)
    at = 2 * built.N
    tokens[at:] = (tokens[at:] + 1) % built.model.vocab
    second = built.run(tokens)
    assert_same_bits(second[:at], first[:at])
    assert (second[at:] != first[at:]).any()


def test_package_and_folder_agree(built):
    """infini-run on the folder, and on the package made of it."""
    tokens = built.tokens(3 * built.N + 2)
    direct = built.tools.model(None, built.folder, tokens, built.scratch)
    assert_same_bits(direct, built.run(tokens))


def test_builds_are_identical(built):
    again = built.scratch / "elsewhere"
    again.mkdir(exist_ok=True)
    built.tools.build(built.folder, again / "other.infini")
    assert (again / "other.infini").read_bytes() == built.package.read_bytes()


def test_many_segments(built):
    """60 segments and a tail; test_400_segments goes further with short ones."""
    check(built, built.tokens(60 * built.N + 3))


def test_saved_state_goes_on(built):
    """--state-out, then --state-in in a new process: as if nothing had come between."""
    built.tools.needs(built.tools.run, "--state-in", "--state-out")
    tokens, state = built.tokens(5 * built.N + 3), built.scratch / "state.safetensors"
    for at in (1, built.N, 2 * built.N + 2):
        whole, _ = oracle.forward(built.model, tokens)
        first = built.run(tokens[:at], "--state-out", state)
        second = built.run(tokens[at:], "--state-in", state)
        assert_close(np.concatenate([first, second]), whole, FLOOR["float32"], f"cut at {at}")


def test_prompt_file(tools, tmp_path):
    """With 256 tokens and no tokenizer the bytes of a file are the tokens, and nothing is added."""
    built = Built(tools, tmp_path, seed=9, vocab=256, segment=16)
    tokens = built.tokens(53)
    (tmp_path / "text").write_bytes(tokens.astype(np.uint8).tobytes())
    built.tools.good([tools.run, built.package, "--weights", built.folder, "--prompt-file", tmp_path / "text",
                      "--logits-out", f"@{tmp_path / 'l.npy'}"])
    assert_same_bits(np.load(tmp_path / "l.npy"), built.run(tokens))


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_token_types(tools, tmp_path, dtype):
    built = Built(tools, tmp_path, seed=9, layers=1)
    tokens = built.tokens(20)
    expected = built.run(tokens)
    np.save(tmp_path / "t.npy", tokens.astype(dtype))
    tools.good([tools.run, built.package, "--weights", built.folder, "--tokens", f"@{tmp_path / 't.npy'}",
                "--logits-out", f"@{tmp_path / 'l.npy'}"])
    assert_same_bits(np.load(tmp_path / "l.npy"), expected)


def test_400_segments(tools, tmp_path):
    for update in oracle.UPDATES:
        folder = tmp_path / update
        folder.mkdir()
        built = Built(tools, folder, seed=5, segment=8, update=update)
        check(built, built.tokens(400 * 8 + 3))


@pytest.mark.parametrize("kind", LOGITS)
@pytest.mark.parametrize("way", ["config", "option"])
def test_16_bits(tools, tmp_path, kind, way):
    """torch_dtype, or --dtype over it. M and z stay float32, and are held to their own bound after 400 segments."""
    short = {"float16": "f16", "bfloat16": "bf16"}[kind]
    built = Built(tools, tmp_path, *([] if way == "config" else [f"--dtype={short}"]), seed=6, segment=8,
                  head_dim=16, kind="F16" if kind == "float16" else "BF16",
                  torch_dtype=kind if way == "config" else "float32")
    for T in (1, 8, 73, 400 * 8 + 3):
        check(built, built.tokens(T), kind=kind)


def test_retrofit(tools, tmp_path):
    """A plain Llama folder attends inside segments of max_position_embeddings tokens, or of --segment-length."""
    folder = tmp_path / "llama"
    model = oracle.make_model(folder, 8, infini=False, max_positions=32, rope_factor=2.0)
    tokens = np.random.default_rng(3).integers(0, model.vocab, 101)
    for N, options in ((32, ["--retrofit"]), (24, ["--retrofit", "--segment-length", 24]),
                       (128, ["--retrofit", "--segment-length", 128])):
        ref, _ = oracle.forward(model, tokens, segment_length=N)
        naive, _ = oracle.forward(model, tokens, np.float32, segment_length=N)
        logits = tools.model(None, folder, tokens, tmp_path, *options)
        assert_close(logits, ref, bound(ref, naive), f"N={N}")


def test_moved_folder(tools, tmp_path):
    """The package belongs to the weights' content, not to their path."""
    built = Built(tools, tmp_path, seed=10, layers=1)
    tokens = built.tokens(40)
    expected = built.run(tokens)
    moved = tmp_path / "somewhere else"
    shutil.move(built.folder, moved)
    assert_same_bits(tools.model(built.package, moved, tokens, tmp_path), expected)


def test_defaults_of_the_config(tools, tmp_path):
    """No num_key_value_heads, head_dim, rope_scaling, nor anything of `infini` but segment_length."""
    import json
    folder = tmp_path / "model"
    oracle.make_model(folder, 12, heads=4, groups=4, head_dim=16, hidden=64, segment=8)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    for name in ("num_key_value_heads", "head_dim", "rope_scaling", "attention_bias", "mlp_bias"):
        del config[name]
    config["infini"] = {"segment_length": 8}
    path.write_text(json.dumps(config))
    model = oracle.load_model(folder)
    tokens = np.random.default_rng(3).integers(0, model.vocab, 41)
    package = tools.build(folder, tmp_path / "p.infini")
    ref, _ = oracle.forward(model, tokens)
    assert_close(tools.model(package, folder, tokens, tmp_path), ref, FLOOR["float32"])


@draws(0, 120)
@pytest.mark.long
def test_random(tools, tmp_path, drawn):
    built = Built(tools, tmp_path, **draw_model(drawn))
    rng = np.random.default_rng(drawn)
    for T in rng.choice(edge_lengths(built.N), min(3, len(edge_lengths(built.N))), replace=False):
        check(built, built.tokens(int(T), int(T)))
    T = int(rng.integers(3 * built.N, 12 * built.N + 2))
    check(built, built.tokens(T), "--tokens-per-call", int(rng.integers(1, T + 1)))


@draws(0, 20)
@pytest.mark.long
def test_random_16_bits(tools, tmp_path, drawn):
    kind = ("float16", "bfloat16")[drawn % 2]
    config = draw_model(drawn)
    # An honest program's error grows with the depth; at two layers it is about 6e-3 in bf16.
    config.update(torch_dtype=kind, kind="F16" if kind == "float16" else "BF16", tied=False,
                  layers=min(2, config["layers"]))
    built = Built(tools, tmp_path, **config)
    check(built, built.tokens(9 * built.N + 1), kind=kind)
