"""Logarithms of sums and differences of two exponentials, and products with logarithms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpfr

from ..specs.base import Exact
from .logspace import log_one_minus_exp
from .normalizers import INFINITY, NAN, ZERO
from .numbers import as_objects, exact


def elementwise(function: Callable[..., Any], *arrays: Any) -> np.ndarray:
    """``function`` of numbers, over arrays broadcast together."""
    together = np.broadcast_arrays(*(exact(array) for array in arrays))
    columns = (array.ravel() for array in together)
    return as_objects((function(*numbers) for numbers in zip(*columns, strict=True)), together[0].shape)


def _larger_and_rest(a: mpfr, b: mpfr) -> tuple[mpfr, mpfr]:
    """The larger of the two, and what the smaller one adds."""
    if gmpy2.is_nan(a) or gmpy2.is_nan(b):
        return NAN, NAN
    larger, smaller = max(a, b), min(a, b)
    return larger, gmpy2.log1p(gmpy2.exp(smaller - larger)) if gmpy2.is_finite(larger) else ZERO


def _upper_and_rest(a: mpfr, b: mpfr) -> tuple[mpfr, mpfr]:
    """a, and what subtracting b adds to it: less than 0."""
    if not a >= b or a == b == INFINITY:
        return NAN, NAN
    return a, log_one_minus_exp(a - b) if gmpy2.is_finite(a) else ZERO


def _sum_of(parts: Callable[[mpfr, mpfr], tuple[mpfr, mpfr]], a: Any, b: Any) -> Exact:
    """The sum of both parts, counted in ulps of the larger one."""

    def size(first: mpfr, second: mpfr) -> mpfr:
        return max(map(abs, parts(first, second)))

    return Exact(elementwise(lambda *pair: sum(parts(*pair), ZERO), a, b), elementwise(size, a, b))


def logaddexp(a: Any, b: Any) -> Exact:
    return _sum_of(_larger_and_rest, a, b)


def logsubexp(a: Any, b: Any) -> Exact:
    return _sum_of(_upper_and_rest, a, b)


def _times_log(x: mpfr, y: mpfr, log: Callable[[mpfr], mpfr]) -> mpfr:
    if gmpy2.is_nan(x) or gmpy2.is_nan(y):
        return NAN
    logarithm = ZERO if x == 0 else log(y)
    return ZERO if logarithm == 0 else x * logarithm


def xlogy(x: Any, y: Any) -> Exact:
    return Exact(elementwise(lambda *pair: _times_log(*pair, gmpy2.log), x, y))


def xlog1py(x: Any, y: Any) -> Exact:
    return Exact(elementwise(lambda *pair: _times_log(*pair, gmpy2.log1p), x, y))
