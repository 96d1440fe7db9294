"""The log-space functions as a textbook writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpfr

from ..specs.base import Exact
from .normalizers import INFINITY, NAN, ZERO, log_sum_exp, present_classes
from .numbers import as_objects, exact
from .rows import Axis, from_rows, masks, reduced_shape, to_rows


def logsumexp(
    x: Any,
    *,
    axis: Axis = -1,
    keepdims: bool = False,
    where: Any = None,
    weights: Any = None,
    return_sign: bool = False,
) -> Exact | tuple[Exact, np.ndarray]:
    x = exact(x)
    rows, allowed = to_rows(x, axis), to_rows(masks(where, x.shape), axis)
    if weights is None:
        results = [_plain(row, mask) for row, mask in zip(rows, allowed, strict=True)]
    else:
        factors = to_rows(np.broadcast_to(exact(weights), x.shape), axis)
        results = [weighted_sum(*row) for row in zip(rows, factors, allowed, strict=True)]
    shape = reduced_shape(x.shape, axis, keepdims)
    signs = as_objects((sign for _, sign, _ in results), shape)
    logs = (NAN if sign < 0 and not return_sign else value for value, sign, _ in results)
    answer = Exact(as_objects(logs, shape), as_objects((scale for _, _, scale in results), shape))
    return (answer, signs) if return_sign else answer


def _plain(row: Sequence[mpfr], allowed: Sequence[bool]) -> tuple[mpfr, mpfr, mpfr]:
    m, log_sum = log_sum_exp(row, allowed)
    sign = m if gmpy2.is_nan(m) else mpfr(0 if m == -INFINITY else 1)
    return m + log_sum, sign, max(abs(m), abs(log_sum)) if gmpy2.is_finite(m) else ZERO


def logmeanexp(x: Any, *, axis: Axis = -1, keepdims: bool = False, where: Any = None) -> Exact:
    x = exact(x)
    rows, allowed = to_rows(x, axis), to_rows(masks(where, x.shape), axis)
    results = [_mean(row, mask) for row, mask in zip(rows, allowed, strict=True)]
    shape = reduced_shape(x.shape, axis, keepdims)
    value = as_objects((value for value, _ in results), shape)
    return Exact(value, as_objects((scale for _, scale in results), shape))


def _mean(row: Sequence[mpfr], allowed: Sequence[bool]) -> tuple[mpfr, mpfr]:
    total, _, scale = _plain(row, allowed)
    log_count = gmpy2.log(mpfr(max(sum(map(bool, allowed)), 1)))
    return total - log_count, max(scale, log_count)


def weighted_classes(row: Sequence[mpfr], weights: Sequence[mpfr], allowed: Sequence[bool]) -> list[int]:
    """The entries that exist: a weight of 0 removes one whatever it holds."""
    return [k for k in present_classes(row, allowed) if weights[k] != 0]


def weighted_sum(
    row: Sequence[mpfr], weights: Sequence[mpfr], allowed: Sequence[bool]
) -> tuple[mpfr, mpfr, mpfr]:
    """log |sum w e^x|, the sign of the sum, and the magnitude of the largest number it is made of."""
    kept = weighted_classes(row, weights, allowed)
    if any(gmpy2.is_nan(row[k] + weights[k]) for k in kept):
        return NAN, NAN, ZERO
    if not kept:
        return -INFINITY, ZERO, ZERO
    signs_at_infinity = {gmpy2.sign(weights[k]) for k in kept if row[k] == INFINITY}
    if signs_at_infinity:
        both = len(signs_at_infinity) > 1
        return (NAN, NAN, ZERO) if both else (INFINITY, mpfr(signs_at_infinity.pop()), ZERO)
    winner = max(kept, key=lambda k: row[k] + gmpy2.log(abs(weights[k])))
    shares = {k: weights[k] / weights[winner] * gmpy2.exp(row[k] - row[winner]) for k in kept if k != winner}
    others = sum(shares.values(), ZERO)
    if others == -1:
        return -INFINITY, ZERO, ZERO
    log_total = gmpy2.log1p(others) if others > -1 else gmpy2.log(-1 - others)
    sign = gmpy2.sign(weights[winner]) * (1 if others > -1 else -1)
    log_weight = gmpy2.log(abs(weights[winner]))
    # Terms that cancel cost (sum |w| e^x) / |sum w e^x| - 1 times their own rounding.
    lost = (1 + sum(map(abs, shares.values()), ZERO)) / abs(1 + others) - 1
    scale = max(abs(row[winner]), abs(log_weight), abs(log_total), lost)
    return row[winner] + log_weight + log_total, mpfr(sign), scale


def running(row: Sequence[mpfr]) -> list[tuple[mpfr, mpfr]]:
    """(m, log sum exp(x - m)) of every entry and all before it, m the largest of them."""
    states, m, others = [], -INFINITY, ZERO
    for x in row:
        if gmpy2.is_nan(x) or gmpy2.is_nan(m):
            m = others = NAN
        elif INFINITY in (x, m):
            m, others = INFINITY, ZERO
        elif x > m:
            # The largest is left out of the sum, which may be far smaller than any digit of 1.
            m, others = x, (1 + others) * gmpy2.exp(m - x) if m != -INFINITY else ZERO
        elif x != -INFINITY:
            others += gmpy2.exp(x - m)
        states.append((m, gmpy2.log1p(others)))
    return states


def cumulative_logsumexp(x: Any, *, axis: int = -1, reverse: bool = False) -> Exact:
    x = exact(x)
    states = [running(row) for row in to_rows(turned(x, axis, reverse), axis)]
    values = [[m + above for m, above in row] for row in states]
    scales = [[max(abs(m), above) if gmpy2.is_finite(m) else ZERO for m, above in row] for row in states]
    made = (turned(from_rows(rows, x.shape, axis), axis, reverse) for rows in (values, scales))
    return Exact(*made)


def turned(x: np.ndarray, axis: int, reverse: bool) -> np.ndarray:
    return np.flip(x, axis) if reverse else x


def log_one_minus_exp(x: mpfr) -> mpfr:
    """log(1 - e^-x)."""
    if not x >= 0:
        return NAN
    # log1p: 1 - e^-300 would be 1 at any affordable precision.
    return gmpy2.log1p(-gmpy2.exp(-x)) if x > 1 else gmpy2.log(-gmpy2.expm1(-x))


def log1mexp(x: Any) -> Exact:
    x = exact(x)
    return Exact(as_objects(map(log_one_minus_exp, x.ravel()), x.shape))
