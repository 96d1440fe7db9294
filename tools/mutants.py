"""Count what `make mutate` made of the mutants, and hold those that no test noticed to the known ones.

tests/survivors.toml names every mutant that may survive, with the reason; a survivor that is not there, and
an entry whose mutant is killed, is an error.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MADE = ROOT / "mutants" / "src" / "uniflogits"
KNOWN = ROOT / "tests" / "survivors.toml"
# What a test process ended with, as mutmut keeps it: passed, and three ways to have run no test. Every other
# number is a way to have been noticed; None has not been run.
SURVIVED = (0, 5, 33, 34)


def explained() -> set[str]:
    return {entry["mutant"] for entry in tomllib.loads(KNOWN.read_text(encoding="utf-8"))["survivor"]}


def main() -> int:
    outcomes: dict[str, int | None] = {}
    for path in sorted(MADE.rglob("*.meta")):
        outcomes |= json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
    run = {name: code for name, code in outcomes.items() if code is not None}
    survivors = {name for name, code in run.items() if code in SURVIVED}
    known = explained()
    by_file = Counter(name.rpartition(".")[0] for name in run)
    lost_by_file = Counter(name.rpartition(".")[0] for name in survivors)
    for file, count in sorted(by_file.items()):
        print(f"{file:50} {count:5} run, {lost_by_file[file]:4} survive")
    print(f"{len(outcomes)} mutants made, {len(run)} run, {len(run) - len(survivors)} killed,", end=" ")
    print(f"{len(survivors)} survive, {len(survivors & known)} of them explained")
    new, stale = sorted(survivors - known), sorted(known & run.keys() - survivors)
    for name in new:
        print(f"survives without an explanation: {name} (mutmut show {name})")
    for name in stale:
        print(f"is killed, though {KNOWN.name} explains why it is not: {name}")
    return 1 if new or stale else 0


if __name__ == "__main__":
    sys.exit(main())
