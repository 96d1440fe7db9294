"""The quick tier: every operation's value and gradient on fresh adversarial numbers, inside the bounds.

The seed is a new one in every run but those of CI. It is in the head of the run and in every failure;
UNIFLOGITS_SEED=<seed> repeats a run.
"""

from __future__ import annotations

import functools
import os

import numpy as np
import pytest

from uniflogits._core.operation import OPERATIONS

from .. import answers, exact
from ..harness import compiling_together, spec_of
from . import large, many
from .blocks import blocks, rng_of
from .measure import Report, errors, measure_ours
from .references import Question, ask

SEED = int(os.environ.get("UNIFLOGITS_SEED", "20260"))
DTYPES = ("float32", "float64")
# Where each call compiles, or the exact numbers are made anew: what has most to lose.
HARDEST = (
    "kl_divergence",
    "log1m_softmax",
    "log1mexp",
    "logsubexp",
    "softmax_cross_entropy_with_integer_labels",
    "softplus",
)


def _cells() -> list:
    chosen = [(name, backend) for name in OPERATIONS for backend in ("numpy", "torch")]
    chosen += [(name, backend) for name in HARDEST for backend in ("jax", "tensorflow")]
    return [
        # One worker measures all libraries on an operation's numbers, whose exact answers take longest.
        pytest.param(
            name,
            backend,
            id=f"{name}-{backend}",
            marks=[pytest.mark.backend(backend), compiling_together("any", f"accuracy {name}")],
        )
        for name, backend in sorted(chosen)
    ]


@functools.lru_cache(maxsize=4)
def _questions(name: str, dtype: str) -> list[Question]:
    return [
        ask(block, dtype, SEED) for block in blocks(name, dtype, SEED, classes=(10,), times=(1,), quick=True)
    ]


@pytest.mark.parametrize(("name", "backend"), _cells())
def test_accuracy(name: str, backend: str) -> None:
    report = Report(SEED)
    for dtype in DTYPES if backend in ("numpy", "torch") else DTYPES[:1]:
        for question in _questions(name, dtype):
            measure_ours(report, question, backend)
    assert not report.failures, "\n".join(report.failures)
    assert report.numbers


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_measured(name: str) -> None:
    """Blocks of many rows or numbers, whose regimes have names."""
    for dtype in DTYPES:
        for block in blocks(name, dtype, SEED):
            assert block.regimes and block.sample.arrays
            if block.classes:
                assert len(block.regimes) == len(block.sample.arrays[OPERATIONS[name].arrays[0]])


@pytest.mark.parametrize("name", many.OPERATIONS)
def test_closed_forms_of_many_classes_are_the_oracle(name: str) -> None:
    """What 256 000 classes are measured against, held to differences of the oracle on 7."""
    rows, spec = many.make(rng_of(SEED, "closed forms"), 7, "float64"), spec_of(name)
    asked = list(large.questions(rows, list(many.references(rows, [name]))))
    with answers.unkept():
        for question in asked:
            pairs = [(question.known("value", None), exact.values(spec, question.call)[0])]
            for argument, known in question.gradients.items():
                places, expected = exact.gradient(spec, question.call, argument, question.cotangent)
                assert (places == np.arange(question.call.arrays[argument].size)).all()
                pairs.append((known, expected))
            for (places, reference), expected in pairs:
                numbers = expected.high.ravel()[places]
                assert errors(numbers, reference, "float64", False, 0).max() <= 0.51
                size, allowed = (
                    np.maximum(np.abs(numbers), scale)
                    for scale in (reference.scale, expected.scale.ravel()[places])
                )
                assert (size <= allowed * (1 + 1e-9)).all()
    assert asked


def test_errors_are_counted_in_ulps() -> None:
    reference = exact.Reference(np.asarray([1.0, 4.0, np.inf, 0.5]), np.zeros(4), np.zeros(4))
    ours = np.asarray([1 + 2.0**-22, 4.0, 1e30, 0.5 - 2.0**-24], np.float32)
    assert errors(ours, reference, "float32", False, 0.0).tolist() == [2, 0, np.inf, 1]
    # -ln 0.5 ulp of room.
    assert errors(ours, reference, "float32", True, 0.0)[3] == pytest.approx(1 - np.log(2))


def test_a_wrong_answer_is_reported_so_that_it_can_be_replayed() -> None:
    (question,) = [ask(block, "float32", 5) for block in blocks("softplus", "float32", 5)]
    question.value.high[3] *= 1 + 1e-5
    report = Report(5)
    measure_ours(report, question, "numpy")
    (failure,) = report.failures
    for text in (
        "seed 5",
        "softplus float32 on numpy, value by call",
        "place 3",
        "0x1.",
        "ulp, allowed 4",
        "x=[",
    ):
        assert text in failure
