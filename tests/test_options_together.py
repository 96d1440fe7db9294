"""All options of the losses at once, against a plain float64 reference that is written here and nowhere else.

Logits are small, so that textbook formulas do. hypothesis draws which options are given and what they hold;
integer labels must give what the same labels give one-hot.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import hypothesis
import numpy as np
from hypothesis import strategies as st

import uniflogits as ul

from . import adapters

# JAX compiles programs for nearly every example, Dask builds graphs.
EXAMPLES = {"numpy": 300, "torch": 80, "strict": 60, "tensorflow": 60, "jax": 4, "dask": 4}
SLOW = ("jax", "dask")
INTEGERS = ("int8", "int32", "int64", "uint8")
FLOATS = ("float32", "float64")
backends = adapters.each()


@dataclass
class Drawn:
    """One call: arrays in float64, the options that were drawn."""

    x: np.ndarray
    labels: np.ndarray
    options: dict[str, Any]
    label_dtype: str


def _maybe(draw: Any, options: dict[str, Any], name: str, value: Any) -> None:
    if draw(st.booleans(), label=name):
        options[name] = value()


@st.composite
def softmax_calls(draw: Any) -> Drawn:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    classes = draw(st.integers(1, 5))
    rows = tuple(draw(st.lists(st.integers(1, 3), max_size=2)))
    axis = draw(st.integers(0, len(rows)))
    shape = (*rows[:axis], classes, *rows[axis:])
    x = rng.integers(-40, 41, size=shape) / 8
    labels = rng.integers(0, classes, size=rows)
    options: dict[str, Any] = {"axis": axis - draw(st.sampled_from([0, len(shape)]))}
    _maybe(draw, options, "where", lambda: rng.random(shape if rng.random() < 0.5 else shape[-1:]) < 0.8)
    _maybe(draw, options, "weights", lambda: _weights(rng, rows))
    _maybe(draw, options, "class_weights", lambda: rng.integers(0, 5, size=classes) / 2)
    _maybe(draw, options, "ignore_index", lambda: int(rng.integers(0, classes + 1)))
    _maybe(draw, options, "label_smoothing", lambda: float(rng.choice([0.25, 1.0])))
    _maybe(draw, options, "z_loss", lambda: 0.125)
    options["reduction"] = draw(st.sampled_from(["none", "sum", "mean"]))
    if options.get("ignore_index") == classes:  # no class at all, but the mark of a missing label
        labels = np.where(rng.random(rows) < 0.3, classes, labels)
    return Drawn(x, labels, options, draw(st.sampled_from(INTEGERS)))


@st.composite
def binary_calls(draw: Any) -> Drawn:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    x = rng.integers(-40, 41, size=shape) / 8
    kind = draw(st.sampled_from(["bool", "int32", "uint8", *FLOATS]))
    labels = rng.integers(0, 5, size=shape) / 4 if kind in FLOATS else rng.integers(0, 2, size=shape)
    options: dict[str, Any] = {}
    part = shape[draw(st.integers(0, len(shape) - 1)) :]
    _maybe(draw, options, "where", lambda: rng.random(part) < 0.7)
    _maybe(draw, options, "weights", lambda: _weights(rng, shape))
    _maybe(draw, options, "pos_weight", lambda: rng.integers(0, 9, size=part) / 2)
    _maybe(draw, options, "label_smoothing", lambda: float(rng.choice([0.25, 1.0])))
    options["reduction"] = draw(st.sampled_from(["none", "sum", "mean"]))
    return Drawn(x, labels, options, kind)


def _weights(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return 1.5 if rng.random() < 0.3 else np.asarray(rng.integers(0, 4, size=shape) / 2)


# The reference: as the contract words it, one example after the other.


def softmax_reference(x: np.ndarray, y: np.ndarray, ignored: np.ndarray, options: dict[str, Any]) -> Any:
    """Loss and gradient of dense labels y, both of the logits' shape with the classes last."""
    classes, rows = x.shape[-1], x.shape[:-1]
    where, c = options["where"], options.get("class_weights", np.ones(x.shape[-1]))
    smoothing, z = options.get("label_smoothing", 0.0), options.get("z_loss", 0.0)
    weights = np.where(ignored, 0.0, np.broadcast_to(options.get("weights", 1.0), rows))
    losses, counts, slopes = np.zeros(rows), np.zeros(rows), np.zeros((*rows, classes))
    for row in np.ndindex(rows):
        if weights[row] == 0:
            continue
        allowed, target = where[row], (1 - smoothing) * y[row]
        if allowed.any():
            target = target + np.where(allowed, smoothing / allowed.sum(), 0.0)
        lse = np.log(np.sum(np.exp(x[row][allowed]))) if allowed.any() else -np.inf
        for k in range(classes):
            cost = lse - x[row][k] if allowed[k] else np.inf
            losses[row] += 0.0 if c[k] * target[k] == 0 else c[k] * target[k] * cost
        if allowed.any():
            p = np.where(allowed, np.exp(x[row] - lse), 0.0)
            losses[row] += z * lse**2
            slope = p * (np.sum(c * target) + 2 * z * lse) - c * target
            slopes[row] = np.where(allowed, slope, 0.0)
        counts[row] = (
            np.sum(c * y[row]) / np.sum(y[row]) if "class_weights" in options and y[row].any() else 1
        )
    return _reduced(losses, counts, weights, slopes, options["reduction"])


def binary_reference(x: np.ndarray, y: np.ndarray, options: dict[str, Any]) -> Any:
    smoothing = options.get("label_smoothing", 0.0)
    v = np.broadcast_to(options.get("pos_weight", 1.0), x.shape)
    positive = v * ((1 - smoothing) * y + smoothing / 2)
    negative = (1 - smoothing) * (1 - y) + smoothing / 2
    p = 1 / (1 + np.exp(-x))
    losses = -positive * np.log(p) - negative * np.log(1 - p)
    slopes = negative * p - positive * (1 - p)
    weights = np.broadcast_to(options.get("weights", 1.0), x.shape)
    weights = np.where(np.broadcast_to(options.get("where", True), x.shape), weights, 0.0)
    return _reduced(losses, np.ones(x.shape), weights, slopes[..., None], options["reduction"])


def _reduced(losses: Any, counts: Any, weights: Any, slopes: Any, reduction: str) -> tuple[Any, Any]:
    with np.errstate(invalid="ignore"):
        weighted = np.where(weights == 0, 0.0, weights * losses)
    slopes = np.where(weights[..., None] == 0, 0.0, weights[..., None] * slopes)
    if reduction == "none":
        return weighted, slopes
    total = np.sum(weights * counts) if reduction == "mean" else 1.0
    return (0.0, 0.0 * slopes) if total == 0 else (weighted.sum() / total, slopes / total)


def _run(backend: str, strategy: Any, check: Any) -> None:
    @hypothesis.settings(
        derandomize=True,
        deadline=None,
        database=None,
        max_examples=EXAMPLES[backend],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategy)
    def every(drawn: Drawn) -> None:
        check(adapters.get(backend), drawn)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        every()


def _call(adapter: Any, op: Any, x: np.ndarray, labels: np.ndarray, options: dict[str, Any]) -> Any:
    """Loss and gradient by the closed form and, where the library has one, by its own autodiff."""
    given = {
        name: adapter.array(value) if isinstance(value, np.ndarray) else value
        for name, value in options.items()
    }
    arrays = [adapter.array(x), adapter.array(labels)]
    with adapter.calling():
        value, pullback = ul.vjp(op, *arrays, **given)
        closed = pullback(1.0)[0]
    ones = adapter.array(np.ones(tuple(value.shape)), adapter.dtype(value))
    native = adapter.gradients(lambda x, y: op(x, y, **given), arrays, ones, [0])
    gradients = {"closed form": closed, **{mode: found[0] for mode, found in native.items()}}
    return adapter.to_numpy(value), {mode: adapter.to_numpy(g) for mode, g in gradients.items()}


def _compare(what: str, found: tuple[Any, dict[str, Any]], expected: tuple[Any, Any]) -> None:
    value, gradients = found
    np.testing.assert_allclose(value, expected[0], rtol=1e-11, atol=1e-12, err_msg=f"{what}: value")
    for mode, gradient in gradients.items():
        np.testing.assert_allclose(
            gradient, expected[1], rtol=1e-11, atol=1e-12, err_msg=f"{what}: gradient by {mode}"
        )


@backends
def test_softmax_losses(backend: str) -> None:
    _run(backend, softmax_calls(), _check_softmax)


def _check_softmax(adapter: Any, drawn: Drawn) -> None:
    x, labels, options = drawn.x, drawn.labels, drawn.options
    axis = options["axis"] % x.ndim
    classes = x.shape[axis]
    ignored = labels == options.get("ignore_index", -1)
    one_hot = np.moveaxis((labels[..., None] == np.arange(classes)) & ~ignored[..., None], -1, axis)

    laid = {**options, "where": np.moveaxis(np.broadcast_to(options.get("where", True), x.shape), axis, -1)}
    value, slopes = softmax_reference(
        np.moveaxis(x, axis, -1), np.moveaxis(one_hot, axis, -1).astype(float), ignored, laid
    )
    expected = value, np.moveaxis(slopes, -1, axis)

    integers = ul.softmax_cross_entropy_with_integer_labels
    _compare("indices", _call(adapter, integers, x, labels.astype(drawn.label_dtype), options), expected)
    # One-hot labels know no ignored ones: a weight of 0 says the same.
    dense = {name: option for name, option in options.items() if name != "ignore_index"}
    if ignored.any():
        weights = np.broadcast_to(options.get("weights", 1.0), ignored.shape)
        dense["weights"] = np.where(ignored, 0.0, weights)
    for dtype in ("bool", drawn.label_dtype, "float64") if adapter.name not in SLOW else ("float64",):
        found = _call(adapter, ul.softmax_cross_entropy, x, one_hot.astype(dtype), dense)
        _compare(f"one-hot of {dtype}", found, expected)
    if not options.get("z_loss") and np.isfinite(value).all():
        sums = found[1]["closed form"].sum(axis)
        np.testing.assert_allclose(sums, np.zeros(ignored.shape), atol=1e-12, err_msg="sum of a row")


@backends
def test_binary_losses(backend: str) -> None:
    _run(backend, binary_calls(), _check_binary)


def _check_binary(adapter: Any, drawn: Drawn) -> None:
    value, slopes = binary_reference(drawn.x, drawn.labels, drawn.options)
    labels = drawn.labels.astype(drawn.label_dtype)
    found = _call(adapter, ul.sigmoid_binary_cross_entropy, drawn.x, labels, drawn.options)
    _compare("binary", found, (value, slopes[..., 0]))
