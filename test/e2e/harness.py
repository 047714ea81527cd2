# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the end-to-end tests share: running the tools, and comparing tensors.

The command lines of the tools are spelled in `Tools` only.
"""
import copy
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import infini_numpy as oracle

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PASSKEY = os.path.join(ROOT, "examples", "passkey")
# The simulator of an NVIDIA GPU.
SIM = "sim:sm_80"

# Least bounds on ||out - ref|| / ||ref||; above them, three times the error of the naive program counts.
FLOOR = {"float64": 1e-12, "float32": 2e-6, "float16": 4e-4, "bfloat16": 3e-3}
# A token's error may be this many times the bound on the whole tensor.
ROW_FACTOR = 10


# --------------------------------------------------------------------------------------------------------
# Comparing
# --------------------------------------------------------------------------------------------------------

def relative_error(out, ref):
    """||out - ref|| / ||ref||; ||out|| where ref is 0; NaN or inf where a value is not finite."""
    out, ref = np.asarray(out, np.float64), np.asarray(ref, np.float64)
    size = np.linalg.norm(ref)
    return float(np.linalg.norm(out - ref) / (size if size else 1.0))


def bound(ref, naive, kind="float32", factor=3.0):
    """The bound for a program that computes in `kind`: factor x the naive program's error, at least FLOOR."""
    return max(FLOOR[kind], factor * relative_error(naive, ref))


def assert_close(out, ref, limit, what="output"):
    """Same shape, all finite, relative error <= limit; and each row (last axis) <= ROW_FACTOR x limit.

    A row's error is relative to the root mean square of the rows' norms, so rows near 0 do no harm.
    """
    out, ref = np.asarray(out), np.asarray(ref, np.float64)
    assert out.shape == ref.shape, f"{what}: shape {out.shape}, expected {ref.shape}"
    if not ref.size:
        return
    assert np.isfinite(ref).all(), f"{what}: the reference is not finite"
    assert np.isfinite(out).all(), f"{what}: {np.count_nonzero(~np.isfinite(out))} values are not finite"
    error = relative_error(out, ref)
    assert error <= limit, f"{what}: relative error {error:.3g}, bound {limit:.3g}"
    if ref.ndim > 1:
        rows = np.linalg.norm((out - ref).reshape(-1, ref.shape[-1]), axis=1)
        scale = np.linalg.norm(ref) / np.sqrt(len(rows)) or 1.0
        worst = int(rows.argmax())
        assert rows[worst] <= ROW_FACTOR * limit * scale, (
            f"{what}: row {worst} of {len(rows)} has error {rows[worst] / scale:.3g}, bound {ROW_FACTOR * limit:.3g}")


def assert_same_bits(a, b, what="output"):
    a, b = np.asarray(a), np.asarray(b)
    assert a.dtype == b.dtype and a.shape == b.shape, f"{what}: {a.dtype}{a.shape} and {b.dtype}{b.shape}"
    assert a.tobytes() == b.tobytes(), f"{what}: {np.count_nonzero(a != b)} of {a.size} values differ"


def numbers(array):
    """bf16 comes as 16-bit unsigned integers."""
    return oracle.from_bfloat16_bits(array) if array.dtype == np.uint16 else array


def lead_off(array, rank, what="state"):
    """Leading axes of size 1 taken off until the rank is `rank`."""
    while array.ndim > rank:
        assert array.shape[0] == 1, f"{what}: shape {array.shape}, expected rank {rank}"
        array = array[0]
    assert array.ndim == rank, f"{what}: shape {array.shape}, expected rank {rank}"
    return array


# --------------------------------------------------------------------------------------------------------
# The tools
# --------------------------------------------------------------------------------------------------------

class Tools:
    """The binaries of one build folder, and their command lines.

    Packages are for `targets`, and run on `device`. The defaults are this machine, and nothing is said of them.
    """

    def __init__(self, folder):
        self.compile, self.run = (os.path.join(folder, name) for name in ("infini-compile", "infini-run"))
        self.help = {}
        self.targets, self.device, self.environment = (), None, None

    @staticmethod
    def find():
        folder = os.path.abspath(os.environ.get("INFINI_BIN", os.path.join(ROOT, "build", "bin")))
        tools = Tools(folder)
        for path in (tools.compile, tools.run):
            if not os.access(path, os.X_OK):
                pytest.skip(f"{os.path.basename(path)} is not in {folder} (set INFINI_BIN)")
        return tools

    def on(self, device, *targets):
        """The same binaries for another device: for one target, its own, or for several."""
        other = copy.copy(self)
        other.device, other.targets = device, targets or (device,)
        return other

    def watched(self, seed):
        """A simulator looks for races in global memory too, and takes blocks and lanes in the seed's order."""
        other = copy.copy(self)
        other.environment = {**os.environ, "INFINI_SIM_SEED": str(seed), "INFINI_SIM_GLOBAL_RACES": "1"}
        return other

    @staticmethod
    def call(arguments, timeout=600, **kwargs):
        """Runs to the end, and returns the CompletedProcess with text output."""
        return subprocess.run([str(a) for a in arguments], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, errors="replace", timeout=timeout, **kwargs)

    def good(self, arguments, **kwargs):
        done = self.call(arguments, **{"env": self.environment, **kwargs})
        assert done.returncode == 0, (f"exit status {done.returncode}: {' '.join(map(str, arguments))}\n"
                                      f"{done.stderr[-4000:]}")
        return done

    def needs(self, tool, *texts):
        """Skips the test unless all texts (options, values of options) stand in the tool's --help."""
        if tool not in self.help:
            self.help[tool] = self.good([tool, "--help"]).stdout
        for text in texts:
            if not re.search(rf"(?<![\w-]){re.escape(text)}(?![\w-])", self.help[tool]):
                pytest.skip(f"{os.path.basename(tool)} has no {text} yet")

    def build(self, source, package, *options):
        """Model folder or .mlir to a package; returns its path."""
        self.good([self.compile, source, "-o", package, *self.target_options(), *options])
        return package

    def build_unless(self, refused, source, package, *options):
        """Builds; if `refused` is a message, the test is expected to end here with it, and fails if it does not."""
        if not refused:
            return self.build(source, package, *options)
        done = self.call([self.compile, source, "-o", package, *self.target_options(), *options])
        assert done.returncode, f"compiles now, but was expected to be refused: {refused}"
        assert refused in done.stderr, f"refused for another reason than {refused}:\n{done.stderr[-3000:]}"
        pytest.xfail(refused)

    def emit(self, source, stage, *options):
        """The text of a stage."""
        return self.good([self.compile, source, f"--emit={stage}", *self.target_options(), *options]).stdout

    def target_options(self):
        return [f"--target={target}" for target in self.targets]

    def device_options(self):
        return ["--device", self.device] if self.device else []

    def op(self, file, entry, inputs, outputs, scratch, *options):
        """Runs an entry of an .mlir file or package: arrays in, `outputs` arrays out."""
        arguments = [self.run, file, "--entry", entry, *self.device_options(), *options]
        for i, array in enumerate(inputs):
            path = os.path.join(scratch, f"in{i}.npy")
            np.save(path, array)
            arguments += ["--input", f"@{path}"]
        paths = [os.path.join(scratch, f"out{i}.npy") for i in range(outputs)]
        for path in paths:
            if os.path.exists(path):
                os.remove(path)
            arguments += ["--output", f"@{path}"]
        self.good(arguments)
        return [np.load(path) for path in paths]

    def model(self, package, weights, tokens, scratch, *options, state=False):
        """Tokens [T] through a package (or a model folder, with package None) to logits [T, V].

        With `state` also the dumped states: name to array.
        """
        ids, logits = os.path.join(scratch, "ids.npy"), os.path.join(scratch, "logits.npy")
        np.save(ids, np.asarray(tokens, np.int64))
        if os.path.exists(logits):
            os.remove(logits)
        what = [weights] if package is None else [package, "--weights", weights]
        arguments = [self.run, *what, "--tokens", f"@{ids}", "--logits-out", f"@{logits}", *self.device_options(),
                     *options]
        if not state:
            self.good(arguments)
            return np.load(logits)
        folder = os.path.join(scratch, "state")
        os.makedirs(folder, exist_ok=True)
        for name in os.listdir(folder):
            os.remove(os.path.join(folder, name))
        self.good(arguments + ["--dump-state", folder])
        return np.load(logits), {name[:-4]: np.load(os.path.join(folder, name))
                                 for name in os.listdir(folder) if name.endswith(".npy")}


CRASH = re.compile(r"Traceback|Assertion|LLVM ERROR|Stack dump|UNREACHABLE|terminate called|Sanitizer|core dumped"
                   r"|PLEASE submit a bug")


def assert_refused(done, *keywords):
    """Exit status 1, one error message, all keywords (a tuple: one of them) in it, and no sign of a crash."""
    text = done.stderr
    assert done.returncode == 1, f"exit status {done.returncode}, expected 1: {done.args}\n{text[-3000:]}"
    assert not CRASH.search(text), text[-3000:]
    errors = [line for line in text.splitlines() if re.search(r"\berror\b\s*:", line, re.I)]
    assert len(errors) == 1, f"{len(errors)} error messages, expected 1:\n{text[-3000:]}"
    for keyword in keywords:
        choices = keyword if isinstance(keyword, tuple) else (keyword,)
        assert any(c.lower() in text.lower() for c in choices), f"{choices} is not in:\n{text[-3000:]}"


# --------------------------------------------------------------------------------------------------------
# Peak memory
# --------------------------------------------------------------------------------------------------------

# A process inherits its parent's peak over exec, so a launcher without numpy stands between.
LAUNCHER = """
import os, sys, time
start = time.time()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print("\\n@peak", usage.ru_maxrss, time.time() - start, os.waitstatus_to_exitcode(status))
"""


def peak_memory(arguments, timeout=600):
    """Runs a command; returns (peak resident KiB, seconds). Peaks below the launcher's 10 MiB read as that."""
    done = Tools.call([sys.executable, "-S", "-E", "-c", LAUNCHER, *arguments], timeout)
    peak, seconds, status = done.stdout.rsplit("@peak", 1)[1].split()
    assert status == "0", f"exit status {status}: {arguments}\n{done.stderr[-3000:]}"
    return int(peak), float(seconds)


# --------------------------------------------------------------------------------------------------------
# Random configurations
# --------------------------------------------------------------------------------------------------------

def draws(short, long):
    """Marks a test that takes `drawn`: how many seeds it gets in the short and the long set."""
    def mark(function):
        function.draws = (short, long)
        return function
    return mark


def draw_model(seed):
    """Keyword arguments of oracle.make_model."""
    rng = np.random.default_rng(seed)
    groups = int(rng.choice([1, 1, 2, 3]))
    heads = groups * int(rng.choice([1, 2, 3]))
    head_dim = int(rng.choice([8, 16, 32, 48, 64, 80, 128]))
    return dict(
        seed=seed, heads=heads, groups=groups, head_dim=head_dim, layers=int(rng.choice([1, 2, 3])),
        hidden=int(rng.choice([32, 48, 64, 100])), ffn=int(rng.choice([40, 112, 176])),
        vocab=int(rng.choice([17, 96, 256, 300])), segment=int(rng.choice([1, 2, 5, 8, 16, 31, 32, 64])),
        update=str(rng.choice(oracle.UPDATES)), first_segment=str(rng.choice(oracle.FIRST_SEGMENTS)),
        gate=str(rng.choice(["head", "head_channel"])), eps=float(rng.choice([1e-5, 1e-6])),
        rope_theta=float(rng.choice([10000.0, 500000.0])), tied=bool(rng.random() < 0.3),
        rope_factor=[None, 2.0, 8.0][rng.integers(3)], kind=str(rng.choice(["F32", "F16", "BF16"])),
        shards=int(rng.choice([1, 1, 2, 4])))


def edge_lengths(N):
    """1, N-1, N, N+1, 3N, 9N+1, without repeats."""
    return sorted({t for t in (1, N - 1, N, N + 1, 3 * N, 9 * N + 1) if t > 0})
