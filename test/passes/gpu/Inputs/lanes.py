# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the code of lanes on symbols: a second opinion on where elements lie, next to the simulator's.

    infini-opt … --mlir-print-op-generic | lanes.py product --shape 64x64x32 [--transpose-a] [--transpose-b]
    infini-opt … --mlir-print-op-generic | lanes.py chain --shape 64x64x32 --columns 16 […]
    infini-opt … --mlir-print-op-generic | lanes.py fragments

All lanes of a block take each op together. An element of a buffer is a name, a sum the set of products that it has;
which element of a fragment is where says fragments.py. `product` checks that a kernel (a, b, c) adds up, for each
element of c, all its products once, and stores it in its place once; `chain` that (a, b, c, d) does so for d = (a b) c,
a b rounded. `fragments` checks functions that store 64 · row + column of a tile of indices in its place: each lane's
registers, in their order, are the fragments that the function's name says ("b16.transposed.16x16").
"""
import argparse
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "dialect", "tile", "Inputs"))
import fragments  # noqa: E402

WARP = 32


class Op:
    """One op of the generic form; regions are lists of (argument names, ops)."""

    def __init__(self, line):
        match = re.match(r'(?:(%\S+?)(?::\d+)? = )?"([\w.]+)"\(([^)]*)\)(.*)', line)
        if not match:
            sys.exit(f"lanes.py: no op: {line}")
        result, self.name, operands, self.rest = match.groups()
        self.result, self.operands = result, operands.split(", ") if operands else []
        self.regions = []

    def attribute(self, name, pattern=r"(-?\d+)"):
        match = re.search(rf"\b{name} = {pattern}", self.rest)
        return match and match.group(1)

    @property
    def types(self):
        """What stands behind the last `->`."""
        return self.rest.rsplit("-> ", 1)[1] if "->" in self.rest else ""

    def elements(self):
        """How many elements the result has."""
        match = re.match(r"vector<(\d+)x", self.types)
        return int(match.group(1)) if match else 1


def parse(lines):
    """The ops up to the end of a region, and its arguments."""
    arguments, ops = [], []
    for line in lines:
        line = line.strip()
        if line.startswith(("})", "}, {")):
            return arguments, ops, line
        if line.startswith("^"):
            arguments = re.findall(r"(%\w+):", line)
            continue
        if not line or line.startswith(("#", "//")):
            continue
        op = Op(line)
        if line.endswith("({"):
            end = "}, {"
            while end.startswith("}, {"):
                inner, body, end = parse(lines)
                op.regions.append((inner, body))
            op.rest += end
        ops.append(op)
    return arguments, ops, ""


def element(buffer, index):
    """The name of an element: the buffer's number among the arguments, and the place in it."""
    return f"{buffer}[{index}]"


class Block:
    """The lanes of a block."""

    def __init__(self, threads):
        self.threads = threads
        self.values = {}
        self.shared = [None] * (1 << 18)  # a byte: (element, which byte of it)
        self.stored = [[] for _ in range(threads)]  # (place, element), in order, None where another lane stores it
        self.counts = {}
        self.rounded = {}  # sum: its name when it is a factor

    # A value is a list: what each lane has. Vectors are tuples.
    def get(self, name):
        return self.values[name]

    def run(self, ops, lanes):
        for op in ops:
            if op.name in ("func.return", "scf.yield"):
                return op.operands
            if lanes and lanes[0] == 0:
                self.counts[op.name] = self.counts.get(op.name, 0) + 1
            method = getattr(self, op.name.replace(".", "_"), None)
            if not method:
                sys.exit(f"lanes.py: no meaning of '{op.name}'")
            result = method(op, lanes, *op.operands)
            if op.result:
                self.values[op.result] = result
        return []

    def each(self, lanes, function, *operands):
        """function(of each lane's operands), element by element."""
        columns = [self.get(name) for name in operands]
        result = [None] * self.threads
        for lane in lanes:
            given = [column[lane] for column in columns]
            if isinstance(given[0], tuple):
                result[lane] = tuple(function(*elements) for elements in zip(*given))
            else:
                result[lane] = function(*given)
        return result

    def same(self, value):
        return [value] * self.threads

    # arith, vector, scf, gpu
    def arith_constant(self, op, lanes):
        dense = op.attribute("value", r"dense<(\[[^\]]*\]|[^>]*)>")
        if dense is None:
            number = op.attribute("value", r"([-\w.+]+)")
            return self.same(self.number(number))
        if dense.startswith("["):
            return self.same(tuple(self.number(part) for part in dense[1:-1].split(", ")))
        return self.same((self.number(dense),) * op.elements())

    @staticmethod
    def number(text):
        if text in ("true", "false"):
            return int(text == "true")
        # Floats are sums that have nothing yet.
        return int(text) if re.fullmatch(r"-?\d+", text) else frozenset()

    def arith_index_cast(self, op, lanes, x):
        return self.get(x)

    arith_extf = arith_index_cast

    def arith_truncf(self, op, lanes, x):
        return self.each(lanes, lambda a: self.rounded.setdefault(a, f"sum {len(self.rounded)}"), x)

    def arith_addi(self, op, lanes, x, y):
        return self.each(lanes, lambda a, b: a + b, x, y)

    def arith_subi(self, op, lanes, x, y):
        return self.each(lanes, lambda a, b: a - b, x, y)

    def arith_muli(self, op, lanes, x, y):
        return self.each(lanes, lambda a, b: a * b, x, y)

    def arith_andi(self, op, lanes, x, y):
        return self.each(lanes, lambda a, b: a & b, x, y)

    def arith_xori(self, op, lanes, x, y):
        return self.each(lanes, lambda a, b: a ^ b, x, y)

    def arith_shrui(self, op, lanes, x, y):
        return self.each(lanes, lambda a, b: a >> b, x, y)

    def arith_divui(self, op, lanes, x, y):
        return self.each(lanes, lambda a, b: a // b, x, y)

    def arith_remui(self, op, lanes, x, y):
        return self.each(lanes, lambda a, b: a % b, x, y)

    def arith_cmpi(self, op, lanes, x, y):
        compare = {0: int.__eq__, 1: int.__ne__, 2: int.__lt__, 3: int.__le__, 4: int.__gt__, 5: int.__ge__}
        return self.each(lanes, compare[int(op.attribute("predicate"))], x, y)

    def vector_broadcast(self, op, lanes, x):
        return [(value,) * op.elements() for value in self.get(x)]

    def vector_shuffle(self, op, lanes, x, y):
        mask = [int(part) for part in op.attribute("mask", r"array<i64: ([^>]*)>").split(", ")]
        return [a and tuple((a + b)[i] for i in mask) for a, b in zip(self.get(x), self.get(y))]

    def vector_interleave(self, op, lanes, x, y):
        return [a and tuple(part for pair in zip(a, b) for part in pair) for a, b in zip(self.get(x), self.get(y))]

    def vector_extract(self, op, lanes, x):
        place = int(op.attribute("static_position", r"array<i64: ([^>]*)>"))
        return [a and a[place] for a in self.get(x)]

    def vector_from_elements(self, op, lanes, *parts):
        return list(zip(*(self.get(part) for part in parts)))

    def gpu_thread_id(self, op, lanes):
        return list(range(self.threads))

    def scf_for(self, op, lanes, lower, upper, step, *carried):
        (arguments, body), = op.regions
        names = [op.result] if len(carried) == 1 else [f"{op.result}#{i}" for i in range(len(carried))]
        values = [self.get(name) for name in carried]
        bounds = [self.get(name)[lanes[0]] for name in (lower, upper, step)]
        for number in range(*bounds):
            self.values.update(zip(arguments, [self.same(number)] + values))
            values = [self.get(name) for name in self.run(body, lanes)]
        self.values.update(zip(names, values))
        return values[0] if values else None

    def scf_if(self, op, lanes, condition):
        for (_, body), wanted in zip(op.regions, (1, 0)):
            chosen = [lane for lane in lanes if int(self.get(condition)[lane]) == wanted]
            if chosen:
                self.run(body, chosen)

    # Memory.
    def predicate(self, lane, names):
        return not names or self.get(names[0])[lane]

    def nv_load_global(self, op, lanes, buffer, index, *predicate):
        return [tuple(element(self.get(buffer)[lane], self.get(index)[lane] + i) for i in range(op.elements()))
                if self.predicate(lane, predicate) else (frozenset(),) * op.elements() for lane in range(self.threads)]

    def nv_store_global(self, op, lanes, value, buffer, index, *predicate):
        for lane in lanes:
            for i, stored in enumerate(self.get(value)[lane]):
                place = self.get(buffer)[lane], self.get(index)[lane] + i
                self.stored[lane].append((place, stored) if self.predicate(lane, predicate) else None)

    def bytes_of(self, op, types):
        """Bytes of an element, from a vector's or a buffer's type."""
        return max(1, int(re.search(r"x[a-z]+(\d+)[>,]", types).group(1)) // 8)

    def write(self, address, elements, size):
        if address % (len(elements) * size) != 0:
            sys.exit(f"lanes.py: {len(elements) * size} bytes at {address}")
        for i, written in enumerate(elements):
            for part in range(size):
                self.shared[address + i * size + part] = (written, part)

    def read(self, address, count, size):
        elements = []
        for at in range(address, address + count * size, size):
            parts = self.shared[at:at + size]
            if None in parts or parts != [(parts[0][0], part) for part in range(size)]:
                sys.exit(f"lanes.py: no element at {at} in shared memory")
            elements.append(parts[0][0])
        if address % (count * size) != 0:
            sys.exit(f"lanes.py: {count * size} bytes at {address}")
        return tuple(elements)

    def nv_copy_async(self, op, lanes, buffer, index, address, *predicate):
        size = self.bytes_of(op, re.search(r"memref<[^>]*>", op.rest).group(0))
        count = int(op.attribute("bytes")) // size
        for lane in lanes:
            first = self.get(index)[lane]
            elements = [element(self.get(buffer)[lane], first + i) for i in range(count)]
            if not self.predicate(lane, predicate):
                elements = [frozenset()] * count
            self.write(self.get(address)[lane], elements, size)

    def nv_store_shared(self, op, lanes, value, address, *predicate):
        size = self.bytes_of(op, op.rest)
        for lane in lanes:
            if self.predicate(lane, predicate):
                self.write(self.get(address)[lane], self.get(value)[lane], size)

    def nv_load_shared(self, op, lanes, address):
        size = self.bytes_of(op, op.types)
        result = [None] * self.threads
        for lane in lanes:
            result[lane] = self.read(self.get(address)[lane], op.elements(), size)
        return result

    def nothing(self, op, lanes):
        return None

    nv_barrier = nv_commit_copies = nv_wait_copies = nothing

    # What the lanes of a warp do together.
    def nv_ldmatrix(self, op, lanes, address):
        count, transposed = op.elements() // 2, "transpose" in op.rest
        result = [None] * self.threads
        for warp in range(0, self.threads, WARP):
            matrices = [[self.read(self.get(address)[warp + 8 * i + row], 8, 2) for row in range(8)]
                        for i in range(count)]
            for lane in range(WARP):
                result[warp + lane] = tuple(matrices[i // 2][row][column] for i in range(2 * count)
                                            for row, column in [fragments.ldmatrix(lane, i % 2, transposed)])
        return result

    def nv_mma_sync(self, op, lanes, a, b, c):
        result = [None] * self.threads
        for warp in range(0, self.threads, WARP):
            left, right, sums = {}, {}, {}
            for lane in range(WARP):
                for name, place, into in ((a, fragments.a16, left), (b, fragments.b16, right), (c, fragments.c, sums)):
                    for i, held in enumerate(self.get(name)[warp + lane]):
                        into[place(lane, i)] = held
            for row, column in sums:
                for k in range(16):
                    sums[row, column] = add(sums[row, column], left[row, k], right[k, column])
            for lane in range(WARP):
                result[warp + lane] = tuple(sums[fragments.c(lane, i)] for i in range(4))
        return result

    def math_fma(self, op, lanes, x, y, z):
        return self.each(lanes, lambda a, b, c: add(c, a, b), x, y, z)


def add(sum_, x, y):
    """The sum with a product more."""
    product = frozenset((x, y))
    if product in sum_:
        sys.exit(f"lanes.py: the product of {x} and {y} twice")
    return sum_ | {product}


def run(function, threads):
    (arguments, body), = function.regions
    block = Block(threads)
    for number, name in enumerate(arguments):
        block.values[name] = block.same(number)
    block.run(body, list(range(threads)))
    return block


def functions(ops):
    for op in ops:
        if op.name == "func.func":
            yield op
        elif op.name == "builtin.module":
            for _, inner in op.regions:
                yield from functions(inner)


def stored_in(block, buffer):
    """place: what was stored there, of a buffer that is stored to once, and is the only one."""
    found = {}
    for stores in block.stored:
        for (where, place), value in filter(None, stores):
            if where != buffer or place in found:
                sys.exit(f"lanes.py: {element(where, place)} is stored again")
            found[place] = value
    return found


def check_product(function, threads, options):
    m, n, k = (int(size) for size in options.shape.split("x"))
    block = run(function, threads)

    def sum_at(row, column):
        return frozenset(frozenset((element(0, i * m + row if options.transpose_a else row * k + i),
                                    element(1, column * k + i if options.transpose_b else i * n + column)))
                         for i in range(k))

    columns, last, what = n, 2, f"{m} x {n} sums of {k} products"
    wanted = {(row, column): sum_at(row, column) for row in range(m) for column in range(n)}
    if options.columns:
        columns, last, what = options.columns, 3, f"{m} x {options.columns} sums of {n} products with sums of {k}"
        factors = {place: block.rounded.get(sum_) for place, sum_ in wanted.items()}
        wanted = {(row, column): frozenset(frozenset((factors[row, i], element(2, i * columns + column)))
                                           for i in range(n)) for row in range(m) for column in range(columns)}
    found = stored_in(block, last)
    for (row, column), sum_ in wanted.items():
        if found.pop(row * columns + column, None) != sum_:
            sys.exit(f"lanes.py: wrong sum at row {row}, column {column}")
    if found:
        sys.exit(f"lanes.py: stores outside, at {min(found)}")
    counts = ", ".join(f"{block.counts.get(name, 0)} {name}"
                       for name in ("nv.ldmatrix", "nv.mma_sync", "nv.load_shared", "nv.store_shared"))
    print(f"{name_of(function)}: {what}; {counts}")


def name_of(function):
    return function.attribute("sym_name", '"([^"]*)"')


def check_fragments(function, threads):
    name = name_of(function)
    kind, *flags = name.split(".")
    place, count, rows, columns = fragments.FRAGMENTS[kind]
    tile = tuple(int(size) for size in flags[-1].split("x"))
    transposed = "transposed" in flags
    if transposed:
        tile = tile[::-1]
    block = run(function, threads)
    repeats = tile[1] // columns
    total = set()
    for lane in range(threads):
        # Warps, where there is more than one, take rows; repeats count rows first, or columns if transposed.
        warps = threads // WARP
        atom_rows = rows * warps
        grid = [(r, c) for r in range(tile[0] // atom_rows) for c in range(repeats)]
        if transposed:
            grid = [(r, c) for c in range(repeats) for r in range(tile[0] // atom_rows)]
        wanted = []
        for r, c in grid:
            for i in range(count):
                row, column = place(lane % WARP, i)
                wanted.append((r * atom_rows + lane // WARP * rows + row, c * columns + column))
        values = [value for (_, value) in block.stored[lane]]
        found = [divmod(value, 64) for value in values]
        if transposed:
            found = [(row, column) for column, row in found]
        if found != wanted:
            sys.exit(f"lanes.py: {name}: lane {lane} has {found}, expected {wanted}")
        # In its place in memory, too.
        width = tile[0] if transposed else tile[1]
        for ((_, at), value) in block.stored[lane]:
            if at != value // 64 * width + value % 64:
                sys.exit(f"lanes.py: {name}: lane {lane} stores {divmod(value, 64)} at {at}")
        total.update(found)
    if len(total) != tile[0] * tile[1]:
        sys.exit(f"lanes.py: {name}: {len(total)} elements of {tile[0] * tile[1]}")
    print(f"{name}: {threads} lanes, {len(grid) * count} registers")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["product", "chain", "fragments"])
    parser.add_argument("--shape", help="m x n x k, of a and b")
    parser.add_argument("--columns", type=int, default=0, help="of d")
    parser.add_argument("--transpose-a", action="store_true")
    parser.add_argument("--transpose-b", action="store_true")
    parser.add_argument("--threads", type=int, default=128)
    options = parser.parse_args()
    lines = iter(sys.stdin.read().splitlines())
    _, ops, _ = parse(lines)
    seen = 0
    for function in functions(ops):
        seen += 1
        if options.what == "fragments":
            check_fragments(function, options.threads)
        else:
            check_product(function, options.threads, options)
    if not seen:
        sys.exit("lanes.py: no function")


if __name__ == "__main__":
    main()
