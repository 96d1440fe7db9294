"""Functions that are small differences of large terms, by the series of the difference."""

from __future__ import annotations

import math
from typing import Any

# (-1)^k / (k + 2)!: what comes after these is below half an ulp of the sum, also for float64.
_REMAINDER = tuple((-1.0) ** k / math.factorial(k + 2) for k in range(21))


def _tanh_series(count: int) -> list[float]:
    """The coefficients of u, u^3, ... in tanh u, from tanh' = 1 - tanh^2."""
    found = [1.0]
    for n in range(1, count):
        found.append(-sum(found[i] * found[n - 1 - i] for i in range(n)) / (2 * n + 1))
    return found


_JS = tuple(one * (1 - 0.5 / n) / 4.0**n for n, one in enumerate(_tanh_series(17), 1))


def exp_remainder(xp: Any, d: Any) -> Any:
    """e^-d - 1 + d for -1.5 <= d <= 1, never negative."""
    return xp.square(d) * _polynomial(xp, d, _REMAINDER, 12)


def fall(xp: Any, d: Any) -> Any:
    """1 - e^-d for -1.5 <= d <= 1; torch's compiler takes expm1 for e^x - 1, without its digits."""
    return d - exp_remainder(xp, d)


def js_summand(xp: Any, d: Any) -> Any:
    """log 2 - the entropy of a question with log odds d, for |d| <= 1: u tanh u - log cosh u, u = d/2."""
    square = xp.square(d)
    return square * _polynomial(xp, square, _JS, 9)


def _polynomial(xp: Any, x: Any, coefficients: tuple[float, ...], short: int) -> Any:
    """Of float32 a short one: what comes after that many terms is below an eighth of an ulp of the sum."""
    if x.dtype == xp.float32:
        coefficients = coefficients[:short]
    total = coefficients[-1] + 0.0 * x
    for one in coefficients[-2::-1]:
        total = total * x + one
    return total
