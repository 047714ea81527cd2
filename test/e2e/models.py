# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random models, compiled, and their logits and states against the oracle's."""
import numpy as np

import infini_numpy as oracle
from harness import assert_close, assert_same_bits, bound, lead_off, numbers

# Bounds on logits of models that compute in 16 bits: three times, and twice, the error of an honest program.
LOGITS = {"float16": 1.5e-3, "bfloat16": 1e-2}


class Built:
    """A random model: its folder, its package, its reference."""

    def __init__(self, tools, folder, *options, **config):
        self.tools, self.folder, self.scratch = tools, folder / "model", folder
        self.model = oracle.make_model(self.folder, **config)
        self.package = tools.build(self.folder, folder / "model.infini", *options)
        self.N = self.model.segment
        self.references = {}

    def tokens(self, count, seed=0):
        return np.random.default_rng(seed).integers(0, self.model.vocab, count)

    def run(self, tokens, *options, state=False):
        return self.tools.model(self.package, self.folder, tokens, self.scratch, *options, state=state)

    def reference(self, tokens, kind, memory_states):
        """(logits, states) of the oracle and of the naive program in `kind`; computed once."""
        key = tokens.tobytes(), kind, memory_states
        if key not in self.references:
            storage = None if kind == "float32" else kind
            self.references[key] = (*oracle.forward(self.model, tokens),
                                    *oracle.forward(self.model, tokens, np.float32, storage,
                                                    memory_states=memory_states))
        return self.references[key]


def close_states(found, model, states, limits, what):
    """`fill`, M and z, and the first `fill` rows of K and V; limits(layer, name) is the bound.

    K and V are [N, G, d], tokens first, and say nothing behind `fill`; the oracle's are [G, fill, d].
    """
    for state in states:
        assert_same_bits(found["fill"], np.array(state["fill"], np.int64), f"{what}: fill")
    for i, state in enumerate(states):
        for name in ("M", "z", "K", "V"):
            key = f"layers.{i}.{name}"
            assert key in found, f"{what}: no {key} among {sorted(found)}"
            array = found[key]
            if name in "Mz":
                array = lead_off(array, state[name].ndim, key)
                assert array.dtype == np.float32, f"{what}: {key} is {array.dtype}"
            else:
                groups, _, size = state[name].shape
                assert array.shape == (model.segment, groups, size), f"{what}: {key} is {array.shape}"
                array = numbers(array)[:state["fill"]].swapaxes(0, 1)
            assert_close(array, state[name], limits(i, name), f"{what}: {key}")


def check(built, tokens, *options, kind="float32", memory_states=None):
    """Logits and states of one run; `memory_states`: how the naive program gets its memories."""
    ref, states, naive, naive_states = built.reference(tokens, kind, memory_states)
    logits, found = built.run(tokens, *options, state=True)
    what = f"T={len(tokens)}"
    assert logits.dtype == np.float32
    assert_close(logits, ref, LOGITS.get(kind) or bound(ref, naive), what)
    close_states(found, built.model, states,
                 lambda i, name: bound(states[i][name], naive_states[i][name], kind), what)
    return logits, found
