"""linear_cross_entropy in graphs of TensorFlow: one pass for loss and gradients, one chunk after another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import uniflogits as ul

from . import adapters
from .tolerances import TOLERANCES

pytestmark = pytest.mark.backend("tensorflow")
BOUND = TOLERANCES["linear_cross_entropy"].second
_RNG = np.random.default_rng(17)
ROWS, WIDTH, CLASSES, CHUNK = 48, 4, 8, 16
H, VECTORS = _RNG.normal(size=(ROWS, WIDTH)), _RNG.normal(size=(CLASSES, WIDTH))
VECTORS[5] = VECTORS[4]  # logits tie, where plain differentiation of the pass goes wrong
LABELS = _RNG.integers(0, CLASSES, size=ROWS)


def _loss(reduction: str) -> Any:
    return lambda h, vectors: ul.linear_cross_entropy(
        h, vectors, LABELS, reduction=reduction, chunk_size=CHUNK
    )


def _arrays() -> list[Any]:
    adapter = adapters.get("tensorflow")
    return [adapter.array(H), adapter.array(VECTORS)]


def _products(reduction: str) -> list[Any]:
    """The products that the graph of a loss with its gradients is made of."""
    import tensorflow as tf

    @tf.function(autograph=False)
    def both(h: Any, vectors: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch([h, vectors])
            value = _loss(reduction)(h, vectors)
        return value, tape.gradient(value, [h, vectors])

    graph = both.get_concrete_function(*_arrays()).graph
    return [op for op in graph.get_operations() if "MatMul" in op.type]


def _before(op: Any) -> set[str]:
    """Names of all that has to be done before this."""
    found: set[str] = set()
    newest = {op}
    while newest:
        newest = {
            other
            for one in newest
            for other in (*(tensor.op for tensor in one.inputs), *one.control_inputs)
            if other.name not in found
        }
        found |= {one.name for one in newest}
    return found


@pytest.mark.parametrize(("reduction", "products"), [("sum", 3), ("mean", 3), ("none", 4)])
def test_no_product_is_made_again(reduction: str, products: int) -> None:
    """Logits and two gradients; where the cotangents come later, the logits once more."""
    assert len(_products(reduction)) == products * ROWS // CHUNK


def test_chunks_wait_for_each_other() -> None:
    products = _products("sum")
    names = {op.name for op in products}
    waited_for = sorted(len(names & _before(op)) for op in products)
    # The first waits for nothing, its gradients for it, and each later chunk for all of the one before it.
    assert waited_for == [0, 1, 1, 3, 4, 4, 6, 7, 7]


@pytest.mark.parametrize("reduction", ["sum", "mean", "none"])
@pytest.mark.parametrize("place", ["inside", "outside", "between", "eager"])
def test_second_derivatives_are_the_formulas(reduction: str, place: str) -> None:
    """Tapes around a graph differentiate its backward pass, those in it what is traced."""
    import tensorflow as tf

    arrays, direction = _arrays(), adapters.get("tensorflow").array(_RNG.normal(size=H.shape))
    loss = _loss(reduction)
    total = loss if reduction != "none" else lambda h, vectors: tf.reduce_sum(loss(h, vectors))
    wrapped = tf.function(autograph=False)
    graph = wrapped(total) if place == "outside" else total

    def gradient(h: Any, vectors: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(h)
            value = graph(h, vectors)
        return tape.gradient(value, h)

    if place == "between":
        # A graph that was made when nobody watched it is differentiated as it is.
        gradient = wrapped(gradient)
        gradient(*arrays)

    def second(h: Any, vectors: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch([h, vectors])
            slope = gradient(h, vectors)
        return tape.gradient(slope, [h, vectors], direction)

    found = (wrapped(second) if place == "inside" else second)(*arrays)
    options = {"reduction": "mean" if reduction == "mean" else "sum"}
    *right, _ = ul.vjp(ul.grad(ul.linear_cross_entropy), H, VECTORS, LABELS, **options)[1](direction.numpy())
    for one, other in zip(found, right, strict=True):
        # Either may be off by as much, in ulps of the largest number.
        bound = 2 * BOUND * 2.0**-52 * np.abs(other).max()
        np.testing.assert_allclose(one.numpy(), other, rtol=0, atol=bound)
