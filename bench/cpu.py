#!/usr/bin/env python3
# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whole models on a CPU: infini against an eager PyTorch program, on the same cores in the same run.

Both compute the logits of all tokens in f32. Each result is checked against the float64 oracle before anything is
timed, and a wrong one ends the program without a speed. Runs are interleaved, and the best of each counts.

infini's time is that of the whole process: start, mapping the weights, the run, and writing the logits.
PyTorch's is that of the forward pass alone, in a process that is warm.

Each thread count has a process of its own, pinned to that many cores: torch.set_num_threads does not reach a
threaded OpenBLAS. OpenMP's workers sleep when idle; spinning, they take the cores from OpenBLAS's, and PyTorch runs at
a third of its speed. PyTorch is timed with its own threads on and off, and its better time counts.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import common
from common import ROOT

LIMIT = 2e-6  # relative error of f32 logits against float64

MID = dict(seed=1, vocab=256, hidden=512, ffn=1408, layers=8, heads=8, groups=8, head_dim=64, segment=512)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    common.add_options(parser)
    parser.add_argument("--tokens", type=int, nargs=2, default=[16384, 4096], help="of the passkey and the mid model")
    parser.add_argument("--models", nargs="+", choices=["passkey", "mid"], default=["passkey", "mid"])
    parser.add_argument("--worker", metavar="FILE", help=argparse.SUPPRESS)  # a process of measure_threads
    return common.parse(parser)


class Eager:
    """The model of semantics section 3 in PyTorch, segment by segment, as published code has it.

    Per segment: q [H, n, d], k and v [G, n, d]; M [G, d, d], z [G, d]; the softmax is materialised.
    """

    def __init__(self, torch, model):
        self.torch, self.m = torch, model
        self.w = {name: torch.from_numpy(x.copy()) for name, x in model.weights.items()}
        d, N = model.head_dim, model.segment
        angle = torch.arange(N).double()[:, None] * float(model.rope_base) ** (
            -torch.arange(d // 2).double() * 2 / d) / model.rope_factor
        self.cos, self.sin = angle.cos().float(), angle.sin().float()
        self.mask = torch.full((N, N), float("-inf")).triu(1)
        self.gates = [torch.sigmoid(self.w[f"model.layers.{i}.self_attn.beta"]).view(model.heads, 1, -1)
                      for i in range(model.layers)]
        self.head = self.w["model.embed_tokens.weight" if model.config["tie_word_embeddings"] else "lm_head.weight"]

    def norm(self, x, name):
        return x * self.torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.m.eps) * self.w[name]

    def turn(self, x):
        n, half = x.shape[1], x.shape[2] // 2
        c, s, a, b = self.cos[:n], self.sin[:n], x[..., :half], x[..., half:]
        return self.torch.cat([a * c - b * s, b * c + a * s], -1)

    def attention(self, x, i, state):
        m, F, p = self.m, self.torch.nn.functional, f"model.layers.{i}.self_attn."
        n, d, share = x.shape[0], m.head_dim, m.heads // m.groups
        q, k, v = (F.linear(x, self.w[p + f"{name}_proj.weight"]).view(n, -1, d).transpose(0, 1) for name in "qkv")
        over = lambda t: t.repeat_interleave(share, 0) if share > 1 else t
        scores = self.turn(q) @ over(self.turn(k)).transpose(1, 2) * d ** -0.5 + self.mask[:n, :n]
        out = F.softmax(scores, -1) @ over(v)
        sq, sk = F.elu(q) + 1, F.elu(k) + 1
        if state is None:
            memory, new, M, z = 0.0, v, 0.0, 0.0
        else:
            M, z = state
            memory = (sq @ over(M)) / (sq @ over(z)[..., None])
            new = v - (sk @ M) / (sk @ z[..., None]) if m.update == "delta" else v
        if state is not None or m.first_segment == "zero_memory":
            out = self.gates[i] * memory + (1 - self.gates[i]) * out
        state = (M + sk.transpose(1, 2) @ new, z + sk.sum(1)) if n == m.segment else state
        return F.linear(out.transpose(0, 1).reshape(n, -1), self.w[p + "o_proj.weight"]), state

    def __call__(self, tokens):
        """[T] to [T, V]."""
        torch, F, m = self.torch, self.torch.nn.functional, self.m
        states, logits = [None] * m.layers, []
        with torch.no_grad():
            for part in torch.from_numpy(tokens).split(m.segment):
                x = F.embedding(part, self.w["model.embed_tokens.weight"])
                for i in range(m.layers):
                    p = f"model.layers.{i}."
                    y, states[i] = self.attention(self.norm(x, p + "input_layernorm.weight"), i, states[i])
                    x = x + y
                    h = self.norm(x, p + "post_attention_layernorm.weight")
                    h = F.silu(F.linear(h, self.w[p + "mlp.gate_proj.weight"])) * F.linear(
                        h, self.w[p + "mlp.up_proj.weight"])
                    x = x + F.linear(h, self.w[p + "mlp.down_proj.weight"])
                logits.append(F.linear(self.norm(x, "model.norm.weight"), self.head))
            return torch.cat(logits).numpy()


class Infini:
    """infini-run on a package, with files in memory where the machine has such a folder."""

    def __init__(self, folder, binaries, model_folder):
        self.run, self.weights = os.path.join(binaries, "infini-run"), model_folder
        self.package, self.ids, self.logits = (os.path.join(folder, n) for n in ("p.infini", "ids.npy", "l.npy"))
        start = time.perf_counter()
        common.call([os.path.join(binaries, "infini-compile"), model_folder, "-o", self.package])
        self.compile_seconds = time.perf_counter() - start
        self.stats = ""

    def __call__(self, np, tokens, threads):
        """[T] to ([T, V], seconds of the whole process)."""
        np.save(self.ids, tokens)
        start = time.perf_counter()
        done = common.call([self.run, self.package, "--weights", self.weights, "--tokens", f"@{self.ids}",
                            "--logits-out", f"@{self.logits}", "--threads", str(threads), "--stats"])
        seconds = time.perf_counter() - start
        self.stats = (done.stdout + done.stderr).strip()
        return np.load(self.logits), seconds


def measure(a, np, torch, oracle, name, folder, tokens, threads):
    """One table row: check, warm up, then a.rounds interleaved runs."""
    model_folder = os.path.join(ROOT, "examples", "passkey") if name == "passkey" else os.path.join(folder, "mid")
    if name == "mid" and not os.path.exists(model_folder):
        oracle.make_model(model_folder, **MID)
    model = oracle.load_model(model_folder)
    eager, infini = Eager(torch, model), Infini(folder, a.bin, model_folder)
    ids = np.random.default_rng(1).integers(0, model.vocab, tokens)
    short = ids[:min(tokens, 4 * model.segment + 5)]
    ref, _ = oracle.forward(model, short)
    errors = {"infini": common.refuse_wrong(np, "infini", infini(np, short, threads)[0], ref, LIMIT),
              "PyTorch": common.refuse_wrong(np, "PyTorch", eager(short), ref, LIMIT)}
    ref, _ = oracle.forward(model, ids)
    times, starts = {"infini": [], "PyTorch": []}, []
    for _ in range(a.rounds):
        logits, seconds = infini(np, ids, threads)
        common.refuse_wrong(np, "infini", logits, ref, LIMIT)
        times["infini"].append(seconds)
        better = float("inf")
        for own in sorted({1, threads}):
            torch.set_num_threads(own)
            start = time.perf_counter()
            logits = eager(ids)
            better = min(better, time.perf_counter() - start)
            common.refuse_wrong(np, "PyTorch", logits, ref, LIMIT)
        times["PyTorch"].append(better)
        starts.append(infini(np, ids[:1], threads)[1])
    best = {key: min(value) for key, value in times.items()}
    return {"model": name, "tokens": tokens, "threads": threads, "relative_error": errors, "seconds": times,
            "best_seconds": best, "infini_one_token_seconds": min(starts),
            "infini_compile_seconds": infini.compile_seconds,
            "tokens_per_second": {key: tokens / value for key, value in best.items()},
            "infini_stats": infini.stats}


def compare(row, rivals):
    """Adds the ratios to a row: infini against PyTorch's best with as many threads or fewer (small matrices)."""
    peer, own = min(r["best_seconds"]["PyTorch"] for r in rivals), row["best_seconds"]["infini"]
    row["ratio"] = peer / own
    row["ratio_without_start"] = peer / max(own - row["infini_one_token_seconds"], 1e-9)


def table(report):
    """The report as Markdown."""
    m = report["machine"]
    lines = [f"{m['cpu']}, {m['cores']} cores; commit {report['commit']}; {report['date']}; PyTorch {report['torch']}; "
             f"f32, logits of all tokens, best of {report['rounds']} interleaved runs. "
             "Ratio: to PyTorch's best with as many threads or fewer.", "",
             "| model | tokens | threads | infini tokens/s | PyTorch eager tokens/s | ratio | less process start "
             "| rel. error infini / PyTorch |", "|---|---|---|---|---|---|---|---|"]
    for row in report["rows"]:
        speed, error = row["tokens_per_second"], row["relative_error"]
        lines.append(f"| {row['model']} | {row['tokens']:,} | {row['threads']} | {speed['infini']:,.0f} "
                     f"| {speed['PyTorch']:,.0f} | {row['ratio']:.2f} | {row['ratio_without_start']:.2f} "
                     f"| {error['infini']:.1e} / {error['PyTorch']:.1e} |")
    return "\n".join(lines) + "\n"


def worker(a):
    """Measures the models with a.threads[0] threads, and writes what it found to a.worker."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:a.threads[0]])  # before OpenBLAS counts the cores
    import numpy as np
    import infini_numpy as oracle
    try:
        import torch
    except ImportError:
        raise SystemExit("error: no PyTorch for this interpreter (Debian: apt-get install python3-torch, "
                         "then /usr/bin/python3)")
    rows = []
    with tempfile.TemporaryDirectory(dir=common.memory_folder()) as folder:
        for name, tokens in zip(("passkey", "mid"), a.tokens):
            if name in a.models:
                rows.append(measure(a, np, torch, oracle, name, folder, tokens, a.threads[0]))
                print(f"{name}, {a.threads[0]} threads: done", file=sys.stderr, flush=True)
    with open(a.worker, "w") as file:
        json.dump({"torch": torch.__version__, "numpy": np.__version__, "rows": rows}, file)


def measure_threads(a, threads, rows):
    """Runs a worker; appends to `rows`, and returns the versions it found."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rows.json")
        command = [sys.executable, os.path.abspath(__file__), "--worker", path,
                   "--bin", os.path.abspath(a.bin), "--threads", threads, "--rounds", a.rounds,
                   "--tokens", *a.tokens, "--models", *a.models]
        done = subprocess.run([str(c) for c in command], env=common.peer_environment(threads))
        if done.returncode:
            raise SystemExit(done.returncode)
        with open(path) as file:
            found = json.load(file)
    rows += found.pop("rows")
    return found


def main():
    a = arguments()
    if a.worker:
        return worker(a)
    common.need_binaries(a.bin)
    report = common.new_report(a.rounds)
    for threads in a.threads:
        report.update(measure_threads(a, threads, report["rows"]))
    report["rows"].sort(key=lambda row: (row["model"] != "passkey", row["threads"]))
    for row in report["rows"]:
        compare(row, [r for r in report["rows"] if r["model"] == row["model"] and r["threads"] <= row["threads"]])
    path = common.results_path(report, a.results)
    with open(path + ".json", "w") as file:
        json.dump(report, file, indent=1)
    with open(path + ".md", "w") as file:
        file.write(table(report))
    print(table(report), end="")


if __name__ == "__main__":
    main()
