"""The losses as the contract writes them: w (sum_k c_k y'_k (-log p_k) + z lse^2), and their reductions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpfr

from ..specs.base import Exact
from .normalizers import ZERO, log_one_plus_exp, log_probabilities, log_sum_exp, present_classes
from .numbers import as_objects, exact
from .rows import Axis, masks, reduced_shape, to_rows


def times(a: mpfr, b: mpfr) -> mpfr:
    """a * b with 0 * inf = 0."""
    return ZERO if (a == 0 and gmpy2.is_infinite(b)) or (b == 0 and gmpy2.is_infinite(a)) else a * b


def reduce_losses(
    losses: Sequence[mpfr],
    scales: Sequence[mpfr],
    mass: Iterable[mpfr],
    reduction: str,
    shape: tuple[int, ...],
) -> Exact:
    """``scales`` are sums of absolute summands, ``mass`` the weights by which "mean" divides."""
    if reduction == "none":
        return Exact(as_objects(losses, shape), as_objects(scales, shape))
    total, scale, weight = sum(losses, ZERO), sum(scales, ZERO), sum(mass, ZERO)
    if reduction == "mean":
        total, scale = (ZERO, ZERO) if weight == 0 else (total / weight, scale / abs(weight))
    return Exact(as_objects([total], ()), as_objects([scale], ()))


def row_weights(weights: Any, shape: tuple[int, ...]) -> list[mpfr]:
    """A scalar or one weight per loss."""
    return np.broadcast_to(exact(1 if weights is None else weights), shape).ravel().tolist()


def smoothed(labels: Sequence[mpfr], present: Sequence[int], smoothing: float) -> list[mpfr]:
    """(1 - e) y + e / K on the K classes that exist, (1 - e) y elsewhere."""
    e, there = mpfr(smoothing, 1), set(present)
    return [(1 - e) * y + (e / len(there) if k in there else 0) for k, y in enumerate(labels)]


def softmax_loss(
    logits: np.ndarray,
    labels: np.ndarray,
    ignored: Sequence[bool],
    *,
    axis: Axis,
    where: Any,
    weights: Any,
    class_weights: Any,
    label_smoothing: float,
    z_loss: float,
    reduction: str,
) -> Exact:
    """``labels``: (rows, classes); ``ignored``: the rows whose integer label says so."""
    shape = reduced_shape(logits.shape, axis)
    rows, allowed = to_rows(logits, axis), to_rows(masks(where, logits.shape), axis)
    counted = counted_weights(weights, ignored, shape)
    factors = class_factors(class_weights, rows.shape[1])
    losses, scales = [], []
    for row, mask, y, w in zip(rows, allowed, labels, counted, strict=True):
        # What has no weight isn't looked at: 0 * NaN would be NaN.
        loss, scale = (
            (ZERO, ZERO) if w == 0 else _softmax_row_loss(row, mask, y, factors, label_smoothing, z_loss)
        )
        losses.append(w * loss)
        scales.append(abs(w) * scale)
    return reduce_losses(losses, scales, mean_weights(counted, labels, class_weights), reduction, shape)


def counted_weights(weights: Any, ignored: Sequence[bool], shape: tuple[int, ...]) -> list[mpfr]:
    """Each row's weight, 0 where it is ignored."""
    return [ZERO if skip else w for w, skip in zip(row_weights(weights, shape), ignored, strict=True)]


def class_factors(class_weights: Any, classes: int) -> list[mpfr]:
    return [mpfr(1)] * classes if class_weights is None else exact(class_weights).tolist()


def mean_weights(counted: Sequence[mpfr], labels: np.ndarray, class_weights: Any) -> list[mpfr]:
    """What "mean" divides by: w (sum c y / sum y), w without class weights or without any label."""
    result = []
    for w, y in zip(counted, labels, strict=True):
        label_mass = sum(y, ZERO)
        if w != 0 and class_weights is not None and label_mass != 0:
            factors = class_factors(class_weights, len(y))
            w = w * sum((c * t for c, t in zip(factors, y, strict=True)), ZERO) / label_mass
        result.append(w)
    return result


def _softmax_row_loss(
    row: Sequence[mpfr],
    allowed: Sequence[bool],
    labels: Sequence[mpfr],
    class_weights: Sequence[mpfr],
    smoothing: float,
    z_loss: float,
) -> tuple[mpfr, mpfr]:
    log_p = log_probabilities(row, allowed)
    present = present_classes(row, allowed)
    targets = smoothed(labels, present, smoothing)
    terms = [times(c * t, -log) for c, t, log in zip(class_weights, targets, log_p, strict=True)]
    loss, scale = sum(terms, ZERO), sum(map(abs, terms), ZERO)
    if z_loss and present:
        m, log_sum = log_sum_exp(row, allowed)
        lse, z = m + log_sum, mpfr(z_loss, 1)
        loss += z * lse * lse
        # lse is known to the ulps of the larger of its two parts.
        scale += z * abs(lse) * max(abs(m), abs(log_sum))
    return loss, scale


def softmax_cross_entropy(
    logits: Any,
    labels: Any,
    *,
    axis: Axis = -1,
    where: Any = None,
    weights: Any = None,
    class_weights: Any = None,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    reduction: str = "none",
) -> Exact:
    logits, rows = exact(logits), to_rows(exact(labels), axis)
    return softmax_loss(
        logits,
        rows,
        [False] * len(rows),
        axis=axis,
        where=where,
        weights=weights,
        class_weights=class_weights,
        label_smoothing=label_smoothing,
        z_loss=z_loss,
        reduction=reduction,
    )


def one_hot(labels: Any, classes: int) -> np.ndarray:
    """(rows, classes) of 0 and 1; the flat index counts rows in the order of ``to_rows``."""
    flat = np.asarray(labels).ravel().tolist()
    numbers = (mpfr(int(k == label)) for label in flat for k in range(classes))
    return as_objects(numbers, (len(flat), classes))


def softmax_cross_entropy_with_integer_labels(
    logits: Any,
    labels: Any,
    *,
    axis: int = -1,
    where: Any = None,
    weights: Any = None,
    class_weights: Any = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    reduction: str = "none",
) -> Exact:
    logits = exact(logits)
    return softmax_loss(
        logits,
        one_hot(labels, logits.shape[axis]),
        [label == ignore_index for label in np.asarray(labels).ravel().tolist()],
        axis=axis,
        where=where,
        weights=weights,
        class_weights=class_weights,
        label_smoothing=label_smoothing,
        z_loss=z_loss,
        reduction=reduction,
    )


def binary_targets(label: mpfr, smoothing: float, positive_weight: mpfr) -> tuple[mpfr, mpfr]:
    """What multiplies softplus(-x) and softplus(x)."""
    e = mpfr(smoothing, 1)
    return positive_weight * ((1 - e) * label + e / 2), (1 - e) * (1 - label) + e / 2


def sigmoid_binary_cross_entropy(
    logits: Any,
    labels: Any,
    *,
    where: Any = None,
    weights: Any = None,
    pos_weight: Any = None,
    label_smoothing: float = 0.0,
    reduction: str = "none",
) -> Exact:
    x = exact(logits)
    positive_weights = np.broadcast_to(exact(1 if pos_weight is None else pos_weight), x.shape).ravel()
    elements = zip(
        x.ravel(),
        exact(labels).ravel(),
        masks(where, x.shape).ravel(),
        row_weights(weights, x.shape),
        positive_weights,
        strict=True,
    )
    losses, mass = [], []
    for number, label, there, w, positive_weight in elements:
        if not there or w == 0:
            losses.append(ZERO)
            mass.append(ZERO)
            continue
        positive, negative = binary_targets(label, label_smoothing, positive_weight)
        parts = times(positive, log_one_plus_exp(-number)), times(negative, log_one_plus_exp(number))
        losses.append(w * (parts[0] + parts[1]))
        mass.append(w)
    return reduce_losses(losses, [abs(loss) for loss in losses], mass, reduction, x.shape)
