"""First derivatives in reverse: closed form, the library's own autodiff and the oracle's are one number."""

from __future__ import annotations

from typing import Any

import numpy as np

import uniflogits as ul

from .call import make_call
from .compare import Failures
from .harness import (
    HALVES,
    Cell,
    Ready,
    as_function,
    first,
    has_autodiff,
    matrix,
    random_like,
    ready,
    run,
)
from .judging import check_gradient


@matrix("gradient")
def test_gradient(cell: Cell, quick: bool) -> None:
    failures = cell.failures()
    for sample in cell.samples(quick):
        if sample.values_only and cell.dtype in HALVES:
            continue
        check_sample(cell, sample, failures)
    failures.finish()


def check_sample(cell: Cell, sample: Any, failures: Failures) -> None:
    adapter = cell.adapter
    one = ready(cell, sample)
    value = first(run(cell, one))
    value_dtype = adapter.dtype(value)
    ct = random_like(tuple(value.shape), value_dtype, cell.operation, sample.id)
    cotangent = adapter.array(ct)

    with adapter.calling():
        answer, pullback = ul.vjp(cell.public, *one.arrays, **one.options)
        closed = pullback(_paired(answer, cotangent))
    failures.same(
        f"{sample.id}: the value from vjp", adapter.to_numpy(first(answer)), adapter.to_numpy(value)
    )
    floating = one.call.floating()
    for i, gradient in enumerate(closed):
        if i not in floating and gradient is not None:
            failures.add(f"{sample.id}: vjp gave a gradient for {cell.op.arrays[i]}, which holds no floats")
    found = {f"vjp by {cell.op.arrays[i]}": (i, closed[i]) for i in floating}
    function, others = as_function(cell, one)
    native = adapter.gradients(function, [one.arrays[0], *others], cotangent, floating)
    for mode, results in native.items():
        found |= {f"{mode} by {cell.op.arrays[i]}": (i, g) for i, g in zip(floating, results, strict=True)}
    for label, (i, gradient) in found.items():
        _compare(cell, one, sample, failures, label, cell.op.arrays[i], gradient, ct)


def _paired(answer: Any, cotangent: Any) -> Any:
    """With return_sign=True the sign carries no gradient: the cotangent is the value's alone."""
    return cotangent


def _compare(
    cell: Cell,
    one: Ready,
    sample: Any,
    failures: Failures,
    label: str,
    name: str,
    gradient: Any,
    ct: np.ndarray,
) -> None:
    adapter = cell.adapter
    if gradient is None:
        failures.add(f"{sample.id}, {label}: no gradient")
        return
    if adapter.dtype(gradient) != cell.dtype:
        failures.add(f"{sample.id}, {label}: dtype {adapter.dtype(gradient)}")
    check_gradient(cell, one, failures, f"{sample.id}, {label}", adapter.to_numpy(gradient), name, ct)


@matrix("gradient_of_options", having=lambda cell: has_autodiff(cell.backend))
def test_gradient_of_options(cell: Cell) -> None:
    """Weights given by keyword are differentiated by the library's autodiff."""
    failures = cell.failures()
    for sample in cell.samples(having=lambda sample: bool(_floating_keywords(cell, sample))):
        one = ready(cell, sample)
        for name in _floating_keywords(cell, sample):
            _check_option(cell, one, sample, failures, name)
    if not any(cell.op.roles[name] not in ("mask",) for name in cell.op.array_options):
        return
    failures.finish()


def _floating_keywords(cell: Cell, sample: Any) -> list[str]:
    """The arrays given by keyword that hold floating numbers; no Python numbers."""
    call = make_call(cell.operation, sample, cell.dtype)
    return [n for n, a in call.keywords().items() if isinstance(a, np.ndarray) and call.is_floating(n)]


def _check_option(cell: Cell, one: Ready, sample: Any, failures: Failures, name: str) -> None:
    adapter = cell.adapter
    value = first(run(cell, one))
    ct = random_like(tuple(value.shape), adapter.dtype(value), cell.operation, sample.id, name)

    def function(array: Any) -> Any:
        return first(cell.public(*one.arrays, **{**one.options, name: array}))

    for mode, results in adapter.gradients(function, [one.options[name]], adapter.array(ct), [0]).items():
        (gradient,) = results
        _compare(cell, one, sample, failures, f"{mode} by {name}", name, gradient, ct)
