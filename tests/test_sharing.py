"""Threads, copies, partials and calls within calls: nothing is shared but what is meant to be."""

from __future__ import annotations

import concurrent.futures
import copy
import functools
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import uniflogits as ul
from uniflogits._core.operation import OPERATIONS

from . import adapters

ROOT = Path(__file__).parent.parent
LOSS = ul.softmax_cross_entropy_with_integer_labels
X, LABELS = np.array([[2.5, 1.0, -1.2], [0.0, 4.0, 1.0]]), np.array([0, 2])
MEAN = functools.partial(LOSS, reduction="mean")


backends = functools.partial(adapters.each, argument="name")
every = backends("numpy", "jax", "torch", "tensorflow", "strict")


@backends("numpy", "jax", "torch", "tensorflow")
def test_threads_share_nothing(name: str) -> None:
    """Many threads at once give what one gives, and no call changes an earlier result."""
    adapter = adapters.get(name)
    inputs = [adapter.array(np.random.default_rng(i).normal(size=(4, 7)), "float32") for i in range(8)]
    alone = [adapter.to_numpy(ul.softmax(x)).copy() for x in inputs]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(ul.softmax, inputs * 8))
    for i, result in enumerate(results):
        np.testing.assert_array_equal(adapter.to_numpy(result), alone[i % 8])


def _train(name: str) -> Callable[[], list[np.ndarray]]:
    """A few steps of gradient descent with one library; all that came out of them."""
    adapter = adapters.get(name)
    x, labels = adapter.array(X), adapter.array(LABELS)

    def run() -> list[np.ndarray]:
        logits, found = x, []
        for smoothing in (0.0, 0.1, 0.2, 0.3, 0.4):
            loss, gradient = ul.value_and_grad(LOSS)(
                logits, labels, reduction="mean", label_smoothing=smoothing
            )
            logits = logits - gradient
            found += [adapter.to_numpy(one).copy() for one in (loss, gradient, ul.entropy(logits))]
        return found

    return run


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(a, b, marks=pytest.mark.backend(*({a, b} - {"numpy"})))
        for a, b in (("numpy", "jax"), ("numpy", "tensorflow"), ("numpy", "torch"), ("jax", "torch"))
    ],
)
def test_two_libraries_in_two_threads(one: str, other: str) -> None:
    runs = _train(one), _train(other)
    alone = [run() for run in runs]
    start = threading.Barrier(4)

    def together(run: Callable[[], list[np.ndarray]]) -> list[list[np.ndarray]]:
        start.wait(timeout=60)
        return [run() for _ in range(4)]

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(together, runs * 2))
    for i, repeated in enumerate(results):
        for found in repeated:
            for ours, expected in zip(found, alone[i % 2], strict=True):
                np.testing.assert_array_equal(ours, expected)


FIRST_CALLS = """
import threading, numpy as np, uniflogits as ul
{imports}
x = np.array([[2.5, 1.0, -1.2]])
arrays = [np.asarray(x), {arrays}] * 4
found, start = [None] * len(arrays), threading.Barrier(len(arrays))
def call(i):
    start.wait()
    found[i] = np.asarray(ul.softmax_cross_entropy(arrays[i], arrays[i], reduction="mean"))
threads = [threading.Thread(target=call, args=(i,)) for i in range(len(arrays))]
for thread in threads: thread.start()
for thread in threads: thread.join()
np.testing.assert_allclose(found, found[0], rtol=1e-6)
"""


@pytest.mark.parametrize(
    ("imports", "arrays"),
    [
        pytest.param(
            "import torch, array_api_strict",
            "torch.asarray(x), array_api_strict.asarray(x)",
            marks=pytest.mark.backend("torch", "strict"),
            id="torch and strict",
        ),
        pytest.param(
            "import tensorflow as tf",
            "tf.constant(x)",
            marks=[pytest.mark.backend("tensorflow"), pytest.mark.slow],
            id="tensorflow",
        ),
    ],
)
def test_first_calls_at_once(imports: str, arrays: str) -> None:
    """Threads that are the first to use a library, all at the same time."""
    code = FIRST_CALLS.format(imports=imports, arrays=arrays)
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment, timeout=300
    )
    assert done.returncode == 0, done.stderr


def _copies(value: Any) -> list[Any]:
    return [pickle.loads(pickle.dumps(value)), copy.deepcopy(value), copy.copy(value)]


def test_operations_can_be_copied() -> None:
    """They are the same ones afterwards."""
    for name, operation in OPERATIONS.items():
        for other in _copies(getattr(ul, name)):
            assert other is getattr(ul, name)
        for other in _copies(operation):
            assert other is operation


@pytest.mark.parametrize("name", list(OPERATIONS))
def test_gradients_can_be_copied(name: str) -> None:
    operation = getattr(ul, name)
    for other in _copies(ul.grad(operation)):
        assert other.operation is OPERATIONS[name]
        assert repr(other) == repr(ul.grad(operation))
    for fun in (operation, functools.partial(operation, axis=0)):
        for other in _copies(ul.value_and_grad(fun, argnums=(0,))):
            assert other.argnums == (0,)
            assert getattr(other.fun, "func", other.fun) is operation


@every
def test_copies_compute_the_same(name: str) -> None:
    adapter = adapters.get(name)
    x, labels = adapter.array(X), adapter.array(LABELS)
    expected = adapter.to_numpy(ul.value_and_grad(MEAN)(x, labels)[1])
    for other in _copies(ul.value_and_grad(MEAN)):
        np.testing.assert_array_equal(adapter.to_numpy(other(x, labels)[1]), expected)
    for other in _copies(ul.grad(LOSS)):
        gradient, pullback = ul.vjp(other, x, labels, reduction="mean")
        np.testing.assert_array_equal(adapter.to_numpy(gradient), expected)
        assert adapter.is_result(pullback(1.0)[0])
    # A pullback holds its arrays; a copy knows their library as well as the original does.
    _, pullback = ul.vjp(MEAN, x, labels)
    for other in (copy.copy(pullback), copy.deepcopy(pullback)):
        np.testing.assert_array_equal(adapter.to_numpy(other(1.0)[0]), expected)
        np.testing.assert_array_equal(adapter.to_numpy(other(adapter.array(np.array(1.0)))[0]), expected)


@every
def test_partials_keep_nothing(name: str) -> None:
    """A partial of a partial, called with one option changed, is afterwards what it was before."""
    adapter = adapters.get(name)
    x, labels = adapter.array(X), adapter.array(LABELS)
    inner = functools.partial(LOSS, label_smoothing=0.1)
    outer = functools.partial(inner, reduction="mean")
    functions = {
        "value": lambda **o: outer(x, labels, **o),
        "value_and_grad": lambda **o: ul.value_and_grad(outer)(x, labels, **o)[1],
        "vjp": lambda **o: ul.vjp(outer, x, labels, **o)[1](1.0)[0],
        "jvp": lambda **o: ul.jvp(outer, (x, labels), (x, None), **o)[1],
        "grad": lambda **o: ul.vjp(
            functools.partial(ul.grad(LOSS), label_smoothing=0.1), x, labels, **{"reduction": "mean", **o}
        )[0],
    }
    for what, call in functions.items():
        before = adapter.to_numpy(call())
        changed = adapter.to_numpy(call(label_smoothing=0.9))
        after = adapter.to_numpy(call())
        np.testing.assert_array_equal(before, after, what)
        assert not np.array_equal(before, changed), what
    assert outer.keywords == {"label_smoothing": 0.1, "reduction": "mean"}
    bound = functools.partial(ul.logaddexp, x)
    for _ in range(2):
        np.testing.assert_allclose(adapter.to_numpy(ul.vjp(bound, x)[1](1.0)[1]), 0.5)


@backends("jax", "torch", "tensorflow")
def test_calls_within_calls(name: str) -> None:
    """A user's function that takes a gradient itself, differentiated."""
    adapter = adapters.get(name)
    x, labels = adapter.array(X), adapter.array(LABELS)

    def penalty(logits: Any) -> Any:
        loss, gradient = ul.value_and_grad(MEAN)(logits, labels)
        return loss + ul.logsumexp(gradient, axis=None)

    _, found = ul.value_and_grad(penalty)(x)
    _, first = ul.value_and_grad(MEAN)(x, labels)
    _, pullback = ul.vjp(ul.grad(LOSS), x, labels, reduction="mean")
    expected = adapter.to_numpy(first) + adapter.to_numpy(pullback(ul.softmax(first, axis=None))[0])
    np.testing.assert_allclose(adapter.to_numpy(found), expected, rtol=1e-12)
