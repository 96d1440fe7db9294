"""One large term among thousands alike, of which libraries' own sums lose most; see docs/accuracy.md."""

from __future__ import annotations

import functools
import itertools

import gmpy2
import numpy as np
import pytest

from . import adapters
from .accuracy import large, many
from .accuracy.blocks import rng_of
from .accuracy.measure import Report, measure_ours
from .accuracy.references import Question
from .accuracy.test_quick import SEED
from .exact import Reference
from .harness import Cell, parameter, ready, run
from .oracle.numbers import VALUE_BITS, as_objects, exact, precision
from .specs.base import Sample
from .tolerances import LOG_SOFTMAX_ALIKE

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


LEADS, GAPS = (0.5, 1.0, 3.0, 8.0), (16.8, 17.0, 17.2, 17.33, 17.5, 18.0)


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


def _rows(classes: int) -> np.ndarray:
    """A 0, one class behind it, and all others far behind that one."""
    places = (1, 9, classes // 2, classes - 1)
    rows = []
    for lead, gap, place in itertools.product(LEADS, GAPS, places):
        row = np.full(classes, -lead - gap, np.float32)
        row[0], row[place] = 0.0, -lead
        rows.append(row)
    return np.stack(rows)


def _exact(row: np.ndarray) -> gmpy2.mpfr:
    """log_softmax of the 0; the oracle would make an exponential of every class."""
    logits, counts = np.unique(row[1:], return_counts=True)
    others = zip(exact(logits), counts.tolist(), strict=True)
    return -gmpy2.log1p(sum(count * gmpy2.exp(x) for x, count in others))


@adapters.each(*LOG_SOFTMAX_ALIKE)
@pytest.mark.parametrize("classes", [100, 1000, 4000, 50_000])
def test_log_softmax(backend: str, classes: int) -> None:
    cell, rows = Cell("value", "log_softmax", backend, "float32"), _rows(classes)
    failures, one = cell.failures(), ready(cell, Sample("large term", {"logits": rows}))
    with precision(VALUE_BITS):
        expected = Reference.of(as_objects(map(_exact, rows), (len(rows),)))
    found = cell.adapter.to_numpy(run(cell, one))[:, 0]
    failures.compare("large term", found, [expected], "float32", LOG_SOFTMAX_ALIKE[backend], cell.row.dagger)
    failures.finish()
