"""TensorFlow's linear cross-entropy: the gradients come from the pass that makes the losses.

Plain differentiation of the formula makes the products of all chunks anew, and a graph runs these all at
once. The formula is what derivatives of the gradients are taken of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from .._math.linear_pass import Pass, total_of
from . import _tensorflow_namespace as namespace
from ._blocks import chunk_by_chunk
from ._tensorflow_watchers import (
    is_differentiated_again,
    is_recorded,
    is_vectorized,
    loses_custom_gradients,
)


def over_chunks(
    step: Callable[..., Any], carry: Any, rows: tuple[Any, ...], size: int
) -> tuple[Any, tuple[Any, ...]]:
    """`chunk_by_chunk`, each after the one before it: a graph would hold the logits of all at once."""
    if tf.executing_eagerly() or is_vectorized():
        return chunk_by_chunk(namespace.concat, step, carry, rows, size)
    done: list[Any] = []

    def in_turn(carry: Any, part: tuple[Any, ...]) -> Any:
        with tf.control_dependencies(done):
            part = tuple(tf.identity(array) for array in part)
        carry, results = step(carry, part)
        done[:] = [array for array in tf.nest.flatten((carry, results)) if array is not None]
        return carry, results

    return chunk_by_chunk(namespace.concat, in_turn, carry, rows, size)


def losses(exact: Callable[..., Any], one_pass: Callable[..., Pass], arrays: Any, given: Any) -> Any:
    """Each row's loss, whose gradients another pass makes."""
    if loses_custom_gradients(*arrays):
        return exact(given, *arrays)
    moving, restored = _moving(arrays)

    def formula(*moving: Any) -> Any:
        return exact(given, *restored(moving))

    def gradients(cotangent: Any, *moving: Any) -> list[Any]:
        return _slopes(one_pass(given, restored(moving), cotangent))

    @tf.custom_gradient
    def function(*moving: Any) -> Any:
        raw = one_pass(given, restored(_unrecorded(moving)), None).raw
        return raw, lambda cotangent: _differentiable(formula, gradients, cotangent, moving)

    return function(*moving)


def total(
    exact: Callable[..., Any], one_pass: Callable[..., Pass], arrays: Any, given: Any, factors: Any
) -> Any:
    """The sum of factors times losses; where a tape records, its gradients are made with it."""
    if loses_custom_gradients(*arrays, factors):
        return exact(given, *arrays, factors)
    moving, restored = _moving(arrays)
    recorded = is_recorded()

    def formula(factors: Any, *moving: Any) -> Any:
        return exact(given, *restored(moving), factors)

    @tf.custom_gradient
    def function(factors: Any, *moving: Any) -> Any:
        fixed, *still = _unrecorded((factors, *moving))
        found = one_pass(given, restored(still), fixed if recorded else None)

        def gradients(cotangent: Any, factors: Any, *moving: Any) -> list[Any]:
            if recorded:
                return [cotangent * slope for slope in (found.raw, *_slopes(found))]
            again = one_pass(given, restored(moving), cotangent * factors)
            return [cotangent * again.raw, *_slopes(again)]

        value = total_of(namespace, found.raw, fixed)
        return value, lambda cotangent: _differentiable(formula, gradients, cotangent, (factors, *moving))

    return function(factors, *moving)


def _differentiable(
    formula: Callable[..., Any], gradients: Callable[..., Any], cotangent: Any, arrays: Any
) -> list[Any]:
    """Gradients of the formula times the cotangent, made by `gradients`; their own are the formula's."""
    if is_differentiated_again():
        return _by_formula(formula, cotangent, arrays)

    @tf.custom_gradient
    def function(cotangent: Any, *arrays: Any) -> Any:
        def again(*directions: Any) -> list[Any]:
            with tf.GradientTape() as tape:
                tape.watch((cotangent, *arrays))
                found = _by_formula(formula, cotangent, arrays)
            zero = tf.UnconnectedGradients.ZERO
            return tape.gradient(found, [cotangent, *arrays], list(directions), unconnected_gradients=zero)

        return gradients(cotangent, *arrays), again

    return function(cotangent, *arrays)


def _by_formula(formula: Callable[..., Any], cotangent: Any, arrays: Any) -> list[Any]:
    with tf.GradientTape() as tape:
        tape.watch(arrays)
        value = formula(*arrays)
    zero = tf.UnconnectedGradients.ZERO
    return list(tape.gradient(value, arrays, cotangent, unconnected_gradients=zero))


def _moving(arrays: Any) -> tuple[list[Any], Callable[[Any], tuple[Any, ...]]]:
    """The arrays that are there, and what puts them back among those that are not."""
    present = [i for i, array in enumerate(arrays) if array is not None]

    def restored(moving: Any) -> tuple[Any, ...]:
        by_place = dict(zip(present, moving, strict=True))
        return tuple(by_place.get(i) for i in range(len(arrays)))

    return [arrays[i] for i in present], restored


def _unrecorded(arrays: Any) -> list[Any]:
    """An eager tape would remember what becomes of watched tensors; graphs forget by themselves."""
    return [tf.stop_gradient(array) if tf.executing_eagerly() else array for array in arrays]


def _slopes(found: Pass) -> list[Any]:
    return [slope for slope in (found.by_hidden, found.by_vectors, found.by_bias) if slope is not None]
