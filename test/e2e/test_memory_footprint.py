# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""infini-memory: the paper's table, each formula against a count of its own, and the state against a real one.

The counts go through what a system keeps, piece by piece (`KEPT`), so that they share no formula with the tool.
"""
import itertools
import json
import os

import numpy as np
import pytest

import infini_numpy as oracle
from harness import ROOT, Tools, assert_refused

PAPER = os.path.join(ROOT, "examples", "paper-table2")
BYTES = {"f32": 4, "bf16": 2, "f16": 2, "f64": 8}


@pytest.fixture(scope="module")
def memory(tools):
    """Runs infini-memory on a folder."""
    path = os.path.join(os.path.dirname(tools.run), "infini-memory")
    if not os.access(path, os.X_OK):
        pytest.skip("infini-memory is not built")
    return lambda *arguments: Tools.call([path, *arguments])


def answer(memory, folder, *options):
    done = memory(folder, "--json", *options)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return found, {row["key"]: row for row in found["memories"]}


# --------------------------------------------------------------------------------------------------------
# Counting what is kept
# --------------------------------------------------------------------------------------------------------

class Sizes:
    """A model, a text, and the options, small enough to count."""

    def __init__(self, **values):
        self.__dict__.update(layers=3, heads=6, groups=2, dim=8, hidden=24, segment=16, tokens=100, cache=16,
                             memorized=40, compressed=16, rate=2, summaries=5, steps=None, dtype="f32")
        self.__dict__.update(values)

    def per_head(self, tokens):
        """Keys and values of some tokens in one layer, head by head."""
        return [np.zeros((tokens, self.dim)) for _ in range(self.groups) for _ in ("key", "value")]

    def segments(self):
        return [range(at, min(at + self.segment, self.tokens)) for at in range(0, self.tokens, self.segment)]

    def every_layer(self, arrays):
        return list(itertools.chain.from_iterable(arrays() for _ in range(self.layers)))


def autocompressors(s):
    """Each layer has the summaries of the last segment and of those before it that are kept."""
    kept = s.segments() if s.steps is None else [None] * (s.steps + 1)
    return s.every_layer(lambda: [np.zeros((s.summaries, s.hidden)) for _ in kept])


KEPT = {
    "kv_cache": lambda s: s.every_layer(lambda: s.per_head(s.tokens)),
    "transformer_xl": lambda s: s.every_layer(lambda: s.per_head(s.cache)),
    "compressive_transformer": lambda s: s.every_layer(
        lambda: [np.zeros((s.compressed, s.hidden)), np.zeros((s.cache, s.hidden))]),
    "memorizing_transformer": lambda s: (s.per_head(len(range(s.tokens)[-s.memorized:])) +
                                         s.every_layer(lambda: s.per_head(s.cache))),
    # Read at the beginning, written at the end.
    "rmt": lambda s: s.every_layer(lambda: [np.zeros((s.summaries, s.hidden)) for _ in ("read", "write")]),
    "autocompressors": autocompressors,
    "infini_attention": lambda s: s.every_layer(
        lambda: [part for _ in range(s.groups) for part in (np.zeros((s.dim, s.dim)), np.zeros(s.dim))]),
}


def count(key, sizes):
    return sum(array.size for array in KEPT[key](sizes))


def folder_of(tmp_path, s):
    oracle.make_model(tmp_path / "model", seed=1, heads=s.heads, groups=s.groups, head_dim=s.dim, layers=s.layers,
                      hidden=s.hidden, ffn=8, vocab=10, segment=s.segment)
    # The configuration is all that may be needed.
    for file in (tmp_path / "model").iterdir():
        if file.name != "config.json":
            file.unlink()
    return tmp_path / "model"


def options_of(s):
    given = [("context", s.tokens), ("cache-length", s.cache), ("memorizing-entries", s.memorized),
             ("compressed-length", s.compressed), ("compression-rate", s.rate), ("summary-vectors", s.summaries),
             ("accumulation-steps", s.steps), ("dtype", s.dtype)]
    return [f"--{name}={value}" for name, value in given if value is not None]


CASES = [Sizes(), Sizes(tokens=1, memorized=7), Sizes(groups=6, dim=4, tokens=97), Sizes(steps=2, dtype="bf16"),
         Sizes(cache=5, compressed=7, rate=3, summaries=1, memorized=1000, dtype="f16"),
         Sizes(layers=1, heads=1, groups=1, segment=1, tokens=33, dtype="f64")]


@pytest.mark.parametrize("s", CASES, ids=range(len(CASES)))
def test_formulas(memory, tmp_path, s):
    found, rows = answer(memory, folder_of(tmp_path, s), *options_of(s))
    assert found["segments"] == len(s.segments()) and list(rows) == list(KEPT)
    reach = {"transformer_xl": s.cache * s.layers,
             "compressive_transformer": (s.compressed * s.rate + s.cache) * s.layers,
             "memorizing_transformer": max(s.memorized, s.cache * s.layers)}
    for key, row in rows.items():
        entries = count(key, s)
        assert row["entries"] == entries, key
        width = max(4, BYTES[s.dtype]) if key == "infini_attention" else BYTES[s.dtype]
        assert (row["entry_bytes"], row["bytes"]) == (width, width * entries), key
        assert row["compression"] == pytest.approx(count("memorizing_transformer", s) / entries), key
        assert row["times_infini"] == pytest.approx(entries / count("infini_attention", s)), key
        assert row["reach"] == min(s.tokens, reach.get(key, s.tokens)), key


@pytest.mark.parametrize("key", KEPT)
def test_controls(memory, tmp_path, key):
    """Every size that a memory depends on changes its number, and no other does."""
    depends = {"kv_cache": {"layers", "groups", "dim", "tokens"},
               "transformer_xl": {"layers", "groups", "dim", "cache"},
               "compressive_transformer": {"layers", "hidden", "cache", "compressed"},
               "memorizing_transformer": {"layers", "groups", "dim", "cache", "memorized"},
               "rmt": {"layers", "hidden", "summaries"},
               "autocompressors": {"layers", "hidden", "summaries", "tokens", "segment"},
               "infini_attention": {"layers", "groups", "dim"}}
    changes = dict(layers=4, groups=3, dim=10, hidden=32, tokens=150, segment=10, cache=17, memorized=41, compressed=20,
                   rate=5, summaries=6)
    _, rows = answer(memory, folder_of(tmp_path, Sizes()), *options_of(Sizes()))
    for name, value in changes.items():
        assert (count(key, Sizes(**{name: value})) != rows[key]["entries"]) == (name in depends[key]), name


# --------------------------------------------------------------------------------------------------------
# The paper
# --------------------------------------------------------------------------------------------------------

def test_paper(memory):
    """Table 2 of arXiv 2404.07143, as printed, and exact."""
    found, rows = answer(memory, PAPER, "--context=1M")
    printed = {key: (row["entries_rounded"], row["compression_rounded"]) for key, row in rows.items()}
    assert printed["transformer_xl"] == ("50M", "3.7x")
    assert printed["memorizing_transformer"] == ("183M", "1x")
    assert printed["rmt"] == ("2.5M", "73x")
    assert printed["infini_attention"] == ("1.6M", "114x")
    assert rows["transformer_xl"]["entries"] == (128 + 128) * 8 * 2048 * 12
    assert rows["memorizing_transformer"]["entries"] == (128 + 128) * 8 * (65000 + 2048 * 12)
    assert rows["rmt"]["entries"] == 1024 * 100 * 12 * 2
    assert rows["infini_attention"]["entries"] == 128 * 129 * 8 * 12
    assert rows["infini_attention"]["compression"] == pytest.approx(115.7313, abs=1e-4)
    assert found["context"] == 1000000

    table = memory(PAPER, "--context", "1M")
    assert table.returncode == 0 and not table.stderr
    lines = {line[:24].strip(): line.split() for line in table.stdout.splitlines()}
    for name, *texts in (("Transformer-XL", "50,331,648", "50M", "3.7x", "3.64"),
                         ("Memorizing Transformer", "183,451,648", "183M", "1x"),
                         ("RMT", "2,457,600", "2.5M", "73x", "74.65"),
                         ("Infini-attention", "1,585,152", "1.6M", "114x", "115.73")):
        for text in texts:
            assert text in lines[name], (name, text)


def test_memory_is_constant(memory):
    """Only what grows with the text does."""
    _, short = answer(memory, PAPER, "--context=100k")
    _, long = answer(memory, PAPER, "--context=10M")
    grown = {key for key in short if short[key]["entries"] != long[key]["entries"]}
    assert grown == {"kv_cache", "autocompressors"}


# --------------------------------------------------------------------------------------------------------
# The state of this package
# --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("dtype", ["f32", "bf16"])
def test_state(memory, tools, tmp_path, dtype):
    """What is promised is what infini-run keeps, tensor by tensor."""
    oracle.make_model(tmp_path / "model", seed=3, heads=4, groups=2, head_dim=8, layers=2, hidden=16, ffn=8, vocab=20,
                      segment=6)
    promised = answer(memory, tmp_path / "model", f"--dtype={dtype}")[0]
    package = tools.build(tmp_path / "model", tmp_path / "p.infini", f"--dtype={dtype}")
    _, state = tools.model(package, tmp_path / "model", np.arange(20) % 20, tmp_path, state=True)
    kept = {}
    for name, array in state.items():
        kept[name.split(".")[-1]] = kept.get(name.split(".")[-1], 0) + array.nbytes
    assert kept == {name: part["bytes"] for name, part in promised["state"].items()}
    assert sum(kept.values()) == promised["state_bytes"]
    other = answer(memory, tmp_path / "model", f"--dtype={dtype}", "--segment-length=7")[0]
    assert other["state_bytes"] != promised["state_bytes"]


# --------------------------------------------------------------------------------------------------------
# The command line
# --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("text, tokens", [("1M", 10 ** 6), ("32k", 32000), ("32K", 32000), ("1.5m", 1500000),
                                          ("32Ki", 32768), ("1Mi", 2 ** 20), ("2G", 2 * 10 ** 9), ("7", 7),
                                          (str(2 ** 40 + 1), 2 ** 40 + 1)])
def test_counts(memory, text, tokens):
    assert answer(memory, PAPER, "--context", text)[0]["context"] == tokens


@pytest.mark.parametrize("text", ["", "0", "-1", "k", "1.5", "1.0001k", "1e6", "1 M", "1MM", "1i", "+5", "nan", "0x10",
                                  "4611686018427387905", "99999999999999999999", "1M\n"], ids=repr)
def test_bad_counts(memory, text):
    assert_refused(memory(PAPER, f"--context={text}"), "--context", "1M")


def test_too_large(memory):
    """A KV cache of more bytes than there are numbers for."""
    assert_refused(memory(PAPER, "--context", str(2 ** 60)), "KV cache", "2^63", str(2 ** 60))
    assert_refused(memory(PAPER, "--segment-length", "3G"), "--segment-length", "3G")


def test_plain_folder(memory, tmp_path):
    """Of a folder without memories the segments are the context that it was trained with."""
    with open(os.path.join(PAPER, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    del config["infini"]
    (tmp_path / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 512}))
    assert answer(memory, tmp_path)[0]["segment_length"] == 512
    assert answer(memory, tmp_path, "--segment-length", "1Ki")[0]["segment_length"] == 1024
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert_refused(memory(tmp_path), "max_position_embeddings", "--segment-length")


def test_refused(memory, tmp_path):
    assert_refused(memory(tmp_path / "none"), "none", "model folder")
    assert_refused(memory(tmp_path), "config.json")
    (tmp_path / "config.json").write_text("{}")
    assert_refused(memory(tmp_path), "config.json", "vocab_size")
    for arguments in ((), (PAPER, "--dtype=f8"), (PAPER, "--contxt=1M"), (PAPER, "two")):
        done = memory(*arguments)
        assert done.returncode == 1 and done.stderr and not done.stdout, arguments
    assert "--context" in memory("--help").stdout
