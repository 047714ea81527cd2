#!/usr/bin/python3
# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the tests of a build folder: lit, GoogleTest, pytest; then adds up what they counted.

Every runner runs, also after one failed. The last line is `N passed, N failed`. Exit status: 0 when something
passed, nothing failed, and each runner ended well; else 1. `ninja check-infini` and `test/run.sh` call this.
"""
import argparse
import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TESTS = os.path.join(ROOT, "test")


class Runner:
    """One test runner: its command, where it writes its report, and how that is counted."""

    def __init__(self, name, command, report, count):
        self.name, self.command, self.report, self.count = name, command, report, count

    def run(self, environment):
        """(passed, failed, skipped); a runner that ends badly without a failed test counts as one."""
        print(f"\n== {self.name}: {' '.join(self.command)}", flush=True)
        if os.path.exists(self.report):
            os.remove(self.report)
        start = time.time()
        try:
            status = subprocess.run(self.command, stdin=subprocess.DEVNULL, env=environment, cwd=ROOT).returncode
            passed, failed, skipped = self.count(self.report)
        except (OSError, ValueError, KeyError, xml.ParseError) as error:
            print(f"check.py: error: {self.name} left no report: {error}", flush=True)
            status, passed, failed, skipped = 1, 0, 1, 0
        if status and not failed:
            print(f"check.py: error: {self.name} ended with status {status}", flush=True)
            failed = 1
        elif not passed and not failed:
            print(f"check.py: error: {self.name} ran no test", flush=True)
            failed = 1
        more = f", {skipped} skipped" if skipped else ""
        print(f"{self.name}: {passed} passed, {failed} failed{more} in {time.time() - start:.0f} s", flush=True)
        return passed, failed, skipped


def count_lit(report):
    with open(report, encoding="utf-8") as file:
        codes = [test["code"] for test in json.load(file)["tests"]]
    passed = sum(code in ("PASS", "XFAIL", "FLAKYPASS") for code in codes)
    skipped = sum(code in ("UNSUPPORTED", "SKIPPED", "EXCLUDED") for code in codes)
    return passed, len(codes) - passed - skipped, skipped


def count_gtest(report):
    with open(report, encoding="utf-8") as file:
        found = json.load(file)
    cases = [case for suite in found["testsuites"] for case in suite["testsuite"]]
    skipped = sum(case.get("result") == "SKIPPED" or case["status"] == "NOTRUN" for case in cases)
    failed = sum("failures" in case for case in cases)
    return len(cases) - failed - skipped, failed, skipped


def count_pytest(report):
    total = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for suite in xml.parse(report).getroot().iter("testsuite"):
        for key in total:
            total[key] += int(suite.get(key, 0))
    failed = total["failures"] + total["errors"]
    return total["tests"] - failed - total["skipped"], failed, total["skipped"]


def lit_command():
    tool = os.environ.get("LLVM_EXTERNAL_LIT")
    if not tool:
        folder = subprocess.run(["llvm-config-22", "--bindir"], capture_output=True, text=True, check=True).stdout
        tool = os.path.join(folder.strip(), "lit")
    return tool


def runners(build, suites, long):
    reports = os.path.join(build, "test-reports")
    os.makedirs(reports, exist_ok=True)

    def report(name):
        return os.path.join(reports, name)

    found = []
    if "lit" in suites:
        found.append(Runner("lit", [lit_command(), "-sv", "--show-unsupported", "-o", report("lit.json"),
                                    os.path.join(build, "test")], report("lit.json"), count_lit))
    if "gtest" in suites:
        binary = os.path.join(build, "bin", "infini-runtime-tests")
        found.append(Runner("gtest", [binary, "--gtest_brief=1", f"--gtest_output=json:{report('gtest.json')}"],
                            report("gtest.json"), count_gtest))
    if "pytest" in suites:
        # Debian's Python: another one on the PATH may lack numpy or pytest.
        command = ["/usr/bin/python3", "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider",
                   f"--junitxml={report('pytest.xml')}",
                   *(os.path.join(TESTS, folder) for folder in ("docs", "oracle", "e2e"))]
        found.append(Runner("pytest", command + ["--long"] * long, report("pytest.xml"), count_pytest))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), help="the build folder")
    parser.add_argument("--suites", default="lit,gtest,pytest", help="which runners (default: all)")
    parser.add_argument("--long", action="store_true", help="also hundreds of random configurations")
    a = parser.parse_args()
    suites = a.suites.split(",")
    for name in suites:
        if name not in ("lit", "gtest", "pytest"):
            parser.error(f"--suites has '{name}', expected lit, gtest, or pytest")

    build = os.path.abspath(a.build)
    # Without its binaries a test skips itself, which must not pass for success here.
    needed = {"lit": ["infini-opt", "infini-decay-opt"], "gtest": ["infini-runtime-tests"], "pytest": ["infini-compile", "infini-memory", "infini-run", "infini-decay-compile"]}
    for name in sum((needed[suite] for suite in suites), []):
        if not os.access(os.path.join(build, "bin", name), os.X_OK):
            print(f"check.py: error: {name} is not in {os.path.join(a.build, 'bin')}\n"
                  f"hint: build first: tools/build.sh", file=sys.stderr)
            return 1
    environment = dict(os.environ, INFINI_BIN=os.path.join(build, "bin"), PYTHONDONTWRITEBYTECODE="1")
    sums = [sum(column) for column in zip(*(r.run(environment) for r in runners(build, suites, a.long)))]
    print(f"\n{sums[0]} passed, {sums[1]} failed", flush=True)
    return 1 if sums[1] or not sums[0] else 0


if __name__ == "__main__":
    sys.exit(main())
