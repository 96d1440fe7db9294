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
    """Sum over k from j on of |g_k| p_jk (|t_j| + sum over i of p_im |t_i|), p_jk = e^(x_j - y_k).

    In the exact sum m is k. It is the larger of i and j, which is less: running sums join what they know of
    the first few entries before they know how far the later ones are ahead.
    """

    def row_scale(row: Row, g: Row, t: Row) -> list[mpfr]:
        y, means, later = _sums(row), [], []
        moved = own = ZERO
        for k, step in enumerate(t):
            kept = _share(y[k - 1], y[k]) * moved if k else ZERO
            moved = kept + _share(row[k], y[k]) * abs(step)
            own += _share(row[k], y[k]) * abs(step)
            means.append(moved)
            later.append(own)
        each = _pulled(row, y, g)
        others = _pulled(row, y, [abs(a) * b for a, b in zip(g, later, strict=True)])
        return [
            a * (abs(step) + mean - before) + b
            for a, step, mean, before, b in zip(each, t, means, later, others, strict=True)
        ]

    return _by_rows(row_scale, axis, reverse, x, cotangent, tangent)


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
