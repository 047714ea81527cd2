# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The time to compile does not grow with the kernels of each layer: equal layers share them."""
import re
import time

import pytest

import infini_numpy as oracle

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
    # Each layer calls what it shares: what is called more often in the deep one is called 4 times as often, or all but
    # in the first and last layers.
    assert all(deep[name] >= shallow[name] >= 1 for name in deep)
    assert sum(deep.values()) >= (DEEP // SHALLOW - 1) * sum(shallow.values())


def test_other_layers_do_not(tools, folders, tmp_path):
    """The control: another segment length makes other kernels, so that the count says something."""
    oracle.make_model(tmp_path / "other", layers=SHALLOW, **{**CONFIG, "gate": "head_channel"})
    text = lambda folder: tools.good([tools.compile, folder, "--emit=dispatch"]).stdout
    assert text(tmp_path / "other") != text(folders / str(SHALLOW))
