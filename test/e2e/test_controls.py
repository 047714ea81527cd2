# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Negative controls: a comparison that cannot fail proves nothing. Needs no binaries."""
import numpy as np
import pytest

import infini_numpy as oracle
from functions import NAMES, Function
from harness import FLOOR, assert_close, assert_refused, assert_same_bits, bound, peak_memory

N, T = 8, 8 * 9 + 1
LOGITS = {"float32": 2e-6, "float16": 1.5e-3, "bfloat16": 1e-2}


@pytest.fixture(scope="module", params=["delta", "linear", "delta_corrected"])
def case(request, tmp_path_factory):
    """A random model and its reference; heads share memories, and all three segments kinds occur."""
    model = oracle.make_model(tmp_path_factory.mktemp("model"), 11, segment=N, update=request.param)
    tokens = np.random.default_rng(1).integers(0, model.vocab, T)
    return model, tokens, *oracle.forward(model, tokens)


def fails(out, ref, limit):
    with pytest.raises(AssertionError):
        assert_close(out, ref, limit)


def test_honest_programs_pass(case):
    model, tokens, ref, states = case
    for kind, limit in LOGITS.items():
        storage = None if kind == "float32" else kind
        logits, naive = oracle.forward(model, tokens, np.float32, storage)
        assert_close(logits, ref, limit, kind)
        for a, b in zip(naive, states):
            for name in ("M", "z", "K", "V"):
                assert_close(a[name], b[name], max(FLOOR[kind], limit), f"{kind} {name}")


@pytest.mark.parametrize("limit", LOGITS.values(), ids=LOGITS)
def test_one_element(case, limit):
    """One of 7,000 elements is off by twice the root mean square."""
    ref = case[2]
    for at in ((0, 0), (T // 2, 5), (T - 1, ref.shape[1] - 1)):
        out = ref.copy()
        out[at] += 2 * np.sqrt(np.mean(ref ** 2))
        fails(out, ref, limit)


def test_small_errors_in_float32(case):
    ref = case[2]
    out = ref.copy()
    out[T // 2, 5] += 1e-3
    fails(out, ref, LOGITS["float32"])
    fails(ref * (1 + 3e-6), ref, LOGITS["float32"])


@pytest.mark.parametrize("limit", LOGITS.values(), ids=LOGITS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite(case, limit, value):
    out = case[2].copy()
    out[3, 3] = value
    fails(out, case[2], limit)


def test_shape_and_zero():
    fails(np.zeros((2, 3)), np.zeros((3, 2)), 1.0)
    fails(np.zeros((2, 0)), np.zeros((0, 2)), 1.0)
    fails(np.full(3, 1e-3), np.zeros(3), 2e-6)
    assert_close(np.zeros(3), np.zeros(3), 2e-6)
    with pytest.raises(AssertionError):
        assert_same_bits(np.float32([0.0]), np.float32([-0.0]))
    with pytest.raises(AssertionError):
        assert_same_bits(np.float32([0.0]), np.float64([0.0]))


@pytest.mark.parametrize("limit", LOGITS.values(), ids=LOGITS)
def test_two_tokens_swapped(case, limit):
    model, tokens, ref, _ = case
    swapped = tokens.copy()
    i = next(i for i in range(10, T) if tokens[i] != tokens[i + 1])
    swapped[[i, i + 1]] = swapped[[i + 1, i]]
    fails(oracle.forward(model, swapped)[0], ref, limit)
    fails(ref[np.r_[:10, 11, 10, 12:T]], ref, limit)


def mutant(monkeypatch, case, limit, name, replacement):
    model, tokens, ref, states = case
    monkeypatch.setattr(oracle, name, replacement)
    logits, broken = oracle.forward(model, tokens)
    fails(logits, ref, limit)
    return broken, states


@pytest.mark.parametrize("limit", LOGITS.values(), ids=LOGITS)
class TestMutants:
    """The reference with one mistake in it must miss every bound."""

    def test_no_gate(self, monkeypatch, case, limit):
        mutant(monkeypatch, case, limit, "blend", lambda beta, memory, local: local)

    def test_gate_upside_down(self, monkeypatch, case, limit):
        right = oracle.blend
        mutant(monkeypatch, case, limit, "blend", lambda beta, memory, local: right(beta, local, memory))

    def test_wrong_group(self, monkeypatch, case, limit):
        """Query head h reads group h mod G."""
        mutant(monkeypatch, case, limit, "repeat_heads",
               lambda x, heads: np.concatenate([x] * (heads // x.shape[1]), axis=1))

    def test_late_update(self, monkeypatch, case, limit):
        """A segment reads the memory as it was one segment earlier."""
        right, pending = oracle.memory_retrieve, {}

        def late(sigma, M, z):
            if sigma.shape[1] != case[0].heads:  # the update's own retrieval is left alone
                return right(sigma, M, z)
            key = "of this layer" if z.any() else None
            before = pending.get("state") if key else None
            pending["state"] = (M.copy(), z.copy()) if key else None
            return right(sigma, *before) if before else np.zeros(sigma.shape[:-1] + M.shape[-1:])

        mutant(monkeypatch, case, limit, "memory_retrieve", late)

    def test_no_denominator_in_the_update(self, monkeypatch, case, limit):
        """The other rule: what delta subtracts is left out (or put in, for linear)."""
        right = oracle.memory_update
        other = "delta" if case[0].update == "linear" else "linear"
        broken, states = mutant(monkeypatch, case, limit, "memory_update",
                                lambda s, v, M, z, update: right(s, v, M, z, other))
        fails(broken[0]["M"], states[0]["M"], limit)

    def test_memory_sees_rope(self, monkeypatch, case, limit):
        right = oracle.elu_plus_one
        mutant(monkeypatch, case, limit, "elu_plus_one", lambda x: right(oracle.rope(x)))

    def test_interleaved_rope(self, monkeypatch, case, limit):
        def pairs(x, base=10000.0, factor=1.0, start=0):
            tokens, d = x.shape[-2:]
            angle = np.outer(np.arange(tokens), base ** (-2.0 * np.arange(d // 2) / d)) / factor
            out = np.empty_like(x)
            out[..., ::2] = x[..., ::2] * np.cos(angle) - x[..., 1::2] * np.sin(angle)
            out[..., 1::2] = x[..., 1::2] * np.cos(angle) + x[..., ::2] * np.sin(angle)
            return out
        mutant(monkeypatch, case, limit, "rope", pairs)

    def test_mask_off_by_one(self, monkeypatch, case, limit):
        def peeks(q, k, v, scale):
            scores = (q @ np.swapaxes(k, -1, -2)) * scale
            future = np.triu(np.ones(scores.shape[-2:], bool), 2)
            return oracle.softmax(np.where(future, -np.inf, scores)) @ v
        mutant(monkeypatch, case, limit, "causal_attention", peeks)

    def test_first_segment(self, monkeypatch, case, limit):
        model, tokens, ref, _ = case
        other = oracle.Model(model.config, model.weights)
        other.first_segment = "local_only"
        fails(oracle.forward(other, tokens)[0], ref, limit)

    def test_no_rope_scaling(self, monkeypatch, case, limit):
        model, tokens, ref, _ = case
        other = oracle.Model(model.config, model.weights)
        other.rope_factor = 2.0
        fails(oracle.forward(other, tokens)[0], ref, limit)


# --------------------------------------------------------------------------------------------------------
# Functions, as test_schedules.py and test_edges.py compare them
# --------------------------------------------------------------------------------------------------------

def streaming_attention(q, k, v, scale, block=5, rescale=True):
    """causal_attention a block of keys at a time: a running maximum and sum, and what is summed rescaled with them."""
    tokens = q.shape[2]
    top, total = np.full((*q.shape[:3], 1), -np.inf, q.dtype), np.zeros((*q.shape[:3], 1), q.dtype)
    out = np.zeros((*q.shape[:3], v.shape[3]), q.dtype)
    for begin in range(0, tokens, block):
        part = slice(begin, begin + block)
        scores = (q @ np.swapaxes(k[:, :, part], -1, -2)) * scale
        i, j = np.ogrid[:tokens, begin:min(begin + block, tokens)]
        scores = np.where(j <= i, scores, -np.inf).astype(q.dtype)
        new_top = np.maximum(top, scores.max(axis=-1, keepdims=True))
        share = np.exp(top - new_top) if rescale and begin else 1
        weights = np.exp(scores - new_top)
        total = total * share + weights.sum(axis=-1, keepdims=True)
        out, top = out * share + weights @ v[:, :, part], new_top
    return out / total


def steps_from_the_left(steps):
    """scan_doubling, one after the other."""
    done = []
    for step in steps:
        done.append(oracle.compose(step, done[-1]) if done else step)
    return done


def steps_in_chunks(steps, size=3):
    """scan_doubling of the chunks' steps, then one chunk after the other."""
    done = []
    for begin in range(0, len(steps), size):
        done += [oracle.compose(step, done[begin - 1]) if begin else step
                 for step in right_scan(steps[begin:begin + size])]
    return done


right_scan = oracle.scan_doubling


@pytest.fixture(scope="module", params=["f64", "f32", "f16", "bf16"])
def kind(request):
    return request.param


class FunctionCase:
    """A random function with every choice that a mistake could hide behind: shared heads, more than one batch entry,
    seven segments and a tail, a state that is not zero."""

    def __init__(self, kind, update, **choices):
        self.function = Function(type=kind, update=update,
                                 **{**dict(B=2, d=16, dv=24, N=8, initial=True, sparse=True), **choices})
        self.arrays = self.function.inputs(7 * 8 + 3)
        self.ref = self.function.reference(self.arrays)

    def limits(self, scan=False):
        return self.function.limits(self.ref, self.function.naive(self.arrays, oracle.memory_scan if scan else None))

    def run(self, honest=False, scan=False):
        """An honest program computes in the function's type; a broken one in f64, so that only its mistake is seen."""
        states = oracle.memory_scan if scan else None
        if honest and self.function.type != "f64":
            return self.function.naive(self.arrays, states)
        return self.function.reference(self.arrays, memory_states=states)

    def passes(self, monkeypatch, scan=False, **replacements):
        limits = self.limits(scan)
        with monkeypatch.context() as patch:
            for name, replacement in replacements.items():
                patch.setattr(oracle, name, replacement)
            out = self.run(True, scan)
        for name, a, b, limit in zip(NAMES, out, self.ref, limits):
            assert_close(a, b, limit, name)

    def misses(self, monkeypatch, names, scan=False, **replacements):
        """Each of the results in `names` misses the bound, those of both naive programs."""
        limits = np.maximum(self.limits(), self.limits(True))
        with monkeypatch.context() as patch:
            for name, replacement in replacements.items():
                patch.setattr(oracle, name, replacement)
            out = self.run(False, scan)
        for name, a, b, limit in zip(NAMES, out, self.ref, limits):
            if name in names:
                fails(a, b, limit)


@pytest.mark.parametrize("update", oracle.UPDATES)
class TestFunctionMutants:
    def test_honest_programs_pass(self, monkeypatch, kind, update):
        """The definition, softmax in a stream, and scans that associate in other ways."""
        for choices in (dict(), dict(first_segment="local_only", gate="data"), dict(initial=False, rope=False, d=3),
                        dict(sparse=False)):
            case = FunctionCase(kind, update, **choices)
            case.passes(monkeypatch)
            for block in (1, 5, 8, 100):
                case.passes(monkeypatch, causal_attention=lambda *x: streaming_attention(*x, block=block))
            for scan in (right_scan, steps_from_the_left, steps_in_chunks):
                case.passes(monkeypatch, scan=True, scan_doubling=scan)

    def test_no_mask(self, monkeypatch, kind, update):
        FunctionCase(kind, update).misses(monkeypatch, "o", causal_attention=lambda q, k, v, scale:
                                          oracle.masked_attention(q, k, v, scale, lambda i, j: j >= 0 * i))

    def test_no_rescaling(self, monkeypatch, kind, update):
        """The running maximum moves, and what was summed before stays as it was."""
        FunctionCase(kind, update).misses(monkeypatch, "o", causal_attention=lambda *x:
                                          streaming_attention(*x, rescale=False))

    def test_wrong_group(self, monkeypatch, kind, update):
        FunctionCase(kind, update).misses(monkeypatch, "o", repeat_heads=lambda x, heads:
                                          np.concatenate([x] * (heads // x.shape[1]), axis=1))

    def test_memory_read_after_its_update(self, monkeypatch, kind, update):
        right = oracle.memory_loop

        def loop(*arguments):
            return tuple(x[1:] + x[-1:] for x in right(*arguments))
        FunctionCase(kind, update).misses(monkeypatch, "o", memory_loop=loop)

    @pytest.mark.parametrize("which", [0, 1])
    def test_late_in_retrieval(self, monkeypatch, kind, update, which):
        """M, or z, as it was one segment earlier; the states at the end are right."""
        right = oracle.memory_loop

        def loop(*arguments):
            states = list(right(*arguments))
            states[which] = states[which][:1] + states[which][:-2] + states[which][-1:]
            return states
        FunctionCase(kind, update).misses(monkeypatch, "o", memory_loop=loop)

    def test_late_z_in_update(self, monkeypatch, kind, update):
        """The rule divides by the z of one segment earlier; z itself is right."""
        if update == "linear":
            pytest.skip("does not read z")
        right, z_before = oracle.memory_update, []

        def late(sigma, v, M, z, rule):
            z_before.append(z)
            return right(sigma, v, M, z_before[-2:][0], rule)[0], right(sigma, v, M, z, rule)[1]
        FunctionCase(kind, update).misses(monkeypatch, "oM", memory_update=late)

    def test_tail_not_folded(self, monkeypatch, kind, update):
        right = oracle.memory_loop
        FunctionCase(kind, update).misses(monkeypatch, "Mz", memory_loop=lambda sigma, v, *x:
                                          right(sigma[:, :, :56], v[:, :, :56], *x))

    def test_scan_in_the_wrong_order(self, monkeypatch, kind, update):
        """A1 A2 for A2 A1; and the steps the wrong way round."""
        def factors(second, first):
            return first[0] @ second[0], oracle_compose(second, first)[1]

        oracle_compose = oracle.compose
        if update != "linear":  # whose factors are the identity
            FunctionCase(kind, update).misses(monkeypatch, "oM", True, compose=factors)
            FunctionCase(kind, update).misses(monkeypatch, "oM", True, compose=lambda a, b: oracle_compose(b, a))

    def test_scan_without_the_identity(self, monkeypatch, kind, update):
        right = oracle.affine_step

        def step(sigma, *arguments):
            A, B = right(sigma, *arguments)
            return A - np.eye(A.shape[-1], dtype=A.dtype), B
        FunctionCase(kind, update).misses(monkeypatch, "oM", True, affine_step=step)

    def test_scan_without_the_initial_state(self, monkeypatch, kind, update):
        """Each state is that of an empty memory before the text; and the state before the first segment is right."""
        right = oracle.memory_scan

        def dropped(sigma, v, M, *arguments):
            Ms, zs = right(sigma, v, 0 * M, *arguments)
            return [M] + Ms[1:], zs
        FunctionCase(kind, update).misses(monkeypatch, "oM", True, memory_scan=dropped)

    def test_scan_starts_each_chunk_anew(self, monkeypatch, kind, update):
        """Chunks of three segments; what the chunks before left is forgotten."""
        FunctionCase(kind, update).misses(monkeypatch, "oM", True, scan_doubling=lambda steps:
                                          [x for begin in range(0, len(steps), 3)
                                           for x in right_scan(steps[begin:begin + 3])])

    def test_scan_factors_of_the_last_z(self, monkeypatch, kind, update):
        """All factors from the z before the text, as if z did not change."""
        if update == "linear":
            pytest.skip("does not read z")
        case, right = FunctionCase(kind, update), oracle.affine_step
        case.misses(monkeypatch, "oM", True, affine_step=lambda sigma, v, z, rule:
                    right(sigma, v, case.arrays[5].astype(z.dtype), rule))


@pytest.mark.parametrize("storage", ["float16", "bfloat16"])
@pytest.mark.parametrize("update", ["delta", "delta_corrected"])
def test_scan_in_16_bits(monkeypatch, update, storage):
    """Factors and increments held in 16 bits miss the bounds of f32."""
    right = oracle.affine_step
    FunctionCase("f32", update).misses(monkeypatch, "oM", True, affine_step=lambda *x: tuple(
        oracle.round_to(part.astype(np.float32), storage).astype(np.float64) for part in right(*x)))


@pytest.mark.parametrize("storage, kind", [("bfloat16", "bfloat16"), ("float16", "float32"), ("bfloat16", "float32")])
def test_state_in_16_bits(monkeypatch, tmp_path, storage, kind):
    """z and M held in 16 bits miss the bounds on the states after 400 segments (logits may not show it)."""
    model = oracle.make_model(tmp_path, 3, segment=N)
    tokens = np.random.default_rng(2).integers(0, model.vocab, 400 * N)
    _, states = oracle.forward(model, tokens)
    _, naive = oracle.forward(model, tokens, np.float32, None if kind == "float32" else kind)
    right = oracle.memory_update

    def narrow(*arguments):
        M, z = right(*arguments)
        return oracle.round_to(M, storage), oracle.round_to(z, storage)

    monkeypatch.setattr(oracle, "memory_update", narrow)
    _, broken = oracle.forward(model, tokens, np.float32, None if kind == "float32" else kind)
    for i in range(model.layers):
        for name in ("M", "z"):
            limit = bound(states[i][name], naive[i][name], kind)
            assert_close(naive[i][name], states[i][name], limit)
        fails(broken[i]["z"], states[i]["z"], bound(states[i]["z"], naive[i]["z"], kind))


class Ended:
    def __init__(self, returncode, stderr):
        self.returncode, self.stderr, self.args = returncode, stderr, []


def test_refusals_are_told_from_crashes():
    assert_refused(Ended(1, "infini-run: error: no file 'x'\nnote: in y\n"), "'x'", ("y", "z"))
    for bad in (Ended(0, "error: x"), Ended(-11, "error: x"), Ended(70, "error: x"), Ended(1, ""),
                Ended(1, "error: x\nerror: x"), Ended(1, "LLVM ERROR: x"), Ended(1, "error: y"),
                Ended(1, "error: x\nTraceback (most recent call last)")):
        with pytest.raises(AssertionError):
            assert_refused(bad, "x")


def test_peak_memory_sees_growth():
    import sys
    python = [sys.executable, "-S", "-E", "-c"]
    small, _ = peak_memory(python + ["x = b'1' * (32 << 20)"])
    large, _ = peak_memory(python + ["x = b'1' * (34 << 20)"])
    assert 1500 < large - small < 3000
