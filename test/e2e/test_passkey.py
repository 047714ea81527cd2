# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The trained passkey model: logits of the sample, and the scores its README states."""
import os

import numpy as np
import pytest

import infini_numpy as oracle
import passkey
from harness import PASSKEY, assert_close, assert_same_bits

# Share of digits that examples/passkey/README.md states, and how far a measurement may lie from it.
STATED = {8192: {0.0: 1.0, 0.5: 1.0, 0.98: 1.0}, 32768: {0.0: 1.0, 0.5: 1.0, 0.98: 1.0}}
POINTS = 0.03


@pytest.fixture(scope="module")
def package(tools, tmp_path_factory):
    return tools.build(PASSKEY, tmp_path_factory.mktemp("passkey") / "passkey.infini")


def test_texts():
    """Length, question, the key in its place, the same text for the same seed; needs no binaries."""
    for tokens in (256, 4096, 10000):
        for place in (0.0, 0.5, 0.98, 1.0):
            text = passkey.make(tokens, place, 3)
            key = passkey.key_of(text)
            assert len(text) == tokens and key.isdigit() and text.endswith(b"The pass key is " + key)
            needle = b"The pass key is " + key + b". Remember it. " + key + b" is the pass key. "
            room = tokens + 1 - len(needle) - len(passkey.question(key.decode()))
            assert text.count(needle) == 1 and text.index(needle) == int(room * place)
            assert text == passkey.make(tokens, place, 3) != passkey.make(tokens, place, 4)


def test_score_of_logits():
    """Rows -6 ... -2 are the prediction; a wrong row costs one digit, the last row none."""
    text = passkey.make(4096, 0.5, 1)
    logits = np.zeros((64, 256), np.float32)
    for row, byte in zip(range(-6, -1), text[-5:]):
        logits[row, byte] = 1
    assert passkey.score(text, logits) == (passkey.key_of(text).decode(), 5)
    logits[-1, 0] = 9
    assert passkey.score(text, logits)[1] == 5
    logits[-4, 0] = 9
    assert passkey.score(text, logits)[1] == 4
    assert passkey.score(text, np.roll(logits, 1, axis=0))[1] < 4


def test_sample(tools, package, tmp_path):
    """Logits of the last 64 positions, and those of all positions."""
    with open(os.path.join(PASSKEY, "sample.txt"), "rb") as file:
        text = file.read()
    logits = passkey.run_logits(text, package, PASSKEY, tools.run)
    assert_close(logits[-64:], np.load(os.path.join(PASSKEY, "sample_logits_last64.npy")), 2e-6)
    ref, _ = oracle.forward(oracle.load_model(PASSKEY), np.frombuffer(text, np.uint8))
    assert_close(logits, ref, 2e-6)
    assert passkey.score(text, logits) == ("98939", 5)


def test_last_logits(tools, package):
    """--logits-last: rows of the whole, to the bit, as texts are scored; across calls, and more than there are."""
    text = passkey.make(5000, 0.5, 7)
    whole = passkey.run_logits(text, package, PASSKEY, tools.run)
    for last in (1, passkey.LAST, 904, 905, 1500, 5000, 6000):
        found = passkey.run_logits(text, package, PASSKEY, tools.run, last=last)
        assert_same_bits(found, whole[-last:], f"the last {last}")


@pytest.mark.parametrize("tokens", STATED)
def test_scores(tools, package, long, tokens):
    """Sixteen texts a place with --long, as the README has them; else fewer, and none of 32,768."""
    if tokens > 8192 and not long:
        pytest.skip("needs --long")
    for place, stated in STATED[tokens].items():
        found = passkey.share(tokens, place, 16 if long else 6, package, PASSKEY, tools.run)
        assert abs(found - stated) <= POINTS, f"{tokens} tokens, place {place}: {found:.1%}, README says {stated:.0%}"


def test_same_bits(tools, package):
    text = passkey.make(2000, 0.5, 2)
    first = passkey.run_logits(text, package, PASSKEY, tools.run)
    assert_same_bits(passkey.run_logits(text, package, PASSKEY, tools.run), first)
