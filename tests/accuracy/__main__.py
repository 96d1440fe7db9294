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
from concurrent.futures import ThreadPoolExecutor
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
    parser.add_argument("--thorough", action="store_true", help="torch's compiler on every operation")
    parser.add_argument("--no-peers", action="store_true", help="measure uniflogits alone")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes at a time (default: 2)")
    # Of one process: what it writes, and whether it is about the rows of many classes and the confidence gap.
    parser.add_argument("--part", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--large", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    if options.part is not None:
        return run_part(options)
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    start = time.perf_counter()
    folder = ROOT / "build" / "accuracy" / str(seed)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with ThreadPoolExecutor(options.jobs) as pool:
            parts = list(pool.map(lambda job: measured(options, seed, folder, *job), jobs(options)))
    finally:
        if not options.keep:
            shutil.rmtree(folder)
    results = merged(parts, seed, time.perf_counter() - start)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    show(results)
    print(f"{results['numbers']} numbers in {results['seconds']:.0f} s; the JSON is {options.json}")
    return 1 if results["failures"] else 0


def jobs(options: argparse.Namespace) -> list[tuple[str, str, list[str]]]:
    """Title, libraries and further arguments of every process.

    Each takes a share of the operations. What is exact about them the first libraries' processes leave to the
    others', which start when those have ended.
    """
    # Its list of operations needs no array library.
    from uniflogits._core.operation import OPERATIONS

    backends = options.backends.split(",")
    names = options.operations.split(",") if options.operations else list(OPERATIONS)
    for name in names:
        if name not in OPERATIONS:
            sys.exit(f"--operations: no operation {name!r}; known are {', '.join(OPERATIONS)}")
    found = []
    for group in PROCESSES:
        libraries = ",".join(name for name in group if name in backends)
        shares = [names[i :: options.jobs] for i in range(options.jobs)] if libraries else []
        found += [
            (f"{group[0]}-{i}", libraries, ["--operations", ",".join(share)])
            for i, share in enumerate(shares)
            if share
        ]
        if libraries:
            found.append((f"{group[0]}-large", libraries, ["--operations", ",".join(names), "--large"]))
    return found


def measured(
    options: argparse.Namespace, seed: int, folder: Path, title: str, libraries: str, more: list[str]
) -> dict[str, Any]:
    part = folder / f"{title}.json"
    command = [sys.executable, "-W", "ignore", "-m", "tests.accuracy", "--seed", str(seed), *more]
    command += ["--backends", libraries, "--part", str(part)]
    command += [
        f"--{name}" for name in ("no-peers", "small", "thorough") if vars(options)[name.replace("-", "_")]
    ]
    subprocess.run(command, cwd=ROOT, check=True)
    return json.loads(part.read_text(encoding="utf-8"))


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
    from .run import Scope, run, run_large

    names, backends = options.operations.split(","), options.backends.split(",")
    peers, small, thorough = not options.no_peers, options.small, options.thorough
    measure = run_large if options.large else run
    measure(Scope(options.seed, backends, names, options.part, peers, small, thorough))
    return 0


if __name__ == "__main__":
    sys.exit(main())
