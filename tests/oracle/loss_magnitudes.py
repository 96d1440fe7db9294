"""The magnitudes in whose ulps the bounds of the losses' derivatives count; 0: the derivative's own."""

from __future__ import annotations

from typing import Any

import numpy as np
from gmpy2 import mpfr

from .losses import (
    binary_targets,
    class_factors,
    counted_weights,
    mean_weights,
    one_hot,
    row_weights,
    smoothed,
)
from .magnitudes import Row, along_one_class, probabilities, spread, zeros
from .normalizers import ZERO, log_sum_exp, present_classes, sigma
from .numbers import as_objects, exact
from .rows import Axis, from_rows, masks, reduced_shape, to_rows


def row_factors(counted: list[mpfr], mass: list[mpfr], cotangent: Any, reduction: str) -> list[mpfr]:
    """|cotangent * weight|, over the sum that "mean" divides by."""
    g = np.broadcast_to(exact(cotangent).ravel(), (len(counted),))
    total = sum(mass, ZERO) if reduction == "mean" else mpfr(1)
    return [
        ZERO if w == 0 or total == 0 else abs(w * factor / total)
        for w, factor in zip(counted, g, strict=True)
    ]


class _SoftmaxLoss:
    """The rows of one call, each with its factor and its weighted targets."""

    def __init__(
        self,
        logits: Any,
        labels: Any,
        *,
        cotangent: Any,
        axis: Axis = -1,
        where: Any = None,
        weights: Any = None,
        class_weights: Any = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        z_loss: float = 0.0,
        reduction: str = "none",
        dense: bool,
    ) -> None:
        x = exact(logits)
        self.shape, self.axis, self.z = x.shape, axis, mpfr(z_loss, 1)
        self.rows, self.allowed = to_rows(x, axis), to_rows(masks(where, x.shape), axis)
        if dense:
            targets, ignored = to_rows(exact(labels), axis), [False] * len(self.rows)
        else:
            targets = one_hot(labels, self.rows.shape[1])
            ignored = [label == ignore_index for label in np.asarray(labels).ravel().tolist()]
        counted = counted_weights(weights, ignored, reduced_shape(x.shape, axis))
        self.factors = row_factors(
            counted, mean_weights(counted, targets, class_weights), cotangent, reduction
        )
        c = class_factors(class_weights, self.rows.shape[1])
        self.targets = []
        for row, allowed, y in zip(self.rows, self.allowed, targets, strict=True):
            smooth = smoothed(y, present_classes(row, allowed), label_smoothing)
            self.targets.append([factor * t for factor, t in zip(c, smooth, strict=True)])

    def back(self, rows: Any) -> np.ndarray:
        return from_rows(rows, self.shape, self.axis)

    def steepness(self, row: Row, allowed: Any, targets: Row) -> mpfr:
        """What multiplies p in the gradient: sum t + 2 z |lse|, lse counted by its larger part."""
        m, log_sum = log_sum_exp(row, allowed)
        slope = 2 * self.z * max(abs(m), abs(log_sum)) if self.z else ZERO
        return sum(targets, ZERO) + slope

    def first(self) -> np.ndarray:
        """f (p (sum t + 2 z lse) - t)."""
        scales = []
        for row, allowed, f, targets in zip(self.rows, self.allowed, self.factors, self.targets, strict=True):
            if f == 0:
                scales.append(zeros(row))
                continue
            steep = self.steepness(row, allowed, targets)
            p = probabilities(row, allowed)
            scales.append([f * max(q * steep, t) for q, t in zip(p, targets, strict=True)])
        return self.back(scales)

    def second(self, tangent: Any) -> np.ndarray:
        """f ((sum t + 2 z lse) p_i (d_i - sum p d) + 2 z p_i sum p d), d the tangent."""
        scales = []
        directions = to_rows(np.broadcast_to(exact(tangent), self.shape), self.axis)
        each = zip(self.rows, self.allowed, self.factors, self.targets, directions, strict=True)
        for row, allowed, f, targets, d in each:
            if f == 0 or (self.z == 0 and along_one_class([d[k] for k in present_classes(row, allowed)])):
                scales.append(zeros(row))
                continue
            steep = self.steepness(row, allowed, targets)
            p = probabilities(row, allowed)
            mean = sum((q * abs(n) for q, n in zip(p, d, strict=True)), ZERO)
            spreads = zip(spread(p, d), p, strict=True)
            scales.append([f * (steep * size + 2 * self.z * q * mean) for size, q in spreads])
        return self.back(scales)


def dense_gradient(logits: Any, labels: Any, *, cotangent: Any, **options: Any) -> np.ndarray:
    return _SoftmaxLoss(logits, labels, cotangent=cotangent, dense=True, **options).first()


def dense_second(logits: Any, labels: Any, *, cotangent: Any, tangent: Any, **options: Any) -> np.ndarray:
    return _SoftmaxLoss(logits, labels, cotangent=cotangent, dense=True, **options).second(tangent)


def integer_gradient(logits: Any, labels: Any, *, cotangent: Any, **options: Any) -> np.ndarray:
    """Without smoothing and z-loss the gradient is p, or -(1 - p) at the label: relative."""
    if not options.get("label_smoothing") and not options.get("z_loss"):
        x = exact(logits)
        return as_objects([ZERO] * x.size, x.shape)
    return _SoftmaxLoss(logits, labels, cotangent=cotangent, dense=False, **options).first()


def integer_second(logits: Any, labels: Any, *, cotangent: Any, tangent: Any, **options: Any) -> np.ndarray:
    return _SoftmaxLoss(logits, labels, cotangent=cotangent, dense=False, **options).second(tangent)


def binary_gradient(
    logits: Any,
    labels: Any,
    *,
    cotangent: Any,
    where: Any = None,
    weights: Any = None,
    pos_weight: Any = None,
    label_smoothing: float = 0.0,
    reduction: str = "none",
) -> np.ndarray:
    """f (negative s(x) - positive s(-x)): the larger of the two."""
    x = exact(logits)
    there = masks(where, x.shape).ravel()
    counted = [w if t else ZERO for w, t in zip(row_weights(weights, x.shape), there, strict=True)]
    factors = row_factors(counted, counted, cotangent, reduction)
    boosts = np.broadcast_to(exact(1 if pos_weight is None else pos_weight), x.shape).ravel()
    scales = []
    for n, y, f, boost in zip(x.ravel(), exact(labels).ravel(), factors, boosts, strict=True):
        positive, negative = binary_targets(y, label_smoothing, boost)
        scales.append(ZERO if f == 0 else f * max(abs(positive) * sigma(-n), abs(negative) * sigma(n)))
    return as_objects(scales, x.shape)
