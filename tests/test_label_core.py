"""The cross-entropy of class indices that JAX attaches to a loss, asked for itself on NumPy's arrays.

The same samples and edges as those of the operation, so that what it computes does not depend on a compiler.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from uniflogits._backends.numpy import BACKEND
from uniflogits._math import label_core, targets

from . import exact
from .compare import Failures
from .harness import Cell, both, random_like, ready, references
from .specs.base import Sample
from .test_edges import reference

NAME = "softmax_cross_entropy_with_integer_labels"
pytestmark = pytest.mark.backend("numpy")
dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


def _ask(one: Any) -> tuple[np.ndarray, np.ndarray]:
    """Losses and gradients of rows, the labels in the dtype that every call brings them to."""
    with np.errstate(all="ignore"):
        x, labels = one.arrays[0], one.arrays[1].astype(np.int32)
        return label_core.label_loss(BACKEND.xp, x, labels), label_core.label_gradient(BACKEND.xp, x, labels)


@dtypes
def test_samples(dtype: str) -> None:
    cell = Cell("value", NAME, "numpy", dtype)
    failures = cell.failures()
    samples = [one for one in cell.samples() if cell.is_plain(one)]
    assert len(samples) > 5
    for sample in samples:
        _compare(cell, failures, sample)
    failures.finish()


def _compare(cell: Cell, failures: Failures, sample: Sample) -> None:
    one, dtype = ready(cell, sample), cell.dtype
    loss, gradient = _ask(one)
    answers = both(one, lambda call: exact.values(cell.spec, call)[0])
    failures.compare(f"{sample.id}, value", loss, answers, dtype, cell.row.value, cell.row.dagger)
    ct = random_like(loss.shape, dtype, cell.operation, sample.id)
    pairs = both(one, lambda call: exact.gradient(cell.spec, call, "logits", ct))
    positions, answers = references(pairs)
    ours = (gradient * ct[..., None]).reshape(-1)[positions]
    factor = one.underflow * max(1.0, float(np.abs(ct).max()))
    bound = cell.row.bound("gradient")
    failures.compare(f"{sample.id}, gradient", ours, answers, dtype, bound, cell.row.dagger, factor)


@dtypes
def test_a_lead_is_rounded_once(dtype: str) -> None:
    """Of leads that are no round numbers: what a second rounding of the exponent costs is as much again."""
    cell, rng = Cell("value", NAME, "numpy", dtype), np.random.default_rng(7)
    failures = cell.failures()
    for number in range(4):
        x = rng.normal(size=(9, 5))
        winners = rng.integers(5, size=9)
        x[np.arange(9), winners] += rng.uniform(17, 80, size=9)
        labels = np.where(np.arange(9) < 6, winners, (winners + 1) % 5)
        sample = Sample(f"leads {number}", {"logits": x, "labels": labels}, underflow=15.0)
        _compare(cell, failures, sample)
    failures.finish()


@dtypes
def test_edges(dtype: str) -> None:
    cell = Cell("edges", NAME, "numpy", dtype)
    failures = cell.failures()
    edges = [
        edge
        for edge in cell.edges()
        if not edge.options and not edge.keep_dtype and set(edge.arrays) == {"logits", "labels"}
    ]
    assert len(edges) > 10
    for edge in edges:
        loss, gradient = _ask(ready(cell, edge))
        value = reference(edge.value)
        failures.compare(f"{edge.id}, value", loss, [value], dtype, cell.row.value, cell.row.dagger)
        if edge.gradient is not None:
            slope = [reference(edge.gradient)]
            failures.compare(f"{edge.id}, gradient", gradient, slope, dtype, cell.row.bound("gradient"))
    failures.finish()


@dtypes
@pytest.mark.parametrize("classes", [1, 300])
def test_labels_that_are_no_class(classes: int, dtype: str) -> None:
    x, labels = np.zeros((4, classes), dtype), np.asarray([-1, classes, 2**31 - 1, -300], np.int32)
    assert np.isnan(label_core.label_loss(BACKEND.xp, x, labels)).all()
    assert np.isnan(label_core.label_gradient(BACKEND.xp, x, labels)).all()


@dtypes
def test_infinity_beside_the_largest_number(dtype: str) -> None:
    """Which is as far behind as any other."""
    x, labels = np.asarray([[np.inf, np.finfo(dtype).max, 0.0]] * 3, dtype), np.arange(3, dtype=np.int32)
    with np.errstate(all="ignore"):
        loss = label_core.label_loss(BACKEND.xp, x, labels)
        gradient = label_core.label_gradient(BACKEND.xp, x, labels)
    np.testing.assert_array_equal(loss, [0, np.inf, np.inf])
    np.testing.assert_array_equal(gradient, [[0, 0, 0], [1, -1, 0], [1, 0, -1]])


@dtypes
def test_a_label_that_is_no_class_spoils_its_own_row(dtype: str) -> None:
    """By formulas in which one-hot labels stand for labels whose values cannot be read."""
    x = np.zeros((3, 4), dtype)
    found = targets.one_hot_or_nan(BACKEND.xp, np.asarray([1, 7, 3]), x)
    np.testing.assert_array_equal(found, [[0, 1, 0, 0], [np.nan] * 4, [0, 0, 0, 1]])
    assert found.dtype == dtype
