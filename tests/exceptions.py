"""The only list of cells that are left out of a property, each with its reason.

A cell is one test of the matrix: property[operation-backend-dtype]. An entry names one or many of them (`*`
matches anything). Two kinds:

- `nonsense`: the property has no meaning there, so the cell is not run;
- `fails`: the promise is not kept there yet, or the library's own defect forbids it. The cell is run and must
  fail: the day it passes, its entry is an error.

tests/test_exceptions.py holds every entry to matching a cell, and counts them.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class LeftOut:
    property: str
    operation: str
    backend: str
    dtype: str
    kind: Literal["nonsense", "fails"]
    reason: str  # with the measured number, for a bound not reached
    upstream: str = ""  # the issue of the library whose defect it is

    def matches(self, cell: tuple[str, str, str, str]) -> bool:
        patterns = (self.property, self.operation, self.backend, self.dtype)
        return all(fnmatch.fnmatchcase(part, pattern) for part, pattern in zip(cell, patterns, strict=True))


LEFT_OUT: tuple[LeftOut, ...] = ()

# How many entries there are, and how many cells of the matrix they match: neither changes by accident.
ENTRIES = 0
CELLS = 0


def find(property: str, operation: str, backend: str, dtype: str) -> LeftOut | None:
    return next((entry for entry in LEFT_OUT if entry.matches((property, operation, backend, dtype))), None)
