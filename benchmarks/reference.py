"""What every timed call has to give: float64, in blocks of rows, so that what is timed is what is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .cases import SMOOTHING, Inputs, Products

CHECKED_ROWS = 64  # the first ones of each input


def _log_softmax(x: np.ndarray) -> np.ndarray:
    x = x.astype(np.float64)
    x -= x.max(axis=-1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def softmax(given: Inputs) -> Any:
    return np.exp(_log_softmax(given.x[:CHECKED_ROWS]))


def log_softmax(given: Inputs) -> Any:
    return _log_softmax(given.x[:CHECKED_ROWS])


def logsumexp(given: Inputs) -> Any:
    x = given.x[:CHECKED_ROWS]
    return x[:, 0] - _log_softmax(x)[:, 0]


def cross_entropy(given: Inputs) -> Any:
    """The mean over all rows, and the gradient of the first."""
    return _mean(given, lambda part: given.labels[part, None] == np.arange(given.shape[1]))


def smoothed_cross_entropy(given: Inputs) -> Any:
    classes = given.shape[1]
    spread = SMOOTHING / classes
    return _mean(
        given, lambda part: (1 - SMOOTHING) * (given.labels[part, None] == np.arange(classes)) + spread
    )


def dense_cross_entropy(given: Inputs) -> Any:
    dense = given.dense
    return _mean(given, lambda part: dense[part].astype(np.float64))


def _mean(given: Inputs, targets: Callable[[slice], np.ndarray]) -> Any:
    rows, total, gradient = given.shape[0], 0.0, None
    for start in range(0, rows, CHECKED_ROWS):
        part = slice(start, start + CHECKED_ROWS)
        log_p, t = _log_softmax(given.x[part]), targets(part)
        total -= (t * log_p).sum()
        if gradient is None:
            gradient = np.exp(log_p) * t.sum(axis=-1, keepdims=True) - t
    return total / rows, gradient / rows


def cross_entropy_value(given: Inputs) -> Any:
    return cross_entropy(given)[0]


def softmax_gradient(given: Inputs) -> Any:
    """softmax, and the gradient of its product with the second set of logits."""
    p, t = softmax(given), given.other[:CHECKED_ROWS].astype(np.float64)
    return p, p * (t - (p * t).sum(axis=-1, keepdims=True))


def binary_cross_entropy(given: Inputs) -> Any:
    """The mean over all elements, and the gradient of the first."""
    total, gradient = 0.0, None
    for start in range(0, given.shape[0], CHECKED_ROWS):
        x, y = (a[start : start + CHECKED_ROWS].astype(np.float64) for a in (given.x, given.binary))
        total += (np.maximum(x, 0) - x * y + np.log1p(np.exp(-np.abs(x)))).sum()
        if gradient is None:
            gradient = 1 / (1 + np.exp(-x)) - y
    return total / given.x.size, gradient / given.x.size


def kl_divergence(given: Inputs) -> Any:
    return _kl_divergence(given.x, given.other)


def kl_divergence_apart(given: Inputs) -> Any:
    return _kl_divergence(given.x, given.apart)


def _kl_divergence(x: np.ndarray, other: np.ndarray) -> Any:
    log_p, log_q = _log_softmax(x[:CHECKED_ROWS]), _log_softmax(other[:CHECKED_ROWS])
    return (np.exp(log_p) * (log_p - log_q)).sum(axis=-1)


def linear(given: Products) -> Any:
    """The sum of the losses of all tokens, and its gradient by the first hidden states."""
    weight, total, gradient = given.weight.astype(np.float64), 0.0, None
    for start in range(0, given.shape[0], CHECKED_ROWS):
        hidden = given.hidden[start : start + CHECKED_ROWS].astype(np.float64)
        log_p = _log_softmax(hidden @ weight.T)
        index = np.arange(len(log_p)), given.labels[start : start + CHECKED_ROWS]
        total -= log_p[index].sum()
        if gradient is None:
            gradient = np.exp(log_p)
            gradient[index] -= 1
            gradient = gradient @ weight
    return total, gradient


_EXPECTED: dict[Any, Any] = {}  # of the pair being checked: both calls have to give the same


def check(
    name: str, reference: Callable[[Any], Any], given: Inputs | Products, found: Any, peer: bool
) -> None:
    """Raise where a result is not what float32 can give; a peer may also lose what it subtracts."""
    key = reference.__name__, id(given)
    if key not in _EXPECTED:
        _EXPECTED.clear()
        _EXPECTED[key] = reference(given)
    expected = _EXPECTED[key]
    pairs = zip(expected, found, strict=True) if isinstance(expected, tuple) else [(expected, found)]
    for right, came in pairs:
        came = np.asarray(came, dtype=np.float64)
        came = came[:CHECKED_ROWS] if came.ndim else came
        # The rounding of x - max alone is worth this much, relative to whatever comes out.
        allowed = 2e-7 * (10 + np.abs(given.x).max()) * np.abs(right).max()
        if peer:
            allowed += 1e-6 * (10 + np.abs(given.x).max())
        error = np.abs(came - right).max()
        if came.shape != right.shape or not error <= allowed:
            raise AssertionError(
                f"{name} at {given.shape}, {given.logits}: off by {error:.3g}, {allowed:.3g} is allowed"
            )
