# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whether the loops of matrix products in an x86-64 listing keep their sums in registers: product_loops.py < LISTING

Such a loop is an innermost one with at least four sums of products (vfmadd231) in as many registers, and two
broadcasts.
A line for each: function, sums, registers, label. Then what is wrong in it, with exit status 1: an instruction that
reads or writes a slot of the stack, or that stores a sum. A slot is an address of %rsp (or %rbp, where that is the
frame's) and a number; tiles on the stack are read through other registers, or with an index.
"""
import re
import sys

SUM = re.compile(r"vfmadd231p[sd]\s.*%[xyz](mm\d+)$")
BROADCAST = re.compile(r"^vp?broadcast|\{1to\d+\}")
STORE = re.compile(r"^vmov\w+\s+%[xyz](mm\d+),\s*[^%]*\(")


def loops(lines):
    """(function, frame's registers, label, instructions) of each innermost loop: a label to a jump back to it."""
    function = label = None
    frame, body = "rsp", []
    for line in (text.split("#")[0].strip() for text in lines):
        if named := re.match(r"([\w.$@]+):$", line):
            if not named[1].startswith(".L"):
                function, frame = named[1], "rsp"
            label, body = named[1], []
        elif re.match(r"movq\s+%rsp,\s*%rbp$", line):
            frame = "rsp|rbp"
        elif label and line and not line.startswith("."):
            body.append(line)
            if re.match(rf"j\w+\s+{re.escape(label)}$", line):
                yield function, frame, label, body
                label = None


def main():
    bad = False
    for function, frame, label, body in loops(sys.stdin):
        found = [match for line in body if (match := SUM.search(line))]
        sums = {match[1] for match in found}
        if len(sums) < 4 or sum(bool(BROADCAST.search(line)) for line in body) < 2:
            continue
        print(f"{function}: {len(sums)} sums in {found[0][0].rsplit('%', 1)[1][:3]} registers ({label})")
        for line in body:
            if re.search(rf"\(%({frame})\)", line):
                print(f"{function}: a slot of the stack: {' '.join(line.split())}")
                bad = True
            if (store := STORE.match(line)) and store[1] in sums:
                print(f"{function}: a sum is stored: {' '.join(line.split())}")
                bad = True
    return bad


if __name__ == "__main__":
    sys.exit(main())
