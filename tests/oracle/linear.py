"""linear_cross_entropy as the contract writes it, and the magnitudes in whose ulps its bounds count.

A logit is a sum of products, known to the ulps of the sum of their sizes, its *noise*. What that does to a
probability, and to a loss, is part of every magnitude here.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    smoothed,
    softmax_loss,
)
from .magnitudes import probabilities
from .normalizers import ZERO, log_sum_exp, present_classes
from .numbers import as_objects, exact

Row = Sequence[mpfr]


class _Inputs(NamedTuple):
    hidden: np.ndarray  # (N, D)
    weight: np.ndarray  # (V, D)
    bias: list[mpfr]
    cap: mpfr | None
    shape: tuple[int, ...]  # of the hidden states


def _inputs(hidden: Any, weight: Any, bias: Any, softcap: float | None) -> _Inputs:
    h, w = exact(hidden), exact(weight)
    b = [ZERO] * len(w) if bias is None else exact(bias).tolist()
    cap = None if softcap is None else mpfr(softcap, 1)
    count = int(np.prod(h.shape[:-1], dtype=int))
    return _Inputs(h.reshape(count, h.shape[-1]), w, b, cap, h.shape)


def _dot(a: Row, b: Row) -> mpfr:
    return sum((x * y for x, y in zip(a, b, strict=True)), ZERO)


def _sizes(numbers: Row) -> list[mpfr]:
    return [abs(number) for number in numbers]


def _products(given: _Inputs, h: Row) -> list[mpfr]:
    return [_dot(h, vector) + b for vector, b in zip(given.weight, given.bias, strict=True)]


def _capped(given: _Inputs, z: Row) -> list[mpfr]:
    return list(z) if given.cap is None else [given.cap * gmpy2.tanh(n / given.cap) for n in z]


def _noise(given: _Inputs, h: Row) -> list[mpfr]:
    found = []
    for vector, b in zip(given.weight, given.bias, strict=True):
        size = _dot(_sizes(h), _sizes(vector)) + (abs(b) if gmpy2.is_finite(b) else ZERO)
        found.append(size if gmpy2.is_finite(size) else ZERO)
    return found


def linear_cross_entropy(
    hidden: Any,
    weight: Any,
    labels: Any,
    *,
    bias: Any = None,
    weights: Any = None,
    class_weights: Any = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    softcap: float | None = None,
    reduction: str = "none",
    chunk_size: int | None = None,
) -> Exact:
    given = _inputs(hidden, weight, bias, softcap)
    logits = as_objects(
        [x for h in given.hidden for x in _capped(given, _products(given, h))],
        (*given.shape[:-1], len(given.weight)),
    )
    ignored = [label == ignore_index for label in np.asarray(labels).ravel().tolist()]
    targets = one_hot(labels, len(given.weight))
    value = softmax_loss(
        logits,
        targets,
        ignored,
        axis=-1,
        where=None,
        weights=weights,
        class_weights=class_weights,
        label_smoothing=label_smoothing,
        z_loss=z_loss,
        reduction=reduction,
    )
    counted = counted_weights(weights, ignored, given.shape[:-1])
    options = class_weights, label_smoothing, z_loss
    noises = [
        ZERO if w == 0 else abs(w) * _Row(given, h, y, *options).noise_of_loss()
        for h, y, w in zip(given.hidden, targets, counted, strict=True)
    ]
    mass = mean_weights(counted, targets, class_weights)
    noise = reduce_losses(noises, noises, mass, reduction, given.shape[:-1]).value
    assert value.scale is not None
    return Exact(value.value, value.scale + np.abs(noise))


class _Row:
    """The logits of one row, what multiplies p in their gradient, and how well all of that can be known."""

    def __init__(
        self, given: _Inputs, h: Row, labels: Row, class_weights: Any, smoothing: float, z_loss: float
    ) -> None:
        self.h, self.z, classes = h, mpfr(z_loss, 1), len(given.weight)
        products = _products(given, h)
        row, every = _capped(given, products), [True] * classes
        self.slopes = [mpfr(1)] * classes
        curves = [ZERO] * classes
        if given.cap is not None:
            tanh = [gmpy2.tanh(n / given.cap) for n in products]
            self.slopes = [1 - t * t for t in tanh]
            curves = [2 * abs(t) * s / given.cap for t, s in zip(tanh, self.slopes, strict=True)]
        self.noise = _noise(given, h)
        # How much the slope of the cap is off, for each unit of the slope.
        self.curves = [c * n for c, n in zip(curves, self.noise, strict=True)]
        self.p = probabilities(row, every)
        factors = class_factors(class_weights, classes)
        smooth = smoothed(labels, present_classes(row, every), smoothing)
        self.targets = [abs(c * t) for c, t in zip(factors, smooth, strict=True)]
        m, log_sum = log_sum_exp(row, every)
        lse = max(abs(m), abs(log_sum)) if self.z else ZERO
        self.steep = sum(self.targets, ZERO) + 2 * self.z * lse
        self.relative = smoothing == 0 and z_loss == 0
        mean = _dot(self.p, self.noise) if all(map(gmpy2.is_finite, self.p)) else ZERO
        # The relative noise of each probability.
        self.unsure = [n + mean for n in self.noise]

    def noise_of_loss(self) -> mpfr:
        return _dot([p * self.steep + t for p, t in zip(self.p, self.targets, strict=True)], self.noise)

    def gradient(self) -> list[mpfr]:
        """Of the derivatives by the products: p (sum t + 2 z lse) - t."""
        found, classes = [], range(len(self.p))
        for k in classes:
            p, t = self.p[k], self.targets[k]
            if self.relative and t > 0:
                # 1 - p, the sum of all the others.
                others = [self.p[j] * (1 + self.unsure[j]) for j in classes if j != k]
                size = t * sum(others, ZERO)
            else:
                size = max(p * self.steep, t) + p * self.steep * self.unsure[k]
            found.append(size * (self.slopes[k] + self.curves[k]))
        return found

    def curvature(self, moves: Row) -> list[mpfr]:
        """Of the derivatives of those by the products, along moves of given sizes."""
        moves = [s * n for s, n in zip(self.slopes, moves, strict=True)]
        mean, classes = _dot(self.p, moves), range(len(self.p))
        total = 1 + sum(self.unsure, ZERO) / len(self.unsure)
        found = []
        for k in classes:
            size = self.steep * self.p[k] * (moves[k] + mean) + 2 * self.z * self.p[k] * mean
            found.append((1 + total + self.unsure[k]) * size * (self.slopes[k] + self.curves[k]))
        return found


class _Call:
    def __init__(
        self,
        hidden: Any,
        weight: Any,
        labels: Any,
        *,
        cotangent: Any,
        bias: Any = None,
        weights: Any = None,
        class_weights: Any = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        z_loss: float = 0.0,
        softcap: float | None = None,
        reduction: str = "none",
        chunk_size: int | None = None,
    ) -> None:
        self.given = given = _inputs(hidden, weight, bias, softcap)
        targets = one_hot(labels, len(given.weight))
        ignored = [label == ignore_index for label in np.asarray(labels).ravel().tolist()]
        counted = counted_weights(weights, ignored, given.shape[:-1])
        mass = mean_weights(counted, targets, class_weights)
        factors = row_factors(counted, mass, cotangent, reduction)
        options = class_weights, label_smoothing, z_loss
        # A row without a factor may hold anything.
        self.rows = [
            None if f == 0 else (f, _Row(given, h, y, *options))
            for h, y, f in zip(given.hidden, targets, factors, strict=True)
        ]

    def by_hidden(self, sizes: Sequence[list[mpfr] | None]) -> np.ndarray:
        width = self.given.weight.shape[1]
        columns = [_sizes(column) for column in self.given.weight.T]
        numbers = [ZERO if size is None else _dot(size, columns[d]) for size in sizes for d in range(width)]
        return as_objects(numbers, self.given.shape)

    def by_weight(self, sizes: Sequence[list[mpfr] | None], factors: Any) -> np.ndarray:
        classes, width = self.given.weight.shape
        pairs = [(size, _sizes(h)) for size, h in zip(sizes, factors, strict=True) if size is not None]
        numbers = [
            sum((size[k] * h[d] for size, h in pairs), ZERO) for k in range(classes) for d in range(width)
        ]
        return as_objects(numbers, (classes, width))

    def gradients(self) -> list[list[mpfr] | None]:
        return [None if row is None else [row[0] * n for n in row[1].gradient()] for row in self.rows]

    def bent(self, moves: Sequence[list[mpfr]]) -> list[list[mpfr] | None]:
        return [
            None if row is None else [row[0] * n for n in row[1].curvature(move)]
            for row, move in zip(self.rows, moves, strict=True)
        ]


def hidden_gradient(*arrays: Any, cotangent: Any, **options: Any) -> np.ndarray:
    call = _Call(*arrays, cotangent=cotangent, **options)
    return call.by_hidden(call.gradients())


def weight_gradient(*arrays: Any, cotangent: Any, **options: Any) -> np.ndarray:
    call = _Call(*arrays, cotangent=cotangent, **options)
    return call.by_weight(call.gradients(), call.given.hidden)


def hidden_second(*arrays: Any, cotangent: Any, tangent: Any, **options: Any) -> np.ndarray:
    call = _Call(*arrays, cotangent=cotangent, **options)
    along = np.abs(exact(tangent)).reshape(call.given.hidden.shape)
    moves = [[_dot(t, _sizes(vector)) for vector in call.given.weight] for t in along]
    return call.by_hidden(call.bent(moves))


def weight_second(*arrays: Any, cotangent: Any, tangent: Any, **options: Any) -> np.ndarray:
    call = _Call(*arrays, cotangent=cotangent, **options)
    along = np.abs(exact(tangent))
    moves = [[_dot(_sizes(h), vector) for vector in along] for h in call.given.hidden]
    return call.by_weight(call.bent(moves), call.given.hidden)
