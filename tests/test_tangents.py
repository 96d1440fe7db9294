"""Closed forms forward and backward are one derivative: ct · (J t) = (ct J) · t, and so of a gradient.

For every sample and edge of every operation, with all arrays moving at once. What either is worth is for the
cells of the matrix to say, which ask for one array at a time and forward at no edge.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import uniflogits as ul
from uniflogits._core.operation import OPERATIONS

from .harness import Cell, Ready, first, random_like, ready
from .tolerances import TOLERANCES

pytestmark = pytest.mark.backend("numpy")
ONE_BY_ONE = pytest.mark.parametrize("name", list(OPERATIONS))


def _calls(name: str) -> list[tuple[str, Ready]]:
    cell = Cell("edges", name, "numpy", "float64")
    edges = [(one.id, ready(cell, one, keep_dtype=one.keep_dtype)) for one in cell.edges()]
    return [(one.id, ready(cell, one)) for one in cell.samples()] + edges


def _directions(one: Ready, gradients: Any, label: str) -> list[Any]:
    """0 where there is no derivative: nothing else is known of what a step there does."""
    found = []
    for i, gradient in enumerate(gradients):
        if gradient is None or one.arrays[i].dtype.kind != "f":
            found.append(None)
            continue
        direction = random_like(one.arrays[i].shape, "float64", label, str(i))
        found.append(np.where(np.isfinite(gradient), direction, 0.0))
    return found


def _same(label: str, bound: float, one: tuple[Any, Any], other: list[tuple[Any, Any]]) -> None:
    """Two sums of products: both derivatives may be off by their bounds together, in ulps of the products."""
    terms = [[np.asarray(x) * np.asarray(y) for x, y in pairs] for pairs in ([one], other)]
    sums = [math.fsum(float(x) for part in side for x in part.reshape(-1)) for side in terms]
    size = sum(float(np.sum(np.abs(part))) for side in terms for part in side)
    assert abs(sums[0] - sums[1]) <= bound * np.spacing(size), label


@ONE_BY_ONE
def test_first_derivatives(name: str) -> None:
    public, row, judged = getattr(ul, name), TOLERANCES[name], 0
    bound = max(row.gradient, row.partner or 0.0) + (row.tangent or row.gradient)
    for label, one in _calls(name):
        value, pullback = ul.vjp(public, *one.arrays, **one.options)
        shape = np.shape(first(value))
        ct = random_like(shape, "float64", label, "ct")
        gradients = pullback(ct)
        tangents = _directions(one, gradients, label)
        if all(t is None for t in tangents):
            continue
        _, tangent = ul.jvp(public, tuple(one.arrays), tuple(tangents), **one.options)
        tangent = first(tangent)
        assert np.shape(tangent) == shape, label
        known = [(g, t) for g, t in zip(gradients, tangents, strict=True) if t is not None]
        if all(np.isfinite(g).all() for g, _ in known):
            _same(label, bound, (tangent, ct), known)
            judged += 1
    assert judged > 3


# The logits of linear_cross_entropy are sums that round themselves, differently on either way.
TWICE = [name for name, op in OPERATIONS.items() if op.rule.second_order and op.vectors is None]


@pytest.mark.parametrize("name", TWICE)
def test_second_derivatives(name: str) -> None:
    public, bound, judged = ul.grad(getattr(ul, name)), 2 * TOLERANCES[name].second, 0
    for label, one in _calls(name):
        value = first(getattr(ul, name)(*one.arrays, **one.options))
        ct = random_like(np.shape(value), "float64", label, "ct")
        gradient, pullback = ul.vjp(public, *one.arrays, cotangent=ct, **one.options)
        direction = random_like(np.shape(gradient), "float64", label, "direction")
        gradients = pullback(direction)
        tangents = _directions(one, gradients, label)
        _, tangent = ul.jvp(public, tuple(one.arrays), tuple(tangents), cotangent=ct, **one.options)
        assert np.shape(tangent) == np.shape(gradient), label
        known = [(g, t) for g, t in zip(gradients, tangents, strict=True) if t is not None]
        if np.isfinite(gradient).all() and all(np.isfinite(g).all() for g, _ in known):
            _same(label, bound, (tangent, direction), known)
            judged += 1
    assert judged > 3
