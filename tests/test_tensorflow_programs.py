"""Plain calls of TensorFlow: the first of a form run op by op, the others as a graph."""

from __future__ import annotations

import gc
import logging
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import uniflogits as ul

from . import adapters, answers
from .checks import CHECKS
from .compare import Failures
from .harness import Cell, Ready, ready, run
from .judging import check_gradient, check_value
from .specs.base import Sample

pytestmark = pytest.mark.backend("tensorflow")
X = np.random.default_rng(3).normal(size=(3, 4)).astype(np.float32)
Y = np.asarray([0, 3, 2])
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
    adapters.get("tensorflow").forget()
    yield found
    adapters.get("tensorflow").forget()


def _array(numbers: np.ndarray) -> Any:
    return adapters.get("tensorflow").array(numbers)


def _call(of: str, name: str, *arrays: np.ndarray, **options: Any) -> tuple[Cell, Ready]:
    """The arrays are as many as the operation takes, or more."""
    cell = Cell(of, name, "tensorflow", "float32")
    return cell, ready(cell, Sample("graph", dict(zip(cell.op.arrays, arrays, strict=False)), options))


def _check_value(cell: Cell, one: Ready, failures: Failures) -> None:
    with answers.unkept():
        check_value(cell, one, failures, "graph", cell.adapter.to_numpy(run(cell, one)))


def test_a_form_that_keeps_coming_back(traced: list[str]) -> None:
    cell, one = _call("value", "log_softmax", X)
    failures, (x,) = cell.failures(), one.arrays
    for i in range(FEW + 3):
        _check_value(cell, one, failures)
        assert len(traced) == (i >= FEW)
    failures.finish()
    ul.log_softmax(_array(X[:2]))
    ul.log_softmax(x, axis=0)
    assert traced == ["log_softmax evaluate"]


def test_a_new_number_is_no_new_form(traced: list[str]) -> None:
    for i in range(2 * FEW + 2):
        smoothing = 0.05 * (i + 1)
        cell, one = _call(
            "value", "softmax_cross_entropy_with_integer_labels", X, Y, label_smoothing=smoothing
        )
        failures = cell.failures()
        _check_value(cell, one, failures)
        failures.finish()
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
        _taped(ul.softmax_cross_entropy_with_integer_labels, _array(X), labels)
    assert not traced
    for _ in range(FEW + 2):
        ul.softmax_cross_entropy_with_integer_labels(_array(X), labels)
        _taped(ul.softmax, _array(X))
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


def _taped(public: Any, x: Any, *others: Any, derivative: str = "gradient") -> Any:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        value = public(x, *others)
    return getattr(tape, derivative)(value, x)


OPERATIONS = ("softmax", "logsumexp", "kl_divergence", "entropy", "sigmoid")


@pytest.mark.parametrize("of", ["gradient", "second_order", "jvp"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_derivatives_of_graphs(
    traced: list[str], monkeypatch: pytest.MonkeyPatch, operation: str, of: str
) -> None:
    """Where every call is one: by tapes, tapes of tapes and the closed form."""
    from uniflogits._backends import _tensorflow_programs as programs

    monkeypatch.setattr(programs, "FEW", 0)
    CHECKS[of](Cell(of, operation, "tensorflow", "float64"), True)
    assert traced


@pytest.mark.parametrize("operation", OPERATIONS)
def test_jacobian_of_a_graph(traced: list[str], operation: str) -> None:
    cell, one = _call("gradient", operation, X, X[::-1])
    for _ in range(FEW + 2):
        jacobian = np.asarray(_taped(cell.public, *one.arrays, derivative="jacobian"))
    assert traced
    failures, shape = cell.failures(), jacobian.shape[: -X.ndim]
    with answers.unkept():
        for place in np.ndindex(shape):
            cotangent = np.zeros(shape, np.float32)
            cotangent[place] = 1.0
            check_gradient(cell, one, failures, f"{place}", jacobian[place], cell.op.arrays[0], cotangent)
    failures.finish()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_forward_accumulators_have_to_see_what_is_computed(traced: list[str], operation: str) -> None:
    cell, one = _call("jvp", operation, X, X[::-1])
    x, *others = one.arrays
    for _ in range(FEW + 2):
        cell.adapter.tangents(lambda x: cell.public(x, *others), [x], [x])
    assert not traced
