"""The one table of bounds, put together from the specs; `specs.base.Row` says how an error is counted."""

from __future__ import annotations

import importlib

from uniflogits._core.operation import OPERATIONS

from .specs.base import Row

TOLERANCES: dict[str, Row] = {
    name: importlib.import_module(f"tests.specs.{name}").SPEC.tolerance for name in OPERATIONS
}

# By how much bounds are exceeded where a sum has one large term among thousands alike, each about half an ulp
# of it: those of NumPy and torch add 16 terms and more one after the other. docs/accuracy.md has the numbers.
ALIKE = {"numpy": 3.0, "torch": 5.0}
# And in ulp for log_softmax of float32 on chosen rows of the kind, of which NumPy was seen to lose 8.5.
LOG_SOFTMAX_ALIKE = {"numpy": 9.0, "jax": 6.0, "tensorflow": 6.0}
