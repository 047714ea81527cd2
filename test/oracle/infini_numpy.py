# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Infini-attention and the Llama-architecture model around it, in plain numpy.

This program is the oracle of the end-to-end tests: it is written from the paper (arXiv 2404.07143) and
shares no code with the compiler or the runtime. Everything is computed in `dtype`: float64 for the
reference, float32 for the "naive" program whose error a fast path is measured against.

Letters: B batch, H query heads, G key/value heads, T tokens, N segment length, S = ceil(T / N), d head size
of queries and keys, dv head size of values, D hidden size, F width of the MLP, V vocabulary.
"""
import json
import os
import struct

import numpy as np

UPDATES = ("delta", "linear", "delta_corrected")
FIRST_SEGMENTS = ("zero_memory", "local_only")


# --------------------------------------------------------------------------------------------------------
# The op
# --------------------------------------------------------------------------------------------------------

def elu_plus_one(x):
    """The feature map: x + 1 for x > 0, else exp(x); any shape, always > 0."""
    return np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))


def sigmoid(x):
    """1 / (1 + exp(-x)) without overflow; sigmoid(-inf) = 0 and sigmoid(inf) = 1 exactly."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small)).astype(x.dtype)


def silu(x):
    return x * sigmoid(x)


def softmax(scores):
    """Along the last axis; a row that is -inf throughout gives 0."""
    top = np.max(scores, axis=-1, keepdims=True)
    e = np.exp(scores - np.where(np.isneginf(top), 0, top))
    total = np.sum(e, axis=-1, keepdims=True)
    return np.divide(e, total, out=np.zeros_like(e), where=total != 0)


def rope(x, base=10000.0, factor=1.0, start=0):
    """Rotary positions start, start + 1, ... on [..., T, d], half-split.

    The channels i and i + d/2 are turned by the angle position * base^(-2i/d) / factor.
    """
    tokens, d = x.shape[-2:]
    if d % 2:
        raise ValueError(f"RoPE needs an even head size, got {d}")
    half = d // 2
    frequency = float(base) ** (-2.0 * np.arange(half) / d) / float(factor)
    angle = (start + np.arange(tokens))[:, None] * frequency[None, :]
    c, s = np.cos(angle).astype(x.dtype), np.sin(angle).astype(x.dtype)
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * c - b * s, b * c + a * s], axis=-1)


def repeat_heads(x, heads):
    """[B, G, ...] to [B, H, ...]: group g serves the query heads g H/G ... (g+1) H/G - 1."""
    return np.repeat(x, heads // x.shape[1], axis=1)


def masked_attention(q, k, v, scale, allowed):
    """q [B, H, T, d], k [B, H, J, d], v [B, H, J, dv] to [B, H, T, dv]; allowed(i, j) over query and key positions."""
    scores = (q @ np.swapaxes(k, -1, -2)) * scale
    visible = allowed(*np.ogrid[:q.shape[-2], :k.shape[-2]])
    return softmax(np.where(visible, scores, -np.inf).astype(q.dtype)) @ v


def causal_attention(q, k, v, scale):
    """Eq. 6. q [B, H, T, d], k [B, H, T, d], v [B, H, T, dv] to [B, H, T, dv]; RoPE is done before."""
    return masked_attention(q, k, v, scale, lambda i, j: j <= i)


def memory_retrieve(sigma, M, z):
    """Eq. 7. sigma [B, H, T, d], M [B, H, d, dv], z [B, H, d] to [B, H, T, dv]; 0 where the denominator <= 0."""
    numerator = sigma @ M
    denominator = (sigma @ z[..., None])
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=~(denominator <= 0))


def novelty(sigma, z):
    """gamma [B, G, T, 1] of the corrected rule: how much of a key z does not hold; 1 where the key is 0."""
    size = np.sum(sigma * sigma, axis=-1, keepdims=True)
    share = np.divide(sigma @ z[..., None], size, out=np.zeros_like(size), where=size > 0)
    return np.clip(1 - share, 0, 1)


def memory_update(sigma, v, M, z, update):
    """Eq. 8 and 9. sigma [B, G, T, d], v [B, G, T, dv], M [B, G, d, dv], z [B, G, d] to the next M, z."""
    transposed = np.swapaxes(sigma, -1, -2)
    if update == "linear":
        return M + transposed @ v, z + sigma.sum(axis=-2)
    value = v - memory_retrieve(sigma, M, z)
    if update == "delta":
        return M + transposed @ value, z + sigma.sum(axis=-2)
    if update == "delta_corrected":  # arXiv 2407.04841; z before the segment throughout
        return M + transposed @ value, z + np.sum(novelty(sigma, z) * sigma, axis=-2)
    raise ValueError(f"unknown update {update!r}")


def memory_loop(sigma, v, M, z, segment_length, update):
    """M and z before each segment and after the last, one after the other: (Ms, zs), lists of S + 1.

    sigma [B, G, T, d], v [B, G, T, dv], M [B, G, d, dv], z [B, G, d] as in memory_update.
    """
    Ms, zs = [M], [z]
    for begin in range(0, sigma.shape[2], segment_length):
        part = slice(begin, begin + segment_length)
        M, z = memory_update(sigma[:, :, part], v[:, :, part], M, z, update)
        Ms.append(M)
        zs.append(z)
    return Ms, zs


def affine_step(sigma, v, z, update):
    """A [B, G, d, d] and B [B, G, d, dv] of a segment: its update is M' = A M + B.

    A = I - sigma^T D^-1 sigma with D = diag(sigma z), z before the segment; where sigma z is not positive, nothing is
    subtracted. The linear rule has A = I. B = sigma^T v.
    """
    transposed = np.swapaxes(sigma, -1, -2)
    identity = np.broadcast_to(np.eye(sigma.shape[-1], dtype=sigma.dtype), (*z.shape, z.shape[-1]))
    if update == "linear":
        return identity, transposed @ v
    denominator = sigma @ z[..., None]
    shares = np.divide(sigma, denominator, out=np.zeros_like(sigma), where=~(denominator <= 0))
    return identity - transposed @ shares, transposed @ v


def compose(second, first):
    """(A2, B2) after (A1, B1): M -> A2 (A1 M + B1) + B2."""
    return second[0] @ first[0], second[0] @ first[1] + second[1]


def scan_doubling(steps):
    """Inclusive scan of affine steps by recursive doubling: entry s is the composition of the steps 0 ... s."""
    steps, distance = list(steps), 1
    while distance < len(steps):
        steps = [step if s < distance else compose(step, steps[s - distance]) for s, step in enumerate(steps)]
        distance *= 2
    return steps


def memory_scan(sigma, v, M, z, segment_length, update):
    """What memory_loop returns, by an associative scan: first every z, then (A, B) of all segments at once, then
    their compositions, pair by pair, and at last the initial M into each of them."""
    parts = [slice(b, b + segment_length) for b in range(0, sigma.shape[2], segment_length)]
    zs = [z]
    for part in parts:
        s = sigma[:, :, part]
        zs.append(zs[-1] + np.sum(s if update != "delta_corrected" else novelty(s, zs[-1]) * s, axis=-2))
    steps = [affine_step(sigma[:, :, part], v[:, :, part], before, update) for part, before in zip(parts, zs)]
    return [M] + [A @ M + B for A, B in scan_doubling(steps)], zs


def blend(beta, memory, local):
    """Eq. 10. memory and local [B, H, T, dv]; beta [H], [H, dv], or any tensor that broadcasts to them."""
    beta = np.asarray(beta).astype(local.dtype)
    if beta.ndim == 1:
        beta = beta[None, :, None, None]
    elif beta.ndim == 2:
        beta = beta[None, :, None, :]
    g = sigmoid(beta)
    return g * memory + (1 - g) * local


def infini_attention(q, k, v, beta, segment_length, update="delta", first_segment="zero_memory", scale=None,
                     rope_base=10000.0, rope_factor=1.0, use_rope=True, fold_tail=True, state=None,
                     dtype=np.float64, storage=None, memory_states=None, allowed=None):
    """Eq. 6 to 10 over S segments: q [B, H, T, d], k [B, G, T, d], v [B, G, T, dv] to (o, M, z).

    o is [B, H, T, dv], M [B, G, d, dv], z [B, G, d]. `beta` holds the logits of the gate, [H], [H, dv] or a
    data-dependent tensor over [B, H, T, dv]. `state` = (M, z) of earlier segments; the first segment of a call with
    a state is not the first of the sequence. With `fold_tail` a short last segment is written to the
    memory too; without, M and z are those after the last full segment (the state of a stream). `storage` ("float16",
    "bfloat16") rounds every tensor over tokens that a plain program in that type would store; M and z stay in
    `dtype`. `memory_states` gives the memory before each segment: memory_loop (None), or memory_scan. `allowed` is
    another mask than the causal one, over positions in a segment.
    """
    def stored(x):
        return x if storage is None else round_to(x, storage).astype(dtype)

    if update not in UPDATES:
        raise ValueError(f"unknown update {update!r}")
    if first_segment not in FIRST_SEGMENTS:
        raise ValueError(f"unknown first_segment {first_segment!r}")
    q, k, v = (np.asarray(x).astype(dtype) for x in (q, k, v))
    beta = np.asarray(beta).astype(dtype)
    batch, heads, tokens, d = q.shape
    groups, dv = k.shape[1], v.shape[3]
    if heads % groups:
        raise ValueError(f"{groups} key/value heads do not divide {heads} query heads")
    scale = 1.0 / float(np.sqrt(d)) if scale is None else float(scale)
    turn = (lambda x: stored(rope(x, rope_base, rope_factor))) if use_rope else (lambda x: x)
    if state is None:
        M, z = np.zeros((batch, groups, d, dv), dtype), np.zeros((batch, groups, d), dtype)
    else:
        M, z = (np.asarray(x).astype(dtype) for x in state)
    folded = tokens if fold_tail else tokens - tokens % segment_length
    Ms, zs = (memory_states or memory_loop)(stored(elu_plus_one(k[:, :, :folded])), v[:, :, :folded], M, z,
                                            segment_length, update)
    o = np.zeros((batch, heads, tokens, dv), dtype)
    for s, begin in enumerate(range(0, tokens, segment_length)):
        part = slice(begin, min(begin + segment_length, tokens))
        qs, ks, vs = q[:, :, part], k[:, :, part], v[:, :, part]
        local = turn(qs), repeat_heads(turn(ks), heads), repeat_heads(vs, heads), scale
        local = stored(causal_attention(*local) if allowed is None else masked_attention(*local, allowed))
        if begin == 0 and state is None and first_segment == "local_only":
            o[:, :, part] = local
        else:
            memory = stored(memory_retrieve(stored(elu_plus_one(qs)), repeat_heads(Ms[s], heads),
                                            repeat_heads(zs[s], heads)))
            logits = beta[:, :, part] if beta.ndim == 4 and beta.shape[2] == tokens else beta
            o[:, :, part] = stored(blend(logits, memory, local))
    return o, Ms[-1], zs[-1]


# --------------------------------------------------------------------------------------------------------
# The model
# --------------------------------------------------------------------------------------------------------

def rms_norm(x, weight, eps):
    """x [T, D], weight [D] to [T, D]."""
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + x.dtype.type(eps)) * weight


class Model:
    """A model folder in memory: `config` as in config.json, `weights` name to array (float32, or wider)."""

    def __init__(self, config, weights):
        self.config, self.weights = config, weights
        self.vocab, self.hidden = config["vocab_size"], config["hidden_size"]
        self.layers, self.heads = config["num_hidden_layers"], config["num_attention_heads"]
        self.groups = config.get("num_key_value_heads", self.heads)
        self.head_dim = config.get("head_dim", self.hidden // self.heads)
        self.eps, self.rope_base = config["rms_norm_eps"], config["rope_theta"]
        scaling = config.get("rope_scaling") or {"rope_type": "linear", "factor": 1.0}
        kind = scaling.get("rope_type", scaling.get("type"))
        if kind != "linear":
            raise ValueError(f"unknown rope type {kind!r}")
        self.rope_factor = scaling["factor"]
        infini = config.get("infini", {})
        # A plain Llama folder (a retrofit) attends inside segments only: the gate is closed.
        self.segment = infini.get("segment_length", config.get("max_position_embeddings"))
        self.update = infini.get("update", "delta")
        self.first_segment = infini.get("first_segment", "zero_memory")

    def beta(self, layer):
        """[H] or [H, d]; -inf throughout where the folder has none."""
        return self.weights.get(f"model.layers.{layer}.self_attn.beta",
                                np.full(self.heads, -np.inf))


def forward(model, tokens, dtype=np.float64, storage=None, segment_length=None, memory_states=None):
    """tokens [T] to (logits [T, V], states), one state per layer.

    A state has M [G, d, d] and z [G, d] after the last *full* segment, K (before RoPE) and V [G, fill, d] of
    the segment under way, and `fill`, its number of tokens. `storage` ("float16", "bfloat16") rounds every tensor that
    a plain program in that type would store, with products accumulated in `dtype`: the naive program in 16 bits.
    `memory_states` as in infini_attention.
    """
    def stored(x):
        return x if storage is None else round_to(x, storage).astype(dtype)

    def weight(name):
        return model.weights[name].astype(dtype)

    tokens = np.asarray(tokens).astype(np.int64)
    count, d = len(tokens), model.head_dim
    segment = segment_length or model.segment
    fill = count % segment

    def split(x, heads):  # [T, heads * d] to [1, heads, T, d]
        return x.reshape(count, heads, d).transpose(1, 0, 2)[None]

    x, states = weight("model.embed_tokens.weight")[tokens], []
    for i in range(model.layers):
        layer = f"model.layers.{i}."
        h = stored(rms_norm(x, weight(layer + "input_layernorm.weight"), model.eps))
        q = split(stored(h @ weight(layer + "self_attn.q_proj.weight").T), model.heads)
        k = split(stored(h @ weight(layer + "self_attn.k_proj.weight").T), model.groups)
        v = split(stored(h @ weight(layer + "self_attn.v_proj.weight").T), model.groups)
        o, M, z = infini_attention(q, k, v, model.beta(i), segment, model.update, model.first_segment,
                                   rope_base=model.rope_base, rope_factor=model.rope_factor, fold_tail=False,
                                   dtype=dtype, memory_states=memory_states)
        states.append({"M": M[0], "z": z[0], "K": k[0, :, count - fill:], "V": v[0, :, count - fill:],
                       "fill": fill})
        o = stored(o[0].transpose(1, 0, 2).reshape(count, model.heads * d))
        x = stored(x + stored(o @ weight(layer + "self_attn.o_proj.weight").T))
        h = stored(rms_norm(x, weight(layer + "post_attention_layernorm.weight"), model.eps))
        gated = silu(stored(h @ weight(layer + "mlp.gate_proj.weight").T))
        h = stored(gated * stored(h @ weight(layer + "mlp.up_proj.weight").T))
        x = stored(x + stored(h @ weight(layer + "mlp.down_proj.weight").T))
    x = stored(rms_norm(x, weight("model.norm.weight"), model.eps))
    tied = model.config.get("tie_word_embeddings", False)
    return x @ weight("model.embed_tokens.weight" if tied else "lm_head.weight").T, states


# --------------------------------------------------------------------------------------------------------
# Number formats and safetensors
# --------------------------------------------------------------------------------------------------------

def to_bfloat16_bits(x):
    """float32 to uint16, rounded to nearest, ties to even; NaN stays NaN."""
    bits = np.ascontiguousarray(x, dtype=np.float32).view(np.uint32)
    rounded = ((bits.astype(np.uint64) + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return np.where(np.isnan(x), np.uint16(0x7FC0), rounded)


def from_bfloat16_bits(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


def round_to(x, name):
    """x rounded to "float16", "bfloat16" or "float32", as float32."""
    if name == "bfloat16":
        return from_bfloat16_bits(to_bfloat16_bits(x))
    return x.astype(np.float16 if name == "float16" else np.float32).astype(np.float32)


def encode(array, kind):
    """The little-endian bytes of an array as F32, F16 or BF16."""
    if kind == "BF16":
        return to_bfloat16_bits(array).astype("<u2").tobytes()
    return np.asarray(array).astype({"F32": "<f4", "F16": "<f2", "F64": "<f8"}[kind]).tobytes()


def decode(raw, kind, shape):
    """Bytes of F32, F16, BF16 (as float32) or F64 to an array."""
    if kind == "BF16":
        return from_bfloat16_bits(np.frombuffer(raw, "<u2")).reshape(shape)
    array = np.frombuffer(raw, {"F32": "<f4", "F16": "<f2", "F64": "<f8", "I64": "<i8", "I32": "<i4"}[kind])
    return (array.astype(np.float32) if kind == "F16" else array).reshape(shape)


def write_safetensors(path, tensors, kinds="F32", metadata=None):
    """tensors: name to array. kinds: one of F32, F16, BF16, or name to kind."""
    header, offset, parts = {"__metadata__": metadata or {"format": "pt"}}, 0, []
    for name, array in tensors.items():
        kind = kinds if isinstance(kinds, str) else kinds[name]
        raw = encode(array, kind)
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [offset, offset + len(raw)]}
        offset += len(raw)
        parts.append(raw)
    write_raw_safetensors(path, header, b"".join(parts))


def write_raw_safetensors(path, header, data):
    """A header as it is (right or wrong), then the bytes; for the tests of bad files too."""
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def read_safetensors(path):
    """name to array; F16 and BF16 become float32."""
    with open(path, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(size)), file.read()
    header.pop("__metadata__", None)
    return {name: decode(data[slice(*entry["data_offsets"])], entry["dtype"], entry["shape"])
            for name, entry in header.items()}


def write_weights(folder, tensors, kind="F32", shards=1):
    """model.safetensors, or the index and its shards."""
    if shards == 1:
        return write_safetensors(os.path.join(folder, "model.safetensors"), tensors, kind)
    names, index = list(tensors), {"metadata": {"total_size": 0}, "weight_map": {}}
    for part in range(shards):
        file = f"model-{part + 1:05}-of-{shards:05}.safetensors"
        chosen = {name: tensors[name] for name in names[part::shards]}
        write_safetensors(os.path.join(folder, file), chosen, kind)
        index["weight_map"].update({name: file for name in chosen})
        index["metadata"]["total_size"] += sum(len(encode(x, kind)) for x in chosen.values())
    with open(os.path.join(folder, "model.safetensors.index.json"), "w") as file:
        json.dump(index, file, indent=1)


def load_model(folder):
    """A model folder from disk; the weights as float32."""
    with open(os.path.join(folder, "config.json")) as file:
        config = json.load(file)
    index = os.path.join(folder, "model.safetensors.index.json")
    if os.path.exists(index):
        with open(index) as file:
            files = sorted(set(json.load(file)["weight_map"].values()))
    else:
        files = ["model.safetensors"]
    weights = {}
    for file in files:
        weights.update(read_safetensors(os.path.join(folder, file)))
    return Model(config, weights)


# --------------------------------------------------------------------------------------------------------
# Random models
# --------------------------------------------------------------------------------------------------------

def make_model(folder, seed=0, vocab=96, hidden=64, ffn=112, layers=2, heads=4, groups=2, head_dim=16,
               segment=16, update="delta", first_segment="zero_memory", gate="head", eps=1e-5,
               rope_theta=10000.0, rope_factor=None, tied=False, kind="F32", torch_dtype="float32", shards=1,
               infini=True, max_positions=None):
    """Writes a random model folder, and returns it as load_model reads it (rounded to `kind`).

    Projections are scaled so that queries, keys and logits have a variance near one: attention is neither
    uniform nor one-hot, and the memory's part of the output is as large as the local part. Without
    `infini` the folder is a plain Llama's: no beta, no `infini` object.
    """
    rng = np.random.default_rng(seed)

    def matrix(rows, columns, gain=1.0):
        return (rng.standard_normal((rows, columns)) * gain / np.sqrt(columns)).astype(np.float32)

    def norm():
        return (1 + 0.2 * rng.standard_normal(hidden)).astype(np.float32)

    weights = {"model.embed_tokens.weight": matrix(vocab, hidden, np.sqrt(hidden) if not tied else 1.0)}
    for i in range(layers):
        layer = f"model.layers.{i}."
        weights[layer + "input_layernorm.weight"] = norm()
        weights[layer + "self_attn.q_proj.weight"] = matrix(heads * head_dim, hidden)
        weights[layer + "self_attn.k_proj.weight"] = matrix(groups * head_dim, hidden)
        weights[layer + "self_attn.v_proj.weight"] = matrix(groups * head_dim, hidden)
        weights[layer + "self_attn.o_proj.weight"] = matrix(hidden, heads * head_dim, 1.5)
        if infini:
            shape = (heads,) if gate == "head" else (heads, head_dim)
            weights[layer + "self_attn.beta"] = rng.standard_normal(shape).astype(np.float32)
        weights[layer + "post_attention_layernorm.weight"] = norm()
        weights[layer + "mlp.gate_proj.weight"] = matrix(ffn, hidden)
        weights[layer + "mlp.up_proj.weight"] = matrix(ffn, hidden)
        weights[layer + "mlp.down_proj.weight"] = matrix(hidden, ffn)
    weights["model.norm.weight"] = norm()
    if not tied:
        weights["lm_head.weight"] = matrix(vocab, hidden)
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "vocab_size": vocab,
        "hidden_size": hidden, "intermediate_size": ffn, "num_hidden_layers": layers,
        "num_attention_heads": heads, "num_key_value_heads": groups, "head_dim": head_dim, "rms_norm_eps": eps,
        "rope_theta": rope_theta, "max_position_embeddings": max_positions or segment,
        "tie_word_embeddings": tied, "attention_bias": False, "mlp_bias": False, "torch_dtype": torch_dtype,
        "rope_scaling": None if rope_factor is None else
        {"type" if seed % 2 else "rope_type": "linear", "factor": rope_factor},
    }
    if infini:
        config["infini"] = {"segment_length": segment, "update": update, "first_segment": first_segment,
                            "feature_map": "elu_plus_one", "gate": gate}
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(config, file, indent=1)
    write_weights(folder, weights, kind, shards)
    return load_model(folder)
