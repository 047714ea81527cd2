# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What gpu.sh --prepare puts into its folder: packages, arguments, the float64 oracle's results, and their bounds.

Texts, arguments and bounds are those of the end-to-end tests. References are stored as f32 (f64 for f64 functions):
that adds 3e-8 to an error, of which the smallest bound is 2e-6.
"""
import json
import lzma
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np

import common
from common import ROOT

sys.path.insert(0, os.path.join(ROOT, "test", "e2e"))
import infini_numpy as oracle  # noqa: E402
from functions import NAMES, Function  # noqa: E402
from harness import PASSKEY, bound  # noqa: E402
from models import LOGITS  # noqa: E402
from single_ops import OPS, Sizes  # noqa: E402

GPU, SIM, CPU = "nvidia:sm_80", "sim:sm_80", "cpu:x86-64-v3"
KINDS = {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}
HEADS = 32
SIZES = [(d, N) for d in (64, 128) for N in (1024, 2048, 4096)]


class Folder:
    """The folder that is made, its manifest, and the compiler."""

    def __init__(self, path, binaries, quick=False):
        self.path, self.quick, self.compiler = path, quick, os.path.join(binaries, "infini-compile")
        self.runner = os.path.join(binaries, "infini-run")
        self.manifest = {"commit": common.commit(), "prepared_on": common.machine()["system"], "results": [],
                         "timed": [], "refused": [], "packages": {}}
        for name in ("packages", "data"):
            os.makedirs(os.path.join(path, name), exist_ok=True)

    def compile(self, name, source, *options, targets=(GPU, CPU, SIM)):
        """A package of a text or a model folder; None if the compiler refuses it, which is noted."""
        if self.quick and self.manifest["packages"]:
            targets = (CPU, SIM)  # one package for GPUs is enough to see that it is made
        with tempfile.TemporaryDirectory() as scratch:
            if "\n" in str(source):
                text, source = source, os.path.join(scratch, f"{name}.mlir")
                with open(source, "w") as file:
                    file.write(text)
            package = os.path.join(scratch, "package")
            start = time.perf_counter()
            done = subprocess.run([self.compiler, source, "-o", package, "--report", *options,
                                   *(f"--target={target}" for target in targets)], capture_output=True, text=True)
            if done.returncode:
                return self.refuse(name, "refused by the compiler", done.stderr)
            broken = self.why_broken(package)
            if broken and len(targets) > 1:
                self.refuse(name, "a package for " + ", ".join(targets) + " cannot be opened", broken)
                return self.compile(name, source, *options, targets=targets[:1])
            if broken:
                return self.refuse(name, "the package cannot be opened", broken)
            path = os.path.join("packages", f"{name}.infini.xz")
            pack(package, os.path.join(self.path, path))
            self.manifest["packages"][path] = {
                "seconds": round(time.perf_counter() - start, 2), "bytes": os.path.getsize(package), "targets": targets,
                "ptxas": re.findall(r"^ptxas (.*)$", done.stderr + done.stdout, re.M)}
            return path

    def refuse(self, name, what, text):
        """Notes it; returns None."""
        why = next((line[line.find("error:"):] for line in text.splitlines() if "error:" in line), text[-200:])[:300]
        self.manifest["refused"].append({"name": name, "why": f"{what}: {why}"})
        print(f"{name}: {what}: {why}", file=sys.stderr)

    def why_broken(self, package):
        """What infini-run says of a package that it cannot open, or None."""
        done = subprocess.run([self.runner, package, "--entry", "none of them"], capture_output=True, text=True)
        return None if "there is no entry" in done.stderr else done.stderr

    def save(self, name, array):
        """An array of a case; returns its path in the folder."""
        path = os.path.join("data", f"{name}.npy")
        os.makedirs(os.path.dirname(os.path.join(self.path, path)), exist_ok=True)
        np.save(os.path.join(self.path, path), np.ascontiguousarray(array))
        return path

    def reference(self, name, array, limit, kind="float32"):
        stored = array if kind == "float64" else np.asarray(array).astype(np.float32)
        return {"name": name.rsplit("/", 1)[-1], "file": self.save(name, stored), "limit": float(limit)}

    def add(self, **case):
        self.manifest["results"].append(case)

    def write(self):
        with open(os.path.join(self.path, "manifest.json"), "w") as file:
            json.dump(self.manifest, file, indent=1)


def pack(source, path):
    with open(source, "rb") as file, lzma.open(path, "wb", preset=6) as packed:
        shutil.copyfileobj(file, packed)


# --------------------------------------------------------------------------------------------------------
# Results
# --------------------------------------------------------------------------------------------------------

FUNCTIONS = {  # name: (the function, tokens, the schedule)
    "f32-64": (Function(H=4, G=2, d=64, dv=64, N=64), 64 * 4 + 37, "auto"),
    "f32-64-sequential": (Function(H=2, G=2, d=64, dv=64, N=64), 64 * 3 + 1, "sequential"),
    "f32-64-streaming": (Function(H=2, G=2, d=64, dv=64, N=64), 64 * 3, "streaming"),
    "f32-64-scan": (Function(H=2, G=1, d=64, dv=64, N=64), 64 * 5 + 9, "scan"),
    "f32-128": (Function(H=2, G=1, d=128, dv=128, N=128), 128 * 2 + 65, "auto"),
    "f32-48-corrected": (Function(H=2, G=1, d=48, dv=80, N=40, update="delta_corrected", gate="head_channel"), 137,
                         "auto"),
    "f32-64-initial": (Function(H=2, G=1, d=64, dv=64, N=32, initial=True, update="linear", rope=False), 101, "auto"),
    "f32-16-tiny": (Function(H=2, G=1, d=16, dv=16, N=8), 29, "auto"),
    "bf16-16-tiny": (Function(type="bf16", H=1, G=1, d=16, dv=16, N=16), 41, "auto"),
    "bf16-64": (Function(type="bf16", H=4, G=2, d=64, dv=64, N=64), 64 * 4 + 37, "auto"),
    "bf16-64-sequential": (Function(type="bf16", H=2, G=2, d=64, dv=64, N=64), 64 * 3 + 1, "sequential"),
    "bf16-64-streaming": (Function(type="bf16", H=2, G=2, d=64, dv=64, N=64), 64 * 3, "streaming"),
    "bf16-64-scan": (Function(type="bf16", H=2, G=1, d=64, dv=64, N=64), 64 * 5 + 9, "scan"),
    "bf16-128": (Function(type="bf16", H=2, G=1, d=128, dv=128, N=128), 128 * 3, "auto"),
    "bf16-128-tail": (Function(type="bf16", H=2, G=2, d=128, dv=128, N=128), 128 * 2 + 65, "auto"),
    "bf16-80-linear": (Function(type="bf16", H=2, G=1, d=80, dv=80, N=48, update="linear"), 48 * 3 + 5, "auto"),
    "bf16-64-local-only": (Function(type="bf16", H=2, G=1, d=64, dv=64, N=32, first_segment="local_only",
                                    gate="head_channel"), 107, "auto"),
    "bf16-64-data-gate": (Function(type="bf16", H=2, G=1, d=64, dv=64, N=32, gate="data"), 107, "auto"),
    "bf16-64-window": (Function(type="bf16", H=2, G=1, d=64, dv=64, N=64, window=20), 150, "auto"),
    "f16-64": (Function(type="f16", H=4, G=2, d=64, dv=64, N=64), 64 * 3 + 37, "auto"),
    "f16-128": (Function(type="f16", H=2, G=1, d=128, dv=128, N=128), 128 * 2 + 1, "auto"),
}
QUICK_FUNCTIONS = ("f32-16-tiny", "bf16-16-tiny")
SANITIZED = ("f32-64", "f32-64-scan", "bf16-64", "bf16-64-scan", "bf16-80-linear", "f16-64")


def add_function(folder, name, function, tokens, schedule):
    package = folder.compile(name, function.text(), f"--schedule={schedule}")
    if not package:
        return
    arrays = function.inputs(tokens)
    states = oracle.memory_scan if schedule == "scan" else None
    ref = function.reference(arrays)
    limits = function.limits(ref, function.naive(arrays, states))
    given = [oracle.to_bfloat16_bits(x) if function.type == "bf16" else x.astype(function.kind) for x in arrays[:4]]
    folder.add(name=name, kind="function", package=package, entry="forward", sanitize=name in SANITIZED,
               about={"d": function.d, "N": function.N, "H": function.H, "tokens": tokens, "type": function.type},
               inputs=[folder.save(f"{name}/in{i}", x) for i, x in enumerate(given + arrays[4:])],
               outputs=[folder.reference(f"{name}/{n}", x, limit, function.kind)
                        for n, x, limit in zip(NAMES, ref, limits)])


def add_op(folder, kind, op_name):
    """An op alone, with the bound of test/e2e/single_ops.py."""
    sizes, op, name = Sizes(type=kind, d=64, dv=64), OPS[op_name], f"op-{kind}-{op_name}"
    package = folder.compile(name, sizes.text(op))
    if not package:
        return
    arrays = sizes.arrays(op, 7 if "scan" in op_name else 77)

    def program(wide):
        found = op.program(*(x.astype(wide) for x in arrays))
        return found if isinstance(found, tuple) else (found,)

    given = [oracle.to_bfloat16_bits(x) if sizes.kind(n) == "bfloat16" else x.astype(sizes.kind(n))
             for n, x in zip(op.inputs.split(), arrays)]
    folder.add(name=name, kind="function", package=package, entry="f", sanitize=False, about={"type": kind},
               inputs=[folder.save(f"{name}/in{i}", x) for i, x in enumerate(given)],
               outputs=[folder.reference(f"{name}/{n}", ref, bound(ref, sizes.rounded(naive, n), sizes.kind(n)))
                        for n, ref, naive in zip(op.results.split(), program(np.float64), program(np.float32))])


def add_model(folder, name, model, weights, kind, tokens, *calls):
    """Logits and states of a model; `calls`: tokens a call, each a run of its own (0: the package's maximum)."""
    package = folder.compile(name, weights, f"--dtype={kind}")
    if not package:
        return
    if not weights.startswith(ROOT):
        shutil.copytree(weights, os.path.join(folder.path, "data", name, "model"), dirs_exist_ok=True)
        weights = os.path.join("data", name, "model")
    else:
        weights = os.path.relpath(weights, ROOT)  # is where this script is, too
    ids = np.random.default_rng(3).integers(0, model.vocab, tokens)
    wide = KINDS[kind]
    ref, states = oracle.forward(model, ids)
    naive, naive_states = oracle.forward(model, ids, np.float32, None if kind == "f32" else wide)
    outputs = [folder.reference(f"{name}/logits", ref, LOGITS.get(wide) or bound(ref, naive))]
    for i, (state, other) in enumerate(zip(states, naive_states)):
        for part in "MzKV":
            array = state[part] if part in "Mz" else state[part].swapaxes(0, 1)  # as they are dumped, to `fill`
            outputs.append(folder.reference(f"{name}/layers.{i}.{part}", array,
                                            bound(state[part], other[part], wide)))
    for call in calls:
        folder.add(name=name + (f"-by-{call}" if call else ""), kind="model", package=package, weights=weights,
                   sanitize=bool(call == 0 and "random" in name), tokens=folder.save(f"{name}/ids", ids),
                   fill=int(states[0]["fill"]), about={"type": kind, "tokens": tokens}, outputs=outputs,
                   options=[f"--tokens-per-call={call}"] if call else [])


def add_models(folder, quick):
    if not quick:
        passkey = oracle.load_model(PASSKEY)
        add_model(folder, "passkey-f32", passkey, PASSKEY, "f32", 128 * 5 + 50, 0, 100)
        add_model(folder, "passkey-bf16", passkey, PASSKEY, "bf16", 128 * 5 + 50, 0, 1)
    with tempfile.TemporaryDirectory() as weights:
        sizes = dict(hidden=32, ffn=48, layers=1, heads=2, groups=1, head_dim=16, segment=8) if quick else dict(
            hidden=128, ffn=176, layers=2, heads=4, groups=2, head_dim=64, segment=32)
        for kind in ("f32",) if quick else ("f32", "bf16", "f16"):
            model = oracle.make_model(weights, seed=5, **sizes)
            add_model(folder, f"random-{kind}", model, weights, kind, 29 if quick else 32 * 4 + 19, 0)


# --------------------------------------------------------------------------------------------------------
# What is timed
# --------------------------------------------------------------------------------------------------------

def state_text(d, N):
    """The memory's states alone: keys and values in, M and z after the last segment out."""
    kv, M, z = f"tensor<1x{HEADS}x?x{d}xbf16>", f"tensor<1x{HEADS}x{d}x{d}xf32>", f"tensor<1x{HEADS}x{d}xf32>"
    return f"""func.func @forward(%k: {kv}, %v: {kv}) -> ({M}, {z}) {{
  %M0 = arith.constant dense<0.0> : {M}
  %z0 = arith.constant dense<0.0> : {z}
  %M, %z = infini.segment_scan sequences(%k, %v : {kv}, {kv}) states(%M0, %z0 : {M}, {z})
      attributes {{segment_length = {N} : i64, sequence_axes = array<i64: 2, 2>, output_axes = array<i64>}} {{
  ^bb0(%ks: {kv}, %vs: {kv}, %Ms: {M}, %zs: {z}):
    %sk = infini.feature_map %ks : {kv}
    %M1, %z1 = infini.memory_update %sk, %vs, %Ms, %zs {{update = #infini.update<delta>}} : {kv}, {kv}, {M}, {z}
    infini.yield %M1, %z1 : {M}, {z}
  }} -> {M}, {z}
  return %M, %z : {M}, {z}
}}
"""


def local_text(d):
    """Segments in the batch: local attention alone."""
    t = f"tensor<?x{HEADS}x?x{d}xbf16>"
    return (f"func.func @forward(%q: {t}, %k: {t}, %v: {t}) -> {t} {{\n"
            f"  %o = infini.segment_attention %q, %k, %v : ({t}, {t}, {t}) -> {t}\n  return %o : {t}\n}}\n")


def dense_text(n, k):
    """x W^T in bf16 with sums in f32, as models have it."""
    a, w, wide, o = (f"tensor<{s}>" for s in (f"?x{k}xbf16", f"{n}x{k}xbf16", f"?x{n}xf32", f"?x{n}xbf16"))
    return f"""#a = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (n, k)>
#o = affine_map<(m, n, k) -> (m, n)>
func.func @forward(%a: {a}, %w: {w}) -> {o} {{
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %rows = tensor.dim %a, %c0 : {a}
  %e = tensor.empty(%rows) : {wide}
  %f = linalg.fill ins(%zero : f32) outs(%e : {wide}) -> {wide}
  %p = linalg.matmul indexing_maps = [#a, #w, #o] ins(%a, %w : {a}, {w}) outs(%f : {wide}) -> {wide}
  %o = arith.truncf %p : {wide} to {o}
  return %o : {o}
}}
"""


def add_timed(folder, schedule):
    options = [f"--schedule={schedule}"] if schedule else []

    def add(kind, name, text, **case):
        package = folder.compile(name, text, *options, targets=(GPU,))
        if package:
            folder.manifest["timed"].append({"kind": kind, "name": name, "package": package, **case})

    for d, N in SIZES:
        function = Function(type="bf16", H=HEADS, G=HEADS, d=d, dv=d, N=N)
        add("forward", f"forward-{d}-{N}", function.text(), d=d, N=N)
    for d, N in SIZES:
        add("state", f"state-{d}-{N}", state_text(d, N), d=d, N=N)
    for d in (64, 128):
        add("local", f"local-{d}", local_text(d), d=d)
    add("dense", "dense-4096-4096", dense_text(4096, 4096), n=4096, k=4096, m=8192)
