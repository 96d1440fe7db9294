"""Runs everything and writes JSON: `python -m benchmarks [--quick] [--libraries numpy,torch]`."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from .cases import TOKENS
from .libraries import NAMES, ONE_THREAD

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("numpy", "scipy", "torch", "jax", "optax", "tensorflow-cpu", "tensorflow")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--libraries", default=",".join(NAMES), help="default: all")
    parser.add_argument("--threads", default="1,all", help="1, all or both")
    parser.add_argument(
        "--parts",
        default=",".join(_PARTS),
        help="which of these four; the others stay as an earlier run has left them",
    )
    parser.add_argument("--only", default="", help="pairs whose name, shape and logits match this expression")
    parser.add_argument("--pairs", type=int, default=9, help="samples of each ratio (default 9)")
    parser.add_argument(
        "--quick", action="store_true", help="two small shapes, 3 pairs, one thread: a minute"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "benchmarks")
    return parser.parse_args()


def _run(task: dict[str, Any]) -> Any:
    """The result of one task, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.work", json.dumps(task)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu"}
    # Large arrays go back to the system at once: what an earlier call has left would hide a step's memory.
    if "memory" in task["kind"]:
        environment["MALLOC_MMAP_THRESHOLD_"] = str(2**20)
    if task.get("threads") == 1:
        environment |= ONE_THREAD
        core = str(min(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else None
        if core is not None and task["library"] == "jax":
            command = ["taskset", "--cpu-list", core, *command]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{task} failed")
    return json.loads(done.stdout.splitlines()[-1])


def _without_place(arguments: list[str]) -> list[str]:
    """The arguments that say what was measured, and not where the numbers went."""
    if "--out" in arguments:
        place = arguments.index("--out")
        return arguments[:place] + arguments[place + 2 :]
    return arguments


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _measure(library: str, options: argparse.Namespace, kept: dict[str, Any]) -> dict[str, Any]:
    """What was asked for, beside what an earlier run here found with the same versions."""
    here = {
        "library": library,
        "versions": _versions(),
        "machine": {"cores": os.cpu_count(), "processor": platform.machine()},
    }
    result = kept if {name: kept.get(name) for name in here} == here else here
    command = "python -m benchmarks " + shlex.join(_without_place(sys.argv[1:]))
    for part in options.parts.split(","):
        if part == "ratios" or not options.quick:
            others = _others(result, options.only) if part == "ratios" else []
            result |= _PARTS[part](library, options)
            commands = result.setdefault("commands", {})
            if others:
                result["ratios"] += others
                commands[part] = "; ".join(dict.fromkeys([*commands[part].split("; "), command]))
            else:
                commands[part] = command
    return result


def _others(kept: dict[str, Any], only: str) -> list[dict[str, Any]]:
    """The ratios found before that are not measured now."""

    def name(row: dict[str, Any]) -> str:
        return f"{row['what']} {tuple(row['shape'])} {row['logits']}"

    return [row for row in kept.get("ratios", []) if not re.search(only, name(row))]


def _ratios(library: str, options: argparse.Namespace) -> dict[str, Any]:
    task = {"kind": "ratios", "library": library, "quick": options.quick, "only": options.only}
    task["pairs"] = 3 if options.quick else options.pairs
    return {"ratios": _by_threads(task, "1" if options.quick else options.threads)}


def _by_threads(task: dict[str, Any], some: str) -> list[dict[str, Any]]:
    return [
        {**row, "threads": threads}
        for threads in some.split(",")
        for row in _run({**task, "threads": 1 if threads == "1" else threads})
    ]


def _sweep(library: str, options: argparse.Namespace) -> dict[str, Any]:
    return {"sweep": _run({"kind": "sweep", "library": library, "threads": 1})}


def _memory(library: str, options: argparse.Namespace) -> dict[str, Any]:
    rows = [
        _run({"kind": "memory", "library": library, "tokens": tokens, "who": who})
        for tokens in TOKENS
        for who in ("theirs", "ours")
    ]
    return {"memory": rows}


def _linear(library: str, options: argparse.Namespace) -> dict[str, Any]:
    times = _by_threads({"kind": "linear", "library": library, "pairs": 3}, options.threads)
    memory = [
        _run({"kind": "linear memory", "library": library, "number": number, "who": who})
        for number in range(len({(row["what"], row["peer"]) for row in times}))
        for who in ("theirs", "ours")
    ]
    return {"linear": times, "linear_memory": memory}


_PARTS = {"ratios": _ratios, "sweep": _sweep, "memory": _memory, "linear": _linear}


def main() -> None:
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    for library in options.libraries.split(","):
        path = options.out / f"{library}.json"
        kept = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps(_measure(library, options, kept), indent=1) + "\n")
        print(path, file=sys.stderr)


if __name__ == "__main__":
    main()
