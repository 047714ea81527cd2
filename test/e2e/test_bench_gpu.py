# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""bench/gpu.sh without a GPU: a tiny folder is prepared, and run on this machine and on the simulator."""
import json
import os
import shutil
import sys

import numpy as np
import pytest

from harness import ROOT, SIM

sys.path.insert(0, os.path.join(ROOT, "bench"))
import gpu_fragments  # noqa: E402

SCRIPT = os.path.join(ROOT, "bench", "gpu.sh")


@pytest.fixture(scope="module")
def folder(tools, tmp_path_factory):
    path = tmp_path_factory.mktemp("gpu") / "packages"
    tools.good([SCRIPT, "--prepare", path, "--quick", "--bin", os.path.dirname(tools.compile)],
               env={**os.environ, "PYTHON": sys.executable})
    return path


def run(tools, folder, out, device):
    """(exit status, standard error, the report)"""
    done = tools.call([SCRIPT, "--packages", folder, "--device", device, "--quick", "--out", out],
                      env={**os.environ, "PYTHON": sys.executable})
    reports = list(out.glob("*.json"))
    return done.returncode, done.stderr, json.loads(reports[0].read_text()) if reports else None


@pytest.mark.parametrize("device", ["cpu", SIM])
def test_dry_run(tools, folder, tmp_path, device):
    status, said, report = run(tools, folder, tmp_path, device)
    assert status == 0, said
    assert len(report["results"]) == 3 and not any(row["wrong"] for row in report["results"]), said
    assert {line.partition(":")[0] for line in report["skipped"]} == {"fragments", "times", "compute-sanitizer"}
    assert not report["refused"] and "layouts of the compiler are those" in report["layouts"]


def test_wrong_result(tools, folder, tmp_path):
    """One element of one stored result is another: that case is wrong, and the exit status says so."""
    other = tmp_path / "packages"
    shutil.copytree(folder, other)
    path = other / "data" / "f32-16-tiny" / "o.npy"
    array = np.load(path)
    array[0, 0, 5, 3] += 0.01
    np.save(path, array)
    status, said, report = run(tools, other, tmp_path / "out", "cpu")
    assert status == 2 and "WRONG f32-16-tiny: o: " in said, said
    assert [row["name"] for row in report["results"] if row["wrong"]] == ["f32-16-tiny"]


def test_bad_folder(tools, tmp_path):
    status, said, report = run(tools, tmp_path, tmp_path / "out", "cpu")
    assert status == 1 and "was not made by --prepare" in said and report is None


def emulated(kind, first, second, third):
    """What gpu_fragments.cu does, by formulas of bits; A, B, C to D, or memory and addresses to registers."""
    lane = np.arange(32)
    g, t, out = lane >> 2, lane & 3, np.zeros((len(first), 32, 4), np.float32)

    def elements(words):
        if kind == gpu_fragments.MMA["tf32"]:
            return words.view(np.float32)
        halves = np.stack([words & 0xffff, words >> 16], -1).reshape(*words.shape[:-1], -1)
        return ((halves << 16).view(np.float32) if kind == gpu_fragments.MMA["bf16"] else
                halves.astype(np.uint16).view(np.float16).astype(np.float32))

    if kind < 3:
        a, b, narrow = elements(first), elements(second), kind == gpu_fragments.MMA["tf32"]
        A, B, C = (np.zeros((len(first), *shape)) for shape in ((16, 16), (16, 8), (16, 8)))
        for i in range(a.shape[-1]):
            if narrow:
                A[:, g + 8 * (i & 1), t + 4 * (i >> 1)] = a[:, :, i]
            else:
                A[:, g + 8 * (i >> 1 & 1), 2 * t + (i & 1) + 8 * (i >> 2)] = a[:, :, i]
        for i in range(b.shape[-1]):
            B[:, t + 4 * i if narrow else 2 * t + (i & 1) + 8 * (i >> 1), g] = b[:, :, i]
        for i in range(4):
            C[:, g + 8 * (i >> 1), 2 * t + (i & 1)] = third[:, :, i]
        D = A @ B + C
        for i in range(4):
            out[:, :, i] = D[:, g + 8 * (i >> 1), 2 * t + (i & 1)]
        return out
    for probe, memory in enumerate(first.view(np.uint16).reshape(len(first), -1, 8)):
        for matrix in range(1 << (kind - 3) // 2):
            rows = memory[second[probe, 8 * matrix:8 * matrix + 8] // 16]
            rows = rows.T if (kind - 3) % 2 else rows
            out.view(np.uint32)[probe, :, matrix] = rows[g, 2 * t] | rows[g, 2 * t + 1].astype(np.uint32) << 16
    return out


def test_fragments():
    """The probes find every wrong table, and nothing where the instructions do as the ISA says."""
    found = gpu_fragments.check_all(emulated)
    assert len(found) == 3 * 4 + 6 * 2 and not [what for what, wrong in found if wrong], found
    tables = gpu_fragments.isa_tables()
    wrong = gpu_fragments.check_mma(emulated, "bf16", {**tables, "C": gpu_fragments.swapped(tables["C"], 9)})
    assert "of lane 9 is " in wrong


def test_fragments_program(tools, tmp_path):
    """gpu_fragments.cu compiles; there may be no GPU to run it."""
    nvcc = shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
    if not os.access(nvcc, os.X_OK):
        pytest.skip("no nvcc")
    assert os.access(gpu_fragments.build(nvcc, tmp_path), os.X_OK)
