# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the code of lanes on symbols: a second opinion on where elements lie, next to the simulator's.

    infini-opt … --mlir-print-op-generic | lanes.py

All lanes of a block take each op together. An element of a buffer is a name, a sum the set of its products;
which element of a fragment is where says fragments.py. What a function has to do says its name:

- product_<m>x<n>x<k>[_ta][_tb] takes a, b (transposed?), and c, and adds up, for each element of c, all its products
  once, and stores it in its place once;
- product_…_to_<p> takes a, b, c, and d, and does so for d = (a b) c, a b rounded;
- fragment_<name>[_transposed]_<rows>x<columns>_warps_<number> stores 64 · row + column of a tile of indices in its
  place: each lane's registers, in their order, hold the fragments of that name.
"""
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
                sums[row, column] = add(sums[row, column], [(left[row, k], right[k, column]) for k in range(16)])
            for lane in range(WARP):
                result[warp + lane] = tuple(sums[fragments.c(lane, i)] for i in range(4))
        return result

    def math_fma(self, op, lanes, x, y, z):
        return self.each(lanes, lambda a, b, c: add(c, [(a, b)]), x, y, z)


def add(sum_, factors):
    """The sum with more products."""
    both = sum_.union(pair if pair[0] < pair[1] else pair[::-1] for pair in factors)
    if len(both) != len(sum_) + len(factors):
        sys.exit("lanes.py: a product twice in a sum")
    return both


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


def check_product(name, function, threads):
    match = re.fullmatch(r"product_(\d+)x(\d+)x(\d+)(_ta)?(_tb)?(?:_to_(\d+))?(?:_\w+)?", name)
    if not match:
        sys.exit(f"lanes.py: '{name}' says no shape")
    m, n, k, last_columns = (int(size or 0) for size in match.group(1, 2, 3, 6))
    ta, tb = match.group(4, 5)
    block = run(function, threads)

    def sum_at(row, column):
        return frozenset((element(0, i * m + row if ta else row * k + i),
                          element(1, column * k + i if tb else i * n + column)) for i in range(k))

    columns, last = n, 2
    wanted = {(row, column): sum_at(row, column) for row in range(m) for column in range(n)}
    if last_columns:
        columns, last = last_columns, 3
        factors = {place: block.rounded.get(sum_) for place, sum_ in wanted.items()}
        wanted = {(row, column): frozenset((element(2, i * columns + column), factors[row, i]) for i in range(n))
                  for row in range(m) for column in range(columns)}
    found = stored_in(block, last)
    for (row, column), sum_ in wanted.items():
        if found.pop(row * columns + column, None) != sum_:
            sys.exit(f"lanes.py: {name}: wrong sum at row {row}, column {column}")
    if found:
        sys.exit(f"lanes.py: {name}: stores outside, at {min(found)}")
    counts = [f"{block.counts[op]} {op}" for op in ("nv.ldmatrix", "nv.mma_sync", "nv.load_shared", "nv.store_shared")
              if op in block.counts]
    print(f"{name}: {m * columns} sums; {', '.join(counts)}")


def check_fragment(name, function):
    match = re.fullmatch(r"fragment_(\w+?)(_transposed)?_(\d+)x(\d+)_warps_(\d+)", name)
    if not match or match.group(1) not in fragments.FRAGMENTS:
        sys.exit(f"lanes.py: '{name}' says no fragment")
    place, count, rows, columns = fragments.FRAGMENTS[match.group(1)]
    transposed = match.group(2)
    shape, warps = [int(size) for size in match.group(3, 4)], int(match.group(5))
    # As the instruction sees it. Warps take rows; repeats count rows of the tile first.
    height, width = shape[::-1] if transposed else shape
    atoms = [(row, column) for row in range(height // (rows * warps)) for column in range(width // columns)]
    if transposed:
        atoms.sort(key=lambda atom: atom[::-1])
    block = run(function, warps * WARP)
    total = set()
    for thread, stores in enumerate(block.stored):
        wanted = []
        for atom_row, atom_column in atoms:
            for i in range(count):
                row, column = place(thread % WARP, i)
                row += (atom_row * warps + thread // WARP) * rows
                column += atom_column * columns
                wanted.append((column, row) if transposed else (row, column))
        found = [divmod(value, 64) for _, value in stores]
        if found != wanted:
            sys.exit(f"lanes.py: {name}: thread {thread} has {found}, expected {wanted}")
        if [at for (_, at), _ in stores] != [row * shape[1] + column for row, column in found]:
            sys.exit(f"lanes.py: {name}: thread {thread} stores in wrong places")
        total.update(found)
    if len(total) != height * width:
        sys.exit(f"lanes.py: {name}: {len(total)} elements of {height * width}")
    print(f"{name}: {len(atoms) * count} registers")


def name_of(function):
    return function.attribute("sym_name", '"([^"]*)"')


def main():
    _, ops, _ = parse(iter(sys.stdin.read().splitlines()))
    seen = 0
    for function in functions(ops):
        seen += 1
        name = name_of(function)
        if name.startswith("fragment_"):
            check_fragment(name, function)
        else:
            check_product(name, function, threads=128)
    if not seen:
        sys.exit("lanes.py: no function")


if __name__ == "__main__":
    main()
