"""Entropy, and the divergences between two distributions, from their logits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpfr

from ..specs.base import Exact
from .normalizers import INFINITY, NAN, ZERO, log_probabilities
from .numbers import as_objects, exact
from .rows import Axis, masks, reduced_shape, to_rows

Row = Sequence[mpfr]


def log_rows(logits: np.ndarray, axis: Axis, where: Any) -> list[list[mpfr]]:
    """log p of every row, -inf for a class that is missing."""
    pairs = zip(to_rows(logits, axis), to_rows(masks(where, logits.shape), axis), strict=True)
    return [log_probabilities(row, allowed) for row, allowed in pairs]


def together(p_logits: Any, q_logits: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both in the shape of the one with more dimensions."""
    p, q = np.broadcast_arrays(exact(p_logits), exact(q_logits))
    return p, q


def _by_pairs(
    function: Callable[[Row, Row], mpfr], p_logits: Any, q_logits: Any, axis: Axis, where: Any
) -> Exact:
    """``function`` of log p and log q, row by row."""
    p, q = together(p_logits, q_logits)
    numbers = []
    for log_p, log_q in zip(log_rows(p, axis, where), log_rows(q, axis, where), strict=True):
        wrong = any(gmpy2.is_nan(number) for number in (*log_p, *log_q))
        numbers.append(NAN if wrong else function(log_p, log_q))
    return Exact(as_objects(numbers, reduced_shape(p.shape, axis)))


def entropy(logits: Any, *, axis: Axis = -1, where: Any = None) -> Exact:
    def of_row(log_p: Row, _: Row) -> mpfr:
        return -sum((gmpy2.exp(a) * a for a in log_p if a != -INFINITY), ZERO)

    return _by_pairs(of_row, logits, logits, axis, where)


def cross_entropy_between(p_logits: Any, q_logits: Any, *, axis: Axis = -1, where: Any = None) -> Exact:
    def of_rows(log_p: Row, log_q: Row) -> mpfr:
        return -sum((gmpy2.exp(a) * b for a, b in _classes_of_first(log_p, log_q)), ZERO)

    return _by_pairs(of_rows, p_logits, q_logits, axis, where)


def kl_divergence(p_logits: Any, q_logits: Any, *, axis: Axis = -1, where: Any = None) -> Exact:
    def of_rows(log_p: Row, log_q: Row) -> mpfr:
        return sum((gmpy2.exp(a) * (a - b) for a, b in _classes_of_first(log_p, log_q)), ZERO)

    return _by_pairs(of_rows, p_logits, q_logits, axis, where)


def _classes_of_first(log_p: Row, log_q: Row) -> list[tuple[mpfr, mpfr]]:
    """Where the second lacks one, the pair has a -inf, and a probability that cannot underflow to 0."""
    pairs = [(a, b) for a, b in zip(log_p, log_q, strict=True) if a != -INFINITY]
    return [(ZERO, b) for _, b in pairs if b == -INFINITY] or pairs


def js_divergence(p_logits: Any, q_logits: Any, *, axis: Axis = -1, where: Any = None) -> Exact:
    def of_rows(log_p: Row, log_q: Row) -> mpfr:
        halves = (
            half_js(a, b)
            for one, other in ((log_p, log_q), (log_q, log_p))
            for a, b in zip(one, other, strict=True)
        )
        return sum(halves, ZERO)

    return _by_pairs(of_rows, p_logits, q_logits, axis, where)


def half_js(a: mpfr, b: mpfr) -> mpfr:
    """p/2 log(p/m), m = (p + q)/2."""
    return ZERO if a == -INFINITY else gmpy2.exp(a) * log_of_mean(a, b) / 2


def log_of_mean(a: mpfr, b: mpfr) -> mpfr:
    """log(p/m) = -log((1 + q/p) / 2), digits kept where p and q are nearly equal."""
    if b - a > 2000:  # e^(b - a) may be beyond all numbers
        return gmpy2.log(mpfr(2)) - (b - a)
    return -gmpy2.log1p(gmpy2.expm1(b - a) / 2)


def total_variation(p_logits: Any, q_logits: Any, *, axis: Axis = -1, where: Any = None) -> Exact:
    def of_rows(log_p: Row, log_q: Row) -> mpfr:
        return sum((abs(_difference(a, b)) for a, b in zip(log_p, log_q, strict=True)), ZERO) / 2

    return _by_pairs(of_rows, p_logits, q_logits, axis, where)


def _difference(a: mpfr, b: mpfr) -> mpfr:
    """p - q; two probabilities of nearly 1 would lose it."""
    if -INFINITY in (a, b):
        return gmpy2.exp(a) - gmpy2.exp(b)
    small, large = sorted((a, b))
    return gmpy2.exp(large) * gmpy2.expm1(small - large) * (1 if a < b else -1)
