# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Results and speed of compiled packages on an NVIDIA GPU; started by gpu.sh.

--prepare FOLDER: with a built compiler, packages, arguments, the float64 oracle's results, and an infini-run that needs
glibc alone. --packages FOLDER: checks the instructions' register tables, all results, times what is to be timed
against PyTorch in the same run, and runs compute-sanitizer. A wrong result has no speed.

Exit status: 0 good, 1 the user's error, 2 a wrong result, table, or access.
"""
import argparse
import concurrent.futures
import json
import lzma
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np

import common
import gpu_fragments
import gpu_timed
from common import ROOT

import infini_numpy as oracle  # noqa: E402 (common says where)

ROW_FACTOR = 10  # as in test/e2e/harness.py
TOOLS = ("memcheck", "racecheck", "synccheck")


def arguments():
    parser = argparse.ArgumentParser(prog="gpu.sh", description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--prepare", metavar="FOLDER", help="make the folder; needs the compiler")
    what.add_argument("--packages", metavar="FOLDER", help="run what was prepared")
    parser.add_argument("--quick", action="store_true", help="prepare: a tiny folder; run: fewer sizes and rounds")
    parser.add_argument("--bin", default=os.environ.get("INFINI_BIN", os.path.join(ROOT, "build", "bin")),
                        help="infini-compile, infini-opt and infini-run (to prepare)")
    parser.add_argument("--schedule", help="passed to infini-compile for what is timed (to prepare)")
    parser.add_argument("--out", metavar="DIR", help="where the report goes; default: build/gpu-report")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:K, sim:sm_80, cpu; default: cuda")
    parser.add_argument("--parts", nargs="+", choices=["fragments", "results", "times", "sanitizer"],
                        default=["fragments", "results", "times", "sanitizer"])
    parser.add_argument("--limit", type=float, default=460, metavar="SECONDS",
                        help="what is optional is left out rather than taking longer; default: 460")
    a = parser.parse_args()
    a.out = a.out or os.path.join(ROOT, "build", "gpu-report")
    a.gpu = a.device.startswith("cuda")
    return a


def say(*words):
    print(*words, file=sys.stderr, flush=True)


# --------------------------------------------------------------------------------------------------------
# Preparing
# --------------------------------------------------------------------------------------------------------

def portable_run(a, scratch):
    """An infini-run that needs glibc alone, from runtime/; with --quick, and where that fails, the one at hand."""
    if a.quick:
        return os.path.join(a.bin, "infini-run")
    build = os.path.join(scratch, "runtime")
    say("building infini-run (a minute)")
    for command in (["cmake", "-S", os.path.join(ROOT, "runtime"), "-B", build, "-G", "Ninja",
                     "-DINFINI_PORTABLE_RUN=ON"], ["ninja", "-C", build, "infini-run"]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            say(f"{' '.join(command)} failed: the infini-run of {a.bin} is taken\n{(done.stdout + done.stderr)[-500:]}")
            return os.path.join(a.bin, "infini-run")
    return os.path.join(build, "bin", "infini-run")


def prepare(a):
    import gpu_cases
    common.need_binaries(a.bin)
    if os.path.isdir(a.prepare) and os.listdir(a.prepare) and not os.path.exists(
            os.path.join(a.prepare, "manifest.json")):
        raise SystemExit(f"error: {a.prepare} is not empty, and nothing that --prepare made")
    shutil.rmtree(a.prepare, ignore_errors=True)
    folder = gpu_cases.Folder(a.prepare, a.bin, a.quick)
    infini_opt = os.path.join(a.bin, "infini-opt")
    if os.access(infini_opt, os.X_OK):
        compared = gpu_fragments.compare_compiler(infini_opt)
        folder.manifest["fragments"] = f"{compared} layouts of the compiler are those of the PTX ISA"
        say(folder.manifest["fragments"])
    for name, (function, tokens, schedule) in gpu_cases.FUNCTIONS.items():
        if not a.quick or name in gpu_cases.QUICK_FUNCTIONS:
            gpu_cases.add_function(folder, name, function, tokens, schedule)
    for kind in () if a.quick else ("f32", "bf16"):
        for op in gpu_cases.OPS:
            gpu_cases.add_op(folder, kind, op)
    gpu_cases.add_models(folder, a.quick)
    if not a.quick:
        gpu_cases.add_timed(folder, a.schedule)
    with tempfile.TemporaryDirectory() as scratch:
        program = portable_run(a, scratch)
        gpu_cases.pack(program, os.path.join(a.prepare, "infini-run.xz"))
        folder.manifest["infini_run"] = {
            "needs": sorted(set(re.findall(r"^\s*(\S+\.so\S*)", common.call(["ldd", program]).stdout, re.M))),
            "version": common.call([program, "--version"]).stdout.strip()}
    folder.write()
    size = sum(os.path.getsize(os.path.join(path, name)) for path, _, names in os.walk(a.prepare) for name in names)
    say(f"{a.prepare}: {len(folder.manifest['results'])} results, {len(folder.manifest['timed'])} timed, "
        f"{len(folder.manifest['refused'])} refused, {size / 2 ** 20:.1f} MiB; "
        f"infini-run needs {', '.join(folder.manifest['infini_run']['needs'])}")


# --------------------------------------------------------------------------------------------------------
# Running
# --------------------------------------------------------------------------------------------------------

class Runner:
    """The folder, unpacked where it is needed, and the command line of infini-run."""

    def __init__(self, a, scratch):
        self.folder, self.device, self.gpu, self.quick = a.packages, a.device, a.gpu, a.quick
        self.scratch, self.started, self.limit = scratch, time.monotonic(), a.limit
        # What was found is kept, whatever comes after it.
        self.save = lambda report: gpu_timed.write(report, a.out, with_plot=False)
        try:
            with open(os.path.join(a.packages, "manifest.json")) as file:
                self.manifest = json.load(file)
        except (OSError, ValueError) as error:
            raise SystemExit(f"error: {a.packages} was not made by --prepare: {error}")
        # Many packages are compiled from PTX by the driver; it may remember them all.
        self.env = {**os.environ, "CUDA_CACHE_MAXSIZE": str(1 << 31), "CUDA_CACHE_PATH": os.path.join(scratch, "cache")}
        self.program = self.find_program(a)

    def find_program(self, a):
        program = self.unpack("infini-run.xz")
        os.chmod(program, 0o755)
        done = subprocess.run([program, "--version"], capture_output=True, text=True)
        if done.returncode == 0:
            return program
        say(f"the prepared infini-run does not start here: {done.stderr.strip()}")
        say("building the runtime (it needs flatc, CLI11, nlohmann-json, xxhash, OpenBLAS, and Boost.Context)")
        build = os.path.join(self.scratch, "runtime")
        common.call(["cmake", "-S", os.path.join(ROOT, "runtime"), "-B", build, "-G", "Ninja"])
        common.call(["ninja", "-C", build, "infini-run"])
        return os.path.join(build, "bin", "infini-run")

    def left(self):
        return self.limit - (time.monotonic() - self.started)

    def path(self, name):
        return os.path.join(self.folder, name)

    def unpack(self, name):
        """A packed file's path, unpacked once."""
        path = os.path.join(self.scratch, name[:-len(".xz")].replace(os.sep, "-"))
        if not os.path.exists(path):
            part = f"{path}.{os.getpid()}.{time.monotonic_ns()}"
            with lzma.open(self.path(name)) as packed, open(part, "wb") as file:
                shutil.copyfileobj(packed, file)
            os.rename(part, path)
        return path

    def run(self, arguments, timeout=None, prefix=()):
        """infini-run to the end; on a GPU that does not answer, not for ever."""
        timeout = timeout or (max(20, min(120, self.left())) if self.gpu else 600)
        try:
            return subprocess.run([*prefix, self.program, *arguments, "--device", self.device], capture_output=True,
                                  text=True, errors="replace", stdin=subprocess.DEVNULL, env=self.env, timeout=timeout)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(arguments, 124, "", f"no end after {timeout} s")

    def command(self, case, out):
        """The arguments of a case of the manifest, results into the folder `out`."""
        package = self.unpack(case["package"])
        if case["kind"] == "function":
            files = [part for name in case["inputs"] for part in ("--input", f"@{self.path(name)}")]
            files += [part for ref in case["outputs"] for part in ("--output", f"@{out}/{ref['name']}.npy")]
            return [package, "--entry", case["entry"], *files]
        weights = self.path(case["weights"]) if case["weights"].startswith("data") else os.path.join(
            ROOT, case["weights"])
        return [package, "--weights", weights, "--tokens", f"@{self.path(case['tokens'])}", "--logits-out",
                f"@{out}/logits.npy", "--dump-state", out, *case["options"]]


def compare(out, ref, limit):
    """(relative error, the worst row's, what is wrong or None): the rule of assert_close in test/e2e/harness.py."""
    if out.shape != ref.shape:
        return np.inf, np.inf, f"shape {out.shape}, expected {ref.shape}"
    if not ref.size:
        return 0.0, 0.0, None
    if not np.isfinite(out).all():
        return np.inf, np.inf, f"{np.count_nonzero(~np.isfinite(out))} values are not finite"
    wrong = np.asarray(out, np.float64) - ref
    size = np.linalg.norm(ref) or 1.0
    error = float(np.linalg.norm(wrong) / size)
    rows = np.linalg.norm(wrong.reshape(-1, ref.shape[-1] if ref.ndim > 1 else ref.size), axis=1)
    row = float(rows.max() / (size / np.sqrt(len(rows))))
    if error > limit:
        return error, row, f"relative error {error:.3g}, bound {limit:.3g}"
    if row > ROW_FACTOR * limit:
        return error, row, f"row {rows.argmax()} of {len(rows)} has error {row:.3g}, bound {ROW_FACTOR * limit:.3g}"
    return error, row, None


def corrupted(out):
    """The same with its largest element's sign turned."""
    other = np.array(out, np.float64)
    other.reshape(-1)[np.abs(other).argmax()] *= -1
    return other


def check_outputs(runner, case, out):
    """The results of a case that has run: errors by name, and what is wrong or None."""
    errors, problems = {}, []
    if case["kind"] == "model" and (int(np.load(f"{out}/fill.npy")) != case["fill"]):
        problems.append(f"fill is {int(np.load(f'{out}/fill.npy'))}, expected {case['fill']}")
    for ref in case["outputs"]:
        wanted = np.load(runner.path(ref["file"])).astype(np.float64)
        found = np.load(os.path.join(out, ref["name"] + ".npy"))
        found = oracle.from_bfloat16_bits(found) if found.dtype == np.uint16 else found
        if case["kind"] == "model":
            while found.ndim > wanted.ndim and found.shape[0] == 1:
                found = found[0]
            if ref["name"].endswith((".K", ".V")):  # behind `fill` there is nothing
                found = found[:case["fill"]]
        error, row, wrong = compare(found, wanted, ref["limit"])
        errors[ref["name"]] = error
        if wrong:
            problems.append(f"{ref['name']}: {wrong}")
        elif np.abs(wanted).max(initial=0) and not compare(corrupted(found), wanted, ref["limit"])[2]:
            problems.append(f"{ref['name']}: one wrong element was not found")
    return errors, "; ".join(problems) or None


def run_case(runner, case):
    """One line of the report."""
    row = {"name": case["name"], **case["about"]}
    # Function packages have everything in one call; models take their tokens in pieces.
    with tempfile.TemporaryDirectory(dir=runner.scratch) as out:
        start = time.monotonic()
        done = runner.run(runner.command(case, out))
        row["seconds"] = round(time.monotonic() - start, 2)
        if done.returncode:
            return {**row, "errors": {}, "wrong": f"exit status {done.returncode}: {done.stderr.strip()[-400:]}"}
        try:
            row["errors"], row["wrong"] = check_outputs(runner, case, out)
        except (OSError, ValueError) as error:
            row["errors"], row["wrong"] = {}, f"{type(error).__name__}: {error}"
    return row


def results(runner, report):
    # Packages name targets by kind: nvidia:sm_80, cpu:x86-64-v3, sim:sm_80.
    kind = "nvidia" if runner.gpu else runner.device.partition(":")[0]
    cases = [case for case in runner.manifest["results"]
             if any(target.startswith(kind) for target in runner.manifest["packages"][case["package"]]["targets"])]
    if len(cases) < len(runner.manifest["results"]):
        report["skipped"].append(f"{len(runner.manifest['results']) - len(cases)} results: no code for {runner.device}")
    if runner.quick and not runner.gpu:
        cases = [case for case in cases if case["about"].get("tokens", 0) <= 200]
    # The driver compiles PTX on one core a process; they share the GPU.
    workers = max(1, min(8, len(os.sched_getaffinity(0)) // 2)) if runner.gpu else len(os.sched_getaffinity(0))
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        # The large ones first, so that they are compiled when they are timed.
        warm = [pool.submit(gpu_timed.warm_up, runner, case) for case in runner.manifest["timed"] if runner.gpu]
        rows = list(pool.map(lambda case: run_case(runner, case), cases))
        for each in warm:
            each.result()
    report["results"] = rows
    wrong = [row for row in rows if row["wrong"]]
    for row in wrong:
        say(f"WRONG {row['name']}: {row['wrong']}")
    say(f"results: {len(rows) - len(wrong)} of {len(rows)} right on {runner.device}, and one wrong element in each "
        "found" if not wrong else f"results: {len(wrong)} of {len(rows)} WRONG")
    return not wrong


def fragments(runner, report):
    nvcc = shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
    if not runner.gpu or not os.access(nvcc, os.X_OK):
        report["skipped"].append("fragments: no GPU" if not runner.gpu else "fragments: no nvcc")
        return True
    found = gpu_fragments.check_all(gpu_fragments.on_hardware(gpu_fragments.build(nvcc, runner.scratch)))
    report["fragments"] = [{"what": what, "wrong": wrong} for what, wrong in found]
    for what, wrong in found:
        if wrong:
            say(f"WRONG {what}: {wrong}")
    good = not any(wrong for _, wrong in found)
    say(f"fragments: {len(found)} checks of mma.sync and ldmatrix, " + ("all right" if good else "some WRONG"))
    return good


def sanitizer(runner, report):
    program = shutil.which("compute-sanitizer") or "/usr/local/cuda/bin/compute-sanitizer"
    if not runner.gpu or not os.access(program, os.X_OK):
        report["skipped"].append("compute-sanitizer: " + ("not found" if runner.gpu else "no GPU"))
        return True
    cases = [case for case in runner.manifest["results"] if case.get("sanitize")]
    work = [(tool, case) for tool in TOOLS[:1 if runner.quick else None] for case in cases]

    def one(job):
        tool, case = job
        if runner.left() < 20:
            return None
        with tempfile.TemporaryDirectory(dir=runner.scratch) as out:
            done = runner.run(runner.command(case, out), timeout=max(20, min(120, runner.left())), prefix=(
                program, "--tool", tool, "--error-exitcode", "9", "--print-limit", "3"))
        text = done.stdout + done.stderr
        errors = re.search(r"(?:ERROR SUMMARY: (\d+) error|RACECHECK SUMMARY: (\d+) hazard)", text)
        if done.returncode == 124 or re.search(r"not supported|Unable to|failed to initialize", text, re.I):
            return {"tool": tool, "name": case["name"], "skipped": text.strip()[-200:]}
        clean = done.returncode == 0 and errors and not any(map(int, filter(None, errors.groups())))
        return {"tool": tool, "name": case["name"], "wrong": None if clean else text.strip()[:1200]}

    workers = max(1, min(4, len(os.sched_getaffinity(0)) // 4))
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        rows = [row for row in pool.map(one, work) if row]
    report["sanitizer"] = rows
    if len(rows) < len(work):
        report["skipped"].append(f"compute-sanitizer: {len(work) - len(rows)} of {len(work)} runs, out of time")
    for row in rows:
        if row.get("wrong"):
            say(f"WRONG {row['tool']} {row['name']}: {row['wrong']}")
    unable = [row for row in rows if "skipped" in row]
    if unable:
        report["skipped"].append(f"compute-sanitizer: {len(unable)} runs did not end or start: {unable[0]['skipped']}")
    bad = sum(bool(row.get("wrong")) for row in rows)
    say(f"compute-sanitizer: {len(rows) - bad - len(unable)} of {len(work)} runs clean" + f", {bad} WRONG" * bool(bad))
    return not bad


def gpu_machine(device):
    """The GPU's name, driver, and clocks, as nvidia-smi says them."""
    fields = ("name", "driver_version", "memory.total", "clocks.sm", "clocks.mem", "power.limit", "temperature.gpu")
    found = subprocess.run(["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader", "-i",
                            device.partition(":")[2] or "0"], capture_output=True, text=True)
    return dict(zip(fields, found.stdout.strip().split(", "))) if found.returncode == 0 else {}


def attempt(part, name, runner, report):
    """A part that ends with an error does not take the others with it."""
    try:
        return part(runner, report)
    except (SystemExit, OSError, ValueError, KeyError) as error:
        report["failed"].append(f"{name}: {error!r}")
        say(f"FAILED {report['failed'][-1]}")
        return False


def run(a):
    with tempfile.TemporaryDirectory(prefix="infini-gpu-") as scratch:
        runner = Runner(a, scratch)
        report = {**common.new_report(0), "device": a.device, "quick": a.quick, "skipped": [], "failed": [],
                  "packages_of": runner.manifest["commit"], "refused": runner.manifest["refused"],
                  "layouts": runner.manifest.get("fragments", "not compared"),
                  "ptxas": {path: info["ptxas"] for path, info in runner.manifest["packages"].items()}}
        if a.gpu:
            try:
                report["machine"]["gpu"] = gpu_machine(a.device)
            except OSError:
                report["machine"]["gpu"] = {}
        good = True
        for name, part in (("fragments", fragments), ("results", results), ("times", gpu_timed.times),
                           ("sanitizer", sanitizer)):
            if name in a.parts:
                good = attempt(part, name, runner, report) and good
                runner.save(report)
        report["seconds"] = round(time.monotonic() - runner.started, 1)
        text = gpu_timed.write(report, a.out)
    print(text, end="")
    for line in report["skipped"]:
        say(f"skipped: {line}")
    say(f"{report['seconds']:.0f} s; report in {a.out}")
    return 0 if good else 2


def main():
    a = arguments()
    return prepare(a) if a.prepare else run(a)


if __name__ == "__main__":
    sys.exit(main())
