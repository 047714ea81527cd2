# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads PTX, and says of each kernel's innermost loops with matrix instructions what is in them, and what of the kernel
touches memory that it should not.

A loop is a set of blocks that reach each other. One line a loop:

    attention: loop: 64 mma.sync.aligned.m16n8k16…, 8 cp.async.cg.shared.global, …

and `attention: local memory` where there is any.
"""
import collections
import re
import sys

SHOWN = ("mma.sync", "ldmatrix", "cp.async", "bar.sync", "ld.local", "st.local", "ld.global", "st.global", "fma.rn.f32")


def blocks_of(body):
    """label: (instructions, labels of the blocks behind)."""
    blocks, order, name = {"entry": []}, ["entry"], "entry"
    for line in body:
        label = re.match(r"\s*(\$\w+):", line)
        if label:
            name = label.group(1)
            blocks[name] = []
            order.append(name)
            continue
        if not line.strip():
            continue
        # What stands behind a branch is a block of its own.
        if blocks[name] and re.search(r"\bbra(\.uni)?\b", blocks[name][-1]):
            name = f"{order[-1]}'"
            blocks[name] = []
            order.append(name)
        blocks[name].append(line.strip())
    edges = {}
    for i, name in enumerate(order):
        last = blocks[name][-1] if blocks[name] else ""
        branch = re.search(r"\bbra(?:\.uni)?\s+(\$\w+);", last)
        edges[name] = [branch.group(1)] if branch else []
        if not last.startswith(("bra", "ret")) and i + 1 < len(order):
            edges[name].append(order[i + 1])
    return blocks, edges


def loops_of(edges, among):
    """Sets of blocks that reach each other, by two walks (Kosaraju)."""
    seen, order = set(), []

    def walk(start, follow, into):
        stack = [(start, iter(follow[start]))]
        seen.add(start)
        while stack:
            node, rest = stack[-1]
            for other in rest:
                if other in among and other not in seen:
                    seen.add(other)
                    stack.append((other, iter(follow[other])))
                    break
            else:
                into.append(node)
                stack.pop()

    for node in among:
        if node not in seen:
            walk(node, edges, order)
    back = collections.defaultdict(list)
    for node in among:
        for other in edges[node]:
            back[other].append(node)
    seen.clear()
    for node in reversed(order):
        if node not in seen:
            members = []
            walk(node, back, members)
            if len(members) > 1 or node in edges[node]:
                yield set(members)


def innermost(edges, among):
    for loop in loops_of(edges, among):
        # Without its header, what is left of a loop of loops is still a loop.
        headers = {node for node in loop if any(node in edges[other] for other in edges if other not in loop)}
        inner = list(innermost(edges, loop - headers))
        if inner:
            yield from inner
        else:
            yield loop


def main():
    text = sys.stdin.read()
    for match in re.finditer(r"\.entry (\w+)\(.*?^\{(.*?)^\}", text, re.DOTALL | re.MULTILINE):
        name, body = match.group(1), match.group(2).splitlines()
        if any(".local" in line for line in body):
            print(f"{name}: local memory")
        blocks, edges = blocks_of(body)
        for loop in innermost(edges, set(blocks)):
            counts = collections.Counter()
            for block in loop:
                for line in blocks[block]:
                    op = re.search(r"[a-z][\w.:]*", re.sub(r"^(@!?%p\d+|\{.*?;)\s*", "", line))
                    if op and op.group(0).startswith(SHOWN):
                        counts[op.group(0)] += 1
            if any(op.startswith("mma") for op in counts):
                found = ", ".join(f"{count} {op}" for op, count in sorted(counts.items()))
                print(f"{name}: loop: {found}")


if __name__ == "__main__":
    main()
