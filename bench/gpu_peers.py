# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The peers of gpu.py, the inputs of all that is timed, and the float64 references: one process with PyTorch.

    python3 gpu_peers.py DEVICE        (cuda, or cpu to try it out)

A line of JSON comes in, a line goes out. Times are those of the host's clock around a call and a synchronisation, as
infini-run --repeat has them. q, k, v are [1, H, T, d] in bf16, M [1, H, d, d] and z [1, H, d] in f32, the delta rule.
"""
import functools
import json
import os
import sys
import time
import traceback

import numpy as np
import torch
import torch.nn.functional as F

ROPE_BASE = 1.0e4
# Bounds: three times the error of the eager loop in the same types, at least this; and of peers this.
FLOOR, PEER_LIMIT, ROW_FACTOR = 3e-3, 3e-2, 10
OUTPUTS = {"forward": "oMz", "state": "Mz", "local": "o", "dense": "o"}


def rope_table(N, d, device, dtype):
    angle = torch.arange(N).double()[:, None] * ROPE_BASE ** (-torch.arange(d // 2).double() * 2 / d)
    return angle.cos().to(device, dtype), angle.sin().to(device, dtype)


def turn(x, table):
    (c, s), half = table, x.shape[-1] // 2
    c, s, a, b = c[:x.shape[-2]], s[:x.shape[-2]], x[..., :half], x[..., half:]
    return torch.cat([a * c - b * s, b * c + a * s], -1)


def sigma(x):
    return F.elu(x) + 1


def share(numerator, denominator):
    """0 where the memory is empty."""
    return numerator / denominator.clamp_min(torch.finfo(torch.float32).tiny)


# --------------------------------------------------------------------------------------------------------
# The definition, in float64
# --------------------------------------------------------------------------------------------------------

def reference(q, k, v, beta, N):
    """o, M, z by the formulas of docs/semantics.md, a few heads at a time; q None: the states alone; beta None:
    local attention alone, without rotations."""
    outs, Ms, zs = [], [], []
    (batch, H, T, d), dv = k.shape, v.shape[3]
    table = rope_table(N, d, k.device, torch.float64)
    future = torch.ones(N, N, dtype=torch.bool, device=k.device).triu(1)
    for b in range(batch):
        for h in range(0, H, 4):
            heads = slice(h, h + 4)
            some = [None if x is None else x[b, heads].double() for x in (q, k, v)]
            M = some[1].new_zeros(some[1].shape[0], d, dv)
            z, parts = M.new_zeros(M.shape[0], d), []
            for begin in range(0, T, N):
                qs, ks, vs = (None if x is None else x[:, begin:begin + N] for x in some)
                n = ks.shape[1]
                if qs is not None:
                    qr, kr = (qs, ks) if beta is None else (turn(qs, table), turn(ks, table))
                    scores = (qr @ kr.transpose(1, 2) * d ** -0.5).masked_fill(future[:n, :n], float("-inf"))
                    local = torch.softmax(scores, -1) @ vs
                    if beta is None:
                        parts.append(local)
                        continue
                    g = torch.sigmoid(beta[heads].double())[:, None, None]
                    sq = torch.where(qs > 0, qs + 1, qs.exp())
                    below = sq @ z[..., None]
                    parts.append(g * torch.where(below > 0, sq @ M / below, 0.0) + (1 - g) * local)
                sk = torch.where(ks > 0, ks + 1, ks.exp())
                below = sk @ z[..., None]
                value = vs - torch.where(below > 0, sk @ M / below, 0.0)
                M, z = M + sk.transpose(1, 2) @ value, z + sk.sum(1)
            outs.append(torch.cat(parts, 1) if parts else None)
            Ms.append(M)
            zs.append(z)

    def whole(parts):
        return None if parts[0] is None else torch.cat(parts).reshape(batch, H, *parts[0].shape[1:])
    return {"o": whole(outs), "M": whole(Ms), "z": whole(zs)}


# --------------------------------------------------------------------------------------------------------
# The peers
# --------------------------------------------------------------------------------------------------------

def segment(qs, ks, vs, gate, M, z, table, mask, fused):
    """One segment, [1, H, n, d]; M and z stay in f32."""
    turned, kept = (turn(qs, table), turn(ks, table)) if qs is not None else (None, None)
    out = None
    if qs is not None and fused:
        out = F.scaled_dot_product_attention(turned, kept, vs, is_causal=True)
    elif qs is not None:
        out = F.softmax(turned @ kept.transpose(2, 3) * qs.shape[3] ** -0.5 + mask, -1) @ vs
    sk = sigma(ks)
    low, below = M.to(ks.dtype), z.to(ks.dtype)[..., None]
    if qs is not None:
        sq = sigma(qs)
        out = gate * share(sq @ low, sq @ below) + (1 - gate) * out
    M = M + (sk.transpose(2, 3) @ (vs - share(sk @ low, sk @ below))).float()
    return out, M, z + sk.float().sum(2)


def loop(q, k, v, gate, N, table, mask, step):
    """The segments one after the other, as published code has it."""
    _, H, T, d = k.shape
    M = torch.zeros(1, H, d, v.shape[3], device=k.device)
    z, outs = torch.zeros(1, H, d, device=k.device), []
    for begin in range(0, T, N):
        part = slice(begin, begin + N)
        out, M, z = step(None if q is None else q[:, :, part], k[:, :, part], v[:, :, part], gate, M, z, table, mask)
        outs.append(out)
    return None if q is None else torch.cat(outs, 2), M, z


def strong(q, k, v, gate, N, table):
    """Segments folded into the batch: one attention, batched products, and a loop over M alone."""
    _, H, T, d = k.shape
    S = T // N
    ks, vs = k.view(H, S, N, d), v.view(H, S, N, -1)
    sk = sigma(ks)
    sums = sk.sum(2, dtype=torch.float32)
    zs = torch.cat([torch.zeros_like(sums[:, :1]), sums.cumsum(1)], 1)  # before each segment, and after the last
    low = zs[:, :S].to(k.dtype)[..., None]
    turned = sk.transpose(2, 3)
    added = (turned @ vs).float()
    kept = (turned[:, 1:] @ (sk[:, 1:] / (sk[:, 1:] @ low[:, 1:]))).float()  # the first memory is empty
    Ms = [torch.zeros(H, d, vs.shape[3], device=k.device)]
    M = added[:, 0]
    for s in range(1, S):
        Ms.append(M)
        M = torch.baddbmm(M + added[:, s], kept[:, s - 1], M, alpha=-1)
    if q is None:
        return None, M[None], zs[:, S][None]
    qs = q.view(H, S, N, d)
    local = F.scaled_dot_product_attention(turn(qs, table), turn(ks, table), vs, is_causal=True)
    sq = sigma(qs)
    memory = share(sq @ torch.stack(Ms, 1).to(q.dtype), sq @ low)
    g = gate.view(H, 1, 1, 1)
    return (g * memory + (1 - g) * local).view(q.shape), M[None], zs[:, S][None]


def with_backend(name, function):
    """SDPA by one of its programs; where PyTorch does not let one choose, by its own choice."""
    def call(*args):
        try:
            from torch.nn.attention import SDPBackend, sdpa_kernel
        except ImportError:
            return function(*args)
        with sdpa_kernel([getattr(SDPBackend, name)]):
            return function(*args)
    return call


class Case:
    """What is timed at present: inputs, reference, and programs by name."""

    def __init__(self, device, case):
        self.device, self.case, self.kind = device, case, case["kind"]
        generator = torch.Generator(device).manual_seed(case.get("seed", 1))
        self.draw = lambda *shape: torch.randn(*shape, generator=generator, device=device).bfloat16()
        getattr(self, self.kind)(**{key: case[key] for key in ("d", "N", "T", "H", "m", "n", "k") if key in case})
        self.limits = {}

    def heads(self, d, N, H):
        table = rope_table(N, d, self.device, torch.bfloat16)
        mask = torch.full((N, N), float("-inf"), device=self.device).triu(1).bfloat16()
        return table, mask

    def forward(self, d, N, T, H):
        q, k, v = (self.draw(1, H, T, d) for _ in range(3))
        beta = self.draw(H)
        self.inputs = {"q": q, "k": k, "v": v, "beta": beta}
        gate = torch.sigmoid(beta.float()).bfloat16()[:, None, None]
        self.reference = reference(q, k, v, beta, N)
        self.loops(q, k, v, gate, d, N, H)

    def state(self, d, N, T, H):
        k, v = (self.draw(1, H, T, d) for _ in range(2))
        self.inputs = {"k": k, "v": v}
        self.reference = reference(None, k, v, None, N)
        self.loops(None, k, v, None, d, N, H)

    def loops(self, q, k, v, gate, d, N, H):
        table, mask = self.heads(d, N, H)
        def steps(fused):
            return functools.partial(segment, fused=fused)
        self.programs = {"eager loop": lambda: loop(q, k, v, gate, N, table, mask, steps(False))}
        self.compiled = {}
        # One compilation for each form: each call finds it again.
        step = torch.compile(steps(True), dynamic=False) if hasattr(torch, "compile") else None
        if q is not None:
            self.programs["loop, SDPA"] = lambda: loop(q, k, v, gate, N, table, mask, steps(True))
            for name, backend in (("flash", "FLASH_ATTENTION"), ("cuDNN", "CUDNN_ATTENTION")):
                if self.device != "cpu":
                    self.programs[f"folded, {name}"] = with_backend(
                        backend, lambda: strong(q, k, v, gate, N, table))
            if self.device == "cpu":
                self.programs["folded"] = lambda: strong(q, k, v, gate, N, table)
        else:
            self.programs["folded"] = lambda: strong(q, k, v, gate, N, table)
        if step:
            self.compiled["loop, compiled"] = lambda: loop(q, k, v, gate, N, table, mask, step)
            whole = torch.compile(strong, dynamic=False)
            self.compiled["folded, compiled"] = lambda: whole(q, k, v, gate, N, table)

    def local(self, d, N, T, H):
        q, k, v = (self.draw(T // N, H, N, d) for _ in range(3))
        self.inputs = {"q": q, "k": k, "v": v}
        self.reference = {"o": reference(q, k, v, None, N)["o"]}
        mask = self.heads(d, N, H)[1]
        attend = lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True)
        self.programs = {"eager": lambda: torch.cat([
            F.softmax(a @ b.transpose(1, 2) * d ** -0.5 + mask, -1) @ c for a, b, c in zip(q, k, v)]).view(q.shape)}
        self.compiled = {}
        for name, backend in (("flash", "FLASH_ATTENTION"), ("cuDNN", "CUDNN_ATTENTION")):
            if self.device != "cpu":
                self.programs[name] = with_backend(backend, attend)

    def dense(self, m, n, k):
        a, w = self.draw(m, k), self.draw(n, k)
        self.inputs = {"a": a, "w": w}
        self.reference = {"o": a.double() @ w.double().T}
        self.programs, self.compiled = {"cuBLAS": lambda: F.linear(a, w)}, {}

    def write_inputs(self, folder):
        for name, x in self.inputs.items():
            np.save(os.path.join(folder, f"{name}.npy"), x.contiguous().view(torch.int16).cpu().numpy().view(np.uint16))

    def call(self, program):
        with torch.no_grad():
            found = {**self.programs, **self.compiled}[program]()
        names = OUTPUTS[self.kind]
        found = found if isinstance(found, tuple) else (found,)
        return dict(zip(names, [x for x in found if x is not None]))

    def errors(self, found):
        """name: (relative error, worst row's error); rows are relative to the root mean square of all."""
        errors = {}
        for name, ref in self.reference.items():
            if ref is None:
                continue
            size, total, worst = 0.0, 0.0, 0.0
            rows = ref.reshape(-1, ref.shape[-1])
            given = found[name].reshape(rows.shape)
            for begin in range(0, len(rows), 1 << 18):  # a part at a time
                part = rows[begin:begin + (1 << 18)]
                wrong = (given[begin:begin + (1 << 18)].double() - part).norm(dim=1)
                wrong = torch.where(wrong.isfinite(), wrong, float("inf"))
                size, total = size + part.pow(2).sum().item(), total + wrong.pow(2).sum().item()
                worst = max(worst, wrong.max().item())
            errors[name] = ((total / size) ** 0.5, worst / (size / len(rows)) ** 0.5)
        return errors


class Peers:
    def __init__(self, device):
        self.device, self.case = device, None
        if device != "cpu":
            torch.cuda.set_device(torch.device(device).index or 0)

    def synchronize(self):
        if self.device != "cpu":
            torch.cuda.synchronize()

    def hello(self):
        versions = {"torch": torch.__version__, "cuda": torch.version.cuda, "numpy": np.__version__}
        if self.device != "cpu":
            properties = torch.cuda.get_device_properties(torch.cuda.current_device())
            versions.update(device=properties.name, multiprocessors=properties.multi_processor_count,
                            memory=properties.total_memory, cudnn=torch.backends.cudnn.version())
        return versions

    def verify(self, folder, N, outputs):
        """The float64 program here against stored results of the numpy oracle: the largest relative error."""
        def load(name):
            x = np.load(os.path.join(folder, f"{name}.npy"))
            x = torch.from_numpy(x.view(np.int16)).view(torch.bfloat16) if x.dtype == np.uint16 else torch.from_numpy(x)
            return x.to(self.device)
        q, k, v, beta = (load(f"in{i}") for i in range(4))
        over = q.shape[1] // k.shape[1]
        # Each query head with its own copy: M and z of a group come several times.
        found = reference(q, k.repeat_interleave(over, 1), v.repeat_interleave(over, 1), beta, N)
        worst = 0.0
        for name in outputs:
            ref = load(name).double()
            got = found[name] if name == "o" else found[name][:, ::over]
            worst = max(worst, ((got - ref).norm() / ref.norm()).item())
        return {"error": worst}

    def load(self, folder, **case):
        self.case = None
        if hasattr(torch, "compiler"):
            torch.compiler.reset()  # it takes a few shapes of a function only
        if self.device != "cpu":
            torch.cuda.empty_cache()
        self.case = Case(self.device, case)
        self.case.write_inputs(folder)
        first = next(iter(self.case.programs))
        naive = self.case.errors(self.case.call(first))
        self.case.limits = {name: max(FLOOR, 3 * error) for name, (error, _) in naive.items()}
        return {"programs": list(self.case.programs), "compiled": list(self.case.compiled),
                "limits": self.case.limits, "naive": {name: error for name, (error, _) in naive.items()}}

    def judge(self, found, limits):
        """What is wrong, or None, and the errors."""
        errors = self.case.errors(found)
        wrong = [f"{name}: relative error {error:.3g} (bound {limits[name]:.3g}), worst row {row:.3g} (bound "
                 f"{ROW_FACTOR * limits[name]:.3g})" for name, (error, row) in errors.items()
                 if not (error <= limits[name] and row <= ROW_FACTOR * limits[name])]
        return {"errors": {name: error for name, (error, _) in errors.items()}, "wrong": "; ".join(wrong) or None}

    def read(self, folder):
        found = {}
        for name in OUTPUTS[self.case.kind]:
            x = np.load(os.path.join(folder, f"{name}.npy"))
            x = torch.from_numpy(x.view(np.int16)).view(torch.bfloat16) if x.dtype == np.uint16 else torch.from_numpy(x)
            wanted = tuple(self.case.reference[name].shape)
            if x.shape != wanted:
                raise ValueError(f"{name} has shape {tuple(x.shape)}, expected {wanted}")
            found[name] = x.to(self.device)
        return found

    def check(self, folder, control=False):
        """infini's results; with `control` also whether one wrong element of the first would be seen."""
        found = self.read(folder)
        answer = self.judge(found, self.case.limits)
        if control:
            name = next(iter(found))
            flat = found[name].view(-1)
            place = flat[:1 << 16].abs().argmax()
            flat[place] = -flat[place]
            answer["control"] = self.judge({**found, name: found[name]}, self.case.limits)["wrong"] is not None
        return answer

    def time(self, program, repeats):
        """A warm-up whose result is checked, then `repeats` timed calls."""
        judged = self.judge(self.case.call(program), dict.fromkeys(self.case.limits, PEER_LIMIT))
        if judged["wrong"]:
            return judged
        self.synchronize()
        seconds = []
        for _ in range(repeats):
            start = time.perf_counter()
            self.case.call(program)
            self.synchronize()
            seconds.append(time.perf_counter() - start)
        return {**judged, "seconds": seconds}

    def ceilings(self, n=8192, count=1 << 31):
        """What the device does at best: a product of n x n in bf16, and a copy, bytes read and written."""
        a, b = (torch.randn(n, n, device=self.device).bfloat16() for _ in range(2))
        x = torch.empty(count, dtype=torch.uint8, device=self.device)
        y = torch.empty_like(x)
        best = {}
        for name, work, call in (("tflops", 2 * n ** 3 * 1e-12, lambda: a @ b),
                                 ("gb_per_s", 2 * count * 1e-9, lambda: y.copy_(x))):
            call()
            times = []
            for _ in range(5):
                self.synchronize()
                start = time.perf_counter()
                for _ in range(4):
                    call()
                self.synchronize()
                times.append((time.perf_counter() - start) / 4)
            best[name] = work / min(times)
        return best


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    torch.set_float32_matmul_precision("high") if hasattr(torch, "set_float32_matmul_precision") else None
    peers = Peers(sys.argv[1])
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(peers, request.pop("do"))(**request) or {}
        except Exception as error:  # said to the one who asked
            traceback.print_exc()
            answer = {"failed": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:300]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
