"""One process's work: every pair of one library on a number of threads, or its sweep, or a step's memory."""

from __future__ import annotations

import importlib
import json
import math
import re
import sys
from typing import Any

from . import reference, timing
from .cases import LINEAR, QUICK_SHAPES, SHAPES, SWEEP, cells, inputs, linear_target, products, target


def module_of(library: str) -> Any:
    return importlib.import_module(f"benchmarks.libraries.{library}")


def ratios(library: str, pairs: int, quick: bool, only: str) -> list[dict[str, Any]]:
    module, found = module_of(library), []
    for shape, logits in cells(QUICK_SHAPES if quick else SHAPES):
        given = inputs(shape, logits)
        for pair in module.pairs(given, quick):
            if not re.search(only, f"{pair.what} {shape} {logits}"):
                continue
            right = getattr(reference, pair.reference)
            for who, call in ((pair.peer, pair.theirs), ("uniflogits", pair.ours)):
                reference.check(f"{pair.what}: {who}", right, given, call(), who == pair.peer)
            row = {"what": pair.what, "peer": pair.peer, "shape": shape, "logits": logits}
            row |= timing.paired(pair.theirs, pair.ours, pairs)
            found.append({**row, "target": target(library, pair.what, shape, logits)})
            print(
                f"{library:11}{pair.what:44}{shape!s:15}{logits:10}"
                f"{row['theirs_seconds'] * 1e3:10.3f} ms {row['ours_seconds'] * 1e3:10.3f} ms"
                f"{row['ratio']:8.2f}  of {found[-1]['target'] or '-'}",
                file=sys.stderr,
                flush=True,
            )
    return found


def linear(library: str, pairs: int) -> list[dict[str, Any]]:
    """Logits that are products: the sum of the losses with its gradients, or all losses and then these."""
    given, found = products(LINEAR), []
    for pair in module_of(library).linear(given):
        for who, call in ((pair.peer, pair.theirs), ("uniflogits", pair.ours)):
            reference.check(f"{pair.what}: {who}", reference.linear, given, call(), who == pair.peer)
        row = {"what": pair.what, "peer": pair.peer, "shape": LINEAR, "logits": given.logits}
        row |= timing.paired(pair.theirs, pair.ours, pairs)
        row["target"] = linear_target(library, pair.peer, pair.what.rsplit(" ", 1)[1])
        found.append(row)
        print(f"{library:11}{pair.what:30}{pair.peer:36}{row['ratio']:8.2f}", file=sys.stderr, flush=True)
    return found


def sweep(library: str) -> list[dict[str, Any]]:
    module, found = module_of(library), []
    for shape in SWEEP:
        theirs, ours = module.step(inputs(shape, "moderate"))
        took = {"theirs_seconds": timing.best(theirs, 3), "ours_seconds": timing.best(ours, 3)}
        found.append({"shape": shape, **took})
    return found


def growth(rows: list[dict[str, Any]], who: str) -> float:
    """The exponent of time against the number of logits, by least squares on logarithms."""
    points = [(math.log(math.prod(row["shape"])), math.log(row[f"{who}_seconds"])) for row in rows]
    mean_x, mean_y = (sum(column) / len(points) for column in zip(*points, strict=True))
    above = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return above / sum((x - mean_x) ** 2 for x, _ in points)


def main(task: dict[str, Any]) -> None:
    """A task comes as JSON on the command line, its result goes as JSON to standard output."""
    from . import memory

    library = task["library"]
    if task.get("threads") == 1:
        module_of(library).limit_threads()
        timing.by_cpu_time()
    if task["kind"] == "memory":
        out: Any = memory.measure(library, task["tokens"], task["who"])
    elif task["kind"] == "linear memory":
        out = memory.measure_linear(library, task["number"], task["who"])
    elif task["kind"] == "linear":
        out = linear(library, task["pairs"])
    elif task["kind"] == "sweep":
        out = sweep(library)
    else:
        out = ratios(library, task["pairs"], task["quick"], task["only"])
    print(json.dumps(out))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
