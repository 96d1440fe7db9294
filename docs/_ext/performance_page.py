"""Tables and pictures of the performance page, from the committed numbers of `make bench`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
from sphinx.application import Sphinx

matplotlib.use("svg")

DOCS = Path(__file__).parent.parent
RESULTS = DOCS.parent / "benchmarks" / "results"
TITLES = {"numpy": "NumPy", "torch": "torch", "jax": "JAX", "tensorflow": "TensorFlow"}
NAIVE = "product and loss"  # the peer of the loss of a linear layer that holds all logits
LINEAR_SHARE = 1 / 8  # of its memory, at most
FASTER, SLOWER, PEER = "#1f6feb", "#d1570a", "0.4"
STYLE = {"axes.spines.top": False, "axes.spines.right": False, "font.size": 9, "svg.hashsalt": "uniflogits"}


def _results() -> dict[str, dict[str, Any]]:
    return {
        name: json.loads((RESULTS / f"{name}.json").read_text())
        for name in TITLES
        if (RESULTS / f"{name}.json").exists()
    }


def _size(row: dict[str, Any]) -> str:
    return " × ".join(f"{size:,}".replace(",", " ") for size in row["shape"])


def _table(result: dict[str, Any]) -> str:
    """One row per pair and kind of logits, one column per shape; single thread / all cores."""
    sizes = list(dict.fromkeys(_size(row) for row in result["ratios"]))
    cells: dict[tuple[str, str, str], dict[str, dict[str, str]]] = {}
    for row in result["ratios"]:
        key = row["what"], row["peer"], row["logits"]
        text = f"{row['ratio']:.2f}"
        cells.setdefault(key, {}).setdefault(_size(row), {})[row["threads"]] = text
        if row["target"] is not None:
            cells[key][_size(row)]["target"] = f"(≤ {row['target']:g})"
    lines = ["| what | peer | logits | " + " | ".join(sizes) + " |", "|---" * (3 + len(sizes)) + "|"]
    for (what, peer, logits), by_size in cells.items():
        numbers = []
        for size in sizes:
            found = by_size.get(size, {})
            ratios = " / ".join(found[threads] for threads in ("1", "all") if threads in found)
            numbers.append(f"{ratios} {found.get('target', '')}".strip())
        lines.append("| " + " | ".join([what, peer, logits, *numbers]) + " |")
    return "\n".join([*lines, "", _source(result, "ratios"), ""])


def _misses(results: dict[str, dict[str, Any]]) -> str:
    """What took longer, or more memory, than is aimed at."""
    lines = ["| library | what | logits | shape | measured | aim |", "|---" * 6 + "|"]

    def add(library: str, row: dict[str, Any], measured: str, aim: str) -> None:
        cells = [TITLES[library], row["what"], row["logits"], _size(row), measured, aim]
        lines.append("| " + " | ".join(cells) + " |")

    for name, result in results.items():
        for row in (*result["ratios"], *result.get("linear", ())):
            if row["threads"] != "1":
                continue
            if row["target"] is not None and round(row["ratio"], 2) > row["target"]:
                add(name, row, f"{row['ratio']:.2f}", f"{row['target']:g}")
        for row, theirs, ours in _linear_rows(result):
            if row["peer"] == NAIVE and ours > theirs * LINEAR_SHARE:
                add(name, row, f"1/{theirs / ours:.1f} of the memory", f"1/{1 / LINEAR_SHARE:g}")
    return "\n".join([*lines, ""])


def _source(result: dict[str, Any], part: str) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in result["versions"].items())
    return f"`{result['commands'][part]}`, {result['machine']['cores']} cores; {versions}."


def _linear_rows(result: dict[str, Any]) -> Iterator[tuple[dict[str, Any], int, int]]:
    """Each timing of the loss of products on one thread, and the bytes that its peer and uniflogits take."""
    bytes_of = {
        (row["what"], row["peer"], row["who"]): row["bytes"] for row in result.get("linear_memory", ())
    }
    for row in result.get("linear", ()):
        if row["threads"] == "1":
            yield row, *(bytes_of[row["what"], row["peer"], who] for who in ("theirs", "ours"))


def _linear(results: dict[str, dict[str, Any]]) -> str:
    """Time and memory of the loss of products, one row per pair; single thread / all cores."""
    lines = [
        "| library | reduction | peer | time | MiB, the peer | MiB, uniflogits | memory |",
        "|---" * 7 + "|",
    ]
    sources = []
    for name, result in results.items():
        for row, theirs, ours in _linear_rows(result):
            same = (one for one in result["linear"] if all(one[key] == row[key] for key in ("what", "peer")))
            ratios = " / ".join(f"{one['ratio']:.2f}" for one in sorted(same, key=lambda one: one["threads"]))
            aim = f" (≤ {row['target']:g})" if row["target"] else ""
            numbers = [
                f"{ratios}{aim}",
                f"{theirs / 2**20:.0f}",
                f"{ours / 2**20:.0f}",
                f"1/{theirs / ours:.1f}",
            ]
            lines.append("| " + " | ".join([TITLES[name], row["what"], row["peer"], *numbers]) + " |")
        if "linear" in result:
            sources.append(f"{TITLES[name]}: {_source(result, 'linear')}")
    return "\n".join([*lines, "", *sources, ""])


def _bars(name: str, result: dict[str, Any]) -> Any:
    rows = [row for row in result["ratios"] if row["threads"] == "1" and row["logits"] == "moderate"]
    whats = list(dict.fromkeys(row["what"] for row in rows))
    figure, axes = plt.subplots(figsize=(7, 0.6 + 0.62 * len(whats)))
    height = 0.19
    for place, what in enumerate(whats):
        for number, row in enumerate(row for row in rows if row["what"] == what):
            y = place + (number - 1.5) * height
            axes.barh(y, row["ratio"], height * 0.9, color=FASTER if row["ratio"] <= 1 else SLOWER)
            axes.text(row["ratio"], y, f" {row['ratio']:.2f}  {_size(row)}", va="center", fontsize=6.5)
    axes.axvline(1, color=PEER, linewidth=1)
    axes.set(yticks=range(len(whats)), yticklabels=whats, xlabel="time / the peer's, one thread")
    axes.invert_yaxis()
    axes.margins(x=0.25)
    axes.set_title(TITLES[name], loc="left")
    return figure


def _growth(results: dict[str, dict[str, Any]]) -> Any:
    figure, panels = plt.subplots(1, 2, figsize=(7, 3), sharey=True)
    for axes, index, label in zip(
        panels, (0, 1), ("rows, of 1000 classes", "classes, 256 rows"), strict=True
    ):
        for name, result in results.items():
            fixed = (256, 1000)[1 - index]
            rows = [row for row in result.get("sweep", ()) if row["shape"][1 - index] == fixed]
            rows.sort(key=lambda row: row["shape"][index])
            sizes = [row["shape"][index] for row in rows]
            axes.loglog(sizes, [row["ours_seconds"] for row in rows], "o-", markersize=4, label=TITLES[name])
        axes.set_xlabel(label)
        axes.grid(alpha=0.25)
    panels[0].set_ylabel("seconds, value + gradient")
    panels[0].legend(frameon=False)
    return figure


def _memory(results: dict[str, dict[str, Any]]) -> Any:
    shown = {name: result for name, result in results.items() if result.get("memory")}
    figure, panels = plt.subplots(1, max(1, len(shown)), figsize=(7, 2.6), squeeze=False)
    for axes, (name, result) in zip(panels[0], shown.items(), strict=False):
        for who, color in (("theirs", SLOWER), ("ours", FASTER)):
            rows = [row for row in result["memory"] if row["who"] == who and not row["hidden"]]
            axes.plot(
                [row["tokens"] for row in rows],
                [row["bytes"] / 2**20 for row in rows],
                "o-",
                color=color,
                markersize=4,
                label={"theirs": "the peer", "ours": "uniflogits"}[who],
            )
        axes.set_title(TITLES[name], loc="left")
        axes.set(xlabel="tokens", ylim=(0, None))
        axes.grid(alpha=0.25)
    panels[0][0].set_ylabel("MiB above the inputs")
    panels[0][0].legend(frameon=False)
    return figure


def write(app: Sphinx) -> None:
    folder = DOCS / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    results = _results()
    with plt.rc_context(STYLE):
        pictures = {f"ratios_{name}": _bars(name, result) for name, result in results.items()}
        if any(result.get("sweep") for result in results.values()):
            pictures["growth"] = _growth(results)
        if any(result.get("memory") for result in results.values()):
            pictures["memory"] = _memory(results)
        for name, figure in pictures.items():
            figure.tight_layout()
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
            plt.close(figure)
    for name in TITLES:
        text = _table(results[name]) if name in results else "No measurement is kept here yet.\n"
        (folder / f"ratios_{name}.md").write_text(text, encoding="utf-8")
    (folder / "linear.md").write_text(_linear(results), encoding="utf-8")
    (folder / "misses.md").write_text(_misses(results), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}
