"""value_and_grad of a loss is its value and its gradients, though both may come from one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import uniflogits as ul

from . import adapters
from .harness import spec_of

_RNG = np.random.default_rng(8)
X, VECTORS = _RNG.integers(-24, 25, size=(4, 3)) / 8, _RNG.integers(-8, 9, size=(5, 3)) / 8
Y, LABELS, OF_FIVE = _RNG.integers(0, 9, size=(4, 3)) / 8, np.asarray([0, 2, 1, 0]), np.asarray([0, 4, 1, 3])
ROWS, CLASSES, FIVE = np.asarray([0.5, 0.0, 2.0, 1.0]), np.asarray([1.0, 0.5, 2.0]), np.arange(1, 6) / 4
WEIGHED = {"weights": ROWS, "label_smoothing": 0.25, "z_loss": 0.125}
CALLS: dict[str, tuple[str, tuple[np.ndarray, ...], dict[str, Any]]] = {
    "indices": ("softmax_cross_entropy_with_integer_labels", (X, LABELS), {}),
    "indices-weighed": (
        "softmax_cross_entropy_with_integer_labels",
        (X, LABELS),
        {"class_weights": CLASSES, "ignore_index": 1, **WEIGHED},
    ),
    "dense": ("softmax_cross_entropy", (X, Y), {}),
    "dense-weighed": ("softmax_cross_entropy", (X, Y), {"class_weights": CLASSES, **WEIGHED}),
    "binary": ("sigmoid_binary_cross_entropy", (X, Y), {"pos_weight": CLASSES, "label_smoothing": 0.25}),
    "sigmoid-focal": ("sigmoid_focal_loss", (X, Y), {"gamma": 2.0, "alpha": 0.25}),
    "softmax-focal": ("softmax_focal_loss", (X, LABELS), {"gamma": 2.0, "class_weights": CLASSES}),
    "linear": ("linear_cross_entropy", (X, VECTORS, OF_FIVE), {}),
    "linear-chunks": ("linear_cross_entropy", (X, VECTORS, OF_FIVE), {"bias": FIVE, "chunk_size": 3}),
    "linear-weighed": ("linear_cross_entropy", (X, VECTORS, OF_FIVE), {"class_weights": FIVE, **WEIGHED}),
    "linear-ignored": ("linear_cross_entropy", (X, VECTORS, OF_FIVE), {"ignore_index": 4, "softcap": 2.0}),
}
backends = adapters.each()
EITHER = 2 * 2.0**-52  # either of two float64 numbers may be off


def _native(adapter: Any, options: dict[str, Any]) -> dict[str, Any]:
    return {
        key: adapter.array(np.asarray(value)) if isinstance(value, np.ndarray | np.generic) else value
        for key, value in options.items()
    }


@backends
@pytest.mark.parametrize("reduction", ["sum", "mean", "none"])
@pytest.mark.parametrize("call", list(CALLS))
def test_both_are_what_either_is(call: str, reduction: str, backend: str) -> None:
    name, arrays, options = CALLS[call]
    if reduction == "none":  # of one example, whose loss is a scalar too
        binary = name.startswith("sigmoid")
        arrays = tuple(a if a is VECTORS else a[3, 1] if binary else a[3] for a in arrays)
        options = {key: value[3] if key == "weights" else value for key, value in options.items()}
        options = {key: value[1] if key == "pos_weight" else value for key, value in options.items()}
    adapter, op = adapters.get(backend), getattr(ul, name)
    given = tuple(adapter.array(np.asarray(a)) for a in arrays)
    options = _native(adapter, options) | {"reduction": reduction}
    floating = tuple(i for i, a in enumerate(arrays) if a.dtype.kind == "f")
    value, found = ul.value_and_grad(op, argnums=floating)(*given, **options)
    plain, pullback = ul.vjp(op, *given, **options)
    assert tuple(value.shape) == ()
    row = spec_of(name).tolerance
    for other in (plain, op(*given, **options)):
        np.testing.assert_allclose(adapter.to_numpy(value), adapter.to_numpy(other), row.value * EITHER)
    for i, gradient in zip(floating, found, strict=True):
        assert tuple(gradient.shape) == arrays[i].shape
        expected = adapter.to_numpy(pullback(1.0)[i])
        np.testing.assert_allclose(adapter.to_numpy(gradient), expected, row.gradient * EITHER, 1e-15)


@backends
@pytest.mark.parametrize("call", ["indices", "dense", "softmax-focal", "linear"])
def test_a_row_that_is_not_a_number_counts_in_a_mean(call: str, backend: str) -> None:
    """The mean is NaN, and so is that row's gradient; those of the others are over the number of all rows."""
    name, (x, *others), options = CALLS[call]
    adapter, op = adapters.get(backend), getattr(ul, name)
    x = np.where(np.arange(4)[:, None] == 1, np.nan, x)
    given = [adapter.array(np.asarray(a)) for a in (x, *others)]
    options = _native(adapter, options)
    with adapter.calling():
        _, each = ul.vjp(op, *given, **options)
        value, mean = ul.vjp(op, *given, reduction="mean", **options)
        by_x, expected = mean(adapter.array(np.ones(())))[0], each(adapter.array(np.full(4, 0.25)))[0]
    assert np.isnan(adapter.to_numpy(value))
    found, expected = adapter.to_numpy(by_x), adapter.to_numpy(expected)
    if "class_weights" in options:
        # The mean is one over the weights of the labels' classes.
        expected = expected * (4.0 / CLASSES[others[0]].sum())
    bound = spec_of(name).tolerance.gradient * EITHER
    assert np.isnan(found[1]).all()
    np.testing.assert_allclose(np.delete(found, 1, 0), np.delete(expected, 1, 0), bound)
