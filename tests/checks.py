"""What tests a cell, by property: for tests that ask for cells in other circumstances than the matrix."""

from __future__ import annotations

from collections.abc import Callable

from . import test_edges, test_gradient, test_jvp, test_second_order, test_value

CHECKS: dict[str, Callable[..., None]] = {
    "value": test_value.test_value,
    "gradient": test_gradient.test_gradient,
    "gradient_of_options": lambda cell, quick: test_gradient.test_gradient_of_options(cell),
    "second_order": test_second_order.test_second_order,
    "jvp": test_jvp.test_jvp,
    "edges": lambda cell, quick: test_edges.test_edges(cell),
}
