"""The one table of bounds, put together from the specs; `specs.base.Row` says how an error is counted."""

from __future__ import annotations

import importlib

from uniflogits._core.operation import OPERATIONS

from .specs.base import Row

TOLERANCES: dict[str, Row] = {
    name: importlib.import_module(f"tests.specs.{name}").SPEC.tolerance for name in OPERATIONS
}
