"""Normalizers as a textbook writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpfr

from ..specs.base import Exact
from .numbers import as_objects, exact
from .rows import Axis, from_rows, masks, to_rows

INFINITY = gmpy2.inf()
NAN = gmpy2.nan()
ZERO = mpfr(0)


def present_classes(row: Sequence[mpfr], allowed: Sequence[bool]) -> list[int]:
    """The classes that exist: allowed, and with a logit other than -inf (NaN exists)."""
    return [k for k, x in enumerate(row) if allowed[k] and x != -INFINITY]


def log_sum_exp(row: Sequence[mpfr], allowed: Sequence[bool]) -> tuple[mpfr, mpfr]:
    """(m, log sum exp(x - m)), m the largest logit: their sum is the logsumexp. -inf, 0 without any class."""
    numbers = [row[k] for k in present_classes(row, allowed)]
    if any(gmpy2.is_nan(x) for x in numbers):
        return NAN, NAN
    if not numbers:
        return -INFINITY, ZERO
    numbers.sort()
    largest = numbers.pop()
    if largest == INFINITY:
        return INFINITY, gmpy2.log(mpfr(1 + numbers.count(INFINITY)))
    # log1p: with a leader 300 ahead, 1 + e^-300 would be 1 at any affordable precision.
    return largest, gmpy2.log1p(sum((gmpy2.exp(x - largest) for x in numbers), ZERO))


def log_probabilities(row: Sequence[mpfr], allowed: Sequence[bool]) -> list[mpfr]:
    """log p of every class of a row, -inf for the missing; +inf logits share the mass equally."""
    present = present_classes(row, allowed)
    m, log_sum = log_sum_exp(row, allowed)
    result = [-INFINITY] * len(row)
    for k in present:
        if m == INFINITY:
            result[k] = -log_sum if row[k] == INFINITY else -INFINITY
        else:
            result[k] = (row[k] - m) - log_sum
    return result


def softmax(logits: Any, *, axis: Axis = -1, where: Any = None) -> Exact:
    log_p = log_softmax(logits, axis=axis, where=where).value
    return Exact(as_objects((gmpy2.exp(number) for number in log_p.ravel()), log_p.shape))


def log_softmax(logits: Any, *, axis: Axis = -1, where: Any = None) -> Exact:
    logits = exact(logits)
    rows, allowed = to_rows(logits, axis), to_rows(masks(where, logits.shape), axis)
    results = [log_probabilities(row, mask) for row, mask in zip(rows, allowed, strict=True)]
    return Exact(from_rows(results, logits.shape, axis))


def log_complements(row: Sequence[mpfr], allowed: Sequence[bool]) -> list[mpfr]:
    """log(1 - p) of every class of a row."""
    result, (m, log_sum) = [], log_sum_exp(row, allowed)
    for k, log_p in enumerate(log_probabilities(row, allowed)):
        if row[k] == INFINITY or not log_p > mpfr(-0.5):
            result.append(gmpy2.log1p(-gmpy2.exp(log_p)))
            continue
        # The others may be too small to be told from 1 - p.
        second, log_others = log_sum_exp(row, [a and j != k for j, a in enumerate(allowed)])
        result.append((second - m) + (log_others - log_sum))
    return result


def log1m_softmax(logits: Any, *, axis: Axis = -1, where: Any = None) -> Exact:
    logits = exact(logits)
    rows, allowed = to_rows(logits, axis), to_rows(masks(where, logits.shape), axis)
    results = [log_complements(row, mask) for row, mask in zip(rows, allowed, strict=True)]
    return Exact(from_rows(results, logits.shape, axis))


def sigma(x: mpfr) -> mpfr:
    """1 / (1 + e^-x)."""
    return 1 / (1 + gmpy2.exp(-x))


def log_one_plus_exp(x: mpfr) -> mpfr:
    """log(1 + e^x), and its limits."""
    if x == INFINITY:
        return x
    return x + gmpy2.log1p(gmpy2.exp(-x)) if x > 0 else gmpy2.log1p(gmpy2.exp(x))


def _elementwise(function: Any, x: Any) -> np.ndarray:
    x = exact(x)
    return as_objects((function(number) for number in x.ravel()), x.shape)


def sigmoid(x: Any) -> Exact:
    return Exact(_elementwise(sigma, x))


def log_sigmoid(x: Any) -> Exact:
    return Exact(_elementwise(lambda number: -log_one_plus_exp(-number), x))


def softplus(x: Any, *, beta: float = 1.0) -> Exact:
    b = mpfr(beta, 1)
    value = _elementwise(lambda number: log_one_plus_exp(b * number) / b, x)
    if is_power_of_two(beta):
        return Exact(value)
    # Rounding beta * x moves the result by |x| times its derivative.
    moved = _elementwise(
        lambda number: abs(number) * sigma(b * number) if gmpy2.is_finite(number) else ZERO, x
    )
    return Exact(value, value + moved)


def softcap(x: Any, *, cap: float) -> Exact:
    c = mpfr(cap, 1)
    return Exact(_elementwise(lambda number: c * gmpy2.tanh(number / c), x))


def is_power_of_two(number: float) -> bool:
    return abs(gmpy2.frexp(mpfr(number))[1]) == mpfr(0.5)
