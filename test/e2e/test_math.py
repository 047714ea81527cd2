# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The f32 exponentials that kernels compute inline, over all exponents of f32: within 2 ulp of float64."""
import numpy as np
import pytest

PROGRAM = """
func.func @exp(%x: tensor<?xf32>) -> tensor<?xf32> {
  %y = math.exp %x : tensor<?xf32>
  return %y : tensor<?xf32>
}
func.func @exp2(%x: tensor<?xf32>) -> tensor<?xf32> {
  %y = math.exp2 %x : tensor<?xf32>
  return %y : tensor<?xf32>
}
"""
EDGES = np.float32([0, -0.0, np.inf, -np.inf, np.nan, -87.5, -103.9, -104.1, 88.7, 88.8, 127.99, 128, -126.5, -149, -150])


def arguments(stride):
    """Every `stride`-th f32 by its bits, NaN and infinities among them, and the edges: f32 [n]."""
    bits = np.arange(0, 2**32, stride, dtype=np.uint64).astype(np.uint32)
    return np.concatenate([bits.view(np.float32), EDGES])


def worst_ulp(found, x, function):
    """The largest error in units of the last place of the f32 result; infinite where NaN or infinities differ."""
    with np.errstate(all="ignore"):
        exact = function(x.astype(np.float64))
        rounded = exact.astype(np.float32)
    if (np.isnan(found) != np.isnan(x)).any() or (np.isinf(found) != np.isinf(rounded)).any():
        return np.inf
    finite = np.isfinite(rounded)
    place = np.spacing(np.maximum(rounded[finite], np.float32(1e-45))).astype(np.float64)
    return (np.abs(found[finite].astype(np.float64) - exact[finite]) / place).max()


@pytest.mark.parametrize("entry,function", [("exp", np.exp), ("exp2", np.exp2)])
def test_within_two_ulp(tools, tmp_path, request, entry, function):
    x = arguments(97 if request.config.getoption("--long") else 9973)
    (tmp_path / "math.mlir").write_text(PROGRAM)
    np.save(tmp_path / "x.npy", x)
    tools.good([tools.run, tmp_path / "math.mlir", "--entry", entry, "--input", f"@{tmp_path}/x.npy",
                "--output", f"@{tmp_path}/y.npy"])
    found = np.load(tmp_path / "y.npy")
    assert worst_ulp(found, x, function) <= 2
    # Controls: one element off by four places, a NaN that got lost, an overflow that did not overflow.
    place = int(np.flatnonzero(np.isfinite(found) & (found > 1))[0])
    for index, wrong in ((place, found[place] + 4 * np.spacing(found[place])),
                         (len(x) - len(EDGES) + 4, np.float32(1)),
                         (len(x) - len(EDGES) + 2, np.float32(3e38))):
        broken = found.copy()
        broken[index] = wrong
        assert worst_ulp(broken, x, function) > 2
