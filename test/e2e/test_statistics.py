# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""infini-run's --stats, --stats-json, --stats-plot, and --trace on models: against numpy on the states and weights,
on the cpu and in the simulator; and that none of them changes a bit of the results.
"""
import json
import os
import re
import struct
import subprocess
import sys

import numpy as np
import pytest

import infini_numpy as oracle
from harness import PASSKEY, SIM, Tools, assert_refused, assert_same_bits

N = 16
MODELS = {
    "heads": dict(seed=11, layers=2, heads=4, groups=2, head_dim=8, hidden=32, ffn=16, vocab=40, segment=N),
    "channels": dict(seed=12, layers=3, heads=2, groups=2, head_dim=8, hidden=32, ffn=16, vocab=40, segment=N,
                     gate="head_channel", update="delta_corrected", kind="BF16"),
}
TOKENS = np.arange(5 * N + 3) * 7 % 40


@pytest.fixture(scope="module", params=[None, SIM], ids=["cpu", "sim"])
def device(request, tools):
    if request.param:
        tools.needs(tools.run, "sim:<chip>")
        return tools.on(request.param)
    return tools


@pytest.fixture(scope="module", params=MODELS)
def model(request, device, tmp_path_factory):
    """(tools, model folder, package)."""
    folder = tmp_path_factory.mktemp(request.param)
    oracle.make_model(folder / "model", **MODELS[request.param])
    return device, folder / "model", device.build(folder / "model", folder / "p.infini")


def run(model, scratch, *options, tokens=TOKENS):
    """Logits, states, and standard error."""
    tools, weights, package = model
    np.save(scratch / "ids.npy", tokens)
    done = tools.good([tools.run, package, "--weights", weights, "--tokens", f"@{scratch / 'ids.npy'}",
                       "--logits-out", f"@{scratch / 'l.npy'}", "--dump-state", scratch / "state",
                       *tools.device_options(), *options])
    states = {file.stem: np.load(file) for file in (scratch / "state").iterdir()}
    return np.load(scratch / "l.npy"), states, done.stderr


def effective_rank(matrix):
    """exp of the entropy of the singular values over their sum."""
    values = np.linalg.svd(matrix.astype(np.float64), compute_uv=False)
    share = values[values > 0] / values.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def gates_of(weights, layer):
    beta = oracle.read_safetensors(os.path.join(weights, "model.safetensors"))[f"model.layers.{layer}.self_attn.beta"]
    beta = np.asarray(beta, np.float64)
    return 1 / (1 + np.exp(-beta.reshape(len(beta), -1)))


def statistics(model, scratch, *options, **kwargs):
    logits, states, text = run(model, scratch, "--stats-json", scratch / "s.json", *options, **kwargs)
    return json.loads((scratch / "s.json").read_text()), logits, states, text


def assert_agrees(found, weights, states):
    """Gates, z, and M of every layer and head."""
    for layer in found["layers"]:
        i = layer["layer"]
        gates = gates_of(weights, i)
        M, z = states[f"layers.{i}.M"][0], states[f"layers.{i}.z"][0].astype(np.float64)
        assert layer["full_rank"] == M.shape[-1]
        assert len(layer["heads"]) == len(gates) and len(layer["memories"]) == len(M)
        for head, gate in zip(layer["heads"], gates):
            assert head["key_value_head"] == head["head"] * len(M) // len(gates)
            assert head["gate"] == pytest.approx(gate.mean(), rel=1e-12)
            assert (head["gate_min"], head["gate_max"]) == pytest.approx((gate.min(), gate.max()), rel=1e-12)
        for memory, m, n in zip(layer["memories"], M, z):
            assert memory["z_norm"] == pytest.approx(np.linalg.norm(n), rel=1e-12)
            assert memory["z_sum"] == pytest.approx(n.sum(), rel=1e-12)
            assert memory["effective_rank"] == pytest.approx(effective_rank(m), rel=1e-9)
            for name, series in memory["series"].items():
                assert len(series) == len(found["series_tokens"]) and series[-1] == memory[name]


# --------------------------------------------------------------------------------------------------------
# The numbers
# --------------------------------------------------------------------------------------------------------

def test_against_numpy(model, tmp_path):
    found, _, states, _ = statistics(model, tmp_path)
    assert (found["tokens"], found["segments"], found["pending_tokens"]) == (len(TOKENS), 5, 3)
    assert found["segment_length"] == N and found["run"]["tokens"] == len(TOKENS)
    assert [layer["layer"] for layer in found["layers"]] == list(range(len(found["layers"])))
    assert_agrees(found, model[1], states)


def test_control(model, tmp_path):
    """Another memory's numbers, another head's gate, one element: each is seen."""
    found, _, states, _ = statistics(model, tmp_path)

    def wrong(change):
        other = {name: array.copy() for name, array in states.items()}
        text = json.loads(json.dumps(found))
        change(other, text["layers"][0])
        with pytest.raises(AssertionError):
            assert_agrees(text, model[1], other)

    wrong(lambda states, layer: states.update({"layers.0.M": states["layers.0.M"][:, ::-1]}))
    wrong(lambda states, layer: states.update({"layers.0.z": states["layers.0.z"][:, ::-1]}))
    wrong(lambda states, layer: states["layers.0.M"].__setitem__((0, 0, 0, 0), 3))
    wrong(lambda states, layer: layer["heads"][0].update(gate=layer["heads"][1]["gate"]))
    wrong(lambda states, layer: layer["heads"][-1].update(key_value_head=0))


def test_series(model, tmp_path):
    """A sample for each call: the numbers of the text up to there."""
    found, _, _, _ = statistics(model, tmp_path, "--tokens-per-call", str(N))
    assert found["series_tokens"] == [N, 2 * N, 3 * N, 4 * N, 5 * N]
    for k in (0, 2):
        short, _, _, _ = statistics(model, tmp_path, tokens=TOKENS[:(k + 1) * N])
        for layer, other in zip(found["layers"], short["layers"]):
            for memory, last in zip(layer["memories"], other["memories"]):
                for name in ("z_norm", "z_sum", "effective_rank"):
                    assert memory["series"][name][k] == pytest.approx(last[name], rel=1e-4), name
    for memory in (m for layer in found["layers"] for m in layer["memories"]):
        norms, tokens = memory["series"]["z_norm"], found["series_tokens"]
        assert memory["z_growth"] == pytest.approx(np.log(norms[4] / norms[2]) / np.log(tokens[4] / tokens[2]))


def test_table(model, tmp_path):
    """The same numbers for people, one line a memory."""
    found, _, _, text = statistics(model, tmp_path, "--stats", "--tokens-per-call", str(N))
    assert f"5 of {N} tokens in the memories, and 3 tokens" in text
    lines = [line.split() for line in text.splitlines() if re.match(r" +\d+ +\d+ ", line)]
    memories = [(layer, memory) for layer in found["layers"] for memory in layer["memories"]]
    assert len(lines) == len(memories)
    for line, (layer, memory) in zip(lines, memories):
        assert line[:2] == [str(layer["layer"]), str(memory["key_value_head"])]
        assert float(line[2]) == pytest.approx(memory["z_norm"], rel=1e-5)
        assert float(line[3]) == pytest.approx(memory["z_sum"] / (5 * N), rel=1e-5)
        assert float(line[4][2:]) == pytest.approx(memory["z_growth"], abs=0.006)
        assert float(line[5]) == pytest.approx(memory["effective_rank"], abs=0.006)
        assert line[6:8] == ["of", str(layer["full_rank"])]
        gates = [head for head in layer["heads"] if head["key_value_head"] == memory["key_value_head"]]
        assert len(line) == 8 + len(gates)
        for word, gate in zip(line[8:], gates):
            values = [float(value) for value in word.split("...")]
            assert (values[0], values[-1]) == pytest.approx((gate["gate_min"], gate["gate_max"]), abs=6e-4)


def test_same_bits(model, tmp_path):
    """Whatever is asked for, logits and states are the same."""
    options = ("--tokens-per-call", "24")
    plain, states, text = run(model, tmp_path, *options)
    assert "memories" not in text
    watched, others, _ = run(model, tmp_path, *options, "--stats", "--stats-json", tmp_path / "s.json",
                             "--stats-plot", tmp_path / "p.png", "--trace", tmp_path / "t.json")
    assert_same_bits(watched, plain)
    for name in states:
        assert_same_bits(others[name], states[name], name)


def test_passkey(tools, tmp_path):
    """The trained model; the plain delta rule lets z grow with every token."""
    package = tools.build(PASSKEY, tmp_path / "p.infini")
    done = tools.good([tools.run, package, "--weights", PASSKEY, "--prompt-file", os.path.join(PASSKEY, "sample.txt"),
                       "--dump-state", tmp_path / "state", "--stats-json", tmp_path / "s.json"])
    assert "memories" not in done.stderr
    found = json.loads((tmp_path / "s.json").read_text())
    assert_agrees(found, PASSKEY, {file.stem: np.load(file) for file in (tmp_path / "state").iterdir()})
    assert found["segments"] == 32
    for memory in (m for layer in found["layers"] for m in layer["memories"]):
        assert memory["z_growth"] == pytest.approx(1, abs=0.1)


def test_layers_without_memories(tools, tmp_path):
    """A retrofitted model has no gates, hence nothing to say."""
    oracle.make_model(tmp_path / "model", **{**MODELS["heads"], "infini": False, "max_positions": N})
    package = tools.build(tmp_path / "model", tmp_path / "p.infini", "--retrofit")
    np.save(tmp_path / "ids.npy", TOKENS)
    arguments = [tools.run, package, "--weights", tmp_path / "model", "--tokens", f"@{tmp_path / 'ids.npy'}"]
    tools.good([*arguments, "--stats", "--stats-json", tmp_path / "s.json"])
    assert json.loads((tmp_path / "s.json").read_text())["layers"] == []
    assert_refused(Tools.call([*arguments, "--stats-plot", tmp_path / "p.png"]), "--stats-plot", "no memories")


# --------------------------------------------------------------------------------------------------------
# The picture
# --------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def plot(tools):
    path = os.path.join(os.path.dirname(tools.run), "infini-stats-plot")
    if subprocess.run(["/usr/bin/python3", "-c", "import matplotlib"], capture_output=True).returncode:
        pytest.skip("python3-matplotlib is not installed")
    return path


def picture(path):
    """Width, height, and the share of pixels that are not white."""
    raw = path.read_bytes()
    assert raw[:8] == b"\x89PNG\r\n\x1a\n"
    code = ("import matplotlib.image, sys; p = matplotlib.image.imread(sys.argv[1]); "
            "print(p.shape[1], p.shape[0], (p[..., :3] < 0.99).any(-1).mean())")
    width, height, used = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True,
                                         check=True).stdout.split()
    assert struct.unpack(">II", raw[16:24]) == (int(width), int(height))
    return int(width), int(height), float(used)


def made_up(layers, heads=4, samples=5):
    """Statistics as infini-run writes them, of any number of layers."""
    tokens = [128 * (i + 1) for i in range(samples)]

    def memory(layer, head):
        series = {"z_norm": [t * (head + 1.0) for t in tokens], "z_sum": [2.0 * t for t in tokens],
                  "effective_rank": [3.0 + layer % 5 + head] * samples}
        return {"key_value_head": head, **{name: values[-1] for name, values in series.items()}, "z_growth": 1.0,
                "series": series}

    return {"tokens": tokens[-1], "segment_length": 128, "segments": samples, "pending_tokens": 0, "run": {},
            "series_tokens": tokens,
            "layers": [{"layer": i, "full_rank": 32,
                        "heads": [{"head": h, "key_value_head": h, "gate": h / heads, "gate_min": h / heads,
                                   "gate_max": h / heads} for h in range(heads)],
                        "memories": [memory(i, h) for h in range(heads)]} for i in range(layers)]}


def test_plot_of_a_run(plot, tools, tmp_path):
    package = tools.build(PASSKEY, tmp_path / "p.infini")
    tools.good([tools.run, package, "--weights", PASSKEY, "--prompt-file", os.path.join(PASSKEY, "sample.txt"),
                "--stats-plot", tmp_path / "p.png"])
    width, height, used = picture(tmp_path / "p.png")
    assert width >= 1200 and height >= 700 and 0.05 < used < 0.95
    assert sorted(os.listdir(tmp_path)) == ["p.infini", "p.png"]


@pytest.mark.parametrize("layers, heads, samples", [(1, 1, 1), (2, 4, 5), (12, 8, 64), (80, 64, 3)])
def test_plot_of_many(plot, tmp_path, layers, heads, samples):
    stats = made_up(layers, heads, samples)
    # What is not a number is left out.
    stats["layers"][0]["memories"][0]["series"]["effective_rank"][0] = None
    (tmp_path / "s.json").write_text(json.dumps(stats))
    done = Tools.call([plot, tmp_path / "s.json", tmp_path / "p.png"])
    assert done.returncode == 0 and not done.stderr, done.stderr
    width, height, used = picture(tmp_path / "p.png")
    assert width >= 1200 and height >= 700 and used > 0.05


@pytest.mark.parametrize("ending", ["svg", "pdf"])
def test_plot_as(plot, tmp_path, ending):
    (tmp_path / "s.json").write_text(json.dumps(made_up(2)))
    assert Tools.call([plot, tmp_path / "s.json", tmp_path / f"p.{ending}"]).returncode == 0
    assert (tmp_path / f"p.{ending}").read_bytes()[:5] == {"svg": b"<?xml", "pdf": b"%PDF-"}[ending]


def test_plot_refused(plot, tools, tmp_path):
    """Before the text is read: what cannot be drawn, or where it cannot lie."""
    np.save(tmp_path / "ids.npy", TOKENS)
    oracle.make_model(tmp_path / "model", **MODELS["heads"])
    package = tools.build(tmp_path / "model", tmp_path / "p.infini")
    arguments = [tools.run, package, "--weights", tmp_path / "model", "--tokens", f"@{tmp_path / 'ids.npy'}"]
    assert_refused(Tools.call([*arguments, "--stats-plot", tmp_path / "p.gif"]), "--stats-plot", ".png", "p.gif")
    assert_refused(Tools.call([*arguments, "--stats-plot", tmp_path / "none" / "p.png"]), "--stats-plot", "none")
    # A Python without matplotlib.
    (tmp_path / "matplotlib.py").write_text("raise ImportError('no such thing')\n")
    without = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = Tools.call([*arguments, "--stats-plot", tmp_path / "p.png"], env=without)
    assert_refused(done, "--stats-plot", "python3-matplotlib", "tools/setup.sh", "no such thing")
    assert not done.stdout
    assert "next token" in tools.good([*arguments, "--stats-json", tmp_path / "s.json"], env=without).stdout
    assert not (tmp_path / "p.png").exists()
    for content in ("", "{}", "[]", '{"layers": []}', "not json"):
        (tmp_path / "s.json").write_text(content)
        done = Tools.call([plot, tmp_path / "s.json", tmp_path / "p.png"])
        assert_refused(done, "s.json")
    assert_refused(Tools.call([plot, tmp_path / "none.json", tmp_path / "p.png"]), "none.json")
    assert_refused(Tools.call([plot]), "--help")
    assert "stats.json" in Tools.call([plot, "--help"]).stdout


# --------------------------------------------------------------------------------------------------------
# The trace
# --------------------------------------------------------------------------------------------------------

COMMANDS = ("dispatch", "gemm", "copy", "fill")


def read_trace(path):
    """The events of a trace, all complete, named threads, nested on each."""
    events = json.loads(path.read_text())["traceEvents"]
    done = [event for event in events if event["ph"] == "X"]
    names = {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}
    assert all(event["ph"] in "XM" for event in events)
    for event in done:
        assert event["pid"] == 1 and event["tid"] in names and event["ts"] >= 0 and event["dur"] >= 0, event
    for thread in names:
        ends = []
        for event in sorted((e for e in done if e["tid"] == thread), key=lambda e: (e["ts"], -e["dur"])):
            while ends and ends[-1] <= event["ts"]:
                ends.pop()
            end = event["ts"] + event["dur"]
            # Nanoseconds are written.
            assert not ends or end <= ends[-1] + 0.0015, f"{event} lies across another event's end"
            ends.append(end)
    return done


def kernels_of(tools, folder):
    """Entry to the kernels that its program dispatches, outside of loops and all."""
    found, entry = {}, None
    for line in tools.emit(folder, "program").splitlines():
        if match := re.match(r"  func\.func (?:public )?@([\w.]+)\(", line):
            entry = match.group(1)
        elif re.match(r"  module @", line):
            # A kernel, behind the entries.
            entry = None
        if entry and (match := re.match(r"( +).*program\.dispatch @([\w.]+)", line)):
            always, all_of_them = found.setdefault(entry, ([], set()))
            all_of_them.add(match.group(2))
            # Not inside a loop.
            if len(match.group(1)) == 4:
                always.append(match.group(2))
    return found


def assert_complete(events, program):
    """Every command of every step is there, in order, and none that the program does not have."""
    for step in (event for event in events if event["cat"] == "step"):
        inside = [event for event in events if event["cat"] in COMMANDS and
                  (event["args"]["entry"], event["args"]["step"]) == (step["name"], step["args"]["step"])]
        for event in inside:
            assert step["ts"] <= event["ts"] and event["ts"] + event["dur"] <= step["ts"] + step["dur"] + 0.0015, event
        ran = [event for event in sorted(inside, key=lambda e: e["ts"]) if event["cat"] == "dispatch"]
        assert all(len(event["args"]["blocks"]) == 3 for event in ran)
        always, known = program[step["name"]]
        assert {event["name"] for event in ran} <= known
        # With those in loops between.
        rest = iter([event["name"] for event in ran])
        assert all(any(name == kernel for name in rest) for kernel in always), (step, always)
    assert program["step"][1] == {e["name"] for e in events if e["cat"] == "dispatch" and e["args"]["entry"] == "step"}


def test_trace(model, tmp_path):
    tools, weights, _ = model
    run(model, tmp_path, "--tokens-per-call", "40", "--trace", tmp_path / "t.json")
    events = read_trace(tmp_path / "t.json")
    program = kernels_of(tools, weights)
    # 83 tokens in calls of 40; and what depends on weights alone, before.
    assert sorted((e["name"], e["args"]["step"]) for e in events if e["cat"] == "step") == \
        sorted([("step", 0), ("step", 1), ("step", 2)] + [("step.init", 0)] * ("step.init" in program))
    assert_complete(events, program)
    transfers = [event["name"] for event in events if event["cat"] in ("upload", "download")]
    assert transfers == ([] if tools.device is None else ["tokens", "logits"] * 3)
    # Without the last of a kernel, or with one of another program, it is not complete.
    last = max((e for e in events if e["name"] == program["step"][0][-1]), key=lambda e: e["ts"])
    for wrong in ([e for e in events if e is not last],
                  [{**e, "name": "another"} if e is last else e for e in events],
                  [{**e, "args": {**e["args"], "step": 0}} if e is last else e for e in events]):
        with pytest.raises(AssertionError):
            assert_complete(wrong, program)


def test_trace_of_a_function(tools, tmp_path):
    path = os.path.join(os.path.dirname(PASSKEY), "ops", "infini.mlir")
    x = np.ones((1, 2, 40, 8), np.float32)
    beta = np.zeros(2, np.float32)
    tools.op(path, "infini_attention_delta", [x, x, x, beta], 3, tmp_path, "--trace", tmp_path / "t.json", "--repeat",
             "2")
    events = read_trace(tmp_path / "t.json")
    steps = sorted(e["args"]["step"] for e in events if e["cat"] == "step" and e["name"] == "infini_attention_delta")
    assert steps == [0, 1, 2]
    kernels = [{e["name"] for e in events if e["cat"] == "dispatch" and e["args"]["step"] == step and
                e["args"]["entry"] == "infini_attention_delta"} for step in steps]
    assert kernels[0] and kernels[0] == kernels[1] == kernels[2]
