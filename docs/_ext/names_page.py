"""The page that maps other libraries' names to ours, made of the rows that tests/test_names.py checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from operation_pages import table
from sphinx.application import Sphinx

from tests.names import NAMES

PATH = Path(__file__).parent.parent / "names.rst"
TITLES = {
    "tensorflow": "TensorFlow and Keras",
    "torch": "PyTorch",
    "jax": "JAX",
    "optax": "optax",
    "scipy": "SciPy and NumPy",
}
INTRODUCTION = """\
Names you know
==============

What to call here for a function you know from elsewhere. In every row ``x`` and ``x2`` are logits of shape
(3, 4), ``y`` class indices, ``p`` and ``p2`` dense labels, ``b`` binary labels, ``w`` class weights, ``m``
a mask and ``u`` numbers between 0 and 1; a test evaluates both sides and compares the numbers.

Four differences hold throughout: logits come before labels; ``axis`` is the last one by default;
``reduction`` is ``"none"`` by default; and options are given by keyword.

"""


def page() -> str:
    text = [INTRODUCTION]
    for package, title in TITLES.items():
        rows = [
            [f"``{row.theirs}``", f"``{row.ours}``", row.differs.replace("`", "``")]
            for row in NAMES
            if row.package == package
        ]
        text += [f"{title}\n{'-' * len(title)}\n\n", table(["theirs", "ours", "what differs"], rows), "\n"]
    return "".join(text)


def write(app: Sphinx) -> None:
    text = page()
    if not PATH.exists() or PATH.read_text(encoding="utf-8") != text:
        PATH.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}
