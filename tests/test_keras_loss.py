"""keras_loss: what it refuses, and on each backend of Keras what keras_checks.py says."""

from __future__ import annotations

import copy
import functools
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import uniflogits as ul
from uniflogits._core.operation import OPERATIONS

from . import adapters

ROOT = Path(__file__).parent.parent
CE = ul.softmax_cross_entropy_with_integer_labels
LOGITS, LABELS = np.array([[2.5, 1.0, -1.2], [0.0, 4.0, 1.0]]), np.array([0, 2])


@pytest.mark.slow
@adapters.each("jax", "torch", "tensorflow")
def test_on_every_backend_of_keras(backend: str) -> None:
    pytest.importorskip("keras", reason="Keras comes with TensorFlow")
    environment = os.environ | {
        "KERAS_BACKEND": backend,
        "CUDA_VISIBLE_DEVICES": "-1",
        "JAX_PLATFORMS": "cpu",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.keras_checks"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "7 of 7 passed" in done.stdout


def _losses() -> list[str]:
    return [name for name, one in OPERATIONS.items() if one.arrays == ("logits", "labels")]


@pytest.mark.parametrize("name", _losses())
def test_gives_one_loss_per_example(name: str) -> None:
    operation = getattr(ul, name)
    labels = LABELS if OPERATIONS[name].roles["labels"] == "integer_labels" else np.eye(3)[LABELS]
    expected = operation(LOGITS, labels)
    if expected.ndim == 2:
        expected = expected.mean(axis=1)
    loss = ul.keras_loss(operation)
    np.testing.assert_array_equal(loss(labels.astype(np.float32), LOGITS), expected)
    assert loss.name == name


def test_takes_a_partial() -> None:
    loss = ul.keras_loss(functools.partial(CE, label_smoothing=0.1, z_loss=1e-4), label_smoothing=0.2)
    assert repr(loss) == (
        "uniflogits.keras_loss(uniflogits.softmax_cross_entropy_with_integer_labels, "
        "label_smoothing=0.2, z_loss=0.0001)"
    )
    expected = CE(LOGITS, LABELS, label_smoothing=0.2, z_loss=1e-4)
    np.testing.assert_array_equal(loss(LABELS, LOGITS), expected)


def test_can_be_copied_pickled_and_described() -> None:
    weights = np.array([1.0, 2.0, 0.5])
    loss = ul.keras_loss(CE, class_weights=weights, ignore_index=1)
    config = loss.get_config()
    assert config == {
        "op": "softmax_cross_entropy_with_integer_labels",
        "options": {"class_weights": [1.0, 2.0, 0.5], "ignore_index": 1},
    }
    others = [
        pickle.loads(pickle.dumps(loss)),
        copy.deepcopy(loss),
        copy.copy(loss),
        loss.from_config(config),
    ]
    weights[:] = 0  # what the caller does with it later is nothing to the loss
    for other in others:
        np.testing.assert_array_equal(other(LABELS, LOGITS), loss(LABELS, LOGITS))
        assert repr(other) == repr(loss)
    dense = ul.keras_loss(ul.softmax_cross_entropy, axis=(0, 1))
    assert dense.from_config({**dense.get_config(), "options": {"axis": [0, 1]}}).options == dense.options


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (
            lambda: ul.keras_loss(ul.softmax),
            TypeError,
            "keras_loss: op must be a loss of uniflogits that takes logits and labels (",
        ),
        (lambda: ul.keras_loss(ul.softmax), TypeError, "), got softmax"),
        (lambda: ul.keras_loss(np.mean), TypeError, "), got mean"),
        (
            lambda: ul.keras_loss(ul.grad(CE)),
            TypeError,
            "got grad(softmax_cross_entropy_with_integer_labels)",
        ),
        (
            lambda: ul.keras_loss(functools.partial(CE, LOGITS)),
            TypeError,
            "keras_loss: op must not be a partial that gives arrays by position",
        ),
        (
            lambda: ul.keras_loss(CE, reduction="mean"),
            TypeError,
            "keras_loss: reduction must be left to Keras, which adds the losses up itself, got 'mean'",
        ),
        (
            lambda: ul.keras_loss(ul.softmax_cross_entropy, smoothing=0.1),
            TypeError,
            "keras_loss: softmax_cross_entropy has no option 'smoothing'; its options are: axis, where, "
            "weights, class_weights, label_smoothing, z_loss",
        ),
        (
            lambda: ul.keras_loss(CE, label_smoothing=2.0),
            ValueError,
            "softmax_cross_entropy_with_integer_labels: label_smoothing must be between 0 and 1, got 2.0",
        ),
        (
            lambda: ul.keras_loss(CE)(np.eye(3, dtype=np.float32)[LABELS], LOGITS),
            ValueError,
            "for one-hot or soft labels use softmax_cross_entropy",
        ),
        (
            lambda: ul.keras_loss(CE)(np.zeros(3, np.float32), LOGITS),
            ValueError,
            "labels must have the shape of logits without the class axis, (2,), got (3,)",
        ),
        (
            lambda: ul.keras_loss(CE)(np.array([0.0, 3.0], np.float32), LOGITS),
            ValueError,
            "labels must be class indices from 0 to 2 (3 classes along axis 1), got 3",
        ),
    ],
)
def test_refuses(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert text in str(caught.value)


@pytest.mark.parametrize(("dtype", "first_inexact"), [("float16", 2**11), ("float32", 2**24)])
def test_labels_that_a_float_cannot_tell_apart(dtype: str, first_inexact: int) -> None:
    """The largest label that is certain is taken for itself, the next is NaN."""
    labels = np.array([first_inexact - 1, first_inexact], dtype)
    values = ul.keras_loss(CE, ignore_index=first_inexact - 1)(labels, LOGITS)
    assert values[0] == 0 and np.isnan(values[1])
