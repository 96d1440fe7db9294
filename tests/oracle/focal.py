"""The focal losses as the contract writes them, and the magnitudes in whose ulps their derivatives count."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from gmpy2 import mpfr

from ..specs.base import Exact
from .loss_magnitudes import row_factors
from .losses import reduce_losses, row_weights, times
from .normalizers import ZERO, log_one_plus_exp, sigma
from .numbers import as_objects, exact
from .rows import masks


class _Elements(NamedTuple):
    """The elements of one call: logit, label, part of alpha, and weight (0 where `where` is False)."""

    numbers: list[mpfr]
    labels: list[mpfr]
    parts: list[mpfr]
    weights: list[mpfr]


def _elements(logits: Any, labels: Any, alpha: Any, where: Any, weights: Any) -> _Elements:
    x, y = exact(logits), exact(labels).ravel()
    there = masks(where, x.shape).ravel()
    counted = [w if t else ZERO for w, t in zip(row_weights(weights, x.shape), there, strict=True)]
    parts = [mpfr(1)] * x.size
    if alpha is not None:
        a = np.broadcast_to(exact(alpha), x.shape).ravel()
        parts = [p * t + (1 - p) * (1 - t) for p, t in zip(a, y, strict=True)]
    return _Elements(x.ravel().tolist(), y.tolist(), parts, counted)


def _focus(missed: mpfr, gamma: float) -> mpfr:
    return missed ** mpfr(gamma, 1)


def sigmoid_focal_loss(
    logits: Any,
    labels: Any,
    *,
    gamma: float = 2.0,
    alpha: Any = None,
    where: Any = None,
    weights: Any = None,
    reduction: str = "none",
) -> Exact:
    elements, losses = _elements(logits, labels, alpha, where, weights), []
    for x, y, part, w in zip(*elements, strict=True):
        # What has no weight isn't looked at: 0 * NaN would be NaN.
        if w == 0:
            losses.append(ZERO)
            continue
        missed = y * sigma(-x) + (1 - y) * sigma(x)
        cost = times(y, log_one_plus_exp(-x)) + times(1 - y, log_one_plus_exp(x))
        losses.append(w * times(part, times(_focus(missed, gamma), cost)))
    return reduce_losses(
        losses, [abs(loss) for loss in losses], elements.weights, reduction, np.shape(logits)
    )


def _slopes(x: mpfr, y: mpfr, gamma: float) -> tuple[mpfr, mpfr]:
    """The absolute summands of the first and second derivative of u^gamma c, summed up."""
    g, slope = mpfr(gamma, 1), sigma(x) * sigma(-x)
    missed = y * sigma(-x) + (1 - y) * sigma(x)
    cost = times(y, log_one_plus_exp(-x)) + times(1 - y, log_one_plus_exp(x))
    by_cost = max(y * sigma(-x), (1 - y) * sigma(x))
    rate = abs(1 - 2 * y) * slope / missed  # u' / u
    bend = rate * abs(sigma(-x) - sigma(x))  # u'' / u
    first = g * rate * cost + by_cost
    second = g * abs(g - 1) * rate * rate * cost + g * bend * cost + 2 * g * rate * by_cost + slope
    focus = _focus(missed, gamma)
    return focus * first, focus * second


def _scaled(order: int, logits: Any, labels: Any, factor: Any, options: dict[str, Any]) -> np.ndarray:
    gamma, reduction = options.get("gamma", 2.0), options.get("reduction", "none")
    given = (options.get(name) for name in ("alpha", "where", "weights"))
    elements = _elements(logits, labels, *given)
    factors = row_factors(elements.weights, elements.weights, factor, reduction)
    scales = [
        ZERO if f == 0 else f * abs(part) * _slopes(x, y, gamma)[order]
        for (x, y, part, _), f in zip(zip(*elements, strict=True), factors, strict=True)
    ]
    return as_objects(scales, np.shape(logits))


def sigmoid_focal_gradient(logits: Any, labels: Any, *, cotangent: Any, **options: Any) -> np.ndarray:
    return _scaled(0, logits, labels, cotangent, options)


def sigmoid_focal_second(
    logits: Any, labels: Any, *, cotangent: Any, tangent: Any, **options: Any
) -> np.ndarray:
    scales = _scaled(1, logits, labels, cotangent, options)
    return np.asarray(scales * abs(exact(tangent)), dtype=object)
