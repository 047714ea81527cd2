# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the benchmarks share: programs, checks, the machine, and where results go."""
import datetime
import os
import platform
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(ROOT, "test", "oracle"))


def add_options(parser):
    """The options of every benchmark."""
    parser.add_argument("--bin", default=os.environ.get("INFINI_BIN", os.path.join(ROOT, "build", "bin")))
    parser.add_argument("--threads", type=int, nargs="+", default=None, help="default: 1 and all cores")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved runs of each program (at least 5)")
    parser.add_argument("--results", default=os.path.join(HERE, "results"), help="folder of the .json and .md files")


def parse(parser):
    """The parsed options; numbers of threads and rounds are sensible."""
    a = parser.parse_args()
    if a.rounds < 5:
        parser.error(f"--rounds is {a.rounds}, expected at least 5")
    cores = len(os.sched_getaffinity(0))
    a.threads = a.threads or sorted({1, cores})
    if max(a.threads) > cores:
        parser.error(f"--threads is {max(a.threads)}, but {cores} cores are usable")
    return a


def need_binaries(folder):
    for name in ("infini-run", "infini-compile"):
        if not os.access(os.path.join(folder, name), os.X_OK):
            raise SystemExit(f"error: {name} is not in {folder} (give --bin, or set INFINI_BIN)")


def memory_folder():
    """Where temporary files stay in memory, if the machine has such a folder."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def call(command, env=None, **options):
    """Runs a program that must succeed, by default without the settings of OpenMP's and OpenBLAS's threads."""
    env = env or {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "OPENBLAS_"))}
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=env, **options)
    if done.returncode:
        raise SystemExit(f"error: {' '.join(command)} ended with status {done.returncode}\n{done.stderr}")
    return done


def peer_environment(threads):
    """For a process of PyTorch with so many threads; workers sleep when idle."""
    return {**os.environ, "OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": str(threads),
            "OPENBLAS_NUM_THREADS": str(threads)}


def refuse_wrong(np, name, out, ref, limit):
    """No speed for a wrong answer. Returns the relative error."""
    error = float(np.linalg.norm(out - ref) / np.linalg.norm(ref)) if out.shape == ref.shape else float("inf")
    if not error <= limit:
        raise SystemExit(f"error: {name} computes a wrong result: relative error {error:.3g}, bound {limit:.3g}; "
                         "its speed is not reported")
    return error


def machine():
    """The processor's name, the cores, the system."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as file:
            name = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), name)
    except OSError:
        pass
    return {"cpu": name, "cores": len(os.sched_getaffinity(0)), "system": platform.platform()}


def commit():
    """The short hash of the tree, with -dirty; `unknown` outside of git."""
    done = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty", "--abbrev=10", "--exclude=*"],
                          capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 and done.stdout.strip() else "unknown"


def new_report(rounds):
    return {"date": datetime.date.today().isoformat(), "commit": commit(), "machine": machine(),
            "rounds": rounds, "rows": []}


def results_path(report, folder):
    """DATE-COMMIT-MACHINE in `folder`, which is made if need be."""
    os.makedirs(folder, exist_ok=True)
    slug = re.sub(r"[^A-Za-z0-9]+", "-", report["machine"]["cpu"]).strip("-").lower()
    return os.path.join(folder, f"{report['date']}-{report['commit']}-{slug}")
