"""Entropy and divergence of yes-or-no questions, and in ulps of what their derivatives count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpfr

from ..specs.base import Exact
from .broadcasting import summed_to
from .losses import times
from .normalizers import log_one_plus_exp, sigma
from .numbers import as_objects, exact


def _elementwise(function: Callable[..., mpfr], *arrays: Any) -> np.ndarray:
    arrays = np.broadcast_arrays(*(np.asarray(array, dtype=object) for array in arrays))
    numbers = zip(*(array.ravel() for array in arrays), strict=True)
    return as_objects((function(*each) for each in numbers), arrays[0].shape)


def binary_entropy(logits: Any) -> Exact:
    """-p log p - (1 - p) log(1 - p)."""

    def one(x: mpfr) -> mpfr:
        return times(sigma(x), log_one_plus_exp(-x)) + times(sigma(-x), log_one_plus_exp(x))

    return Exact(_elementwise(one, exact(logits)))


def binary_entropy_second(logits: Any, *, cotangent: Any, tangent: Any) -> np.ndarray:
    """s(x) s(-x) (x tanh(x/2) - 1)."""
    factor = exact(cotangent) * exact(tangent)
    return _elementwise(
        lambda x, f: abs(f) * sigma(x) * sigma(-x) * (1 + abs(x * gmpy2.tanh(x / 2))), exact(logits), factor
    )


def binary_kl_divergence(p_logits: Any, q_logits: Any) -> Exact:
    """p log(p / q) + (1 - p) log((1 - p) / (1 - q))."""

    def one(a: mpfr, b: mpfr) -> mpfr:
        # Twice the digits: of nearly equal distributions the two terms leave a small square.
        with gmpy2.context(precision=4 * gmpy2.get_context().precision):
            if a == b:
                return mpfr(0)
            yes, no = _log_ratio(a, b), _log_ratio(-a, -b)
            return times(sigma(a), yes) + times(sigma(-a), no)

    return Exact(_elementwise(one, exact(p_logits), exact(q_logits)))


def _log_ratio(a: mpfr, b: mpfr) -> mpfr:
    """log(s(a) / s(b)); where s(a) is 0 whatever is finite serves."""
    return mpfr(0) if a == -gmpy2.inf() else log_one_plus_exp(-b) - log_one_plus_exp(-a)


def kl_by_p(p_logits: Any, q_logits: Any, *, cotangent: Any) -> np.ndarray:
    """s'(a) (a - b), of which a broadcast array's derivative is a sum."""

    def one(a: mpfr, b: mpfr, f: mpfr) -> mpfr:
        return times(abs(f) * sigma(a) * sigma(-a), mpfr(0) if a == b else abs(a - b))

    full = _elementwise(one, exact(p_logits), exact(q_logits), exact(cotangent))
    return summed_to(full, np.shape(p_logits))


def kl_by_q(p_logits: Any, q_logits: Any, *, cotangent: Any) -> np.ndarray:
    """s(b) - s(a), of which a broadcast array's derivative is a sum."""

    def one(a: mpfr, b: mpfr, f: mpfr) -> mpfr:
        return abs(f) * abs(sigma(b) - sigma(a))

    full = _elementwise(one, exact(p_logits), exact(q_logits), exact(cotangent))
    return summed_to(full, np.shape(q_logits))


def kl_second(p_logits: Any, q_logits: Any, *, cotangent: Any, tangent: Any) -> np.ndarray:
    """By the first logits twice: s'(a) (1 - (a - b) tanh(a/2)); around 0 the tanh is a difference too."""

    def one(a: mpfr, b: mpfr, f: mpfr) -> mpfr:
        return abs(f) * sigma(a) * sigma(-a) * (1 + abs(a - b))

    return _elementwise(one, exact(p_logits), exact(q_logits), exact(cotangent) * exact(tangent))
