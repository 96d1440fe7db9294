"""Exact numbers: arrays of any dtype as object arrays of mpfr; errors in units in the last place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpfr

# Digits of the significand, exponent of the smallest normal number, largest finite number.
_FORMATS = {
    "float16": (11, -14, 65504.0),
    "bfloat16": (8, -126, float.fromhex("0x1.fep+127")),
    "float32": (24, -126, float.fromhex("0x1.fffffep+127")),
    "float64": (53, -1022, float.fromhex("0x1.fffffffffffffp+1023")),
}

VALUE_BITS = 300
DERIVATIVE_BITS = 700


def precision(bits: int) -> Any:
    """Context in which every mpfr operation rounds to so many bits."""
    return gmpy2.context(precision=bits)


def exact(array: Any) -> np.ndarray:
    """The very numbers of an array (floats of any dtype, integers, booleans, mpfr) as an object array."""
    array = np.asarray(array)
    if array.dtype.name in ("bfloat16", "float16", "float32"):
        array = array.astype(np.float64)
    flat = [
        number if isinstance(number, mpfr) else _exact_number(number) for number in array.ravel().tolist()
    ]
    return as_objects(flat, array.shape)


def _exact_number(number: Any) -> mpfr:
    # Precision 1 asks gmpy2 for as many bits as the number has.
    return mpfr(int(number), 1) if isinstance(number, bool) else mpfr(number, 1)


def as_objects(numbers: Iterable[Any], shape: tuple[int, ...]) -> np.ndarray:
    """An object array; ``np.array(list, dtype=object)`` would lose the shape of empty and 0-d ones."""
    numbers = list(numbers)
    result = np.empty(len(numbers), dtype=object)
    for index, number in enumerate(numbers):
        result[index] = number
    return result.reshape(shape)


def ulp(value: Any, dtype_name: str) -> mpfr:
    """The distance between neighbouring numbers of that dtype around a finite value (0: its subnormals)."""
    digits, lowest, largest = _FORMATS[dtype_name]
    magnitude = min(abs(mpfr(value)), mpfr(largest))
    exponent = lowest if magnitude == 0 else max(gmpy2.get_exp(magnitude) - 1, lowest)
    return _power(exponent - digits + 1)


def _power(exponent: int) -> mpfr:
    return gmpy2.div_2exp(mpfr(1), -exponent) if exponent < 0 else gmpy2.mul_2exp(mpfr(1), exponent)


def smallest_normal(dtype_name: str) -> mpfr:
    return _power(_FORMATS[dtype_name][1])


def error_in_ulp(
    result: Any,
    value: Any,
    dtype_name: str,
    *,
    scale: Any = None,
    dagger: bool = False,
    underflow: float = 0.0,
) -> np.ndarray:
    """How far a result is from the exact value, less the allowances, in ulps of M = max(|value|, scale).

    ``dagger`` allows max(0, -ln M) ulps more, ``underflow`` that many smallest normal numbers. Infinities,
    NaN and signs of infinities must agree: where they don't the error is infinite. An exact value beyond the
    range of the dtype agrees with the infinity of its sign.
    """
    results = exact(result)
    values = np.broadcast_to(exact(value), results.shape)
    scales = np.broadcast_to(exact(0 if scale is None else scale), results.shape)
    slack = mpfr(underflow) * smallest_normal(dtype_name)
    errors = [
        _error(r, v, s, dtype_name, dagger, slack)
        for r, v, s in zip(results.ravel(), values.ravel(), scales.ravel(), strict=True)
    ]
    return np.asarray(errors, dtype=np.float64).reshape(results.shape)


def _error(result: mpfr, value: mpfr, scale: mpfr, dtype_name: str, dagger: bool, slack: mpfr) -> float:
    if gmpy2.is_nan(result) or gmpy2.is_nan(value):
        return 0.0 if gmpy2.is_nan(result) and gmpy2.is_nan(value) else float("inf")
    if gmpy2.is_infinite(result) or gmpy2.is_infinite(value):
        largest = _FORMATS[dtype_name][2]
        beyond = abs(value) >= mpfr(largest) + ulp(largest, dtype_name) / 2
        same = gmpy2.is_infinite(result) and gmpy2.sign(result) == gmpy2.sign(value)
        return 0.0 if same and beyond else float("inf")
    with precision(max(gmpy2.get_context().precision, VALUE_BITS)):
        magnitude = max(abs(value), scale)
        if gmpy2.is_infinite(magnitude):  # an infinite summand promises nothing about a finite sum
            return 0.0
        error = max(mpfr(0), abs(result - value) - slack) / ulp(magnitude, dtype_name)
        if dagger and 0 < magnitude < 1:
            error = max(mpfr(0), error + gmpy2.log(magnitude))
        return float(error)
