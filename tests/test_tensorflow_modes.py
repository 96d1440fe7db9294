"""TensorFlow's ways to a second derivative: those that see a custom gradient and those that do not."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import uniflogits as ul

from . import adapters
from .harness import spec_of

pytestmark = pytest.mark.backend("tensorflow")

LOSS = ul.softmax_cross_entropy_with_integer_labels
# In the first two rows a class that is not the label dominates.
X = np.asarray([[0.0, 40.0, 1.0], [30.0, 0.0, 60.0], [0.0, 1.0, 2.0]])
LABELS = np.asarray([0, 0, 2])
WAYS = (
    "reverse",
    "forward",
    "jacobian",
    "vectorized",
    "function",
    "traced before",
    "forward over function",
    "tf.gradients",
)
OPTIONS = {"plain": {}, "smoothed": {"label_smoothing": 0.25}}


def _gradient(tf: Any, x: Any, loss: Callable[..., Any]) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = tf.reduce_sum(loss(x, tf.constant(LABELS)))
    return tape.gradient(value, x)


def _first(tf: Any, way: str, loss: Callable[..., Any]) -> Callable[[Any], Any]:
    """The gradient, as a function that is differentiated again."""
    if way == "tf.gradients":
        return lambda x: tf.gradients(loss(x, tf.constant(LABELS)), x)[0]
    if way == "jacobian":

        def by_jacobian(x: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(x)
                value = loss(x, tf.constant(LABELS))
            return tf.reduce_sum(tape.jacobian(value, x), axis=0)

        return by_jacobian
    if way == "vectorized":
        return lambda x: _gradient(tf, x, lambda *arrays: tf.vectorized_map(lambda one: loss(*one), arrays))
    if way in ("function", "forward over function"):
        return lambda x: _gradient(tf, x, tf.function(loss, autograph=False))
    first = lambda x: _gradient(tf, x, loss)  # noqa: E731
    if way == "traced before":
        first = tf.function(first, autograph=False)
        first(tf.constant(X))
    return first


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("options", list(OPTIONS))
def test_hessian(way: str, graph: bool, options: str) -> None:
    adapters.get("tensorflow")
    import tensorflow as tf

    given = OPTIONS[options]
    first = _first(tf, way, functools.partial(LOSS, **given))

    def product(x: Any, t: Any) -> Any:
        if way.startswith("forward"):
            with tf.autodiff.ForwardAccumulator(x, t) as accumulator:
                gradient = first(x)
            return accumulator.jvp(gradient)
        if way == "tf.gradients":
            return tf.gradients(first(x), x, t)[0]
        with tf.GradientTape() as tape:
            tape.watch(x)
            gradient = first(x)
        return tape.gradient(gradient, x, t)

    symbolic = graph or way == "tf.gradients"  # which does not exist outside of graphs
    call = tf.function(product, autograph=False) if symbolic else product
    bound = 2 * spec_of(LOSS.__name__).tolerance.second * 2.0**-52  # both may be off
    for t in np.eye(3):
        tangent = np.broadcast_to(t, X.shape)
        _, expected = ul.jvp(ul.grad(LOSS), (X, LABELS), (tangent, None), **given)
        found = call(tf.constant(X), tf.constant(tangent)).numpy()
        np.testing.assert_allclose(found, expected, rtol=bound, atol=0)
