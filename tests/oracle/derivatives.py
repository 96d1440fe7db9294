"""Derivatives of an oracle by central differences, so far beyond double precision that they count as exact.

With h = 2^-170 at 700 bits the first difference is right to about 2^-340 of the function's size, the second
to 2^-360. Entries of infinite value (log_softmax of a missing class) are constants, left out of the sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpfr

from .numbers import DERIVATIVE_BITS, as_objects, exact, precision

STEP = gmpy2.div_2exp(mpfr(1), 170)


def weighted_sum(
    oracle: Callable[..., Any], arrays: Sequence[Any], options: dict[str, Any], cotangent: Any
) -> mpfr:
    """sum(cotangent * value) over the finite values; the sign of ``return_sign=True`` has no derivative."""
    answer = oracle(*arrays, **options)
    value = (answer[0] if isinstance(answer, tuple) else answer).value
    factors = np.broadcast_to(exact(cotangent), value.shape)
    pairs = zip(factors.ravel(), value.ravel(), strict=True)
    return sum((g * v for g, v in pairs if not gmpy2.is_infinite(v)), mpfr(0))


def gradient(
    oracle: Callable[..., Any],
    arrays: Sequence[Any],
    options: dict[str, Any] | None = None,
    cotangent: Any = 1,
    argument: int = 0,
) -> np.ndarray:
    """By every entry of one array; at infinite entries, where nothing moves, 0."""
    options = options or {}
    with precision(DERIVATIVE_BITS):
        return _gradient(oracle, arrays, options, cotangent, argument)


def _gradient(
    oracle: Callable[..., Any], arrays: Sequence[Any], options: dict[str, Any], cotangent: Any, argument: int
) -> np.ndarray:
    inputs = list(arrays)
    point = exact(arrays[argument])
    numbers = []
    for index in np.ndindex(point.shape):
        sides = []
        for step in (STEP, -STEP):
            moved = point.copy()
            moved[index] = moved[index] + step
            inputs[argument] = moved
            sides.append(weighted_sum(oracle, inputs, options, cotangent))
        numbers.append((sides[0] - sides[1]) / (2 * STEP))
    return as_objects(numbers, point.shape)


def hessian_product(
    oracle: Callable[..., Any],
    arrays: Sequence[Any],
    options: dict[str, Any] | None = None,
    cotangent: Any = 1,
    tangent: Any = 1,
) -> np.ndarray:
    """The Hessian of sum(cotangent * value) by the first array, times the tangent."""
    options = options or {}
    with precision(DERIVATIVE_BITS):
        point = exact(arrays[0])
        along = np.broadcast_to(exact(tangent), point.shape) * STEP
        ahead, behind = (
            _gradient(oracle, [point + side * along, *arrays[1:]], options, cotangent, 0) for side in (1, -1)
        )
        return np.asarray((ahead - behind) / (2 * STEP), dtype=object)
