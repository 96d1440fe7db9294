"""Divergences of distributions of which one or both have classes of their own, and are close on the others.

Their log-probabilities differ there by what the other lacks, in every row by another number. So they do where
one class takes in q nearly all of what many have in p.
"""

from __future__ import annotations

import numpy as np
import pytest

from . import adapters, answers, exact, test_gradient
from .harness import Cell, ready, run
from .specs.base import Sample

INF = float("inf")
NAMES = ("kl_divergence", "js_divergence", "total_variation", "cross_entropy_between")


def _sample(alone: bool) -> Sample:
    """Classes that q has alone in every row; those that p has alone if `alone`."""
    rng = np.random.default_rng(6)
    a = rng.normal(size=(4, 6))
    b = a + 1e-3 * rng.normal(size=(4, 6))
    # From next to nothing to nearly all of the mass.
    b[:, 5] = [-12.0, -2.0, 1.5, 9.0]
    a[:, 5] = -INF
    if alone:
        a[:, 4] = [-3.0, 1.0, -8.0, 5.0]
        b[:, 4] = -INF
    return Sample("apart" if alone else "more in q", {"p_logits": a, "q_logits": b})


def _sample_of_many() -> Sample:
    rng = np.random.default_rng(0)
    a = 0.3 * rng.normal(size=(2, 1000))
    a[:, 0] = 1.0
    b = a + 0.02 * rng.normal(size=(2, 1000))
    b[:, 0] += 7.0
    return Sample("one of many", {"p_logits": a, "q_logits": b})


@adapters.each("numpy", "torch")
@pytest.mark.parametrize("alone", [False, True], ids=["more-in-q", "apart"])
@pytest.mark.parametrize("name", NAMES)
def test_classes_apart(name: str, alone: bool, backend: str) -> None:
    _check(Cell("value", name, backend, "float64"), _sample(alone), alone)


@adapters.each("numpy", "torch")
@pytest.mark.parametrize("name", NAMES)
def test_one_class_takes_what_many_have(name: str, backend: str) -> None:
    _check(Cell("value", name, backend, "float64"), _sample_of_many(), False)


def _check(cell: Cell, sample: Sample, alone: bool) -> None:
    failures, one = cell.failures(), ready(cell, sample)
    with answers.unkept():
        expected, found = exact.values(cell.spec, one.call), cell.adapter.to_numpy(run(cell, one))
        row, given = cell.row, one.call.arrays
        failures.compare(sample.id, found, expected, "float64", row.value, row.dagger, inputs=given)
        if not (alone and np.isinf(found).any()):
            test_gradient.check_sample(cell, sample, failures)
    failures.finish()


@adapters.each("numpy", "torch")
@pytest.mark.parametrize("name", ["kl_divergence", "cross_entropy_between"])
def test_classes_far_behind_different_leaders(name: str, backend: str) -> None:
    """Nearly equal there by chance, each known to what is left of its own lead."""
    rng = np.random.default_rng(8)
    a, b = rng.normal(size=(2, 10, 3))
    # Just past a power of two, where rounding takes most for what it leaves. Of p nothing more is taken.
    a[:, 0] += rng.uniform(33, 36, size=10)
    b[:, 1] += rng.uniform(33, 36, size=10)
    a -= 60
    cell = Cell("gradient", name, backend, "float64")
    failures = cell.failures()
    with answers.unkept():
        test_gradient.check_sample(cell, Sample("far behind", {"p_logits": a, "q_logits": b}), failures)
    failures.finish()
