"""A page for every public function, written from the registry each time the site is built.

Nothing on these pages is typed by hand: signature and text come from the function, accuracy from the table
that the tests use, and what is supported where from the JSON that a run of the tests writes.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from types import ModuleType
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

import uniflogits
from tests.tolerances import TOLERANCES
from uniflogits._core.operation import OPERATIONS

DOCS = Path(__file__).parent.parent
SUPPORT = DOCS.parent / "build" / "support.json"
UNTESTED = "This site was built before the tests had run: ``make test`` writes what this table is made of.\n"
COLUMNS = {"value": "value", "gradient": "gradient", "second_order": "second order"}
LIBRARIES = {
    "numpy": "NumPy",
    "jax": "JAX",
    "torch": "PyTorch",
    "tensorflow": "TensorFlow",
    "strict": "array-api-strict",
    "dask": "Dask",
}


def public_functions() -> dict[str, Any]:
    """Everything of its own that `import uniflogits` offers, modules aside."""
    found = {name: getattr(uniflogits, name) for name in dir(uniflogits) if not name.startswith("_")}
    return {
        name: value
        for name, value in found.items()
        if not isinstance(value, ModuleType) and value.__module__.split(".")[0] == "uniflogits"
    }


def summary(value: Any) -> str:
    """The first line of a docstring."""
    text = inspect.getdoc(value)
    if not text:
        raise ExtensionError(f"{getattr(value, '__name__', value)} is public and has no documentation")
    return text.splitlines()[0]


def read_support() -> dict[str, Any]:
    return json.loads(SUPPORT.read_text(encoding="utf-8")) if SUPPORT.exists() else {}


def table(head: list[str], rows: list[list[str]]) -> str:
    """A list-table, the kind whose cells need no alignment."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in [head, *rows]:
        lines += [f"   {'*' if position == 0 else ' '} - {cell}" for position, cell in enumerate(row)]
    return "\n".join(lines) + "\n"


def support_text(name: str, support: dict[str, Any]) -> str:
    """Library × value, gradient, second order and dtypes, as the last run of the tests saw them."""
    if name not in support:
        return UNTESTED
    rows = []
    # The file is sorted by name; people look for NumPy first, and for the shortest dtype.
    known = [*LIBRARIES, *(library for library in support[name] if library not in LIBRARIES)]
    for library in (one for one in known if one in support[name]):
        properties = support[name][library]
        tested = sorted(
            properties.get("value", {}), key=lambda dtype: (int(dtype.lstrip("bfloat")), dtype[::-1])
        )
        cells = [verdict(properties.get(column, {}), tested) for column in COLUMNS]
        rows.append([LIBRARIES.get(library, library), *cells, ", ".join(tested)])
    return table(["library", *COLUMNS.values(), "dtypes"], rows)


def verdict(outcomes: dict[str, str], tested: list[str]) -> str:
    """yes, no, or the dtypes that are an exception."""
    passed = [dtype for dtype in tested if outcomes.get(dtype) == "pass"]
    if not passed:
        return "no"
    missing = [dtype for dtype in tested if dtype not in passed]
    return f"yes, except {', '.join(missing)}" if missing else "yes"


def accuracy_text(name: str) -> str:
    """The bounds that the tests hold the operation to; whether it keeps them is in the support table."""
    row = TOLERANCES[name]
    bounds = {"value": row.value, "gradient": row.gradient, "Hessian times a vector": row.second}
    text = table(["result", "allowed error in ulp"], [[name, f"{bound:g}"] for name, bound in bounds.items()])
    text += (
        "\nA *yes* in the support table says that the tests saw these bounds kept. They count units in the "
        "last place of the exact result or, where it is a difference of larger numbers, of the scale that "
        f"``tests/specs/{name}.py`` states"
    )
    if row.dagger:
        text += "; max(0, −ln M) ulp are added, M being that magnitude"
    return text + ". Results in float16 and bfloat16 may be off by one ulp of that dtype more.\n"


def page(name: str, function: Any, support: dict[str, Any]) -> str:
    text = f"{name}\n{'=' * len(name)}\n\n.. autofunction:: uniflogits.{name}\n"
    if name in OPERATIONS:
        text += "\nSupport\n-------\n\n" + support_text(name, support)
        text += "\nAccuracy\n--------\n\n" + accuracy_text(name)
    return text


def index(functions: dict[str, Any]) -> str:
    """All pages, by family in the order of their names."""
    families: dict[str, list[str]] = {}
    for name in functions:
        room = functions[name].__module__.split(".")[1:2]
        family = OPERATIONS[name].family if name in OPERATIONS else room[0]
        families.setdefault({"_core": "gradients"}.get(family, family), []).append(name)
    text = "Operations\n==========\n"
    last = ("gradients", "training")
    for family in sorted(families, key=lambda family: (family in last, family)):
        module = getattr(uniflogits, family, None)
        title = family.capitalize()
        text += f"\n{title}\n{'-' * len(title)}\n\n"
        if isinstance(module, ModuleType) and module.__doc__:
            text += f"{summary(module)}\n\n"
        text += table(
            ["function", ""], [[f":doc:`{name}`", summary(functions[name])] for name in families[family]]
        )
        text += "\n.. toctree::\n   :hidden:\n\n" + "".join(f"   {name}\n" for name in families[family])
    return text


def write_pages(app: Sphinx) -> None:
    support = read_support()
    functions = public_functions()
    folder = Path(app.srcdir) / "operations"
    folder.mkdir(exist_ok=True)
    pages = {name: page(name, function, support) for name, function in functions.items()}
    pages["index"] = index(functions)
    for old in folder.glob("*.rst"):
        if old.stem not in pages:
            old.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.rst"
        # An unchanged page keeps its date, so that a second build is quick.
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", write_pages)
    return {"version": uniflogits.__version__, "parallel_read_safe": True}
