"""The focal losses as the contract writes them, and the magnitudes in whose ulps their derivatives count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import gmpy2
import numpy as np
from gmpy2 import mpfr

from ..specs.base import Exact
from .loss_magnitudes import row_factors
from .losses import (
    class_factors,
    counted_weights,
    mean_weights,
    one_hot,
    reduce_losses,
    row_weights,
    times,
)
from .magnitudes import spread
from .normalizers import ZERO, log_one_plus_exp, log_probabilities, sigma
from .numbers import as_objects, exact
from .rows import from_rows, masks, reduced_shape, to_rows


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


def _spreading(gamma: float) -> mpfr:
    """By how much more than for gamma 2 the loss feels an error of 1 - p: the bounds count from there on."""
    return max(mpfr(1), (mpfr(gamma, 1) + 1) / 3)


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
    scales = [abs(loss) * _spreading(gamma) for loss in losses]
    return reduce_losses(losses, scales, elements.weights, reduction, np.shape(logits))


def _slopes(x: mpfr, y: mpfr, gamma: float) -> tuple[mpfr, mpfr]:
    """The absolute summands of the first and second derivative of u^gamma c, summed up, as they spread."""
    g, slope = mpfr(gamma, 1), sigma(x) * sigma(-x)
    missed = y * sigma(-x) + (1 - y) * sigma(x)
    cost = times(y, log_one_plus_exp(-x)) + times(1 - y, log_one_plus_exp(x))
    by_cost = max(y * sigma(-x), (1 - y) * sigma(x))
    rate = abs(1 - 2 * y) * slope / missed  # u' / u
    bend = rate * abs(sigma(-x) - sigma(x))  # u'' / u
    first = g * rate * cost + by_cost
    second = g * abs(g - 1) * rate * rate * cost + g * bend * cost + 2 * g * rate * by_cost + slope
    focus = _focus(missed, gamma) * _spreading(gamma)
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


class _Rows(NamedTuple):
    """The rows of one call: their log-probabilities, labels and factors (0: not looked at)."""

    logs: list[list[mpfr]]
    labels: list[int]
    factors: list[mpfr]
    mass: list[mpfr]


def _rows(
    logits: Any,
    labels: Any,
    axis: int,
    where: Any,
    weights: Any,
    class_weights: Any,
    ignore_index: int | None,
) -> _Rows:
    x, flat = exact(logits), np.asarray(labels).ravel().tolist()
    rows, allowed = to_rows(x, axis), to_rows(masks(where, x.shape), axis)
    ignored = [label == ignore_index for label in flat]
    counted = counted_weights(weights, ignored, reduced_shape(x.shape, axis))
    c = class_factors(class_weights, rows.shape[1])
    # A label without weight may be no class at all.
    factors = [w * c[label] if w != 0 else ZERO for w, label in zip(counted, flat, strict=True)]
    logs = [log_probabilities(row, mask) for row, mask in zip(rows, allowed, strict=True)]
    mass = mean_weights(counted, one_hot(labels, rows.shape[1]), class_weights)
    return _Rows(logs, flat, factors, mass)


def _others(logs: list[mpfr], label: int) -> mpfr:
    """1 - p of the label, of a row without mass 1."""
    rest = [gmpy2.exp(log) for k, log in enumerate(logs) if k != label]
    return sum(rest, ZERO) if any(gmpy2.exp(log) != 0 for log in logs) else mpfr(1)


def softmax_focal_loss(
    logits: Any,
    labels: Any,
    *,
    gamma: float = 2.0,
    axis: int = -1,
    where: Any = None,
    weights: Any = None,
    class_weights: Any = None,
    ignore_index: int | None = None,
    reduction: str = "none",
) -> Exact:
    rows, losses = _rows(logits, labels, axis, where, weights, class_weights, ignore_index), []
    for logs, label, factor in zip(rows.logs, rows.labels, rows.factors, strict=True):
        if factor == 0:
            losses.append(ZERO)
            continue
        losses.append(times(factor, times(_focus(_others(logs, label), gamma), -logs[label])))
    shape, scales = reduced_shape(np.shape(logits), axis), [abs(loss) * _spreading(gamma) for loss in losses]
    return reduce_losses(losses, scales, rows.mass, reduction, shape)


def _scaled_rows(
    logits: Any, labels: Any, cotangent: Any, options: dict[str, Any], scale: Callable[..., list[mpfr]]
) -> np.ndarray:
    """``scale`` of each row's label, the others' shares q, and the scales of f' and f'' by z, p's logit."""
    gamma, axis = options.get("gamma", 2.0), options.get("axis", -1)
    given = (options.get(name) for name in ("where", "weights", "class_weights", "ignore_index"))
    rows = _rows(logits, labels, axis, *given)
    factors = row_factors(rows.factors, rows.mass, cotangent, options.get("reduction", "none"))
    scales = []
    for index, (logs, label, factor) in enumerate(zip(rows.logs, rows.labels, factors, strict=True)):
        missed = _others(logs, label)
        if factor == 0 or missed == 0 or gmpy2.is_infinite(logs[label]):
            scales.append([ZERO] * len(logs))
            continue
        q = [ZERO if k == label else gmpy2.exp(log) / missed for k, log in enumerate(logs)]
        slopes = _slopes(logs[label] - gmpy2.log(missed), mpfr(1), gamma)
        scales.append([factor * size for size in scale(index, label, q, *slopes)])
    return from_rows(scales, np.shape(logits), axis)


def softmax_focal_gradient(logits: Any, labels: Any, *, cotangent: Any, **options: Any) -> np.ndarray:
    """f' z', z' is 1 at the label and -q at the others: relative, and as the power spreads."""

    def scale(index: int, label: int, q: list[mpfr], first: mpfr, second: mpfr) -> list[mpfr]:
        return [first if k == label else first * share for k, share in enumerate(q)]

    return _scaled_rows(logits, labels, cotangent, options, scale)


def softmax_focal_second(
    logits: Any, labels: Any, *, cotangent: Any, tangent: Any, **options: Any
) -> np.ndarray:
    """f'' (z t) z' + f' z'' t."""
    directions = to_rows(np.broadcast_to(exact(tangent), np.shape(logits)), options.get("axis", -1))

    def scale(index: int, label: int, q: list[mpfr], first: mpfr, second: mpfr) -> list[mpfr]:
        t = directions[index]
        moved = abs(t[label]) + sum((share * abs(n) for share, n in zip(q, t, strict=True)), ZERO)
        sizes = [second * moved * share + first * bent for share, bent in zip(q, spread(q, t), strict=True)]
        sizes[label] = second * moved
        return sizes

    return _scaled_rows(logits, labels, cotangent, options, scale)
