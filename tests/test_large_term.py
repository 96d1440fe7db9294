"""One large term among thousands alike, of which a library's own sums lose more than any bound allows.

docs/accuracy.md says how much. The order in which torch and XLA add depends on the processor, and on
optimizations that tests do without: they are measured there, and not held to a number here.
"""

from __future__ import annotations

import itertools

import gmpy2
import numpy as np
import pytest

import uniflogits as ul

from . import adapters

# Ulps beyond the rounding of x - max: NumPy adds 16 terms in a lane (8.5 was seen); TensorFlow's rows are
# added in blocks, and keep the bound.
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
    second, rest = np.sort(row)[-2], row.min()
    others = gmpy2.exp(gmpy2.mpfr(float(second))) + (row.size - 2) * gmpy2.exp(gmpy2.mpfr(float(rest)))
    return -gmpy2.log1p(others)


@adapters.each(*REACHED)
@pytest.mark.parametrize("classes", [100, 1000, 4000, 50_000])
def test_log_softmax(backend: str, classes: int) -> None:
    adapter, rows = adapters.get(backend), _rows(classes)
    with adapter.calling():
        found = adapter.to_numpy(ul.log_softmax(adapter.array(rows)))[:, 0]
    with gmpy2.context(precision=200):
        for row, ours in zip(rows, found, strict=True):
            exact = _exact(row)
            off = abs(float(gmpy2.mpfr(float(ours)) - exact)) / np.spacing(np.float32(abs(float(exact))))
            assert off - max(0.0, -np.log(abs(float(exact)))) <= REACHED[backend], row[:10]
