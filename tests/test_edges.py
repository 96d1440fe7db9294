"""The edge tables of the specs: infinities, NaN, nothing allowed, ties, one class, integers, extremes."""

from __future__ import annotations

from typing import Any

import numpy as np

import uniflogits as ul

from . import exact
from .compare import Failures
from .exact import Reference
from .harness import Cell, Ready, as_function, first, matrix, ready, run
from .oracle.numbers import VALUE_BITS, precision
from .specs.base import Edge


@matrix("edges", having=lambda cell: bool(cell.edges()))
def test_edges(cell: Cell) -> None:
    failures = cell.failures()
    for edge in cell.edges():
        one = ready(cell, edge, keep_dtype=edge.keep_dtype)
        check_edge(cell, edge, one, failures)
    failures.finish()


def check_edge(cell: Cell, edge: Edge, one: Ready, failures: Failures) -> None:
    adapter = cell.adapter
    result = run(cell, one)
    value, dtype = first(result), _dtype(cell, one, edge)
    if adapter.dtype(value) != dtype:
        failures.add(f"{edge.id}: dtype {adapter.dtype(value)}, expected {dtype}")
    failures.compare(
        f"{edge.id}, value",
        adapter.to_numpy(value),
        [reference(edge.value)],
        dtype,
        cell.row.value,
        cell.row.dagger,
        inputs=dict(one.call.arrays),
    )
    for position, expected in enumerate((edge.gradient, edge.partner_gradient)):
        if expected is not None:
            _check_gradient(cell, edge, one, failures, tuple(value.shape), adapter.dtype(value), position)


def _check_gradient(
    cell: Cell, edge: Edge, one: Ready, failures: Failures, shape: Any, dtype: str, position: int
) -> None:
    """By the first array, or by its partner."""
    adapter = cell.adapter
    expected = edge.partner_gradient if position else edge.gradient
    cotangent = adapter.array(np.ones(shape), dtype)
    with adapter.calling():
        _, pullback = ul.vjp(cell.public, *one.arrays, **one.options)
        found = {"closed form": pullback(cotangent)[position]}
    if position in one.call.floating():
        function, others = as_function(cell, one)
        native = adapter.gradients(function, [one.arrays[0], *others], cotangent, [position])
        found |= {mode: gradients[0] for mode, gradients in native.items()}
    for mode, gradient in found.items():
        if gradient is None:
            failures.add(f"{edge.id}, {mode}: no gradient")
            continue
        given = one.call.arrays[cell.op.arrays[position]].dtype.name
        if position in one.call.floating() and adapter.dtype(gradient) != given:
            failures.add(f"{edge.id}, {mode}: dtype {adapter.dtype(gradient)}, expected {given}")
        failures.compare(
            f"{edge.id}, {mode} by {cell.op.arrays[position]}",
            adapter.to_numpy(gradient),
            [_scaled(cell, one, position, reference(expected), np.ones(shape))],
            adapter.dtype(gradient),
            cell.row.gradient,
            cell.row.dagger,
            inputs=dict(one.call.arrays),
        )


def _scaled(cell: Cell, one: Ready, position: int, answer: Reference, cotangent: Any) -> Reference:
    """An answer that counts in what the bound of a gradient counts in, where all numbers are ordinary."""
    given = [*one.call.positional().values()]
    if one.call.keywords() or not all(np.isfinite(a.astype(float)).all() and a.size for a in given):
        return answer
    scale = exact.gradient_scale(cell.spec, one.call, cell.op.arrays[position], cotangent)
    return Reference(
        answer.high, answer.low, scale.reshape(np.shape(one.call.arrays[cell.op.arrays[position]]))
    )


def _dtype(cell: Cell, one: Ready, edge: Edge) -> str:
    if edge.keep_dtype and not one.call.is_floating(cell.op.arrays[0]):
        return cell.adapter.default_float
    return one.call.result_dtype


def reference(answer: Any) -> Reference:
    """Numbers or mpfr objects as exact numbers."""
    array = np.asarray(answer)
    if array.dtype == object:
        with precision(VALUE_BITS):
            return Reference.of(array)
    return Reference(array.astype(float), np.zeros(array.shape), np.zeros(array.shape))
