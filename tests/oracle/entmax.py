"""sparsemax and entmax: sorted formulas for α = 2 and 1.5, a root of the textbook's equation otherwise.

And the magnitudes in whose ulps their bounds count. The probabilities come from the distances d of the logits
from the largest, each of them rounded, and from making their sum 1. That moves p by as much as rounding d
does, Σ|J_ij·d_j| with J the Jacobian, and by ω, the part that a class takes in making the sum 1. Derivatives
are made of powers of such p.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpfr

from ..specs.base import Exact
from .magnitudes import by_rows
from .magnitudes import probabilities as softmax_row
from .normalizers import INFINITY, NAN, ZERO, present_classes
from .numbers import exact
from .rows import Axis, from_rows, masks, to_rows

Row = Sequence[mpfr]


def entmax(logits: Any, *, alpha: float = 1.5, axis: Axis = -1, where: Any = None) -> Exact:
    logits = exact(logits)
    rows, allowed = to_rows(logits, axis), to_rows(masks(where, logits.shape), axis)
    results = [probabilities(row, mask, alpha) for row, mask in zip(rows, allowed, strict=True)]
    scales = [_rounding(row, mask, alpha) for row, mask in zip(rows, allowed, strict=True)]
    return Exact(from_rows(results, logits.shape, axis), from_rows(scales, logits.shape, axis))


def sparsemax(logits: Any, *, axis: Axis = -1, where: Any = None) -> Exact:
    return entmax(logits, alpha=2.0, axis=axis, where=where)


def probabilities(row: Row, allowed: Sequence[bool], alpha: float) -> list[mpfr]:
    present = present_classes(row, allowed)
    if alpha == 1:
        return softmax_row(row, allowed)
    if any(gmpy2.is_nan(row[k]) for k in present):
        return [NAN if k in present else ZERO for k in range(len(row))]
    result = [ZERO] * len(row)
    if not present:
        return result
    m = max(row[k] for k in present)
    if m == INFINITY:
        ahead = [k for k in present if row[k] == INFINITY]
        shares = [1 / mpfr(len(ahead))] * len(ahead)
    else:
        ahead = sorted((k for k in present if row[k] > m - 1 / (mpfr(alpha) - 1)), key=lambda k: -row[k])
        # Differences move one entry at a time: most rows are asked for again and again.
        shares = _solved(tuple(row[k] - m for k in ahead), alpha, gmpy2.get_context().precision)
    for k, share in zip(ahead, shares, strict=True):
        result[k] = share
    return result


@functools.lru_cache(maxsize=4096)
def _solved(d: tuple[mpfr, ...], alpha: float, precision: int) -> list[mpfr]:
    """The probabilities of logits from the largest, 0, down."""
    rate = mpfr(alpha, 1) - 1
    z = [rate * number for number in d]
    if alpha in (1.5, 2.0):
        tau = _sorted_sparsemax(z) if alpha == 2 else _sorted_entmax(z)
        return [max(number - tau, ZERO) ** int(1 / (alpha - 1)) for number in z]
    q = 1 / rate
    count, over = 1, len(z) + 1  # the support: the classes at whose own z as threshold the sum is less than 1
    while over - count > 1:
        middle = (count + over) // 2
        fits = sum(((number - z[middle - 1]) ** q for number in z[:middle]), ZERO) < 1
        count, over = (middle, over) if fits else (count, middle)
    above = [number - z[count - 1] for number in z[:count]]
    found = _newton_on_norm(above, q) if alpha < 2 else _newton_on_smallest(above, q)
    return found + [ZERO] * (len(z) - count)


def _sorted_sparsemax(z: Row) -> mpfr:
    total, tau = ZERO, ZERO
    for k, number in enumerate(z, 1):
        total += number
        if 1 + k * number > total:
            tau = (total - 1) / k
    return tau


def _sorted_entmax(z: Row) -> mpfr:
    total, squares, tau = ZERO, ZERO, ZERO
    for k, number in enumerate(z, 1):
        total, squares = total + number, squares + number * number
        mean = total / k
        candidate = mean - gmpy2.sqrt(max(ZERO, (1 - (squares - k * mean * mean)) / k))
        if candidate <= number:
            tau = candidate
    return tau


def _converged(change: mpfr, number: mpfr) -> bool:
    return abs(change) <= gmpy2.mul_2exp(abs(number), 8) * mpfr(2) ** -gmpy2.get_context().precision


def _newton_on_norm(above: Row, q: mpfr) -> list[mpfr]:
    """(v + above)^q that sum to 1: their q-norm is convex in v, Newton descends from 1."""
    v = mpfr(1)
    for _ in range(500):
        powers = [(v + number) ** (q - 1) for number in above]
        total = sum((p * (v + number) for p, number in zip(powers, above, strict=True)), ZERO)
        norm = total ** (1 / q)
        change = (norm - 1) * total / (norm * sum(powers, ZERO))
        v -= change
        if _converged(change, v):
            return [(v + number) ** q for number in above]
    raise ArithmeticError("the oracle did not converge")


def _newton_on_smallest(above: Row, q: mpfr) -> list[mpfr]:
    """(w^(1/q) + above)^q that sum to 1: a norm of two numbers, convex in w, Newton descends from 1."""
    w = mpfr(1)
    for _ in range(500):
        power = w ** (1 / q - 1)
        p = [(power * w + number) ** q for number in above]
        slope = sum((power * number ** (1 - 1 / q) for number in p), ZERO)
        change = (sum(p, ZERO) - 1) / slope
        w -= change
        if _converged(change, w):
            return p
    raise ArithmeticError("the oracle did not converge")


def _shares(p: Row, alpha: float) -> tuple[list[mpfr], list[mpfr]]:
    """s = p^(2-α) on the support, and s / Σs."""
    exponent = 2 - mpfr(alpha, 1)
    s = [number**exponent if number > 0 else ZERO for number in p]
    total = sum(s, ZERO)
    return s, [number / total for number in s] if total else s


def _weighted(share: Row, numbers: Row) -> mpfr:
    return sum((w * abs(n) for w, n in zip(share, numbers, strict=True)), ZERO)


def _still(row: Row, allowed: Sequence[bool]) -> bool:
    """Rows without mass, of +inf or NaN don't move."""
    present = [row[k] for k in present_classes(row, allowed)]
    return not present or not all(map(gmpy2.is_finite, present))


def _rounding(row: Row, allowed: Sequence[bool], alpha: float) -> list[mpfr]:
    """How far one ulp of each distance, and of each probability, moves the probabilities."""
    p = probabilities(row, allowed, alpha)
    if _still(row, allowed):
        return [ZERO] * len(row)
    m = max(row[k] for k in present_classes(row, allowed))
    d = [m - x if number > 0 else ZERO for x, number in zip(row, p, strict=True)]
    s, share = _shares(p, alpha)
    total = _weighted(share, d)
    # (1 - ω)|d| + the mean of the others: at the class whose share is all but 1 both are small.
    moved = [
        slope * (abs(x) * (1 - w) + (total - w * abs(x))) for slope, x, w in zip(s, d, share, strict=True)
    ]
    return [n + w + b for n, w, b in zip(p, share, moved, strict=True)]


def _uncertainty(row: Row, allowed: Sequence[bool], alpha: float) -> tuple[Row, Row, Row, Row]:
    """p, s, ω and how far p is moved in units of itself."""
    p = probabilities(row, allowed, alpha)
    s, share = _shares(p, alpha)
    moved = [m / n if n > 0 else ZERO for m, n in zip(_rounding(row, allowed, alpha), p, strict=True)]
    return p, s, share, moved


def _centred(share: Row, moved: Row, t: Row, alpha: float) -> list[mpfr]:
    """The summands of t - Σω·t, and what an uncertain ω moves."""
    mean = _weighted(share, t)
    sizes = [abs(number) + mean for number in t]
    change = abs(2 - mpfr(alpha)) * sum(
        (w * u * n for w, u, n in zip(share, moved, sizes, strict=True)), ZERO
    )
    return [number + change for number in sizes]


def entmax_gradient(
    logits: Any, *, cotangent: Any, alpha: float = 1.5, axis: Axis = -1, where: Any = None
) -> np.ndarray:
    """s·(g - Σω·g)."""

    def row_scale(row: Row, allowed: Sequence[bool], g: Row) -> list[mpfr]:
        if _still(row, allowed):
            return [ZERO] * len(row)
        _, s, share, moved = _uncertainty(row, allowed, alpha)
        steep = abs(2 - mpfr(alpha))
        sizes = _centred(share, moved, g, alpha)
        return [a * n * (1 + steep * u) for a, n, u in zip(s, sizes, moved, strict=True)]

    x = exact(logits)
    return by_rows(row_scale, x.shape, axis, x, masks(where, x.shape), exact(cotangent))


def entmax_second(
    logits: Any, *, cotangent: Any, tangent: Any, alpha: float = 1.5, axis: Axis = -1, where: Any = None
) -> np.ndarray:
    """(2-α)·(b - ω·Σb), b = p^(3-2α)·(g - Σω·g)·(t - Σω·t)."""

    def row_scale(row: Row, allowed: Sequence[bool], g: Row, t: Row) -> list[mpfr]:
        if _still(row, allowed):
            return [ZERO] * len(row)
        p, _, share, moved = _uncertainty(row, allowed, alpha)
        exponent, steep = 3 - 2 * mpfr(alpha, 1), abs(2 - mpfr(alpha))
        pairs = zip(p, _centred(share, moved, g, alpha), _centred(share, moved, t, alpha), moved, strict=True)
        bent = [n**exponent * a * b * (1 + abs(exponent) * u) if n > 0 else ZERO for n, a, b, u in pairs]
        total = sum(bent, ZERO)
        factors = zip(bent, share, moved, strict=True)
        return [steep * (b + w * (1 + steep * u) * total) for b, w, u in factors]

    x = exact(logits)
    return by_rows(row_scale, x.shape, axis, x, masks(where, x.shape), exact(cotangent), exact(tangent))


def sparsemax_gradient(logits: Any, *, cotangent: Any, axis: Axis = -1, where: Any = None) -> np.ndarray:
    return entmax_gradient(logits, cotangent=cotangent, alpha=2.0, axis=axis, where=where)


def entmax_tangent(logits: Any, *, tangent: Any, **options: Any) -> np.ndarray:
    """The Jacobian is symmetric."""
    return entmax_gradient(logits, cotangent=tangent, **options)


def sparsemax_tangent(logits: Any, *, tangent: Any, **options: Any) -> np.ndarray:
    return sparsemax_gradient(logits, cotangent=tangent, **options)
