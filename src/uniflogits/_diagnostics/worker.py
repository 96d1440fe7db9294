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
from .selfcheck import Found, check, read_references

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
    # Where compilers take nearly all of the time, each thread waits for its own.
    with ThreadPoolExecutor(os.cpu_count() if backend.compiles else 1) as pool:
        checks = [
            (operation, dtype, pool.submit(_check, backend, operation, dtype, references))
            for dtype in dtypes  # JAX has float64 on demand only
            for operation in OPERATIONS
        ]
        for operation, dtype, answer in checks:
            report(stage=f"checking {operation} in {dtype}")
            for event in answer.result():
                report(**event)
    report(seconds=round(time.perf_counter() - imported, 2))
    return 0


def _check(backend: Backend, operation: str, dtype: str, references: dict[str, Any]) -> list[dict[str, Any]]:
    """What there is to report of one operation."""
    if operation not in references:
        return [{"off": f"{operation}, {dtype}: no reference values"}]
    events = []
    try:
        for found in check(backend, operation, dtype, references[operation]):
            events += _events(found)
    except Exception as error:
        events.append({"off": f"{operation}, {dtype}: {describe(error)}"})
    return events


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
