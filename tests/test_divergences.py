"""Divergences where one distribution lacks what the other has: value and both gradients, in every mode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import uniflogits as ul

from . import adapters

INF, NAN = float("inf"), float("nan")
INFINITE = ("cross_entropy_between", "kl_divergence")
# p and q of rows where H(p, q) and KL are +inf, and their gradient by q: q * sum p - p, 0 if q is empty.
ROWS = [
    ([0.0, 0.0], [0.0, -INF], [0.5, -0.5]),
    ([0.0, -INF], [-INF, 0.0], [-1.0, 1.0]),
    ([0.0, 0.0], [INF, 0.0], [0.5, -0.5]),
    ([INF, 0.0], [-INF, 0.0], [-1.0, 1.0]),
    ([1.0, 1.0], [-INF, -INF], [0.0, 0.0]),
    # Far behind, and there all the same.
    ([0.0, -200.0], [0.0, -INF], [0.0, 0.0]),
]
every = adapters.each("numpy", "strict", "jax", "torch", "tensorflow", argument="name")
operations = pytest.mark.parametrize("operation", [name for name in INFINITE if hasattr(ul, name)])


@every
@operations
@pytest.mark.parametrize("row", range(len(ROWS)))
def test_infinite_divergence(name: str, operation: str, row: int) -> None:
    adapter, public = adapters.get(name), getattr(ul, operation)
    p, q, slope = (np.asarray([one], np.float32) for one in ROWS[row])
    for label, value, by_p, by_q in _differentiated(adapter, public, p, q):
        if value is not None:
            np.testing.assert_array_equal(value, [INF], label)
        if by_p is not None:
            assert np.isnan(by_p).all(), label
        if by_q is not None:
            np.testing.assert_allclose(by_q, slope, rtol=1e-6, atol=1e-30, err_msg=label)


# Differences of differences that float32 does not have, of a class that both lack or either.
_M = 3e38
BEYOND = (
    ("kl_divergence", [_M, -_M, 0.0], [0.0, -_M, _M], _M, [-1.0, 0.0, 1.0]),
    ("cross_entropy_between", [_M, -_M, 0.0], [0.0, -_M, _M], _M, [-1.0, 0.0, 1.0]),
    ("js_divergence", [_M, -_M, 0.0], [0.0, -_M, _M], np.log(2), [0.0, 0.0, 0.0]),
    ("js_divergence", [_M, -_M], [-_M, _M], np.log(2), [0.0, 0.0]),
    ("total_variation", [_M, -_M, 0.0], [0.0, -_M, _M], 1.0, [0.0, 0.0, 0.0]),
    ("total_variation", [_M, -_M], [-_M, _M], 1.0, [0.0, 0.0]),
)


@every
@pytest.mark.parametrize("case", range(len(BEYOND)))
def test_logits_farther_apart_than_the_largest_number(name: str, case: int) -> None:
    operation, first, second, value, by_q = BEYOND[case]
    p, q = (np.asarray([one], np.float32) for one in (first, second))
    for label, found, slope_p, slope_q in _differentiated(adapters.get(name), getattr(ul, operation), p, q):
        if found is not None:
            np.testing.assert_array_equal(found, [np.float32(value)], label)
        if slope_p is not None:
            np.testing.assert_array_equal(slope_p, np.zeros_like(p), label)
        if slope_q is not None:
            np.testing.assert_array_equal(slope_q, [by_q], label)


def _differentiated(adapter: Any, public: Any, p: Any, q: Any) -> Iterator[tuple[str, Any, Any, Any]]:
    """(how, value, gradient by p, gradient by q), None for what that way does not tell."""
    a, b, one = adapter.array(p), adapter.array(q), adapter.array(np.ones(1, np.float32))
    with adapter.calling():
        yield "value", adapter.to_numpy(public(a, b)), None, None
        value, pullback = ul.vjp(public, a, b)
        yield "vjp", adapter.to_numpy(value), *map(adapter.to_numpy, pullback(one))
        columns = []
        for k in range(p.shape[1]):
            unit = adapter.array(np.eye(p.shape[1], dtype=np.float32)[[k]])
            value, tangent = ul.jvp(public, (a, b), (None, unit))
            columns.append(adapter.to_numpy(tangent))
        yield "jvp", adapter.to_numpy(value), None, np.stack(columns, axis=-1)
    if not adapter.autodiff:
        return
    for way, gradients in adapter.gradients(public, [a, b], one, [0, 1]).items():
        yield way, None, *map(adapter.to_numpy, gradients)
    for way, (gradient,) in adapter.gradients(public, [a, b], one, [1]).items():
        yield f"{way} by q alone", None, None, adapter.to_numpy(gradient)
    if adapter.name == "tensorflow":
        return  # its forward mode multiplies the NaN of p by the tangent 0 that it gives p
    found: dict[str, list[Any]] = {}
    for k in range(p.shape[1]):
        unit = adapter.array(np.eye(p.shape[1], dtype=np.float32)[[k]])
        for way, pair in adapter.tangents(public, [a, b], [None, unit]).items():
            found.setdefault(way, []).append([adapter.to_numpy(part) for part in pair])
    for way, columns in found.items():
        yield f"{way} by q alone", columns[0][0], None, np.stack([t for _, t in columns], axis=-1)


@every
def test_near_equal_rows_never_have_a_negative_divergence(name: str) -> None:
    """Half of them have, where log-probabilities are subtracted; what is left of the digits is noise."""
    adapter = adapters.get(name)
    rng = np.random.default_rng(4)
    p = rng.normal(size=(1000, 10)).astype(np.float32)
    q = (p + 1e-4 * rng.normal(size=p.shape)).astype(np.float32)
    with adapter.calling():
        kl = adapter.to_numpy(ul.kl_divergence(adapter.array(p), adapter.array(q)))
        small = ul.kl_divergence(adapter.array([1.0, 2.0, 3.0]), adapter.array([1.0, 2.0, 3.0001]))
    assert (kl > 0).all()
    np.testing.assert_allclose(adapter.to_numpy(small), 1.1135e-9, rtol=1e-4)


@every
def test_total_variation_is_bounded(name: str) -> None:
    """Of distributions that share no class it is 1, which half of two rounded sums can be more than."""
    adapter = adapters.get(name)
    x = np.random.default_rng(6).normal(size=(1000, 6)).astype(np.float32)
    first = np.arange(6) < 3
    p, q = (adapter.array(np.where(classes, x, np.float32(-INF))) for classes in (first, ~first))
    with adapter.calling():
        found = adapter.to_numpy(ul.total_variation(p, q))
    assert (found <= 1).all() and (found > 1 - 1e-6).all()


@every
def test_js_divergence_is_bounded(name: str) -> None:
    adapter = adapters.get(name)
    rng = np.random.default_rng(5)
    p = (3 * rng.normal(size=(1000, 10))).astype(np.float32)
    cases = {
        "apart": (np.asarray([[0.0, -INF]]), np.asarray([[-INF, 0.0]])),
        "equal": (p, p),
        "near": (p, (p + 1e-4 * rng.normal(size=p.shape)).astype(np.float32)),
        "far": (p, (40 * rng.normal(size=p.shape)).astype(np.float32)),
    }
    with adapter.calling():
        found = {
            label: adapter.to_numpy(ul.js_divergence(adapter.array(a), adapter.array(b)))
            for label, (a, b) in cases.items()
        }
    np.testing.assert_array_equal(found["apart"], [np.log(2)])
    np.testing.assert_array_equal(found["equal"], 0)
    assert (found["near"] > 0).all() and (found["near"] < 1e-7).all()
    assert (found["far"] > 0).all() and (found["far"] <= np.float32(np.log(2))).all()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")  # torch's own, as it loads inductor
@pytest.mark.backend("torch")
def test_inductor_keeps_the_compensation() -> None:
    """Its C++ compiler must not take the error-free difference of two floats for 0.

    Errors of log p - log q reach the total variation at full size, other divergences by their squares.
    """
    import torch

    rng = np.random.default_rng(6)
    p = torch.asarray(rng.normal(size=(50, 10)).astype(np.float32))
    q = torch.asarray((p.numpy() + 100 + 2.0**-14 * rng.normal(size=p.shape)).astype(np.float32))
    torch.compiler.reset()
    compiled = torch.compile(ul.total_variation, fullgraph=True)(p, q)
    exact = ul.total_variation(p.double(), q.double())
    torch.testing.assert_close(compiled.double(), exact, rtol=2e-6, atol=0)
