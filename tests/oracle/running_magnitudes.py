"""The magnitudes in whose ulps the bounds of running logsumexps' derivatives count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpfr

from .logspace import running, turned
from .normalizers import ZERO
from .numbers import exact
from .rows import from_rows, to_rows

Row = Sequence[mpfr]


def cumulative_gradient(x: Any, *, cotangent: Any, axis: int = -1, reverse: bool = False) -> np.ndarray:
    """Sum over k from j on of |g_k| e^(x_j - y_k)."""
    return _by_rows(lambda row, g: _pulled(row, _sums(row), g), axis, reverse, x, cotangent)


def cumulative_second(
    x: Any, *, cotangent: Any, tangent: Any, axis: int = -1, reverse: bool = False
) -> np.ndarray:
    """Sum over i and k of |g_k| |t_i| p_jk s, p_jk = e^(x_j - y_k), s the share of i in what i and j have.

    In the exact sum s is p_ik, which is less: running sums join what they know of neighbouring entries before
    they know how far others are ahead of both. For i = j it is 1.
    """

    def row_scale(row: Row, g: Row, t: Row) -> list[mpfr]:
        y, tails, tail = _sums(row), [], ZERO
        for k in reversed(range(len(row))):
            tail += abs(g[k]) * gmpy2.exp(-y[k]) if gmpy2.is_finite(y[k]) else ZERO
            tails.append(tail)
        tails.reverse()
        moving = [i for i, step in enumerate(t) if step != 0]
        return [
            sum((abs(t[i]) * _of_both(row[j], row[i], i == j) * tails[max(i, j)] for i in moving), ZERO)
            for j in range(len(row))
        ]

    return _by_rows(row_scale, axis, reverse, x, cotangent, tangent)


def _of_both(a: mpfr, b: mpfr, same: bool) -> mpfr:
    """e^a, times the share of b of the two."""
    if not gmpy2.is_finite(a) or not gmpy2.is_finite(b):
        return ZERO
    return gmpy2.exp(a) if same else gmpy2.exp(a) / (1 + gmpy2.exp(a - b))


def _by_rows(function: Callable[..., list[mpfr]], axis: int, reverse: bool, *arrays: Any) -> np.ndarray:
    laid = [to_rows(turned(exact(array), axis, reverse), axis) for array in arrays]
    rows = [function(*row) for row in zip(*laid, strict=True)]
    return turned(from_rows(rows, np.shape(arrays[0]), axis), axis, reverse)


def _sums(row: Row) -> list[mpfr]:
    return [m + above for m, above in running(row)]


def _share(a: mpfr, b: mpfr) -> mpfr:
    return gmpy2.exp(a - b) if gmpy2.is_finite(a) else ZERO


def _pulled(row: Row, y: Row, g: Row) -> list[mpfr]:
    result, total = [], ZERO
    for k in reversed(range(len(row))):
        kept = _share(y[k], y[k + 1]) * total if k + 1 < len(row) else ZERO
        total = kept + abs(g[k])
        result.append(_share(row[k], y[k]) * total)
    return result[::-1]
