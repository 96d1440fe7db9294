"""Gradients of one result alone, where no larger summand hides what a small one has lost."""

from __future__ import annotations

from typing import Any

import gmpy2
import numpy as np
import pytest
from gmpy2 import mpfr

import uniflogits as ul

from . import adapters
from .answers import Reference
from .compare import Failures
from .harness import has_autodiff
from .oracle.numbers import VALUE_BITS, exact, precision
from .tolerances import TOLERANCES


@adapters.each()
def test_shares_of_entries_far_behind(backend: str) -> None:
    """e^(x - y) of entries up to 80 behind: that distance may round once, and not again at every state."""
    adapter, row, rng = adapters.get(backend), TOLERANCES["cumulative_logsumexp"], np.random.default_rng(1)
    x = rng.normal(0, 20, size=(60, 10)).astype(np.float32)
    last = rng.integers(0, 10, size=60)
    cotangent = np.eye(10, dtype=np.float32)[last]
    with adapter.calling():
        _, pullback = ul.vjp(ul.cumulative_logsumexp, adapter.array(x))
        found = adapter.to_numpy(pullback(adapter.array(cotangent))[0])
    failures = Failures(f"cumulative_logsumexp float32 on {backend}")
    with precision(VALUE_BITS):
        terms = np.where(np.arange(10) <= last[:, None], np.frompyfunc(gmpy2.exp, 1, 1)(exact(x)), mpfr(0))
        right = Reference.of(terms / terms.sum(axis=-1, keepdims=True))
    failures.compare("one result", found, [right], "float32", row.gradient, row.dagger)
    failures.finish()


@adapters.each()
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_what_is_left_to_the_others(name: str, backend: str) -> None:
    """1 - p of a class far ahead is what the others have: whole, beside a row with a NaN too."""
    adapter, row, public = adapters.get(backend), TOLERANCES[name], getattr(ul, name)
    x = np.asarray([[0, 30, 1], [np.nan, 0, 1], [-2, 3, 1.5], [0, 70, -1]], np.float32)
    cotangent = adapter.array(np.asarray([[0, 1, 0]] * len(x), np.float32))
    with adapter.calling():
        _, pullback = ul.vjp(public, adapter.array(x))
        found = {"vjp": pullback(cotangent)[0]}
    if has_autodiff(backend):
        native = adapter.gradients(public, [adapter.array(x)], cotangent, [0])
        found |= {mode: gradient for mode, (gradient,) in native.items()}
    with precision(VALUE_BITS):
        terms = np.frompyfunc(gmpy2.exp, 1, 1)(exact(x))
        p = terms / terms.sum(axis=-1, keepdims=True)
        right = -p
        right[:, 1] = p[:, 0] + p[:, 2]
        right = Reference.of(right * p[:, 1:2] if name == "softmax" else right)
    failures = Failures(f"{name} float32 on {backend}")
    for mode, gradient in found.items():
        failures.compare(mode, adapter.to_numpy(gradient), [right], "float32", row.gradient, row.dagger)
    failures.finish()


@adapters.each()
def test_smoothing_beside_a_heavy_class(backend: str) -> None:
    """What the light classes ask of the one far ahead is whole, though its own weight is 2^27 of theirs."""
    adapter, row = adapters.get(backend), TOLERANCES["softmax_cross_entropy_with_integer_labels"]
    x, weights = np.asarray([[0, 40, 1, -1]], np.float32), np.asarray([1, 2**27, 1, 1], np.float32)
    labels, smoothing = adapter.array(np.asarray([1])), 0.125
    options = {"class_weights": adapter.array(weights), "label_smoothing": smoothing}

    def function(x: Any) -> Any:
        return ul.softmax_cross_entropy_with_integer_labels(x, labels, **options)

    with adapter.calling():
        _, pullback = ul.vjp(
            ul.softmax_cross_entropy_with_integer_labels, adapter.array(x), labels, **options
        )
        found = {"vjp": pullback(1.0)[0]}
    if has_autodiff(backend):
        cotangent = adapter.array(np.ones(1, np.float32))
        native = adapter.gradients(function, [adapter.array(x)], cotangent, [0])
        found |= {mode: gradient for mode, (gradient,) in native.items()}
    with precision(VALUE_BITS):
        terms = np.frompyfunc(gmpy2.exp, 1, 1)(exact(x))[0]
        p, counts = terms / terms.sum(), exact(weights) * (smoothing / 4)
        others = counts[0] + counts[2] + counts[3]
        own = counts[1] + exact(weights)[1] * (1 - smoothing)
        right = p * (own + others) - counts
        right[1] = p[1] * others - own * (p[0] + p[2] + p[3])
        right = Reference.of(right[None])
    failures = Failures(f"softmax_cross_entropy_with_integer_labels float32 on {backend}")
    for mode, gradient in found.items():
        failures.compare(mode, adapter.to_numpy(gradient), [right], "float32", row.gradient, row.dagger)
    failures.finish()


@pytest.mark.backend("jax")
def test_softmax_of_two_the_other_way_round() -> None:
    """XLA's loops compute a number twice, and round it differently: nothing may be left of the two."""
    import jax

    row = TOLERANCES["softmax"]
    x, cotangent = np.asarray([-7.3807917, -0.0006233015], np.float32), np.asarray([0, 0.125], np.float32)
    pulled = jax.jit(lambda x, t: jax.vjp(ul.softmax, x)[1](t)[0])
    # Tests run without these, for the time that they take.
    users = {
        "xla_backend_optimization_level": 3,
        "xla_llvm_disable_expensive_passes": False,
        "xla_cpu_use_fusion_emitters": True,
    }
    found = pulled.lower(x, cotangent).compile(compiler_options=users)(x, cotangent)
    with precision(VALUE_BITS):
        terms = np.frompyfunc(gmpy2.exp, 1, 1)(exact(x))
        product = mpfr(0.125) * terms[0] * terms[1] / terms.sum() ** 2
        right = Reference.of(np.asarray([-product, product]))
    failures = Failures("softmax float32, compiled by jax")
    failures.compare("jax.vjp", np.asarray(found), [right], "float32", row.gradient, row.dagger)
    failures.finish()
