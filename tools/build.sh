#!/usr/bin/env bash
# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Installs what is missing, configures, and builds: tools/build.sh [target]...
# Without a target, everything. The preset is `release`, or $INFINI_PRESET.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools/setup.sh

preset=${INFINI_PRESET:-release}
build=build
if [[ $preset != release ]]; then
  build=build-$preset
fi

# ccache keeps its files in the home folder.
if [[ -z ${HOME-} && -z ${CCACHE_DIR-} ]]; then
  export CCACHE_DISABLE=1
fi
mkdir -p "$build"
echo "configuring: cmake --preset $preset"
if ! cmake --preset "$preset" >"$build/configure.log" 2>&1 </dev/null; then
  cat "$build/configure.log" >&2
  echo "build.sh: error: cmake failed" >&2
  exit 1
fi

echo "building: ninja -C $build $*"
start=$SECONDS
if [[ -t 1 && ${TERM-dumb} != dumb ]]; then
  # One status line that overwrites itself.
  NINJA_STATUS='[%f/%t, %es] ' ninja -C "$build" "$@" </dev/null
else
  ninja -C "$build" --quiet "$@" </dev/null
fi
echo "built in $((SECONDS - start)) s"
