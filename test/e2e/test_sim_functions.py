# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Functions on the simulator of an NVIDIA GPU: ops alone, Infini-attention on each schedule, users' own ops, and the
memory rule and gate from outside the core. Edges stand in test_sim_edges.py."""
import math
import os

import numpy as np
import pytest

import infini_numpy as oracle
from functions import SCHEDULES, Apart, Function, draw_function, draw_lengths
from harness import SIM, Tools, assert_close, assert_same_bits, bound, draws
from single_ops import OPS, Product, Sizes
from test_extension import compiled, test_schedules as test_extension_on_schedules  # noqa: F401


@pytest.fixture(scope="session")
def tools():
    return Tools.find().on(SIM)


# --------------------------------------------------------------------------------------------------------
# Single ops
# --------------------------------------------------------------------------------------------------------

# The short set has each op in f32 and bf16; the long set, the sizes at the edges in every type.
SIZES = {"f32": Sizes(), "bf16": Sizes("bf16", B=2, H=3, G=1, d=64, dv=64)}
LONG_SIZES = {
    "f16": Sizes("f16", d=80, dv=48), "f64": Sizes("f64", d=8, dv=8), "f64_large": Sizes("f64", H=2, d=128, dv=64),
    "d1": Sizes(d=1, dv=3), "d3": Sizes(d=3, dv=1), "d3_bf16": Sizes("bf16", d=3, dv=1), "one": Sizes(G=1, dv=16),
    "d128_bf16": Sizes("bf16", H=2, d=128, dv=128), "d256": Sizes(H=2, G=1, d=256, dv=256),
    "d256_f16": Sizes("f16", H=2, G=1, d=256, dv=256),
}
SINGLE = [pytest.param(op, name, id=f"{op}-{name}", marks=pytest.mark.long if name in LONG_SIZES else ())
          for name, sizes in {**SIZES, **LONG_SIZES}.items() for op in OPS if sizes.d % 2 == 0 or "rope" not in op]


@pytest.mark.parametrize("name, size", SINGLE)
def test_single_op(tools, tmp_path, long, name, size):
    op, sizes = OPS[name], {**SIZES, **LONG_SIZES}[size]
    (tmp_path / "op.mlir").write_text(sizes.text(op))
    package = tools.build(tmp_path / "op.mlir", tmp_path / "op.infini")
    counts = (0, 1, 2, 17) if "scan" in name else (0, 1, 7, 64, 130) if long else (0, 70)
    for T in counts:
        for past in (5, 0, 100) if name.startswith("past") else (0,):
            arrays = sizes.arrays(op, T, past)
            sizes.check(sizes.run(tools, package, op, arrays, tmp_path), op, arrays, f"{name} T={T}, past {past}")


def test_chips(tools, tmp_path):
    """Each chip that code is made for is simulated, and all give the same bits; a package for one is not for another.
    The report has one table."""
    op, sizes, packages, first = OPS["attention_causal"], Sizes("bf16", H=2, G=1, d=128, dv=128), {}, None
    (tmp_path / "op.mlir").write_text(sizes.text(op))
    arrays = sizes.arrays(op, 70)
    for chip in ("sm_80", "sm_86", "sm_89", "sm_90"):
        other = tools.on(f"sim:{chip}")
        packages[chip] = other.build(tmp_path / "op.mlir", tmp_path / f"{chip}.infini")
        out = sizes.run(other, packages[chip], op, arrays, tmp_path)
        sizes.check(out, op, arrays, chip)
        first = first or out
        assert_same_bits(out[0], first[0], chip)
    with pytest.raises(AssertionError, match="has no kernels for the device 'sim:sm_86', only for 'sim:sm_90'"):
        sizes.run(tools.on("sim:sm_86"), packages["sm_90"], op, arrays, tmp_path)
    reported = tools.good([tools.run, packages["sm_80"], "--entry", "f", "--device", SIM, *(
        x for i in range(3) for x in ("--input", f"@{tmp_path}/in{i}.npy"))], env={**os.environ, "INFINI_SIM_REPORT": "1"})
    assert [line.split()[0] for line in reported.stderr.splitlines()] == ["kernel", "segment_attention_0"]


# --------------------------------------------------------------------------------------------------------
# Schedules
# --------------------------------------------------------------------------------------------------------

# Together: each rule, both choices for the first segment, each form of the gate, each type, initial states, with RoPE
# and without, one group and several, d_k and d_v equal, smaller and larger, N from 1 to 70.
FUNCTIONS = {
    "delta": Function(d=64, dv=64, N=32),
    "delta_local": Function(B=2, H=3, G=1, d=8, dv=80, N=13, first_segment="local_only", gate="data"),
    "delta_state": Function(H=6, G=3, d=48, dv=16, N=17, initial=True, gate="head_channel", rope=False,
                            sparse=True),
    "delta_bf16": Function(type="bf16", H=2, G=1, d=128, dv=64, N=70, gate="data", sparse=True),
    "linear": Function(H=2, G=2, d=80, dv=128, N=5, update="linear", first_segment="local_only"),
    "linear_f16": Function(type="f16", B=2, H=2, G=1, d=16, dv=3, N=21, update="linear", initial=True),
    "corrected": Function(d=16, dv=48, N=1, update="delta_corrected", gate="head_channel", initial=True),
    "corrected_f64": Function(type="f64", d=3, dv=8, N=9, update="delta_corrected", rope=False, gate="data",
                              first_segment="local_only"),
}
# (schedule, function) to the message.
REFUSED_FUNCTIONS = {}
# In the short set the schedules take turns.
FUNCTIONS_AND_SCHEDULES = [pytest.param(name, schedule, marks=() if (i + j) % 3 == 0 else pytest.mark.long)
                           for i, name in enumerate(FUNCTIONS) for j, schedule in enumerate(SCHEDULES[1:])]


@pytest.fixture(scope="module")
def programs(tools, tmp_path_factory):
    """Schedule to FUNCTIONS."""
    return {schedule: Apart(tools, tmp_path_factory.mktemp(schedule), schedule, FUNCTIONS,
                            {name: REFUSED_FUNCTIONS.get((schedule, name)) for name in FUNCTIONS})
            for schedule in SCHEDULES[1:]}


@pytest.mark.parametrize("name, schedule", FUNCTIONS_AND_SCHEDULES)
def test_functions(programs, long, name, schedule):
    N = FUNCTIONS[name].N
    for T in sorted({N - 1, N, N + 1, 3 * N, 9 * N + N // 2}) if long else (N, 3 * N + N // 2):
        programs[schedule].check(name, FUNCTIONS[name].inputs(T))


@pytest.mark.long
@pytest.mark.parametrize("schedule", SCHEDULES[1:])
def test_many_segments(programs, schedule):
    """400 segments and a tail: the memory's own error is what is looked at."""
    for name in ("linear", "corrected", "corrected_f64"):
        programs[schedule].check(name, FUNCTIONS[name].inputs(400 * FUNCTIONS[name].N + FUNCTIONS[name].N // 2))


@pytest.mark.parametrize("schedule", SCHEDULES[1:])
def test_causal_and_same_bits(programs, schedule):
    """A later token changes nothing before it, to the bit; nor does another run."""
    program, function = programs[schedule], FUNCTIONS["delta_local"]
    arrays = function.inputs(5 * function.N)
    at = 3 * function.N + 2
    first = program.run("delta_local", arrays)
    for a, b in zip(program.run("delta_local", arrays), first):
        assert_same_bits(a, b)
    for x in arrays[:3]:
        x[:, :, at:] *= -2
    second = program.run("delta_local", arrays)[0]
    assert_same_bits(second[:, :, :at], first[0][:, :, :at])
    assert (first[0][:, :, at:] != second[:, :, at:]).any()


@draws(0, 60)
@pytest.mark.long
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_random_function(tools, tmp_path, schedule, drawn):
    function = draw_function(drawn)
    program = Apart(tools, tmp_path, schedule, {"f": function})
    for T in draw_lengths(function.N, np.random.default_rng(drawn)):
        program.check("f", function.inputs(T))


# --------------------------------------------------------------------------------------------------------
# Feature maps of a user
# --------------------------------------------------------------------------------------------------------

def exponential_text(x, y, t):
    return f"    {y} = math.exp {x} : {t}\n"


def softplus_text(x, y, t):
    return f"    {y}e = math.exp {x} : {t}\n    {y} = math.log1p {y}e : {t}\n"


def squared_relu_text(x, y, t):
    """x² + |x| x. Denominators may be 0."""
    return (f"    {y}s = arith.mulf {x}, {x} : {t}\n    {y}a = math.absf {x} : {t}\n"
            f"    {y}p = arith.mulf {y}a, {x} : {t}\n    {y} = arith.addf {y}s, {y}p : {t}\n")


FEATURES = {"exp": (exponential_text, np.exp), "softplus": (softplus_text, lambda x: np.log1p(np.exp(x))),
            "squared_relu": (squared_relu_text, lambda x: x * x + np.abs(x) * x)}


class OtherFeatures(Function):
    """A Function whose feature map is ordinary ops."""

    def text(self, name="forward"):
        text, q, k = super().text(name), *(self.shapes()[x] for x in "qk")
        for x, y, t in (("%qs", "%sq", q), ("%ks", "%sk", k)):
            line = f"    {y} = infini.feature_map {x} : {t}\n"
            assert text.count(line) == 1
            text = text.replace(line, self.feature(x, y, t))
        return text


@pytest.mark.parametrize("feature, schedule", [
    pytest.param(feature, schedule, marks=() if i == j else pytest.mark.long)
    for i, feature in enumerate(FEATURES) for j, schedule in enumerate(SCHEDULES[1:])])
def test_feature_maps(tools, tmp_path, monkeypatch, feature, schedule):
    function = OtherFeatures(H=4, G=2, d=16, dv=32, N=12, update="delta")
    function.feature, in_numpy = FEATURES[feature]
    monkeypatch.setattr(oracle, "elu_plus_one", in_numpy)
    program = Apart(tools, tmp_path, schedule, {"f": function})
    for T in (1, 4 * 12 + 5):
        program.check("f", function.inputs(T))


# --------------------------------------------------------------------------------------------------------
# Functions of a user
# --------------------------------------------------------------------------------------------------------

def erf(x):
    return np.vectorize(math.erf, otypes=[np.float64])(x)


def sigmoid_by_exp(x):
    return 1 / (1 + np.exp(-x))


USERS = {
    # Softmax over rows, with a temperature of its own.
    "softmax": ("""
func.func @f(%x: tensor<?x33xf32>) -> tensor<?x33xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x33xf32>
  %e = tensor.empty(%n) : tensor<?x33xf32>
  %s = linalg.softmax dimension(1) ins(%x : tensor<?x33xf32>) outs(%e : tensor<?x33xf32>) -> tensor<?x33xf32>
  return %s : tensor<?x33xf32>
}""", [(70, 33)], oracle.softmax),
    # Element-wise functions in a chain, and an erf: GELU of a product of two.
    "gelu": ("""
func.func @f(%x: tensor<?x48xf32>, %y: tensor<?x48xf32>) -> tensor<?x48xf32> {
  %p = arith.mulf %x, %y : tensor<?x48xf32>
  %half = arith.constant dense<0.5> : tensor<48xf32>
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x48xf32>
  %e = tensor.empty(%n) : tensor<?x48xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>,
                                        affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%p, %half : tensor<?x48xf32>, tensor<48xf32>) outs(%e : tensor<?x48xf32>) {
  ^bb0(%a: f32, %h: f32, %o: f32):
    %r = arith.constant 0.70710678118654752 : f32
    %one = arith.constant 1.0 : f32
    %s = arith.mulf %a, %r : f32
    %t = math.erf %s : f32
    %u = arith.addf %t, %one : f32
    %v = arith.mulf %a, %u : f32
    %w = arith.mulf %v, %h : f32
    linalg.yield %w : f32
  } -> tensor<?x48xf32>
  return %g : tensor<?x48xf32>
}""", [(37, 48), (37, 48)], lambda x, y: 0.5 * x * y * (1 + erf(x * y * 0.70710678118654752)).astype(x.dtype)),
    # A sigmoid, and sums along both axes.
    "sums": ("""
func.func @f(%x: tensor<?x24xf32>) -> (tensor<?xf32>, tensor<24xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x24xf32>
  %e = tensor.empty(%n) : tensor<?x24xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x24xf32>) outs(%e : tensor<?x24xf32>) {
  ^bb0(%a: f32, %o: f32):
    %one = arith.constant 1.0 : f32
    %m = arith.negf %a : f32
    %t = math.exp %m : f32
    %u = arith.addf %t, %one : f32
    %v = arith.divf %one, %u : f32
    linalg.yield %v : f32
  } -> tensor<?x24xf32>
  %er = tensor.empty(%n) : tensor<?xf32>
  %fr = linalg.fill ins(%zero : f32) outs(%er : tensor<?xf32>) -> tensor<?xf32>
  %rows = linalg.reduce ins(%g : tensor<?x24xf32>) outs(%fr : tensor<?xf32>) dimensions = [1]
    (%a: f32, %b: f32) { %s = arith.addf %a, %b : f32  linalg.yield %s : f32 }
  %ec = tensor.empty() : tensor<24xf32>
  %fc = linalg.fill ins(%zero : f32) outs(%ec : tensor<24xf32>) -> tensor<24xf32>
  %columns = linalg.reduce ins(%g : tensor<?x24xf32>) outs(%fc : tensor<24xf32>) dimensions = [0]
    (%a: f32, %b: f32) { %s = arith.addf %a, %b : f32  linalg.yield %s : f32 }
  return %rows, %columns : tensor<?xf32>, tensor<24xf32>
}""", [(300, 24)], lambda x: (sigmoid_by_exp(x).sum(axis=1), sigmoid_by_exp(x).sum(axis=0))),
    # A product, and what is behind it: a bias, and tanh.
    "product": ("""
func.func @f(%x: tensor<?x40xf32>, %w: tensor<40x72xf32>, %b: tensor<72xf32>) -> tensor<?x72xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x40xf32>
  %e = tensor.empty(%n) : tensor<?x72xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<?x72xf32>) -> tensor<?x72xf32>
  %p = linalg.matmul ins(%x, %w : tensor<?x40xf32>, tensor<40x72xf32>) outs(%z : tensor<?x72xf32>) -> tensor<?x72xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>,
                                        affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%p, %b : tensor<?x72xf32>, tensor<72xf32>) outs(%e : tensor<?x72xf32>) {
  ^bb0(%a: f32, %h: f32, %o: f32):
    %s = arith.addf %a, %h : f32
    %t = math.tanh %s : f32
    linalg.yield %t : f32
  } -> tensor<?x72xf32>
  return %g : tensor<?x72xf32>
}""", [(130, 40), (40, 72), (72,)], lambda x, w, b: np.tanh(x @ w + b)),
}


@pytest.mark.parametrize("name", USERS)
def test_functions_of_a_user(tools, tmp_path, name):
    text, shapes, program = USERS[name]
    (tmp_path / "f.mlir").write_text(text)
    package = tools.build(tmp_path / "f.mlir", tmp_path / "f.infini")
    rng = np.random.default_rng(len(name))
    for rows in (None, 1):
        arrays = [rng.standard_normal(shape).astype(np.float32) for shape in shapes]
        if rows:
            arrays = [x[:rows] if shape[0] == shapes[0][0] else x for x, shape in zip(arrays, shapes)]
        ref, naive = (program(*(x.astype(kind) for x in arrays)) for kind in (np.float64, np.float32))
        ref, naive = (x if isinstance(x, tuple) else (x,) for x in (ref, naive))
        for a, b, c in zip(tools.op(package, "f", arrays, len(ref), tmp_path), ref, naive):
            assert_close(a, b, bound(b, c), f"{name} {arrays[0].shape}")


PRODUCTS = [pytest.param(Product(type, out, k, n), marks=() if (i + j) % 2 == 0 else pytest.mark.long)
            for i, (type, out) in enumerate((("bf16", "f32"), ("bf16", "bf16"), ("f16", "f32"), ("f32", "f32")))
            for j, (k, n) in enumerate(((64, 96), (48, 40), (17, 5), (200, 300)))]


@pytest.mark.parametrize("product", PRODUCTS, ids=str)
def test_products(tools, tmp_path, product):
    (tmp_path / "f.mlir").write_text(product.text())
    package = tools.build(tmp_path / "f.mlir", tmp_path / "f.infini")
    for rows in (0, 1, 33, 130):
        arrays = product.arrays(rows)
        product.check(product.run(tools, package, arrays, tmp_path), arrays, f"{rows} rows:")
