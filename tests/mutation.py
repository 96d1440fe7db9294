"""The cells that every mutant of `make mutate` is held to; pytest runs them only where this file is named.

A mutant costs a start of pytest, and collecting the whole matrix takes longer than a test that notices it.
Here are the libraries between which all formulas run: NumPy, whose closed forms are checked in both dtypes;
array-api-strict, which computes the values that NumPy's own kernels compute there; torch, which
differentiates the formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from . import (
    test_edges,
    test_gradient,
    test_jvp,
    test_options_together,
    test_partners,
    test_second_order,
    test_value,
)
from .harness import PROPERTIES, parameter

# In the order in which they run: what is fast comes first.
CHECKED = (
    ("numpy", ("float64", "float32"), ("value", "gradient", "second_order", "jvp", "edges")),
    ("strict", ("float64",), ("value", "gradient")),
    ("torch", ("float64",), ("edges", "gradient", "second_order", "gradient_of_options")),
)
CHECKS: dict[str, Callable[..., None]] = {
    "value": test_value.test_value,
    "gradient": test_gradient.test_gradient,
    "gradient_of_options": lambda cell, quick: test_gradient.test_gradient_of_options(cell),
    "second_order": test_second_order.test_second_order,
    "jvp": test_jvp.test_jvp,
    "edges": lambda cell, quick: test_edges.test_edges(cell),
}


def _cells() -> list[Any]:
    return [
        parameter(cell, id=f"{cell.property}-{cell.id}")
        for backend, dtypes, properties in CHECKED
        for property in properties
        for cell in PROPERTIES[property]
        if cell.backend == backend and cell.dtype in dtypes
    ]


@pytest.mark.parametrize("cell", _cells())
def test_cell(cell: Any, quick: bool) -> None:
    CHECKS[cell.property](cell, quick)


@pytest.mark.backend("numpy")
@pytest.mark.parametrize("check", ["softmax", "binary"])
def test_losses(check: str) -> None:
    getattr(test_options_together, f"test_{check}_losses")("numpy")


@pytest.mark.backend("numpy")
@pytest.mark.parametrize("name", test_partners.PAIRS)
def test_pairs(name: str) -> None:
    test_partners.test_mixed_second_derivative(name, "numpy")
    if name in test_partners.EDGES:
        test_partners.test_gradients_at_the_edge(name, "numpy")
