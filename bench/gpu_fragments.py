# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which lane's register holds which element of mma.sync's factors and sum, and of what ldmatrix reads: the tables of
the PTX ISA, the compiler's, and what the hardware does.

A table is an array [32 lanes, registers, 2] of coordinates; a register is an element, not a word. Rows, columns, and
k have a meaning only together: so products are checked, each with one element of a factor set to 1.
"""
import os
import re
import struct
import subprocess
import tempfile

import numpy as np

LANES = 32
# Kinds of gpu_fragments.cu.
MMA = {"bf16": 0, "f16": 1, "tf32": 2}
LDMATRIX = {(count, transposed): 3 + 2 * i + transposed for i, count in enumerate((1, 2, 4))
            for transposed in (False, True)}


# --------------------------------------------------------------------------------------------------------
# The PTX ISA
# --------------------------------------------------------------------------------------------------------

def isa_tables(depth=16):
    """PTX ISA, "Matrix Fragments for mma.m16n8k16" (16-bit elements), or "mma.m16n8k8" (tf32, depth 8).

    A in (row, k), B in (k, column), C in (row, column).
    """
    def table(registers, place):
        rows = []
        for lane in range(LANES):
            group, thread = lane // 4, lane % 4  # groupID = %laneid >> 2, threadID_in_group = %laneid % 4
            rows.append([place(group, thread, i) for i in range(registers)])
        return np.array(rows)

    def c(group, thread, i):
        return (group if i < 2 else group + 8, thread * 2 + (i & 1))

    def a16(group, thread, i):
        row = group if 0 <= i < 2 or 4 <= i < 6 else group + 8
        return (row, thread * 2 + (i & 1) if i < 4 else thread * 2 + (i & 1) + 8)

    def b16(group, thread, i):
        return (thread * 2 + (i & 1) if i < 2 else thread * 2 + (i & 1) + 8, group)

    def a8(group, thread, i):
        return (group if i in (0, 2) else group + 8, thread if i in (0, 1) else thread + 4)

    def b8(group, thread, i):
        return (thread if i == 0 else thread + 4, group)

    if depth == 8:
        return {"A": table(4, a8), "B": table(2, b8), "C": table(4, c)}
    return {"A": table(8, a16), "B": table(4, b16), "C": table(4, c)}


def ldmatrix_table(count, transposed):
    """[32, 2 count, 3]: (matrix, row, column) of what a lane gets; PTX ISA, "ldmatrix"."""
    rows = []
    for lane in range(LANES):
        found = []
        for register in range(2 * count):
            row, column = lane // 4, 2 * (lane % 4) + register % 2
            found.append((register // 2, column, row) if transposed else (register // 2, row, column))
        rows.append(found)
    return np.array(rows)


# --------------------------------------------------------------------------------------------------------
# The compiler
# --------------------------------------------------------------------------------------------------------

# Two products, the first one's result a factor of the second: its left one, and its right one.
PRODUCTS = """
func.func @{name}(%a: memref<16x16xbf16>, %b: memref<16x16xbf16>, %v: memref<16x16xbf16>, %c: memref<16x16xf32>) {{
  %x = tile.load %a[0, 0] dims [0, 1] : memref<16x16xbf16> -> tensor<16x16xbf16>
  %y = tile.load %b[0, 0] dims [0, 1] : memref<16x16xbf16> -> tensor<16x16xbf16>
  %w = tile.load %v[0, 0] dims [0, 1] : memref<16x16xbf16> -> tensor<16x16xbf16>
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  %s = tile.dot %x, %y, %zero : tensor<16x16xbf16>, tensor<16x16xbf16> into tensor<16x16xf32>
  %p = arith.truncf %s : tensor<16x16xf32> to tensor<16x16xbf16>
  %d = tile.dot {factors}, %zero : tensor<16x16xbf16>, tensor<16x16xbf16> into tensor<16x16xf32>
  tile.store %d, %c[0, 0] dims [0, 1] : tensor<16x16xf32>, memref<16x16xf32>
  return
}}
"""
PIPELINE = "builtin.module(func.func(tile-assign-layouts{warps=1},cse))"
TILE = re.compile(r"tensor<16x16x(bf16|f32), #tile\.layout<lane = \[(.*?)\], warp = \[\], register = \[(.*?)\], "
                  r"repeat = \[(\d+), (\d+)\]>>")


def layout_table(lane, register, repeat):
    """What docs of #tile.layout say that its text means: [32, registers, 2]."""
    def bases(text):
        return [(0, 0) if basis == "_" else tuple(map(int, basis.split(":"))) for basis in text.split(", ") if basis]

    lanes, registers = bases(lane), bases(register)
    atom = [1, 1]
    for dim, stride in lanes + registers:
        atom[dim] *= 2 if stride else 1
    table = np.zeros((LANES, repeat[0] * repeat[1] << len(registers), 2), int)
    for number in range(LANES):
        for at in range(table.shape[1]):
            row, column = divmod(at >> len(registers), repeat[1])
            place = [row * atom[0], column * atom[1]]
            for value, of in ((number, lanes), (at, registers)):
                for bit, (dim, stride) in enumerate(of):
                    place[dim] += stride * (value >> bit & 1)
            table[number, at] = place
    return table


def compiler_tables(infini_opt):
    """Tables of A and C as the compiler lays tiles out, straight and transposed (its B comes by ldmatrix alone)."""
    found = {}
    for name, factors in (("left", "%p, %w"), ("right", "%w, %p")):
        done = subprocess.run([infini_opt, "-", f"-pass-pipeline={PIPELINE}"], text=True, capture_output=True,
                              input=PRODUCTS.format(name=name, factors=factors))
        if done.returncode:
            raise SystemExit(f"error: infini-opt ended with status {done.returncode}\n{done.stderr}")
        dots = [line for line in done.stdout.splitlines() if "tile.dot" in line]
        for kind, lane, register, *repeat in TILE.findall(dots[-1]):
            table = layout_table(lane, register, list(map(int, repeat)))
            table = table[..., ::-1] if name == "right" else table  # it computes the transpose: C' = P' W'
            found["A" if kind == "bf16" else "C", name] = table
    return found


def compare_compiler(infini_opt):
    """How often the compiler's tables were compared with the ISA's; ends the program where they differ."""
    isa, found = isa_tables(), compiler_tables(infini_opt)
    if len(found) != 4:
        raise SystemExit(f"error: expected A and C of two products from infini-opt, got {sorted(found)}")
    for (matrix, name), table in found.items():
        # 16 columns: two of the instruction, the registers of the second behind those of the first.
        wanted = isa[matrix] if matrix == "A" else np.concatenate([isa["C"], isa["C"] + [0, 8]], axis=1)
        if not np.array_equal(table, wanted):
            raise SystemExit(f"error: the compiler's layout of {matrix} ({name}) is not that of the PTX ISA: "
                             + first_difference(table, wanted))
    return len(found)


def first_difference(found, wanted):
    if found.shape != wanted.shape:
        return f"{found.shape[1]} registers a lane, expected {wanted.shape[1]}"
    lane, register = np.argwhere((found != wanted).any(axis=-1))[0]
    return (f"lane {lane}, register {register} holds {tuple(map(int, found[lane, register]))}, "
            f"expected {tuple(map(int, wanted[lane, register]))}")


# --------------------------------------------------------------------------------------------------------
# Probes: what the instruction is given, and what it must give
# --------------------------------------------------------------------------------------------------------

def encode(values, kind):
    """Numbers [..., n] to 32-bit words: pairs of 16-bit elements, or f32."""
    values = np.ascontiguousarray(values, np.float32)
    if kind == "tf32":
        return values.view(np.uint32)
    bits = values.astype(np.float16).view(np.uint16) if kind == "f16" else (values.view(np.uint32) >> 16)
    pairs = bits.astype(np.uint32).reshape(*bits.shape[:-1], -1, 2)
    return pairs[..., 0] | pairs[..., 1] << 16


def spread(matrix, table):
    """A matrix to the lanes' registers [32, registers]."""
    return matrix[table[..., 0], table[..., 1]]


def mma_probes(kind, tables):
    """Products of a factor that is 1 in one place with one of different whole numbers, for each place of both.

    Returns the words of A, B, C, the sums that must come, and what each probe is.
    """
    depth = 8 if kind == "tf32" else 16
    numbers = {"A": 1 + np.arange(16 * depth).reshape(16, depth), "B": 1 + np.arange(depth * 8).reshape(depth, 8)}
    start = 0.5 * np.arange(128).reshape(16, 8)  # C, so that it is read too
    parts, names = [], []
    for one, other in (("A", "B"), ("B", "A")):
        for lane in range(LANES):
            for register, (row, column) in enumerate(tables[one][lane]):
                single = np.zeros(numbers[one].shape)
                single[row, column] = 1
                given = {one: single, other: numbers[other]}
                parts.append([spread(given["A"], tables["A"]), spread(given["B"], tables["B"]),
                              spread(start, tables["C"]), spread(given["A"] @ given["B"] + start, tables["C"])])
                names.append(f"{one}'s register {register} of lane {lane}")
    a, b, c, d = (np.array(part) for part in zip(*parts))
    return encode(a, kind), encode(b, kind), c.astype(np.float32), d.astype(np.float32), names


def check_mma(run, kind, tables):
    """What differs first, or None; `run` executes the instruction."""
    a, b, c, wanted, names = mma_probes(kind, tables)
    found = run(MMA[kind], a, b, c)
    wrong = np.argwhere(~(found == wanted))
    if not len(wrong):
        return None
    probe, lane, register = wrong[0]
    return (f"mma.sync {kind}: with 1 in {names[probe]}, register {register} of lane {lane} is "
            f"{found[probe, lane, register]:g}, expected {wanted[probe, lane, register]:g} "
            f"({len(wrong)} of {wanted.size} differ)")


def check_ldmatrix(run, count, transposed, table):
    """Rows lie in any order in shared memory; what differs first, or None."""
    rng = np.random.default_rng(count)
    memory, addresses, wanted = [], [], []
    for _ in range(8):
        matrices = rng.permutation(65536)[:count * 64].astype(np.uint16).reshape(count, 8, 8)
        places = rng.permutation(64)[:LANES]  # rows of 16 bytes
        shared = rng.integers(0, 65536, (64, 8)).astype(np.uint16)
        shared[places[:8 * count]] = matrices.reshape(-1, 8)
        memory.append(shared.view(np.uint32).reshape(-1))
        addresses.append(16 * places)
        wanted.append(matrices[table[..., 0], table[..., 1], table[..., 2]])
    found = run(LDMATRIX[count, transposed], np.array(memory, np.uint32), np.array(addresses, np.uint32), None)
    wanted = np.array(wanted)
    got = found.view(np.uint32)[..., :count].copy().view(np.uint16).reshape(wanted.shape)
    wrong = np.argwhere(got != wanted)
    if not len(wrong):
        return None
    probe, lane, register = wrong[0]
    return (f"ldmatrix.x{count}{'.trans' * transposed}: element {register} of lane {lane} is "
            f"{got[probe, lane, register]}, expected {wanted[probe, lane, register]} "
            f"(row, column {tuple(map(int, table[lane, register, 1:]))} of matrix {table[lane, register, 0]}; "
            f"{len(wrong)} of {wanted.size} differ)")


def swapped(table, lane=5):
    """A table that is wrong in one lane: its first two registers are exchanged."""
    other = table.copy()
    other[lane, [0, 1]] = other[lane, [1, 0]]
    return other


def check_all(run):
    """Every instruction against its table, and against wrong tables, which must be found out: [(what, difference)]."""
    results = []
    for kind in MMA:
        tables = isa_tables(8 if kind == "tf32" else 16)
        results.append((f"mma.sync {kind}", check_mma(run, kind, tables)))
        for matrix in "ABC":
            found = check_mma(run, kind, {**tables, matrix: swapped(tables[matrix])})
            results.append((f"control: mma.sync {kind}, a wrong table of {matrix}",
                            None if found else "was not found out"))
    for count, transposed in LDMATRIX:
        table, name = ldmatrix_table(count, transposed), f"ldmatrix.x{count}{'.trans' * transposed}"
        results.append((name, check_ldmatrix(run, count, transposed, table)))
        found = check_ldmatrix(run, count, transposed, swapped(table))
        results.append((f"control: {name}, a wrong table", None if found else "was not found out"))
    return results


# --------------------------------------------------------------------------------------------------------
# What executes the instructions
# --------------------------------------------------------------------------------------------------------

def build(nvcc, folder):
    """The program of gpu_fragments.cu."""
    program = os.path.join(folder, "gpu_fragments")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gpu_fragments.cu")
    done = subprocess.run([nvcc, "-O2", "-std=c++17", "-gencode=arch=compute_80,code=[sm_80,compute_80]", source, "-o",
                           program], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"error: nvcc ended with status {done.returncode}\n{done.stderr}")
    return program


def on_hardware(program):
    """A `run` for check_all: the arrays to a file, a warp for each probe, and the registers back."""
    def run(kind, first, second, third):
        with tempfile.TemporaryDirectory() as folder:
            given, taken = os.path.join(folder, "in"), os.path.join(folder, "out")
            with open(given, "wb") as file:
                file.write(struct.pack("<ii", kind, len(first)))
                for array in (first, second, third):
                    if array is not None:
                        file.write(array.tobytes())
            done = subprocess.run([program, given, taken], capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"error: gpu_fragments ended with status {done.returncode}\n{done.stderr}")
            return np.fromfile(taken, np.float32).reshape(len(first), LANES, 4)
    return run
