"""The report as text: aligned columns, no more than plain characters."""

from __future__ import annotations

import textwrap
from typing import Any

QUANTITIES = ("value", "gradient")


def heading(report: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    first = f"uniflogits {report['uniflogits']}, Python {report['python']}, {report['platform']}"
    return f"{first}\n{textwrap.fill(versions, 100, break_on_hyphens=False)}\n"


def line(name: str, found: dict[str, Any]) -> str:
    """One line on one library."""
    note = found.get("reason", "")
    if "seconds" in found:
        times = f"imported in {found['import_seconds']:.1f} s, checked in {found['seconds']:.1f} s"
        note = f"{times}: {note}" if note else times
    return f"{name:<18}{found.get('version', ''):<14}{found['status']:<15}{note}".rstrip()


def results(report: dict[str, Any]) -> str:
    """The worst errors by operation and library, what is off, and the verdict."""
    checked = {
        name: found["operations"] for name, found in report["libraries"].items() if found.get("operations")
    }
    lines = ["", *_table(checked)] if checked else []
    for name, found in report["libraries"].items():
        if found.get("off"):
            lines += ["", f"{name} is off:", *(f"  {text}" for text in found["off"])]
    lines += ["", "Everything installed works." if report["ok"] else _blame(report)]
    return "\n".join(lines)


def _table(checked: dict[str, Any]) -> list[str]:
    operations = list(dict.fromkeys(operation for found in checked.values() for operation in found))
    title = "worst error in ulp"
    width = max(len(operation) for operation in [*operations, title])
    widths = {name: max(len(name), 8) for name in checked}
    lines = [
        f"{title:<{width}}  {'':<8}  allowed  " + "  ".join(f"{name:>{widths[name]}} " for name in checked)
    ]
    for operation in operations:
        for quantity in QUANTITIES:
            cells, allowed = [], "?"
            for name, found in checked.items():
                entries = [by[quantity] for by in found.get(operation, {}).values() if quantity in by]
                cells.append(f"{_worst(entries):>{widths[name]}}{_mark(entries)}")
                allowed = next((f"{entry['allowed']:g}" for entry in entries), allowed)
            label = operation if quantity == QUANTITIES[0] else ""
            lines.append(f"{label:<{width}}  {quantity:<8}  {allowed:>7}  {'  '.join(cells)}".rstrip())
    return [line.rstrip() for line in lines]


def _worst(entries: list[dict[str, Any]]) -> str:
    """The worse of both dtypes; None stands for infinity."""
    if not entries:
        return "-"
    numbers = [entry["worst"] for entry in entries]
    return "inf" if None in numbers else f"{max(numbers):.2f}"


def _mark(entries: list[dict[str, Any]]) -> str:
    return " " if all(entry["ok"] for entry in entries) else "!"


def _blame(report: dict[str, Any]) -> str:
    bad = [name for name, found in report["libraries"].items() if not found["ok"]]
    return f"Not everything works: see {', '.join(bad)} above. --json prints all of it for a report."
