"""The full tier in one process: every question put to every library that shares it."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import pickle
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uniflogits as ul

from .. import adapters
from . import gap, large, many
from .blocks import blocks, rng_of, spec_blocks
from .compiled import measure_compiled
from .measure import Report, measure_ours
from .peers import PEERS, measure_peer
from .references import Question, ask
from .regimes import ONE_LARGE_TERM

DTYPES = ("float32", "float64")
# The libraries that compile a program for each form of call are asked fewer forms.
COMPILING = ("jax",)
MANY = (50_000, 256_000)
# Single rows of so many classes, so many of them.
ALONE = ((1000, 8), (4000, 8), (50_000, 2))
OPTIONS = 8
# Only an operation of which nothing is known but its spec's samples has more blocks than these.
FORMS = 8


@dataclass(frozen=True)
class Scope:
    """What one process is asked."""

    seed: int
    backends: list[str]
    names: list[str]
    part: Path  # where it writes what it has found, after every operation
    peers: bool = True
    small: bool = False
    thorough: bool = False


def run(scope: Scope) -> None:
    """Measure operations."""
    state, clock = State(scope), Clock()
    for name in scope.names:
        if name in state.done:
            continue
        for dtype in DTYPES:
            _measure(state, clock, name, dtype)
        clock.show(name)
        state.save(name)


def run_large(scope: Scope) -> None:
    """Measure rows of many classes, and the error against the confidence gap."""
    state, clock = State(scope), Clock()
    chosen = [name for name in scope.names if name in many.OPERATIONS]
    for dtype in DTYPES if chosen else ():
        for n in MANY[: 1 if scope.small else None]:
            # Where most of the time is a compiler's, the largest number is enough.
            compiling = scope.small or scope.thorough or n == max(MANY)
            backends = [name for name in scope.backends if compiling or name not in COMPILING]
            rows = many.make(rng_of(scope.seed, "many", n, dtype), n, dtype)
            parts = [(rows, f"many-{n}-{dtype}", compiling, state.peers)]
            _measure_large(state, clock, f"{n} classes, {dtype}", backends, chosen, parts)
        alone = [name for name in chosen if name != many.LINEAR]
        for n, times in ALONE[: 1 if scope.small else None] if alone else ():
            parts = []
            for i in range(times):
                rows = many.one_large_term(rng_of(scope.seed, "alike", n, i, dtype), n, dtype)
                # Compilers and peers start anew with every row: one is enough.
                parts.append((rows, f"alike-{n}-{i}-{dtype}", i == 0, [] if i else state.peers))
            title = f"{ONE_LARGE_TERM}, {n} classes, {dtype}"
            _measure_large(state, clock, title, scope.backends, alone, parts)
    if gap.OPERATION in chosen:
        state.gap = gap.measure(scope.seed, scope.backends, state.peers)
    state.save("gap")


# Rows, the file that keeps what is exact about them, whether compilers are asked too, and which peers.
Part = tuple[many.Rows, str, bool, list[str]]


def _measure_large(
    state: State, clock: Clock, title: str, backends: list[str], names: list[str], parts: list[Part]
) -> None:
    if title in state.done:
        return
    scope = state.scope
    for rows, file, compiling, peers in parts:
        known = keep(
            scope.part.parent / f"{file}.pickle", lambda rows=rows: list(many.references(rows, names))
        )
        asked = list(large.questions(rows, known))
        clock.passed("exact")
        for question in asked:
            with reported(state.report, f"{question.block.id}, {question.block.form}"):
                large.measure(state.report, question, backends, peers, compiling, scope.thorough)
            clock.passed(question.block.operation)
    for backend in backends:
        adapters.get(backend).forget()
    clock.show(title)
    state.save(title)


class State:
    """What a process has measured; a run that was stopped goes on from there."""

    def __init__(self, scope: Scope) -> None:
        self.scope, self.report, self.gap = scope, Report(scope.seed), None
        self.peers = [p for p, (backend, _) in PEERS.items() if scope.peers and backend in scope.backends]
        self.done: list[str] = []
        if scope.part.exists():
            results = json.loads(scope.part.read_text(encoding="utf-8"))
            self.report.restore(results)
            self.done = results["done"]

    def save(self, done: str) -> None:
        self.done.append(done)
        results = {"versions": versions(self.scope.backends, self.peers), "numbers": self.report.numbers}
        results |= {"done": self.done, "failures": self.report.failures, "rows": self.report.rows()}
        self.scope.part.write_text(json.dumps(results | {"gap": self.gap}), encoding="utf-8")


def _measure(state: State, clock: Clock, name: str, dtype: str) -> None:
    scope, report = state.scope, state.report
    asked = questions(name, dtype, scope.seed, scope.part.parent, scope.small)
    clock.passed("exact")
    for question, forms in asked:
        for backend in scope.backends:
            if backend in COMPILING and (forms == "one" or (forms, dtype) == ("some", "float64")):
                continue
            with reported(report, f"{question.block.id} {dtype} on {backend}"):
                measure_ours(report, question, backend, backend not in COMPILING or dtype == "float32")
            clock.passed(backend)
            if forms == "all" and not scope.small:
                with reported(report, f"{question.block.id} {dtype} compiled by {backend}"):
                    measure_compiled(report, question, backend, scope.thorough)
                clock.passed(f"{backend} compiled")
        if question.block.plain:
            for peer in state.peers:
                # What a peer refuses it has no answer to.
                with contextlib.suppress(Exception):
                    measure_peer(report, question, peer)
            clock.passed("peers")
    for backend in scope.backends:
        adapters.get(backend).forget()


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
        for number, block in enumerate(made):
            second = block.classes in (0, 10)
            forms = "all" if second else "some"
            found.append((ask(block, dtype, seed, second=second), forms if number < FORMS else "one"))
        if not made[0].plain:
            return found
        # The operation's options, from samples of its spec.
        known = [block for block in spec_blocks(name, dtype, seed) if not block.sample.values_only]
        some = rng_of(seed, name, dtype, "options").permutation(len(known))[: 2 if small else OPTIONS]
        found += [(ask(known[i], dtype, seed), "one") for i in some]
        return found

    return keep(folder / f"{name}-{dtype}.pickle", make)


def keep(path: Path, make: Callable[[], Any]) -> Any:
    """What is made once for all processes."""
    if path.exists():
        return pickle.loads(path.read_bytes())
    made = make()
    # Another process may look for it just now.
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(pickle.dumps(made))
    unfinished.replace(path)
    return made


def versions(backends: list[str], peers: list[str]) -> dict[str, str]:
    found = {"uniflogits": ul.__version__}
    for name in dict.fromkeys([*backends, *peers]):
        for package in (name, f"{name}-cpu"):
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                found[name] = importlib.metadata.version(package)
    return found
