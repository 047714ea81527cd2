# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What gpu.py times, and its report: tables, JSON, plots.

infini and its peers take turns, and the best call of each counts. Both are timed by the host's clock around a call and
a synchronisation: a launch is part of it, copies between host and GPU are not. Each infini-run is a process of its
own; its results and the peers' are compared with a float64 program on the GPU, which the numpy oracle's stored
results have checked.
"""
import json
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile

import numpy as np

import common

T, HEADS = 32768, 32
# Forward on an H200 at the best published rates, ms; shares of it on other GPUs say little.
FLOOR_MS = {(64, 1024): 0.56, (64, 2048): 0.82, (64, 4096): 1.39, (128, 1024): 0.87, (128, 2048): 1.18,
            (128, 4096): 1.85}
# Faster than the peer by this, at first: /eager/, the loop with SDPA, that compiled, the folded form.
RATIO_GOALS = {"eager loop": 6, "loop, SDPA": 2.5, "loop, compiled": 1.6, "folded": 1.2}
FLOOR_GOAL, LOCAL_GOAL = 0.75, 0.8
# The most telling sizes first, for when time runs out.
ORDER = [(128, 2048), (64, 2048), (64, 1024), (128, 4096), (128, 1024), (64, 4096)]
INPUTS = {"forward": ("q", "k", "v", "beta"), "state": ("k", "v"), "local": ("q", "k", "v"), "dense": ("a", "w")}
OUTPUTS = {"forward": "oMz", "state": "Mz", "local": "o", "dense": "o"}


def flops(case):
    """Of all heads; the causal half of local attention, and nothing element by element."""
    if case["kind"] == "dense":
        return 2 * case["m"] * case["n"] * case["k"]
    d, N = case["d"], case["N"]
    a_token = {"forward": 2 * N * d + 2 * d * d + 4 * d * d, "state": 4 * d * d, "local": 2 * N * d}[case["kind"]]
    return HEADS * case["T"] * a_token


def say(*words):
    print(*words, file=sys.stderr, flush=True)


class Peers:
    """The process of gpu_peers.py."""

    def __init__(self, device, python=sys.executable):
        self.process = subprocess.Popen([python, os.path.join(common.HERE, "gpu_peers.py"), device], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, do, seconds=180, **request):
        """The answer; one that has `failed` says why."""
        try:
            print(json.dumps({"do": do, **request}), file=self.process.stdin, flush=True)
            if not select.select([self.process.stdout], [], [], seconds)[0]:
                self.process.kill()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        return json.loads(line) if line else {"failed": "gpu_peers.py has ended, or had no answer for minutes"}

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()


def time_infini(runner, case, folder, repeats):
    """Milliseconds of each call of infini-run --repeat; results in the folder. (seconds, what failed or None)"""
    files = [part for name in INPUTS[case["kind"]] for part in ("--input", f"@{folder}/{name}.npy")]
    files += [part for name in OUTPUTS[case["kind"]] for part in ("--output", f"@{folder}/{name}.npy")]
    done = runner.run([runner.unpack(case["package"]), *files, "--repeat", str(repeats), "--stats"])
    if done.returncode:
        return [], f"exit status {done.returncode}: {done.stderr.strip()[-400:]}"
    return [float(ms) * 1e-3 for ms in re.findall(r"^repeated:\s+([0-9.]+) ms", done.stderr, re.M)], None


def roomy_folder():
    """Where files of gigabytes may stay: in memory, if there is room."""
    folder = common.memory_folder()
    return folder if folder and shutil.disk_usage(folder).free > 4 << 30 else None


def warm_up(runner, case):
    """A call on few tokens: the driver compiles the package, and remembers it."""
    shapes = {"forward": "1x{H}x{n}x{d}", "state": "1x{H}x{n}x{d}", "local": "1x{H}x{n}x{d}", "dense": "16x{k}"}
    sizes = {"H": HEADS, "n": case.get("N", 16) + 1, **case}
    inputs = [shapes[case["kind"]].format(**sizes) + "xbf16=1" for _ in INPUTS[case["kind"]]]
    if case["kind"] == "forward":
        inputs[3] = f"{HEADS}xbf16=0"
    if case["kind"] == "dense":
        inputs[1] = f"{case['n']}x{case['k']}xbf16=1"
    done = runner.run([runner.unpack(case["package"]), *(part for text in inputs for part in ("--input", text))])
    if done.returncode:
        say(f"warming up {case['name']}: exit status {done.returncode}: {done.stderr.strip()[-300:]}")


def measure(runner, peers, case, rounds, repeats, with_compiled):
    """Rounds in which infini and each peer have their turn; a wrong one has no times."""
    row = {**case, "flops": flops(case), "seconds": {}, "errors": {}, "wrong": {}, "failed": {}}
    with tempfile.TemporaryDirectory(dir=roomy_folder()) as folder:
        answer = peers("load", folder=folder, **{key: value for key, value in case.items()
                                                 if key not in ("name", "package")})
        if "failed" in answer:
            return {**row, "failed": {"all": answer["failed"]}}
        row["limits"] = answer["limits"]
        names = ["infini", *answer["programs"], *(answer["compiled"] if with_compiled else [])]
        for turn in range(rounds):
            for name in names:
                if name in row["wrong"] or name in row["failed"]:
                    continue
                if name == "infini":
                    seconds, failed = time_infini(runner, case, folder, repeats)
                    found = {"failed": failed} if failed else peers("check", folder=folder, control=turn == 0)
                    if found.get("control") is False:
                        found = {"failed": "one wrong element was not found"}
                    found["seconds"] = seconds
                else:
                    found = peers("time", program=name, repeats=repeats)
                for key in ("failed", "wrong"):
                    if found.get(key):
                        row[key][name] = found[key]
                        row["seconds"].pop(name, None)
                        say(f"{key}: {case['name']}: {name}: {found[key]}")
                if not found.get("failed") and not found.get("wrong"):
                    row["errors"][name] = found["errors"]
                    row["seconds"].setdefault(name, []).extend(found["seconds"])
    row["best"] = {name: min(seconds) for name, seconds in row["seconds"].items()}
    row["tflops"] = {name: row["flops"] / best * 1e-12 for name, best in row["best"].items()}
    return row


def plan(runner):
    """The manifest's timed packages with their sizes, the most telling first."""
    timed = {case["name"]: case for case in runner.manifest["timed"]}
    sizes, cases = ORDER[:2] if runner.quick else ORDER, []
    for d, N in sizes:
        for kind, name in (("forward", f"forward-{d}-{N}"), ("local", f"local-{d}"), ("state", f"state-{d}-{N}")):
            if name in timed and not (runner.quick and kind == "state"):
                cases.append({**timed[name], "name": f"{kind}-{d}-{N}", "d": d, "N": N, "T": T, "H": HEADS})
    cases += [case for case in timed.values() if case["kind"] == "dense"]
    # All of forward first.
    return sorted(cases, key=lambda case: ("forward", "dense", "local", "state").index(case["kind"]))


def decode(runner, report):
    """Tokens a second of the passkey model, one token a call and as many as the package takes."""
    right = {row["name"]: not row["wrong"] for row in report.get("results", [])}
    rows = []
    for case in runner.manifest["results"]:
        if case["kind"] != "model" or not case["name"].startswith("passkey") or case["options"]:
            continue
        if not right.get(case["name"]):
            report["skipped"].append(f"decode: {case['name']} is wrong, or was not checked")
            continue
        for per_call, tokens in ((1, 2048), (0, 131072)):
            ids = os.path.join(runner.scratch, "ids.npy")
            np.save(ids, np.random.default_rng(1).integers(0, 256, tokens).astype(np.int32))
            command = runner.command({**case, "options": []}, runner.scratch)
            command = [*command[:3], "--tokens", f"@{ids}", "--stats"]
            command += ["--tokens-per-call", str(per_call)] * bool(per_call)
            found = []
            for _ in range(1 if runner.quick else 3):
                done = runner.run(command)
                speed = re.search(r"^speed:\s+([0-9.]+) tokens/s", done.stderr, re.M)
                found += [float(speed.group(1))] if done.returncode == 0 and speed else []
            if found:
                rows.append({"name": case["name"], "tokens_per_call": per_call or "most", "tokens": tokens,
                             "tokens_per_s": max(found)})
    report["decode"] = rows


def times(runner, report):
    """All timed packages, each against its peers; False if infini is wrong anywhere."""
    if not runner.gpu:
        report["skipped"].append("times: no GPU")
        return True
    report["timed"] = []
    if not runner.manifest["timed"]:
        report["skipped"].append("times: the folder was prepared with --quick")
        return True
    peers = Peers(runner.device)
    try:
        report["versions"] = peers("hello")
        if "failed" in report["versions"]:
            report["skipped"].append(f"times: no PyTorch on the GPU: {report['versions']['failed']}")
            return True
        report["ceilings"] = peers("ceilings")
        report["verified"] = verify(runner, peers)
        if not report["verified"].get("error", 1) < 1e-6:
            say(f"WRONG: the float64 program of the peers against the oracle: {report['verified']}")
            return False
        decode(runner, report)
        rounds, repeats = (2, 5) if runner.quick else (3, 10)
        cases, reserve = plan(runner), 90  # the sanitizer's
        for i, case in enumerate(cases):
            if runner.left() - reserve < 12:
                report["skipped"].append(f"times: {', '.join(c['name'] for c in cases[i:])}: out of time")
                break
            # Compiling takes PyTorch half a minute.
            with_compiled = not runner.quick and case["kind"] == "forward" and (
                runner.left() - reserve - 6 * (len(cases) - i) > 45)
            if case["kind"] == "forward" and not with_compiled:
                report["skipped"].append(f"torch.compile for {case['name']}")
            row = measure(runner, peers, case, rounds, repeats, with_compiled)
            report["timed"].append(row)
            runner.save(report)
            best = row.get("best", {})
            say(f"{case['name']}: " + ", ".join(f"{name} {best[name] * 1e3:.3f} ms" for name in best)
                + f" ({runner.left():.0f} s left)")
    finally:
        peers.close()
    report["rounds"] = rounds
    return not any("infini" in row["wrong"] or "infini" in row["failed"] for row in report["timed"])


def verify(runner, peers):
    """The float64 program on the GPU against a stored result of the oracle."""
    case = next((c for c in runner.manifest["results"] if c["name"] == "bf16-128"), None)
    if not case:
        return {"failed": "no stored result to compare with"}
    folder = os.path.dirname(os.path.abspath(runner.path(case["inputs"][0])))
    return peers("verify", folder=folder, N=case["about"]["N"], outputs="oMz")


# --------------------------------------------------------------------------------------------------------
# The report
# --------------------------------------------------------------------------------------------------------

def heading(report):
    gpu = report["machine"].get("gpu") or {}
    where = f"{gpu['name']}, driver {gpu['driver_version']}" if gpu else f"device {report['device']}"
    versions = report.get("versions", {})
    what = f"; PyTorch {versions['torch']}, cuDNN {versions['cudnn']}" if "cudnn" in versions else ""
    return f"{where}; packages of commit {report['packages_of']}; {report['date']}{what}."


def tables(report):
    lines = [heading(report), ""]
    rows = report.get("results")
    if rows:
        wrong = [row for row in rows if row["wrong"]]
        lines += [f"Results: {len(rows) - len(wrong)} of {len(rows)} right. Compiler's layouts: {report['layouts']}."]
        lines += [f"- WRONG: {row['name']}: {row['wrong']}" for row in wrong]
        lines += [f"- refused: {item['name']}: {item['why']}" for item in report["refused"]]
    for key, name in (("fragments", "Instructions"), ("sanitizer", "compute-sanitizer")):
        if report.get(key):
            bad = [row for row in report[key] if row.get("wrong")]
            lines += ["", f"{name}: {len(report[key]) - len(bad)} of {len(report[key])} right."]
            lines += [f"- WRONG: {row.get('what') or row['tool'] + ' ' + row['name']}: {row['wrong']}" for row in bad]
    if report.get("ceilings", {}).get("tflops"):
        lines += ["", "This GPU in PyTorch: a product of 8192 × 8192 in bf16 "
                  f"{report['ceilings']['tflops']:.0f} TFLOP/s, a copy {report['ceilings']['gb_per_s']:.0f} GB/s."]
    timed = [row for row in report.get("timed", []) if "infini" in row.get("best", {})]
    for kind, about in (("forward", f"Forward, T = {T}, B·H = {HEADS}, bf16, delta rule"),
                        ("local", "Local attention alone, segments in the batch"),
                        ("state", "The states alone"), ("dense", "A dense product")):
        some = [row for row in timed if row["kind"] == kind]
        if some:
            lines += ["", about + ":", "", *(forward_table if kind == "forward" else plain_table)(some)]
    if report.get("decode"):
        lines += ["", "| model | tokens a call | tokens/s | µs a call |", "|---|---|---|---|"]
        lines += [f"| {row['name']} | {row['tokens_per_call']} | {row['tokens_per_s']:,.0f} | "
                  + (f"{1e6 / row['tokens_per_s']:.1f} |" if row["tokens_per_call"] == 1 else "|")
                  for row in report["decode"]]
    for row in report.get("timed", []):
        lines += [f"\nNo speed: {row['name']}, {name}: {why}." for key in ("wrong", "failed")
                  for name, why in row[key].items()]
    lines += [f"\nFAILED: {line}." for line in report["failed"]]
    lines += [f"\nSkipped: {line}." for line in report["skipped"]]
    return "\n".join(lines) + "\n"


def forward_table(rows):
    lines = ["| d | N | infini ms | TFLOP/s | of H200's floor | goal | rel. error o / M / z |",
             "|---|---|---|---|---|---|---|"]
    for row in rows:
        best, floor = row["best"]["infini"], FLOOR_MS[row["d"], row["N"]] * 1e-3 / row["best"]["infini"]
        lines.append(f"| {row['d']} | {row['N']} | {best * 1e3:.3f} | {row['tflops']['infini']:.0f} | {floor:.0%} "
                     f"| ≥ {FLOOR_GOAL:.0%}: {'met' if floor >= FLOOR_GOAL else 'missed'} | {error_text(row)} |")
    return [*lines, "", *peer_table(rows)]


def plain_table(rows):
    lines = ["| | infini ms | TFLOP/s | rel. error |", "|---|---|---|---|"]
    for row in rows:
        lines.append(f"| {row['name']} | {row['best']['infini'] * 1e3:.3f} | {row['tflops']['infini']:.0f} "
                     f"| {error_text(row)} |")
    return [*lines, "", *peer_table(rows)]


def error_text(row):
    return " / ".join(f"{error:.1e}" for error in row["errors"]["infini"].values())


def goal_of(row, peer):
    """How many times as fast as this peer infini is to be; None where that was not said."""
    if row["kind"] == "local":
        return LOCAL_GOAL if peer != "eager" else None
    goals = [goal for start, goal in RATIO_GOALS.items() if peer.startswith(start)]
    return goals[0] if goals and row["kind"] == "forward" else None


def peer_table(rows):
    lines = ["| | peer | ms | TFLOP/s | infini is faster by | first goal |", "|---|---|---|---|---|---|"]
    for row in rows:
        for name, best in row["best"].items():
            if name == "infini":
                continue
            ratio, goal = best / row["best"]["infini"], goal_of(row, name)
            said = f"≥ {goal}: {'met' if ratio >= goal else 'missed'}" if goal else ""
            lines.append(f"| {row['name']} | {name} | {best * 1e3:.3f} | {row['tflops'][name]:.0f} | {ratio:.2f} "
                         f"| {said} |")
    return lines


def plot(report, path):
    """Throughput of forward by size; nothing where there is no matplotlib."""
    rows = [row for row in report.get("timed", []) if row["kind"] == "forward" and "infini" in row.get("best", {})]
    if not rows:
        return
    try:
        import matplotlib
        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        report["skipped"].append("plots: no matplotlib")
        return
    rows.sort(key=lambda row: (row["d"], row["N"]))
    names = ["infini"] + sorted({name for row in rows for name in row["best"]} - {"infini"})
    figure, axes = pyplot.subplots(figsize=(9, 4.8), layout="constrained")
    width = 0.85 / len(names)
    for i, name in enumerate(names):
        places = [(x, row["tflops"][name]) for x, row in enumerate(rows) if name in row["tflops"]]
        axes.bar([x + (i - (len(names) - 1) / 2) * width for x, _ in places], [y for _, y in places], width,
                 label=name, color="#1663a6" if name == "infini" else pyplot.cm.Greys(0.3 + 0.5 * i / len(names)))
    for x, row in enumerate(rows):
        floor = row["flops"] / FLOOR_MS[row["d"], row["N"]] * 1e-9
        axes.hlines(floor, x - 0.45, x + 0.45, color="#c4551c", linewidth=1.2, linestyle=":",
                    label="H200's floor" if x == 0 else None)
    axes.set_xticks(range(len(rows)), [f"d {row['d']}\nN {row['N']}" for row in rows])
    axes.set(ylabel="effective TFLOP/s", ylim=(0, None))
    axes.grid(axis="y", color="#dddddd")
    axes.set_axisbelow(True)
    axes.set_title(f"Forward, T = {T}, B·H = {HEADS}, bf16\n{heading(report)}", fontsize=9, loc="left")
    axes.legend(frameon=False, ncols=4, loc="upper left", bbox_to_anchor=(0, -0.13), fontsize=8)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def write(report, folder, with_plot=True):
    """DATE-COMMIT-DEVICE.json, .md, .png into the folder; returns the tables."""
    os.makedirs(folder, exist_ok=True)
    device = (report["machine"].get("gpu") or {}).get("name", report["device"])
    slug = re.sub(r"[^A-Za-z0-9]+", "-", device).strip("-").lower()
    path = os.path.join(folder, f"{report['date']}-{report['packages_of']}-{slug}" + "-quick" * report["quick"])
    if with_plot:
        plot(report, path + ".png")
    with open(path + ".json", "w") as file:
        json.dump(report, file, indent=1)
    text = tables(report)
    with open(path + ".md", "w") as file:
        file.write(text)
    return text
