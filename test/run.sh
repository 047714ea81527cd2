#!/usr/bin/env bash
# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Installs what is missing, builds everything, and runs the tests.
#
#   test/run.sh          the short check: 5 minutes after the build
#   test/run.sh --long   also hundreds of random configurations: up to 40 minutes
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

options=()
for argument in "$@"; do
  case "$argument" in
  --long) options+=(--long) ;;
  -h | --help)
    sed -n '6,9s/^# \{0,1\}//p' test/run.sh
    exit 0
    ;;
  *)
    echo "run.sh: error: unknown option '$argument' (expected --long)" >&2
    exit 1
    ;;
  esac
done

tools/build.sh
# What `ninja check-infini` runs, but without ninja's words after the last line,
# which is the sum over all runners: "N passed, N failed".
echo "testing: ninja -C build check-infini"
exec /usr/bin/python3 test/check.py --build build "${options[@]}" </dev/null
