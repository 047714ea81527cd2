#!/usr/bin/env bash
# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Results and speed on an NVIDIA GPU, in two halves (bench/README.md):
#
#   bench/gpu.sh --prepare FOLDER [--quick]              where the compiler is
#   bench/gpu.sh --packages FOLDER [--out DIR] [--quick] where the GPU is; no compiler, no network
#   bench/gpu.sh --packages FOLDER --device sim:sm_80    a dry run without a GPU (or --device cpu)
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

for python in ${PYTHON:-python3 /usr/bin/python3}; do
  if "$python" -c 'import numpy' 2>/dev/null; then
    exec "$python" "$here/gpu.py" "$@"
  fi
done
echo "gpu.sh: error: no Python with numpy (set PYTHON)" >&2
exit 1
