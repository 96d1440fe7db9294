"""The self-check of one library, in a process that may come to grief.

What it finds goes to standard output, one JSON object per line as it is found, so that whoever started the
process knows how far it came. Whatever else a library prints goes to standard error.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from .._backends.generic import Backend
from .._core.dtypes import dtype_name
from .._core.operation import OPERATIONS
from .libraries import find_libraries
from .selfcheck import Found, Question, ask, judge, read_references

DTYPES = ("float32", "float64")
SHOWN = 3  # numbers that are off, of each operation
Report = Callable[..., None]


def work(name: str) -> int:
    """Import one library and check every operation on it."""
    report = _reporter()
    library = find_libraries()[name]
    start = time.perf_counter()
    report(stage="importing it")
    try:
        backend, version = library.start(), library.version()
    except BaseException as error:  # SystemExit too: some packages call sys.exit when they cannot start
        report(broken=f"cannot be imported: {describe(error)}")
        return 1
    imported = time.perf_counter()
    report(version=version, import_seconds=round(imported - start, 2), stage="making arrays")
    references = read_references()
    dtypes = [d for d in DTYPES if dtype_name(backend.xp.asarray(np.zeros(1, dtype=d)).dtype) == d]
    questions = []
    for dtype in dtypes:  # JAX has float64 on demand only
        for operation in OPERATIONS:
            if operation in references:
                questions.append(Question(operation, dtype, references[operation]))
            else:
                report(off=f"{operation}, {dtype}: no reference values")
    # Where compilers take nearly all of the time, several operations make one program, and each thread waits
    # for its own.
    threads = (os.cpu_count() or 1) if backend.compiles else 1
    size = math.ceil(len(questions) / (3 * threads)) if backend.compiles else 1
    batches = [questions[i : i + size] for i in range(0, len(questions), size)]
    with ThreadPoolExecutor(threads) as pool:
        checks = [pool.submit(_check, backend, batch) for batch in batches]
        for batch, events in zip(batches, checks, strict=True):
            report(stage="checking " + ", ".join(f"{one.operation} in {one.dtype}" for one in batch))
            for event in events.result():
                report(**event)
    report(seconds=round(time.perf_counter() - imported, 2))
    return 0


def _check(backend: Backend, questions: list[Question]) -> list[dict[str, Any]]:
    """What there is to report of some operations."""
    try:
        answers = ask(backend, questions)
        return [
            event
            for question, answer in zip(questions, answers, strict=True)
            for found in judge(question, answer)
            for event in _events(found)
        ]
    except Exception as error:
        if len(questions) > 1:  # whose error it is shows when each is alone
            return [event for question in questions for event in _check(backend, [question])]
        (one,) = questions
        return [{"off": f"{one.operation}, {one.dtype}: {describe(error)}"}]


def _events(found: Found) -> Iterator[dict[str, Any]]:
    # JSON has no infinity.
    worst = round(found.worst, 2) if math.isfinite(found.worst) else None
    yield {
        "operation": found.operation,
        "dtype": found.dtype,
        "quantity": found.quantity,
        "result": {"worst": worst, "allowed": found.allowed, "ok": not found.off},
    }
    title = f"{found.operation}, {found.dtype}"
    for text in found.off[:SHOWN]:
        yield {"off": f"{title}: {text}; {found.allowed:g} ulp allowed"}
    if len(found.off) > SHOWN:
        yield {"off": f"{title}: {len(found.off) - SHOWN} more numbers of its {found.quantity}"}


def describe(error: BaseException) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:400]


def _reporter() -> Report:
    sys.stdout.flush()
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def report(**event: Any) -> None:
        print(json.dumps(event), file=stream, flush=True)

    return report
