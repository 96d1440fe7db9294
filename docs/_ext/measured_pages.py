"""Pictures and tables of the measurements that are kept in docs/data, made with the site."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import accuracy_page
from matplotlib import rc_context
from sphinx.application import Sphinx

from tests.tolerances import TOLERANCES

DOCS = Path(__file__).parent.parent
DATA = DOCS / "data"


def _example(name: str) -> Any:
    """Examples are programs, no package: found by their path."""
    found = importlib.util.spec_from_file_location(name, DOCS.parent / "examples" / f"{name}.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def read(name: str) -> dict[str, Any]:
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def collapse_table() -> str:
    """The last step of every training, with the command that made it."""
    text = []
    for library in ("torch", "jax"):
        results = read(f"collapse_{library}")
        text += [
            f"```sh\npython examples/softmax_collapse.py --library {library}"
            f"  # {library} {results['version']}, {results['steps']} steps\n```\n",
            "| cross-entropy | final loss | gradient norm | largest logit | left float64 at |",
            "|---|---|---|---|---|",
        ]
        for name, run in results["runs"].items():
            final = run["final"]
            left = "never" if run["left_at_loss"] is None else f"{run['left_at_loss']:.1e}"
            cells = (
                f"{abs(final['loss']):.3g}",
                f"{final['gradient norm']:.3g}",
                f"{final['largest logit']:.4g}",
                "" if run["dtype"] == "float64" else left,
            )
            text.append(f"| {name} | {' | '.join(cells)} |")
        text.append("")
    return "\n".join(text)


def write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def make(app: Sphinx) -> None:
    pictures = Path(app.srcdir) / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    # The same picture is the same file.
    with rc_context({"svg.hashsalt": "uniflogits"}):
        for library in ("torch", "jax"):
            figure = _example("collapse_picture").figure_of(read(f"collapse_{library}"))
            figure.savefig(pictures / f"collapse_{library}.svg", metadata={"Date": None})
        results = read("accuracy")
        accuracy_page.gap_picture(results).savefig(pictures / "accuracy_gap.svg", metadata={"Date": None})
    write(DOCS / "collapse_table.inc", collapse_table())
    daggers = {name: row.dagger for name, row in TOLERANCES.items()}
    write(DOCS / "accuracy_table.inc", accuracy_page.table(results, daggers))


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", make)
    return {"parallel_read_safe": True}
