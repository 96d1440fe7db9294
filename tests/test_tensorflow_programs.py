"""Plain calls of TensorFlow: the first of a form run op by op, the others as a graph."""

from __future__ import annotations

import functools
import gc
import logging
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import uniflogits as ul

from . import adapters

pytestmark = pytest.mark.backend("tensorflow")
X = np.random.default_rng(3).normal(size=(4, 5)).astype(np.float32)
Y = np.asarray([0, 4, 2, 2])
FEW = 3


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The kernels of which graphs were made, where the fourth call of a form makes one."""
    from uniflogits._backends import _tensorflow_programs as programs

    found: list[str] = []
    plain = programs._traced

    def spied(xp: Any, kernel: Any, plan: Any, operands: Any) -> Any:
        found.append(f"{plan.operation.name} {kernel.__name__}")
        return plain(xp, kernel, plan, operands)

    monkeypatch.setattr(programs, "_traced", spied)
    monkeypatch.setattr(programs, "FEW", FEW)
    programs._met.clear()
    yield found
    programs._met.clear()


def _array(numbers: np.ndarray) -> Any:
    return adapters.get("tensorflow").array(numbers)


def test_a_form_that_keeps_coming_back(traced: list[str]) -> None:
    x, results = _array(X), []
    for i in range(FEW + 3):
        results.append(np.asarray(ul.log_softmax(x)))
        assert len(traced) == (i >= FEW)
    # Rounded in another order.
    np.testing.assert_array_max_ulp(results[-1], results[0], 2)
    ul.log_softmax(_array(X[:2]))
    ul.log_softmax(x, axis=0)
    assert traced == ["log_softmax evaluate"]


def test_a_new_number_is_no_new_form(traced: list[str]) -> None:
    loss, x = ul.softmax_cross_entropy_with_integer_labels, _array(X)
    for i in range(2 * FEW + 2):
        smoothing = 0.05 * (i + 1)
        expected = loss(X, Y, label_smoothing=smoothing)
        # Twice the bound of either.
        np.testing.assert_array_max_ulp(np.asarray(loss(x, Y, label_smoothing=smoothing)), expected, 12)
    assert len(traced) == 1


def test_forms_are_bounded(traced: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from uniflogits._backends import _tensorflow_programs as programs

    monkeypatch.setattr(programs, "MOST", 4)
    for n in range(1, 11):
        ul.logsumexp(_array(X[:, :1].repeat(n, axis=1)))
        assert len(programs._met) <= 4


def test_arrays_are_not_kept(traced: list[str]) -> None:
    calls = []
    for _ in range(FEW + 1):
        x = _array(X)
        calls.append(weakref.ref(x))
        ul.softmax(x)
        del x
    gc.collect()
    assert traced
    assert [call() for call in calls] == [None] * len(calls)


def test_many_forms_are_no_reason_to_warn(traced: list[str]) -> None:
    import tensorflow as tf

    found: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: found.append(record.getMessage())
    tf.get_logger().addHandler(handler)
    try:
        for n in range(1, 13):
            for _ in range(FEW + 2):
                ul.sigmoid(_array(X[:, :1].repeat(n, axis=1)))
    finally:
        tf.get_logger().removeHandler(handler)
    assert len(traced) == 12
    assert not found


def test_large_losses_under_a_tape_stay_op_by_op(traced: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from uniflogits._backends import _tensorflow_programs as programs

    monkeypatch.setattr(programs, "_LARGE", X.size - 1)
    labels = _array(Y)
    for _ in range(FEW + 2):
        _tape(ul.softmax_cross_entropy_with_integer_labels, _array(X), labels)
    assert not traced
    for _ in range(FEW + 2):
        ul.softmax_cross_entropy_with_integer_labels(_array(X), labels)
        _tape(ul.softmax, _array(X))
    assert len(traced) == 2


def test_only_plain_calls_become_graphs(traced: list[str]) -> None:
    import tensorflow as tf

    def function(x: Any) -> Any:
        return [ul.softmax(x) for _ in range(FEW + 2)]

    tf.function(function)(_array(X))
    hidden, vectors = _array(X), _array(X[:3])
    for _ in range(FEW + 2):
        ul.linear_cross_entropy(hidden, vectors, Y % 3)
    assert not traced


def _tape(public: Any, x: Any, *others: Any, derivative: str = "gradient") -> Any:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        value = public(x, *others)
    return value, getattr(tape, derivative)(value, x)


def _two_tapes(public: Any, x: Any, *others: Any) -> Any:
    return _tape(lambda x: _tape(public, x, *others)[1] ** 2, x)


def _forward(public: Any, x: Any, *others: Any) -> Any:
    import tensorflow as tf

    with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as accumulator:
        value = public(x, *others)
    return value, accumulator.jvp(value)


def _closed_form(public: Any, x: Any, *others: Any) -> Any:
    value, pullback = ul.vjp(public, x, *others)
    gradient = pullback(_array(np.ones(value.shape)))
    return value, gradient[0] if others else gradient


WAYS = (_tape, _two_tapes, _forward, functools.partial(_tape, derivative="jacobian"), _closed_form)


@pytest.mark.parametrize("way", WAYS, ids=["tape", "two tapes", "forward", "jacobian", "closed form"])
@pytest.mark.parametrize("operation", ["softmax", "logsumexp", "kl_divergence", "entropy", "sigmoid"])
def test_derivatives_of_a_graph(traced: list[str], operation: str, way: Callable[..., Any]) -> None:
    """Those of the same call op by op, which the matrix holds to exact numbers."""
    public: Any = getattr(ul, operation)
    arrays = [_array(X.astype(np.float64))]
    if operation == "kl_divergence":
        arrays.append(_array(X[::-1].astype(np.float64)))
    rounds = [way(public, *arrays) for _ in range(FEW + 2)]
    assert bool(traced) == (way is not _forward)  # which has to see what is computed
    for first, last in zip(rounds[0], rounds[-1], strict=True):
        # Rounded in another order.
        spacing = np.spacing(np.max(np.abs(np.asarray(first))))
        np.testing.assert_allclose(np.asarray(last), np.asarray(first), rtol=0, atol=16 * spacing)
