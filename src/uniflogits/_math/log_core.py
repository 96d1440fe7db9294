"""Logarithms near 0 and 1 and the differences they are taken of: plain autodiff of each is exact."""

from __future__ import annotations

import math
from typing import Any

LN_2 = math.log(2.0)


def within(xp: Any, x: Any, outside: Any) -> Any:
    """x; NaN, derivatives included, where `outside` says so.

    A sum, because a selection would have gradient 0 there. It makes 0.0 of -0.0 too, so that what is infinite
    at 0 has the sign of the limit from above.
    """
    return x + xp.where(outside, xp.nan, xp.astype(x != x, x.dtype))


def log1p(xp: Any, x: Any) -> Any:
    """log(1 + x), by the logarithm itself where XLA's log1p of float64 is off by up to 128 ulp."""
    far = x < -0.34
    return xp.where(far, xp.log(xp.where(far, 1.0 + x, 1.0)), xp.log1p(xp.where(far, 0.0, x)))


def exp_of(xp: Any, d: Any, rest: Any) -> Any:
    """e^(d + rest), the rest being what d lost to rounding; None: nothing."""
    z = xp.exp(d)
    return z if rest is None else z + z * rest


def log1mexp(xp: Any, x: Any, rest: Any = None) -> Any:
    """log(1 - e^-(x + rest)); NaN for x < 0."""
    x = within(xp, x, x < 0)
    z = exp_of(xp, -x, None if rest is None else -rest)
    near = z > 0.34
    complement = xp.where(x <= LN_2, -xp.expm1(-x), 1.0 - z)
    return xp.where(near, xp.log(xp.where(near, complement, 1.0)), xp.log1p(xp.where(near, 0.0, -z)))


def log1mexp_slope(xp: Any, x: Any, rest: Any = None) -> Any:
    """1 / (e^(x + rest) - 1)."""
    x = within(xp, x, x < 0)
    return exp_of(xp, -x, None if rest is None else -rest) / -xp.expm1(-x)


def log1mexp_curve(xp: Any, x: Any, rest: Any = None) -> Any:
    """-1 / (4 sinh²((x + rest) / 2))."""
    return log1mexp_slope(xp, x, rest) / xp.expm1(-within(xp, x, x < 0))


def difference(xp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """a - b and what that lost to rounding, a constant: together they are exact.

    Where the difference overflows nothing is said to be lost.
    """
    d = a - b
    rest = lost(*(xp.stop_gradient(x) for x in (a, b, d)))
    return d, xp.where(xp.isfinite(rest), rest, 0.0)


def lost(a: Any, b: Any, d: Any) -> Any:
    """What d = a - b lost to rounding (Knuth's TwoSum); NaN where that is infinite."""
    back = d - a
    return (a - (d - back)) - (b + back)
