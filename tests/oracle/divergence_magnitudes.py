"""The magnitudes in whose ulps the bounds of the divergences' derivatives count: sums of absolute summands.

Each derivative is written out above its function, p and q the probabilities, t the tangent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpfr

from .broadcasting import summed_to
from .divergences import log_of_mean, log_rows, together
from .magnitudes import spread, zeros
from .normalizers import INFINITY, ZERO
from .numbers import exact
from .rows import Axis, from_rows, reduced_shape, to_rows

Row = Sequence[mpfr]
Scale = Callable[..., np.ndarray]

# Differences of numbers whose derivative is 0 leave about 2^-340 of them.
_NOISE = gmpy2.div_2exp(mpfr(1), 280)


def weighted(p: Row, sizes: Row) -> list[mpfr]:
    """p_i (|c_i| + sum p|c|), of what p_i (c_i - sum p c) is the difference."""
    return spread(p, sizes)


def moved(p: Row, sizes: Row, slopes: Row, t: Row) -> list[mpfr]:
    """How p_i (c_i - sum p c) moves along t: through p, and through c by `slopes` of what log p moves."""
    mean = sum((q * s for q, s in zip(p, sizes, strict=True)), ZERO)
    steps = spread(p, t)
    change = sum((d * (s + e) for d, s, e in zip(steps, sizes, slopes, strict=True)), ZERO)
    return [d * (s + mean + e) + q * change for d, s, e, q in zip(steps, sizes, slopes, p, strict=True)]


def _finite(numbers: Sequence[mpfr]) -> list[mpfr]:
    return [abs(number) if gmpy2.is_finite(number) else ZERO for number in numbers]


def _behind(row: Row) -> list[mpfr]:
    """|log p| without the logsumexp: how far each logit lies behind the largest."""
    top = max(row)
    return _finite([a - top for a in row])


def _scale(function: Callable[..., list[mpfr]], by_second: bool = False) -> Scale:
    """function(log p, log q, t) of rows, times |cotangent|, in the shape of one of the arrays."""

    def scale(
        *arrays: Any, cotangent: Any, tangent: Any = None, axis: Axis = -1, where: Any = None
    ) -> np.ndarray:
        p, q = together(arrays[0], arrays[-1])
        given = np.asarray(arrays[-1 if by_second else 0])
        t = np.broadcast_to(exact(0 if tangent is None else tangent), p.shape)
        g = np.broadcast_to(exact(cotangent), reduced_shape(p.shape, axis)).ravel()
        rows = zip(log_rows(p, axis, where), log_rows(q, axis, where), to_rows(t, axis), g, strict=True)
        made = []
        for a, b, direction, factor in rows:
            own_p = _exp(b if by_second else a)
            sizes = zip(function(a, b, list(direction)), own_p, strict=True)
            made.append([abs(factor) * (n + p * _NOISE) for n, p in sizes])
        full = from_rows(made, p.shape, axis)
        return summed_to(full, given.shape)

    return scale


def _exp(row: Row) -> list[mpfr]:
    return [gmpy2.exp(a) for a in row]


def _ones(row: Row) -> list[mpfr]:
    return [mpfr(1)] * len(row)


# -p_i (d_i - sum p d), d = x - max x
entropy_gradient = _scale(lambda a, b, t: weighted(_exp(a), _behind(a)))
entropy_second = _scale(lambda a, b, t: moved(_exp(a), _behind(a), _ones(a), t))

# -p_i (d_i - sum p d), d of q; q_i sum p - p_i
cross_entropy_by_p = _scale(lambda a, b, t: weighted(_exp(a), _behind(b)))
cross_entropy_by_p_second = _scale(lambda a, b, t: moved(_exp(a), _behind(b), zeros(a), t))
by_q = _scale(lambda a, b, t: [max(p, q) for p, q in zip(_exp(a), _exp(b), strict=True)], by_second=True)
by_q_second = _scale(lambda a, b, t: spread(_exp(b), t), by_second=True)


def _ratio(a: Row, b: Row) -> list[mpfr]:
    """|log p - log q|, 0 where one of them is missing."""
    return [abs(x - y) if -INFINITY not in (x, y) else ZERO for x, y in zip(a, b, strict=True)]


def _kl_by_p(a: Row, b: Row, t: Row) -> list[mpfr]:
    """p_i max|delta|, of p_i (delta_i - KL)."""
    largest = max(_ratio(a, b), default=ZERO)
    return [p * largest for p in _exp(a)]


kl_by_p = _scale(_kl_by_p)
kl_by_p_second = _scale(lambda a, b, t: moved(_exp(a), _ratio(a, b), _ones(a), t))


def _of_mean(a: Row, b: Row) -> tuple[list[mpfr], list[mpfr]]:
    """|r| = |log(p/m)| and its slope by log p, q/(p + q)."""
    sizes = [abs(log_of_mean(x, y)) if x != -INFINITY else ZERO for x, y in zip(a, b, strict=True)]
    slopes = [
        1 / (1 + gmpy2.exp(x - y)) if -INFINITY not in (x, y) else ZERO for x, y in zip(a, b, strict=True)
    ]
    return sizes, slopes


def _js_second(a: Row, b: Row, t: Row) -> list[mpfr]:
    return [n / 2 for n in moved(_exp(a), *_of_mean(a, b), t)]


def _js(a: Row, b: Row, t: Row) -> list[mpfr]:
    return [n / 2 for n in weighted(_exp(a), _of_mean(a, b)[0])]


def _swapped(function: Callable[[Row, Row, Row], list[mpfr]]) -> Callable[[Row, Row, Row], list[mpfr]]:
    return lambda a, b, t: function(b, a, t)


# p_i/2 (r_i - sum p r)
js_by_p, js_by_p_second = _scale(_js), _scale(_js_second)
js_by_q = _scale(_swapped(_js), by_second=True)
js_by_q_second = _scale(_swapped(_js_second), by_second=True)

# Any number is within its bound of another by this much.
_ANY = gmpy2.mul_2exp(mpfr(1), 200)


def _is_undecided(a: Row, b: Row) -> bool:
    """Whether log p - log q of a class is less than what rounding makes of it, so that its sign is too."""
    ratio = [x - y if -INFINITY not in (x, y) else None for x, y in zip(a, b, strict=True)]
    lead = ratio[max(range(len(a)), key=lambda i: a[i])]
    if lead is None:
        return False
    known = [(gmpy2.exp(x), r) for x, r in zip(a, ratio, strict=True) if r is not None]
    around = sum((p * abs(r - lead) for p, r in known), ZERO)
    return any(
        abs(r) < gmpy2.div_2exp(abs(r - lead) + around, 20) or 0 < abs(r) < gmpy2.div_2exp(mpfr(1), 126)
        for _, r in known
    )


def _variation(sizes: Callable[[Row, Row], list[mpfr]]) -> Callable[[Row, Row, Row], list[mpfr]]:
    return lambda a, b, t: [_ANY] * len(a) if _is_undecided(a, b) else [n / 2 for n in sizes(a, t)]


_by_own = _variation(lambda a, t: weighted(_exp(a), _ones(a)))
_by_own_second = _variation(lambda a, t: moved(_exp(a), _ones(a), zeros(a), t))

# p_i/2 (s_i - sum p s), s the sign of p - q; anything where that sign is a matter of rounding
variation_by_p, variation_by_p_second = _scale(_by_own), _scale(_by_own_second)
variation_by_q = _scale(_swapped(_by_own), by_second=True)
variation_by_q_second = _scale(_swapped(_by_own_second), by_second=True)
