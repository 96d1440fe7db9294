"""Writing down what a run of the matrix found: build/matrix/<backend>.json, the support tables' source.

A file is written only for a library whose every cell was run, so that `pytest -k softmax` leaves no half
answer behind; it names the sources it is true for.
"""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
Outcomes = dict[str, dict[str, dict[str, str]]]  # operation -> property -> dtype -> outcome


@functools.cache
def sources() -> str:
    """A fingerprint of the library and of the tests: results of other sources are stale."""
    digest = hashlib.sha256()
    for folder in ("src/uniflogits", "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.relative_to(ROOT).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


class Recorder:
    """Collects the outcome of every cell; with pytest-xdist it lives in the controller."""

    def __init__(self) -> None:
        self.outcomes: dict[tuple[str, ...], str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        cell = dict(report.user_properties).get("cell")
        if cell is None:
            return
        key = tuple(cell)
        if report.when == "call":
            outcome = "pass" if report.outcome == "passed" else "fail"
            if report.outcome == "skipped":  # an expected failure
                outcome = "exception"
        elif report.outcome == "skipped":
            outcome = "nonsense"
        elif report.outcome == "failed":
            outcome = "fail"
        else:
            return
        # Several tests may look at one cell from several sides: the worst counts.
        order = ("pass", "nonsense", "exception", "fail")
        self.outcomes[key] = max(outcome, self.outcomes.get(key, "pass"), key=order.index)

    def pytest_sessionfinish(self) -> None:
        if not self.outcomes:
            return
        from .harness import all_cells

        for backend, cells in all_cells().items():
            if not cells or not cells <= self.outcomes.keys():
                continue
            table: Outcomes = {}
            for property, operation, _, dtype in sorted(cells):
                outcome = self.outcomes[property, operation, backend, dtype]
                table.setdefault(operation, {}).setdefault(property, {})[dtype] = outcome
            write(BUILD / "matrix" / f"{backend}.json", {"sources": sources(), "outcomes": table})
