"""The magnitudes in whose ulps the derivatives by two partners count: sums over what one was broadcast along.

0 means the derivative's own magnitude, which it is where nothing was broadcast.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpfr

from .normalizers import ZERO, sigma
from .numbers import as_objects, exact
from .pairs import elementwise

Slope = Callable[[mpfr, mpfr], mpfr]
Scales = dict[str, Callable[..., np.ndarray]]


def _summed(slope: Slope, arrays: tuple[Any, ...], argument: int, factors: tuple[Any, ...]) -> np.ndarray:
    """Sum of |slope · factors| over the axes that the argument was broadcast along."""
    shape, whole = np.shape(arrays[argument]), np.broadcast_shapes(*map(np.shape, arrays))
    if shape == whole:
        return as_objects([ZERO] * math.prod(shape), shape)
    sizes = elementwise(lambda a, b, *more: abs(math.prod(more, start=slope(a, b))), *arrays, *factors)
    result = np.full(shape, ZERO, dtype=object)
    view = np.broadcast_to(np.arange(result.size).reshape(shape), whole)
    for place, size in zip(view.ravel(), sizes.ravel(), strict=True):
        result.flat[place] += size
    return result


def _scales(first: tuple[Slope, Slope], second: tuple[Slope, Slope]) -> Scales:
    """What a spec states, from the derivatives by either array, once and twice."""

    def of(argument: int) -> tuple[Callable[..., np.ndarray], Callable[..., np.ndarray]]:
        def once(*arrays: Any, cotangent: Any) -> np.ndarray:
            return _summed(first[argument], arrays, argument, (exact(cotangent),))

        def twice(*arrays: Any, cotangent: Any, tangent: Any) -> np.ndarray:
            return _summed(second[argument], arrays, argument, (exact(cotangent), exact(tangent)))

        return once, twice

    (by_first, by_first_twice), (by_partner, by_partner_twice) = of(0), of(1)
    return {
        "gradient_scale": by_first,
        "second_scale": by_first_twice,
        "partner_scale": by_partner,
        "partner_second_scale": by_partner_twice,
    }


def _odds(d: mpfr) -> mpfr:
    return 1 / gmpy2.expm1(d)


def _bend(d: mpfr) -> mpfr:
    return sigma(d) * sigma(-d)


def _difference_bend(d: mpfr) -> mpfr:
    return _odds(d) * (1 + _odds(d))


LOGADDEXP = _scales((lambda a, b: sigma(a - b), lambda a, b: sigma(b - a)), (lambda a, b: _bend(a - b),) * 2)
LOGSUBEXP = _scales(
    (lambda a, b: 1 + _odds(a - b), lambda a, b: _odds(a - b)), (lambda a, b: _difference_bend(a - b),) * 2
)
XLOGY = _scales((lambda x, y: gmpy2.log(y), lambda x, y: x / y), (lambda x, y: ZERO, lambda x, y: x / y**2))
XLOG1PY = _scales(
    (lambda x, y: gmpy2.log1p(y), lambda x, y: x / (1 + y)),
    (lambda x, y: ZERO, lambda x, y: x / (1 + y) ** 2),
)
