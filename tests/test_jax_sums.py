"""Sums of JAX arrays: in pairs where XLA's own order loses too much, and XLA's where it does not."""

from __future__ import annotations

import math

import numpy as np
import pytest

import uniflogits as ul

jax = pytest.importorskip("jax")
pytestmark = pytest.mark.backend("jax")


def _sum():
    from uniflogits._backends._jax_sums import sum

    return sum


@pytest.mark.parametrize("n", [11, 12, 31, 100, 101, 4095, 8192, 8193, 20_000])
@pytest.mark.parametrize("rows", [1, 3])
def test_a_large_term_loses_nothing(n: int, rows: int) -> None:
    x = np.full((rows, n), 0.6 * 2.0**-24, np.float32)
    x[:, n // 3] = 1.0
    expected = math.fsum(x[0].astype(float))
    for found in (_sum()(jax.numpy.asarray(x), axis=-1), jax.vmap(_sum())(jax.numpy.asarray(x))):
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
def test_axes_are_those_of_numpy(shape: tuple[int, ...], axis, keepdims: bool, dtype: str) -> None:
    x = np.random.default_rng(5).integers(0, 9, shape).astype(dtype)
    found = _sum()(jax.numpy.asarray(x), axis=axis, keepdims=keepdims)
    assert np.array_equal(np.asarray(found), np.sum(x, axis=axis, keepdims=keepdims))


@pytest.mark.parametrize(("terms", "total"), [((np.inf, 1.0), np.inf), ((np.inf, -np.inf), np.nan)])
def test_infinities(terms: tuple[float, ...], total: float) -> None:
    x = np.ones(40)
    x[[3, 30]] = terms
    assert np.array_equal(np.asarray(_sum()(jax.numpy.asarray(x), axis=-1)), total, equal_nan=True)


def _joins(function, *arrays) -> bool:
    """Whether a program has terms joined to pairs."""
    return "concatenate" in str(jax.make_jaxpr(function)(*arrays))


def test_many_examples_are_added_by_xla() -> None:
    """vmap shows each example as a single row, of which pairs would take several times as long."""
    few, many = jax.numpy.zeros((4, 200)), jax.numpy.zeros((400, 200))
    assert _joins(jax.vmap(ul.log_softmax), few)
    assert not _joins(ul.log_softmax, many)
    assert not _joins(jax.vmap(ul.log_softmax), many)
    assert not _joins(jax.vmap(jax.grad(ul.entropy)), many)
    assert not _joins(jax.jit(jax.vmap(jax.vmap(ul.log_softmax))), many.reshape(20, 20, 200))
