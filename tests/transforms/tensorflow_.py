"""TensorFlow's transforms."""

from __future__ import annotations

import tempfile
from typing import Any

from .base import Case, Lazy, Results, transform

tf: Any = Lazy("tensorflow")


def _both(case: Case, function: Any, arrays: tuple[Any, ...] = ()) -> Results:
    arrays = arrays or case.arrays
    with tf.GradientTape() as tape:
        tape.watch(arrays[0])
        value = function(*arrays)
    # The gradient of what was gathered comes as tf.IndexedSlices.
    gradient = tf.convert_to_tensor(tape.gradient(value, arrays[0], case.cotangent))
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
    return tf.function(lambda *arrays: _both(case, case.function, arrays), autograph=False)(*case.arrays)


@transform(1)
def xla(case: Case) -> Results:
    return _both(case, tf.function(case.function, autograph=False, jit_compile=True))


@transform(2, maps=True)
def vectorized_map(case: Case) -> Results:
    def mapped(*arrays: Any) -> Any:
        some = case.with_examples(arrays)
        return tf.vectorized_map(lambda one: case.of_examples(*one), some, fallback_to_while_loop=False)

    return _both(case, mapped)


@transform(1, maps=True)
def map_fn(case: Case) -> Results:
    spec = tf.TensorSpec(case.cotangent.shape[1:], case.cotangent.dtype)

    def mapped(*arrays: Any) -> Any:
        some = case.with_examples(arrays)
        return tf.map_fn(lambda one: case.of_examples(*one), some, fn_output_signature=spec)

    return _both(case, mapped)


@transform(1, size=32)
def jacobian(case: Case) -> Results:
    with tf.GradientTape() as tape:
        tape.watch(case.array)
        value = case.of_array(case.array)
    return case.gradient_by(tape.jacobian(value, case.array))


@transform(1, size=16)
def jacobian_of_gradient(case: Case) -> Results:
    with tf.GradientTape() as tape:
        tape.watch(case.array)
        gradient = _both(case, case.function)["gradient"]
    return case.product_by(tape.jacobian(gradient, case.array))


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
