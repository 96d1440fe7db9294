"""Tables of the page on transforms: operation × transform, as the last run of the tests saw them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from operation_pages import LIBRARIES, UNTESTED, read_support
from sphinx.application import Sphinx

from tests import transforms
from tests.harness import TRANSFORM

DOCS = Path(__file__).parent.parent
# Properties of the matrix that are derivatives under a library's own modes, and what they are called here.
MODES = {"gradient": "reverse", "jvp": "forward", "second_order": "second order"}
MARKS = {"pass": "✓", "exception": "exception", "nonsense": "–", "fail": "no"}


def _columns(library: str) -> dict[str, str]:
    names = transforms.of(library) if library in transforms.LIBRARIES else ()
    return MODES | {f"{TRANSFORM}{name}": name.replace("_", " ") for name in names}


def _mark(outcomes: dict[str, str]) -> str:
    """The worst of all dtypes."""
    worst = max(outcomes.values(), key=list(MARKS).index, default="nonsense")
    return MARKS[worst]


def _table(library: str, support: dict[str, Any]) -> str:
    columns = _columns(library)
    lines = ["| | " + " | ".join(columns.values()) + " |", "|---" * (1 + len(columns)) + "|"]
    count = 0
    for operation in sorted(support):
        properties = support[operation].get(library, {})
        marks = [_mark(properties.get(column, {})) for column in columns]
        count += sum(mark == MARKS["pass"] for mark in marks)
        lines.append(f"| {operation} | " + " | ".join(marks) + " |")
    return "\n".join([*lines, "", f"{count} cells pass.", ""])


def write(app: Sphinx) -> None:
    folder = DOCS / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    support = read_support()
    for library in LIBRARIES:
        text = _table(library, support) if support else UNTESTED.replace("``", "`")
        (folder / f"transforms_{library}.md").write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}
