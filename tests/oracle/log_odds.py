"""logit, of probabilities and of their logarithms."""

from __future__ import annotations

from typing import Any

import gmpy2
from gmpy2 import mpfr

from ..specs.base import Exact
from .normalizers import INFINITY, NAN
from .numbers import as_objects, exact


def logit(p: Any, *, eps: float | None = None) -> Exact:
    def one(number: mpfr) -> mpfr:
        if not 0 <= number <= 1:
            return NAN
        if eps is not None:
            least = mpfr(eps, 1)
            number = min(max(number, least), 1 - least)
        if number in (0, 1):
            return INFINITY if number else -INFINITY
        return gmpy2.log(number) - gmpy2.log1p(-number)

    p = exact(p)
    return Exact(as_objects(map(one, p.ravel()), p.shape))


def logit_from_log_prob(log_p: Any) -> Exact:
    """In ulps of the larger one of log p and log(1 - p)."""
    log_p = exact(log_p)
    others = [_log_complement(number) for number in log_p.ravel()]
    pairs = list(zip(log_p.ravel(), others, strict=True))
    value = as_objects((number - other for number, other in pairs), log_p.shape)
    return Exact(value, as_objects((max(abs(number), abs(other)) for number, other in pairs), log_p.shape))


def _log_complement(log_p: mpfr) -> mpfr:
    """log(1 - e^l)."""
    if not log_p <= 0:
        return NAN
    # log1p: 1 - e^-300 would be 1 at any affordable precision.
    return gmpy2.log1p(-gmpy2.exp(log_p)) if log_p < -1 else gmpy2.log(-gmpy2.expm1(log_p))
