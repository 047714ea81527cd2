# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What test_edges.py asks of this machine, asked of the simulator of an NVIDIA GPU."""
import pytest

import infini_numpy as oracle
from functions import SCHEDULES, Apart, Function
from harness import SIM, Tools
from test_edges import (FUNCTIONS, TestGates, TestNotFinite, test_denominators_not_positive,  # noqa: F401
                        test_large_scores, test_lengths, test_nothing_stored, test_rows_without_keys,
                        test_rows_without_keys_anywhere)

SIZES = (1, 3, 16, 48, 64, 80, 128, 256)


@pytest.fixture(scope="session")
def tools():
    return Tools.find().on(SIM)


@pytest.fixture(scope="module", params=["sequential", *(pytest.param(x, marks=pytest.mark.long) for x in SCHEDULES[2:])])
def program(request, tools, tmp_path_factory):
    return Apart(tools, tmp_path_factory.mktemp(request.param), request.param, FUNCTIONS)


# (schedule, head size) to the message.
REFUSED = {}
# In the short set the schedules take turns.
SIZES_AND_SCHEDULES = [pytest.param(d, schedule, marks=() if (i + j) % 3 == 0 else pytest.mark.long)
                       for i, d in enumerate(SIZES) for j, schedule in enumerate(SCHEDULES[1:])]


@pytest.mark.parametrize("d, schedule", SIZES_AND_SCHEDULES)
def test_head_sizes(tools, tmp_path, long, d, schedule):
    """Of keys and values alike, and of keys alone; one memory, and two."""
    functions = {"alike": Function(H=2, G=1, d=d, dv=d, N=16, rope=d % 2 == 0)}
    if long:
        functions.update({f"{update}{dv}": Function(H=2, G=2, d=d, dv=dv, N=24, update=update, rope=d % 2 == 0)
                          for update in oracle.UPDATES for dv in {d, 40}})
    program = Apart(tools, tmp_path, schedule, functions, dict.fromkeys(functions, REFUSED.get((schedule, d))))
    for name, function in functions.items():
        for T in (0, 1, function.N, 3 * function.N + 5) if long else (1, 3 * function.N + 5):
            program.check(name, function.inputs(T))
