# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""trace.py TRACE PHASES PASSES KERNEL CATEGORY: what a trace of infini-compile must have, else status 1.

Phases in this order (regular expressions; others may be between), passes (some of them on the kernel), and events of
the category ("-": no events of LLVM's passes). On each thread events are disjoint or nested.
"""
import json
import re
import sys

path, phases, passes, kernel, category = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    events = json.load(file)["traceEvents"]
done = [event for event in events if event["ph"] == "X"]
assert len(done) + sum(event["ph"] == "M" for event in events) == len(events), "events that are neither complete nor names"
for event in done:
    assert event["ts"] >= 0 and event["dur"] >= 0 and event["pid"] == 1 and isinstance(event["args"], dict), event
for thread in {event["tid"] for event in done}:
    assert any(e["ph"] == "M" and e["name"] == "thread_name" and e["tid"] == thread for e in events), f"thread {thread}"
    ends = []
    for event in sorted((e for e in done if e["tid"] == thread), key=lambda e: (e["ts"], -e["dur"])):
        while ends and ends[-1] <= event["ts"]:
            ends.pop()
        end = event["ts"] + event["dur"]
        # The text has nanoseconds.
        assert not ends or end <= ends[-1] + 0.0015, f"{event} lies across another event's end"
        ends.append(end)
found = [event["name"] for event in done if event["cat"] == "phase"]
rest = iter(found)
assert all(any(re.fullmatch(want, name) for name in rest) for want in phases.split(",")), f"phases {found}, not {phases}"
ran = [event for event in done if event["cat"] == "pass"]
for name in passes.split(","):
    assert any(event["name"] == name for event in ran), f"pass {name} did not run"
assert any(event["args"].get("symbol") == kernel for event in ran), f"no pass ran on {kernel}"
assert (category == "llvm") == any(event["cat"] == "llvm" for event in done), "passes of LLVM's"
