"""Sums of JAX arrays: in pairs where XLA's own order loses too much, and XLA's where it does not."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import uniflogits as ul

from . import adapters

pytestmark = pytest.mark.backend("jax")


@pytest.fixture(name="jax")
def _jax() -> Any:
    """Not where tests are collected: TensorFlow shares no process with it."""
    adapters.get("jax")
    return importlib.import_module("jax")


@pytest.fixture(name="total")
def _total(jax: Any) -> Callable[..., Any]:
    from uniflogits._backends._jax_sums import careful_sum

    return careful_sum


@pytest.mark.parametrize("n", [11, 12, 31, 100, 101, 4095, 8192, 8193, 20_000])
@pytest.mark.parametrize("rows", [1, 3])
def test_a_large_term_loses_nothing(jax: Any, total: Callable[..., Any], n: int, rows: int) -> None:
    x = np.full((rows, n), 0.6 * 2.0**-24, np.float32)
    x[:, n // 3] = 1.0
    expected = math.fsum(x[0].astype(float))
    for found in (total(jax.numpy.asarray(x), axis=-1), jax.vmap(total)(jax.numpy.asarray(x))):
        # Half an ulp for each of the pairs that a term is in.
        assert (
            np.abs(np.asarray(found, float) - expected).max() <= 0.5 * math.log2(2 * n) * 2.0**-23 * expected
        )


@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((4, 50), -1),
        ((4, 50), 1),
        ((4, 50), 0),
        ((4, 50), None),
        ((3, 4, 20), (1, 2)),
        ((3, 4, 20), (-1, -2)),
        ((3, 4, 20), (0, 2)),
        ((50,), 0),
        ((), None),
        ((3, 0), -1),
        ((0, 20), -1),
    ],
)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "int32", "bool"])
def test_axes_are_those_of_numpy(
    jax: Any, total: Callable[..., Any], shape: tuple[int, ...], axis: Any, keepdims: bool, dtype: str
) -> None:
    x = np.random.default_rng(5).integers(0, 9, shape).astype(dtype)
    found = total(jax.numpy.asarray(x), axis=axis, keepdims=keepdims)
    assert np.array_equal(np.asarray(found), np.sum(x, axis=axis, keepdims=keepdims))


@pytest.mark.parametrize(("terms", "expected"), [((np.inf, 1.0), np.inf), ((np.inf, -np.inf), np.nan)])
def test_infinities(jax: Any, total: Callable[..., Any], terms: tuple[float, ...], expected: float) -> None:
    x = np.ones(40)
    x[[3, 30]] = terms
    assert np.array_equal(np.asarray(total(jax.numpy.asarray(x), axis=-1)), expected, equal_nan=True)


def test_many_examples_are_added_by_xla(jax: Any) -> None:
    """vmap shows each example as a single row, of which pairs would take several times as long."""

    def joins(function: Callable[..., Any], x: Any) -> bool:
        """Whether the program has terms joined to pairs."""
        return "concatenate" in str(jax.make_jaxpr(function)(x))

    few, many = jax.numpy.zeros((4, 200)), jax.numpy.zeros((400, 200))
    assert joins(jax.vmap(ul.log_softmax), few)
    assert not joins(ul.log_softmax, many)
    assert not joins(jax.vmap(ul.log_softmax), many)
    assert not joins(jax.vmap(jax.grad(ul.entropy)), many)
    assert not joins(jax.jit(jax.vmap(jax.vmap(ul.log_softmax))), many.reshape(20, 20, 200))
