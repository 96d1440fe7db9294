"""Every operation of one library against exact results, in units in the last place (ulp).

The arrays and their exact results are in references.json, made by tools/make_references.py. Inputs are
numbers that float32 holds, so that both dtypes have the same results; those have more digits than float64.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from fractions import Fraction
from importlib import resources
from typing import Any, NamedTuple

import numpy as np

from .. import vjp
from .._backends.generic import Backend
from .._core.dtypes import dtype_name
from .._core.operation import OPERATIONS, Operation

# Digits of the significand, exponent of the smallest normal number, largest number.
_FORMATS = {
    "float32": (24, -126, float.fromhex("0x1.fffffep+127")),
    "float64": (53, -1022, float.fromhex("0x1.fffffffffffffp+1023")),
}
_PACKAGE = __name__.rpartition(".")[0]
_HEX = re.compile(r"(-?)0x([0-9a-f]+)\.?([0-9a-f]*)p([+-][0-9]+)")


class Exact(NamedTuple):
    """Exact numbers as sums of two floats, and the magnitudes in whose ulps errors count (0: their own)."""

    high: np.ndarray
    low: np.ndarray
    scale: np.ndarray


class Found(NamedTuple):
    """How far one result of one operation is off at worst, and everywhere that is too far."""

    operation: str
    dtype: str
    quantity: str  # "value" or "gradient"
    worst: float
    allowed: float
    off: list[str]


def read_references() -> dict[str, Any]:
    text = resources.files(_PACKAGE).joinpath("references.json").read_text(encoding="utf-8")
    return json.loads(text)["operations"]


class Question(NamedTuple):
    """One operation in one dtype."""

    operation: str
    dtype: str
    reference: dict[str, Any]

    @property
    def entry(self) -> Operation:
        return OPERATIONS[self.operation]

    @property
    def differentiated(self) -> list[str]:
        return [name for name in self.entry.arrays if name in self.reference["gradient"]]


def ask(backend: Backend, questions: list[Question]) -> list[list[Any]]:
    """The value and the gradients of each, on arrays that the backend's namespace makes."""
    return backend.at_once([functools.partial(_answer, backend, one) for one in questions])


def _answer(backend: Backend, question: Question) -> list[Any]:
    entry, dtype, reference = question.entry, question.dtype, question.reference
    options = reference["options"]
    arrays = [make_array(backend.xp, reference["arrays"][name], dtype) for name in entry.arrays]
    value = entry.function(*arrays, **options)
    _, pullback = vjp(entry.function, *arrays, **options)
    gradients = pullback(make_array(backend.xp, reference["cotangent"], dtype))
    by_name = dict(zip(entry.arrays, gradients, strict=True))
    return [value, *(by_name[name] for name in question.differentiated)]


def judge(question: Question, answer: list[Any]) -> Iterator[Found]:
    """Compare an answer with the exact one."""
    dtype, reference = question.dtype, question.reference
    allowed = reference["allowed"]
    worst: dict[str, float] = {"value": 0.0, "gradient": 0.0}
    off: dict[str, list[str]] = {"value": [], "gradient": []}
    parts = [("value", "value", reference["value"])]
    parts += [
        ("gradient", f"gradient by {name}", reference["gradient"][name]) for name in question.differentiated
    ]
    for (quantity, title, right), result in zip(parts, answer, strict=True):
        exact, came = read_exact(right), dtype_name(result.dtype)
        shape = tuple(int(size) for size in result.shape)
        if (came, shape) != (dtype, exact.high.shape):
            off[quantity].append(f"{title}: {came} {shape} instead of {dtype} {exact.high.shape}")
            worst[quantity] = np.inf
            continue
        got = np.asarray(result).astype(np.float64)
        errors = errors_in_ulp(got, exact, dtype, allowed["dagger"], allowed["underflow"])
        worst[quantity] = max(worst[quantity], float(errors.max(initial=0.0)))
        for place in np.argwhere(errors > allowed[quantity]):
            index = tuple(int(i) for i in place)
            shown = f"got {float(got[index]).hex()}, exact {float(exact.high[index]).hex()}"
            off[quantity].append(f"{title} at {index}: {errors[index]:.4g} ulp off, {shown}")
    for quantity in worst:
        yield Found(question.operation, dtype, quantity, worst[quantity], allowed[quantity], off[quantity])


def make_array(xp: Any, numbers: Any, dtype: str) -> Any:
    """Floats are hex strings, integers are JSON's own."""
    flat, shape = _flat(numbers)
    if flat and isinstance(flat[0], int):
        return xp.asarray(np.asarray(flat).reshape(shape))
    return xp.asarray(np.asarray([float.fromhex(text) for text in flat], dtype=dtype).reshape(shape))


def _flat(numbers: Any) -> tuple[list[Any], tuple[int, ...]]:
    """A row is a string of hex floats or a list of integers; rows nest."""
    if isinstance(numbers, str):
        row = numbers.split()
        return row, (len(row),)
    if not numbers or isinstance(numbers[0], int):
        return numbers, (len(numbers),)
    parts = [_flat(part) for part in numbers]
    return [number for part, _ in parts for number in part], (len(parts), *parts[0][1])


def read_exact(answer: dict[str, Any]) -> Exact:
    flat, shape = _flat(answer["exact"])
    high = [float.fromhex(text) for text in flat]
    low = [_rest(text, number) for text, number in zip(flat, high, strict=True)]
    scale = (
        [float.fromhex(text) for text in _flat(answer["scale"])[0]]
        if "scale" in answer
        else [0.0] * len(high)
    )
    return Exact(*(np.asarray(part, dtype=float).reshape(shape) for part in (high, low, scale)))


def _rest(text: str, high: float) -> float:
    """What a hex float holds beyond the float64 nearest to it."""
    found = _HEX.fullmatch(text)
    if found is None:  # infinities and NaN
        return 0.0
    sign, whole, fraction, exponent = found.groups()
    exact = Fraction(int(sign + whole + fraction, 16)) * Fraction(2) ** (int(exponent) - 4 * len(fraction))
    return float(exact - Fraction(high))


def ulp(magnitude: np.ndarray, dtype: str) -> np.ndarray:
    """The distance between neighbouring numbers of a dtype around a magnitude."""
    digits, lowest, largest = _FORMATS[dtype]
    size = np.where(np.isfinite(magnitude), np.minimum(magnitude, largest), largest)
    exponent = np.where(size == 0, lowest, np.maximum(np.frexp(size)[1] - 1, lowest))
    return np.ldexp(1.0, exponent - digits + 1)


def errors_in_ulp(got: np.ndarray, exact: Exact, dtype: str, dagger: bool, underflow: float) -> np.ndarray:
    """What is left of errors after the allowances for underflow and for the rounding of x - max (dagger)."""
    _, lowest, largest = _FORMATS[dtype]
    high = exact.high
    magnitude = np.maximum(np.abs(high), exact.scale)
    unit = ulp(magnitude, dtype)
    with np.errstate(all="ignore"):
        distance = np.abs((got - high) - exact.low)
        errors = np.maximum(0.0, distance - underflow * 2.0**lowest) / unit
        if dagger:
            rounding = np.where((magnitude > 0) & (magnitude < 1), np.log(magnitude), 0.0)
            errors = np.maximum(0.0, errors + rounding)
    # What is beyond the range rounds to infinity.
    beyond = np.isinf(got) & (np.sign(got) == np.sign(high)) & (np.abs(high) > largest)
    same = (got == high) | (np.isnan(got) & np.isnan(high)) | beyond
    special = ~np.isfinite(got) | ~np.isfinite(high)
    errors = np.where(special, np.where(same, 0.0, np.inf), errors)
    # Nothing is promised of a finite number that an infinite one is part of.
    return np.where(np.isinf(exact.scale) & np.isfinite(high), 0.0, errors)
