"""What test_keras_loss.py checks on one backend of Keras: run as `python -m tests.keras_checks`.

Keras chooses its backend once in a process, by KERAS_BACKEND, so every backend gets a process.
"""

from __future__ import annotations

import copy
import functools
import pickle
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

import uniflogits as ul

CE = ul.softmax_cross_entropy_with_integer_labels
BACKEND = keras.backend.backend()
LOGITS = np.array([[2.5, 1.0, -1.2], [0.0, 4.0, 1.0], [0.5, -0.5, 0.0], [1.0, 2.0, 3.0]], np.float32)
LABELS = np.array([0, 2, 1, 1])
CHECKS: list[Callable[[], None]] = []


def check(function: Callable[[], None]) -> Callable[[], None]:
    CHECKS.append(function)
    return function


def tensor(value: Any, dtype: str = "float32") -> Any:
    """As Keras hands arrays to a loss."""
    return keras.ops.convert_to_tensor(value, dtype=dtype)


def array(value: Any) -> np.ndarray:
    return keras.ops.convert_to_numpy(value)


def gradient(function: Callable[[Any], Any], x: np.ndarray) -> np.ndarray:
    """Of the sum of a function, by the backend's reverse mode."""
    if BACKEND == "jax":
        import jax

        return np.asarray(jax.grad(lambda x: function(x).sum())(tensor(x)))
    if BACKEND == "torch":
        leaf = tensor(x).detach().requires_grad_()
        function(leaf).sum().backward()
        return leaf.grad.numpy()
    import tensorflow as tf

    leaf = tf.Variable(x)
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(function(leaf + 0.0))
    return tape.gradient(value, leaf).numpy()


@check
def turns_the_arguments_round() -> None:
    expected = CE(LOGITS, LABELS, label_smoothing=0.1)
    loss = ul.keras_loss(CE, label_smoothing=0.1)
    for labels in (tensor(LABELS), tensor(LABELS[:, None]), tensor(LABELS, "int64"), tensor(LABELS, "uint8")):
        np.testing.assert_allclose(array(loss(labels, tensor(LOGITS))), expected, rtol=1e-6)
    dense = np.eye(3, dtype=np.float32)[LABELS]
    ours = ul.keras_loss(ul.softmax_cross_entropy)(tensor(dense), tensor(LOGITS))
    np.testing.assert_allclose(array(ours), CE(LOGITS, LABELS), rtol=1e-6)
    # One loss per example of several outputs, as Keras' own gives.
    ours = ul.keras_loss(ul.sigmoid_binary_cross_entropy)(tensor(dense), tensor(LOGITS))
    expected = ul.sigmoid_binary_cross_entropy(LOGITS, dense).mean(axis=1)
    np.testing.assert_allclose(array(ours), expected, rtol=1e-6)


@check
def takes_classes_along_another_axis() -> None:
    logits = np.stack([LOGITS, LOGITS[::-1]])  # (2, 4, 3): the classes are 4
    labels = np.array([[0, 1, 3], [2, 0, 1]])
    ours = ul.keras_loss(CE, axis=1)(tensor(labels), tensor(logits))
    np.testing.assert_allclose(array(ours), CE(logits, labels, axis=1), rtol=1e-6)


@check
def gives_nan_where_a_label_is_no_integer() -> None:
    for bad in (0.5, -0.25, 2.0**24, -(2.0**24), np.nan, np.inf):
        labels = LABELS.astype(np.float32)
        labels[1] = bad
        for options in ({}, {"ignore_index": 0}, {"ignore_index": -100}, {"label_smoothing": 0.1}):
            loss = ul.keras_loss(CE, **options)
            values = array(loss(tensor(labels), tensor(LOGITS)))
            pushed = gradient(functools.partial(loss, tensor(labels)), LOGITS)
            assert np.isnan(values).tolist() == [False, True, False, False], (bad, options, values)
            assert np.isnan(pushed).any(axis=1).tolist() == [False, True, False, False], (bad, options)


@check
def keeps_labels_that_mean_something() -> None:
    labels = np.array([0, -100, 1, -100], np.float32)
    ours = array(ul.keras_loss(CE, ignore_index=-100)(tensor(labels), tensor(LOGITS)))
    np.testing.assert_allclose(ours, CE(LOGITS, labels.astype(int), ignore_index=-100), rtol=1e-6)
    for wrong in (3.0, -1.0):
        try:
            ul.keras_loss(CE)(tensor([0, wrong, 1, 1]), tensor(LOGITS))
        except ValueError as error:
            assert f"labels must be class indices from 0 to 2 (3 classes along axis 1), got {wrong:g}" in str(
                error
            )
        else:
            raise AssertionError(f"label {wrong} was taken")


def model(outputs: int, **compiled: Any) -> Any:
    keras.utils.set_random_seed(0)
    made = keras.Sequential([keras.Input((5,)), keras.layers.Dense(outputs)])
    made.compile(optimizer=keras.optimizers.SGD(0.5), **compiled)
    return made


def curve(made: Any, y: np.ndarray, weights: np.ndarray) -> list[float]:
    x = np.random.default_rng(0).normal(size=(len(y), 5)).astype(np.float32)
    fitted = made.fit(x, y, sample_weight=weights, batch_size=16, epochs=2, shuffle=False, verbose=0)
    return fitted.history["loss"]


@check
def trains_as_keras_own() -> None:
    rng = np.random.default_rng(1)
    weights = rng.uniform(0.5, 2, size=32).astype(np.float32)
    theirs = curve(
        model(3, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)),
        classes := rng.integers(0, 3, size=32),
        weights,
    )
    for y in (classes, classes[:, None].astype(np.float32)):
        ours = curve(model(3, loss=ul.keras_loss(CE)), y, weights)
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    several = rng.integers(0, 2, size=(32, 4)).astype(np.float32)
    theirs = curve(model(4, loss=keras.losses.BinaryCrossentropy(from_logits=True)), several, weights)
    ours = curve(model(4, loss=ul.keras_loss(ul.sigmoid_binary_cross_entropy)), several, weights)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@check
def shows_a_label_that_is_no_integer_in_training() -> None:
    """Where Keras compiles, nothing can be raised: the loss is NaN, and so is the model."""
    y = LABELS.astype(np.float32)
    y[2] = 0.5
    made = model(3, loss=ul.keras_loss(CE))
    made.fit(np.ones((4, 5), np.float32), y, batch_size=4, verbose=0)
    assert np.isnan(made.evaluate(np.ones((4, 5), np.float32), LABELS, verbose=0))


@check
def survives_saving() -> None:
    loss = ul.keras_loss(CE, class_weights=np.array([1.0, 2.0, 0.5]), label_smoothing=0.1)
    made = model(3, loss=loss)
    x, y = np.ones((4, 5), np.float32), LABELS
    with tempfile.TemporaryDirectory() as folder:
        made.save(path := Path(folder) / "model.keras")
        loaded = keras.saving.load_model(path)
    assert repr(loaded.loss) == repr(loss)
    np.testing.assert_allclose(loaded.evaluate(x, y, verbose=0), made.evaluate(x, y, verbose=0), rtol=1e-6)
    for other in (pickle.loads(pickle.dumps(loss)), copy.deepcopy(loss), copy.copy(loss)):
        assert repr(other) == repr(loss)
        ours = array(other(tensor(LABELS), tensor(LOGITS)))
        np.testing.assert_array_equal(ours, array(loss(tensor(LABELS), tensor(LOGITS))))


def main() -> int:
    failed = 0
    for one in CHECKS:
        try:
            one()
        except Exception:
            failed += 1
            print(f"{one.__name__} on {BACKEND}:\n{traceback.format_exc()}", file=sys.stderr)
    print(f"{len(CHECKS) - failed} of {len(CHECKS)} passed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
