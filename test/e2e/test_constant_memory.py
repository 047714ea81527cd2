# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Peak memory does not grow with the text: within 2 % or 1 MB of the peak at 64k tokens."""
import numpy as np
import pytest

import infini_numpy as oracle
import passkey
from harness import PASSKEY, peak_memory

SHORT, MIDDLE, FAR = 64 << 10, 256 << 10, 1 << 20


@pytest.fixture(scope="module")
def peak(tools, tmp_path_factory):
    """peak(tokens): (KiB, seconds) of one run over a text of so many bytes."""
    folder = tmp_path_factory.mktemp("memory")
    package = tools.build(PASSKEY, folder / "passkey.infini")

    def measure(tokens, *options):
        path = folder / f"{tokens}.txt"
        path.write_bytes(passkey.make(tokens, 0.5, 1))
        return peak_memory([tools.run, package, "--weights", PASSKEY, "--prompt-file", path, *options])
    return measure


def assert_constant(far, near):
    """KiB against KiB."""
    assert far - near <= max(0.02 * near, 1024), f"peak {far} KiB, {near} KiB at {SHORT} tokens"


def test_a_growing_peak_is_seen():
    """Negative control: the K and V of two layers kept for 200k more tokens."""
    near = 60 << 10
    assert_constant(near + 1000, near)
    with pytest.raises(AssertionError):
        assert_constant(near + 2 * 2 * 128 * 4 * (MIDDLE - SHORT) // 1024, near)


def test_peak(peak, long):
    near, _ = peak(SHORT)
    middle, seconds = peak(MIDDLE)
    assert near > 12 << 10, "the launcher's own memory hides the process"
    assert_constant(middle, near)
    if long or MIDDLE / seconds > 100_000:
        far, _ = peak(FAR)
        assert_constant(far, near)


def test_peak_with_last_logits(peak, tmp_path):
    """The same with the last rows and the state written at the end, of which there are as many for every text."""
    options = ["--logits-out", f"@{tmp_path / 'last.npy'}", "--logits-last", "2000", "--dump-state",
               str(tmp_path / "state")]
    peaks, sizes = [], []
    for tokens in (SHORT, MIDDLE):
        peaks.append(peak(tokens, *options)[0])
        sizes.append({path.name: path.stat().st_size for path in (tmp_path / "state").iterdir()})
        assert np.load(tmp_path / "last.npy").shape == (2000, 256)
    assert_constant(peaks[1], peaks[0])
    assert sizes[0] == sizes[1] and len(sizes[0]) > 1


def test_peak_with_states(tools, peak, tmp_path):
    """The same with a state written at the end; the state's size does not depend on the text."""
    tools.needs(tools.run, "--state-out")
    sizes = []
    for tokens in (SHORT, 2 * SHORT):
        near, _ = peak(tokens, "--state-out", str(tmp_path / "state"))
        sizes.append((near, (tmp_path / "state").stat().st_size))
    assert_constant(sizes[1][0], sizes[0][0])
    assert abs(sizes[0][1] - sizes[1][1]) <= 64
    tensors = oracle.read_safetensors(tmp_path / "state")
    assert all(np.isfinite(x).all() for x in tensors.values())
