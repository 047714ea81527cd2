# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""compare_report.py REPORT JSON: what infini-compile --report said against what infini-inspect --json says.

With --change, one number of the JSON at a time is changed, and each change must be noticed.
"""
import copy
import json
import re
import sys


def facts_of_report(lines):
    """Everything that the report says, each fact with the target it is about."""
    facts, targets, registers = [], [], {}
    for line in lines:
        if match := re.fullmatch(r"target (\w+): (\S+), (\d+) bytes of code", line):
            if targets and targets[-1][2]:
                targets = []  # a new variant
            targets.append([match[1], match[2], False])
            facts.append(("image", f"{match[1]}:{match[2]}", int(match[3])))
        elif match := re.fullmatch(r"kernel (\w+): (\d+) dispatches(?:, (\d+) threads, (\d+) bytes of shared memory)?", line):
            for target in targets:
                target[2] = True
            for kind, model, _ in targets:
                launch = (int(match[3]), int(match[4])) if match[3] else None
                facts.append(("kernel", f"{kind}:{model}", match[1], int(match[2]), launch))
        elif match := re.fullmatch(r"ptxas (\w+) (\w+): (\d+) registers, .*", line):
            registers[f"nvidia:{match[1]}", match[2]] = int(match[3])
        elif match := re.fullmatch(r"package: (\d+) bytes", line):
            facts.append(("package", int(match[1])))
        else:
            sys.exit(f"compare_report.py: unknown line: {line!r}")
    return sorted(facts, key=repr), registers


def facts_of_json(package):
    facts, registers = [("package", package["bytes"])], {}
    for target in package["targets"]:
        facts.append(("image", target["name"], target["image_bytes"]))
        variant = package["variants"][target["variant"]]
        assert [k["name"] for k in target["kernels"]] == [k["name"] for k in variant["kernels"]]
        for kernel, launch in zip(variant["kernels"], target["kernels"]):
            pair = (launch["threads"], launch["shared_bytes"]) if "threads" in launch else None
            facts.append(("kernel", target["name"], kernel["name"], kernel["dispatches"], pair))
            if "registers" in launch:
                registers[target["name"], kernel["name"]] = launch["registers"]
    return sorted(facts, key=repr), registers


def changes(package):
    """Copies of the package with one of the compared numbers changed."""
    first = next(i for i, t in enumerate(package["targets"]) if t["kind"] == "nvidia")
    last = package["targets"][first]["variant"]
    for path in (["bytes"], ["targets", 0, "image_bytes"], ["targets", first, "kernels", 0, "threads"],
                 ["targets", first, "kernels", -1, "shared_bytes"], ["variants", last, "kernels", 0, "dispatches"]):
        changed = copy.deepcopy(package)
        place = changed
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] += 1
        yield path, changed


def main():
    arguments = [a for a in sys.argv[1:] if a != "--change"]
    with open(arguments[0], encoding="utf-8") as file:
        said, registers = facts_of_report(file.read().splitlines())
    with open(arguments[1], encoding="utf-8") as file:
        package = json.load(file)
    found, found_registers = facts_of_json(package)
    if said != found:
        sys.exit(f"the report alone: {[f for f in said if f not in found]}\nthe JSON alone: {[f for f in found if f not in said]}")
    if registers != found_registers:
        sys.exit(f"registers: the report has {registers}, the JSON {found_registers}")
    if "--change" in sys.argv:
        for path, changed in changes(package):
            if facts_of_json(changed)[0] == said:
                sys.exit(f"a change of {path} was not noticed")
    print(f"{len(said)} facts, {len(registers)} numbers of registers")


main()
