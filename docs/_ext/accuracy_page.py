"""The table and the picture of the page of accuracy, made of the JSON that `make accuracy` wrote."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from tests.accuracy.regimes import ONE_LARGE_TERM

LIBRARIES = {"numpy": "NumPy", "jax": "JAX", "torch": "torch", "tensorflow": "TF"}
PEERS = {"torch": "torch", "jax": "JAX", "optax": "optax", "tensorflow": "TF", "scipy": "SciPy"}
TITLES = {"value": "Values", "gradient": "First derivatives", "second": "Second derivatives"}
OURS, THEIRS = "#1f6feb", ("#d1570a", "#3a9a4f", "#8172b3", "#b07d2b")
# The error of an answer that has lost all digits is drawn here.
ALL_DIGITS = {"float32": 2.0**24, "float64": 2.0**53}
Cells = dict[tuple[str, str], dict[str, float]]


def table(results: dict[str, Any], daggers: dict[str, bool]) -> str:
    """One table for each kind of quantity: T, then ours and theirs, float32 and float64.

    What was computed of rows with one large term among thousands alike has its own.
    """
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    text = [
        f"Seed {results['seed']}, {results['numbers']:,} numbers of ours and theirs, {versions}. "
        "Every cell is float32 / float64, in ulp.\n"
    ]
    ordinary = [row for row in results["rows"] if ONE_LARGE_TERM not in row["mode"]]
    alike = [row for row in results["rows"] if ONE_LARGE_TERM in row["mode"]]
    bounds, _ = _cells(ordinary)
    for rows, addition in (ordinary, ""), (alike, f", {ONE_LARGE_TERM} among thousands alike"):
        for kind, title in TITLES.items():
            of_kind = [row for row in rows if row["quantity"].split()[0] == kind]
            if of_kind:
                text += [f"### {title}{addition}\n", *_lines(of_kind, bounds, daggers)]
    return "\n".join(text)


def _lines(
    rows: list[dict[str, Any]], bounds: dict[tuple[str, str], float], daggers: dict[str, bool]
) -> list[str]:
    _, cells = _cells(rows)
    shown = [f"{name}'s own" for name in PEERS if any(f"{name}'s own" in c for c in _libraries(rows))]
    heads = ["operation", "T", *LIBRARIES.values(), *(f"{PEERS[s[:-6]]}'s own" for s in shown)]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for key in sorted(cells):
        operation, quantity = key
        by = quantity.partition(" by ")[2]
        name = f"{operation}{' †' * daggers[operation]}{f', by {by}' * bool(by)}"
        columns = [_both(cells[key], library) for library in (*LIBRARIES, *shown)]
        lines.append(f"| {name} | {bounds[key]:g} | {' | '.join(columns)} |")
    return [*lines, ""]


def _libraries(rows: list[dict[str, Any]]) -> set[str]:
    return {row["library"] for row in rows}


def _cells(rows: list[dict[str, Any]]) -> tuple[dict[tuple[str, str], float], Cells]:
    """The worst of all modes."""
    bounds, cells = {}, {}
    for row in rows:
        key = (row["operation"], row["quantity"])
        bounds[key] = row["bound"]
        cell = cells.setdefault(key, {})
        name = f"{row['library']} {row['dtype']}"
        cell[name] = max(cell.get(name, 0.0), row["ulp"])
    return bounds, cells


def _both(cell: dict[str, float], library: str) -> str:
    numbers = [cell.get(f"{library} {dtype}") for dtype in ("float32", "float64")]
    return "" if None in numbers else " / ".join(_number(number) for number in numbers)


def _number(ulp: float | None) -> str:
    if ulp is None or not math.isfinite(ulp):
        return "∞"
    if ulp < 100:
        return f"{ulp:.2g}"
    if ulp < 1e4:
        return f"{ulp:.0f}"
    mantissa, exponent = f"{ulp:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def gap_picture(results: dict[str, Any]) -> Figure:
    """Error against the confidence gap: loss and gradient, float32 and float64."""
    gap = results["gap"]
    figure = Figure(figsize=(10, 6.4), layout="constrained")
    grid = figure.subplots(2, 2, sharex=True)
    for row, (quantity, title) in zip(
        grid, {"loss": "loss", "gradient": "gradient of the right class"}.items(), strict=True
    ):
        for axes, dtype in zip(row, ("float32", "float64"), strict=True):
            _draw(axes, gap, quantity, dtype)
            axes.set_title(f"{title}, {dtype}", loc="left", fontsize=11, fontweight="bold")
    for axes in grid[1]:
        axes.set_xlabel("confidence gap: the lead of the right class")
    for axes in grid[:, 0]:
        axes.set_ylabel("error in ulp")
    grid[0, 0].legend(frameon=False, fontsize=9, loc="center right")
    return figure


def _draw(axes: Any, gap: dict[str, Any], quantity: str, dtype: str) -> None:
    gaps = np.asarray(gap["gaps"])
    colours = iter(THEIRS)
    theirs = {name: by for name, by in gap[quantity].items() if not name.startswith("uniflogits")}
    for place, (name, by_dtype) in enumerate(theirs.items()):
        # Curves that lie on each other show through each other's gaps.
        dashes = (5 * place, (5, 5 * max(len(theirs) - 1, 0) + 0.01))
        errors = np.maximum(np.asarray(by_dtype[dtype]), 0.1)
        colour = next(colours)
        axes.plot(gaps, errors, color=colour, lw=2, ls=dashes)
        axes.plot([], [], color=colour, lw=2, label=f"{PEERS[name]}'s own")
    ours = [by[dtype] for name, by in gap[quantity].items() if name.startswith("uniflogits")]
    worst = np.maximum(np.max(np.asarray(ours), axis=0), 0.1)
    axes.plot(gaps, worst, color=OURS, lw=2.5, label="uniflogits, the worst of its libraries")
    axes.axhline(ALL_DIGITS[dtype], color="0.4", lw=0.8, ls=":")
    axes.text(gaps[-1], ALL_DIGITS[dtype], "100 % ", color="0.4", ha="right", va="bottom", fontsize=9)
    axes.set_yscale("log")
    axes.set_ylim(0.08, 40 * ALL_DIGITS[dtype])
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
