"""One large term among thousands alike, of which a library's own sums lose more than any bound allows.

docs/accuracy.md says how much. The order in which torch and XLA add depends on the processor, and on
optimizations that tests do without: they are measured there, and not held to a number here.
"""

from __future__ import annotations

import itertools

import gmpy2
import numpy as np
import pytest

from . import adapters
from .exact import Reference
from .harness import Cell, ready, run
from .oracle.numbers import VALUE_BITS, as_objects, exact, precision
from .specs.base import Sample

# NumPy adds 16 terms in a lane (8.5 was seen); TensorFlow's rows are added in blocks, and keep the bound.
REACHED = {"numpy": 9.0, "tensorflow": 6.0}
LEADS, GAPS = (0.5, 1.0, 3.0, 8.0), (16.8, 17.0, 17.2, 17.33, 17.5, 18.0)


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


@adapters.each(*REACHED)
@pytest.mark.parametrize("classes", [100, 1000, 4000, 50_000])
def test_log_softmax(backend: str, classes: int) -> None:
    cell, rows = Cell("value", "log_softmax", backend, "float32"), _rows(classes)
    failures, one = cell.failures(), ready(cell, Sample("large term", {"logits": rows}))
    with precision(VALUE_BITS):
        expected = Reference.of(as_objects(map(_exact, rows), (len(rows),)))
    found = cell.adapter.to_numpy(run(cell, one))[:, 0]
    failures.compare("large term", found, [expected], "float32", REACHED[backend], cell.row.dagger)
    failures.finish()
