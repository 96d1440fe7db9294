"""TensorFlow's transforms."""

from __future__ import annotations

import tempfile
from typing import Any

from .base import Case, Lazy, Results, times, transform, weighted

tf: Any = Lazy("tensorflow")


def _both(case: Case, function: Any) -> Results:
    with tf.GradientTape() as tape:
        tape.watch(case.array)
        value = function(*case.arrays)
    # The gradient of what was gathered comes as tf.IndexedSlices.
    gradient = tf.convert_to_tensor(tape.gradient(value, case.array, case.cotangent))
    return {"value": value, "gradient": gradient}


@transform()
def variable(case: Case) -> Results:
    held = tf.Variable(case.array)
    with tf.GradientTape() as tape:
        value = case.of_array(held)
    return {"value": value, "gradient": tape.gradient(value, held, case.cotangent)}


@transform(3)
def function(case: Case) -> Results:
    return _both(case, tf.function(case.function, autograph=False))


@transform(1)
def function_of_unknown_shapes(case: Case) -> Results:
    """Only the number of dimensions is known when it is traced."""
    signature = [tf.TensorSpec([None] * len(a.shape), a.dtype) for a in case.arrays]
    return _both(case, tf.function(case.function, autograph=False, input_signature=signature))


@transform(1)
def gradient_in_function(case: Case) -> Results:
    traced = tf.function(lambda *arrays: _gradient_of(case, arrays), autograph=False)
    return {"gradient": traced(*case.arrays)}


def _gradient_of(case: Case, arrays: tuple[Any, ...]) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(arrays[0])
        value = case.function(*arrays)
    return tf.convert_to_tensor(tape.gradient(value, arrays[0], case.cotangent))


@transform(1)
def xla(case: Case) -> Results:
    return _both(case, tf.function(case.function, autograph=False, jit_compile=True))


def _mapped(case: Case) -> Any:
    def call(*arrays: Any) -> Any:
        some = tuple(a for a, own in zip(arrays, case.examples, strict=True) if own)
        return tf.vectorized_map(lambda one: case.of_examples(*one), some, fallback_to_while_loop=False)

    return call


@transform(2, maps=True)
def vectorized_map(case: Case) -> Results:
    return _both(case, _mapped(case))


@transform(1, maps=True)
def map_fn(case: Case) -> Results:
    def call(*arrays: Any) -> Any:
        some = tuple(a for a, own in zip(arrays, case.examples, strict=True) if own)
        spec = tf.TensorSpec(case.cotangent.shape[1:], case.cotangent.dtype)
        return tf.map_fn(lambda one: case.of_examples(*one), some, fn_output_signature=spec)

    return _both(case, call)


@transform(1, size=32)
def jacobian(case: Case) -> Results:
    with tf.GradientTape() as tape:
        tape.watch(case.array)
        value = case.of_array(case.array)
    found = tape.jacobian(value, case.array)
    return {"gradient": weighted(found.numpy(), case.cotangent.numpy())}


@transform(1, size=16)
def jacobian_of_gradient(case: Case) -> Results:
    with tf.GradientTape() as tape:
        tape.watch(case.array)
        gradient = _both(case, case.function)["gradient"]
    found = tape.jacobian(gradient, case.array)
    return {"product": times(found.numpy(), case.direction.numpy())}


@transform(1)
def recompute_grad(case: Case) -> Results:
    return _both(case, tf.recompute_grad(case.function))


@transform(1)
def saved_model(case: Case) -> Results:
    """To a folder and back, with its gradient."""
    signature = [tf.TensorSpec(a.shape, a.dtype) for a in case.arrays]
    module = tf.Module()
    module.call = tf.function(case.function, autograph=False, input_signature=signature)
    with tempfile.TemporaryDirectory() as folder:
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=True)
        tf.saved_model.save(module, folder, options=options)
        read = tf.saved_model.load(folder)
        return _both(case, read.call)
