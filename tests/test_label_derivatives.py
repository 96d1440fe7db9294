"""How the gradient of a loss by its logits moves with the labels: jvp and vjp of grad along the second array.

The cells of second derivatives move the logits only. Exact answers are central differences of the oracle.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import uniflogits as ul

from . import adapters
from .harness import as_dtype, has_autodiff, spec_of
from .oracle.derivatives import STEP, gradient
from .oracle.numbers import DERIVATIVE_BITS, exact, precision

_RNG = np.random.default_rng(3)
X = _RNG.integers(-40, 41, size=(3, 4)) / 8
X[1] += [0, 30, 0, 0]
X[2, 2] = 0.0  # where neither of two answers is the likelier
Y = _RNG.integers(1, 17, size=(3, 4)) / 16
T, U = (_RNG.integers(-16, 17, size=(3, 4)) / 8 for _ in range(2))
VECTORS, ALONG_VECTORS = (_RNG.integers(-16, 17, size=(5, 4)) / 8 for _ in range(2))
ROWS, CLASSES = np.asarray([0.5, 2.0, 1.5]), np.asarray([1.0, 0.25, 3.0, 1.5])
SHARES = Y / 4
CALLS: dict[str, tuple[str, np.ndarray, np.ndarray, tuple[Any, ...], dict[str, Any]]] = {
    "softmax": ("softmax_cross_entropy", Y, U, (), {}),
    "softmax-class-weights": ("softmax_cross_entropy", Y, U, (), {"class_weights": CLASSES}),
    "softmax-smoothing-z": ("softmax_cross_entropy", Y, U, (), {"label_smoothing": 0.25, "z_loss": 0.125}),
    "softmax-sum": ("softmax_cross_entropy", Y, U, (), {"weights": ROWS, "reduction": "sum"}),
    "softmax-mean": (
        "softmax_cross_entropy",
        Y,
        U,
        (),
        {"class_weights": CLASSES, "weights": ROWS, "label_smoothing": 0.25, "reduction": "mean"},
    ),
    "binary": ("sigmoid_binary_cross_entropy", Y, U, (), {}),
    "binary-options": (
        "sigmoid_binary_cross_entropy",
        Y,
        U,
        (),
        {"pos_weight": CLASSES, "label_smoothing": 0.25, "weights": 0.5, "reduction": "mean"},
    ),
    "focal": ("sigmoid_focal_loss", Y, U, (), {"gamma": 2.0}),
    "focal-alpha": ("sigmoid_focal_loss", Y, U, (), {"gamma": 1.5, "alpha": 0.25, "reduction": "mean"}),
    "linear": (
        "linear_cross_entropy",
        VECTORS,
        ALONG_VECTORS,
        (np.asarray([0, 4, 2]),),
        {"reduction": "mean", "weights": ROWS},
    ),
    "linear-options": (
        "linear_cross_entropy",
        VECTORS,
        ALONG_VECTORS,
        (np.asarray([0, 4, 2]),),
        {"softcap": 3.0, "z_loss": 0.125, "label_smoothing": 0.25, "chunk_size": 2},
    ),
}
backends = adapters.each()
_KNOWN: dict[str, tuple[np.ndarray, ...]] = {}


def _answers(call: str) -> tuple[np.ndarray, ...]:
    """Along U in the second array; along T in the logits and U together; by the second array, times T."""
    if call not in _KNOWN:
        name, second, along, rest, options = CALLS[call]
        oracle = spec_of(name).oracle

        def slope(x: Any, y: Any, argument: int) -> np.ndarray:
            return gradient(oracle, (x, y, *rest), options, _cotangent(options), argument)

        with precision(DERIVATIVE_BITS):
            x, y, t, u = (exact(a) for a in (X, second, T, along))
            ends = [
                (slope(x, y + s * u, 0), slope(x + s * t, y + s * u, 0), slope(x + s * t, y, 1))
                for s in (STEP, -STEP)
            ]
            _KNOWN[call] = tuple(
                ((after - before) / (2 * STEP)).astype(float) for after, before in zip(*ends, strict=True)
            )
    return _KNOWN[call]


def _cotangent(options: dict[str, Any]) -> Any:
    return 0.75 if "reduction" in options else 1.0


@backends
@pytest.mark.parametrize("call", list(CALLS))
def test_gradient_moves_with_the_second_array(call: str, backend: str) -> None:
    name, second, along, rest, options = CALLS[call]
    adapter, op = adapters.get(backend), getattr(ul, name)
    arrays = tuple(adapter.array(as_dtype(a, "float32")) for a in (X, second))
    directions = tuple(adapter.array(as_dtype(a, "float32")) for a in (T, along))
    others = tuple(adapter.array(a) for a in rest)
    given = {
        key: adapter.array(as_dtype(value, "float32")) if isinstance(value, np.ndarray) else value
        for key, value in options.items()
    }
    with adapter.calling():
        given["cotangent"] = _cotangent(options) if "reduction" in options else None
        target, still = (*arrays, *others), (None,) * len(others)
        _, by_second = ul.jvp(ul.grad(op), target, (None, directions[1], *still), **given)
        _, together = ul.jvp(ul.grad(op), target, (*directions, *still), **given)
        back = ul.vjp(ul.grad(op), *target, **given)[1](directions[0])[1]
    # Sums of terms of either sign: in ulps of the largest.
    bound = spec_of(name).tolerance.second * 2.0**-23
    for found, expected in zip((by_second, together, back), _answers(call), strict=True):
        size = np.abs(expected).max()
        np.testing.assert_allclose(adapter.to_numpy(found), expected, bound, bound * size)


@backends
@pytest.mark.parametrize("name", ["softmax_cross_entropy", "sigmoid_binary_cross_entropy"])
def test_each_gradient_has_its_own_arrays_dtype(name: str, backend: str) -> None:
    adapter, op = adapters.get(backend), getattr(ul, name)
    for first, second in (("float32", "float64"), ("float64", "float32")):
        x, t = (adapter.array(as_dtype(a, first)) for a in (X, T))
        y, u = (adapter.array(as_dtype(a, second)) for a in (Y, U))
        with adapter.calling():
            value, pullback = ul.vjp(op, x, y)
            found = pullback(adapter.array(np.ones(tuple(value.shape)), adapter.dtype(value)))
            again = ul.vjp(ul.grad(op), x, y)[1](t)
            _, forward = ul.jvp(ul.grad(op), (x, y), (t, u))
        for by_x, by_y in (found, again):
            assert (adapter.dtype(by_x), adapter.dtype(by_y)) == (first, second)
        assert adapter.dtype(forward) == first


@backends
def test_the_gradient_of_an_empty_mean_does_not_move(backend: str) -> None:
    """All labels are of a class whose weight is 0: the mean counts nothing and is 0, whatever they do."""
    adapter, y = adapters.get(backend), np.asarray([[0.0, 1.0, 0.0, 0.0]] * 3)
    weights = np.asarray([1.0, 0.0, 3.0, 1.5])
    x, labels, u, weights = (adapter.array(as_dtype(a, "float32")) for a in (X, y, U, weights))
    options = {"class_weights": weights, "label_smoothing": 0.25, "reduction": "mean"}
    with adapter.calling():
        gradient, tangent = ul.jvp(ul.grad(ul.softmax_cross_entropy), (x, labels), (None, u), **options)
    np.testing.assert_array_equal(adapter.to_numpy(gradient), np.zeros_like(X))
    np.testing.assert_array_equal(adapter.to_numpy(tangent), np.zeros_like(X))


@adapters.each(*filter(has_autodiff, adapters.NAMES))
def test_the_label_of_a_class_that_does_not_exist_moves_nothing(backend: str) -> None:
    """In either order of the two derivatives: the loss there is 0 times an infinite cost.

    A label of 0 moves all where its class exists.
    """
    adapter = adapters.get(backend)
    x, labels = [0.5, 1.0, -2.0, 1.5], [0.375, 0.0, 0.625, 0.0]
    mask, u = np.asarray([True, False, True, True]), np.asarray([0.25, 0.5, -0.375, 1.0])
    along = np.asarray([u, np.zeros(4)])
    both, one, direction = (adapter.array(a, "float64") for a in ([x, labels], 1.0, along))
    where = adapter.array(mask)

    def loss(both):
        return ul.softmax_cross_entropy(both[0], both[1], where=where)

    p = np.exp(x) * mask / np.sum(np.exp(x) * mask)
    expected = np.where(mask, p @ u - u, 0.0)
    for mode, product in adapter.hessian_products(loss, both, (), one, direction).items():
        np.testing.assert_allclose(adapter.to_numpy(product)[1], expected, 1e-14, 1e-15, err_msg=mode)
