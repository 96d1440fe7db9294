"""The full tier in one process: every question put to every library that shares it."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import pickle
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uniflogits as ul
from uniflogits._core.operation import OPERATIONS

from .. import adapters
from . import gap, many
from .blocks import blocks, rng_of, spec_blocks
from .compiled import measure_compiled
from .large import measure_large
from .measure import Report, measure_ours
from .peers import PEERS, measure_peer
from .references import Question, ask

DTYPES = ("float32", "float64")
# The libraries that compile a program for each form of call are asked fewer forms.
COMPILING = ("jax",)
MANY = (50_000, 256_000)
OPTIONS = 8


def run(
    seed: int, backends: list[str], names: list[str] | None, with_peers: bool, small: bool, part: Path
) -> None:
    """Measure, and write what was found into `part` after every operation."""
    report, done = Report(seed), set()
    if part.exists():  # of a run that was stopped
        results = json.loads(part.read_text(encoding="utf-8"))
        report.restore(results)
        done = set(results["done"])
    folder = part.parent

    def save(gaps: Any = None) -> None:
        results = {"versions": versions(backends, peers), "numbers": report.numbers, "done": sorted(done)}
        results |= {"failures": report.failures, "rows": report.rows(), "gap": gaps}
        part.write_text(json.dumps(results), encoding="utf-8")

    peers = [peer for peer, (backend, _) in PEERS.items() if with_peers and backend in backends]
    clock = Clock()
    for name in names or OPERATIONS:
        for dtype in DTYPES if name not in done else ():
            asked = questions(name, dtype, seed, folder, small)
            clock.passed("exact")
            for question, forms in asked:
                for backend in backends:
                    if backend in COMPILING and (forms == "one" or (forms, dtype) == ("some", "float64")):
                        continue
                    with reported(report, f"{question.block.id} {dtype} on {backend}"):
                        measure_ours(
                            report, question, backend, backend not in COMPILING or dtype == "float32"
                        )
                    clock.passed(backend)
                    if forms == "all" and not small:
                        with reported(report, f"{question.block.id} {dtype} compiled by {backend}"):
                            measure_compiled(report, question, backend)
                        clock.passed(f"{backend} compiled")
                if question.block.plain:
                    for peer in peers:
                        # What a peer refuses it has no answer to.
                        with contextlib.suppress(Exception):
                            measure_peer(report, question, peer)
                    clock.passed("peers")
            for backend in backends:
                adapters.get(backend).forget()
        if name not in done:
            clock.show(name)
            done.add(name)
            save()
    chosen = [name for name in names or OPERATIONS if name in many.OPERATIONS]
    for dtype in DTYPES:
        for n in MANY[: 1 if small else None] if chosen else ():
            if f"{n} {dtype}" in done:
                continue
            with reported(report, f"{n} classes, {dtype}"):
                measure_large(report, n, dtype, seed, chosen, backends, peers, folder)
            clock.passed("all")
            clock.show(f"{n} classes, {dtype}")
            done.add(f"{n} {dtype}")
            save()
    save(gap.measure(seed, backends, peers) if not names else None)


@contextlib.contextmanager
def reported(report: Report, title: str) -> Iterator[None]:
    """An operation that raises has failed like one that is wrong; the others are measured all the same."""
    try:
        yield
    except Exception as error:
        text = " ".join(str(error).split())[:300]
        report.failures.append(f"seed {report.seed}: {title} raised {type(error).__name__}: {text}")


class Clock:
    """What each operation took, in seconds of this process."""

    def __init__(self) -> None:
        self.last, self.taken = time.process_time(), {}

    def passed(self, stage: str) -> None:
        now = time.process_time()
        self.taken[stage] = self.taken.get(stage, 0.0) + now - self.last
        self.last = now

    def show(self, title: str) -> None:
        text = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in self.taken.items())
        print(f"{title}: {text}", file=sys.stderr, flush=True)
        self.taken = {}


def questions(name: str, dtype: str, seed: int, folder: Path, small: bool) -> list[tuple[Question, str]]:
    """The blocks with all that is exact about them, and how much of it compiling libraries are asked."""

    def make() -> list[tuple[Question, str]]:
        found = []
        made = blocks(name, dtype, seed, (2, 10), (1, 1), quick=True) if small else blocks(name, dtype, seed)
        for block in made:
            second = block.classes in (0, 10)
            found.append((ask(block, dtype, seed, second=second), "all" if second else "some"))
        # The operation's options, from samples of its spec.
        known = [block for block in spec_blocks(name, dtype, seed) if not block.sample.values_only]
        some = rng_of(seed, name, dtype, "options").permutation(len(known))[: 2 if small else OPTIONS]
        found += [(ask(known[i], dtype, seed), "one") for i in some]
        return found

    return keep(folder / f"{name}-{dtype}.pickle", make)


def keep(path: Path, make: Callable[[], Any]) -> Any:
    """What is made once for both processes."""
    if path.exists():
        return pickle.loads(path.read_bytes())
    made = make()
    path.write_bytes(pickle.dumps(made))
    return made


def versions(backends: list[str], peers: list[str]) -> dict[str, str]:
    found = {"uniflogits": ul.__version__}
    for name in dict.fromkeys([*backends, *peers]):
        for package in (name, f"{name}-cpu"):
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                found[name] = importlib.metadata.version(package)
    return found
