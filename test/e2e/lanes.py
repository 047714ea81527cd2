# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Mistakes in the code of one lane (`infini-compile --emit=lanes`), made in its text: one at one place each.

Text in, text out; nothing here knows what a kernel computes.
"""
import dataclasses
import re

NAME = re.compile(r"%[\w$.-]+(?:#\d+)?")
READS = ("nv.load_shared", "nv.ldmatrix")
WRITES = ("nv.store_shared", "nv.copy_async")


@dataclasses.dataclass
class Mutant:
    kind: str
    line: int  # of the text, from 1
    text: str
    what: str

    def __str__(self):
        return f"{self.kind} in line {self.line}: {self.what}"


class Lanes:
    """The lines of a text, and for each line of which others it uses the results."""

    def __init__(self, text):
        self.lines = text.splitlines()
        # Values are numbered anew in sibling regions, so names are looked up from the inside out.
        scopes, self.uses, self.users = [{}], [], []
        for number, line in enumerate(self.lines):
            self.uses.append([])
            self.users.append([])
            if line.strip().startswith("}"):
                scopes.pop()
            defined, body = self.split(line)
            for name in NAME.findall(body):
                name = name.split("#")[0]
                at = next((scope[name] for scope in reversed(scopes) if name in scope), None)
                if at is not None and at != number:
                    self.uses[number].append(at)
                    self.users[at].append(number)
            for name in defined:
                scopes[-1][name] = number
            if line.rstrip().endswith("{"):
                scopes.append({})
                for name in re.findall(r"(%[\w$.-]+)(?: =|:)", body):  # a region's arguments
                    scopes[-1][name] = number

    @staticmethod
    def split(line):
        """The names that a line defines, and the rest of it."""
        found = re.match(r"\s*(%[^=(]*?) = (.*)", line)
        if not found:
            return [], line.strip()
        return [name.split(":")[0] for name in re.split(r",\s*", found[1])], found[2]

    def op(self, number):
        return self.split(self.lines[number])[1].split(" ")[0]

    def which(self, *ops):
        return [i for i in range(len(self.lines)) if self.op(i) in ops]

    def changed(self, number, *instead):
        """The text with other lines in place of one."""
        return "\n".join(self.lines[:number] + list(instead) + self.lines[number + 1:]) + "\n"

    def mutant(self, kind, number, *instead, what=None):
        return Mutant(kind, number + 1, self.changed(number, *instead),
                      what or f"{self.lines[number].strip()[:110]} -> {'; '.join(x.strip()[:110] for x in instead)}")

    # ------------------------------------------------------------------------------------------------------
    # Kinds of mistakes
    # ------------------------------------------------------------------------------------------------------

    def waits(self):
        """Copies that nobody waits for."""
        return [self.mutant("wait", i) for i in self.which("nv.wait_copies")]

    def barriers(self):
        return [self.mutant("barrier", i) for i in self.which("nv.barrier")]

    def swizzles(self):
        """One read of shared memory whose address was not permuted as that of the write was."""
        mutants = []
        for i in self.which(*READS):
            address = NAME.findall(self.split(self.lines[i])[1])[0]
            found = [at for at in self.uses[i] if address in self.split(self.lines[at])[0]]
            if not found or self.op(found[0]) == "scf.for":
                continue
            for xor in self.behind(found[0], "arith.xori"):
                lines, renamed = self.copied(found[0], xor)
                read = NAME.sub(lambda name: renamed.get(name[0], name[0]), self.lines[i])
                mutants.append(self.mutant("swizzle", i, *lines, read,
                                           what=f"{self.lines[xor].strip()} is its first operand for "
                                                f"{self.lines[i].strip()}"))
        return mutants

    def behind(self, number, op):
        """Lines of an op that a value is computed by, with integer arithmetic alone between."""
        found, todo, seen = [], [number], set()
        while todo:
            at = todo.pop()
            if at in seen or not self.op(at).startswith("arith."):
                continue
            seen.add(at)
            if self.op(at) == op:
                found.append(at)
                continue  # what it permutes is computed before it
            todo += self.uses[at]
        return sorted(found)

    def copied(self, number, xor):
        """Lines that compute a value once more, with an xori in it that gives its first operand; and the new names."""
        paths = {xor}
        for at in range(xor, number + 1):
            if any(use in paths for use in self.uses[at]):
                paths.add(at)
        needed, todo = set(), [number]
        while todo:
            at = todo.pop()
            if at in paths and at not in needed:
                needed.add(at)
                todo += [] if at == xor else self.uses[at]
        lines, renamed = [], {}
        for at in sorted(needed):
            name, = self.split(self.lines[at])[0]
            body = self.split(self.lines[at])[1]
            if at == xor:
                first = NAME.findall(body)[0]
                body = f"arith.ori {first}, {first} : {body.rsplit(' : ', 1)[1]}"
            else:
                body = NAME.sub(lambda x: renamed.get(x[0], x[0]), body)
            renamed[name] = f"%mutated_{name[1:]}"
            lines.append(f"{renamed[name]} = {body}")
        return lines, renamed

    def predicates(self):
        """An access of all lanes, where some should have none."""
        mutants = []
        for i, line in enumerate(self.lines):
            found = re.search(r" if %[\w$.-]+", line)
            if found and self.op(i).startswith("nv."):
                mutants.append(self.mutant("predicate", i, line.replace(found[0], "", 1)))
        return mutants

    def masks(self):
        """A score that is -inf no more where a key is not seen."""
        mutants = []
        for i in self.which("arith.select"):
            condition, value, other = NAME.findall(self.split(self.lines[i])[1])[:3]
            if any(other in self.split(self.lines[at])[0] and "<0xFF80" in self.lines[at] for at in self.uses[i]):
                instead = self.lines[i].replace(f"{condition}, {value}, {other}", f"{condition}, {value}, {value}")
                mutants.append(self.mutant("mask", i, instead))
        return mutants

    def transposes(self):
        """A fragment read the other way round."""
        mutants = []
        for i in self.which("nv.ldmatrix"):
            line = self.lines[i]
            other = line.replace(" {transpose}", "") if "{transpose}" in line else line.replace(" :", " {transpose} :", 1)
            mutants.append(self.mutant("transpose", i, other))
        return mutants

    def fragments(self):
        """Halves of an operand of mma.sync exchanged, and of registers that are put together."""
        mutants = []
        for i in self.which("nv.mma_sync"):
            names, types = NAME.findall(self.split(self.lines[i])[1]), re.findall(r"vector<(\d+)x", self.lines[i])
            operands = self.split(self.lines[i])[1].rsplit(" : ", 1)[1]
            types = [t.strip() for t in operands.split(",")]
            for which in (0, 1):
                size = int(re.match(r"vector<(\d+)x", types[which])[1])
                order = [*range(size // 2, size), *range(size // 2)]
                new = f"%mutated = vector.shuffle {names[which]}, {names[which]} {order} : {types[which]}, {types[which]}"
                operand = self.lines[i].split(" nv.mma_sync ", 1)
                rest = operand[1].split(", ")
                rest[which] = "%mutated"
                mutants.append(self.mutant("fragment", i, new, f"{operand[0]} nv.mma_sync {', '.join(rest)}",
                                           what=f"halves of {'ab'[which]} exchanged in {self.lines[i].strip()[:80]}"))
        return mutants

    def shuffles(self):
        """Halves of the registers exchanged that go to mma.sync, or to memory."""
        mutants = []
        for i in self.which("vector.shuffle"):
            found = re.search(r"\[([\d, ]+)\]", self.lines[i])
            order = [int(x) for x in found[1].split(",")]
            half = len(order) // 2
            if half and any(self.op(user) in ("nv.mma_sync", "nv.store_shared", "nv.store_global")
                            for user in self.users[i]):
                mutants.append(self.mutant("shuffle", i, self.lines[i].replace(found[0], str(order[half:] + order[:half]))))
        return mutants

    def exchanges(self):
        """A value that a lane keeps instead of its partner's."""
        mutants = []
        for i in self.which("nv.shuffle_xor"):
            name, body = self.split(self.lines[i])
            value, type = NAME.findall(body)[0], body.rsplit(" : ", 1)[1]
            op = "arith.ori" if type.startswith("i") else "arith.maximumf"
            mutants.append(self.mutant("exchange", i, f"{name[0]} = {op} {value}, {value} : {type}"))
        return mutants

    KINDS = ("waits", "barriers", "swizzles", "predicates", "masks", "transposes", "fragments", "shuffles", "exchanges")

    def mutants(self, kinds=KINDS):
        return [mutant for kind in kinds for mutant in getattr(self, kind)()]
