# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The oracle against numbers that were computed elsewhere, and against the algebra it must obey."""
import os

import numpy as np
import pytest

import infini_numpy as oracle

PASSKEY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "passkey")

# B = H = 1, d = dv = 2, N = 2, three segments, beta = 0.
Q = np.array([[.5, -1], [1, .25], [-.5, .5], [.75, -.25], [0, 1], [-1, -1]])[None, None]
K = np.array([[1, 0], [-.5, .5], [.25, -.75], [.5, 1], [-1, .25], [0, -.5]])[None, None]
V = np.array([[1, 2], [-1, .5], [0, 1], [2, -1], [.5, .5], [-2, 1]])[None, None]
LINEAR = [[1, 2], [.244197, 1.433147], [.008927, 1.131695], [.717785, .682708], [.622305, .462335],
          [-.233238, .678451]]
ZERO = [[.5, 1], [.122098, .716574]]
DELTA_M, SUM_Z = [[1.057024, 1.601628], [1.293293, -.450893]], [6.72441, 6.828897]
CASES = {  # (update, first_segment): output rows, M, z
    ("linear", "local_only"): (LINEAR, [[2.577409, 5.237205], [2.911939, 2.453897]], SUM_Z),
    ("linear", "zero_memory"): (ZERO + LINEAR[2:], [[2.577409, 5.237205], [2.911939, 2.453897]], SUM_Z),
    ("delta", "local_only"): (LINEAR[:4] + [[.575989, .113297], [-.282249, .325688]], DELTA_M, SUM_Z),
    ("delta", "zero_memory"): (ZERO + LINEAR[2:4] + [[.575989, .113297], [-.282249, .325688]], DELTA_M, SUM_Z),
    ("delta_corrected", "zero_memory"): (ZERO + LINEAR[2:4] + [[.905757, -.024992], [.058403, .226099]],
                                         [[.122313, 1.86397], [.063388, .042866]], [2.606531, 2.5]),
}


@pytest.mark.parametrize("update, first_segment", CASES)
@pytest.mark.parametrize("dtype, rounding", [(np.float64, 6e-7), (np.float32, 3e-6)])
@pytest.mark.parametrize("memory_states", [oracle.memory_loop, oracle.memory_scan])
def test_worked_numbers(update, first_segment, dtype, rounding, memory_states):
    found = oracle.infini_attention(Q, K, V, np.zeros(1), 2, update, first_segment, dtype=dtype,
                                    memory_states=memory_states)
    for got, expected in zip(found, CASES[update, first_segment]):
        assert got.dtype == dtype
        np.testing.assert_allclose(got[0, 0], expected, rtol=0, atol=rounding)


def test_passkey_logits():
    """Logits of the sample's last 64 positions, from an independent float64 program."""
    expected = np.load(os.path.join(PASSKEY, "sample_logits_last64.npy")).astype(np.float64)
    tokens = np.fromfile(os.path.join(PASSKEY, "sample.txt"), np.uint8)
    logits, states = oracle.forward(oracle.load_model(PASSKEY), tokens)
    error = np.linalg.norm(logits[-64:] - expected) / np.linalg.norm(expected)
    assert error <= (1e-12 if np.load(os.path.join(PASSKEY, "sample_logits_last64.npy")).dtype == np.float64 else 1e-7)
    assert bytes(logits[-6:-1].argmax(axis=1).astype(np.uint8)) == tokens[-5:].tobytes()
    assert states[0]["fill"] == 0 and states[0]["K"].shape == (4, 0, 32)


def random_inputs(rng, B=2, H=4, G=2, T=23, d=6, dv=5):
    return (rng.standard_normal((B, H, T, d)), rng.standard_normal((B, G, T, d)),
            rng.standard_normal((B, G, T, dv)), rng.standard_normal(H))


@pytest.mark.parametrize("update", oracle.UPDATES)
@pytest.mark.parametrize("first_segment", oracle.FIRST_SEGMENTS)
def test_token_by_token(update, first_segment):
    """The same op written as loops over batch, head and token, with scalars; nothing is shared but the rule."""
    rng = np.random.default_rng(5)
    q, k, v, beta = random_inputs(rng)
    N, (B, H, T, d), dv, G = 5, q.shape, v.shape[3], k.shape[1]
    o, M_end, z_end = oracle.infini_attention(q, k, v, beta, N, update, first_segment)

    def sigma(x):
        return np.array([e + 1 if e > 0 else np.exp(e) for e in x])

    def turn(x, position):
        out = np.zeros(d)
        for i in range(d // 2):
            angle = position * 10000.0 ** (-2 * i / d)
            out[i] = x[i] * np.cos(angle) - x[i + d // 2] * np.sin(angle)
            out[i + d // 2] = x[i + d // 2] * np.cos(angle) + x[i] * np.sin(angle)
        return out

    for b in range(B):
        for h in range(H):
            g = h // (H // G)
            M, z = np.zeros((d, dv)), np.zeros(d)
            for t in range(T):
                begin = t - t % N
                if t == begin and t > 0:
                    M0, z0 = M.copy(), z.copy()
                    for j in range(begin - N, begin):
                        s = sigma(k[b, g, j])
                        old = np.zeros(dv) if update == "linear" or z0 @ s <= 0 else s @ M0 / (s @ z0)
                        gamma = 1.0
                        if update == "delta_corrected":
                            gamma = min(max(1 - z0 @ s / (s @ s), 0.0), 1.0)
                        M, z = M + np.outer(s, v[b, g, j] - old), z + gamma * s
                weights = [np.exp(turn(q[b, h, t], t - begin) @ turn(k[b, g, j], j - begin) / np.sqrt(d))
                           for j in range(begin, t + 1)]
                local = sum(w * v[b, g, begin + j] for j, w in enumerate(weights)) / sum(weights)
                s, gate = sigma(q[b, h, t]), 1 / (1 + np.exp(-beta[h]))
                memory = s @ M / (s @ z) if begin else np.zeros(dv)
                if begin == 0 and first_segment == "local_only":
                    gate = 0.0
                np.testing.assert_allclose(o[b, h, t], gate * memory + (1 - gate) * local, rtol=1e-10, atol=1e-12)
    assert M_end.shape == (B, G, d, dv) and z_end.shape == (B, G, d)


def test_affine_steps_by_hand():
    """The worked example's second segment, with scalars: A, B, and A M + B is its update."""
    sigma = oracle.elu_plus_one(K[0, 0])
    M, z = sigma[:2].T @ V[0, 0, :2], sigma[:2].sum(axis=0)
    A, B = oracle.affine_step(sigma[None, None, 2:4], V[:, :, 2:4], z[None, None], "delta")
    expected_A, expected_B = np.eye(2), np.zeros((2, 2))
    for t in (2, 3):
        for i in range(2):
            for j in range(2):
                expected_A[i, j] -= sigma[t, i] * sigma[t, j] / (sigma[t, 0] * z[0] + sigma[t, 1] * z[1])
                expected_B[i, j] += sigma[t, i] * V[0, 0, t, j]
    np.testing.assert_allclose(A[0, 0], expected_A, atol=1e-15)
    np.testing.assert_allclose(B[0, 0], expected_B, atol=1e-15)
    after, _ = oracle.memory_update(sigma[None, None, 2:4], V[:, :, 2:4], M[None, None], z[None, None], "delta")
    np.testing.assert_allclose(A[0, 0] @ M + B[0, 0], after[0, 0], atol=1e-14)


def test_composition():
    """One step after another is their composition, which is associative."""
    rng = np.random.default_rng(6)
    steps = [(rng.standard_normal((4, 4)), rng.standard_normal((4, 3))) for _ in range(3)]
    M = rng.standard_normal((4, 3))
    expected = M
    for A, B in steps:
        expected = A @ expected + B
    one, two, three = steps
    for A, B in (oracle.compose(three, oracle.compose(two, one)), oracle.compose(oracle.compose(three, two), one)):
        np.testing.assert_allclose(A @ M + B, expected, rtol=1e-12)


@pytest.mark.parametrize("update", oracle.UPDATES)
@pytest.mark.parametrize("tokens", [0, 1, 5, 23, 60])
@pytest.mark.parametrize("stored", [False, True])
def test_scan_is_the_loop(update, tokens, stored):
    """Every state of the scan form, in float64, from an empty memory and from one in use; keys that z does not know."""
    rng = np.random.default_rng(tokens)
    sigma = oracle.elu_plus_one(4 * rng.standard_normal((2, 3, tokens, 6)) - 4)
    v = rng.standard_normal((2, 3, tokens, 5))
    M, z = stored * rng.standard_normal((2, 3, 6, 5)), stored * oracle.elu_plus_one(rng.standard_normal((2, 3, 6)))
    loop, scan = (f(sigma, v, M, z, 5, update) for f in (oracle.memory_loop, oracle.memory_scan))
    for a, b in zip(loop, scan):
        assert len(a) == len(b) == -(-tokens // 5) + 1
        for x, y in zip(a, b):
            np.testing.assert_allclose(y, x, rtol=1e-10, atol=1e-10 * max(1, np.abs(x).max()))


def test_scan_in_another_type():
    rng = np.random.default_rng(1)
    q, k, v, beta = random_inputs(rng)
    for dtype in (np.float32, np.float64):
        for x in oracle.infini_attention(q, k, v, beta, 5, dtype=dtype, memory_states=oracle.memory_scan):
            assert x.dtype == dtype


def test_keys_without_features():
    """sigma = 0: nothing is stored by any rule, and nothing is divided by 0."""
    for update in oracle.UPDATES:
        for states in (oracle.memory_loop, oracle.memory_scan):
            Ms, zs = states(np.zeros((1, 1, 6, 3)), np.ones((1, 1, 6, 2)), np.zeros((1, 1, 3, 2)), np.zeros((1, 1, 3)),
                            2, update)
            assert not np.any(Ms) and not np.any(zs)


def test_tail_is_folded_or_not():
    rng = np.random.default_rng(1)
    q, k, v, beta = random_inputs(rng, T=23)
    _, M, z = oracle.infini_attention(q, k, v, beta, 5, fold_tail=False)
    _, M20, z20 = oracle.infini_attention(q[:, :, :20], k[:, :, :20], v[:, :, :20], beta, 5)
    _, M23, z23 = oracle.infini_attention(q, k, v, beta, 5)
    assert (M == M20).all() and (z == z20).all()
    assert not np.allclose(M23, M20) and (z23 > z20).all()


@pytest.mark.parametrize("tokens", [0, 1])
def test_no_token_and_one_token(tokens):
    rng = np.random.default_rng(1)
    q, k, v, beta = random_inputs(rng, T=tokens)
    o, M, z = oracle.infini_attention(q, k, v, beta, 4, first_segment="local_only")
    assert o.shape == (2, 4, tokens, 5)
    np.testing.assert_allclose(o, np.repeat(v, 2, axis=1))
    assert (z == 0).all() == (tokens == 0) and (M == 0).all() == (tokens == 0)


def test_gate_forms_agree():
    """[H], [H, dv] and a tensor of every token say the same; infinite logits open or close the gate."""
    rng = np.random.default_rng(2)
    q, k, v, beta = random_inputs(rng)
    o, _, _ = oracle.infini_attention(q, k, v, beta, 4)
    for same in (np.repeat(beta[:, None], 5, 1), np.broadcast_to(beta[None, :, None, None], (2, 4, 23, 5))):
        np.testing.assert_array_equal(oracle.infini_attention(q, k, v, same, 4)[0], o)
    closed, _, _ = oracle.infini_attention(q, k, v, np.full(4, -np.inf), 4)
    opened, _, _ = oracle.infini_attention(q, k, v, np.full(4, np.inf), 4)
    assert (opened[:, :, :4] == 0).all() and np.isfinite(opened).all()
    g = 1 / (1 + np.exp(-beta))[:, None, None]
    np.testing.assert_allclose(g * opened + (1 - g) * closed, o, atol=1e-14)


@pytest.mark.parametrize("update", oracle.UPDATES)
def test_cut_at_a_segment(update):
    """A state passed on is the same as no cut."""
    rng = np.random.default_rng(3)
    q, k, v, beta = random_inputs(rng)
    whole = oracle.infini_attention(q, k, v, beta, 4, update, "local_only")
    a = oracle.infini_attention(q[:, :, :8], k[:, :, :8], v[:, :, :8], beta, 4, update, "local_only")
    b = oracle.infini_attention(q[:, :, 8:], k[:, :, 8:], v[:, :, 8:], beta, 4, update, "local_only", state=a[1:])
    np.testing.assert_allclose(np.concatenate([a[0], b[0]], 2), whole[0], atol=1e-13)
    np.testing.assert_allclose(b[1], whole[1], atol=1e-13)


def test_masked_row_is_zero():
    assert (oracle.softmax(np.full((2, 3), -np.inf)) == 0).all()


@pytest.mark.parametrize("kind, worst", [("F32", 0.0), ("F16", 2.0 ** -11), ("BF16", 2.0 ** -8)])
@pytest.mark.parametrize("shards", [1, 3])
def test_safetensors_round_trip(tmp_path, kind, worst, shards):
    rng = np.random.default_rng(4)
    tensors = {name: rng.standard_normal((3, n)).astype(np.float32) for n, name in enumerate("abcde", 1)}
    oracle.write_weights(tmp_path, tensors, kind, shards)
    if shards == 1:
        back = oracle.read_safetensors(tmp_path / "model.safetensors")
    else:
        (tmp_path / "config.json").write_text('{"vocab_size":1,"hidden_size":1,"num_hidden_layers":1,'
                                              '"num_attention_heads":1,"rms_norm_eps":1,"rope_theta":1}')
        back = oracle.load_model(tmp_path).weights
    assert back.keys() == tensors.keys()
    for name, x in tensors.items():
        assert (np.abs(back[name] - x) <= worst * np.abs(x)).all()


def test_bfloat16_rounds_to_even():
    x = np.array([1 + 2 ** -8, 1 + 3 * 2 ** -8, -1 - 2 ** -8 - 2 ** -16, np.inf, np.nan], np.float32)
    found = oracle.round_to(x, "bfloat16")
    np.testing.assert_array_equal(found, np.array([1, 1 + 2 ** -6, -1 - 2 ** -7, np.inf, np.nan], np.float32))


def test_short_model_is_a_plain_llama(tmp_path):
    """T <= N and a closed gate: causal attention over the whole text, written once more with full matrices."""
    model = oracle.make_model(tmp_path, 7, segment=64, infini=False, rope_factor=2.0, layers=1)
    tokens = np.random.default_rng(1).integers(0, model.vocab, 40)
    logits, _ = oracle.forward(model, tokens)
    w = {name: x.astype(np.float64) for name, x in model.weights.items()}
    norm = lambda x, g: x / np.sqrt((x ** 2).mean(-1, keepdims=True) + 1e-5) * g
    x, p = w["model.embed_tokens.weight"][tokens], "model.layers.0."
    h = norm(x, w[p + "input_layernorm.weight"])
    angle = np.outer(np.arange(40), 10000.0 ** (-np.arange(8) / 8.0)) / 2.0
    turn = np.exp(1j * angle)
    outs = []
    for head in range(4):
        rows = slice(16 * head, 16 * head + 16)
        shared = slice(16 * (head // 2), 16 * (head // 2) + 16)
        q, k = h @ w[p + "self_attn.q_proj.weight"][rows].T, h @ w[p + "self_attn.k_proj.weight"][shared].T
        q, k = (q[:, :8] + 1j * q[:, 8:]) * turn, (k[:, :8] + 1j * k[:, 8:]) * turn
        e = np.tril(np.exp((q @ k.conj().T).real / 4.0))
        outs.append(e / e.sum(1, keepdims=True) @ (h @ w[p + "self_attn.v_proj.weight"][shared].T))
    x = x + np.concatenate(outs, 1) @ w[p + "self_attn.o_proj.weight"].T
    h = norm(x, w[p + "post_attention_layernorm.weight"])
    gate = h @ w[p + "mlp.gate_proj.weight"].T
    x = x + (gate / (1 + np.exp(-gate)) * (h @ w[p + "mlp.up_proj.weight"].T)) @ w[p + "mlp.down_proj.weight"].T
    expected = norm(x, w["model.norm.weight"]) @ w["lm_head.weight"].T
    np.testing.assert_allclose(logits, expected, atol=1e-12)
