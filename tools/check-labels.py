#!/usr/bin/env python3
# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks that every constraint can be followed from its definition to its test.

Each label `(name_cN)` of a dialect's .td stands in docs/spec.md, in a comment of one of that dialect's .cpp files
(the verifier), and in an invalid*.mlir under test/dialect/<dialect>/. Numbers have no gap, and
docs/spec.md has no label that no .td defines. Prints what is missing, and then ends with status 1.
"""
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LABEL = re.compile(r"\b([a-z][a-z0-9_]*)_c([1-9][0-9]*)\b")


def read(*patterns):
    """path relative to the root -> text, of all files that match."""
    texts = {}
    for pattern in patterns:
        for path in sorted(glob.glob(os.path.join(ROOT, pattern), recursive=True)):
            with open(path, encoding="utf-8") as file:
                texts[os.path.relpath(path, ROOT)] = file.read()
    return texts


def labels(text):
    return {match.group(0) for match in LABEL.finditer(text)}


def comments(text):
    """The // comments of a C++ file."""
    return "\n".join(line.partition("//")[2] for line in text.splitlines())


def main():
    spec = labels("\n".join(read("docs/spec.md").values()))
    problems, defined = [], {}
    for path, text in read("dialect/**/*.td").items():
        for label in re.findall(r"\(([a-z][a-z0-9_]*_c[1-9][0-9]*)\)", text):
            if label in defined:
                problems.append(f"{path}: '{label}' is defined twice, first in {defined[label]}")
            defined[label] = path
    if not defined:
        problems.append("dialect/**/*.td: no constraint label")

    cache = {}
    for label, path in defined.items():
        dialect = path.split(os.sep)[1]
        if dialect not in cache:
            sources = read(f"dialect/{dialect}/**/*.cpp").values()
            tests = read(f"test/dialect/{dialect}/**/invalid*.mlir").values()
            cache[dialect] = (labels("\n".join(map(comments, sources))), labels("\n".join(tests)))
        verifier, tests = cache[dialect]
        for found, place in ((spec, "docs/spec.md"), (verifier, f"a comment in dialect/{dialect}/*.cpp"),
                             (tests, f"test/dialect/{dialect}/**/invalid.mlir")):
            if label not in found:
                problems.append(f"{path}: '{label}' is not in {place}")
        op, number = LABEL.fullmatch(label).groups()
        if int(number) > 1 and f"{op}_c{int(number) - 1}" not in defined:
            problems.append(f"{path}: '{label}' follows a gap, no '{op}_c{int(number) - 1}'")
    problems += [f"docs/spec.md: '{label}' is in no dialect/**/*.td" for label in sorted(spec - defined.keys())]

    for problem in problems:
        print(problem)
    print(f"{len(defined)} labels, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
