"""First derivatives forward: the closed form and the library's own forward mode against the oracle."""

from __future__ import annotations

from typing import Any

import numpy as np

import uniflogits as ul

from . import exact
from .harness import HALVES, Cell, as_function, both, first, matrix, random_like, ready, run
from .judging import check_value


@matrix("jvp")
def test_jvp(cell: Cell, quick: bool) -> None:
    failures = cell.failures()
    for sample in cell.samples(quick):
        if sample.values_only and cell.dtype in HALVES:
            continue
        one = ready(cell, sample)
        value = first(run(cell, one))
        for i in one.call.floating():
            _check(cell, one, sample, failures, i, value)
    failures.finish()


def _check(cell: Cell, one: Any, sample: Any, failures: Any, moving: int, value: Any) -> None:
    adapter, name = cell.adapter, cell.op.arrays[moving]
    direction = _direction(cell, one, sample, name)
    tangents = [adapter.array(direction) if i == moving else None for i in range(len(one.arrays))]
    answers = both(one, lambda call: exact.tangent(cell.spec, call, name, direction))
    with adapter.calling():
        found = {"jvp": ul.jvp(cell.public, tuple(one.arrays), tuple(tangents), **one.options)}
    function, others = as_function(cell, one)
    arrays = [one.arrays[0], *others]
    found |= adapter.tangents(function, arrays, [*tangents, *[None] * (len(arrays) - len(tangents))])
    for mode, (primal, tangent) in found.items():
        label = f"{sample.id}, {mode} by {name}"
        primal, tangent = first(primal), first(tangent)
        plain = adapter.to_numpy(value)
        # TensorFlow makes a graph of calls that keep coming back, and rounds in another order there.
        if mode == "jvp" and cell.backend != "tensorflow":
            failures.same(f"{label}: the value", adapter.to_numpy(primal), plain)
        else:  # beside the tangent another formula may run, or a compiler sum in another order
            check_value(cell, one, failures, f"{label}: the value", adapter.to_numpy(primal))
        if adapter.dtype(tangent) != one.call.result_dtype:
            failures.add(f"{label}: dtype {adapter.dtype(tangent)}")
        failures.compare(
            label,
            adapter.to_numpy(tangent),
            answers,
            one.call.result_dtype,
            cell.row.tangent or cell.row.gradient,
            cell.row.dagger,
            one.underflow * 2.0,
            {**one.call.arrays, "tangent": direction},
        )


def _direction(cell: Cell, one: Any, sample: Any, name: str) -> np.ndarray:
    """Numbers at about half of the places where the oracle's derivatives are known, 0 elsewhere."""
    array = one.call.arrays[name]
    direction = random_like(np.shape(array), cell.dtype, cell.operation, sample.id, name, sparse=True)
    if cell.op.rule.kind != "elementwise":
        elsewhere = np.ones(array.size, bool)
        elsewhere[exact.coordinates(array)] = False
        direction[elsewhere.reshape(array.shape)] = 0
    return direction
