# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`pytest test/e2e` is the short set; `pytest test/e2e --long` runs hundreds of configurations.

Options: --long, --seed K (the random configurations of the long set).
Environment: INFINI_BIN, the folder of the binaries (default: build/bin); without binaries most tests are skipped.
"""
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
for folder in (HERE, os.path.join(HERE, "..", "oracle"), os.path.join(HERE, "..", "..", "examples", "passkey")):
    sys.path.insert(0, os.path.abspath(folder))


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="hundreds of configurations, and long texts")
    parser.addoption("--seed", type=int, default=1, help="seed of the long set's random configurations")


def pytest_configure(config):
    config.addinivalue_line("markers", "long: runs with --long only")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--long"):
        for item in items:
            if "long" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="needs --long"))


def pytest_generate_tests(metafunc):
    """A test with a `drawn` argument gets the seeds of `@pytest.mark.draws(short, long)`."""
    if "drawn" in metafunc.fixturenames:
        long = metafunc.config.getoption("--long")
        count, first = metafunc.function.draws[long], 1000 * metafunc.config.getoption("--seed")
        metafunc.parametrize("drawn", range(first, first + count), ids="seed{}".format)


@pytest.fixture(scope="session")
def tools():
    """The binaries; the test is skipped where they are absent."""
    from harness import Tools
    return Tools.find()


@pytest.fixture(scope="session")
def long(request):
    return request.config.getoption("--long")
