# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Functions that GPUs have no instruction for, on the simulator: over all exponents, with their edges, in units of the
last place."""
import math

import numpy as np
import pytest

import infini_numpy as oracle
from functions import KINDS
from harness import SIM, Tools, numbers


@pytest.fixture(scope="session")
def tools():
    return Tools.find().on(SIM)


def of_each(function):
    return np.vectorize(function, otypes=[np.float64])


FUNCTIONS = {
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log2": np.log2, "log10": np.log10,
    "log1p": np.log1p, "sin": np.sin, "cos": np.cos, "tan": np.tan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "asinh": np.arcsinh, "acosh": np.arccosh,
    "atanh": np.arctanh, "erf": of_each(math.erf), "erfc": of_each(math.erfc), "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x), "cbrt": np.cbrt, "absf": np.abs, "floor": np.floor, "ceil": np.ceil,
    "roundeven": np.rint, "trunc": np.trunc,
}
# (function, type) to the message.
REFUSED = {(name, "f64"): f"'math.{name}' of 'f64' has no form on GPUs" for name in ("erf", "erfc")}
# Of sine, cosine, and tangent in f64; beyond, they are NaN.
LARGEST_ANGLE = 2.0 ** 45

TYPES = ["f32", "bf16", "f16", "f64"]
# Bits of the mantissa, and the least exponent of normal numbers.
FORMATS = {"f32": (23, -126), "bf16": (7, -126), "f16": (10, -14), "f64": (52, -1022)}
# Types of 16 bits are computed in f32, and rounded once more.
UNITS = {"f32": 4, "f64": 4, "bf16": 1, "f16": 1}
EDGES = [0.0, math.inf, 1.0, 0.5, 2.0, 3.0, 8.0, 10.0, 27.0, 100.0, 1000.0, 0.41421357, 2.4142137, 0.70710677, 1.4142135,
         87.33, 88.72, 88.73, 89.41, 89.42, 103.9, 104.1, 127.99, 128.0, 149.0, 150.0, 709.78, 709.79, 710.47, 710.48, 745.2,
         1e-45, 1.1754944e-38, 3.4028235e38, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
         16367173.0 * 2.0 ** 72]  # the f32 that lies nearest to a multiple of π/2


def arguments(type):
    """Numbers of both signs over all exponents, more of those near 1, and the edges, as the type's bits."""
    least, most = (1e-320, 1e308) if type == "f64" else (1e-45, 3e38)
    size = np.concatenate([np.geomspace(least, most, 300), np.linspace(0.01, 12, 250), np.linspace(12, 160, 100), EDGES,
                           *(1 + s * 2.0 ** -np.arange(2, 24) for s in (1, -1))])
    return bits_of(np.concatenate([size, -size, [math.nan]]), type)


def many_arguments(type):
    """All numbers of a type of 16 bits; of others, numbers over all exponents and around 0 and 1 at random."""
    if type in ("bf16", "f16"):
        bits = np.arange(2**16, dtype=np.uint16)
        return bits if type == "bf16" else bits.view(np.float16)
    rng, n = np.random.default_rng(1), 100_000
    bits = rng.integers(0, 2**64, n, dtype=np.uint64)
    near = np.concatenate([rng.normal(size=n) * 10, rng.uniform(-1.1, 1.1, n), rng.uniform(-120, 120, n),
                           1 + rng.normal(size=n) * np.exp2(rng.uniform(-50, 0, n))])
    return np.concatenate([bits.view(KINDS[type]), near.astype(KINDS[type])])


def bits_of(x, type):
    with np.errstate(over="ignore"):
        return oracle.to_bfloat16_bits(x.astype(np.float32)) if type == "bf16" else x.astype(KINDS[type])


def exact_of(function, *arrays, type):
    """In f64, or more where that is the type."""
    wide = np.longdouble if type == "f64" else np.float64
    with np.errstate(all="ignore"):
        return function(*(numbers(x).astype(wide) for x in arrays))


def difference(out, exact, type):
    """What is wrong with numbers of a type, and where; else nothing."""
    with np.errstate(all="ignore"):
        rounded = exact.astype(np.float64) if type == "f64" else numbers(bits_of(exact.astype(np.float32), type))
        mantissa, least = FORMATS[type]
        place = np.ldexp(np.ones_like(exact), np.maximum(np.frexp(np.abs(exact))[1] - 1, least) - mantissa)
        error = np.abs(out.astype(exact.dtype) - exact) / place
    if wrong := np.flatnonzero(np.isnan(out) != np.isnan(rounded)).tolist():
        return f"NaN: {out[wrong[0]]}, expected {rounded[wrong[0]]}", wrong[0]
    if wrong := np.flatnonzero((np.isinf(out) | np.isinf(rounded)) & ~np.isnan(out) & (out != rounded)).tolist():
        return f"infinities: {out[wrong[0]]}, expected {rounded[wrong[0]]}", wrong[0]
    if wrong := np.flatnonzero((rounded == 0) & (out == 0) & (np.signbit(out) != np.signbit(rounded))).tolist():
        return "the sign of 0", wrong[0]
    error[~np.isfinite(rounded)] = 0
    at = int(error.argmax())
    return (f"{float(error[at]):.3g} units of the last place: {out[at]}, expected {rounded[at]}", at) if not (
        error[at] <= UNITS[type]) else None


def unary(name, type):
    tensor = f"tensor<?x{type}>"
    return (f"func.func @{name}(%x: {tensor}) -> {tensor} {{\n  %y = math.{name} %x : {tensor}\n"
            f"  return %y : {tensor}\n}}\n")


def binary(name, type, second=None):
    tensor, other = f"tensor<?x{type}>", f"tensor<?x{second or type}>"
    types = tensor if second is None else f"{tensor}, {other}"
    return (f"func.func @{name}(%x: {tensor}, %z: {other}) -> {tensor} {{\n  %y = math.{name} %x, %z : {types}\n"
            f"  return %y : {tensor}\n}}\n")


@pytest.mark.parametrize("type", TYPES)
def test_functions(tools, tmp_path, type, long):
    names = [name for name in FUNCTIONS if (name, type) not in REFUSED]
    (tmp_path / "math.mlir").write_text("".join(unary(name, type) for name in names))
    package, wrong = tools.build(tmp_path / "math.mlir", tmp_path / "math.infini"), []
    for name in names:
        x = np.concatenate([arguments(type), *([many_arguments(type)] if long else [])])
        if type == "f64" and name in ("sin", "cos", "tan"):
            far = np.isfinite(x) & (np.abs(x) >= LARGEST_ANGLE)
            assert np.isnan(tools.op(package, name, [x[far]], 1, tmp_path)[0]).all(), name
            x = x[~far]
        out = numbers(tools.op(package, name, [x], 1, tmp_path)[0])
        if found := difference(out, exact_of(FUNCTIONS[name], x, type=type), type):
            wrong.append(f"{name}({numbers(x)[found[1]]!r}): {found[0]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("type", TYPES)
def test_functions_of_two(tools, tmp_path, type):
    """Powers, and the angles of points: all pairs of edges, and pairs at random."""
    names = ["atan2"] if type == "f64" else ["atan2", "powf"]
    (tmp_path / "math.mlir").write_text("".join(binary(name, type) for name in names))
    package, wrong, rng = tools.build(tmp_path / "math.mlir", tmp_path / "math.infini"), [], np.random.default_rng(0)
    some = [0.0, 1.0, 0.5, 1.5, 2.0, 3.0, 8388607.0, 8388609.0, 16777216.0, 1e-45, 1.1754944e-38, 3e38, math.inf]
    some = np.array([*some, *(-x for x in some), math.nan])
    pairs = np.array([(x, y) for x in some for y in some]).T
    for name in names:
        more = (rng.uniform(0, 4, 500), rng.uniform(-40, 40, 500)) if name == "powf" else (
            rng.normal(size=500) * np.exp2(rng.uniform(-9, 9, 500)), rng.normal(size=500))
        x, y = (bits_of(np.concatenate([a, b]), type) for a, b in zip(pairs, more))
        out = numbers(tools.op(package, name, [x, y], 1, tmp_path)[0])
        function = np.power if name == "powf" else np.arctan2
        if found := difference(out, exact_of(function, x, y, type=type), type):
            wrong.append(f"{name}({numbers(x)[found[1]]!r}, {numbers(y)[found[1]]!r}): {found[0]}")
    assert not wrong, "\n".join(wrong)


def test_whole_powers(tools, tmp_path):
    (tmp_path / "math.mlir").write_text(binary("fpowi", "f32", "i32"))
    some = np.array([0.0, 0.3, 1.0, 1.5, 3.0, 1e-45, 3e38, math.inf])
    pairs = np.array([(x, n) for x in (*some, *-some, math.nan)
                      for n in (*range(-9, 10), 100, 101, -101, 2**31 - 1, -2**31)])
    x, n = pairs[:, 0].astype(np.float32), pairs[:, 1].astype(np.int32)
    out = tools.op(tmp_path / "math.mlir", "fpowi", [x, n], 1, tmp_path)[0]
    assert difference(out, exact_of(np.power, x, n, type="f32"), "f32") is None


@pytest.mark.parametrize("type", TYPES)
def test_constant_powers(tools, tmp_path, type):
    """Exponents that take few instructions, in f64, too; one that does not, in types that have it."""
    exponents = {"inverse": -1.0, "root": 0.5, "inverse_root": -0.5, "same": 1.0, "square": 2.0, "cube": 3.0,
                 **({"fourth": 4.0} if type != "f64" else {})}
    tensor, x, wrong = f"tensor<?x{type}>", arguments(type), []
    (tmp_path / "math.mlir").write_text("".join(
        f"""func.func @{name}(%x: {tensor}) -> {tensor} {{
  %e = arith.constant {exponent} : {type}
  %y = linalg.map ins(%x : {tensor}) outs(%x : {tensor}) (%in: {type}, %old: {type}) {{
    %z = math.powf %in, %e : {type}
    linalg.yield %z : {type}
  }}
  return %y : {tensor}
}}
""" for name, exponent in exponents.items()))
    package = tools.build(tmp_path / "math.mlir", tmp_path / "math.infini")
    for name, exponent in exponents.items():
        out = numbers(tools.op(package, name, [x], 1, tmp_path)[0])
        if found := difference(out, exact_of(lambda x: np.power(x, x.dtype.type(exponent)), x, type=type), type):
            wrong.append(f"{name}({numbers(x)[found[1]]!r}): {found[0]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name, type", REFUSED)
def test_without_a_form(tools, tmp_path, name, type):
    (tmp_path / "math.mlir").write_text(unary(name, type))
    tools.build_unless(REFUSED[name, type], tmp_path / "math.mlir", tmp_path / "math.infini")


@pytest.mark.parametrize("type", TYPES)
def test_controls(type):
    """What is right passes; two places more than are allowed, and NaN, infinities, and signs that got lost, do not."""
    bits = arguments(type)
    exact = exact_of(np.tan, bits, type=type)
    exact[1:4] = math.inf, -math.inf, math.nan
    exact[0] = -0.0
    right = exact.astype(np.float64) if type == "f64" else numbers(bits_of(exact.astype(np.float32), type))
    assert difference(right, exact, type) is None
    place = int(np.flatnonzero((np.abs(right) > 1e-2) & (np.abs(right) < 1e2))[0])
    off = right[place] * (1 + (2 + UNITS[type]) * 2.0 ** -FORMATS[type][0])
    for at, wrong, word in ((place, off, "units"), (3, 1.0, "NaN"), (place, math.nan, "NaN"), (1, 1e30, "infinities"),
                            (2, math.inf, "infinities"), (place, math.inf, "infinities"), (0, 0.0, "sign")):
        broken = right.copy()
        with np.errstate(over="ignore"):
            broken[at] = wrong
        found = difference(broken, exact, type)
        if (at, type) == (1, "f16"):
            continue  # 1e30 is an infinity there
        assert found and word in found[0] and found[1] == at, (at, wrong, found)
