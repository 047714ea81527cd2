# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The peers of forward.py: one process a library and thread count, so that any Python can run one.

    PYTHON forward_peers.py torch|jax THREADS

The first line of output says what there is to run; then, for each line of JSON on standard input, the program that it
names runs once on q.npy, k.npy, v.npy, beta.npy of a folder, and a line says how many seconds it took. The results
are written to o.npy, M.npy, z.npy there after the clock has stopped. T is a whole number of segments.
"""
import ctypes
import json
import os
import sys
import time


def blas_kernels():
    """Which kernels the OpenBLAS in this process uses (numpy's own beside PyTorch's, if they are two)."""
    found = set()
    with open("/proc/self/maps") as maps:
        paths = {line.split()[-1] for line in maps if "openblas" in line and ".so" in line}
    for path in sorted(paths):
        library = ctypes.CDLL(path)
        for name in ("openblas_get_corename", "openblas_get_corename64_", "scipy_openblas_get_corename64_"):
            if hasattr(library, name):
                getattr(library, name).restype = ctypes.c_char_p
                found.add(getattr(library, name)().decode())
    return "OpenBLAS " + " ".join(sorted(found)) if found else "unknown"


class Torch:
    """The segments one after the other, as published code has it: the softmax is materialised.

    `sdpa` has PyTorch's fused attention instead, where it is public. Each is timed with PyTorch's own threads on and
    off, and the better time counts.
    """

    def __init__(self, threads):
        import torch
        self.torch, self.threads = torch, threads
        self.programs = ["eager"] + ["sdpa"] * hasattr(torch.nn.functional, "scaled_dot_product_attention")
        self.versions = {"torch": torch.__version__,
                         "blas": "MKL" if torch.backends.mkl.is_available() else blas_kernels()}
        if hasattr(torch.backends, "cpu"):
            self.versions["simd"] = torch.backends.cpu.get_cpu_capability()

    def load(self, np, case, arrays):
        """Rotations and the mask are made once, as a model would."""
        torch, d, N = self.torch, case["d"], case["N"]
        self.inputs = [torch.from_numpy(x) for x in arrays]
        angle = torch.arange(N).double()[:, None] * case["rope_base"] ** (-torch.arange(d // 2).double() * 2 / d)
        self.cos, self.sin = angle.cos().float(), angle.sin().float()
        self.mask = torch.full((N, N), float("-inf")).triu(1)

    def turn(self, x):
        n, half = x.shape[2], x.shape[3] // 2
        c, s, a, b = self.cos[:n], self.sin[:n], x[..., :half], x[..., half:]
        return self.torch.cat([a * c - b * s, b * c + a * s], -1)

    def local(self, q, k, v, fused):
        F, n = self.torch.nn.functional, q.shape[2]
        if fused:
            return F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return F.softmax(q @ k.transpose(2, 3) * q.shape[3] ** -0.5 + self.mask[:n, :n], -1) @ v

    def forward(self, q, k, v, beta, N, fused):
        """[1, H, T, d], [1, G, T, d] twice, [H] to o, M, z; the delta rule."""
        torch, F, parts = self.torch, self.torch.nn.functional, []
        share, gate = q.shape[1] // k.shape[1], torch.sigmoid(beta)[:, None, None]
        over = lambda x: x.repeat_interleave(share, 1) if share > 1 else x
        M = z = None
        for qs, ks, vs in zip(q.split(N, 2), k.split(N, 2), v.split(N, 2)):
            out = self.local(self.turn(qs), over(self.turn(ks)), over(vs), fused)
            sq, sk = F.elu(qs) + 1, F.elu(ks) + 1
            if M is None:
                parts.append((1 - gate) * out)
                M, z = sk.transpose(2, 3) @ vs, sk.sum(2)
                continue
            memory = (sq @ over(M)) / (sq @ over(z)[..., None])
            parts.append(gate * memory + (1 - gate) * out)
            M = M + sk.transpose(2, 3) @ (vs - (sk @ M) / (sk @ z[..., None]))
            z = z + sk.sum(2)
        return torch.cat(parts, 2), M, z

    def run(self, program, case):
        torch, best = self.torch, float("inf")
        with torch.no_grad():
            for own in sorted({1, self.threads}):
                torch.set_num_threads(own)
                start = time.perf_counter()
                results = self.forward(*self.inputs, case["N"], program == "sdpa")
                best = min(best, time.perf_counter() - start)
        return best, [x.numpy() for x in results]


class Jax:
    """The same loop as lax.scan, all of it in one jit; compiled before anything is timed."""

    programs = ["jit"]

    def __init__(self, threads):
        import jax
        self.jax, self.versions = jax, {"jax": jax.__version__, "device": str(jax.devices()[0])}

    def load(self, np, case, arrays):
        jnp = self.jax.numpy
        d, N = case["d"], case["N"]
        angle = np.arange(N)[:, None] * case["rope_base"] ** (-np.arange(d // 2) * 2 / d)
        self.N, self.cos, self.sin = N, *(jnp.asarray(f(angle), "float32") for f in (np.cos, np.sin))
        self.inputs = [jnp.asarray(x) for x in arrays]
        self.compiled = self.jax.jit(self.forward).lower(*self.inputs).compile()

    def forward(self, q, k, v, beta):
        jax, jnp, N, cos, sin = self.jax, self.jax.numpy, self.N, self.cos, self.sin
        (_, H, T, d), G = q.shape, k.shape[1]
        gate, future = jax.nn.sigmoid(beta)[:, None, None], jnp.triu(jnp.ones((N, N), bool), 1)

        def turn(x):
            a, b = jnp.split(x, 2, -1)
            return jnp.concatenate([a * cos - b * sin, b * cos + a * sin], -1)

        def over(x):
            return jnp.repeat(x, H // G, 0) if H > G else x

        def retrieve(s, M, z):
            below = s @ z[..., None]
            return jnp.where(below > 0, s @ M / jnp.where(below > 0, below, 1), 0)

        def segment(state, part):
            (M, z), (qs, ks, vs) = state, part
            scores = turn(qs) @ over(turn(ks)).swapaxes(1, 2) * d ** -0.5
            local = jax.nn.softmax(jnp.where(future, -jnp.inf, scores), -1) @ over(vs)
            sq, sk = jax.nn.elu(qs) + 1, jax.nn.elu(ks) + 1
            out = gate * retrieve(sq, over(M), over(z)) + (1 - gate) * local
            return (M + sk.swapaxes(1, 2) @ (vs - retrieve(sk, M, z)), z + sk.sum(1)), out

        cut = lambda x: x[0].reshape(x.shape[1], T // N, N, d).swapaxes(0, 1)
        (M, z), o = jax.lax.scan(segment, (jnp.zeros((G, d, d)), jnp.zeros((G, d))), (cut(q), cut(k), cut(v)))
        return o.swapaxes(0, 1).reshape(1, H, T, d), M[None], z[None]

    def run(self, program, case):
        start = time.perf_counter()
        results = self.jax.block_until_ready(self.compiled(*self.inputs))
        return time.perf_counter() - start, results


def main():
    kind, threads = sys.argv[1], int(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer

    def answer(value):
        print(json.dumps(value), file=answers, flush=True)

    try:
        import numpy as np
        peer = {"torch": Torch, "jax": Jax}[kind](threads)
    except ImportError as error:
        return answer({"missing": str(error)})
    answer({"programs": peer.programs, "versions": {**peer.versions, "numpy": np.__version__}})
    loaded = None
    for line in sys.stdin:
        case = json.loads(line)
        folder, program = case.pop("folder"), case.pop("program")
        if case != loaded:
            peer.load(np, case, [np.load(os.path.join(folder, f"{name}.npy")) for name in ("q", "k", "v", "beta")])
            loaded = case
        seconds, results = peer.run(program, case)
        for name, x in zip("oMz", results):
            np.save(os.path.join(folder, f"{name}.npy"), np.asarray(x))
        answer({"seconds": seconds})


if __name__ == "__main__":
    main()
