"""TensorFlow: eager tensors, variables, and symbolic ones inside tf.function."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from .._core.errors import type_error, value_error
from .._core.operation import OPERATIONS
from .._math.linear_pass import one_pass
from . import _tensorflow_linear, _tensorflow_programs
from . import _tensorflow_namespace as namespace
from ._blocks import alike, chunks_in_a_loop, sift_float32, value_in_blocks
from ._tensorflow_watchers import (
    is_compiled_by_xla,
    is_differentiated_again,
    is_pushed_forward,
    is_vectorized,
    loses_custom_gradients,
)
from .generic import Backend, extend, value_and_nothing, whole

_BLOCK = 1 << 17  # entries of rows that are computed together


def _attach(value: Callable[..., Any], gradients: Callable[..., Any], *arrays: Any) -> Any:
    """A custom gradient, so that a graph of the value has none; where that would be lost, a formula."""
    if loses_custom_gradients(*arrays):
        return value_and_nothing(TensorFlowBackend.xp, value, gradients, *arrays)
    return _with_gradients(value, gradients, *arrays)


def _with_gradients(value: Callable[..., Any], gradients: Callable[..., Any], *arrays: Any) -> Any:
    @tf.custom_gradient
    def function(*arrays: Any) -> Any:
        def by_arrays(cotangent: Any) -> Any:
            slopes = gradients(*arrays)
            rank = len(cotangent.shape)
            return [
                slope * (cotangent[..., None] if len(slope.shape) > rank else cotangent) for slope in slopes
            ]

        return value(*arrays), by_arrays

    return function(*arrays)


def _attach_map(value: Callable[..., Any], _: Any, pullback: Callable[..., Any], x: Any) -> Any:
    """`value(x)`, whose gradient is `pullback(x, cotangent)`; None where that would be lost."""
    if loses_custom_gradients(x):
        return None

    @tf.custom_gradient
    def function(x: Any) -> Any:
        return value(x), functools.partial(pullback, x)

    return function(x)


def _attach_short(
    value: Callable[..., Any], gradients: Callable[..., Any], exact: Callable[..., Any], *arrays: Any
) -> Any:
    """`attach` of gradients whose own derivatives are those of `exact`; None where these would be lost."""
    if loses_custom_gradients(*arrays):
        return None

    @tf.custom_gradient
    def slopes(*arrays: Any) -> Any:
        def again(*cotangents: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(arrays)
                found = exact(*arrays)
            return tape.gradient(
                found, list(arrays), list(cotangents), unconnected_gradients=tf.UnconnectedGradients.ZERO
            )

        return gradients(*arrays), again

    def either(*arrays: Any) -> Any:
        return (exact if is_differentiated_again() else slopes)(*arrays)

    return _with_gradients(value, either, *arrays)


def _sift(quick: Any, exact: Callable[..., Any], *arrays: Any) -> Any:
    """Some rows at a time on CPUs: of float32 in float64, and again if that is not good in all of them."""
    # Other devices would have to wait for what is read here; vectorized_map reads nothing.
    read = all(device.device_type == "CPU" for device in tf.config.list_logical_devices())
    if not read or is_vectorized():
        return exact(*arrays)
    xp = TensorFlowBackend.xp

    def block(*rows: Any) -> Any:
        if rows[0].dtype == tf.float32:
            return sift_float32(_WITH_PLAIN_SUMS, _again, quick, exact, *rows)
        found, good = quick.of_most(xp, *rows)
        return _again(exact, found, good, *rows)

    def loop(step: Callable[..., Any], carry: Any, stacked: tuple[Any, ...]) -> Any:
        made = tf.map_fn(lambda rows: step(carry, rows)[1], stacked, fn_output_signature=(stacked[0].dtype,))
        return carry, made

    return value_in_blocks(xp, functools.partial(chunks_in_a_loop, xp, loop), _BLOCK, block, *arrays)


def _without(x: Any, classes: Any) -> Any:
    return tf.where(TensorFlowBackend.xp.class_indices(x, classes.dtype) == classes, tf.zeros((), x.dtype), x)


def _again(formula: Callable[..., Any], found: Any, good: Any, *rows: Any) -> Any:
    """As `sift_float32` asks for it; the formula is given all rows where no shape may depend on data."""
    apart = good.shape.rank and alike(*rows) and not is_compiled_by_xla()

    def of_some() -> Any:
        places = tf.where(~good)
        return tf.tensor_scatter_nd_update(found, places, formula(*(tf.gather_nd(x, places) for x in rows)))

    def of_all() -> Any:
        return tf.where(good, found, formula(*rows))

    return tf.cond(tf.reduce_all(good), lambda: found, of_some if apart else of_all)


def _attach_label(
    loss: Callable[..., Any],
    gradient: Callable[..., Any],
    exact: Callable[..., Any],
    curvature: Callable[..., Any],
    x: Any,
    labels: Any,
) -> Any:
    """`loss(x, labels)` with its derivative by x, and that one's own; None where these would be lost."""
    if loses_custom_gradients(x):
        return None

    @tf.custom_gradient
    def slope(x: Any) -> Any:
        return gradient(x, labels), lambda t: curvature(x, labels, t)

    @tf.custom_gradient
    def value(x: Any) -> Any:
        def by_x(cotangent: Any) -> Any:
            return cotangent[..., None] * (exact(x, labels) if is_differentiated_again() else slope(x))

        return loss(x, labels), by_x

    return value(x)


@tf.custom_gradient
def _slope(x: Any) -> Any:
    """Zeros whose derivative by x is 1, at infinite x too."""
    return tf.zeros_like(x), lambda cotangent: cotangent


def _recomputed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Saves the arguments for backward, and nothing else; tf.recompute_grad has no forward mode."""

    def call(*arrays: Any) -> Any:
        moving = [i for i, x in enumerate(arrays) if x is not None and x.dtype.is_floating]
        if is_pushed_forward(*(arrays[i] for i in moving)):
            return function(*arrays)  # forward accumulators do not see custom gradients

        def part(*some: Any) -> Any:
            given = dict(zip(moving, some, strict=True))
            return function(*(given.get(i, x) for i, x in enumerate(arrays)))

        @tf.custom_gradient
        def remade(*some: Any) -> Any:
            eager = tf.executing_eagerly()
            # A tape would remember what becomes of watched tensors. Graphs forget by themselves, and what
            # vectorized_map makes of them has lost the gradient below: the formula's own is the same.
            value = part(*(tf.stop_gradient(x) for x in some)) if eager else part(*some)

            def gradient(cotangent: Any) -> Any:
                again = some if eager else _after(cotangent, some)
                with tf.GradientTape() as tape:
                    tape.watch(again)
                    value = part(*again)
                return tape.gradient(
                    value, again, cotangent, unconnected_gradients=tf.UnconnectedGradients.ZERO
                )

            return value, gradient

        return remade(*(arrays[i] for i in moving))

    return call


def _after(cotangent: Any, arrays: Any) -> list[Any]:
    """The arrays, but not before the cotangent is there: a compiler would merge what is computed again."""
    first = tf.reduce_max(tf.reshape(cotangent, [-1])[:1])
    nothing = tf.where(tf.equal(first, first), tf.zeros_like(first), first)
    return [x + tf.cast(tf.stop_gradient(nothing), x.dtype) for x in arrays]


class TensorFlowBackend(Backend):
    name = "TensorFlow"
    xp = extend(
        namespace,
        attach=_attach,
        in_parts=whole,
        sift=_sift,
        without=_without,
        slope=_slope,
        attach_short=_attach_short,
        attach_map=_attach_map,
        attach_label=_attach_label,
        take=tf.gather,
        clip=tf.clip_by_value,
        matmul=tf.linalg.matmul,
        inner=functools.partial(tf.linalg.matmul, transpose_b=True),
        recomputed=_recomputed,
        linear_pass=lambda *given: one_pass(TensorFlowBackend.xp, *given),
        linear_losses=_tensorflow_linear.losses,
        linear_total=_tensorflow_linear.total,
        over_chunks=_tensorflow_linear.over_chunks,
        barrier=lambda *arrays: arrays,
        dims=namespace.shape,
        contiguous=lambda x: x,
        class_indices=lambda x, dtype: namespace.arange(namespace.shape(x)[-1], dtype=dtype),
    )
    takes_numpy = True
    differentiates = True

    def adopt(self, operation: str, argument: str, value: Any) -> Any:
        if isinstance(value, tf.Tensor):
            if value.shape.rank is None:
                raise value_error(
                    operation, f"{argument} must have a known number of dimensions, got an unknown one"
                )
            return value
        if isinstance(value, tf.Variable):
            return tf.convert_to_tensor(value)
        advice = {"SparseTensor": "tf.sparse.to_dense", "RaggedTensor": "to_tensor() and where="}
        kind = type(value).__name__
        how = f"; convert it with {advice[kind]}" if kind in advice else ""
        raise type_error(operation, f"{argument} must be a tf.Tensor or tf.Variable, got tf.{kind}{how}")

    def asarray(self, value: np.ndarray) -> Any:
        return tf.convert_to_tensor(value)

    def dtype(self, name: str) -> Any:
        return tf.dtypes.as_dtype(name)

    def default_float(self, like: Any) -> str:
        return "float32"

    def device(self, value: Any) -> Any:
        return (
            getattr(value, "device", "") or None if tf.is_tensor(value) and hasattr(value, "numpy") else None
        )

    def shape(self, value: Any) -> tuple[Any, ...]:
        return tuple(value.shape)

    def read(self, value: Any) -> np.ndarray | None:
        if not hasattr(value, "numpy") or "CPU" not in value.device:
            return None
        return value.numpy()

    def run(self, kernel: Callable[..., Any], plan: Any, operands: Any) -> Any:
        # Eager operations settle on the first device of their kind unless told otherwise.
        where = self.device(operands[plan.operation.arrays[0]])
        if where is None:
            return kernel(self.xp, plan, operands)
        with tf.device(where):
            return _tensorflow_programs.run(self.xp, kernel, plan, operands)

    def value_and_grad(
        self, function: Callable[..., Any], argnums: tuple[int, ...], arrays: Any, options: Any
    ):
        watched = [tf.convert_to_tensor(a) if i in argnums else a for i, a in enumerate(arrays)]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            sources = [watched[i] for i in argnums]
            tape.watch(sources)
            value = function(*watched, **options)
        grads = tape.gradient(value, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return value, tuple(grads)


# For sums in float64 of which float32 is enough.
_WITH_PLAIN_SUMS = extend(
    TensorFlowBackend.xp, sum=lambda x, axis, keepdims=False: tf.reduce_sum(x, axis, keepdims)
)
BACKEND = TensorFlowBackend()

# tf.function translates the source of what it calls; functions with this mark it calls as they are. Nothing
# in an operation depends on data by Python's own control flow, so there is nothing to translate.
for _entry in OPERATIONS.values():
    _entry.function.autograph_info__ = {}
