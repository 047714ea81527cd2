#!/usr/bin/env python3
# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The passkey task (arXiv 2404.07143, section 4.2): makes its texts, and scores a model's answers.

    passkey.py make --tokens 32768 --place 0.5 --seed 1 -o text.txt
    passkey.py score text.txt --package passkey.infini           # runs infini-run
    passkey.py score text.txt --logits logits.npy                # reads logits [T, 256], or their last rows
    passkey.py table --package passkey.infini --tokens 8192 32768 --texts 16

A text is `tokens` bytes of filler with the needle (the key, twice) at `place` in [0, 1] of it, and ends in the
question and the key's five digits. The logits at its positions -6 ... -2 are the prediction of those digits.
"""
import argparse
import os
import random
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
FILLER = b"The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again. "
DIGITS = 5
# Rows of logits that are asked for: enough for the answer, however long the text is.
LAST = 64


def question(key):
    """What the text ends in; the full stop is the last target, and no part of the text."""
    return f"What is the pass key? The pass key is {key}.".encode()


def make(tokens, place, seed):
    """A text of exactly `tokens` bytes; the same arguments give the same text."""
    rng = random.Random(seed)
    key = "%05d" % rng.randrange(100000)
    needle = f"The pass key is {key}. Remember it. {key} is the pass key. ".encode()
    room = tokens + 1 - len(question(key)) - len(needle)
    if room < 0:
        raise SystemExit(f"error: {tokens} tokens are too few for the needle and the question "
                         f"(at least {tokens - room})")
    start = rng.randrange(len(FILLER))
    body = (FILLER * (room // len(FILLER) + 2))[start:start + room]
    at = int(room * place)
    return (body[:at] + needle + body[at:] + question(key))[:-1]


def key_of(text):
    """The key: a text's last five bytes."""
    return text[-DIGITS:]


def score(text, logits):
    """(answer, number of right digits) from logits [T, 256], or from their last rows."""
    answer = bytes(np.argmax(logits[-DIGITS - 1:-1], axis=1).astype(np.uint8))
    right = sum(a == b for a, b in zip(answer, key_of(text)))
    return answer.decode("ascii", "backslashreplace"), right


def run_logits(text, package, model=HERE, run="infini-run", last=None, options=()):
    """Logits [T, 256] from infini-run, or their last `last` rows."""
    with tempfile.TemporaryDirectory() as folder:
        path, logits = os.path.join(folder, "text"), os.path.join(folder, "logits.npy")
        with open(path, "wb") as file:
            file.write(text)
        command = [run, package, "--weights", model, "--prompt-file", path, "--logits-out", f"@{logits}",
                   *(["--logits-last", last] if last else []), *options]
        done = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(f"error: {os.path.basename(str(run))} ended with status {done.returncode}\n"
                             f"{done.stderr}")
        return np.load(logits)


def answer(text, package, model, run, options=()):
    """(answer, number of right digits) for a text of any length."""
    return score(text, run_logits(text, package, model, run, LAST, options))


def share(tokens, place, texts, package, model, run, seed=0, options=()):
    """The share of digits that are right over `texts` texts."""
    right = sum(answer(make(tokens, place, seed + i), package, model, run, options)[1] for i in range(texts))
    return right / (DIGITS * texts)


def find_run():
    """infini-run: of $INFINI_BIN, of the build folder, or of the PATH."""
    for folder in (os.environ.get("INFINI_BIN"), os.path.join(HERE, "..", "..", "build", "bin")):
        if folder and os.access(os.path.join(folder, "infini-run"), os.X_OK):
            return os.path.abspath(os.path.join(folder, "infini-run"))
    return "infini-run"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)

    one = commands.add_parser("make", help="write a text, print its key")
    one.add_argument("--tokens", type=int, required=True)
    one.add_argument("--place", type=float, default=0.5, help="of the needle: 0 start, 1 end (default: 0.5)")
    one.add_argument("--seed", type=int, default=1)
    one.add_argument("-o", "--output", required=True)

    two = commands.add_parser("score", help="score a text; ends with status 2 unless all digits are right")
    two.add_argument("text")
    two.add_argument("--logits", help="a .npy file of [T, 256], or of its last rows (at least 6)")
    three = commands.add_parser("table", help="shares of right digits by length and place")
    three.add_argument("--tokens", type=int, nargs="+", default=[8192, 32768])
    three.add_argument("--places", type=float, nargs="+", default=[0.0, 0.5, 0.98])
    three.add_argument("--texts", type=int, default=16)
    three.add_argument("--seed", type=int, default=0)
    for command in (two, three):
        command.add_argument("--package", help="what infini-compile made of this folder")
        command.add_argument("--model", default=HERE, help="the weights' folder (default: this one)")
        command.add_argument("--run", default=find_run(), help="path of infini-run")
        command.add_argument("--option", action="append", default=[],
                             help="passed to infini-run, as in --option=--threads=2")
    a = parser.parse_args()

    if a.command == "make":
        if not 0 <= a.place <= 1:
            parser.error(f"--place is {a.place}, expected a number in [0, 1]")
        text = make(a.tokens, a.place, a.seed)
        with open(a.output, "wb") as file:
            file.write(text)
        print(f"key     {key_of(text).decode()}")
        return 0
    if a.command == "score":
        with open(a.text, "rb") as file:
            text = file.read()
        if not key_of(text).isdigit():
            parser.error(f"{a.text} does not end in a key of {DIGITS} digits")
        if not a.logits and not a.package:
            parser.error("give --package or --logits")
        found, right = (score(text, np.load(a.logits)) if a.logits else
                        answer(text, a.package, a.model, a.run, a.option))
        print(f"key     {key_of(text).decode()}\nanswer  {found}\nscore   {right}/{DIGITS}")
        return 0 if right == DIGITS else 2
    if not a.package:
        parser.error("give --package")
    print("| tokens | " + " | ".join(f"at {place:.0%}" for place in a.places) + " |")
    print("|---" * (1 + len(a.places)) + "|")
    for tokens in a.tokens:
        cells = [share(tokens, place, a.texts, a.package, a.model, a.run, a.seed, a.option) for place in a.places]
        print(f"| {tokens:,} | " + " | ".join(f"{cell:.0%}" for cell in cells) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
