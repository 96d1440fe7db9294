"""One large term among thousands alike, of which libraries' own sums lose most; see docs/accuracy.md."""

from __future__ import annotations

import functools

import pytest

from .accuracy import large, many
from .accuracy.blocks import rng_of
from .accuracy.measure import Report, measure_ours
from .accuracy.references import Question
from .accuracy.test_quick import SEED
from .harness import Cell, parameter

CLASSES, ROWS = 1000, 6
ALL = tuple(name for name in many.OPERATIONS if name != many.LINEAR)
# Each call compiles. What there is to lose is seen in the sums themselves, in sums of products, and in those
# that automatic differentiation makes.
OPERATIONS = {
    "numpy": ALL,
    "torch": ALL,
    "jax": ("log_softmax", "entropy", "logsumexp"),
    "tensorflow": ("log_softmax", "entropy", "logsumexp"),
}


@functools.lru_cache(maxsize=4)
def _questions(name: str, dtype: str) -> list[Question]:
    found = []
    for i in range(ROWS):
        rows = many.one_large_term(rng_of(SEED, "large term", i, dtype), CLASSES, dtype)
        found += large.questions(rows, list(many.references(rows, [name])))
    return found


@pytest.mark.parametrize(
    "cell",
    [
        parameter(Cell("value", name, backend, dtype))
        for backend, names in OPERATIONS.items()
        for name in names
        for dtype in ("float32", "float64")
    ],
)
def test_large_term(cell: Cell) -> None:
    report = Report(SEED)
    for question in _questions(cell.operation, cell.dtype):
        measure_ours(report, question, cell.backend)
    assert not report.failures, "\n".join(report.failures)
    assert report.numbers


@pytest.mark.parametrize(
    "cell", [parameter(Cell("gradient", "logsumexp", backend, "float32")) for backend in OPERATIONS]
)
def test_derivative_of_the_largest(cell: Cell) -> None:
    """Automatic differentiation must not add the terms up once more, in an order of the library's own."""
    rows = many.one_large_term(rng_of(0), 50_000, "float32")
    rows.p_logits[:] = -17.5
    rows.p_logits[0, :2] = 0.0, -0.5
    rows.positions[0, 0] = 0
    (question,) = large.questions(rows, list(many.references(rows, ["logsumexp"])))
    report = Report(0)
    measure_ours(report, question, cell.backend)
    assert not report.failures, "\n".join(report.failures)
    assert report.numbers
