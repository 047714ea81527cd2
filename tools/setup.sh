#!/usr/bin/env bash
# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Installs the Debian 12 packages that building and testing need, and that are
# not there yet. As root, or as a user with sudo. When nothing is missing it
# does nothing, in a fraction of a second.
#
#   tools/setup.sh           what building, testing, and the demo need
#   tools/setup.sh --bench   also what the benchmarks compare with (PyTorch)
set -euo pipefail

packages=(
  # The compiler: LLVM, MLIR, and lld as libraries; FileCheck, lit, and clang for the tests.
  llvm-22-dev libmlir-22-dev mlir-22-tools llvm-22-tools liblld-22-dev lld-22
  clang-22 libclang-rt-22-dev libzstd-dev zlib1g-dev
  # The runtime.
  libflatbuffers-dev flatbuffers-compiler nlohmann-json3-dev libcli11-dev
  libxxhash-dev libopenblas-dev libopenblas0-pthread libboost-context-dev
  # Building and testing.
  cmake ninja-build g++ ccache pkg-config libgtest-dev libbenchmark-dev
  python3 python3-numpy python3-pytest
  # The demo reads a long book.
  bible-kjv
)

for argument in "$@"; do
  case "$argument" in
  --bench) packages+=(python3-torch python3-matplotlib python3-venv) ;;
  -h | --help)
    sed -n '6,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
  *)
    echo "setup.sh: error: unknown option '$argument' (expected --bench)" >&2
    exit 1
    ;;
  esac
done

if ! command -v dpkg >/dev/null || ! command -v apt-get >/dev/null; then
  echo "setup.sh: error: this is not Debian: install yourself what stands for: ${packages[*]}" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg -s "$package" 2>/dev/null || true)
  if [[ $status != *$'\nStatus: install ok installed\n'* ]]; then
    missing+=("$package")
  fi
done
if [[ ${#missing[@]} -eq 0 ]]; then
  exit 0
fi
echo "setup.sh: installing ${#missing[@]} packages: ${missing[*]}"

# Runs a command as root; apt asks nothing, and keeps the caller's proxy.
environment=(DEBIAN_FRONTEND=noninteractive)
for variable in http_proxy https_proxy no_proxy; do
  if [[ -n ${!variable-} ]]; then
    environment+=("$variable=${!variable}")
  fi
done
as_root() {
  if [[ $(id -u) -eq 0 ]]; then
    env "${environment[@]}" "$@"
  elif command -v sudo >/dev/null; then
    sudo env "${environment[@]}" "$@"
  else
    echo "setup.sh: error: packages are missing; run this as root, or install sudo" >&2
    return 1
  fi
}
apt() {
  as_root apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
    -o Acquire::Retries=3 "$@" </dev/null
}

# LLVM 22 is in Debian 12's security suite. Where apt does not know it, and that
# suite is off, the suite is added from the mirror that serves Debian 12 itself.
# A source of apt's that fails may have nothing to do with us.
apt update || echo "setup.sh: warning: 'apt-get update' failed; going on with what apt knows" >&2
release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
if [[ $release == bookworm ]] && ! apt-cache show llvm-22-dev >/dev/null 2>&1; then
  # shellcheck disable=SC2016 # the dollar signs are apt's
  suites=$(apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages')
  mirror=$(awk '$2 == "bookworm" { uri = $1 } END { print uri }' <<<"$suites")
  if [[ $suites != *bookworm-security* && -n $mirror ]]; then
    echo "setup.sh: adding the suite bookworm-security to apt's sources (LLVM 22 is there)"
    line="deb ${mirror%/}-security bookworm-security main"
    as_root sh -c "echo '$line' > /etc/apt/sources.list.d/infini-bookworm-security.list"
    apt update
  fi
fi
if ! apt-cache show llvm-22-dev >/dev/null 2>&1; then
  cat >&2 <<EOF
setup.sh: error: apt knows no package 'llvm-22-dev' (this is ${release:-an unknown release})
note: infini needs LLVM and MLIR 22.1; Debian 12 has them in the suite 'bookworm-security'
hint: check that 'apt-get indextargets' lists bookworm-security, and that its mirror is not frozen at an old date
EOF
  exit 1
fi
apt install --no-install-recommends "${missing[@]}"
echo "setup.sh: done"
