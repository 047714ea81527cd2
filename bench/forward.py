#!/usr/bin/env python3
# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The fused forward of Infini-attention on a CPU: infini against PyTorch, JAX, and the machine's peak, in one run.

q [1, H, T, d], k and v [1, G, T, d], beta [H] to o [1, H, T, d], M, z, in f32: RoPE, local attention in segments of N
tokens, and a memory with the delta rule. Every result, timed or not, is checked against the float64 oracle, and a
wrong one ends the program without a speed. Runs are interleaved, thread counts too, and the best of each counts.

infini's time is the `time:` of infini-run --stats: the call of the function, once in a fresh process, hence with the
page faults of its outputs and its buffers; not the start, nor reading and writing files. infini-run has no way to
repeat a call. The peers' time is that of a call in a warm process: compiled, and with memory it has used before.

The peers run the segments one after the other: PyTorch eager, with the softmax materialised, as published code has it
(Debian's, and a newer one, where the virtual environment has it, also with its fused attention), and JAX, one jit
with lax.scan over segments. Each peer has a process for each thread count, pinned to that many cores, as infini has;
see cpu.py for why. Their idle workers sleep.

FLOPs: local attention 2TNdH (the causal half of 4TNd a head), retrieval 2Tdd a head, update with the delta rule
4Tdd a head; nothing else is counted. The peak is that of fma_peak.cpp, measured between the others' runs.

    /usr/bin/python3 bench/forward.py --install       # JAX into the virtual environment, once (torch: gigabytes)
    /usr/bin/python3 bench/forward.py [--quick]
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import common

# The checks between runs leave no threads behind that spin on the cores.
INHERITED = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
os.environ["OPENBLAS_NUM_THREADS"] = "1"

DEBIAN = "/usr/bin/python3"
HEADS = GROUPS = 8
ROPE_BASE = 1.0e4
LIMIT = {"o": 2e-6, "M": 4e-6, "z": 2e-6}  # relative errors of f32 against float64
PEAK_GOALS = {(64, 512): 0.45, (128, 2048): 0.60}  # the table's cases: d, N, and the share of the peak
RATIO_GOALS = {"eager": 2.0, "jit": 1.3}
THREADS_GOAL = 0.90
PACKAGES = {"jax": "jax[cpu]", "torch": "torch"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    common.add_options(parser)
    parser.add_argument("--parts", nargs="+", choices=["table", "tokens", "segments"],
                        default=["table", "tokens", "segments"], help="the table, and the plots over T and over N")
    parser.add_argument("--quick", action="store_true",
                        help="in a minute: 3 rounds, fewer tokens, points, and peers; no result to show")
    parser.add_argument("--schedule", help="passed to infini-compile")
    parser.add_argument("--venv", default=os.path.expanduser("~/.cache/infini-bench-venv"),
                        help="the virtual environment of JAX and a newer PyTorch")
    parser.add_argument("--install", nargs="*", choices=sorted(PACKAGES), metavar="PEER",
                        help="make the virtual environment, install peers from PyPI (jax, torch; default jax), and end")
    a = common.parse(parser)
    if a.quick:
        a.rounds = 3
    return a


def install(a):
    peers = a.install or ["jax"]
    try:
        subprocess.run([DEBIAN, "-m", "venv", a.venv], check=True)
        subprocess.run([os.path.join(a.venv, "bin", "pip"), "install", *(PACKAGES[p] for p in peers)], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(f"error: {error} (Debian: apt-get install python3-venv)")


def flops(d, N, T):
    return HEADS * T * (2 * N * d + 2 * d * d) + GROUPS * T * 4 * d * d


def function(d, N):
    """The function as ops, with a dynamic T."""
    seq, kv, beta = f"tensor<1x{HEADS}x?x{d}xf32>", f"tensor<1x{GROUPS}x?x{d}xf32>", f"tensor<{HEADS}xf32>"
    mem, norm = f"tensor<1x{GROUPS}x{d}x{d}xf32>", f"tensor<1x{GROUPS}x{d}xf32>"
    return f"""
func.func @forward(%q: {seq}, %k: {kv}, %v: {kv}, %beta: {beta}) -> ({seq}, {mem}, {norm}) {{
  %M0 = arith.constant dense<0.0> : {mem}
  %z0 = arith.constant dense<0.0> : {norm}
  %o, %M, %z = infini.segment_scan sequences(%q, %k, %v : {seq}, {kv}, {kv})
      invariants(%beta : {beta}) states(%M0, %z0 : {mem}, {norm})
      attributes {{segment_length = {N} : i64, sequence_axes = array<i64: 2, 2, 2>, output_axes = array<i64: 2>}} {{
  ^bb0(%qs: {seq}, %ks: {kv}, %vs: {kv}, %b: {beta}, %Ms: {mem}, %zs: {norm}):
    %qr = infini.rope %qs {{base = {ROPE_BASE:e} : f64}} : {seq}
    %kr = infini.rope %ks {{base = {ROPE_BASE:e} : f64}} : {kv}
    %dot = infini.segment_attention %qr, %kr, %vs : ({seq}, {kv}, {kv}) -> {seq}
    %sq = infini.feature_map %qs : {seq}
    %sk = infini.feature_map %ks : {kv}
    %mem = infini.memory_retrieve %sq, %Ms, %zs : ({seq}, {mem}, {norm}) -> {seq}
    %a = infini.gate %mem, %dot, %b : {seq}, {beta}
    %M1, %z1 = infini.memory_update %sk, %vs, %Ms, %zs {{update = #infini.update<delta>}} : {kv}, {kv}, {mem}, {norm}
    infini.yield %a, %M1, %z1 : {seq}, {mem}, {norm}
  }} -> {seq}, {mem}, {norm}
  return %o, %M, %z : {seq}, {mem}, {norm}
}}
"""


def pinned(threads):
    """What a child does before it starts: it keeps to so many cores."""
    cores = sorted(os.sched_getaffinity(0))[:threads]
    return lambda: os.sched_setaffinity(0, cores)


class Truth:
    """Inputs of up to T tokens and the float64 results of each whole number of segments."""

    def __init__(self, np, oracle, d, N, T):
        self.N, rng = N, np.random.default_rng(1)
        shapes = {"q": (1, HEADS, T, d), "k": (1, GROUPS, T, d), "v": (1, GROUPS, T, d), "beta": (HEADS,)}
        self.inputs = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
        q, k, v, beta = (x.astype(np.float64) for x in self.inputs.values())
        self.o, _, _ = oracle.infini_attention(q, k, v, beta, N, rope_base=ROPE_BASE)
        self.Ms, self.zs = oracle.memory_loop(oracle.elu_plus_one(k), v, np.zeros((1, GROUPS, d, d)),
                                              np.zeros((1, GROUPS, d)), N, "delta")

    def write_inputs(self, np, folder, T):
        for name, x in self.inputs.items():
            np.save(os.path.join(folder, f"{name}.npy"), np.ascontiguousarray(x[:, :, :T]) if x.ndim == 4 else x)

    def errors(self, np, program, folder, T):
        """Checks the results in a folder, and takes them away."""
        right = {"o": self.o[:, :, :T], "M": self.Ms[T // self.N], "z": self.zs[T // self.N]}
        found = {}
        for name, ref in right.items():
            path = os.path.join(folder, f"{name}.npy")
            found[name] = common.refuse_wrong(np, f"{program}, {name}", np.load(path), ref, LIMIT[name])
            os.remove(path)
        return found


class Infini:
    """infini-run on a package for each d and N."""

    name = "infini"

    def __init__(self, a, folder):
        self.compiler, self.schedule, self.folder = os.path.join(a.bin, "infini-compile"), a.schedule, folder
        self.run = shutil.copy(os.path.join(a.bin, "infini-run"), folder)  # a build beside does not change it
        self.packages, self.stats, self.kernel = {}, "", "unknown"
        self.env = {**{name: value for name, value in INHERITED.items() if not name.startswith("OMP_")},
                    "OPENBLAS_VERBOSE": "2"}  # it then says which kernels it uses

    def package(self, d, N):
        if (d, N) not in self.packages:
            source, package = (os.path.join(self.folder, f"{d}-{N}.{end}") for end in ("mlir", "infini"))
            with open(source, "w") as file:
                file.write(function(d, N))
            common.call([self.compiler, source, "-o", package,
                         *([f"--schedule={self.schedule}"] if self.schedule else [])], self.env)
            self.packages[d, N] = package
        return self.packages[d, N]

    def __call__(self, case, folder, threads):
        files = [part for name in ("q", "k", "v", "beta") for part in ("--input", f"@{folder}/{name}.npy")]
        files += [part for name in "oMz" for part in ("--output", f"@{folder}/{name}.npy")]
        done = common.call([self.run, self.package(case["d"], case["N"]), *files, "--threads", str(threads),
                            "--stats"], self.env, preexec_fn=pinned(threads))
        self.stats = done.stderr.strip()
        self.kernel = (re.findall(r"^Core: (\S+)", self.stats, re.M) or [self.kernel])[0]
        return float(re.search(r"^time:\s+([0-9.]+) s", self.stats, re.M).group(1))


class Peer:
    """A process of forward_peers.py for each thread count."""

    def __init__(self, label, python, kind, thread_counts):
        self.label, self.processes, self.programs, self.versions, self.missing = label, {}, [], {}, None
        for threads in thread_counts:
            if not os.access(python, os.X_OK):
                self.missing = f"no {python}"
                return
            env = {**INHERITED, **common.peer_environment(threads), "JAX_PLATFORMS": "cpu"}
            self.processes[threads] = subprocess.Popen(
                [python, os.path.join(common.HERE, "forward_peers.py"), kind, str(threads)], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, text=True, env=env, preexec_fn=pinned(threads))
            found = self.answer(threads)
            self.missing = found.get("missing")
            if self.missing:
                return
            self.programs, self.versions = found["programs"], found["versions"]

    def answer(self, threads):
        line = self.processes[threads].stdout.readline()
        if not line:
            raise SystemExit(f"error: the process of {self.label} ended with "
                             f"status {self.processes[threads].wait()}")
        return json.loads(line)

    def __call__(self, program, case, folder, threads):
        pipe = self.processes[threads].stdin
        print(json.dumps({**case, "folder": folder, "program": program}), file=pipe, flush=True)
        return self.answer(threads)["seconds"]

    def close(self):
        for process in self.processes.values():
            process.stdin.close()
            process.wait()


class Programs:
    """All that is measured, by name; `kinds` says what each is."""

    def __init__(self, a, folder):
        self.infini = Infini(a, folder)
        self.run, self.kinds, self.versions, self.peers, self.skipped = {"infini": self.infini}, {}, {}, [], []
        venv = os.path.join(a.venv, "bin", "python")
        for label, python, kind, hint in (
                ("PyTorch", DEBIAN, "torch", "tools/setup.sh --bench"),
                ("newer PyTorch", venv, "torch", "--install torch"), ("JAX", venv, "jax", "--install")):
            if a.quick and label == "newer PyTorch" and "eager" in self.kinds.values():
                continue
            peer = Peer(label, python, kind, a.threads)
            self.peers.append(peer)
            if peer.missing:
                self.skipped.append(f"{label}: {peer.missing} ({hint} makes it)")
                print(f"skipped: {self.skipped[-1]}", file=sys.stderr, flush=True)
            for program in peer.programs:
                name = f"{label.split()[-1]} {peer.versions[kind].split('+')[0]} {program}"
                self.kinds[name], self.versions[name] = program, peer.versions
                self.run[name] = lambda *of, peer=peer, program=program: peer(program, *of)
        self.fma = os.path.join(folder, "fma_peak")
        common.call(["g++", "-std=c++17", "-O3", "-march=native", "-ffp-contract=fast", "-pthread",
                     os.path.join(common.HERE, "fma_peak.cpp"), "-o", self.fma])

    def tabled(self, quick):
        """All; the quick way infini, Debian's eager PyTorch or else a newer one, and JAX."""
        kinds = {kind: name for name, kind in reversed(self.kinds.items())}
        return list(self.run) if not quick else ["infini"] + [kinds[k] for k in RATIO_GOALS if k in kinds]

    def plotted(self):
        """infini, and Debian's eager PyTorch or else a newer one."""
        return ["infini"] + [name for name, kind in self.kinds.items() if kind == "eager"][:1]

    def fma_peak(self, threads):
        """GFLOP/s."""
        return float(common.call([self.fma, "2", str(threads)]).stdout.split()[1])

    def close(self):
        for peer in self.peers:
            peer.close()


def measure(a, np, programs, truth, case, thread_counts, names, with_peak):
    """A row for each thread count: check, warm up, then a.rounds interleaved runs."""
    T = case["T"]
    rows = {threads: {**{key: case[key] for key in "dNT"}, "threads": threads, "seconds": {n: [] for n in names},
                      "relative_error": {}, "fma_gflops": []} for threads in thread_counts}
    with tempfile.TemporaryDirectory(dir=common.memory_folder()) as folder:
        truth.write_inputs(np, folder, T)
        for turn in range(1 + a.rounds):
            for threads, row in rows.items():
                if turn and with_peak:
                    row["fma_gflops"].append(programs.fma_peak(threads))
                for name in names:
                    seconds = programs.run[name](case, folder, threads)
                    row["relative_error"][name] = truth.errors(np, name, folder, T)
                    if turn:
                        row["seconds"][name].append(seconds)
                    if name == "infini":
                        row["infini_stats"] = programs.infini.stats
    for row in rows.values():
        row["best_seconds"] = {name: min(seconds) for name, seconds in row["seconds"].items()}
        row["flops"] = flops(row["d"], row["N"], T)
        row["gflops"] = {name: row["flops"] / best * 1e-9 for name, best in row["best_seconds"].items()}
    return list(rows.values())


def plan(a):
    """What to measure: {(d, N): {T: whether it is in the table}}, and what the plots show."""
    T = 4096 if a.quick else 8192
    tokens = [2048, 4096, 8192] if a.quick else [1024 * 2 ** i for i in range(1, 7)]
    lengths = [128, 512, 1024] if a.quick else [64 * 2 ** i for i in range(7)]
    shown = {"table": [(d, N, T) for d, N in PEAK_GOALS], "tokens": [(64, 512, t) for t in tokens],
             "segments": [(d, N, 2048 if a.quick else T) for d in (64, 128) for N in lengths]}
    shown = {part: cases for part, cases in shown.items() if part in a.parts}
    wanted = {}
    for cases in shown.values():
        for d, N, t in cases:
            wanted.setdefault((d, N), {})[t] = (d, N, t) in shown.get("table", ())
    return wanted, shown


def row_of(report, d, N, T, threads):
    return next(row for row in report["rows"]
                if (row["d"], row["N"], row["T"], row["threads"]) == (d, N, T, threads))


def compare(report):
    """Adds what the table says to the rows that have every program: the peak's share, the ratios, what threads bring.

    A peer's time is its best with as many threads or fewer.
    """
    table = [row for row in report["rows"] if row["fma_gflops"]]
    peak = {threads: max(max(row["fma_gflops"]) for row in table if row["threads"] == threads)
            for threads in {row["threads"] for row in table}}
    report["fma_gflops"] = peak
    for row in table:
        rivals = [r for r in table if (r["d"], r["N"]) == (row["d"], row["N"]) and r["threads"] <= row["threads"]]
        own = row["best_seconds"]["infini"]
        row["share_of_peak"] = row["gflops"]["infini"] / peak[row["threads"]]
        row["ratio"] = {name: min(r["best_seconds"][name] for r in rivals) / own
                        for name in row["best_seconds"] if name != "infini"}
        one = next((r for r in rivals if r["threads"] == 1), row)
        if one is not row:
            row["speed_up"] = {"infini": one["best_seconds"]["infini"] / own, "fma": peak[row["threads"]] / peak[1]}
            gain = row["speed_up"]["fma"] - 1
            row["threads_bring"] = (row["speed_up"]["infini"] - 1) / gain if gain > 0 else float("nan")


def goal(value, bound, text):
    """A cell: the goal, and whether it is met."""
    return "" if bound is None else f"≥ {text}: {'met' if value >= bound else 'missed'}"


def error_cell(error):
    return " / ".join(f"{error[name]:.1e}" for name in "oMz")


def table(report, images):
    """The report as Markdown."""
    m, kernels = report["machine"], report["kernels"]
    lines = [f"{m['cpu']}, {m['cores']} cores; commit {report['commit']}; {report['date']}; f32, H = {HEADS}, "
             f"G = {GROUPS}, delta rule; best of {report['rounds']} interleaved runs"
             f"; load before {report['load_before']:.1f}{'; QUICK, no result to show' if report['quick'] else ''}"
             f"{'; schedule ' + report['schedule'] if report['schedule'] else ''}.", "",
             "Kernels: " + "; ".join(f"{name}: {what}" for name, what in kernels.items()) + ".", ""]
    rows = [row for row in report["rows"] if "share_of_peak" in row]
    if rows:
        lines += ["| d | N | T | threads | infini ms | GFLOP/s | FMA peak | of the peak | goal "
                  "| rel. error o / M / z |",
                  "|---|---|---|---|---|---|---|---|---|---|"]
        for row in rows:
            bound = PEAK_GOALS[row["d"], row["N"]]
            lines.append(f"| {row['d']} | {row['N']} | {row['T']:,} | {row['threads']} "
                         f"| {row['best_seconds']['infini'] * 1e3:.1f} | {row['gflops']['infini']:.1f} "
                         f"| {report['fma_gflops'][row['threads']]:.1f} | {row['share_of_peak']:.1%} "
                         f"| {goal(row['share_of_peak'], bound, f'{bound:.0%}')} "
                         f"| {error_cell(row['relative_error']['infini'])} |")
        lines += ["", "| d | N | threads | peer | ms | GFLOP/s | infini is faster by | goal | rel. error o / M / z |",
                  "|---|---|---|---|---|---|---|---|---|"]
        for row in rows:
            for name, ratio in row["ratio"].items():
                bound = RATIO_GOALS.get(name.split()[-1])
                lines.append(f"| {row['d']} | {row['N']} | {row['threads']} | {name} "
                             f"| {row['best_seconds'][name] * 1e3:.1f} | {row['gflops'][name]:.1f} | {ratio:.2f} "
                             f"| {goal(ratio, bound, f'{bound}')} | {error_cell(row['relative_error'][name])} |")
        lines += ["", "Faster by: to the peer's best with as many threads or fewer."]
    rows = [row for row in rows if "threads_bring" in row]
    if rows:
        lines += ["", "| d | N | threads | infini's speed-up | the microbenchmark's | brings | goal |",
                  "|---|---|---|---|---|---|---|"]
        for row in rows:
            lines.append(f"| {row['d']} | {row['N']} | {row['threads']} | {row['speed_up']['infini']:.2f} "
                         f"| {row['speed_up']['fma']:.2f} | {row['threads_bring']:.0%} "
                         f"| {goal(row['threads_bring'], THREADS_GOAL, f'{THREADS_GOAL:.0%}')} |")
        lines += ["", "Brings: what the threads after the first add to infini's speed, of what they add to that of the "
                  "FMA microbenchmark: (speed-up - 1) / (its speed-up - 1)."]
    lines += [line for skipped in report["skipped"] for line in ("", f"Skipped: {skipped}.")]
    lines += [line for image in images for line in ("", f"![{image['about']}]({os.path.basename(image['path'])})")]
    return "\n".join(lines) + "\n"


def fit(np, tokens, seconds):
    """The slope of the line through the origin, and R squared."""
    x, y = np.array(tokens, float), np.array(seconds)
    slope = x @ y / (x @ x)
    return slope, 1 - np.sum((y - slope * x) ** 2) / np.sum((y - y.mean()) ** 2)


def plots(np, report, shown, names, threads, path):
    """Draws what was measured; returns what was drawn."""
    parts = [part for part in ("tokens", "segments") if part in shown]
    if not parts:
        return []
    try:
        import matplotlib
        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        report["skipped"].append("plots: no matplotlib (Debian: apt-get install python3-matplotlib)")
        print(f"skipped: {report['skipped'][-1]}", file=sys.stderr)
        return []
    pyplot.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
                            "grid.color": "#dddddd", "axes.axisbelow": True})
    colors = dict(zip(names, ("#1663a6", "#c4551c")))
    where = f"f32, H = G = {HEADS}, {threads} thread{'s' * (threads > 1)}; {report['machine']['cpu']}"
    images = []

    def finish(figure, part, about):
        images.append({"path": f"{path}-{part}.png", "about": about})
        figure.savefig(images[-1]["path"], dpi=110)
        pyplot.close(figure)

    if "tokens" in parts:
        figure, axes = pyplot.subplots(figsize=(7.2, 4.6), layout="constrained")
        title = [f"Time against tokens, d = 64, N = 512 ({where})"]
        for name in names:
            T = [case[2] for case in shown["tokens"]]
            t = [row_of(report, *case, threads)["best_seconds"][name] for case in shown["tokens"]]
            slope, r2 = fit(np, T, t)
            report.setdefault("fits", {})[name] = {"seconds_per_token": slope, "r_squared": r2}
            title.append(f"{name}: {slope * 1e6:.2f} µs a token, R² = {r2:.5f}")
            axes.plot(T, t, "o", color=colors[name], label=name)
            axes.plot([0, max(T)], [0, slope * max(T)], color=colors[name], linewidth=1)
        axes.set(xlabel="T (tokens)", ylabel="time (s)", xlim=(0, None), ylim=(0, None))
        axes.set_xticks([t for t in T if t >= max(T) / 8], [f"{t // 1024}k" for t in T if t >= max(T) / 8])
        axes.set_title("\n".join(title), fontsize=10, loc="left")
        axes.legend(frameon=False, loc="upper left")
        finish(figure, "tokens", "time against the number of tokens")
    if "segments" in parts:
        figure, axes = pyplot.subplots(figsize=(7.2, 4.6), layout="constrained")
        for name in names:
            for d, style in ((64, "o-"), (128, "s--")):
                cases = [case for case in shown["segments"] if case[0] == d]
                speeds = [row_of(report, *case, threads)["gflops"][name] for case in cases]
                axes.plot([case[1] for case in cases], speeds, style, color=colors[name], label=f"{name}, d = {d}",
                          markersize=5, linewidth=1.4)
        peak = report["fma_gflops"].get(threads)
        if peak:
            axes.axhline(peak, color="#555555", linewidth=1, linestyle=":")
            axes.annotate("FMA peak", (0.995, peak), xycoords=("axes fraction", "data"), ha="right", va="bottom",
                          xytext=(0, 2), textcoords="offset points", color="#555555")
        lengths = sorted({case[1] for case in shown["segments"]})
        axes.set_xscale("log", base=2)
        axes.set_xticks(lengths, [str(N) for N in lengths])
        axes.minorticks_off()
        axes.set(xlabel="N (tokens in a segment)", ylabel="throughput (GFLOP/s)", ylim=(0, None))
        axes.set_title(f"Throughput against segment length, T = {shown['segments'][0][2]}\n({where})", fontsize=10,
                       loc="left")
        axes.legend(frameon=False, ncols=2, loc="upper left", bbox_to_anchor=(0, -0.13))
        finish(figure, "segments", "throughput against the length of segments")
    return images


def main():
    a = arguments()
    if a.install is not None:
        return install(a)
    common.need_binaries(a.bin)
    import numpy as np
    import infini_numpy as oracle
    report = {**common.new_report(a.rounds), "heads": HEADS, "groups": GROUPS, "quick": a.quick,
              "schedule": a.schedule, "load_before": os.getloadavg()[0], "openblas_environment": {
                  name: value for name, value in INHERITED.items() if name.startswith("OPENBLAS_")}}
    wanted, shown = plan(a)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:  # not the one in memory: that may be noexec
        programs = Programs(a, folder)
        try:
            for d, N in wanted:
                programs.infini.package(d, N)
            for (d, N), lengths in wanted.items():
                truth = Truth(np, oracle, d, N, max(lengths))
                for T, in_table in sorted(lengths.items()):
                    case = {"d": d, "N": N, "T": T, "rope_base": ROPE_BASE}
                    report["rows"] += measure(
                        a, np, programs, truth, case, a.threads if in_table else a.threads[-1:],
                        programs.tabled(a.quick) if in_table else programs.plotted(), in_table)
                    print(f"d {d}, N {N}, T {T}: done after {time.perf_counter() - start:.0f} s", file=sys.stderr,
                          flush=True)
        finally:
            programs.close()
    report["skipped"], report["versions"] = programs.skipped, programs.versions
    report["kernels"] = {"infini": f"OpenBLAS {programs.infini.kernel}", **{
        name: " ".join(versions[key] for key in ("blas", "simd") if key in versions) or "XLA"
        for name, versions in programs.versions.items()}}
    compare(report)
    path = common.results_path(report, a.results) + "-forward" + "-quick" * a.quick
    images = plots(np, report, shown, programs.plotted(), a.threads[-1], path)
    with open(path + ".json", "w") as file:
        json.dump(report, file, indent=1)
    with open(path + ".md", "w") as file:
        file.write(table(report, images))
    print(table(report, images), end="")
    print(f"written: {path}.md, .json" + ", .png" * bool(images), file=sys.stderr)


if __name__ == "__main__":
    main()
