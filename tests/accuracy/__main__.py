"""`make accuracy`: every operation × derivative × library × dtype, and other libraries beside ours.

    python -m tests.accuracy
    python -m tests.accuracy --seed 7 --backends numpy,torch --operations softmax,entropy

The seed is a new one unless it is given. What was measured is written as one JSON.
The exit status is 1 if a bound does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

# Before any library is imported: one thread is what a measurement of accuracy needs.
for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROOT = Path(__file__).resolve().parent.parent.parent
# Libraries by the process they are measured in.
PROCESSES = (("numpy", "torch"), ("tensorflow",), ("jax",))


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.accuracy", description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, help="(default: a new one)")
    parser.add_argument("--backends", default="numpy,torch,jax,tensorflow", metavar="NAME[,NAME]")
    parser.add_argument("--operations", default="", metavar="NAME[,NAME]", help="(default: all)")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "accuracy.json", metavar="PATH")
    parser.add_argument("--keep", action="store_true", help="keep what is there for this seed's next run")
    parser.add_argument("--small", action="store_true", help="fewer rows and classes, no compilers")
    parser.add_argument("--no-peers", action="store_true", help="measure uniflogits alone")
    parser.add_argument("--part", type=Path, help=argparse.SUPPRESS)  # of one process
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    if options.part is not None:
        return run_part(options)
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    start = time.perf_counter()
    backends = options.backends.split(",")
    groups = [[name for name in group if name in backends] for group in PROCESSES]
    folder = ROOT / "build" / "accuracy" / str(seed)
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    try:
        for group in filter(None, groups):
            part = folder / f"{group[0]}.json"
            command = [sys.executable, "-W", "ignore", "-m", "tests.accuracy", "--seed", str(seed)]
            command += [
                "--backends",
                ",".join(group),
                "--operations",
                options.operations,
                "--part",
                str(part),
            ]
            command += ["--no-peers"] * options.no_peers + ["--small"] * options.small
            subprocess.run(command, cwd=ROOT, check=True)
            parts.append(json.loads(part.read_text(encoding="utf-8")))
    finally:
        if not options.keep:
            shutil.rmtree(folder)
    results = merged(parts, seed, time.perf_counter() - start)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    show(results)
    print(f"{results['numbers']} numbers in {results['seconds']:.0f} s; the JSON is {options.json}")
    return 1 if results["failures"] else 0


def merged(parts: list[dict[str, Any]], seed: int, seconds: float) -> dict[str, Any]:
    results: dict[str, Any] = {"seed": seed, "seconds": seconds, "versions": {}, "numbers": 0}
    results |= {"failures": [], "rows": [], "gap": None}
    for part in parts:
        results["versions"] |= part["versions"]
        results["numbers"] += part["numbers"]
        results["failures"] += part["failures"]
        results["rows"] += part["rows"]
        if results["gap"] is None:
            results["gap"] = part["gap"]
        elif part["gap"] is not None:
            for quantity in ("loss", "gradient"):
                results["gap"][quantity] |= part["gap"][quantity]
    return results


def show(results: dict[str, Any]) -> None:
    """The worst of our numbers, operation by operation, and what failed."""
    worst: dict[tuple[str, str], dict[str, float]] = {}
    for row in results["rows"]:
        if not row["library"].endswith("own"):
            cell = worst.setdefault((row["operation"], row["quantity"]), {"T": row["bound"]})
            name = f"{row['library']} {row['dtype'][5:]}"
            cell[name] = max(cell.get(name, 0.0), row["ulp"])
    columns = list(dict.fromkeys(name for cell in worst.values() for name in cell))
    print(f"{'operation':58}" + "".join(f"{name:>15}" for name in columns))
    for (operation, quantity), cell in sorted(worst.items()):
        numbers = "".join(f"{cell[name]:15.2f}" if name in cell else f"{'':15}" for name in columns)
        print(f"{operation + ', ' + quantity:58}{numbers}")
    for failure in results["failures"]:
        print(failure)


def run_part(options: argparse.Namespace) -> int:
    from .run import run

    names = options.operations.split(",") if options.operations else None
    libraries = options.backends.split(",")
    run(options.seed, libraries, names, not options.no_peers, options.small, options.part)
    return 0


if __name__ == "__main__":
    sys.exit(main())
