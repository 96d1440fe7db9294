"""Two libraries or two devices in one call: an error naming both; NumPy beside JAX and TensorFlow is fine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import uniflogits as ul

from . import adapters, answers
from .harness import Cell, ready
from .judging import check_value
from .specs.base import Sample

TITLES = {
    "numpy": "NumPy",
    "jax": "JAX",
    "torch": "torch",
    "tensorflow": "TensorFlow",
    "strict": "array-api-strict",
    "dask": "Dask",
}
X = np.array([[1.0, 2.0], [0.5, -1.0]], dtype=np.float32)
TAKES_NUMPY = ("jax", "tensorflow")


def _pairs() -> list[Any]:
    """Every two libraries that may share a process."""
    names = [name for name in TITLES if name != "tensorflow"]
    pairs = [(a, b) for a in names for b in names if a < b]
    pairs += [(a, "tensorflow") for a in ("numpy",)]
    return [
        pytest.param(a, b, id=f"{a}-{b}", marks=[pytest.mark.backend(*({a, b} - {"numpy"}))])
        for a, b in pairs
    ]


@pytest.mark.parametrize(("one", "other"), _pairs())
def test_two_libraries(one: str, other: str) -> None:
    for a, b in ((one, other), (other, one)):
        x, y = adapters.get(a).array(X), adapters.get(b).array(np.eye(2, dtype=np.float32))
        if "numpy" in (a, b) and {a, b} & set(TAKES_NUMPY):
            result = ul.softmax_cross_entropy(x, y)
            assert adapters.get(b if a == "numpy" else a).is_result(result)
            continue
        # The message names the library that decides first, NumPy last.
        first, second = ((b, "labels"), (a, "logits")) if a == "numpy" else ((a, "logits"), (b, "labels"))
        expected = (
            f"softmax_cross_entropy: all arrays must be of one library, "
            f"got {first[1]} from {TITLES[first[0]]} and {second[1]} from {TITLES[second[0]]}"
        )
        with pytest.raises(TypeError) as caught:
            ul.softmax_cross_entropy(x, y)
        assert str(caught.value) == expected


@adapters.each(*TAKES_NUMPY, argument="name")
def test_numpy_beside_another_library_again(name: str) -> None:
    """What the first call of a form has found out knows nothing of arrays that are to be converted."""
    cell = Cell("value", "softmax_cross_entropy_with_integer_labels", name, "float32")
    labels, weights = np.asarray([1, 0]), np.asarray([0.5, 1.0], np.float32)
    one = ready(cell, Sample("again", {"logits": X, "labels": labels, "weights": weights}))
    adapter, loss, failures = cell.adapter, cell.public, cell.failures()
    x = adapter.array(X)
    for _ in range(3):
        for given in ((x, labels), (X, adapter.array(labels))):
            result = loss(*given, weights=weights)
            assert adapter.is_result(result)
            with answers.unkept():
                check_value(cell, one, failures, "again", adapter.to_numpy(result))
        with pytest.raises(ValueError, match=r"labels must be class indices from 0 to 1 .* got 4294967297"):
            loss(x, np.asarray([2**32 + 1, 0]))
    failures.finish()


@adapters.each("torch", "strict", "dask", argument="name")
def test_keyword_arrays_belong_to_the_same_library(name: str) -> None:
    x = adapters.get(name).array(X)
    for option, value in (("where", np.array([True, False])), ("weights", np.ones(2, dtype=np.float32))):
        with pytest.raises(TypeError, match=f"logits from {TITLES[name]} and {option} from NumPy"):
            ul.softmax_cross_entropy_with_integer_labels(x, [0, 1], **{option: value})
    with pytest.raises(TypeError, match="NumPy"):
        ul.vjp(ul.softmax, x)[1](np.ones((2, 2), dtype=np.float32))


@adapters.each("jax", "tensorflow", "strict", argument="name")
def test_two_devices(name: str) -> None:
    adapter = adapters.get(name)
    x, y = adapter.array(X), adapter.array(np.eye(2, dtype=np.float32), device=adapter.devices[0])
    if name == "jax":
        import jax

        x = jax.device_put(x, jax.devices("cpu")[0])  # committed: elsewhere is an error
    with pytest.raises(
        ValueError, match=r"all arrays must be on one device, got logits on .+ and labels on .+"
    ):
        ul.softmax_cross_entropy(x, y)


@adapters.each(argument="name")
def test_lists_and_numbers_follow_the_arrays(name: str) -> None:
    """Python numbers and lists take library, device and dtype of the arrays beside them."""
    adapter = adapters.get(name)
    x = adapter.array(X)
    with adapter.calling():
        results = [
            ul.softmax_cross_entropy(x, [[1.0, 0.0], [0.25, 0.75]], weights=[2.0, 0.5]),
            ul.softmax_cross_entropy_with_integer_labels(x, [1, 0], weights=2.0, class_weights=[1.0, 3.0]),
            ul.softmax(x, where=[True, False]),
            ul.sigmoid_binary_cross_entropy(x, [[1, 0], [0, 1]], pos_weight=3),
        ]
    for result in results:
        assert adapter.is_result(result)
        assert adapter.dtype(result) == "float32"


def test_python_alone_means_numpy() -> None:
    for result in (ul.softmax([1.0, 2.0]), ul.softmax([[1, 2], [3, 4]]), ul.softmax((1, 2))):
        assert type(result) is np.ndarray and result.dtype == np.float64
    assert type(ul.sigmoid(0.5)) is np.float64
    assert type(ul.logsumexp([1.0, 2.0])) is np.float64


@pytest.mark.backend("tensorflow")
def test_variables_give_tensors() -> None:
    import tensorflow as tf

    variable = tf.Variable(X)
    assert adapters.get("tensorflow").is_result(ul.softmax(variable))
    with tf.GradientTape() as tape:
        loss = ul.softmax_cross_entropy_with_integer_labels(variable, [0, 1], reduction="mean")
    assert tape.gradient(loss, variable) is not None


@pytest.mark.backend("torch")
def test_parameters_give_tensors_with_gradients() -> None:
    import torch

    parameter = torch.nn.Parameter(torch.tensor(X))
    loss = ul.softmax_cross_entropy_with_integer_labels(parameter, [0, 1], reduction="mean")
    assert type(loss) is torch.Tensor
    loss.backward()
    assert parameter.grad is not None and parameter.grad.dtype == torch.float32
