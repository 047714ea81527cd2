# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernels of the simulator of an NVIDIA GPU have no race under any order of blocks and lanes; and kernels with a mistake
in them are caught, each by the simulator or by the comparison with the oracle."""
import numpy as np
import pytest

import infini_numpy as oracle
from functions import Function
from harness import SIM, Tools, assert_same_bits
from lanes import Lanes
from models import Built, check
from single_ops import OPS, Product, Sizes


@pytest.fixture(scope="session")
def tools():
    return Tools.find().on(SIM)


# --------------------------------------------------------------------------------------------------------
# Races
# --------------------------------------------------------------------------------------------------------

class OneOp:
    def __init__(self, name, count, sizes):
        self.op, self.sizes, self.count = OPS[name], sizes, count

    def build(self, tools, folder):
        (folder / "op.mlir").write_text(self.sizes.text(self.op))
        return tools.build(folder / "op.mlir", folder / "op.infini")

    def run(self, tools, package, folder):
        return self.sizes.run(tools, package, self.op, self.sizes.arrays(self.op, self.count), folder)

    def check(self, out):
        self.sizes.check(out, self.op, self.sizes.arrays(self.op, self.count), "")


class OneFunction:
    def __init__(self, schedule, count, **choices):
        self.schedule, self.count, self.function = schedule, count, Function(**choices)

    def build(self, tools, folder):
        (folder / "f.mlir").write_text(self.function.text())
        return tools.build(folder / "f.mlir", folder / "f.infini", f"--schedule={self.schedule}")

    def run(self, tools, package, folder):
        return self.function.run(tools, package, self.function.inputs(self.count), folder)

    def check(self, out):
        self.function.check(out, self.function.inputs(self.count), oracle.memory_scan if self.schedule == "scan" else None)


class OneProduct:
    def __init__(self, rows, *sizes):
        self.rows, self.product = rows, Product(*sizes)

    def build(self, tools, folder):
        (folder / "f.mlir").write_text(self.product.text())
        return tools.build(folder / "f.mlir", folder / "f.infini")

    def run(self, tools, package, folder):
        return [self.product.run(tools, package, self.product.arrays(self.rows), folder)]

    def check(self, out):
        self.product.check(out[0], self.product.arrays(self.rows))


class OneModel:
    def __init__(self, count, **config):
        self.count, self.config = count, config

    def build(self, tools, folder):
        self.built = Built(tools, folder, **self.config)
        return self.built.package

    def run(self, tools, package, folder):
        logits, states = tools.model(package, self.built.folder, self.built.tokens(self.count), folder, state=True)
        return [logits, *(states[name] for name in sorted(states))]

    def check(self, out):
        check(self.built, self.built.tokens(self.count), kind=self.config.get("torch_dtype", "float32"))


KERNELS = {
    # Attention: f32 and 16 bits, masked and not, with a ragged tail.
    "attention": OneOp("attention_causal", 150, Sizes(H=2, G=1, d=32, dv=32)),
    "attention_bf16": OneOp("attention_full", 150, Sizes("bf16", H=2, G=1, d=64, dv=64)),
    "attention_window_f16": OneOp("attention_window", 70, Sizes("f16", d=48, dv=80)),
    # Retrieval and gate in attention's kernel, and each update rule, on each schedule.
    "delta": OneFunction("sequential", 110, d=48, dv=32, N=40, gate="head_channel", initial=True),
    "delta_bf16": OneFunction("streaming", 110, type="bf16", H=2, G=2, d=64, dv=64, N=32, gate="data"),
    "corrected": OneFunction("scan", 120, d=16, dv=24, N=8, update="delta_corrected", first_segment="local_only"),
    "linear_f16": OneFunction("scan", 200, type="f16", d=32, dv=16, N=13, update="linear"),
    "affine_scan": OneOp("affine_scan", 40, Sizes(G=2, d=16, dv=16)),
    # Dense products, with tensor cores and without.
    "product_bf16": OneProduct(150, "bf16", "bf16", 200, 104),
    "product": OneProduct(70, "f32", "f32", 72, 40),
    # Embedding, RMSNorm, SwiGLU, and all else of a model.
    "model": OneModel(53, seed=1, heads=4, groups=2, head_dim=16, segment=16, layers=1),
    "model_bf16": OneModel(70, seed=2, heads=3, groups=1, head_dim=48, segment=32, update="delta_corrected",
                           first_segment="local_only", kind="BF16", torch_dtype="bfloat16", layers=1),
}


@pytest.mark.parametrize("name", KERNELS)
def test_no_races(tools, tmp_path, long, name):
    """Sixteen orders with --long; races in shared memory and in global memory are looked for, and no bit may change."""
    kernel = KERNELS[name]
    package = kernel.build(tools, tmp_path)
    first = kernel.run(tools, package, tmp_path)
    kernel.check(first)
    for seed in range(16) if long else (3, 11):
        for a, b in zip(kernel.run(tools.watched(seed), package, tmp_path), first):
            assert_same_bits(a, b, f"{name}, seed {seed}")


# --------------------------------------------------------------------------------------------------------
# Mistakes
# --------------------------------------------------------------------------------------------------------

class Victim:
    """A function of one kernel, and what it is run on: arrays, and which part of each result is compared.

    In a poisoned run the last group's arrays (of a product: every second row, and a column) are NaN: what belongs to
    others may not notice. Without them a mask that is missing would read finite numbers and multiply them by 0. In a
    steep run of attention scores grow with a key's place, in a deep one all of them are far below 0: a key that is not
    seen, or not there, would have the largest by far.
    """

    def runs(self):
        """Arrays, the parts to compare, and what is added to the bounds."""
        for count in self.counts:
            arrays = self.arrays(count)
            yield arrays, [np.s_[:]] * self.results, 0.0
            yield *self.poisoned([x.copy() for x in arrays]), 0.0
            if self.name.startswith("memory"):  # nothing stored: quotients of 0 and 0
                yield arrays[:2] + [0 * x for x in arrays[2:]], [np.s_[:]] * self.results, 0.0
            if self.name.startswith("attention"):
                for q, k in (self.steep(*arrays[:2]), self.deep(*arrays[:2])):
                    scores = np.abs(q).max() * np.abs(k).max() * np.sqrt(self.sizes.d)
                    yield [self.sizes.rounded(q, "q"), self.sizes.rounded(k, "k"), arrays[2]], [np.s_[:]], (
                        scores * 2.0 ** -23)

    @staticmethod
    def steep(q, k):
        return q, k * np.linspace(1, 200, k.shape[2])[None, None, :, None]

    @staticmethod
    def deep(q, k):
        return np.abs(q) + 1, -40 - np.abs(k)

    def verdict(self, tools, package, folder, seeds=(0, 1)):
        """Why a package is wrong, or None: what the simulator says, or where the result differs from the oracle's."""
        for seed in seeds:
            for arrays, parts, more in self.runs():
                try:
                    out = self.run(tools.watched(seed), package, arrays, folder)
                except AssertionError as failure:
                    assert str(failure).startswith("exit status 70: "), failure
                    return str(failure).splitlines()[-1]
                try:
                    self.compare(out, arrays, parts, more)
                except AssertionError as failure:
                    return str(failure).splitlines()[0]
        return None


class VictimOp(Victim):
    def __init__(self, name, counts, sizes):
        self.name, self.op, self.sizes, self.counts = name, OPS[name], sizes, counts
        self.results = len(self.op.results.split())

    def text(self):
        return self.sizes.text(self.op)

    def arrays(self, count):
        return self.sizes.arrays(self.op, count)

    def poisoned(self, arrays):
        for x in arrays:
            x[:, -(x.shape[1] // self.sizes.G):] = np.nan
        return arrays, [np.s_[:, :-(self.sizes.H // self.sizes.G if name == "o" else 1)]
                        for name in self.op.results.split()]

    def run(self, tools, package, arrays, folder):
        return self.sizes.run(tools, package, self.op, arrays, folder)

    def compare(self, out, arrays, parts, more):
        self.sizes.check(out, self.op, arrays, "", parts, more)


class VictimProduct(Victim):
    name, results = "product", 1

    def __init__(self, counts, *sizes):
        self.product, self.counts = Product(*sizes), counts

    def text(self):
        return self.product.text()

    def arrays(self, count):
        return self.product.arrays(count)

    def poisoned(self, arrays):
        arrays[0][1::2], arrays[1][:, 3] = np.nan, np.nan
        return arrays, [np.s_[::2, np.arange(self.product.n) != 3]]

    def run(self, tools, package, arrays, folder):
        return [self.product.run(tools, package, arrays, folder)]

    def compare(self, out, arrays, parts, more):
        self.product.check(out[0], arrays, "", parts[0])


VICTIMS = {
    "product_bf16": VictimProduct((150,), "bf16", "f32", 200, 104),
    "attention": VictimOp("attention_causal", (70, 127), Sizes(H=2, G=2, d=32, dv=32)),
    "attention_full": VictimOp("attention_full", (33, 63), Sizes(H=2, G=2, d=32, dv=32)),
    "attention_bf16": VictimOp("attention_causal", (70, 255), Sizes("bf16", H=2, G=2, d=32, dv=32)),
    "attention_full_bf16": VictimOp("attention_full", (65, 255), Sizes("bf16", H=2, G=2, d=32, dv=32)),
    "update": VictimOp("memory_update_delta", (70, 127), Sizes(H=2, G=2, d=32, dv=24)),
}
# The share of the places that must be caught, where it is not all of them. Some predicates guard what nobody reads, such
# as columns behind the last. In causal attention no key behind the last is seen either way, so one of two masks does
# nothing; and one barrier, which lets the last blocks begin to load, stands between accesses to different halves of a
# buffer, whatever the number of blocks: in full attention it does not.
SHARES = {**{(victim, "predicates"): 0.5 for victim in VICTIMS},
          **{(victim, kind): share for victim in ("attention", "attention_bf16")
             for kind, share in (("masks", 0.5), ("barriers", 0.75))}}


# The short set leaves these out.
LONG = ("attention_full", "attention_bf16")


@pytest.fixture(scope="module", params=[pytest.param(name, marks=pytest.mark.long if name in LONG else ())
                                        for name in VICTIMS])
def victim(request, tools, tmp_path_factory):
    """(name, victim, folder, the code of its lanes)."""
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "f.mlir").write_text(VICTIMS[request.param].text())
    lanes = tools.emit(folder / "f.mlir", "lanes")
    assert lanes.count("program.kernel") == 1
    return request.param, VICTIMS[request.param], folder, Lanes(lanes)


def verdict(victim, folder, tools, text, seeds):
    (folder / "lanes.mlir").write_text(text)
    package = tools.build(folder / "lanes.mlir", folder / "lanes.infini", "--from=lanes")
    return victim.verdict(tools, package, folder, seeds)


def test_no_mistake(victim, tools):
    """What is written and read back is right under each order: what is caught below are the mistakes."""
    name, victim, folder, lanes = victim
    assert verdict(victim, folder, tools, "\n".join(lanes.lines) + "\n", range(4)) is None


def test_the_kinds_of_mistakes(victim):
    """There is something to get wrong: copies and barriers everywhere, fragments where tensor cores are used."""
    name, _, _, lanes = victim
    for kind in ("waits", "barriers", "swizzles", "predicates", "shuffles"):
        assert getattr(lanes, kind)(), kind
    assert bool(lanes.fragments()) == bool(lanes.transposes()) == name.endswith("bf16")


@pytest.mark.parametrize("kind", Lanes.KINDS)
def test_mistakes(victim, tools, long, kind):
    """With --long at forty places a kind, else at two."""
    name, victim, folder, lanes = victim
    mutants, share = getattr(lanes, kind)(), SHARES.get((name, kind), 1.0)
    count = 40 if long else 6 if share < 1 else 2
    if share < 1 and not long and name != "attention":
        pytest.skip("needs --long")
    if not mutants:
        pytest.skip("this kernel has no such place")
    mutants = [mutants[i] for i in sorted({int(i) for i in np.linspace(0, len(mutants) - 1, count)})]
    survivors = [mutant for mutant in mutants if verdict(victim, folder, tools, mutant.text, (0, 1)) is None]
    caught = len(mutants) - len(survivors)
    assert caught >= share * len(mutants), "\n".join([f"{caught} of {len(mutants)} are caught", *map(str, survivors)])
