"""Second derivatives: every nesting of the library's own modes, and the closed form differentiated again."""

from __future__ import annotations

from typing import Any

import pytest

import uniflogits as ul

from .harness import (
    Cell,
    Failures,
    Ready,
    as_function,
    first,
    has_autodiff,
    matrix,
    random_like,
    ready,
    run,
)
from .judging import check_products


def _meaningful(cell: Cell) -> bool:
    return has_autodiff(cell.backend) or cell.op.rule.second_order


@matrix("second_order", having=_meaningful)
def test_second_order(cell: Cell, quick: bool) -> None:
    failures = cell.failures()
    for sample in cell.samples(quick):
        if not sample.values_only:
            _check(cell, sample, failures)
    failures.finish()


def _check(cell: Cell, sample: Any, failures: Failures) -> None:
    adapter = cell.adapter
    one = ready(cell, sample)
    value = first(run(cell, one))
    ct = random_like(tuple(value.shape), adapter.dtype(value), cell.operation, sample.id)
    cotangent = adapter.array(ct)
    for moving, name in enumerate(cell.op.partners):
        if moving and not has_autodiff(cell.backend):
            continue  # closed forms have second derivatives by the first array only
        direction = random_like(one.call.arrays[name].shape, cell.dtype, sample.id, "second")
        tangent = adapter.array(direction)
        found: dict[str, Any] = {}
        if has_autodiff(cell.backend):
            function, others = as_function(cell, one, moving)
            found |= adapter.hessian_products(function, one.arrays[moving], others, cotangent, tangent)
        if cell.op.rule.second_order and not moving:
            found |= _closed(cell, one, cotangent, tangent)
        products = {}
        for mode, product in found.items():
            label = f"{sample.id}, {mode} by {name}"
            if adapter.dtype(product) != cell.dtype:
                failures.add(f"{label}: dtype {adapter.dtype(product)}")
            products[label] = adapter.to_numpy(product)
        check_products(cell, one, failures, products, name, ct, direction)


def _closed(cell: Cell, one: Ready, cotangent: Any, tangent: Any) -> dict[str, Any]:
    gradient = ul.grad(cell.public)
    with cell.adapter.calling():
        _, pullback = ul.vjp(gradient, *one.arrays, cotangent=cotangent, **one.options)
        backward = pullback(tangent)[0]
        others = (None,) * (len(one.arrays) - 1)
        _, forward = ul.jvp(
            gradient, tuple(one.arrays), (tangent, *others), cotangent=cotangent, **one.options
        )
    return {"vjp of grad": backward, "jvp of grad": forward}


@matrix(
    "no_second_order",
    having=lambda cell: not cell.op.rule.second_order and not has_autodiff(cell.backend),
    dtypes=("float64",),
)
def test_no_second_order(cell: Cell) -> None:
    """Where the closed form can't be differentiated again, asking for it says so."""
    one = ready(cell, cell.samples()[0])
    gradient = ul.grad(cell.public)
    with pytest.raises(ValueError, match=cell.operation):
        ul.vjp(gradient, *one.arrays, **one.options)
    with pytest.raises(ValueError, match=cell.operation):
        ul.jvp(gradient, tuple(one.arrays), tuple(one.arrays), **one.options)
