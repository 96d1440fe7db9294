"""The page of defects: what libraries answer today, what uniflogits answers on the same arrays, what is
right.

Nothing on it is typed by hand. Every library is asked in a process of its own when the site is built (the
answers are kept in build/museum until a version or an exhibit changes); one that is not installed is left
out, and an answer that has become right is listed as such.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from operation_pages import table
from sphinx.application import Sphinx

from tests.museum import EXHIBITS, Exhibit
from tests.museum.answers import Answer, answers, numbers_of, shown, version
from tests.museum.peers import LIBRARIES

DOCS = Path(__file__).parent.parent

TITLES = {
    "torch": "PyTorch",
    "jax": "JAX",
    "tensorflow": "TensorFlow",
    "scipy": "SciPy",
    "optax": "optax",
    "keras-torch": "Keras on PyTorch",
    "keras-jax": "Keras on JAX",
    "keras-tensorflow": "Keras on TensorFlow",
}
INTRODUCTION = """\
A museum of defects
===================

Every row is an input on which a library's own function is off, or was when the thread named was written.
Each answer was computed while this page was built: the library's by the expression shown, and uniflogits'
**on the same arrays of that library**. The exact answer comes from arithmetic with hundreds of bits.
Numbers are the one that is furthest off, counted in units in the last place (ulp) of the input's dtype,
among those that the function returns.

"""


def rows_of(library: str, found: dict[str, Any], only_right: bool) -> list[list[str]]:
    rows = []
    for exhibit in EXHIBITS:
        if exhibit.id not in found:
            continue
        theirs, ours = (Answer(exhibit, found[exhibit.id][who]) for who in ("theirs", "ours"))
        if theirs.right is not only_right:
            continue
        expression = f"``{exhibit.peers[LIBRARIES[library]]}``"
        rows.append(
            [
                f"{exhibit.title} ({exhibit.id}) {_threads(exhibit)}".strip(),
                f"{theirs.text} |br| {expression}",
                _at_place(exhibit, found[exhibit.id]["ours"], theirs, ours),
                _right(exhibit, theirs),
            ]
        )
    return rows


def _at_place(exhibit: Exhibit, answer: dict[str, Any], theirs: Answer, ours: Answer) -> str:
    place = getattr(theirs, "place", None)
    return ours.text if place is None or ours.error else shown(numbers_of(answer)[place])


def _right(exhibit: Exhibit, theirs: Answer) -> str:
    if exhibit.raises is not None:
        return exhibit.raises[0].__name__
    right = np.asarray(exhibit.right()).astype(float).ravel()
    return shown(right[getattr(theirs, "place", 0)])


def _threads(exhibit: Exhibit) -> str:
    links = []
    for thread in exhibit.threads:
        repository, number = thread.split("#")
        links.append(f"`{thread} <https://github.com/{repository}/issues/{number}>`__")
    return ", ".join(links)


def page() -> str:
    text = [INTRODUCTION, ".. |br| raw:: html\n\n   <br>\n\n"]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # each waits for a process
        found = dict(zip(TITLES, pool.map(answers, TITLES), strict=True))
    fixed = []
    for library, title in TITLES.items():
        wrong = rows_of(library, found[library], only_right=False)
        fixed += [
            [f"{title} {version(library.split('-')[0])}", *row]
            for row in rows_of(library, found[library], only_right=True)
        ]
        if wrong:
            heading = f"{title} {version(library.split('-')[0])}"
            text += [f"{heading}\n{'-' * len(heading)}\n\n"]
            text += [table(["input", f"{title} answers", "uniflogits answers", "exact"], wrong), "\n"]
    text.append(
        "Right today\n-----------\n\nExhibits on which the installed version gives the right answer.\n\n"
    )
    text.append(table(["library", "input", "it answers", "uniflogits answers", "exact"], fixed))
    return "".join(text)


def write(app: Sphinx) -> None:
    path = DOCS / "museum.rst"
    text = page()
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}
