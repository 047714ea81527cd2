# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The time to compile does not grow with the kernels of each layer: equal layers share them."""
import re
import time

import pytest

import infini_numpy as oracle
from functions import Function

CONFIG = dict(seed=3, hidden=256, ffn=688, vocab=300, heads=4, groups=2, head_dim=64, segment=128)
DEEP, SHALLOW = 12, 3
MOST = 5.0  # seconds


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for layers in (DEEP, SHALLOW):
        oracle.make_model(folder / str(layers), layers=layers, **CONFIG)
    return folder


def kernels(tools, model, package, *options):
    """Name to dispatches, of --report."""
    report = tools.good([tools.compile, model, "-o", package, "--report", *options]).stderr
    found = re.findall(r"^kernel (\S+): (\d+) dispatches$", report, re.M)
    assert found, report
    names = [name for name, _ in found]
    assert len(set(names)) == len(names), f"a kernel more than once: {names}"
    return {name: int(count) for name, count in found}


def test_seconds(tools, folders, capsys):
    best = float("inf")
    for _ in range(2):
        start = time.perf_counter()
        tools.build(folders / str(DEEP), folders / "deep.infini")
        best = min(best, time.perf_counter() - start)
    with capsys.disabled():
        print(f" {DEEP} layers in {best:.2f} s", end=" ")
    assert best < MOST


def test_equal_layers_share_kernels(tools, folders):
    deep, shallow = (kernels(tools, folders / str(layers), folders / "out.infini") for layers in (DEEP, SHALLOW))
    assert sorted(deep) == sorted(shallow)
    # One more layer is as many more dispatches, of each kernel: those outside of layers, and the first and last layers'
    # own, stay as many.
    more = {name: deep[name] - shallow[name] for name in deep}
    assert all(shallow.values()) and all(count % (DEEP - SHALLOW) == 0 for count in more.values()), (deep, shallow)
    assert sum(count > 0 for count in more.values()) >= 10, more


def test_control(tools, tmp_path):
    """Layers that are not equal, here functions of other head sizes, do not share: the count sees kernels."""
    counts = []
    for sizes in ((8, 8), (8, 16)):
        texts = [Function(d=d, dv=d, first_segment="local_only").text(f"layer{i}") for i, d in enumerate(sizes)]
        (tmp_path / "f.mlir").write_text("".join(texts))
        counts.append(len(kernels(tools, tmp_path / "f.mlir", tmp_path / "f.infini")))
    assert counts[0] < counts[1] <= 2 * counts[0], counts
