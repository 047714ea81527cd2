# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which element lies in which register of which lane, as the PTX ISA says: "Matrix Fragments for mma.m16n8k16", and
ldmatrix. Written from its formulas alone, and checked here for what must hold of them; nothing is shared with the
compiler or the simulator.

Each function takes a lane (0 … 31) and an element of its fragment, and gives (row, column). As a program: prints what
was checked.
"""


def a16(lane, i):
    """A, 16 × 16 of 16 bits: eight elements, two a register."""
    group, thread = lane >> 2, lane % 4
    row = group if i < 2 or 4 <= i < 6 else group + 8
    column = thread * 2 + (i & 1)
    return row, column if i < 4 else column + 8


def b16(lane, i):
    """B, 16 × 8 of 16 bits: four elements."""
    group, thread = lane >> 2, lane % 4
    row = thread * 2 + (i & 1)
    return row if i < 2 else row + 8, group


def c(lane, i):
    """C and D, 16 × 8 of f32: four elements."""
    group, thread = lane >> 2, lane % 4
    return group if i < 2 else group + 8, thread * 2 + (i & 1)


def a_tf32(lane, i):
    """A, 16 × 8 of tf32: four elements."""
    group, thread = lane >> 2, lane % 4
    return group if i in (0, 2) else group + 8, thread if i < 2 else thread + 4


def b_tf32(lane, i):
    """B, 8 × 8 of tf32: two elements."""
    group, thread = lane >> 2, lane % 4
    return thread if i == 0 else thread + 4, group


def ldmatrix(lane, i, transposed=False):
    """Of each 8 × 8 matrix: two neighbours of a row, or of a column."""
    place = lane // 4, 2 * (lane % 4) + i
    return place[::-1] if transposed else place


# name: (function, elements of a lane, rows, columns)
FRAGMENTS = {
    "a16": (a16, 8, 16, 16),
    "b16": (b16, 4, 16, 8),
    "c": (c, 4, 16, 8),
    "a_tf32": (a_tf32, 4, 16, 8),
    "b_tf32": (b_tf32, 2, 8, 8),
    "ldmatrix": (ldmatrix, 2, 8, 8),
    "ldmatrix.trans": (lambda lane, i: ldmatrix(lane, i, True), 2, 8, 8),
}


def main():
    for name, (place, count, rows, columns) in FRAGMENTS.items():
        places = {place(lane, i) for lane in range(32) for i in range(count)}
        assert places == {(row, column) for row in range(rows) for column in range(columns)}, name
        print(f"{name}: {rows} x {columns}, each element once")
    for lane in range(32):
        # Four matrices are a fragment of A: (0, 0), (8, 0), (0, 8), (8, 8); two are one of B, transposed where it lies
        # by rows.
        for i in range(8):
            row, column = ldmatrix(lane, i % 2)
            assert a16(lane, i) == (row + 8 * (i // 2 % 2), column + 8 * (i // 4))
        for i in range(4):
            row, column = ldmatrix(lane, i % 2, transposed=True)
            assert b16(lane, i) == (row + 8 * (i // 2), column)
        # Two sums side by side are a fragment of A: what becomes of scores needs no move.
        for i in range(8):
            row, column = c(lane, i % 4)
            assert a16(lane, i) == (row, column + 8 * (i // 4))
    print("ldmatrix gives fragments of A and B")
    print("two fragments of C are one of A")


if __name__ == "__main__":
    main()
