"""entmax beside every α at which its formula changes, on rows where few, many or all classes have a part."""

from __future__ import annotations

import numpy as np
import pytest

import uniflogits as ul

from . import answers, exact
from .harness import Cell, ready, run
from .oracle import numbers
from .specs.base import Sample

pytestmark = pytest.mark.backend("numpy")
ALPHAS = (1.02, 1.1, 1.2, 1.24, 1.26, 1.4, 1.6, 1.8, 1.95, 2.05, 2.3, 2.6, 2.95, 3.4, 6.0, 20.0)


def _rows(alpha: float, classes: int) -> np.ndarray:
    """As far behind the leader as a class may be, and spread so that few, some or all have a part."""
    rng = np.random.default_rng(classes)
    reach = 1 / (alpha - 1)
    behind = np.asarray([1.2, 0.5, 0.1, 0.01])[:, None] * reach * rng.random((4, classes))
    # All but one at the end of the support, where the last digits of the threshold decide.
    edge = reach * np.asarray([0.9, 1 - 1e-3])[:, None] * (1 - 1e-2 * rng.random((2, classes)))
    edge[:, 0] = 0.0
    return 0.25 - np.concatenate([behind, edge])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("alpha", ALPHAS)
def test_values(alpha: float, dtype: str) -> None:
    cell = Cell("value", "entmax", "numpy", dtype)
    failures = cell.failures()
    asked = 0
    for classes in (2, 7, 60):
        for row in _rows(alpha, classes):
            one = ready(cell, Sample(f"{classes} classes", {"logits": row}, {"alpha": alpha}))
            found = run(cell, one)
            assert (found >= 0).all()
            try:
                with answers.unkept():
                    expected = exact.values(cell.spec, one.call)
            except ArithmeticError:  # the oracle gives up where the last class has next to nothing
                continue
            asked += 1
            given = one.call.arrays
            failures.compare(f"{classes} classes", found, expected, dtype, cell.row.value, inputs=given)
    assert asked > 12
    failures.finish()


def test_ties_with_next_to_no_part() -> None:
    """One against the other they move by p^(2-α), which is large and a number of the dtype all the same."""
    x, apart = np.asarray([0.0, -0.1101151, -0.1101151], np.float32), np.asarray([0.0, 1.0, -1.0], np.float32)
    value, pullback = ul.vjp(ul.entmax, x, alpha=10.0)
    slope = float(value[1]) ** -8
    assert 1e26 < slope < 1e27
    cell = Cell("gradient", "entmax", "numpy", "float32")
    failures, expected = cell.failures(), answers.Reference.of(numbers.exact(slope * apart))
    failures.compare("ties", pullback(apart)[0], [expected], "float32", cell.row.gradient)
    failures.finish()
