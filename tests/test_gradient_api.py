"""vjp, jvp, value_and_grad and grad themselves: what they take, what they refuse, how they fit together."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import uniflogits as ul

from . import adapters, answers
from .harness import Cell, ready
from .judging import check_products
from .specs.base import Sample

X = np.array([[2.5, 1.0, -1.2], [0.0, 4.0, 1.0]])
LABELS = np.array([0, 2])
LOSS = ul.softmax_cross_entropy_with_integer_labels


backends = functools.partial(adapters.each, argument="name")
every = backends("numpy", "jax", "torch", "tensorflow", "strict")
differentiating = backends("jax", "torch", "tensorflow")


def _arrays(name: str) -> tuple[Any, Any, Any]:
    adapter = adapters.get(name)
    return adapter, adapter.array(X), adapter.array(LABELS)


@every
def test_value_and_grad_of_an_operation(name: str) -> None:
    adapter, x, labels = _arrays(name)
    loss, gradient = ul.value_and_grad(LOSS)(x, labels, reduction="mean")
    p = np.exp(X) / np.exp(X).sum(1, keepdims=True)
    expected = (p - np.eye(3)[LABELS]) / 2
    assert adapter.is_result(gradient)
    np.testing.assert_allclose(adapter.to_numpy(gradient), expected, rtol=1e-14)
    np.testing.assert_allclose(adapter.to_numpy(loss), -np.log(p[[0, 1], LABELS]).mean(), rtol=1e-14)


@every
def test_value_and_grad_of_a_partial(name: str) -> None:
    adapter, x, labels = _arrays(name)
    fun = functools.partial(LOSS, reduction="sum", label_smoothing=0.1)
    loss, gradient = ul.value_and_grad(fun)(x, labels)
    plain, expected = ul.value_and_grad(LOSS)(x, labels, reduction="sum", label_smoothing=0.1)
    assert adapter.to_numpy(loss) == adapter.to_numpy(plain)
    np.testing.assert_array_equal(adapter.to_numpy(gradient), adapter.to_numpy(expected))


@every
def test_value_and_grad_by_several_arguments(name: str) -> None:
    adapter, x, _ = _arrays(name)
    soft = adapter.array(np.full((2, 3), 0.25))
    fun = ul.value_and_grad(ul.softmax_cross_entropy, argnums=(0, 1))
    _, gradients = fun(x, soft, reduction="sum")
    assert isinstance(gradients, tuple) and len(gradients) == 2
    log_p = adapter.to_numpy(ul.log_softmax(x))
    np.testing.assert_allclose(adapter.to_numpy(gradients[1]), -log_p, rtol=1e-12)
    with pytest.raises(TypeError, match="value_and_grad"):
        ul.value_and_grad(LOSS, argnums=1)(*_arrays(name)[1:], reduction="sum")
    with pytest.raises(ValueError, match="value_and_grad"):
        ul.value_and_grad(LOSS, argnums=5)(*_arrays(name)[1:], reduction="sum")


@every
def test_value_and_grad_needs_a_scalar(name: str) -> None:
    _, x, labels = _arrays(name)
    with pytest.raises(ValueError, match=r"value_and_grad.*scalar"):
        ul.value_and_grad(LOSS)(x, labels)


@differentiating
def test_value_and_grad_of_a_users_function(name: str) -> None:
    adapter, x, labels = _arrays(name)

    def fun(logits: Any, labels: Any, *, scale: float) -> Any:
        return ul.softmax_cross_entropy_with_integer_labels(logits * scale, labels, reduction="mean")

    loss, gradient = ul.value_and_grad(fun)(x, labels, scale=2.0)
    plain, expected = ul.value_and_grad(LOSS)(x * 2.0, labels, reduction="mean")
    np.testing.assert_allclose(adapter.to_numpy(loss), adapter.to_numpy(plain), rtol=1e-14)
    np.testing.assert_allclose(adapter.to_numpy(gradient), 2 * adapter.to_numpy(expected), rtol=1e-13)
    with pytest.raises(ValueError, match=r"value_and_grad.*scalar"):
        ul.value_and_grad(lambda x: x * x)(x)


@differentiating
def test_a_closed_form_is_differentiated_again_at_a_tie(name: str) -> None:
    """By the library, and of two equal answers too: the derivative there is that of neither side alone."""
    cell = Cell("second_order", "sigmoid_binary_cross_entropy", name, "float64")
    one = ready(cell, Sample("tie", {"logits": np.asarray([0.0, 1.5]), "labels": np.asarray([0.25, 1.0])}))
    (x, y), ones = one.arrays, cell.adapter.array(np.ones(2))
    found = cell.adapter.gradients(lambda x: ul.vjp(cell.public, x, y)[1](ones)[0], [x], ones, [0])
    products = {mode: cell.adapter.to_numpy(bent) for mode, (bent,) in found.items()}
    failures = cell.failures()
    with answers.unkept():
        check_products(cell, one, failures, products, "logits", np.ones(2), np.ones(2))
    failures.finish()


@backends("numpy", "strict")
def test_a_users_function_needs_autodiff(name: str) -> None:
    _, x, _ = _arrays(name)
    with pytest.raises(TypeError, match=r"value_and_grad: .*uniflogits\.vjp"):
        ul.value_and_grad(lambda x: x)(x)


@every
def test_cotangents(name: str) -> None:
    """A number stands for an array full of it; another shape or library is refused."""
    adapter, x, labels = _arrays(name)
    loss, pullback = ul.vjp(LOSS, x, labels)
    by_number = pullback(2.0)
    by_array = pullback(adapter.array(np.full(2, 2.0)))
    assert by_number[1] is None and by_array[1] is None
    np.testing.assert_array_equal(adapter.to_numpy(by_number[0]), adapter.to_numpy(by_array[0]))
    with pytest.raises(ValueError, match=r"cotangent must have shape \(2,\), got \(3,\)"):
        pullback(adapter.array(np.ones(3)))
    assert tuple(loss.shape) == (2,)


@every
def test_tangents(name: str) -> None:
    adapter, x, labels = _arrays(name)
    _, still = ul.jvp(LOSS, (x, labels), (None, None))
    np.testing.assert_array_equal(adapter.to_numpy(still), np.zeros(2))
    with pytest.raises(TypeError, match="jvp"):
        ul.jvp(LOSS, (x, labels), (x, labels))
    with pytest.raises(ValueError, match="jvp"):
        ul.jvp(LOSS, (x, labels), (x,))
    with pytest.raises(ValueError, match="jvp"):
        ul.jvp(ul.softmax, (x,), (adapter.array(np.ones(3)),))


@every
def test_forward_and_reverse_are_adjoint(name: str) -> None:
    adapter, x, _ = _arrays(name)
    rng = np.random.default_rng(3)
    t, g = (adapter.array(rng.normal(size=X.shape)) for _ in range(2))
    for op in (ul.softmax, ul.log_softmax, ul.sigmoid, ul.softplus, ul.log_sigmoid):
        _, tangent = ul.jvp(op, (x,), (t,))
        (gradient,) = ul.vjp(op, x)[1](g)
        forward = (adapter.to_numpy(tangent) * adapter.to_numpy(g)).sum()
        reverse = (adapter.to_numpy(gradient) * adapter.to_numpy(t)).sum()
        np.testing.assert_allclose(forward, reverse, rtol=1e-11)


@every
def test_grad_is_an_operation(name: str) -> None:
    adapter, x, labels = _arrays(name)
    g = ul.grad(LOSS)
    expected = ul.vjp(LOSS, x, labels)[1](1.0)[0]
    np.testing.assert_array_equal(adapter.to_numpy(g(x, labels)), adapter.to_numpy(expected))
    twice = ul.vjp(LOSS, x, labels)[1](2.0)[0]
    ours = g(x, labels, cotangent=adapter.array(np.full(2, 2.0)))
    np.testing.assert_array_equal(adapter.to_numpy(ours), adapter.to_numpy(twice))
    value, _ = ul.vjp(g, x, labels, reduction="mean")
    np.testing.assert_allclose(adapter.to_numpy(value) * 2, adapter.to_numpy(expected), rtol=1e-14)


def test_what_is_no_operation_is_refused() -> None:
    for call in (
        lambda: ul.vjp(np.exp, X),
        lambda: ul.jvp(np.exp, (X,), (X,)),
        lambda: ul.grad(np.exp),
        lambda: ul.vjp(lambda x: x, X),
    ):
        with pytest.raises(TypeError, match="must be an operation of uniflogits"):
            call()
    with pytest.raises(ValueError, match="grad"):
        ul.grad(ul.softmax, argnums=1)
    with pytest.raises(TypeError, match="integer labels"):
        ul.grad(LOSS, argnums=1)


def test_no_name_means_two_things() -> None:
    with pytest.raises(AttributeError, match="softmax_cross_entropy_with_integer_labels"):
        ul.cross_entropy  # noqa: B018
    with pytest.raises(AttributeError, match="softmaxx"):
        ul.softmaxx  # noqa: B018
