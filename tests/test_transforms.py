"""Compiled and mapped over: the same bounds as in plain calls, for value and gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from . import exact
from .harness import (
    Cell,
    Failures,
    Ready,
    as_function,
    both,
    first,
    has_autodiff,
    matrix,
    random_like,
    ready,
    references,
    run,
)
from .specs.base import Sample


def _compilable(cell: Cell) -> bool:
    return has_autodiff(cell.backend) and cell.dtype in ("float32", "float64")


def _chosen(cell: Cell) -> list[Sample]:
    """One sample without options, and the first that gives each option or keyword array."""
    seen: set[str] = set()
    chosen = []
    for sample in cell.samples():
        gives = {*sample.options, *(set(sample.arrays) - set(cell.op.arrays))} or {"nothing"}
        if not gives <= seen and not sample.values_only:
            chosen.append(sample)
            seen |= gives
    return chosen


@matrix("compiled", having=_compilable, dtypes=("float32",))
@pytest.mark.slow
def test_compiled(cell: Cell) -> None:
    failures = cell.failures()
    for sample in _chosen(cell):
        one = ready(cell, sample)
        function, others = as_function(cell, one)
        arrays = [one.arrays[0], *others]
        value = first(run(cell, one))
        ct = random_like(tuple(value.shape), cell.adapter.dtype(value), cell.operation, sample.id)
        for mode, compiled in cell.adapter.compiled(function).items():
            _check_value(cell, one, sample, failures, mode, compiled(*arrays))
            floating = one.call.floating()[:1]
            if mode == "compile":
                # torch differentiates through a compiled function by plain backward only.
                gradient = _backward(compiled, arrays, cell.adapter.array(ct))
                _check_gradient(cell, one, sample, failures, mode, gradient, ct)
                continue
            found = cell.adapter.gradients(compiled, arrays, cell.adapter.array(ct), floating)
            for way, gradients in found.items():
                _check_gradient(cell, one, sample, failures, f"{mode}, {way}", gradients[0], ct)
    failures.finish()


def _backward(function: Any, arrays: list[Any], cotangent: Any) -> Any:
    import torch

    leaf = arrays[0].detach().clone().requires_grad_()
    return torch.autograd.grad(function(leaf, *arrays[1:]), leaf, cotangent)[0]


def _check_value(cell: Cell, one: Ready, sample: Any, failures: Failures, mode: str, value: Any) -> None:
    answers = [answer[0] for answer in both(one, lambda call: exact.values(cell.spec, call))]
    row = cell.row
    failures.compare(
        f"{sample.id}, {mode}",
        cell.adapter.to_numpy(value),
        answers,
        one.call.result_dtype,
        row.value,
        row.dagger,
        one.underflow,
        one.call.arrays,
    )


def _check_gradient(
    cell: Cell, one: Ready, sample: Any, failures: Failures, mode: str, gradient: Any, ct: np.ndarray
) -> None:
    name = cell.op.arrays[0]
    pairs = both(one, lambda call: exact.gradient(cell.spec, call, name, ct))
    positions, answers = references(pairs)
    failures.compare(
        f"{sample.id}, {mode}",
        cell.adapter.to_numpy(gradient).reshape(-1)[positions],
        answers,
        cell.dtype,
        cell.row.gradient,
        cell.row.dagger,
        one.underflow * 2.0,
        {**one.call.arrays, "cotangent": ct},
    )


def _has_examples(cell: Cell, sample: Sample) -> bool:
    """Whether the first array is of two dimensions, and the others are as long."""
    shapes = [np.shape(sample.arrays[name]) for name in cell.op.arrays if name != cell.op.vectors]
    return len(shapes[0]) == 2 and len({shape[:1] for shape in shapes}) == 1


def _of_examples(cell: Cell, one: Ready) -> tuple[Any, list[Any]]:
    """The call as a function of the arrays with one entry per example: all but vectors of classes."""
    if cell.op.vectors is None:
        return one.apply(cell.public), one.arrays
    place = cell.op.arrays.index(cell.op.vectors)
    rest = [array for i, array in enumerate(one.arrays) if i != place]
    return lambda *some: cell.public(*some[:place], one.arrays[place], *some[place:]), rest


@matrix("mapped", having=lambda cell: _compilable(cell) and cell.dtype == "float32")
def test_mapped(cell: Cell) -> None:
    """One example at a time, mapped by the library over the first axis: as all at once."""
    failures = cell.failures()
    samples = cell.samples(having=lambda s: cell.is_plain(s) and _has_examples(cell, s))
    for sample in samples[:6]:
        one = ready(cell, sample)
        value = first(run(cell, one))
        ct = random_like(tuple(value.shape), cell.adapter.dtype(value), cell.operation, sample.id)
        function, arrays = _of_examples(cell, one)
        for mode, mapped in cell.adapter.mapped(function).items():
            _check_value(cell, one, sample, failures, mode, mapped(*arrays))
            found = cell.adapter.gradients(mapped, arrays, cell.adapter.array(ct), [0])
            for way, gradients in found.items():
                _check_gradient(cell, one, sample, failures, f"{mode}, {way}", gradients[0], ct)
    failures.finish()
