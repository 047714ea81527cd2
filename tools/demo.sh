#!/usr/bin/env bash
# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# From a clean checkout to answers: installs what is missing, builds, compiles a
# small trained model, asks it for a key hidden in 32,768 tokens, and streams the
# King James Bible (4.4 million tokens) through it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

step() {
  printf '\n== %s\n' "$1"
}
# Shows a command, then runs it.
show() {
  printf '$'
  printf ' %s' "$@"
  printf '\n'
  "$@"
}
model=examples/passkey
out=build/demo
# Debian's Python: another one on the PATH may lack numpy.
python=/usr/bin/python3

step "Build"
tools/build.sh infini-compile infini-run
mkdir -p "$out"

step "Compile the model: a folder as on Hugging Face, to one file with kernels and a schedule"
show build/bin/infini-compile "$model" -o "$out/passkey.infini"

step "Find a five-digit key hidden in the middle of 32,768 tokens (it was trained on at most 16,384)"
"$python" "$model/passkey.py" make --tokens 32768 --place 0.5 -o "$out/passkey.txt" >/dev/null
show "$python" "$model/passkey.py" score "$out/passkey.txt" --package "$out/passkey.infini"

step "Stream a long book through it, in constant memory"
# The reader of Debian's bible-kjv is looked up where Debian puts it, too.
PATH=$PATH:/usr/bin:/usr/games bible -f Ge1:1-Re22:21 >"$out/bible.txt" </dev/null
echo "$out/bible.txt has $(wc -c <"$out/bible.txt") bytes; each is a token"
show build/bin/infini-run "$out/passkey.infini" --weights "$model" --prompt-file "$out/bible.txt" --stats
