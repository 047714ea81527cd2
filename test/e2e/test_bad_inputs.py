# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Bad folders, weights, packages, tokens and states: exit status 1, one message that names the place, no output.

What is wrong with inputs of .mlir functions stands in test_ops.py.
"""
import json
import os
import re
import shutil
import struct

import numpy as np
import pytest

import infini_numpy as oracle
from harness import Tools, assert_refused

CONFIG = dict(seed=1, layers=2, heads=4, groups=2, head_dim=16, hidden=64, ffn=112, vocab=96, segment=16)
Q_PROJ = "model.layers.1.self_attn.q_proj.weight"


class Case:
    """A good folder and package, to be spoilt; and the command that must refuse them."""

    def __init__(self, tools, folder, good):
        self.tools, self.scratch, self.folder = tools, folder, folder / "model"
        shutil.copytree(good / "model", self.folder)
        self.package = folder / "p.infini"
        shutil.copy(good / "p.infini", self.package)
        self.tokens = folder / "ids.npy"
        np.save(self.tokens, np.arange(40) % 96)

    def config(self, change):
        path = self.folder / "config.json"
        config = json.loads(path.read_text())
        change(config)
        path.write_text(json.dumps(config))

    def compile_refused(self, *keywords):
        output = self.scratch / "out.infini"
        assert_refused(Tools.call([self.tools.compile, self.folder, "-o", output]), *keywords)
        self.nothing_left("out.infini")

    def run_refused(self, *keywords, options=()):
        done = Tools.call([self.tools.run, self.package, "--weights", self.folder, "--tokens", f"@{self.tokens}",
                           "--logits-out", f"@{self.scratch / 'logits.npy'}", *options])
        assert_refused(done, *keywords)
        self.nothing_left("logits.npy")
        return done.stderr

    def nothing_left(self, name):
        """Neither the output nor a temporary file beside it."""
        left = [f for f in os.listdir(self.scratch) if f not in ("model", "p.infini", "ids.npy", "state", "text")]
        assert not left, f"{name}: left behind: {left}"


@pytest.fixture(scope="module")
def good(tools, tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    oracle.make_model(folder / "model", **CONFIG)
    tools.build(folder / "model", folder / "p.infini")
    return folder


@pytest.fixture
def case(tools, good, tmp_path):
    return Case(tools, tmp_path, good)


def spoil(**fields):
    return lambda config: config.update(fields)


def spoil_infini(**fields):
    return lambda config: config["infini"].update(fields)


class TestConfig:
    """config.json, read by infini-compile."""

    def test_missing_folder(self, case):
        shutil.rmtree(case.folder)
        case.compile_refused("model")

    def test_missing_file(self, case):
        (case.folder / "config.json").unlink()
        case.compile_refused("config.json")

    @pytest.mark.parametrize("text", ["", "{", "[]", "null", "not json", '{"vocab_size": 96', "[" * 100000, "\xff\xfe"])
    def test_not_json(self, case, text):
        (case.folder / "config.json").write_text(text, encoding="latin-1")
        case.compile_refused("config.json")

    @pytest.mark.parametrize("name", ["vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
                                      "num_attention_heads", "rms_norm_eps"])
    def test_missing_field(self, case, name):
        case.config(lambda config: config.pop(name))
        case.compile_refused("config.json", name)

    def test_missing_segment_length(self, case):
        case.config(lambda config: config["infini"].pop("segment_length"))
        case.compile_refused("segment_length")

    def test_plain_llama(self, case):
        """Without `infini` a folder is a plain Llama's; the message says what to do."""
        case.config(lambda config: config.pop("infini"))
        case.compile_refused("infini", "--retrofit")

    @pytest.mark.parametrize("name", ["vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
                                      "num_attention_heads", "num_key_value_heads", "head_dim"])
    @pytest.mark.parametrize("value", [-1, 0, "64", 1.5, None, True, [64], 2 ** 63, 1e300], ids=repr)
    def test_nonsense_sizes(self, case, name, value):
        if value is None and name in ("num_key_value_heads", "head_dim"):
            pytest.skip("null is the default")
        case.config(spoil(**{name: value}))
        case.compile_refused(name)

    @pytest.mark.parametrize("value", [-1, 0, "16", 1.5, None, 2 ** 63], ids=repr)
    def test_nonsense_segment_length(self, case, value):
        case.config(spoil_infini(segment_length=value))
        case.compile_refused("segment_length")

    @pytest.mark.parametrize("change, keywords", [
        (spoil(num_key_value_heads=3), ("num_key_value_heads", "3", "4")),
        (spoil(head_dim=15), ("head_dim", "15")),
        (spoil(rms_norm_eps=-1e-5), ("rms_norm_eps",)),
        (spoil(rms_norm_eps="small"), ("rms_norm_eps",)),
        (spoil(rope_theta=0), ("rope_theta",)),
        (spoil(rope_theta="10000"), ("rope_theta",)),
        (spoil(rope_scaling={"rope_type": "yarn", "factor": 4.0}), ("yarn", "linear")),
        (spoil(rope_scaling={"type": "llama3", "factor": 4.0}), ("llama3", "linear")),
        (spoil(rope_scaling={"rope_type": "linear"}), ("factor",)),
        (spoil(rope_scaling={"rope_type": "linear", "factor": 0}), ("factor",)),
        (spoil(rope_scaling={"rope_type": "linear", "factor": -2.0}), ("factor",)),
        (spoil(rope_scaling={"factor": 2.0}), ("rope_scaling",)),
        (spoil(rope_scaling="linear"), ("rope_scaling",)),
        (spoil(hidden_act="gelu"), ("hidden_act", "gelu", "silu")),
        (spoil(attention_bias=True), ("attention_bias",)),
        (spoil(mlp_bias=True), ("mlp_bias",)),
        (spoil(torch_dtype="int8"), ("torch_dtype", "int8")),
        (spoil(tie_word_embeddings="no"), ("tie_word_embeddings",)),
        (spoil(infini=16), ("infini",)),
        (spoil_infini(update="detla"), ("update", "detla", "delta")),
        (spoil_infini(first_segment="local"), ("first_segment", "local_only", "zero_memory")),
        (spoil_infini(gate="heads"), ("gate", "heads", "head_channel")),
        (spoil_infini(feature_map="relu"), ("feature_map", "relu", "elu_plus_one")),
    ], ids=lambda x: "-".join(x) if isinstance(x, tuple) else "")
    def test_nonsense(self, case, change, keywords):
        case.config(change)
        case.compile_refused(*keywords)

    def test_another_architecture(self, case):
        case.config(spoil(model_type="gpt2", architectures=["GPT2LMHeadModel"]))
        case.compile_refused("gpt2", "llama")

    def test_output_to_a_missing_folder(self, case):
        output = case.scratch / "missing" / "p.infini"
        assert_refused(Tools.call([case.tools.compile, case.folder, "-o", output]), "missing")
        assert not output.parent.exists()

    def test_options(self, case):
        for options, keyword in ((["--target", "nvidia:sm_1"], "sm_1"), (["--target", "abacus"], "abacus"),
                                 (["--dtype=f8"], "f8"), (["--emit=nonsense"], "nonsense"),
                                 (["--max-tokens-per-call", "0"], "max-tokens-per-call")):
            done = Tools.call([case.tools.compile, case.folder, "-o", case.scratch / "out.infini", *options])
            assert done.returncode == 1 and keyword in done.stderr, (options, done.returncode, done.stderr)
            case.nothing_left("out.infini")

    @pytest.mark.parametrize("schedule", ["stream", "Sequential", "0", "sequential,scan", ""], ids=repr)
    def test_unknown_schedule(self, case, schedule):
        """Refused with the choices, for models and functions; nothing is written."""
        (case.scratch / "model" / "f.mlir").write_text("func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {\n"
                                                       "  return %x : tensor<2xf32>\n}\n")
        choices = ["auto", "sequential", "streaming", "scan"]
        for source in (case.folder, case.folder / "f.mlir"):
            done = Tools.call([case.tools.compile, source, "-o", case.scratch / "out.infini", f"--schedule={schedule}"])
            assert_refused(done, "schedule", f"'{schedule}'", *choices)
            case.nothing_left("out.infini")

    @staticmethod
    def values_of(tools, option):
        """The lines of --help below an option, up to the next one."""
        text = tools.good([tools.compile, "--help"]).stdout
        return text.split(f"  {option}=", 1)[1].split("\n  --", 1)[0]


class TestWeights:
    """model.safetensors, mapped by infini-run."""

    def path(self, case):
        return case.folder / "model.safetensors"

    def change(self, case, edit):
        """Rewrites the header after `edit`; the data stays."""
        raw = self.path(case).read_bytes()
        size, = struct.unpack("<Q", raw[:8])
        header = json.loads(raw[8:8 + size])
        edit(header)
        oracle.write_raw_safetensors(self.path(case), header, raw[8 + size:])

    def test_missing_file(self, case):
        self.path(case).unlink()
        case.run_refused("model.safetensors")

    def test_missing_tensor(self, case):
        """No name is offered: all the others are in use."""
        tensors = oracle.read_safetensors(self.path(case))
        del tensors[Q_PROJ]
        oracle.write_weights(case.folder, tensors)
        assert "nearest" not in case.run_refused(Q_PROJ)

    def test_bytes_of_no_tensor(self, case):
        self.change(case, lambda header: header.pop(Q_PROJ))
        case.run_refused("model.safetensors", ("belong to no tensor", "gap", "hole"))

    def test_nearest_name(self, case):
        wrong = Q_PROJ.replace("q_proj", "q_porj")
        self.change(case, lambda header: header.update({wrong: header.pop(Q_PROJ)}))
        case.run_refused(Q_PROJ, wrong)

    def test_shape(self, case):
        """Expected and got are both said, and a transposed matrix is not accepted."""
        name = "model.layers.0.mlp.up_proj.weight"
        self.change(case, lambda header: header[name].update(shape=[64, 112]))
        case.run_refused(name, "112", "64")

    def test_beta_per_channel_where_heads_are_expected(self, case):
        def edit(header):
            header["model.layers.0.self_attn.beta"]["shape"] = [2, 2]
        self.change(case, edit)
        case.run_refused("model.layers.0.self_attn.beta")

    @pytest.mark.parametrize("kind", ["I32", "F8_E4M3", "nonsense", 5, None], ids=repr)
    def test_type(self, case, kind):
        self.change(case, lambda header: header[Q_PROJ].update(dtype=kind))
        case.run_refused(Q_PROJ)

    @pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
    def test_truncated(self, case, share):
        raw = self.path(case).read_bytes()
        self.path(case).write_bytes(raw[:int(share * len(raw))])
        case.run_refused("model.safetensors")

    def test_one_byte_short_and_one_too_many(self, case):
        raw = self.path(case).read_bytes()
        for content in (raw[:-1], raw + b"\0", raw[:7], raw[:8]):
            self.path(case).write_bytes(content)
            case.run_refused("model.safetensors")

    @pytest.mark.parametrize("size", [0, 1, 7, 10 ** 6, 2 ** 31, 2 ** 63, 2 ** 64 - 1, 2 ** 64 - 8])
    def test_header_size(self, case, size):
        raw = self.path(case).read_bytes()
        self.path(case).write_bytes(struct.pack("<Q", size) + raw[8:])
        case.run_refused("model.safetensors")

    @pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"{}x", b'{"a":1}', b'{"a":{"dtype":"F32"}}',
                                      b"\xff" * 16, b"[" * 100000], ids=lambda t: repr(t[:24]))
    def test_header_text(self, case, text):
        self.path(case).write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * 64)
        case.run_refused("model.safetensors")

    @pytest.mark.parametrize("offsets", [[0, 4], [-4, 0], [4, 0], [0], [0, 4, 8], "0", None, [0, 2 ** 63], [0.5, 1.5],
                                         [2 ** 64 - 4, 2 ** 64], [10 ** 9, 10 ** 9 + 16384]], ids=repr)
    def test_offsets(self, case, offsets):
        self.change(case, lambda header: header[Q_PROJ].update(data_offsets=offsets))
        case.run_refused(Q_PROJ)

    def test_overlap(self, case):
        def edit(header):
            other = Q_PROJ.replace(".1.", ".0.")
            header[Q_PROJ]["data_offsets"] = header[other]["data_offsets"]
        self.change(case, edit)
        case.run_refused("model.safetensors", ("overlap", "gap", "hole"))

    @pytest.mark.parametrize("shape", [[-1, 64], [2 ** 32, 2 ** 32], [64.5, 64], "64", None, [64] * 80, [0, 64]],
                             ids=repr)
    def test_nonsense_shape(self, case, shape):
        self.change(case, lambda header: header[Q_PROJ].update(shape=shape))
        case.run_refused(Q_PROJ)

    def test_duplicate_name(self, case):
        raw = self.path(case).read_bytes()
        size, = struct.unpack("<Q", raw[:8])
        text = raw[8:8 + size].rstrip()
        entry = json.dumps({Q_PROJ: json.loads(text)[Q_PROJ]}).encode()
        text = text[:-1] + b"," + entry[1:]
        self.path(case).write_bytes(struct.pack("<Q", len(text)) + text + raw[8 + size:])
        case.run_refused("model.safetensors")

    def test_shards(self, case):
        """A shard that is missing, that lacks a tensor of the index, or lies outside the folder."""
        tensors = oracle.read_safetensors(self.path(case))
        self.path(case).unlink()
        oracle.write_weights(case.folder, tensors, shards=2)
        index_path = case.folder / "model.safetensors.index.json"
        index = json.loads(index_path.read_text())
        right = dict(index["weight_map"])
        for file, keyword in (("model-00009-of-00002.safetensors", "model-00009-of-00002.safetensors"),
                              ("../model.safetensors", "../model.safetensors"), ("/etc/passwd", "/etc/passwd"),
                              (next(f for f in right.values() if f != right[Q_PROJ]), Q_PROJ), (5, Q_PROJ)):
            index["weight_map"] = {**right, Q_PROJ: file}
            index_path.write_text(json.dumps(index))
            case.run_refused(keyword)
        for text in ("", "{", "[]", "{}", '{"weight_map": []}'):
            index_path.write_text(text)
            case.run_refused("model.safetensors.index.json")

    def test_another_model(self, case):
        """Weights of other sizes than the package was built for."""
        shutil.rmtree(case.folder)
        oracle.make_model(case.folder, **{**CONFIG, "hidden": 48})
        case.run_refused("48", "64")


class TestPackage:
    """What is not a package, or not a whole one."""

    def test_missing(self, case):
        case.package.unlink()
        case.run_refused("p.infini")

    def test_truncated(self, case):
        raw = case.package.read_bytes()
        for size in (0, 1, 4, 8, 16, 63, 64, 65, 200, len(raw) // 2, len(raw) - 64, len(raw) - 1):
            case.package.write_bytes(raw[:size])
            case.run_refused("p.infini")

    def test_longer(self, case):
        case.package.write_bytes(case.package.read_bytes() + b"\0")
        case.run_refused("p.infini")

    def test_other_files(self, case):
        for content in (b"\x7fELF" + b"\0" * 500, b"not a package\n" * 50, b"\0" * 4096):
            case.package.write_bytes(content)
            case.run_refused("p.infini")

    def test_header_bytes(self, case):
        """Each byte of the header; those of the version (8 to 11) are reported as such."""
        raw = bytearray(case.package.read_bytes())
        for at in range(64):
            raw[at] ^= 0x41
            case.package.write_bytes(raw)
            case.run_refused("p.infini", *(["version"] if 8 <= at < 12 else []))
            raw[at] ^= 0x41

    def test_bit_flips(self, case, long):
        raw = bytearray(case.package.read_bytes())
        rng = np.random.default_rng(1)
        for at in rng.integers(64, len(raw), 500 if long else 24):
            bit = 1 << int(rng.integers(8))
            raw[at] ^= bit
            case.package.write_bytes(raw)
            case.run_refused("p.infini")
            raw[at] ^= bit


class TestCommandLine:
    """Tokens, texts, states and numbers."""

    @pytest.mark.parametrize("tokens, keywords", [
        (np.array([1, 2, 96]), ("96",)), (np.array([1, -1]), ("-1",)), (np.array([2 ** 40]), ("1099511627776",)),
        (np.zeros((2, 3), np.int64), ("rank", "shape", "dimension")), (np.zeros(3), ("f64", "float64", "integer")),
        (np.zeros(0, np.int64), ("empty", "no tokens")),
    ], ids=["past the end", "negative", "wide", "rank", "type", "empty"])
    def test_tokens(self, case, tokens, keywords):
        np.save(case.tokens, tokens)
        case.run_refused(keywords)

    def test_token_file(self, case):
        raw = case.tokens.read_bytes()
        for content in (b"", b"1 2 3", raw[:30], raw[:-1]):
            case.tokens.write_bytes(content)
            case.run_refused("ids.npy")
        case.tokens.unlink()
        case.run_refused("ids.npy")

    def test_output_to_a_missing_folder(self, case):
        done = Tools.call([case.tools.run, case.package, "--weights", case.folder, "--tokens", f"@{case.tokens}",
                           "--logits-out", f"@{case.scratch / 'missing' / 'l.npy'}"])
        assert_refused(done, "missing")
        case.nothing_left("l.npy")

    def test_numbers(self, case):
        for option in ("--tokens-per-call", "--threads"):
            for value in ("0", "-1", "many", "1.5", "99999999999999999999"):
                if (option, value) == ("--threads", "0"):
                    continue  # one for each core
                done = Tools.call([case.tools.run, case.package, "--weights", case.folder, "--tokens",
                                   f"@{case.tokens}", option, value])
                assert done.returncode == 1 and option[2:] in done.stderr, (option, value, done.stderr)

    def test_unknown_device(self, case):
        case.run_refused("abacus", options=["--device", "abacus"])

    def test_unknown_option(self, case):
        done = Tools.call([case.tools.run, case.package, "--nonsense"])
        assert done.returncode == 1 and "nonsense" in done.stderr, (done.returncode, done.stderr)

    def test_no_weights(self, case):
        assert_refused(Tools.call([case.tools.run, case.package, "--tokens", f"@{case.tokens}"]), "--weights")

    def test_prompt_needs_a_tokenizer(self, case):
        """vocab_size is 96: bytes are not its tokens."""
        (case.scratch / "text").write_text("hello")
        done = Tools.call([case.tools.run, case.package, "--weights", case.folder, "--prompt-file",
                           case.scratch / "text"])
        assert_refused(done, ("tokenizer", "vocab_size"))

    def test_empty_prompt(self, tools, tmp_path):
        oracle.make_model(tmp_path / "model", **{**CONFIG, "vocab": 256})
        (tmp_path / "text").write_text("")
        tools.build(tmp_path / "model", tmp_path / "p.infini")
        for file in ("text", "absent"):
            done = Tools.call([tools.run, tmp_path / "p.infini", "--weights", tmp_path / "model", "--prompt-file",
                               tmp_path / file])
            assert_refused(done, file)


class TestState:
    """State files: truncated, flipped, of another model."""

    @pytest.fixture(autouse=True)
    def offered(self, tools):
        tools.needs(tools.run, "--state-in", "--state-out")

    @pytest.fixture
    def state(self, case):
        path = case.scratch / "state"
        case.tools.good([case.tools.run, case.package, "--weights", case.folder, "--tokens", f"@{case.tokens}",
                         "--state-out", path])
        return path

    def test_is_safetensors(self, state):
        tensors = oracle.read_safetensors(state)
        assert any(name.endswith("M") for name in tensors) and any(name.endswith("z") for name in tensors)

    def test_missing_and_truncated(self, case, state):
        raw = state.read_bytes()
        for size in (0, 7, 8, 100, len(raw) // 2, len(raw) - 1):
            state.write_bytes(raw[:size])
            case.run_refused("state", options=["--state-in", state])
        state.unlink()
        case.run_refused("state", options=["--state-in", state])

    def test_bit_flips(self, case, state, long):
        raw = bytearray(state.read_bytes())
        rng = np.random.default_rng(1)
        places = list(range(0, 8)) + list(rng.integers(8, len(raw), 300 if long else 24))
        for at in places:
            bit = 1 << int(rng.integers(8))
            raw[at] ^= bit
            state.write_bytes(raw)
            case.run_refused("state", options=["--state-in", state])
            raw[at] ^= bit

    def test_another_model(self, case, state):
        other = case.scratch / "model" / "other"
        oracle.make_model(other, **{**CONFIG, "head_dim": 32})
        package = other / "q.infini"
        case.tools.build(other, package)
        done = Tools.call([case.tools.run, package, "--weights", other, "--tokens", f"@{case.tokens}",
                           "--state-in", state])
        assert_refused(done, "state")

    def test_output_to_a_missing_folder(self, case):
        case.run_refused("missing", options=["--state-out", case.scratch / "missing" / "s"])
